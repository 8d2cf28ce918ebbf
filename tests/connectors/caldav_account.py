"""Somebody with an app for tasks on CalDAV, and connectors to it with a clock that moves on where it waits."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from connectors.caldav.connector import CalDAVConnector
from tests.connectors.contract import NAMESPACE
from tests.connectors.stand import Stand
from tests.servers.caldav import CYRUS, NEXTCLOUD, SABRE, CalDAVServer
from tests.servers.dav import EPOCH, PASSWORD, USER, DavServer
from tests.servers.radicale import RadicaleServer, XandikosServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connectors.base import Connector
    from tests.servers.http import Request, Response


class CalDAVAccount:
    """Somebody who works with tasks in an app, which writes the properties that apps write."""

    garbles = frozenset({"date", "state"})
    cancels = True
    component = "VTODO"

    def __init__(self, stand: Stand, server: DavServer) -> None:
        self.stand, self.server = stand, server
        self._added: list[str] = []
        self._garbled: dict[str, tuple[bytes, bytes]] = {}  # what is bent in an answer, by ids

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

    def titles(self) -> list[str]:
        """Return the titles of all tasks, in order."""
        found = (title for text in self.texts() for title in re.findall(r"(?m)^SUMMARY:(.*?)\r?$", text))
        return sorted(title.replace("\\", "") for title in found)

    def damage_memory(self) -> None:
        self.edit(self.memory(), lambda text: text.replace("%22goal%22", "%22gaol%22"))

    def memory(self) -> str:
        """Return the id of the task with the memory."""
        (found,) = (text for text in map(_unfolded, self.texts()) if "X-BACKPLAN:bpm1" in text)
        return found.partition("\nUID:")[2].partition("\n")[0]

    def edit(self, native_id: str, change: Callable[[str], str]) -> None:
        self._garbled.pop(native_id, None)
        path, text = self.resource(native_id)
        self.server.ask("PUT", path, change(text).replace("\n", "\r\n").encode())

    def set_lines(self, native_id: str, **lines: str | None) -> None:
        """Set properties of a task by whole lines: those that are None go."""

        def change(text: str) -> str:
            for name, line in lines.items():
                text = re.sub(rf"(?m)^{name.replace('_', '-')}[:;].*\n", "", text)
                text = text.replace(f"END:{self.component}\n", f"{line}\nEND:{self.component}\n") if line else text
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
        """Let the server say what Radicale itself takes from nobody, and others do."""
        lines = {"date": (rb"DUE[^\r\n]*", b"DUE:next friday"), "state": (rb"STATUS[^\r\n]*", b"STATUS:MAYBE")}
        self._garbled[native_id] = lines[what]
        self.server.bend = self._bent

    def _bent(self, request: Request, response: Response) -> Response:
        parts = response.body.split(b"BEGIN:VCALENDAR")
        for uid, (old, new) in self._garbled.items():
            parts = [re.sub(old, new, part) if f"UID:{uid}".encode() in part else part for part in parts]
        return replace(response, body=b"BEGIN:VCALENDAR".join(parts))

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        return (
            self.resource(native_id)[0],
            "next friday" if what == "date" else "STATUS `MAYBE` is none of",
            "mend it in your app",
        )

    def set_due(self, native_id: str, day: date | None) -> None:
        """Set the due date as apps do: a task that would start later starts on that day."""
        start = re.search(r"\nDTSTART;VALUE=DATE:(\d{8})", self.resource(native_id)[1])
        later = day is not None and start is not None and start[1] > f"{day:%Y%m%d}"
        lines = {"DTSTART": f"DTSTART;VALUE=DATE:{day:%Y%m%d}"} if later else {}
        self.set_lines(native_id, DUE=f"DUE;VALUE=DATE:{day:%Y%m%d}" if day else None, **lines)

    def set_title(self, native_id: str, title: str) -> None:
        escaped = re.sub(r"([\\;,])", r"\\\1", title)
        self.set_lines(native_id, SUMMARY=f"SUMMARY:{escaped}")

    def touch(self, native_id: str) -> None:
        self.add("Ask Ann first", f"RELATED-TO;RELTYPE=PARENT:{native_id}")

    def copy(self, native_id: str) -> object:
        text, uid = self.resource(native_id)[1], str(uuid4())
        created = f"\nCREATED:{datetime(2027, 8, 1, tzinfo=UTC):%Y%m%dT%H%M%SZ}\n"
        text = re.sub(r"\nCREATED:.*\n", created, text.replace(f"\nUID:{native_id}\n", f"\nUID:{uid}\n"))
        return self.server.ask("PUT", f"{self.server.list}{uid}.ics", text.replace("\n", "\r\n").encode())

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
                *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//An app", f"BEGIN:{self.component}", f"UID:{uid}"),
                *("DTSTAMP:20270701T060000Z", f"SUMMARY:{title}", *lines),
                *(() if self.component == "VTODO" else ("DTSTART:20270801T060000Z",)),
                *(f"END:{self.component}", "END:VCALENDAR", ""),
            ]
        )
        self.server.ask("PUT", f"{self.server.list}{uid}.ics", text.replace("\n", "\r\n").encode())
        return uid

    def foreign_tasks(self) -> object:
        return {uid: self.resource(uid) for uid in self._added}

    def text(self) -> str:
        shown = re.findall(r"(?m)^(?:SUMMARY|DESCRIPTION|CATEGORIES)[:;].*", "\n".join(map(_unfolded, self.texts())))
        return "\n".join(shown)

    def texts(self) -> list[str]:
        return list(self.server.resources().values())


class CalDAVEvents(CalDAVAccount):
    """Somebody who works with a calendar, which has events alone."""

    component = "VEVENT"

    def __init__(self, stand: Stand, server: DavServer) -> None:
        super().__init__(stand, server)
        server.ask("DELETE", server.list)
        server.make_list(server.list, "Goals", "VEVENT")

    def tick(self, native_id: str) -> None:
        self._retitle(native_id, "✓ ")

    def reopen(self, native_id: str) -> None:
        self._retitle(native_id, "")
        self.set_lines(native_id, STATUS=None)

    def _retitle(self, native_id: str, tick: str) -> None:
        self.edit(native_id, lambda text: re.sub(r"(?m)^SUMMARY:(?:✓ )?", f"SUMMARY:{tick}", text))

    def cancel(self, native_id: str) -> None:
        self.set_lines(native_id, STATUS="STATUS:CANCELLED")

    def garble(self, native_id: str, what: str) -> None:
        if what == "state":
            self.set_lines(native_id, STATUS="STATUS:CONFIRMED")
        super().garble(native_id, what)
        if what == "date":
            self._garbled[native_id] = (rb"DTEND[^\r\n]*", b"DTEND:next friday")

    def set_due(self, native_id: str, day: date | None) -> None:
        """Drag an event to another last day, as long as it is."""
        if day is None:
            pytest.skip("CalDAVEvents: no event without a day")
        text = self.resource(native_id)[1]
        first, after = (
            datetime.strptime(found, "%Y%m%d").replace(tzinfo=UTC).date()
            for found in re.findall(r"\nDT(?:START|END);VALUE=DATE:(\d{8})", text)
        )
        new = (day + timedelta(days=1) - (after - first), day + timedelta(days=1))
        lines = (f"{name};VALUE=DATE:{one:%Y%m%d}" for name, one in zip(("DTSTART", "DTEND"), new, strict=True))
        self.set_lines(native_id, **dict(zip(("DTSTART", "DTEND"), lines, strict=True)))


def _unfolded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n ", "")


CALDAV = Stand(
    CalDAVConnector,
    RadicaleServer,
    CalDAVAccount,
    {"list": RadicaleServer.list},
    token=PASSWORD,
    also={"CALDAV_USERNAME": USER},
)
CALDAV_AS_EVENTS = replace(CALDAV, person=CalDAVEvents, options={**CALDAV.options, "as": "events"})
ON_XANDIKOS = replace(CALDAV, server=XandikosServer, options={"list": XandikosServer.list})
AS_EVENTS_ON_XANDIKOS = replace(ON_XANDIKOS, person=CalDAVEvents, options={**ON_XANDIKOS.options, "as": "events"})
ON_SABRE, ON_NEXTCLOUD, ON_CYRUS = (
    replace(CALDAV, server=partial(CalDAVServer, habits)) for habits in (SABRE, NEXTCLOUD, CYRUS)
)
