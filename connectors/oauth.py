"""Exchanges a lasting token for tokens that are valid for an hour: OAuth 2, without a server of ours."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from config.atomic_write import replace_file
from config.errors import BackplanError
from connectors.retry import TransientError, rate_limited, retry_after, unreachable
from connectors.shapes import json_object, unknown_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Grant, Settings

_TIMEOUT = (10.0, 30.0)
_REST = 30.0  # seconds to wait if a rate limit does not contain them


class Refreshed:
    """A token that is requested when it is needed, and renewed when it has expired.

    If the service returns a new lasting token with it, that one replaces the old one in its file, if there is one.
    """

    def __init__(self, grant: Grant, settings: Settings) -> None:
        """`settings` contain the lasting token. Raises CredentialsError if there is none."""
        self._lasting = settings.secret().get_secret_value()
        self._grant, self._settings = grant, settings
        self._token = ""

    def get_secret_value(self) -> str:
        """Return the token to send. Raises as `renew` does."""
        if not self._token:
            self.renew()
        return self._token

    def renew(self) -> None:
        """Ask for a new token. Raises CredentialsError if that is refused, TransientError if it can be retried."""
        form = {"grant_type": "refresh_token", "refresh_token": self._lasting}
        answer = exchanged(self._grant, self._settings, form)
        self._token = answer["access_token"]
        lasting = answer.get("refresh_token", self._lasting)
        for secret in (self._token, lasting):
            self._settings.secrets.keep(secret)
        if lasting != self._lasting and (path := self._settings.token_file):
            with suppress(BackplanError):  # the old one stays valid
                replace_file(path, f"{lasting}\n".encode())
        self._lasting = lasting


def exchanged(grant: Grant, settings: Settings, form: Mapping[str, str]) -> dict[str, str]:
    """Return the tokens for a form. Raises CredentialsError, or TransientError if it can be retried.

    If the service has another address than the default (a stand-in, a proxy), tokens are requested there, too.
    """
    wanted = settings.credential
    elsewhere = settings.url != wanted.url
    address = f"{settings.url}{urlsplit(grant.tokens).path}" if elsewhere else grant.tokens
    client = {name: settings.also[variable] for name, variable in grant.client.items()}
    trusted = settings.certificates or True
    try:
        response = requests.post(
            address, data={**client, **form}, timeout=_TIMEOUT, allow_redirects=False, verify=trusted
        )
    except requests.RequestException as error:
        found = unreachable(error, urlsplit(address).netloc)
        raise found or TransientError(f"cannot get a token ({type(error).__name__})", refused=True) from None
    answer = json_object(response)
    if response.ok and isinstance(answer.get("access_token"), str):
        return {name: value for name, value in answer.items() if isinstance(value, str)}
    if response.status_code == requests.codes.too_many_requests:
        raise rate_limited(retry_after(response.headers) or _REST)
    if response.status_code >= requests.codes.server_error:
        raise TransientError(f"status {response.status_code}", refused=True)
    if "error" not in answer:
        raise TransientError("unexpected or incomplete response; is a proxy in between?", refused=True)
    raise unknown_token(wanted, str(answer.get("error_description") or answer["error"]))
