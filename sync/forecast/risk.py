"""Computes how likely a goal's dates hold: Monte Carlo over its network, from estimates such as 2-3-6 days.

Each sample has a length for every open step with an estimate. The forward pass of `sync.schedule.forward_pass` is
computed for all samples at once.

- Steps without an estimate, and steps that are done, are the same in all samples.
- A step that has begun ends its drawn length after its start, but not before today.
- Goals that follow each other share their samples.
- With `when_full: earlier`, a step begins when the step before it of the same person is over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from config.durations import Unit
from config.keys import is_occurrence, step_of
from sync.forecast.estimates import CONFIDENCES
from sync.forecast.samples import SampledDays, draw, latest
from sync.schedule.deadline import furthest
from sync.schedule.model import Bound, Reason, Risk, ScheduledStep
from sync.schedule.person_order import follows, turns
from sync.schedule.search import first
from sync.schedule.working_days import WorkingDays

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from config.calendars import Calendar
    from config.project import Project, Step
    from sync.forecast.samples import Days, Sampled
    from sync.schedule.model import Schedule, ScheduledGoal

SAMPLES = 1000
_PASSES = 6  # after which the order of a person's steps has come through all goals, or nearly


def with_risk(project: Project, schedule: Schedule, confidence: int = 80) -> Schedule:
    """Return the schedule of all goals of `project` with the risk of each that has open steps."""
    sampler = Sampler(project, schedule)
    return replace(schedule, goals=tuple(replace(g, risk=sampler.risk(g, confidence)) for g in schedule.goals))


@dataclass(frozen=True, slots=True)
class _Ends:
    """The finish, in every sample, of a goal, of the steps before its limit, and of steps with a day of their own.

    - `own`: the finish of each step with an appointment, a pin or a `by`, and that day.
    - `countdowns`: the finish of each step whose day depends on the deadline.
    """

    done: Days
    bound: Days
    own: Sequence[tuple[Days, int]]
    countdowns: Mapping[str, Days]

    def chance(self, limit: int, deadline: int, due: Mapping[str, int]) -> float:
        """Return the share of samples that keep the limit, the deadline and each day of a step.

        due: the days of the steps that count down, by key.
        """
        days = [*self.own, *((finish, due[key]) for key, finish in self.countdowns.items())]
        held = np.asarray((self.bound <= limit) & (self.done <= deadline))
        for finish, day in days:
            held = held & (finish <= day)
        return float(np.mean(held))


class Sampler:
    """Computes the finish of every step in every sample, and the risk of each goal from it."""

    def __init__(
        self,
        project: Project,
        schedule: Schedule,
        samples: int = SAMPLES,
        *,
        lengths: Mapping[str, Sampled] | None = None,
        deadlines: Mapping[str, int] | None = None,
    ) -> None:
        """Compute all goals, each after those that it follows. The lengths are drawn, unless they are given.

        deadlines: of all goals, if they are not the schedule's.
        """
        self._project, self._schedule = project, schedule
        self._today = schedule.today.toordinal()
        self._samples = samples
        self._goals = {goal.goal.id: goal for goal in schedule.goals}
        self._deadlines = deadlines or {goal.goal.id: goal.deadline.toordinal() for goal in schedule.goals}
        self._steps = {**schedule.steps(), **_repeating(schedule)}
        self._fixed = {key: day for key, step in self._steps.items() if (day := _fixed_day(step)) is not None}
        self._calendars: dict[Calendar, SampledDays] = {}
        self._lengths = draw((s.step for s in self._steps.values()), samples) if lengths is None else lengths
        self._sharing = _may_share(project, self._steps)
        self.finish: dict[str, Days] = {}
        self._over: dict[str, Days] = {}  # of each step, the day after which the steps that follow it may begin
        self._free: dict[str, Days] = {}  # of some steps, the day after which their person is free for them
        before = follows(turns(project, schedule))
        for _ in range(_PASSES if before else 1):
            for goal in project.sequence:
                finish, over = self._finishes(self._goals[goal.id], self._today)
                self.finish.update(finish)
                self._over.update(over)
            self._free = {key: self._over[last] for key, last in before.items()}

    def risk(self, goal: ScheduledGoal, confidence: int) -> Risk | None:
        """Return the risk of a goal; None if it has no open steps, or is closed."""
        if goal.done or not any(step.due for step in goal.waiting):
            return None
        ends, due = self._ends(goal, self.finish), _countdown_dues(goal)
        deadline = goal.deadline.toordinal()
        held = ends.chance(goal.limit.toordinal(), deadline, due)
        return Risk(
            samples=self._samples,
            estimates=sum(step.step.key in self._lengths for step in goal.waiting),
            finish={percent: date.fromordinal(_quantile(ends.done, percent)) for percent in CONFIDENCES},
            chance_of_deadline=replace(ends, bound=0).chance(0, deadline, due),
            chance_of_limit=held,
            confidence=confidence,
            latest_start=self._latest_start(goal, ends.bound, confidence) if held * 100 >= confidence else None,
        )

    def _latest_start(self, goal: ScheduledGoal, bound: Days, confidence: int) -> date:
        """Return the last working day on which work may begin. Today is early enough."""
        days, due = self._days(goal).days, _countdown_dues(goal)
        start = max(self._today, goal.goal.start.toordinal() if goal.goal.start else self._today)
        least, limit = days.position(start - 1) + 1, days.position(goal.limit.toordinal())

        def is_too_late(position: int) -> bool:
            ends = self._ends(goal, self._finishes(goal, days.day(position))[0])
            return ends.chance(goal.limit.toordinal(), goal.deadline.toordinal(), due) * 100 < confidence

        room = limit - days.position(_quantile(bound, confidence))
        found = first(is_too_late, least + room + 1, least + 1, limit + 1)
        return date.fromordinal(days.day(limit if found is None else found - 1))

    def earliest_deadline(
        self,
        goal: ScheduledGoal,
        percent: int,
        due_at: Callable[[int], Mapping[str, int]],
        deadlines_at: Callable[[int], Mapping[str, int]] | None = None,
    ) -> date | None:
        """Return the earliest deadline that holds, with all countdowns to it, in `percent` of 100 samples.

        due_at: returns the due day of each countdown for a deadline. deadlines_at: returns the deadlines of all goals
        for a deadline of this one; None if no other deadline depends on it.
        """
        days, ends = self._days(goal).days, self._ends(goal, self.finish)
        fixed = [step.due.toordinal() for step in goal.waiting if step.due and (step.step.on or step.pinned)]
        least = max([self._today, *fixed])

        def holds(deadline: int) -> bool:
            limit = days.back(days.before(days.back(deadline), goal.goal.buffer))
            due = due_at(deadline) if ends.countdowns else {}
            found = ends if deadlines_at is None else self._ends_with(goal, deadlines_at(deadline))
            return found.chance(limit, deadline, due) * 100 >= percent

        guess = days.after(_quantile(ends.bound, percent), goal.goal.buffer)
        most = furthest(goal.goal, days, max(least, int(np.max(ends.done))))
        found = first(holds, guess, least, most)
        return None if found is None else date.fromordinal(found)

    def _ends_with(self, goal: ScheduledGoal, deadlines: Mapping[str, int]) -> _Ends:
        """Return the finishes of a goal in the same samples with other deadlines of goals."""
        moved = Sampler(self._project, self._schedule, self._samples, lengths=self._lengths, deadlines=deadlines)
        return self._ends(goal, moved.finish)

    def _days(self, goal: ScheduledGoal) -> SampledDays:
        calendar = goal.goal.calendar
        if calendar not in self._calendars:
            days = WorkingDays(calendar, date.fromordinal(self._today))
            self._calendars[calendar] = SampledDays(days, days.back(_lowest(self._steps.values(), days, self._today)))
        return self._calendars[calendar]

    def _ends(self, goal: ScheduledGoal, finish: Mapping[str, Days]) -> _Ends:
        dated = [(step, finish[step_of(step.step.key)]) for step in goal.waiting if step.due]
        own = [(end, day) for step, end in dated if (day := _own_day(step)) is not None]
        return _Ends(
            done=latest(self._end(step.step.key, end) for step, end in dated),
            bound=latest([self._today, *(end for step, end in dated if not (step.step.anchored or step.pinned))]),
            own=own,
            countdowns={s.step.key: end for s, end in dated if _counts_down(s)},
        )

    def _end(self, key: str, finish: Days) -> Days:
        """Return when a step is over; an appointment is not before its day."""
        return latest([finish, self._fixed[key]]) if key in self._fixed else finish

    def _finishes(self, goal: ScheduledGoal, today: int) -> tuple[dict[str, Days], dict[str, Days]]:
        """Return the finish of each step of a goal, and the day after which the steps that follow it may begin.

        today: the first day on which steps that have not begun may begin.
        """
        days = self._days(goal)
        begin = max(today, goal.goal.start.toordinal() if goal.goal.start else today)
        first_day = days.days.forward(begin)
        found: dict[str, Days] = {}
        over: dict[str, Days] = {}
        for step in goal.goal.sequence:
            scheduled = self._steps[step.key]
            earliest = self._earliest(scheduled, days, begin, over)
            if scheduled.done:
                finish: Days = scheduled.done.toordinal()
            elif scheduled.dropped or scheduled.due is None:  # an optional one that gave way has no date
                finish = earliest
            else:
                finish = self._finish(goal, scheduled, days, earliest, first_day)
                if step.key in self._fixed and _unit(step) is not Unit.CALENDAR_DAYS:
                    finish = days.on_free_day(earliest, finish, self._fixed[step.key])
            found[step.key] = finish
            over[step.key] = self._over_after(goal, scheduled, earliest, finish)
        return found, over

    def _over_after(self, goal: ScheduledGoal, scheduled: ScheduledStep, earliest: Days, finish: Days) -> Days:
        """Return the day after which the steps that follow may begin; a step without a length takes none of its day."""
        key, drawn = scheduled.step.key, self._lengths.get(scheduled.step.key)
        if scheduled.done:
            return finish - 1 if scheduled.step.milestone else finish
        if key not in self._sharing:
            return self._end(key, finish)
        if drawn is None:
            return earliest if scheduled.step.milestone else finish
        return finish if _began(goal, scheduled, self._today) is not None else np.where(drawn == 0, earliest, finish)

    def _earliest(self, scheduled: ScheduledStep, days: SampledDays, begin: int, over: Mapping[str, Days]) -> Days:
        """Return the last day before the step can start. A dropped one takes no time, but keeps its place."""
        step = scheduled.step
        ends: list[Days] = [begin - 1]
        if step.not_before is not None and not scheduled.dropped and scheduled.due is not None:
            ends.append(step.not_before.toordinal() - 1)
        before = ((over[link.key] if link.key in over else self._over[link.key], link.wait) for link in step.after)
        ends += [days.after(end, wait) for end, wait in before]
        ends += [days.after(self._deadlines[link.key], link.wait) for link in step.after_goals]
        return latest([*ends, self._free.get(step.key, begin - 1)])

    def _finish(
        self, goal: ScheduledGoal, scheduled: ScheduledStep, days: SampledDays, earliest: Days, begin: int
    ) -> Days:
        """Return the last day of an open step. begin: the first working day of the goal's work.

        A step that has begun, or is overdue, keeps its day; with a drawn length, it ends that long after its start. But
        it does not end before today, or where it is overdue, before the steps that it follows.
        """
        step = scheduled.step
        if step.not_before is not None:
            begin = max(begin, days.days.forward(step.not_before.toordinal()))
        start = _began(goal, scheduled, self._today)
        drawn: Days | None = self._lengths.get(step.key)
        if start is None or scheduled.due is None:
            length = _length(goal, scheduled, days.days) if drawn is None else drawn
            return days.finish(earliest, length, _unit(step), begin)
        if drawn is None and step.key in goal.began:
            drawn = _length(goal, scheduled, days.days)
        elif drawn is None and not scheduled.overdue:
            return scheduled.due.toordinal()
        waits = scheduled.overdue and step.key not in goal.began
        least = days.forward(latest([earliest + 1, begin])) if waits else days.days.forward(self._today)
        return least if drawn is None else latest([least, days.finish(start - 1, drawn, _unit(step), begin)])


def _began(goal: ScheduledGoal, scheduled: ScheduledStep, today: int) -> int | None:
    """Return the day on which a step began: it is under way or, by a plan that has stood for a day, overdue."""
    settled, since, due = goal.made.toordinal() < today, scheduled.under_way, scheduled.due
    if due is None:
        return None
    if scheduled.step.key in goal.began or due.toordinal() >= today:
        return since.toordinal() if since and (settled or since.toordinal() < today) else None
    start = since or scheduled.start
    return start.toordinal() if settled and scheduled.overdue and start else None


def _lowest(steps: Collection[ScheduledStep], days: WorkingDays, today: int) -> int:
    """Return a day before which no step begins or ends."""
    low = min([today, *(step.start.toordinal() for step in steps if step.open and step.start)]) - 1
    waits = {link.wait for step in steps for link in step.step.after if link.wait}
    return min([low, *(days.after(low, wait) for wait in waits if wait.amount < 0)])


def _may_share(project: Project, steps: Mapping[str, ScheduledStep]) -> frozenset[str]:
    """Return the open steps that, without a length, may share the day on which what follows them begins."""
    leads: set[str] = set()
    for goal in reversed(project.sequence):
        for step in reversed(goal.sequence):
            waits_for_it = step.key in leads or (steps[step.key].open and not step.follow_up)
            leads.update(link.key for link in step.after if waits_for_it or not link.key.startswith(f"{goal.id}/"))
    return frozenset(
        key for key in leads if (s := steps[key]).open and not s.step.anchored and not s.pinned and not s.step.grows
    )


def _repeating(schedule: Schedule) -> dict[str, ScheduledStep]:
    """Return the steps that repeat, each as one: it is open while one of its times is, and takes one time."""
    times: dict[str, list[ScheduledStep]] = {}
    for key, time in schedule.steps().items():
        if is_occurrence(key):
            times.setdefault(step_of(key), []).append(time)
    return {
        step.key: _as_one(step, times.get(step.key, ()), goal, schedule)
        for goal in schedule.goals
        for step in goal.goal.steps
        if step.every is not None
    }


def _as_one(step: Step, times: Sequence[ScheduledStep], goal: ScheduledGoal, schedule: Schedule) -> ScheduledStep:
    """Return a step that repeats as one step; as dropped where it has no time, as in a goal that is done."""
    done = schedule.progress.done.get(step.key)
    if not times:
        today = schedule.today
        whole = ScheduledStep(step, None, None, today, today, 0, Reason(Bound.REPEATS), longest_chain=False)
        return whole._replace(done=done, dropped=done is None)
    last, is_open = times[-1], any(time.open for time in times)
    return last._replace(
        step=step,
        start=None,
        under_way=None,  # whatever became of one of its times
        done=done,
        dropped=not is_open and not done,
        pinned=False,
        overdue=last.due is not None and last.due < schedule.today and goal.made < schedule.today,
    )


def _unit(step: Step) -> Unit:
    if step.takes is None or step.grows or step.takes.unit is Unit.PERCENT:
        return Unit.WORKING_DAYS
    return step.takes.unit


def _length(goal: ScheduledGoal, scheduled: ScheduledStep, days: WorkingDays) -> int:
    """Return how long a step takes that has no spread, in its unit."""
    takes = scheduled.step.takes
    if takes is None:
        return 1
    if scheduled.step.grows and scheduled.overdue:
        return 1
    if scheduled.step.grows:
        limit = goal.limit.toordinal()
        one_time = days.position(limit) - days.position(days.before(limit, takes))
        return max(1, one_time)
    if takes.unit is not Unit.PERCENT:
        return takes.amount
    # As many days as its earliest dates say.
    start, finish = scheduled.early_start.toordinal(), scheduled.early_finish.toordinal()
    return days.position(finish) - days.position(start - 1)


def _fixed_day(step: ScheduledStep) -> int | None:
    """Return the day of an open step that is an appointment, or was pinned."""
    fixed = step.open and (step.step.on or step.pinned)
    return step.due.toordinal() if fixed and step.due else None


def _counts_down(step: ScheduledStep) -> bool:
    return step.step.before is not None and not step.pinned


def _countdown_dues(goal: ScheduledGoal) -> dict[str, int]:
    """Return when each open step that counts down is due, by its key."""
    return {s.step.key: s.due.toordinal() for s in goal.waiting if s.due and _counts_down(s)}


def _own_day(step: ScheduledStep) -> int | None:
    """Return the day of an open step that is an appointment, was pinned or has a `by`."""
    fixed = _fixed_day(step)
    if fixed is None and step.step.by is not None and not step.step.anchored:
        return step.step.by.toordinal()
    return fixed


def _quantile(days: Days, percent: int) -> int:
    """Return the first day by which so many of 100 samples are done."""
    if isinstance(days, int):
        return days
    return int(np.sort(days)[ceil(len(days) * percent / 100) - 1])
