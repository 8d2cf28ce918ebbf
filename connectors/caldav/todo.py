"""A task as iCalendar text: what it says, and how it is changed so that all that is not ours stays. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from icalendar import Calendar, Todo, vCategory, vDatetime, vDDDTypes, vInt, vText

from connectors.snapshot import OwnField, Row
from connectors.tasks import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.model import Content
    from connectors.tasks import Wanted

MARKER, PLACE = "X-BACKPLAN", "X-APPLE-SORT-ORDER"
_FIRST = datetime(2001, 1, 1, tzinfo=UTC)  # the place in a list that apps take for a task without one counts from here
HIDING = OwnField()
NEW = frozenset({"title", "due", "labels", "priority", TEXT})
_PRIORITIES = {"high": 1, "medium": 5}
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")
_PLAIN = " :/.-_+"  # what is not escaped in our line: the others are, for readers differ in what a backslash means
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # neither XML nor iCalendar takes these


class UnreadableTaskError(ValueError):
    """A task cannot be read."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A resource: its calendar, and of the tasks in it the one that is no exception of a recurring one."""

    calendar: Calendar
    todo: Todo

    @classmethod
    def of(cls, text: str) -> Parsed:
        """Read a resource. Raises UnreadableTaskError."""
        try:
            calendar = Calendar.from_ical(text)
        except ValueError as error:
            raise UnreadableTaskError(str(error)) from None
        parts = calendar.walk("VTODO") if isinstance(calendar, Calendar) else []
        todos = [part for part in parts if isinstance(part, Todo) and "UID" in part]
        if not todos:
            raise UnreadableTaskError("there is no task in it")
        return cls(calendar, next((todo for todo in todos if "RECURRENCE-ID" not in todo), todos[0]))

    @property
    def text(self) -> str:
        """The resource as text."""
        return str(self.calendar.to_ical(sorted=False), "utf-8")

    @property
    def above(self) -> str:
        """The id of the task above; empty for none."""
        related = _values(self.todo, "RELATED-TO")
        parents = [one for one in related if str(one.params.get("RELTYPE", "PARENT")).upper() == "PARENT"]
        return str(parents[0]) if parents else ""

    @property
    def row(self) -> Row:
        """What it says. Raises UnreadableTaskError for a date that is none."""
        todo = self.todo
        status = str(todo.get("STATUS", "")).upper()
        dropped = status == "CANCELLED"
        percent = str(todo.get("PERCENT-COMPLETE", ""))
        done = not dropped and (status == "COMPLETED" or "COMPLETED" in todo or percent == "100")
        due, start = _day(todo, "DUE"), _day(todo, "DTSTART")
        uid = str(todo["UID"])
        return Row(
            uid,
            str(todo.get("SUMMARY", "")),
            HIDING.join(str(todo.get("DESCRIPTION", "")), unquote(str(todo.get(MARKER, "")))),
            due,
            labels_of(label for value in _values(todo, "CATEGORIES") for label in getattr(value, "cats", [value])),
            done=done,
            done_at=_moment(todo, "COMPLETED") if done else None,
            dropped=dropped,
            added=f"{_moment(todo, 'CREATED') or _moment(todo, 'DTSTAMP') or ''} {todo.get(PLACE, '')!s:>12} {uid}",
            touched=any(name in todo for name in ("ATTACH", "COMMENT")),
            start=start if start and (due is None or start < due) else None,
            priority=_priority(todo),
            recurring=any(name in part for part in self.calendar.walk("VTODO") for name in _REPEATS),
        )


def readable(text: str) -> str:
    """Return a text without what neither XML nor iCalendar takes."""
    return _UNREADABLE.sub("", text)


def labels_of(labels: Iterable[object]) -> tuple[str, ...]:
    """Return labels in order. Servers take a comma in one for two labels."""
    return tuple(sorted({" ".join(readable(str(label)).replace(",", " ").split()) for label in labels} - {""}))


def place_of(created: datetime) -> int:
    """Return the place in the order of a list that apps give to a task without one."""
    return int((created - _FIRST).total_seconds())


def new(wanted: Wanted, now: datetime, place: int) -> str:
    """Return the resource of a task that is to be made."""
    calendar, todo = Calendar(), Todo()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//backplan//backplan//EN")
    calendar.add_component(todo)
    todo["UID"] = vText(wanted.id)
    todo["CREATED"] = vDatetime(now)
    if wanted.above:
        todo["RELATED-TO"] = vText(wanted.above, params={"RELTYPE": "PARENT"})
    todo["STATUS"] = vText("NEEDS-ACTION")
    todo[PLACE] = vInt(place)
    change(wanted, NEW)(todo)
    _stamp(todo, now)
    return Parsed(calendar, todo).text


