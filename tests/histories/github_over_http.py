"""The lives of the histories in GitHub Issues over real HTTP."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from connectors.base import Action, Write
from connectors.codec import write_memory
from connectors.github.api import GITHUB as SERVICE
from connectors.github.api import Client
from connectors.github.body import Body
from connectors.github.connector import GitHubConnector
from connectors.github.reader import Reading
from connectors.github.repository import RepositoryInfo
from connectors.github.settings import GitHubOptions
from connectors.github.tasks import content_of
from connectors.http import Clock
from tests.connectors.github_account import GitHubAccount
from tests.histories.choices import Event, Luck
from tests.histories.in_memory import TODAY
from tests.histories.over_http import Mortal, Remote, morning
from tests.histories.service import Held, Kind
from tests.histories.world import Life
from tests.servers.github import GitHub
from tests.servers.github_rest import issue_json

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import date

    from config.project import Project
    from connectors.base import WriteResult
    from connectors.model import Snapshot
    from sync.run.work import Batch
    from tests.servers.github_server import GitHubServer

GITHUB = Kind("github", "safe", most=20, requests=8)
_MANY = 10**6
_MEMORY = re.compile(r"\n*<!-- bpm1 (\S+) (\{[^<>\n]*\}) -->")


class GitHubApp(Remote):
    """Somebody's repository. What was removed is closed there, and counts as gone."""

    def __init__(self, server: GitHubServer) -> None:
        super().__init__(GITHUB, server)
        self.github = server.service = GitHub(datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC))
        self.github.a_minute = self.github.an_hour = self.github.tokens[self.github.token].limit = _MANY
        for name in ("Target date", "Start date"):
            self.github.add_field("ann", name)
        self.gone: set[str] = set()
        self._lines: dict[str, str] = {}  # number -> date line that a person replaced by one that cannot be read
        self._account = GitHubAccount(server)
        self._server = server

    def client(self) -> Client:
        """Return a client as a process of its own has it."""
        clock = Clock(self.now, self.passed, self.sleep)
        api = Mortal(SERVICE, self._server.base, SecretStr(self.github.token), 300, clock)
        api.app = self
        return Client(api, "ann/goals")

    def look(self) -> None:
        """See what is there now."""
        self.writes = sum(entry.commands > 0 for entry in self.server.log)
        self.reads = len(self.server.log) - self.writes
        token = self.github.tokens[self.github.token]
        said = {
            str(issue.number): issue_json(issue, token, self._server.base, self.github)
            for issue in self.github.issues()
        }
        namespaces = {match[1] for one in said.values() for match in _MEMORY.finditer(one["body"] or "")}
        facts = RepositoryInfo("", "ann/goals", "ann", "ADMIN", False, True, {}, {}, {}, True, 0, 0, "")
        self.memory = {}
        reading = Reading(facts, "", "backplan")
        for namespace in {*namespaces, ""}:
            reading = Reading(facts, namespace, "backplan")
            for number, one in said.items():
                reading.take(one, number)
            reading.remember()
            if reading.memory:
                self.memory[namespace] = write_memory(reading.memory)
        self.tasks = {number: self._held(reading, number) for number in said if number not in self.gone}

    def _held(self, reading: Reading, number: str) -> Held:
        issue, there = reading.issues[number], self.github.issue(number)
        dropped = not issue.open and issue.reason in ("not_planned", "duplicate")
        done = not issue.open and not dropped
        return Held(
            content_of(reading, issue, None),
            issue.body.marker or None,
            done=done,
            done_on=there.closed_at.date() if done and there.closed_at else None,
            dropped=dropped,
            parent=issue.parent or None,
            unread="date" if number in self._lines else "",
            comments=(*(comment.body for comment in there.comments), issue.body.above, issue.body.below),
        )

    def state(self) -> dict[int, dict[str, Any]]:
        """Return every issue."""
        return {issue.number: self.github.state(issue.number) for issue in self.github.issues()}

    # What a person does

    def tick(self, native_id: str, day: date | None = None) -> None:
        """Close an issue, by a clock of the service that shows this day."""
        self.github.now = morning(day or self.today())
        self.github.close(native_id)
        self.look()

    def reopen(self, native_id: str) -> None:
        self.github.reopen(native_id)
        self.look()

    def cancel(self, native_id: str) -> None:
        self.github.reopen(native_id)
        self.github.close(native_id, "not_planned")
        self.look()

    def delete(self, native_id: str) -> None:
        self.github.delete(native_id)
        self.look()

    def set_due(self, native_id: str, day: date | None) -> None:
        if day is not None or self.tasks[native_id].content.due is not None:
            self._account.set_due(native_id, day)
        self.look()

    def set_title(self, native_id: str, title: str) -> None:
        self.github.edit(native_id, title=title)
        self._worked_on(native_id)

    def set_notes(self, native_id: str, notes: str) -> None:
        body = Body.read(self.github.issue(native_id).body)
        self.github.edit(native_id, body=replace(body, notes=notes).text)
        self._worked_on(native_id)

    def add_label(self, native_id: str, label: str) -> None:
        self.github.issue(native_id).labels.append(self.github.label(self.github.repo, label))
        self._worked_on(native_id)

    def touch(self, native_id: str) -> None:
        self.github.comment(native_id, "a person's comment")
        self._worked_on(native_id)

    def make_recurring(self, native_id: str) -> None:
        """Nothing repeats on GitHub: a person writes a few words instead."""
        self.touch(native_id)

    def garble(self, native_id: str, what: str) -> None:
        body = Body.read(self.github.issue(native_id).body)
        if what:
            self._lines[native_id] = body.line
        line = "Due next friday" if what else self._lines.pop(native_id)
        self.github.edit(native_id, body=replace(body, line=line).text)
        self.look()

    def move_away(self, native_id: str) -> None:
        issue = self.github.issue(native_id)
        if issue.parent is not None:
            issue.parent.children.remove(issue)
            issue.parent = None
        self.look()

    def copy(self, native_id: str) -> str:
        made = str(self.github.duplicate(native_id).number)
        self.hands.add(made)
        self.look()
        return made

    def damage_marker(self, native_id: str) -> None:
        self._account.damage_marker(native_id)
        self.look()

    def strip_marker(self, native_id: str) -> None:
        body = self.github.issue(native_id).body
        self.github.edit(native_id, body=re.sub(r"\n*<!-- bp1 .* -->", "", body))
        self.look()

    def add_foreign_task(self, title: str, parent: str | None = None) -> str:
        made = self.github.add_issue(title)
        if parent is not None:
            self.github.add_child(self.github.issue(parent), made)
        self.look()
        return str(made.number)

    def lose_memory(self, namespace: str) -> None:
        for issue in self.github.issues():
            issue.body = re.sub(rf"\n*<!-- bpm1 {re.escape(namespace)} .* -->", "", issue.body)
        self.look()

    def _worked_on(self, native_id: str) -> None:
        self.hands.add(native_id)
        self.look()


