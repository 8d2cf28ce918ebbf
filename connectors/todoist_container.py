"""Where tasks live in a Todoist account: the projects and sections that hold them, and the task that holds a memory.

A memory belongs to one place, whose name stands in the description of its task. People may do anything to that task, so
it is known by whatever is left: the description or the comments. What is not as it should be is repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from config.errors import BackplanError, RefusedError
from connectors import todoist_memory
from connectors.base import Fact
from connectors.todoist_api import WINDOW
from connectors.todoist_objects import Command, Name
from connectors.todoist_text import marker_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from connectors.base import Remembered
    from connectors.todoist_api import Client
    from connectors.todoist_objects import Item, Limits, Listing, Place


_SLASH = "\0"  # stands for one that is part of a name
_ENOUGH = 3  # tasks of a memory, to know whose it is


@dataclass(frozen=True, slots=True)
class Store:
    """A task that holds a memory, and the name of the place that it belongs to; empty where that cannot be read."""

    item: Item
    name: str

    @property
    def place(self) -> tuple[str, str | None]:
        """The ids of the project and section in which the task stands."""
        return self.item.project_id, self.item.section_id


@dataclass(frozen=True, slots=True)
class Container:
    """Where a connector's tasks live: what is None has yet to be made. `named`: the goals file names the place."""

    name: Name
    project: Place | None
    section: Place | None
    memory: Item | None
    named: bool = True

    @property
    def place(self) -> tuple[str, str | None] | None:
        """The ids of the project and section; None where one of them has yet to be made."""
        if self.project is None or (self.name.section and self.section is None):
            return None
        return self.project.id, self.section.id if self.section else None

    def room(self, listing: Listing) -> int | None:
        """Return how many more open tasks there is room for."""
        most = listing.limits.tasks
        if most is None:
            return None
        project_id = self.project.id if self.project else None
        there = sum(item.project_id == project_id for item in listing.open_items())
        return most - there - (self.memory is None)


# Finding a container and its memory


def stores(listing: Listing, namespace: str) -> list[Store]:
    """Return the tasks that hold a memory of the namespace, completed ones last, then those without comments."""
    if (known := listing.derived.get(("stores", namespace))) is not None:
        return list(known)
    noted, found = listing.noted(), []
    for item in listing.items.values():
        comments = todoist_memory.by_goal(noted[item.id]) if item.id in noted else {}
        store = None if item.is_deleted else _store(listing, item, namespace, bool(comments))
        if store is not None:
            found.append((item.checked, not comments, item.added_at, item.id, store))
    listing.derived["stores", namespace] = [store for *_, store in sorted(found, key=lambda row: row[:4])]
    return list(listing.derived["stores", namespace])


def _store(listing: Listing, item: Item, namespace: str, comments: bool) -> Store | None:
    owner = todoist_memory.owner(item.description)
    if owner is not None:
        whole = item.content == todoist_memory.TITLE or item.description == todoist_memory.description(*owner)
        ours = owner[0] == namespace and (comments or whole)
        return Store(item, owner[1]) if ours else None
    if not comments:
        return None
    spaces = {marker.namespace for task in _remembered(listing, item) if (marker := marker_of(task))}
    return Store(item, "") if spaces == {namespace} else None


def identify(listing: Listing, client: Client) -> None:
    """Ask for a task of each memory whose description was emptied, if none is listed: its marker says whose it is."""
    for item_id, notes in listing.noted().items():
        item = listing.items.get(item_id)
        nameless = item is not None and not item.is_deleted and todoist_memory.owner(item.description) is None
        if item is None or not nameless or not todoist_memory.by_goal(notes) or _remembered(listing, item):
            continue
        known = [entry.native_id for _, entry in entries_of(listing, item) if entry.state in ("live", "done")]
        found = (client.task(native_id) for native_id in known[:_ENOUGH])
        listing.items |= {task.id: task for task in found if task is not None}
        listing.derived.clear()


def _remembered(listing: Listing, memory: Item) -> list[Item]:
    """Return the tasks of a memory that are listed, also those that were made before it was told their ids."""
    known, made = {entry.native_id for _, entry in entries_of(listing, memory)}, _by_nonce(listing)
    ids = [made.get(native_id, native_id) for native_id in sorted(known)]
    return [listing.items[native_id] for native_id in ids if native_id in listing.items]


def _by_nonce(listing: Listing) -> dict[str, str]:
    """Return the id of the listed task with each nonce, which a memory has until it is told that id."""
    if (known := listing.derived.get(("nonces", ""))) is None:
        markers = ((item.id, marker_of(item)) for item in listing.items.values())
        known = listing.derived["nonces", ""] = {marker.nonce: item_id for item_id, marker in markers if marker}
    found: dict[str, str] = known
    return found


