"""The earliest deadline that fits: against a search over the slow reference, day by day, and against the schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from config.durations import Duration, Unit, parse
from config.project import Countdown, Goal, Link, RelativeDeadline, Step
from sync.forecast import fit
from sync.reports.warnings import warnings
from sync.schedule.deadline import earliest_deadline
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from sync.schedule.search import first
from tests.schedule.reference_scheduler import back, count, fixed, forward, leads, less, plan, works
from tests.schedule.test_scheduler_goals import TODAY as FIRST
from tests.schedule.test_scheduler_goals import linked_goals
from tests.schedule.test_scheduler_properties import (
    DAYS,
    FOLLOWING_CALENDAR,
    OFFICE,
    ORIGIN,
    WAITS,
    WORKING_WAITS,
    goals,
    only,
    project,
)
from tests.tiers import examples

DAY = timedelta(days=1)
LENGTHS = st.one_of(FOLLOWING_CALENDAR, st.sampled_from(["1cd", "2cd", "3cd", "6cd"]).map(parse))
PARTS = st.sampled_from(["5%", "10%", "30%"]).map(parse)
SEARCH = 4000  # days; no generated plan takes as long


def written(goal: Goal, today: date, *before: Goal) -> date | None:
    """Return the earliest deadline that `backplan fit` shows for a goal; `before` are other goals, in sequence."""
    whole = project(*before, goal)
    context = fit.context_of(whole, schedule(whole, Progress(), today))
    return earliest_deadline(context, context.plans[goal.id])


def elapses(step: Step) -> bool:
    """Return whether a step takes calendar days: they may begin and end on a free day."""
    return step.takes is not None and step.takes.unit is Unit.CALENDAR_DAYS


def holds(goal: Goal, today: date) -> bool:
    """Return whether the reference's plan begins no earlier than today, and what is fixed leaves room for the rest."""
    calendar, found = goal.calendar, plan(goal, today)
    for step in goal.steps:
        dates = found[step.key]
        if step.afterwards is not None:
            continue
        for link in step.after:
            latest = less(calendar, dates.free, link.wait) if link.wait else dates.free
            due = found[link.key].due
            if (due if elapses(step) else back(calendar, due)) > latest:
                return False
        free = dates.free
        if step.on is not None and not works(calendar, step.on):
            free = max(free, dates.start - DAY)  # a free day counts as one of its own
        if step.takes is not None and step.takes.amount == 0 and (fixed(step) or not leads(goal, step)):
            if dates.due < (today if step.on else forward(calendar, today)):
                return False
        elif free < today - DAY if elapses(step) else back(calendar, free) < back(calendar, today - DAY):
            return False
    return True


@settings(max_examples=examples(150))
@given(goals(lengths=LENGTHS, waits=WAITS, anchors=False), st.integers(0, 800))
def test_it_is_the_first_day_for_which_the_reference_fits(goal: Goal, days: int) -> None:
    today = date(2027, 1, 1) + timedelta(days=days)
    every = (today + timedelta(days=n) for n in range(SEARCH))
    assert written(goal, today) == next(day for day in every if holds(replace(goal, deadline=day), today))


@settings(max_examples=examples(80))
@given(goals(lengths=st.one_of(LENGTHS, PARTS), waits=WORKING_WAITS, most=6), st.integers(-100, 900))
def test_with_fixed_days_and_parts_of_the_time_it_is_the_first_too(goal: Goal, days: int) -> None:
    """A later deadline may hold less well: one by one, the days before the one found are seen not to hold."""
    today = date(2027, 1, 1) + timedelta(days=days)
    found = written(goal, today)
    least = max([today, *(step.on for step in goal.steps if step.on)])
    last = found or least + timedelta(days=250)
    assert isinstance(goal.deadline, date)
    if not all(step.follow_up for step in goal.steps):
        margin = only(schedule(project(goal), Progress(), today)).margin
        assert isinstance(goal.deadline, date)
        assert (margin is not None and margin >= 0) == (found is not None and found <= goal.deadline)
    if found is not None:
        assert holds(replace(goal, deadline=found), today)
    first = max(least, last - timedelta(days=250))
    before = (first + timedelta(days=n) for n in range((last - first).days))
    assert not [day for day in before if holds(replace(goal, deadline=day), today)]


def of_an_office(deadline: date, *steps: Step) -> Goal:
    """Return a goal of these steps, with the calendar of an office."""
    return Goal("g", "g", deadline, ORIGIN, steps=steps, sequence=steps, calendar=OFFICE)


