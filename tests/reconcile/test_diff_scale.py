"""What a run decides takes work in proportion to the plan, whatever its shape. Work is counted in calls, not timed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.shapes import SHAPES, goal, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.shapes import Goals


@pytest.fixture
def calls() -> Iterator[Callable[[], float]]:
    """A clock that tells how many functions have been called, those of the language itself, too."""
    counted = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    yield lambda: counted
    sys.setprofile(None)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_work_grows_with_the_plan(shape: Callable[[int], Goals], calls: Callable[[], float]) -> None:
    small, large = measure(shape, 60, calls), measure(shape, 240, calls)
    growth = [after / before for before, after in zip(small, large, strict=True)]
    assert max(growth) < 6, growth  # 4 is linear, and 16 quadratic


def test_goals_may_hang_on_each_other_however_many_there_are() -> None:
    def chain(count: int) -> Goals:
        hanging = [goal(f"g{n}", {"before": f"g{n + 1}", "by": "1 day"}, ["Do it"]) for n in range(count)]
        return [*hanging, goal(f"g{count}", "2099-09-30", ["Do it"])]

    measure(chain, sys.getrecursionlimit() + 200, lambda: 0)
