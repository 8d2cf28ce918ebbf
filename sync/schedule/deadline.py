"""The earliest deadline for which a goal fits."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from config.project import Countdown
from sync.schedule.search import first
from sync.schedule.working_days import OutOfTimeError

if TYPE_CHECKING:
    from config.project import Goal
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.planner import Planner
    from sync.schedule.working_days import WorkingDays


# Months differ in length, and stretches pass over days off: so many days make up for it where a deadline is sought that
# is late enough for everything.
_ROLLING = 400


# Parts of the time grow with the deadline: after so many rounds, even those of 95% have settled, or never will.
_ROUNDS = 400


# Days on which a countdown and what follows it were at odds: enough to get past weekends and a season's holidays.
_AT_ODDS = 60


def earliest_deadline(planner: Planner, planned: GoalPlan) -> date | None:
    """Return the earliest deadline for which the goal's plan fits from today.

    None where something else than the deadline is too early: an appointment, a pin, a `by`, another goal.

    A later deadline may hold less well: parts of the time become longer, and days off may leave less room between a
    countdown and the deadline. So what is sought is the first deadline that holds without either, with the parts as
    they are at a deadline too early; from there on, the same again.
    """
    goal = planned.goal
    appointments = [step.on.toordinal() for step in goal.steps if step.on and step.key not in planner.progress.done]
    tried, at_odds = max([planner.day, *appointments, *planned.fixed.values()]), 0
    for _ in range(_ROUNDS):
        try:
            if not planner.lacks(planned, tried):
                return date.fromordinal(tried)
            least = _least(planner, planned, tried)
        except OutOfTimeError:  # a part of so long a time that it would begin before all time
            return None
        at_odds += least == tried
        if least is None or at_odds > _AT_ODDS:
            return None
        tried = max(least, tried + 1)
    return None


def _least(planner: Planner, planned: GoalPlan, tried: int) -> int | None:
    """Return a deadline before which none from `tried` on can hold; None where no later one helps."""

    def lacks(deadline: int) -> int:
        return planner.lacks(planned, deadline, least=tried)

    short = lacks(tried)
    if not short:
        return tried
    days = planned.network.frame.days
    guess = days.day(days.position(tried) + short)
    most = guess + (guess - tried) + _ROLLING
    found = first(lambda deadline: not lacks(deadline), guess, tried + 1, most)
    if found is None and lacks(most) < short:
        return most + 1
    return found


def furthest(goal: Goal, days: WorkingDays, finish: int) -> int:
    """Return a deadline that leaves a goal the time until `finish` and more, its buffer and countdowns included."""
    most = days.after(finish, goal.buffer)
    for step in goal.steps:
        if isinstance(step.before, Countdown):  # they may count down from each other
            most = days.after(most, step.before.by)
        elif step.before is not None:
            most = max(most, days.after(finish, step.before))
    return most + _ROLLING
