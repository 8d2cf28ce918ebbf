"""Finds a list of tasks or events by its path or its visible name, lists the others, and creates one."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from config.errors import BackplanError, CredentialsError, MissingError
from connectors.base import Check
from connectors.caldav import todo
from connectors.caldav.component import MARKER
from connectors.caldav.forms import FORMS
from connectors.options import Offer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.caldav.component import Form
    from connectors.caldav.dav import Collection, Dav, Resource

_MEMORY = f"{MARKER}:bpm"  # of any plan
_NAMES = [form.NAME for form in FORMS.values()]

_IN_USE = (403, 405, 409)  # Cyrus and Xandikos, sabre, Radicale; 403 also for a missing right


def path_of(dav: Dav, name: str, form: Form) -> str:
    """Return the path of a list. A `name` that begins with a slash is its path. Raises as `found` does."""
    path = name if name.startswith("/") else _by_name(dav, name, form)
    return f"{path.rstrip('/')}/"


def found(dav: Dav, path: str, name: str, form: Form) -> Collection:
    """Return the list at a path, which may have moved.

    Raises MissingError if there is none, BackplanError if it cannot hold the entries.
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
    """Return all lists of the user. Raises MissingError if the server does not name them."""
    home = _home(dav)
    return [one for one in dav.properties(home, below=True) if one.is_list and one.path.rstrip("/") != home.rstrip("/")]


def offered(dav: Dav) -> list[Offer]:
    """Return the lists that can hold tasks or events, and that the user may write to. Raises as `all_of` does."""
    found = [one for one in all_of(dav) if one.is_writable and any(map(one.takes, _NAMES))]
    return [offer(one, alone=[other.name for other in found].count(one.name) == 1) for one in found]


def offer(one: Collection, *, alone: bool = True) -> Offer:
    """Return a list as `init` offers it. alone: no other list has its name."""
    options = {"list": one.name if one.name and alone else one.path}
    return Offer(one.name or one.path, _use(one), options if one.takes(todo.NAME) else {**options, "as": "events"})


def others(dav: Dav, path: str) -> list[Check]:
    """Return a check for each list but that at `path`: whether it can hold tasks or events."""
    with suppress(MissingError):
        found = [one for one in all_of(dav) if one.path != path]
        return [Check("another list", True, f"“{one.name or one.path}” {_use(one)}") for one in found]
    return []


def ours_in_others(dav: Dav, path: str, form: Form) -> Iterator[Resource]:
    """Yield our entries in all lists but that at `path`. A list with a memory belongs to another plan."""
    with suppress(MissingError):  # the server does not name the lists
        for one in all_of(dav):
            if one.path != path and one.takes(form.NAME) and one.is_writable:
                there = _ours(dav, one.path, form)
                yield from () if any(_MEMORY in resource.text for resource in there) else there


def _ours(dav: Dav, path: str, form: Form) -> list[Resource]:
    try:
        return dav.items(path, form.NAME, having=MARKER)
    except (MissingError, CredentialsError):  # a shared list whose content this user may not read
        return []


def made(dav: Dav, name: str, form: Form) -> Collection:
    """Return the list with a name; create it if there is none. Raises BackplanError if the server refuses."""
    known = [one for one in all_of(dav) if one.name == name and one.takes(form.NAME)]
    if known:
        return known[0]
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "goals"
    # A server may reserve the path of a deleted list, or have one there that this user may not see.
    for path in (f"{_home(dav).rstrip('/')}/{word}{end}/" for end in ("", "-2", "-3", f"-{uuid4().hex[:8]}")):
        response = dav.make_list(path, name, form.NAME)
        if response.status_code not in _IN_USE:
            break
    if not response.ok:  # pyright: ignore[reportPossiblyUnboundVariable]
        raise BackplanError(
            f"CalDAV: the server makes no list (status {response.status_code}); "  # pyright: ignore[reportPossiblyUnboundVariable]
            f"make one for {form.MANY} in your app"
        )
    return found(dav, path, name, form)  # pyright: ignore[reportPossiblyUnboundVariable]


def no_list(name: str, there: str = "") -> MissingError:
    """Return the error for a list that does not exist, perhaps any more: it is not taken for an empty list."""
    return MissingError(
        f"caldav ({name}): there is no such list, or the user may not see it{there}. Make it in your app, or check "
        "`list:` in the goals file and CALDAV_URL; nothing was changed"
    )


def _use(one: Collection) -> str:
    """Return the kinds of entries that a list can hold, or why it can hold none."""
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
    """Return the path of the user's lists. Raises MissingError."""
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
    """Return the path of the user, from the properties of another path; empty if they do not contain it."""
    try:
        return next((one.principal for one in dav.properties(path) if one.principal), "")
    except MissingError:
        return ""
