"""The state at the end of a Markdown list: a row for each task, with what the list remembers and last wrote of it.

    ID KEY STATE START/DUE wWRITTEN pin dDONE xDEFINITION nNONCE ~DIGESTS

- ID: the id behind 🆔 in the line of the task; `-` for a key that never had a task.
- STATE: a letter of `codec.LETTERS`, and the generation if it is not 1; `-` for a task that the memory does not have.
- START/DUE: the days that were last published; one day if they are the same.
- wWRITTEN: the day that was last written into the line, if it is not DUE; `w-` for none.
- nNONCE: if it is not the hash of namespace, key and generation.
- ~DIGESTS: of the fields, in the order of `_FIELDS`. Without them, the line has a marker of its own.
- The row of a goal also has sSINCE, the day of its first sync, and mMADE and hDIGEST of the plan last published.
- The row of a step has mBEGAN, the day from which on it counts as under way, if that is not START. Versions that do
  not know it pass over it.

A row is a line, in the order last published. Git merges two states as it merges the lines of two lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from config.keys import goal_of
from connectors.codec import DIGESTS, LETTERS, STATES
from connectors.model import Marker, StoredGoal, StoredKey, client_nonce, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FORMAT = 2
SHORT, LONG = 7, 9  # letters of a nonce that are the id of a line
_FIELDS = ("title", "timing", "priority", "start", "after", "notes", "labels", "who", "checklist", "parent")
_NONE = "-"
_NO_PRIORITY = digest("none")
_DAY = r"\d{4}-\d\d-\d\d"
_TOKEN = rf"{_DAY}(?:/{_DAY})?|w(?:{_DAY}|-)|pin|[dsm]{_DAY}|[xhn][\w.-]+|~[a-z2-7.-]*"
_ROW = re.compile(rf"([\w-]+) (\S+) ([pldxr-])(\d{{0,9}})((?: (?:{_TOKEN}))*)")
_DATA = re.compile(rf" (?:~|s?{_DAY})")


class Plan(NamedTuple):
    """What the row of a goal has besides: the day of its first sync, and the plan last published."""

    since: date
    made: date | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What a row has of a key. entry: None if the memory does not have the task. marker: None if it is in the line."""

    id: str
    key: str
    nonce: str
    entry: StoredKey | None
    days: tuple[date, date] | None = None
    marker: Marker | None = None
    plan: Plan | None = None
    began: date | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The memory of a list, and the ids and markers of its tasks by their nonces."""

    memory: Mapping[str, StoredGoal] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    markers: Mapping[str, Marker] = field(default_factory=dict)


class Block(NamedTuple):
    """The lines of a state, and its entries; `whole`: its end is not damaged."""

    numbers: range
    entries: tuple[str, ...]
    whole: bool


class Stored(NamedTuple):
    """The state as it was read, and its lines.

    damage: why it cannot be read. mending: it is two states, and has to be written as one. apart: lines of states that
    do not count, as in code.
    """

    state: State
    blocks: tuple[Block, ...] = ()
    damage: str = ""
    mending: bool = False
    apart: tuple[Block, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """The numbers of all its lines."""
        return {number for block in self.blocks for number in block.numbers}

    def blanked(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the list, of which those of states are blank."""
        numbers = self.numbers.union(*(block.numbers for block in self.apart))
        return ["" if number in numbers else line for number, line in enumerate(lines)]

    @property
    def complete(self) -> bool:
        """Whether there is a state, and it can be read."""
        return bool(self.blocks) and not self.damage


def is_row(line: str) -> bool:
    """Return whether a line is a row of a state, and hardly anything that a user writes."""
    found = _ROW.fullmatch(line)
    return found is not None and _DATA.search(found[5]) is not None


