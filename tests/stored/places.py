"""The places whose stored state is kept: how it is put into a file and taken out again, and the hands of its person."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from connectors.http import Api
from connectors.todoist.connector import TodoistConnector
from tests.connectors import github_account
from tests.connectors.caldav_account import ON_NEXTCLOUD, CalDAVEvents
from tests.connectors.contract import NAMESPACE
from tests.connectors.github_account import GitHubAccount
from tests.connectors.scenarios import Killed
from tests.connectors.taskwarrior_account import EPOCH, VERSIONS, StandIn
from tests.connectors.test_contract import MarkdownFile
from tests.connectors.todoist_account import NOW, TodoistAccount, TodoistWithPageAccount, account
from tests.servers.caldav import Entry
from tests.servers.github import Comment, GitHub, Issue, IssueField, Label, Milestone, User
from tests.servers.github_server import GitHubServer
from tests.servers.http import Fault
from tests.servers.todoist import PRO, Remembered, Todoist
from tests.servers.todoist_server import TodoistServer
from tests.servers.todoist_store import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    import requests

    from connectors.base import Connector
    from connectors.taskwarrior.program import Ended
    from tests.connectors.contract import Service
    from tests.connectors.stand import Stand
    from tests.servers.caldav import CalDAVServer

WITH_PAGE = "todoist-with-page"  # the markers are links to the page of the plan
THEIRS = "Buy milk"  # a task that is a person's own
STANDS = {
    "caldav": ON_NEXTCLOUD,
    "caldav-events": replace(ON_NEXTCLOUD, person=CalDAVEvents, options={**ON_NEXTCLOUD.options, "as": "events"}),
}


class Place(Protocol):
    """Somebody's account or file."""

    service: Service

    @property
    def writes(self) -> list[int]:
        """How many things each request wrote, since the place was opened."""

    def dump(self) -> str:
        """Return all of its state, as the text of a file."""

    def dying(self, last: int, *, half: bool) -> Connector:
        """Return a connector whose process dies after that many requests, the last carried out or only half of it."""

    def wait_until(self, day: date) -> None:
        """Let it be that day."""

    def held(self) -> object:
        """Return all that a person could see change."""

    def theirs(self) -> object:
        """Return the tasks of the person's own, as they are."""


def morning(day: date) -> datetime:
    """Return the time at which a service is looked at on a day."""
    return datetime.combine(day, time(9), NOW.tzinfo)


