"""The comment on a pull request: one, up to date, and nobody else's, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.errors import BackplanError, CredentialsError
from sync.action import pr_comment as of_plan
from tests.servers.github import GitHub
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.github import Issue

MARKER = "<!-- backplan's plan of me/goals, kept up to date -->"


@pytest.fixture(params=[False, True], ids=["github.com", "enterprise"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubServer]:
    with GitHubServer(GitHub(), enterprise=request.param) as server:
        monkeypatch.setenv("GITHUB_API_URL", server.base)
        yield server


@pytest.fixture
def pull(server: GitHubServer) -> Issue:
    issue = server.service.add_issue("Another deadline")
    issue.pull_request = True
    return issue


def put(server: GitHubServer, pull: Issue, plan: str, marker: str = MARKER, permission: str = "write") -> None:
    token = server.service.workflow_token(server.service.repo, pull_requests=permission)
    of_plan.put("ann/goals", pull.number, token.text, marker, plan)


def test_there_is_one_comment_and_it_is_changed_only_when_the_plan_changed(server: GitHubServer, pull: Issue) -> None:
    for plan in ("one", "one", "two", "two"):
        put(server, pull, plan)
        (comment,) = pull.comments
        assert comment.body == f"{MARKER}\n{plan}"
    assert (server.count("POST"), server.count("PATCH")) == (1, 1)


def test_the_comment_of_another_plan_is_another(server: GitHubServer, pull: Issue) -> None:
    for _ in range(2):
        for marker in (MARKER, MARKER.replace("goals", "garden")):
            put(server, pull, "plan", marker)
    assert len(pull.comments) == 2


def test_a_comment_of_somebody_with_our_marker_is_left_alone(server: GitHubServer, pull: Issue) -> None:
    theirs = server.service.comment(pull.number, f"{MARKER}\nmine", server.service.add_user("mallory"))
    put(server, pull, "plan")
    assert theirs.body == f"{MARKER}\nmine"
    assert len(pull.comments) == 2


def test_it_is_found_behind_any_number_of_others(server: GitHubServer, pull: Issue) -> None:
    for number in range(230):
        server.service.comment(pull.number, f"comment {number}")
    for plan in ("one", "two"):
        put(server, pull, plan)
    assert [comment.body for comment in pull.comments[230:]] == [f"{MARKER}\ntwo"]


def test_a_person_with_a_token_of_their_own_has_one_comment_too(server: GitHubServer, pull: Issue) -> None:
    for plan in ("one", "two"):
        of_plan.put("ann/goals", pull.number, server.service.token, MARKER, plan)
    assert [comment.body for comment in pull.comments] == [f"{MARKER}\ntwo"]


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.HALF, Fault.TRUNCATED])
def test_a_lost_answer_makes_no_second_comment(server: GitHubServer, pull: Issue, fault: Fault) -> None:
    server.faults.judge(lambda _, method, path: fault if method == "POST" else None)
    with pytest.raises(BackplanError, match="the plan is not written as a comment"):
        put(server, pull, "one")
    server.faults.clear()
    put(server, pull, "two")
    assert [comment.body for comment in pull.comments] == [f"{MARKER}\ntwo"]


def test_a_token_that_may_not_write_is_told_what_it_lacks(server: GitHubServer, pull: Issue) -> None:
    with pytest.raises(CredentialsError, match="`pull-requests: write`"):
        put(server, pull, "plan", permission="read")
    assert not pull.comments


def test_too_many_requests_are_not_told_as_a_permission_that_is_lacking(server: GitHubServer, pull: Issue) -> None:
    server.service.a_minute = 0
    with pytest.raises(BackplanError, match=r"not written as a comment: .* rate limited") as told:
        put(server, pull, "plan")
    assert not isinstance(told.value, CredentialsError)


def test_what_github_says_is_repeated(server: GitHubServer, pull: Issue) -> None:
    with pytest.raises(BackplanError, match="GitHub answers 422 Validation Failed"):
        put(server, pull, "x" * 70_000)
