"""Puts steps and goals in an order in which each comes after all that it waits for, or reports the circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, TypeVar

from config.keys import goal_of
from config.project import Countdown, Goal, RelativeDeadline, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from config.parts import Report

_MANY_ON_THE_WAY = 20  # steps of a circle that are named
_Keyed = TypeVar("_Keyed", Step, Goal)


def step_sequence(steps: tuple[Step, ...], report: Report) -> tuple[Step, ...]:
    """Return the steps so that each comes after what it follows, and countdowns before what they count from."""
    graph: dict[str, list[str]] = {step.key: [] for step in steps}
    for step in steps:
        graph[step.key] += [link.key for link in step.after if link.key in graph]
        if isinstance(step.before, Countdown) and step.before.key in graph:
            graph[step.before.key].append(step.key)
    plain_list = [[], *([step.key] for step in steps[:-1])]
    if list(graph.values()) == plain_list:  # as nearly always; sorting takes much longer
        return steps
    return _sorted({step.key: step for step in steps}, graph, "steps", report)


def goal_sequence(goals: Mapping[str, Goal], report: Report) -> tuple[Goal, ...]:
    """Return the goals so that each comes after those that it waits for."""
    graph: dict[str, dict[str, None]] = {goal_id: {} for goal_id in goals}
    for goal in goals.values():
        for waiting, other in _waits(goal):
            if waiting in graph:
                graph[waiting][other] = None
    return _sorted(goals, graph, "goals", report)


def _waits(goal: Goal) -> Iterator[tuple[str, str]]:
    """Yield which goals wait for which, as far as this goal decides: (the one that waits, the one before)."""
    if isinstance(goal.deadline, RelativeDeadline):
        yield goal.deadline.goal, goal.id  # a goal before itself is a circle; a step before another of its goal is none
    for step in goal.steps:
        before = [goal_of(link.key) for link in step.after] + [link.key for link in step.after_goals]
        yield from ((goal.id, other) for other in before if other != goal.id)
        if isinstance(step.before, Countdown) and (other := goal_of(step.before.key)) != goal.id:
            yield other, goal.id


def _sorted(
    items: Mapping[str, _Keyed], before: Mapping[str, Iterable[str]], what: str, report: Report
) -> tuple[_Keyed, ...]:
    try:
        return tuple(items[key] for key in TopologicalSorter(before).static_order())
    except CycleError as error:
        cycle: list[str] = error.args[1]
        shown = [f"{key} ({items[key].origin.at()})" for key in cycle[:_MANY_ON_THE_WAY]]
        if left := len(cycle) - len(shown):
            shown += [f"{left} more"]
        around = " -> ".join(shown)
        report(items[cycle[0]].origin.at(), f"these {what} wait for each other in a circle: {around}")
        return tuple(items.values())
