"""What a service is asked for: tasks as they shall be, and one request for each thing that happens to them."""

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
    """A task is not any more as it was read, so that it was not changed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a title and a description may be, and after how many seconds a list is sure to show what was made."""

    title: int
    text: int
    settles: float = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task as it shall be. `text` is the description with our line in it. ours: it carries our label.

    id: of one that is to be made, where the service takes our ids. above, previous: the ids of the tasks to make it
    below, and to make it after; empty where there is none.
    """

    content: Content
    text: str
    ours: bool = True
    id: str = ""
    above: str = ""
    previous: str = ""


class Shelf(Protocol):
    """How rows are read and written: the tasks of a place, or what its memory stands in. Each method sends one request.

    Raises MissingError where something is not there, CredentialsError where the token is wrong, ChangedError where a
    service that tells notices a change since a row was read, or BackplanError.
    """

    limits: ClassVar[Limits]
    hiding: ClassVar[Hiding]

    def rows(self, *, whole: bool = False) -> Iterable[Row]:
        """Return all rows with our label, open and done; `whole`: all rows of the place, whatever their labels."""

    def row(self, native_id: str) -> Row | None:
        """Return one row; None, or MissingError, where it was deleted."""

    def create(self, wanted: Wanted) -> Row:
        """Make a row. Raises UnknownOutcomeError where it may have been made.

        A service that takes our ids returns what has the id, whoever made it.
        """

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a row: those of the content, or its text."""

    def remove(self, row: Row) -> bool:
        """Delete a row; return False where the token may not."""


class TaskService(Shelf, Protocol):
    """How tasks are read and written in a service. It decides nothing."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    http: ClassVar[Service]
    remedy: ClassVar[str]  # what a person can do to bring a lost memory back

    def __init__(self, options: Any, api: Api) -> None: ...

    def account(self) -> frozenset[str]:
        """Return the names of whoever the token belongs to."""

    def close(self, row: Row) -> Row:
        """Complete a task."""

    def reopen(self, row: Row) -> Row:
        """Open a task again."""

    def keep(self, row: Row, words: str) -> None:
        """Keep words of a person's beside a task."""

    def facts(self) -> list[Check]:
        """Return what there is to say of token and place."""

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as the service stores it, as far as it changes more than white space."""


@runtime_checkable
class Bulk(Protocol):
    """A service that makes several tasks by one request, at most `at_once`."""

    at_once: ClassVar[int]

    def create_many(self, wanted: Sequence[Wanted]) -> list[Row | BackplanError]:
        """Make tasks; return each, or why it was not made. Raises as `create` does where none was, or may have been."""


@runtime_checkable
class Boxed(Protocol):
    """A service that holds the memory elsewhere than in tasks, such as in comments or in a property of the place.

    Its tasks stand at the top; `boxes` are as safe as tasks: each is made once, and several go only when others stand.
    """

    @property
    def boxes(self) -> Shelf:
        """Return what the memory stands in."""
