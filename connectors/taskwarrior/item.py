"""Reads and changes a task in the JSON of Taskwarrior. All parts that are not ours stay. Pure.

An import replaces the whole task: missing attributes are removed, and a missing status means pending. So each import is
the exported task with our changes. No value is empty: 2.6 crashes on an empty date.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from connectors.shapes import Shape
from connectors.snapshot import OwnField, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.model import Content
    from connectors.taskwarrior.program import Item

MARKER, PLACE, DAYS = "backplan", "backplanplace", "backplandays"  # attributes of ours
HIDING = OwnField()
PENDING, COMPLETED, DELETED = "pending", "completed", "deleted"
_STATES = (PENDING, COMPLETED, DELETED, "recurring", "waiting")
_FORM = "%Y%m%dT%H%M%SZ"
_DATES = {"due": "due", "start": "scheduled"}  # fields and their attributes
_ENDS = {"due": time(23, 59, 59), "start": time()}  # a task that is due at midnight is overdue all day
_PRIORITIES = {"high": "H", "medium": "M"}
_BANDS = {letter: name for name, letter in _PRIORITIES.items()}
_COMPUTED = ("id", "urgency", "modified")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_IN_NO_TAG = re.compile(r"[^\w.-]+")
_BRACKETS = (("&open;", "["), ("&close;", "]"))  # 2.6 stores brackets like this, and reads these as brackets


class _Annotation(Shape):
    entry: str
    description: str


class _Task(Shape):
    """The attributes that are needed."""

    uuid: str
    status: str
    description: str
    entry: str
    annotations: tuple[_Annotation, ...] = ()
    tags: tuple[str, ...] = ()


def row_of(item: Item) -> Row:
    """Return the row of a task; `unread` names invalid values. Raises ValueError if attributes are missing."""
    # A strict model accepts no list for a tuple.
    task = _Task.read(item | {name: tuple(item.get(name, ())) for name in ("annotations", "tags")})
    notes = "\n".join(one.description for one in task.annotations if one.entry == task.entry)
    done, unread = task.status == COMPLETED, []
    days: dict[str, date | None] = {}
    for field, name in _DATES.items():
        try:
            days[field] = day_of(item, field)
        except ValueError:
            how = f"set it again, as with `task {task.uuid[:8]} modify {name}:2027-05-09`"
            unread += [] if done else [f"cannot read its {name} `{item[name]}`; {how}"]  # a done task needs no date
    if task.status not in _STATES:
        unread.append(f"cannot read its status `{task.status}`; set it again, as with `task {task.uuid[:8]} edit`")
    return Row(
        task.uuid,
        task.description,
        HIDING.join(notes, str(item.get(MARKER, ""))),
        days.get("due"),
        tuple(sorted(set(task.tags))),
        done=done,
        done_at=_moment(item.get("end")) if done else None,
        added=f"{task.entry} {task.uuid}",
        touched="start" in item or any(one.entry != task.entry for one in task.annotations),
        start=days.get("start"),
        priority=_BANDS.get(str(item.get("priority", "")), "none"),
        recurring="recur" in item or task.status == "recurring",
        unread="; ".join(unread),
    )


def day_of(item: Item, field: str) -> date | None:
    """Return a day of a task: the noted one, or the day in the time zone of this machine. Raises ValueError."""
    written = item.get(_DATES[field])
    if written is None:
        return None
    pairs = (pair.partition("=") for pair in str(item.get(DAYS, "")).split())
    known = {moment: day for moment, _, day in pairs}
    return date.fromisoformat(known[written]) if written in known else _read(written).astimezone().date()


def lines_of(item: Item) -> tuple[str, ...]:
    """Return the ids of the tasks that a task depends on."""
    found = item.get("depends", [])
    return tuple(found.split(",") if isinstance(found, str) else found)


def bare(item: Item) -> Item:
    """Return a task without the attributes that cannot be imported."""
    return {name: value for name, value in item.items() if name not in _COMPUTED}


def same(one: Item, other: Item) -> bool:
    """Return whether two tasks are equal in the attributes that we write."""
    return _view(one) == _view(other)


def readable(text: str) -> str:
    """Return a text as an export contains it after an import."""
    text = _UNREADABLE.sub("", text)
    for sign, bracket in _BRACKETS:
        text = text.replace(sign, bracket)
    return text


def tags_of(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels as tags. Words in capitals become lower case: Taskwarrior reserves them for virtual tags."""
    words = (_IN_NO_TAG.sub("_", label.strip()).strip("-+_.") for label in labels)
    return tuple(sorted({word.lower() if word.isupper() else word for word in words} - {""}))


