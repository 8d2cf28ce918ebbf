"""A small HTTP/1.1 server on loopback for the fakes, with a fault on demand between any two requests.

A fake subclasses `LoopbackServer` and says what it answers; connections, faults and the log are done here.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

HTML = "text/html; charset=utf-8"
_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
_LONGEST_WAIT = 60.0


class Fault(Enum):
    """What goes wrong with one request."""

    NOT_SENT = "the connection closes before the request is looked at"
    LOST = "applied, then the connection closes without an answer"
    SERVER_ERROR = "500 in the service's own shape, not applied"
    BAD_GATEWAY = "502 with a page of HTML, not applied"
    BAD_GATEWAY_APPLIED = "applied, then 502 with a page of HTML"
    RATE_LIMITED = "429 with the seconds to wait, not applied"
    UNAUTHORIZED = "401 in the service's own shape, not applied"
    HALF = "applied, then the connection closes after half of the body that was announced"
    TRUNCATED = "applied, then a well-formed answer whose JSON stops half way"
    HTML_200 = "a page of HTML with status 200, not applied"
    PARTIAL = "the first half of a batch is applied, then the connection closes; of anything else nothing is"
    EMPTY_200 = "applied, and every list of the answer is empty"
    TIMEOUT = "applied, but there is no answer until the client gives up"


class Sent(Enum):
    """How much of an answer goes out."""

    WHOLE = auto()
    HALF = auto()
    NOTHING = auto()
    WAIT = auto()


@dataclass(frozen=True)
class Request:
    """One request, read whole. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One answer. `commands` is how many commands of a batch were looked at."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    commands: int = 0
    sent: Sent = Sent.WHOLE

    @classmethod
    def json(cls, value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        return cls(status, json.dumps(value, ensure_ascii=False).encode(), headers=headers)


@dataclass(frozen=True)
class Logged:
    """What is kept of a request: no header, no body. `status` is None where nothing was answered."""

    method: str
    path: str
    status: int | None
    commands: int
    fault: Fault | None = None


class Faults:
    """Which requests go wrong, and how."""

    def __init__(self) -> None:
        self.retry_after = 1
        self._seen = 0
        self._planned: dict[int, Fault] = {}
        self._judge: Callable[[int, str, str], Fault | None] | None = None

    def at(self, index: int, fault: Fault, count: int = 1) -> None:
        """Let `count` requests go wrong, after the next `index` ones."""
        self._planned.update(dict.fromkeys(range(self._seen + index, self._seen + index + count), fault))

    def judge(self, judge: Callable[[int, str, str], Fault | None]) -> None:
        """Ask `judge(index, method, path)` about every request that has no fault planned; it counts from now."""
        start = self._seen
        self._judge = lambda index, method, path: judge(index - start, method, path)

    def clear(self) -> None:
        """Let everything work again."""
        self._planned, self._judge = {}, None

    def next(self, method: str, path: str) -> Fault | None:
        """Count one request and return what goes wrong with it."""
        index, self._seen = self._seen, self._seen + 1
        if index in self._planned:
            return self._planned.pop(index)
        return self._judge(index, method, path) if self._judge else None


class LoopbackServer:
    """A fake service on a free port of 127.0.0.1, as a context manager. `bend` makes another answer of each."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.log: list[Logged] = []
        self.crashes: list[BaseException] = []
        self.bend: Callable[[Request, Response], Response] | None = None
        self._guard = threading.Lock()
        self._http: _Listener | None = None
        self._thread: threading.Thread | None = None

    # What a fake says

    def answer(self, request: Request) -> Response:
        """Carry out a request and return its answer."""
        raise NotImplementedError

    def refusal(self, status: int, retry_after: int) -> Response:
        """Return the service's own error of that status, for the faults."""
        raise NotImplementedError

    def now(self) -> datetime | None:
        """Return what the clock of the service says; None for that of this machine."""
        return None

    def empty(self, request: Request, response: Response) -> Response:
        """Return an answer whose lists are empty."""
        if not response.body:  # what was deleted has nothing to tell
            return response
        return replace(response, body=json.dumps(_emptied(json.loads(response.body))).encode())

    def first_half(self, request: Request) -> Request | None:
        """Return a batch cut to its first half; None where the request is no batch."""
        return None

    # What a test uses

    @property
    def url(self) -> str:
        assert self._http is not None, "the server is not started"
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def commands(self) -> int:
        """How many commands of batches were looked at."""
        return sum(entry.commands for entry in self.log)

    def count(self, method: str | None = None, path: str = "") -> int:
        """Return how many requests there were, of a method, or whose path ends with `path`."""
        return sum(method in (None, entry.method) and entry.path.endswith(path) for entry in self.log)

    def start(self) -> Self:
        self._http = _Listener(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        if self._http is None or self._thread is None:
            return
        self._http.shutdown()
        self._thread.join()
        self._http.hang_up()
        self._http.server_close()
        self._http = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        if self.crashes and error is None:
            raise AssertionError("the fake itself failed") from self.crashes[0]

    # One request

    def respond(self, request: Request) -> Response:
        """Answer a request, or let it go wrong as planned, and log it."""
        with self._guard:
            fault = self.faults.next(request.method, request.path)
        response = _FAULTY[fault](self, request) if fault else self.carry_out(request)
        response = self.bend(request, response) if self.bend else response
        status = response.status if response.sent in (Sent.WHOLE, Sent.HALF) else None
        with self._guard:
            self.log.append(Logged(request.method, request.path, status, response.commands, fault))
        return response

    def carry_out(self, request: Request) -> Response:
        """Answer a request; what breaks in here is the fake's own fault and fails the test at the end."""
        try:
            return self.answer(request)
        except Exception as error:  # noqa: BLE001, RUF100  # whatever it is
            self.crashes.append(error)
            return self.refusal(500, 0)


# What each fault answers


def _page(status: int, words: bytes) -> Response:
    return Response(status, _PAGE % (words, words), HTML)


def _partial(server: LoopbackServer, request: Request) -> Response:
    half = server.first_half(request)
    response = server.carry_out(half) if half else Response(0)
    return replace(response, sent=Sent.NOTHING)


def _truncated(server: LoopbackServer, request: Request) -> Response:
    response = server.carry_out(request)
    return replace(response, body=response.body[: len(response.body) // 2])


def _emptied(value: Any) -> Any:
    """Return an answer with its lists empty; one object, which has an id, stays as it is."""
    if isinstance(value, list):
        return []
    if not isinstance(value, dict) or "id" in value:
        return value
    return {key: [] if isinstance(v, list) else None if key == "next_cursor" else v for key, v in value.items()}


_FAULTY: dict[Fault, Callable[[LoopbackServer, Request], Response]] = {
    Fault.NOT_SENT: lambda server, request: Response(0, sent=Sent.NOTHING),
    Fault.LOST: lambda server, request: replace(server.carry_out(request), sent=Sent.NOTHING),
    Fault.SERVER_ERROR: lambda server, request: server.refusal(500, 0),
    Fault.BAD_GATEWAY: lambda server, request: _page(502, b"502 Bad Gateway"),
    Fault.BAD_GATEWAY_APPLIED: lambda server, request: replace(
        _page(502, b"502 Bad Gateway"), commands=server.carry_out(request).commands
    ),
    Fault.RATE_LIMITED: lambda server, request: server.refusal(429, server.faults.retry_after),
    Fault.UNAUTHORIZED: lambda server, request: server.refusal(401, 3),
    Fault.HALF: lambda server, request: replace(server.carry_out(request), sent=Sent.HALF),
    Fault.TRUNCATED: _truncated,
    Fault.HTML_200: lambda server, request: _page(200, b"Please log in to this network"),
    Fault.PARTIAL: _partial,
    Fault.EMPTY_200: lambda server, request: server.empty(request, server.carry_out(request)),
    Fault.TIMEOUT: lambda server, request: replace(server.carry_out(request), sent=Sent.WAIT),
}


# The sockets


class _Listener(ThreadingHTTPServer):
    """Accepts connections, and knows the open ones, so that it can close them."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, fake: LoopbackServer) -> None:
        self.fake = fake
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that go away: they are part of the tests."""
        error = sys.exc_info()[1]
        if error and not isinstance(error, (ConnectionError, TimeoutError)):
            self.fake.crashes.append(error)


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and writes the answers."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer goes out in one piece

    def serve(self) -> None:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        self._send(self.server.fake.respond(Request(self.command, url.path, query, headers, body)))

    # The base class looks for these names.
    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_MKCALENDAR = do_PROPFIND = do_REPORT = serve  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what the header `Date` tells."""
        now = self.server.fake.now() if timestamp is None else None
        return format_datetime(now, usegmt=True) if now else super().date_time_string(timestamp)

    def _send(self, response: Response) -> None:
        if response.sent in (Sent.NOTHING, Sent.WAIT):
            self.close_connection = True
            if response.sent is Sent.WAIT:
                self._wait()
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.close_connection |= response.sent is Sent.HALF
        half = len(response.body) // 2
        self.wfile.write(response.body[:half] if response.sent is Sent.HALF else response.body)

    def _wait(self) -> None:
        """Wait until the client hangs up, or the server does."""
        self.connection.settimeout(_LONGEST_WAIT)
        try:
            self.connection.recv(1)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
        """Say nothing: the log is the server's."""
