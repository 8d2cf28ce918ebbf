"""Publishes the digest (`digest: weekly`): an issue that each run keeps up to date, or a message to a chat on Mondays.

A chat is one whose webhook's address is in DIGEST_WEBHOOK_SECRET. Whoever has the address can write there, so it is
never shown.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from config.errors import BackplanError, CredentialsError
from sync.action import workflow_commands
from sync.action.comments import author_of_token, authored, text
from sync.action.github_api import Caller
from sync.reports import digest, summary

if TYPE_CHECKING:
    from sync.reports.summary import Told

ADDRESS = "DIGEST_WEBHOOK_SECRET"
_LABEL = "backplan-digest"
_TITLE = "This week"
_CHANGES = "<!-- changes -->"  # parts the week from what was changed last
_BUDGET = 60.0  # seconds
_TIMEOUT = 20.0  # seconds
_MONDAY = 0
_ROOM = summary.COMMENT_LIMIT // 2 - 200  # bytes for the week, and for the changes


def publish(told: Told) -> None:
    """Publish what a run has to tell. A failure is an annotation of the run: the tasks are in line without it."""
    try:
        if address := os.environ.get(ADDRESS, "").strip():
            is_daily = os.environ.get("GITHUB_EVENT_NAME") == "schedule"
            if is_daily and told.schedule.today.weekday() == _MONDAY:
                _post(address, digest.text(told))
        elif repository := os.environ.get("GITHUB_REPOSITORY"):
            _keep(Caller(os.environ.get("WORKFLOW_TOKEN", ""), _BUDGET), f"/repos/{repository}/issues", told)
    except CredentialsError as error:
        why = f"give the job the permission `issues: write`, or put a webhook's address into {ADDRESS} ({error})"
        workflow_commands.annotate("warning", f"The digest was not written: {why}")
    except BackplanError as error:
        workflow_commands.annotate("warning", f"The digest was not written: {error}")


def _keep(caller: Caller, issues: str, told: Told) -> None:
    """Bring the issue up to date, or create it. One that was closed stays as it is."""
    me = author_of_token(caller)
    listed = caller.pages(issues, labels=_LABEL, state="all", direction="asc")
    ours = next((one for one in listed if authored(one, me)), None)
    body = _body(told, text(ours).partition(_CHANGES)[2] if ours else "")
    if ours is None:
        content = {"title": _TITLE, "body": body, "labels": [_LABEL]}
        caller.ask("POST", issues, body=content, repeatable=False)
    elif ours["state"] == "open" and text(ours) != body:
        caller.ask("PATCH", f"{issues}/{ours['number']}", body={"body": body})


def _body(told: Told, before: str) -> str:
    """Return the text of the issue. before: the changes that it shows, which stay until a run changes something."""
    changes = digest.moved(told, _ROOM) or before.strip("\n")
    return f"{digest.week(told.schedule, _ROOM).strip()}\n\n{_CHANGES}\n{changes}".strip()


def _post(address: str, message: str) -> None:
    """Send a message to a webhook: as text to ntfy, as JSON to Slack, Matrix, Mattermost and others.

    Raises BackplanError without the address in its message.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https"):
        raise BackplanError(f"{ADDRESS} is no address of a webhook: it begins with https://")
    is_text = "ntfy" in parts.netloc
    content: dict[str, Any] = {"data": message.encode()} if is_text else {"json": {"text": message}}
    try:
        answer = requests.post(address, timeout=_TIMEOUT, allow_redirects=False, **content)
    except (requests.RequestException, ValueError) as error:
        raise BackplanError(f"the webhook in {ADDRESS} did not answer ({type(error).__name__})") from None
    if answer.status_code >= requests.codes.multiple_choices:  # a redirection did not take the message either
        raise BackplanError(f"the webhook in {ADDRESS} answered with status {answer.status_code}")
