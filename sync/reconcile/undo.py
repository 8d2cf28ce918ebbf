"""Plans how to undo a run in one app. Pure.

Each part of a task (a field, whether it is done, each value of its marker) is compared three ways: before the run,
after it, and now. Where it is as the run left it, it is put back. Later changes stay, whoever made them, and are
reported. `undo_memory` does the same with the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from config.keys import goal_of, is_group, is_in_goal
from config.redaction import HIDDEN
from connectors.base import Action, Write
from connectors.model import FIELDS, Marker, Task, client_nonce
from sync.reconcile.change import Change, ConnectorPlan, State, filled, keep, state_of
from sync.reconcile.digests import place_in
from sync.reconcile.renames import follow
from sync.reconcile.safety import refuse_mass_change
from sync.reconcile.strays import addressed
from sync.reconcile.undo_memory import entry_of, memory_before

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from connectors.base import Connector
    from connectors.model import Snapshot
    from sync.reconcile.record import Entry, Record

T = TypeVar("T")
Fields = dict[str, tuple[object, object]]
_LATER = "a later run changed it: it stays, or undo that run first"


class _Undone(NamedTuple):
    """The changes that undo one change of the run. held: the memory of the task stays as it is."""

    changes: tuple[Change, ...] = ()
    held: bool = False


@dataclass(frozen=True, slots=True)
class _App:
    """One app as it is now.

    - tasks: ours, by their native ids and by their nonces; keys: theirs
    - again: the generations of the tasks that are created again, by key
    - groups: the keys of groups, by the place that the markers of their members have
    """

    connector: Connector
    snapshot: Snapshot
    tasks: Mapping[str, Task]
    keys: frozenset[str]
    again: Mapping[str, int]
    groups: Mapping[str, str]


def plan(
    connector: Connector,
    snapshot: Snapshot,
    record: Record,
    new_nonce: Callable[[], str],
    *,
    allow_mass_change: bool = False,
) -> ConnectorPlan:
    """Return the plan that undoes a run in one app.

    Raises RefusedError when more tasks would be removed than a mistake may remove.
    """
    found, recorded = _by_old_keys(snapshot, record)
    app = _app(connector, found, recorded)
    undone = _keep_full([_undo(app, entry, record, new_nonce) for entry in recorded.entries], found.tasks)
    planned = [change for one in undone for change in one.changes]
    changes = tuple(addressed(_sorted([*_detach_copies(app, planned), *planned], record, snapshot), snapshot))
    if not allow_mass_change:
        refuse_mass_change(record.label, snapshot, changes)
    held = {change.key for one in undone if one.held for change in one.changes if change.action is Action.KEEP}
    forgets = connector.capabilities.local or not connector.capabilities.client_ids
    memory = memory_before(record, snapshot.memory, changes, held, forgets=forgets)
    return ConnectorPlan(record.label, changes, memory, snapshot.memory, snapshot.memory)


def _by_old_keys(snapshot: Snapshot, record: Record) -> tuple[Snapshot, Record]:
    """Return both; tasks that come after others name these by the keys that they had before the run."""
    marked = ((e.before.marker, e.after.marker) for e in record.entries if e.before and e.after)
    old = {after.key: before.key for before, after in marked if before and after and after.key != before.key}

    def renamed(state: State | None) -> State | None:
        return state and replace(state, content=follow(state.content, old))

    tasks = tuple(replace(task, content=follow(task.content, old)) for task in snapshot.tasks)
    entries = tuple(replace(e, before=renamed(e.before), after=renamed(e.after)) for e in record.entries)
    return replace(snapshot, tasks=tasks), replace(record, entries=entries)


def _app(connector: Connector, snapshot: Snapshot, record: Record) -> _App:
    tasks = {task.marker.nonce: task for task in snapshot.tasks} | {task.native_id: task for task in snapshot.tasks}
    keys = frozenset(task.marker.key for task in snapshot.tasks)
    removed = (entry.before for entry in record.entries if entry.before and not entry.after)
    missing = (state.marker for state in removed if state.marker and not _task(tasks, state))
    again = {m.key: m.generation + 1 for m in missing if m.key not in keys and not _came_back(snapshot, m)}
    return _App(connector, snapshot, tasks, keys, again, _groups(record, again))


def _groups(record: Record, again: Mapping[str, int]) -> dict[str, str]:
    stored = [(key, entry.generation) for goal in record.before.values() for key, entry in goal.keys.items()]
    return {place_in(key, generation): key for key, generation in (*stored, *again.items()) if is_group(key)}


def _task(tasks: Mapping[str, Task], *states: State | None) -> Task | None:
    """Return the task that had one of these states; None if it is not ours any more."""
    ids = ((state.native_id, state.marker.nonce if state.marker else "") for state in states if state)
    return next((tasks[one] for pair in ids for one in pair if one in tasks), None)


def _came_back(snapshot: Snapshot, marker: Marker) -> bool:
    """Return whether a task that the run removed was created again since."""
    entry = entry_of(snapshot.memory, marker.key)
    return entry is not None and (entry.state == "dropped" or entry.generation > marker.generation)


def _undo(app: _App, entry: Entry, record: Record, new_nonce: Callable[[], str]) -> _Undone:
    """Plan the undoing of one change of the run."""
    match entry.before, entry.after, _task(app.tasks, entry.before, entry.after):
        case None, State() as after, Task() as task:
            return _remove(app, after, task)
        case State(marker=Marker() as marker) as before, None, None:
            return _create(app, before, marker, record, new_nonce)
        case State(marker=Marker() as marker) as before, State(marker=None), None:
            return _take_back(app, before, marker)
        case State(), State(marker=Marker()), None:
            return _Undone((keep(entry.key, "it is gone since"),))
        case State(marker=None), State(marker=Marker() as marker), Task() as task:
            return _detach(marker, task)
        case State(marker=Marker()) as before, State(marker=Marker()) as after, Task() as task:
            return _put_back(app, before, after, task)
        case _:
            return _Undone()


def _hold(key: str, reason: str) -> _Undone:
    return _Undone((keep(key, reason),), held=True)


def _write(write: Write, reason: str, before: State, fields: Fields | None = None) -> Change:
    return Change(write.action, write.key, reason, fields or {}, write, before=before)


def _remove(app: _App, after: State, task: Task) -> _Undone:
    """Remove a task that the run created, unless it was changed since."""
    key = task.marker.key
    edited = [name for name in _fields(app) if getattr(task.content, name) != getattr(after.content, name)]
    if edited:
        return _hold(key, f"its {edited[0]} was changed since: it stays")
    if (task.done, task.dropped) != (after.done, after.dropped):
        return _hold(key, "it was closed since: it stays")
    if task.touched or task.recurring:
        return _hold(key, "a person worked on it since: it stays")
    if task.marker != after.marker and task.native_id not in app.snapshot.damaged:
        return _hold(key, _LATER)
    write = Write(Action.REMOVE, key, task.native_id, task.content, task.marker)
    return _Undone((_write(write, "the run made it", state_of(task, task.marker)),))


def _keep_full(undone: Sequence[_Undone], tasks: Sequence[Task]) -> list[_Undone]:
    """Return the outcomes; a goal or group that the run created stays if one of our tasks stays below it."""
    writes = [change.write for one in undone for change in one.changes if change.write]
    removed = {write.native_id for write in writes if write.action is Action.REMOVE}
    moved = {write.native_id for write in writes if "parent" in write.fields}
    full = _full([task for task in tasks if task.native_id not in removed], moved)
    return [_hold(key, "a step of it stays") if (key := _removed(one, full)) else one for one in undone]


def _full(staying: Sequence[Task], moved: Collection[str]) -> set[str]:
    """Return the keys of goals, and the native ids of tasks, that tasks stay below."""
    goals = {goal_of(task.marker.key) for task in staying if is_in_goal(task.marker.key)}
    return goals | {task.parent for task in staying if task.native_id not in moved}


def _removed(one: _Undone, full: set[str]) -> str:
    """Return the key of the goal or group that is removed though it is full; empty for none."""
    removed = (change.write for change in one.changes if change.write and change.action is Action.REMOVE)
    return next((write.key for write in removed if not full.isdisjoint((write.key, write.native_id))), "")


def _create(app: _App, before: State, marker: Marker, record: Record, new_nonce: Callable[[], str]) -> _Undone:
    """Create a task again that the run removed."""
    key = marker.key
    if key not in app.again:
        return _Undone() if key in app.keys else _hold(key, "it came back since, and is gone again")
    client_ids = app.connector.capabilities.client_ids
    nonce = client_nonce(marker.namespace, key, app.again[key]) if client_ids else new_nonce()
    fresh = replace(_placed(app, marker), nonce=nonce, generation=app.again[key])
    content = app.connector.canonical(before.content)
    above, previous = _above(app, fresh), _previous(app, record, key)
    write = Write(Action.CREATE, key, content=content, marker=fresh, parent=above, previous=previous)
    return _Undone((Change(Action.CREATE, key, "the run removed it", filled(content), write),))


def _previous(app: _App, record: Record, key: str) -> str | None:
    """Return the key of the nearest step before this one in the old order that is there, or is created again."""
    goal = record.before.get(goal_of(key))
    others = takewhile(lambda other: other != key, goal.keys if goal and is_in_goal(key) else ())
    there = [other for other in others if is_in_goal(other) and (other in app.keys or other in app.again)]
    return there[-1] if there else None


def _take_back(app: _App, before: State, marker: Marker) -> _Undone:
    """Put the marker back into a task that the run detached."""
    key = marker.key
    if key in app.keys:
        return _hold(key, "another task has taken its place: it stays a person's own")
    if not _is_as_detached(app.snapshot, before):
        return _hold(key, "it was changed since, or is gone: it stays a person's own")
    write = Write(Action.REPAIR, key, before.native_id, before.content, marker, parent=_above(app, marker))
    return _Undone((_write(write, "the run detached it", replace(before, marker=None)),))


def _is_as_detached(snapshot: Snapshot, state: State) -> bool:
    """Return whether a task that the run detached is there, and has the content that it had then."""
    taken = set(snapshot.taken.values())
    strays = [stray for stray in snapshot.strays if not stray.unread and stray not in taken]
    contents = {stray.native_id: stray.content for stray in strays if stray.native_id} | dict(snapshot.detached)
    shown = replace(state.content, after=())  # without a marker, it does not show what it comes after
    if found := contents.get(state.native_id):
        return replace(found, after=()) == shown
    return sum(not stray.native_id and replace(stray.content, after=()) == shown for stray in strays) == 1


def _detach(after: Marker, task: Task) -> _Undone:
    """Take the marker out of a task that an undo had put it back into."""
    if task.marker != after:
        return _hold(task.marker.key, _LATER)
    write = Write(Action.DETACH, after.key, task.native_id, task.content)
    return _Undone((_write(write, "the run took it up", state_of(task, after)),))


def _put_back(app: _App, before: State, after: State, task: Task) -> _Undone:
    """Undo a change to a task that was ours before the run and after it."""
    assert before.marker and after.marker  # noqa: S101, PT018  # as `_undo` matches them
    is_damaged = task.native_id in app.snapshot.damaged
    now = replace(after.marker, nonce=task.marker.nonce) if is_damaged else task.marker
    marker = _placed(app, _marker_back(before.marker, after.marker, now))
    fields, kept = _fields_back(app, before, after, replace(task, marker=now))
    action, closed = _action_back(before, after, task)
    reports = tuple(keep(now.key, reason) for reason in (*kept, closed) if reason)
    if not action and not fields and marker == now:
        return _Undone(reports, held=bool(closed))
    write = Write(
        action or (Action.UPDATE if marker.key == now.key else Action.REPAIR),
        marker.key,
        task.native_id,
        replace(task.content, **{name: old for name, (_, old) in fields.items()}),  # type: ignore[arg-type]
        marker,
        frozenset(fields) | _moved(now, marker),
        parent=_above(app, marker),
        done_on=before.done_on,
    )
    values = {name: (getattr(now, name), getattr(marker, name)) for name in ("key", "pinned")}
    shown = fields | {name: (new, old) for name, (new, old) in values.items() if new != old}
    change = _write(write, "as before the run", state_of(task, task.marker), shown)
    return _Undone((*reports, change), held=bool(closed))


def _fields_back(app: _App, before: State, after: State, task: Task) -> tuple[Fields, list[str]]:
    """Return the fields to put back, name -> (now, before), and why others stay."""
    fields: Fields = {}
    kept = []
    for name in _fields(app):
        was, left, now = (getattr(content, name) for content in (before.content, after.content, task.content))
        is_moved = name == "due" and after.marker is not None and task.marker.due != after.marker.due
        if was in (left, now):
            continue
        if now != left or is_moved:
            kept.append(f"its {name} was changed since: it stays")
        elif HIDDEN in str(was):
            kept.append(f"its {name} held a secret, which no journal keeps: it stays")
        else:
            fields[name] = (now, was)
    return fields, kept


def _action_back(before: State, after: State, task: Task) -> tuple[Action | None, str]:
    """Return the action that completes or reopens a task, if one is needed; or a reason why it stays open."""
    if before.dropped and not after.dropped:
        return None, "" if task.dropped else "it was closed as not planned: close it again by hand"
    if before.done == after.done or task.done != after.done:
        return None, ""
    return Action.COMPLETE if before.done else Action.REOPEN, ""


def _detach_copies(app: _App, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield the changes that detach copies of written tasks: the next run could take such a copy for the task."""
    written = {change.write.native_id for change in changes if change.write}
    for copy in app.snapshot.copies:
        task = app.tasks.get(copy.marker.nonce)
        if task and task.native_id in written and not copy.unread:
            write = Write(Action.DETACH, copy.marker.key, copy.native_id, copy.content)
            yield _write(write, "a copy of one of our tasks: the person's", state_of(copy, copy.marker))


