"""The earliest deadline with which a goal fits."""

from __future__ import annotations

from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from config.durations import Unit
from config.project import Countdown
from sync.schedule.backward_pass import BackwardPass, Constraints, anchored_days
from sync.schedule.floors import Floors
from sync.schedule.lengths import least_length, written_lengths
from sync.schedule.planner import with_deadline
from sync.schedule.refit import floors_from_today
from sync.schedule.search import first
from sync.schedule.working_days import LAST, OutOfTimeError

if TYPE_CHECKING:
    from config.project import Goal
    from sync.schedule.backward_pass import LatestDates, Position
    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.step_graph import StepGraph
    from sync.schedule.working_days import WorkingDays


# Days that a sought deadline is later than seems necessary, to be late enough for everything: months differ in length,
# and stretches pass over days off.
_ROLLING = 400

# Percentages of the time grow with the deadline: after so many rounds, even 95% has settled, or never will.
_ROUNDS = 400

# Where a countdown and what follows it are at odds, a deadline may help that has other days off before it: within so
# many days, each holiday has come on each weekday or nearly so.
_YEARS_AT_ODDS = 10 * 366

# Days before a deadline that are compared at the most.
_BEFORE = 2 * 366


def earliest_deadline(context: Context, plan: GoalPlan) -> date | None:
    """Return the earliest deadline with which the goal's plan fits from today.

    None if something else than the deadline is too early: an appointment, a pin, a `by`, another goal.

    A later deadline may hold less well: percentages of the time become longer, and days off may leave less room between
    a countdown and the deadline. So each round looks for the first deadline that holds without either, with the
    percentages as long as they are at a deadline that is too early; the next round goes on from there. It passes over
    days with the same days off around them as one that did not hold.
    """
    goal = plan.goal
    appointments = [step.on.toordinal() for step in goal.steps if step.on and step.key not in context.progress.done]
    tried = max([context.day, *appointments, *plan.fixed.values()])
    at_odds: _AtOdds | None = None
    try:
        if _gains_a_day_each_day(context, plan):
            days = plan.graph.window.days
            short = shortfall(context, plan, tried)
            return date.fromordinal(days.day(days.position(tried) + short) if short else tried)
        for _ in range(_ROUNDS):
            if not shortfall(context, plan, tried):
                return date.fromordinal(tried)
            least = _least(context, plan, tried)
            if least is None:
                return None
            if least == tried:
                at_odds = at_odds or _AtOdds(context, plan, tried)
                least = at_odds.after(tried)
            if at_odds and least > at_odds.last:
                return None
            tried = max(least, tried + 1)
    except OutOfTimeError:  # a percentage of so long a time that it would begin before the first year of the calendar
        return None
    return None


def _gains_a_day_each_day(context: Context, plan: GoalPlan) -> bool:
    """Return whether each working day that the deadline is later gives all steps one more working day.

    Then one pass is enough. It is so if everything counts working days, and only the limit bounds the steps.
    """
    graph = plan.graph
    if graph.bounded or plan.fixed or graph.by_index(context.limits.loosest) or context.hanging(plan.goal):
        return False
    lengths = (step.takes for step in graph.steps)
    waits = (wait for i in graph.waiting for _, wait in graph.next[i])
    working = Unit.WORKING_DAYS  # asking an Enum takes longer than everything else here
    return all(one is None or one.unit is working for one in (plan.goal.buffer, *lengths, *waits))


class _AtOdds:
    """Deadlines at which a countdown and what follows it are at odds, by the days off around them."""

    def __init__(self, context: Context, plan: GoalPlan, first: int) -> None:
        """Begin with nothing; `first` is the first such deadline."""
        self.last = min(first + _YEARS_AT_ODDS, LAST)
        self._context, self._plan = context, plan
        self._begins = max(1, first - _BEFORE)
        days = plan.graph.window.days
        self._working = bytes(map(days.is_working, range(self._begins, self.last + 1)))
        self._known: dict[tuple[int, int], set[bytes]] = {}
        self._comparable = not context.hanging(plan.goal) and _is_relative(plan)

    def after(self, deadline: int) -> int:
        """Return the next day after such a deadline that may hold."""
        if self._comparable:
            graph, latest = _plan_at(self._context, self._plan, deadline)
            counted = (i for i in graph.anchors - self._plan.closed if graph.steps[i].on is None)
            dues = [deadline, graph.window.limit, *(latest.due[i] for i in counted)]
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


def _is_relative(plan: GoalPlan) -> bool:
    """Return whether what counts from the deadline is as far from it for every deadline with the same days off around.

    It is not if something is in months (they differ in length), in percent of the time, or counts from another goal.
    """
    goal, index = plan.goal, plan.graph.index
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


