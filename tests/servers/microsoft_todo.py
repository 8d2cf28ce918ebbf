"""Microsoft To Do as a shape of `TableServer`: one list of tasks, dates as moments, and tokens for devices.

What it takes and tells is what Microsoft's published types say: `microsoft_todo_schema.json`, which
`scripts/microsoft_todo_schema.py` makes. How it answers follows Microsoft's reference.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import jsonschema

from tests.servers.table import ByNextUrl, Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.http import Request, Response

LASTING = "M.C5-a-lasting-token-of-the-stand-in"
CLIENT = {"MICROSOFT_TODO_CLIENT_ID": "a-client"}
NAME, _OURS = "Goals", "AQ-list-1="  # the list that has the tasks, whatever its name is by now
_LISTS, _TASKS = "/v1.0/me/todo/lists", "/v1.0/me/todo/lists/{list}/tasks"
_TENANT = "/common/oauth2/v2.0"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_LIST: Mapping[str, Any] = {
    "type": "object",
    "properties": {"displayName": {"type": "string"}},
    "additionalProperties": False,
}
_TIMES = ("dueDateTime", "completedDateTime")


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a task."""
    said = json.loads((Path(__file__).parent / "microsoft_todo_schema.json").read_text("utf-8"))
    return {"$ref": "#/definitions/TodoTask", "definitions": said["definitions"]}


@cache
def _judge() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


