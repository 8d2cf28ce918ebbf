"""GitHub's errors as messages with a remedy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from config.errors import BackplanError, CredentialsError, MissingError
from connectors import shapes
from connectors.github.settings import CREDENTIAL
from connectors.http import json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

unknown, understood = partial(shapes.unknown, "GitHub"), partial(shapes.understood, "GitHub")
_REFUSALS = {"FORBIDDEN", "NOT_FOUND", "UNPROCESSABLE", "VALIDATION"}
_RATE_LIMIT = ("rate limit", "too quickly", "abuse detection")


def explain(error: Mapping[str, Any] | None, repo: str) -> str:
    """Return the message of a GraphQL error, with a remedy."""
    details = error or {}
    message = str(details.get("message") or "no reason given")
    if is_rate_limit(message):
        return message
    if details.get("type") == "NOT_FOUND":
        return f"it is not there any more (GitHub: {message})"
    if details.get("type") == "FORBIDDEN" or "not accessible by" in message:
        return _forbidden(message, "", repo)
    return f"GitHub: {message}"


def refused(error: Mapping[str, Any] | None) -> str:
    """Return the message of a GraphQL error that means that nothing was done; empty if that is not certain."""
    details = error or {}
    is_refusal = str(details.get("type")) in _REFUSALS or "not accessible by" in str(details.get("message"))
    return str(details.get("message")) if is_refusal else ""


def _forbidden(message: str, accepted: str, repo: str) -> str:
    if "archived" in message:
        return f"GitHub: {repo} was archived; unarchive it in its settings, or name another one in the goals file"
    lacks = ", ".join(_right(right) for right in accepted.split(",")) if accepted else "Issues: write"
    return (
        f"the token in GITHUB_TOKEN lacks {lacks} on {repo} (GitHub: {message}). In a workflow, write `permissions: "
        "{contents: read, issues: write}`; else give the token that permission in Settings > Developer settings"
    )


def _right(accepted: str) -> str:
    name, _, level = accepted.strip().partition("=")
    return f"{name.replace('_', ' ').capitalize()}: {level}"


def refusal(response: requests.Response, repo: str) -> BackplanError:
    """Return the error for an answer of REST."""
    message = _message(response)
    if response.status_code == requests.codes.unauthorized:
        return shapes.unknown_token(CREDENTIAL, message)
    if response.status_code == requests.codes.forbidden:
        accepted = response.headers.get("x-accepted-github-permissions", "")
        return CredentialsError(_forbidden(message, accepted, repo))
    if response.status_code in (requests.codes.not_found, requests.codes.gone):
        return MissingError(f"GitHub: {message} ({urlsplit(response.url).path})")
    return BackplanError(f"GitHub: {message} (status {response.status_code})")


def _message(response: requests.Response) -> str:
    body = json_object(response)
    errors = _errors(body)
    details = [str(e.get("message") or e.get("code")) if isinstance(e, dict) else str(e) for e in errors]
    return ": ".join(filter(None, [str(body.get("message") or "no reason given"), "; ".join(details)]))


def _errors(body: Mapping[str, Any]) -> list[Any]:
    errors = body.get("errors")
    return errors if isinstance(errors, list) else []


def is_limited(response: requests.Response) -> bool:
    """Return whether an answer means that the rate is limited, and GitHub did nothing."""
    return response.status_code == requests.codes.too_many_requests or is_rate_limit(_limit_message(response))


def _limit_message(response: requests.Response) -> str:
    if response.status_code == requests.codes.forbidden:
        return _message(response)
    body = json_object(response) if response.status_code == requests.codes.ok else {}
    if body.get("data") is not None or not isinstance(body.get("errors"), list):
        return ""
    return " ".join(str(error.get("message")) for error in body["errors"] if isinstance(error, dict))


def is_taken(response: requests.Response) -> bool:
    """Return whether an answer means that the thing exists already."""
    errors = _errors(json_object(response))
    codes = [error.get("code") if isinstance(error, dict) else str(error) for error in errors]
    return any(code == "already_exists" or "already been taken" in str(code) for code in codes)


def is_rate_limit(message: str | None) -> bool:
    """Return whether a message means that the rate is limited."""
    return message is not None and any(words in message.lower() for words in _RATE_LIMIT)
