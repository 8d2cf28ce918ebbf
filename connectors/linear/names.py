"""Labels and people of Linear by their names: issues have their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError, CredentialsError
from connectors.linear import documents
from connectors.linear.answers import Id, Label, Some, as_v4
from connectors.model import client_id
from connectors.shapes import understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.graphql import GraphQL


class Names:
    """The labels and people of a workspace, read when they are needed."""

    def __init__(self, linear: GraphQL) -> None:
        self._linear = linear
        self._labels: dict[str, Label] = {}  # by ids

    def label(self, name: str, team_id: str) -> str:
        """Return the id of the label of a team or the workspace with a name; create it if there is none."""
        if (known := self._known(name, team_id)) is None:
            self._read()
            known = self._known(name, team_id)
        return known or self._new(name, team_id)

    def _new(self, name: str, team_id: str) -> str:
        own = as_v4(client_id("label", team_id, name))
        try:
            self._linear.ask(documents.LABEL, {"input": {"id": own, "name": name, "teamId": team_id}})
        except CredentialsError:
            raise
        except BackplanError:  # it may be there since
            self._read()
            if (found := self._known(name, team_id)) is None:
                raise
            return found
        self._labels[own] = Label(id=own, name=name, isGroup=False, team=Id(id=team_id))
        return own

    def _known(self, name: str, team_id: str) -> str | None:
        usable = [one for one in self._labels.values() if not one.isGroup and (not one.team or one.team.id == team_id)]
        exact = next((one.id for one in usable if one.name == name), None)
        return exact or next((one.id for one in usable if one.name.casefold() == name.casefold()), None)

    def _read(self) -> None:
        with understood("Linear", "the labels"):
            found = map(Label.read, self._linear.listed(documents.LABELS, {}, "issueLabels"))
            self._labels |= {label.id: label for label in found}

    def of_labels(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the names of labels by their ids. Raises ValueError if one is not listed, even in a second answer."""
        wanted = set(ids)
        for _ in range(2):
            if not wanted <= self._labels.keys():
                self._read()
        if missing := wanted - self._labels.keys():
            raise ValueError(f"{len(missing)} labels of an issue are not among the labels")
        return {one: self._labels[one].name for one in wanted}

    def person(self, name: str) -> str | None:
        """Return the id of the user with a name or an address; None if there is none."""
        with understood("Linear", "a user"):
            found = Some.read(self._linear.ask(documents.PEOPLE, {"name": name})["users"]).nodes
        return found[0].id if found else None
