"""The earliest positions that a plan has to keep, and by how much a pass falls short of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sync.schedule.backward_pass import LatestDates, Position


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest positions, by the step's index: of its begin, or of its end.

    Elapsed time may begin on a day off, which has no position of its own: `first` has the first day for it.
    """

    begin: dict[int, Position]
    end: dict[int, Position] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)

    def with_those_of(self, other: Floors) -> Floors:
        """Return these floors with those of other steps."""
        return Floors(self.begin | other.begin, self.end | other.end, self.first | other.first)

    def of_begun(self, least: Mapping[int, Position]) -> Floors:
        """Return these floors, but for steps that have begun only the end counts: no earlier than in `least`."""
        begin = {i: floor for i, floor in self.begin.items() if i not in least}
        first = {i: day for i, day in self.first.items() if i not in least}
        return Floors(begin, {**self.end, **least}, first)

    def copy(self) -> Floors:
        """Return the same floors, to be changed apart from these."""
        return Floors(dict(self.begin), dict(self.end), dict(self.first))

    def without(self, steps: Iterable[int]) -> None:
        """Remove the floors of some steps, in place."""
        for i in steps:
            for floors in (self.begin, self.end, self.first):
                floors.pop(i, None)

    def lower(self, late: Iterable[int], latest: LatestDates) -> None:
        """Lower the floors of `late` steps, in place, to the positions that they have in a pass."""
        for i in late:
            for floors, reached in ((self.begin, latest.begin), (self.end, latest.end)):
                if i in floors:
                    floors[i] = min(floors[i], reached[i])
            if i in self.first:
                self.first[i] = min(self.first[i], latest.day_before[i] + 1)

    def violations(
        self, latest: LatestDates, part: Iterable[int], ignored: Collection[int] = ()
    ) -> list[tuple[Position, int]]:
        """Return by how much each step of `part` that is not `ignored` falls short of its floor, and its index."""
        short: list[tuple[Position, int]] = []
        for floors, reached in ((self.begin, latest.begin), (self.end, latest.end)):
            if floors:
                short += [
                    (low - reached[i], i) for i in part if (low := floors.get(i)) is not None and low > reached[i]
                ]
        if self.first:
            early = (i for i in part if latest.day_before[i] + 1 < self.first.get(i, 0))
            short += [(1, i) for i in early if latest.begin[i] >= self.begin[i]]
        return [entry for entry in short if entry[1] not in ignored]

    def worst(
        self, latest: LatestDates, part: Iterable[int], ignored: Collection[int] = ()
    ) -> tuple[Position, int] | None:
        """Return the greatest violation; None if every floor holds."""
        return max(self.violations(latest, part, ignored), default=None)
