"""What is Todoist's own: requests, people's edits in its app, its limits, and every fault at every request."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from config import loader
from config.errors import BackplanError, CredentialsError, InputError, RefusedError
from config.redaction import hide
from config.settings import Environment
from connectors.base import Action, Write
from connectors.http import Api
from connectors.markdown.connector import MarkdownConnector
from connectors.registry import create
from connectors.todoist.api import TODOIST, Client
from connectors.todoist.connector import TodoistConnector
from sync.run import executor, pipeline, reading, work
from sync.run.homes import Binding
from tests import tiers
from tests.connectors.contract import NAMESPACE, TODAY, World, a_goal, load, run
from tests.connectors.scenarios import Killed, scenario_deadline, scenario_done, scenario_first, scenario_removed
from tests.connectors.todoist_account import NOW, TodoistAccount, account, connector
from tests.servers.http import Fault
from tests.servers.todoist import FREE, PRO, Todoist
from tests.servers.todoist_server import TodoistServer
from tests.servers.todoist_store import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from requests import Response

    from config.project import Project
    from connectors.todoist.objects import Listing
    from tests.conftest import Person
    from tests.histories.process import Run

MEMORY = "backplan's memory, keep this"


@pytest.fixture
def server() -> Iterator[TodoistServer]:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        yield server


@pytest.fixture
def todoist(server: TodoistServer) -> Todoist:
    return server.service


@pytest.fixture
def world(server: TodoistServer, tmp_path: Path) -> World:
    """Our four tasks, synced."""
    world = World(TodoistAccount(server), tmp_path)
    world.begin()
    return world


def titles(todoist: Todoist) -> list[str]:
    """Return the titles of the tasks that are there, but for the memory's, sorted."""
    return sorted(task["content"] for task in todoist.tasks() if task["content"] != MEMORY)


def steps(number: int) -> list[dict[str, Any]]:
    return [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(number)]


def requests(connector: TodoistConnector) -> tuple[int, int]:
    return connector.requests.read, connector.requests.write


# What it looks like


def test_a_goal_is_a_task_with_its_steps_below_in_their_order(world: World, todoist: Todoist) -> None:
    project = next(p for p in todoist.state()["projects"].values() if p["name"] == "Goals")
    goal = todoist.task(world.native_id("g"))
    below = sorted((t for t in todoist.tasks() if t["parent_id"] == goal["id"]), key=lambda t: t["child_order"])
    assert [task["content"] for task in below] == ["Begin", "Go on", "Finish"]
    assert {task["project_id"] for task in (goal, *below)} == {project["id"]}
    assert goal["due"]["date"] == goal["deadline"]["date"] == "2027-09-30"
    assert all(task["due"]["timezone"] is None and len(task["due"]["date"]) == 10 for task in below)
    memory = next(task for task in todoist.tasks() if task["content"] == MEMORY)
    assert (memory["due"], memory["checked"], memory["parent_id"]) == (None, False, None)


def test_a_free_account_has_no_deadline_of_its_own(tmp_path: Path) -> None:
    with TodoistServer(Todoist(FREE, now=NOW)) as server:
        world = World(TodoistAccount(server), tmp_path)
        world.sync()
        goal = server.service.task(world.native_id("g"))
        assert (goal["due"]["date"], goal["deadline"]) == ("2027-09-30", None)


def test_a_goal_that_moves_takes_its_deadline_along(world: World, todoist: Todoist) -> None:
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert todoist.task(world.native_id("g"))["deadline"]["date"] == "2027-10-07"


def test_a_new_step_takes_its_place_and_moves_only_what_follows(world: World, todoist: Todoist) -> None:
    first, *others = world.goal["steps"]
    new = [{"id": "a", "title": "Think", "takes": "1 day"}, {"id": "b", "title": "Think again", "takes": "1 day"}]
    world.goal["steps"] = [{"id": "z", "title": "Wake up", "takes": "1 day"}, first, *new, *others]
    world.sync()
    below = [task for task in todoist.tasks() if task["parent_id"] == world.native_id("g")]
    below.sort(key=lambda task: task["child_order"])
    assert [t["content"] for t in below] == ["Wake up", "Begin", "Think", "Think again", "Go on", "Finish"]


def test_a_title_without_a_box_gets_one(world: World, todoist: Todoist) -> None:
    world.step("two", title="* Go on")
    world.sync()
    todoist.tick(world.native_id("g/two"))
    world.sync()
    assert world.states()["g/two"] == "done"


def test_who_and_what_to_tick_off_stand_in_the_description(world: World, todoist: Todoist) -> None:
    world.step("two", notes="By noon.", who="jasmine", checklist=["Bring the form", "Bring  a pen"])
    world.sync()
    native_id = world.native_id("g/two")
    notes, _, _ = todoist.task(native_id)["description"].partition("\n\nbp1")
    assert notes == "By noon.\n\nWho: jasmine\n\n- Bring the form\n- Bring a pen"
    todoist.set_description(native_id, todoist.task(native_id)["description"].replace("pen", "pen and ink"))
    assert world.sync().actions == {}
    world.step("two", notes="By noon.", who="", checklist=[])
    world.sync()
    assert world.tasks()["g/two"].content.notes == "By noon."
    assert "a pen and ink" in todoist.text()


