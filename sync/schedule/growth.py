"""Grows flexible steps, and those that repeat, to fill the time between their fixed points.

They share fairly (max-min): all lengths grow together until some stretch is full; the steps of that stretch then keep
what they have, and the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule.lengths import least_length
from sync.schedule.stretches import driving_steps, independent_parts, longest_stretches
from sync.schedule.working_days import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Collection

    from sync.schedule.backward_pass import BackwardPass, LatestDates
    from sync.schedule.floors import Floors
    from sync.schedule.lengths import Length


class Growth:
    """Grows steps to whole working days, from the least that they may have. A branch that does not fit keeps that."""

    def __init__(
        self, backward: BackwardPass, lengths: list[Length], latest: LatestDates, floors: Floors, most: int
    ) -> None:
        """Change `lengths` and `latest`, the pass with them, in place; no step grows to more than `most`.

        In `lengths`, each step that grows has the least it may.
        """
        self._backward, self._graph, self._fixed = backward, backward.graph, backward.constraints.fixed
        self._lengths, self._latest, self._floors, self._most = lengths, latest, floors.copy(), most
        self._least: dict[int, int] = {}

    def grow(self, flexible: Collection[int]) -> None:
        """Grow the `flexible` steps, each independent part of the graph by itself."""
        self._least = {i: least_length(self._graph, i) for i in flexible}
        growing = set(flexible)
        waiting = [(part, 1) for part in self._parts(range(len(self._lengths)), growing)]
        while waiting:
            part, level = waiting.pop()
            if late := [i for _, i in self._floors.violations(self._latest, part)]:
                growing -= self._driving(late)
                self._floors.lower(late, self._latest)  # late as they are, nothing may grow into them any further
            ours = growing.intersection(part)
            if not ours:
                continue
            level = self._highest(part, ours, level)
            full = self._full(part, ours, level) & ours if level < self._most else ours
            self._fits(part, ours, level)
            # If none is full, the step that is late depends on a growing one in a way of its own: stop growing all.
            growing -= full or ours
            waiting += [(rest, level) for rest in self._parts(part, growing)]

    def _parts(self, steps: Collection[int], growing: Collection[int]) -> list[list[int]]:
        return independent_parts(self._graph, steps, growing, self._fixed)

    def _driving(self, steps: Collection[int]) -> set[int]:
        return driving_steps(self._graph, self._latest, steps, self._fixed)

    def _fits(self, part: list[int], ours: set[int], level: int) -> bool:
        for i in ours:
            self._lengths[i] = max(level, self._least[i])
        try:
            self._backward.recompute(self._latest, self._lengths, reversed(part))
        except OutOfTimeError:  # so long that it would begin before the first year of the calendar
            return False
        return not self._floors.violations(self._latest, part)

    def _highest(self, part: list[int], ours: set[int], level: int) -> int:
        """Return the highest level that fits; `level` does."""
        low, high = level, self._most + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._fits(part, ours, middle) else (low, middle)
        return low

    def _full(self, part: list[int], ours: set[int], level: int) -> set[int]:
        """Return the steps of the stretches that are too long with a day more than `level` each."""
        self._fits(part, ours, level + 1)
        stretches = longest_stretches(self._backward, self._latest, self._floors.begin, part)
        worst = self._floors.worst(self._latest, part)
        too_long = {i for i, stretch in stretches.items() if stretch.excess > 0}
        return too_long | self._driving([worst[1]] if worst else [])
