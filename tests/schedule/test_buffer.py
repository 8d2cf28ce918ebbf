"""The use of a goal's buffer: the lines of the chart, and what counts as used and as done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from config.durations import parse
from config.project import Goal, Link, Step
from sync.schedule.model import Buffer, Progress
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import back, count, publish
from tests.schedule.test_scheduler_properties import ORIGIN, goals, only, project

DAY = timedelta(days=1)
FIRST = date(2027, 3, 1)


def goal_of(*lengths: str, buffer: str = "10") -> Goal:
    """Return a goal whose steps follow each other; with its buffer it fills the days from the first on."""
    steps = tuple(
        Step(f"g/s{n}", f"Step {n}", ORIGIN, takes=parse(text), after=(Link(f"g/s{n - 1}"),) if n else ())
        for n, text in enumerate(lengths)
    )
    days = sum(map(int, lengths)) + int(buffer)
    deadline = FIRST + timedelta(days=days - 1)
    return Goal("g", "g", deadline, ORIGIN, steps=steps, sequence=steps, buffer=parse(buffer))


@pytest.mark.parametrize(
    ("used", "done", "colour"),
    [
        (0, 0.0, "green"), (1, 0.0, "yellow"), (3, 0.0, "yellow"), (4, 0.0, "red"),
        (3, 0.5, "green"), (6, 0.5, "yellow"), (7, 0.5, "red"),
        (6, 1.0, "green"), (9, 1.0, "yellow"), (10, 1.0, "red"), (11, 1.0, "red"),
    ],
)  # fmt: skip
def test_the_lines_of_the_chart(used: int, done: float, colour: str) -> None:
    assert Buffer(10, used, done).colour == colour


@given(st.integers(1, 60), st.integers(0, 80), st.floats(0, 1), st.floats(0, 1))
def test_more_used_is_never_better_and_more_done_never_worse(days: int, used: int, done: float, more: float) -> None:
    order = ["green", "yellow", "red"]
    colour = order.index(Buffer(days, used, done).colour)
    assert order.index(Buffer(days, used + 1, done).colour) >= colour
    assert order.index(Buffer(days, used, max(done, more)).colour) <= colour


def test_a_step_that_is_late_uses_the_buffer_and_done_work_counts() -> None:
    goal = goal_of("4", "6", "10")
    published = publish(schedule(project(goal), Progress(), FIRST))
    assert only(schedule(project(goal), published, FIRST)).buffer == Buffer(10, 0, 0.0)
    # The first step was due on day 4 and is still open on day 7: it needs one more day, today.
    assert only(schedule(project(goal), published, FIRST + 6 * DAY)).buffer == Buffer(10, 3, 3 / 20)
    done = replace(published, done={"g/s0": FIRST + 5 * DAY})
    assert only(schedule(project(goal), done, FIRST + 6 * DAY)).buffer == Buffer(10, 0, 6 / 20)


def test_without_a_buffer_there_is_no_such_figure() -> None:
    assert only(schedule(project(goal_of("4", buffer="0")), Progress(), FIRST)).buffer is None


@given(goals(anchors=False), st.integers(0, 300), st.data())
def test_the_buffer_is_used_by_what_ends_after_the_limit(goal: Goal, days: int, data: st.DataObject) -> None:
    assume(goal.buffer.amount)
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    done = data.draw(st.sets(st.sampled_from([step.key for step in goal.steps])))
    result = only(schedule(project(goal), Progress(done=dict.fromkeys(done, today - DAY)), today))
    size = count(goal.calendar, result.limit + DAY, back(goal.calendar, goal.deadline))
    if not size:
        assert result.buffer is None
        return
    assert result.buffer is not None
    assert result.buffer.days == size
    finish = max((step.early_finish for step in result.waiting), default=result.limit)
    assert result.buffer.used == count(goal.calendar, result.limit + DAY, finish)
    assert 0 <= result.buffer.done <= 1
    if not result.waiting:
        assert (result.buffer.done, result.buffer.colour) == (1, "green")
