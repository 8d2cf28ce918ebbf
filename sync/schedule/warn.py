"""Finds what to warn of in a goal's dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import is_occurrence
from sync.schedule.backward_pass import FIXED, anchored_days
from sync.schedule.context import to_date
from sync.schedule.model import State
from sync.schedule.warnings import (
    AfterDeadline,
    DeadlinePassed,
    DeadlineTooNear,
    Late,
    LessTime,
    MakesRoom,
    MoreStartTooEarly,
    NoDayLeft,
    NoDeadlineFits,
    NoRoom,
    OutOfOrder,
    Overdue,
    SharedDays,
    ShortWait,
    Skipped,
    StartsTooEarly,
    Waits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import ScheduledGoal
    from sync.schedule.warnings import GoalWarning

_NAMED = 5  # warnings of one kind


def warnings(context: Context, goal: ScheduledGoal, plan: GoalPlan) -> Iterator[GoalWarning]:
    """Yield what to warn of, the most important first."""
    if goal.state is State.DONE:
        return
    yield from _health(goal)
    yield from _too_early(goal)
    yield from _too_little_time(goal, plan)
    yield from _out_of_order(context, plan)
    for step in goal.steps:
        if step.pinned and is_occurrence(step.step.key) and step.due and step.due > goal.deadline:
            yield AfterDeadline(step.step, step.due)
    yield from (Skipped(plan.graph.steps[i]) for i in sorted(plan.skipped))
    window, at_least = plan.graph.window, goal.goal.at_least
    if at_least is not None and window.days.before(window.deadline, at_least) < context.day:
        yield DeadlineTooNear(at_least)
    overdue = [(step.step, step.due) for step in goal.steps if step.overdue and step.due]
    if overdue and goal.state is not State.MISSED:
        yield Overdue(overdue)


def _health(goal: ScheduledGoal) -> Iterator[GoalWarning]:
    if goal.state is State.MISSED:
        yield DeadlinePassed(goal.goal, goal.deadline)
    elif goal.state is State.LATE:
        yield NoDeadlineFits(goal.goal) if goal.margin is None else Late(-goal.margin, goal.earliest_deadline)


def _too_early(goal: ScheduledGoal) -> Iterator[GoalWarning]:
    """Yield the steps that would have to begin before they can, in a plan that is left as it is."""
    if goal.goal.when_late not in ("keep", "fail") or goal.state is State.MISSED:
        return
    late = (step for step in goal.waiting if step.slack < 0 and not step.overdue)
    dated = ((step, step.start) for step in late if step.start is not None)
    early = [StartsTooEarly(step.step, start, step.early_start) for step, start in dated if start < step.early_start]
    yield from early[:_NAMED]
    if len(early) > _NAMED:
        yield MoreStartTooEarly(len(early) - _NAMED)


def _too_little_time(goal: ScheduledGoal, plan: GoalPlan) -> Iterator[GoalWarning]:
    """Yield what a plan that does not fit costs: lengths, days of one's own, waits, or that no day is left."""
    steps, stuck = plan.graph.steps, plan.squeezed.stuck
    measured = plan.may_be_short and not stuck
    sharing, waits = (_sharing_days(plan), _short_waits(plan)) if measured else ([], [])
    if squeezed := sum(step.squeezed for step in goal.steps):
        yield LessTime(squeezed, len(steps), fits=not (sharing or waits or stuck))
    if sharing:
        yield SharedDays([steps[i] for i in sharing])
    yield from waits[:_NAMED]
    yield from (_no_day_left(plan, i) for i in stuck)
    if plan.moves_for:
        yield MakesRoom(plan.moves_for)
    if plan.waits:
        yield Waits()
    if plan.full:
        yield NoRoom([steps[i] for i in sorted(plan.full)], plan.remedies)


def _sharing_days(plan: GoalPlan) -> list[int]:
    """Return the steps without a day of their own, whatever day the plan was made.

    They begin on the day on which what they follow ends, or end on the day on which what follows them begins.
    """
    graph, found = plan.graph, set[int]()
    whole = {*plan.fixed, *plan.left_out, *graph.anchors}
    takes_time = {i for i, length in enumerate(plan.lengths) if length and i not in whole}
    for i in takes_time:
        shared = [
            n
            for n, wait in graph.next[i]
            if n in takes_time and plan.starts[n] <= plan.dues[i] and not (wait and wait.amount < 0)
        ]
        found.update((i, *shared) if shared else ())
    return sorted(found)


def _short_waits(plan: GoalPlan) -> list[ShortWait]:
    """Return the waits that the dates cut short.

    Steps that have less than a day each share days with their neighbours; over a wait, they have none to share.
    """
    graph, days = plan.graph, plan.graph.window.days
    stays = graph.anchors | plan.fixed.keys()
    found = []
    for i in sorted(graph.waiting - plan.left_out):
        for n, wait in graph.next[i]:
            if wait is None or wait.amount <= 0 or n in plan.left_out or (i in stays and n in stays):
                continue
            last = plan.starts[n] - (0 if graph.steps[n].milestone else 1)
            if days.position(plan.dues[i]) > days.position(days.before(last, wait)):
                found.append(ShortWait(wait, graph.steps[i], graph.steps[n], to_date(plan.starts[n])))
    return found


def _no_day_left(plan: GoalPlan, i: int) -> NoDayLeft:
    steps, last = plan.graph.steps, plan.latest.path(i)[-1]
    if plan.latest.driver[last] == FIXED:
        return NoDayLeft(steps[i], to_date(plan.dues[last]), steps[last])
    return NoDayLeft(steps[i], to_date(plan.graph.window.deadline), None)


def _out_of_order(context: Context, plan: GoalPlan) -> Iterator[GoalWarning]:
    """Yield the steps whose day lies before that of a step they come after, or after the deadline they lead to."""
    graph = plan.graph
    fixed = {**anchored_days(graph, plan.latest), **plan.fixed}
    for i, day in sorted(fixed.items()):
        if i in plan.left_out:
            continue
        if day > graph.window.deadline and not graph.steps[i].follow_up:
            yield AfterDeadline(graph.steps[i], to_date(day))
        yield from _after_too_late(context, plan, i, fixed)


def _after_too_late(context: Context, plan: GoalPlan, i: int, fixed: Mapping[int, int]) -> Iterator[GoalWarning]:
    """Yield the open steps that a fixed step comes after, and that leave it no working day."""
    step, days, progress = plan.graph.steps[i], plan.graph.window.days, context.progress
    for link in step.after:
        before = context.known().day(link.key, fixed, plan.graph)
        if before is None or link.key in progress.done or link.key in progress.dropped:
            continue
        # A milestone may lie on the day on which what it follows ends.
        if days.after(before, link.wait) + (not step.milestone) > fixed[i]:
            yield OutOfOrder(step, to_date(fixed[i]), context.steps[link.key], to_date(before))
