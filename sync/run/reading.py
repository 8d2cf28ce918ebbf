"""The first half of a run: reads every connector once, finds the changes of the user, and schedules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from config.durations import Unit
from config.edit import why_not_movable
from config.errors import BackplanError, CredentialsError, InputError, RefusedError
from config.keys import HEARTBEAT, step_of
from connectors.base import Mover
from sync.reconcile import adoption, strays
from sync.reconcile import moved_deadlines as decided
from sync.reconcile.handover import Site, hand_over
from sync.reconcile.pins import without_needless_pins
from sync.reconcile.progress import first_syncs, observe
from sync.reconcile.recognized import recognized
from sync.reconcile.renames import find_renames, held_back, rename
from sync.reconcile.view import ServiceView
from sync.run import checks, lost_memory
from sync.run.homes import Binding, goals_of
from sync.schedule.scheduler import schedule
from sync.schedule.warnings import GivenUp, Held
from sync.schedule.working_days import WorkingDays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.calendars import Calendar
    from config.errors import Problem
    from config.project import Goal, Project
    from connectors.model import Snapshot, Stray, Task
    from sync.reconcile.moved_deadlines import Verdict
    from sync.reconcile.renames import Renames
    from sync.schedule.model import Progress, Schedule, ScheduledGoal


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading: all that a run knows before it writes.

    unread: why a connector could not be read, by its label; its goals are left alone everywhere. rebuilt: the labels of
    the connectors whose memory was made again from the tasks. held: the goals that are left alone because a rename is
    in doubt, with the problem. given_up: the ids of the goals that the user cancelled in each connector, by its label.
    deadlines: what becomes of the dates that the user gave to the goals' own tasks. The project has those that count.
    """

    project: Project
    homes: tuple[Binding, ...]
    views: tuple[ServiceView, ...]
    schedule: Schedule
    unread: Mapping[str, str]
    rebuilt: tuple[str, ...] = ()
    held: Mapping[str, Problem] = field(default_factory=dict)
    given_up: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deadlines: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def first_sync(self) -> dict[str, date]:
        """The day of the first sync of each goal, in any app."""
        return first_syncs(item for view in self.views for item in view.snapshot.memory.items())

    @property
    def reopened(self) -> frozenset[str]:
        """The keys that the user reopened, in any app."""
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
    afresh: bool = False,
) -> Reading:
    """Read every connector and compute the schedule that the plan is made from.

    elsewhere: the ids of the goals that are also in a connector that is not among `homes`.

    rebuild: where tasks of ours are found without their memory, start a new one from the tasks themselves.
    allow_mass_change: take it as true that many tasks were deleted at once.
    afresh: goals with `when_full: earlier` are placed anew, even if a plan of theirs stands.

    Raises RefusedError where tasks have lost their memory, or belong to another namespace.
    """
    found = take_snapshots(project, homes, today, rebuild=rebuild, allow_mass_change=allow_mass_change)
    return work_out(project, found, today, elsewhere, partial(schedule, afresh=afresh))


def work_out(
    project: Project,
    found: Snapshots,
    today: date,
    elsewhere: frozenset[str] = frozenset(),
    schedule: Callable[[Project, Progress, date], Schedule] = schedule,
    deadlines: Mapping[str, Verdict] | None = None,
) -> Reading:
    """Return the progress that the snapshots show, and the schedule. Pure. elsewhere: as in `read`.

    deadlines: as `moved_deadlines` returns them, after the goals file was edited; None where it is not.
    """
    verdicts = moved_deadlines(project, found) if deadlines is None else deadlines
    days = {goal_id: verdict.after for goal_id, verdict in decided.moved(verdicts).items()}
    project = decided.with_deadlines(project, days) if days else project
    views, held = _followed(project, found.there, found.by_label)
    sites = [
        Site(home.connector, goals_of(home, found.homes, project), view)
        for home, view in zip(found.there, views, strict=True)
    ]
    views = hand_over(sites, checks.keys_of(project) | {HEARTBEAT, *_groups(project)})
    shifts = decided.shifts(project, verdicts)
    seen = observe(project, views, today, elsewhere | found.unread_goals, shifts)
    seen = replace(seen, unread=found.unread_goals)
    progress = without_needless_pins(seen, views, lambda known: schedule(project, known, today))
    planned = schedule(project, progress, today)
    given_up = _given_up(project, views)
    planned = replace(planned, goals=tuple(_given_up_in(_held(goal, held), given_up) for goal in planned.goals))
    return Reading(project, found.homes, views, planned, found.unread, found.rebuilt, held, given_up, verdicts)