def rewritten(text: str, edit: Callable[[Todo], None], now: datetime) -> str:
    """Return a resource with its task changed, and all else as it was."""
    parsed = Parsed.of(text)
    edit(parsed.todo)
    parsed.todo["SEQUENCE"] = vInt(int(parsed.todo.get("SEQUENCE", 0)) + 1)
    _stamp(parsed.todo, now)
    return parsed.text


def change(wanted: Wanted, fields: frozenset[str]) -> Callable[[Todo], None]:
    """Return what gives a task some fields of what is wanted."""
    content = wanted.content

    def edit(todo: Todo) -> None:
        if "title" in fields:
            _set_text(todo, "SUMMARY", content.title)
        if TEXT in fields:
            notes, line = HIDING.split(wanted.text)
            _set_text(todo, "DESCRIPTION", notes)
            _set_text(todo, MARKER, quote(line, safe=_PLAIN))
        if not fields.isdisjoint({"due", "start"}):
            _set_dates(todo, content)
        if "labels" in fields:
            todo.pop("CATEGORIES", None)
            if content.labels:
                todo["CATEGORIES"] = vCategory(list(content.labels))
        if "priority" in fields and _priority(todo) != content.priority:
            todo.pop("PRIORITY", None)
            if content.priority in _PRIORITIES:
                todo["PRIORITY"] = vInt(_PRIORITIES[content.priority])

    return edit


def closing(now: datetime) -> Callable[[Todo], None]:
    """Return what completes a task; one that is complete stays as it is."""

    def edit(todo: Todo) -> None:
        if str(todo.get("STATUS", "")).upper() != "COMPLETED":
            todo["STATUS"] = vText("COMPLETED")
            todo["PERCENT-COMPLETE"] = vInt(100)
            todo["COMPLETED"] = vDatetime(now)

    return edit


def reopen(todo: Todo) -> None:
    """Open a task again."""
    todo["STATUS"] = vText("NEEDS-ACTION")
    for name in ("PERCENT-COMPLETE", "COMPLETED"):
        todo.pop(name, None)


def _stamp(todo: Todo, now: datetime) -> None:
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        todo[name] = vDatetime(now)


def _values(todo: Todo, name: str) -> list[Any]:
    """Return all values of a property."""
    found = todo.get(name, [])
    return found if isinstance(found, list) else [found]


def _value(todo: Todo, name: str) -> Any:
    """Return the day or moment of a property, None where there is none. Raises UnreadableTaskError for another one."""
    found = todo.get(name)
    value = getattr(found, "dt", None)
    if found is not None and not isinstance(value, date):
        raise UnreadableTaskError(f"its {name} is none")
    return value


def _day(todo: Todo, name: str) -> date | None:
    """Return a day as it is written: of a time in whatever zone, the date before it."""
    value = _value(todo, name)
    return value.date() if isinstance(value, datetime) else value


def _moment(todo: Todo, name: str) -> datetime | None:
    value = _value(todo, name)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _priority(todo: Todo) -> str:
    """Return the band that a priority is in: 1 to 4, 5, and those below."""
    number = str(todo.get("PRIORITY", ""))
    return "high" if number in ("1", "2", "3", "4") else "medium" if number == "5" else "none"


def _set_text(todo: Todo, name: str, text: str) -> None:
    if text:
        todo[name] = vText(text)
    else:
        todo.pop(name, None)


def _set_dates(todo: Todo, content: Content) -> None:
    """Set both days at once: some servers refuse a task that is due before it starts, or with a time for one only."""
    like = todo.get("DUE") or todo.get("DTSTART")
    todo.pop("DURATION", None)
    for name, day in (("DTSTART", content.start), ("DUE", content.due)):
        old = todo.get(name) or like
        todo.pop(name, None) if day is None else todo.update({name: _dated(day, old)})


def _dated(day: date, old: vDDDTypes | None) -> vDDDTypes:
    """Return a day as a property; a time of day and its zone stay."""
    value = getattr(old, "dt", None)
    if not isinstance(value, datetime):
        return vDDDTypes(day)
    found = vDDDTypes(datetime.combine(day, value.timetz()))
    found.params.update(getattr(old, "params", {}))
    return found
