"""Writes into a place of a service: creates each task once, and keeps the memory whole if the run is killed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from config.errors import BackplanError, CredentialsError, MissingError
from connectors import stored
from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.codec import write_marker
from connectors.memory_merge import merged
from connectors.model import Content, client_id
from connectors.retry import UnknownOutcomeError
from connectors.snapshot import Classifier
from connectors.stored import Stored
from connectors.tasks import TEXT, Boxed, Bulk, ChangedError, Nesting, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.model import StoredGoal
    from connectors.ownership import Found
    from connectors.snapshot import Row
    from connectors.tasks import Shelf, TaskService

    Pause = Callable[[float, str], None]

_GONE = "the task does not exist any more"
_BESIDES = 500  # characters kept free for readers in a description with a piece of the memory


class Rows:
    """The rows of a shelf as this run read or wrote them."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.by_id: dict[str, Row] = {}

    def look(self, *, whole: bool = False) -> None:
        """Store the listed rows."""
        self.by_id |= {row.id: row for row in self.shelf.rows(whole=whole)}

    def take(self, row: Row) -> Row:
        """Store the current state of a row."""
        self.by_id[row.id] = row
        return row

    def holding(self, line: str) -> Row | None:
        """Return the row that contains a line of ours."""
        return next((row for row in self.by_id.values() if self.line(row) == line), None)

    def line(self, row: Row) -> str:
        """Return our line in a row."""
        return self.shelf.hiding.split(row.text)[1]

    def make(self, wanted: Wanted, pause: Pause) -> Row:
        """Create a row once: after an unknown outcome, look for our line in the listed rows first.

        Raises BackplanError if another row has its id.
        """
        line = self.shelf.hiding.split(wanted.text)[1]
        while True:
            try:
                row = self.take(self.shelf.create(wanted))
                if _identity(self.line(row)) != _identity(line):
                    raise BackplanError(
                        f"“{row.title}” has the id of this task and is no longer managed by backplan; delete it"
                    )
                return row
            except UnknownOutcomeError:
                self.look_again(pause)
            if made := self.holding(line):
                return made

    def look_again(self, pause: Pause) -> None:
        """Read the list again, after the time in which new rows appear in it."""
        pause(self.shelf.limits.settles, "it is not known whether the last request created a task")
        self.look()


class Place:
    """A place in a service as this run read or wrote it: its tasks, and the boxes of its memory."""

    def __init__(self, service: TaskService, namespace: str) -> None:
        self.service = service
        self.tasks = Rows(service)
        self.boxes = Rows(service.boxes) if isinstance(service, Boxed) else self.tasks
        self.stored = Stored({})
        self._namespace = namespace

    @property
    def rows(self) -> dict[str, Row]:
        """The tasks by their ids."""
        return self.tasks.by_id

    def look(self, *, whole: bool = False) -> None:
        """Store the listed tasks, and the memory."""
        self.tasks.look(whole=whole)
        if self.boxes is not self.tasks:
            self.boxes.look(whole=whole)
        self.stored = stored.read(self.boxes.by_id.values(), self._namespace, self.boxes.shelf.hiding)

    def absent(self) -> set[str]:
        """Return the ids of the tasks that the memory contains as open and the list does not."""
        return self.classifier.ownership.live() - self.rows.keys()

    @property
    def classifier(self) -> Classifier:
        """The classifier of rows, with the current memory."""
        return Classifier(self._namespace, self.service.hiding, self.stored.memory)

    def row(self, native_id: str) -> Row | None:
        """Return a task as it was listed; if it was not, read it now."""
        if native_id not in self.rows:
            with suppress(MissingError):
                row = self.service.row(native_id)
                self.rows.update({native_id: row} if row else {})
        return self.rows.get(native_id)


