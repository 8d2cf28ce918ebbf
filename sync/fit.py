"""The earliest deadline for which a goal's plan fits from today, with every length as it is written."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.calendar import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.network import Project
    from sync.schedule import Schedule
    from sync.scheduler import Planned, Planner

# A countdown is rolled back over days off, and months differ in length: so many days make up for both.
_ROLLING = 40
# Steps that take a part of the time there is grow with the deadline: it is looked for so many days further on.
_PERCENT_REACH = 730


def as_planned(project: Project, schedule: Schedule, goal_id: str) -> date | None:
    """Return the earliest deadline for which a goal fits from the day of `schedule`, with the progress of that day."""
    from sync.scheduler import Planner

    planner = Planner(project, schedule.progress, schedule.today)
    planner.plan_all()
    finishes = [step.early_finish for goal in schedule.goals if goal.goal.id == goal_id for step in goal.waiting]
    finish = max(finishes, default=schedule.today).toordinal()
    return earliest_deadline(planner, planner.planned[goal_id], finish)


def earliest_deadline(planner: Planner, planned: Planned, finish: int) -> date | None:
    """Return the earliest deadline for which the goal's plan fits from today; `finish` is its earliest finish.

    None where something else than the deadline is too early: an appointment, a pin, a `by`, another goal.
    """
    goal, days = planned.goal, planned.network.frame.days
    appointments = [step.on.toordinal() for step in goal.steps if step.on and step.key not in planner.progress.done]
    least = max([planner.day, *appointments, *planned.fixed.values()])
    countdowns = [step.before for step in goal.steps if isinstance(step.before, Duration)]
    most = max(least, *(days.after(finish, duration) for duration in (goal.buffer, *countdowns))) + _ROLLING

    def holds(deadline: int) -> bool:
        try:
            return planner.fits(planned, deadline)
        except OutOfTimeError:  # a part of so long a time that it would begin before all time
            return False

    if any(step.takes and step.takes.unit is Unit.PERCENT for step in goal.steps):
        # Each further day may lengthen several steps at once, so that a later deadline may hold less well.
        found = next((day for day in range(least, most + _PERCENT_REACH) if holds(day)), None)
    else:
        found = first(holds, days.after(finish, goal.buffer), least, most)
    return None if found is None else date.fromordinal(found)


def first(holds: Callable[[int], bool], guess: int, least: int, most: int) -> int | None:
    """Return the least number from `least` to `most` that holds, where every one above it does too; None without any.

    Takes two tries where `guess` is right, and a few more the further it is off.
    """
    fails, works, stride = least - 1, most + 1, 1
    tried = min(max(guess, least), most)
    while works - fails > 1:
        if holds(tried):
            works, following = tried, tried - stride
        else:
            fails, following = tried, tried + stride
        stride *= 2
        tried = following if fails < following < works else (fails + works) // 2
    return works if works <= most else None
