"""The date line of an issue: written in one way, read in every way that can mean one day only.

    Due 5 August 2027 (Thursday), start 2 August

Users may also write `Due May 10, 2027`, `**Due** 2027-5-9` or `- Due 9 May 2027`. If a line begins with `Due` and its
day is ambiguous or cannot be read, its text is reported.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from config.calendars import MONTH_NAMES, WEEKDAY_NAMES
from connectors.days import read_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_MARKS = r"[*_]{0,3}"
_BLOCK = r"(?:(?:[-*+>]|#{1,6}|\d{1,2}[.)])\s+|\(){0,3}"  # a list, a quotation, a heading, brackets
_LINE = re.compile(
    rf"\s*(?P<block>{_BLOCK}){_MARKS}(?P<due>due){_MARKS}(?:\s*:{_MARKS}\s*|\s+)(?P<rest>\S.*)", re.IGNORECASE
)
_OTHER_WORDS = re.compile(
    rf"{_BLOCK}{_MARKS}(?:(?:deadline|date|finish|until|till|by|on)\b{_MARKS}\s*:?)+", re.IGNORECASE
)
_START = re.compile(r"[\s,;(]*\bstart:?\s+", re.IGNORECASE)
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b")
_WEEKDAY = re.compile(rf"^\((?:{'|'.join(WEEKDAY_NAMES)})\)", re.IGNORECASE)
_NAMES = "|".join(name[:3] for name in (*MONTH_NAMES, *WEEKDAY_NAMES))
_LIKE_A_DAY = re.compile(
    rf"\d|\b(?:{_NAMES})[a-z]*\b|\b(?:today|tonight|tomorrow|next|this|in an?|end of|weeks?|months?|asap|soon)\b",
    re.IGNORECASE,
)
_MOST_WORDS = 7  # of one day, as in "Sunday, 9th of May, 2027"
_LONGEST_QUOTE = 60


class Dates(NamedTuple):
    """The last day and the first one."""

    due: date | None = None
    start: date | None = None


NO_DATES = Dates()


def date_line(due: date, start: date | None = None, added: str = "") -> str:
    """Return the date line; `added` is a user's own text behind the dates."""
    words = f"Due {_day_and_month(due)} {due.year} ({WEEKDAY_NAMES[due.weekday()]})"
    if start is not None:
        words += f", start {_day_and_month(start)}" + (f" {start.year}" if start.year != due.year else "")
    return f"{words} {added}" if added else words


def in_words(day: date) -> str:
    """Return a day as the date line shows it."""
    return f"{_day_and_month(day)} {day.year}"


def read_dates(line: str) -> Dates:
    """Return the dates in a line; none if it is no date line, or its day cannot be read."""
    parts = _parts(line)
    due = _leading_day(parts[0]) if parts else None
    if parts is None or due is None:
        return NO_DATES
    return Dates(due, _leading_day(parts[1], due.year) if parts[1] else None)


def unread_words(line: str) -> str:
    """Return the text of a date line that cannot be read as a day; empty if there is none."""
    parts = _parts(line)
    if parts is None:
        return ""
    due, start = read_dates(line)
    unread = parts[0] if due is None else parts[1] if start is None else ""
    return unread.strip(" ,;*_").replace("`", "'")[:_LONGEST_QUOTE]


def added_words(line: str) -> str:
    """Return the text of the user after the dates of a line, without the weekday in brackets."""
    parts = _parts(line)
    due = _split(parts[0]) if parts else None
    if parts is None or due is None:
        return ""
    start = _split(parts[1], due[0].year) if parts[1] else None
    rest = (_WEEKDAY.sub("", due[1]), start[1] if start else "")
    return " ".join(" ".join(rest).strip(" ,;*_").split())


def find_date_line(lines: Sequence[str]) -> int | None:
    """Return which of the lines above a marker is the date line, whether or not it can be read.

    It is the first that begins with `Due` and holds something like a day; one in a list, a quotation or a heading only
    where no other does. Without one, it is the first line of all, if that begins with `Due`: further down, such words
    are a person's text.
    """
    matches = [(n, match) for n, line in enumerate(lines) if (match := _LINE.fullmatch(line.rstrip()))]
    dated = [(n, bool(match["block"])) for n, match in matches if _LIKE_A_DAY.search(match["rest"])]
    if dated:
        return min(dated, key=lambda found: (found[1], found[0]))[0]
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    return first if any(n == first for n, _ in matches) else None


def several_days(line: str, notes: str) -> str:
    """Return the days in the date line and in lines below it, in words; empty if there is at most one."""
    others = [match for one in notes.split("\n") if (match := _LINE.fullmatch(one.rstrip())) and not match["block"]]
    found = [read_dates(line).due, *(read_dates(match[0]).due for match in others)]
    days = list(dict.fromkeys(day for day in found if day is not None))
    return " and ".join(map(in_words, days)) if found[0] and len(days) > 1 else ""


def day_without_due(text: str) -> str:
    """Return the first line of a text if it is a day, or contains one after another word than `Due`; else nothing."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    words = _OTHER_WORDS.match(first)
    rest = (first[words.end() :] if words else first).strip(" ,;:*_()")
    alone = read_day(rest) is not None
    return first[:_LONGEST_QUOTE].replace("`", "'") if alone or (words and _LIKE_A_DAY.match(rest)) else ""


def hidden(line: str, sign: str) -> str:
    """Return a line of notes that is not taken for the date line: with an invisible character in its `Due`."""
    match = _LINE.fullmatch(line)
    if match is None:
        return line
    at = match.start("due") + 1
    return f"{line[:at]}{sign}{line[at:]}"


def _parts(line: str) -> tuple[str, str] | None:
    """Return the texts of the last and the first day in a date line; None for another line."""
    match = _LINE.fullmatch(line.rstrip())
    if match is None:
        return None
    due, *start = _START.split(match["rest"], maxsplit=1)
    return due, "".join(start)


def _leading_day(text: str, year: int | None = None) -> date | None:
    """Return the day that a text begins with; `year` is used if the text has none.

    Text after the day is ignored: it may be an old weekday in brackets, beside a date that the user changed.
    """
    found = _split(text, year)
    return found[0] if found else None


def _split(text: str, year: int | None = None) -> tuple[date, str] | None:
    """Return the day that a text begins with, and the rest of the text, in which there may be no other day."""
    words = text.split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        head, rest = " ".join(words[:count]).strip(" .,;:*_"), " ".join(words[count:])
        day = read_day(head) or (read_day(f"{head} {year}") if year else None)
        if day is not None:
            return None if re.search(r"\d", _CLOCK.sub("", rest)) else (day, rest)
    return None


def _day_and_month(day: date) -> str:
    return f"{day.day} {MONTH_NAMES[day.month - 1]}"
