"""Takes back tasks that have lost their marker, as in an editor of rich text that drops comments. Pure.

A task without a marker and a step without a task belong together where they alone have one title and one date: those
last written, or, where the memory is lost as well, those about to be written. A step that is done has no such date: an
open task below its goal that alone has its title is the step, opened again.

Where all tasks lost their markers, a step without a task may be what has its title, its date or its place: in any such
doubt nothing is made, and nothing counts as deleted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import HEARTBEAT, goal_of
from connectors.model import Marker, StoredGoal, StoredKey, Task, digest
from sync.reconcile.heartbeat import TITLE
from sync.reconcile.lost_tasks import Source, lost_tasks, titles_of
from sync.reconcile.matching import in_doubt, match, reopened
from sync.reconcile.resembling import is_titled

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

    from config.project import Project
    from connectors.base import Connector
    from connectors.model import Snapshot, Stray
    from sync.reconcile.change import Change
    from sync.reconcile.lost_tasks import Lost
    from sync.reconcile.matching import Doubt, Pair
    from sync.reconcile.resembling import Entries
    from sync.schedule.model import Schedule, ScheduledGoal

_SHOWN = 10


def are_possible(project: Project, connector: Connector, snapshot: Snapshot) -> bool:
    """Return whether a task without a marker may be that of a goal or step that has no task."""
    if not snapshot.strays:
        return False
    ids = {task.native_id for task in snapshot.tasks}
    in_doubt = (stray.unread or (snapshot.mending and stray.parent in ids) for stray in snapshot.strays)
    if snapshot.stripped or any(in_doubt):
        return True
    there = {task.marker.key for task in snapshot.tasks}
    titles = {title for key, title in titles_of(project, connector).items() if key not in there}
    return any(_may_be_titled(stray, titles) for stray in snapshot.strays)


def _may_be_titled(stray: Stray, titles: Collection[str]) -> bool:
    """Return whether a task has one of the titles, or the heartbeat's."""
    title, doubtful = stray.content.title, stray.dated and stray.content.due is None
    is_known = title in titles or title.startswith(TITLE)
    return is_known or (doubtful and any(is_titled(stray, one) for one in titles))


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

    goals: the ids of those that the connector is to hold. planned: what would be created where the memory is lost.
    rebuilt: the memory was lost, and is made again from the tasks that are left.

    Raises RefusedError where several tasks fit a step, or where all have lost their marker and one that may be a step's
    has another title or date.
    """
    afresh = rebuilt or not (snapshot.memory or snapshot.tasks)
    source = Source(project, connector, snapshot, goals, planned, afresh)
    lost = lost_tasks(source)
    unread = _unread_by_title(lost, snapshot.strays)
    found = match(source, [one for one in lost if one.key not in unread])
    emptied = [stray for stray in snapshot.strays if stray.unread and stray.unread not in unread.values()]
    if not afresh:
        unread |= _unread_in_doubt(lost, {*unread, *found.keys, *found.doubtful}, emptied)
    readable = [one for one in lost if one.key not in unread]
    _refuse(connector, snapshot.remedy, in_doubt(source, readable, found, emptied))
    pairs = [*found.pairs, *(() if afresh else reopened(source, found.pairs))]
    unread_tasks = [_unread_task(project, one, unread[one.key]) for one in lost if one.key in unread]
    return with_tasks(source, unread_tasks, pairs)


def with_tasks(source: Source, unread: Sequence[Task], pairs: Sequence[Pair]) -> Snapshot:
    """Return the snapshot with tasks that are taken back. pairs: those whose marker has to be written again."""
    snapshot = source.snapshot
    tasks = [*unread, *(_task(source.project, one, stray) for one, stray in pairs)]
    if source.afresh and tasks:
        snapshot = replace(snapshot, memory=_memory(snapshot, tasks, source.planned), remembers=True, mending=True)
    taken = {**snapshot.taken, **{stray.native_id or one.native_id: stray for one, stray in pairs}}
    damaged = snapshot.damaged | taken.keys()
    return replace(snapshot, tasks=(*snapshot.tasks, *tasks), damaged=damaged, taken=taken)


def _unread_by_title(lost: Sequence[Lost], strays: Sequence[Stray]) -> dict[str, str]:
    """Return by key why the line of a lost task cannot be read: its marker is empty. It is found by its title."""
    emptied = [stray for stray in reversed(strays) if stray.unread]
    return {one.key: stray.unread for one in lost for stray in emptied if is_titled(stray, one.content.title)}


def _unread_in_doubt(lost: Sequence[Lost], found: Collection[str], emptied: Sequence[Stray]) -> dict[str, str]:
    """Return by key why the line of a lost task may be one with an empty marker and another title."""
    return {one.key: _fill(emptied[0], one) for one in lost if one.key not in found} if emptied else {}


def _unread_task(project: Project, one: Lost, unread: str) -> Task:
    """Return a task whose line cannot be read, and so is left as it is. unread: why."""
    marker = Marker(project.namespace, one.key, one.native_id, one.generation, one.content.due)
    return Task(one.native_id, one.content, marker, unread=unread)


def _fill(stray: Stray, one: Lost) -> str:
    return (
        f"{stray.place}: nothing is left in the comment of backplan, and the title `{stray.content.title}` is of no "
        f"step without a line; if the line is this step, write `{sign(one.native_id)}` in its place, else take it out; "
        "the step is left as it is"
    )


def sign(native_id: str) -> str:
    """Return what a user writes at the end of a line to make it that of a task."""
    return f"🆔 {native_id[:7]}"


def perhaps(entries: Entries, title: str) -> str:
    """Return a note on the only line without a marker that has a title, emphasis and letter case aside."""
    stray = entries.alone_titled(title)
    return f"; {stray.place} `{stray.content.title}` may be it" if stray else ""


def typed_again(entries: Entries, title: str) -> str:
    """Return the place and title of the only open task without a marker that has a title; empty for none."""
    stray = entries.alone_titled(title)
    if stray is None or not stray.boxed or stray.done or stray.dropped or stray.unread:
        return ""
    return f"{stray.place} `{stray.content.title}`"


def addressed(changes: Iterable[Change], snapshot: Snapshot) -> list[Change]:
    """Return the changes; a task that has lost its marker is found by its content, which its change gets."""
    return [
        replace(change, write=replace(change.write, found=snapshot.taken[change.write.native_id].content))
        if change.write and change.write.native_id in snapshot.taken
        else change
        for change in changes
    ]


def _task(project: Project, lost: Lost, stray: Stray) -> Task:
    """Return the task again. Its marker has no date: the date in the task, which may be the user's, is kept as text."""
    applied = {"title": digest(stray.content.title)}
    marker = Marker(project.namespace, lost.key, lost.native_id, lost.generation, applied=applied)
    native_id = stray.native_id or lost.native_id
    return Task(native_id, stray.content, marker, stray.done, stray.done_on, stray.dropped)


