"""Somebody with Notion."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.notion.connector import NotionConnector
from tests.connectors.stand import Stand, TablePerson
from tests.servers.notion import DATABASE, NotionServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from tests.servers.http import Response

ANN = "user-ann"


class NotionAccount(TablePerson):
    """Somebody who works with the pages of a table in the app."""

    title, notes, due, number = "title", "Notes", "Due", "id"
    cancels = False
    left_out = frozenset({"name", "has_more", "type", "object", "select", "status"})
    server: NotionServer

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        return {native_id: row for native_id, row in self.table.rows.items() if not row["in_trash"]}

    def edit(self, native_id: str, **values: Any) -> None:
        """Change columns of a page."""
        self.row(native_id).update(values)
        self.server.edited(self.row(native_id), ANN)

    def tick(self, native_id: str) -> None:
        self.edit(native_id, Done="s-4" if self.server.columns["Done"] == "status" else True)

    def reopen(self, native_id: str) -> None:
        self.edit(native_id, Done="s-2" if self.server.columns["Done"] == "status" else False)

    def delete(self, native_id: str) -> None:
        self.edit(native_id, in_trash=True)

    def touch(self, native_id: str) -> None:
        """Write into the page itself."""
        self.server.inside[native_id] = [{"object": "block", "id": "block-0", "type": "to_do"}]
        self.edit(native_id)

    def set_due(self, native_id: str, day: date | None) -> None:
        first = (self.row(native_id)["Due"] or {}).get("start")
        span = (
            {"start": first, "end": f"{day}"}
            if first and day and first < f"{day}"
            else {"start": f"{day}", "end": None}
        )
        self.edit(native_id, Due=span if day else None)

    def set_title(self, native_id: str, title: str) -> None:
        self.edit(native_id, title=title)

    def add(self, title: str, **values: Any) -> str:
        return self.server.add(title, **values)

    @property
    def copied(self) -> tuple[str, ...]:
        return "Notes", "Due", "Labels", "Priority", "backplan"

    def damage_marker(self, native_id: str) -> None:
        self.edit(native_id, backplan=" ".join([*self.row(native_id)["backplan"].split()[:2], "oops"]))

    def damage_memory(self) -> None:
        self.edit(self.memory(), backplan=self.row(self.memory())["backplan"].replace('"goal"', '"gaol"'))

    @contextmanager
    def misshape(self) -> Iterator[str]:
        self.server.bend = lambda request, response: _without_id(response) if "/query" in request.path else response
        yield "is not as expected (`id` is missing)"
        self.server.bend = None


def _without_id(response: Response) -> Response:
    """Return a list of pages without the id of the first one."""
    said = json.loads(response.body)
    for page in said["results"][:1]:
        page.pop("id")
    return replace(response, body=json.dumps(said).encode())


NOTION = Stand(NotionConnector, NotionServer, NotionAccount, {"database": DATABASE})
