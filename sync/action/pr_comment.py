"""The plan as one comment on a pull request, which every run updates."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError, CredentialsError, MissingError
from sync.action.github_api import Caller

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_BOT = "github-actions[bot]"  # who writes with the token that a workflow has of its own
_BUDGET = 60.0  # seconds


def put(repository: str, number: int, token: str, marker: str, markdown: str) -> None:
    """Update the comment that begins with `marker`, or create it.

    `repository` is `owner/name`, `number` the pull request's. Raises BackplanError if that fails.
    """
    body = f"{marker}\n{markdown}"
    issues = f"/repos/{repository}/issues"
    caller = Caller(token, _BUDGET)
    with _explained():
        ours = _find(caller, f"{issues}/{number}/comments", marker)
        if ours is None:
            # A repetition after a lost answer creates a second comment; the next run finds the first.
            Caller(token, budget=0).ask("POST", f"{issues}/{number}/comments", body={"body": body})
        elif ours["body"].replace("\r\n", "\n") != body:
            caller.ask("PATCH", f"{issues}/comments/{ours['id']}", body={"body": body})


def _find(caller: Caller, path: str, marker: str) -> dict[str, Any] | None:
    """Return our comment: also compare its author, because anybody may copy the marker."""
    me = _me(caller)
    for comment in _all(caller, path):
        if str(comment.get("body", "")).startswith(marker) and (comment.get("user") or {}).get("login") == me:
            return comment
    return None


def _me(caller: Caller) -> str:
    """Return the login of the token; a workflow's own token may not request it."""
    try:
        return str(caller.ask("GET", "/user").json()["login"])
    except (CredentialsError, MissingError):
        return _BOT


def _all(caller: Caller, path: str) -> Iterator[dict[str, Any]]:
    following = f"{path}?per_page=100"
    while following:
        answer = caller.ask("GET", following)
        yield from answer.json()
        following = answer.links.get("next", {}).get("url", "")


@contextmanager
def _explained() -> Generator[None]:
    """Add to errors that the comment was not written, and what to do about it."""
    try:
        yield
    except (CredentialsError, MissingError):
        raise CredentialsError(
            "the plan is not written as a comment, for the workflow's token may not: give the job the permissions "
            "`contents: read` and `pull-requests: write` (from a fork it may not in any case)"
        ) from None
    except BackplanError as error:
        raise BackplanError(f"the plan is not written as a comment: {error}") from None
