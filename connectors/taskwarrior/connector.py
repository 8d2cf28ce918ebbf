"""The tasks of Taskwarrior on this machine, below one project.

The id of a task derives from its key. Taskwarrior has no conditional writes, and an import replaces whole tasks: so
each batch is computed from a new export, and checked with another one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from config.errors import BackplanError
from connectors import stored
from connectors.base import Capabilities, Check, Connector, StoreWrite, Write, WriteResult
from connectors.model import Content, Snapshot
from connectors.options import Options, read_options
from connectors.snapshot import Classifier, in_words, tidy
from connectors.taskwarrior import item as items
from connectors.taskwarrior.batch import MEMORY, Batch, Home, memory_in
from connectors.taskwarrior.item import DELETED, HIDING, MARKER, PLACE
from connectors.taskwarrior.program import Program, alone_in, start, tasks_of_other_version, trace_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from config.settings import Environment
    from connectors.model import StoredGoal
    from connectors.snapshot import Row
    from connectors.taskwarrior.program import Item

_MOST = 100  # tasks in one import
_LONGEST_TITLE = 1000


class TaskwarriorOptions(Options):
    """The options: the project."""

    example: ClassVar[str] = "{project: goals}"
    project: str = Field(
        "goals", pattern=r"^[\w-]+(\.[\w-]+)*$", description="the name of a project, such as goals or home.goals"
    )

    @property
    def place(self) -> str:
        """The project."""
        return self.project


class TaskwarriorConnector:
    """The tasks below one project."""

    name: ClassVar[str] = "taskwarrior"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "notes", "labels", "priority", "after"}),
        "unique",
        ordered=True,
        client_ids=True,
        local=True,
    )
    options: ClassVar[type[Options]] = TaskwarriorOptions
    credential: ClassVar[None] = None

    def __init__(self, program: Program, namespace: str, options: TaskwarriorOptions) -> None:
        self.label = f"{self.name} ({options.place})"
        self.identity = f"{self.name} {options.place.casefold()}"
        self._program, self._home = program, Home(namespace, options.project)
        self.requests = program.requests
        self._folder: Path | None = None
        self._version = ""
        self._there: Mapping[str, Item] = {}  # the last export
        self._seen: dict[str, Item] = {}  # the tasks as they were read, or written since
        self._memory: Mapping[str, StoredGoal] = {}
        self._trace: tuple[object, ...] = ()  # the state of the folder before the last export
        self._unlinked: dict[str, tuple[str, ...]] = {}

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector. The data is found as Taskwarrior finds it, by TASKRC and TASKDATA of the run."""
        program = Program(partial(start, variables=environment.variables))
        return cls(program, namespace, read_options(cls.name, TaskwarriorOptions, options))

    def canonical(self, content: Content) -> Content:
        """Return the content as Taskwarrior holds it; fields that it lacks are in the notes, or at their defaults."""
        title = " ".join(items.readable(content.title).split())[:_LONGEST_TITLE].rstrip()
        return Content(
            title,
            content.due,
            tidy(items.readable(in_words(content, self.capabilities.fields))),
            items.tags_of(content.labels),
            "high" if content.priority == "urgent" else content.priority,
            content.start,
            after=tuple(sorted(set(content.after))),
        )

    # Reading

    def read(self) -> Snapshot:
        """Read all tasks. Ours have a marker, or are remembered."""
        if self._folder is None:
            self._version, self._folder = self._program.patiently(self._program.about)
        self._program.patiently(self._export)
        if not self._there and (other := tasks_of_other_version(self._version, self._folder)):
            raise BackplanError(f"{self.label}: {other} (nothing was changed)")
        self._seen = dict(self._there)
        self._memory, damage = self._remembered()
        found = self._classifier.snapshot(self._rows(), damage)
        order = {key: place for place, key in enumerate(self._classifier.ownership.entries)}
        keys = {task.native_id: task.marker.key for task in found.tasks}
        tasks = (replace(one, content=self._linked(one.native_id, one.content, keys)) for one in found.tasks)
        memory = self._there.get(self._home.memory_id)
        return replace(
            found,
            tasks=tuple(sorted(tasks, key=lambda task: order.get(task.marker.key, len(order)))),
            detached={one: self._linked(one, content, keys) for one, content in found.detached.items()},
            damage=f"{self.label}: {found.damage}" if found.damage else "",
            remedy=f"Bring the task “{stored.TITLE}” back, as with `task undo`",
            mending=memory is not None and memory["status"] == DELETED,
        )

    def facts(self) -> list[Check]:
        """Return checks of the program and its data."""
        try:
            version, folder = self._program.about()
            count = len(self._program.export())
        except BackplanError as error:
            return [Check("program", False, str(error))]
        return [
            Check("program", True, f"Taskwarrior {version}"),
            Check("tasks", True, f"{count} in {folder}, including completed and deleted ones"),
        ]

    def _read_once(self) -> Mapping[str, Item]:
        if self._folder is None:
            self.read()
        return self._there

    def _export(self) -> None:
        assert self._folder is not None  # noqa: S101  # it was read
        trace = trace_of(self._folder)
        self._there, self._trace = self._program.export(), trace

    def _remembered(self) -> tuple[dict[str, StoredGoal], str]:
        """Return the memory, and a sentence if it cannot be read."""
        item = self._there.get(self._home.memory_id)
        try:
            return (memory_in(item) if item else {}), ""
        except ValueError as error:
            return {}, f"the task “{stored.TITLE}” is damaged ({error})"

    @property
    def _classifier(self) -> Classifier:
        return Classifier(self._home.namespace, HIDING, self._memory)

    def _rows(self) -> Iterable[Row]:
        """Yield the rows that may be ours. Occurrences of a recurring task have a copy of its marker, and are not."""
        remembered = self._classifier.ownership.ids
        for native_id, item in self._there.items():
            ours = native_id in remembered or (MARKER in item and item.get(PLACE) == self._home.project)
            if ours and item.get("status") != DELETED and "parent" not in item:
                try:
                    yield items.row_of(item)
                except ValueError as error:
                    raise BackplanError(f"{self.label}: the task {native_id} cannot be read: {error}") from None

    def _linked(self, native_id: str, content: Content, keys: Mapping[str, str]) -> Content:
        """Return the content of a task with its dependencies on our tasks. keys: of these, by id."""
        after = {keys[one] for one in items.lines_of(self._there[native_id]) if one in keys}
        return replace(content, after=tuple(sorted(after)))

    # Writing

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Import a batch, a hundred tasks at a time. Stop if the memory cannot be written."""
        self._read_once()
        ids = self._ids() | {
            write.marker.key: write.native_id or self._home.id_of(write.marker)
            for write in batch
            if isinstance(write, Write) and write.marker
        }
        answers: list[WriteResult] = []
        stopped = ""
        for first in range(0, len(batch), _MOST):
            part = batch[first : first + _MOST]
            try:
                results = [WriteResult(error=stopped)] * len(part) if stopped else self._carried_out(part, ids)
            except BackplanError as error:
                results = [WriteResult(error=str(error))] * len(part)
            answers += results
            failed = (one.error for one, write in zip(results, part, strict=True) if isinstance(write, StoreWrite))
            stopped = stopped or next(filter(None, failed), "")
        return answers

    def _ids(self) -> dict[str, str]:
        """Return the ids of our tasks, by key."""
        found = self._classifier.managed(self._rows())
        return {one.marker.key: one.id for one in found if one.marker.namespace == self._home.namespace}

    def _carried_out(self, part: Sequence[Write | StoreWrite], ids: Mapping[str, str]) -> list[WriteResult]:
        return self._program.patiently(lambda: self._once(part, ids))

    def _once(self, part: Sequence[Write | StoreWrite], ids: Mapping[str, str]) -> list[WriteResult]:
        """Export, compute the batch, import it, and check it with another export. Raises LockedError."""
        assert self._folder is not None  # noqa: S101  # it was read
        with alone_in(self._folder):
            if trace_of(self._folder) != self._trace:
                self._export()
            batch = Batch(self._home, datetime.now(UTC), self._there, self._seen, ids, self._memory)
            answers = [_taken(batch, write) for write in part]
            for native_id, keys in self._unlinked.items():
                batch.link(native_id, keys)
            why = self._load(list(batch.wanted.values())) if batch.wanted else ""
            self._unlinked = batch.unlinked
            if not batch.wanted:
                return answers
            if why or batch.wanted.keys() != {self._home.memory_id}:
                self._export()
            else:
                self._there = {**self._there, **batch.wanted}
        return [self._judged(one, write, batch, why) for one, write in zip(answers, part, strict=True)]

    def _load(self, wanted: Sequence[Item]) -> str:
        """Import tasks; if that fails, one by one. Return the first error; empty for none."""
        why = self._program.load(wanted)
        if why and len(wanted) > 1:
            why = ""
            for item in wanted:
                failed = self._program.load([item])
                why = why or failed
                if failed and item["uuid"] == self._home.memory_id:
                    break
        return why

    def _judged(self, answer: WriteResult, write: Write | StoreWrite, batch: Batch, why: str) -> WriteResult:
        """Return the result of a write, by the tasks as they are now, and store these."""
        is_memory = isinstance(write, StoreWrite)
        native_id = self._home.memory_id if is_memory else answer.native_id
        wanted, there = batch.wanted.get(native_id), self._there.get(native_id)
        if answer.error is not None or wanted is None:
            return answer
        if there is None or not items.same(there, wanted) or there.get(MEMORY) != wanted.get(MEMORY):
            return replace(answer, error=f"Taskwarrior did not store it: {why or 'it is missing'}; run again")
        self._seen[native_id] = there
        if is_memory:
            self._memory = memory_in(there)
        return answer


def _taken(batch: Batch, write: Write | StoreWrite) -> WriteResult:
    try:
        return batch.take(write)
    except BackplanError as error:
        return WriteResult(error=str(error))
