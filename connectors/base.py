"""What a connector is, and the words for what it reads and writes.

task        a dated thing in a service; ours when it carries a marker of our namespace
key         `goal` for a goal's own task, `goal/step` for a step's, `goal/group/` for that of a group; stable
content     what people see of a task: title, first and last day, notes, labels, priority, and more: see `Content`
marker      our few words inside a task: whose it is, and what we last applied to it
memory      what we know of a goal besides its tasks: the state of every step ever published, and the published plan
snapshot    what one complete read of a connector returned
write       one thing that we ask a service to do; an answer is what it said
generation  counts how often a key has been created: a task that comes back is another task
nonce       tells apart two tasks with one key: ours from a race (different), or a person's copy (the same)

A connector knows nothing of goals files and decides nothing: it reads one snapshot and applies batches of writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from config.settings import Environment
    from connectors.model import Content, Marker, Snapshot, StoredGoal


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a service can do. What it cannot hold is said aloud, not silently dropped.

    fields: those of the content that it holds; the others are never compared or written. reliability: `exact`, `unique`
    or `safe`, as the documentation defines them. atomic: a batch is applied whole or not at all. ordered: a batch is
    carried out in its order, in as few requests as it takes, and what follows a request that failed to write the memory
    is not sent. client_ids: the service takes our own id for a task, so
    that a repeated create is a no-op. families: who completes or deletes a task there does so to those below it.
    nested: within how many groups a step can be shown there, each a task below the one around it; only with families.
    local: tasks are files on this machine, so that reading them needs no network.
    """

    fields: frozenset[str]
    reliability: Literal["exact", "unique", "safe"]
    atomic: bool = False
    ordered: bool = False
    client_ids: bool = False
    families: bool = False
    nested: int = 0
    local: bool = False


class Action(StrEnum):
    """What a write does, or would do."""

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
    """One thing asked of a service.

    `content` and `marker` are the whole wanted state; `fields` names those of the content that change, and `parent`
    where the task has to stand below another one now. `parent` and `previous` are keys: the task above, and the sibling
    to stand after. `kept` is what a person had entered and the file overruled: it is kept beside the task. `found`
    is what a task says that has lost its marker: by that it is told from all others without one.
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
    """The whole memory of the namespace, as it shall be."""

    memory: Mapping[str, StoredGoal]


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a service said to one write: the task's native id, or why it could not be done.

    gone: an earlier run had made this task already, and a person has deleted it since. `notice` is a sentence on what
    the service turned out not to do for this plan; it is said once a run.
    """

    native_id: str = ""
    error: str | None = None
    gone: bool = False
    notice: str = ""


@dataclass(slots=True)
class Requests:
    """How many requests were really sent, retries included."""

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
        """Return the content as the service will show it once it is written: what it cannot hold, at its default."""

    def read(self) -> Snapshot:
        """Return everything of our namespace. Raises BackplanError when the read is not complete."""

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Apply a batch in order and answer for each; a task that is gone already is removed, and no error.

        Raises BackplanError when nothing of it could be tried.
        """


@runtime_checkable
class Finder(Protocol):
    """A connector that also finds tasks without a marker of ours, so that one that was let go can be taken back.

    It then takes a `repair` of such a task: the marker is put on it.
    """

    def finds(self, native_id: str, content: Content) -> bool:
        """Return whether the task stands there with this content and without a marker; not when in doubt.

        Raises BackplanError when that cannot be read.
        """


@runtime_checkable
class Mover(Protocol):
    """A connector to one of several places in an account, between which a task moves and stays the same task.

    A write of a task that stands in another place, with `parent` among its fields, moves it here; the tasks below it
    follow.
    """

    @property
    def account(self) -> object:
        """What is equal for all places between which tasks can move."""

    @property
    def shelf(self) -> object:
        """What is equal for places whose tasks count against one limit (`Snapshot.room`)."""

    def unnamed(self) -> list[Connector]:
        """Return a connector to each place that holds a memory of ours and that no connector is for. After `read`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `doctor` found out: what it is about, whether it is as it should be, and a sentence on it."""

    what: str
    ok: bool
    sentence: str


@runtime_checkable
class SelfChecking(Protocol):
    """A connector that knows more of itself than whether it can be read."""

    def facts(self) -> list[Check]:
        """Return what there is to say of credentials, account, container and limits; what is wrong is a fact, too."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a service may be written to: how many writes a request carries, a minute takes, and this run takes."""

    a_request: int
    a_minute: int
    a_run: int


@runtime_checkable
class Paced(Protocol):
    """A connector whose service limits how fast it may be written to.

    A plan then tells what it costs, and is spread over several runs where it has to be.
    """

    def pace(self) -> Pace:
        """Return the pace, once the service was read."""
