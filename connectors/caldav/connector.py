"""One list of tasks or events on a CalDAV server, such as Nextcloud, Radicale, Baikal or Fastmail.

Each has an id that follows from its key, and is made only where nothing has that id; it is changed and deleted
only as it was read. Where a condition does not hold, it is looked at: an earlier answer may have been lost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast
from urllib.parse import unquote

from pydantic import Field

from config.errors import BackplanError, CredentialsError, MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.caldav import component, dav, event, lists
from connectors.caldav.dav import Dav
from connectors.caldav.entries import Entries
from connectors.caldav.forms import FORMS
from connectors.http import Service, connect
from connectors.login import NameAndPassword
from connectors.model import Content, client_id
from connectors.options import Options
from connectors.service import ServiceConnector
from connectors.tasks import Limits, Wanted

if TYPE_CHECKING:
    from config.settings import Environment
    from connectors.caldav.dav import Collection
    from connectors.http import Api
    from connectors.model import Snapshot
    from connectors.options import Offer
    from connectors.snapshot import Hiding, Row

CALDAV = Service(
    Credential(
        "CalDAV",
        "CALDAV_PASSWORD",
        "in the settings of your account, make an app password",
        "CALDAV_URL",
        "",
        "password",
        {"CALDAV_USERNAME": "user name"},
    ),
    scheme="Basic ",
    login=NameAndPassword,
    rights="the right to write into the list",
    whole=dav.whole,
    words=dav.words,
)


class CalDAVOptions(Options):
    """One list on a CalDAV server, and the form of goals and steps in it."""

    example: ClassVar[str] = "{list: Goals}"
    list: str = Field(min_length=1, description="the name of a list of tasks, or its path, such as /dav/me/goals/")
    shown: Literal["tasks", "events"] = Field("tasks", alias="as", description="`tasks`, or `events` of a calendar")

    @property
    def place(self) -> str:
        """The list."""
        return self.list


class CalDAV:
    """The tasks or events of one list over HTTP."""

    name: ClassVar[str] = "caldav"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "notes", "labels", "priority"}), "unique", client_ids=True
    )
    http: ClassVar[Service] = CALDAV
    limits: ClassVar[Limits] = Limits(title=1000, text=100_000)
    hiding: ClassVar[Hiding] = component.HIDING
    remedy: ClassVar[str] = f"Restore the task “{stored.TITLE}”"

    def __init__(self, options: CalDAVOptions, api: Api) -> None:
        self._api, self._dav = api, Dav(api)
        self._form = FORMS[options.shown]
        self._list = options.list
        self._path = ""
        self._entries = Entries(api, self._dav, self._form)

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as iCalendar holds it: a first day only before the last one, and three priorities."""
        starts = content.start and (content.due is None or content.start < content.due)
        return replace(
            content,
            title=component.readable(content.title),
            notes=component.readable(content.notes),
            labels=component.labels_of(content.labels),
            start=content.start if starts else None,
            priority="high" if content.priority == "urgent" else content.priority,
        )

    def account(self) -> frozenset[str]:
        """Return the user's name from the paths of the server."""
        found = self._found()
        return frozenset({unquote(found.principal).rstrip("/").rpartition("/")[2]} - {""})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return all tasks of the list; `whole` sends another kind of request."""
        try:
            return self._entries.listed(whole=whole)
        except MissingError:
            raise lists.no_list(self._list) from None

    def row(self, native_id: str) -> Row | None:
        """Return a task by its id. If the user moved it to another list of the account, it is found there."""
        return self._entries.row(native_id)

    def create(self, wanted: Wanted) -> Row:
        """Create a task, unless there is one with its id, which is returned."""
        return self._entries.create(wanted)

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a task."""
        return self._entries.write(row, self._form.change(wanted, fields))

    def close(self, row: Row) -> Row:
        """Complete a task."""
        return self._entries.write(row, self._form.closing(self._api.retrier.now))

    def reopen(self, row: Row) -> Row:
        """Open a task again."""
        return self._entries.write(row, self._form.reopen)

    def remove(self, row: Row) -> bool:
        """Delete a task as it was read."""
        return self._entries.remove(row)

    def keep(self, row: Row, words: str) -> None:
        """Keep words in a new task below: there are no comments. Its id derives from them: it is created once."""
        title = f"Before the goals file changed it: {' '.join(words.split())}"[: self.limits.title]
        content = Content(component.readable(title), row.due if self._form is event else None)
        self.create(Wanted(content, component.readable(words), id=client_id(row.id, words), above=row.id))

    def facts(self) -> list[Check]:
        """Return checks of the password, the account and the list, and the kinds of entries in other lists."""
        try:
            found = self._found()
        except CredentialsError:
            raise
        except BackplanError as error:
            return [Check("list", False, str(error)), *lists.others(self._dav, "")]
        takes = f"takes {self._form.MANY}" if found.is_writable else "is read-only"
        return [
            Check("password", True, "accepted"),
            Check("account", True, ", ".join(self.account())),
            Check("list", found.is_writable, f"“{found.name or self._list}” {takes}"),
            *lists.others(self._dav, found.path),
        ]

    # The list

    def _found(self) -> Collection:
        """Return the list. Raises MissingError if there is none, BackplanError if it cannot hold the entries."""
        self._path = self._path or lists.path_of(self._dav, self._list, self._form)
        found = lists.found(self._dav, self._path, self._list, self._form)
        self._path = self._entries.path = found.path
        return found

    def holds_memory_in_other_form(self, namespace: str) -> bool:
        """Return whether the memory of a plan is an entry of the other form; known once the whole list was read."""
        return any(component.is_memory(text, namespace) for text in self._entries.others)


def _two_forms(options: CalDAVOptions) -> str:
    (before,) = FORMS.keys() - {options.shown}
    return (
        f"caldav ({options.list}): the goals are {before} in this list, and `as: {options.shown}` would make them "
        f"again; write `as: {before}` again, or name another list, and delete the {before} once you have the "
        f"{options.shown} (nothing was changed)"
    )


class CalDAVConnector(ServiceConnector, service=CalDAV, options=CalDAVOptions):
    """One list of tasks or events."""

    @classmethod
    def offers(cls, environment: Environment) -> list[Offer]:
        """Return the lists that can hold tasks or events."""
        return lists.offered(Dav(connect(CALDAV, environment)))

    @classmethod
    def make_place(cls, environment: Environment, name: str) -> Offer:
        """Make a list of tasks."""
        return lists.offer(lists.made(Dav(connect(CALDAV, environment)), name, FORMS["tasks"]))

    def read(self) -> Snapshot:
        """Read the list. Raises BackplanError if the plan's goals are there in the other form."""
        found = super().read()
        if cast("CalDAV", self._service).holds_memory_in_other_form(self._namespace):
            raise BackplanError(_two_forms(cast("CalDAVOptions", self._options)))
        return found

    def canonical(self, content: Content) -> Content:
        """Return the content as the list shows it."""
        found = super().canonical(content)
        return FORMS[cast("CalDAVOptions", self._options).shown].canonical(found)
