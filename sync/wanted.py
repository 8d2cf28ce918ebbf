"""From a schedule to the tasks that the apps should hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.base import Content
from sync import digests
from sync.occurrences import step_of
from sync.plan import Wanted, WantedGoal
from sync.schedule import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.network import Project
    from connectors.base import GoalMemory
    from sync.schedule import ScheduledGoal, ScheduledStep


def wanted_goal(project: Project, goal: ScheduledGoal, memory: Mapping[str, GoalMemory]) -> WantedGoal | None:
    """Return a goal's own task and its steps'; None for one that is over before it was ever published."""
    over = goal.state in (State.MISSED, State.DONE)
    if over and goal.goal.id not in memory:
        return None
    own = Wanted(
        key=goal.goal.id,
        content=_goal_content(goal),
        timing=digests.timing(project, goal.goal, None),
        done=goal.done,
    )
    last = {step_of(step.step.key): step.step.key for step in goal.steps if not step.dropped}
    steps = [_step(project, goal, step, last) for step in goal.steps]
    repeating = frozenset(step.key for step in goal.goal.steps if step.every is not None)
    return WantedGoal(goal.goal.id, (own, *steps), goal.made, goal.digest, repeating)


def _step(project: Project, goal: ScheduledGoal, scheduled: ScheduledStep, last: Mapping[str, str]) -> Wanted:
    """Return a step's task. `last` has the key of each step's task: of one that repeats, that of its last time."""
    step = scheduled.step
    dates = (scheduled.start, scheduled.due) if scheduled.start and scheduled.due and scheduled.open else None
    return Wanted(
        key=step.key,
        content=Content(
            title=step.title,
            due=scheduled.due,
            notes="\n\n".join(filter(None, [step.notes, step.link])),
            labels=tuple(dict.fromkeys([*goal.goal.labels, *step.labels])),
            priority=step.priority or goal.goal.priority or "none",
            start=scheduled.start,
            who=step.who or goal.goal.who or "",
            checklist=step.checklist,
            after=tuple(sorted({last.get(link.key, link.key) for link in (*step.after, *step.after_goals)})),
        ),
        timing=digests.timing(project, goal.goal, step),
        parent=goal.goal.id,
        done=scheduled.done,
        definition=digests.definition(step),
        dates=dates,
        pinned=scheduled.pinned,
        follow_up=step.follow_up,
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
