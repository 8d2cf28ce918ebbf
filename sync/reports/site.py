"""A schedule as the files of a site: the pages, the calendars to subscribe to, and the plan as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.reports import as_json, html, ics
from sync.reports.publishing import FOLDER, file_name

if TYPE_CHECKING:
    from sync.reports.publishing import Publishing
    from sync.schedule.model import Schedule


def site(value: Schedule, publishing: Publishing) -> dict[str, bytes]:
    """Return the content of each file by its path."""
    files = {path: page.encode() for path, page in html.pages(value, publishing).items()}
    files["plan.json"] = as_json.text(as_json.schedule(value)).encode()
    for goal_id, calendar in ics.calendars(value, publishing):
        files[f"{FOLDER}/{file_name(goal_id)}.ics" if goal_id else "calendar.ics"] = calendar
    return files
