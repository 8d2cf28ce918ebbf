"""Finds the days in which one person has more work than room: the proof that no order of the steps would fit.

The work that has to lie within a window of days, from the earliest begin of some step to the latest end of some step,
is compared with the room there (Hall's condition, for work that may be cut in pieces).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Work:
    """Working days of one step that lie between its earliest begin and its latest end. Both days are ordinals."""

    begin: int
    end: int
    days: int


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `first` to `last`, both ordinals, with more days of `work` in them than there are `working` days."""

    first: int
    last: int
    work: int
    working: int


def fullest(work: Sequence[Work], at_once: int, working: Callable[[int, int], int]) -> Window | None:
    """Return the window that lacks the most days; None if none lacks any.

    `at_once`: how many steps the person can have at once. `working`: returns the working days from one day up to, not
    including, another.
    """
    edges = sorted({one.begin for one in work} | {one.end + 1 for one in work})
    place = {day: n for n, day in enumerate(edges)}
    begins: dict[int, list[Work]] = {}
    for one in work:
        begins.setdefault(one.begin, []).append(one)
    room = [working(*ends) for ends in pairwise(edges)]
    sums, worst = _PrefixSums(len(edges)), (0, 0, 0)
    for n in reversed(range(len(room))):  # the windows that begin at each edge, the last one first
        sums.add(n, -at_once * room[n])
        for one in begins.get(edges[n], ()):
            sums.add(place[one.end + 1] - 1, one.days)
        if sums.largest > worst[0]:
            worst = (sums.largest, n, sums.place_of_largest())
    lacking, first, last = worst
    if not lacking:
        return None
    days = sum(room[first : last + 1])
    return Window(edges[first], edges[last + 1] - 1, lacking + at_once * days, days)


class _PrefixSums:
    """Numbers in a row, with the largest sum of any number of them from the first one on: a segment tree."""

    def __init__(self, count: int) -> None:
        self._size = 1 << count.bit_length()
        self._sums = [0] * (2 * self._size)
        self._largest = [0] * (2 * self._size)

    def add(self, place: int, number: int) -> None:
        """Add to the number at a place."""
        sums, largest, node = self._sums, self._largest, place + self._size
        sums[node] += number
        largest[node] = sums[node]
        while node := node // 2:
            left, right = 2 * node, 2 * node + 1
            sums[node] = sums[left] + sums[right]
            largest[node] = max(largest[left], sums[left] + largest[right])

    @property
    def largest(self) -> int:
        """The largest sum."""
        return self._largest[1]

    def place_of_largest(self) -> int:
        """Return the place of the last number in the shortest row that has the largest sum."""
        node = 1
        while node < self._size:
            node = 2 * node + (self._largest[node] != self._largest[2 * node])
        return node - self._size