class GitHubLife(Life):
    """A life in which nobody deletes a goal's issue, which holds the memory, or one with an issue of theirs below it.

    Only administrators can delete issues at all, and what stands below one is changed by it.
    """

    def happen(self, one: Event) -> None:
        if one.name == "delete" and (found := self.a_task(Luck(one.luck))):
            app, native_id, key = found
            if "/" not in key or any(app.service.tasks[theirs].parent == native_id for theirs in app.foreign):
                return
        super().happen(one)


class GitHubInSteps(GitHubConnector):
    """The connector itself; before each batch, somebody else may act."""

    def __init__(self, app: GitHubApp, namespace: str, label: str) -> None:
        super().__init__(app.client, namespace, GitHubOptions(repo="ann/goals"))
        self.label = label
        self._app = app

    def alike(self) -> GitHubInSteps:
        return self

    def read(self) -> Snapshot:
        self._app.before_read()
        try:
            return super().read()
        finally:
            self._app.look()

    def steps(self, batch: Batch) -> Generator[None, None, list[WriteResult]]:
        yield
        going = {write.native_id for write in batch if isinstance(write, Write) and write.action is Action.REMOVE}
        there = going & self._app.tasks.keys()
        try:
            return self.apply(batch)
        finally:
            self._app.look()
            gone = {one for one in there if self._app.tasks[one].dropped and self._app.tasks[one].marker is None}
            self._app.gone |= gone
            self._app.removed += sorted(gone)
            self._app.look()


def github_life(project: Project, server: GitHubServer) -> Life:
    """Return a life in a repository of its own."""
    app = GitHubApp(server)
    life = GitHubLife(project, [GITHUB], TODAY, service=lambda _: app)
    app.today = lambda: life.today
    life.connect = lambda _, namespace, label, *_places: GitHubInSteps(app, namespace, label)
    return life
