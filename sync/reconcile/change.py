"""The plan of each connector: a list of changes, each with its status after the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from config.display import count
from config.keys import HEARTBEAT
from connectors.base import Action
from connectors.model import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from connectors.base import Write
    from connectors.model import Content, Marker, StoredGoal, Task

Status = Literal["planned", "applied", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a plan: what happens to a task and why.

    fields: name -> (old, new). before: the task as it was read, under the key that it had; None where it is created, or
    where nothing is written. last: the write waits even for the memories, as only its task shows that a step is done
    whose goal has another place now, or that the user moved a deadline.

    acknowledges: the write stores what the user did in this very app, a date that the user gave or a completed task. It
    waits until all the other apps have that, so that a run that is cut short does not lose it. Two kinds of changes
    wait as well: a task is moved below one that is reopened only then; and last, a task is completed or removed that
    others move out of, as these would be, too.

    expected: the removal is not counted as a possible mistake. It is of an occurrence that is past or that the plan has
    other days for, of a task that racing runs created twice, or of a goal that has another place now.
    """

    action: Action
    key: str
    reason: str
    fields: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    write: Write | None = None
    status: Status = "planned"
    error: str | None = None
    acknowledges: bool = False
    last: bool = False
    before: State | None = None
    expected: bool = False

    @property
    def after(self) -> State | None:
        """The task after the write; None where it is removed, or where nothing is written."""
        return state_after(self.before, self.write) if self.write else None


def keep(key: str, reason: str) -> Change:
    """Return the report that a task is left as it is, and why."""
    return Change(Action.KEEP, key, reason)


def filled(content: Content) -> dict[str, tuple[object, object]]:
    """Return the (old, new) of each field that has a value."""
    values = {name: getattr(content, name) for name in FIELDS}
    return {name: (None, value) for name, value in values.items() if value and value != "none"}


@dataclass(frozen=True, slots=True)
class ConnectorPlan:
    """What has to change in one connector.

    - memory: the one to store when every change is applied
    - remembered, stored: the one that is stored now, by the keys that the file has, and as it was read
    - budget: None where the service does not limit writing
    - error: why the memory could not be stored, after the changes themselves were made
    - notices: sentences on what the service turned out not to do
    - leaving: the memory of goals that another place takes over; it stays until that place has them
    - mending: whether the place of the memory has to be repaired
    """

    label: str
    changes: tuple[Change, ...]
    memory: Mapping[str, StoredGoal]
    remembered: Mapping[str, StoredGoal]
    stored: Mapping[str, StoredGoal]
    budget: Budget | None = None
    error: str | None = None
    notices: tuple[str, ...] = ()
    leaving: Mapping[str, StoredGoal] = field(default_factory=dict)
    mending: bool = False

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes that ask something of the service."""
        return tuple(change for change in self.changes if change.write is not None)

    @property
    def news(self) -> tuple[Change, ...]:
        """The writes that count: all but the heartbeat's, which moves every day."""
        return tuple(change for change in self.writes if change.key != HEARTBEAT)

    @property
    def shown(self) -> tuple[Change, ...]:
        """The changes that reports show: the heartbeat's only if it failed."""
        return tuple(change for change in self.changes if change.key != HEARTBEAT or change.error)

    @property
    def pending(self) -> bool:
        """Whether there is anything to write, tasks or memory."""
        return bool(self.writes) or self.mending or self.memory != self.stored


@dataclass(frozen=True, slots=True)
class Budget:
    """About how many requests and minutes the changes of a run take. waiting: how many changes do not fit into it."""

    requests: int
    minutes: int
    waiting: int

    def __str__(self) -> str:
        requests = count(self.requests, "request")
        minutes = count(self.minutes, "minute") if self.minutes else "seconds"
        waits = f"; {self.waiting} of them wait for a later run" if self.waiting else ""
        return f"about {requests} and {minutes}{waits}"


@dataclass(frozen=True, slots=True)
class State:
    """A task at one moment.

    marker: None where the task is the user's own. native_id: empty until the service has given one; till then the
    marker's nonce identifies the task.
    """

    content: Content
    marker: Marker | None
    native_id: str = ""
    done: bool = False
    done_on: date | None = None
    dropped: bool = False


def state_of(task: Task, marker: Marker) -> State:
    """Return the state of a task as it was read, with the marker that it had."""
    return State(task.content, marker, task.native_id, task.done, task.done_on, task.dropped)


def state_after(before: State | None, write: Write) -> State | None:
    """Return the state of a task after a write; None where it is removed."""
    if write.action is Action.REMOVE:
        return None
    if before is None:
        return State(write.content, write.marker) if write.content else None
    content = write.content if write.content and write.fields else before.content
    marker = None if write.action is Action.DETACH else write.marker or before.marker
    changed = replace(before, content=content, marker=marker)
    if write.action is Action.COMPLETE:
        return replace(changed, done=True, done_on=write.done_on, dropped=False)
    if write.action is Action.REOPEN:
        return replace(changed, done=False, done_on=None, dropped=False)
    return changed
