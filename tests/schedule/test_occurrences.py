"""Steps that repeat: which days they get, what stands, what lapses, and what a person may do with one occurrence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from config.durations import Duration, parse
from config.errors import GoalsFileError
from config.keys import day_of, is_occurrence, step_of
from connectors.model import StoredGoal, StoredKey
from sync.reconcile.pruning import MEMORY, forget
from sync.reports.warnings import warnings
from sync.schedule.model import Bound, Progress, Schedule, State
from sync.schedule.occurrences import MOST
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import earliest, forward, limit_of, occurrences, plan, publish
from tests.schedule.test_scheduler_properties import DAYS, EVERY, WAITS, dates, goals, only, project
from tests.schedule.test_scheduler_worked import Planner, both, planner, step  # noqa: F401  # planner is a fixture
from tests.tiers import examples

if TYPE_CHECKING:
    from config.project import Goal

Every = Duration | tuple[str, ...]

DAY = timedelta(days=1)
MONDAY = date(2027, 3, 1)


def days(result: Schedule, key: str = "g/s1") -> list[str]:
    """Return the due dates of the open occurrences of a step."""
    return [str(s.due) for k, s in result.steps().items() if is_occurrence(k) and step_of(k) == key and s.open]


# Which days


def test_a_week_is_counted_back_from_the_last_day_of_the_time_that_is_left(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-31",
        step(0, "takes: 2 days"),
        step(1, "takes: 1 day, every: week"),
        step(2, "takes: 2 days"),
        today=MONDAY,
    )
    assert days(result) == ["2027-03-08", "2027-03-15", "2027-03-22", "2027-03-29"]
    assert next(filter(is_occurrence, result.steps())) == "g/s1@2027-03-08"
    assert both(result)[-1] == ("2027-03-30", "2027-03-31")
    assert (
        only(result).margin == 26
    )  # two days, one occurrence and two days end on the 5th: the plan needs no more of them
    assert [str(s.step.takes) for s in result.steps().values()] == ["2 days", *["1 day"] * 4, "2 days"]


def test_weekdays_are_those_that_are_working_days(planner: Planner) -> None:  # noqa: F811
    head = "calendar: {workdays: [mon, tue, wed, thu, fri], days_off: [2027-03-11]}\n"
    result = planner.steps(
        "deadline: 2027-03-19", step(1, "takes: 1 day, every: [mon, thu, sat]"), head=head, today=MONDAY
    )
    assert days(result) == ["2027-03-01", "2027-03-04", "2027-03-08", "2027-03-15", "2027-03-18"]


def test_a_month_before_the_31st(planner: Planner) -> None:  # noqa: F811
    result = planner.steps("deadline: 2027-05-31", step(1, "takes: 1 day, every: month"), today=date(2027, 1, 31))
    assert days(result) == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]


def test_every_day_means_every_working_day(planner: Planner) -> None:  # noqa: F811
    head = "calendar: {workdays: [mon, tue, wed, thu, fri]}\n"
    result = planner.steps(
        "deadline: 2027-03-09", step(1, "takes: 1 day, every: day"), head=head, today=date(2027, 3, 4)
    )
    assert days(result) == ["2027-03-04", "2027-03-05", "2027-03-08", "2027-03-09"]


def test_elapsed_days_that_end_on_one_working_day_are_one_occurrence(planner: Planner) -> None:  # noqa: F811
    head = "calendar: {workdays: [mon]}\n"
    result = planner.steps(
        "deadline: 2027-03-15", step(1, "takes: 1 day, every: 2 calendar days"), head=head, today=MONDAY
    )
    assert days(result) == ["2027-03-01", "2027-03-08", "2027-03-15"]


def test_each_occurrence_lies_in_the_stretch_as_a_whole(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-21, start: 2027-03-07", step(1, "takes: 2 days, every: week"), today=MONDAY
    )
    # The one due on the 7th would begin on the 6th, before the goal itself begins.
    assert both(result) == [("2027-03-13", "2027-03-14"), ("2027-03-20", "2027-03-21")]


def test_from_and_by_bound_the_stretch(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-06-30",
        step(1, "takes: 1 day, every: week, from: 2027-03-10, by: 2027-04-05"),
        today=MONDAY,
    )
    assert days(result) == ["2027-03-15", "2027-03-22", "2027-03-29", "2027-04-05"]


def test_there_is_at_least_one(planner: Planner) -> None:  # noqa: F811
    listed = [step(0, "takes: 4 days"), step(1, "takes: 3 days, every: month"), step(2, "takes: 4 days")]
    result = planner.steps("deadline: 2027-03-10", *listed, today=MONDAY)
    assert days(result) == [result.steps()[next(filter(is_occurrence, result.steps()))].step.id.partition("@")[2]]
    assert only(result).state is State.LATE
    kept = planner.steps("deadline: 2027-03-10, when_late: keep", *listed, today=date(2027, 3, 9))
    assert days(kept) == ["2027-03-06"]  # in the past, as the deadline gives it


def test_it_shares_the_time_with_a_flexible_step(planner: Planner) -> None:  # noqa: F811
    result = planner.steps("deadline: 2027-03-28", step(0), step(1, "takes: 1 day, every: week"), today=MONDAY)
    assert both(result) == [("2027-03-01", "2027-03-14"), ("2027-03-21", "2027-03-21"), ("2027-03-28", "2027-03-28")]


def test_a_repeating_step_gives_way_before_a_step_with_a_length_is_squeezed(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-31, start: 2027-01-01",
        step(1, "takes: 1 day, every: week"),
        step(2, "takes: 10 days"),
        today=date(2027, 3, 10),
    )
    assert days(result) == ["2027-03-14", "2027-03-21"]
    assert both(result)[-1] == ("2027-03-22", "2027-03-31")
    assert not any(s.squeezed for s in result.steps().values())
    assert only(result).state is State.ON_TRACK


def test_what_counts_from_the_step_counts_from_its_last_day(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-31",
        "{title: s1, takes: 1 day, every: week, by: 2027-03-20}",
        "{title: s2, takes: 1 day, before: {step: s1, by: 2 days}}",
        "{title: s3, takes: 1 day, after: [{step: s1, wait: 3 days}]}",
        today=MONDAY,
    )
    assert result.steps()["g/s2"].due == date(2027, 3, 18)
    assert days(result)[-1] == "2027-03-20"
    assert result.steps()["g/s3"].early_start > date(2027, 3, 4)


def test_a_step_of_another_goal_after_it_ends_the_stretch(planner: Planner) -> None:  # noqa: F811
    text = """goals:
  - {id: a, title: a, deadline: 2027-04-30, steps: [{id: habit, title: h, takes: 1 day, every: week}]}
  - {id: b, title: b, deadline: 2027-03-31, steps: [{title: s, takes: 2 days, after: [a/habit]}]}
