"""Todoist's objects as far as we use them, an account as it was read, and the commands that change it.

The SDK's classes are not used: they reject a whole answer for a field that we do not use, and lack `is_deleted` and the
number of comments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.todoist.answers import (
        LimitsAnswer,
        NoteAnswer,
        ProjectAnswer,
        SectionAnswer,
        SyncAnswer,
        TaskAnswer,
        UserAnswer,
    )

_UUIDS = UUID("6f1d3c62-8a55-5f0e-9d55-0b5a1f0f7c11")
REFERENCES = ("id", "item_id", "parent_id", "project_id", "section_id")


@dataclass(frozen=True, slots=True)
class Due:
    """A due date as Todoist writes it: a day, or with a time, floating or (with `timezone`) fixed."""

    text: str
    timezone: str | None = None
    recurring: bool = False

    @property
    def day(self) -> date:
        """The day, on the clock that the time was given by."""
        return self._moment.date() if self._moment else date.fromisoformat(self.text[:10])

    def on(self, day: date) -> dict[str, Any]:
        """Return the same time on another day, as a command takes it."""
        if len(self.text) == 10:
            return {"date": day.isoformat()}
        moment = self._moment
        if moment is None:
            return {"date": day.isoformat() + self.text[10:]}
        moved = moment.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
        return {"date": moved.strftime("%Y-%m-%dT%H:%M:%SZ"), "timezone": self.timezone}

    @property
    def _moment(self) -> datetime | None:
        """The moment on its own clock, where it is fixed."""
        if self.timezone is None or len(self.text) == 10:
            return None
        moment = datetime.fromisoformat(self.text)
        return moment.astimezone(zone(self.timezone)) if moment.tzinfo else None


@dataclass(frozen=True, slots=True)
class Item:
    """A task."""

    id: str
    content: str
    description: str
    project_id: str
    section_id: str | None
    parent_id: str | None
    labels: tuple[str, ...]
    priority: int
    due: Due | None
    child_order: int
    checked: bool
    is_deleted: bool
    note_count: int
    added_at: str
    completed_at: str | None
    added_by: str = ""
    deadline: date | None = None
    duration: tuple[int, str] | None = None  # the amount, and the unit: `day` or `minute`

    @classmethod
    def of(cls, answer: TaskAnswer) -> Item:
        """Return the task that an answer of /sync, of REST or of the SDK is."""
        return cls(
            id=answer.id,
            content=answer.content,
            description=answer.description,
            project_id=answer.project_id,
            section_id=answer.section_id,
            parent_id=answer.parent_id,
            labels=tuple(answer.labels or ()),
            priority=answer.priority,
            due=Due(answer.due.date, answer.due.timezone, answer.due.is_recurring) if answer.due else None,
            child_order=answer.child_order,
            checked=answer.completed_at is not None if answer.checked is None else answer.checked,
            is_deleted=answer.is_deleted,
            note_count=answer.note_count,
            added_at=answer.added_at or "",
            completed_at=answer.completed_at,
            added_by=answer.added_by_uid or "",
            deadline=date.fromisoformat(answer.deadline.date[:10]) if answer.deadline else None,
            duration=(answer.duration.amount, answer.duration.unit) if answer.duration else None,
        )


@dataclass(frozen=True, slots=True)
class Note:
    """A comment."""

    id: str
    item_id: str
    content: str
    posted_at: str
    is_deleted: bool

    @classmethod
    def of(cls, answer: NoteAnswer) -> Note:
        """Return the comment that an answer of /sync is."""
        return cls(answer.id, answer.item_id, answer.content or "", answer.posted_at or "", answer.is_deleted)


@dataclass(frozen=True, slots=True)
class Place:
    """A project, or (with `project_id`) a section of one."""

    id: str
    name: str
    inbox: bool = False
    project_id: str | None = None
    gone: bool = False

    @classmethod
    def project(cls, answer: ProjectAnswer) -> Place:
        """Return the project that an answer is."""
        return cls(answer.id, answer.name, answer.inbox_project, gone=answer.is_deleted or answer.is_archived)

    @classmethod
    def section(cls, answer: SectionAnswer) -> Place:
        """Return the section that an answer is."""
        return cls(answer.id, answer.name, project_id=answer.project_id, gone=answer.is_deleted or answer.is_archived)


@dataclass(frozen=True, slots=True)
class Name:
    """The place that the goals file names: a project and perhaps a section, each by name or id."""

    project: str
    section: str | None = None

    def __str__(self) -> str:
        return " / ".join(name.replace(" / ", " // ") for name in (self.project, self.section) if name)


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC if this machine does not have it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class User:
    """The user of the account. Todoist also returns the account's token here, which is not stored."""

    id: str
    email: str
    timezone: str

    @classmethod
    def of(cls, answer: UserAnswer) -> User:
        """Return the user that an answer of /sync is."""
        return cls(answer.id, answer.email or "", answer.tz_info.timezone)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the account's plan; None for those that Todoist does not return."""

    plan: str = ""
    tasks: int | None = None
    projects: int | None = None
    sections: int | None = None
    deadlines: bool = False
    durations: bool = False

    @classmethod
    def of(cls, answer: LimitsAnswer | None) -> Limits:
        """Return the limits that an answer of /sync is."""
        now = answer.current if answer else None
        if now is None:
            return cls()
        return cls(
            now.plan_name or "",
            now.max_tasks,
            now.max_projects,
            now.max_sections,
            bool(now.deadlines),
            bool(now.durations),
        )


