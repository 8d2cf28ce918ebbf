"""The questions of `init`. Days may be typed in common notations; the goals file gets ISO dates."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click
from dateutil import parser
from dateutil.relativedelta import relativedelta

from config.calendars import WEEKDAY_NAMES
from config.dates import readings
from config.display import clean, count, day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EXAMPLES = "such as 25 Dec, 15/08/2027, in 6 weeks, next Friday"
_NEAR = {"today": 0, "tomorrow": 1}
_IN = re.compile(r"(?:in )?(\d{1,4}|an?) (day|week|month|year)s?(?: from (?:now|today))?")
_ON = re.compile(r"(?:(?:on|next|this|coming) )*([a-z]{3,9})")
_WITHOUT_YEAR = re.compile(r"(\d{1,2})([./])(\d{1,2})\2?")
_YEAR = re.compile(r"\d{4}")


def ask_template(titles: Mapping[str, str]) -> str | None:
    """Offer the templates by number; return the name of the chosen one. titles: by name."""
    names = list(titles)
    click.echo("Templates to start from:", err=True)
    for number, name in enumerate(names, start=1):
        click.echo(f"{number:>3}  {clean(titles[name])}", err=True)
    question = "Which one? Its number, or nothing for a goal of your own"
    while answer := click.prompt(question, default="", show_default=False, err=True).strip():
        if answer in titles:
            return answer
        if answer.isdecimal() and 0 < int(answer) <= len(names):
            return names[int(answer) - 1]
        click.echo(f"{answer!r} is not a number from 1 to {len(names)}", err=True)
    return None


def ask_day(question: str, today: date) -> date:
    """Ask for a day until it is today or later, and the user confirms how it was understood."""
    text = ""
    while True:
        text = text or click.prompt(f"{question} ({_EXAMPLES})", err=True)
        found = days(text, today)
        coming = [one for one in found if one >= today]
        answer: date | str = ""
        if not found:
            click.echo(f"`{clean(text)}` is not understood as a day; type one {_EXAMPLES}", err=True)
        elif not coming:
            click.echo(f"{day(found[0])} has passed; the day must be in the future", err=True)
        else:
            answer = _agreed(text, coming, today)
        if isinstance(answer, date):
            return answer
        text = answer


def _agreed(text: str, coming: Sequence[date], today: date) -> date | str:
    """Return the day that the user confirms, or the other day that they type instead; empty if it is none of these.

    An ISO date is printed without a question.
    """
    for one in coming:
        if text.strip() == one.isoformat():
            click.echo(in_full(one, today), err=True)
            return one
        answer = _yes_or_day(in_full(one, today), today, default="y" if len(coming) == 1 else "n")
        if answer != "n":
            return one if answer == "y" else answer
    return ""


def _yes_or_day(understood: str, today: date, *, default: str) -> str:
    """Return `y`, `n` or the text of another day. understood: the day that is asked about."""
    choice = "Y/n" if default == "y" else "y/N"
    while True:
        text: str = click.prompt(
            f"{understood}: is that right? [{choice}]", default=default, show_default=False, err=True
        )
        answer = text.strip().casefold()
        if answer and ("yes".startswith(answer) or "no".startswith(answer)):
            return answer[0]
        if days(text, today):
            return text
        click.echo(
            f"`{clean(text)}` is not understood; answer y for {understood}, n for another day, or type it", err=True
        )


def in_full(value: date, today: date) -> str:
    """Return a day with its distance from today: `Fri 25 Dec 2026, 26 days from today`."""
    ahead = (value - today).days
    return f"{day(value)}, {count(ahead, 'day')} from today" if ahead else f"{day(value)}, today"


def days(text: str, today: date) -> list[date]:
    """Return the days that a text may mean, from today: more than one if day and month may be swapped."""
    text = " ".join(text.lower().replace(",", " ").split())
    if text in _NEAR:
        return [today + timedelta(_NEAR[text])]
    if found := _IN.fullmatch(text):
        number = 1 if found[1].startswith("a") else int(found[1])
        return [_ahead(today, number, found[2])]
    if (found := _ON.fullmatch(text)) and (weekday := _weekday(found[1])) is not None:
        return [today + timedelta((weekday - today.weekday() - 1) % 7 + 1)]
    if found := _WITHOUT_YEAR.fullmatch(text):
        return _within_a_year(f"{found[1]}/{found[3]}", today)
    return readings(text) or _otherwise(text, today)


def _within_a_year(day_and_month: str, today: date) -> list[date]:
    years = (today.year, today.year + 1)
    coming = [one for year in years for one in readings(f"{day_and_month}/{year}") if one >= today]
    return [one for one in coming if one < today + relativedelta(years=1)]


def _ahead(today: date, number: int, unit: str) -> date:
    try:
        return today + relativedelta(**{f"{unit}s": number})  # type: ignore[arg-type]  # days, weeks, months or years
    except (ValueError, OverflowError):
        return date.max


def _weekday(word: str) -> int | None:
    names = (number for number, name in enumerate(WEEKDAY_NAMES) if name.lower().startswith(word))
    return next(names, None)


def _otherwise(text: str, today: date) -> list[date]:
    """Return the day that dateutil finds in a text with a number; without a year, the next such day.

    It takes what a text does not have from a default: of `5pm`, the day. So two defaults must give the same day.
    """
    if text.isdecimal() or not any(letter.isdigit() for letter in text):
        return []
    try:
        defaults = (datetime(today.year, month, month) for month in (1, 2))  # noqa: DTZ001  # days
        found, other = (parser.parse(text, default=default, dayfirst=True).date() for default in defaults)
    except (parser.ParserError, OverflowError):
        return []
    if found != other:
        return []
    if found < today and not _YEAR.search(text):
        found += relativedelta(years=1)
    return [found]
