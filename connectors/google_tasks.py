"""Google Tasks: goals and steps are tasks of one list, with their dates; the marker is a line of their details."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from config.errors import BackplanError, RefusedError
from config.settings import Credential, Grant
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.http import Rate, Service, json_object
from connectors.options import Options
from connectors.pages import by_token, listed
from connectors.retry import UnknownOutcomeError
from connectors.service import ServiceConnector
from connectors.shapes import Day, Moment, Shape, understood
from connectors.snapshot import LastLine, Row
from connectors.tasks import TEXT, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from connectors.http import Api
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

_TOO_MANY, _FORBIDDEN = 429, 403


def _limited(response: requests.Response) -> bool:
    """Return whether an answer means that there were too many requests; some have the status 403."""
    return response.status_code == _TOO_MANY or (
        response.status_code == _FORBIDDEN and b"imitExceeded" in response.content
    )


GOOGLE_TASKS = Service(
    Credential(
        "Google Tasks",
        "GOOGLE_TASKS_REFRESH_TOKEN",
        "sign in once with `backplan connect google-tasks`, take the token that it prints",
        "GOOGLE_TASKS_URL",
        "https://tasks.googleapis.com",
        also={"GOOGLE_TASKS_CLIENT_ID": "client id", "GOOGLE_TASKS_CLIENT_SECRET": "client secret"},
        grant=Grant(
            "https://oauth2.googleapis.com/token",
            "https://accounts.google.com/o/oauth2/v2/auth",
            {"client_id": "GOOGLE_TASKS_CLIENT_ID", "client_secret": "GOOGLE_TASKS_CLIENT_SECRET"},
            "https://www.googleapis.com/auth/tasks",
            {"access_type": "offline", "prompt": "consent"},
        ),
    ),
    limited=_limited,
    rest=30.0,  # seconds; the duration of a limit is not documented
    rates=(Rate(4, 1.0),),
    rights="the Tasks API to be enabled in its project in the Google Cloud console",
)
_NAMES = {"title": "title", TEXT: "notes", "due": "due"}
_LISTS = "/tasks/v1/users/@me/lists"
_PAGES = by_token("items", "nextPageToken", "pageToken", may_lack=True)


class GoogleTasksOptions(Options):
    """The list of tasks; the first sync creates it if it does not exist."""

    example: ClassVar[str] = "{list: Goals}"
    list: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        "Goals", max_length=1024, description="the name of a list of tasks"
    )

    @property
    def place(self) -> str:
        """The list."""
        return self.list


_DayOfMoment = Annotated[Day | None, BeforeValidator(lambda text: text[:10] if isinstance(text, str) else text)]


class _Task(Shape):
    id: str
    status: Literal["needsAction", "completed"]
    updated: str
    title: str = ""
    notes: str = ""
    due: _DayOfMoment = None
    completed: Moment | None = None
    deleted: bool = False
    parent: str = ""


class _List(Shape):
    id: str
    title: str


class GoogleTasks:
    """The tasks of one list over HTTP. Each method sends one request."""

    name: ClassVar[str] = "google-tasks"
    capabilities: ClassVar[Capabilities] = Capabilities(frozenset({"title", "due", "notes"}), "safe")
    http: ClassVar[Service] = GOOGLE_TASKS
    limits: ClassVar[Limits] = Limits(title=1024, text=8192)
    hiding: ClassVar[Hiding] = LastLine()
    remedy: ClassVar[str] = f"Restore the details of the task “{stored.TITLE}”"

    def __init__(self, options: GoogleTasksOptions, api: Api) -> None:
        self._api = api
        self._name = options.list
        self._list = ""
        self._below: set[tuple[str, str]] = set()  # the user's own tasks, by the id of the parent and the title

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content unchanged: the text is plain."""
        return content

    def account(self) -> frozenset[str]:
        """Return the id of the first list, which every account has: this scope cannot read the account itself."""
        lists = self._lists()
        self._list = self._among(lists)
        return frozenset(one.id for one in lists[:1])

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return all tasks of the list, with two queries; none if the list does not exist yet."""
        self._list = self._list or self._among(self._lists())
        if not self._list:
            self._refuse_renamed()
            return []
        there = self._tasks(self._list, {"updatedMin": "1970-01-01T00:00:00Z"} if whole else {})
        self._below = {(one.parent, one.title) for one in there if not self.hiding.split(one.notes)[1]}
        touched = {parent for parent, _ in self._below}
        return [replace(_row(one), touched=one.id in touched) for one in there]

    def row(self, native_id: str) -> Row | None:
        """Return a task by its id. Deleted tasks can be read for a while."""
        if not self._list:
            return None
        answer = json_object(self._api.ask("GET", self._path(native_id)))
        with understood("Google Tasks", "a task"):
            found = _Task.read(answer)
        return None if found.deleted else _row(found)

    def create(self, wanted: Wanted) -> Row:
        """Create a task, and its list before the first one. Without `previous`, a task would come first."""
        if not self._list:
            made = self._api.ask("POST", _LISTS, body={"title": self._name}, repeatable=False)
            with understood("Google Tasks", "a new list"):
                self._list = _List.read(made.json()).id
        after = wanted.previous or wanted.above
        query = {"previous": after} if after else {}
        return self._one("POST", "", _body(wanted, frozenset(_NAMES)), params=query, repeatable=False)

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a task."""
        return self._patched(row, _body(wanted, fields))

    def close(self, row: Row) -> Row:
        """Complete a task."""
        return self._patched(row, {"status": "completed"})

    def reopen(self, row: Row) -> Row:
        """Open a task again."""
        return self._patched(row, {"status": "needsAction"})

    def remove(self, row: Row) -> bool:
        """Delete a task."""
        return self._api.ask("DELETE", self._path(row.id)).ok

    def keep(self, row: Row, words: str) -> None:
        """Store a text in a task below: there are no comments."""
        title = f"Before the goals file changed it: {' '.join(words.split())}"[: self.limits.title].rstrip()
        if (row.id, title) in self._below:
            return
        try:
            body = {"title": title, "notes": self.hiding.escape(words)}
            self._one("POST", "", body, params={"parent": row.id}, repeatable=False)
        except UnknownOutcomeError:
            self.rows()
            if (row.id, title) not in self._below:
                raise

    def facts(self) -> list[Check]:
        """Return whether the token is accepted, and whether the list exists."""
        lists = self._lists()
        there = f"“{self._name}” is there" if self._among(lists) else f"“{self._name}” will be made by the first sync"
        return [
            Check("token", True, "accepted"),
            Check("account", True, f"that with the list “{lists[0].title}”" if lists else "one without lists"),
            Check("list", True, there),
        ]

    # Lists, and tasks

    def _refuse_renamed(self) -> None:
        """Raise RefusedError if another list has a memory: the user may have renamed the list."""
        for other in self._lists():
            if any(task.title == stored.TITLE for task in self._tasks(other.id, {})):
                raise RefusedError(
                    f"google-tasks ({self._name}): this list does not exist, and “{other.title}” contains a memory of "
                    "backplan. If you renamed the list, write its new name in the goals file; if you want one more "
                    f"list, create “{self._name}” in the app. Nothing was changed"
                )

    def _lists(self) -> list[_List]:
        with understood("Google Tasks", "the lists"):
            return [_List.read(one) for one in listed(self._api.ask, _LISTS, {"maxResults": "1000"}, _PAGES)]

    def _among(self, lists: list[_List]) -> str:
        """Return the id of the list; empty if there is none. Raises BackplanError if several have its name."""
        found = [one.id for one in lists if one.title == self._name]
        if len(found) > 1:
            raise BackplanError(
                f"google-tasks ({self._name}): several lists have this name; rename one of them (nothing was changed)"
            )
        return next(iter(found), "")

    def _tasks(self, list_id: str, query: Mapping[str, str]) -> list[_Task]:
        """Return the tasks of a list, completed ones included."""
        every = {"showCompleted": "true", "showHidden": "true", "maxResults": "100", **query}
        with understood("Google Tasks", "the tasks"):
            pages = listed(self._api.ask, f"/tasks/v1/lists/{list_id}/tasks", every, _PAGES)
            return [task for task in map(_Task.read, pages) if not task.deleted]

    def _path(self, native_id: str = "") -> str:
        return f"/tasks/v1/lists/{self._list}/tasks/{native_id}".rstrip("/")

    def _one(self, method: str, native_id: str, body: Mapping[str, Any], **options: Any) -> Row:
        """Send a request; return the task after it."""
        response = self._api.ask(method, self._path(native_id), body=body, **options)
        with understood("Google Tasks", "a task"):
            return _row(_Task.read(response.json()))

    def _patched(self, row: Row, body: Mapping[str, Any]) -> Row:
        return replace(self._one("PATCH", row.id, body), touched=row.touched)


def _row(found: _Task) -> Row:
    done = found.status == "completed"
    return Row(
        found.id,
        found.title,
        found.notes,
        found.due,
        done=done,
        done_at=found.completed if done else None,
        added=f"{found.updated} {found.id}",
    )


def _body(wanted: Wanted, fields: frozenset[str]) -> dict[str, Any]:
    """Return the fields to send. Google Tasks keeps only the day of a time, in UTC."""
    due = wanted.content.due
    values = {
        "title": wanted.content.title,
        TEXT: wanted.text,
        "due": f"{due.isoformat()}T00:00:00.000Z" if due else None,
    }
    return {_NAMES[name]: value for name, value in values.items() if name in fields}


class GoogleTasksConnector(ServiceConnector, service=GoogleTasks, options=GoogleTasksOptions):
    """One list of tasks."""
