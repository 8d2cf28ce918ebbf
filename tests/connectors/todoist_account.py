"""Somebody with Todoist, and connectors to it with a clock that shows its time and waits for nothing."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from connectors.http import Api, Clock
from connectors.todoist.api import TODOIST, Client
from connectors.todoist.connector import Account, TodoistByStart, TodoistConnector
from tests.connectors import shapes
from tests.connectors.contract import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from connectors.base import Connector
    from tests.servers.todoist_server import TodoistServer


NOW = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today


def account(
    server: TodoistServer,
    budget: float = 60,
    api: type[Api] = Api,
    timeout: float = 20,
    ahead: timedelta = timedelta(0),
) -> Account:
    """Return the account of the server's owner, as a process of its own has it; the server's clock may be ahead."""
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds

    clock = Clock(lambda: server.service.now - ahead, lambda: waited[0], sleep)
    token = SecretStr(server.service.owner.token)
    return Account(lambda: Client(api(TODOIST, server.url, token, budget, clock, timeout)))


def connector(
    server: TodoistServer,
    namespace: str = NAMESPACE,
    project: str = "Goals",
    ahead: timedelta = timedelta(0),
    kind: type[TodoistConnector] = TodoistConnector,
    page: str = "",
) -> TodoistConnector:
    """Return a connector to the server's owner's account; the server's clock may be ahead. page: of the plan."""
    return kind(account(server, ahead=ahead), namespace, project, page=page)


class TodoistAccount:
    """Somebody with Todoist on their phone."""

    garbles: frozenset[str] = frozenset()  # it takes no date that is none, and a task is done or it is not
    cancels = False

    def __init__(self, server: TodoistServer) -> None:
        self.server = server
        self.todoist = server.service
        self._added: list[str] = []

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return connector(self.server, namespace, ahead=timedelta(self.clock))

    @property
    def clock(self) -> int:
        """By how many days the clock of the service is ahead."""
        return (self.todoist.now - NOW).days

    @clock.setter
    def clock(self, days: int) -> None:
        self.todoist.set_clock(NOW + timedelta(days))

    @contextmanager
    def misshape(self) -> Iterator[str]:
        """Let the account be told without its tasks."""
        shapes.bend(self.server, shapes.Bend(0, ("items",), retyped=False))
        yield "the account is not as expected (`items` is missing)"
        self.server.bend = None

    def tick(self, native_id: str) -> None:
        self.todoist.tick(native_id)

    def reopen(self, native_id: str) -> None:
        self.todoist.reopen(native_id)

    def delete(self, native_id: str) -> None:
        self.todoist.delete(native_id)

    def cancel(self, native_id: str) -> None:
        raise NotImplementedError

    def garble(self, native_id: str, what: str) -> None:
        raise NotImplementedError

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        raise NotImplementedError

    def set_due(self, native_id: str, day: date | None) -> None:
        self.todoist.set_due(native_id, day)

    def set_title(self, native_id: str, title: str) -> None:
        self.todoist.set_title(native_id, title)

    def touch(self, native_id: str) -> None:
        self.todoist.add_comment(native_id, "Ask Ann first")

    def move_away(self, native_id: str) -> None:
        self.todoist.move(native_id, project=self.todoist.owner.inbox_id)

    def copy(self, native_id: str) -> None:
        self.todoist.duplicate(native_id)

    def damage_marker(self, native_id: str) -> None:
        described = self.todoist.task(native_id)["description"]
        self.todoist.set_description(native_id, re.sub(r"bp1( |%20)(\w+)\1[^\n)]*", r"bp1\1\2\1oops", described))

    def add_foreign_task(self, title: str) -> None:
        project = next((t["project_id"] for t in self.todoist.tasks() if "bp" in t["description"]), None)
        self._added.append(self.todoist.add_task(title, project))

    def foreign_tasks(self) -> object:
        return {native_id: self.todoist.task(native_id) for native_id in self._added}

    def text(self) -> str:
        return self.todoist.text()


class TodoistByStartAccount(TodoistAccount):
    """The same with `dates: start`, where the last day of a step is its task's deadline."""

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return connector(self.server, namespace, ahead=timedelta(self.clock), kind=TodoistByStart)

    def set_due(self, native_id: str, day: date | None) -> None:
        task = self.todoist.task(native_id)
        if day is None or task["due"] is None or task["due"]["date"] == task["deadline"]["date"]:
            self.todoist.set_due(native_id, day)
        if day is not None:
            self.todoist.set_deadline(native_id, day)


class TodoistWithPageAccount(TodoistAccount):
    """The same where the plan has a page: markers are links to it."""

    page = "https://me.github.io/goals"

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return connector(self.server, namespace, ahead=timedelta(self.clock), page=self.page)
