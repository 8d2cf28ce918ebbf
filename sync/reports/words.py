"""The words that all reports share: dates, counts of days, the health of a goal, and text made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from itertools import accumulate
from typing import TYPE_CHECKING

from config.tokens import hide
from sync.schedule import State

if TYPE_CHECKING:
    from datetime import date

    from sync.schedule import ScheduledGoal, ScheduledStep

_COMMAND = re.compile(r"^::|##\[")
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: date | None) -> str:
    """Return a date as a person reads it: `Thu 5 Aug 2027`. The same in every locale."""
    if value is None:
        return "no date"
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"


def days(count: int) -> str:
    """Return a number of days in words."""
    return f"{count} day" if abs(count) == 1 else f"{count} days"


def takes(step: ScheduledStep) -> str:
    """Return how long a step takes, as it was written; an appointment or countdown without a word on it takes a day."""
    if step.step.takes is not None:
        return f"{step.step.takes}{f', {every(step)}' if step.step.every else ''}"
    return "flexible" if step.step.flexible else "1 day"


def every(step: ScheduledStep) -> str:
    """Return how often a step repeats: `every week`, `every Mon and Thu`."""
    said = step.step.every
    if isinstance(said, tuple):
        *most, last = (day.capitalize() for day in said)
        return "every " + " and ".join(filter(None, [", ".join(most), last]))
    return f"every {str(said).removeprefix('1 ')}"


def health(goal: ScheduledGoal) -> str:
    """Return how a goal stands, in a few words."""
    if goal.state is State.DONE:
        return f"done on {day(goal.done)}"
    if goal.state is State.MISSED:
        return "missed: the deadline has passed"
    if goal.margin is None:
        return "on track"
    if goal.margin < 0:
        return f"late by {days(-goal.margin)}"
    return "tight: no day in hand" if goal.margin == 0 else f"on track, {days(goal.margin)} in hand"


def progress(goal: ScheduledGoal) -> tuple[int, int]:
    """Return how many steps are done, and how many there are; dropped ones do not count."""
    counted = [step for step in goal.steps if not step.dropped]
    return sum(step.done is not None for step in counted), len(counted)


def remark(step: ScheduledStep) -> str:
    """Return what is special about a step's dates, in a few words."""
    if step.done:
        return f"done {day(step.done)}"
    if step.dropped:
        return "dropped"
    if step.due is None:
        return "no time for it (optional)"
    marks = [
        word
        for word, holds in (
            ("overdue", step.overdue),
            ("pinned", step.pinned),
            ("squeezed", step.squeezed),
            ("critical", step.critical and not step.overdue),
        )
        if holds
    ]
    return ", ".join(marks)


def clean(text: str) -> str:
    """Return `text` on one line, without secrets, what steers the direction of its neighbours or no file can hold.

    What GitHub's runner would take for a command (`::` at the start of a line, `##[`) is broken by a character of no
    width.
    """
    line = fit(" ".join(_STEERING.sub("", text).split()))
    return _COMMAND.sub(lambda match: f"{match[0][0]}\u200b{match[0][1:]}", line)


def fit(text: str) -> str:
    """Return `text` of any number of lines without secrets, and without what steers a terminal."""
    shown = _STEERING.sub("", hide(text))
    return "".join("\N{REPLACEMENT CHARACTER}" if c not in "\n\t" and _unfit(c) else c for c in shown)


def _unfit(character: str) -> bool:
    # Controls, halves of surrogate pairs, and the two code points of each plane that XML forbids.
    return unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE


def shorten(text: str, columns: int) -> str:
    """Return `text`, cut where it would be wider than so many columns, each as wide as an ordinary letter."""
    if width(text) <= columns:
        return text
    widths = accumulate(map(_columns, text))
    end = next(number for number, taken in enumerate(widths) if taken > columns - 1)
    while end > 1 and (text[end - 1] == "\u200d" or _columns(text[end]) == 0):
        end -= 1  # not half of what several code points make together
    return text[:end].rstrip() + "…"


def width(text: str) -> float:
    """Return how wide `text` is about, in ordinary letters; East Asian letters and emoji take two."""
    return sum(map(_columns, text))


def _columns(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 1.7 if character in "MWmw@%" else 1.25 if character.isupper() else 1
