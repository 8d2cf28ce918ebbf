"""What only Linear does: attachments, labels of teams, issues below issues, Markdown made anew, other teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.errors import MissingError
from connectors.base import Action
from sync.run import pipeline, reading
from sync.run.homes import Binding
from tests.connectors.contract import TODAY, World, run
from tests.connectors.linear_account import LINEAR, LinearAccount
from tests.servers.http import Fault
from tests.servers.linear import OTHER, TEAM, LinearServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTES = "Bring:\n\n- the_form\n* a \\*new\\* pen\n\n\n\nAsk first <!-- not me -->"


@pytest.fixture
def server() -> Iterator[LinearServer]:
    with LinearServer() as server:
        yield server


@pytest.fixture
def account(server: LinearServer) -> LinearAccount:
    return LinearAccount(LINEAR, server)


@pytest.fixture
def world(account: LinearAccount, tmp_path: Path) -> World:
    world = World(account, tmp_path)
    world.sync()
    return world


def test_an_issue_whose_attachment_failed_is_completed_and_not_created_again(
    account: LinearAccount, server: LinearServer, tmp_path: Path
) -> None:
    world = World(account, tmp_path)
    server.breaks += ["attachmentCreate"] * 9
    run(world.project, [LINEAR.connect(server)], TODAY)
    assert [row for row in server.table.rows.values() if not row["cards"]]
    server.breaks.clear()
    world.sync()
    assert account.titles() == ["Begin", "Finish", "Go on", "Reach it", "backplan's memory, keep this"]
    server.breaks.append("attachmentCreate")
    world.goal["deadline"] = "2027-10-07"
    run(world.project, [LINEAR.connect(server)], TODAY)
    world.sync()
    assert world.tasks()["g"].content.due == world.project.goals[0].deadline
    assert not any(task.marker.pinned for task in world.tasks().values())


def test_labels_are_those_that_exist_and_each_new_one_is_created_once(world: World, server: LinearServer) -> None:
    server.faults.judge(lambda index, method, path: Fault.LOST if index % 2 else None)
    world.step("one", labels=["bug", "big one"])
    world.step("two", labels=["big one", "bug"])
    world.run(LINEAR.connect(server))
    server.faults.clear()
    world.sync()
    assert sorted(label["name"] for label in server.labels.values()) == ["big one", "bug"]
    assert world.tasks()["g/one"].content.labels == world.tasks()["g/two"].content.labels == ("big one", "bug")


def test_steps_are_below_their_goal_and_what_users_put_below_stays(
    world: World, account: LinearAccount, server: LinearServer
) -> None:
    goal, step = world.native_id("g"), world.native_id("g/two")
    rows = server.table.rows
    assert {rows[world.native_id(key)]["parentId"] for key in ("g/one", "g/two", "g/three")} == {goal}
    theirs = account.add("Ask Ann first", parentId=step)
    assert world.tasks()["g/two"].touched
    world.remove_step("two")
    assert world.sync().actions["g/two"] is Action.DETACH
    rows[step]["archivedAt"] = server.table.stamp()
    world.goal |= {"id": "h", "title": "Another one"}
    assert world.run(account.connector(), allow=True).errors == []
    assert rows[goal]["trashed"]
    assert [(rows[one]["trashed"], rows[one]["parentId"]) for one in (step, theirs)] == [(None, None), (None, step)]


def test_markdown_that_comes_back_in_another_form_is_no_edit(world: World, server: LinearServer) -> None:
    world.step("two", notes=NOTES, checklist=["Bring the form"])
    world.sync()
    stored = server.table.rows[world.native_id("g/two")]["description"]
    assert "* the\\_form" in stored
    assert "not me" in stored
    server.table.rows[world.native_id("g/two")]["description"] = f"{stored}\n\nMine"
    assert world.sync().actions == {}
    assert world.tasks()["g/two"].content.notes.endswith("Mine")


def test_an_issue_in_another_team_is_closed_with_a_state_of_that_team(world: World, server: LinearServer) -> None:
    row = server.table.rows[world.native_id("g/one")]
    row["team"] = OTHER
    world.step("one", done=TODAY)
    assert world.sync().actions == {"g/one": Action.COMPLETE}
    assert row["type"] == "completed"


def test_an_issue_that_linear_archived_is_still_done_and_can_be_reopened(world: World, server: LinearServer) -> None:
    world.step("one", done=TODAY)
    done = world.sync()
    server.table.rows[world.native_id("g/one")]["archivedAt"] = server.table.stamp()
    assert world.sync().actions == {}
    assert world.undo(done) == {"g/one": Action.REOPEN}
    assert not world.tasks()["g/one"].done


def test_a_deleted_issue_whose_id_is_taken_comes_back_from_the_trash(world: World, account: LinearAccount) -> None:
    for native_id in (world.native_id("g/two"), account.memory()):
        account.delete(native_id)
    homes = (Binding(account.connector(), frozenset({"g"})),)
    found = reading.read(world.project, homes, TODAY, rebuild=True)
    assert [plan.error for plan in pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)] == [None]
    world.sync()
    assert len(world.tasks()) == 4
    assert len(account.titles()) == len(set(account.titles())) == 5


def test_what_is_too_long_is_said_and_harms_no_other(world: World) -> None:
    world.step("one", title="x" * 300)
    world.step("two", notes="x" * 20_001)
    world.step("three", title="Finish at last")
    (error,) = world.run(world.service.connector()).errors
    assert "characters too long for Linear; shorten its notes in the goals file" in error
    world.step("two", notes="")
    world.sync()
    assert world.tasks()["g/one"].content.title == "x" * 255
    assert world.tasks()["g/three"].content.title == "Finish at last"


def test_a_team_that_is_not_there_and_a_key_that_may_only_read_are_named(world: World, server: LinearServer) -> None:
    with pytest.raises(
        MissingError, match=r"linear \(ABC\): no team has this key.*may read: ENG, OPS\)\. Check `team:`"
    ):
        LINEAR.connect(server, team="ABC").read()
    assert LINEAR.connect(server, team="eng").read().tasks
    server.table.forbidden |= {"issueUpdate", "attachmentCreate"}
    world.goal["deadline"] = "2027-10-07"
    done = world.run(LINEAR.connect(server))
    said = "\n".join([*done.errors, *(str(plan.error) for plan in done.plans)])
    assert "the API key in LINEAR_API_KEY may not do that (Linear: Invalid scope: `write` required)" in said
    assert "it needs the permissions Read and Write, and access to the team" in said
    server.retired = True
    assert {check.what: check.sentence for check in LINEAR.connect(server).facts()}["team"] == "it is retired"


@pytest.mark.proof
def test_a_thousand_issues_of_others_cost_ten_requests_once(account: LinearAccount, tmp_path: Path) -> None:
    for number in range(1000):
        account.add_foreign_task(f"Issue {number}")
    before, world = account.foreign_tasks(), World(account, tmp_path)
    first = LINEAR.connect(account.server)
    assert run(world.project, [first], TODAY).errors == []
    assert first.requests.read < 15
    again = LINEAR.connect(account.server)
    assert run(world.project, [again], TODAY).silent
    assert (again.requests.read, again.requests.write) == (2, 0)
    assert account.foreign_tasks() == before
    assert {row["team"] for row in account.table.rows.values()} == {TEAM}
