"""Which entries of a list that have no marker may be a step's own: by title, by date, and by what they stand below."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from connectors.model import Snapshot, Stray

_BLOCK_ID = re.compile(r"\s\^[A-Za-z0-9-]+$")


class Places(NamedTuple):
    """How strays name what they stand below or above, by goal: the goal's own task, and those of its steps."""

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
        """Return whether an entry stands where the task of a key does: below its goal, or above the goal's steps."""
        goal, _, step = key.partition("/")
        if step:
            return bool(stray.parent) and self.goals.get(goal) == stray.parent
        return not self.steps.get(goal, frozenset()).isdisjoint(stray.below)


def is_titled(stray: Stray, title: str) -> bool:
    """Return whether a task has a title, which a date that cannot be read may follow."""
    said = stray.content.title
    return said == title or (stray.dated and stray.content.due is None and said.startswith(f"{title} "))


def is_alike(stray: Stray, title: str) -> bool:
    """Return whether an entry has a title, but for emphasis, letter case, a second box or a block id."""
    return is_titled(stray, title) or _plain(stray.content.title) == _plain(title)


def candidates(
    key: str, title: str, due: date | None, free: Sequence[Stray], places: Places, *, stripped: bool
) -> list[Stray]:
    """Return the entries that may be the task of a step, of which there is none that surely is.

    stripped: it is known that tasks lost their markers here. Then the title, the date or the place is enough.
    """
    found = []
    for stray in free:
        held = places.hold(key, stray)
        alike = is_alike(stray, title) or (due is not None and stray.content.due == due)
        if (held and alike) or (stripped and (held or alike)):
            found.append(stray)
    return found


def alone_titled(snapshot: Snapshot, title: str) -> Stray | None:
    """Return the one entry without a marker that is called so; None where there is none, or more than one."""
    taken = {stray.place for stray in snapshot.taken.values()}
    free = (stray for stray in (*snapshot.strays, *snapshot.loose) if stray.place not in taken)
    titled = [stray for stray in free if _plain(stray.content.title) == _plain(title)]
    return titled[0] if len(titled) == 1 else None


def _plain(title: str) -> str:
    """Return a title without marks of emphasis, a bullet, a box, a block id, and the case of its letters."""
    bare = re.sub(r"^(?:[-*+•]\s+)?(?:\[[^\[\]]?\]\s+)?", "", _BLOCK_ID.sub("", title))
    return " ".join(re.sub(r"[*_~`]", "", bare).split()).casefold()
