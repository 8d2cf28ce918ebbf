"""A memory that stands elsewhere than in tasks: in boxes of the place, as safe as in tasks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from config.errors import BackplanError, RefusedError
from connectors.gitlab import GitLab, GitLabOptions
from connectors.service import ServiceConnector
from connectors.snapshot import Hiding, LastLine, Row
from connectors.tasks import Limits, Shelf, Wanted
from tests.connectors.contract import TODAY, World, run
from tests.connectors.gitlab_account import GITLAB
from tests.servers import gitlab
from tests.servers.http import Fault
from tests.servers.table import Call, Route, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.http import Api

BOXES = "/api/v4/projects/{project}/boxes"
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


class Boxes:
    """Texts of a project, each in a request."""

    limits: ClassVar[Limits] = Limits(title=0, text=1000)
    hiding: ClassVar[Hiding] = LastLine()

    def __init__(self, api: Api, path: str) -> None:
        self._api, self._path = api, f"{path}/boxes"

    def rows(self, *, whole: bool = False) -> list[Row]:
        return [_box(said) for said in self._api.ask("GET", self._path).json()]

    def row(self, native_id: str) -> Row | None:
        return next((row for row in self.rows() if row.id == native_id), None)

    def create(self, wanted: Wanted) -> Row:
        return _box(self._api.ask("POST", self._path, body={"text": wanted.text}, repeatable=False).json())

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        return _box(self._api.ask("PUT", f"{self._path}/{row.id}", body={"text": wanted.text}).json())

    def remove(self, row: Row) -> bool:
        return self._api.ask("DELETE", f"{self._path}/{row.id}").ok


def _box(said: Any) -> Row:
    return Row(str(said["id"]), "", said["text"], added=f"{said['id']:06}")


class GitLabWithBoxes(GitLab):
    """GitLab whose memory is no issue."""

    @property
    def boxes(self) -> Shelf:
        return Boxes(self._api, self._path)


class GitLabWithBoxesConnector(ServiceConnector, service=GitLabWithBoxes, options=GitLabOptions):
    """The issues of one project."""


class BoxServer(TableServer):
    """A project with boxes."""

    def __init__(self) -> None:
        self.boxes: dict[str, dict[str, Any]] = {}
        self.made = 0
        super().__init__(
            replace(
                gitlab.GITLAB,
                routes={
                    **gitlab.GITLAB.routes,
                    f"GET {BOXES}": Route(lambda table, call: list(self.boxes.values())),
                    f"POST {BOXES}": Route(self._make, body=TEXT),
                    f"PUT {BOXES}/{{box}}": Route(self._change, body=TEXT),
                    f"DELETE {BOXES}/{{box}}": Route(lambda table, call: self.boxes.pop(call.parts["box"]) and None),
                },
            )
        )

    def _make(self, table: Table, call: Call) -> Any:
        self.made += 1
        self.boxes[str(self.made)] = {"id": self.made, **call.body}
        return self.boxes[str(self.made)]

    def _change(self, table: Table, call: Call) -> Any:
        self.boxes[call.parts["box"]] |= call.body
        return self.boxes[call.parts["box"]]


STAND = replace(GITLAB, connector=GitLabWithBoxesConnector, server=BoxServer)


@pytest.fixture
def server() -> Iterator[BoxServer]:
    with BoxServer() as server:
        yield server


def begin(server: BoxServer, folder: Path, steps: int = 2) -> World:
    world = World(STAND.person(STAND, server), folder)
    world.goal["steps"] = [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(steps)]
    return world


def test_the_memory_is_in_boxes_and_no_task_holds_it(server: BoxServer, tmp_path: Path) -> None:
    world = begin(server, tmp_path)
    world.sync()
    assert STAND.person(STAND, server).titles() == ["Reach it", "Step 0", "Step 1"]
    assert len(server.boxes) == 1
    world.service.tick(world.native_id("g/s0"))
    world.sync()
    assert world.states()["g/s0"] == "done"
    (box,) = server.boxes.values()
    box["text"] = "Not needed"
    with pytest.raises(RefusedError, match="the memory beside our 3 tasks is gone"):
        world.run(STAND.connect(server))


def test_one_that_needs_more_room_takes_another_set_of_boxes(server: BoxServer, tmp_path: Path) -> None:
    begin(server, tmp_path).sync()
    world = begin(server, tmp_path, 20)
    world.sync()
    assert len(server.boxes) > 1
    assert len({text["text"].split("\n\n")[1].split()[3] for text in server.boxes.values()}) == 1


@pytest.mark.proof
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.NOT_SENT])
def test_a_run_that_ends_at_any_request_is_finished_by_the_next(tmp_path: Path, fault: Fault) -> None:
    for at in range(24):
        with BoxServer() as server:
            begin(server, tmp_path).sync()
            world = begin(server, tmp_path, 12)
            server.faults.at(at, fault)
            server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            with suppress(BackplanError):
                run(world.project, [STAND.connect(server, budget=60)], TODAY)
            server.faults.clear()
            assert run(world.project, [STAND.connect(server)], TODAY).errors == []
            world.sync()
            titles = STAND.person(STAND, server).titles()
            assert titles == sorted(["Reach it", *(f"Step {n}" for n in range(12))]), at
