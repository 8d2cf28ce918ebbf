"""The earliest deadline that fits: against a search over the slow reference, day by day, and against the schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from config.durations import parse
from config.network import Goal, Link, Step
from sync import fit
from sync.fit import first
from sync.schedule import Progress
from sync.scheduler import schedule
from tests.sync.reference_scheduler import Dates, back, forward, plan
from tests.sync.test_scheduler_properties import (
    FOLLOWING_CALENDAR,
    OFFICE,
    ORIGIN,
    WAITS,
    WORKING_WAITS,
    goals,
    only,
    project,
)

DAY = timedelta(days=1)
SEARCH = 4000  # days; no generated plan takes as long


def written(goal: Goal, today: date) -> date | None:
    """Return the earliest deadline that `backplan fit` shows for a project of one goal."""
    return fit.as_planned(project(goal), schedule(project(goal), Progress(), today), goal.id)


def _is_held(goal: Goal, found: dict[str, Dates], today: date) -> bool:
    """Return whether no step of a plan that begins today would have to begin before it."""
    calendar = goal.calendar
    for step in goal.steps:
        dates = found[step.key]
        if step.takes is not None and step.takes.amount == 0:
            if dates.due < forward(calendar, today):
                return False
        elif back(calendar, dates.free) < back(calendar, today - DAY):
            return False
    return True


@settings(max_examples=300)
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WAITS, anchors=False), st.integers(0, 800))
def test_it_is_the_first_day_for_which_the_reference_fits(goal: Goal, days: int) -> None:
    today = date(2027, 1, 1) + timedelta(days=days)
    every = (today + timedelta(days=n) for n in range(SEARCH))
    expected = next(day for day in every if _is_held(goal, plan(replace(goal, deadline=day), today), today))
    assert written(goal, today) == expected


@settings(max_examples=250)
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WORKING_WAITS), st.integers(-100, 900))
def test_with_it_nothing_is_late_and_a_day_earlier_something_is(goal: Goal, days: int) -> None:
    today = date(2027, 1, 1) + timedelta(days=days)
    found = written(goal, today)
    # Days that are fixed may contradict each other, whatever the deadline: those have a test of their own.
    assume(not any(step.on or step.before or step.afterwards for step in goal.steps))
    if found is None:
        return
    held = only(schedule(project(replace(goal, deadline=found)), Progress(), today))
    assert all(step.slack >= 0 for step in held.waiting)
    assert not any(step.squeezed for step in held.steps)
    if found > today:
        assert not as_written(replace(goal, deadline=found - DAY), today)


def as_written(goal: Goal, today: date) -> bool:
    """Return whether all that is left to do has the time that is written, from today on.

    What follows a countdown may have too little between the two fixed days, and never be late.
    """
    kept = only(schedule(project(replace(goal, when_late="keep")), Progress(), today))  # not lifted out of the past
    assert kept.margin is not None
    squeezed = only(schedule(project(goal), Progress(), today))
    without_a_day = any("no working day" in warning for warning in squeezed.warnings)
    return kept.margin >= 0 and not without_a_day and not any(step.squeezed for step in squeezed.steps)


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
