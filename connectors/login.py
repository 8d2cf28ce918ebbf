"""A user's name and password, as a server wants them: Basic, Digest, or the password as a Bearer token."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from requests.auth import AuthBase, HTTPDigestAuth

if TYPE_CHECKING:
    import requests

    from config.settings import Settings

_QUOTED = re.compile(r'"[^"]*"')


class NameAndPassword:
    """Sent as Basic at once, which halves the requests. A server that does not accept Basic asks for another way."""

    def __init__(self, settings: Settings) -> None:
        """The user's name is the one further variable. Raises CredentialsError if one of the two is missing."""
        self._password = settings.secret().get_secret_value()
        (self._name,) = settings.also.values()
        self._encoded = b64encode(f"{self._name}:{self._password}".encode()).decode()
        settings.secrets.keep(self._encoded)

    def get_secret_value(self) -> str:
        """Return the text after `Basic`."""
        return self._encoded

    def other_way(self, challenge: str) -> AuthBase | None:
        """Return Digest or Bearer if the server demands that and not Basic."""
        schemes = set(re.findall(r"[a-z]+", _QUOTED.sub("", challenge).lower()))
        if "basic" in schemes:
            return None
        if "digest" in schemes:
            return HTTPDigestAuth(self._name, self._password)
        return _Bearer(self._password) if "bearer" in schemes else None


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
