"""Whatever the shape of Todoist's answers, a run ends with an error that can be explained, and writes nothing wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BackplanError
from tests import tiers
from tests.connectors import shapes
from tests.connectors.contract import TODAY, World, run
from tests.connectors.todoist_account import NOW, TodoistAccount, connector
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.conftest import Person


def _world(server: TodoistServer, folder: Path) -> World:
    """Return four tasks with changes of every kind, by a person and in the file."""
    account = TodoistAccount(server)
    world = World(account, folder)
    world.step("two", notes="Call before 10", labels=["work"], priority="high")
    run(world.project, [connector(server)], TODAY)
    account.todoist.add_comment(world.native_id("g/two"), "Ask Ann first")
    account.todoist.tick(world.native_id("g/one"))
    account.todoist.delete(world.native_id("g/three"))
    world.goal["deadline"] = "2027-10-07"
    world.goal["steps"].append({"id": "new", "title": "Think", "takes": "1 day", "labels": ["home"]})
    return world


def _stands(todoist: Todoist) -> list[tuple[object, ...]]:
    """Return what people see of the tasks."""
    tasks = {task["id"]: task for task in todoist.tasks() if not task["is_deleted"]}
    return sorted(
        (
            *(task["content"], task["description"].rpartition("bp1 ")[0], sorted(task["labels"]), task["priority"]),
            *(task["checked"], task["due"] and task["due"]["date"]),
            *(task["parent_id"] in tasks and tasks[task["parent_id"]]["content"], task["note_count"]),
        )
        for task in tasks.values()
        if "memory" not in task["content"]
    )


def test_the_command_says_what_is_missing_and_ends_with_1(person: Person) -> None:
    with TodoistServer(Todoist(PRO)) as server:
        person.writes("namespace: me/goals\nsync: [todoist]\ngoals: [{title: Be, deadline: 2027-09-30}]\n")
        env = {"TODOIST_API_URL": server.url, "TODOIST_API_TOKEN": server.service.owner.token}
        shapes.bend(server, shapes.Bend(0, ("projects", 0, "name"), retyped=False))
        done = person.run("sync", env=env)
        assert done.code == 1
        assert "todoist (Goals) could not be read" in done.err
        assert "answer on the account is not as expected (`projects.0.name` is missing)" in done.err


def _ends(folder: Path, how: shapes.Bend | None) -> tuple[list[tuple[object, ...]], list[Any]]:
    """Return how it all stands after a run with a bent answer and one without, and what else could have been bent."""
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        world = _world(server, folder)
        found = shapes.record(server) if how is None else []
        if how is not None:
            shapes.bend(server, how)
        with suppress(BackplanError):
            run(world.project, [connector(server)], TODAY)
        server.bend = None
        assert run(world.project, [connector(server)], TODAY).errors == []
        assert run(world.project, [connector(server)], TODAY).silent
        return _stands(server.service), found


def test_an_answer_of_another_shape_is_an_error_and_harms_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    expected, bends = _ends(folder, None)

    @settings(max_examples=10 if tiers.quick else 200)
    @given(st.sampled_from(bends))
    def holds(how: shapes.Bend) -> None:
        assert _ends(folder, how)[0] == expected

    holds()
