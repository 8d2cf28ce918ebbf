"""Turns the reading of a Todoist account into one connector's snapshot: which tasks are ours, and their state.

A task is ours if the last line of its description is our marker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import goal_of
from connectors.model import Snapshot, Task, client_nonce
from connectors.ownership import Candidate
from connectors.todoist import memory as todoist_memory
from connectors.todoist.answers import zone
from connectors.todoist.claims import Claims
from connectors.todoist.container import entries_of, needs_repair, repaired
from connectors.todoist.description import content_of, marker_of, split
from connectors.todoist.span import days_without_marker, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from connectors.model import Content, Marker
    from connectors.ownership import Found
    from connectors.todoist.answers import Item
    from connectors.todoist.objects import Listing
    from connectors.todoist.reader import Reading


def snapshot_of(reading: Reading) -> Snapshot:
    """Return the snapshot of a reading."""
    managed = _managed(reading)
    found = reading.ownership.classify(managed)
    ids = {one.id for one in found.originals}
    below = _Families(reading.listing)
    tasks = tuple(_task(reading, one, ids, below) for one in found.originals)
    changed = needs_repair(reading.container, reading.namespace)
    return Snapshot(
        tasks,
        tuple(_task(reading, one, ids, below) for one in found.copies),
        reading.memory,
        remembers=bool(reading.memory) or not tasks,
        others=_others(reading, found.others),
        damaged=found.damaged,
        damage=_damage(reading, found.originals),
        room=reading.container.room(reading.listing),
        account=frozenset({reading.listing.user.id, reading.listing.user.email} - {""}),
        notices=(*reading.container.spelled, *([repaired(reading.container)] if changed else [])),
        mending=changed or bool(reading.twins),
        detached=_detached(reading),
    )


def _managed(reading: Reading) -> list[Found[Item]]:
    """Return the tasks of this place, and the tasks of other namespaces in its project; the oldest first.

    A task that is remembered and has no marker is returned with the marker that has to be written again.
    """
    listed = (item for item in reading.listing.items.values() if not item.is_deleted)
    ordered = sorted(listed, key=lambda item: (item.added_at, item.child_order, item.id))
    ownership, own, known = reading.ownership, Claims(), _known(reading)
    own.add(ownership.entries.items(), reading.listing, reading.namespace)

    def counts(found: Found[Item]) -> bool:
        item, marker = found.task, found.marker
        if marker.namespace != reading.namespace:
            return _in_project(reading, item) or found.id in ownership.ids
        return _is_written(item, marker, known) and _is_mine(reading, item, marker, own)

    candidates = (Candidate(item.id, split(item.description)[1], item) for item in ordered)
    return [found for found in ownership.managed(candidates) if counts(found)]


def _in_project(reading: Reading, item: Item) -> bool:
    return reading.container.project is not None and item.project_id == reading.container.project.id


def _detached(reading: Reading) -> dict[str, Content]:
    """Return the content of the tasks that are remembered as removed or completed, and that have no marker."""
    ended = (reading.listing.items.get(native_id) for native_id in reading.ownership.ended())
    unmarked = (item for item in ended if item and not (item.is_deleted or split(item.description)[1]))
    return {item.id: content_of(item, days_without_marker(item)) for item in unmarked}


def _others(reading: Reading, marked: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return the keys that other namespaces have here: those of listed tasks, and those of their memories."""
    others = dict(marked)
    for namespace, key in _remembered_here(reading):
        others[namespace] = others.get(namespace, frozenset()) | {key}
    return others


def _damage(reading: Reading, originals: Iterable[Found[Item]]) -> str:
    """Return a sentence on goals whose memory is lost because a user deleted or changed its comments; else "".

    In a shared project, anybody may write a marker: a task of somebody else does not count.
    """
    broken = set(reading.broken)
    if reading.container.memory is not None and reading.memory:
        owners = ("", reading.listing.user.id)
        lost = (one for one in reading.ownership.lost(originals) if one.task.added_by in owners)
        broken |= {goal_of(one.marker.key) for one in lost if _is_at(reading, one.task)}
        broken -= reading.memory.keys()
    if not broken:
        return ""
    return (
        f"todoist ({reading.container.name}): the task “{todoist_memory.TITLE}” lacks comments: the memory of "
        f"{', '.join(sorted(broken))} is gone"
    )


