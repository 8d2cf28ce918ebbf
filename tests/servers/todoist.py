"""A fake Todoist, without its HTTP: accounts, the hands of people who use the app, and what a test may switch.

`Todoist` is the service; `tests.servers.todoist_server.TodoistServer` speaks for it over HTTP.
"""

from __future__ import annotations

import copy
import math
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tests.servers import todoist_rules as rules
from tests.servers.todoist_operations import Operations
from tests.servers.todoist_rules import FREE, PRO, Plan, Refused
from tests.servers.todoist_store import EPOCH, Kind, Thing, User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

__all__ = ["EVERYTHING", "FREE", "PRO", "Plan", "Rates", "Refused", "Todoist", "User", "by_hand"]

F = TypeVar("F", bound="Callable[..., Any]")

EVERYTHING = frozenset({"task:add", "data:read", "data:read_write", "data:delete", "project:delete"})


@dataclass(frozen=True)
class Rates:
    """How many requests a user may send within `window`."""

    full_syncs: int = 100
    partial_syncs: int = 1000
    requests: int = 1000
    window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Remembered:
    """What is known of a uuid: the id that its command gave to a temporary one, or why it was refused."""

    mapping: Mapping[str, str]
    error: Mapping[str, Any] | None = None


def by_hand(method: F) -> F:
    """Let nothing else happen to the service meanwhile."""

    @wraps(method)
    def locked(self: Todoist, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return cast("F", locked)


class Todoist(Operations):
    """The service. It has one account from the start, `owner`.

    What its documentation leaves open is a switch:
    `repeats_are_errors`: in /sync, to delete what is deleted or to close what is closed is an error, else it is "ok".
    `completed_can_be_read`: `GET /tasks/{id}` gives a completed task, else it is not found.
    `failed_uuids_stay_failed`: a uuid whose command was refused answers that again, else it is tried again.
    `tells_completed_info`: a full sync tells how many sections of each project are archived.
    `refused`: commands that it does not carry out at the moment, by their kind, with the reason.
    `stale_full_sync`: how many of the last changes a full sync lacks, until somebody has synced incrementally.
    """

    def __init__(self, plan: Plan = FREE, *, now: datetime = EPOCH, timezone: str = "Europe/Berlin") -> None:
        super().__init__(now)
        self.lock = threading.RLock()
        self.rates = Rates()
        self.tells_completed_info = True
        self.repeats_are_errors = True
        self.completed_can_be_read = True
        self.failed_uuids_stay_failed = False
        self.refused: dict[str, str] = {}
        self.stale_full_sync = 0
        self.stale_by = timedelta(minutes=10)
        self.fresh_until = 0
        self.sync_tokens: dict[str, tuple[str, int]] = {}
        self.cursors: dict[str, tuple[object, int]] = {}
        self.uuids: dict[tuple[str, str], Remembered] = {}
        self._tokens: dict[str, tuple[User, frozenset[str]]] = {}
        self._spent: dict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self.owner = self.add_user("Ann", plan, timezone)

    # Accounts

    def add_user(self, name: str, plan: Plan = FREE, timezone: str = "Europe/Berlin") -> User:
        user = User(self.new_number(), name, self.secret(), plan, timezone)
        self.users.append(user)
        user.inbox_id = self.project_add(user, {"name": "Inbox"}, inbox=True)["id"]
        self._tokens[user.token] = user, EVERYTHING
        return user

    def add_token(self, user: User, *scopes: str) -> str:
        """Return a token as an app with these scopes gets it."""
        token = self.secret()
        self._tokens[token] = user, frozenset(scopes)
        return token

    def revoke(self, token: str) -> None:
        del self._tokens[token]

    def user(self, token: str) -> User:
        """Return whose token this is; an unknown one is refused."""
        return self.login(token)[0]

    def login(self, token: str) -> tuple[User, frozenset[str]]:
        """Return whose token this is, and its scopes; an unknown one is refused."""
        if token not in self._tokens:
            raise rules.unauthorized()
        return self._tokens[token]

    # What a person does in the app

    @by_hand
    def tick(self, task_id: str) -> None:
        task = self._task(task_id)
        self.task_close(self._user_of(task), task)

    @by_hand
    def reopen(self, task_id: str) -> None:
        self.task_reopen(self._task(task_id))

    @by_hand
    def delete(self, task_id: str) -> None:
        self.task_delete(self._task(task_id))

    @by_hand
    def edit(self, task_id: str, **fields: Any) -> None:
        """Change fields of a task, named and written as in `item_update`."""
        task = self._task(task_id)
        self.task_update(self._user_of(task), task, fields)

    def set_due(self, task_id: str, day: date | None) -> None:
        self.edit(task_id, due=day and {"date": day.isoformat()})

    def set_deadline(self, task_id: str, day: date | None) -> None:
        self.edit(task_id, deadline=day and {"date": day.isoformat()})

    def set_duration(self, task_id: str, days: int | None) -> None:
        self.edit(task_id, duration=days and {"amount": days, "unit": "day"})

    def set_title(self, task_id: str, title: str) -> None:
        self.edit(task_id, content=title)

    def set_description(self, task_id: str, description: str) -> None:
        self.edit(task_id, description=description)

    def make_recurring(self, task_id: str, words: str) -> None:
        """Let a task recur, such as `every week`, from the date it has."""
        due = self._task(task_id)["due"]
        self.edit(task_id, due={"string": words} | ({"date": due["date"]} if due else {}))

    @by_hand
    def add_comment(self, task_id: str, content: str) -> str:
        task = self._task(task_id)
        note_id: str = self.note_add(self._user_of(task), {"item_id": task_id, "content": content})["id"]
        return note_id

    @by_hand
    def duplicate(self, task_id: str) -> str:
        """Copy a task with its description and the open tasks below it, and return the id of the copy."""
        task = self._task(task_id)
        copied: str = self.task_duplicate(self._user_of(task), task)["id"]
        return copied

    @by_hand
    def move(
        self, task_id: str, *, project: str | None = None, section: str | None = None, parent: str | None = None
    ) -> None:
        task = self._task(task_id)
        to = {"project_id": project, "section_id": section, "parent_id": parent}
        self.task_move(self._user_of(task), task, to)

    @by_hand
    def add_task(self, title: str, project: str | None = None, *, user: User | None = None, **fields: Any) -> str:
        """Add a task, to the Inbox where no project is said, and return its id."""
        args = {"content": title, "project_id": project, **fields}
        task_id: str = self.task_add(user or self.owner, args)["id"]
        return task_id

    @by_hand
    def add_project(self, name: str, *, user: User | None = None, **fields: Any) -> str:
        project_id: str = self.project_add(user or self.owner, {"name": name, **fields})["id"]
        return project_id

    @by_hand
    def add_section(self, name: str, project: str, *, user: User | None = None) -> str:
        section_id: str = self.section_add(user or self.owner, {"name": name, "project_id": project})["id"]
        return section_id

    @by_hand
    def rename_project(self, project_id: str, name: str) -> None:
        self.change(self.things[Kind.PROJECTS][project_id], name=name)

    @by_hand
    def archive_project(self, project_id: str) -> None:
        self.project_archive(self.things[Kind.PROJECTS][project_id])

    @by_hand
    def unarchive_project(self, project_id: str) -> None:
        self.project_unarchive(self.things[Kind.PROJECTS][project_id])

    @by_hand
    def archive_section(self, section_id: str, *, archived: bool = True) -> None:
        self.change(self.things[Kind.SECTIONS][section_id], is_archived=archived)

    @by_hand
    def delete_project(self, project_id: str) -> None:
        self.project_delete(self.things[Kind.PROJECTS][project_id])

    @by_hand
    def share_project(self, project_id: str, user: User) -> None:
        """Let another account into a project."""
        self.members[project_id].add(user.id)
        self.change(self.things[Kind.PROJECTS][project_id], is_shared=True, can_assign_tasks=True)
        for thing in (*self.tasks_in(project_id=project_id), *self.sections_of(project_id)):
            self.change(thing)

    @by_hand
    def rename_label(self, old: str, new: str, *, user: User | None = None) -> None:
        """Rename a label, which rewrites the labels of tasks."""
        self.label_rename(user or self.owner, old, new)

    # What a test wants to know

    @by_hand
    def task(self, task_id: str) -> Thing:
        """Return a task as it is now, a deleted one too."""
        return copy.deepcopy(self.things[Kind.ITEMS][task_id])

    @by_hand
    def tasks(self, project: str | None = None) -> list[Thing]:
        """Return all tasks that are not deleted, of every account, completed ones too, oldest first."""
        found = [t for t in self.all(Kind.ITEMS) if not t["is_deleted"] and project in (None, t["project_id"])]
        return copy.deepcopy(found)

    @by_hand
    def comments(self, task_id: str) -> list[str]:
        return [n["content"] for n in self.all(Kind.NOTES) if n["item_id"] == task_id and not n["is_deleted"]]

    @by_hand
    def state(self) -> dict[str, dict[str, Thing]]:
        """Return every object, for comparing."""
        return {kind.value: copy.deepcopy(things) for kind, things in self.things.items()}

    @by_hand
    def text(self) -> str:
        """Return everything that people can read."""
        fields = ("name", "content", "description")
        things = [thing for kind in Kind for thing in self.all(kind) if not thing["is_deleted"]]
        labels = [name for task in self.all(Kind.ITEMS) if not task["is_deleted"] for name in task["labels"]]
        return "\n".join([thing[name] for thing in things for name in fields if name in thing] + labels)

    def _task(self, task_id: str) -> Thing:
        task = self.things[Kind.ITEMS][task_id]
        assert not task["is_deleted"], f"{task_id} is deleted"
        return task

    def _user_of(self, task: Thing) -> User:
        return next(user for user in self.users if user.id == task["user_id"])

    # What the service forgets, and how much it bears

    def forget_uuids(self) -> None:
        """Lose the memory of commands: every uuid is new again."""
        self.uuids.clear()

    def forget_sync_tokens(self) -> None:
        self.sync_tokens.clear()

    def forget_cursors(self) -> None:
        self.cursors.clear()

    def spend(self, user: User, budget: str) -> None:
        """Count a request against one of the budgets of `Rates`; too many are refused."""
        times = self._spent[user.id, budget]
        while times and times[0] <= self.now - self.rates.window:
            times.popleft()
        if len(times) >= getattr(self.rates, budget):
            wait = times[0] + self.rates.window - self.now if times else self.rates.window
            raise rules.too_many_requests(math.ceil(wait.total_seconds()))
        times.append(self.now)
