"""The file of a Markdown list: reads it, and replaces it unless somebody else has changed it in between."""

from __future__ import annotations

import stat
from hashlib import sha256
from typing import TYPE_CHECKING

from config.atomic_write import replace_file
from config.errors import BackplanError
from connectors.markdown.text import lone_return

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class ListFile:
    """A file as it was read, and as it has to be found when it is replaced."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist yet."""
        self.path = path
        self._seen: str | None = None  # digest of the content that was read or written last; None for no file

    def read(self) -> bytes | None:
        """Return the content of the file, which later writes must find unchanged; None if there is no file."""
        raw = self.content()
        self._seen = _digest(raw)
        return raw

    def unchanged(self) -> bytes | None:
        """Return the content that was read. Raises BackplanError if the file has another one now, or is read-only."""
        raw = self.content()
        self._refuse_changed(raw)
        return raw

    def replace(self, new: bytes) -> None:
        """Replace the file in one step. Raises BackplanError if it is no longer as it was read."""
        replace_file(self.path, new, lambda: self._refuse_changed(self.content()))
        self._seen = _digest(new)

    def content(self) -> bytes | None:
        """Return the content of the file now; None if there is no file."""
        if self.path.is_symlink():
            raise BackplanError(f"{self.path}: is a symbolic link; name the file it points to, so that it stays one")
        try:
            kind = stat.S_IFMT(self.path.stat().st_mode)
            if kind != stat.S_IFREG:  # reading a pipe would wait for a writer
                named = _KINDS.get(kind, "no regular file")
                raise BackplanError(f"{self.path}: cannot be read: it is {named}; name a file (nothing was changed)")
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BackplanError(f"{self.path}: cannot be read: {error.strerror}; nothing was changed") from error

    def decode(self, raw: bytes) -> str:
        """Return the text of a file. Raises BackplanError if it is not UTF-8, or its lines end in CR alone."""
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            message = f"{self.path}:{line}: not UTF-8 text; save the file with that encoding (nothing was changed)"
            raise BackplanError(message) from None
        if place := lone_return(text):
            raise BackplanError(
                f"{self.path}:{place[0]}:{place[1]}: lines end in CR alone here, as old Macs wrote them; save the file "
                "with LF or CRLF at the end of each line (nothing was changed)"
            )
        return text

    def _refuse_changed(self, raw: bytes | None) -> None:
        if _digest(raw) != self._seen:
            raise BackplanError(
                f"{self.path}: the file was changed during this command; run it again (nothing was lost)"
            )
        if raw is not None and not self.path.stat().st_mode & stat.S_IWUSR:
            raise BackplanError(f"{self.path}: is read-only; allow writing to it and run again (nothing was changed)")


def _digest(raw: bytes | None) -> str | None:
    return sha256(raw).hexdigest() if raw is not None else None
