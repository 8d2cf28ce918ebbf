"""Checks that the checked-out goals file is the newest of its branch: otherwise a workflow must not write tasks.

A workflow that checks out the commit of its event has an old file if an old run is started again, or had to wait.
- The content of the commit is read with git. The working files may differ: by an earlier step of the workflow, line
  endings, LFS or symbolic links.
- The current content of the branch is read from GitHub: the checkout may have no credentials any more.
- Only goals files count: when backplan itself pushes `todo.md`, none of them becomes old.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from config import loader
from config.errors import BackplanError, CredentialsError, MissingError

if TYPE_CHECKING:
    from sync.action.github_api import Caller

_BUDGET = 20.0  # seconds
_MOST_LISTED = 1000  # of a folder: GitHub leaves out the others without a note
_REMEDY = "Write `permissions: {contents: read}` in the job"
_ONLY_PLANNED = "So it only plans, and changes no task."


@dataclass(frozen=True, slots=True)
class Age:
    """Whether a goals file is old, or has to count as old, and a sentence on it."""

    old: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """The event that started the run: a commit of a ref (`refs/heads/main`) of a repository (`owner/name`)."""

    repository: str
    ref: str
    commit: str
    again: bool

    @classmethod
    def current(cls) -> Self | None:
        """Return GitHub's event; None outside of GitHub Actions."""
        if os.environ.get("GITHUB_ACTIONS") != "true":
            return None
        repository, ref, commit, attempt = (
            os.environ.get(f"GITHUB_{name}", "") for name in ("REPOSITORY", "REF", "SHA", "RUN_ATTEMPT")
        )
        return cls(repository, ref, commit, attempt not in ("", "1")) if repository and ref and commit else None

    @property
    def branch(self) -> str:
        """The short name of the ref, for messages."""
        return self.ref.removeprefix("refs/heads/")


class UnknownError(Exception):
    """The newest files could not be found out."""


def age(path: Path) -> Age:
    """Return the age of the goals file, or the folder of them, at `path`.

    If it cannot be found out, the file counts as old in a run that was started again, and as new in any other.
    """
    event = Event.current()
    if event is None:
        return Age()
    try:
        return Age(old=True, note=_old(path, event)) if _is_old(path, event) else Age()
    except UnknownError as error:
        return Age(event.again, _unknown(path, event, str(error)))


def _is_old(path: Path, event: Event) -> bool:
    """Return whether the branch now has other goals files than the event's commit, if that was checked out."""
    files = Files.at(path)
    top = checkout(files.folder)
    if git(top, "rev-parse", "HEAD").strip() != event.commit:
        return False  # the workflow checks out another commit, perhaps the newest
    folder = "" if files.folder == top else files.folder.relative_to(top).as_posix()
    ours = files.among(_committed(top, folder))
    return (
        bool(ours) and files.among(_newest(event, folder)) != ours
    )  # the workflow created files that are not committed


@dataclass(frozen=True, slots=True)
class Files:
    """The goals files of a folder: one, by its name, or (None) all that are there."""

    folder: Path
    name: str | None

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the goals files that a path means: all of a folder, or one file; symbolic links are followed."""
        target = path.resolve()
        return cls(target, None) if target.is_dir() else cls(target.parent, target.name)

    def among(self, contents: dict[str, str]) -> dict[str, str]:
        """Return the goals files among the contents of a folder."""
        return {name: content for name, content in contents.items() if self._is_one(name)}

    def _is_one(self, name: str) -> bool:
        return Path(name).suffix in loader.SUFFIXES if self.name is None else name == self.name


# The checked-out files


def checkout(folder: Path) -> Path:
    """Return the root of the checkout that contains a folder. Raises UnknownError if there is none."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    raise UnknownError("it is in no git repository: install git before `actions/checkout` runs")


def _committed(top: Path, folder: str) -> dict[str, str]:
    """Return the ids of the files of a folder in the commit, by name."""
    listed = git(top, "ls-tree", "-z", "HEAD", *(["--", f"{folder}/"] if folder else []))
    entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
    return {path.rpartition("/")[2]: about.split()[2] for about, path in entries}


def git(top: Path, *arguments: str) -> str:
    """Return what git prints about the checkout at `top`. Raises UnknownError."""
    # Without this option, git searches for a repository, and may use one that is not ours.
    command = ["git", f"--git-dir={top / '.git'}", *arguments]
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}  # no question; messages in English
    try:
        done = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL, env=env)  # noqa: S603  # no shell
    except OSError as error:
        raise UnknownError(f"git failed: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        raise UnknownError(f"git failed: {os.fsdecode(error.stderr).strip()}") from None
    return os.fsdecode(done.stdout)


# The newest files


def _newest(event: Event, folder: str) -> dict[str, str]:
    """Return the ids of the files of a folder in the branch now, by name."""
    from sync.action.github_api import Caller

    token = os.environ.get("WORKFLOW_TOKEN")  # its own: the one for GitHub Issues may be another repository's
    if not token:
        raise UnknownError("the workflow has no token")
    try:
        return contents(Caller(token, _BUDGET), event, folder)
    except (CredentialsError, MissingError) as error:
        raise UnknownError(f"{error}. {_REMEDY}") from None
    except BackplanError as error:
        raise UnknownError(str(error)) from None


def contents(caller: Caller, event: Event, folder: str) -> dict[str, str]:
    """Return the ids of what a folder has at the event's ref, by name; empty where there is no such folder."""
    try:
        return _listed(caller, event, folder)
    except MissingError:
        if not folder:
            raise
        _listed(caller, event, "")  # GitHub also answers 404 if the token may not read
        return {}


def _listed(caller: Caller, event: Event, folder: str) -> dict[str, str]:
    path = f"/repos/{event.repository}/contents/{quote(os.fsencode(folder))}"
    entries = caller.ask("GET", path, params={"ref": event.ref}).json()
    try:
        listed = {entry["name"]: entry["sha"] for entry in entries}
    except (TypeError, KeyError):
        listed = {}
    if not 0 < len(listed) < _MOST_LISTED:  # git keeps no empty folder
        raise UnknownError("GitHub's list of the folder is not complete")
    return listed


# Sentences


def _old(path: Path, event: Event) -> str:
    return (
        f"This run has an old `{path.as_posix()}`: the branch `{event.branch}` has a newer one. {_ONLY_PLANNED} "
        f"{_todo()} For runs that take the newest file by themselves, write `ref: ${{{{ github.ref }}}}` in the "
        "workflow, below `with:` of `actions/checkout`, in the job that syncs."
    )


def _unknown(path: Path, event: Event, why: str) -> str:
    what = f"Whether `{path.as_posix()}` is the newest of the branch `{event.branch}` could not be found out: {why}."
    if event.again:
        return f"{what} This run was started again, so its file may be an old one. {_ONLY_PLANNED} {_todo()}"
    return f"{what} This run goes on with the file as it was checked out."


def _todo() -> str:
    workflow = os.environ.get("GITHUB_WORKFLOW") or "the workflow"
    return f"To bring the tasks up to date, start a new run: open Actions > {workflow}, and press Run workflow."
