"""What Linear answers, read strictly, and the ids that it takes."""

# ruff: noqa: N815  # the names are Linear's

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from config.errors import BackplanError
from connectors.shapes import Day, Moment, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence


class Id(Shape):
    """Anything with an id."""

    id: str


class User(Shape):
    """Somebody in the workspace."""

    displayName: str
    email: str
    name: str


class State(Shape):
    """The state of an issue."""

    type: str


class StateOfTeam(Id, State):
    """A state that the issues of a team can have."""

    position: float


class States(Shape):
    """The states of a team."""

    nodes: list[StateOfTeam]


class Team(Id):
    """A team, whose key is the beginning of its issues' names."""

    key: str
    archivedAt: str | None
    retiredAt: str | None
    states: States

    def state(self, types: Sequence[str]) -> str:
        """Return the id of the first state of the first of the types that the team has."""
        found = [one for one in self.states.nodes if one.type in types]
        if not found:
            raise BackplanError(f"Linear: the team {self.key} has no state of the type {types[0]}; add one")
        return min(found, key=lambda one: (types.index(one.type), one.position)).id


class Label(Id):
    """A label of a team, or of the workspace; a group of labels cannot be given to an issue."""

    name: str
    isGroup: bool
    team: Id | None


class Metadata(Shape):
    """What only we see of an attachment of ours."""

    backplan: str


class Card(Id):
    """An attachment of ours."""

    metadata: Metadata

    @property
    def line(self) -> str:
        """Our line."""
        return self.metadata.backplan


class Cards(Shape):
    """Our attachments of an issue, of which there is one."""

    nodes: list[Card]


class Some(Shape):
    """Whatever has ids."""

    nodes: list[Id]


class Child(Id):
    """An issue below another one."""

    archivedAt: str | None
    trashed: bool | None


class Children(Shape):
    """The issues below another one."""

    nodes: list[Child]


class Issue(Child):
    """An issue, as far as it is read."""

    identifier: str
    title: str
    description: str | None
    dueDate: Day | None
    priority: float
    createdAt: str
    completedAt: Moment | None
    labelIds: list[str]
    state: State
    team: Id
    parent: Id | None
    assignee: User | None
    attachments: Cards
    comments: Some
    children: Some


def as_v4(native_id: str) -> str:
    """Return an id of ours in the form that Linear takes: that of random ids."""
    return str(UUID(bytes=UUID(native_id).bytes, version=4))
