"""Finds the entries without a marker in a list that may be a step's own: by title, by date, and by place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from connectors.model import Content, Snapshot, Stray

_BLOCK_ID = re.compile(r"\s\^[A-Za-z0-9-]+$")


class Places(NamedTuple):
    """The names of tasks, as strays have them in `parent` and `below`, by goal: of its own task, and of its steps'."""

    goals: Mapping[str, str]
    steps: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, named: Iterable[tuple[str, str]]) -> Places:
        """Return the places of these tasks, each given by its key and its native id or place."""
        goals: dict[str, str] = {}
        steps: dict[str, set[str]] = {}
        for key, name in named:
            goal, _, step = key.partition("/")
            if step:
                steps.setdefault(goal, set()).add(name)
            else:
                goals[goal] = name
        return cls(goals, {goal: frozenset(names) for goal, names in steps.items()})

    def hold(self, key: str, stray: Stray) -> bool:
        """Return whether an entry is in the place of a key's task: below its goal, or above the goal's steps."""
        goal, _, step = key.partition("/")
        if step:
            return bool(stray.parent) and self.goals.get(goal) == stray.parent
        return not self.steps.get(goal, frozenset()).isdisjoint(stray.below)


def is_titled(stray: Stray, title: str) -> bool:
    """Return whether a task has a title; a date that cannot be read may follow."""
    said = stray.content.title
    return said == title or (stray.dated and stray.content.due is None and said.startswith(f"{title} "))


class Entries:
    """Entries without a marker, found by title, date and place: a list may have thousands of them."""

    def __init__(self, strays: Iterable[Stray]) -> None:
        self._strays = tuple(strays)
        self._titled: dict[str, list[int]] = {}
        self._dated: dict[date, list[int]] = {}
        self._below: dict[str, list[int]] = {}  # by what they stand below
        self._above: dict[str, list[int]] = {}  # by what they stand above
        self._unread: list[int] = []  # those with a date that cannot be read, which looks like an end of the title
        for number, stray in enumerate(self._strays):
            self._titled.setdefault(_plain(stray.content.title), []).append(number)
            self._below.setdefault(stray.parent, []).append(number)
            for name in stray.below:
                self._above.setdefault(name, []).append(number)
            if stray.content.due is not None:
                self._dated.setdefault(stray.content.due, []).append(number)
            elif stray.dated:
                self._unread.append(number)

    def alone_titled(self, title: str) -> Stray | None:
        """Return the only entry with a title, emphasis and letter case aside; None for none, or several."""
        found = self._titled.get(_plain(title), [])
        return self._strays[found[0]] if len(found) == 1 else None

    def candidates(self, key: str, content: Content, places: Places, *, stripped: bool) -> list[Stray]:
        """Return the entries that may be the task of a step, where none surely is.

        stripped: it is known that tasks lost their markers here, so that the title, the date or the place is enough.
        """
        held, alike = self._held(key, places), self._alike(content)
        return [self._strays[number] for number in sorted(held | alike if stripped else held & alike)]

    def _alike(self, content: Content) -> set[int]:
        found = {number for number in self._unread if is_titled(self._strays[number], content.title)}
        found.update(self._titled.get(_plain(content.title), ()))
        return found.union(self._dated.get(content.due, ()) if content.due else ())

    def _held(self, key: str, places: Places) -> set[int]:
        goal, _, step = key.partition("/")
        if step:
            return set(self._below.get(places.goals[goal], ())) if goal in places.goals else set()
        return {number for name in places.steps.get(goal, ()) for number in self._above.get(name, ())}


def without_marker(snapshot: Snapshot) -> Entries:
    """Return the entries without a marker, but for those that are tasks of ours again."""
    taken = {stray.place for stray in snapshot.taken.values()}
    return Entries(stray for stray in (*snapshot.strays, *snapshot.loose) if stray.place not in taken)


def _plain(title: str) -> str:
    """Return a title without marks of emphasis, a bullet, a box, a block id, and the case of its letters."""
    bare = re.sub(r"^(?:[-*+•]\s+)?(?:\[[^\[\]]?\]\s+)?", "", _BLOCK_ID.sub("", title))
    return " ".join(re.sub(r"[*_~`]", "", bare).split()).casefold()
