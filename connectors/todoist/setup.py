"""Creates the missing parts of a place in Todoist: project, section, and the task with the memory; writes the memory.

The uuids derive from the names of the place. So concurrent or interrupted runs create it only once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.todoist import memory as todoist_memory
from connectors.todoist.container import find_container, repairs, stores
from connectors.todoist.objects import Command, derived_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.model import StoredGoal
    from connectors.todoist.api import Client
    from connectors.todoist.objects import Outcome
    from connectors.todoist.reader import Reading

_ATTEMPTS = 8  # at most, if each uuid created something that is deleted


class SetUp:
    """Creates the missing parts of a container: the project, the section, and the task with the memory."""

    def __init__(self, reading: Reading, client: Client) -> None:
        """`reading` contains the account as it was read."""
        self._reading = reading
        self._client = client
        self._others = {store.item.id for store in stores(reading.listing, reading.namespace)}  # memories of others

    def carry_out(self, memory: Mapping[str, StoredGoal]) -> str | None:
        """Create everything in one request; return the error, if any.

        - If a uuid was used before, and what it created is deleted, another uuid is used.
        - If the memory exists and was not found, because a user changed its task or another run has just created it,
          the task is repaired, and comments of ours are not overwritten.
        """
        self._find()  # another place of this run may have created the project
        refused = None
        if self._others and self._reading.container.project is None:
            refused = self._until_there({}, only_project=True)  # an earlier one may have been renamed
        return refused or self._until_there(memory)

    def _until_there(self, memory: Mapping[str, StoredGoal], *, only_project: bool = False) -> str | None:
        deleted, refused = self._attempt(memory, "", only_project=only_project)
        for _ in range(_ATTEMPTS):
            if deleted:
                deleted, refused = self._attempt(memory, deleted, only_project=only_project)
        if refused is None:
            self._find()
        return refused

    def _find(self, memory_id: str = "") -> None:
        """Find the container again in the updated listing."""
        reading = self._reading
        found = find_container(reading.listing, reading.container.name, reading.namespace, reading.others)
        known = reading.container.memory or reading.listing.items.get(memory_id)
        reading.container = replace(found, memory=found.memory or known)

    def _attempt(self, memory: Mapping[str, StoredGoal], salt: str, *, only_project: bool) -> tuple[str, str | None]:
        """Return the ids of deleted things, for which other uuids have to be used, and the error, if any.

        salt: makes these uuids differ from earlier ones. Two concurrent runs find the same things deleted.
        """
        comments = [text for texts in todoist_memory.write(memory).values() for text in texts]
        commands = self._commands(comments, salt)[: 1 if only_project else None]
        outcome, makers, made = self._make(commands)
        if refused := self._archived(makers, outcome.ids):
            return "", refused
        if deleted := [native_id for native_id in made if native_id and self._is_gone(native_id)]:
            return " ".join(deleted), "the project, section or memory was deleted while it was created; run again"
        if outcome.errors:
            return "", next(iter(outcome.errors.values()))
        if only_project or self._reading.container.memory is not None:
            return "", None
        return "", self._check_comments(made[-1], memory, comments)

    def _make(self, commands: Sequence[Command]) -> tuple[Outcome, list[Command], list[str]]:
        """Send the commands; return the outcome, the commands that create something, and the new ids.

        An id is empty where Todoist returned none.
        """
        listing = self._reading.listing
        before = listing.token
        outcome = self._client.carry_out(commands, listing)
        makers = [command for command in commands if command.temp_id]
        known = listing.items | listing.projects | listing.sections
        made = [outcome.ids.get(command.temp_id, "") for command in makers]
        if any(native_id not in known for native_id in made):
            self._client.refresh(listing, before)
        return outcome, makers, made

    def _check_comments(self, memory_id: str, memory: Mapping[str, StoredGoal], comments: Sequence[str]) -> str | None:
        """Use a task of the memory that has other comments; return why nothing more can be done in this run."""
        there = todoist_memory.by_goal(self._reading.listing.notes_of(memory_id))
        if sorted(note.content for notes in there.values() for note in notes) == sorted(comments):
            return None
        return self._take_over(memory_id, memory, overwritten=bool(there))

    def _take_over(self, memory_id: str, memory: Mapping[str, StoredGoal], *, overwritten: bool) -> str | None:
        """Use the task that an earlier run made for the memory; return why nothing more can be done in this run."""
        self._find(memory_id)
        reading = self._reading
        mending = repairs(reading.container, reading.namespace) if overwritten else memory_commands(reading, memory)
        mended = self._client.carry_out(mending, reading.listing)
        if mended.errors:
            return next(iter(mended.errors.values()))
        if not overwritten:
            return None
        return (
            f"todoist ({self._reading.container.name}): there is a memory that was not found at first, or another run "
            "has just made it; run again (nothing was overwritten)"
        )

    def _archived(self, commands: Iterable[Command], ids: Mapping[str, str]) -> str | None:
        """Return an error if the project or section exists and is archived with its tasks."""
        listing = self._reading.listing
        for command in commands:
            native_id, place = ids.get(command.temp_id, ""), None
            if command.kind == "project_add" and native_id not in listing.projects:
                archived = self._client.archived_projects(listing)
                place = next((project for project in archived if project.id == native_id), None)
            elif command.kind == "section_add" and native_id and native_id not in listing.sections:
                place = self._client.section(native_id)
            if place is not None and place.gone:
                kind = command.kind.removesuffix("_add")
                return (
                    f"the {kind} “{place.name}” was archived. Unarchive it in Todoist, or name another one in the "
                    "goals file; nothing was changed"
                )
        return None

    def _is_gone(self, native_id: str) -> bool:
        """Return whether something is deleted, a place was renamed, or a memory belongs to another place.

        A completed task is not deleted: it is the memory.
        """
        if native_id in self._others:
            return True
        listing, name = self._reading.listing, self._reading.container.name
        place = listing.projects.get(native_id) or listing.sections.get(native_id)
        if place is not None:
            project = self._reading.container.project
            strange = project is not None and place.project_id not in (None, project.id)
            return place.gone or strange or place.name.strip() not in (name.project, name.section)
        known = listing.items.get(native_id)
        item = known or self._client.task(native_id)
        if item is None or item.is_deleted:
            return True
        if known is None:
            listing.items[native_id] = item
            self._client.read_notes(listing, item)
        return False

    def _commands(self, comments: Sequence[str], salt: str) -> list[Command]:
        container, namespace = self._reading.container, self._reading.namespace
        name = container.name

        def make(kind: str, args: Mapping[str, Any], *parts: str, temp: bool = True, place: str = str(name)) -> Command:
            uuid = derived_uuid(kind, namespace, place, salt, *parts)
            return Command(kind, args, uuid, derived_uuid("temporary", uuid) if temp else "")

        commands = []
        project_id = container.project.id if container.project else ""
        section_id = container.section.id if container.section else ""
        if not project_id:
            commands.append(make("project_add", {"name": name.project}, place=name.project))
            project_id = commands[-1].temp_id
        if name.section and not section_id:
            commands.append(make("section_add", {"name": name.section, "project_id": project_id}))
            section_id = commands[-1].temp_id
        if container.memory is not None:
            return commands
        place = {"section_id": section_id} if section_id else {"project_id": project_id}
        about = todoist_memory.description(namespace, str(name))
        memory = make("item_add", {"content": todoist_memory.TITLE, "description": about, **place})
        notes = [
            make("note_add", {"item_id": memory.temp_id, "content": text}, str(number), temp=False)
            for number, text in enumerate(comments)
        ]
        return [*commands, memory, *notes]


def memory_commands(reading: Reading, memory: Mapping[str, StoredGoal]) -> list[Command]:
    """Return the commands that write the memory as comments, only for the goals that differ.

    The task itself is repaired. It is deleted if the memory is empty; so are second tasks that concurrent runs created.
    """
    assert reading.container.memory is not None  # noqa: S101  # SetUp comes first
    item_id = reading.container.memory.id
    twins = [command for twin in reading.twins for command in _discard(reading, twin.id)]
    if not memory:
        return [*_discard(reading, item_id), *twins]
    have = todoist_memory.by_goal(reading.listing.notes_of(item_id))
    commands = repairs(reading.container, reading.namespace)
    for goal_id, texts in todoist_memory.write(memory).items():
        old = have.pop(goal_id, [])
        if [note.content for note in old] == texts:
            continue
        if len(old) == len(texts) == 1:
            commands.append(Command("note_update", {"id": old[0].id, "content": texts[0]}))
            continue
        commands += [Command("note_add", {"item_id": item_id, "content": text}) for text in texts]
        commands += [Command("note_delete", {"id": note.id}) for note in old]
    deleted = [Command("note_delete", {"id": note.id}) for notes in have.values() for note in notes]
    return commands + deleted + twins


def _discard(reading: Reading, item_id: str) -> list[Command]:
    """Return the commands that delete the task of a memory; only our comments, if a user commented there."""
    notes = reading.listing.notes_of(item_id)
    ours = [note for notes_of_goal in todoist_memory.by_goal(notes).values() for note in notes_of_goal]
    if len(ours) == len(notes):
        return [Command("item_delete", {"id": item_id})]
    return [Command("note_delete", {"id": note.id}) for note in ours]
