"""One app's plan while it is carried out: its batches, their results, and the memory that may be stored so far."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.model import StoredGoal, StoredKey

if TYPE_CHECKING:
    from sync.reconcile.change import Change, ConnectorPlan

Batch = tuple[Write | StoreWrite, ...]
Answers = Sequence[WriteResult] | BackplanError
Memory = Mapping[str, StoredGoal]
Task = tuple[str, str]  # key and native id

NOTES = (Action.UPDATE, Action.REPAIR, Action.DETACH)  # where these acknowledge, they store changes of the user


@dataclass(frozen=True, slots=True)
class Request:
    """One batch for one connector, by its label."""

    label: str
    batch: Batch


def _task(write: Write) -> Task:
    """Return the task that a write is for. A copy beside the task has the same key, and another id."""
    return write.key, write.native_id


class Work:
    """One app's plan while it is carried out.

    written: the memory that the app has now. created: the ids of new tasks, by key. deleted: the ids of tasks that an
    earlier run had created and the user has deleted since, by key. failed: the error of each task that failed.
    answered: the tasks that were written. stopped: why the app is left to the next run. unwritten: why the memory could
    not be stored.
    """

    def __init__(self, plan: ConnectorPlan) -> None:
        self.plan = plan
        self.written: Memory = plan.stored
        self.created: dict[str, str] = {}
        self.deleted: dict[str, str] = {}
        self.failed: dict[Task, str] = {}
        self.answered: set[Task] = set()
        self.removed: set[str] = set()
        self.stopped: str | None = None
        self.unwritten: str | None = None
        self.notices: set[str] = set()
        self.mended = not plan.mending

    @property
    def creates(self) -> bool:
        """Whether the plan creates tasks that wait for nothing."""
        return any(write.action is Action.CREATE for write in self.writes(acknowledging=False))

    @property
    def skips(self) -> bool:
        """Whether some of the plan is left to a later run."""
        return any(change.status == "skipped" for change in self.plan.writes)

    def at_once(self, *, acknowledge: bool) -> Generator[Request, Answers, None]:
        """Ask for all changes, and for the memory as it is after them, in one batch."""
        writes = self.writes(acknowledging=False) + (self.writes(acknowledging=True) if acknowledge else ())
        self.created = {w.key: w.marker.nonce for w in writes if w.action is Action.CREATE and w.marker}
        yield from self.ask(self.publication(acknowledge=acknowledge) + writes)

    def ask(self, batch: Batch) -> Generator[Request, Answers, None]:
        """Ask for a batch, unless it is empty or the connector has been left to the next run."""
        if self.stopped is not None:
            self._fail(batch, self.stopped)
        elif batch:
            self._take(batch, (yield Request(self.plan.label, batch)))

    def publication(self, *, acknowledge: bool = False, handed_over: bool = False) -> Batch:
        """Return the write of the memory, where that has changed, or where its place has to be repaired.

        handed_over: other places have taken over the goals that leave this one.
        """
        memory = self.memory(acknowledge=acknowledge)
        memory |= {} if handed_over else self.plan.leaving
        return (StoreWrite(memory),) if memory != self.written or not self.mended else ()

    def pinning(self, *, alone: bool) -> tuple[Write, ...]:
        """Return the writes that store the dates which the user gave here; none where another app needs them first.

        A completed task has to wait: until all steps are completed, only the goal that is to be reopened shows that
        they were done. A task that is moved below that goal waits with it.
        """
        noted = self.writes(acknowledging=True) if alone else ()
        last = {_task(write) for write in self.farewell()}
        return tuple(
            write
            for write in noted
            if _task(write) not in last and write.action in NOTES and "parent" not in write.fields
        )

    def unanswered(self, turn: Collection[Action]) -> Batch:
        """Return the writes that waited for their turn until now."""
        last = {_task(write) for write in self.farewell()}
        waited = [w for w in self.writes(acknowledging=True) if _task(w) not in self.answered | last]
        return tuple(write for write, action in _with_turns(waited) if action in turn)

    def farewell(self) -> tuple[Write, ...]:
        """Return the writes that wait until every memory contains what their tasks show."""
        waiting = (c.write for c in self.plan.changes if c.last and c.write and c.status == "planned")
        return tuple(write for write in waiting if _task(write) not in self.answered)

    def writes(self, *, acknowledging: bool) -> tuple[Write, ...]:
        """Return the writes of the plan: those that acknowledge, or the others."""
        changes = (change for change in self.plan.changes if change.acknowledges == acknowledging)
        return tuple(change.write for change in changes if change.write is not None and change.status == "planned")

    def memory(self, *, acknowledge: bool) -> dict[str, StoredGoal]:
        """Return the memory as far as it is true now.

        acknowledge: every app has the changes of the user, so that the memory may contain them, too.
        """
        skipped = {change.key for change in self.plan.writes if change.status == "skipped"}
        true = _Truth(acknowledge, {key for key, _ in self.failed} | skipped)
        return {goal_id: self._goal(goal_id, goal, true) for goal_id, goal in self.plan.memory.items()}

    def result(self) -> ConnectorPlan:
        """Return the plan with the status of each change."""
        is_reported = self.unwritten in self.failed.values()
        changes = tuple(self._with_status(change) for change in self.plan.changes)
        error = None if is_reported else self.unwritten
        return replace(self.plan, changes=changes, error=error, notices=tuple(sorted(self.notices)))

    def _goal(self, goal_id: str, goal: StoredGoal, truth: _Truth) -> StoredGoal:
        before = self.plan.remembered[goal_id].keys if goal_id in self.plan.remembered else {}
        return replace(
            goal, keys={key: self._entry(key, entry, before.get(key), truth) for key, entry in goal.keys.items()}
        )

    def _entry(self, key: str, entry: StoredKey, before: StoredKey | None, truth: _Truth) -> StoredKey:
        """Return the entry of a key that may be stored now."""
        if entry.state == "pending":
            return self._made(key, entry, before)
        # Record our own removals at once, even if other apps have yet to get the changes of the user.
        removed = entry.state == "removed" and key in self.removed
        if key not in truth.unwritten and (truth.acknowledge or removed):
            return entry
        return entry if before is None else _told_apart(before, entry)

    def _made(self, key: str, entry: StoredKey, before: StoredKey | None) -> StoredKey:
        if key in self.deleted and before is None:  # created before the stored memory was deleted
            return replace(entry, native_id="", generation=entry.generation + 1)
        if key in self.deleted:
            return replace(entry, state="dropped", native_id=self.deleted[key])
        if key in self.created:
            return replace(entry, state="live", native_id=self.created[key], definition="")
        return entry

    def _take(self, batch: Batch, answers: Answers) -> None:
        """Note the answers to a batch."""
        if isinstance(answers, BackplanError):
            self.stopped = str(answers)
            self._fail(batch, self.stopped)
            return
        self.notices |= {answer.notice for answer in answers if answer.notice}
        for write, answer in zip(batch, answers, strict=True):
            if isinstance(write, StoreWrite):
                self._remembered(write, answer, alone=len(batch) == 1)
            else:
                self._written(write, answer)

    def _fail(self, batch: Batch, error: str) -> None:
        for write in batch:
            if isinstance(write, StoreWrite):
                self.unwritten = error
            else:
                self.failed[_task(write)] = error
                self.created.pop(write.key, None)

    def _remembered(self, write: StoreWrite, answer: WriteResult, *, alone: bool) -> None:
        self.unwritten = answer.error
        if answer.error is None:
            self.written, self.mended = write.memory, True
        elif alone:  # else the changes beside it were made, and the memory is stored again at the end
            self.stopped = answer.error

    def _written(self, write: Write, answer: WriteResult) -> None:
        self.answered.add(_task(write))
        if answer.error is not None:
            self._fail((write,), answer.error)
        elif answer.gone:
            self.created.pop(write.key, None)
            self.deleted[write.key] = answer.native_id
        elif write.action is Action.CREATE:
            self.created[write.key] = answer.native_id
        elif write.action is Action.REMOVE:
            self.removed.add(write.key)

    def _with_status(self, change: Change) -> Change:
        if change.write is None:
            return change
        task = _task(change.write)
        if task in self.failed:
            return replace(change, status="failed", error=self.failed[task])
        applied = task in self.answered and not (change.action is Action.CREATE and change.key in self.deleted)
        return replace(change, status="applied" if applied else "skipped")


@dataclass(frozen=True, slots=True)
class _Truth:
    """The parts of the memory that may be stored: changes of the user (`acknowledge`), and keys that were written."""

    acknowledge: bool
    unwritten: Collection[str]


def _with_turns(writes: Sequence[Write]) -> Iterator[tuple[Write, Action]]:
    """Yield each write with the action in whose turn it is made.

    A task that is reopened below one that has yet to be created waits for that.
    """
    made = {write.key for write in writes if write.action is Action.CREATE}
    for write in writes:
        if write.action is Action.REOPEN and "parent" in write.fields and write.parent in made:
            made.add(write.key)
            yield write, Action.CREATE
        else:
            yield write, write.action


def _told_apart(before: StoredKey, entry: StoredKey) -> StoredKey:
    """Return the entry that a key had before the run.

    The id of a task that is removed replaces its nonce: a copy has the same nonce, and may be removed later.
    """
    if before.state == "pending" and entry.state == "removed" and entry.native_id:
        return replace(before, state="live", native_id=entry.native_id, definition="")
    return before
