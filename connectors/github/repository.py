"""What is read from a GitHub repository before its issues: rights, labels, assignable users, date fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from config.errors import CredentialsError, RefusedError
from connectors.base import Check
from connectors.github.answers import AssignableAnswer, FactsAnswer, Named, ProjectAnswer, ProjectField
from connectors.github.date_line import Dates
from connectors.github.errors import explain, understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.github.answers import RepositoryAnswer
    from connectors.github.api import Client

_FACTS = """query($owner: String!, $name: String!) {
  %(viewer)s
  rateLimit { limit remaining resetAt }
  repository(owner: $owner, name: $name) {
    id nameWithOwner isArchived hasIssuesEnabled viewerPermission
    labels(first: 100) { nodes { id name } pageInfo { hasNextPage } }
    %(assignableUsers)s
    %(issueFields)s
  }
  inputs: __type(name: "CreateIssueInput") { inputFields { name } }
}"""
# Parts that some tokens may not read, and some servers do not support: then GitHub refuses the whole query.
_OPTIONAL = {
    "viewer": "viewer { login }",
    "assignableUsers": "assignableUsers(first: 100) { nodes { id login } pageInfo { hasNextPage } }",
    "issueFields": "issueFields(first: 100) { nodes { ... on IssueFieldDate { id name } } }",
}
_PROJECT = """query($owner: String!, $name: String!, $number: Int!, $field: String!) {
  repository(owner: $owner, name: $name) { owner { ... on User { PROJECT } ... on Organization { PROJECT } } }
}""".replace(
    "PROJECT", "projectV2(number: $number) { id field(name: $field) { ... on ProjectV2Field { id dataType } } }"
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project (v2) with the date field that shows due dates."""

    id: str
    field_id: str
    field: str


class Field(NamedTuple):
    """A date field that an organization gives its issues."""

    id: str
    name: str


class DateFields(NamedTuple):
    """The date fields of issues for the due date and the start; None for one that does not exist."""

    due: Field | None
    start: Field | None

    @property
    def names(self) -> str:
        """Their names, for messages."""
        return " and ".join(f"“{field.name}”" for field in self if field)

    def held(self, dates: Dates) -> Dates:
        """Return the dates that the fields can show."""
        return Dates(*(day if field else None for field, day in zip(self, dates, strict=True)))

    def read(self, values: Iterable[Mapping[str, Any]]) -> Dates:
        """Return the dates that the fields of an issue show, as REST lists their values."""
        dates = {value.get("issue_field_name"): value["value"] for value in values if value["data_type"] == "date"}
        days = (dates.get(field.name) if field else None for field in self)
        return Dates(*(date.fromisoformat(day) if day else None for day in days))

    def values(self, before: Dates, after: Dates) -> list[dict[str, Any]]:
        """Return the values of the fields to be changed."""
        changes = zip(self, before, after, strict=True)
        return [
            {"fieldId": field.id, **({"dateValue": new.isoformat()} if new else {"delete": True})}
            for field, old, new in changes
            if field and new != old
        ]


@dataclass
class RepositoryInfo:
    """The facts about a repository and the token's account.

    - `labels`: the ids of labels by their names.
    - `people`: the ids of users who can be assigned to issues, by their logins.
    - `fields`: the ids of the date fields that an organization gives its issues, by their names.
    - `nests`: the server supports sub-issues.
    """

    id: str
    name: str
    login: str
    permission: str
    archived: bool
    issues: bool
    labels: dict[str, str]
    people: dict[str, str]
    fields: dict[str, str]
    nests: bool
    limit: int
    remaining: int
    resets: str

    def spelled(self, name: str) -> str:
        """Return a label's name as the repository spells it: GitHub ignores case in labels."""
        return next((known for known in self.labels if known.casefold() == name.casefold()), name)

    def person(self, name: str) -> str:
        """Return the login of a user who can be assigned, as GitHub spells it; empty if there is none."""
        wanted = name.removeprefix("@").casefold()
        return next((login for login in self.people if login.casefold() == wanted), "")

    @property
    def may_push(self) -> bool:
        """Whether the token may set labels, milestones, assignees and sub-issues; assumed for a workflow's token."""
        a_person = bool(self.login) and not self.login.endswith("[bot]")
        return self.permission not in ("NONE", "READ") or not a_person

    def date_field(self, name: str) -> Field | None:
        """Return the date field with a name, ignoring case."""
        return next((Field(i, known) for known, i in self.fields.items() if known.casefold() == name.casefold()), None)

    def date_fields(self, target: str, start: str) -> DateFields | None:
        """Return the date fields with these names; None if there is none, or the token cannot set them."""
        found = DateFields(self.date_field(target), self.date_field(start))
        return found if any(found) and self.may_push else None

    def lacks_field(self, name: str) -> str:
        """Return a sentence on a date field that does not exist."""
        return f"the issues of {self.name} have no date field “{name}” that the token can see, so no date stands there"

    def refuse_closed(self) -> None:
        """Raise RefusedError if the repository accepts no issues."""
        if self.archived:
            raise RefusedError(
                f"github ({self.name}): was archived, so nothing can be written there. Unarchive it in its settings, "
                "or name another repository in the goals file; nothing was changed"
            )
        if not self.issues:
            raise RefusedError(
                f"github ({self.name}): issues are switched off there. Switch them on in Settings > General > "
                "Features, or name another repository in the goals file; nothing was changed"
            )


