"""Reads and changes iCalendar text: the common part of tasks and events. All parts that are not ours stay. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, unquote

from icalendar import Calendar, Component, vCategory, vDatetime, vDDDTypes, vInt, vText

from config.errors import BackplanError
from connectors.snapshot import OwnField, Row
from connectors.tasks import TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connectors.model import Content
    from connectors.tasks import Wanted

MARKER, PLACE = "X-BACKPLAN", "X-APPLE-SORT-ORDER"
_FIRST = datetime(2001, 1, 1, tzinfo=UTC)  # apps count the place of a task without one in the list from here
HIDING = OwnField()
NEW = frozenset({"title", "due", "labels", "priority", TEXT})
_PRIORITIES = {"high": 1, "medium": 5}
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")
_PLAIN = " :/.-_+"  # not escaped in our line; others are, as readers differ in the meaning of a backslash
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # not allowed in XML and iCalendar


class UnreadableError(BackplanError):
    """A task or event cannot be read."""


class Form(Protocol):
    """The form of goals and steps in a list: tasks or events."""

    NAME: str  # of the component
    MANY: str  # for people

    def canonical(self, content: Content) -> Content:
        """Return the content as the form shows it."""

    def row(self, parsed: Parsed) -> Row:
        """Return the row of a resource. Raises UnreadableError."""

    def new(self, wanted: Wanted, now: datetime, place: int) -> str:
        """Return the resource of a new entry."""

    def change(self, wanted: Wanted, fields: frozenset[str]) -> Callable[[Component], None]:
        """Return a function that sets some fields."""

    def closing(self, now: datetime) -> Callable[[Component], None]:
        """Return a function that completes an entry, unless it is complete."""

    def reopen(self, part: Component) -> None:
        """Reopen an entry."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A resource: its calendar, and its task or event. Exceptions of a recurring one are ignored."""

    calendar: Component
    part: Component

    @classmethod
    def of(cls, text: str, name: str) -> Parsed:
        """Read a resource with components of that name. Raises UnreadableError."""
        try:
            calendar = Calendar.from_ical(text)
        except ValueError as error:
            raise UnreadableError(str(error)) from None
        whole = isinstance(calendar, Calendar)  # pyright: ignore[reportUnnecessaryIsInstance]  # it may be any component
        parts = calendar.walk(name) if whole else []
        found = [part for part in parts if "UID" in part]
        if not found:
            raise UnreadableError(f"there is no {name} in it")
        part = next((part for part in found if "RECURRENCE-ID" not in part), found[0])
        if part.errors:
            raise UnreadableError(str(part.errors[0][1]))
        return cls(calendar, part)

    @property
    def text(self) -> str:
        """The resource as text."""
        return str(self.calendar.to_ical(sorted=False), "utf-8")

    @property
    def above(self) -> str:
        """The id of the task above; empty for none."""
        related = _values(self.part, "RELATED-TO")
        parents = [one for one in related if str(one.params.get("RELTYPE", "PARENT")).upper() == "PARENT"]
        return str(parents[0]) if parents else ""

    def row(self, title: str, **fields: Any) -> Row:
        """Return a row with the fields that every component has, and the given ones."""
        part, uid = self.part, str(self.part["UID"])
        labels = (label for value in _values(part, "CATEGORIES") for label in getattr(value, "cats", [value]))
        return Row(
            uid,
            title,
            HIDING.join(str(part.get("DESCRIPTION", "")), unquote(str(part.get(MARKER, "")))),
            labels=labels_of(labels),
            added=f"{moment(part, 'CREATED') or moment(part, 'DTSTAMP') or ''} {part.get(PLACE, '')!s:>12} {uid}",
            touched=any(name in part for name in ("ATTACH", "COMMENT")),
            priority=_priority(part),
            recurring=any(name in one for one in self.calendar.walk(part.name) for name in _REPEATS),
            **fields,
        )


def unread(text: str, why: str) -> Row:
    """Return a row for a resource of ours that cannot be read: its id, title and marker."""
    lines = re.sub(r"\r?\n[ \t]", "", text)
    found = {name: re.search(rf"(?im)^{name}[^:\r\n]*:(.*?)\r?$", lines) for name in ("UID", "SUMMARY", MARKER)}
    uid, title, line = (match[1] if match else "" for match in found.values())
    return Row(uid, re.sub(r"\\(.)", r"\1", title), HIDING.join("", unquote(line)), added=f" {uid}", unread=why)


def changed(text: str, name: str) -> str:
    """Return when a component was last changed, as a text that sorts; empty if that is not said."""
    own = text.partition(f"BEGIN:{name}")[2]
    found = (re.search(rf"(?m)^{stamp}[^:\r\n]*:(\S+)", own) for stamp in ("LAST-MODIFIED", "DTSTAMP"))
    return next((match[1] for match in found if match), "")


