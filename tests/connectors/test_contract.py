"""The contract, one class per connector."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from connectors.markdown.connector import MarkdownConnector
from tests import tiers
from tests.conftest import ROOT
from tests.connectors.caldav_account import (
    CALDAV,
    CALDAV_AS_EVENTS,
    ON_CYRUS,
    ON_NEXTCLOUD,
    ON_SABRE,
    ON_XANDIKOS,
)
from tests.connectors.contract import NAMESPACE, TODAY, Contract
from tests.connectors.github_account import GitHubAccount
from tests.connectors.gitlab_account import GITLAB
from tests.connectors.google_tasks_account import GOOGLE_TASKS
from tests.connectors.jira_account import JIRA
from tests.connectors.linear_account import LINEAR
from tests.connectors.microsoft_todo_account import MICROSOFT_TODO
from tests.connectors.notion_account import NOTION
from tests.connectors.taskwarrior_account import VERSIONS, StandIn, TaskwarriorAccount, itself
from tests.connectors.todoist_account import NOW, TodoistAccount, TodoistByStartAccount, TodoistWithPageAccount
from tests.histories.in_memory import InMemory
from tests.histories.service import EXACT, SAFE, UNIQUE, Kind
from tests.servers.github_server import GitHubServer
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from connectors.base import Connector
    from tests.connectors.contract import Service
    from tests.connectors.stand import Stand


class MarkdownFile:
    """Somebody with an editor and a todo.md."""

    clock = 0
    garbles = frozenset({"date", "state"})
    cancels = True

    def __init__(self, path: Path, *, dependencies: bool = False) -> None:
        self.path = path
        self._dependencies = dependencies
        self._added: list[str] = []

    def connector(self, namespace: str = NAMESPACE) -> Connector:
        return MarkdownConnector(self.path, namespace, dependencies=self._dependencies)

    def tick(self, native_id: str) -> None:
        """Tick a box; a plugin whose clock is not that of the run adds the day."""
        day = f" ✅ {TODAY + timedelta(self.clock)}" if self.clock else ""
        self._edit(native_id, lambda line: f"{_boxed(line, 'x').rstrip()}{day}\n")

    def reopen(self, native_id: str) -> None:
        self._edit(native_id, lambda line: _boxed(re.sub(" ✅ [0-9-]+", "", line), " "))

    def cancel(self, native_id: str) -> None:
        self._edit(native_id, lambda line: _boxed(line, "-"))

    def garble(self, native_id: str, what: str) -> None:
        if what == "state":
            self._edit(native_id, lambda line: _boxed(line, "maybe"))
        else:
            self._edit(native_id, lambda line: re.sub("📅 [0-9-]+", "📅 next friday", line))

    def complaint(self, native_id: str, what: str) -> Sequence[str]:
        number = next(n for n, line in enumerate(self._text.splitlines(), start=1) if f"🆔 {native_id[:7]}" in line)
        how = ("`[maybe]`", "`[x]` is done") if what == "state" else ("`next friday`", "write it like 2027-05-09")
        return (f"{self.path.name}:{number}:", *how)

    def delete(self, native_id: str) -> None:
        self._edit(native_id, lambda line: "")

    def set_due(self, native_id: str, day: date | None) -> None:
        self._edit(native_id, lambda line: re.sub("📅 [^🆔✅\n]+", f"📅 {day} " if day else "", line))

    def set_title(self, native_id: str, title: str) -> None:
        self._edit(native_id, lambda line: re.sub(r"\] .*?( [🔺⏫🔼🛫📅🆔])", rf"] {title}\1", line, count=1))

    def touch(self, native_id: str) -> None:
        self._edit(native_id, lambda line: f"{line}            - [ ] A task of the person's own\n")

    def copy(self, native_id: str) -> None:
        self._edit(native_id, lambda line: f"{line}{line}")

    def damage_marker(self, native_id: str) -> None:
        self._edit(native_id, lambda line: line.replace(f"🆔 {native_id[:7]}", f"🆔{native_id[:7].upper()}"))

    def add_foreign_task(self, title: str) -> None:
        blob = f"- [ ] {title}  \t\n"
        self._added.append(blob)
        self.path.write_text(blob + (self._text if self.path.exists() else ""), encoding="utf-8", newline="")

    def foreign_tasks(self) -> object:
        return [blob for blob in self._added if blob in self._text]

    def text(self) -> str:
        return self._text.partition("<!-- backplan's memory")[0]

    @property
    def _text(self) -> str:
        return self.path.read_bytes().decode()

    def _edit(self, native_id: str, change: Callable[[str], str]) -> None:
        """Change the first line of a task."""
        lines = self._text.splitlines(keepends=True)
        sign = re.compile(f"🆔 {native_id[:7]}|<!-- bp1 {native_id}")
        number = next(n for n, line in enumerate(lines) if sign.search(line))
        lines[number] = change(lines[number])
        self.path.write_text("".join(lines), encoding="utf-8", newline="")


def _boxed(line: str, state: str) -> str:
    """Return a line with something in its box."""
    return re.sub(r"\[[^\]]*\]", f"[{state}]", line, count=1)


class TestMarkdown(Contract):
    """A real file."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> MarkdownFile:
        return MarkdownFile(tmp_path / "todo.md")


