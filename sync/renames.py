"""Follows goals and steps whose id changed: by `was:`, or by their place where the id came from the title."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import GoalsFileError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.network import Goal, Project
    from connectors.base import GoalMemory, Snapshot


def find_renames(project: Project, snapshot: Snapshot) -> dict[str, str]:
    """Return old key -> new key for every goal and step that a connector remembers under another key.

    Raises GoalsFileError where several titles changed at one place, so that only a guess could tell which became which.
    """
    memory: dict[str, tuple[str, ...]] = {}
    for goal_id, remembered in snapshot.memory.items():
        if known := tuple(key for key, entry in remembered.keys.items() if entry.state != "removed"):
            memory[goal_id] = known
    problems: list[Problem] = []
    goals = _goals(project, memory, problems) if memory else {}
    moved = _moved(project, memory)
    renames: dict[str, str] = {}
    for goal in project.goals:
        old_id = goals.get(goal.id, goal.id)
        if old_id in memory:
            stayed = {goal_id: tuple(k for k in keys if k not in moved) for goal_id, keys in memory.items()}
            renames.update(_steps(goal, old_id, stayed, problems))
    renames.update(moved)
    if problems:
        raise GoalsFileError(problems)
    return {old: new for old, new in renames.items() if old != new}


def rename(snapshot: Snapshot, renames: Mapping[str, str]) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot with its keys as the file has them now, and new key -> old one for each task that changes.

    A run that was cut short may have renamed the memory and not the task: then the native id tells which task it is.
    """
    memory = _rename_memory(snapshot, renames) if renames else snapshot.memory
    known = {entry.native_id: key for goal in memory.values() for key, entry in goal.keys.items() if entry.native_id}
    present = {task.marker.key for task in snapshot.tasks}
    changed: dict[str, str] = {}
    tasks = []
    for task in snapshot.tasks:
        old = task.marker.key
        new = renames.get(old) or known.get(task.native_id, old)
        if new != old and (old in renames or new not in present):
            changed[new] = old
            task = replace(task, marker=replace(task.marker, key=new))
        tasks.append(task)
    return replace(snapshot, tasks=tuple(tasks), memory=memory), changed


def _rename_memory(snapshot: Snapshot, renames: Mapping[str, str]) -> dict[str, GoalMemory]:
    memory: dict[str, GoalMemory] = {}
    for goal in snapshot.memory.values():
        for key, entry in goal.keys.items():
            new = renames.get(key, key)
            home = new.partition("/")[0]
            before = memory.get(home) or replace(goal, keys={}, dates={})
            dates = {**before.dates, **({new: goal.dates[key]} if key in goal.dates else {})}
            memory[home] = replace(before, keys={**before.keys, new: entry}, dates=dates)
    return memory


def _moved(project: Project, memory: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return old key -> new key for the steps that went from one goal to another."""
    return {
        step.was: step.key
        for goal in project.goals
        for step in goal.steps
        if step.was
        and step.was in memory.get(step.was.partition("/")[0], ())
        and step.key not in memory.get(goal.id, ())
    }


def _goals(project: Project, memory: Mapping[str, tuple[str, ...]], problems: list[Problem]) -> dict[str, str]:
    """Return new goal id -> old one."""
    said = {goal.id: goal.was for goal in project.goals if goal.was and goal.was in memory and goal.id not in memory}
    news = [goal for goal in project.goals if goal.id not in said]
    found = _by_place(
        [goal_id for goal_id in memory if goal_id not in said.values()],
        [(goal.id, goal.titled_id) for goal in news],
    )
    for new, old in found.items():
        if old is None:
            goal = project.goal(new)
            assert goal is not None  # noqa: S101  # it came from the project
            problems.append(Problem(goal.origin.at("title"), _doubt("goals")))
    return {**said, **{new: old for new, old in found.items() if old is not None}}


def _steps(goal: Goal, old_id: str, memory: Mapping[str, tuple[str, ...]], problems: list[Problem]) -> dict[str, str]:
    """Return old key -> new key for the keys of one goal, its own among them."""
    renames = {old_id: goal.id}
    known = [key for key in memory[old_id] if "/" in key]
    said: dict[str, str] = {}
    for step in goal.steps:
        if step.was is not None and "/" not in step.was and f"{old_id}/{step.id}" not in known:
            said[step.key] = f"{old_id}/{step.was}"
    present = [(f"{old_id}/{step.id}", step.titled_id) for step in goal.steps if step.key not in said]
    found = _by_place([key for key in known if key not in said.values()], present)
    steps = {f"{old_id}/{step.id}": step for step in goal.steps}
    for new, old in found.items():
        if old is None:
            problems.append(Problem(steps[new].origin.at("title"), _doubt("steps")))
        else:
            renames[old] = steps[new].key
    renames.update({was: new for new, was in said.items()})
    renames.update({key: f"{goal.id}/{key.partition('/')[2]}" for key in known if key not in renames})
    return renames


def _by_place(old: Sequence[str], new: Sequence[tuple[str, bool]]) -> dict[str, str | None]:
    """Return new -> old for ids made from titles that stand where another one stood; None where that is in doubt.

    Both lists are cut at the ids they share. In each stretch, one that went and one that came are the same; several of
    each are a doubt; ids that only went or only came are no renames.
    """
    current = {key for key, _ in new}
    shared = {key for key in old if key in current}
    went, came = _stretches([(key, True) for key in old], shared), _stretches(list(new), shared)
    matches: dict[str, str | None] = {}
    for before, gone in went.items():
        arrived = came.get(before, [])
        if len(gone) == 1 and len(arrived) == 1:
            matches[arrived[0]] = gone[0]
        elif gone and arrived:
            matches[arrived[0]] = None
    return matches


def _stretches(keys: Sequence[tuple[str, bool]], shared: set[str]) -> dict[str, list[str]]:
    """Return the keys that are not shared (and count), by the shared key that they follow."""
    stretches: dict[str, list[str]] = {}
    last = ""
    for key, counts in keys:
        if key in shared:
            last = key
        elif counts:
            stretches.setdefault(last, []).append(key)
    return stretches


def _doubt(what: str) -> str:
    return (
        f"several {what} changed their titles here, and only a guess could tell which became which; "
        "write `was: OLD-ID` at those that were renamed, or an `id` at those that are new"
    )
