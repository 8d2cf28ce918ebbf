"""Checks that a snapshot shows the place as it is, and the right account, before anything is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import step_of
from sync.reconcile.handover import share_an_account
from sync.reconcile.vanished import too_many
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from config.project import Project
    from connectors.model import Snapshot
    from sync.run.homes import Binding


def keys_of(project: Project) -> set[str]:
    """Return the keys of the goals and steps of the file."""
    return {goal.id for goal in project.goals} | {step.key for goal in project.goals for step in goal.steps}


def doubts(homes: Sequence[Binding], snapshots: Mapping[str, Snapshot], project: Project) -> dict[str, str]:
    """Return why some places may not have been read as they are, by their labels."""
    there = ((home, snapshots[home.label]) for home in homes if home.label in snapshots)
    return {home.label: doubt for home, snapshot in there if (doubt := _doubt(home, snapshot, project))}


def _doubt(home: Binding, snapshot: Snapshot, project: Project) -> str:
    """Return why a place may not have been read as it is; empty for a file, and for a place whose tasks all leave."""
    able = home.connector.capabilities
    if able.local or home.retired or home.unnamed:
        return ""
    return too_many(project, snapshot, families=able.families)


def refuse_other_account(home: Binding, snapshot: Snapshot, project: Project) -> None:
    """Raise RefusedError where the token belongs to another account than the goals file names."""
    if project.account is not None and snapshot.account and project.account not in snapshot.account:
        raise RefusedError(
            f"{home.label}: the goals file says `account: {project.account}`, and the token in the environment belongs "
            f"to {' or '.join(sorted(snapshot.account))}. Use the other token, or change the file; nothing was changed."
        )


def refuse_foreign(home: Binding, snapshot: Snapshot, project: Project) -> None:
    """Raise RefusedError where a place has tasks with our keys, and only under another namespace."""
    ours = keys_of(project)
    theirs = [name for name, keys in snapshot.others.items() if keys & ours]
    if theirs and not snapshot.tasks and not snapshot.memory and home.goals:
        raise RefusedError(
            f"{home.label}: holds tasks with our keys under the namespace `{theirs[0]}`, and none under "
            f"`{project.namespace}`. If the namespace was renamed in the goals file, change it back to go on with "
            "those tasks; nothing was changed."
        )


def refuse_emptied(homes: Sequence[Binding], snapshots: Mapping[str, Snapshot], project: Project) -> None:
    """Raise RefusedError where a place shows none of its tasks, and no other place of the account shows any."""
    ours = keys_of(project)
    there = [home for home in homes if home.label in snapshots]
    for home in there:
        live = _count_live(snapshots[home.label], ours)
        shown = any(snapshots[other.label].tasks for other in there if _is_in_account(other, home))
        if live > 1 and not (shown or home.retired):
            raise RefusedError(
                f"{home.label}: none of the {live} tasks that should be there was found. If you deleted them all, "
                "delete the rest of backplan there too (in a Markdown list, the comment at its end), and they are "
                "created again; nothing was changed."
            )


def _count_live(snapshot: Snapshot, keys: Collection[str]) -> int:
    """Return how many tasks there should be, by the memory."""
    return sum(entry.state == "live" and step_of(key) in keys for key, entry in entries_of(snapshot.memory))


def _is_in_account(other: Binding, home: Binding) -> bool:
    return other is home or share_an_account(home.connector, other.connector)
