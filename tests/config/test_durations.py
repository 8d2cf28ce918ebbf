"""The grammar of durations: every unit and spelling, the bounds, and what is said of a text that is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import durations
from config.durations import MAX_DAYS, Duration, Unit, parse
from tests.tiers import examples

WORKING, ELAPSED, SPAN, MONTHS, PERCENT = (
    Unit.WORKING_DAYS,
    Unit.CALENDAR_DAYS,
    Unit.SPAN_DAYS,
    Unit.MONTHS,
    Unit.PERCENT,
)

SPELLINGS: dict[str, tuple[int, Unit]] = {
    "5": (5, WORKING),
    "5d": (5, WORKING),
    "5 d": (5, WORKING),
    "1 day": (1, WORKING),
    "5 days": (5, WORKING),
    "5days": (5, WORKING),
    "5 Days": (5, WORKING),
    " 5   days ": (5, WORKING),
    "007 days": (7, WORKING),
    "0": (0, WORKING),
    "0 days": (0, WORKING),
    "-2 days": (-2, WORKING),
    "5cd": (5, ELAPSED),
    "5 CD": (5, ELAPSED),
    "1 calendar day": (1, ELAPSED),
    "5 calendar days": (5, ELAPSED),
    "5 calendar   days": (5, ELAPSED),
    "2w": (14, SPAN),
    "1 week": (7, SPAN),
    "2 weeks": (14, SPAN),
    "-1 week": (-7, SPAN),
    "1m": (1, MONTHS),
    "1 month": (1, MONTHS),
    "18 months": (18, MONTHS),
    "1y": (12, MONTHS),
    "1 year": (12, MONTHS),
    "2 years": (24, MONTHS),
    "20%": (20, PERCENT),
    "20 %": (20, PERCENT),
    "0%": (0, PERCENT),
}

ESTIMATES: dict[str, tuple[int, Unit, tuple[int, int, int]]] = {
    "3-5-10 days": (6, WORKING, (3, 5, 10)),  # 33 / 6, rounded up
    "2-3-6 days": (4, WORKING, (2, 3, 6)),  # 20 / 6, rounded up
    "2-3-6": (4, WORKING, (2, 3, 6)),
    "2-3-6d": (4, WORKING, (2, 3, 6)),
    "2-2-2 days": (2, WORKING, (2, 2, 2)),
    "0-0-0 days": (0, WORKING, (0, 0, 0)),
    "0-0-1 days": (1, WORKING, (0, 0, 1)),
    "1-2-3 weeks": (14, SPAN, (7, 14, 21)),
    "4-6-10 weeks": (45, SPAN, (28, 42, 70)),  # 266 / 6 days, rounded up to days and not to weeks
}

BOUNDS = [
    (f"{MAX_DAYS}", f"{MAX_DAYS + 1}"),
    (f"{MAX_DAYS} calendar days", f"{MAX_DAYS + 1} calendar days"),
    ("5217 weeks", "5218 weeks"),
    ("1200 months", "1201 months"),
    ("100 years", "101 years"),
    (f"-{MAX_DAYS} days", f"-{MAX_DAYS + 1} days"),
    (f"0-1-{MAX_DAYS} days", f"0-1-{MAX_DAYS + 1} days"),
    ("0-1-5217 weeks", "0-1-5218 weeks"),
]

REFUSALS = [
    ("5 dyas", "did you mean days?"),
    ("1 dya", "did you mean day?"),
    ("2 wekes", "did you mean weeks?"),
    ("1 wek", "did you mean week?"),
    ("1 monht", "did you mean month?"),
    ("3 yaers", "did you mean years?"),
    ("5 calender days", "did you mean calendar days?"),
    ("1 calender day", "did you mean calendar day?"),
    ("1.5 days", "whole numbers only"),
    ("1,5 weeks", "whole numbers only"),
    ("5 hours", "days are the smallest unit"),
    ("5h", "days are the smallest unit"),
    ("90 min", "days are the smallest unit"),
    ("1 minute", "days are the smallest unit"),
    ("6-3-2 days", "rising order"),
    ("3-2-6 days", "rising order"),
    ("-1-2-3 days", "rising order"),
    ("2-3-6 months", "an estimate in days or weeks"),
    ("1-2-3 years", "an estimate in days or weeks"),
    ("2-3-6 calendar days", "an estimate in days or weeks"),
    ("1-2-3%", "an estimate in days or weeks"),
    ("101%", "at most 100%"),
    ("-101%", "at most 100%"),
    *((text, "expected a duration such as 3 days") for text in ("", " ", "week", "a week", "half a day", "%", "-")),
    *(
        (text, "expected a duration such as 3 days")
        for text in ("3-5 days", "1-2-3-4 days", "--5", "- 5", "5 days ago")
    ),
    ("10 business days", "write `10 days`: those are working days"),
    ("2-3-6 Working Days", "write `2-3-6 days`"),
    ("2-3 weeks", "write `3 weeks`, or `2-2-3 weeks` (best, likely, worst)"),
    ("2 to 3 days", "write `3 days`, or `2-2-3 days`"),
    ("1-2 months", "write `2 months`"),
    ("1 week 3 days", "one unit only: write `10 calendar days`"),
    ("1w 3d", "one unit only: write `10 calendar days`"),
    ("1 year and 2 months", "write `14 months`"),
    ("2 weeks, 1 week", "write `3 weeks`"),
    ("1 month 3 days", "one unit only"),
    ("a week", "write `1 week`"),
    ("two months", "write `2 months`"),
    *((text, "expected a duration such as 3 days") for text in ("1 week 2 days", "5 fortnights", "5 %%", "9" * 12)),
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_unit_and_spelling(text: str) -> None:
    amount, unit = SPELLINGS[text]
    assert parse(text) == Duration(amount, unit, " ".join(text.split()))


@pytest.mark.parametrize("text", ESTIMATES)
def test_estimates_plan_with_their_expected_value(text: str) -> None:
    amount, unit, points = ESTIMATES[text]
    assert parse(text) == Duration(amount, unit, text, points)


@pytest.mark.parametrize(("longest", "too_long"), BOUNDS)
def test_a_century_is_the_longest(longest: str, too_long: str) -> None:
    parse(longest)
    with pytest.raises(ValueError, match="at most a hundred years"):
        parse(too_long)


@pytest.mark.parametrize(("text", "said"), REFUSALS)
def test_what_is_said_of_other_texts(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(text)


def test_far_units_bring_no_suggestion() -> None:
    with pytest.raises(ValueError, match=r"^expected a duration such as [^;]*$"):
        parse("5 fortnights")


def test_constants_are_what_they_spell() -> None:
    assert parse("1 day") == durations.ONE_DAY
    assert parse("0 days") == durations.NO_TIME


UNITS = st.sampled_from(["", "d", "day", "days", "cd", "calendar days", "w", "weeks", "month", "m", "y", "years", "%"])
SPACES = st.sampled_from(["", " ", "  ", "\t"])
NUMBERS = st.integers(-200, 40_000).map(str)
POINTS = st.tuples(*[st.integers(0, 400)] * 3).map(lambda points: "-".join(map(str, sorted(points))))
WRITTEN = st.tuples(SPACES, NUMBERS | POINTS, SPACES, UNITS, SPACES).map("".join)


@settings(max_examples=examples(200), deadline=None, derandomize=True)
@given(WRITTEN | st.text(alphabet="0123456789- .%dwmychkalenrst", max_size=16) | st.text(max_size=12))
def test_what_is_read_can_be_written_and_read_again(text: str) -> None:
    try:
        duration = parse(text)
    except ValueError as error:
        assert str(error).startswith("expected ")  # noqa: PT017  # many texts are none, and that is fine
        return
    assert parse(str(duration)) == duration
    assert str(parse(str(duration))) == str(duration)
    assert re.search(durations.PATTERN, text), "the schema's pattern refuses what the program takes"
    if duration.estimate:
        best, _, worst = duration.estimate
        assert best <= duration.amount <= worst


@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from(["{} weeks {} days", "{}w {}d", "{} week, {} day"]))
def test_what_is_said_to_write_is_as_long_and_can_be_read(weeks: int, days: int, form: str) -> None:
    with pytest.raises(ValueError, match=r"one unit only: write `(.*)`") as error:
        parse(form.format(weeks, days))
    said = str(error.value).split("`")[1]
    assert parse(said) == Duration(7 * weeks + days, ELAPSED, said)
