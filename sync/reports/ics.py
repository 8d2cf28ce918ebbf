"""A schedule as a calendar file: a whole-day event for each open step, and one for each goal's deadline."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from icalendar import Calendar, Event, vDDDTypes

from config import display
from config.display import clean
from config.project import NO_NAMESPACE
from sync.reports import words
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_PRODUCT = "-//backplan//backplan//EN"


def schedule(value: Schedule) -> bytes:
    """Return the calendar. The same schedule gives the same bytes.

    An event keeps its UID as long as its key and the namespace stay.
    """
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    # The calendar may hold several plans: ids are unique within a namespace only.
    within = "" if value.namespace == NO_NAMESPACE else f"{value.namespace}:"
    for goal in value.goals:
        for event in _events(goal, within):
            event["dtstamp"] = _day(datetime.combine(value.today, time(), UTC))
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
    event = Event()
    event.add("uid", f"{name}@backplan")
    event.add("summary", clean(summary))
    event["dtstart"] = _day(first)
    event["dtend"] = _day(last + timedelta(days=1))  # the end is the first day that no longer belongs to it
    event.add("description", "\n".join(line for text in about if (line := _clean(text))))
    event["transp"] = "TRANSPARENT"  # a plan does not make anybody busy
    return event


@lru_cache(maxsize=1 << 12)
def _day(day: date) -> vDDDTypes:
    """Return a day, or a time, as icalendar writes it: made once, however many events have it."""
    return vDDDTypes(day)


_clean = lru_cache(maxsize=1 << 12)(clean)  # most lines stand in many events
