"""The chart of six weeks around today: its rows of goals and steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config import display
from sync.reports import timeline
from sync.reports.agenda import by_urgency
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from sync.reports.timeline import Bar, Part, Scale
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_WEEKS = 6
_MOST_ROWS = 60  # a goal with more steps shows them in its own row
_MOST_GOALS = 120
_MOST_LATER = 5  # goals beyond the six weeks that have a line each; more are counted
_OVER = (State.DONE, State.GIVEN_UP, State.NO_STEP_LEFT)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chart: a goal, with the time of its open steps and its deadline, or a step with its bar.

    `work` are the parts in which steps of the goal run, each with its kind, if the steps have no rows of their own;
    `begins` is the day on which its steps begin, if that is after the six weeks.
    """

    goal: ScheduledGoal
    step: ScheduledStep | None = None
    bar: Bar | None = None
    whole: Part | None = None
    deadline: float | None = None
    work: tuple[tuple[str, Part], ...] = ()
    begins: date | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """The rows, the most urgent goal first, then the first goals that begin later; and sentences on omitted goals."""

    scale: Scale
    rows: tuple[Row, ...]
    left_out: tuple[str, ...]


def chart(value: Schedule) -> Chart:
    """Return the chart; done steps are left out, and so are goals that are over."""
    scale = timeline.around(value.today, _WEEKS)
    goals = by_urgency(goal for goal in value.goals if goal.state not in _OVER)
    here = [goal for goal in goals if _first(goal) < scale.end]
    later = sorted((goal for goal in goals if _first(goal) >= scale.end), key=_first)
    steps = value.steps()
    rows = [row for goal in here for row in (_goal_row(scale, goal), *_step_rows(scale, goal, steps, value.today))]
    if len(rows) > _MOST_ROWS:
        rows = [_goal_row(scale, goal, together=True) for goal in here[:_MOST_GOALS]]
    begins = [Row(goal, begins=_begins(goal)) for goal in later[:_MOST_LATER]]
    left_out = (
        (len(here) - _MOST_GOALS, "that are less urgent"),
        (len(later) - _MOST_LATER, "that begin later"),
    )
    sentences = tuple(f"Left out: {display.count(number, 'goal')} {which}." for number, which in left_out if number > 0)
    return Chart(scale, (*rows, *begins), sentences)


def _begins(goal: ScheduledGoal) -> date:
    """Return the first day of its open steps; without one, the deadline."""
    return min((step.start for step in goal.steps if step.open and step.start), default=goal.deadline)


def _first(goal: ScheduledGoal) -> int:
    return _begins(goal).toordinal()


def _goal_row(scale: Scale, goal: ScheduledGoal, *, together: bool = False) -> Row:
    end = goal.deadline.toordinal() + 1
    return Row(
        goal,
        whole=scale.part(_first(goal), max(end, _first(goal))),
        deadline=scale.at(end) if scale.first <= end <= scale.end else None,
        work=tuple(_work(scale, goal)) if together else (),
    )


def _work(scale: Scale, goal: ScheduledGoal) -> Iterator[tuple[str, Part]]:
    """Yield the parts in which open steps run; later ones are drawn over earlier ones."""
    for kind in ("planned", "critical", "overdue"):
        spans = [timeline.span(step) for step in goal.steps if timeline.kind(step) == kind]
        for days in timeline.joined((span[0].toordinal(), span[1].toordinal() + 1) for span in spans if span):
            if scale.shows(*days):
                yield kind, scale.part(*days)


def _step_rows(scale: Scale, goal: ScheduledGoal, steps: Mapping[str, ScheduledStep], today: date) -> Iterator[Row]:
    for step in goal.steps:
        days = timeline.span(step)
        if days and step.open and (step.overdue or scale.shows(days[0].toordinal(), days[1].toordinal() + 1)):
            yield Row(goal, step, timeline.bar(scale, step, steps, today))
