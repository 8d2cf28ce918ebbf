"""Plans the tasks of ours that nothing wants: copies, second ones from races, and those that the file no longer has.

A task that the user worked on is never removed: it loses its marker, and is the user's from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.keys import day_of, goal_of, is_group, is_in_goal, is_occurrence, step_of
from connectors.base import Action, Write
from connectors.model import FIELDS, digest
from sync.reconcile.change import Change, keep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence, Set

    from connectors.model import Marker, Task
    from sync.reconcile.context import Context


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a task is to go. `waits` and `expected`: as `acknowledges` and `expected` of a change.

    prune: "remove" or "keep", as in the goals file.
    """

    reason: str
    prune: str = "remove"
    waits: bool = False
    expected: bool = False


def detach_copies(context: Context, skipped: Collection[str]) -> Iterator[Change]:
    """Yield the changes that take our markers from the user's copies of our tasks. skipped: ids of goals."""
    for copy in context.view.snapshot.copies:
        if goal_of(copy.marker.key) not in skipped and not copy.unread:
            reason = "a copy of one of our tasks: the person's"
            reason = f"{reason}; {copy.remark}" if copy.remark else reason
            yield _change(context, Action.DETACH, copy, reason, None)


def remove_duplicates(
    context: Context, changes: Sequence[Change], left: Collection[str], skipped: Collection[str]
) -> list[Change]:
    """Return the changes that remove what racing runs created beside a task of ours.

    changes: those planned so far. left: the native ids of the tasks that these move another task out of. skipped: ids
    of goals.
    """
    below = context.places.count_below(changes)
    found = []
    for task in sorted(context.view.duplicates, key=context.places.from_below):
        if goal_of(task.marker.key) in skipped:
            continue
        task = replace(task, touched=task.touched or below[task.native_id] > 0)  # what stays would be removed with it
        cause = _Cause("another task of ours has the same key", waits=task.done, expected=True)
        change = _let_go(context, task, cause, left)
        below[task.parent] -= change.action is Action.REMOVE
        found.append(change)
    return found


def clear_leftovers(
    context: Context,
    leaving: Mapping[str, Task],
    repeating: Set[str],
    changes: Sequence[Change],
    left: Collection[str],
) -> list[Change]:
    """Return the changes that remove or detach the tasks that the file no longer has, and past occurrences.

    leaving: these tasks, by their keys. repeating: the keys of the file's steps that repeat. changes, left: as for
    `remove_duplicates`.
    """
    below = context.places.count_below(changes)
    staying: set[str] = set()  # goals with a task that stays: the user's tasks may be below the goal and its groups
    found = []
    for key, task in sorted(leaving.items(), key=lambda item: context.places.from_below(item[1])):
        cause = _cause(context, key, repeating)
        if cause is None or _is_foreign(context, key, task):
            continue
        touched = below[task.native_id] > 0 or _is_whole_of(key, staying) or _is_reopened_or_unknown(context, key, task)
        change = _let_go(context, replace(task, touched=task.touched or touched), cause, left)
        found.append(change)
        if change.action is Action.REMOVE:
            below[task.parent] -= 1
        elif not cause.expected:
            staying.add(goal_of(key))
    return found


def _cause(context: Context, key: str, repeating: Set[str]) -> _Cause | None:
    """Return why a task is to go; None for an occurrence that the user dropped."""
    if is_occurrence(key) and step_of(key) in repeating:
        past = day_of(key) < context.run.today
        reason = "missed, and the next one is due" if past else "the plan has other days for it"
        return None if context.view.tasks[key].dropped else _Cause(reason, expected=True)
    if goal_of(key) in context.view.departing:  # the other place has to have the goal first
        return _Cause("its goal has another place now", context.run.prune, waits=True, expected=True)
    return _Cause("no longer in the file", context.run.prune)


def _is_reopened_or_unknown(context: Context, key: str, task: Task) -> bool:
    return key in context.run.reopened or _is_unknown(context, key, task)


def _is_whole_of(key: str, goals: Collection[str]) -> bool:
    """Return whether a key is that of one of the goals, or of a group in one."""
    return goal_of(key) in goals and (is_group(key) or not is_in_goal(key))


def _is_unknown(context: Context, key: str, task: Task) -> bool:
    """Return whether the memory has no entry for the task, or one with another id."""
    memory = context.view.remembered(key)
    return memory is None or memory.native_id not in ("", task.native_id, task.marker.nonce)


def _is_foreign(context: Context, key: str, task: Task) -> bool:
    """Return whether we did not create the task for this key: it is a copy, or somebody else put the marker there."""
    unnamed = context.view.remembered(key) is None or context.connector.capabilities.client_ids
    return unnamed and _is_unknown(context, key, task)


def _let_go(context: Context, task: Task, cause: _Cause, left: Collection[str]) -> Change:
    """Return the change that removes a task, or leaves it to the user who worked on it."""
    key, reason = task.marker.key, cause.reason
    if task.unread:
        return keep(key, f"{reason}, but {task.unread}")
    if cause.prune == "keep":
        return keep(key, f"{reason}; `prune: keep` leaves it")
    if _is_worked_on(context, task):
        theirs = f"{reason}, but a person worked on it: it stays, as theirs"
        last = task.done and goal_of(key) in context.view.departing  # nothing else shows that the step is done
        return replace(_change(context, Action.DETACH, task, theirs, None), acknowledges=cause.waits, last=last)
    # A task that others move out of has to wait for these: they would be removed with it.
    waits = cause.waits or task.native_id in left
    change = _change(context, Action.REMOVE, task, reason, task.marker)
    return replace(change, acknowledges=waits, expected=cause.expected)


def _is_worked_on(context: Context, task: Task) -> bool:
    """Return whether the user did anything to a task that no new place of its goal takes over."""
    if task.done or task.touched or task.recurring or context.is_damaged(task):
        return True  # a damaged marker no longer shows what was applied
    carried = context.view.carried.get(task.native_id, frozenset())
    return any(_is_edited(task, name) for name in {"due", *context.connector.capabilities.fields} - carried)


def _is_edited(task: Task, name: str) -> bool:
    """Return whether the user changed a field. Links do not count: a rename changes the keys in them."""
    if name == "due":
        return task.marker.pinned or task.content.due != task.marker.due
    if name not in FIELDS or name == "after":
        return False
    return task.marker.applied.get(name) not in (None, digest(getattr(task.content, name)))


def _change(context: Context, action: Action, task: Task, reason: str, marker: Marker | None) -> Change:
    key = task.marker.key
    write = Write(action, key, task.native_id, task.content, marker)
    return Change(action, key, reason, {}, write, before=context.state_of(task))
