"""The forward pass: the earliest dates from today on, and the slack between them and the dates that were planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from config.durations import Duration, Unit
from sync.schedule.backward_pass import BY, FIXED, LIMIT
from sync.schedule.working_days import WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sync.schedule.backward_pass import LatestDates, Length, StepGraph
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import Progress


class Dates(Protocol):
    """What the forward pass needs to know of a planned goal, by the step's index in the goal's sequence."""

    lengths: Sequence[Length]
    gone: frozenset[int]
    sharing: frozenset[int]
    growing: frozenset[int]
    starts: list[int]
    dues: list[int]
    least: LatestDates
    standing: bool
    made: date

    @property
    def latest_dues(self) -> list[int]:
        """The last day on which each step may be done."""
        ...


@dataclass(frozen=True, slots=True)
class Early:
    """The earliest start and finish of each step, by the step's index.

    `end` is the day after which what follows may begin; a milestone that shares its day takes none.
    """

    start: list[int]
    finish: list[int]
    end: list[int]


class Forward:
    """Earliest start and finish of every step, goal by goal, each after the goals it follows.

    A flexible step counts as one day, one that repeats as one time: what is left of the time is its slack.
    """

    def __init__(
        self, progress: Progress, today: date, deadlines: Mapping[str, int], ends: dict[str, int] | None = None
    ) -> None:
        """`deadlines` has the day of each goal by its id.

        `ends` has the day after which what follows a step may begin, by the step's key; more of them are written into
        it, goal by goal.
        """
        self._progress = progress
        self._today = today.toordinal()
        self._deadlines = deadlines
        self.ends: dict[str, int] = {} if ends is None else ends

    def early(self, network: StepGraph, dates: Dates) -> Early:
        """Return one goal's earliest dates. Those of the goals that it follows must have been asked for before."""
        days, today = network.frame.days, self._today
        goal_start = network.goal.start
        first = max(today, goal_start.toordinal() if goal_start else today)
        # A plan of today is measured as it was when it was made.
        settled = dates.standing and dates.made.toordinal() < today
        other, appointments = self._other_ends(network, dates), self._appointments(network, dates)
        result = Early([], [], [])
        for i in range(len(network.steps)):
            earliest = max(other.get(i, 0), first - 1)
            for before, wait in network.previous[i]:
                end = result.end[before] if wait is None else days.after(result.end[before], wait)
                if end > earliest:
                    earliest = end
            start, finish = self._dates(network, dates, i, earliest, first, settled=settled)
            if i in appointments and finish > dates.dues[i] and i not in network.elapsed:
                finish = _on_free_day(days, earliest, finish, dates.dues[i])
            result.start.append(start)
            result.finish.append(finish)
            end = earliest if i in dates.sharing else self._free_after(network, i, finish)
            result.end.append(max(finish, dates.dues[i]) if i in appointments else end)
        self.ends.update(zip(network.index, result.end, strict=True))
        return result

    def _free_after(self, network: StepGraph, i: int, finish: int) -> int:
        """Return the day after which what follows may begin: a milestone takes none of the day on which it was done."""
        step = network.steps[i]
        return finish - 1 if step.milestone and step.key in self._progress.done else finish

    def _dates(
        self, network: StepGraph, dates: Dates, i: int, earliest: int, first: int, *, settled: bool
    ) -> tuple[int, int]:
        """Return the first and last day of the step `i`, which may begin on the day after `earliest`.

        settled: the plan was made on an earlier day, so that steps may be under way or overdue.
        """
        step, days = network.steps[i], network.frame.days
        if i in dates.gone:
            # A dropped step takes no time, but what it followed still comes before what follows it.
            done = self._progress.done.get(step.key)
            day = done.toordinal() if done else earliest
            return day, day
        if settled and not step.grows and self._under_way(network, dates, i):
            return dates.starts[i], dates.dues[i]
        if settled and dates.dues[i] < self._today:
            day = days.forward(max(earliest + 1, self._today))
            return day, day
        if step.not_before is not None:
            first = max(first, step.not_before.toordinal())
        return _earliest(days, earliest, network.least(i) if i in dates.growing else dates.lengths[i], first)

    def slack(self, network: StepGraph, dates: Dates, early: Early) -> list[int]:
        """Return the total float of each step in working days: from its earliest finish to the last day it may have.

        That is its due date or, before a step that grows, as much later as this can give back.
        """
        position, latest = network.frame.days.position, self._latest(network, dates)
        room = [position(due) - position(finish) for due, finish in zip(latest, early.finish, strict=True)]
        days = network.frame.days
        for i in network.elapsed:
            in_time = early.finish[i] <= latest[i] and not days.is_working(latest[i])
            if dates.least.driver[i] in (LIMIT, BY, FIXED) and not in_time:
                # What bounds it is a working day: after a free day, the next one is the first that would do.
                room[i] = position(latest[i]) - position(days.forward(early.finish[i]))
        for i in sorted(dates.sharing, reverse=True):  # in sequence, so what follows comes first
            room[i] = self._room_of_milestone(network, dates, early, i, room)
        for i, _ in network.among(self._progress.pins.keys()):
            if not network.steps[i].follow_up:
                # A person may pin a step after the deadline; there it is late, whatever room it has.
                room[i] = min(room[i], position(network.frame.limit) - position(dates.dues[i]))
        return room

    def _latest(self, network: StepGraph, dates: Dates) -> list[int]:
        """Return the last day on which each step may be done; what found no day stands after it."""
        latest, limit = dates.latest_dues, network.frame.limit
        last = {i: min(limit, step.by.toordinal()) for i, step in enumerate(network.steps) if step.by is not None}
        if not last and max(latest, default=limit) <= limit:
            return latest
        own = network.anchors.union(i for i, _ in network.among(self._progress.pins.keys()))
        return [due if i in own else min(due, last.get(i, limit)) for i, due in enumerate(latest)]

    @staticmethod
    def _room_of_milestone(network: StepGraph, dates: Dates, early: Early, i: int, room: Sequence[int]) -> int:
        """Return the slack of a milestone that shares its day: how far it can go without moving what follows."""
        position, after = network.frame.days.position, network.frame.days.after
        rooms = []
        driver = dates.least.driver[i]
        if driver < 0 or driver in dates.gone:  # no open step of this goal gave it its date
            rooms.append(position(max(dates.dues[i], dates.least.due[i])) - position(early.end[i]))
        for n, wait in network.next[i]:
            if n not in dates.gone:
                begin = early.end[n] if n in dates.sharing else early.start[n] - 1
                rooms.append(room[n] + position(begin) - position(after(early.end[i], wait) if wait else early.end[i]))
        return min(rooms)

    def _other_ends(self, network: StepGraph, dates: Dates) -> dict[int, int]:
        """Return the day after which a step may begin for other reasons than this goal's steps, by index."""
        days, ends = network.frame.days, dict[int, int]()
        for i, step in enumerate(network.steps):
            if step.not_before is not None and i not in dates.gone:
                ends[i] = step.not_before.toordinal() - 1
            for link in step.after_goals:
                ends[i] = max(ends.get(i, 0), _later(days, self._deadlines[link.key], link.wait))
        for i, link in network.elsewhere:
            ends[i] = max(ends.get(i, 0), _later(days, self.ends[link.key], link.wait))
        return ends

    def _appointments(self, network: StepGraph, dates: Dates) -> set[int]:
        """Return the open steps that are not over before their day, however early they could be done."""
        pinned = {i for i, _ in network.among(self._progress.pins.keys())}
        return ({i for i in network.anchors if network.steps[i].on} | pinned) - dates.gone

    def _under_way(self, network: StepGraph, dates: Dates, i: int) -> bool:
        return dates.starts[i] <= self._today <= dates.dues[i] and all(
            before in dates.gone for before, _ in network.previous[i]
        )