def entries_of(listing: Listing, memory: Item) -> list[tuple[str, Remembered]]:
    """Return the keys that a memory knows, as far as it can be read."""
    if (known := listing.derived.get(("entries", memory.id))) is None:
        goals = todoist_memory.read(listing.notes_of(memory.id))[0].values()
        known = listing.derived["entries", memory.id] = [item for goal in goals for item in goal.keys.items()]
    return list(known)


def find_container(listing: Listing, name: Name, namespace: str, others: Collection[Name] = ()) -> Container:
    """Return the place with a name and its memory; where a person renamed it, the place in which its memory stands.

    others: the other places that the goals file names in this account, whose memories are not this one's.
    """
    known = stores(listing, namespace)
    own = next((store for store in known if store.name == str(name)), None)
    project = _named(name.project, listing.projects.values(), own.item.project_id if own else None)
    if project is None:
        project = _renamed(name, [own] if own is not None else known, listing)
    section = None
    if project is not None and name.section:
        within = [place for place in listing.sections.values() if place.project_id == project.id]
        section = _named(name.section, within, own.item.section_id if own else None)
        if section is None and own is not None:
            section = next((place for place in within if place.id == own.item.section_id and not place.gone), None)
    container = Container(name, project, section, own.item if own else None)
    if own is None and container.place is not None:
        taken = {str(other) for other in others}
        left = (store for store in known if store.name not in taken and _is_left(listing, store, container))
        return replace(container, memory=next((store.item for store in left), None))
    return container


def _renamed(name: Name, known: Iterable[Store], listing: Listing) -> Place | None:
    """Return the project that a person gave another name: in it stands the memory of a place in it."""
    for store in known:
        home = listing.projects.get(store.item.project_id)
        if home is None or home.inbox or home.gone:
            continue
        if any(one.project == name.project for one in names(store.name)):
            return home
    return None


def _is_left(listing: Listing, store: Store, container: Container) -> bool:
    """Return whether a memory belongs to a place that has another name now, or whose name in it cannot be read."""
    if store.name:
        there = [place for name in names(store.name) if (place := _resolve(listing, name))]
        return store.place == container.place and all(place == container.place for place in there)
    return container.place in (*_places(listing, store), store.place)


def names(text: str) -> list[Name]:
    """Return what the name of a place may mean: a project, or a section of one."""
    parts = [part.replace(_SLASH, " / ") for part in text.replace(" // ", _SLASH).split(" / ")]
    sections = [Name(" / ".join(parts[:cut]), " / ".join(parts[cut:])) for cut in range(1, len(parts))]
    return [Name(" / ".join(parts)), *sections]


def _resolve(listing: Listing, name: Name) -> tuple[str, str | None] | None:
    project = _named(name.project, listing.projects.values(), None)
    if project is None or name.section is None:
        return (project.id, None) if project else None
    within = (place for place in listing.sections.values() if place.project_id == project.id)
    section = _named(name.section, within, None)
    return (project.id, section.id) if section else None


def _named(name: str, places: Iterable[Place], home: str | None) -> Place | None:
    """Return the place with an id or a name; of several with one name, that of the id `home`, else the first."""
    there = [place for place in places if not place.gone]
    by_id = [place for place in there if place.id == name]
    same = [place for place in there if place.name.strip() == name.strip()]
    return next(iter(by_id + sorted(same, key=lambda place: place.id != home)), None)


def unnamed(listing: Listing, namespace: str, named: Collection[Name]) -> list[Name]:
    """Return the places that hold a memory of the namespace, and that the goals file has stopped naming."""
    containers = [
        find_container(listing, name, namespace, [other for other in named if other != name]) for name in named
    ]
    claimed = {container.memory.id for container in containers if container.memory}
    there = {str(container.name) for container in containers if container.memory}
    found: dict[Name, None] = {}
    for store in stores(listing, namespace):
        if store.item.id not in claimed and store.name not in there:
            possible = names(store.name) if store.name else [_name_of(listing, _places(listing, store)[0])]
            standing = (name for name in possible if _resolve(listing, name) == store.place)
            found[next(standing, possible[0])] = None
    return list(found)


def _places(listing: Listing, store: Store) -> list[tuple[str, str | None]]:
    """Return where the tasks of a memory stand, or its own place where there is none."""
    tasks = [(item.project_id, item.section_id) for item in _remembered(listing, store.item) if not item.parent_id]
    return tasks or [store.place]


def _name_of(listing: Listing, place: tuple[str, str | None]) -> Name:
    project_id, section_id = place
    section = listing.sections.get(section_id or "")
    return Name(listing.projects[project_id].name, section.name if section else None)


def look_for_completed(listing: Listing, client: Client, namespace: str) -> None:
    """Take in memories that a person completed: no list of open tasks has them."""
    until = client.clock.now() + timedelta(days=1)
    _take_stores(client.completed_anywhere(until - WINDOW, until), listing, client, namespace)
    for project_id in listing.projects:  # only so a task says whether it has comments
        if _has_strays(listing, namespace):
            _take_stores(client.completed(project_id, until - WINDOW, until), listing, client, namespace)


