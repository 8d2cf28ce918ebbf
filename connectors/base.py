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

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

FIELDS = ("title", "start", "due", "notes", "labels", "priority", "who", "checklist", "after")
ADDITIVE = frozenset({"labels", "checklist", "after"})  # to these people add; what they add is never removed by us


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


@dataclass(frozen=True, slots=True)
class Content:
    """What people see of a task.

    `start` is the first day of a step, `due` its last. `who` does it: one person, as the goals file or the service
    names them; where several are assigned, the one that we applied last, else the first, and the others stay.
    `checklist` are items within the task, whether ticked or not. `after` are the keys of the tasks that come directly
    before this one, sorted: those that are there, or are made or renamed by the same batch, perhaps later in it. So
    links are made when the rest of a batch is carried out; one that cannot be made yet, after a later batch of the run.
    """

    title: str
    due: date | None = None
    notes: str = ""
    labels: tuple[str, ...] = ()
    priority: str = "none"
    start: date | None = None
    who: str = ""
    checklist: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marker:
    """Whose a task is and what we last applied to it.

    `applied` holds a short digest of each field that the service holds, and under `timing` that of the keys that set
    the step's dates, and under `parent` of the group that it was put into. An empty digest is that of an empty field,
    and of one that was never applied.
    """

    namespace: str
    key: str
    nonce: str
    generation: int = 1
    due: date | None = None
    pinned: bool = False
    applied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of ours as a service holds it now.

    `parent` is the native id of the task that it stands below, empty for none. `dropped`: closed as not planned.
    `touched`: a person added something to it that is not in its content, a comment or a task below it. `company`: to
    complete it would complete an open task of a person's below it. `recurring`: a person made it repeat. `done_on` is
    None where the service does not say; one that knows the moment tells that in `done_at`, and the day follows from the
    time zone of the goals file. `here`: it stands in the connector's own place; False where a person moved it to
    another one of the same account.

    `unread` says, with its place, what of the task cannot be read, and how to mend it: such a task is there, and is
    left as it is. Its content and state are then what was last written and remembered. `remark` is a sentence on a task
    that is like any other, with its place: each run says it.
    """

    native_id: str
    content: Content
    marker: Marker
    done: bool = False
    done_on: date | None = None
    dropped: bool = False
    touched: bool = False
    company: bool = False
    recurring: bool = False
    parent: str = ""
    here: bool = True
    done_at: datetime | None = None
    unread: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Stray:
    """A task without a marker, which may be one of ours that has lost it: what it says, and where it stands.

    `dated`: it has a date, perhaps one that cannot be read. `unread`: a marker of ours was there and cannot be read; as
    in a `Task`. `parent` is the task that it stands directly below, `below` are those directly below it: each by its
    native id, or by its place where it has no marker.
    """

    place: str
    content: Content
    done: bool = False
    done_on: date | None = None
    dropped: bool = False
    dated: bool = True
    unread: str = ""
    parent: str = ""
    below: tuple[str, ...] = ()


StepState = Literal["pending", "live", "done", "dropped", "removed"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What became of one key: its state, native id and generation, the day it was done, its definition if dropped."""

    state: StepState
    native_id: str = ""
    generation: int = 1
    done_on: date | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True)
class GoalMemory:
    """What a connector remembers of one goal; `keys` is in the order last published.

    `dates` holds the start and due of every step that was open when the plan was `made`, `digest` its timing digest.
    """

    first_sync: date
    keys: Mapping[str, Remembered] = field(default_factory=dict)
    made: date | None = None
    digest: str = ""
    dates: Mapping[str, tuple[date, date]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One complete read: every task of our namespace, open and done, and the memory by goal.

    `copies` are tasks that carry the same nonce as one in `tasks`. `remembers` is False where there is no memory.
    `others` are the keys of managed tasks that are not ours, by their namespace. `damaged` are native ids of tasks
    whose marker has to be written anew. `damage` tells, with its place, that the memory of some goals cannot be read,
    and `remedy` what a person can do in this service to bring a lost memory back. `room` is how many more open tasks
    fit, None where there is no limit. `account` are the names of the account that was read. `notices` are sentences on
    what the service cannot do for this plan, said once a run. `mending`: the place of the
    memory is not as it should be, and the next `MemoryWrite` repairs it, also where the memory itself is unchanged.
    `strays` are the tasks without a marker, where those of ours can lose theirs; `taken` are those of them that are
    `tasks` again, by the native ids that these have. `loose` are lines of a list that are no tasks, but may
    have been one: reports name them, and nothing else is done with them.
    """

    tasks: tuple[Task, ...] = ()
    copies: tuple[Task, ...] = ()
    memory: Mapping[str, GoalMemory] = field(default_factory=dict)
    remembers: bool = True
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()
    damage: str = ""
    remedy: str = ""
    room: int | None = None
    account: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()
    mending: bool = False
    strays: tuple[Stray, ...] = ()
    taken: Mapping[str, Stray] = field(default_factory=dict)
    loose: tuple[Stray, ...] = ()


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
class MemoryWrite:
    """The whole memory of the namespace, as it shall be."""

    memory: Mapping[str, GoalMemory]


@dataclass(frozen=True, slots=True)
class Answer:
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
    def configure(cls, options: Mapping[str, Any], namespace: str, folder: Path) -> Connector:
        """Return a connector for the options of the goals file. Relative paths start at `folder`.

        Raises InputError for options it does not know, CredentialsError where a secret is missing.
        """

    def canonical(self, content: Content) -> Content:
        """Return the content as the service will show it once it is written: what it cannot hold, at its default."""

    def read(self) -> Snapshot:
        """Return everything of our namespace. Raises BackplanError when the read is not complete."""

    def apply(self, batch: Sequence[Write | MemoryWrite]) -> list[Answer]:
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
class Fact:
    """One thing that `doctor` found out: what it is about, whether it is as it should be, and a sentence on it."""

    what: str
    ok: bool
    sentence: str


@runtime_checkable
class Examined(Protocol):
    """A connector that knows more of itself than whether it can be read."""

    def facts(self) -> list[Fact]:
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


def digest(value: object) -> str:
    """Return a short digest (30 bits, six letters and digits) of a field's canonical value; an empty one's is empty."""
    if value is None or value in ("", ()):
        return ""
    return _digest("\x1f".join(value) if isinstance(value, tuple) else str(value))


@lru_cache(maxsize=1 << 14)  # every field of every task is asked for several times in a run
def _digest(text: str) -> str:
    number = int.from_bytes(sha256(text.encode()).digest()[:4], "big") >> 2
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[number >> shift & 31] for shift in range(0, 30, 5))


def client_nonce(namespace: str, key: str, generation: int) -> str:
    """Return the nonce of a task whose service takes our ids: the same for every attempt to create it."""
    return sha256(f"{namespace}\n{key}\n{generation}".encode()).hexdigest()[:10]
