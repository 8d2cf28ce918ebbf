"""Todoist's texts: the description of a task, whose last line is our marker, and the words for priorities.

Where a task's date is the first day of its step, and Todoist has no room for the last one, it is in the first line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.display import day as in_words
from connectors.codec import write_marker
from connectors.model import Content
from connectors.ownership import marker_of as read_line
from connectors.todoist.span import LAST_DAY, Span, begins_by

if TYPE_CHECKING:
    from datetime import date

    from connectors.model import Marker
    from connectors.todoist.objects import Item

PRIORITIES = {"urgent": 4, "high": 3, "medium": 2, "none": 1}
_PRIORITY_NAMES = {number: name for name, number in PRIORITIES.items()}
_MARKER = re.compile(r"\s*bp\d{1,9} [0-9a-z]{10}(?: .*)?")


def split(description: str) -> tuple[str, str]:
    """Return a description's notes, and the last line that looks like a marker; empty if there is none."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None:
        return description.strip(), ""
    return "\n".join(lines[:number] + lines[number + 1 :]).strip(), lines[number].strip()


def join(notes: str, marker: Marker | None) -> str:
    """Return the description with these notes and this marker."""
    return "\n\n".join(filter(None, [notes, write_marker(marker) if marker else ""]))


def with_marker(description: str, marker: Marker | None) -> str:
    """Return a description with another marker in place of the old one; None removes it."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None or marker is None:
        return join(split(description)[0], marker)
    lines[number] = write_marker(marker)
    return "\n".join(lines)


def _marker_line(lines: list[str]) -> int | None:
    return next((n for n in range(len(lines) - 1, -1, -1) if _MARKER.fullmatch(lines[n])), None)


def marker_of(item: Item, namespace: str = "") -> Marker | None:
    """Return the marker of a task, of any namespace; None if there is none that can be read.

    Raises RefusedError for one of a newer version only if it is of this namespace.
    """
    return read_line(split(item.description)[1], namespace)


def content_of(item: Item, days: Span | None = None) -> Content:
    """Return the content of a task, without our marker. days: by default, its date is the last day."""
    start, due, _ = days or Span(None, item.due.day if item.due else None)
    notes = split(without_last_day(item.description, marker_of(item)))[0]
    return Content(item.content, due, notes, item.labels, _PRIORITY_NAMES.get(item.priority, "none"), start)


def without_last_day(description: str, marker: Marker | None) -> str:
    """Return a description without our line. marker: the task's; where it has none, a line that looks like ours is."""
    found = LAST_DAY.match(description) if marker is None or begins_by(marker) else None
    return description[found.end() :].lstrip("\n") if found else description


def with_last_day(description: str, day: date) -> str:
    """Return a description with the last day in its first line."""
    return "\n\n".join(filter(None, [f"Last day: {in_words(day)}", description]))
