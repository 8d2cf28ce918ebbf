"""Services that do not answer: what is said meanwhile, and after how long they are given up. With real sockets."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from config.errors import BackplanError
from connectors.github.api import GITHUB, Client
from connectors.http import Api
from connectors.retry import Clock, Retrier, TransientError, UnreachableError
from connectors.silence import LOOKING, SILENCE, Silence
from connectors.todoist.api import TODOIST
from tests.conftest import ROOT
from tests.servers.http import Fault
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from tests.conftest import Person


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What is said to who waits for a command that changes something."""
    found: list[str] = []
    token = SILENCE.set(Silence(report=found.append))
    yield found
    SILENCE.reset(token)


@pytest.fixture
def closed() -> str:
    """The address of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a listener that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def ask_todoist(url: str, timeout: float | None = None) -> requests.Response:
    return Api(TODOIST, url, SecretStr("nobodys"), 300, Clock(), timeout).send("GET", "/api/v1/projects")


def ask_github(url: str) -> object:
    return Client(Api(GITHUB, url, SecretStr("nobodys"), 300, Clock()), "me/goals").issue("1")


def fake_clock() -> Clock:
    waits: list[float] = []
    return Clock(lambda: datetime(2027, 7, 20, tzinfo=UTC), lambda: sum(waits), waits.append)


@pytest.mark.parametrize("ask", [ask_todoist, ask_github])
def test_a_refused_connection_says_what_to_check(ask: Callable[[str], object], closed: str) -> None:
    host = closed.removeprefix("http://")
    with pytest.raises(BackplanError, match=rf"cannot be reached: `{host}` refuses the connection\. Check the network"):
        ask(closed)


@pytest.mark.parametrize("ask", [ask_todoist, ask_github])
def test_an_unknown_host_says_what_to_check(ask: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(BackplanError, match=r"the host `backplan\.invalid` is not known\. Check .*_API_URL"):
        ask("https://backplan.invalid")


@pytest.mark.parametrize("repeatable", [True, False])
def test_what_cannot_be_reached_is_tried_twice(repeatable: bool) -> None:
    tries = []

    def ask() -> None:
        tries.append(1)
        raise UnreachableError("the host `x` is not known")

    with pytest.raises(BackplanError, match="cannot be reached"):
        Retrier("GitHub", 300, fake_clock(), "GITHUB_API_URL").call(ask, repeatable=repeatable)
    assert len(tries) == 2


@pytest.mark.parametrize(("limit", "least", "most"), [(LOOKING, 0, 22), (300, 23, 302)])
def test_a_command_that_changes_nothing_gives_up_sooner(limit: float, least: float, most: float) -> None:
    token = SILENCE.set(Silence(limit))
    clock = fake_clock()
    patience = Retrier("GitHub", 300, clock, "GITHUB_API_URL")
    SILENCE.reset(token)

    def ask() -> None:
        clock.sleep(2)
        raise TransientError("it answers 502")

    with pytest.raises(BackplanError, match="it answers 502"):
        patience.call(ask)
    assert least <= clock.passed() <= most
    before = clock.passed()
    with pytest.raises(BackplanError, match="it answers 502"):
        patience.call(ask)
    assert clock.passed() == before


def test_no_thread_is_started_for_a_message_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[float] = []

    class Reporter:
        def __init__(self, after: float, *_: object) -> None:
            started.append(after)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr("connectors.retry.Timer", Reporter)
    for report, threads in ((None, 0), (print, 1)):
        token = SILENCE.set(Silence(report=report))
        retrier = Retrier("GitHub", 300, fake_clock(), "GITHUB_API_URL")
        SILENCE.reset(token)
        assert retrier.call(lambda: "answer") == "answer"
        assert len(started) == threads


def test_a_limit_of_the_service_is_waited_for_even_then() -> None:
    token = SILENCE.set(Silence(LOOKING))
    clock, answers = fake_clock(), [TransientError("rate limited", 60, refused=True), None]
    patience = Retrier("GitHub", 300, clock, "GITHUB_API_URL")
    SILENCE.reset(token)

    def ask() -> str:
        if error := answers.pop(0):
            raise error
        return "answer"

    assert patience.call(ask) == "answer"
    assert clock.passed() >= 60


@pytest.mark.proof
def test_what_is_waited_for_is_said_once(told: list[str]) -> None:
    with TodoistServer(Todoist(PRO)) as server:
        server.faults.at(0, Fault.TIMEOUT, 2)
        answer = ask_todoist(server.url, timeout=2.5)
        assert answer.status_code == 401  # it knows no such token, and has answered
    (sentence,) = told
    assert re.fullmatch(r"Todoist does not answer; trying until \d\d:\d\d", sentence)


@pytest.mark.proof
@pytest.mark.parametrize("ask", [ask_todoist, ask_github])
def test_a_listener_that_never_answers_is_given_up(ask: Callable[[str], object], mute: str) -> None:
    token = SILENCE.set(Silence(2.5))
    try:
        with pytest.raises(BackplanError, match="cannot be reached: no answer in time"):
            ask(mute)
    finally:
        SILENCE.reset(token)


GOALS = "namespace: me/goals\nsync: [todoist]\ngoals: [{title: Be, deadline: 2027-09-30}]\n"


@pytest.mark.parametrize(("command", "code"), [("plan", 1), ("sync", 1), ("doctor", 1), ("status", 0)])
def test_without_a_service_every_command_says_what_to_check(
    person: Person, closed: str, command: str, code: int
) -> None:
    """`status` shows what is known without it."""
    person.writes(GOALS)
    done = person.run(command, env={"TODOIST_API_URL": closed, "TODOIST_API_TOKEN": "nobodys"})
    assert done.code == code
    assert "refuses the connection" in " ".join((done.out + done.err).split())


@pytest.mark.proof
def test_plan_says_what_it_waits_for_and_gives_up(person: Person, mute: str) -> None:
    person.writes(GOALS)
    done = person.run("plan", env={"TODOIST_API_URL": mute, "TODOIST_API_TOKEN": "nobodys"})
    assert done.code == 1
    waits = r"Todoist does not answer; trying until \d\d:\d\d:\d\d \(Ctrl-C stops\)"
    assert len(re.findall(waits, done.err)) == 1
    assert "no answer in time" in done.err


@pytest.mark.proof
def test_ctrl_c_stops_the_waiting(person: Person, mute: str) -> None:
    person.writes(GOALS)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TODOIST_API_URL": mute, "TODOIST_API_TOKEN": "nobodys"}
    command = [sys.executable, "-P", "-m", "sync.cli.main", "sync"]
    with subprocess.Popen(command, cwd=person.folder, env=env, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"(Ctrl-C stops)" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().lstrip() == b"stopped; nothing more was done\n"
    assert process.returncode == 130
