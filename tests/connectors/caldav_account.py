"""Somebody with an app for tasks on CalDAV, and connectors to it with a clock that moves on where it waits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from connectors.caldav.connector import CalDAVConnector
from tests.connectors.contract import NAMESPACE
from tests.connectors.stand import Stand
from tests.servers.radicale import EPOCH, LIST, PASSWORD, USER, RadicaleServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connectors.base import Connector


class CalDAVAccount:
    """Somebody who works with tasks in an app, which writes the properties that apps write."""

    garbles: frozenset[str] = frozenset()  # Radicale takes no date that is none
    cancels = True

    def __init__(self, stand: Stand, server: RadicaleServer) -> None:
        self.stand, self.server = stand, server
        self._added: list[str] = []

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return self.stand.connect(self.server, namespace, ahead=timedelta(self.clock))

    @property
    def clock(self) -> int:
        """By how many days the clock of the service is ahead; waiting takes no more than hours."""
        return round((self.server.time - EPOCH) / timedelta(days=1))

    @clock.setter
    def clock(self, days: int) -> None:
        self.server.time += timedelta(days - self.clock)

    def resource(self, native_id: str) -> tuple[str, str]:
        """Return the path and text of a task, its lines unfolded."""
        texts = {path: _unfolded(text) for path, text in self.server.resources().items()}
        return next((path, text) for path, text in texts.items() if f"\nUID:{native_id}\n" in text)

    def memory(self) -> str:
        """Return the id of the task with the memory."""
        (found,) = (text for text in map(_unfolded, self.texts()) if "X-BACKPLAN:bpm1" in text)
        return found.partition("\nUID:")[2].partition("\n")[0]

    def damage_memory(self) -> None:
        self.edit(self.memory(), lambda text: text.replace("%22goal%22", "%22gaol%22"))

    def edit(self, native_id: str, change: Callable[[str], str]) -> None:
        path, text = self.resource(native_id)
        self.server.ask("PUT", path, change(text).replace("\n", "\r\n").encode())

    def set_lines(self, native_id: str, **lines: str | None) -> None:
        """Set properties of a task by whole lines: those that are None go."""

        def change(text: str) -> str:
            for name, line in lines.items():
                text = re.sub(rf"(?m)^{name.replace('_', '-')}[:;].*\n", "", text)
                text = text.replace("END:VTODO\n", f"{line}\nEND:VTODO\n") if line else text
            return text

        self.edit(native_id, change)

    def tick(self, native_id: str) -> None:
        now = f"{self.server.time.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        done = {"STATUS": "STATUS:COMPLETED", "COMPLETED": f"COMPLETED:{now}"}
        self.set_lines(native_id, **done, PERCENT_COMPLETE="PERCENT-COMPLETE:100")

    def reopen(self, native_id: str) -> None:
        self.set_lines(native_id, STATUS="STATUS:NEEDS-ACTION", COMPLETED=None, PERCENT_COMPLETE=None)

    def cancel(self, native_id: str) -> None:
        self.set_lines(native_id, STATUS="STATUS:CANCELLED", COMPLETED=None, PERCENT_COMPLETE=None)

    def delete(self, native_id: str) -> None:
        self.server.ask("DELETE", self.resource(native_id)[0])

    def garble(self, native_id: str, what: str) -> None:
        raise NotImplementedError

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        raise NotImplementedError

    def set_due(self, native_id: str, day: date | None) -> None:
        self.set_lines(native_id, DUE=f"DUE;VALUE=DATE:{day:%Y%m%d}" if day else None)

    def set_title(self, native_id: str, title: str) -> None:
        escaped = re.sub(r"([\\;,])", r"\\\1", title)
        self.set_lines(native_id, SUMMARY=f"SUMMARY:{escaped}")

    def touch(self, native_id: str) -> None:
        self.add("Ask Ann first", f"RELATED-TO;RELTYPE=PARENT:{native_id}")

    def copy(self, native_id: str) -> object:
        text, uid = self.resource(native_id)[1], str(uuid4())
        created = f"\nCREATED:{datetime(2027, 8, 1, tzinfo=UTC):%Y%m%dT%H%M%SZ}\n"
        text = re.sub(r"\nCREATED:.*\n", created, text.replace(f"\nUID:{native_id}\n", f"\nUID:{uid}\n"))
        return self.server.ask("PUT", f"{LIST}{uid}.ics", text.replace("\n", "\r\n").encode())

    def damage_marker(self, native_id: str) -> None:
        self.edit(native_id, lambda text: re.sub(r"X-BACKPLAN:bp1 (\S+) .*", r"X-BACKPLAN:bp1 \1 oops", text))

    def add_foreign_task(self, title: str) -> object:
        uid = self.add(title, "X-OTHER-APP;ODD=1:a\\,b", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM")
        self._added.append(uid)
        return uid

    def add(self, title: str, *lines: str) -> str:
        """Add a task; return its id."""
        uid = str(uuid4())
        text = "\n".join(
            [
                *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//An app", "BEGIN:VTODO", f"UID:{uid}"),
                *("DTSTAMP:20270701T060000Z", f"SUMMARY:{title}", *lines, "END:VTODO", "END:VCALENDAR", ""),
            ]
        )
        self.server.ask("PUT", f"{LIST}{uid}.ics", text.replace("\n", "\r\n").encode())
        return uid

    def foreign_tasks(self) -> object:
        return {uid: self.resource(uid) for uid in self._added}

    def text(self) -> str:
        shown = re.findall(r"(?m)^(?:SUMMARY|DESCRIPTION|CATEGORIES)[:;].*", "\n".join(map(_unfolded, self.texts())))
        return "\n".join(shown)

    def titles(self) -> list[str]:
        found = (title for text in self.texts() for title in re.findall(r"(?m)^SUMMARY:(.*?)\r?$", text))
        return sorted(title.replace("\\", "") for title in found)

    def texts(self) -> list[str]:
        return list(self.server.resources().values())


def _unfolded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n ", "")


CALDAV = Stand(
    CalDAVConnector,
    RadicaleServer,
    CalDAVAccount,
    {"list": LIST},
    token=PASSWORD,
    also={"CALDAV_USERNAME": USER},
)
