"""The memory in items of a service: a piece in each, as many as it takes.

    bpm1 me/goals 1/1 k3zq7a
    {"goal":"food-handler","since":"2027-07-20",...}
    {"goal":"wedding",...}

A memory of one piece is changed in place. One of several is made anew beside the old pieces, which go last: a run that
dies in between leaves one whole set. Two that racing runs made are read as one, and the elder goes.
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
    """One item of the memory: its row, which piece it is, of how many, of which set."""

    row: Row
    number: int
    count: int
    set: str
    text: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored for a namespace. `rows` hold it, in order; `spare` are rows of ours that hold nothing any more.

    damage: tells that there is a newer one, which cannot be read.
    """

    memory: Mapping[str, StoredGoal]
    rows: tuple[Row, ...] = ()
    spare: tuple[Row, ...] = ()
    damage: str = ""


def cut(text: str, most: int) -> list[str]:
    """Return a text in pieces of at most so many characters. None ends in a space: services take those away."""
    return re.findall(rf"(?s).{{1,{most}}}(?<!\s)", text)


def write(memory: Mapping[str, StoredGoal], namespace: str, longest: int) -> list[str]:
    """Return the lines to hide in items, so that none is longer than `longest`; none for an empty memory."""
    text = "\n".join(write_memory(memory))
    pieces = cut(text, longest - _LONGEST_HEAD - len(namespace))
    name = digest(text)
    return [f"bpm1 {namespace} {number}/{len(pieces)} {name}\n{piece}" for number, piece in enumerate(pieces, start=1)]


def whole(memory: Mapping[str, StoredGoal], namespace: str, longest: int) -> str:
    """Return the line to hide in the one item of a memory. Raises BackplanError where it takes several."""
    lines = write(memory, namespace, longest)
    if len(lines) != 1:
        raise BackplanError("another run has written the memory in the meantime; run again")
    return lines[0]


def read(rows: Iterable[Row], namespace: str, hiding: Hiding) -> Stored:
    """Return the memory: the newest whole set, and what only elder ones know.

    A set of which pieces are missing counts for nothing: a run that died while it wrote its first had made no task yet.
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
        memory, damage = _merged(memory, found), ""
        chosen = tuple(piece.row for piece in ordered)
    kept = {row.id for row in chosen}
    return Stored(memory, chosen, tuple(piece.row for piece in pieces if piece.row.id not in kept), damage)


def _merged(elder: Mapping[str, StoredGoal], newer: Mapping[str, StoredGoal]) -> dict[str, StoredGoal]:
    """Return two memories as one; the newer counts for the keys that it has."""
    merged = dict(elder)
    for goal_id, goal in newer.items():
        before = elder.get(goal_id)
        merged[goal_id] = replace(goal, keys={**before.keys, **goal.keys}) if before else goal
    return merged


def _pieces(rows: Iterable[Row], namespace: str, hiding: Hiding) -> list[Piece]:
    """Return the pieces, the eldest first. Only those count that somebody wrote who may."""
    found = []
    for row in sorted(rows, key=lambda row: (row.added, row.id)):
        line = hiding.split(row.text)[1]
        head = _HEAD.match(line)
        if head and row.trusted and head["namespace"] == namespace:
            piece = Piece(row, int(head["number"]), int(head["count"]), head["set"], line[head.end() :])
            found.append(piece)
    return found
