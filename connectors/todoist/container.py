"""The places in a Todoist account that contain our tasks: projects, sections, and the task with the memory.

A memory belongs to one place; the description of its task contains the name of the place. Users may change that task in
any way, so it is recognized by its description or its comments, and repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.todoist import memory as todoist_memory
from connectors.todoist.api import WINDOW
from connectors.todoist.description import marker_of
from connectors.todoist.objects import Command, Name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from connectors.model import StoredKey
    from connectors.todoist.answers import Item, Place
    from connectors.todoist.api import Client
    from connectors.todoist.objects import Listing


_SLASH = "\0"  # stands for one that is part of a name
_ENOUGH = 3  # tasks of a memory, to know whose it is


@dataclass(frozen=True, slots=True)
class Store:
    """A task with a memory, and the name of the place that it belongs to; empty if that cannot be read."""

    item: Item
    name: str

    @property
    def place(self) -> tuple[str, str | None]:
        """The ids of the project and section that contain the task."""
        return self.item.project_id, self.item.section_id


@dataclass(frozen=True, slots=True)
class Container:
    """The place of a connector's tasks; parts that are None do not exist yet. `named`: the goals file names it."""

    name: Name
    project: Place | None
    section: Place | None
    memory: Item | None
    named: bool = True

    @property
    def place(self) -> tuple[str, str | None] | None:
        """The ids of the project and section; None if one of them does not exist yet."""
        if self.project is None or (self.name.section and self.section is None):
            return None
        return self.project.id, self.section.id if self.section else None

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of a command that creates a task here, or moves it here; empty if there is no project yet."""
        if self.section:
            return {"section_id": self.section.id}
        return {"project_id": self.project.id} if self.project else {}

    @property
    def spelled(self) -> tuple[str, ...]:
        """A sentence on each name that the goals file does not spell as Todoist does."""
        named = (("project", self.name.project, self.project), ("section", self.name.section, self.section))
        return tuple(
            f"there is no {kind} `{name}`; `{place.name}` is used"
            for kind, name, place in named
            if name and place and not is_exact(name, place) and _folded(name) == _folded(place.name)
        )

    def room(self, listing: Listing) -> int | None:
        """Return how many more open tasks the project may have; None if there is no limit."""
        most = listing.limits.tasks
        if most is None:
            return None
        project_id = self.project.id if self.project else None
        there = sum(item.project_id == project_id for item in listing.open_items())
        return most - there - (self.memory is None)


# Finding a container and its memory


def stores(listing: Listing, namespace: str) -> list[Store]:
    """Return the tasks with a memory of the namespace: open ones first, then those with comments, then the oldest."""
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
    """Request a task of each memory without a description, if none is listed: the marker contains the namespace."""
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
    """Return the listed tasks of a memory, including those whose ids it does not contain yet."""
    known, made = {entry.native_id for _, entry in entries_of(listing, memory)}, _by_nonce(listing)
    ids = [made.get(native_id, native_id) for native_id in sorted(known)]
    return [listing.items[native_id] for native_id in ids if native_id in listing.items]


def _by_nonce(listing: Listing) -> dict[str, str]:
    """Return the ids of listed tasks by their nonces: a memory contains the nonce until the id is known."""
    if (known := listing.derived.get(("nonces", ""))) is None:
        markers = ((item.id, marker_of(item)) for item in listing.items.values())
        known = listing.derived["nonces", ""] = {marker.nonce: item_id for item_id, marker in markers if marker}
    found: dict[str, str] = known
    return found


def entries_of(listing: Listing, memory: Item) -> list[tuple[str, StoredKey]]:
    """Return the keys in a memory, as far as it can be read."""
    if (known := listing.derived.get(("entries", memory.id))) is None:
        goals = todoist_memory.read(listing.notes_of(memory.id))[0].values()
        known = listing.derived["entries", memory.id] = [item for goal in goals for item in goal.keys.items()]
    return list(known)


def find_container(listing: Listing, name: Name, namespace: str, others: Collection[Name] = ()) -> Container:
    """Return the place with a name, and its memory; if a user renamed the place, the one that contains the memory.

    others: the other places that the goals file names in this account, whose memories are not this one's.
    """
    known = stores(listing, namespace)
    own = next((store for store in known if store.name == str(name)), None)
    memory = own.item if own else None
    project = (
        _named(name.project, listing.projects.values(), memory.project_id if memory else None)
        or _renamed(name, [own] if own else known, listing)
        or _alike(name.project, listing.projects.values())
    )
    section = _section(name.section, project, memory, listing) if project and name.section else None
    container = Container(name, project, section, memory)
    if memory is not None or container.place is None:
        return container
    taken = {str(other) for other in others}
    free = (store for store in known if store.name not in taken)
    return replace(container, memory=_left_memory(listing, free, container))


def _left_memory(listing: Listing, known: Iterable[Store], container: Container) -> Item | None:
    return next((store.item for store in known if _is_left(listing, store, container)), None)


def _section(name: str, project: Place, memory: Item | None, listing: Listing) -> Place | None:
    """Return the section with a name; if a user renamed it, the one that contains the task of the memory."""
    within = [place for place in listing.sections.values() if place.project_id == project.id]
    home = memory.section_id if memory else None
    renamed = (place for place in within if home is not None and place.id == home and not place.gone)
    return _named(name, within, home) or next(renamed, None) or _alike(name, within)


def _renamed(name: Name, known: Iterable[Store], listing: Listing) -> Place | None:
    """Return the project that a user renamed: it contains the memory of a place in it."""
    for store in known:
        home = listing.projects.get(store.item.project_id)
        if home is None or home.inbox or home.gone:
            continue
        if any(one.project == name.project for one in names(store.name)):
            return home
    return None


def _is_left(listing: Listing, store: Store, container: Container) -> bool:
    """Return whether a memory belongs to this place under an earlier name, or under one that cannot be read."""
    if store.name:
        there = [place for name in names(store.name) if (place := resolve(listing, name))]
        return store.place == container.place and all(place == container.place for place in there)
    return container.place in (*_places(listing, store), store.place)


def names(text: str) -> list[Name]:
    """Return the possible meanings of the name of a place: a project, or a section of one."""
    parts = [part.replace(_SLASH, " / ") for part in text.replace(" // ", _SLASH).split(" / ")]
    sections = [Name(" / ".join(parts[:cut]), " / ".join(parts[cut:])) for cut in range(1, len(parts))]
    return [Name(" / ".join(parts)), *sections]


def resolve(listing: Listing, name: Name) -> tuple[str, str | None] | None:
    """Return the ids of the project and section of a place; None where there is no such place."""
    projects = list(listing.projects.values())
    project = _named(name.project, projects, None) or _alike(name.project, projects)
    if project is None or name.section is None:
        return (project.id, None) if project else None
    within = [place for place in listing.sections.values() if place.project_id == project.id]
    section = _named(name.section, within, None) or _alike(name.section, within)
    return (project.id, section.id) if section else None


def _named(name: str, places: Iterable[Place], home: str | None) -> Place | None:
    """Return the place with an id or a name; of several with one name, the one with the id `home`, else the first."""
    there = [place for place in places if not place.gone and is_exact(name, place)]
    return min(there, key=lambda place: (place.id != name, place.id != home), default=None)


def _alike(name: str, places: Iterable[Place]) -> Place | None:
    """Return the first place whose name differs only in case and white space."""
    return next((place for place in places if not place.gone and _folded(place.name) == _folded(name)), None)


def is_exact(name: str, place: Place) -> bool:
    """Return whether a place has this id, or exactly this name."""
    return place.id == name or place.name.strip() == name.strip()


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def unnamed(listing: Listing, namespace: str, named: Collection[Name]) -> list[Name]:
    """Return the places with a memory of the namespace that the goals file does not name any more."""
    containers = [
        find_container(listing, name, namespace, [other for other in named if other != name]) for name in named
    ]
    claimed = {container.memory.id for container in containers if container.memory}
    there = {str(container.name) for container in containers if container.memory}
    found: dict[Name, None] = {}
    for store in stores(listing, namespace):
        if store.item.id not in claimed and store.name not in there:
            possible = names(store.name) if store.name else [_name_of(listing, _places(listing, store)[0])]
            standing = (name for name in possible if resolve(listing, name) == store.place)
            found[next(standing, possible[0])] = None
    return list(found)


def _places(listing: Listing, store: Store) -> list[tuple[str, str | None]]:
    """Return the places of the tasks of a memory; its own place if there are no tasks."""
    tasks = [(item.project_id, item.section_id) for item in _remembered(listing, store.item) if not item.parent_id]
    return tasks or [store.place]


def _name_of(listing: Listing, place: tuple[str, str | None]) -> Name:
    project_id, section_id = place
    section = listing.sections.get(section_id or "")
    return Name(listing.projects[project_id].name, section.name if section else None)


def look_for_completed(listing: Listing, client: Client, namespace: str) -> None:
    """Search for memories that a user completed: lists of open tasks do not contain them."""
    until = client.latest + timedelta(days=1)
    _take_stores(client.completed_anywhere(until - WINDOW, until), listing, client, namespace)
    for project_id in listing.projects:  # only these answers contain the number of comments
        if _has_strays(listing, namespace):
            _take_stores(client.completed(project_id, until - WINDOW, until), listing, client, namespace)


def _take_stores(items: Iterable[Item], listing: Listing, client: Client, namespace: str) -> None:
    """Store the tasks that may contain a memory, judged by their text or, if that was changed, by their comments."""
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
    """Return whether there are tasks of ours that no memory contains."""
    known = {e.native_id for store in stores(listing, namespace) for _, e in entries_of(listing, store.item)}
    markers = (marker_of(item) for item in listing.open_items() if item.id not in known)
    return any(marker.namespace == namespace and marker.nonce not in known for marker in markers if marker)


# Repairing a memory


def repairs(container: Container, namespace: str) -> list[Command]:
    """Return the commands that repair the task of the memory."""
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
    return [Command("item_move", {"id": item.id, **container.arguments})] if container.place else []


def needs_repair(container: Container, namespace: str) -> bool:
    """Return whether the memory or its place has to be repaired."""
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
