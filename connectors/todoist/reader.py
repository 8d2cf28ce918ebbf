"""From a Todoist account, as it was read, to one connector's snapshot: which tasks are ours, and what became of them.

A task is ours by the marker in the last line of its description. The service lists only what is open: what we remember
as open and do not see is asked for, among what was completed and then by its id, before it counts as deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.keys import goal_of
from connectors.model import Marker, Snapshot, StoredGoal, StoredKey, Task, client_nonce
from connectors.todoist import memory as todoist_memory
from connectors.todoist.api import WINDOW
from connectors.todoist.container import entries_of, needs_repair, repaired, stores
from connectors.todoist.description import content_of, marker_of, read_line, split
from connectors.todoist.objects import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from connectors.todoist.api import Client
    from connectors.todoist.container import Container
    from connectors.todoist.objects import Item, Listing, Name

    _Managed = tuple[Item, Marker, bool]  # the bool: the marker has to be written again

_SLIP = timedelta(days=2)  # of a machine's clock against the service's


def _is_written(item: Item, marker: Marker, known: frozenset[str]) -> bool:
    """Return whether we can have written a marker of our namespace: in a shared project, anybody may write one.

    known: the ids and nonces that are remembered. What is not, has the nonce that its key gives.
    """
    if not known or item.id in known or marker.nonce in known:
        return True
    return marker.nonce == client_nonce(marker.namespace, marker.key, marker.generation)


# The snapshot


@dataclass
class Claims:
    """What memories know of tasks: their ids, their nonces, and the nonces of those that were not answered for.

    `gone` are the nonces of tasks that were removed: what has one is a copy.
    `places` has, by the ids of the project and section in which each memory stands, the nonces that it knows.
    """

    ids: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    places: dict[tuple[str, str | None], set[str]] = field(default_factory=dict)

    def add(self, entries: Iterable[tuple[str, StoredKey]], listing: Listing, namespace: str) -> set[str]:
        """Take in a memory, and return the nonces that it knows.

        A task that was renamed has the nonce of its first name.
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
            marker = read_line(split(item.description)[1], namespace) if item else None
            nonces |= {marker.nonce} if marker else set()
        self.nonces |= nonces
        return nonces


