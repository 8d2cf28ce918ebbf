"""Somebody with Linear."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.linear.connector import LinearConnector
from connectors.linear.documents import CARD
from tests.connectors.stand import Stand, TablePerson
from tests.servers.linear import LinearServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.servers.http import Response


class LinearAccount(TablePerson):
    """Somebody who works with issues in the app. Our line is in an attachment, whose text people do not see."""

    title, notes, due, number = "title", "description", "dueDate", "id"
    garbles = frozenset({"state"})
    server: LinearServer

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        return {native_id: row for native_id, row in self.table.rows.items() if not row["trashed"]}

    def tick(self, native_id: str) -> None:
        self.server.set_state(native_id, "completed")

    def reopen(self, native_id: str) -> None:
        self.server.set_state(native_id, "unstarted")

    def cancel(self, native_id: str) -> None:
        self.server.set_state(native_id, "canceled")

    def garble(self, native_id: str, what: str) -> None:
        self.server.set_state(native_id, "paused")

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        return self.row(native_id)["identifier"], "unknown type `paused`", "choose another state"

    def delete(self, native_id: str) -> None:
        self.row(native_id).update(trashed=True, archivedAt=self.table.stamp())

    def add(self, title: str, **fields: Any) -> str:
        return self.server.add(title, **fields)

    def copy(self, native_id: str) -> object:
        cards = [{**card, "id": f"{card['id']}-copy-{self.table.number}"} for card in self.row(native_id)["cards"]]
        fields = {name: self.row(native_id)[name] for name in ("description", "dueDate", "labelIds", "parentId")}
        return self.add(self.row(native_id)["title"], cards=cards, **fields)

    def damage_marker(self, native_id: str) -> None:
        card = self.card(native_id)
        card["metadata"] = {"backplan": " ".join([*card["metadata"]["backplan"].split()[:2], "oops"])}

    def damage_memory(self) -> None:
        card = self.card(self.memory())
        card["metadata"] = {"backplan": card["metadata"]["backplan"].replace('"goal"', '"gaol"')}

    def card(self, native_id: str) -> dict[str, Any]:
        """Return our attachment of an issue."""
        (card,) = (card for card in self.row(native_id)["cards"] if card["url"] == CARD)
        return card  # type: ignore[no-any-return]  # a table holds anything

    @contextmanager
    def misshape(self) -> Iterator[str]:
        self.server.bend = lambda request, response: _without_id(response)
        yield "is not as expected (`id` is missing)"
        self.server.bend = None


def _without_id(response: Response) -> Response:
    """Return a list of issues without the id of the first one; any other answer as it is."""
    said = json.loads(response.body)
    for node in ((said["data"] or {}).get("issues") or {"nodes": []})["nodes"][:1]:
        node.pop("id")
    return replace(response, body=json.dumps(said).encode())


LINEAR = Stand(LinearConnector, LinearServer, LinearAccount, {"team": "ENG"})
