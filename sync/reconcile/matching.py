"""Matches lost tasks with tasks without a marker: which one surely is which, and which are in doubt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.keys import is_in_goal
from sync.reconcile.lost_tasks import Lost, titles_of
from sync.reconcile.resembling import Entries, Places, is_titled
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from connectors.model import Snapshot, Stray
    from sync.reconcile.lost_tasks import Source

Pair = tuple[Lost, "Stray"]
Doubt = tuple[Lost, "list[Stray]"]


@dataclass(frozen=True, slots=True)
class Match:
    """The lost tasks that are found, each with the stray that it is, and by key those that several strays fit."""

    pairs: list[Pair] = field(default_factory=list)
    doubtful: dict[str, list[Stray]] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """The keys of the lost tasks that are found."""
        return {lost.key for lost, _ in self.pairs}


def match(source: Source, lost: Sequence[Lost]) -> Match:
    """Return the match of lost tasks: by title and date, and goals by their title and the steps below them."""
    strays = [stray for stray in source.snapshot.strays if not stray.unread]
    found = _by_title_and_date(lost, strays, afresh=source.afresh)
    return Match([*found.pairs, *_goals(lost, strays, found, source.snapshot)], found.doubtful)


def _by_title_and_date(lost: Sequence[Lost], strays: Sequence[Stray], *, afresh: bool) -> Match:
    """Return what one title and one date belong to.

    afresh: the memory is lost as well, so that a task with the title of a step and another date may be the step's own.
    """
    often = Counter((one.content.title, one.content.due) for one in lost)
    found = Match()
    for one in lost:
        titled = [stray for stray in strays if is_titled(stray, one.content.title)]
        fitting = [stray for stray in titled if stray.content.due == one.content.due]
        if len(fitting) == 1 == often[one.content.title, one.content.due]:
            found.pairs.append((one, fitting[0]))
        elif unsure := fitting or [stray for stray in titled if afresh and stray.dated]:
            found.doubtful[one.key] = unsure
    return found


def _goals(lost: Sequence[Lost], strays: Sequence[Stray], found: Match, snapshot: Snapshot) -> Iterator[Pair]:
    """Yield the goals found by their title and the steps below them: their date may have changed in the file."""
    places = _places(snapshot, found.pairs)
    keys = found.keys
    for one in (one for one in lost if not is_in_goal(one.key) and one.key not in keys):
        titled = [stray for stray in strays if stray.content.title == one.content.title]
        if len(titled) == 1 and places.hold(one.key, titled[0]):
            yield one, titled[0]


def _places(snapshot: Snapshot, pairs: Iterable[Pair]) -> Places:
    """Return where tasks may be: below and above those that have a marker, and those that are found."""
    marked = [(task.marker.key, task.native_id) for task in snapshot.tasks]
    return Places.of((*marked, *((one.key, stray.place) for one, stray in pairs)))


def in_doubt(source: Source, lost: Sequence[Lost], found: Match, emptied: Sequence[Stray]) -> list[Doubt]:
    """Return the lost tasks that may be there after all, each with the strays that may be it.

    emptied: those whose marker is empty, and whose title is of no lost task.
    Where some tasks came in without their markers, and none has kept its own, all of them have lost it; so have those
    whose markers had another form than the ones that are left.
    """
    snapshot = source.snapshot
    keys = found.keys
    left = [one for one in lost if one.key not in keys]
    if source.afresh or not snapshot.tasks:
        together, alone = left, []
    else:
        together = [one for one in left if one.native_id in snapshot.stripped]
        alone = [one for one in left if one.native_id not in snapshot.stripped and one.key in found.doubtful]
    doubts = _in_doubt_together(snapshot, together, found, emptied) if together else ()
    return [*doubts, *((one, found.doubtful[one.key]) for one in alone)]


def _in_doubt_together(
    snapshot: Snapshot, left: Iterable[Lost], found: Match, emptied: Sequence[Stray]
) -> Iterator[Doubt]:
    taken = {stray.place for _, stray in found.pairs}
    free = Entries(stray for stray in _entries(snapshot) if not (stray.unread or stray.place in taken))
    places, stripped = _places(snapshot, found.pairs), bool(found.pairs or found.doubtful)
    for one in left:
        unsure = free.candidates(one.key, one.content, places, stripped=stripped)
        if unsure := found.doubtful.get(one.key) or [*unsure, *emptied]:
            yield one, unsure


def _entries(snapshot: Snapshot) -> tuple[Stray, ...]:
    return (*snapshot.strays, *snapshot.loose)


def reopened(source: Source, pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the steps that are done and have no task, each with the open task that must be it.

    Only that task has the step's title. It is below the step's goal and has a date, as the step's own task had.
    """
    there = {task.marker.key for task in source.snapshot.tasks}.union(one.key for one, _ in pairs)
    places = _places(source.snapshot, pairs)
    titled = _titled_once(source)
    done = {key: entry for key, entry in entries_of(source.snapshot.memory) if entry.state == "done"}
    for key, entry in done.items():
        stray = titled.get(key)
        if stray and key not in there and _is_open(stray) and places.hold(key, stray):
            yield Lost(key, stray.content, entry.native_id, entry.generation), stray


def _titled_once(source: Source) -> dict[str, Stray]:
    """Return by key the entry that has a title, where no other entry and no other step has it."""
    entries: dict[str, list[Stray]] = {}
    for stray in _entries(source.snapshot):
        entries.setdefault(stray.content.title, []).append(stray)
    titles = titles_of(source.project, source.connector)
    often = Counter(titles.values())
    alone = {key: title for key, title in titles.items() if often[title] == 1}
    return {key: entries[title][0] for key, title in alone.items() if len(entries.get(title, ())) == 1}


def _is_open(stray: Stray) -> bool:
    closed = stray.done or stray.dropped or bool(stray.unread) or not stray.boxed
    return not closed and stray.content.due is not None
