"""Says why a step ends earlier than what follows it asks for: what else its person has to do on those days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from config.display import clean, count, near
from config.project import ME, person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_DAY = timedelta(days=1)
_NAMED = 3  # steps that one sentence names


@dataclass(frozen=True, order=True, slots=True)
class _Other:
    """Another step of the same person: its first and last day, and its title with its goal."""

    start: date
    due: date
    name: str


def sentence(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep) -> str:
    """Return why a step does not end on the day on which it could; empty if it has no such day, or nothing is there."""
    if step.due is None or step.could is None or not step.open:
        return ""
    who, due, could = person(step.step, goal.goal), step.due, step.could
    others = [one for one in _steps_of(schedule, who, goal) if one.start <= could and one.due > due]
    if not others:
        return ""
    days = [day for n in range((could - due).days) if goal.goal.calendar.why_free(day := due + (n + 1) * _DAY) is None]
    left = sum(not any(one.start <= day <= one.due for one in others) for day in days)
    short = f", and the {count(left, 'day')} left {'is' if left == 1 else 'are'} too short for it" if left else ""
    has = "you have" if who == ME else f"{clean(who)} has"
    earlier = count(len(days), "working day")
    return f"It could end on {near(could)}. It ends {earlier} earlier, because {has} {_list(others)}{short}."


def _steps_of(schedule: Schedule, who: str, goal: ScheduledGoal) -> list[_Other]:
    """Return the open steps that take a person's room, in order of dates."""
    return sorted(
        _Other(step.start, step.due, _named(step, of, goal))
        for of in schedule.goals
        for step in of.steps
        if step.step.takes_room and step.open and person(step.step, of.goal) == who
        if step.start is not None and step.due is not None
    )


def _named(step: ScheduledStep, of: ScheduledGoal, goal: ScheduledGoal) -> str:
    elsewhere = f" (of `{of.goal.id}`)" if of.goal.id != goal.goal.id else ""
    return f"“{clean(step.step.title)}”{elsewhere}"


def _list(others: Sequence[_Other]) -> str:
    """Return steps with their days, and how many more there are."""
    named = [
        f"{one.name} on {near(one.start)}"
        if one.start == one.due
        else f"{one.name} from {near(one.start)} to {near(one.due)}"
        for one in others[:_NAMED]
    ]
    if len(others) > _NAMED:
        named.append(count(len(others) - _NAMED, "more step"))
    *most, last = named
    return " and ".join(filter(None, [", ".join(most), last]))