@dataclass
class Reading:
    """What one connector found in an account."""

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
        """Read two memories as one: the first counts for the keys that it has."""
        self.twins.append(twin)
        memory = dict(self.memory)
        for goal_id, goal in todoist_memory.read(self.listing.notes_of(twin.id))[0].items():
            own = memory.get(goal_id, goal)
            memory[goal_id] = replace(own, keys={**goal.keys, **own.keys})
        self.memory = memory

    def entries(self) -> Iterator[tuple[str, StoredKey]]:
        """Yield every key that is remembered."""
        for goal in self.memory.values():
            yield from goal.keys.items()

    def misses_some(self) -> bool:
        """Return whether a task that a run may have made is not listed."""
        listed = {marker.nonce for item in self.listing.items.values() if (marker := marker_of(item))}
        return any(entry.state == "pending" and entry.native_id not in listed for _, entry in self.entries())

    def seek(self, client: Client) -> None:
        """Ask for what is remembered as open and not listed, and for what was completed lately."""
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
        known = {entry.native_id: self.listing.items.get(entry.native_id) for _, entry in self.entries()}
        # No open task is below a completed one: a task of ours above an open one is open, even if we saw it done.
        above = {item.parent_id for item in known.values() if item and item.parent_id and not item.checked}
        live = {entry.native_id for _, entry in self.entries() if entry.state == "live"}
        return (live | (above & known.keys())) - self.listing.items.keys()

    def _completes_since(self, day: date) -> bool:
        """Return whether a task of ours may have been completed since a day.

        A user may complete a task that an interrupted run created before any run reads it.
        """
        return any(
            entry.state == "pending" or (entry.state == "done" and entry.done_on is not None and entry.done_on >= day)
            for _, entry in self.entries()
        )

    def ask_for(self, ids: Iterable[str], client: Client, first: date) -> None:
        """Ask for tasks by their ids and, as completed ones may not be found so, among all that was completed."""
        absent = set(ids)
        self._add(item for task_id in sorted(absent) if (item := client.task(task_id)) is not None)
        absent -= self.listing.items.keys()
        for since, before in _windows(first, client.latest + timedelta(days=1)):
            if absent:
                self._add(item for item in client.completed_anywhere(since, before) if item.id in absent)
                absent -= self.listing.items.keys()

    def see_completed(self, client: Client) -> None:
        """Take in what was completed in the project since the first sync."""
        if self.container.project is not None and self.memory:
            first = min(goal.first_sync for goal in self.memory.values())
            for since, before in _windows(first, client.latest + timedelta(days=1)):
                self._add(client.completed(self.container.project.id, since, before))

    def has_finished_work(self, item_id: str) -> bool:
        """Return whether a completed task of a person's own stands anywhere below one."""
        below = [item for item in self.listing.items.values() if item.parent_id == item_id and not item.is_deleted]
        own = any(item.checked and read_line(split(item.description)[1], self.namespace) is None for item in below)
        return own or any(self.has_finished_work(item.id) for item in below)

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            self.listing.items.setdefault(item.id, item)

    def _first_sync(self, ids: set[str]) -> date:
        return min(g.first_sync for g in self.memory.values() if any(e.native_id in ids for e in g.keys.values()))

    def snapshot(self) -> Snapshot:
        """Return what the connector tells of it."""
        managed = sorted(self._managed(), key=lambda found: (found[0].added_at, found[0].child_order, found[0].id))
        by_nonce = self._ours(managed)
        found = [one for alike in by_nonce.values() for one in alike]
        ids = {item.id for item in map(self._original, by_nonce.values()) if item}
        below = _Families(self.listing)
        tasks = [self._task(item, marker, ids, below) for item, marker, _ in found if item.id in ids]
        copies = [self._task(item, marker, ids, below) for item, marker, _ in found if item.id not in ids]
        changed = needs_repair(self.container, self.namespace)
        return Snapshot(
            tuple(tasks),
            tuple(copies),
            self.memory,
            remembers=bool(self.memory) or not tasks,
            others=self._others(managed),
            damaged=frozenset(item.id for item, _, damaged in found if damaged) & ids,
            damage=self._damage(tasks),
            room=self.container.room(self.listing),
            account=frozenset({self.listing.user.id, self.listing.user.email} - {""}),
            notices=(*self.container.spelled, *([repaired(self.container)] if changed else [])),
            mending=changed or bool(self.twins),
        )

    def _ours(self, managed: Iterable[_Managed]) -> dict[str, list[_Managed]]:
        """Return the tasks of this place by their nonces."""
        own = Claims()
        own.add(self.entries(), self.listing, self.namespace)
        by_nonce: dict[str, list[_Managed]] = {}
        for item, marker, damaged in managed:
            if marker.namespace == self.namespace and self._is_mine(item, marker, own):
                by_nonce.setdefault(marker.nonce, []).append((item, marker, damaged))
        return by_nonce

    def _others(self, managed: Iterable[_Managed]) -> dict[str, frozenset[str]]:
        """Return the keys that other namespaces have here: those of listed tasks, then those of their memories."""
        marked = ((marker.namespace, marker.key) for _, marker, _ in managed if marker.namespace != self.namespace)
        others: dict[str, frozenset[str]] = {}
        for namespace, key in (*marked, *self._remembered_here()):
            others[namespace] = others.get(namespace, frozenset()) | {key}
        return others

    def _damage(self, tasks: Iterable[Task]) -> str:
        """Return a sentence on goals of which the memory is lost, because somebody deleted or changed its comments."""
        if self.container.memory is None or not self.memory:
            broken = set(self.broken)
        else:
            known = self._known()
            strange = (task.marker for task in tasks if task.here and self._is_strange(task, known))
            broken = {*self.broken, *(goal_of(marker.key) for marker in strange)} - self.memory.keys()
        if not broken:
            return ""
        return (
            f"todoist ({self.container.name}): the task “{todoist_memory.TITLE}” lacks comments: what is remembered of "
            f"{', '.join(sorted(broken))} is gone"
        )

    def _is_strange(self, task: Task, known: frozenset[str]) -> bool:
        """Return whether we made a task that is not known: in a shared project, anybody may write a marker."""
        by = self.listing.items[task.native_id].added_by
        return not known & {task.native_id, task.marker.nonce} and by in ("", self.listing.user.id)

    def _managed(self) -> Iterator[_Managed]:
        """Yield the tasks with a marker, and whether it has to be written anew; of other namespaces, those in here."""
        live = {entry.native_id: (key, entry) for key, entry in self.entries() if entry.state == "live"}
        known = self._known()
        for item in self.listing.items.values():
            marker = None if item.is_deleted else read_line(split(item.description)[1], self.namespace)
            here = self.container.project is not None and item.project_id == self.container.project.id
            if marker is not None and marker.namespace == self.namespace and not _is_written(item, marker, known):
                continue
            if marker is not None and (here or marker.namespace == self.namespace):
                yield item, marker, False
            elif item.id in live and not item.is_deleted:
                key, entry = live[item.id]
                nonce = client_nonce(self.namespace, key, entry.generation)
                yield item, Marker(self.namespace, key, nonce, entry.generation), True

    def _remembered_here(self) -> Iterator[tuple[str, str]]:
        """Yield the namespace and key of what others remember here: their tasks may have been moved elsewhere."""
        for item in self.listing.open_items():
            here = self.container.project is not None and item.project_id == self.container.project.id
            owner = todoist_memory.owner(item.description) if here and item.content == todoist_memory.TITLE else None
            if owner and owner[0] != self.namespace:
                yield from ((owner[0], key) for key, entry in entries_of(self.listing, item) if entry.state == "live")

    def _known(self) -> frozenset[str]:
        """Return the ids that are remembered, and the nonces of those tasks; none where there is no memory."""
        ids = {entry.native_id for _, entry in self.entries()}
        ours = (self.listing.items[native_id] for native_id in ids & self.listing.items.keys())
        markers = (read_line(split(item.description)[1], self.namespace) for item in ours)
        return frozenset(ids | {marker.nonce for marker in markers if marker is not None})

    def _is_mine(self, item: Item, marker: Marker, own: Claims) -> bool:
        """Return whether a task of the namespace is this place's: others may live in the same account.

        It is where its id is remembered. Else it was made by a run that was cut short, or is a copy: then it belongs to
        the place that knows its nonce. Where two do, it belongs to that in which it stands; if that is neither of them,
        to the one that waits for it, and a copy to both: each lets it go.
        """
        others = self.elsewhere
        if item.id in own.ids or item.id in others.ids:
            return item.id in own.ids
        if (marker.nonce in own.nonces) != (marker.nonce in others.nonces):
            return marker.nonce in own.nonces
        if not self.memory and marker.nonce in others.gone:
            return False
        here = self._is_here(item)
        there = marker.nonce in others.places.get((item.project_id, item.section_id), ())
        if here or there or marker.nonce not in own.nonces:
            return here or not (others.ids or others.pending)
        return marker.nonce in own.pending or marker.nonce not in others.pending

    def _is_here(self, item: Item) -> bool:
        """Return whether a task stands in this place, and not in another one of the same project."""
        project, section = self.container.project, self.container.section
        if project is None or item.project_id != project.id:
            return False
        if self.container.name.section:
            return section is not None and item.section_id == section.id
        return item.section_id is None or (item.project_id, item.section_id) not in self.elsewhere.places

    def _original(self, alike: list[_Managed]) -> Item | None:
        """Return which of the tasks with one nonce we made: that with the id that we remember, without one the oldest.

        None where we remember another: then a person has copied it, and deleted or completed what they copied.
        """
        ids = {entry.native_id for _, entry in self.entries()}  # under whatever key: a rename may have been cut short
        if known := next((item for item, _, _ in alike if item.id in ids), None):
            return known
        first, marker, _ = alike[0]
        goal = self.memory.get(goal_of(marker.key))
        entry = goal.keys.get(marker.key) if goal else None
        fresh = entry is None or entry.state == "pending" or entry.generation != marker.generation
        return first if fresh else None

    def _task(self, item: Item, marker: Marker, ours: set[str], families: _Families) -> Task:
        below = list(families.below(item.id))
        theirs = [child for child in below if child.id not in ours]
        repeats = any(child.due and child.due.recurring for child in below)
        return Task(
            item.id,
            content_of(item),
            marker,
            done=item.checked,
            done_on=_day(item.completed_at, self.listing.user.timezone) if item.checked else None,
            touched=bool(item.note_count or theirs),
            company=bool(theirs) or repeats,
            recurring=bool(item.due and item.due.recurring),
            parent=item.parent_id or "",
            here=self.container.place == (item.project_id, item.section_id),
        )


class _Families:
    """The open tasks by the task that they stand right below."""

    def __init__(self, listing: Listing) -> None:
        self._children: dict[str, list[Item]] = {}
        for item in listing.open_items():
            if item.parent_id:
                self._children.setdefault(item.parent_id, []).append(item)

    def below(self, item_id: str) -> Iterator[Item]:
        """Yield the open tasks anywhere below one."""
        for child in self._children.get(item_id, ()):
            yield child
            yield from self.below(child.id)


def _day(moment: str | None, timezone: str) -> date | None:
    return datetime.fromisoformat(moment).astimezone(zone(timezone)).date() if moment else None


def _windows(first: date, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield stretches of time back from `until` to a day, at least one, each as long as the service allows.

    The day is one by the clock of a run, and `until` by that of the service, which may be behind.
    """
    first -= _SLIP
    while True:
        yield until - WINDOW, until
        until -= WINDOW
        if until.date() < first:
            return
