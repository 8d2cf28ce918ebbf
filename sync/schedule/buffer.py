"""The use of a goal's buffer against the share of its work that is done: the fever chart of critical chain planning.

The lines of the chart, by the share of the work on the longest chain that is done:

    yellow  from 0% of the buffer used (nothing is done) to 60% (all is done)
    red     from 30% to 90%

So a delay at the beginning counts for more than the same delay near the end. There is no standard for the lines; these
follow the advice in ProChain's "Fever Chart Regions" (https://www.prochain.com/fever-chart-regions/): the yellow region
begins at the origin, the red one at 10 to 40%, and it ends early enough to recover from a last delay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule.backward_pass import FIXED
from sync.schedule.model import Buffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import ScheduledStep


def consumption(
    steps: Iterable[ScheduledStep], waiting: Iterable[ScheduledStep], plan: GoalPlan, today: date
) -> Buffer | None:
    """Return the use of a goal's buffer, by the earliest finish of the open steps that its limit binds.

    waiting: the open steps before the deadline. None without a buffer.
    """
    days, limit = plan.graph.window.days, plan.graph.window.limit
    size = days.position(plan.graph.window.deadline) - days.position(limit)
    if not size:
        return None
    finish = max((s.early_finish.toordinal() for s in waiting if not s.step.anchored and s.due), default=limit)
    used = max(0, days.position(finish) - days.position(limit))
    by_key = {step.step.key: step for step in steps}
    return Buffer(size, used, _done(by_key, plan, today.toordinal()) if waiting else 1.0)


def _done(steps: Mapping[str, ScheduledStep], plan: GoalPlan, today: int) -> float:
    """Return the share of the working days on the longest chain, as the file defines it, that is done."""
    defined, graph = plan.defined, plan.graph
    moving = [i for i in range(len(graph.steps)) if defined.driver[i] != FIXED]
    total = passed = 0
    for i in defined.path(min(moving, key=lambda i: (defined.begin[i], i))) if moving else ():
        step, length = steps.get(graph.steps[i].key), int(defined.end[i] - defined.begin[i])
        if step is None or step.dropped:
            continue  # one that repeats has no length of its own: it fills the available time
        total += length
        if step.done:
            passed += length
        elif step.overdue and all(before in plan.closed for before, _ in graph.previous[i]):
            passed += max(0, length - 1)  # one day is reserved for it
        elif (start := step.early_start.toordinal()) < today:
            days = graph.window.days
            passed += min(length, days.position(today - 1) - days.position(start - 1))
    return passed / total if total else 0.0
