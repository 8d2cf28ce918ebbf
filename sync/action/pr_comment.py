"""The plan as one comment on a pull request, which every run brings up to date."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError, CredentialsError, MissingError
from sync.action.github_api import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOT = "github-actions[bot]"  # who writes with the token that a workflow has of its own
_BUDGET = 60.0  # seconds


def put(repository: str, number: int, token: str, marker: str, markdown: str) -> None:
    """Make the comment that begins with `marker` say this; write it where there is none.

    `repository` is `owner/name`, `number` the pull request's; `GITHUB_API_URL` says where GitHub is.

    Raises BackplanError where that cannot be done.
    """
    body = f"{marker}\n{markdown}"
    issues = f"/repos/{repository}/issues"
    caller = Caller(token, _BUDGET)
    with _explained():
        ours = _find(caller, f"{issues}/{number}/comments", marker)
        if ours is None:
            # Who asks again after an answer was lost makes a second comment; the next run finds the first.
            Caller(token, budget=0).ask("POST", f"{issues}/{number}/comments", body={"body": body})
        elif ours["body"].replace("\r\n", "\n") != body:
            caller.ask("PATCH", f"{issues}/comments/{ours['id']}", body={"body": body})


def _find(caller: Caller, path: str, marker: str) -> dict[str, Any] | None:
    """Return our comment: one of ours by who wrote it, too, since whoever likes may copy a marker."""
    me = _me(caller)
    for comment in _all(caller, path):
        if str(comment.get("body", "")).startswith(marker) and (comment.get("user") or {}).get("login") == me:
            return comment
    return None


def _me(caller: Caller) -> str:
    """Return whose token this is: that of a workflow may not ask."""
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
def _explained() -> Iterator[None]:
    """Say that it is the comment which was not written, and what to do about it."""
    try:
        yield
    except (CredentialsError, MissingError):
        raise CredentialsError(
            "the plan is not written as a comment, for the workflow's token may not: give the job the permissions "
            "`contents: read` and `pull-requests: write` (from a fork it may not in any case)"
        ) from None
    except BackplanError as error:
        raise BackplanError(f"the plan is not written as a comment: {error}") from None
