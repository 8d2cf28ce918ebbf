"""A schedule as a calendar file: a whole-day event for each open step, and one for each goal's deadline."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from config import display
from config.display import clean
from config.project import NO_NAMESPACE
from sync.reports import words
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from icalendar import Event

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_PRODUCT = "-//backplan//backplan//EN"


def schedule(value: Schedule) -> bytes:
    """Return the calendar. The same schedule gives the same bytes.

    An event keeps its UID as long as its key and the namespace stay.
    """
    from icalendar import Calendar

    stamp = datetime.combine(value.today, time(), UTC)
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    # The calendar may hold several plans: ids are unique within a namespace only.
    within = "" if value.namespace == NO_NAMESPACE else f"{value.namespace}:"
    for goal in value.goals:
        for event in _events(goal, within):
            event.add("dtstamp", stamp)
            calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _events(goal: ScheduledGoal, within: str) -> Iterator[Event]:
    if goal.state is State.GIVEN_UP:
        return
    about = [words.health(goal), goal.goal.why, goal.goal.done_when]
    yield _event(within + goal.goal.id, f"Deadline: {goal.goal.title}", goal.deadline, goal.deadline, about)
    for step in goal.steps:
        if step.open and step.start and step.due:
            yield _event(within + step.step.key, step.step.title, step.start, step.due, _about(step, goal))


def _about(step: ScheduledStep, goal: ScheduledGoal) -> list[str]:
    slack = f"slack: {display.days(step.slack)}"
    return [goal.goal.title, words.remark(step), slack, *step.step.notes.splitlines(), step.step.link or ""]


def _event(name: str, summary: str, first: date, last: date, about: list[str]) -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", f"{name}@backplan")
    event.add("summary", clean(summary))
    event.add("dtstart", first)
    event.add("dtend", last + timedelta(days=1))  # the end is the first day that no longer belongs to it
    event.add("description", "\n".join(line for text in about if (line := clean(text))))
    event.add("transp", "TRANSPARENT")  # a plan does not make anybody busy
    return event
