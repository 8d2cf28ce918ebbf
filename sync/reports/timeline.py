"""A time scale and the marks on it, for charts: ticks, days off, bars. Positions are percent of the width. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from config import display
from config.durations import NO_TIME
from sync.schedule.model import Bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.calendars import Calendar
    from sync.schedule.model import ScheduledGoal, ScheduledStep

WEEK = 7
_MOST_TICKS = 8
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
_MOST_SHADED = 26 * WEEK  # in a longer scale a weekend is too thin to be seen
_OUTSIDE = 5.0  # percent: how far beyond an edge a mark is drawn
_LAST = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Scale:
    """The days that a chart shows, as ordinals: `first`, and the one after the last."""

    first: int
    end: int

    def at(self, ordinal: int) -> float:
        """Return the position of the beginning of a day; far outside, it is moved to a little outside."""
        percent = (ordinal - self.first) * 100 / (self.end - self.first)
        return round(min(max(percent, -_OUTSIDE), 100 + _OUTSIDE), 2)

    def part(self, first: int, end: int) -> Part:
        """Return the part from the beginning of one day to that of another."""
        start = self.at(first)
        return Part(start, round(self.at(end) - start, 2))

    def shows(self, first: int, end: int) -> bool:
        """Return whether it contains any of the days from `first` to before `end`."""
        return first < self.end and end > self.first


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the width: where it begins, and how wide it is."""

    x: float
    width: float

    @property
    def end(self) -> float:
        """The position where it ends."""
        return round(self.x + self.width, 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The mark of a step.

    `kind` is `done`, `dropped`, `overdue`, `critical` or `planned`. `wait` is the time that has to pass before the
    next step, `overdue` the time from the due date to today, `due` the label.
    """

    kind: str
    part: Part
    milestone: bool
    due: str
    wait: Part | None
    overdue: Part | None


def around(today: date, weeks: int) -> Scale:
    """Return whole weeks, from the Monday of the week before today's on."""
    first = max(today.toordinal() - today.weekday() - WEEK, 1)
    return Scale(first, first + weeks * WEEK)


def of_goal(goal: ScheduledGoal, today: date) -> Scale:
    """Return the weeks of a goal's steps and its deadline, and of today if that is near."""
    days = {goal.deadline.toordinal(), *(day.toordinal() for step in goal.steps for day in span(step) or ())}
    first, last = min(days), max(days)
    reach = max(last - first, 2 * WEEK)
    if first - reach // 2 <= today.toordinal() <= last + reach // 2:  # farther away, all else would become too narrow
        first, last = min(first, today.toordinal()), max(last, today.toordinal())
    first -= (first - 1) % WEEK  # ordinal 1 is a Monday
    room = 2 + (last - first) // 40  # for the sign of a deadline on the last day
    weeks = max(-(-(last + room - first) // WEEK), 2)
    return Scale(max(first, 1), first + weeks * WEEK)


def span(step: ScheduledStep) -> tuple[date, date] | None:
    """Return the first and the last day of a step; one that is done ends on the day on which it was done."""
    if step.done:
        return min(step.start or step.done, step.done), step.done
    return (step.start, step.due) if step.start and step.due else None


def ticks(scale: Scale, today: date) -> list[Tick]:
    """Return a tick for each Monday; if there are too many, for months or years.

    A label has the year if it differs from that of the tick before, or of today.
    """
    mondays = range(scale.first + -(scale.first - 1) % WEEK, min(scale.end, _LAST), WEEK)
    if len(mondays) <= _MOST_TICKS:
        return [Tick(scale.at(day), display.day(date.fromordinal(day))[4:-5]) for day in mondays]
    return list(_named_months(scale, str(today.year)))


def _named_months(scale: Scale, year: str) -> Iterator[Tick]:
    firsts = months(scale.first, scale.end, _MOST_TICKS)
    years = len(firsts) > 1 and firsts[1] - firsts[0] > 360
    for ordinal in firsts:
        _, _, month, named = display.day(date.fromordinal(ordinal)).split()
        yield Tick(scale.at(ordinal), named if years else month if named == year else f"{month} {named}")
        year = named


def months(first: int, end: int, most: int) -> list[int]:
    """Return the first days of months between two days; if they are more than `most`, of every second, third, ..."""
    step = next((n for n in _MONTH_STEPS if (end - first) <= most * n * 30), _MONTH_STEPS[-1])
    begin, last = date.fromordinal(first), date.fromordinal(min(end, _LAST))
    numbers = range(-(-(begin.year * 12 + begin.month - 1) // step) * step, last.year * 12 + last.month, step)
    ordinals = (date(n // 12, n % 12 + 1, 1).toordinal() for n in numbers)
    return [ordinal for ordinal in ordinals if first <= ordinal < end]


def shaded(scale: Scale, calendar: Calendar) -> list[Part]:
    """Return weekends and days off. In a calendar without a weekday off, Saturday and Sunday are the weekend."""
    if scale.end - scale.first > _MOST_SHADED:
        return []
    last = min(scale.end, _LAST)
    working = calendar.workdays if len(calendar.workdays) < WEEK else range(5)
    free = {day.toordinal() for day in calendar.days_free(date.fromordinal(scale.first), date.fromordinal(last))}
    days = (day for day in range(scale.first, last) if day in free or (day - 1) % WEEK not in working)
    return [scale.part(first, end) for first, end in joined((day, day + 1) for day in days)]


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans, each with the day after its last, in order; those that touch are one."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((first, end))
    return found


def bar(scale: Scale, step: ScheduledStep, steps: Mapping[str, ScheduledStep], today: date) -> Bar | None:
    """Return the mark of a step, or None if it has no date. steps: all steps by their keys."""
    days = span(step)
    if days is None:
        return None
    first, end = days[0].toordinal(), days[1].toordinal() + 1
    late = scale.part(end, today.toordinal() + 1) if step.overdue and end <= today.toordinal() else None
    due = display.near(days[1])[4:] + (", overdue" if step.overdue else "")
    return Bar(kind(step), scale.part(first, end), step.step.milestone, due, _wait(scale, step, steps, end), late)


def kind(step: ScheduledStep) -> str:
    """Return the kind of a step's mark."""
    kinds = (("done", step.done), ("dropped", step.dropped), ("overdue", step.overdue), ("critical", step.critical))
    return next((name for name, holds in kinds if holds), "planned")


def _wait(scale: Scale, step: ScheduledStep, steps: Mapping[str, ScheduledStep], end: int) -> Part | None:
    reason = step.reason
    if not step.open or reason.bound is not Bound.NEXT or (reason.wait or NO_TIME).amount <= 0:
        return None
    following = steps.get(reason.key or "")
    start = following.start.toordinal() if following and following.start else end
    return scale.part(end, start) if start > end else None
