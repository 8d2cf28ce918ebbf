"""Builds the markers that a plan writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.codec import DIGESTS
from connectors.model import ADDITIVE, FIELDS, Marker, client_nonce, digest

if TYPE_CHECKING:
    from connectors.model import StoredKey, Task
    from sync.reconcile.context import Context
    from sync.reconcile.desired import DesiredTask
    from sync.reconcile.merge import Merged


def new_marker(context: Context, wanted: DesiredTask, nonce: str, generation: int) -> Marker:
    """Return the marker of a task that has exactly the content that is wanted."""
    content = context.connector.canonical(wanted.content)
    held = context.connector.capabilities.held(wanted.key)
    applied = {name: digest(getattr(content, name)) for name in FIELDS if name != "due" and name in held}
    applied |= {"timing": wanted.timing, "parent": context.places.place(wanted)}
    due, pinned = wanted.content.due, wanted.pinned
    empty = dict.fromkeys(DIGESTS, "")
    return Marker(context.run.namespace, wanted.key, nonce, generation, due, pinned, {**empty, **applied})


def merged_marker(context: Context, wanted: DesiredTask, task: Task, merged: Merged) -> Marker:
    """Return the marker for the merged content. A field that the user changed keeps the digest last applied."""
    if wanted.done and task.done:
        return context.places.marker_with_place(wanted, task)
    marker = new_marker(context, wanted, task.marker.nonce, task.marker.generation)
    applied = dict(marker.applied)
    applied["parent"] = context.places.place_after(wanted, task)
    for name in context.connector.capabilities.held(wanted.key) - {"due"}:
        if name in merged.edited_by_user:
            applied[name] = task.marker.applied.get(name, applied[name])
        elif name not in ADDITIVE:  # of those, only the file's values were applied: the user's are not ours to remove
            applied[name] = digest(getattr(merged.content, name))
    return replace(marker, applied=applied, due=task.marker.due if wanted.done else marker.due)


def free_generation(context: Context, key: str, memory: StoredKey | None, *, fresh: bool) -> int:
    """Return how many times the key will have been created.

    The number is raised until the nonce is free: a task under another key may have it.
    """
    generation = 1 if memory is None else memory.generation + (0 if fresh else 1)
    while context.connector.capabilities.client_ids and nonce_of(context, key, generation) in context.nonces:
        generation += 1
    return generation


def nonce_of(context: Context, key: str, generation: int) -> str:
    """Return the nonce for a task that is to be created."""
    if context.connector.capabilities.client_ids:
        return client_nonce(context.run.namespace, key, generation)
    return context.run.new_nonce()
