"""Refuses plans before anything is written: too many tasks would be removed, or there is no room for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import HEARTBEAT, goal_of
from connectors.base import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.model import Snapshot
    from sync.reconcile.change import Change

MASS_CHANGE_FLOOR = 3
MASS_CHANGE_SHARE = 0.3


def refuse_mass_change(label: str, snapshot: Snapshot, changes: Sequence[Change], twins: int = 0) -> None:
    """Raise RefusedError when more tasks would be removed than a mistake in the file may remove.

    twins: how many tasks racing runs have created beside others of ours. They do not count, removed or not.
    """
    going = [change.key for change in changes if _is_unexpected_removal(change)]
    managed = sum(not task.done and task.marker.key != HEARTBEAT for task in snapshot.tasks) - twins
    most = max(MASS_CHANGE_FLOOR, MASS_CHANGE_SHARE * managed)
    if going and (len(going) > most or len(going) == managed):
        raise RefusedError(
            f"{label}: {len(going)} of {managed} open tasks would be removed: {_listed(going)}. "
            "If that is meant, run again with --allow-mass-change; nothing was changed."
        )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:10]) + (f" and {len(keys) - 10} more" if len(keys) > 10 else "")


def _is_unexpected_removal(change: Change) -> bool:
    return change.action is Action.REMOVE and not change.expected and change.key != HEARTBEAT


def refuse_overfull(label: str, snapshot: Snapshot, changes: Sequence[Change], incoming: int = 0) -> None:
    """Raise RefusedError where more tasks would be open than the service has room for; name the goals that do not fit.

    Tasks that are removed or completed make room first, for any goal. incoming: how many open tasks are moved here.
    """
    if snapshot.room is None:
        return
    leaving = sum(change.action in (Action.REMOVE, Action.COMPLETE) for change in changes)
    coming = [goal_of(change.key) for change in changes if change.action in (Action.CREATE, Action.REOPEN)]
    room = max(snapshot.room, 0) + leaving
    if incoming > room:
        raise RefusedError(
            f"{label}: has room for {room} more open tasks, and {incoming} are to be moved there. Name another "
            "place for some of the goals (`sync:` in the goal); nothing was changed."
        )
    room -= incoming
    if len(coming) > room:
        without = ", ".join(dict.fromkeys(coming[room:]))
        raise RefusedError(
            f"{label}: has room for {room} more open tasks, and {len(coming)} are to be made: no room is left for "
            f"{without}. Give these goals a place of their own (`sync:` in the goal); nothing was changed."
        )