def _is_at(reading: Reading, item: Item) -> bool:
    return reading.container.place == (item.project_id, item.section_id)


def _remembered_here(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the namespaces and keys in the memories of others in this project, whose tasks may be elsewhere."""
    for item in reading.listing.open_items():
        named = item.content == todoist_memory.TITLE and _in_project(reading, item)
        owner = todoist_memory.owner(item.description) if named else None
        if owner and owner[0] != reading.namespace:
            yield from ((owner[0], key) for key, entry in entries_of(reading.listing, item) if entry.state == "live")


def _known(reading: Reading) -> frozenset[str]:
    """Return the ids that are remembered, and the nonces of those tasks; empty if there is no memory."""
    ids = reading.ownership.ids
    ours = (reading.listing.items[native_id] for native_id in ids & reading.listing.items.keys())
    markers = (marker_of(item, reading.namespace) for item in ours)
    return frozenset(ids | {marker.nonce for marker in markers if marker is not None})


def _is_mine(reading: Reading, item: Item, marker: Marker, own: Claims) -> bool:
    """Return whether a task of our namespace belongs to this place, and not to another one in the same account.

    A task belongs to the place that remembers its id. Other tasks were created by an interrupted run, or are copies:
    - They belong to the place that remembers their nonce.
    - If two places remember it, they belong to the one that contains them.
    - If neither contains them, they belong to the one that still expects the task, and copies to both.
    """
    others = reading.elsewhere
    if item.id in own.ids or item.id in others.ids:
        return item.id in own.ids
    if (marker.nonce in own.nonces) != (marker.nonce in others.nonces):
        return marker.nonce in own.nonces
    if not reading.memory and marker.nonce in others.gone:
        return False
    here = _is_here(reading, item)
    there = marker.nonce in others.places.get((item.project_id, item.section_id), ())
    if here or there or marker.nonce not in own.nonces:
        return here or not (others.ids or others.pending)
    return marker.nonce in own.pending or marker.nonce not in others.pending


def _is_here(reading: Reading, item: Item) -> bool:
    """Return whether this place contains a task, rather than another place in the same project."""
    project, section = reading.container.project, reading.container.section
    if project is None or item.project_id != project.id:
        return False
    if reading.container.name.section:
        return section is not None and item.section_id == section.id
    return item.section_id is None or (item.project_id, item.section_id) not in reading.elsewhere.places


def _task(reading: Reading, found: Found[Item], ours: set[str], families: _Families) -> Task:
    item, marker = found.task, found.marker
    below = list(families.below(item.id))
    theirs = [child for child in below if child.id not in ours]
    repeats = any(child.due and child.due.recurring for child in below)
    days = span(item, marker)
    return Task(
        item.id,
        content_of(item, days),
        marker,
        done=item.checked,
        done_on=_day(item.completed_at, reading.listing.user.timezone) if item.checked else None,
        touched=bool(item.note_count or theirs),
        company=bool(theirs) or repeats,
        recurring=bool(item.due and item.due.recurring),
        parent=item.parent_id or "",
        here=_is_at(reading, item),
        moved_from=days.moved_from,
    )


class _Families:
    """The open tasks by their parent."""

    def __init__(self, listing: Listing) -> None:
        self._children: dict[str, list[Item]] = {}
        for item in listing.open_items():
            if item.parent_id:
                self._children.setdefault(item.parent_id, []).append(item)

    def below(self, item_id: str) -> Iterator[Item]:
        """Yield the open tasks below a task, at any depth."""
        for child in self._children.get(item_id, ()):
            yield child
            yield from self.below(child.id)


def _is_written(item: Item, marker: Marker, known: frozenset[str]) -> bool:
    """Return whether we may have written a marker of our namespace: in a shared project, anybody may write one.

    known: the ids and nonces that are remembered. In a task that is not remembered, the nonce follows from the key.
    """
    if not known or item.id in known or marker.nonce in known:
        return True
    return marker.nonce == client_nonce(marker.namespace, marker.key, marker.generation)


def _day(moment: datetime | None, timezone: str) -> date | None:
    return moment.astimezone(zone(timezone)).date() if moment else None
