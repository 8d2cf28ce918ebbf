"""`before: {weeks: 3, weekday: tue}`: the last Tuesday that is at least three weeks before the deadline."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from config import loader
from config.calendars import WEEKDAY_NAMES, WEEKDAYS
from config.durations import Duration, Unit
from sync.forecast import fit
from sync.reconcile import digests
from sync.reports.explain import explain
from sync.schedule.deadline import earliest_deadline, shortfall
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    import pytest

    from config.project import Project

DAY = timedelta(1)
TODAY = date(2027, 1, 4)
WEEKS, WEEKDAY = st.integers(0, 8), st.integers(0, 6)
DEADLINES = st.integers(70, 400).map(lambda days: TODAY + days * DAY)


def anchor(weeks: int, weekday: int) -> Duration:
    return Duration(7 * weeks, Unit.SPAN_DAYS, "", weekday=weekday)


def project(factory: pytest.TempPathFactory, weeks: int, weekday: int, deadline: date, more: str = "") -> Project:
    path = factory.mktemp("anchors") / "goals.yaml"
    before = f"{{weeks: {weeks}, weekday: {WEEKDAYS[weekday]}}}"
    steps = f"[{{title: Write, takes: 5 days}}, {{title: Post, before: {before}}}, Go]"
    path.write_text(f"{more}goals: [{{id: g, title: G, deadline: {deadline}, steps: {steps}}}]\n", "utf-8")
    return loader.load(path)


@given(WEEKS, WEEKDAY, DEADLINES)
def test_it_is_the_last_such_day_that_long_before(
    tmp_path_factory: pytest.TempPathFactory, weeks: int, weekday: int, deadline: date
) -> None:
    step = schedule(project(tmp_path_factory, weeks, weekday, deadline), Progress(), TODAY).steps()["g/post"]
    assert step.due is not None
    assert step.due.weekday() == weekday
    assert 0 <= (deadline - timedelta(weeks=weeks) - step.due).days < 7


@given(WEEKS, WEEKDAY, DEADLINES)
def test_on_a_day_off_it_is_the_working_day_before(
    tmp_path_factory: pytest.TempPathFactory, weeks: int, weekday: int, deadline: date
) -> None:
    office = "calendar: {workdays: [mon, tue, wed, thu]}\n"
    step = schedule(project(tmp_path_factory, weeks, weekday, deadline, office), Progress(), TODAY).steps()["g/post"]
    meant = date.fromordinal(shift(deadline.toordinal(), anchor(weeks, weekday), -1))
    assert step.due == meant - max(0, weekday - 3) * DAY


@given(st.integers(700_000, 740_000), st.integers(700_000, 740_000), WEEKS, WEEKDAY)
def test_back_and_ahead_agree(day: int, other: int, weeks: int, weekday: int) -> None:
    """A deadline leaves a day enough time just where it is no earlier than that day and the span after it."""
    wait = anchor(weeks, weekday)
    assert (shift(day, wait, -1) >= other) == (day >= shift(other, wait, 1))


@given(WEEKS, WEEKDAY, st.integers(0, 6))
def test_the_earliest_deadline_that_fits_is_the_first_of_all(
    tmp_path_factory: pytest.TempPathFactory, weeks: int, weekday: int, later: int
) -> None:
    today = TODAY + later * DAY
    for more in ("", "calendar: {workdays: [mon, tue, wed, thu, fri]}\n"):
        whole = project(tmp_path_factory, weeks, weekday, TODAY + 100 * DAY, more)
        context = fit.context_of(whole, schedule(whole, Progress(), today))
        plan = context.plans["g"]
        days = (today + n * DAY for n in range(200))
        assert earliest_deadline(context, plan) == next(
            day for day in days if not shortfall(context, plan, day.toordinal())
        )


def test_it_is_explained_and_a_change_of_it_releases_a_pin(tmp_path_factory: pytest.TempPathFactory) -> None:
    deadline = date(2027, 6, 5)
    tuesday, friday = (project(tmp_path_factory, 3, day, deadline) for day in (1, 4))
    planned = schedule(tuesday, Progress(), TODAY)
    goal = planned.goals[0]
    said = explain(planned, goal, goal.step("post"))
    assert f"  It counts down: due on the last {WEEKDAY_NAMES[1]} that is at least 3 weeks before the deadline." in said
    one, other = (whole.goals[0].steps[1] for whole in (tuesday, friday))
    assert digests.timing("", one) != digests.timing("", other)
