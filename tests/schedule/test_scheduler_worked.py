"""Worked examples of scheduling.md, with exact dates: what a person would find with a wall calendar and a pencil."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from config.loader import load
from sync.reports.warnings import warnings
from sync.schedule.model import Progress, Schedule, State
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import publish

if TYPE_CHECKING:
    from config.project import Project

OFFICE = "calendar: {workdays: [mon, tue, wed, thu, fri]}\n"
BEFORE = date(2020, 1, 1)


class Planner:
    """Writes goals files and plans them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "goals.yaml"

    def project(self, text: str) -> Project:
        self.path.write_text(text)
        return load(self.path)

    def goals(self, text: str, today: date = BEFORE, progress: Progress | None = None) -> Schedule:
        return schedule(self.project(text), progress or Progress(), today)

    def steps(self, goal: str, *listed: str, today: date = BEFORE, head: str = "", **known: object) -> Schedule:
        """Plan one goal `g` with the steps s1, s2, ... as written in braces."""
        text = head + f"goals:\n  - {{title: g, {goal}, steps: [{', '.join(listed)}]}}\n"
        return self.goals(text, today, Progress(**known))  # type: ignore[arg-type]


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    return Planner(tmp_path)


def step(number: int, keys: str = "") -> str:
    return f"{{title: s{number}{', ' + keys if keys else ''}}}"


def dues(result: Schedule) -> list[str]:
    return [str(placed.due) for placed in result.steps().values()]


def both(result: Schedule) -> list[tuple[str, str]]:
    return [(str(placed.start), str(placed.due)) for placed in result.steps().values()]


# The backward pass


def test_the_table_of_the_specification(planner: Planner) -> None:
    takes = ["1 day", "1 day", "1 week", "4 days", "5 days", "5 days"]
    result = planner.steps(
        "deadline: 2025-08-15",
        *(step(n, f"takes: {length}") for n, length in enumerate(takes)),
        today=date(2025, 7, 1),
    )
    assert both(result) == [
        ("2025-07-24", "2025-07-24"),
        ("2025-07-25", "2025-07-25"),
        ("2025-07-26", "2025-08-01"),
        ("2025-08-02", "2025-08-05"),
        ("2025-08-06", "2025-08-10"),
        ("2025-08-11", "2025-08-15"),
    ]
    (goal,) = result.goals
    assert goal.margin == 23  # from 1 July: the plan needs 23 days, and has 46
    assert goal.state is State.ON_TRACK
    assert not goal.warnings


def test_the_table_written_backwards(planner: Planner) -> None:
    text = "goals:\n  - title: g\n    deadline: 2025-08-15\n    backwards:\n"
    for number, length in enumerate(["5 days", "5 days", "4 days", "1 week", "1 day", "1 day"]):
        text += f"      - {{title: s{number}, takes: {length}}}\n"
    found = sorted(dues(planner.goals(text, date(2025, 7, 1))))
    assert found == ["2025-07-24", "2025-07-25", "2025-08-01", "2025-08-05", "2025-08-10", "2025-08-15"]


def test_a_deadline_inside_a_two_week_holiday(planner: Planner) -> None:
    head = "calendar: {workdays: [mon, tue, wed, thu, fri], days_off: [2026-12-21..2027-01-03]}\n"
    result = planner.steps("deadline: 2026-12-30", step(1, "takes: 2d"), step(2, "takes: 1d"), head=head)
    assert both(result) == [("2026-12-16", "2026-12-17"), ("2026-12-18", "2026-12-18")]
    assert result.goals[0].deadline == date(2026, 12, 30)
    assert result.goals[0].limit == date(2026, 12, 18)


def test_a_leap_day(planner: Planner) -> None:
    assert both(planner.steps("deadline: 2028-03-01", step(1, "takes: 1d"), step(2, "takes: 1d"))) == [
        ("2028-02-29", "2028-02-29"),
        ("2028-03-01", "2028-03-01"),
    ]
    # A year before 29 February is the 28th: the step takes the days after it.
    assert both(planner.steps("deadline: 2028-02-29", step(1, "takes: 1 year"))) == [("2027-03-01", "2028-02-29")]
    assert both(planner.steps("deadline: 2028-02-29", step(1, "takes: 1d"), step(2, "takes: 1 year"))) == [
        ("2027-02-28", "2027-02-28"),
        ("2027-03-01", "2028-02-29"),
    ]


def test_the_end_of_a_year(planner: Planner) -> None:
    result = planner.steps("deadline: 2027-01-02", step(1, "takes: 3d"), step(2, "takes: 1w"))
    assert both(result) == [("2026-12-24", "2026-12-26"), ("2026-12-27", "2027-01-02")]


def test_the_31st_less_a_month(planner: Planner) -> None:
    result = planner.steps("deadline: 2027-03-31", step(1, "takes: 1d"), step(2, "takes: 1 month"))
    assert both(result) == [("2027-02-28", "2027-02-28"), ("2027-03-01", "2027-03-31")]


def test_one_week_is_not_five_days_over_a_holiday(planner: Planner) -> None:
    head = "calendar: {workdays: [mon, tue, wed, thu, fri], days_off: [2027-05-05]}\n"
    # Friday 2027-05-07, with the Wednesday off.
    assert both(planner.steps("deadline: 2027-05-07", step(1, "takes: 1 week"), head=head)) == [
        ("2027-05-03", "2027-05-07")
    ]
    assert both(planner.steps("deadline: 2027-05-07", step(1, "takes: 5 days"), head=head)) == [
        ("2027-04-30", "2027-05-07")
    ]


def test_a_working_week_of_one_day(planner: Planner) -> None:
    head = "calendar: {workdays: [wed]}\n"
    result = planner.steps("deadline: 2027-08-15", step(1, "takes: 2d"), step(2, "takes: 1d"), head=head)
    assert both(result) == [("2027-07-28", "2027-08-04"), ("2027-08-11", "2027-08-11")]


def test_a_weekend_on_friday_and_saturday(planner: Planner) -> None:
    head = "calendar: {workdays: [sun, mon, tue, wed, thu]}\n"
    result = planner.steps("deadline: 2027-08-14", step(1, "takes: 1d"), step(2, "takes: 5d"), head=head)
    assert both(result) == [("2027-08-05", "2027-08-05"), ("2027-08-08", "2027-08-12")]


def test_a_milestone_uses_no_day(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-13", step(1, "takes: 2d"), step(2, "takes: 0"), step(3, "takes: 3d"), head=OFFICE
    )
    assert both(result) == [
        ("2027-08-09", "2027-08-10"),
        ("2027-08-10", "2027-08-10"),
        ("2027-08-11", "2027-08-13"),
    ]


