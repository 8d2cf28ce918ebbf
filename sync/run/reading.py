"""The first half of a run: read every connector once, see what people did, and schedule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config.errors import BackplanError, CredentialsError, InputError, RefusedError
from config.keys import HEARTBEAT, goal_of, step_of
from connectors.base import Mover
from connectors.model import Snapshot, StoredGoal, StoredKey
from sync.reconcile import strays
from sync.reconcile.handover import Site, hand_over, share_an_account
from sync.reconcile.progress import GIVEN_UP, first_syncs, observe
from sync.reconcile.renames import find_renames, held_back, rename
from sync.reconcile.vanished import too_many
from sync.reconcile.view import ServiceView
from sync.run.homes import Binding, goals_of
from sync.schedule.scheduler import schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from config.errors import Problem
    from config.project import Project
    from connectors.model import Task
    from sync.reconcile.renames import Renames
    from sync.schedule.model import Schedule, ScheduledGoal


@dataclass(frozen=True, slots=True)
class Reading:
    """What one run has read and worked out, before anything is written.

    `unread` maps the label of a connector that could not be read to the reason; its goals are left alone everywhere.
    `held` are the goals that are left alone because a rename is in doubt, of the file or remembered, with the problem.
    `given_up` has, by the label of a connector, the goals that a person cancelled there.
    """

    project: Project
    homes: tuple[Binding, ...]
    views: tuple[ServiceView, ...]
    schedule: Schedule
    unread: Mapping[str, str]
    rebuilt: tuple[str, ...] = ()
    held: Mapping[str, Problem] = field(default_factory=dict)
    given_up: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def first_sync(self) -> dict[str, date]:
        """The day since which any app has known of each goal."""
        return first_syncs(item for view in self.views for item in view.snapshot.memory.items())

    @property
    def reopened(self) -> frozenset[str]:
        """The keys that a person reopened, in any app."""
        return frozenset(key for view in self.views for key in view.tasks if view.reopened(key))

    def doubts(self) -> list[str]:
        """Return a sentence on each place where a rename is in doubt, with the goals that are left alone for it."""
        goals: dict[Problem, list[str]] = {}
        for goal_id, problem in sorted(self.held.items()):
            goals.setdefault(problem, []).append(goal_id)
        return [
            f"{problem}. Until then nothing of {', '.join(ids)} is made, changed or removed"
            for problem, ids in goals.items()
        ]


def read(
    project: Project,
    homes: Sequence[Binding],
    today: date,
    *,
    rebuild: bool = False,
    allow_mass_change: bool = False,
    elsewhere: frozenset[str] = frozenset(),
) -> Reading:
    """Read every connector and compute the schedule that the plan is made from.

    elsewhere: the ids of the goals that are also in a connector that is not among `homes`.

    rebuild: where tasks of ours are found without their memory, start a new one from the tasks themselves.
    allow_mass_change: believe that somebody has deleted many tasks at once.

    Raises RefusedError where tasks have lost their memory, or belong to another namespace.
    """
    found = take_snapshots(project, homes, today, rebuild=rebuild, allow_mass_change=allow_mass_change)
    return work_out(project, found, today, elsewhere)


def work_out(project: Project, found: Snapshots, today: date, elsewhere: frozenset[str] = frozenset()) -> Reading:
    """Return what the snapshots show, and the schedule. Pure. elsewhere: as in `read`."""
    there = [home for home in found.homes if home.label in found.by_label]
    renamed = renames(project, found)
    held = held_back(renamed.values())
    views = hand_over(
        [
            Site(
                home.connector,
                goals_of(home, found.homes, project),
                _view(home, found.by_label[home.label], renamed[home.label].without(held)),
            )
            for home in there
        ],
        _keys(project) | {group.key for goal in project.goals for group in goal.groups} | {HEARTBEAT},
    )
    unread = {goal_id for home in found.homes if home.label not in found.by_label for goal_id in home.goals}
    progress = observe(project, views, today, elsewhere | unread)
    planned = schedule(project, progress, today)
    given_up = _given_up(project, views)
    planned = replace(planned, goals=tuple(_given_up_in(_held(goal, held), given_up) for goal in planned.goals))
    return Reading(project, found.homes, views, planned, found.unread, found.rebuilt, held, given_up)


def _given_up(project: Project, views: Sequence[ServiceView]) -> dict[str, frozenset[str]]:
    """Return the ids of the goals that a person cancelled in each app, by its label."""
    recreate = project.on_delete == "recreate"
    return {
        view.label: frozenset(goal.id for goal in project.goals if view.cancelled(goal, recreate=recreate))
        for view in views
    }


def _given_up_in(goal: ScheduledGoal, given_up: Mapping[str, frozenset[str]]) -> ScheduledGoal:
    """Return a goal that says in which apps it was given up."""
    labels = ", ".join(label for label, ids in given_up.items() if goal.goal.id in ids)
    if not labels or goal.done:
        return goal
    return replace(goal, warnings=(*goal.warnings, f"in {labels} {GIVEN_UP}"))


def renames(project: Project, found: Snapshots) -> dict[str, Renames]:
    """Return what each connector remembers under another key, by its label."""
    there = [home for home in found.homes if home.label in found.by_label]
    return {home.label: find_renames(project, found.by_label[home.label], home.goals) for home in there}


def _held(goal: ScheduledGoal, held: Mapping[str, Problem]) -> ScheduledGoal:
    """Return a goal that says, where it is so, that it is held back."""
    if (problem := held.get(goal.goal.id)) is None:
        return goal
    warning = f"{problem}. Until then nothing of this goal is made, changed or removed"
    return replace(goal, held=True, warnings=(*goal.warnings, warning))


def _keys(project: Project) -> set[str]:
    """Return the keys of the goals and steps of the file."""
    return {goal.id for goal in project.goals} | {step.key for goal in project.goals for step in goal.steps}


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What the connectors returned; `homes`, `unread` and `rebuilt` as in a `Reading`."""

    homes: tuple[Binding, ...]
    by_label: Mapping[str, Snapshot]
    unread: Mapping[str, str]
    rebuilt: tuple[str, ...]


