"""Comments of ours on issues and pull requests: they begin with a marker, and their author is the token's user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.errors import CredentialsError, MissingError

if TYPE_CHECKING:
    from sync.action.github_api import Caller

_BOT = "github-actions[bot]"  # the author of comments written with a workflow's own token


class Comments:
    """The comments on issues of a repository (`owner/name`). All methods raise BackplanError if GitHub refuses."""

    def __init__(self, caller: Caller, repository: str) -> None:
        """`caller` has the token whose user writes."""
        self._caller = caller
        self._issues = f"/repos/{repository}/issues"
        self._login = ""

    def ours(self, number: int, marker: str) -> list[dict[str, Any]]:
        """Return our comments with this marker, the oldest first. Anybody may copy a marker: its author counts, too."""
        return [
            comment
            for comment in self._caller.pages(f"{self._issues}/{number}/comments")
            if text(comment).startswith(marker) and authored(comment, self._me)
        ]

    def add(self, number: int, body: str) -> None:
        """Add a comment to an issue or pull request.

        A repetition after a lost answer would create a second one. So it is sent again only if it was refused.
        """
        self._caller.ask("POST", f"{self._issues}/{number}/comments", body={"body": body}, repeatable=False)

    def replace(self, comment: dict[str, Any], body: str) -> None:
        """Replace the text of a comment, unless it is the same."""
        if text(comment) != body:
            self._caller.ask("PATCH", f"{self._issues}/comments/{comment['id']}", body={"body": body})

    @property
    def _me(self) -> str:
        self._login = self._login or author_of_token(self._caller)
        return self._login


def author_of_token(caller: Caller) -> str:
    """Return the login of the token; a workflow's own token may not request it."""
    try:
        return str(caller.ask("GET", "/user").json()["login"])
    except (CredentialsError, MissingError):
        return _BOT


def text(comment: dict[str, Any]) -> str:
    """Return the text of a comment or issue, with the line ends that were sent."""
    return str(comment.get("body") or "").replace("\r\n", "\n")


def author(comment: dict[str, Any]) -> str:
    """Return the login of the author of a comment or issue; empty if the account was deleted."""
    return str((comment.get("user") or {}).get("login") or "")


def authored(comment: dict[str, Any], login: str) -> bool:
    """Return whether a comment or issue is somebody's."""
    return bool(login) and author(comment) == login
