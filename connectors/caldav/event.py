"""A goal or step as an event (VEVENT) of whole days, from its first to its last, that makes nobody busy. Pure.

Calendars have no box to tick: `✓` before the title means done. An event needs a day: entries without a date, such as
the memory, are on 1 January 1970.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from icalendar import Event, vText

from connectors.caldav import component
from connectors.caldav.component import Parsed, day, day_like, set_shared, set_text, status_of, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from icalendar import Component

    from connectors.model import Content
    from connectors.snapshot import Row
    from connectors.tasks import Wanted

NAME, MANY = "VEVENT", "events"
FAR_BACK = date(1970, 1, 1)
_TICK = "✓"
_TICKED = re.compile(r"\s*(?:[✓✔☑✅]\ufe0f?\s*)+")
_STATES = ("TENTATIVE", "CONFIRMED", "CANCELLED")
_DAY = timedelta(days=1)


def canonical(content: Content) -> Content:
    """Return the content with a title that is not ticked."""
    return replace(content, title=_unticked(content.title) or "-")


def row(parsed: Parsed) -> Row:
    """Return the row of an event. Raises UnreadableError."""
    event = parsed.part
    title = str(event.get("SUMMARY", ""))
    dropped = status_of(event, _STATES) == "CANCELLED"
    first, last = _first(event), _last(event)
    dated = last != FAR_BACK
    return parsed.row(
        _unticked(title),
        due=last if dated else None,
        start=first if dated and first < last else None,
        done=_is_ticked(title) and not dropped,
        dropped=dropped,
    )


def new(wanted: Wanted, now: datetime, place: int) -> str:
    """Return the resource of a new event."""
    parsed = component.made(Event(), wanted, now, place)
    parsed.part["TRANSP"] = vText("TRANSPARENT")
    change(wanted, component.NEW)(parsed.part)
    return parsed.text


def change(wanted: Wanted, fields: frozenset[str]) -> Callable[[Component], None]:
    """Return a function that sets some fields of an event."""
    content = wanted.content

    def edit(event: Component) -> None:
        if "title" in fields:
            ticked = _is_ticked(str(event.get("SUMMARY", "")))
            set_text(event, "SUMMARY", f"{_TICK} {content.title}" if ticked else content.title)
        if not fields.isdisjoint({"due", "start"}):
            last = content.due or FAR_BACK
            _set_days(event, min(content.start or last, last), last)
        set_shared(event, wanted, fields)

    return edit


def closing(now: datetime) -> Callable[[Component], None]:
    """Return a function that puts a tick before the title, unless it has one."""
    del now  # an event has no time of completion

    def edit(event: Component) -> None:
        title = str(event.get("SUMMARY", ""))
        if not _is_ticked(title):
            event["SUMMARY"] = vText(f"{_TICK} {title}")

    return edit


def reopen(event: Component) -> None:
    """Remove the tick."""
    event["SUMMARY"] = vText(_unticked(str(event.get("SUMMARY", ""))))
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        event.pop("STATUS")


def _is_ticked(title: str) -> bool:
    return _TICKED.match(title) is not None


def _unticked(title: str) -> str:
    found = _TICKED.match(title)
    return title[found.end() :] if found else title


def _first(event: Component) -> date:
    found = day(event, "DTSTART")
    if found is None:
        raise component.UnreadableError("it has no DTSTART")
    return found


def _last(event: Component) -> date:
    """Return the last day. DTEND is the day, or the moment, after the end."""
    start, end, span = value(event, "DTSTART"), value(event, "DTEND"), value(event, "DURATION")
    first = _first(event)
    if isinstance(span, timedelta):
        end = start + span
    if end is None:
        return first
    before = not isinstance(end, datetime) or end.time() == time()
    last = end.date() if isinstance(end, datetime) else end
    return max(first, last - _DAY if before else last)


def _set_days(event: Component, first: date, last: date) -> None:
    """Set both days; an event with times keeps them."""
    start = event.get("DTSTART")
    timed = isinstance(getattr(start, "dt", None), datetime)
    end = event.get("DTEND") if timed else None
    at_midnight = not timed or (end is not None and end.dt.time() == time())
    event["DTSTART"] = day_like(first, start if timed else None)
    event.pop("DURATION", None)
    if not timed or end is not None:
        event["DTEND"] = day_like(last + _DAY if at_midnight else last, end)
    elif first < last:
        event["DTEND"] = day_like(last, start)
    else:
        event.pop("DTEND", None)
