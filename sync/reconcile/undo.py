"""The way back: what has to change in one connector so that it is as before a run. Pure, as the differ is.

Each part of a task (a field, its tick, each word of its marker) and each entry of the memory is compared three ways:
before the run, after it, and now. What is now as the run left it is put back. What was changed since stays, whoever
changed it, and is told. What the run had never come to is as before, and there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar

from config.keys import goal_of, is_group
from config.redaction import HIDDEN
from connectors.base import Action, Write
from connectors.model import FIELDS, Marker, StoredGoal, StoredKey, Task, client_nonce
from sync.reconcile.change import Change, ConnectorPlan, State, state_of
from sync.reconcile.digests import place_in
from sync.reconcile.renames import follow
from sync.reconcile.safety import refuse_mass_change
from sync.reconcile.strays import addressed

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.base import Connector
    from connectors.model import Snapshot
    from sync.reconcile.record import Entry, Record

T = TypeVar("T")
Fields = dict[str, tuple[object, object]]
Memory = Mapping[str, StoredGoal]
_LATER = "a later run changed it: it stays, or undo that run first"


def plan(
    connector: Connector,
    snapshot: Snapshot,
    record: Record,
    *,
    let_go: frozenset[str],
    namespace: str,
    allow_mass_change: bool = False,
    new_nonce: Callable[[], str],
) -> ConnectorPlan:
    """Return the plan that undoes a run in one connector.

    let_go: native ids of the tasks that the run detached and that stand as it left them, without a marker.

    Raises RefusedError when more would be removed than a slip of the hand may remove.
    """
    snapshot, record = _by_old_keys(snapshot, record)
    back = _Tasks(connector, snapshot, record, let_go, namespace, new_nonce)
    for entry in sorted(record.entries, key=lambda entry: not is_group(entry.key)):  # what stands in one follows it
        back.entry(entry)
    back.remove_what_was_made()
    changes = tuple(addressed(sorted(back.changes, key=back.place), snapshot))
    if not allow_mass_change:
        refuse_mass_change(record.label, snapshot, changes)
    forgetful = connector.capabilities.local or not connector.capabilities.client_ids
    memory = _memory_back(record, snapshot.memory, back, forgetful=forgetful)
    return ConnectorPlan(record.label, changes, memory, snapshot.memory, snapshot.memory)


def _by_old_keys(snapshot: Snapshot, record: Record) -> tuple[Snapshot, Record]:
    """Return both with the tasks that come after others by the keys that those had before the run."""
    marked = ((e.before.marker, e.after.marker) for e in record.entries if e.before and e.after)
    old = {after.key: before.key for before, after in marked if before and after and after.key != before.key}
    if not old:
        return snapshot, record

    def state(of: State | None) -> State | None:
        return of and replace(of, content=follow(of.content, old))

    tasks = tuple(replace(task, content=follow(task.content, old)) for task in snapshot.tasks)
    entries = tuple(replace(e, before=state(e.before), after=state(e.after)) for e in record.entries)
    return replace(snapshot, tasks=tasks), replace(record, entries=entries)


class _Tasks:
    """Collects the changes of one connector.

    `held` are keys whose entry of the memory stays as it is, `made_again` the new entries of tasks that come back.
    `_groups` are the keys of groups by the place of what stands in them, as a marker has it.
    """

    def __init__(
        self,
        connector: Connector,
        snapshot: Snapshot,
        record: Record,
        let_go: frozenset[str],
        namespace: str,
        new_nonce: Callable[[], str],
    ) -> None:
        self.changes: list[Change] = []
        self.held: set[str] = set()
        self.made_again: dict[str, StoredKey] = {}
        self._connector = connector
        self._fields = tuple(name for name in FIELDS if name in connector.capabilities.fields)
        self._snapshot = snapshot
        self._record = record
        self._let_go = let_go
        self._namespace = namespace
        self._new_nonce = new_nonce
        self._tasks = {task.native_id: task for task in snapshot.tasks}
        self._tasks_by_nonce = {task.marker.nonce: task for task in snapshot.tasks}
        self._keys = {task.marker.key for task in snapshot.tasks}
        self._going: dict[str, Task] = {}
        keys = [key for memory in (record.before, snapshot.memory) for goal in memory.values() for key in goal.keys]
        self._order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        entries = [item for goal in record.before.values() for item in goal.keys.items()]
        self._groups = {place_in(key, entry.generation): key for key, entry in entries if is_group(key)}

    def entry(self, entry: Entry) -> None:
        """Plan what becomes of one change of the run."""
        before, after = entry.before, entry.after
        match before, after, self._task(before, after):
            case None, State() as after, Task() as task:
                self._unmake(after, task)
            case State(marker=Marker() as was) as before, None, None:
                self._make_again(before, was)
            case State(marker=Marker() as was) as before, State(marker=None), None:
                self._take_back(before, was)
            case State(), State(marker=Marker()), None:
                self._keep(entry.key, "it is gone since")
            case State(marker=None), State(marker=Marker() as became), Task() as task:
                self._let_go_again(became, task)
            case State(marker=Marker() as was) as before, State(marker=Marker() as became) as after, Task() as task:
                self._put_back(before, after, was, became, task)
            case _:
                return  # it is as it was before the run, or is none of ours

    def _task(self, *known: State | None) -> Task | None:
        """Return the task that a change was about; None where there is none of ours now."""
        for state in filter(None, known):
            nonce = state.marker.nonce if state.marker else ""
            if task := self._tasks.get(state.native_id) or self._tasks_by_nonce.get(nonce):
                return task
        return None

    # What the run had made

    def _unmake(self, after: State, task: Task) -> None:
        if why := self._changed_since(after, task):
            self._hold(task.marker.key, why)
        else:
            self._going[task.marker.key] = task

    def _changed_since(self, after: State, task: Task) -> str:
        """Return in what a task is not as the run had made it."""
        changed = [name for name in self._fields if getattr(task.content, name) != getattr(after.content, name)]
        if changed:
            return f"its {changed[0]} was changed since: it stays"
        if (task.done, task.dropped) != (after.done, after.dropped):
            return "it was closed since: it stays"
        if task.touched or task.recurring:
            return "a person worked on it since: it stays"
        if task.native_id not in self._snapshot.damaged and task.marker != after.marker:
            return _LATER
        return ""

    def remove_what_was_made(self) -> None:
        """Remove what the run had made and nobody touched; a goal's task only when no step's stays behind."""
        staying = {goal_of(key) for key in self._keys if "/" in key and key not in self._going}
        moved = {c.write.native_id for c in self.changes if c.write and "parent" in c.write.fields}
        moved |= {task.native_id for task in self._going.values()}
        full = {task.parent for task in self._tasks.values() if task.native_id not in moved}
        for key, task in self._going.items():
            if key in staying if "/" not in key else task.native_id in full:
                self._hold(key, "a step of it stays")
            else:
                write = Write(Action.REMOVE, key, task.native_id, task.content, task.marker)
                self._change(write, "the run made it", task)

    # What the run had removed, or let go

    def _make_again(self, before: State, marker: Marker) -> None:
        key = marker.key
        memory = _remembered(self._snapshot.memory, key)
        if key in self._keys:
            return  # it came back since
        if memory and (memory.state == "dropped" or memory.generation > marker.generation):
            self._hold(key, "it came back since, and is gone again")
            return
        generation = max(marker.generation, memory.generation if memory else 0) + 1
        client_ids = self._connector.capabilities.client_ids
        nonce = client_nonce(self._namespace, key, generation) if client_ids else self._new_nonce()
        fresh = replace(self._placed(marker), nonce=nonce, generation=generation)
        content = self._connector.canonical(before.content)
        parent, previous = self._parent(fresh), self._previous(key)
        write = Write(Action.CREATE, key, content=content, marker=fresh, parent=parent, previous=previous)
        fields: Fields = {n: (None, value) for n in FIELDS if (value := getattr(content, n)) and value != "none"}
        self.changes.append(Change(Action.CREATE, key, "the run removed it", fields, write))
        self.made_again[key] = StoredKey("pending", nonce, generation)
        if is_group(key):
            self._groups[place_in(key, generation)] = key

    def _previous(self, key: str) -> str | None:
        """Return the step to stand after: the nearest above it, as the memory had them, that is there or comes back."""
        goal = self._record.before.get(goal_of(key))
        above = takewhile(lambda other: other != key, goal.keys if goal else ())
        known = self._keys | {entry.key for entry in self._record.entries if entry.after is None}
        there = [other for other in above if "/" in other and other in known]
        return there[-1] if there and "/" in key else None

    def _take_back(self, before: State, marker: Marker) -> None:
        """Put the marker back on a task that the run had let go of."""
        key = marker.key
        if key in self._keys or before.native_id not in self._let_go:
            taken = "another task has taken its place" if key in self._keys else "it was changed since, or is gone"
            self._hold(key, f"{taken}: it stays a person's own")
            return
        write = Write(Action.REPAIR, key, before.native_id, before.content, marker, parent=self._parent(marker))
        theirs = replace(before, marker=None)
        self.changes.append(Change(Action.REPAIR, key, "the run let go of it", {}, write, before=theirs))

    def _let_go_again(self, after: Marker, task: Task) -> None:
        """Take the marker off a task that an undo had taken back."""
        key = task.marker.key
        if task.marker == after:
            self._change(Write(Action.DETACH, key, task.native_id, task.content), "the run took it up", task)
        else:
            self._hold(key, _LATER)

    # What the run had changed

    def _put_back(self, before: State, after: State, was: Marker, became: Marker, task: Task) -> None:
        damaged = task.native_id in self._snapshot.damaged
        now = replace(became, nonce=task.marker.nonce) if damaged else task.marker
        marker = self._placed(_marker_back(was, became, now))
        fields = self._fields_back(before, after, became, now, task)
        action = self._action(before, after, task)
        if action is None and not fields and marker == now:
            return
        shown: Fields = dict(fields)
        if marker.key != now.key:
            action = action or Action.REPAIR
            shown["key"] = (now.key, marker.key)
        if marker.pinned != now.pinned:
            shown["pinned"] = (now.pinned, marker.pinned)
        write = Write(
            action or Action.UPDATE,
            marker.key,
            task.native_id,
            replace(task.content, **{name: old for name, (_, old) in fields.items()}),  # type: ignore[arg-type]
            marker,
            frozenset(fields) | _moved(now, marker),
            parent=self._parent(marker),
            done_on=before.done_on,
        )
        self._change(write, "as before the run", task, shown)

    def _fields_back(self, before: State, after: State, became: Marker, marker: Marker, task: Task) -> Fields:
        """Return what to put back, name -> (now, before); tell what stays."""
        fields: Fields = {}
        for name in self._fields:
            was, became_, now = (getattr(content, name) for content in (before.content, after.content, task.content))
            if was in (became_, now):
                continue
            if now != became_ or (name == "due" and marker.due != became.due):
                self._keep(marker.key, f"its {name} was changed since: it stays")
            elif HIDDEN in str(was):
                self._keep(marker.key, f"its {name} held a secret, which no journal keeps: it stays")
            else:
                fields[name] = (now, was)
        return fields

    def _action(self, before: State, after: State, task: Task) -> Action | None:
        """Return how to put the tick back; None where it is as before, or was changed since."""
        if before.dropped and not after.dropped:
            if not task.dropped:
                self._hold(task.marker.key, "it was closed as not planned: close it again by hand")
            return None
        if before.done == after.done or task.done != after.done:
            return None
        return Action.COMPLETE if before.done else Action.REOPEN

    # Helpers

    def _change(self, write: Write, reason: str, task: Task, fields: Fields | None = None) -> None:
        before = state_of(task, task.marker)
        self.changes.append(Change(write.action, write.key, reason, fields or {}, write, before=before))

    def _keep(self, key: str, reason: str) -> None:
        self.changes.append(Change(Action.KEEP, key, reason))

    def _hold(self, key: str, reason: str) -> None:
        """Leave a task as it is, and its entry of the memory."""
        self._keep(key, reason)
        self.held.add(key)

    def _placed(self, marker: Marker) -> Marker:
        """Return a marker with its group by the generation that this has now, where it had to be made again."""
        key = self._groups.get(marker.applied.get("parent", ""), "")
        made = self.made_again.get(key)
        return replace(marker, applied={**marker.applied, "parent": place_in(key, made.generation)}) if made else marker

    def _parent(self, marker: Marker) -> str | None:
        """Return the key of the task to stand below: that of its group, where there is one, else the goal's."""
        group = self._groups.get(marker.applied.get("parent", ""), "")
        if group in self._keys or group in self.made_again:
            return group
        return goal_of(marker.key) if "/" in marker.key else None

    def place(self, change: Change) -> tuple[int, bool, int, int]:
        """Return where a change stands: by goal, removals last; what others stand below is made first, removed last."""
        goal = self._order.get(goal_of(change.key), len(self._order))
        removal = change.action is Action.REMOVE
        number = self._order.get(change.key, len(self._order))
        if removal and is_group(change.key):
            return goal, removal, 1, -number
        return goal, removal, 2 if removal and "/" not in change.key else 0, number


