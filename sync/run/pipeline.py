"""The second half of a run: plans each connector from its snapshot, and (for `sync`) carries the plans out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import InputError, RefusedError
from config.keys import HEARTBEAT, goal_of
from connectors.base import Action, Paced
from sync.reconcile import digests, heartbeat
from sync.reconcile.context import Run
from sync.reconcile.desired import wanted_goal
from sync.reconcile.diff import plan
from sync.reconcile.handover import Site, share_an_account, with_carried
from sync.reconcile.pacing import WAITS, within
from sync.run import executor
from sync.run.homes import goals_of, heartbeat_home

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from config.project import Goal, Project
    from connectors.base import Connector
    from connectors.model import StoredGoal, Task
    from sync.reconcile.change import Change, ConnectorPlan
    from sync.reconcile.desired import DesiredGoal
    from sync.reconcile.record import Journal
    from sync.reconcile.view import ServiceView
    from sync.run.homes import Binding
    from sync.run.reading import Reading, Snapshots


def _new_nonce() -> str:
    from secrets import token_hex

    return token_hex(5)


def make_plans(
    reading: Reading,
    *,
    only_goals: frozenset[str] = frozenset(),
    only_connectors: frozenset[str] = frozenset(),
    allow_mass_change: bool = False,
    new_nonce: Callable[[], str] = _new_nonce,
) -> list[ConnectorPlan]:
    """Return the plan of each connector that was read.

    only_goals, only_connectors: ids and names; all else was read, and is not written. new_nonce: as in `Run`.

    Goals are left alone everywhere for which a connector could not be read, that fail under `when_late: fail`, or in
    which a rename is in doubt; and those that would take the days of a goal that is not written.
    """
    skipped = _left_alone(reading, only_goals, only_connectors)
    by_label = {home.label: home for home in reading.homes}

    def planned(view: ServiceView) -> ConnectorPlan:
        run = _run(reading, new_nonce, allow_mass_change=allow_mass_change or by_label[view.label].retired)
        return _plan(reading, by_label[view.label], view, run, skipped)

    views = [view for view in reading.views if _is_asked_for(by_label[view.label], only_connectors)]
    plans = {view.label: planned(view) for view in views}
    # A place that goals have left is planned again once it is known which tasks their new places create.
    created = {plan.label: {c.key for c in plan.writes if c.action is Action.CREATE} for plan in plans.values()}
    sites = [_site(by_label[view.label], view, reading) for view in reading.views]
    for view in views:
        if (whole := with_carried(view, sites, created)).carried:
            plans[view.label] = planned(whole)
    return _in_turn(list(plans.values()), reading)


def _left_alone(reading: Reading, only_goals: frozenset[str], only_connectors: frozenset[str]) -> frozenset[str]:
    """Return the ids of the goals that are left alone in all apps."""
    skipped = _beside_unread(reading) | reading.held.keys()
    skipped |= {goal.goal.id for goal in reading.schedule.goals if goal.failed}
    skipped |= {goal.goal.id for goal in reading.schedule.goals if goal.waits}
    if only_goals:
        skipped |= _all_goals(reading) - only_goals
    for goal in reading.schedule.goals:  # none takes the days of one that is not written
        if goal.moves_for and (goal.goal.id in skipped or only_connectors):
            skipped |= {one.id for one in goal.moves_for}
    if only_goals or reading.unread:  # the heartbeat shows when everything was read last
        skipped |= {HEARTBEAT}
    return frozenset(skipped)


def _all_goals(reading: Reading) -> set[str]:
    """Return the ids of the goals of the file and of all memories."""
    remembered = {goal_id for view in reading.views for goal_id in view.snapshot.memory}
    return {goal.id for goal in reading.project.goals} | remembered


def _is_asked_for(home: Binding, names: frozenset[str]) -> bool:
    return not names or home.connector.name in names


def _run(reading: Reading, new_nonce: Callable[[], str], *, allow_mass_change: bool) -> Run:
    project = reading.project
    return Run(
        project.namespace,
        reading.schedule.today,
        new_nonce,
        project.prune,
        project.on_delete,
        allow_mass_change,
        reading.reopened,
        reading.schedule.done(),
    )


def _left_alone_in(reading: Reading, home: Binding, view: ServiceView) -> frozenset[str]:
    """Return the ids of the goals that are left alone in one app.

    A goal that was given up in another place of the account moves when it is taken up again.
    """
    memory = frozenset(view.snapshot.memory) if home.unnamed else frozenset()
    return memory | (_given_up_there(reading, home) & view.leaving.keys())


def _given_up_there(reading: Reading, old: Binding) -> frozenset[str]:
    """Return the goals that the user gave up in another place of the account."""
    there = (home for home in reading.homes if share_an_account(home.connector, old.connector))
    return frozenset[str]().union(*(reading.given_up.get(home.label, ()) for home in there))


def _site(home: Binding, view: ServiceView, reading: Reading) -> Site:
    return Site(home.connector, goals_of(home, reading.homes, reading.project), view)


def _beside_unread(reading: Reading) -> set[str]:
    """Return the goals of which there may be tasks in a place that could not be read."""
    unread = [home for home in reading.homes if home.label in reading.unread]
    if not unread:
        return set()
    # Within an account tasks move, and a run that was cut short may have created some before its goal went elsewhere.
    alike = [home for home in reading.homes if home in unread or _shares_an_account(home, unread)]
    stored = {view.label: view.stored for view in reading.views}

    def is_beside(goal: Goal) -> bool:
        homes = [home for home in reading.homes if goal.id in home.goals]
        return any(home in alike or _is_new(goal, stored[home.label]) for home in homes)

    return {goal.id for goal in reading.project.goals if is_beside(goal)}


def _shares_an_account(home: Binding, others: Iterable[Binding]) -> bool:
    return any(share_an_account(home.connector, other.connector) for other in others)


def _is_new(goal: Goal, stored: Mapping[str, StoredGoal]) -> bool:
    """Return whether a place that a goal is to be in has had no task of it yet, as far as it remembers itself."""
    names = [name for name in (goal.id, goal.was) if name and name in stored]
    entries = (entry for name in names for entry in stored[name].keys.values())
    return all(entry.state in ("removed", "pending") for entry in entries)


def _in_turn(plans: Sequence[ConnectorPlan], reading: Reading) -> list[ConnectorPlan]:
    """Return the plans; a goal leaves a place only in a run that creates all of it in the other one."""
    waiting = _waiting_goals(plans, reading)
    departing = {view.label: view.departing & waiting for view in reading.views}
    staying = {plan.label: _part(plan.leaving, _staying(plan, plans, reading)) for plan in plans}
    return [_held_back(plan, departing[plan.label], staying[plan.label]) for plan in plans]


def _waiting_goals(plans: Sequence[ConnectorPlan], reading: Reading) -> set[str]:
    """Return the ids of the goals of which this run does not write everything."""
    written = {plan.label for plan in plans}
    waiting = {goal_of(change.key) for plan in plans for change in plan.writes if change.status == "skipped"}
    return waiting.union(*(home.goals for home in reading.homes if home.label not in written))


def _held_back(plan: ConnectorPlan, departing: Collection[str], staying: Mapping[str, StoredGoal]) -> ConnectorPlan:
    """Return a plan in which the goals that have to wait do not leave. staying: the memory that stays as well."""
    changes = tuple(_waits(change, departing) for change in plan.changes)
    return replace(plan, changes=changes, memory={**plan.memory, **staying})


def _staying(old: ConnectorPlan, plans: Sequence[ConnectorPlan], reading: Reading) -> set[str]:
    """Return the keys of the tasks that have to leave a place and cannot yet."""
    if not old.leaving:
        return set()
    by_label = {home.label: home.connector for home in reading.homes}
    changes = {plan.label: plan.writes for plan in plans}
    staying: set[str] = set()
    for view in reading.views:
        if share_an_account(by_label[view.label], by_label[old.label]):
            moving = {change.write.native_id for change in changes.get(view.label, ()) if change.write}
            staying |= _held_keys(view, view.arriving - moving)
    return staying


def _held_keys(view: ServiceView, ids: Collection[str]) -> set[str]:
    """Return the keys of the tasks with these native ids that cannot be moved."""
    return {key for key, task in view.tasks.items() if task.native_id in ids and _is_held(task)}


def _is_held(task: Task) -> bool:
    """Return whether a task is left as it is: it cannot be read, or a task of the user would be completed with it."""
    return bool(task.unread) or (task.company and not (task.done or task.dropped or task.recurring))


def _part(leaving: Mapping[str, StoredGoal], staying: Collection[str]) -> dict[str, StoredGoal]:
    """Return the memory of the tasks that stay in an old place, so that a later run moves them."""
    keys = {
        goal_id: {key: entry for key, entry in left.keys.items() if key in staying} for goal_id, left in leaving.items()
    }
    return {goal_id: replace(leaving[goal_id], keys=rest) for goal_id, rest in keys.items() if rest}


def _waits(change: Change, departing: Collection[str]) -> Change:
    leaves = change.action in (Action.REMOVE, Action.DETACH) and goal_of(change.key) in departing
    return replace(change, status="skipped", reason=f"{change.reason}; {WAITS}") if leaves else change


def _plan(reading: Reading, home: Binding, view: ServiceView, run: Run, skipped: frozenset[str]) -> ConnectorPlan:
    skipped |= _left_alone_in(reading, home, view)
    cancelled = reading.given_up.get(view.label, frozenset())
    wanted = _wanted(reading, home, view, skipped | cancelled)
    every = reading.project.heartbeat
    if every and HEARTBEAT not in skipped and home is heartbeat_home(reading.homes):
        wanted.append(heartbeat.wanted(every, run.today, view.snapshot.memory))
    return _paced(plan(home.connector, view, wanted, run, skipped=skipped, cancelled=cancelled), home.connector)


def _wanted(reading: Reading, home: Binding, view: ServiceView, skipped: Collection[str]) -> list[DesiredGoal]:
    """Return the goals as an app should hold them."""
    nested, memory = home.connector.capabilities.nested, view.snapshot.memory
    today, first_sync = reading.schedule.today, reading.first_sync
    deadlines = digests.deadlines(reading.project)
    wanted = [
        wanted_goal(
            deadlines[goal.goal.id],
            goal,
            memory,
            first_sync.get(goal.goal.id, today),
            nested=nested,
            verdict=reading.deadlines.get(goal.goal.id),
        )
        for goal in reading.schedule.goals
        if goal.goal.id in home.goals and goal.goal.id not in skipped
    ]
    return [goal for goal in wanted if goal is not None]


def _paced(whole: ConnectorPlan, connector: Connector) -> ConnectorPlan:
    return within(whole, connector.pace()) if isinstance(connector, Paced) else whole


def changed_homes(journal: Journal, project: Project, homes: Sequence[Binding]) -> list[Binding]:
    """Return the connectors in which a run changed anything.

    Raises RefusedError for a journal of another namespace, InputError for a connector that the project does not name.
    """
    if journal.namespace != project.namespace:
        raise RefusedError(
            f"the journal is of the namespace `{journal.namespace}`, and the goals file's is `{project.namespace}`; "
            "undo it with the goals file that the run was made with (nothing was changed)"
        )
    _refuse_moves(journal)
    by_label = {home.label: home for home in homes}
    changed = [record.label for record in journal.records if record.changed]
    for label in changed:
        if label not in by_label:
            raise InputError(
                f"the run changed {label}, which the goals file does not name: it has {', '.join(by_label)}. "
                "Put it back into the file, under `sync:` or `retired:`; nothing was changed."
            )
    return [by_label[label] for label in changed]


def _refuse_moves(journal: Journal) -> None:
    """Raise RefusedError where the run moved goals from one place to another."""
    left = {goal_id for record in journal.records for goal_id in record.before.keys() - record.after.keys()}
    if moved := sorted(left & {goal_id for record in journal.records for goal_id in record.after}):
        raise RefusedError(
            f"the run moved {', '.join(moved)} to another place. To move them back, write the old place into the goals "
            "file again, and sync; nothing was changed."
        )


def make_plans_back(
    journal: Journal,
    homes: Sequence[Binding],
    found: Snapshots,
    *,
    allow_mass_change: bool = False,
    new_nonce: Callable[[], str] = _new_nonce,
) -> list[ConnectorPlan]:
    """Return the plan that undoes a run in each connector that was read."""
    from sync.reconcile import undo  # seldom needed

    records = {record.label: record for record in journal.records}
    return [
        _paced(
            undo.plan(
                home.connector,
                found.by_label[home.label],
                records[home.label],
                new_nonce,
                allow_mass_change=allow_mass_change,
            ),
            home.connector,
        )
        for home in homes
        if home.label in found.by_label
    ]


def apply(
    plans: Sequence[ConnectorPlan], homes: Sequence[Binding], progress: Callable[[str], None], *, limited: bool = False
) -> list[ConnectorPlan]:
    """Carry the plans out. progress: called with a sentence on each step.

    limited: some connectors that were read are not among `plans`.
    """
    for home_plan in plans:
        if home_plan.writes:
            progress(f"writing {len(home_plan.writes)} changes to {home_plan.label}")
    return executor.run(plans, {home.label: home.connector for home in homes}, progress, all_apps=not limited)
