"""Fits lengths between fixed points: flexible steps grow to fill the time, steps of a late plan shrink to fit it.

Both share fairly (max-min): all lengths move together until some stretch is full; the steps of that stretch then keep
what they have, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.schedule.backward_pass import FIXED
from sync.schedule.working_days import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Set

    from sync.schedule.backward_pass import Constraints, LatestDates, Length, Position, StepGraph


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest positions: `begin` where a step may not begin before one, `end` where it may not end before one.

    Elapsed time may begin on a day off, which has no position of its own: `first` has the first day for it.
    """

    begin: dict[int, Position]
    end: dict[int, Position] = field(default_factory=dict)
    first: dict[int, int] = field(default_factory=dict)

    def with_those_of(self, other: Floors) -> Floors:
        """Return these floors with those of other steps."""
        return Floors(self.begin | other.begin, self.end | other.end, self.first | other.first)

    def of_begun(self, begun: Set[int], least: Position) -> Floors:
        """Return these floors where, for steps that have begun, it is enough not to end before `least`."""
        begin = {i: floor for i, floor in self.begin.items() if i not in begun}
        first = {i: day for i, day in self.first.items() if i not in begun}
        return Floors(begin, {**self.end, **dict.fromkeys(begun, least)}, first)

    def copy(self) -> Floors:
        """Return the same floors, to be lowered without these."""
        return Floors(dict(self.begin), dict(self.end), dict(self.first))

    def lower(self, late: Iterable[int], latest: LatestDates) -> None:
        """Lower the floors of `late` steps, in place, to what they reach in a pass."""
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
        """Return the greatest violation; None where every floor holds."""
        return max(self.violations(latest, part, ignored), default=None)


class Growth:
    """Grows steps to whole working days, from the least that they have. A branch that does not fit so keeps that."""

    def __init__(
        self,
        network: StepGraph,
        lengths: list[Length],
        latest: LatestDates,
        terms: Constraints,
        floors: Floors,
        most: int,
    ) -> None:
        """Change `lengths`, in which what grows has the least it may, and `latest`, the pass with them, in place.

        No step grows to more than `most`.
        """
        self._network, self._lengths, self._latest, self._terms = network, lengths, latest, terms
        self._floors, self._most = floors.copy(), most
        self._least: dict[int, int] = {}

    def grow(self, flexible: Collection[int]) -> None:
        """Grow the `flexible` steps, each part of the network by itself."""
        self._least = {i: self._network.least(i) for i in flexible}
        growing = set(flexible)
        waiting = [(part, 1) for part in self._network.parts(range(len(self._lengths)), growing, self._terms.fixed)]
        while waiting:
            part, level = waiting.pop()
            if late := [i for _, i in self._floors.violations(self._latest, part)]:
                growing -= self._network.chains(self._latest, late, self._terms.fixed)
                self._floors.lower(late, self._latest)  # late as they are, nothing may grow into them any further
            ours = growing.intersection(part)
            if not ours:
                continue
            level = self._highest(part, ours, level)
            full = self._full(part, ours, level) & ours if level < self._most else ours
            self._fits(part, ours, level)
            # Where none is full, what is too long hangs on a growing step in a way of its own: none grows any further.
            growing -= full or ours
            waiting += [(rest, level) for rest in self._network.parts(part, growing, self._terms.fixed)]

    def _fits(self, part: list[int], ours: set[int], level: int) -> bool:
        for i in ours:
            self._lengths[i] = max(level, self._least[i])
        try:
            self._network.redo(self._latest, self._lengths, reversed(part), self._terms)
        except OutOfTimeError:  # so long that it would begin before all time
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
        stretches = self._network.stretches(self._latest, self._floors.begin, part)
        last = self._floors.worst(self._latest, part)
        too_long = {i for i, stretch in stretches.items() if stretch.excess > 0}
        return too_long | self._network.chains(self._latest, [last[1]] if last else [], self._terms.fixed)


@dataclass(frozen=True, slots=True)
class Squeezed:
    """What was squeezed. `stuck` are the steps before which no working day is left at all; `gone` left the pass."""

    stuck: tuple[int, ...] = ()
    gone: frozenset[int] = frozenset()


