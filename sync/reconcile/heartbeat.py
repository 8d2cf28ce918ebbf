"""The heartbeat: one small task that each run moves ahead, so that it becomes overdue in the app when runs stop.

It is no goal: schedule, progress and limits leave it out. In a connector it has a key and a memory as a goal has, so
that the rules for all tasks hold for it: it is created once, found again, and left to the user who deletes it.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from config.calendars import EVERY_DAY
from config.display import day
from config.keys import HEARTBEAT
from connectors.model import Content, digest
from sync.reconcile.desired import DesiredGoal, DesiredTask
from sync.schedule.working_days import WorkingDays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.durations import Duration
    from connectors.model import StoredGoal

TITLE = "backplan last ran on"
_NOTES = (
    "backplan moves this task ahead once a day, when it has read all your apps. If it is overdue, that has not "
    "happened for some days. On GitHub, open your repository's tab Actions: a red run says what to do; if there has "
    "been no run lately, press Enable workflow, then Run workflow. On a computer of your own, run `backplan doctor`."
    "\n\nDelete this task, and it stays away until you change `heartbeat:` in the goals file."
)


def due(every: Duration, today: date) -> date:
    """Return the day on which the heartbeat becomes due when it is moved today."""
    return date.fromordinal(WorkingDays(EVERY_DAY, today).after(today.toordinal(), every))


def wanted(every: Duration, today: date, memory: Mapping[str, StoredGoal]) -> DesiredGoal:
    """Return the heartbeat as the app should hold it after a run of today, due `every` ahead."""
    task = DesiredTask(
        key=HEARTBEAT,
        content=Content(f"{TITLE} {day(today)}", due(every, today), _NOTES),
        timing="",
        definition=digest(str(every)),
    )
    before = memory.get(HEARTBEAT)
    # The memory stays the same from day to day, so that it is not written with every beat.
    return DesiredGoal(HEARTBEAT, (task,), before.made if before and before.made else today, "", first_sync=today)
