"""The command `connect`: signs in once to an app whose tokens expire, and prints the lasting token."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from secrets import compare_digest, token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import click

from config.errors import BackplanError, InputError
from config.settings import Environment
from connectors import registry
from connectors.oauth import dated, exchanged, posted
from connectors.retry import Clock, Retrier
from sync.cli.options import FILE, Options, command
from sync.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.settings import Grant, Settings

_DONE = b"<!DOCTYPE html><title>backplan</title><p>backplan has received the answer. Close this page.</p>"
_MINUTES = 10  # for the user to sign in
_BY_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@command(click.argument("name", metavar="CONNECTOR"), takes=FILE, example="google-tasks")
def connect(options: Options, name: str) -> None:
    """Sign in to an app once, in the browser.

    Print the variable with the lasting token, for example for a file .env.
    """
    credential = registry.credential(name)
    if credential is None:
        raise InputError(f"{name}: there is nothing to sign in to; it needs no token")
    if credential.grant is None:
        raise InputError(
            f"{name}: there is nothing to sign in to; {credential.where} and put it into {credential.variable}"
        )
    settings = Environment.of_process((options.goals or Path()).parent).settings(credential)
    settings.refuse_missing_beside()
    token = (
        sign_in_by_device(credential.grant, settings, say, Clock())
        if credential.grant.by_device
        else sign_in(credential.grant, settings, say)
    )
    found = {credential.variable: dated(token, credential.grant)}
    lines = [f"{variable}={token}" for variable, token in found.items()]
    options.emit(lambda: {"version": 1, "variables": found}, lambda: click.echo("\n".join(lines)))


def sign_in(grant: Grant, settings: Settings, tell: Callable[[str], None]) -> str:
    """Return the lasting token, after the user has signed in at the address that `tell` shows.

    The browser sends a code to an address on this machine. The code is useless without a secret that stays in this
    process (PKCE). Raises BackplanError if nobody signs in, or the service refuses.
    """
    verifier, state = token_urlsafe(64), token_urlsafe(32)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    with _Listener() as listener:
        parameters = {
            "response_type": "code",
            "client_id": settings.also[grant.client["client_id"]],
            "redirect_uri": listener.address,
            "scope": grant.scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **grant.sign_in_options,
        }
        tell(f"open this address in a browser on this machine, and sign in:\n{grant.sign_in}?{urlencode(parameters)}")
        brought = listener.wait()
    if not compare_digest(brought.get("state", ""), state) or "code" not in brought:
        raise BackplanError(
            f"{settings.credential.service}: nobody signed in ({brought.get('error', 'no answer')}); run it again"
        )
    form = {
        "grant_type": "authorization_code",
        "code": brought["code"],
        "code_verifier": verifier,
        "redirect_uri": listener.address,
    }
    credential = settings.credential
    retrier = Retrier(credential.service, settings.time_budget, Clock(), credential.url_variable)
    return _lasting(settings, retrier.call(lambda: exchanged(grant, settings, form)))


def sign_in_by_device(grant: Grant, settings: Settings, tell: Callable[[str], None], clock: Clock) -> str:
    """Return the lasting token, after the user has entered the code that `tell` shows, in any browser anywhere.

    Raises BackplanError if nobody does in time, or the service refuses.
    """
    credential = settings.credential
    retrier = Retrier(credential.service, settings.time_budget, clock, credential.url_variable)
    begun = retrier.call(lambda: posted(grant.sign_in, grant, settings, {"scope": grant.scope}))
    if not {"device_code", "user_code", "verification_uri"} <= begun.keys():
        words = begun.get("error_description") or begun.get("error", "no reason given")
        raise BackplanError(
            f"{credential.service} gave no code to sign in with ({words}); check {', '.join(grant.client.values())}"
        )
    tell(f"open {begun['verification_uri']} in any browser, enter the code {begun['user_code']}, and sign in")
    form = {"grant_type": _BY_DEVICE, "device_code": begun["device_code"]}
    interval, until = float(begun.get("interval", 5)), clock.passed() + _MINUTES * 60
    while clock.passed() < until:
        clock.sleep(interval)
        patient = Retrier(credential.service, settings.time_budget, clock, credential.url_variable)
        answer = patient.call(lambda: posted(grant.tokens, grant, settings, form))
        error = answer.get("error", "")
        if not error:
            return _lasting(settings, answer)
        if error not in ("authorization_pending", "slow_down"):
            raise BackplanError(f"{credential.service}: nobody signed in ({error}); run it again")
        interval += 5 if error == "slow_down" else 0
    raise BackplanError(f"{credential.service}: nobody signed in within {_MINUTES} minutes; run it again")


def _lasting(settings: Settings, answer: Mapping[str, str]) -> str:
    """Return the lasting token of an answer. Raises BackplanError if there is none."""
    if token := answer.get("refresh_token"):
        return token
    raise BackplanError(
        f"{settings.credential.service} returned no lasting token; remove backplan's access there, and run it again"
    )


class _Listener(HTTPServer):
    """Waits on a free port of this machine for the browser to return from the sign-in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.timeout = 1
        self.brought: dict[str, str] = {}

    @property
    def address(self) -> str:
        """The address on which it waits."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def wait(self) -> dict[str, str]:
        """Return the parameters of the address; empty if the browser did not return in time."""
        for _ in range(_MINUTES * 60):
            self.handle_request()
            if self.brought:
                break
        return self.brought


class _Handler(BaseHTTPRequestHandler):
    """Stores the parameters of the address, and logs nothing."""

    server: _Listener  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 5  # browsers open connections that they do not use

    def do_GET(self) -> None:
        """Store the parameters of the address."""
        found = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if "state" in found:  # a browser also requests an icon
            self.server.brought = found
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_DONE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base class
        """Log nothing: the address contains a code."""