def test_countdowns_from_steps_add_up() -> None:
    steps = [
        Step("g/s0", "First", ORIGIN, takes=parse("1"), before=Countdown("g/s1", parse("3 months"))),
        Step("g/s1", "Next", ORIGIN, takes=parse("1"), before=Countdown("g/s2", parse("3 months"))),
        Step("g/s2", "Last", ORIGIN, takes=parse("1")),
    ]
    assert written(of_an_office(date(2027, 1, 1), *steps), date(2027, 1, 1)) == date(2027, 7, 1)


def test_parts_of_the_time_may_need_years() -> None:
    """Ten steps that take 9% each leave a tenth of the time for the rest: 30 days of work need 300."""
    lengths = ["9%", "3"] * 10
    steps: list[Step] = []
    for n, length in enumerate(lengths):
        steps.append(Step(f"g/s{n}", "s", ORIGIN, takes=parse(length), after=(Link(steps[-1].key),) if n else ()))
    today = date(2027, 1, 4)
    found = written(of_an_office(date(2027, 3, 1), *steps), today)
    assert found is not None
    assert 300 - 10 / 0.1 <= count(OFFICE, today, found) <= 300  # each part is rounded down
    never = [replace(step, takes=parse("10%")) if n % 2 == 0 else step for n, step in enumerate(steps)]
    assert written(of_an_office(date(2027, 3, 1), *never), today) is None


@settings(max_examples=examples(100))
@given(goals(lengths=LENGTHS, waits=WORKING_WAITS), st.integers(-100, 900))
def test_with_it_nothing_is_late_and_a_day_earlier_something_is(goal: Goal, days: int) -> None:
    today = date(2027, 1, 1) + timedelta(days=days)
    found = written(goal, today)
    # Days that are fixed may contradict each other, whatever the deadline: the test before speaks of those.
    assume(not any(step.on or step.before or step.afterwards for step in goal.steps))
    if found is None:
        return
    held = only(schedule(project(replace(goal, deadline=found)), Progress(), today))
    assert all(step.slack >= 0 for step in held.waiting)
    assert not any(step.squeezed for step in held.steps)
    if found > today:
        assert not as_written(replace(goal, deadline=found - DAY), today)


def as_written(goal: Goal, today: date, *before: Goal) -> bool:
    """Return whether all that is left to do has the time that is written, from today on.

    What follows a countdown may have too little between the two fixed days, and never be late.
    """
    kept, squeezed = (
        schedule(project(*before, one), Progress(), today).goals[-1]
        for one in (replace(goal, when_late="keep"), goal)  # what is kept is not lifted out of the past
    )
    without_a_day = any("no working day" in warning for warning in warnings(squeezed))
    return (
        kept.margin is not None
        and kept.margin >= 0
        and not without_a_day
        and not any(step.squeezed for step in squeezed.steps)
    )


@settings(max_examples=examples(60))
@given(
    goals(name="a", lengths=DAYS, waits=WAITS, anchors=False, holidays=False, most=4, buffers=False),
    goals(name="b", lengths=DAYS, waits=WAITS, anchors=False, holidays=False, most=4, buffers=False),
    st.sampled_from(["0", "3", "1w", "2w"]).map(parse),
    st.data(),
)
def test_it_holds_when_it_is_followed_also_where_goals_hang_on_each_other(
    first: Goal, second: Goal, by: Duration, data: st.DataObject
) -> None:
    """The first goal may hang on the deadline of the second, whose steps may come after it or after its steps."""
    today = date(2027, 1, 1)
    if data.draw(st.booleans()):
        first = replace(first, deadline=RelativeDeadline("b", by))
    steps = list(second.steps)
    for n in data.draw(st.sets(st.integers(0, len(steps) - 1), max_size=2)):
        if data.draw(st.booleans()):
            steps[n] = replace(steps[n], after_goals=(Link("a", data.draw(WAITS)),))
        else:
            link = Link(data.draw(st.sampled_from([step.key for step in first.steps])), data.draw(WAITS))
            steps[n] = replace(steps[n], after=(*steps[n].after, link))
    second = replace(second, steps=tuple(steps), sequence=tuple(steps))
    found = written(second, today, first)
    if found is None:
        days = (today + timedelta(days=n) for n in range(0, 100, 5))
        assert not any(as_written(replace(second, deadline=day), today, first) for day in days)
        return
    assert as_written(replace(second, deadline=found), today, first)
    if found > today:
        assert not as_written(replace(second, deadline=found - DAY), today, first)


