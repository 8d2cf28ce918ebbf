"""Finds and reads our state in a Markdown list, checks whether it is complete, and writes it.

Editors and people may have indented it, quoted it, escaped it or joined its lines: that is read. So are several states,
as one that a person pasted or that git left beside the newer one; they count as one.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import takewhile
from typing import TYPE_CHECKING

from config.errors import RefusedError
from connectors.codec import read_memory
from connectors.markdown.line import Line
from connectors.markdown.signs import ids_in
from connectors.markdown.state import (
    FORMAT,
    Block,
    Row,
    State,
    Stored,
    is_row,
    merged,
    newest_first,
    read_row,
    rows_of,
    state_of,
    write_row,
)
from connectors.markdown.text import conflicts, fenced

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from datetime import date

_NAME = "backplan's memory of {namespace}, keep this"
_START, _END = f"<!-- {_NAME}", "-->"
# Git joins two conflicts that are up to three lines apart: this one keeps those in tasks and in rows apart.
_NOTE = "# a row for each task; git's marks of a merge conflict can stay here"
_ANY_START = re.compile(r"<!(?:--|[–—]) ?backplan['’]s memory of (?P<namespace>\S+), keep this(?:\s+(?P<rest>.*))?")
_ANY_END = re.compile(r"(?:^|\s)(?:--|[–—])>$")
_QUOTED = re.compile(r"(?:[ \t]*>(?=[ \t\r]|$))*[ \t]*")
_JSON = re.compile(r'\[?\{"goal"?:?')  # the entries of earlier versions
_STRAY_JSON = re.compile(r'\{"goal":.*"since":')
_NUMBER = re.compile(r"\d{1,9}")
_DAY = r"\d{4}-\d\d-\d\d"
# Where an entry begins in lines that were joined; no part of a row looks like the three with which a row begins.
_BEGINS = re.compile(rf'\s+(?=\{{"goal":|{_NOTE[:8]}|[\w-]+ (?!{_DAY})\S+ [pldxr-]\d{{0,9}}(?: |$))')


def stored_in(lines: Sequence[str], namespace: str) -> Stored:
    """Return the state; if it cannot be read, an empty one, with the line and the error.

    Raises RefusedError for the format of a newer version.
    """
    there = [block for name, block in _blocks(lines) if name == namespace]
    blocks = tuple(_counting(lines, there, namespace))
    found = Stored(State(), blocks, apart=tuple(block for block in there if block not in blocks))
    if damage := _damage(lines, blocks, namespace):
        return found._replace(damage=damage)
    try:
        sides = [_read(side, namespace) for block in blocks for side in _sides(block.entries)]
        rows = [row for side in sides for row in side]
        two = len(sides) > 1 or _is_said_twice(rows)
        return found._replace(state=state_of(_as_one(sides, lines) if two else rows), mending=two)
    except ValueError as error:
        return found._replace(damage=f"{blocks[-1].numbers.start + 1}: {error}")


def _is_said_twice(rows: Iterable[Row]) -> bool:
    """Return whether two rows have an entry for one key."""
    keys = [row.key for row in rows if row.entry]
    return len(set(keys)) < len(keys)


def _as_one(sides: Sequence[list[Row]], lines: Iterable[str]) -> list[Row]:
    """Return the rows of several states as those of one, by what the lines show."""
    dues = _dues(lines, {row.id for side in sides for row in side})
    return merged([row for side in newest_first(sides, dues) for row in side], dues)


def _counting(lines: Sequence[str], blocks: list[Block], namespace: str) -> list[Block]:
    """Return the states that count: those as we write them; without any, those in another shape; without any, in code.

    One that the user quotes beside the list's own is an example.
    """
    start, code = _START.format(namespace=namespace), fenced(lines) if blocks else {}
    outside = [block for block in blocks if block.numbers.start not in code]
    return [block for block in outside if lines[block.numbers.start].rstrip() == start] or outside or blocks


def _damage(lines: Sequence[str], blocks: Sequence[Block], namespace: str) -> str:
    """Return why a state cannot be complete, with the number of the line; empty if it may be."""
    if not blocks and (lost := _named(lines, namespace)):
        start = _START.format(namespace=namespace)
        return (
            f"{lost[0]}:{lost[1]}: the memory cannot be read here: its comment has to begin a line, as `{start}`, with "
            f"its rows in the lines below, and `{_END}` in a line behind them"
        )
    if strays := stray_entries(lines):
        return f"{strays[0] + 1}: an entry of the memory stands outside of the memory's comment"
    if torn := next((block for block in blocks if not block.whole), None):
        return f"{torn.numbers.stop}: the memory is damaged: `{_END}` does not follow its entries"
    return ""


def _named(lines: Sequence[str], namespace: str) -> tuple[int, int] | None:
    """Return the line and column at which the name of a state stands in a text, outside of code."""
    name = _NAME.format(namespace=namespace).partition(" ")[2].casefold()
    found = ((number, line.casefold().find(name)) for number, line in enumerate(lines))
    there = [(number + 1, column + 1) for number, column in found if column >= 0]
    code = fenced(lines) if there else {}
    return next((place for place in there if place[0] - 1 not in code), None)


def other_states(lines: Sequence[str], namespace: str) -> Iterator[tuple[str, State]]:
    """Yield the states of other namespaces that can be read."""
    for other in dict.fromkeys(name for name, _ in _blocks(lines) if name != namespace):
        yield other, stored_in(lines, other).state


def written(state: State, namespace: str) -> list[str]:
    """Return the lines of a state."""
    rows = [write_row(row, namespace) for row in rows_of(state)]
    return [_START.format(namespace=namespace), str(FORMAT), _NOTE, *rows, _END] if rows else []


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


def _sides(entries: Sequence[str]) -> list[list[str]]:
    """Return the entries; of merge conflicts, those of each side."""
    sides: list[list[str]] = [[], []]
    last = 0
    for conflict in conflicts(entries):
        for side, own in zip(sides, (conflict.ours, conflict.theirs), strict=True):
            side += [*entries[last : conflict.numbers.start], *entries[own.start : own.stop]]
        last = conflict.numbers.stop
    sides = [[*side, *entries[last:]] for side in sides]
    return sides if sides[0] != sides[1] else sides[:1]


def _dues(lines: Iterable[str], known: Container[str]) -> dict[str, date | None]:
    """Return the day in the first line of each known id: a line is not read for each of the many ids it may hold."""
    ids = [(line, id_.casefold()) for line in lines for id_, _ in ids_in(line)]
    first = {id_: line for line, id_ in reversed(ids) if id_ in known}
    return {id_: Line(line, anchor=id_).content.due for id_, line in first.items()}


def stray_entries(lines: Sequence[str]) -> list[int]:
    """Return the lines that are entries of a state, outside of any state and code block."""
    found = {n for n, line in enumerate(lines) if _STRAY_JSON.match(line.lstrip()) or is_row(line.rstrip())}
    apart = found.difference(*(block.numbers for _, block in _blocks(lines))) if found else found
    return sorted(apart - fenced(lines).keys()) if apart else []


def is_end(line: str) -> bool:
    """Return whether a line is the end of a state."""
    return line.strip() == _END


def _is_entry(text: str) -> bool:
    return text == _NOTE or bool(_JSON.match(text) or _NUMBER.fullmatch(text)) or is_row(text)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, Block]]:
    """Yield all states, each with its namespace."""
    for number, line in enumerate(lines):
        if ", keep this" in line and (found := _ANY_START.fullmatch(_plain(line))):
            yield found["namespace"], _block(lines, number, found["rest"] or "")


def _block(lines: Sequence[str], start: int, rest: str) -> Block:
    """Return the state that begins at `start`. rest: what follows its name in that line.

    It ends at its `-->`: in between, there may be other text, but blank lines only between entries. If that end is
    missing, it ends behind its last entry: the rest belongs to the user.
    """
    texts = [rest]
    for number in range(start, len(lines)):
        if number > start:
            if "<!--" in lines[number]:
                break
            texts.append(_plain(lines[number]))
        if end := _ANY_END.search(texts[-1]):
            entries = _entries([*texts[:-1], texts[-1][: end.start()]])
            if (not end.start() and all(texts[1:])) or all(map(_is_entry, entries)):
                return Block(range(start, number + 1), entries, whole=True)
    ours = list(takewhile(lambda text: not text or _is_entry(text), texts))
    last = max((number for number, text in enumerate(ours) if text), default=0)
    return Block(range(start, start + last + 1), (), whole=False)


def _entries(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the entries in the lines of a state; if lines were joined or broken, those that begin in them."""
    several = (_BEGINS.split(text) if text.startswith("{") else [text] for text in texts if text)
    lines = tuple(entry for entries in several for entry in entries)
    if all(map(_is_entry, lines)):
        return lines
    joined = tuple(_BEGINS.split(" ".join(lines)))
    return joined if all(map(_is_entry, joined)) else lines


def _plain(line: str) -> str:
    """Return a line without quotation marks and indentation, and without what editors escape."""
    text = line[match.end() :] if (match := _QUOTED.match(line)) else line
    return (text if '{"goal"' in text else unescape(text).replace("\\", "")).strip()