class MarkdownPlace:
    """A todo.md. What a process that dies leaves there is the old file: it is written in one piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.service: Service = MarkdownFile(path)

    @property
    def writes(self) -> list[int]:
        return []

    def dump(self) -> str:
        return self.path.read_bytes().decode()

    def dying(self, last: int, *, half: bool) -> Connector:
        raise NotImplementedError

    def wait_until(self, day: date) -> None:
        """Do nothing: a file knows no day."""

    def held(self) -> object:
        return self.dump()

    def theirs(self) -> object:
        return [line for line in self.dump().splitlines(keepends=True) if THEIRS in line]


class TodoistPlace:
    """A Todoist, over HTTP."""

    def __init__(self, server: TodoistServer, page: str = "") -> None:
        self.server, self.page = server, page
        self.service: Service = TodoistWithPageAccount(server) if page else TodoistAccount(server)

    @property
    def writes(self) -> list[int]:
        return [entry.commands for entry in self.server.log]

    def dump(self) -> str:
        one = self.server.service
        uuids = [[*key, known.mapping, known.error] for key, known in one.uuids.items()]
        return _text(
            {
                "now": one.now.isoformat(),
                "number": one._number,
                "revision": one.revision,
                "owner": {"id": one.owner.id, "inbox_id": one.owner.inbox_id},
                "members": {project: sorted(users) for project, users in one.members.items()},
                "owners": one.owners,
                "uuids": uuids,
                **{kind.value: list(one.all(kind)) for kind in Kind},
            }
        )

    def dying(self, last: int, *, half: bool) -> Connector:
        class Dying(Api):
            sent = 0

            def _once(self, *asked: Any) -> requests.Response:
                Dying.sent += 1
                with _the_end(last == Dying.sent):
                    return super()._once(*asked)

        if half:
            self.server.faults.at(last - 1, Fault.PARTIAL)
        return TodoistConnector(account(self.server, api=Dying), NAMESPACE, page=self.page)

    def wait_until(self, day: date) -> None:
        self.server.service.advance(morning(day) - self.server.service.now)

    def held(self) -> object:
        return self.server.service.state()

    def theirs(self) -> object:
        return [task for task in self.server.service.tasks() if task["content"] == THEIRS]


def _todoist(state: dict[str, Any]) -> Todoist:
    one = Todoist(PRO, now=datetime.fromisoformat(state["now"]))
    one.owner.id, one.owner.inbox_id = state["owner"]["id"], state["owner"]["inbox_id"]
    one._number, one.revision = state["number"], state["revision"]
    one.members = {project: set(users) for project, users in state["members"].items()}
    one.owners = state["owners"]
    one.things = {kind: {thing["id"]: thing for thing in state[kind.value]} for kind in Kind}
    one.revisions = {thing_id: one.revision for things in one.things.values() for thing_id in things}
    one.uuids = {(user, uuid): Remembered(mapping, error) for user, uuid, mapping, error in state["uuids"]}
    return one


class GitHubPlace:
    """A repository, over HTTP; its issues have date fields where the account is an organization."""

    def __init__(self, server: GitHubServer) -> None:
        self.server = server
        self.service: Service = GitHubAccount(server)

    @property
    def writes(self) -> list[int]:
        return [entry.commands for entry in self.server.log]

    def dump(self) -> str:
        one = self.server.service
        return _text(
            {
                "now": one.now.isoformat(),
                "last_id": one._last_id,
                "number": one.repo.number,
                "users": [asdict(user) for user in one.users.values()],
                "organizations": sorted(one.organizations),
                "fields": [asdict(each) for each in one.fields],
                "labels": [asdict(label) for label in one.repo.labels],
                "milestones": [_stamped(asdict(milestone)) for milestone in one.repo.milestones],
                "issues": [_issue(issue) for issue in one.repo.issues.values()],
            }
        )

    def dying(self, last: int, *, half: bool) -> Connector:
        class Dying(Api):
            sent = 0

            def _once(self, *asked: Any) -> requests.Response:
                Dying.sent += 1
                with _the_end(last == Dying.sent):
                    return super()._once(*asked)

        if half:
            self.server.faults.at(last - 1, Fault.PARTIAL)
        return github_account.connector(self.server, api=Dying)

    def wait_until(self, day: date) -> None:
        self.server.service.advance(max(timedelta(), morning(day) - self.server.service.now))

    def held(self) -> object:
        return self.dump()

    def theirs(self) -> object:
        service = self.server.service
        return [service.state(issue.number) for issue in service.issues() if issue.title == THEIRS]


_PLAIN = ("number", "id", "title", "body", "state", "state_reason", "locked", "pull_request", "deleted")


def _issue(issue: Issue) -> dict[str, Any]:
    return {
        **{name: getattr(issue, name) for name in _PLAIN},
        "user": issue.user.login,
        "created_at": issue.created_at.isoformat(),
        "updated_at": issue.updated_at.isoformat(),
        "closed_at": issue.closed_at and issue.closed_at.isoformat(),
        "labels": [label.name for label in issue.labels],
        "assignees": [user.login for user in issue.assignees],
        "milestone": issue.milestone and issue.milestone.number,
        "comments": [_stamped({**asdict(comment), "user": comment.user.login}) for comment in issue.comments],
        "children": [child.number for child in issue.children],
        "blocked_by": [other.number for other in issue.blocked_by],
        "values": {str(name): value for name, value in issue.values.items()},
    }


def _github(state: dict[str, Any]) -> GitHub:
    one = GitHub(datetime.fromisoformat(state["now"]))
    one._last_id = state["last_id"]
    for said in state["users"]:
        user = one.users.setdefault(said["login"], User(**said))
        user.id, user.type = said["id"], said["type"]
    one.organizations = set(state["organizations"])
    one.fields = [IssueField(**said) for said in state["fields"]]
    repo = one.repo
    repo.number, repo.labels = state["number"], [Label(**said) for said in state["labels"]]
    repo.milestones = [Milestone(**_timed(said)) for said in state["milestones"]]
    for said in state["issues"]:
        stamps = {name: _time(said[name]) for name in ("created_at", "updated_at", "closed_at")}
        issue = Issue(repo, user=one.users[said["user"]], **{name: said[name] for name in _PLAIN}, **stamps)
        issue.labels = [label for label in repo.labels if label.name in said["labels"]]
        issue.assignees = [one.users[login] for login in said["assignees"]]
        issue.milestone = next((each for each in repo.milestones if each.number == said["milestone"]), None)
        written = ({**_timed(comment), "user": one.users[comment["user"]]} for comment in said["comments"])
        issue.comments = [Comment(**comment) for comment in written]
        issue.values = {int(name): value for name, value in said["values"].items()}
        repo.issues[issue.number] = issue
    for said in state["issues"]:
        issue = repo.issues[said["number"]]
        issue.children = [repo.issues[number] for number in said["children"]]
        issue.blocked_by = [repo.issues[number] for number in said["blocked_by"]]
        for child in issue.children:
            child.parent = issue
    return one


class CalDAVPlace:
    """A list on a CalDAV server, over HTTP."""

    def __init__(self, stand: Stand, server: CalDAVServer) -> None:
        self.server = server
        self._stand = stand
        self.service: Service = stand.person(stand, server)

    @property
    def writes(self) -> list[int]:
        return [int(entry.method in ("PUT", "DELETE")) for entry in self.server.log]

    def dump(self) -> str:
        entries = [[path, entry.text] for path, entry in self.server.entries.items()]
        return _text({"now": self.server.time.isoformat(), "entries": entries, "bin": [*self.server.bin.items()]})

    def fill(self, state: dict[str, Any]) -> None:
        """Put a state into the list."""
        self.server.time = datetime.fromisoformat(state["now"])
        self.server.entries = {path: Entry(text, f'"{n}"') for n, (path, text) in enumerate(state["entries"])}
        self.server.bin = dict(state["bin"])

    def dying(self, last: int, *, half: bool) -> Connector:
        class Dying(Api):
            sent = 0

            def _once(self, *asked: Any) -> requests.Response:
                Dying.sent += 1
                with _the_end(last == Dying.sent):
                    return super()._once(*asked)

        return self._stand.connect(self.server, api=Dying)

    def wait_until(self, day: date) -> None:
        self.server.time = max(self.server.time, morning(day))

    def held(self) -> object:
        return self.dump()

    def theirs(self) -> object:
        return [entry for entry in self.server.entries.values() if THEIRS in entry.text]


class TaskwarriorPlace:
    """The tasks of Taskwarrior, with the stand-in for 3.x."""

    def __init__(self, folder: Path) -> None:
        self.account = StandIn(folder / "tasks", VERSIONS[-1])
        self.service: Service = self.account
        self._start: Callable[[Sequence[str], str], Ended] = self.account.start
        self.writes: list[int] = []
        self.account.start = self._counted

    def _counted(self, arguments: Sequence[str], text: str) -> Ended:
        self.writes.append(len(json.loads(text)) if text else 0)
        return self._start(arguments, text)

    def dump(self) -> str:
        return _text({"tasks": [*self.account.items().values()]})

    def fill(self, state: dict[str, Any]) -> None:
        """Put a state into the folder."""
        self.account.tasks.write({task["uuid"]: task for task in state["tasks"]})

    def dying(self, last: int, *, half: bool) -> Connector:
        started = 0

        def start(arguments: Sequence[str], text: str) -> Ended:
            nonlocal started
            started += 1
            if half and started == last:
                self.account.tasks.fail(locked=1, after=len(json.loads(text)) // 2)
            with _the_end(last == started):
                return self._start(arguments, text)

        self.account.start = start
        return self.account.connector()

    def wait_until(self, day: date) -> None:
        self.account.clock = (day - EPOCH.date()).days

    def held(self) -> object:
        return self.dump()

    def theirs(self) -> object:
        return [task for task in self.account.items().values() if task["description"] == THEIRS]


def _stamped(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "created_at": said["created_at"].isoformat()}


def _timed(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "created_at": _time(said["created_at"])}


def _time(said: str | None) -> Any:
    return said and datetime.fromisoformat(said)


def _text(state: object) -> str:
    """Return JSON with a line for each object, so that what differs between two of them can be seen."""
    parts = []
    for name, value in state.items():  # type: ignore[attr-defined]
        if isinstance(value, list) and value:
            lines = ",\n".join(f"  {_json(each)}" for each in value)
            parts.append(f" {_json(name)}: [\n{lines}\n ]")
        else:
            parts.append(f" {_json(name)}: {_json(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@contextmanager
def _the_end(last: bool) -> Iterator[None]:
    """Let the process die where this was its last request, whatever came of it."""
    try:
        yield
    finally:
        if last:
            raise Killed


@contextmanager
def opened(name: str, folder: Path, state: str | None = None) -> Iterator[Place]:
    """Open a place, empty or with what is stored."""
    if name == "markdown":
        path = folder / "todo.md"
        if state is not None:
            path.write_bytes(state.encode())
        yield MarkdownPlace(path)
    elif name == "taskwarrior":
        tasks = TaskwarriorPlace(folder)
        if state is not None:
            tasks.fill(json.loads(state))
        yield tasks
    elif name in STANDS:
        stand = STANDS[name]
        with stand.server() as server:
            place = CalDAVPlace(stand, server)
            if state is not None:
                place.fill(json.loads(state))
            yield place
    elif name in ("todoist", WITH_PAGE):
        with TodoistServer(Todoist(PRO, now=NOW) if state is None else _todoist(json.loads(state))) as server:
            yield TodoistPlace(server, TodoistWithPageAccount.page if name == WITH_PAGE else "")
    else:
        with GitHubServer(GitHub() if state is None else _github(json.loads(state))) as server:
            if state is None:
                for field in ("Target date", "Start date"):
                    server.service.add_field("ann", field)
            yield GitHubPlace(server)
