"""From what a service in memory holds to the snapshot that a connector returns.

It is a function of values, so that what was seen in one life need not be worked out again in another.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from connectors.codec import read_marker, read_memory
from connectors.model import Content, Marker, Snapshot, StoredGoal, StoredKey, Task, client_nonce

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tests.histories.service import Held, Kind

Tasks = tuple[tuple[str, "Held"], ...]  # native id and task, in the service's order
Elsewhere = tuple[tuple[int, tuple[str, ...]], ...]  # place and the lines of its memory


@lru_cache(maxsize=1 << 9)
def parse(text: str) -> Marker | None:
    """Return the marker that a text is."""
    return read_marker(text)


@lru_cache(maxsize=1 << 9)
def read_lines(lines: tuple[str, ...]) -> Mapping[str, StoredGoal]:
    """Return the memory of each goal."""
    return {goal_id: memory for line in lines for goal_id, memory in _read_line(line).items()}


@lru_cache(maxsize=1 << 9)
def read_entries(lines: tuple[str, ...]) -> Mapping[str, StoredKey]:
    """Return what the memory says of every key."""
    return {key: entry for goal in read_lines(lines).values() for key, entry in goal.keys.items()}


@lru_cache(maxsize=1 << 9)
def _read_line(line: str) -> Mapping[str, StoredGoal]:
    return read_memory([line])


def places(tasks: Tasks, kind: Kind) -> dict[str, str]:
    """Return where each task stands in a file, by its nonce: there the nonce is the only id that there is."""
    found: dict[str, str] = {}
    for native_id, held in tasks if kind.atomic else ():
        if held.marker is not None:
            found.setdefault(held.marker.split()[1], native_id)
    return found


class Seat(NamedTuple):
    """Where a connector reads: the kind of its service, its namespace and its place."""

    kind: Kind
    namespace: str
    place: int


class Claims(NamedTuple):
    """What a memory knows of tasks: their ids, their nonces, and the nonces of those that were not answered for.

    `gone` are the nonces of tasks that were removed: what has one is a copy.
    """

    ids: frozenset[str]
    nonces: frozenset[str]
    pending: frozenset[str]
    gone: frozenset[str]


def _lines(elsewhere: Elsewhere) -> tuple[str, ...]:
    return tuple(line for _, lines in elsewhere for line in lines)


@lru_cache(maxsize=1 << 9)
def _claims(lines: tuple[str, ...], namespace: str, tasks: Tasks) -> Claims:
    goals = (goal for line in lines for goal in _read_line(line).values())  # two places may remember one goal
    known = [item for goal in goals for item in goal.keys.items()]
    gone = {client_nonce(namespace, key, entry.generation) for key, entry in known if entry.state == "removed"}
    entries = [(key, entry) for key, entry in known if entry.state != "removed"]
    pending = frozenset(entry.native_id for _, entry in entries if entry.state == "pending")
    ids = frozenset(entry.native_id for _, entry in entries) - pending
    nonces = pending | {client_nonce(namespace, key, entry.generation) for key, entry in entries}
    nonces |= {held.marker.split()[1] for native_id, held in tasks if native_id in ids and held.marker}
    return Claims(ids, frozenset(nonces), pending, frozenset(gone - nonces))


def _is_mine(
    seat: Seat, found: tuple[str, Held, Marker], own: Claims, others: Claims, places: Mapping[int, Collection[str]]
) -> bool:
    """Return whether a task is this place's. places: the nonces that each other one knows.

    It is where its id is remembered, else where its nonce is known; where two places know that, it is where it stands,
    or where it is waited for, and a copy belongs to both: each lets it go.
    """
    native_id, held, marker = found
    if native_id in own.ids or native_id in others.ids:
        return native_id in own.ids
    if (marker.nonce in own.nonces) != (marker.nonce in others.nonces):
        return marker.nonce in own.nonces
    if not own.ids | own.pending and marker.nonce in others.gone:
        return False
    here = held.place == seat.place
    there = marker.nonce in places.get(held.place, ())
    if here or there or marker.nonce not in own.nonces:
        return here or not (others.ids or others.pending)
    return marker.nonce in own.pending or marker.nonce not in others.pending


@lru_cache(maxsize=1 << 9)
def snapshot(
    seat: Seat, lines: tuple[str, ...] | None, elsewhere: Elsewhere, tasks: Tasks, hidden: frozenset[str]
) -> Snapshot:
    """Return what a read shows of our namespace.

    lines: those of the memory. elsewhere: the memories in other places. hidden: tasks that were not listed.
    """
    kind, namespace = seat.kind, seat.namespace
    memory = read_lines(lines or ())
    place = places(tasks, kind)
    known = {
        place.get(entry.native_id, entry.native_id): (key, entry)
        for goal in memory.values()
        for key, entry in goal.keys.items()
        if entry.state == "live"
    }
    damaged: set[str] = set()
    found = list(_markers(namespace, [one for one in tasks if one[0] not in hidden], known, damaged))
    if elsewhere:
        own, others = _claims(lines or (), namespace, tasks), _claims(_lines(elsewhere), namespace, tasks)
        there = {place: _claims(known, namespace, tasks).nonces for place, known in elsewhere}
        found = [one for one in found if one[2].namespace != namespace or _is_mine(seat, one, own, others, there)]
    ours = {marker.nonce: native_id for native_id, _, marker in reversed(found)}
    keys = {native_id: marker.key for native_id, _, marker in found if marker.namespace == namespace}
    families = _Families(seat, tasks, frozenset(ours.values()), keys, _states(tasks, memory, place))
    mine: dict[str, Task] = {}
    copies: list[Task] = []
    strangers: dict[str, frozenset[str]] = {}
    for native_id, held, marker in found:
        if marker.namespace != namespace:
            strangers[marker.namespace] = strangers.get(marker.namespace, frozenset()) | {marker.key}
        elif ours[marker.nonce] == native_id:
            mine[marker.nonce] = families.task(native_id, held, marker)
        else:
            copies.append(families.task(native_id, held, marker))
    return Snapshot(
        tuple(mine.values()),
        tuple(copies),
        memory,
        lines is not None or not mine,
        strangers,
        frozenset(task.native_id for nonce, task in mine.items() if ours[nonce] in damaged),
        detached=_detached([one for one in tasks if one[0] not in hidden], memory),
    )


def _detached(listed: Iterable[tuple[str, Held]], memory: Mapping[str, StoredGoal]) -> dict[str, Content]:
    """Return the content of the tasks that are remembered as removed or done, and have no marker."""
    ended = {entry.native_id for goal in memory.values() for entry in goal.keys.values() if entry.state != "live"}
    return {one: replace(held.content, after=()) for one, held in listed if one in ended and held.marker is None}


def _states(tasks: Tasks, memory: Mapping[str, StoredGoal], place: Mapping[str, str]) -> dict[str, str]:
    """Return the state that is remembered of tasks, by native id, where one is asked for: something cannot be read."""
    if not any(held.unread for _, held in tasks):
        return {}
    entries = (entry for goal in memory.values() for entry in goal.keys.values())
    return {place.get(entry.native_id, entry.native_id): entry.state for entry in entries}


def _markers(
    namespace: str, listed: list[tuple[str, Held]], known: Mapping[str, tuple[str, StoredKey]], damaged: set[str]
) -> Iterator[tuple[str, Held, Marker]]:
    """Yield the managed tasks, oldest first; a marker that cannot be read is taken from the memory."""
    for native_id, held in sorted(listed, key=lambda item: int(item[0][1:])):
        marker = parse(held.marker) if held.marker is not None else None
        if marker is None and native_id in known:
            damaged.add(native_id)
            key, entry = known[native_id]
            marker = Marker(namespace, key, entry.native_id, entry.generation)
        if marker is not None:
            yield native_id, held, marker


class _Families:
    """Knows which tasks stand below which, or come after which.

    `ours` are the native ids of those that are ours, and no copies; `keys` by native id those of our namespace, and
    `states` what is remembered of them.
    """

    def __init__(
        self, seat: Seat, tasks: Tasks, ours: frozenset[str], keys: Mapping[str, str], states: Mapping[str, str]
    ) -> None:
        self._seat = seat
        self._atomic = seat.kind.atomic
        self._ours = ours
        self._keys = keys
        self._states = states
        self._below: dict[str, list[tuple[str, Held]]] = {}
        for native_id, held in tasks if seat.kind.families else ():
            if held.parent is not None:
                self._below.setdefault(held.parent, []).append((native_id, held))

    def task(self, native_id: str, held: Held, marker: Marker) -> Task:
        """Return a task with what is to be known of those below it."""
        below = list(self._all_below(native_id))
        theirs = [other for one, other in below if one not in self._ours]
        repeating = any(other.recurring for one, other in below if one in self._ours)
        state = self._states.get(native_id, "live")
        return Task(
            marker.nonce if self._atomic and native_id in self._ours else native_id,
            replace(
                held.content,
                due=marker.due if held.unread else held.content.due,
                after=tuple(sorted(self._keys[n] for n in held.content.after if n in self._keys)),
            ),
            marker,
            state == "done" if held.unread else held.done,
            held.done_on,
            dropped=state == "dropped" if held.unread else held.dropped,
            touched=bool(held.comments or theirs),
            company=repeating or not all(other.done for other in theirs),
            recurring=held.recurring,
            parent=held.parent or "",
            here=held.place == self._seat.place,
            unread=f"{native_id}: the {held.unread} cannot be read; write another one" if held.unread else "",
        )

    def _all_below(self, native_id: str) -> Iterator[tuple[str, Held]]:
        for one, held in self._below.get(native_id, ()):
            yield one, held
            yield from self._all_below(one)
