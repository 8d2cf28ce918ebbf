"""GitLab beside the contract: faults at every request, what GitLab carries out or refuses, and the real command."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import BackplanError, CredentialsError, InputError, MissingError, RefusedError
from connectors.gitlab import GitLab
from connectors.http import Api
from connectors.service import Limits
from sync.run import executor, pipeline, reading, work
from sync.run.homes import Binding
from tests import tiers
from tests.connectors import shapes
from tests.connectors.contract import TODAY, World, run
from tests.connectors.gitlab_account import GitLabAccount, connector
from tests.connectors.scenarios import Killed, scenario_deadline, scenario_done, scenario_first, scenario_removed
from tests.servers import gitlab
from tests.servers.http import Fault, Response
from tests.servers.table import TOKEN, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    import requests

    from connectors.gitlab import GitLabConnector
    from tests.conftest import Person
    from tests.servers.http import Request

    Scenario = Callable[[World], None]

DELETE = f"DELETE {gitlab.ISSUE}"
FAULTS = [fault for fault in Fault if fault not in (Fault.TIMEOUT, Fault.UNAUTHORIZED)]  # which take long, or are final


@pytest.fixture
def server() -> Iterator[TableServer]:
    with gitlab.server() as server:
        yield server


@pytest.fixture
def world(server: TableServer, tmp_path: Path) -> World:
    """Our four issues beside one of a person."""
    world = World(GitLabAccount(server), tmp_path)
    world.service.add_foreign_task("Buy milk")
    world.begin()
    return world


def titles(server: TableServer) -> list[str]:
    return sorted(row["title"] for row in server.table.rows.values())


# Faults


def scenario_refused(world: World) -> None:
    """A step leaves the file, and the token may not delete."""
    scenario_removed(world)
    world.service.server.table.forbidden.add(DELETE)  # type: ignore[attr-defined]  # it is GitLab


def scenario_new(world: World) -> None:
    """Steps are added, so that what is remembered takes more room."""
    world.sync()
    world.goal["steps"] += [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(4)]


SCENARIOS = (scenario_first, scenario_deadline, scenario_removed, scenario_done, scenario_refused)
FIRST_NOW = (scenario_first, *(pytest.param(scenario, marks=pytest.mark.proof) for scenario in SCENARIOS[1:]))


def _prepared(folder: Path, server: TableServer, scenario: Scenario) -> World:
    world = World(GitLabAccount(server), folder)
    world.service.add_foreign_task("Buy milk")
    scenario(world)
    return world


def _number_of_requests(folder: Path, scenario: Scenario) -> int:
    with gitlab.server() as server:
        world = _prepared(folder, server, scenario)
        before = server.count()
        run(world.project, [connector(server)], TODAY)
        return server.count() - before


def _assert_all_is_well(world: World, scenario: Scenario, server: TableServer) -> None:
    """After one clean run each issue is there exactly once, with one memory, and the next run has nothing to do."""
    server.faults.clear()
    assert run(world.project, [connector(server)], TODAY).errors == []
    again = connector(server)
    assert run(world.project, [again], TODAY).silent
    assert again.requests.write == 0
    gone = {"Go on"} if scenario is scenario_removed else set()
    expected = {"Reach it", "Begin", "Go on", "Finish", "Buy milk", "backplan's memory, keep this"} - gone
    assert titles(server) == sorted(expected)


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_one_fault_anywhere_is_overcome_within_the_run(tmp_path: Path, scenario: Scenario) -> None:
    for at, fault in product(range(_number_of_requests(tmp_path, scenario)), FAULTS):
        with gitlab.server() as server:
            world = _prepared(tmp_path, server, scenario)
            server.faults.at(at, fault)
            done = run(world.project, [connector(server)], TODAY)
            assert (done.errors, done.found.unread) == ([], {}), (at, fault)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_a_run_that_ends_at_any_request_is_finished_by_the_next(tmp_path: Path, scenario: Scenario) -> None:
    """From there on nothing is answered any more, in a run that has little time to wait."""
    faults = (Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.UNAUTHORIZED)
    for at, fault in product(range(_number_of_requests(tmp_path, scenario)), faults):
        with gitlab.server() as server:
            world = _prepared(tmp_path, server, scenario)
            server.faults.at(at, fault)
            server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            with suppress(BackplanError):
                run(world.project, [connector(server, budget=60)], TODAY)
            assert len(titles(server)) == len(set(titles(server))), (at, fault)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_killed_after_any_request(tmp_path: Path, scenario: Scenario) -> None:
    for last in range(1, _number_of_requests(tmp_path, scenario) + 1):
        with gitlab.server() as server:
            world = _prepared(tmp_path, server, scenario)

            class Dying(Api):
                sent = 0

                def _answered(self, response: requests.Response, last: int = last) -> requests.Response:
                    Dying.sent += 1
                    if Dying.sent == last:
                        raise Killed
                    return super()._answered(response)

            with pytest.raises(Killed):
                run(world.project, [connector(server, api=Dying)], TODAY)
            _assert_all_is_well(world, scenario, server)


@pytest.mark.parametrize("scenario", [scenario_first, pytest.param(scenario_new, marks=pytest.mark.proof)])
def test_a_memory_of_several_issues_is_as_safe_as_one(
    tmp_path: Path, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitLab, "limits", Limits(title=255, text=720))
    for at in range(_number_of_requests(tmp_path, scenario)):
        with gitlab.server() as server:
            world = _prepared(tmp_path, server, scenario)
            server.faults.at(at, Fault.LOST)
            server.faults.at(at + 1, Fault.NOT_SENT, 1000)
            with suppress(BackplanError):
                run(world.project, [connector(server, budget=60)], TODAY)
            server.faults.clear()
            assert run(world.project, [connector(server)], TODAY).errors == [], at
            world.sync()
            ours = [title for title in titles(server) if not title.startswith("backplan")]
            assert len(ours) == len(set(ours)) == len(world.goal["steps"]) + 2
            texts = (row["description"] or "" for row in server.table.rows.values())
            pieces = [text for text in texts if "bpm1" in text]
            assert len(pieces) > 1
            assert all(f"/{len(pieces)} " in piece for piece in pieces)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY_APPLIED])
def test_a_list_that_lags_makes_nothing_twice(tmp_path: Path, fault: Fault) -> None:
    for at in range(_number_of_requests(tmp_path, scenario_first)):
        with gitlab.server() as server:
            world = _prepared(tmp_path, server, scenario_first)
            server.table.settles = 1.5
            server.faults.at(at, fault)
            assert run(world.project, [connector(server)], TODAY).errors == []
            server.table.now += timedelta(seconds=2)
            _assert_all_is_well(world, scenario_first, server)


@pytest.mark.parametrize("ahead", range(4))
@pytest.mark.parametrize("scenario", FIRST_NOW)
def test_two_runs_that_race_are_put_right_by_the_next(tmp_path: Path, scenario: Scenario, ahead: int) -> None:
    """Both read before either writes, and then their requests take turns."""
    with gitlab.server() as server:
        world = _prepared(tmp_path, server, scenario)
        ones = [connector(server), connector(server)]
        runs = [_execute(world, one) for one in ones]
        answers: list[Any] = [None, None]
        for turn in [0] * ahead + [1, 0] * 10:
            with suppress(StopIteration):
                request = runs[turn].send(answers[turn])
                answers[turn] = ones[turn].apply(request.batch)
        run(world.project, [connector(server)], TODAY)  # nobody has to allow anything
        _assert_all_is_well(world, scenario, server)


def _execute(world: World, one: GitLabConnector) -> Generator[work.Request, Any, object]:
    homes = (Binding(one, frozenset({"g"})),)
    return executor.execute(
        pipeline.make_plans(reading.read(world.project, homes, TODAY)), {one.label: one.capabilities}
    )


def test_a_list_that_is_empty_is_not_believed_at_once(world: World, server: TableServer) -> None:
    before = world.tasks()
    server.faults.at(1, Fault.EMPTY_200)
    assert world.run(connector(server)).silent
    assert world.tasks() == before


def _ends(folder: Path, how: shapes.Bend | None) -> tuple[object, list[shapes.Bend]]:
    """Return how it all stands after a run with a bent answer and one without, and what else could have been bent."""
    with gitlab.server() as server:
        world = _prepared(folder, server, scenario_removed)
        world.service.set_title(world.native_id("g/one"), "My own words")
        world.sync()
        world.step("one", title="The file's words", who="jasmine", labels=["home"])
        found = shapes.record(server) if how is None else []
        if how is not None:
            shapes.bend(server, how)
        with suppress(BackplanError):
            run(world.project, [connector(server)], TODAY)
        server.bend = None
        assert run(world.project, [connector(server)], TODAY).errors == []
        assert run(world.project, [connector(server)], TODAY).silent
        tasks = {key: (task.content, task.done) for key, task in world.tasks().items()}
        return (tasks, titles(server)), found


def test_an_answer_of_another_shape_is_an_error_and_harms_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shapes")
    expected, bends = _ends(folder, None)

    @settings(max_examples=10 if tiers.quick else 200)
    @given(st.sampled_from(bends))
    def holds(how: shapes.Bend) -> None:
        assert _ends(folder, how)[0] == expected

    holds()


# What GitLab carries out, and what it refuses


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
    assert any("/close" in note for row in ours for note in row["notes"])


def test_where_the_token_may_not_delete_an_issue_is_closed_and_is_nobodys(world: World, server: TableServer) -> None:
    server.table.forbidden.add(DELETE)
    row = world.service.issue(world.native_id("g/two"))  # type: ignore[attr-defined]  # it is GitLab
    world.remove_step("two")
    world.sync()
    assert (row["state"], row["labels"], "bp1" in row["description"]) == ("closed", [], False)
    assert world.states()["g/two"] == "removed"
    world.goal["steps"].append({"id": "two", "title": "Go on", "takes": "1 week"})
    world.sync()
    assert (world.tasks()["g/two"].done, titles(server).count("Go on")) == (False, 2)


def test_what_has_lost_its_label_is_found_all_the_same(world: World, server: TableServer) -> None:
    before = world.tasks()
    for row in server.table.rows.values():
        row["labels"] = []
    world.sync()
    assert world.tasks() == before
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert len(titles(server)) == 6


def test_a_marker_or_memory_that_anybody_may_have_written_is_not_believed(world: World, server: TableServer) -> None:
    before, states = world.tasks(), world.states()
    for row in list(server.table.rows.values()):
        if "<!-- bp" in (row["description"] or ""):
            gitlab.add(server.table, "Not ours", author="jasmine", description=row["description"])
            row["labels"] = []  # so that all of the project is looked through
    assert world.sync().actions == {}
    assert (world.tasks(), world.states()) == (before, states)


def test_a_memory_that_was_closed_counts_and_one_that_is_gone_or_damaged_stops_the_run(
    world: World, server: TableServer
) -> None:
    row = next(row for row in server.table.rows.values() if "memory" in row["title"])
    gitlab.close(server.table, row)
    assert world.sync().actions == {}
    for text, words in (
        (row["description"].replace('"goal"', '"gaol"'), r"gitlab \(ann/goals\): a line of the memory is damaged"),
        (
            "Not needed",
            r"the memory beside our 4 tasks is gone\. Restore the description of the issue “backplan's memory",
        ),
    ):
        before, row["description"] = row["description"], text
        with pytest.raises(RefusedError, match=words):
            world.run(connector(server))
        row["description"] = before
    assert world.sync().actions == {}


def test_all_pages_are_read(world: World, server: TableServer) -> None:
    server.table.most = 2
    assert world.sync().actions == {}
    assert server.count("GET", "/issues") > 4


def test_a_limit_that_says_no_time_is_waited_for(world: World, server: TableServer) -> None:
    world.goal["deadline"] = "2027-10-07"
    server.faults.retry_after = 0
    server.faults.at(3, Fault.RATE_LIMITED)
    before = server.table.now
    world.sync()
    assert timedelta(seconds=60) <= server.table.now - before < timedelta(seconds=100)


def test_a_wrong_token_and_a_project_that_is_gone_are_named(server: TableServer) -> None:
    with pytest.raises(CredentialsError, match="does not accept the token in GITLAB_TOKEN"):
        connector(server, token="wrong").read()  # noqa: S106  # it is none
    with pytest.raises(MissingError, match=r"gitlab \(ann/gone\): there is no such project"):
        connector(server, project="ann/gone").read()
    server.table.forbidden.add(f"GET {gitlab.ISSUES}")
    with pytest.raises(CredentialsError, match=r"403 Forbidden.*it needs the scope `api`"):
        connector(server).read()


def test_no_token_follows_to_another_host(server: TableServer) -> None:
    with gitlab.server() as other:

        def moved(request: Request, response: Response) -> Response:
            return Response(302, headers=(("Location", f"{other.url}{request.path}"),))

        server.bend = moved
        with pytest.raises(BackplanError, match="unexpected or incomplete response"):
            connector(server, budget=1).read()
        assert other.log == []


# Settings, and the real command


@pytest.mark.parametrize(
    ("options", "place", "words"),
    [
        ("{projekt: me/goals}", "3:14", "invalid option `projekt`; did you mean `project`?"),
        ("{project: goals}", "3:14", "invalid `project: goals`; expected the path of a project, such as me/goals"),
        ("{project: 7}", "3:14", "invalid `project: 7`; expected the path of a project"),
        ("{}", "3:5", "`project` is missing; expected the path of a project"),
    ],
)
def test_wrong_settings_are_named_with_their_place(person: Person, options: str, place: str, words: str) -> None:
    person.writes(GOALS.replace("{project: ann/goals}", options))
    done = person.run("sync")
    assert done.code == InputError.exit_code
    assert f"goals.yaml:{place}: gitlab: {words}" in done.err


GOALS = """namespace: me/goals
sync:
  - gitlab: {project: ann/goals}
goals: [{id: g, title: Reach it, deadline: 2027-09-30, steps: [{id: one, title: Begin}, {id: two, title: Go on}]}]
"""


def test_the_command_syncs_and_doctor_tells_what_there_is(person: Person, server: TableServer) -> None:
    person.writes(GOALS)
    person.writes(f"{TOKEN}\n", "token")
    env = {"GITLAB_URL": server.url, "GITLAB_TOKEN_FILE": str(person.folder / "token")}
    assert person.run("sync", env=env).code == 0
    assert "nothing to do" in person.run("sync", env=env).out or server.count("POST") == 4
    (told,) = person.run("doctor", "--json", env=env).json["connectors"]
    assert {fact["what"]: fact["ok"] for fact in told["facts"]} == dict.fromkeys(("token", "account", "project"), True)
    missing = person.run("sync", env={"GITLAB_URL": server.url})
    assert missing.code == CredentialsError.exit_code
    assert "GitLab's token is missing: in GitLab, open Preferences > Access tokens" in missing.err
    assert person.run("sync", env={**env, "GITLAB_URL": "http://gitlab.example.org"}).code == InputError.exit_code
