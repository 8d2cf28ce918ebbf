"""Somebody with GitHub, and connectors to it with a clock that shows its time and moves it on where it waits."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from connectors.github.api import GITHUB, Client
from connectors.github.connector import GitHubConnector
from connectors.github.date_line import date_line, read_dates, unread_words
from connectors.github.settings import GitHubOptions
from connectors.http import Api, Clock
from tests.connectors import shapes
from tests.connectors.contract import NAMESPACE
from tests.servers.github import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from connectors.base import Connector
    from tests.servers.github import GitHub, Issue
    from tests.servers.github_server import GitHubServer
    from tests.servers.http import Request, Response


NO_TIME = timedelta(0)


def clock_of(github: GitHub, ahead: timedelta = NO_TIME) -> Clock:
    """Return a clock that does not make anybody wait: to sleep moves the time of the service on, which may be ahead."""
    started = github.now
    return Clock(
        lambda: github.now - ahead,
        lambda: (github.now - started).total_seconds(),
        lambda seconds: github.advance(timedelta(seconds=seconds)),
    )


def client(
    server: GitHubServer,
    token: str = "",
    repo: str = "ann/goals",
    budget: float = 300,
    api: type[Api] = Api,
    ahead: timedelta = NO_TIME,
) -> Client:
    """Return a client as a process of its own has it; the clock of the service may be ahead."""
    secret = SecretStr(token or server.service.token)
    return Client(api(GITHUB, server.base, secret, budget, clock_of(server.service, ahead)), repo)


def connector(
    server: GitHubServer,
    namespace: str = NAMESPACE,
    *,
    token: str = "",
    repo: str = "ann/goals",
    budget: float = 300,
    api: type[Api] = Api,
    ahead: timedelta = NO_TIME,
    **options: Any,
) -> GitHubConnector:
    """Return a connector to a repository, by default with everything allowed."""
    settings = GitHubOptions(repo=repo, **options)
    return GitHubConnector(lambda: client(server, token, repo, budget, api, ahead), namespace, settings)


class GitHubAccount:
    """Somebody who works with issues in a browser."""

    garbles = frozenset({"date", "state"})
    cancels = True

    def __init__(self, server: GitHubServer, **options: Any) -> None:
        self.server = server
        self._options = options
        self.github = server.service
        self._added: list[int] = []

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return connector(self.server, namespace, ahead=timedelta(self.clock), **self._options)

    @property
    def clock(self) -> int:
        """By how many days the clock of the service is ahead; waiting takes no more than hours."""
        return round((self.github.now - EPOCH) / timedelta(days=1))

    @clock.setter
    def clock(self, days: int) -> None:
        self.github.now += timedelta(days - self.clock)

    @contextmanager
    def misshape(self) -> Iterator[str]:
        """Let issues be listed of which the first lacks its id."""

        def bent(request: Request, response: Response) -> Response:
            how = shapes.Bend(0, (0, "node_id"), retyped=False)
            return replace(response, body=how.of(response.body)) if request.path.endswith("/issues") else response

        self.server.bend = bent
        yield "the issues is not as expected (`node_id` is missing)"
        self.server.bend = None

    def tick(self, native_id: str) -> None:
        self.github.reopen(native_id)  # who takes another reason for closing it does the same
        self.github.close(native_id)

    def reopen(self, native_id: str) -> None:
        self.github.reopen(native_id)

    def cancel(self, native_id: str) -> None:
        self.github.close(native_id, "not_planned")

    def close_by_robot(self, native_id: str) -> str:
        """Let one of the robots that tidy up close an issue."""
        name = "stale[bot]"
        robot = self.github.users.get(name) or self.github.add_user(name, "Bot")
        self.github.close(native_id, "not_planned", robot)
        return name

    def delete(self, native_id: str) -> None:
        self.github.delete(native_id)

    def garble(self, native_id: str, what: str) -> None:
        if what == "state":
            self.github.reopen(native_id)
            self.github.close(native_id, "outdated")  # of which nobody has heard yet
            return
        body = self.github.issue(native_id).body.replace("\r\n", "\n")
        lines = ["Due next friday" if read_dates(line).due else line for line in body.split("\n")]
        self.github.edit(native_id, body="\n".join(lines))

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        how = ("`outdated`", "update backplan") if what == "state" else ("`next friday`", "`Due 2027-05-09`")
        return (f"#{native_id}:", *how)

    def set_due(self, native_id: str, day: date | None) -> None:
        body = self.github.issue(native_id).body.replace("\r\n", "\n")
        lines = body.split("\n")
        there = [number for number, line in enumerate(lines) if read_dates(line).due or unread_words(line)]
        if day is None:
            del lines[there[0]]
        elif there:
            lines[there[0]] = date_line(day, read_dates(lines[there[0]]).start)
        else:
            lines.insert(0, date_line(day))
        self.github.edit(native_id, body="\n".join(lines))

    def set_title(self, native_id: str, title: str) -> None:
        self.github.edit(native_id, title=title)

    def touch(self, native_id: str) -> None:
        self.github.comment(native_id, "Ask Ann first")

    def move_away(self, native_id: str) -> None:
        """Take an issue out of the one that it stands below."""
        issue = self.github.issue(native_id)
        if issue.parent is not None:
            issue.parent.children.remove(issue)
            issue.parent = None

    def copy(self, native_id: str) -> object:
        return self.github.duplicate(native_id)

    def damage_marker(self, native_id: str) -> None:
        body = self.github.issue(native_id).body
        self.github.edit(native_id, body=re.sub(r"<!-- bp1 (\S+) .* -->", r"<!-- bp1 \1 oops -->", body))

    def add_foreign_task(self, title: str) -> object:
        issue = self.github.add_issue(title, "Not for a program  \n<!-- a comment -->")
        self._added.append(issue.number)
        return issue

    def foreign_tasks(self) -> object:
        return {number: self.github.state(number) for number in self._added}

    def text(self) -> str:
        """Return what stands there but for what was closed as not planned: nothing is deleted quietly on GitHub."""
        return "\n".join(f"{issue.title}\n{issue.body}" for issue in shown(self.github))


def shown(github: GitHub) -> list[Issue]:
    """Return the issues that are open or completed."""
    return [issue for issue in github.issues() if issue.state_reason != "not_planned"]
