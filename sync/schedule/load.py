"""The load of each person: the days on which more steps are open at once than the file's `capacity`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from sync.schedule.model import Load, LoadPeriod

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sync.schedule.model import ScheduledGoal

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Days in a row with the same steps open: so many (`count`), of which the `keys` are new in this stretch."""

    first: date
    last: date
    count: int
    keys: tuple[str, ...]


def loads(goals: Iterable[ScheduledGoal], capacity: int | None, today: date) -> tuple[Load, ...]:
    """Return the load of each person who has too much on some day, in the order of their names.

    Open steps count from their start (or today) to their due date, overdue ones today; milestones take no time.
    """
    if capacity is None:
        return ()
    spans: dict[str | None, list[tuple[date, date, str]]] = {}
    for goal in goals:
        for step in goal.steps:
            if step.open and step.start and step.due and not step.step.milestone:
                span = max(step.start, today), max(step.due, today), step.step.key
                spans.setdefault(step.step.who or goal.goal.who, []).append(span)
    found = (_load(who, capacity, spans[who]) for who in sorted(spans, key=lambda who: who or ""))
    return tuple(load for load in found if load.stretches)


def _load(who: str | None, capacity: int, spans: Sequence[tuple[date, date, str]]) -> Load:
    runs: list[list[_Segment]] = []
    weeks: dict[date, int] = {}
    for segment in _segments(spans, capacity):
        if not runs or runs[-1][-1].last + _DAY < segment.first:
            runs.append([])
        runs[-1].append(segment)
        for monday in _mondays(segment.first, segment.last):
            weeks[monday] = max(segment.count, weeks.get(monday, 0))
    return Load(who, capacity, tuple(map(_stretch, runs)), weeks)


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
