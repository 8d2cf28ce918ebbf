"""Makes a schedule from a project and what the user did: a pure function that knows no service, no clock and no file.

The planner plans goals from the last one back; then one forward pass over all goals gives the earliest dates, slack and
health.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule.assess import assess
from sync.schedule.forward_pass import Forward
from sync.schedule.load import loads
from sync.schedule.model import Progress, Schedule
from sync.schedule.person_order import free_after
from sync.schedule.planner import plan_all
from sync.schedule.working_days import naming_goal

if TYPE_CHECKING:
    from datetime import date

    from config.project import Project


def schedule(project: Project, progress: Progress, today: date, *, afresh: bool = False) -> Schedule:
    """Return the dates of every step of `project`, as of `today`.

    afresh: goals with `when_full: earlier` are placed anew, even if a plan of theirs stands.

    Raises OutOfTimeError when a plan reaches beyond the years of the calendar.
    """
    context = plan_all(project, progress, today, afresh=afresh)
    free = free_after(context, Forward(progress, today, context.deadlines, {}))
    forward, goals = Forward(progress, today, context.deadlines, context.ends, free), {}
    for goal in project.sequence:  # each after those that it follows
        with naming_goal(goal):
            goals[goal.id] = assess(context, forward, context.plans[goal.id])
    listed = tuple(goals[goal.id] for goal in project.goals)
    return Schedule(today, listed, progress, loads(context, listed), project.namespace)
