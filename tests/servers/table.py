"""A stand-in for any service that keeps tasks as rows of JSON: routes, a login, and what services are unkind about.

A `Shape` says what one service answers; connections, faults and the log are `LoopbackServer`'s.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, unquote, urlencode

import jsonschema

from connectors.http import Clock
from tests.servers.http import LoopbackServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today
TOKEN = "a-token-of-the-stand-in"  # noqa: S105  # of nobody
FORM = "application/x-www-form-urlencoded"


class RefusedError(Exception):
    """The service says no, with a status and its words."""

    def __init__(self, status: int, words: Any = None) -> None:
        super().__init__(status, words)
        self.status, self.words = status, words


@dataclass
class Table:
    """Rows by their native ids, and what the service is unkind about.

    token: what opens it. settles: after how many seconds a list shows what was made. forbidden: the routes that the
    token may not ask for. page: how many rows a list has that is not asked for more; most: that it has at most. notes:
    what people and backplan wrote beside rows.
    """

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    now: datetime = EPOCH
    token: str = TOKEN
    settles: float = 0.0
    forbidden: set[str] = field(default_factory=set)
    page: int = 20
    most: int = 100
    made: dict[str, datetime] = field(default_factory=dict)

    def stamp(self) -> str:
        """Return the time, which moves on with each use."""
        self.now += timedelta(milliseconds=1)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def number(self) -> int:
        """The number of the next row: it is never given again."""
        return len(self.made) + 1

    def add(self, native_id: str, row: dict[str, Any]) -> dict[str, Any]:
        """Make a row."""
        self.rows[native_id], self.made[native_id] = row, self.now
        return row

    def row(self, native_id: str) -> dict[str, Any]:
        """Return a row, or refuse as the service does."""
        if native_id not in self.rows:
            raise RefusedError(404)
        return self.rows[native_id]

    def listed(self) -> list[dict[str, Any]]:
        """Return the rows that a list shows by now."""
        if not self.settles:
            return list(self.rows.values())
        shown = self.now - timedelta(seconds=self.settles)
        return [row for native_id, row in self.rows.items() if self.made[native_id] <= shown]

    def clock(self, ahead: timedelta = timedelta(0)) -> Clock:
        """Return a clock that makes nobody wait: to sleep moves the time on. That of the service may be ahead."""
        started = self.now

        def sleep(seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        return Clock(lambda: self.now - ahead, lambda: (self.now - started).total_seconds(), sleep)


@dataclass(frozen=True)
class Call:
    """What is asked of a route: the parts of its path, its query, and its body."""

    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Route:
    """What a route answers (None: 204, without a body), and the names of its query and the JSON Schema of its body."""

    answer: Callable[[Table, Call], Any]
    query: frozenset[str] = frozenset()
    body: Mapping[str, Any] | None = None

    @cached_property
    def judge(self) -> jsonschema.Draft202012Validator:
        """What checks a body. To make one takes longer than to use it."""
        return jsonschema.Draft202012Validator(self.body or {})


class Pages(Protocol):
    """How a list is sent page by page."""

    @property
    def names(self) -> frozenset[str]:
        """Those of the query that ask for a page."""

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response: ...


class ByLink:
    """A list, and the address of the next page in the header `Link`: GitLab, GitHub."""

    names = frozenset({"page", "per_page"})

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response:
        size = min(int(request.query.get("per_page", table.page)), table.most)
        number = int(request.query.get("page", 1))
        link = f'<{url}{request.path}?{urlencode({**request.query, "page": number + 1})}>; rel="next"'
        more = number * size < len(rows)
        return Response.json(rows[(number - 1) * size : number * size], headers=(("Link", link),) if more else ())


@dataclass(frozen=True)
class ByToken:
    """An object with the rows, which are left out where there are none, and a word that asks for what follows."""

    items: str
    tells: str
    asks: str
    size: str
    in_body: bool = False

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.asks, self.size})

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response:
        asked = json.loads(request.body) if self.in_body else request.query
        size, first = min(int(asked.get(self.size, table.page)), table.most), int(asked.get(self.asks, "at-0")[3:])
        more = {self.tells: f"at-{first + size}"} if first + size < len(rows) else {}
        return Response.json(more | ({self.items: rows[first : first + size]} if rows else {}))


@dataclass(frozen=True)
class ByNextUrl:
    """An object with the rows, and in it the address of the next page: at `tells`, one name below the other."""

    items: str
    tells: tuple[str, ...]
    size: str
    names: frozenset[str] = frozenset({"$skip", "$top", "offset", "limit"})

    def page(self, rows: Sequence[Any], request: Request, table: Table, url: str) -> Response:
        size, first = min(int(request.query.get(self.size, table.page)), table.most), int(request.query.get("$skip", 0))
        more: Any = f"{url}{request.path}?{urlencode({**request.query, '$skip': first + size})}"
        for name in reversed(self.tells):
            more = {name: more}
        return Response.json({self.items: rows[first : first + size]} | (more if first + size < len(rows) else {}))


@dataclass(frozen=True)
class Shape:
    """One service. routes: what it answers, by "PUT /tasks/{number}". login: the token that a request carries.

    refusal: the body of an error. pages: how it tells lists. open: routes that need no login.
    """

    routes: Mapping[str, Route]
    login: Callable[[Request], str]
    refusal: Callable[[int, Any], Any]
    pages: Pages = field(default_factory=ByLink)
    open: frozenset[str] = frozenset()


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

    def clock(self, ahead: timedelta = timedelta(0)) -> Clock:
        return self.table.clock(ahead)

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
        asked = f"{request.method} {request.path}"
        matches = ((pattern.match(asked), route) for pattern, route in self._routes.items())
        match, route = next((found for found in matches if found[0]), (None, ""))
        if route not in self.shape.open and self.shape.login(request) != self.table.token:
            raise RefusedError(401)
        if match is None:
            raise RefusedError(404)
        if route in self.table.forbidden:
            raise RefusedError(403)
        taken = self.shape.routes[route]
        parts = {name: unquote(text) for name, text in match.groupdict().items()}
        found = taken.answer(self.table, Call(parts, request.query, self._body(request, taken)))
        if isinstance(found, list):
            return self.shape.pages.page(found, request, self.table, self.url)
        if found is None:
            return Response(204)
        return Response.json(found, 201 if request.method == "POST" else 200)

    def _body(self, request: Request, route: Route) -> Any:
        """Return the body of a request. One that its service would not take fails the test: nobody may send it."""
        unknown = request.query.keys() - route.query - self.shape.pages.names
        assert not unknown, (request.path, unknown)
        if request.headers.get("content-type", "").startswith(FORM):
            return dict(parse_qsl(request.body.decode()))
        body = json.loads(request.body) if request.body else None
        if route.body is not None:
            route.judge.validate(body)
        else:
            assert body is None, (request.path, body)
        return body
