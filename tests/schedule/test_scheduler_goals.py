"""Goals that follow each other: what grows in one of them leaves the others their time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from config.durations import parse
from config.project import Goal, Link, Step
from sync.forecast import fit
from sync.schedule.deadline import earliest_deadline
from sync.schedule.model import Progress, Schedule, State
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import publish
from tests.schedule.test_scheduler_properties import DAYS, EVERY, ORIGIN, WAITS, calendars, dates, project
from tests.tiers import examples

DAY = timedelta(days=1)
TODAY = date(2027, 1, 4)
LENGTHS = st.one_of(DAYS, st.none(), st.none())


def goal(name: str, deadline: date, *steps: Step, **keys: object) -> Goal:
    """Return a goal whose steps are given in sequence."""
    return Goal(name, name, deadline, ORIGIN, steps=steps, sequence=steps, **keys)  # type: ignore[arg-type]  # any of its fields


def step(key: str, takes: str | None = None, *after: str, **keys: object) -> Step:
    """Return a step that comes after others."""
    links = tuple(Link(other) for other in after)
    return Step(key, key, ORIGIN, takes=parse(takes) if takes else None, after=links, **keys)  # type: ignore[arg-type]  # any of its fields


@st.composite
def linked_goals(draw: st.DrawFn) -> tuple[Goal, ...]:
    """Return goals in sequence, whose steps may come after steps of those before, with deadlines near each other."""
    made: list[Goal] = []
    for name in "abcd"[: draw(st.integers(2, 4))]:
        listed: list[Step] = []
        for number in range(draw(st.integers(1, 4))):
            earlier = [other.key for other in listed] + [other.key for before in made for other in before.steps]
            keys = draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else set()
            links = tuple(Link(key, draw(WAITS)) for key in sorted(keys))
            one = Step(f"{name}/s{number}", "Step", ORIGIN, takes=draw(LENGTHS), after=links)
            if draw(st.integers(0, 4)) == 0:
                one = replace(one, takes=parse("1"), every=draw(EVERY))
            listed.append(one)
        start = draw(st.one_of(st.none(), st.integers(-30, 20).map(lambda n: TODAY + n * DAY)))
        deadline = TODAY + draw(st.integers(0, 70)) * DAY
        made.append(goal(name, deadline, *listed, start=start, calendar=draw(calendars(holidays=False))))
    return tuple(made)


def with_least(whole: Goal) -> Goal:
    """Return the goal in which each step that grows has the least it may."""
    steps = tuple(
        replace(one, takes=one.takes or parse("1"), every=None) if one.grows else one for one in whole.sequence
    )
    return replace(whole, steps=steps, sequence=steps)


def planned(goals: tuple[Goal, ...], when_late: str = "squeeze", today: date = TODAY) -> Schedule:
    """Return the plan of goals that nobody has begun."""
    return schedule(project(*(replace(one, when_late=when_late) for one in goals)), Progress(), today)


def fits(result: Schedule) -> bool:
    """Return whether no goal is late, and nothing is squeezed."""
    return all(
        one.margin is not None and one.margin >= 0 and not one.warnings and one.state is not State.MISSED
        for one in result.goals
    )


@settings(max_examples=examples(400))
@given(linked_goals())
def test_what_fits_with_the_least_lengths_fits_with_those_that_they_grow_to(goals: tuple[Goal, ...]) -> None:
    """In each goal, whichever steps grow in the other ones; and each has a deadline that fits."""
    least = tuple(map(with_least, goals))
    assume(fits(planned(least)))
    assume(dates(planned(least)) == dates(planned(least, "keep")))
    grown = planned(goals)
    assert fits(grown)
    assert not any(one.squeezed or one.overdue for one in grown.steps().values())
    assert all(one.start is None or one.start >= TODAY for one in grown.steps().values())
    whole = project(*goals)
    context = fit.context_of(whole, grown)
    for one in goals:
        found = earliest_deadline(context, context.plans[one.id])
        assert isinstance(one.deadline, date)
        assert found is not None
        assert found <= one.deadline


@settings(max_examples=examples(200))
@given(linked_goals(), st.integers(0, 20))
def test_a_plan_of_several_goals_stands_while_it_can_be_kept(goals: tuple[Goal, ...], passed: int) -> None:
    whole = project(*goals)
    first = schedule(whole, Progress(), TODAY)
    day = min([TODAY + passed * DAY, *(one.due for one in first.steps().values() if one.due)])
    assume(day >= TODAY)
    again = schedule(whole, publish(first), day)
    assert dates(again) == dates(first)


def days(*goals: Goal) -> dict[str, tuple[int, int]]:
    """Return the start and due of every step, as days of January; no goal may be late."""
    result = planned(goals)
    assert fits(result)
    return {key: (start.day, due.day) for key, (start, due) in dates(result).items() if start and due}


END = date(2027, 1, 31)


def test_a_flexible_step_after_a_step_of_another_goal_leaves_it_its_length() -> None:
    found = days(goal("y", END, step("y/a", "5")), goal("x", END, step("x/f", None, "y/a")))
    assert found == {"y/a": (4, 8), "x/f": (9, 31)}


def test_a_repeating_step_after_a_step_of_another_goal_leaves_it_its_length() -> None:
    practise = step("x/f", "1", "y/a", every=parse("1 week"))
    result = planned((goal("y", END, step("y/a", "5")), goal("x", END, practise)))
    assert fits(result)
    assert result.steps()["y/a"].due == date(2027, 1, 8)
    assert [one.due.day for one in result.goals[1].steps if one.due] == [10, 17, 24, 31]


def test_a_flexible_step_before_a_step_of_another_goal_has_the_time_that_is_left() -> None:
    found = days(goal("y", END, step("y/f")), goal("x", END, step("x/a", "5", "y/f"), step("x/f", None, "x/a")))
    assert found == {"y/f": (4, 25), "x/a": (26, 30), "x/f": (31, 31)}


def test_each_goal_has_the_time_to_its_own_deadline() -> None:
    """A step of `x` that follows the last step of `y` takes none of the time that the steps of `y` share."""
    first = goal("y", date(2027, 1, 17), step("y/a"), step("y/b", None, "y/a"))
    found = days(first, goal("x", END, step("x/c", None, "y/b"), step("x/d", None, "x/c")))
    assert found == {"y/a": (4, 10), "y/b": (11, 17), "x/c": (18, 24), "x/d": (25, 31)}


def test_a_chain_through_three_goals_has_its_time() -> None:
    found = days(
        goal("z", END, step("z/a", "5")),
        goal("y", END, step("y/a", "5", "z/a"), step("y/b", "2", "y/a")),
        goal("x", END, step("x/f", None, "y/a")),
    )
    assert found == {"z/a": (4, 8), "y/a": (9, 13), "y/b": (30, 31), "x/f": (14, 31)}


def test_a_flexible_step_gives_back_what_a_step_of_another_goal_lacks_from_today_on() -> None:
    """Its length was shared out from the start of its goal, which lies in the past."""
    start = date(2026, 12, 20)
    first = goal("y", END, step("y/a", "5"), start=start)
    found = days(first, goal("x", END, step("x/f", None, "y/a"), start=start))
    assert found == {"y/a": (4, 8), "x/f": (9, 31)}
