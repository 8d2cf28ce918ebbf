"""Turns the issues that were read into the connector's snapshot: each issue of ours is a task, with its content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connectors.days import is_far
from connectors.github.body import in_order, read_notes, read_title
from connectors.github.closing import DONE, NOT_PLANNED
from connectors.github.date_line import day_without_due, in_words
from connectors.github.unmarked import strays
from connectors.model import Content, Snapshot, Task, digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import Marker
    from connectors.ownership import Found

_REMEDY = "Restore their text: “edited” above it shows earlier ones"


def snapshot_of(reading: Reading) -> Snapshot:
    """Return the snapshot; store in the reading the keys of our issues, and of those that block each of them."""
    found = reading.ownership.classify(reading.managed())
    ours = (*found.originals, *found.copies)
    numbers = {one.id for one in ours}
    reading.keys = {}
    for one in ours:  # of two with one nonce, the original comes first
        reading.keys.setdefault(one.marker.nonce, one.marker.key)
    reading.linked = {one.id: _after(reading, one.task) for one in ours}
    below = _own_children(reading, numbers)
    return Snapshot(
        tuple(_task(reading, one, below) for one in found.originals),
        tuple(_task(reading, one, below) for one in found.copies),
        reading.memory,
        remembers=bool(reading.memory) or not found.originals,
        others=found.others,
        damaged=found.damaged,
        damage=reading.damage,
        remedy=reading.remedy if reading.damage else _REMEDY,
        account=frozenset({reading.facts.login} - {""}),
        strays=tuple(strays(reading.by_number(), reading.label, numbers, partial(content_of, reading))),
    )


def _own_children(reading: Reading, ours: set[str]) -> dict[str, int]:
    count: dict[str, int] = {}
    for number in ours:
        parent = reading.issues[number].parent
        count[parent] = count.get(parent, 0) + 1
    return count


def _task(reading: Reading, found: Found[Issue], below: Mapping[str, int]) -> Task:
    issue, marker = found.task, found.marker
    robot, unread = reading.robots.get(issue.number, ""), _unread(issue, marker)
    done = not issue.open and issue.reason in DONE
    dropped = not issue.open and issue.reason in NOT_PLANNED and not robot
    moment = issue.closed_at if done else None
    if unread:  # then nothing about it has changed
        state = reading.ownership.state(marker.key)
        done, dropped = state == "done", state == "dropped"
    return Task(
        issue.number,
        content_of(reading, issue, marker),
        marker,
        done=done,
        done_at=moment,
        dropped=dropped,
        touched=bool(issue.comments or issue.body.added or issue.children > below.get(issue.number, 0)),
        unread=unread,
        remark=_closed_by(issue, robot) if robot else "",
    )


def content_of(reading: Reading, issue: Issue, marker: Marker | None) -> Content:
    """Return the content of an issue, without our additions; `marker` is None for an issue that is not ours."""
    body = issue.body
    applied = marker.applied.get("who") if marker else None
    who = next((login for login in issue.assignees if digest(login) == applied), next(iter(issue.assignees), ""))
    return Content(
        read_title(issue.title),
        _due(reading, issue, marker),
        read_notes(body.notes, meant=body.meant),
        in_order(issue.labels, reading.label),
        start=body.dates.start,
        who=who,
        checklist=body.checklist,
        after=_after(reading, issue),
    )


def _due(reading: Reading, issue: Issue, marker: Marker | None) -> date | None:
    """Return when an issue is due: the date that a user wrote in its body, else the one that they set outside of it.

    A date outside of the body is the user's if we neither wrote it last nor planned to write it.
    """
    if marker is not None and _unread_day(issue, marker):
        return marker.due
    due, item, aside = issue.body.dates.due, reading.items.get(issue.number), issue.body.aside
    if marker is None or due != marker.due:
        return due
    planned = reading.planned(marker.key)
    if item is not None and item.date not in (aside.project, *planned):
        return item.date
    return due if issue.shown.due in (None, aside.field, *planned) else issue.shown.due


def _after(reading: Reading, issue: Issue) -> tuple[str, ...]:
    """Return the keys of the issues that block an issue of ours."""
    if issue.number in reading.blocked_by:
        others = [reading.issues[number] for number in reading.blocked_by[issue.number] if number in reading.issues]
        return tuple(sorted(marker.key for other in others if (marker := reading.ours(other))))
    return tuple(sorted(key for nonce in issue.body.aside.blocked_by if (key := reading.keys.get(nonce))))


def _closed_by(issue: Issue, robot: str) -> str:
    reason = issue.reason.replace("_", " ")
    return f"#{issue.number}: closed as {reason} by `{robot}`, a robot: it counts as open"


def _unread(issue: Issue, marker: Marker) -> str:
    """Return a sentence on the part of an issue that cannot be read; empty if there is none."""
    if not issue.open:  # then it keeps the dates that it had
        known = issue.reason in (*NOT_PLANNED, *DONE)
        return "" if known else f"#{issue.number}: closed as `{issue.reason}`, which is not known here; update backplan"
    if not (words := _unread_day(issue, marker)):
        return ""
    stays = f"the date stays {in_words(marker.due)}" if marker.due else "there is no date"
    return (
        f"#{issue.number}: cannot read the date `{words}`; {stays} until it can be read. Write it as in `Due 9 May "
        "2027` or `Due 2027-05-09`"
    )


def _unread_day(issue: Issue, marker: Marker) -> str:
    """Return the text of an issue's date that cannot be read or is too far away; empty if there is none.

    If the date line is missing and a user changed the notes, a day in the notes may be meant as the date.
    """
    body, due = issue.body, issue.body.dates.due
    if body.unread:
        return body.unread
    if not body.line and marker.due is not None:
        changed = digest(read_notes(body.notes, meant=body.meant)) != marker.applied.get("notes")
        return day_without_due(body.above + body.notes) if changed else ""
    return in_words(due) if due and is_far(due, marker.due) else ""