def state_of(rows: Iterable[Row]) -> State:
    """Return the state that rows are; of two rows with one key, the later one is in the memory."""
    plans: dict[str, Plan] = {}
    keys: dict[str, dict[str, StoredKey]] = {}
    days: dict[str, dict[str, tuple[date, date]]] = {}
    began: dict[str, dict[str, date]] = {}
    ids: dict[str, str] = {}
    markers: dict[str, Marker] = {}
    for row in rows:
        goal_id = goal_of(row.key)
        if row.plan:
            plans[goal_id] = row.plan
        if row.entry:
            keys.setdefault(goal_id, {})[row.key] = row.entry
        if row.days:
            days.setdefault(goal_id, {})[row.key] = row.days
        if row.began:
            began.setdefault(goal_id, {})[row.key] = row.began
        if row.nonce:
            ids[row.nonce] = row.id
        if row.marker:
            markers[row.nonce] = row.marker
    if lost := keys.keys() - plans.keys():
        raise ValueError(f"the memory is damaged: the row of {', '.join(sorted(lost))} is gone")
    memory = {
        goal_id: StoredGoal(
            plan.since,
            keys.get(goal_id, {}),
            plan.made,
            plan.digest,
            days.get(goal_id, {}),
            began.get(goal_id, {}),
        )
        for goal_id, plan in plans.items()
    }
    return State(memory, ids, markers)


def rows_of(state: State) -> list[Row]:
    """Return the rows that a state is."""
    rows: list[Row] = []
    for goal_id, goal in state.memory.items():
        plan = Plan(goal.first_sync, goal.made, goal.digest)
        entries: Mapping[str, StoredKey | None] = {goal_id: goal.keys.get(goal_id), **goal.keys}
        for key, entry in entries.items():
            nonce = entry.native_id if entry else ""
            marker = None if entry is None or entry.state == "removed" else state.markers.get(nonce)
            own = plan if key == goal_id else None
            id_, days, began = state.ids.get(nonce, nonce[:SHORT]), goal.dates.get(key), goal.began.get(key)
            rows.append(Row(id_, key, nonce, entry, days, marker, own, began))
    there = {row.nonce for row in rows}
    beside = [(nonce, marker) for nonce, marker in state.markers.items() if nonce not in there]
    rows += [Row(state.ids.get(n, n[:SHORT]), marker.key, n, None, marker=marker) for n, marker in beside]
    return rows


def write_row(row: Row, namespace: str) -> str:
    """Return a row as a line."""
    entry, marker = row.entry, row.marker
    source = entry or marker
    generation = source.generation if source else 1
    head = [row.id or _NONE, row.key, (LETTERS[entry.state] if entry else _NONE) + _unless(generation, 1)]
    days = ["/".join(map(str, dict.fromkeys(row.days)))] if row.days else []
    own = row.nonce == client_nonce(namespace, row.key, generation)
    told = _told("d", entry and entry.done_on) | _told("x", entry and entry.definition)
    told |= _told("n", "" if own else row.nonce) | _told("m", row.began)
    if row.plan:
        told |= _told("s", row.plan.since) | _told("m", row.plan.made) | _told("h", row.plan.digest)
    if marker:
        told |= _told("w", "" if marker.due == _end(row) else marker.due or _NONE)
        told |= {"pin": ""} if marker.pinned else {}
        told |= {"~": _digests(row, marker)}
    return " ".join([*head, *days, *(f"{sign}{said}" for sign, said in told.items())])


def _told(sign: str, said: object) -> dict[str, object]:
    return {sign: said} if said else {}


def read_row(line: str, namespace: str) -> Row:
    """Return the row that a line is. Raises ValueError if it is damaged."""
    found = _ROW.fullmatch(line)
    if found is None:
        raise ValueError(f"the memory is damaged: `{line[:40]}` is no row of it")
    id_, key, letter, number, rest = found.groups()
    tokens = {_kind(token): token for token in rest.split()}
    values = {kind: token[1:] for kind, token in tokens.items()}
    generation = int(number or 1)
    days = [date.fromisoformat(day) for day in tokens["days"].split("/")] if "days" in tokens else []
    nonce = values.get("n") or ("" if id_ == _NONE else client_nonce(namespace, key, generation))
    entry = (
        StoredKey(STATES[letter], nonce, generation, _day(values, "d"), values.get("x", ""))
        if letter in STATES
        else None
    )
    plan = _plan(values)
    began = None if plan else _day(values, "m")
    span = (days[0], days[-1]) if days else None
    marker = None
    if "~" in values:
        due = _day(values, "w") if "w" in values else span and span[1]
        applied = _applied(values["~"], _usual(span, due))
        marker = Marker(namespace, key, nonce, generation, due, "p" in values, applied)
    return Row("" if id_ == _NONE else id_, key, nonce, entry, span, marker, plan, began)


