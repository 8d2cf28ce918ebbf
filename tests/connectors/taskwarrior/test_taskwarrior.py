"""Taskwarrior beside the contract: ends, races and locks at every process, what its people do, and the real command."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import BackplanError, InputError, RefusedError
from config.settings import Environment
from connectors import stored
from connectors.base import Action, StoreWrite, Write
from connectors.memory_merge import merged
from connectors.model import Content, Marker, StoredGoal, StoredKey
from connectors.taskwarrior import item as items
from connectors.taskwarrior import program
from connectors.taskwarrior.batch import MEMORY, Batch, Home
from connectors.taskwarrior.connector import TaskwarriorConnector
from connectors.taskwarrior.program import Ended, LockedError, Program, alone_in
from sync.run import executor, pipeline, reading, work
from sync.run.homes import Binding
from tests.connectors.contract import TODAY, World, a_goal, load, run
from tests.connectors.scenarios import Killed, scenario_deadline, scenario_done, scenario_first, scenario_removed
from tests.connectors.taskwarrior_account import VERSIONS, StandIn, TaskwarriorAccount, itself, standing_in
from tests.servers import taskwarrior

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from tests.conftest import Person

    Scenario = Callable[[World], None]

SCENARIOS = [scenario_first, scenario_deadline, scenario_removed, scenario_done]
IN_TURN = ["3.5.0", pytest.param("2.6.2", marks=pytest.mark.proof)]
IN_THE_TEST_COMMAND = [scenario_first, *(pytest.param(one, marks=pytest.mark.proof) for one in SCENARIOS[1:])]


@pytest.fixture(params=IN_TURN)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> StandIn:
    return StandIn(tmp_path / "tasks", request.param)


@pytest.fixture
def world(account: StandIn, tmp_path: Path) -> World:
    """Our four tasks beside one of a person."""
    account.add_foreign_task("Buy milk")
    world = World(account, tmp_path)
    world.sync()
    return world


@pytest.fixture
def real(tmp_path: Path) -> TaskwarriorAccount:
    return itself(tmp_path)


def prepared(folder: Path, version: str, scenario: Scenario) -> World:
    folder.mkdir()
    world = World(StandIn(folder / "tasks", version), folder)
    world.service.add_foreign_task("Buy milk")
    scenario(world)
    return world


def assert_all_is_well(world: World, scenario: Scenario) -> None:
    """After one clean run each task is there exactly once, and the next run has nothing to do."""
    assert isinstance(world.service, StandIn)
    world.service.tasks.fail()
    assert run(world.project, [world.service.connector()], TODAY).errors == []
    again = world.service.connector()
    assert run(world.project, [again], TODAY).silent
    assert again.requests.write == 0
    gone = {"Go on"} if scenario is scenario_removed else set()
    assert world.service.titles() == sorted({"Reach it", "Begin", "Go on", "Finish", "Buy milk"} - gone)


# Processes


@pytest.mark.parametrize("count", [1, 10, 100, pytest.param(1000, marks=pytest.mark.proof)])
def test_how_many_processes_a_run_takes(tmp_path: Path, count: int) -> None:
    """One task is the goal's own."""
    steps = [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(count - 1)]
    goal = {"id": "g", "title": "Reach it", "deadline": "2035-09-30", "steps": steps}
    account = StandIn(tmp_path / "tasks", "3.5.0")
    project = load(tmp_path, goal)
    for most in (4 + 3 * -(-count // 100), 2):
        one = account.connector()
        assert run(project, [one], TODAY).errors == []
        assert one.requests.read + one.requests.write <= most
    assert len(account.titles()) == count


class Dying:
    """Starts processes until it dies: before the last one, or after it."""

    def __init__(self, account: StandIn, last: int, *, before: bool) -> None:
        self.started = 0
        self._account, self._last, self._before = account, last, before

    def __call__(self, arguments: Sequence[str], text: str) -> Ended:
        self.started += 1
        if self.started == self._last and self._before:
            raise Killed
        ended = Ended(*self._account.tasks.run(list(arguments), text))
        if self.started == self._last:
            raise Killed
        return ended

    def connector(self) -> TaskwarriorConnector:
        known = self._account.connector()
        return TaskwarriorConnector(Program(self, lambda _: None), "me/goals", known.options())  # type: ignore[arg-type]


@pytest.mark.parametrize("scenario", IN_THE_TEST_COMMAND)
@pytest.mark.parametrize("before", [True, pytest.param(False, marks=pytest.mark.proof)], ids=["before", "after"])
def test_killed_at_any_process(tmp_path: Path, scenario: Scenario, before: bool) -> None:
    for version in VERSIONS:
        for last in range(1, 100):
            world = prepared(tmp_path / f"{version}-{last}", version, scenario)
            assert isinstance(world.service, StandIn)
            dying = Dying(world.service, last, before=before)
            with suppress(Killed):
                run(world.project, [dying.connector()], TODAY)
            assert_all_is_well(world, scenario)
            if dying.started < last:
                break
        assert last > 3


@pytest.mark.parametrize("scenario", IN_THE_TEST_COMMAND)
def test_an_import_that_stops_anywhere_is_told_and_finished_by_the_next_run(tmp_path: Path, scenario: Scenario) -> None:
    for version in VERSIONS:
        for after in range(5):
            world = prepared(tmp_path / f"{version}-{after}", version, scenario)
            assert isinstance(world.service, StandIn)
            world.service.tasks.fail(locked=1000, **({"after": after} if after < 4 else {}))
            done = run(world.project, [world.service.connector()], TODAY)
            told = [*done.errors, *done.found.unread.values()]
            assert all("another program is using the tasks" in why for why in told)
            if not told:
                world.service.tasks.fail()
                assert run(world.project, [world.service.connector()], TODAY).silent
            titles = world.service.titles()
            assert len(titles) == len(set(titles))
            assert_all_is_well(world, scenario)


@pytest.mark.parametrize("scenario", IN_THE_TEST_COMMAND)
def test_tasks_that_are_locked_for_a_moment_are_waited_for(tmp_path: Path, scenario: Scenario) -> None:
    for name, faults in (("all", {"locked": 3}), ("imports", {"locked": 3, "after": 1})):
        world = prepared(tmp_path / name, "3.5.0", scenario)
        assert isinstance(world.service, StandIn)
        world.service.tasks.fail(**faults)
        assert run(world.project, [world.service.connector()], TODAY).errors == []
        assert_all_is_well(world, scenario)


@pytest.mark.parametrize("version", VERSIONS)
def test_one_task_that_is_not_taken_keeps_no_other_from_being_made(tmp_path: Path, version: str) -> None:
    world = prepared(tmp_path / "it", version, scenario_first)
    assert isinstance(world.service, StandIn)
    world.service.tasks.fail(refused="Go on")
    done = run(world.project, [world.service.connector()], TODAY)
    assert done.errors == ["Taskwarrior did not store it: 'x' is not a valid date; run again"]
    assert world.service.titles() == ["Begin", "Buy milk", "Finish", "Reach it"]
    assert_all_is_well(world, scenario_first)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_words_of_a_person_are_kept_once_and_links_are_made_whatever_is_locked(
    tmp_path: Path, version: str
) -> None:
    """Each import is tried again, over what the attempt before has written."""
    world = prepared(tmp_path / "it", version, scenario_done)
    account = world.service
    assert isinstance(account, StandIn)
    world.sync()
    for key in ("g/two", "g/three"):
        account.set_title(world.native_id(key), f"My own words for {key}")
    world.sync()
    world.step("two", title="Go on then", after=["three"])
    world.step("three", title="Finish then", after=["one"])
    account.tasks.fail(locked=4, after=2)
    assert world.run(account.connector()).errors == []
    account.tasks.fail()
    world.sync()
    notes = [note["description"] for item in account.items().values() for note in item.get("annotations", ())]
    assert sorted(note for note in notes if "My own" in note) == [
        f"Before the goals file changed it: title was: My own words for {key}" for key in ("g/three", "g/two")
    ]
    assert account.items()[world.native_id("g/two")]["depends"] == [world.native_id("g/three")]


def test_a_memory_that_is_not_taken_lets_nothing_be_made(tmp_path: Path) -> None:
    world = prepared(tmp_path / "it", "3.5.0", scenario_first)
    assert isinstance(world.service, StandIn)
    world.service.tasks.fail(refused="memory")
    assert run(world.project, [world.service.connector()], TODAY).errors
    assert world.service.titles() == ["Buy milk"]
    assert_all_is_well(world, scenario_first)


@pytest.mark.parametrize("ahead", [0, *(pytest.param(ahead, marks=pytest.mark.proof) for ahead in (1, 2, 3))])
@pytest.mark.parametrize("scenario", IN_THE_TEST_COMMAND)
def test_two_runs_that_race_make_nothing_twice(tmp_path: Path, scenario: Scenario, ahead: int) -> None:
    world = prepared(tmp_path / "it", VERSIONS[ahead % 2], scenario)
    assert isinstance(world.service, StandIn)
    ones = [world.service.connector(), world.service.connector()]
    runs = [_execute(world, one) for one in ones]
    answers: list[Any] = [None, None]
    for turn in [0] * ahead + [1, 0] * 10:
        with suppress(StopIteration):
            request = runs[turn].send(answers[turn])
            answers[turn] = ones[turn].apply(request.batch)
        titles = world.service.titles()
        assert len(titles) == len(set(titles))
    run(world.project, [world.service.connector()], TODAY)
    assert_all_is_well(world, scenario)


def _execute(world: World, one: TaskwarriorConnector) -> Generator[work.Request, Any, object]:
    homes = (Binding(one, frozenset({"g"})),)
    return executor.execute(
        pipeline.make_plans(reading.read(world.project, homes, TODAY)), {one.label: one.capabilities}
    )


def test_only_one_run_is_in_the_folder_at_a_time(world: World, account: StandIn) -> None:
    world.goal["deadline"] = "2027-10-07"
    one = account.connector()
    with alone_in(account.folder):
        done = world.run(one)
    assert done.errors
    assert all("another program is using the tasks" in error for error in done.errors)
    assert one.requests.write == 0
    world.sync()


def test_two_runs_with_different_goals_keep_what_each_other_remembers(tmp_path: Path) -> None:
    account = StandIn(tmp_path / "tasks", "3.5.0")
    ones = [account.connector(), account.connector()]
    goals = [StoredGoal(TODAY, {f"g{n}": StoredKey("live", f"id{n}")}) for n in range(2)]
    for one in ones:
        one.read()
    for number, one in enumerate(ones):
        assert one.apply([StoreWrite({f"g{number}": goals[number]})])[0].error is None
    assert account.connector().read().memory == {"g0": goals[0], "g1": goals[1]}


# What a person does


class Meddling:
    """Somebody changes a task after it was read, and before it is written."""

    def __init__(self, account: StandIn, between: Callable[[], object]) -> None:
        self._account, self._between = account, between

    def connector(self) -> TaskwarriorConnector:
        one = self._account.connector()
        exports = iter(range(2))

        def start(arguments: Sequence[str], text: str) -> Ended:
            ended = Ended(*self._account.tasks.run(list(arguments), text))
            if arguments[-1] == "export" and next(exports, 1) == 0:
                self._between()
            return ended

        return TaskwarriorConnector(Program(start, lambda _: None), "me/goals", one.options())  # type: ignore[arg-type]


def test_what_is_not_ours_may_change_while_a_run_is_under_way(world: World, account: StandIn) -> None:
    native_id = world.native_id("g/two")
    theirs = {"estimate": "3h", "project": "home", "wait": "20280101T000000Z", "until": "20290101T000000Z"}

    def between() -> None:
        account.annotate(native_id, "By phone")
        account.edit(native_id, **theirs)

    other = "aaaaaaaa-0000-5000-8000-000000000005"
    account.edit(native_id, depends=[other, world.native_id("g/one")])
    world.step("two", title="Go on and on", notes="Words", after=["three"])
    world.step("three", after=["one"])
    assert world.run(Meddling(account, between).connector()).errors == []
    world.sync()
    task = account.items()[native_id]
    assert task["description"] == "Go on and on"
    assert {name: task[name] for name in theirs} == theirs
    assert {note["description"] for note in task["annotations"]} == {"By phone", "Words"}
    assert task["depends"] == sorted([other, world.native_id("g/three")])


@pytest.mark.parametrize("how", ["tick", "title", "delete"])
def test_a_task_that_a_person_changes_meanwhile_keeps_that(world: World, account: StandIn, how: str) -> None:
    native_id = world.native_id("g/two")
    act = {
        "tick": lambda: account.tick(native_id),
        "title": lambda: account.set_title(native_id, "My own words"),
        "delete": lambda: account.delete(native_id),
    }[how]
    world.goal["deadline"] = "2027-10-07"
    done = world.run(Meddling(account, act).connector())
    (error,) = done.errors
    assert "was changed in the meantime; run again" in error or error == "the task does not exist any more"
    task = account.items()[native_id]
    assert (task["status"], task["description"]) == {
        "tick": ("completed", "Go on"),
        "title": ("pending", "My own words"),
        "delete": ("deleted", "Go on"),
    }[how]
    world.sync()
    assert account.items()[native_id]["status"] == task["status"]


def test_a_time_of_day_stays_where_a_date_moves(world: World, account: StandIn) -> None:
    native_id = world.native_id("g/two")
    account.edit(native_id, due=items.stamp(datetime(2027, 9, 10, 17, 30)))  # noqa: DTZ001  # as it is typed
    world.sync()
    assert world.tasks()["g/two"].marker.pinned
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    due = datetime.strptime(account.items()[native_id]["due"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert (due.astimezone().date(), due.astimezone().strftime("%H:%M")) == (date(2027, 10, 5), "17:30")


def test_a_day_that_is_typed_again_is_no_change(world: World, account: StandIn) -> None:
    day = world.tasks()["g/two"].content.due
    account.set_due(world.native_id("g/two"), day)
    assert world.sync().actions == {}
    assert not world.tasks()["g/two"].marker.pinned


def test_a_step_is_no_task_that_is_overdue_on_its_day(world: World, account: StandIn) -> None:
    task = account.items()[world.native_id("g/two")]
    assert (task["due"], task["scheduled"]) == ("20270928T235959Z", "20270922T000000Z")
    assert task["project"] == "goals.g"
    assert not {"wait", "until", "recur"} & task.keys()


def test_another_project_is_another_place(world: World, account: StandIn) -> None:
    before = world.tasks()
    other = account.connector(project="home.goals")
    run(world.project, [other], TODAY)
    assert {task.marker.key for task in account.connector(project="home.goals").read().tasks} == before.keys()
    assert world.tasks() == before
    assert account.titles().count("Go on") == 2


def test_a_memory_that_was_deleted_is_read_and_put_back_and_one_that_was_purged_stops_the_run(
    world: World, account: StandIn
) -> None:
    (memory,) = (one for one, item in account.items().items() if MEMORY in item)
    account.delete(memory)
    kept = world.read().memory
    assert world.sync().actions == {}
    assert account.items()[memory]["status"] == "pending"
    for oops in ("1 oops", "oops", "1 eJw="):
        account.edit(memory, backplanmemory=oops)
        with pytest.raises(RefusedError, match="memory"):
            world.run(account.connector())
    one, states = account.connector(), world.states()
    assert states == {}
    assert one.apply([StoreWrite(kept)])[0].error is None  # as --rebuild does
    assert world.read().memory == kept
    account.edit(memory, backplanmemory="2 oops")
    with pytest.raises(RefusedError, match="a newer version"):
        account.connector().read()
    tasks = account.tasks.read()
    del tasks[memory]
    account.tasks.write(tasks)
    with pytest.raises(RefusedError, match=f"tasks is gone. Bring the task “{stored.TITLE}” back"):
        world.run(account.connector())


def test_a_deleted_task_with_its_id_is_not_brought_back_by_a_run_that_was_cut_short(tmp_path: Path) -> None:
    """A person deletes a task between the crash and the next run: Taskwarrior knows its id for good."""
    world = prepared(tmp_path / "it", "3.5.0", scenario_first)
    account = world.service
    assert isinstance(account, StandIn)
    dying = Dying(account, 5, before=False)
    with pytest.raises(Killed):
        run(world.project, [dying.connector()], TODAY)
    (native_id,) = (one for one, item in account.items().items() if item["description"] == "Go on")
    account.delete(native_id)
    run(world.project, [account.connector()], TODAY)
    assert account.titles() == ["Begin", "Buy milk", "Finish", "Reach it"]
    assert world.states()["g/two"] == "dropped"


def test_an_id_that_somebody_else_has_is_not_written_over(world: World, account: StandIn) -> None:
    native_id = world.native_id("g/two")
    before = account.items()[native_id]
    account.edit(native_id, backplan=None, backplanplace=None)
    one = account.connector()
    task = world.tasks()["g/one"]
    write = Write(Action.CREATE, "g/two", "", task.content, replace(task.marker, key="g/two"))
    assert (
        one.apply([write])[0].error == "“Go on” has the id of this task and is no longer managed by backplan; purge it"
    )
    account.edit(native_id, backplan=before["backplan"])


# Text and days

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\;,:[]&"\n\r\0\x85\u2028+-:'), max_size=30)
CONTENTS = st.builds(
    Content,
    title=TEXT.map("x{}".format),
    notes=TEXT,
    labels=st.lists(TEXT | st.sampled_from(["PENDING", "a:b", "+x", "&open;"]), max_size=3).map(tuple),
    priority=st.sampled_from(["high", "medium", "none", "urgent"]),
    due=st.none() | st.dates(date(2000, 1, 1), date(2037, 1, 1)),
    start=st.none() | st.dates(date(2000, 1, 1), date(2037, 1, 1)),
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago")
NOBODY = TaskwarriorConnector(Program(), "me/goals", TaskwarriorConnector.options())  # type: ignore[arg-type]


@given(CONTENTS, st.sampled_from(VERSIONS))
def test_what_is_written_is_read_and_no_value_is_empty(content: Content, version: str) -> None:
    content = NOBODY.canonical(content)
    new = {"uuid": "5ba664fa-b722-55d0-83df-fc78388c847c", "status": "pending", "entry": "20270720T090000Z"}
    new["description"] = content.title
    items.set_days(new, content)
    items.set_notes(new, content.notes)
    items.set_tags(new, content.labels)
    items.set_priority(new, content.priority)
    assert all(value not in ("", [], None) for value in new.values())
    assert not taskwarrior._is_bad(new)
    row = items.row_of(taskwarrior.Tasks(Path(), version)._stored(new))
    told = Content(row.title, row.due, items.HIDING.split(row.text)[0], row.labels, row.priority, row.start)
    assert told == content


@pytest.mark.proof
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(contents=st.lists(CONTENTS, min_size=10, max_size=40))
def test_the_program_itself_gives_back_what_was_written(real: TaskwarriorAccount, contents: list[Content]) -> None:
    """Whatever the words: one import, one export."""
    one, now = Program(real.start), datetime(2027, 7, 20, 9, tzinfo=UTC)
    wanted: dict[str, Content] = {}
    batch = Batch(Home("me/goals", "goals"), now, {}, {}, {})
    for number, content in enumerate(map(NOBODY.canonical, contents)):
        marker = Marker("me/goals", f"g/s{number}", "0123456789", generation=number)
        write = Write(Action.CREATE, marker.key, "", content, marker)
        wanted[batch.take(write).native_id] = content
    assert one.load(batch.wanted.values()) == ""
    there = one.export()
    for native_id, content in wanted.items():
        row = items.row_of(there[native_id])
        told = Content(row.title, row.due, items.HIDING.split(row.text)[0], row.labels, row.priority, row.start)
        assert told == content
        assert items.same(there[native_id], batch.wanted[native_id])


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def put(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


def test_no_time_zone_and_no_summer_time_moves_a_day(in_zone: Callable[[str], None]) -> None:
    """Nor one that a person has typed, once a run has seen it."""
    for day in (date(2027, 3, 28), date(2027, 10, 31), date(2027, 1, 1)):
        for zone in ZONES:
            in_zone(zone)
            written: dict[str, Any] = {}
            items.set_days(written, Content("x", day, start=day))
            typed = {"due": items.stamp(datetime(day.year, day.month, day.day))}  # noqa: DTZ001
            items.keep_days(typed)
            for other in ZONES:
                in_zone(other)
                assert items.day_of(written, "due") == items.day_of(written, "start") == day
                assert items.day_of(typed, "due") == day


KEYS = st.builds(
    StoredKey, st.sampled_from(["pending", "live", "done", "dropped", "removed"]), generation=st.integers(1, 2)
)
GOALS = st.builds(StoredGoal, st.just(TODAY), st.dictionaries(st.sampled_from(["g/a", "g/b"]), KEYS))
MEMORIES = st.dictionaries(st.sampled_from(["g", "h"]), GOALS)


@given(MEMORIES, MEMORIES, MEMORIES)
def test_of_two_memories_nothing_that_one_has_written_is_lost(base: Any, ours: Any, theirs: Any) -> None:
    found = merged(base, ours, theirs)
    assert merged(base, ours, base) == ours
    assert merged(base, base, theirs) == theirs
    assert merged(base, ours, ours) == ours
    assert found.keys() >= ours.keys() & theirs.keys()
    for goal_id, key in ((one, key) for one in ours.keys() & theirs.keys() for key in ("g/a", "g/b")):
        before = base[goal_id].keys.get(key) if goal_id in base else None
        own, other, now = (memory[goal_id].keys.get(key) for memory in (ours, theirs, found))
        assert now in (own, other)
        assert now == own or other != before
        assert now == other or own != before


# The program


def test_a_program_that_is_not_there_or_another_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKRC", str(tmp_path / "rc"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"the program `task` is not installed; install Taskwarrior 2\.6 or later"):
        Program().about()
    for told, words in (
        (
            "echo 'task: Task \"_get\" does not exist' >&2; exit 1",
            'is not Taskwarrior, or does not work: task: Task "_g',
        ),
        ("echo 2.5.3 /home/ann/.task", r"version 2\.5 is too old; install"),
    ):
        path = tmp_path / "task"
        path.write_text(f"#!/bin/sh\n{told}\n", "utf-8")
        path.chmod(0o755)
        with pytest.raises(InputError, match=words):
            Program().about()
    (check,) = TaskwarriorConnector.configure({}, "me/goals", Environment.of_process(tmp_path)).facts()  # type: ignore[attr-defined]
    assert not check.ok


def test_a_folder_that_is_not_there_yet_is_made_by_taskwarrior(tmp_path: Path) -> None:
    """3.x makes it with its first export, or its first import."""
    account = StandIn(tmp_path / "tasks", "3.5.0")
    account.folder.rmdir()
    one = account.connector()
    assert one.read().tasks == ()
    assert program.trace_of(account.folder) == ()
    with alone_in(account.folder):
        account.folder.mkdir()
    assert run(load(tmp_path, a_goal()), [one], TODAY).errors == []


@pytest.mark.parametrize(
    ("version", "file", "words"),
    [("3.5.0", "pending.data", "run `task import-v2`"), ("2.6.2", "taskchampion.sqlite3", "use version 3")],
)
def test_tasks_of_another_version_are_not_taken_for_none(tmp_path: Path, version: str, file: str, words: str) -> None:
    """After an upgrade, 3.x shows no task until those of 2.x are imported."""
    account = StandIn(tmp_path / "tasks", version)
    (account.folder / file).touch()
    if file == "pending.data":  # as in a folder of 2.x without any task
        assert account.connector().read().tasks == ()
    (account.folder / file).write_text("[description:...]", "utf-8")
    done = run(load(tmp_path, a_goal()), [account.connector()], TODAY)
    (why,) = done.found.unread.values()
    assert words in why
    assert account.items() == {}
    account.add_foreign_task("Buy milk")
    assert run(load(tmp_path, a_goal()), [account.connector()], TODAY).errors == []


def test_a_program_that_comes_to_no_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "task"
    path.write_text("#!/bin/sh\nexec sleep 100\n", "utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("TASKRC", str(tmp_path / "rc"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(program, "_LONGEST", 0.1)
    with pytest.raises(BackplanError, match="did not finish"):
        Program().about()


def test_without_settings_none_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TASKRC", "TASKDATA", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InputError, match="there is no taskrc yet; run `task` once"):
        Program().about()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("TASKDATA", str(tmp_path / "data"))
    assert program._environment(os.environ)["TASKRC"] == os.devnull


def test_each_run_has_the_program_and_the_tasks_that_its_own_variables_name(tmp_path: Path) -> None:
    found = {}
    for name in ("ann", "ben"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "task"
        path.write_text('#!/bin/sh\necho "3.5.0 $TASKDATA"\n', "utf-8")
        path.chmod(0o755)
        variables = {"PATH": str(tmp_path / name), "TASKRC": os.devnull, "TASKDATA": f"/of/{name}"}
        one: Any = TaskwarriorConnector.configure({}, "me/goals", Environment.of(tmp_path, variables))
        found[name] = one._program.about()
    assert found == {name: ("3.5.0", Path(f"/of/{name}")) for name in ("ann", "ben")}


GOALS_FILE = """namespace: me/goals
sync: [taskwarrior]
goals: [{id: g, title: Reach it, deadline: 2027-09-30, steps: [{id: one, title: Begin}, {id: two, title: Go on}]}]
"""


@pytest.mark.parametrize("version", IN_TURN)
def test_the_command_syncs_and_doctor_tells_what_there_is(person: Person, version: str) -> None:
    """With the stand-in as a program of its own, which is started."""
    account = standing_in(person.folder, version)
    person.writes(GOALS_FILE)
    env = {
        "PATH": f"{person.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TASKRC": str(person.folder / "taskrc"),
        "TASKDATA": str(account.folder),
    }
    done = person.run("sync", env=env)
    assert done.code == 0, done.err
    assert account.titles() == ["Begin", "Go on", "Reach it"]
    assert "nothing to do" in person.run("sync", env=env).out
    (told,) = person.run("doctor", "--json", env=env).json["connectors"]
    assert [fact["sentence"] for fact in told["facts"]] == [
        f"Taskwarrior {version}",
        f"4 in {account.folder}, including completed and deleted ones",
    ]
    person.writes(GOALS_FILE.replace("[taskwarrior]", "[{taskwarrior: {project: +home}}]"))
    wrong = person.run("sync", env=env)
    assert wrong.code == InputError.exit_code
    assert "taskwarrior: invalid `project: +home`; expected the name of a project" in wrong.err


# The program itself, as its people use it


def by_hand(account: TaskwarriorAccount, *arguments: str) -> str:
    ended = account.start(["rc.confirmation=off", "rc.recurrence.confirmation=no", *arguments], "")
    assert ended.code == 0, ended
    return ended.out


@pytest.mark.proof
def test_what_its_people_do_is_seen(real: TaskwarriorAccount, tmp_path: Path) -> None:
    world = World(real, tmp_path)
    world.sync()
    one, two, three = (world.native_id(f"g/{name}") for name in ("one", "two", "three"))
    by_hand(real, two, "modify", "due:2027-09-10", "estimate:3", "+mine", "project:home")
    by_hand(real, two, "annotate", "by phone")
    by_hand(real, two, "start")
    world.sync()
    task = world.tasks()["g/two"]
    assert (task.content.due, task.marker.pinned, task.touched) == (date(2027, 9, 10), True, True)
    assert "mine" in task.content.labels
    by_hand(real, three, "delete")
    world.sync()
    assert world.states()["g/three"] == "dropped"
    by_hand(real, "undo")
    by_hand(real, two, "duplicate")
    world.sync()
    by_hand(real, one, "done")
    world.today = datetime.now(UTC).date() + timedelta(days=400)
    world.goal["deadline"] = str(world.today + timedelta(days=90))
    world.sync()
    assert world.states()["g/one"] == "done"
    assert real.items()[two]["project"] == "home"
    assert [note["description"] for note in real.items()[two]["annotations"]] == ["by phone"]


@pytest.mark.proof
def test_a_task_that_repeats_is_theirs_and_its_occurrences_too(real: TaskwarriorAccount, tmp_path: Path) -> None:
    world = World(real, tmp_path)
    world.sync()
    two = world.native_id("g/two")
    by_hand(real, two, "modify", "recur:weekly", "due:tomorrow", "until:2027-12-31")
    by_hand(real, "rc.recurrence=on", "list")
    assert len([title for title in real.titles() if title == "Go on"]) > 1
    before = real.items()
    world.goal["deadline"] = "2027-10-07"
    assert "g/two" not in world.sync().actions
    after = real.items()
    assert {k: v for k, v in after[two].items() if k != "urgency"} == {
        k: v for k, v in before[two].items() if k != "urgency"
    }
    assert world.tasks()["g/two"].recurring


@pytest.mark.proof
def test_hooks_and_a_context_of_theirs_make_no_difference(real: TaskwarriorAccount, tmp_path: Path) -> None:
    hooks = real.folder / "hooks"
    hooks.mkdir()
    for name in ("on-add", "on-modify", "on-launch", "on-exit"):
        (hooks / name).write_text("#!/bin/sh\nread answer </dev/tty\nexit 1\n", "utf-8")
        (hooks / name).chmod(0o755)
    rc = tmp_path / "taskrc"
    rc.write_text("context.home.read=+home\ncontext.home.write=+home\ncontext=home\n", "utf-8")
    world = World(real, tmp_path)
    world.sync()
    assert [task.content.labels for task in world.tasks().values()] == [()] * 4
    assert rc.read_text("utf-8").count("\n") == 3


@pytest.mark.proof
def test_two_processes_at_once_make_nothing_twice(person: Person) -> None:
    """Of the real command and the real program, in whatever order they run."""
    account = itself(person.folder)
    person.writes(GOALS_FILE)
    command = [os.sys.executable, "-P", "-m", "sync.cli.main", "sync"]  # type: ignore[attr-defined]
    env = {
        **os.environ,
        "BACKPLAN_TODAY": "2027-07-20",
        "TASKRC": str(person.folder / "taskrc"),
        "TASKDATA": str(account.folder),
    }
    racers = [subprocess.Popen(command, cwd=person.folder, env=env, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [racer.wait() for racer in racers].count(0) >= 1
    assert account.titles() == ["Begin", "Go on", "Reach it"]
    assert person.run("sync", env={k: env[k] for k in ("TASKRC", "TASKDATA")}).code == 0
    assert "nothing to do" in person.run("sync", env={k: env[k] for k in ("TASKRC", "TASKDATA")}).out
    assert json.loads(account.start(["rc.verbose=nothing", "export"], "").out)


def test_the_tasks_are_locked() -> None:
    assert str(LockedError()).endswith("(the database is locked); run again")
