"""Commits files of the checkout and pushes them: never forced, and again where somebody pushed in the meantime.

Whatever happens, the checkout ends at a commit that the branch has, with these files as that commit has them. All other
files keep their changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from config.display import clean
from sync.action.newest import UnknownError, git

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_TRIES = 3  # somebody may push between our fetch and our push
_AUTHOR = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
# No hook, signature or end of a line by the configuration of the machine: a commit has exactly the edit.
_SETTINGS = (
    *(f"user.name={_AUTHOR[0]}", f"user.email={_AUTHOR[1]}"),
    *(f"core.hooksPath={os.devnull}", "commit.gpgSign=false", "core.safecrlf=false"),
)
_REASON = 300  # characters of what git prints


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of an edit: in the branch, refused (with the reason), or nothing, as it changed no file."""

    result: Literal["pushed", "refused", "nothing"]
    why: str = ""


def push(top: Path, ref: str, files: Sequence[Path], message: str, edit: Callable[[], None], *, to: str = "") -> Pushed:
    """Have `edit` change `files`, commit these, and push the commit to `ref` (`refs/heads/main`) of `origin`.

    top: the root of the checkout, without symbolic links. files: known to git, without changes that are not committed.
    edit: called again after the files were replaced by newer ones, so that it has to read them each time.
    to: another ref to push the commit to; then the checkout and `files` stay as `ref` has them.
    Raises what `edit` raises; the files then are as they were.
    """
    paths = [file.resolve() for file in files]
    if outside := [str(path) for path in paths if not path.is_relative_to(top)]:
        return Pushed("refused", f"{', '.join(outside)} is outside of the checkout")
    branch = _Branch(top, ref, tuple(path.relative_to(top).as_posix() for path in paths), to or ref)
    try:
        return branch.push(message, edit)
    except UnknownError as error:
        return Pushed("refused", _reason(error))


class _Branch:
    """The branch that the checkout is of, and the files that a commit may have."""

    def __init__(self, top: Path, ref: str, files: tuple[str, ...], to: str) -> None:
        self._top = top
        self._ref = ref
        self._to = to
        self._files = files

    def push(self, message: str, edit: Callable[[], None]) -> Pushed:
        """Commit and push. Raises UnknownError if git fails in any other way than a refused push."""
        tip, refusal = self._fetched(), ""
        for _ in range(_TRIES):
            self._refuse_changed()
            self._move_to(tip)
            try:
                edit()
                if not self._changed():
                    return Pushed("nothing")
                self._git("commit", "--quiet", "--no-verify", f"--message={message}", "--only", "--", *self._files)
            except BaseException:
                self._git("checkout", "--quiet", "HEAD", "--", *self._files)
                raise
            refusal = self._refusal()
            if not refusal:
                if self._to != self._ref:
                    self._git("reset", "--quiet", "--keep", tip)
                return Pushed("pushed")
            tip, before = self._fetched_or(tip), tip
            if self._is_ancestor("HEAD", tip):  # the push arrived, and its answer was lost
                return Pushed("pushed")
            if tip == before:
                break
            self._git("reset", "--quiet", "--keep", before)
        self._git("reset", "--quiet", "--keep", tip)
        return Pushed("refused", refusal)

    def _refusal(self) -> str:
        """Push; return why that failed, or an empty text."""
        try:
            self._git("push", "--quiet", "origin", f"HEAD:{self._to}")
        except UnknownError as error:
            return _reason(error)
        return ""

    def _fetched(self) -> str:
        """Return the newest commit of the branch."""
        self._git("fetch", "--quiet", "--no-tags", "origin", self._ref)
        return self._git("rev-parse", "FETCH_HEAD").strip()

    def _fetched_or(self, tip: str) -> str:
        """Return the newest commit of the branch; the one that is known if the remote cannot be asked."""
        try:
            return self._fetched()
        except UnknownError:
            return tip

    def _move_to(self, tip: str) -> None:
        """Let the checkout have the newest commit; files with changes of their own keep them, or git refuses."""
        if not self._is_ancestor("HEAD", tip):
            raise UnknownError(f"the checkout has commits that are not in {self._ref}")
        self._git("reset", "--quiet", "--keep", tip)

    def _refuse_changed(self) -> None:
        self._git("ls-files", "--error-unmatch", "--", *self._files)
        if self._changed():
            raise UnknownError(f"{', '.join(self._files)} has changes that are not committed")

    def _changed(self) -> bool:
        return bool(self._git("status", "--porcelain", "--", *self._files))

    def _is_ancestor(self, commit: str, of: str) -> bool:
        return self._git("rev-list", "--max-count=1", commit, f"^{of}") == ""

    def _git(self, *arguments: str) -> str:
        settings = (word for setting in _SETTINGS for word in ("-c", setting))
        return git(self._top, "-C", str(self._top), "--work-tree=.", "--literal-pathspecs", *settings, *arguments)


def _reason(error: UnknownError) -> str:
    return clean(str(error))[:_REASON]
