"""Radicale and Xandikos behind our loopback server, which counts their requests and lets them go wrong."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from radicale import config
from radicale.app import Application
from xandikos import web
from xandikos.wsgi_helpers import WellknownRedirector

from tests.servers.dav import PASSWORD, USER, DavServer
from tests.servers.http import Request, Response

LIST = DavServer.list
# Servers wait for the disk after each write.
_IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of its own in it


class RadicaleServer(DavServer):
    """Radicale, in a folder that goes with it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=_IN_MEMORY)
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

    def asked(self, request: Request, authorization: str) -> Response:
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
