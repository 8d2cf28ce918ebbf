"""The state of a Markdown list while a batch of writes is applied to the list."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from connectors.markdown.memory import written
from connectors.markdown.signs import ids_in
from connectors.markdown.state import LONG, SHORT, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from connectors.markdown.found import Found
    from connectors.markdown.marks import Known
    from connectors.model import Marker, StoredGoal

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Register:
    """The memory, and the ids and markers of the tasks whose lines are written."""

    def __init__(self, known: Known, lines: Sequence[str], managed: Sequence[Found]) -> None:
        """`lines` and `managed` are those of the list as it was read."""
        self._known = known
        self._read = known.state
        self._ids = dict(known.state.ids)
        self._markers = dict(known.state.markers)
        self._used = {id_.casefold(): nonce for nonce, id_ in self._ids.items()}
        self._used |= {self._ids[nonce].casefold(): nonce for nonce in self._markers}
        self._taken = Counter(id_.casefold() for line in lines for id_, _ in ids_in(line))
        self._keys = {found.marker.key: found.marker.nonce for found in reversed(managed)}
        self._there = set(self._keys.values())
        self._forgotten: set[str] = set()
        self.memory: Mapping[str, StoredGoal] | None = None

    @property
    def changed(self) -> bool:
        """Whether the state has to be written."""
        is_same = (self._markers, self._ids) == (self._read.markers, self._read.ids)
        return self.memory is not None or not is_same or not self._gone.isdisjoint(self._markers)

    @property
    def _gone(self) -> set[str]:
        """The tasks whose markers go. Of those that are remembered as open, they go with the memory.

        A run may end between the two; a task that is remembered without a marker has one of an earlier version.
        """
        return self._forgotten - (self._known.live.keys() if self.memory is None else set())

    def lines(self) -> list[str]:
        """Return the lines of the state; none if there is nothing to be remembered."""
        memory = self._read.memory if self.memory is None else self.memory
        remembered = {entry.native_id for goal in memory.values() for entry in goal.keys.values()}
        kept = (remembered | self._there) - self._gone
        markers = {nonce: marker for nonce, marker in self._markers.items() if nonce in kept}
        return written(State(memory, self._ids, markers), self._known.namespace)

    def name(self, markers: Iterable[Marker]) -> None:
        """Choose the ids of tasks that are made."""
        for marker in markers:
            self._keys[marker.key] = marker.nonce
            self._choose(marker.nonce, ())

    def put(self, marker: Marker, present: Sequence[str] = ()) -> str:
        """Store a marker; return the id of its line. present: the ids in the line, of which one may become its own."""
        self._keys[marker.key] = marker.nonce
        self._there.add(marker.nonce)
        self._forgotten.discard(marker.nonce)
        self._markers[marker.nonce] = marker
        return self._choose(marker.nonce, present)

    def forget(self, nonce: str) -> None:
        """Forget the marker of a task whose line is gone, or is the user's."""
        self._there.discard(nonce)
        self._forgotten.add(nonce)

    def ids_of(self, keys: Iterable[str]) -> list[str]:
        """Return the ids of tasks."""
        return [self._ids[nonce] for key in keys if (nonce := self._keys.get(key)) in self._ids]

    def acknowledged(self) -> Iterator[tuple[str, date]]:
        """Yield the nonces of the tasks that are done since the state was read, with the day."""
        for goal_id, goal in (self.memory or {}).items():
            before = self._read.memory.get(goal_id)
            for key, entry in goal.keys.items():
                was = before.keys.get(key) if before else None
                if entry.state == "done" and entry.done_on and (was is None or was.state != "done"):
                    yield entry.native_id, entry.done_on

    def _choose(self, nonce: str, present: Sequence[str]) -> str:
        """Return the id of a task: its own, one that somebody else gave its line, or some letters of its nonce."""
        alone = [id_ for id_ in present if _ID.fullmatch(id_) and self._taken[id_.casefold()] == 1]
        theirs = [id_ for id_ in alone if id_.casefold() not in self._known.ids]
        own = self._ids.get(nonce, "")
        is_there = own.casefold() in map(str.casefold, present)
        if theirs and not is_there and self._used.get(theirs[-1].casefold(), nonce) == nonce:
            own = theirs[-1]
        elif self._used.get(own.casefold()) != nonce:
            free = (id_ for id_ in (nonce[:SHORT], nonce[:LONG]) if id_ not in self._used)
            there = [id_.casefold() for id_ in present]  # a copy may have it as well
            own = next((id_ for id_ in free if id_ in there or id_ not in self._taken), nonce)
        self._ids[nonce] = own
        self._used[own.casefold()] = nonce
        return own
