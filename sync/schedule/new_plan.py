"""Plans a goal anew, from the deadline back; if that leaves too little time from today on, does as `when_late` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule import between_goals, milestones
from sync.schedule.backward_pass import BackwardPass, Constraints, anchored_days
from sync.schedule.refit import floors_from_today, regrown, squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.schedule.context import Context
    from sync.schedule.floors import Floors
    from sync.schedule.goal_plan import GoalPlan


def replan(context: Context, plan: GoalPlan) -> None:
    """Fit the dates of the backward pass into the time from today on."""
    plan.renewed = frozenset(plan.repeating)
    if plan.published and plan.published.digest == plan.digest:
        # With the same timing, it stays one plan, with the same dates of steps that are done by now.
        plan.take_published(plan.closed)
    if plan.missed or plan.goal.id in context.progress.done:
        return
    fixed = {**anchored_days(plan.graph, plan.latest), **plan.fixed}
    floors = floors_from_today(context, plan, plan.graph, fixed)
    _fit(context, plan, floors, fixed)
    milestones.show(plan, floors, context.first_day(plan.goal))


def _fit(context: Context, plan: GoalPlan, floors: Floors, fixed: Mapping[int, int]) -> None:
    """Let growing steps give back what does not fit; if that is too little, do as `when_late` says.

    Steps of this goal give first, and then those of other goals that follow it: `plan.loosest` has what they leave at
    their least. Nothing is squeezed because of a countdown: that keeps its distance.
    """
    graph, steps = plan.graph, range(len(plan.graph.steps))
    held = _with_countdowns(context, plan, floors, fixed)
    if not held.worst(plan.latest, steps):
        return
    movable = frozenset(floors.begin) | frozenset(floors.end)
    wide = between_goals.widened(graph, plan.external, plan.loosest, context.ends_today)
    for external in (plan.external, wide) if wide != plan.external else (wide,):
        backward = BackwardPass(graph, Constraints(plan.fixed, plan.closed, external, context.limits.due_of))
        lengths = regrown(plan, backward, held, movable)
        latest = backward.latest(lengths)
        if not floors.worst(latest, steps):
            plan.take(latest, movable | _countdowns(plan))
            plan.external = external
            return
    if plan.goal.when_late == "fail":
        plan.failed = True
    elif plan.goal.when_late == "squeeze":
        plan.external = wide
        squeeze(context, plan, backward, lengths, floors, movable)  # pyright: ignore[reportPossiblyUnboundVariable]


def _with_countdowns(context: Context, plan: GoalPlan, floors: Floors, fixed: Mapping[int, int]) -> Floors:
    """Return the floors that growing steps have to keep: those of countdowns and of other goals as well."""
    low = context.first_day(plan.goal) - 1
    held = floors.with_those_of(context.known().floors_of(plan.graph, _countdowns(plan), fixed, low))
    return between_goals.floors_after(plan.graph, held, context.ends_today) if plan.growing else held


def _countdowns(plan: GoalPlan) -> frozenset[int]:
    """Return the open countdowns from steps of this goal that are not pinned."""
    return plan.graph.countdowns - plan.closed - plan.fixed.keys()
