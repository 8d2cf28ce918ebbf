"""What connectors and the core exchange: tasks, markers, memories and snapshots."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


FIELDS = ("title", "start", "due", "notes", "labels", "priority", "who", "checklist", "after")


_IDS = UUID("6d0a8f3c-94f1-4b7e-9a53-2c1e70b4d8f6")  # never to be changed: tasks would be made a second time
ADDITIVE = frozenset({"labels", "checklist", "after"})  # to these people add; what they add is never removed by us


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


StepState = Literal["pending", "live", "done", "dropped", "removed"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What became of one key: its state, native id and generation, the day it was done, its definition if dropped."""

    state: StepState
    native_id: str = ""
    generation: int = 1
    done_on: date | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True)
class StoredGoal:
    """What a connector remembers of one goal; `keys` is in the order last published.

    `dates` holds the start and due of every step that was open when the plan was `made`, `digest` its timing digest.
    """

    first_sync: date
    keys: Mapping[str, StoredKey] = field(default_factory=dict)
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
    memory is not as it should be, and the next `StoreWrite` repairs it, also where the memory itself is unchanged.
    `strays` are the tasks without a marker, where those of ours can lose theirs; `taken` are those of them that are
    `tasks` again, by the native ids that these have. `loose` are lines of a list that are no tasks, but may
    have been one: reports name them, and nothing else is done with them.
    """

    tasks: tuple[Task, ...] = ()
    copies: tuple[Task, ...] = ()
    memory: Mapping[str, StoredGoal] = field(default_factory=dict)
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


def client_id(*parts: object) -> str:
    """Return the id of a task, where ids are those of RFC 9562: by namespace, key and generation."""
    return str(uuid5(_IDS, "\n".join(map(str, parts))))


@dataclass(frozen=True, slots=True)
class Stray:
    """A task without a marker, which may be one of ours that has lost it: what it says, and where it stands.

    `dated`: it has a date, perhaps one that cannot be read. `unread`: a marker of ours was there and cannot be read; as
    in a `Task`. `parent` is the task that it stands directly below, `below` are those directly below it: each by its
    native id, or by its place where it has no marker. `boxed`: it has a box, as a task has; other entries are `loose`.
    `native_id` is that of the task where the service has such ids, whatever its text says. `ids` are those in its text,
    which may be the beginning of a nonce of ours.
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
    boxed: bool = True
    native_id: str = ""
    ids: tuple[str, ...] = ()
