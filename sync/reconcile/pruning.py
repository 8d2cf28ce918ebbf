"""Prunes the memory of a goal: forgets occurrences that are long past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from config.keys import day_of, is_occurrence, step_of

if TYPE_CHECKING:
    from datetime import date

    from connectors.model import StoredGoal


MEMORY = timedelta(days=31)  # so long after its day, what became of an occurrence is forgotten


def forget(memory: StoredGoal, before: StoredGoal | None, today: date) -> StoredGoal:
    """Return the memory of a goal without occurrences long past, of which every app has heard what became.

    Only where it has to be written anyway. The last occurrence of each step stays: it tells that the step was there.
    """
    if before is None or memory == before:
        return memory
    last = {step_of(key): key for key in sorted(filter(is_occurrence, memory.keys))}
    gone = {
        key
        for key, entry in memory.keys.items()
        if is_occurrence(key)
        and entry.state in ("done", "removed", "dropped")
        and day_of(key) < today - MEMORY
        and key != last[step_of(key)]
        and before.keys.get(key, entry) == entry
    }
    keys = {key: entry for key, entry in memory.keys.items() if key not in gone}
    return replace(memory, keys=keys, dates={key: dates for key, dates in memory.dates.items() if key not in gone})
