"""Google Tasks as a shape of `TableServer`: one list of tasks, and the tokens that open it for an hour.

What it takes is what Google's discovery document says: `tasks.v1.json` of google-api-python-client 2.202.0, Apache-2.0.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.table import ByToken, Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable

LASTING = "1//a-lasting-token-of-the-stand-in"
CLIENT = {"GOOGLE_TASKS_CLIENT_ID": "a-client", "GOOGLE_TASKS_CLIENT_SECRET": "a-secret-of-the-client"}
NAME, _OURS = "Goals", "list-1"  # the list that has the tasks, whatever its name is by now
_DOCUMENT = json.loads((Path(__file__).parent / "google_tasks_v1.json").read_text("utf-8"))
_LIMITS = {"title": 1024, "notes": 8192}


class GoogleTasksServer(TableServer):
    """An account with a list of its own, and with `lists` of other names."""

    def __init__(self) -> None:
        self.lists = {"list-0": "My Tasks"}
        self.order: list[str] = []  # of the tasks, from the top
        self.codes: dict[str, tuple[str, str]] = {}  # of who signed in: what proves who asked, and where it goes
        routes: dict[str, Route] = {"POST /token": Route(self._token)}
        for name, answer in {
            "tasklists.list": self._all_lists,
            "tasklists.insert": self._new_list,
            "tasks.list": self._list,
            "tasks.get": lambda table, call: self._shown(table.row(call.parts["task"])),
            "tasks.insert": self._insert,
            "tasks.patch": self._patch,
            "tasks.delete": self._delete,
        }.items():
            routes |= _documented(name, answer)
        shape = Shape(
            routes,
            login=lambda request: request.headers.get("authorization", "").removeprefix("Bearer "),
            refusal=lambda status, words: {"error": {"code": status, "message": words or f"Error {status}"}},
            pages=ByToken("items", "nextPageToken", "pageToken", "maxResults"),
            open=frozenset({"POST /token"}),
        )
        super().__init__(shape)

    def add(self, title: str, *, after: str = "", parent: str = "", **fields: Any) -> str:
        """Make a task, as the app does it as well: at the top, or after another one."""
        table = self.table
        if NAME not in self.lists.values():
            self.lists[_OURS] = NAME
        native_id = f"task-{table.number}"
        row = {"kind": "tasks#task", "id": native_id, "etag": '"x"', "title": title.strip(), "status": "needsAction"}
        table.add(native_id, row | {"updated": table.stamp(), "parent": parent} | fields)
        self.order.insert(self.order.index(after) + 1 if after else 0, native_id)
        return native_id

    # What its routes answer

    def _token(self, table: Table, call: Call) -> Any:
        client = {name: call.body[name] for name in ("client_id", "client_secret")}
        if client != {"client_id": "a-client", "client_secret": "a-secret-of-the-client"}:
            raise RefusedError(401, "invalid_client")
        if call.body["grant_type"] == "authorization_code":
            return self._first(table, call.body)
        if call.body["refresh_token"] != LASTING:
            raise RefusedError(400, "invalid_grant")
        table.token = f"ya29.an-hour-{len(self.log)}"
        return {"access_token": table.token, "expires_in": 3599, "token_type": "Bearer"}

    def _first(self, table: Table, form: dict[str, str]) -> Any:
        """Return the token that lasts, to whom the secret is known behind the code."""
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).decode().rstrip("=")
        if self.codes.pop(form["code"], None) != (challenge, form["redirect_uri"]):
            raise RefusedError(400, "invalid_grant")
        table.token = "ya29.the-first-hour"  # noqa: S105  # of nobody
        return {"access_token": table.token, "expires_in": 3599, "refresh_token": LASTING}

    def _all_lists(self, table: Table, call: Call) -> Any:
        return [{"kind": "tasks#taskList", "id": one, "title": title} for one, title in self.lists.items()]

    def _new_list(self, table: Table, call: Call) -> Any:
        self.lists[f"list-{len(self.lists)}"] = call.body["title"]
        return self._all_lists(table, call)[-1]

    def _list(self, table: Table, call: Call) -> Any:
        if call.parts["tasklist"] in self.lists and call.parts["tasklist"] != _OURS:
            return []
        self._in_list(call)
        hidden = call.query.get("showHidden") == "true"
        listed = {row["id"]: row for row in table.listed()}
        rows = (listed[one] for one in self.order if one in listed)
        return [self._shown(row) for row in rows if not row.get("deleted") and (hidden or not row.get("hidden"))]

    def _insert(self, table: Table, call: Call) -> Any:
        self._in_list(call)
        for name in ("previous", "parent"):
            if (there := call.query.get(name)) and table.row(there).get("deleted"):
                raise RefusedError(400, f"Invalid {name}")
        _check(call.body)
        native_id = self.add("", after=call.query.get("previous", ""), parent=call.query.get("parent", ""))
        return self._patch(table, Call({**call.parts, "task": native_id}, {}, call.body))

    def _patch(self, table: Table, call: Call) -> Any:
        self._in_list(call)
        _check(call.body)
        row = table.row(call.parts["task"])
        row |= {name: value.strip() for name, value in call.body.items() if name in _LIMITS}
        if "due" in call.body:
            row["due"] = _day(call.body["due"])
        if call.body.get("status") == "completed":
            row |= {"status": "completed", "completed": table.stamp()}
        elif "status" in call.body:
            row |= {"status": "needsAction", "completed": None, "hidden": None}
        row["updated"] = table.stamp()
        return self._shown(row)

    def _delete(self, table: Table, call: Call) -> None:
        table.row(call.parts["task"])["deleted"] = True

    def _in_list(self, call: Call) -> None:
        if call.parts["tasklist"] != _OURS or _OURS not in self.lists:
            raise RefusedError(404)

    @staticmethod
    def _shown(row: dict[str, Any]) -> dict[str, Any]:
        """Return a task without what it has not."""
        return {name: value for name, value in row.items() if value not in (None, "")}


def _check(body: dict[str, Any]) -> None:
    for name, most in _LIMITS.items():
        if len(body.get(name) or "") > most:
            raise RefusedError(400, f"{name} is too long")


def _day(text: str | None) -> str | None:
    """Return the day of a moment in UTC: its time is thrown away."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d}T00:00:00.000Z" if text else None


def _documented(name: str, answer: Callable[[Table, Call], Any]) -> dict[str, Route]:
    """Return a route that takes what the document says of a method."""
    resource, _, method = name.partition(".")
    said = _DOCUMENT["resources"][resource]["methods"][method]
    query = frozenset(one for one, spec in said["parameters"].items() if spec["location"] == "query")
    body = _schema(said["request"]["$ref"]) if "request" in said else None
    return {f"{said['httpMethod']} /{said['path']}": Route(answer, query, body)}


def _schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of what can be written of an object: null clears a field."""
    fields = {one: said for one, said in _DOCUMENT["schemas"][name]["properties"].items() if "readOnly" not in said}
    writable = {one: {"type": [said["type"], "null"]} for one, said in fields.items() if "type" in said}
    return {"type": "object", "properties": writable, "additionalProperties": False}
