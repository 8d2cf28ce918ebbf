"""The entries of one list as a run read or wrote them: each is created once, and changed only as it was read.

Where a condition does not hold, the entry is looked at: an earlier answer may have been lost.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from config.errors import BackplanError, MissingError
from connectors.caldav import component, dav, lists
from connectors.caldav.component import MARKER, Parsed, UnreadableError
from connectors.caldav.dav import Resource
from connectors.model import client_id
from connectors.tasks import ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import requests
    from icalendar import Component

    from connectors.caldav.component import Form
    from connectors.caldav.dav import Dav
    from connectors.http import Api
    from connectors.snapshot import Row
    from connectors.tasks import Wanted

_FAILED, _FORBIDDEN, _NOT_FOUND = 412, 403, 404
_REFUSED = (400, 403, 409, 412)  # if an id is in use: Nextcloud, Cyrus, Radicale, Xandikos
_ID_IN_USE = re.compile(rb"(?i)\buid\b|unique-scheduling-object-resource")
_TRIES = 3  # for a task that others keep changing


class Entries:
    """The tasks or events of the list at `path`.

    others: the texts of entries of another form, once the whole list has been read
    """

    def __init__(self, api: Api, dav: Dav, form: Form) -> None:
        self.path = ""
        self.others: Sequence[str] = ()
        self._api, self._dav, self._form = api, dav, form
        self._resources: dict[str, Resource] = {}  # by the ids of their tasks
        self._elsewhere: dict[str, Resource] | None = None  # our tasks in other lists; None before they are read
        self._last = 0  # place in the order of the list

    def listed(self, *, whole: bool = False) -> list[Row]:
        """Return all tasks of the list; `whole` sends another kind of request. Raises as `Dav.items`."""
        resources = self._dav.items(self.path, "" if whole else self._form.NAME)
        if whole:
            self.others = [one.text for one in resources if not one.holds(self._form.NAME)]
        ordered = sorted(filter(lambda one: one.holds(self._form.NAME), resources), key=self._age)
        found = [(resource, row, above) for resource in ordered for row, above in self._readable(resource)]
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
        """Create a task, unless there is one with its id, which is returned.

        Where the id is in use outside of the list, such as in the trash bin, the task gets the next one. Ids follow
        from each other, so that every run arrives at the same.
        """
        ids = [wanted.id, *(client_id(wanted.id, self.path, number) for number in range(1, _TRIES))]
        for native_id in ids:
            if row := self._created(replace(wanted, id=native_id)):
                return row
        raise BackplanError(
            f"its id ({wanted.id}) is in use elsewhere on the server: empty the trash bin if it is there, move it "
            "back from another list, or delete it"
        )

    def _created(self, wanted: Wanted) -> Row | None:
        """Create a task, or return the one with its id; None if its id is in use outside of the list."""
        now = self._api.retrier.now
        self._last = max(self._last + 1, component.place_of(now))
        path, text = self._path_of(wanted.id), self._form.new(wanted, now, self._last)
        response = self._dav.put(path, text, {"If-None-Match": "*"})
        if response.status_code == _FAILED and (there := self._here(wanted.id)):
            return there
        if response.status_code in _REFUSED and _ID_IN_USE.search(response.content):
            if known := self._resources.get(wanted.id):
                raise BackplanError(f"its id ({wanted.id}) is that of the task at {known.path}; delete that one")
            return None
        self._checked(response)
        return self._row(self._stored(path, text, response.headers.get("ETag", "")))

    def remove(self, row: Row) -> bool:
        """Delete a task as it was read, unless this run has deleted it."""
        if row.id not in self._resources:
            return True
        for _ in range(_TRIES):
            response = self._dav.delete(self._resources[row.id].path, self._condition(row))
            if response.status_code != _FAILED:
                done = response.status_code == _NOT_FOUND or self._checked(response).ok
                del self._resources[row.id]
                return done
            if (there := self._again(row)) is None:
                return True
            if there != row:
                break
        raise _changed(row)

    def _in_other_lists(self) -> dict[str, Resource]:
        """Return our tasks in other lists of the account, by id. Lists with a memory belong to another plan."""
        if self._elsewhere is None:
            there = lists.ours_in_others(self._dav, self.path, self._form)
            self._elsewhere = {row.id: resource for resource in there for row, _ in self._readable(resource)}
        return self._elsewhere

    def _path_of(self, native_id: str) -> str:
        return urljoin(self.path, f"{native_id}.ics")

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

    def _checked(self, response: requests.Response) -> requests.Response:
        """Return an answer to a write. Raises BackplanError if the server refuses this task, and not the user."""
        if response.status_code == _FORBIDDEN and dav.is_about_the_entry(response):
            raise BackplanError(f"the server refuses it ({dav.words(response)})")
        return self._api.checked(response)

    def _age(self, resource: Resource) -> tuple[str, bool, str]:
        """Return a key that sorts entries by their last change: of several with one id, the last one counts."""
        return component.changed(resource.text, self._form.NAME), resource.path.endswith(".ics"), resource.path

    def _condition(self, row: Row) -> dict[str, str]:
        """Return the condition that a task is as it was read. A weak tag never matches."""
        etag = self._resources[row.id].etag
        return {"If-Match": etag} if etag and not etag.startswith("W/") else {}

    def _again(self, row: Row) -> Row | None:
        """Return a task as it is now; None if it is deleted."""
        there = self.row(row.id)
        return replace(there, touched=row.touched) if there else None

    def write(self, row: Row, edit: Callable[[Component], None]) -> Row:
        """Change a task as it was read. Raises ChangedError if a part that is ours has changed since."""
        for _ in range(_TRIES):
            known = self._resources[row.id]
            text = self._rewritten(known, edit)
            response = self._dav.put(known.path, text, self._condition(row))
            if response.status_code != _FAILED:
                self._checked(response)
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
