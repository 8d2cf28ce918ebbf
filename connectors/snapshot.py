"""Turns the rows of a service into a snapshot: originals, copies, damaged tasks, and tasks of others. Pure.

A row is ours if its text contains our marker and it is trusted: anybody may open a task in a public place. Each service
has its way to hide the marker; `HtmlComment` is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from config.errors import RefusedError
from config.keys import goal_of
from connectors.codec import read_marker
from connectors.model import Content, Marker, Snapshot, StoredKey, Task, client_nonce, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from connectors.model import StoredGoal

_NONCE = re.compile(r"bp\d{1,9} ([0-9a-f]{10})\b")  # the rest of a damaged marker
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


def marker_of(text: str, namespace: str) -> Marker | None:
    """Return the marker in `text`. Raises RefusedError for one of a newer version only if it is ours."""
    try:
        return read_marker(text) if text else None
    except RefusedError:
        if f" {namespace} " in text:
            raise
        return None


def damaged_marker(text: str, namespace: str, key: str, entry: StoredKey) -> Marker:
    """Return the marker of a task that is remembered, whose marker is damaged. text: the rest of it."""
    left = _NONCE.match(text)
    nonce = left[1] if left else client_nonce(namespace, key, entry.generation)
    return Marker(namespace, key, nonce, entry.generation)


class Marked(Protocol):
    """Something with a marker in it."""

    @property
    def marker(self) -> Marker:
        """The marker."""


M = TypeVar("M", bound=Marked)


def by_nonce(found: Iterable[M], namespace: str) -> dict[str, list[M]]:
    """Return what is ours by its nonce: a task of ours, and the copies of it."""
    ours: dict[str, list[M]] = {}
    for one in found:
        if one.marker.namespace == namespace:
            ours.setdefault(one.marker.nonce, []).append(one)
    return ours


def of_others(found: Iterable[Marked], namespace: str) -> dict[str, frozenset[str]]:
    """Return the keys of what is not ours, by namespace."""
    others: dict[str, frozenset[str]] = {}
    for marker in (one.marker for one in found if one.marker.namespace != namespace):
        others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
    return others


def as_written(task: Task, entry: StoredKey | None) -> Task:
    """Return a task that cannot be read as it was last: with the date of its marker, and in its remembered state."""
    state = entry.state if entry else "live"
    content = replace(task.content, due=task.marker.due)
    return replace(task, content=content, done=state == "done", dropped=state == "dropped")


@dataclass(frozen=True, slots=True)
class Found:
    """A row with its marker; `whole`: the marker is as we wrote it."""

    row: Row
    marker: Marker
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Classifier:
    """Classifies rows, with the memory of a namespace."""

    namespace: str
    hiding: Hiding
    memory: Mapping[str, StoredGoal]

    @property
    def entries(self) -> dict[str, StoredKey]:
        """The entries of the memory, by key."""
        return {key: entry for goal in self.memory.values() for key, entry in goal.keys.items()}

    def managed(self, rows: Iterable[Row]) -> Iterator[Found]:
        """Yield the rows with a marker of any namespace, and those of ours that have lost it; the oldest first."""
        known = {entry.native_id: (key, entry) for key, entry in self.entries.items()}
        for row in sorted(rows, key=lambda row: (row.added, row.id)):
            key, entry = known.get(row.id, ("", None))
            line = self.hiding.split(row.text)[1]
            marker = marker_of(line, self.namespace) if row.trusted or entry else None
            if marker is not None:
                yield Found(row, marker)
            elif entry is not None and entry.state == "live":
                yield Found(row, damaged_marker(line, self.namespace, key, entry), whole=False)

    def original(self, alike: Sequence[Found], whole: frozenset[str]) -> Found | None:
        """Return the row that we created, of those with one nonce: the remembered one, else the oldest.

        whole: the ids of the rows whose markers are as we wrote them. If the remembered row of the key is one of these,
        a racing run has created this one. Return None if the remembered row does not exist any more: then the user
        copied it, and deleted the original.
        """
        entries = self.entries
        ids = {entry.native_id for entry in entries.values()}  # under any key: a rename may have been interrupted
        if known := next((found for found in alike if found.row.id in ids), None):
            return known
        marker = alike[0].marker
        entry = entries.get(marker.key)
        fresh = entry is None or entry.state == "pending" or entry.generation != marker.generation
        return alike[0] if fresh or (entry and entry.native_id in whole) else None

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
        rows = list(rows)
        managed = list(self.managed(rows))
        ours = by_nonce(managed, self.namespace)
        whole = frozenset(one.row.id for one in managed if one.whole)
        originals = [found for alike in ours.values() if (found := self.original(alike, whole))]
        ids = {found.row.id for found in originals}
        copies = [found for alike in ours.values() for found in alike if found.row.id not in ids]
        return Snapshot(
            tuple(map(self._task, originals)),
            tuple(map(self._task, copies)),
            self.memory,
            remembers=bool(self.memory) or not originals,
            others=of_others(managed, self.namespace),
            damaged=frozenset(found.row.id for found in originals if not found.whole),
            damage=damage or self._missing(originals),
            detached=self._detached(rows),
        )

    def _detached(self, rows: Iterable[Row]) -> dict[str, Content]:
        """Return the content of the rows that are remembered as removed or closed, and that have no marker."""
        ended = {entry.native_id for entry in self.entries.values() if entry.state != "live"}
        return {row.id: self.content(row) for row in rows if row.id in ended and not self.hiding.split(row.text)[1]}

    def _missing(self, originals: Iterable[Found]) -> str:
        """Return a sentence on goals that have tasks and no memory, while other goals have one."""
        lost = sorted({goal_of(found.marker.key) for found in originals} - self.memory.keys())
        return f"the memory of {', '.join(lost)} is missing" if lost and self.memory else ""

    def _task(self, found: Found) -> Task:
        row, marker = found.row, found.marker
        task = Task(
            row.id,
            self.content(row, marker),
            marker,
            done=row.done,
            done_at=row.done_at,
            dropped=row.dropped,
            touched=row.touched,
            recurring=row.recurring,
            unread=row.unread,
        )
        return as_written(task, self.entries.get(marker.key)) if row.unread else task


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
