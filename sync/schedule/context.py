"""What one call of `schedule` knows of all goals while it plans them one by one, from the last one back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from config.project import RelativeDeadline, person
from sync.schedule.known_days import KnownDays
from sync.schedule.step_graph import GoalWindow
from sync.schedule.working_days import WorkingDays, naming_goal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.calendars import Calendar
    from config.project import Goal, Project, Step
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import Progress
    from sync.schedule.step_graph import StepGraph

to_date = lru_cache(maxsize=1 << 12)(date.fromordinal)  # one object for each day, however many steps have it


@dataclass(frozen=True, slots=True)
class Limits:
    """What the planned goals leave the goals before them. Days are ordinals, steps are named by their keys.

    - `external`: the last day that they leave a step; `loosest`: the same if what grows has the least it may.
    - `due_of`: the due days of their steps by the backward pass alone.
    - `followers`: the steps of other goals that come after a step.
    """

    external: dict[str, int] = field(default_factory=dict)
    loosest: dict[str, int] = field(default_factory=dict)
    due_of: dict[str, int] = field(default_factory=dict)
    followers: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of all goals. Days are ordinals, steps are named by their keys, goals by their ids.

    - `steps`: every step; `deadlines`: the day of each goal; `plans`: the goals that are planned.
    - `hung_on`: the goals that the deadlines of others hang on.
    - `limits`: what the planned goals leave those before them.
    - `ends`: the day after which what follows a step may begin, once all goals have been planned.
    - `ends_defined`, `ends_today`: the same, by the definition and from today on, of the steps that other goals with
      growing steps follow: so much time these must leave them.
    """

    project: Project
    progress: Progress
    today: date
    steps: Mapping[str, Step]
    hung_on: frozenset[str]
    deadlines: dict[str, int] = field(default_factory=dict)
    plans: dict[str, GoalPlan] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    ends: dict[str, int] = field(default_factory=dict)
    ends_defined: Mapping[str, int] = field(default_factory=dict)
    ends_today: Mapping[str, int] = field(default_factory=dict)
    _calendars: dict[Calendar, WorkingDays] = field(default_factory=dict)

    @property
    def day(self) -> int:
        """Today as an ordinal."""
        return self.today.toordinal()

    def known(self, *, progress: bool = True) -> KnownDays:
        """Return the days that are known before a goal is planned; without `progress`, from the goals file alone."""
        followed = self.limits.external.keys()
        return KnownDays(self.steps, self.deadlines, self.ends, followed, self.progress if progress else None, self.day)

    def days(self, calendar: Calendar) -> WorkingDays:
        """Return a calendar's numbered working days, the same for every goal that uses it."""
        if calendar not in self._calendars:
            self._calendars[calendar] = WorkingDays(calendar, self.today)
        return self._calendars[calendar]

    def window(self, goal: Goal) -> GoalWindow:
        """Return the time that a goal has."""
        return self.window_until(goal, self.deadlines[goal.id])

    def window_until(self, goal: Goal, deadline: int) -> GoalWindow:
        """Return the time that a goal would have with this deadline."""
        days = self.days(goal.calendar)
        limit = days.back(days.before(days.back(deadline), goal.buffer))
        start = goal.start or self.progress.first_sync.get(goal.id) or self.today
        return GoalWindow(days, deadline, limit, start.toordinal())

    def first_day(self, goal: Goal) -> int:
        """Return the day before which nothing of the goal can begin."""
        return max(self.day, goal.start.toordinal() if goal.start else self.day)

    def capacity(self, graph: StepGraph) -> dict[int, int]:
        """Return how many steps the person of each step can have at once, by index; of steps that it may move."""
        project = self.project
        if graph.goal.when_full != "earlier" or not project.capacity:
            return {}
        rows = enumerate(graph.steps)
        found = {i: project.steps_at_once(person(step, graph.goal)) for i, step in rows if step.takes_room}
        return {i: most for i, most in found.items() if most is not None}

    def hanging(self, goal: Goal) -> set[str]:
        """Return the goals whose deadline moves with that of this one."""
        found = {goal.id}
        for other in reversed(self.project.sequence) if goal.id in self.hung_on else ():
            if isinstance(other.deadline, RelativeDeadline) and other.deadline.goal in found:
                found.add(other.id)
        return found - {goal.id}

    def with_deadline(self, goal: Goal, deadline: int) -> Context:
        """Return the context in which one goal has another deadline; the goals that hang on it move with it."""
        other = replace(self, deadlines={}, plans=dict(self.plans), limits=Limits(), ends={})
        for one in reversed(self.project.sequence):
            other.deadlines[one.id] = deadline if one.id == goal.id else other.deadline_of(one)
        return other

    def deadline_of(self, goal: Goal) -> int:
        """Return the deadline of a goal as written; that of the goal that it hangs on must be known."""
        if isinstance(goal.deadline, RelativeDeadline):
            return self.days(goal.calendar).before(self.deadlines[goal.deadline.goal], goal.deadline.by)
        return goal.deadline.toordinal()


def context_of(project: Project, progress: Progress, today: date) -> Context:
    """Return the context before anything is planned."""
    steps = {step.key: step for goal in project.goals for step in goal.steps}
    hung_on = frozenset(g.deadline.goal for g in project.goals if isinstance(g.deadline, RelativeDeadline))
    context = Context(project, progress, today, steps, hung_on)
    for goal in reversed(project.sequence):
        with naming_goal(goal):
            context.deadlines[goal.id] = context.deadline_of(goal)
    return context
