"""Days as people write them elsewhere, so that a message can answer with the day as the goals file has it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date

from config.calendars import MONTH_NAMES

_CENTURY = 2000  # of years with two digits
_NUMBERS = re.compile(r"(\d{1,4})[./\- ]+(\d{1,2})[./\- ]+(\d{1,4})")
_NAMED = re.compile(r"(?:(?P<before>\d{1,2})(?:st|nd|rd|th)?\.?\s+)?(?P<month>[a-z]{3,9})\.?(?:\s+(?P<behind>\d{1,2}))?"
                    r"(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})")  # fmt: skip


def readings(text: str) -> list[date]:
    """Return the days that a text may mean: one for `15/08/2027`, two for `05/08/2027`, none for words."""
    text = " ".join(text.lower().split())
    if found := _NUMBERS.fullmatch(text):
        first, second, third = (int(number) for number in found.groups())
        orders = [(first, second, third)] if len(found[1]) > 2 else [(third, second, first), (third, first, second)]
    elif (found := _NAMED.fullmatch(text)) and (month := _month(found["month"])):
        orders = [(int(found["year"]), month, int(found["before"] or found["behind"] or 0))]
    else:
        return []
    days = []
    for year, month, day in orders:
        with suppress(ValueError):
            days.append(date(year if year > 99 else _CENTURY + year, month, day))
    return list(dict.fromkeys(days))


def _month(word: str) -> int:
    """Return the number of the month that a word is, or is short for; 0 for none."""
    return next((n for n, name in enumerate(MONTH_NAMES, start=1) if name.lower().startswith(word)), 0)
