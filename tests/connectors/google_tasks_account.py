"""Somebody with Google Tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.google_tasks import GoogleTasksConnector
from tests.connectors.stand import Stand, TablePerson
from tests.servers.google_tasks import CLIENT, LASTING, NAME, GoogleTasksServer

if TYPE_CHECKING:
    from datetime import date


class GoogleTasksAccount(TablePerson):
    """Somebody who works with tasks on a phone: what is completed there is hidden as well."""

    title, notes, due, number = "title", "notes", "due", "id"
    left_out = frozenset({"title", "notes", "due", "completed", "parent", "hidden", "items"})
    cancels = False

    def tick(self, native_id: str) -> None:
        self.row(native_id).update(status="completed", completed=self.table.stamp(), hidden=True)

    def reopen(self, native_id: str) -> None:
        self.row(native_id).update(status="needsAction", completed=None, hidden=None)

    def delete(self, native_id: str) -> None:
        self.row(native_id)["deleted"] = True

    def touch(self, native_id: str) -> None:
        self.add("Ask Ann first", parent=native_id)

    def add(self, title: str, **fields: Any) -> str:
        server: Any = self.server
        native_id: str = server.add(title, **fields)
        return native_id

    def day(self, day: date | None) -> str | None:
        return f"{day}T00:00:00.000Z" if day else None


GOOGLE_TASKS = Stand(
    GoogleTasksConnector, GoogleTasksServer, GoogleTasksAccount, {"list": NAME}, token=LASTING, also=CLIENT
)
