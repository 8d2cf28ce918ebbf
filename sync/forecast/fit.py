"""The earliest deadline for which a goal's plan fits from today, with every length as it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from sync.forecast.estimates import CONFIDENCES, require_numpy, spread
from sync.forecast.learning import lessons
from sync.schedule.deadline import countdowns, earliest_deadline
from sync.schedule.forward_pass import early_ends
from sync.schedule.planner import plan_all, with_deadline
from sync.schedule.search import first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.project import Project
    from sync.forecast.learning import Lesson
    from sync.schedule.context import Context
    from sync.schedule.model import Schedule, ScheduledGoal


_YEAR = 366


@dataclass(frozen=True, slots=True)
class Fit:
    """The earliest deadlines of a goal, each None if no deadline fits, or if the goal has no open steps.

    - planned: with every length as written
    - by_confidence: by confidence level, in percent
    - estimates: how many open steps have an estimate with a spread
    """

    goal: ScheduledGoal
    today: date
    planned: date | None
    by_confidence: Mapping[int, date | None]
    estimates: int
    lessons: tuple[Lesson, ...]


def fit(project: Project, schedule: Schedule, goal_id: str) -> Fit:
    """Return the earliest deadlines of one goal of a schedule, and the lessons from done steps."""
    goal = next(goal for goal in schedule.goals if goal.goal.id == goal_id)
    if goal.done or not goal.waiting:
        return Fit(goal, schedule.today, None, dict.fromkeys(CONFIDENCES), 0, lessons(schedule))
    context = context_of(project, schedule)
    planned = earliest_deadline(context, context.plans[goal_id])
    if planned is not None and context.capacity(context.plans[goal_id].graph):
        planned = _around_others(project, schedule, goal_id, planned)
    estimates = sum(spread(step.step) is not None for step in goal.waiting)
    by_confidence: dict[int, date | None] = dict.fromkeys(CONFIDENCES, planned)
    if estimates:
        by_confidence = _by_confidence(project, schedule, goal, context)
    return Fit(goal, schedule.today, planned, by_confidence, estimates, lessons(schedule))


def _around_others(project: Project, schedule: Schedule, goal_id: str, least: date) -> date | None:
    """Return the earliest deadline from `least` on with room for all steps, where no other goal moves for them.

    None if there is none within a year.
    """

    def fits(day: int) -> bool:
        due = date.fromordinal(day)
        moved = project.with_goals(lambda goal: replace(goal, deadline=due) if goal.id == goal_id else goal)
        plans = plan_all(moved, schedule.progress, schedule.today).plans
        return not plans[goal_id].full and not any(plan.moves_for for plan in plans.values())

    found = first(fits, least.toordinal(), least.toordinal(), least.toordinal() + _YEAR)
    return None if found is None else date.fromordinal(found)


def _by_confidence(
    project: Project, schedule: Schedule, goal: ScheduledGoal, context: Context
) -> dict[int, date | None]:
    """Return the earliest deadline at each confidence level, in percent."""
    require_numpy()
    from sync.forecast.risk import Sampler

    sampler = Sampler(project, schedule)
    due_at = partial(countdowns, context, context.plans[goal.goal.id])
    others_depend = context.hanging(goal.goal)
    deadlines_at = (lambda day: with_deadline(context, goal.goal, day).deadlines) if others_depend else None
    return {percent: sampler.earliest_deadline(goal, percent, due_at, deadlines_at) for percent in CONFIDENCES}


def context_of(project: Project, schedule: Schedule) -> Context:
    """Return the context in which `schedule` was made."""
    context = plan_all(project, schedule.progress, schedule.today)
    plans = (context.plans[goal.id] for goal in project.sequence)
    context.ends.update(early_ends(context.progress, context.today, context.deadlines, plans))
    return context
