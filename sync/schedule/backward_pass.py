"""The backward pass over one goal: the latest day on which each step may begin and end.

Positions are numbers of working days (see `sync.schedule.working_days`). A step that ends at position 8 is due on
working day 8; one that begins at position 5 has working day 6 as its first. While a plan is squeezed, positions are
exact fractions.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from config.durations import ONE_DAY, Duration, Unit
from config.project import Countdown
from sync.schedule.working_days import WorkingDays, shift

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence, Set
    from fractions import Fraction

    from config.project import Goal, Link, Step

    Position = int | Fraction
    Length = int | Fraction | Duration  # working days, or a span or elapsed time that depends on where it lies

LIMIT, BY, FIXED, OUTSIDE = -1, -2, -3, -4  # what bound a step, where it was not a step of the same goal


@dataclass(frozen=True, slots=True)
class GoalWindow:
    """What a goal's pass stands in: its numbered calendar, and the days of its deadline, limit and start."""

    days: WorkingDays
    deadline: int
    limit: int
    start: int


@dataclass(slots=True)
class LatestDates:
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


class Stretch(NamedTuple):
    """A row of steps, each after the one before it, up to the limit or to what is fixed.

    `excess` tells by how many working days it is too long to keep the floors; negative is room. `free` and `optional`
    are the numbers of such steps in it.
    """

    excess: Position
    free: int
    optional: int


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a pass has to respect besides the steps themselves, by their index; nothing, where nothing is given.

    fixed: due days that override the links (pins, standing dates). gone: steps that left the pass (done, dropped); what
    they follow still precedes what follows them. outside: the last day on which a step may be due because of another
    goal. due_of: due days of other goals' steps, by key.
    """

    fixed: Mapping[int, int] = field(default_factory=dict)
    gone: Set[int] = frozenset()
    outside: Mapping[int, int] = field(default_factory=dict)
    due_of: Mapping[str, int] = field(default_factory=dict)


class StepGraph:
    """One goal's steps by index, with the links between them, ready for any number of passes.

    `next` holds the links within the goal by the step that comes first, `previous` by the one that follows; `elsewhere`
    those to steps of other goals, by index. `anchors` are the steps whose own keys fix their due date, `countdowns`
    those of them that count from a step of this goal, `waiting` those with a wait in a link to what comes next,
    `milestones` those that take no time, `repeating` those with `every`, `elapsed` those that take calendar days.
    """

    def __init__(self, goal: Goal, frame: GoalWindow) -> None:
        """Index the steps of `goal` in the order of its sequence."""
        self.goal = goal
        self.frame = frame
        self.steps: Sequence[Step] = goal.sequence
        self.index = index = {step.key: number for number, step in enumerate(self.steps)}
        self.next: list[list[tuple[int, Duration | None]]] = [[] for _ in self.steps]
        self.elsewhere: list[tuple[int, Link]] = []
        self.waiting: set[int] = set()
        self.milestones = [i for i, step in enumerate(self.steps) if step.milestone]
        self.repeating = [i for i, step in enumerate(self.steps) if step.every is not None]
        elapsed = Unit.CALENDAR_DAYS
        self.elapsed = [
            i
            for i, s in enumerate(self.steps)
            if s.takes and s.takes.unit is elapsed and s.takes.amount and not s.every
        ]
        self._bound = {
            i
            for i, step in enumerate(self.steps)
            if step.on is not None or step.by is not None or step.before is not None or step.afterwards is not None
        }
        self.anchors = frozenset(i for i in self._bound if self.steps[i].anchored)
        self.countdowns = frozenset(i for i in self.anchors if self._counted(i) is not None)
        following = self.next
        for number, step in enumerate(self.steps):
            plain = (number, None)  # one for all links without a wait
            for link in step.after:
                before, wait = index.get(link.key), link.wait
                if before is None:
                    self.elsewhere.append((number, link))
                elif wait is None:
                    following[before].append(plain)
                else:
                    following[before].append((number, wait))
                    self.waiting.add(before)

    def within(self, frame: GoalWindow) -> StepGraph:
        """Return the same network in another frame, of the same calendar."""
        other = copy(self)
        other.frame = frame
        return other

    @cached_property
    def previous(self) -> list[list[tuple[int, Duration | None]]]:
        """The links within the goal, by the step that follows; the backward pass does without."""
        previous: list[list[tuple[int, Duration | None]]] = [[] for _ in self.steps]
        for number, links in enumerate(self.next):
            plain = (number, None)
            for following, wait in links:
                previous[following].append((number, wait) if wait is not None else plain)
        return previous

    def among(self, keys: Set[str]) -> list[tuple[int, str]]:
        """Return those of `keys` that are steps of this goal, with their indices, in sequence."""
        return sorted((self.index[key], key) for key in self.index.keys() & keys)

    def by_index(self, days: Mapping[str, int]) -> dict[int, int]:
        """Return those of `days` that steps of this goal have, by index, in sequence."""
        return {i: days[key] for i, key in self.among(days.keys())}

    def lengths(self) -> list[Length | None]:
        """Return each step's length as written; None for one that grows: a flexible one, or one that repeats."""
        working = Unit.WORKING_DAYS  # asking an Enum takes longer than everything else here
        return [
            takes.amount
            if (takes := step.takes) is not None and takes.unit is working and step.every is None
            else self._length(step)
            for step in self.steps
        ]

    def least(self, index: int) -> int:
        """Return how many working days a step that grows has at least: those that it takes one time."""
        step, days = self.steps[index], self.frame.days
        if step.every is None or step.takes is None:
            return 1
        if step.takes.unit is Unit.WORKING_DAYS:
            return max(1, step.takes.amount)
        limit = self.frame.limit
        return max(1, days.position(limit) - days.position(shift(limit, step.takes, -1)))

    def _length(self, step: Step) -> Length | None:
        takes = step.takes
        if takes is None:
            return None if step.flexible else ONE_DAY.amount
        if step.every is not None:
            return None
        if step.milestone:
            return 0
        if takes.unit is Unit.PERCENT:
            days = self.frame.days
            window = days.position(self.frame.limit) - days.position(self.frame.start - 1)
            return max(1, window * takes.amount // 100)
        return takes

    def _anchor(self, result: LatestDates, index: int, due_of: Mapping[str, int]) -> int | None:
        """Return the day that the step's own keys fix as its due date; None where they fix none.

        `due_of` gives due days of other goals' steps, for countdowns from them.
        """
        step, days, deadline = self.steps[index], self.frame.days, self.frame.deadline
        if step.on is not None:
            return step.on.toordinal()
        if step.afterwards is not None:
            return days.forward(days.after(deadline, step.afterwards))
        if isinstance(step.before, Countdown):
            other = self.index.get(step.before.key)
            due = due_of[step.before.key] if other is None else result.due[other]
            return days.back(days.before(due, step.before.by))
        if step.before is not None:
            return days.back(days.before(deadline, step.before))
        return None

    def anchored_days(self, latest: LatestDates) -> dict[int, int]:
        """Return the due days of the steps whose own keys fix them, by index."""
        return {index: latest.due[index] for index in self.anchors}

    def latest(self, lengths: Sequence[Length], terms: Constraints) -> LatestDates:
        """Return the latest positions of all steps."""
        count = len(self.steps)
        result = LatestDates([0] * count, [0] * count, [0] * count, [0] * count, [LIMIT] * count)
        self.redo(result, lengths, range(count - 1, -1, -1), terms)
        return result

    def redo(self, result: LatestDates, lengths: Sequence[Length], part: Iterable[int], terms: Constraints) -> None:
        """Run the pass again over some steps, in place; `part` has what follows before what it follows."""
        fixed, gone, outside = terms.fixed, terms.gone, terms.outside
        special = self._bound.union(fixed, gone, outside)
        begin, ends, day_before, due, driver = result.begin, result.end, result.day_before, result.due, result.driver
        limit, day_at = self.frame.days.position(self.frame.limit), self.frame.days.day
        for index in part:
            end: Position = limit
            driver[index] = LIMIT
            length = lengths[index]
            if index in special:
                day = fixed.get(index)
                if day is None and index not in gone:
                    day = self._anchor(result, index, terms.due_of)
                if day is not None:
                    driver[index] = FIXED
                    self._place_fixed(result, index, day, length)
                    continue
                end = self._bounded(result, index, limit, outside.get(index))
                length = 0 if index in gone else length
            for following, wait in self.next[index]:
                room = begin[following] if wait is None else self._before(result, following, wait)
                if room < end:
                    end, driver[index] = room, following
            if length and type(length) is type(end) is int:  # nearly always: whole days, nothing squeezed
                ends[index], due[index] = end, day_at(end)
                begin[index] = first = end - length
                day_before[index] = day_at(first + 1) - 1
            else:
                self._place(result, index, end, length, outside.get(index))

    def _bounded(self, result: LatestDates, index: int, end: int, outside: int | None) -> int:
        """Return `end`, or what the step's own `by` or another goal leaves it where that is earlier; note which."""
        step, days = self.steps[index], self.frame.days
        if step.by is not None and (by := days.position(step.by.toordinal())) < end:
            end, result.driver[index] = by, BY
        if outside is not None and (other := days.position(outside)) < end:
            end, result.driver[index] = other, OUTSIDE
        return end

    def _before(self, result: LatestDates, following: int, wait: Duration | None) -> Position:
        if wait is None or not wait.amount:
            return result.begin[following]
        if wait.unit is Unit.WORKING_DAYS:
            return result.begin[following] - wait.amount
        return self.frame.days.position(shift(result.day_before[following], wait, -1))

    def _place(self, result: LatestDates, index: int, end: Position, length: Length, outside: int | None) -> None:
        days = self.frame.days
        result.end[index] = end
        if isinstance(length, Duration):
            due = (
                self._elapsed_end(result, index, outside) if length.unit is Unit.CALENDAR_DAYS else days.day(floor(end))
            )
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

    def _elapsed_end(self, result: LatestDates, index: int, outside: int | None) -> int:
        """Return the day on which elapsed time may end: also a free one, where all that follows allows it."""
        step, days = self.steps[index], self.frame.days
        ends = [self.frame.limit] + ([step.by.toordinal()] if step.by else [])
        for following, wait in self.next[index]:
            if wait is not None and wait.amount and wait.unit is Unit.WORKING_DAYS:
                ends.append(days.day(floor(result.begin[following]) - wait.amount))
            else:
                day = self.day_before_start(result, following)
                ends.append(shift(day, wait, -1) if wait is not None else day)
        if outside is not None:
            ends.append(outside)
        return min(ends)

    def day_before_start(self, result: LatestDates, index: int) -> int:
        """Return the last day, working or not, before the first day of a step; the day of one that takes no time."""
        before, due = result.day_before[index], result.due[index]
        if before >= due or _is_elapsed(self.steps[index]):
            return before
        return min(self.frame.days.forward(before + 1), due) - 1

    def _place_elapsed(self, result: LatestDates, index: int, due: int, length: Duration) -> None:
        days = self.frame.days
        before = shift(due, length, -1)
        result.begin[index], result.end[index] = days.position(before), days.position(due)
        result.day_before[index], result.due[index] = before, due

    def _place_fixed(self, result: LatestDates, index: int, due: int, length: Length) -> None:
        """Place a step whose due day stands, be it a working day or not: that day counts as one of its own."""
        if isinstance(length, Duration):
            self._place_elapsed(result, index, due, length)
            return
        days = self.frame.days
        begin = days.position(due - 1) - (length - 1) if length else days.position(due)
        result.begin[index], result.end[index] = begin, days.position(due)
        result.due[index] = due
        result.day_before[index] = min(days.day(floor(begin) + 1), due) - 1 if length else due

    def stretches(
        self,
        result: LatestDates,
        floors: Mapping[int, Position],
        part: Iterable[int],
        free: Container[int] = (),
        optional: Container[int] = (),
    ) -> dict[int, Stretch]:
        """Return the longest stretch through each step: of those as long, the one with the fewest `free` steps.

        Two sweeps over the lengths and waits as they lie in `result`; what is fixed ends a stretch. `part` has each
        step after what it follows.
        """
        part = list(part)
        after: dict[int, tuple[int, int]] = {}  # how many free and optional steps there are from each step on
        for index in reversed(part):
            many, few = after.get(result.driver[index], (0, 0))
            after[index] = many + (index in free), few + (index in optional)
        early: dict[int, tuple[Position, int, int]] = {}  # the counts are negative: fewer are greater
        for index in part:
            if result.driver[index] == FIXED:
                continue
            reached = [(floors[index], 0, 0)] if index in floors else []
            for before, wait in self.previous[index]:
                if before in early:
                    begin, many, few = early[before]
                    between = result.begin[index] - self._before(result, index, wait)
                    end = begin + result.end[before] - result.begin[before] + between
                    reached.append((end, many - (before in free), few - (before in optional)))
            if reached:
                early[index] = max(reached)
        return {
            index: Stretch(begin - result.begin[index], after[index][0] - many, after[index][1] - few)
            for index, (begin, many, few) in early.items()
        }

    def parts(self, steps: Iterable[int], free: Container[int], fixed: Container[int]) -> list[list[int]]:
        """Return `steps`, given in sequence, in parts that do not move each other while lengths of `free` steps change.

        A step moves another that it follows, where its own begin moves; a countdown moves with what it counts from.
        Each part is in sequence.
        """
        steps = list(steps)
        moves: set[int] = set()  # those whose begin moves
        group = {index: index for index in steps}

        def root(index: int) -> int:
            while group[index] != index:
                group[index] = index = group[group[index]]
            return index

        for index in reversed(steps):
            if index in fixed or index in self.anchors:
                counted = self._counted(index) if index not in fixed else None
                movers = [counted] if counted in group else []
            else:
                movers = [following for following, _ in self.next[index] if following in moves]
            for mover in movers:
                group[root(index)] = root(mover)
            if movers or (index in free and index not in fixed):
                moves.add(index)
        found: dict[int, list[int]] = {}
        for index in steps:
            found.setdefault(root(index), []).append(index)
        return list(found.values())

    def chains(self, result: LatestDates, indices: Iterable[int], fixed: Container[int]) -> set[int]:
        """Return the steps that place `indices`: their paths and, through countdowns, what places those.

        The step that a countdown counts from is not among them: when it is due does not depend on its own length.
        """
        found: set[int] = set()
        for index in indices:
            while index >= 0 and index not in found:
                found.add(index)
                while index not in fixed and (counted := self._counted(index)) is not None:
                    index = counted
                index = result.driver[index]
        return found

    def _counted(self, index: int) -> int | None:
        """Return the step of this goal that a countdown counts from."""
        before = self.steps[index].before
        return self.index.get(before.key) if isinstance(before, Countdown) else None

    def starts(self, result: LatestDates) -> list[int]:
        """Return the first day of each step: a working day unless it takes elapsed time, never after its due date."""
        forward = self.frame.days.forward
        starts = [min(forward(before + 1), due) for before, due in zip(result.day_before, result.due, strict=True)]
        for index in self.elapsed:
            starts[index] = min(result.day_before[index] + 1, result.due[index])
        return starts


def _is_elapsed(step: Step) -> bool:
    """Return whether a step takes calendar days: they may begin and end on a free day."""
    takes = step.takes
    return takes is not None and takes.unit is Unit.CALENDAR_DAYS and takes.amount > 0 and step.every is None
