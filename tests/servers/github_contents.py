"""The files of a repository, as the stand-in for GitHub shows them: what a real Git repository on this machine has."""

from __future__ import annotations

import base64
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.servers.github import Refused

if TYPE_CHECKING:
    from pathlib import Path

MOST_LISTED = 1000
_TYPES = {"040000": "dir", "120000": "symlink", "160000": "file"}  # a submodule is listed as a file


@dataclass(frozen=True)
class Entry:
    """One entry of a tree, as `git ls-tree --long` tells it."""

    mode: str
    kind: str
    sha: str
    size: int
    path: str

    @property
    def type(self) -> str:
        return _TYPES.get(self.mode, "file")


def contents(git: Path | None, ref: str | None, path: str, url: str) -> Any:
    """Return what is at a path: a list for a folder, an object with the content for a file. `url`: the repository's."""
    if git is None:
        raise Refused(404, "This repository is empty.", "NOT_FOUND")
    commit = _commit(git, ref or "HEAD")
    inside = f"{path}/" if path else ""
    if listed := _entries(git, commit, inside):
        return [_json(entry, ref, url) for entry in listed[:MOST_LISTED]]
    found = _entries(git, commit, path)
    if not found:
        raise Refused(404, "Not Found", "NOT_FOUND")
    (entry,) = found
    text = base64.encodebytes(_run(git, "cat-file", "blob", entry.sha)).decode()
    return {**_json(entry, ref, url), "content": text, "encoding": "base64"}


def _commit(git: Path, ref: str) -> str:
    try:
        return _run(git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError:
        raise Refused(404, f"No commit found for the ref {ref}", "NOT_FOUND") from None


def _entries(git: Path, commit: str, path: str) -> list[Entry]:
    listed = _run(git, "ls-tree", "-z", "--long", commit, *(["--", path] if path else []))
    found = (entry.split("\t", 1) for entry in os.fsdecode(listed).split("\0") if entry)
    return [Entry(mode, kind, sha, int(size) if size.isdigit() else 0, name)
            for about, name in found for mode, kind, sha, size in [about.split()]]  # fmt: skip


def _json(entry: Entry, ref: str | None, url: str) -> dict[str, Any]:
    at = quote(entry.path)
    here = f"{url}/contents/{at}?ref={quote(ref or 'HEAD')}"
    there, page = f"{url}/git/{entry.kind}s/{entry.sha}", f"{url}/{entry.kind}/{at}"
    return {
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size,
        "url": here,
        "html_url": page,
        "git_url": there,
        "download_url": f"{url}/raw/{at}" if entry.kind == "blob" else None,
        "type": entry.type,
        "_links": {"self": here, "git": there, "html": page},
    }


def _run(git: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", f"--git-dir={git}", *arguments], capture_output=True, check=True)
    return done.stdout