MON, TUE, WED = "2027-05-03", "2027-05-04", "2027-05-05"
MILESTONES_AT_THE_START = {  # the goal after `start: 2027-05-03, `, its steps, and their due days
    "one": ("deadline: 2027-05-04", ["takes: 0", "takes: 2d"], [MON, TUE]),
    "three": ("deadline: 2027-05-04", ["takes: 0", "takes: 0", "takes: 0", "takes: 2d"], [MON, MON, MON, TUE]),
    "one that the person named a lag for": ("deadline: 2027-05-05", ["takes: 0, wait: 1d", "takes: 2d"], [MON, WED]),
    "one of a week": ("deadline: 2027-05-04", ["takes: 0 weeks", "takes: 2d"], [MON, TUE]),
    "before a part of the time": ("deadline: 2027-05-04", ["takes: 0", "takes: 100%"], [MON, TUE]),
    "before an appointment": ("deadline: 2027-05-04", ["takes: 0", "takes: 2d, on: 2027-05-04"], [MON, TUE]),
    "before a buffer": ("deadline: 2027-05-05, buffer: 1d", ["takes: 0", "takes: 2d"], [MON, TUE]),
    "before a day on which more may begin": (
        "deadline: 2027-05-05",
        ["takes: 0, from: 2027-05-04", "takes: 2d"],
        [TUE, WED],
    ),
    "after an appointment": (
        "deadline: 2027-05-05",
        ["takes: 1d, on: 2027-05-03", "takes: 0", "takes: 2d"],
        [MON, MON, WED],
    ),
    "nothing else": ("deadline: 2027-05-03", ["takes: 0"], [MON]),
    "nothing else, before a buffer": ("deadline: 2027-05-04, buffer: 1d", ["takes: 0"], [MON]),
}


@pytest.mark.parametrize("case", MILESTONES_AT_THE_START)
@pytest.mark.parametrize("today", [date(2027, 4, 1), date(2027, 5, 3)])
def test_a_milestone_at_the_start_costs_no_day(planner: Planner, case: str, today: date) -> None:
    goal, listed, days = MILESTONES_AT_THE_START[case]
    steps = [step(n, keys) for n, keys in enumerate(listed)]
    result = planner.steps(f"start: 2027-05-03, {goal}", *steps, today=today)
    assert dues(result) == days
    in_hand = case == "before a part of the time"  # a nearer deadline makes the percentage shorter
    assert result.goals[0].margin == in_hand
    assert not any(placed.squeezed for placed in result.steps().values())
    assert result.goals[0].warnings == ()
    again = planner.steps(f"start: 2027-05-03, {goal}", *steps, today=today, published=publish(result).published)
    assert (dues(again), again.goals[0].margin) == (days, in_hand)


def test_a_milestone_that_was_not_ticked_reserves_no_day(planner: Planner) -> None:
    goal, listed = "deadline: 2027-05-06", (step(1, "takes: 0"), step(2, "takes: 2d"))
    planned = planner.steps(goal, *listed, today=date(2027, 5, 3))
    assert both(planned) == [("2027-05-04", "2027-05-04"), ("2027-05-05", "2027-05-06")]
    later = planner.steps(goal, *listed, today=date(2027, 5, 5), published=publish(planned).published)
    assert both(later) == both(planned)
    assert later.goals[0].margin == 0


def test_a_milestone_takes_none_of_the_day_on_which_it_is_ticked(planner: Planner) -> None:
    goal, listed, today = "deadline: 2027-05-04", (step(1, "takes: 0"), step(2, "takes: 2d")), date(2027, 5, 3)
    planned = planner.steps(goal, *listed, today=today)
    for published in ({}, publish(planned).published):
        ticked = planner.steps(goal, *listed, today=today, done={"g/s1": today}, published=published)
        assert both(ticked)[1] == (MON, TUE)
        assert (ticked.goals[0].margin, ticked.goals[0].warnings) == (0, ())


def test_a_milestone_on_the_day_on_which_what_it_follows_ends_is_in_order(planner: Planner) -> None:
    listed = (step(1, "takes: 1d, on: 2027-05-05"), step(2, "takes: 0, on: 2027-05-05"))
    assert planner.steps("deadline: 2027-05-05", *listed, today=date(2027, 5, 3)).goals[0].warnings == ()


def test_a_milestone_after_a_day_off_is_not_shown_before_it(planner: Planner) -> None:
    # The appointment is on a Sunday; the milestone takes no part of the Monday.
    listed = (step(1, "takes: 1d, on: 2027-05-02"), step(2, "takes: 0"), step(3, "takes: 2d"))
    result = planner.steps("deadline: 2027-05-04", *listed, today=date(2027, 4, 1), head=OFFICE)
    assert dues(result) == ["2027-05-02", MON, TUE]
    assert not any(placed.squeezed for placed in result.steps().values())


def test_calendar_days_ignore_the_calendar(planner: Planner) -> None:
    # The paint dries over the weekend of 7 August; painting must end on the Thursday before.
    result = planner.steps("deadline: 2027-08-09", step(1, "takes: 1d"), step(2, "takes: 4cd"), head=OFFICE)
    assert both(result) == [("2027-08-05", "2027-08-05"), ("2027-08-06", "2027-08-09")]


def test_waits_of_every_unit(planner: Planner) -> None:
    for wait, due in {
        "2 days": "2027-08-10",
        "1 week": "2027-08-05",
        "1 month": "2027-07-12",
        "3 calendar days": "2027-08-09",
        "0": "2027-08-12",
    }.items():
        first = step(1, f"takes: 1d, wait: {wait}")
        assert dues(planner.steps("deadline: 2027-08-13", first, step(2, "takes: 1d"), head=OFFICE))[0] == due


def test_a_lead_lets_two_steps_overlap_and_never_passes_the_limit(planner: Planner) -> None:
    one, two = step(1, "takes: 3d, wait: -2 days"), step(2, "takes: 4d")
    assert both(planner.steps("deadline: 2027-08-13", one, two, head=OFFICE)) == [
        ("2027-08-09", "2027-08-11"),
        ("2027-08-10", "2027-08-13"),
    ]
    # A lead longer than its successor.
    one = step(1, "takes: 3d, wait: -9 days")
    assert both(planner.steps("deadline: 2027-08-13", one, two, head=OFFICE)) == [
        ("2027-08-11", "2027-08-13"),
        ("2027-08-10", "2027-08-13"),
    ]


def test_a_links_own_wait_replaces_the_steps(planner: Planner) -> None:
    one = step(1, "id: one, takes: 1d, wait: 5d")
    two = step(2, "takes: 1d, after: [{step: one, wait: 1d}]")
    assert dues(planner.steps("deadline: 2027-08-20", one, two)) == ["2027-08-18", "2027-08-20"]


