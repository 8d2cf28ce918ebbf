"""Exchanges a lasting token for tokens that are valid for an hour: OAuth 2, without a server of ours."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
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
_DATED = re.compile(r"(\d{4}-\d\d-\d\d):(.+)")
_REST = 30.0  # seconds to wait if a rate limit does not contain them


class Refreshed:
    """A token that is requested when it is needed, and renewed when it has expired.

    If the service returns a new lasting token with it, that one is used from then on in this run. It replaces the old
    one in its file, if there is one; otherwise the old one is still needed, and `ends` is the day of that one.
    """

    def __init__(self, grant: Grant, settings: Settings) -> None:
        """`settings` contain the lasting token. Raises CredentialsError if there is none."""
        self._lasting, self.ends = undated(settings.secret().get_secret_value())
        settings.secrets.keep(self._lasting)
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
            written = dated(lasting, self._grant)
            with suppress(BackplanError):  # the old one stays valid
                replace_file(path, f"{written}\n".encode())
                self.ends = undated(written)[1]
        self._lasting = lasting


def dated(token: str, grant: Grant) -> str:
    """Return a lasting token that was issued today, with its last day before it if it has one."""
    return f"{datetime.now(UTC).date() + timedelta(grant.days)}:{token}" if grant.days else token


def undated(written: str) -> tuple[str, date | None]:
    """Return a lasting token without its last day, and that day; None if it is not written there."""
    if not (match := _DATED.fullmatch(written)):
        return written, None
    with suppress(ValueError):
        return match[2], date.fromisoformat(match[1])
    return written, None


def exchanged(grant: Grant, settings: Settings, form: Mapping[str, str]) -> dict[str, str]:
    """Return the tokens for a form. Raises CredentialsError, or TransientError if it can be retried."""
    answer = posted(grant.tokens, grant, settings, form)
    if "access_token" not in answer:
        raise unknown_token(settings.credential, answer.get("error_description") or answer["error"])
    return answer


def posted(url: str, grant: Grant, settings: Settings, form: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of an answer to a form that the client sends: what was asked for, or an `error`.

    If the service has another address than the default (a stand-in, a proxy), the form is sent there, too.
    Raises TransientError if it can be retried.
    """
    wanted = settings.credential
    elsewhere = settings.url != wanted.url
    address = f"{settings.url}{urlsplit(url).path}" if elsewhere else url
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
    if response.status_code == requests.codes.too_many_requests:
        raise rate_limited(retry_after(response.headers) or _REST)
    if response.status_code >= requests.codes.server_error:
        raise TransientError(f"status {response.status_code}", refused=True)
    if not {"error", "access_token", "device_code"} & answer.keys() or (response.ok and "error" in answer):
        raise TransientError("unexpected or incomplete response; is a proxy in between?", refused=True)
    return {name: str(value) for name, value in answer.items() if value is not None}
