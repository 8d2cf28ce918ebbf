"""One life of a plan: what happens to its file, in its apps and to its runs, one event after the other.

An event that is not possible at the time does nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from config.errors import CredentialsError, RefusedError
from config.keys import step_of
from sync.run.homes import Binding
from tests.histories import file_events, person_events, run_events
from tests.histories.choices import Event, Luck
from tests.histories.connector import connect
from tests.histories.expectations import App, Expectations, keys_of
from tests.histories.listing import read_entries
from tests.histories.process import Hooks, Nonces, process, the_same
from tests.histories.service import Fault, Killed, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from config.project import Goal, Project, RelativeDeadline, Step
    from tests.histories.choices import Events
    from tests.histories.process import Run, Stepwise
    from tests.histories.service import Kind

LAST_PLACE = 2  # which the goals file stops naming when no goal is there any more
# Events in spite of which the date that a person gave to a goal becomes its deadline.
LEAVES_DEADLINES = frozenset({
    "time_passes", "plan_only", "faulty_sync", "sync_with_one_app_unreadable", "sync",
    "move_date", "clear_date", "edit_title", "edit_notes", "add_label",
})  # fmt: skip
EVENTS: Events = {**file_events.EVENTS, **person_events.EVENTS, **run_events.EVENTS}


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
        self.places: dict[str, int] = {}  # goal id -> where it is to be, of those that have changed their place
        self.expected = Expectations(self.apps, self.places, recreate=project.on_delete == "recreate")
        self.connect: Callable[..., Stepwise] = connect
        self.told: list[str] = []
        self.faults = 0
        self.runs = 0
        self.raced = False
        self._order = -1 if mirrored else 1
        self._number = 0
        self._nonces = Nonces()
        self.versions = [project]

    def live(self, events: Sequence[Event]) -> None:
        """Let all of it happen, then see it come to rest. Raises Broken where a promise was not kept."""
        for one in events:
            self.happen(one)
        self.happen(Event("sync", 0))

    def happen(self, one: Event) -> None:
        """Let one event happen, and look after it whether everything still holds."""
        told = EVENTS[one.name][1](self, Luck(one.luck))
        if one.name not in LEAVES_DEADLINES:
            self.expected.deadlines.clear()
        if told is not None:
            self.told.append(told)
        self.expected.check_always()
        self.expected.check_keys(raced=self.raced)

    # What events choose from

    def new_name(self, kind: str) -> str:
        """Return a name that nothing has had yet."""
        self._number += 1
        return f"{kind}{self._number}"

    def a_goal(self, luck: Luck) -> Goal:
        """Return one of the file's goals."""
        return luck.of(sorted(self.project.goals, key=lambda goal: goal.id))

    def a_step(self, luck: Luck) -> tuple[Goal, Step | None]:
        """Return one of the file's goals, and one of its steps, None where it has none."""
        goal = self.a_goal(luck)
        return goal, luck.of(sorted(goal.steps, key=lambda step: step.key)) if goal.steps else None

    def a_task(self, luck: Luck, *, done: bool = False) -> tuple[App, str, str] | None:
        """Return an app, and the native id and key of a task there that the file has."""
        app = luck.of(self.apps)
        ours = app.ours()
        keys = [key for key, _ in ours.values()]
        known = keys_of(self.project)
        # Of a copy that no run has seen yet, it is ours to say which of the two is ours.
        found = sorted(
            (key, n)
            for n, (key, held) in ours.items()
            if held.done is done and not held.unread and step_of(key) in known and keys.count(key) == 1
        )
        if not found or app.retired:
            return None
        key, native_id = luck.of(found)
        return app, native_id, key

    def has_lost_twins(self, *keys: str) -> bool:
        """Return whether two runs may have made one of these twice under a name that nothing remembers any more."""
        return self.raced and not self.expected.renamed.keys().isdisjoint(keys)

    # What events are made of

    def edit(self, project: Project, told: str) -> str | None:
        """Change the goals file; return a sentence on the change, None if nothing changed."""
        if project is self.project:
            return None
        self.project = the_same(project)
        self.versions.append(self.project)
        self.expected.file_changed()
        return f"file: {told}"

    def sync_with(self, app: App, at: int, fault: Fault, *, rebuild: bool = False) -> None:
        """Run while one request to an app goes wrong."""
        app.service.fail(at, fault)
        self.faults += 1
        try:
            self.run(
                allow=not self.raced, rebuild=rebuild
            )  # what two runs made twice has to be settled without anybody's leave
        except (Killed, RefusedError, CredentialsError):
            pass
        finally:
            app.service.heal()
            self.expected.interrupted()

    def run(self, *, write: bool = True, allow: bool = True, rebuild: bool = False) -> Run:
        """Run from the beginning to the end; with `allow`, many tasks at once may be removed."""
        going = self.begin(write=write, allow=allow, rebuild=rebuild)
        self.runs += 1
        while True:
            try:
                next(going)
            except StopIteration as stop:
                run: Run = stop.value
                return run

    def begin(self, *, write: bool = True, allow: bool = True, rebuild: bool = False) -> Generator[None, None, Run]:
        """Return a run as a process of its own, which stops before every request that writes."""
        project = self.project
        if self._order < 0:
            project = the_same(replace(project, goals=project.goals[::-1]))
        homes = [home for app in self.apps[:: self._order] for home in self._homes(app, project)]
        read = self.project

        def edit(moved: Project) -> None:
            if self.project is not read:
                raise RefusedError("the file was changed during this command; run it again (nothing was changed)")
            before = {goal.id: goal.deadline for goal in read.goals}
            after = {goal.id: goal.deadline for goal in moved.goals}
            self.project = the_same(read.with_goals(lambda goal: replace(goal, deadline=after[goal.id])))
            self.versions.append(self.project)
            days = {goal_id: _days(before[goal_id], day) for goal_id, day in after.items() if before[goal_id] != day}
            self.expected.deadlines_taken(days)

        options = {"write": write, "allow": allow, "rebuild": rebuild}
        hooks = Hooks(edit, self.expected.decided)
        return process(project, homes, self.today, self._nonces, hooks=hooks, **options)

    def _homes(self, app: App, project: Project) -> Iterator[Binding]:
        """Yield the places of an app that the goals file names: those without a goal are retired, but for the last."""
        goals: dict[int, set[str]] = {}
        for goal in filter(lambda goal: app.holds(goal.id), project.goals):
            place = self.places.get(goal.id, 0) if app.service.kind.places > 1 else 0
            goals.setdefault(place, set()).add(goal.id)
        memories = app.service.memories(project.namespace)
        last = read_entries(tuple(memories.get(LAST_PLACE, ())))
        live = {key.partition("/")[0] for key, entry in last.items() if entry.state in ("live", "pending")}
        own = {goal.id for goal in project.goals if app.holds(goal.id)}
        in_the_file = live <= own  # else it is not known whose it is, and refused, or another app has it now
        retired = memories.keys() - goals.keys() - ({LAST_PLACE} if in_the_file else set())
        if app.retired or not goals:
            goals, retired = {}, app.service.memories(project.namespace).keys() | {0}
        named = frozenset(goals) | retired
        for place in sorted(named):
            connector = self.connect(app.service, project.namespace, app.name, place, named)
            yield Binding(connector, frozenset(goals.get(place, ())), retired=place in retired)


def _days(before: date | RelativeDeadline, after: date | RelativeDeadline) -> int:
    """Return by how many days a deadline moved."""
    assert isinstance(before, date)  # a run moves no other one
    assert isinstance(after, date)
    return (after - before).days


def _without_targets(project: Project) -> Project:
    """Return the project without a word on where its tasks go: a life has apps of its own."""
    return replace(project.with_goals(lambda goal: replace(goal, targets=None)), retired=())