def _take_stores(items: Iterable[Item], listing: Listing, client: Client, namespace: str) -> None:
    """Take in the tasks that may hold a memory: by their words or, where these were changed, by their comments."""
    for item in items:
        owner = todoist_memory.owner(item.description)
        named = item.content == todoist_memory.TITLE or (owner is not None and owner[0] == namespace)
        if named or (item.note_count and marker_of(item) is None):
            client.read_notes(listing, item)
            listing.derived.clear()
            if named or todoist_memory.by_goal(listing.notes_of(item.id)):
                listing.items.setdefault(item.id, item)
                listing.derived.clear()


def _has_strays(listing: Listing, namespace: str) -> bool:
    """Return whether there are tasks of ours that no memory knows."""
    known = {e.native_id for store in stores(listing, namespace) for _, e in entries_of(listing, store.item)}
    markers = (marker_of(item) for item in listing.open_items() if item.id not in known)
    return any(marker.namespace == namespace and marker.nonce not in known for marker in markers if marker)


# Repairing a memory


def repairs(container: Container, namespace: str) -> list[Command]:
    """Return the commands that make the task of the memory what it should be."""
    item = container.memory
    if item is None or not container.named:
        return []
    commands = []
    fields = {} if item.content == todoist_memory.TITLE else {"content": todoist_memory.TITLE}
    description = todoist_memory.described(item.description, namespace, str(container.name))
    fields |= {} if item.description == description else {"description": description}
    if item.checked:
        commands.append(Command("item_uncomplete", {"id": item.id}))
    if fields or item.due is not None:
        commands.append(Command("item_update", {"id": item.id, **fields, **({"due": None} if item.due else {})}))
    if container.place not in (None, (item.project_id, item.section_id)) or item.parent_id:
        commands += _move(container, item)
    return commands


def _move(container: Container, item: Item) -> list[Command]:
    if container.place is None:
        return []
    project_id, section_id = container.place
    place = {"section_id": section_id} if section_id else {"project_id": project_id}
    return [Command("item_move", {"id": item.id, **place})]


def needs_repair(container: Container, namespace: str) -> bool:
    """Return whether the memory, or the place that it belongs to, is not as it should be."""
    if container.memory is None or not container.named:
        return False
    return container.place is None or bool(repairs(container, namespace))


def repaired(container: Container) -> str:
    """Return a sentence on a memory that is repaired."""
    title = container.memory.content if container.memory else ""
    called = "" if title == todoist_memory.TITLE else f" (it was called “{title}”)"
    return (
        f"the task “{todoist_memory.TITLE}” was changed{called}. It holds what backplan has to remember, so it is put "
        "back as it was; please leave it as it is"
    )


# Refusals and facts


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


def refuse_archived(container: Container, listing: Listing, client: Client) -> None:
    """Raise RefusedError where what is missing was, or may have been, archived: all in it is hidden, and not deleted.

    No list tells which sections of a project are archived, only how many.
    """
    name = container.name.project
    if container.project is not None:
        _refuse_archived_section(container, listing)
    elif any(name in (place.id, place.name) for place in client.archived_projects(listing)):
        raise RefusedError(
            f"todoist ({container.name}): the project “{name}” was archived. Unarchive it in Todoist, or name another "
            "one in the goals file; nothing was changed"
        )


def _refuse_archived_section(container: Container, listing: Listing) -> None:
    name, project = container.name, container.project
    hidden = listing.archived_sections.get(project.id, 0) if project else 0
    if name.section and container.section is None and hidden:
        raise RefusedError(
            f"todoist ({name}): the project “{name.project}” has no section “{name.section}”, and {hidden} archived "
            f"ones, whose names Todoist does not tell. If “{name.section}” is among them, unarchive it. If not, make a "
            "section of that name there, and run again; nothing was changed"
        )


def facts(container: Container, listing: Listing, requests: int) -> list[Fact]:
    """Return what there is to say of the account, its plan, the project and the requests that may be sent."""
    limits, name, room = listing.limits, container.name, container.room(listing)
    deadlines = "with deadlines" if limits.deadlines else "without deadlines of Todoist's own"
    plan = f"{limits.plan or 'unknown'}: {limits.tasks} open tasks a project, {limits.projects} projects, {deadlines}"
    try:
        refuse_full(container, listing)
    except BackplanError as error:
        place = Fact("project", False, str(error))
    else:
        there = f"“{name}” is there" if container.place else f"“{name}” does not exist yet; the first sync makes it"
        place = Fact("project", True, there + (f", with room for {room} more open tasks" if room is not None else ""))
    return [
        Fact("account", True, f"{listing.user.email} (id {listing.user.id}), time zone {listing.user.timezone}"),
        Fact("plan", True, plan),
        place,
        Fact(
            "requests",
            True,
            f"{requests} sent now; Todoist takes 1,000 in 15 minutes, 100 of them whole reads, and does not tell how "
            "many are left. A sync in which nothing changed sends 1 or 2",
        ),
    ]
