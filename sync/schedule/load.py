"""The load of each person: the days with more steps than they can have at once, and with more work than room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from config.project import ME, person
from sync.schedule.context import to_date
from sync.schedule.model import Load, LoadPeriod, Overload
from sync.schedule.windows import Work, fullest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import ScheduledGoal, ScheduledStep
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Days in a row with the same steps open: so many (`count`), of which the `keys` are new in this stretch."""

    first: date
    last: date
    count: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Open:
    """An open step that takes room, with its days from today on, as ordinals, and the plan of its goal."""

    plan: GoalPlan
    step: ScheduledStep
    first: int
    last: int


def loads(context: Context, goals: Iterable[ScheduledGoal]) -> tuple[Load, ...]:
    """Return the load of each person who has too much on some day, in the order of their names.

    Open steps that take room count from their start (or today) to their due date, overdue ones today.
    """
    if not context.project.capacity:
        return ()
    steps: dict[str, list[_Open]] = {}
    for goal in goals:
        plan = context.plans[goal.goal.id]
        for step in goal.steps:
            if step.open and step.start and step.due and step.step.takes_room:
                first, last = (max(day.toordinal(), context.day) for day in (step.start, step.due))
                steps.setdefault(person(step.step, goal.goal), []).append(_Open(plan, step, first, last))
    found = []
    for who in sorted(steps, key=lambda who: "" if who == ME else who):
        capacity = context.project.steps_at_once(who)
        if capacity is not None and (load := _load(context, who, capacity, steps[who])).stretches:
            found.append(load)
    return tuple(found)


def _load(context: Context, who: str, capacity: int, steps: Sequence[_Open]) -> Load:
    spans = [(to_date(one.first), to_date(one.last), one.step.step.key) for one in steps]
    runs: list[list[_Segment]] = []
    weeks: dict[date, int] = {}
    for segment in _segments(spans, capacity):
        if not runs or runs[-1][-1].last + _DAY < segment.first:
            runs.append([])
        runs[-1].append(segment)
        for monday in _mondays(segment.first, segment.last):
            weeks[monday] = max(segment.count, weeks.get(monday, 0))
    overload = _overload(context, capacity, steps) if runs else None
    return Load(None if who == ME else who, capacity, tuple(map(_stretch, runs)), weeks, overload)


def _overload(context: Context, capacity: int, steps: Sequence[_Open]) -> Overload | None:
    """Return the days in which no order of the steps would fit, if there are any."""
    calendars = list(dict.fromkeys(one.plan.graph.window.days for one in steps))

    def working(first: int, after: int) -> int:
        if len(calendars) == 1:
            return calendars[0].position(after - 1) - calendars[0].position(first - 1)
        return sum(any(days.is_working(day) for days in calendars) for day in range(first, after))

    found = fullest([work for one in steps if (work := _work(context, one)).days], capacity, working)
    if found is None:
        return None
    return Overload(to_date(found.first), to_date(found.last), found.work, found.working)


def _work(context: Context, one: _Open) -> Work:
    """Return the working days of a step from today on, within its earliest begin and the last day that it may have."""
    plan, begin, end, days = one.plan, one.first, one.last, one.plan.graph.window.days
    i = plan.graph.index.get(one.step.step.key)
    if i is not None and i not in plan.fixed and i not in plan.graph.anchors and not one.step.overdue:
        begin = max(min(begin, one.step.early_start.toordinal()), context.day)
        end = max(end, (plan.uncapped or plan.latest).due[i])
    return Work(begin, end, days.position(one.last) - days.position(one.first - 1))


def _stretch(run: Sequence[_Segment]) -> LoadPeriod:
    keys = tuple(key for segment in run for key in segment.keys)
    return LoadPeriod(run[0].first, run[-1].last, max(segment.count for segment in run), keys)


def _segments(spans: Sequence[tuple[date, date, str]], capacity: int) -> Iterator[_Segment]:
    """Sweep over the days on which a step starts or has ended, and yield what lies above the capacity."""
    events = [(start, 1, key) for start, _, key in spans] + [(due + _DAY, -1, key) for _, due, key in spans]
    at_once: dict[str, None] = {}
    too_much = False
    days = [(day, list(changes)) for day, changes in groupby(sorted(events), key=lambda event: event[0])]
    for (day, changes), (following, _) in pairwise(days):
        begun = [key for _, change, key in changes if change > 0]
        at_once.update(dict.fromkeys(begun))
        for _, change, key in changes:
            if change < 0:
                del at_once[key]
        if len(at_once) > capacity:
            yield _Segment(day, following - _DAY, len(at_once), tuple(begun if too_much else at_once))
        too_much = len(at_once) > capacity


def _mondays(first: date, last: date) -> Iterator[date]:
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield monday
        monday += 7 * _DAY
