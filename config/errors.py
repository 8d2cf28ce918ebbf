"""The errors that end a command, each with its exit code.

BackplanError              1   something could not be applied
├── InputError            64   the command line or the goals file is wrong
│   └── GoalsFileError    64   every problem of the goals files, each with its place
├── RefusedError           3   a safety rule forbids it; nothing was written
├── CredentialsError      77   no or wrong credentials
└── MissingError           1   a service has no such thing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from config.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Sequence


class BackplanError(Exception):
    """An error with a message for the user: what happened, where, and what to do."""

    exit_code: ClassVar[int] = 1


class InputError(BackplanError):
    """The command line or a file of the user is wrong."""

    exit_code = 64


class RefusedError(BackplanError):
    """A safety rule forbids the change: a mass change, a missing memory, another account or namespace."""

    exit_code = 3


class CredentialsError(BackplanError):
    """A token is missing, wrong, or lacks a permission."""

    exit_code = 77


class MissingError(BackplanError):
    """A service has nothing with that name or number (any more), or the token may not read it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a goals file, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class GoalsFileError(InputError):
    """The goals files contain mistakes. All of them are in `problems`, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        # Messages repeat what was written, and what was written may be a secret.
        shown = {Problem(problem.place, hide(problem.message)) for problem in problems}
        self.problems = tuple(sorted(shown, key=lambda p: (p.place.file, p.place.line, p.place.column, p.message)))
        super().__init__("\n".join(map(str, self.problems)))
