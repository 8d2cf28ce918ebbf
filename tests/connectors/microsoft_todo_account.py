"""Somebody with Microsoft To Do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.microsoft_todo import MicrosoftTodoConnector
from tests.connectors.stand import Stand, TablePerson
from tests.servers.microsoft_todo import CLIENT, LASTING, NAME, MicrosoftTodoServer

ZONE = "America/Los_Angeles"


class MicrosoftTodoAccount(TablePerson):
    """Somebody who works with tasks in the app, far from UTC."""

    title, notes, due, number = "title", "text", "dueDateTime", "id"
    left_out = frozenset({"body", "recurrence", "@odata.nextLink"})
    cancels = False
    zone = ZONE

    def tick(self, native_id: str) -> None:
        midnight = self.table.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.row(native_id).update(status="completed", completedDateTime=midnight, lastModifiedDateTime=self._now)

    def reopen(self, native_id: str) -> None:
        self.row(native_id).update(status="inProgress", completedDateTime=None)

    def delete(self, native_id: str) -> None:
        self.row(native_id)["deleted"] = True

    def touch(self, native_id: str) -> None:
        self.row(native_id)["checklistItems"].append({"id": "i-1", "displayName": "Ask Ann first", "isChecked": False})

    def add(self, title: str, **fields: Any) -> str:
        server: Any = self.server
        native_id: str = server.add(title, **fields)
        return native_id

    def day(self, day: date | None) -> Any:
        """Return the midnight where the person is."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).astimezone(UTC) if day else None

    @property
    def _now(self) -> str:
        return self.table.stamp()


MICROSOFT_TODO = Stand(
    MicrosoftTodoConnector,
    MicrosoftTodoServer,
    MicrosoftTodoAccount,
    {"list": NAME, "timezone": ZONE},
    token=LASTING,
    also=CLIENT,
)
