"""Reads the earlier deadlines of goals from the git history of the goals file, if it has one."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import GoalsFileError
from config.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.project import Goal
    from sync.schedule.model import Schedule

_MOST_VERSIONS, _MOST_BYTES = 50, 1_000_000  # of a goals file: reading takes about 0.5 s a megabyte
_SECONDS = 5
# The configuration of the repository must not make git run programs.
_LOG = ("log", "--no-show-signature", "--no-ext-diff", "--no-textconv", f"--max-count={_MOST_VERSIONS}")


@dataclass(frozen=True, slots=True)
class Moved:
    """A deadline, and the day on which it was written into the goals file."""

    day: date
    deadline: date


def deadlines(value: Schedule) -> dict[str, list[Moved]]:
    """Return the deadlines of each goal, oldest first, by id; only for goals whose deadline is a day."""
    goals = [goal.goal for goal in value.goals if isinstance(goal.goal.deadline, date)]
    found: dict[str, list[Moved]] = {}
    for name in sorted({goal.origin.source.name for goal in goals}):
        of_file = [goal for goal in goals if goal.origin.source.name == name]
        for day, text in reversed(list(_versions(Path(name)))):
            _add(found, of_file, day, _written(name, text))
        _add(found, of_file, value.today, {goal.id: goal.deadline for goal in of_file} if found else {})
    return found


def _add(found: dict[str, list[Moved]], goals: list[Goal], day: date, written: Mapping[str, Any]) -> None:
    for goal in goals:
        deadline = written.get(goal.id, written.get(goal.title))
        moves = found.get(goal.id, [])
        if deadline is not None and not (moves and moves[-1].deadline == deadline):
            found[goal.id] = [*moves, Moved(day, deadline)]


def _written(name: str, text: str) -> dict[str, date]:
    """Return the deadlines in a version of the file, by the goal's id or, without one, its title."""
    try:
        goals = Source(name, text).value["goals"]
        return {str(goal.get("id") or goal["title"]): date.fromisoformat(str(goal["deadline"])) for goal in goals}
    except (GoalsFileError, LookupError, TypeError, ValueError, AttributeError):
        return {}  # earlier versions may be invalid


def _versions(path: Path) -> Iterator[tuple[date, str]]:
    """Yield the versions of a file that changed a deadline, each with its day, the newest first."""
    log = _git(path.parent, *_LOG, "--format=%H %as", "-G", "deadline", "--", path.name)
    size = 0
    for line in log.splitlines():
        commit, _, day = line.partition(" ")
        text = _git(path.parent, "show", "--no-textconv", f"{commit}:./{path.name}")
        size += len(text)
        if size > _MOST_BYTES:
            return
        yield date.fromisoformat(day), text


def _git(folder: Path, *arguments: str) -> str:
    """Return the output of git; empty without git, or outside of a repository."""
    # A folder may look like a bare repository, with a configuration from anybody: git must not use it as one.
    command = ["git", "-c", "safe.bareRepository=explicit", "--no-pager", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""
