"""A schedule as the files of a site: the pages, the calendars to subscribe to, and the plan as JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sync.reports import as_json, html, ics
from sync.reports.publishing import FOLDER, file_name

if TYPE_CHECKING:
    from sync.reports.publishing import Publishing
    from sync.schedule.model import Schedule


def site(value: Schedule, publishing: Publishing) -> dict[str, bytes]:
    """Return the content of each file by its path."""
    files = {path: page.encode() for path, page in html.pages(value, publishing)}
    files["plan.json"] = as_json.text(as_json.schedule(value)).encode()
    files["calendar.ics"] = ics.schedule(value, publishing)
    for goal in value.goals:
        alone = replace(value, goals=(goal,))
        files[f"{FOLDER}/{file_name(goal.goal.id)}.ics"] = ics.schedule(alone, publishing)
    return files
