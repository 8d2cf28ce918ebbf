"""Finds a list of tasks by its path, or by its visible name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError, MissingError

if TYPE_CHECKING:
    from connectors.caldav.dav import Collection, Dav


def path_of(dav: Dav, name: str) -> str:
    """Return the path of a list. A `name` that begins with a slash is its path. Raises as `found` does."""
    path = name if name.startswith("/") else _by_name(dav, name)
    return f"{path.rstrip('/')}/"


def found(dav: Dav, path: str, name: str) -> Collection:
    """Return the list at a path, which may have moved.

    Raises MissingError if there is none, BackplanError if it cannot hold tasks.
    """
    try:
        one = next(iter(dav.properties(path)), None)
    except MissingError:
        one = None
    if one is None:
        raise no_list(name)
    if not one.takes_tasks:
        raise BackplanError(f"caldav ({name}): it takes no tasks; make a list of tasks, and name it in `list:`")
    return one


def no_list(name: str, there: str = "") -> MissingError:
    """Return the error for a list that does not exist, perhaps any more: it is not taken for an empty list."""
    return MissingError(
        f"caldav ({name}): there is no such list, or the user may not see it{there}. Make it in your app, or check "
        "`list:` in the goals file and CALDAV_URL; nothing was changed"
    )


def _by_name(dav: Dav, name: str) -> str:
    ways = ("",) if dav.has_path else ("/.well-known/caldav", "")  # RFC 6764
    principal = next(filter(None, (_principal(dav, way) for way in ways)), "")
    homes = dav.properties(principal) if principal else []
    home = next((one.home for one in homes if one.home), "")
    if not home:
        raise BackplanError(
            "CalDAV: no lists are known at the address in CALDAV_URL; copy the one that your server shows for CalDAV"
        )
    lists = [one for one in dav.properties(home, below=True) if one.takes_tasks]
    named = [one.path for one in lists if one.name == name]
    if len(named) > 1:
        raise BackplanError(f"caldav ({name}): several lists have this name; write one of {', '.join(named)}")
    if not named:
        names = ", ".join(sorted(one.name or one.path for one in lists)) or "none"
        raise no_list(name, f"; the lists of tasks there are {names}")
    return named[0]


def _principal(dav: Dav, path: str) -> str:
    """Return the path of the user, from the properties of another path; empty if they do not contain it."""
    try:
        return next((one.principal for one in dav.properties(path) if one.principal), "")
    except MissingError:
        return ""
