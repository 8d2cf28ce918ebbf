"""Speaks to the service in memory as a connector speaks to a real one, one request after the other."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from config.errors import BackplanError, RefusedError
from connectors.base import Action, Capabilities, Connector, Requests, StoreWrite, Write, WriteResult
from connectors.codec import write_memory
from connectors.model import FIELDS, Content, Snapshot
from tests.histories.listing import Seat, parse, places, read_entries, snapshot
from tests.histories.service import Fault, Killed, Service, memory_key

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from config.settings import Environment
    from tests.histories.listing import Elsewhere
    from tests.histories.service import Held, Kind

Batch = tuple[Write | StoreWrite, ...]


class SimulatedConnector:
    """A connector as every process has one of its own."""

    name: ClassVar[str] = "memory"
    capabilities: ClassVar[Capabilities] = Capabilities(frozenset(FIELDS), reliability="safe")
    moves: ClassVar[bool] = False  # between the places of one account

    def __init__(
        self, service: Service, namespace: str, label: str, place: int = 0, named: frozenset[int] = frozenset()
    ) -> None:
        """`place` is where its tasks live; `named` are the places in which the goals file has any."""
        self.label = f"{label}, place {place}" if place else label
        self.identity = self.label
        self.requests = Requests()
        self.service = service
        self._app = label
        self._place_number, self._named_places = place, named
        self._memory = memory_key(namespace, place)
        self._namespace = namespace
        self._version = -1
        self._saw_memory = False
        self._places: dict[str, str] = {}
        self._named: dict[str, str] = {}  # key -> native id of what the batches change
        self._unmade: set[str] = set()  # keys of tasks that could not be made, or of which nobody knows
        self._after: dict[str, tuple[str, ...]] = {}  # native id -> keys, of links that have yet to be made

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector to a service of its own."""
        return cls(Service(), namespace, "memory")

    def alike(self) -> Connector:
        """Return one and the same connector for all of this class and label: what is planned depends on no more."""
        return _idle(type(self), self._namespace, self._app, self._place_number)  # type: ignore[arg-type]

    @property
    def account(self) -> object:
        """The app that it is of."""
        return self._app if self.moves else self

    @property
    def shelf(self) -> object:
        """The app: there is no limit."""
        return self._app

    def unnamed(self) -> list[Connector]:
        """Return a connector to each place with a memory in which the goals file has no goals."""
        there = self.service.memories(self._namespace).keys() - self._named_places - self.service.archived
        if not self._named_places or self._place_number != min(self._named_places):
            return []  # another one tells
        return [
            type(self)(self.service, self._namespace, self._app, place, self._named_places) for place in sorted(there)
        ]

    def canonical(self, content: Content) -> Content:
        """Return the content as the service rewrites it."""
        title, notes = " ".join(content.title.split()), content.notes.strip()
        if (title, notes) == (content.title, content.notes):
            return content
        return replace(content, title=title, notes=notes)

    # Reading

    def read(self) -> Snapshot:
        """Return everything of our namespace, or raise what a real connector raises."""
        service = self.service
        service.reads += 1
        self.requests.read += 1
        fault = service.fault()
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            raise Killed
        if service.unreadable or fault is Fault.UNSENT:
            raise BackplanError(f"{self.label}: does not answer")
        if self._place_number in service.archived:
            raise RefusedError(f"{self.label}: was archived")
        self._version = service.version
        lines, listed = self._listing(fault)
        waits = any(entry.state == "pending" for entry in read_entries(tuple(lines or ())).values())
        if (lines is None or waits) and service.kind.places > 1:  # an empty place has to be seen twice
            lines, more = self._listing(self._ask_again())
            listed |= more
        tasks = tuple(service.tasks.items())
        self._saw_memory = lines is not None
        self._places = places(tasks, service.kind)
        if len(listed) < len(tasks):
            listed |= self._there(self._known(lines or [], listed) - listed.keys())
        hidden = service.tasks.keys() - listed.keys()
        stored = None if lines is None else tuple(lines)
        found = snapshot(
            Seat(service.kind, self._namespace, self._place_number),
            stored,
            self._elsewhere(),
            tasks,
            frozenset(hidden),
        )
        return replace(found, mending=True) if self._memory in service.spoiled and lines is not None else found

    def _elsewhere(self) -> Elsewhere:
        """Return what the other places remember."""
        memories = self.service.memories(self._namespace)
        there = memories.keys() - self.service.archived - {self._place_number}
        return tuple((place, tuple(lines)) for place, lines in memories.items() if place in there)

    def _ask_again(self) -> Fault | None:
        """Send another request to read, and return what goes wrong with it."""
        self.service.reads += 1
        self.requests.read += 1
        fault = self.service.fault()
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            raise Killed
        if fault is Fault.UNSENT:
            raise BackplanError(f"{self.label}: does not answer")
        return fault

    def _known(self, lines: Iterable[str], listed: Mapping[str, Held]) -> set[str]:
        """Return the tasks that should be listed: those not done, and those above them, which cannot be done either."""
        entries = read_entries(tuple(lines)).values()
        known = {self._place(entry.native_id) for entry in entries if entry.state in ("live", "dropped")}
        return known | {held.parent for held in listed.values() if held.parent is not None and not held.done}

    def _listing(self, fault: Fault | None) -> tuple[list[str] | None, dict[str, Held]]:
        """Return the memory's lines and the tasks as the service lists them.

        A service that takes no ids of ours must not be believed a list that may be incomplete, because a create would
        be repeated: such a connector counts what it got against what the service says there is.
        """
        service = self.service
        lines = service.memory.get(self._memory)
        tasks = {one: held for one, held in service.tasks.items() if held.place not in service.archived}
        if fault is Fault.EMPTY:
            lines, tasks = None, {}
        elif fault is Fault.CUT:
            tasks = dict(list(tasks.items())[: len(tasks) // 2])
        elif fault is Fault.STALE and service.newest is not None:
            tasks.pop(service.newest, None)
        if len(tasks) < len(service.tasks) and not service.kind.client_ids:
            raise BackplanError(f"{self.label}: listed {len(tasks)} of {len(service.tasks)} tasks; try again later")
        return lines, tasks

    def _there(self, native_ids: Iterable[str]) -> dict[str, Held]:
        """Return the tasks that were not listed, and are there: absence is no evidence."""
        return {one: self.service.tasks[one] for one in native_ids if one in self.service.tasks}

    def _place(self, native_id: str) -> str:
        return self._places.get(native_id, native_id)

    # Writing

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out a batch without anybody in between."""
        steps = self.steps(tuple(batch))
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                answers: list[WriteResult] = stop.value
                return answers

    def steps(self, batch: Batch) -> Generator[None, None, list[WriteResult]]:
        """Carry out a batch, stopping before every request, so that somebody else may act there."""
        gone = (Action.CREATE, Action.REMOVE, Action.DETACH)
        self._named |= {w.key: w.native_id for w in batch if isinstance(w, Write) and w.action not in gone}
        kind = self.service.kind
        most = len(batch) if kind.atomic else kind.most
        answers: list[WriteResult] = []
        for first in range(0, len(batch), most):
            request = batch[first : first + most]
            if any(isinstance(w, StoreWrite) and a.error for w, a in zip(batch, answers, strict=False)):
                answers += [WriteResult(error="not tried: the memory could not be written")] * len(request)
                continue
            yield
            try:
                answers += self._request(request)
            except BackplanError as error:
                if not answers:
                    raise
                answers += [WriteResult(error=str(error))] * len(request)
                self._unmade |= {w.key for w in request if isinstance(w, Write) and w.action is Action.CREATE}
        self._link()
        return answers

    def _request(self, request: Batch) -> list[WriteResult]:
        service = self.service
        service.writes += 1
        self.requests.write += 1
        fault = service.fault()
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.UNSENT or (service.kind.atomic and fault in (Fault.IN_PART, Fault.REFUSED)):
            raise BackplanError(f"{self.label}: the connection broke")
        if service.kind.atomic and service.version != self._version:
            raise BackplanError(f"{self.label}: changed since it was read; nothing was written, run again")
        half = len(request) // 2 if fault is Fault.IN_PART else len(request)
        answers = [self._carry_out(write, fault if n == 0 else None) for n, write in enumerate(request[:half])]
        self._version = service.version
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault in (Fault.LOST, Fault.IN_PART) or (service.kind.atomic and fault is Fault.UNKNOWN):
            raise BackplanError(f"{self.label}: no answer")
        return answers

    def _carry_out(self, write: Write | StoreWrite, fault: Fault | None) -> WriteResult:
        orphan = isinstance(write, Write) and write.parent in self._unmade
        if orphan or fault is Fault.REFUSED:
            if isinstance(write, Write) and write.action is Action.CREATE:
                self._unmade.add(write.key)
            return WriteResult(error="what it belongs to could not be made" if orphan else "500: refused")
        if isinstance(write, StoreWrite):
            answer = self._remember(write)
        else:
            placed = replace(write, native_id=self._place(write.native_id), fields=write.fields - {"after"})
            answer = self.service.carry_out(placed, self._parent(write.parent), self._place_number)
            if (write.action is Action.CREATE or "parent" in write.fields) and self._takes_none(write.parent):
                self.service.strayed.add(answer.native_id)  # it stands alone, even if that task should come back
            if write.action is Action.CREATE:
                self._named[write.key] = answer.native_id
            if write.content is not None and ("after" in write.fields or write.action is Action.CREATE):
                self._after[answer.native_id] = write.content.after
            if write.action is Action.CREATE and (answer.error or fault is Fault.UNKNOWN):
                self._unmade.add(write.key)
            if self.service.kind.atomic and write.marker is not None:
                answer = replace(answer, native_id=write.marker.nonce)
        return WriteResult(error="502: nobody knows") if fault is Fault.UNKNOWN else answer

    def _remember(self, write: StoreWrite) -> WriteResult:
        service = self.service
        if not self._saw_memory and self._memory in service.memory:
            # Its place is made with an id of ours: one that is there already was hidden from us, or made by a race.
            return WriteResult(error="409: there is a memory that the list did not show; run again")
        self._saw_memory = True
        service.memory[self._memory] = write_memory(write.memory)
        if not write.memory:  # nothing is left to remember
            del service.memory[self._memory]
        service.spoiled.discard(self._memory)
        service.version += 1
        return WriteResult()

    def _link(self) -> None:
        """Let tasks come after others, now that all of these have been made, and have their names."""
        if not self._after:
            return
        theirs = {entry.native_id for _, lines in self._elsewhere() for entry in read_entries(lines).values()}
        own = read_entries(tuple(self.service.memory.get(self._memory, ())))
        theirs -= {entry.native_id for entry in own.values()}
        known = {key: self._place(entry.native_id) for key, entry in own.items()}  # a marker may have another name
        there = {key: native_id for key, native_id in known.items() if native_id in self.service.tasks}
        for native_id, held in self.service.tasks.items():
            marker = parse(held.marker) if held.marker else None
            if marker is not None and marker.namespace == self._namespace and native_id not in theirs:
                there.setdefault(marker.key, native_id)
        for native_id, keys in list(self._after.items()):
            self.service.link(native_id, tuple(there[key] for key in keys if key in there))
            if there.keys() >= set(keys):  # else one has yet to get its name, in a later batch
                del self._after[native_id]
        self._version = self.service.version

    def _takes_none(self, key: str | None) -> bool:
        """Return whether the task for the key takes none below it: a person deleted it, or ticked it."""
        if self._id(key) is not None and self._parent(key) is None:
            return True
        entry = read_entries(tuple(self.service.memory.get(self._memory, ()))).get(key or "")
        if entry is None or entry.state not in ("live", "dropped"):
            return False
        return self._place(entry.native_id) not in self.service.tasks

    def _parent(self, key: str | None) -> str | None:
        """Return the native id of the task with this key, where it can take others below it."""
        native_id = self._id(key)
        if native_id is not None and self.service.kind.families and self.service.tasks[native_id].done:
            return None
        return native_id

    def _id(self, key: str | None) -> str | None:
        """Return the native id of the task with this key, which may have been made by this very batch."""
        if key is None:
            return None
        if self._place(self._named.get(key, "")) in self.service.tasks:  # its marker may have yet to say so
            return self._place(self._named[key])
        found = f" {self._namespace} {key} "
        named = {one: held.marker for one, held in self.service.tasks.items() if held.marker and found in held.marker}
        # The newest: an older one may be on its way out, and still have the name that another has now. But no copy.
        newest = next(reversed(named.values()), "").split()[:2]
        return next((one for one, marker in named.items() if marker.split()[:2] == newest), None)


def connect(
    service: Service,
    namespace: str,
    label: str,
    place: int = 0,
    named: frozenset[int] = frozenset(),
    base: type[SimulatedConnector] = SimulatedConnector,
) -> SimulatedConnector:
    """Return a connector that can do what the service's kind can."""
    able = _able(base, service.kind)  # type: ignore[arg-type]  # a class is hashable
    return able(service, namespace, label, place, named)


@cache
def _able(base: type[SimulatedConnector], kind: Kind) -> type[SimulatedConnector]:
    able = Capabilities(
        frozenset(FIELDS),
        kind.reliability,
        atomic=kind.atomic,
        ordered=kind.most > 1,
        client_ids=kind.client_ids,
        families=kind.families,
        nested=2 if kind.families else 0,
    )
    said = {"capabilities": able, "moves": kind.places > 1}
    able_class: type[SimulatedConnector] = type(kind.name.title() + base.__name__, (base,), said)
    return able_class


@cache
def _idle(able: type[SimulatedConnector], namespace: str, label: str, place: int) -> SimulatedConnector:
    return able(Service(), namespace, label, place)
