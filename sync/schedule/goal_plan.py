"""One goal's dates after the backward pass, before it is assessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sync.schedule.backward_pass import first_days
from sync.schedule.squeeze import NOT_SQUEEZED, Squeezed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal
    from sync.schedule.backward_pass import LatestDates
    from sync.schedule.lengths import Length
    from sync.schedule.model import Published
    from sync.schedule.occurrences import Occurrence, Series
    from sync.schedule.step_graph import StepGraph
    from sync.schedule.warnings import Remedy


@dataclass(slots=True)
class GoalPlan:
    """One goal's dates. Steps are named by their index in the goal's sequence, days are ordinals.

    - `defined`, `latest`: the pass over all steps, and over the open ones.
    - `least`: the pass in which what grows, here and in other goals, has the least it may.
    - `lengths`: as written, with what grows as long as the definition allows.
    - `fixed`: the days of pinned steps.
    - `external`: the last days that other goals leave steps; `loosest`: the same if what grows there has the least.
    - `closed`: the steps that are done or dropped; `skipped`: optional ones that have no date.
    - `growing`: the steps whose length depends on the available time; `repeating`: the occurrences of some of them.
    - `renewed`: the repeating steps whose occurrences are counted anew, not taken from the published plan.
    - `sharing`: the milestones that may share the day on which what follows begins.
    - `made`: the day on which the plan was made; `published`: the plan before it, if one was published.
    - `under_way`: the steps that are under way, with the day from which on they are; `began`: that day for any open
      step, where it is not the start.
    - `standing`: it is the published plan; `missed`: its deadline has passed; `failed`: it does not fit, and
      `when_late: fail` leaves it alone.
    - `full`: the steps for which their person has no room; `uncapped`: the dates as if everybody had, if steps moved.
    - `waits`: it shares a person with a goal whose plan could not be read.
    - `moves_for`: the goals for which it does not stand any more.
    - `remedies`: what would make room for the steps in `full`.
    - `keeps`: it can be kept if everybody has room: by links alone, no open step is late.
    - `could`: the day on which a step could end, if that is later and only its person has no room.
    """

    goal: Goal
    graph: StepGraph
    lengths: Sequence[Length]
    growing: frozenset[int]
    fixed: Mapping[int, int]
    external: Mapping[int, int]
    loosest: Mapping[int, int]
    closed: frozenset[int]
    defined: LatestDates
    latest: LatestDates
    starts: list[int]
    dues: list[int]
    made: date
    digest: str
    missed: bool
    published: Published | None
    repeating: Mapping[int, Series]
    sharing: frozenset[int]
    failed: bool = False
    standing: bool = False
    squeezed: Squeezed = NOT_SQUEEZED
    skipped: frozenset[int] = frozenset()
    renewed: frozenset[int] = frozenset()
    full: frozenset[int] = frozenset()
    uncapped: LatestDates | None = None
    waits: bool = False
    moves_for: tuple[Goal, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    keeps: bool = False
    could: dict[int, int] = field(default_factory=dict)
    began: Mapping[int, int] = field(default_factory=dict)
    under_way: Mapping[int, int] = field(default_factory=dict)
    least: LatestDates = field(init=False)

    @property
    def latest_dues(self) -> list[int]:
        """The last day on which each step may be done without making another one late."""
        return self.dues if self.least is self.latest else list(map(max, self.dues, self.least.due))

    @property
    def left_out(self) -> frozenset[int]:
        """The steps that have left the plan: closed, or skipped."""
        return self.closed | self.skipped

    @property
    def may_be_short(self) -> bool:
        """Whether steps may have less time than is written: the plan was squeezed, today or when it was published."""
        return self.standing or self.squeezed is not NOT_SQUEEZED

    def take(self, latest: LatestDates, some: Iterable[int]) -> None:
        """Take the dates of `some` steps from another pass."""
        self.latest, starts = latest, first_days(self.graph, latest)
        for i in some:
            self.starts[i], self.dues[i] = starts[i], latest.due[i]

    def take_published(self, some: Iterable[int]) -> None:
        """Take the dates of `some` steps from the published plan, if it has them there."""
        dates = self.published.dates if self.published else {}
        for i in some:
            if (days := dates.get(self.graph.steps[i].key)) is not None:
                self.starts[i], self.dues[i] = (day.toordinal() for day in days)

    @property
    def published_began(self) -> dict[int, int]:
        """The days from which on steps count as under way by the published plan, where that is not their start."""
        began = self.published.began if self.published else {}
        return {i: began[key].toordinal() for i, key in self.graph.among(began.keys())}

    def occurrences(self, i: int) -> list[Occurrence]:
        """Return the occurrences of a step that repeats; of one that has left the plan, those that are settled."""
        known = self.repeating[i]
        times = known.renewed(self.starts[i], self.dues[i]) if i in self.renewed else known.standing()
        return [one for one in times if one.key in known.settled] if i in self.left_out else times