# Newton's method ends by itself but for leads and spans that grow while the rest shrinks: those are cut off.
NEWTON_STEPS = 100

_FEW = 50  # steps for which a plan that is squeezed is exact to the fraction of a day

NOT_SQUEEZED = Squeezed()


class Squeeze:
    """Shrinks what does not fit: by one factor for each stretch that is too long, just enough to keep the floors.

    Every step keeps one working day while there are enough. Then optional steps give way, and after them the steps of
    the stretch share what there is, equally. Waits, elapsed time, milestones and what is fixed keep their length.
    """

    def __init__(
        self,
        network: StepGraph,
        lengths: Sequence[Length],
        terms: Constraints,
        floors: Floors,
        movable: Iterable[int],
        optional: Mapping[int, int],
    ) -> None:
        """`movable` steps may shrink; those of `optional` may give way, the last place in the file first."""
        self._gone = set(terms.gone)
        self._network, self._terms, self._floors = network, replace(terms, gone=self._gone), floors
        self._written, self._lengths = lengths, list(lengths)
        self._optional = optional
        self.latest = network.latest(lengths, terms)
        self._full = _working_lengths(lengths, self.latest, movable)
        self._settled: set[int] = set()
        self._stuck: set[int] = set()

    def shrink(self) -> Squeezed:
        """Shrink what is too long, each part of the network by itself."""
        waiting = self._network.parts(range(len(self._lengths)), self._full, self._terms.fixed)
        while waiting:
            part = waiting.pop()
            free = {i: self._full[i] for i in part if i in self._full and i not in self._settled}
            self._run(part, {i: self._written[i] for i in free})
            worst = self._floors.worst(self.latest, part, self._stuck)
            if worst is None:
                continue
            path = self._scale(part, free)
            if violations := self._floors.violations(self.latest, part, self._stuck):
                settled = self._make_do(violations, part, free)
                self._run(part, {})  # what is settled moves no more, and each part of the rest begins from there
            else:
                # Many steps side by side would have a factor each: there, less than a day in all is not shared out.
                stretches = self._network.stretches(self.latest, self._floors.begin, part)
                spare = 0 if len(free) <= _FEW else 1
                full = {i for i, stretch in stretches.items() if stretch.excess >= 0 or stretch.excess > -spare}
                settled = free.keys() & (full | path)
                if not settled:
                    self._stuck.add(worst[1])
                part = self._without(part, {i for i, stretch in stretches.items() if not stretch.excess})
            self._settled |= settled
            waiting += self._network.parts(part, free.keys() - settled, self._terms.fixed)
        return Squeezed(tuple(sorted(self._stuck)), frozenset(self._gone))

    def _run(self, part: list[int], lengths: Mapping[int, Length]) -> None:
        for i, length in lengths.items():
            self._lengths[i] = length
        self._network.redo(self.latest, self._lengths, reversed(part), self._terms)

    def _scale(self, part: list[int], free: Mapping[int, int]) -> set[int]:
        """Scale the `free` lengths by the largest factor at which all fit; return the stretch that sets it.

        Where one working day each is still too much, the factor is the one at which they have that.
        """
        from fractions import Fraction

        factor, path = Fraction(1), list[int]()
        for _ in range(NEWTON_STEPS):
            # None goes under one working day that had one.
            self._run(part, {i: max(length * factor, Fraction(1)) for i, length in free.items()})
            slopes = self._slopes(part, {i: length for i, length in free.items() if length * factor > 1})
            violations = self._floors.violations(self.latest, part, self._stuck)
            short, index = max((entry for entry in violations if slopes[entry[1]]), default=(0, -1))
            if not short:  # nothing is, or nothing that would become shorter
                break
            path = self.latest.path(index)
            # Newton's step: the shortfall is convex and piecewise linear in the factor, so this never overshoots.
            factor -= Fraction(short) / slopes[index]
        return set(path)

    def _slopes(self, part: list[int], lengths: Mapping[int, int]) -> dict[int, int]:
        """Return the sum of `lengths` on the path from each step of `part` on."""
        slopes: dict[int, int] = {}
        for i in reversed(part):
            slopes[i] = lengths.get(i, 0) + slopes.get(self.latest.driver[i], 0)
        return slopes

    def _make_do(self, violations: list[tuple[Position, int]], part: list[int], free: Mapping[int, int]) -> set[int]:
        """Settle stretches that have less than one day for each step, and return their steps: the tightest one first.

        As many optional steps as days are missing give way. Where none is left, all share what there is.
        """
        from fractions import Fraction

        count = self._slopes(part, dict.fromkeys(free, 1))  # free steps on the stretch from each step on
        shares = [(1 - Fraction(short) / count[i] if count[i] else Fraction(0), i, short) for short, i in violations]
        each, index, short = min(shares)
        if each <= 0:
            return self._give_up(sorted(i for share, i, _ in shares if share <= 0), free, count)
        tight = self._tight(part, free, index, short, count[index])
        optional = {i for i, few in tight.items() if few == 1 and i in self._optional}
        ours = {i for i, few in tight.items() if not few}
        if not ours and not optional:
            several = [i for i in self.latest.path(index) if i in tight and i in self._optional]
            optional = set(sorted(several, key=self._optional.__getitem__)[-ceil(short) :])
        self._leave(optional)
        for i in ours:
            self._lengths[i] = each
        return ours | optional

    def _tight(
        self, part: list[int], free: Mapping[int, int], index: int, short: Position, many: int
    ) -> dict[int, int]:
        """Return the free steps on stretches that are as tight as the one from the step `index` on.

        That lacks `short` days for its `many` free steps. Each step has the number of optional ones on its stretch.
        """
        optional = free.keys() & self._optional.keys()
        stretches = self._network.stretches(self.latest, self._floors.begin, part, free, optional)
        path = [i for i in self.latest.path(index) if i in free]
        tight = {i: s.optional for i, s in stretches.items() if i in free and (s.excess, s.free) == (short, many)}
        return tight | dict.fromkeys(path, len(optional.intersection(path)))

    def _leave(self, steps: Iterable[int]) -> None:
        """Let optional steps give way."""
        for i in steps:
            self._gone.add(i)
            self._floors.begin.pop(i, None)
            self._floors.end.pop(i, None)
            self._floors.first.pop(i, None)

    def _without(self, part: list[int], full: set[int]) -> list[int]:
        """Return `part` without what stays where it is, being full; what follows that may begin after it.

        So what lies side by side between two full steps is in parts of its own.
        """
        floors, following = self._floors.begin, self._network.next
        placed = {
            i
            for i in full
            if all(
                (wait is None or wait.unit is Unit.WORKING_DAYS) and (n in floors or self.latest.driver[n] == FIXED)
                for n, wait in following[i]
            )
        }
        for i in placed:
            for n, wait in following[i]:
                if n in floors:
                    floors[n] = max(floors[n], self.latest.end[i] + (wait.amount if wait else 0))
        return [i for i in part if i not in placed]

    def _give_up(self, short: list[int], free: Mapping[int, int], count: Mapping[int, int]) -> set[int]:
        """Leave the stretches from the steps `short`, for which no day is left at all, without any length."""
        left: set[int] = set()
        for index in short:
            before, i = len(left), index
            while i >= 0 and i not in left:
                if i in free:
                    left.add(i)
                i = self.latest.driver[i]
            if len(left) > before or not count[index]:
                self._stuck.add(index)
        for i in left:
            self._lengths[i] = 0
        return left


def _working_lengths(lengths: Sequence[Length], latest: LatestDates, movable: Iterable[int]) -> dict[int, int]:
    """Return the lengths that may shrink, in working days; a span has as many as lie in it where it stands."""
    working = {}
    for i in movable:
        length = lengths[i]
        if isinstance(length, Duration):
            if length.unit is not Unit.CALENDAR_DAYS:
                working[i] = int(latest.end[i] - latest.begin[i])
        elif length:
            working[i] = int(length)
    return working
