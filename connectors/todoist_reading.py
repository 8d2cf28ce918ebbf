"""From a Todoist account, as it was read, to one connector's snapshot: which tasks are ours, and what became of them.

A task is ours by the marker in the last line of its description. The service lists only what is open: what we remember
as open and do not see is asked for, among what was completed and then by its id, before it counts as deleted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.errors import BackplanError, RefusedError
from connectors import todoist_memory
from connectors.base import Content, Fact, GoalMemory, Marker, Remembered, Snapshot, Task, client_nonce
from connectors.marker import VERSION, read_marker, write_marker
from connectors.todoist_api import WINDOW
from connectors.todoist_objects import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from connectors.todoist_api import Client
    from connectors.todoist_objects import Item, Limits, Listing, Place

PRIORITIES = {"urgent": 4, "high": 3, "medium": 2, "none": 1}
_PRIORITY_NAMES = {number: name for name, number in PRIORITIES.items()}
_MARKER = re.compile(r"\s*bp(?P<version>\d{1,9}) [0-9a-z]{10}(?: (?P<namespace>\S+).*)?")


# Text


def split(description: str) -> tuple[str, str | None]:
    """Return a description's notes and its marker's line: the last that looks like one."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None:
        return description.strip(), None
    return "\n".join(lines[:number] + lines[number + 1 :]).strip(), lines[number].strip()


def join(notes: str, marker: Marker | None) -> str:
    """Return the description that holds notes and a marker."""
    return "\n\n".join(filter(None, [notes, write_marker(marker) if marker else ""]))


def with_marker(description: str, marker: Marker | None) -> str:
    """Return a description with another marker, at the place of the one before; None takes it out."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None or marker is None:
        return join(split(description)[0], marker)
    lines[number] = write_marker(marker)
    return "\n".join(lines)


def _marker_line(lines: list[str]) -> int | None:
    return next((n for n in range(len(lines) - 1, -1, -1) if _MARKER.fullmatch(lines[n])), None)


def _read(line: str | None, namespace: str) -> Marker | None:
    """Return the marker of a line. That of a newer version is a reason to stop only where it is one of ours."""
    match = _MARKER.fullmatch(line or "")
    if match is None or (int(match["version"]) > VERSION and match["namespace"] != namespace):
        return None
    return read_marker(line or "")


def _is_written(item: Item, marker: Marker, known: frozenset[str]) -> bool:
    """Return whether we can have written a marker of our namespace: in a shared project, anybody may write one.

    known: the ids and nonces that are remembered. What is not, has the nonce that its key gives.
    """
    if not known or item.id in known or marker.nonce in known:
        return True
    return marker.nonce == client_nonce(marker.namespace, marker.key, marker.generation)


# Where tasks live


@dataclass(frozen=True, slots=True)
class Name:
    """What the goals file says of where tasks live: a project and perhaps a section, each by name or id."""

    project: str
    section: str | None = None

    def __str__(self) -> str:
        return f"{self.project} / {self.section}" if self.section else self.project


@dataclass(frozen=True, slots=True)
class Container:
    """Where a connector's tasks live: what is None has yet to be made."""

    name: Name
    project: Place | None
    section: Place | None
    memory: Item | None

    def room(self, listing: Listing) -> int | None:
        """Return how many more open tasks there is room for."""
        most = listing.limits.tasks
        if most is None:
            return None
        project_id = self.project.id if self.project else None
        there = sum(item.project_id == project_id for item in listing.open_items())
        return most - there - (self.memory is None)


def memories(listing: Listing, namespace: str) -> dict[str, Item]:
    """Return the tasks that hold memories of the namespace, by the name of the container."""
    found: dict[str, Item] = {}
    for item in sorted(listing.open_items(), key=lambda item: (item.added_at, item.id)):
        owner = todoist_memory.owner(item.description) if item.content == todoist_memory.TITLE else None
        if owner and owner[0] == namespace:
            found.setdefault(owner[1], item)
    return found


