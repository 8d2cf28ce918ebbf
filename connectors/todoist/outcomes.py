"""The outcomes of the commands of a batch: their errors, the ids of new tasks, and whether those tasks still exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.todoist.api import WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.todoist.api import Client
    from connectors.todoist.objects import Command, Outcome
    from connectors.todoist.reader import Reading

_COMPLETING = ("item_close", "item_complete")


class Outcomes:
    """The outcomes of all commands that were sent so far.

    - `refused`: the uuids of commands that Todoist did not carry out
    - `created`: the ids of new tasks by their temporary ids
    - `unknown`: the ids of those new tasks of which it is not known whether they still exist
    """

    def __init__(self, reading: Reading, client: Client) -> None:
        """`reading` contains the account as it was read."""
        self.refused: set[str] = set()
        self.created: dict[str, str] = {}
        self.unknown: set[str] = set()
        self._errors: dict[str, str] = {}  # by uuid
        self._reading = reading
        self._client = client

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of a request."""
        self._errors |= outcome.errors
        self.refused |= outcome.refused
        self.created |= outcome.ids

    def forget(self, command: Command) -> None:
        """Forget the error of a command that is sent again under another uuid."""
        self._errors.pop(command.uuid)

    def error(self, commands: Iterable[Command]) -> str | None:
        """Return the first error that matters."""
        failed = (command for command in commands if self._errors.get(command.uuid) and self._matters(command))
        return next((self._errors[command.uuid] for command in failed), None)

    def _matters(self, command: Command) -> bool:
        """Return whether an error matters: it does not if the task is completed or deleted already."""
        item = self._reading.listing.items.get(command.args.get("id", ""))
        if command.kind in _COMPLETING:
            return item is None or not item.checked
        return command.kind != "item_delete" or (item is not None and not item.is_deleted)

    def look_up(self, before: str) -> None:
        """Request the tasks that Todoist has created and does not list: an earlier run created them.

        `before` is the token of the listing before the commands.
        """
        if not self._hidden:
            return
        try:
            self._client.refresh(self._reading.listing, before)
            if self._hidden:
                self._reading.ask_for(self._hidden, self._client, (self._client.now - WINDOW).date())
        except BackplanError:
            self.unknown = self._hidden

    @property
    def _hidden(self) -> set[str]:
        return set(self.created.values()) - self._reading.listing.items.keys()

    def is_deleted(self, native_id: str) -> bool:
        """Return whether a task that the commands created is known to be deleted: an earlier run created it."""
        item = self._reading.listing.items.get(native_id)
        known = native_id in self.created.values() and native_id not in self.unknown
        return known and (item is None or item.is_deleted)
