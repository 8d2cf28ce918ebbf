"""The forward pass: the earliest dates from today on, and the slack between them and the dates that were planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from sync.schedule.backward_pass import BY, FIXED, LIMIT
from sync.schedule.lengths import least_length
from sync.schedule.working_days import WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.lengths import Length
    from sync.schedule.model import Progress
    from sync.schedule.step_graph import StepGraph


@dataclass(frozen=True, slots=True)
class Early:
    """The earliest start and finish of each step, by the step's index.

    `end` is the day after which what follows may begin; a milestone that shares its day takes none.
    """

    start: list[int]
    finish: list[int]
    end: list[int]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is known of a goal before its forward pass. Steps are named by their index, days are ordinals.

    - `other`: the day after which a step may begin for other reasons than this goal's steps.
    - `appointments`: the open steps that are not over before their day, however early they could be done.
    - `first`: the first day of the goal.
    - `settled`: the plan was made on an earlier day, so that steps may be under way or overdue.
    """

    other: dict[int, int]
    appointments: set[int]
    first: int
    settled: bool


class Forward:
    """Computes the earliest start and finish of every step, goal by goal, each after the goals it follows.

    A flexible step counts as one day, one that repeats as one time: what is left of the time is its slack.
    """

    def __init__(
        self,
        progress: Progress,
        today: date,
        deadlines: Mapping[str, int],
        ends: dict[str, int],
        free: Mapping[str, int] | None = None,
    ) -> None:
        """`deadlines` has the day of each goal by its id.

        `ends` has the day after which what follows a step may begin, by the step's key; goal by goal, it is filled.
        `free` has the day after which the person who does a step has room for it.
        """
        self._free = free or {}
        self._progress = progress
        self._today = today.toordinal()
        self._deadlines = deadlines
        self._ends = ends

    def early(self, plan: GoalPlan) -> Early:
        """Return one goal's earliest dates, after those of the goals that it follows."""
        graph, days, frame = plan.graph, plan.graph.window.days, self.frame(plan)
        result = Early([], [], [])
        for i in range(len(graph.steps)):
            earliest = max(frame.other.get(i, 0), frame.first - 1)
            for before, wait in graph.previous[i]:
                end = result.end[before] if wait is None else days.after(result.end[before], wait)
                if end > earliest:
                    earliest = end
            start, finish, end = self.step(plan, frame, i, earliest)
            result.start.append(start)
            result.finish.append(finish)
            result.end.append(end)
        self._ends.update(zip(graph.index, result.end, strict=True))
        return result

    def frame(self, plan: GoalPlan) -> Frame:
        """Return what is known of a goal before its steps are looked at."""
        goal_start, today = plan.goal.start, self._today
        first = max(today, goal_start.toordinal() if goal_start else today)
        # A plan of today is measured as it was when it was made.
        settled = plan.standing and plan.made.toordinal() < today
        return Frame(self._other_ends(plan), self._appointments(plan), first, settled)

    def step(self, plan: GoalPlan, frame: Frame, i: int, earliest: int) -> tuple[int, int, int]:
        """Return the earliest start and finish of a step that may begin after `earliest`, and when what follows may."""
        graph, due = plan.graph, plan.dues[i]
        start, finish = self._dates(plan, i, earliest, frame.first, settled=frame.settled)
        if i not in frame.appointments:
            return start, finish, earliest if i in plan.sharing else self._free_after(graph, i, finish)
        if finish > due and i not in graph.elapsed:
            finish = _on_free_day(graph.window.days, earliest, finish, due)
        return start, finish, max(finish, due)

    def _free_after(self, graph: StepGraph, i: int, finish: int) -> int:
        """Return the day after which what follows may begin: a milestone takes none of the day on which it was done."""
        step = graph.steps[i]
        return finish - 1 if step.milestone and step.key in self._progress.done else finish

    def _dates(self, plan: GoalPlan, i: int, earliest: int, first: int, *, settled: bool) -> tuple[int, int]:
        """Return the first and last day of the step `i`, which may begin on the day after `earliest`.

        settled: the plan was made on an earlier day, so that steps may be under way or overdue.
        """
        step, days = plan.graph.steps[i], plan.graph.window.days
        if i in plan.left_out:
            # A step that is dropped or gave way takes no time, but what it followed still comes before what follows it.
            done = self._progress.done.get(step.key)
            day = done.toordinal() if done else earliest
            return day, day
        if i in plan.under_way and not step.grows and (settled or plan.under_way[i] < self._today):
            if i in plan.began:
                start, finish = _earliest(days, plan.under_way[i] - 1, plan.lengths[i], plan.under_way[i])
                return start, max(finish, self._today if i in plan.graph.elapsed else days.forward(self._today))
            if plan.dues[i] >= self._today:
                return plan.starts[i], plan.dues[i]
        if settled and plan.dues[i] < self._today and i not in plan.began:
            day = days.forward(max(earliest + 1, self._today))
            return day, day
        if step.not_before is not None:
            first = max(first, step.not_before.toordinal())
        length = least_length(plan.graph, i) if i in plan.growing else plan.lengths[i]
        return _earliest(days, earliest, length, first)

    def slack(self, plan: GoalPlan, early: Early) -> list[int]:
        """Return the total float of each step in working days: from its earliest finish to the last day it may have.

        That is its due date or, before a step that grows, as much later as this can give back.
        """
        graph, days, latest = plan.graph, plan.graph.window.days, self._latest(plan)
        position = days.position
        room = [position(due) - position(finish) for due, finish in zip(latest, early.finish, strict=True)]
        for i in graph.elapsed:
            room[i] = _slack_of_elapsed(plan, early.finish[i], latest[i], i)
        for i in sorted(plan.sharing, reverse=True):  # in sequence, so what follows comes first
            room[i] = _slack_of_milestone(plan, early, i, room)
        for i, _ in graph.among(self._progress.pins.keys()):
            if not graph.steps[i].follow_up:
                # The user may pin a step after the deadline; there it is late, whatever room it has.
                room[i] = min(room[i], position(graph.window.limit) - position(plan.dues[i]))
        # The order in which a person works is read from dates that hold: it takes what there is in hand, and no more.
        return [max(0, days) for days in room] if self._free and plan.keeps else room

    def _latest(self, plan: GoalPlan) -> list[int]:
        """Return the last day on which each step may be done; one for which no day was found is due after it."""
        graph, latest, limit = plan.graph, plan.latest_dues, plan.graph.window.limit
        last = {i: min(limit, step.by.toordinal()) for i, step in enumerate(graph.steps) if step.by is not None}
        if not last and max(latest, default=limit) <= limit:
            return latest
        own = graph.anchors.union(i for i, _ in graph.among(self._progress.pins.keys()))
        return [due if i in own else min(due, last.get(i, limit)) for i, due in enumerate(latest)]

    def _other_ends(self, plan: GoalPlan) -> dict[int, int]:
        """Return the day after which a step may begin for other reasons than this goal's steps, by index."""
        graph, days = plan.graph, plan.graph.window.days
        ends = graph.by_index(self._free) if self._free else {}
        for i, step in enumerate(graph.steps):
            if step.not_before is not None and i not in plan.left_out:
                ends[i] = max(ends.get(i, 0), step.not_before.toordinal() - 1)
            for link in step.after_goals:
                ends[i] = max(ends.get(i, 0), days.after(self._deadlines[link.key], link.wait))
        for i, link in graph.elsewhere:
            if (end := self._ends.get(link.key)) is not None:
                ends[i] = max(ends.get(i, 0), days.after(end, link.wait))
        return ends

    def _appointments(self, plan: GoalPlan) -> set[int]:
        """Return the open steps that are not over before their day, however early they could be done."""
        graph = plan.graph
        pinned = {i for i, _ in graph.among(self._progress.pins.keys())}
        return ({i for i in graph.anchors if graph.steps[i].on} | pinned) - plan.left_out


