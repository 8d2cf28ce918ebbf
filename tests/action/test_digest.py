"""The digest: one issue that is kept up to date, or a message to a webhook whose address nobody sees."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from sync.action.inputs import Inputs
from sync.action.main import run
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer
from tests.servers.http import LoopbackServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.github import Issue

GOALS = """\
digest: weekly
goals:
  - title: Swim <!channel> @all
    deadline: 2027-08-15
    steps: [Get wet, Dive]
"""
MONDAY, TUESDAY = "2027-07-19", "2027-07-20"


class Chat(LoopbackServer):
    """A chat with a webhook."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Request] = []
        self.status = 200

    def answer(self, request: Request) -> Response:
        self.got.append(request)
        return Response(self.status, b"ok", "text/plain")


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer(GitHub()) as server:
        yield server


@pytest.fixture
def play(
    tmp_path: Path, server: GitHubServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that runs the action on a day, and returns what it printed."""
    monkeypatch.chdir(tmp_path)
    service = server.service
    (tmp_path / "temp").mkdir()
    (tmp_path / "goals.yaml").write_text(GOALS, "utf-8")
    token = service.workflow_token(service.repo, issues="write").text
    given = {"GITHUB_API_URL": server.base, "GITHUB_REPOSITORY": "ann/goals", "WORKFLOW_TOKEN": token}

    def play(today: str = TUESDAY, **env: str) -> str:
        for name, value in {**given, "BACKPLAN_TODAY": today, **env}.items():
            monkeypatch.setenv(name, value)
        assert run(Inputs.of(os.environ), tmp_path / "temp").exit_code == 0
        return capfd.readouterr().out

    return play


def digests(server: GitHubServer) -> list[Issue]:
    return [issue for issue in server.service.issues() if issue.title == "This week"]


def test_one_issue_is_kept_up_to_date(play: Callable[..., str], server: GitHubServer, tmp_path: Path) -> None:
    play()
    (issue,) = digests(server)
    assert "## Tue 20 Jul" in issue.body
    assert "## Changed on Tue 20 Jul 2027" in issue.body
    assert "<!channel>" not in issue.body
    play("2027-07-21")
    assert "## Wed 21 Jul" in issue.body
    assert "## Changed on Tue 20 Jul 2027" in issue.body  # a run without changes leaves the last ones there
    before = server.count("PATCH")
    play("2027-07-21")
    assert server.count("PATCH") == before
    (tmp_path / "goals.yaml").write_text(GOALS.replace("08-15", "08-20"), "utf-8")
    play("2027-07-22")
    assert issue.body.count("## Changed on") == 1
    assert "## Changed on Thu 22 Jul 2027" in issue.body
    server.service.close(issue.number)
    closed = issue.body
    play("2027-07-23")
    assert (digests(server), issue.body, issue.state) == ([issue], closed, "closed")


def test_without_the_permission_the_run_is_green_and_says_what_to_do(
    play: Callable[..., str], server: GitHubServer
) -> None:
    token = server.service.workflow_token(server.service.repo, contents="read").text
    assert "give the job the permission `issues: write`" in play(WORKFLOW_TOKEN=token)
    assert digests(server) == []


@pytest.mark.parametrize("status", [200, 302])
def test_a_chat_gets_the_week_once_and_its_address_is_never_shown(
    play: Callable[..., str], server: GitHubServer, status: int
) -> None:
    with Chat() as chat:
        chat.status = status
        address = f"{chat.url}/services/T0/very-private-words"
        play(TUESDAY, DIGEST_WEBHOOK_SECRET=address, GITHUB_EVENT_NAME="schedule")
        play(MONDAY, GITHUB_EVENT_NAME="push")
        assert not chat.got
        shown = play(MONDAY, GITHUB_EVENT_NAME="schedule")
        (message,) = chat.got
    text = json.loads(message.body)["text"]
    assert "Swim ‹!channel› @\u2060all" in text
    assert "very-private-words" not in shown
    assert (f"DIGEST_WEBHOOK_SECRET answered with status {status}" in shown) == (status != 200)
    assert digests(server) == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/private-words", "https://[private-words"])
def test_a_chat_that_is_not_there_is_a_warning(play: Callable[..., str], address: str) -> None:
    shown = play(MONDAY, DIGEST_WEBHOOK_SECRET=address, GITHUB_EVENT_NAME="schedule")
    assert "::warning title=backplan::The digest was not written: " in shown
    assert "private-words" not in shown
