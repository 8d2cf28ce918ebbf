"""The differ: what has to change in one app, and why. Pure: it returns the plan as a value.

Every field is compared three ways: the goals file, the task, and (by the digest in its marker) what was last applied.
So a change in the file reaches the task, and a change by the user stays. The modules below it, in the order of use:

- `context`: the values that the plan of one app is made from
- `present` and `absent`: one wanted task, which the app holds or does not
- `leftovers`: the tasks that nothing wants
- `remembering` and `pruning`: the memory after the plan
- `safety`: what a plan is refused for
- `ordering`: which changes come first, and which have to wait
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, goal_of, is_group
from sync.reconcile.absent import plan_absent
from sync.reconcile.change import ConnectorPlan, keep
from sync.reconcile.context import Context
from sync.reconcile.leftovers import clear_leftovers, detach_copies, remove_duplicates
from sync.reconcile.ordering import after_moves, after_reopening, turn
from sync.reconcile.present import plan_open, plan_present
from sync.reconcile.progress import GIVEN_UP
from sync.reconcile.pruning import forget
from sync.reconcile.remembering import keys_let_go, remember_leftovers, remembered_goal
from sync.reconcile.safety import refuse_mass_change, refuse_overfull
from sync.reconcile.strays import addressed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from connectors.base import Connector
    from connectors.model import StoredGoal, StoredKey
    from sync.reconcile.change import Change
    from sync.reconcile.context import Outcome, Run
    from sync.reconcile.desired import DesiredGoal, DesiredTask
    from sync.reconcile.view import ServiceView

_Outcomes = dict[str, "Outcome"]  # by key, in the goal's order


def plan(
    connector: Connector,
    view: ServiceView,
    wanted: Sequence[DesiredGoal],
    run: Run,
    *,
    skipped: frozenset[str] = frozenset(),
    cancelled: frozenset[str] = frozenset(),
) -> ConnectorPlan:
    """Return the plan for one app.

    skipped: ids of the goals that this run leaves alone, tasks and memory. cancelled: ids of the goals that the user
    gave up in this app. They are left alone, too, and reported in every run until the goals file agrees.

    Raises RefusedError when more would be removed than a slip of the hand may remove.
    """
    context = Context.of(connector, view, run)
    changes = [keep(goal_id, GIVEN_UP) for goal_id in sorted(cancelled - skipped)]
    skipped |= cancelled
    changes += detach_copies(context, skipped)
    goals: dict[str, StoredGoal] = {}
    for goal in _linked(context, wanted, skipped):
        outcomes = _outcomes(context, goal)
        changes += _changes(context, goal, outcomes)
        if memory := remembered_goal(context, goal, _entries(outcomes)):
            goals[goal.goal_id] = memory

    left = context.places.moved_out_of(changes)
    changes += remove_duplicates(context, changes, left, skipped)
    keys = {task.key for goal in wanted for task in goal.tasks}
    leaving = {key: task for key, task in view.tasks.items() if key not in keys and goal_of(key) not in skipped}
    repeating = {key for goal in wanted for key in goal.repeating}
    changes += clear_leftovers(context, leaving, repeating, changes, left)
    going = keys_let_go(leaving, changes)
    goals = remember_leftovers(context, goals, keys, going, skipped)

    _refuse(context, changes)
    ordered = sorted((after_moves(change, left) for change in changes), key=turn)
    return _connector_plan(context, addressed(ordered, view.snapshot), goals, skipped)


def _linked(context: Context, wanted: Sequence[DesiredGoal], skipped: Collection[str]) -> list[DesiredGoal]:
    """Return the goals. Links to tasks that neither are there nor are about to be created are taken out."""
    if "after" not in context.connector.capabilities.fields:
        return list(wanted)
    there = {key for key in context.view.tasks if goal_of(key) in skipped}
    for goal in wanted:
        there.update(task.key for task in goal.tasks if _will_be_there(context, task))
    return [_with_links(goal, there) for goal in wanted]


def _will_be_there(context: Context, wanted: DesiredTask) -> bool:
    return wanted.key in context.view.tasks or (wanted.done is None and not context.is_dropped(wanted))


def _with_links(goal: DesiredGoal, there: Collection[str]) -> DesiredGoal:
    """Return a goal whose tasks have only links to the keys that are there."""
    return replace(goal, tasks=tuple(_with_links_of_task(task, there) for task in goal.tasks))


def _with_links_of_task(wanted: DesiredTask, there: Collection[str]) -> DesiredTask:
    after = tuple(key for key in wanted.content.after if key in there)
    return replace(wanted, content=replace(wanted.content, after=after)) if after != wanted.content.after else wanted


def _outcomes(context: Context, goal: DesiredGoal) -> _Outcomes:
    """Return the outcome for each task of a goal."""
    outcomes: _Outcomes = {}
    previous: dict[str | None, str] = {}  # the last task below each one
    for wanted in goal.tasks:
        above = context.places.above(wanted)
        outcome = _outcome(context, wanted, previous.get(above))
        outcomes[wanted.key] = outcome
        if wanted.above and _exists(context, wanted, outcome):
            previous[above] = wanted.key
        _note_place(context, wanted, outcome)
    joined = _joined(context, goal, outcomes)
    for wanted in goal.tasks:
        if wanted.key in joined and outcomes[wanted.key].completes:
            outcomes[wanted.key] = plan_open(context, wanted, context.view.tasks[wanted.key])
    return outcomes


def _outcome(context: Context, wanted: DesiredTask, previous: str | None) -> Outcome:
    task = context.view.tasks.get(wanted.key)
    return plan_absent(context, wanted, previous) if task is None else plan_present(context, wanted, task)


def _exists(context: Context, wanted: DesiredTask, outcome: Outcome) -> bool:
    """Return whether the app holds a task, or will."""
    return wanted.key in context.view.tasks or outcome.creates


def _note_place(context: Context, wanted: DesiredTask, outcome: Outcome) -> None:
    """Note the groups that have a task, and which tasks with others below them are created."""
    if outcome.creates and wanted.whole:
        context.places.note_new(wanted.key)
    entry = outcome.entry
    if is_group(wanted.key) and entry and entry.state != "dropped" and _exists(context, wanted, outcome):
        context.places.note_group(wanted.key, entry.generation)


def _joined(context: Context, goal: DesiredGoal, outcomes: Mapping[str, Outcome]) -> set[str]:
    """Return the keys of the tasks below which one is moved that must not be completed, as the user has one below it.

    To complete these would complete the user's task, too.
    """
    company = [task for task in goal.tasks if outcomes[task.key].moves and context.view.in_company(task.key)]
    return {key for wanted in company for key in wanted.above}


def _entries(outcomes: Mapping[str, Outcome]) -> dict[str, StoredKey]:
    return {key: outcome.entry for key, outcome in outcomes.items() if outcome.entry is not None}


def _changes(context: Context, goal: DesiredGoal, outcomes: Mapping[str, Outcome]) -> Iterable[Change]:
    """Return the changes to a goal's tasks, in the goal's order."""
    changes = [change for outcome in outcomes.values() for change in outcome.changes]
    return after_reopening(goal, changes, context.view) if context.connector.capabilities.families else changes


def _refuse(context: Context, changes: Sequence[Change]) -> None:
    """Raise RefusedError where the changes remove too much, or do not fit into the service."""
    view = context.view
    if not context.run.allow_mass_change:
        duplicates = sum(not task.done and task.marker.key != HEARTBEAT for task in view.duplicates)
        refuse_mass_change(view.label, view.snapshot, changes, duplicates)
    refuse_overfull(view.label, view.snapshot, changes, view.incoming)


def _connector_plan(
    context: Context, changes: Iterable[Change], goals: Mapping[str, StoredGoal], skipped: Collection[str]
) -> ConnectorPlan:
    """Return the plan. goals: the memory of each goal. The memory of skipped goals that leave this app stays."""
    view, before = context.view, context.view.snapshot.memory
    memory = {goal_id: forget(goal, before.get(goal_id), context.run.today) for goal_id, goal in goals.items()}
    memory |= {goal_id: left for goal_id, left in view.leaving.items() if goal_id in skipped}
    leaving = {goal_id: left for goal_id, left in view.leaving.items() if goal_id not in skipped}
    mending = view.snapshot.mending
    return ConnectorPlan(view.label, tuple(changes), memory, before, view.stored, leaving=leaving, mending=mending)
