"""Builds the tasks that the apps should hold from a schedule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config.keys import is_group, step_of
from config.project import Step
from connectors.model import Content
from sync.reconcile import digests
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from config.project import Group
    from connectors.model import StoredGoal, Task
    from sync.reconcile.moved_deadlines import Verdict
    from sync.schedule.model import ScheduledGoal, ScheduledStep


@dataclass(frozen=True, slots=True)
class DesiredTask:
    """A task as the goals file and the schedule want it.

    timing, definition: the digests of `sync.reconcile.digests`. above: the keys of the tasks above it, the nearest
    first: groups, and the goal. done: the day on which it was done; None while it is open. dates: the start and due to
    publish. in_file: the goals file itself has the day, at the step or at its goal. verdict: on the date that the user
    gave to the own task of its goal.
    """

    key: str
    content: Content
    timing: str
    above: tuple[str, ...] = ()
    done: date | None = None
    definition: str = ""
    dates: tuple[date, date] | None = None
    pinned: bool = False
    follow_up: bool = False
    in_file: bool = False
    verdict: Verdict | None = None

    def verdict_on(self, task: Task) -> Verdict | None:
        """Return the verdict, where this is the goal's own task, with another date than its marker has."""
        return self.verdict if not self.above and task.content.due not in (None, task.marker.due) else None

    def went_along(self, task: Task) -> bool:
        """Return whether the user moved a step by as many days as its goal, whose deadline moved by that."""
        if self.verdict is None or self.verdict.outcome != "moved" or not (task.content.due and task.marker.due):
            return False
        return task.content.due - task.marker.due == self.verdict.after - self.verdict.before

    @property
    def whole(self) -> bool:
        """Whether it is a goal's own task or a group's, and so has its date from its steps."""
        return not self.above or is_group(self.key)


@dataclass(frozen=True, slots=True)
class DesiredGoal:
    """A goal's own task and its steps' in the file's order, groups before their members, with the plan to publish.

    began: as in a `ScheduledGoal`.
    repeating: the keys of the steps whose occurrences come and go with the plan. first_sync: the day of the first run
    that wrote the goal to any app.
    """

    goal_id: str
    tasks: tuple[DesiredTask, ...]
    made: date
    digest: str
    first_sync: date
    repeating: frozenset[str] = frozenset()
    began: Mapping[str, date] = field(default_factory=dict)


def wanted_goal(
    deadline: str,
    goal: ScheduledGoal,
    memory: Mapping[str, StoredGoal],
    first_sync: date,
    *,
    nested: int = 0,
    verdict: Verdict | None = None,
) -> DesiredGoal | None:
    """Return a goal's own task and its steps'; None for one that is over before it was ever published.

    deadline: as `digests.deadlines` has it. memory: of the app. first_sync: as in a `DesiredGoal`. nested: how many
    groups, one below the other, have tasks as well, with the tasks of their members below. verdict: on the date that
    the user gave to the goal's own task.
    """
    over = goal.state in (State.MISSED, State.DONE)
    if over and goal.goal.id not in memory:
        return None
    own = DesiredTask(
        key=goal.goal.id,
        content=_goal_content(goal),
        timing=digests.timing(deadline, None),
        done=goal.done,
        in_file=goal.goal.done is not None,
        verdict=verdict,
    )
    repeating = frozenset(step.key for step in goal.goal.steps if step.every is not None)
    parts = (replace(part, verdict=verdict) for part in _parts(deadline, goal, nested))
    return DesiredGoal(goal.goal.id, (own, *parts), goal.made, goal.digest, first_sync, repeating, goal.began)


def contents(goal: ScheduledGoal) -> dict[str, Content]:
    """Return what people see of a goal's own task and its steps', by key."""
    last = _last(goal)
    return {goal.goal.id: _goal_content(goal), **{s.step.key: _step_content(goal, s, last) for s in goal.steps}}