def test_a_diamond_over_a_holiday(planner: Planner) -> None:
    text = """
calendar: {workdays: [mon, tue, wed, thu, fri], holidays: US-NY}
goals:
  - title: g
    deadline: 2027-07-09
    steps:
      - {title: top, takes: 1d}
      - {title: long, takes: 6d}
      - {title: short, takes: 2d, after: [top]}
      - {title: end, takes: 1d, after: [long, short]}
"""
    # Independence Day 2027 is a Sunday; it is observed on Monday 5 July.
    assert both(planner.goals(text)) == [
        ("2027-06-29", "2027-06-29"),
        ("2027-06-30", "2027-07-08"),
        ("2027-07-07", "2027-07-08"),
        ("2027-07-09", "2027-07-09"),
    ]


def test_a_buffer(planner: Planner) -> None:
    # Sunday's deadline is Friday for work, and two working days before that are free.
    for buffer, due in {"2 days": "2027-08-11", "1 week": "2027-08-06", "1 month": "2027-07-13"}.items():
        result = planner.steps(f"deadline: 2027-08-15, buffer: {buffer}", step(1, "takes: 1d"), head=OFFICE)
        assert dues(result) == [due]
        assert str(result.goals[0].limit) == due
        assert result.goals[0].deadline == date(2027, 8, 15)


def test_by_binds_and_on_stays(planner: Planner) -> None:
    one, two = step(1, "takes: 2d"), step(2, "takes: 1d, by: 2027-08-08")
    # 8 August is a Sunday.
    assert both(planner.steps("deadline: 2027-08-20", one, two, head=OFFICE)) == [
        ("2027-08-04", "2027-08-05"),
        ("2027-08-06", "2027-08-06"),
    ]


def test_an_appointment_on_a_saturday(planner: Planner) -> None:
    one, two, three = step(1, "takes: 2d"), step(2, "on: 2027-08-14"), step(3, "takes: 1d")
    result = planner.steps("deadline: 2027-08-27", one, two, three, head=OFFICE)
    assert both(result) == [
        ("2027-08-12", "2027-08-13"),
        ("2027-08-14", "2027-08-14"),
        ("2027-08-27", "2027-08-27"),
    ]
    assert not result.goals[0].warnings


def test_countdowns_and_follow_ups(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-04-10",  # a Saturday
        step(1, "before: 2 months"),
        step(2, "takes: 3d, before: 6 weeks"),
        step(3, "id: exam, takes: 1d"),
        step(4, "before: {step: exam, by: 2 days}"),
        step(5, "afterwards: 1 week"),
        step(6, "takes: 2d, afterwards: 3 days"),
        head=OFFICE,
    )
    assert both(result) == [
        ("2027-02-10", "2027-02-10"),
        ("2027-02-24", "2027-02-26"),  # six weeks before is a Saturday too
        ("2027-04-09", "2027-04-09"),
        ("2027-04-07", "2027-04-07"),
        ("2027-04-19", "2027-04-19"),  # a week after is a Saturday: Monday
        ("2027-04-13", "2027-04-14"),
    ]


def test_neighbours_link_past_countdowns(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-13", step(1, "takes: 1d"), step(2, "before: 1 month"), step(3, "takes: 2d"), head=OFFICE
    )
    assert dues(result) == ["2027-08-11", "2027-07-13", "2027-08-13"]


def test_groups_in_line_and_parallel(planner: Planner) -> None:
    text = """
goals:
  - title: g
    deadline: 2027-08-20
    steps:
      - {title: s1, takes: 1d}
      - title: group
        parallel: true
        steps:
          - {title: s2, takes: 5d}
          - {title: s3, takes: 2d}
      - {title: s4, takes: 2d}
"""
    assert both(planner.goals(text)) == [
        ("2027-08-13", "2027-08-13"),
        ("2027-08-14", "2027-08-18"),
        ("2027-08-17", "2027-08-18"),
        ("2027-08-19", "2027-08-20"),
    ]


def test_an_estimate_counts_with_its_expected_value(planner: Planner) -> None:
    # (3 + 4 * 5 + 10) / 6 = 5.5, so six days.
    assert both(planner.steps("deadline: 2027-08-20", step(1, "takes: 3-5-10 days"))) == [("2027-08-15", "2027-08-20")]


def test_a_percentage_of_the_goals_working_days(planner: Planner) -> None:
    # 2 to 27 August has 20 working days: 20% are 4, 1% is still a day.
    result = planner.steps(
        "deadline: 2027-08-28, start: 2027-08-02",
        step(1, "takes: 1%"),
        step(2, "takes: 20%"),
        head=OFFICE,
        today=date(2027, 7, 1),
    )
    assert both(result) == [("2027-08-23", "2027-08-23"), ("2027-08-24", "2027-08-27")]


def test_a_plan_of_four_hundred_days(planner: Planner) -> None:
    result = planner.steps("deadline: 2028-02-29", *(step(n, "takes: 1d") for n in range(400)), today=date(2027, 1, 1))
    last = date(2028, 2, 29)
    assert dues(result) == [str(last - timedelta(days=399 - n)) for n in range(400)]
    assert both(planner.steps("deadline: 2028-02-29", step(1, "takes: 400d"))) == [("2027-01-26", "2028-02-29")]


def test_elapsed_time_before_two_steps_ends_before_both(planner: Planner) -> None:
    # By working days, both begin after Friday the 20th; but elapsed time begins on Sunday.
    result = planner.steps(
        "deadline: 2027-08-31",
        "{id: paint, title: Paint, takes: 2cd, after: []}",
        step(1, "takes: 1d, after: [paint], by: 2027-08-23"),
        step(2, "takes: 2cd, after: [paint], by: 2027-08-23"),
        head=OFFICE,
    )
    assert both(result) == [
        ("2027-08-20", "2027-08-21"),
        ("2027-08-23", "2027-08-23"),
        ("2027-08-22", "2027-08-23"),
    ]


def test_a_wait_of_nothing_is_no_wait(planner: Planner) -> None:
    # Monday the 23rd comes right after a weekend on which the paint dries.
    last = step(2, "takes: 1d, by: 2027-08-23")
    without = planner.steps("deadline: 2027-08-31", step(1, "takes: 3cd"), last, head=OFFICE)
    assert both(without)[0] == ("2027-08-20", "2027-08-22")
    for wait in ("0", "0cd", "0 weeks"):
        waiting = planner.steps("deadline: 2027-08-31", step(1, f"takes: 3cd, wait: {wait}"), last, head=OFFICE)
        assert both(waiting) == both(without)


# Goals that hang together


def test_a_step_after_another_goals_step(planner: Planner) -> None:
    text = """
calendar: {workdays: [mon, tue, wed, thu, fri]}
goals:
  - title: Second
    deadline: 2027-08-13
    steps:
      - {title: use it, takes: 5d, after: [first/build-it]}
  - title: First
    deadline: 2027-12-31
    steps:
      - {title: buy it, takes: 1d}
      - {title: build it, takes: 2d, wait: 1d}
      - {title: show it, takes: 1d}
"""
    assert dict(zip(planner.goals(text).steps(), dues(planner.goals(text)), strict=True)) == {
        "second/use-it": "2027-08-13",
        "first/buy-it": "2027-08-03",
        "first/build-it": "2027-08-05",
        "first/show-it": "2027-12-31",
    }


