"""The HTTP side of the stand-in for GitHub: tokens, limits, headers, errors in their shape, REST and GraphQL."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tests.servers import github_graphql as graphql
from tests.servers import github_rest as rest
from tests.servers.github import GitHub, Refused
from tests.servers.http import LoopbackServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers.github import Token

_ERRORS = {
    401: Refused(401, "Bad credentials"),
    500: Refused(500, "Server Error"),
}


class GitHubServer(LoopbackServer):
    """A stand-in for GitHub on loopback, or (`enterprise`) for a server of a company's own, under /api/v3.

    `without` names what an older server does not know: fields of types and of inputs.
    """

    def __init__(self, service: GitHub | None = None, *, enterprise: bool = False, without: Sequence[str] = ()) -> None:
        super().__init__()
        self.service = service or GitHub()
        self.rest, self.graphql = ("/api/v3", "/api/graphql") if enterprise else ("", "/graphql")
        self._schema = graphql.schema(tuple(without))

    @property
    def base(self) -> str:
        """What GITHUB_API_URL would be."""
        return self.url + self.rest

    def now(self) -> datetime:
        return self.service.now.astimezone(UTC)

    def answer(self, request: Request) -> Response:
        if "user-agent" not in request.headers:
            return Response(403, b"Request forbidden by administrative rules.", "text/plain")
        with self.service.lock:
            try:
                token = self._login(request)
                self._spend(token)
                return self._answer(request, token)
            except Refused as refused:
                return _refusal(refused)

    def refusal(self, status: int, retry_after: int) -> Response:
        if status in _ERRORS:
            return _refusal(_ERRORS[status])
        said = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return _refusal(Refused(status, said, headers=(("retry-after", str(retry_after)),)))

    def first_half(self, request: Request) -> Request | None:
        """Return a batch of mutations with its first half; each of them stands on a line of its own."""
        if request.path != self.graphql:
            return None
        given = json.loads(request.body)
        head, *lines, tail = given["query"].strip().split("\n")
        if not head.startswith("mutation"):
            return None
        kept = lines[: len(lines) // 2]
        used = {name: value for name, value in given["variables"].items() if f"${name})" in "".join(kept)}
        declared = ", ".join(part for part in head[head.index("(") + 1 : head.rindex(")")].split(", ")
                             if part.split(":")[0].removeprefix("$") in used)  # fmt: skip
        if not kept:
            return None
        query = "\n".join([f"mutation({declared}) {{", *kept, tail])
        return replace(request, body=json.dumps({"query": query, "variables": used}).encode())

    def _login(self, request: Request) -> Token:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self.service.tokens.get(text)
        if scheme != "Bearer" or token is None:
            raise Refused(401, "Bad credentials")
        return token

    def _spend(self, token: Token) -> None:
        if token.spent >= token.limit:
            raise Refused(403, f"API rate limit exceeded for user ID {token.user.id}.", headers=self._limits(token))
        token.spent += 1

    def _limits(self, token: Token) -> tuple[tuple[str, str], ...]:
        return (
            ("x-ratelimit-limit", str(token.limit)),
            ("x-ratelimit-remaining", str(max(token.limit - token.spent, 0))),
            ("x-ratelimit-used", str(token.spent)),
            ("x-ratelimit-reset", str(int((self.service.now + timedelta(minutes=30)).timestamp()))),
            ("x-ratelimit-resource", "core"),
            ("x-github-request-id", f"{token.spent:04X}:0:0"),
        )

    def _answer(self, request: Request, token: Token) -> Response:
        if (request.method, request.path) == ("POST", self.graphql):
            given = rest.payload(request.body)
            answer = graphql.carry_out(self.service, token, self._schema, given)
            mutations = given["query"].count("input:") if given["query"].startswith("mutation") else 0
            return replace(Response.json(answer, headers=self._limits(token)), commands=mutations)
        if not request.path.startswith(self.rest):
            raise Refused(404, "Not Found")
        return self._rest(request, token)

    def _rest(self, request: Request, token: Token) -> Response:
        path = request.path.removeprefix(self.rest)
        if path.startswith("/repositories/"):
            path = f"/repos{path}"
        body = rest.payload(request.body)
        answer = rest.call(rest.Call(self.service, token, self.base, request.method, path, request.query, body))
        made = Response.json(answer.value, answer.status, (*answer.headers, *self._limits(token)))
        etag = f'"{sha256(made.body + token.text.encode()).hexdigest()}"'
        headers = (*made.headers, ("etag", etag))
        if request.method == "GET" and request.headers.get("if-none-match") == etag:
            token.spent -= 1
            return Response(304, headers=headers)
        return replace(made, headers=headers, commands=request.method != "GET")


def _refusal(refused: Refused) -> Response:
    said: dict[str, Any] = {"message": refused.message, "documentation_url": "https://docs.github.com/rest"}
    if refused.errors:
        said["errors"] = list(refused.errors)
    return Response.json({**said, "status": str(refused.status)}, refused.status, refused.headers)
