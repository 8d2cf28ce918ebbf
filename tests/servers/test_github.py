"""The stand-in for GitHub answers as GitHub's published schemas say, and refuses what GitHub refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import requests

from tests import repository
from tests.servers.github import ALL, GitHub
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLISHED = json.loads((Path(__file__).parent / "github_openapi.json").read_text("utf-8"))
CREATE = "mutation($i0: CreateIssueInput!) {\n  a0: createIssue(input: $i0) { issue { number id } }\n}"
REPO = "/repos/ann/goals"


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture
def github(server: GitHubServer) -> GitHub:
    return server.service


@pytest.fixture
def files(github: GitHub, tmp_path: Path) -> Path:
    """A Git repository with files, for that of the owner."""
    repository.make(tmp_path / "files", tmp_path / "remote")
    repository.push(tmp_path / "files", {"goals.yaml": "goals: []\n", "my plans/a.yaml": "x", "my plans/b.md": "y"})
    github.repo.git = tmp_path / "remote"
    return tmp_path / "files"


class Caller:
    """Speaks to the stand-in."""

    def __init__(self, server: GitHubServer, token: str) -> None:
        self._server = server
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else self._server.base + path
        return self.http.request(method, url, json=body, headers=headers, timeout=5, allow_redirects=False)

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        body = {"query": text, "variables": variables}
        answer = self.http.post(self._server.url + self._server.graphql, json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def caller(server: GitHubServer) -> Iterator[Caller]:
    caller = Caller(server, server.service.token)
    with caller.http:
        yield caller


def published(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as one of JSON Schema: what is nullable may be null."""
    if isinstance(schema, list):
        return [published(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: published(value) for key, value in schema.items() if key not in ("nullable", "discriminator")}
    return {"anyOf": [kept, {"type": "null"}]} if schema.get("nullable") is True else kept


COMPONENTS = published(PUBLISHED["components"])


def check(operation: str, value: object) -> None:
    """Fail where an answer is not what GitHub publishes for an operation."""
    schema = {**published(PUBLISHED["answers"][operation]), "components": COMPONENTS}
    jsonschema.validate(value, schema)


# As published


def test_every_answer_is_of_the_published_form(caller: Caller, github: GitHub, files: Path) -> None:
    issue, repo = "/repos/{owner}/{repo}/issues/{issue_number}", "/repos/{owner}/{repo}"
    milestone = caller.send("POST", f"{REPO}/milestones", {"title": "M", "due_on": "2027-09-30T12:00:00Z"})
    label = caller.send("POST", f"{REPO}/labels", {"name": "career", "color": "0e8a16", "description": "a label"})
    values = [{"field_id": github.add_field("ann", "Target date").id, "value": "2027-09-30"}]
    made = {"title": "One", "body": "b", "labels": ["career"], "assignees": ["ann"], "milestone": 1}
    made["issue_field_values"] = values
    one = caller.send("POST", f"{REPO}/issues", made)
    two = caller.send("POST", f"{REPO}/issues", {"title": "Two"}).json()
    github.add_issue("A pull request", pull_request=True)
    sent = {
        f"POST {repo}/milestones": milestone,
        f"POST {repo}/labels": label,
        f"GET {repo}/labels/{{name}}": caller.send("GET", f"{REPO}/labels/career"),
        f"GET {repo}/collaborators/{{username}}/permission": caller.send("GET", f"{REPO}/collaborators/ann/permission"),
        f"POST {repo}/issues": one,
        f"POST {issue}/sub_issues": caller.send("POST", f"{REPO}/issues/1/sub_issues", {"sub_issue_id": two["id"]}),
        f"POST {issue}/dependencies/blocked_by": caller.send(
            "POST", f"{REPO}/issues/1/dependencies/blocked_by", {"issue_id": two["id"]}
        ),
        f"POST {issue}/comments": caller.send("POST", f"{REPO}/issues/1/comments", {"body": "Well"}),
        f"PATCH {issue}": caller.send("PATCH", f"{REPO}/issues/2", {"state": "closed", "state_reason": "not_planned"}),
        f"PATCH {repo}/milestones/{{milestone_number}}": caller.send("PATCH", f"{REPO}/milestones/1", {"title": "N"}),
        f"GET {repo}/issues": caller.send("GET", f"{REPO}/issues?state=all"),
        f"GET {issue}": caller.send("GET", f"{REPO}/issues/2"),
        f"GET {issue}/comments": caller.send("GET", f"{REPO}/issues/1/comments"),
        f"GET {issue}/sub_issues": caller.send("GET", f"{REPO}/issues/1/sub_issues"),
        f"GET {issue}/dependencies/blocked_by": caller.send("GET", f"{REPO}/issues/1/dependencies/blocked_by"),
        f"GET {repo}/assignees": caller.send("GET", f"{REPO}/assignees"),
        f"GET {repo}/contents/{{path}}": caller.send("GET", f"{REPO}/contents/goals.yaml"),
        f"GET {repo}/labels": caller.send("GET", f"{REPO}/labels"),
        f"GET {repo}/milestones": caller.send("GET", f"{REPO}/milestones"),
        "GET /user": caller.send("GET", "/user"),
        "GET /rate_limit": caller.send("GET", "/rate_limit"),
    }
    assert sorted(sent) == sorted(PUBLISHED["answers"])
    assert [value["value"] for value in one.json()["issue_field_values"]] == ["2027-09-30"]
    check(f"GET {repo}/contents/{{path}}", caller.send("GET", f"{REPO}/contents/").json())
    for operation, answer in sent.items():
        assert answer.status_code in (200, 201), answer.text
        check(operation, answer.json())


def test_a_form_that_is_not_published_is_found(caller: Caller) -> None:
    issue = caller.send("POST", f"{REPO}/issues", {"title": "One"}).json()
    with pytest.raises(jsonschema.ValidationError):
        check("POST /repos/{owner}/{repo}/issues", {**issue, "number": "1"})


def test_a_query_against_the_schema_runs_nothing(caller: Caller, github: GitHub) -> None:
    wrong = 'mutation {\n  a0: createIssue(input: {repositoryId: "R", title: "T", dueDate: "x"}) { issue { id } }\n}'
    answer = caller.query(wrong)
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"] == "argumentNotAccepted"
    assert github.issues() == []


# Reading


def test_files_are_shown_as_git_has_them(caller: Caller, files: Path) -> None:
    first = repository.git(files, "rev-parse", "HEAD").strip()
    repository.push(files, {"goals.yaml": "goals: [] # none\n"})
    now, then = (repository.git(files, "rev-parse", f"{at}:goals.yaml").strip() for at in ("HEAD", first))
    for ref, sha in (("", now), ("?ref=main", now), ("?ref=refs/heads/main", now), (f"?ref={first}", then)):
        assert caller.send("GET", f"{REPO}/contents/goals.yaml{ref}").json()["sha"] == sha
        root = caller.send("GET", f"{REPO}/contents/{ref}").json()
        assert [(entry["name"], entry["type"]) for entry in root] == [("goals.yaml", "file"), ("my plans", "dir")]
        assert root[0]["sha"] == sha
    folder = caller.send("GET", f"{REPO}/contents/my%20plans").json()
    assert [entry["path"] for entry in folder] == ["my plans/a.yaml", "my plans/b.md"]


def test_files_that_are_not_there_or_not_for_all_are_refused(
    server: GitHubServer, caller: Caller, github: GitHub, files: Path
) -> None:
    missing = caller.send("GET", f"{REPO}/contents/nothing.yaml")
    assert (missing.status_code, missing.json()["message"]) == (404, "Not Found")
    missing = caller.send("GET", f"{REPO}/contents/goals.yaml?ref=nothing")
    assert (missing.status_code, missing.json()["message"]) == (404, "No commit found for the ref nothing")
    weak = Caller(server, github.workflow_token(github.repo, issues="write").text)
    refused = weak.send("GET", f"{REPO}/contents/goals.yaml")
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "contents=read")
    github.repo.private = False
    assert weak.send("GET", f"{REPO}/contents/goals.yaml").status_code == 200
    github.repo.git = None
    assert caller.send("GET", f"{REPO}/contents/").json()["message"] == "This repository is empty."


