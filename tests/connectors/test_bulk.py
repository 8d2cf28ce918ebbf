"""Several tasks by one request, as GitLab would make them if it did: each is made once, whatever happens to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from config.errors import BackplanError
from connectors.gitlab import GitLab, GitLabOptions
from connectors.service import ServiceConnector
from connectors.tasks import TEXT
from tests.connectors.contract import TODAY, World, run
from tests.connectors.gitlab_account import GITLAB
from tests.servers import gitlab
from tests.servers.http import Fault
from tests.servers.table import Call, RefusedError, Route, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from connectors.snapshot import Row
    from connectors.tasks import Wanted

FIELDS = frozenset({"title", TEXT, "due", "who", "labels"})


class GitLabInBulk(GitLab):
    """GitLab with a request that makes several issues; one that it does not take leaves out that issue, or all."""

    at_once: ClassVar[int] = 10

    def create_many(self, wanted: Sequence[Wanted]) -> list[Row | BackplanError]:
        body = {"issues": [self._body(one, FIELDS, None) for one in wanted]}
        answer = self._api.ask("POST", f"{self._path}/bulk", body=body, repeatable=False).json()
        return [BackplanError(one["error"]) if "error" in one else self._row(one) for one in answer["issues"]]


class GitLabInBulkConnector(ServiceConnector, service=GitLabInBulk, options=GitLabOptions):
    """The issues of one project."""


def _bulk(table: Table, call: Call) -> Any:
    make = gitlab.GITLAB.routes[f"POST {gitlab.ISSUES}"].answer
    if any(one["title"] == "Refuse all" for one in call.body["issues"]):
        raise RefusedError(400, "one of them is wrong")
    return {"issues": [_made(make, table, Call(call.parts, {}, one)) for one in call.body["issues"]]}


def _made(make: Any, table: Table, call: Call) -> Any:
    return {"error": "this one is wrong"} if call.body["title"] == "Refuse this" else make(table, call)


BULK = f"POST {gitlab.ISSUES.replace('/issues', '/bulk')}"
SHAPE = replace(gitlab.GITLAB, routes={**gitlab.GITLAB.routes, BULK: Route(_bulk, body={"type": "object"})})
STAND = replace(GITLAB, connector=GitLabInBulkConnector, server=lambda: TableServer(SHAPE))


@pytest.fixture
def server() -> Iterator[TableServer]:
    with STAND.server() as server:
        yield server


def begin(server: TableServer, folder: Path, steps: int = 12) -> World:
    world = World(STAND.person(STAND, server), folder)
    world.goal["steps"] = [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(steps)]
    return world


def test_tasks_are_made_ten_at_once_and_below_none_that_has_no_id(server: TableServer, tmp_path: Path) -> None:
    world = begin(server, tmp_path, 25)
    world.sync()
    assert (server.count("POST", "/bulk"), server.count("POST", "/issues")) == (3, 2)  # the memory, and the goal
    assert len(server.table.rows) == 27


def test_one_that_is_refused_harms_no_other(server: TableServer, tmp_path: Path) -> None:
    for title, words in (("Refuse this", "this one is wrong"), ("Refuse all", "one of them is wrong")):
        world = begin(server, tmp_path)
        world.goal["steps"][3]["title"] = title
        done = run(world.project, [STAND.connect(server)], TODAY)
        (error,) = done.errors if title == "Refuse this" else [words]  # by itself it is taken
        assert words in error
        world.goal["steps"][3]["title"] = "Step 3"
        world.sync()
        titles = [title for title in STAND.person(STAND, server).titles() if title.startswith("Step")]
        assert titles == sorted({f"Step {n}" for n in range(12)})


@pytest.mark.proof
def test_each_task_is_made_once_whatever_happens_to_a_request(tmp_path: Path) -> None:
    for at, fault in product(range(8), (Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.HALF, Fault.NOT_SENT)):
        with STAND.server() as server:
            world = begin(server, tmp_path)
            server.table.settles = 1.5
            server.faults.at(at, fault)
            assert run(world.project, [STAND.connect(server)], TODAY).errors == []
            server.table.settles = 0
            world.sync()
            assert len(server.table.rows) == 14, (at, fault)
