"""Digests of a step's definition: of the keys that set its dates, and of all keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import within_goal
from config.project import Countdown, Group, RelativeDeadline
from connectors.model import digest

if TYPE_CHECKING:
    from config.project import Project, Step


def deadlines(project: Project) -> dict[str, str]:
    """Return a text of each goal's deadline, with those that it depends on, by the goal's id."""
    said: dict[str, str] = {}
    for goal in reversed(project.sequence):
        on = goal.deadline
        said[goal.id] = f"{said.get(on.goal, '')} less {on.by}" if isinstance(on, RelativeDeadline) else on.isoformat()
    return said


def timing(deadline: str, step: Step | None) -> str:
    """Return the digest of a goal's deadline and a step's own timing keys: when it changes, a pin is released.

    deadline: as `deadlines` has it. Links and the order of the list depend on other steps, and do not count.
    """
    own = (
        (step.takes, step.wait, step.on, step.by, step.not_before, _before(step), step.afterwards, *_every(step))
        if step is not None
        else ()
    )
    return digest((deadline, *map(str, own)))


def definition(step: Step | Group) -> str:
    """Return the digest of a step's own keys: when it changes, a step that the user deleted comes back."""
    if isinstance(step, Group):
        return digest((step.title, step.notes))
    said = (
        step.title,
        step.notes,
        step.link,
        step.takes,
        step.wait,
        step.on,
        step.by,
        step.not_before,
        _before(step),
    )
    return digest(tuple(map(str, (*said, step.afterwards, *_every(step)))))


def _every(step: Step) -> tuple[str, ...]:
    return () if step.every is None else (str(step.every),)


def place_in(group: str, generation: int) -> str:
    """Return the digest of the group that a task was put into, and of how often the group's task was created.

    group: its key. The digest stays when the goal is renamed.
    """
    return digest((within_goal(group), str(generation)))


def _before(step: Step) -> str:
    """Return a text of a countdown. A step of the same goal has only its own id in it, so that goals can be renamed."""
    if not isinstance(step.before, Countdown):
        return str(step.before)
    goal = step.key.removesuffix(step.id)
    return f"{step.before.by} before {step.before.key.removeprefix(goal)}"
