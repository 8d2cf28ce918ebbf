"""Compares the plans that two versions of the goals file give: which goals differ, and in what. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from connectors.model import Content, Marker, Snapshot, StoredGoal, StoredKey, Task
from sync.reconcile.desired import contents
from sync.reconcile.renames import find_renames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from config.project import Goal, Project, Step
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

# Keys of a step, and of a goal, that move its steps, by their names in the code.
_STEP_KEYS = {
    **{name: name for name in ("takes", "wait", "on", "by", "before", "afterwards", "every", "optional")},
    "not_before": "from",
}
_GOAL_KEYS = {
    **{name: name for name in ("buffer", "start", "calendar", "when_late", "when_full", "at_least")},
    "targets": "sync",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A step that differs: its old title, its first and last day before and after, what else differs, why it moves."""

    title: str
    before: tuple[date | None, date | None]
    after: tuple[date | None, date | None]
    differs: tuple[str, ...]
    why: str

    @property
    def moves(self) -> bool:
        """Whether its last day is another one, or where that stays, its first."""
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Revision:
    """A goal that differs. before, after: None where it is new, or was removed. new, removed: its steps.

    keys: those of the goal itself that differ, as the goals file names them.
    """

    before: ScheduledGoal | None
    after: ScheduledGoal | None
    rows: tuple[Row, ...] = ()
    new: tuple[ScheduledStep, ...] = ()
    removed: tuple[ScheduledStep, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def moved(self) -> int:
        """How many tasks move, the goal's own among them."""
        deadlines = {goal.deadline for goal in (self.before, self.after) if goal}
        return sum(row.moves for row in self.rows) + (len(deadlines) > 1)


def revisions(before: Schedule, after: Schedule, project: Project) -> list[Revision]:
    """Return the goals that differ, in the order of the newer file, and those that it has not any more.

    project: the newer file's. Goals and steps are followed as they are in apps, by `was`, title and place.
    """
    new_keys = find_renames(project, _as_stored(before)).keys
    was = {new_keys.get(goal.goal.id, goal.goal.id): goal for goal in before.goals}
    found = [_revision(was.get(goal.goal.id), goal, new_keys) for goal in after.goals]
    there = {goal.goal.id for goal in after.goals}
    gone = [Revision(goal, None, removed=goal.steps) for new_id, goal in was.items() if new_id not in there]
    return [one for one in (*found, *gone) if _differs(one)]


def _as_stored(value: Schedule) -> Snapshot:
    """Return what an app would show if the plan had been published there."""
    by_key = {key: content for goal in value.goals for key, content in contents(goal).items()}
    tasks = tuple(Task(key, content, Marker(value.namespace, key, "")) for key, content in by_key.items())
    return Snapshot(tasks, memory={goal.goal.id: _stored(goal, value.today) for goal in value.goals})


def _stored(goal: ScheduledGoal, today: date) -> StoredGoal:
    keys = {s.step.key: StoredKey("done" if s.done else "live", s.step.key) for s in goal.steps}
    return StoredGoal(today, keys={goal.goal.id: StoredKey("live", goal.goal.id), **keys})


def _differs(one: Revision) -> bool:
    before, after = one.before, one.after
    if before is None or after is None or (before.state, before.margin) != (after.state, after.margin):
        return True
    return bool(one.moved or one.rows or one.new or one.removed or one.keys)


def _revision(before: ScheduledGoal | None, after: ScheduledGoal, new_keys: Mapping[str, str]) -> Revision:
    if before is None:
        return Revision(None, after, new=after.steps)
    was = {_followed(step.step.key, new_keys): step for step in before.steps}
    steps = {step.step.key: step for step in after.steps}
    old, new = contents(before), contents(after)
    rows = (
        _row(was[key], step, _differing_fields(old[was[key].step.key], new[key]), (before.goal, after.goal))
        for key, step in steps.items()
        if key in was
    )
    return Revision(
        before,
        after,
        tuple(row for row in rows if row.moves or row.differs),
        tuple(step for key, step in steps.items() if key not in was),
        tuple(step for key, step in was.items() if key not in steps),
        (
            *_differing_fields(old[before.goal.id], new[after.goal.id]),
            *_differing(_GOAL_KEYS, before.goal, after.goal),
        ),
    )


def _followed(key: str, new_keys: Mapping[str, str]) -> str:
    """Return a key as the newer file has it; an occurrence follows its step."""
    step, at, day = key.partition("@")
    return f"{new_keys.get(step, step)}{at}{day}"


def _differing_fields(old: Content, new: Content) -> tuple[str, ...]:
    """Return the names of the fields that differ, dates and links aside."""
    names = (field.name for field in fields(Content) if field.name not in ("start", "due", "after"))
    return tuple(name for name in names if getattr(old, name) != getattr(new, name))


def _row(old: ScheduledStep, new: ScheduledStep, differs: tuple[str, ...], goals: tuple[Goal, Goal]) -> Row:
    """Return the row of a step; one that is done or dropped does not move any more. goals: before and after."""
    differs = (*differs, *(["done"] if (old.done is None) != (new.done is None) else []))
    after = (new.start, new.due)
    return Row(old.step.title, (old.start, old.due) if new.open else after, after, differs, _why(old, new, goals))


def _why(old: ScheduledStep, new: ScheduledStep, goals: tuple[Goal, Goal]) -> str:
    """Return why a step moves, if it does."""
    own = list(_differing(_STEP_KEYS, old.step, new.step))
    if own:
        return f"its {_list(own)} changed"
    if goals[0].deadline != goals[1].deadline:
        return "the deadline moved"
    if old.pinned and not new.pinned:
        return "its pin is released"
    whole = list(_differing(_GOAL_KEYS, *goals))
    return f"the goal's {_list(whole)} changed" if whole else "the steps around it changed"


def _differing(names: Mapping[str, str], old: Step | Goal, new: Step | Goal) -> Iterator[str]:
    return (said for name, said in names.items() if getattr(old, name) != getattr(new, name))


def _list(keys: Iterable[str]) -> str:
    return " and ".join(f"`{key}`" for key in keys)
