"""A connector to any service that holds tasks as rows: the service says how to ask, and this decides what to ask for.

A service is one file: its options, its token, and about ten methods, each of one request, which turn JSON into rows and
back. This reads, classifies, remembers, and makes each task once: where nobody knows whether one was made, it is looked
for before it is asked for again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from config.errors import BackplanError, CredentialsError, MissingError
from connectors import stored
from connectors.base import Action, Capabilities, Check, Connector, Requests, StoreWrite, Write, WriteResult
from connectors.codec import write_marker
from connectors.http import Api, Service, connect
from connectors.memory_merge import merged
from connectors.model import Content, client_id
from connectors.options import read_options
from connectors.retry import UnknownOutcomeError
from connectors.snapshot import Classifier, Hiding, Row, in_words, tidy
from connectors.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from connectors.model import Snapshot, StoredGoal
    from connectors.options import Options

TEXT = "text"
_FEW = 5  # rows that are not listed and are asked for one by one; more, and all are listed
_GONE = "there is no such task any more"
_BESIDES = 500  # characters of a description that holds a piece of the memory, for what people read there


class ChangedError(BackplanError):
    """A task is not any more as it was read, so that it was not changed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a title and a description may be, and after how many seconds a list is sure to show what was made."""

    title: int
    text: int
    settles: float = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task as it shall be. `text` is the description with our line in it. ours: it carries our label.

    id: of one that is to be made, where the service takes our ids. above: the id of the task to make it below, if any.
    """

    content: Content
    text: str
    ours: bool = True
    id: str = ""
    above: str = ""


