"""A to-do service that lives in memory, the hands of a person who uses it, and everything that can go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from connectors.base import Action, WriteResult
from connectors.codec import write_marker
from connectors.model import Content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from connectors.base import Write


@dataclass(frozen=True, slots=True)
class Kind:
    """What a service is like.

    client_ids: it takes our id for a task, and does nothing when it gets one again. forgets: it may forget such ids.
    atomic: a whole batch and the memory are applied or not, and only to what was read. most: how many writes fit into a
    request. families: ticking or deleting a task does the same to the tasks below it. tells_days: it says when a task
    was done. lists_done: tasks that are done can be found without knowing of them. requests:
    so many, and seldom more, has a run. places: so many places has an account, between which tasks can move.
    """

    name: str
    reliability: Literal["exact", "unique", "safe"]
    client_ids: bool = False
    forgets: bool = False
    atomic: bool = False
    most: int = 1
    families: bool = False
    tells_days: bool = True
    lists_done: bool = True
    requests: int = 10
    places: int = 1


EXACT = Kind("exact", "exact", client_ids=True, most=5, places=3)
UNIQUE = Kind("unique", "unique", client_ids=True, forgets=True, most=5, families=True, places=3)
FILE = Kind("file", "unique", client_ids=True, forgets=True, atomic=True, tells_days=False)
SAFE = Kind("safe", "safe")
KINDS = (EXACT, UNIQUE, FILE, SAFE)
ELSEWHERE = -1  # a place of a person's own


class Killed(Exception):  # noqa: N818  # it is no error of anybody's
    """The process died here: between two requests there is nothing of it left."""


class Fault(StrEnum):
    """What goes wrong with one request. A request that reads knows the last four, and the first three."""

    UNSENT = "the request does not arrive"
    KILLED_BEFORE = "the process dies before the request is sent"
    KILLED_AFTER = "the request is carried out, then the process dies"
    REFUSED = "the service says no to the first write of the request; the others are carried out"
    UNKNOWN = "carried out, but the answer to the first write says error"
    LOST = "carried out, but the answer is lost"
    IN_PART = "the first half of the request is carried out, then the connection breaks"
    EMPTY = "the list comes back empty, as if there were nothing"
    CUT = "the list comes back without its second half"
    STALE = "the list comes back without what was made last"


READ_FAULTS = (Fault.UNSENT, Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.EMPTY, Fault.CUT, Fault.STALE)
WRITE_FAULTS = tuple(fault for fault in Fault if fault not in (Fault.EMPTY, Fault.CUT, Fault.STALE))


@dataclass(frozen=True, slots=True)
class Held:
    """A task as the service holds it, in one of its places. `marker` is its text, None where it is not ours.

    `unread`: a person typed something there that nobody can read, for a `date` or `state`; empty for nothing.
    """

    content: Content
    marker: str | None = None
    done: bool = False
    done_on: date | None = None
    dropped: bool = False
    recurring: bool = False
    parent: str | None = None
    comments: tuple[str, ...] = ()
    place: int = 0
    unread: str = ""


def memory_key(namespace: str, place: int) -> str:
    """Return under which name a place holds what a namespace remembers there."""
    return f"{namespace}#{place}" if place else namespace


@dataclass
class Service:
    """The service itself, and what a person does there.

    `hands` are the native ids of the tasks that a person worked on in a way that stays, and that no other app can take
    over (words of theirs are looked for one by one, and a date may be put back),
    `strayed` of those that they took to another place, `removed` those that a request deleted. `memory` has a name for
    each place (`memory_key`), `spoiled` are the names of those whose task a person changed. `archived` are the places
    that no list shows.
    """

    kind: Kind = SAFE
    tasks: dict[str, Held] = field(default_factory=dict)
    memory: dict[str, list[str]] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    archived: set[int] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)  # our id -> native id, for good or until forgotten
    hands: set[str] = field(default_factory=set)
    strayed: set[str] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    version: int = 0
    reads: int = 0
    writes: int = 0
    newest: str | None = None
    unreadable: bool = False
    forgot: bool = False
    _fault: tuple[int, Fault] | None = None

    def fail(self, at: int, fault: Fault) -> None:
        """Let the request after the next `at` ones go wrong."""
        self._fault = (self.requests + at, fault)

    def heal(self) -> None:
        """Let everything work again."""
        self._fault, self.unreadable = None, False

    @property
    def requests(self) -> int:
        """How many requests there have been."""
        return self.reads + self.writes

    def fault(self) -> Fault | None:
        """Return what goes wrong with the request that was counted last."""
        return self._fault[1] if self._fault and self._fault[0] == self.requests - 1 else None

    def state(self) -> object:
        """Return all that is there, for comparing."""
        return dict(self.tasks), {name: list(lines) for name, lines in self.memory.items()}, set(self.spoiled)

    def memories(self, namespace: str) -> dict[int, list[str]]:
        """Return what a namespace remembers, by the place where that stands."""
        names = {place: memory_key(namespace, place) for place in range(self.kind.places)}
        return {place: self.memory[name] for place, name in names.items() if name in self.memory}

    # What a person does

    def tick(self, native_id: str, day: date | None = None) -> None:
        """Tick a task (and, in a service with families, those below); one that recurs moves on instead."""
        for one in self.family(native_id):
            if not (self.tasks[one].done or self.tasks[one].recurring):
                self._change(one, done=True, dropped=False, done_on=day if self.kind.tells_days else None)

    def reopen(self, native_id: str) -> None:
        """Reopen a task and, in a service with families, those above."""
        parent = self.tasks[native_id].parent
        self._change(native_id, done=False, done_on=None, dropped=False)
        if self.kind.families and parent in self.tasks and self.tasks[parent].done:
            self.reopen(parent)

    def cancel(self, native_id: str) -> None:
        """Close a task as not planned."""
        self._change(native_id, dropped=True)

    def delete(self, native_id: str) -> None:
        """Delete a task and, in a service with families, those below."""
        for one in self.family(native_id):
            del self.tasks[one]
        self.version += 1

    def set_due(self, native_id: str, day: date | None) -> None:
        """Give a task another date."""
        self._change(native_id, content=replace(self.tasks[native_id].content, due=day))

    def set_title(self, native_id: str, title: str) -> None:
        """Give a task another title."""
        self._change(native_id, content=replace(self.tasks[native_id].content, title=title))

    def set_notes(self, native_id: str, notes: str) -> None:
        """Give a task other notes."""
        self._change(native_id, content=replace(self.tasks[native_id].content, notes=notes))

    def add_label(self, native_id: str, label: str) -> None:
        """Give a task a label more."""
        content = self.tasks[native_id].content
        self._change(native_id, content=replace(content, labels=(*content.labels, label)))

    def touch(self, native_id: str) -> None:
        """Add something to a task that is in none of its fields."""
        self._touch(native_id, comments=(*self.tasks[native_id].comments, "a person's comment"))

    def make_recurring(self, native_id: str) -> None:
        """Let a task repeat."""
        self._touch(native_id, recurring=True)

    def garble(self, native_id: str, what: str) -> None:
        """Type something that cannot be read in place of a `date` or a `state`, or (empty) put that right again."""
        self._change(native_id, unread=what)

    def move_away(self, native_id: str) -> None:
        """Take a task to another place, where it stands alone; what is below it follows."""
        self.strayed.add(native_id)
        self._change(native_id, parent=None)
        self._place(native_id, ELSEWHERE if self.kind.places > 1 else 0)

    def copy(self, native_id: str) -> str:
        """Duplicate a task, marker and all."""
        made = self._add(replace(self.tasks[native_id]))
        self.hands.add(made)
        return made

    def damage_marker(self, native_id: str) -> None:
        """Spoil a marker behind its nonce."""
        nonce = (self.tasks[native_id].marker or "bp1 nothing").split()[1]
        self._change(native_id, marker=f"bp1 {nonce} oops")

    def strip_marker(self, native_id: str) -> None:
        """Take the marker out of a task."""
        self._change(native_id, marker=None)

    def add_foreign_task(self, title: str, parent: str | None = None) -> str:
        """Add a task that is none of ours."""
        return self._add(Held(Content(title), parent=parent, place=self.tasks[parent].place if parent else 0))

    def foreign_tasks(self) -> dict[str, Held]:
        """Return the tasks that carry no marker of ours."""
        return {native_id: held for native_id, held in self.tasks.items() if held.marker is None}

    def forget_ids(self) -> None:
        """Forget which of our ids it has seen."""
        self.ids.clear()
        self.forgot = True

    def lose_memory(self, namespace: str) -> None:
        """Lose what a namespace remembers there."""
        for place in range(self.kind.places):
            self.memory.pop(memory_key(namespace, place), None)
            self.spoiled.discard(memory_key(namespace, place))

    def spoil_memory(self, name: str, how: int) -> None:  # an app has many ways, this one has one
        """Change the task that holds a memory, which can still be found."""
        self.spoiled.add(name)
        self.version += 1

    def rename_place(self, place: int, name: str) -> None:  # here it is known by its number
        """Call a place by another name."""
        self.version += 1

    def can_archive(self, place: int) -> bool:  # here every place can be told from one that is not there
        """Return whether a connector can know that a place was archived."""
        return True

    def archive_place(self, place: int, *, archived: bool = True) -> None:
        """Hide a place with all that is in it, or show it again."""
        (self.archived.add if archived else self.archived.discard)(place)
        self.version += 1

    def delete_place(self, namespace: str, place: int) -> list[str]:
        """Delete a place with all that is in it; return the native ids of the tasks."""
        gone = [native_id for native_id, held in self.tasks.items() if held.place == place]
        for native_id in gone:
            del self.tasks[native_id]
        self.memory.pop(memory_key(namespace, place), None)
        self.spoiled.discard(memory_key(namespace, place))
        self.version += 1
        return gone

    def _touch(self, native_id: str, **values: Any) -> None:
        self.hands.add(native_id)
        self._change(native_id, **values)

    def _place(self, native_id: str, place: int) -> None:
        """Put a task, and what is below it, into a place."""
        self._change(native_id, place=place)
        for one in [one for one, held in self.tasks.items() if held.parent == native_id]:
            self._place(one, place)

    def _change(self, native_id: str, **values: Any) -> None:
        self.tasks[native_id] = replace(self.tasks[native_id], **values)
        self.version += 1

    def _add(self, held: Held) -> str:
        self.version += 1
        native_id = self.newest = f"T{self.version}"
        self.tasks[native_id] = held
        return native_id

    def family(self, native_id: str) -> Iterator[str]:
        """Yield a task and, in a service with families, all that stand below it, the lowest first."""
        if self.kind.families:
            for one in [one for one, held in self.tasks.items() if held.parent == native_id]:
                yield from self.family(one)
        yield native_id

    # What a connector asks of it

    def carry_out(self, write: Write, parent: str | None, place: int = 0) -> WriteResult:
        """Do what one write says; `parent` is the native id of the task to stand below, else it stands in `place`."""
        asked, place = place, self.tasks[parent].place if parent in self.tasks else place
        if write.action is Action.CREATE:
            return self._create(write, parent, asked, place)
        if write.action is Action.REMOVE:  # one that is gone already is removed
            if write.native_id in self.tasks:
                self.removed += self.family(write.native_id)
                self.delete(write.native_id)
        elif write.native_id not in self.tasks:
            return WriteResult(error="no such task")
        else:
            if write.action is Action.COMPLETE:
                self.tick(write.native_id, write.done_on)
            self._change(write.native_id, **self._changes(write, parent))
            if "parent" in write.fields:
                self._place(write.native_id, place)
        return WriteResult(write.native_id)

    def link(self, native_id: str, after: tuple[str, ...]) -> None:
        """Let a task come after others, by their native ids, where it is there."""
        if native_id in self.tasks and self.tasks[native_id].content.after != after:
            self._change(native_id, content=replace(self.tasks[native_id].content, after=after))

    def _create(self, write: Write, parent: str | None, asked: int, place: int) -> WriteResult:
        """Make a task in a place; our id for it names the place that was `asked` for it."""
        assert write.content is not None  # a create without content or marker would be a bug of ours
        assert write.marker is not None
        our_id = f"{asked} {write.marker.nonce}"
        if self.kind.client_ids and our_id in self.ids:
            native_id = self.ids[our_id]
            return WriteResult(native_id, gone=native_id not in self.tasks)
        content = replace(write.content, after=())
        native_id = self._add(Held(content, write_marker(write.marker), parent=parent, place=place))
        self.ids[our_id] = native_id
        return WriteResult(native_id)

    def _changes(self, write: Write, parent: str | None) -> dict[str, Any]:
        held = self.tasks[write.native_id]
        values: dict[str, Any] = {}
        if write.content is not None:
            wanted = {name: getattr(write.content, name) for name in write.fields - {"parent"}}
            values["content"] = replace(held.content, **wanted)
        if "parent" in write.fields:
            values["parent"] = parent
            self.strayed.discard(write.native_id)
        if write.action is Action.COMPLETE:
            values |= {"done": True, "done_on": write.done_on if self.kind.tells_days else None}
        elif write.action is Action.REOPEN:
            values |= {"done": False, "done_on": None, "dropped": False}
        if write.action is Action.DETACH:
            values["marker"] = None
        elif write.marker is not None:
            values["marker"] = write_marker(write.marker)
        if write.kept:
            values["comments"] = (*held.comments, write.kept)
        return values
