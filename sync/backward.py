"""The backward pass over one goal: the latest day on which each step may begin and end.

Positions are numbers of working days (see `sync.calendar`). A step that ends at position 8 is due on working day 8; one
that begins at position 5 has working day 6 as its first. While a plan is squeezed, positions are exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from config.durations import ONE_DAY, Duration, Unit
from config.network import Countdown
from sync.calendar import WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from config.network import Goal, Step

    Position = int | Fraction
    Length = int | Fraction | Duration  # working days, or a span or elapsed time that depends on where it lies

LIMIT, BY, FIXED, OUTSIDE = -1, -2, -3, -4  # what bound a step, where it was not a step of the same goal


@dataclass(frozen=True, slots=True)
class Frame:
    """What a goal's pass stands in: its numbered calendar, and the days of its deadline, limit and start."""

    days: WorkingDays
    deadline: int
    limit: int
    start: int


@dataclass(slots=True)
class Latest:
    """The result of a pass, by the step's index in `goal.sequence`.

    `day_before[i]` is the last day, working or not, before step i occupies a day; `driver[i]` is the index of the step
    that bound its end, or LIMIT, BY, FIXED or OUTSIDE.
    """

    begin: list[Position]
    end: list[Position]
    day_before: list[int]
    due: list[int]
    driver: list[int]

    def path(self, index: int) -> list[int]:
        """Return the steps from `index` to the one that nothing of this goal bound, driver by driver."""
        path = [index]
        while (index := self.driver[index]) >= 0:
            path.append(index)
        return path


