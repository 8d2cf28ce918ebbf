"""What to warn of in a goal's dates, as values; `sync.reports.warnings` has the words.

They are named tuples since a frozen dataclass takes ten times as long to define, and each run imports them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from config.durations import Duration
    from config.errors import Problem
    from config.project import Goal, Step


class DeadlinePassed(NamedTuple):
    """The deadline has passed, and open steps are left."""

    goal: Goal
    deadline: date


class Late(NamedTuple):
    """The goal does not fit before its deadline: it lacks so many working days; `fits` is the earliest that fits."""

    days: int
    fits: date | None


class NoDeadlineFits(NamedTuple):
    """The goal is late, and no later deadline would help."""

    goal: Goal


class StartsTooEarly(NamedTuple):
    """The step would have to begin on `start`, before its earliest start; `when_late` leaves the plan as it is."""

    step: Step
    start: date
    earliest: date


class MoreStartTooEarly(NamedTuple):
    """More steps than are named would have to begin before they can."""

    more: int


class Remedy(NamedTuple):
    """What was tried and makes room for all steps of a person: another one does a step, or the person more at once."""

    who: str
    step: Step | None = None
    at_once: int | None = None


class NoRoom(NamedTuple):
    """The persons of these steps have no room for them: they keep the latest day that what follows them leaves."""

    steps: Sequence[Step]
    remedies: Sequence[Remedy] = ()


class MakesRoom(NamedTuple):
    """The published plan of the goal does not stand, so that others fit."""

    goals: Sequence[Goal]


class Waits(NamedTuple):
    """The goal waits: the plan of another goal with the same person could not be read."""


class LessTime(NamedTuple):
    """Some of the steps have less time than is written; `fits`: that is all it takes for the plan to fit."""

    steps: int
    of: int
    fits: bool


class SharedDays(NamedTuple):
    """There are fewer working days than steps: these steps share days."""

    steps: Sequence[Step]


class ShortWait(NamedTuple):
    """The wait between two steps does not fit: the second one `begins` before it is over."""

    wait: Duration
    before: Step
    after: Step
    begins: date


class NoDayLeft(NamedTuple):
    """No working day is left for a step before `until`: the day of the `fixed` step, or the deadline."""

    step: Step
    until: date
    fixed: Step | None


class OutOfOrder(NamedTuple):
    """The day `due` of a step leaves no working day for it after the step before it, which is due on `before_due`."""

    step: Step
    due: date
    before: Step
    before_due: date


class AfterDeadline(NamedTuple):
    """The step has a day after the deadline that it leads to."""

    step: Step
    due: date


class Skipped(NamedTuple):
    """There is no time for an optional step."""

    step: Step


class DeadlineTooNear(NamedTuple):
    """The template knows that such a goal usually takes longer."""

    at_least: Duration


class Overdue(NamedTuple):
    """The steps are overdue, each since the day after its due date."""

    steps: Sequence[tuple[Step, date]]


class GivenUp(NamedTuple):
    """The user cancelled the goal in the connectors with these labels, but not in all of them."""

    labels: Sequence[str]


class Held(NamedTuple):
    """A rename is in doubt: until it is clear, nothing of the goal is changed."""

    problem: Problem


GoalWarning = (
    DeadlinePassed
    | Late
    | NoDeadlineFits
    | StartsTooEarly
    | MoreStartTooEarly
    | NoRoom
    | MakesRoom
    | Waits
    | LessTime
    | SharedDays
    | ShortWait
    | NoDayLeft
    | OutOfOrder
    | AfterDeadline
    | Skipped
    | DeadlineTooNear
    | Overdue
    | GivenUp
    | Held
)
