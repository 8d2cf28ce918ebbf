"""The days of a task whose `due` is the first day of its step, as the option `dates: start` writes them.

The marker tells which day a task's date is: one with a digest of the first day was written so. So a task is read as it
was written, whatever the option says by now, and a write brings it into line.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from config.keys import is_in_goal
from connectors.model import digest

if TYPE_CHECKING:
    from connectors.model import Marker
    from connectors.todoist.answers import Item

LAST_DAY = re.compile(r"Last day: [A-Z][a-z]{2} (\d{1,2} [A-Z][a-z]{2} \d{4})(?:\n|\Z)")
_LONGEST = 3660  # days of a step


class Span(NamedTuple):
    """The first and the last day of a task, and those that it had before a user moved the whole step."""

    start: date | None
    due: date | None
    moved_from: tuple[date, date] | None = None


def begins_by(marker: Marker | None) -> bool:
    """Return whether a task has its first day as its date. A goal's own task has its deadline there."""
    return marker is not None and bool(marker.applied.get("start")) and is_in_goal(marker.key)


def span(item: Item, marker: Marker | None) -> Span:
    """Return the days of a task as they are now.

    - A first day that a user moved within the span is theirs, and the last day stays.
    - Moved out of it, the whole step moves.
    - A deadline that a user changed is the last day.
    - Where the marker is damaged, a last day beside the date tells that this is the first one.
    """
    day = item.due.day if item.due else None
    if marker is not None and not marker.applied and is_in_goal(marker.key) and day is not None:
        return Span(day, last) if (last := item.deadline or last_day(item.description)) else Span(None, day)
    if marker is None or marker.due is None or (first := first_day(marker)) is None:
        return Span(None, day)
    if day is None:
        return Span(first, None)
    last = item.deadline or marker.due
    if first <= day <= last or last != marker.due:
        return Span(day, last)
    return Span(day, last + (day - first), (first, last))


def days_without_marker(item: Item) -> Span:
    """Return the days of a task that a run detached. With a last day beside its date, this is the first one."""
    day = item.due.day if item.due else None
    last = last_day(item.description) or item.deadline
    return Span(day, last) if day and last else Span(None, day)


def last_day(description: str) -> date | None:
    """Return the last day in the first line of a description; None where it has none."""
    found = LAST_DAY.match(description)
    with suppress(ValueError):
        return datetime.strptime(found[1], "%d %b %Y").date() if found else None  # noqa: DTZ007  # a day has no zone
    return None


def first_day(marker: Marker) -> date | None:
    """Return the first day that a marker has the digest of; None where there is none."""
    if not begins_by(marker) or marker.due is None:
        return None
    days = (marker.due - timedelta(count) for count in range(_LONGEST))
    return next((day for day in days if digest(day) == marker.applied["start"]), None)


def length(marker: Marker | None) -> tuple[int, str] | None:
    """Return the duration that was written with a marker; None where there was none."""
    if marker is None or marker.due is None or (first := first_day(marker)) is None:
        return None
    return ((marker.due - first).days + 1, "day")
