"""Durations: one grammar for `takes`, `wait`, `buffer`, `before`, `by` and `at_least`.

5, 5d, 5 days           working days of the calendar in force; 0 is a milestone
2 weeks, 2w             a calendar span: two weeks before a Friday is a Friday
1 month, 1 year         a calendar span; 31 March less a month is the last day of February
5 calendar days, 5cd    elapsed days, working or not
2-3-6 days              an estimate: best, likely, worst (days or weeks)
20%                     of the working days from the goal's start to its limit
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from config.suggest import did_you_mean

MAX_DAYS = 36_525  # a century: more is a typing error, and would exceed the range of dates


class Unit(Enum):
    """The unit of a duration. Weeks are spans of seven days, years are twelve months."""

    WORKING_DAYS = "working days"
    CALENDAR_DAYS = "calendar days"
    SPAN_DAYS = "days of a span"
    MONTHS = "months"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Duration:
    """`amount` of `unit`, with the text it was written as; an estimate also keeps its three points.

    weekday: 0 for Monday; the span is extended so that it ends on that day.
    """

    amount: int
    unit: Unit
    text: str
    estimate: tuple[int, int, int] | None = None
    weekday: int | None = None

    def __str__(self) -> str:
        return self.text


ONE_DAY = Duration(1, Unit.WORKING_DAYS, "1 day")
NO_TIME = Duration(0, Unit.WORKING_DAYS, "0 days")

EXPECTED = "a duration such as 3 days, 2 weeks, 1 month, 5 calendar days or 2-3-6 days"

_UNITS: dict[str, tuple[Unit, int]] = {
    **dict.fromkeys(("", "d", "day", "days"), (Unit.WORKING_DAYS, 1)),
    **dict.fromkeys(("cd", "calendar day", "calendar days"), (Unit.CALENDAR_DAYS, 1)),
    **dict.fromkeys(("w", "week", "weeks"), (Unit.SPAN_DAYS, 7)),
    **dict.fromkeys(("m", "month", "months"), (Unit.MONTHS, 1)),
    **dict.fromkeys(("y", "year", "years"), (Unit.MONTHS, 12)),
    "%": (Unit.PERCENT, 1),
}
_LONGEST = {Unit.MONTHS: MAX_DAYS // 365 * 12, Unit.PERCENT: 100}
UNIT_NAMES = tuple(sorted((name for name in _UNITS if len(name) > 2), key=len, reverse=True))
PATTERN = r"^\s*-?\d+(-\d+-\d+)?\s*([a-zA-Z]+( +[a-zA-Z]+)?|%)?\s*$"
_DURATION = re.compile(r"(?P<amount>-?\d{1,9})(?:-(?P<likely>\d{1,9})-(?P<worst>\d{1,9}))?\s*(?P<unit>[a-z ]*|%)")


_WORDS = dict(zip(("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
                  (1, *range(1, 11)), strict=True)) | {"an": 1}  # fmt: skip
_BUSINESS = re.compile(r"(\d{1,9}(?:-\d{1,9}-\d{1,9})?)\s*(?:business|working|work|week)\s*-?days?")
_FROM_TO = re.compile(r"(\d{1,9})\s*(?:-|–|to)\s*(\d{1,9})\s*([a-z]+)")
_ESTIMATED = ("day", "days", "d", "week", "weeks", "w")
_PART = re.compile(r"(\d{1,5})\s*(years?|y|months?|m|weeks?|w|days?|d)\b")
_SUM = re.compile(rf"{_PART.pattern}(?:(?:\s*,)?\s*(?:and|\+)?\s*{_PART.pattern})*")


@lru_cache(maxsize=4096)
def parse(text: str) -> Duration:
    """Return the duration that is written in `text`.

    Raises ValueError with a message for the user if it is none.
    """
    text = " ".join(text.split())
    match = _DURATION.fullmatch(text.lower())
    if match is None:
        raise ValueError(f"expected {EXPECTED}{_spelling(text.lower()) or _why(text)}")
    name = match["unit"].strip()
    if name not in _UNITS:
        raise ValueError(f"expected {EXPECTED}{_spelling(text.lower()) or _nearest(name)}")
    unit, factor = _UNITS[name]
    if match["likely"] is not None:
        return _estimate(text, (int(match["amount"]), int(match["likely"]), int(match["worst"])), unit, factor)
    amount = int(match["amount"]) * factor
    if abs(amount) > _LONGEST.get(unit, MAX_DAYS):
        raise ValueError("expected at most a hundred years" if unit is not Unit.PERCENT else "expected at most 100%")
    return Duration(amount, unit, text)


def _estimate(text: str, points: tuple[int, int, int], unit: Unit, factor: int) -> Duration:
    best, likely, worst = points
    if unit not in (Unit.WORKING_DAYS, Unit.SPAN_DAYS):
        raise ValueError("expected an estimate in days or weeks, such as 2-3-6 days")
    if not 0 <= best <= likely <= worst:
        raise ValueError("expected best-likely-worst in rising order, such as 2-3-6 days")
    if worst * factor > MAX_DAYS:
        raise ValueError("expected at most a hundred years")
    # PERT's expected value, (best + 4 likely + worst) / 6, rounded up to whole days.
    expected = -(-(best + 4 * likely + worst) * factor // 6)
    return Duration(expected, unit, text, (best * factor, likely * factor, worst * factor))


def _spelling(text: str) -> str:
    """Return a hint on how to write a length in another common notation; empty if it is none."""
    spelled = re.sub(r"[a-z]+", lambda word: str(_WORDS.get(word[0], word[0])), text)
    if spelled != text and (found := _DURATION.fullmatch(spelled)) and found["unit"].strip() in _UNITS:
        return f"; write `{spelled}`"
    text = spelled
    if found := _BUSINESS.fullmatch(text):
        return f"; write `{found[1]} days`: those are working days, if the calendar has days off"
    if found := _FROM_TO.fullmatch(text):
        least, most, unit = found.groups()
        estimate = f", or `{least}-{least}-{most} {unit}` (best, likely, worst)" if unit in _ESTIMATED else ""
        return f"; write `{most} {unit}`{estimate}"
    if _SUM.fullmatch(text):
        parts = [(int(amount), _UNITS[unit]) for amount, unit in _PART.findall(text)]
        return _sum({unit for _, (unit, _) in parts}, sum(amount * factor for amount, (_, factor) in parts))
    return ""


def _sum(units: set[Unit], total: int) -> str:
    """Return a hint on how to write a sum of days or months, with parts in these units."""
    if units == {Unit.SPAN_DAYS}:
        return f"; write `{total // 7} weeks`"
    if len(units) == 1:
        return f"; write `{total} {'months' if Unit.MONTHS in units else 'days'}`"
    return "; one unit only" + ("" if Unit.MONTHS in units else f": write `{total} calendar days`")


def _why(text: str) -> str:
    if re.search(r"\d[.,]\d", text):
        return "; whole numbers only"
    if re.search(r"\d\s*(h|hours?|min|minutes?)\b", text.lower()):
        return "; days are the smallest unit"
    return ""


def _nearest(name: str) -> str:
    if name in {"h", "hour", "hours", "min", "minute", "minutes"}:
        return "; days are the smallest unit"
    nearest = did_you_mean(name, UNIT_NAMES, quote="")
    return f"; {nearest}" if nearest else ""
