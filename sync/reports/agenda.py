"""The agenda: steps that are overdue, due, to begin or under way, the days ahead, and the open goals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from config import display
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_URGENCY = (State.MISSED, State.LATE, State.AT_RISK, State.ON_TRACK, State.NO_STEP_LEFT, State.GIVEN_UP, State.DONE)
_OVER = (State.GIVEN_UP, State.DONE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An open step with its first day and its last, and the goal that it belongs to."""

    goal: ScheduledGoal
    step: ScheduledStep
    start: date
    due: date


@dataclass(frozen=True, slots=True)
class Day:
    """A day ahead: the steps that are due, and those that begin and are due later."""

    date: date
    due: tuple[Entry, ...]
    begins: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Agenda:
    """The steps to work on, on a day and on the days after it.

    - overdue: those overdue longest first
    - due: those due today
    - begins: those that begin today and are due later
    - under_way: those that began earlier, the earliest first
    - days: the days ahead on which a step is due or begins
    - goals: those that are not over, the most urgent first
    - following: the first step to come, if there is nothing to do on any of these days
    """

    today: date
    overdue: tuple[Entry, ...]
    due: tuple[Entry, ...]
    begins: tuple[Entry, ...]
    under_way: tuple[Entry, ...]
    days: tuple[Day, ...]
    goals: tuple[ScheduledGoal, ...]
    following: Entry | None

    @property
    def parts(self) -> list[tuple[str, tuple[Entry, ...]]]:
        """The parts of today that are not empty, with their names."""
        named = (
            ("Overdue", self.overdue),
            ("Due today", self.due),
            ("Begin today", self.begins),
            ("Under way", self.under_way),
        )
        return [(name, entries) for name, entries in named if entries]


def agenda(value: Schedule, days: int = 1) -> Agenda:
    """Return the agenda of the schedule's day and the `days` - 1 days after it."""
    today = value.today
    entries = sorted(_entries(value), key=lambda entry: (entry.due, entry.start))
    ahead = [entry for entry in entries if entry.due > today]
    coming = tuple(_days(ahead, today, today + timedelta(days - 1)))
    idle = not coming and all(entry.start > today for entry in entries)
    return Agenda(
        today,
        tuple(entry for entry in entries if entry.due < today),
        tuple(entry for entry in entries if entry.due == today),
        tuple(entry for entry in ahead if entry.start == today),
        tuple(sorted((entry for entry in ahead if entry.start < today), key=lambda entry: entry.start)),
        coming,
        tuple(by_urgency(goal for goal in value.goals if goal.state not in _OVER)),
        min(ahead, key=lambda entry: (entry.start, entry.due), default=None) if idle else None,
    )


def _entries(value: Schedule) -> Iterator[Entry]:
    for goal in value.goals:
        for step in goal.steps if goal.state not in _OVER else ():
            if step.open and step.start and step.due:
                yield Entry(goal, step, step.start, step.due)


def _days(ahead: Sequence[Entry], today: date, last: date) -> Iterator[Day]:
    day = today + timedelta(1)
    while day <= last:
        due = tuple(entry for entry in ahead if entry.due == day)
        begins = tuple(entry for entry in ahead if entry.start == day < entry.due)
        if due or begins:
            yield Day(day, due, begins)
        day += timedelta(1)


def by_urgency(goals: Iterable[ScheduledGoal]) -> list[ScheduledGoal]:
    """Return the goals, the most urgent first: by state, then days in hand, then deadline."""
    return sorted(goals, key=lambda goal: (_URGENCY.index(goal.state), goal.margin or 0, goal.deadline))


def when(entry: Entry, today: date) -> str:
    """Return in words when an entry of today is due; empty if that is today."""
    if entry.due < today:
        return f"was due {display.near(entry.due)}, {display.days((today - entry.due).days)} ago"
    return f"until {display.near(entry.due)}" if entry.due > today else ""


def idle(value: Agenda) -> str:
    """Return a sentence if there is nothing to do; else an empty text."""
    if value.parts or value.days:
        return ""
    if value.following is None:
        return "Nothing is left to do." if not value.goals else "Nothing to do: no open step has a date."
    start = display.near(value.following.start)
    return f"Nothing to do yet. The next step begins {start}: {display.clean(value.following.step.step.title)}."