class TaskService(Protocol):
    """How tasks are read and written in a service. Each method sends one request, and decides nothing.

    Raises MissingError where something is not there, CredentialsError where the token is wrong, ChangedError where a
    service that tells notices a change since a task was read, or BackplanError.
    """

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    http: ClassVar[Service]
    limits: ClassVar[Limits]
    hiding: ClassVar[Hiding]
    remedy: ClassVar[str]  # what a person can do to bring a lost memory back

    def __init__(self, options: Any, api: Api) -> None: ...

    def account(self) -> frozenset[str]:
        """Return the names of whoever the token belongs to."""

    def rows(self, *, whole: bool = False) -> Iterable[Row]:
        """Return all tasks with our label, open and done; `whole`: all tasks of the place, whatever their labels."""

    def row(self, native_id: str) -> Row | None:
        """Return one task; None where it was deleted."""

    def create(self, wanted: Wanted) -> Row:
        """Make a task. Raises UnknownOutcomeError where it may have been made.

        A service that takes our ids returns what has the id, whoever made it.
        """

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a task: those of the content, or its text."""

    def close(self, row: Row) -> Row:
        """Complete a task."""

    def reopen(self, row: Row) -> Row:
        """Open a task again."""

    def remove(self, row: Row) -> bool:
        """Delete a task; return False where the token may not."""

    def keep(self, row: Row, words: str) -> None:
        """Keep words of a person's beside a task."""

    def facts(self) -> list[Check]:
        """Return what there is to say of token and place."""

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as the service stores it, as far as it changes more than white space."""


class Place:
    """What was read of a place in a service, and written since."""

    def __init__(self, service: TaskService, namespace: str) -> None:
        self.service = service
        self.rows: dict[str, Row] = {}
        self.stored = Stored({})
        self._namespace = namespace

    def look(self, *, whole: bool = False) -> None:
        """Take in the rows that are listed, and the memory among them."""
        self.rows |= {row.id: row for row in self.service.rows(whole=whole)}
        self.stored = stored.read(self.rows.values(), self._namespace, self.service.hiding)

    def absent(self) -> set[str]:
        """Return the ids of what is remembered as open and was not listed."""
        entries = self.classifier.entries.values()
        return {entry.native_id for entry in entries if entry.state == "live"} - self.rows.keys()

    @property
    def classifier(self) -> Classifier:
        """What tells whose rows are, by what is remembered now."""
        return Classifier(self._namespace, self.service.hiding, self.stored.memory)

    def row(self, native_id: str) -> Row | None:
        """Return a task as it was read, or as it is now where it was not listed."""
        if native_id not in self.rows and (row := self.service.row(native_id)):
            self.take(row)
        return self.rows.get(native_id)

    def take(self, row: Row) -> Row:
        """Take note of a row as it is now."""
        self.rows[row.id] = row
        return row


class Writer:
    """Carries out writes in a place. `pause` waits for some seconds, and says why."""

    def __init__(self, place: Place, namespace: str, pause: Callable[[float, str], None]) -> None:
        self._place, self._namespace, self._pause = place, namespace, pause
        self._service = place.service

    def carry_out(self, write: Write | StoreWrite) -> WriteResult:
        """Carry out one write. Raises BackplanError where it cannot be."""
        if isinstance(write, StoreWrite):
            self._store(write.memory)
            return WriteResult()
        if write.action is Action.CREATE:
            return WriteResult(self._create(write).id)
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
        """Change what differs, and then whether it is done: a run that dies in between completes it once more."""
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
            row = self._place.take(self._service.change(row, wanted, fields | {TEXT}))
        if write.action is Action.COMPLETE and not row.done:
            self._place.take(self._service.close(row))
        elif write.action is Action.REOPEN and row.closed:
            self._place.take(self._service.reopen(row))

    def _remove(self, row: Row) -> None:
        """Delete a task; where the token may not, close it as one that is nobody's."""
        with suppress(MissingError):
            if not self._service.remove(row):
                notes = self._service.hiding.split(row.text)[0]
                wanted = Wanted(self._place.classifier.content(row), notes, ours=False)
                row = self._service.change(row, wanted, frozenset({TEXT}))
                if not row.closed:
                    self._service.close(row)
        self._place.rows.pop(row.id, None)

    def _create(self, write: Write) -> Row:
        content, marker = write.content, write.marker
        assert content is not None and marker is not None  # noqa: S101, PT018  # a create has both
        text = self._joined(content.notes, write_marker(marker))
        own = client_id(marker.namespace, marker.key, marker.generation)
        row = self._make(Wanted(content, text, id=own, above=self._ids.get(write.parent or "", "")))
        self._ids[write.key] = row.id
        return row

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The ids of our open tasks, by key."""
        found = (one for one in self._place.classifier.managed(self._place.rows.values()) if not one.row.closed)
        return {one.marker.key: one.row.id for one in found if one.marker.namespace == self._namespace}

    def _make(self, wanted: Wanted) -> Row:
        """Make a task once: one that may have been made is looked for by our line in it.

        Raises BackplanError where another one has its id.
        """
        split = self._service.hiding.split
        line = split(wanted.text)[1]
        while True:
            try:
                row = self._place.take(self._service.create(wanted))
                if (
                    split(row.text)[1].split()[:4] != line.split()[:4]
                ):  # nonce, namespace and key; or the head of a memory
                    raise BackplanError(f"“{row.title}” has its id, and is not ours any more; delete that task")
                return row
            except UnknownOutcomeError:
                self._pause(self._service.limits.settles, "whether it has made what it was asked for is not known")
                self._place.look()
            if made := next((row for row in self._place.rows.values() if split(row.text)[1] == line), None):
                return made

    def _store(self, memory: Mapping[str, StoredGoal]) -> None:
        """Write the memory: one piece in place, several beside the old ones. Then what is spare goes."""
        place, hiding = self._place, self._service.hiding
        old, spare = place.stored.rows, place.stored.spare
        lines = stored.write(memory, self._namespace, self._service.limits.text - _BESIDES)
        rows = old
        if lines != [hiding.split(row.text)[1] for row in old]:
            texts = [hiding.join(stored.ABOUT, line) for line in lines]
            if len(texts) == len(old) == 1:
                memory = self._overwrite(old[0], Wanted(Content(old[0].title), texts[0]), memory)
                rows = (place.rows[old[0].id],)
            else:
                wanted = (
                    Wanted(Content(stored.TITLE), text, id=client_id(line))
                    for text, line in zip(texts, lines, strict=True)
                )
                rows = tuple(map(self._make, wanted))
                spare += old
        place.stored = Stored(memory, rows, spare)
        for row in spare:
            self._remove(row)
        place.stored = Stored(memory, rows)

    def _overwrite(self, row: Row, wanted: Wanted, memory: Mapping[str, StoredGoal]) -> Mapping[str, StoredGoal]:
        """Change the memory in place. Return it, merged with the changes of a racing run since it was read."""
        place, hiding = self._place, self._service.hiding
        try:
            place.take(self._service.change(row, wanted, frozenset({TEXT})))
        except ChangedError:
            row = self._service.row(row.id) or row
            memory = merged(place.stored.memory, memory, stored.read([row], self._namespace, hiding).memory)
            line = stored.whole(memory, self._namespace, self._service.limits.text - _BESIDES)
            wanted = replace(wanted, text=hiding.join(stored.ABOUT, line))
            place.take(self._service.change(row, wanted, frozenset({TEXT})))
        return memory

    def _joined(self, notes: str, line: str) -> str:
        """Return a description. Raises BackplanError where it is too long."""
        text = self._service.hiding.join(notes, line)
        if (over := len(text) - self._service.limits.text) > 0:
            name = self._service.http.credential.service
            raise BackplanError(
                f"its text is {over} characters too long for {name}; shorten its notes in the goals file"
            )
        return text


class ServiceConnector:
    """One place in a service. A subclass names the service: `class X(ServiceConnector, service=Y, options=Z)`."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    options: ClassVar[type[Options]]
    service: ClassVar[type[TaskService]]

    def __init_subclass__(cls, service: type[TaskService], options: type[Options]) -> None:
        cls.name, cls.capabilities, cls.service, cls.options = service.name, service.capabilities, service, options

    def __init__(self, connect: Callable[[], Api], namespace: str, options: Options) -> None:
        """`connect` is called when the service is asked first."""
        self.label = f"{self.name} ({options.place})"
        self.identity = f"{self.name} {options.place.casefold()}"
        self.requests = Requests()
        self._connect, self._namespace, self._options = connect, namespace, options
        self._place: Place | None = None

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, folder: Path) -> Connector:
        """Take what the model of the options says."""
        chosen = read_options(cls.name, cls.options, options)
        return cls(lambda: connect(cls.service.http, folder), namespace, chosen)

    def canonical(self, content: Content) -> Content:
        """Return the content as the service shows it; what it has no field for, in the notes or at its default."""
        service, fields = self.service, self.capabilities.fields
        held = {name: getattr(content, name) for name in fields - {"notes"}}
        held["title"] = " ".join(content.title.split())
        own = service.canonical(Content(**held, notes=in_words(content, fields)))
        return replace(
            own, title=own.title[: service.limits.title].rstrip(), notes=tidy(service.hiding.escape(own.notes))
        )

    @cached_property
    def _api(self) -> Api:
        api = self._connect()
        api.requests = self.requests
        return api

    @cached_property
    def _service(self) -> TaskService:
        return self.service(self._options, self._api)

    # Reading

    def read(self) -> Snapshot:
        """Read all rows with our label, and ask for those of ours that are not among them.

        An empty answer must be confirmed by another query; otherwise every row would be created a second time.
        """
        account = self._service.account()
        self._place = place = Place(self._service, self._namespace)
        place.look()
        if not place.stored.rows or len(place.absent()) > _FEW:
            place.look(whole=True)
        for native_id in sorted(place.absent()):
            place.row(native_id)
        found = place.classifier.snapshot(place.rows.values(), place.stored.damage)
        return replace(
            found,
            account=account,
            damage=f"{self.label}: {found.damage}" if found.damage else "",
            remedy=self.service.remedy,
            mending=bool(place.stored.spare),
        )

    def _read_once(self) -> Place:
        if self._place is None:
            self.read()
        assert self._place is not None  # noqa: S101  # it has just been read
        return self._place

    def facts(self) -> list[Check]:
        """Return what token and place say of themselves, as far as that can be read."""
        try:
            return self._service.facts()
        except CredentialsError as error:
            return [Check("token", False, str(error))]
        except BackplanError as error:
            return [Check("service", False, str(error))]

    # Writing

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out a batch, one write after the other; nothing more after a memory that could not be written."""
        writer = Writer(self._read_once(), self._namespace, self._api.retrier.pause)
        answers: list[WriteResult] = []
        stopped = ""
        for write in batch:
            try:
                answers.append(WriteResult(error=stopped) if stopped else writer.carry_out(write))
            except BackplanError as error:
                if isinstance(error, CredentialsError) and not answers:
                    raise
                answers.append(WriteResult(error=str(error)))
                stopped = str(error) if isinstance(write, StoreWrite) else ""
        return answers
