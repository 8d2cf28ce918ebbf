"""Todoist's texts: the description of a task, whose last line is our marker, and the words for priorities.

Where the plan has a page, that line is a link to it, with the marker at its end:

    [backplan](https://me.github.io/goals#food-handler/review?bp1%203f9a2c01d4%20me/goals%20food-handler/review%20...)

Where a task's date is the first day of its step, and Todoist has no room for the last one, it is in the first line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from config.display import day as in_words
from connectors.codec import write_marker
from connectors.model import Content
from connectors.ownership import marker_of as read_line
from connectors.todoist.span import LAST_DAY, Span, begins_by

if TYPE_CHECKING:
    from datetime import date

    from connectors.model import Marker
    from connectors.todoist.answers import Item

PRIORITIES = {"urgent": 4, "high": 3, "medium": 2, "none": 1}
_PRIORITY_NAMES = {number: name for name, number in PRIORITIES.items()}
_LINK = re.compile(r"\s*\[[^\]\n]*\]\(<?https?://[^\s()#]*#[^\s()?]*\?(?P<marker>bp\d{1,9}\b[^\s()>]*)>?\)\s*")
_IN_ADDRESSES = "/:?&=%@+,;~!$*'"  # the characters that `page:` may contain and a link of Markdown, too
_MARKER = re.compile(r"\s*bp\d{1,9} [0-9a-z]{10}(?: .*)?")


def split(description: str) -> tuple[str, str]:
    """Return a description's notes, and the text of our marker in it, or of what is left of one; "" for none."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None:
        return description.strip(), ""
    return "\n".join(lines[:number] + lines[number + 1 :]).strip(), _decoded(lines[number])


def join(notes: str, marker: Marker | None, page: str = "") -> str:
    """Return the description with these notes and this marker; page: the address that a link leads to."""
    return "\n\n".join(filter(None, [notes, _line(marker, page) if marker else ""]))


def with_marker(description: str, marker: Marker | None, page: str = "") -> str:
    """Return a description with another marker in place of the old one; None removes it."""
    lines = description.split("\n")
    number = _marker_line(lines)
    if number is None and marker is not None:  # the user may have written something below our link
        number = next((n for n, line in enumerate(lines) if _is_link_of(line, marker)), None)
    if marker is not None and number is not None and not page:
        lines[number] = write_marker(marker)
        return "\n".join(lines)
    rest = lines if number is None else lines[:number] + lines[number + 1 :]
    return join("\n".join(rest).strip(), marker, page)


def _marker_line(lines: list[str]) -> int | None:
    """Return the number of the line with our marker.

    A link counts only as the last line: further up, it is one that a user pasted.
    """
    last = next((n for n in range(len(lines) - 1, -1, -1) if lines[n].strip()), None)
    if last is not None and _LINK.fullmatch(lines[last]):
        return last
    return next((n for n in range(len(lines) - 1, -1, -1) if _MARKER.fullmatch(lines[n])), None)


def _line(marker: Marker, page: str) -> str:
    """Return the marker as a line: as it is, or as the end of a link, of which Todoist shows one word.

    Browsers do not send that end, behind the `#`, to the page.
    """
    if not page:
        return write_marker(marker)
    address = quote(page, safe=_IN_ADDRESSES)
    return f"[backplan]({address}#{quote(marker.key)}?{quote(write_marker(marker))})"


def _decoded(line: str) -> str:
    """Return the text of a marker: Todoist may have encoded a link once more."""
    link = _LINK.fullmatch(line)
    return unquote(unquote(link["marker"])).strip() if link else line.strip()


def _is_link_of(line: str, marker: Marker) -> bool:
    found = read_line(_decoded(line), "") if _LINK.fullmatch(line) else None
    return found is not None and found.nonce == marker.nonce


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