def moved_deadlines(
    project: Project, found: Snapshots, why_not: Callable[[Goal, date], str] = why_not_movable
) -> Mapping[str, Verdict]:
    """Return what becomes of the dates that the user gave to the goals' own tasks. why_not: as in `decide`."""
    if project.deadlines != "app":
        return {}
    views, held = _followed(project, found.there, found.by_label)
    return decided.decide(project, views, found.unread_goals | held.keys(), why_not)


def _groups(project: Project) -> list[str]:
    return [group.key for goal in project.goals for group in goal.groups]


def _given_up(project: Project, views: Sequence[ServiceView]) -> dict[str, frozenset[str]]:
    """Return the ids of the goals that the user cancelled in each app, by its label."""
    recreate = project.on_delete == "recreate"
    return {
        view.label: frozenset(goal.id for goal in project.goals if view.cancelled(goal, recreate=recreate))
        for view in views
    }


def _given_up_in(goal: ScheduledGoal, given_up: Mapping[str, frozenset[str]]) -> ScheduledGoal:
    """Return a goal with a warning that names the apps in which it was given up."""
    labels = [label for label, ids in given_up.items() if goal.goal.id in ids]
    if not labels or goal.done:
        return goal
    return replace(goal, warnings=(*goal.warnings, GivenUp(labels)))


def renames(project: Project, found: Snapshots) -> dict[str, Renames]:
    """Return the renamed keys of each connector, by its label."""
    return _renames(project, found.there, found.by_label)


def _renames(project: Project, homes: Sequence[Binding], snapshots: Mapping[str, Snapshot]) -> dict[str, Renames]:
    return {home.label: find_renames(project, snapshots[home.label], home.goals) for home in homes}


def _held(goal: ScheduledGoal, held: Mapping[str, Problem]) -> ScheduledGoal:
    """Return a goal; one that is held back has a warning of that."""
    if (problem := held.get(goal.goal.id)) is None:
        return goal
    return replace(goal, held=True, warnings=(*goal.warnings, Held(problem)))


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What the connectors returned; `homes`, `unread` and `rebuilt` as in a `Reading`.

    to_adopt: the user's own tasks that could be taken over, by the keys of the steps whose title they have.
    """

    homes: tuple[Binding, ...]
    by_label: Mapping[str, Snapshot]
    unread: Mapping[str, str]
    rebuilt: tuple[str, ...]
    to_adopt: Mapping[str, Stray] = field(default_factory=dict)

    @property
    def unread_goals(self) -> frozenset[str]:
        """The ids of the goals of which a place was not read."""
        return frozenset(goal_id for home in self.homes if home.label not in self.by_label for goal_id in home.goals)

    @property
    def there(self) -> list[Binding]:
        """The places that were read."""
        return [home for home in self.homes if home.label in self.by_label]


def take_snapshots(
    project: Project,
    homes: Sequence[Binding],
    today: date,
    *,
    rebuild: bool = False,
    allow_mass_change: bool = False,
    adopt: bool = False,
) -> Snapshots:
    """Read every connector once, and the places that hold tasks of ours and are not named. Raises as `read` does.

    adopt: take over the user's own tasks that have the title of a new step, as `sync.reconcile.adoption` finds them.
    """
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
        snapshot = _prepared(home, snapshot, project)
        if lost_memory.is_lost(snapshot):
            snapshot = lost_memory.rebuilt_memory(home, snapshot, today, rebuild=rebuild)
            rebuilt.append(home.label)
        checks.refuse_foreign(home, snapshot, project)
        snapshots[home.label] = snapshot
        if isinstance(home.connector, Mover):
            known += [Binding(other, frozenset(), unnamed=True) for other in home.connector.unnamed()]
    snapshots, to_adopt = _with_strays(project, known, snapshots, today, rebuilt, adopt=adopt)
    checks.refuse_emptied(known, snapshots, project)
    unread |= {} if allow_mass_change else checks.doubts(known, snapshots, project)
    believed = {label: snapshot for label, snapshot in snapshots.items() if label not in unread}
    return Snapshots(tuple(known), believed, unread, tuple(rebuilt), to_adopt)


def _in_zone(snapshot: Snapshot, timezone: str) -> Snapshot:
    """Return a snapshot in which the time at which a task was done gives its day, in the goals file's time zone."""
    if not any(task.done_at for task in (*snapshot.tasks, *snapshot.copies)):
        return snapshot
    from zoneinfo import ZoneInfo  # seldom needed, and slow to import

    zone = ZoneInfo(timezone)
    tasks, copies = (
        tuple(replace(t, done_on=t.done_at.astimezone(zone).date()) if t.done_at else t for t in found)
        for found in (snapshot.tasks, snapshot.copies)
    )
    return replace(snapshot, tasks=tasks, copies=copies)


