"""Plans a task that the app does not hold: creates it, or remembers why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.base import Action, Write
from connectors.model import ADDITIVE, FIELDS, Content, StoredKey, digest
from sync.reconcile.change import Change, filled, keep
from sync.reconcile.context import Outcome
from sync.reconcile.marking import free_generation, new_marker, nonce_of
from sync.reconcile.merge import joined
from sync.reconcile.strays import perhaps, sign, typed_again

if TYPE_CHECKING:
    from connectors.model import Task
    from sync.reconcile.context import Context
    from sync.reconcile.desired import DesiredTask

Memory = StoredKey | None
_KEPT_FIELDS = tuple(name for name in FIELDS if name not in ("start", "due", "after"))


def plan_absent(context: Context, wanted: DesiredTask, previous: str | None) -> Outcome:
    """Return the outcome for a task that the app does not hold. previous: the key of the sibling to stand after."""
    memory = context.view.remembered(wanted.key)
    if wanted.done is not None:
        return _done(context, wanted, memory)
    if memory and context.is_dropped(wanted):
        return _dropped(context, wanted, memory)
    return _created(context, wanted, memory, previous)


def _done(context: Context, wanted: DesiredTask, memory: Memory) -> Outcome:
    """Create no task for what is done; the memory keeps for good that it is."""
    changes: tuple[Change, ...] = ()
    if memory and memory.state == "done" and not wanted.in_file:
        changes = _typed_again(context, wanted, memory, "it is done", "opens it again")
    return Outcome(changes, replace(memory or StoredKey("done"), state="done", done_on=wanted.done, definition=""))


def _dropped(context: Context, wanted: DesiredTask, memory: StoredKey) -> Outcome:
    """Leave a task deleted that the user deleted."""
    if memory.state == "dropped":
        changes = _typed_again(context, wanted, memory, "a person deleted it", "brings it back")
    else:
        found = perhaps(context.entries, context.connector.canonical(wanted.content).title)
        changes = (keep(wanted.key, f"a person deleted it{_way_back(context, memory)}{found}"),)
    return Outcome(changes, replace(memory, state="dropped", definition=wanted.definition))


def _typed_again(
    context: Context, wanted: DesiredTask, memory: StoredKey, state: str, effect: str
) -> tuple[Change, ...]:
    """Return advice where a line without a marker has the title of a step that is done or deleted."""
    line = typed_again(context.entries, context.connector.canonical(wanted.content).title)
    if not line or not memory.native_id:
        return ()
    advice = f"{line} has its title and no id: `{sign(memory.native_id)}` at its end {effect}"
    return (keep(wanted.key, f"{state}; {advice}"),)


def _way_back(context: Context, memory: StoredKey) -> str:
    """Return how the user gets a deleted task back, in a service where the user can write markers."""
    if not context.connector.capabilities.local or not memory.native_id:
        return ""
    return f"; a line that ends in `{sign(memory.native_id)}` brings it back"


def _created(context: Context, wanted: DesiredTask, memory: Memory, previous: str | None) -> Outcome:
    fresh = memory is None or memory.state == "pending"
    generation = free_generation(context, wanted.key, memory, fresh=fresh)
    # The id of a creation that was never confirmed is used again: the service then recognises the repeated request.
    repeated = memory.native_id if memory and fresh and context.connector.capabilities.client_ids else ""
    marker = new_marker(context, wanted, repeated or nonce_of(context, wanted.key, generation), generation)
    content = context.connector.canonical(_with_edits(context, wanted))
    above = context.places.above(wanted)
    write = Write(Action.CREATE, wanted.key, content=content, marker=marker, parent=above, previous=previous)
    change = Change(Action.CREATE, wanted.key, _why_created(memory, fresh=fresh), filled(content), write)
    return Outcome((change,), StoredKey("pending", marker.nonce, generation, definition=wanted.definition))


def _why_created(memory: Memory, *, fresh: bool) -> str:
    if fresh:
        return "new"
    return "changed in the file, so it comes back" if memory and memory.state == "dropped" else "it is back"


def _with_edits(context: Context, wanted: DesiredTask) -> Content:
    """Return the content of a new task, with the user's edits to the task in the place that its goal has left."""
    old = context.view.inherited.get(wanted.key)
    if old is None or old.done:
        return wanted.content
    edits: dict[str, Any] = {}
    for name in _KEPT_FIELDS:
        if _is_edited(old, name):
            value = getattr(old.content, name)
            edits[name] = joined(value, getattr(wanted.content, name)) if name in ADDITIVE else value
    return replace(wanted.content, **edits)


def _is_edited(task: Task, name: str) -> bool:
    """Return whether the user changed a field of a task.

    A field that is empty, and whose digest is empty, may be one that the task's service does not have.
    """
    value, applied = getattr(task.content, name), task.marker.applied.get(name)
    held = bool(applied) or value not in ("", (), "none")
    return held and applied not in (None, digest(value))
