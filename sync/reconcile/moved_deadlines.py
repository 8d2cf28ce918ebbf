"""Decides what becomes of deadlines that the user moved in an app, by the date of the goal's own task. Pure.

With `deadlines: app` in the goals file, such a date is to be the goal's new deadline. A date counts if the file's
deadline is still the one that was last written into that very task. Otherwise the file wins, as with any other field.

A run that was cut short may have written the file, and not yet all tasks. The next run finds the file's deadline on a
task whose marker has the old one: the move is the same one, and nothing is left to write into the file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal

from sync.reconcile import digests

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from config.project import Goal, Project
    from connectors.model import Task
    from sync.reconcile.view import ServiceView


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the date that the user gave to a goal's own task, and why.

    - outcome: `moved` if it is the deadline, `stays` if the task keeps it and the file stays as well, `back` if the
      task gets the file's deadline again
    - before, after: the deadline, and the date that the user gave; for `moved`, the old and the new deadline
    - written: the goals file has the new deadline already
    """

    outcome: Literal["moved", "stays", "back"]
    before: date
    after: date
    reason: str
    written: bool = False

    def stays(self, why: str) -> Verdict:
        """Return the verdict that the task keeps its date, and the file the old deadline."""
        reason = f"a person moved it to {self.after}, and the goals file stays at {self.before}: {why}"
        return replace(self, outcome="stays", reason=reason)

    def goes_back(self, why: str) -> Verdict:
        """Return the verdict that the task gets the file's deadline again."""
        return replace(self, outcome="back", reason=f"a person moved it to {self.after}, and it is put back: {why}")


Verdicts = dict[str, Verdict]  # by the goal's id


@dataclass(frozen=True, slots=True)
class _Drag:
    """A date that the user gave to a goal's own task. before: the one that its marker has."""

    label: str
    before: date
    after: date

    def moved(self, *, written: bool = False) -> Verdict:
        """Return the verdict that the goal has this date as its deadline."""
        return Verdict("moved", self.before, self.after, "a person moved the deadline", written)


def decide(
    project: Project, views: Sequence[ServiceView], unread: Collection[str], why_not: Callable[[Goal, date], str]
) -> Verdicts:
    """Return the verdict on each goal with a date that the user gave to its own task, by the goal's id.

    unread: the ids of the goals of which a place was not read: a later run decides. why_not: returns why the goals file
    cannot be edited so that a goal has another deadline; an empty text if it can.
    """
    if project.deadlines != "app":
        return {}
    found = {goal.id: _verdict(goal, _drags(goal, views), why_not) for goal in project.goals if goal.id not in unread}
    return {goal_id: verdict for goal_id, verdict in found.items() if verdict is not None}


def _drags(goal: Goal, views: Sequence[ServiceView]) -> list[_Drag]:
    """Return the dates that the user gave to the goal's own task, in each app that is to hold it."""
    tasks = [(view, view.tasks[goal.id]) for view in views if goal.id in view.goals and goal.id in view.tasks]
    if goal.done is not None or any(task.done for _, task in tasks):
        return []
    drags = (_drag(view, task) for view, task in tasks)
    return [drag for drag in drags if drag is not None]


def _drag(view: ServiceView, task: Task) -> _Drag | None:
    """Return the date that the user gave to a task; None for a task that is not ours to follow, or is not dated."""
    before, after = task.marker.due, task.content.due
    theirs = task.recurring or task.dropped or bool(task.unread) or task.native_id in view.snapshot.damaged
    if theirs or before is None or after is None or before == after:
        return None
    return _Drag(view.label, before, after)


def _verdict(goal: Goal, drags: Sequence[_Drag], why_not: Callable[[Goal, date], str]) -> Verdict | None:
    if not isinstance(goal.deadline, date):
        return drags[0].moved().stays(why_not(goal, drags[0].after)) if drags else None
    fresh = [drag for drag in drags if drag.before == goal.deadline]
    if not fresh:
        return _verdict_on_older(goal.deadline, drags)
    if len({drag.after for drag in fresh}) > 1:
        return fresh[0].moved().stays(f"another app has another day ({_places(fresh)}); give both the same one")
    why = why_not(goal, fresh[0].after)
    return fresh[0].moved().stays(why) if why else fresh[0].moved()


def _places(drags: Sequence[_Drag]) -> str:
    return ", ".join(f"{drag.after} in {drag.label}" for drag in drags)


def _verdict_on_older(deadline: date, drags: Sequence[_Drag]) -> Verdict | None:
    """Return the verdict where the file's deadline is not the one that the tasks were last given."""
    for drag in drags:
        if drag.after == deadline:
            return drag.moved(written=True)
    return None


# What follows from the verdicts


def moved(verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return the verdicts by which a goal has another deadline than when its tasks were last written."""
    return {goal_id: verdict for goal_id, verdict in verdicts.items() if verdict.outcome == "moved"}


def unwritten(verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return the verdicts for which the goals file has to be edited."""
    return {goal_id: verdict for goal_id, verdict in moved(verdicts).items() if not verdict.written}


def with_deadlines(project: Project, days: Mapping[str, date]) -> Project:
    """Return the project with other deadlines, by the goals' ids."""
    return project.with_goals(lambda goal: replace(goal, deadline=days[goal.id]) if goal.id in days else goal)


@dataclass(frozen=True, slots=True)
class Shift:
    """What pins have to know of a goal whose deadline the user moved in an app.

    deadline: the old one, as `digests.deadlines` has it. days: by how many the goal's own task was moved; 0 if the
    deadline moved because another goal's did.
    """

    deadline: str
    days: int = 0

    def is_pin(self, task: Task) -> bool:
        """Return whether the date of a task, planned for the old deadline, was given by the user.

        A task that was moved by as many days as its goal went along with that.
        """
        given, planned = task.content.due, task.marker.due
        if given == planned or given is None or planned is None:
            return given != planned
        return (given - planned).days != self.days


def shifts(project: Project, verdicts: Mapping[str, Verdict]) -> dict[str, Shift]:
    """Return the shift of each goal whose deadline moved, by its id. project: with the new deadlines."""
    if not (found := moved(verdicts)):
        return {}
    days = {goal_id: verdict.before for goal_id, verdict in found.items()}
    old, new = digests.deadlines(with_deadlines(project, days)), digests.deadlines(project)
    by = {goal_id: (verdict.after - verdict.before).days for goal_id, verdict in found.items()}
    return {goal_id: Shift(old[goal_id], by.get(goal_id, 0)) for goal_id in new if old[goal_id] != new[goal_id]}
