"""The ids that mark lines of a Markdown list as those of tasks, and what the state of the list has of these."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from connectors.markdown.signs import find_signs, ids_in, replace_spans
from connectors.markdown.state import LONG, SHORT
from connectors.model import Marker, client_nonce

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from connectors.markdown.state import Stored


class Known:
    """The ids, nonces and keys in a state: they identify tasks, also if a user damaged the marker."""

    def __init__(self, stored: Stored, namespace: str) -> None:
        """If there is a state, a nonce that it does not contain is not ours."""
        self.state, self.stored = stored.state, stored
        memory = self.state.memory
        entries = [(key, entry) for goal in memory.values() for key, entry in goal.keys.items()]
        self.nonces = {entry.native_id: key for key, entry in entries}
        self.keys = {key: entry.native_id for key, entry in entries}
        self.live = {entry.native_id: key for key, entry in entries if entry.state == "live"}
        self.states = {entry.native_id: entry.state for _, entry in entries}
        days = {key: days for goal in memory.values() for key, days in goal.dates.items()}
        self.days = {nonce: days[key] for nonce, key in self.nonces.items() if key in days}
        self.dates = {nonce: due for nonce, (_, due) in self.days.items()}
        ids = self.state.ids
        self._computed = {nonce[:length]: nonce for length in (SHORT, LONG, None) for nonce in ids}
        self.ids = self._computed | {id_.casefold(): nonce for nonce, id_ in ids.items()}
        self.namespace = namespace
        self._named = re.compile(rf"(?:bp\d+\s+)?{re.escape(namespace)}\s+(\S+)")

    def may_be_ours(self, marker: Marker) -> bool:
        """Return whether we may have written a marker: its nonce is remembered, or follows from a key that is not.

        The latter happens if two branches were merged, and the memory of the other branch was kept.
        """
        if not self.stored.complete or marker.nonce in self.nonces:
            return True
        nonce = client_nonce(marker.namespace, marker.key, marker.generation)
        return marker.key not in self.keys and marker.nonce == nonce

    def start(self, marker: Marker) -> date | None:
        """Return the first day that was published with a marker."""
        days = self.days.get(marker.nonce)
        return days[0] if days and days[0] != marker.due else None

    def names_in(self, text: str) -> set[str]:
        """Return the nonces of which a text contains the id, but not as that of another task's forerunner.

        An id that somebody else chose may be any word.
        """
        spans = [(sign.start, sign.stop) for sign in find_signs(text) if sign.kind == "after"]
        words = re.findall(r"[\w-]+", replace_spans(text, spans, " ").casefold())
        return {self._computed[word] for word in words if word in self._computed}

    def key_in(self, text: str) -> re.Match[str] | None:
        """Return where a text contains our namespace followed by a remembered key."""
        return next((match for match in self._named.finditer(text) if match[1] in self.keys), None)


class Mark(NamedTuple):
    """What marks a line as that of a task.

    - damaged: it has to be written again.
    - id: the id behind 🆔, in lower case.
    - span: the place of a comment of an earlier version, if its form does not show it.
    - start: the first day that such a line does not show.
    """

    marker: Marker
    damaged: bool
    id: str = ""
    span: tuple[int, int] | None = None
    start: date | None = None


def identified(line: str, known: Known) -> Iterator[Mark]:
    """Yield the markers of the ids of ours in a line. A marker that the state does not have has to be written again."""
    for said, _ in ids_in(line):
        nonce = known.ids.get(id_ := said.casefold())
        if nonce is None:
            continue
        marker = known.state.markers.get(nonce)
        damaged = marker is None or said != known.state.ids[nonce]
        key = known.nonces.get(nonce, "")
        if marker or key:
            yield Mark(marker or Marker(known.namespace, key, nonce), damaged, id=id_)
