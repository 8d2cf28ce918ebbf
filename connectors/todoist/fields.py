"""The fields of a Todoist task that a write sets: title, labels, priority, dates, the description with its marker."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from connectors.base import Action
from connectors.todoist.description import PRIORITIES, join, with_marker
from connectors.todoist.objects import Command, Due, stamp

if TYPE_CHECKING:
    from connectors.base import Write
    from connectors.model import Content
    from connectors.todoist.objects import Item, Limits

_MOST_DESCRIPTION = 16_383
_FIELD = {"content": "title", "labels": "labels", "priority": "priority", "due": "due", "deadline": "due"}


def new_fields(write: Write, content: Content, limits: Limits) -> dict[str, Any]:
    """Return the fields of a new task, without its description."""
    return _fields(write, content, limits, Due(""))


def changed_fields(write: Write, item: Item, limits: Limits) -> dict[str, Any]:
    """Return the fields of a task that a write changes. The time of day that a user set stays."""
    args: dict[str, Any] = {}
    if write.content and write.fields:
        fields = _fields(write, write.content, limits, item.due or Due(""))
        args = {name: value for name, value in fields.items() if _FIELD[name] in write.fields}
    description = _description(write, item)
    return args if description == item.description else {**args, "description": description}


def _description(write: Write, item: Item) -> str:
    if write.action is Action.DETACH:
        return with_marker(item.description, None)
    if write.content and "notes" in write.fields:
        return join(write.content.notes, write.marker)
    return with_marker(item.description, write.marker) if write.marker else item.description


def _fields(write: Write, content: Content, limits: Limits, due: Due) -> dict[str, Any]:
    args: dict[str, Any] = {
        "content": content.title,
        "labels": list(content.labels),
        "priority": PRIORITIES[content.priority],
        "due": due.on(content.due) if content.due else None,
    }
    if limits.deadlines and "/" not in write.key:
        args["deadline"] = {"date": content.due.isoformat()} if content.due else None
    return args


def completion(write: Write, item: Item, now: datetime) -> Command:
    """Return the command that completes a task, with the day if that is over; `now` is in the user's time zone."""
    if write.done_on is None or write.done_on >= now.date():
        return Command("item_close", {"id": item.id})
    noon = datetime.combine(write.done_on, time(12), now.tzinfo)
    return Command("item_complete", {"id": item.id, "date_completed": stamp(noon)})


def too_long(write: Write) -> str | None:
    """Return why a task's notes cannot be written; they are never cut."""
    if write.action is not Action.CREATE and "notes" not in write.fields:
        return None
    length = len(join(write.content.notes if write.content else "", write.marker))
    if length <= _MOST_DESCRIPTION:
        return None
    over = length - _MOST_DESCRIPTION
    return f"its notes are {over} characters too long for Todoist; shorten them in the goals file, or link to them"
