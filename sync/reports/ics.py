"""A schedule as a calendar file: a whole-day event for each open step, and one for each goal's deadline."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from sync.reports import words
from sync.reports.words import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from icalendar import Event

    from sync.schedule import Schedule, ScheduledGoal, ScheduledStep

_PRODUCT = "-//backplan//backplan//EN"


def schedule(value: Schedule) -> bytes:
    """Return the calendar. The same schedule gives the same bytes, and an event keeps its UID as long as its key."""
    from icalendar import Calendar

    stamp = datetime.combine(value.today, time(), UTC)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    for goal in value.goals:
        for event in _events(goal):
            event.add("dtstamp", stamp)
            calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _events(goal: ScheduledGoal) -> Iterator[Event]:
    about = [words.health(goal), goal.goal.why, goal.goal.done_when]
    yield _event(goal.goal.id, f"Deadline: {goal.goal.title}", goal.deadline, goal.deadline, about)
    for step in goal.steps:
        if step.open and step.start and step.due:
            yield _event(step.step.key, step.step.title, step.start, step.due, _about(step, goal))


def _about(step: ScheduledStep, goal: ScheduledGoal) -> list[str]:
    slack = f"slack: {words.days(step.slack)}"
    return [goal.goal.title, words.remark(step), slack, *step.step.notes.splitlines(), step.step.link or ""]


def _event(key: str, summary: str, first: date, last: date, about: list[str]) -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", f"{key}@backplan")
    event.add("summary", clean(summary))
    event.add("dtstart", first)
    event.add("dtend", last + timedelta(days=1))  # the end is the first day that no longer belongs to it
    event.add("description", "\n".join(line for text in about if (line := clean(text))))
    event.add("transp", "TRANSPARENT")  # a plan does not make anybody busy
    return event
