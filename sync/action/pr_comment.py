"""The plan as one comment on a pull request, which every run brings up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.errors import BackplanError, CredentialsError
from sync.action import github_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

_BOT = "github-actions[bot]"  # who writes with the token that a workflow has of its own
_BUDGET = 60.0  # seconds
_PAGE = 100


def put(repository: str, number: int, token: str, marker: str, markdown: str) -> None:
    """Make the comment that begins with `marker` say this; write it where there is none.

    `repository` is `owner/name`, `number` the pull request's; `GITHUB_API_URL` says where GitHub is.

    Raises BackplanError where that cannot be done.
    """
    body = f"{marker}\n{markdown}"
    comments = f"/repos/{repository}/issues"
    with github_api.client(token, _BUDGET) as client:
        ours = _find(client, f"{comments}/{number}/comments", marker)
        if ours is not None and ours["body"].replace("\r\n", "\n") != body:
            _explained(client.patch(f"{comments}/comments/{ours['id']}", json={"body": body}))
    if ours is None:
        # Who asks again after an answer was lost makes a second comment; the next run finds the first.
        with github_api.client(token, budget=0) as client:
            _explained(client.post(f"{comments}/{number}/comments", json={"body": body}))


def _find(client: httpx.Client, address: str, marker: str) -> dict[str, Any] | None:
    """Return our comment: one of ours by who wrote it, too, since whoever likes may copy a marker."""
    me = _me(client)
    for comment in _all(client, address):
        if str(comment.get("body", "")).startswith(marker) and (comment.get("user") or {}).get("login") == me:
            return comment
    return None


def _me(client: httpx.Client) -> str:
    """Return whose token this is: that of a workflow may not ask."""
    answer = client.get("/user")
    return str(answer.json()["login"]) if answer.is_success else _BOT


def _all(client: httpx.Client, address: str) -> Iterator[dict[str, Any]]:
    following: str | None = f"{address}?per_page={_PAGE}"
    while following:
        answer = _explained(client.get(following))
        yield from answer.json()
        following = answer.links.get("next", {}).get("url")


def _explained(answer: httpx.Response) -> httpx.Response:
    """Return an answer that says yes. Raises BackplanError with what to do about any other."""
    if answer.is_success:
        return answer
    if answer.status_code in (401, 403, 404):
        raise CredentialsError(
            "the plan is not written as a comment, for the workflow's token may not: give the job the permissions "
            "`contents: read` and `pull-requests: write` (from a fork it may not in any case)"
        )
    raise BackplanError(f"the plan is not written as a comment: {github_api.refusal(answer)}")
