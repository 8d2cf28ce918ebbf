"""What done steps tell: worked by hand, and that nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendars import Calendar
from config.durations import parse
from config.project import Goal, Link, Step
from sync.forecast.learning import lessons
from sync.schedule.model import Progress, Published, Schedule
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import count, publish
from tests.schedule.test_scheduler_properties import ORIGIN, goals, project

DAY = timedelta(days=1)
FIRST = date(2027, 3, 1)  # a Monday


def chain(number: int, **said: object) -> Goal:
    """Return a goal of steps that follow each other, and whose plan begins on the first day."""
    steps = tuple(
        replace(
            Step(f"g/s{n}", f"Step {n}", ORIGIN, takes=parse("5"), after=(Link(f"g/s{n - 1}"),) if n else ()),
            **said,  # type: ignore[arg-type]  # any of a step's fields
        )
        for n in range(number)
    )
    deadline = FIRST + timedelta(days=5 * number - 1)
    return Goal("g", "g", deadline, ORIGIN, steps=steps, sequence=steps)


def after(goal: Goal, done: dict[str, date], today: date) -> Schedule:
    """Return the schedule after the plan of the first day was published, and some steps were done."""
    progress = publish(schedule(project(goal), Progress(), FIRST))
    return schedule(project(goal), replace(progress, done=done), today)


def test_steps_that_take_twice_as_long_say_so() -> None:
    goal = chain(6)
    done = {f"g/s{n}": FIRST + timedelta(days=10 * (n + 1) - 1) for n in range(6)}
    (lesson,) = lessons(after(goal, done, FIRST + timedelta(days=70)))
    assert (lesson.kind, lesson.name, lesson.steps) == ("all", None, 6)
    assert (lesson.planned_days, lesson.taken_days, lesson.factor) == (30, 60, 2.0)
    assert lesson.is_notable


def test_steps_that_are_done_early_count_from_the_day_after_what_they_follow() -> None:
    goal = chain(6)
    done = {f"g/s{n}": FIRST + timedelta(days=2 * (n + 1) - 1) for n in range(6)}
    (lesson,) = lessons(after(goal, done, FIRST + timedelta(days=20)))
    assert (lesson.steps, lesson.planned_days, lesson.taken_days) == (6, 30, 12)


@pytest.mark.parametrize(("number", "tells"), [(4, 0), (5, 1)])
def test_below_five_steps_nothing_is_said(number: int, tells: int) -> None:
    goal = chain(6)
    done = {f"g/s{n}": FIRST + timedelta(days=10 * (n + 1) - 1) for n in range(number)}
    assert len(lessons(after(goal, done, FIRST + timedelta(days=60)))) == tells


def test_there_is_a_factor_for_each_label_and_person() -> None:
    goal = replace(chain(6, labels=("study", "study"), who="ann"), labels=("career",), who="bo")
    done = {f"g/s{n}": FIRST + timedelta(days=10 * (n + 1) - 1) for n in range(6)}
    found = lessons(after(goal, done, FIRST + timedelta(days=70)))
    assert [(lesson.kind, lesson.name) for lesson in found] == [
        ("all", None), ("label", "career"), ("label", "study"), ("who", "ann"),
    ]  # fmt: skip
    assert {lesson.factor for lesson in found} == {2.0}


def test_a_squeezed_plan_is_measured_against_what_was_written() -> None:
    goal = replace(chain(6), deadline=FIRST + timedelta(days=14))
    done = {f"g/s{n}": FIRST + timedelta(days=5 * (n + 1) - 1) for n in range(6)}
    (lesson,) = lessons(after(goal, done, FIRST + timedelta(days=40)))
    assert (lesson.planned_days, lesson.taken_days) == (30, 30)
    assert not lesson.is_notable


@pytest.mark.parametrize(
    "said", [{"takes": None}, {"takes": parse("0")}, {"on": FIRST + 9 * DAY}, {"before": parse("3")}], ids=str
)
def test_steps_without_a_length_of_their_own_tell_nothing(said: dict[str, object]) -> None:
    goal = chain(7, **said)
    done = {f"g/s{n}": FIRST + timedelta(days=10 * (n + 1)) for n in range(7)}
    assert lessons(after(goal, done, FIRST + timedelta(days=90))) == ()


def test_what_is_not_known_is_not_guessed() -> None:
    goal = chain(6)
    done = {f"g/s{n}": FIRST + timedelta(days=10 * (n + 1) - 1) for n in range(6)}
    planned = after(goal, done, FIRST + timedelta(days=70))
    # Nothing is published, a new plan has forgotten them, they were all ticked on one day, or one out of turn.
    assert lessons(replace(planned, progress=replace(planned.progress, published={}))) == ()
    forgotten = {"g": Published(FIRST, "other", {})}
    assert lessons(replace(planned, progress=replace(planned.progress, published=forgotten))) == ()
    same_day = dict.fromkeys(done, FIRST + 9 * DAY)
    assert lessons(replace(planned, progress=replace(planned.progress, done=same_day))) == ()
    no_second = {key: day for key, day in done.items() if key != "g/s1"}
    assert lessons(replace(planned, progress=replace(planned.progress, done=no_second))) == ()


def test_days_off_are_not_counted() -> None:
    goal = replace(chain(6), calendar=Calendar(frozenset(range(5))), deadline=FIRST + timedelta(weeks=6, days=-3))
    done = {f"g/s{n}": FIRST + timedelta(weeks=n + 1, days=-3) for n in range(6)}
    (lesson,) = lessons(after(goal, done, FIRST + timedelta(weeks=8)))
    assert (lesson.planned_days, lesson.taken_days) == (30, 30)


@given(goals(), st.data())
def test_no_step_takes_longer_than_the_days_there_were(goal: Goal, data: st.DataObject) -> None:
    planned = schedule(project(goal), Progress(), FIRST)
    keys = data.draw(st.sets(st.sampled_from([step.key for step in goal.steps])))
    done = {key: FIRST + timedelta(days=data.draw(st.integers(0, 200))) for key in sorted(keys)}
    progress = replace(publish(planned), done=done)
    starts = [start for start, _ in progress.published["g"].dates.values()]
    for lesson in lessons(schedule(project(goal), progress, FIRST + timedelta(days=201))):
        assert lesson.steps <= len(done)
        assert lesson.steps <= lesson.taken_days
        assert lesson.taken_days <= lesson.steps * count(goal.calendar, min(starts), max(done.values()))
