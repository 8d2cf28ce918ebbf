"""Each report has one style of dates, and is as long as what changed."""

from __future__ import annotations

import re
from datetime import date
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from config import display
from connectors.base import Action, Write
from connectors.model import Content, Marker
from sync.reconcile.change import Change, ConnectorPlan
from sync.reports import text
from sync.reports.columns import Columns

if TYPE_CHECKING:
    from tests.conftest import Person

GOALS = """\
when_late: keep
heartbeat: 3 days
goals:
- {id: g, title: Garden 2027-08-08, deadline: 2027-07-25, steps: [{title: Dig, takes: 9 days}, {title: Sow, takes: 9 days}]}
- {id: t, title: Trip, deadline: 2028-02-01, steps: [{title: Book, on: 2027-12-30}, {title: Pack, takes: 1-2-6 days}]}
"""  # noqa: E501
COMMANDS = (
    *("schedule", "plan --markdown", "sync", "explain g"),
    *(
        pytest.param(command, marks=pytest.mark.proof)
        for command in (
            *("schedule --markdown", "schedule --risk", "status", "plan", "today", "week --markdown"),
            *("explain t/pack", "fit g", "schedule --deadline g=2027-07-22"),
            "schedule --deadline g=2027-07-22 --markdown",
        )
    ),
)
_QUOTED = re.compile(r"```mermaid.*?```|“[^”\n]*”|`[^`\n]*`|Garden 2027-08-08|last ran on .{15}", re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_dates_are_in_words_with_the_year_where_it_is_another(person: Person, command: str) -> None:
    person.writes(GOALS)
    shown = person.run(*command.split())
    assert shown.code in (0, 1), shown.err
    told = _QUOTED.sub("", shown.out)
    assert not re.search(r"\d{4}-\d\d-\d\d", told)
    assert not re.search(r"\b(?:Jul|Aug|Dec) 2027\b", told)
    assert re.search(r"\d (?:Jul|Dec|Feb 2028)\b", told)


TITLES = st.text("ab ", min_size=1, max_size=60).map(str.strip).filter(bool)


@given(st.lists(TITLES, min_size=1, max_size=5), st.integers(70, 120), st.integers(0, 4))
def test_a_table_that_is_folded_keeps_dates_whole_and_its_indent(titles: list[str], width: int, indent: int) -> None:
    table = Columns(("", "", ""), indent=indent)
    for title in (*titles, "x" * 200):
        table.add_row(title, "Wed 31 Mar 2027", "in 6 days")
    shown = StringIO()
    Console(file=shown, width=width).print(table)
    lines = shown.getvalue().splitlines()
    assert sum("Wed 31 Mar 2027  in 6 days" in line for line in lines) == len(titles) + 1
    assert all(line.startswith(" " * indent) for line in lines)
    assert all(len(line) <= width for line in lines)
    assert sum(line.count("x") for line in lines) == 200


def test_a_folded_table_keeps_all_its_text_on_the_narrowest_terminal() -> None:
    table = Columns(("", ""))
    table.add_row("long " * 20, "Wed 31 Mar 2027")
    shown = StringIO()
    Console(file=shown, width=20).print(table)
    assert all(word in shown.getvalue() for word in ("Wed", "31", "Mar", "2027"))


@pytest.mark.proof
def test_documents_for_programs_have_iso_dates(person: Person) -> None:
    person.writes(GOALS)
    for command in ("schedule", "plan", "status", "week"):
        done = person.run(command, "--json")
        assert not re.findall(r'"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d[^"]*"', done.out)
        assert "2028-02-01" in done.out


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_sentence_has_its_days_in_words_and_its_quotations_as_they_are(day: date, today: date) -> None:
    display.TODAY.set(today)
    shown = display.with_days(f"“{day}” is due on {day}; `backplan move g {day}`, 2027-99-99")
    assert shown == f"“{day}” is due on {display.near(day)}; `backplan move g {day}`, 2027-99-99"
    assert (str(day.year) in display.near(day)) == (day.year != today.year)


def test_a_run_that_changed_nothing_is_one_line(person: Person) -> None:
    person.writes(GOALS.replace("2027-07-25", "2027-10-25").replace("1-2-6 days", "2 days"))
    assert len(person.run("sync").out.splitlines()) > 10
    for day in ("2027-07-20", "2027-07-21"):  # on which the heartbeat moves ahead
        for command in ("sync", "plan", "sync"):
            assert person.run(command, "--today", day).out == "markdown (todo.md): in sync, nothing to do\n"
    assert "backplan last ran on" in person.run("plan", "-v", "--today", "2027-07-22").out


@pytest.mark.proof
def test_a_hundred_goals_stay_under_two_screens(person: Person) -> None:
    goals = "".join(
        f"- {{title: Goal {n}, deadline: 2027-10-0{1 + n % 9}, steps: [a, b, c, d, e]}}\n" for n in range(100)
    )
    person.writes(f"goals:\n{goals}")
    assert person.run("sync").code == 0
    person.writes(f"goals:\n{goals}".replace("2027-10-01", "2027-10-11"))
    assert len(person.run("status").out.splitlines()) < 105


def test_failures_that_are_alike_are_counted() -> None:
    content = Content("A step", date(2027, 8, 1))
    changes = tuple(
        Change(
            Action.CREATE,
            f"g/s{n}",
            "new",
            {"due": (None, content.due)},
            Write(Action.CREATE, f"g/s{n}", content=content, marker=Marker("me", f"g/s{n}", "n")),
            "failed",
            "no room on the disk",
        )
        for n in range(40)
    )
    plan = ConnectorPlan("markdown", changes, {}, {}, {})
    shown = _printed(plan)
    assert "40 tasks" in shown
    assert len(shown.splitlines()) < 6
    assert _printed(plan, verbose=True).count("no room on the disk") == 40


def _printed(plan: ConnectorPlan, *, verbose: bool = False) -> str:
    console = text.console()
    with console.capture() as capture:
        for line in text.plan([plan], {"g": "Garden"}, applied=True, verbose=verbose):
            console.print(line)
    return capture.get()