def test_lists_hold_a_hundred_at_most_and_lead_on_by_a_link(caller: Caller, github: GitHub) -> None:
    for number in range(105):
        github.add_issue(f"Issue {number}")
    first = caller.send("GET", f"{REPO}/issues?state=all&per_page=500")
    assert (len(first.json()), list(first.links)) == (100, ["next"])
    second = caller.send("GET", first.links["next"]["url"])
    assert (len(second.json()), list(second.links)) == (5, [])
    refused = caller.send("GET", f"{REPO}/issues?state=all&per_page=100&page=2")
    assert refused.status_code == 422
    assert "page parameter is not supported" in refused.json()["message"]


def test_lists_are_filtered(caller: Caller, github: GitHub) -> None:
    github.add_issue("Open", labels=[github.label(github.repo, "backplan")])
    github.add_issue("Closed")
    github.close(2)
    github.advance(timedelta(hours=1))
    github.add_issue("Late")

    def titles(query: str) -> list[str]:
        return [issue["title"] for issue in caller.send("GET", f"{REPO}/issues?{query}").json()]

    assert titles("") == ["Late", "Open"]
    assert titles("state=all&direction=asc") == ["Open", "Closed", "Late"]
    assert titles("state=all&labels=BACKPLAN") == ["Open"]
    assert titles("state=all&since=2027-07-20T10:00:00Z") == ["Late"]