@pytest.mark.proof
class TestMarkdownWithDependencies(Contract):
    """A real file whose lines name the tasks that come before."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> MarkdownFile:
        return MarkdownFile(tmp_path / "todo.md", dependencies=True)


class TestMemory(Contract):
    """The service of the histories, of every kind but the file: there is a real one."""

    @pytest.fixture(params=[EXACT, UNIQUE, SAFE], ids=lambda kind: kind.name)
    def service(self, request: pytest.FixtureRequest) -> InMemory:
        kind: Kind = request.param
        return InMemory(kind)


class TestTodoist(Contract):
    """Todoist, over HTTP."""

    @pytest.fixture
    def service(self) -> Iterator[TodoistAccount]:
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            yield TodoistAccount(server)


@pytest.mark.proof
class TestTodoistByStart(Contract):
    """The same with the first day of each step as its task's date."""

    @pytest.fixture
    def service(self) -> Iterator[TodoistAccount]:
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            yield TodoistByStartAccount(server)


@pytest.mark.proof
class TestTodoistWithPage(Contract):
    """The same with the markers as links to the page of the plan."""

    @pytest.fixture
    def service(self) -> Iterator[TodoistAccount]:
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            yield TodoistWithPageAccount(server)


class TestGitHub(Contract):
    """GitHub Issues, over HTTP, alone."""

    options: ClassVar[dict[str, Any]] = {}

    @pytest.fixture
    def service(self) -> Iterator[GitHubAccount]:
        with GitHubServer() as server:
            server.service.repo.roles["jasmine"] = "WRITE"
            server.service.add_user("jasmine")
            server.service.add_project("ann", 4)
            for name in ("Target date", "Start date") if self.options else ():
                server.service.add_field("ann", name)
            yield GitHubAccount(server, **self.options)


class TestGitHubWithAll(TestGitHub):
    """The same with everything around issues, in an organization whose issues have date fields."""

    options: ClassVar[dict[str, Any]] = {"milestone": True, "dependencies": True, "project": 4}


class OverHTTP(Contract):
    """A service behind its stand-in."""

    stand: ClassVar[Stand]

    @pytest.fixture
    def service(self) -> Iterator[Service]:
        with self.stand.server() as server:
            yield self.stand.person(self.stand, server)


class TestGitLab(OverHTTP):
    """GitLab, over HTTP."""

    stand = GITLAB


class TestGoogleTasks(OverHTTP):
    """Google Tasks, over HTTP."""

    stand = GOOGLE_TASKS


@pytest.mark.proof
class TestJira(OverHTTP):
    """Jira Cloud, over HTTP."""

    stand = JIRA


class TestLinear(OverHTTP):
    """Linear, over HTTP."""

    stand = LINEAR


class TestNotion(OverHTTP):
    """Notion, over HTTP."""

    stand = NOTION


@pytest.mark.proof
class TestMicrosoftTodo(OverHTTP):
    """Microsoft To Do, over HTTP."""

    stand = MICROSOFT_TODO


class TestCalDAV(Contract):
    """CalDAV, over HTTP, as stand-ins: each server's habits in a third of the cases."""

    @pytest.fixture
    def service(self, request: pytest.FixtureRequest) -> Iterator[Service]:
        stand = (ON_NEXTCLOUD, ON_SABRE, ON_CYRUS)[len(request.node.name) % 3]
        with stand.server() as server:
            yield stand.person(stand, server)


@pytest.mark.proof
class TestCalDAVAsEvents(OverHTTP):
    """CalDAV with a calendar of events, in Radicale itself."""

    stand = CALDAV_AS_EVENTS


@pytest.mark.proof
class TestCalDAVOnRadicale(OverHTTP):
    """CalDAV with Radicale behind it."""

    stand = CALDAV


@pytest.mark.proof
class TestCalDAVOnXandikos(OverHTTP):
    """CalDAV with Xandikos behind it."""

    stand = ON_XANDIKOS


class TestTaskwarrior(Contract):
    """Taskwarrior, as a stand-in: for 2.6 in about half of the cases, for 3.x in the others."""

    @pytest.fixture
    def service(self, request: pytest.FixtureRequest, tmp_path: Path) -> TaskwarriorAccount:
        return StandIn(tmp_path / "tasks", VERSIONS[len(request.node.name) % 2])


@pytest.mark.proof
class TestTaskwarriorItself(Contract):
    """The program itself."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> TaskwarriorAccount:
        return itself(tmp_path)


def test_every_connector_is_in_the_suite() -> None:
    """And what is said of it in `tests.tiers` is of something that is there."""
    suites = {name.removeprefix("Test").lower() for name in globals() if name.startswith("Test")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert {name.replace("-", "") for name in project["entry-points"]["backplan.connectors"]} <= suites
    assert tiers.IN_FULL.keys() | tiers.IN_PART.keys() | tiers.IN_THE_PROOF <= suites
    assert all(hasattr(Contract, case) for case in tiers.CASES)
    assert all(any(name in where for where in tiers.IN_FULL.values()) for name in ("exact", "unique", "safe", "file"))
