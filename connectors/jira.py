"""Jira Cloud: goals and steps are issues of one project; the marker is a property of an issue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from config.errors import BackplanError, MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.http import Rate, Service, json_object
from connectors.login import NameAndPassword
from connectors.options import Options
from connectors.pages import by_token, listed
from connectors.service import ServiceConnector
from connectors.shapes import Day, Moment, Shape, understood
from connectors.snapshot import OwnField, Row
from connectors.tasks import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import requests

    from connectors.http import Api
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

LABEL = PROPERTY = "backplan"
_FORBIDDEN, _EMPTY = 403, 204
_AT_ONCE = 100  # issues that one request can fetch
_DROPPED = frozenset({"Won't Do", "Won't Fix", "Duplicate", "Declined", "Cannot Reproduce"})
_FIELDS = [
    "summary",
    "description",
    "duedate",
    "labels",
    "status",
    "resolution",
    "resolutiondate",
    "statuscategorychangedate",
    "project",
    "comment",
    "subtasks",
    "issuelinks",
    "attachment",
]
_FOUND = by_token("issues", "nextPageToken", "nextPageToken")


def _words(response: requests.Response) -> str:
    said = json_object(response)
    return " ".join([*said.get("errorMessages", ()), *said.get("errors", {}).values()])


def _whole(response: requests.Response) -> bool:
    """Return whether an answer is from Jira: changes are answered by nothing at all."""
    return bool(json_object(response)) or response.status_code == _EMPTY


JIRA = Service(
    Credential(
        "Jira",
        "JIRA_API_TOKEN",
        "at id.atlassian.com, open Security > API tokens, make one",
        "JIRA_URL",
        "",
        also={"JIRA_EMAIL": "e-mail address"},
    ),
    scheme="Basic ",
    login=NameAndPassword,
    rest=10.0,  # seconds; the duration of a limit is in most answers
    rates=(Rate(5, 1.0),),
    rights="the scopes `read:jira-user`, `read:jira-work` and `write:jira-work`, if it has scopes, and its owner the "
    "permissions to browse the project, and to create, edit and transition issues",
    whole=_whole,
    words=_words,
)


class JiraOptions(Options):
    """The place of issues in Jira."""

    example: ClassVar[str] = "{project: GOAL}"
    project: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="the key of a project, such as GOAL")
    type: str = Field("Task", min_length=1, description="the name of a type of issue that the project has")

    @property
    def place(self) -> str:
        """The project."""
        return self.project


class _User(Shape):
    accountId: str  # noqa: N815  # Jira's name
    displayName: str  # noqa: N815


class _Project(Shape):
    id: str
    key: str
    name: str


class _Id(Shape):
    id: str
    key: str


class _Named(Shape):
    name: str


class _Category(Shape):
    key: str


class _Status(Shape):
    name: str
    statusCategory: _Category  # noqa: N815


class _Transition(Shape):
    id: str
    to: _Status


class _Comments(Shape):
    total: int


class _Fields(Shape):
    summary: str
    description: dict[str, Any] | None = None
    duedate: Day | None = None
    labels: list[str]
    status: _Status
    resolution: _Named | None = None
    resolutiondate: Moment | None = None
    statuscategorychangedate: Moment | None = None
    project: _Id
    comment: _Comments
    subtasks: list[Any]
    issuelinks: list[Any]
    attachment: list[Any]


class _Line(Shape):
    line: str


class _Issue(_Id):
    fields: _Fields
    properties: dict[str, Any]


class _Unread(Shape):
    id: str


class _Fetched(Shape):
    issues: list[_Issue]
    issueErrors: list[_Unread] | None = None  # noqa: N815


class Jira:
    """The issues of one project over HTTP."""

    name: ClassVar[str] = "jira"
    capabilities: ClassVar[Capabilities] = Capabilities(frozenset({"title", "due", "notes", "labels"}), "safe")
    http: ClassVar[Service] = JIRA
    limits: ClassVar[Limits] = Limits(title=255, text=30_000)
    hiding: ClassVar[Hiding] = OwnField()
    remedy: ClassVar[str] = f"Restore the issue “{stored.TITLE}”"

    def __init__(self, options: JiraOptions, api: Api) -> None:
        self._api, self._options = api, options
        self._project = ""  # its id

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content with labels as Jira accepts them: without spaces."""
        return replace(content, labels=_in_order("_".join(label.split()) for label in content.labels))

    def account(self) -> frozenset[str]:
        """Return the user's name and id; find the project."""
        with understood("Jira", "the user"):
            user = _User.read(self._api.ask("GET", "/rest/api/3/myself").json())
        self._project = self._found_project().id
        return frozenset({user.displayName, user.accountId})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return the issues with our label, or all: the search names them, and may lag; so what is newer is probed."""
        mine = "" if whole else f" AND labels = {LABEL}"
        with understood("Jira", "the issues"):
            newest = [_Id.read(one) for one in self._search("ORDER BY key DESC", 1)[:1]]
            named = [_Id.read(one) for one in self._search(f"{mine} ORDER BY key ASC".strip(), 1000)]
            found = self._fetched([one.id for one in named])
            last = max((int(one.key.rpartition("-")[2]) for one in (*newest, *named)), default=0)
            while newer := self._fetched([f"{self._options.project}-{last + n}" for n in range(1, _AT_ONCE + 1)]):
                found += newer
                last += _AT_ONCE
            return [self._row(one) for one in found if whole or LABEL in one.fields.labels]

    def row(self, native_id: str) -> Row | None:
        """Return an issue by its id, which stays when its key changes; None if it is in another project."""
        if not native_id.isdecimal():
            return None
        with understood("Jira", "an issue"):
            return next((self._row(one) for one in self._fetched([native_id])), None)

    def create(self, wanted: Wanted) -> Row:
        """Make an issue, with its marker in the same request."""
        notes, line = self.hiding.split(wanted.text)
        content = wanted.content
        fields: dict[str, Any] = {"project": {"id": self._project}, "issuetype": {"name": self._options.type}}
        fields |= {"summary": content.title, "labels": [*content.labels, LABEL]}
        fields |= {"description": written(notes)} if notes else {}
        fields |= {"duedate": content.due.isoformat()} if content.due else {}
        body = {"fields": fields, "properties": [{"key": PROPERTY, "value": {"line": line}}]}
        response = self._api.ask("POST", "/rest/api/3/issue", body=body, repeatable=False)
        with understood("Jira", "a new issue"):
            made = _Id.read(response.json())
        return Row(made.id, content.title, wanted.text, content.due, content.labels, added=_age(made.id))

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of an issue: its description only if it differs, since that removes its formatting."""
        content, (notes, line), before = wanted.content, self.hiding.split(wanted.text), self.hiding.split(row.text)
        due = content.due.isoformat() if content.due else None
        values = {"title": ("summary", content.title), "due": ("duedate", due)}
        changed: dict[str, Any] = dict(values[name] for name in fields & values.keys())
        changed |= {"description": written(notes)} if notes != before[0] else {}
        labels = content.labels if "labels" in fields else row.labels
        steps = [{"add": name} for name in sorted({*labels, *([LABEL] if wanted.ours else [])} - set(row.labels))]
        steps += [{"remove": name} for name in sorted({*row.labels, LABEL} - {*labels, *([LABEL] * wanted.ours)})]
        body: dict[str, Any] = {"fields": changed, "update": {"labels": steps}}
        body["properties"] = [{"key": PROPERTY, "value": {"line": line}}]
        self._api.ask("PUT", f"/rest/api/3/issue/{row.id}", body=body)
        title, day = (content.title if "title" in fields else row.title), content.due if "due" in fields else row.due
        return replace(row, title=title, due=day, labels=labels, text=wanted.text)

    def close(self, row: Row) -> Row:
        """Move an issue to a status of the category done."""
        self._move(row, ("done",))
        return replace(row, done=True)

    def reopen(self, row: Row) -> Row:
        """Move an issue to a status that is not done."""
        self._move(row, ("new", "indeterminate"))
        return replace(row, done=False, done_at=None, dropped=False)

    def remove(self, row: Row) -> bool:
        """Delete an issue; many are not allowed to."""
        response = self._api.send("DELETE", f"/rest/api/3/issue/{row.id}")
        return response.status_code != _FORBIDDEN and self._api.checked(response).ok

    def keep(self, row: Row, words: str) -> None:
        """Store a text in a comment."""
        body = {"body": written(f"Before the goals file changed it:\n{words}")}
        self._api.ask("POST", f"/rest/api/3/issue/{row.id}/comment", body=body)

    def facts(self) -> list[Check]:
        """Return whose the token is, and the project's name."""
        names = self.account()
        return [
            Check("token", True, "accepted; when it expires cannot be read"),
            Check("account", True, ", ".join(sorted(names))),
            Check("project", True, f"“{self._found_project().name}”"),
            Check("tried", True, "against a stand-in, not yet with an account: please report what you find"),
        ]

    def _found_project(self) -> _Project:
        key = self._options.project
        try:
            with understood("Jira", "the project"):
                return _Project.read(self._api.ask("GET", f"/rest/api/3/project/{key}").json())
        except MissingError:
            raise MissingError(
                f"jira ({key}): there is no such project, or the owner of the token may not see it. Check `project:` "
                "in the goals file, and JIRA_URL; nothing was changed"
            ) from None

    def _search(self, more: str, most: int) -> list[Any]:
        query = {"jql": f'project = "{self._options.project}" {more}', "fields": ["key"], "maxResults": most}
        path = "/rest/api/3/search/jql"
        if most == 1:
            return _FOUND(self._api.ask("POST", path, body=query, writes=False))[0]
        return list(listed(self._api.ask, path, query, _FOUND, "POST"))

    def _fetched(self, names: Sequence[str]) -> list[_Issue]:
        """Return issues by ids or keys as they are now, without those that do not exist or are in other projects.

        Raises BackplanError if Jira has one and cannot return it: that one is not gone.
        """
        found: list[_Issue] = []
        for first in range(0, len(names), _AT_ONCE):
            body = {"issueIdsOrKeys": names[first : first + _AT_ONCE], "fields": _FIELDS, "properties": [PROPERTY]}
            response = self._api.ask("POST", "/rest/api/3/issue/bulkfetch", body=body, writes=False)
            answer = _Fetched.read(response.json())
            if unread := answer.issueErrors:
                raise BackplanError(
                    f"jira ({self._options.project}): {len(unread)} of the issues cannot be read now, such as the one "
                    f"with the id {unread[0].id}; none is taken for deleted. Run backplan again later"
                )
            found += answer.issues
        return [one for one in found if one.fields.project.id == self._project]

    def _move(self, row: Row, categories: Sequence[str]) -> None:
        """Carry out the transition to a status of the first of these categories that the workflow can reach."""
        path = f"/rest/api/3/issue/{row.id}/transitions"
        with understood("Jira", "the transitions of an issue"):
            ways = [_Transition.read(one) for one in self._api.ask("GET", path).json()["transitions"]]
        reached = [one for one in ways if one.to.statusCategory.key in categories and one.to.name not in _DROPPED]
        if not reached:
            state = "done" if "done" in categories else "open"
            raise BackplanError(
                f"“{row.title}”: the workflow of the project has no transition from its status to one that is {state}; "
                "move it in Jira, or add the transition"
            )
        best = min(reached, key=lambda one: (categories.index(one.to.statusCategory.key), one.to.name != "Done"))
        self._api.ask("POST", path, body={"transition": {"id": best.id}})

    def _row(self, issue: _Issue) -> Row:
        fields = issue.fields
        line = _Line.read(issue.properties[PROPERTY]).line if PROPERTY in issue.properties else ""
        closed = fields.status.statusCategory.key == "done"
        reason = fields.resolution.name if fields.resolution else fields.status.name
        done = closed and reason not in _DROPPED
        return Row(
            issue.id,
            fields.summary,
            self.hiding.join(plain(fields.description), line),
            fields.duedate,
            _in_order(fields.labels),
            done=done,
            done_at=(fields.resolutiondate or fields.statuscategorychangedate) if done else None,
            dropped=closed and not done,
            added=_age(issue.id),
            touched=bool(fields.comment.total or fields.subtasks or fields.issuelinks or fields.attachment),
        )


def written(text: str) -> dict[str, Any]:
    """Return a text as a document of Jira's: a paragraph for each line, since an empty text is refused."""
    lines = text.split("\n")
    content = [{"type": "paragraph", "content": [{"type": "text", "text": one}] if one else []} for one in lines]
    return {"type": "doc", "version": 1, "content": content}


def plain(node: dict[str, Any] | None) -> str:
    """Return the text of a document, a line for each of its blocks; its formatting is left out."""
    if node is None:
        return ""
    if node["type"] in ("text", "hardBreak"):
        return str(node.get("text", "\n"))
    parts = [plain(one) for one in node.get("content", ())]
    if node["type"] in ("paragraph", "heading", "codeBlock"):
        return "".join(parts)
    attributes = node.get("attrs", {})
    return "\n".join(parts) if parts else str(attributes.get("text", attributes.get("url", "")))


def _in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return labels without our own, in a fixed order."""
    return tuple(sorted({label for label in labels if label not in ("", LABEL)}))


def _age(native_id: str) -> str:
    return f"{int(native_id):015}"


class JiraConnector(ServiceConnector, service=Jira, options=JiraOptions):
    """The issues of one project."""
