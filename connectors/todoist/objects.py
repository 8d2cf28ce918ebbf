"""A Todoist account as it was read, the names of places in it, and the commands that change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.todoist.answers import Item, Limits, Note, Place, SyncAnswer, User

_UUIDS = UUID("6f1d3c62-8a55-5f0e-9d55-0b5a1f0f7c11")
REFERENCES = ("id", "item_id", "parent_id", "project_id", "section_id")


@dataclass(frozen=True, slots=True)
class Name:
    """The place that the goals file names: a project and perhaps a section, each by name or id."""

    project: str
    section: str | None = None

    def __str__(self) -> str:
        return " / ".join(name.replace(" / ", " // ") for name in (self.project, self.section) if name)


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
        self.items |= {item.id: item for item in answer.items}
        self.projects |= {project.id: project for project in answer.projects}
        self.sections |= {section.id: section for section in answer.sections}
        self.notes |= {note.id: note for note in answer.notes}
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
