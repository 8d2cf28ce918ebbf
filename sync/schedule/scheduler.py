"""From a project and what people did to a schedule: a pure function that knows no service, no clock and no file.

The planner plans goals from the last one back; then one forward pass over all goals gives the earliest dates, slack and
health.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule.assess import Assessor
from sync.schedule.load import loads
from sync.schedule.model import Progress, Schedule
from sync.schedule.planner import Planner
from sync.schedule.working_days import naming_goal

if TYPE_CHECKING:
    from datetime import date

    from config.project import Project


def schedule(project: Project, progress: Progress, today: date) -> Schedule:
    """Return the dates of every step of `project`, as of `today`.

    Raises OutOfTimeError when a plan reaches beyond the years of the calendar.
    """
    planner = Planner(project, progress, today)
    planner.plan_all()
    assessor, goals = Assessor(planner), {}
    for goal in project.sequence:  # each after those that it follows
        with naming_goal(goal):
            goals[goal.id] = assessor.judge(planner.planned[goal.id])
    listed = tuple(goals[goal.id] for goal in project.goals)
    return Schedule(today, listed, progress, loads(listed, project.capacity, today), project.namespace)
