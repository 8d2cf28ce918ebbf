"""Where a list of tasks or events is, by its path or by the name that people see; which others there are; a new one."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from config.errors import BackplanError, CredentialsError, MissingError
from connectors.base import Check
from connectors.caldav.component import MARKER
from connectors.caldav.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.caldav.component import Form
    from connectors.caldav.dav import Collection, Dav, Resource

_MEMORY = f"{MARKER}:bpm"  # of any plan

_IN_USE = (403, 405, 409)  # Cyrus and Xandikos, sabre, Radicale; the first of them for want of a right, too


def path_of(dav: Dav, name: str, form: Form) -> str:
    """Return the path of a list, which `name` is where it begins with a slash. Raises as `found` does."""
    path = name if name.startswith("/") else _by_name(dav, name, form)
    return f"{path.rstrip('/')}/"


def found(dav: Dav, path: str, name: str, form: Form) -> Collection:
    """Return the list at a path, which may have moved.

    Raises MissingError where there is none, BackplanError where it takes none of what is to go there.
    """
    try:
        one = next(iter(dav.properties(path)), None)
    except MissingError:
        one = None
    if one is None:
        raise no_list(name)
    if not one.takes(form.NAME):
        raise BackplanError(
            f"caldav ({name}): it takes no {form.MANY}; make a list of {form.MANY}, and name it in `list:`"
        )
    return one


def all_of(dav: Dav) -> list[Collection]:
    """Return all lists of the user, whatever they take. Raises BackplanError where the server does not say them."""
    home = _home(dav)
    return [one for one in dav.properties(home, below=True) if one.is_list and one.path.rstrip("/") != home.rstrip("/")]


def others(dav: Dav, path: str) -> list[Check]:
    """Return what the lists but that at a path can hold; nothing where the server does not say which there are."""
    with suppress(MissingError):
        found = [one for one in all_of(dav) if one.path != path]
        return [Check("another list", True, f"“{one.name or one.path}” {_use(one)}") for one in found]
    return []


def ours_in_others(dav: Dav, path: str, form: Form) -> Iterator[Resource]:
    """Yield what is ours in the lists but that at a path. One that holds a memory is the place of another plan."""
    with suppress(MissingError):  # the server does not say which lists there are
        for one in all_of(dav):
            if one.path != path and one.takes(form.NAME) and one.is_writable:
                there = _ours(dav, one.path, form)
                yield from () if any(_MEMORY in resource.text for resource in there) else there


def _ours(dav: Dav, path: str, form: Form) -> list[Resource]:
    try:
        return dav.items(path, form.NAME, having=MARKER)
    except (MissingError, CredentialsError):  # a list that somebody shares, and not its content
        return []


def made(dav: Dav, name: str, form: Form) -> Collection:
    """Return the list with a name, which is made unless there is one. Raises BackplanError where it cannot be."""
    known = [one for one in all_of(dav) if one.name == name and one.takes(form.NAME)]
    if known:
        return known[0]
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "goals"
    # A server may keep the path of a list that was deleted, or of one that this user may not see.
    for path in (f"{_home(dav).rstrip('/')}/{word}{end}/" for end in ("", "-2", "-3", f"-{uuid4().hex[:8]}")):
        response = dav.make_list(path, name, form.NAME)
        if response.status_code not in _IN_USE:
            break
    if not response.ok:
        raise BackplanError(
            f"CalDAV: the server makes no list (status {response.status_code}); make one for {form.MANY} in your app"
        )
    return found(dav, path, name, form)


def no_list(name: str, there: str = "") -> MissingError:
    """Return the error that a list is which is not there, or not any more: that is no list without tasks."""
    return MissingError(
        f"caldav ({name}): there is no such list, or the user may not see it{there}. Make it in your app, or check "
        "`list:` in the goals file and CALDAV_URL; nothing was changed"
    )


def _use(one: Collection) -> str:
    """Return what a list can hold, or why it can hold nothing."""
    takes = " and ".join(form.MANY for form in FORMS.values() if one.takes(form.NAME))
    if not takes:
        return f"takes neither tasks nor events, but {', '.join(sorted(one.components))}"
    return f"takes {takes}" if one.is_writable else f"holds {takes}, and is read-only"


def _by_name(dav: Dav, name: str, form: Form) -> str:
    lists = [one for one in all_of(dav) if one.takes(form.NAME)]
    named = [one.path for one in lists if one.name == name]
    if len(named) > 1:
        raise BackplanError(f"caldav ({name}): several lists have this name; write one of {', '.join(named)}")
    if not named:
        names = ", ".join(sorted(one.name or one.path for one in lists)) or "none"
        raise no_list(name, f"; the lists of {form.MANY} there are {names}")
    return named[0]


def _home(dav: Dav) -> str:
    """Return the path below which the lists of the user stand."""
    ways = ("",) if dav.has_path else ("/.well-known/caldav", "")  # RFC 6764
    principal = next(filter(None, (_principal(dav, way) for way in ways)), "")
    homes = dav.properties(principal) if principal else []
    home = next((one.home for one in homes if one.home), "")
    if not home:
        raise MissingError(
            "CalDAV: no lists are known at the address in CALDAV_URL; copy the one that your server shows for CalDAV"
        )
    return home


def _principal(dav: Dav, path: str) -> str:
    """Return the path of the user, as another path says it; empty where it does not."""
    try:
        return next((one.principal for one in dav.properties(path) if one.principal), "")
    except MissingError:
        return ""
