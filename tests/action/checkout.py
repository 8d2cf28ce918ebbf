"""What `actions/checkout` has put there for a run, with GitHub as its remote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import repository

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.github_server import GitHubServer


@dataclass
class Checkout:
    """The commit of an event, of a branch that may have moved on."""

    folder: Path
    server: GitHubServer
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        repo = self.server.service.repo
        repo.git = self.folder / ".git" / "of the remote"
        repository.make(self.folder, repo.git)
        token = self.server.service.workflow_token(repo, contents="read").text
        self.env = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.server.base,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REPOSITORY": repo.full_name,
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKFLOW": "backplan",
            "WORKFLOW_TOKEN": token,
        }

    def push(self, files: dict[str, str], *removed: str) -> None:
        """Push a commit, which is that of the event from now on."""
        for name in removed:
            self.git("rm", "-r", "--quiet", name)
        self.env["GITHUB_SHA"] = repository.push(self.folder, files, self.branch)

    def moves_on(self, files: dict[str, str], *removed: str) -> None:
        """Push a commit of which this run knows nothing."""
        commit = self.env["GITHUB_SHA"]
        self.git("reset", "--quiet", "--hard", f"origin/{self.branch}")
        self.push(files, *removed)
        self.env["GITHUB_SHA"] = commit
        self.git("reset", "--quiet", "--hard", commit)

    def git(self, *arguments: str) -> str:
        return repository.git(self.folder, *arguments)

    @property
    def branch(self) -> str:
        return self.env["GITHUB_REF"].removeprefix("refs/heads/")