def test_a_deadline_that_hangs_on_another(planner: Planner) -> None:
    text = """
goals:
  - {title: Visa, deadline: {before: move, by: 2 weeks}, steps: [{title: apply, takes: 3d}]}
  - {title: Move, deadline: 2027-09-30, steps: [{title: pack, takes: 2d}]}
"""
    result = planner.goals(text)
    assert [str(goal.deadline) for goal in result.goals] == ["2027-09-16", "2027-09-30"]
    assert both(result) == [("2027-09-14", "2027-09-16"), ("2027-09-29", "2027-09-30")]
    moved = planner.goals(text.replace("2027-09-30", "2027-10-07"))
    assert dues(moved) == ["2027-09-23", "2027-10-07"]


# Flexible steps


def test_four_bare_steps_over_four_weeks_get_one_due_date_a_week(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-28, start: 2027-08-01", *(f"s{n}" for n in range(4)), today=date(2027, 8, 1)
    )
    assert dues(result) == ["2027-08-07", "2027-08-14", "2027-08-21", "2027-08-28"]
    assert str(result.goals[0].start) == "2027-08-01"


def test_flexible_steps_share_what_the_others_leave(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-28, start: 2027-08-01", "s1", step(2, "takes: 8d"), "s3", today=date(2027, 8, 1)
    )
    assert both(result) == [
        ("2027-08-01", "2027-08-10"),
        ("2027-08-11", "2027-08-18"),
        ("2027-08-19", "2027-08-28"),
    ]


def test_a_flexible_step_is_stopped_by_an_appointment_while_others_go_on(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-28, start: 2027-08-01",
        "s1",
        step(2, "on: 2027-08-04"),
        "s3",
        "s4",
        today=date(2027, 8, 1),
    )
    assert both(result) == [
        ("2027-08-01", "2027-08-03"),
        ("2027-08-04", "2027-08-04"),
        ("2027-08-05", "2027-08-16"),
        ("2027-08-17", "2027-08-28"),
    ]


def test_a_flexible_step_is_stopped_by_a_countdown_from_what_another_one_moves(planner: Planner) -> None:
    """The longer the last step takes, the earlier is the countdown from the step before it, and all before that."""
    result = planner.steps(
        "deadline: 2027-08-31, start: 2027-08-01",
        "{title: a, after: []}",
        "{title: c, after: [a], before: {step: d, by: 10 days}}",
        "{title: d, after: []}",
        "{title: e, after: [d]}",
        today=date(2027, 8, 1),
    )
    assert both(result) == [
        ("2027-08-01", "2027-08-10"),
        ("2027-08-11", "2027-08-11"),
        ("2027-08-01", "2027-08-21"),
        ("2027-08-22", "2027-08-31"),
    ]


def test_flexible_steps_do_not_depend_on_the_order_of_unrelated_ones(planner: Planner) -> None:
    one, two = "{title: x, after: [], wait: 4d}", "{title: y, after: [], wait: 4d}"
    last, goal = "{title: z, after: [x, y]}", "deadline: 2027-01-07, start: 2027-01-01"
    found = [planner.steps(goal, *listed, last, today=date(2027, 1, 1)).steps() for listed in ((one, two), (two, one))]
    for key in ("g/x", "g/y", "g/z"):
        assert (found[0][key].start, found[0][key].due) == (found[1][key].start, found[1][key].due)


# Late


def test_ten_steps_of_five_days_in_forty_nine(planner: Planner) -> None:
    listed = [step(n, "takes: 5 days") for n in range(10)]
    result = planner.steps("deadline: 2027-02-18", *listed, today=date(2027, 1, 1))
    ends = [(date.fromisoformat(due) - date(2026, 12, 31)).days for due in dues(result)]
    assert ends == [4, 9, 14, 19, 24, 29, 34, 39, 44, 49]
    assert result.goals[0].state is State.LATE
    assert result.goals[0].margin == -1
    assert result.goals[0].earliest_deadline == date(2027, 2, 19)
    assert result.goals[0].warnings


def test_more_steps_than_days_share_days_in_order(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-01-03", *(step(n, "takes: 2 days") for n in range(7)), today=date(2027, 1, 1)
    )
    found = dues(result)
    assert found == sorted(found)
    assert set(found) == {"2027-01-01", "2027-01-02", "2027-01-03"}
    assert found[-1] == "2027-01-03"
    for (_, due), (start, _) in zip(both(result), both(result)[1:], strict=False):
        assert due <= start


def test_squeezed_only_where_there_is_no_slack(planner: Planner) -> None:
    text = """
goals:
  - title: g
    deadline: 2027-01-10
    steps:
      - {title: long, takes: 20d, after: []}
      - {title: short, takes: 4d, after: []}
"""
    result = planner.goals(text, date(2027, 1, 1))
    assert both(result) == [("2027-01-01", "2027-01-10"), ("2027-01-07", "2027-01-10")]
    assert [placed.squeezed for placed in result.steps().values()] == [True, False]


def test_squeezed_against_an_appointment(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-12-31",
        step(1, "takes: 5d"),
        step(2, "takes: 5d"),
        step(3, "on: 2027-08-09"),
        step(4, "takes: 3d"),
        head=OFFICE,
        today=date(2027, 8, 2),
    )
    # Five working days for two weeks of work; the steps after the appointment have all the time they need.
    assert dues(result) == ["2027-08-03", "2027-08-06", "2027-08-09", "2027-12-31"]
    assert result.goals[0].warnings


def test_squeezed_behind_an_appointment(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-13", step(1, "on: 2027-08-10"), step(2, "takes: 6d"), head=OFFICE, today=date(2027, 7, 1)
    )
    assert both(result) == [("2027-08-10", "2027-08-10"), ("2027-08-11", "2027-08-13")]
    assert result.goals[0].warnings


def test_a_conflict_without_a_working_day_is_named(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-31",
        "{title: Ask, on: 2027-08-13}",
        "{title: Answer, takes: 1d}",
        "{title: Meet, on: 2027-08-16}",
        head=OFFICE,
        today=date(2027, 7, 1),
    )
    placed = result.steps()
    assert (placed["g/ask"].due, placed["g/meet"].due) == (date(2027, 8, 13), date(2027, 8, 16))
    said = " ".join(warnings(result.goals[0]))
    for word in ("Answer", "Meet", "2027-08-16"):
        assert word in said


def test_two_appointments_in_the_wrong_order_are_named(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-31",
        "{title: Ask, on: 2027-08-13}",
        "{title: Meet, on: 2027-08-10}",
        today=date(2027, 7, 1),
    )
    assert dues(result) == ["2027-08-13", "2027-08-10"]
    said = " ".join(warnings(result.goals[0]))
    for word in ("Ask", "Meet", "2027-08-13", "2027-08-10"):
        assert word in said


