"""Which lines of a Markdown list are ours: those with a marker that counts, and which of them are copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connectors.base import Marker, client_nonce, digest
from connectors.markdown_line import COMMENT, Line, unescaped
from connectors.markdown_memory import memory_block, memory_in
from connectors.markdown_text import fenced, tasks_in
from connectors.marker import read_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors.base import Content


class Known:
    """The nonces that we remember, with their keys: by one of these, a marker that a person damaged is told."""

    def __init__(self, nonces: Mapping[str, str], *, complete: bool) -> None:
        """complete: there is a memory, so that a nonce that is not in it says something."""
        self.nonces = nonces
        self.keys = frozenset(nonces.values())
        self._complete = complete

    @classmethod
    def of(cls, lines: list[str], namespace: str) -> Known:
        """Return what the memory in these lines knows."""
        memory, damage = memory_in(lines, namespace)
        nonces = {entry.native_id: key for goal in memory.values() for key, entry in goal.keys.items()}
        return cls(nonces, complete=not damage and memory_block(lines, namespace) is not None)

    def may_be_ours(self, marker: Marker) -> bool:
        """Return whether we can have written a marker: its nonce is remembered, or what a key gives that is not.

        The second is so where two branches were merged, and the memory of the other one was taken.
        """
        if not self._complete or marker.nonce in self.nonces:
            return True
        nonce = client_nonce(marker.namespace, marker.key, marker.generation)
        return marker.key not in self.keys and marker.nonce == nonce


_JOINED = (1, "several tasks stand on one line; give each a line of its own, and it is read again")


class Found(NamedTuple):
    """A line with a marker that counts.

    `damaged`: the marker has to be written anew. `rank`: of lines with one nonce, the lowest is the task, the others
    are copies of it. `unread`: the column of what cannot be read of it, and how to mend it.
    """

    number: int
    marker: Marker
    damaged: bool
    rank: tuple[bool, ...]
    unread: tuple[int, str] | None

    def told(self, file: str) -> str:
        """Return what cannot be read, with its place; nothing where all of it can."""
        return f"{file}:{self.number + 1}:{self.unread[0]}: {self.unread[1]}" if self.unread else ""


def managed_lines(lines: list[str], namespace: str, known: Known) -> Iterator[Found]:
    """Yield the lines that carry a marker of any namespace; one of ours that we cannot have written is no marker."""
    code = fenced(lines)
    for number, text in enumerate(lines):
        if number in code or not COMMENT.search(text):
            continue
        markers = {marker.nonce: (marker, damaged) for marker, damaged in markers_of(text, namespace, known)}
        line = Line(text)
        for marker, damaged in markers.values():
            exact = not damaged and known.nonces.get(marker.nonce) == marker.key
            unread = line.unread(marker.due) if len(markers) == 1 else _JOINED
            yield Found(number, marker, damaged, _rank(line, marker, exact=exact), unread)


def _rank(line: Line, marker: Marker, *, exact: bool) -> tuple[bool, ...]:
    """Return how little a line looks like the one that we wrote.

    That has the key that the memory knows, the title and date of its marker, and a box that can be read. Where the date
    of none is the marker's, a tick tells which one a person worked on: plugins for tasks that repeat put an open copy
    with the next date above the line that was ticked.
    """
    content = line.content
    titled = digest(content.title) == marker.applied.get("title")
    written = titled and content.due == marker.due
    return not exact, not written, line.state is None, not (written or (titled and line.done))


def by_nonce(managed: Iterable[Found], namespace: str) -> dict[str, list[Found]]:
    """Return our lines by their nonces. The first of each list is the task, the others are copies of it."""
    lines: dict[str, list[Found]] = {}
    for found in managed:
        if found.marker.namespace == namespace:
            lines.setdefault(found.marker.nonce, []).append(found)
    return {nonce: sorted(found, key=lambda line: line.rank) for nonce, found in lines.items()}


def markers_of(line: str, namespace: str, known: Known) -> Iterator[tuple[Marker, bool]]:
    """Yield the markers of a line that count, and whether each has to be written anew."""
    for comment in COMMENT.finditer(line):
        text = unescaped(comment)
        marker = read_marker(text)
        nonce = next((word for word in text.split() if word in known.nonces), None)
        ours = marker is None or marker.namespace == namespace
        if nonce is not None and ours and (marker is None or marker.key not in known.keys):
            yield Marker(namespace, known.nonces[nonce], nonce), True
        elif marker is not None and (not ours or known.may_be_ours(marker)):
            yield marker, ours and not comment[0].startswith("<!--")


def unmarked_lines(lines: Sequence[str]) -> Iterator[tuple[int, Line]]:
    """Yield the checkboxes that carry no marker of anybody."""
    for number, line in tasks_in(lines):
        if not COMMENT.search(line):
            yield number, Line(line)


def find_unmarked(lines: Sequence[str], content: Content) -> int | None:
    """Return the one task without a marker that says this; None where there is none, or more than one."""
    found = [number for number, line in unmarked_lines(lines) if line.content == content]
    return found[0] if len(found) == 1 else None