def test_what_has_not_changed_costs_nothing(caller: Caller, github: GitHub) -> None:
    first = caller.send("GET", f"{REPO}/issues")
    spent = github.tokens[github.token].spent
    again = caller.send("GET", f"{REPO}/issues", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert github.tokens[github.token].spent == spent
    github.add_issue("New")
    assert caller.send("GET", f"{REPO}/issues", **{"If-None-Match": first.headers["etag"]}).status_code == 200


def test_moved_things_lead_on(caller: Caller, github: GitHub) -> None:
    github.add_issue("One")
    there = github.transfer(1, github.add_repo("ann", "other"))
    moved = caller.send("GET", f"{REPO}/issues/1")
    assert moved.status_code == 301
    assert caller.send("GET", moved.headers["location"]).json()["number"] == there.number
    assert caller.send("PATCH", f"{REPO}/issues/1", {"title": "x"}).status_code == 307
    github.rename_repo("plans")
    renamed = caller.send("GET", f"{REPO}/issues?state=all")
    assert renamed.status_code == 301
    assert caller.send("GET", renamed.headers["location"]).status_code == 200


# Refusals


def test_refusals_have_their_status_and_their_words(caller: Caller, github: GitHub) -> None:
    github.add_issue("One")
    too_long = caller.send("POST", f"{REPO}/issues", {"title": "T", "body": "x" * 65_537})
    assert too_long.status_code == 422
    assert too_long.json()["errors"][0] == {
        "resource": "Issue",
        "code": "custom",
        "field": "body",
        "message": "body is too long (maximum is 65536 characters)",
    }
    twice = [caller.send("POST", f"{REPO}/labels", {"name": name}) for name in ("a", "A")]
    assert [answer.status_code for answer in twice] == [201, 422]
    assert twice[1].json()["errors"][0]["code"] == "already_exists"
    assert caller.send("POST", f"{REPO}/milestones", {"title": "M", "due_on": "2027-09-30"}).status_code == 422
    assert caller.send("GET", "/repos/ann/none/issues").status_code == 404
    github.delete(1)
    assert caller.send("GET", f"{REPO}/issues/1").status_code == 410
    github.repo.archived = True
    archived = caller.send("POST", f"{REPO}/issues", {"title": "T"})
    assert (archived.status_code, archived.json()["message"]) == (403, "Repository was archived so is read-only.")
    github.repo.has_issues = False
    assert caller.send("GET", f"{REPO}/issues").status_code == 410


def test_a_token_without_the_right_is_told_which(server: GitHubServer, github: GitHub) -> None:
    token = github.add_token(github.owner, permissions={**ALL, "issues": "read"})
    caller = Caller(server, token.text)
    refused = caller.send("POST", f"{REPO}/issues", {"title": "T"})
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "issues=write")
    assert refused.json()["message"] == "Resource not accessible by personal access token"
    input_ = {"repositoryId": f"R_{github.repo.id}", "title": "T"}
    answer = caller.query(CREATE, i0=input_)
    assert answer["data"] == {"a0": None}
    assert (answer["errors"][0]["type"], answer["errors"][0]["path"]) == ("FORBIDDEN", ["a0"])
    workflow = Caller(server, github.workflow_token(github.repo, issues="write").text)
    assert workflow.send("GET", "/user").status_code == 403
    assert workflow.send("POST", f"{REPO}/issues", {"title": "T"}).json()["user"]["login"] == "github-actions[bot]"
    assert Caller(server, "unknown").send("GET", "/user").status_code == 401


