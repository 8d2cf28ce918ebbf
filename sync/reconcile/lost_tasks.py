"""The goals and steps without a task that should have one, as their tasks were last written or would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, is_in_goal, step_of
from connectors.model import Content, StoredKey, client_nonce
from sync.reconcile import digests
from sync.reconcile.desired import wanted_goal
from sync.reconcile.heartbeat import TITLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from config.project import Project
    from connectors.base import Connector
    from connectors.model import Snapshot, StoredGoal
    from sync.schedule.model import Schedule


@dataclass(frozen=True, slots=True)
class Lost:
    """A goal or step without a task: what its task said or would say, and the id and generation of that."""

    key: str
    content: Content
    native_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Source:
    """What the lost tasks of one connector are found by.

    goals: the ids of those that the connector is to hold. planned: the schedule, which has what would be created where
    the memory is lost. afresh: it is lost.
    """

    project: Project
    connector: Connector
    snapshot: Snapshot
    goals: Collection[str]
    planned: Schedule
    afresh: bool


def lost_tasks(source: Source) -> list[Lost]:
    """Return what the tasks that are lost said."""
    there = {task.marker.key for task in source.snapshot.tasks}
    expected = new_tasks(source) if source.afresh else _missing(source)
    lost = [one for one in expected if one.key not in there]
    return [*lost, *(_beat(source) if HEARTBEAT in source.goals else ())]


def titles_of(project: Project, connector: Connector) -> dict[str, str]:
    """Return the titles of goals and steps by their keys, as the service shows them."""
    return {key: connector.canonical(Content(title)).title for key, title in _titles(project).items()}


def _titles(project: Project) -> dict[str, str]:
    titles = {goal.id: goal.title for goal in project.goals}
    return titles | {step.key: step.title for goal in project.goals for step in goal.steps}


def _missing(source: Source) -> Iterator[Lost]:
    """Yield the tasks that the memory has and the list does not show. A step that is done needs no task."""
    titles = _titles(source.project)
    deadlines = {goal.goal.id: goal.deadline for goal in source.planned.goals}
    for goal_id, memory in source.snapshot.memory.items():
        for key, entry in memory.keys.items():
            title = titles.get(step_of(key))
            due = _due(key, memory) if is_in_goal(key) else deadlines.get(goal_id)
            if entry.state == "live" and title and due:
                content = source.connector.canonical(Content(title, due))
                yield Lost(key, content, entry.native_id, entry.generation)


def _due(key: str, memory: StoredGoal) -> date | None:
    """Return the published due date of a step."""
    return memory.dates[key][1] if key in memory.dates else None


def new_tasks(source: Source) -> Iterator[Lost]:
    """Yield the open tasks of all goals and steps, as they would be created in a list without a memory."""
    namespace = source.project.namespace
    deadlines = digests.deadlines(source.project)
    goals = [goal for goal in source.planned.goals if goal.goal.id in source.goals]
    for goal in goals:
        wanted = wanted_goal(deadlines[goal.goal.id], goal, {}, source.planned.today)
        for task in wanted.tasks if wanted else ():
            if task.done is None and task.content.due is not None:
                content = source.connector.canonical(Content(task.content.title, task.content.due))
                yield Lost(task.key, content, client_nonce(namespace, task.key, 1), 1)


def _beat(source: Source) -> Iterator[Lost]:
    """Yield the heartbeat, where it has lost its marker: its title and date are those of the day of its last run."""
    memory = source.snapshot.memory.get(HEARTBEAT)
    nonce = client_nonce(source.project.namespace, HEARTBEAT, 1)
    entry = memory.keys[HEARTBEAT] if memory else StoredKey("live", nonce)
    is_there = any(task.marker.key == HEARTBEAT for task in source.snapshot.tasks)
    beats = [stray for stray in source.snapshot.strays if stray.content.title.startswith(TITLE)]
    if entry.state == "live" and not is_there and len(beats) == 1:
        yield Lost(HEARTBEAT, beats[0].content, entry.native_id, entry.generation)
