"""Finds the user's own tasks that have the title of a step about to be created, so that these take them over. Pure.

Only in lists on this machine: elsewhere a task may be somebody else's. A task fits if it alone has the step's title, is
open, and no other new step has that title. It keeps its title, notes and labels, and gets the plan's date; its own date
is kept as text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import is_in_goal
from connectors.model import digest
from sync.reconcile.lost_tasks import Source, new_tasks
from sync.reconcile.strays import with_tasks

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.project import Project
    from connectors.base import Connector
    from connectors.model import Snapshot, Stray, Task
    from sync.reconcile.lost_tasks import Lost
    from sync.schedule.model import Schedule


def adopted(
    project: Project, connector: Connector, snapshot: Snapshot, goals: Collection[str], planned: Schedule
) -> Snapshot:
    """Return the snapshot with the user's tasks that fit among its tasks. The parameters are as in `take_back`."""
    source = Source(project, connector, snapshot, goals, planned, afresh=False)
    found = _pairs(source)
    whole = with_tasks(source, (), list(found.values()))
    tasks = (_with_start(task) if task.marker.key in found else task for task in whole.tasks)
    return replace(whole, tasks=tuple(tasks))


def _with_start(task: Task) -> Task:
    """Return an adopted task whose first day is the plan's to change, as its date is."""
    applied = {**task.marker.applied, "start": digest(task.content.start)}
    return replace(task, marker=replace(task.marker, applied=applied))


def candidates(
    project: Project, connector: Connector, snapshot: Snapshot, goals: Collection[str], planned: Schedule
) -> dict[str, Stray]:
    """Return the user's tasks that fit, by the keys of the steps."""
    source = Source(project, connector, snapshot, goals, planned, afresh=False)
    return {key: stray for key, (_, stray) in _pairs(source).items()}


def _pairs(source: Source) -> dict[str, tuple[Lost, Stray]]:
    if not source.connector.capabilities.local:
        return {}
    snapshot = source.snapshot
    known = {task.marker.key for task in snapshot.tasks}.union(*(goal.keys for goal in snapshot.memory.values()))
    new = [one for one in new_tasks(source) if one.key not in known and is_in_goal(one.key)]
    taken = {stray.place for stray in snapshot.taken.values()}
    strays: dict[str, list[Stray]] = {}
    for stray in snapshot.strays:
        if stray.place not in taken:
            strays.setdefault(stray.content.title, []).append(stray)
    often = Counter(one.content.title for one in new)
    fitting = ((one, strays.get(one.content.title, [])) for one in new if often[one.content.title] == 1)
    return {one.key: (one, found[0]) for one, found in fitting if len(found) == 1 and _is_open(found[0])}


def _is_open(stray: Stray) -> bool:
    return stray.boxed and not (stray.done or stray.dropped or stray.unread)
