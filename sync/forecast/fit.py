"""The earliest deadline for which a goal's plan fits from today, with every length as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sync.forecast.estimates import CONFIDENCES, require_numpy, spread
from sync.forecast.learning import lessons
from sync.schedule.deadline import countdowns, earliest_deadline
from sync.schedule.forward_pass import early_ends
from sync.schedule.planner import plan_all, with_deadline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.project import Project
    from sync.forecast.learning import Lesson
    from sync.schedule.context import Context
    from sync.schedule.model import Schedule, ScheduledGoal


@dataclass(frozen=True, slots=True)
class Fit:
    """The earliest deadlines of a goal: `planned` with every length as written, `sure` by confidence level.

    They are None if no deadline is late enough, or the goal has no open steps. `estimates` is the number of open steps
    whose estimates have a spread.
    """

    goal: ScheduledGoal
    today: date
    planned: date | None
    sure: Mapping[int, date | None]
    estimates: int
    lessons: tuple[Lesson, ...]


def fit(project: Project, schedule: Schedule, goal_id: str) -> Fit:
    """Return the earliest deadlines of one goal of a schedule, and the lessons from done steps."""
    goal = next(goal for goal in schedule.goals if goal.goal.id == goal_id)
    if goal.done or not goal.waiting:
        return Fit(goal, schedule.today, None, dict.fromkeys(CONFIDENCES), 0, lessons(schedule))
    context = context_of(project, schedule)
    planned = earliest_deadline(context, context.plans[goal_id])
    estimates = sum(spread(step.step) is not None for step in goal.waiting)
    sure = _sure(project, schedule, goal, context) if estimates else dict.fromkeys(CONFIDENCES, planned)
    return Fit(goal, schedule.today, planned, sure, estimates, lessons(schedule))


def _sure(project: Project, schedule: Schedule, goal: ScheduledGoal, context: Context) -> dict[int, date | None]:
    """Return the earliest deadlines by confidence level, in percent."""
    require_numpy()
    from sync.forecast.risk import Sampler

    sampler = Sampler(project, schedule)
    due_at = partial(countdowns, context, context.plans[goal.goal.id])
    hanging = context.hanging(goal.goal)
    deadlines_at = (lambda day: with_deadline(context, goal.goal, day).deadlines) if hanging else None
    return {percent: sampler.earliest_deadline(goal, percent, due_at, deadlines_at) for percent in CONFIDENCES}


def context_of(project: Project, schedule: Schedule) -> Context:
    """Return the context in which `schedule` was made."""
    context = plan_all(project, schedule.progress, schedule.today)
    plans = (context.plans[goal.id] for goal in project.sequence)
    context.ends.update(early_ends(context.progress, context.today, context.deadlines, plans))
    return context