@dataclass
class Listing:
    """An account as it was read, updated from the answers to our commands."""

    user: User
    limits: Limits
    token: str
    items: dict[str, Item] = field(default_factory=dict)
    projects: dict[str, Place] = field(default_factory=dict)
    sections: dict[str, Place] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    archived: list[Place] | None = None  # projects; None until they are read
    archived_sections: dict[str, int] = field(default_factory=dict)  # project id -> how many, which no list shows
    derived: dict[tuple[str, str], Any] = field(default_factory=dict)  # computed values; cleared when anything changes

    def merge(self, answer: SyncAnswer) -> None:
        """Merge an answer of /sync."""
        self.token = answer.sync_token
        self.derived.clear()
        if answer.full_sync:
            for known in (self.items, self.projects, self.sections, self.notes):
                known.clear()
        self.items |= {thing.id: Item.of(thing) for thing in answer.items}
        self.projects |= {thing.id: Place.project(thing) for thing in answer.projects}
        self.sections |= {thing.id: Place.section(thing) for thing in answer.sections}
        self.notes |= {thing.id: Note.of(thing) for thing in answer.notes}
        for info in answer.completed_info:
            if info.project_id is not None:
                self.archived_sections[info.project_id] = info.archived_sections or 0

    def add(self, other: Listing) -> None:
        """Add the entries that only another reading of the account contains."""
        self.token = other.token
        self.derived.clear()
        self.items = other.items | self.items
        self.projects = other.projects | self.projects
        self.sections = other.sections | self.sections
        self.notes = other.notes | self.notes
        self.archived_sections |= other.archived_sections

    def open_items(self) -> Iterator[Item]:
        """Yield the tasks that are open."""
        return (item for item in self.items.values() if not (item.checked or item.is_deleted))

    def noted(self) -> dict[str, list[Note]]:
        """Return the comments of every task that has any, by its id."""
        found: dict[str, list[Note]] = {}
        for note in self.notes.values():
            if not note.is_deleted:
                found.setdefault(note.item_id, []).append(note)
        return found

    def notes_of(self, item_id: str) -> list[Note]:
        """Return the comments of a task."""
        return [note for note in self.notes.values() if note.item_id == item_id and not note.is_deleted]


@dataclass(frozen=True, slots=True)
class Command:
    """One command. Todoist carries out a uuid once, and returns the new id for `temp_id`."""

    kind: str
    args: Mapping[str, Any]
    uuid: str = field(default_factory=lambda: str(uuid4()))
    temp_id: str = ""

    def as_json(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """Return the command as it is sent, with real ids for temporary ones that are known."""
        temp_id = {"temp_id": self.temp_id} if self.temp_id else {}
        return {"type": self.kind, "uuid": self.uuid, "args": with_ids(self.args, ids), **temp_id}


@dataclass
class Outcome:
    """The result of commands: errors by uuid, and real ids by temporary ids.

    `refused` are the uuids of commands that Todoist did not carry out. Whether other failed commands were carried out
    is not known.
    """

    errors: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)


def with_ids(args: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments with real ids in place of temporary ones that are known."""
    found: dict[str, Any] = {
        name: ids.get(value, value) if name in REFERENCES else value for name, value in args.items()
    }
    if "items" in found:
        found["items"] = [with_ids(item, ids) for item in found["items"]]
    return found


def derived_uuid(*parts: str) -> str:
    """Return the uuid for a command: always the same one for the same parts."""
    return str(uuid5(_UUIDS, "\n".join(parts)))


def stamp(moment: datetime) -> str:
    """Return a time as Todoist writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
