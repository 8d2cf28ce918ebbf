"""Whatever the shape of GitHub's answers, a run ends with an error that can be explained, and writes nothing wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BackplanError
from tests import tiers
from tests.connectors import shapes
from tests.connectors.contract import TODAY, World, run
from tests.connectors.github_account import GitHubAccount, connector, shown
from tests.servers.github_server import GitHubServer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.conftest import Person
    from tests.servers.github import GitHub

EVERYTHING: dict[str, Any] = {"project": 4, "dependencies": True, "milestone": True}


def _world(server: GitHubServer, folder: Path, options: dict[str, Any]) -> World:
    """Return four issues with changes of every kind, by people, by a robot and in the file."""
    github = server.service
    github.add_project("ann", 4)
    for name in ("Start date", "Target date"):
        github.add_field("ann", name)
    world = World(GitHubAccount(server, **options), folder)
    world.step("two", notes="Call before 10", labels=["work"], who="ann")
    run(world.project, [connector(server, **options)], TODAY)
    two = github.issue(world.native_id("g/two"))
    github.edit(two.number, body=f"Above\n\n{two.body}\n\nBelow")
    github.comment(two.number, "Ask Ann first")
    github.close(world.native_id("g/three"), "not_planned", github.add_user("stale[bot]", "Bot"))
    world.goal["deadline"] = "2027-10-07"
    world.goal["steps"].append({"id": "new", "title": "Think", "takes": "1 day", "labels": ["home"]})
    return world


def _stands(github: GitHub) -> list[tuple[object, ...]]:
    """Return what people see of the issues."""
    return sorted(
        (
            *(one.title, one.state, one.state_reason, one.body.partition("<!--")[0], one.body.rpartition("-->")[2]),
            *(sorted(label.name for label in one.labels), [user.login for user in one.assignees]),
            *(one.parent and one.parent.title, sorted(other.title for other in one.blocked_by)),
        )
        for one in shown(github)
    )


def test_the_command_says_what_is_missing_and_ends_with_1(person: Person) -> None:
    with GitHubServer() as server:
        goal = "goals: [{title: Be, deadline: 2027-09-30}]"
        person.writes(f"namespace: me/goals\nsync: [{{github: {{repo: ann/goals}}}}]\n{goal}\n")
        env = {"GITHUB_API_URL": server.base, "GITHUB_TOKEN": server.service.token}
        assert person.run("sync", env=env).code == 0
        shapes.bend(server, shapes.Bend(1, (0, "node_id"), retyped=False))
        done = person.run("sync", env=env)
        assert done.code == 1
        assert "github (ann/goals) could not be read" in done.err
        assert "GitHub's answer on the issues is not as expected (`node_id` is missing)" in done.err


def _ends(folder: Path, options: dict[str, Any], how: shapes.Bend | None) -> tuple[list[tuple[object, ...]], list[Any]]:
    """Return how it all stands after a run with a bent answer and one without, and what else could have been bent."""
    with GitHubServer() as server:
        world = _world(server, folder, options)
        found = shapes.record(server) if how is None else []
        if how is not None:
            shapes.bend(server, how)
        with suppress(BackplanError):
            run(world.project, [connector(server, **options)], TODAY)
        server.bend = None
        assert run(world.project, [connector(server, **options)], TODAY).errors == []
        assert run(world.project, [connector(server, **options)], TODAY).silent
        return _stands(server.service), found


def test_an_answer_of_another_shape_is_an_error_and_harms_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    known = {name: _ends(folder, options, None) for name, options in (("plain", {}), ("all", EVERYTHING))}

    @settings(max_examples=10 if tiers.quick else 200)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(known)))
        expected, bends = known[name]
        how = data.draw(st.sampled_from(bends))
        assert _ends(folder, EVERYTHING if name == "all" else {}, how)[0] == expected

    holds()