def _least(context: Context, plan: GoalPlan, tried: int) -> int | None:
    """Return a deadline before which none from `tried` on can hold; None if no later one helps."""

    def short_of(deadline: int) -> int:
        return shortfall(context, plan, deadline, least=tried)

    short = short_of(tried)
    if not short:
        return tried
    days = plan.graph.window.days
    guess = days.day(days.position(tried) + short)
    most = guess + (guess - tried) + _ROLLING
    found = first(lambda deadline: not short_of(deadline), guess, tried + 1, most)
    if found is None and short_of(most) < short:
        return most + 1
    return found


def shortfall(context: Context, plan: GoalPlan, deadline: int, *, least: int | None = None) -> int:
    """Return how many working days a plan made today lacks, with every length as written; 0 if it fits.

    The goal has this deadline, and what counts from it moves with it, other goals included. Flexible steps have one day
    each, those that repeat one time. What is fixed must not begin in the past either.

    `least` is a deadline no later than this one, and asks for the least shortfall: percentages of the time are as long
    as they are there, and countdowns, and goals that hang on this one, leave what comes after them all the time there
    is. Then a later deadline never lacks more than an earlier one.
    """
    loose = least is not None
    context = with_deadline(context, plan.goal, deadline, loose=loose)
    graph, latest = _plan_at(context, plan, deadline, least)
    days, begun = graph.window.days, plan.under_way
    anchored = {i: day for i, day in anchored_days(graph, latest).items() if not loose or graph.steps[i].on}
    fixed = {**anchored, **plan.fixed}
    floors = floors_from_today(context, plan, graph, fixed)
    floors = floors.with_those_of(_floors_since(plan))
    short = [short for short, _ in floors.violations(latest, range(len(graph.steps)))]
    held = {i for i in (graph.anchors | fixed.keys()) - plan.closed if not graph.steps[i].follow_up}
    waits = context.known().floors_of(graph, held - begun.keys(), fixed, context.first_day(plan.goal) - 1)
    short += [short for short, _ in waits.violations(latest, held)]
    today = days.position(days.forward(context.day))
    short += [today - days.position(latest.due[i]) for i in begun.keys() & held if latest.due[i] < context.day]
    return max(0, ceil(max(short, default=0)))


def _floors_since(plan: GoalPlan) -> Floors:
    """Return the floors of steps under way: each takes its whole length from the day on which it began.

    A flexible step can end on any day. An appointment or a pin keeps its day, unless it has begun too late for it.
    """
    graph, position = plan.graph, plan.graph.window.days.position
    since = {
        i: day
        for i, day in plan.under_way.items()
        if i in plan.began or not (i in plan.fixed or graph.steps[i].on or graph.steps[i].flexible)
    }
    begin: dict[int, Position] = {i: position(day - 1) for i, day in since.items() if not graph.steps[i].follow_up}
    return Floors(begin, first={i: since[i] for i in graph.elapsed & begin.keys()})


def countdowns(context: Context, plan: GoalPlan, deadline: int) -> dict[str, int]:
    """Return when each open step that counts down would be due, by its key, if the goal had this deadline."""
    context = with_deadline(context, plan.goal, deadline)
    graph, latest = _plan_at(context, plan, deadline)
    return {
        graph.steps[i].key: latest.due[i]
        for i in graph.anchors - plan.closed - plan.fixed.keys()
        if graph.steps[i].before is not None
    }


def _plan_at(
    context: Context, plan: GoalPlan, deadline: int, least: int | None = None
) -> tuple[StepGraph, LatestDates]:
    """Return the pass with every length as written, if the goal had this deadline; `least` is that of `shortfall`."""
    goal, loose = plan.goal, least is not None
    written = written_lengths(plan.graph.within(context.window_until(goal, deadline if least is None else least)))
    graph = plan.graph.within(context.window_until(goal, deadline))
    lengths = [
        (1 if loose else least_length(graph, i)) if length is None else length for i, length in enumerate(written)
    ]
    external = graph.by_index(context.limits.loosest)
    constraints = Constraints(plan.fixed, plan.closed, external, context.limits.due_of)
    return graph, BackwardPass(graph, constraints).latest(lengths)


def furthest(goal: Goal, days: WorkingDays, finish: int) -> int:
    """Return a deadline that leaves a goal the time until `finish` and more, its buffer and countdowns included."""
    most = days.after(finish, goal.buffer)
    for step in goal.steps:
        if isinstance(step.before, Countdown):  # they may count down from each other
            most = days.after(most, step.before.by)
        elif step.before is not None:
            most = max(most, days.after(finish, step.before))
    return most + _ROLLING
