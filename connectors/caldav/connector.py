"""One list of tasks on a CalDAV server, such as Nextcloud, Radicale, Baikal or Fastmail.

Each task has an id that follows from its key, and is made only where nothing has that id; it is changed and deleted
only as it was read. Where a condition does not hold, the task is looked at: an earlier answer may have been lost.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urljoin

from pydantic import Field

from config.errors import BackplanError, MissingError
from config.settings import Credential
from connectors import stored
from connectors.base import Capabilities, Check
from connectors.caldav import dav, lists, todo
from connectors.caldav.dav import Dav, Resource
from connectors.http import Service, basic
from connectors.model import Content, client_id
from connectors.options import Options
from connectors.service import ServiceConnector
from connectors.tasks import ChangedError, Limits, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from icalendar import Todo

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
_REFUSED = (400, 403, 409, 412)  # what servers answer where an id is in use: Nextcloud, Cyrus, Radicale, Xandikos
_ID_IN_USE = re.compile(rb"(?i)\buid\b|unique-scheduling-object-resource")
_TRIES = 3  # at a task that others keep changing


class CalDAVOptions(Options):
    """Which list of tasks it is."""

    example: ClassVar[str] = "{list: Goals}"
    list: str = Field(min_length=1, description="the name of a list of tasks, or its path, such as /dav/me/goals/")

    @property
    def place(self) -> str:
        """The list."""
        return self.list


class CalDAV:
    """The tasks of one list over HTTP."""

    name: ClassVar[str] = "caldav"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "notes", "labels", "priority"}), "unique", client_ids=True
    )
    http: ClassVar[Service] = CALDAV
    limits: ClassVar[Limits] = Limits(title=1000, text=100_000)
    hiding: ClassVar[Hiding] = todo.HIDING
    remedy: ClassVar[str] = f"Restore the task “{stored.TITLE}”"

    def __init__(self, options: CalDAVOptions, api: Api) -> None:
        self._api, self._dav = api, Dav(api)
        self._list = options.list
        self._path = ""
        self._resources: dict[str, Resource] = {}  # by the ids of their tasks
        self._last = 0  # place in the order of the list

    @staticmethod
    def canonical(content: Content) -> Content:
        """Return content as iCalendar holds it: a first day only before the last one, and three priorities."""
        starts = content.start and (content.due is None or content.start < content.due)
        return replace(
            content,
            title=todo.readable(content.title),
            notes=todo.readable(content.notes),
            labels=todo.labels_of(content.labels),
            start=content.start if starts else None,
            priority="high" if content.priority == "urgent" else content.priority,
        )

    def account(self) -> frozenset[str]:
        """Return the user's name, as the server's paths have it."""
        found = self._found()
        return frozenset({unquote(found.principal).rstrip("/").rpartition("/")[2]} - {""})

    def rows(self, *, whole: bool = False) -> list[Row]:
        """Return all tasks of the list, by two questions."""
        try:
            resources = self._dav.todos(self._path, whole=whole)
        except MissingError:
            raise lists.no_list(self._list) from None
        parsed = [(one, found) for one in resources if (found := self._parsed(one))]
        below = {found.above for _, found in parsed if todo.MARKER not in found.todo}
        rows = []
        for resource, found in parsed:
            row = self._row(resource, found)
            rows.append(replace(row, touched=row.touched or row.id in below))
        return rows

    def row(self, native_id: str) -> Row | None:
        """Return a task by its id."""
        known = self._resources.get(native_id)
        resource = self._dav.get(known.path if known else self._path_of(native_id))
        return self._row(resource) if resource else None

    def create(self, wanted: Wanted) -> Row:
        """Make a task where nothing has its id; else return what has it."""
        now = self._api.retrier.now
        self._last = max(self._last + 1, todo.place_of(now))
        path, text = self._path_of(wanted.id), todo.new(wanted, now, self._last)
        response = self._dav.put(path, text, {"If-None-Match": "*"})
        if response.status_code == _FAILED and (there := self.row(wanted.id)):
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
        return self._put(row, todo.change(wanted, fields))

    def close(self, row: Row) -> Row:
        """Complete a task."""
        return self._put(row, todo.closing(self._api.retrier.now))

    def reopen(self, row: Row) -> Row:
        """Open a task again."""
        return self._put(row, todo.reopen)

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
        """Keep words in a task below: there are no comments. Its id follows from them, so that it is made once."""
        title = f"Before the goals file changed it: {' '.join(words.split())}"[: self.limits.title]
        own = client_id(row.id, words)
        self.create(Wanted(Content(todo.readable(title)), todo.readable(words), id=own, above=row.id))

    def facts(self) -> list[Check]:
        """Return whose the password is, and whether the list takes tasks."""
        found = self._found()
        name = f"“{found.name or self._list}”"
        return [
            Check("password", True, "accepted"),
            Check("account", True, ", ".join(self.account())),
            Check("list", found.is_writable, f"{name} {'takes tasks' if found.is_writable else 'is read-only'}"),
        ]

    # The list

    def _found(self) -> Collection:
        """Return the list. Raises MissingError where there is none, BackplanError where it takes no tasks."""
        self._path = self._path or lists.path_of(self._dav, self._list)
        found = lists.found(self._dav, self._path, self._list)
        self._path = found.path
        return found

    # One task

    def _path_of(self, native_id: str) -> str:
        return urljoin(self._path, f"{native_id}.ics")

    def _parsed(self, resource: Resource) -> todo.Parsed | None:
        """Return a task; None for one that cannot be read and is none of ours."""
        try:
            found = todo.Parsed.of(resource.text)
            assert found.row  # noqa: S101  # its dates can be read
            return found
        except todo.UnreadableTaskError as error:
            if todo.MARKER not in resource.text.upper():
                return None
            raise BackplanError(
                f"caldav ({self._list}): the task at {resource.path} cannot be read ({error}); mend or delete it"
            ) from None

    def _row(self, resource: Resource, parsed: todo.Parsed | None = None) -> Row:
        """Return what a resource says, and take note of it."""
        found = parsed or self._parsed(resource)
        if found is None:
            raise BackplanError(f"caldav ({self._list}): the task at {resource.path} cannot be read; mend or delete it")
        row = found.row
        self._resources[row.id] = resource
        return row

    def _stored(self, path: str, text: str, etag: str) -> Resource:
        """Return what was written, as the server names it."""
        return Resource(path, etag, text) if etag else self._dav.get(path) or Resource(path, "", text)

    def _condition(self, row: Row) -> dict[str, str]:
        """Return the condition that a task is as it was read. A weak tag never matches."""
        etag = self._resources[row.id].etag
        return {"If-Match": etag} if etag and not etag.startswith("W/") else {}

    def _again(self, row: Row) -> Row | None:
        """Return a task as it is now; None where it is gone."""
        there = self.row(row.id)
        return replace(there, touched=row.touched) if there else None

    def _put(self, row: Row, edit: Callable[[Todo], None]) -> Row:
        """Change a task as it was read; where it is not that any more, what is not ours may have changed only."""
        for _ in range(_TRIES):
            known = self._resources[row.id]
            text = todo.rewritten(known.text, edit, self._api.retrier.now)
            response = self._dav.put(known.path, text, self._condition(row))
            if response.status_code != _FAILED:
                self._api.checked(response)
                new = self._stored(known.path, text, response.headers.get("ETag", ""))
                return replace(self._row(new), touched=row.touched)
            there = self._again(row)
            if there is None:
                raise MissingError("there is no such task any more")
            after = todo.Parsed.of(todo.rewritten(self._resources[row.id].text, edit, self._api.retrier.now)).row
            if replace(after, touched=row.touched) == there:
                return there
            if there != row:
                break
        raise _changed(row)


def _changed(row: Row) -> ChangedError:
    return ChangedError(f"“{row.title}” was changed in the meantime; run again")


class CalDAVConnector(ServiceConnector, service=CalDAV, options=CalDAVOptions):
    """One list of tasks."""
