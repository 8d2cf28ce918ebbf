"""The words that all reports share: dates, counts of days, and the health of a goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule import State

if TYPE_CHECKING:
    from datetime import date

    from sync.schedule import ScheduledGoal, ScheduledStep

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date | None) -> str:
    """Return a date as a person reads it: `Thu 5 Aug 2027`. The same in every locale."""
    if value is None:
        return "no date"
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"


def days(count: int) -> str:
    """Return a number of days in words."""
    return f"{count} day" if abs(count) == 1 else f"{count} days"


def health(goal: ScheduledGoal) -> str:
    """Return how a goal stands, in a few words."""
    if goal.state is State.DONE:
        return f"done on {day(goal.done)}"
    if goal.state is State.MISSED:
        return "missed: the deadline has passed"
    if goal.margin is None:
        return "on track"
    if goal.margin < 0:
        return f"late by {days(-goal.margin)}"
    return "tight: no day in hand" if goal.margin == 0 else f"on track, {days(goal.margin)} in hand"


def progress(goal: ScheduledGoal) -> tuple[int, int]:
    """Return how many steps are done, and how many there are; dropped ones do not count."""
    counted = [step for step in goal.steps if not step.dropped]
    return sum(step.done is not None for step in counted), len(counted)


def remark(step: ScheduledStep) -> str:
    """Return what is special about a step's dates, in a few words."""
    if step.done:
        return f"done {day(step.done)}"
    if step.dropped:
        return "dropped"
    if step.due is None:
        return "no time for it (optional)"
    marks = [
        word
        for word, holds in (
            ("overdue", step.overdue),
            ("pinned", step.pinned),
            ("squeezed", step.squeezed),
            ("critical", step.critical and not step.overdue),
        )
        if holds
    ]
    return ", ".join(marks)