def test_from_after_the_latest_start(planner: Planner) -> None:
    one, two = step(1, "takes: 4d, from: 2027-08-10"), step(2, "takes: 4d")
    result = planner.steps("deadline: 2027-08-14", one, two, today=date(2027, 7, 1))
    # Five days from the 10th to the 14th for twice four.
    assert both(result) == [("2027-08-10", "2027-08-11"), ("2027-08-12", "2027-08-14")]
    assert result.goals[0].warnings


def test_from_before_the_latest_start_moves_nothing(planner: Planner) -> None:
    one, two = step(1, "takes: 4d, from: 2027-08-07"), step(2, "takes: 4d")
    result = planner.steps("deadline: 2027-08-14", one, two, today=date(2027, 7, 1))
    assert both(result) == [("2027-08-07", "2027-08-10"), ("2027-08-11", "2027-08-14")]
    assert not result.goals[0].warnings


def test_a_pin_acts_as_an_appointment(planner: Planner) -> None:
    listed = [step(n, "takes: 2d") for n in (1, 2, 3)]
    result = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 7, 1), pins={"g/s2": date(2027, 8, 6)})
    assert both(result) == [("2027-08-03", "2027-08-04"), ("2027-08-05", "2027-08-06"), ("2027-08-13", "2027-08-14")]
    assert [placed.pinned for placed in result.steps().values()] == [False, True, False]


def test_a_pin_after_the_deadline_stays(planner: Planner) -> None:
    listed = [step(n, "takes: 2d") for n in (1, 2)]
    result = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 7, 1), pins={"g/s2": date(2027, 8, 20)})
    assert both(result)[1] == ("2027-08-19", "2027-08-20")
    assert dues(result)[0] <= "2027-08-14"


def test_keep_leaves_the_dates_of_the_pass(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-14, when_late: keep", step(1, "takes: 8d"), step(2, "takes: 5d"), today=date(2027, 8, 10)
    )
    assert both(result) == [("2027-08-02", "2027-08-09"), ("2027-08-10", "2027-08-14")]
    (goal,) = result.goals
    assert (goal.state, goal.failed, goal.margin) == (State.LATE, False, -8)
    assert goal.earliest_deadline == date(2027, 8, 22)
    assert warnings(goal) == (
        "late by 8 working days; as written it would fit a deadline of 2027-08-22",
        "“s2” would have to begin on 2027-08-10, and cannot before 2027-08-18",
        "overdue: “s1” (2027-08-09)",
    )


def test_keep_says_what_would_have_to_begin_before_an_appointment_that_it_follows(planner: Planner) -> None:
    listed = [step(1, "on: 2027-08-10"), step(2, "takes: 5d"), *(step(n, "takes: 1d, after: []") for n in range(3, 9))]
    result = planner.steps("deadline: 2027-08-12, when_late: keep", *listed, today=date(2027, 7, 1))
    assert warnings(result.goals[0])[1:] == ("“s2” would have to begin on 2027-08-08, and cannot before 2027-08-11",)
    gone = planner.steps("deadline: 2027-08-12, when_late: keep", *listed, today=date(2027, 8, 13))
    assert len(gone.goals[0].warnings) == 1  # that the deadline has passed


def test_of_many_steps_that_would_have_to_begin_before_they_can_five_are_named(planner: Planner) -> None:
    listed = [step(n, "takes: 8d, after: []") for n in range(7)]
    result = planner.steps("deadline: 2027-08-14, when_late: keep", *listed, today=date(2027, 8, 10))
    assert [warning[:4] for warning in warnings(result.goals[0])[1:]] == [
        *(f"“s{n}”" for n in range(5)),
        "2 mo",
    ]


def test_fail_says_so(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-14, when_late: fail", step(1, "takes: 8d"), step(2, "takes: 5d"), today=date(2027, 8, 10)
    )
    (goal,) = result.goals
    assert goal.failed
    assert goal.warnings
    assert goal.earliest_deadline == date(2027, 8, 22)
    fitting = planner.steps("deadline: 2027-08-14, when_late: fail", step(1, "takes: 5d"), today=date(2027, 8, 10))
    assert not fitting.goals[0].failed


def test_a_goal_that_fits_a_weekend_later_is_late(planner: Planner) -> None:
    """The step is due on Friday 25 December; with a deadline two free days later it is due on Tuesday 29."""
    goal = planner.steps(
        "deadline: 2027-01-01", step(1, "takes: 5d, before: 5cd"), today=date(2026, 12, 23), head=OFFICE
    ).goals[0]
    assert goal.earliest_deadline == date(2027, 1, 3)
    assert (goal.state, goal.margin) == (State.LATE, -1)


def test_elapsed_time_does_not_begin_on_the_days_off_before_today(planner: Planner) -> None:
    """Today is Monday: the paint cannot begin to dry on the weekend before, though it needs no working day."""
    monday, head = date(2027, 3, 1), "calendar: {workdays: [mon, tue, wed, thu, fri]}\n"
    listed = [step(1, "takes: 3 calendar days"), step(2, "takes: 3 days")]
    result = planner.steps("deadline: 2027-03-05", *listed, today=monday, head=head)
    assert both(result) == [("2027-03-01", "2027-03-03"), ("2027-03-04", "2027-03-05")]
    assert result.goals[0].margin == -1
    assert result.goals[0].earliest_deadline == date(2027, 3, 8)


def test_that_steps_share_days_is_told_as_long_as_they_do(planner: Planner) -> None:
    goal, today = "deadline: 2027-01-03", date(2027, 1, 1)
    listed = [step(n, "takes: 2 days") for n in range(5)]
    first = planner.steps(goal, *listed, today=today)
    told = [warning for warning in warnings(first.goals[0]) if "share days" in warning]
    assert len(told) == 1
    assert not any("so that all fits" in warning for warning in warnings(first.goals[0]))
    progress = replace(publish(first), done={"g/s0": today, "g/s1": today})
    later = planner.steps(
        goal, *listed, today=today + timedelta(days=1), done=progress.done, published=progress.published
    )
    assert later.goals[0].made == today
    assert any("“s2”, “s3” share days" in warning for warning in warnings(later.goals[0]))


def test_optional_steps_give_way_the_last_listed_first(planner: Planner) -> None:
    listed = [step(1, "takes: 1d"), step(2, "takes: 1d, optional: true"), step(3, "takes: 1d, optional: true")]
    listed.append(step(4, "takes: 1d"))
    for days, kept in {4: {1, 2, 3, 4}, 3: {1, 2, 4}, 2: {1, 4}}.items():
        today = date(2027, 8, 14) - timedelta(days=days - 1)
        result = planner.steps("deadline: 2027-08-14", *listed, today=today)
        dated = {n for n in range(1, 5) if result.steps()[f"g/s{n}"].due}
        assert dated == kept
        found = [due for due in dues(result) if due != "None"]
        assert found == [str(today + timedelta(days=n)) for n in range(days)]


