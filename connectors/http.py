"""HTTP by httpx, as the clients that services offer speak it: where to send, how long to wait, and counting.

What goes through here can be sent twice without harm: reads, and writes that carry ids by which the service knows them.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import httpx

from connectors.base import Requests
from connectors.retry import Clock, Retrier, TransientError, asked_to_wait, too_often, unreachable

if TYPE_CHECKING:
    from datetime import datetime
    from ssl import SSLContext

__all__ = ["Clock", "Transport"]

# Clients bring timeouts of their own; these hold for all. Longer than the services take before they give up themselves.
_TIMEOUT = {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 10.0}
_TOO_MANY = 429


class Transport(httpx.BaseTransport):
    """Sends requests to where the service is, again and again until one is answered or the time of the run is over.

    An answer is a JSON document, or an error of the service's own (4xx), which is for the caller to explain.
    """

    def __init__(self, service: str, url: str, budget: float, clock: Clock, timeout: float | None = None) -> None:
        """`service` is its name for people, `url` where it is, `budget` the seconds that a run may take."""
        self.requests = Requests()
        self._url = httpx.URL(url)
        self._patience = Retrier(service, budget, clock)
        self._timeout = dict.fromkeys(_TIMEOUT, timeout) if timeout else _TIMEOUT
        # A client and no bare transport: it knows the proxies of this machine.
        self._client = httpx.Client(verify=_certificates())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until it is answered. Raises BackplanError when it never is."""
        request.read()
        self._redirect(request)
        return self._patience.until_answered(lambda: self._once(request))

    @property
    def now(self) -> datetime:
        """The time by the service's clock."""
        return self._patience.now

    @property
    def latest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is ahead."""
        return self._patience.latest

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _redirect(self, request: httpx.Request) -> None:
        """Let a request go to where the service is, whatever address a client has written into it."""
        at = self._url
        request.url = request.url.copy_with(scheme=at.scheme, host=at.host, port=at.port)
        request.headers["Host"] = at.netloc.decode()

    def _once(self, request: httpx.Request) -> httpx.Response:
        if request.extensions.get("writes"):
            self.requests.write += 1
        else:
            self.requests.read += 1
        timeout = {name: self._patience.at_most(seconds) for name, seconds in self._timeout.items()}
        request.extensions = {**request.extensions, "timeout": timeout}
        try:
            response = self._client.send(request)
        except httpx.TransportError as error:
            raise unreachable(error, request.url.netloc.decode()) or TransientError(_reason(error)) from None
        self._patience.hear(response.headers)
        return self._answered(response)

    def _answered(self, response: httpx.Response) -> httpx.Response:
        """Return an answer that can be worked with."""
        wait = asked_to_wait(response.headers)
        if response.status_code == _TOO_MANY:
            raise too_often(wait)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransientError(f"it answers {response.status_code}", wait)
        if response.is_redirect or (response.is_success and not _is_json(response)):
            raise TransientError("something on the way answers in its place, or cuts its answers short")
        # What was compressed is not any more.
        headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return httpx.Response(response.status_code, headers=headers, content=response.content)


@cache
def _certificates() -> SSLContext:
    """Return what tells who answers; to read all authorities' certificates takes longer than most requests do."""
    return httpx.create_ssl_context()


def _reason(error: httpx.TransportError) -> str:
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else f"the connection failed ({error})"


def _is_json(response: httpx.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return False
    return True