def is_memory(text: str, namespace: str) -> bool:
    """Return whether a resource has the memory of a plan, whatever its component."""
    line = re.search(rf"(?m)^{MARKER}[^:\r\n]*:(.*)", re.sub(r"\r?\n[ \t]", "", text))
    return line is not None and unquote(line[1]).startswith(f"bpm1 {namespace} ")


def readable(text: str) -> str:
    """Return a text without the characters that XML and iCalendar do not allow."""
    return _UNREADABLE.sub("", text)


def labels_of(labels: Iterable[object]) -> tuple[str, ...]:
    """Return labels in order, without commas: servers would split the label there."""
    return tuple(sorted({" ".join(readable(str(label)).replace(",", " ").split()) for label in labels} - {""}))


def place_of(created: datetime) -> int:
    """Return the place in the order of a list that apps give to a task without one."""
    return int((created - _FIRST).total_seconds())


def made(part: Component, wanted: Wanted, now: datetime, place: int) -> Parsed:
    """Return a new calendar with a component, before its fields are set."""
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "-//backplan//backplan//EN")
    calendar.add_component(part)
    part["UID"] = vText(wanted.id)
    part["CREATED"] = vDatetime(now)
    part[PLACE] = vInt(place)
    if wanted.above:
        part["RELATED-TO"] = vText(wanted.above, params={"RELTYPE": "PARENT"})
    stamp(part, now)
    return Parsed(calendar, part)


def rewritten(text: str, name: str, edit: Callable[[Component], None], now: datetime) -> str:
    """Return a resource with its component changed, and everything else as it was. Raises UnreadableError."""
    parsed = Parsed.of(text, name)
    edit(parsed.part)
    parsed.part["SEQUENCE"] = vInt(int(parsed.part.get("SEQUENCE", 0)) + 1)
    stamp(parsed.part, now)
    return parsed.text


def set_shared(part: Component, wanted: Wanted, fields: frozenset[str]) -> None:
    """Set the fields that tasks and events have in common."""
    content = wanted.content
    if TEXT in fields:
        notes, line = HIDING.split(wanted.text)
        set_text(part, "DESCRIPTION", notes)
        set_text(part, MARKER, quote(line, safe=_PLAIN))
    if "labels" in fields:
        part.pop("CATEGORIES", None)
        if content.labels:
            part["CATEGORIES"] = vCategory(list(content.labels))
    if "priority" in fields and _priority(part) != content.priority:
        part.pop("PRIORITY", None)
        if content.priority in _PRIORITIES:
            part["PRIORITY"] = vInt(_PRIORITIES[content.priority])


def set_text(part: Component, name: str, text: str) -> None:
    """Set a property to a text; remove it if the text is empty."""
    if text:
        part[name] = vText(text)
    else:
        part.pop(name, None)


def stamp(part: Component, now: datetime) -> None:
    """Set the time of the last change."""
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        part[name] = vDatetime(now)


def value(part: Component, name: str) -> Any:
    """Return the day, moment or span of a property; None if there is none. Raises UnreadableError for other values."""
    found = part.get(name)
    try:
        return None if found is None else found.dt
    except (AttributeError, ValueError):  # of a list of them, or of one that is broken
        raise UnreadableError(f"its {name} is none") from None


def day(part: Component, name: str) -> date | None:
    """Return the day of a value: for a time in any zone, the date in it. Raises UnreadableError."""
    found = value(part, name)
    if not isinstance(found, date | None):
        raise UnreadableError(f"its {name} is none")
    return found.date() if isinstance(found, datetime) else found


def moment(part: Component, name: str) -> datetime | None:
    """Return the moment of a value; None if there is none. Raises UnreadableError."""
    found = value(part, name)
    if not isinstance(found, datetime):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def day_like(when: date, old: vDDDTypes | None) -> vDDDTypes:
    """Return a day as a property with the time of day and the zone of the old one."""
    before = getattr(old, "dt", None)
    if not isinstance(before, datetime):
        return vDDDTypes(when)
    found = vDDDTypes(datetime.combine(when, before.timetz()))
    found.params.update(getattr(old, "params", {}))
    return found


def status_of(part: Component, known: tuple[str, ...]) -> str:
    """Return the state of a component; empty for none. Raises UnreadableError for an unknown one."""
    status = str(part.get("STATUS", "")).upper()
    if status and status not in known:
        raise UnreadableError(f"its STATUS `{status}` is none of {', '.join(known)}")
    return status


def _values(part: Component, name: str) -> list[Any]:
    """Return all values of a property."""
    found = part.get(name, [])
    return found if isinstance(found, list) else [found]


def _priority(part: Component) -> str:
    """Return the band of a priority: 1 to 4, 5, or 6 to 9."""
    number = str(part.get("PRIORITY", ""))
    return "high" if number in ("1", "2", "3", "4") else "medium" if number == "5" else "none"
