"""Tokens that a service gives out for an hour, against one that lasts: OAuth 2, without a server of ours."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from config.atomic_write import replace_file
from config.errors import BackplanError, CredentialsError
from connectors.http import json_object
from connectors.retry import TransientError, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.settings import Settings

_TIMEOUT = (10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Grant:
    """Where tokens are given out, and where people sign in once.

    client: what the form takes, and the variables that hold it. scope: what the token may do. asked: what the sign-in
    page is asked besides.
    """

    tokens: str
    sign_in: str
    client: Mapping[str, str]
    scope: str
    asked: Mapping[str, str] = field(default_factory=dict)

    def address(self, settings: Settings) -> str:
        """Return where tokens are given out; where the service is elsewhere (a stand-in, a proxy), there as well."""
        return self.tokens if settings.url == settings.credential.url else f"{settings.url}{urlsplit(self.tokens).path}"

    def form(self, settings: Settings) -> dict[str, str]:
        """Return what each request for a token says of the client."""
        return {name: settings.also[variable] for name, variable in self.client.items()}


class Refreshed:
    """A token that is given out when it is needed first, and anew when it has ended.

    Where the service gives another lasting token with it, that takes the place of the old one in its file, if it stands
    in one.
    """

    def __init__(self, grant: Grant, settings: Settings) -> None:
        """`settings` hold the token that lasts."""
        self._lasting = settings.secret().get_secret_value()
        self._grant, self._settings = grant, settings
        self._token = ""

    def get_secret_value(self) -> str:
        """Return the token to send. Raises as `renew` does."""
        if not self._token:
            self.renew()
        return self._token

    def renew(self) -> None:
        """Ask for a new token. Raises CredentialsError where that is refused, TransientError where it may be given."""
        form = {"grant_type": "refresh_token", "refresh_token": self._lasting, **self._grant.form(self._settings)}
        said = given(self._grant.address(self._settings), form, self._settings)
        self._token = said["access_token"]
        lasting = said.get("refresh_token", self._lasting)
        for secret in (self._token, lasting):
            self._settings.secrets.keep(secret)
        if lasting != self._lasting and (path := self._settings.token_file):
            with suppress(BackplanError):  # the old one lasts on
                replace_file(path, f"{lasting}\n".encode())
        self._lasting = lasting


def refreshed(grant: Grant) -> Callable[[Settings], Refreshed]:
    """Return what makes a token from the settings of a service."""
    return lambda settings: Refreshed(grant, settings)


def given(address: str, form: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the tokens that are given out for a form. Raises CredentialsError or TransientError."""
    wanted = settings.credential
    try:
        response = requests.post(
            address, data=form, timeout=_TIMEOUT, allow_redirects=False, verify=settings.certificates or True
        )
    except requests.RequestException as error:
        found = unreachable(error, urlsplit(address).netloc)
        raise found or TransientError(f"no token is given out ({type(error).__name__})", refused=True) from None
    said = json_object(response)
    if response.ok and isinstance(said.get("access_token"), str):
        return {name: value for name, value in said.items() if isinstance(value, str)}
    if "error" not in said or response.status_code >= requests.codes.server_error:
        raise TransientError(f"no token is given out (status {response.status_code})", refused=True)
    words = said.get("error_description") or said["error"]
    raise CredentialsError(
        f"{wanted.service} does not take the {wanted.kind} in {wanted.variable} any more ({words}): {wanted.where} and "
        "put it there (nothing more was changed)"
    )