def _in_calendars(snapshot: Snapshot, project: Project) -> Snapshot:
    """Return a snapshot in which steps that a person moved by their first day are as many working days long as before.

    Steps that are measured otherwise, or that the goals file does not have under these keys, move by days of the week.
    """
    if not any(task.moved_from for task in snapshot.tasks):
        return snapshot
    calendars = {
        step.key: goal.calendar
        for goal in project.goals
        for step in goal.steps
        if step.takes is None or step.takes.unit is Unit.WORKING_DAYS
    }
    return replace(snapshot, tasks=tuple(_in_calendar(task, calendars) for task in snapshot.tasks))


def _in_calendar(task: Task, calendars: Mapping[str, Calendar]) -> Task:
    calendar = calendars.get(step_of(task.marker.key))
    if calendar is None or task.moved_from is None or task.content.start is None:
        return task
    first, last = (day.toordinal() for day in task.moved_from)
    days = WorkingDays(calendar, task.moved_from[0])
    begins = days.forward(task.content.start.toordinal())
    due = days.day(days.position(begins) + days.position(last) - days.position(first))
    return replace(task, content=replace(task.content, due=date.fromordinal(due)))


def _prepared(home: Binding, snapshot: Snapshot, project: Project) -> Snapshot:
    """Return the part of a snapshot that belongs to the goals file, with its days in the file's time zone."""
    snapshot = _in_calendars(_in_zone(snapshot, project.timezone), project)
    checks.refuse_other_account(home, snapshot, project)
    if home.unnamed:
        snapshot = lost_memory.part_of_file(home, snapshot, project)
    return recognized(project, home.connector, lost_memory.with_missing_entries(home, snapshot))


def _with_strays(
    project: Project,
    homes: Sequence[Binding],
    snapshots: dict[str, Snapshot],
    today: date,
    rebuilt: Sequence[str],
    *,
    adopt: bool,
) -> tuple[dict[str, Snapshot], dict[str, Stray]]:
    """Return the snapshots with the tasks that have lost their marker, and what is left to be adopted.

    Raises RefusedError in any doubt.
    """
    there = [home for home in homes if home.label in snapshots]
    lists = [home for home in there if strays.are_possible(project, home.connector, snapshots[home.label])]
    if not lists:
        return snapshots, {}
    views, _ = _followed(project, there, snapshots)
    planned = schedule(project, observe(project, views, today), today)
    taken = {}
    to_adopt: dict[str, Stray] = {}
    for home in lists:
        goals = goals_of(home, homes, project)
        snapshot, anew = snapshots[home.label], home.label in rebuilt
        if adopt:
            snapshot = adoption.adopted(project, home.connector, snapshot, goals, planned)
        snapshot = strays.take_back(project, home.connector, snapshot, goals, planned, rebuilt=anew)
        to_adopt |= adoption.candidates(project, home.connector, snapshot, goals, planned)
        taken[home.label] = snapshot
    return {**snapshots, **taken}, to_adopt


def _followed(
    project: Project, homes: Sequence[Binding], snapshots: Mapping[str, Snapshot]
) -> tuple[tuple[ServiceView, ...], dict[str, Problem]]:
    """Return the views with the keys that the file has now, and the goals that are held back, with the problem."""
    renamed = _renames(project, homes, snapshots)
    held = held_back(renamed.values())
    return tuple(_view(home, snapshots[home.label], renamed[home.label].without(held)) for home in homes), held


def _view(home: Binding, snapshot: Snapshot, renames: Mapping[str, str]) -> ServiceView:
    renamed, keys = rename(snapshot, renames)
    return ServiceView(home.label, renamed, home.goals, keys, snapshot.memory)