class Network:
    """One goal's steps by index, with the links between them, ready for any number of passes."""

    def __init__(self, goal: Goal, frame: Frame) -> None:
        """Index the steps of `goal` in the order of its sequence."""
        self.goal = goal
        self.frame = frame
        self.steps: Sequence[Step] = goal.sequence
        self.index = {step.key: number for number, step in enumerate(self.steps)}
        self.next: list[list[tuple[int, Duration | None]]] = [[] for _ in self.steps]
        self.previous: list[list[tuple[int, Duration | None]]] = [[] for _ in self.steps]
        for number, step in enumerate(self.steps):
            for link in step.after:
                before = self.index.get(link.key)
                if before is not None:
                    self.next[before].append((number, link.wait))
                    self.previous[number].append((before, link.wait))

    def lengths(self) -> list[Length | None]:
        """Return each step's length as written; None for a flexible one."""
        return [self._length(step) for step in self.steps]

    def _length(self, step: Step) -> Length | None:
        takes = step.takes
        if takes is None:
            return None if step.flexible else ONE_DAY.amount
        if takes.unit is Unit.WORKING_DAYS:
            return takes.amount
        if takes.unit is Unit.PERCENT:
            days = self.frame.days
            window = days.position(self.frame.limit) - days.position(self.frame.start - 1)
            return max(1, window * takes.amount // 100)
        return takes

    def anchored(self, step: Step, due_of: Mapping[str, int]) -> int | None:
        """Return the day that the step's own keys fix as its due date; None where they fix none.

        `due_of` gives due days of steps that were planned before this one, for countdowns from them.
        """
        days, deadline = self.frame.days, self.frame.deadline
        if step.on is not None:
            return step.on.toordinal()
        if step.afterwards is not None:
            return days.forward(days.after(deadline, step.afterwards))
        if isinstance(step.before, Countdown):
            return days.back(days.before(due_of[step.before.key], step.before.by))
        if step.before is not None:
            return days.back(days.before(deadline, step.before))
        return None

    def anchored_days(self, latest: Latest) -> dict[int, int]:
        """Return the due days of the steps whose own keys fix them, by index."""
        return {index: latest.due[index] for index, step in enumerate(self.steps) if step.anchored}

    def latest(
        self,
        lengths: Sequence[Length],
        *,
        fixed: Mapping[int, int] | None = None,
        gone: frozenset[int] = frozenset(),
        outside: Mapping[int, int] | None = None,
        due_of: Mapping[str, int] | None = None,
    ) -> Latest:
        """Return the latest positions of all steps.

        fixed: due days that override the links (pins, standing dates). gone: steps that left the pass (done, dropped);
        what they follow still precedes what follows them. outside: the last day on which a step may be due because of
        another goal. due_of: due days of other goals' steps.
        """
        limit = self.frame.days.position(self.frame.limit)
        count = len(self.steps)
        result = Latest([0] * count, [0] * count, [0] * count, [0] * count, [LIMIT] * count)
        dues = dict(due_of or {})
        outside, fixed = outside or {}, fixed or {}
        for index in range(count - 1, -1, -1):
            step = self.steps[index]
            day = fixed.get(index)
            if day is None and index not in gone:
                day = self.anchored(step, dues)
            if day is not None:
                result.driver[index] = FIXED
                self._place_fixed(result, index, day, lengths[index])
            else:
                end = self._bound(result, index, limit, outside.get(index))
                self._place(result, index, end, 0 if index in gone else lengths[index])
            dues[step.key] = result.due[index]
        return result

    def _bound(self, result: Latest, index: int, limit: int, outside: int | None) -> Position:
        """Return the latest position at which a step may end, and note what bound it."""
        step, days = self.steps[index], self.frame.days
        end: Position = limit
        if step.by is not None and (by := days.position(step.by.toordinal())) < end:
            end, result.driver[index] = by, BY
        if outside is not None and (other := days.position(outside)) < end:
            end, result.driver[index] = other, OUTSIDE
        for following, wait in self.next[index]:
            if (room := self._before(result, following, wait)) < end:
                end, result.driver[index] = room, following
        return end

    def _before(self, result: Latest, following: int, wait: Duration | None) -> Position:
        if wait is None or not wait.amount:
            return result.begin[following]
        if wait.unit is Unit.WORKING_DAYS:
            return result.begin[following] - wait.amount
        return self.frame.days.position(shift(result.day_before[following], wait, -1))

    def _place(self, result: Latest, index: int, end: Position, length: Length) -> None:
        days = self.frame.days
        result.end[index] = end
        if isinstance(length, Duration):
            due = self._elapsed_end(result, index) if length.unit is Unit.CALENDAR_DAYS else days.day(floor(end))
            self._place_elapsed(result, index, due, length)
            return
        begin = end - length
        result.begin[index] = begin
        if length:
            first = floor(begin) + 1
            result.day_before[index] = days.day(first) - 1
            # Two steps that share a day end in it; rounding down alone would put the first a day too early.
            result.due[index] = days.day(max(floor(end), first))
        else:
            result.due[index] = result.day_before[index] = days.day(floor(end))

    def _elapsed_end(self, result: Latest, index: int) -> int:
        """Return the day on which elapsed time may end: also a free one, where all that follows allows it."""
        step, days = self.steps[index], self.frame.days
        ends = [self.frame.limit] + ([step.by.toordinal()] if step.by else [])
        for following, wait in self.next[index]:
            if wait is None or not wait.amount:
                ends.append(result.day_before[following])
            elif wait.unit is Unit.WORKING_DAYS:
                ends.append(days.day(floor(result.begin[following]) - wait.amount))
            else:
                ends.append(shift(result.day_before[following], wait, -1))
        if result.driver[index] == OUTSIDE:
            ends.append(days.day(floor(result.end[index])))
        return min(ends)

    def _place_elapsed(self, result: Latest, index: int, due: int, length: Duration) -> None:
        days = self.frame.days
        before = shift(due, length, -1)
        result.begin[index], result.end[index] = days.position(before), days.position(due)
        result.day_before[index], result.due[index] = before, due

    def _place_fixed(self, result: Latest, index: int, due: int, length: Length) -> None:
        """Place a step whose due day stands, be it a working day or not: that day counts as one of its own."""
        if isinstance(length, Duration):
            self._place_elapsed(result, index, due, length)
            return
        days = self.frame.days
        begin = days.position(due - 1) - (length - 1) if length else days.position(due)
        result.begin[index], result.end[index] = begin, days.position(due)
        result.due[index] = due
        result.day_before[index] = min(days.day(floor(begin) + 1), due) - 1 if length else due

    def excess(self, result: Latest, floors: Mapping[int, Position]) -> dict[int, Position]:
        """Return by how much the longest stretch through each step is too long to keep `floors`; negative is room.

        A forward sweep over the lengths and waits as they lie in `result`; what is fixed ends a stretch.
        """
        early: dict[int, Position] = {}
        for index in range(len(self.steps)):
            if result.driver[index] == FIXED:
                continue
            reached = [floors[index]] if index in floors else []
            for before, wait in self.previous[index]:
                if before in early:
                    between = result.begin[index] - self._before(result, index, wait)
                    reached.append(early[before] + result.end[before] - result.begin[before] + between)
            if reached:
                early[index] = max(reached)
        return {index: begin - result.begin[index] for index, begin in early.items()}

    def chain(self, result: Latest, index: int) -> list[int]:
        """Return the steps that place the step `index`: its path and, through countdowns, what places those.

        The step that a countdown counts from is not among them: when it is due does not depend on its own length.
        """
        chain = path = result.path(index)
        while isinstance(before := self.steps[path[-1]].before, Countdown) and before.key in self.index:
            path = result.path(self.index[before.key])
            chain = chain + path[1:]
        return chain

    def start(self, result: Latest, index: int) -> int:
        """Return the first day of a step: a working day where its length follows the calendar, never after its due."""
        step_begins = result.day_before[index] + 1
        takes = self.steps[index].takes
        if takes is None or takes.unit is not Unit.CALENDAR_DAYS:
            step_begins = self.frame.days.forward(step_begins)
        return min(step_begins, result.due[index])
