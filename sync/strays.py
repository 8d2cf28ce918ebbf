"""Takes back tasks that have lost their marker, as in an editor of rich text that drops comments. Pure.

A task without a marker and a step without a task belong together where they alone have one title and one date: those
last written, or, where the memory is lost as well, those about to be written. In any doubt nothing is made.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import RefusedError
from connectors.base import HEARTBEAT, Content, GoalMemory, Marker, Remembered, Snapshot, Task, client_nonce, digest
from sync import digests
from sync.heartbeat import TITLE
from sync.occurrences import step_of
from sync.wanted import wanted_goal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from config.network import Project
    from connectors.base import Connector, Stray
    from sync.changes import Change
    from sync.schedule import Schedule

_SHOWN = 10
_REMEDY = (
    "An editor may have taken out the comments that mark backplan's tasks. Restore the file from its history; or leave "
    "one line of each step, with its date as `backplan schedule` shows it, and give lines of your own other words. "
    "Nothing was changed."
)


@dataclass(frozen=True, slots=True)
class _Lost:
    """A step without a task: what its task said or would say, and the id and generation that this has."""

    key: str
    content: Content
    native_id: str
    generation: int


def are_possible(project: Project, connector: Connector, snapshot: Snapshot) -> bool:
    """Return whether a task without a marker has the title of a goal or step that has no task."""
    if not snapshot.strays:
        return False
    there = {task.marker.key for task in snapshot.tasks}
    titles = {_held(connector, title) for key, title in _titles(project).items() if key not in there}
    doubtful = [stray for stray in snapshot.strays if stray.dated and stray.content.due is None]
    return any(
        stray.content.title in titles or stray.content.title.startswith(TITLE) for stray in snapshot.strays
    ) or any(_is_titled(stray, title) for stray in doubtful for title in titles)


def take_back(
    project: Project,
    connector: Connector,
    snapshot: Snapshot,
    goals: Collection[str],
    planned: Schedule,
    *,
    rebuilt: bool = False,
) -> Snapshot:
    """Return the snapshot with the tasks that have lost their marker among its tasks.

    goals: the ids of those that the connector is to hold. planned: what would be made where the memory is lost.
    rebuilt: it was, and is made anew from the tasks that are left.

    Raises RefusedError where several tasks fit a step, or where the memory is lost as well and the dates differ.
    """
    afresh = rebuilt or not (snapshot.memory or snapshot.tasks)
    there = {task.marker.key for task in snapshot.tasks}
    new = _new(project, connector, goals, planned) if afresh else _missing(project, connector, snapshot, planned)
    lost = [one for one in new if one.key not in there]
    lost += _beat(project, snapshot) if HEARTBEAT in goals else ()
    unread = _unread(project, lost, snapshot.strays)
    lost = [one for one in lost if one.key not in unread]
    pairs, doubtful = _match(lost, [stray for stray in snapshot.strays if not stray.unread], afresh=afresh)
    _refuse(connector, doubtful)
    tasks = [*unread.values(), *(_task(project, one, stray) for one, stray in pairs)]
    if afresh and tasks:
        snapshot = replace(snapshot, memory=_memory(snapshot, tasks, planned), remembers=True, mending=True)
    taken = {one.native_id: stray for one, stray in pairs}
    damaged = snapshot.damaged | taken.keys()
    return replace(snapshot, tasks=(*snapshot.tasks, *tasks), damaged=damaged, taken=taken)


def _unread(project: Project, lost: Sequence[_Lost], strays: Sequence[Stray]) -> dict[str, Task]:
    """Return the steps, by their keys, whose line has a marker in which nothing is left: it is told by its title."""
    tasks = {}
    for one in lost:
        told = next((stray.unread for stray in strays if stray.unread and _is_titled(stray, one.content.title)), "")
        if told:
            marker = Marker(project.namespace, one.key, one.native_id, one.generation, one.content.due)
            tasks[one.key] = Task(one.native_id, one.content, marker, unread=told)
    return tasks


def _match(
    lost: Sequence[_Lost], strays: Sequence[Stray], *, afresh: bool
) -> tuple[list[tuple[_Lost, Stray]], list[Stray]]:
    """Return what belongs together, and the tasks of which that is not sure.

    afresh: the memory is lost as well, so that a task with the title of a step and another date may be the step's own.
    """
    steps = Counter((one.content.title, one.content.due) for one in lost)
    pairs: list[tuple[_Lost, Stray]] = []
    doubtful: dict[str, Stray] = {}
    for one in lost:
        titled = [stray for stray in strays if _is_titled(stray, one.content.title)]
        fitting = [stray for stray in titled if stray.content.due == one.content.due]
        if len(fitting) == 1 == steps[one.content.title, one.content.due]:
            pairs.append((one, fitting[0]))
        else:
            unsure = fitting or [stray for stray in titled if afresh and stray.dated]
            doubtful |= {stray.place: stray for stray in unsure}
    return pairs, list(doubtful.values())


def perhaps(snapshot: Snapshot, title: str) -> str:
    """Return words on the one line without a marker that has a title, emphasis and letter case aside."""
    taken = {stray.place for stray in snapshot.taken.values()}
    free = (stray for stray in (*snapshot.strays, *snapshot.loose) if stray.place not in taken)
    titled = [stray for stray in free if _plain(stray.content.title) == _plain(title)]
    return f"; {titled[0].place} `{titled[0].content.title}` may be it" if len(titled) == 1 else ""


def addressed(changes: Iterable[Change], snapshot: Snapshot) -> list[Change]:
    """Return the changes; those of tasks that have lost their marker say how these are found."""
    return [
        replace(change, write=replace(change.write, found=snapshot.taken[change.write.native_id].content))
        if change.write and change.write.native_id in snapshot.taken
        else change
        for change in changes
    ]


def _missing(project: Project, connector: Connector, snapshot: Snapshot, planned: Schedule) -> Iterator[_Lost]:
    """Yield what the memory knows and the list does not show; what is done needs no task."""
    titles = _titles(project)
    deadlines = {goal.goal.id: goal.deadline for goal in planned.goals}
    for goal_id, memory in snapshot.memory.items():
        for key, entry in memory.keys.items():
            title = titles.get(step_of(key))
            due = deadlines.get(goal_id) if key == goal_id else memory.dates[key][1] if key in memory.dates else None
            if entry.state == "live" and title and due:
                yield _Lost(
                    key,
                    connector.canonical(Content(title, due)),
                    entry.native_id,
                    entry.generation,
                )


def _new(project: Project, connector: Connector, goals: Collection[str], planned: Schedule) -> Iterator[_Lost]:
    """Yield what would be made in a list without a memory."""
    deadlines = digests.deadlines(project)
    for goal in planned.goals:
        if goal.goal.id in goals and (wanted := wanted_goal(deadlines[goal.goal.id], goal, {}, planned.today)):
            for task in wanted.tasks:
                if task.done is None and task.content.due is not None:
                    content = connector.canonical(Content(task.content.title, task.content.due))
                    yield _Lost(task.key, content, client_nonce(project.namespace, task.key, 1), 1)


def _beat(project: Project, snapshot: Snapshot) -> Iterator[_Lost]:
    """Yield the heartbeat, whose title and date are those of the day of its last run, where it has lost its marker."""
    memory = snapshot.memory.get(HEARTBEAT)
    entry = memory.keys[HEARTBEAT] if memory else Remembered("live", client_nonce(project.namespace, HEARTBEAT, 1))
    gone = all(task.marker.key != HEARTBEAT for task in snapshot.tasks) and entry.state == "live"
    beats = [stray for stray in snapshot.strays if stray.content.title.startswith(TITLE)]
    if gone and len(beats) == 1:
        yield _Lost(HEARTBEAT, beats[0].content, entry.native_id, entry.generation)


def _task(project: Project, lost: _Lost, stray: Stray) -> Task:
    """Return the task again. Its marker has no date, so that one which a person may have given is kept beside it."""
    applied = {"title": digest(stray.content.title)}
    marker = Marker(project.namespace, lost.key, lost.native_id, lost.generation, applied=applied)
    return Task(lost.native_id, stray.content, marker, stray.done, stray.done_on, stray.dropped)


def _memory(snapshot: Snapshot, tasks: Iterable[Task], planned: Schedule) -> dict[str, GoalMemory]:
    """Return the memory as it was when these tasks were new: with the plan that gives them the dates that they have."""
    memory = dict(snapshot.memory)
    goals = {goal.goal.id: goal for goal in planned.goals}
    for task in tasks:
        goal_id = task.marker.key.partition("/")[0]
        if goal_id == HEARTBEAT:
            continue
        goal = goals[goal_id]
        dates = {step.step.key: (step.start, step.due) for step in goal.steps if step.open and step.start and step.due}
        before = memory.get(goal_id) or GoalMemory(planned.today, {}, goal.made, goal.digest, dates)
        memory[goal_id] = replace(before, keys={**before.keys, task.marker.key: Remembered("live", task.native_id)})
    return memory


def _refuse(connector: Connector, doubtful: Sequence[Stray]) -> None:
    if doubtful:
        shown = ", ".join(f"{stray.place} `{stray.content.title}`" for stray in doubtful[:_SHOWN])
        more = f" and {len(doubtful) - _SHOWN} more" if len(doubtful) > _SHOWN else ""
        raise RefusedError(
            f"{connector.label}: steps have no task, and it is not sure which of these lines without a marker are "
            f"theirs: {shown}{more}. {_REMEDY}"
        )


def _titles(project: Project) -> dict[str, str]:
    """Return the titles of goals and steps by their keys."""
    titles = {goal.id: goal.title for goal in project.goals}
    return titles | {step.key: step.title for goal in project.goals for step in goal.steps}


def _is_titled(stray: Stray, title: str) -> bool:
    """Return whether a task has a title, which a date that cannot be read may follow."""
    said = stray.content.title
    return said == title or (stray.dated and stray.content.due is None and said.startswith(f"{title} "))


def _plain(title: str) -> str:
    """Return a title without marks of emphasis, a bullet or a box in front of it, and the case of its letters."""
    bare = re.sub(r"^(?:[-*+•]\s+)?(?:\[[^\[\]]?\]\s+)?", "", title)
    return " ".join(re.sub(r"[*_~`]", "", bare).split()).casefold()


def _held(connector: Connector, title: str) -> str:
    return connector.canonical(Content(title)).title
