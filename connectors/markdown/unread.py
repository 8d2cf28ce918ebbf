"""Finds the part of a line of ours in a Markdown list that cannot be read: its column, and how to correct it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.days import is_far, weekday_clash
from connectors.markdown.line import STATES
from connectors.markdown.signs import is_day_alone

if TYPE_CHECKING:
    from datetime import date

    from connectors.markdown.line import Line

_LONGEST_QUOTE = 40
_SECOND_BOX = re.compile(r"(?:[-*+][ ]+)?\[[^\[\]]?\](?=\s|$)")
_STAYS = "the line is left as it is"


def unread(line: Line, due: date | None, below: str, *, was_done: bool) -> tuple[int, str] | None:
    """Return the column of the part that cannot be read, and how to correct it; None if there is none.

    - due: the date written last.
    - below: the following line, if it is indented further.
    - was_done: the step counts as done.

    A ticked or cancelled task needs no date.
    """
    if line.state is None or (was_done and line.state in STATES):
        return _unread_box(line, was_done=was_done)
    title = line.content.title
    if not title:
        return line.box_at + 1, f"there is no title; {_STAYS}"
    if not line.as_written and _SECOND_BOX.match(title):
        return line.box_at + 1, f"there is a second box behind the first; leave one of them; {_STAYS}"
    if line.done or line.cancelled:
        return None
    return _unread_date(line, due, below)


def _unread_box(line: Line, *, was_done: bool) -> tuple[int, str]:
    at, box = line.box_at + 1, _quoted(f"[{line.box}]")
    if (behind := line.box_behind) is not None:
        return behind + 1, f"the box stands behind the comment of backplan; put the comment behind the title; {_STAYS}"
    if not line.boxed:
        return at, f"there is no box: `- [ ]` is open, `- [x]` is done; {_STAYS}"
    if was_done and line.state is not None:
        return at, f"the step is done, and the box {box} does not say that it is not: `[ ]` reopens it, `[x]` keeps it"
    return at, f"the box {box} cannot be read: `[ ]` is open, `[x]` is done; {_STAYS}"


def _unread_date(line: Line, due: date | None, below: str) -> tuple[int, str] | None:
    stays = f"the date stays {due.day} {due:%B} {due.year}" if due else "no date is taken from it"
    until = f"{stays} until it can be read"
    if found := line.doubtful:
        clash = f", as {clash}" if (clash := weekday_clash(found[1])) else ""
        return found[0] + 1, f"cannot read the date {_quoted(found[1])}{clash}; write it like 2027-05-09; {until}"
    day = line.content.due
    if day is None and (found := line.unsigned):
        return found[0] + 1, f"{_quoted(found[1])} is a date without 📅; write 📅 before it; {until}"
    if day is None and is_day_alone(below):
        return 1, f"a date without 📅 stands in the line below; write it into this line, behind 📅; {until}"
    if is_far(day, due):
        return line.box_at + 1, f"the date {day} is more than 20 years from the one that was written; {until}"
    return None


def _quoted(text: str) -> str:
    short = text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"
    return f"`{short.replace('`', '')}`"
