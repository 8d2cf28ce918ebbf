"""The REST side of the stand-in for GitHub: its paths, and issues, labels and milestones as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from tests.servers import github_pulls
from tests.servers.github import LONGEST_BODY, Issue, IssueField, Label, Milestone, Refused, User
from tests.servers.github_contents import contents

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.servers.github import Comment, GitHub, Repo, Token

_DAY_OF_PACIFIC = timedelta(hours=7)  # in summer, when these tests play


@dataclass(frozen=True)
class Call:
    """One request: `base` is where the API begins, `path` what stands behind it."""

    service: GitHub
    token: Token
    base: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    value: Any
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def call(asked: Call) -> Answer:
    """Carry out a request."""
    for method, pattern, handler in _ROUTES:
        match = re.fullmatch(pattern, asked.path)
        if match and method == asked.method:
            if method != "GET":
                asked.service.count_write(asked.token)
            return handler(asked, *match.groups())
    raise Refused(404, "Not Found", "NOT_FOUND")


# What an answer looks like


def stamp(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def user_json(user: User, base: str) -> dict[str, Any]:
    urls = ("followers_url", "following_url", "gists_url", "starred_url", "subscriptions_url", "organizations_url")
    url = f"{base}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": user.node_id,
        "avatar_url": f"{base}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": url,
        **dict.fromkeys((*urls, "repos_url", "events_url", "received_events_url"), url),
        "type": user.type,
        "site_admin": False,
    }


def label_json(label: Label, base: str) -> dict[str, Any]:
    return {
        "id": label.id,
        "node_id": f"LA_{label.id}",
        "url": f"{base}/labels/{label.id}",
        "name": label.name,
        "description": label.description or None,
        "color": label.color,
        "default": False,
    }


def milestone_json(milestone: Milestone, repo: Repo, base: str) -> dict[str, Any]:
    url = f"{base}/repos/{repo.full_name}/milestones/{milestone.number}"
    there = [issue for issue in repo.issues.values() if issue.milestone is milestone]
    return {
        "id": milestone.id,
        "node_id": f"MI_{milestone.id}",
        "number": milestone.number,
        "url": url,
        "html_url": url,
        "labels_url": f"{url}/labels",
        "title": milestone.title,
        "description": milestone.description or None,
        "creator": None,
        "open_issues": sum(issue.state == "open" for issue in there),
        "closed_issues": sum(issue.state == "closed" for issue in there),
        "state": milestone.state,
        "created_at": stamp(milestone.created_at),
        "updated_at": stamp(milestone.created_at),
        "closed_at": None,
        "due_on": milestone.due_on,
    }


def value_json(field: IssueField, value: str) -> dict[str, Any]:
    named = {"issue_field_id": field.id, "issue_field_name": field.name, "node_id": field.node_id}
    return {**named, "data_type": field.kind, "value": value, "single_select_option": None}


def issue_json(issue: Issue, token: Token, base: str, service: GitHub) -> dict[str, Any]:
    repo = issue.repo
    root = f"{base}/repos/{repo.full_name}"
    url = f"{root}/issues/{issue.number}"
    role = repo.role(issue.user)
    association = (
        "OWNER" if issue.user.login == repo.owner else "COLLABORATOR" if role not in ("NONE", "READ") else "NONE"
    )
    if issue.user.type == "Bot":
        association = "NONE"
    shown: dict[str, Any] = {
        "id": issue.id,
        "node_id": issue.node_id,
        "number": issue.number,
        "url": url,
        "repository_url": root,
        "html_url": url,
        "labels_url": f"{url}/labels",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "title": issue.title,
        "body": issue.body or None,
        "user": user_json(issue.user, base),
        "author_association": association,
        "state": issue.state,
        "state_reason": issue.state_reason,
        "locked": issue.locked,
        "labels": [label_json(label, base) for label in issue.labels],
        "assignee": user_json(issue.assignees[0], base) if issue.assignees else None,
        "assignees": [user_json(user, base) for user in issue.assignees],
        "milestone": milestone_json(issue.milestone, repo, base) if issue.milestone else None,
        "comments": len(issue.comments),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "sub_issues_summary": {
            "total": len(issue.children),
            "completed": sum(child.state == "closed" for child in issue.children),
            "percent_completed": 0,
        },
        "issue_dependencies_summary": {
            "blocked_by": len(issue.blocked_by),
            "blocking": 0,
            "total_blocked_by": len(issue.blocked_by),
            "total_blocking": 0,
        },
    }
    fields = service.fields_of(token, repo)
    shown["issue_field_values"] = [value_json(one, issue.values[one.id]) for one in fields if one.id in issue.values]
    if issue.parent is not None:
        shown["parent_issue_url"] = f"{base}/repos/{issue.parent.repo.full_name}/issues/{issue.parent.number}"
    if issue.pull_request:
        shown["pull_request"] = {"url": url, "html_url": url, "diff_url": url, "patch_url": url}
    return shown


def comment_json(comment: Comment, issue: Issue, base: str) -> dict[str, Any]:
    url = f"{base}/repos/{issue.repo.full_name}/issues/comments/{comment.id}"
    return {
        "id": comment.id,
        "node_id": f"IC_{comment.id}",
        "url": url,
        "html_url": url,
        "issue_url": f"{base}/repos/{issue.repo.full_name}/issues/{issue.number}",
        "body": comment.body,
        "user": user_json(comment.user, base),
        "author_association": "OWNER",
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.created_at),
    }


def _page(asked: Call, repo: Repo, values: Sequence[Any], *, cursor: bool = False) -> Answer:
    """Return one page, with the way to the next: where there are cursors, pages have no numbers."""
    size = min(int(asked.query.get("per_page", 30)), 100)
    if cursor and "page" in asked.query and int(asked.query["page"]) > 1:
        raise Refused(422, "Pagination with the page parameter is not supported for large datasets, please use cursor "
                      "based pagination (after/before)")  # fmt: skip
    first = int(asked.query.get("after" if cursor else "page", "0" if cursor else "1"))
    start = first if cursor else (first - 1) * size
    headers: tuple[tuple[str, str], ...] = ()
    if start + size < len(values):
        following = {"after": str(start + size)} if cursor else {"page": str(first + 1)}
        where = f"{asked.base}/repositories/{repo.id}/{asked.path.split('/', 4)[-1]}"
        headers = (("link", f'<{where}?{urlencode({**asked.query, **following})}>; rel="next"'),)
    return Answer(values[start : start + size], headers=headers)


# Issues


def _repo(asked: Call, owner: str, name: str) -> Repo:
    """Return a repository whose issues can be asked for."""
    repo = _find(asked, owner, name)
    if not repo.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.", "NOT_FOUND")
    return repo


def _find(asked: Call, owner: str, name: str) -> Repo:
    """Return a repository by its name, or (`repositories`) by its id; one that was renamed leads elsewhere."""
    if owner == "repositories":
        repo = next((r for r in asked.service.repos.values() if str(r.id) == name), None)
        owner, name = (repo.owner, repo.name) if repo else (owner, name)
    try:
        repo = asked.service.find_repo(asked.token, owner, name)
    except Refused:
        raise Refused(404, "Not Found", "NOT_FOUND") from None
    if (repo.owner.lower(), repo.name.lower()) != (owner.lower(), name.lower()):
        raise _moved(asked, f"{asked.base}/repositories/{repo.id}/{asked.path.split('/', 4)[-1]}")
    return repo


def _moved(asked: Call, where: str) -> Refused:
    query = f"?{urlencode(asked.query)}" if asked.query else ""
    status = 301 if asked.method == "GET" else 307
    return Refused(status, "Moved Permanently", headers=(("location", where + query),))


def _issue(asked: Call, repo: Repo, number: str) -> Issue:
    issue = repo.issues.get(int(number))
    if issue is None:
        raise Refused(404, "Not Found", "NOT_FOUND")
    if issue.deleted:
        raise Refused(410, "This issue was deleted", "NOT_FOUND")
    if issue.moved_to is not None:
        tail = asked.path.partition(f"/issues/{number}")[2]
        there = issue.moved_to
        raise _moved(asked, f"{asked.base}/repositories/{there.repo.id}/issues/{there.number}{tail}")
    return issue


def _list_issues(asked: Call, owner: str, name: str) -> Answer:
    repo, query = _repo(asked, owner, name), asked.query
    found = [issue for issue in repo.issues.values() if not issue.deleted and issue.moved_to is None]
    if (state := query.get("state", "open")) != "all":
        found = [issue for issue in found if issue.state == state]
    for wanted in filter(None, query.get("labels", "").split(",")):
        found = [issue for issue in found if any(label.name.lower() == wanted.lower() for label in issue.labels)]
    if since := query.get("since"):
        found = [issue for issue in found if issue.updated_at >= datetime.fromisoformat(since)]
    found.sort(key=lambda issue: (issue.created_at, issue.number), reverse=query.get("direction", "desc") == "desc")
    return _page(
        asked, repo, [issue_json(issue, asked.token, asked.base, asked.service) for issue in found], cursor=True
    )


def _get_issue(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    return Answer(issue_json(issue, asked.token, asked.base, asked.service))


def _fields(asked: Call, repo: Repo) -> dict[str, Any]:
    """Return the fields that a body asks for, as an issue holds them."""
    body, service = asked.body, asked.service
    fields: dict[str, Any] = {name: body[name] for name in ("title", "body") if body.get(name) is not None}
    if "labels" in body:
        fields["labels"] = [service.label(repo, name) for name in body["labels"]]
    if "assignees" in body:
        fields["assignees"] = [service.users[login] for login in body["assignees"] if login in service.users]
    if "milestone" in body:
        number = body["milestone"]
        fields["milestone"] = next((m for m in repo.milestones if m.number == number and not m.deleted), None)
    return fields


def _set_values(asked: Call, issue: Issue) -> None:
    """Set values of the organization's fields; on a user's repository, and for who may not push, they are dropped."""
    may = asked.token.fields == "write" and asked.service.may_push(asked.token, issue.repo)
    known = {one.id: one for one in asked.service.fields_of(asked.token, issue.repo) if may}
    given = asked.body.get("issue_field_values") or ()
    values = [(known[one["field_id"]], one["value"]) for one in given if one["field_id"] in known]
    asked.service.set_values(issue, values)


def _post_issue(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    asked.service.allow(asked.token, repo)
    issue = asked.service.create(asked.token, repo, **{"title": "", **_fields(asked, repo)})
    _set_values(asked, issue)
    return Answer(issue_json(issue, asked.token, asked.base, asked.service), 201)


def _patch_issue(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    asked.service.allow(asked.token, issue.repo)
    asked.service.update(asked.token, issue, **_fields(asked, issue.repo))
    _set_values(asked, issue)
    if state := asked.body.get("state"):
        asked.service.set_state(issue, state, asked.body.get("state_reason"), asked.token.user)
    return Answer(issue_json(issue, asked.token, asked.base, asked.service))


def _list_comments(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    return _page(asked, issue.repo, [comment_json(comment, issue, asked.base) for comment in issue.comments])


def _allow_comment(asked: Call, issue: Issue) -> None:
    may = asked.token.permissions or {}
    if not (issue.pull_request and may.get("pull_requests") == "write"):
        asked.service.allow(asked.token, issue.repo)
    if len(asked.body["body"]) > LONGEST_BODY:
        raise Refused(422, "Validation Failed", errors=[{"message": "body is too long (maximum is 65536 characters)"}])


def _patch_comment(asked: Call, owner: str, name: str, number: str) -> Answer:
    for issue in _repo(asked, owner, name).issues.values():
        for comment in issue.comments:
            if str(comment.id) == number:
                _allow_comment(asked, issue)
                comment.body = asked.body["body"]
                return Answer(comment_json(comment, issue, asked.base))
    raise Refused(404, "Not Found", "NOT_FOUND")


def _post_comment(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    _allow_comment(asked, issue)
    comment = asked.service.comment(issue.number, asked.body["body"], asked.token.user)
    return Answer(comment_json(comment, issue, asked.base), 201)


# What hangs together


def _by_id(asked: Call, issue_id: int) -> Issue:
    for repo in asked.service.repos.values():
        for issue in repo.issues.values():
            if issue.id == issue_id and not issue.deleted:
                return issue
    raise Refused(404, "Not Found", "NOT_FOUND")


def _list_children(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    return _page(
        asked, issue.repo, [issue_json(child, asked.token, asked.base, asked.service) for child in issue.children]
    )


def _post_child(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    asked.service.allow(asked.token, issue.repo, push=True)
    child = _by_id(asked, asked.body["sub_issue_id"])
    asked.service.add_child(issue, child, replace=asked.body.get("replace_parent", False))
    return Answer(issue_json(issue, asked.token, asked.base, asked.service), 201)


def _list_blocking(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    return _page(
        asked, issue.repo, [issue_json(other, asked.token, asked.base, asked.service) for other in issue.blocked_by]
    )


def _post_blocking(asked: Call, owner: str, name: str, number: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    asked.service.allow(asked.token, issue.repo, push=True)
    other = _by_id(asked, asked.body["issue_id"])
    if other in issue.blocked_by:
        raise Refused(422, "Validation Failed", errors=["Target issue has already been taken"])
    issue.blocked_by.append(other)
    return Answer(issue_json(issue, asked.token, asked.base, asked.service), 201)


def _delete_blocking(asked: Call, owner: str, name: str, number: str, issue_id: str) -> Answer:
    issue = _issue(asked, _repo(asked, owner, name), number)
    asked.service.allow(asked.token, issue.repo, push=True)
    other = next((other for other in issue.blocked_by if str(other.id) == issue_id), None)
    if other is None:
        raise Refused(404, "Not Found", "NOT_FOUND")
    issue.blocked_by.remove(other)
    return Answer(issue_json(issue, asked.token, asked.base, asked.service))


# Labels and milestones


def _list_labels(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    return _page(asked, repo, [label_json(label, asked.base) for label in repo.labels])


def _get_label(asked: Call, owner: str, name: str, label: str) -> Answer:
    repo = _repo(asked, owner, name)
    found = next((one for one in repo.labels if one.name.lower() == unquote(label).lower()), None)
    if found is None:
        raise Refused(404, "Not Found", "NOT_FOUND")
    return Answer(label_json(found, asked.base))


def _post_label(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    asked.service.allow(asked.token, repo, push=True)
    said = asked.body["name"]
    if any(label.name.lower() == said.lower() for label in repo.labels):
        raise Refused(
            422, "Validation Failed", errors=[{"resource": "Label", "code": "already_exists", "field": "name"}]
        )
    if len(said) > 50:
        error = {
            "resource": "Label",
            "code": "custom",
            "field": "name",
            "message": "name is too long (maximum is 50 characters)",
        }
        raise Refused(422, "Validation Failed", errors=[error])
    label = asked.service.label(repo, said)
    label.color, label.description = asked.body.get("color", "ededed"), asked.body.get("description", "")
    return Answer(label_json(label, asked.base), 201)


def _list_assignees(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    return _page(asked, repo, [user_json(user, asked.base) for user in asked.service.assignable(repo)])


def _list_pulls(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    return Answer(github_pulls.listed(repo, asked.token, dict(asked.query)))


def _post_pull(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    return Answer(github_pulls.opened(repo, asked.token, asked.body), 201)


def _get_permission(asked: Call, owner: str, name: str, login: str) -> Answer:
    """Return somebody's right in a repository: in the older word, which knows four, and as the role."""
    repo, user = _repo(asked, owner, name), asked.service.users.get(unquote(login))
    if user is None:
        raise Refused(404, f"{unquote(login)} is not a user", "NOT_FOUND")
    role = repo.role(user).lower()
    right = {"triage": "read", "maintain": "write"}.get(role, role)
    shown = {**user_json(user, asked.base), "role_name": role}
    return Answer({"permission": right, "role_name": role, "user": shown})


