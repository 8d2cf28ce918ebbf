"""What people do in their apps in a life."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import HEARTBEAT
from connectors.codec import read_marker
from tests.histories.choices import registrar
from tests.histories.expectations import keys_of, promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from sync.schedule.model import ScheduledStep
    from tests.histories.choices import Events, Luck
    from tests.histories.expectations import App
    from tests.histories.service import Held, Service
    from tests.histories.world import Life


EVENTS: Events = {}
event = registrar(EVENTS)


@event(4)
def tick(life: Life, luck: Luck) -> str | None:
    """Tick a task, perhaps some days late, or by a clock that is ahead."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    before = app.ours()
    app.service.tick(native_id, life.today - timedelta(luck.of((0, 1, 2, 3, -1, -2))))
    for one, (other, held) in app.ours().items():
        if held.done and not before[one][1].done and one not in app.copies:
            life.expected.ticked(app, life.expected.named(other))
            life.expected.ticked_with_goal(app, other, life.project)
            life.expected.ticked_with_group(other, life.project)
    app.foreign.update({one: app.service.tasks[one] for one in app.foreign})  # theirs below it are ticked as well
    for one, other in app.spoiled.items():  # its marker may or may not be found again before anybody asks
        if one in app.service.tasks and app.service.tasks[one].done:
            life.expected.hindered(other)
    return f"{app.name}: tick {key}"


@event(2)
def reopen(life: Life, luck: Luck) -> str | None:
    """Reopen a task that is done."""
    if not (found := life.a_task(luck, done=True)):
        return None
    app, native_id, key = found
    before = app.ours()
    app.service.reopen(native_id)
    for one, (other, held) in app.ours().items():
        if before[one][1].done and not held.done:
            life.expected.reopened(life.expected.named(other))
            for each in life.apps:
                _follow(life, each, other)
    return f"{app.name}: reopen {key}"


def _follow(life: Life, app: App, key: str) -> None:
    """A task that is open again is followed where its goal has changed its place since, and so is the goal's own."""
    for one, (other, held) in app.ours().items():
        place = life.places.get(life.expected.named(other).partition("/")[0], 0)
        if other in (key, key.partition("/")[0]) and held.place != place:
            app.service.strayed.add(one)


@event(3)
def delete(life: Life, luck: Luck) -> str | None:
    """Delete a task."""
    found = life.a_task(luck)
    if not found:
        return None
    app, native_id, key = found
    before = app.ours()
    family = set(app.service.family(native_id))
    if len(before) - len(family) < 2 or family & (app.foreign.keys() | app.copies):
        return None  # all at once is another matter: that is refused
    nonces = [(held.marker or "").split()[1:2] for _, held in before.values()]
    if any(nonces.count((before[one][1].marker or "").split()[1:2]) > 1 for one in family if one in before):
        return None  # of two with one marker, a person may keep either
    app.service.delete(native_id)
    for one in family:
        app.words = {place: words for place, words in app.words.items() if place[0] != one}
        if one in before:
            life.expected.deleted(app, life.expected.named(before[one][0]), done=before[one][1].done)
        elif one in app.spoiled:
            life.expected.deleted(app, life.expected.named(app.spoiled[one]))
    return f"{app.name}: delete {key}"


@event(1)
def cancel(life: Life, luck: Luck) -> str | None:
    """Close a task as not planned."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    held = app.service.tasks[native_id]
    if app.service.kind.families or held.dropped or held.recurring or key == HEARTBEAT:
        return None  # those that tick a whole family know no other way of closing
    if "/" not in key and (life.raced or not life.expected.settled):
        return None  # what two runs made twice, or one had begun to rename, stays so while the goal is given up
    app.service.cancel(native_id)
    if "/" in key:
        life.expected.deleted(app, key)
    else:
        life.expected.given_up(_keys_of_goal(life, key))
    return f"{app.name}: cancel {key}"


@event(1)
def take_up(life: Life, luck: Luck) -> str | None:
    """Take up a goal again whose own task was cancelled."""
    app = luck.of(life.apps)
    there = sorted((key, one) for one, (key, held) in app.ours().items() if held.dropped and "/" not in key)
    if not there or app.retired:
        return None
    key, native_id = luck.of(there)
    app.service.reopen(native_id)
    life.expected.given_up(_keys_of_goal(life, life.expected.named(key)))
    return f"{app.name}: take up {key}"


def _keys_of_goal(life: Life, goal_id: str) -> set[str]:
    """Return the keys of a goal, its steps and groups, as the file and the apps have them."""
    known = keys_of(life.project).union(*(app.remembered() for app in life.apps))
    return {key for key in known if key.partition("/")[0] == goal_id}


@event(3)
def move_date(life: Life, luck: Luck) -> str | None:
    """Drag a task to another day."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    held, days = app.service.tasks[native_id], luck.below(36) - 30
    marker = read_marker(held.marker or "")
    if not days or held.content.due is None or marker is None or held.dropped or held.recurring:
        return None
    day = held.content.due + timedelta(days)
    app.service.set_due(native_id, day)
    life.expected.dated(key, day, days=(day - marker.due).days if marker.due else days)
    return f"{app.name}: drag {key} to {day}"