def early_ends(
    progress: Progress, today: date, deadlines: Mapping[str, int], plans: Iterable[GoalPlan]
) -> Mapping[str, int]:
    """Return the day after which what follows a step may begin, by its key, for plans each after what it follows."""
    forward = Forward(progress, today, deadlines)
    for planned in plans:
        forward.early(planned.network, planned)
    return forward.ends


def _later(days: WorkingDays, day: int, wait: Duration | None) -> int:
    return days.after(day, wait) if wait else day


def _on_free_day(days: WorkingDays, earliest: int, finish: int, due: int) -> int:
    """Return the last day of a step that has to end on `due`: where that is a free day, it counts as one of its own."""
    lacks = days.position(finish) - days.position(due)
    return due if lacks == 1 and not days.is_working(due) and due > earliest else finish


def _earliest(days: WorkingDays, earliest: int, length: Length, first: int) -> tuple[int, int]:
    """Return the first and last day of a step that may begin on the day after `earliest`."""
    if isinstance(length, Duration):
        if length.unit is Unit.CALENDAR_DAYS:
            return earliest + 1, earliest + length.amount
        start = days.forward(earliest + 1)
        finish = days.forward(shift(days.back(earliest), length, 1))
        while shift(finish, length, -1) < days.back(earliest):  # a month from 31 January falls short of it
            finish = days.forward(finish + 1)
        return start, max(start, finish)
    if not length:
        day = max(days.back(earliest), days.forward(first))
        return day, day
    start = days.position(earliest) + 1
    return days.day(start), days.day(start + int(length) - 1)
