"""Many Todoist accounts behind one address, each with its own token, as the real service has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.todoist import Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.http import Request, Response


class Accounts(TodoistServer):
    """The accounts by token. people: the token of each person, by name."""

    def __init__(self, people: Mapping[str, str]) -> None:
        super().__init__()
        self.people = people
        self.by_token: dict[str, TodoistServer] = {}
        for token in people.values():
            service = Todoist()
            service._tokens[token] = service._tokens.pop(service.owner.token)
            service.owner.token = token
            self.by_token[token] = TodoistServer(service)

    def answer(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self.by_token.get(token)
        return account.answer(request) if account else super().answer(request)

    def titles(self, token: str) -> list[str]:
        """Return the titles of the open tasks in an account."""
        return sorted(task["content"] for task in self.by_token[token].service.tasks())
