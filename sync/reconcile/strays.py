"""Takes back tasks that have lost their marker, as in an editor of rich text that drops comments. Pure.

A task without a marker and a step without a task belong together where they alone have one title and one date: those
last written, or, where the memory is lost as well, those about to be written. A step that is done has no such date: an
open task below its goal that alone has its title is the step, opened again.

Where all tasks lost their markers, a step without a task may be what has its title, its date or its place: in any such
doubt nothing is made, and nothing counts as deleted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import HEARTBEAT, goal_of, step_of
from connectors.model import Content, Marker, Snapshot, StoredGoal, StoredKey, Task, client_nonce, digest
from sync.reconcile import digests
from sync.reconcile.desired import wanted_goal
from sync.reconcile.heartbeat import TITLE
from sync.reconcile.resembling import Entries, Places, is_titled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from config.project import Project
    from connectors.base import Connector
    from connectors.model import Stray
    from sync.reconcile.change import Change
    from sync.schedule.model import Schedule

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Lost:
    """A step without a task: what its task said or would say, and the id and generation that this has."""

    key: str
    content: Content
    native_id: str
    generation: int


def are_possible(project: Project, connector: Connector, snapshot: Snapshot) -> bool:
    """Return whether a task without a marker may be that of a goal or step that has no task."""
    if not snapshot.strays:
        return False
    ids = {task.native_id for task in snapshot.tasks}
    if any(stray.unread or (snapshot.mending and stray.parent in ids) for stray in snapshot.strays):
        return True
    there = {task.marker.key for task in snapshot.tasks}
    titles = {_held(connector, title) for key, title in _titles(project).items() if key not in there}
    doubtful = [stray for stray in snapshot.strays if stray.dated and stray.content.due is None]
    return any(
        stray.content.title in titles or stray.content.title.startswith(TITLE) for stray in snapshot.strays
    ) or any(is_titled(stray, title) for stray in doubtful for title in titles)


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
    rebuilt: it was, and is made anew from the tasks that are left. Raises RefusedError where several tasks fit a step,
    or where all have lost their marker and one that may be a step's has another title or date.
    """
    afresh = rebuilt or not (snapshot.memory or snapshot.tasks)
    there = {task.marker.key for task in snapshot.tasks}
    new = _new(project, connector, goals, planned) if afresh else _missing(project, connector, snapshot, planned)
    all_lost = [one for one in new if one.key not in there]
    all_lost += _beat(project, snapshot) if HEARTBEAT in goals else ()
    told = _told_by_title(all_lost, snapshot.strays)
    lost = [one for one in all_lost if one.key not in told]
    strays = [stray for stray in snapshot.strays if not stray.unread]
    pairs, doubtful = _match(lost, strays, afresh=afresh)
    pairs += _goals(lost, strays, pairs, snapshot)
    emptied = [stray for stray in snapshot.strays if stray.unread and stray.unread not in told.values()]
    if emptied and not afresh:
        matched = {*doubtful, *(one.key for one, _ in pairs)}
        told |= {one.key: _fill(emptied[0], one) for one in lost if one.key not in matched}
    left = [one for one in lost if one.key not in told]
    _refuse(connector, snapshot.remedy, _in_doubt(left, pairs, doubtful, snapshot, emptied, afresh=afresh))
    if not afresh:
        pairs += _reopened(project, connector, snapshot, pairs)
    tasks = [*_unread(project, all_lost, told), *(_task(project, one, stray) for one, stray in pairs)]
    if afresh and tasks:
        snapshot = replace(snapshot, memory=_memory(snapshot, tasks, planned), remembers=True, mending=True)
    taken = {stray.native_id or one.native_id: stray for one, stray in pairs}
    damaged = snapshot.damaged | taken.keys()
    return replace(snapshot, tasks=(*snapshot.tasks, *tasks), damaged=damaged, taken=taken)


def _told_by_title(lost: Sequence[_Lost], strays: Sequence[Stray]) -> dict[str, str]:
    """Return what is said of the steps, by their keys, whose line has a marker in which nothing is left."""
    emptied = [stray for stray in reversed(strays) if stray.unread]
    return {one.key: stray.unread for one in lost for stray in emptied if is_titled(stray, one.content.title)}


def _unread(project: Project, lost: Sequence[_Lost], told: Mapping[str, str]) -> list[Task]:
    """Return the tasks of which it is told why their line cannot be read: they are there, as they were."""
    return [
        Task(
            one.native_id,
            one.content,
            Marker(project.namespace, one.key, one.native_id, one.generation, one.content.due),
            unread=told[one.key],
        )
        for one in lost
        if one.key in told
    ]


