"""Which task of an app is below which, and which of them have to move."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of, is_group, is_in_goal
from connectors.base import Action
from sync.reconcile.digests import place_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.model import Marker, Task
    from sync.reconcile.change import Change
    from sync.reconcile.desired import DesiredTask
    from sync.reconcile.view import ServiceView


class Places:
    """The places of tasks in one app as its snapshot has them, and as a plan that is being made changes them.

    families: whether the app completes and removes, with a task, the tasks below it.
    """

    def __init__(self, view: ServiceView, *, families: bool) -> None:
        self._view = view
        self._families = families
        self._parents = {task.native_id: task.parent for task in view.snapshot.tasks}
        self._twins = {task.native_id for task in view.duplicates}
        self._groups: dict[str, str] = {}  # key -> place of its members, of the groups that have a task
        self._new: set[str] = set()  # keys of the goals and groups that the plan makes

    def note_group(self, key: str, generation: int) -> None:
        """Note that a group has a task, or is to have one, and how often that was made."""
        self._groups[key] = place_in(key, generation)

    def note_new(self, key: str) -> None:
        """Note that the plan makes the task of a goal or group."""
        self._new.add(key)

    def above(self, wanted: DesiredTask) -> str | None:
        """Return the key of the task above: that of the nearest group that has one, else the goal's.

        None for a follow-up, which would be completed with them.
        """
        if wanted.follow_up and self._families:
            return None
        return next((key for key in wanted.above if key in self._groups or not is_group(key)), None)

    def place(self, wanted: DesiredTask, before: str = "") -> str:
        """Return the digest of the group that the task is in; `before` where the user deleted the group's task."""
        above = self.above(wanted)
        if above is None or not is_group(wanted.above[0]):
            return ""
        return self._groups.get(wanted.above[0], before)

    def moved(self, wanted: DesiredTask, task: Task) -> frozenset[str]:
        """Return `parent` where a task has to move: below another one, if that takes any, or here with its goal."""
        moves = self._is_elsewhere(wanted, task) or self._arrives(wanted, task)
        return frozenset({"parent"} if moves and not self._stays_closed(wanted, task) else ())

    def _stays_closed(self, wanted: DesiredTask, task: Task) -> bool:
        """Return whether a task and the one above it are done, or are about to be: that one takes no children then."""
        above = self._view.tasks.get(self.above(wanted) or "")
        completed = wanted.done is not None and not (task.recurring or task.company)
        return self._families and (task.done or completed) and above is not None and above.done

    def _arrives(self, wanted: DesiredTask, task: Task) -> bool:
        """Return whether a task comes here with its goal, which has another place now; a task that stays done does not.

        A goal may have changed its place while it was done. It comes here when a run reopens it; where the user reopens
        it, it stays where it is.
        """
        if task.done and wanted.done:
            return False
        return task.native_id in self._view.arriving or (task.done and not wanted.above and not task.here)

    def place_after(self, wanted: DesiredTask, task: Task) -> str:
        """Return the digest of the group that a marker has for a task: of no group where the task has yet to move."""
        if self._is_elsewhere(wanted, task) and not self.moved(wanted, task):
            return place_in(wanted.key, 0)
        return self.place(wanted, task.marker.applied.get("parent", ""))

    def marker_with_place(self, wanted: DesiredTask, task: Task) -> Marker:
        """Return the marker of a task whose content stays: with its new place where it moves, or has yet to."""
        if not self._is_elsewhere(wanted, task):
            return task.marker
        return replace(task.marker, applied={**task.marker.applied, "parent": self.place_after(wanted, task)})

    def _is_elsewhere(self, wanted: DesiredTask, task: Task) -> bool:
        """Return whether a task is below the wrong one: its step went to another goal or group.

        A task that the user put elsewhere stays there, until the step changes its group, or the task above it is
        created again.
        """
        key = self.above(wanted)
        above = self._view.tasks.get(key or "")
        if above is not None and above.native_id == task.parent:
            return False
        if task.parent in self._twins or key in self._new:  # a twin is removed
            return True
        return self._is_in_other_group(wanted, task) or self._is_of_other_goal(task)

    def _is_in_other_group(self, wanted: DesiredTask, task: Task) -> bool:
        """Return whether the marker has another group. With a damaged marker, a task stays where no task of ours is."""
        place = task.marker.applied.get("parent")
        return task.parent in self._parents if place is None else place != self.place(wanted, place)

    def _is_of_other_goal(self, task: Task) -> bool:
        """Return whether the step went to another goal, which was not merely renamed."""
        goal_id = goal_of(task.marker.key)
        old = goal_of(self._view.renamed.get(task.native_id, task.marker.key))
        own = self._view.tasks.get(goal_id)
        return old != goal_id and (own is None or self._view.renamed.get(own.native_id) != old)

    def from_below(self, task: Task) -> tuple[bool, bool, int]:
        """Return a sort key for the order of removal: steps, then groups, the innermost first, then goals."""
        key, depth, above = task.marker.key, 0, task.parent
        while above in self._parents and depth < len(self._parents):
            depth, above = depth + 1, self._parents[above]
        return not is_in_goal(key), is_group(key), -depth

    def count_below(self, changes: Iterable[Change]) -> Counter[str]:
        """Return how many tasks of ours stay below each one, by its native id, once `changes` are made."""
        going = {
            change.write.native_id
            for change in changes
            if change.write and (change.action is Action.REMOVE or "parent" in change.write.fields)
        }
        return Counter(task.parent for task in self._view.snapshot.tasks if task.native_id not in going)

    def moved_out_of(self, changes: Iterable[Change]) -> set[str]:
        """Return the native ids of the tasks that `changes` move others out of.

        Where these are completed or removed first, the others are, too.
        """
        if not self._families:
            return set()
        found = set(self._view.outgoing)
        for change in changes:
            if change.write and "parent" in change.write.fields:
                above = self._parents.get(change.write.native_id, "")
                while above in self._parents and above not in found:
                    found.add(above)
                    above = self._parents[above]
        return found
