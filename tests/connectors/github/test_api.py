"""GitHub's answers one by one: what is waited for, what is sent again, what an error says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
import responses
from pydantic import SecretStr

from config.errors import BackplanError, CredentialsError, MissingError
from config.settings import Environment
from connectors.github.api import GITHUB, Client, Mutation
from connectors.http import Api, Clock, connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "https://api.github.com"
ISSUES = f"{API}/repos/me/goals/issues"
GRAPHQL = f"{API}/graphql"
NOW = datetime(2027, 7, 20, 9, tzinfo=UTC)
MUTATION = Mutation("updateIssue", {"id": "I_1"})


@pytest.fixture
def waits() -> list[float]:
    """How long was waited, each time."""
    return []


@pytest.fixture
def mocked() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(registry=responses.registries.OrderedRegistry) as mocked:
        yield mocked


@pytest.fixture
def client(waits: list[float]) -> Client:
    return made(waits)


def made(waits: list[float], url: str = API) -> Client:
    clock = Clock(lambda: NOW, lambda: sum(waits), waits.append)
    return Client(Api(GITHUB, url, SecretStr("a-token-nobody-has"), 300, clock), "me/goals")


def test_every_request_says_who_we_are(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.get(ISSUES, json=[])
    assert list(client.listed("issues", state="all")) == []
    (call,) = mocked.calls
    assert call.request.headers["Authorization"] == "Bearer a-token-nobody-has"
    assert call.request.headers["User-Agent"] == "backplan"
    assert call.request.headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert call.request.url is not None
    assert "per_page=100" in call.request.url


def test_a_netrc_on_the_machine_overrules_no_token(
    client: Client, mocked: responses.RequestsMock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine api.github.com login x password y\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    mocked.get(ISSUES, json=[])
    list(client.listed("issues"))
    assert mocked.calls[0].request.headers["Authorization"] == "Bearer a-token-nobody-has"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_certificates_of_a_company_can_be_named(
    mocked: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    for other in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "company.pem")
    mocked.get(ISSUES, json=[])
    monkeypatch.setenv("GITHUB_TOKEN", "a-token-nobody-has")
    list(Client(connect(GITHUB, Environment.of_process(tmp_path)), "me/goals").listed("issues"))
    assert mocked.calls[0].request.req_kwargs["verify"] == "company.pem"  # type: ignore[attr-defined]


def test_pages_are_followed_by_their_links(client: Client, mocked: responses.RequestsMock) -> None:
    following = f"{API}/repositories/1/issues?after=abc"
    mocked.get(ISSUES, json=[1, 2], headers={"Link": f'<{following}>; rel="next"'})
    mocked.get(following, json=[3])
    assert list(client.listed("issues")) == [1, 2, 3]


def test_a_move_is_followed_with_method_and_body_and_never_to_another_host(
    client: Client, mocked: responses.RequestsMock
) -> None:
    there = f"{API}/repositories/1/milestones/1"
    mocked.patch(f"{API}/repos/me/goals/milestones/1", status=307, headers={"Location": there})
    mocked.patch(there, json={})
    client.change("milestones/1", {"state": "closed"})
    assert [json.loads(call.request.body or "") for call in mocked.calls] == [{"state": "closed"}] * 2
    mocked.get(ISSUES, status=301, headers={"Location": "https://example.org/repos/me/goals/issues"})
    mocked.get(ISSUES, json=[])
    assert list(client.listed("issues")) == []
    assert all(str(call.request.url).startswith(API) for call in mocked.calls)


def test_the_token_goes_to_no_other_host_that_a_link_names(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.get(ISSUES, json=[1], headers={"Link": '<https://example.org/more?page=2>; rel="next"'})
    mocked.get(f"{API}/more?page=2", json=[2])
    assert list(client.listed("issues")) == [1, 2]


def test_an_answer_without_a_body_is_asked_for_again(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.get(ISSUES, status=204)
    mocked.get(ISSUES, json=[])
    assert list(client.listed("issues")) == []
    mocked.delete(f"{API}/repos/me/goals/labels/x", status=204)
    client.remove("labels/x")
    assert len(mocked.calls) == 3


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (429, {"Retry-After": "20"}, "Too many", 20),
        (403, {"Retry-After": "30"}, "You have exceeded a secondary rate limit", 30),
        (403, {}, "You have exceeded a secondary rate limit", 60),
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 45)},
            "API rate limit exceeded for user ID 1.",
            45,
        ),
        *(
            (
                403,
                {
                    "Date": format_datetime(NOW + ahead, usegmt=True),
                    "x-ratelimit-remaining": "0",
                    "x-ratelimit-reset": str(int((NOW + ahead).timestamp()) + 45),
                },
                "API rate limit exceeded for user ID 1.",
                45,
            )
            for ahead in (timedelta(days=-1), timedelta(days=1))  # GitHub's clock, of that of this machine
        ),
    ],
)
def test_limits_are_waited_for_as_long_as_is_said(
    client: Client,
    mocked: responses.RequestsMock,
    waits: list[float],
    status: int,
    headers: dict[str, str],
    message: str,
    seconds: float,
) -> None:
    mocked.get(ISSUES, json={"message": message}, status=status, headers=headers)
    mocked.get(ISSUES, json=[])
    assert list(client.listed("issues")) == []
    assert waits == [pytest.approx(seconds)]


def test_a_limit_that_graphql_tells_is_waited_for(
    client: Client, mocked: responses.RequestsMock, waits: list[float]
) -> None:
    limited = {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    mocked.post(GRAPHQL, json=limited)
    mocked.post(GRAPHQL, json={"data": {"a0": {"clientMutationId": None}}})
    (outcome,) = client.mutate([MUTATION], repeatable=False)
    assert outcome.error is None
    assert waits[0] >= 60


def test_what_may_have_been_done_is_not_sent_again(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.post(GRAPHQL, status=502, body="<html>")
    (outcome,) = client.mutate([Mutation("createIssue", {"title": "T"})], repeatable=False)
    assert (outcome.unknown, len(mocked.calls)) == (True, 1)


def test_what_harms_nobody_is_sent_again_in_smaller_batches(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.post(GRAPHQL, status=502, body="<html>")
    for count in (2, 2):
        mocked.post(GRAPHQL, json={"data": {f"a{n}": {} for n in range(count)}})
    outcomes = client.mutate([MUTATION] * 4, repeatable=True)
    assert [outcome.error for outcome in outcomes] == [None] * 4
    sent = [json.loads(call.request.body or "")["query"].count("updateIssue") for call in mocked.calls]
    assert sent == [4, 2, 2]


def test_one_refusal_in_a_batch_is_its_own(client: Client, mocked: responses.RequestsMock) -> None:
    error = {"type": "NOT_FOUND", "path": ["a1"], "message": "Could not resolve to a node"}
    mocked.post(GRAPHQL, json={"data": {"a0": {}, "a1": None, "a2": {}}, "errors": [error]})
    outcomes = client.mutate([MUTATION] * 3, repeatable=True)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert "not there any more" in str(outcomes[1].error)


def test_a_batch_is_never_larger_than_twenty_and_never_faster_than_eighty_a_minute(
    client: Client, mocked: responses.RequestsMock, waits: list[float]
) -> None:
    for _ in range(5):
        mocked.post(GRAPHQL, json={"data": {f"a{n}": {} for n in range(20)}})
    client.mutate([MUTATION] * 100, repeatable=True)
    assert [json.loads(call.request.body or "")["query"].count("updateIssue") for call in mocked.calls] == [20] * 5
    assert sum(waits) == pytest.approx(60)


def test_values_never_stand_in_the_text_of_a_query(client: Client, mocked: responses.RequestsMock) -> None:
    mocked.post(GRAPHQL, json={"data": {"a0": {}}})
    client.mutate([Mutation("updateIssue", {"id": "I_1", "title": '"}) { evil }'})], repeatable=True)
    assert "evil" not in json.loads(mocked.calls[0].request.body or "")["query"]


@pytest.mark.parametrize(
    ("status", "message", "headers", "kind", "said"),
    [
        (401, "Bad credentials", {}, CredentialsError, "does not accept the token in GITHUB_TOKEN"),
        (
            403,
            "Resource not accessible by personal access token",
            {"x-accepted-github-permissions": "issues=write"},
            CredentialsError,
            "lacks Issues: write on me/goals",
        ),
        (403, "Repository was archived so is read-only.", {}, CredentialsError, "was archived"),
        (404, "Not Found", {}, MissingError, "Not Found"),
        (422, "Validation Failed", {}, BackplanError, "Validation Failed: title is too long"),
    ],
)
def test_errors_say_what_to_do(
    client: Client,
    mocked: responses.RequestsMock,
    status: int,
    message: str,
    headers: dict[str, str],
    kind: type[BackplanError],
    said: str,
) -> None:
    errors = [{"resource": "Issue", "code": "custom", "message": "title is too long"}] if status == 422 else []
    mocked.post(
        f"{API}/repos/me/goals/labels", json={"message": message, "errors": errors}, status=status, headers=headers
    )
    with pytest.raises(kind, match=said):
        client.make("labels", {"name": "x"})


def test_a_name_that_is_taken_is_no_error(client: Client, mocked: responses.RequestsMock) -> None:
    taken = {"message": "Validation Failed", "errors": [{"resource": "Label", "code": "already_exists"}]}
    mocked.post(f"{API}/repos/me/goals/labels", json=taken, status=422)
    assert client.make("labels", {"name": "x"}) is None


def test_a_connection_that_breaks_does_not_tell_what_was_sent(
    client: Client, mocked: responses.RequestsMock, waits: list[float]
) -> None:
    mocked.get(ISSUES, body=requests.ConnectionError("secret things"))
    mocked.get(ISSUES, json=[])
    assert list(client.listed("issues")) == []
    assert client.api.requests.read == 2


def test_a_companys_own_server_has_its_own_addresses(waits: list[float], mocked: responses.RequestsMock) -> None:
    client = made(waits, "https://github.example.org/api/v3")
    mocked.post("https://github.example.org/api/graphql", json={"data": {"x": 1}})
    assert client.query("{ x }", {}) == ({"x": 1}, [])
