"""The backward pass as scheduling.md words it: plain dates, one day at a time, slow and obvious.

It is an independent reading of the specification, and knows nothing of how `sync.schedule.planner` works. Only plans
that nothing squeezes are spoken of here: no `today`, no pins, no progress.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from holidays import country_holidays

from config.durations import ONE_DAY, Duration, Unit
from config.project import Countdown, Goal, Link, RelativeDeadline, Step
from sync.schedule.model import Progress, Published

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holidays import HolidayBase

    from config.calendars import Calendar
    from sync.schedule.model import Schedule

DAY = timedelta(days=1)


@lru_cache(maxsize=64)
def _public(code: str) -> HolidayBase:
    country, _, subdivision = code.partition("-")
    return country_holidays(country, subdiv=subdivision or None)


@lru_cache(maxsize=100_000)
def works(calendar: Calendar, day: date) -> bool:
    """Return whether `day` is a working day."""
    if day.weekday() not in calendar.workdays:
        return False
    if any(begin <= day <= end for begin, end in calendar.days_off):
        return False
    return calendar.holidays is None or day not in _public(calendar.holidays)


def back(calendar: Calendar, day: date) -> date:
    """Return the last working day no later than `day`."""
    while not works(calendar, day):
        day -= DAY
    return day


def forward(calendar: Calendar, day: date) -> date:
    """Return the first working day no earlier than `day`."""
    while not works(calendar, day):
        day += DAY
    return day


def less(calendar: Calendar, day: date, duration: Duration) -> date:
    """Return the day that lies `duration` before `day`; a negative one lies after it."""
    if duration.unit is Unit.MONTHS:
        return day - relativedelta(months=duration.amount)
    if duration.unit is not Unit.WORKING_DAYS:
        return day - timedelta(days=duration.amount)
    if duration.amount:
        day = back(calendar, day)
    for _ in range(duration.amount):
        day = back(calendar, day - DAY)
    for _ in range(-duration.amount):
        day = forward(calendar, day + DAY)
    return day


def plus(calendar: Calendar, day: date, duration: Duration) -> date:
    """Return the day that lies `duration` after `day`."""
    opposite = Duration(-duration.amount, duration.unit, f"-({duration})")
    return less(calendar, day, opposite)


def count(calendar: Calendar, first: date, last: date) -> int:
    """Return how many working days there are from `first` to `last`, both included."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return sum(works(calendar, day) for day in days)


@dataclass(frozen=True)
class Dates:
    """The days of one step; `free` is the last day that it leaves to what comes before it."""

    start: date
    due: date
    free: date


def fixed(step: Step) -> bool:
    """Return whether the step's due date follows from a day, not from what comes after it."""
    return step.on is not None or step.before is not None or step.afterwards is not None


def deadline_of(goal: Goal, goals: Iterable[Goal] = ()) -> date:
    """Return the goal's deadline, followed to the goal it hangs on."""
    if not isinstance(goal.deadline, RelativeDeadline):
        return goal.deadline
    known = {other.id: other for other in goals}
    other = deadline_of(known[goal.deadline.goal], known.values())
    return less(goal.calendar, other, goal.deadline.by)


def limit_of(goal: Goal, goals: Iterable[Goal] = ()) -> date:
    """Return the last working day no later than the deadline, less the buffer."""
    calendar = goal.calendar
    return back(calendar, less(calendar, back(calendar, deadline_of(goal, goals)), goal.buffer))


