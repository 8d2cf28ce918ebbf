"""Who closed issues as not planned: a person who does so drops a step, a robot that tidies up old issues does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.errors import BackplanError
from connectors.github_errors import understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connectors.github_api import Client

NOT_PLANNED = ("not_planned", "duplicate")
_MOST_NODES = 100
_CLOSED = """query($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Issue { id timelineItems(itemTypes: CLOSED_EVENT, last: 1) { nodes {
    ... on ClosedEvent { actor { __typename login } stateReason }
  } } } }
}"""


def closed_by_robots(client: Client, ids: Iterable[str]) -> dict[str, str]:
    """Return the logins of the robots that closed issues, by the ids of these; a person's are not among them."""
    wanted = list(ids)
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _MOST_NODES):
        data, errors = client.query(_CLOSED, {"ids": wanted[start : start + _MOST_NODES]})
        if errors or not data:
            raise BackplanError("GitHub does not tell who closed an issue; run again (nothing was changed)")
        with understood("who closed an issue"):
            found |= {node["id"]: login for node in data["nodes"] if node and (login := _robot(node))}
    return found


def _robot(node: Mapping[str, Any]) -> str:
    """Return the login of the robot that closed an issue last; empty for a person, and for somebody who is gone.

    GraphQL leaves the ending `[bot]` off the logins of bots.
    """
    events = node["timelineItems"]["nodes"]
    actor = (events[-1]["actor"] if events else None) or {"__typename": "", "login": ""}
    login = str(actor["login"])
    if actor["__typename"] == "Bot" or login.endswith("[bot]"):
        return f"{login.removesuffix('[bot]')}[bot]"
    return ""
