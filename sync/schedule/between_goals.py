"""What goals that follow each other leave each other if steps grow: neither takes the time that another one needs.

A goal is planned against the starts of what comes after it. So a step that grows, or that comes after one, begins no
earlier than what it follows in other goals can end, and steps of other goals that need it have the time that it can
give back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from sync.schedule import milestones
from sync.schedule.backward_pass import BackwardPass, Constraints, first_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.project import Goal, Project
    from sync.schedule.context import Limits
    from sync.schedule.floors import Floors
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.lengths import Length
    from sync.schedule.step_graph import StepGraph


def followed(project: Project) -> set[str]:
    """Return the goals with steps that come before steps of a goal in which some grow, however many lie between."""
    found: set[str] = set()
    for goal in reversed(project.sequence):
        if goal.id in found or any(step.grows for step in goal.steps):
            found |= _follows(goal)
    return found


def _follows(goal: Goal) -> set[str]:
    """Return the other goals with steps that some step of this one comes after."""
    return {goal_of(link.key) for step in goal.steps for link in step.after} - {goal.id}


def alone(plan: GoalPlan, lengths: Sequence[Length], limits: Limits) -> GoalPlan:
    """Return the plan of a goal by its definition, with these lengths, as if no other goal limited it."""
    graph, nothing = plan.graph, frozenset[int]()
    latest = BackwardPass(graph, Constraints(due_of=limits.due_of)).latest(lengths)
    external = (i for i, _ in graph.among(limits.external.keys()))
    return replace(
        plan,
        lengths=lengths,
        growing=nothing,
        fixed={},
        closed=nothing,
        starts=first_days(graph, latest),
        dues=latest.due[:],
        standing=False,
        began={},
        under_way={},
        sharing=milestones.sharing(graph, nothing, external, ()),
    )


def floors_after(graph: StepGraph, floors: Floors, ends: Mapping[str, int]) -> Floors:
    """Return the floors with which no step begins before the `ends` of what it follows in other goals."""
    if not graph.elsewhere or not ends:
        return floors
    days, raised = graph.window.days, floors.copy()
    for i, link in graph.elsewhere:
        if i in raised.begin and link.key in ends:
            day = days.after(ends[link.key], link.wait)
            raised.begin[i] = max(raised.begin[i], days.position(day))
            if i in raised.first:
                raised.first[i] = max(raised.first[i], day + 1)
    return raised


def widened(
    graph: StepGraph, external: Mapping[int, int], loosest: Mapping[int, int], ends: Mapping[str, int]
) -> Mapping[int, int]:
    """Return the limits that other goals set, as wide as the goal needs: until each step can end.

    external: the limits by the lengths that steps of the other goals have grown to. loosest: those with the least.
    """
    keys = {i: graph.steps[i].key for i in external}
    return {i: max(day, min(loosest[i], ends.get(keys[i], day))) for i, day in external.items()}