def _last(goal: ScheduledGoal) -> dict[str, str]:
    """Return the key of each step's task: for a step that repeats, that of its last occurrence."""
    return {step_of(step.step.key): step.step.key for step in goal.steps if not step.dropped}


def _parts(deadline: str, goal: ScheduledGoal, nested: int) -> Iterator[DesiredTask]:
    """Yield the tasks of a goal's steps and groups. nested: as for `wanted_goal`."""
    last = _last(goal)
    scheduled = {step.step.key: step for step in goal.steps}
    own_steps = [step.step for step in goal.steps]
    above, members = goal.goal.chains(), goal.goal.members(own_steps)
    for part in goal.goal.outline(own_steps):
        if isinstance(part, Step):
            around = above[part.group][-nested:] if nested else ()
            yield _step(deadline, goal, scheduled[part.key], last, around)
        elif len(above[part.within]) < nested:
            own = [scheduled[step.key] for step in members[part.key] if _is_in_group(scheduled[step.key])]
            if own:
                yield _group(deadline, goal, part, own, above[part.within])


def _is_in_group(step: ScheduledStep) -> bool:
    """Return whether a step counts for its group: a follow-up is elsewhere, and a dropped one is not in the plan."""
    return not (step.dropped or step.step.follow_up)


def _group(
    deadline: str, goal: ScheduledGoal, group: Group, members: list[ScheduledStep], above: tuple[str, ...]
) -> DesiredTask:
    """Return a group's own task: it lasts from the first day of its members to the last, and is done when they are.

    above: the keys of the groups around it.
    """
    done = [step.done for step in members if step.done]
    return DesiredTask(
        key=group.key,
        content=Content(
            title=group.title,
            due=max((step.due for step in members if step.due), default=None),
            notes=group.notes,
            labels=tuple(dict.fromkeys([*goal.goal.labels, *group.labels])),
            start=min((step.start for step in members if step.start), default=None),
        ),
        timing=digests.timing(deadline, None),
        above=(*above, goal.goal.id),
        done=max(done) if len(done) == len(members) else None,
        definition=digests.definition(group),
    )


def _step(
    deadline: str,
    goal: ScheduledGoal,
    scheduled: ScheduledStep,
    last: Mapping[str, str],
    above: tuple[str, ...],
) -> DesiredTask:
    """Return a step's task.

    last: as `_last` returns it. above: the keys of the groups around it, the innermost first.
    """
    step = scheduled.step
    dates = (scheduled.start, scheduled.due) if scheduled.start and scheduled.due and scheduled.open else None
    return DesiredTask(
        key=step.key,
        content=_step_content(goal, scheduled, last),
        timing=digests.timing(deadline, step),
        above=(*above, goal.goal.id),
        done=scheduled.done,
        definition=digests.definition(step),
        dates=dates,
        pinned=scheduled.pinned,
        follow_up=step.follow_up,
        in_file=(step.done or goal.goal.done) is not None,
    )


def _step_content(goal: ScheduledGoal, scheduled: ScheduledStep, last: Mapping[str, str]) -> Content:
    step = scheduled.step
    return Content(
        title=step.title,
        due=scheduled.due,
        notes="\n\n".join(filter(None, [step.notes, step.link])),
        labels=tuple(dict.fromkeys([*goal.goal.labels, *step.labels])),
        priority=step.priority or goal.goal.priority or "none",
        start=scheduled.start,
        who=step.who or goal.goal.who or "",
        checklist=step.checklist,
        after=tuple(sorted({last.get(link.key, link.key) for link in (*step.after, *step.after_goals)})),
    )


def _goal_content(goal: ScheduledGoal) -> Content:
    said = goal.goal
    done_when = f"Done when: {said.done_when}" if said.done_when else ""
    return Content(
        title=said.title,
        due=goal.deadline,
        notes="\n\n".join(filter(None, [said.why, done_when, said.notes, said.link])),
        labels=said.labels,
        priority=said.priority or "none",
        start=said.start,
        who=said.who or "",
    )
