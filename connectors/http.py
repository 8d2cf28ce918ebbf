"""HTTP for all that speaks to a service: one session, whose requests are sent until they are answered."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from connectors.base import Requests
from connectors.retry import Clock, Retrier, TransientError, asked_to_wait, too_often, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

__all__ = ["Api", "Clock", "Service", "json_object"]

_TIMEOUT = (10.0, 30.0)  # seconds to connect, and to be answered: longer than services take before they give up
_MOST_HOPS = 5
_TOO_MANY = 429


def _is_429(response: requests.Response) -> bool:
    return response.status_code == _TOO_MANY


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is spoken to.

    name: for people. headers: sent with each request. limited: whether an answer says that there are too many requests,
    so that nothing was done. rest: seconds to wait then, where the answer does not say for how long.
    """

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    limited: Callable[[requests.Response], bool] = _is_429
    rest: float = 0.0


class _Bearer(requests.auth.AuthBase):
    """Sends the token; as an object of requests' own, so that no .netrc on this machine overrules it."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return request


class Api:
    """A service at an address, asked with one token. `requests` counts what is sent, `retrier` knows the time left."""

    def __init__(
        self, service: Service, url: str, token: SecretStr, budget: float, clock: Clock, timeout: float | None = None
    ) -> None:
        """`url` is where the service is, `budget` the seconds that a run may take, from now."""
        self.url = url.rstrip("/")
        self.requests = Requests()
        self.retrier = Retrier(service.name, budget, clock)
        self._service = service
        self._timeout = (timeout, timeout) if timeout else _TIMEOUT
        self._http = requests.Session()
        self._http.headers.update({"User-Agent": "backplan", **service.headers})
        self._http.auth = _Bearer(token)
        self._http.verify = os.environ.get("SSL_CERT_FILE") or True  # requests reads REQUESTS_CA_BUNDLE by itself

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        writes: bool | None = None,
        repeatable: bool = True,
    ) -> requests.Response:
        """Return the answer to a request: JSON, or an error of the service's own (4xx), which the caller explains.

        path: below the address of the service, or a whole address, such as a link to the next page.
        writes: how it is counted; all but GET count as writes by default.
        repeatable: it can be sent twice without harm. Else it is sent again only after it was refused.

        Raises UnknownOutcomeError for one that may have been carried out, BackplanError where it is never answered.
        """
        writing = method != "GET" if writes is None else writes
        return self.retrier.until_answered(
            lambda: self._once(method, self._address(path), params, body, writing), repeatable=repeatable
        )

    def _address(self, path: str) -> str:
        """Return a whole address. The token goes to this service alone, whatever host a link or a library names."""
        if not path.startswith(("https://", "http://")):
            return f"{self.url}{path}"
        here = urlsplit(self.url)
        return urlsplit(path)._replace(scheme=here.scheme, netloc=here.netloc).geturl()

    def _once(
        self, method: str, url: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None, writing: bool
    ) -> requests.Response:
        """Send a request, and again to where the service says that its object has moved."""
        for _ in range(_MOST_HOPS):
            if writing:
                self.requests.write += 1
            else:
                self.requests.read += 1
            timeout = self.retrier.at_most(self._timeout[0]), self.retrier.at_most(self._timeout[1])
            try:
                response = self._http.request(
                    method, url, params=params, json=body, timeout=timeout, allow_redirects=False
                )
            except requests.RequestException as error:
                host = urlsplit(url).netloc.rpartition("@")[2]
                raise unreachable(error, host) or TransientError(_reason(error)) from None
            where = response.headers.get("Location", "")
            if not response.is_redirect or urlsplit(where)[:2] != urlsplit(self.url)[:2]:
                break
            url, params = where, None
        self.retrier.hear(response.headers)
        return self._answered(response)

    def _answered(self, response: requests.Response) -> requests.Response:
        """Return an answer that can be worked with."""
        if self._service.limited(response):
            raise too_often(self._told_to_wait(response.headers))
        if response.status_code >= requests.codes.server_error:
            raise TransientError(f"it answers {response.status_code}", asked_to_wait(response.headers))
        empty = response.status_code == requests.codes.no_content and response.request.method == "DELETE"
        if response.is_redirect or (response.ok and not (empty or _is_json(response))):
            raise TransientError("something on the way answers in its place, or cuts its answers short")
        return response

    def _told_to_wait(self, headers: Mapping[str, str]) -> float:
        """Return for how many seconds the service wants to be left alone."""
        reset = headers.get("X-RateLimit-Reset", "")
        if seconds := asked_to_wait(headers):
            return seconds
        if headers.get("X-RateLimit-Remaining") != "0":
            return self._service.rest
        return max((float(reset) if reset.isdecimal() else 0.0) - self.retrier.now.timestamp(), 1.0)


def json_object(response: requests.Response) -> dict[str, Any]:
    """Return the object that an answer holds; an empty one where it holds none."""
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_json(response: requests.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return False
    return True


def _reason(error: requests.RequestException) -> str:
    """Return what went wrong on the way, without what requests repeats of the address."""
    late = isinstance(error, requests.Timeout)
    return "no answer in time" if late else f"the connection failed ({type(error).__name__})"
