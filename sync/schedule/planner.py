"""Plans goals from the last one back, each against the unsqueezed starts of what comes after it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from sync.schedule import between_goals
from sync.schedule.backward_pass import BackwardPass, Constraints, anchored_days, day_before_start, first_days
from sync.schedule.context import Limits, context_of, to_date
from sync.schedule.digest import is_same_timing, timing_digest, was_pinned
from sync.schedule.forward_pass import Forward, early_ends
from sync.schedule.goal_plan import GoalPlan
from sync.schedule.growth import Growth
from sync.schedule.lengths import least_length, written_lengths
from sync.schedule.model import Progress
from sync.schedule.new_plan import replan
from sync.schedule.occurrences import series
from sync.schedule.published_plan import is_complete, keep_published
from sync.schedule.release import level_all
from sync.schedule.step_graph import StepGraph
from sync.schedule.under_way import began_by, planned_under_way, published_under_way
from sync.schedule.working_days import naming_goal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set
    from datetime import date

    from config.project import Goal, Project
    from sync.schedule.backward_pass import LatestDates
    from sync.schedule.context import Context
    from sync.schedule.lengths import Length
    from sync.schedule.occurrences import Series


def plan_all(project: Project, progress: Progress, today: date, *, afresh: bool = False) -> Context:
    """Plan every goal, from the last one back; once more if growing steps have to leave other goals their time.

    afresh: goals with `when_full: earlier` are placed anew, together, as if no plan of theirs stood.
    """
    context = context_of(project, progress, today)
    _plan_backwards(context)
    if followed := between_goals.followed(project):
        plans = [context.plans[goal.id] for goal in project.sequence if goal.id in followed]
        context = replace(
            context,
            ends_defined=_ends_defined(context, plans),
            ends_today=early_ends(progress, today, context.deadlines, plans),
            limits=Limits(),
        )
        _plan_backwards(context)
    level_all(context, partial(plan_goal, context, anew=True), afresh=afresh)
    return context


def with_deadline(context: Context, goal: Goal, deadline: int, *, loose: bool = False) -> Context:
    """Return the context in which one goal has another deadline, and so have the goals that hang on it.

    loose: no step of the goal waits for those.
    """
    hanging = context.hanging(goal)
    if not hanging:
        return context
    other = context.with_deadline(goal, deadline)
    for one in takewhile(lambda one: one.id != goal.id, reversed(context.project.sequence)):
        other.plans[one.id] = plan_goal(other, one)
    if loose:
        other.deadlines.update({goal_id: min(context.day, other.deadlines[goal_id]) for goal_id in hanging})
    plans = (other.plans[one.id] for one in context.project.sequence)
    other.ends.update(early_ends(context.progress, context.today, other.deadlines, plans))
    return other


def _plan_backwards(context: Context) -> None:
    for goal in reversed(context.project.sequence):
        with naming_goal(goal):
            context.plans[goal.id] = plan_goal(context, goal)


def _ends_defined(context: Context, plans: Iterable[GoalPlan]) -> Mapping[str, int]:
    """Return when the steps of goals end by the definition, if no other goal came after any of them."""
    ends: dict[str, int] = {}
    context = replace(context, ends_defined=ends)
    for plan in plans:
        graph = plan.graph
        with naming_goal(plan.goal):
            lengths = _grown_lengths(context, graph, written_lengths(graph), {})
            alone = between_goals.alone(plan, lengths, context.limits)
            Forward(Progress(), to_date(graph.window.start), context.deadlines, ends).early(alone)
    return ends


def plan_goal(context: Context, goal: Goal, *, anew: bool = False) -> GoalPlan:
    """Return the plan of one goal. Those that come after it must have been planned.

    anew: its published plan does not stand, even if its timing is the same.
    """
    plan, stands = _unsqueezed(context, goal)
    if plan.published and stands and not anew:
        keep_published(context, plan, plan.published)
    else:
        before = plan.under_way = published_under_way(context, plan)
        replan(context, plan)
        plan.began = began_by(context, plan, before)
    plan.under_way = planned_under_way(context, plan)
    constraints = Constraints(plan.fixed, plan.left_out, plan.external, context.limits.due_of)
    least = _least(BackwardPass(plan.graph, constraints), plan.lengths, plan.growing - plan.left_out, plan.loosest)
    plan.least = least or plan.latest
    return plan


def _unsqueezed(context: Context, goal: Goal) -> tuple[GoalPlan, bool]:
    """Return a goal's plan as the backward pass gives it, and whether its published plan has the same timing."""
    progress, limits, graph = context.progress, context.limits, StepGraph(goal, context.window(goal))
    published, days = progress.published.get(goal.id), graph.window.days
    pins = {i: progress.pins[key].toordinal() for i, key in graph.among(progress.pins.keys())}
    external, loosest = graph.by_index(limits.external), graph.by_index(limits.loosest)
    written = written_lengths(graph)
    growing = frozenset(i for i, length in enumerate(written) if length is None)
    lengths = _grown_lengths(context, graph, written, external)
    repeating = {i: series(graph.steps[i], days, progress, published, context.day) for i in graph.repeating}
    digest, stands, ticked = _timing(context, graph, lengths, pins, external, repeating)
    constraints = Constraints({**pins, **ticked}, external=external, due_of=limits.due_of)
    backward = BackwardPass(graph, constraints)
    defined = backward.latest(lengths)
    _pass_on(context, graph, defined, _least(backward, lengths, growing, loosest) or defined)
    closed = _closed(context, graph, defined, repeating, stands=stands)
    latest = BackwardPass(graph, replace(constraints, left_out=closed)).latest(lengths) if closed else defined
    plan = GoalPlan(
        goal=goal,
        graph=graph,
        lengths=lengths,
        growing=growing,
        fixed=pins,
        external=external,
        loosest=loosest,
        closed=closed,
        defined=defined,
        latest=latest,
        starts=first_days(graph, latest),
        dues=latest.due[:],
        made=context.today,
        digest=digest,
        missed=graph.window.deadline < context.day,
        published=published,
        repeating=repeating,
        sharing=context.known().sharing(graph, closed),
    )
    return plan, stands


