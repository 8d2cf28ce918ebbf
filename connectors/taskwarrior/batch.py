"""Computes the tasks to import for a batch of writes, from the tasks as they are now. Pure."""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.errors import BackplanError, RefusedError
from connectors import stored
from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.codec import read_marker, read_memory, write_marker, write_memory
from connectors.memory_merge import merged
from connectors.model import client_id
from connectors.taskwarrior import item as items
from connectors.taskwarrior.item import COMPLETED, DAYS, DELETED, MARKER, PENDING, PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.model import Marker, StoredGoal
    from connectors.taskwarrior.program import Item

MEMORY = "backplanmemory"  # an attribute of one task of ours
_FORMAT = "1"
_HIDDEN_UNTIL = "20371231T000000Z"
_GONE = "the task does not exist any more"


@dataclass(frozen=True, slots=True)
class Home:
    """The place of our tasks: a namespace, and a project of Taskwarrior."""

    namespace: str
    project: str

    @property
    def memory_id(self) -> str:
        """The id of the task with the memory."""
        return client_id("taskwarrior", self.project, self.namespace, "memory")

    def id_of(self, marker: Marker) -> str:
        """Return the id of the task with a marker: the same in every run."""
        return client_id("taskwarrior", self.project, marker.namespace, marker.key, marker.generation)

    def project_of(self, key: str) -> str:
        """Return the project of a new task: that of its goal, below ours."""
        return f"{self.project}.{key.partition('/')[0]}"


