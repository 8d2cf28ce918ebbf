"""`sync.schedule.working_days.WorkingDays` against walking a calendar day by day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.calendars import EVERY_DAY, Calendar
from config.durations import parse
from sync.schedule.working_days import OutOfTimeError, WorkingDays
from tests.schedule.reference_scheduler import back, count, forward, less, plus, works
from tests.tiers import examples

FIRST = date(2023, 1, 1)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Return any calendar: weekdays, a country's holidays, ranges off up to three weeks long."""
    weekdays = draw(st.frozensets(st.integers(0, 6), min_size=1))
    begins = draw(st.lists(st.integers(0, 2200), max_size=4))
    lengths = draw(st.lists(st.integers(0, 20), min_size=len(begins), max_size=len(begins)))
    off = [
        (FIRST + timedelta(days=a), FIRST + timedelta(days=a + n)) for a, n in zip(sorted(begins), lengths, strict=True)
    ]
    return Calendar(weekdays, draw(st.sampled_from([None, "US-NY", "DE-BY"])), tuple(off))


days = st.integers(0, 2200).map(lambda n: FIRST + timedelta(days=n))
durations = st.sampled_from(
    ["0", "1", "2", "7", "30", "-1", "-3", "1 week", "-1 week", "5 weeks", "1 month", "-2 months", "1 year", "3cd"]
)


@settings(max_examples=examples(400))
@given(calendars(), days, days)
def test_rolls_like_a_walk(calendar: Calendar, anchor: date, day: date) -> None:
    numbered, ordinal = WorkingDays(calendar, anchor), day.toordinal()
    assert date.fromordinal(numbered.back(ordinal)) == back(calendar, day)
    assert date.fromordinal(numbered.forward(ordinal)) == forward(calendar, day)
    assert numbered.is_working(ordinal) == works(calendar, day)


@settings(max_examples=examples(300))
@given(calendars(), days, days, days)
def test_positions_count_the_working_days_between(calendar: Calendar, anchor: date, one: date, other: date) -> None:
    numbered = WorkingDays(calendar, anchor)
    one, other = min(one, other), max(one, other)
    passed = numbered.position(other.toordinal()) - numbered.position(one.toordinal())
    assert passed == count(calendar, one + timedelta(days=1), other)


@settings(max_examples=examples(400))
@given(calendars(), days, days, durations)
def test_durations_like_a_walk(calendar: Calendar, anchor: date, day: date, text: str) -> None:
    numbered, ordinal, duration = WorkingDays(calendar, anchor), day.toordinal(), parse(text)
    assert date.fromordinal(numbered.before(ordinal, duration)) == less(calendar, day, duration)
    assert date.fromordinal(numbered.after(ordinal, duration)) == plus(calendar, day, duration)


@settings(max_examples=examples(200))
@given(calendars(), days, st.integers(-900, 900))
def test_a_position_names_one_day_whatever_was_asked_before(calendar: Calendar, anchor: date, position: int) -> None:
    numbered = WorkingDays(calendar, anchor)
    day = numbered.day(position)
    assert numbered.is_working(day)
    assert numbered.position(day) == position
    # Asking far away, on both sides, lays out more years and changes no number.
    numbered.day(position + 1500)
    numbered.day(position - 1500)
    assert numbered.day(position) == day
    assert numbered.position(day) == position


def test_position_0_is_the_first_working_day_from_the_anchor_on() -> None:
    office = Calendar(frozenset(range(5)))
    numbered = WorkingDays(office, date(2027, 8, 14))  # a Saturday
    assert date.fromordinal(numbered.day(0)) == date(2027, 8, 16)
    assert date.fromordinal(numbered.day(-1)) == date(2027, 8, 13)


def test_holidays_observed_in_the_year_before() -> None:
    # New Year's Day 2028 is a Saturday; New York observes it on Friday, 2027-12-31.
    calendar = Calendar(frozenset(range(5)), "US-NY")
    numbered = WorkingDays(calendar, date(2027, 12, 1))
    assert date.fromordinal(numbered.back(date(2028, 1, 1).toordinal())) == date(2027, 12, 30)


def test_a_calendar_without_a_working_day_left_says_so() -> None:
    never = Calendar(frozenset({0}), days_off=((date(1, 1, 1), date(9999, 12, 31)),))
    numbered = WorkingDays(never, date(2027, 1, 1))
    with pytest.raises(OutOfTimeError, match="years 1 to 9998"):
        numbered.forward(date(2027, 1, 1).toordinal())
    with pytest.raises(OutOfTimeError, match="years 1 to 9998"):
        numbered.back(date(2027, 1, 1).toordinal())


@pytest.mark.parametrize("calendar", [EVERY_DAY, Calendar(frozenset({2}))])
def test_the_ends_of_time(calendar: Calendar) -> None:
    numbered = WorkingDays(calendar, date(9999, 12, 1))
    with pytest.raises(OutOfTimeError):
        numbered.day(5000)
    with pytest.raises(OutOfTimeError):
        numbered.before(date(1, 1, 2).toordinal(), parse("2 months"))
    with pytest.raises(OutOfTimeError):
        numbered.after(date(9999, 12, 2).toordinal(), parse("1 year"))


@pytest.mark.parametrize(
    ("day", "text", "before"),
    [
        (date(2027, 3, 31), "1 month", date(2027, 2, 28)),
        (date(2028, 3, 31), "1 month", date(2028, 2, 29)),
        (date(2028, 2, 29), "1 year", date(2027, 2, 28)),
        (date(2028, 1, 10), "2 weeks", date(2027, 12, 27)),
        (date(2027, 8, 16), "1 day", date(2027, 8, 13)),
        (date(2027, 8, 15), "1 day", date(2027, 8, 12)),  # a Sunday: counted back from Friday, its last working day
        (date(2027, 8, 15), "0 days", date(2027, 8, 15)),
    ],
)
def test_before_on_a_working_week(day: date, text: str, before: date) -> None:
    numbered = WorkingDays(Calendar(frozenset(range(5))), date(2027, 8, 1))
    assert date.fromordinal(numbered.before(day.toordinal(), parse(text))) == before
