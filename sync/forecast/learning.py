"""Compares the days that done steps took with the days that were planned for them.

The planned dates are those of the plan published last, which keeps the dates of done steps. How long a step took is not
recorded. It ends on the day it was ticked, and begins:
- on its planned start, or on the day after the steps before it were done, if that was later;
- on the day after the steps before it were done, if it was done before its planned start.

Steps do not count if it is not known when they began, if they have no length of their own, if they repeat, or if they
are appointments or milestones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.durations import Unit
from config.keys import goal_of
from sync.schedule.working_days import WorkingDays

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.calendars import Calendar
    from config.project import Goal, Step
    from sync.schedule.model import Progress, Schedule

LEAST_STEPS = 5  # fewer show nothing
_SAME = 0.1  # a smaller difference from 1 counts as no difference
_KINDS = ("all", "label", "who")


@dataclass(frozen=True, slots=True)
class Lesson:
    """The days that done steps took and those planned for them: of all steps, of a label, or of a person.

    `kind` is "all", "label" or "who"; `name` is the label or the person.
    """

    kind: str
    name: str | None
    steps: int
    planned_days: int
    taken_days: int

    @property
    def factor(self) -> float:
        """How many times the planned days the steps took."""
        return self.taken_days / self.planned_days

    @property
    def is_notable(self) -> bool:
        """Whether steps take noticeably more or less than planned."""
        return abs(self.factor - 1) >= _SAME


def lessons(schedule: Schedule) -> tuple[Lesson, ...]:
    """Return the lessons from at least five done steps each: from all steps first, then by label and by person."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    calendars: dict[Calendar, WorkingDays] = {}
    for goal in schedule.goals:
        days = calendars.setdefault(goal.goal.calendar, WorkingDays(goal.goal.calendar, schedule.today))
        for step in goal.goal.steps:
            measured = _measured(step, days, schedule.progress)
            if measured is None:
                continue
            for group in _groups(goal.goal, step):
                count, planned, taken = sums.get(group, (0, 0, 0))
                sums[group] = count + 1, planned + measured[0], taken + measured[1]
    found = sorted(sums.items(), key=lambda item: (_KINDS.index(item[0][0]), item[0][1]))
    return tuple(Lesson(kind, name or None, *sums) for (kind, name), sums in found if sums[0] >= LEAST_STEPS)


def _groups(goal: Goal, step: Step) -> list[tuple[str, str]]:
    """Return the kind and name of each lesson that a step counts for."""
    who = step.who or goal.who
    labels = dict.fromkeys((*goal.labels, *step.labels))
    return [("all", ""), *(("label", label) for label in labels), *([("who", who)] if who else [])]


def _measured(step: Step, days: WorkingDays, progress: Progress) -> tuple[int, int] | None:
    """Return the planned and the taken working days of a done step; None if they are not known."""
    done, published = progress.done.get(step.key), progress.published.get(goal_of(step.key))
    if done is None or published is None or step.key not in published.dates:
        return None
    if step.takes is None or step.grows or step.anchored or not step.takes.amount:
        return None
    start, due = published.dates[step.key]
    planned = days.position(due.toordinal()) - days.position(start.toordinal() - 1)
    if step.takes.unit is Unit.WORKING_DAYS:
        planned = step.takes.amount  # a squeezed plan gives it less than was written
    began = published.began.get(step.key, start)
    before = _day_before(step, began.toordinal() - 1, done.toordinal(), days, progress.done)
    if before is None or not planned:
        return None
    return planned, max(1, days.position(done.toordinal()) - days.position(before))


def _day_before(step: Step, planned: int, done: int, days: WorkingDays, others: Mapping[str, date]) -> int | None:
    """Return the last day, working or not, before a step began; None if it is not known.

    planned: that day by the plan. done: the day on which the step was done. others: the days on which others were.
    """
    if any(link.key not in others for link in step.after):
        return None
    ends = [
        days.after(others[link.key].toordinal(), link.wait) if link.wait else others[link.key].toordinal()
        for link in step.after
    ]
    candidates = ends if done <= planned else [planned, *ends]
    found = max(candidates, default=done)
    return found if found < done else None
