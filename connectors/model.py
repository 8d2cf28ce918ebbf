"""The values that connectors and the core exchange: tasks, markers, memories and snapshots."""

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
ADDITIVE = frozenset({"labels", "checklist", "after"})  # we never remove entries that users add to these


@dataclass(frozen=True, slots=True)
class Content:
    """The visible part of a task.

    - start, due: the first and the last day
    - who: the person who does it, as the goals file or the service names them. If several are assigned, it is the one
      that we applied last, else the first; the others stay.
    - checklist: items within the task, whether ticked or not
    - after: the keys of the tasks that come directly before this one, sorted. These tasks exist, or are created or
      renamed by the same batch, perhaps later in it. So links are made after the rest of a batch; a link that cannot be
      made yet is made after a later batch of the run.
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
    """The namespace and key of a task, and the values that we last applied to it.

    `applied` contains a short digest of each field that the service holds; under `timing`, of the keys that set the
    step's dates; under `parent`, of the group that it was put into. An empty digest is that of an empty field, or of a
    field that was never applied.
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
    """A task of ours as it is in a service now.

    - parent: the native id of the task above; empty for none
    - dropped: closed as not planned
    - touched: the user added something that is not in its content, a comment or a task below it
    - company: to complete it would complete an open task of the user below it
    - recurring: the user made it repeat
    - done_on, done_at: the day, or the moment, at which it was done, as far as the service has it. The day of a moment
      follows from the time zone of the goals file.
    - here: it is in the connector's own place; False if the user moved it to another one of the same account
    - unread: why a part of the task cannot be read, with its place and the remedy. Such a task is left as it is. Its
      content and state are those last written and remembered.
    - remark: a sentence on the task, with its place, that each run reports; on a copy, the run that lets it go
    - moved_from: the first and last day that a step had, where the user moved the first day out of that span: the whole
      step moves. In its content, both days have moved by the same number of days.
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
    moved_from: tuple[date, date] | None = None


StepState = Literal["pending", "live", "done", "dropped", "removed"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The memory of one key: its state, native id and generation, the day it was done, its definition if dropped."""

    state: StepState
    native_id: str = ""
    generation: int = 1
    done_on: date | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True)
class StoredGoal:
    """The memory of one goal in a connector; `keys` is in the order last published.

    `dates` contains the start and due of every step that was open when the plan was `made`; `began` the day from which
    on a step counts as under way, if that is not its start; `digest` is the plan's timing digest.
    """

    first_sync: date
    keys: Mapping[str, StoredKey] = field(default_factory=dict)
    made: date | None = None
    digest: str = ""
    dates: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    began: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One complete read: every task of our namespace, open and done, and the memory by goal.

    - copies: tasks with the same nonce as one in `tasks`
    - remembers: False if there is no memory
    - others: the keys of managed tasks that are not ours, by their namespace
    - damaged: native ids of tasks whose marker has to be written again
    - damage: why the memory of some goals cannot be read, with its place; `remedy`: how the user can restore it
    - room: how many more open tasks fit; None if there is no limit
    - account: the names of the account that was read
    - notices: sentences on things that the service cannot do for this plan, reported once in a run
    - mending: the place of the memory is not as it should be, and the next `StoreWrite` repairs it, even if the memory
      itself is unchanged
    - strays: tasks without a marker, in services where ours can lose theirs
    - stripped: the native ids of remembered tasks of which none is there, and whose markers had another form than
      those that are: an editor may have taken all markers of that form out
    - taken: those strays that are `tasks` again, by the native ids that these have
    - loose: lines of a list that are no tasks, but may have been; they are only reported
    - detached: the content of other tasks without a marker that are remembered as closed or removed, by native id
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
    stripped: frozenset[str] = frozenset()
    taken: Mapping[str, Stray] = field(default_factory=dict)
    loose: tuple[Stray, ...] = ()
    detached: Mapping[str, Content] = field(default_factory=dict)


def digest(value: object) -> str:
    """Return a short digest (30 bits, six letters and digits) of a field's canonical value; an empty one's is empty."""
    if value is None or value in ("", ()):
        return ""
    return _digest("\x1f".join(value) if isinstance(value, tuple) else str(value))


@lru_cache(maxsize=1 << 14)  # the digest of every field is needed several times in a run
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
    """A task without a marker, which may be one of ours that has lost it, with its place.

    - dated: it has a date, perhaps one that cannot be read
    - unread: why the marker that it had cannot be read, as in a `Task`
    - parent, below: the task directly above, and those directly below, each by its native id, or by its place if it has
      no marker
    - boxed: it has a box, as tasks have; entries without one are `loose`
    - native_id: its id, if the service has ids that do not depend on the text
    - ids: those in its text, which may be the beginning of a nonce of ours
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