def test_groups_are_sub_tasks_in_the_order_of_the_file(world: World, todoist: Todoist) -> None:
    world.group("middle", "two", "three")
    world.goal["steps"].append({"id": "last", "title": "Rest", "takes": "1 day"})
    world.sync()
    below: dict[str, list[str]] = {}
    for task in sorted(todoist.tasks(), key=lambda task: task["child_order"]):
        parent = todoist.task(task["parent_id"])["content"] if task["parent_id"] else ""
        below.setdefault(parent, []).append(task["content"])
    assert below["Reach it"] == ["Begin", "The middle of it", "Rest"]
    assert below["The middle of it"] == ["Go on", "Finish"]


def test_tasks_go_to_the_section_that_the_file_names(server: TodoistServer, tmp_path: Path) -> None:
    project = load(tmp_path, a_goal())
    shared = account(server)
    for _ in range(2):
        assert run(project, [TodoistConnector(shared, NAMESPACE, "Career", "This year")], TODAY).errors == []
    (section,) = server.service.state()["sections"].values()
    assert section["name"] == "This year"
    assert {task["section_id"] for task in server.service.tasks()} == {section["id"]}
    assert len(server.service.tasks()) == 5


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_an_archived_section_is_not_made_a_second_time(server: TodoistServer, tmp_path: Path, told: bool) -> None:
    project = load(tmp_path, a_goal())

    def sync() -> Run:
        return run(project, [TodoistConnector(account(server), NAMESPACE, "Career", "This year")], TODAY)

    sync()
    (section_id,) = server.service.state()["sections"]
    server.service.archive_section(section_id)
    before = server.service.state()
    server.service.tells_completed_info = told
    for _ in range(2):
        if told:
            with pytest.raises(RefusedError, match="has no section “This year”, and 1 archived ones"):
                sync()
        else:
            assert all("the section “This year” was archived" in error for error in sync().errors)
    assert server.service.state() == before
    server.service.archive_section(section_id, archived=False)
    assert sync().silent


def test_a_project_can_be_named_by_its_id(server: TodoistServer, tmp_path: Path) -> None:
    project_id = server.service.add_project("Career")
    run(load(tmp_path, a_goal()), [connector(server, project=project_id)], TODAY)
    assert {task["project_id"] for task in server.service.tasks()} == {project_id}


# How many requests


def test_nothing_changed_costs_one_read(world: World, server: TodoistServer) -> None:
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert requests(again) == (1, 0)


def test_with_tasks_done_lately_nothing_changed_costs_two_reads(world: World, server: TodoistServer) -> None:
    server.service.tick(world.native_id("g/one"))
    world.sync()
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert requests(again) == (2, 0)


def test_changes_travel_a_hundred_at_a_time(server: TodoistServer, tmp_path: Path) -> None:
    goal = a_goal(steps=steps(250), deadline="2028-12-30")
    first = connector(server)
    run(load(tmp_path, goal), [first], TODAY)
    # Is there really nothing? Was it completed, or archived? Then what is planned, 251 tasks, what became of them.
    assert requests(first) == (4, 1 + 3 + 1)
    later = connector(server)
    run(load(tmp_path, {**goal, "deadline": "2029-01-06"}), [later], TODAY)
    assert requests(later) == (1, 3)  # where nothing is made, what is planned travels with the changes
    again = connector(server)
    assert run(load(tmp_path, {**goal, "deadline": "2029-01-06"}), [again], TODAY).silent
    assert requests(again) == (1, 0)


def test_goals_in_several_projects_share_one_reading(server: TodoistServer, tmp_path: Path) -> None:
    goals = [a_goal(id=name, title=name) for name in ("a", "b", "c")]
    project = load(tmp_path, *goals)

    def sync() -> list[int]:
        shared = account(server)
        homes = tuple(
            Binding(TodoistConnector(shared, NAMESPACE, f"Project {name}"), frozenset({name})) for name in "abc"
        )
        plans = pipeline.make_plans(reading.read(project, homes, TODAY))
        pipeline.apply(plans, homes, lambda _: None)
        return [sum(getattr(home.connector.requests, kind) for home in homes) for kind in ("read", "write")]

    assert sync()[0] == 3 + 1  # is there really nothing? was it completed? are the projects archived?
    assert len(server.service.tasks()) == 3 * 5
    assert sync() == [1, 0]


def test_what_a_full_reading_lacks_is_asked_for(world: World, server: TodoistServer) -> None:
    server.service.set_title(world.native_id("g/two"), "My own words")
    server.service.stale_full_sync = 3
    again = connector(server)
    found = run(world.project, [again], TODAY)
    assert found.silent
    assert requests(again) == (2, 0)
    assert "My own words" in [task.content.title for task in found.found.views[0].tasks.values()]


