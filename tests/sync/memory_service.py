"""A to-do service that lives in memory, the hands of a person who uses it, and everything that can go wrong with it.

It behaves like the poorest service that a connector may speak to: it gives native ids itself, applies a batch one write
at a time, and any request may not arrive, be refused, lose its answer, or be the last one of a process.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from config.errors import BackplanError
from connectors.base import (
    FIELDS,
    Action,
    Answer,
    Capabilities,
    Connector,
    Content,
    GoalMemory,
    Marker,
    MemoryWrite,
    Requests,
    Snapshot,
    Task,
    Write,
)
from connectors.marker import read_marker, read_memory, write_marker, write_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path


class Killed(Exception):  # noqa: N818  # it is no error of anybody's
    """The process died here: between two requests there is nothing of it left."""


class Fault(StrEnum):
    """What goes wrong with one request."""

    REFUSED = "the service says no to this one write; the others of the batch go on"
    UNKNOWN = "applied, but the answer to this one write says error; the others of the batch go on"
    UNSENT = "the request does not arrive, and no later one of the batch"
    LOST = "applied, but the answer is lost, and no later one of the batch is sent"
    KILLED_BEFORE = "the process dies before the request is sent"
    KILLED_AFTER = "the request is applied, then the process dies"


@dataclass(frozen=True)
class Held:
    """A task as the service holds it. `marker` is its text, None where the task is not ours (or no more)."""

    content: Content
    marker: str | None = None
    done: bool = False
    done_on: date | None = None
    touched: bool = False
    parent: str | None = None
    comments: tuple[str, ...] = ()


@dataclass
class MemoryService:
    """The service itself, and what a person does there. `tells_days`: it says on which day a task was done."""

    tells_days: bool = True
    tasks: dict[str, Held] = field(default_factory=dict)
    memory: dict[str, list[str]] = field(default_factory=dict)  # by namespace
    writes: int = 0
    unreadable: bool = False
    _number: int = 0
    _fault: tuple[int, Fault] | None = None

    def connector(self, namespace: str = "me/goals", name: str = "memory") -> MemoryConnector:
        """Return a new connector, as every process has one."""
        return MemoryConnector(self, namespace, name)

    def fail(self, at: int, fault: Fault) -> None:
        """Let the request after the next `at` ones go wrong."""
        self._fault = (self.writes + at, fault)

    def heal(self) -> None:
        """Let everything work again."""
        self._fault, self.unreadable = None, False

    def next_fault(self) -> Fault | None:
        """Count one request and return what goes wrong with it."""
        self.writes += 1
        return self._fault[1] if self._fault and self._fault[0] == self.writes - 1 else None

    def state(self) -> object:
        """Return all that is there, for comparing."""
        return dict(self.tasks), {namespace: list(lines) for namespace, lines in self.memory.items()}

    # What a person does

    def tick(self, native_id: str, day: date | None = None) -> None:
        self._change(native_id, done=True, done_on=day if self.tells_days else None)

    def reopen(self, native_id: str) -> None:
        self._change(native_id, done=False, done_on=None)

    def delete(self, native_id: str) -> None:
        del self.tasks[native_id]

    def set_due(self, native_id: str, day: date | None) -> None:
        self._change(native_id, content=replace(self.tasks[native_id].content, due=day))

    def set_title(self, native_id: str, title: str) -> None:
        self._change(native_id, content=replace(self.tasks[native_id].content, title=title))

    def touch(self, native_id: str) -> None:
        """Add something to a task that is in none of its fields."""
        self._change(native_id, touched=True, comments=(*self.tasks[native_id].comments, "a person's comment"))

    def copy(self, native_id: str) -> None:
        """Duplicate a task, marker and all."""
        self._add(replace(self.tasks[native_id]))

    def damage_marker(self, native_id: str) -> None:
        self._change(native_id, marker="bp1 something is wrong here")

    def add_foreign_task(self, title: str) -> None:
        self._add(Held(Content(title)))

    def foreign_tasks(self) -> dict[str, Held]:
        """Return the tasks that carry no marker of ours."""
        return {native_id: held for native_id, held in self.tasks.items() if held.marker is None}

    def _change(self, native_id: str, **values: Any) -> None:
        self.tasks[native_id] = replace(self.tasks[native_id], **values)

    def _add(self, held: Held) -> str:
        self._number += 1
        self.tasks[f"T{self._number}"] = held
        return f"T{self._number}"

    # What a connector asks of it

    def carry_out(self, write: Write) -> Answer:
        """Do what one write says."""
        if write.action is Action.CREATE:
            assert write.content is not None
            assert write.marker is not None
            return Answer(self._add(Held(write.content, write_marker(write.marker), parent=write.parent)))
        if write.native_id not in self.tasks:
            return Answer(error="no such task")
        if write.action is Action.REMOVE:
            self.delete(write.native_id)
            return Answer(write.native_id)
        values: dict[str, Any] = {}
        if write.content is not None and write.fields:
            wanted = {name: getattr(write.content, name) for name in write.fields}
            values["content"] = replace(self.tasks[write.native_id].content, **wanted)
        if write.action is Action.COMPLETE:
            values |= {"done": True, "done_on": write.done_on if self.tells_days else None}
        elif write.action is Action.REOPEN:
            values |= {"done": False, "done_on": None}
        if write.action is Action.DETACH:
            values["marker"] = None
        elif write.marker is not None:
            values["marker"] = write_marker(write.marker)
        if write.kept:
            values["comments"] = (*self.tasks[write.native_id].comments, write.kept)
        self._change(write.native_id, **values)
        return Answer(write.native_id)


class MemoryConnector:
    """Speaks to a `MemoryService`: class *safe*, no batches, no ids of ours."""

    name: ClassVar[str] = "memory"
    capabilities: ClassVar[Capabilities] = Capabilities(frozenset(FIELDS), reliability="safe")

    def __init__(self, service: MemoryService, namespace: str, name: str) -> None:
        self.label = name
        self.identity = self.label
        self.requests = Requests()
        self._service = service
        self._namespace = namespace

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, folder: Path) -> Connector:
        return cls(MemoryService(), namespace, "memory")

    def canonical(self, content: Content) -> Content:
        return replace(content, title=" ".join(content.title.split()), notes=content.notes.strip())

    def read(self) -> Snapshot:
        self.requests.read += 1
        if self._service.unreadable:
            raise BackplanError(f"{self.label}: does not answer")
        memory = read_memory(self._service.memory.get(self._namespace, []))
        tasks: dict[str, Task] = {}
        copies: list[Task] = []
        damaged: set[str] = set()
        others: dict[str, frozenset[str]] = {}
        for native_id, held, marker in self._markers(memory, damaged):
            if marker.namespace != self._namespace:
                others[marker.namespace] = others.get(marker.namespace, frozenset()) | {marker.key}
                continue
            task = Task(native_id, held.content, marker, held.done, held.done_on, touched=held.touched)
            if marker.nonce in tasks:
                copies.append(task)
            else:
                tasks[marker.nonce] = task
        remembers = self._namespace in self._service.memory or not tasks
        return Snapshot(tuple(tasks.values()), tuple(copies), memory, remembers, others, frozenset(damaged))

    def _markers(self, memory: Mapping[str, GoalMemory], damaged: set[str]) -> Iterator[tuple[str, Held, Marker]]:
        """Yield the managed tasks, oldest first; a marker that cannot be read is told from the memory."""
        known = {e.native_id: (key, e) for goal in memory.values() for key, e in goal.keys.items()}
        for native_id, held in self._service.tasks.items():
            marker = read_marker(held.marker) if held.marker is not None else None
            if marker is None and held.marker is not None and native_id in known:
                key, entry = known[native_id]
                damaged.add(native_id)
                marker = Marker(self._namespace, key, f"was-{native_id}", entry.generation)
            if marker is not None:
                yield native_id, held, marker

    def apply(self, batch: Sequence[Write | MemoryWrite]) -> list[Answer]:
        return [self._request(write) for write in batch]

    def _request(self, write: Write | MemoryWrite) -> Answer:
        fault = self._service.next_fault()
        self.requests.write += 1
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.UNSENT:
            raise BackplanError(f"{self.label}: the connection broke")
        if fault is Fault.REFUSED:
            return Answer(error="500: refused")
        answer = self._carry_out(write)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.LOST:
            raise BackplanError(f"{self.label}: no answer")
        return Answer(error="502: nobody knows") if fault is Fault.UNKNOWN else answer

    def _carry_out(self, write: Write | MemoryWrite) -> Answer:
        if isinstance(write, MemoryWrite):
            self._service.memory[self._namespace] = write_memory(write.memory)
            return Answer()
        return self._service.carry_out(write)
