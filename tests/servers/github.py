"""A stand-in for GitHub, without its HTTP: repositories, the hands of people who use the site, and who may do what.

`GitHub` is the service; `tests.servers.github_server.GitHubServer` speaks for it over HTTP.
"""

from __future__ import annotations

import copy
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)
ALL = {"issues": "write", "metadata": "read", "organization_projects": "write"}
ROLES = ("NONE", "READ", "TRIAGE", "WRITE", "MAINTAIN", "ADMIN")
LONGEST_BODY = 65_536
LONGEST_TITLE = 256
MOST_CHILDREN = 100
_FIRST_ID = 3_000_000_000  # ids are longer than 31 bits


class Refused(Exception):  # noqa: N818  # an answer, as in the stand-in for Todoist
    """The service says no: `kind` is the type of a GraphQL error, `status` and `errors` are those of REST."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "UNPROCESSABLE",
        errors: Sequence[object] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.errors, self.headers = status, message, kind, errors, headers


@dataclass
class User:
    login: str
    id: int
    type: str = "User"

    @property
    def node_id(self) -> str:
        return f"U_{self.id}"


@dataclass
class Token:
    """`permissions` is None for a classic token, which may all that its user may. `app`: GITHUB_TOKEN of a workflow.

    `fields` is what it may do with the values of issue fields: "write", "read", or "none", to which they do not exist.
    """

    text: str
    user: User
    permissions: dict[str, str] | None = None
    app: bool = False
    projects: bool = True
    fields: str = "write"
    limit: int = 5000
    spent: int = 0
    written: deque[datetime] = field(default_factory=deque)


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass
class IssueField:
    """A field that an organization gives the issues of its repositories."""

    id: int
    owner: str
    name: str
    kind: str = "date"

    @property
    def node_id(self) -> str:
        return f"IF_{self.id}"


@dataclass
class Milestone:
    id: int
    number: int
    title: str
    description: str = ""
    due_on: str | None = None
    state: str = "open"
    deleted: bool = False
    created_at: datetime = EPOCH


@dataclass
class Comment:
    id: int
    user: User
    body: str
    created_at: datetime


@dataclass
class Issue:
    repo: Repo
    number: int
    id: int
    title: str
    body: str
    user: User
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    milestone: Milestone | None = None
    comments: list[Comment] = field(default_factory=list)
    parent: Issue | None = None
    children: list[Issue] = field(default_factory=list)
    blocked_by: list[Issue] = field(default_factory=list)
    dates: dict[int, dict[str, str | None]] = field(default_factory=dict)  # of projects, by their id, by field
    values: dict[int, str] = field(default_factory=dict)  # of the organization's fields, by their id
    locked: bool = False
    pull_request: bool = False
    deleted: bool = False
    moved_to: Issue | None = None

    @property
    def node_id(self) -> str:
        return f"I_{self.id}"


@dataclass
class Repo:
    owner: str
    name: str
    id: int
    private: bool = True
    archived: bool = False
    has_issues: bool = True
    roles: dict[str, str] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)
    number: int = 0
    git: Path | None = None  # the Git repository with its files
    pulls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def role(self, user: User) -> str:
        return self.roles.get(user.login, "NONE" if self.private else "READ")


@dataclass
class Project:
    id: int
    number: int
    owner: str
    fields: tuple[str, ...] = ("Due",)


class GitHub:
    """The service. From the start `owner` has a repository, `me/goals`, and a token for everything.

    `organizations` are the accounts that are no user. `now` moves only by `advance`. `too_fast` are aliases of a batch
    that are refused as submitted too quickly, by their place. `hidden` are fields that no token may read. `fields` are
    those of organizations for issues; `made_first`: an issue is made before a value that it cannot have is refused.
    `a_minute` and `an_hour` are the limits on writing.
    """

    def __init__(self, now: datetime = EPOCH) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.a_minute, self.an_hour = 80, 500
        self.too_fast: set[int] = set()
        self.hidden: set[str] = set()
        self.users: dict[str, User] = {}
        self.organizations: set[str] = set()
        self.repos: dict[str, Repo] = {}
        self.renamed: dict[str, str] = {}
        self.projects: list[Project] = []
        self.fields: list[IssueField] = []
        self.made_first = False
        self.tokens: dict[str, Token] = {}
        self._last_id = _FIRST_ID
        self.owner = self.add_user("ann")
        self.repo = self.add_repo("ann", "goals")
        self.token = self.add_token(self.owner).text

    def new_id(self) -> int:
        self._last_id += 7
        return self._last_id

    def advance(self, by: timedelta) -> None:
        self.now += by

    # Who there is

    def add_user(self, login: str, kind: str = "User") -> User:
        self.users[login] = User(login, self.new_id(), kind)
        return self.users[login]

    def add_repo(self, owner: str, name: str, **more: Any) -> Repo:
        repo = Repo(owner, name, self.new_id(), **more)
        repo.roles.setdefault(owner, "ADMIN")
        repo.labels = [Label(self.new_id(), text) for text in ("bug", "enhancement")]
        self.repos[repo.full_name.lower()] = repo
        return repo

    def add_project(self, owner: str, number: int, *fields: str) -> Project:
        self.projects.append(Project(self.new_id(), number, owner, fields or ("Due",)))
        return self.projects[-1]

    def add_field(self, owner: str, name: str, kind: str = "date") -> IssueField:
        """Give the issues of an organization a field; an account becomes one by it."""
        self.organizations.add(owner)
        self.fields.append(IssueField(self.new_id(), owner, name, kind))
        return self.fields[-1]

    def add_token(self, user: User, **more: Any) -> Token:
        text = f"not-a-secret-{self.new_id()}"
        self.tokens[text] = Token(text, user, **more)
        return self.tokens[text]

    def workflow_token(self, repo: Repo, **permissions: str) -> Token:
        """Return what a workflow of the repository has in GITHUB_TOKEN."""
        bot = self.users.get("github-actions[bot]") or self.add_user("github-actions[bot]", "Bot")
        repo.roles[bot.login] = "WRITE" if permissions.get("issues") == "write" else "READ"
        return self.add_token(bot, permissions=permissions, app=True, projects=False, limit=1000)

    # What the rules are

    def find_repo(self, token: Token, owner: str, name: str) -> Repo:
        """Return a repository that a token may see, by its name or one that it had."""
        full = f"{owner}/{name}".lower()
        repo = self.repos.get(self.renamed.get(full, full))
        if repo is None or repo.role(token.user) == "NONE":
            said = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise Refused(404, said, "NOT_FOUND")
        return repo

    def find_issue(self, token: Token, node_id: str) -> Issue:
        """Return an issue by its node id."""
        for repo in self.repos.values():
            for issue in repo.issues.values():
                if issue.node_id == node_id and not issue.deleted and issue.moved_to is None:
                    self.find_repo(token, repo.owner, repo.name)
                    return issue
        raise Refused(404, f"Could not resolve to a node with the global id of '{node_id}'", "NOT_FOUND")

    def allow(self, token: Token, repo: Repo, *, push: bool = False) -> None:
        """Refuse a token that may not write issues in a repository, or (`push`) may not change its labels."""
        if token.permissions is not None and token.permissions.get("issues") != "write":
            by = "integration" if token.app else "personal access token"
            accepted = (("x-accepted-github-permissions", "issues=write"),)
            raise Refused(403, f"Resource not accessible by {by}", "FORBIDDEN", headers=accepted)
        if push and not self.may_push(token, repo):
            raise Refused(404, "Not Found", "FORBIDDEN")
        if repo.archived:
            raise Refused(403, "Repository was archived so is read-only.", "FORBIDDEN")
        if not repo.has_issues:
            raise Refused(410, "Issues has been disabled in this repository.", "NOT_FOUND")

    def allow_contents(self, token: Token, repo: Repo) -> None:
        """Refuse a token that may not read the files of a private repository."""
        if repo.private and token.permissions is not None and "contents" not in token.permissions:
            by = "integration" if token.app else "personal access token"
            accepted = (("x-accepted-github-permissions", "contents=read"),)
            raise Refused(403, f"Resource not accessible by {by}", "FORBIDDEN", headers=accepted)

    def may_push(self, token: Token, repo: Repo) -> bool:
        return ROLES.index(repo.role(token.user)) >= ROLES.index("TRIAGE")

    def may_edit(self, token: Token, issue: Issue) -> bool:
        return self.may_push(token, issue.repo) or issue.user is token.user

    def count_write(self, token: Token) -> None:
        """Refuse more writes than the secondary limits allow."""
        while token.written and token.written[0] <= self.now - timedelta(hours=1):
            token.written.popleft()
        lately = sum(moment > self.now - timedelta(minutes=1) for moment in token.written)
        if lately >= self.a_minute or len(token.written) >= self.an_hour:
            raise Refused(
                403,
                "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
                "Please retry your request again later.",
                "RATE_LIMITED",
                headers=(("retry-after", "60"),),
            )
        token.written.append(self.now)

    # What is done, by the API or by hand

    def create(self, token: Token, repo: Repo, title: str, body: str = "", **more: Any) -> Issue:
        """Make an issue; what only those who may push can give it is dropped in silence for others."""
        self._check_text(title, body)
        repo.number += 1
        issue = Issue(repo, repo.number, self.new_id(), title.strip(), body, token.user, self.now, self.now)
        repo.issues[issue.number] = issue
        if self.may_push(token, repo):
            self._set(issue, **more)
        return issue

    def update(self, token: Token, issue: Issue, **fields: Any) -> None:
        """Change fields of an issue."""
        if not self.may_edit(token, issue):
            raise Refused(403, "Must have admin rights to Repository.", "FORBIDDEN")
        self._check_text(fields.get("title", issue.title), fields.get("body", issue.body))
        self._set(issue, **fields)

    def _set(self, issue: Issue, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(issue, name, value.strip() if name == "title" else value)
        issue.updated_at = self.now

    def _check_text(self, title: str, body: str | None) -> None:
        if not title.strip() or len(title) > LONGEST_TITLE:
            said = "can't be blank" if not title.strip() else f"is too long (maximum is {LONGEST_TITLE} characters)"
            raise _invalid("title", f"title {said}")
        if body is not None and len(body) > LONGEST_BODY:
            raise _invalid("body", f"body is too long (maximum is {LONGEST_BODY} characters)")

    def set_state(self, issue: Issue, state: str, reason: str | None = None, by: User | None = None) -> None:
        """Close or reopen an issue; a reason without a change of state is ignored."""
        if issue.state != state:
            issue.state = state
            issue.state_reason = (reason or "completed") if state == "closed" else "reopened"
            issue.closed_at = self.now if state == "closed" else None
            issue.closed_by = by if state == "closed" else None
        issue.updated_at = self.now

    def add_child(self, parent: Issue, child: Issue, *, replace: bool = False) -> None:
        """Put an issue below another one."""
        if child.parent is not None and not replace:
            raise Refused(422, "An error occured while adding the sub-issue to the parent issue. "
                          "Sub issue may only have one parent")  # fmt: skip
        if len(parent.children) >= MOST_CHILDREN:
            raise Refused(422, f"Parent cannot have more than {MOST_CHILDREN} sub-issues")
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = parent
        parent.children.append(child)

    def move_child(self, parent: Issue, child: Issue, after: Issue | None, before: Issue | None) -> None:
        """Let a sub-issue follow another one, or stand before it."""
        other = after or before
        if child.parent is not parent or other is None or other.parent is not parent:
            raise Refused(422, "The sub-issue is not one of this issue's")
        parent.children.remove(child)
        parent.children.insert(parent.children.index(other) + (after is not None), child)

    def assignable(self, repo: Repo) -> list[User]:
        """Return who can be assigned to issues."""
        return [user for user in self.users.values() if repo.role(user) not in ("NONE", "READ") and user.type == "User"]

    def label(self, repo: Repo, name: str) -> Label:
        """Return the label of that name, whatever its case; it is made if there is none."""
        found = next((label for label in repo.labels if label.name.lower() == name.lower()), None)
        if found is None:
            found = Label(self.new_id(), name)
            repo.labels.append(found)
        return found

    def project_of(self, token: Token, node_id: str) -> Project:
        if not token.projects:
            by = "integration" if token.app else "personal access token"
            raise Refused(403, f"Resource not accessible by {by}", "FORBIDDEN")
        found = next((p for p in self.projects if f"PVT_{p.id}" == node_id), None)
        if found is None:
            raise Refused(404, f"Could not resolve to a node with the global id of '{node_id}'", "NOT_FOUND")
        return found

    def fields_of(self, token: Token, repo: Repo) -> list[IssueField]:
        """Return the fields that the issues of a repository have, as far as a token sees them."""
        known = [] if token.fields == "none" else self.fields
        return [found for found in known if found.owner == repo.owner and repo.owner in self.organizations]

    def field(self, token: Token, repo: Repo, node_id: str) -> IssueField:
        """Return a field by its node id. Refuses a token that may not set values."""
        if token.fields != "write" or not self.may_push(token, repo):
            raise Refused(403, f"Resource not accessible by {'integration' if token.app else 'personal access token'}",
                          "FORBIDDEN")  # fmt: skip
        found = next((one for one in self.fields_of(token, repo) if one.node_id == node_id), None)
        if found is None:
            raise Refused(404, f"Could not resolve to a node with the global id of '{node_id}'", "NOT_FOUND")
        return found

    def set_values(self, issue: Issue, values: Sequence[tuple[IssueField, str | None]]) -> None:
        """Set some values of an issue, or (None) clear them; the others stay."""
        for one, value in values:
            if value is None:
                issue.values.pop(one.id, None)
            else:
                issue.values[one.id] = value
        issue.updated_at = self.now

    # What a person does on the site

    def issue(self, number: int | str, repo: Repo | None = None) -> Issue:
        return (repo or self.repo).issues[int(number)]

    def issues(self, repo: Repo | None = None) -> list[Issue]:
        """Return the issues that are there, pull requests not among them."""
        found = (repo or self.repo).issues.values()
        return [i for i in found if not (i.deleted or i.pull_request or i.moved_to)]

    def edit(self, number: int | str, **fields: Any) -> None:
        """Change fields of an issue in the browser, which ends lines in its own way."""
        if "body" in fields:
            fields["body"] = fields["body"].replace("\r\n", "\n").replace("\n", "\r\n")
        self._set(self.issue(number), **fields)

    def close(self, number: int | str, reason: str = "completed", by: User | None = None) -> None:
        """Close an issue, as the owner does it or somebody else."""
        self.set_state(self.issue(number), "closed", reason, by or self.owner)

    def reopen(self, number: int | str) -> None:
        self.set_state(self.issue(number), "open")

    def delete(self, number: int | str) -> None:
        """Delete an issue as an administrator; its number is not used again."""
        issue = self.issue(number)
        issue.deleted = True
        if issue.parent:
            issue.parent.children.remove(issue)
            issue.parent = None
        for child in issue.children:
            child.parent = None

    def add_issue(self, title: str, body: str = "", user: User | None = None, **more: Any) -> Issue:
        token = Token("", user or self.owner)
        return self.create(token, self.repo, title, body, **more)

    def fill_in(self, title: str, body: str, label: str, user: User | None = None) -> Issue:
        """Send a form: GitHub gives its issue the label that the form names, if there is such a label."""
        issue = self.add_issue(title, body.replace("\n", "\r\n"), user)
        issue.labels = [one for one in self.repo.labels if one.name == label]
        return issue

    def comment(self, number: int | str, body: str, user: User | None = None) -> Comment:
        comment = Comment(self.new_id(), user or self.owner, body, self.now)
        self.issue(number).comments.append(comment)
        self.issue(number).updated_at = self.now
        return comment

    def duplicate(self, number: int | str) -> Issue:
        """Make an issue with the same words, as "Duplicate issue" does."""
        issue = self.issue(number)
        more: dict[str, Any] = {"labels": [*issue.labels], "assignees": [*issue.assignees]}
        return self.add_issue(issue.title, issue.body, milestone=issue.milestone, **more)

    def transfer(self, number: int | str, to: Repo) -> Issue:
        """Move an issue to another repository, where it gets another number."""
        issue = self.issue(number)
        token = Token("", self.owner)
        issue.moved_to = self.create(token, to, issue.title, issue.body)
        issue.moved_to.state, issue.moved_to.state_reason = issue.state, issue.state_reason
        issue.moved_to.closed_at = issue.closed_at
        return issue.moved_to

    def rename_repo(self, name: str) -> None:
        before = self.repo.full_name.lower()
        del self.repos[before]
        self.repo.name = name
        self.repos[self.repo.full_name.lower()] = self.repo
        self.renamed[before] = self.repo.full_name.lower()

    def delete_milestone(self, number: int) -> None:
        milestone = next(m for m in self.repo.milestones if m.number == number)
        milestone.deleted = True
        for issue in self.repo.issues.values():
            if issue.milestone is milestone:
                issue.milestone = None

    def rename_label(self, name: str, new: str) -> None:
        self.label(self.repo, name).name = new

    def delete_label(self, name: str) -> None:
        label = self.label(self.repo, name)
        self.repo.labels.remove(label)
        for issue in self.repo.issues.values():
            issue.labels = [other for other in issue.labels if other is not label]

    def text(self) -> str:
        """Return all that can be read: titles and bodies, comments, and the names of labels."""
        return "\n".join(self._words())

    def _words(self) -> Iterator[str]:
        for issue in self.issues():
            yield issue.title
            yield issue.body
            yield from (comment.body for comment in issue.comments)

    def state(self, number: int | str) -> dict[str, Any]:
        """Return all that there is of an issue, for comparing."""
        issue = self.issue(number)
        shown = {name: value for name, value in vars(issue).items() if name not in ("repo", "parent", "children")}
        return copy.deepcopy({**shown, "labels": [label.name for label in issue.labels], "milestone": None})


def _invalid(name: str, message: str) -> Refused:
    error = {"resource": "Issue", "code": "custom", "field": name, "message": message}
    return Refused(422, "Validation Failed", "UNPROCESSABLE", [error])