"""
    assert days(planner.goals(text, MONDAY), "a/habit")[-1] == "2027-03-29"


def test_an_optional_one_gives_way_as_a_whole(planner: Planner) -> None:  # noqa: F811
    listed = [step(0, "takes: 2 days"), step(1, "takes: 1 day, every: week, optional: true"), step(2, "takes: 2 days")]
    result = planner.steps("deadline: 2027-03-02", *listed, today=MONDAY)
    assert days(result) == []
    assert any("“s1” is optional and got no date" in warning for warning in warnings(only(result)))
    later = schedule(planner.project(planner.path.read_text()), publish(result), MONDAY + DAY)
    assert days(later) == []


def test_too_many_are_an_error_with_its_place(planner: Planner) -> None:  # noqa: F811
    with pytest.raises(GoalsFileError, match=rf"2:\d+: “s1” would be repeated more than {MOST} times"):
        planner.steps("deadline: 2037-03-01", step(1, "takes: 1 day, every: day"), today=MONDAY)


@settings(max_examples=examples(300))
@given(goals(lengths=DAYS, waits=WAITS, anchors=False, most=5), EVERY, st.integers(0, 90), st.data())
def test_the_stretch_takes_the_time_that_is_left_and_is_filled_like_the_reference(
    goal: Goal, every: Every, room: int, data: st.DataObject
) -> None:
    limit = limit_of(goal)
    today = limit - timedelta(days=room)
    chosen = data.draw(st.sampled_from(goal.steps))
    habit = replace(chosen, takes=parse("1"), every=every)
    steps = tuple(habit if s is chosen else s for s in goal.steps)
    goal = replace(goal, steps=steps, sequence=steps)

    def stretched(length: int) -> Goal:
        long = tuple(replace(s, takes=parse(str(length)), every=None) if s is habit else s for s in steps)
        return replace(goal, steps=long, sequence=long)

    def fits(length: int) -> bool:
        return all(early.finish <= limit for early in earliest(stretched(length), today).values())

    assume(fits(1))
    length = 1
    while fits(length + 1):
        length += 1
    found = plan(stretched(length), today)
    stretch = found[habit.key]
    wanted = occurrences(habit, goal.calendar, stretch.start, stretch.due, today)
    result = schedule(project(goal), Progress(), today)
    assert days(result, habit.key) == [str(day) for day in wanted]
    others = {key: when for key, when in dates(result).items() if not is_occurrence(key)}
    assert others == {key: (d.start, d.due) for key, d in found.items() if key != habit.key}
    event(f"{min(len(wanted), 5)} occurrences")


# Published plans


@settings(max_examples=examples(300))
@given(
    goals(lengths=DAYS, waits=WAITS, anchors=False, most=4),
    EVERY,
    st.integers(0, 90),
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["tick", "miss", "drop", "pin"])), max_size=8),
    st.data(),
)
def test_whatever_people_do_with_one_nothing_else_moves(
    goal: Goal, every: Every, room: int, events: list[tuple[int, str]], data: st.DataObject
) -> None:
    today = limit_of(goal) - timedelta(days=room)
    chosen = data.draw(st.sampled_from(goal.steps))
    habit = replace(chosen, takes=parse("1"), every=every, after=())
    steps = tuple(habit if s is chosen else s for s in goal.steps)
    goal = replace(goal, steps=steps, sequence=steps, when_late="keep")  # nothing but the occurrences can move
    result = schedule(project(goal), Progress(), today)
    first = dates(result)
    progress = publish(result)
    for passed, happens in events:
        today += timedelta(days=passed)
        result = schedule(project(goal), progress, today)
        known = {key: s for key, s in result.steps().items() if is_occurrence(key)}
        for key, when in dates(result).items():
            assert key in progress.pins or when == first[key]
        # Of the past ones only the last can be open; all future ones are there.
        past = [k for k, s in known.items() if s.open and k not in progress.pins and day_of(k) < today]
        assert len(past) <= 1
        coming = {key for key in first if is_occurrence(key) and day_of(key) >= today}
        assert coming - set(progress.pins) <= set(known)
        waiting = [key for key, s in known.items() if s.open]
        if waiting and happens != "miss":
            key = data.draw(st.sampled_from(waiting))
            if happens == "tick":
                progress = replace(progress, done={**progress.done, key: today})
            elif happens == "drop":
                progress = replace(progress, dropped=progress.dropped | {key})
            else:
                day = forward(goal.calendar, today + timedelta(days=passed))
                progress = replace(progress, pins={**progress.pins, key: day})
            again = schedule(project(goal), progress, today)
            assert {k: w for k, w in dates(again).items() if k != key} == {
                k: w for k, w in dates(result).items() if k != key and k in dates(again)
            }
            result = again
        progress = publish(result, replace(progress, pins={k: d for k, d in progress.pins.items() if k in known}))
        assert dates(schedule(project(goal), progress, today)) == dates(result)


def test_what_is_missed_stays_until_the_next_one_is_due(planner: Planner) -> None:  # noqa: F811
    result = planner.steps("deadline: 2027-03-29", step(1, "takes: 1 day, every: week"), today=MONDAY)
    progress = publish(result)
    plans = planner.project(planner.path.read_text())
    assert days(schedule(plans, progress, date(2027, 3, 7)))[0] == "2027-03-01"
    missed = schedule(plans, progress, date(2027, 3, 7))
    assert missed.steps()["g/s1@2027-03-01"].overdue
    assert only(missed).state is State.ON_TRACK  # a missed occurrence does not make the goal late
    assert days(schedule(plans, progress, date(2027, 3, 8)))[0] == "2027-03-08"
    # No occurrence follows the last one, so it never lapses.
    assert days(schedule(plans, progress, date(2027, 3, 29))) == ["2027-03-29"]


def test_a_step_done_as_often_as_it_repeats_has_left_the_plan(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-20", step(1, "takes: 1 day, every: week"), step(2, "takes: 3 days"), today=date(2027, 3, 4)
    )
    assert days(result) == ["2027-03-10", "2027-03-17"]
    done = {"g/s1@2027-03-10": date(2027, 3, 10), "g/s1@2027-03-17": date(2027, 3, 12)}
    later = schedule(planner.project(planner.path.read_text()), replace(publish(result), done=done), date(2027, 3, 12))
    assert days(later) == []
    assert later.steps()["g/s2"].early_start == date(2027, 3, 12)
    assert dates(later)["g/s2"] == dates(result)["g/s2"]


def test_a_moved_deadline_moves_what_is_to_come_and_nothing_that_is_past(planner: Planner) -> None:  # noqa: F811
    listed = step(1, "takes: 1 day, every: week")
    result = planner.steps("deadline: 2027-03-29", listed, today=MONDAY)
    done = {"g/s1@2027-03-01": MONDAY, "g/s1@2027-03-22": date(2027, 3, 9)}
    known: dict[str, Any] = {"published": publish(result).published, "first_sync": {"g": MONDAY}}
    moved = planner.steps("deadline: 2027-03-31", listed, today=date(2027, 3, 9), done=done, **known)
    assert days(moved) == ["2027-03-08", "2027-03-10", "2027-03-17", "2027-03-24", "2027-03-31"]
    assert {key for key, s in moved.steps().items() if s.done} == done.keys()


def test_a_longer_plan_takes_up_again_what_was_over(planner: Planner) -> None:  # noqa: F811
    listed = step(1, "takes: 1 day, every: week")
    result = planner.steps("deadline: 2027-03-08", listed, today=MONDAY)
    done = {f"g/s1@{day}": MONDAY for day in days(result)}
    known: dict[str, Any] = {"published": publish(result).published, "first_sync": {"g": MONDAY}, "done": done}
    assert days(planner.steps("deadline: 2027-03-08", listed, today=MONDAY, **known)) == []
    assert days(planner.steps("deadline: 2027-03-15", listed, today=MONDAY, **known)) == ["2027-03-15"]


def test_a_pinned_occurrence_moves_alone_and_is_told_apart(planner: Planner) -> None:  # noqa: F811
    result = planner.steps("deadline: 2027-03-29", step(1, "takes: 2 days, every: week"), today=MONDAY)
    pins = {"g/s1@2027-03-15": date(2027, 3, 17)}
    moved = schedule(planner.project(planner.path.read_text()), replace(publish(result), pins=pins), date(2027, 3, 9))
    pinned = moved.steps()["g/s1@2027-03-15"]
    assert (pinned.start, pinned.due, pinned.pinned) == (date(2027, 3, 16), date(2027, 3, 17), True)
    assert pinned.reason.bound is Bound.PIN
    assert days(moved) == ["2027-03-08", "2027-03-17", "2027-03-22", "2027-03-29"]
    assert not any("after the deadline" in warning for warning in warnings(only(moved)))
    pins = {"g/s1@2027-03-29": date(2027, 4, 2)}
    late = schedule(planner.project(planner.path.read_text()), replace(publish(result), pins=pins), date(2027, 3, 9))
    assert "“s1” is due on 2027-04-02, after the deadline" in warnings(only(late))


def test_done_in_the_file_ends_all_of_it(planner: Planner) -> None:  # noqa: F811
    result = planner.steps(
        "deadline: 2027-03-29", step(1, "takes: 1 day, every: week"), today=MONDAY, done={"g/s1": MONDAY}
    )
    assert days(result) == []


# What is remembered


def test_occurrences_long_past_are_forgotten_but_the_last_and_what_is_news() -> None:
    past = [MONDAY + timedelta(days=7 * n) for n in range(4)]
    today = past[-1] + MEMORY + DAY
    keys = {f"g/s@{day}": StoredKey("done", str(day), done_on=day) for day in past}
    before = StoredGoal(MONDAY, {**keys, "g/t": StoredKey("done")}, dates=dict.fromkeys(keys, (MONDAY, MONDAY)))
    assert forget(before, before, today) == before  # no reason to write the memory
    after = replace(before, keys={**before.keys, "g/u": StoredKey("live")})
    kept = forget(after, before, today)
    assert set(kept.keys) == {f"g/s@{past[-1]}", "g/t", "g/u"}
    assert set(kept.dates) == {f"g/s@{past[-1]}"}
    news = replace(before, keys={**before.keys, f"g/s@{past[0]}": StoredKey("live", "x")})
    assert f"g/s@{past[0]}" in forget(after, news, today).keys
    assert len(forget(after, before, past[0]).keys) == len(after.keys)
