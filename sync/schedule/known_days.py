"""The days that are known whatever is planned, and the earliest begins that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule import milestones
from sync.schedule.squeeze import Floors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from config.project import Step
    from sync.schedule.backward_pass import Position, StepGraph
    from sync.schedule.model import Progress
    from sync.schedule.working_days import WorkingDays


class KnownDays:
    """What the planner knows of days before it plans a goal: what is done, pinned or fixed, and other goals' ends.

    `ends` are the earliest ends of steps by their keys, `deadlines` those of goals by their ids, `outside` the latest
    ends that other goals leave to steps. Days are ordinals, `day` is today.
    """

    progress: Progress
    day: int
    steps: Mapping[str, Step]
    ends: Mapping[str, int]
    deadlines: dict[str, int]
    outside: dict[str, int]

    def floors(
        self,
        network: StepGraph,
        gone: frozenset[int],
        fixed: Mapping[int, int],
        low: int,
        *,
        progress: bool = True,
    ) -> Floors:
        """Return the earliest begin of each step that may move: after `low`, its `from`, and what is fixed or done."""
        stays = {*gone, *fixed, *network.anchors}
        movable = [i for i in range(len(network.steps)) if i not in stays] if stays else range(len(network.steps))
        sharing = self._sharing(network, gone, self.progress.pins if progress else ())
        return self.floors_of(network, movable, fixed, low, progress=progress, sharing=sharing)

    def _sharing(self, network: StepGraph, gone: frozenset[int], pins: Collection[str]) -> frozenset[int]:
        """Return the milestones that may share the day on which what follows them begins, here or in other goals."""
        outside, pinned = (network.among(set(keys)) for keys in (self.outside, pins))
        return milestones.sharing(network, gone, (i for i, _ in outside), (i for i, _ in pinned))

    def floors_of(
        self,
        network: StepGraph,
        some: Iterable[int],
        fixed: Mapping[int, int],
        low: int,
        *,
        progress: bool = True,
        sharing: frozenset[int] = frozenset(),
    ) -> Floors:
        """Return the earliest begin of `some` steps; `low` is the last day before the first one that they may have."""
        position = network.frame.days.position
        reached = self._days_before(network, some, fixed, low, progress=progress)
        begin: dict[int, Position] = {i: position(day) for i, day in reached.items()}
        for i in reached.keys() & set(network.milestones) - sharing:
            # It happens at the end of a day, and there is none but its own.
            begin[i] = max(begin[i], position(_opening(network.steps[i], low)) + 1)
        return Floors(begin, first={i: reached[i] + 1 for i in network.elapsed if i in reached})

    def _days_before(
        self,
        network: StepGraph,
        some: Iterable[int],
        fixed: Mapping[int, int],
        low: int,
        *,
        progress: bool,
    ) -> dict[int, int]:
        """Return the last day, working or not, before the first one that each of `some` steps may have."""
        days, done = network.frame.days, self.progress.done
        reached: dict[int, int] = {}
        for i in some:
            last = _opening(network.steps[i], low)
            for link in network.steps[i].after_goals:
                day = self.deadlines[link.key]
                last = max(last, days.after(day, link.wait) if link.wait else day)
            reached[i] = last
        known = {*fixed, *network.anchors}
        if progress:
            known.update(i for keys in (done.keys(), self.progress.pins.keys()) for i, _ in network.among(keys))
        links = [(i, network.steps[before].key, wait) for before in known for i, wait in network.next[before]]
        links += [(i, link.key, link.wait) for i, link in network.elsewhere]
        for i, key, wait in links:
            ends = self._known_end(key, fixed, network, progress=progress) if i in reached else None
            if ends is not None:
                reached[i] = max(reached[i], days.after(ends, wait) if wait else ends)
        return reached

    def _known_end(self, key: str, fixed: Mapping[int, int], network: StepGraph, *, progress: bool) -> int | None:
        """Return the day after which what follows a step may begin; None where that is not known yet."""
        if key not in network.index and key in self.ends:
            return self.ends[key]
        day = self.known_day(key, fixed, network, progress=progress)
        return self._over(key, day, network.frame.days) if progress and day is not None else day

    def _over(self, key: str, day: int, days: WorkingDays) -> int:
        """Return the day after which what follows a step may begin, where the step's own day is known."""
        step = self.steps[key]
        if key in self.progress.done:
            return day - 1 if step.milestone else day  # which took none of the day on which it was ticked
        if not step.milestone:
            return max(day, days.forward(self.day))  # overdue, it still wants a day of its own
        held = step.anchored or key in self.progress.pins
        return max(day if held else day - 1, self.day - 1)

    def known_day(self, key: str, fixed: Mapping[int, int], network: StepGraph, *, progress: bool) -> int | None:
        """Return the day on which a step ends whatever is planned: done, pinned or an appointment; else None."""
        if progress and key in self.progress.done:
            return self.progress.done[key].toordinal()
        if (index := network.index.get(key)) is not None and index in fixed:
            return fixed[index]
        if progress and key in self.progress.pins:
            return self.progress.pins[key].toordinal()
        appointment = self.steps[key].on
        return appointment.toordinal() if appointment else None


def _opening(step: Step, low: int) -> int:
    """Return the last day before `from`, where that is later than the day `low`."""
    return low if step.not_before is None else max(low, step.not_before.toordinal() - 1)
