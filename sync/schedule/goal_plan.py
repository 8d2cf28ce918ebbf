"""One goal after its passes, before it is assessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sync.schedule.squeeze import NOT_SQUEEZED, Squeezed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal
    from sync.schedule.backward_pass import LatestDates, Length, StepGraph
    from sync.schedule.occurrences import Occurrence, Series


@dataclass(slots=True)
class GoalPlan:
    """One goal after its passes, before the forward pass has judged it.

    `defined` is the pass over all steps, `plan` that over those that are still to be done. `sharing` are the milestones
    that may share the day on which what follows begins, `growing` the steps whose length is what time there is.
    `outside` has the last day that other goals leave a step. `least` is the pass in which what grows, here and in other
    goals, has the least it may: it gives back what others need.
    """

    goal: Goal
    network: StepGraph
    defined: LatestDates
    plan: LatestDates
    lengths: Sequence[Length]
    fixed: Mapping[int, int]
    gone: frozenset[int]
    made: date
    digest: str
    starts: list[int]
    dues: list[int]
    missed: bool
    outside: Mapping[int, int]
    failed: bool = False
    standing: bool = False
    squeezed: Squeezed = NOT_SQUEEZED
    given_way: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()
    repeating: Mapping[int, Series] = field(default_factory=dict)
    renewed: frozenset[int] = frozenset()
    sharing: frozenset[int] = frozenset()
    growing: frozenset[int] = frozenset()
    least: LatestDates = field(init=False)

    @property
    def latest_dues(self) -> list[int]:
        """The last day on which each step may be done, by its index, so that no other is late by it."""
        return self.dues if self.least is self.plan else list(map(max, self.dues, self.least.due))

    def take(self, plan: LatestDates, some: Iterable[int]) -> None:
        """Take the dates of `some` steps from another pass."""
        self.plan, starts = plan, self.network.starts(plan)
        for i in some:
            self.starts[i], self.dues[i] = starts[i], plan.due[i]

    def occurrences(self, i: int) -> list[Occurrence]:
        """Return the occurrences of a step that repeats; of one that has left the plan, those that are settled."""
        known = self.repeating[i]
        times = known.renewed(self.starts[i], self.dues[i]) if i in self.renewed else known.standing()
        left = i in self.gone or i in self.given_way
        return [one for one in times if one.key in known.settled] if left else times
