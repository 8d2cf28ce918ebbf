"""Radicale and Xandikos behind our loopback server, which counts their requests and lets them go wrong."""

from __future__ import annotations

import io
import sys
import tempfile
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from radicale import config
from radicale.app import Application
from xandikos import web
from xandikos.wsgi_helpers import WellknownRedirector

from connectors.http import Clock
from tests.servers.http import LoopbackServer, Request, Response

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today
USER, PASSWORD = "ann", "a password, for Ann"  # of nobody
LIST = "/ann/goals/"
_NAMES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_MAKE = f"""<C:mkcalendar {_NAMES}><set><prop><displayname>%s</displayname><C:supported-calendar-component-set>\
<C:comp name="%s"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>"""
_NOTHING = f"<multistatus {_NAMES}/>".encode()


class RadicaleServer(LoopbackServer):
    """A server with one user and one list of tasks, in a folder that goes with it.

    Its clock moves on where somebody waits.
    """

    list = LIST

    def __init__(self) -> None:
        super().__init__()
        self.time = EPOCH
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        self._application = self._served(folder)
        self.make_list(self.list, "Goals")

    def _served(self, folder: Path) -> Any:
        """Return what answers, as a WSGI application that keeps its tasks in a folder."""
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n", "utf-8")
        return Application(settings(folder))

    def stop(self) -> None:
        super().stop()
        self._folder.cleanup()

    def now(self) -> datetime:
        return self.time

    def clock(self, ahead: timedelta = timedelta(0)) -> Clock:
        """Return a clock that makes nobody wait: to sleep moves the time on. That of the service may be ahead."""
        started = self.time

        def sleep(seconds: float) -> None:
            self.time += timedelta(seconds=seconds)

        return Clock(lambda: self.time - ahead, lambda: (self.time - started).total_seconds(), sleep)

    def refusal(self, status: int, retry_after: int) -> Response:
        headers = (("Retry-After", str(retry_after)),) if status == 429 and retry_after else ()
        return Response(status, b"No", "text/plain", headers)

    def empty(self, request: Request, response: Response) -> Response:
        return replace(response, body=_NOTHING) if request.method == "REPORT" else response

    def answer(self, request: Request) -> Response:
        with self._guard:
            return self._asked(request, request.headers.get("authorization", ""))

    # What a test or a person asks, past the network

    def make_list(self, path: str, name: str, component: str = "VTODO") -> None:
        self.ask("MKCALENDAR", path, (_MAKE % (name, component)).encode())

    def resources(self) -> dict[str, str]:
        """Return the text of each task of the list, by its path."""
        body = f'<C:calendar-query {_NAMES}><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/>\
</C:filter></C:calendar-query>'
        root = ElementTree.fromstring(self.ask("REPORT", self.list, body.encode()).body)  # noqa: S314  # our own server's
        found = root.iter("{DAV:}response")
        data = "{urn:ietf:params:xml:ns:caldav}calendar-data"
        return {one.findtext("{DAV:}href", ""): next(one.iter(data)).text or "" for one in found}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Return an answer; it is none of the requests that are counted."""
        login = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        response = self._asked(Request(method, path, {}, {"depth": "1", **headers}, body), login)
        assert response.status < 400, (method, path, response)
        return response

    def _asked(self, request: Request, authorization: str) -> Response:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            told.extend([int(status.split()[0]), headers])

        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
        headers |= {"HTTP_AUTHORIZATION": authorization, "HTTP_ACCEPT_ENCODING": ""}
        environ = {
            **headers,
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path.encode().decode("latin-1"),
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": request.headers.get("content-type", "text/xml; charset=utf-8"),
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
        }
        body = b"".join(self._application(environ, start))
        status, headers_told = told
        kept = {name.lower(): value for name, value in headers_told}
        kind = kept.pop("content-type", "text/plain")
        for name in ("content-length", "date"):
            kept.pop(name, None)
        return Response(status, body, kind, tuple(kept.items()))


class XandikosServer(RadicaleServer):
    """Xandikos, which keeps its tasks in git, takes of a list what it was made for, and looks at no password."""

    list = "/ann/calendars/goals/"

    def _served(self, folder: Path) -> Any:
        backend = web.SingleUserFilesystemBackend(str(folder))
        backend.create_principal("/ann/", create_defaults=True)  # type: ignore[no-untyped-call]
        return WellknownRedirector(web.XandikosApp(backend, current_user_principal="/ann/"), "/")


def settings(folder: Path) -> config.Configuration:
    """Return what Radicale needs to keep its tasks in a folder."""
    loaded = config.load()
    loaded.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(folder / "users"),
                "htpasswd_encryption": "plain",
                "delay": "0",
            },
            "storage": {"filesystem_folder": str(folder / "collections"), "_filesystem_fsync": "False"},
            "logging": {"level": "critical"},
        },
        "the test",
        privileged=True,
    )
    return loaded
