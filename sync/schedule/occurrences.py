"""Steps that repeat (`every`): from the stretch of time that a plan gives such a step to dated occurrences.

The scheduler plans the stretch like a flexible step. Its occurrences are counted back from its last day. Each is a task
of its own, whose key ends in the day on which it is due: `goal/step@2027-03-08`. So an occurrence on another day is
another task, and a key always names the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING

from config.calendars import WEEKDAYS
from config.durations import Duration, Unit
from config.errors import GoalsFileError, Problem
from config.keys import day_of, is_occurrence, step_of
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.project import Step
    from sync.schedule.model import Progress, Published
    from sync.schedule.working_days import WorkingDays

MOST = 400  # occurrences that a step may have from today on: a mistyped `every` must not flood an app


def single(step: Step, key: str) -> Step:
    """Return the occurrence of `step` that has this key, as a step of its own."""
    return replace(step, key=key, was=None)


def lapsed(dues: Mapping[str, int], today: int) -> set[str]:
    """Return the occurrences of one step that have lapsed: a missed one stays overdue until the next one is due.

    `dues` has the day on which each is due. If the user moved one, the others still lapse by the day in its key;
    otherwise, one that has lapsed could come back.
    """
    days = {key: day_of(key).toordinal() for key in dues}
    last = max((day for day in days.values() if day <= today), default=0)
    return {key for key, due in dues.items() if max(due, days[key]) < last}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a step is done: its key, and its first and last day."""

    key: str
    start: int
    due: int


@dataclass(frozen=True)
class Series:
    """The known occurrences of one step: those of the published plan, and those that the user did, deleted or moved.

    `today` is an ordinal like all days of the calendar.
    """

    step: Step
    days: WorkingDays
    progress: Progress
    published: Mapping[str, tuple[date, date]]
    today: int

    @cached_property
    def settled(self) -> frozenset[str]:
        """The occurrences that were done, or that the user deleted."""
        known = (*self.progress.done, *self.progress.dropped)
        return frozenset(key for key in known if is_occurrence(key) and step_of(key) == self.step.key)

    @property
    def done(self) -> list[str]:
        """The occurrences that were done."""
        return [key for key in self.settled if key in self.progress.done]

    @property
    def known(self) -> bool:
        """Whether the step has, or had, occurrences in a published plan."""
        return bool(self.published or self.settled)

    @property
    def stretch(self) -> tuple[date, date]:
        """The first and last day of the published occurrences."""
        return min(start for start, _ in self.published.values()), max(map(day_of, self.published))

    def is_over(self, new: tuple[int, int] | None) -> bool:
        """Return whether every occurrence is settled: of the published plan, or of a `new` stretch (first, last)."""
        if not (self._is_begun() if new else self.known):
            return False
        return all(one.key in self.settled for one in (self.renewed(*new) if new else self.standing()))

    def standing(self) -> list[Occurrence]:
        """Return the occurrences of the published plan, and those done before, without those that have lapsed."""
        return self._with_known(self._all(self.published))

    def renewed(self, first: int, last: int) -> list[Occurrence]:
        """Return the occurrences of a new plan that gives the step a new stretch; past ones never move.

        Raises GoalsFileError for more occurrences than an app should hold.
        """
        new = self._fill(first, last)
        if not new and not self._is_begun():
            new = [self._one(last, first)]
        stay = [key for key in self.published if key in self.progress.pins or self._due(key) < self.today]
        return self._with_known([*new, *self._all(stay)])

    def _is_begun(self) -> bool:
        """Return whether the step was done at least once, or the day of its first occurrence has passed."""
        return any(key in self.progress.done or self._due(key) < self.today for key in (*self.published, *self.settled))

    def _with_known(self, planned: Iterable[Occurrence]) -> list[Occurrence]:
        """Return the occurrences of a plan and those that were done, without those that have lapsed, by their days."""
        found = {one.key: one for one in (*self._all(self.done), *planned)}
        gone = lapsed({key: one.due for key, one in found.items()}, self.today) - self.settled
        return sorted((one for key, one in found.items() if key not in gone), key=lambda one: (one.due, one.key))

    def _all(self, keys: Iterable[str]) -> list[Occurrence]:
        return [self._known(key) for key in keys]

    def _known(self, key: str) -> Occurrence:
        due, planned = self._due(key), self.published.get(key)
        start = planned[0].toordinal() if planned and planned[1].toordinal() == due else self._start(due)
        return Occurrence(key, start, due)

    def _due(self, key: str) -> int:
        return self.progress.pins.get(key, day_of(key)).toordinal()

    # The occurrences in a stretch

    def _fill(self, first: int, last: int) -> list[Occurrence]:
        """Return the occurrences from today on that lie in a stretch."""
        found: list[Occurrence] = []
        for due in self._days_back(max(first, self.today), last):
            if self._start(due) < first:
                break
            found.append(self._one(due, first))
            if len(found) > MOST:
                raise self._too_many()
        return found

    def _one(self, due: int, first: int) -> Occurrence:
        """Return the occurrence of a day; if the stretch is too short for it, it begins with the stretch."""
        key = f"{self.step.key}@{date.fromordinal(due)}"
        due = self._due(key)
        return Occurrence(key, min(max(first, self._start(due)), due), due)

    def _days_back(self, first: int, last: int) -> Iterator[int]:
        """Yield the days on which the step is due, from the last one back: working days."""
        every = self.step.every
        assert every is not None  # noqa: S101  # for the type checker
        return (
            self._spans_back(every, first, last) if isinstance(every, Duration) else self._weekdays(every, first, last)
        )

    def _weekdays(self, every: tuple[str, ...], first: int, last: int) -> Iterator[int]:
        weekdays = {WEEKDAYS.index(day) for day in every}
        days = (day for day in range(last, first - 1, -1) if (day - 1) % 7 in weekdays)
        return filter(self.days.is_working, days)

    def _spans_back(self, every: Duration, first: int, last: int) -> Iterator[int]:
        previous = last + 1
        for times in count():
            day = self.days.back(self.days.before(last, Duration(every.amount * times, every.unit, every.text)))
            if day < first:
                return
            if day < previous:
                yield day
            previous = day

    def _start(self, due: int) -> int:
        """Return the first day of an occurrence that is due on a day, working or not."""
        takes = self.step.takes
        assert takes is not None  # noqa: S101  # the file is checked
        if takes.unit is Unit.WORKING_DAYS:
            return min(self.days.day(self.days.position(due - 1) - takes.amount + 2), due)
        before = shift(due, takes, -1)
        return before + 1 if takes.unit is Unit.CALENDAR_DAYS else min(self.days.forward(before + 1), due)

    def _too_many(self) -> GoalsFileError:
        message = (
            f"“{self.step.title}” would be repeated more than {MOST} times until its last day, each time as a task of "
            "its own; let it repeat less often, or bound the time with `from` and `by`"
        )
        return GoalsFileError([Problem(self.step.origin.at_key("every"), message)])


def series(step: Step, days: WorkingDays, progress: Progress, published: Published | None, today: int) -> Series:
    """Return the known occurrences of a step."""
    dates = published.dates if published else {}
    own = {key: day for key, day in dates.items() if is_occurrence(key) and step_of(key) == step.key}
    return Series(step, days, progress, own, today)
