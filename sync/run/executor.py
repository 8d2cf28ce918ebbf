"""Carries plans out: the only place that asks services to write.

The order makes every crash harmless. First a connector remembers the plan, with what is to be created as `pending`;
then its changes are made; then, once every connector has these, those that waited for it, in turns; last, each
remembers what is so now (the native ids of what was made among it, which nobody can know before) and acknowledges what
people did, if nothing failed. A service that carries out a
batch in order gets the memory and the changes in one, the memory first; but the first memory of all goes alone, for it
may turn out that there is one already. One that applies a batch whole or not at all gets everything in one.

The core is a generator without I/O: it yields requests and is sent the answers, so that a test can stop it in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.base import Action, Paced, StoreWrite, Write, WriteResult
from connectors.model import StoredGoal, StoredKey

if TYPE_CHECKING:
    from connectors.base import Capabilities, Connector
    from sync.reconcile.change import Change, ConnectorPlan


Batch = tuple[Write | StoreWrite, ...]

_NOTES = (Action.UPDATE, Action.REPAIR, Action.DETACH)  # where they acknowledge, they write what a person did here
# What waits: first is reopened what others come to stand below; last goes what would take along those that leave it.
_TURNS = ((Action.REOPEN,), (Action.CREATE, *_NOTES), (Action.COMPLETE, Action.REMOVE))


@dataclass(frozen=True, slots=True)
class Request:
    """One batch for one connector, by its label."""

    label: str
    batch: Batch


Answers = Sequence[WriteResult] | BackplanError
Memory = Mapping[str, StoredGoal]
Task = tuple[str, str]  # key and native id


def execute(
    plans: Sequence[ConnectorPlan], capabilities: Mapping[str, Capabilities], *, all_apps: bool = True
) -> Generator[Request, Answers, list[ConnectorPlan]]:
    """Yield the requests that carry out `plans`, be sent the answers, and return the plans with what became of each.

    capabilities: of each connector, by its label. all_apps: False where a connector was left out of `plans`, so that
    what people did cannot have reached every app. A request that could not be tried is answered with a BackplanError:
    that connector is left to the next run, and the others go on.
    """
    works = [_Work(plan) for plan in plans]
    alone = all_apps and len(plans) == 1
    for work in works:
        able = capabilities[work.plan.label]
        if able.atomic:
            yield from work.at_once(acknowledge=alone)
        elif able.ordered and (work.plan.stored or not work.creates):
            yield from work.ask(work.publication() + work.writes(acknowledging=False) + work.pinning(alone=alone))
        else:  # nothing is made before the memory knows of it
            yield from work.ask(work.publication())
            yield from work.ask(work.writes(acknowledging=False))
    # What a person did counts as seen only when it has reached every app; until then the next run sees it again.
    for turn in _TURNS:
        if all_apps and not any(work.failed or work.stopped for work in works):
            for work in works:
                yield from work.ask(work.unanswered(turn))
    acknowledge = all_apps and not any(work.failed or work.stopped for work in works)
    # A place forgets a goal last, when the place that takes it over has all of it.
    handed_over = acknowledge and not any(change.status == "skipped" for work in works for change in work.plan.writes)
    for work in works:
        yield from work.ask(work.publication(acknowledge=acknowledge, handed_over=handed_over))
    for work in works:
        if acknowledge and not any(one.unwritten for one in works):
            yield from work.ask(work.farewell())
    return [work.result() for work in works]


def run(
    plans: Sequence[ConnectorPlan],
    connectors: Mapping[str, Connector],
    progress: Callable[[str], None],
    *,
    all_apps: bool = True,
) -> list[ConnectorPlan]:
    """Carry out `plans` on the connectors, by their labels; return the plans with what became of each change.

    `progress` is told, in words, how far a connector has come whose service limits how fast it may be written to.
    """
    capabilities = {label: connector.capabilities for label, connector in connectors.items()}
    execution = execute(plans, capabilities, all_apps=all_apps)
    answers: Answers | None = None
    try:
        while True:
            request = execution.send(answers)  # type: ignore[arg-type]  # the first send of a generator is None
            try:
                answers = _apply(connectors[request.label], request, progress)
            except BackplanError as error:
                answers = error
    except StopIteration as stop:
        results: list[ConnectorPlan] = stop.value
        return results


def _apply(connector: Connector, request: Request, progress: Callable[[str], None]) -> list[WriteResult]:
    """Apply a batch, in pieces where the service limits how fast it may be written to.

    Raises BackplanError when nothing of it could be tried.
    """
    batch = request.batch
    pace = connector.pace() if isinstance(connector, Paced) else None
    if pace is None or len(batch) <= pace.a_request:
        return connector.apply(batch)
    answers: list[WriteResult] = []
    while len(answers) < len(batch):
        try:
            answers += connector.apply(batch[len(answers) : len(answers) + pace.a_request])
        except BackplanError as error:
            if not answers:
                raise
            return answers + [WriteResult(error=str(error))] * (len(batch) - len(answers))
        left = round((len(batch) - len(answers)) / pace.a_minute)
        when = f"about {left} min left" if left else "less than a minute left"
        progress(f"{request.label}: {len(answers)} of {len(batch)} changes, {when}")
    return answers


def _task(write: Write) -> Task:
    """Return what tells a write's task apart: beside a task there may be a copy of it, with the same key."""
    return write.key, write.native_id


