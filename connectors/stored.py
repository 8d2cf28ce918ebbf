"""The memory in items of a service: a piece in each, in as many as are needed.

    bpm1 me/goals 1/1 k3zq7a
    {"goal":"food-handler","since":"2027-07-20",...}
    {"goal":"wedding",...}

A memory of one piece is changed in place. One of several pieces is created again beside the old pieces, which are then
removed: a run that is killed in between leaves one whole set. Two sets from racing runs are merged into the newer one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.codec import read_memory, write_memory
from connectors.model import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.model import StoredGoal
    from connectors.snapshot import Hiding, Row

TITLE = "backplan's memory, keep this"
ABOUT = "What backplan has to remember of your plan stands here. Please leave this as it is, and open."
_HEAD = re.compile(r"bpm1 (?P<namespace>\S+) (?P<number>\d{1,4})/(?P<count>\d{1,4}) (?P<set>\w+)\n")
_LONGEST_HEAD = 120


@dataclass(frozen=True, slots=True)
class Piece:
    """One item of the memory: its row, its number, the number of pieces, and the name of its set."""

    row: Row
    number: int
    count: int
    set: str
    text: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The stored memory of a namespace. `rows` contain it, in order; `spare` are rows that are not needed any more.

    damage: why a newer one cannot be read.
    """

    memory: Mapping[str, StoredGoal]
    rows: tuple[Row, ...] = ()
    spare: tuple[Row, ...] = ()
    damage: str = ""


def cut(text: str, most: int) -> list[str]:
    """Return a text in pieces of at most so many characters. None ends in a space: services remove that."""
    return re.findall(rf"(?s).{{1,{most}}}(?<!\s)", text)


def write(memory: Mapping[str, StoredGoal], namespace: str, longest: int) -> list[str]:
    """Return the lines to hide in items, so that none is longer than `longest`; none for an empty memory."""
    text = "\n".join(write_memory(memory))
    pieces = cut(text, longest - _LONGEST_HEAD - len(namespace))
    name = digest(text)
    return [f"bpm1 {namespace} {number}/{len(pieces)} {name}\n{piece}" for number, piece in enumerate(pieces, start=1)]


def whole(memory: Mapping[str, StoredGoal], namespace: str, longest: int) -> str:
    """Return the line for a memory that fits into one item. Raises BackplanError if it does not."""
    lines = write(memory, namespace, longest)
    if len(lines) != 1:
        raise BackplanError("another run has written the memory in the meantime; run again")
    return lines[0]


def read(rows: Iterable[Row], namespace: str, hiding: Hiding) -> Stored:
    """Return the memory: the newest whole set, with the keys that only older sets have.

    A set with missing pieces is ignored: a run that was killed while it wrote its first set has created no task.
    """
    pieces = _pieces(rows, namespace, hiding)
    sets: dict[str, dict[int, Piece]] = {}
    for piece in pieces:
        sets.setdefault(piece.set, {})[piece.number] = piece
    whole = [parts for parts in sets.values() if len(parts) == next(iter(parts.values())).count]
    memory: dict[str, StoredGoal] = {}
    chosen: tuple[Row, ...] = ()
    damage = ""
    for parts in whole:
        ordered = [parts[number] for number in sorted(parts)]
        try:
            found = read_memory("".join(piece.text for piece in ordered).split("\n"))
        except ValueError as error:
            damage = str(error)
            continue
        memory, damage = merged(memory, found), ""
        chosen = tuple(piece.row for piece in ordered)
    kept = {row.id for row in chosen}
    return Stored(memory, chosen, tuple(piece.row for piece in pieces if piece.row.id not in kept), damage)


def merged(older: Mapping[str, StoredGoal], newer: Mapping[str, StoredGoal]) -> dict[str, StoredGoal]:
    """Return two memories as one; the newer takes precedence."""
    merged = dict(older)
    for goal_id, goal in newer.items():
        before = older.get(goal_id)
        merged[goal_id] = replace(goal, keys={**before.keys, **goal.keys}) if before else goal
    return merged


def _pieces(rows: Iterable[Row], namespace: str, hiding: Hiding) -> list[Piece]:
    """Return the pieces, the oldest first; those in rows that are not trusted are ignored."""
    found = []
    for row in sorted(rows, key=lambda row: (row.added, row.id)):
        line = hiding.split(row.text)[1]
        head = _HEAD.match(line)
        if head and row.trusted and head["namespace"] == namespace:
            piece = Piece(row, int(head["number"]), int(head["count"]), head["set"], line[head.end() :])
            found.append(piece)
    return found