def find_container(listing: Listing, name: Name, namespace: str) -> Container:
    """Return the container: the project with that name or, where a person renamed it, the one that holds our memory."""
    known = memories(listing, namespace)
    memory = known.get(str(name))
    project = _named(name.project, listing.projects.values())
    if project is None and memory is not None:
        project = listing.projects.get(memory.project_id)
    section = None
    if project and name.section:
        section = _named(name.section, (s for s in listing.sections.values() if s.project_id == project.id))
        if section is None and memory is not None:
            section = listing.sections.get(memory.section_id or "")
    if memory is None and project is not None:  # renamed, in the app and in the file
        here = (project.id, section.id if section else None)
        memory = next((m for m in known.values() if (m.project_id, m.section_id) == here), None)
    return Container(name, project, section, memory)


def _named(name: str, places: Iterable[Place]) -> Place | None:
    there = [place for place in places if not place.gone]
    by_id = [place for place in there if place.id == name]
    same = [place for place in there if place.name.strip() == name.strip()]
    return next(iter(by_id + same), None)


def refuse_full(container: Container, listing: Listing) -> None:
    """Raise RefusedError where the plan of the account has no room for what has to be made."""
    limits, projects = listing.limits, [p for p in listing.projects.values() if not (p.gone or p.inbox)]
    if container.project is None and limits.projects is not None and len(projects) >= limits.projects:
        raise RefusedError(_no_room(container.name.project, "project", limits, len(projects)))
    if container.project and container.name.section and container.section is None and limits.sections is not None:
        there = [s for s in listing.sections.values() if s.project_id == container.project.id and not s.gone]
        if len(there) >= limits.sections:
            raise RefusedError(_no_room(container.name.section, "section", limits, len(there)))


def _no_room(name: str, kind: str, limits: Limits, count: int) -> str:
    return (
        f"todoist: there is no {kind} `{name}`, and none can be made: the plan of the account ({limits.plan}) has room "
        f"for {count}. Name one that exists in the goals file (`{kind}:`), or archive one; nothing was changed"
    )


def refuse_moved(container: Container, listing: Listing, namespace: str, known: frozenset[str]) -> None:
    """Raise RefusedError where the goals file has stopped naming a place in which tasks of ours are; it names `known`.

    To begin anew beside them would show every task twice.
    """
    for name, memory in memories(listing, namespace).items():
        if name not in known and any(entry.state in ("live", "pending") for _, entry in _others(listing, memory)):
            raise RefusedError(
                f"todoist ({container.name}): is new, and tasks of `{namespace}` live in “{name}”, which the goals "
                f"file no longer names. Rename “{name}” in Todoist to {container.name}, or, to have those tasks "
                "cleared away, write it under `retired:`; nothing was changed."
            )


def refuse_archived(container: Container, listing: Listing, client: Client) -> None:
    """Raise RefusedError where the project that is missing was archived: all in it is hidden, and not deleted."""
    name = container.name.project
    if any(name in (place.id, place.name) for place in client.archived_projects(listing)):
        raise RefusedError(
            f"todoist ({container.name}): the project “{name}” was archived. Unarchive it in Todoist, or name another "
            "one in the goals file; nothing was changed"
        )


def refuse_without_memory(container: Container, listing: Listing, namespace: str, client: Client) -> None:
    """Raise RefusedError where there are tasks of ours, and their memory was completed: nothing else hides it."""
    place = container.project
    here = [item for item in listing.open_items() if place and item.project_id == place.id]
    if place is None or not any(_read(split(item.description)[1], namespace) for item in here):
        return
    until = client.clock.now() + timedelta(days=1)
    for item in client.completed(place.id, until - WINDOW, until):
        if todoist_memory.owner(item.description) == (namespace, str(container.name)):
            raise RefusedError(
                f"todoist ({container.name}): the task “{todoist_memory.TITLE}” was completed, and holds what backplan "
                "has to remember. Reopen it in Todoist, among the completed tasks of the project; nothing was changed"
            )


def facts(container: Container, listing: Listing, requests: int) -> list[Fact]:
    """Return what there is to say of the account, its plan, the project and the requests that may be sent."""
    limits, name, room = listing.limits, container.name, container.room(listing)
    deadlines = "with deadlines" if limits.deadlines else "without deadlines of Todoist's own"
    plan = f"{limits.plan or 'unknown'}: {limits.tasks} open tasks a project, {limits.projects} projects, {deadlines}"
    try:
        refuse_full(container, listing)
    except RefusedError as error:
        place = Fact("project", False, str(error))
    else:
        there = f"“{name}” is there" if container.project else f"“{name}” does not exist yet; the first sync makes it"
        place = Fact("project", True, there + (f", with room for {room} more open tasks" if room is not None else ""))
    return [
        Fact("account", True, f"{listing.user.email} (id {listing.user.id}), time zone {listing.user.timezone}"),
        Fact("plan", True, plan),
        place,
        Fact(
            "requests",
            True,
            f"{requests} sent now; Todoist takes 1,000 in 15 minutes, 100 of them whole reads, and does not tell how "
            "many are left. A sync sends 1 to 5",
        ),
    ]