def test_no_deadline_helps_where_it_takes_another_goal_along() -> None:
    """The goal that `b` waits for is due a week before `b`, which needs eight days after it."""
    today, hanging = date(2027, 5, 1), RelativeDeadline("b", parse("1 week"))
    first = Goal("a", "a", hanging, ORIGIN)
    step = Step("b/s0", "Go", ORIGIN, takes=parse("8"), after_goals=(Link("a"),))
    second = Goal("b", "b", date(2027, 6, 30), ORIGIN, steps=(step,), sequence=(step,))
    assert written(second, today, first) is None
    late = schedule(project(first, second), Progress(), today).goals[-1]
    assert late.earliest_deadline is None
    assert "late, and no other deadline helps" in warnings(late)
    guess = replace(step, takes=parse("7-8-9"))
    estimated = replace(second, steps=(guess,), sequence=(guess,))
    whole = project(first, estimated)
    assert fit.fit(whole, schedule(whole, Progress(), today), "b").by_confidence[95] is None


def test_a_deadline_that_only_fits_beside_a_far_holiday_is_found() -> None:
    """Four calendar days take two working days from the time there is, but one after a long weekend."""
    today = date(2027, 3, 1)
    first = Step("g/s0", "First", ORIGIN, takes=parse("1"), before=parse("3"))
    steps = (first, Step("g/s1", "Next", ORIGIN, takes=parse("2"), after=(Link("g/s0"),)))
    holidays = replace(OFFICE, holidays="US-NY")
    goal = Goal("g", "g", today, ORIGIN, steps=steps, sequence=steps, calendar=holidays, buffer=parse("4cd"))
    found = written(goal, today)
    assert found == date(2027, 6, 1)  # the day after Memorial Day
    assert as_written(replace(goal, deadline=found), today)
    assert not any(as_written(replace(goal, deadline=today + timedelta(days=n)), today) for n in range(92))


@settings(max_examples=examples(100))
@given(linked_goals())
def test_it_holds_when_it_is_followed_whatever_grows_in_other_goals(goals: tuple[Goal, ...]) -> None:
    """And a day earlier it does not."""
    whole = project(*goals)
    context = fit.context_of(whole, schedule(whole, Progress(), FIRST))
    for number, goal in enumerate(goals):

        def fits(deadline: date, number: int = number) -> bool:
            moved = (replace(one, deadline=deadline) if n == number else one for n, one in enumerate(goals))
            result = schedule(project(*moved), Progress(), FIRST).goals[number]
            steps = [step for step in result.steps if step.open]
            return result.margin is not None and result.margin >= 0 and not any(step.squeezed for step in steps)

        found = earliest_deadline(context, context.plans[goal.id])
        if found is not None:
            assert fits(found)
            assert found == FIRST or not fits(found - DAY)


@pytest.mark.proof
@settings(max_examples=12)  # of 36 that there are, a hundred plans each
@example(takes=2, buffer="2cd")
@given(st.integers(1, 12), st.sampled_from(["0", "2cd", "3"]))
def test_with_a_countdown_no_earlier_deadline_fits(takes: int, buffer: str) -> None:
    """A later deadline may hold less well: over a weekend, days off lie between a countdown and the deadline."""
    today = date(2027, 1, 1)
    first = Step("g/s0", "First", ORIGIN, takes=parse("1"), before=parse("3"))
    steps = (first, Step("g/s1", "Next", ORIGIN, takes=parse(str(takes)), after=(Link("g/s0"),)))
    goal = Goal("g", "g", today, ORIGIN, steps=steps, sequence=steps, calendar=OFFICE, buffer=parse(buffer))
    found = written(goal, today)
    days = (found - today).days if found else 100
    assert not any(as_written(replace(goal, deadline=today + timedelta(days=n)), today) for n in range(days))


@given(st.integers(0, 60), st.integers(-10, 80))
def test_the_search_finds_the_first_wherever_it_begins(threshold: int, guess: int) -> None:
    tried: list[int] = []

    def holds(number: int) -> bool:
        tried.append(number)
        return number >= threshold

    assert first(holds, guess, 5, 50) == (max(threshold, 5) if threshold <= 50 else None)
    assert len(tried) == len(set(tried))
    assert len(tried) <= (2 if guess == threshold and 5 < threshold < 50 else 14)
