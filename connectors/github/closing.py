"""Reads who closed issues as not planned: a user drops the step by that, a robot that closes old issues does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError
from connectors.github.answers import ClosedAnswer
from connectors.github.errors import understood

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.github.answers import ClosedIssue
    from connectors.github.api import Client

NOT_PLANNED = ("not_planned", "duplicate")
DONE = ("completed", "reopened", "")  # of closed issues; long ago there was no reason
_MOST_NODES = 100
_CLOSED = """query($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Issue { timelineItems(itemTypes: CLOSED_EVENT, last: 1) { nodes {
    ... on ClosedEvent { actor { __typename login } }
  } } } }
}"""


def closed_by_robots(client: Client, ids: Iterable[str]) -> dict[str, str]:
    """Return the logins of robots that closed issues, by the ids of the issues; other issues are left out."""
    found: dict[str, str] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), _MOST_NODES):
        part = wanted[start : start + _MOST_NODES]
        data, errors = client.query(_CLOSED, {"ids": part})
        if errors or not data:
            raise BackplanError("GitHub did not return who closed an issue; run again (nothing was changed)")
        with understood("the actor who closed an issue"):
            nodes = ClosedAnswer.read(data).nodes
            found |= {i: robot for i, node in zip(part, nodes, strict=True) if node and (robot := _robot(node))}
    return found


def _robot(issue: ClosedIssue) -> str:
    """Return the login of the robot that closed an issue last; empty for a user, and for a deleted account.

    GraphQL leaves the ending `[bot]` off the logins of bots.
    """
    actor = issue.timeline_items.nodes[-1].actor if issue.timeline_items.nodes else None
    if actor is None or not (actor.typename == "Bot" or actor.login.endswith("[bot]")):
        return ""
    return f"{actor.login.removesuffix('[bot]')}[bot]"
