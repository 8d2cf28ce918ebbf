"""What the CalDAV servers of the tests have in common: one user, one list, and a clock that makes nobody wait."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

from connectors.http import Clock
from tests.servers.http import LoopbackServer, Request, Response

EPOCH = datetime(2027, 7, 20, 9, tzinfo=UTC)  # the contract's today
USER, PASSWORD = "ann", "a password, for Ann"  # of nobody
DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_NAMES = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_MAKE = f"""<C:mkcalendar {_NAMES}><set><prop><displayname>%s</displayname><C:supported-calendar-component-set>\
%s</C:supported-calendar-component-set></prop></set></C:mkcalendar>"""
_NOTHING = f"<multistatus {_NAMES}/>".encode()


class DavServer(LoopbackServer):
    """A server with one user and one list of tasks. Its clock moves on where somebody waits."""

    list = "/ann/goals/"

    def __init__(self) -> None:
        super().__init__()
        self.time = EPOCH

    def asked(self, request: Request, authorization: str) -> Response:
        """Carry out a request of somebody who logs in like that."""
        raise NotImplementedError

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
            return self.asked(request, request.headers.get("authorization", ""))

    # What a test or a person asks, past the network

    def make_list(self, path: str, name: str, *components: str) -> None:
        """Make a list of tasks, or of other components."""
        parts = "".join(f'<C:comp name="{one}"/>' for one in components or ("VTODO",))
        self.ask("MKCALENDAR", path, (_MAKE % (name, parts)).encode())

    def resources(self) -> dict[str, str]:
        """Return the text of each task of the list, by its path."""
        body = f'<C:calendar-query {_NAMES}><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/>\
</C:filter></C:calendar-query>'
        root = ElementTree.fromstring(self.ask("REPORT", self.list, body.encode()).body)  # noqa: S314  # our own server's
        found = root.iter(f"{DAV}response")
        data = f"{CAL}calendar-data"
        return {urlsplit(one.findtext(f"{DAV}href", "")).path: next(one.iter(data)).text or "" for one in found}

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """Return an answer; it is none of the requests that are counted."""
        response = self.asked(Request(method, path, {}, {"depth": "1", **headers}, body), login())
        assert response.status < 400, (method, path, response)
        return response


def login() -> str:
    """Return what the user's app sends with each request."""
    return f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