def test_a_goal_that_ends_before_today_is_missed_and_left_alone(planner: Planner) -> None:
    result = planner.steps("deadline: 2027-08-14", step(1, "takes: 8d"), step(2, "takes: 5d"), today=date(2027, 8, 15))
    assert both(result) == [("2027-08-02", "2027-08-09"), ("2027-08-10", "2027-08-14")]
    assert result.goals[0].state is State.MISSED
    on_the_day = planner.steps("deadline: 2027-08-14", step(1, "takes: 1d"), today=date(2027, 8, 14))
    assert on_the_day.goals[0].state is not State.MISSED


def test_a_follow_up_does_not_make_a_goal_missed(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-08-14",
        step(1, "takes: 1d"),
        step(2, "afterwards: 1 week"),
        today=date(2027, 8, 16),
        done={"g": date(2027, 8, 12), "g/s1": date(2027, 8, 12)},
    )
    assert result.goals[0].state is not State.MISSED
    assert dues(result)[1] == "2027-08-21"


# Published plans


def test_an_overdue_step_squeezes_what_follows_only_when_it_must(planner: Planner) -> None:
    listed = [step(1, "takes: 2d"), step(2, "takes: 2d"), step(3, "takes: 4d")]
    first = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 8, 7))
    assert dues(first) == ["2027-08-08", "2027-08-10", "2027-08-14"]
    project, progress = planner.project(planner.path.read_text()), publish(first)
    # On the 9th, s1 takes that day, and s2 still has the 10th for itself.
    kept = schedule(project, progress, date(2027, 8, 9))
    assert dues(kept) == dues(first)
    assert kept.steps()["g/s1"].overdue
    # On the 10th it has none: the steps after it are squeezed from today, and the overdue step keeps its date.
    squeezed = schedule(project, publish(kept, progress), date(2027, 8, 10))
    assert dues(squeezed)[0] == "2027-08-08"
    assert dues(squeezed)[-1] == "2027-08-14"
    assert "2027-08-11" <= dues(squeezed)[1] < "2027-08-14"


def test_a_squeezed_plan_stands_and_a_change_of_timing_ends_it(planner: Planner) -> None:
    listed = [step(1, "takes: 4d"), step(2, "takes: 4d")]
    first = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 8, 11))
    assert dues(first) == ["2027-08-12", "2027-08-14"]
    progress = replace(publish(first), done={"g/s1": date(2027, 8, 11)})
    again = schedule(planner.project(planner.path.read_text()), progress, date(2027, 8, 12))
    assert dues(again)[1] == "2027-08-14"
    assert again.steps()["g/s2"].start == first.steps()["g/s2"].start
    moved = planner.steps(
        "deadline: 2027-08-20",
        *listed,
        today=date(2027, 8, 12),
        **{name: getattr(progress, name) for name in ("done", "published", "first_sync")},
    )
    assert both(moved)[1] == ("2027-08-17", "2027-08-20")
    assert not moved.steps()["g/s2"].squeezed


def test_an_appointment_missed_before_the_first_plan_does_not_change_it_the_same_day(planner: Planner) -> None:
    listed = [step(1, "on: 2026-12-30"), step(2, "takes: 1d"), step(3, "takes: 1d")]
    first = planner.steps("deadline: 2027-01-01", *listed, today=date(2026, 12, 31))
    again = schedule(planner.project(planner.path.read_text()), publish(first), date(2026, 12, 31))
    assert both(again) == both(first)


def test_a_pin_is_not_moved_by_what_is_overdue_before_it(planner: Planner) -> None:
    today, pins = date(2026, 12, 31), {"g/s2": date(2026, 12, 31)}
    first = planner.steps("deadline: 2027-01-01", step(1, "takes: 1d"), step(2, "takes: 1d"), today=today, pins=pins)
    assert dues(first)[1] == "2026-12-31"
    again = schedule(planner.project(planner.path.read_text()), publish(first, Progress(pins=pins)), today)
    assert dues(again) == dues(first)


def test_a_by_that_has_passed_does_not_change_a_plan_the_same_day(planner: Planner) -> None:
    today = date(2026, 12, 28)
    listed = [step(1, "takes: 1d, wait: 1d, by: 2026-12-27"), step(2, "takes: 2d")]
    first = planner.steps("deadline: 2026-12-29", *listed, today=today)
    again = schedule(planner.project(planner.path.read_text()), publish(first), today)
    assert dues(again) == dues(first)


def test_one_step_before_two_branches_shares_the_one_day_with_both(planner: Planner) -> None:
    today = date(2027, 1, 1)
    result = planner.steps(
        "deadline: 2027-01-01",
        step(0, "takes: 1d"),
        step(1, "takes: 1d, after: []"),
        step(2, "takes: 1d, after: [s0, s1]"),
        step(3, "takes: 1d, after: [s0]"),
        step(5, "takes: 1d, after: [s2]"),
        today=today,
    )
    assert set(dues(result)) == {"2027-01-01"}


def test_a_flexible_step_beside_a_full_chain_takes_all_the_time(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-01-02, start: 2027-01-01",
        "{title: a, after: []}",
        "{title: b, after: []}",
        "{title: c, takes: 1d, after: [a]}",
        today=date(2027, 1, 1),
    )
    assert both(result) == [("2027-01-01", "2027-01-01"), ("2027-01-01", "2027-01-02"), ("2027-01-02", "2027-01-02")]


def test_a_plan_in_which_an_optional_step_gave_way_stands_too(planner: Planner) -> None:
    listed = [step(1, "takes: 1d"), step(2, "takes: 1d"), step(3, "takes: 1d"), step(4, "takes: 1d, optional: true")]
    today = date(2027, 8, 11)
    first = planner.steps("deadline: 2027-08-14", *listed, step(5, "takes: 1d"), today=today)
    assert dues(first) == ["2027-08-11", "2027-08-12", "2027-08-13", "None", "2027-08-14"]
    project = planner.project(planner.path.read_text())
    # Two steps ticked in time move no other date, and make no new plan.
    progress = replace(publish(first), done={"g/s1": today, "g/s2": today})
    again = schedule(project, progress, today)
    assert dues(again)[2:] == dues(first)[2:]
    progress = replace(publish(first), done={"g/s1": today})
    again = schedule(project, progress, today + timedelta(days=1))
    assert again.goals[0].made == today


