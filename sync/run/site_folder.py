"""Writes the files of a site into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.atomic_write import replace_file
from config.errors import BackplanError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OURS = b'<meta name="generator" content="backplan">'


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files that changed, and remove our pages of goals that do not exist any more.

    Raises BackplanError if something cannot be written, or if a page there is not ours.
    """
    for name in files:
        if name.endswith(".html") and (folder / name).is_file() and _OURS not in (folder / name).read_bytes():
            raise BackplanError(
                f"{folder / name}: is not a page of backplan, and would be overwritten; name another folder"
            )
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            same = path.is_file() and path.read_bytes() == content
        except OSError as error:
            raise BackplanError(f"{path}: cannot be written: {error.strerror}; name another folder") from error
        if not same:
            replace_file(path, content)
    for path in folder.glob("*/*.html"):
        if path.relative_to(folder).as_posix() not in files and _OURS in path.read_bytes():
            path.unlink()
            path.with_suffix(".ics").unlink(missing_ok=True)
