"""Reads all goals files into one project, and reports everything that is wrong in them, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import people
from config.errors import GoalsFileError, InputError, Problem
from config.pull_request import refuse_outside
from config.resolve import Resolver
from config.source import Source
from config.validate import GoalsFile, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.project import Project

DEFAULT_PATHS = (Path("goals.yaml"), Path("config/goals.yaml"))
_NEAR = tuple(map(Path, ("goals.yml", "goals", "../goals.yaml", "../config/goals.yaml", "../../goals.yaml")))
SUFFIXES = {".yaml", ".yml"}
_ONE_PER_PROJECT = (
    *("namespace", "timezone", "prune", "on_delete", "deadlines"),
    *("account", "capacity", "heartbeat", "page", "digest"),
)


def find(path: Path | None) -> Path:
    """Return the goals file or folder to read. Raises InputError when there is none."""
    if path is not None:
        if not _holds(path.exists):
            raise InputError(f"{path}: no such file or folder; `backplan init` writes a goals file")
        return path
    for candidate in DEFAULT_PATHS:
        if candidate.is_file():
            return candidate
    near = next((path for path in _NEAR if _holds(path.exists)), None)
    there = (
        f"{near} is there: `--goals {near}` names it" if near else "`backplan init` writes one, --goals PATH names one"
    )
    raise InputError(f"goals.yaml: not found here nor in config/; {there}")


def _holds(question: Callable[[], bool]) -> bool:
    """Return the answer of a path; False if the question fails, for example because the name is too long."""
    try:
        return question()
    except OSError:
        return False


def load(path: Path, edited: Mapping[str, str] | None = None) -> Project:
    """Read the goals file, or all goals files of a folder, as one project.

    edited: texts to read in place of those of some files, by the names of these.
    Raises GoalsFileError with every problem of every file, InputError when a file cannot be read at all.
    """
    problems: list[Problem] = []
    names = _files(path)
    files = [file for name in names if (file := _read(name, problems, edited or {}))]
    complete = len(files) == len(names) and all(file.complete for file in files)
    resolver = Resolver(_one_folder(path), incomplete=not complete)
    for file in files:
        resolver.add(file)
    project = resolver.project(_project_settings(files, problems))
    problems.extend(resolver.problems)
    problems.extend(people.problems(files, project) if complete else ())
    if problems:
        raise GoalsFileError(problems)
    return project


def _files(path: Path) -> list[Path]:
    if not _holds(path.is_dir):
        return [path]
    names = sorted(name for name in path.iterdir() if name.suffix in SUFFIXES and name.is_file())
    if not names:
        raise InputError(f"{path}: holds no goals file (*.yaml)")
    return names


def _one_folder(path: Path) -> Path:
    return path if _holds(path.is_dir) else path.parent


def _read(path: Path, problems: list[Problem], edited: Mapping[str, str]) -> GoalsFile | None:
    refuse_outside(path)
    try:
        text = edited.get(str(path))
        source = Source.read(path, str(path)) if text is None else Source(str(path), text)
    except GoalsFileError as error:
        problems.extend(error.problems)
        return None
    problems.extend(source.problems)
    return validate(source, problems)


def _project_settings(files: list[GoalsFile], problems: list[Problem]) -> dict[str, Any]:
    """Return the settings of the whole project; the files of a folder must agree on them."""
    chosen: dict[str, Any] = {}
    for file in files:
        for name in _ONE_PER_PROJECT:
            if name not in file.settings.model_fields_set:
                continue
            value = getattr(file.settings, name)
            if chosen.setdefault(name, value) != value:
                place = file.source.place_of_key((name,))
                problems.append(
                    Problem(place, f"`{name}` is {chosen[name]!r} in another file of this folder; they must agree")
                )
    return chosen
