"""The order of a plan's changes, and which of them wait, where a task is completed with the task above it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import is_group, is_in_goal
from connectors.base import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from connectors.base import Write
    from sync.reconcile.change import Change
    from sync.reconcile.desired import DesiredGoal
    from sync.reconcile.view import ServiceView


def turn(change: Change) -> int:
    """Return the turn of a change: 0 to 2.

    A task that is done takes no children, so it is reopened first. Then the tasks above others are created, and tasks
    move: the tasks above them now may be completed or removed after that.
    """
    write = change.write
    if write is None:
        return 2
    if write.action is Action.REOPEN and "parent" not in write.fields:
        return 0
    new_above = write.action is Action.CREATE and not _is_step(write.key)
    return 1 if new_above or "parent" in write.fields else 2


def after_reopening(goal: DesiredGoal, changes: Sequence[Change], view: ServiceView) -> Iterator[Change]:
    """Yield a goal's changes, of which those wait that make a task a child of one that is still done.

    A goal or group that the user completed, and that is open again, is reopened at once if every task that is done by
    that shows so itself. Else, or if it comes from another place, its new children wait until it is reopened.
    """
    shown = all(_shows_done(view, task.key) for task in goal.tasks if task.done and _is_step(task.key))
    waiting: set[str] = set()
    for change in changes:
        if shown and _reopens_in_place(change):
            yield replace(change, acknowledges=False)
            continue
        later = change.write is not None and change.write.parent in waiting and _becomes_child(change, change.write)
        if later or (change.action is Action.REOPEN and change.acknowledges):
            waiting.add(change.key)
        yield replace(change, acknowledges=True) if later else change


def _reopens_in_place(change: Change) -> bool:
    """Return whether a goal or group is reopened that waits, and that does not come from another place."""
    write = change.write
    arrives = write is not None and write.parent is None and "parent" in write.fields
    return change.action is Action.REOPEN and change.acknowledges and not (arrives or _is_step(change.key))


def _becomes_child(change: Change, write: Write) -> bool:
    """Return whether a change makes an open task a child of another one."""
    if change.action is Action.COMPLETE:
        return False
    return change.action in (Action.CREATE, Action.REOPEN) or "parent" in write.fields


def after_moves(change: Change, left: Collection[str]) -> Change:
    """Return a change, which waits where it completes a goal or group that other tasks move out of.

    Else these would be completed with it. left: the native ids of the tasks that others move out of.
    """
    above = change.write is not None and change.write.native_id in left
    if above and change.action is Action.COMPLETE and not _is_step(change.key):
        return replace(change, acknowledges=True)
    return change


def _is_step(key: str) -> bool:
    return is_in_goal(key) and not is_group(key)


def _shows_done(view: ServiceView, key: str) -> bool:
    """Return whether this app still has it that a step is done, if its goal is reopened."""
    task, memory = view.tasks.get(key), view.remembered(key)
    return (task is not None and task.done) or (memory is not None and memory.state == "done")
