"""The parts of GitHub's answers that we use: objects of REST and of GraphQL, with GitHub's names."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.shapes import Moment, Shape

# REST


class UserAnswer(Shape):
    """Somebody."""

    login: str


class AssignableAnswer(UserAnswer):
    """Somebody who can be assigned to issues."""

    node_id: str


class LabelAnswer(Shape):
    """A label."""

    name: str
    node_id: str


class IssueLabelAnswer(Shape):
    """A label of an issue."""

    name: str


class MilestoneAnswer(Shape):
    """A milestone."""

    number: int
    node_id: str
    title: str
    description: str | None


class _BlockedBy(Shape):
    total_blocked_by: int = 0


class _Children(Shape):
    total: int = 0


class NumberAnswer(Shape):
    """An issue of which only the number is needed."""

    number: int


class IssueAnswer(NumberAnswer):
    """An issue. Only the fields that older servers lack may be missing."""

    id: int
    node_id: str
    title: str
    body: str | None
    state: Literal["open", "closed"]
    state_reason: str | None
    labels: list[IssueLabelAnswer | str]
    closed_at: Moment | None
    comments: int
    user: UserAnswer | None
    author_association: str
    assignees: list[UserAnswer] | None
    milestone: MilestoneAnswer | None
    issue_dependencies_summary: _BlockedBy | None = None
    sub_issues_summary: _Children | None = None
    parent_issue_url: str | None = None
    issue_field_values: list[dict[str, Any]] | None = None
    pull_request: dict[str, Any] | None = None


# GraphQL


class Node(Shape):
    """An object of GraphQL."""

    model_config = ConfigDict(alias_generator=to_camel)


class QueryAnswer(Node):
    """The answer to a query, and its errors."""

    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] | None = None


class Named(Node):
    """Something with a name."""

    id: str
    name: str


class _Page(Node):
    has_next_page: bool


class _Labels(Node):
    nodes: list[Named]
    page_info: _Page


class _User(Node):
    id: str
    login: str


class _Users(Node):
    nodes: list[_User]
    page_info: _Page


class _Nothing(Node):
    """The answer for a field of another kind than the query names."""

    model_config = ConfigDict(extra="forbid")


class _Fields(Node):
    nodes: list[Named | _Nothing | None] | None


class RepositoryAnswer(Node):
    """A repository."""

    id: str
    name_with_owner: str
    is_archived: bool
    has_issues_enabled: bool
    viewer_permission: str | None
    labels: _Labels
    assignable_users: _Users | None = None
    issue_fields: _Fields | None = None


class _Viewer(Node):
    login: str


class _RateLimit(Node):
    limit: int = 0
    remaining: int = 0
    reset_at: str = ""


class _Input(Node):
    name: str


class _Inputs(Node):
    input_fields: list[_Input]


class FactsAnswer(Node):
    """What is read before the issues. The parts that a token may not read are missing."""

    repository: RepositoryAnswer | None
    inputs: _Inputs | None
    viewer: _Viewer | None = None
    rate_limit: _RateLimit | None = None


class ProjectField(Node):
    """A field of a project."""

    id: str
    data_type: str


class ProjectAnswer(Node):
    """A project (v2) with the requested field."""

    id: str
    field: ProjectField | _Nothing | None

    @classmethod
    def of(cls, data: dict[str, Any]) -> ProjectAnswer | None:
        """Return the project that a repository's owner has; None where there is none."""
        owner = (data.get("repository") or {}).get("owner") or {}
        found = owner.get("projectV2")
        return None if found is None else cls.read(found)


class _Actor(Node):
    typename: str = Field(alias="__typename")
    login: str


class _Closing(Node):
    actor: _Actor | None


class _Closings(Node):
    nodes: list[_Closing]


class ClosedIssue(Node):
    """An issue with the event of its last closing."""

    timeline_items: _Closings


class ClosedAnswer(Node):
    """Issues, in the order of the request."""

    nodes: list[ClosedIssue | None]


class MadeAnswer(Node):
    """An issue that was created."""

    id: str
    number: int
    full_database_id: str | int
