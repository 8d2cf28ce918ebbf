"""The order in which each person takes on steps, as links from one step to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.project import person
from sync.schedule.steps import squeezed_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.project import Project
    from sync.schedule.context import Context
    from sync.schedule.forward_pass import Forward
    from sync.schedule.model import Schedule


@dataclass(frozen=True, slots=True)
class Turn:
    """An open step of a person who can have `at_once` steps at once, with its first and last day as ordinals."""

    key: str
    who: str
    at_once: int
    first: int
    last: int


def follows(turns: Iterable[Turn]) -> dict[str, str]:
    """Return, by the key of each step, the step of the same person that has to be over before: by the dates.

    A step for which its person has no room follows none.
    """
    places: dict[str, list[tuple[int, str]]] = {}  # by person, the last step in each of the places for one
    before: dict[str, str] = {}
    for turn in sorted(turns, key=lambda turn: (turn.first, turn.last, turn.key)):
        held = places.setdefault(turn.who, [])
        if len(held) < turn.at_once:
            held.append((turn.last, turn.key))
            continue
        freed = min(range(len(held)), key=held.__getitem__)
        if held[freed][0] < turn.first:
            before[turn.key] = held[freed][1]
            held[freed] = (turn.last, turn.key)
    return before


def turns(project: Project, schedule: Schedule) -> Iterator[Turn]:
    """Yield the open steps of a schedule that take room, in goals that may be levelled and are not late."""
    for goal in schedule.goals:
        may_move = goal.goal.when_full == "earlier" and all(step.slack >= 0 for step in goal.waiting)
        for one in goal.waiting if may_move else ():
            who = person(one.step, goal.goal)
            at_once, fixed = project.steps_at_once(who), one.step.grows or one.step.before is not None or one.squeezed
            if at_once is None or fixed or one.overdue or not one.step.takes_room or not one.start or not one.due:
                continue
            yield Turn(one.step.key, who, at_once, one.start.toordinal(), one.due.toordinal())


def free_after(context: Context, forward: Forward) -> dict[str, int]:
    """Return the day after which the person of each step is free for it, by the step's key: one pass in order of dates.

    forward: a pass that no goal went through yet.
    """
    before = follows(_turns(context))
    if not before:
        return {}
    place = {
        step.key: (goal.id, i)
        for goal in context.project.goals
        for i, step in enumerate(context.plans[goal.id].graph.steps)
    }
    frames = {goal.id: forward.frame(context.plans[goal.id]) for goal in context.project.goals}
    ends: dict[str, int] = {}
    free: dict[str, int] = {}
    for key, (goal_id, i) in sorted(place.items(), key=lambda item: _dates(context, *item[1])):
        plan, frame = context.plans[goal_id], frames[goal_id]
        earliest = max(frame.other.get(i, 0), frame.first - 1)
        for link in plan.graph.steps[i].after:
            if link.key in ends:  # else it comes later all the same, for example after a negative wait
                earliest = max(earliest, plan.graph.window.days.after(ends[link.key], link.wait))
        if (last := before.get(key)) in ends:
            # What is late elsewhere makes nothing late here: at worst it begins on the day that is planned.
            free[key] = min(ends[last], plan.starts[i] - 1)
            earliest = max(earliest, free[key])
        _, _, ends[key] = forward.step(plan, frame, i, earliest)
    return free


def _dates(context: Context, goal_id: str, i: int) -> tuple[int, int, int]:
    plan = context.plans[goal_id]
    return plan.starts[i], plan.dues[i], i


def _turns(context: Context) -> Iterator[Turn]:
    """Yield the open steps that take room in goals that may be levelled.

    Those that count from a date are not moved, and squeezed dates do not tell when their person works.
    """
    for goal in context.project.goals:
        plan = context.plans[goal.id]
        counted = {i for i in plan.graph.anchors if plan.graph.steps[i].on is None}
        away = {*plan.left_out, *plan.repeating, *counted, *squeezed_steps(plan)}
        for i, at_once in context.capacity(plan.graph).items() if plan.keeps else ():
            if i not in away and plan.dues[i] >= context.day:
                step = plan.graph.steps[i]
                yield Turn(step.key, person(step, goal), at_once, plan.starts[i], plan.dues[i])
