"""Fits the dates of a goal into the time that is left from today on: growing steps give way, then others shrink."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from sync.schedule.growth import Growth
from sync.schedule.lengths import least_length
from sync.schedule.squeeze import Squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sync.schedule.backward_pass import BackwardPass
    from sync.schedule.context import Context
    from sync.schedule.floors import Floors
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.lengths import Length
    from sync.schedule.step_graph import StepGraph


def floors_from_today(context: Context, plan: GoalPlan, graph: StepGraph, fixed: Mapping[int, int]) -> Floors:
    """Return what a plan made today has to keep; a step that has begun only has to end today or later.

    On a day off, that is the next working day, unless the step takes calendar days.

    `graph` is the plan's, perhaps in another window; `fixed` has the due days of what is fixed, by index.
    """
    days = graph.window.days
    floors = context.known().floors(graph, plan.closed, fixed, context.first_day(plan.goal) - 1)
    begun = plan.under_way.keys() & floors.begin.keys()
    today, working = days.position(context.day), days.position(days.forward(context.day))
    return floors.of_begun({i: today if i in graph.elapsed else working for i in begun})


def regrown(plan: GoalPlan, backward: BackwardPass, floors: Floors, movable: frozenset[int]) -> Sequence[Length]:
    """Return the lengths, where growing steps have no more than today leaves them."""
    graph, growing = plan.graph, movable & floors.begin.keys() & plan.growing
    if not growing:  # one that has begun keeps its length
        return plan.lengths
    grown = [least_length(graph, i) if i in growing else length for i, length in enumerate(plan.lengths)]
    days = graph.window.days
    most = days.position(graph.window.limit) - days.position(graph.window.start - 1)
    Growth(backward, grown, backward.latest(grown), floors, max(1, most)).grow(growing)
    return [
        min(length, new) if i in growing else length  # type: ignore[type-var]  # what grows has whole days
        for i, (length, new) in enumerate(zip(plan.lengths, grown, strict=True))
    ]


def squeeze(
    context: Context,
    plan: GoalPlan,
    backward: BackwardPass,
    lengths: Sequence[Length],
    floors: Floors,
    movable: frozenset[int],
) -> None:
    """Shrink what does not fit; optional steps are skipped before a step has less than a day of its own."""
    graph, constraints = plan.graph, backward.constraints
    # The sequence follows the links; "the last listed" is the file's order.
    places = {step.key: place for place, step in enumerate(plan.goal.steps) if step.optional}
    optional = {i: places[key] for i, key in graph.among(places.keys())}
    shrinking = Squeeze(backward, lengths, floors, movable - constraints.left_out, optional)
    plan.squeezed = shrinking.shrink()
    plan.skipped |= plan.squeezed.skipped
    plan.take(shrinking.latest, movable | graph.countdowns - constraints.left_out - constraints.fixed.keys())
    if plan.squeezed.stuck:
        _clamp_to_limit(context, plan, floors)


def _clamp_to_limit(context: Context, plan: GoalPlan, floors: Floors) -> None:
    """Put steps without any day left on the first that they could have: never in the past, nor after the limit."""
    days = plan.graph.window.days
    last = max(plan.graph.window.limit, days.forward(context.day))
    for i, begin in floors.begin.items():
        reached = days.day(floor(begin) + (1 if plan.lengths[i] else 0))
        first = min(last, max(reached, days.forward(context.first_day(plan.goal))))
        plan.starts[i] = max(plan.starts[i], first)
        plan.dues[i] = max(plan.dues[i], first)