def test_a_group_that_a_full_reading_lacks_is_asked_for(
    world: World, server: TodoistServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was done, and reopened with the step below it, which is listed: nothing open stands below what is done."""
    world.group("middle", "one", "two")
    world.sync()
    group = world.native_id("g/middle/")
    server.service.tick(group)
    world.sync()
    server.service.reopen(world.native_id("g/one"))
    read = Client.read

    def without_the_group(self: Client) -> Listing:
        listing = read(self)
        del listing.items[group]
        return listing

    monkeypatch.setattr(Client, "read", without_the_group)
    assert world.sync().actions == {}
    assert not server.service.task(group)["checked"]


def test_a_forgotten_sync_token_does_no_harm(world: World, server: TodoistServer) -> None:
    world.goal["deadline"] = "2027-10-07"
    one = connector(server)
    plans = pipeline.make_plans(found := _read(world.project, one))
    server.service.forget_sync_tokens()
    pipeline.apply(plans, found.homes, lambda _: None)
    assert world.sync().actions == {}
    assert len(titles(server.service)) == 4


def _read(project: Project, one: TodoistConnector) -> reading.Reading:
    homes = (Binding(one, frozenset(goal.id for goal in project.goals)),)
    return reading.read(project, homes, TODAY)


# What people do in the app


def test_a_time_of_day_that_a_person_added_stays(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/one")
    day = todoist.task(native_id)["due"]["date"]
    todoist.edit(native_id, due={"date": f"{day}T18:30:00"})
    assert world.sync().actions == {}
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    moved = todoist.task(native_id)["due"]["date"]
    assert moved.endswith("T18:30:00")
    assert moved[:10] > day


def test_a_fixed_time_stays_on_its_own_clock(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/one")
    day = date.fromisoformat(todoist.task(native_id)["due"]["date"])
    late = f"{day - timedelta(days=1)}T16:30:00Z"  # half past one at night in Tokyo, a day later
    todoist.edit(native_id, due={"date": late, "timezone": "Asia/Tokyo"})
    assert world.sync().actions == {}
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    due = todoist.task(native_id)["due"]
    assert (due["date"][10:], due["timezone"]) == ("T16:30:00Z", "Asia/Tokyo")
    assert world.tasks()["g/one"].content.due == date.fromisoformat(due["date"][:10]) + timedelta(days=1)


def test_what_people_write_around_the_marker_stays(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/one")
    todoist.set_description(native_id, f"Above\n\n{todoist.task(native_id)['description']}\n\nBelow")
    world.sync()
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    described = todoist.task(native_id)["description"]
    assert described.startswith("Above\n\nbp1 ")
    assert described.endswith("\n\nBelow")


def test_labels_that_people_add_or_rename_stay(world: World, todoist: Todoist) -> None:
    world.step("two", labels=["work"])
    world.sync()
    native_id = world.native_id("g/two")
    todoist.edit(native_id, labels=["work", "waiting"])
    world.step("two", labels=["work", "home"])
    world.sync()
    assert sorted(todoist.task(native_id)["labels"]) == ["home", "waiting", "work"]
    todoist.rename_label("waiting", "later")
    assert world.sync().actions == {}


def test_a_task_that_moved_to_another_project_is_followed(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/two")
    todoist.move(native_id, project=todoist.add_project("Elsewhere"))
    assert world.sync().actions == {}
    world.step("two", title="Go on there")
    world.sync()
    assert todoist.task(native_id)["content"] == "Go on there"
    todoist.tick(native_id)
    world.sync()
    assert world.states()["g/two"] == "done"


@pytest.mark.parametrize("days", [-30, -2, -1, 1, 2, 30])
def test_one_that_was_ticked_is_done_and_not_deleted_whatever_the_clock_of_this_machine_says(
    world: World, todoist: Todoist, days: int
) -> None:
    """days: by how many Todoist's clock is ahead. It does not promise to give a completed task by its id."""
    todoist.completed_can_be_read = False
    world.service.clock = days
    todoist.tick(world.native_id("g/two"))
    done = world.sync()
    assert world.states()["g/two"] == "done"
    assert done.found.schedule.goals[0].steps[1].done in {TODAY, TODAY + timedelta(min(days, 0))}


@pytest.mark.parametrize("days", [-1, 1])
def test_one_that_the_file_ticks_is_done_on_a_day_that_has_been_by_the_clock_of_the_service(
    world: World, todoist: Todoist, days: int
) -> None:
    world.service.clock = days
    world.step("two", done=TODAY)
    world.sync()
    done_at = todoist.task(world.native_id("g/two"))["completed_at"]
    assert datetime.fromisoformat(done_at).date() <= todoist.now.date()


@pytest.mark.parametrize("readable", [True, False])
def test_one_that_was_ticked_elsewhere_is_done_and_not_deleted(world: World, todoist: Todoist, readable: bool) -> None:
    todoist.completed_can_be_read = readable
    native_id = world.native_id("g/two")
    todoist.move(native_id, project=todoist.add_project("Elsewhere"))
    todoist.tick(native_id)
    world.sync()
    assert world.states()["g/two"] == "done"


def test_one_that_was_ticked_half_a_year_ago_is_found(world: World, todoist: Todoist) -> None:
    todoist.tick(world.native_id("g/one"))
    todoist.advance(timedelta(days=200))
    world.today += timedelta(days=30)
    world.sync()
    assert world.states()["g/one"] == "done"


def test_an_archived_project_deletes_nothing(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/two")
    elsewhere = todoist.add_project("Elsewhere")
    todoist.move(native_id, project=elsewhere)
    todoist.archive_project(elsewhere)
    assert world.sync().actions == {}
    assert world.states()["g/two"] == "live"


def test_a_renamed_project_is_followed(world: World, todoist: Todoist) -> None:
    goals = next(p["id"] for p in todoist.state()["projects"].values() if p["name"] == "Goals")
    todoist.rename_project(goals, "Ziele")
    world.goal["steps"].append({"id": "new", "title": "Rest", "takes": "1 day"})
    world.sync()
    assert todoist.task(world.native_id("g/new"))["project_id"] == goals
    for writes in (1, 0):  # the memory takes the new name
        again = TodoistConnector(account(world.service.server), NAMESPACE, "Ziele")  # type: ignore[attr-defined]
        assert run(world.project, [again], TODAY).actions == {}
        assert again.requests.write == writes


def test_a_task_that_people_made_recurring_is_theirs(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/two")
    todoist.make_recurring(native_id, "every week")
    before = todoist.task(native_id)
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert todoist.task(native_id)["due"] == before["due"]


def test_a_shared_project_and_an_assignee_stay_as_they_are(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/two")
    ben = todoist.add_user("Ben")
    todoist.share_project(todoist.task(native_id)["project_id"], ben)
    todoist.edit(native_id, responsible_uid=ben.id)
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert todoist.task(native_id)["responsible_uid"] == ben.id


def test_a_copy_of_what_was_done_since_is_nobodys_progress(world: World, todoist: Todoist) -> None:
    native_id = world.native_id("g/one")
    copy = todoist.duplicate(native_id)
    todoist.tick(native_id)
    world.sync()
    assert not todoist.task(copy)["checked"]
    assert "bp1" not in todoist.task(copy)["description"]
    assert world.states()["g/one"] == "done"


def test_an_open_task_of_a_persons_own_is_never_ticked_along(world: World, todoist: Todoist) -> None:
    own = todoist.add_task("Call Ben", parent_id=world.native_id("g/one"))
    world.step("one", done=TODAY)
    world.sync()
    assert not todoist.task(own)["checked"]


def test_done_in_the_file_some_days_ago_is_done_on_that_day(world: World, todoist: Todoist) -> None:
    world.step("one", done=TODAY - timedelta(days=3))
    world.sync()
    assert world.tasks()["g/one"].done_on == TODAY - timedelta(days=3)


def test_a_whole_goal_done_in_the_file_is_done_without_errors(world: World, todoist: Todoist) -> None:
    """Its steps are ticked with it, and to tick them again is an error to the service, not to us."""
    world.goal["done"] = TODAY
    world.sync()
    assert all(task["checked"] for task in todoist.tasks() if task["content"] != MEMORY)


@pytest.mark.parametrize("strict", [True, False])
def test_a_goal_that_left_the_file_goes_with_its_steps(
    server: TodoistServer, tmp_path: Path, strict: bool, todoist: Todoist
) -> None:
    todoist.repeats_are_errors = strict
    goals = a_goal(), a_goal(id="h", title="Stay")
    assert run(load(tmp_path, *goals), [connector(server)], TODAY).errors == []
    assert run(load(tmp_path, goals[1]), [connector(server)], TODAY, allow=True).errors == []
    assert titles(todoist) == sorted(["Stay", "Begin", "Go on", "Finish"])


def test_a_memory_that_was_deleted_is_made_anew_only_on_demand(world: World, server: TodoistServer) -> None:
    server.service.delete(next(task["id"] for task in server.service.tasks() if task["content"] == MEMORY))
    with pytest.raises(RefusedError, match="--rebuild"):
        world.sync()
    homes = (Binding(connector(server), frozenset({"g"})),)
    found = reading.read(world.project, homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert world.sync().actions == {}
    assert len(titles(server.service)) == 4


def test_all_is_made_anew_after_everything_was_deleted(world: World, todoist: Todoist) -> None:
    for task in todoist.tasks():
        if not todoist.task(task["id"])["is_deleted"]:
            todoist.delete(task["id"])
    world.sync()
    assert len(titles(todoist)) == 4


def test_all_is_made_anew_after_the_project_was_deleted(world: World, todoist: Todoist) -> None:
    todoist.delete_project(todoist.task(world.native_id("g"))["project_id"])
    world.sync()
    assert len(titles(todoist)) == 4


def test_a_project_that_was_archived_is_not_made_anew(world: World, todoist: Todoist) -> None:
    project = todoist.task(world.native_id("g"))["project_id"]
    todoist.archive_project(project)
    with pytest.raises(RefusedError, match="was archived"):
        world.sync()
    todoist.unarchive_project(project)
    assert world.sync().actions == {}


def test_comments_that_the_listing_lacks_are_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Client.read

    def without_comments(self: Client) -> Listing:
        listing = read(self)
        listing.notes.clear()
        return listing

    monkeypatch.setattr(Client, "read", without_comments)
    world.goal["deadline"] = "2027-10-07"
    assert len(world.sync().actions) == 4


def test_a_memory_without_its_comments_is_none(world: World, todoist: Todoist) -> None:
    memory = next(task["id"] for task in todoist.tasks() if task["content"] == MEMORY)
    for note in [note for note in todoist.state()["notes"].values() if note["item_id"] == memory]:
        todoist.note_delete(todoist.things[Kind.NOTES][note["id"]])
    with pytest.raises(RefusedError, match="--rebuild"):
        world.sync()


def test_a_memory_longer_than_a_comment(server: TodoistServer, tmp_path: Path) -> None:
    keys = [{"id": f"{n}-{'x' * 60}", "title": f"Step {n}", "takes": "1 day"} for n in range(280)]
    world = World(TodoistAccount(server), tmp_path, a_goal(steps=keys, deadline="2028-12-30"))
    world.sync()
    memory = next(task["id"] for task in server.service.tasks() if task["content"] == MEMORY)
    comments = server.service.comments(memory)
    assert len(comments) > 1
    assert max(map(len, comments)) <= 15_000
    world.goal["deadline"] = "2029-01-06"
    world.sync()


# Limits


def test_tasks_that_do_not_fit_are_refused_before_the_first_write(server: TodoistServer, tmp_path: Path) -> None:
    goals = [a_goal(id=name, title=name, steps=steps(120), deadline="2028-12-30") for name in ("a", "b", "c")]
    one = connector(server)
    with pytest.raises(RefusedError, match=r"has room for 299 more open tasks, and 363 are to be made: .* for c"):
        run(load(tmp_path, *goals), [one], TODAY)
    assert requests(one) == (4, 0)


def test_an_account_without_room_for_a_project_is_told(tmp_path: Path) -> None:
    with TodoistServer(Todoist(FREE, now=NOW)) as server:
        for number in range(5):
            server.service.add_project(f"Project {number}")
        one = connector(server)
        with pytest.raises(RefusedError, match=r"no project `Goals`, and none can be made"):
            run(load(tmp_path, a_goal()), [one], TODAY)
        assert one.requests.write == 0


def test_notes_that_are_too_long_fail_alone(world: World) -> None:
    world.step("two", notes="x" * 17_000)
    world.step("one", title="Begin at last")
    done = run(world.project, [world.service.connector()], TODAY)
    assert done.errors == [error for error in done.errors if "characters too long for Todoist" in error] != []
    assert world.tasks()["g/one"].content.title == "Begin at last"


def test_too_many_requests_are_waited_for(world: World, server: TodoistServer) -> None:
    server.faults.retry_after = 20
    server.faults.at(0, Fault.RATE_LIMITED, 2)
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert requests(again) == (3, 0)


def test_no_wait_is_longer_than_the_run_may_take(world: World, server: TodoistServer) -> None:
    server.faults.retry_after = 900
    server.faults.at(0, Fault.RATE_LIMITED)
    with pytest.raises(BackplanError, match="rate limited"):
        connector(server).read()
    assert server.log[-1].status == 429


def test_a_wrong_token_fails_at_once(world: World, server: TodoistServer) -> None:
    server.service.revoke(server.service.owner.token)
    one = connector(server)
    with pytest.raises(CredentialsError, match="TODOIST_API_TOKEN"):
        one.read()
    assert requests(one) == (1, 0)


def test_what_a_token_may_not_do_is_named(world: World, server: TodoistServer) -> None:
    owner = server.service.owner
    owner.token = server.service.add_token(owner, "data:read_write", "data:read")
    world.remove_step("two")
    done = run(world.project, [connector(server)], TODAY)
    assert ["data:delete" in error for error in done.errors] == [True]


# Settings


@pytest.mark.parametrize(
    ("options", "said"), [({"projekt": "A"}, "projekt"), ({"project": 3}, "project: 3"), ({"section": ""}, "section: ")]
)
def test_wrong_settings_are_named(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"invalid (option )?`{said}`"):
        TodoistConnector.configure(options, NAMESPACE, Environment.of_process(tmp_path))


def test_a_plan_needs_a_name_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text("sync: [todoist]\ngoals: [{title: A, deadline: 2027-09-30}]\n", encoding="utf-8")
    (goal,) = loader.load(path).goals
    assert goal.targets is not None
    with pytest.raises(InputError, match=r"goals.yaml:1:8: todoist: .*namespace: me/goals"):
        create(goal.targets[0], "local", Environment.of_process(tmp_path))


def test_another_account_is_refused(world: World) -> None:
    world.settings["account"] = "ben@example.org"
    with pytest.raises(RefusedError, match=r"ann@example.org"):
        world.sync()
    world.settings["account"] = "ann@example.org"
    assert world.sync().actions == {}


# Faults


def scenario_grouped(world: World) -> None:
    """Steps move below a group that is new, and another one goes."""
    world.group("beginning", "one")
    world.sync()
    world.goal = a_goal()
    world.group("middle", "one", "two")


SCENARIOS = (scenario_first, scenario_deadline, scenario_removed, scenario_done, scenario_grouped)
FIRST_NOW = (scenario_first, *(pytest.param(scenario, marks=pytest.mark.proof) for scenario in SCENARIOS[1:]))


def _prepared(folder: Path, server: TodoistServer, scenario: Callable[[World], None]) -> World:
    world = World(TodoistAccount(server), folder)
    server.service.add_task("Buy milk")
    scenario(world)
    return world


def _number_of_requests(folder: Path, scenario: Callable[[World], None]) -> int:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        world = _prepared(folder, server, scenario)
        before = server.count()
        run(world.project, [connector(server)], TODAY)
        return server.count() - before


def _assert_all_is_well(world: World, scenario: Callable[[World], None], server: TodoistServer) -> None:
    """After one clean run each task is there exactly once, and the next has nothing to do."""
    server.faults.clear()
    assert run(world.project, [connector(server)], TODAY).errors == []
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert again.requests.write == 0
    expected = {"Reach it", "Begin", "Go on", "Finish", "Buy milk"} - (
        {"Go on"} if scenario is scenario_removed else set()
    )
    if scenario is scenario_grouped:
        expected.add("The middle of it")
        tasks = world.tasks()
        assert {tasks[key].parent for key in ("g/one", "g/two")} == {tasks["g/middle/"].native_id}
        assert tasks["g/three"].parent == tasks["g/middle/"].parent == tasks["g"].native_id
    assert titles(server.service) == sorted(expected)
    assert sum(task["content"] == MEMORY for task in server.service.tasks()) == 1
    assert sum(p["name"] == "Goals" for p in server.service.state()["projects"].values()) == 1


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_any_fault_at_any_request(tmp_path: Path, scenario: Callable[[World], None]) -> None:
    """Tried again within the run, or given up and left to the next one, in turn."""
    number = _number_of_requests(tmp_path, scenario)
    assert number >= 2
    for at in tiers.requests(number):
        for turn, fault in enumerate(Fault, start=at):
            budget = 60 if turn % 2 else 0
            with TodoistServer(Todoist(PRO, now=NOW)) as server:
                world = _prepared(tmp_path, server, scenario)
                server.faults.at(at, fault)
                one = TodoistConnector(account(server, budget, timeout=0.3), NAMESPACE)
                with suppress(BackplanError):
                    run(world.project, [one], TODAY)
                _assert_all_is_well(world, scenario, server)


def test_a_later_part_whose_answer_is_lost_is_not_asked_for_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of it nobody knows: with other ids it would be made twice."""
    monkeypatch.setattr("connectors.todoist.api.MOST_COMMANDS", 2)
    number = _number_of_requests(tmp_path, scenario_first)
    for at, fault in product(tiers.requests(number), (Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.PARTIAL)):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            world = _prepared(tmp_path, server, scenario_first)
            server.faults.at(at, fault)
            with suppress(BackplanError):
                run(world.project, [TodoistConnector(account(server, budget=0), NAMESPACE)], TODAY)
            made = [title for title in titles(server.service) if title != "Buy milk"]
            assert len(made) == len(set(made)), (at, fault)
            _assert_all_is_well(world, scenario_first, server)


def test_a_persons_words_are_kept_before_they_are_overruled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends between the two leaves them in one place at least."""
    monkeypatch.setattr("connectors.todoist.api.MOST_COMMANDS", 1)
    for at in range(8):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            world = World(TodoistAccount(server), tmp_path)
            world.sync()
            world.service.set_title(world.native_id("g/two"), "In my own words")
            world.step("two", title="In the file's words")
            for later in range(at, 12):
                server.faults.at(later, Fault.NOT_SENT)
            with suppress(BackplanError):
                run(world.project, [TodoistConnector(account(server, budget=0), NAMESPACE)], TODAY)
            assert "In my own words" in server.service.text(), at


def test_a_persons_words_that_cannot_be_kept_are_not_overruled(world: World, server: TodoistServer) -> None:
    native_id = world.native_id("g/two")
    world.service.set_title(native_id, "In my own words")
    world.step("two", title="In the file's words")
    server.service.refused["note_add"] = "No comments today"
    done = run(world.project, [connector(server)], TODAY)
    assert "In my own words" in titles(server.service)
    assert done.errors == ["the words of the user there could not be kept in a comment: Todoist: No comments today"]
    server.service.refused.clear()
    world.sync()
    assert "In the file's words" in titles(server.service)
    assert "In my own words" in server.service.text()


def test_words_of_any_length_are_kept(world: World, server: TodoistServer) -> None:
    words = "All that I know about it. " * 600
    server.service.set_description(world.native_id("g/two"), words)
    world.step("two", notes="In the file's words")
    world.sync()
    assert server.service.text().count("All that I know about it.") == 600


@pytest.mark.parametrize("forgetful", [False, True], ids=["", "failed uuids stay failed"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_after_any_request(tmp_path: Path, scenario: Callable[[World], None], forgetful: bool) -> None:
    for last in range(1, _number_of_requests(tmp_path, scenario) + 1):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            server.service.failed_uuids_stay_failed = forgetful
            world = _prepared(tmp_path, server, scenario)

            class Dying(Api):
                sent = 0

                def _once(self, *asked: Any, last: int = last) -> Response:
                    answer = super()._once(*asked)
                    Dying.sent += 1
                    if Dying.sent == last:
                        raise Killed
                    return answer

            with pytest.raises(Killed):
                run(world.project, [TodoistConnector(account(server, api=Dying), NAMESPACE)], TODAY)
            _assert_all_made_is_remembered(world)
            _assert_all_is_well(world, scenario, server)


def _assert_all_made_is_remembered(world: World) -> None:
    """No task is made before the memory says so."""
    snapshot = world.read()
    known = {key for goal in snapshot.memory.values() for key in goal.keys}
    assert {task.marker.key for task in snapshot.tasks} <= known


@pytest.mark.proof
@pytest.mark.parametrize("most", [1, pytest.param(3, marks=pytest.mark.proof)])
def test_nothing_is_made_before_it_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """However a batch is cut: with every answer lost in turn, and every request refused."""
    monkeypatch.setattr("connectors.todoist.api.MOST_COMMANDS", most)
    more = [*a_goal()["steps"], *steps(5)]
    for at, fault in product(range(1, 9), (Fault.LOST, Fault.NOT_SENT, Fault.PARTIAL)):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            world = _prepared(tmp_path, server, scenario_first)
            world.sync()
            world.goal["steps"] = more
            for later in range(at, 30):
                server.faults.at(later, fault if later == at else Fault.NOT_SENT)
            with suppress(BackplanError):
                run(world.project, [TodoistConnector(account(server, budget=0), NAMESPACE)], TODAY)
            server.faults.clear()
            _assert_all_made_is_remembered(world)
            world.sync()
            assert len(titles(server.service)) == len(set(titles(server.service)))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_runs_that_race(tmp_path: Path, scenario: Callable[[World], None]) -> None:
    """Both read before either writes, and then their requests take turns, in every order of who is ahead."""
    for ahead in range(4):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            world = _prepared(tmp_path, server, scenario)
            ones = [connector(server), connector(server)]
            runs = [_execute(world.project, one) for one in ones]
            _take_turns(runs, ones, ahead)
            _assert_all_is_well(world, scenario, server)


def _execute(project: Project, one: TodoistConnector) -> Generator[work.Request, Any, object]:
    """Read and plan, and return what carries the plan out."""
    plans = pipeline.make_plans(_read(project, one))
    return executor.execute(plans, {one.label: one.capabilities})


def _take_turns(runs: list[Any], ones: list[TodoistConnector], ahead: int) -> None:
    answers: list[Any] = [None, None]
    turns = [0] * ahead + [1, 0] * 10
    ended = set()
    for turn in turns:
        if turn in ended:
            continue
        try:
            request = runs[turn].send(answers[turn])
        except StopIteration:
            ended.add(turn)
            continue
        try:
            answers[turn] = ones[turn].apply(request.batch)
        except BackplanError as error:
            answers[turn] = error


def test_what_a_person_deleted_after_a_crash_stays_deleted(server: TodoistServer, tmp_path: Path) -> None:
    """Made, its answer lost, the process killed, the task deleted: the repeat is answered with the dead task."""
    world = World(TodoistAccount(server), tmp_path)
    plans = _execute(world.project, one := connector(server))
    answer = one.apply(next(plans).batch)
    one.apply(plans.send(answer).batch)  # and the answer is lost
    server.service.delete(next(task["id"] for task in server.service.tasks() if task["content"] == "Go on"))
    run(world.project, [connector(server)], TODAY)
    world.sync()  # without it, the others have other dates
    assert titles(server.service) == ["Begin", "Finish", "Reach it"]
    assert world.states()["g/two"] == "dropped"


def test_a_task_without_room_is_made_when_there_is_room_again(server: TodoistServer, tmp_path: Path) -> None:
    """Also where a uuid that was refused once is refused for ever."""
    server.service.failed_uuids_stay_failed = True
    project = server.service.add_project("Goals")
    crowd = [server.service.add_task(f"Crowd {n}", project) for n in range(200)]
    world = World(TodoistAccount(server), tmp_path, a_goal(steps=steps(90), deadline="2028-12-30"))
    plans = pipeline.make_plans(found := _read(world.project, connector(server)))
    crowd += [server.service.add_task(f"Late {n}", project) for n in range(40)]
    applied = pipeline.apply(plans, found.homes, lambda _: None)
    errors = [change.error for plan in applied for change in plan.changes if change.error]
    assert len(errors) == 32
    assert all("the project is full" in error for error in errors)
    for task in crowd:
        server.service.delete(task)
    world.sync()
    assert len(titles(server.service)) == 91


# The real command


@pytest.fixture
def env(server: TodoistServer) -> dict[str, str]:
    return {"TODOIST_API_URL": server.url, "TODOIST_API_TOKEN": server.service.owner.token}


def test_many_tasks_that_are_gone_at_once_are_not_believed_to_be_deleted(server: TodoistServer, tmp_path: Path) -> None:
    project = load(tmp_path, a_goal(steps=steps(9)), a_goal(id="h", title="Another", steps=steps(5)))
    todoist = server.service
    assert run(project, [connector(server)], TODAY).errors == []
    by_key = {task.marker.key: task.native_id for task in connector(server).read().tasks}
    todoist.delete(by_key["h"])  # with all below it, which is one deed
    for number in range(3):
        todoist.delete(by_key[f"g/s{number}"])
    assert run(project, [connector(server)], TODAY, write=False).found.unread == {}
    todoist.delete(by_key["g/s3"])
    done = run(project, [connector(server)], TODAY)
    assert done.silent
    (why,) = done.found.unread.values()
    assert "of 10 of the 16 tasks that should be there, it says that there are none. Rights may have been" in why
    assert run(project, [connector(server)], TODAY, allow=True).errors == []
    assert run(project, [connector(server)], TODAY).silent


GOALS = """
namespace: me/goals
sync:
  - todoist: {project: Career}
goals:
  - id: g
    title: Reach it
    deadline: 2027-09-30
    steps: [{id: one, title: Begin}, {id: two, title: Go on}]
"""


def test_the_command_syncs(person: Person, server: TodoistServer, env: dict[str, str]) -> None:
    person.writes(GOALS)
    planned = person.run("plan", "--json", env=env)
    assert planned.code == 0, planned.err
    assert server.service.tasks() == []
    done = person.run("sync", "--json", env=env)
    assert done.code == 0, done.err
    assert [change["status"] for change in done.json["connectors"][0]["changes"]] == ["applied"] * 3
    assert titles(server.service) == ["Begin", "Go on", "Reach it"]
    writes = server.commands
    again = person.run("sync", env=env)
    assert (again.code, server.commands) == (0, writes)
    assert server.service.owner.token not in done.out + done.err + again.out + again.err


def test_the_token_may_stand_in_a_file(person: Person, server: TodoistServer, env: dict[str, str]) -> None:
    person.writes(GOALS)
    person.writes(env.pop("TODOIST_API_TOKEN") + "\n", "token")
    assert person.run("sync", env={**env, "TODOIST_API_TOKEN_FILE": str(person.folder / "token")}).code == 0
    person.writes(f"TODOIST_API_TOKEN={server.service.owner.token}\n", ".env")
    assert person.run("plan", "--exit-code", env=env).code == 0


def test_no_file_says_where_a_token_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.env` may come with the repository: it could send the token of the environment to whoever wrote it."""
    monkeypatch.delenv("TODOIST_API_URL", raising=False)
    (tmp_path / ".env").write_text("TODOIST_API_URL=https://example.org\n", encoding="utf-8")
    assert Environment.of_process(tmp_path).settings(TODOIST.credential).url == "https://api.todoist.com"
    monkeypatch.setenv("TODOIST_API_URL", "https://todoist.example.org/")
    assert Environment.of_process(tmp_path).settings(TODOIST.credential).url == "https://todoist.example.org"


def test_on_a_pull_request_no_settings_come_from_a_file(
    person: Person, server: TodoistServer, env: dict[str, str]
) -> None:
    person.writes(GOALS)
    person.writes(f"TODOIST_API_TOKEN={env.pop('TODOIST_API_TOKEN')}\n", ".env")
    on_pull_request = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_WORKSPACE": "."}
    assert person.run("plan", env={**env, **on_pull_request}).code == 77
    assert person.run("plan", env=env).code == 0


def test_a_token_that_stands_in_a_file_is_hidden_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TODOIST_API_TOKEN", raising=False)
    (tmp_path / ".env").write_text("TODOIST_API_TOKEN=looks-like-nothing-42\n", encoding="utf-8")
    assert (
        Environment.of_process(tmp_path).settings(TODOIST.credential).secret().get_secret_value()
        == "looks-like-nothing-42"
    )
    assert hide("said: looks-like-nothing-42!") == "said: (hidden)!"


def test_without_a_token_the_command_says_where_to_get_one(person: Person, server: TodoistServer) -> None:
    person.writes(GOALS)
    done = person.run("sync", env={"TODOIST_API_URL": server.url})
    assert done.code == 77
    assert "Settings > Integrations > Developer" in done.err
    assert person.run("schedule").code == 0


def test_the_token_goes_nowhere_but_by_https(person: Person, env: dict[str, str]) -> None:
    person.writes(GOALS)
    done = person.run("sync", env={**env, "TODOIST_API_URL": "http://example.org"})
    assert done.code == 64
    assert "https://" in done.err


def test_a_wrong_setting_is_named_and_not_repeated(person: Person, env: dict[str, str]) -> None:
    person.writes(GOALS)
    done = person.run("sync", env={**env, "BACKPLAN_TIME_BUDGET": "as long as it takes"})
    assert done.code == 64
    assert "BACKPLAN_TIME_BUDGET" in done.err
    assert "as long as it takes" not in done.err


def test_doctor_tells_what_there_is(person: Person, server: TodoistServer, env: dict[str, str]) -> None:
    person.writes(GOALS)
    done = person.run("doctor", "--json", env=env)
    (connector,) = done.json["connectors"]
    assert {fact["what"]: fact["ok"] for fact in connector["facts"]} == dict.fromkeys(
        ("token", "account", "plan", "project", "requests"), True
    )
    assert "does not exist yet" in done.out
    assert "ann@example.org" in person.run("doctor", env=env).out
    wrong = person.run("doctor", env={**env, "TODOIST_API_TOKEN": "0" * 40})
    assert (wrong.code, "WRONG" in wrong.out) == (1, True)
    assert server.commands == 0


def test_offline_commands_load_nothing_of_the_network(person: Person) -> None:
    person.writes(GOALS)
    script = (
        "import sys; sys.argv = ['backplan', 'schedule', '--today', '2027-07-20']\n"
        "from sync.cli.app import run\nassert run() == 0\n"
        "heavy = {'httpx', 'tenacity', 'dotenv', 'todoist_api_python'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=person.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_tick_in_one_app_completes_in_the_other_in_the_same_run(server: TodoistServer, tmp_path: Path) -> None:
    project = load(tmp_path, a_goal())

    def both() -> list[Any]:
        return [connector(server), MarkdownConnector(tmp_path / "todo.md", NAMESPACE)]

    run(project, both(), TODAY)
    server.service.tick(next(task["id"] for task in server.service.tasks() if task["content"] == "Begin"))
    run(project, both(), TODAY)
    text = (tmp_path / "todo.md").read_text("utf-8")
    assert [line for line in text.splitlines() if "[x] Begin" in line]
    (tmp_path / "todo.md").write_text(text.replace("[ ] Go on", "[x] Go on"), encoding="utf-8")
    run(project, both(), TODAY)
    assert {task["content"] for task in server.service.tasks() if task["checked"]} == {"Begin", "Go on"}
    (tmp_path / "todo.md").write_text(
        (tmp_path / "todo.md").read_text("utf-8").replace("[x] Go on", "[ ] Go on"), encoding="utf-8"
    )
    run(project, both(), TODAY)
    assert {task["content"] for task in server.service.tasks() if task["checked"]} == {"Begin"}
    assert run(project, both(), TODAY).silent
    assert len(titles(server.service)) == 4


def test_a_task_can_be_asked_to_stand_elsewhere(world: World, server: TodoistServer) -> None:
    one, two = world.tasks()["g/one"], world.tasks()["g/two"]
    writer = connector(server)
    writer.read()
    fields = frozenset({"parent"})
    (answer, alone) = writer.apply(
        [
            Write(Action.UPDATE, "g/one", one.native_id, one.content, one.marker, fields, parent="g/two"),
            Write(Action.UPDATE, "g/two", two.native_id, two.content, two.marker, fields),
        ]
    )
    assert (answer.error, alone.error) == (None, None)
    assert server.service.task(one.native_id)["parent_id"] == two.native_id
    assert server.service.task(two.native_id)["parent_id"] is None


def test_a_newer_marker_of_ours_stops_and_a_strangers_does_not(world: World, todoist: Todoist) -> None:
    project = todoist.task(world.native_id("g"))["project_id"]
    todoist.add_task("Not ours", project, description="bp2 aaaaaaaaaa you/plans g/one anything")
    todoist.add_task("Not ours either", project, description="bp2 revision for the exam")
    assert world.sync().actions == {}
    newer = todoist.add_task("Ours", project, description=f"bp2 aaaaaaaaaa {NAMESPACE} g/one anything")
    with pytest.raises(RefusedError, match="newer version"):
        world.sync()
    todoist.delete(newer)
