"""The schedule as values: what goes into the scheduler besides the goals, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from config.project import NO_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.durations import Duration
    from config.project import Goal, Step
    from sync.schedule.warnings import GoalWarning


@dataclass(frozen=True, slots=True)
class Published:
    """The plan of one goal as it was last published.

    `made` is the day it was computed, `digest` its timing digest, `dates` the start and due of each step that was open.
    `began` has the day from which on a step counts as under way, if that is not its start.
    """

    made: date
    digest: str
    dates: Mapping[str, tuple[date, date]]
    began: Mapping[str, date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the user did, in the apps and in the goals file. Keys are `goal/step`, or `goal` for a whole goal.

    `given_up` are the goals that were cancelled in each of their apps; their steps count as dropped.
    `unread` are the goals with a place that could not be read.
    """

    done: Mapping[str, date] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    pins: Mapping[str, date] = field(default_factory=dict)
    first_sync: Mapping[str, date] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)
    given_up: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


class State(StrEnum):
    """The health of a goal. `GIVEN_UP`: the user cancelled it in its apps. `NO_STEP_LEFT`: every step was dropped."""

    ON_TRACK = "on-track"
    AT_RISK = "at-risk"
    LATE = "late"
    MISSED = "missed"
    DONE = "done"
    GIVEN_UP = "given-up"
    NO_STEP_LEFT = "no-step-left"