@event(1)
def move_to_plan(life: Life, luck: Luck) -> str | None:
    """Drag a task to the very day that the plan gives its step by now: that is no pin."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    held, planned = app.service.tasks[native_id], _planned(life, key)
    marker = read_marker(held.marker or "")
    if held.content.due is None or marker is None or held.dropped or held.recurring:
        return None
    if planned is None or planned.due in (None, held.content.due) or planned.pinned or not planned.open:
        return None
    alone = not any(_was_dragged(one) for other in life.apps for _, one in other.ours().values())
    app.service.set_due(native_id, planned.due)
    life.expected.dated(key, planned.due, days=(planned.due - marker.due).days if marker.due else 1)
    after = _planned(life, key) if alone else None
    promise(after is None or after[2:] == planned[2:], f"{key} was dragged to the day that the plan gives: {after}")
    return f"{app.name}: drag {key} to the day that the plan gives, {planned.due}"


def _planned(life: Life, key: str) -> ScheduledStep | None:
    """Return a step as a run would plan it now; None where it would refuse, or has no such step."""
    with suppress(RefusedError):
        goals = life.run(write=False).found.schedule.goals
        return next((step for goal in goals for step in goal.steps if step.step.key == key), None)
    return None


def _was_dragged(held: Held) -> bool:
    """Return whether a task has another date than we gave it last, as far as its marker tells."""
    marker = read_marker(held.marker or "")
    return marker is None or marker.due != held.content.due


@event(1)
def clear_date(life: Life, luck: Luck) -> str | None:
    """Take a task's date away."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    app.service.set_due(native_id, None)
    life.expected.dated(key, None, days=1)
    return f"{app.name}: clear the date of {key}"


@event(2)
def edit_title(life: Life, luck: Luck) -> str | None:
    """Give a task a title of one's own."""
    return _write(life, luck, "title", lambda service: service.set_title)


@event(1)
def edit_notes(life: Life, luck: Luck) -> str | None:
    """Write notes of one's own in place of those that a task has."""
    return _write(life, luck, "notes", lambda service: service.set_notes)


@event(1)
def add_label(life: Life, luck: Luck) -> str | None:
    """Give a task a label more."""
    return _write(life, luck, "label", lambda service: service.add_label)


def _write(life: Life, luck: Luck, where: str, write: Callable[[Service], Callable[[str, str], None]]) -> str | None:
    """Write words into a task: new ones in place of those that stand there, or, of labels, one more."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    words = life.new_name(f"a person's {where} ")
    write(app.service)(native_id, words)
    app.words[native_id, words if where == "label" else where] = words
    life.expected.settled = False
    return f"{app.name}: {key} gets {words!r}"


@event(1)
def touch(life: Life, luck: Luck) -> str | None:
    """Add a comment to a task."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    app.service.touch(native_id)
    return f"{app.name}: comment on {key}"


@event(2)
def copy(life: Life, luck: Luck) -> str | None:
    """Duplicate a task."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    before = app.ours().keys()
    app.service.copy(native_id)
    app.copies |= app.ours().keys() - before  # with a task, some services copy those below it
    life.expected.settled = False
    return f"{app.name}: duplicate {key}"


@event(1)
def damage_marker(life: Life, luck: Luck) -> str | None:
    """Spoil a marker, or take it out."""
    found = life.a_task(luck)
    if not found or not life.expected.settled or found[0].state(found[2]) != "live":
        return None
    app, native_id, key = found
    strip = luck.below(2) == 1 and not app.service.kind.atomic  # a line without a marker is anybody's
    (app.service.strip_marker if strip else app.service.damage_marker)(native_id)
    life.expected.pins.pop(key, None)  # it stood in the marker
    app.spoiled[native_id] = key
    life.expected.settled = False
    return f"{app.name}: spoil the marker of {key}"


@event(1)
def make_recurring(life: Life, luck: Luck) -> str | None:
    """Let a task repeat."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    if app.service.tasks[native_id].dropped:
        return None
    app.service.make_recurring(native_id)
    if not life.expected.settled:
        life.expected.hindered(key)
    life.expected.pins.pop(key, None)
    life.expected.settled = False
    return f"{app.name}: let {key} repeat"


