"""Two runs in one process, at once, with settings of their own: neither sees the other's token, account or secrets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from config.redaction import Secrets, hide
from config.settings import Environment
from connectors.base import Action
from connectors.http import connect
from connectors.todoist.api import TODOIST
from sync.run import pipeline, reading
from sync.run.workspace import open_workspace
from tests.connectors.contract import TODAY
from tests.connectors.gitlab_account import GITLAB
from tests.connectors.google_tasks_account import GOOGLE_TASKS
from tests.connectors.todoist_account import TodoistAccount
from tests.servers import gitlab
from tests.servers.http import Response
from tests.servers.table import Table, TableServer
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.http import LoopbackServer, Request

TOKENS = {"ann": "the-first-of-two-words", "ben": "another-word-altogether"}
GOALS = """namespace: me/goals
sync: [{place}]
goals: [{{id: g, title: Of {name}, deadline: 2027-09-30, steps: [{{id: one, title: Begin}}]}}]
"""


@dataclass
class Person:
    """Somebody with an account of their own, and a goals file in a folder that others have theirs in."""

    name: str
    server: LoopbackServer
    variables: dict[str, str]
    place: str

    def __post_init__(self) -> None:
        self.asked_with: set[str] = set()

        def note(request: Request, response: Response) -> Response:
            token = request.headers.get("private-token") or request.headers.get("authorization", "")
            self.asked_with.add(token.removeprefix("Bearer "))
            return response

        self.server.bend = note

    def run(self, folder: Path, together: Barrier) -> list[str]:
        """Sync; return what there is to say of it, as it may be said."""
        path = folder / f"{self.name}.yaml"
        path.write_text(GOALS.format(place=self.place, name=self.name), encoding="utf-8")
        workspace = open_workspace(path, TODAY, self.variables)
        with workspace.environment.secrets.hidden():
            homes = workspace.homes()
            together.wait()
            found = reading.read(workspace.project, homes, TODAY)
            together.wait()
            plans = pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
            together.wait()
            said = [*found.unread.values(), *(change.error or "" for plan in plans for change in plan.changes)]
            said += [str(change.action) for plan in plans for change in plan.changes]
            return [hide(one) for one in said if one]


def _with_gitlab(name: str, server: TableServer) -> Person:
    variables = {"GITLAB_TOKEN": TOKENS[name], "GITLAB_URL": server.url}
    return Person(name, server, variables, "gitlab: {project: ann/goals}")


def _with_todoist(name: str, server: TodoistServer) -> Person:
    return Person(
        name, server, {"TODOIST_API_TOKEN": server.service.owner.token, "TODOIST_API_URL": server.url}, "todoist"
    )


@pytest.fixture
def on_gitlab() -> Iterator[list[Person]]:
    with _gitlab("ann") as one, _gitlab("ben") as two:
        yield [_with_gitlab("ann", one), _with_gitlab("ben", two)]


@pytest.fixture
def on_todoist() -> Iterator[list[Person]]:
    with TodoistServer() as one, TodoistServer() as two:
        yield [_with_todoist("ann", one), _with_todoist("ben", two)]


def _gitlab(name: str) -> TableServer:
    return TableServer(gitlab.GITLAB, Table(token=TOKENS[name]))


def run(people: list[Person], folder: Path) -> list[list[str]]:
    together = Barrier(len(people), timeout=60)
    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(lambda person: person.run(folder, together), people))


@pytest.mark.parametrize("service", ["gitlab", "todoist"])
def test_each_token_goes_to_its_own_server_and_each_plan_into_its_own_account(
    service: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    people: list[Person] = request.getfixturevalue(f"on_{service}")
    assert run(people, tmp_path) == [[str(Action.CREATE)] * 2] * 2
    for person in people:
        (token,) = (value for name, value in person.variables.items() if name.endswith("TOKEN"))
        assert person.asked_with == {token}
        server: Any = person.server
        text = (GITLAB.person(GITLAB, server) if service == "gitlab" else TodoistAccount(server)).text()
        assert [name for name in TOKENS if f"Of {name}" in text] == [person.name]


def test_a_message_hides_the_secrets_of_its_own_run_and_they_are_forgotten_after_it(
    on_gitlab: list[Person], tmp_path: Path
) -> None:
    for person in on_gitlab:  # a server that says all it knows
        person.server.bend = lambda request, response: Response.json({"message": " ".join(TOKENS.values())}, 400)
    (of_ann,), (of_ben,) = run(on_gitlab, tmp_path)
    ann, ben = TOKENS.values()
    assert f"(hidden) {ben}" in of_ann
    assert f"{ann} (hidden)" in of_ben
    assert [hide(token) for token in (ann, ben)] == [ann, ben]


def test_a_file_beside_the_goals_file_gives_what_a_run_does_not_say_itself(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "GITLAB_TOKEN=of-the-file-beside\nGOOGLE_TASKS_CLIENT_SECRET=a-secret-of-the-file\nGITLAB_URL=https://x.org\n",
        encoding="utf-8",
    )
    (tmp_path / "token").write_text(TOKENS["ann"], encoding="utf-8")
    tokens = {
        TOKENS["ben"]: {"GITLAB_TOKEN": TOKENS["ben"]},
        TOKENS["ann"]: {"GITLAB_TOKEN_FILE": str(tmp_path / "token")},
        "of-the-file-beside": {},
    }
    for token, variables in tokens.items():
        environment = Environment.of(tmp_path, variables)
        found = environment.settings(GITLAB.connector.credential)
        assert (found.secret().get_secret_value(), found.url) == (token, "https://gitlab.com")
        environment.settings(GOOGLE_TASKS.connector.credential)
        assert environment.secrets.hide(f"{token}, a-secret-of-the-file") == "(hidden), (hidden)"


def test_the_file_of_one_run_is_not_read_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, token in TOKENS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / ".env").write_text(f"GITLAB_TOKEN={token}\n", encoding="utf-8")
    environments = {name: Environment.of(tmp_path / name, {}) for name in (*TOKENS, "nobody")}
    read = {name: one.settings(GITLAB.connector.credential).token for name, one in environments.items()}
    assert {name: token.get_secret_value() for name, token in read.items() if token} == TOKENS


def test_a_proxy_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each request, it costs a fleet a fifth of its time."""
    looked_up: list[str] = []

    def proxies(url: str, **_: object) -> dict[str, str]:
        looked_up.append(url)
        return {}

    monkeypatch.setattr("requests.sessions.get_environ_proxies", proxies)
    with TodoistServer() as server:
        variables = {"TODOIST_API_TOKEN": server.service.owner.token, "TODOIST_API_URL": server.url}
        api = connect(TODOIST, Environment.of(tmp_path, variables))
        assert all(api.send("GET", "/api/v1/projects").ok for _ in range(3))
    assert len(looked_up) == 1


def test_what_a_run_learns_is_hidden_until_it_ends_also_in_threads_that_it_starts() -> None:
    secrets = Secrets({"SOME_TOKEN": "the-first-of-two-words"})
    with secrets.hidden(), ThreadPoolExecutor(1) as pool:
        assert hide("the-first-of-two-words") == "(hidden)"
        assert hide("another-word-altogether") == "another-word-altogether"
        secrets.keep("another-word-altogether")
        assert pool.submit(hide, "the-first-of-two-words another-word-altogether").result() == "(hidden) (hidden)"
    assert hide("another-word-altogether") == "another-word-altogether"
