"""Linear's trash and archive: what is in them cannot be changed, and what is below an issue may be deleted with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.linear import documents
from connectors.linear.answers import Child, Children
from connectors.shapes import understood

if TYPE_CHECKING:
    from connectors.graphql import GraphQL


def restore(linear: GraphQL, issue: Child) -> None:
    """Take an issue out of the archive or the trash, if it is there."""
    if issue.archivedAt or issue.trashed:
        linear.ask(documents.RESTORE, {"id": issue.id})


def delete(linear: GraphQL, native_id: str) -> None:
    """Move an issue to the trash, after what is below it was moved out of it."""
    with understood("Linear", "the issues below one"):
        below = Children.read(linear.ask(documents.BELOW, {"id": native_id})["issue"]["children"])
    for child in below.nodes:
        if not child.trashed:
            restore(linear, child)
            linear.ask(documents.MOVE, {"id": child.id})
    linear.ask(documents.DELETE, {"id": native_id})
