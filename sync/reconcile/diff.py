"""The differ: what has to change in one connector, and why. Pure: the plan is a value that prints, or is carried out.

Every field is compared three ways: what the file wants, what the task holds, and (by its marker's digest) what we last
applied. So a change in the file reaches the task, and a person's own change stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from config.keys import HEARTBEAT, day_of, goal_of, is_group, is_occurrence, step_of
from connectors.base import Action, Write
from connectors.codec import DIGESTS
from connectors.model import ADDITIVE, FIELDS, Content, Marker, StoredGoal, StoredKey, client_nonce, digest
from sync.reconcile.change import Change, ConnectorPlan, state_of
from sync.reconcile.merge import merge
from sync.reconcile.ordering import after_moves, after_reopening, turn
from sync.reconcile.placement import Places
from sync.reconcile.progress import GIVEN_UP
from sync.reconcile.pruning import forget
from sync.reconcile.resembling import without_marker
from sync.reconcile.safety import refuse_mass_change, refuse_overfull
from sync.reconcile.strays import addressed, perhaps, typed_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Set
    from datetime import date

    from connectors.base import Connector
    from connectors.model import Task
    from sync.reconcile.change import State
    from sync.reconcile.desired import DesiredGoal, DesiredTask
    from sync.reconcile.progress import ServiceView

COMPANY = "done, but to tick it would tick an open task of yours below it"
_BEATS = "it moves ahead once a day, for as long as backplan runs"


def plan(
    connector: Connector,
    view: ServiceView,
    wanted: Sequence[DesiredGoal],
    *,
    namespace: str,
    today: date,
    skipped: frozenset[str] = frozenset(),
    cancelled: frozenset[str] = frozenset(),
    reopened: frozenset[str] = frozenset(),
    done: Mapping[str, date] | None = None,
    given_up: bool = False,
    prune: str = "remove",
    on_delete: str = "drop",
    allow_mass_change: bool = False,
    new_nonce: Callable[[], str],
) -> ConnectorPlan:
    """Return the plan for one connector.

    skipped: ids of goals that this run leaves alone, tasks and memory. cancelled: those that a person gave up in this
    app, which are left alone in it, too, and said. reopened: keys that a person reopened, in any
    app. done: the day of each key that is done, as all apps together tell it. given_up: the connector is retired, so
    that all its tasks go. new_nonce: where the service does not take our ids, the source of one for each attempt to
    create.

    Raises RefusedError when more would be removed than a slip of the hand may remove.
    """
    differ = _Differ(connector, view, namespace, today, on_delete, new_nonce, done or {})
    differ.leave_cancelled(cancelled - skipped)
    skipped |= cancelled
    differ.let_copies_go(skipped)
    for goal in differ.linked(wanted, skipped):
        differ.goal(goal)
    differ.remove_twins(skipped)
    repeating = frozenset(key for goal in wanted for key in goal.repeating)
    differ.leftovers({task.key for goal in wanted for task in goal.tasks}, repeating, skipped, prune, reopened)
    if not (given_up or allow_mass_change):
        twins = sum(not task.done and task.marker.key != HEARTBEAT for task in view.duplicates)
        refuse_mass_change(view.label, view.snapshot, differ.changes, twins)
    refuse_overfull(view.label, view.snapshot, differ.changes, view.incoming)
    changes = sorted((after_moves(change, differ.left) for change in differ.changes), key=turn)
    changes = addressed(changes, view.snapshot)
    remembered = view.snapshot.memory
    memory = {goal_id: forget(goal, remembered.get(goal_id), today) for goal_id, goal in differ.memory.items()}
    memory |= {goal_id: left for goal_id, left in view.leaving.items() if goal_id in skipped}
    leaving = {goal_id: left for goal_id, left in view.leaving.items() if goal_id not in skipped}
    mending = view.snapshot.mending
    return ConnectorPlan(view.label, tuple(changes), memory, remembered, view.stored, leaving=leaving, mending=mending)


def _after(wanted: DesiredTask, there: set[str]) -> DesiredTask:
    if there.issuperset(wanted.content.after):
        return wanted
    after = tuple(key for key in wanted.content.after if key in there)
    return replace(wanted, content=replace(wanted.content, after=after))


def _why_open(wanted: DesiredTask) -> str:
    if wanted.key == HEARTBEAT:
        return _BEATS
    return "it has open steps again" if wanted.whole else "open again"


class _Differ:
    """Collects the changes and the memory of one connector, goal by goal."""

    def __init__(
        self,
        connector: Connector,
        view: ServiceView,
        namespace: str,
        today: date,
        on_delete: str,
        new_nonce: Callable[[], str],
        done: Mapping[str, date],
    ) -> None:
        self.changes: list[Change] = []
        self.memory: dict[str, StoredGoal] = {}
        self.left: set[str] = set()  # native ids of what this plan moves a task out of
        self._connector = connector
        self._view = view
        self._namespace = namespace
        self._today = today
        self._recreate = on_delete == "recreate"
        self._new_nonce = new_nonce
        self._done = done
        self._places = Places(view, families=connector.capabilities.families)
        self._nonces = {task.marker.nonce for task in view.snapshot.tasks}
        self._entries = without_marker(view.snapshot)
        self._joined: set[str] = set()  # keys below which this plan moves an open task of a person's
        self._doubled = {task.marker.key for task in view.duplicates}  # a link may lead to the one that goes

    def leave_cancelled(self, goals: frozenset[str]) -> None:
        """Say of each goal that a person gave up that it is left alone, in every run until the goals file agrees."""
        for goal_id in sorted(goals):
            self._keep(goal_id, True, GIVEN_UP)

    def let_copies_go(self, skipped: frozenset[str]) -> None:
        """Take our markers from a person's copies of our tasks."""
        for copy in self._view.snapshot.copies:
            if goal_of(copy.marker.key) not in skipped and not copy.unread:
                reason = "a copy of one of our tasks: the person's"
                self._add(Action.DETACH, copy.marker.key, reason, copy, marker=None)

    def remove_twins(self, skipped: frozenset[str]) -> None:
        """Remove what racing runs made beside a task of ours, once it is known what moves out of it."""
        self.left = self._places.moved_out_of(self.changes)
        below = self._places.count_below(self.changes)
        for task in sorted(self._view.duplicates, key=self._places.from_below):
            key = task.marker.key
            if goal_of(key) not in skipped:
                task = replace(task, touched=task.touched or below[task.native_id] > 0)  # what stays would go with it
                reason = "another task of ours has the same key"  # as many as a race made: that is no slip of a hand
                below[task.parent] -= self._let_go(key, task, "remove", reason, waits=task.done, expected=True)

    def linked(self, wanted: Sequence[DesiredGoal], skipped: frozenset[str]) -> list[DesiredGoal]:
        """Return the goals with tasks that come after others only where those stay here, or are about to be made."""
        if "after" not in self._connector.capabilities.fields:
            return list(wanted)
        there = {
            task.key for goal in wanted for task in goal.tasks if task.key in self._view.tasks or self._comes(task)
        }
        there |= {key for key in self._view.tasks if goal_of(key) in skipped}
        return [replace(goal, tasks=tuple(_after(task, there) for task in goal.tasks)) for goal in wanted]

    def _comes(self, wanted: DesiredTask) -> bool:
        """Return whether a task that is not there is to be made."""
        gone = self._view.dropped(wanted.key, wanted.definition, recreate=self._recreate)
        return wanted.done is None and not gone

    def goal(self, goal: DesiredGoal) -> None:
        """Compare one goal's tasks, and note what shall be remembered of it."""
        before = self._view.snapshot.memory.get(goal.goal_id)
        planned = len(self.changes)
        keys = self._tasks(goal)
        if joined := self._joining(goal, self.changes[planned:]):
            self._joined |= joined  # what they join must not be completed, as it would be theirs as well
            del self.changes[planned:]
            keys = self._tasks(goal)
        if self._connector.capabilities.families:
            self.changes[planned:] = after_reopening(goal, self.changes[planned:], self._view)
        if before is not None:
            keys.update({key: entry for key, entry in before.keys.items() if key not in keys})
        if not keys:
            return
        dates = {task.key: task.dates for task in goal.tasks if task.dates is not None}
        if before is not None and (before.made, before.digest) == (goal.made, goal.digest):
            # The same plan: what it said of steps that are done by now is part of it; times that it has left are not.
            over = {key for key, entry in keys.items() if entry.state in ("done", "dropped")}
            stays = (key for key in before.dates if not is_occurrence(key) or key in over)
            dates = {**{key: before.dates[key] for key in stays}, **dates}
        self.memory[goal.goal_id] = StoredGoal(
            before.first_sync if before else goal.first_sync, keys, goal.made, goal.digest, dates
        )

    def _tasks(self, goal: DesiredGoal) -> dict[str, StoredKey]:
        """Plan a goal's tasks; return what shall be remembered of each."""
        keys: dict[str, StoredKey] = {}
        previous: dict[str | None, str] = {}  # the last task below each
        for wanted in goal.tasks:
            above = self._places.above(wanted)
            entry = self._task(wanted, previous.get(above))
            if entry is not None:
                keys[wanted.key] = entry
            if wanted.above and (wanted.key in self._view.tasks or (entry and entry.state == "pending")):
                previous[above] = wanted.key
                if is_group(wanted.key) and entry and entry.state != "dropped":
                    self._places.note_group(wanted.key, entry.generation)
        return keys

    def _joining(self, goal: DesiredGoal, changes: Sequence[Change]) -> set[str]:
        """Return the keys below which the changes move a task that cannot be ticked for what is below it."""
        moving = {change.key for change in changes if change.write and "parent" in change.write.fields}
        company = [one for one in goal.tasks if one.key in moving and self._view.in_company(one.key)]
        return {key for wanted in company for key in wanted.above}

    def leftovers(
        self,
        wanted: set[str],
        repeating: frozenset[str],
        skipped: frozenset[str],
        prune: str,
        reopened: frozenset[str],
    ) -> None:
        """Let go of the tasks that the file no longer has, and of occurrences that are past; remember that."""
        leaving = {
            key: task for key, task in self._view.tasks.items() if key not in wanted and goal_of(key) not in skipped
        }
        left: set[str] = set()  # goals with a step that stays behind: a parent that is not ours alone
        below = self._places.count_below(self.changes)
        for key in sorted(leaving, key=lambda key: self._places.from_below(leaving[key])):
            task, memory = leaving[key], self._view.remembered(key)
            strange = memory is None or memory.native_id not in ("", task.native_id, task.marker.nonce)
            if strange and (memory is None or self._connector.capabilities.client_ids):
                continue  # not the task that we made for this key: a copy, or somebody else's marker
            goal_id = goal_of(key)
            full = below[task.native_id] > 0 or (is_group(key) and goal_id in left)
            task = replace(task, touched=task.touched or strange or key in left or key in reopened or full)
            if is_occurrence(key) and step_of(key) in repeating:
                closed = task.dropped or (task.done and memory is None)  # by a person, or done long ago
                goes = not closed and self._let_go(key, task, "remove", self._why_past(key), expected=True)
            elif goal_id in self._view.departing:
                goes = self._let_go(key, task, prune, "its goal has another place now", waits=True, expected=True)
            elif not (goes := self._let_go(key, task, prune)):
                left.add(goal_id)
            below[task.parent] -= goes
        self._forget(leaving, wanted, skipped, reopened)

    def _forget(
        self, leaving: Mapping[str, Task], wanted: set[str], skipped: frozenset[str], reopened: frozenset[str]
    ) -> None:
        """Note of the keys that the file no longer has what is still to be remembered; `leaving` are their tasks."""
        let_go = {
            change.write.native_id
            for change in self.changes
            if change.write and change.action in (Action.REMOVE, Action.DETACH)
        }
        going = {key for key, task in leaving.items() if task.native_id in let_go}  # not where a copy of it goes
        for goal_id, before in self._view.snapshot.memory.items():
            base = self.memory.get(goal_id, before)
            if goal_id in skipped:
                self.memory[goal_id] = before
                continue
            removed = {
                key: self._ended(key, entry)
                for key, entry in base.keys.items()
                if key not in wanted and self._ends(key, entry, going, reopened)
            }
            keys = {**base.keys, **removed}
            self.memory[goal_id] = replace(base, keys=keys)

    def _why_past(self, key: str) -> str:
        return "missed, and the next one is due" if day_of(key) < self._today else "the plan has other days for it"

    def _ended(self, key: str, entry: StoredKey) -> StoredKey:
        """Return what stays of a key that ends here: that it is done, also where no run has seen that yet."""
        gone = goal_of(key) not in self._view.departing  # else the other place knows what a tick comes to
        if key in self._done or (gone and self._view.ticked(key)):
            return replace(entry, state="done", done_on=self._done.get(key, self._today))
        task = self._view.tasks.get(key)  # not its nonce, which a person's copy of it has as well
        return replace(entry, state="removed", native_id=task.native_id if task else entry.native_id)

    def _ends(self, key: str, entry: StoredKey, going: set[str], reopened: frozenset[str]) -> bool:
        """Return whether nothing is to be remembered of a key any more but that it was there.

        What was done stays done, should it ever come back into the file, unless a person reopened it.
        """
        if entry.state == "done":
            return key in reopened
        return key in going or (key not in self._view.tasks and entry.state in ("live", "pending"))

    # One task

    def _task(self, wanted: DesiredTask, previous: str | None) -> StoredKey | None:
        """Plan one task; return what shall be remembered of it, None where there is nothing yet."""
        task = self._view.tasks.get(wanted.key)
        memory = self._view.remembered(wanted.key)
        if task is None:
            return self._absent(wanted, memory, previous)
        state = StoredKey("live", task.native_id, task.marker.generation)
        if task.unread:
            self._keep(wanted.key, True, task.unread)
            reopened = memory is not None and memory.state == "done" and wanted.done is None  # in another app
            return state if memory is None or memory.state == "pending" or reopened else memory
        self._keep(wanted.key, bool(task.remark), task.remark)
        if wanted.done:
            state = replace(state, state="done", done_on=wanted.done)
        if self._view.dropped(wanted.key, wanted.definition, recreate=self._recreate):
            told = memory is not None and memory.state == "dropped"
            self._leave(wanted, task, "a person cancelled it", told=told)
            return state if wanted.done else replace(state, state="dropped", definition=wanted.definition)
        if task.recurring:
            self._leave(wanted, task, "a person made it recurring: it is theirs now")
            return state
        if wanted.done and not task.done and (task.company or wanted.key in self._joined):
            self._leave(wanted, task, COMPANY)
            return replace(state, state="live", done_on=None)
        self._present(wanted, task)
        return state

    def _leave(self, wanted: DesiredTask, task: Task, reason: str, *, told: bool = False) -> None:
        """Leave a task to its person; only a marker that is not right any more is written anew."""
        self._keep(wanted.key, not told, reason)
        if mending := self._mending(task):
            write = Write(
                Action.REPAIR,
                wanted.key,
                task.native_id,
                task.content,
                self._places.marker_with_place(wanted, task),
                self._places.moved(wanted, task),
                parent=self._places.above(wanted),
            )
            self.changes.append(Change(Action.REPAIR, wanted.key, mending, {}, write, before=self._found(task)))

    def _absent(self, wanted: DesiredTask, memory: StoredKey | None, previous: str | None) -> StoredKey | None:
        if wanted.done is not None:
            # Not worth a task any more; that it is done is remembered for good.
            if memory and memory.state == "done" and not wanted.in_file:
                self._say_typed_again(wanted, memory, "it is done", "opens it again")
            return replace(memory or StoredKey("done"), state="done", done_on=wanted.done, definition="")
        if memory and self._view.dropped(wanted.key, wanted.definition, recreate=self._recreate):
            if memory.state == "dropped":
                self._say_typed_again(wanted, memory, "a person deleted it", "brings it back")
            else:
                found = perhaps(self._entries, self._connector.canonical(wanted.content).title)
                self._keep(wanted.key, True, f"a person deleted it{self._way_back(memory)}{found}")
            return replace(memory, state="dropped", definition=wanted.definition)
        fresh = memory is None or memory.state == "pending"
        generation = self._free_generation(wanted.key, memory, fresh=fresh)
        reason = (
            "new"
            if fresh
            else "changed in the file, so it comes back"
            if memory and memory.state == "dropped"
            else "it is back"
        )
        asked = (
            memory.native_id if memory and memory.state == "pending" and self._connector.capabilities.client_ids else ""
        )
        marker = self._marker(wanted, asked or self._nonce(wanted.key, generation), generation)
        content = self._connector.canonical(self._with_edits(wanted))
        write = Write(
            Action.CREATE,
            wanted.key,
            content=content,
            marker=marker,
            parent=self._places.above(wanted),
            previous=previous,
        )
        fields = {name: (None, value) for name in FIELDS if (value := getattr(content, name)) and value != "none"}
        self.changes.append(Change(Action.CREATE, wanted.key, reason, fields, write))
        if wanted.whole:
            self._places.note_new(wanted.key)
        return StoredKey("pending", marker.nonce, generation, definition=wanted.definition)

    def _say_typed_again(self, wanted: DesiredTask, memory: StoredKey, state: str, effect: str) -> None:
        """Say what to write where a line without a marker has the title of a step that is done or deleted."""
        line = typed_again(self._entries, self._connector.canonical(wanted.content).title)
        said = f"{line} has its title and no comment: `<!-- bp1 {memory.native_id} -->` at its end {effect}"
        self._keep(wanted.key, bool(line and memory.native_id), f"{state}; {said}")

    def _way_back(self, memory: StoredKey) -> str:
        """Return what brings a deleted task back, where people can write markers."""
        if not self._connector.capabilities.local or not memory.native_id:
            return ""
        return f"; a line that ends in `<!-- bp1 {memory.native_id} -->` brings it back"

    def _with_edits(self, wanted: DesiredTask) -> Content:
        """Return the content of a new task with what a person had changed in the place that its goal has left."""
        old = self._view.inherited.get(wanted.key)
        if old is None or old.done:
            return wanted.content
        edits: dict[str, Any] = {}
        for name in FIELDS:
            value, applied = getattr(old.content, name), old.marker.applied.get(name)
            held = bool(applied) or value not in ("", (), "none")  # else the old place has no such field
            if name not in ("start", "due", "after") and held and applied not in (None, digest(value)):
                new = getattr(wanted.content, name)
                edits[name] = (*value, *(one for one in new if one not in value)) if name in ADDITIVE else value
        return replace(wanted.content, **edits)

    def _present(self, wanted: DesiredTask, task: Task) -> None:
        content, fields, theirs, kept = merge(self._connector, wanted, task, self._doubled)
        marker = self._merged_marker(wanted, task, content, theirs)
        action, reason = self._action(wanted, task, fields, marker)
        if action is None:
            for name in sorted(theirs):
                self._keep(wanted.key, True, f"a person changed the {name}: theirs stays")
            return
        write = Write(
            action,
            wanted.key,
            task.native_id,
            content,
            marker,
            frozenset(fields) | self._places.moved(wanted, task),
            parent=self._places.above(wanted),
            done_on=wanted.done,
            kept=kept,
        )
        shown: dict[str, tuple[object, object]] = dict(fields)
        if task.native_id in self._view.renamed:
            shown["key"] = (self._view.renamed[task.native_id], wanted.key)
        if wanted.pinned != task.marker.pinned:
            shown["pinned"] = (task.marker.pinned, wanted.pinned)
        fresh_pin = wanted.pinned and "due" not in fields and task.content.due != task.marker.due
        overruled = action is Action.REOPEN and self._view.ticked(wanted.key)
        arrives = action is Action.REOPEN and "parent" in write.fields and write.parent is None
        waits = (fresh_pin or overruled) and "parent" not in write.fields  # what moves elsewhere makes room first
        told = reason + (f"; {kept}" if kept else "")
        before = self._found(task)
        if task.native_id in self._view.snapshot.damaged:  # what it said is lost: the way back keeps the new one
            before = replace(before, marker=replace(marker, due=task.content.due))
        self.changes.append(
            Change(action, wanted.key, told, shown, write, acknowledges=waits or arrives, before=before)
        )

    def _action(
        self, wanted: DesiredTask, task: Task, fields: Mapping[str, object], marker: Marker
    ) -> tuple[Action | None, str]:
        if wanted.done and not task.done:
            return Action.COMPLETE, self._why_done(wanted)
        if task.dropped and not wanted.done:
            return Action.REOPEN, "changed in the file, so it comes back"
        if task.done and not wanted.done:
            return Action.REOPEN, _why_open(wanted)
        if mending := self._mending(task):
            return Action.REPAIR, mending
        if fields:
            return Action.UPDATE, self._why(wanted, task, fields)
        moves = bool(self._places.moved(wanted, task))
        if (moves or marker != task.marker) and not task.done:
            if wanted.pinned and not task.marker.pinned:
                return Action.UPDATE, f"a person moved it to {wanted.content.due}: it is pinned there"
            if task.marker.pinned and not wanted.pinned:
                return Action.UPDATE, "its pin is released"
            if moves:
                here = task.native_id in self._view.arriving
                return Action.UPDATE, f"moves to {self._view.label}" if here else "stands below another task now"
            return Action.UPDATE, "remembers what its date was planned from"
        return None, ""

    def _why_done(self, wanted: DesiredTask) -> str:
        memory = self._view.remembered(wanted.key)
        if wanted.in_file and memory and memory.state == "done":
            return (
                f"a person opened it again, but the goals file says that it is done (`done: {wanted.done}`): take that "
                "out there, and clear the box again"
            )
        return f"done on {wanted.done}"

    def _why(self, wanted: DesiredTask, task: Task, fields: Mapping[str, object]) -> str:
        if wanted.key == HEARTBEAT:
            return _BEATS
        if "due" not in fields:
            return "changed in the file"
        if task.content.due is None:
            return "its date was cleared" + (", so its pin is released" if task.marker.pinned else " and is put back")
        if task.marker.pinned and not wanted.pinned:
            return "its deadline or its timing changed in the file, so its pin is released"
        if task.content.due != task.marker.due and is_group(wanted.key):
            return "a group ends with its last step: move that one"
        if task.content.due != task.marker.due and wanted.whole:
            return f"the deadline lives in the goals file: `backplan move {wanted.key} {task.content.due}` moves it"
        return "rescheduled"

    def _mending(self, task: Task) -> str | None:
        """Return why a marker has to be written anew."""
        if task.native_id in self._view.renamed:
            return "renamed in the file"
        if task.native_id in self._view.snapshot.taken:
            return "its comment was lost: the line with its title and date is taken back"
        return "its marker was damaged" if task.native_id in self._view.snapshot.damaged else None

    def _merged_marker(self, wanted: DesiredTask, task: Task, content: Content, theirs: Set[str]) -> Marker:
        """Return the marker that goes with the merged content: a field that a person changed keeps its digest."""
        if wanted.done and task.done:
            return self._places.marker_with_place(wanted, task)
        marker = self._marker(wanted, task.marker.nonce, task.marker.generation)
        applied = dict(marker.applied)
        applied["parent"] = self._places.place_after(wanted, task)
        for name in self._connector.capabilities.fields - {"due"}:
            if name in theirs:
                applied[name] = task.marker.applied.get(name, applied[name])
            elif name not in ADDITIVE:  # of those, what the file says was applied: the others are a person's, and stay
                applied[name] = digest(getattr(content, name))
        return replace(marker, applied=applied, due=task.marker.due if wanted.done else marker.due)

    def _marker(self, wanted: DesiredTask, nonce: str, generation: int) -> Marker:
        content = self._connector.canonical(wanted.content)
        applied = {
            name: digest(getattr(content, name))
            for name in FIELDS
            if name != "due" and name in self._connector.capabilities.fields
        }
        return Marker(
            self._namespace,
            wanted.key,
            nonce,
            generation,
            wanted.content.due,
            wanted.pinned,
            {
                **dict.fromkeys(DIGESTS, ""),
                **applied,
                "timing": wanted.timing,
                "parent": self._places.place(wanted),
            },
        )

    def _free_generation(self, key: str, memory: StoredKey | None, *, fresh: bool) -> int:
        """Return how often the key will have been made: so often that no task has this nonce, under another name."""
        generation = 1 if memory is None else memory.generation + (0 if fresh else 1)
        while self._connector.capabilities.client_ids and self._nonce(key, generation) in self._nonces:
            generation += 1
        return generation

    def _nonce(self, key: str, generation: int) -> str:
        if self._connector.capabilities.client_ids:
            return client_nonce(self._namespace, key, generation)
        return self._new_nonce()

    # What is no longer wanted

    def _let_go(
        self,
        key: str,
        task: Task,
        prune: str,
        why: str = "no longer in the file",
        *,
        waits: bool = False,
        expected: bool = False,
    ) -> bool:
        """Remove a task or, where a person worked on it, leave it to them; return whether it goes.

        waits: it shows a tick that has to reach the other tasks first, or another place has to have its goal first.
        """
        edited = [
            name
            for name in FIELDS
            if name in self._connector.capabilities.fields
            and name not in ("due", "after")  # dates are looked at below; links have other names where one was renamed
            and task.marker.applied.get(name) not in (None, digest(getattr(task.content, name)))
        ]
        damaged = task.native_id in self._view.snapshot.damaged  # nobody can tell any more what we had applied
        carried = self._view.carried.get(task.native_id, frozenset())
        dated = "due" not in carried and (task.marker.pinned or task.content.due != task.marker.due)
        edited = [name for name in edited if name not in carried]
        touched = task.done or task.touched or task.recurring or edited or damaged
        if task.unread:
            self._keep(key, True, f"{why}, but {task.unread}")
            return False
        if prune == "keep":
            self._keep(key, True, f"{why}; `prune: keep` leaves it")
            return False
        if touched or dated:
            theirs = f"{why}, but a person worked on it: it stays, as theirs"
            last = task.done and goal_of(key) in self._view.departing  # nothing else shows that tick
            self._add(Action.DETACH, key, theirs, task, marker=None, acknowledges=waits, last=last)
            return False
        # What moves out has to be out: with the task above it, it would be removed as well.
        waits = waits or task.native_id in self.left
        self._add(Action.REMOVE, key, why, task, marker=task.marker, acknowledges=waits, expected=expected)
        return True

    def _add(
        self,
        action: Action,
        key: str,
        reason: str,
        task: Task,
        *,
        marker: Marker | None,
        acknowledges: bool = False,
        last: bool = False,
        expected: bool = False,
    ) -> None:
        write = Write(action, key, task.native_id, task.content, marker)
        before = self._found(task)
        self.changes.append(
            Change(
                action,
                key,
                reason,
                {},
                write,
                acknowledges=acknowledges,
                last=last,
                before=before,
                expected=expected,
            )
        )

    def _found(self, task: Task) -> State:
        """Return a task as it was read, under the key that its marker had then."""
        return state_of(task, replace(task.marker, key=self._view.renamed.get(task.native_id, task.marker.key)))

    def _keep(self, key: str, worth_telling: bool, reason: str) -> None:
        if worth_telling:
            self.changes.append(Change(Action.KEEP, key, reason))
