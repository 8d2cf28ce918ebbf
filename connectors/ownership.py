"""Decides which tasks of a service are ours: originals, copies, damaged ones, and those of other namespaces. Pure.

A task is ours if it contains a marker of our namespace, or if the memory contains its id and the marker is damaged. All
services with tasks that have ids use this, whatever form they read their tasks in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from config.errors import RefusedError
from config.keys import goal_of
from connectors.codec import read_marker
from connectors.model import Marker, client_nonce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors.model import StepState, StoredGoal, StoredKey

T = TypeVar("T")
_NONCE = re.compile(r"bp\d{1,9} ([0-9a-f]{10})\b")  # the rest of a damaged marker


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """A task of a service, with its id and the line of ours in it; without one, the line is empty.

    trusted: we may have written the line. In a public place, anybody may write one.
    """

    id: str
    line: str
    task: T
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A task with its marker; `whole`: the marker is as we wrote it."""

    id: str
    marker: Marker
    task: T
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Classified(Generic[T]):
    """The managed tasks of a place.

    - originals: the tasks of our namespace that we created
    - copies: the other tasks of our namespace, which users copied from those
    - others: the keys of the tasks of other namespaces, by namespace
    """

    originals: tuple[Found[T], ...]
    copies: tuple[Found[T], ...]
    others: Mapping[str, frozenset[str]]

    @property
    def damaged(self) -> frozenset[str]:
        """The ids of the originals whose marker has to be written again."""
        return frozenset(found.id for found in self.originals if not found.whole)


class Ownership:
    """Classifies the tasks of a place, with the memory of a namespace."""

    def __init__(self, namespace: str, memory: Mapping[str, StoredGoal]) -> None:
        self.namespace = namespace
        self.memory = memory

    @cached_property
    def entries(self) -> dict[str, StoredKey]:
        """The entries of the memory, by key."""
        return {key: entry for goal in self.memory.values() for key, entry in goal.keys.items()}

    @cached_property
    def ids(self) -> frozenset[str]:
        """The native ids in the memory, under any key: a rename may have been interrupted."""
        return frozenset(entry.native_id for entry in self.entries.values())

    def live(self) -> set[str]:
        """Return the native ids of the tasks that the memory contains as open."""
        return {entry.native_id for entry in self.entries.values() if entry.state == "live"}

    def ended(self) -> set[str]:
        """Return the native ids of the tasks that the memory contains as done, closed or removed."""
        return {entry.native_id for entry in self.entries.values() if entry.state != "live"}

    def state(self, key: str) -> StepState:
        """Return the state that the memory contains for a key; a new key is open."""
        entry = self.entries.get(key)
        return entry.state if entry else "live"

    def managed(self, candidates: Iterable[Candidate[T]]) -> Iterator[Found[T]]:
        """Yield the tasks with a marker of any namespace, and those of ours that have lost it."""
        known = {entry.native_id: (key, entry) for key, entry in self.entries.items()}
        for one in candidates:
            key, entry = known.get(one.id, ("", None))
            marker = marker_of(one.line, self.namespace) if one.trusted or entry else None
            if marker is not None:
                yield Found(one.id, marker, one.task)
            elif entry is not None and entry.state == "live":
                yield Found(one.id, damaged_marker(one.line, self.namespace, key, entry), one.task, whole=False)

    def classify(self, managed: Iterable[Found[T]]) -> Classified[T]:
        """Return the managed tasks, of which the oldest comes first, as originals, copies and those of others."""
        managed = list(managed)
        ours = by_nonce(managed, self.namespace)
        whole = frozenset(found.id for alike in ours.values() for found in alike if found.whole)
        originals, copies = [], []
        for alike in ours.values():
            original = self._original(alike, whole)
            originals += [original] if original else []
            copies += [found for found in alike if found is not original]
        return Classified(tuple(originals), tuple(copies), of_others(managed, self.namespace))

    def lost(self, managed: Iterable[Found[T]]) -> list[Found[T]]:
        """Return those of our tasks whose goal has no memory, and that the memory contains under no other key."""
        strange = (one for one in managed if one.marker.namespace == self.namespace)
        return [
            one
            for one in strange
            if goal_of(one.marker.key) not in self.memory and not self.ids & {one.id, one.marker.nonce}
        ]

    def _original(self, alike: Sequence[Found[T]], whole: frozenset[str]) -> Found[T] | None:
        """Return the task that we created, of those with one nonce: the remembered one, else the oldest.

        whole: the ids of the tasks whose markers are as we wrote them. If the remembered task of the key is one of
        these, a racing run has created this one. Return None if the remembered task does not exist any more: then the
        user copied it, and deleted the original.
        """
        if known := next((found for found in alike if found.id in self.ids), None):
            return known
        marker = alike[0].marker
        entry = self.entries.get(marker.key)
        fresh = entry is None or entry.state == "pending" or entry.generation != marker.generation
        return alike[0] if fresh or (entry and entry.native_id in whole) else None


class Marked(Protocol):
    """Something with a marker in it."""

    @property
    def marker(self) -> Marker:
        """The marker."""


M = TypeVar("M", bound=Marked)


def by_nonce(found: Iterable[M], namespace: str) -> dict[str, list[M]]:
    """Return what is ours by its nonce: a task of ours, and the copies of it."""
    ours: dict[str, list[M]] = {}
    for one in found:
        if one.marker.namespace == namespace:
            ours.setdefault(one.marker.nonce, []).append(one)
    return ours


def of_others(found: Iterable[Marked], namespace: str) -> dict[str, frozenset[str]]:
    """Return the keys of what is not ours, by namespace."""
    others: dict[str, frozenset[str]] = {}
    for marker in (one.marker for one in found if one.marker.namespace != namespace):
        others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
    return others


def marker_of(text: str, namespace: str) -> Marker | None:
    """Return the marker in `text`. Raises RefusedError for one of a newer version only if it is ours."""
    try:
        return read_marker(text) if text else None
    except RefusedError:
        if namespace in text.split():
            raise
        return None


def damaged_marker(text: str, namespace: str, key: str, entry: StoredKey) -> Marker:
    """Return the marker of a task that is remembered, whose marker is damaged. text: the rest of it."""
    left = _NONCE.match(text)
    nonce = left[1] if left else client_nonce(namespace, key, entry.generation)
    return Marker(namespace, key, nonce, entry.generation)
