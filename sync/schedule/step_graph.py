"""One goal's precedence network: its steps by index, and the links between them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from config.project import Countdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from config.project import Goal, Link, Step
    from sync.schedule.working_days import WorkingDays

    Links = list[list[tuple[int, Duration | None]]]  # by step: the index of the other step, and the wait in between


@dataclass(frozen=True, slots=True)
class GoalWindow:
    """The time of a goal: its numbered calendar, and the days of its deadline, limit and start, as ordinals."""

    days: WorkingDays
    deadline: int
    limit: int
    start: int


class StepGraph:
    """One goal's steps by index, with the links between them, ready for any number of passes.

    - `steps`: each step after those it follows; `index` has the place of each by its key.
    - `next`: the links within the goal by the step that comes first; `previous` by the one that follows.
    - `elsewhere`: the links to steps of other goals, with the index of the step that follows.
    - `anchors`: the steps whose own keys determine their due date.
    - `countdowns`: the anchors that count back from a step of this goal.
    - `bounded`: the anchors and the steps with `by`.
    - `waiting`: the steps with a wait before the next step.
    - `milestones`: the steps that take no time.
    - `repeating`: the steps with `every`.
    - `elapsed`: the steps that take calendar days.
    """

    def __init__(self, goal: Goal, window: GoalWindow) -> None:
        """Index the steps of `goal` in the order of its sequence."""
        self.goal = goal
        self.window = window
        self.steps: Sequence[Step] = goal.sequence
        self.index = {step.key: i for i, step in enumerate(self.steps)}
        self.next: Links = [[] for _ in self.steps]
        self.elsewhere: list[tuple[int, Link]] = []
        self.waiting: set[int] = set()
        self._add_links()
        self.milestones = [i for i, step in enumerate(self.steps) if step.milestone]
        self.repeating = [i for i, step in enumerate(self.steps) if step.every is not None]
        self.elapsed = frozenset(_elapsed(self.steps))
        self.bounded = _bounded(self.steps)
        self.anchors = frozenset(i for i in self.bounded if self.steps[i].anchored)
        self.countdowns = frozenset(i for i in self.anchors if self.counted_from(i) is not None)

    def _add_links(self) -> None:
        index, following = self.index, self.next
        for i, step in enumerate(self.steps):
            plain = (i, None)  # one for all links without a wait
            for link in step.after:
                before, wait = index.get(link.key), link.wait
                if before is None:
                    self.elsewhere.append((i, link))
                elif wait is None:
                    following[before].append(plain)
                else:
                    following[before].append((i, wait))
                    self.waiting.add(before)

    def within(self, window: GoalWindow) -> StepGraph:
        """Return the same graph in another window, of the same calendar."""
        other = copy(self)
        other.window = window
        return other

    @cached_property
    def previous(self) -> Links:
        """The links within the goal, by the step that follows; the backward pass does without."""
        previous: Links = [[] for _ in self.steps]
        for i, links in enumerate(self.next):
            plain = (i, None)
            for following, wait in links:
                previous[following].append((i, wait) if wait is not None else plain)
        return previous

    def among(self, keys: Set[str]) -> list[tuple[int, str]]:
        """Return those of `keys` that are steps of this goal, with their indices, in sequence."""
        return sorted((self.index[key], key) for key in self.index.keys() & keys)

    def by_index(self, days: Mapping[str, int]) -> dict[int, int]:
        """Return those of `days` that belong to steps of this goal, by index, in sequence."""
        return {i: days[key] for i, key in self.among(days.keys())}

    def counted_from(self, i: int) -> int | None:
        """Return the step of this goal that a countdown counts back from; None for other steps."""
        before = self.steps[i].before
        return self.index.get(before.key) if isinstance(before, Countdown) else None


def _elapsed(steps: Sequence[Step]) -> list[int]:
    """Return the steps that take calendar days: they may begin and end on a free day."""
    unit = Unit.CALENDAR_DAYS  # asking an Enum takes longer than everything else here
    return [
        i
        for i, step in enumerate(steps)
        if (takes := step.takes) is not None and takes.unit is unit and takes.amount and step.every is None
    ]


def _bounded(steps: Sequence[Step]) -> set[int]:
    """Return the steps whose own keys bound, or determine, their due date."""
    return {
        i
        for i, step in enumerate(steps)
        if step.on is not None or step.by is not None or step.before is not None or step.afterwards is not None
    }
