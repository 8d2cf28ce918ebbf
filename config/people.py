"""Reads `capacity`: how many steps each person can have at once, and which of its names are misspelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import Problem
from config.project import EVERYBODY, ME, person
from config.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.project import Project
    from config.validate import GoalsFile


def by_name(written: int | Mapping[str, int] | None) -> Mapping[str, int]:
    """Return how many steps each person can have at once; one number is for everybody."""
    if written is None:
        return {}
    return {EVERYBODY: written} if isinstance(written, int) else written


def problems(files: Sequence[GoalsFile], project: Project) -> Iterator[Problem]:
    """Yield what is wrong with `capacity` and `when_full` in files that are correct otherwise."""
    yield from _misspelled(files, project)
    if project.capacity:
        return
    needs = "`when_full: earlier` needs `capacity`: how many steps everybody can have at once, such as `capacity: 1`"
    for file in files:
        if file.settings.when_full == "earlier":
            yield Problem(file.source.place(("when_full",)), needs)
        for goal, origin in file.goals:
            if goal.when_full == "earlier":
                yield Problem(origin.at("when_full"), needs)


def _misspelled(files: Sequence[GoalsFile], project: Project) -> Iterator[Problem]:
    """Yield a problem for each name in `capacity` that nobody has, if a name that is missing there is spelled like it.

    A person who has no step at present may stay there.
    """
    people = {person(step, goal) for goal in project.goals for step in goal.steps}
    missing = people - project.capacity.keys() - {ME}
    for name in project.capacity.keys() - people - {ME, EVERYBODY}:
        nearest = hint(name, missing)
        for file in files if nearest else ():
            if "capacity" in file.settings.model_fields_set:
                place = file.source.place_of_key(("capacity", name))
                yield Problem(place, f"`{name}`: no step is for anybody with this name{nearest}")