def _plan(values: Mapping[str, str]) -> Plan | None:
    since = _day(values, "s")
    return Plan(since, _day(values, "m"), values.get("h", "")) if since else None


def _day(values: Mapping[str, str], kind: str) -> date | None:
    return date.fromisoformat(values[kind]) if values.get(kind, _NONE) != _NONE else None


def _kind(token: str) -> str:
    return "days" if token[0].isdigit() else token[0]


def _unless(number: int, usual: int) -> str:
    return "" if number == usual else str(number)


def _end(row: Row) -> date | None:
    return row.days[1] if row.days else None


def _usual(days: tuple[date, date] | None, due: date | None) -> dict[str, str]:
    """Return the digests that need not be written: of no priority, and of the first day that was published."""
    return {"priority": _NO_PRIORITY, "start": digest(days[0]) if days and days[0] != due else ""}


def _digests(row: Row, marker: Marker) -> str:
    told = {name: marker.applied.get(name, "") for name in _FIELDS}
    for name, value in _usual(row.days, marker.due).items():
        told[name] = "" if told[name] == value else told[name] or _NONE
    return ".".join(told.values()).rstrip(".")


def _applied(text: str, usual: Mapping[str, str]) -> dict[str, str]:
    told = dict.fromkeys(DIGESTS, "") | dict(zip(_FIELDS, text.split("."), strict=False))
    for name, value in usual.items():
        told[name] = {"": value, _NONE: ""}.get(told[name], told[name])
    return told


# Two states as one


def newest_first(sides: Sequence[list[Row]], dues: Mapping[str, date | None]) -> list[list[Row]]:
    """Return the rows of several states, those first that agree with more lines: they were written later."""

    def agreeing(rows: list[Row]) -> int:
        return sum(_is_in_line(row, dues) for row in rows)

    return sorted(sides, key=agreeing, reverse=True) if len(sides) > 1 else list(sides)


def _is_in_line(row: Row, dues: Mapping[str, date | None]) -> bool:
    return row.marker is not None and row.id in dues and row.marker.due == dues[row.id]


def merged(rows: Iterable[Row], dues: Mapping[str, date | None]) -> list[Row]:
    """Return one row for each key. dues: the day in the line of each id.

    Of several rows, the one counts whose day is the one in the line, then that of a step that is done, then the one
    with the higher generation; a step that is done in one of them is done.
    """
    by_key: dict[tuple[str, bool, str], list[Row]] = {}
    for row in rows:
        by_key.setdefault((row.key, row.entry is not None, "" if row.entry else row.nonce), []).append(row)
    return [_one(alike, dues) if len(alike) > 1 else alike[0] for alike in by_key.values()]


def _one(alike: list[Row], dues: Mapping[str, date | None]) -> Row:
    def rank(row: Row) -> tuple[bool, bool, int]:
        entry = row.entry
        return _is_in_line(row, dues), bool(entry and entry.state == "done"), entry.generation if entry else 0

    best = max(alike, key=rank)
    plans = [row.plan for row in alike if row.plan]
    if plans:
        newest = max(plans, key=lambda plan: plan.made or date.min)
        best = replace(best, plan=newest._replace(since=min(plan.since for plan in plans)))
    done = next((row.entry for row in alike if row.entry and row.entry.state == "done"), None)
    if done and best.entry and best.entry.generation <= done.generation:
        best = replace(best, entry=replace(best.entry, state="done", done_on=done.done_on, definition=""))
    return best
