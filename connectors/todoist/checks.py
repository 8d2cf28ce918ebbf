"""Reasons to refuse a place in Todoist before anything is written, and facts about an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.errors import BackplanError, RefusedError
from connectors.base import Check
from connectors.todoist.container import is_exact, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.todoist.answers import Limits
    from connectors.todoist.api import Client
    from connectors.todoist.container import Container
    from connectors.todoist.objects import Listing, Name


def refuse_full(container: Container, listing: Listing) -> None:
    """Raise RefusedError if the plan of the account does not allow a new project or section that is needed."""
    limits, projects = listing.limits, [p for p in listing.projects.values() if not (p.gone or p.inbox)]
    if container.project is None and limits.projects is not None and len(projects) >= limits.projects:
        raise RefusedError(_no_room(container.name.project, "project", limits, len(projects)))
    if container.project and container.name.section and container.section is None and limits.sections is not None:
        there = [s for s in listing.sections.values() if s.project_id == container.project.id and not s.gone]
        if len(there) >= limits.sections:
            raise RefusedError(_no_room(container.name.section, "section", limits, len(there)))


def _no_room(name: str, kind: str, limits: Limits, count: int) -> str:
    return (
        f"todoist: there is no {kind} `{name}`, and none can be made: the plan of the account ({limits.plan}) has room "
        f"for {count}. Name one that exists in the goals file (`{kind}:`), or archive one; nothing was changed"
    )


def refuse_archived(container: Container, listing: Listing, client: Client) -> None:
    """Raise RefusedError if a missing project or section is archived, or may be: its tasks are hidden, not deleted.

    Todoist does not list the archived sections of a project, only their number.
    """
    name = container.name.project
    if container.project is not None and (container.memory is not None or is_exact(name, container.project)):
        _refuse_archived_section(container, listing)
    elif any(name in (place.id, place.name) for place in client.archived_projects(listing)):
        raise RefusedError(
            f"todoist ({container.name}): the project “{name}” was archived. Unarchive it in Todoist, or name another "
            "one in the goals file; nothing was changed"
        )


def refuse_doubled(container: Container, listing: Listing, others: Iterable[Name]) -> None:
    """Raise RefusedError if the goals file names one place in two ways, which would be written twice."""
    for other in others if container.named and container.spelled else ():
        if container.place is not None and resolve(listing, other) == container.place:
            raise RefusedError(
                f"todoist ({container.name}): the goals file names this place as `{other}` too, and "
                f"{container.spelled[0]}. Write it in one way everywhere; nothing was changed"
            )


def _refuse_archived_section(container: Container, listing: Listing) -> None:
    name, project = container.name, container.project
    hidden = listing.archived_sections.get(project.id, 0) if project else 0
    if name.section and container.section is None and hidden:
        raise RefusedError(
            f"todoist ({name}): the project “{name.project}” has no section “{name.section}”, and {hidden} archived "
            f"ones; Todoist does not return their names. If “{name.section}” is among them, unarchive it. If not, "
            "create a section of that name there, and run again; nothing was changed"
        )


def facts(container: Container, listing: Listing, requests: int) -> list[Check]:
    """Return the checks of the account, its plan, the project and the rate limit."""
    limits, name, room = listing.limits, container.name, container.room(listing)
    deadlines = "with deadlines" if limits.deadlines else "without deadlines of Todoist's own"
    plan = f"{limits.plan or 'unknown'}: {limits.tasks} open tasks a project, {limits.projects} projects, {deadlines}"
    try:
        refuse_full(container, listing)
    except BackplanError as error:
        place = Check("project", False, str(error))
    else:
        known = "; ".join([f"“{name}” is there", *container.spelled])
        there = known if container.place else f"“{name}” does not exist yet; the first sync makes it"
        place = Check("project", True, there + (f", with room for {room} more open tasks" if room is not None else ""))
    return [
        Check("account", True, f"{listing.user.email} (id {listing.user.id}), time zone {listing.user.timezone}"),
        Check("plan", True, plan),
        place,
        Check(
            "requests",
            True,
            f"{requests} sent now; Todoist accepts 1,000 in 15 minutes, 100 of them whole reads, and does not return "
            "how many are left. A sync in which nothing changed sends 1 or 2",
        ),
    ]
