"""Snapshots whose memory is lost or damaged, and snapshots of places that the goals file no longer names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.display import count
from config.errors import RefusedError
from config.keys import HEARTBEAT, goal_of, is_in_goal
from connectors.model import StoredGoal, StoredKey
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from config.project import Goal, Project
    from connectors.model import Snapshot, StepState, Task
    from sync.run.homes import Binding


def part_of_file(home: Binding, snapshot: Snapshot, project: Project) -> Snapshot:
    """Return the part of a snapshot that belongs to the goals of the file, which does not name the place.

    All else may belong to another file.

    Raises RefusedError where the place has goals of the file beside others, so that it may be in use.
    """
    goals = _names(project)
    strange = _goals_in(snapshot, ("live", "pending")) - goals - {HEARTBEAT}
    known = _goals_in(snapshot, ("live", "pending", "done", "dropped")) & goals
    if known and strange:
        raise RefusedError(
            f"{home.label}: holds tasks of {', '.join(sorted(known))}, which have another place in the goals "
            f"file, and of {', '.join(sorted(strange))}, which it does not have. If another goals file uses that "
            "place, give this one a `namespace:` of its own. If none does, write the place under `retired:`, and "
            "its tasks are cleared. Nothing was changed."
        )
    if strange:  # nothing of it is this file's, its heartbeat included
        return replace(snapshot, tasks=(), copies=(), memory={}, remembers=True, damage="")
    return _part(snapshot, goals)


def _names(project: Project) -> set[str]:
    """Return the ids that the goals of the file have or had, and the goals that their steps come from."""
    return {name for goal in project.goals for name in _names_of(goal)}


def _names_of(goal: Goal) -> Iterator[str]:
    yield from filter(None, (goal.id, goal.was))
    yield from (goal_of(step.was) for step in goal.steps if step.was and is_in_goal(step.was))


def _goals_in(snapshot: Snapshot, states: Collection[StepState]) -> set[str]:
    """Return the ids of the goals of which the memory has a key in one of these states."""
    entries = ((goal_id, entry) for goal_id, goal in snapshot.memory.items() for entry in goal.keys.values())
    return {goal_id for goal_id, entry in entries if entry.state in states}


def _part(snapshot: Snapshot, goals: Collection[str]) -> Snapshot:
    """Return a snapshot with the tasks of some goals.

    A marker that could not be written again may have the name of two renames ago: such a task is found by its id.
    """
    memory = {goal_id: goal for goal_id, goal in snapshot.memory.items() if goal_id in goals}
    ids = {entry.native_id for _, entry in entries_of(memory)} - {""}

    def belongs(task: Task) -> bool:
        goal_id = goal_of(task.marker.key)
        return goal_id in goals or goal_id == HEARTBEAT or bool({task.native_id, task.marker.nonce} & ids)

    tasks, copies = tuple(filter(belongs, snapshot.tasks)), tuple(filter(belongs, snapshot.copies))
    lost = not all(_is_remembered(task, snapshot) for task in tasks)
    return replace(snapshot, tasks=tasks, copies=copies, damage=snapshot.damage if lost else "", remembers=not lost)


def with_missing_entries(home: Binding, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot, as damaged if a goal has tasks and no memory.

    Only if a service writes tasks and memory at once: elsewhere an interrupted run leaves tasks like that.
    """
    if not home.connector.capabilities.atomic or snapshot.damage or not snapshot.remembers:
        return snapshot
    goals = {goal_of(task.marker.key) for task in snapshot.tasks if not _is_remembered(task, snapshot)} & home.goals
    if not goals:
        return snapshot
    lost = ", ".join(f"`{goal}`" for goal in sorted(goals))
    return replace(snapshot, damage=f"{home.label}: the memory has no entry for {lost}, of which there are tasks")


def is_lost(snapshot: Snapshot) -> bool:
    """Return whether the memory of some tasks is missing or damaged."""
    return bool(snapshot.damage) or (bool(snapshot.tasks) and not snapshot.remembers)


def _is_remembered(task: Task, snapshot: Snapshot) -> bool:
    """Return whether the memory has a task's goal, perhaps under another name than the task's marker."""
    entries = (entry for _, entry in entries_of(snapshot.memory))
    known = goal_of(task.marker.key) in snapshot.memory
    return known or any(entry.native_id in (task.native_id, task.marker.nonce) for entry in entries)


def rebuilt_memory(home: Binding, snapshot: Snapshot, today: date, *, rebuild: bool) -> Snapshot:
    """Return the snapshot with a memory made from the tasks, for the goals that have none.

    Raises RefusedError unless the user asked for that with `rebuild`.
    """
    if not rebuild:
        lost = snapshot.damage or f"{home.label}: the memory beside our {count(len(snapshot.tasks), 'task')} is gone"
        remedy = f"{snapshot.remedy}, or run" if snapshot.remedy else "Run"
        forgotten = "; dates and titles that you gave tasks do not count as yours any more" if snapshot.taken else ""
        raise RefusedError(
            f"{lost}. {remedy} `backplan sync --rebuild`: it makes a new memory from the tasks, and steps that you had "
            f"deleted come back{forgotten}. Nothing was changed."
        )
    memory = dict(snapshot.memory)
    for task in snapshot.tasks:
        marker = task.marker
        goal_id = goal_of(marker.key)
        if not _is_remembered(task, snapshot):
            goal = memory.get(goal_id) or StoredGoal(first_sync=today)
            entry = StoredKey("live", task.native_id, marker.generation)
            memory[goal_id] = replace(goal, keys={**goal.keys, marker.key: entry})
    return replace(snapshot, memory=memory, remembers=True, damage="", mending=True)
