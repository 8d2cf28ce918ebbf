"""Serves a site on the loopback interface, and builds it again when one of its source files changes."""

from __future__ import annotations

import time
import webbrowser
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import TYPE_CHECKING

from config.display import clean
from config.errors import BackplanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_EVERY = 0.5  # seconds between two looks at the files
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".ics": "text/calendar; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}
_CHANGES = "/changes/"
# It reloads an open page when there is a newer one. Without script, a reload shows the newest page, too.
_SCRIPT = f'new EventSource("{_CHANGES}%d").onmessage = () => location.reload()'
_MISTAKE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>backplan</title>
<body style="max-width: 50rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif">
<h1>The plan cannot be shown</h1>
{lines}
<p>This page reloads as soon as the file is correct.</p>
<script>{script}</script>
"""


class Site:
    """The newest files, and a number that changes with each build.

    `mistake` is a page with the error of the last build, or empty.

    build: takes a script for each page; returns the files by path, and their source files.
    """

    def __init__(self, build: Callable[[str], tuple[Mapping[str, bytes], Sequence[Path]]]) -> None:
        self._build = build
        self._lock = Lock()
        self.number = 0
        self.mistake = b""
        self.files, self._watched = build(_SCRIPT % self.number)
        self._seen = self._look()

    def refresh(self) -> None:
        """Build the files again if a source file has changed."""
        with self._lock:
            if (seen := self._look()) == self._seen:
                return
            self._seen, self.number = seen, self.number + 1
            script = _SCRIPT % self.number
            try:
                self.files, self._watched = self._build(script)
                self.mistake = b""
            except BackplanError as error:
                self.mistake = _mistake(error, script)
            self._seen = self._look()

    def _look(self) -> list[tuple[int, int] | None]:
        return [_state(path) for path in self._watched]


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _mistake(error: BackplanError, script: str) -> bytes:
    lines = "".join(f"<p>{escape(clean(line))}</p>" for line in str(error).splitlines())
    return _MISTAKE.format(lines=lines, script=script).encode()


def serve(site: Site, opened: Callable[[str], None], *, browser: bool) -> None:
    """Serve a site on a free port until Ctrl-C. opened: is called with the address. browser: open the browser."""

    class Handler(_Handler):
        pages = site

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        try:
            opened(url := f"http://127.0.0.1:{server.server_port}/")
            if browser:
                webbrowser.open(url)
            server.serve_forever()
        except KeyboardInterrupt:
            return


class _Handler(BaseHTTPRequestHandler):
    """Answers requests for the files of `pages`, and notifies open pages when there are newer ones."""

    pages: Site  # pyright: ignore[reportUninitializedInstanceVariable]  # a subclass has it
    server: ThreadingHTTPServer  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        """Answer with a file."""
        port = self.server.server_port
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            # A foreign page may have pointed its own host name to this machine to read the plan (DNS rebinding).
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"This is only for 127.0.0.1 and localhost.\n")
            return
        path = self.path.partition("?")[0]
        if path.startswith(_CHANGES):
            self._tell_of_changes(path.removeprefix(_CHANGES))
            return
        self.pages.refresh()
        name = path.removeprefix("/") or "index.html"
        if self.pages.mistake:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, _TYPES[".html"], self.pages.mistake)
        elif content := self.pages.files.get(name):
            self._answer(HTTPStatus.OK, _TYPES[f".{name.rpartition('.')[2]}"], content)
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"This page does not exist. The plan may have changed.\n")

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", "frame-ancestors 'none'"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _tell_of_changes(self, number: str) -> None:
        """Wait until there are files with another number, and notify the page."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        try:
            while number == str(self.pages.number):
                self.wfile.write(b":\n\n")  # fails when the browser is closed
                time.sleep(_EVERY)
                self.pages.refresh()
            self.wfile.write(b"data: changed\n\n")
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Print nothing: all requests come from the user."""
