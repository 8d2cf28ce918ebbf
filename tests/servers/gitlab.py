"""GitLab's issues as a shape of `TableServer`: one project, its free tier. What it carries out, a test can see."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.servers.table import Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = "ann/goals"
_HERE = "/api/v4/projects/{project}"
ISSUES = f"{_HERE}/issues"
ISSUE = f"{ISSUES}/{{iid}}"
USERS = {"ann": 7, "jasmine": 8}
_QUICK_ACTION = re.compile(r"(?m)^/([a-z_]+)\b.*\n?")
_MENTION = re.compile(r"(?<!\w)@[a-z]\w*")
_WORDS = {401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found"}
_TOO_OFTEN = {"error": "This endpoint has been requested too many times. Try again later."}
_TEXT = {"type": "string"}
# The names that python-gitlab takes for creating and updating an issue, as far as there is any use for them.
_CHANGES = dict.fromkeys(("title", "description", "due_date", "labels", "add_labels", "remove_labels"), _TEXT) | {
    "assignee_ids": {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
    "state_event": {"enum": ["close", "reopen"]},
}


def _taking(*left_out: str, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the schema of an issue's fields without some of them."""
    names = {name: schema for name, schema in _CHANGES.items() if name not in left_out}
    return {"type": "object", "properties": names, "additionalProperties": False, "required": list(required)}


def user(name: str) -> dict[str, Any]:
    return {"id": USERS[name], "username": name, "name": name.title(), "state": "active"}


def add(table: Table, title: str, author: str = "ann", **fields: Any) -> dict[str, Any]:
    """Make an issue, as the page does it as well. Its number in the project is not its id."""
    iid = table.number
    row = {"id": 1000 + iid, "iid": iid, "project_id": 9, "title": title.strip(), "description": None}
    row |= {"state": "opened", "due_date": None, "closed_at": None, "labels": [], "assignees": []}
    row |= {"author": user(author), "issue_type": "issue", "moved_to_id": None, "created_at": table.stamp()}
    return table.add(str(iid), row | fields)


def close(table: Table, row: dict[str, Any]) -> None:
    row.update(state="closed", closed_at=row["closed_at"] or table.stamp())


def reopen(row: dict[str, Any]) -> None:
    row.update(state="opened", closed_at=None, moved_to_id=None)


def _shown(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"user_notes_count": len(table.notes.get(str(row["iid"]), ()))}


def _change(table: Table, call: Call) -> dict[str, Any]:
    row, body = table.row(call.parts["iid"]), call.body
    if len(body.get("title", "").strip()) > 255:
        raise RefusedError(400, {"title": ["is too long (maximum is 255 characters)"]})
    row["title"] = body.get("title", row["title"]).strip()
    row["description"] = _carried_out(table, row, body.get("description", row["description"]))
    if "due_date" in body:
        row["due_date"] = date.fromisoformat(body["due_date"]).isoformat() if body["due_date"] else None
    if "assignee_ids" in body:  # whom nobody knows is left out
        row["assignees"] = [user(name) for name, number in USERS.items() if number in body["assignee_ids"]]
    labels = set(_names(body["labels"]) if "labels" in body else row["labels"])
    labels = (labels | _names(body.get("add_labels", ""))) - _names(body.get("remove_labels", ""))
    row["labels"] = sorted(labels, reverse=True)  # in no order that was promised
    if body.get("state_event") == "close":
        close(table, row)
    elif body.get("state_event") == "reopen":
        reopen(row)
    return _shown(table, row)


def _make(table: Table, call: Call) -> Any:
    row = add(table, "")
    try:
        return _change(table, Call({"iid": str(row["iid"])}, {}, call.body))
    except RefusedError:
        del table.rows[str(row["iid"])]
        raise


def _carried_out(table: Table, row: dict[str, Any], text: str | None) -> str | None:
    """Return a description without its quick actions, which are carried out."""
    if any(found[1] == "close" for found in _QUICK_ACTION.finditer(text or "")):
        close(table, row)
    return _QUICK_ACTION.sub("", text) if text else text


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _list(table: Table, call: Call) -> Any:
    labels = _names(call.query.get("labels", ""))
    return [_shown(table, row) for row in table.listed() if labels <= set(row["labels"])]


def _note(table: Table, call: Call) -> Any:
    row = table.row(call.parts["iid"])
    table.notes.setdefault(call.parts["iid"], []).append(_carried_out(table, row, call.body["body"]) or "")
    return {"id": 1, "body": call.body["body"]}


def _delete(table: Table, call: Call) -> None:
    del table.rows[str(table.row(call.parts["iid"])["iid"])]


def _there(answer: Callable[[Table, Call], Any]) -> Callable[[Table, Call], Any]:
    """Return what answers for the project by its path or number, and for no other one."""

    def answered(table: Table, call: Call) -> Any:
        if call.parts["project"] not in (PROJECT, "9"):
            raise RefusedError(404, "404 Project Not Found")
        return answer(table, call)

    return answered


def _users(table: Table, call: Call) -> Any:
    return [user(name) for name in USERS if name == call.query["username"]]


_PROJECT = {"id": 9, "path_with_namespace": PROJECT, "archived": False, "issues_enabled": True}
NEW = _taking("add_labels", "remove_labels", "state_event", required=("title",))
CHANGED = _taking()
_LISTED = frozenset({"labels", "scope", "state", "order_by", "sort"})
GITLAB = Shape(
    {
        "GET /api/v4/user": Route(lambda table, call: user("ann")),
        "GET /api/v4/users": Route(_users, frozenset({"username"})),
        "GET /api/v4/personal_access_tokens/self": Route(lambda *_: {"active": True, "expires_at": "2028-07-01"}),
        f"GET {_HERE}": Route(_there(lambda *_: _PROJECT)),
        f"GET {ISSUES}": Route(_there(_list), _LISTED),
        f"POST {ISSUES}": Route(_there(_make), body=NEW),
        f"GET {ISSUE}": Route(_there(lambda table, call: _shown(table, table.row(call.parts["iid"])))),
        f"PUT {ISSUE}": Route(_there(_change), body=CHANGED),
        f"DELETE {ISSUE}": Route(_there(_delete)),
        f"POST {ISSUE}/notes": Route(
            _there(_note), body={"type": "object", "properties": {"body": _TEXT}, "additionalProperties": False}
        ),
    },
    login=lambda request: request.headers.get("private-token", ""),
    refusal=lambda status, words: {"message": words or _WORDS.get(status, _TOO_OFTEN)},
)


def server() -> TableServer:
    return TableServer(GITLAB)


def mentions(table: Table) -> list[str]:
    """Return everybody whom issues and comments notify."""
    texts = ("\n".join([row["title"], row["description"] or ""]) for row in table.rows.values())
    notes = (note for notes in table.notes.values() for note in notes)
    return [name for text in (*texts, *notes) for name in _MENTION.findall(text)]
