"""Turns the rows of a service into a snapshot. Pure.

A row is ours if its text contains our marker and it is trusted: anybody may open a task in a public place. Each service
has its way to hide the marker; `HtmlComment` is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from config.keys import goal_of
from connectors.model import Content, Marker, Snapshot, Task, digest
from connectors.ownership import Candidate, Ownership

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from connectors.model import StoredGoal, StoredKey
    from connectors.ownership import Found

_HIDDEN = re.compile(r"(?s)\n*<!--[ \t]*(bpm?\d{1,9}\b.*?)[ \t]*-->")
_LIKE_HIDDEN = re.compile(r"<!--(?=[ \t]*bpm?\d)")


@dataclass(frozen=True, slots=True)
class Row:
    """A task as a service returns it. `text` is its description as stored, marker and all.

    - people: the names of the assigned people
    - added: sorts by age
    - touched: the user added something to it that is not in its content
    - trusted: it has our label, or was created with the account of the token
    - recurring: the user made it repeat
    - unread: a sentence on the part that cannot be read, with its place and the remedy
    - parent: the id of the row above; empty for none, or if the service has no rows below others
    """

    id: str
    title: str
    text: str = ""
    due: date | None = None
    labels: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    done: bool = False
    done_at: datetime | None = None
    dropped: bool = False
    added: str = ""
    touched: bool = False
    trusted: bool = True
    start: date | None = None
    priority: str = "none"
    recurring: bool = False
    unread: str = ""
    parent: str = ""

    @property
    def closed(self) -> bool:
        """Whether it is done or dropped."""
        return self.done or self.dropped


class Hiding(Protocol):
    """Hides a line of ours in a description, as suits the service."""

    def split(self, text: str) -> tuple[str, str]:
        """Return the visible text of a description, and our line; without one, the line is empty."""

    def join(self, notes: str, line: str) -> str:
        """Return the description that holds both."""

    def escape(self, notes: str) -> str:
        """Return notes in which nothing looks like a line of ours."""


class HtmlComment:
    """A comment of HTML at the end of a description in Markdown."""

    def split(self, text: str) -> tuple[str, str]:
        """Return the text without its last comment of ours, and the text of that comment."""
        text = text.replace("\r\n", "\n")
        found = list(_HIDDEN.finditer(text))
        if not found:
            return text, ""
        last = found[-1]
        return text[: last.start()] + text[last.end() :], last[1]

    def join(self, notes: str, line: str) -> str:
        """Return notes with a comment below."""
        return "\n\n".join(filter(None, [notes, f"<!-- {line} -->" if line else ""]))

    def escape(self, notes: str) -> str:
        """Return notes whose own comments are none of ours."""
        return _LIKE_HIDDEN.sub("<!-- \N{WORD JOINER}", notes)


class LastLine:
    """The last line of ours in a plain text, where nothing is hidden; of a memory, all that follows it."""

    _LINE = re.compile(r"(?ms)^(?:(bp\d{1,9} [^\n]*)|(bpm\d{1,9} .*)\Z)")
    _LIKE = re.compile(r"(?m)^(?=[ \t]*bpm?\d{1,9}\b)")

    def split(self, text: str) -> tuple[str, str]:
        """Return the text without its last line of ours, and that line."""
        text = text.replace("\r\n", "\n")
        found = list(self._LINE.finditer(text))
        if not found:
            return text, ""
        last = found[-1]
        return text[: last.start()] + text[last.end() :].removeprefix("\n"), last[1] or last[2]

    def join(self, notes: str, line: str) -> str:
        """Return notes with the line below."""
        return "\n\n".join(filter(None, [notes, line]))

    def escape(self, notes: str) -> str:
        """Return notes in which no line begins like one of ours."""
        return self._LIKE.sub("\N{WORD JOINER}", notes)


class OwnField:
    """A field of its own. The text is then the description, and our line after a character that no description has."""

    _SIGN = "\0"

    def split(self, text: str) -> tuple[str, str]:
        """Return the text before the character, and the text after it."""
        notes, _, line = text.partition(self._SIGN)
        return notes, line

    def join(self, notes: str, line: str) -> str:
        """Return notes and line with the character between them."""
        return f"{notes}{self._SIGN}{line}" if line else notes

    def escape(self, notes: str) -> str:
        """Return notes without the character."""
        return notes.replace(self._SIGN, "")


def as_written(task: Task, entry: StoredKey | None) -> Task:
    """Return a task that cannot be read as it was last: with the date of its marker, and in its remembered state."""
    state = entry.state if entry else "live"
    content = replace(task.content, due=task.marker.due)
    return replace(task, content=content, done=state == "done", dropped=state == "dropped")


class Classifier:
    """Classifies rows, with the memory of a namespace."""

    def __init__(self, namespace: str, hiding: Hiding, memory: Mapping[str, StoredGoal]) -> None:
        self.ownership = Ownership(namespace, memory)
        self.hiding = hiding

    def managed(self, rows: Iterable[Row]) -> Iterator[Found[Row]]:
        """Yield the rows with a marker of any namespace, and those of ours that have lost it; the oldest first."""
        ordered = sorted(rows, key=lambda row: (row.added, row.id))
        return self.ownership.managed(
            Candidate(row.id, self.hiding.split(row.text)[1], row, row.trusted) for row in ordered
        )

    def content(self, row: Row, marker: Marker | None = None) -> Content:
        """Return the content of a row. Of several people, `who` is the one that we applied."""
        applied = marker.applied.get("who") if marker else None
        who = next((name for name in row.people if digest(name) == applied), next(iter(row.people), ""))
        return Content(row.title, row.due, self.notes(row), row.labels, row.priority, row.start, who)

    def notes(self, row: Row) -> str:
        """Return the description without our line, as notes are compared."""
        return tidy(self.hiding.split(row.text)[0])

    def snapshot(self, rows: Iterable[Row], damage: str = "") -> Snapshot:
        """Return the snapshot. damage: of the memory, which is also damaged if goals are missing in it."""
        rows, memory = list(rows), self.ownership.memory
        found = self.ownership.classify(self.managed(rows))
        return Snapshot(
            tuple(map(self._task, found.originals)),
            tuple(map(self._task, found.copies)),
            memory,
            remembers=bool(memory) or not found.originals,
            others=found.others,
            damaged=found.damaged,
            damage=damage or self._missing(found.originals),
            detached=self._detached(rows),
        )

    def _detached(self, rows: Iterable[Row]) -> dict[str, Content]:
        """Return the content of the rows that are remembered as removed or closed, and that have no marker."""
        ended = self.ownership.ended()
        return {row.id: self.content(row) for row in rows if row.id in ended and not self.hiding.split(row.text)[1]}

    def _missing(self, originals: Iterable[Found[Row]]) -> str:
        """Return a sentence on goals that have tasks and no memory, while other goals have one."""
        lost = sorted({goal_of(found.marker.key) for found in self.ownership.lost(originals)})
        return f"the memory of {', '.join(lost)} is missing" if lost and self.ownership.memory else ""

    def _task(self, found: Found[Row]) -> Task:
        row, marker = found.task, found.marker
        task = Task(
            row.id,
            self.content(row, marker),
            marker,
            done=row.done,
            done_at=row.done_at,
            dropped=row.dropped,
            touched=row.touched,
            recurring=row.recurring,
            parent=row.parent,
            unread=row.unread,
        )
        return as_written(task, self.ownership.entries.get(marker.key)) if row.unread else task


def tidy(text: str) -> str:
    """Return notes in the form in which they are compared."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def in_words(content: Content, fields: frozenset[str]) -> str:
    """Return the notes, with the person and the checklist if the service has no field for them."""
    who = f"Who: {content.who}" if content.who and "who" not in fields else ""
    items = () if "checklist" in fields else content.checklist
    checklist = "\n".join(f"- {' '.join(item.split())}" for item in items)
    return "\n\n".join(filter(None, [content.notes.strip(), who, checklist]))
