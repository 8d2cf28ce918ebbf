"""Makes goals anew that may be levelled: a goal that stands only where the others do not fit otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from config.project import person
from sync.schedule import by_links
from sync.schedule.forward_pass import Forward
from sync.schedule.levelling import Relief, levelled
from sync.schedule.steps import squeezed_steps
from sync.schedule.warnings import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence, Set

    from config.project import Goal, Step
    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.levelling import Attempt, Levelling

_TRIED = 3  # people, and steps of each, for which remedies are tried
_MOST = 20  # goals that may be released so that others fit


def level_all(context: Context, anew: Callable[[Goal], GoalPlan], *, afresh: bool = False) -> None:
    """Level the goals of the context that are made anew, if their steps may move for want of room.

    anew: returns the plan of a goal as if none stood. afresh: no plan stands.
    """
    goals = [goal for goal in context.project.goals if context.capacity(context.plans[goal.id].graph)]
    if not goals:
        return
    _wait(context, goals)
    if afresh and not context.progress.unread:
        for goal in goals:
            if _may_move(context, context.plans[goal.id]):
                context.plans[goal.id] = anew(goal)
    levelling, attempt = levelled(context)
    if attempt.missing and not context.progress.unread:
        levelling, attempt = _released(context, anew, attempt.missing) or (levelling, attempt)
    levelling.apply(attempt)
    if attempt.missing:
        _name_remedies(context, levelling, attempt)
    by_links.note(context)


def _wait(context: Context, goals: Sequence[Goal]) -> None:
    """Note which goals have to wait: those made anew that share a person with a goal whose plan could not be read."""
    unread = context.progress.unread - context.progress.published.keys()
    there = {
        person(step, goal)
        for goal in context.project.goals
        for step in goal.steps
        if goal.id in unread and step.takes_room
    }
    for goal in goals:
        plan = context.plans[goal.id]
        people = {person(plan.graph.steps[i], goal) for i in context.capacity(plan.graph)}
        plan.waits = not plan.standing and goal.id not in unread and not people.isdisjoint(there)


def _released(
    context: Context, anew: Callable[[Goal], GoalPlan], missing: Collection[str]
) -> tuple[Levelling, Attempt] | None:
    """Return the attempt in which all fits since standing goals were made anew, those with the most room first.

    None if it does not fit for all that; then every plan stands. missing: the steps that lack room.
    """
    without = {goal_of(key) for key in missing}
    people = {_person(context, key) for key in missing}
    plans = dict(context.plans)
    trial = replace(context, plans=plans)
    released: list[str] = []
    for goal_id in _by_room(context, people)[:_MOST]:
        plans[goal_id] = anew(context.plans[goal_id].goal)
        released.append(goal_id)
        levelling, attempt = levelled(trial)
        if not attempt.missing:
            for one in released:
                plans[one].moves_for = tuple(goal for goal in context.project.goals if goal.id in without)
            context.plans.update(plans)
            return levelling, attempt
    return None


def _name_remedies(context: Context, levelling: Levelling, attempt: Attempt) -> None:
    """Try what would make room, and note in the plans of steps that lack it what does."""
    lacking: dict[str, list[str]] = {}
    for key in attempt.missing:
        lacking.setdefault(_person(context, key), []).append(key)
    tries = min(_TRIED, levelling.rounds)
    for who, keys in list(lacking.items())[:tries]:
        given = [Remedy(who, step=context.steps[key]) for key in keys[:tries]]
        found = [one for one in given if one.step and _helps(context, levelling, attempt, who, _others(one.step))]
        if _helps(context, levelling, attempt, who, Relief(more=frozenset({who}))):
            found.append(Remedy(who, at_once=(context.project.steps_at_once(who) or 0) + 1))
        for goal_id in {goal_of(key) for key in keys}:
            context.plans[goal_id].remedies += tuple(found)


def _others(step: Step) -> Relief:
    return Relief(others=frozenset({step.key}))


def _helps(context: Context, levelling: Levelling, attempt: Attempt, who: str, relief: Relief) -> bool:
    """Return whether nothing of a person lacks room any more."""
    tried = levelling.attempt({}, attempt.skipped, relief)
    return not any(_person(context, key) == who for key in tried.missing)


def _by_room(context: Context, people: Set[str]) -> list[str]:
    """Return the standing goals with work for these people that may be made anew, those with the most slack first."""
    forward = Forward(context.progress, context.today, context.deadlines, {})
    found: dict[str, int] = {}
    for goal in context.project.sequence:
        plan = context.plans[goal.id]
        slack = forward.slack(plan, forward.early(plan))
        theirs = [i for i in context.capacity(plan.graph) if person(plan.graph.steps[i], goal) in people]
        moving = set(theirs) - plan.left_out
        if plan.standing and moving and _may_move(context, plan):
            found[goal.id] = min(slack[i] for i in moving)
    return sorted(found, key=lambda goal_id: -found[goal_id])


def _may_move(context: Context, plan: GoalPlan) -> bool:
    """Return whether a standing plan may be made anew: nothing is overdue or squeezed, and it has time left."""
    over = any(due < context.day for i, due in enumerate(plan.dues) if i not in plan.left_out)
    has_time = plan.standing and not plan.missed and not over and not squeezed_steps(plan)
    return has_time and plan.goal.id not in context.progress.done


def _person(context: Context, key: str) -> str:
    return person(context.steps[key], context.plans[goal_of(key)].goal)
