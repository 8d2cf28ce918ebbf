"""What a pull request changes in the plan, as one comment on it, which every run updates."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from config import loader
from config.errors import BackplanError, CredentialsError, MissingError
from sync.action import base_files, workflow_commands
from sync.action.comments import Comments
from sync.action.github_api import Caller
from sync.action.newest import UnknownError
from sync.reconcile.revision import revisions
from sync.reports import pull_request, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from config.project import Project
    from sync.run.workspace import Workspace
    from sync.schedule.model import Schedule

_BUDGET = 60.0  # seconds


def show(workspace: Workspace, told: summary.Told, schedule_of: Callable[[Project], Schedule]) -> None:
    """Write the comment of the pull request that the run is for; if that is not allowed, annotate the run.

    schedule_of: returns the schedule of other goals files, with the progress that the run has read.
    """
    number = workflow_commands.event().get("pull_request", {}).get("number")
    if not isinstance(number, int):
        return
    marker = f"<!-- backplan's plan of {workspace.project.namespace}, kept up to date -->"
    told = replace(told, cost=None)  # seconds differ each time; the comment stands while the plan does
    try:
        repository, token = (os.environ.get(name, "") for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN"))
        put(repository, number, token, marker, _markdown(workspace, told, schedule_of))
    except BackplanError as error:
        workflow_commands.annotate("notice", str(error))


def _markdown(workspace: Workspace, told: summary.Told, schedule_of: Callable[[Project], Schedule]) -> str:
    """Return what the pull request changes; the whole plan where its base's goals files cannot be planned."""
    try:
        with base_files.copied(workspace.path) as path:
            base = loader.load(path) if path else replace(workspace.project, goals=(), sequence=())
            before = schedule_of(base)
    except (BackplanError, UnknownError) as error:
        why = str(error).partition("\n")[0]
        note = f"The whole plan is shown, for the goals file before this pull request could not be read: {why}"
        return summary.run(replace(told, notes=[*told.notes, note]), summary.COMMENT_LIMIT)
    return pull_request.comment(revisions(before, told.schedule, workspace.project), told)


def put(repository: str, number: int, token: str, marker: str, markdown: str) -> None:
    """Update the comment that begins with `marker`, or create it.

    `repository` is `owner/name`, `number` the pull request's. Raises BackplanError if that fails.
    """
    comments = Comments(Caller(token, _BUDGET), repository)
    body = f"{marker}\n{markdown}"
    with _explained():
        if ours := comments.ours(number, marker):
            comments.replace(ours[0], body)
        else:
            comments.add(number, body)  # a second one after a lost answer is left alone: the next run finds the first


@contextmanager
def _explained() -> Generator[None]:
    """Add to errors that the comment was not written, and a remedy."""
    try:
        yield
    except (CredentialsError, MissingError):
        raise CredentialsError(
            "the plan is not written as a comment, as the workflow's token may not write it: give the job the "
            "permissions `contents: read` and `pull-requests: write` (a pull request from a fork cannot have them)"
        ) from None
    except BackplanError as error:
        raise BackplanError(f"the plan is not written as a comment: {error}") from None