def _fill(stray: Stray, one: _Lost) -> str:
    return (
        f"{stray.place}: nothing is left in the comment of backplan, and the title `{stray.content.title}` is of no "
        f"step without a line; if the line is this step, write `<!-- bp1 {one.native_id} -->` into it, else take the "
        "comment out; the step is left as it is"
    )


def _match(
    lost: Sequence[_Lost], strays: Sequence[Stray], *, afresh: bool
) -> tuple[list[tuple[_Lost, Stray]], dict[str, list[Stray]]]:
    """Return what belongs together, and by their keys the steps of which several tasks may be the one.

    afresh: the memory is lost as well, so that a task with the title of a step and another date may be the step's own.
    """
    steps = Counter((one.content.title, one.content.due) for one in lost)
    pairs: list[tuple[_Lost, Stray]] = []
    doubtful: dict[str, list[Stray]] = {}
    for one in lost:
        titled = [stray for stray in strays if is_titled(stray, one.content.title)]
        fitting = [stray for stray in titled if stray.content.due == one.content.due]
        if len(fitting) == 1 == steps[one.content.title, one.content.due]:
            pairs.append((one, fitting[0]))
        elif unsure := fitting or [stray for stray in titled if afresh and stray.dated]:
            doubtful[one.key] = unsure
    return pairs, doubtful


def _goals(
    lost: Sequence[_Lost], strays: Sequence[Stray], pairs: Sequence[tuple[_Lost, Stray]], snapshot: Snapshot
) -> list[tuple[_Lost, Stray]]:
    """Return the goals that are told by their title and the steps below: their date may have changed in the file."""
    matched = {one.key for one, _ in pairs}
    places = _places(snapshot, pairs)
    found = []
    for one in lost:
        if one.key in matched or "/" in one.key:
            continue
        titled = [stray for stray in strays if stray.content.title == one.content.title]
        if len(titled) == 1 and places.hold(one.key, titled[0]):
            found.append((one, titled[0]))
    return found


def _places(snapshot: Snapshot, pairs: Iterable[tuple[_Lost, Stray]]) -> Places:
    """Return where tasks may stand: below and above those that have a marker, and those that are taken back."""
    marked = [(task.marker.key, task.native_id) for task in snapshot.tasks]
    return Places.of((*marked, *((one.key, stray.place) for one, stray in pairs)))


def _in_doubt(
    lost: Sequence[_Lost],
    pairs: Sequence[tuple[_Lost, Stray]],
    doubtful: Mapping[str, list[Stray]],
    snapshot: Snapshot,
    emptied: Sequence[Stray],
    *,
    afresh: bool,
) -> list[tuple[_Lost, list[Stray]]]:
    """Return the steps without a task that may have one after all, each with the entries that may be it.

    emptied: those with a marker in which nothing is left, of which no title tells whose they are.
    Where some tasks were let in without their markers, and none has kept its own, all of them have lost it.
    """
    matched = {one.key for one, _ in pairs}
    left = [one for one in lost if one.key not in matched]
    if not left or not (afresh or not snapshot.tasks):
        return [(one, doubtful[one.key]) for one in left if one.key in doubtful]
    taken = {stray.place for _, stray in pairs}
    free = Entries(s for s in (*snapshot.strays, *snapshot.loose) if s.place not in taken and not s.unread)
    places = _places(snapshot, pairs)
    found = []
    for one in left:
        unsure = free.candidates(one.key, one.content, places, stripped=bool(pairs or doubtful))
        if unsure := doubtful.get(one.key) or [*unsure, *emptied]:
            found.append((one, unsure))
    return found


def _reopened(
    project: Project, connector: Connector, snapshot: Snapshot, pairs: Sequence[tuple[_Lost, Stray]]
) -> Iterator[tuple[_Lost, Stray]]:
    """Yield the steps that are done and without a task, each with the open task that must be it.

    It alone has the step's title, stands below the step's goal and has a date, as the step's own had.
    """
    there = {*(task.marker.key for task in snapshot.tasks), *(one.key for one, _ in pairs)}
    places = _places(snapshot, pairs)
    by_title: dict[str, list[Stray]] = {}
    for stray in (*snapshot.strays, *snapshot.loose):
        by_title.setdefault(stray.content.title, []).append(stray)
    titles = {key: _held(connector, title) for key, title in _titles(project).items()}
    often = Counter(titles.values())
    remembered = (item for goal in snapshot.memory.values() for item in goal.keys.items())
    for key, entry in remembered:
        title = titles.get(key, "")
        alone = by_title.get(title, [])
        if entry.state != "done" or key in there or often[title] != 1 or len(alone) != 1:
            continue
        stray = alone[0]
        closed = stray.done or stray.dropped or stray.unread or not stray.boxed
        if not closed and stray.content.due and places.hold(key, stray):
            yield _Lost(key, stray.content, entry.native_id, entry.generation), stray


