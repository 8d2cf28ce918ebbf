"""Opens a pull request for a deadline that was moved in an app, where the branch of the run is protected.

There is one for each goal and day, known by its branch. While it is open, the goal's task keeps the day. If it was
closed and not merged, the day is put back.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError
from sync.action.github_api import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from sync.action.commit import Pushed
    from sync.action.newest import Event
    from sync.reconcile.moved_deadlines import Verdict

_BUDGET = 60.0  # seconds
_THERE = re.compile(r"fetch first|non-fast-forward|already exists|stale info", re.IGNORECASE)
_ALLOW = (
    "the job needs `permissions: {contents: write, pull-requests: write}`, and Settings > Actions > General has to "
    "allow Actions to create pull requests"
)


def request(event: Event, goal_id: str, verdict: Verdict, push: Callable[[str], Pushed]) -> Verdict:
    """Return the verdict on a date, by its pull request, which is opened if there is none.

    push: pushes the edit to the branch with this name; the branch may be there from a run that was cut short.
    """
    branch = f"backplan/{goal_id}-{verdict.after}"
    caller = Caller(os.environ.get("WORKFLOW_TOKEN", ""), _BUDGET)
    try:
        pull = _latest(caller, event, branch)
        if pull and pull["state"] != "open" and not pull.get("merged_at"):
            return verdict.goes_back(f"its pull request #{pull['number']} was closed and not merged")
        if pull is None or pull.get("merged_at"):
            pull = _opened(caller, event, branch, f"backplan: move {goal_id} to {verdict.after}", push)
    except BackplanError as error:
        why = f"the branch {event.branch} is protected, and no pull request could be opened ({error})"
        return verdict.stays(f"{why}; `backplan move {goal_id} {verdict.after}` moves it by hand")
    return verdict.stays(f"the branch {event.branch} is protected; merge pull request #{pull['number']}, or close it")


def _latest(caller: Caller, event: Event, branch: str) -> dict[str, Any] | None:
    """Return the newest pull request of a branch. Raises BackplanError if GitHub refuses."""
    owner = event.repository.partition("/")[0]
    query = {"head": f"{owner}:{branch}", "state": "all", "sort": "created", "direction": "desc"}
    found: dict[str, Any] | None = next(caller.pages(f"/repos/{event.repository}/pulls", **query), None)
    return found


def _opened(caller: Caller, event: Event, branch: str, title: str, push: Callable[[str], Pushed]) -> dict[str, Any]:
    """Push the branch and open a pull request. Raises BackplanError if either is refused."""
    done = push(branch)
    if done.result != "pushed" and not _THERE.search(done.why):
        raise BackplanError(done.why or "the goals file has this deadline already")
    body = {
        "title": title,
        "head": branch,
        "base": event.branch,
        "body": "The goal's task was moved in an app. Merge this to move its steps, or close it to put it back.",
    }
    try:
        pull: dict[str, Any] = caller.ask("POST", f"/repos/{event.repository}/pulls", body=body).json()
    except BackplanError as error:
        by_hand = f"or open it yourself for the branch {branch}"
        raise BackplanError(f"{error}; {_ALLOW}, {by_hand}") from None
    return pull
