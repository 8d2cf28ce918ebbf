"""From rows, as any service returns them, to a snapshot: which are ours, originals, copies, damaged, or others'. Pure.

A row is ours by the marker in its text, where we can have written it: anybody may open a task in a public place. Text
that nobody sees is a service's own business: `HtmlComment` is one way to hide it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from config.errors import RefusedError
from config.keys import goal_of
from connectors.codec import read_marker
from connectors.model import Content, Marker, Snapshot, StoredKey, Task, client_nonce, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from connectors.model import StoredGoal

_NONCE = re.compile(r"bp\d{1,9} ([0-9a-f]{10})\b")  # what is left of a damaged marker
_HIDDEN = re.compile(r"(?s)\n*<!--[ \t]*(bpm?\d{1,9}\b.*?)[ \t]*-->")
_LIKE_HIDDEN = re.compile(r"<!--(?=[ \t]*bpm?\d)")


@dataclass(frozen=True, slots=True)
class Row:
    """A task as a service returns it. `text` is its description as stored, marker and all.

    people: the names of those who are assigned to it. added: sorts by age. touched: a person added something to it that
    is not in its content. trusted: it has our label, or whoever the token belongs to made it. recurring: a person made
    it repeat.
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

    @property
    def closed(self) -> bool:
        """Whether it is done or dropped."""
        return self.done or self.dropped


class Hiding(Protocol):
    """Where a service keeps a line of ours in a description."""

    def split(self, text: str) -> tuple[str, str]:
        """Return what people see of a description, and our line in it; without one, the line is empty."""

    def join(self, notes: str, line: str) -> str:
        """Return the description that holds both."""

    def escape(self, notes: str) -> str:
        """Return notes in which nothing looks like a line of ours."""


class HtmlComment:
    """A comment of HTML at the end of a description in Markdown."""

    def split(self, text: str) -> tuple[str, str]:
        """Return the text without its last comment of ours, and what that says."""
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
    """A field of its own. A text is then both: the description, and our line behind a sign that no text has."""

    _SIGN = "\0"

    def split(self, text: str) -> tuple[str, str]:
        """Return what stands before the sign, and what stands behind it."""
        notes, _, line = text.partition(self._SIGN)
        return notes, line

    def join(self, notes: str, line: str) -> str:
        """Return notes and line with the sign between them."""
        return f"{notes}{self._SIGN}{line}" if line else notes

    def escape(self, notes: str) -> str:
        """Return notes without the sign."""
        return notes.replace(self._SIGN, "")


def marker_of(text: str, namespace: str) -> Marker | None:
    """Return the marker that `text` is. That of a newer version is a reason to stop only where it is one of ours."""
    try:
        return read_marker(text) if text else None
    except RefusedError:
        if f" {namespace} " in text:
            raise
        return None


def damaged_marker(text: str, namespace: str, key: str, entry: StoredKey) -> Marker:
    """Return the marker of a task that is remembered, and of whose marker no more than `text` is left."""
    left = _NONCE.match(text)
    nonce = left[1] if left else client_nonce(namespace, key, entry.generation)
    return Marker(namespace, key, nonce, entry.generation)


@dataclass(frozen=True, slots=True)
class Found:
    """A row with its marker; `whole`: the marker is as we wrote it."""

    row: Row
    marker: Marker
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Classifier:
    """Tells whose rows are, by what a namespace remembers."""

    namespace: str
    hiding: Hiding
    memory: Mapping[str, StoredGoal]

    @property
    def entries(self) -> dict[str, StoredKey]:
        """Everything that is remembered, by key."""
        return {key: entry for goal in self.memory.values() for key, entry in goal.keys.items()}

    def managed(self, rows: Iterable[Row]) -> Iterator[Found]:
        """Yield the rows with a marker of anybody, the eldest first, and those of ours that have lost it."""
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
        """Return which of the rows with one nonce we made: that which is remembered, else the eldest.

        whole: the ids of the rows whose markers are as we wrote them. Where one of those is remembered, this is another
        task with its key, which a run that raced has made. None where the one that is remembered is gone: then a person
        has copied it, and deleted what they copied.
        """
        entries = self.entries
        ids = {entry.native_id for entry in entries.values()}  # under whatever key: a rename may have been cut short
        if known := next((found for found in alike if found.row.id in ids), None):
            return known
        marker = alike[0].marker
        entry = entries.get(marker.key)
        fresh = entry is None or entry.state == "pending" or entry.generation != marker.generation
        return alike[0] if fresh or (entry and entry.native_id in whole) else None

    def content(self, row: Row, marker: Marker | None = None) -> Content:
        """Return what people see of a row. Of several people, the one counts that we applied."""
        applied = marker.applied.get("who") if marker else None
        who = next((name for name in row.people if digest(name) == applied), next(iter(row.people), ""))
        return Content(row.title, row.due, self.notes(row), row.labels, row.priority, row.start, who)

    def notes(self, row: Row) -> str:
        """Return the description without our line, as notes are compared."""
        return tidy(self.hiding.split(row.text)[0])

    def snapshot(self, rows: Iterable[Row], damage: str = "") -> Snapshot:
        """Return what the rows are. damage: of the memory, which is damaged too where goals are missing in it."""
        others: dict[str, frozenset[str]] = {}
        ours: dict[str, list[Found]] = {}
        managed = list(self.managed(rows))
        whole = frozenset(one.row.id for one in managed if one.whole)
        for one in managed:
            marker = one.marker
            if marker.namespace == self.namespace:
                ours.setdefault(marker.nonce, []).append(one)
            else:
                others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
        originals = [found for alike in ours.values() if (found := self.original(alike, whole))]
        ids = {found.row.id for found in originals}
        copies = [found for alike in ours.values() for found in alike if found.row.id not in ids]
        return Snapshot(
            tuple(map(self._task, originals)),
            tuple(map(self._task, copies)),
            self.memory,
            remembers=bool(self.memory) or not originals,
            others=others,
            damaged=frozenset(found.row.id for found in originals if not found.whole),
            damage=damage or self._missing(originals),
        )

    def _missing(self, originals: Iterable[Found]) -> str:
        """Return a sentence on goals of which there are tasks and no memory, though there is one of others."""
        lost = sorted({goal_of(found.marker.key) for found in originals} - self.memory.keys())
        return f"what is remembered of {', '.join(lost)} is gone" if lost and self.memory else ""

    def _task(self, found: Found) -> Task:
        row = found.row
        return Task(
            row.id,
            self.content(row, found.marker),
            found.marker,
            done=row.done,
            done_at=row.done_at,
            dropped=row.dropped,
            touched=row.touched,
            recurring=row.recurring,
        )


def tidy(text: str) -> str:
    """Return notes in the form in which they are compared."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def in_words(content: Content, fields: frozenset[str]) -> str:
    """Return the notes with what a service has no field for: who does it, and the checklist."""
    who = f"Who: {content.who}" if content.who and "who" not in fields else ""
    items = () if "checklist" in fields else content.checklist
    checklist = "\n".join(f"- {' '.join(item.split())}" for item in items)
    return "\n\n".join(filter(None, [content.notes.strip(), who, checklist]))
