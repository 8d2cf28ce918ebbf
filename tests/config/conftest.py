"""Fixtures that write goals files into a fresh folder and read them as the program does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config import loader
from config.errors import GoalsFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from config.project import Project

    Files = str | bytes | Mapping[str, str]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Files], Path]:
    """Write one goals file, or a folder of files by name; return the path to load."""

    def write(files: Files) -> Path:
        if isinstance(files, str | bytes):
            path = tmp_path / "goals.yaml"
            path.write_bytes(files.encode() if isinstance(files, str) else files)
            return path
        for name, text in files.items():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        return tmp_path

    return write


@pytest.fixture
def load(write: Callable[[Files], Path]) -> Callable[[Files], Project]:
    """Write files and load them; several are loaded as a folder."""
    return lambda files: loader.load(write(files))


@pytest.fixture
def mistakes(write: Callable[[Files], Path], tmp_path: Path) -> Callable[[Files], list[str]]:
    """Write files that are wrong and return the problems as they are shown, without the folder's name."""

    def mistakes(files: Files) -> list[str]:
        with pytest.raises(GoalsFileError) as caught:
            loader.load(write(files))
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return mistakes
