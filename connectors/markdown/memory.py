"""Finds and reads our state in a Markdown list, checks whether it is complete, and writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from config.errors import RefusedError
from connectors.codec import read_memory
from connectors.markdown.line import Line
from connectors.markdown.signs import ids_in
from connectors.markdown.state import FORMAT, Row, State, is_row, merged, read_row, rows_of, state_of, write_row
from connectors.markdown.text import fenced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

MEMORY_START = "<!-- backplan's memory of {namespace}, keep this"
MEMORY_END = "-->"
# Git joins two conflicts that are up to three lines apart: this one keeps those in tasks and in rows apart.
_NOTE = "# a row for each task; git's marks of a merge conflict can stay here"
_ANY_START = re.compile(r"<!-- backplan's memory of (\S+), keep this\s*")
_JSON = re.compile(r'\s*\[?\{"goal"?:?')  # the entries of earlier versions
_STRAY_JSON = re.compile(r'\s*\{"goal":.*"since":')
_NUMBER = re.compile(r"\d{1,9}")
_OURS, _BASE, _PARTED, _THEIRS = "<<<<<<< ", "||||||| ", "=======", ">>>>>>> "  # git's marks of a conflict


class Block(NamedTuple):
    """The lines of a state, from `start` up to, not including, `stop`; `whole`: its end is not damaged."""

    start: int
    stop: int
    whole: bool

    @property
    def numbers(self) -> range:
        """The numbers of its lines."""
        return range(self.start, self.stop)


class Stored(NamedTuple):
    """A state as it was read. `damage`: why it cannot be. `mending`: it is two states, and has to be written as one."""

    state: State
    damage: str = ""
    mending: bool = False


def memory_block(lines: Sequence[str], namespace: str) -> Block | None:
    """Return the lines of our state; of several, the last one."""
    first = MEMORY_START.format(namespace=namespace)
    start = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].rstrip() == first), None)
    return None if start is None else _block(lines, start)


def stored_in(lines: Sequence[str], namespace: str) -> Stored:
    """Return the state; if it cannot be read, an empty one, with the line and the error.

    Raises RefusedError for the format of a newer version.
    """
    block = memory_block(lines, namespace)
    strays = stray_entries(lines)
    if strays:
        return Stored(State(), f"{strays[0] + 1}: an entry of the memory stands outside of the memory's comment")
    if block is None:
        return Stored(State())
    if not block.whole:
        return Stored(State(), f"{block.stop}: the memory is damaged: `{MEMORY_END}` does not follow its entries")
    entries = [line.strip() for line in lines[block.start + 1 : block.stop - 1] if line.strip()]
    try:
        sides = list(_sides(entries))
        rows = [row for side in sides for row in _read(side, namespace)]
        two = len(sides) > 1 or len({row.key for row in rows if row.entry}) < sum(row.entry is not None for row in rows)
        return Stored(state_of(merged(rows, _dues(lines)) if two else rows), mending=two)
    except ValueError as error:
        return Stored(State(), f"{block.start + 1}: {error}")


def other_states(lines: Sequence[str], namespace: str) -> Iterator[tuple[str, State]]:
    """Yield the states of other namespaces that can be read."""
    for line in lines:
        found = _ANY_START.fullmatch(line)
        if found and found[1] != namespace:
            yield found[1], stored_in(lines, found[1]).state


def written(state: State, namespace: str) -> list[str]:
    """Return the lines of a state."""
    rows = [write_row(row, namespace) for row in rows_of(state)]
    return [MEMORY_START.format(namespace=namespace), str(FORMAT), _NOTE, *rows, MEMORY_END] if rows else []


def _read(entries: Sequence[str], namespace: str) -> list[Row]:
    """Return the rows of a state, perhaps one of an earlier version."""
    if not entries or not _NUMBER.fullmatch(entries[0]):
        if any(map(is_row, entries)):
            raise ValueError(f"the memory is damaged: a line with `{FORMAT}` has to stand before its rows")
        return rows_of(State(read_memory(list(entries))))
    if int(entries[0]) != FORMAT:
        raise RefusedError("a newer version of backplan wrote this list; update backplan (nothing was changed)")
    rows = (line for line in entries[1:] if line != entries[0] and not line.startswith(_NOTE[:8]))
    return [read_row(line, namespace) for line in rows]


def _sides(entries: Sequence[str]) -> Iterator[list[str]]:
    """Yield the entries; of a merge conflict, those of each side. Raises ValueError if the marks are not complete."""
    parts: list[list[str]] = [[], []]
    side = None  # on both
    for line in entries:
        if line.startswith(_OURS) and side is None:
            side = 0
        elif line.startswith(_BASE) and side == 0:
            side = 2
        elif line == _PARTED and side in (0, 2):
            side = 1
        elif line.startswith(_THEIRS) and side == 1:
            side = None
        elif side != 2:  # what both had before
            for part in parts if side is None else [parts[side]]:
                part.append(line)
    if side is not None:
        raise ValueError("the memory is damaged: a merge conflict of git in it has no end")
    yield from parts if parts[0] != parts[1] else parts[:1]


def _dues(lines: Iterable[str]) -> dict[str, date | None]:
    """Return the day in the line of each id."""
    ids = [(line, id_.casefold()) for line in lines for id_, _ in ids_in(line)]
    return {id_: Line(line, anchor=id_).content.due for line, id_ in reversed(ids)}


def stray_entries(lines: Sequence[str]) -> list[int]:
    """Return the lines that are entries of a state, outside of any state and code block."""
    found = [n for n, line in enumerate(lines) if _STRAY_JSON.match(line) or is_row(line.rstrip())]
    if not found:
        return []
    blocks = [_block(lines, n) for n, line in enumerate(lines) if _ANY_START.fullmatch(line)]
    apart = set(found).difference(*(block.numbers for block in blocks))
    return sorted(apart - fenced(lines).keys()) if apart else []


def _is_entry(text: str) -> bool:
    return (
        _JSON.match(text) is not None
        or _NUMBER.fullmatch(text) is not None
        or text.startswith(_NOTE[:8])
        or is_row(text)
    )


def _block(lines: Sequence[str], start: int) -> Block:
    """Return the state that begins at `start`.

    It ends at its `-->`: in between, there may be other text, but blank lines only between entries. If that end is
    missing, it ends behind its last entry: the rest belongs to the user.
    """
    stop = start + 1
    tight = entries_only = True
    last = start
    while stop < len(lines) and "<!--" not in lines[stop]:
        text = lines[stop].strip()
        if text == MEMORY_END:
            return Block(start, stop + 1, whole=True)
        tight = tight and bool(text)
        entries_only = entries_only and (not text or _is_entry(text))
        if text and entries_only:
            last = stop
        if not (tight or entries_only):
            break
        stop += 1
    return Block(start, last + 1, whole=False)
