"""The record of a run: each task before and after its change, and the memory of the goals that changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import InputError
from config.keys import goal_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from connectors.model import StoredGoal
    from sync.reconcile.change import State


@dataclass(frozen=True, slots=True)
class Entry:
    """A task before and after a change: before is None where it was created, after is None where it was removed."""

    key: str
    before: State | None
    after: State | None


@dataclass(frozen=True, slots=True)
class Record:
    """The changes of a run in one connector, and the memory, before and after, of the goals for which it changed."""

    label: str
    entries: tuple[Entry, ...]
    before: Mapping[str, StoredGoal]
    after: Mapping[str, StoredGoal]

    @property
    def changed(self) -> bool:
        """Whether the run had anything to write there."""
        return bool(self.entries or self.before or self.after)

    @property
    def goals(self) -> set[str]:
        """The ids of the goals that the run changed, old ones and new ones."""
        return {_goal(entry) for entry in self.entries} | set(self.before) | set(self.after)

    def only(self, goals: Collection[str]) -> Record:
        """Return the part of the record that concerns these goals."""
        before, after = (
            {goal_id: goal for goal_id, goal in memory.items() if goal_id in goals}
            for memory in (self.before, self.after)
        )
        entries = tuple(entry for entry in self.entries if _goal(entry) in goals)
        return Record(self.label, entries, before, after)


def _goal(entry: Entry) -> str:
    return goal_of(entry.key)


@dataclass(frozen=True, slots=True)
class Journal:
    """The records of a run, one for each connector."""

    namespace: str
    records: tuple[Record, ...]

    def only(self, goals: Collection[str]) -> Journal:
        """Return the part that concerns these goals, or all of it where none is named.

        Raises InputError for a goal that the run did not change.
        """
        known = sorted({goal for record in self.records for goal in record.goals})
        for goal in goals:
            if goal not in known:
                raise InputError(
                    f"the run changed no goal with the id `{goal}`; it changed {', '.join(known) or 'none'}"
                )
        return replace(self, records=tuple(record.only(goals) for record in self.records)) if goals else self
