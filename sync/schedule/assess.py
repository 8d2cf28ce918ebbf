"""What a schedule says of a goal: its steps with slack and reasons, its health, and what to warn of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import is_occurrence
from sync.schedule.buffer import consumption
from sync.schedule.context import to_date
from sync.schedule.deadline import earliest_deadline
from sync.schedule.model import ScheduledGoal, State
from sync.schedule.steps import scheduled_steps
from sync.schedule.warn import warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sync.schedule.context import Context
    from sync.schedule.forward_pass import Forward
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import Buffer, ScheduledStep

_FEW = 0.1  # of the working days left: fewer in hand are a risk


def assess(context: Context, forward: Forward, plan: GoalPlan) -> ScheduledGoal:
    """Return a goal with its dates, its health and what to warn of; those that it follows come first."""
    window, steps = plan.graph.window, scheduled_steps(context, forward, plan)
    waiting = [step for step in steps if step.open and not step.step.follow_up]
    dated = [step for step in waiting if step.due is not None]
    margin, fits = _margin(context, plan, dated)
    state = _ended(context, plan, steps)
    is_over = state in (State.GIVEN_UP, State.NO_STEP_LEFT)
    buffer = None if is_over else consumption(steps, waiting, plan, context.today)
    if state is None:
        state = _projected(context, plan, waiting, margin, buffer) if dated else State.ON_TRACK
    goal = ScheduledGoal(
        goal=plan.goal,
        deadline=to_date(window.deadline),
        limit=to_date(window.limit),
        steps=steps,
        state=state,
        margin=margin,
        digest=plan.digest,
        made=plan.made,
        began={plan.graph.steps[i].key: to_date(day) for i, day in plan.began.items()},
        done=context.progress.done.get(plan.goal.id),
        earliest_deadline=fits if fits and fits.toordinal() > window.deadline else None,
        failed=plan.failed,
        waits=plan.waits,
        moves_for=plan.moves_for,
        buffer=buffer,
    )
    found = () if is_over else tuple(warnings(context, goal, plan))
    return replace(goal, warnings=found) if found else goal


def _margin(context: Context, plan: GoalPlan, dated: Sequence[ScheduledStep]) -> tuple[int | None, date | None]:
    """Return the days in hand, and the earliest deadline that fits; None for what does not exist or is not needed.

    dated: the open steps that the deadline waits for.
    """
    slack = min((step.slack for step in dated), default=0)
    # With goals that hang on this one, each look for a deadline costs a plan of all of them.
    if plan.goal.id in context.hung_on and slack >= _enough(context, plan) and not _any_overdue(dated):
        return slack, None
    fits = earliest_deadline(context, plan) if dated else None
    if fits is None:
        return None, None
    if context.capacity(plan.graph):  # slack knows of the person's other steps
        margin = _in_hand(plan, fits)
        return (max(0, min(margin, slack)) if margin >= 0 else margin), fits
    return _in_hand(plan, fits), fits


def _in_hand(plan: GoalPlan, fits: date) -> int:
    """Return the working days from the earliest deadline that fits to the goal's own, negative when it is late."""
    window, position = plan.graph.window, plan.graph.window.days.position
    margin = position(window.deadline) - position(fits.toordinal())
    # A countdown may need a deadline that is later by free days alone.
    return min(margin, -1) if fits.toordinal() > window.deadline else margin


def _enough(context: Context, plan: GoalPlan) -> float:
    """Return how many days in hand are no risk: a tenth of the working days left, and at least one."""
    window, position = plan.graph.window, plan.graph.window.days.position
    return max(1, _FEW * (position(window.deadline) - position(context.day - 1)))


def _ended(context: Context, plan: GoalPlan, steps: Sequence[ScheduledStep]) -> State | None:
    """Return how a goal ended, or that its deadline passed; None for one that goes on."""
    progress, goal_id = context.progress, plan.goal.id
    before_the_deadline = [step for step in steps if not step.step.follow_up]
    if goal_id in progress.done:
        return State.DONE
    if goal_id in progress.given_up:
        return State.GIVEN_UP
    if before_the_deadline and all(step.dropped for step in before_the_deadline):
        return State.NO_STEP_LEFT
    if plan.missed and (not steps or any(step.open for step in before_the_deadline)):
        return State.MISSED
    return None


def _projected(
    context: Context, plan: GoalPlan, waiting: Sequence[ScheduledStep], margin: int | None, buffer: Buffer | None
) -> State:
    """Return the health of an open goal, should work on it go on from today. waiting: its open steps."""
    if margin is None or margin < 0:
        return State.LATE
    red = buffer is not None and buffer.colour == "red"
    few = margin < _enough(context, plan) or bool(plan.full)
    return State.AT_RISK if few or red or _any_overdue(waiting) else State.ON_TRACK


def _any_overdue(steps: Iterable[ScheduledStep]) -> bool:
    """Return whether one of the steps should have been done; a missed occurrence is no step."""
    return any(step.overdue and not is_occurrence(step.step.key) for step in steps)
