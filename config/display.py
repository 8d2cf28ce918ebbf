"""Formats dates, numbers and words for messages, and makes text from elsewhere harmless."""

from __future__ import annotations

import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING

from config.calendars import MONTH_NAMES, WEEKDAY_NAMES
from config.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Generator

# The runner obeys `::` at the start of a line, whatever space is before it, and `##[` anywhere.
_COMMAND = re.compile(r"(?:\A|(?<=[\r\n]))[^\S\r\n]*:(?=:)|##(?=\[)")
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ISO_DATE = re.compile(r"“[^”]*”|`[^`]*`|\b(?P<day>\d{4}-\d\d-\d\d)\b")
TODAY: ContextVar[date | None] = ContextVar("TODAY", default=None)  # the day for which a command plans


def day(value: date | None) -> str:
    """Return a date as a person reads it: `Thu 5 Aug 2027`. The same in every locale."""
    if value is None:
        return "no date"
    weekday, month = WEEKDAY_NAMES[value.weekday()][:3], MONTH_NAMES[value.month - 1][:3]
    return f"{weekday} {value.day} {month} {value.year}"


def near(value: date | None) -> str:
    """Return a date as `Thu 5 Aug`, with its year if that is not the year of `TODAY`."""
    today, whole = TODAY.get(), day(value)
    return whole.removesuffix(f" {value.year}") if value and today and value.year == today.year else whole


@contextmanager
def near_to(today: date) -> Generator[None]:
    """Let `near` omit the year of `today` in this block, whatever `TODAY` is outside."""
    before = TODAY.set(today)
    try:
        yield
    finally:
        TODAY.reset(before)


def with_days(sentence: str) -> str:
    """Return a sentence with its ISO dates as `near` gives them; what it quotes, in “” or backticks, stays."""
    return _ISO_DATE.sub(_in_words, sentence)


def _in_words(found: re.Match[str]) -> str:
    try:
        return near(date.fromisoformat(found["day"] or ""))
    except ValueError:  # a quotation, or no day of the calendar
        return found[0]


def days(count: int) -> str:
    """Return a number of days in words."""
    return f"{count} day" if abs(count) == 1 else f"{count} days"


def count(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def clean(text: str) -> str:
    """Return `text` on one line, without secrets, direction marks, and characters that no file can contain.

    A zero-width character is added where GitHub's runner would read a command (`::` at the start of a line, `##[`).
    """
    return break_commands(fit(" ".join(_STEERING.sub("", text).split())), "\u200b")


def break_commands(text: str, by: str) -> str:
    """Return `text` with a zero-width character in each place that GitHub's runner would read as a command."""
    return _COMMAND.sub(rf"\g<0>{by}", text) if "::" in text or "##[" in text else text


def fit(text: str) -> str:
    """Return `text` of any number of lines without secrets and terminal control characters."""
    shown = _STEERING.sub("", hide(text))
    return "".join("\N{REPLACEMENT CHARACTER}" if c not in "\n\t" and _unfit(c) else c for c in shown)


def _unfit(character: str) -> bool:
    # Controls, halves of surrogate pairs, and the two code points of each plane that XML forbids.
    return unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE


def shorten(text: str, columns: int) -> str:
    """Return `text`, cut to this many columns; a column is as wide as an ordinary letter."""
    if width(text) <= columns:
        return text
    widths = accumulate(map(_columns, text))
    end = next(number for number, taken in enumerate(widths) if taken > columns - 1)
    while end > 1 and (text[end - 1] == "\u200d" or _columns(text[end]) == 0):
        end -= 1  # not half of what several code points make together
    return text[:end].rstrip() + "…"


def width(text: str) -> float:
    """Return the approximate width of `text` in columns; East Asian letters and emoji take two."""
    return sum(map(_columns, text))


def _columns(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 1.7 if character in "MWmw@%" else 1.25 if character.isupper() else 1
