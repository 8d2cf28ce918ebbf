"""Days in the words and orders that people use, as `init` understands them at the prompt."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendars import MONTH_NAMES, WEEKDAY_NAMES
from sync.cli.init_file import Wish
from sync.cli.init_prompts import ask_day, days, in_full

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 29)  # a Sunday
SAID = {
    "2026-12-25": ["2026-12-25"],
    "25 Dec": ["2026-12-25"],
    "Dec 25": ["2026-12-25"],
    "25th of December": ["2026-12-25"],
    "25 jan": ["2027-01-25"],
    "December 25, 2027": ["2027-12-25"],
    "25/12/2026": ["2026-12-25"],
    "12/25/26": ["2026-12-25"],
    "25.12.2026": ["2026-12-25"],
    "1.2.": ["2027-02-01", "2027-01-02"],
    "1.2": ["2027-02-01", "2027-01-02"],
    "2/12": ["2026-12-02", "2027-02-12"],
    "25/12": ["2026-12-25"],
    "29.2.": [],
    "31.2.": [],
    "05/08/2027": ["2027-08-05", "2027-05-08"],
    "today": ["2026-11-29"],
    "Tomorrow": ["2026-11-30"],
    "friday": ["2026-12-04"],
    "next Friday": ["2026-12-04"],
    "on sunday": ["2026-12-06"],
    "in 6 weeks": ["2027-01-10"],
    "3 months": ["2027-02-28"],
    "a year from today": ["2027-11-29"],
    "in 10 days": ["2026-12-09"],
    "29 feb": [],
    "29 feb 2028": ["2028-02-29"],
    "someday": [],
    "soon": [],
    "": [],
    "in 9999 years": ["9999-12-31"],
    "99": [],
    "5pm": [],
    "10:30": [],
    "at 5 pm": [],
    "friday 5pm": [],
    "December 2027": [],
    "25 Dec 5pm": ["2026-12-25"],
}


@pytest.mark.parametrize("text", SAID)
def test_words_and_local_orders_are_understood(text: str) -> None:
    assert [str(day) for day in days(text, TODAY)] == SAID[text]


def test_a_goal_is_asked_for_until_it_has_a_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["", "   ", "Bake bread", "25 Dec 2026", "y"])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: next(typed))
    wish = Wish(None, None, None, TODAY, ask=True).completed(tmp_path)
    assert (wish.title, wish.deadline) == ("Bake bread", date(2026, 12, 25))


@pytest.mark.parametrize(
    "typed", [["5pm", "25 Dec", "maybe", "Y"], ["26 Dec", "1", "25 Dec", "yes"], ["26 Dec", "n", "2026-12-25"]]
)
def test_an_answer_that_is_not_understood_is_asked_for_again_and_a_day_is_another_day(
    typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(typed)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: next(answers))
    assert ask_day("By which day?", TODAY) == date(2026, 12, 25)
    assert next(answers, None) is None
    told = capsys.readouterr().err
    assert ("`5pm` is not understood as a day; type one such as 25 Dec" in told) == ("5pm" in typed)
    asked = "answer y for Fri 25 Dec 2026, 26 days from today, n for another day, or type it"
    assert (f"`maybe` is not understood; {asked}" in told) == ("maybe" in typed)


@given(st.dates(date(2026, 1, 1), date(2150, 12, 31)), st.dates(date(2026, 1, 1), date(2100, 12, 31)))
def test_every_spelling_of_a_day_means_it(day: date, today: date) -> None:
    month = MONTH_NAMES[day.month - 1]
    for text in (str(day), f"{day.day} {month} {day.year}", f"{month[:3]} {day.day}, {day.year}", f"{day:%Y/%m/%d}"):
        assert days(text, today) == [day]
    for text in (f"{day:%d/%m/%Y}", f"{day:%m/%d/%Y}", f"{day.day}.{day.month}.{day.year}"):
        assert day in days(text, today)


@given(st.dates(date(2026, 1, 1), date(2100, 12, 31)), st.sampled_from(WEEKDAY_NAMES))
def test_a_weekday_is_the_next_one_after_today(today: date, name: str) -> None:
    (found,) = days(f"next {name}", today)
    assert found.strftime("%A") == name
    assert timedelta(0) < found - today <= timedelta(7)


@given(st.text(max_size=30))
def test_any_text_is_a_day_or_none(text: str) -> None:
    assert all(isinstance(day, date) for day in days(text, TODAY))


def test_a_day_is_read_back_in_full() -> None:
    assert in_full(date(2026, 12, 25), TODAY) == "Fri 25 Dec 2026, 26 days from today"
    assert in_full(TODAY, TODAY) == "Sun 29 Nov 2026, today"
