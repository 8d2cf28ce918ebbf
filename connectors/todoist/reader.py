"""Reads the memory and the tasks of one connector from a Todoist account.

Todoist lists only open tasks. A task that we remember as open and that is not listed is searched for among completed
tasks, then requested by its id, before it counts as deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors import stored
from connectors.ownership import Ownership
from connectors.todoist import memory as todoist_memory
from connectors.todoist.api import WINDOW
from connectors.todoist.claims import Claims
from connectors.todoist.container import entries_of, stores
from connectors.todoist.description import marker_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from connectors.model import StoredGoal
    from connectors.todoist.answers import Item
    from connectors.todoist.api import Client
    from connectors.todoist.container import Container
    from connectors.todoist.objects import Listing, Name

_SLIP = timedelta(days=2)  # the most that a machine's clock may differ from the service's


@dataclass
class Reading:
    """What one connector read from an account."""

    listing: Listing
    container: Container
    namespace: str
    memory: Mapping[str, StoredGoal] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # goals whose memory cannot be read
    elsewhere: Claims = field(default_factory=Claims)
    others: list[Name] = field(default_factory=list)  # the other places that the goals file names
    twins: list[Item] = field(default_factory=list)  # second memories of this place, which racing runs made

    @classmethod
    def of(cls, listing: Listing, container: Container, namespace: str, others: list[Name]) -> Reading:
        """Return the reading with its memory."""
        reading = cls(listing, container, namespace, others=others)
        if container.memory is not None:
            reading.memory, reading.broken = todoist_memory.read(listing.notes_of(container.memory.id))
        for store in stores(listing, namespace):
            if container.memory is not None and store.item.id == container.memory.id:
                continue
            if container.memory is not None and store.name == str(container.name):
                reading._take_twin(store.item)
            else:
                nonces = reading.elsewhere.add(entries_of(listing, store.item), listing, namespace)
                reading.elsewhere.places.setdefault(store.place, set()).update(nonces)
        return reading

    def _take_twin(self, twin: Item) -> None:
        """Merge a second memory into the first, which takes precedence."""
        self.twins.append(twin)
        self.memory = stored.merged(todoist_memory.read(self.listing.notes_of(twin.id))[0], self.memory)

    @property
    def ownership(self) -> Ownership:
        """The classifier of tasks, with the current memory."""
        return Ownership(self.namespace, self.memory)

    def misses_some(self) -> bool:
        """Return whether a task that a run may have created is not listed."""
        listed = {marker.nonce for item in self.listing.items.values() if (marker := marker_of(item))}
        entries = self.ownership.entries.values()
        return any(entry.state == "pending" and entry.native_id not in listed for entry in entries)

    def seek(self, client: Client) -> None:
        """Request the tasks that are remembered as open and not listed, and those completed recently."""
        absent = self._absent()
        until = client.latest + timedelta(days=1)
        lately = (until - WINDOW).date()
        if self.container.project is None or not (absent or self._completes_since(lately)):
            return
        project_id, first = self.container.project.id, self._first_sync(absent) if absent else lately
        for since, before in _windows(first, until):
            self._add(client.completed(project_id, since, before))
            absent -= self.listing.items.keys()
            if not absent:
                return
        self.ask_for(absent, client, first)

    def _absent(self) -> set[str]:
        """Return the ids of the tasks that have to be open and are not listed."""
        known = {native_id: self.listing.items.get(native_id) for native_id in self.ownership.ids}
        # No open task is below a completed one: a task of ours above an open one is open, even if we saw it done.
        above = {item.parent_id for item in known.values() if item and item.parent_id and not item.checked}
        return (self.ownership.live() | (above & known.keys())) - self.listing.items.keys()

    def _completes_since(self, day: date) -> bool:
        """Return whether a task of ours may have been completed since a day.

        A user may complete a task that an interrupted run created before any run reads it.
        """
        return any(
            entry.state == "pending" or (entry.state == "done" and entry.done_on is not None and entry.done_on >= day)
            for entry in self.ownership.entries.values()
        )

    def ask_for(self, ids: Iterable[str], client: Client, first: date) -> None:
        """Request tasks by their ids, then all completed tasks: an id may not find a completed one."""
        absent = set(ids)
        self._add(item for task_id in sorted(absent) if (item := client.task(task_id)) is not None)
        absent -= self.listing.items.keys()
        for since, before in _windows(first, client.latest + timedelta(days=1)):
            if absent:
                self._add(item for item in client.completed_anywhere(since, before) if item.id in absent)
                absent -= self.listing.items.keys()

    def see_completed(self, client: Client) -> None:
        """Read the tasks that were completed in the project since the first sync."""
        if self.container.project is not None and self.memory:
            first = min(goal.first_sync for goal in self.memory.values())
            for since, before in _windows(first, client.latest + timedelta(days=1)):
                self._add(client.completed(self.container.project.id, since, before))

    def has_finished_work(self, item_id: str) -> bool:
        """Return whether a user's own completed task is below a task, at any depth."""
        below = [item for item in self.listing.items.values() if item.parent_id == item_id and not item.is_deleted]
        own = any(item.checked and marker_of(item, self.namespace) is None for item in below)
        return own or any(self.has_finished_work(item.id) for item in below)

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            self.listing.items.setdefault(item.id, item)

    def _first_sync(self, ids: set[str]) -> date:
        return min(g.first_sync for g in self.memory.values() if any(e.native_id in ids for e in g.keys.values()))


def _windows(first: date, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield periods from `until` back to a day, at least one, each as long as Todoist allows.

    `first` comes from the clock of a run, `until` from that of the service, which may be behind.
    """
    first -= _SLIP
    while True:
        yield until - WINDOW, until
        until -= WINDOW
        if until.date() < first:
            return
