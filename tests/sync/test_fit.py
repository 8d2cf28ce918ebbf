"""The earliest deadline that fits: against a search over the slow reference, day by day, and against the schedule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from sync import fit
from sync.fit import first
from sync.schedule import Progress
from sync.scheduler import schedule
from tests.sync.reference_scheduler import Dates, back, forward, plan
from tests.sync.test_scheduler_properties import FOLLOWING_CALENDAR, WAITS, WORKING_WAITS, goals, only, project

if TYPE_CHECKING:
    from config.network import Goal

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


@settings(max_examples=500)
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WORKING_WAITS), st.integers(-100, 900))
def test_with_it_nothing_is_late_and_a_day_earlier_something_is(goal: Goal, days: int) -> None:
    today = date(2027, 1, 1) + timedelta(days=days)
    found = written(goal, today)
    if found is None:
        return
    held = only(schedule(project(replace(goal, deadline=found)), Progress(), today))
    # An appointment today that falls on a day off counts as late: no deadline changes that.
    assert all(step.slack >= 0 for step in held.waiting if step.step.on != today)
    assert not any(step.squeezed for step in held.steps)
    if found - DAY >= max([today, *(step.on for step in goal.steps if step.on)]):
        kept = replace(goal, deadline=found - DAY, when_late="keep")  # as it is, not lifted out of the past
        earlier = only(schedule(project(kept), Progress(), today))
        assert earlier.margin is not None
        assert earlier.margin < 0


@given(st.integers(0, 60), st.integers(-10, 80))
def test_the_search_finds_the_first_wherever_it_begins(threshold: int, guess: int) -> None:
    tried: list[int] = []

    def holds(number: int) -> bool:
        tried.append(number)
        return number >= threshold

    assert first(holds, guess, 5, 50) == (max(threshold, 5) if threshold <= 50 else None)
    assert len(tried) == len(set(tried))
    assert len(tried) <= (2 if guess == threshold and 5 < threshold < 50 else 14)