@pytest.mark.parametrize(
    ("workdays", "wait", "today", "takes"),
    [
        ("wed", "-2cd", "2026-12-23", ("2d", "2d")),
        ("mon, tue, wed, thu, fri, sat, sun", "1 week", "2026-12-18", ("1 year", "2 months")),
    ],
)
def test_squeezing_around_elapsed_time_comes_to_an_end(
    planner: Planner, workdays: str, wait: str, today: str, takes: tuple[str, str]
) -> None:
    # In a process of its own: an endless search then fails this test, and does not hang the others.
    planner.path.write_text(f"""
calendar: {{workdays: [{workdays}]}}
goals:
  - title: g
    deadline: 2027-01-01
    steps:
      - {{title: s1, takes: {takes[0]}, wait: {wait}}}
      - {{title: s2, takes: {takes[1]}}}
""")
    code = """
import sys
from datetime import date
from pathlib import Path
from config.loader import load
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
for step in schedule(load(Path(sys.argv[1])), Progress(), date.fromisoformat(sys.argv[2])).steps().values():
    print(step.start, step.due)
"""
    run = subprocess.run(
        [sys.executable, "-c", code, str(planner.path), today],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    ends = [line.split() for line in run.stdout.splitlines()]
    assert len(ends) == 2
    assert all(today <= start <= due <= "2027-01-01" for start, due in ends)


def test_today_is_only_a_date(planner: Planner) -> None:
    listed = [step(1, "takes: 5d"), step(2, "takes: 5d")]
    days = [datetime(2027, 8, 9, hour, 59).date() for hour in (0, 12, 23)]  # noqa: DTZ001  # only its date is used
    results = [planner.steps("deadline: 2027-08-14", *listed, today=day) for day in days]
    assert results[0] == results[1] == results[2]
    assert all(type(placed.due) is date for placed in results[0].steps().values())


def test_holidays_of_a_part_of_a_country(planner: Planner) -> None:
    # 6 January is a holiday in Bavaria, and not in Berlin.
    for part, start in (("DE-BY", "2027-01-05"), ("DE-BE", "2027-01-06"), ("DE", "2027-01-06")):
        head = f"calendar: {{workdays: [mon, tue, wed, thu, fri], holidays: {part}}}\n"
        assert both(planner.steps("deadline: 2027-01-07", step(1, "takes: 2d"), head=head)) == [(start, "2027-01-07")]


def test_each_goal_has_its_calendar(planner: Planner) -> None:
    text = """
calendar: {workdays: [mon, tue, wed, thu, fri]}
calendars: {weekends: {workdays: [sat, sun]}}
goals:
  - {title: a, deadline: 2027-08-15, steps: [{title: s, takes: 2d}]}
  - {title: b, deadline: 2027-08-15, calendar: weekends, steps: [{title: s, takes: 2d}]}
  - {title: c, deadline: 2027-08-15, calendar: {workdays: [wed]}, steps: [{title: s, takes: 2d}]}
"""
    assert both(planner.goals(text)) == [
        ("2027-08-12", "2027-08-13"),
        ("2027-08-14", "2027-08-15"),
        ("2027-08-04", "2027-08-11"),
    ]


def test_a_squeezed_plan_says_so_on_the_next_day_too(planner: Planner) -> None:
    listed = [step(n, "takes: 5d") for n in range(3)]
    first = planner.steps("deadline: 2027-08-20", *listed, today=date(2027, 8, 10))
    later = schedule(planner.project(planner.path.read_text()), publish(first), date(2027, 8, 11))
    assert [placed.squeezed for placed in later.steps().values()] == [
        placed.squeezed for placed in first.steps().values()
    ]
    (warning,) = [warning for warning in warnings(later.goals[0]) if "less time than written" in warning]
    assert warning in warnings(first.goals[0])


def test_flexible_steps_give_way_before_a_length_that_is_written(planner: Planner) -> None:
    result = planner.steps(
        "deadline: 2027-03-31, start: 2027-01-01", step(1), step(2, "takes: 10d"), today=date(2027, 3, 10)
    )
    assert both(result) == [("2027-03-10", "2027-03-21"), ("2027-03-22", "2027-03-31")]
    assert result.goals[0].state is State.ON_TRACK
    assert not any(placed.squeezed for placed in result.steps().values())


def test_a_flexible_step_under_way_counts_as_one_day(planner: Planner) -> None:
    first = planner.steps("deadline: 2027-03-31", step(1), step(2), today=date(2027, 3, 1))
    later = schedule(planner.project(planner.path.read_text()), publish(first), date(2027, 3, 5))
    assert both(first)[0] == ("2027-03-02", "2027-03-16")
    # At a day each, the steps end on the 2nd from the 1st on, and on the 6th from the 5th on.
    assert (first.goals[0].margin, later.goals[0].margin) == (29, 25)
    assert [placed.slack for placed in first.steps().values()] == [29, 29]


def test_a_step_before_a_flexible_one_has_its_time_in_hand(planner: Planner) -> None:
    listed = ("{title: Buy, takes: 2d}", "{title: Learn}")
    first = planner.steps("deadline: 2027-07-31", *listed, today=date(2027, 6, 1))
    assert (first.goals[0].margin, first.goals[0].state) == (58, State.ON_TRACK)
    overdue = schedule(planner.project(planner.path.read_text()), publish(first), date(2027, 6, 4))
    assert (overdue.goals[0].margin, overdue.goals[0].state) == (56, State.AT_RISK)
    assert warnings(overdue.goals[0]) == ("overdue: “Buy” (2027-06-02)",)


def test_a_step_after_a_whole_goal_begins_after_its_deadline_as_written(planner: Planner) -> None:
    text = """
goals:
  - {id: a, title: a, deadline: 2027-08-14, buffer: 3 days, steps: [{title: s, takes: 1d}]}
  - {id: b, title: b, deadline: 2027-08-20, steps: [{title: s, takes: 10d, after: [{step: a, wait: 1 day}]}]}
"""
    result = planner.goals(text, date(2027, 8, 1))
    assert both(result) == [("2027-08-11", "2027-08-11"), ("2027-08-16", "2027-08-20")]
    assert [goal.state for goal in result.goals] == [State.ON_TRACK, State.LATE]
    assert result.steps()["b/s"].early_start == date(2027, 8, 16)


def test_the_earliest_of_two_bounds_counts(planner: Planner) -> None:
    # The next step bounds it before its own `by` does, and the buffer of two weeks before both.
    listed = [step(1, "takes: 2d, by: 2027-08-12"), step(2, "takes: 2d, by: 2027-08-09")]
    result = planner.steps("deadline: 2027-08-20, buffer: 2 weeks", *listed)
    assert both(result) == [("2027-08-03", "2027-08-04"), ("2027-08-05", "2027-08-06")]


def test_an_overdue_step_is_planned_anew_after_a_change_of_timing(planner: Planner) -> None:
    listed = [step(1, "takes: 5d"), step(2, "takes: 2d")]
    first = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 8, 1))
    assert both(first) == [("2027-08-08", "2027-08-12"), ("2027-08-13", "2027-08-14")]
    known: dict[str, Any] = {"published": publish(first).published, "first_sync": {"g": date(2027, 8, 1)}}
    kept = planner.steps("deadline: 2027-08-14", *listed, today=date(2027, 8, 13), **known)
    assert dues(kept)[0] == "2027-08-12"  # it keeps its date, and is overdue
    moved = planner.steps("deadline: 2027-08-16", *listed, today=date(2027, 8, 13), **known)
    # It has begun, so its new date only must not be in the past.
    assert both(moved) == [("2027-08-10", "2027-08-14"), ("2027-08-15", "2027-08-16")]
    assert not any(placed.overdue or placed.squeezed for placed in moved.steps().values())


