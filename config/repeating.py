"""Checks a step that repeats (`every`): whether its occurrences can be dated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.calendars import WEEKDAYS
from config.durations import Duration, Unit

if TYPE_CHECKING:
    from config.calendars import Calendar
    from config.goals import StepModel

_SHORTEST_MONTH = 28


def mistake(model: StepModel) -> tuple[str, str] | None:
    """Return the wrong key in a step with `every`, and a sentence on it; None if all are right."""
    every, takes = model.every, model.takes
    if every is None:
        return None
    if takes is None:
        return "every", "a step with `every` needs `takes`: the length of one occurrence"
    if takes.unit is Unit.PERCENT:
        return "takes", "in a step with `every`, `takes` is the length of one occurrence, such as 1 day"
    anchor = next((name for name in ("on", "before", "afterwards") if getattr(model, name) is not None), None)
    if anchor:
        return "every", f"a step that repeats fills a stretch of time, and `{anchor}` is one day; bound it with `by`"
    if _days(takes) > _gap(every):
        return "takes", "one time takes longer than the time from one to the next; `takes` is the length of one time"
    return None


def never(every: Duration | tuple[str, ...] | None, calendar: Calendar) -> str | None:
    """Return why a step can never take place in this calendar; None if it can."""
    if not isinstance(every, tuple) or {WEEKDAYS.index(day) for day in every} & calendar.workdays:
        return None
    return f"{', '.join(every)}: none of these is a working day of this goal's calendar"


def _days(takes: Duration) -> int:
    return takes.amount * _SHORTEST_MONTH if takes.unit is Unit.MONTHS else takes.amount


def _gap(every: Duration | tuple[str, ...]) -> int:
    """Return the shortest time from one occurrence to the next, in days."""
    if isinstance(every, Duration):
        return _days(every)
    numbers = sorted({WEEKDAYS.index(day) for day in every})
    return min((later - day) % 7 or 7 for day, later in zip(numbers, numbers[1:] + numbers[:1], strict=True))
