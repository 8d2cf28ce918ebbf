"""Why each step has its due date."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from config.project import Countdown
from sync.schedule.backward_pass import BY, EXTERNAL, LIMIT
from sync.schedule.context import to_date
from sync.schedule.model import Bound, Reason

if TYPE_CHECKING:
    from datetime import date

    from config.project import Step
    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan


def reasons(context: Context, plan: GoalPlan) -> list[Reason]:
    """Return why each step has its date, in sequence; steps that are bound by the same thing share one reason."""
    graph = plan.graph
    limit = Reason(Bound.LIMIT, to_date(graph.window.limit))
    shared = cache(lambda i, wait: Reason(Bound.NEXT, to_date(plan.starts[i]), graph.steps[i].key, wait))
    own = graph.anchors.union(i for i, _ in graph.among(context.progress.pins.keys()))
    return [
        _own_reason(context, plan, i)
        if i in own or driver < LIMIT
        else limit
        if driver < 0
        else shared(driver, dict(graph.next[i])[driver] if i in graph.waiting else None)
        for i, driver in enumerate(plan.latest.driver)
    ]


def _own_reason(context: Context, plan: GoalPlan, i: int) -> Reason:
    """Return why a step has its date if neither the limit nor a step of the same goal determined it."""
    step = plan.graph.steps[i]
    if step.key in context.progress.pins:
        return Reason(Bound.PIN, to_date(plan.dues[i]))
    if i in plan.graph.anchors:
        return _anchor_reason(step, to_date(plan.graph.window.deadline))
    if plan.latest.driver[i] == EXTERNAL:
        return Reason(Bound.NEXT, to_date(plan.external[i]), _follower_elsewhere(context, step.key))
    if plan.latest.driver[i] == BY:
        return Reason(Bound.BY, step.by)
    return Reason(Bound.STANDING, plan.made)


def _anchor_reason(step: Step, deadline: date) -> Reason:
    """Return why a step has the date that its own keys determine."""
    if step.on is not None:
        return Reason(Bound.APPOINTMENT, step.on)
    if step.afterwards is not None:
        return Reason(Bound.FOLLOW_UP, deadline, wait=step.afterwards)
    if isinstance(step.before, Countdown):
        return Reason(Bound.COUNTDOWN, key=step.before.key, wait=step.before.by)
    return Reason(Bound.COUNTDOWN, deadline, wait=step.before)


def _follower_elsewhere(context: Context, key: str) -> str | None:
    """Return the step of another goal that leaves the step `key` the least time."""
    limits = context.limits
    followers = limits.followers[key]
    return min(followers, key=lambda follower: (limits.due_of[follower], follower), default=None)
