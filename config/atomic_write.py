"""Writes files so that a reader sees the old one or the new one, never a half."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import BackplanError

if TYPE_CHECKING:
    from collections.abc import Callable


def replace_file(path: Path, content: bytes, last_look: Callable[[], None] | None = None) -> None:
    """Put `content` in the place of the file at `path`, keeping its mode; the file need not exist.

    last_look: called right before the new file takes the old one's place; what it raises leaves the old one there.

    Raises BackplanError when the file cannot be written; the old one is then untouched.
    """
    temporary = None
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        if last_look is not None:
            last_look()
        Path(temporary).replace(path)
    except OSError as error:
        raise BackplanError(f"{path}: cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
