"""The earliest deadline for which a goal fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from config.durations import Unit
from config.project import Countdown
from sync.schedule.backward_pass import Constraints
from sync.schedule.search import first
from sync.schedule.working_days import LAST, OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.project import Goal
    from sync.schedule.backward_pass import LatestDates, Position, StepGraph
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.planner import Planner
    from sync.schedule.working_days import WorkingDays


# Months differ in length, and stretches pass over days off: so many days make up for it where a deadline is sought that
# is late enough for everything.
_ROLLING = 400


# Parts of the time grow with the deadline: after so many rounds, even those of 95% have settled, or never will.
_ROUNDS = 400


# Where a countdown and what follows it are at odds, a deadline may help that has other days off before it: in so many
# days, each holiday has come on each weekday or nearly so.
_YEARS_AT_ODDS = 10 * 366

# Days before a deadline that are compared at the most.
_BEFORE = 2 * 366


def earliest_deadline(planner: Planner, planned: GoalPlan) -> date | None:
    """Return the earliest deadline for which the goal's plan fits from today.

    None where something else than the deadline is too early: an appointment, a pin, a `by`, another goal.

    A later deadline may hold less well: parts of the time become longer, and days off may leave less room between a
    countdown and the deadline. So what is sought is the first deadline that holds without either, with the parts as
    they are at a deadline too early; from there on, the same again. Days are passed over that have the same days off
    around them as one that did not hold.
    """
    goal = planned.goal
    appointments = [step.on.toordinal() for step in goal.steps if step.on and step.key not in planner.progress.done]
    tried = max([planner.day, *appointments, *planned.fixed.values()])
    at_odds: _AtOdds | None = None
    try:
        for _ in range(_ROUNDS):
            if not lacks(planner, planned, tried):
                return date.fromordinal(tried)
            least = _least(planner, planned, tried)
            if least is None:
                return None
            if least == tried:
                at_odds = at_odds or _AtOdds(planner, planned, tried)
                least = at_odds.after(tried)
            if at_odds and least > at_odds.last:
                return None
            tried = max(least, tried + 1)
    except OutOfTimeError:  # a part of so long a time that it would begin before all time
        return None
    return None


class _AtOdds:
    """Deadlines at which a countdown and what follows it are at odds, by the days off around them."""

    def __init__(self, planner: Planner, planned: GoalPlan, first: int) -> None:
        """Begin with nothing; `first` is the first such deadline."""
        self.last = min(first + _YEARS_AT_ODDS, LAST)
        self._planner, self._planned = planner, planned
        self._begins = max(1, first - _BEFORE)
        days = planned.network.frame.days
        self._working = bytes(map(days.is_working, range(self._begins, self.last + 1)))
        self._known: dict[tuple[int, int], set[bytes]] = {}
        self._comparable = not planner.hanging(planned.goal) and _is_relative(planned)

    def after(self, deadline: int) -> int:
        """Return the next day after a deadline at which they are at odds where they need not be."""
        if self._comparable:
            network, plan = _plan_at(self._planner, self._planned, deadline)
            counted = (i for i in network.anchors - self._planned.gone if network.steps[i].on is None)
            dues = [deadline, network.frame.limit, *(plan.due[i] for i in counted)]
            around = (deadline - min(dues), max(dues) - deadline)
            self._known.setdefault(around, set()).add(self._days_around(deadline, around))
        following = deadline + 1
        while following <= self.last and self._is_known(following):
            following += 1
        return following

    def _is_known(self, deadline: int) -> bool:
        return any(self._days_around(deadline, around) in known for around, known in self._known.items())

    def _days_around(self, deadline: int, around: tuple[int, int]) -> bytes:
        """Return which of the days from so many before a deadline to so many after it are working days."""
        before, after = around
        return self._working[max(0, deadline - before - self._begins) : deadline + after + 1 - self._begins]


def _is_relative(planned: GoalPlan) -> bool:
    """Return whether all that counts from a goal's deadline lies the same around each that has the same days off.

    Months differ in length, parts of the time grow, and steps of other goals stay where they are.
    """
    goal, index = planned.goal, planned.network.index
    durations = [goal.buffer]
    for step in goal.steps:
        if isinstance(step.before, Countdown):
            if step.before.key not in index:
                return False
            durations.append(step.before.by)
        elif step.before is not None:
            durations.append(step.before)
        waits = (link.wait for link in (*step.after, *step.after_goals))
        durations += [one for one in (step.takes, step.afterwards, *waits) if one is not None]
    return not any(one.unit in (Unit.MONTHS, Unit.PERCENT) or one.weekday is not None for one in durations)


def _least(planner: Planner, planned: GoalPlan, tried: int) -> int | None:
    """Return a deadline before which none from `tried` on can hold; None where no later one helps."""

    def short_of(deadline: int) -> int:
        return lacks(planner, planned, deadline, least=tried)

    short = short_of(tried)
    if not short:
        return tried
    days = planned.network.frame.days
    guess = days.day(days.position(tried) + short)
    most = guess + (guess - tried) + _ROLLING
    found = first(lambda deadline: not short_of(deadline), guess, tried + 1, most)
    if found is None and short_of(most) < short:
        return most + 1
    return found


def lacks(planner: Planner, planned: GoalPlan, deadline: int, *, least: int | None = None) -> int:
    """Return how many working days a plan made today lacks, with every length as written; 0 where it fits.

    The goal has this deadline, and what counts from it moves with it, other goals included. Flexible steps have one day
    each, those that repeat one time. What is fixed must not begin in the past either.

    `least` is a deadline no later than this one, and asks for what is lacking at least: parts of the time are as long
    as they are there, and countdowns, and goals that hang on this one, leave what comes after them all the time there
    is. Then a later deadline never lacks more than an earlier one.
    """
    goal, loose = planned.goal, least is not None
    planner = planner.with_deadline(goal, deadline, loose=loose)
    network, plan = _plan_at(planner, planned, deadline, least)
    days, published = network.frame.days, planner.progress.published.get(goal.id)
    anchored = {i: day for i, day in network.anchored_days(plan).items() if not loose or network.steps[i].on}
    fixed = {**anchored, **planned.fixed}
    floors = planner.floors_from_today(planned, network, fixed, published)
    floors = replace(floors, end={**floors.end, **_under_way(planner, planned, plan, floors.end)})
    short = [short for short, _ in floors.violations(plan, range(len(network.steps)))]
    held = {i for i in (network.anchors | fixed.keys()) - planned.gone if not network.steps[i].follow_up}
    begun = planner.begun(planned, published) & held
    waits = planner.floors_of(network, held - begun, fixed, planner.first_day(goal) - 1)
    short += [short for short, _ in waits.violations(plan, held)]
    today = days.position(days.forward(planner.day))
    short += [today - days.position(plan.due[i]) for i in begun if plan.due[i] < planner.day]
    return max(0, ceil(max(short, default=0)))


def _under_way(
    planner: Planner, planned: GoalPlan, plan: LatestDates, ends: Mapping[int, Position]
) -> dict[int, Position]:
    """Return the earliest ends of steps that have begun: with their whole length from their published first day on.

    ends: the least of all steps; a flexible step can end on any day.
    """
    published = planner.progress.published.get(planned.goal.id)
    days, steps = planned.network.frame.days, planned.network.steps
    found: dict[int, Position] = {}
    for i in planner.begun(planned, published) & ends.keys():
        start = published.dates[steps[i].key][0] if published and not steps[i].grows else None
        if start is not None:
            length = plan.end[i] - plan.begin[i]
            found[i] = max(ends[i], days.position(start.toordinal() - 1) + length)
    return found


def countdowns(planner: Planner, planned: GoalPlan, deadline: int) -> dict[str, int]:
    """Return when each open step that counts down would be due, by its key, if the goal had this deadline."""
    planner = planner.with_deadline(planned.goal, deadline)
    network, plan = _plan_at(planner, planned, deadline)
    return {
        network.steps[i].key: plan.due[i]
        for i in network.anchors - planned.gone - planned.fixed.keys()
        if network.steps[i].before is not None
    }


def _plan_at(
    planner: Planner, planned: GoalPlan, deadline: int, least: int | None = None
) -> tuple[StepGraph, LatestDates]:
    """Return the pass with every length as written, if the goal had this deadline; `least` is that of `lacks`."""
    goal, loose = planned.goal, least is not None
    written = planned.network.within(planner.frame_at(goal, deadline if least is None else least)).lengths()
    network = planned.network.within(planner.frame_at(goal, deadline))
    lengths = [(1 if loose else network.least(i)) if length is None else length for i, length in enumerate(written)]
    outside = network.by_index(planner.loosest)
    return network, network.latest(lengths, Constraints(planned.fixed, planned.gone, outside, planner.due_of))


def furthest(goal: Goal, days: WorkingDays, finish: int) -> int:
    """Return a deadline that leaves a goal the time until `finish` and more, its buffer and countdowns included."""
    most = days.after(finish, goal.buffer)
    for step in goal.steps:
        if isinstance(step.before, Countdown):  # they may count down from each other
            most = days.after(most, step.before.by)
        elif step.before is not None:
            most = max(most, days.after(finish, step.before))
    return most + _ROLLING
