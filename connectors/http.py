"""HTTP for all services: one session, which retries requests until they are answered."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from config.errors import BackplanError, CredentialsError, MissingError
from connectors.base import Requests
from connectors.oauth import Refreshed
from connectors.retry import Clock, Retrier, TransientError, rate_limited, retry_after, unreachable
from connectors.shapes import json_object, unknown_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from config.settings import Credential, Environment, Settings

__all__ = ["Api", "Clock", "Rate", "Service", "connect", "json_object"]

_TIMEOUT = (10.0, 30.0)  # seconds to connect, and to read: longer than the time limits of services
_MOST_HOPS = 5
_TOO_MANY = 429


def _is_429(response: requests.Response) -> bool:
    return response.status_code == _TOO_MANY


def _is_json(response: requests.Response) -> bool:
    try:
        json.loads(response.content)
    except ValueError:
        return False
    return True


def _words(response: requests.Response) -> str:
    """Return the message of an error, under one of its usual names; empty if there is none."""
    error = json_object(response)
    found = [error.get(name) for name in ("error_description", "message", "error")]
    words = (value.get("message") if isinstance(value, dict) and "message" in value else value for value in found)
    return next((str(text) for text in words if text), "")


@dataclass(frozen=True, slots=True)
class Rate:
    """The number of requests that a service accepts in a number of seconds. writes: only writes count."""

    count: int
    seconds: float
    writes: bool = False


class Token(Protocol):
    """The secret that is sent with each request."""

    def get_secret_value(self) -> str:
        """Return the secret."""


@runtime_checkable
class Renewable(Token, Protocol):
    """A token that expires and can be renewed."""

    def renew(self) -> None:
        """Get a new token. Raises CredentialsError if that is refused."""


def _login(settings: Settings) -> Token:
    """Return the token, or the one for which it is exchanged."""
    grant = settings.credential.grant
    return Refreshed(grant, settings) if grant else settings.secret()


@runtime_checkable
class Adaptable(Token, Protocol):
    """A login that can be sent in another way if the server asks for that."""

    def other_way(self, challenge: str) -> AuthBase | None:
        """Return how to log in as a header `WWW-Authenticate` demands; None if that is how it was sent."""


@dataclass(frozen=True, slots=True)
class Service:
    """The properties of a service.

    - credential: its token, and the variable with it
    - headers: sent with each request
    - header, scheme: the header with the token, and the word before the token
    - login: returns the text after that word, from the settings
    - limited: returns whether an answer means that the request was rejected by a rate limit
    - rest: seconds to wait then, if the answer does not contain them
    - rates: never exceeded
    - rights: the permissions that a token and its owner need, as a part of a sentence
    - whole: returns whether a successful answer is complete, and from the service
    - words: returns the message of an error
    """

    credential: Credential
    headers: Mapping[str, str] = field(default_factory=dict)
    header: str = "Authorization"
    scheme: str = "Bearer "
    login: Callable[[Settings], Token] = _login
    limited: Callable[[requests.Response], bool] = _is_429
    rest: float = 0.0
    rates: tuple[Rate, ...] = ()
    rights: str = ""
    whole: Callable[[requests.Response], bool] = _is_json
    words: Callable[[requests.Response], str] = _words


class _Auth(AuthBase):
    """Adds the token to each request. With an auth object, requests ignores a .netrc on this machine."""

    def __init__(self, service: Service, token: Token) -> None:
        self._header, self._scheme, self._token = service.header, service.scheme, token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = f"{self._scheme}{self._token.get_secret_value()}"
        return request


class _Room:
    """Keeps requests within the rates of a service."""

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self._sent: dict[Rate, deque[float]] = {rate: deque(maxlen=rate.count) for rate in rates}

    def take(self, now: float, *, writing: bool) -> float:
        """Count a request; return the seconds to wait before it is sent."""
        counted = [(rate, sent) for rate, sent in self._sent.items() if writing or not rate.writes]
        waits = [sent[0] + rate.seconds - now for rate, sent in counted if len(sent) == rate.count]
        wait = max(0.0, *waits) if waits else 0.0
        for _, sent in counted:
            sent.append(now + wait)
        return wait


class Api:
    """A service at an address, with one token. `requests` counts the requests, `retrier` has the time left."""

    def __init__(
        self, service: Service, url: str, token: Token, budget: float, clock: Clock, timeout: float | None = None
    ) -> None:
        """`url` is the address of the service, `budget` the seconds that a run may take, from now."""
        self.url = url.rstrip("/")
        self.requests = Requests()
        self.retrier = Retrier(service.credential.service, budget, clock, service.credential.url_variable)
        self._service = service
        self._timeout = (timeout, timeout) if timeout else _TIMEOUT
        self._http = requests.Session()
        self._http.headers.update({"User-Agent": "backplan", **service.headers})
        self._http.auth = _Auth(service, token)
        self._token = token
        self._room = _Room(service.rates)

    @property
    def ends(self) -> date | None:
        """The last day of a lasting token, as far as it is known."""
        return self._token.ends if isinstance(self._token, Refreshed) else None

    def trust(self, certificates: str | None) -> None:
        """Trust the certificates in a file, or those that this machine (or REQUESTS_CA_BUNDLE) trusts.

        They, and the proxies, are looked up here: requests would read the whole environment for each request.
        """
        self._http.verify = certificates or True
        found = self._http.merge_environment_settings(self.url, {}, None, None, None)
        self._http.verify, self._http.proxies = found["verify"], found["proxies"]
        self._http.trust_env = False

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | str | None = None,
        headers: Mapping[str, str] | None = None,
        writes: bool | None = None,
        repeatable: bool = True,
    ) -> requests.Response:
        """Return the answer to a request: JSON, or an error of the service (4xx), which the caller handles.

        - path: below the address of the service, or a whole address, such as a link to the next page
        - body: sent as JSON; a text is sent unchanged
        - writes: whether it counts as a write; by default, all but GET do
        - repeatable: it can be sent twice without harm; otherwise, it is sent again only if it was refused

        Raises UnknownOutcomeError if the request may have been carried out, BackplanError if it is never answered.
        """
        writing = method != "GET" if writes is None else writes
        if wait := self._room.take(self.retrier.clock.passed(), writing=writing):
            self.retrier.pause(wait, "the next request has to wait for the rate limit")
        content = {"data": body.encode()} if isinstance(body, str) else {"json": body}
        options = {"params": params, "headers": headers, **content}
        response = self._answer(method, path, options, writing=writing, repeatable=repeatable)
        if response.status_code == requests.codes.unauthorized and self._has_other_login(response):
            response = self._answer(method, path, options, writing=writing, repeatable=repeatable)
        return response

    def _has_other_login(self, rejected: requests.Response) -> bool:
        """Renew the token, or change to the way of logging in that the server demands; return whether there is one."""
        if isinstance(self._token, Renewable):
            self.retrier.call(self._token.renew)
            return True
        if isinstance(self._token, Adaptable) and isinstance(self._http.auth, _Auth):  # once: never twice the same
            other = self._token.other_way(rejected.headers.get("WWW-Authenticate", ""))
            self._http.auth = other or self._http.auth
            return other is not None
        return False

    def _answer(
        self, method: str, path: str, options: Mapping[str, Any], *, writing: bool, repeatable: bool
    ) -> requests.Response:
        return self.retrier.call(
            lambda: self._once(method, self._address(path), options, writing), repeatable=repeatable
        )

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the answer to a request, as `send` does.

        Raises CredentialsError, MissingError or BackplanError, with the message of the service.
        """
        return self.checked(self.send(method, path, **options))

    def checked(self, response: requests.Response) -> requests.Response:
        """Return an answer unless it is an error. Raises as `ask` does."""
        if response.ok:
            return response
        raise self.refusal(response.status_code, self._service.words(response), urlsplit(response.url).path)

    def refusal(self, status: int, words: str, where: str) -> BackplanError:
        """Return the error for a request that the service refused. words: its message; where: the path, or a name."""
        wanted, words = self._service.credential, words or "no reason given"
        if status == requests.codes.unauthorized:
            return unknown_token(wanted, words)
        if status == requests.codes.forbidden:
            return CredentialsError(
                f"the {wanted.kind} in {wanted.variable} may not do that ({wanted.service}: {words}): it needs "
                f"{self._service.rights}"
            )
        kind = MissingError if status in (requests.codes.not_found, requests.codes.gone) else BackplanError
        return kind(f"{wanted.service}: {words} (status {status}, {where})")

    def _address(self, path: str) -> str:
        """Return a whole address. Its host is always that of the service, since the token is sent to it."""
        if not path.startswith(("https://", "http://")):
            return f"{self.url}{path}"
        here = urlsplit(self.url)
        return urlsplit(path)._replace(scheme=here.scheme, netloc=here.netloc).geturl()

    def _once(self, method: str, url: str, options: Mapping[str, Any], writing: bool) -> requests.Response:
        """Send a request; follow redirects within the service."""
        hops = 0
        while True:
            if writing:
                self.requests.write += 1
            else:
                self.requests.read += 1
            timeout = self.retrier.at_most(self._timeout[0]), self.retrier.at_most(self._timeout[1])
            try:
                response = self._http.request(method, url, timeout=timeout, allow_redirects=False, **options)
            except requests.RequestException as error:
                host = urlsplit(url).netloc.rpartition("@")[2]
                raise unreachable(error, host) or TransientError(_reason(error)) from None
            where = urljoin(url, response.headers.get("Location", ""))
            hops += 1
            if hops == _MOST_HOPS or not response.is_redirect or urlsplit(where)[:2] != urlsplit(self.url)[:2]:
                break
            url, options = where, {**options, "params": None}
        self.retrier.set_clock(response.headers)  # pyright: ignore[reportPossiblyUnboundVariable]
        return self._answered(response)  # pyright: ignore[reportPossiblyUnboundVariable]

    def _answered(self, response: requests.Response) -> requests.Response:
        """Return a complete answer from the service. Raises TransientError for others."""
        if self._service.limited(response):
            raise rate_limited(self._retry_after(response.headers))
        if response.status_code >= requests.codes.server_error:
            raise TransientError(f"status {response.status_code}", retry_after(response.headers))
        empty = response.status_code == requests.codes.no_content and response.request.method == "DELETE"
        if response.is_redirect or (response.ok and not (empty or self._service.whole(response))):
            raise TransientError("unexpected or incomplete response; is a proxy in between?")
        return response

    def _retry_after(self, headers: Mapping[str, str]) -> float:
        """Return the seconds after which the service accepts requests again."""
        reset = headers.get("X-RateLimit-Reset", "")
        if seconds := retry_after(headers):
            return seconds
        if headers.get("X-RateLimit-Remaining") != "0":
            return self._service.rest
        return max((float(reset) if reset.isdecimal() else 0.0) - self.retrier.now.timestamp(), 1.0)


def connect(service: Service, environment: Environment) -> Api:
    """Return a service with the settings of a run. Raises CredentialsError if its token is missing."""
    settings = environment.settings(service.credential)
    api = Api(service, settings.url, service.login(settings), settings.time_budget, Clock())
    api.trust(settings.certificates)
    return api


def _reason(error: requests.RequestException) -> str:
    """Return the reason of a failure. The text of requests would repeat the address."""
    late = isinstance(error, requests.Timeout)
    return "no answer in time" if late else f"the connection failed ({type(error).__name__})"
