"""The tasks in the memories of a Todoist account, to find out which of several places a task belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.model import client_nonce
from connectors.todoist.description import marker_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.model import StoredKey
    from connectors.todoist.objects import Listing


@dataclass
class Claims:
    """The tasks that one or more memories contain.

    - `ids`, `nonces`: those of all tasks.
    - `pending`: the nonces of tasks whose creation was not confirmed.
    - `gone`: the nonces of tasks that were removed; a task with one of them is a copy.
    - `places`: the nonces in each memory, by the ids of the project and section that contain the memory.
    """

    ids: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    places: dict[tuple[str, str | None], set[str]] = field(default_factory=dict)

    def add(self, entries: Iterable[tuple[str, StoredKey]], listing: Listing, namespace: str) -> set[str]:
        """Add the entries of a memory, and return their nonces.

        A task that was renamed keeps the nonce of its first name.
        """
        nonces: set[str] = set()
        for key, entry in entries:
            if entry.state == "removed":
                self.gone.add(client_nonce(namespace, key, entry.generation))
                continue
            if entry.state == "pending":  # its id is the nonce that its task was given
                self.pending.add(entry.native_id)
                nonces.add(entry.native_id)
            else:
                self.ids.add(entry.native_id)
            nonces.add(client_nonce(namespace, key, entry.generation))
            item = listing.items.get(entry.native_id)
            marker = marker_of(item, namespace) if item else None
            nonces |= {marker.nonce} if marker else set()
        self.nonces |= nonces
        return nonces