def take_snapshots(
    project: Project, homes: Sequence[Binding], today: date, *, rebuild: bool = False, allow_mass_change: bool = False
) -> Snapshots:
    """Read every connector once, and the places that hold tasks of ours and are not named. Raises as `read` does."""
    snapshots: dict[str, Snapshot] = {}
    unread: dict[str, str] = {}
    rebuilt: list[str] = []
    known = list(homes)
    for home in known:  # which grows
        try:
            snapshot = home.connector.read()
        except (RefusedError, CredentialsError, InputError):
            raise
        except BackplanError as error:
            unread[home.label] = str(error)
            continue
        snapshot = _in_zone(snapshot, project.timezone)
        _refuse_other_account(home, snapshot, project)
        if home.unnamed:
            snapshot = _of_the_file(home, snapshot, project)
        snapshot = _without_entry(home, snapshot)
        if (snapshot.tasks and not snapshot.remembers) or snapshot.damage:
            snapshot = _without_memory(home, snapshot, today, rebuild=rebuild)
            rebuilt.append(home.label)
        _refuse_foreign(home, snapshot, project)
        snapshots[home.label] = snapshot
        if isinstance(home.connector, Mover):
            known += [Binding(other, frozenset(), unnamed=True) for other in home.connector.unnamed()]
    snapshots = _with_strays(project, known, snapshots, today, rebuilt)
    _refuse_emptied(known, snapshots, project)
    unread |= {} if allow_mass_change else _doubts(known, snapshots, project)
    believed = {label: snapshot for label, snapshot in snapshots.items() if label not in unread}
    return Snapshots(tuple(known), believed, unread, tuple(rebuilt))


def _doubts(homes: Sequence[Binding], snapshots: Mapping[str, Snapshot], project: Project) -> dict[str, str]:
    """Return why some places may not have been read as they are, by their labels."""
    there = ((home, snapshots[home.label]) for home in homes if home.label in snapshots)
    return {home.label: doubt for home, snapshot in there if (doubt := _doubt(home, snapshot, project))}


