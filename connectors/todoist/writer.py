"""Turns writes into Todoist's commands, and the answers into results.

The uuid of a command that creates something derives from what it creates: (container, key, generation) for a task, the
container for the memory. Todoist carries out a uuid once, and answers a repetition with the same id. Other commands
have random uuids: with a uuid derived from their content, the second A of A -> B -> A would be ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from config.errors import BackplanError
from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.stored import cut
from connectors.todoist import memory as todoist_memory
from connectors.todoist.answers import zone
from connectors.todoist.description import with_marker
from connectors.todoist.fields import Form, changed_fields, completion, new_fields, too_long
from connectors.todoist.objects import Command, derived_uuid, with_ids
from connectors.todoist.order import Order
from connectors.todoist.outcomes import Outcomes
from connectors.todoist.setup import memory_commands
from connectors.todoist.tasks import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.model import StoredGoal
    from connectors.todoist.answers import Item
    from connectors.todoist.api import Client
    from connectors.todoist.reader import Reading

_LEAVING = (Action.REMOVE, Action.DETACH)
_MISSING = "Todoist has no such task any more"


@dataclass
class _Job:
    """One write with its commands. `made` is the temporary id of the task that it creates.

    `keeping` adds a comment with what a user wrote, before the commands overwrite it.
    """

    write: Write | StoreWrite
    commands: list[Command] = field(default_factory=list)
    keeping: list[Command] = field(default_factory=list)
    made: str = ""
    error: str | None = None


class Batch:
    """Carries out a batch of writes."""

    def __init__(self, reading: Reading, client: Client, page: str) -> None:
        """`reading` contains the account as it was read. page: the address that markers link to; empty for none."""
        self._reading = reading
        self._listing = reading.listing
        self._client = client
        self._form = Form(reading.listing.limits, page)
        # Of two with one key, the newer one counts: the older one may have lost its key to it.
        self._ids = {task.marker.key: task.native_id for task in snapshot_of(reading).tasks}
        self._order = Order(reading, self._ids)
        self._reopened: set[str] = set()
        self._outcomes = Outcomes(reading, client)

    def carry_out(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out the writes in order; return the result of each."""
        self._learn_ids(batch)
        jobs = [self._job(write) for write in batch]
        self._keep([one for one in jobs if one.keeping])
        self._send(jobs)
        answers = [self._answer(one) for one in jobs]
        for write, answer in zip(batch, answers, strict=True):
            if isinstance(write, StoreWrite) and answer.error is None:
                self._reading.memory = write.memory  # for later batches of the run
        return answers

    def _learn_ids(self, batch: Sequence[Write | StoreWrite]) -> None:
        """Read the completed tasks, which removals depend on; store which task has which key from now on."""
        writes = [write for write in batch if isinstance(write, Write)]
        if any(write.action is Action.REMOVE for write in writes):
            self._reading.see_completed(self._client)
        for write in batch:
            if isinstance(write, StoreWrite):
                self._take_over(write.memory)
        staying = (write for write in writes if write.native_id and write.action not in _LEAVING)
        self._ids |= {write.key: write.native_id for write in staying}

    def _send(self, jobs: Sequence[_Job]) -> None:
        """Send the commands of all writes in one request, and store the outcomes."""
        commands = [command for one in jobs for command in one.commands] + self._order.commands()
        if not commands:
            return
        before = self._listing.token
        remembering = (c.uuid for one in jobs if isinstance(one.write, StoreWrite) for c in one.commands)
        self._outcomes.add(self._client.carry_out(commands, self._listing, frozenset(remembering)))
        self._outcomes.look_up(before)
        self._once_more([one for one in jobs if one.made and one.commands[0].uuid in self._outcomes.refused])

    def _take_over(self, memory: Mapping[str, StoredGoal]) -> None:
        """Store the ids of tasks that this place takes over from another one: new tasks are created below them."""
        for goal in memory.values():
            for key, entry in goal.keys.items():
                if entry.native_id in self._listing.items:
                    self._ids.setdefault(key, entry.native_id)

    def _keep(self, keeping: Sequence[_Job]) -> None:
        """Add the comments with the words of users; where that fails, nothing is overwritten."""
        if not keeping:
            return
        errors = self._client.carry_out([command for one in keeping for command in one.keeping], self._listing).errors
        for one in keeping:
            if error := next((errors[command.uuid] for command in one.keeping if command.uuid in errors), None):
                one.error = f"the words of the user there could not be kept in a comment: {error}"
                one.commands = []

    def _job(self, write: Write | StoreWrite) -> _Job:
        if isinstance(write, StoreWrite):
            commands = memory_commands(self._reading, write.memory) if self._reading.container.memory else []
            return _Job(write, commands)
        if write.content and (error := too_long(write, self._form)):
            return _Job(write, error=error)
        if write.action is Action.CREATE:
            return self._create(write)
        item = self._listing.items.get(write.native_id)
        if item is None or item.is_deleted:
            return _Job(write, error=_MISSING)
        kept = cut(write.kept, todoist_memory.LONGEST)
        keeping = [Command("note_add", {"item_id": item.id, "content": text}) for text in kept]
        return _Job(write, self._changes(write, item), keeping)

    # Creating

    def _create(self, write: Write) -> _Job:
        assert write.content is not None  # noqa: S101  # a create has both
        assert write.marker is not None  # noqa: S101
        container = self._reading.container
        uuid = derived_uuid(
            "task", container.memory.id if container.memory else str(container.name), write.marker.nonce
        )
        temp_id = derived_uuid("temporary", uuid)
        parent_id = self._parent(write.parent)
        order = self._order.place(write, parent_id, temp_id)
        args = new_fields(write, write.content, self._form) | self._place(parent_id)
        if order is not None:
            args["child_order"] = order
        command = Command("item_add", args, uuid, temp_id)
        self._ids[write.key] = command.temp_id
        return _Job(write, [command], made=command.temp_id)

    def _parent(self, key: str | None) -> str | None:
        """Return the id, perhaps a temporary one, of the parent task; None if it is completed or deleted."""
        native_id = self._ids.get(key or "")
        item = self._listing.items.get(native_id or "")
        if item is not None and (item.is_deleted or (item.checked and item.id not in self._reopened)):
            return None
        return native_id

    def _place(self, parent_id: str | None) -> dict[str, Any]:
        return {"parent_id": parent_id} if parent_id else self._reading.container.arguments

    def _once_more(self, refused: Sequence[_Job]) -> None:
        """Send refused tasks again as new commands: Todoist may refuse the same uuid for ever.

        Commands with an unknown result are not sent again: their tasks would be created twice. If the parent is
        deleted, the task is created without one.
        """
        commands = [self._renewed(one.commands[0]) for one in refused]
        if not commands:
            return
        try:
            outcome = self._client.carry_out(commands, self._listing)
        except BackplanError:
            return  # the first answer counts
        for one, command in zip(refused, commands, strict=True):
            self._outcomes.forget(one.commands[0])
            one.commands[0] = command
        self._outcomes.add(outcome)

    def _renewed(self, command: Command) -> Command:
        args = with_ids(command.args, self._outcomes.created)
        if self._outcomes.is_deleted(args.get("parent_id", "")):
            del args["parent_id"]
            args |= self._place(None)
        return replace(command, args=args, uuid=str(uuid4()))

    # Changing

    def _changes(self, write: Write, item: Item) -> list[Command]:
        if write.action is Action.REMOVE:
            if self._reading.has_finished_work(item.id):  # it would be deleted, too: the task is only detached
                return [Command("item_update", {"id": item.id, "description": with_marker(item.description, None)})]
            return [Command("item_delete", {"id": item.id})]
        commands = []
        if write.action is Action.REOPEN:
            self._reopened.add(item.id)
            commands.append(Command("item_uncomplete", {"id": item.id}))
        if "parent" in write.fields:  # before its marker changes: a run may end in between
            commands.append(Command("item_move", {"id": item.id, **self._place(self._parent(write.parent))}))
        if args := changed_fields(write, item, self._form):
            commands.append(Command("item_update", {"id": item.id, **args}))
        if write.action is Action.COMPLETE:
            now = self._client.now.astimezone(zone(self._listing.user.timezone))
            commands.append(completion(write, item, now))
        return commands

    # Answering

    def _answer(self, one: _Job) -> WriteResult:
        error = one.error or self._outcomes.error(one.commands)
        native_id = getattr(one.write, "native_id", "")
        if one.made:
            native_id = self._outcomes.created.get(one.made, "")
        if error is None and native_id in self._outcomes.unknown:
            error = "an earlier run created the task; whether it still exists could not be read: run again"
        if error is not None:
            return WriteResult(error=error)
        return WriteResult(native_id, gone=bool(one.made) and self._outcomes.is_deleted(native_id))
