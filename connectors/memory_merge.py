"""Merges the memories of two racing runs, key by key. If both changed a key, the later state counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.model import StepState, StoredGoal, StoredKey

_LATER: tuple[StepState, ...] = ("pending", "live", "removed", "dropped", "done")


def merged(
    base: Mapping[str, StoredGoal], ours: Mapping[str, StoredGoal], theirs: Mapping[str, StoredGoal]
) -> dict[str, StoredGoal]:
    """Return `ours`, merged with `theirs`: the memory that another run has written since `base` was read."""
    result = {}
    for goal_id in (*ours, *(one for one in theirs if one not in ours)):
        own, other, before = ours.get(goal_id), theirs.get(goal_id), base.get(goal_id)
        if own is not None and other is not None:
            result[goal_id] = _goal(before, own, other)
        elif own is not None and own != before:  # an unchanged goal was removed by the other run
            result[goal_id] = own
        elif other is not None and other != before:
            result[goal_id] = other
    return result


def _goal(base: StoredGoal | None, ours: StoredGoal, theirs: StoredGoal) -> StoredGoal:
    if base is not None and replace(ours, keys=base.keys) == base:
        newer, elder = theirs, ours  # the other run published the plan
    else:
        newer, elder = ours, theirs
    before = base.keys if base else {}
    names = (*newer.keys, *(key for key in elder.keys if key not in newer.keys))
    keys = {key: _key(before.get(key), ours.keys.get(key), theirs.keys.get(key)) for key in names}
    return replace(newer, keys={key: entry for key, entry in keys.items() if entry is not None})


def _key(base: StoredKey | None, ours: StoredKey | None, theirs: StoredKey | None) -> StoredKey | None:
    if ours in (base, theirs):
        return theirs
    if theirs in (base, None) or ours is None:
        return ours if ours is not None or theirs == base else theirs
    assert theirs is not None  # noqa: S101  # for the type checker
    return max(ours, theirs, key=lambda entry: (entry.generation, _LATER.index(entry.state)))
