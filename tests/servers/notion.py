"""Notion as a shape of `TableServer`: a database with one table, whose columns are made by those who use it.

What it takes is what Notion's published types say: `notion_schema.json`, which `scripts/notion_schema.py` makes.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.servers.http import Response
from tests.servers.table import Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.servers.http import Request

DATABASE, SOURCE, ME = "0" * 31 + "d", "00000000-0000-4000-8000-00000000000e", "user-me"
_CODES = {400: "validation_error", 401: "unauthorized", 403: "restricted_resource", 404: "object_not_found"}
_EMPTY: dict[str, Any] = {"title": [], "rich_text": [], "date": None, "checkbox": False, "status": None, "select": None}
_AROUND: dict[str, Any] = {
    "url": "https://www.notion.so/x",
    "public_url": None,
    "icon": None,
    "cover": None,
    "archived": False,
    "created_by": {"object": "user", "id": "user-ann"},
}
_STATES = {"s-1": "Not started", "s-2": "In progress", "s-3": "Done", "s-4": "Also done"}
_GROUPS = {"To-do": ["s-1"], "In progress": ["s-2"], "Complete": ["s-3", "s-4"]}


@cache
def _body(route: str) -> Mapping[str, Any]:
    """Return the JSON Schema of the body that a route takes."""
    said = json.loads((Path(__file__).parent / "notion_schema.json").read_text("utf-8"))
    return {"$ref": f"#/definitions/{said['bodies'][route]}", "definitions": said["definitions"]}


@cache
def answer(kind: str) -> Mapping[str, Any]:
    """Return the JSON Schema of what Notion says of a `page` or a `data_source`."""
    said = json.loads((Path(__file__).parent / "notion_schema.json").read_text("utf-8"))
    return {"$ref": f"#/definitions/{said['answers'][kind]}", "definitions": said["definitions"]}


class _Pages:
    """A list, and the word that asks for what follows: in the body of a query."""

    names = frozenset({"page_size", "start_cursor"})

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response:
        asked = json.loads(request.body) if request.body else request.query
        size, first = (
            min(int(asked.get("page_size", table.page)), table.most),
            int(asked.get("start_cursor", "at-0")[3:]),
        )
        more = first + size < len(rows)
        found = {"object": "list", "results": rows[first : first + size], "has_more": more}
        return Response.json(found | {"next_cursor": f"at-{first + size}" if more else None})


class NotionServer(TableServer):
    """A workspace with one database. columns: the types of the columns of its table, by their names."""

    def __init__(self) -> None:
        self.columns = {"Name": "title"}
        self.sources = [SOURCE]
        self.inside: dict[str, list[Any]] = {}
        answers: dict[str, tuple[Callable[[Table, Call], Any], frozenset[str]]] = {
            "GET /v1/users/me": (
                lambda *_: {"object": "user", "id": ME, "type": "bot", "name": "backplan"},
                frozenset(),
            ),
            "GET /v1/databases/{database}": (self._database, frozenset()),
            "GET /v1/data_sources/{source}": (self._source, frozenset()),
            "PATCH /v1/data_sources/{source}": (self._new_columns, frozenset()),
            "POST /v1/data_sources/{source}/query": (self._query, frozenset()),
            "POST /v1/pages": (self._create, frozenset()),
            "GET /v1/pages/{page}": (lambda table, call: self._shown(table.row(call.parts["page"])), frozenset()),
            "PATCH /v1/pages/{page}": (self._change, frozenset()),
            "GET /v1/blocks/{page}/children": (self._blocks, frozenset()),
            "PATCH /v1/blocks/{page}/children": (self._append, frozenset()),
        }
        routes = {
            route: Route(answer, query, None if route.startswith("GET") else _body(route))
            for route, (answer, query) in answers.items()
        }
        super().__init__(Shape(routes, self._login, _refusal, _Pages()))

    @staticmethod
    def _login(request: Request) -> str:
        assert request.headers["notion-version"] == "2025-09-03"
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def add(self, title: str, **values: Any) -> str:
        """Make a page, as the app does it as well."""
        native_id = f"00000000-0000-4000-8000-{self.table.number:012}"
        stamp = f"{self.table.stamp()[:17]}00.000Z"
        row = {"id": native_id, "title": title, "created_time": stamp, "last_edited_time": stamp, "editor": "user-ann"}
        self.table.add(native_id, row | {"in_trash": False, "source": SOURCE} | values)
        return native_id

    def edited(self, row: dict[str, Any], editor: str) -> None:
        """Note who changed a page, and when, which Notion tells to the minute."""
        row.update(editor=editor, last_edited_time=f"{self.table.stamp()[:17]}00.000Z")

    # What its routes answer

    def _database(self, table: Table, call: Call) -> Any:
        if call.parts["database"] != DATABASE:
            raise RefusedError(404)
        return {
            "object": "database",
            "id": DATABASE,
            "data_sources": [{"id": one, "name": one} for one in self.sources],
        }

    def _source(self, table: Table, call: Call) -> Any:
        found = next((one for one in self.sources if call.parts["source"] in (one, one.replace("-", ""))), None)
        if found is None:
            raise RefusedError(404)
        options = [{"id": one, "name": name, "color": "default", "description": None} for one, name in _STATES.items()]
        groups = [{"id": name, "name": name, "color": "default", "option_ids": ids} for name, ids in _GROUPS.items()]
        shown: dict[str, Any] = {
            "status": {"options": options, "groups": groups},
            "select": {"options": []},
            "multi_select": {"options": []},
        }
        columns = {
            name: {"id": f"id-{name}", "name": name, "description": None, "type": kind, kind: shown.get(kind, {})}
            for name, kind in self.columns.items()
        }
        return {
            "object": "data_source",
            "id": found,
            "title": [],
            "description": [],
            "parent": {"type": "database_id", "database_id": DATABASE},
            "database_parent": {"type": "workspace", "workspace": True},
            "is_inline": False,
            **_AROUND,
            "in_trash": False,
            "created_time": "2027-07-20T09:00:00.000Z",
            "last_edited_time": "2027-07-20T09:00:00.000Z",
            "last_edited_by": {"object": "user", "id": "user-ann"},
            "properties": columns,
        }

    def _new_columns(self, table: Table, call: Call) -> Any:
        for name, new in call.body["properties"].items():
            (kind,) = new
            self.columns.setdefault(name, kind)
        return self._source(table, call)

    def _query(self, table: Table, call: Call) -> Any:
        self._source(table, call)
        rows = [row for row in table.listed() if not row["in_trash"] and row["source"] == call.parts["source"]]
        wanted = call.body.get("filter") or {}
        if wanted and wanted["property"] not in self.columns:
            raise RefusedError(400, f"Could not find property with name or id: {wanted['property']}")
        if "rich_text" in wanted:
            rows = [row for row in rows if row.get(wanted["property"])]
        elif "title" in wanted:
            rows = [row for row in rows if row["title"] == wanted["title"]["equals"]]
        return [self._shown(row) for row in rows]

    def _create(self, table: Table, call: Call) -> Any:
        self._check(call.body["properties"])
        row = table.rows[self.add("", editor=ME, source=call.body["parent"]["data_source_id"])]
        self._set(row, call.body["properties"])
        return self._shown(row)

    def _change(self, table: Table, call: Call) -> Any:
        row = table.row(call.parts["page"])
        self._check(call.body.get("properties", {}))
        self._set(row, call.body.get("properties", {}))
        row["in_trash"] = call.body.get("in_trash", row["in_trash"])
        self.edited(row, ME)
        return self._shown(row)

    def _check(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name not in self.columns:
                raise RefusedError(400, f"{name} is not a property that exists.")
            kind = self.columns[name]
            assert [*value] == [kind], (name, kind, value)
            if kind in ("title", "rich_text") and any(len(one["text"]["content"]) > 2000 for one in value[kind]):
                raise RefusedError(400, "content.length should be ≤ `2000`")
            if kind == "multi_select" and any("," in one["name"] for one in value[kind]):
                raise RefusedError(400, "multi_select option name should not contain commas")
            if kind == "status" and value[kind]["id"] not in _STATES:
                raise RefusedError(400, "Status option does not exist")

    def _set(self, row: dict[str, Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            ((kind, new),) = value.items()
            if kind in ("title", "rich_text"):
                new = "".join(one["text"]["content"] for one in new)
            elif kind == "multi_select":
                new = [one["name"] for one in new][::-1]
            elif kind == "select":
                new = new and new["name"]
            elif kind == "status":
                new = new["id"]
            row["title" if kind == "title" else name] = new

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        values = {
            name: self._value(kind, row.get("title" if kind == "title" else name))
            for name, kind in self.columns.items()
        }
        return {
            "object": "page",
            "id": row["id"],
            **_AROUND,
            "is_archived": row["in_trash"],
            "is_locked": False,
            "created_time": row["created_time"],
            "last_edited_time": row["last_edited_time"],
            "last_edited_by": {"object": "user", "id": row["editor"]},
            "in_trash": row["in_trash"],
            "parent": {"type": "data_source_id", "data_source_id": row["source"], "database_id": DATABASE},
            "properties": {name: {"id": f"id-{name}", **value} for name, value in values.items()},
        }

    @staticmethod
    def _value(kind: str, value: Any) -> dict[str, Any]:
        """Return a value of a column as it is shown; a text comes in other pieces than it was sent."""
        if kind in ("title", "rich_text"):
            text = value or ""
            value = [_piece(text[at : at + 700]) for at in range(0, len(text), 700)]
        elif kind == "multi_select":
            value = [{"id": f"o-{name}", "name": name, "color": "red"} for name in value or ()]
        elif kind == "select" and value:
            value = {"id": f"o-{value}", "name": value, "color": "red"}
        elif kind == "status" and value:
            value = {"id": value, "name": _STATES[value], "color": "red"}
        elif kind == "date" and value:
            value = {"start": value["start"], "end": value.get("end"), "time_zone": None}
        return {"type": kind, kind: _EMPTY[kind] if value is None else value}

    def _blocks(self, table: Table, call: Call) -> Any:
        return self.inside.get(table.row(call.parts["page"])["id"], [])

    def _append(self, table: Table, call: Call) -> Any:
        blocks = self.inside.setdefault(table.row(call.parts["page"])["id"], [])
        for one in call.body["children"]:
            text = one["paragraph"]["rich_text"][0]["text"]["content"]
            table.notes.setdefault(call.parts["page"], []).append(text)
            blocks.append({"object": "block", "id": f"block-{len(blocks)}", "type": "paragraph"})
        return {"object": "list", "results": blocks}


def _piece(text: str) -> dict[str, Any]:
    plain = dict.fromkeys(("bold", "italic", "strikethrough", "underline", "code"), False)
    shown = {"plain_text": text, "href": None, "annotations": plain | {"color": "default"}}
    return {"type": "text", "text": {"content": text, "link": None}, **shown}


def _refusal(status: int, words: Any) -> Any:
    return {"object": "error", "status": status, "code": _CODES.get(status, "rate_limited"), "message": words or "No"}
