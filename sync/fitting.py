"""Fits lengths between fixed points: flexible steps grow to fill the time, steps of a late plan shrink to fit it.

Both share fairly (max-min): all lengths move together until some stretch is full; the steps of that stretch then keep
what they have, and the others go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.durations import Duration, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from fractions import Fraction

    from sync.backward import Latest, Length, Network, Position

    Pass = Callable[[Sequence[Length]], Latest]


@dataclass(frozen=True, slots=True)
class Floors:
    """The earliest positions: `begin` where a step may not begin before one, `end` where it may not end before one."""

    begin: Mapping[int, Position]
    end: Mapping[int, Position] = field(default_factory=dict)

    def violations(self, latest: Latest, ignored: set[int]) -> list[tuple[Position, int]]:
        """Return by how much each step that is not `ignored` falls short of its floor, and its index."""
        short = [(low - latest.begin[i], i) for i, low in self.begin.items() if low > latest.begin[i]]
        short += [(low - latest.end[i], i) for i, low in self.end.items() if low > latest.end[i]]
        return [entry for entry in short if entry[1] not in ignored]

    def worst(self, latest: Latest, ignored: set[int]) -> tuple[Position, int] | None:
        """Return the greatest violation; None where every floor holds."""
        return max(self.violations(latest, ignored), default=None)


def grow(network: Network, lengths: Sequence[Length | None], floors: Floors, run: Pass, most: int) -> list[Length]:
    """Return the lengths with the flexible ones (None) set to whole working days, from their least to `most`.

    A branch that does not fit with that keeps it and is left to be reported as late.
    """
    found: dict[int, int] = {}
    ignored: set[int] = set()
    least = {i: network.least(i) for i, length in enumerate(lengths) if length is None}

    def at(level: int) -> list[Length]:
        return [max(found.get(i, level), least[i]) if length is None else length for i, length in enumerate(lengths)]

    def growing() -> bool:
        return any(length is None and i not in found for i, length in enumerate(lengths))

    def settle(level: int, latest: Latest) -> None:
        """Give `level` to the flexible steps of each stretch that `latest` shows too short."""
        while short := floors.worst(latest, ignored):
            path = [i for i in latest.path(short[1]) if lengths[i] is None and i not in found]
            ignored.add(short[1])
            found.update(dict.fromkeys(path, level))

    settle(1, run(at(1)))
    level = 1
    while growing():
        low, high = level, most + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if floors.worst(run(at(middle)), ignored) else (middle, high)
        level = low
        if level >= most:
            break
        full = run(at(level + 1))
        last = floors.worst(full, ignored)
        full_ones = {i for i, excess in network.excess(full, floors.begin).items() if excess > 0}
        path = full_ones | set(network.chain(full, last[1]) if last else ())
        newly = [i for i in path if lengths[i] is None and i not in found]
        if not newly:  # what is too long hangs on a growing step in a way of its own: none grows any further
            break
        found.update(dict.fromkeys(newly, level))
    return at(level)


@dataclass(frozen=True, slots=True)
class Squeezed:
    """Lengths that fit. `sharing` are the steps without a day of their own; `stuck` those before which no working day
    is left at all."""

    lengths: list[Length]
    sharing: tuple[int, ...] = ()
    stuck: tuple[int, ...] = ()


# Newton's method ends by itself but for leads and spans that grow while the rest shrinks: those are cut off.
NEWTON_STEPS = 100

NOT_SQUEEZED = Squeezed([])


def shrink(network: Network, lengths: Sequence[Length], floors: Floors, movable: frozenset[int], run: Pass) -> Squeezed:
    """Return lengths that keep the floors: by one factor for each stretch that is too long, just enough to fit.

    Every step keeps one working day while there are enough; then the steps of the stretch share what there is, equally.
    Waits, elapsed time, milestones and steps that are not `movable` keep their length.
    """

    full = _working_lengths(lengths, run(lengths), movable)
    settled: dict[int, Length] = {}
    sharing: list[int] = []
    stuck: set[int] = set()
    while worst := floors.worst(run(_with(lengths, settled)), stuck):
        free = {i: length for i, length in full.items() if i not in settled}
        factor, path = _factor(lengths, settled, free, floors, run, stuck)
        scaled = _scaled(free, factor)
        latest = run(_with(lengths, {**scaled, **settled}))
        if violations := floors.violations(latest, stuck):
            # One day each is too much: they share what there is. The tightest stretch goes first.
            share, index, ours = min(_share(latest, violation, free) for violation in violations)
            settled.update(dict.fromkeys(ours, share))
            sharing += ours if share > 0 else []
            stuck |= {index} if share <= 0 else set()
            continue
        excess = network.excess(latest, floors.begin)
        tight = [i for i in scaled if i in path or excess.get(i, -1) >= 0]
        settled.update({i: scaled[i] for i in tight})
        if not tight:
            stuck.add(worst[1])
    return Squeezed(_with(lengths, settled), tuple(sharing), tuple(sorted(stuck)))


def _share(latest: Latest, violation: tuple[Position, int], free: Mapping[int, int]) -> tuple[Fraction, int, list[int]]:
    """Return what each free step of a violated stretch can have of a day, the step at fault, and the stretch."""
    from fractions import Fraction

    short, index = violation
    ours = [i for i in latest.path(index) if i in free]
    share = 1 - Fraction(short) / len(ours) if ours else Fraction(0)
    return max(Fraction(0), share), index, ours


def _factor(
    lengths: Sequence[Length],
    settled: Mapping[int, Length],
    free: Mapping[int, int],
    floors: Floors,
    run: Pass,
    stuck: set[int],
) -> tuple[Fraction, list[int]]:
    """Return the largest factor at which all `free` lengths fit, and the stretch that sets it.

    Where one working day each is still too much, the factor is the one at which they have that.
    """
    from fractions import Fraction

    factor, path = Fraction(1), list[int]()
    for _ in range(NEWTON_STEPS):
        latest = run(_with(lengths, {**_scaled(free, factor), **settled}))
        short = floors.worst(latest, stuck)
        if short is None:
            break
        path = latest.path(short[1])
        slope = sum(free[i] for i in path if i in free and free[i] * factor > 1)
        if not slope:
            break
        # Newton's step: the shortfall is convex and piecewise linear in the factor, so this never overshoots.
        factor -= Fraction(short[0]) / slope
    return factor, path


def _scaled(lengths: Mapping[int, int], factor: Fraction) -> dict[int, Fraction]:
    """Return the lengths times the factor, none under one working day that had one."""
    from fractions import Fraction

    return {i: max(length * factor, Fraction(min(1, length))) for i, length in lengths.items()}


def _working_lengths(lengths: Sequence[Length], latest: Latest, movable: frozenset[int]) -> dict[int, int]:
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


def _with(lengths: Sequence[Length], other: Mapping[int, Length]) -> list[Length]:
    return [other.get(i, length) for i, length in enumerate(lengths)]