def _sorted(changes: Sequence[Change], record: Record, snapshot: Snapshot) -> list[Change]:
    """Return changes by goal, removals last. A task above others is created before these, and removed after them."""
    keys = [key for memory in (record.before, snapshot.memory) for goal in memory.values() for key in goal.keys]
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}

    def place(change: Change) -> tuple[int, bool, int, int]:
        goal, number = (order.get(key, len(order)) for key in (goal_of(change.key), change.key))
        removal = change.action is Action.REMOVE
        if removal and is_group(change.key):
            return goal, removal, 1, -number
        return goal, removal, 2 if removal and not is_in_goal(change.key) else 0, number

    return sorted(changes, key=place)


def _fields(app: _App) -> list[str]:
    """Return the names of the fields that the app has."""
    return [name for name in FIELDS if name in app.connector.capabilities.fields]


def _placed(app: _App, marker: Marker) -> Marker:
    """Return a marker with the place of its group, if that is created again with another generation."""
    key = app.groups.get(marker.applied.get("parent", ""), "")
    if key not in app.again:
        return marker
    return replace(marker, applied={**marker.applied, "parent": place_in(key, app.again[key])})


def _above(app: _App, marker: Marker) -> str | None:
    """Return the key of the task above: that of the group, if it is there, else the goal's."""
    group = app.groups.get(marker.applied.get("parent", ""), "")
    if group in app.keys or group in app.again:
        return group
    return goal_of(marker.key) if is_in_goal(marker.key) else None


def _marker_back(before: Marker, after: Marker, now: Marker) -> Marker:
    """Return the marker of now, in which each value that is as the run left it is the one from before the run."""
    return replace(
        now,
        key=_back(before.key, after.key, now.key),
        due=_back(before.due, after.due, now.due),
        pinned=_back(before.pinned, after.pinned, now.pinned),
        applied={n: _back(before.applied.get(n, ""), after.applied.get(n, ""), v) for n, v in now.applied.items()},
    )


def _back(before: T, after: T, now: T) -> T:
    return before if now == after else now


def _moved(before: Marker, after: Marker) -> frozenset[str]:
    """Return `parent` if a task has to move below another one."""
    same_group = before.applied.get("parent") == after.applied.get("parent")
    return frozenset() if same_group and goal_of(before.key) == goal_of(after.key) else frozenset({"parent"})