class Bound(StrEnum):
    """What keeps a step from being due any later."""

    LIMIT = "limit"
    BY = "by"
    NEXT = "next"
    APPOINTMENT = "on"
    PIN = "pin"
    COUNTDOWN = "before"
    FOLLOW_UP = "afterwards"
    STANDING = "published"
    REPEATS = "every"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step has its due date: the kind of bound, and the step (with the wait) or the day that sets it."""

    bound: Bound
    day: date | None = None
    key: str | None = None
    wait: Duration | None = None


class ScheduledStep(NamedTuple):  # a large plan makes very many, and a frozen dataclass takes three times as long
    """A step with its dates. `start` and `due` are None if an optional step was skipped for lack of time.

    - `slack`: the total float, which is the working days from the earliest finish to the due date; negative when late.
    - `could`: the later day on which it could end if its person had room.
    `slack` is the total float: working days from the earliest finish to the due date, negative when late. `under_way`
    is the day from which on the step is under way.
    """

    step: Step
    start: date | None
    due: date | None
    early_start: date
    early_finish: date
    slack: int
    reason: Reason
    longest_chain: bool
    pinned: bool = False
    done: date | None = None
    dropped: bool = False
    overdue: bool = False
    squeezed: bool = False
    could: date | None = None
    under_way: date | None = None

    @property
    def open(self) -> bool:
        """Whether it is neither done nor dropped."""
        return self.done is None and not self.dropped

    @property
    def critical(self) -> bool:
        """Whether it has no slack left."""
        return self.open and self.slack <= 0


@dataclass(frozen=True, slots=True)
class ScheduledGoal:
    """A goal with its steps in the file's order.

    - `margin`: the days in hand, which are the working days from the earliest deadline that fits, if work goes on from
      today, to the goal's own. Negative when the goal is late; None if no step is open, or no deadline fits.
    - `began`: by key, the day from which on an open step counts as under way, if that is not its start.
    - `failed`: it does not fit, and `when_late: fail` leaves it alone.
    - `held`: a rename is in doubt, which leaves it alone as well.
    - `waits`: it shares a person with a goal whose plan could not be read, so it is left alone.
    - `moves_for`: the goals for which it was made anew, so that they fit.
    - `risk`: only if it was asked for.
    """

    goal: Goal
    deadline: date
    limit: date
    steps: tuple[ScheduledStep, ...]
    state: State
    margin: int | None
    digest: str
    made: date
    began: Mapping[str, date] = field(default_factory=dict)
    done: date | None = None
    earliest_deadline: date | None = None
    failed: bool = False
    held: bool = False
    waits: bool = False
    moves_for: tuple[Goal, ...] = ()
    warnings: tuple[GoalWarning, ...] = ()
    buffer: Buffer | None = None
    risk: Risk | None = None

    @property
    def start(self) -> date | None:
        """The first day of its steps."""
        return min((step.start for step in self.steps if step.start), default=None)

    @property
    def finish(self) -> date | None:
        """The last day of its steps, follow-ups aside."""
        return max((s.due for s in self.steps if s.due and not s.step.follow_up), default=None)

    @property
    def waiting(self) -> list[ScheduledStep]:
        """The open steps before the deadline; follow-ups come after it."""
        return [step for step in self.steps if step.open and not step.step.follow_up]

    @property
    def next_step(self) -> ScheduledStep | None:
        """The open step with the earliest due date."""
        waiting = [step for step in self.steps if step.open and step.due]
        return min(waiting, key=lambda step: (step.due, step.start), default=None)

    def step(self, step_id: str) -> ScheduledStep | None:
        """Return the step with this id; of one that repeats, the next open occurrence, else the last one."""
        found = [step for step in self.steps if step_id in (step.step.id, step.step.id.partition("@")[0])]
        waiting = [step for step in found if step.open]
        return next(iter(waiting or found[-1:]), None)


@dataclass(frozen=True, slots=True)
class Schedule:
    """All goals with their dates, in the file's order, as of `today`, and the progress that they were made from.

    Their ids are unique within `namespace`.
    """

    today: date
    goals: tuple[ScheduledGoal, ...]
    progress: Progress = field(default_factory=Progress)
    loads: tuple[Load, ...] = ()
    namespace: str = NO_NAMESPACE

    def moves(self, before: Schedule) -> list[tuple[str, date | None, date | None]]:
        """Return key, old and new due date of every goal and open step that moved since `before`, of the same goals.

        An occurrence that only one of the two schedules has counts as moved from, or to, no date.
        """
        was = before.steps()
        rows: list[tuple[str, date | None, date | None]] = []
        for old, new in zip(before.goals, self.goals, strict=True):
            rows.append((new.goal.id, old.deadline, new.deadline))
            shown = {step.step.key: step for step in new.steps}
            gone = [(step.step.key, step.due, None) for step in old.steps if step.open and step.step.key not in shown]
            came = ((key, was[key].due if key in was else None, step.due) for key, step in shown.items() if step.open)
            rows += [*gone, *came]
        return [row for row in rows if row[1] != row[2]]

    def changed(self, before: Schedule) -> list[tuple[ScheduledGoal, ScheduledGoal]]:
        """Return the goals, old and new, whose state, margin or risk changed since `before`, of the same goals."""
        pairs = zip(before.goals, self.goals, strict=True)
        return [
            (old, new) for old, new in pairs if (old.state, old.margin, old.risk) != (new.state, new.margin, new.risk)
        ]

    def done(self) -> dict[str, date]:
        """Return the day on which each step, and each goal, was done."""
        goals = {goal.goal.id: goal.done for goal in self.goals}
        steps = {key: step.done for key, step in self.steps().items()}
        return {key: day for key, day in {**goals, **steps}.items() if day is not None}

    @property
    def titles(self) -> dict[str, str]:
        """The titles of the goals, groups and steps by their keys."""
        return {key: title for goal in self.goals for key, title in goal.goal.titles.items()}

    def steps(self) -> dict[str, ScheduledStep]:
        """Return every step by its key."""
        return {step.step.key: step for goal in self.goals for step in goal.steps}


RISE = 0.6  # how much higher both lines are when all of the work is done
RED = 0.3  # where the red line begins


@dataclass(frozen=True, slots=True)
class Buffer:
    """`days` of a goal's buffer with how many of them are `used`, in working days; `done` of the work, from 0 to 1.

    `used` is more than `days` if the deadline itself will not hold.
    """

    days: int
    used: int
    done: float

    @property
    def share(self) -> float:
        """The share of the buffer that is used; over 1 if it is too small."""
        return self.used / self.days

    @property
    def colour(self) -> str:
        """Green, yellow or red, by the lines of the fever chart."""
        above = round(self.share - RISE * self.done, 9)  # 0.9 - 0.6 is a trifle more than 0.3
        if above > RED or self.share >= 1:
            return "red"
        return "yellow" if above > 0 else "green"


@dataclass(frozen=True, slots=True)
class LoadPeriod:
    """Days in a row, `first` to `last`, with too many steps at once: `most` of them at the worst, of `keys`."""

    first: date
    last: date
    most: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """The times from today on when one person has too many steps at once. `who` is None for steps that name nobody.

    `weeks` has the Monday of each week with such a day, and the most steps at once in that week. `overload` has the
    days in which no order of the steps would fit, if there are any.
    """

    who: str | None
    capacity: int
    stretches: tuple[LoadPeriod, ...]
    weeks: Mapping[date, int]
    overload: Overload | None = None


@dataclass(frozen=True, slots=True)
class Overload:
    """Days from `first` to `last` with more days of `work` that has to be done in them than one person can do.

    `working`: how many working days there are.
    """

    first: date
    last: date
    work: int
    working: int


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely a goal's dates hold, from random samples.

    - `finish`: by percentage, the day by which so many of the samples are done.
    - `chance_of_deadline`, `chance_of_limit`: from 0 to 1; by the limit, the whole buffer is left.
    - `latest_start`: the last day on which the steps that have not begun can begin, so that the limit holds in
      `confidence` percent of the samples; None if it is too late for that.
    - `estimates`: how many open steps have an estimate with a spread.
    """

    samples: int
    estimates: int
    finish: Mapping[int, date]
    chance_of_deadline: float
    chance_of_limit: float
    confidence: int
    latest_start: date | None