def _doubt(home: Binding, snapshot: Snapshot, project: Project) -> str:
    """Return why a place may not have been read as it is: in files, and where nothing is kept, it does not matter."""
    able = home.connector.capabilities
    if able.local or home.retired or home.unnamed:
        return ""
    return too_many(project, snapshot, families=able.families)


def _with_strays(
    project: Project, homes: Sequence[Binding], snapshots: dict[str, Snapshot], today: date, rebuilt: Sequence[str]
) -> dict[str, Snapshot]:
    """Return the snapshots with the tasks that have lost their marker. Raises RefusedError in any doubt."""
    there = [home for home in homes if home.label in snapshots]
    lists = [home for home in there if strays.are_possible(project, home.connector, snapshots[home.label])]
    if not lists:
        return snapshots
    renamed = {home.label: find_renames(project, snapshots[home.label], home.goals) for home in there}
    held = held_back(renamed.values())
    views = [_view(home, snapshots[home.label], renamed[home.label].without(held)) for home in there]
    planned = schedule(project, observe(project, views, today), today)
    taken = {}
    for home in lists:
        goals = goals_of(home, homes, project)
        snapshot, anew = snapshots[home.label], home.label in rebuilt
        taken[home.label] = strays.take_back(project, home.connector, snapshot, goals, planned, rebuilt=anew)
    return {**snapshots, **taken}


def _in_zone(snapshot: Snapshot, timezone: str) -> Snapshot:
    """Return a snapshot in which what was done at a moment was done on a day of the goals file's time zone."""
    if not any(task.done_at for task in (*snapshot.tasks, *snapshot.copies)):
        return snapshot
    from zoneinfo import ZoneInfo  # seldom needed, and slow to import

    zone = ZoneInfo(timezone)
    tasks, copies = (
        tuple(replace(t, done_on=t.done_at.astimezone(zone).date()) if t.done_at else t for t in found)
        for found in (snapshot.tasks, snapshot.copies)
    )
    return replace(snapshot, tasks=tasks, copies=copies)


def _of_the_file(home: Binding, snapshot: Snapshot, project: Project) -> Snapshot:
    """Return what concerns the goals of the file, of a place that it does not name: all else may be another file's.

    Raises RefusedError where the place has goals of the file beside others, so that it may be in use.
    """
    goals = {goal.id for goal in project.goals} | {goal.was for goal in project.goals if goal.was}
    before = [step.was for goal in project.goals for step in goal.steps if step.was]
    goals |= {goal_of(was) for was in before if "/" in was}  # of steps that have moved to another goal
    live = {g for g, goal in snapshot.memory.items() if any(e.state in ("live", "pending") for e in goal.keys.values())}
    strange = live - goals - {HEARTBEAT}
    known = {g for g, goal in snapshot.memory.items() if any(e.state != "removed" for e in goal.keys.values())} & goals
    if known and strange:
        raise RefusedError(
            f"{home.label}: holds tasks of {', '.join(sorted(known))}, which have another place in the goals "
            f"file, and of {', '.join(sorted(strange))}, which it does not have. If another goals file uses that "
            "place, give this one a `namespace:` of its own. If none does, write the place under `retired:`: what is "
            "left there is then cleared away. Nothing was changed."
        )
    if strange:  # nothing of it is this file's, its heartbeat included
        return replace(snapshot, tasks=(), copies=(), memory={}, remembers=True, damage="")
    # A marker that could not be written anew has the name of two renames ago: then the memory tells whose it is.
    ids = {e.native_id for g, goal in snapshot.memory.items() if g in goals for e in goal.keys.values()} - {""}
    tasks, copies = (
        tuple(
            task
            for task in found
            if goal_of(task.marker.key) in goals | {HEARTBEAT} or {task.native_id, task.marker.nonce} & ids
        )
        for found in (snapshot.tasks, snapshot.copies)
    )
    lost = any(not _is_remembered(task, snapshot) for task in tasks)
    return replace(snapshot, tasks=tasks, copies=copies, damage=snapshot.damage if lost else "", remembers=not lost)


