"""Somebody with GitLab, and connectors to it with a clock that shows its time and moves it on where it waits."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from connectors.gitlab import GITLAB, GitLabConnector, GitLabOptions
from connectors.http import Api
from tests.connectors import shapes
from tests.connectors.contract import NAMESPACE
from tests.servers import gitlab
from tests.servers.table import EPOCH, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from connectors.base import Connector
    from tests.servers.table import TableServer


def connector(
    server: TableServer,
    namespace: str = NAMESPACE,
    *,
    token: str = TOKEN,
    project: str = gitlab.PROJECT,
    budget: float = 300,
    api: type[Api] = Api,
    ahead: timedelta = timedelta(0),
) -> GitLabConnector:
    """Return a connector as a process of its own has it; the clock of the service may be ahead."""

    def connect() -> Api:
        return api(GITLAB, server.url, SecretStr(token), budget, server.table.clock(ahead), 20)

    return GitLabConnector(connect, namespace, GitLabOptions(project=project))


class GitLabAccount:
    """Somebody who works with issues in a browser."""

    garbles: frozenset[str] = frozenset()  # it takes no date that is none, and an issue is open or closed
    cancels = True  # by moving it to another project

    def __init__(self, server: TableServer) -> None:
        self.server, self.table = server, server.table
        self._added: list[int] = []

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return connector(self.server, namespace, ahead=timedelta(self.clock))

    @property
    def clock(self) -> int:
        """By how many days the clock of the service is ahead; waiting takes no more than hours."""
        return round((self.table.now - EPOCH) / timedelta(days=1))

    @clock.setter
    def clock(self, days: int) -> None:
        self.table.now += timedelta(days - self.clock)

    @contextmanager
    def misshape(self) -> Iterator[str]:
        """Let issues be listed of which the first lacks its number."""
        shapes.bend(self.server, shapes.Bend(1, (0, "iid"), retyped=False))
        yield "the issues is not as expected (`iid` is missing)"
        self.server.bend = None

    def issue(self, native_id: str) -> dict[str, Any]:
        return self.table.rows[int(native_id)]

    def tick(self, native_id: str) -> None:
        gitlab.reopen(self.issue(native_id))
        gitlab.close(self.table, self.issue(native_id))

    def reopen(self, native_id: str) -> None:
        gitlab.reopen(self.issue(native_id))

    def cancel(self, native_id: str) -> None:
        gitlab.close(self.table, self.issue(native_id))
        self.issue(native_id)["moved_to_id"] = 4711

    def delete(self, native_id: str) -> None:
        del self.table.rows[int(native_id)]

    def garble(self, native_id: str, what: str) -> None:
        raise NotImplementedError

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        raise NotImplementedError

    def set_due(self, native_id: str, day: date | None) -> None:
        self.issue(native_id)["due_date"] = day.isoformat() if day else None

    def set_title(self, native_id: str, title: str) -> None:
        self.issue(native_id)["title"] = title

    def touch(self, native_id: str) -> None:
        gitlab.comment(self.issue(native_id), "Ask Ann first")

    def copy(self, native_id: str) -> object:
        one = self.issue(native_id)
        same = {name: one[name] for name in ("description", "due_date", "labels", "assignees")}
        return gitlab.add(self.table, one["title"], **same)

    def damage_marker(self, native_id: str) -> None:
        one = self.issue(native_id)
        one["description"] = re.sub(r"<!-- bp1 (\S+) .* -->", r"<!-- bp1 \1 oops -->", one["description"])

    def add_foreign_task(self, title: str) -> object:
        one = gitlab.add(self.table, title, description="Not for a program  \n<!-- a comment -->")
        self._added.append(one["iid"])
        return one

    def foreign_tasks(self) -> object:
        return {number: {**self.table.rows[number]} for number in self._added}

    def text(self) -> str:
        rows = self.table.rows.values()
        return "\n".join("\n".join([row["title"], row["description"] or "", *row["notes"]]) for row in rows)