def early_ends(
    progress: Progress, today: date, deadlines: Mapping[str, int], plans: Iterable[GoalPlan]
) -> dict[str, int]:
    """Return the day after which what follows a step may begin, by its key, for plans each after what it follows."""
    ends: dict[str, int] = {}
    forward = Forward(progress, today, deadlines, ends)
    for plan in plans:
        forward.early(plan)
    return ends


def _slack_of_elapsed(plan: GoalPlan, finish: int, latest: int, i: int) -> int:
    """Return the slack of a step that takes calendar days, from its earliest finish to the last day it may have."""
    days = plan.graph.window.days
    in_time = finish <= latest and not days.is_working(latest)
    if plan.least.driver[i] in (LIMIT, BY, FIXED) and not in_time:
        finish = days.forward(finish)  # it is bound by a working day: after a free day, the next one counts
    return days.position(latest) - days.position(finish)


def _slack_of_milestone(plan: GoalPlan, early: Early, i: int, room: Sequence[int]) -> int:
    """Return the slack of a milestone that shares its day: how far it can go without moving what follows."""
    position = plan.graph.window.days.position
    rooms = [_room_before(plan, early, i, n, wait) + room[n] for n, wait in plan.graph.next[i] if n not in plan.closed]
    driver = plan.least.driver[i]
    if driver < 0 or driver in plan.closed:  # no open step of this goal gave it its date
        rooms.append(position(max(plan.dues[i], plan.least.due[i])) - position(early.end[i]))
    return min(rooms)


def _room_before(plan: GoalPlan, early: Early, i: int, n: int, wait: Duration | None) -> int:
    """Return the working days between the milestone `i` and the step `n` that follows it after a wait."""
    days = plan.graph.window.days
    begin, end = early.start[n] - 1, early.end[i]
    if n in plan.sharing:
        begin = early.end[n]
    elif plan.graph.steps[n].milestone:  # at the end of its day, which it may have together with this one
        begin = early.start[n]
        end = early.end[i] if wait and wait.amount > 0 else early.start[i]
    return days.position(begin) - days.position(days.after(end, wait))


def _on_free_day(days: WorkingDays, earliest: int, finish: int, due: int) -> int:
    """Return the last day of a step that has to end on `due`: if that is a free day, it counts as one of its own."""
    lacks = days.position(finish) - days.position(due)
    return due if lacks == 1 and not days.is_working(due) and due > earliest else finish


def _earliest(days: WorkingDays, earliest: int, length: Length, first: int) -> tuple[int, int]:
    """Return the first and last day of a step that may begin on the day after `earliest`."""
    if isinstance(length, Duration):
        if length.unit is Unit.CALENDAR_DAYS:
            return earliest + 1, earliest + length.amount
        start = days.forward(earliest + 1)
        finish = days.forward(shift(days.back(earliest), length, 1))
        while shift(finish, length, -1) < days.back(earliest):  # a month from 31 January falls short of it
            finish = days.forward(finish + 1)
        return start, max(start, finish)
    if not length:
        day = max(days.back(earliest), days.forward(first))
        return day, day
    start = days.position(earliest) + 1
    return days.day(start), days.day(start + int(length) - 1)
