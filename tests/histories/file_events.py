"""What happens to the goals file in a life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.histories import edits
from tests.histories.choices import registrar
from tests.histories.expectations import keys_of

if TYPE_CHECKING:
    from config.project import Goal, Step
    from tests.histories.choices import Events, Luck
    from tests.histories.world import Life


EVENTS: Events = {}
event = registrar(EVENTS)

MOST_GOALS = 3
MOST_STEPS = 6  # that are added to a goal: a life is about what happens, not about size


@event(1)
def add_goal(life: Life, luck: Luck) -> str | None:
    """Write another goal into the file."""
    if len(life.project.goals) >= MOST_GOALS:
        return None
    name = life.new_name("goal")
    return life.edit(edits.add_goal(life.project, luck.below(MOST_GOALS), name), f"add goal {name}")


@event(1)
def remove_goal(life: Life, luck: Luck) -> str | None:
    """Take a goal out of the file."""
    goal = life.a_goal(luck)
    if life.has_lost_twins(goal.id, *(step.key for step in goal.steps)):
        return None
    told = life.edit(edits.remove_goal(life.project, goal), f"remove goal {goal.id}")
    if told:
        life.expected.forgotten(goal.id, *(step.key for step in goal.steps))
    return told


@event(3)
def add_step(life: Life, luck: Luck) -> str | None:
    """Write another step into the file."""
    goal = life.a_goal(luck)
    if len(goal.steps) >= MOST_STEPS or goal.done:
        return None
    name = life.new_name("step")
    life.expected.grown(goal.id)
    if not life.expected.settled:  # a tick of the goal that no run has seen may take it along
        life.expected.doubt.add(f"{goal.id}/{name}")
    return life.edit(edits.add_step(life.project, goal, luck.below(MOST_STEPS), name), f"add {goal.id}/{name}")


@event(3)
def remove_step(life: Life, luck: Luck) -> str | None:
    """Take a step out of the file."""
    goal, step = life.a_step(luck)
    if step is None or life.has_lost_twins(step.key):
        return None
    told = life.edit(edits.remove_step(life.project, goal, step), f"remove {step.key}")
    if told:
        life.expected.forgotten(step.key)
    return told


@event(2)
def rename_step(life: Life, luck: Luck) -> str | None:
    """Give a step another id, with `was:`."""
    goal, step = life.a_step(luck)
    if step is None or step.key in life.expected.renamed:
        return None
    name = life.new_name("step")
    life.expected.moved_key(step.key, f"{goal.id}/{name}")
    return life.edit(edits.rename_step(life.project, goal, step, name), f"rename {step.key} to {name}")


@event(1)
def rename_goal(life: Life, luck: Luck) -> str | None:
    """Give a goal another id, with `was:`."""
    goal = life.a_goal(luck)
    if goal.id in life.expected.renamed:
        return None
    name = life.new_name("goal")
    life.places[name] = life.places.get(goal.id, 0)
    for app in life.apps:
        if not app.holds(goal.id):
            app.elsewhere.add(name)
    life.expected.moved_key(goal.id, name)
    for step in goal.steps:
        life.expected.moved_key(step.key, f"{name}/{step.id}")
    return life.edit(edits.rename_goal(life.project, goal, name), f"rename {goal.id} to {name}")


@event(1)
def reorder(life: Life, luck: Luck) -> str | None:
    """Write the steps of a goal in another order."""
    goal = life.a_goal(luck)
    return life.edit(edits.reorder(life.project, goal, luck.below(720)), f"reorder the steps of {goal.id}")


@event(3)
def move_deadline(life: Life, luck: Luck) -> str | None:
    """Move a goal's deadline."""
    goal, days = life.a_goal(luck), luck.below(40) - 20 or 21
    for pinned in [pinned for pinned in life.expected.pins if pinned.partition("/")[0] == goal.id]:
        del life.expected.pins[pinned]
    return life.edit(edits.move_deadline(life.project, goal, days), f"move {goal.id} by {days} days")


@event(2)
def change_title(life: Life, luck: Luck) -> str | None:
    """Write another title into the file."""
    goal, step, name = _reworded(life, luck)
    changed = edits.retitle(life.project, goal, step, f"Other words {name}")
    return life.edit(changed, f"another title for {step.key if step else goal.id}")


