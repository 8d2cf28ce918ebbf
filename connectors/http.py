"""HTTP as all networked connectors speak it: one place for retries, waiting, the time budget and counting.

What goes through here can be sent twice without harm: reads, and writes that carry ids by which the service knows them.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from config.errors import BackplanError
from connectors.base import Requests

if TYPE_CHECKING:
    from collections.abc import Callable

# Clients bring timeouts of their own; these hold for all. Longer than the services take before they give up themselves.
_TIMEOUT = {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 10.0}
_JITTER = wait_random_exponential(multiplier=0.5, max=30)
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, from outside, so that no test has to wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    passed: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class _TransientError(Exception):
    """It did not work, and may work in a moment: after `wait` seconds, where the service said so."""

    def __init__(self, what: str, wait: float = 0) -> None:
        super().__init__(what)
        self.wait = wait


class Transport(httpx.BaseTransport):
    """Sends requests to where the service is, again and again until one is answered or the time of the run is over.

    An answer is a JSON document, or an error of the service's own (4xx), which is for the caller to explain.
    """

    def __init__(self, service: str, url: str, budget: float, clock: Clock, timeout: float | None = None) -> None:
        """`service` is its name for people, `url` where it is, `budget` the seconds that a run may take."""
        self.requests = Requests()
        self._service = service
        self._url = httpx.URL(url)
        self._clock = clock
        self._end = clock.passed() + budget
        self._timeout = dict.fromkeys(_TIMEOUT, timeout) if timeout else _TIMEOUT
        self._client = httpx.Client()  # a client and no bare transport: it knows the proxies of this machine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request until it is answered. Raises BackplanError when it never is."""
        request.read()
        self._redirect(request)
        again = Retrying(
            retry=retry_if_exception_type(_TransientError),
            wait=self._wait,
            stop=self._is_over,
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            response: httpx.Response = again(self._once, request)
        except _TransientError as error:
            raise BackplanError(
                f"{self._service} cannot be reached: {error}. Run again later; what was done is kept"
            ) from None
        return response

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _redirect(self, request: httpx.Request) -> None:
        """Let a request go to where the service is, whatever address a client has written into it."""
        at = self._url
        request.url = request.url.copy_with(scheme=at.scheme, host=at.host, port=at.port)
        request.headers["Host"] = at.netloc.decode()
        request.extensions = {**request.extensions, "timeout": self._timeout}

    def _once(self, request: httpx.Request) -> httpx.Response:
        if request.extensions.get("writes"):
            self.requests.write += 1
        else:
            self.requests.read += 1
        try:
            response = self._client.send(request)
        except httpx.TransportError as error:
            raise _TransientError(_reason(error)) from None
        return self._answered(response)

    def _answered(self, response: httpx.Response) -> httpx.Response:
        """Return an answer that can be worked with."""
        if response.status_code == _TOO_MANY:
            seconds = _seconds(response)
            raise _TransientError(f"it is asked too often, and wants to be left alone for {seconds:.0f} s", seconds)
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _TransientError(f"it answers {response.status_code}", _seconds(response))
        if response.is_redirect or (response.is_success and not _is_json(response)):
            raise _TransientError("something on the way answers in its place, or cuts its answers short")
        # What was compressed is not any more.
        headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return httpx.Response(response.status_code, headers=headers, content=response.content)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(_JITTER(state), error.wait if isinstance(error, _TransientError) else 0)

    def _is_over(self, state: RetryCallState) -> bool:
        return self._clock.passed() + state.upcoming_sleep > self._end


def _reason(error: httpx.TransportError) -> str:
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else f"the connection failed ({error})"


def _seconds(response: httpx.Response) -> float:
    """Return how long the service wants us to wait."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0


def _is_json(response: httpx.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return False
    return True
