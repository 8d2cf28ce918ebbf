"""Goals that changed their place: another place takes over their tasks and memory, or a new app inherits them. Pure.

Within one account the tasks themselves move. The new place remembers them first, then they move, and only then does the
old place forget them. So a run that is cut short shows in both memories, and the next run finishes the move. Between
accounts no task can move: the new place creates the tasks, with what the user had changed in the old ones, which are
removed last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING

from config.keys import goal_of, is_in_goal, step_of
from connectors.base import Mover
from connectors.model import StoredGoal, StoredKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from connectors.base import Connector
    from connectors.model import Snapshot, Task
    from sync.reconcile.view import ServiceView


@dataclass(frozen=True, slots=True)
class Site:
    """One place with what was read there; `goals` are the ids of those that the goals file puts there."""

    connector: Connector
    goals: frozenset[str]
    view: ServiceView


def hand_over(sites: Sequence[Site], keys: Collection[str]) -> tuple[ServiceView, ...]:
    """Return the views once every goal belongs to the places that the goals file names for it.

    keys: those of the goals, groups and steps of the file.
    """
    homes = list(sites)
    for old, new in permutations(range(len(homes)), 2):
        if share_an_account(homes[old].connector, homes[new].connector):
            for goal_id in sorted(homes[new].goals - homes[old].goals):
                homes[old], homes[new] = _move(goal_id, homes[old], homes[new])
    homes = [replace(home, view=_without_shared(home, homes)) for home in homes]
    return tuple(_inherit(home, homes, keys) for home in homes)


def share_an_account(one: Connector, other: Connector) -> bool:
    """Return whether tasks can move between two places."""
    return one is not other and isinstance(one, Mover) and isinstance(other, Mover) and one.account == other.account


def _without_shared(home: Site, sites: Sequence[Site]) -> ServiceView:
    """Return a view without the tasks that another place of the account has, for a goal that the file puts there.

    A run that handed a goal over was cut short, and then the file gave the goal its old name and place back: the tasks
    that have moved come back. Where the file took the goal out instead, each task belongs to the place that it is in.
    """
    others = [site for site in sites if share_an_account(home.connector, site.connector)]
    named = frozenset[str]().union(*(site.goals for site in sites))
    claimed = {task.native_id for task in _claimed(others, named)}
    tasks = [task for task in home.view.snapshot.tasks if _goal(task) in home.goals or task.native_id not in claimed]
    there = {task.marker.nonce for task in _held(others)}
    copies = [task for task in tasks if task.marker.nonce in there and _is_copy(task, home)]
    snapshot = replace(
        home.view.snapshot,
        tasks=tuple(task for task in tasks if task not in copies),
        copies=(*home.view.snapshot.copies, *copies),
    )
    return replace(home.view, snapshot=snapshot, arriving=home.view.arriving | _moved_back(home, others))


def _goal(task: Task) -> str:
    return goal_of(task.marker.key)


def _held(sites: Iterable[Site]) -> Iterator[Task]:
    """Yield the tasks of the goals that the file puts there."""
    for site in sites:
        yield from (task for task in site.view.tasks.values() if _goal(task) in site.goals)


def _claimed(sites: Sequence[Site], named: Collection[str]) -> Iterator[Task]:
    """Yield the tasks that belong to some places. named: the goals that the file puts anywhere."""
    yield from _held(sites)
    for site in sites:
        yield from (task for task in site.view.tasks.values() if _goal(task) not in named and task.here)


def _moved_back(home: Site, others: Sequence[Site]) -> set[str]:
    """Return the native ids of the tasks that have moved to another place, and belong here; not those below them."""
    moved = {task.native_id for other in others for task in other.view.tasks.values() if task.here}
    ids = {task.native_id for task in home.view.snapshot.tasks}
    outermost = [task for task in _held([home]) if not is_in_goal(task.marker.key) or task.parent not in ids]
    return moved & {task.native_id for task in outermost}


def _is_copy(task: Task, home: Site) -> bool:
    """Return whether a goal leaves a place that does not remember this task, which has a twin in the new place."""
    entry = home.view.remembered(task.marker.key)
    known = entry is not None and entry.native_id == task.native_id
    return _goal(task) not in home.goals and not known


# Within one account


def _move(goal_id: str, old: Site, new: Site) -> tuple[Site, Site]:
    """Return two places after the second has taken over from the first what it lacks of a goal."""
    left = old.view.snapshot.memory.get(goal_id)
    if left is None:
        return old, new
    taken = [key for key in left.keys if _is_taken(key, old.view, new.view)]
    # The keys that stay have tasks of their own in the old place, or had.
    gone = [key for key in left.keys if key in taken or _is_past(key, old.view, new.view)]
    news = gone if _is_used(new.view.snapshot.memory.get(goal_id)) else taken
    if all(left.keys[key].state == "removed" for key in news):
        return old, replace(new, view=_with_removed(goal_id, left, new.view))
    arrived = _arrived(goal_id, taken, old.view, new.view)
    if not _share_a_shelf(old.connector, new.connector):
        arrived = _with_incoming(arrived, len(new.view.snapshot.tasks))
    return replace(old, view=_left(goal_id, taken, gone, old.view)), replace(new, view=arrived)


def _share_a_shelf(one: Connector, other: Connector) -> bool:
    return isinstance(one, Mover) and isinstance(other, Mover) and one.shelf == other.shelf


def _with_incoming(view: ServiceView, there: int) -> ServiceView:
    """Return a view that counts the open tasks which have come to it. there: how many tasks it had before."""
    coming = sum(not task.done for task in view.snapshot.tasks[there:])
    return replace(view, incoming=view.incoming + coming)


def _left(goal_id: str, taken: Collection[str], gone: Collection[str], old: ServiceView) -> ServiceView:
    """Return the view of the place that a goal leaves. taken: the keys that the new place takes. gone: those lost."""
    moving = {task.native_id for task in old.snapshot.tasks if task.marker.key in taken}
    return replace(
        old,
        snapshot=_without(goal_id, gone, old.snapshot),
        leaving={**old.leaving, goal_id: old.snapshot.memory[goal_id]},
        outgoing=old.outgoing | _above(moving, old.snapshot),
    )


def _arrived(goal_id: str, taken: Collection[str], old: ServiceView, new: ServiceView) -> ServiceView:
    """Return the view of the place that takes over the keys `taken` of a goal. Tasks move with those above them."""
    tasks = [task for task in old.snapshot.tasks if task.marker.key in taken]
    ids = {task.native_id for task in tasks}
    arriving = {t.native_id for t in tasks if t.marker.key == goal_id or (t.here and t.parent not in ids)}
    renamed = {native_id: key for native_id, key in old.renamed.items() if native_id in ids}
    return replace(
        new,
        snapshot=_with(goal_id, taken, old.snapshot, new.snapshot),
        renamed={**new.renamed, **renamed},
        arriving=new.arriving | arriving,
    )


def _with_removed(goal_id: str, left: StoredGoal, new: ServiceView) -> ServiceView:
    """Return a view that remembers what was removed elsewhere: a task created again needs another id than it had."""
    memory = new.snapshot.memory
    known = memory.get(goal_id)
    before = known.keys if known else {}
    removed = {key: entry for key, entry in left.keys.items() if entry.state == "removed"}
    gone = {key: entry for key, entry in removed.items() if _is_later(entry, before.get(key))}
    if not gone:
        return new
    goal = known or StoredGoal(left.first_sync)
    memory = {**memory, goal_id: replace(goal, keys={**before, **gone})}
    return replace(new, snapshot=replace(new.snapshot, memory=memory))


def _is_later(removed: StoredKey, known: StoredKey | None) -> bool:
    return known is None or (known.state == "removed" and known.generation < removed.generation)


def _is_used(memory: StoredGoal | None) -> bool:
    return memory is not None and any(entry.state != "removed" for entry in memory.keys.values())


def _is_taken(key: str, old: ServiceView, new: ServiceView) -> bool:
    """Return whether the new place takes a key: it has none, or an earlier run has begun to hand the key over."""
    entry, known = old.remembered(key), new.remembered(key)
    if entry is None or known is None:
        return entry is not None
    if known.state == "removed":
        return entry.state != "removed"
    there, here = old.tasks.get(key), new.tasks.get(key)
    if here is None:
        return _was_begun(entry, known, there)
    if there is not None and there.native_id == here.native_id:
        return True
    return known.state != "pending" and _is_same(entry, known)


def _was_begun(entry: StoredKey, known: StoredKey, there: Task | None) -> bool:
    """Return whether an earlier run has begun to hand over a key of which the new place has no task.

    there: the task in the old place.
    """
    if entry.generation > known.generation:  # created again since the user dropped it
        return True
    if known.state == "pending":  # whichever place has created it; the user may have deleted it there since
        return there is not None or (entry.state != "pending" and entry.generation == known.generation)
    return _is_same(entry, known)


def _is_same(entry: StoredKey, known: StoredKey) -> bool:
    if entry.native_id != known.native_id:
        return False
    return entry.native_id != "" or entry.state == known.state == "done"  # what was done before it was created


def _is_past(key: str, old: ServiceView, new: ServiceView) -> bool:
    """Return whether what the old place has of a key no longer counts."""
    entry, known = old.remembered(key), new.remembered(key)
    since = entry is not None and known is not None and known.generation > entry.generation
    return key not in old.tasks and (since or entry is None or entry.state != "done")


def _without(goal_id: str, keys: Collection[str], snapshot: Snapshot) -> Snapshot:
    """Return a snapshot without some keys of a goal: tasks, copies and memory."""
    goal, nonces = snapshot.memory[goal_id], _nonces(keys, snapshot)
    rest = {key: entry for key, entry in goal.keys.items() if key not in keys}
    memory = {other: known for other, known in snapshot.memory.items() if other != goal_id}
    if rest:
        memory[goal_id] = replace(goal, keys=rest)
    tasks = tuple(task for task in snapshot.tasks if task.marker.key not in keys)
    copies = tuple(task for task in snapshot.copies if task.marker.nonce not in nonces)
    return replace(snapshot, tasks=tasks, copies=copies, memory=memory)


def _planned(memory: StoredGoal) -> tuple[bool, date]:
    """Return a sort key for plans: of those that were published with tasks, the newest counts."""
    return _is_used(memory), memory.made or date.min


def _above(ids: Collection[str], snapshot: Snapshot) -> set[str]:
    """Return the native ids of the other tasks of ours that some tasks stand below."""
    parents = {task.native_id: task.parent for task in snapshot.tasks}
    found: set[str] = set()
    for native_id in ids:
        above = parents.get(native_id, "")
        while above in parents and above not in found:
            found.add(above)
            above = parents[above]
    return found - set(ids)


def _nonces(keys: Collection[str], snapshot: Snapshot) -> set[str]:
    """Return the nonces of tasks, which their copies have: these may still have the key before a rename."""
    return {task.marker.nonce for task in snapshot.tasks if task.marker.key in keys}


def _with(goal_id: str, keys: Collection[str], old: Snapshot, new: Snapshot) -> Snapshot:
    """Return the snapshot of the new place with the tasks, copies and memory of some keys of a goal."""
    nonces = _nonces(keys, old)
    tasks = _missing(new.tasks, (task for task in old.tasks if task.marker.key in keys))
    copies = _missing(new.copies, (copy for copy in old.copies if copy.marker.nonce in nonces))
    memory = _joined(old.memory[goal_id], new.memory.get(goal_id), keys)
    return replace(
        new,
        tasks=(*new.tasks, *tasks),
        copies=(*new.copies, *copies),
        memory={**new.memory, goal_id: memory},
        damaged=new.damaged | (old.damaged & {task.native_id for task in tasks}),
        remembers=True,
    )


def _missing(there: Iterable[Task], tasks: Iterable[Task]) -> list[Task]:
    """Return those of the tasks that are not there."""
    ids = {task.native_id for task in there}
    return [task for task in tasks if task.native_id not in ids]


def _joined(left: StoredGoal, known: StoredGoal | None, keys: Iterable[str]) -> StoredGoal:
    """Return the memory of a goal in its new place. left: that in the old one, of which `keys` are taken."""
    if known is None:
        return replace(left, keys={key: left.keys[key] for key in keys})
    taken = {key: left.keys[key] for key in keys if _replaces(left.keys[key], known.keys.get(key))}
    plan = max(known, left, key=_planned)  # of one day, the plan of the new place is newer
    return replace(plan, keys={**known.keys, **taken})


def _replaces(entry: StoredKey, known: StoredKey | None) -> bool:
    """Return whether the old place's entry of a key is newer than the new place's."""
    return known is None or known.state in ("removed", "pending") or entry.generation > known.generation


# Between accounts


def _inherit(home: Site, sites: Sequence[Site], keys: Collection[str]) -> ServiceView:
    """Return a view with what is known of its new tasks in places that their goals have left."""
    view = home.view
    others = [site for site in sites if site.connector is not home.connector]
    for old in others:
        entries = _entries(old.view, home.goals - old.goals)
        news = {key: entry for key, entry in entries if step_of(key) in keys and _is_new(view, key)}
        if news:
            there = {key: old.view.tasks[key] for key in news if key in old.view.tasks}
            memory = _with_dropped(view.snapshot.memory, old.view, news)
            snapshot = replace(view.snapshot, memory=memory)
            view = replace(view, snapshot=snapshot, inherited={**there, **view.inherited})
    departing = frozenset[str]().union(*(site.goals for site in others)) - home.goals
    return replace(view, departing=departing & view.snapshot.memory.keys())


def with_carried(old: ServiceView, sites: Sequence[Site], created: Mapping[str, Collection[str]]) -> ServiceView:
    """Return a view of a place that goals have left, with what all their new places take over of its tasks.

    Whom a task is assigned to is not among it: a person may be unknown in the new place. created: by the label of each
    place, the keys of the tasks that are about to be created there; a step that has left the file is not among them.
    """
    carried: dict[str, frozenset[str]] = {}
    for goal_id in old.departing:
        homes = [site for site in sites if goal_id in site.goals]
        fields = frozenset.intersection(*(site.connector.capabilities.fields for site in homes)) - {"who"}
        for task in old.tasks.values():
            if _goal(task) == goal_id and _is_taken_over(homes, task, created):
                carried[task.native_id] = fields
    return replace(old, carried=carried)


def _is_taken_over(homes: Iterable[Site], task: Task, created: Mapping[str, Collection[str]]) -> bool:
    """Return whether each of the places creates the task, and inherits this one."""
    key, views = task.marker.key, [home.view for home in homes]
    return all(view.inherited.get(key) is task and key in created.get(view.label, ()) for view in views)


def _entries(view: ServiceView, goals: Iterable[str]) -> Iterable[tuple[str, StoredKey]]:
    for goal_id in sorted(goals):
        if goal_id in view.snapshot.memory:
            yield from view.snapshot.memory[goal_id].keys.items()


def _is_new(view: ServiceView, key: str) -> bool:
    entry = view.remembered(key)
    return key not in view.tasks and (entry is None or entry.state == "removed")


def _with_dropped(
    memory: Mapping[str, StoredGoal], old: ServiceView, news: Mapping[str, StoredKey]
) -> dict[str, StoredGoal]:
    """Return a memory with the tasks that the user dropped in the place that the goal has left."""
    dropped = {key: entry for key, entry in news.items() if old.dropped(key, entry.definition, recreate=False)}
    found = dict(memory)
    for key, entry in dropped.items():
        goal_id = goal_of(key)
        goal = found.get(goal_id) or StoredGoal(old.snapshot.memory[goal_id].first_sync)
        before = goal.keys.get(key)
        generation = before.generation if before is not None else 1
        new = StoredKey("dropped", "", generation, definition=entry.definition)
        found[goal_id] = replace(goal, keys={**goal.keys, key: new})
    return found
