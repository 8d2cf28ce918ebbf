"""In which order a plan's changes have their turns, and which of them wait, where tasks take others along."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import is_group
from connectors.base import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sync.reconcile.change import Change
    from sync.reconcile.desired import DesiredGoal
    from sync.reconcile.view import ServiceView


def turn(change: Change) -> int:
    """Return when a change has its turn: 0 to 2.

    What is done takes nothing below it, so it is reopened first. Then tasks move below others, after these are made:
    those above them now may be ticked or removed.
    """
    write = change.write
    if write is None:
        return 2
    if write.action is Action.REOPEN and "parent" not in write.fields:
        return 0
    new_above = write.action is Action.CREATE and not _is_step(write.key)
    return 1 if new_above or "parent" in write.fields else 2


def after_reopening(goal: DesiredGoal, changes: Sequence[Change], view: ServiceView) -> Iterator[Change]:
    """Yield a goal's changes, those that wait among them: what is done takes nothing below it.

    A goal or group that a person ticked, and that is open again, does not wait where every task that is done by that
    shows so itself. Where it does, or comes here from another place, what comes to stand below it waits for it.
    """
    shown = all(_shows_done(view, task.key) for task in goal.tasks if task.done and _is_step(task.key))
    waiting: set[str] = set()
    for change in changes:
        action, write = change.action, change.write
        arrives = write is not None and write.parent is None and "parent" in write.fields
        if action is Action.REOPEN and change.acknowledges and shown and not (arrives or _is_step(change.key)):
            yield replace(change, acknowledges=False)
            continue
        comes = action in (Action.CREATE, Action.REOPEN) or (write is not None and "parent" in write.fields)
        later = write is not None and write.parent in waiting and comes and action is not Action.COMPLETE
        if later or (action is Action.REOPEN and change.acknowledges):
            waiting.add(change.key)
        yield replace(change, acknowledges=True) if later else change


def after_moves(change: Change, left: Collection[str]) -> Change:
    """Return a change, as one that waits where it ticks a goal or group that others move out of, and them with it.

    left: the native ids of those that others move out of.
    """
    above = change.write is not None and change.write.native_id in left
    if above and change.action is Action.COMPLETE and not _is_step(change.key):
        return replace(change, acknowledges=True)
    return change


def _is_step(key: str) -> bool:
    return "/" in key and not is_group(key)


def _shows_done(view: ServiceView, key: str) -> bool:
    """Return whether this app would still know that a step is done, if its goal were open again."""
    task, memory = view.tasks.get(key), view.remembered(key)
    return (task is not None and task.done) or (memory is not None and memory.state == "done")