def _list_milestones(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    state = asked.query.get("state", "open")
    found = [m for m in repo.milestones if not m.deleted and state in ("all", m.state)]
    return _page(asked, repo, [milestone_json(milestone, repo, asked.base) for milestone in found])


def _floored(due_on: str | None) -> str | None:
    """Return the moment that the service makes of one: midnight of that day on the Pacific coast."""
    if due_on is None:
        return None
    if "T" not in due_on:
        raise Refused(422, "Invalid request.\n\nFor 'properties/due_on', nil is not a date-time.")
    day = (datetime.fromisoformat(due_on) - _DAY_OF_PACIFIC).date()
    return f"{day}T07:00:00Z"


def _post_milestone(asked: Call, owner: str, name: str) -> Answer:
    repo = _repo(asked, owner, name)
    asked.service.allow(asked.token, repo, push=True)
    body = asked.body
    if any(m.title == body["title"] and not m.deleted for m in repo.milestones):
        error = {"resource": "Milestone", "code": "already_exists", "field": "title"}
        raise Refused(422, "Validation Failed", errors=[error])
    milestone = Milestone(asked.service.new_id(), len(repo.milestones) + 1, body["title"], body.get("description", ""))
    milestone.due_on = _floored(body.get("due_on"))
    repo.milestones.append(milestone)
    return Answer(milestone_json(milestone, repo, asked.base), 201)


def _patch_milestone(asked: Call, owner: str, name: str, number: str) -> Answer:
    repo = _repo(asked, owner, name)
    asked.service.allow(asked.token, repo, push=True)
    milestone = next((m for m in repo.milestones if str(m.number) == number and not m.deleted), None)
    if milestone is None:
        raise Refused(404, "Not Found", "NOT_FOUND")
    for key in ("title", "description", "state"):
        setattr(milestone, key, asked.body.get(key, getattr(milestone, key)))
    if "due_on" in asked.body:
        milestone.due_on = _floored(asked.body["due_on"])
    return Answer(milestone_json(milestone, repo, asked.base))


# Files


def _get_contents(asked: Call, owner: str, name: str, path: str | None) -> Answer:
    repo = _find(asked, owner, name)
    asked.service.allow_contents(asked.token, repo)
    url = f"{asked.base}/repos/{repo.full_name}"
    return Answer(contents(repo.git, asked.query.get("ref"), unquote(path or ""), url))


# The account


def _user(asked: Call) -> Answer:
    if asked.token.app:
        raise Refused(403, "Resource not accessible by integration", "FORBIDDEN")
    more = {"name": None, "company": None, "blog": None, "location": None, "email": None, "hireable": None, "bio": None}
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    dates = dict.fromkeys(("created_at", "updated_at"), stamp(asked.service.now))
    return Answer({**user_json(asked.token.user, asked.base), **more, **counts, **dates, "user_view_type": "public"})


def _rate_limit(asked: Call) -> Answer:
    def limit(most: int, used: int = 0) -> dict[str, int]:
        reset = int((asked.service.now + timedelta(hours=1)).timestamp())
        return {"limit": most, "remaining": most - used, "reset": reset, "used": used}

    core = limit(asked.token.limit, asked.token.spent)
    return Answer({"resources": {"core": core, "search": limit(30), "graphql": limit(5000)}, "rate": core})


_REPO = "/repos/([^/]+)/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", f"{_REPO}/issues", _list_issues),
    ("POST", f"{_REPO}/issues", _post_issue),
    ("GET", f"{_REPO}/issues/([0-9]+)", _get_issue),
    ("PATCH", f"{_REPO}/issues/([0-9]+)", _patch_issue),
    ("GET", f"{_REPO}/issues/([0-9]+)/comments", _list_comments),
    ("POST", f"{_REPO}/issues/([0-9]+)/comments", _post_comment),
    ("PATCH", f"{_REPO}/issues/comments/([0-9]+)", _patch_comment),
    ("GET", f"{_REPO}/issues/([0-9]+)/sub_issues", _list_children),
    ("POST", f"{_REPO}/issues/([0-9]+)/sub_issues", _post_child),
    ("GET", f"{_REPO}/issues/([0-9]+)/dependencies/blocked_by", _list_blocking),
    ("POST", f"{_REPO}/issues/([0-9]+)/dependencies/blocked_by", _post_blocking),
    ("DELETE", f"{_REPO}/issues/([0-9]+)/dependencies/blocked_by/([0-9]+)", _delete_blocking),
    ("GET", f"{_REPO}/contents(?:/(.*))?", _get_contents),
    ("GET", f"{_REPO}/pulls", _list_pulls),
    ("POST", f"{_REPO}/pulls", _post_pull),
    ("GET", f"{_REPO}/labels", _list_labels),
    ("GET", f"{_REPO}/labels/([^/]+)", _get_label),
    ("POST", f"{_REPO}/labels", _post_label),
    ("GET", f"{_REPO}/collaborators/([^/]+)/permission", _get_permission),
    ("GET", f"{_REPO}/assignees", _list_assignees),
    ("GET", f"{_REPO}/milestones", _list_milestones),
    ("POST", f"{_REPO}/milestones", _post_milestone),
    ("PATCH", f"{_REPO}/milestones/([0-9]+)", _patch_milestone),
    ("GET", "/user", _user),
    ("GET", "/rate_limit", _rate_limit),
)


def payload(body: bytes) -> Any:
    """Return what a request says."""
    try:
        return json.loads(body) if body else {}
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None
