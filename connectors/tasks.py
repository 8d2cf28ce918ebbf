"""The requests to a service that holds tasks, and the wanted state of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from config.errors import BackplanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.base import Capabilities, Check
    from connectors.http import Api, Service
    from connectors.model import Content
    from connectors.snapshot import Hiding, Row

TEXT = "text"


class ChangedError(BackplanError):
    """A task was not written, because it has changed since it was read."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest title and description. settles: seconds after which a list contains all rows that were created."""

    title: int
    text: int
    settles: float = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wanted state of a task. `text` is the description with our line in it. ours: it has our label.

    id: the id of a new task, if the service accepts ours. above, previous: the ids of the tasks below and after which
    to create it; empty for none.
    """

    content: Content
    text: str
    ours: bool = True
    id: str = ""
    above: str = ""
    previous: str = ""


class Shelf(Protocol):
    """Rows to read and write: the tasks of a place, or the boxes of its memory. Each method sends one request.

    Raises MissingError if something does not exist, CredentialsError if the token is invalid, ChangedError if the
    service can detect changes and the row has changed since it was read, or BackplanError.
    """

    limits: ClassVar[Limits]
    hiding: ClassVar[Hiding]

    def rows(self, *, whole: bool = False) -> Iterable[Row]:
        """Return all rows with our label, open and done; `whole`: all rows of the place, with any labels."""

    def row(self, native_id: str) -> Row | None:
        """Return one row. If it was deleted, return None or raise MissingError."""

    def create(self, wanted: Wanted) -> Row:
        """Create a row. Raises UnknownOutcomeError if it may have been created.

        A service that accepts our ids returns the row with the id, even if another run created it.
        """

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a row: those of the content, or its text."""

    def remove(self, row: Row) -> bool:
        """Delete a row; return False if the token is not allowed to."""


class TaskService(Shelf, Protocol):
    """The tasks of a service to read and write. It makes no decisions."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    http: ClassVar[Service]
    remedy: ClassVar[str]  # how the user can restore a lost memory

    def __init__(self, options: Any, api: Api) -> None: ...

    def account(self) -> frozenset[str]:
        """Return the names of the owner of the token."""

    def close(self, row: Row) -> Row:
        """Complete a task."""

    def reopen(self, row: Row) -> Row:
        """Open a task again."""

    def keep(self, row: Row, words: str) -> None:
        """Store a text of the user's beside a task, such as in a comment."""

    def facts(self) -> list[Check]:
        """Return checks of the token and the place."""

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as the service stores it. Changes of white space need not be included."""


@runtime_checkable
class Bulk(Protocol):
    """A service that can create several tasks in one request, at most `at_once`."""

    at_once: ClassVar[int]

    def create_many(self, wanted: Sequence[Wanted]) -> list[Row | BackplanError]:
        """Create tasks; return each, or its error. Raises as `create` does if none was created, or if it is unknown."""


@runtime_checkable
class Nesting(Protocol):
    """A service in which tasks are below others. Completing or deleting one leaves those below it as they are."""

    def move(self, row: Row, above: str) -> Row:
        """Move a task below the one with the id `above`; below none if that is empty."""


@runtime_checkable
class Boxed(Protocol):
    """A service that holds the memory outside of tasks, such as in comments or in a property of the place.

    `boxes` are written as safely as tasks: each is created once, and old ones are removed after new ones are created.
    """

    @property
    def boxes(self) -> Shelf:
        """Return the rows that hold the memory."""