# The snapshot


@dataclass
class Reading:
    """What one connector found in an account."""

    listing: Listing
    container: Container
    namespace: str
    memory: Mapping[str, GoalMemory] = field(default_factory=dict)
    damage: str = ""
    elsewhere: frozenset[str] = frozenset()  # ids of tasks that other containers of the namespace remember

    @classmethod
    def of(cls, listing: Listing, container: Container, namespace: str) -> Reading:
        """Return the reading with its memory; one that is damaged counts as none."""
        reading = cls(listing, container, namespace)
        if container.memory is not None:
            try:
                reading.memory = todoist_memory.read(listing.notes_of(container.memory.id))
            except ValueError as error:
                reading.damage = f"todoist ({container.name}): the task “{todoist_memory.TITLE}”: {error}"
        others = [m for m in memories(listing, namespace).values() if m is not container.memory]
        reading.elsewhere = frozenset(entry.native_id for memory in others for _, entry in _others(listing, memory))
        return reading

    def entries(self) -> Iterator[tuple[str, Remembered]]:
        """Yield every key that is remembered."""
        for goal in self.memory.values():
            yield from goal.keys.items()

    def seek(self, client: Client) -> None:
        """Ask for what is remembered as open and not listed, and for what was completed lately."""
        known = {e.native_id: self.listing.items.get(e.native_id) for _, e in self.entries()}
        # Nothing open stands below what is done: a task of ours above one is open as well, even if we saw it done.
        above = {item.parent_id for item in known.values() if item and item.parent_id and not item.checked}
        open_ = {e.native_id for _, e in self.entries() if e.state == "live"} | (above & known.keys())
        absent = open_ - self.listing.items.keys()
        until = client.clock.now() + timedelta(days=1)
        lately = (until - WINDOW).date()
        # What a run that was cut short has made, a person may have completed before any run saw it.
        pending = any(e.state == "pending" for _, e in self.entries())
        recent = pending or any(e.state == "done" and e.done_on and e.done_on >= lately for _, e in self.entries())
        if self.container.project is None or not (absent or recent):
            return
        project_id, first = self.container.project.id, self._first_sync(absent) if absent else lately
        for since, before in _windows(first, until):
            self._add(client.completed(project_id, since, before))
            absent -= self.listing.items.keys()
            if not absent:
                return
        self.ask_for(absent, client, first)

    def ask_for(self, ids: Iterable[str], client: Client, first: date) -> None:
        """Ask for tasks by their ids and, as completed ones may not be found so, among all that was completed."""
        absent = set(ids)
        self._add(item for task_id in sorted(absent) if (item := client.task(task_id)) is not None)
        absent -= self.listing.items.keys()
        for since, before in _windows(first, client.clock.now() + timedelta(days=1)):
            if absent:
                self._add(item for item in client.completed_anywhere(since, before) if item.id in absent)
                absent -= self.listing.items.keys()

    def see_completed(self, client: Client) -> None:
        """Take in what was completed in the project since the first sync."""
        if self.container.project is not None and self.memory:
            first = min(goal.first_sync for goal in self.memory.values())
            for since, before in _windows(first, client.clock.now() + timedelta(days=1)):
                self._add(client.completed(self.container.project.id, since, before))

    def has_finished_work(self, item_id: str) -> bool:
        """Return whether a completed task of a person's own stands anywhere below one."""
        below = [item for item in self.listing.items.values() if item.parent_id == item_id and not item.is_deleted]
        own = any(item.checked and _read(split(item.description)[1], self.namespace) is None for item in below)
        return own or any(self.has_finished_work(item.id) for item in below)

    def _add(self, items: Iterable[Item]) -> None:
        for item in items:
            self.listing.items.setdefault(item.id, item)

    def _first_sync(self, ids: set[str]) -> date:
        return min(g.first_sync for g in self.memory.values() if any(e.native_id in ids for e in g.keys.values()))

    def snapshot(self) -> Snapshot:
        """Return what the connector tells of it."""
        managed = sorted(self._managed(), key=lambda found: (found[0].added_at, found[0].child_order, found[0].id))
        others: dict[str, frozenset[str]] = {}
        ours: dict[str, list[tuple[Item, Marker, bool]]] = {}
        for item, marker, damaged in managed:
            if marker.namespace != self.namespace:
                others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
            elif self._is_mine(item, marker):
                ours.setdefault(marker.nonce, []).append((item, marker, damaged))
        for namespace, key in self._remembered_here():
            others[namespace] = others.get(namespace, frozenset()) | {key}
        originals = {nonce: self._original(alike) for nonce, alike in ours.items()}
        ids = {item.id for item in originals.values() if item}
        below = _Families(self.listing)
        found = [(item, marker) for alike in ours.values() for item, marker, _ in alike]
        tasks = [self._task(item, marker, ids, below) for item, marker in found if item.id in ids]
        copies = [self._task(item, marker, ids, below) for item, marker in found if item.id not in ids]
        return Snapshot(
            tuple(tasks),
            tuple(copies),
            self.memory,
            remembers=bool(self.memory) or not tasks,
            others=others,
            damaged=frozenset(item.id for alike in ours.values() for item, _, damaged in alike if damaged) & ids,
            damage=self.damage,
            room=self.container.room(self.listing),
            account=frozenset({self.listing.user.id, self.listing.user.email} - {""}),
        )

    def _managed(self) -> Iterator[tuple[Item, Marker, bool]]:
        """Yield the tasks with a marker, and whether it has to be written anew; of other namespaces, those in here."""
        live = {entry.native_id: (key, entry) for key, entry in self.entries() if entry.state == "live"}
        known = self._known()
        for item in self.listing.items.values():
            marker = None if item.is_deleted else _read(split(item.description)[1], self.namespace)
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
                yield from ((owner[0], key) for key, entry in _others(self.listing, item) if entry.state == "live")

    def _known(self) -> frozenset[str]:
        """Return the ids that are remembered, and the nonces of those tasks; none where there is no memory."""
        ids = {entry.native_id for _, entry in self.entries()}
        ours = (self.listing.items[native_id] for native_id in ids & self.listing.items.keys())
        markers = (_read(split(item.description)[1], self.namespace) for item in ours)
        return frozenset(ids | {marker.nonce for marker in markers if marker is not None})

    def _is_mine(self, item: Item, marker: Marker) -> bool:
        """Return whether a task of the namespace is this container's: another one may live in the same account."""
        if item.id in self.elsewhere:
            return False
        here = self.container.project is not None and item.project_id == self.container.project.id
        return here or not self.elsewhere or any(key == marker.key for key, _ in self.entries())

    def _original(self, alike: list[tuple[Item, Marker, bool]]) -> Item | None:
        """Return which of the tasks with one nonce we made: that with the id that we remember, without one the oldest.

        None where we remember another: then a person has copied it, and deleted or completed what they copied.
        """
        ids = {entry.native_id for _, entry in self.entries()}  # under whatever key: a rename may have been cut short
        if known := next((item for item, _, _ in alike if item.id in ids), None):
            return known
        first, marker, _ = alike[0]
        goal = self.memory.get(marker.key.partition("/")[0])
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


def content_of(item: Item) -> Content:
    """Return what people see of a task, without our marker."""
    priority = _PRIORITY_NAMES.get(item.priority, "none")
    return Content(item.content, item.due.day if item.due else None, split(item.description)[0], item.labels, priority)


def _others(listing: Listing, memory: Item) -> Iterator[tuple[str, Remembered]]:
    """Yield what another container's memory knows; where it is damaged, that container's connector will say so."""
    try:
        goals = todoist_memory.read(listing.notes_of(memory.id))
    except (ValueError, BackplanError):
        return
    for goal in goals.values():
        yield from goal.keys.items()


def _day(moment: str | None, timezone: str) -> date | None:
    return datetime.fromisoformat(moment).astimezone(zone(timezone)).date() if moment else None


def _windows(first: date, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield stretches of time back from `until` to a day, at least one, each as long as the service allows."""
    while True:
        yield until - WINDOW, until
        until -= WINDOW
        if until.date() < first:
            return
