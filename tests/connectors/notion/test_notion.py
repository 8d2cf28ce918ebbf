"""What only Notion does: columns that people make and rename, states in groups, ranges of dates, pages with content."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import BackplanError, CredentialsError, MissingError, RefusedError
from connectors.base import Action
from tests.connectors.contract import TODAY, World, run
from tests.connectors.notion_account import NOTION, NotionAccount
from tests.servers.http import Response
from tests.servers.notion import DATABASE, SOURCE, NotionServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.http import Request


@pytest.fixture
def server() -> Iterator[NotionServer]:
    with NotionServer() as server:
        yield server


@pytest.fixture
def account(server: NotionServer) -> NotionAccount:
    return NotionAccount(NOTION, server)


@pytest.fixture
def world(account: NotionAccount, tmp_path: Path) -> World:
    world = World(account, tmp_path)
    world.sync()
    return world


def test_missing_columns_are_created_by_the_first_sync_and_not_by_plan(
    account: NotionAccount, server: NotionServer, tmp_path: Path
) -> None:
    server.columns |= {"Until": "date", "State": "status"}
    world = World(account, tmp_path)
    options: dict[str, Any] = {"due": "Until", "done": "State"}
    facts = {check.what: check.sentence for check in NOTION.connect(server, **options).facts()}
    assert facts["columns"] == "the first sync will create “Labels”, “Priority”, “Notes”, “backplan”"
    run(world.project, [NOTION.connect(server, **options)], TODAY, write=False)
    assert [*server.columns] == ["Name", "Until", "State"]
    assert run(world.project, [NOTION.connect(server, **options)], TODAY).errors == []
    assert [*server.columns] == ["Name", "Until", "State", "Labels", "Priority", "Notes", "backplan"]
    (one,) = (row for row in server.table.rows.values() if row["title"] == "Begin")
    for state, done in (("s-4", True), ("s-2", False), ("s-3", True)):
        account.edit(one["id"], State=state)
        assert run(world.project, [NOTION.connect(server, **options)], TODAY).errors == []
        tasks = {task.marker.key: task for task in NOTION.connect(server, **options).read().tasks}
        assert tasks["g/one"].done is done
    world.step("two", done=TODAY)
    assert run(world.project, [NOTION.connect(server, **options)], TODAY).errors == []
    assert {row["State"] for row in server.table.rows.values() if row["title"] == "Go on"} == {"s-3"}


@pytest.mark.parametrize("name", ["Due", "backplan"])
def test_a_column_that_was_renamed_is_not_created_again(world: World, server: NotionServer, name: str) -> None:
    kind = server.columns.pop(name)
    server.columns["Renamed"] = kind
    for row in server.table.rows.values():
        row["Renamed"] = row.pop(name, None)
    before = len(server.table.rows)
    with pytest.raises(RefusedError, match=rf"the table has no column “{name}”, and was used by backplan before"):
        world.run(NOTION.connect(server))
    option: dict[str, Any] = {{"Due": "due", "backplan": "marker"}[name]: "Renamed"}
    assert run(world.project, [NOTION.connect(server, **option)], TODAY).silent
    assert (len(server.table.rows), name in server.columns) == (before, False)


def test_a_column_of_another_type_is_named(server: NotionServer) -> None:
    server.columns["Due"] = "rich_text"
    with pytest.raises(RefusedError, match="the column “Due” has the type rich_text, but `due:` needs date"):
        NOTION.connect(server).read()


def test_a_page_with_something_in_it_is_not_deleted(world: World, account: NotionAccount, server: NotionServer) -> None:
    native_id = world.native_id("g/two")
    server.inside[native_id] = [{"object": "block", "id": "block-0"}]  # with a token of the same user
    world.remove_step("two")
    assert world.sync().actions["g/two"] is Action.REMOVE
    assert native_id in account.shown
    assert "bp1" not in account.row(native_id)["backplan"]


def test_a_time_of_day_is_read_as_its_day(world: World, account: NotionAccount) -> None:
    native_id = world.native_id("g/two")
    account.edit(native_id, Due={"start": "2027-09-10T09:00:00.000+02:00", "end": None})
    world.sync()
    assert world.tasks()["g/two"].content.due == date(2027, 9, 10)
    assert world.tasks()["g/two"].marker.pinned


def test_long_notes_take_several_pieces_and_too_long_ones_are_said(world: World) -> None:
    world.step("one", notes="👍" * 9_000, labels=["a, b"])
    world.sync()
    assert world.tasks()["g/one"].content.notes == "👍" * 9_000
    assert world.tasks()["g/one"].content.labels == ("a b",)
    world.step("two", notes="x" * 20_001)
    world.step("three", title="Finish at last")
    (error,) = world.run(world.service.connector()).errors
    assert "characters too long for Notion" in error
    assert world.tasks()["g/three"].content.title == "Finish at last"
    world.step("two", notes="")


def test_an_overload_is_waited_for(world: World, server: NotionServer) -> None:
    left = [1]

    def overloaded(request: Request, response: Response) -> Response:
        return Response.json({"code": "service_overload"}, 529) if left and left.pop() else response

    server.bend, before = overloaded, server.table.now
    assert world.sync().errors == []
    assert (server.table.now - before).total_seconds() >= 30


def test_a_database_that_is_gone_unclear_or_read_only_is_named(world: World, server: NotionServer) -> None:
    with pytest.raises(MissingError, match=r"no such database, or the token does not see it: .* add the connection"):
        NOTION.connect(server, database="f" * 32).read()
    assert NOTION.connect(server, database=f"https://www.notion.so/me/Goals-{DATABASE}?v=1").read().tasks
    assert NOTION.connect(server, database=SOURCE).read().tasks
    server.sources.append("another")
    with pytest.raises(BackplanError, match=r"several tables, or none; write the id of one .*another"):
        NOTION.connect(server).read()
    server.sources.pop()
    server.table.forbidden.add("PATCH /v1/pages/{page}")
    world.goal["deadline"] = "2027-10-07"
    done = world.run(NOTION.connect(server))
    said = "\n".join([*done.errors, *(str(plan.error) for plan in done.plans)])
    assert "it needs the capabilities to read, insert and update content" in said
    server.table.forbidden.add("GET /v1/users/me")
    with pytest.raises(CredentialsError):
        NOTION.connect(server).read()


@pytest.mark.proof
def test_a_thousand_pages_of_others_stay_as_they_are(account: NotionAccount, tmp_path: Path) -> None:
    world = World(account, tmp_path)
    world.sync()
    for number in range(1000):
        account.add_foreign_task(f"Page {number}")
    before = account.foreign_tasks()
    again = NOTION.connect(account.server)
    assert run(world.project, [again], TODAY).silent
    assert (again.requests.read, again.requests.write) == (4, 0)
    assert account.foreign_tasks() == before
