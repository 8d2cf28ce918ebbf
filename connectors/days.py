"""Reads days as people write them, if they can mean only one day.

`2027-5-9`, `9 May 2027`, `May 9th, 2027` and `Sun 9 MAY 2027` are one day. `5/9/2027` is two, and `next Friday` none.
"""

from __future__ import annotations

import re
from datetime import date

from config.calendars import MONTH_NAMES, WEEKDAY_NAMES

_YEAR_FIRST = r"(?P<y1>\d{4})(?P<sep>[-/.])(?P<m1>\d{1,2})(?P=sep)(?P<d1>\d{1,2})"
_WEEKDAY = r"(?:(?P<weekday>[A-Za-z]{3,9})\.?,?[ ]+)?"
_DAY_FIRST = r"(?P<d2>\d{1,2})(?:st|nd|rd|th|\.)?[ ]+(?:of[ ]+)?(?P<m2>[A-Za-z]{3,9})\.?,?[ ]+(?P<y2>\d{4})"
_MONTH_FIRST = r"(?P<m3>[A-Za-z]{3,9})\.?[ ]+(?P<d3>\d{1,2})(?:st|nd|rd|th)?(?:,[ ]*|[ ]+)(?P<y3>\d{4})"
_DAY = re.compile(rf"{_YEAR_FIRST}|{_WEEKDAY}(?:{_DAY_FIRST}|{_MONTH_FIRST})", re.IGNORECASE)
_MOST_DAYS = 20 * 366  # a date further than this from the one that we wrote is a mistake: 2207 for 2027
_MOST_WORDS = 6  # of a day with the name of a day of the week: `Sun 9th of May 2027`
WEEKDAY = re.compile(
    r"\b(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b\.?",
    re.IGNORECASE,
)


def read_day(text: str) -> date | None:
    """Return the day that a text means; None if it is no day, or can mean several.

    Marks of emphasis around it, letter case and short names of months and weekdays are accepted. None is also returned
    if the weekday is not that of the day.
    """
    match = _DAY.fullmatch(text.strip().strip("*_").strip())
    if match is None:
        return None
    year, day = (next(match[f"{part}{form}"] for form in "123" if match[f"{part}{form}"]) for part in "yd")
    month = int(match["m1"]) if match["m1"] else _numbered(match["m2"] or match["m3"], MONTH_NAMES)
    try:
        found = date(int(year), month, int(day))
    except ValueError:
        return None
    named = match["weekday"]
    return found if named is None or _numbered(named, WEEKDAY_NAMES) == found.isoweekday() else None


def is_far(day: date | None, due: date | None) -> bool:
    """Return whether a day is so far from the date last written that nobody can have meant it."""
    return day is not None and due is not None and abs((day - due).days) > _MOST_DAYS


def weekday_clash(text: str) -> str:
    """Return a sentence on a day with the name of another day of the week; empty if there is no such mistake.

    The name may be before the day or after it, in brackets or not; more words may follow.
    """
    words = text.split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        start = " ".join(words[:count])
        day = read_day(" ".join(WEEKDAY.sub(" ", start).strip(" ,.()").split()))
        if day is not None:
            clashes = any(_numbered(name[1], WEEKDAY_NAMES) != day.isoweekday() for name in WEEKDAY.finditer(start))
            return f"{day} is a {WEEKDAY_NAMES[day.weekday()]}" if clashes else ""
    return ""


def _numbered(word: str, names: tuple[str, ...]) -> int:
    """Return the number, from 1 on, of the name that a word is, or is short for; 0 for none."""
    short = word.lower().removesuffix("t") if word.lower() == "sept" else word.lower()
    return next((number for number, name in enumerate(names, start=1) if name.lower().startswith(short)), 0)
