"""Whole lives of a plan: the file changes, people work in their apps, runs fail at any request, and nothing is lost.

A `Life` knows what a person may rely on, and looks after every step whether it still holds. It is a state machine for
hypothesis, which shrinks a life that went wrong to its few decisive steps.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.errors import RefusedError
from connectors.base import Action
from connectors.marker import read_marker, read_memory
from sync import reading, reconciler
from tests.connectors.contract import NAMESPACE, Run, a_goal, load, run
from tests.sync.memory_service import Fault, Held, Killed, MemoryService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.network import Project

TODAY = date(2027, 1, 4)
DEADLINE = date(2027, 9, 30)


class HasName(Protocol):
    """What a failing life can show."""

    @property
    def name(self) -> str: ...


Named = TypeVar("Named", bound=HasName)


@dataclass
class FileStep:
    """A step as the goals file says it."""

    id: str
    title: str
    days: int = 2
    was: str | None = None

    @property
    def name(self) -> str:
        return self.id

    def said(self) -> dict[str, Any]:
        return {"id": self.id, "title": self.title, "takes": f"{self.days} days"} | (
            {"was": self.was} if self.was else {}
        )


@dataclass
class FileGoal:
    """A goal as the goals file says it."""

    id: str
    title: str
    deadline: date = DEADLINE
    steps: list[FileStep] = field(default_factory=list)
    was: str | None = None

    @property
    def name(self) -> str:
        return self.id

    @property
    def keys(self) -> list[str]:
        return [f"{self.id}/{step.id}" for step in self.steps]

    def said(self) -> dict[str, Any]:
        steps = [step.said() for step in self.steps]
        said = {"id": self.id, "title": self.title, "deadline": self.deadline, "steps": steps}
        return said | ({"was": self.was} if self.was else {})


@dataclass
class App:
    """One service, and what its user relies on there. Keys are those that the file has now."""

    name: str
    service: MemoryService
    foreign: dict[str, Held] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)  # native id -> the title that a person gave the task last
    copies: set[str] = field(default_factory=set)  # native ids

    def ours(self) -> dict[str, tuple[str, Held]]:
        """Return native id -> key and task of every task with a marker, copies too."""
        found = {}
        for native_id, held in self.service.tasks.items():
            marker = read_marker(held.marker) if held.marker else None
            if marker:
                found[native_id] = (marker.key, held)
        return found

    def open_ids(self, key: str) -> list[str]:
        return [native_id for native_id, (k, held) in self.ours().items() if k == key and not held.done]

    def native_ids(self, key: str) -> list[str]:
        return [native_id for native_id, (k, _) in self.ours().items() if k == key]

    def state(self, key: str) -> str | None:
        """Return what the memory says of a key."""
        memory = read_memory(self.service.memory.get(NAMESPACE, []))
        goal = memory.get(key.partition("/")[0])
        entry = goal.keys.get(key) if goal else None
        return entry.state if entry else None


def pick(data: st.DataObject, things: Sequence[Named]) -> Named:
    """Draw one of them, so that a failing life shows its name."""
    names = [thing.name for thing in things]
    return things[names.index(data.draw(st.sampled_from(names)))]


class Life(RuleBasedStateMachine):
    """One plan in one service; `APPS` = 2 has the same plan in two."""

    APPS: ClassVar[int] = 1

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="backplan-life-"))
        self.today = TODAY
        self.apps = [App(f"app {n}", MemoryService(tells_days=n == 0)) for n in range(self.APPS)]
        self.goals: list[FileGoal] = []
        self.done: set[str] = set()  # ticked by a person
        self.pins: dict[str, date] = {}  # moved by a person, and not released since
        self.settled = False  # nothing happened since the last clean run
        self.moved: set[str] = set()  # dates, since the last clean run
        self.cleared: set[str] = set()  # dates, since the last clean run
        self.renamed: set[str] = set()  # ids, since the last clean run
        self.rewritten = True  # the file, since the last clean run
        self.number = 0
        self.loaded: tuple[list[dict[str, Any]], Project | None] = ([], None)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def new_name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    @property
    def project(self) -> Project:
        said = [goal.said() for goal in self.goals]
        if said != self.loaded[0]:
            self.loaded = said, load(self.folder, *said)
        assert self.loaded[1] is not None
        return self.loaded[1]

    @property
    def keys(self) -> list[str]:
        return [key for goal in self.goals for key in (goal.id, *goal.keys)]

    # The file

    @initialize(steps=st.integers(0, 4), synced=st.booleans())
    def begin(self, steps: int, synced: bool) -> None:
        self.goals = [FileGoal("g", "Reach it", steps=[FileStep(f"s{n}", f"Step {n}") for n in range(steps)])]
        if synced:
            self.sync()

    def file_changed(self) -> None:
        self.settled, self.rewritten = False, True

    @rule(data=st.data())
    def add_goal(self, data: st.DataObject) -> None:
        if len(self.goals) == 3:
            return
        name = self.new_name("goal")
        self.goals.insert(data.draw(st.integers(0, len(self.goals))), FileGoal(name, f"Goal {name}"))
        self.file_changed()

    @rule(data=st.data())
    def remove_goal(self, data: st.DataObject) -> None:
        if len(self.goals) < 2:
            return
        goal = pick(data, self.goals)
        self.goals.remove(goal)
        self.forget(goal.id, *goal.keys)
        self.file_changed()

    @rule(data=st.data())
    def add_step(self, data: st.DataObject) -> None:
        goal = pick(data, self.goals)
        if len(goal.steps) == 6:
            return
        name = self.new_name("step")
        goal.steps.insert(data.draw(st.integers(0, len(goal.steps))), FileStep(name, f"Do {name}"))
        self.done.discard(goal.id)  # a new step under a goal that is done: the goal is reopened
        self.file_changed()

    @rule(data=st.data())
    def remove_step(self, data: st.DataObject) -> None:
        goal, step = self.a_step(data)
        if step is None:
            return
        goal.steps.remove(step)
        self.forget(f"{goal.id}/{step.id}")
        self.file_changed()

    @rule(data=st.data())
    def rename_step(self, data: st.DataObject) -> None:
        goal, step = self.a_step(data)
        if step is None or f"{goal.id}/{step.id}" in self.renamed:
            return
        old = f"{goal.id}/{step.id}"
        step.was, step.id = step.id, self.new_name("step")
        self.moved_key(old, f"{goal.id}/{step.id}")
        self.file_changed()

    @rule(data=st.data())
    def rename_goal(self, data: st.DataObject) -> None:
        goal = pick(data, self.goals)
        if goal.id in self.renamed:
            return
        old, steps = goal.id, goal.keys
        goal.was, goal.id = goal.id, self.new_name("goal")
        for before, after in zip((old, *steps), (goal.id, *goal.keys), strict=True):
            self.moved_key(before, after)
        self.file_changed()

    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        goal = pick(data, self.goals)
        goal.steps = [goal.steps[n] for n in data.draw(st.permutations(range(len(goal.steps))))]
        self.file_changed()

    @rule(data=st.data(), days=st.integers(-20, 20))
    def move_deadline(self, data: st.DataObject, days: int) -> None:
        goal = pick(data, self.goals)
        if days:
            goal.deadline += timedelta(days)
            for key in goal.keys:
                self.pins.pop(key, None)
            self.file_changed()

    @rule(data=st.data())
    def change_title(self, data: st.DataObject) -> None:
        goal = pick(data, self.goals)
        parts: list[FileGoal | FileStep] = [goal, *goal.steps]
        part = pick(data, parts)
        part.title = f"Other words {self.new_name('')}"
        if isinstance(part, FileStep):
            self.redefined(goal, part)
        self.file_changed()

    @rule(data=st.data())
    def change_length(self, data: st.DataObject) -> None:
        goal, step = self.a_step(data)
        if step is not None:
            step.days += 1
            self.pins.pop(f"{goal.id}/{step.id}", None)
            self.redefined(goal, step)
            self.file_changed()

    def a_step(self, data: st.DataObject) -> tuple[FileGoal, FileStep | None]:
        goal = pick(data, self.goals)
        return goal, pick(data, goal.steps) if goal.steps else None

    def redefined(self, goal: FileGoal, step: FileStep) -> None:
        """A step that a person had deleted may come back, and its goal with it."""
        for app in self.apps:
            if f"{goal.id}/{step.id}" in app.deleted:
                app.deleted.discard(f"{goal.id}/{step.id}")
                self.done.discard(goal.id)

    def forget(self, *keys: str) -> None:
        for key in keys:
            self.done.discard(key)
            self.pins.pop(key, None)
            for app in self.apps:
                app.deleted.discard(key)

    def moved_key(self, old: str, new: str) -> None:
        self.renamed.add(new)
        self.done = {new if key == old else key for key in self.done}
        self.moved = {new if key == old else key for key in self.moved}
        self.cleared = {new if key == old else key for key in self.cleared}
        if old in self.pins:
            self.pins[new] = self.pins.pop(old)
        for app in self.apps:
            app.deleted = {new if key == old else key for key in app.deleted}

    # The person

    def a_task(self, data: st.DataObject, *, done: bool = False) -> tuple[App, str, str] | None:
        """Return an app, and the native id and key of a task there that the file has."""
        app = pick(data, self.apps)
        found = [(n, key) for n, (key, held) in app.ours().items() if held.done is done and key in self.keys]
        if not found:
            return None
        native_id, key = data.draw(st.sampled_from(found))
        if len(app.native_ids(key)) > 1:
            return None  # a copy that we have not seen yet: which of the two is ours is ours to say
        return app, native_id, key

    @rule(data=st.data(), ago=st.integers(0, 3))
    def tick(self, data: st.DataObject, ago: int) -> None:
        if found := self.a_task(data):
            app, native_id, key = found
            app.service.tick(native_id, self.today - timedelta(ago))
            if "/" in key or app.state(key) != "done":  # else it was reopened and is ticked again: nothing happened
                self.done.add(key)
            self.settled = False

    @precondition(lambda self: self.settled)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        """Reopen a task whose completion has reached every app."""
        if found := self.a_task(data, done=True):
            app, native_id, key = found
            app.service.reopen(native_id)
            self.done -= {key, key.partition("/")[0]}
            for other in self.apps:  # it is planned again, in every app
                other.deleted.discard(key)
            self.settled = False

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        found = self.a_task(data)
        if not found or len(found[0].ours()) < 3:  # all at once is another matter: that is refused
            return
        app, native_id, key = found
        if app.state(key) == "live" and not self.renamed:
            app.deleted.add(key)
        app.service.delete(native_id)
        app.words.pop(native_id, None)
        self.pins.pop(key, None)
        self.settled = False

    @rule(data=st.data(), days=st.integers(-30, 5))
    def move_date(self, data: st.DataObject, days: int) -> None:
        found = self.a_task(data)
        if not found:
            return
        app, native_id, key = found
        held = app.service.tasks[native_id]
        marker = read_marker(held.marker or "")
        if not days or held.content.due is None or marker is None:
            return
        day = held.content.due + timedelta(days)
        app.service.set_due(native_id, day)
        self.cleared.discard(key)
        self.pins.pop(key, None)
        if "/" in key and key not in self.moved | self.done and not self.rewritten and day != marker.due:
            self.pins[key] = day
        self.moved.add(key)
        self.settled = False

    @rule(data=st.data())
    def clear_date(self, data: st.DataObject) -> None:
        if found := self.a_task(data):
            app, native_id, key = found
            app.service.set_due(native_id, None)
            self.pins.pop(key, None)
            if key not in self.moved | self.done and not self.rewritten:
                self.cleared.add(key)
            self.moved.add(key)
            self.settled = False

    @rule(data=st.data())
    def edit_title(self, data: st.DataObject) -> None:
        if found := self.a_task(data):
            app, native_id, _ = found
            app.words[native_id] = self.new_name("a person's words ")
            app.service.set_title(native_id, app.words[native_id])
            self.settled = False

    @rule(data=st.data())
    def touch(self, data: st.DataObject) -> None:
        if found := self.a_task(data):
            found[0].service.touch(found[1])

    @rule(data=st.data())
    def copy(self, data: st.DataObject) -> None:
        if found := self.a_task(data):
            app, native_id, _ = found
            app.service.copy(native_id)
            app.copies.add(list(app.service.tasks)[-1])
            self.settled = False

    @rule(data=st.data())
    def damage_marker(self, data: st.DataObject) -> None:
        found = self.a_task(data)
        if found and found[0].state(found[2]) == "live" and self.settled:
            found[0].service.damage_marker(found[1])
            self.pins.pop(found[2], None)  # it stood in the marker
            self.settled = False

    @rule(data=st.data())
    def add_foreign_task(self, data: st.DataObject) -> None:
        app = pick(data, self.apps)
        app.service.add_foreign_task(self.new_name("somebody's task "))
        native_id = list(app.service.tasks)[-1]
        app.foreign[native_id] = app.service.tasks[native_id]

    # Runs

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days)

    @rule()
    def plan_only(self) -> None:
        before = [app.service.state() for app in self.apps]
        self.run(write=False)
        assert [app.service.state() for app in self.apps] == before

    @rule(data=st.data(), at=st.integers(0, 12), fault=st.sampled_from(Fault))
    def sync_with_a_fault(self, data: st.DataObject, at: int, fault: Fault) -> None:
        service = pick(data, self.apps).service
        service.fail(at, fault)
        self.settled = False
        with contextlib.suppress(Killed):
            self.run()
        service.heal()

    @rule(data=st.data())
    def sync_with_one_app_unreadable(self, data: st.DataObject) -> None:
        service = pick(data, self.apps).service
        service.unreadable = True
        done = self.run()
        service.heal()
        written = {key for key, action in done.actions.items() if action is not Action.DETACH}
        assert not written & set(self.keys)  # every goal lives in it too; what left the file, and copies, may go

    @rule()
    def sync(self) -> None:
        done = self.run()
        assert done.errors == []
        after = [app.service.state() for app in self.apps]
        writes = [app.service.writes for app in self.apps]
        again = self.run()
        assert again.silent, [change for plan in again.plans for change in plan.writes]
        assert [app.service.state() for app in self.apps] == after
        assert [app.service.writes for app in self.apps] == writes
        self.look_at_the_end(again)
        for app in self.apps:  # done elsewhere: who reopens it there has it planned again in every app
            app.deleted = {key for key in app.deleted if app.state(key) != "done"}
        self.settled, self.rewritten = True, False
        self.moved, self.cleared, self.renamed = set(), set(), set()

    def run(self, *, write: bool = True) -> Run:
        connectors = [app.service.connector(name=app.name) for app in self.apps]
        return run(self.project, connectors, self.today, write=write, allow=True)

    # What must hold

    @invariant()
    def foreign_tasks_are_untouched(self) -> None:
        for app in self.apps:
            assert {native_id: app.service.tasks.get(native_id) for native_id in app.foreign} == app.foreign

    @invariant()
    def no_words_are_lost(self) -> None:
        for app in self.apps:
            shown = "\n".join(f"{held.content.title} {held.comments}" for held in app.service.tasks.values())
            for words in app.words.values():
                assert f"{words}" in shown

    @invariant()
    def no_task_is_made_twice(self) -> None:
        """A person's copies aside; after a clean run these have become theirs."""
        for app in self.apps:
            keys = [key for native_id, (key, _) in app.ours().items() if native_id not in app.copies]
            assert len(keys) == len(set(keys)), keys

    def look_at_the_end(self, last: Run) -> None:
        """After a clean run the apps hold what the schedule says, and what people did stands."""
        scheduled = {step.step.key: step for goal in last.found.schedule.goals for step in goal.steps}
        for app in self.apps:
            ours = app.ours()
            keys = [key for key, _ in ours.values()]
            assert len(keys) == len(set(keys))
            assert set(keys) <= set(self.keys)
            for key in self.keys:
                ids = app.open_ids(key)
                if key in self.done:
                    assert not ids, f"{key} was ticked, and is open in {app.name}"
                elif key in app.deleted:
                    assert not app.native_ids(key), f"{key} was deleted in {app.name}, and is back"
                elif key in scheduled and scheduled[key].open and app.state(key) != "dropped" and ids:
                    assert app.service.tasks[ids[0]].content.due == scheduled[key].due
                    if key in self.cleared:
                        assert not scheduled[key].pinned, f"{key} was let go by a person, and is pinned"
                    if key in self.pins:
                        assert app.service.tasks[ids[0]].content.due == self.pins[key], f"{key} was moved by a person"
                elif key in scheduled and scheduled[key].open and app.state(key) is not None:
                    assert app.state(key) == "dropped", f"{key} is missing in {app.name}"


