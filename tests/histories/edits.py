"""What people do to a goals file between two runs, as changes of the project that it is.

Every function returns the changed project, or the same one where that change is not possible there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from config.durations import ONE_DAY, Duration, Unit
from config.project import Countdown, Goal, Group, Link, Project, RelativeDeadline, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def add_goal(project: Project, at: int, name: str) -> Project:
    """Add a goal without steps, with the deadline of the goal that stood there."""
    other = project.goals[at % len(project.goals)]
    if not isinstance(other.deadline, date):
        return project
    goal = Goal(name, f"Goal {name}", other.deadline, other.origin, calendar=other.calendar, targets=other.targets)
    goal = replace(goal, when_full=other.when_full)
    goals = list(project.goals)
    goals.insert(at % (len(goals) + 1), goal)
    return replace(project, goals=tuple(goals), sequence=(*project.sequence, goal))


def remove_goal(project: Project, goal: Goal) -> Project:
    """Take out a goal that nothing else hangs on."""
    keys = {goal.id, *(step.key for step in goal.steps)}
    if len(project.goals) == 1 or any(_names(other) & keys for other in project.goals if other is not goal):
        return project
    goals = tuple(other for other in project.goals if other.id != goal.id)
    return replace(project, goals=goals, sequence=tuple(g for g in project.sequence if g.id != goal.id))


def add_step(project: Project, goal: Goal, at: int, name: str) -> Project:
    """Add a step of a day behind the one that stands there."""
    before = goal.steps[at % len(goal.steps)] if goal.steps else None
    after = (Link(before.key),) if before is not None else ()
    step = Step(f"{goal.id}/{name}", f"Do {name}", goal.origin, ONE_DAY, after=after)
    steps = list(goal.steps)
    steps.insert(at % (len(steps) + 1), step)
    return _with(project, replace(goal, steps=tuple(steps), sequence=(*goal.sequence, step)))


def remove_step(project: Project, goal: Goal, step: Step) -> Project:
    """Take out a step; what followed it follows what came before it."""
    if any(isinstance(s.before, Countdown) and s.before.key == step.key for g in project.goals for s in g.steps):
        return project
    without = replace(
        goal,
        steps=tuple(s for s in goal.steps if s.key != step.key),
        sequence=tuple(s for s in goal.sequence if s.key != step.key),
    )

    def bridge(links: tuple[Link, ...]) -> tuple[Link, ...]:
        found: dict[str, Link] = {}
        for link in links:
            for new in step.after if link.key == step.key else (link,):
                found.setdefault(new.key, new)
        return tuple(found.values())

    return _each_step(_with(project, without), lambda s: replace(s, after=bridge(s.after)))


def rename_step(project: Project, goal: Goal, step: Step, name: str) -> Project:
    """Give a step another id, and say so with `was:`."""
    return _rename(project, {step.key: f"{goal.id}/{name}"}, {step.key: step.id})


def rename_goal(project: Project, goal: Goal, name: str) -> Project:
    """Give a goal another id, and say so with `was:`; its steps' keys follow."""
    keys = {goal.id: name} | {step.key: f"{name}/{step.id}" for step in goal.steps}
    return _rename(project, keys, {goal.id: goal.id})


def move_step(project: Project, goal: Goal, step: Step, to: Goal) -> Project:
    """Move a step, which keeps its id, to the end of another goal."""
    key = f"{to.id}/{step.id}"
    if to is goal or step.anchored or any(s.key == key for s in to.steps):
        return project
    without = remove_step(project, goal, step)
    if without is project:
        return project
    target = without.goal(to.id)
    assert target is not None  # only the other goal has changed
    moved = replace(step, key=key, was=step.key, after=(), after_goals=(), group=None)
    return _with(without, replace(target, steps=(*target.steps, moved), sequence=(*target.sequence, moved)))


def group_steps(project: Project, goal: Goal, at: int, count: int, name: str) -> Project:
    """Put up to `count` steps that stand together into a new group, within the group that the first of them is in."""
    if not goal.steps:
        return project
    first = at % len(goal.steps)
    within = goal.steps[first].group
    own = {s.key for s in goal.steps[first : first + count] if s.group == within}
    group = Group(f"{goal.id}/{name}/", f"Part {name}", goal.origin, within)
    grouped = replace(goal, groups=(*goal.groups, group))
    return _each_step(_with(project, grouped), lambda s: replace(s, group=group.key) if s.key in own else s)


