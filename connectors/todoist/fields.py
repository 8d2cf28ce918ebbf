"""The fields of a Todoist task that a write sets: title, labels, priority, dates, the description with its marker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from config.keys import is_in_goal
from connectors.base import Action
from connectors.todoist.description import (
    PRIORITIES,
    join,
    marker_of,
    with_last_day,
    with_marker,
    without_last_day,
)
from connectors.todoist.objects import Command, stamp
from connectors.todoist.span import begins_by, length

if TYPE_CHECKING:
    from connectors.base import Write
    from connectors.model import Content, Marker
    from connectors.todoist.answers import Due, Item, Limits

_MOST_DESCRIPTION = 16_383
_FIELDS = {"content": "title", "labels": "labels", "priority": "priority"}
_DAYS = frozenset({"start", "due"})


@dataclass(frozen=True, slots=True)
class Form:
    """How tasks are written: the limits of the account, and the address that markers link to; empty for none."""

    limits: Limits
    page: str = ""


def new_fields(write: Write, content: Content, form: Form) -> dict[str, Any]:
    """Return the fields of a new task."""
    dates = _dates(write, content, form, None)
    return {**_texts(content), **dates, **_duration(write.marker, form), "description": _written(write, form)}


def changed_fields(write: Write, item: Item, form: Form) -> dict[str, Any]:
    """Return the fields of a task that a write changes. The time of day and the duration that a user set stay."""
    args: dict[str, Any] = {}
    old = marker_of(item)
    if write.content:
        texts = _texts(write.content)
        args = {name: value for name, value in texts.items() if _FIELDS[name] in write.fields}
        switches = write.marker is not None and begins_by(write.marker) != begins_by(old)
        # Where a user moved the whole step by its first day, its deadline is still the old one.
        behind = begins_by(write.marker) and form.limits.deadlines and item.deadline != write.content.due
        if switches or behind or write.fields & _DAYS:
            args |= _dates(write, write.content, form, item.due)
            args |= _without_start(old, form) if switches and not begins_by(write.marker) else {}
            args |= _duration(write.marker, form) if item.duration == length(old) else {}
    description = _description(write, item, form)
    return args if description == item.description else {**args, "description": description}


def _description(write: Write, item: Item, form: Form) -> str:
    if write.action is Action.DETACH:
        return with_marker(item.description, None)
    if write.content and "notes" in write.fields:
        return _written(write, form)
    if not write.marker:
        return item.description
    bare = without_last_day(item.description, marker_of(item))
    return _headed(with_marker(bare, write.marker, form.page), write, form)


def _written(write: Write, form: Form) -> str:
    return _headed(join(write.content.notes if write.content else "", write.marker, form.page), write, form)


def _headed(description: str, write: Write, form: Form) -> str:
    """Return a description with the last day in its first line, where the account has no other place for it."""
    due = write.content.due if write.content else None
    return (
        with_last_day(description, due)
        if due and begins_by(write.marker) and not form.limits.deadlines
        else description
    )


def _texts(content: Content) -> dict[str, Any]:
    return {"content": content.title, "labels": list(content.labels), "priority": PRIORITIES[content.priority]}


def _dates(write: Write, content: Content, form: Form, due: Due | None) -> dict[str, Any]:
    """Return the date, and the deadline where the account has it: of goals, and where the date is the first day."""
    by_start = begins_by(write.marker)
    day = (content.start if by_start else None) or content.due
    dates: dict[str, Any] = {"due": (due.on(day) if due else {"date": day.isoformat()}) if day else None}
    if form.limits.deadlines and (by_start or not is_in_goal(write.key)):
        dates["deadline"] = {"date": content.due.isoformat()} if content.due else None
    return dates


def _without_start(old: Marker | None, form: Form) -> dict[str, Any]:
    """Return what clears the last day of a task that had its first one as its date."""
    return {"deadline": None} if begins_by(old) and form.limits.deadlines else {}


def _duration(marker: Marker | None, form: Form) -> dict[str, Any]:
    """Return the length of a task whose date is its first day, where the account has room for it; else nothing."""
    if not form.limits.durations:
        return {}
    found = length(marker)
    return {"duration": {"amount": found[0], "unit": found[1]} if found else None}


def completion(write: Write, item: Item, now: datetime) -> Command:
    """Return the command that completes a task, with the day if that is over; `now` is in the user's time zone."""
    if write.done_on is None or write.done_on >= now.date():
        return Command("item_close", {"id": item.id})
    noon = datetime.combine(write.done_on, time(12), now.tzinfo)
    return Command("item_complete", {"id": item.id, "date_completed": stamp(noon)})


def too_long(write: Write, form: Form) -> str | None:
    """Return why a task's notes cannot be written; they are never cut."""
    if write.action is not Action.CREATE and "notes" not in write.fields:
        return None
    length = len(_written(write, form))
    if length <= _MOST_DESCRIPTION:
        return None
    over = length - _MOST_DESCRIPTION
    return f"its notes are {over} characters too long for Todoist; shorten them in the goals file, or link to them"