class Writer:
    """Carries out writes in a place. `pause` waits for some seconds, and reports the reason."""

    def __init__(self, place: Place, namespace: str, pause: Pause) -> None:
        self._place, self._namespace, self._pause = place, namespace, pause
        self._service = place.service

    def carry_out_first(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out the first write of a batch, or the tasks at its beginning that one request can create.

        Raises BackplanError if the first one fails.
        """
        service = self._service
        pairs = self._together(batch, service.at_once) if isinstance(service, Bulk) else []
        if not isinstance(service, Bulk) or len(pairs) <= 1:
            return [self.carry_out(batch[0])]
        made = self._make_all(service, [wanted for _, wanted in pairs])
        return [self._made(write, one) for (write, _), one in zip(pairs, made, strict=True)]

    def _together(self, batch: Sequence[Write | StoreWrite], most: int) -> list[tuple[Write, Wanted]]:
        """Return the tasks at the beginning of a batch that one request can create: none is the parent of another."""
        pairs: list[tuple[Write, Wanted]] = []
        for write in batch[:most]:
            if not isinstance(write, Write) or write.action is not Action.CREATE:
                break
            if any(write.parent == before.key for before, _ in pairs):
                break
            try:
                pairs.append((write, self._wanted(write)))
            except BackplanError:  # too long, which is reported when it is written by itself
                break
        return pairs

    def _make_all(self, service: Bulk, wanted: Sequence[Wanted]) -> list[Row | BackplanError]:
        """Create tasks once: if the common request fails, create the missing ones one by one."""
        try:
            return service.create_many(wanted)
        except CredentialsError:
            raise
        except UnknownOutcomeError:
            self._place.tasks.look_again(self._pause)
        except BackplanError:  # one of them fails: writing them one by one reports which
            pass
        return [self._there_or_made(one) for one in wanted]

    def _there_or_made(self, wanted: Wanted) -> Row | BackplanError:
        tasks = self._place.tasks
        try:
            return tasks.holding(self._service.hiding.split(wanted.text)[1]) or tasks.make(wanted, self._pause)
        except BackplanError as error:
            return error

    def _made(self, write: Write, made: Row | BackplanError) -> WriteResult:
        if isinstance(made, BackplanError):
            return WriteResult(error=str(made))
        self._ids[write.key] = self._place.tasks.take(made).id
        return WriteResult(made.id)

    def carry_out(self, write: Write | StoreWrite) -> WriteResult:
        """Carry out one write. Raises BackplanError if it fails."""
        if isinstance(write, StoreWrite):
            self._store(write.memory)
            return WriteResult()
        if write.action is Action.CREATE:
            return self._made(write, self._place.tasks.make(self._wanted(write), self._pause))
        row = self._place.row(write.native_id)
        if row is None:
            return WriteResult(write.native_id, None if write.action is Action.REMOVE else _GONE)
        if write.kept:
            self._service.keep(row, write.kept)
        if write.action is Action.REMOVE:
            self._remove(row)
        else:
            self._change(row, write)
        return WriteResult(row.id)

    def _change(self, row: Row, write: Write) -> None:
        """Change the fields that differ, then complete or reopen: after a kill, the next run does the rest."""
        if "parent" in write.fields and isinstance(self._service, Nesting):
            row = self._place.tasks.take(self._service.move(row, self._ids.get(write.parent or "", "")))
        content = write.content or self._place.classifier.content(row)
        notes, line = self._service.hiding.split(row.text)
        if "notes" in write.fields:
            notes = content.notes
        if write.action is Action.DETACH:
            line = ""
        elif write.marker:
            line = write_marker(write.marker)
        wanted = Wanted(content, self._joined(notes, line))
        fields = (write.fields & self._service.capabilities.fields) - {"notes"}
        if fields or wanted.text != row.text:
            row = self._place.tasks.take(self._service.change(row, wanted, fields | {TEXT}))
        if write.action is Action.COMPLETE and not row.done:
            self._place.tasks.take(self._service.close(row))
        elif write.action is Action.REOPEN and row.closed:
            self._place.tasks.take(self._service.reopen(row))

    def _remove(self, row: Row) -> None:
        """Delete a task; if the token is not allowed to, remove our marker and label, and close it."""
        with suppress(MissingError):
            if not self._service.remove(row):
                notes = self._service.hiding.split(row.text)[0]
                wanted = Wanted(self._place.classifier.content(row), notes, ours=False)
                row = self._service.change(row, wanted, frozenset({TEXT}))
                if not row.closed:
                    self._service.close(row)
        self._place.rows.pop(row.id, None)

    def _wanted(self, write: Write) -> Wanted:
        content, marker = write.content, write.marker
        assert content is not None and marker is not None  # noqa: S101, PT018  # a create has both
        text = self._joined(content.notes, write_marker(marker))
        own = client_id(marker.namespace, marker.key, marker.generation)
        above, previous = (self._ids.get(key or "", "") for key in (write.parent, write.previous))
        return Wanted(content, text, id=own, above=above, previous=previous)

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The ids of our open tasks, by key."""
        found = self._place.classifier.managed(self._place.rows.values())
        return {one.marker.key: one.id for one in found if self._is_ours(one)}

    def _is_ours(self, found: Found[Row]) -> bool:
        return found.marker.namespace == self._namespace and not found.task.closed

    def _store(self, memory: Mapping[str, StoredGoal]) -> None:
        """Write the memory: one piece in place, several beside the old ones. Then remove spare pieces."""
        place, boxes = self._place, self._place.boxes
        hiding, old, spare = boxes.shelf.hiding, place.stored.rows, place.stored.spare
        lines = stored.write(memory, self._namespace, boxes.shelf.limits.text - _BESIDES)
        rows = old
        if lines != [boxes.line(row) for row in old]:
            texts = [hiding.join(stored.ABOUT, line) for line in lines]
            if len(texts) == len(old) == 1:
                memory = self._overwrite(old[0], Wanted(Content(old[0].title), texts[0]), memory)
                rows = (boxes.by_id[old[0].id],)
            else:
                pieces = zip(texts, lines, strict=True)
                made = (Wanted(Content(stored.TITLE), text, id=client_id(line)) for text, line in pieces)
                rows = tuple(boxes.make(wanted, self._pause) for wanted in made)
                spare += old
        place.stored = Stored(memory, rows, spare)
        for row in spare:
            self._remove_box(row)
        place.stored = Stored(memory, rows)

    def _remove_box(self, row: Row) -> None:
        """Delete the row of a piece of the memory."""
        boxes = self._place.boxes
        if boxes is self._place.tasks:
            self._remove(row)
            return
        with suppress(MissingError):
            boxes.shelf.remove(row)
        boxes.by_id.pop(row.id, None)

    def _overwrite(self, row: Row, wanted: Wanted, memory: Mapping[str, StoredGoal]) -> Mapping[str, StoredGoal]:
        """Change the memory in place. Return it, merged with the changes of a racing run since it was read."""
        place, boxes = self._place, self._place.boxes
        shelf = boxes.shelf
        try:
            boxes.take(shelf.change(row, wanted, frozenset({TEXT})))
        except ChangedError:
            row = shelf.row(row.id) or row
            memory = merged(place.stored.memory, memory, stored.read([row], self._namespace, shelf.hiding).memory)
            line = stored.whole(memory, self._namespace, shelf.limits.text - _BESIDES)
            wanted = replace(wanted, text=shelf.hiding.join(stored.ABOUT, line))
            boxes.take(shelf.change(row, wanted, frozenset({TEXT})))
        return memory

    def _joined(self, notes: str, line: str) -> str:
        """Return a description. Raises BackplanError if it is too long."""
        text = self._service.hiding.join(notes, line)
        if (over := len(text) - self._service.limits.text) > 0:
            name = self._service.http.credential.service
            raise BackplanError(
                f"its text is {over} characters too long for {name}; shorten its notes in the goals file"
            )
        return text


def _identity(line: str) -> list[str]:
    """Return the part of our line that identifies it: nonce, namespace and key, or number and set of a memory."""
    return line.split()[:4]
