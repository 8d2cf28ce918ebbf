"""Refuses to write on a pull request, whose goals file may come from anybody: it is only planned.

A workflow for `pull_request` or `pull_request_target` reads files that were not merged. They must not change an app,
nor lead (by a path or a symbolic link) to files outside of the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from config.errors import RefusedError


def on_pull_request() -> bool:
    """Return whether GitHub Actions runs this for a pull request."""
    event = os.environ.get("GITHUB_EVENT_NAME", "")
    return os.environ.get("GITHUB_ACTIONS") == "true" and event.startswith("pull_request")


def refuse_writing() -> None:
    """Raise RefusedError on a pull request."""
    if on_pull_request():
        raise RefusedError(
            "a goals file from a pull request is only planned, never synced, because anybody may have written it; "
            "merge it, and let the workflow sync on the push that follows (nothing was changed)"
        )


def refuse_outside(path: Path) -> None:
    """Raise RefusedError on a pull request for a path outside of the checkout, or in its `.git`."""
    if not on_pull_request():
        return
    checkout = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    target = path.resolve()
    if not target.is_relative_to(checkout) or ".git" in target.relative_to(checkout).parts:
        raise RefusedError(
            f"{path}: leads out of the checkout, and what comes with a pull request may not; name a file of the "
            "repository that is no symbolic link (nothing was read or changed)"
        )
