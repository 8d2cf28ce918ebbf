"""GitLab's issues as a shape of `TableServer`: one project, its free tier. What it carries out, a test can see."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.servers.table import RefusedError, Shape, Table, TableServer

if TYPE_CHECKING:
    from tests.servers.http import Request

PROJECT = "ann/goals"
_HERE = "/api/v4/projects/{project}"
ISSUES = f"{_HERE}/issues"
ISSUE = f"{ISSUES}/{{iid}}"
USERS = {"ann": 7, "jasmine": 8}
_CHANGES = {"title", "description", "due_date", "assignee_ids"}
_NEW, _CHANGED = _CHANGES | {"labels"}, _CHANGES | {"labels", "add_labels", "remove_labels", "state_event"}
_QUICK_ACTION = re.compile(r"(?m)^/([a-z_]+)\b.*\n?")
_MENTION = re.compile(r"(?<!\w)@[a-z]\w*")
_WORDS = {400: "400 Bad Request", 401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found"}
_TOO_OFTEN = {"error": "This endpoint has been requested too many times. Try again later."}


def user(name: str) -> dict[str, Any]:
    return {"id": USERS[name], "username": name, "name": name.title(), "state": "active"}


def add(table: Table, title: str, author: str = "ann", **fields: Any) -> dict[str, Any]:
    """Make an issue, as the page does it as well."""
    row = {"project_id": 9, "title": title.strip(), "description": None, "state": "opened", "due_date": None}
    row |= {"closed_at": None, "labels": [], "assignees": [], "author": user(author), "user_notes_count": 0}
    row |= {"issue_type": "issue", "moved_to_id": None, "notes": [], "updated_at": table.stamp()}
    return table.add(row | fields)


def close(table: Table, row: dict[str, Any]) -> None:
    row.update(state="closed", closed_at=row["closed_at"] or table.stamp())


def reopen(row: dict[str, Any]) -> None:
    row.update(state="opened", closed_at=None, moved_to_id=None)


def comment(row: dict[str, Any], text: str) -> None:
    row["notes"].append(text)
    row["user_notes_count"] += 1


def _apply(table: Table, row: dict[str, Any], body: dict[str, Any], known: set[str]) -> dict[str, Any]:
    if body.keys() - known:
        raise RefusedError(400, {"error": f"{min(body.keys() - known)} is not known"})
    if len(body.get("title", "").strip()) > 255:
        raise RefusedError(400, {"title": ["is too long (maximum is 255 characters)"]})
    row["title"] = body.get("title", row["title"]).strip()
    row["description"] = _carried_out(table, row, body.get("description", row["description"]))
    if (due := body.get("due_date")) is not None:  # null changes nothing
        row["due_date"] = date.fromisoformat(due).isoformat() if due else None
    if "assignee_ids" in body:  # one, in the free tier; whom nobody knows is left out
        names = [name for name, number in USERS.items() if number in body["assignee_ids"]]
        row["assignees"] = [user(name) for name in names[:1]]
    labels = set(_names(body["labels"]) if "labels" in body else row["labels"])
    labels = (labels | _names(body.get("add_labels", ""))) - _names(body.get("remove_labels", ""))
    row["labels"] = sorted(labels, reverse=True)  # in no order that was promised
    if body.get("state_event") == "close":
        close(table, row)
    elif body.get("state_event") == "reopen":
        reopen(row)
    return _shown(row)


def _carried_out(table: Table, row: dict[str, Any], text: str | None) -> str | None:
    """Return a description without its quick actions, which are carried out."""
    if any(found[1] == "close" for found in _QUICK_ACTION.finditer(text or "")):
        close(table, row)
    return _QUICK_ACTION.sub("", text) if text else text


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "notes"}


def _the(table: Table, parts: dict[str, str]) -> dict[str, Any]:
    _in_project(parts)
    row = table.rows.get(int(parts["iid"]))
    if row is None:
        raise RefusedError(404, None)
    return row


def _in_project(parts: dict[str, str]) -> None:
    if parts["project"] != PROJECT:
        raise RefusedError(404, "404 Project Not Found")


def _list(table: Table, request: Request, body: Any, parts: dict[str, str]) -> Any:
    _in_project(parts)
    labels = _names(request.query.get("labels", ""))
    return [_shown(row) for row in table.listed() if labels <= set(row["labels"])]


def _make(table: Table, request: Request, body: Any, parts: dict[str, str]) -> Any:
    _in_project(parts)
    if not body.get("title"):
        raise RefusedError(400, {"error": "title is missing"})
    row = add(table, "")
    try:
        return _apply(table, row, body, _NEW)
    except RefusedError:
        del table.rows[row["iid"]]
        raise


def _note(table: Table, request: Request, body: Any, parts: dict[str, str]) -> Any:
    row = _the(table, parts)
    comment(row, _carried_out(table, row, body["body"]) or "")
    return {"id": 1, "body": body["body"]}


def _delete(table: Table, request: Request, body: Any, parts: dict[str, str]) -> None:
    del table.rows[_the(table, parts)["iid"]]


def _project(table: Table, request: Request, body: Any, parts: dict[str, str]) -> Any:
    _in_project(parts)
    return {"id": 9, "path_with_namespace": PROJECT, "archived": False, "issues_enabled": True}


def _users(table: Table, request: Request, body: Any, parts: dict[str, str]) -> Any:
    return [user(name) for name in USERS if name == request.query["username"]]


GITLAB = Shape(
    {
        "GET /api/v4/user": lambda table, request, body, parts: user("ann"),
        "GET /api/v4/users": _users,
        "GET /api/v4/personal_access_tokens/self": lambda *_: {"active": True, "expires_at": "2028-07-01"},
        f"GET {_HERE}": _project,
        f"GET {ISSUES}": _list,
        f"POST {ISSUES}": _make,
        f"GET {ISSUE}": lambda table, request, body, parts: _shown(_the(table, parts)),
        f"PUT {ISSUE}": lambda table, request, body, parts: _apply(table, _the(table, parts), body, _CHANGED),
        f"DELETE {ISSUE}": _delete,
        f"POST {ISSUE}/notes": _note,
    },
    login=lambda request: request.headers.get("private-token", ""),
    refusal=lambda status, words: {"message": words or _WORDS.get(status, _TOO_OFTEN)},
)


def server() -> TableServer:
    return TableServer(GITLAB)


def mentions(table: Table) -> list[str]:
    """Return everybody whom issues and comments notify."""
    texts = ("\n".join([row["title"], row["description"] or "", *row["notes"]]) for row in table.rows.values())
    return [name for text in texts for name in _MENTION.findall(text)]
