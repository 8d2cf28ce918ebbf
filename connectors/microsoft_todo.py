"""Microsoft To Do: goals and steps are tasks of one list, with their dates; the marker is a line of their notes."""

# ruff: noqa: N815  # the names are Microsoft's

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from config.errors import BackplanError, RefusedError
from config.fields import Zone  # noqa: TC001  # pydantic reads it
from config.settings import Credential, Grant
from connectors import stored
from connectors.base import Capabilities, Check, Connector
from connectors.html_text import text_of
from connectors.http import Rate, Service, json_object
from connectors.options import Options
from connectors.pages import by_next_url, listed
from connectors.retry import UnknownOutcomeError
from connectors.service import ServiceConnector
from connectors.shapes import Moment, Shape, understood
from connectors.snapshot import LastLine, Row, tidy
from connectors.tasks import TEXT, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from config.settings import Environment
    from connectors.http import Api
    from connectors.model import Content
    from connectors.snapshot import Hiding
    from connectors.tasks import Wanted

_SIGN_IN = "https://login.microsoftonline.com/common/oauth2/v2.0"
MICROSOFT_TODO = Service(
    Credential(
        "Microsoft To Do",
        "MICROSOFT_TODO_REFRESH_TOKEN",
        "sign in with `backplan connect microsoft-todo`, take the token that it prints",
        "MICROSOFT_TODO_URL",
        "https://graph.microsoft.com",
        also={"MICROSOFT_TODO_CLIENT_ID": "client id"},
        grant=Grant(
            f"{_SIGN_IN}/token",
            f"{_SIGN_IN}/devicecode",
            {"client_id": "MICROSOFT_TODO_CLIENT_ID"},
            "Tasks.ReadWrite offline_access",
            by_device=True,
            days=90,
        ),
    ),
    rest=30.0,  # seconds; the duration of a limit is in most answers
    rates=(Rate(5000, 600.0),),  # of 10,000 in ten minutes
    rights="the permission Tasks.ReadWrite",
)
_LISTS = "/v1.0/me/todo/lists"
_PAGES = by_next_url("value", "@odata.nextLink")
_ALL = frozenset({"title", TEXT, "due", "labels", "priority"})
_HALF_A_DAY = timedelta(hours=12)


class MicrosoftTodoOptions(Options):
    """The list of tasks; the first sync creates it if it does not exist."""

    example: ClassVar[str] = "{list: Goals}"
    list: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        "Goals", max_length=255, description="the name of a list of tasks"
    )
    timezone: Zone = Field("UTC", description="the time zone of the app; without it, that of the goals file")

    @property
    def place(self) -> str:
        """The list."""
        return self.list


class _Time(Shape):
    dateTime: str
    timeZone: str

    def in_zone(self, zone: ZoneInfo) -> datetime:
        """Return the moment. Answers are in the requested zone, or in UTC."""
        found = datetime.fromisoformat(self.dateTime)
        return found.replace(tzinfo=UTC).astimezone(zone) if self.timeZone == "UTC" else found.replace(tzinfo=zone)


class _Body(Shape):
    content: str
    contentType: Literal["text", "html"]


class _Item(Shape):
    id: str


class _Task(Shape):
    id: str
    title: str
    status: Literal["notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"]
    importance: Literal["low", "normal", "high"]
    createdDateTime: str
    lastModifiedDateTime: Moment
    body: _Body | None = None
    categories: list[str] = Field(default_factory=list)
    dueDateTime: _Time | None = None
    completedDateTime: _Time | None = None
    recurrence: dict[str, Any] | None = None
    hasAttachments: bool = False
    checklistItems: list[_Item] = Field(default_factory=list)


class _List(Shape):
    id: str
    displayName: str
    wellknownListName: str = "none"


