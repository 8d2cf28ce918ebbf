"""Milestones: they take no time, and so may share the day on which what follows them begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from config.durations import Duration
    from sync.schedule.backward_pass import StepGraph
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.squeeze import Floors


def sharing(network: StepGraph, gone: Set[int], outside: Iterable[int], pinned: Iterable[int]) -> frozenset[int]:
    """Return the open milestones that may share the day on which what follows them begins.

    Those that nothing open follows before the deadline have a day of their own, and so have those whose day is fixed.
    gone: steps that left the pass. outside: those that steps of other goals follow. pinned: those with a date of a
    person's.
    """
    if not network.milestones:
        return frozenset()
    leads = set(outside)
    for i in reversed(range(len(network.steps))):
        if any(n in leads or not (n in gone or network.steps[n].follow_up) for n, _ in network.next[i]):
            leads.add(i)
    return frozenset(leads.intersection(network.milestones)) - gone - network.anchors - set(pinned)


def show(planned: GoalPlan, floors: Floors, first: int) -> None:
    """Show each milestone that fits no earlier than it can be reached, nor later than what follows it begins.

    The pass may leave it at the end of the day before the day `first`, on which the goal can begin.
    """
    network, days = planned.network, planned.network.frame.days
    for i in network.milestones:
        if i not in floors.begin or planned.plan.begin[i] < floors.begin[i]:
            continue
        not_before = network.steps[i].not_before
        reached = max(first, not_before.toordinal() if not_before else first)
        before = [planned.dues[n] for n, wait in network.previous[i] if n not in planned.gone and _adds(wait)]
        moves = planned.gone | planned.sharing
        after = [planned.starts[n] for n, wait in network.next[i] if n not in moves and _adds(wait)]
        shown = min([days.forward(max([reached, *before])), *after])
        if planned.dues[i] < shown:
            planned.starts[i] = planned.dues[i] = shown


def _adds(wait: Duration | None) -> bool:
    """Return whether what follows comes after the whole of what it follows."""
    return wait is None or wait.amount >= 0
