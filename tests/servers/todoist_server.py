"""The HTTP side of the fake Todoist: tokens, sizes, rates, errors in their shape, and the way to /sync and REST."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.servers import todoist_rest as rest
from tests.servers import todoist_rules as rules
from tests.servers import todoist_sync as sync
from tests.servers.http import HTML, LoopbackServer, Request, Response
from tests.servers.todoist import Todoist

PREFIX = "/api/v1"
LARGEST_BODY = 1 << 20
_GONE = ("/rest/v1/", "/rest/v2/", "/sync/v8/", "/sync/v9/", "/API/v8/")
_ERRORS = {
    401: rules.unauthorized(),
    500: rules.Refused(500, "INTERNAL_SERVER_ERROR", 500, "Internal server error"),
}


class TodoistServer(LoopbackServer):
    """A fake Todoist on loopback; `base` stands for `https://api.todoist.com/api/v1`."""

    def __init__(self, service: Todoist | None = None) -> None:
        super().__init__()
        self.service = service or Todoist()

    @property
    def base(self) -> str:
        return self.url + PREFIX

    def now(self) -> datetime:
        return self.service.now.astimezone(UTC)

    def answer(self, request: Request) -> Response:
        if request.path.startswith(_GONE):
            return Response(410, b"This endpoint is deprecated. Use /api/v1.", "text/plain")
        if len(request.body) > LARGEST_BODY:
            return Response(413, b"<html><body>413 Request Entity Too Large</body></html>", HTML)
        with self.service.lock:
            try:
                return self._answer(request)
            except rules.Refused as refused:
                return _refusal(refused)

    def refusal(self, status: int, retry_after: int) -> Response:
        return _refusal(_ERRORS.get(status) or rules.too_many_requests(retry_after))

    def first_half(self, request: Request) -> Request | None:
        """Return a batch with the first half of its commands, as JSON."""
        if request.path != f"{PREFIX}/sync":
            return None
        given = sync.payload(request.headers.get("content-type", ""), request.body)
        given["commands"] = given.get("commands", [])[: len(given.get("commands", [])) // 2]
        headers = {**request.headers, "content-type": "application/json"}
        return replace(request, headers=headers, body=json.dumps(given).encode())

    def _answer(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user, scopes = self.service.login(token if scheme == "Bearer" else "")
        path = request.path.removeprefix(PREFIX)
        if path == request.path:
            raise rules.not_found("Endpoint")
        if (request.method, path) == ("POST", "/sync"):
            given = sync.payload(request.headers.get("content-type", ""), request.body)
            answer = sync.Sync(self.service, user, scopes, given).carry_out()
            return replace(Response.json(answer), commands=len(given.get("commands", [])))
        self.service.spend(user, "requests")
        body = sync.json_object(request.body) if request.method == "POST" else {}
        asked = rest.Call(self.service, user, path, request.query, body)
        return Response.json(rest.call(self.service, user, scopes, request.method, asked))


def _refusal(refused: rules.Refused) -> Response:
    headers: tuple[tuple[str, Any], ...] = ()
    if refused.retry_after is not None:
        headers = (("Retry-After", str(refused.retry_after)),)
    return Response.json(refused.body, refused.status, headers)
