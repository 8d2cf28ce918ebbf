"""Strategies that are known to be wrong, each as a connector: the histories have to catch every one of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.base import Action, Write, WriteResult
from connectors.model import FIELDS, Snapshot, digest
from tests.histories.connector import SimulatedConnector
from tests.histories.service import SAFE, UNIQUE, Fault, Killed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.base import StoreWrite
    from connectors.model import Task
    from tests.histories.connector import Batch
    from tests.histories.service import Held, Kind


class StateFile(SimulatedConnector):
    """Keeps what it knows in a file of its own, which is only there again where a run came to its end."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        return snapshot if self.service.memory.get(self._namespace) else Snapshot()

    def _request(self, request: Batch) -> list[WriteResult]:
        try:
            return super()._request(request)
        except (Killed, BackplanError):
            self.service.memory.pop(self._namespace, None)
            raise


class MatchesByTitle(SimulatedConnector):
    """Takes a task with the title of one of ours for ours."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        foreign = {held.content.title: one for one, held in self.service.tasks.items() if held.marker is None}
        return replace(snapshot, tasks=tuple(self._taken(task, foreign) for task in snapshot.tasks))

    @staticmethod
    def _taken(task: Task, foreign: dict[str, str]) -> Task:
        return replace(task, native_id=foreign.get(task.content.title, task.native_id))


class RetriesBlindly(SimulatedConnector):
    """Sends a request again whose answer was lost."""

    def _request(self, request: Batch) -> list[WriteResult]:
        try:
            return super()._request(request)
        except BackplanError:
            return super()._request(request)


class OverwritesBothWays(SimulatedConnector):
    """Takes whatever stands in a task for what we wrote there last."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        return replace(snapshot, tasks=tuple(self._as_if_ours(task) for task in snapshot.tasks))

    @staticmethod
    def _as_if_ours(task: Task) -> Task:
        fields = {name: digest(getattr(task.content, name)) for name in FIELDS if name != "due"}
        applied = {**task.marker.applied, **fields}
        return replace(task, marker=replace(task.marker, applied=applied, due=task.content.due))


class BelievesAnyList(SimulatedConnector):
    """Takes an empty list for the truth: there is nothing yet, so it makes everything."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        self._saw_memory = True
        return snapshot

    def _listing(self, fault: Fault | None) -> tuple[list[str] | None, dict[str, Held]]:
        return (None, {}) if fault is Fault.EMPTY else super()._listing(fault)


class MidnightSomewhere(SimulatedConnector):
    """Reads a date as midnight of another time zone."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        return replace(snapshot, tasks=tuple(self._a_day_early(task) for task in snapshot.tasks))

    @staticmethod
    def _a_day_early(task: Task) -> Task:
        due = task.content.due
        return replace(task, content=replace(task.content, due=due and due - timedelta(1)))


class ReadsOnePage(SimulatedConnector):
    """Never asks for the second page."""

    def _listing(self, fault: Fault | None) -> tuple[list[str] | None, dict[str, Held]]:
        lines, tasks = super()._listing(fault)
        return lines, dict(list(tasks.items())[:3])

    def _ask_for(self, native_ids: Iterable[str]) -> dict[str, Held]:
        return {}


class DeletesWhatItLetsGo(SimulatedConnector):
    """Removes a task that it should leave to its person."""

    def _carry_out(self, write: Write | StoreWrite, fault: Fault | None) -> WriteResult:
        if isinstance(write, Write) and write.action is Action.DETACH:
            write = replace(write, action=Action.REMOVE)
        return super()._carry_out(write, fault)


class KeepsNothing(SimulatedConnector):
    """Writes the file's words over a person's, and keeps no note of theirs."""

    def _carry_out(self, write: Write | StoreWrite, fault: Fault | None) -> WriteResult:
        return super()._carry_out(replace(write, kept="") if isinstance(write, Write) else write, fault)


class RemakesWhatIsGone(SimulatedConnector):
    """Makes a task anew that it finds missing."""

    def read(self) -> Snapshot:
        snapshot = super().read()
        there = {task.native_id for task in snapshot.tasks}
        memory = {
            goal_id: replace(
                goal,
                keys={
                    key: replace(entry, state="pending")
                    if entry.state == "live" and entry.native_id not in there
                    else entry
                    for key, entry in goal.keys.items()
                },
            )
            for goal_id, goal in snapshot.memory.items()
        }
        return replace(snapshot, memory=memory)


class SharesAMemory(SimulatedConnector):
    """Takes the memory of another place for that of a place which has none yet."""

    def _listing(self, fault: Fault | None) -> tuple[list[str] | None, dict[str, Held]]:
        lines, tasks = super()._listing(fault)
        others = iter(self.service.memories(self._namespace).values())
        return (next(others, None) if lines is None else lines), tasks


MUTANTS: tuple[type[SimulatedConnector], ...] = (
    StateFile,
    MatchesByTitle,
    RetriesBlindly,
    OverwritesBothWays,
    BelievesAnyList,
    MidnightSomewhere,
    ReadsOnePage,
    DeletesWhatItLetsGo,
    KeepsNothing,
    RemakesWhatIsGone,
    SharesAMemory,
)


def kind_for(mutant: type[SimulatedConnector]) -> Kind:
    """Return what an app has to be like for a strategy to do harm."""
    return UNIQUE if mutant is SharesAMemory else SAFE
