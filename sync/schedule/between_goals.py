"""What goals that follow each other leave each other, where steps grow: neither takes the time that another one needs.

A goal is planned against the starts of what comes after it. So a step that grows, or that comes after one, begins no
earlier than what it follows in other goals can end, and steps of other goals that need it have the time that it can
give back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from sync.schedule import milestones
from sync.schedule.backward_pass import Constraints

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from config.project import Goal, Project
    from sync.schedule.backward_pass import Length, StepGraph
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.squeeze import Floors


def followed(project: Project) -> set[str]:
    """Return the goals with steps that come before steps of a goal in which some grow, however many lie between."""
    found: set[str] = set()
    for goal in reversed(project.sequence):
        if goal.id in found or any(step.grows for step in goal.steps):
            found |= _follows(goal)
    return found


def _follows(goal: Goal) -> set[str]:
    """Return the other goals whose steps some step of this one comes after."""
    return {goal_of(link.key) for step in goal.steps for link in step.after} - {goal.id}


def alone(planned: GoalPlan, lengths: Sequence[Length], due_of: Mapping[str, int], outside: Set[str]) -> GoalPlan:
    """Return the plan of a goal by its definition, with these lengths, where other goals set none a limit.

    outside: the steps that those of other goals come after.
    """
    network, nothing = planned.network, frozenset[int]()
    latest = network.latest(lengths, Constraints(due_of=due_of))
    plan = replace(planned, lengths=lengths, fixed={}, gone=nothing, standing=False, growing=nothing)
    plan.starts, plan.dues = network.starts(latest), latest.due[:]
    plan.sharing = milestones.sharing(network, nothing, (i for i, _ in network.among(outside)), ())
    return plan


def floors_after(network: StepGraph, floors: Floors, ends: Mapping[str, int]) -> Floors:
    """Return the floors where no step begins before the `ends` of what it follows in other goals."""
    if not network.elsewhere or not ends:
        return floors
    days, raised = network.frame.days, floors.copy()
    for i, link in network.elsewhere:
        if i in raised.begin and link.key in ends:
            day = days.after(ends[link.key], link.wait) if link.wait else ends[link.key]
            raised.begin[i] = max(raised.begin[i], days.position(day))
            if i in raised.first:
                raised.first[i] = max(raised.first[i], day + 1)
    return raised


def widened(
    network: StepGraph, outside: Mapping[int, int], loosest: Mapping[int, int], ends: Mapping[str, int]
) -> Mapping[int, int]:
    """Return the limits that other goals set where they are as wide as the goal needs: until each step can end.

    outside: the limits by the lengths that steps of the other goals have grown to. loosest: those with the least.
    """
    keys = {i: network.steps[i].key for i in outside}
    return {i: max(day, min(loosest[i], ends.get(keys[i], day))) for i, day in outside.items()}
