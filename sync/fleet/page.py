"""The report of a fleet as a page for the coach: one file that needs no script and sends no request."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from config import display
from sync.fleet import report
from sync.reports.html import environment
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST = 1000  # rows of a table, and failures: with more, a phone does not open the page
_BROKEN = ("failed", "held")
_WELL = (State.ON_TRACK, State.DONE)


def html(results: Sequence[Mapping[str, Any]], today: date) -> str:
    """Return the page: counts, what failed and why, who needs help, and all others."""
    found = report.rows(results, today)
    with display.near_to(today):
        return (
            environment(today)
            .get_template("fleet.html")
            .render(
                title="How everybody stands",
                accounts=len(found),
                counts=report.counts(found),
                broken=[row for row in found if row.need in _BROKEN],
                in_need=[row for row in found if row.need not in (*_BROKEN, *_WELL)],
                well=[row for row in found if row.need in _WELL],
                most=_MOST,
                word=report.word,
                due=_due,
            )
        )


def _due(goal: Mapping[str, Any]) -> str:
    return display.near(date.fromisoformat(goal["due"])) if goal.get("due") else ""
