"""A schedule as a calendar to subscribe to: a whole-day event for each step, and one for each goal's deadline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from icalendar import Alarm, Calendar, Event, Todo, vDDDTypes

from config.display import clean
from config.project import NO_NAMESPACE
from sync.reports import timeline
from sync.reports.publishing import AS_IT_IS, path_of
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from icalendar import Component

    from sync.reports.publishing import Publishing
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_PRODUCT = "-//backplan//backplan//EN"
_END = b"END:VCALENDAR\r\n"
_REFRESH = timedelta(hours=12)
_ALARM = timedelta(hours=9)  # on the first day


@dataclass(frozen=True, slots=True)
class _Item:
    """What an event or a task shows."""

    key: str
    summary: str
    first: date
    last: date
    about: tuple[str, ...]
    done: date | None = None


def schedule(value: Schedule, publishing: Publishing = AS_IT_IS) -> bytes:
    """Return the calendar. The same plan gives the same bytes, on any day.

    An event keeps its UID as long as its key and the namespace stay.
    """
    return _calendar(value, publishing, (_events(value, goal, publishing) for goal in value.goals))


def calendars(value: Schedule, publishing: Publishing) -> Iterator[tuple[str, bytes]]:
    """Yield a calendar with all goals, with an empty id, and one of each goal with its id."""
    events = {goal.goal.id: _events(value, goal, publishing) for goal in value.goals}
    yield "", _calendar(value, publishing, events.values())
    for goal in value.goals:
        yield goal.goal.id, _calendar(replace(value, goals=(goal,)), publishing, [events[goal.goal.id]])


def _calendar(value: Schedule, publishing: Publishing, events: Iterable[bytes]) -> bytes:
    """Return a calendar with events, in whatever order the goals have in the file."""
    head: bytes = _empty(value.goals[0].goal.title if len(value.goals) == 1 else "backplan").to_ical()
    body = b"".join(sorted(events)) or _nothing(value, publishing)  # a calendar without an event is none
    return head.removesuffix(_END) + body + _END


def _events(value: Schedule, goal: ScheduledGoal, publishing: Publishing) -> bytes:
    written = []
    for item in _items(goal):
        for component in _components(item, publishing):
            component.add("uid", f"{_within(value)}{item.key}{'' if component.name == 'VEVENT' else '#task'}@backplan")
            _finish(component, goal.made, f"{publishing.url}/{path_of(item.key)}" if publishing.url else "")
            written.append(component.to_ical())
    return b"".join(written)


def _nothing(value: Schedule, publishing: Publishing) -> bytes:
    event = _event(_Item("", "Nothing is planned", value.today, value.today, ()), alarm=False)
    event.add("uid", f"{_within(value)}nothing@backplan")
    _finish(event, value.today, publishing.url)
    written: bytes = event.to_ical()
    return written


def _within(value: Schedule) -> str:
    """Return how UIDs begin: a calendar may hold several plans, and ids are unique within a namespace only."""
    return "" if value.namespace == NO_NAMESPACE else f"{value.namespace}:"


def _empty(title: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, clean(title))
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT12H")
    return calendar


def _items(goal: ScheduledGoal) -> Iterator[_Item]:
    if goal.state is State.GIVEN_UP:
        return
    about = (goal.goal.why, goal.goal.done_when)
    yield _Item(goal.goal.id, f"Deadline: {goal.goal.title}", goal.deadline, goal.deadline, about, goal.done)
    for step in sorted(goal.steps, key=lambda step: step.step.key):
        days = timeline.span(step)
        if days and not step.dropped:
            yield _Item(step.step.key, step.step.title, *days, _about(step, goal), step.done)


def _about(step: ScheduledStep, goal: ScheduledGoal) -> tuple[str, ...]:
    return (goal.goal.title, *step.step.notes.splitlines(), step.step.link or "")


def _components(item: _Item, publishing: Publishing) -> Iterator[Component]:
    yield _event(item, alarm=publishing.alarms and not item.done)
    if publishing.tasks:
        yield _task(item)


def _event(item: _Item, *, alarm: bool) -> Component:
    event = Event()
    event.add("summary", clean(f"✓ {item.summary}" if item.done else item.summary))
    event["dtstart"] = _time(item.first)
    event["dtend"] = _time(item.last + timedelta(days=1))  # the end is the first day that no longer belongs to it
    _describe(event, item)
    event.add("transp", "TRANSPARENT")  # a plan does not make anybody busy
    if alarm:
        ring = Alarm()
        ring.add("action", "DISPLAY")
        ring.add("description", clean(item.summary))
        ring.add("trigger", _ALARM)
        event.add_component(ring)
    return event


def _task(item: _Item) -> Component:
    task = Todo()
    task.add("summary", clean(item.summary))
    if item.first < item.last:  # a task may not be due on the day on which it starts
        task.add("dtstart", item.first)
    task.add("due", item.last)
    _describe(task, item)
    if item.done:
        task.add("status", "COMPLETED")
        task.add("completed", _midnight(item.done))
    return task


def _describe(component: Component, item: _Item) -> None:
    if lines := [line for text in item.about if (line := _clean(text))]:
        component.add("description", "\n".join(lines))


def _finish(component: Component, made: date, url: str) -> None:
    """Add when the plan was made, never when the calendar was: a feed that did not change must look so."""
    component["dtstamp"] = component["last-modified"] = _time(_midnight(made))
    if url:
        component.add("url", url)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=1 << 12)
def _time(value: date) -> vDDDTypes:
    """Return a day, or a time, as icalendar writes it: made once, however many events have it."""
    return vDDDTypes(value)


_clean = lru_cache(maxsize=1 << 12)(clean)  # most lines are in many events
