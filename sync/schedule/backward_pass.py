"""The backward pass over one goal: the latest day on which each step may begin and end.

Positions are numbers of working days (see `sync.schedule.working_days`). A step that ends at position 8 is due on
working day 8; one that begins at position 5 has working day 6 as its first. While a plan is squeezed, positions are
exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING

from config.durations import Duration, Unit
from config.project import Countdown
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set
    from fractions import Fraction

    from sync.schedule.lengths import Length
    from sync.schedule.step_graph import StepGraph

    Position = int | Fraction

LIMIT, BY, FIXED, EXTERNAL = -1, -2, -3, -4  # what bound a step, if no step of the same goal did


@dataclass(slots=True)
class LatestDates:
    """The result of a pass, by the step's index in `goal.sequence`.

    `day_before[i]` is the last day, working or not, before step i occupies a day; `driver[i]` is the index of the step
    that bound its end, or LIMIT, BY, FIXED or EXTERNAL.
    """

    begin: list[Position]
    end: list[Position]
    day_before: list[int]
    due: list[int]
    driver: list[int]

    def path(self, i: int) -> list[int]:
        """Return the steps from `i` to the one that no step of this goal bound, driver by driver."""
        path = [i]
        while (i := self.driver[i]) >= 0:
            path.append(i)
        return path


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a pass has to respect besides the steps themselves, by their index.

    - `fixed`: due days that override the links: pins, standing dates.
    - `left_out`: steps that take no time in the pass (done, dropped, skipped). Links go through them all the same.
    - `external`: the last day on which a step may be due because of another goal.
    - `due_of`: due days of other goals' steps, by key.
    """

    fixed: Mapping[int, int] = field(default_factory=dict)
    left_out: Set[int] = frozenset()
    external: Mapping[int, int] = field(default_factory=dict)
    due_of: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackwardPass:
    """The pass over a goal's graph under some constraints, for any lengths of the steps."""

    graph: StepGraph
    constraints: Constraints

    def latest(self, lengths: Sequence[Length]) -> LatestDates:
        """Return the latest positions of all steps."""
        count = len(self.graph.steps)
        result = LatestDates([0] * count, [0] * count, [0] * count, [0] * count, [LIMIT] * count)
        self.recompute(result, lengths, range(count - 1, -1, -1))
        return result

    def special(self) -> set[int]:
        """Return the steps that something else than the links and the limit may bound."""
        constraints = self.constraints
        return self.graph.bounded.union(constraints.fixed, constraints.left_out, constraints.external)

    def recompute(
        self, result: LatestDates, lengths: Sequence[Length], part: Iterable[int], special: Set[int] | None = None
    ) -> None:
        """Run the pass again over some steps, in place; `part` has each step before those it follows.

        special: those that `special` returns, if they are known.
        """
        graph, left_out = self.graph, self.constraints.left_out
        special = self.special() if special is None else special
        begin, ends, day_before, due, driver = result.begin, result.end, result.day_before, result.due, result.driver
        limit, day_at = graph.window.days.position(graph.window.limit), graph.window.days.day
        for i in part:
            end: Position = limit
            driver[i] = LIMIT
            length = lengths[i]
            if i in special:
                day = self._fixed_day(result, i)
                if day is not None:
                    driver[i] = FIXED
                    self._place_fixed(result, i, day, length)
                    continue
                end = self._own_bound(result, i, limit)
                length = 0 if i in left_out else length
            for following, wait in graph.next[i]:
                latest_end = begin[following] if wait is None else self.latest_end(result, following, wait)
                if latest_end < end:
                    end, driver[i] = latest_end, following
            if length and type(length) is type(end) is int:  # nearly always: whole days, nothing squeezed
                ends[i], due[i] = end, day_at(end)
                begin[i] = first = end - length  # pyright: ignore[reportOperatorIssue]  # both are int
                day_before[i] = day_at(first + 1) - 1
            else:
                self.place(result, i, end, length)

    def _fixed_day(self, result: LatestDates, i: int) -> int | None:
        """Return the due day of a step that is fixed or anchored; None if its links decide."""
        day = self.constraints.fixed.get(i)
        if day is None and i in self.graph.anchors and i not in self.constraints.left_out:
            return self._anchor(result, i)
        return day

    def _anchor(self, result: LatestDates, i: int) -> int | None:
        """Return the due day that a step's own keys determine."""
        step, days, deadline = self.graph.steps[i], self.graph.window.days, self.graph.window.deadline
        if step.on is not None:
            return step.on.toordinal()
        if step.afterwards is not None:
            return days.forward(days.after(deadline, step.afterwards))
        if isinstance(step.before, Countdown):
            other = self.graph.index.get(step.before.key)
            due = self.constraints.due_of[step.before.key] if other is None else result.due[other]
            return days.back(days.before(due, step.before.by))
        return days.back(days.before(deadline, step.before)) if step.before is not None else None

    def _own_bound(self, result: LatestDates, i: int, limit: int) -> int:
        """Return the latest end that the goal's limit, the step's `by` and other goals allow; note which it was."""
        step, days, end = self.graph.steps[i], self.graph.window.days, limit
        if step.by is not None and (by := days.position(step.by.toordinal())) < end:
            end, result.driver[i] = by, BY
        day = self.constraints.external.get(i)
        if day is not None and (other := days.position(day)) < end:
            end, result.driver[i] = other, EXTERNAL
        return end

    def latest_end(self, result: LatestDates, following: int, wait: Duration | None) -> Position:
        """Return where a step has to end so that `following`, after a wait, begins no later than it does."""
        if wait is None or not wait.amount:
            return result.begin[following]
        if wait.unit is Unit.WORKING_DAYS:
            return result.begin[following] - wait.amount
        return self.graph.window.days.position(shift(result.day_before[following], wait, -1))

    def place(self, result: LatestDates, i: int, end: Position, length: Length) -> None:
        """Give a step an end, and the begin that follows from its length, in place."""
        days = self.graph.window.days
        result.end[i] = end
        if isinstance(length, Duration):
            elapsed = length.unit is Unit.CALENDAR_DAYS
            due = self._elapsed_end(result, i) if elapsed else days.day(floor(end))
            _place_span(self.graph, result, i, due, length)
            return
        begin = end - length
        result.begin[i] = begin
        if length:
            first = floor(begin) + 1
            result.day_before[i] = days.day(first) - 1
            # Two steps that share a day end in it; rounding down alone would put the first a day too early.
            result.due[i] = days.day(max(floor(end), first))
        else:
            result.due[i] = result.day_before[i] = days.day(floor(end))

    def _elapsed_end(self, result: LatestDates, i: int) -> int:
        """Return the last day of elapsed time: a free one, too, if all that follows allows it."""
        graph, days = self.graph, self.graph.window.days
        step, external = graph.steps[i], self.constraints.external.get(i)
        ends = [graph.window.limit] + ([step.by.toordinal()] if step.by else [])
        for following, wait in graph.next[i]:
            if wait is not None and wait.amount and wait.unit is Unit.WORKING_DAYS:
                ends.append(days.day(floor(result.begin[following]) - wait.amount))
            else:
                day = day_before_start(graph, result, following)
                ends.append(shift(day, wait, -1) if wait is not None else day)
        return min(ends if external is None else [*ends, external])

    def _place_fixed(self, result: LatestDates, i: int, due: int, length: Length) -> None:
        """Place a step whose due day is fixed: working or not, that day counts as one of its own."""
        if isinstance(length, Duration):
            _place_span(self.graph, result, i, due, length)
            return
        days = self.graph.window.days
        begin = days.position(due - 1) - (length - 1) if length else days.position(due)
        result.begin[i], result.end[i] = begin, days.position(due)
        result.due[i] = due
        result.day_before[i] = min(days.day(floor(begin) + 1), due) - 1 if length else due


def _place_span(graph: StepGraph, result: LatestDates, i: int, due: int, length: Duration) -> None:
    days, before = graph.window.days, shift(due, length, -1)
    result.begin[i], result.end[i] = days.position(before), days.position(due)
    result.day_before[i], result.due[i] = before, due


def day_before_start(graph: StepGraph, result: LatestDates, i: int) -> int:
    """Return the last day, working or not, before the first day of a step; the day of one that takes no time."""
    before, due = result.day_before[i], result.due[i]
    if before >= due or i in graph.elapsed:
        return before
    return min(graph.window.days.forward(before + 1), due) - 1


def first_days(graph: StepGraph, result: LatestDates) -> list[int]:
    """Return the first day of each step: a working day unless it takes elapsed time, never after its due date."""
    forward = graph.window.days.forward
    starts = [min(forward(before + 1), due) for before, due in zip(result.day_before, result.due, strict=True)]
    for i in graph.elapsed:
        starts[i] = min(result.day_before[i] + 1, result.due[i])
    return starts


def anchored_days(graph: StepGraph, result: LatestDates) -> dict[int, int]:
    """Return the due days of the steps whose own keys determine them, by index."""
    return {i: result.due[i] for i in graph.anchors}