@event(1)
def garble(life: Life, luck: Luck) -> str | None:
    """Type something that cannot be read into a task: nothing is concluded from it, and nothing written there."""
    found = life.a_task(luck)
    if luck.below(3) == 2:
        found = life.a_task(luck, done=True) or found
    if not found or life.raced or not life.expected.settled:
        return None
    app, native_id, key = found
    held = app.service.tasks[native_id]
    if app.service.kind.families or held.recurring or held.dropped:
        return None  # an app with families tells dates and states apart from words
    if app.state(key) != ("done" if held.done else "live"):
        return None
    what = "state" if held.done else luck.of(("date", "state"))  # what is done needs no date
    app.service.garble(native_id, what)
    app.unread[native_id] = app.service.tasks[native_id]
    life.expected.unreadable(key)
    return f"{app.name}: write a {what} that cannot be read into {key}"


@event(1)
def mend(life: Life, luck: Luck) -> str | None:
    """Put right what could not be read."""
    app = luck.of(life.apps)
    there = sorted(one for one in app.unread if one in app.service.tasks)
    if not there:
        return None
    native_id = luck.of(there)
    del app.unread[native_id]
    app.service.garble(native_id, "")
    key = app.key_of(native_id)
    life.expected.unreadable(life.expected.named(key))
    _follow(life, app, key)
    return f"{app.name}: mend {key}"


@event(1)
def move_away(life: Life, luck: Luck) -> str | None:
    """Move a task to another place."""
    if not (found := life.a_task(luck)):
        return None
    app, native_id, key = found
    app.service.move_away(native_id)
    return f"{app.name}: move {key} elsewhere"


@event(1)
def spoil_memory(life: Life, luck: Luck) -> str | None:
    """Rename, empty, move or complete the task that holds a memory, or give it a date."""
    app = luck.of(life.apps)
    names = sorted(app.service.memory)
    if app.service.kind.places == 1 or not names:
        return None
    name = luck.of(names)
    app.service.spoil_memory(name, luck.below(1 << 8))
    return f"{app.name}: change the task of the memory {name}"


@event(1)
def delete_place(life: Life, luck: Luck) -> str | None:
    """Delete a place with all that is in it."""
    app, place = luck.of(life.apps), 1 + luck.below(2)  # the first one may hold others, as a project its sections
    tasks, ours = app.service.tasks, app.ours()
    gone = {native_id for native_id, held in tasks.items() if held.place == place}
    goals = {goal.id for goal in life.project.goals if app.holds(goal.id) and life.places.get(goal.id, 0) == place}
    left = {one for one, (key, _) in ours.items() if key.partition("/")[0] in goals} - gone
    if app.service.kind.places == 1 or life.raced or left or not gone or not life.expected.settled:
        return None  # what a person took out of it would have lost its memory
    if len(ours) - len(gone & ours.keys()) < 2 or gone - ours.keys() or gone & app.copies or app.retired:
        return None
    deleted = app.service.delete_place(life.project.namespace, place)
    known = keys_of(life.project) | app.remembered().keys() | {key for key, _ in ours.values()}
    life.expected.place_deleted(app, deleted, {key for key in known if key.partition("/")[0] in goals})
    return f"{app.name}: delete place {place}"


@event(1)
def rename_place(life: Life, luck: Luck) -> str | None:
    """Call a place by another name in the app, and not in the file."""
    app = luck.of(life.apps)
    if app.service.kind.places == 1:
        return None
    place, name = luck.below(app.service.kind.places), life.new_name("Place ")
    app.service.rename_place(place, name)
    return f"{app.name}: rename place {place} to {name!r}"


@event(1)
def add_foreign_task(life: Life, luck: Luck) -> str | None:
    """Add a task that is none of ours, perhaps below one of ours, perhaps with the title of one."""
    app = luck.of(life.apps)
    ours = sorted(app.ours())
    parent = luck.of(ours) if ours and luck.below(3) == 0 else None
    alike = [held.content.title for _, held in app.ours().values()]
    title = luck.of(alike) if alike and luck.below(2) else life.new_name("somebody's task ")
    native_id = app.service.add_foreign_task(title, parent)
    app.foreign[native_id] = app.service.tasks[native_id]
    if parent is not None and not life.expected.settled:
        life.expected.hindered(app.ours()[parent][0])
    return f"{app.name}: add {title!r}, which is not ours"


@event(1)
def forget_ids(life: Life, luck: Luck) -> str | None:
    """Let a service forget which of our ids it has seen."""
    app = luck.of(life.apps)
    if not app.service.kind.forgets:
        return None
    app.service.forget_ids()
    return f"{app.name}: forgets our ids"
