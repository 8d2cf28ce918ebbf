"""A service's stand-in as the suites use it: its server, a person with the service, and connectors to it.

A new service gives a `Stand`, in `tests.connectors.stands`, and joins every suite with it.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from config.settings import Settings
from connectors.http import Api
from tests.connectors.contract import NAMESPACE
from tests.servers.table import EPOCH, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from connectors.base import Connector
    from connectors.service import ServiceConnector
    from tests.servers.http import LoopbackServer, Response
    from tests.servers.table import Table, TableServer


@dataclass(frozen=True)
class Stand:
    """What stands for a service.

    connector: its class; options, token, also: what is set for it, as a person sets it. person: somebody who uses it.
    """

    connector: type[ServiceConnector]
    server: Callable[[], Any]
    person: Callable[[Stand, Any], Any]
    options: Mapping[str, Any]
    token: str = TOKEN
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.connector.name

    def connect(
        self,
        server: Any,
        namespace: str = NAMESPACE,
        *,
        token: str = "",
        budget: float = 300,
        api: type[Api] = Api,
        ahead: timedelta = timedelta(0),
        **options: Any,
    ) -> ServiceConnector:
        """Return a connector as a process of its own has it; the clock of the service may be ahead."""
        service = self.connector.service.http

        def connect() -> Api:
            secret = SecretStr(token or self.token)
            said = Settings(service.credential, server.url, budget, secret, also=self.also)
            return api(service, server.url, service.login(said), budget, server.clock(ahead), 20)

        return self.connector(connect, namespace, self.connector.options.model_validate({**self.options, **options}))

    def environment(self, server: LoopbackServer) -> dict[str, str]:
        """Return the variables that somebody sets who uses the command."""
        credential = self.connector.credential
        return {credential.url_variable: server.url, credential.variable: self.token, **self.also}


class TablePerson:
    """Somebody who works with tasks of a `TableServer` in a browser. A subclass says how its rows are changed."""

    title: ClassVar[str]
    notes: ClassVar[str]
    due: ClassVar[str]
    number: ClassVar[str]  # what a row is named by; without it, an answer is of another shape
    garbles: frozenset[str] = frozenset()  # it takes no date that is none, and a task is open or done
    cancels = True
    left_out: frozenset[str] = frozenset()  # fields that the service leaves out where they are empty
    refuses_to_delete = False  # whether a token may lack that right

    def __init__(self, stand: Stand, server: TableServer) -> None:
        self.stand, self.server = stand, server
        self._added: list[str] = []

    @property
    def table(self) -> Table:
        return self.server.table

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return self.stand.connect(self.server, namespace, ahead=timedelta(self.clock))

    @property
    def clock(self) -> int:
        """By how many days the clock of the service is ahead; waiting takes no more than hours."""
        return round((self.table.now - EPOCH) / timedelta(days=1))

    @clock.setter
    def clock(self, days: int) -> None:
        self.table.now += timedelta(days - self.clock)

    def row(self, native_id: str) -> dict[str, Any]:
        return self.table.rows[native_id]

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        """The rows that a person sees, by their ids."""
        return {native_id: row for native_id, row in self.table.rows.items() if not row.get("deleted")}

    def memory(self) -> str:
        """Return the id of the task with the memory."""
        return next(one for one, row in self.shown.items() if row[self.title] == "backplan's memory, keep this")

    def damage_memory(self) -> None:
        row = self.row(self.memory())
        row[self.notes] = row[self.notes].replace('"goal"', '"gaol"')

    # What differs

    def tick(self, native_id: str) -> None:
        raise NotImplementedError

    def reopen(self, native_id: str) -> None:
        raise NotImplementedError

    def cancel(self, native_id: str) -> None:
        raise NotImplementedError

    def touch(self, native_id: str) -> None:
        self.table.notes.setdefault(native_id, []).append("Ask Ann first")

    def add(self, title: str, **fields: Any) -> str:
        """Add a task; return its id."""
        raise NotImplementedError

    def day(self, day: date | None) -> str | None:
        """Return a date as the service stores it."""
        return day.isoformat() if day else None

    # What does not

    def garble(self, native_id: str, what: str) -> None:
        raise NotImplementedError

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        raise NotImplementedError

    def delete(self, native_id: str) -> None:
        del self.table.rows[native_id]

    def set_due(self, native_id: str, day: date | None) -> None:
        self.row(native_id)[self.due] = self.day(day)

    def set_title(self, native_id: str, title: str) -> None:
        self.row(native_id)[self.title] = title

    def copy(self, native_id: str) -> object:
        row = self.row(native_id)
        return self.add(row[self.title], **{name: row[name] for name in self.copied if name in row})

    @property
    def copied(self) -> tuple[str, ...]:
        """The fields that a copy has, beside the title."""
        return self.notes, self.due

    def damage_marker(self, native_id: str) -> None:
        row = self.row(native_id)
        row[self.notes] = re.sub(r"bp1 (\S+) [^\n>]*?(?= -->|$)", r"bp1 \1 oops", row[self.notes])

    def add_foreign_task(self, title: str) -> object:
        self._added.append(self.add(title, **{self.notes: "Not for a program  \n<!-- a comment -->"}))
        return self._added[-1]

    def foreign_tasks(self) -> object:
        return {native_id: {**self.row(native_id)} for native_id in self._added}

    def titles(self) -> list[str]:
        return sorted(row[self.title] for row in self.shown.values())

    def text(self) -> str:
        rows = [f"{row[self.title]}\n{row.get(self.notes) or ''}" for row in self.shown.values()]
        return "\n".join([*rows, *(note for notes in self.table.notes.values() for note in notes)])

    @contextmanager
    def misshape(self) -> Iterator[str]:
        """Let tasks be listed of which the first lacks its number."""
        self.server.bend = lambda request, response: _without(self.number, response)
        yield f"is not as expected (`{self.number}` is missing)"
        self.server.bend = None


def _without(name: str, response: Response) -> Response:
    """Return a list without a field of its first row; any other answer as it is."""
    said = json.loads(response.body)
    rows = said if isinstance(said, list) else next((value for value in said.values() if isinstance(value, list)), [])
    for row in rows[:1]:
        row.pop(name, None)
    return replace(response, body=json.dumps(said).encode())
