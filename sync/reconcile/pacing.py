"""Limits a plan to the part that fits into one run, where a service limits how fast it may be written to.

Tasks that are created, changed or removed may wait. Completed tasks may not, nor what belongs to them, as they have to
reach every app in the same run. The heartbeat may not, as it shows that runs go on. A change that waits is skipped, and
the next run plans it again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, goal_of
from connectors.base import Action
from sync.reconcile.change import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.base import Pace
    from sync.reconcile.change import Change, ConnectorPlan

WAITS = "waits for a later run: more do not fit into this one"
_CAN_WAIT = (Action.CREATE, Action.UPDATE, Action.REMOVE)


def within(plan: ConnectorPlan, pace: Pace) -> ConnectorPlan:
    """Return the plan with what fits into a run, nearest dates first, and the budget for it."""
    able = [change for change in plan.writes if _can_wait(change)]
    room = max(pace.a_run - (len(plan.writes) - len(able)), 0)
    waiting = {id(change) for change in _by_date(able)[room:]}
    changes = tuple(
        replace(change, status="skipped", reason=f"{change.reason}; {WAITS}") if id(change) in waiting else change
        for change in plan.changes
    )
    count = len(plan.writes) - len(waiting)
    minutes = round(count / pace.a_minute)
    return replace(plan, changes=changes, budget=Budget(ceil(count / pace.a_request), minutes, len(waiting)))


def _can_wait(change: Change) -> bool:
    write = change.write
    able = change.action in _CAN_WAIT and change.key != HEARTBEAT
    return write is not None and able and "parent" not in write.fields


def _by_date(changes: Iterable[Change]) -> list[Change]:
    """Return changes with the nearest dates first; a goal's own comes before the first of its steps."""
    changes = list(changes)
    first: dict[str, date] = {}
    for change in changes:
        goal_id = goal_of(change.key)
        first[goal_id] = min(first.get(goal_id, date.max), _day(change))
    return sorted(changes, key=lambda c: (_day(c), 1) if "/" in c.key else (first[c.key], 0))


def _day(change: Change) -> date:
    content = change.write.content if change.write else None
    return content.due if content and content.due else date.max
