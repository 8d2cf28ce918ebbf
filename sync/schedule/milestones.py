"""Milestones: they take no time, and so may share the day on which what follows them begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from config.durations import Duration
    from sync.schedule.floors import Floors
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.step_graph import StepGraph


def sharing(graph: StepGraph, closed: Set[int], external: Iterable[int], pinned: Iterable[int]) -> frozenset[int]:
    """Return the open milestones that may share the day on which what follows them begins.

    One that no open step follows before the deadline has a day of its own, and so has one whose day is fixed.
    external: steps that steps of other goals follow. pinned: steps to which the user gave a date.
    """
    if not graph.milestones:
        return frozenset()
    leads = set(external)
    for i in reversed(range(len(graph.steps))):
        if any(n in leads or not (n in closed or graph.steps[n].follow_up) for n, _ in graph.next[i]):
            leads.add(i)
    return frozenset(leads.intersection(graph.milestones)) - closed - graph.anchors - set(pinned)


def show(plan: GoalPlan, floors: Floors, first: int) -> None:
    """Give each milestone that fits a day on which it can be reached, no later than what follows it begins.

    The pass may place it at the end of the day before `first`, the day on which the goal can begin.
    """
    graph, days = plan.graph, plan.graph.window.days
    for i in graph.milestones:
        if i not in floors.begin or plan.latest.begin[i] < floors.begin[i]:
            continue
        not_before = graph.steps[i].not_before
        reached = max(first, not_before.toordinal() if not_before else first)
        before = [plan.dues[n] for n, wait in graph.previous[i] if n not in plan.closed and _adds(wait)]
        moves = plan.closed | plan.sharing
        after = [plan.starts[n] for n, wait in graph.next[i] if n not in moves and _adds(wait)]
        shown = min([days.forward(max([reached, *before])), *after])
        if plan.dues[i] < shown:
            plan.starts[i] = plan.dues[i] = shown


def _adds(wait: Duration | None) -> bool:
    """Return whether what follows comes after the whole of what it follows."""
    return wait is None or wait.amount >= 0
