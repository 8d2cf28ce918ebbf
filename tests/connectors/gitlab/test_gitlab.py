"""What only GitLab does: what it carries out, what it refuses, labels, and who may have written an issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.errors import CredentialsError, MissingError
from sync.run import pipeline, reading
from sync.run.homes import Binding
from tests.connectors.contract import World
from tests.connectors.gitlab_account import GITLAB, GitLabAccount
from tests.servers import gitlab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.table import TableServer


@pytest.fixture
def server() -> Iterator[TableServer]:
    with gitlab.server() as server:
        yield server


@pytest.fixture
def account(server: TableServer) -> GitLabAccount:
    return GitLabAccount(GITLAB, server)


@pytest.fixture
def world(account: GitLabAccount, tmp_path: Path) -> World:
    """Our four issues beside one of a person."""
    account.add_foreign_task("Buy milk")
    world = World(account, tmp_path)
    world.begin()
    return world


@pytest.mark.parametrize("words", ["/close", "Call\n\n/close\n  /assign @jasmine", "@jasmine, see #1 and !2"])
def test_nothing_is_carried_out_and_nobody_is_mentioned(world: World, server: TableServer, words: str) -> None:
    world.step("two", title=" ".join(words.split()), notes=words)
    world.step("three", title="@jasmine /close")
    world.sync()
    world.service.set_title(world.native_id("g/three"), "/close @ann")
    world.sync()
    world.step("three", title="Finish after all")
    world.sync()  # which keeps the person's words
    ours = [row for row in server.table.rows.values() if "backplan" in row["labels"]]
    assert {row["state"] for row in ours} == {"opened"}
    assert gitlab.mentions(server.table) == []
    assert world.tasks()["g/two"].content.notes.replace("\N{WORD JOINER}", "").replace("\\/", "/") == words
    assert any("/close" in note for notes in server.table.notes.values() for note in notes)


def test_where_the_token_may_not_delete_an_issue_is_closed_and_is_nobodys(world: World, account: GitLabAccount) -> None:
    account.table.forbidden.add(f"DELETE {gitlab.ISSUE}")
    row = account.row(world.native_id("g/two"))
    world.remove_step("two")
    world.sync()
    assert (row["state"], row["labels"], "bp1" in row["description"]) == ("closed", [], False)
    assert world.states()["g/two"] == "removed"
    world.goal["steps"].append({"id": "two", "title": "Go on", "takes": "1 week"})
    world.sync()
    assert (world.tasks()["g/two"].done, account.titles().count("Go on")) == (False, 2)


def test_what_has_lost_its_label_is_found_all_the_same(world: World, account: GitLabAccount) -> None:
    before = world.tasks()
    for row in account.table.rows.values():
        row["labels"] = []
    world.sync()
    assert world.tasks() == before
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert len(account.titles()) == 6


def test_a_marker_or_memory_that_anybody_may_have_written_is_not_believed(world: World, server: TableServer) -> None:
    before, states = world.tasks(), world.states()
    for row in list(server.table.rows.values()):
        if "<!-- bp" in (row["description"] or ""):
            gitlab.add(server.table, "Not ours", author="jasmine", description=row["description"])
            row["labels"] = []  # so that all of the project is looked through
    assert world.sync().actions == {}
    assert (world.tasks(), world.states()) == (before, states)


def test_how_far_a_long_run_has_come_is_told_a_few_times_a_minute(world: World, server: TableServer) -> None:
    world.goal["steps"] += [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(50)]
    homes = (Binding(GITLAB.connect(server), frozenset({"g"})),)
    told: list[str] = []
    pipeline.apply(pipeline.make_plans(reading.read(world.project, homes, world.today)), homes, told.append)
    begun, *pieces = told
    assert begun.startswith("writing ")
    assert [words.split(", ")[0] for words in pieces] == [f"gitlab (ann/goals): {n} of 53 changes" for n in (45, 53)]


def test_a_project_that_is_gone_and_one_that_may_not_be_read_are_named(server: TableServer) -> None:
    with pytest.raises(MissingError, match=r"gitlab \(ann/gone\): the project does not exist"):
        GITLAB.connect(server, project="ann/gone").read()
    server.table.forbidden.add(f"GET {gitlab.ISSUES}")
    with pytest.raises(CredentialsError, match=r"403 Forbidden.*it needs the scope `api`"):
        GITLAB.connect(server).read()