class LifeInTwoApps(Life):
    """What a person does in one app reaches the other."""

    APPS = 2


# A life that fails is shrunk for minutes: HYPOTHESIS_PROFILE=thorough does it, and tries many more.
THOROUGH = settings.get_current_profile_name() == "thorough"
LIVES = settings(
    max_examples=4000 if THOROUGH else 150,
    stateful_step_count=30,
    phases=list(Phase) if THOROUGH else [Phase.explicit, Phase.reuse, Phase.generate],
)
TestLife = Life.TestCase
TestLife.settings = LIVES
TestLifeInTwoApps = LifeInTwoApps.TestCase
TestLifeInTwoApps.settings = LIVES


# Lives that once went wrong, told in full


@dataclass
class Two:
    """The goal of the contract in two apps."""

    folder: Path
    a: MemoryService = field(default_factory=MemoryService)
    b: MemoryService = field(default_factory=MemoryService)
    goal: dict[str, Any] = field(default_factory=a_goal)

    def sync(self) -> Run:
        connectors = [self.a.connector(name="a"), self.b.connector(name="b")]
        try:
            return run(load(self.folder, self.goal), connectors, TODAY, allow=True)
        finally:
            self.a.heal()
            self.b.heal()

    def step(self, number: int, **changes: Any) -> None:
        self.goal["steps"][number] = {**self.goal["steps"][number], **changes}

    def dues(self, key: str) -> list[date | None]:
        return [service.tasks[native_id(service, key)].content.due for service in (self.a, self.b)]


