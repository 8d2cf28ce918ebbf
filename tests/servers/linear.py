"""Linear as a table behind its published schema, which graphql-core carries out: a document or an input that the schema
does not know is refused, and an answer of another shape fails the test.

It is as unkind as Linear is said to be: ids are taken for ever, descriptions come back as other Markdown, what is in
the trash is still found by its id, a limit has the status 400, and mutations of one document follow one another.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import DocumentNode, GraphQLSchema, build_schema, execute_sync, parse, validate

from tests.servers.http import Response
from tests.servers.table import RefusedError, Shape, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.servers.http import Request

Node = dict[str, Any]
TEAM, OTHER = "team-eng", "team-ops"
_STATES = ("triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate")
_CODES = {401: "AUTHENTICATION_ERROR", 403: "FORBIDDEN", 429: "RATELIMITED"}
_V4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@cache
def _schema() -> GraphQLSchema:
    return build_schema((Path(__file__).parent / "linear_schema.graphql").read_text("utf-8"))


@lru_cache(maxsize=1 << 8)
def _read(text: str) -> DocumentNode:
    """Return a document. One that the schema does not allow fails the test: nobody may send it."""
    document = parse(text)
    wrong = validate(_schema(), document)
    assert not wrong, (text, wrong)
    return document


def rewritten(text: str) -> str:
    """Return Markdown as the editor makes it anew."""
    text = re.sub(r"(?m)^([ \t]*)- ", r"\1* ", re.sub(r"(?s)<!--.*?-->", "", text.replace("\\", "")))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"(?<=\w)_(?=\w)", r"\\_", text)).strip()


def user(name: str) -> Node:
    return {"id": f"user-{name}", "displayName": name, "name": f"{name.title()} Doe", "email": f"{name}@example.org"}


class LinearServer(TableServer):
    """A workspace with two teams. breaks: the mutations that fail once, by their names."""

    def __init__(self) -> None:
        super().__init__(Shape({}, lambda request: request.headers.get("authorization", ""), _refusal))
        self.labels: dict[str, Node] = {"label-bug": _label("label-bug", "bug", None)}
        self.taken: set[str] = set()
        self.keys = {TEAM: "ENG", OTHER: "OPS"}
        self.retired = False
        self.breaks: list[str] = []

    def add(self, title: str, native_id: str = "", **fields: Any) -> str:
        """Create an issue, as the app does it as well."""
        number = self.table.number
        native_id = native_id or f"00000000-0000-4000-8000-{number:012}"
        row: Node = {"id": native_id, "identifier": f"ENG-{number}", "url": f"https://linear.app/x/issue/ENG-{number}"}
        row |= {"title": title.strip(), "description": None, "dueDate": None, "priority": 0, "labelIds": []}
        row |= {"createdAt": self.table.stamp(), "completedAt": None, "archivedAt": None, "trashed": None}
        row |= {"team": TEAM, "type": "unstarted", "parentId": None, "assigneeId": None, "cards": []}
        self.taken.add(native_id)
        self.table.add(native_id, row | fields)
        return native_id

    def set_state(self, native_id: str, kind: str) -> None:
        """Move an issue to another state."""
        done = self.table.stamp() if kind == "completed" else None
        self.table.rows[native_id].update(type=kind, completedAt=done)

    # Requests

    def answer(self, request: Request) -> Response:
        with self._guard:
            if self.shape.login(request) != self.table.token:
                return self.refusal(401, 0)
            assert (request.method, request.path) == ("POST", "/graphql")
            asked = json.loads(request.body)
            return self._carried_out(_read(asked["query"]), asked["variables"])

    def _carried_out(self, document: DocumentNode, variables: Mapping[str, Any]) -> Response:
        result = execute_sync(_schema(), document, self._root(), variable_values=dict(variables))
        refused = [error.original_error for error in result.errors or ()]
        for error, why in zip(result.errors or (), refused, strict=True):
            assert isinstance(why, RefusedError), error  # an input or an answer that the schema does not allow
        if refused and isinstance(refused[0], RefusedError):
            status = refused[0].status
            return Response.json(_refusal(status, refused[0].words), {404: 200}.get(status, status))
        return Response.json({"data": result.data})

    def refusal(self, status: int, retry_after: int, words: Any = None) -> Response:
        headers = (("Retry-After", str(retry_after)),) if status == 429 and retry_after else ()
        return Response.json(_refusal(status, words), 400 if status == 429 else status, headers)

    def empty(self, request: Request, response: Response) -> Response:
        return replace(response, body=json.dumps(_emptied(json.loads(response.body))).encode())

    def _root(self) -> Node:
        queries: dict[str, Callable[..., Any]] = {
            "viewer": lambda info: user("ann"),
            "teams": lambda info, **asked: self._page(
                [self._team(one) for one, key in self.keys.items() if _matches(key, asked.get("filter"))], asked
            ),
            "team": lambda info, id: self._team(id),  # noqa: A006  # the schema's name
            "issues": self._listed,
            "issue": lambda info, id: self._issue(self._row(id)),  # noqa: A006
            "issueLabels": lambda info, **asked: self._page([*self.labels.values()], asked),
            "users": self._users,
            "comment": self._comment,
        }
        mutations: dict[str, Callable[..., Any]] = {
            "issueBatchCreate": self._create,
            "issueUpdate": self._update,
            "issueDelete": self._delete,
            "issueUnarchive": self._unarchive,
            "attachmentCreate": self._attach,
            "commentCreate": self._say,
            "issueLabelCreate": self._new_label,
        }
        return queries | {name: self._allowed(name, answer) for name, answer in mutations.items()}

    def _allowed(self, name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def answered(info: Any, **asked: Any) -> Any:
            if name in self.table.forbidden:
                raise RefusedError(403, "Invalid scope: `write` required")
            if name in self.breaks:
                self.breaks.remove(name)
                raise RefusedError(400, "Internal error")
            return answer(**asked)

        return answered

    # Queries

    def _page(self, nodes: Sequence[Node], asked: Mapping[str, Any]) -> Node:
        size, start = min(asked.get("first") or 50, self.table.most, 250), int(asked.get("after") or 0)
        more = start + size < len(nodes)
        return {"nodes": nodes[start : start + size], "pageInfo": {"hasNextPage": more, "endCursor": str(start + size)}}

    def _team(self, native_id: str) -> Node:
        if native_id not in self.keys:
            raise RefusedError(404, "Entity not found: Team")
        states = [{"id": f"{native_id}-{one}", "name": one, "type": one, "position": 1.0} for one in _STATES]
        states += [{**one, "id": f"{one['id']}-2", "position": 2.0} for one in states]
        retired = self.table.now.isoformat() if self.retired else None
        return {
            "id": native_id,
            "key": self.keys[native_id],
            "name": "Engineering",
            "archivedAt": None,
            "retiredAt": retired,
            "states": lambda info, **asked: self._page(states[::-1], asked),
        }

    def _listed(self, info: Any, **asked: Any) -> Node:
        wanted = asked.get("filter") or {}
        rows = [row for row in self.table.listed() if row["team"] == wanted["team"]["id"]["eq"]]
        rows = [row for row in rows if asked.get("includeArchived") or not row["archivedAt"]]
        rows = [row for row in rows if _has_card(row, wanted.get("attachments"))]
        return self._page([self._issue(row) for row in rows], asked)

    def _row(self, native_id: str) -> Node:
        if native_id not in self.table.rows:
            raise RefusedError(404, "Entity not found: Issue")
        return self.table.rows[native_id]

    def _issue(self, row: Node) -> Node:
        def below(info: Any, **asked: Any) -> Node:
            rows = [one for one in self.table.rows.values() if one["parentId"] == row["id"]]
            rows = [one for one in rows if asked.get("includeArchived") or not one["archivedAt"]]
            rows = [one for one in rows if _has_card(one, (asked.get("filter") or {}).get("attachments"))]
            return self._page([self._issue(one) for one in rows], asked)

        def cards(info: Any, **asked: Any) -> Node:
            url = asked["filter"]["url"]["eq"]
            return self._page([card for card in row["cards"] if card["url"] == url], asked)

        said = [{"id": f"comment-{n}", "body": text} for n, text in enumerate(self.table.notes.get(row["id"], ()))]
        return row | {
            "state": {"id": row["type"], "name": row["type"], "type": row["type"], "position": 1.0},
            "team": lambda info: self._team(row["team"]),
            "parent": lambda info: self._issue(self._row(row["parentId"])) if row["parentId"] else None,
            "assignee": user(row["assigneeId"].removeprefix("user-")) if row["assigneeId"] else None,
            "attachments": cards,
            "comments": lambda info, **asked: self._page(said, asked),
            "children": below,
        }

    def _users(self, info: Any, **asked: Any) -> Node:
        ways = [(name, how["eqIgnoreCase"]) for one in asked["filter"]["or"] for name, how in one.items()]
        found = [one for one in (user("ann"), user("jasmine")) if any(one[n].lower() == v.lower() for n, v in ways)]
        return self._page(found, asked)

    def _comment(self, info: Any, **asked: Any) -> Node:
        if asked["id"] not in self.taken:
            raise RefusedError(404, "Entity not found: Comment")
        return {"id": asked["id"], "body": ""}

    # Mutations

    def _take(self, native_id: str) -> None:
        assert _V4.fullmatch(native_id), native_id
        if native_id in self.taken:
            raise RefusedError(400, "Entity with this id already exists")

    def _create(self, input: Node) -> Node:  # noqa: A002
        for one in input["issues"]:
            self._take(one["id"])
            _check(one)
            if one.get("parentId") and self._row(one["parentId"])["trashed"]:
                raise RefusedError(404, "Entity not found: Issue: parentId")
        for one in input["issues"]:
            self.add(one["title"], one["id"])
            self._update(one["id"], {name: value for name, value in one.items() if name not in ("id", "teamId")})
        return {"issues": [self._issue(self._row(one["id"])) for one in input["issues"]], "success": True}

    def _update(self, id: str, input: Node) -> Node:  # noqa: A002
        row = self._row(id)
        _check(input)
        assert input, "an update without a field"
        if row["archivedAt"]:
            raise RefusedError(404, "Entity not found: Issue")
        for name in ("title", "dueDate", "priority", "parentId", "assigneeId"):
            row[name] = input.get(name, row[name])
        if "description" in input:
            row["description"] = rewritten(input["description"]) or None
        if "stateId" in input:
            team, kind = row["team"], input["stateId"].removeprefix(f"{row['team']}-")
            assert kind in _STATES, (team, input["stateId"])  # the first of its type
            self.set_state(id, kind)
        ids = set(input["labelIds"] if "labelIds" in input else row["labelIds"]) | {*input.get("addedLabelIds", [])}
        row["labelIds"] = sorted(ids - {*input.get("removedLabelIds", [])}, reverse=True)  # in no order
        if unknown := ids - self.labels.keys():
            raise RefusedError(404, f"Entity not found: IssueLabel: {unknown}")
        return {"issue": self._issue(row), "success": True}

    def trash(self, native_id: str) -> None:
        """Delete an issue with those below it."""
        self.table.rows[native_id].update(trashed=True, archivedAt=self.table.stamp())
        for row in self.table.rows.values():
            if row["parentId"] == native_id and not row["trashed"]:
                self.trash(row["id"])

    def _delete(self, id: str) -> Node:  # noqa: A002
        self._row(id)
        self.trash(id)
        return {"success": True}

    def _unarchive(self, id: str) -> Node:  # noqa: A002
        self._row(id).update(trashed=None, archivedAt=None)
        return {"success": True}

    def _attach(self, input: Node) -> Node:  # noqa: A002
        row = self._row(input["issueId"])
        if row["archivedAt"]:
            raise RefusedError(404, "Entity not found: Issue")
        assert all(isinstance(value, (str, int)) for value in input["metadata"].values())
        before = [card for card in row["cards"] if card["url"] == input["url"]]
        number = f"card-{row['id']}-{len(row['cards'])}"
        card = {"id": before[0]["id"] if before else number, "url": input["url"], "title": input["title"]}
        row["cards"] = [one for one in row["cards"] if one not in before] + [card | {"metadata": input["metadata"]}]
        return {"success": True}

    def _say(self, input: Node) -> Node:  # noqa: A002
        self._row(input["issueId"])
        self._take(input["id"])
        self.taken.add(input["id"])
        self.table.notes.setdefault(input["issueId"], []).append(input["body"])
        return {"success": True}

    def _new_label(self, input: Node) -> Node:  # noqa: A002
        self._take(input["id"])
        if any(label["name"].lower() == input["name"].lower() for label in self.labels.values()):
            raise RefusedError(400, "Duplicate label name")
        self.taken.add(input["id"])
        self.labels[input["id"]] = _label(input["id"], input["name"], self._team(input["teamId"]))
        return {"success": True}


def _label(native_id: str, name: str, team: Node | None) -> Node:
    return {"id": native_id, "name": name, "isGroup": False, "team": team}


def _matches(key: str, wanted: Node | None) -> bool:
    return wanted is None or bool(key.lower() == wanted["key"]["eqIgnoreCase"].lower())


def _has_card(row: Node, wanted: Node | None) -> bool:
    urls = [card["url"] for card in row["cards"]]
    some, every = (wanted or {}).get("some"), (wanted or {}).get("every")
    return (some is None or some["url"]["eq"] in urls) and (every is None or every["url"]["neq"] not in urls)


def _check(values: Node) -> None:
    if len(values.get("title", "")) > 255:
        raise RefusedError(400, "title must be shorter than or equal to 255 characters")


def _refusal(status: int, words: Any) -> Node:
    message = words or {401: "Authentication required, not authenticated", 429: "Rate limit exceeded"}.get(status, "No")
    extensions = {"code": _CODES.get(status, "INPUT_ERROR"), "userPresentableMessage": str(message)}
    return {"errors": [{"message": message, "extensions": extensions}], "data": None}


def _emptied(value: Any) -> Any:
    """Return an answer whose lists are empty, however deep they are."""
    if isinstance(value, dict):
        return {name: False if name == "hasNextPage" else _emptied(part) for name, part in value.items()}
    return [] if isinstance(value, list) else value
