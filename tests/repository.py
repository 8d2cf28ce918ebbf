"""A real Git repository on this machine, and a bare one as its remote."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody with a name, and return what it prints."""
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def make(folder: Path, remote: Path) -> None:
    """Make a repository in a folder, and its remote."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(folder, "remote", "add", "origin", str(remote))


def push(folder: Path, files: Mapping[str, str], branch: str = "main") -> str:
    """Commit all that is there, with these files by their paths, push, and return the commit."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "A change")
    git(folder, "push", "--quiet", "--set-upstream", "origin", branch)
    return git(folder, "rev-parse", "HEAD").strip()
