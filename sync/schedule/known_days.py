"""The days that are known whatever is planned, and the earliest begins that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sync.schedule import milestones
from sync.schedule.floors import Floors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set
    from datetime import date

    from config.project import Step
    from sync.schedule.backward_pass import Position
    from sync.schedule.model import Progress
    from sync.schedule.step_graph import StepGraph
    from sync.schedule.working_days import WorkingDays


@dataclass(frozen=True, slots=True)
class KnownDays:
    """The days known before a goal is planned: of done, pinned and fixed steps, and the ends of other goals.

    - `steps`: every step by its key; `deadlines`: the day of each goal by its id. Days are ordinals.
    - `ends`: the earliest ends of steps of other goals by their keys, as far as they are known.
    - `followed`: the steps that steps of other goals follow.
    - `progress`: None for what is known from the goals file alone.
    """

    steps: Mapping[str, Step]
    deadlines: Mapping[str, int]
    ends: Mapping[str, int]
    followed: Set[str]
    progress: Progress | None
    today: int

    @property
    def _done(self) -> Mapping[str, date]:
        return self.progress.done if self.progress else {}

    @property
    def _pins(self) -> Mapping[str, date]:
        return self.progress.pins if self.progress else {}

    def floors(self, graph: StepGraph, closed: Set[int], fixed: Mapping[int, int], low: int) -> Floors:
        """Return the earliest begin of each step that may move: after `low`, its `from`, and what is fixed or done."""
        stays = {*closed, *fixed, *graph.anchors}
        movable = [i for i in range(len(graph.steps)) if i not in stays] if stays else range(len(graph.steps))
        return self.floors_of(graph, movable, fixed, low, self.sharing(graph, closed))

    def sharing(self, graph: StepGraph, closed: Set[int]) -> frozenset[int]:
        """Return the milestones that may share the day on which what follows them begins, here or in other goals."""
        external, pinned = graph.among(self.followed), graph.among(self._pins.keys())
        return milestones.sharing(graph, closed, (i for i, _ in external), (i for i, _ in pinned))

    def floors_of(
        self,
        graph: StepGraph,
        some: Iterable[int],
        fixed: Mapping[int, int],
        low: int,
        sharing: frozenset[int] = frozenset(),
    ) -> Floors:
        """Return the earliest begin of `some` steps; `low` is the last day before the first one that they may have."""
        position = graph.window.days.position
        reached = self._days_before(graph, some, fixed, low)
        begin: dict[int, Position] = {i: position(day) for i, day in reached.items()}
        for i in reached.keys() & set(graph.milestones) - sharing:
            # It happens at the end of a day, and must have one of its own.
            begin[i] = max(begin[i], position(_opening(graph.steps[i], low)) + 1)
        return Floors(begin, first={i: reached[i] + 1 for i in graph.elapsed if i in reached})

    def _days_before(self, graph: StepGraph, some: Iterable[int], fixed: Mapping[int, int], low: int) -> dict[int, int]:
        """Return the last day, working or not, before the first one that each of `some` steps may have."""
        days = graph.window.days
        reached: dict[int, int] = {}
        for i in some:
            last = _opening(graph.steps[i], low)
            for link in graph.steps[i].after_goals:
                last = max(last, days.after(self.deadlines[link.key], link.wait))
            reached[i] = last
        known = {*fixed, *graph.anchors}
        known.update(i for keys in (self._done.keys(), self._pins.keys()) for i, _ in graph.among(keys))
        links = [(i, graph.steps[before].key, wait) for before in known for i, wait in graph.next[before]]
        links += [(i, link.key, link.wait) for i, link in graph.elsewhere]
        for i, key, wait in links:
            end = self._known_end(key, fixed, graph) if i in reached else None
            if end is not None:
                reached[i] = max(reached[i], days.after(end, wait))
        return reached

    def _known_end(self, key: str, fixed: Mapping[int, int], graph: StepGraph) -> int | None:
        """Return the day after which what follows a step may begin; None if that is not known yet."""
        if key not in graph.index and key in self.ends:
            return self.ends[key]
        day = self.day(key, fixed, graph)
        return day if day is None or self.progress is None else self._end(key, day, graph.window.days)

    def _end(self, key: str, day: int, days: WorkingDays) -> int:
        """Return the day after which what follows a step may begin, from the step's own day."""
        step = self.steps[key]
        if key in self._done:
            return day - 1 if step.milestone else day  # a milestone took none of the day on which it was ticked
        if not step.milestone:
            return max(day, days.forward(self.today))  # if overdue, it still needs a day of its own
        held = step.anchored or key in self._pins
        return max(day if held else day - 1, self.today - 1)

    def day(self, key: str, fixed: Mapping[int, int], graph: StepGraph) -> int | None:
        """Return the day on which a step ends whatever is planned (done, pinned or an appointment); else None."""
        if key in self._done:
            return self._done[key].toordinal()
        if (i := graph.index.get(key)) is not None and i in fixed:
            return fixed[i]
        if key in self._pins:
            return self._pins[key].toordinal()
        appointment = self.steps[key].on
        return appointment.toordinal() if appointment else None


def _opening(step: Step, low: int) -> int:
    """Return the last day before `from`, if that is later than the day `low`."""
    return low if step.not_before is None else max(low, step.not_before.toordinal() - 1)