def perhaps(entries: Entries, title: str) -> str:
    """Return words on the one line without a marker that has a title, emphasis and letter case aside."""
    stray = entries.alone_titled(title)
    return f"; {stray.place} `{stray.content.title}` may be it" if stray else ""


def typed_again(entries: Entries, title: str) -> str:
    """Return the place and title of the one open task without a marker that is called so; empty for none."""
    stray = entries.alone_titled(title)
    if stray is None or not stray.boxed or stray.done or stray.dropped or stray.unread:
        return ""
    return f"{stray.place} `{stray.content.title}`"


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
    entry = memory.keys[HEARTBEAT] if memory else StoredKey("live", client_nonce(project.namespace, HEARTBEAT, 1))
    gone = all(task.marker.key != HEARTBEAT for task in snapshot.tasks) and entry.state == "live"
    beats = [stray for stray in snapshot.strays if stray.content.title.startswith(TITLE)]
    if gone and len(beats) == 1:
        yield _Lost(HEARTBEAT, beats[0].content, entry.native_id, entry.generation)


def _task(project: Project, lost: _Lost, stray: Stray) -> Task:
    """Return the task again. Its marker has no date, so that one which a person may have given is kept beside it."""
    applied = {"title": digest(stray.content.title)}
    marker = Marker(project.namespace, lost.key, lost.native_id, lost.generation, applied=applied)
    native_id = stray.native_id or lost.native_id
    return Task(native_id, stray.content, marker, stray.done, stray.done_on, stray.dropped)


def _memory(snapshot: Snapshot, tasks: Iterable[Task], planned: Schedule) -> dict[str, StoredGoal]:
    """Return the memory as it was when these tasks were new: with the plan that gives them the dates that they have."""
    memory = dict(snapshot.memory)
    goals = {goal.goal.id: goal for goal in planned.goals}
    for task in tasks:
        goal_id = goal_of(task.marker.key)
        if goal_id == HEARTBEAT:
            continue
        goal = goals[goal_id]
        dates = {step.step.key: (step.start, step.due) for step in goal.steps if step.open and step.start and step.due}
        before = memory.get(goal_id) or StoredGoal(planned.today, {}, goal.made, goal.digest, dates)
        memory[goal_id] = replace(before, keys={**before.keys, task.marker.key: StoredKey("live", task.native_id)})
    return memory


def _refuse(connector: Connector, remedy: str, doubtful: Sequence[tuple[_Lost, Sequence[Stray]]]) -> None:
    if not doubtful:
        return
    named = (stray for _, unsure in doubtful for stray in unsure)
    lines = list(dict.fromkeys(f"{stray.place} `{stray.content.title}`" for stray in named))
    if not connector.capabilities.local:
        raise RefusedError(
            f"{connector.label}: goals or steps have no task, and these may be theirs, without the comments that mark "
            f"backplan's: {_listed(lines, ', ')}. {remedy}; or take backplan's label off those that are not. "
            "Nothing was changed."
        )
    steps = [f"`- [ ] {one.content.title} 📅 {one.content.due}` for {one.key}" for one, _ in doubtful]
    raise RefusedError(
        f"{connector.label}: steps have no task, and it is not sure which of these lines without a marker are theirs: "
        f"{_listed(lines, ', ')}. An editor may have taken out the comments that mark backplan's tasks. Restore the "
        "file from its history; or let there be exactly one line of each step, with this title and this date (its box "
        f"may be ticked, or `[-]` to drop the step): {_listed(steps, '; ')}. Lines of your own may stay once each step "
        "has its line. Nothing was changed."
    )


def _listed(parts: Sequence[str], between: str) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return between.join(parts[:_SHOWN]) + more


def _titles(project: Project) -> dict[str, str]:
    """Return the titles of goals and steps by their keys."""
    titles = {goal.id: goal.title for goal in project.goals}
    return titles | {step.key: step.title for goal in project.goals for step in goal.steps}


def _held(connector: Connector, title: str) -> str:
    return connector.canonical(Content(title)).title