def ungroup(project: Project, goal: Goal, at: int) -> Project:
    """Take a group out; what stood in it stands in the one around it."""
    if not goal.groups:
        return project
    gone = goal.groups[at % len(goal.groups)]
    left = (replace(g, within=gone.within) if g.within == gone.key else g for g in goal.groups if g is not gone)
    without = _with(project, replace(goal, groups=tuple(left)))
    return _each_step(without, lambda s: replace(s, group=gone.within) if s.group == gone.key else s)


def reorder(project: Project, goal: Goal, by: int) -> Project:
    """Write the steps in another order; what follows what stays."""
    steps = list(goal.steps)
    for n in range(len(steps) - 1, 0, -1):
        by, other = divmod(by, n + 1)
        steps[n], steps[other] = steps[other], steps[n]
    return _with(project, replace(goal, steps=tuple(steps)))


def move_deadline(project: Project, goal: Goal, days: int) -> Project:
    """Move the deadline of a goal."""
    if not isinstance(goal.deadline, date):
        return project
    return _with(project, replace(goal, deadline=goal.deadline + timedelta(days)))


def retitle(project: Project, goal: Goal, step: Step | None, title: str) -> Project:
    """Give a goal, or a step of it, another title. Its id stays."""
    if step is None:
        return _with(project, replace(goal, title=title))
    return _with(project, _with_step(goal, replace(step, title=title)))


def annotate(project: Project, goal: Goal, step: Step | None, notes: str, label: str) -> Project:
    """Give a goal, or a step of it, other notes, and one label in place of those that it has."""
    if step is None:
        return _with(project, replace(goal, notes=notes, labels=(label,)))
    return _with(project, _with_step(goal, replace(step, notes=notes, labels=(label,))))


def lengthen(project: Project, goal: Goal, step: Step) -> Project:
    """Let a step take a day longer."""
    if step.takes is None or step.takes.unit is not Unit.WORKING_DAYS:
        return project
    days = step.takes.amount + 1
    longer = Duration(days, Unit.WORKING_DAYS, f"{days} days")
    return _with(project, _with_step(goal, replace(step, takes=longer)))


def _with(project: Project, goal: Goal) -> Project:
    return project.with_goals(lambda old: goal if old.id == goal.id else old)


def _with_step(goal: Goal, step: Step) -> Goal:
    def put(steps: Iterable[Step]) -> tuple[Step, ...]:
        return tuple(step if old.key == step.key else old for old in steps)

    return replace(goal, steps=put(goal.steps), sequence=put(goal.sequence))


def _each_step(project: Project, change: Callable[[Step], Step]) -> Project:
    def goal(old: Goal) -> Goal:
        steps = {step.key: change(step) for step in old.steps}
        sequence = tuple(steps[step.key] for step in old.sequence)
        return replace(old, steps=tuple(steps.values()), sequence=sequence)

    return project.with_goals(goal)


def _rename(project: Project, keys: dict[str, str], was: dict[str, str]) -> Project:
    def link(old: Link) -> Link:
        return replace(old, key=keys.get(old.key, old.key))

    def step(old: Step) -> Step:
        before = old.before
        if isinstance(before, Countdown):
            before = replace(before, key=keys.get(before.key, before.key))
        return replace(
            old,
            key=keys.get(old.key, old.key),
            was=was.get(old.key, old.was),
            after=tuple(map(link, old.after)),
            after_goals=tuple(map(link, old.after_goals)),
            before=before,
            group=part(old.group),
        )

    def part(key: str | None) -> str | None:
        goal_id, slash, rest = (key or "").partition("/")
        return f"{keys.get(goal_id, goal_id)}{slash}{rest}" if key else None

    def group(old: Group) -> Group:
        return replace(old, key=part(old.key) or "", within=part(old.within))

    def goal(old: Goal) -> Goal:
        deadline = old.deadline
        if isinstance(deadline, RelativeDeadline):
            deadline = replace(deadline, goal=keys.get(deadline.goal, deadline.goal))
        return replace(
            old,
            id=keys.get(old.id, old.id),
            was=was.get(old.id, old.was),
            deadline=deadline,
            groups=tuple(map(group, old.groups)),
        )

    changed = _each_step(project, step)
    goals = tuple(map(goal, changed.goals))
    by_id = {goal.id: goal for goal in goals}
    return replace(changed, goals=goals, sequence=tuple(by_id[keys.get(g.id, g.id)] for g in changed.sequence))


def _names(goal: Goal) -> set[str]:
    """Return the goals and steps elsewhere that a goal names."""
    found = {goal.deadline.goal} if isinstance(goal.deadline, RelativeDeadline) else set()
    for step in goal.steps:
        found |= {link.key for link in (*step.after, *step.after_goals)}
        if isinstance(step.before, Countdown):
            found.add(step.before.key)
    return found
