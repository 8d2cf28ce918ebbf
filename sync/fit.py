"""The earliest deadline for which a goal's plan fits from today, with every length as it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.calendar import OutOfTimeError
from sync.learning import lessons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.network import Goal, Project
    from sync.calendar import WorkingDays
    from sync.learning import Lesson
    from sync.schedule import Schedule, ScheduledGoal
    from sync.scheduler import Planned, Planner

# A countdown is rolled back over days off, and months differ in length: so many days make up for both.
_ROLLING = 40
# Steps that take a part of the time there is grow with the deadline: it is looked for so many days further on.
_PERCENT_REACH = 730


@dataclass(frozen=True, slots=True)
class Fit:
    """The earliest deadlines of a goal: `planned` with every length as written, `sure` by how sure one wants to be.

    They are None where no deadline helps, and in a goal that has nothing left to do. `estimates` counts the open steps
    whose estimates have a spread.
    """

    goal: ScheduledGoal
    today: date
    planned: date | None
    sure: Mapping[int, date | None]
    estimates: int
    lessons: tuple[Lesson, ...]


def fit(project: Project, schedule: Schedule, goal_id: str) -> Fit:
    """Return the earliest deadlines of one goal of a schedule, and what done steps tell of its lengths."""
    from sync.risk import CONFIDENCES, Sampler  # numpy is not for every run

    goal = next(goal for goal in schedule.goals if goal.goal.id == goal_id)
    sampler = Sampler(project, schedule)
    if goal.done or not goal.waiting:
        return Fit(goal, schedule.today, None, dict.fromkeys(CONFIDENCES), 0, lessons(schedule))
    sure = {percent: sampler.earliest_deadline(goal, percent) for percent in CONFIDENCES}
    planned = as_planned(project, schedule, goal_id)
    return Fit(goal, schedule.today, planned, sure, sampler.estimates(goal), lessons(schedule))


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
    most = furthest(goal, days, max(finish, least))

    def holds(deadline: int) -> bool:
        try:
            return planner.fits(planned, deadline)
        except OutOfTimeError:  # a part of so long a time that it would begin before all time
            return False

    percent = any(step.takes and step.takes.unit is Unit.PERCENT for step in goal.steps)
    if percent or any(isinstance(step.before, Duration) for step in goal.steps):
        # A later deadline may hold less well: with each further day, parts of the time may become longer, and days off
        # may leave less room between a countdown and the deadline.
        reach = _PERCENT_REACH if percent else 0
        found = next((day for day in range(least, most + 1 + reach) if holds(day)), None)
    else:
        found = first(holds, days.after(finish, goal.buffer), least, most)
    return None if found is None else date.fromordinal(found)


def furthest(goal: Goal, days: WorkingDays, finish: int) -> int:
    """Return a deadline that leaves a goal the time until `finish` and more, its buffer and countdowns included."""
    countdowns = [step.before for step in goal.steps if isinstance(step.before, Duration)]
    return max(days.after(finish, duration) for duration in (goal.buffer, *countdowns)) + _ROLLING


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
