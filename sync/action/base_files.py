"""Fetches the goals files of the branch that a pull request goes to, so that its plan can be compared with theirs.

The checkout of a pull request has one commit. So files that differ are read from GitHub; equal ones are copied.
"""

from __future__ import annotations

import os
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from sync.action import newest, workflow_commands
from sync.action.github_api import Caller

if TYPE_CHECKING:
    from collections.abc import Generator

_BUDGET = 20.0  # seconds
_TEMPLATES = "templates"


@contextmanager
def copied(path: Path) -> Generator[Path | None]:
    """Yield a copy of the base's goals files, and of the templates beside them; None if it has none at `path`.

    The copy is within the checkout: on a pull request nothing outside of it is read.

    Raises UnknownError or BackplanError if the files cannot be read.
    """
    files = newest.Files.at(path)
    top = newest.checkout(files.folder)
    base = _Base.of(top)
    folder = "" if files.folder == top else files.folder.relative_to(top).as_posix()
    with TemporaryDirectory(prefix=".backplan-", dir=top) as name:
        copy = Path(name)
        there = newest.contents(base.caller, base.event, folder)
        goals = files.among(there)
        base.write(goals, folder, copy)
        if goals and _TEMPLATES in there:
            below = f"{folder}/{_TEMPLATES}".lstrip("/")
            listed = newest.contents(base.caller, base.event, below)
            templates = {name: sha for name, sha in listed.items() if name.endswith(".yaml")}
            base.write(templates, below, copy / _TEMPLATES)
        yield (copy / files.name if files.name else copy) if goals else None


class _Base:
    """The commit that a pull request is compared with."""

    def __init__(self, top: Path, commit: str) -> None:
        """`top` is the root of the checkout."""
        token = os.environ.get("WORKFLOW_TOKEN")
        if not token:
            raise newest.UnknownError("the workflow has no token")
        self.caller = Caller(token, _BUDGET)
        self.event = newest.Event(os.environ.get("GITHUB_REPOSITORY", ""), commit, commit, again=False)
        self._top = top

    @classmethod
    def of(cls, top: Path) -> _Base:
        """Return the base of the pull request that this run is for. Raises UnknownError."""
        commit = _merged_into(top) or str(workflow_commands.event()["pull_request"].get("base", {}).get("sha", ""))
        if not commit:
            raise newest.UnknownError("the event does not name the commit that the pull request goes to")
        return cls(top, commit)

    def write(self, shas: dict[str, str], folder: str, target: Path) -> None:
        """Write the files of a folder, by their names and the ids of their contents."""
        target.mkdir(exist_ok=True)
        for name, sha in shas.items():
            (target / name).write_bytes(self._content(f"{folder}/{name}".lstrip("/"), sha))

    def _content(self, path: str, sha: str) -> bytes:
        try:
            return os.fsencode(newest.git(self._top, "cat-file", "blob", sha))
        except newest.UnknownError:  # it differs from the commit of the pull request, which alone was checked out
            where = f"/repos/{self.event.repository}/contents/{quote(os.fsencode(path))}"
            found = self.caller.ask("GET", where, params={"ref": self.event.ref}).json()
            if not found.get("content"):
                raise newest.UnknownError(f"GitHub does not return the content of `{path}`") from None
            return b64decode(found["content"])


def _merged_into(top: Path) -> str:
    """Return the commit into which GitHub has merged the pull request for this run; empty if it was not checked out.

    The commit in the event may be older.
    """
    is_merge = os.environ.get("GITHUB_REF", "").endswith("/merge")
    if not is_merge or newest.git(top, "rev-parse", "HEAD").strip() != os.environ.get("GITHUB_SHA"):
        return ""
    headers = newest.git(top, "cat-file", "commit", "HEAD").partition("\n\n")[0].splitlines()
    parents = [line.split()[1] for line in headers if line.startswith("parent ")]
    return parents[0] if len(parents) > 1 else ""
