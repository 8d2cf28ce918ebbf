"""What to warn of in a goal's dates, as values; `sync.reports.warnings` has the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from config.durations import Duration
    from config.errors import Problem
    from config.project import Goal, Step


@dataclass(frozen=True, slots=True)
class GoalWarning:
    """Something about a goal's dates that the user should know."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed(GoalWarning):
    """The deadline has passed, and open steps are left."""

    goal: Goal
    deadline: date


@dataclass(frozen=True, slots=True)
class Late(GoalWarning):
    """The goal does not fit before its deadline; it lacks some working `days`. `fits` is the earliest that fits."""

    days: int
    fits: date | None


@dataclass(frozen=True, slots=True)
class NoDeadlineFits(GoalWarning):
    """The goal is late, and no later deadline would help."""


@dataclass(frozen=True, slots=True)
class StartsTooEarly(GoalWarning):
    """The step would have to begin on `start`, before its earliest start; `when_late` leaves the plan as it is."""

    step: Step
    start: date
    earliest: date


@dataclass(frozen=True, slots=True)
class MoreStartTooEarly(GoalWarning):
    """So many more steps would have to begin before they can."""

    count: int


@dataclass(frozen=True, slots=True)
class LessTime(GoalWarning):
    """Some of the steps have less time than is written; `fits`: that is all it takes for the plan to fit."""

    steps: int
    of: int
    fits: bool


@dataclass(frozen=True, slots=True)
class SharedDays(GoalWarning):
    """There are fewer working days than steps: these steps share days."""

    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class ShortWait(GoalWarning):
    """The wait between two steps does not fit: the second one `begins` before it is over."""

    wait: Duration
    before: Step
    after: Step
    begins: date


@dataclass(frozen=True, slots=True)
class NoDayLeft(GoalWarning):
    """No working day is left for a step before `until`: the day of the `fixed` step, or the deadline."""

    step: Step
    until: date
    fixed: Step | None


@dataclass(frozen=True, slots=True)
class OutOfOrder(GoalWarning):
    """The day `due` of a step leaves no working day for it after the step before it, which is due on `before_due`."""

    step: Step
    due: date
    before: Step
    before_due: date


@dataclass(frozen=True, slots=True)
class AfterDeadline(GoalWarning):
    """The step has a day after the deadline that it leads to."""

    step: Step
    due: date


@dataclass(frozen=True, slots=True)
class Skipped(GoalWarning):
    """There is no time for an optional step."""

    step: Step


@dataclass(frozen=True, slots=True)
class DeadlineTooNear(GoalWarning):
    """The template knows that such a goal usually takes longer."""

    at_least: Duration


@dataclass(frozen=True, slots=True)
class Overdue(GoalWarning):
    """The steps are overdue, each since the day after its due date."""

    steps: Sequence[tuple[Step, date]]


@dataclass(frozen=True, slots=True)
class GivenUp(GoalWarning):
    """The user cancelled the goal in the connectors with these labels, but not in all of them."""

    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Held(GoalWarning):
    """A rename is in doubt: until it is clear, nothing of the goal is changed."""

    problem: Problem
