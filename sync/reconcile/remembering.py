"""Works out what an app is to remember once its plan is carried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of, is_occurrence
from connectors.base import Action
from connectors.model import StoredGoal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from connectors.model import StoredKey, Task
    from sync.reconcile.change import Change
    from sync.reconcile.context import Context
    from sync.reconcile.desired import DesiredGoal


def remembered_goal(context: Context, goal: DesiredGoal, entries: Mapping[str, StoredKey]) -> StoredGoal | None:
    """Return the memory of a goal that is planned; None where there is nothing to remember.

    entries: those of the goal's tasks. Keys that the file no longer has keep theirs.
    """
    before = context.view.snapshot.memory.get(goal.goal_id)
    others = {key: entry for key, entry in before.keys.items() if key not in entries} if before else {}
    keys = {**entries, **others}
    if not keys:
        return None
    first_sync = before.first_sync if before else goal.first_sync
    dates = {task.key: task.dates for task in goal.tasks if task.dates is not None}
    kept = _kept(before, keys) if before and before.digest == goal.digest else {}
    over = {key: before.began[key] for key in kept if key not in dates and key in before.began} if before else {}
    return StoredGoal(first_sync, keys, goal.made, goal.digest, {**kept, **dates}, {**over, **goal.began})


def _kept(before: StoredGoal, keys: Mapping[str, StoredKey]) -> dict[str, tuple[date, date]]:
    """Return the dates that stay part of a plan while its timing is the same: those of steps done by now as well.

    Those of occurrences that it no longer has do not stay.
    """
    return {key: days for key, days in before.dates.items() if not is_occurrence(key) or _is_over(keys.get(key))}


def _is_over(entry: StoredKey | None) -> bool:
    return entry is not None and entry.state in ("done", "dropped")


def remember_leftovers(
    context: Context,
    goals: Mapping[str, StoredGoal],
    wanted: Collection[str],
    going: Collection[str],
    skipped: Collection[str],
) -> dict[str, StoredGoal]:
    """Return the memory of all goals, in which the keys have ended that the file no longer has.

    goals: the memory of the goals that are planned. wanted: the keys that the file has. going: the keys whose task is
    removed or detached. skipped: the ids of the goals whose memory stays as it is.
    """
    memory = dict(goals)
    for goal_id, before in context.view.snapshot.memory.items():
        if goal_id in skipped:
            memory[goal_id] = before
            continue
        goal = memory.get(goal_id, before)
        ended = {
            key: _ended(context, key, entry)
            for key, entry in goal.keys.items()
            if key not in wanted and _ends(context, key, entry, going)
        }
        memory[goal_id] = replace(goal, keys={**goal.keys, **ended})
    return memory


def keys_let_go(leaving: Mapping[str, Task], changes: Iterable[Change]) -> set[str]:
    """Return which of the tasks in `leaving` are removed or detached. A copy has the same key, and another id."""
    let_go = {
        change.write.native_id for change in changes if change.write and change.action in (Action.REMOVE, Action.DETACH)
    }
    return {key for key, task in leaving.items() if task.native_id in let_go}


def _ends(context: Context, key: str, entry: StoredKey, going: Collection[str]) -> bool:
    """Return whether the memory forgets all about a key but that it was there.

    A step that was done stays done, in case it comes back into the file, unless the user reopened it.
    """
    if entry.state == "done":
        return key in context.run.reopened
    return key in going or (key not in context.view.tasks and entry.state in ("live", "pending"))


def _ended(context: Context, key: str, entry: StoredKey) -> StoredKey:
    """Return the entry of a key that ends: done where it is done, even if no run has seen that before."""
    done = context.run.done
    stays = goal_of(key) not in context.view.departing  # else the other place finds out what a tick completes
    if key in done or (stays and context.view.ticked(key)):
        return replace(entry, state="done", done_on=done.get(key, context.run.today))
    task = context.view.tasks.get(key)  # by its id, as a copy has the same nonce
    return replace(entry, state="removed", native_id=task.native_id if task else entry.native_id)