@dataclass(slots=True)
class Batch:
    """The tasks to import.

    - there: the tasks as they are now
    - seen: the tasks as this run read or wrote them
    - ids: the ids of our tasks, by key
    - remembered: the memory as this run read or wrote it
    - unlinked: the keys of predecessors that do not exist yet, by the id of the task
    """

    home: Home
    now: datetime
    there: Mapping[str, Item]
    seen: Mapping[str, Item]
    ids: Mapping[str, str]
    remembered: Mapping[str, StoredGoal] = field(default_factory=dict)
    wanted: dict[str, Item] = field(default_factory=dict)
    unlinked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def take(self, write: Write | StoreWrite) -> WriteResult:
        """Add one write. Return its result, if the import succeeds."""
        if isinstance(write, StoreWrite):
            self._want(self._memory(write.memory))
            return WriteResult()
        if write.action is Action.CREATE:
            return self._create(write)
        return self._change(write)

    def link(self, native_id: str, keys: tuple[str, ...]) -> None:
        """Set the dependencies of a task on our tasks; those on other tasks stay."""
        new = items.bare(self._now(native_id) or {})
        if not new or new["status"] == DELETED:
            return
        ours = {one for one in items.lines_of(new) if MARKER in self.there.get(one, {})}
        found = [self.ids[key] for key in keys if key in self.ids]
        items.set_lines(new, {*items.lines_of(new)} - ours | {*found})
        self._want(new)
        if len(found) < len(keys):
            self.unlinked[native_id] = keys

    def _create(self, write: Write) -> WriteResult:
        content, marker = write.content, write.marker
        assert content is not None and marker is not None  # noqa: S101, PT018  # a create has both
        native_id = self.home.id_of(marker)
        known = self._now(native_id)
        if known is not None and known["status"] == DELETED:
            return WriteResult(native_id, gone=True)
        if known is not None:
            own = read_marker(str(known.get(MARKER, "")))
            if own is None or (own.nonce, own.key) != (marker.nonce, marker.key):
                raise BackplanError(
                    f"“{known['description']}” has the id of this task and is no longer managed by backplan; purge it"
                )
            return WriteResult(native_id)
        new: Item = {
            "uuid": native_id,
            "status": PENDING,
            "entry": items.stamp(self.now),
            "description": content.title,
            "project": self.home.project_of(write.key),
            PLACE: self.home.project,
            MARKER: write_marker(marker),
        }
        items.set_days(new, content)
        items.set_notes(new, content.notes)
        items.set_tags(new, content.labels)
        items.set_priority(new, content.priority)
        self._want(new)
        self.link(native_id, content.after)
        return WriteResult(native_id)

    def _change(self, write: Write) -> WriteResult:
        known = self._now(write.native_id)
        if known is None or known["status"] == DELETED:
            return WriteResult(write.native_id, None if write.action is Action.REMOVE else _GONE)
        new = self._changed(items.bare(known), write)
        self._refuse_changed(known, new)
        self._want(new)
        if "after" in write.fields and write.content:
            self.link(write.native_id, write.content.after)
        return WriteResult(write.native_id)

    def _refuse_changed(self, known: Item, new: Item) -> None:
        """Raise BackplanError if a task has changed since it was read, and is not as wanted either."""
        seen = self.seen.get(known["uuid"], known)
        if known["uuid"] not in self.wanted and not items.same(known, seen) and not items.same(known, new):
            raise BackplanError(f"“{known['description']}” was changed in the meantime; run again")

    def _changed(self, new: Item, write: Write) -> Item:
        """Return a task with the changes of a write."""
        if write.kept:
            items.annotate(new, f"Before the goals file changed it: {write.kept}", self.now)
        if write.action is Action.REMOVE:
            return new | {"status": DELETED, "end": items.stamp(self.now)}
        if write.content is not None:
            _set_fields(new, write)
        if write.action is Action.DETACH:
            for name in (MARKER, PLACE, DAYS):
                new.pop(name, None)
        elif write.marker is not None:
            new |= {MARKER: write_marker(write.marker), PLACE: self.home.project}
            items.keep_days(new)
        if write.action is Action.COMPLETE and new["status"] != COMPLETED:
            new |= {"status": COMPLETED, "end": items.stamp(self.now)}
        elif write.action is Action.REOPEN:
            new["status"] = PENDING
            new.pop("end", None)
        return new

    def _memory(self, memory: Mapping[str, StoredGoal]) -> Item:
        """Return the task with the memory, merged with the changes of another run since it was read."""
        known = self._now(self.home.memory_id)
        with suppress(ValueError):  # overwrite a damaged memory, for `--rebuild`
            theirs = memory_in(known) if known else {}
            memory = merged(self.remembered, memory, theirs) if theirs != self.remembered else memory
        entry = items.stamp(self.now)
        new: Item = items.bare(known) if known else {"uuid": self.home.memory_id, "entry": entry}
        new |= {
            "status": PENDING,
            "description": stored.TITLE,
            "wait": _HIDDEN_UNTIL,
            MEMORY: f"{_FORMAT} {_packed(memory)}",
        }
        new.pop("end", None)
        items.set_notes(new, stored.ABOUT)
        return new

    def _now(self, native_id: str) -> Item | None:
        """Return a task after the writes so far; None if there is none."""
        return self.wanted.get(native_id) or self.there.get(native_id)

    def _want(self, new: Item) -> None:
        """Add a task to the import, if it differs."""
        known = self._now(new["uuid"])
        if known is None or items.bare(known) != new:
            self.wanted[new["uuid"]] = new


def memory_in(item: Item) -> dict[str, StoredGoal]:
    """Return the memory in a task. Raises ValueError if it is damaged, RefusedError if a newer version wrote it."""
    form, _, packed = str(item.get(MEMORY, "")).partition(" ")
    if form.isdecimal() and int(form) > int(_FORMAT):
        raise RefusedError("a newer version of backplan wrote these tasks; update backplan (nothing was changed)")
    if form != _FORMAT:
        raise ValueError("it has another form")
    try:
        lines = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    except zlib.error as error:
        raise ValueError(str(error)) from None
    return read_memory(lines)


def _packed(memory: Mapping[str, StoredGoal]) -> str:
    """Return a memory in characters that every version of Taskwarrior stores unchanged."""
    text = json.dumps(write_memory(memory), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()


def _set_fields(new: Item, write: Write) -> None:
    content, fields = write.content, write.fields
    assert content is not None  # noqa: S101  # the caller has checked
    if "title" in fields:
        new["description"] = content.title
    if "notes" in fields:
        items.set_notes(new, content.notes)
    if not fields.isdisjoint({"due", "start"}):
        items.set_days(new, content)
    if "labels" in fields:
        items.set_tags(new, content.labels)
    if "priority" in fields:
        items.set_priority(new, content.priority)
