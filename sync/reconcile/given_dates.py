"""Reads off one step's tasks which date the user gave it, in any app: its pin. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.reconcile import digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from config.project import Step
    from connectors.model import Task
    from sync.reconcile.moved_deadlines import Shift
    from sync.reconcile.view import ServiceView


@dataclass(frozen=True, slots=True)
class PlannedFrom:
    """The deadline of a goal, as `digests.deadlines` has it, and how the user moved it, if in an app."""

    deadline: str
    shift: Shift | None


def pin(planned_from: PlannedFrom, step: Step, views: Iterable[ServiceView]) -> date | None:
    """Return the date that the user gave the step: a new one before one that an earlier run has pinned.

    There is none where the file has since changed what sets this date. But where the user moved the goal as well, a new
    date was given in view of that. To clear the date in one app gives it back to the plan, in every app.
    """
    there = _pinnable(step, views)
    tasks = _planned(there, planned_from.deadline, step)
    moved = [task.content.due for task in tasks if task.content.due != task.marker.due]
    pinned = [task.content.due for task in tasks if task.content.due == task.marker.due and task.marker.pinned]
    if shift := planned_from.shift:
        moved += [task.content.due for task in _planned(there, shift.deadline, step) if shift.is_pin(task)]
    return None if None in moved else next(filter(None, [*moved, *pinned]), None)


def _planned(tasks: Sequence[Task], deadline: str, step: Step) -> list[Task]:
    """Return the tasks of a step whose date was planned from a deadline and from the step's keys as they are now."""
    timing = digests.timing(deadline, step) if tasks else ""
    return [task for task in tasks if task.marker.applied.get("timing") == timing]


def _pinnable(step: Step, views: Iterable[ServiceView]) -> list[Task]:
    """Return the tasks whose date may be a pin. One that cannot be read keeps its pin, and counts only if alone."""
    there = [view.tasks[step.key] for view in views if step.key in view.tasks]
    tasks = [task for task in there if not (task.recurring or task.dropped)]
    return [task for task in tasks if not task.unread] or tasks
