"""GitHub's REST API in a step of a workflow: at `GITHUB_API_URL`, with a token from the workflow."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from config.errors import BackplanError, CredentialsError, MissingError
from connectors.github.api import GITHUB
from connectors.http import Api, Clock, json_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

_ERRORS = {401: CredentialsError, 403: CredentialsError, 404: MissingError}


class Caller:
    """Sends requests to GitHub, for at most `budget` seconds from now."""

    def __init__(self, token: str, budget: float) -> None:
        """`token` is the workflow's."""
        url = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        self._api = Api(GITHUB, url, SecretStr(token), budget, Clock())

    def ask(self, method: str, path: str, **asked: Any) -> requests.Response:
        """Return the answer to a request; `Api.send` documents the parameters.

        Raises CredentialsError or MissingError if the token lacks a permission, or there is no such thing: GitHub
        answers 404 without permission to read. Raises BackplanError for all other failures.
        """
        answer = self._api.send(method, path, **asked)
        if answer.ok:
            return answer
        message = str(json_object(answer).get("message", ""))[:200]
        kind = _ERRORS.get(answer.status_code, BackplanError)
        raise kind(f"GitHub answers {answer.status_code} {message}".rstrip())

    def pages(self, path: str, **query: str) -> Iterator[Any]:
        """Yield the entries of a list, of all its pages. Raises as `ask` does."""
        answer = self.ask("GET", path, params={**query, "per_page": "100"})
        yield from answer.json()
        while following := answer.links.get("next", {}).get("url", ""):
            answer = self.ask("GET", following)
            yield from answer.json()
