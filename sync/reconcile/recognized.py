"""Recognizes tasks by an id in their text that follows from a wanted key, where the memory does not have the key. Pure.

The memory may be lost, or be that of another branch in which the task was not there yet.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, is_in_goal
from connectors.model import Marker, Task, client_nonce
from sync.reconcile.lost_tasks import titles_of
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date

    from config.project import Goal, Project, Step
    from connectors.base import Connector
    from connectors.model import Snapshot, Stray

_ID = re.compile(r"[0-9a-f]{7}(?:[0-9a-f]{2,3})?")
_GENERATIONS = range(1, 10)


def recognized(project: Project, connector: Connector, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the tasks whose id follows from a wanted key, among its tasks.

    Where there is no memory, it counts as lost, also if only the form of an id and a wanted title show that.
    """
    marked = [stray for stray in snapshot.strays if any(map(_ID.fullmatch, stray.ids))]
    if not marked:
        return snapshot
    nonces = _nonces(project, snapshot, {stray.content.due for stray in marked} - {None})
    found: dict[str, list[tuple[Task, Stray]]] = {}
    # Of a line and its copies, one that is ticked is the task: plugins put an open copy with the next date above it.
    for stray in sorted(marked, key=lambda stray: (not stray.done, stray.content.due is None)):
        if known := next((nonces[id_] for id_ in stray.ids if id_ in nonces), None):
            task = Task(known.nonce, stray.content, _told(known), *_state(stray))
            found.setdefault(known.nonce, []).append((task, stray))
    if snapshot.memory:
        return _with(snapshot, found)
    titles = set(titles_of(project, connector).values())
    if not found and any(stray.content.title in titles for stray in marked):
        lost = f"{connector.label}: lines end in an id of backplan's, and the memory at the end is gone"
        return replace(snapshot, damage=snapshot.damage or lost)
    return replace(_with(snapshot, found), remembers=snapshot.remembers and not found)


def _with(snapshot: Snapshot, found: Mapping[str, Sequence[tuple[Task, Stray]]]) -> Snapshot:
    """Return the snapshot with these tasks: by their ids, the task itself and its copies."""
    taken = {native_id: alike[0][1] for native_id, alike in found.items()}
    ids = {stray.place: native_id for native_id, alike in found.items() for _, stray in alike}
    strays, loose = (tuple(_beside(one, ids) for one in all_) for all_ in (snapshot.strays, snapshot.loose))
    return replace(
        snapshot,
        tasks=(*snapshot.tasks, *(alike[0][0] for alike in found.values())),
        copies=(*snapshot.copies, *(copy for alike in found.values() for copy, _ in alike[1:])),
        strays=tuple(stray for stray in strays if stray.place not in ids),
        loose=loose,
        damaged=snapshot.damaged | taken.keys(),
        taken={**snapshot.taken, **taken},
    )


def _beside(stray: Stray, ids: dict[str, str]) -> Stray:
    """Return a stray, beside those that are tasks now. ids: the native ids of these, by their places."""
    return replace(stray, parent=ids.get(stray.parent, stray.parent), below=tuple(ids.get(n, n) for n in stray.below))


def _state(stray: Stray) -> tuple[bool, date | None, bool]:
    return stray.done, stray.done_on, stray.dropped


def _told(marker: Marker) -> Marker:
    """Return the marker of a task. Its title may be the user's, and is noted below it where the file overrules it."""
    return replace(marker, applied={"title": ""})


def _nonces(project: Project, snapshot: Snapshot, days: Collection[date | None]) -> dict[str, Marker]:
    """Return the markers that tasks may have, by what may be their id. days: those of occurrences."""
    remembered = {key for key, _ in entries_of(snapshot.memory)}
    markers: dict[str, Marker] = {}
    for key, old in _keys(project, days):
        for generation in _GENERATIONS if key not in remembered else ():
            nonce = client_nonce(project.namespace, old, generation)
            marker = Marker(project.namespace, key, nonce, generation)
            for id_ in (nonce[:7], nonce[:9], nonce):
                markers.setdefault(id_, marker)
    return markers


def _keys(project: Project, days: Collection[date | None]) -> Iterator[tuple[str, str]]:
    """Yield the keys that a task may have, each with the one that its id may follow from."""
    yield HEARTBEAT, HEARTBEAT
    for goal in project.goals:
        yield goal.id, goal.id
        if goal.was:
            yield goal.id, goal.was
        for step in goal.steps:
            for old in _names(goal, step):
                yield step.key, old
                for day in days if step.every is not None else ():
                    yield f"{step.key}@{day}", f"{old}@{day}"


def _names(goal: Goal, step: Step) -> Sequence[str]:
    names = [step.key]
    if goal.was:
        names.append(f"{goal.was}/{step.id}")
    if step.was:
        names.append(step.was if is_in_goal(step.was) else f"{goal.id}/{step.was}")
    return names
