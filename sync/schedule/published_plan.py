"""Keeps the published dates of a goal; if overdue steps leave a later one no day, squeezes what follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.schedule import milestones
from sync.schedule.backward_pass import BackwardPass, Constraints
from sync.schedule.refit import regrown, squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.schedule.context import Context
    from sync.schedule.floors import Floors
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.model import Progress, Published
    from sync.schedule.occurrences import Series
    from sync.schedule.step_graph import StepGraph


def is_complete(graph: StepGraph, published: Published, progress: Progress, repeating: Mapping[int, Series]) -> bool:
    """Return whether the published plan has dates for every open step; a reopened or new one needs a new plan."""
    closed = {*progress.done, *progress.dropped}
    return all(
        step.key in published.dates
        or step.key in closed
        or step.optional
        or (step.every and (repeating[i].known or graph.goal.id in closed))
        for i, step in enumerate(graph.steps)
    )


def keep_published(context: Context, plan: GoalPlan, published: Published) -> None:
    """Give the plan the published dates; if they can no longer be kept, squeeze what follows the overdue steps."""
    plan.standing, plan.made, plan.began = True, published.made, plan.published_began
    plan.take_published(range(len(plan.graph.steps)))
    repeated = {i: known.stretch for i, known in plan.repeating.items() if known.published}
    for i, (start, due) in repeated.items():
        plan.starts[i], plan.dues[i] = start.toordinal(), due.toordinal()
    plan.skipped = frozenset(
        i
        for i, step in enumerate(plan.graph.steps)
        if step.optional and i not in plan.closed and i not in repeated and step.key not in published.dates
    )
    # A plan of today has taken today into account, whatever room it found.
    if plan.missed or plan.goal.when_late != "squeeze" or published.made == context.today:
        return
    earliest = _earliest_ends(context, plan)
    position, overdue = plan.graph.window.days.position, _overdue(context, plan)
    if any(position(plan.dues[i]) < end for i, end in earliest.items() if i not in overdue):
        _squeeze_followers(context, plan, earliest)


def _overdue(context: Context, plan: GoalPlan) -> set[int]:
    """Return the steps that are overdue; nothing has to wait for a follow-up."""
    return {i for i, due in enumerate(plan.dues) if due < context.day and not plan.graph.steps[i].follow_up}


def _earliest_ends(context: Context, plan: GoalPlan) -> dict[int, int]:
    """Return the earliest end of each overdue step and each open one that follows one, by the step's index.

    Each has a working day of its own from today on; milestones need none. Ends are positions.
    """
    overdue, left_out = _overdue(context, plan), plan.left_out
    today = plan.graph.window.days.position(context.day - 1)
    ends: dict[int, int] = {}
    for i, step in enumerate(plan.graph.steps):
        before = [] if i in left_out else _ends_before(plan.graph, ends, i)
        if before or (i in overdue and i not in left_out):
            ends[i] = max([today, *before]) + (0 if step.milestone else 1)
    return ends


def _ends_before(graph: StepGraph, ends: Mapping[int, int], i: int) -> list[int]:
    """Return the positions after which a step may begin, for each of `ends` that it follows."""
    days = graph.window.days
    return [
        days.position(days.after(days.day(ends[before]), wait)) if wait else ends[before]
        for before, wait in graph.previous[i]
        if before in ends
    ]


def _squeeze_followers(context: Context, plan: GoalPlan, earliest: Mapping[int, int]) -> None:
    """Squeeze the steps that follow overdue ones, from today on; every other step keeps its published dates."""
    graph, stood = plan.graph, plan.dues[:]
    followers = frozenset(i for i in earliest if plan.dues[i] >= context.day) - plan.fixed.keys() - graph.anchors
    fixed = {i: plan.dues[i] for i in range(len(graph.steps)) if i not in followers}
    floors = context.known().floors(graph, plan.closed | set(fixed), fixed, context.day - 1)
    _raise_after_overdue(plan, floors, {i: end for i, end in earliest.items() if i not in followers})
    constraints = Constraints(fixed, plan.left_out, plan.external, context.limits.due_of)
    backward = BackwardPass(graph, constraints)
    lengths = regrown(plan, backward, floors, followers - constraints.left_out)
    squeeze(context, plan, backward, lengths, floors, followers)
    milestones.show(plan, floors, context.first_day(plan.goal))
    if plan.dues != stood:
        plan.made, plan.renewed = context.today, followers
        plan.began = {i: day for i, day in plan.began.items() if i not in followers}


def _raise_after_overdue(plan: GoalPlan, floors: Floors, ends: Mapping[int, int]) -> None:
    """Raise the floors of steps that follow overdue ones to the `ends` of these, in place."""
    days = plan.graph.window.days
    for i in floors.begin:
        for before, wait in plan.graph.previous[i]:
            if before in ends:
                day = days.day(ends[before])
                floors.begin[i] = max(floors.begin[i], days.position(days.after(day, wait)))