def read_facts(client: Client) -> RepositoryInfo:
    """Read the facts. Raises CredentialsError if the token may not read the repository."""
    data, errors = _ask_for_facts(client)
    with understood("the repository"):
        answer = FactsAnswer.read(data) if data or not errors else None
    found = answer.repository if answer else None
    if answer is None or found is None:
        reason = explain(errors[0], client.repo) if errors else "no reason given"
        raise CredentialsError(
            f"there is no repository {client.repo}, or the token in GITHUB_TOKEN may not see it: {reason}. Look at "
            "`repo:` in the goals file, and let the token reach that repository (nothing was changed)"
        )
    return _facts(answer, found, client)


def _ask_for_facts(client: Client) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the answer and its errors, without the parts that this token may not read."""
    owner, _, name = client.repo.partition("/")
    parts = dict(_OPTIONAL)
    while True:
        data, errors = client.query(_FACTS % parts, {"owner": owner, "name": name})
        messages = [f"{error.get('path')} {error.get('message')}" for error in errors]
        refused = {part for part, text in parts.items() if text and any(part in words for words in messages)}
        if not refused:
            return data, errors
        parts |= dict.fromkeys(refused, "")


def _facts(answer: FactsAnswer, found: RepositoryAnswer, client: Client) -> RepositoryInfo:
    names = {field.name for field in (answer.inputs.input_fields if answer.inputs else ())}
    fields = found.issue_fields.nodes or [] if found.issue_fields and "issueFields" in names else []
    client.repo = found.name_with_owner  # it may have been renamed
    rate = answer.rate_limit
    return RepositoryInfo(
        found.id,
        found.name_with_owner,
        answer.viewer.login if answer.viewer else "",
        found.viewer_permission or "unknown",
        found.is_archived,
        found.has_issues_enabled,
        _labels(found, client),
        _people(found, client),
        {field.name: field.id for field in fields if isinstance(field, Named)},
        "parentIssueId" in names,
        rate.limit if rate else 0,
        rate.remaining if rate else 0,
        rate.reset_at if rate else "",
    )


def _labels(found: RepositoryAnswer, client: Client) -> dict[str, str]:
    if found.labels.page_info.has_next_page:
        return client.labels()
    return {label.name: label.id for label in found.labels.nodes}


def _people(found: RepositoryAnswer, client: Client) -> dict[str, str]:
    users = found.assignable_users
    if users is None:
        return {}
    if not users.page_info.has_next_page:
        return {user.login: user.id for user in users.nodes}
    with understood("the users who can be assigned"):
        return {user.login: user.node_id for user in map(AssignableAnswer.read, client.listed("assignees"))}


def read_project(client: Client, number: int, field: str) -> Project | str:
    """Return a project of the repository's owner, or a sentence on why it cannot show dates."""
    owner, _, name = client.repo.partition("/")
    variables = {"owner": owner, "name": name, "number": number, "field": field}
    data, errors = client.query(_PROJECT, variables)
    with understood(f"project {number}"):
        found = ProjectAnswer.of(data)
    if found is None:
        reason = str(errors[0].get("message")) if errors else "no reason given"
        return (
            f"project {number} of {owner} cannot be reached, so dates are only in the issues (GitHub: {reason}). The "
            "GITHUB_TOKEN of a workflow never reaches projects; a classic token needs `project`, and a fine-grained "
            "one the organization's Projects: write"
        )
    if not isinstance(found.field, ProjectField) or found.field.data_type != "DATE":
        return f"project {number} of {owner} has no date field “{field}”, so dates are only in the issues"
    return Project(found.id, found.field.id, field)


def doctor(
    facts: RepositoryInfo, project: Project | str | None, fields: DateFields | None, missing: Sequence[str]
) -> list[Check]:
    """Return the checks of the account, the repository, the permissions there, and the rate limit."""
    try:
        facts.refuse_closed()
    except RefusedError as error:
        there = Check("repository", False, str(error))
    else:
        there = Check("repository", True, f"{facts.name} is there, and takes issues")
    rights = f"{facts.permission.lower()} on {facts.name}"
    lacks = (
        ""
        if facts.may_push
        else ": labels, milestones and sub-issues need the right to write there; GitHub leaves them out"
    )
    nests = "steps are sub-issues of their goal" if facts.nests else "this server has no sub-issues; steps stand alone"
    if isinstance(project, str):
        dates = [Check("project", False, project)]
    else:
        dates = [Check("project", True, f"dates go to its field “{project.field}”, too")] if project else []
    shown = (
        f"dates go to {fields.names} of the issues, too, where the token may set that"
        if fields
        else "the issues have no date fields to set: only organizations give them"
    )
    return [
        Check("account", True, facts.login or "the token of a workflow"),
        there,
        *dates,
        Check("fields", not missing, "; ".join([shown, *missing])),
        Check("rights", facts.may_push, rights + lacks),
        Check("structure", True, nests),
        Check(
            "requests",
            True,
            f"{facts.remaining:,} of {facts.limit:,} are left until {facts.resets}; besides, GitHub takes about 80 "
            "changes a minute and 500 an hour, and backplan keeps to that",
        ),
    ]
