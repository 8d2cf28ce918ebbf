"""GitHub's runner as `act` plays it on this machine, with a repository, a cache and stand-ins for others' actions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import repository
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ACT = Path(sys.executable).parent / "act"
STANDINS = Path(__file__).parent / "standins"
TODAY = "2027-07-20"
_FILES = ("action.yml", "pyproject.toml", "README.md", "LICENSE")
_FOLDERS = ("config", "connectors", "sync", "scripts", "requirements")
_USES = re.compile(r"uses: (?P<owner>[\w-]+)/(?P<name>[\w-]+)(?:/[\w/-]+)?@(?P<ref>\S+)")


def checked_out(folder: Path) -> Path:
    """Put the action's files into a folder, as GitHub would check them out."""
    folder.mkdir(exist_ok=True)
    for name in _FILES:
        shutil.copy(ROOT / name, folder)
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@dataclass(frozen=True)
class Done:
    """What a run of a workflow logged, and whether it was green."""

    green: bool
    log: str

    @property
    def annotations(self) -> list[str]:
        """What GitHub would show at the run, or in the files: `level properties::message`."""
        return re.findall(r"::((?:error|warning|notice) title=backplan[^\n]*)", self.log)

    @property
    def summary(self) -> str:
        return self.log[self.log.find("## ") :]


@dataclass
class Runner:
    """A repository with a workflow, and all that its runs need.

    `env` is what the runner's environment says, `token` what a workflow gets for its repository.
    """

    folder: Path
    house: Path
    cache: Path
    env: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def __post_init__(self) -> None:
        repository.make(self.repository, self.remote)

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def remote(self) -> Path:
        return self.folder / "remote"

    def git(self, *arguments: str) -> str:
        return repository.git(self.repository, *arguments)

    def push(self, files: dict[str, str]) -> None:
        """Commit files by their paths, and push."""
        repository.push(self.repository, files)

    @contextmanager
    def at(self, commit: str) -> Iterator[None]:
        """Let events be those of an older commit, while the remote keeps what it has."""
        newest = self.git("rev-parse", "HEAD").strip()
        self.git("reset", "--quiet", "--hard", commit)
        yield
        self.git("reset", "--quiet", "--hard", newest)

    def happens(self, event: str, *, secrets: dict[str, str] | None = None, attempt: int = 1, **payload: Any) -> Done:
        """Let an event happen, and return what the workflow did about it. `attempt`: how often it was started."""
        told_of = {"default_branch": "main", "full_name": "ann/goals", "name": "goals", "owner": {"login": "ann"}}
        told = self.folder / "event.json"  # act takes the ref from the branch that is checked out
        told.write_text(json.dumps({"repository": told_of, **payload}), "utf-8")
        given = {**({"GITHUB_TOKEN": self.token} if self.token else {}), **(secrets or {})}
        said = {**self._said(), "GITHUB_RUN_ATTEMPT": str(attempt)}
        command = [
            *(str(ACT), event, "--eventpath", str(told), "--platform", "ubuntu-latest=-self-hosted"),
            *("--no-cache-server", "--no-skip-checkout", "--json", "--action-cache-path", str(self.folder / "act")),
            *(word for use in self._uses() for word in ("--local-repository", use)),
            *(word for name, value in given.items() for word in ("--secret", f"{name}={value}")),
            *(word for name, value in said.items() for word in ("--env", f"{name}={value}")),
        ]
        done = subprocess.run(
            command, cwd=self.repository, env=self._environment(), capture_output=True, text=True, check=False
        )
        return Done(done.returncode == 0, _log(done.stdout + done.stderr))

    def _uses(self) -> list[str]:
        """Return where each action of the workflow, and of our own action, is found on this machine."""
        files = [*(self.repository / ".github" / "workflows").iterdir(), self.house / "action.yml"]
        found = {match.groups() for file in files for match in _USES.finditer(file.read_text("utf-8"))}
        folders = {name: STANDINS / name for _, name, _ in found if (STANDINS / name).is_dir()} | {
            "backplan": self.house
        }
        return [f"{owner}/{name}@{ref}={folders[name]}" for owner, name, ref in found]

    def _said(self) -> dict[str, str]:
        places = {"CACHE": self.cache, "PYTHON": sys.executable, "REMOTE": self.remote}
        standins = {f"STANDIN_{name}": str(place) for name, place in places.items()}
        return {"BACKPLAN_TODAY": TODAY, "GITHUB_REPOSITORY": "ann/goals", **standins, **self.env}

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BACKPLAN_", "PYTHON"))}
        return {**kept, "HOME": str(self.folder), "NO_COLOR": "1"}


def _log(lines: str) -> str:
    """Return what was logged, without what act says about itself."""
    return "".join(_message(line) for line in lines.splitlines())


def _message(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return f"{line}\n"
    message = str(entry.get("msg", ""))
    return message if message.endswith("\n") else f"{message}\n"
