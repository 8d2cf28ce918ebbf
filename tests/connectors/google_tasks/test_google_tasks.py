"""What only Google Tasks does: a list that the first sync makes, limits that come as 403, order, tasks below others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import BackplanError, CredentialsError, RefusedError
from tests.connectors.contract import TODAY, World, run
from tests.connectors.google_tasks_account import GOOGLE_TASKS, GoogleTasksAccount
from tests.servers.google_tasks import NAME, GoogleTasksServer
from tests.servers.http import Fault, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[GoogleTasksServer]:
    with GoogleTasksServer() as server:
        yield server


@pytest.fixture
def account(server: GoogleTasksServer) -> GoogleTasksAccount:
    return GoogleTasksAccount(GOOGLE_TASKS, server)


@pytest.fixture
def world(account: GoogleTasksAccount, tmp_path: Path) -> World:
    world = World(account, tmp_path)
    world.sync()
    return world


def test_tasks_stand_in_the_order_of_the_file_and_a_new_one_in_its_place(
    world: World, server: GoogleTasksServer
) -> None:
    world.goal["steps"].insert(1, {"id": "new", "title": "Think", "takes": "1 day"})
    world.sync()
    titles = [server.table.rows[native_id]["title"] for native_id in server.order]
    assert titles == ["Reach it", "Begin", "Think", "Go on", "Finish", "backplan's memory, keep this"]


@pytest.mark.proof
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.NOT_SENT])
def test_the_list_is_made_once_whatever_happens(tmp_path: Path, fault: Fault) -> None:
    for at in range(9):
        with GoogleTasksServer() as server:
            world = World(GoogleTasksAccount(GOOGLE_TASKS, server), tmp_path)
            server.faults.at(at, fault)
            assert run(world.project, [GOOGLE_TASKS.connect(server)], TODAY).errors == []
            world.sync()
            assert [*server.lists.values()] == ["My Tasks", NAME], at


def test_two_lists_of_one_name_are_not_chosen_from(world: World, server: GoogleTasksServer) -> None:
    server.lists["list-2"] = NAME
    with pytest.raises(BackplanError, match=r"google-tasks \(Goals\): several lists have this name; rename one"):
        GOOGLE_TASKS.connect(server).read()


def test_a_list_that_was_renamed_in_the_app_is_not_created_again(world: World, server: GoogleTasksServer) -> None:
    server.lists["list-1"] = "My goals"
    before = dict(server.lists), server.count("POST", "/tasks")
    with pytest.raises(RefusedError, match="“My goals” contains a memory of backplan"):
        world.run(GOOGLE_TASKS.connect(server))
    assert (server.lists, server.count("POST", "/tasks")) == before
    assert GOOGLE_TASKS.connect(server, list="My goals").read().tasks


def test_a_limit_that_comes_as_403_is_waited_for_and_another_403_is_said(
    world: World, server: GoogleTasksServer
) -> None:
    left = [1]

    def limited(request: Request, response: Response) -> Response:
        if request.method == "PATCH" and left[0]:
            left[0] -= 1
            return Response.json({"error": {"errors": [{"reason": "rateLimitExceeded"}], "message": "Slow"}}, 403)
        return response

    server.bend, before = limited, server.table.now
    world.goal["deadline"] = "2027-10-07"
    assert world.sync().errors == []
    assert server.table.now - before >= timedelta(seconds=30)
    server.bend = None
    server.table.forbidden |= set(server.shape.routes) - {"POST /token"}
    with pytest.raises(CredentialsError, match=r"Google Tasks: Error 403\): it needs the Tasks API to be enabled"):
        GOOGLE_TASKS.connect(server).read()


def test_words_that_the_file_overrules_stand_below_the_task_once(
    world: World, server: GoogleTasksServer, account: GoogleTasksAccount
) -> None:
    one = world.native_id("g/one")
    account.set_title(one, "My own words")
    world.sync()
    world.step("one", title="The file's words")
    left = [Fault.LOST]

    def judge(index: int, method: str, path: str) -> Fault | None:
        return left.pop() if left and method == "POST" and path.endswith("/tasks") else None

    server.faults.judge(judge)
    assert world.run(GOOGLE_TASKS.connect(server)).errors == []
    assert left == []
    world.sync()
    (kept,) = (row for row in server.table.rows.values() if row["parent"] == one)
    assert kept["title"] == "Before the goals file changed it: title was: My own words"
    assert world.tasks()["g/one"].touched
