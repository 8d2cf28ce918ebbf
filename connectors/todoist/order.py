"""Where a new sub-task is put among its siblings, and which of them have to move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.todoist.objects import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.base import Write
    from connectors.todoist.reader import Reading


class Order:
    """Keeps sub-tasks in the order of the goals file; existing ones are only moved to make room for new ones."""

    def __init__(self, reading: Reading, ids: Mapping[str, str]) -> None:
        """`ids` contains the ids of our tasks by their keys; the caller adds those of new tasks."""
        self._ids = ids
        items = [reading.listing.items[native_id] for native_id in ids.values()]
        self._parents = {item.id: item.parent_id for item in items if not item.checked}
        self._orders = {item.id: item.child_order for item in items if not item.checked}
        self._moved: set[str] = set()

    def place(self, write: Write, parent_id: str | None, new_id: str) -> int | None:
        """Return the order of a new task; None where it comes last, as it does by itself."""
        forerunner = self._ids.get(write.previous or "")
        if parent_id is None or (write.previous and forerunner not in self._orders):
            return None
        at = self._orders[forerunner] + 1 if forerunner else 0
        siblings = [native_id for native_id, parent in self._parents.items() if parent == parent_id]
        later = [native_id for native_id in siblings if self._orders[native_id] >= at]
        if not later:
            return None
        self._orders |= {native_id: self._orders[native_id] + 1 for native_id in later}
        self._moved.update(later)
        self._parents[new_id], self._orders[new_id] = parent_id, at
        return at

    def commands(self) -> list[Command]:
        """Return the command that moves existing tasks to make room."""
        if not self._moved:
            return []
        items = [{"id": native_id, "child_order": self._orders[native_id]} for native_id in sorted(self._moved)]
        return [Command("item_reorder", {"items": items})]
