"""The teams of a workspace: the one whose issues are goals and steps, and those that users moved issues to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import MissingError
from connectors.linear import documents
from connectors.linear.answers import Team, User
from connectors.shapes import understood

if TYPE_CHECKING:
    from connectors.graphql import GraphQL


class Teams:
    """The teams by their ids, with their states. `here` is the id of the one with the key, once it is found."""

    def __init__(self, linear: GraphQL, key: str) -> None:
        self.here = ""
        self._linear, self._key = linear, key
        self._known: dict[str, Team] = {}

    def find(self) -> User:
        """Find the team; return the user. Raises MissingError if there is no such team, also in a whole list."""
        with understood("Linear", "the user and the team"):
            answer = self._linear.ask(documents.WHERE, {"team": self._key})
            user = User.read(answer["viewer"])
            every = [Team.read(one) for one in answer["teams"]["nodes"]]
            every = every or [Team.read(one) for one in self._linear.listed(documents.TEAMS, {}, "teams")]
        here = next((team for team in every if team.key.casefold() == self._key.casefold()), None)
        if here is None:
            keys = ", ".join(sorted(team.key for team in every)) or "none"
            raise MissingError(
                f"linear ({self._key}): no team has this key, or the API key may not read it (teams that it may read: "
                f"{keys}). Check `team:` in the goals file, and the permissions of the API key; nothing was changed"
            )
        self.here, self._known[here.id] = here.id, here
        return user

    def of(self, native_id: str) -> Team:
        """Return a team by its id."""
        if native_id not in self._known:
            with understood("Linear", "a team"):
                self._known[native_id] = Team.read(self._linear.ask(documents.ONE_TEAM, {"id": native_id})["team"])
        return self._known[native_id]
