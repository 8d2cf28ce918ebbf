"""The earliest deadline for which a goal's plan fits from today, with every length as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sync.forecast.estimates import CONFIDENCES, require_numpy, spread
from sync.forecast.learning import lessons
from sync.schedule.deadline import countdowns, earliest_deadline
from sync.schedule.forward_pass import early_ends

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.project import Project
    from sync.forecast.learning import Lesson
    from sync.schedule.model import Schedule, ScheduledGoal
    from sync.schedule.planner import Planner


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
    planner = planner_of(project, schedule)
    written = planner.planned[goal_id]
    planned = earliest_deadline(planner, written)
    estimates = sum(spread(step.step) is not None for step in goal.waiting)
    sure: Mapping[int, date | None] = (
        _sure(project, schedule, goal, planner) if estimates else dict.fromkeys(CONFIDENCES, planned)
    )
    return Fit(goal, schedule.today, planned, sure, estimates, lessons(schedule))


def _sure(project: Project, schedule: Schedule, goal: ScheduledGoal, planner: Planner) -> dict[int, date | None]:
    """Return the earliest deadlines by confidence level, in percent."""
    require_numpy()
    from sync.forecast.risk import Sampler

    sampler = Sampler(project, schedule)
    due_at = partial(countdowns, planner, planner.planned[goal.goal.id])
    hanging = planner.hanging(goal.goal)
    deadlines_at = (lambda day: planner.with_deadline(goal.goal, day).deadlines) if hanging else None
    return {percent: sampler.earliest_deadline(goal, percent, due_at, deadlines_at) for percent in CONFIDENCES}


def planner_of(project: Project, schedule: Schedule) -> Planner:
    """Return the scheduler in the state in which it made `schedule`."""
    from sync.schedule.planner import Planner

    planner = Planner(project, schedule.progress, schedule.today)
    planner.plan_all()
    plans = (planner.planned[goal.id] for goal in project.sequence)
    planner.ends = early_ends(planner.progress, planner.today, planner.deadlines, plans)
    return planner
