"""The stand-in for GitLab, read and written by python-gitlab, which knows nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gitlab as client
import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabCreateError, GitlabGetError
from gitlab.v4.objects import ProjectIssueManager

from tests.servers import gitlab
from tests.servers.table import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitlab.v4.objects import Project

    from tests.servers.table import TableServer


@pytest.fixture
def server() -> Iterator[TableServer]:
    with gitlab.server() as server:
        yield server


@pytest.fixture
def project(server: TableServer) -> Project:
    return client.Gitlab(server.url, private_token=TOKEN).projects.get(gitlab.PROJECT)


def test_an_issue_is_made_changed_closed_and_deleted(project: Project, server: TableServer) -> None:
    made = project.issues.create(
        {"title": "Begin", "description": "Words", "due_date": "2027-08-05", "labels": "b,a", "assignee_ids": [8]}
    )
    there = project.issues.get(made.iid)
    assert (there.title, there.description, there.due_date, there.state) == ("Begin", "Words", "2027-08-05", "opened")
    assert (sorted(there.labels), there.assignees[0]["username"], there.author["username"]) == (
        ["a", "b"],
        "jasmine",
        "ann",
    )
    change = {"title": "Go on", "due_date": "", "state_event": "close", "add_labels": "c", "remove_labels": "a"}
    project.issues.update(made.iid, change)
    again = project.issues.get(made.iid)
    assert (again.title, again.due_date, again.state, sorted(again.labels)) == ("Go on", None, "closed", ["b", "c"])
    assert again.closed_at >= again.created_at
    project.issues.delete(made.iid)
    with pytest.raises(GitlabGetError, match="404"):
        project.issues.get(made.iid)


def test_a_list_has_pages_and_a_label_picks_from_it(project: Project, server: TableServer) -> None:
    for number in range(45):
        gitlab.add(server.table, f"Step {number}", labels=["odd"] if number % 2 else [])
    assert [issue.title for issue in project.issues.list(iterator=True)] == [f"Step {n}" for n in range(45)]
    assert len(project.issues.list(labels=["odd"], per_page=100)) == 22
    assert len(project.issues.list(page=3)) == 5  # twenty a page, where nobody asks for more


def test_what_it_refuses_is_what_the_client_knows(server: TableServer) -> None:
    with pytest.raises(GitlabAuthenticationError, match="401 Unauthorized"):
        client.Gitlab(server.url, private_token="wrong").auth()  # noqa: S106  # it is none
    ours = client.Gitlab(server.url, private_token=TOKEN)
    ours.auth()
    assert ours.user is not None
    assert (ours.user.username, ours.users.list(username="jasmine")[0].id) == ("ann", 8)
    assert ours.personal_access_tokens.get("self").expires_at == "2028-07-01"
    with pytest.raises(GitlabCreateError, match="too long"):
        ours.projects.get(gitlab.PROJECT, lazy=True).issues.create({"title": "x" * 256})


def test_its_fields_are_those_of_the_client() -> None:
    """`state_event` and the labels that are added or taken away are known to it as changes only."""
    new = {*ProjectIssueManager._create_attrs.required, *ProjectIssueManager._create_attrs.optional}
    changed = {*ProjectIssueManager._update_attrs.optional}
    assert gitlab.NEW["properties"].keys() <= new
    assert gitlab.CHANGED["properties"].keys() - {"add_labels", "remove_labels"} <= changed
    assert {"labels", "scope", "state", "order_by", "sort"} <= {*ProjectIssueManager._list_filters}
