"""Tells a pin from a date that the plan gives anyway. Pure.

A user who moves a task to the very day that the plan gives its step changes nothing: the step needs no pin, and later
plans may move it. A date in doubt is a pin: one that agrees with the plan only because of another one that was moved
with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date

    from sync.reconcile.view import ServiceView
    from sync.schedule.model import Progress, Schedule

_ROUNDS = 4  # a date that needs more of them is a pin: a schedule of a large plan takes a second


def without_needless_pins(
    progress: Progress, views: Collection[ServiceView], schedule: Callable[[Progress], Schedule]
) -> Progress:
    """Return the progress without the pins that change nothing.

    Only dates that were moved since the last run are looked at: an older pin stays until it is released. schedule:
    returns the schedule for a progress; it is called at most four times, and never if no date was moved.
    """
    needless = {key for key, day in progress.pins.items() if _is_fresh(key, day, views)}
    for _ in range(_ROUNDS):
        if not needless:
            break
        without = replace(progress, pins={key: day for key, day in progress.pins.items() if key not in needless})
        dues = {step.step.key: step.due for goal in schedule(without).goals for step in goal.steps}
        needed = {key for key in needless if dues.get(key) != progress.pins[key]}
        if not needed:
            return without
        needless -= needed
    return progress


def _is_fresh(key: str, day: date, views: Collection[ServiceView]) -> bool:
    """Return whether the user moved the task of a step to this day since the last run, in any app."""
    tasks = (view.tasks[key] for view in views if key in view.tasks)
    return any(task.content.due == day != task.marker.due for task in tasks)
