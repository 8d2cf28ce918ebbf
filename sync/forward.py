"""The forward pass: the earliest dates from today on, and the slack between them and the dates that were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from config.durations import Duration, Unit
from sync.calendar import WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sync.backward import Length, Network
    from sync.schedule import Progress


class Dates(Protocol):
    """What the forward pass needs to know of a planned goal, by the step's index in the goal's sequence."""

    lengths: Sequence[Length]
    gone: frozenset[int]
    starts: dict[int, int]
    dues: dict[int, int]
    standing: bool
    made: date


class Forward:
    """Earliest start and finish of every step by key, goal by goal, each after the goals it follows.

    A flexible step counts as one day: what is left of the time is its slack.
    """

    def __init__(self, progress: Progress, today: date, deadline_of: Callable[[str], int]) -> None:
        """Begin with nothing; `deadline_of` gives a goal's deadline by its id."""
        self.start: dict[str, int] = {}
        self.finish: dict[str, int] = {}
        self._progress = progress
        self._today = today.toordinal()
        self._deadline_of = deadline_of

    def add(self, network: Network, dates: Dates) -> None:
        """Compute one goal's earliest dates. Those of the goals that it follows must be known."""
        days = network.frame.days
        goal_start = network.goal.start
        first = max(self._today, goal_start.toordinal() if goal_start else self._today)
        for i, step in enumerate(network.steps):
            if i in dates.gone:
                done = self._progress.done.get(step.key)
                # A dropped step takes no time, but what it followed still comes before what follows it.
                day = done.toordinal() if done else max([first - 1, *(self.finish[link.key] for link in step.after)])
                self.start[step.key] = self.finish[step.key] = day
                continue
            earliest = first - 1
            if step.not_before is not None:
                earliest = max(earliest, step.not_before.toordinal() - 1)
            after = [_later(days, self._end(link.key, network, dates), link.wait) for link in step.after]
            after += [_later(days, self._deadline_of(link.key), link.wait) for link in step.after_goals]
            earliest = max([earliest, *after])
            length: Length = 1 if step.takes is None else dates.lengths[i]
            if self._under_way(network, dates, i):
                self.start[step.key], finish = dates.starts[i], dates.dues[i]
            elif dates.dues[i] < self._today and self._settled(dates):
                self.start[step.key] = finish = days.forward(max(earliest + 1, self._today))
            else:
                self.start[step.key], finish = _earliest(days, earliest, length, first)
            self.finish[step.key] = finish

    def slack(self, network: Network, dates: Dates, i: int) -> int:
        """Return the total float of a step in working days: from its earliest finish to its due date."""
        days = network.frame.days
        room = days.position(dates.dues[i]) - days.position(self.finish[network.steps[i].key])
        if network.steps[i].key in self._progress.pins and not network.steps[i].follow_up:
            # A person may pin a step after the deadline; there it is late, whatever room it has.
            room = min(room, days.position(network.frame.limit) - days.position(dates.dues[i]))
        return room

    def _end(self, key: str, network: Network, dates: Dates) -> int:
        """Return the day after which what follows `key` may begin; an appointment is not over before its day."""
        index = network.index.get(key)
        if index is not None and index not in dates.gone:
            step = network.steps[index]
            if step.on or key in self._progress.pins:
                return max(self.finish[key], dates.dues[index])
        return self.finish[key]

    def _under_way(self, network: Network, dates: Dates, i: int) -> bool:
        return (
            self._settled(dates)
            and dates.starts[i] <= self._today <= dates.dues[i]
            and all(before in dates.gone for before, _ in network.previous[i])
        )

    def _settled(self, dates: Dates) -> bool:
        """Return whether the plan has stood for a day: one of today is measured as it was when it was made."""
        return dates.standing and dates.made.toordinal() < self._today


def _later(days: WorkingDays, day: int, wait: Duration | None) -> int:
    return days.after(day, wait) if wait else day


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