def native_id(service: MemoryService, key: str) -> str:
    (found,) = (name for name, held in service.tasks.items() if f" {key} " in (held.marker or ""))
    return found


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Both apps in sync."""
    both = Two(tmp_path)
    both.sync()
    return both


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("at", range(6))
def test_a_rename_that_was_cut_short_loses_no_task(two: Two, fault: Fault, at: int) -> None:
    before = list(two.a.tasks)
    two.step(1, id="zwei", was="two")
    two.a.fail(at, fault)
    with contextlib.suppress(Killed):
        two.sync()
    two.sync()
    assert list(two.a.tasks) == list(two.b.tasks) == before
    assert native_id(two.a, "g/zwei") == native_id(two.b, "g/zwei") == before[2]
    assert two.sync().silent


def test_a_renamed_goal_is_remembered_under_its_new_name(two: Two) -> None:
    two.goal["steps"] = []
    two.sync()
    before = dict(two.a.tasks)
    for name, was in (("h", "g"), ("i", "h")):
        two.goal |= {"id": name, "was": was}
        two.sync()
        assert two.sync().silent
    assert list(two.a.tasks) == list(before)


@pytest.mark.parametrize("fault", [Fault.UNSENT, Fault.LOST, Fault.KILLED_BEFORE, Fault.REFUSED])
@pytest.mark.parametrize("at", range(6))
def test_a_date_that_was_moved_again_survives_a_failing_app(two: Two, fault: Fault, at: int) -> None:
    """The pin that stands in the other app is older than the one that a person just gave."""
    two.b.set_due(native_id(two.b, "g/two"), date(2027, 9, 10))
    two.sync()
    two.b.set_due(native_id(two.b, "g/two"), date(2027, 9, 5))
    two.a.fail(at, fault)
    with contextlib.suppress(Killed):
        two.sync()
    two.sync()
    assert two.dues("g/two") == [date(2027, 9, 5)] * 2


@pytest.mark.parametrize("first", [True, False])
def test_a_date_that_was_cleared_in_one_app_is_no_pin_in_any(two: Two, first: bool) -> None:
    planned = two.dues("g/two")
    two.a.set_due(native_id(two.a, "g/two"), date(2027, 9, 10))
    two.sync()
    service = two.a if first else two.b
    service.set_due(native_id(service, "g/two"), None)
    two.sync()
    assert two.dues("g/two") == planned


def test_a_goal_that_is_ticked_while_a_step_is_new_needs_one_run(two: Two) -> None:
    two.a.tick(native_id(two.a, "g"), TODAY)
    two.goal["steps"].append({"id": "new", "title": "New", "takes": "1 day"})
    two.sync()
    assert two.sync().silent


def test_a_goal_that_is_ticked_while_a_date_was_moved_needs_one_run(two: Two) -> None:
    two.a.set_due(native_id(two.a, "g/two"), date(2027, 9, 10))
    two.a.tick(native_id(two.a, "g"), TODAY)
    two.sync()
    assert two.sync().silent


def test_a_memory_that_the_service_refused_is_not_taken_for_written(tmp_path: Path) -> None:
    """Without `pending` in the memory no task may be made."""
    two = Two(tmp_path)
    two.a.fail(0, Fault.REFUSED)
    done = two.sync()
    assert done.errors
    assert not two.a.tasks
    two.sync()
    assert two.sync().silent
    assert len(two.a.tasks) == len(two.b.tasks) == 4


def test_a_done_step_that_left_the_file_and_came_back_is_done(two: Two) -> None:
    two.a.tick(native_id(two.a, "g/two"), TODAY)
    two.sync()
    steps = two.goal["steps"]
    two.goal["steps"] = [steps[0], steps[2]]
    two.sync()
    two.goal["steps"] = steps
    assert Action.CREATE not in two.sync().actions.values()


def test_the_day_of_a_tick_survives_a_crash_between_two_acknowledgements(tmp_path: Path) -> None:
    two = Two(tmp_path, b=MemoryService(tells_days=False))
    two.sync()
    two.a.tick(native_id(two.a, "g/two"), TODAY - timedelta(3))
    two.b.fail(1, Fault.KILLED_BEFORE)  # the task is completed, its memory does not say so yet
    with contextlib.suppress(Killed):
        two.sync()
    last = two.sync()
    assert last.found.schedule.goals[0].steps[1].done == TODAY - timedelta(3)


def test_what_only_one_app_was_told_is_no_news_of_the_past(two: Two) -> None:
    two.a.tick(native_id(two.a, "g/two"))
    two.sync()
    two.a.reopen(native_id(two.a, "g/two"))
    homes = tuple(
        reading.Home(service.connector(name=name), frozenset({"g"})) for name, service in (("a", two.a), ("b", two.b))
    )
    found = reading.read(load(two.folder, two.goal), homes, TODAY)
    only_a = [plan for plan in reconciler.make_plans(found) if plan.label == "a"]
    reconciler.apply(only_a, homes, lambda _: None, limited=True)
    two.sync()
    assert [service.tasks[native_id(service, "g/two")].done for service in (two.a, two.b)] == [False, False]
    assert not two.sync().actions


def test_emptying_the_plan_is_refused(two: Two) -> None:
    before = two.a.state()
    project = load(two.folder, a_goal(id="other"))
    with pytest.raises(RefusedError, match="--allow-mass-change"):
        run(project, [two.a.connector(name="a")], TODAY)
    assert two.a.state() == before
