"""The contract of connectors, and the words for the things that they read and write.

task        a dated thing in a service; ours when it carries a marker of our namespace
key         `goal` for a goal's own task, `goal/step` for a step's, `goal/group/` for that of a group; stable
content     the visible part of a task: title, first and last day, notes, labels, priority, and more: see `Content`
marker      our line of text inside a task: its namespace and key, and digests of the fields that we last applied
memory      the stored facts about a goal besides its tasks: the state of every step ever published, and the last plan
snapshot    the result of one complete read of a connector
write       one change that we request from a service; it returns a result
generation  counts how often a key has been created: a task that comes back is another task
nonce       tells apart two tasks with one key: ours from a race (different), or a person's copy (the same)

A connector has no access to goals files and decides nothing: it reads one snapshot and applies batches of writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from config.errors import BackplanError, CredentialsError
from config.keys import is_in_goal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from config.settings import Environment
    from connectors.model import Content, Marker, Snapshot, StoredGoal


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The abilities of a service. Fields that it cannot hold are reported, not silently dropped.

    - fields: the fields of the content that it holds; others are never compared or written
    - of_steps: the fields among them that a goal's own task does not hold
    - reliability: `exact`, `unique` or `safe`, as the documentation defines them
    - atomic: a batch is applied whole or not at all
    - ordered: a batch is carried out in order, in as few requests as possible; after a request that failed to write the
      memory, nothing more is sent
    - client_ids: the service takes our own id for a task, so that a repeated create is a no-op
    - families: the tasks below a task are completed and deleted with it
    - nested: how many levels of groups a step can have there, each a task below another one; only with families
    - local: tasks are files on this machine, so that reading them needs no network
    """

    fields: frozenset[str]
    reliability: Literal["exact", "unique", "safe"]
    atomic: bool = False
    ordered: bool = False
    client_ids: bool = False
    families: bool = False
    nested: int = 0
    local: bool = False
    of_steps: frozenset[str] = frozenset()

    def held(self, key: str) -> frozenset[str]:
        """Return the fields that the task with this key holds."""
        return self.fields if is_in_goal(key) else self.fields - self.of_steps


class Action(StrEnum):
    """The kind of a write."""

    CREATE = "create"
    UPDATE = "update"
    COMPLETE = "complete"
    REOPEN = "reopen"
    REMOVE = "remove"
    REPAIR = "repair"
    DETACH = "detach"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Write:
    """One change that a service has to make.

    - content, marker: the whole desired state
    - fields: the names of the fields of the content that change, and `parent` if the task moves below another one
    - parent, previous: keys of the task above, and of the sibling before
    - kept: text of the user that the file overrules; it is kept beside the task
    - found: the content of a task that has lost its marker, by which it is identified
    """

    action: Action
    key: str
    native_id: str = ""
    content: Content | None = None
    marker: Marker | None = None
    fields: frozenset[str] = frozenset()
    parent: str | None = None
    previous: str | None = None
    done_on: date | None = None
    kept: str = ""
    found: Content | None = None


@dataclass(frozen=True, slots=True)
class StoreWrite:
    """The whole memory of the namespace, to be stored."""

    memory: Mapping[str, StoredGoal]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of one write: the task's native id, or an error.

    gone: an earlier run had created this task, and the user has deleted it since. notice: a sentence on something that
    the service does not do for this plan; it is reported once in a run.
    """

    native_id: str = ""
    error: str | None = None
    gone: bool = False
    notice: str = ""


@dataclass(slots=True)
class Requests:
    """How many requests were sent, retries included."""

    read: int = 0
    write: int = 0


class Connector(Protocol):
    """A service that holds tasks. Found by name through the entry point group `backplan.connectors`."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    label: str  # for people: the name and the container, such as "markdown (todo.md)"
    identity: str  # the container itself: two connectors with one identity would write into each other
    requests: Requests

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector for the options of the goals file.

        environment: where its settings come from, and no other place; relative paths start at its folder.
        Raises InputError for options it does not know, CredentialsError where a secret is missing.
        """

    def canonical(self, content: Content) -> Content:
        """Return the content as the service will show it once it is written; fields that it cannot hold are empty."""

    def read(self) -> Snapshot:
        """Return all tasks and the memory of our namespace. Raises BackplanError when the read is not complete."""

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Apply a batch in order; return the result of each write. To remove a deleted task is no error.

        Raises BackplanError when no write could be tried.
        """


@runtime_checkable
class Mover(Protocol):
    """A connector to one of several places in an account, between which a task moves and stays the same task.

    A write of a task that stands in another place, with `parent` among its fields, moves it here; the tasks below it
    follow.
    """

    @property
    def account(self) -> object:
        """A value that is equal for all places between which tasks can move."""

    @property
    def shelf(self) -> object:
        """A value that is equal for places whose tasks count against one limit (`Snapshot.room`)."""

    def unnamed(self) -> list[Connector]:
        """Return a connector to each place with a memory of ours that has no connector yet. Call it after `read`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `doctor`: its subject, whether it is as it should be, and a sentence on it."""

    what: str
    ok: bool
    sentence: str


def examined(checks: Callable[[], list[Check]]) -> list[Check]:
    """Return checks; if the service cannot be read, the check that shows why."""
    try:
        return checks()
    except CredentialsError as error:
        return [Check("token", False, str(error))]
    except BackplanError as error:
        return [Check("service", False, str(error))]


@runtime_checkable
class SelfChecking(Protocol):
    """A connector that can check more than whether it can be read."""

    def facts(self) -> list[Check]:
        """Return the checks of credentials, account, container and limits; problems are returned, not raised."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits on writes: in one request, in one minute, and in this run."""

    a_request: int
    a_minute: int
    a_run: int


@runtime_checkable
class Paced(Protocol):
    """A connector whose service limits how fast it may be written to.

    The plan then contains its cost, and is spread over several runs if necessary.
    """

    def pace(self) -> Pace:
        """Return the limits. Call it after `read`."""
