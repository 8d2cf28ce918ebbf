"""The latest days that links alone leave the steps of a levelled plan: later where a person had no room."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.schedule.backward_pass import BackwardPass, Constraints, LatestDates
from sync.schedule.forward_pass import Forward
from sync.schedule.steps import squeezed_steps
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan


def note(context: Context) -> None:
    """Note in the plans of goals with `when_full: earlier` which steps could end later, and what bounds each step.

    Plans that cannot be kept, whoever has room, are left as they are, and so are those that are squeezed.
    """
    forward = Forward(context.progress, context.today, context.deadlines, {})
    for goal in context.project.sequence:
        plan = context.plans[goal.id]
        early = forward.early(plan)
        if not plan.missed:
            open_steps = set(range(len(plan.graph.steps))) - plan.left_out
            plan.keeps = all(days >= 0 for i, days in enumerate(forward.slack(plan, early)) if i in open_steps)
    external: dict[str, int] = {}  # as the dates of all goals are, by the step's key
    for goal in reversed(context.project.sequence):
        plan = context.plans[goal.id]
        if plan.keeps and context.capacity(plan.graph) and not squeezed_steps(plan):
            _note(context, plan, external)
        limit_others(external, plan)


def limit_others(external: dict[str, int], plan: GoalPlan) -> None:
    """Note in `external` the last day that the dates of a plan leave the steps of other goals that come before its own.

    external: by the key of the step that comes before.
    """
    graph = plan.graph
    for i, link in graph.elsewhere:
        if i not in plan.left_out:
            day = plan.dues[i] if graph.steps[i].milestone else plan.starts[i] - 1
            day = graph.window.days.before(day, link.wait)
            external[link.key] = min(day, external.get(link.key, day))


def _note(context: Context, plan: GoalPlan, external: dict[str, int]) -> None:
    graph, left_out = plan.graph, plan.left_out
    limits = {
        **plan.external,
        **{i: min(day, plan.external.get(i, day)) for i, day in graph.by_index(external).items()},
    }
    backward = BackwardPass(graph, Constraints(plan.fixed, left_out, limits, context.limits.due_of))
    special, dates = backward.special(), _as_latest(plan)
    stays = {*plan.fixed, *graph.anchors, *graph.repeating}
    moves = context.capacity(graph).keys() - stays - left_out
    driver = plan.latest.driver[:]
    for i in reversed(range(len(graph.steps))):
        if i in stays:
            continue
        kept = dates.begin[i], dates.end[i], dates.day_before[i], dates.due[i]
        backward.recompute(dates, plan.lengths, (i,), special)
        driver[i] = dates.driver[i]
        if i in left_out:
            continue
        if i in moves and dates.due[i] > kept[3] >= context.day:
            plan.could[i] = dates.due[i]
        dates.begin[i], dates.end[i], dates.day_before[i], dates.due[i] = kept
    plan.external = limits
    same_least = plan.least is plan.latest
    plan.latest = replace(plan.latest, driver=driver)
    plan.least = plan.latest if same_least else plan.least


def _as_latest(plan: GoalPlan) -> LatestDates:
    """Return the dates of a plan as the result of a pass."""
    graph, position = plan.graph, plan.graph.window.days.position
    before = [start - 1 for start in plan.starts]
    for i, length in enumerate(plan.lengths):
        if graph.steps[i].milestone:
            before[i] = plan.dues[i]
        elif isinstance(length, Duration) and length.unit is not Unit.CALENDAR_DAYS:
            before[i] = min(before[i], shift(plan.dues[i], length, -1))
    return LatestDates(
        [position(day) for day in before],
        [position(day) for day in plan.dues],
        before,
        plan.dues[:],
        plan.latest.driver[:],
    )