def _grown_lengths(
    context: Context, graph: StepGraph, written: Sequence[Length | None], external: Mapping[int, int]
) -> list[Length]:
    """Return the lengths with growing steps grown from the definition alone: no progress, no pins."""
    lengths = [least_length(graph, i) if length is None else length for i, length in enumerate(written)]
    growing = [i for i, length in enumerate(written) if length is None]
    if not growing:
        return lengths
    window, known = graph.window, context.known(progress=False)
    backward = BackwardPass(graph, Constraints(external=external, due_of=context.limits.due_of))
    low, latest = window.start - 1, backward.latest(lengths)
    fixed = anchored_days(graph, latest)
    countdowns = known.floors_of(graph, graph.countdowns, fixed, low)
    floors = known.floors(graph, frozenset(), fixed, low).with_those_of(countdowns)
    floors = between_goals.floors_after(graph, floors, context.ends_defined)
    most = max(1, window.days.position(window.limit) - window.days.position(low))
    Growth(backward, lengths, latest, floors, most).grow(growing)
    return lengths


def _timing(
    context: Context,
    graph: StepGraph,
    lengths: Sequence[Length],
    pins: Mapping[int, int],
    external: Mapping[int, int],
    repeating: Mapping[int, Series],
) -> tuple[str, bool, Mapping[int, int]]:
    """Return a goal's digest, whether its published plan stands, and the days of done steps that were pinned there.

    A tick moves no date of other steps: so a pin counts as long as the plan stands, even if its step is done.
    """
    progress = context.progress
    published = progress.published.get(graph.goal.id)
    digest_of = partial(
        timing_digest, graph, lengths, external=external, progress=progress, capacity=context.capacity(graph)
    )
    digest = digest_of(pins)
    if published is None or not is_complete(graph, published, progress, repeating):
        return digest, False, {}
    ticked = {
        i: published.dates[key][1].toordinal()
        for i, key in graph.among(progress.done.keys() & published.dates.keys())
        if was_pinned(published.digest, key)
    }
    kept = digest_of({**pins, **ticked}) if ticked else digest
    return (published.digest, True, ticked) if is_same_timing(published.digest, kept) else (digest, False, {})


def _closed(
    context: Context, graph: StepGraph, defined: LatestDates, repeating: Mapping[int, Series], *, stands: bool
) -> frozenset[int]:
    """Return the steps that are done, dropped, or done as often as they repeat.

    stands: the occurrences are those of the published plan, and not those that `defined` has room for.
    """
    progress = context.progress
    closed = {i for keys in (progress.done.keys(), progress.dropped) for i, _ in graph.among(keys)}
    if not repeating:
        return frozenset(closed)
    if graph.goal.id in progress.done:
        closed |= repeating.keys()
    starts = first_days(graph, defined)
    for i in repeating.keys() - closed:
        if repeating[i].is_over(None if stands else (starts[i], defined.due[i])):
            closed.add(i)
    return frozenset(closed)


def _least(
    backward: BackwardPass, lengths: Sequence[Length], growing: Set[int], loosest: Mapping[int, int]
) -> LatestDates | None:
    """Return the pass in which what grows, here and in other goals, has the least it may; None if nothing does.

    No step can be later than there.
    """
    constraints = backward.constraints
    if not growing and loosest == constraints.external:
        return None
    least = [least_length(backward.graph, i) if i in growing else length for i, length in enumerate(lengths)]
    return BackwardPass(backward.graph, replace(constraints, external=loosest)).latest(least)


def _pass_on(context: Context, graph: StepGraph, latest: LatestDates, least: LatestDates) -> None:
    """Note for the goals that are planned after this one where its steps begin, by the unsqueezed passes."""
    days, limits = graph.window.days, context.limits
    limits.due_of.update(zip(graph.index, latest.due, strict=True))
    for i, link in graph.elsewhere:
        for result, last_days in ((latest, limits.external), (least, limits.loosest)):
            day = day_before_start(graph, result, i)
            if link.wait:
                day = days.before(day, link.wait)
            last_days[link.key] = min(day, last_days.get(link.key, day))
        limits.followers[link.key].append(graph.steps[i].key)
