"""GitLab: goals and steps are issues of one project, with their due dates; the marker is a hidden comment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from config.errors import MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.http import Rate, Service
from connectors.options import Options
from connectors.pages import listed
from connectors.service import ServiceConnector
from connectors.shapes import Day, Moment, Shape, understood
from connectors.snapshot import HtmlComment, Row
from connectors.tasks import TEXT, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.http import Api
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

LABEL = "backplan"
GITLAB = Service(
    Credential(
        "GitLab",
        "GITLAB_TOKEN",
        "in GitLab, open Preferences > Access tokens, make one with the scope `api`",
        "GITLAB_URL",
        "https://gitlab.com",
    ),
    header="PRIVATE-TOKEN",
    scheme="",
    rest=60.0,  # seconds; the limit on new issues does not contain them
    rates=(Rate(1800, 60.0), Rate(180, 60.0, writes=True)),  # of GitLab.com's 2,000 requests and 200 new issues
    rights="the scope `api`, and its owner the role Planner or Reporter in the project",
)
_FORBIDDEN = 403
_NAMES = {"title": "title", TEXT: "description", "due": "due_date", "who": "assignee_ids"}
_QUICK_ACTION = re.compile(r"(?m)^([ \t]*)/(?=[A-Za-z])")  # GitLab executes lines such as /close
_REFERENCE = re.compile(r"(?<!\w)@(?=\w)|[#!&](?=\d)")  # mentions notify people, references add notes to other issues


class GitLabOptions(Options):
    """The place of issues in GitLab."""

    example: ClassVar[str] = "{project: me/goals}"
    host: ClassVar[str] = "gitlab"
    project: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)+$", description="the path of a project, such as me/goals")

    @property
    def place(self) -> str:
        """The project."""
        return self.project


class _User(Shape):
    id: int
    username: str


class _Issue(Shape):
    iid: int
    title: str
    description: str | None
    state: Literal["opened", "closed"]
    due_date: Day | None
    closed_at: Moment | None
    created_at: str
    labels: list[str]
    assignees: list[_User]
    author: _User
    user_notes_count: int
    moved_to_id: int | None = None


class _Project(Shape):
    path_with_namespace: str
    archived: bool
    issues_enabled: bool = True


class _Token(Shape):
    expires_at: str | None


class GitLab:
    """The issues of one project over HTTP. Each method sends one request."""

    name: ClassVar[str] = "gitlab"
    capabilities: ClassVar[Capabilities] = Capabilities(frozenset({"title", "due", "notes", "labels", "who"}), "safe")
    http: ClassVar[Service] = GITLAB
    limits: ClassVar[Limits] = Limits(title=255, text=1_000_000)
    hiding: ClassVar[Hiding] = HtmlComment()
    remedy: ClassVar[str] = f"Restore the description of the issue “{stored.TITLE}”"

    def __init__(self, options: GitLabOptions, api: Api) -> None:
        self._api = api
        self._project = options.project
        self._path = f"/api/v4/projects/{quote(options.project, safe='')}"
        self._me = ""
        self._people: dict[str, int] = {}  # ids by names

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content without commands and references, and with labels that GitLab accepts."""
        return replace(
            content,
            title=_without_references(content.title),
            notes=_QUICK_ACTION.sub(r"\1\\/", _without_references(content.notes)),
            labels=_in_order(" ".join(label.replace(",", " ").split()) for label in content.labels),
        )

    def account(self) -> frozenset[str]:
        """Return the user's name."""
        with understood("GitLab", "the user"):
            self._me = _User.read(self._api.ask("GET", "/api/v4/user").json()).username
        return frozenset({self._me})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return the issues with our label, or all."""
        query = {"scope": "all", "state": "all", "order_by": "created_at", "sort": "asc", "per_page": "100"}
        query |= {} if whole else {"labels": LABEL}
        try:
            with understood("GitLab", "the issues"):
                return [self._row(one) for one in listed(self._api.ask, f"{self._path}/issues", query)]
        except MissingError:
            raise MissingError(
                f"gitlab ({self._project}): the project does not exist, its issues are disabled, or the token may "
                "not read them. Check `project:` in the goals file, and the owner of the token; nothing was changed"
            ) from None

    def row(self, native_id: str) -> Row | None:
        """Return an issue by its number in the project."""
        return self._one("GET", native_id) if native_id.isdecimal() else None

    def create(self, wanted: Wanted) -> Row:
        """Make an issue."""
        return self._one("POST", "", self._body(wanted, frozenset({*_NAMES, "labels"}), None), repeatable=False)

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of an issue."""
        return self._one("PUT", row.id, self._body(wanted, fields, row))

    def close(self, row: Row) -> Row:
        """Close an issue."""
        return self._one("PUT", row.id, {"state_event": "close"})

    def reopen(self, row: Row) -> Row:
        """Reopen an issue."""
        return self._one("PUT", row.id, {"state_event": "reopen"})

    def remove(self, row: Row) -> bool:
        """Delete an issue; only owners are allowed to."""
        response = self._api.send("DELETE", f"{self._path}/issues/{row.id}")
        return response.status_code != _FORBIDDEN and self._api.checked(response).ok

    def keep(self, row: Row, words: str) -> None:
        """Store a text in a comment."""
        quoted = _without_references(f"> Before the goals file changed it:\n{words}").replace("\n", "\n> ")
        self._api.ask("POST", f"{self._path}/issues/{row.id}/notes", body={"body": quoted})

    def facts(self) -> list[Check]:
        """Return whose the token is, when it ends, and whether the project accepts issues."""
        (name,) = self.account()
        with understood("GitLab", "the token and the project"):
            token = self._api.send("GET", "/api/v4/personal_access_tokens/self")
            ends = _Token.read(token.json()).expires_at if token.ok else None
            project = _Project.read(self._api.ask("GET", self._path).json())
        closed = "it is archived" if project.archived else "" if project.issues_enabled else "issues are disabled"
        return [
            Check("token", True, f"accepted{f', until {ends}' if ends else ''}"),
            Check("account", True, name),
            Check("project", not closed, closed or f"“{project.path_with_namespace}” accepts issues"),
        ]

    def _one(self, method: str, number: str, body: dict[str, Any] | None = None, **options: Any) -> Row:
        """Send a request; return the issue after it."""
        response = self._api.ask(method, f"{self._path}/issues/{number}".rstrip("/"), body=body, **options)
        with understood("GitLab", f"issue #{number}" if number else "a new issue"):
            return self._row(response.json())

    def _row(self, raw: Any) -> Row:
        issue = _Issue.read(raw)
        done = issue.state == "closed" and issue.moved_to_id is None  # a move closes the original
        self._people |= {user.username: user.id for user in issue.assignees}
        return Row(
            str(issue.iid),
            issue.title,
            issue.description or "",
            issue.due_date,
            _in_order(issue.labels),
            tuple(user.username for user in issue.assignees),
            done=done,
            done_at=issue.closed_at if done else None,
            dropped=issue.state == "closed" and not done,
            added=f"{issue.created_at} {issue.iid:012}",
            touched=issue.user_notes_count > 0,
            trusted=LABEL in issue.labels or issue.author.username == self._me,
        )

    def _body(self, wanted: Wanted, fields: frozenset[str], row: Row | None) -> dict[str, Any]:
        """Return the fields to send; labels that users added stay."""
        content = wanted.content
        before = set(row.labels if row else ())
        after = (set(content.labels) if "labels" in fields else before) | ({LABEL} if wanted.ours else set())
        values = {
            "title": content.title,
            TEXT: wanted.text,
            "due": content.due.isoformat() if content.due else "",  # null would not change it
            "who": self._assigned(content.who, row) if "who" in fields else (),
        }
        labels = {"add_labels" if row else "labels": after - before, "remove_labels": (before | {LABEL}) - after}
        changed = {name: ",".join(sorted(names)) for name, names in labels.items() if names}
        return changed | {_NAMES[name]: value for name, value in values.items() if name in fields}

    def _assigned(self, who: str, row: Row | None) -> list[int]:
        """Return the ids of the people to assign: the first of the current ones is replaced."""
        others = row.people[1:] if row else ()
        return [self._people[name] for name in (who, *others) if name and self._knows(name)]

    def _knows(self, name: str) -> bool:
        if name not in self._people:
            found = self._api.ask("GET", "/api/v4/users", params={"username": name})
            with understood("GitLab", "a user"):
                self._people |= {user.username: user.id for user in map(_User.read, found.json())}
        return name in self._people


def _without_references(text: str) -> str:
    return _REFERENCE.sub("\\g<0>\N{WORD JOINER}", text)


def _in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels without our own, in a fixed order."""
    return tuple(sorted({label for label in labels if label not in ("", LABEL)}))


class GitLabConnector(ServiceConnector, service=GitLab, options=GitLabOptions):
    """The issues of one project."""