def _without_entry(home: Binding, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot; its memory is damaged where tasks and memory are written as one, and a goal lost its own."""
    if not home.connector.capabilities.atomic or snapshot.damage or not snapshot.remembers:
        return snapshot
    goals = {goal_of(task.marker.key) for task in snapshot.tasks if not _is_remembered(task, snapshot)}
    lost = ", ".join(f"`{goal}`" for goal in sorted(goals & home.goals))
    return (
        replace(snapshot, damage=f"{home.label}: the memory has no entry for {lost}, of which there are tasks")
        if lost
        else snapshot
    )


def _is_remembered(task: Task, snapshot: Snapshot) -> bool:
    """Return whether there is a memory of a task's goal, perhaps under the name that this one has in the file now."""
    entries = (entry for goal in snapshot.memory.values() for entry in goal.keys.values())
    known = goal_of(task.marker.key) in snapshot.memory
    return known or any(entry.native_id in (task.native_id, task.marker.nonce) for entry in entries)


def _refuse_other_account(home: Binding, snapshot: Snapshot, project: Project) -> None:
    if project.account is not None and snapshot.account and project.account not in snapshot.account:
        raise RefusedError(
            f"{home.label}: the goals file says `account: {project.account}`, and the token in the environment belongs "
            f"to {' or '.join(sorted(snapshot.account))}. Use the other token, or change the file; nothing was changed."
        )


def _view(home: Binding, snapshot: Snapshot, renames: Mapping[str, str]) -> ServiceView:
    renamed, keys = rename(snapshot, renames)
    return ServiceView(home.label, renamed, home.goals, keys, snapshot.memory)


def _without_memory(home: Binding, snapshot: Snapshot, today: date, *, rebuild: bool) -> Snapshot:
    """Return the snapshot with a memory made from the tasks, of the goals of which there is none."""
    if not rebuild:
        lost = snapshot.damage or f"{home.label}: the memory beside our {len(snapshot.tasks)} tasks is gone"
        remedy = f"{snapshot.remedy}, or run" if snapshot.remedy else "Run"
        raise RefusedError(
            f"{lost}. {remedy} `backplan sync --rebuild`: it makes a new memory from the tasks, and steps that you had "
            "deleted come back. Nothing was changed."
        )
    memory = dict(snapshot.memory)
    for task in snapshot.tasks:
        marker = task.marker
        goal_id = goal_of(marker.key)
        if not _is_remembered(task, snapshot):
            goal = memory.get(goal_id) or StoredGoal(first_sync=today)
            entry = StoredKey("live", task.native_id, marker.generation)
            memory[goal_id] = replace(goal, keys={**goal.keys, marker.key: entry})
    return replace(snapshot, memory=memory, remembers=True, damage="", mending=True)


def _refuse_foreign(home: Binding, snapshot: Snapshot, project: Project) -> None:
    ours = _keys(project)
    theirs = [name for name, keys in snapshot.others.items() if keys & ours]
    if theirs and not snapshot.tasks and not snapshot.memory and home.goals:
        raise RefusedError(
            f"{home.label}: holds tasks with our keys under the namespace `{theirs[0]}`, and none under "
            f"`{project.namespace}`. If the namespace was renamed in the goals file, change it back to go on with "
            "those tasks; nothing was changed."
        )


def _refuse_emptied(homes: Sequence[Binding], snapshots: Mapping[str, Snapshot], project: Project) -> None:
    """Raise RefusedError where a place shows none of its tasks, and no other place of the account shows any."""
    ours = _keys(project)
    there = [home for home in homes if home.label in snapshots]
    for home in there:
        snapshot = snapshots[home.label]
        remembered = (item for goal in snapshot.memory.values() for item in goal.keys.items())
        live = sum(entry.state == "live" and step_of(key) in ours for key, entry in remembered)
        shown = any(
            snapshots[other.label].tasks for other in there if share_an_account(home.connector, other.connector)
        )
        if live > 1 and not (snapshot.tasks or shown or home.retired):
            raise RefusedError(
                f"{home.label}: none of the {live} tasks that should be there was found. If you deleted them all, "
                "delete what is left of backplan there too (in a Markdown list, the comment at its end) and they are "
                "made anew; nothing was changed."
            )