class MicrosoftTodo:
    """The tasks of one list over HTTP. Each method sends one request."""

    name: ClassVar[str] = "microsoft-todo"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "due", "notes", "labels", "priority"}), "safe"
    )
    http: ClassVar[Service] = MICROSOFT_TODO
    limits: ClassVar[Limits] = Limits(title=250, text=10_000)
    hiding: ClassVar[Hiding] = LastLine()
    remedy: ClassVar[str] = f"Restore the notes of the task “{stored.TITLE}”"

    def __init__(self, options: MicrosoftTodoOptions, api: Api) -> None:
        self._api, self._zone, self._name = api, ZoneInfo(options.timezone), options.list
        # Without this header, dates are in UTC, where a local midnight may be on another day.
        self._ask = partial(api.ask, headers={"Prefer": f'outlook.timezone="{options.timezone}"'})
        self._list = ""
        self._formatted: dict[str, str] = {}  # the HTML of notes with formatting, by the id of the task
        self._theirs: set[tuple[str, str]] = set()  # the titles and texts of the tasks without a marker

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as the app holds it: a task is important or not, and the order of labels is not kept."""
        labels = tuple(sorted({" ".join(label.split()) for label in content.labels} - {""}))
        priority = "high" if content.priority in ("urgent", "high") else "none"
        return replace(content, labels=labels, priority=priority)

    def account(self) -> frozenset[str]:
        """Return the id of the list that every account has: this permission cannot read the account itself."""
        lists = self._lists()
        self._list = self._among(lists)
        return frozenset(one.id for one in lists if one.wellknownListName == "defaultList")

    def rows(self, *, whole: bool = False) -> list[Row]:  # noqa: ARG002  # nothing marks ours for a query
        """Return all tasks of the list, open and completed; none if the list does not exist yet."""
        self._list = self._list or self._among(self._lists())
        if not self._list:
            self._refuse_renamed()
            return []
        found = [self._row(one) for one in self._tasks(self._list)]
        self._theirs = {(row.title, tidy(row.text)) for row in found if not self.hiding.split(row.text)[1]}
        return found

    def row(self, native_id: str) -> Row | None:
        """Return a task by its id. A task that was moved to another list has another id."""
        if not self._list:
            return None
        return self._one("GET", native_id, params={"$expand": "checklistItems"})

    def create(self, wanted: Wanted) -> Row:
        """Create a task, and its list before the first one."""
        if not self._list:
            made = self._api.ask("POST", _LISTS, body={"displayName": self._name}, repeatable=False)
            with understood("Microsoft To Do", "a new list"):
                self._list = _List.read(made.json()).id
        return self._one("POST", "", body=self._body(wanted, _ALL), repeatable=False)

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a task. The formatting of its notes stays if only our line in them changes."""
        body = self._body(wanted, fields)
        if TEXT in fields and (html := self._with_line(row, wanted.text)):
            body["body"] = {"content": html, "contentType": "html"}
        return self._patched(row, body)

    def close(self, row: Row) -> Row:
        """Complete a task."""
        return self._patched(row, {"status": "completed"})

    def reopen(self, row: Row) -> Row:
        """Open a task again."""
        return self._patched(row, {"status": "notStarted"})

    def remove(self, row: Row) -> bool:
        """Delete a task."""
        return self._api.ask("DELETE", self._path(row.id)).ok

    def keep(self, row: Row, words: str) -> None:
        """Store a text in a task beside it: there are no comments."""
        title = f"Before the goals file changed it: {' '.join(words.split())}"[: self.limits.title].rstrip()
        text = tidy(self.hiding.escape(f"Of the task “{row.title}”:\n{words}"))
        if (title, text) in self._theirs:
            return
        try:
            body = {"title": title, "body": {"content": text, "contentType": "text"}}
            self._one("POST", "", body=body, repeatable=False)
        except UnknownOutcomeError:
            self.rows()
            if (title, text) not in self._theirs:
                raise

    def facts(self) -> list[Check]:
        """Return whether the token is accepted, the day on which it ends, and whether the list exists."""
        lists = self._lists()
        there = "is there" if self._among(lists) else "will be made by the first sync"
        first = next((one.displayName for one in lists if one.wellknownListName == "defaultList"), "none")
        ends = f"accepted until {day}" if (day := self._api.ends) else "accepted, for 90 days from the sign-in"
        return [
            Check("token", True, f"{ends}; sign in again before that, unless it is in a file, where it is renewed"),
            Check("account", True, f"that with the first list “{first}”"),
            Check("list", True, f"“{self._name}” {there}"),
            Check("time zone", True, f"{self._zone.key}; the app has to be in the same one"),
            Check("tried", True, "against Microsoft's published types, not yet with an account: please report"),
        ]

    # Lists, and tasks

    def _refuse_renamed(self) -> None:
        """Raise RefusedError if another list has a memory: the user may have renamed the list."""
        for other in self._lists():
            if any(task.title == stored.TITLE for task in self._tasks(other.id)):
                raise RefusedError(
                    f"microsoft-todo ({self._name}): this list does not exist, and “{other.displayName}” contains a "
                    "memory of backplan. If you renamed the list, write its new name in the goals file; if you want "
                    f"one more list, create “{self._name}” in the app. Nothing was changed"
                )

    def _lists(self) -> list[_List]:
        with understood("Microsoft To Do", "the lists"):
            found = [_List.read(one) for one in listed(self._ask, _LISTS, {}, _PAGES)]
        return [one for one in found if one.wellknownListName != "flaggedEmails"]  # nobody can write to that one

    def _among(self, lists: list[_List]) -> str:
        """Return the id of the list; empty if there is none. Raises BackplanError if several have its name."""
        found = [one.id for one in lists if one.displayName == self._name]
        if len(found) > 1:
            raise BackplanError(
                f"microsoft-todo ({self._name}): several lists have this name; rename one of them (nothing was changed)"
            )
        return next(iter(found), "")

    def _tasks(self, list_id: str) -> list[_Task]:
        path, query = f"{_LISTS}/{quote(list_id, safe='')}/tasks", {"$top": "100", "$expand": "checklistItems"}
        with understood("Microsoft To Do", "the tasks"):
            return [_Task.read(one) for one in listed(self._ask, path, query, _PAGES)]

    def _path(self, native_id: str = "") -> str:
        return f"{_LISTS}/{quote(self._list, safe='')}/tasks/{quote(native_id, safe='')}".rstrip("/")

    def _one(self, method: str, native_id: str, **options: Any) -> Row:
        """Send a request; return the task after it."""
        response = self._ask(method, self._path(native_id), **options)
        with understood("Microsoft To Do", "a task"):
            return self._row(_Task.read(json_object(response)))

    def _patched(self, row: Row, body: Mapping[str, Any]) -> Row:
        return replace(self._one("PATCH", row.id, body=body), touched=row.touched)

    def _row(self, found: _Task) -> Row:
        done = found.status == "completed"
        text = found.body.content if found.body else ""
        self._formatted.pop(found.id, None)
        if found.body and found.body.contentType == "html":
            self._formatted[found.id], text = text, text_of(text)
        return Row(
            found.id,
            found.title,
            text,
            self._day(found.dueDateTime),
            tuple(sorted(found.categories)),
            done=done,
            done_at=self._done_at(found) if done else None,
            added=f"{found.createdDateTime} {found.id}",
            touched=found.hasAttachments or bool(found.checklistItems),
            recurring=found.recurrence is not None,
            priority="high" if found.importance == "high" else "none",
        )

    def _day(self, due: _Time | None) -> date | None:
        """Return the day of the nearest midnight: the app stores the local midnight of whoever picked the day."""
        return (due.in_zone(self._zone).replace(tzinfo=None) + _HALF_A_DAY).date() if due else None

    def _done_at(self, found: _Task) -> datetime | None:
        """Return when a task was completed: the service has a day in UTC, which may be later than the moment itself."""
        if found.completedDateTime is None:
            return found.lastModifiedDateTime
        day = found.completedDateTime.in_zone(self._zone).astimezone(UTC).date()
        return min(datetime.combine(day, time(12), self._zone), found.lastModifiedDateTime)

    def _with_line(self, row: Row, text: str) -> str:
        """Return the HTML of a task's notes with a new line of ours; empty if more than that line changes."""
        html = self._formatted.get(row.id, "")
        (notes, line), (wanted, new) = self.hiding.split(row.text), self.hiding.split(text)
        same = notes.strip() == wanted.strip() and bool(line) and html.count(escape(line)) == 1
        return html.replace(escape(line), escape(new)) if same else ""

    def _body(self, wanted: Wanted, fields: frozenset[str]) -> dict[str, Any]:
        """Return the fields to send. A day is the midnight at its beginning."""
        due = wanted.content.due
        values = {
            "title": ("title", wanted.content.title),
            TEXT: ("body", {"content": wanted.text, "contentType": "text"}),
            "due": ("dueDateTime", {"dateTime": f"{due}T00:00:00", "timeZone": self._zone.key} if due else None),
            "labels": ("categories", list(wanted.content.labels)),
            "priority": ("importance", "high" if wanted.content.priority == "high" else "normal"),
        }
        return dict(values[name] for name in values.keys() & fields)


class MicrosoftTodoConnector(ServiceConnector, service=MicrosoftTodo, options=MicrosoftTodoOptions):
    """One list of tasks."""

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector with the options of one place; days are those of the goals file's time zone."""
        return super().configure({"timezone": environment.timezone, **options}, namespace, environment)
