"""Working days as whole numbers, so that the scheduler counts instead of walking a calendar.

A day is its proleptic Gregorian ordinal (`date.toordinal`). A position is the number of a working day: the working day
after position 7 is position 8, whatever weekends and holidays lie in between.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import contextmanager
from datetime import MAXYEAR, date
from functools import cache
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from config.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Generator

    from config.calendars import Calendar
    from config.project import Goal

# Charts, calendar files and tables go a little beyond the plan: the last year that Python has is left to them.
_FIRST, LAST = date.min.toordinal(), date(MAXYEAR - 1, 12, 31).toordinal()
_YEAR = 366
_BEYOND = "the plan reaches beyond the years 1 to 9998; is a duration, a date or a calendar mistyped?"


class OutOfTimeError(InputError):
    """A plan reaches beyond the years that a calendar has, or no working day is left in it."""


class WorkingDays:
    """One calendar, numbered. Position 0 is the first working day on or after the anchor; earlier ones are negative.

    The numbers are laid out year by year as they are needed, forwards and backwards, and never change. So each answer
    is cached: a large plan asks for the same days over and over.

    position    of the last working day no later than a day
    day         at a position
    back        the last working day no later than a day
    forward     the first working day no earlier than a day
    """

    def __init__(self, calendar: Calendar, anchor: date) -> None:
        """Number the working days around `anchor`."""
        self.calendar = calendar
        self._every_day = len(calendar.workdays) == 7 and calendar.holidays is None and not calendar.days_off
        self._anchor = anchor.toordinal()
        self._ahead: list[int] = []  # working days from the anchor on, rising
        self._behind: list[int] = []  # working days before the anchor, falling; stored negated, so rising too
        self._ahead_end = self._anchor  # the first day not yet laid out
        self._behind_end = self._anchor - 1  # the last day not yet laid out
        self.position = cache(self._position)
        self.day = cache(self._day)
        self.back = cache(lambda day: self.day(self.position(day)))
        self.forward = cache(lambda day: self.day(self.position(day - 1) + 1))

    def is_working(self, day: int) -> bool:
        """Return whether `day` is a working day."""
        return self.back(day) == day

    def before(self, day: int, duration: Duration | None) -> int:
        """Return the day that lies `duration` before `day`; not rolled, and `day` itself may be free."""
        if duration is None:
            return day
        if duration.unit is Unit.WORKING_DAYS:
            return self.day(self.position(day) - duration.amount) if duration.amount else day
        return shift(day, duration, -1)

    def after(self, day: int, duration: Duration | None) -> int:
        """Return the day that lies `duration` after `day`; not rolled, and `day` itself may be free."""
        if duration is None:
            return day
        if duration.unit is Unit.WORKING_DAYS:
            return self.day(self.position(day) + duration.amount) if duration.amount else day
        return shift(day, duration, 1)

    def _position(self, day: int) -> int:
        if self._every_day:
            return day - self._anchor
        if day >= self._anchor:
            while day >= self._ahead_end:
                self._extend_ahead()
            return bisect_right(self._ahead, day) - 1
        while day <= self._behind_end:
            self._extend_behind()
        # _behind[n] is the negated day of position -1 - n.
        later = bisect_right(self._behind, -day - 1)
        while later >= len(self._behind):
            self._extend_behind()
        return -1 - later

    def _day(self, position: int) -> int:
        if self._every_day:
            return self.checked(self._anchor + position)
        if position >= 0:
            while position >= len(self._ahead):
                self._extend_ahead()
            return self._ahead[position]
        while -1 - position >= len(self._behind):
            self._extend_behind()
        return -self._behind[-1 - position]

    def _extend_ahead(self) -> None:
        last = self.checked(self._ahead_end) + _YEAR
        self._ahead += self._working(self._ahead_end, min(last, LAST))
        self._ahead_end = last + 1

    def _extend_behind(self) -> None:
        first = self.checked(self._behind_end) - _YEAR
        self._behind += [-day for day in reversed(self._working(max(first, _FIRST), self._behind_end))]
        self._behind_end = first - 1

    def _working(self, first: int, last: int) -> list[int]:
        free = self.calendar.days_free(date.fromordinal(first), date.fromordinal(last))
        free_days = {day.toordinal() for day in free}
        # Ordinal 1 was a Monday.
        workdays = self.calendar.workdays
        return [day for day in range(first, last + 1) if (day - 1) % 7 in workdays and day not in free_days]

    def checked(self, day: int) -> int:
        """Return the day. Raises OutOfTimeError if it is before the first or after the last year of the calendar."""
        if not _FIRST <= day <= LAST:
            raise OutOfTimeError(_BEYOND)
        return day


def shift(day: int, duration: Duration, sign: int) -> int:
    """Return `day` moved by a span (`sign` 1 or -1). Months keep the day of the month, or take the month's last.

    A span that begins on a weekday: back, to the last such day; ahead, from the first such day on.
    """
    amount = sign * duration.amount
    if duration.weekday is not None:  # the ordinal 1 is a Monday
        off = day - 1 - duration.weekday
        return day + amount + (-off % 7 if sign > 0 else -(off % 7))
    if duration.unit is not Unit.MONTHS:
        return day + amount
    from dateutil.relativedelta import relativedelta

    try:
        return (date.fromordinal(day) + relativedelta(months=amount)).toordinal()
    except (ValueError, OverflowError):
        raise OutOfTimeError(_BEYOND) from None


@contextmanager
def naming_goal(goal: Goal) -> Generator[None]:
    """Name the goal in the OutOfTimeError that is raised within: its place in the file, and its id."""
    try:
        yield
    except OutOfTimeError as error:
        raise OutOfTimeError(f"{goal.origin.at()}: goal `{goal.id}`: {error}") from None
