"""How long the steps of a goal take, before anything grows or shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.durations import ONE_DAY, Duration, Unit
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from fractions import Fraction

    from config.project import Step
    from sync.schedule.step_graph import GoalWindow, StepGraph

    Length = int | Fraction | Duration  # working days, or a span or elapsed time, whose days depend on its place


def written_lengths(graph: StepGraph) -> list[Length | None]:
    """Return each step's length as written; None for one that grows: a flexible one, or one that repeats."""
    working = Unit.WORKING_DAYS  # asking an Enum takes longer than everything else here
    return [
        takes.amount
        if (takes := step.takes) is not None and takes.unit is working and step.every is None
        else _written(step, graph.window)
        for step in graph.steps
    ]


def _written(step: Step, window: GoalWindow) -> Length | None:
    takes = step.takes
    if takes is None:
        return None if step.flexible else ONE_DAY.amount
    if step.every is not None:
        return None
    if step.milestone:
        return 0
    if takes.unit is Unit.PERCENT:
        days = window.days
        available = days.position(window.limit) - days.position(window.start - 1)
        return max(1, available * takes.amount // 100)
    return takes


def least_length(graph: StepGraph, i: int) -> int:
    """Return the fewest working days that a step which grows may have: those that it takes one time."""
    takes, days, limit = graph.steps[i].takes, graph.window.days, graph.window.limit
    if graph.steps[i].every is None or takes is None:
        return 1
    if takes.unit is Unit.WORKING_DAYS:
        return max(1, takes.amount)
    return max(1, days.position(limit) - days.position(shift(limit, takes, -1)))