def test_who_may_not_push_gives_an_issue_no_labels(server: GitHubServer, github: GitHub) -> None:
    github.repo.private = False
    caller = Caller(server, github.add_token(github.add_user("ben")).text)
    made = caller.send("POST", f"{REPO}/issues", {"title": "T", "labels": ["bug"], "assignees": ["ann"]})
    assert (made.status_code, made.json()["labels"], made.json()["assignees"]) == (201, [], [])
    assert made.json()["author_association"] == "NONE"


def test_writing_too_fast_is_refused_until_some_time_has_passed(caller: Caller, github: GitHub) -> None:
    for _ in range(80):
        assert caller.send("POST", f"{REPO}/issues", {"title": "T"}).status_code == 201
    refused = caller.send("POST", f"{REPO}/issues", {"title": "T"})
    assert (refused.status_code, refused.headers["retry-after"]) == (403, "60")
    assert "secondary rate limit" in refused.json()["message"]
    github.advance(timedelta(minutes=1))
    assert caller.send("POST", f"{REPO}/issues", {"title": "T"}).status_code == 201


def test_when_no_request_is_left_the_reset_is_told(caller: Caller, github: GitHub) -> None:
    github.tokens[github.token].limit = 1
    assert caller.send("GET", f"{REPO}/issues").headers["x-ratelimit-remaining"] == "0"
    refused = caller.send("GET", f"{REPO}/issues")
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")
    assert int(refused.headers["x-ratelimit-reset"]) > github.now.timestamp()


# The fields that an organization gives its issues

FIELDS = """{ repository(owner: "ann", name: "goals") {
  issueFields(first: 100) { nodes { __typename ... on IssueFieldDate { id name } } }
} }"""
SET = "mutation($i0: SetIssueFieldValueInput!) {\n  a0: setIssueFieldValue(input: $i0) { issue { id } }\n}"


def test_fields_are_set_one_by_one_and_the_others_stay(caller: Caller, github: GitHub) -> None:
    issue = github.add_issue("One")
    target, team = github.add_field("ann", "Target date"), github.add_field("ann", "Team", "text")
    nodes = caller.query(FIELDS)["data"]["repository"]["issueFields"]["nodes"]
    assert nodes == [
        {"__typename": "IssueFieldDate", "id": target.node_id, "name": "Target date"},
        {"__typename": "IssueFieldText"},
    ]

    def set_(**value: object) -> dict[str, Any]:
        return caller.query(SET, i0={"issueId": issue.node_id, "issueFields": [value]})

    set_(fieldId=team.node_id, textValue="Blue")
    set_(fieldId=target.node_id, dateValue="2027-09-30")
    values = caller.send("GET", f"{REPO}/issues/1").json()["issue_field_values"]
    assert {value["issue_field_name"]: value["value"] for value in values} == {
        "Target date": "2027-09-30",
        "Team": "Blue",
    }
    for wrong in ({"dateValue": "30 September"}, {"textValue": "2027-10-01"}):
        assert set_(fieldId=target.node_id, **wrong)["errors"][0]["type"] == "UNPROCESSABLE"
    set_(fieldId=target.node_id, delete=True)
    assert issue.values == {team.id: "Blue"}


def test_a_repository_of_a_users_has_no_fields_and_drops_them(caller: Caller, github: GitHub) -> None:
    other = github.add_field("an-organization", "Target date")
    assert caller.query(FIELDS)["data"]["repository"]["issueFields"]["nodes"] == []
    made = caller.send(
        "POST", f"{REPO}/issues", {"title": "T", "issue_field_values": [{"field_id": other.id, "value": "2027-09-30"}]}
    )
    assert (made.status_code, made.json()["issue_field_values"]) == (201, [])


def test_a_token_may_be_kept_from_fields(server: GitHubServer, github: GitHub) -> None:
    target = github.add_field("ann", "Target date")
    token = github.workflow_token(github.repo, issues="write")
    token.fields = "read"
    values = [{"fieldId": target.node_id, "dateValue": "2027-09-30"}]
    made = {"repositoryId": f"R_{github.repo.id}", "title": "T", "issueFields": values}
    caller = Caller(server, token.text)
    answer = caller.query(CREATE, i0=made)
    assert (answer["data"], answer["errors"][0]["message"]) == ({"a0": None}, "Resource not accessible by integration")
    assert github.issues() == []
    github.made_first = True
    assert caller.query(CREATE, i0=made)["data"] == {"a0": None}
    assert [issue.values for issue in github.issues()] == [{}]


