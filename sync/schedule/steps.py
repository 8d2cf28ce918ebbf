"""The steps of a goal as the schedule shows them: with dates, slack, reasons and flags."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.schedule.backward_pass import FIXED
from sync.schedule.context import to_date
from sync.schedule.model import Bound, Reason, ScheduledStep
from sync.schedule.occurrences import single
from sync.schedule.reasons import reasons
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from sync.schedule.context import Context
    from sync.schedule.forward_pass import Forward
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.lengths import Length
    from sync.schedule.model import Progress
    from sync.schedule.occurrences import Occurrence
    from sync.schedule.working_days import WorkingDays


def scheduled_steps(context: Context, forward: Forward, plan: GoalPlan) -> tuple[ScheduledStep, ...]:
    """Return the steps in the file's order, with the occurrences in place of a step that repeats."""
    graph = plan.graph
    steps = dict(zip(graph.index, _in_sequence(context, forward, plan), strict=True))
    times = {graph.steps[i].key: _times(context, plan, i, steps[graph.steps[i].key]) for i in plan.repeating}
    return tuple(one for step in plan.goal.steps for one in times.get(step.key, (steps[step.key],)))


def _in_sequence(context: Context, forward: Forward, plan: GoalPlan) -> list[ScheduledStep]:
    """Return the steps in the order of the goal's sequence."""
    early = forward.early(plan)
    longest = _longest_chain(plan)
    rows = zip(
        plan.graph.steps,
        map(to_date, plan.starts),
        map(to_date, plan.dues),
        map(to_date, early.start),
        map(to_date, early.finish),
        forward.slack(plan, early),
        reasons(context, plan),
        map(longest.__contains__, range(len(plan.graph.steps))),
        strict=True,
    )
    steps = [ScheduledStep(*row) for row in rows]
    squeezed = squeezed_steps(plan)
    for i in _unusual(context, plan) | squeezed:
        steps[i] = _flagged(context, plan, i, steps[i])._replace(squeezed=i in squeezed)
    for i, day in plan.could.items():
        steps[i] = steps[i]._replace(could=to_date(day))
    return steps


def _longest_chain(plan: GoalPlan) -> frozenset[int]:
    """Return the steps on the chain that begins earliest: it decides when work must start."""
    left_out = plan.left_out
    moving = [i for i, driver in enumerate(plan.latest.driver) if driver != FIXED and i not in left_out]
    if not moving:
        return frozenset()
    first = min(moving, key=plan.starts.__getitem__)
    return frozenset(plan.latest.path(first)) - plan.closed


def squeezed_steps(plan: GoalPlan) -> set[int]:
    """Return the steps whose dates leave them less time than is written, whatever day the plan was made."""
    if not plan.may_be_short:
        return set()
    graph = plan.graph
    whole = {*plan.fixed, *plan.left_out, *graph.anchors}
    return {
        i
        for i, length in enumerate(plan.lengths)
        if i not in whole
        and not graph.steps[i].grows
        and _is_short(graph.window.days, plan.starts[i], plan.dues[i], length)
    }


def _is_short(days: WorkingDays, start: int, due: int, length: Length) -> bool:
    if not isinstance(length, Duration):
        return days.position(due) - days.position(start - 1) < length
    first = shift(due, length, -1) + 1
    return length.unit is not Unit.CALENDAR_DAYS and start > min(days.forward(first), due)


def _unusual(context: Context, plan: GoalPlan) -> set[int]:
    """Return the steps that need flags: overdue, pinned, done, dropped, skipped, under way."""
    today = context.day
    past = {i for i, due in enumerate(plan.dues) if due < today}
    pinned = {i for i, _ in plan.graph.among(context.progress.pins.keys())}
    return past | pinned | plan.left_out | plan.under_way.keys()


def _flagged(context: Context, plan: GoalPlan, i: int, step: ScheduledStep) -> ScheduledStep:
    key, progress, skipped = step.step.key, context.progress, i in plan.skipped
    dropped = key in progress.dropped
    return step._replace(
        start=None if skipped else step.start,
        due=None if skipped else step.due,
        pinned=key in progress.pins,
        done=None if dropped else progress.done.get(key),
        dropped=dropped,
        overdue=plan.dues[i] < context.day and i not in plan.closed and not skipped,
        under_way=to_date(plan.under_way[i]) if i in plan.under_way else None,
    )


def _times(context: Context, plan: GoalPlan, i: int, step: ScheduledStep) -> list[ScheduledStep]:
    """Return the occurrences of a step that repeats. Their slack is the step's: how much the goal can bear."""
    times = plan.occurrences(i)
    return [
        _occurrence(context.progress, context.day, step, one, later.key if later else None)
        for one, later in pairwise(chain(times, (None,)))
        if one is not None
    ]


def _occurrence(
    progress: Progress, today: int, step: ScheduledStep, one: Occurrence, following: str | None
) -> ScheduledStep:
    dropped, pinned = one.key in progress.dropped, one.key in progress.pins
    done = None if dropped else progress.done.get(one.key) or step.done
    reason = Reason(Bound.REPEATS, key=following) if following else step.reason
    return step._replace(
        step=single(step.step, one.key),
        start=to_date(one.start),
        due=to_date(one.due),
        reason=Reason(Bound.PIN, to_date(one.due)) if pinned else reason,
        pinned=pinned,
        done=done,
        dropped=dropped,
        overdue=done is None and not dropped and one.due < today,
    )
