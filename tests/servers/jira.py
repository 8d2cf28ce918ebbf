"""Jira Cloud as a shape of `TableServer`: one project. Its search lags; what is fetched by id or key does not."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from tests.servers.http import Response
from tests.servers.table import Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers.http import Request

PROJECT, EMAIL = "GOAL", "ann@example.org"
_HERE = "/rest/api/3"
_ISSUE = f"{_HERE}/issue/{{id}}"
_WORDS = {401: "Client must be authenticated to access this resource.", 403: "You are not allowed to.", 404: "No."}
_STATES = {"11": ("To Do", "new"), "21": ("In Progress", "indeterminate"), "31": ("Done", "done")}
_TEXT: dict[str, Any] = {"type": "string"}
_LABEL = {"type": "string", "pattern": r"^\S{1,255}$"}
_DAY = {"type": ["string", "null"], "pattern": r"^\d{4}-\d\d-\d\d$"}


def _object(required: Sequence[str] = (), /, **names: Any) -> dict[str, Any]:
    return {"type": "object", "properties": names, "additionalProperties": False, "required": list(required)}


def _list(items: Any, most: int = 5000) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": most}


_NODE = _object(["type"], type={"const": "text"}, text={"type": "string", "minLength": 1})
_PARAGRAPH = _object(["type"], type={"const": "paragraph"}, content=_list(_NODE))
_DOC = _object(["type", "version", "content"], type={"const": "doc"}, version={"const": 1}, content=_list(_PARAGRAPH))
_VALUES: dict[str, Any] = {
    "summary": {**_TEXT, "maxLength": 255, "pattern": r"^[^\n]+$"},
    "description": _DOC,
    "duedate": _DAY,
}
_PROPERTIES = _list(_object(["key", "value"], key=_TEXT, value=_object(["line"], line={**_TEXT, "maxLength": 32_000})))
_NEW = _object(
    ["project", "issuetype", "summary"],
    **_VALUES,
    labels=_list(_LABEL),
    project=_object(["id"], id=_TEXT),
    issuetype=_object(["name"], name=_TEXT),
)
_LABELS = _list({"anyOf": [_object(["add"], add=_LABEL), _object(["remove"], remove=_LABEL)]})
_SEARCH = _object(["jql"], jql=_TEXT, fields=_list(_TEXT), maxResults={"type": "integer"}, nextPageToken=_TEXT)
_FETCH = _object(["issueIdsOrKeys"], issueIdsOrKeys=_list(_TEXT, 100), fields=_list(_TEXT), properties=_list(_TEXT, 5))


class _Pages:
    """A list, and the word that asks for what follows: in the body of a search."""

    names: frozenset[str] = frozenset()

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response:
        asked = json.loads(request.body)
        size, first = min(asked.get("maxResults", 50), table.page), int(asked.get("nextPageToken", "at-0")[3:])
        last = first + size >= len(rows)
        more = {"isLast": last} | ({} if last else {"nextPageToken": f"at-{first + size}"})
        return Response.json({"issues": rows[first : first + size]} | more)


def add(table: Table, title: str, **values: Any) -> dict[str, Any]:
    """Make an issue, as the page does it as well. Its key is not its id."""
    number = table.number
    row: dict[str, Any] = {
        "id": str(10_000 + number),
        "key": f"{PROJECT}-{number}",
        "summary": title,
        "description": "",
        "line": "",
    }
    row |= {"duedate": None, "labels": [], "state": "11", "resolution": None, "changed": table.stamp()}
    return table.add(str(row["id"]), row | values)


def move(table: Table, row: dict[str, Any], state: str, resolution: str = "Done") -> None:
    row.update(state=state, changed=table.stamp(), resolution=resolution if state == "31" else None)


def _read(node: dict[str, Any]) -> str:
    return "\n".join("".join(text["text"] for text in line["content"]) for line in node["content"]).strip()


def _doc(text: str) -> Any:
    lines = [{"type": "text", "text": line} for line in text.split("\n")]
    broken = [node for line in lines for node in ({"type": "hardBreak"}, line) if node.get("text") != ""][1:]
    content = [{"type": "paragraph", "content": broken}]
    return {"type": "doc", "version": 1, "content": content} if text else None


def _status(state: str) -> dict[str, Any]:
    name, category = _STATES[state]
    return {"name": name, "statusCategory": {"key": category}}


def _shown(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    fields = {name: row[name] for name in ("summary", "duedate", "labels")}
    fields |= {"description": _doc(row["description"]), "status": _status(row["state"])}
    when = row["changed"].replace("Z", "+0000")
    fields |= {"resolution": {"name": row["resolution"]} if row["resolution"] else None}
    fields |= {"resolutiondate": when if row["resolution"] else None, "statuscategorychangedate": when}
    fields |= {"comment": {"total": len(table.notes.get(row["id"], ())), "comments": []}}
    fields |= {"project": {"id": "9", "key": PROJECT}, "subtasks": [], "issuelinks": [], "attachment": []}
    properties = {"backplan": {"line": row["line"]}} if row["line"] else {}
    return {"id": row["id"], "key": row["key"], "fields": fields, "properties": properties}


def _set(row: dict[str, Any], body: dict[str, Any]) -> None:
    fields = body.get("fields", {})
    row.update({name: fields[name] for name in ("summary", "duedate", "labels") if name in fields})
    if "description" in fields:
        row["description"] = _read(fields["description"])
    for step in body.get("update", {}).get("labels", ()):
        kept = [label for label in row["labels"] if label not in step.values()]
        row["labels"] = sorted([*kept, step["add"]] if "add" in step else kept, reverse=True)
    for one in body.get("properties", ()):
        row["line"] = one["value"]["line"]


def _make(table: Table, call: Call) -> Any:
    if call.body["fields"]["issuetype"]["name"] != "Task":
        raise RefusedError(400, {"issuetype": "The issue type selected is invalid."})
    row = add(table, "")
    _set(row, call.body)
    return {"id": row["id"], "key": row["key"], "self": "x"}


def _search(table: Table, call: Call) -> Any:
    jql = call.body["jql"]
    assert re.match(rf'project = "{PROJECT}" ', jql), jql
    rows = [row for row in table.listed() if "labels" not in jql or "backplan" in row["labels"]]
    return [{"id": row["id"], "key": row["key"]} for row in (reversed(rows) if "DESC" in jql else rows)]


def _fetch(table: Table, call: Call) -> Any:
    """Answer issues; those that are not there are not among its errors, as the vendor's reference says."""
    asked = set(call.body["issueIdsOrKeys"])
    rows = [row for row in table.rows.values() if {row["id"], row["key"]} & asked]
    errors = [{"id": row["id"], "errorMessage": "It could not be read."} for row in rows if row.get("unread")]
    return {"issues": [_shown(table, row) for row in rows if not row.get("unread")], "issueErrors": errors}


