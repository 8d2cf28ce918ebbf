"""Shrinks the steps of a plan that is late, so that it fits between its fixed points.

They share fairly (max-min): all lengths shrink together until some stretch fits exactly; the steps of that stretch then
keep what they have, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.schedule.backward_pass import FIXED, BackwardPass
from sync.schedule.stretches import independent_parts, longest_stretches

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from sync.schedule.backward_pass import LatestDates, Position
    from sync.schedule.floors import Floors
    from sync.schedule.lengths import Length


@dataclass(frozen=True, slots=True)
class Squeezed:
    """The result of squeezing. No working day is left before the steps `stuck`; `skipped` left the plan."""

    stuck: tuple[int, ...] = ()
    skipped: frozenset[int] = frozenset()


NOT_SQUEEZED = Squeezed()

NEWTON_STEPS = 100  # Newton's method ends by itself, except for leads and spans that grow while the rest shrinks

_FEW = 50  # steps for which a plan that is squeezed is exact to the fraction of a day


class Squeeze:
    """Shrinks what does not fit: by one factor for each stretch that is too long, just enough to keep the floors.

    Every step keeps one working day while there are enough. Then optional steps are skipped, and after them the steps
    of the stretch share the days that there are, equally. Waits, elapsed time, milestones and fixed steps keep their
    length.
    """

    def __init__(
        self,
        backward: BackwardPass,
        lengths: Sequence[Length],
        floors: Floors,
        movable: Iterable[int],
        optional: Mapping[int, int],
    ) -> None:
        """`movable` steps may shrink; those of `optional` may be skipped, the last place in the file first."""
        self._left_out = set(backward.constraints.left_out)
        self._graph = backward.graph
        self._backward = BackwardPass(self._graph, replace(backward.constraints, left_out=self._left_out))
        self._fixed, self._floors, self._optional = backward.constraints.fixed, floors, optional
        self._written, self._lengths = lengths, list(lengths)
        self.latest = self._backward.latest(lengths)
        self._full = _working_lengths(lengths, self.latest, movable)
        self._settled: set[int] = set()
        self._stuck: set[int] = set()

    def shrink(self) -> Squeezed:
        """Shrink what is too long, each independent part of the graph by itself."""
        before = set(self._left_out)
        waiting = self._parts(range(len(self._lengths)), self._full)
        while waiting:
            part = waiting.pop()
            free = {i: self._full[i] for i in part if i in self._full and i not in self._settled}
            self._run(part, {i: self._written[i] for i in free})
            worst = self._floors.worst(self.latest, part, self._stuck)
            if worst is None:
                continue
            path = self._scale(part, free)
            if violations := self._floors.violations(self.latest, part, self._stuck):
                settled = self._settle(violations, part, free)
                self._run(part, {})  # what is settled moves no more, and each part of the rest begins from there
            else:
                settled, part = self._full_stretches(part, free, path)
                if not settled:
                    self._stuck.add(worst[1])
            self._settled |= settled
            waiting += self._parts(part, free.keys() - settled)
        return Squeezed(tuple(sorted(self._stuck)), frozenset(self._left_out - before))

    def _parts(self, steps: Sequence[int], free: Container[int]) -> list[list[int]]:
        return independent_parts(self._graph, steps, free, self._fixed)

    def _run(self, part: list[int], lengths: Mapping[int, Length]) -> None:
        for i, length in lengths.items():
            self._lengths[i] = length
        self._backward.recompute(self.latest, self._lengths, reversed(part))

    def _full_stretches(self, part: list[int], free: Mapping[int, int], path: set[int]) -> tuple[set[int], list[int]]:
        """Return the free steps of stretches that are full, and `part` without what is placed for good."""
        stretches = longest_stretches(self._backward, self.latest, self._floors.begin, part)
        # Many steps side by side would have a factor each: there, less than a day in all is not shared out.
        spare = 0 if len(free) <= _FEW else 1
        full = {i for i, stretch in stretches.items() if stretch.excess >= 0 or stretch.excess > -spare}
        rest = self._without(part, {i for i, stretch in stretches.items() if not stretch.excess})
        return free.keys() & (full | path), rest

    def _scale(self, part: list[int], free: Mapping[int, int]) -> set[int]:
        """Scale the `free` lengths by the largest factor with which all fit; return the stretch that determines it.

        If one working day each is still too much, the factor is the one with which they have that.
        """
        from fractions import Fraction

        factor, path = Fraction(1), list[int]()
        for _ in range(NEWTON_STEPS):
            # None goes under one working day that had one.
            self._run(part, {i: max(length * factor, Fraction(1)) for i, length in free.items()})
            slopes = self._sums_after(part, {i: length for i, length in free.items() if length * factor > 1})
            violations = self._floors.violations(self.latest, part, self._stuck)
            short, i = max((entry for entry in violations if slopes[entry[1]]), default=(0, -1))
            if not short:  # nothing is, or nothing that would become shorter
                break
            path = self.latest.path(i)
            # Newton's step: the shortfall is convex and piecewise linear in the factor, so this never overshoots.
            factor -= Fraction(short) / slopes[i]
        return set(path)

    def _sums_after(self, part: list[int], lengths: Mapping[int, int]) -> dict[int, int]:
        """Return the sum of `lengths` on the path from each step of `part` on."""
        sums: dict[int, int] = {}
        for i in reversed(part):
            sums[i] = lengths.get(i, 0) + sums.get(self.latest.driver[i], 0)
        return sums

    def _settle(self, violations: list[tuple[Position, int]], part: list[int], free: Mapping[int, int]) -> set[int]:
        """Settle stretches with less than one day for each step, the tightest one first; return their steps.

        As many optional steps as days are missing are skipped. If none is left, all share the days that there are.
        """
        from fractions import Fraction

        count = self._sums_after(part, dict.fromkeys(free, 1))  # free steps on the stretch from each step on
        shares = [(1 - Fraction(short) / count[i] if count[i] else Fraction(0), i, short) for short, i in violations]
        each, i, short = min(shares)
        if each <= 0:
            return self._give_up(sorted(i for share, i, _ in shares if share <= 0), free, count)
        tight = self._tight(part, free, i, short, count[i])
        ours = {i for i, few in tight.items() if not few}
        skipped = self._to_skip(tight, i, short)
        self._left_out |= skipped
        self._floors.without(skipped)
        for i in ours:
            self._lengths[i] = each
        return ours | skipped

    def _to_skip(self, tight: Mapping[int, int], i: int, short: Position) -> set[int]:
        """Return the optional steps to skip on `tight` stretches; the one from the step `i` on lacks `short` days.

        A stretch with a single one loses that; if all have several, as many are skipped as days are missing.
        """
        optional = {n: tight[n] for n in tight.keys() & self._optional.keys()}
        alone = {n for n, few in optional.items() if few == 1}
        if alone or not all(tight.values()):
            return alone
        several = [n for n in self.latest.path(i) if n in optional]
        return set(sorted(several, key=self._optional.__getitem__)[-ceil(short) :])

    def _tight(self, part: list[int], free: Mapping[int, int], i: int, short: Position, many: int) -> dict[int, int]:
        """Return the free steps on stretches that are as tight as the one from the step `i` on.

        That lacks `short` days for its `many` free steps. Each step has the number of optional ones on its stretch.
        """
        optional = free.keys() & self._optional.keys()
        stretches = longest_stretches(self._backward, self.latest, self._floors.begin, part, free, optional)
        path = [i for i in self.latest.path(i) if i in free]
        tight = {i: s.optional for i, s in stretches.items() if i in free and (s.excess, s.free) == (short, many)}
        return tight | dict.fromkeys(path, len(optional.intersection(path)))

    def _without(self, part: list[int], full: set[int]) -> list[int]:
        """Return `part` without full steps that stay where they are, if what follows them may begin after them.

        So what lies side by side between two full steps is in parts of its own.
        """
        floors, following = self._floors.begin, self._graph.next
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
        for start in short:
            before, i = len(left), start
            while i >= 0 and i not in left:
                if i in free:
                    left.add(i)
                i = self.latest.driver[i]
            if len(left) > before or not count[start]:
                self._stuck.add(start)
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