class MicrosoftTodoServer(TableServer):
    """An account with a list of its own, and with `lists` of other names. Rows hold moments in UTC, or None.

    pending: what the service answers while nobody has signed in yet.
    """

    def __init__(self) -> None:
        self.lists = {"AQ-list-0=": "Tasks"}
        self.pending: list[str] = []
        self._lasting = {LASTING}
        self._zone = ZoneInfo("UTC")
        expand = frozenset({"$expand"})
        routes = {
            f"POST {_TENANT}/devicecode": Route(self._device),
            f"POST {_TENANT}/token": Route(self._token),
            f"GET {_LISTS}": Route(lambda *_: [self._list(one) for one in self.lists]),
            f"POST {_LISTS}": Route(self._new_list, body=_LIST),
            f"GET {_TASKS}": Route(self._tasks, expand),
            f"POST {_TASKS}": Route(self._insert, body=schema()),
            f"GET {_TASKS}/{{task}}": Route(lambda table, call: self._shown(self._found(table, call)), expand),
            f"PATCH {_TASKS}/{{task}}": Route(self._patch, body=schema()),
            f"DELETE {_TASKS}/{{task}}": Route(self._delete),
        }
        shape = Shape(
            routes,
            login=lambda request: request.headers.get("authorization", "").removeprefix("Bearer "),
            refusal=_refusal,
            pages=ByNextUrl("value", ("@odata.nextLink",), "$top"),
            open=frozenset({f"POST {_TENANT}/devicecode", f"POST {_TENANT}/token"}),
        )
        super().__init__(shape)

    def _answer(self, request: Request) -> Response:
        _, _, zone = request.headers.get("prefer", "").partition("outlook.timezone=")
        self._zone = ZoneInfo(zone.strip('"') or "UTC")
        return super()._answer(request)

    def add(self, title: str, **fields: Any) -> str:
        """Make a task, as the app does it as well."""
        table = self.table
        if NAME not in self.lists.values():
            self.lists[_OURS] = NAME
        native_id = f"AlM_task-{table.number}="
        row = {"id": native_id, "title": title.strip(), "status": "notStarted", "importance": "normal", "text": ""}
        made = {"createdDateTime": table.stamp(), "lastModifiedDateTime": table.stamp(), "contentType": "text"}
        table.add(native_id, row | made | dict.fromkeys(_TIMES) | {"categories": [], "checklistItems": []} | fields)
        return native_id

    # What its routes answer

    def _device(self, table: Table, call: Call) -> Any:
        assert call.body == {"client_id": "a-client", "scope": "Tasks.ReadWrite offline_access"}
        where = {"verification_uri": "https://www.microsoft.com/link", "user_code": "ABCD1234"}
        return {**where, "device_code": "a-device", "interval": 5, "expires_in": 900}

    def _token(self, table: Table, call: Call) -> Any:
        """Return a token for an hour and a new lasting one; those before it stay valid."""
        form = call.body
        if form["client_id"] != "a-client":
            raise RefusedError(400, "invalid_client")
        if form["grant_type"] == _DEVICE:
            if self.pending:
                raise RefusedError(400, self.pending.pop(0))
        elif form["refresh_token"] not in self._lasting:
            raise RefusedError(400, "invalid_grant")
        table.token = f"eyJ.an-hour-{len(self.log)}"
        self._lasting.add(new := f"M.C5-lasting-{len(self.log)}" if form["grant_type"] != _DEVICE else LASTING)
        return {"token_type": "Bearer", "access_token": table.token, "expires_in": 3599, "refresh_token": new}

    def _list(self, native_id: str) -> dict[str, Any]:
        known = "defaultList" if native_id == "AQ-list-0=" else "none"
        return {"id": native_id, "displayName": self.lists[native_id], "isOwner": True, "wellknownListName": known}

    def _new_list(self, table: Table, call: Call) -> Any:
        self.lists[native_id := f"AQ-list-{len(self.lists)}="] = call.body["displayName"]
        return self._list(native_id)

    def _tasks(self, table: Table, call: Call) -> Any:
        if call.parts["list"] in self.lists and call.parts["list"] != _OURS:
            return []
        self._in_list(call)
        return [self._shown(row) for row in table.listed() if not row.get("deleted")]

    def _insert(self, table: Table, call: Call) -> Any:
        self._in_list(call)
        return self._patch(table, Call({**call.parts, "task": self.add("")}, {}, call.body))

    def _patch(self, table: Table, call: Call) -> Any:
        row, body = self._found(table, call), call.body
        if len(body.get("title", "")) > 255 or len(body.get("body", {}).get("content", "")) > 255_000:
            raise RefusedError(400, "too long")
        row |= {name: body[name] for name in ("status", "importance", "categories") if name in body}
        row |= {"title": body["title"].strip()} if "title" in body else {}
        if "body" in body:
            row |= {"text": body["body"]["content"].replace("\n", "\r\n"), "contentType": body["body"]["contentType"]}
        if "dueDateTime" in body:
            row["dueDateTime"] = _moment(body["dueDateTime"])
        if "status" in body:
            midnight = table.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            row["completedDateTime"] = midnight if body["status"] == "completed" else None
        row["lastModifiedDateTime"] = table.stamp()
        return self._shown(row)

    def _delete(self, table: Table, call: Call) -> None:
        del table.rows[self._found(table, call)["id"]]

    def _in_list(self, call: Call) -> None:
        if call.parts["list"] != _OURS or _OURS not in self.lists:
            raise RefusedError(404)

    def _found(self, table: Table, call: Call) -> dict[str, Any]:
        self._in_list(call)
        row = table.row(call.parts["task"])
        if row.get("deleted"):
            raise RefusedError(404)
        return row

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a task with its moments in the zone that was asked for."""
        body = {"content": row["text"], "contentType": row["contentType"]}
        times = {name: _told(row[name], self._zone) for name in _TIMES if row[name]}
        kept = {name: value for name, value in row.items() if name not in (*_TIMES, "text", "contentType", "deleted")}
        _judge().validate(found := {**kept, **times, "body": body})
        return found


def _refusal(status: int, words: Any) -> Any:
    if isinstance(words, str) and words.replace("_", "").isalpha():  # of the sign-in, whose errors are words
        return {"error": words, "error_description": f"AADSTS70000: {words}"}
    return {"error": {"code": f"Error{status}", "message": words or f"Error {status}"}}


def _moment(said: Mapping[str, str] | None) -> datetime | None:
    if said is None:
        return None
    return datetime.fromisoformat(said["dateTime"]).replace(tzinfo=ZoneInfo(said["timeZone"])).astimezone(UTC)


def _told(moment: datetime, zone: ZoneInfo) -> dict[str, str]:
    return {"dateTime": f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": zone.key}