def _move(table: Table, call: Call) -> None:
    move(table, table.row(call.parts["id"]), call.body["transition"]["id"])


def _comment(table: Table, call: Call) -> Any:
    table.row(call.parts["id"])
    table.notes.setdefault(call.parts["id"], []).append(_read(call.body["body"]))
    return {"id": "1"}


def _project(table: Table, call: Call) -> Any:
    if call.parts["key"] != PROJECT:
        raise RefusedError(404)
    return {"id": "9", "key": PROJECT, "name": "Goals"}


def _login(request: Request) -> str:
    name, _, token = b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode().partition(":")
    return token if name == EMAIL else ""


def _delete(table: Table, call: Call) -> None:
    del table.rows[table.row(call.parts["id"])["id"]]


_WAYS = {"transitions": [{"id": number, "to": _status(number)} for number in _STATES]}
JIRA = Shape(
    {
        f"GET {_HERE}/myself": Route(lambda *_: {"accountId": "5b1", "displayName": "ann"}),
        f"GET {_HERE}/project/{{key}}": Route(_project),
        f"POST {_HERE}/search/jql": Route(_search, body=_SEARCH),
        f"POST {_HERE}/issue/bulkfetch": Route(_fetch, body=_FETCH),
        f"POST {_HERE}/issue": Route(_make, body=_object(["fields"], fields=_NEW, properties=_PROPERTIES)),
        f"PUT {_ISSUE}": Route(
            lambda table, call: _set(table.row(call.parts["id"]), call.body),
            body=_object(fields=_object(**_VALUES), update=_object(labels=_LABELS), properties=_PROPERTIES),
        ),
        f"DELETE {_ISSUE}": Route(_delete),
        f"GET {_ISSUE}/transitions": Route(lambda table, call: table.row(call.parts["id"]) and _WAYS),
        f"POST {_ISSUE}/transitions": Route(_move, body=_object(["transition"], transition=_object(["id"], id=_TEXT))),
        f"POST {_ISSUE}/comment": Route(_comment, body=_object(["body"], body=_DOC)),
    },
    login=_login,
    refusal=lambda status, words: (
        {"errorMessages": [], "errors": words} if words else {"errorMessages": [_WORDS.get(status, "Too often.")]}
    ),
    pages=_Pages(),
)


def server() -> TableServer:
    return TableServer(JIRA)
