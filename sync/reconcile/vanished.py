"""Tasks that are gone without a trace: a few were deleted by a person, many at once are not believed to be.

Where rights are taken away from a token, a service says of each task that there is none, just as of a deleted one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import step_of
from sync.reconcile.safety import MASS_CHANGE_FLOOR, MASS_CHANGE_SHARE

if TYPE_CHECKING:
    from config.project import Project
    from connectors.model import Snapshot


def too_many(project: Project, snapshot: Snapshot, *, families: bool) -> str:
    """Return why a snapshot is not believed; empty where it is.

    families: who deletes a task there deletes those below it, which is one deed.
    """
    there = {name for task in (*snapshot.tasks, *snapshot.copies) for name in (task.native_id, task.marker.nonce)}
    above = _above(project)
    entries = (item for goal in snapshot.memory.values() for item in goal.keys.items())
    live = {key: entry.native_id for key, entry in entries if entry.state == "live" and step_of(key) in above}
    gone = {key for key, native_id in live.items() if native_id not in there}
    deeds = [key for key in gone if not (families and above[step_of(key)] & gone)]
    if len(deeds) <= max(MASS_CHANGE_FLOOR, MASS_CHANGE_SHARE * len(live)):
        return ""
    return (
        f"of {len(gone)} of the {len(live)} tasks that should be there, it says that there are none. Rights may have "
        "been taken away: see that whoever the token belongs to can open them. If you deleted them, run again with "
        "--allow-mass-change"
    )


def _above(project: Project) -> dict[str, set[str]]:
    """Return the keys of the file, each with those of the tasks that its own one may stand below."""
    above: dict[str, set[str]] = {}
    for goal in project.goals:
        above[goal.id] = set()
        above |= {key: {goal.id} for key in (*(group.key for group in goal.groups), *(step.key for step in goal.steps))}
        for group, steps in goal.members(goal.steps).items():
            for step in steps:
                above[step.key].add(group)
    return above
