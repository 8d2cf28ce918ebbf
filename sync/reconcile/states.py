"""What a task was before a change and is after it: enough to go either way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.base import Action

if TYPE_CHECKING:
    from datetime import date

    from connectors.base import Content, Marker, Task, Write


@dataclass(frozen=True, slots=True)
class State:
    """A task at one moment.

    `marker` is None where the task is a person's own. `native_id` is empty where the service has yet to give one: then
    the marker's nonce tells which task it is.
    """

    content: Content
    marker: Marker | None
    native_id: str = ""
    done: bool = False
    done_on: date | None = None
    dropped: bool = False


def found(task: Task, marker: Marker) -> State:
    """Return the state of a task as it was read, with the marker that it had."""
    return State(task.content, marker, task.native_id, task.done, task.done_on, task.dropped)


def after(before: State | None, write: Write) -> State | None:
    """Return what a task becomes by a write; None where it goes."""
    if write.action is Action.REMOVE:
        return None
    if before is None:
        return State(write.content, write.marker) if write.content else None
    content = write.content if write.content and write.fields else before.content
    marker = None if write.action is Action.DETACH else write.marker or before.marker
    changed = replace(before, content=content, marker=marker)
    if write.action is Action.COMPLETE:
        return replace(changed, done=True, done_on=write.done_on, dropped=False)
    if write.action is Action.REOPEN:
        return replace(changed, done=False, done_on=None, dropped=False)
    return changed
