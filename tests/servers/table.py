"""A stand-in for any service that keeps tasks as rows of JSON: routes, a login, and what services are unkind about.

A `Shape` says what one service answers; connections, faults and the log are `LoopbackServer`'s.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from connectors.http import Clock
from tests.servers.http import LoopbackServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today
TOKEN = "a-token-of-the-stand-in"  # noqa: S105  # of nobody


class RefusedError(Exception):
    """The service says no, with a status and its words."""

    def __init__(self, status: int, words: Any) -> None:
        super().__init__(status, words)
        self.status, self.words = status, words


@dataclass
class Table:
    """Rows by their numbers, and what the service is unkind about.

    token: what opens it. settles: after how many seconds a list shows what was made. forbidden: the routes that the
    token may not ask for. page: how many rows a list has that is not asked for more.
    """

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    now: datetime = EPOCH
    token: str = TOKEN
    settles: float = 0.0
    forbidden: set[str] = field(default_factory=set)
    page: int = 20
    most: int = 100
    made: int = 0

    def stamp(self) -> str:
        """Return the time, which moves on with each use."""
        self.now += timedelta(milliseconds=1)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def add(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Make a row; its number is not its id, and is never given again."""
        self.made += 1
        self.rows[self.made] = {"id": 1000 + self.made, "iid": self.made, **row, "created_at": self.stamp()}
        return self.rows[self.made]

    def listed(self) -> list[dict[str, Any]]:
        """Return the rows that a list shows by now."""
        if not self.settles:
            return list(self.rows.values())
        shown = self.now - timedelta(seconds=self.settles)
        return [row for row in self.rows.values() if datetime.fromisoformat(row["created_at"]) <= shown]

    def clock(self, ahead: timedelta = timedelta(0)) -> Clock:
        """Return a clock that makes nobody wait: to sleep moves the time on. That of the service may be ahead."""
        started = self.now

        def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        return Clock(lambda: self.now - ahead, lambda: (self.now - started).total_seconds(), sleep)


@dataclass(frozen=True)
class Shape:
    """One service. routes: "PUT /tasks/{number}" -> handler(table, request, body, parts); None is answered with 204.

    login: the token that a request carries. refusal: the body of an error.
    """

    routes: Mapping[str, Callable[[Table, Request, Any, dict[str, str]], Any]]
    login: Callable[[Request], str]
    refusal: Callable[[int, Any], Any]


class TableServer(LoopbackServer):
    """A service of some shape, on loopback."""

    def __init__(self, shape: Shape, table: Table | None = None) -> None:
        super().__init__()
        self.shape, self.table = shape, table or Table()
        self._routes = {
            re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route) + "$"): route for route in shape.routes
        }

    def now(self) -> datetime:
        return self.table.now

    def refusal(self, status: int, retry_after: int, words: Any = None) -> Response:
        headers = (("Retry-After", str(retry_after)),) if status == 429 and retry_after else ()
        return Response.json(self.shape.refusal(status, words), status, headers)

    def answer(self, request: Request) -> Response:
        with self._guard:
            try:
                return self._answer(request)
            except RefusedError as no:
                return self.refusal(no.status, 0, no.words)

    def _answer(self, request: Request) -> Response:
        if self.shape.login(request) != self.table.token:
            raise RefusedError(401, None)
        asked = f"{request.method} {request.path}"
        matches = ((pattern.match(asked), route) for pattern, route in self._routes.items())
        match, route = next((found for found in matches if found[0]), (None, ""))
        if match is None:
            raise RefusedError(404, None)
        if route in self.table.forbidden:
            raise RefusedError(403, None)
        parts = {name: unquote(text) for name, text in match.groupdict().items()}
        body = json.loads(request.body) if request.body else {}
        found = self.shape.routes[route](self.table, request, body, parts)
        if found is None:
            return Response(204)
        if isinstance(found, list):
            return self._page(request, found)
        return Response.json(found, 201 if request.method == "POST" else 200)

    def _page(self, request: Request, rows: Iterable[Any]) -> Response:
        """Return a page of a list, with a link to the next one."""
        rows, table = list(rows), self.table
        size = min(int(request.query.get("per_page", table.page)), table.most)
        number = int(request.query.get("page", 1))
        more = number * size < len(rows)
        link = f'<{self.url}{request.path}?{urlencode({**request.query, "page": number + 1})}>; rel="next"'
        return Response.json(rows[(number - 1) * size : number * size], headers=(("Link", link),) if more else ())
