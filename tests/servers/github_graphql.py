"""The GraphQL side of the stand-in for GitHub: its published schema, carried out by graphql-core."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

from tests.servers.github import Issue, IssueField, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphql import DocumentNode

    from tests.servers.github import GitHub, Project, Repo, Token, User

SDL = (Path(__file__).parent / "github_schema.graphql").read_text("utf-8")
FIELDS = (Path(__file__).parent / "github_issue_fields.graphql").read_text("utf-8")
_CODES = (("Cannot query field", "undefinedField"), ("unknown field", "argumentNotAccepted"))
_UNKNOWN = re.compile(r"Cannot query field '(\w+)' on type '(\w+)'.*")
Node = dict[str, Any]


@cache
def schema(without: tuple[str, ...] = ()) -> GraphQLSchema:
    """Return the schema, for an older server `without` some fields, which are named.

    Without `issueFields` there is nothing of the fields of issues.
    """
    text = SDL if "issueFields" in without else SDL + FIELDS
    for name in without:
        text = re.sub(rf"(?m)^  {name}(\(.*\))?: .*\n", "", text)
    return build_schema(text)


def carry_out(service: GitHub, token: Token, known: GraphQLSchema, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the service says to a query or to a batch of mutations."""
    try:
        document, wrong = _read(known, asked["query"])
    except GraphQLError as error:
        return {"errors": [{"message": error.message, "locations": []}]}
    if wrong:
        return {"errors": [_static(error) for error in wrong]}
    root = {**_queries(service, token), **_Mutations(service, token).by_name()}
    result = execute_sync(known, document, root, variable_values=asked.get("variables"))
    if result.data is None and result.errors and not any(error.path for error in result.errors):
        return {"errors": [_static(error) for error in result.errors]}
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [_of_field(error) for error in result.errors]
    return answer