SUNDAY = "2027-05-23"


def test_calendar_days_after_an_appointment_on_a_sunday_begin_on_monday(planner: Planner) -> None:
    listed = [step(1, f"on: {SUNDAY}"), step(2, "takes: 2 calendar days")]
    for deadline, margin in (("2027-05-25", 0), ("2027-05-24", -1)):
        result = planner.steps(f"deadline: {deadline}", *listed, today=date(2027, 5, 18), head=OFFICE)
        assert result.steps()["g/s2"].start == date(2027, 5, 24)
        assert result.goals[0].margin == margin
    assert result.goals[0].earliest_deadline == date(2027, 5, 25)


def test_calendar_days_that_count_down_do_not_begin_on_the_days_off_before_today(planner: Planner) -> None:
    """Due on Friday, the three days would have begun on Wednesday; from today on they end on Sunday."""
    listed = [step(1, "takes: 3 calendar days, before: 3 days"), step(2, "takes: 1 day")]
    result = planner.steps("deadline: 2027-05-26", *listed, today=date(2027, 5, 21), head=OFFICE)
    assert (result.goals[0].margin, result.goals[0].state) == (-1, State.LATE)
    assert result.goals[0].earliest_deadline == date(2027, 5, 27)
    held = planner.steps("deadline: 2027-05-27", *listed, today=date(2027, 5, 21), head=OFFICE)
    assert held.goals[0].margin == 0


@pytest.mark.parametrize("after", ["takes: 1 day", "takes: 1 week"])
def test_calendar_days_end_on_a_sunday_before_what_begins_on_monday(planner: Planner, after: str) -> None:
    """Whether the step is in the same goal or another one, and whether the days off are part of it or before it."""
    deadline = "2027-05-28" if "week" in after else "2027-05-24"
    dry = step(1, "takes: 3 calendar days")
    text = f"""
goals:
  - {{title: a, id: a, deadline: 2027-06-30, steps: [{dry}]}}
  - {{title: b, id: b, deadline: {deadline}, steps: [{step(2, after + ", after: [a/s1]")}]}}
  - {{title: c, id: c, deadline: {deadline}, steps: [{dry}, {step(2, after)}]}}
"""
    result = planner.goals(OFFICE + text, date(2027, 5, 1)).steps()
    assert [str(result[key].due) for key in ("a/s1", "c/s1")] == [SUNDAY, SUNDAY]
    assert [str(result[key].start) for key in ("b/s2", "c/s2")] == ["2027-05-24", "2027-05-24"]


def test_a_wait_that_does_not_fit_is_named(planner: Planner) -> None:
    listed = (step(1, "takes: 2d, wait: 6 days"), step(2, "takes: 2d"))
    result = planner.steps("deadline: 2027-05-07", *listed, today=date(2027, 5, 1))
    assert dues(result) == ["2027-05-01", "2027-05-07"]
    told = (
        "2 of 2 steps get less time than written",
        "the wait of 6 days after “s1” does not fit: “s2” begins on 2027-05-07",
    )
    assert warnings(result.goals[0])[1:] == told
    again = schedule(planner.project(planner.path.read_text()), publish(result), date(2027, 5, 1))
    assert warnings(again.goals[0])[1:] == told
    whole = planner.steps("deadline: 2027-05-08", *listed, today=date(2027, 5, 1))
    assert warnings(whole.goals[0])[1:] == ("2 of 2 steps get less time than written, so that all fits",)


def test_what_is_late_for_an_appointment_is_not_made_later_by_what_grows(planner: Planner) -> None:
    """A second follower of the late step bounds it no earlier than the appointment does."""
    listed = (step(1, "takes: 4d"), step(2, "on: 2027-01-03"), step(3, "after: [s1]"))
    result = planner.steps("deadline: 2027-01-20, when_late: keep", *listed, today=date(2027, 1, 1))
    assert both(result) == [("2026-12-30", "2027-01-02"), ("2027-01-03", "2027-01-03"), ("2027-01-03", "2027-01-20")]


def test_what_can_shrink_to_fit_does_so_beside_what_cannot(planner: Planner) -> None:
    """Both follow the milestone; the wait leaves one of them too few days, the other has a day for each step."""
    listed = (
        step(1, "takes: 0"),
        step(2, "takes: 5d"),
        step(3, "takes: 1d"),
        step(4, "takes: 1d, after: [s1]"),
        step(5, "takes: 1d, after: [{step: s4, wait: 4 days}]"),
    )
    result = planner.steps("deadline: 2027-01-05", *listed, today=date(2027, 1, 1))
    assert both(result)[1:3] == [("2027-01-01", "2027-01-04"), ("2027-01-05", "2027-01-05")]
    assert not any("share days" in warning for warning in warnings(result.goals[0]))


def test_a_step_that_is_moved_to_today_behind_its_by_is_late(planner: Planner) -> None:
    result = planner.steps("deadline: 2027-01-01", step(1, "by: 2026-12-31"), today=date(2027, 1, 1))
    assert result.goals[0].state is State.LATE


@pytest.mark.parametrize("milestone", ["", "{title: s0, takes: 0}, "])
def test_what_leads_to_steps_that_share_a_day_ends_on_the_day_before(planner: Planner, milestone: str) -> None:
    """A milestone before all steps changes nothing, although it connects chains that were independent."""
    after = "after: [s0]" if milestone else "after: []"
    listed = (
        f"{milestone}{{title: s3, before: {{step: s5, by: 0 days}}}}",
        f"{{title: s4, {after}}}",
        "{title: s5, after: [s3, s4]}",
        "{title: s7, after: [s5]}",
    )
    result = planner.steps("deadline: 2027-01-03", *listed, today=date(2027, 1, 1))
    assert str(result.steps()["g/s4"].due) == "2027-01-02"


def test_a_tick_of_a_milestone_with_a_pin_leaves_what_grows_its_length(planner: Planner) -> None:
    today = date(2027, 1, 1)
    listed = (step(1, "takes: 0"), step(2))
    first = planner.steps("deadline: 2027-01-02", *listed, today=today, pins={"g/s1": today})
    progress = replace(publish(first, first.progress), done={"g/s1": today}, pins={})
    ticked = schedule(planner.project(planner.path.read_text()), progress, today)
    assert both(ticked)[1] == both(first)[1]
