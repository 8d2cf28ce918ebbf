"""Two ways to speak to the fake Todoist: plain requests, and the official SDK sent to another address."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.servers.todoist_server import TodoistServer


class Redirected(httpx.HTTPTransport):
    """Sends what is meant for the real service to the fake."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host == "api.todoist.com"
        request.url = request.url.copy_with(scheme="http", host=self._url.host, port=self._url.port)
        return super().handle_request(request)


class Caller:
    """Speaks to the fake without the SDK."""

    def __init__(self, server: TodoistServer, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=server.base, headers=headers, timeout=5)
        self._numbers = count()

    def command(self, kind: str, temp_id: str | None = None, uuid: str | None = None, **args: Any) -> dict[str, Any]:
        made = {"type": kind, "uuid": uuid or f"uuid-{next(self._numbers)}", "args": args}
        return made | ({"temp_id": temp_id} if temp_id else {})

    def post(self, *commands: dict[str, Any], **given: Any) -> httpx.Response:
        return self.http.post("/sync", json={"commands": list(commands), **given})

    def sync(self, *commands: dict[str, Any], **given: Any) -> dict[str, Any]:
        answer = self.post(*commands, **given)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def run(self, kind: str, **args: Any) -> Any:
        """Send one command and return its status."""
        (status,) = self.sync(self.command(kind, **args))["sync_status"].values()
        return status