# The memory


def _memory_back(record: Record, now: Memory, back: _Tasks, *, forgetful: bool) -> dict[str, StoredGoal]:
    """Return the memory as before the run, but for what was changed since, of each goal and of each of its keys.

    forgetful: what the run had made may be forgotten, for the service does not remember an id of ours for good.
    """
    memory = dict(now)
    for goal_id in {**record.before, **record.after}:
        before, after, found = record.before.get(goal_id), record.after.get(goal_id), now.get(goal_id)
        known = {**(before.keys if before else {}), **(found.keys if found else {})}
        entries = {key: _entry_back(record, now, back, key, forgetful=forgetful) for key in known}
        keys = {key: entry for key, entry in entries.items() if entry}
        published_since = found and after and (found.made, found.digest) != (after.made, after.digest)
        base = found if published_since or before is None else before
        if base and keys:
            memory[goal_id] = replace(base, keys=keys)
        else:
            memory.pop(goal_id, None)
    return memory


def _entry_back(record: Record, memory: Memory, back: _Tasks, key: str, *, forgetful: bool) -> StoredKey | None:
    before, after, now = (_remembered(each, key) for each in (record.before, record.after, memory))
    if key in back.made_again:
        return back.made_again[key]
    if key in back.held or not _is_as_left(after, now):
        return now
    if before is None:
        return replace(now, state="removed") if now and not forgetful else None
    if now is not None and now.generation > before.generation:  # a number is given once, whatever comes back
        return replace(before, native_id=now.native_id, generation=now.generation)
    return before


def _remembered(memory: Memory, key: str) -> StoredKey | None:
    goal = memory.get(goal_of(key))
    return goal.keys.get(key) if goal else None


def _is_as_left(after: StoredKey | None, now: StoredKey | None) -> bool:
    """Return whether a run left an entry so: what it was about to make is now there."""
    if after and now and after.state == "pending":
        return now.state in ("pending", "live") and now.generation == after.generation
    return now == after


def _marker_back(before: Marker, after: Marker, now: Marker) -> Marker:
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
    """Return `parent` where a task has to stand below another one."""
    goals = {goal_of(marker.key) for marker in (before, after)}
    same = len(goals) == 1 and before.applied.get("parent") == after.applied.get("parent")
    return frozenset() if same else frozenset({"parent"})
