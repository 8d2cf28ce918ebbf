"""Goals that changed their place: whose tasks and memory another place takes over, and what a new app inherits. Pure.

Within one account the tasks themselves move: the new place remembers them first, then they move, and only then does the
old place forget them. So a run that is cut short shows in both memories, and the next run finishes the move. Between
accounts nothing can move: the new place makes the tasks with what people had changed in the old ones, which go last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from config.keys import goal_of, step_of
from connectors.base import Mover
from connectors.model import StoredKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from connectors.base import Connector
    from connectors.model import Snapshot, StoredGoal, Task
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
    views = [site.view for site in sites]
    for old in range(len(sites)):
        for new in range(len(sites)):
            if share_an_account(sites[old].connector, sites[new].connector):
                for goal_id in sorted(sites[new].goals - sites[old].goals):
                    there = len(views[new].snapshot.tasks)
                    views[old], views[new] = _move(goal_id, views[old], views[new])
                    if not _share_a_shelf(sites[old].connector, sites[new].connector):
                        views[new] = _with_incoming(views[new], there)
    homes = [replace(site, view=view) for site, view in zip(sites, views, strict=True)]
    homes = [replace(home, view=_without_shared(home, homes)) for home in homes]
    return tuple(_inherit(home, homes, keys) for home in homes)


def share_an_account(one: Connector, other: Connector) -> bool:
    """Return whether tasks can move between two places."""
    return isinstance(one, Mover) and isinstance(other, Mover) and one is not other and one.account == other.account


def _without_shared(home: Site, sites: Sequence[Site]) -> ServiceView:
    """Return a view without the tasks that another place of the account has, for a goal that the file puts there.

    A run that handed a goal over was cut short, and then the file gave the goal its old name and place back: what has
    moved comes back. Where the file took the goal out instead, each task is of the place where it stands.
    """
    view, others = home.view, [site for site in sites if share_an_account(home.connector, site.connector)]
    named = frozenset[str]().union(*(site.goals for site in sites))
    wanted = {
        task.native_id
        for one in others
        for task in one.view.tasks.values()
        if goal_of(task.marker.key) in one.goals or (goal_of(task.marker.key) not in named and task.here)
    }
    moved = {task.native_id for other in others for task in other.view.tasks.values() if task.here}
    ids = {task.native_id for task in view.snapshot.tasks}
    back = {
        task.native_id
        for task in view.tasks.values()
        if task.native_id in moved
        and goal_of(task.marker.key) in home.goals
        and ("/" not in task.marker.key or task.parent not in ids)
    }
    tasks = [
        task for task in view.snapshot.tasks if goal_of(task.marker.key) in home.goals or task.native_id not in wanted
    ]
    there = {
        task.marker.nonce for one in others for task in one.view.tasks.values() if goal_of(task.marker.key) in one.goals
    }
    copies = [task for task in tasks if task.marker.nonce in there and _is_copy(task, home)]
    snapshot = replace(
        view.snapshot,
        tasks=tuple(task for task in tasks if task not in copies),
        copies=(*view.snapshot.copies, *copies),
    )
    return replace(view, snapshot=snapshot, arriving=view.arriving | back)


def _is_copy(task: Task, home: Site) -> bool:
    """Return whether a place that a goal leaves does not know a task beside the one that the new place has."""
    entry = home.view.remembered(task.marker.key)
    known = entry is not None and entry.native_id == task.native_id
    return goal_of(task.marker.key) not in home.goals and not known


def _share_a_shelf(one: Connector, other: Connector) -> bool:
    return isinstance(one, Mover) and isinstance(other, Mover) and one.shelf == other.shelf


def _with_incoming(view: ServiceView, there: int) -> ServiceView:
    """Return a view with the open tasks counted that have come to it, beside the first ones that were there."""
    coming = sum(not task.done for task in view.snapshot.tasks[there:])
    return replace(view, incoming=view.incoming + coming)


# Within one account


def _move(goal_id: str, old: ServiceView, new: ServiceView) -> tuple[ServiceView, ServiceView]:
    """Return two views after the second has taken over from the first what it lacks of a goal."""
    left, known = old.snapshot.memory.get(goal_id), new.snapshot.memory.get(goal_id)
    if left is None:
        return old, new
    taken = [key for key in left.keys if _is_taken(key, old, new)]
    # The keys that stay have tasks of their own in the old place, or had.
    gone = [key for key in left.keys if key in taken or _is_past(key, old, new)]
    news = taken if not _is_used(known) else gone
    if all(left.keys[key].state == "removed" for key in news):
        return old, replace(new, snapshot=_with_removed(goal_id, left, new.snapshot))
    tasks = [task for task in old.snapshot.tasks if task.marker.key in taken]
    ids = {task.native_id for task in tasks}
    arriving = {t.native_id for t in tasks if t.marker.key == goal_id or (t.here and t.parent not in ids)}
    renamed = {native_id: key for native_id, key in old.renamed.items() if native_id in ids}
    return (
        replace(
            old,
            snapshot=_without(goal_id, gone, old.snapshot),
            leaving={**old.leaving, goal_id: left},
            outgoing=old.outgoing | _above(ids, old.snapshot),
        ),
        replace(
            new,
            snapshot=_with(goal_id, taken, old.snapshot, new.snapshot),
            renamed={**new.renamed, **renamed},
            arriving=new.arriving | arriving,
        ),
    )


def _with_removed(goal_id: str, left: StoredGoal, new: Snapshot) -> Snapshot:
    """Return a snapshot that knows what was removed elsewhere: made again, it needs another id than it had there."""
    known = new.memory.get(goal_id)
    before = known.keys if known else {}
    gone = {
        key: entry
        for key, entry in left.keys.items()
        if entry.state == "removed"
        and (key not in before or (before[key].state == "removed" and before[key].generation < entry.generation))
    }
    if not gone:
        return new
    goal = known or replace(left, made=None, digest="", dates={})
    return replace(new, memory={**new.memory, goal_id: replace(goal, keys={**before, **gone})})


def _is_used(memory: StoredGoal | None) -> bool:
    return memory is not None and any(entry.state != "removed" for entry in memory.keys.values())


def _is_taken(key: str, old: ServiceView, new: ServiceView) -> bool:
    """Return whether the new place takes a key: it is unknown there, or an earlier run has begun to hand it over."""
    entry, known = old.remembered(key), new.remembered(key)
    if entry is None or known is None:
        return entry is not None
    if known.state == "removed":
        return entry.state != "removed"
    there, here = old.tasks.get(key), new.tasks.get(key)
    if there is not None and here is not None and there.native_id == here.native_id:
        return True
    if entry.generation > known.generation and here is None:  # made anew since a person dropped it
        return True
    if known.state == "pending":  # whoever has made it; a person may have deleted it there since
        made = there is not None or (entry.state != "pending" and entry.generation >= known.generation)
        return made and here is None
    same = entry.native_id == known.native_id
    return same and (entry.native_id != "" or entry.state == known.state == "done")  # what was done before it was made


def _is_past(key: str, old: ServiceView, new: ServiceView) -> bool:
    """Return whether the old place has nothing of a key any more that counts."""
    entry, known = old.remembered(key), new.remembered(key)
    since = entry is not None and known is not None and known.generation > entry.generation
    return key not in old.tasks and (since or entry is None or entry.state != "done")


def _without(goal_id: str, keys: Collection[str], snapshot: Snapshot) -> Snapshot:
    goal, nonces = snapshot.memory[goal_id], _nonces(keys, snapshot)
    rest = {key: entry for key, entry in goal.keys.items() if key not in keys}
    kept = {goal_id: replace(goal, keys=rest)} if rest else {}
    return replace(
        snapshot,
        tasks=tuple(task for task in snapshot.tasks if task.marker.key not in keys),
        copies=tuple(task for task in snapshot.copies if task.marker.nonce not in nonces),
        memory={other: memory for other, memory in snapshot.memory.items() if other != goal_id} | kept,
    )


def _planned(memory: StoredGoal) -> tuple[bool, date]:
    """Return a sort key for the plan that counts: the newest of those that were published with tasks."""
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
    """Return by what copies of tasks are known: they may still have the key that the goals file has renamed."""
    return {task.marker.nonce for task in snapshot.tasks if task.marker.key in keys}


def _with(goal_id: str, keys: Collection[str], old: Snapshot, new: Snapshot) -> Snapshot:
    left, known = old.memory[goal_id], new.memory.get(goal_id)
    there = {task.native_id for task in new.tasks}
    tasks = [task for task in old.tasks if task.marker.key in keys and task.native_id not in there]
    waits = ("removed", "pending")
    seen = {task.native_id for task in new.copies}
    copies = [c for c in old.copies if c.marker.nonce in _nonces(keys, old) and c.native_id not in seen]
    before = known.keys if known is not None else {}
    begun = {key for key in keys if key in before and before[key].state not in waits}
    since = {key for key in begun if left.keys[key].generation > before[key].generation}
    taken = {key: left.keys[key] for key in keys if key not in begun - since}
    plan = max([*([known] if known else []), left], key=_planned)  # of one day, what the new place was told is newer
    return replace(
        new,
        tasks=(*new.tasks, *tasks),
        copies=(*new.copies, *copies),
        memory={**new.memory, goal_id: replace(plan, keys={**(known.keys if known else {}), **taken})},
        damaged=new.damaged | (old.damaged & {task.native_id for task in tasks}),
        remembers=True,
    )


# Between accounts


def _inherit(home: Site, sites: Sequence[Site], keys: Collection[str]) -> ServiceView:
    """Return a view with what is known of its new tasks in places that their goals have left."""
    view = home.view
    for site in sites:
        if site.connector is home.connector:
            continue
        gone = home.goals - site.goals
        there = ((key, entry) for key, entry in _entries(site.view, gone) if step_of(key) in keys)
        news = {key: entry for key, entry in there if _is_new(view, key)}
        if news:
            view = replace(
                view,
                snapshot=_with_dropped(view.snapshot, site.view, news),
                inherited={**{key: site.view.tasks[key] for key in news if key in site.view.tasks}, **view.inherited},
            )
    departing = {goal_id for site in sites if site.connector is not home.connector for goal_id in site.goals}
    return replace(view, departing=frozenset(departing - home.goals) & view.snapshot.memory.keys())


def with_carried(old: ServiceView, sites: Sequence[Site], made: Mapping[str, Collection[str]]) -> ServiceView:
    """Return a view of a place that goals have left, with what all their new places take over of its tasks.

    Whom a task is assigned to is not among it: a person may be unknown in the new place. made: by the label of each
    place, the keys of the tasks that are about to be made there; a step that has left the file is not among them.
    """
    carried: dict[str, frozenset[str]] = {}
    for goal_id in old.departing:
        homes = [site for site in sites if goal_id in site.goals]
        fields = frozenset.intersection(*(site.connector.capabilities.fields for site in homes)) - {"who"}
        for key, task in old.tasks.items():
            if goal_of(task.marker.key) == goal_id and all(_takes_over(home.view, key, task, made) for home in homes):
                carried[task.native_id] = fields
    return replace(old, carried=carried)


def _takes_over(new: ServiceView, key: str, task: Task, made: Mapping[str, Collection[str]]) -> bool:
    return new.inherited.get(key) is task and key in made.get(new.label, ())


def _entries(view: ServiceView, goals: Iterable[str]) -> Iterable[tuple[str, StoredKey]]:
    for goal_id in sorted(goals):
        if goal_id in view.snapshot.memory:
            yield from view.snapshot.memory[goal_id].keys.items()


def _is_new(view: ServiceView, key: str) -> bool:
    entry = view.remembered(key)
    return key not in view.tasks and (entry is None or entry.state == "removed")


def _with_dropped(snapshot: Snapshot, old: ServiceView, news: Mapping[str, StoredKey]) -> Snapshot:
    """Return a snapshot that remembers what a person dropped in the place that the goal has left."""
    dropped = {key: entry for key, entry in news.items() if old.dropped(key, entry.definition, recreate=False)}
    memory = dict(snapshot.memory)
    for key, entry in dropped.items():
        goal_id = goal_of(key)
        goal = memory.get(goal_id) or replace(old.snapshot.memory[goal_id], keys={}, made=None, digest="", dates={})
        before = goal.keys.get(key)
        generation = before.generation if before is not None else 1
        memory[goal_id] = replace(
            goal,
            keys={**goal.keys, key: StoredKey("dropped", "", generation, definition=entry.definition)},
        )
    return replace(snapshot, memory=memory)