@lru_cache(maxsize=1 << 10)
def _read(known: GraphQLSchema, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
    """Return a query, and what the schema does not allow in it. Raises GraphQLError where it is none."""
    document = parse(text)
    return document, validate(known, document)


def _static(error: GraphQLError) -> dict[str, Any]:
    """Return an error of the request itself: then nothing is carried out."""
    code = next((code for words, code in _CODES if words in error.message), "variableMismatch")
    message = _UNKNOWN.sub(r"Field '\1' doesn't exist on type '\2'", error.message)
    unknown = _UNKNOWN.match(error.message)
    path = ["query", *([unknown[2].lower(), unknown[1]] if unknown else [])]
    return {"path": path, "extensions": {"code": code}, "locations": [], "message": message}


def _of_field(error: GraphQLError) -> dict[str, Any]:
    refused = error.original_error
    if not isinstance(refused, Refused):
        raise AssertionError(f"a resolver failed: {error}") from refused
    return {"type": refused.kind, "path": error.path, "locations": [], "message": refused.message}


# Objects


def _connection(values: Sequence[Node], first: int | None, after: str | None) -> Node:
    if first is None:
        raise Refused(
            400, "You must provide a `first` or `last` value to properly paginate.", "MISSING_PAGINATION_BOUNDARIES"
        )
    start = int(after or 0)
    page = {"endCursor": str(start + first), "hasNextPage": start + first < len(values)}
    page |= {"hasPreviousPage": start > 0, "startCursor": str(start)}
    return {"nodes": values[start : start + first], "totalCount": len(values), "pageInfo": page}


def _many(values: Callable[[], Sequence[Node]]) -> Callable[..., Node]:
    return lambda info, first=None, after=None, last=None, **_: _connection(values(), first or last, after)


class _Objects:
    """What stands behind the types of the schema."""

    def __init__(self, service: GitHub, token: Token) -> None:
        self._service = service
        self._token = token

    def repository(self, repo: Repo) -> Node:
        return {
            "__typename": "Repository",
            "id": f"R_{repo.id}",
            "name": repo.name,
            "nameWithOwner": repo.full_name,
            "isArchived": repo.archived,
            "hasIssuesEnabled": repo.has_issues,
            "viewerPermission": repo.role(self._token.user),
            "owner": lambda info: self.owner(repo.owner),
            "issue": lambda info, number: self.issue(self._numbered(repo, number)),
            "labels": _many(lambda: [self._label(label) for label in repo.labels]),
            "assignableUsers": _many(lambda: self.people(repo)),
            "milestone": lambda info, number: self._milestone(repo, number),
            "issueFields": _many(lambda: self._fields(repo)),
        }

    def _fields(self, repo: Repo) -> list[Node]:
        self.seen("issueFields")
        kinds = {"date": "IssueFieldDate", "text": "IssueFieldText"}
        found = self._service.fields_of(self._token, repo)
        return [{"__typename": kinds[one.kind], "id": one.node_id, "name": one.name} for one in found]

    def seen(self, name: str) -> None:
        """Refuse what no token may read."""
        if name in self._service.hidden:
            raise Refused(403, "Resource not accessible by integration", "FORBIDDEN")

    def people(self, repo: Repo) -> list[Node]:
        self.seen("assignableUsers")
        return [self.user(user) for user in self._service.assignable(repo)]

    def _milestone(self, repo: Repo, number: int) -> Node | None:
        found = next((m for m in repo.milestones if m.number == number and not m.deleted), None)
        if found is None:
            return None
        return {"__typename": "Milestone", "id": f"MI_{found.id}", "number": number, "title": found.title}

    def _numbered(self, repo: Repo, number: int) -> Issue:
        issue = repo.issues.get(number)
        if issue is None or issue.deleted or issue.pull_request or issue.moved_to:
            raise Refused(404, f"Could not resolve to an Issue with the number of {number}.", "NOT_FOUND")
        return issue

    def owner(self, login: str) -> Node:
        kind = "Organization" if login in self._service.organizations else "User"
        known = self._service.users.get(login)
        return {
            "__typename": kind,
            "id": known.node_id if known else f"O_{login}",
            "login": login,
            "projectV2": lambda info, number: self.project(login, number),
        }

    def user(self, user: User) -> Node:
        return self.owner(user.login)

    def _label(self, label: Any) -> Node:
        return {"__typename": "Label", "id": f"LA_{label.id}", "name": label.name}

    def issue(self, issue: Issue) -> Node:
        reason = issue.state_reason.upper() if issue.state_reason else None

        def state_reason(info: Any, enableDuplicate: bool = False) -> str | None:  # noqa: N803  # its name there
            return "NOT_PLANNED" if reason == "DUPLICATE" and not enableDuplicate else reason

        milestone = issue.milestone
        return {
            "__typename": "Issue",
            "id": issue.node_id,
            "number": issue.number,
            "fullDatabaseId": str(issue.id),
            "title": issue.title,
            "body": issue.body,
            "url": f"https://github.example/{issue.repo.full_name}/issues/{issue.number}",
            "state": issue.state.upper(),
            "closed": issue.state == "closed",
            "stateReason": state_reason,
            "labels": _many(lambda: [self._label(label) for label in issue.labels]),
            "assignees": _many(lambda: [self.user(user) for user in issue.assignees]),
            "milestone": lambda info: milestone and self._milestone(issue.repo, milestone.number),
            "parent": lambda info: self.issue(issue.parent) if issue.parent else None,
            "subIssues": _many(lambda: [self.issue(child) for child in issue.children]),
            "projectItems": _many(lambda: [self.item(issue, number) for number in issue.dates]),
            "repository": lambda info: self.repository(issue.repo),
            "timelineItems": _many(lambda: [self._closing(issue)] if issue.state == "closed" else []),
        }

    def _closing(self, issue: Issue) -> Node:
        """Return the event of an issue's last closing; the stand-in keeps no other."""
        reason = issue.state_reason.upper() if issue.state_reason else None
        actor = self._actor(issue.closed_by) if issue.closed_by else None
        return {"__typename": "ClosedEvent", "id": f"CE_{issue.id}", "actor": actor, "stateReason": reason}

    def _actor(self, user: User) -> Node:
        """Return who did something: in GraphQL the logins of bots lack their ending."""
        if user.type != "Bot":
            return self.user(user)
        return {"__typename": "Bot", "id": user.node_id, "login": user.login.removesuffix("[bot]")}

    # Projects

    def project(self, login: str, number: int) -> Node | None:
        found = next((p for p in self._service.projects if (p.owner, p.number) == (login, number)), None)
        if found is None or not self._token.projects:
            raise Refused(404, f"Could not resolve to a ProjectV2 with the number {number}.", "NOT_FOUND")
        return self._project(found)

    def _project(self, project: Project) -> Node:
        def named(info: Any, name: str) -> Node | None:
            if name not in project.fields:
                return None
            field = {"id": f"PVTF_{project.id}_{name}", "name": name, "dataType": "DATE"}
            return {"__typename": "ProjectV2Field", **field}

        shown = {"id": f"PVT_{project.id}", "number": project.number, "title": "Plan"}
        return {"__typename": "ProjectV2", **shown, "field": named}

    def item(self, issue: Issue, project_id: int) -> Node:
        project = next(p for p in self._service.projects if p.id == project_id)
        item_id = f"PVTI_{project_id}_{issue.id}"

        def value(info: Any, name: str) -> Node | None:
            day = issue.dates[project_id].get(name)
            return (
                {"__typename": "ProjectV2ItemFieldDateValue", "id": f"{item_id}_{name}", "date": day} if day else None
            )

        return {"id": item_id, "project": lambda info: self._project(project), "fieldValueByName": value}


def _queries(service: GitHub, token: Token) -> dict[str, Callable[..., Any]]:
    objects = _Objects(service, token)

    def viewer(info: Any) -> Node:
        objects.seen("viewer")
        return objects.user(token.user)

    def node(info: Any, id: str) -> Node:  # noqa: A002  # its name there
        return objects.issue(service.find_issue(token, id))

    def rate_limit(info: Any, **_: Any) -> Node:
        used = token.spent
        rest = {"limit": token.limit, "remaining": token.limit - used, "used": used, "cost": 1}
        return {**rest, "resetAt": (service.now.replace(minute=59)).isoformat()}

    def someone(info: Any, login: str) -> Node:
        if login not in service.users:
            raise Refused(404, f"Could not resolve to a User with the login of '{login}'.", "NOT_FOUND")
        return objects.user(service.users[login])

    def organization(info: Any, login: str) -> Node:
        if login not in service.organizations:
            raise Refused(404, f"Could not resolve to an Organization with the login of '{login}'.", "NOT_FOUND")
        return objects.owner(login)

    return {
        "viewer": viewer,
        "repository": lambda info, owner, name, **_: objects.repository(service.find_repo(token, owner, name)),
        "rateLimit": rate_limit,
        "node": node,
        "nodes": lambda info, ids: [node(info, one) for one in ids],
        "user": someone,
        "organization": organization,
    }


def _day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Refused(422, f"'{value}' is no date", "UNPROCESSABLE") from None


class _Mutations:
    """What changes something: each on its own, none undone because another one failed."""

    def __init__(self, service: GitHub, token: Token) -> None:
        self._service = service
        self._token = token
        self._objects = _Objects(service, token)
        self._count = 0

    def by_name(self) -> dict[str, Callable[..., Any]]:
        methods = {
            "createIssue": self.create_issue,
            "updateIssue": self.update_issue,
            "closeIssue": self.close_issue,
            "reopenIssue": self.reopen_issue,
            "addSubIssue": self.add_child,
            "removeSubIssue": self.remove_child,
            "reprioritizeSubIssue": self.move_child,
            "setIssueFieldValue": self.set_fields,
            "addProjectV2ItemById": self.add_item,
            "updateProjectV2ItemFieldValue": self.set_value,
            "clearProjectV2ItemFieldValue": self.clear_value,
        }
        return {name: self._counted(method) for name, method in methods.items()}

    def _counted(self, method: Callable[[dict[str, Any]], Node]) -> Callable[..., Node]:
        def mutate(info: Any, input: dict[str, Any]) -> Node:  # noqa: A002  # its name there
            number, self._count = self._count, self._count + 1
            if number in self._service.too_fast:
                self._service.too_fast.discard(number)
                raise Refused(403, "was submitted too quickly", "UNPROCESSABLE")
            self._service.count_write(self._token)
            answer: Node = method(input)
            return {**answer, "clientMutationId": input.get("clientMutationId")}

        return mutate

    def _issue(self, node_id: str, *, push: bool = False) -> Issue:
        issue = self._service.find_issue(self._token, node_id)
        self._service.allow(self._token, issue.repo)
        if push and not self._service.may_push(self._token, issue.repo):
            raise Refused(
                403, f"{self._token.user.login} does not have the correct permissions to execute this", "FORBIDDEN"
            )
        return issue

    def _fields(self, repo: Repo, given: dict[str, Any]) -> dict[str, Any]:
        fields: dict[str, Any] = {key: given[key] for key in ("title", "body") if given.get(key) is not None}
        if given.get("labelIds") is not None:
            known = {f"LA_{label.id}": label for label in repo.labels}
            fields["labels"] = [self._known(known, node_id) for node_id in given["labelIds"]]
        if given.get("assigneeIds") is not None:
            users = {user.node_id: user for user in self._service.users.values()}
            fields["assignees"] = [self._known(users, node_id) for node_id in given["assigneeIds"]]
        if "milestoneId" in given:
            milestones = {f"MI_{m.id}": m for m in repo.milestones if not m.deleted}
            fields["milestone"] = self._known(milestones, given["milestoneId"]) if given["milestoneId"] else None
        return fields

    def _known(self, known: dict[str, Any], node_id: str) -> Any:
        if node_id not in known:
            raise Refused(404, f"Could not resolve to a node with the global id of '{node_id}'", "NOT_FOUND")
        return known[node_id]

    def create_issue(self, given: dict[str, Any]) -> Node:
        repo = next((r for r in self._service.repos.values() if f"R_{r.id}" == given["repositoryId"]), None)
        if repo is None:
            raise Refused(404, "Could not resolve to a node with that global id", "NOT_FOUND")
        self._service.allow(self._token, repo)
        parent = self._issue(given["parentIssueId"], push=True) if given.get("parentIssueId") else None
        values = [] if self._service.made_first else self._values(repo, given)
        issue = self._service.create(self._token, repo, **self._fields(repo, given))
        self._service.set_values(issue, values or self._values(repo, given))
        if parent is not None:
            self._service.add_child(parent, issue)
        return {"issue": self._objects.issue(issue)}

    def update_issue(self, given: dict[str, Any]) -> Node:
        issue = self._issue(given["id"])
        self._service.update(self._token, issue, **self._fields(issue.repo, given))
        if given.get("state"):
            self._service.set_state(issue, given["state"].lower(), by=self._token.user)
        return {"issue": self._objects.issue(issue)}

    def close_issue(self, given: dict[str, Any]) -> Node:
        issue = self._issue(given["issueId"])
        self._service.update(self._token, issue)
        reason = (given.get("stateReason") or "COMPLETED").lower()
        self._service.set_state(issue, "closed", reason, self._token.user)
        return {"issue": self._objects.issue(issue)}

    def reopen_issue(self, given: dict[str, Any]) -> Node:
        issue = self._issue(given["issueId"])
        self._service.update(self._token, issue)
        self._service.set_state(issue, "open")
        return {"issue": self._objects.issue(issue)}

    def add_child(self, given: dict[str, Any]) -> Node:
        parent, child = self._issue(given["issueId"], push=True), self._issue(given["subIssueId"])
        self._service.add_child(parent, child, replace=bool(given.get("replaceParent")))
        return {"issue": self._objects.issue(parent), "subIssue": self._objects.issue(child)}

    def remove_child(self, given: dict[str, Any]) -> Node:
        parent, child = self._issue(given["issueId"], push=True), self._issue(given["subIssueId"])
        if child.parent is not parent:
            raise Refused(404, "The provided sub-issue does not exist", "NOT_FOUND")
        parent.children.remove(child)
        child.parent = None
        return {"issue": self._objects.issue(parent), "subIssue": self._objects.issue(child)}

    def move_child(self, given: dict[str, Any]) -> Node:
        parent, child = self._issue(given["issueId"], push=True), self._issue(given["subIssueId"])
        after, before = (self._issue(given[key]) if given.get(key) else None for key in ("afterId", "beforeId"))
        self._service.move_child(parent, child, after, before)
        return {"issue": self._objects.issue(parent)}

    def _values(self, repo: Repo, given: dict[str, Any]) -> list[tuple[IssueField, str | None]]:
        """Return the values that are to be set, or (None) cleared; a field that is not of their kind is refused."""
        found = []
        for one in given.get("issueFields") or ():
            field = self._service.field(self._token, repo, one["fieldId"])
            value = None if one.get("delete") else one.get(f"{field.kind}Value")
            if value is None and not one.get("delete"):
                raise Refused(422, f"Field '{field.name}' takes a {field.kind} value", "UNPROCESSABLE")
            if value and field.kind == "date":
                value = _day(value)
            found.append((field, value))
        return found

    def set_fields(self, given: dict[str, Any]) -> Node:
        issue = self._issue(given["issueId"])
        self._service.set_values(issue, self._values(issue.repo, given))
        return {"issue": self._objects.issue(issue)}

    # Projects

    def add_item(self, given: dict[str, Any]) -> Node:
        project = self._service.project_of(self._token, given["projectId"])
        issue = self._issue(given["contentId"])
        issue.dates.setdefault(project.id, {})
        return {"item": self._objects.item(issue, project.id)}

    def _item(self, given: dict[str, Any]) -> tuple[Project, Issue, str]:
        project = self._service.project_of(self._token, given["projectId"])
        issue = self._issue("I_" + given["itemId"].rsplit("_", 1)[-1])
        if project.id not in issue.dates:
            raise Refused(404, f"Could not resolve to a node with the global id of '{given['itemId']}'", "NOT_FOUND")
        return project, issue, given["fieldId"].split("_", 2)[-1]

    def set_value(self, given: dict[str, Any]) -> Node:
        project, issue, name = self._item(given)
        issue.dates[project.id][name] = given["value"]["date"]
        return {"projectV2Item": self._objects.item(issue, project.id)}

    def clear_value(self, given: dict[str, Any]) -> Node:
        project, issue, name = self._item(given)
        issue.dates[project.id][name] = None
        return {"projectV2Item": self._objects.item(issue, project.id)}
