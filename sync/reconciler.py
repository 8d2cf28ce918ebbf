"""The second half of a run: from what was read to a plan for each connector, and (for `sync`) to what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync import executor
from sync.plan import ConnectorPlan, plan
from sync.wanted import wanted_goal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sync.observe import View
    from sync.reading import Home, Reading


def _a_nonce() -> str:
    from secrets import token_hex

    return token_hex(5)


def make_plans(
    reading: Reading,
    *,
    only_goals: frozenset[str] = frozenset(),
    only_connectors: frozenset[str] = frozenset(),
    allow_mass_change: bool = False,
    new_nonce: Callable[[], str] = _a_nonce,
) -> list[ConnectorPlan]:
    """Return the plan of each connector that was read; `only_*` limit what is written, not what was read.

    new_nonce: the source of ids that tell apart what two runs create, for services that do not take an id of ours.

    Goals for which a connector could not be read, or that fail under `when_late: fail`, are left alone everywhere.
    """
    skipped = {goal for home in reading.homes if home.label in reading.unread for goal in home.goals}
    skipped |= {goal.goal.id for goal in reading.schedule.goals if goal.failed}
    if only_goals:
        remembered = {goal_id for view in reading.views for goal_id in view.snapshot.memory}
        skipped |= ({goal.id for goal in reading.project.goals} | remembered) - only_goals
    by_label = {home.label: home for home in reading.homes}
    plans = []
    for view in reading.views:
        home = by_label[view.label]
        if only_connectors and home.connector.name not in only_connectors:
            continue
        plans.append(
            _plan(reading, home, view, frozenset(skipped), allow_mass_change=allow_mass_change, new_nonce=new_nonce)
        )
    return plans


def _plan(
    reading: Reading,
    home: Home,
    view: View,
    skipped: frozenset[str],
    *,
    allow_mass_change: bool,
    new_nonce: Callable[[], str],
) -> ConnectorPlan:
    project = reading.project
    wanted = [
        goal
        for scheduled in reading.schedule.goals
        if scheduled.goal.id in home.goals and scheduled.goal.id not in skipped
        if (goal := wanted_goal(project, scheduled, view.snapshot.memory)) is not None
    ]
    return plan(
        home.connector,
        view,
        wanted,
        namespace=project.namespace,
        today=reading.schedule.today,
        skipped=skipped,
        given_up=home.retired,
        prune=project.prune,
        on_delete=project.on_delete,
        allow_mass_change=allow_mass_change,
        new_nonce=new_nonce,
    )


def apply(
    plans: Sequence[ConnectorPlan], homes: Sequence[Home], progress: Callable[[str], None], *, limited: bool = False
) -> list[ConnectorPlan]:
    """Carry the plans out; `progress` is told, in words, what is going on.

    limited: some connectors that were read are not among `plans`.
    """
    for home_plan in plans:
        if home_plan.writes:
            progress(f"writing {len(home_plan.writes)} changes to {home_plan.label}")
    return executor.run(plans, {home.label: home.connector for home in homes}, all_apps=not limited)