def _memory(snapshot: Snapshot, tasks: Iterable[Task], planned: Schedule) -> dict[str, StoredGoal]:
    """Return the memory as it was when these tasks were new: with the plan that their dates come from."""
    memory = dict(snapshot.memory)
    goals = {goal.goal.id: goal for goal in planned.goals}
    for task in tasks:
        goal_id = goal_of(task.marker.key)
        if goal_id == HEARTBEAT:
            continue
        goal = goals[goal_id]
        before = memory.get(goal_id) or StoredGoal(planned.today, {}, goal.made, goal.digest, _dates(goal), goal.began)
        memory[goal_id] = replace(before, keys={**before.keys, task.marker.key: StoredKey("live", task.native_id)})
    return memory


def _dates(goal: ScheduledGoal) -> dict[str, tuple[date, date]]:
    return {step.step.key: (step.start, step.due) for step in goal.steps if step.open and step.start and step.due}


def _refuse(connector: Connector, remedy: str, doubtful: Sequence[Doubt]) -> None:
    """Raise RefusedError where lost tasks may be there after all."""
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
        f"{connector.label}: steps have no task, and it is not sure which of these lines without an id are theirs: "
        f"{_listed(lines, ', ')}. An editor may have taken out the 🆔 that marks backplan's tasks. Restore the "
        "file from its history; or let there be exactly one line of each step, with this title and this date (its box "
        f"may be ticked, or `[-]` to drop the step): {_listed(steps, '; ')}. Lines of your own may stay once each step "
        "has its line; `backplan sync --adopt` takes over those that alone have the title of a new step. Nothing was "
        "changed."
    )


def _listed(parts: Sequence[str], between: str) -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return between.join(parts[:_SHOWN]) + more
