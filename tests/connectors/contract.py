"""What every connector must do, whatever it speaks to: one suite, which a new connector joins with one class.

A connector is driven through `read` and `apply` alone, as a run drives it. The person who uses the same service is a
`Service`: the few things that somebody does in an app, by hand.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest
import yaml

from config import loader
from connectors.base import Action, StoreWrite, Write
from connectors.model import Content, Marker, Snapshot, StoredGoal, StoredKey, Task
from sync.reports import as_json
from sync.run import journal, pipeline, reading
from sync.run.homes import Binding
from tests.connectors.doubts import Doubts
from tests.histories.process import Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.project import Project
    from connectors.base import Connector
    from sync.reconcile.change import ConnectorPlan

TODAY = date(2027, 7, 20)
NAMESPACE = "me/goals"
HOSTILE_TITLES = (
    "<!-- bp1 aaaaaaaaaa me/goals g/one 1 - - .... -->",
    "--> out of it",
    "<!--> and --!> and <!-- again",
    "Pay 📅 2027-01-01",
    "Paid ✅ 2027-01-01 🔺 ⏫ 🔼",
    "[ ] a box, and ] a bracket [",
    "] [x] - [ ] ]",
    "`one` ``two`` ```three``` ~~~",
    "x" * 500,
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇪🇺 1️⃣",
    "שלום \u200f\u202eabc\u202c",
    "\\<!-- \\--> \\[",
    "bp1 aaaaaaaaaa me/goals g/one 1 - - ....",
    "# heading | table > quote",
    "&lt;!-- &amp; <b>bold</b>",
    "a\u2028b\u2029c\u00a0d\u200be\ufefff",
    '{"goal":"g"}',
)


class Service(Protocol):
    """A service under test, with the hands of a person who uses it. Tasks are named by their native ids.

    clock: by how many days the service's clock is ahead of that of the run. garbles: what a person can write there
    so that nobody can read it, of `date` and `state`. cancels: a task can be closed as not planned.

    Some have more: `move_away` takes a task to another place, `close_by_robot` closes it as not planned and returns the
    robot's name, and `misshape` bends the answer to the next read for a while, and gives the words on what it lacks.
    """

    clock: int

    @property
    def garbles(self) -> frozenset[str]: ...
    @property
    def cancels(self) -> bool: ...
    def connector(self, namespace: str = NAMESPACE) -> Connector:
        """Return a new connector, as every process has one."""

    def tick(self, native_id: str) -> None: ...
    def reopen(self, native_id: str) -> None: ...
    def delete(self, native_id: str) -> None: ...
    def cancel(self, native_id: str) -> None: ...
    def garble(self, native_id: str, what: str) -> None:
        """Write what cannot be read for a date or state. Who sets the date, ticks, reopens or cancels puts it right."""

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        """Return what a report has to say of that: where it is, what stands there, and how to mend it."""

    def set_due(self, native_id: str, day: date | None) -> None: ...
    def set_title(self, native_id: str, title: str) -> None: ...
    def touch(self, native_id: str) -> None:
        """Add something to a task that is in none of its fields: a comment, a task below it."""

    def copy(self, native_id: str) -> object:
        """Duplicate a task as the app does it, marker and all; the copy is the younger (lower) one."""

    def damage_marker(self, native_id: str) -> None: ...
    def add_foreign_task(self, title: str) -> object: ...
    def foreign_tasks(self) -> object:
        """Return the tasks that a person added, as they are now, for comparing."""

    def text(self) -> str:
        """Return everything that a person can read in the service."""


def a_goal(**changes: Any) -> dict[str, Any]:
    """Return a goal of three steps as the goals file says it."""
    return {
        "id": "g",
        "title": "Reach it",
        "deadline": "2027-09-30",
        "steps": [
            {"id": "one", "title": "Begin", "takes": "3 days"},
            {"id": "two", "title": "Go on", "takes": "1 week"},
            {"id": "three", "title": "Finish", "takes": "2 days"},
        ],
        **changes,
    }


def goal_and_step(name: str, title: str) -> dict[str, Any]:
    """Return a goal whose first step has the same title."""
    return a_goal(id=name, title=title, steps=[{"id": "s", "title": title}, {"id": "t", "title": "Then"}])


def load(folder: Path, *goals: dict[str, Any], namespace: str = NAMESPACE, **settings: Any) -> Project:
    """Return the project that a goals file with these goals is."""
    path = folder / "goals-of-the-test.yaml"
    said = {"namespace": namespace, **settings, "goals": list(goals)}
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return loader.load(path)


def run(
    project: Project, connectors: Sequence[Connector], today: date, *, write: bool = True, allow: bool = False
) -> Run:
    """Do one run over all connectors, each of which holds every goal."""
    goals = frozenset(goal.id for goal in project.goals)
    homes = tuple(Binding(connector, goals) for connector in connectors)
    found = reading.read(project, homes, today, allow_mass_change=allow)
    plans = pipeline.make_plans(found, allow_mass_change=allow)
    return Run(found, pipeline.apply(plans, found.homes, lambda _: None) if write else plans)


def undo(project: Project, connector: Connector, done: Run, today: date) -> list[ConnectorPlan]:
    """Undo a run, from its journal as it is printed; return the plan with what became of it."""
    connectors = {home.label: home.connector for home in done.found.homes}
    printed = as_json.text(as_json.plans(done.plans, connectors, project.namespace))
    record = journal.read(json.loads(printed), "the journal")
    homes = pipeline.changed_homes(record, project, [Binding(connector, frozenset())])
    found = reading.take_snapshots(project, homes, today, allow_mass_change=True)
    plans = pipeline.make_plans_back(record, homes, found, allow_mass_change=True)
    return pipeline.apply(plans, homes, lambda _: None)


@dataclass
class World:
    """A service and a goals file."""

    service: Service
    folder: Path
    goal: dict[str, Any] = field(default_factory=a_goal)
    settings: dict[str, Any] = field(default_factory=dict)
    today: date = TODAY
    others: list[dict[str, Any]] = field(default_factory=list)  # goals beside the first one

    def step(self, name: str, **changes: Any) -> None:
        """Change a step in the file."""
        self.goal["steps"] = [{**s, **changes} if s["id"] == name else s for s in self.goal["steps"]]

    def group(self, name: str, *members: str) -> None:
        """Put steps or groups, which stand together, into a new group."""
        own = [step for step in self.goal["steps"] if step["id"] in members]
        at = self.goal["steps"].index(own[0])
        steps = [step for step in self.goal["steps"] if step not in own]
        steps.insert(at, {"id": name, "title": f"The {name} of it", "steps": [dict(step) for step in own]})
        self.goal = {**self.goal, "steps": steps}

    def remove_step(self, name: str) -> None:
        self.goal["steps"] = [step for step in self.goal["steps"] if step["id"] != name]

    @property
    def project(self) -> Project:
        return load(self.folder, self.goal, *self.others, **self.settings)

    @property
    def holds_links(self) -> bool:
        """Whether the service holds what comes before a task, as it is set."""
        connector = self.service.connector()
        return bool("after" in connector.capabilities.fields and connector.canonical(Content("", after=("g",))).after)

    def skip(self, lacking: str) -> NoReturn:
        """Skip the rest of a case that does not apply to this service; the summary names both."""
        service = type(self.service).__name__.removesuffix("File").removesuffix("Account")
        pytest.skip(f"{service}: no {lacking}")

    def begin(self) -> Run:
        """Run once, without an error."""
        done = run(self.project, [self.service.connector()], self.today)
        assert done.errors == []
        return done

    def sync(self) -> Run:
        """Run once; then a new process must find nothing left to do, and `plan` must not have written anything."""
        done = self.begin()
        again = self.service.connector()
        assert run(self.project, [again], self.today).silent
        assert again.requests.write == 0
        return done

    def run(self, *connectors: Connector, allow: bool = False) -> Run:
        """Run once over these, whatever comes of it."""
        return run(self.project, connectors, self.today, allow=allow)

    def undo(self, done: Run) -> dict[str, Action]:
        """Undo a run, and again: then nothing may be left to do. Return what the first one wrote for each key."""
        undone = undo(self.project, self.service.connector(), done, self.today)
        assert [change.error for plan in undone for change in plan.changes if change.error] == []
        again = self.service.connector()
        assert not any(plan.pending for plan in undo(self.project, again, done, self.today))
        assert again.requests.write == 0
        return {change.key: change.action for plan in undone for change in plan.writes}

    def read(self) -> Snapshot:
        return self.service.connector().read()

    def tasks(self) -> dict[str, Task]:
        """Return our tasks by key, of which there may be one each."""
        snapshot = self.read()
        keys = [task.marker.key for task in snapshot.tasks]
        assert len(keys) == len(set(keys))
        assert snapshot.copies == ()
        return {task.marker.key: task for task in snapshot.tasks}

    def native_id(self, key: str) -> str:
        return self.tasks()[key].native_id

    def states(self) -> dict[str, str]:
        """Return what is remembered of each key."""
        return {key: entry.state for goal in self.read().memory.values() for key, entry in goal.keys.items()}


class Contract(Doubts):
    """The suite, with what `tests.connectors.doubts` adds. A subclass gives the fixture `service`."""

    @pytest.fixture
    def world(self, service: Service, tmp_path: Path) -> World:
        """A service in use: our four tasks beside two of a person, which no case may change."""
        service.add_foreign_task("Buy milk")
        world = World(service, tmp_path)
        world.begin()
        service.add_foreign_task("Call mum 📞 <!-- later -->")
        return world

    @pytest.fixture(autouse=True)
    def foreign_tasks_stay(self, world: World) -> Any:
        """After every case the person's own tasks are what they were, and one more run writes nothing."""
        before = world.service.foreign_tasks()
        yield
        after = world.service.foreign_tasks()
        if isinstance(before, dict) and isinstance(after, dict):  # what was let go has come to them
            after = {name: after.get(name) for name in before}
        assert after == before
        connector = world.service.connector()
        assert run(world.project, [connector], world.today).silent
        assert connector.requests.write == 0

    # What we write is what is read

    def test_created_tasks_hold_what_the_file_says(self, world: World) -> None:
        connector = world.service.connector()
        (goal,) = world.project.goals
        tasks = world.tasks()
        assert list(tasks) == ["g", "g/one", "g/two", "g/three"]
        assert [tasks[step.key].content.title for step in goal.steps] == ["Begin", "Go on", "Finish"]
        assert tasks["g"].content.due == goal.deadline
        assert all(
            not task.done and not task.touched and task.marker.due == task.content.due for task in tasks.values()
        )
        assert all(connector.canonical(task.content) == task.content for task in tasks.values())
        assert set(world.states().values()) == {"live"}
        assert {e.native_id for e in connector.read().memory["g"].keys.values()} == {
            t.native_id for t in tasks.values()
        }

    def test_any_title_is_text(self, world: World) -> None:
        """A title that a task is created with, one that an open task gets, and one that a done task had."""
        names = [f"h{n}" for n in range(len(HOSTILE_TITLES))]
        for titles in (HOSTILE_TITLES, [*HOSTILE_TITLES[1:], HOSTILE_TITLES[0]]):
            world.others = [goal_and_step(name, title) for name, title in zip(names, titles, strict=True)]
            world.sync()
            tasks, connector = world.tasks(), world.service.connector()
            for name, title in zip(names, titles, strict=True):
                wanted = connector.canonical(replace(tasks[name].content, title=" ".join(title.split()))).title
                assert tasks[name].content.title == tasks[f"{name}/s"].content.title == wanted
        for name in names:
            world.service.tick(tasks[f"{name}/s"].native_id)
        world.sync()
        world.others = [goal_and_step(name, f"Plain {name}") for name in names]
        world.sync()
        states, tasks = world.states(), world.tasks()
        assert {states[f"{name}/s"] for name in names} == {"done"}
        assert [tasks[name].content.title for name in names] == [f"Plain {name}" for name in names]

    @pytest.mark.parametrize(
        ("name", "key", "value", "read"),
        [
            ("title", "title", "Go on, at last", "Go on, at last"),
            ("due", "takes", "9 days", None),
            ("notes", "notes", "Two lines\n\nand *signs* <!-- -->", "Two lines\n\nand *signs* <!-- -->"),
            ("labels", "labels", ["work", "big one"], ("work", "big one")),
            ("priority", "priority", "urgent", "urgent"),
            ("who", "who", "jasmine", "jasmine"),
            ("checklist", "checklist", ["Bring the form", "Bring a pen"], ("Bring the form", "Bring a pen")),
        ],
    )
    def test_a_change_in_the_file_reaches_its_field_and_no_other(
        self, world: World, name: str, key: str, value: object, read: object
    ) -> None:
        before = world.tasks()
        world.step("two", **{key: value})
        planned = world.sync()
        after = world.tasks()
        assert [after[k].native_id for k in before] == [before[k].native_id for k in before]
        if name == "due":  # a longer step moves what is before it, not itself
            assert planned.actions["g/one"] is Action.UPDATE
            assert after["g/one"].content.due == before["g/one"].content.due - timedelta(days=2)  # type: ignore[operator]
        else:  # what a service has no field for may stand in another one
            old = before["g/two"].content
            changed: dict[str, Any] = {name: read}
            assert after["g/two"].content == (new := world.service.connector().canonical(replace(old, **changed)))
            assert planned.actions == ({"g/two": Action.UPDATE} if new != old else {})
            assert new != old or name not in world.service.connector().capabilities.fields

    def test_what_another_run_has_removed_is_removed(self, world: World) -> None:
        world.remove_step("two")
        racers = []
        for _ in range(2):
            homes = [Binding(world.service.connector(), frozenset({"g"}))]
            racers.append((pipeline.make_plans(reading.read(world.project, homes, world.today)), homes))
        done = [plan for plans, homes in racers for plan in pipeline.apply(plans, homes, lambda _: None)]
        errors = [change.error for plan in done for change in plan.changes if change.error]
        assert not errors or world.service.connector().capabilities.atomic  # which writes only into what it has read
        assert world.states()["g/two"] == "removed"
        world.sync()

    def test_the_first_day_is_what_the_plan_says(self, world: World) -> None:
        if "start" not in world.service.connector().capabilities.fields:
            world.skip("field for the first day (start)")
        before = world.tasks()
        assert before["g"].content.start is None
        assert before["g/two"].content.start == before["g/one"].content.due + timedelta(days=1)  # type: ignore[operator]
        world.step("two", takes="9 days")
        assert world.sync().actions == {"g/one": Action.UPDATE, "g/two": Action.UPDATE}
        after = world.tasks()["g/two"].content
        assert after.start == before["g/two"].content.start - timedelta(days=2)
        assert after.due == before["g/two"].content.due

    def test_what_comes_before_a_task_is_linked_to_it(self, world: World) -> None:
        if not world.holds_links:
            world.skip("field for what comes before a task (after)")
        after = {key: task.content.after for key, task in world.tasks().items()}
        assert after == {"g": (), "g/one": (), "g/two": ("g/one",), "g/three": ("g/two",)}
        world.step("one", after=["three"])  # which is made before it, and is listed after it
        world.step("two", after=[])
        world.sync()
        after = {key: task.content.after for key, task in world.tasks().items()}
        assert after == {"g": (), "g/one": ("g/three",), "g/two": (), "g/three": ("g/two",)}
        world.service.delete(world.native_id("g/three"))
        world.sync()
        assert world.tasks()["g/one"].content.after == ()
        world.step("three", title="Finish after all")
        world.sync()
        assert world.tasks()["g/one"].content.after == ("g/three",)

    def test_fields_are_cleared_again(self, world: World) -> None:
        before = world.tasks()["g/two"].content
        world.step("two", notes="Some words", labels=["work"], priority="high")
        world.sync()
        world.step("two", notes="", labels=[], priority="none")
        world.sync()
        after = world.tasks()["g/two"].content
        assert (after.notes, after.priority, after.title, after.due) == ("", "none", before.title, before.due)

    def test_the_memory_comes_back_as_it_was_written(self, world: World) -> None:
        connector = world.service.connector()
        before = connector.read().memory
        day = date(2027, 8, 1)
        keys = {f"big/s{n}": StoredKey("live", f"n{n}", 1 + n % 3) for n in range(300)}
        keys |= {
            "big/done": StoredKey("done", "x1", done_on=day),
            "big/gone": StoredKey("dropped", "x2", 2, definition="abcdef"),
            "big/left": StoredKey("removed", "x3"),
            "big/new": StoredKey("pending", "x4"),
        }
        dates = {f"big/s{n}": (day, day + timedelta(days=n)) for n in range(300)}
        began = {"big/s0": TODAY, "big/s7": day + timedelta(days=3), "big/s9": TODAY - timedelta(days=40)}
        big = StoredGoal(TODAY, keys, day, "digest", dates, began)
        memory = {**before, "big": big, "bare": StoredGoal(TODAY, {"bare": StoredKey("live", "x5")})}
        (answer,) = connector.apply([StoreWrite(memory)])
        assert answer.error is None
        assert world.read().memory == memory
        connector = world.service.connector()
        connector.read()
        connector.apply([StoreWrite(before)])
        assert world.read().memory == before

    def test_every_write_of_a_batch_is_answered_in_order_and_one_bad_one_harms_no_other(self, world: World) -> None:
        connector = world.service.connector()
        snapshot = connector.read()
        one, two = (task for task in snapshot.tasks if task.marker.key in ("g/one", "g/two"))
        title = frozenset({"title"})
        answers = connector.apply(
            [
                Write(Action.UPDATE, one.marker.key, one.native_id, replace(one.content, title="1"), one.marker, title),
                Write(Action.UPDATE, "g/none", "no-such-id", one.content, Marker(NAMESPACE, "g/none", "no"), title),
                Write(Action.UPDATE, two.marker.key, two.native_id, replace(two.content, title="2"), two.marker, title),
                StoreWrite(snapshot.memory),
            ]
        )
        assert [answer.error is None for answer in answers] == [True, False, True, True]
        assert answers[0].native_id == one.native_id
        tasks = world.tasks()
        assert (tasks["g/one"].content.title, tasks["g/two"].content.title) == ("1", "2")
        assert "g/none" not in tasks

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])
    def test_no_time_zone_moves_a_date(self, world: World, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
        before = {key: task.content.due for key, task in world.tasks().items()}
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        try:
            assert world.sync().actions == {}
            assert {key: task.content.due for key, task in world.tasks().items()} == before
        finally:
            monkeypatch.undo()
            time.tzset()

    # What a person does is seen, and stays

    def test_a_ticked_task_is_done_and_stays_done(self, world: World) -> None:
        world.service.tick(world.native_id("g/one"))
        assert world.sync().found.schedule.goals[0].steps[0].done is not None
        assert world.states()["g/one"] == "done"
        assert world.tasks()["g/one"].done
        world.today += timedelta(days=3)
        assert world.sync().actions == {}

    def test_a_reopened_task_is_open_again(self, world: World) -> None:
        world.service.tick(world.native_id("g/one"))
        world.sync()
        world.service.reopen(world.native_id("g/one"))
        world.sync()
        assert not world.tasks()["g/one"].done
        assert world.states()["g/one"] == "live"

    def test_the_last_tick_completes_the_goal_and_a_reopened_step_reopens_it(self, world: World) -> None:
        for key in ("g/one", "g/two", "g/three"):
            world.service.tick(world.native_id(key))
        assert world.sync().actions == {"g": Action.COMPLETE}
        assert world.tasks()["g"].done
        world.service.reopen(world.native_id("g/three"))
        reopened_with_it = world.service.connector().capabilities.families
        assert world.sync().actions.get("g") is (None if reopened_with_it else Action.REOPEN)
        assert not world.tasks()["g"].done
        assert world.tasks()["g/one"].done

    def test_a_ticked_goal_completes_its_steps(self, world: World) -> None:
        world.service.tick(world.native_id("g"))
        world.sync()
        assert all(task.done for task in world.tasks().values())

    def test_done_in_the_file_is_done_in_the_app(self, world: World) -> None:
        world.step("one", done=TODAY)
        assert world.sync().actions == {"g/one": Action.COMPLETE}
        assert world.tasks()["g/one"].done

    def test_a_moved_date_is_a_pin_until_the_deadline_changes(self, world: World) -> None:
        day = date(2027, 9, 10)
        world.service.set_due(world.native_id("g/two"), day)
        world.sync()
        assert world.tasks()["g/two"].content.due == day
        assert world.tasks()["g/two"].marker.pinned
        assert world.tasks()["g/one"].content.due == day - timedelta(days=7)
        world.goal["deadline"] = "2027-10-07"
        world.sync()
        assert world.tasks()["g/two"].content.due == date(2027, 10, 5)
        assert not world.tasks()["g/two"].marker.pinned

    def test_a_date_that_the_plan_gives_anyway_is_no_pin(self, world: World) -> None:
        world.goal["steps"][2]["takes"] = "2 weeks"
        schedule = run(world.project, [world.service.connector()], world.today, write=False).found.schedule
        (planned,) = (step.due for step in schedule.goals[0].steps if step.step.key == "g/two")
        assert planned not in (None, world.tasks()["g/two"].content.due)
        world.service.set_due(world.native_id("g/two"), planned)
        world.sync()
        task = world.tasks()["g/two"]
        assert (task.content.due, task.marker.due, task.marker.pinned) == (planned, planned, False)
        assert world.sync().silent

    def test_a_cleared_date_is_put_back_and_releases_a_pin(self, world: World) -> None:
        before = world.tasks()["g/two"].content.due
        for _ in range(2):
            world.service.set_due(world.native_id("g/two"), None)
            world.sync()
            assert world.tasks()["g/two"].content.due == before
            assert not world.tasks()["g/two"].marker.pinned
            world.service.set_due(world.native_id("g/two"), date(2027, 9, 10))
            world.sync()
        assert world.tasks()["g/two"].marker.pinned

    def test_a_goal_that_was_moved_goes_back(self, world: World) -> None:
        world.service.set_due(world.native_id("g"), date(2027, 12, 24))
        world.sync()
        assert world.tasks()["g"].content.due == date(2027, 9, 30)

    def test_a_goal_that_was_moved_moves_its_deadline_where_the_file_lets_it(self, world: World) -> None:
        day, pinned = date(2027, 10, 20), date(2027, 9, 10)
        world.settings["deadlines"] = "app"
        world.service.set_due(world.native_id("g"), day)
        world.service.set_due(world.native_id("g/two"), pinned)
        done = world.begin()
        assert done.found.deadlines["g"].after == day
        world.goal["deadline"] = day.isoformat()
        assert world.sync().actions == {}
        tasks = world.tasks()
        assert [tasks[key].content.due for key in ("g", "g/two", "g/three")] == [day, pinned, day]
        assert tasks["g/two"].marker.pinned

    def test_a_title_that_a_person_changed_stays(self, world: World) -> None:
        world.service.set_title(world.native_id("g/two"), "My own words")
        assert world.sync().actions == {}
        world.step("two", takes="8 days")
        world.sync()
        assert world.tasks()["g/two"].content.title == "My own words"

    @pytest.mark.parametrize("key", ["g", "g/two"])
    def test_where_both_changed_a_title_the_file_wins_and_the_other_is_kept(self, world: World, key: str) -> None:
        world.service.set_title(world.native_id(key), "My own words")
        world.sync()
        if key == "g":
            world.goal["title"] = "The file's words"
        else:
            world.step("two", title="The file's words")
        world.sync()
        assert world.tasks()[key].content.title == "The file's words"
        assert "My own words" in world.service.text()

    def test_a_deleted_task_stays_deleted_until_its_step_changes(self, world: World) -> None:
        world.service.delete(world.native_id("g/two"))
        world.sync()
        assert world.states()["g/two"] == "dropped"
        world.goal["deadline"] = "2027-10-07"
        world.sync()
        assert "g/two" not in world.tasks()
        world.step("two", title="Go on after all")
        assert world.sync().actions["g/two"] is Action.CREATE
        assert world.tasks()["g/two"].marker.generation == 2

    def test_a_deleted_task_comes_back_where_the_file_wants_that(self, world: World) -> None:
        world.settings["on_delete"] = "recreate"
        world.service.delete(world.native_id("g/two"))
        world.sync()
        assert not world.tasks()["g/two"].done

    def test_a_copy_belongs_to_the_person(self, world: World) -> None:
        before = world.tasks()
        world.service.copy(before["g/two"].native_id)
        world.service.copy(before["g/two"].native_id)
        world.sync()
        after = world.tasks()
        assert {key: task.native_id for key, task in after.items()} == {k: task.native_id for k, task in before.items()}
        assert after["g/two"] == before["g/two"]
        assert world.service.text().count("Go on") == 3

    def test_a_damaged_marker_is_repaired(self, world: World) -> None:
        before = world.tasks()["g/two"]
        world.service.damage_marker(before.native_id)
        assert world.sync().actions == {"g/two": Action.REPAIR}
        after = world.tasks()["g/two"]
        assert (after.native_id, after.content) == (before.native_id, before.content)
        assert world.sync().actions == {}

    # What the file no longer has

    def test_an_untouched_step_that_left_the_file_is_removed(self, world: World) -> None:
        world.remove_step("two")
        assert world.sync().actions["g/two"] is Action.REMOVE
        assert "Go on" not in world.service.text()

    @pytest.mark.parametrize("how", ["title", "due", "tick", "touch"])
    def test_a_step_that_a_person_worked_on_is_let_go_and_stays(self, world: World, how: str) -> None:
        native_id = world.native_id("g/two")
        if how == "title":
            world.service.set_title(native_id, "Go on, by all means")
        elif how == "due":
            world.service.set_due(native_id, date(2027, 9, 1))
        elif how == "tick":
            world.service.tick(native_id)
        else:
            world.service.touch(native_id)
        world.remove_step("two")
        assert world.sync().actions["g/two"] is Action.DETACH
        assert "g/two" not in world.tasks()
        assert "Go on" in world.service.text()

    def test_a_renamed_step_keeps_its_task(self, world: World) -> None:
        world.service.tick(world.native_id("g/one"))
        world.service.set_due(world.native_id("g/two"), date(2027, 9, 10))
        world.sync()
        before = world.tasks()
        world.step("one", id="first", was="one")
        world.step("two", id="second", was="two")
        world.sync()
        after = world.tasks()
        assert after["g/first"].native_id == before["g/one"].native_id
        assert after["g/first"].done
        assert after["g/second"].native_id == before["g/two"].native_id
        followed = ("g/first",) if world.holds_links else ()
        assert after["g/second"].content == replace(before["g/two"].content, after=followed)
        assert after["g/second"].marker.pinned

    # Groups

    def test_a_group_has_a_task_with_its_steps_below(self, world: World) -> None:
        """Those that are there move below it, and back when it goes: no task is made anew."""
        before, steps = world.tasks(), world.goal["steps"]
        world.group("middle", "one", "two")
        actions = world.sync().actions
        if not world.service.connector().capabilities.nested:
            assert actions == {}
            world.skip("tasks for groups (nested)")
        after = world.tasks()
        update = Action.UPDATE
        assert actions == {"g/middle/": Action.CREATE, "g/one": update, "g/two": update}
        assert {key: after[key].native_id for key in before} == {key: task.native_id for key, task in before.items()}
        group = after["g/middle/"]
        assert group.content.due == after["g/two"].content.due
        assert [after[key].parent for key in ("g/one", "g/two")] == [group.native_id] * 2
        assert group.parent == after["g/three"].parent == after["g"].native_id
        world.goal["steps"] = steps
        assert world.sync().actions == {"g/middle/": Action.REMOVE, "g/one": update, "g/two": update}
        assert world.tasks() == before

    def test_groups_stand_in_groups_as_far_as_the_service_allows(self, world: World) -> None:
        most = world.service.connector().capabilities.nested
        for depth in range(5):
            world.group(f"level-{depth}", *([f"level-{depth - 1}"] if depth else ["one"]))
        world.sync()
        tasks = world.tasks()
        ids = {task.native_id: key for key, task in tasks.items()}
        chain = [key := "g/one"]
        while key := ids.get(tasks[key].parent, ""):
            chain.append(key)
        if not most:
            world.skip("tasks for groups (nested)")
        assert chain == ["g/one", *(f"g/level-{4 - n}/" for n in reversed(range(most))), "g"]

    def test_a_ticked_group_completes_its_steps_and_all_its_steps_complete_it(self, world: World) -> None:
        world.group("middle", "one", "two")
        world.sync()
        if "g/middle/" not in world.tasks():
            world.skip("tasks for groups (nested)")
        world.service.tick(world.native_id("g/middle/"))
        world.sync()
        assert [key for key, state in world.states().items() if state == "done"] == ["g/middle/", "g/one", "g/two"]
        world.service.reopen(world.native_id("g/two"))
        world.sync()
        assert not world.tasks()["g/middle/"].done
        world.service.tick(world.native_id("g/two"))
        assert world.sync().actions == {"g/middle/": Action.COMPLETE}
        assert not world.tasks()["g"].done
        world.goal["steps"][0]["steps"].append({"id": "new", "title": "Think", "takes": "1 day"})
        world.sync()
        assert not world.tasks()["g/middle/"].done
        assert world.tasks()["g/new"].parent == world.native_id("g/middle/")

    @pytest.mark.parametrize("heard", [False, True], ids=["not read yet", "read"])
    def test_what_is_new_in_a_goal_that_was_ticked_stands_below_it(self, world: World, heard: bool) -> None:
        """What is done takes nothing below it in some services, so it is reopened first."""
        if world.service.connector().capabilities.nested < 2:
            world.skip("tasks for groups in groups (nested)")
        world.service.tick(world.native_id("g"))
        if heard:
            world.sync()
        new = {"id": "new", "title": "Think", "takes": "1 day"}
        last = {"id": "last", "title": "Look back", "takes": "1 day"}
        world.goal["steps"] += [{"id": "late", "title": "Afterwards", "steps": [new]}, last]
        world.sync()
        tasks = world.tasks()
        assert [key for key, task in tasks.items() if not task.done] == ["g", "g/late/", "g/new", "g/last"]
        assert [tasks[key].parent for key in ("g/late/", "g/last")] == [tasks["g"].native_id] * 2
        assert tasks["g/new"].parent == tasks["g/late/"].native_id
        assert world.sync().actions == {}

    def test_a_group_that_was_dragged_goes_back_and_one_that_was_deleted_takes_its_steps_along(
        self, world: World
    ) -> None:
        world.group("middle", "one", "two")
        world.sync()
        if "g/middle/" not in world.tasks():
            world.skip("tasks for groups (nested)")
        due = world.tasks()["g/middle/"].content.due
        world.service.set_due(world.native_id("g/middle/"), date(2027, 9, 1))
        (change,) = world.sync().plans[0].writes
        assert (change.key, change.reason) == ("g/middle/", "a group ends with its last step: move that one")
        assert world.tasks()["g/middle/"].content.due == due
        world.service.delete(world.native_id("g/middle/"))
        world.sync()
        assert [key for key, state in world.states().items() if state == "dropped"] == ["g/one", "g/two"]
        assert world.tasks().keys() == {"g", "g/three"}
        world.goal["steps"][0]["steps"][0]["title"] = "Begin again"  # it comes back, and its group with it
        world.sync()
        assert world.tasks()["g/one"].parent == world.native_id("g/middle/")
        assert "g/two" not in world.tasks()

    def test_a_step_that_a_person_put_elsewhere_stays_there_until_its_group_changes(self, world: World) -> None:
        if not hasattr(world.service, "move_away"):
            world.skip("way for this test to put a task elsewhere (move_away)")
        world.group("middle", "one", "two")
        world.sync()
        world.service.move_away(world.native_id("g/one"))
        assert world.sync().actions == {}
        world.step("three", takes="3 days")
        world.sync()
        assert world.tasks()["g/one"].parent == ""

    def test_a_group_that_leaves_takes_nothing_along_that_is_done(self, world: World) -> None:
        steps = world.goal["steps"]
        world.group("middle", "one", "two")
        world.sync()
        world.service.tick(world.native_id("g/one"))
        world.sync()
        world.goal["steps"] = steps
        world.sync()
        assert world.tasks()["g/one"].done
        assert not world.tasks()["g/two"].done

    def test_a_run_that_made_a_group_or_took_it_out_can_be_undone(self, world: World) -> None:
        before, goal = world.tasks(), {**world.goal}
        world.group("middle", "one", "two")
        grouped = {**world.goal}
        world.undo(world.sync())
        assert world.tasks() == before
        world.goal = grouped
        world.sync()
        with_group = world.tasks()
        world.goal = goal
        world.undo(world.sync())
        after = world.tasks()
        ids = {task.native_id: key for tasks in (with_group, after) for key, task in tasks.items()}
        assert {key: (task.content, ids.get(task.parent)) for key, task in after.items()} == {
            key: (task.content, ids.get(task.parent)) for key, task in with_group.items()
        }
        world.goal = grouped
        assert world.sync().actions == {}

    # The way back

    def test_a_run_can_be_undone(self, world: World) -> None:
        """One that moves, makes, removes, completes and renames. Then the old goals file has nothing to change."""
        goal, before, memory = world.goal, world.tasks(), world.read().memory
        first, second, _ = goal["steps"]
        world.goal = {
            **goal,
            "title": "Reach it at last",
            "deadline": "2027-10-07",
            "steps": [
                {**first, "done": TODAY},
                {**second, "id": "second", "was": "two", "priority": "high"},
                {"id": "new", "title": "Think", "takes": "1 day"},
            ],
        }
        actions = world.undo(world.sync())
        assert actions["g/one"] is Action.REOPEN
        assert actions["g/new"] is Action.REMOVE
        assert actions["g/three"] is Action.CREATE
        after, remembered = world.tasks(), world.read().memory["g"]
        assert {key: (task.content, task.done) for key, task in after.items()} == {
            key: (task.content, task.done) for key, task in before.items()
        }
        assert [after[key] for key in ("g", "g/one", "g/two")] == [before[key] for key in ("g", "g/one", "g/two")]
        assert (after["g/three"].marker.due, after["g/three"].marker.generation) == (before["g/three"].content.due, 2)
        assert (remembered.dates, remembered.made) == (memory["g"].dates, memory["g"].made)
        states = {key: state for key, state in world.states().items() if state != "removed"}
        assert states == dict.fromkeys(before, "live")
        world.goal = goal
        assert world.sync().actions == {}

    def test_what_a_person_did_since_stays_when_a_run_is_undone(self, world: World) -> None:
        goal, before = world.goal, world.tasks()
        world.goal = {**goal, "deadline": "2027-10-07"}
        done = world.sync()
        day = date(2027, 9, 10)
        world.service.set_due(before["g/two"].native_id, day)
        world.service.tick(before["g/one"].native_id)
        world.service.set_title(before["g/three"].native_id, "My own words")
        world.undo(done)
        world.goal = goal
        world.sync()
        after = world.tasks()
        assert (after["g/two"].content.due, after["g/two"].marker.pinned) == (day, True)
        assert (after["g/one"].done, after["g/one"].content.due) == (True, before["g/one"].content.due)
        assert after["g/three"].content == replace(before["g/three"].content, title="My own words")

    def test_an_undo_can_be_undone(self, world: World) -> None:
        goal, memory = world.goal, world.read().memory
        world.goal = {**goal, "deadline": "2027-10-07"}
        done = world.sync()
        moved = world.tasks()
        undone = undo(world.project, world.service.connector(), done, world.today)
        assert world.read().memory == memory
        world.undo(replace(done, plans=undone))
        assert world.tasks() == moved
        assert world.sync().actions == {}

    def test_a_detached_task_is_ours_again_when_the_run_is_undone(self, world: World) -> None:
        goal, before = {**world.goal}, world.tasks()["g/two"]
        world.service.set_title(before.native_id, "Go on, by all means")
        edited = world.tasks()["g/two"]
        world.remove_step("two")
        actions = world.undo(world.sync())
        world.goal = goal
        assert actions["g/two"] is Action.REPAIR
        assert world.tasks()["g/two"] == edited
        assert world.sync().actions == {}
        assert "by all means" in world.service.text()

    def test_a_new_step_stands_among_the_others(self, world: World) -> None:
        first, *others = world.goal["steps"]
        world.goal["steps"] = [first, {"id": "new", "title": "Think", "takes": "1 day"}, *others]
        assert world.sync().actions["g/new"] is Action.CREATE
        assert len(world.tasks()) == 5

    def test_another_namespace_is_somebody_elses(self, world: World) -> None:
        """Two plans in one service, each with its own memory; neither touches the other's tasks."""
        other = a_goal(id="h", title="Another plan", steps=[])
        before, states = world.tasks(), world.states()
        project = load(world.folder, other, namespace="you/plans")
        for _ in range(2):
            for goals in (project, world.project):
                done = run(goals, [world.service.connector(goals.namespace)], world.today)
                assert done.errors == []
        assert world.tasks() == before
        assert world.states() == states
        assert [task.marker.key for task in world.service.connector("you/plans").read().tasks] == ["h"]