def length_of(goal: Goal, step: Step, limit: date, today: date, flexible: Mapping[str, int]) -> Duration:
    """Return how long a step takes, in units that can be counted."""
    takes = step.takes
    if takes is None:
        days = 1 if fixed(step) else flexible[step.key]
        return Duration(days, Unit.WORKING_DAYS, f"{days} days")
    if takes.unit is Unit.PERCENT:
        window = count(goal.calendar, goal.start or today, limit)
        days = max(1, takes.amount * window // 100)
        return Duration(days, Unit.WORKING_DAYS, f"{days} days")
    return takes


def occupy(calendar: Calendar, due: date, takes: Duration) -> Dates:
    """Return the days of a step that is due on `due`."""
    if takes.amount == 0:
        return Dates(due, due, due)
    if takes.unit is Unit.WORKING_DAYS:
        start = due
        for _ in range(takes.amount - 1):
            start = back(calendar, start - DAY)
        return Dates(start, due, start - DAY)
    gone = less(calendar, due, takes)
    if takes.unit is Unit.CALENDAR_DAYS:
        return Dates(gone + DAY, due, gone)
    return Dates(min(forward(calendar, gone + DAY), due), due, gone)


def plan(
    goal: Goal,
    today: date,
    *,
    flexible: Mapping[str, int] | None = None,
    goals: Iterable[Goal] = (),
    later: Mapping[str, tuple[Dates, Iterable[Link]]] | None = None,
) -> dict[str, Dates]:
    """Return the days of each step of one goal, from its deadline back.

    `flexible` holds the lengths of flexible steps in working days, `later` the steps of other goals that come after
    some of this one's, with their links.
    """
    calendar, deadline, limit = goal.calendar, deadline_of(goal, goals), limit_of(goal, goals)
    found: dict[str, Dates] = {}
    for step in reversed(goal.sequence):
        takes = length_of(goal, step, limit, today, flexible or {})
        if step.on is not None:
            due = step.on
        elif isinstance(step.before, Countdown):
            due = back(calendar, less(calendar, found[step.before.key].due, step.before.by))
        elif step.before is not None:
            due = back(calendar, less(calendar, deadline, step.before))
        elif step.afterwards is not None:
            due = forward(calendar, plus(calendar, deadline, step.afterwards))
        else:
            followers = [(found[other.key], other.after) for other in goal.sequence if other.key in found]
            bounds = [limit, *([step.by] if step.by else [])]
            for dates, links in [*followers, *(later or {}).values()]:
                # Elapsed time may go on over the days off before a span, since a span begins on a working day.
                free = max(dates.free, dates.start - DAY) if takes.unit is Unit.CALENDAR_DAYS else dates.free
                bounds += [
                    less(calendar, free, link.wait) if link.wait else free for link in links if link.key == step.key
                ]
            due = min(bounds)
            # Elapsed time ignores the calendar: it may end on a Sunday if what follows begins on Monday.
            if takes.unit is not Unit.CALENDAR_DAYS or takes.amount == 0:
                due = back(calendar, due)
        found[step.key] = occupy(calendar, due, takes)
    return found


@dataclass(frozen=True)
class Early:
    """The earliest days of one step; `end` is the day after which what follows it may begin."""

    start: date
    finish: date
    end: date


def leads(goal: Goal, step: Step) -> bool:
    """Return whether something follows a step before the deadline: a milestone may share the day on which it begins."""
    followers = [other for other in goal.sequence if any(link.key == step.key for link in other.after)]
    return not all(other.follow_up for other in followers)


def simple(goal: Goal) -> bool:
    """Return whether `earliest` speaks of this goal: steps of working days or none, and waits that only add."""
    durations = [step.takes or ONE_DAY for step in goal.steps if not fixed(step)]
    waits = [link.wait for step in goal.steps for link in step.after if link.wait is not None]
    return (
        not any(fixed(step) for step in goal.steps)
        and all(takes.unit is Unit.WORKING_DAYS for takes in durations)
        and all(wait.unit is Unit.WORKING_DAYS and wait.amount >= 0 for wait in waits)
    )


def earliest(goal: Goal, today: date) -> dict[str, Early]:
    """Return the earliest days of each step of a simple goal: never before today, its `start` and `from`.

    A milestone takes no time: what follows it may begin on the day after what it follows itself. It is shown on the
    last day of that, or on the first day. One that nothing follows has a day of its own.
    """
    calendar = goal.calendar
    found: dict[str, Early] = {}
    for step in goal.sequence:
        first = start = max(today, goal.start or today, step.not_before or today)
        for link in step.after:
            end = found[link.key].end
            passed = plus(calendar, end, link.wait) if link.wait else end
            start = max(start, passed + DAY)
        if step.takes and not step.takes.amount:
            day = max(back(calendar, start - DAY), forward(calendar, first))
            found[step.key] = Early(day, day, start - DAY if leads(goal, step) else day)
            continue
        start = finish = forward(calendar, start)
        for _ in range((step.takes or ONE_DAY).amount - 1):
            finish = forward(calendar, finish + DAY)
        found[step.key] = Early(start, finish, finish)
    return found


def shown(goal: Goal, found: Mapping[str, Dates], today: date) -> dict[str, Dates]:
    """Return the days of a simple goal that fits: no milestone is shown before the day on which it can be reached."""
    early = earliest(goal, today)
    lifted = dict(found)
    for step in goal.sequence:
        if step.takes and not step.takes.amount:
            day = max(found[step.key].due, early[step.key].start)
            lifted[step.key] = Dates(day, day, found[step.key].free)
    return lifted


def publish(result: Schedule, progress: Progress | None = None) -> Progress:
    """Return the progress that the next run sees when `result` was published, and nothing else happened.

    As in the apps' memory: what a plan of the same timing said of steps that are done by now is part of it.
    """
    progress = progress or Progress()
    plans = {}
    for goal in result.goals:
        dates = {s.step.key: (s.start, s.due) for s in goal.steps if s.open and s.start and s.due}
        before = progress.published.get(goal.goal.id)
        if before is not None and before.digest == goal.digest:
            dates = {**before.dates, **dates}
        plans[goal.goal.id] = Published(goal.made, goal.digest, dates, goal.began)
    first_sync = {goal.goal.id: progress.first_sync.get(goal.goal.id, result.today) for goal in result.goals}
    return replace(progress, published=plans, first_sync=first_sync)


def occurrences(step: Step, calendar: Calendar, first: date, last: date, today: date) -> list[date]:
    """Return the days from today on for which a step that repeats is planned in a stretch: counted back from its end.

    Each has to begin in the stretch; where none does, there is one on its last day.
    """
    days: list[date] = []
    if isinstance(step.every, tuple):
        weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        days = [last - n * DAY for n in range((last - first).days + 1)]
        days = [day for day in days if works(calendar, day) and weekdays[day.weekday()] in step.every]
    elif step.every is not None:
        times = 0
        while (
            day := back(calendar, less(calendar, last, replace(step.every, amount=step.every.amount * times)))
        ) >= first:
            days.append(day)
            times += 1
    assert step.takes is not None
    days = sorted({day for day in days if occupy(calendar, day, step.takes).start >= first})
    return [day for day in days if day >= today] or [last]
