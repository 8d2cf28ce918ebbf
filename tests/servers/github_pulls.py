"""Pull requests in the stand-in for GitHub: listed by their branch, and opened for a branch that was pushed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from tests.servers.github import Refused

if TYPE_CHECKING:
    from tests.servers.github import Repo, Token


def listed(repo: Repo, token: Token, query: dict[str, str]) -> list[dict[str, Any]]:
    _allow(token, "read", "write")
    return [one for one in reversed(repo.pulls) if f"{repo.owner}:{one['head']['ref']}" == query["head"]]


def opened(repo: Repo, token: Token, body: dict[str, str]) -> dict[str, Any]:
    _allow(token, "write")
    branches = subprocess.run(
        ["git", "branch", "--list", "--format=%(refname:short)"], cwd=repo.git, capture_output=True, check=True
    )
    there = [one for one in repo.pulls if one["head"]["ref"] == body["head"] and one["state"] == "open"]
    if body["head"] not in branches.stdout.decode().split() or there:
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "field": "head"}])
    repo.number += 1
    pull = {
        "number": repo.number,
        "state": "open",
        "merged_at": None,
        "title": body["title"],
        "body": body["body"],
        "head": {"ref": body["head"]},
        "base": {"ref": body["base"]},
    }
    repo.pulls.append(pull)
    return pull


def _allow(token: Token, *rights: str) -> None:
    if token.permissions is not None and token.permissions.get("pull_requests") not in rights:
        raise Refused(403, "Resource not accessible by integration", "FORBIDDEN")
