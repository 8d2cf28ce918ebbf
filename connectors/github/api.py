"""GitHub over HTTP: requests, pages, batches of mutations, and how fast they may follow each other.

Issues are listed through REST, a hundred a request, and written through GraphQL, twenty mutations a request: they run
in order, each on its own. The rest (labels, milestones) is REST. GitHub takes no request ids of ours. So a request that
may have been carried out is not sent again if that could create something twice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from config.errors import BackplanError, MissingError
from connectors.batches import batches
from connectors.github.answers import LabelAnswer, QueryAnswer
from connectors.github.errors import (
    explain,
    is_limited,
    is_rate_limit,
    is_taken,
    refusal,
    refused,
    understood,
)
from connectors.github.settings import CREDENTIAL
from connectors.http import Service
from connectors.pages import listed
from connectors.retry import UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.http import Api

MOST_MUTATIONS = 20
A_MINUTE, AN_HOUR = 80, 480  # GitHub's limits on new content are 80 and 500; how a batch counts is not documented
_LARGEST_BODY = 600_000
_BURST = 15.0  # seconds that a full batch has to itself at that rate
_LEAST_GAP = 1.0  # seconds between two writes: GitHub's advice
_LONG = 60.0  # seconds to wait if GitHub limits the rate without a time
GITHUB = Service(
    CREDENTIAL,
    {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    limited=is_limited,
    rest=_LONG,
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change, as GraphQL names it, with the fields to return."""

    name: str
    input: Mapping[str, Any]
    selection: str = "clientMutationId"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a mutation: its answer, or why it failed.

    - `unknown`: whether it was carried out is not known.
    - `refused`: GitHub's reason, if GitHub did not carry it out.
    """

    value: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    unknown: bool = False
    refused: str = ""


class Client:
    """One repository over HTTP."""

    def __init__(self, api: Api, repo: str) -> None:
        """`repo` is the full name of the repository."""
        self.api = api
        self.retrier = api.retrier
        self.repo = repo
        enterprise = api.url.endswith("/api/v3")
        self._graphql = f"{api.url.removesuffix('/v3')}/graphql" if enterprise else "/graphql"
        self._written: deque[tuple[float, int]] = deque()

    # Reading

    def listed(self, path: str, **query: str) -> Iterator[Any]:
        """Yield all entries of a list of the repository, following the links from page to page."""
        with understood(f"a list ({path})"):
            yield from listed(self._send, f"/repos/{self.repo}/{path}", {"per_page": "100", **query})

    def labels(self) -> dict[str, str]:
        """Return the ids of all labels of the repository by their names."""
        with understood("the labels"):
            return {label.name: label.node_id for label in map(LabelAnswer.read, self.listed("labels"))}

    def issue(self, number: str) -> object | None:
        """Return an issue by its number, even if it was moved; None if it was deleted, or the token may not read it."""
        try:
            return self._send("GET", f"/repos/{self.repo}/issues/{number}").json() or ""
        except MissingError:
            return None

    def query(self, text: str, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the answer to a query, and its errors."""
        return self._ask(text, variables, writes=False, repeatable=True)

    # Writing

    def make(self, path: str, body: Mapping[str, Any]) -> object | None:
        """Create something that can exist only once in the repository; return None if it exists already."""
        self._wait_for_room(1)
        response = self._send("POST", f"/repos/{self.repo}/{path}", body=body, taken=True)
        return None if response.status_code == requests.codes.unprocessable else response.json() or ""

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """Change something of the repository by its path."""
        self._wait_for_room(1)
        self._send("PATCH", f"/repos/{self.repo}/{path}", body=body)

    def remove(self, path: str) -> None:
        """Remove something of the repository by its path; it need not exist."""
        self._wait_for_room(1)
        try:
            self._send("DELETE", f"/repos/{self.repo}/{path}")
        except MissingError:
            return

    def mutate(self, mutations: Sequence[Mutation], *, repeatable: bool) -> list[Outcome]:
        """Carry out mutations in their order; return the result of each.

        repeatable: each can be carried out twice without harm. Others are not sent again if their result is unknown.
        Raises BackplanError when not even the first request could be made.
        """
        outcomes: list[Outcome] = []
        for part in batches(mutations, lambda one: one.input, MOST_MUTATIONS, _LARGEST_BODY):
            try:
                outcomes += self._mutate(part, repeatable=repeatable)
            except BackplanError as error:
                if not outcomes:
                    raise
                outcomes += [Outcome(error=str(error))] * (len(mutations) - len(outcomes))
                break
        return outcomes

    def _mutate(self, part: Sequence[Mutation], *, repeatable: bool) -> list[Outcome]:
        self._wait_for_room(len(part))
        try:
            data, errors = self._ask(*_batch(part), writes=True, repeatable=repeatable and len(part) == 1)
        except UnknownOutcomeError as error:
            if not repeatable:
                return [Outcome(error=str(error), unknown=True)] * len(part)
            half = len(part) // 2  # the batch may have been too large
            return self._mutate(part[:half], repeatable=True) + self._mutate(part[half:], repeatable=True)
        outcomes = _outcomes(part, data, errors, self.repo)
        hasty = [number for number, outcome in enumerate(outcomes) if is_rate_limit(outcome.error)]
        if hasty:  # GitHub refused these and did nothing
            self.retrier.pause(_LONG, "rate limited")
            again = self._mutate([part[number] for number in hasty], repeatable=repeatable)
            for number, outcome in zip(hasty, again, strict=True):
                outcomes[number] = outcome
        return outcomes

    def _wait_for_room(self, count: int) -> None:
        """Wait until this many writes may be sent: at most one batch in 15 seconds, and one request a second."""
        now = self.retrier.clock.passed()
        while self._written and self._written[0][0] <= now - _BURST:
            self._written.popleft()
        wait = _LEAST_GAP - (now - self._written[-1][0]) if self._written else 0.0
        there = sum(number for _, number in self._written)
        for moment, number in self._written:
            if there + count <= MOST_MUTATIONS:
                break
            there -= number
            wait = max(wait, moment + _BURST - now)
        if wait > 0:
            self.retrier.pause(wait, "the next change has to wait, as it takes 80 a minute")
        self._written.append((self.retrier.clock.passed(), count))

    # HTTP

    def _ask(
        self, text: str, variables: Mapping[str, Any], *, writes: bool, repeatable: bool
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        body = {"query": text, "variables": variables}
        response = self._send("POST", self._graphql, body=body, writes=writes, repeatable=repeatable)
        answer = response.json()
        with understood("a query"):
            found = QueryAnswer.read(answer)
        return found.data or {}, found.errors or []

    def _send(self, method: str, path: str, *, taken: bool = False, **asked: Any) -> requests.Response:
        """Return the answer to a request. `taken`: that a name is taken already is one, too."""
        response = self.api.send(method, path, **asked)
        if not response.ok and not (taken and is_taken(response)):
            raise refusal(response, self.repo)
        return response


# Batches


def _batch(part: Sequence[Mutation]) -> tuple[str, dict[str, Any]]:
    """Return the text of a batch, and its variables, which contain all values."""
    types = (f"{mutation.name[0].upper()}{mutation.name[1:]}Input!" for mutation in part)
    declared = ", ".join(f"$i{number}: {name}" for number, name in enumerate(types))
    lines = [f"  a{number}: {m.name}(input: $i{number}) {{ {m.selection} }}" for number, m in enumerate(part)]
    variables = {f"i{number}": dict(mutation.input) for number, mutation in enumerate(part)}
    return "\n".join([f"mutation({declared}) {{", *lines, "}"]), variables


def _outcomes(
    part: Sequence[Mutation], data: Mapping[str, Any], errors: Sequence[Mapping[str, Any]], repo: str
) -> list[Outcome]:
    by_alias = {str(_alias(error)): error for error in errors}
    whole = None if data else next(iter(errors), {})
    outcomes = []
    for number in range(len(part)):
        error = by_alias.get(f"a{number}") or whole
        found = data.get(f"a{number}")
        value = found if isinstance(found, dict) else None
        message = explain(error, repo) if error is not None or value is None else None
        outcomes.append(Outcome(value or {}, message, refused=refused(error)))
    return outcomes


def _alias(error: Mapping[str, Any]) -> object:
    path = error.get("path")
    return path[0] if isinstance(path, list) and path else ""
