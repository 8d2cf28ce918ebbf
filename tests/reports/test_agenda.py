"""What to do now: each open step stands where its days put it, in the terminal, in Markdown and in JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.reports import markdown
from sync.reports.agenda import agenda
from sync.schedule.model import State
from tests.reports.test_summary import TODAY, many, planned

if TYPE_CHECKING:
    from pathlib import Path

    from sync.schedule.model import Schedule
    from tests.conftest import Person

GOALS = """\
goals:
- title: Wedding
  deadline: 2027-08-01
  steps:
  - {title: Book the venue, takes: 2 days}
  - {title: Send the invitations, takes: 4 days}
  - {title: Order the cake, takes: 1 day}
"""


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    """Thirty goals of four steps each."""
    return many(tmp_path_factory.mktemp("goals"), 30)


@given(offset=st.integers(-5, 120), days=st.integers(1, 20))
def test_each_open_step_stands_where_its_days_put_it(thirty: Schedule, offset: int, days: int) -> None:
    value = replace(thirty, today=TODAY + timedelta(offset))
    shown = agenda(value, days)
    today, last = value.today, value.today + timedelta(days - 1)
    spans = {
        step.step.key: (step.start, step.due)
        for goal in value.goals
        for step in goal.steps
        if goal.state is not State.DONE and step.open and step.start and step.due
    }
    here = [entry.step.step.key for _, entries in shown.parts for entry in entries]
    assert sorted(here) == sorted(key for key, (start, _) in spans.items() if start <= today)
    due = [(day.date, entry.step.step.key) for day in shown.days for entry in day.due]
    assert sorted(due) == sorted((end, key) for key, (_, end) in spans.items() if today < end <= last)
    begins = [(day.date, entry.step.step.key) for day in shown.days for entry in day.begins]
    assert sorted(begins) == sorted(
        (start, k) for k, (start, end) in spans.items() if today < start <= last < end or today < start < end <= last
    )
    assert (shown.following is None) == bool(here or due or begins or not spans)


def test_the_most_urgent_goal_comes_first(thirty: Schedule) -> None:
    states = [goal.state for goal in agenda(thirty).goals]
    assert states == sorted(states, key=[State.MISSED, State.LATE, State.AT_RISK, State.ON_TRACK].index)
    assert State.LATE in states


def test_the_terminal_says_what_to_do_now(person: Person) -> None:
    person.writes(GOALS)
    assert person.run("today", "--today", "2027-07-20").out.splitlines()[:3] == [
        "Tue 20 Jul",
        "",
        "Nothing to do yet. The next step begins Mon 26 Jul: Book the venue.",
    ]
    assert person.run("sync", "--today", "2027-07-20").code == 0
    shown = person.run("today", "--today", "2027-07-29").out
    assert [line.strip().split("  ")[0] for line in shown.splitlines() if line][:6] == [
        "Thu 29 Jul",
        "Overdue",
        "Book the venue",
        "Under way",
        "Send the invitations",
        "Goals",
    ]
    assert "was due Tue 27 Jul, 2 days ago" in shown
    assert "until Sat 31 Jul" in shown


def test_a_week_has_the_days_ahead(person: Person) -> None:
    person.writes(GOALS)
    shown = person.run("week", "--today", "2027-07-26", "--json").json
    assert [entry["title"] for entry in shown["begin"]] == ["Book the venue"]
    assert [(day["date"], [e["title"] for e in day["due"]], len(day["begin"])) for day in shown["days"]] == [
        ("2027-07-27", ["Book the venue"], 0),
        ("2027-07-28", [], 1),
        ("2027-07-31", ["Send the invitations"], 0),
        ("2027-08-01", ["Order the cake"], 0),
    ]
    assert shown["goals"][0]["state"] == "at-risk"
    assert (
        "- Send the invitations · begins, until Sat 31 Jul · Wedding"
        in person.run("week", "--today", "2027-07-26", "--markdown").out
    )


def test_a_tick_in_the_list_is_not_asked_for_again(person: Person) -> None:
    person.writes(GOALS)
    assert person.run("sync", "--today", "2027-07-26").code == 0
    person.todo.write_text(person.todo.read_text().replace("- [ ] Book", "- [x] Book"))
    assert [entry["title"] for entry in person.run("today", "--today", "2027-07-28", "--json").json["begin"]] == [
        "Send the invitations"
    ]


def test_no_goals_and_titles_of_any_kind_are_shown(tmp_path: Path) -> None:
    title = "<b>*x*</b> @ann | [a](b) שלום " + "y" * 400
    value = planned(
        tmp_path, f'goals:\n- {{title: "{title}", deadline: {TODAY}, steps: [{{title: "{title}", takes: 1 day}}]}}\n'
    )
    shown = markdown.agenda(agenda(value))
    assert "<b>" not in shown
    assert "[a](b)" not in shown
    assert "Nothing is left to do." in markdown.agenda(agenda(replace(value, goals=())))