class _Work:
    """One connector's plan while it is carried out."""

    def __init__(self, plan: ConnectorPlan) -> None:
        self.plan = plan
        self.written: Memory = plan.stored
        self.created: dict[str, str] = {}
        self.gone: dict[str, str] = {}
        self.failed: dict[Task, str] = {}
        self.answered: set[Task] = set()
        self.removed: set[str] = set()
        self.stopped: str | None = None
        self.unwritten: str | None = None  # why the memory could not be written
        self.notices: set[str] = set()
        self.mended = not plan.mending

    @property
    def creates(self) -> bool:
        """Whether the plan makes tasks that nothing has to come before."""
        return any(write.action is Action.CREATE for write in self.writes(acknowledging=False))

    def at_once(self, *, acknowledge: bool) -> Generator[Request, Answers, None]:
        """Ask for all changes, and the memory of how things are after them, in one batch."""
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
        """Return the write of the memory, where it differs from what is there, or its place has to be repaired.

        handed_over: other places have taken over the goals that leave this one.
        """
        memory = self.memory(acknowledge=acknowledge)
        memory |= {} if handed_over else self.plan.leaving
        return (StoreWrite(memory),) if memory != self.written or not self.mended else ()

    def pinning(self, *, alone: bool) -> tuple[Write, ...]:
        """Return the writes that take note of dates given here, where no other app has to hear of them first.

        A tick is another matter: the goal that is reopened shows that its steps were done, until all of these are. What
        comes to stand below it waits for that, and what others move out of is ticked or removed after these.
        """
        noted = self.writes(acknowledging=True) if alone else ()
        return tuple(write for write in noted if write.action in _NOTES and "parent" not in write.fields)

    def unanswered(self, turn: Collection[Action]) -> Batch:
        """Return the writes that waited for their turn until now."""
        last = {_task(write) for write in self.farewell()}
        waited = [w for w in self.writes(acknowledging=True) if _task(w) not in self.answered | last]
        made = {write.key for write in waited if write.action is Action.CREATE}
        found = []
        for write in waited:
            action = write.action
            if action is Action.REOPEN and "parent" in write.fields and write.parent in made:
                made.add(write.key)  # it comes to stand below what has yet to be made, and waits with that
                action = Action.CREATE
            found += [write] if action in turn else []
        return tuple(found)

    def farewell(self) -> tuple[Write, ...]:
        """Return the writes that come when every memory knows what their tasks show."""
        return tuple(c.write for c in self.plan.changes if c.last and c.write and c.status == "planned")

    def writes(self, *, acknowledging: bool) -> tuple[Write, ...]:
        """Return the writes of the plan, those that acknowledge or the others."""
        asked = (change for change in self.plan.changes if change.acknowledges == acknowledging)
        return tuple(change.write for change in asked if change.write is not None and change.status == "planned")

    def memory(self, *, acknowledge: bool) -> dict[str, StoredGoal]:
        """Return the memory as far as the plan has come; `acknowledge` what people did only when all have it."""
        goals = {}
        open_ = {key for key, _ in self.failed} | {c.key for c in self.plan.writes if c.status == "skipped"}
        for goal_id, goal in self.plan.memory.items():
            before = self.plan.remembered[goal_id].keys if goal_id in self.plan.remembered else {}
            keys = {
                key: self._entry(key, entry, before.get(key), acknowledge=acknowledge, done=key not in open_)
                for key, entry in goal.keys.items()
            }
            goals[goal_id] = replace(goal, keys=keys)
        return goals

    def result(self) -> ConnectorPlan:
        """Return the plan with the status of each change."""
        told = self.unwritten in self.failed.values()
        changes = tuple(self._with_status(change) for change in self.plan.changes)
        error = None if told else self.unwritten
        return replace(self.plan, changes=changes, error=error, notices=tuple(sorted(self.notices)))

    def _entry(
        self, key: str, entry: StoredKey, before: StoredKey | None, *, acknowledge: bool, done: bool
    ) -> StoredKey:
        """Return what may be remembered of a key; `done`: nothing is left to be written there."""
        if entry.state == "pending":
            return self._made(key, entry, before)
        if before is not None and before.state == "pending" and entry.state == "removed" and entry.native_id:
            # A copy has the same nonce: where the task itself goes first, only its id tells them apart.
            before = replace(before, state="live", native_id=entry.native_id, definition="")
        # That we removed a task is no person's doing, whatever else is still to be heard of.
        ours = entry.state == "removed" and key in self.removed
        return entry if done and (acknowledge or ours) else before or entry

    def _made(self, key: str, entry: StoredKey, before: StoredKey | None) -> StoredKey:
        if key in self.gone and before is None:  # made in another life, before all that was remembered was deleted
            return replace(entry, native_id="", generation=entry.generation + 1)
        if key in self.gone:
            return replace(entry, state="dropped", native_id=self.gone[key])
        if key in self.created:
            return replace(entry, state="live", native_id=self.created[key], definition="")
        return entry

    def _take(self, batch: Batch, answers: Answers) -> None:
        """Note what became of a batch."""
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
        elif alone:  # else the changes beside it were made: it is asked for once more at the end
            self.stopped = answer.error

    def _written(self, write: Write, answer: WriteResult) -> None:
        self.answered.add(_task(write))
        if answer.error is not None:
            self._fail((write,), answer.error)
        elif answer.gone:
            self.created.pop(write.key, None)
            self.gone[write.key] = answer.native_id
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
        applied = task in self.answered and not (change.action is Action.CREATE and change.key in self.gone)
        return replace(change, status="applied" if applied else "skipped")
