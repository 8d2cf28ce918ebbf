"""Linear: goals and steps are issues of one team, with their due dates; the marker is in an attachment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from config.errors import BackplanError, CredentialsError, MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.graphql import GraphQL, codes
from connectors.http import Rate, Service, json_object
from connectors.linear import documents, trash
from connectors.linear.answers import Issue, as_v4
from connectors.linear.names import Names
from connectors.linear.teams import Teams
from connectors.model import client_id
from connectors.options import Options
from connectors.service import ServiceConnector
from connectors.shapes import understood
from connectors.snapshot import OwnField, Row
from connectors.tasks import TEXT, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests

    from connectors.graphql import GraphQLError
    from connectors.http import Api
    from connectors.linear.answers import Team
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _WRONG = 401, 403, 404, 429, 400
_STATUS = {"AUTHENTICATION_ERROR": _UNAUTHORIZED, "FORBIDDEN": _FORBIDDEN}


def _limited(response: requests.Response) -> bool:
    """Return whether an answer means that there were too many requests: Linear's has the status 400."""
    return response.status_code == _TOO_MANY or (
        response.status_code == _WRONG and "RATELIMITED" in codes(json_object(response))
    )


def _status(error: GraphQLError) -> int:
    missing = error.message.startswith("Entity not found")
    return _STATUS.get(error.extensions.code, _NOT_FOUND if missing else _WRONG)


LINEAR = Service(
    Credential(
        "Linear",
        "LINEAR_API_KEY",
        "in Linear, open Settings > Security & access, make a personal API key with the permissions Read and Write",
        "LINEAR_URL",
        "https://api.linear.app",
        "API key",
    ),
    scheme="",
    limited=_limited,
    rest=60.0,  # seconds; the limit is a bucket that refills all the time
    rates=(Rate(5000, 3600.0),),
    rights="the permissions Read and Write, and access to the team",
)
_NAMES = {"title": "title", "due": "dueDate", "priority": "priority"}
_ALL = frozenset({*_NAMES, "labels", "who", TEXT})
_PRIORITIES = {"none": 0, "urgent": 1, "high": 2, "medium": 3}
_READ = {number: name for name, number in _PRIORITIES.items()}
_OPEN, _DONE, _DROPPED = ("unstarted", "backlog", "started", "triage"), ("completed",), ("canceled", "duplicate")
_KNOWN = (*_OPEN, *_DONE, *_DROPPED)
# Linear keeps a document, and makes Markdown of it anew: both sides are compared without what that changes.
_ESCAPE = re.compile(r"\\+(?=[`*_{}\[\]()#+\-.!~|<>&])")
_BULLET = re.compile(r"(?m)^([ \t]*)[*+](?=[ \t])")


class LinearOptions(Options):
    """The place of issues in Linear."""

    example: ClassVar[str] = "{team: ENG}"
    team: str = Field(pattern=r"^\w+$", description="the key of a team, such as ENG, with which its issues begin")

    @property
    def place(self) -> str:
        """The team."""
        return self.team.upper()


