"""Plans that are published and read again: what they say stays, on the same day and on later ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from config.durations import parse
from config.project import Goal, Link, Step
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import publish
from tests.schedule.test_scheduler_properties import ORIGIN, dates, only, project

if TYPE_CHECKING:
    from config.project import Project

DAY = timedelta(days=1)
TODAY = date(2026, 11, 30)


def one_goal(deadline: date, *steps: Step) -> Project:
    return project(Goal("g", "g", deadline, ORIGIN, steps=steps, sequence=steps))


def test_what_should_have_begun_before_there_was_a_plan_begins_with_the_plan() -> None:
    """Three weeks of work should have been done by April: they end three weeks after the day of the plan."""
    budget = Step("g/budget", "Agree on the budget", ORIGIN, takes=parse("3 weeks"), before=parse("14 months"))
    plan = one_goal(date(2027, 6, 1), budget)
    first = schedule(plan, Progress(), TODAY)
    progress = publish(first)
    assert only(first).margin == -264
    assert [only(schedule(plan, progress, TODAY + n * DAY)).margin for n in (0, 1, 20)] == [-264] * 3
    assert dates(schedule(plan, progress, TODAY + 20 * DAY)) == dates(first)


def test_a_plan_that_a_reopened_step_ends_has_no_pin_of_a_step_that_is_done() -> None:
    """A step is ticked by mistake, the next one is dragged, and then the ticks are put right: one run is enough."""
    find = Step("g/find", "Find a course", ORIGIN)
    enrol = Step("g/enrol", "Sign up", ORIGIN, after=(Link("g/find"),))
    watch = Step("g/watch", "Watch the videos", ORIGIN, after=(Link("g/enrol"),))
    plan, day = one_goal(date(2027, 8, 15), find, enrol, watch), date(2027, 7, 20)
    progress = publish(schedule(plan, Progress(), day))
    progress = publish(schedule(plan, ticked := replace(progress, done={"g/find": day}), day), ticked)
    pinned = replace(progress, pins={"g/enrol": date(2027, 7, 22)})
    progress = publish(schedule(plan, pinned, day), pinned)
    righted = replace(progress, done={"g/enrol": day + DAY}, pins={})
    first = schedule(plan, righted, day + DAY)
    assert dates(schedule(plan, publish(first, righted), day + DAY)) == dates(first)
