"""Steps that grow: what they take is nobody else's, and they give it back before anything is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from config.durations import parse
from config.project import Countdown, Goal, Link, Step
from sync.forecast import fit
from sync.reports.warnings import warnings
from sync.schedule.deadline import earliest_deadline
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import back, count, less
from tests.schedule.test_scheduler_properties import (
    DAYS,
    EVERY,
    ORIGIN,
    WAITS,
    goals,
    only,
    project,
)
from tests.tiers import examples

if TYPE_CHECKING:
    from sync.schedule.model import ScheduledGoal

DAY = timedelta(days=1)


@st.composite
def flexible_goals(draw: st.DrawFn) -> Goal:
    """Return a goal with flexible steps, and with countdowns from later steps."""
    goal = draw(goals(lengths=st.one_of(DAYS, st.none(), st.none()), waits=WAITS, anchors=False, most=6))
    steps = list(goal.steps)
    for n in draw(st.sets(st.integers(0, len(steps) - 1), max_size=2)):
        if n + 1 < len(steps):
            counted = steps[draw(st.integers(n + 1, len(steps) - 1))].key
            before = Countdown(counted, draw(st.sampled_from(["0", "2", "10", "2w", "3cd"]).map(parse)))
            steps[n] = replace(steps[n], before=before)
    assume(any(step.flexible for step in steps))
    return of_steps(goal, *steps)


def of_steps(goal: Goal, *steps: Step) -> Goal:
    """Return the goal with other steps, in sequence."""
    return replace(goal, steps=steps, sequence=steps)


def with_least(goal: Goal) -> Goal:
    """Return the goal in which each flexible step takes one day."""
    return of_steps(goal, *(replace(step, takes=parse("1")) if step.flexible else step for step in goal.steps))


def planned(goal: Goal, today: date, when_late: str = "squeeze") -> ScheduledGoal:
    """Return the plan of one goal that nobody has begun."""
    return only(schedule(project(replace(goal, when_late=when_late)), Progress(), today))


def shown(goal: ScheduledGoal) -> list[tuple[date | None, date | None]]:
    """Return the start and due of every step."""
    return [(step.start, step.due) for step in goal.steps]


def in_days(deadline: date, *steps: Step) -> Goal:
    """Return a goal for which every day is a working day."""
    return Goal("g", "g", deadline, ORIGIN, steps=steps, sequence=steps)


BOOK = Step("g/s0", "Book", ORIGIN, takes=parse("1"), before=Countdown("g/s1", parse("10")))
LEARN = Step("g/s1", "Learn", ORIGIN, takes=parse("5"))
REPEAT = Step("g/s2", "Repeat", ORIGIN, after=(Link("g/s1"),))
REST = [Step(f"g/s{n}", "Rest", ORIGIN, after=(Link(f"g/s{n - 1}"),) if n else ()) for n in range(3)]


@settings(max_examples=examples(400))
@example(in_days(date(2027, 6, 30), BOOK, LEARN, REPEAT), 60, None)
@example(in_days(date(2027, 8, 25), *REST), 36, -10)
@given(flexible_goals(), st.integers(0, 60), st.one_of(st.none(), st.integers(-30, 5)))
def test_what_fits_with_a_day_each_fits_with_the_days_that_they_grow_to(
    goal: Goal, days: int, start: int | None
) -> None:
    """Whatever `when_late` says: a plan that fits is not late."""
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    if start is not None:
        goal = replace(goal, start=today + timedelta(days=start))
    least = planned(with_least(goal), today)
    assume(least.margin is not None and least.margin >= 0 and not least.warnings)
    # The step comes after a countdown that counts back from it: a contradiction, so it is squeezed.
    assume(shown(least) == shown(planned(with_least(goal), today, "keep")))
    grown = planned(goal, today)
    assert grown.margin is not None
    assert grown.margin >= 0
    assert not grown.warnings
    assert not any(step.overdue or step.squeezed or (step.start and step.start < today) for step in grown.steps)
    for when_late in ("keep", "fail"):
        other = planned(goal, today, when_late)
        assert not other.failed
        assert shown(other) == shown(grown)


@settings(max_examples=examples(300))
@given(flexible_goals(), st.integers(0, 60), st.data())
def test_the_days_in_hand_are_those_by_which_an_earlier_deadline_fits(
    goal: Goal, days: int, data: st.DataObject
) -> None:
    """The days by which a step has grown are slack for the steps before it."""
    deadline = goal.deadline
    assert isinstance(deadline, date)
    goal = of_steps(
        goal,
        *(
            replace(step, takes=parse("1"), every=data.draw(EVERY))
            if step.flexible and data.draw(st.booleans())
            else replace(step, before=None, takes=step.takes or parse("1"))
            if step.before
            else step
            for step in goal.steps
        ),
    )
    goal = replace(goal, buffer=parse("0"))
    today = deadline - timedelta(days=days)
    result = schedule(project(goal), Progress(), today)
    margin = only(result).margin
    assume(margin is not None and margin >= 0)
    context = fit.context_of(project(goal), result)
    found = earliest_deadline(context, context.plans["g"])
    assert found is not None
    assert margin == count(goal.calendar, found + DAY, deadline)


@settings(max_examples=examples(300))
@given(flexible_goals(), st.integers(0, 60), st.data())
def test_nothing_is_shown_before_the_day_on_which_it_can_begin(goal: Goal, days: int, data: st.DataObject) -> None:
    """A milestone takes no time, and is not shown on the day before the step after it may begin."""
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    opens = st.integers(-5, days).map(lambda n: today + timedelta(days=n))
    steps = [
        replace(step, takes=data.draw(st.sampled_from([parse("0"), step.takes])), not_before=data.draw(opens))
        if not step.before and data.draw(st.booleans())
        else step
        for step in goal.steps
    ]
    result = planned(of_steps(goal, *steps), today)
    for step in result.steps:
        opening = step.step.not_before
        if opening is not None and step.start is not None:
            assert step.early_start >= opening
            assert step.start >= opening or result.warnings


@settings(max_examples=examples(300))
@given(flexible_goals(), st.integers(0, 60))
def test_a_countdown_keeps_its_distance_however_short_the_time_is(goal: Goal, days: int) -> None:
    assert isinstance(goal.deadline, date)
    result = planned(goal, goal.deadline - timedelta(days=days))
    assume(not any("no working day" in warning for warning in warnings(result)))
    dues = {step.step.key: step.due for step in result.steps}
    for step in goal.steps:
        if isinstance(step.before, Countdown):
            counted = dues[step.before.key]
            assert counted is not None
            assert dues[step.key] == back(goal.calendar, less(goal.calendar, counted, step.before.by))