class Linear:
    """The issues of one team over HTTP. What is created has an id of ours, so that a repeat is refused."""

    name: ClassVar[str] = "linear"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "due", "notes", "labels", "priority", "who"}), "unique", client_ids=True
    )
    http: ClassVar[Service] = LINEAR
    limits: ClassVar[Limits] = Limits(title=255, text=20_000)
    hiding: ClassVar[Hiding] = OwnField()
    remedy: ClassVar[str] = f"Restore the issue “{stored.TITLE}” from the trash"
    at_once: ClassVar[int] = 25

    def __init__(self, options: LinearOptions, api: Api) -> None:
        self._linear = GraphQL(api, "Linear", _status)
        self._names = Names(self._linear)
        self._teams = Teams(self._linear, options.team)
        self._issues: dict[str, Issue] = {}  # by ids, as they were read last

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content without Markdown that Linear changes, and with its labels in order."""
        labels = {" ".join(label.split()) for label in content.labels} - {""}
        return replace(content, notes=_plain(content.notes), labels=tuple(sorted(labels)))

    def account(self) -> frozenset[str]:
        """Return the user's name; find the team. Raises MissingError if there is no such team."""
        return frozenset({self._teams.find().displayName})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return the issues with our attachment, or all of the team; none that is in the trash."""
        ours = {} if whole else {"attachments": {"some": {"url": {"eq": documents.CARD}}}}
        asked = {"filter": {"team": {"id": {"eq": self._teams.here}}, **ours}}
        with understood("Linear", "the issues"):
            found = [self._row(one) for one in self._linear.listed(documents.ISSUES, asked, "issues")]
        return [row for row in found if not self._issues[row.id].trashed]

    def row(self, native_id: str) -> Row | None:
        """Return an issue by its id, in any team."""
        with understood("Linear", "an issue"):
            found = self._row(self._linear.ask(documents.ONE, {"id": native_id})["issue"])
        return None if self._issues[found.id].trashed else found

    def create(self, wanted: Wanted) -> Row:
        """Create an issue. If that is refused, return the one with its id, completed or restored if necessary."""
        try:
            return self.create_many([wanted])[0]
        except CredentialsError:
            raise
        except BackplanError as error:
            try:
                found = self.row(as_v4(wanted.id))
            except MissingError:
                raise error from None
        own = self._issues[as_v4(wanted.id)]
        if found is None:  # it is in the trash
            opened = {"stateId": self._teams.of(own.team.id).state(_OPEN)}
            return self._written(self._row_of(own), self._values(wanted, _ALL, None) | opened, wanted.text)
        return found if own.attachments.nodes else self._written(found, {}, wanted.text)

    def create_many(self, wanted: Sequence[Wanted]) -> list[Row]:
        """Create issues in one transaction, then their attachments: all of it, or an error."""
        state = self._teams.of(self._teams.here).state(_OPEN)
        issues = [
            {"id": as_v4(one.id), "teamId": self._teams.here, "stateId": state, **self._values(one, _ALL, None)}
            | ({"parentId": one.above} if one.above else {})
            for one in wanted
        ]
        cards = {f"card{n}": _card(issue["id"], self.hiding.split(wanted[n].text)[1]) for n, issue in enumerate(issues)}
        inputs = "".join(f", ${name}: AttachmentCreateInput!" for name in cards)
        marks = " ".join(f"{name}: attachmentCreate(input: ${name}) {{ success }}" for name in cards)
        document = f"""mutation($issues: IssueBatchCreateInput!{inputs}) {{
          issueBatchCreate(input: $issues) {{ issues {documents.ISSUE} }} {marks} }}"""
        with understood("Linear", "new issues"):
            answer = self._linear.ask(document, {"issues": {"issues": issues}, **cards})
            found = {row.id: row for row in map(self._row, answer["issueBatchCreate"]["issues"])}
            return [replace(found[as_v4(one.id)], text=one.text) for one in wanted]

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of an issue, and our attachment."""
        return self._written(row, self._values(wanted, fields, row), wanted.text)

    def move(self, row: Row, above: str) -> Row:
        """Move an issue below another one."""
        return self._written(row, {"parentId": above or None}, row.text)

    def close(self, row: Row) -> Row:
        """Complete an issue."""
        return self._written(row, {"stateId": self._team_of(row).state(_DONE)}, row.text)

    def reopen(self, row: Row) -> Row:
        """Open an issue again."""
        return self._written(row, {"stateId": self._team_of(row).state(_OPEN)}, row.text)

    def remove(self, row: Row) -> bool:
        """Move an issue to the trash, but nothing that is below it."""
        trash.delete(self._linear, row.id)
        return True

    def keep(self, row: Row, words: str) -> None:
        """Store a text in a comment, once."""
        body = f"Before the goals file changed it:\n{words}".replace("\n", "\n> ")
        own = as_v4(client_id(row.id, words))
        try:
            self._linear.ask(documents.COMMENT, {"input": {"id": own, "issueId": row.id, "body": f"> {body}"}})
        except CredentialsError:
            raise
        except BackplanError as error:
            try:
                self._linear.ask(documents.COMMENTED, {"id": own})
            except MissingError:
                raise error from None

    def facts(self) -> list[Check]:
        """Return whose the key is, and whether the team accepts issues."""
        (name,) = self.account()
        team = self._teams.of(self._teams.here)
        closed = "it is archived" if team.archivedAt else "it is retired" if team.retiredAt else ""
        return [
            Check("API key", True, "accepted"),
            Check("account", True, name),
            Check("team", not closed, closed or f"{team.key} accepts issues"),
            Check(
                "tried", True, "against Linear's published schema, not yet with an account: please report what you find"
            ),
        ]

    # Requests, and rows

    def _written(self, row: Row, values: dict[str, Any], text: str) -> Row:
        """Change fields of an issue, and our attachment if it is another one in `text`. Return the row after it."""
        issue, line = self._issues[row.id], self.hiding.split(text)[1]
        before = issue.attachments.nodes[0].line if issue.attachments.nodes else ""
        trash.restore(self._linear, issue)
        asked = {"id": row.id, "input": values, "card": _card(row.id, line)}
        flags = {"changes": bool(values), "marks": line != before}
        with understood("Linear", f"issue {issue.identifier}"):
            answer = self._linear.ask(documents.CHANGE, {**asked, **flags})
            row = self._row(answer["issueUpdate"]["issue"]) if values else row
        return replace(row, text=self.hiding.join(self.hiding.split(row.text)[0], line))

    def _values(self, wanted: Wanted, fields: frozenset[str], row: Row | None) -> dict[str, Any]:
        """Return the fields to send; labels that users added stay."""
        content = wanted.content
        values: dict[str, Any] = {
            "title": content.title,
            "due": content.due.isoformat() if content.due else None,
            "priority": _PRIORITIES[content.priority],
        }
        found = {_NAMES[name]: value for name, value in values.items() if name in fields}
        notes = self.hiding.split(wanted.text)[0]
        if TEXT in fields and (row is None or notes != self.hiding.split(row.text)[0]):
            found["description"] = notes
        if "who" in fields and (row is not None or content.who):
            found["assigneeId"] = self._names.person(content.who) if content.who else None
        if "labels" in fields:
            found |= self._labelled(content.labels, row)
        return found

    def _labelled(self, names: Sequence[str], row: Row | None) -> dict[str, Any]:
        ids = [self._names.label(name, self._teams.here) for name in names]
        if row is None:
            return {"labelIds": ids} if ids else {}
        before = self._issues[row.id].labelIds
        added, gone = [one for one in ids if one not in before], [one for one in before if one not in ids]
        return {"addedLabelIds": added, "removedLabelIds": gone}

    def _team_of(self, row: Row) -> Team:
        """Return the team of an issue, which is another one if the user moved it."""
        return self._teams.of(self._issues[row.id].team.id)

    def _row(self, raw: Any) -> Row:
        """Return the row of an issue, and keep the issue."""
        return self._row_of(Issue.read(raw))

    def _row_of(self, issue: Issue) -> Row:
        self._issues[issue.id] = issue
        card, user, kind = next(iter(issue.attachments.nodes), None), issue.assignee, issue.state.type
        return Row(
            issue.id,
            issue.title,
            self.hiding.join(_plain(issue.description or ""), card.line if card else ""),
            issue.dueDate,
            tuple(sorted({*self._names.of_labels(issue.labelIds).values()})),
            tuple(dict.fromkeys([user.displayName, user.email, user.name])) if user else (),
            done=kind in _DONE,
            done_at=issue.completedAt if kind in _DONE else None,
            dropped=kind in _DROPPED,
            added=f"{issue.createdAt} {issue.id}",
            touched=bool(issue.comments.nodes or issue.children.nodes),
            priority=_READ.get(int(issue.priority), "none"),
            unread=_unread(issue),
            parent=issue.parent.id if issue.parent else "",
        )


def _card(native_id: str, line: str) -> dict[str, Any]:
    """Return the attachment with our line; it stays in an issue that is let go, which can then be found again."""
    title = "backplan" if line else "no longer managed by backplan"
    return {"issueId": native_id, "url": documents.CARD, "title": title, "metadata": {"backplan": line}}


def _unread(issue: Issue) -> str:
    """Return why the state of an issue cannot be read; empty if it can."""
    kind = issue.state.type
    return (
        "" if kind in _KNOWN else f"{issue.identifier}: its state has the unknown type `{kind}`; choose another state"
    )


def _plain(text: str) -> str:
    """Return Markdown without what Linear changes in it: escapes, bullets, empty lines, comments that it drops."""
    text = _BULLET.sub(r"\1-", _ESCAPE.sub("", text.replace("\r\n", "\n")))
    return re.sub(r"\n{3,}", "\n\n", text.replace("<!--", "<\N{WORD JOINER}!--"))


class LinearConnector(ServiceConnector, service=Linear, options=LinearOptions):
    """The issues of one team."""
