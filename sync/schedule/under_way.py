"""Finds the steps of a plan that are under way, and the day from which on each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan


def planned_under_way(context: Context, plan: GoalPlan) -> dict[int, int]:
    """Return the open steps that are under way, by index, with the day from which on each is; days are ordinals.

    The start of such a step has come, all that it follows is closed, and nothing else keeps it from beginning. A
    milestone is never under way. A step that repeats is, while one of its times is; times that are counted anew change
    nothing about that.
    """
    plain = ((i, start) for i, start in enumerate(plan.starts) if i not in plan.repeating)
    renewed = {i: day for i, day in plan.under_way.items() if i in plan.renewed and i not in plan.left_out}
    times = _times(plan, plan.repeating.keys() - plan.renewed)
    return _under_way(context, plan, [*plain, *times], plan.began) | renewed


def _under_way(
    context: Context, plan: GoalPlan, starts: Iterable[tuple[int, int]], began: Mapping[int, int]
) -> dict[int, int]:
    found: dict[int, int] = {}
    for i, start in starts:
        if start > context.day or i in plan.left_out or plan.graph.steps[i].milestone or not _is_free(context, plan, i):
            continue
        since = max(began.get(i, start), _opening(context, plan, i))
        if since <= context.day:
            found[i] = since
    return found


def published_under_way(context: Context, plan: GoalPlan) -> dict[int, int]:
    """Return the steps that are under way by the published plan, as `planned_under_way` does."""
    if plan.published is None:
        return {}
    dates = plan.published.dates
    plain = [(i, dates[key][0].toordinal()) for i, key in plan.graph.among(dates.keys())]
    return _under_way(context, plan, [*plain, *_times(plan, plan.repeating.keys())], plan.published_began)


def _times(plan: GoalPlan, repeating: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the start of the first open time of each step that repeats, by the published plan."""
    for i in repeating:
        known = plan.repeating[i]
        open_ = [one.start for one in known.standing() if one.key not in known.settled]
        if open_:
            yield i, min(open_)


def began_by(context: Context, plan: GoalPlan, before: Mapping[int, int]) -> dict[int, int]:
    """Return the day from which on steps of a new plan count as under way, where that is not their start.

    before: those that were under way before, which go on. What has not begun cannot begin before today, even if its
    start lies in the past. A person who fixes the day of a step that is under way knows that it will be done by then.
    """
    found: dict[int, int] = {}
    for i, start in enumerate(plan.starts):
        step = plan.graph.steps[i]
        if start > context.day or i in plan.left_out or step.milestone or step.grows:
            continue
        settled = i in before and (i in plan.fixed or step.on is not None)
        day = start if settled else before.get(i, context.day)
        if day != start:
            found[i] = day
    return found


def _is_free(context: Context, plan: GoalPlan, i: int) -> bool:
    """Return whether all steps that a step follows are closed, in its goal and in others."""
    progress, index = context.progress, plan.graph.index
    return all(before in plan.closed for before, _ in plan.graph.previous[i]) and all(
        link.key in index or link.key in progress.done or link.key in progress.dropped
        for link in plan.graph.steps[i].after
    )


def _opening(context: Context, plan: GoalPlan, i: int) -> int:
    """Return the first day on which a step may begin by `start` and `from`, and after goals that it follows."""
    step, days, goal = plan.graph.steps[i], plan.graph.window.days, plan.goal
    first = [day.toordinal() for day in (goal.start, step.not_before) if day is not None]
    first += [days.after(context.deadlines[link.key], link.wait) + 1 for link in step.after_goals]
    return max(first, default=0)
