"""One life of a plan: what happens to its file, in its apps and to its runs, one event after the other.

An event is a name and a number that all its choices are drawn from, so that a history is a plain list, which can be
replayed, cut down and printed. An event that is not possible at the time does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from config.errors import CredentialsError, RefusedError
from connectors.base import HEARTBEAT
from connectors.marker import read_marker
from sync.occurrences import is_occurrence, step_of
from sync.schedule import State
from sync.simulation import edits
from sync.simulation.connector import connect
from sync.simulation.expectations import App, Expectations, keys_of, promise
from sync.simulation.process import Nonces, process, the_same
from sync.simulation.service import READ_FAULTS, WRITE_FAULTS, Fault, Killed, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from config.network import Goal, Project, Step
    from sync.simulation.process import Run, Stepwise
    from sync.simulation.service import Kind

Thing = TypeVar("Thing")
MOST_GOALS = 3
MOST_STEPS = 6  # that are added to a goal: a life is about what happens, not about size


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens, by its name, with the number that its choices are drawn from."""

    name: str
    luck: int


class Luck:
    """Draws choices from one number, so that a smaller number means the first of each."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def below(self, count: int) -> int:
        """Return a number from 0 to `count - 1`."""
        self._rest, drawn = divmod(self._rest, count)
        return drawn

    def of(self, things: Sequence[Thing]) -> Thing:
        """Return one of the things."""
        return things[self.below(len(things))]


EVENTS: dict[str, tuple[int, Callable[[Life, Luck], str | None]]] = {}


def event(weight: int) -> Callable[[Callable[[Life, Luck], str | None]], Callable[[Life, Luck], str | None]]:
    """Make a method an event that is `weight` times as likely as the rarest. It says what it did, None for nothing."""

    def register(method: Callable[[Life, Luck], str | None]) -> Callable[[Life, Luck], str | None]:
        EVENTS[method.__name__] = (weight, method)
        return method

    return register


class Life:
    """A project in one service of each kind given, from its first day on.

    mirrored: goals and apps come in the opposite order, which must not make a difference. service: makes the service of
    a kind.
    """

    def __init__(
        self,
        project: Project,
        kinds: Sequence[Kind],
        today: date,
        *,
        mirrored: bool = False,
        service: Callable[[Kind], Service] = Service,
    ) -> None:
        self.project = project = the_same(_without_targets(project))
        self.today = today
        self.apps = [App(f"app {n}", service(kind), project.namespace) for n, kind in enumerate(kinds, start=1)]
        self.expected = Expectations(self.apps, recreate=project.on_delete == "recreate")
        self.connect: Callable[[Service, str, str], Stepwise] = connect
        self.told: list[str] = []
        self.faults = 0
        self.runs = 0
        self._raced = False
        self._order = -1 if mirrored else 1
        self._number = 0
        self._nonces = Nonces()
        self._versions = [project]

    def live(self, events: Sequence[Event]) -> None:
        """Let all of it happen, then see it come to rest. Raises Broken where a promise was not kept."""
        for one in events:
            self.happen(one)
        self.happen(Event("sync", 0))

    def happen(self, one: Event) -> None:
        """Let one event happen, and look after it whether everything still holds."""
        told = EVENTS[one.name][1](self, Luck(one.luck))
        if told is not None:
            self.told.append(told)
        self.expected.check_always()
        self.expected.check_keys(raced=self._raced)

    # Choosing

    def _new_name(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def _goal(self, luck: Luck) -> Goal:
        return luck.of(sorted(self.project.goals, key=lambda goal: goal.id))

    def _step(self, luck: Luck) -> tuple[Goal, Step | None]:
        goal = self._goal(luck)
        return goal, luck.of(sorted(goal.steps, key=lambda step: step.key)) if goal.steps else None

    def _task(self, luck: Luck, *, done: bool = False) -> tuple[App, str, str] | None:
        """Return an app, and the native id and key of a task there that the file has."""
        app = luck.of(self.apps)
        ours = app.ours()
        keys = [key for key, _ in ours.values()]
        known = keys_of(self.project)
        # Of a copy that no run has seen yet, it is ours to say which of the two is ours.
        found = sorted(
            (key, n)
            for n, (key, held) in ours.items()
            if held.done is done and step_of(key) in known and keys.count(key) == 1
        )
        if not found or app.retired:
            return None
        key, native_id = luck.of(found)
        return app, native_id, key

    @staticmethod
    def _finds(app: App) -> set[str]:
        """Return the keys of the tasks of ours that a run finds without knowing of them."""
        return {key for key, held in app.ours().values() if app.service.kind.lists_done or not held.done}

    def _has_lost_twins(self, *keys: str) -> bool:
        """Return whether two runs may have made one of these twice under a name that nothing remembers any more."""
        return self._raced and not self.expected.renamed.keys().isdisjoint(keys)

    # The file

    def _edit(self, project: Project, told: str) -> str | None:
        if project is self.project:
            return None
        self.project = the_same(project)
        self._versions.append(self.project)
        self.expected.file_changed()
        return f"file: {told}"

    @event(1)
    def add_goal(self, luck: Luck) -> str | None:
        """Write another goal into the file."""
        if len(self.project.goals) >= MOST_GOALS:
            return None
        name = self._new_name("goal")
        return self._edit(edits.add_goal(self.project, luck.below(MOST_GOALS), name), f"add goal {name}")

    @event(1)
    def remove_goal(self, luck: Luck) -> str | None:
        """Take a goal out of the file."""
        goal = self._goal(luck)
        if self._has_lost_twins(goal.id, *(step.key for step in goal.steps)):
            return None
        told = self._edit(edits.remove_goal(self.project, goal), f"remove goal {goal.id}")
        if told:
            self.expected.forgotten(goal.id, *(step.key for step in goal.steps))
        return told

    @event(3)
    def add_step(self, luck: Luck) -> str | None:
        """Write another step into the file."""
        goal = self._goal(luck)
        if len(goal.steps) >= MOST_STEPS or goal.done:
            return None
        name = self._new_name("step")
        self.expected.grown(goal.id)
        if not self.expected.settled:  # a tick of the goal that no run has seen may take it along
            self.expected.doubt.add(f"{goal.id}/{name}")
        return self._edit(edits.add_step(self.project, goal, luck.below(MOST_STEPS), name), f"add {goal.id}/{name}")

    @event(3)
    def remove_step(self, luck: Luck) -> str | None:
        """Take a step out of the file."""
        goal, step = self._step(luck)
        if step is None or self._has_lost_twins(step.key):
            return None
        told = self._edit(edits.remove_step(self.project, goal, step), f"remove {step.key}")
        if told:
            self.expected.forgotten(step.key)
        return told

    @event(2)
    def rename_step(self, luck: Luck) -> str | None:
        """Give a step another id, with `was:`."""
        goal, step = self._step(luck)
        if step is None or step.key in self.expected.renamed:
            return None
        name = self._new_name("step")
        self.expected.moved_key(step.key, f"{goal.id}/{name}")
        return self._edit(edits.rename_step(self.project, goal, step, name), f"rename {step.key} to {name}")

    @event(1)
    def rename_goal(self, luck: Luck) -> str | None:
        """Give a goal another id, with `was:`."""
        goal = self._goal(luck)
        if goal.id in self.expected.renamed:
            return None
        name = self._new_name("goal")
        self.expected.moved_key(goal.id, name)
        for step in goal.steps:
            self.expected.moved_key(step.key, f"{name}/{step.id}")
        return self._edit(edits.rename_goal(self.project, goal, name), f"rename {goal.id} to {name}")

    @event(1)
    def reorder(self, luck: Luck) -> str | None:
        """Write the steps of a goal in another order."""
        goal = self._goal(luck)
        return self._edit(edits.reorder(self.project, goal, luck.below(720)), f"reorder the steps of {goal.id}")

    @event(3)
    def move_deadline(self, luck: Luck) -> str | None:
        """Move a goal's deadline."""
        goal, days = self._goal(luck), luck.below(40) - 20 or 21
        for pinned in [pinned for pinned in self.expected.pins if pinned.partition("/")[0] == goal.id]:
            del self.expected.pins[pinned]
        return self._edit(edits.move_deadline(self.project, goal, days), f"move {goal.id} by {days} days")

    @event(2)
    def change_title(self, luck: Luck) -> str | None:
        """Write another title into the file."""
        goal, step = self._step(luck)
        step = step if luck.below(4) else None
        title = f"Other words {self._new_name('')}"
        if step is not None:
            self.expected.redefined(step.key)
        told = f"another title for {step.key if step else goal.id}"
        return self._edit(edits.retitle(self.project, goal, step, title), told)

    @event(2)
    def change_length(self, luck: Luck) -> str | None:
        """Let a step take longer."""
        goal, step = self._step(luck)
        if step is None:
            return None
        told = self._edit(edits.lengthen(self.project, goal, step), f"{step.key} takes a day longer")
        if told:
            self.expected.pins.pop(step.key, None)
            self.expected.redefined(step.key)
        return told

    @event(1)
    def move_step(self, luck: Luck) -> str | None:
        """Move a step to another goal, with `was:`."""
        goal, step = self._step(luck)
        to = self._goal(luck)
        if step is None or self._raced or {step.key, goal.id} & self.expected.renamed.keys():
            return None
        told = self._edit(edits.move_step(self.project, goal, step, to), f"move {step.key} to {to.id}")
        if told:
            self.expected.moved_key(step.key, f"{to.id}/{step.id}")
            self.expected.moved_to(f"{to.id}/{step.id}", goal.id)
        return told

    @event(2)
    def group_steps(self, luck: Luck) -> str | None:
        """Put steps that stand together into a group."""
        goal, name = self._goal(luck), self._new_name("group")
        changed = edits.group_steps(self.project, goal, luck.below(MOST_STEPS), 1 + luck.below(3), name)
        return self._edit(changed, f"put steps of {goal.id} into {name}")

    @event(1)
    def ungroup(self, luck: Luck) -> str | None:
        """Take a group out of the file, and leave its steps."""
        goal = self._goal(luck)
        return self._edit(edits.ungroup(self.project, goal, luck.below(3)), f"take a group out of {goal.id}")

    @event(1)
    def restore(self, luck: Luck) -> str | None:
        """Bring back an older version of the file."""
        if len(self._versions) < 2 or self._raced or self.project.prune == "keep":
            return None  # what is kept, or made twice, may get its old name back: whose it is then, nobody can tell
        older = luck.of(self._versions[:-1])
        told = self._edit(older, "an older version comes back")
        if told:
            self.expected.restored(keys_of(older))
        return told

    @event(1)
    def retire(self, _: Luck) -> str | None:
        """Write the last of several apps under `retired:`, or use it again."""
        app = self.apps[-1]
        if len(self.apps) == 1:
            return None
        app.retired = not app.retired
        self.expected.file_changed()
        self.expected.restored(keys_of(self.project))
        return f"file: {app.name} is {'retired' if app.retired else 'used again'}"

    # People in their apps

    @event(4)
    def tick(self, luck: Luck) -> str | None:
        """Tick a task, perhaps some days late."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        before = app.ours()
        app.service.tick(native_id, self.today - timedelta(luck.below(4)))
        for one, (other, held) in app.ours().items():
            if held.done and not before[one][1].done and one not in app.copies:
                self.expected.ticked(app, self.expected.named(other))
                self.expected.ticked_with_goal(other, self.project)
                self.expected.ticked_with_group(other, self.project)
        app.foreign.update({one: app.service.tasks[one] for one in app.foreign})  # theirs below it are ticked as well
        for one, other in app.spoiled.items():  # its marker may or may not be found again before anybody asks
            if one in app.service.tasks and app.service.tasks[one].done:
                self.expected.hindered(other)
        return f"{app.name}: tick {key}"

    @event(2)
    def reopen(self, luck: Luck) -> str | None:
        """Reopen a task that is done."""
        if not (found := self._task(luck, done=True)):
            return None
        app, native_id, key = found
        before = app.ours()
        app.service.reopen(native_id)
        for one, (other, held) in app.ours().items():
            if before[one][1].done and not held.done:
                self.expected.reopened(self.expected.named(other))
        return f"{app.name}: reopen {key}"

    @event(3)
    def delete(self, luck: Luck) -> str | None:
        """Delete a task."""
        found = self._task(luck)
        if not found:
            return None
        app, native_id, key = found
        before = app.ours()
        family = set(app.service.family(native_id))
        if len(before) - len(family) < 2 or family & (app.foreign.keys() | app.copies):
            return None  # all at once is another matter: that is refused
        app.service.delete(native_id)
        for one in family:
            app.words.pop(one, None)
            if one in before:
                self.expected.deleted(app, self.expected.named(before[one][0]), done=before[one][1].done)
            elif one in app.spoiled:
                self.expected.deleted(app, self.expected.named(app.spoiled[one]))
        return f"{app.name}: delete {key}"

    @event(1)
    def cancel(self, luck: Luck) -> str | None:
        """Close a task as not planned."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        held = app.service.tasks[native_id]
        if "/" not in key or app.service.kind.families or held.dropped or held.recurring:
            return None  # those that tick a whole family know no other way of closing
        app.service.cancel(native_id)
        self.expected.deleted(app, key)
        return f"{app.name}: cancel {key}"

    @event(3)
    def move_date(self, luck: Luck) -> str | None:
        """Drag a task to another day."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        held, days = app.service.tasks[native_id], luck.below(36) - 30
        marker = read_marker(held.marker or "")
        if not days or held.content.due is None or marker is None or held.dropped or held.recurring:
            return None
        day = held.content.due + timedelta(days)
        app.service.set_due(native_id, day)
        self.expected.dated(key, day, news=day != marker.due)
        return f"{app.name}: drag {key} to {day}"

    @event(1)
    def clear_date(self, luck: Luck) -> str | None:
        """Take a task's date away."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        app.service.set_due(native_id, None)
        self.expected.dated(key, None, news=True)
        return f"{app.name}: clear the date of {key}"

    @event(2)
    def edit_title(self, luck: Luck) -> str | None:
        """Give a task a title of one's own."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        app.words[native_id] = self._new_name("a person's words ")
        app.service.set_title(native_id, app.words[native_id])
        self.expected.settled = False
        return f"{app.name}: call {key} {app.words[native_id]!r}"

    @event(1)
    def touch(self, luck: Luck) -> str | None:
        """Add a comment to a task."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        app.service.touch(native_id)
        return f"{app.name}: comment on {key}"

    @event(2)
    def copy(self, luck: Luck) -> str | None:
        """Duplicate a task."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        before = app.ours().keys()
        app.service.copy(native_id)
        app.copies |= app.ours().keys() - before  # with a task, some services copy those below it
        self.expected.settled = False
        return f"{app.name}: duplicate {key}"

    @event(1)
    def damage_marker(self, luck: Luck) -> str | None:
        """Spoil a marker, or take it out."""
        found = self._task(luck)
        if not found or not self.expected.settled or found[0].state(found[2]) != "live":
            return None
        app, native_id, key = found
        strip = luck.below(2) == 1 and not app.service.kind.atomic  # a line without a marker is anybody's
        (app.service.strip_marker if strip else app.service.damage_marker)(native_id)
        self.expected.pins.pop(key, None)  # it stood in the marker
        app.spoiled[native_id] = key
        self.expected.settled = False
        return f"{app.name}: spoil the marker of {key}"

    @event(1)
    def make_recurring(self, luck: Luck) -> str | None:
        """Let a task repeat."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        if app.service.tasks[native_id].dropped:
            return None
        app.service.make_recurring(native_id)
        if not self.expected.settled:
            self.expected.hindered(key)
        self.expected.pins.pop(key, None)
        self.expected.settled = False
        return f"{app.name}: let {key} repeat"

    @event(1)
    def move_away(self, luck: Luck) -> str | None:
        """Move a task to another place."""
        if not (found := self._task(luck)):
            return None
        app, native_id, key = found
        app.service.move_away(native_id)
        return f"{app.name}: move {key} elsewhere"

    @event(1)
    def add_foreign_task(self, luck: Luck) -> str | None:
        """Add a task that is none of ours, perhaps below one of ours, perhaps with the title of one."""
        app = luck.of(self.apps)
        ours = sorted(app.ours())
        parent = luck.of(ours) if ours and luck.below(3) == 0 else None
        alike = [held.content.title for _, held in app.ours().values()]
        title = luck.of(alike) if alike and luck.below(2) else self._new_name("somebody's task ")
        native_id = app.service.add_foreign_task(title, parent)
        app.foreign[native_id] = app.service.tasks[native_id]
        if parent is not None and not self.expected.settled:
            self.expected.hindered(app.ours()[parent][0])
        return f"{app.name}: add {title!r}, which is not ours"

    @event(1)
    def forget_ids(self, luck: Luck) -> str | None:
        """Let a service forget which of our ids it has seen."""
        app = luck.of(self.apps)
        if not app.service.kind.forgets:
            return None
        app.service.forget_ids()
        return f"{app.name}: forgets our ids"

    # Runs

    @event(3)
    def time_passes(self, luck: Luck) -> str | None:
        """Let some days pass; or one day less, where the next run's clock is behind."""
        days = luck.below(13) or -1
        self.today += timedelta(days)
        return f"{days} days pass"

    @event(1)
    def plan_only(self, _: Luck) -> str | None:
        """Plan, and write nothing."""
        before = [app.service.state() for app in self.apps]
        self._run(write=False)
        promise([app.service.state() for app in self.apps] == before, "a plan wrote something")
        return "plan"

    @event(6)
    def faulty_sync(self, luck: Luck) -> str | None:
        """Run while something goes wrong with one request."""
        app = luck.of(self.apps)
        at = luck.below(app.service.kind.requests)
        fault = luck.of(READ_FAULTS if at == 0 else WRITE_FAULTS)
        if at == 0 and fault in READ_FAULTS[3:] and (app.service.kind.atomic or app.service.forgot):
            return None  # a file is read whole or not at all, and without ids no promise outlives a list that lies
        self.sync_with(app, at, fault)
        return f"sync; request {at + 1} to {app.name}: {fault.value}"

    def sync_with(self, app: App, at: int, fault: Fault) -> None:
        """Run while one request to an app goes wrong."""
        app.service.fail(at, fault)
        self.faults += 1
        try:
            self._run()
        except (Killed, RefusedError, CredentialsError):
            pass
        finally:
            app.service.heal()
            self.expected.interrupted()

    @event(1)
    def sync_with_one_app_unreadable(self, luck: Luck) -> str | None:
        """Run while one app does not answer."""
        app = luck.of(self.apps)
        app.service.unreadable = True
        self.faults += 1
        done = self._run()
        app.service.heal()
        self.expected.interrupted()
        writes = {change.key for plan in done.plans for change in plan.writes}
        written = {key for key in writes if step_of(key) in keys_of(self.project)}
        promise(app.retired or not written, f"{written} was written though an app that holds it was not read")
        return f"sync; {app.name} does not answer"

    @event(1)
    def lose_memory(self, luck: Luck) -> str | None:
        """Lose the memory in one app: nothing is written until a person has a new one made from the tasks."""
        app = luck.of(self.apps)
        if not self.expected.settled or not self._finds(app) or self.project.namespace not in app.service.memory:
            return None
        app.service.lose_memory(self.project.namespace)
        before = [other.service.state() for other in self.apps]
        try:
            self._run()
        except RefusedError:
            promise([other.service.state() for other in self.apps] == before, "a refused run wrote something")
        else:
            promise(False, f"{app.name} has lost its memory, and the run did not stop")
        self._run(rebuild=True)
        self._versions = [self.project]  # what an older one called its steps is not known any more
        self.expected.restored(keys_of(self.project))
        return f"{app.name}: its memory is lost, and made anew from the tasks"

    @event(1)
    def change_namespace(self, _: Luck) -> str | None:
        """Run once with another namespace in the file: nothing is written."""
        keys = keys_of(self.project)
        if not self.expected.settled or not all(self._finds(app) & keys and not app.retired for app in self.apps):
            return None
        before = [app.service.state() for app in self.apps]
        ours, self.project = self.project, replace(self.project, namespace="somebody/else")
        try:
            self._run()
        except RefusedError:
            promise([app.service.state() for app in self.apps] == before, "a refused run wrote something")
        else:
            promise(False, "the namespace was another one, and the run did not stop")
        finally:
            self.project = ours
        return "a run with another namespace"

    @event(3)
    def race(self, luck: Luck) -> str | None:
        """Let two runs go at the same time, request by request, perhaps with a person in between."""
        turns, meddling = luck.below(1 << 16), luck.below(3) == 0 and not self._raced
        self.expected.interrupted()
        self._raced = True
        racers = [self._process(), self._process()]
        self.runs += 2
        moment = luck.below(6)
        told = ""
        while racers:
            turns, which = divmod(turns, 2)
            if meddling and moment == 0:
                told = self._meddle(luck)
            moment -= 1
            racer = racers[which % len(racers)]
            try:
                next(racer)
            except (StopIteration, RefusedError):
                racers.remove(racer)
        return "two runs at once" + (f", and between them {told}" if told else "")

    def _meddle(self, luck: Luck) -> str:
        """Let a person do something while runs are under way.

        What they change where a run is writing at that moment is lost, unless the service can tell. With a heartbeat,
        any run may be writing.
        """
        writing = self.expected.rewritten or self.project.heartbeat
        if writing and not all(app.service.kind.atomic for app in self.apps):
            return ""
        return luck.of((self.touch, self.edit_title, self.tick))(luck) or ""

    @event(6)
    def sync(self, _: Luck) -> str | None:
        """Run with nothing going wrong: everything must come to rest, and stay there."""
        stood = self._dates() if self.expected.settled else {}
        done = self._run_as_a_person_would()
        promise(not done.errors and not done.found.unread, f"could not be applied: {done.errors}")
        if any(change.status == "skipped" for plan in done.plans for change in plan.changes):
            self._run()  # it heard of something that the next run has to plan with
        after = [app.service.state() for app in self.apps]
        writes = [app.service.writes for app in self.apps]
        again = self._run()
        changes = [(plan.label, c.action.value, c.key, c.reason) for plan in again.plans for c in plan.writes]
        promise(again.silent, f"the second run still has something to write: {changes or 'its memory'}")
        promise([app.service.state() for app in self.apps] == after, "the second run changed something")
        promise([app.service.writes for app in self.apps] == writes, "the second run sent a write")
        self._raced = False
        self.expected.check_at_rest(self.project, again.found.schedule)
        moved = {place for place, day in self._dates().items() if stood.get(place, day) != day}
        promise(not moved or self._in_trouble(again), f"nothing had happened, and the dates of {moved} moved")
        return "sync"

    def _dates(self) -> dict[tuple[str, str], date | None]:
        """Return the due date of every task of ours but the heartbeat, by its app and native id."""
        return {
            (app.name, one): held.content.due
            for app in self.apps
            for one, (key, held) in app.ours().items()
            if key != HEARTBEAT
        }

    @staticmethod
    def _in_trouble(run: Run) -> bool:
        """Return whether some plan cannot be kept: what it asked for is overdue, or it does not fit any more."""
        goals = run.found.schedule.goals
        return any(
            goal.state in (State.LATE, State.MISSED) or any(step.overdue for step in goal.steps) for goal in goals
        )

    def _run_as_a_person_would(self) -> Run:
        """Run; where much would be removed at once, nothing is written until the person has agreed."""
        before = [app.service.state() for app in self.apps]
        removed = [len(app.service.removed) for app in self.apps]
        steps = keys_of(self.project)
        uncounted = [
            {
                one
                for one, (key, _) in app.ours().items()
                if key == HEARTBEAT or _is_time_of(steps, self.expected.named(key))
            }
            for app in self.apps
        ]
        try:
            done = self._run(allow=False)
        except RefusedError:
            promise([app.service.state() for app in self.apps] == before, "a refused run wrote something")
            for app in self.apps:
                if not app.ours():  # all deleted: what the message says to do is to delete the memory as well
                    app.service.lose_memory(self.project.namespace)
                    self.expected.began_anew(app)
            return self._run()
        for app, earlier, apart in zip(self.apps, removed, uncounted, strict=True):
            gone = set(app.service.removed[earlier:]) - apart
            promise(app.retired or len(gone) <= max(3, len(app.ours())), "mass removal")
        return done

    def _run(self, *, write: bool = True, allow: bool = True, rebuild: bool = False) -> Run:
        process = self._process(write=write, allow=allow, rebuild=rebuild)
        self.runs += 1
        while True:
            try:
                next(process)
            except StopIteration as stop:
                run: Run = stop.value
                return run

    def _process(self, *, write: bool = True, allow: bool = True, rebuild: bool = False) -> Generator[None, None, Run]:
        """Return a process of its own, which stops before every request that writes."""
        project = self.project
        if self._order < 0:
            project = the_same(replace(project, goals=project.goals[::-1]))
        goals = frozenset(goal.id for goal in project.goals)
        places = [
            (
                self.connect(app.service, project.namespace, app.name),
                frozenset() if app.retired else goals,
                app.retired,
            )
            for app in self.apps[:: self._order]
        ]
        return process(project, places, self.today, self._nonces, write=write, allow=allow, rebuild=rebuild)


def _is_time_of(steps: set[str], key: str) -> bool:
    """Return whether a key is of one time of a step that repeats: those come and go with the plan."""
    return is_occurrence(key) and step_of(key) in steps


def _without_targets(project: Project) -> Project:
    """Return the project without a word on where its tasks go: a life has apps of its own."""
    return replace(project.with_goals(lambda goal: replace(goal, targets=None)), retired=())
