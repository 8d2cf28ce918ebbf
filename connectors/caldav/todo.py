"""A goal or step as a task (VTODO). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icalendar import Todo, vDatetime, vInt, vText

from connectors.caldav import component
from connectors.caldav.component import Parsed, day, day_like, moment, set_shared, set_text, status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from icalendar import Component

    from connectors.model import Content
    from connectors.snapshot import Row
    from connectors.tasks import Wanted

NAME, MANY = "VTODO", "tasks"
_STATES = ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED")


def canonical(content: Content) -> Content:
    """Return the content as a task shows it."""
    return content


def row(parsed: Parsed) -> Row:
    """Return the row of a task. Raises UnreadableError."""
    todo = parsed.part
    status = status_of(todo, _STATES)
    dropped = status == "CANCELLED"
    percent = str(todo.get("PERCENT-COMPLETE", ""))
    done = not dropped and (status == "COMPLETED" or "COMPLETED" in todo or percent == "100")
    due, start = day(todo, "DUE"), day(todo, "DTSTART")
    return parsed.row(
        str(todo.get("SUMMARY", "")),
        due=due,
        start=start if start and (due is None or start < due) else None,
        done=done,
        done_at=moment(todo, "COMPLETED") if done else None,
        dropped=dropped,
    )


def new(wanted: Wanted, now: datetime, place: int) -> str:
    """Return the resource of a new task."""
    parsed = component.made(Todo(), wanted, now, place)
    parsed.part["STATUS"] = vText("NEEDS-ACTION")
    change(wanted, component.NEW)(parsed.part)
    return parsed.text


def change(wanted: Wanted, fields: frozenset[str]) -> Callable[[Component], None]:
    """Return a function that sets some fields of a task."""
    content = wanted.content

    def edit(todo: Component) -> None:
        if "title" in fields:
            set_text(todo, "SUMMARY", content.title)
        if not fields.isdisjoint({"due", "start"}):
            _set_dates(todo, content)
        set_shared(todo, wanted, fields)

    return edit


def closing(now: datetime) -> Callable[[Component], None]:
    """Return a function that completes a task, unless it is complete."""

    def edit(todo: Component) -> None:
        if str(todo.get("STATUS", "")).upper() != "COMPLETED":
            todo["STATUS"] = vText("COMPLETED")
            todo["PERCENT-COMPLETE"] = vInt(100)
            todo["COMPLETED"] = vDatetime(now)

    return edit


def reopen(todo: Component) -> None:
    """Open a task again."""
    todo["STATUS"] = vText("NEEDS-ACTION")
    for name in ("PERCENT-COMPLETE", "COMPLETED"):
        todo.pop(name, None)


def _set_dates(todo: Component, content: Content) -> None:
    """Set both days at once: some servers refuse a task that is due before it starts, or has a time for only one."""
    like = todo.get("DUE") or todo.get("DTSTART")
    todo.pop("DURATION", None)
    for name, when in (("DTSTART", content.start), ("DUE", content.due)):
        old = todo.get(name) or like
        todo.pop(name, None) if when is None else todo.update({name: day_like(when, old)})
