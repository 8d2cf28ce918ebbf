"""Tasks that a service no longer shows: the user may have deleted a few of them, and hardly many at once.

Where a token loses its rights, a service answers that there is no such task, as it does for a deleted one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import step_of
from sync.reconcile.safety import MASS_CHANGE_FLOOR, MASS_CHANGE_SHARE
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from config.project import Project
    from connectors.model import Snapshot


def too_many(project: Project, snapshot: Snapshot, *, families: bool) -> str:
    """Return why a snapshot cannot be true; empty where it can.

    families: whether the service deletes, with a task, the tasks below it; the user has then deleted one.
    """
    above = _above(project)
    live = _live(snapshot, above.keys())
    there = _ids(snapshot)
    gone = {key for key, native_id in live.items() if native_id not in there}
    deeds = [key for key in gone if not families or gone.isdisjoint(above[step_of(key)])]
    if len(deeds) <= max(MASS_CHANGE_FLOOR, MASS_CHANGE_SHARE * len(live)):
        return ""
    return (
        f"of {len(gone)} of the {len(live)} tasks that should be there, it says that there are none. Rights may have "
        "been taken away: see that whoever the token belongs to can open them. If you deleted them, run again with "
        "--allow-mass-change"
    )


def _ids(snapshot: Snapshot) -> set[str]:
    """Return the native ids and nonces of the tasks that are there."""
    return {name for task in (*snapshot.tasks, *snapshot.copies) for name in (task.native_id, task.marker.nonce)}


def _live(snapshot: Snapshot, keys: Collection[str]) -> dict[str, str]:
    """Return the native ids of the tasks that should be there, by key."""
    entries = entries_of(snapshot.memory)
    return {key: entry.native_id for key, entry in entries if entry.state == "live" and step_of(key) in keys}


def _above(project: Project) -> dict[str, set[str]]:
    """Return the keys of the file, each with the keys of the tasks that its own task may be below."""
    above: dict[str, set[str]] = {}
    for goal in project.goals:
        above[goal.id] = set()
        above |= {key: {goal.id} for key in (*(group.key for group in goal.groups), *(step.key for step in goal.steps))}
        for group, steps in goal.members(goal.steps).items():
            for step in steps:
                above[step.key].add(group)
    return above
