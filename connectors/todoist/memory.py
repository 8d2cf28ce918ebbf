"""The memory as comments of one Todoist task: a comment per goal, more where a goal is too long for one.

    bpm1 1/1 k3zq7a food-handler
    {"goal":"food-handler","since":"2027-07-20",...}

So a small change rewrites one comment. If a goal needs several comments, new ones are added before the old ones are
deleted: an interrupted run leaves one complete set. A user's own comments stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.codec import read_memory, write_memory
from connectors.model import digest
from connectors.stored import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.model import StoredGoal
    from connectors.todoist.answers import Note

TITLE = "backplan's memory, keep this"
_ABOUT = "What backplan has to remember of your plan stands in the comments. Please leave this task as it is, and open."
_OWNER = re.compile(r"^bpm1 (\S+) (.+)$", re.MULTILINE)
_HEAD = re.compile(r"bpm1 (?P<number>\d{1,4})/(?P<count>\d{1,4}) (?P<set>\w+) (?P<goal>\S+)\n")
LONGEST = 14_500  # 15,000 characters are safe


@dataclass(frozen=True, slots=True)
class _Piece:
    note: Note
    goal: str
    number: int
    count: int
    set: str
    text: str


def description(namespace: str, container: str) -> str:
    """Return the description of the memory's task: a text for users, and the owner."""
    return f"{_ABOUT}\n\nbpm1 {namespace} {container}"


def described(text: str, namespace: str, container: str) -> str:
    """Return a description with the owner of the memory in it; text of the user stays."""
    if owner(text) == (namespace, container):
        return text
    return "\n\n".join([_OWNER.sub("", text).strip() or _ABOUT, f"bpm1 {namespace} {container}"])


def owner(text: str) -> tuple[str, str] | None:
    """Return the namespace and the container in the description of a memory's task; None for other tasks."""
    match = _OWNER.search(text)
    return (match[1], match[2].strip()) if match else None


def write(memory: Mapping[str, StoredGoal]) -> dict[str, list[str]]:
    """Return the memory as comments, by goal."""
    comments = {}
    for goal_id, line in zip(memory, write_memory(memory), strict=True):
        pieces = cut(line, LONGEST)
        heads = (f"bpm1 {number}/{len(pieces)} {digest(line)} {goal_id}" for number in range(1, len(pieces) + 1))
        comments[goal_id] = [f"{head}\n{piece}" for head, piece in zip(heads, pieces, strict=True)]
    return comments


def by_goal(notes: Iterable[Note]) -> dict[str, list[Note]]:
    """Return the comments that are ours, by goal."""
    found: dict[str, list[Note]] = {}
    for piece in _pieces(notes):
        found.setdefault(piece.goal, []).append(piece.note)
    return found


def read(notes: Iterable[Note]) -> tuple[dict[str, StoredGoal], list[str]]:
    """Return the memory, from the newest complete set of comments of each goal, and the goals that have none."""
    lines: dict[str, str | None] = {}
    sets: dict[tuple[str, str], dict[int, _Piece]] = {}
    for piece in _pieces(notes):
        parts = sets.setdefault((piece.goal, piece.set), {})
        parts[piece.number] = piece
        lines.setdefault(piece.goal, None)
        if len(parts) == piece.count:
            lines[piece.goal] = "".join(parts[number].text for number in sorted(parts))
    memory: dict[str, StoredGoal] = {}
    broken = []
    for goal, line in lines.items():
        try:
            memory |= read_memory([line or ""])
        except ValueError:
            broken.append(goal)
    return memory, broken


def _pieces(notes: Iterable[Note]) -> list[_Piece]:
    """Return the parts of our comments, the oldest first."""
    return [
        _Piece(note, head["goal"], int(head["number"]), int(head["count"]), head["set"], note.content[head.end() :])
        for note in sorted(notes, key=lambda note: (note.posted_at, note.id))
        if (head := _HEAD.match(note.content))
    ]
