"""The values that the plan of one app is made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from connectors.base import Action
from sync.reconcile.change import state_of
from sync.reconcile.placement import Places
from sync.reconcile.resembling import without_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from connectors.base import Connector
    from connectors.model import StoredKey, Task
    from sync.reconcile.change import Change, State
    from sync.reconcile.desired import DesiredTask
    from sync.reconcile.resembling import Entries
    from sync.reconcile.view import ServiceView


@dataclass(frozen=True, slots=True)
class Run:
    """The settings and events that are the same for all apps of one run.

    new_nonce: returns a new id for each attempt to create a task, for services that do not take our ids.
    prune, on_delete: the settings of the goals file. allow_mass_change: as in `refuse_mass_change`.
    reopened: the keys that the user reopened, in any app. done: the day on which each key was done, in any app.
    """

    namespace: str
    today: date
    new_nonce: Callable[[], str]
    prune: str = "remove"
    on_delete: str = "drop"
    allow_mass_change: bool = False
    reopened: frozenset[str] = frozenset()
    done: Mapping[str, date] = field(default_factory=dict)

    @property
    def recreate(self) -> bool:
        """Whether a task that the user deleted is created again."""
        return self.on_delete == "recreate"


@dataclass(frozen=True, slots=True)
class Context:
    """One app: its connector, its snapshot, and what is derived from them once for all of its tasks.

    `places` changes while the plan is made; all else stays. `entries` are those without a marker. `nonces` are those of
    all our tasks. `doubled` are the keys of the tasks that exist twice.
    """

    connector: Connector
    view: ServiceView
    run: Run
    places: Places
    entries: Entries
    nonces: frozenset[str]
    doubled: frozenset[str]

    @classmethod
    def of(cls, connector: Connector, view: ServiceView, run: Run) -> Context:
        """Return the context of one app."""
        return cls(
            connector,
            view,
            run,
            Places(view, families=connector.capabilities.families),
            without_marker(view.snapshot),
            frozenset(task.marker.nonce for task in view.snapshot.tasks),
            frozenset(task.marker.key for task in view.duplicates),
        )

    def is_dropped(self, wanted: DesiredTask) -> bool:
        """Return whether the user deleted or cancelled the task in this app, and the step has not changed since."""
        return self.view.dropped(wanted.key, wanted.definition, recreate=self.run.recreate)

    def is_damaged(self, task: Task) -> bool:
        """Return whether the task's marker could not be read."""
        return task.native_id in self.view.snapshot.damaged

    def state_of(self, task: Task) -> State:
        """Return a task as it was read, under the key that its marker had then."""
        return state_of(task, replace(task.marker, key=self.view.renamed.get(task.native_id, task.marker.key)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The changes to one task, and its new entry in the memory; None where there is nothing to remember yet."""

    changes: tuple[Change, ...]
    entry: StoredKey | None = None

    @property
    def creates(self) -> bool:
        """Whether the task is created."""
        return self._has(Action.CREATE)

    @property
    def completes(self) -> bool:
        """Whether the task is completed."""
        return self._has(Action.COMPLETE)

    @property
    def moves(self) -> bool:
        """Whether the task is moved below another one."""
        return any(change.write and "parent" in change.write.fields for change in self.changes)

    def _has(self, action: Action) -> bool:
        return any(change.action is action for change in self.changes)
