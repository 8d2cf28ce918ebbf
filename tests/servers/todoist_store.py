"""What a Todoist service holds: users and their objects as JSON, a revision for every change, and who sees what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha1
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.servers import todoist_rules as rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Thing = dict[str, Any]


class Kind(StrEnum):
    """The kinds of objects, as /sync names them."""

    ITEMS = "items"
    PROJECTS = "projects"
    SECTIONS = "sections"
    LABELS = "labels"
    NOTES = "notes"


_WORDS = {
    Kind.ITEMS: "Task",
    Kind.PROJECTS: "Project",
    Kind.SECTIONS: "Section",
    Kind.LABELS: "Label",
    Kind.NOTES: "Comment",
}


@dataclass
class User:
    """An account. `token` is its personal token."""

    id: str
    name: str
    token: str
    plan: rules.Plan
    timezone: str
    inbox_id: str = ""

    def as_json(self) -> Thing:
        """Return the account as the service tells it, its token included."""
        paid = self.plan.plan_name != "free"
        return {
            "id": self.id,
            "email": f"{self.name.lower()}@example.org",
            "full_name": self.name,
            "token": self.token,
            "inbox_project_id": self.inbox_id,
            "is_premium": paid,
            "premium_status": "current_personal_plan" if paid else "not_premium",
            "lang": "en",
            "start_day": 1,
            "tz_info": {"timezone": self.timezone, "gmt_string": "+00:00", "hours": 0, "minutes": 0, "is_dst": 0},
            "joined_at": "2020-01-01T00:00:00.000000Z",
        }

    def limits(self) -> Thing:
        following = asdict(rules.PRO) if self.plan.plan_name == "free" else None
        return {"current": asdict(self.plan), "next": following}


class Store:
    """Objects by kind and id, oldest first. Deleted ones stay, marked, for those who sync."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.revision = 0
        self.things: dict[Kind, dict[str, Thing]] = {kind: {} for kind in Kind}
        self.revisions: dict[str, int] = {}
        self.users: list[User] = []
        self.members: dict[str, set[str]] = {}  # by project
        self.owners: dict[str, str] = {}  # by label
        self._number = 0
        self._last = now

    # Time and names

    def advance(self, time: timedelta) -> None:
        """Let time go by."""
        self.now += time

    def set_clock(self, now: datetime) -> None:
        """Let the clock show another time, perhaps one that it has shown before."""
        self.now = self._last = now

    def stamp(self) -> str:
        """Return the moment of a change; no two are the same."""
        self._last = max(self.now, self._last + timedelta(microseconds=1))
        return rules.stamp(self._last)

    def today(self, user: User) -> date:
        return self.now.astimezone(ZoneInfo(user.timezone)).date()

    def secret(self) -> str:
        """Return a new opaque string of 40 hexadecimal digits, such as a token."""
        return sha1(f"secret {self._next()}".encode(), usedforsecurity=False).hexdigest()

    def new_id(self) -> str:
        return rules.make_id(self._next())

    def new_number(self) -> str:
        """Return an id of digits, as labels and users have them."""
        return str(2_000_000_000 + self._next())

    def _next(self) -> int:
        self._number += 1
        return self._number

    # Objects

    def put(self, kind: Kind, thing: Thing) -> Thing:
        self.things[kind][thing["id"]] = thing
        return self.change(thing)

    def change(self, thing: Thing, **fields: Any) -> Thing:
        """Change an object, and let everybody who syncs know of it."""
        thing.update(fields)
        if "updated_at" in thing:
            thing["updated_at"] = self.stamp()
        self.revision += 1
        self.revisions[thing["id"]] = self.revision
        return thing

    def all(self, kind: Kind) -> Iterable[Thing]:
        return self.things[kind].values()

    def find(self, user: User, kind: Kind, value: object, argument: str = "id") -> Thing:
        """Return an object that the user sees and that is not deleted."""
        thing = self.things[kind].get(rules.checked_id(argument, value, digits=kind is Kind.LABELS))
        if thing is None or thing["is_deleted"] or not self.sees(user, kind, thing):
            raise rules.not_found(_WORDS[kind])
        return thing

    # Who sees what

    def sees(self, user: User, kind: Kind, thing: Thing) -> bool:
        if kind is Kind.LABELS:
            return self.owners[thing["id"]] == user.id
        return user.id in self.members[self.project_of(kind, thing)]

    def project_of(self, kind: Kind, thing: Thing) -> str:
        if kind is Kind.NOTES:
            thing = self.things[Kind.ITEMS][thing["item_id"]]
        project: str = thing["id" if kind is Kind.PROJECTS else "project_id"]
        return project

    def visible(self, user: User, kind: Kind) -> Iterator[Thing]:
        return (thing for thing in self.all(kind) if self.sees(user, kind, thing))

    def active(self, user: User, kind: Kind) -> list[Thing]:
        """Return what a list shows: nothing completed, deleted or archived, nor what is in something archived."""
        return [thing for thing in self.visible(user, kind) if self.is_active(kind, thing)]

    def is_active(self, kind: Kind, thing: Thing) -> bool:
        if thing["is_deleted"] or thing.get("checked") or thing.get("is_archived"):
            return False
        if kind is Kind.NOTES:
            return self.is_active(Kind.ITEMS, self.things[Kind.ITEMS][thing["item_id"]])
        project = self.things[Kind.PROJECTS].get(thing.get("project_id", ""))
        section = self.things[Kind.SECTIONS].get(thing.get("section_id") or "")
        return not any(home and home["is_archived"] for home in (project, section))

    # Families

    def children(self, kind: Kind, thing: Thing) -> list[Thing]:
        """Return what is right below a task or a project, completed ones too."""
        return [t for t in self.all(kind) if t["parent_id"] == thing["id"] and not t["is_deleted"]]

    def family(self, kind: Kind, thing: Thing) -> list[Thing]:
        """Return an object and everything below it, parents first."""
        found = [thing]
        for member in found:  # it grows while we look
            found += self.children(kind, member)
        return found

    def tasks_in(self, **place: str) -> list[Thing]:
        """Return the tasks with that `project_id` or `section_id`, completed ones too."""
        ((name, value),) = place.items()
        return [t for t in self.all(Kind.ITEMS) if t[name] == value and not t["is_deleted"]]


EPOCH = datetime(2026, 3, 10, 9, tzinfo=UTC)
