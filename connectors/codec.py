"""Markers and memory as text, the same in every service.

A marker is one line: `bp1 NONCE NAMESPACE KEY GENERATION DUE PIN DIGESTS`, for example
`bp1 3f9a2c01d4 me/goals food-handler/review 1 2027-08-05 - p4kx2a.c7v5qe.aaaaaa.b3mz6t.yt5w2k`. The nonce comes first:
it identifies the task of a damaged marker.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from config.errors import RefusedError
from config.keys import within_goal
from connectors.model import Marker, StepState, StoredGoal, StoredKey

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
LETTERS: dict[StepState, str] = {"pending": "p", "live": "l", "done": "d", "dropped": "x", "removed": "r"}
STATES: dict[str, StepState] = {letter: state for state, letter in LETTERS.items()}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
DIGESTS: tuple[str, ...] = (
    "title",
    "notes",
    "labels",
    "priority",
    "timing",
    "start",
    "who",
    "checklist",
    "after",
    "parent",
)
# The length of numbers is limited: Python raises an error for very long ones.
_VERSION = re.compile(r"bp(\d{1,9})\b")
_MARKER = re.compile(r"bp\d{1,9} (\S+) (\S+) (\S+) (\d{1,9}) (\d{4}-\d\d-\d\d|-) (pin|-) (\S+)")


def write_marker(marker: Marker) -> str:
    """Return the marker as one line, without characters that could end a comment or a list."""
    digests = ".".join(marker.applied.get(name, "") for name in DIGESTS).rstrip(".") or "."
    due = marker.due.isoformat() if marker.due else "-"
    pin = "pin" if marker.pinned else "-"
    return f"bp{VERSION} {marker.nonce} {marker.namespace} {marker.key} {marker.generation} {due} {pin} {digests}"


def read_marker(text: str) -> Marker | None:
    """Return the marker in `text`; None if it is no marker, or damaged. Raises RefusedError for a newer version."""
    version = _VERSION.match(text.strip())
    if version and int(version[1]) > VERSION:
        raise RefusedError("a newer version of backplan wrote these tasks; update backplan (nothing was changed)")
    match = _MARKER.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    nonce, namespace, key, generation, day, pin, digests = match.groups()
    try:
        due = None if day == "-" else date.fromisoformat(day)
    except ValueError:
        return None
    applied = dict.fromkeys(DIGESTS, "") | dict(zip(DIGESTS, digests.split("."), strict=False))
    return Marker(namespace, key, nonce, int(generation), due, pin == "pin", applied)


def write_memory(memory: Mapping[str, StoredGoal]) -> list[str]:
    """Return the memory as lines of JSON, one for each goal: 300 steps take less than 10,000 characters.

    `>` is escaped, so that no text can end a comment around it.
    """
    return [_line(_goal(goal_id, goal)) for goal_id, goal in memory.items()]


def read_memory(lines: list[str]) -> dict[str, StoredGoal]:
    """Return the memory from its lines. Raises ValueError when a line is damaged."""
    memory = {}
    for line in lines:
        try:
            entry = json.loads(line)
            memory[str(entry["goal"])] = _read_goal(entry)
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ValueError(f"a line of the memory is damaged ({error})") from error
    return memory


def _line(value: dict[str, Any]) -> str:
    return _ENCODER.encode(value).replace(">", "\\u003e").replace("<", "\\u003c")


def _goal(goal_id: str, goal: StoredGoal) -> dict[str, Any]:
    value: dict[str, Any] = {"goal": goal_id, "since": goal.first_sync.isoformat()}
    if goal.made:
        value |= {"made": goal.made.isoformat(), "digest": goal.digest}
    value["keys"] = {within_goal(key): _row(goal, key, entry) for key, entry in goal.keys.items()}
    return value


def _row(goal: StoredGoal, key: str, entry: StoredKey) -> str:
    """Return `STATE NATIVE-ID`, then `START+DAYS`, `bBEGAN`, `gN`, `dDAY` and `xDIGEST`, if known.

    START and BEGAN are numbers of days since the first sync. Versions that do not know `b` pass over it.
    """
    parts = [LETTERS[entry.state] + entry.native_id]
    if key in goal.dates:
        start, due = goal.dates[key]
        parts.append(f"{(start - goal.first_sync).days}+{(due - start).days}")
    if key in goal.began:
        parts.append(f"b{(goal.began[key] - goal.first_sync).days}")
    if entry.generation != 1:
        parts.append(f"g{entry.generation}")
    if entry.done_on:
        parts.append(f"d{entry.done_on.isoformat()}")
    if entry.definition:
        parts.append(f"x{entry.definition}")
    return " ".join(parts)


def _read_goal(entry: dict[str, Any]) -> StoredGoal:
    goal_id, since = str(entry["goal"]), date.fromisoformat(entry["since"])
    keys, dates, began = {}, {}, {}
    for step_id, row in entry["keys"].items():
        key = f"{goal_id}/{step_id}" if step_id else goal_id
        head, *parts = row.split(" ")
        values = {part[0]: part[1:] for part in parts if part[0] in "bgdx"}
        keys[key] = _read_key(head, values)
        if span := next((part.split("+") for part in parts if "+" in part), None):
            start = since + timedelta(days=int(span[0]))
            dates[key] = (start, start + timedelta(days=int(span[1])))
        if "b" in values:
            began[key] = since + timedelta(days=int(values["b"]))
    made = date.fromisoformat(entry["made"]) if "made" in entry else None
    return StoredGoal(since, keys, made, entry.get("digest", ""), dates, began)


def _read_key(head: str, values: Mapping[str, str]) -> StoredKey:
    return StoredKey(
        STATES[head[0]],
        head[1:],
        int(values.get("g", 1)),
        date.fromisoformat(values["d"]) if "d" in values else None,
        values.get("x", ""),
    )