def test_an_older_server_does_not_know_fields() -> None:
    with GitHubServer(without=["issueFields"]) as server:
        answer = Caller(server, server.service.token).query(FIELDS)
        assert "data" not in answer
        said = next(error for error in answer["errors"] if "issueFields" in error["message"])
        assert said["message"] == "Field 'issueFields' doesn't exist on type 'Repository'"
        assert (said["path"], said["extensions"]["code"]) == (["query", "repository", "issueFields"], "undefinedField")


# Mutations


def _batch(count: int) -> str:
    declared = ", ".join(f"$i{n}: CreateIssueInput!" for n in range(count))
    lines = [f"  a{n}: createIssue(input: $i{n}) {{ issue {{ number }} }}" for n in range(count)]
    return "\n".join([f"mutation({declared}) {{", *lines, "}"])


def test_each_mutation_of_a_batch_stands_alone(caller: Caller, github: GitHub, server: GitHubServer) -> None:
    good = {"repositoryId": f"R_{github.repo.id}", "title": "T"}
    answer = caller.query(_batch(3), i0=good, i1={**good, "title": " "}, i2=good)
    assert answer["data"] == {"a0": {"issue": {"number": 1}}, "a1": None, "a2": {"issue": {"number": 2}}}
    assert [error["path"] for error in answer["errors"]] == [["a1"]]
    assert server.log[-1].commands == 3


def test_a_batch_can_be_cut_short(caller: Caller, github: GitHub, server: GitHubServer) -> None:
    good = {"repositoryId": f"R_{github.repo.id}", "title": "T"}
    server.faults.at(0, Fault.PARTIAL)
    with pytest.raises(requests.ConnectionError):
        caller.query(_batch(5), **{f"i{n}": good for n in range(5)})
    assert len(github.issues()) == 2


def test_a_parent_has_a_hundred_children_at_most(caller: Caller, github: GitHub) -> None:
    parent = github.add_issue("Parent")
    for _ in range(100):
        github.add_child(parent, github.add_issue("Child"))
    child = {"repositoryId": f"R_{github.repo.id}", "title": "T", "parentIssueId": parent.node_id}
    assert "more than 100 sub-issues" in caller.query(CREATE, i0=child)["errors"][0]["message"]


def test_a_reason_counts_only_where_the_state_changes(caller: Caller, github: GitHub) -> None:
    issue = github.add_issue("One")
    wanted = "issue { stateReason(enableDuplicate: true) }"
    close = f"mutation($i0: CloseIssueInput!) {{\n  a0: closeIssue(input: $i0) {{ {wanted} }}\n}}"
    assert caller.query(close, i0={"issueId": issue.node_id, "stateReason": "DUPLICATE"})["data"]["a0"]["issue"] == {
        "stateReason": "DUPLICATE"
    }
    caller.query(close, i0={"issueId": issue.node_id, "stateReason": "COMPLETED"})
    assert issue.state_reason == "duplicate"


def test_a_companys_own_server_lives_under_another_path_and_may_be_older() -> None:
    with GitHubServer(enterprise=True, without=["parentIssueId", "addSubIssue"]) as server:
        assert server.base.endswith("/api/v3")
        caller = Caller(server, server.service.token)
        assert caller.send("GET", "/user").status_code == 200
        answer = caller.query('{ __type(name: "CreateIssueInput") { inputFields { name } } }')
        names = {field["name"] for field in answer["data"]["__type"]["inputFields"]}
        assert "title" in names
        assert "parentIssueId" not in names


def test_a_date_of_a_milestone_is_floored_to_the_pacific_coast(caller: Caller) -> None:
    def kept(due_on: str) -> str:
        answer = caller.send("POST", f"{REPO}/milestones", {"title": due_on, "due_on": due_on})
        return str(answer.json()["due_on"])

    assert kept("2027-09-30T12:00:00Z") == "2027-09-30T07:00:00Z"
    assert kept("2027-09-30T00:00:00Z") == "2027-09-29T07:00:00Z"
