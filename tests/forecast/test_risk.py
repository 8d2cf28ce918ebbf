"""The figures for risk: against the scheduler run for each sample, against PERT's own figures, and by properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.durations import Duration, Unit, parse
from config.keys import step_of
from config.project import Countdown, Goal, Link, Step
from sync.forecast.estimates import CONFIDENCES
from sync.forecast.fit import context_of, fit
from sync.forecast.risk import Sampler, with_risk
from sync.forecast.samples import draw
from sync.schedule.deadline import countdowns
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import earliest, publish
from tests.schedule.test_scheduler_properties import (
    ANY_LENGTH,
    ANY_WAIT,
    DAYS,
    FOLLOWING_CALENDAR,
    OFFICE,
    ORIGIN,
    WAITS,
    goals,
    only,
    project,
)
from tests.tiers import examples

if TYPE_CHECKING:
    from config.project import Project

DAY = timedelta(days=1)
ESTIMATES = st.sampled_from(["1-3-8", "2-3-6", "1-1-9", "0-1-4", "5-8-8", "1-2-3 weeks", "0-1-2 weeks"]).map(parse)
GUESSED = st.one_of(ESTIMATES, ANY_LENGTH)
TODAYS = st.integers(-30, 800).map(lambda n: date(2027, 1, 1) + timedelta(days=n))
FEW = 7


def chain(*lengths: str, deadline: date = date(2028, 1, 1)) -> Goal:
    """Return a goal whose steps follow each other, every day a working day."""
    steps = [
        Step(f"g/s{n}", f"Step {n}", ORIGIN, takes=parse(text), after=(Link(f"g/s{n - 1}"),) if n else ())
        for n, text in enumerate(lengths)
    ]
    return Goal("g", "g", deadline, ORIGIN, steps=tuple(steps), sequence=tuple(steps))


def with_lengths(plan: Project, drawn: dict[str, int]) -> Project:
    """Return the project with the steps that were drawn as long as they were drawn."""

    def fixed(step: Step) -> Step:
        if step.key not in drawn or step.takes is None:
            return step
        return replace(step, takes=Duration(drawn[step.key], step.takes.unit, f"{drawn[step.key]}"))

    return plan.with_goals(
        lambda goal: replace(goal, steps=tuple(map(fixed, goal.steps)), sequence=tuple(map(fixed, goal.sequence)))
    )


@st.composite
def projects(draw_: st.DrawFn) -> Project:
    """Return two goals, the second of which may follow the first; their steps have all kinds of lengths."""
    one = draw_(goals(name="a", lengths=GUESSED, waits=ANY_WAIT))
    other = draw_(goals(name="b", lengths=GUESSED, waits=ANY_WAIT))
    target = draw_(st.sampled_from([step.key for step in one.steps]))
    head = other.steps[0]
    kind = draw_(st.integers(0, 2))
    if kind == 1:
        head = replace(head, after=(Link(target, draw_(ANY_WAIT)),))
    elif kind == 2:
        head = replace(head, after_goals=(Link("a", draw_(ANY_WAIT)),))
    steps = (head, *other.steps[1:])
    return project(one, replace(other, steps=steps, sequence=steps))


@settings(max_examples=examples(70))
@given(projects(), TODAYS)
def test_each_sample_is_the_scheduler_s_own_forward_pass(plan: Project, today: date) -> None:
    result = schedule(plan, Progress(), today)
    drawn = draw((step.step for step in result.steps().values()), FEW)
    found = Sampler(plan, result, FEW).finish
    for n in range(FEW):
        one = with_lengths(plan, {key: int(lengths[n]) for key, lengths in drawn.items()})
        for key, step in schedule(one, Progress(), today).steps().items():
            assert np.broadcast_to(found[key], FEW)[n] == step.early_finish.toordinal()


@settings(max_examples=examples(150))
@given(goals(lengths=st.one_of(DAYS, st.just(parse("1-3-8"))), waits=WAITS, anchors=False), TODAYS)
def test_each_sample_is_what_counting_days_gives(goal: Goal, today: date) -> None:
    result = schedule(project(goal), Progress(), today)
    drawn = draw(goal.steps, FEW)
    found = Sampler(project(goal), result, FEW).finish
    for n in range(FEW):
        one = with_lengths(project(goal), {key: int(lengths[n]) for key, lengths in drawn.items()})
        for key, early in earliest(one.goals[0], today).items():
            assert np.broadcast_to(found[key], FEW)[n] == early.finish.toordinal()


@settings(max_examples=examples(120))
@given(goals(lengths=FOLLOWING_CALENDAR, waits=ANY_WAIT), TODAYS, st.integers(0, 60), st.data())
def test_without_estimates_every_figure_is_the_early_finish(
    goal: Goal, today: date, later: int, data: st.DataObject
) -> None:
    plain = [
        replace(step, takes=parse("3") if step.takes and step.takes.estimate else step.takes) for step in goal.steps
    ]
    goal = replace(goal, steps=tuple(plain), sequence=tuple(plain))
    first = schedule(project(goal), Progress(), today)
    done = data.draw(st.sets(st.sampled_from([step.key for step in plain])))
    gone = data.draw(st.sets(st.sampled_from([step.key for step in plain]), max_size=2)) - done
    progress = replace(
        publish(first), done={key: today + timedelta(days=later // 2) for key in done}, dropped=frozenset(gone)
    )
    result = schedule(project(goal), progress, today + timedelta(days=later))
    found = Sampler(project(goal), result, FEW).finish
    assert {key: date.fromordinal(int(day)) for key, day in found.items()} == {
        key: step.early_finish for key, step in result.steps().items()
    }
    risk = only(with_risk(project(goal), result)).risk
    assert (risk is None) == (only(result).done is not None or not only(result).waiting)
    if risk is not None:
        ends = [
            max(step.early_finish, step.due) if step.step.on and step.due else step.early_finish
            for step in only(result).waiting
        ]
        assert set(risk.finish.values()) == {max(ends)}
        assert risk.estimates == 0
        assert {risk.chance_of_deadline, risk.chance_of_limit} <= {0, 1}


@settings(max_examples=examples(150))
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WAITS, anchors=False), TODAYS, st.integers(0, 40), st.data())
def test_steps_that_repeat_count_one_time_as_in_the_schedule(
    goal: Goal, today: date, later: int, data: st.DataObject
) -> None:
    every = st.sampled_from([None, parse("1 week"), parse("2 weeks"), ("mon", "thu")])
    repeating = tuple(
        replace(step, every=data.draw(every)) if step.takes and step.takes.amount else step for step in goal.steps
    )
    goal = replace(goal, deadline=today + timedelta(days=120), steps=repeating, sequence=repeating)
    first = schedule(project(goal), Progress(), today)
    done = data.draw(st.sets(st.sampled_from(sorted(first.steps()))))
    progress = replace(publish(first), done={key: today + timedelta(days=later // 2) for key in done})
    result = schedule(project(goal), progress, today + timedelta(days=later))
    found = Sampler(project(goal), result, lengths={}).finish
    for key, step in result.steps().items():
        if step.open:
            assert found[step_of(key)] == step.early_finish.toordinal()
    with_risk(project(goal), result)


@settings(max_examples=examples(200))
@given(
    goals(lengths=FOLLOWING_CALENDAR.filter(lambda takes: takes.estimate is None), waits=WAITS, anchors=False), TODAYS
)
def test_without_estimates_the_deadline_that_fits_is_the_same_however_sure(goal: Goal, today: date) -> None:
    result = schedule(project(goal), Progress(), today)
    context = context_of(project(goal), result)
    due_at = partial(countdowns, context, context.plans[goal.id])
    found = {Sampler(project(goal), result).earliest_deadline(only(result), percent, due_at) for percent in (1, 99)}
    assert found == {fit(project(goal), result, goal.id).planned}


@settings(max_examples=examples(200))
@given(goals(lengths=FOLLOWING_CALENDAR.filter(lambda takes: takes.estimate is None), waits=WAITS), TODAYS)
def test_without_estimates_the_chance_is_all_or_nothing_as_the_days_in_hand_say(goal: Goal, today: date) -> None:
    """Late is also who misses an appointment, a `by` or a countdown, and not the deadline alone."""
    result = schedule(project(goal), Progress(), today)
    risk = only(with_risk(project(goal), result)).risk
    if risk is not None and only(result).margin is not None:
        assert risk.chance_of_limit == float((only(result).margin or 0) >= 0)


def test_steps_that_count_down_from_others_are_kept_too() -> None:
    """Both deadlines leave the three months between the two steps."""
    steps = (
        Step("g/s0", "First", ORIGIN, takes=parse("1-2-9"), before=Countdown("g/s1", parse("3 months"))),
        Step("g/s1", "Next", ORIGIN, takes=parse("1")),
    )
    plan, today = project(Goal("g", "g", date(2028, 1, 1), ORIGIN, steps=steps, sequence=steps)), date(2027, 1, 1)
    found = fit(plan, schedule(plan, Progress(), today), "g")
    assert found.planned == date(2027, 4, 3)  # three days, as planned, and three months
    assert found.by_confidence[50] is not None
    assert found.by_confidence[95] is not None
    assert date(2027, 4, 2) <= found.by_confidence[50] < found.by_confidence[95] <= date(2027, 4, 9)


@pytest.mark.parametrize("text", ["2-3-6", "0-1-2", "1-1-2", "1-1-30", "4-9-9", "3-20-90", "1-2-6 weeks"])
def test_lengths_have_the_mean_and_spread_of_pert(text: str) -> None:
    takes = parse(text)
    assert takes.estimate is not None
    best, likely, worst = takes.estimate
    lengths = draw([Step("g/s", "Step", ORIGIN, takes=takes)], 4000)["g/s"]
    assert lengths.min() >= best
    assert lengths.max() <= worst
    mean = (best + 4 * likely + worst) / 6
    # The variance of PERT (Vose): (mean - best) (worst - mean) / 7; whole days add at most a quarter of a day squared.
    variance = (mean - best) * (worst - mean) / 7
    assert lengths.mean() == pytest.approx(mean, abs=0.02 + 0.005 * (worst - best))
    assert lengths.var() == pytest.approx(variance + 1 / 8, abs=1 / 8 + 0.1 * variance)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 20)), min_size=1, max_size=6),
    st.data(),
)
def test_a_wider_estimate_never_lowers_the_cautious_figure(
    parts: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    written = [[best, best + more, best + more + most] for best, more, most in parts]
    today = date(2027, 1, 1)

    def cautious() -> date:
        goal = chain(*("-".join(map(str, points)) for points in written))
        risk = only(with_risk(project(goal), schedule(project(goal), Progress(), today))).risk
        assert risk is not None
        return risk.finish[95]

    before = cautious()
    data.draw(st.sampled_from(written))[2] += data.draw(st.integers(1, 40))
    assert cautious() >= before


@settings(max_examples=examples(150))
@given(projects(), TODAYS, st.integers(1, 99))
def test_beginning_a_working_day_after_the_latest_start_is_less_sure(
    plan: Project, today: date, confidence: int
) -> None:
    result = schedule(plan, Progress(), today)
    for goal in with_risk(plan, result, confidence).goals:
        risk = goal.risk
        if risk is None:
            continue
        assert list(risk.finish) == list(CONFIDENCES)
        assert list(risk.finish.values()) == sorted(risk.finish.values())
        assert 0 <= risk.chance_of_limit <= risk.chance_of_deadline <= 1
        assert (risk.latest_start is None) == (risk.chance_of_limit * 100 < confidence)


@pytest.mark.parametrize("confidence", [50, 80, 95])
def test_the_latest_safe_start_is_safe_and_the_day_after_it_is_not(confidence: int) -> None:
    goal, today = chain("2-3-6", "1-2-9", "4", "5-8-20"), date(2027, 11, 1)
    risk = only(with_risk(project(goal), schedule(project(goal), Progress(), today), confidence)).risk
    assert risk is not None
    assert risk.latest_start is not None

    def chance_from(day: date) -> float:
        of_day = only(with_risk(project(goal), schedule(project(goal), Progress(), day), confidence)).risk
        assert of_day is not None
        return of_day.chance_of_limit * 100

    assert chance_from(risk.latest_start) >= confidence > chance_from(risk.latest_start + DAY)


def test_the_luck_of_one_step_does_not_hang_on_the_others() -> None:
    one, other = (Step(f"g/{name}", name, ORIGIN, takes=parse("2-3-9")) for name in "ab")
    both = draw([one, other], 50)
    assert (both["g/b"] == draw([other], 50)["g/b"]).all()
    assert (both["g/a"] == draw([other, one], 50)["g/a"]).all()
    assert (both["g/a"] != both["g/b"]).any()


def test_what_is_done_has_no_spread_and_what_has_begun_less() -> None:
    goal, today = chain("2-5-20", "2-5-20"), date(2027, 11, 1)
    start = schedule(project(replace(goal, deadline=date(2027, 11, 20))), Progress(), today)
    plan = project(replace(goal, deadline=date(2027, 11, 20)))
    later = date(2027, 11, 14)
    done = replace(publish(start), done={"g/s0": date(2027, 11, 12)})
    risk = only(with_risk(plan, schedule(plan, done, later))).risk
    assert risk is not None
    assert risk.estimates == 1
    begun = only(schedule(plan, done, later)).steps[1]
    assert begun.start is not None
    # The second step began by the plan before today: it ends 2 to 20 days from its start on, and not before today.
    assert later <= risk.finish[50] <= risk.finish[95] <= begun.start + timedelta(days=19)


def test_an_appointment_on_a_free_day_has_that_day_in_each_sample_too() -> None:
    """Whoever has Friday for two days of work that end on a Saturday works on that Saturday."""
    today, saturday = date(2027, 3, 1), date(2027, 3, 6)
    goal = replace(chain("1-2-5", "2", deadline=saturday), calendar=OFFICE)
    steps = (goal.steps[0], replace(goal.steps[1], on=saturday))
    plan = project(replace(goal, steps=steps, sequence=steps))
    finish = Sampler(plan, schedule(plan, Progress(), today), lengths={"g/s0": np.arange(1, 6)}).finish["g/s1"]
    days = [date.fromordinal(day) for day in np.broadcast_to(finish, 5)]
    assert days == [date(2027, 3, day) for day in (3, 4, 5, 6, 9)]


def test_percentages_last_as_long_as_the_schedule_says() -> None:
    goal, today = chain("2-5-20", "20%", "3"), date(2027, 11, 1)
    result = schedule(project(goal), Progress(), today)
    finish = Sampler(project(goal), result, FEW).finish
    share = only(result).steps[1]
    length = (share.early_finish - share.early_start).days + 1
    assert (np.asarray(finish["g/s1"]) - np.asarray(finish["g/s0"]) == length).all()


def test_units_of_estimates_are_those_that_can_be_drawn() -> None:
    assert {parse(text).unit for text in ("1-2-3", "1-2-3 weeks")} == {Unit.WORKING_DAYS, Unit.SPAN_DAYS}


def test_the_steps_of_one_person_do_not_overlap_in_any_case() -> None:
    steps = {name: (Step(f"{name}/s", name, ORIGIN, takes=parse("2-4-9 days"), who="ann"),) for name in "ab"}
    listed = [Goal(n, n, date(2027, 3, 30), ORIGIN, steps=s, sequence=s, when_full="earlier") for n, s in steps.items()]
    plan = replace(project(*listed), capacity={"ann": 1})
    today = date(2027, 3, 1)
    apart = Sampler(plan, schedule(plan, Progress(), today)).finish
    bare = replace(plan, capacity={})
    at_once = Sampler(bare, schedule(bare, Progress(), today)).finish
    first, last = sorted(("a/s", "b/s"), key=lambda key: int(np.max(apart[key])))
    assert np.array_equal(apart[first], at_once[first])
    assert np.array_equal(apart[last], apart[first] + at_once[last] - today.toordinal() + 1)
