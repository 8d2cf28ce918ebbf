"""The memory of an app as before a run. Later changes stay. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from connectors.base import Action
from connectors.model import StoredGoal, StoredKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sync.reconcile.change import Change
    from sync.reconcile.record import Record

Memory = Mapping[str, StoredGoal]


def memory_before(
    record: Record, now: Memory, changes: Iterable[Change], held: Collection[str], *, forgets: bool
) -> dict[str, StoredGoal]:
    """Return the memory to store once a run is undone.

    changes: those that undo the run. held: the keys whose entry stays as it is.
    forgets: nothing is remembered of a task that only the run made. Some services never take an id of ours twice.
    """
    memory = dict(now)
    created = _created(changes)
    for goal_id in {**record.before, **record.after}:
        before, after, found = record.before.get(goal_id), record.after.get(goal_id), now.get(goal_id)
        keys: dict[str, StoredKey] = {}
        for key in {**(before.keys if before else {}), **(found.keys if found else {})}:
            stays = key in held or not _is_as_left(entry_of(record.after, key), entry_of(now, key))
            entry = entry_of(now, key) if stays else _entry(record, now, key, forgets=forgets)
            if entry := created.get(key, entry):
                keys[key] = entry
        published_since = found and after and (found.made, found.digest) != (after.made, after.digest)
        base = found if published_since or before is None else before
        if base and keys:
            memory[goal_id] = replace(base, keys=keys)
        else:
            memory.pop(goal_id, None)
    return memory


def _created(changes: Iterable[Change]) -> dict[str, StoredKey]:
    """Return the entries of the tasks that are created again, by key."""
    markers = (change.write.marker for change in changes if change.write and change.action is Action.CREATE)
    return {marker.key: StoredKey("pending", marker.nonce, marker.generation) for marker in markers if marker}


def entry_of(memory: Memory, key: str) -> StoredKey | None:
    """Return the entry of a key, if there is one."""
    goal = memory.get(goal_of(key))
    return goal.keys.get(key) if goal else None


def _entry(record: Record, memory: Memory, key: str, *, forgets: bool) -> StoredKey | None:
    """Return the entry that a key had before the run. A generation is used once, whatever is undone."""
    before, now = entry_of(record.before, key), entry_of(memory, key)
    if before is None:
        return replace(now, state="removed") if now and not forgets else None
    if now is not None and now.generation > before.generation:
        return replace(before, native_id=now.native_id, generation=now.generation)
    return before


def _is_as_left(after: StoredKey | None, now: StoredKey | None) -> bool:
    """Return whether an entry is as the run left it. A task that the run was about to create may exist now."""
    if after and now and after.state == "pending":
        return now.state in ("pending", "live") and now.generation == after.generation
    return now == after