@event(2)
def change_notes(life: Life, luck: Luck) -> str | None:
    """Write other notes into the file, and another label."""
    goal, step, name = _reworded(life, luck)
    changed = edits.annotate(life.project, goal, step, f"Notes {name}", f"label{name}")
    return life.edit(changed, f"other notes, and a label, for {step.key if step else goal.id}")


def _reworded(life: Life, luck: Luck) -> tuple[Goal, Step | None, str]:
    """Return the goal, or the step of it, that gets other words, and a name for them."""
    goal, step = life.a_step(luck)
    step = step if luck.below(4) else None
    if step is not None:
        life.expected.redefined(step.key)
    return goal, step, life.new_name("")


@event(2)
def change_length(life: Life, luck: Luck) -> str | None:
    """Let a step take longer."""
    goal, step = life.a_step(luck)
    if step is None:
        return None
    told = life.edit(edits.lengthen(life.project, goal, step), f"{step.key} takes a day longer")
    if told:
        life.expected.pins.pop(step.key, None)
        life.expected.redefined(step.key)
    return told


@event(1)
def move_step(life: Life, luck: Luck) -> str | None:
    """Move a step to another goal, with `was:`."""
    goal, step = life.a_step(luck)
    to = life.a_goal(luck)
    if step is None or life.raced or {step.key, goal.id} & life.expected.renamed.keys():
        return None
    told = life.edit(edits.move_step(life.project, goal, step, to), f"move {step.key} to {to.id}")
    if told:
        life.expected.moved_key(step.key, f"{to.id}/{step.id}")
        life.expected.moved_to(f"{to.id}/{step.id}", goal.id)
    return told


@event(2)
def group_steps(life: Life, luck: Luck) -> str | None:
    """Put steps that stand together into a group."""
    goal, name = life.a_goal(luck), life.new_name("group")
    changed = edits.group_steps(life.project, goal, luck.below(MOST_STEPS), 1 + luck.below(3), name)
    return life.edit(changed, f"put steps of {goal.id} into {name}")


@event(1)
def ungroup(life: Life, luck: Luck) -> str | None:
    """Take a group out of the file, and leave its steps."""
    goal = life.a_goal(luck)
    return life.edit(edits.ungroup(life.project, goal, luck.below(3)), f"take a group out of {goal.id}")


@event(1)
def restore(life: Life, luck: Luck) -> str | None:
    """Bring back an older version of the file."""
    if len(life.versions) < 2 or life.raced or life.project.prune == "keep":
        return None  # what is kept, or made twice, may get its old name back: whose it is then, nobody can tell
    older = luck.of(life.versions[:-1])
    told = life.edit(older, "an older version comes back")
    if told:
        life.expected.restored(keys_of(older))
    return told


@event(3)
def change_place(life: Life, luck: Luck) -> str | None:
    """Name another place for a goal, in the apps that have several."""
    most = max(app.service.kind.places for app in life.apps)
    goal, place = life.a_goal(luck), luck.below(most)
    if place == life.places.get(goal.id, 0):
        return None
    life.places[goal.id] = place
    life.expected.settled = False
    return f"file: {goal.id} goes to place {place}"


@event(2)
def change_app(life: Life, luck: Luck) -> str | None:
    """Name other apps for a goal: one of them, or both."""
    goal, chosen = life.a_goal(luck), 1 + luck.below((1 << len(life.apps)) - 1)
    apps = [app for n, app in enumerate(life.apps) if chosen >> n & 1]
    if [app for app in life.apps if app.holds(goal.id)] == apps or any(app.retired for app in life.apps):
        return None
    life.expected.gone_to(apps, goal.id, {key for key in keys_of(life.project) if key.partition("/")[0] == goal.id})
    return f"file: {goal.id} goes to {' and '.join(app.name for app in apps)}"


@event(1)
def retire(life: Life, _: Luck) -> str | None:
    """Write the last of several apps under `retired:`, or use it again."""
    *others, app = life.apps
    if any(not any(other.holds(goal.id) for other in others) for goal in life.project.goals):
        return None
    app.retired = not app.retired
    life.expected.file_changed()
    life.expected.restored(keys_of(life.project))
    return f"file: {app.name} is {'retired' if app.retired else 'used again'}"
