"""One list of tasks or events on a CalDAV server, such as Nextcloud, Radicale, Baikal or Fastmail.

Each has an id that follows from its key, and is made only where nothing has that id; it is changed and deleted
only as it was read. Where a condition does not hold, it is looked at: an earlier answer may have been lost.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal, cast
from urllib.parse import unquote, urljoin

from pydantic import Field

from config.errors import BackplanError, CredentialsError, MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.caldav import component, dav, event, lists
from connectors.caldav.component import MARKER, Parsed, UnreadableError
from connectors.caldav.dav import Dav, Resource
from connectors.caldav.forms import FORMS
from connectors.http import Service, basic
from connectors.model import Content, client_id
from connectors.options import Options
from connectors.service import ServiceConnector
from connectors.tasks import ChangedError, Limits, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from icalendar import Component

    from connectors.caldav.dav import Collection
    from connectors.http import Api
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
    login=basic,
    rights="the right to write into the list",
    whole=dav.whole,
    words=dav.words,
)
_FAILED, _NOT_FOUND = 412, 404
_REFUSED = (400, 403, 409, 412)  # if an id is in use: Nextcloud, Cyrus, Radicale, Xandikos
_ID_IN_USE = re.compile(rb"(?i)\buid\b|unique-scheduling-object-resource")
_TRIES = 3  # for a task that others keep changing


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
        self._resources: dict[str, Resource] = {}  # by the ids of their tasks
        self._elsewhere: dict[str, Resource] | None = None  # our tasks in other lists; None before they are read
        self._last = 0  # place in the order of the list

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
            resources = self._dav.items(self._path, self._form.NAME, whole=whole)
        except MissingError:
            raise lists.no_list(self._list) from None
        found = [(resource, row, above) for resource in resources for row, above in self._readable(resource)]
        below = {above for resource, _, above in found if MARKER not in resource.text}
        for resource, row, _ in found:
            self._resources[row.id] = resource
        return [replace(row, touched=row.touched or row.id in below) for _, row, _ in found]

    def row(self, native_id: str) -> Row | None:
        """Return a task by its id. If the user moved it to another list of the account, it is found there."""
        here = self._here(native_id)
        if here is None and (moved := self._in_other_lists().get(native_id)):
            return self._row(moved)
        return here

    def create(self, wanted: Wanted) -> Row:
        """Create a task, unless there is one with its id, which is returned."""
        now = self._api.retrier.now
        self._last = max(self._last + 1, component.place_of(now))
        path, text = self._path_of(wanted.id), self._form.new(wanted, now, self._last)
        response = self._dav.put(path, text, {"If-None-Match": "*"})
        if response.status_code == _FAILED and (there := self._here(wanted.id)):
            return there
        if response.status_code in _REFUSED and _ID_IN_USE.search(response.content):
            raise BackplanError(
                f"its id ({wanted.id}) is in use elsewhere on the server: empty the trash bin if it is there, move it "
                "back from another list, or delete it"
            )
        self._api.checked(response)
        return self._row(self._stored(path, text, response.headers.get("ETag", "")))

    def change(self, row: Row, wanted: Wanted, fields: frozenset[str]) -> Row:
        """Change fields of a task."""
        return self._put(row, self._form.change(wanted, fields))

    def close(self, row: Row) -> Row:
        """Complete a task."""
        return self._put(row, self._form.closing(self._api.retrier.now))

    def reopen(self, row: Row) -> Row:
        """Open a task again."""
        return self._put(row, self._form.reopen)

    def remove(self, row: Row) -> bool:
        """Delete a task as it was read."""
        for _ in range(_TRIES):
            response = self._dav.delete(self._resources[row.id].path, self._condition(row))
            if response.status_code != _FAILED:
                return response.status_code == _NOT_FOUND or self._api.checked(response).ok
            if (there := self._again(row)) is None:
                return True
            if there != row:
                break
        raise _changed(row)

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
        self._path = found.path
        return found

    def _in_other_lists(self) -> dict[str, Resource]:
        """Return our tasks in other lists of the account, by id. Lists with a memory belong to another plan."""
        if self._elsewhere is None:
            there = lists.ours_in_others(self._dav, self._path, self._form)
            self._elsewhere = {row.id: resource for resource in there for row, _ in self._readable(resource)}
        return self._elsewhere

    # One task

    def _path_of(self, native_id: str) -> str:
        return urljoin(self._path, f"{native_id}.ics")

    def _here(self, native_id: str) -> Row | None:
        """Return a task at the path where it was read, or else in the list; None if it is not there."""
        known = self._resources.get(native_id)
        resource = self._dav.get(known.path if known else self._path_of(native_id))
        return self._row(resource) if resource else None

    def _readable(self, resource: Resource) -> list[tuple[Row, str]]:
        """Return the row of a resource and the id above; an empty list if it is unreadable and not ours."""
        try:
            parsed = Parsed.of(resource.text, self._form.NAME)
            return [(self._form.row(parsed), parsed.above)]
        except UnreadableError as error:
            why = f"the task at {resource.path} cannot be read ({error}); mend it in your app, or delete it"
            return [(component.unread(resource.text, why), "")] if MARKER in resource.text.upper() else []

    def _row(self, resource: Resource) -> Row:
        """Return the row of a resource, and store the resource. Raises BackplanError if it cannot be read."""
        row = self._form.row(Parsed.of(resource.text, self._form.NAME))
        self._resources[row.id] = resource
        return row

    def _stored(self, path: str, text: str, etag: str) -> Resource:
        """Return a resource that was written, with its tag."""
        return Resource(path, etag, text) if etag else self._dav.get(path) or Resource(path, "", text)

    def _condition(self, row: Row) -> dict[str, str]:
        """Return the condition that a task is as it was read. A weak tag never matches."""
        etag = self._resources[row.id].etag
        return {"If-Match": etag} if etag and not etag.startswith("W/") else {}

    def _again(self, row: Row) -> Row | None:
        """Return a task as it is now; None if it is deleted."""
        there = self.row(row.id)
        return replace(there, touched=row.touched) if there else None

    def _put(self, row: Row, edit: Callable[[Component], None]) -> Row:
        """Change a task as it was read. Raises ChangedError if a part that is ours has changed since."""
        for _ in range(_TRIES):
            known = self._resources[row.id]
            text = self._rewritten(known, edit)
            response = self._dav.put(known.path, text, self._condition(row))
            if response.status_code != _FAILED:
                self._api.checked(response)
                new = self._stored(known.path, text, response.headers.get("ETag", ""))
                return replace(self._row(new), touched=row.touched)
            there = self._again(row)
            if there is None:
                raise MissingError("the task does not exist any more")
            after = self._form.row(Parsed.of(self._rewritten(self._resources[row.id], edit), self._form.NAME))
            if replace(after, touched=row.touched) == there:
                return there
            if there != row:
                break
        raise _changed(row)

    def _rewritten(self, known: Resource, edit: Callable[[Component], None]) -> str:
        return component.rewritten(known.text, self._form.NAME, edit, self._api.retrier.now)


def _changed(row: Row) -> ChangedError:
    return ChangedError(f"“{row.title}” was changed in the meantime; run again")


class CalDAVConnector(ServiceConnector, service=CalDAV, options=CalDAVOptions):
    """One list of tasks or events."""

    def canonical(self, content: Content) -> Content:
        """Return the content as the list shows it."""
        found = super().canonical(content)
        return FORMS[cast("CalDAVOptions", self._options).shown].canonical(found)