def set_days(item: Item, content: Content) -> None:
    """Set the days of a task; the time of day of its due date stays."""
    old = _moment(item.get("due"))
    by = old.astimezone().time() if old else time()
    ends = dict(_ENDS)
    if by != time() and by.second != _ENDS["due"].second:  # the last second of a day in some time zone is our own
        ends["due"] = by
    days = {"due": content.due, "start": content.start}
    for field, day in days.items():
        _set(item, _DATES[field], stamp(datetime.combine(day, ends[field])) if day else None)
    _note_days(item, days)


def keep_days(item: Item) -> None:
    """Note the days of the dates of a task, so that another time zone does not move them."""
    days: dict[str, date | None] = {}
    for field in _DATES:
        try:
            days[field] = day_of(item, field)
        except ValueError:
            days[field] = None
    _note_days(item, days)


def set_notes(item: Item, notes: str) -> None:
    """Set our own annotation: that with the same time as the task."""
    others = [one for one in item.get("annotations", []) if one["entry"] != item["entry"]]
    own = [{"entry": item["entry"], "description": notes}] if notes else []
    _set(item, "annotations", own + others)


def annotate(item: Item, words: str, now: datetime) -> None:
    """Add an annotation with a time that no other has."""
    others = item.get("annotations", [])
    if any(one["description"] == words for one in others):  # an earlier attempt has added it
        return
    moments = [one["entry"] for one in others]
    moment = now.replace(microsecond=0)
    while stamp(moment) in (*moments, item["entry"]):
        moment = datetime.fromtimestamp(moment.timestamp() + 1, UTC)
    item["annotations"] = [*others, {"entry": stamp(moment), "description": words}]


def set_tags(item: Item, labels: tuple[str, ...]) -> None:
    """Set the tags."""
    _set(item, "tags", list(labels))


def set_priority(item: Item, priority: str) -> None:
    """Set the priority, unless the current one has the same meaning."""
    if _BANDS.get(str(item.get("priority", "")), "none") != priority:
        _set(item, "priority", _PRIORITIES.get(priority, ""))


def set_lines(item: Item, ids: Iterable[str]) -> None:
    """Set the tasks that a task depends on."""
    _set(item, "depends", sorted(set(ids)))


def stamp(moment: datetime) -> str:
    """Return a moment as Taskwarrior writes it. Without a zone, it is in that of this machine."""
    return moment.astimezone(UTC).strftime(_FORM)


def _set(item: Item, name: str, value: Any) -> None:
    if value:
        item[name] = value
    else:
        item.pop(name, None)


def _note_days(item: Item, days: dict[str, date | None]) -> None:
    pairs = [f"{item[_DATES[field]]}={day}" for field, day in days.items() if day and _DATES[field] in item]
    _set(item, DAYS, " ".join(dict.fromkeys(pairs)))


def _view(item: Item) -> object:
    row = row_of(item)
    known = (item.get(MARKER), item.get(PLACE), item["status"] == DELETED, sorted(lines_of(item)))
    return row.title, row.text, row.due, row.start, row.labels, row.priority, row.done, known


def _read(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=UTC)


def _moment(value: Any) -> datetime | None:
    try:
        return _read(value) if value is not None else None
    except (ValueError, TypeError):
        return None
