"""Finds and reads our memory in a Markdown list, and checks whether it is complete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from connectors.codec import read_memory
from connectors.markdown.text import fenced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.model import StoredGoal

MEMORY_START = "<!-- backplan's memory of {namespace}, keep this"
MEMORY_END = "-->"
_ANY_START = re.compile(r"<!-- backplan's memory of \S+, keep this\s*")
_ENTRY = re.compile(r'\s*\[?\{"goal"?:?')
_STRAY_ENTRY = re.compile(r'\s*\{"goal":.*"since":')


class Block(NamedTuple):
    """The lines of a memory, from `start` up to, not including, `stop`; `whole`: its end is not damaged."""

    start: int
    stop: int
    whole: bool

    @property
    def numbers(self) -> range:
        """The numbers of its lines."""
        return range(self.start, self.stop)


def memory_block(lines: Sequence[str], namespace: str) -> Block | None:
    """Return the lines of our memory; of several, the last one."""
    first = MEMORY_START.format(namespace=namespace)
    start = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].rstrip() == first), None)
    return None if start is None else _block(lines, start)


def memory_in(lines: Sequence[str], namespace: str) -> tuple[dict[str, StoredGoal], str]:
    """Return the memory and an empty text; if it cannot be read, no memory, and the line and the error."""
    block = memory_block(lines, namespace)
    strays = stray_entries(lines)
    if strays:
        return {}, f"{strays[0] + 1}: an entry of the memory stands outside of the memory's comment"
    if block is None:
        return {}, ""
    if not block.whole:
        return {}, f"{block.stop}: the memory is damaged: `{MEMORY_END}` does not follow right behind its entries"
    entries = [line for line in lines[block.start + 1 : block.stop - 1] if line.strip()]
    try:
        return read_memory(entries), ""
    except ValueError as error:
        return {}, f"{block.start + 1}: {error}"


def stray_entries(lines: Sequence[str]) -> list[int]:
    """Return the lines that are entries of a memory, outside of any memory and code block."""
    found = [n for n, line in enumerate(lines) if _STRAY_ENTRY.match(line)]
    if not found:
        return []
    blocks = [_block(lines, n) for n, line in enumerate(lines) if _ANY_START.fullmatch(line)]
    apart = set(found).difference(*(block.numbers for block in blocks))
    return sorted(apart - fenced(lines).keys()) if apart else []


def _block(lines: Sequence[str], start: int) -> Block:
    """Return the memory that begins at `start`.

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
        entries_only = entries_only and (not text or _ENTRY.match(text) is not None)
        if text and entries_only:
            last = stop
        if not (tight or entries_only):
            break
        stop += 1
    return Block(start, last + 1, whole=False)
