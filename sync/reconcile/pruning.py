"""Prunes the memory of a goal: forgets occurrences that are long past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from config.keys import day_of, is_occurrence, step_of

if TYPE_CHECKING:
    from datetime import date

    from connectors.model import StoredGoal, StoredKey


MEMORY = timedelta(days=31)  # how long after its day an occurrence is forgotten


def forget(memory: StoredGoal, before: StoredGoal | None, today: date) -> StoredGoal:
    """Return the memory of a goal without occurrences that are long past, and over in every app.

    Only where the memory has to be written anyway. The last occurrence of each step stays, so that the step is known.
    """
    if before is None or memory == before:
        return memory
    last = {step_of(key): key for key in sorted(filter(is_occurrence, memory.keys))}
    gone = {
        key
        for key, entry in memory.keys.items()
        if _is_long_past(key, entry, today) and key != last[step_of(key)] and before.keys.get(key, entry) == entry
    }
    keys = {key: entry for key, entry in memory.keys.items() if key not in gone}
    return replace(memory, keys=keys, dates={key: dates for key, dates in memory.dates.items() if key not in gone})


def _is_long_past(key: str, entry: StoredKey, today: date) -> bool:
    is_over = is_occurrence(key) and entry.state in ("done", "removed", "dropped")
    return is_over and day_of(key) < today - MEMORY
