"""The load line, against counting day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from config.durations import parse
from config.project import EVERYBODY, Goal, Step
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.schedule.test_scheduler_properties import ORIGIN, goals, project

DAY = timedelta(days=1)
TODAY = date(2027, 3, 1)
NAMES = st.sampled_from([None, None, "ann", "bo"])


def named(goal: Goal, data: st.DataObject) -> Goal:
    """Return the goal with people for it and its steps."""
    steps = tuple(replace(step, who=data.draw(NAMES)) for step in goal.steps)
    return replace(goal, steps=steps, sequence=steps, who=data.draw(NAMES))


@given(goals(name="a"), goals(name="b"), st.integers(1, 4), st.data())
def test_it_is_what_counting_day_by_day_gives(one: Goal, other: Goal, capacity: int, data: st.DataObject) -> None:
    plan = replace(project(named(one, data), named(other, data)), capacity={EVERYBODY: capacity})
    done = data.draw(st.sets(st.sampled_from([step.key for goal in plan.goals for step in goal.steps])))
    result = schedule(plan, Progress(done=dict.fromkeys(done, TODAY - DAY)), TODAY)
    people: dict[str | None, dict[date, set[str]]] = {}
    for goal in result.goals:
        for step in goal.steps:
            if step.open and step.start and step.due and step.step.takes_room:
                days = people.setdefault(step.step.who or goal.goal.who, {})
                for n in range((max(step.due, TODAY) - max(step.start, TODAY)).days + 1):
                    days.setdefault(max(step.start, TODAY) + n * DAY, set()).add(step.step.key)
    expected = {who: {day: keys for day, keys in days.items() if len(keys) > capacity} for who, days in people.items()}
    assert [load.who for load in result.loads] == sorted(
        (w for w, days in expected.items() if days), key=lambda w: w or ""
    )
    for load in result.loads:
        days = expected[load.who]
        covered = [s.first + n * DAY for s in load.stretches for n in range((s.last - s.first).days + 1)]
        assert covered == sorted(days)
        for stretch in load.stretches:
            inside = [keys for day, keys in days.items() if stretch.first <= day <= stretch.last]
            assert stretch.most == max(map(len, inside))
            assert sorted(stretch.keys) == sorted(set().union(*inside))
            assert stretch.first - DAY not in days
        weeks: dict[date, int] = {}
        for day, keys in days.items():
            monday = day - day.weekday() * DAY
            weeks[monday] = max(weeks.get(monday, 0), len(keys))
        assert load.weeks == weeks


def test_without_a_capacity_nothing_is_too_much() -> None:
    steps = tuple(Step(f"g/{n}", f"Step {n}", ORIGIN, takes=parse("5")) for n in range(9))
    goal = Goal("g", "g", date(2027, 3, 20), ORIGIN, steps=steps, sequence=steps)
    assert schedule(project(goal), Progress(), TODAY).loads == ()
    (load,) = schedule(replace(project(goal), capacity={EVERYBODY: 8}), Progress(), TODAY).loads
    assert (load.who, load.capacity, load.stretches[0].most) == (None, 8, 9)
