"""Carries plans out: the only place that asks services to write.

The order makes every crash harmless. First a connector remembers the plan, with what is to be created as `pending`;
then its changes are made; last, once every connector has its changes, each remembers what is so now and acknowledges
what people did. A service that applies a batch whole takes its memory and its changes in one.

The core is a generator without I/O: it yields requests and is sent the answers, so that a test can stop it in between.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.base import Action, Answer, GoalMemory, MemoryWrite, Remembered, Write

if TYPE_CHECKING:
    from connectors.base import Connector
    from sync.plan import Change, ConnectorPlan

BATCH = 100


@dataclass(frozen=True, slots=True)
class Request:
    """One batch for one connector, by its label."""

    label: str
    batch: tuple[Write | MemoryWrite, ...]


Answers = Sequence[Answer] | BackplanError
Memory = Mapping[str, GoalMemory]
Task = tuple[str, str]  # key and native id


def execute(
    plans: Sequence[ConnectorPlan], atomic: frozenset[str], *, all_apps: bool = True
) -> Generator[Request, Answers, list[ConnectorPlan]]:
    """Yield the requests that carry out `plans`, be sent the answers, and return the plans with what became of each.

    atomic: labels of the connectors that apply a batch whole or not at all. all_apps: False where a connector was left
    out of `plans`, so that what people did cannot have reached every app. A request that could not be tried is
    answered with a BackplanError: that connector is left to the next run, and the others go on.
    """
    works = [_Work(plan) for plan in plans]
    alone = all_apps and len(plans) == 1
    for work in works:
        if work.plan.label in atomic:
            yield from work.at_once(acknowledge=alone)
        else:
            yield from work.one_by_one()
    # What a person did counts as seen only when it has reached every app; until then the next run sees it again.
    acknowledge = all_apps and not any(work.failed or work.stopped for work in works)
    for work in works:
        if acknowledge:
            yield from work.acknowledge()
        yield from work.remember(work.memory(acknowledge=acknowledge))
    return [work.result() for work in works]


def run(
    plans: Sequence[ConnectorPlan], connectors: Mapping[str, Connector], *, all_apps: bool = True
) -> list[ConnectorPlan]:
    """Carry out `plans` on the connectors, by their labels; return the plans with what became of each change."""
    atomic = frozenset(label for label, connector in connectors.items() if connector.capabilities.atomic)
    execution = execute(plans, atomic, all_apps=all_apps)
    answers: Answers | None = None
    try:
        while True:
            request = execution.send(answers)  # type: ignore[arg-type]  # the first send of a generator is None
            try:
                answers = connectors[request.label].apply(request.batch)
            except BackplanError as error:
                answers = error
    except StopIteration as stop:
        results: list[ConnectorPlan] = stop.value
        return results


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
        self.stopped: str | None = None

    def at_once(self, *, acknowledge: bool) -> Generator[Request, Answers, None]:
        """Ask for all changes and the memory in one batch."""
        writes = self._writes(acknowledging=False) + (self._writes(acknowledging=True) if acknowledge else ())
        self.created = {w.key: w.marker.nonce for w in writes if w.action is Action.CREATE and w.marker}
        memory = self.memory(acknowledge=acknowledge)
        if not writes and memory == self.written:
            return
        answers = yield Request(self.plan.label, (*writes, MemoryWrite(memory)))
        if self._take(writes, answers):
            self.written = memory

    def one_by_one(self) -> Generator[Request, Answers, None]:
        """Publish the plan, then ask for the changes in batches."""
        yield from self.remember(self.memory(acknowledge=False))
        yield from self._ask(self._writes(acknowledging=False))

    def acknowledge(self) -> Generator[Request, Answers, None]:
        """Ask for the writes that take note of what people did in this app, where that was not done before."""
        yield from self._ask(tuple(w for w in self._writes(acknowledging=True) if _task(w) not in self.answered))

    def _ask(self, writes: Sequence[Write]) -> Generator[Request, Answers, None]:
        for first in range(0, len(writes), BATCH):
            part = tuple(writes[first : first + BATCH])
            if self.stopped:
                self.failed.update(dict.fromkeys(map(_task, part), self.stopped))
            else:
                self._take(part, (yield Request(self.plan.label, part)))

    def remember(self, memory: Memory) -> Generator[Request, Answers, None]:
        """Ask for the memory to be written, where it differs from what is there."""
        if memory == self.written or self.stopped:
            return
        answers = yield Request(self.plan.label, (MemoryWrite(memory),))
        if self._take((), answers):
            self.written = memory

    def memory(self, *, acknowledge: bool) -> dict[str, GoalMemory]:
        """Return the memory as far as the plan has come; `acknowledge` what people did only when all have it."""
        goals = {}
        failed = {key for key, _ in self.failed}
        for goal_id, goal in self.plan.memory.items():
            before = self.plan.remembered.get(goal_id)
            keys = {
                key: self._entry(
                    key, entry, before.keys.get(key) if before else None, seen=acknowledge and key not in failed
                )
                for key, entry in goal.keys.items()
            }
            goals[goal_id] = replace(goal, keys=keys)
        return goals

    def result(self) -> ConnectorPlan:
        """Return the plan with the status of each change."""
        return replace(self.plan, changes=tuple(self._with_status(change) for change in self.plan.changes))

    def _entry(self, key: str, entry: Remembered, before: Remembered | None, *, seen: bool) -> Remembered:
        if entry.state == "pending":
            return self._made(key, entry)
        return entry if seen else before or entry

    def _made(self, key: str, entry: Remembered) -> Remembered:
        if key in self.gone:
            return replace(entry, state="dropped", native_id=self.gone[key])
        if key in self.created:
            return replace(entry, state="live", native_id=self.created[key], definition="")
        return entry

    def _writes(self, *, acknowledging: bool) -> tuple[Write, ...]:
        asked = (change for change in self.plan.changes if change.acknowledges == acknowledging)
        return tuple(change.write for change in asked if change.write is not None)

    def _take(self, writes: Sequence[Write], answers: Answers) -> bool:
        """Note what became of a batch; return whether it was tried at all."""
        if isinstance(answers, BackplanError):
            self.stopped = str(answers)
            self.failed.update(dict.fromkeys(map(_task, writes), self.stopped))
            for write in writes:
                self.created.pop(write.key, None)
            return False
        if len(answers) > len(writes) and (refused := answers[-1].error):  # the memory comes last
            self.stopped = refused
            return False
        for write, answer in zip(writes, answers, strict=False):
            self.answered.add(_task(write))
            if answer.error is not None:
                self.failed[_task(write)] = answer.error
                self.created.pop(write.key, None)
            elif answer.gone:
                self.created.pop(write.key, None)
                self.gone[write.key] = answer.native_id
            elif write.action is Action.CREATE:
                self.created[write.key] = answer.native_id
        return True

    def _with_status(self, change: Change) -> Change:
        if change.write is None:
            return change
        task = _task(change.write)
        if task in self.failed:
            return replace(change, status="failed", error=self.failed[task])
        applied = task in self.answered and not (change.action is Action.CREATE and change.key in self.gone)
        return replace(change, status="applied" if applied else "skipped")
