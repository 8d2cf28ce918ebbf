"""Rows of steps that have to fit between two fixed points, and the steps that move each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sync.schedule.backward_pass import FIXED

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from sync.schedule.backward_pass import BackwardPass, LatestDates, Position
    from sync.schedule.step_graph import StepGraph


class Stretch(NamedTuple):
    """A row of steps, each after the one before it, up to the limit or to what is fixed.

    `excess` is the number of working days by which it is too long to keep the floors; negative is room. `free` and
    `optional` are the numbers of such steps in it.
    """

    excess: Position
    free: int
    optional: int


def longest_stretches(
    backward: BackwardPass,
    result: LatestDates,
    floors: Mapping[int, Position],
    part: Iterable[int],
    free: Container[int] = (),
    optional: Container[int] = (),
) -> dict[int, Stretch]:
    """Return the longest stretch through each step: of those as long, the one with the fewest `free` steps.

    Two sweeps over the lengths and waits as they lie in `result`; what is fixed ends a stretch. `part` has each step
    after those it follows.
    """
    part = list(part)
    after = _counts_after(result, part, free, optional)
    early = _reached(backward, result, floors, part, (free, optional))
    return {
        i: Stretch(begin - result.begin[i], after[i][0] - many, after[i][1] - few)
        for i, (begin, many, few) in early.items()
    }


def _counts_after(
    result: LatestDates, part: list[int], free: Container[int], optional: Container[int]
) -> dict[int, tuple[int, int]]:
    """Return how many free and optional steps there are from each step on, itself included."""
    after: dict[int, tuple[int, int]] = {}
    for i in reversed(part):
        many, few = after.get(result.driver[i], (0, 0))
        after[i] = many + (i in free), few + (i in optional)
    return after


def _reached(
    backward: BackwardPass,
    result: LatestDates,
    floors: Mapping[int, Position],
    part: list[int],
    counted: tuple[Container[int], Container[int]],
) -> dict[int, tuple[Position, int, int]]:
    """Return how early each step can begin, with the numbers of free and optional steps before it, negated.

    Negated, since of two stretches as long, the greater entry is to be the one with fewer of them.
    """
    early: dict[int, tuple[Position, int, int]] = {}
    free, optional = counted
    for i in part:
        if result.driver[i] == FIXED:
            continue
        reached = [(floors[i], 0, 0)] if i in floors else []
        for before, wait in backward.graph.previous[i]:
            if before in early:
                begin, many, few = early[before]
                between = result.begin[i] - backward.latest_end(result, i, wait)
                end = begin + result.end[before] - result.begin[before] + between
                reached.append((end, many - (before in free), few - (before in optional)))
        if reached:
            early[i] = max(reached)
    return early


def independent_parts(
    graph: StepGraph, steps: Iterable[int], free: Container[int], fixed: Container[int]
) -> list[list[int]]:
    """Return `steps`, given in sequence, in parts that do not move each other while lengths of `free` steps change.

    A step moves those it follows if its own begin moves; a countdown moves with the step it counts back from. Each part
    is in sequence.
    """
    steps = list(steps)
    moves: set[int] = set()  # those whose begin moves
    group = {i: i for i in steps}

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = i = group[group[i]]
        return i

    for i in reversed(steps):
        if i in fixed:
            continue
        if i in graph.anchors:
            movers = [counted] if (counted := graph.counted_from(i)) in group else []
        else:
            movers = [following for following, _ in graph.next[i] if following in moves]
        for mover in movers:
            group[root(i)] = root(mover)
        if movers or i in free:
            moves.add(i)
    found: dict[int, list[int]] = {}
    for i in steps:
        found.setdefault(root(i), []).append(i)
    return list(found.values())


def driving_steps(graph: StepGraph, result: LatestDates, steps: Iterable[int], fixed: Container[int]) -> set[int]:
    """Return the steps that place `steps`: their paths and, through countdowns, what places those.

    The step that a countdown counts back from is not among them: its due date does not depend on its own length.
    """
    found: set[int] = set()
    for i in steps:
        while i >= 0 and i not in found:
            found.add(i)
            while i not in fixed and (counted := graph.counted_from(i)) is not None:
                i = counted
            i = result.driver[i]
    return found
