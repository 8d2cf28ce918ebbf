"""Signing in once: what the browser is asked, what it brings, and what is printed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from config.errors import BackplanError, CredentialsError, InputError
from config.redaction import Secrets
from config.settings import Settings
from connectors.google_tasks import GOOGLE_TASKS
from sync.cli import connect
from tests.servers.google_tasks import CLIENT, LASTING, GoogleTasksServer
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Person

CREDENTIAL = GOOGLE_TASKS.credential


@pytest.fixture
def server() -> Iterator[GoogleTasksServer]:
    with GoogleTasksServer() as server:
        yield server


def signed_in(server: GoogleTasksServer, browser: Callable[[dict[str, str]], dict[str, str]]) -> str:
    """Return the token for which somebody signs in: `browser` gives what is brought for what is asked."""
    told: Queue[str] = Queue()
    settings = Settings(CREDENTIAL, server.url, 300, also=CLIENT, secrets=(secrets := Secrets({})))
    assert CREDENTIAL.grant is not None
    with ThreadPoolExecutor(1) as pool:
        token = pool.submit(connect.sign_in, CREDENTIAL.grant, settings, told.put)
        address = urlsplit(told.get(timeout=20).splitlines()[-1])
        asked = dict(parse_qsl(address.query))
        assert f"{address.scheme}://{address.netloc}{address.path}" == CREDENTIAL.grant.sign_in
        assert requests.get(f"{asked['redirect_uri']}favicon.ico", timeout=20).ok
        assert "Close this page" in requests.get(asked["redirect_uri"], params=browser(asked), timeout=20).text
        found = token.result(timeout=20)
        assert secrets.hide(found) == found  # it is to be printed
        return found


def agreeing(server: GoogleTasksServer) -> Callable[[dict[str, str]], dict[str, str]]:
    def browser(asked: dict[str, str]) -> dict[str, str]:
        assert (asked["access_type"], asked["scope"]) == ("offline", "https://www.googleapis.com/auth/tasks")
        assert asked["redirect_uri"].startswith("http://127.0.0.1:")
        server.codes["a-code"] = (asked["code_challenge"], asked["redirect_uri"])
        return {"code": "a-code", "state": asked["state"]}

    return browser


def test_who_signs_in_gets_the_token_that_lasts(server: GoogleTasksServer) -> None:
    server.faults.at(0, Fault.BAD_GATEWAY)
    assert signed_in(server, agreeing(server)) == LASTING


@pytest.mark.parametrize(
    ("brings", "error", "words"),
    [
        ({"state": "of somebody else"}, BackplanError, "nobody signed in"),
        ({"code": "", "error": "access_denied"}, BackplanError, r"nobody signed in \(access_denied\)"),
        ({"code": "of somebody else"}, CredentialsError, "invalid_grant"),
    ],
)
def test_what_another_page_brings_or_a_refusal_gives_no_token(
    server: GoogleTasksServer, brings: dict[str, Any], error: type[BackplanError], words: str
) -> None:
    def browser(asked: dict[str, str]) -> dict[str, str]:
        return agreeing(server)(asked) | brings

    with pytest.raises(error, match=words):
        signed_in(server, browser)


def test_where_there_is_nothing_to_sign_in_to_it_is_said_what_it_takes(person: Person) -> None:
    done = person.run("connect", "gitlab")
    assert done.code == InputError.exit_code
    assert "gitlab: there is nothing to sign in to; in GitLab, open" in done.err
    assert "markdown: there is nothing to sign in to; it needs no token" in person.run("connect", "markdown").err


def test_the_client_has_to_be_there_before(person: Person) -> None:
    done = person.run("connect", "google-tasks")
    assert done.code == CredentialsError.exit_code
    assert (
        "Google Tasks's client id is missing: put it into the environment variable GOOGLE_TASKS_CLIENT_ID" in done.err
    )
