"""From what a service in memory holds to the snapshot that a connector returns.

It is a function of values, so that what was seen in one life need not be worked out again in another.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from connectors.base import GoalMemory, Marker, Remembered, Snapshot, Task
from connectors.marker import read_marker, read_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sync.simulation.service import Held, Kind

Tasks = tuple[tuple[str, "Held"], ...]  # native id and task, in the service's order


@lru_cache(maxsize=1 << 9)
def parse(text: str) -> Marker | None:
    """Return the marker that a text is."""
    return read_marker(text)


@lru_cache(maxsize=1 << 9)
def read_lines(lines: tuple[str, ...]) -> Mapping[str, GoalMemory]:
    """Return the memory of each goal."""
    return {goal_id: memory for line in lines for goal_id, memory in _read_line(line).items()}


@lru_cache(maxsize=1 << 9)
def read_entries(lines: tuple[str, ...]) -> Mapping[str, Remembered]:
    """Return what the memory says of every key."""
    return {key: entry for goal in read_lines(lines).values() for key, entry in goal.keys.items()}


@lru_cache(maxsize=1 << 9)
def _read_line(line: str) -> Mapping[str, GoalMemory]:
    return read_memory([line])


def places(tasks: Tasks, kind: Kind) -> dict[str, str]:
    """Return where each task stands in a file, by its nonce: there the nonce is the only id that there is."""
    found: dict[str, str] = {}
    for native_id, held in tasks if kind.atomic else ():
        if held.marker is not None:
            found.setdefault(held.marker.split()[1], native_id)
    return found


@lru_cache(maxsize=1 << 9)
def snapshot(
    kind: Kind, namespace: str, lines: tuple[str, ...] | None, tasks: Tasks, hidden: frozenset[str]
) -> Snapshot:
    """Return what a read shows of our namespace; `lines` are those of the memory, `hidden` tasks were not listed."""
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
    ours = {marker.nonce: native_id for native_id, _, marker in reversed(found)}
    keys = {native_id: marker.key for native_id, _, marker in found if marker.namespace == namespace}
    families = _Families(kind, tasks, frozenset(ours.values()), keys)
    mine: dict[str, Task] = {}
    copies: list[Task] = []
    others: dict[str, frozenset[str]] = {}
    for native_id, held, marker in found:
        if marker.namespace != namespace:
            others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
        elif ours[marker.nonce] == native_id:
            mine[marker.nonce] = families.task(native_id, held, marker)
        else:
            copies.append(families.task(native_id, held, marker))
    return Snapshot(
        tuple(mine.values()),
        tuple(copies),
        memory,
        lines is not None or not mine,
        others,
        frozenset(task.native_id for nonce, task in mine.items() if ours[nonce] in damaged),
    )


def _markers(
    namespace: str, listed: list[tuple[str, Held]], known: Mapping[str, tuple[str, Remembered]], damaged: set[str]
) -> Iterator[tuple[str, Held, Marker]]:
    """Yield the managed tasks, oldest first; a marker that cannot be read is told from the memory."""
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

    `ours` are the native ids of those that are ours, and no copies; `keys` by native id those of our namespace.
    """

    def __init__(self, kind: Kind, tasks: Tasks, ours: frozenset[str], keys: Mapping[str, str]) -> None:
        self._atomic = kind.atomic
        self._ours = ours
        self._keys = keys
        self._below: dict[str, list[tuple[str, Held]]] = {}
        for native_id, held in tasks if kind.families else ():
            if held.parent is not None:
                self._below.setdefault(held.parent, []).append((native_id, held))

    def task(self, native_id: str, held: Held, marker: Marker) -> Task:
        """Return a task with what is to be known of those below it."""
        below = list(self._all_below(native_id))
        theirs = [other for one, other in below if one not in self._ours]
        repeating = any(other.recurring for one, other in below if one in self._ours)
        return Task(
            marker.nonce if self._atomic and native_id in self._ours else native_id,
            replace(held.content, after=tuple(sorted(self._keys[n] for n in held.content.after if n in self._keys))),
            marker,
            held.done,
            held.done_on,
            dropped=held.dropped,
            touched=bool(held.comments or theirs),
            company=repeating or not all(other.done for other in theirs),
            recurring=held.recurring,
            parent=held.parent or "",
        )

    def _all_below(self, native_id: str) -> Iterator[tuple[str, Held]]:
        for one, held in self._below.get(native_id, ()):
            yield one, held
            yield from self._all_below(one)
