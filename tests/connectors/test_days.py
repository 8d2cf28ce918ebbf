"""Days as people write them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendars import MONTH_NAMES, WEEKDAY_NAMES
from connectors.days import read_day

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = st.dates(date(1000, 1, 1), date(9999, 12, 31))
SPELLINGS: dict[str, Callable[[date], str]] = {
    "year first": lambda d: f"{d.year}-{d.month}-{d.day}",
    "year first, in full": lambda d: d.isoformat(),
    "year first, slashes": lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    "day first": lambda d: f"{d.day} {MONTH_NAMES[d.month - 1]} {d.year}",
    "day first, short": lambda d: f"{d.day:02} {MONTH_NAMES[d.month - 1][:3]}. {d.year}",
    "month first": lambda d: f"{MONTH_NAMES[d.month - 1]} {d.day}, {d.year}",
    "month first, upper case": lambda d: f"{MONTH_NAMES[d.month - 1][:3]} {d.day} {d.year}".upper(),
    "numbered": lambda d: (
        f"{MONTH_NAMES[d.month - 1]} {d.day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(d.day, 'th') }, {d.year}"
    ),
    "with its weekday": lambda d: f"{WEEKDAY_NAMES[d.weekday()]}, {d.day} {MONTH_NAMES[d.month - 1]} {d.year}",
    "with a short weekday": lambda d: f"{WEEKDAY_NAMES[d.weekday()][:3]} {MONTH_NAMES[d.month - 1]} {d.day}, {d.year}",
    "bold": lambda d: f"**{d.isoformat()}**",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(day=DAYS)
def test_every_spelling_of_a_day_is_that_day(spelling: str, day: date) -> None:
    assert read_day(SPELLINGS[spelling](day)) == day


@given(day=DAYS, other=st.integers(1, 6))
def test_a_day_with_the_weekday_of_another_one_is_none(day: date, other: int) -> None:
    assert (
        read_day(f"{WEEKDAY_NAMES[(day.weekday() + other) % 7]} {day.day} {MONTH_NAMES[day.month - 1]} {day.year}")
        is None
    )


ANOTHER_OR_NONE = """
5/9/2027|09.05.2027|9 May|May 2027|2027-02-30|next Friday|today||9 Mayor 2027|Ju 9, 2027|2027-5/9|20270509|9 May 27
9 May 2027 or later|2027-5-9-1
"""


@pytest.mark.parametrize("text", ANOTHER_OR_NONE.strip().replace("\n", "|").split("|"))
def test_what_could_be_another_day_or_is_none_is_not_read(text: str) -> None:
    assert read_day(text) is None
