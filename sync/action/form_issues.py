"""The issues that are forms for new goals, on GitHub: who may fill one in, what we answer, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from config import goal_form
from config.errors import MissingError
from sync.action.comments import Comments, text
from sync.action.github_api import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUDGET = 60.0  # seconds
_ANSWER, _ADDED = "<!-- backplan's answer", "<!-- backplan's answer: added -->"
_MISTAKE = f"{_ANSWER} -->"
_MAY_WRITE = ("admin", "write")  # GitHub returns `write` for the role `maintain`
_LABEL = {"name": goal_form.LABEL, "color": "1d76db", "description": "A form: backplan makes a goal of it"}


class FormIssues:
    """The forms of a repository (`owner/name`). All methods raise BackplanError if GitHub refuses."""

    def __init__(self, token: str, repository: str) -> None:
        """`token` is the workflow's own: it needs `issues: write`."""
        self._caller = Caller(token, _BUDGET)
        self._repo = f"/repos/{repository}"
        self._comments = Comments(self._caller, repository)
        self._rights: dict[str, bool] = {}

    def make_label(self) -> None:
        """Create the label of forms if it is missing: GitHub gives no issue a label that does not exist."""
        try:
            self._caller.ask("GET", f"{self._repo}/labels/{goal_form.LABEL}")
        except MissingError:
            self._caller.ask("POST", f"{self._repo}/labels", body=_LABEL)

    def open(self) -> Iterator[dict[str, Any]]:
        """Yield the forms that are open, the oldest first."""
        query = {"state": "open", "labels": goal_form.LABEL, "direction": "asc"}
        issues = self._caller.pages(f"{self._repo}/issues", **query)
        yield from (issue for issue in issues if "pull_request" not in issue)

    def may_write(self, login: str) -> bool:
        """Return whether somebody may write to the repository."""
        if login not in self._rights:
            path = f"{self._repo}/collaborators/{quote(login, safe='')}/permission"
            try:
                right = self._caller.ask("GET", path).json().get("permission") if login else None
            except MissingError:  # GitHub has no such account (any more)
                right = None
            self._rights[login] = right in _MAY_WRITE
        return self._rights[login]

    def answer(self, number: int, markdown: str) -> None:
        """Comment on a form that stays open, unless our last answer was the same."""
        body = f"{_MISTAKE}\n{markdown}"
        ours = self._comments.ours(number, _ANSWER)
        if not ours or text(ours[-1]) != body:
            self._comments.add(number, body)

    def finish(self, number: int, markdown: str, *, again: bool) -> None:
        """Comment on a form whose goal is in the goals file, and close it.

        again: the goal was there before this run, so the comment may be, too.
        """
        if not (again and self._comments.ours(number, _ADDED)):
            self._comments.add(number, f"{_ADDED}\n{markdown}")
        closed = {"state": "closed", "state_reason": "completed"}
        self._caller.ask("PATCH", f"{self._repo}/issues/{number}", body=closed)
