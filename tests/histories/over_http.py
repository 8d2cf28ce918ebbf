"""The lives of the histories in an app over real HTTP: people's hands on its fake, faults at its requests.

A fake joins with a subclass of `Remote`, its connector in steps, and a line in `APPS`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import SecretStr

from connectors.codec import write_memory
from connectors.http import Api, Clock
from connectors.todoist import memory as todoist_memory
from connectors.todoist.answers import Item, Note
from connectors.todoist.api import TODOIST as SERVICE
from connectors.todoist.api import Client
from connectors.todoist.connector import Account, TodoistByStart, TodoistConnector
from connectors.todoist.description import content_of, marker_of, split
from connectors.todoist.objects import Name
from tests.histories.in_memory import TODAY
from tests.histories.service import ELSEWHERE, Fault, Held, Killed, Kind, Service, memory_key
from tests.histories.world import Life
from tests.servers.http import Fault as Http
from tests.servers.todoist import PRO, Rates, Todoist
from tests.servers.todoist_store import Kind as Things

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import date

    import requests

    from config.project import Project
    from connectors.base import Connector, WriteResult
    from connectors.model import Content, Snapshot
    from sync.run.work import Batch
    from tests.servers.http import LoopbackServer
    from tests.servers.todoist_server import TodoistServer
    from tests.servers.todoist_store import Thing

TODOIST = Kind(
    "todoist", "unique", client_ids=True, forgets=True, most=100, families=True, lists_done=False, requests=8, places=3
)
PLACES = (Name("Goals"), Name("Goals", "This year"), Name("Garden"))
_MANY = 50  # requests: more than a run sends
# What a fault is at an HTTP boundary; which of several, the number of the request says.
_AS_HTTP = {
    Fault.UNSENT: (Http.NOT_SENT, Http.BAD_GATEWAY, Http.HTML_200),
    Fault.REFUSED: (Http.SERVER_ERROR, Http.RATE_LIMITED, Http.UNAUTHORIZED),
    Fault.UNKNOWN: (Http.BAD_GATEWAY_APPLIED, Http.TRUNCATED),
    Fault.LOST: (Http.LOST, Http.HALF),
    Fault.IN_PART: (Http.PARTIAL,),
    Fault.EMPTY: (Http.EMPTY_200,),
    Fault.CUT: (Http.TRUNCATED, Http.HALF),
}

_MARKER = r"^(?:bp1 \S+ .*|\[backplan\]\(\S+\?bp1%20\S+\))$"


def morning(day: date) -> datetime:
    """Return the moment at which a day begins in these lives."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


class Mortal(Api):
    """Lets the process die before or after the request that the app's fault says."""

    app: Remote

    def _once(self, *asked: Any) -> requests.Response:
        fault = self.app.fault()
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        try:
            return super()._once(*asked)
        finally:
            if fault is Fault.KILLED_AFTER:
                raise Killed


class Remote(Service):
    """An app over HTTP as the lives look at it.

    `tasks` and `memory` mirror the fake, and are looked up anew after everything that somebody does to it. Every third
    fault meets a client that has no patience left; the others are tried again, as in earnest.
    """

    def __init__(self, kind: Kind, server: LoopbackServer) -> None:
        super().__init__(kind)
        self.server = server
        self.patient = True
        self.waited = 0.0
        self.today: Callable[[], date] = lambda: TODAY  # by the clock of the machine on which runs run
        self._faults = 0
        server.faults.clear()
        server.log.clear()

    def look(self) -> None:
        """See what is there now."""
        raise NotImplementedError

    def fail(self, at: int, fault: Fault) -> None:
        """Let a request go wrong over HTTP, or the process die there."""
        super().fail(at, fault)
        self._faults += 1
        self.patient = self._faults % 3 != 0
        if fault in _AS_HTTP:
            choices = _AS_HTTP[fault]
            self.server.faults.at(at, choices[at % len(choices)])

    def heal(self) -> None:
        """Let everything work again."""
        super().heal()
        self.server.faults.clear()
        self.patient = True

    def fault(self) -> Fault | None:
        """Return what goes wrong with the next request."""
        return self._fault[1] if self._fault and self._fault[0] == len(self.server.log) else None

    def before_read(self) -> None:
        """Let nothing be answered where the app cannot be read."""
        if self.unreadable:
            self.server.faults.at(0, Http.NOT_SENT, _MANY)
            self.patient = False

    def passed(self) -> float:
        """Return the seconds that have gone by: where there is no patience left, too many."""
        return self.waited if self.patient else self.waited + 1e6

    def now(self) -> datetime:
        """Return the time by the clock of the machine on which runs run."""
        return morning(self.today())

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waited += seconds


class TodoistApp(Remote):
    """Somebody's Todoist."""

    def __init__(self, kind: Kind, server: TodoistServer) -> None:
        super().__init__(kind, server)
        self.todoist = server.service = Todoist(PRO, now=datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC))
        self.todoist.rates = Rates(10**6, 10**6, 10**6)
        self.todoist.completed_can_be_read = False  # the service does not promise it
        clock = Clock(self.now, self.passed, self.sleep)
        api = Mortal(SERVICE, server.url, SecretStr(self.todoist.owner.token), 300, clock, 20)
        api.app = self
        self.client = Client(api)
        self.account = Account(lambda: self.client)
        self._called: dict[str, str] = {}  # id of a project or section -> the name that a person gave up for another
        self._stores: dict[str, tuple[str, int]] = {}  # id -> whose memory a task holds, and of which place

    def look(self) -> None:
        """See what is there now."""
        self.writes = sum(entry.commands > 0 for entry in self.server.log)
        self.reads = len(self.server.log) - self.writes
        items = {thing["id"]: Item.read(thing) for thing in self.todoist.tasks()}
        for item in items.values():
            if owner := todoist_memory.owner(item.description):  # known from now on, whatever people do to it
                self._stores[item.id] = owner[0], [str(name) for name in PLACES].index(owner[1])
        self._stores = {native_id: store for native_id, store in self._stores.items() if native_id in items}
        self.memory = {memory_key(*store): self._lines(items[one]) for one, store in self._stores.items()}
        whole = {memory_key(*store) for one, store in self._stores.items() if self._is_whole(items[one])}
        self.spoiled = self.memory.keys() - whole
        self.tasks = {item.id: self._held(item) for item in items.values() if item.id not in self._stores}
        self.strayed = {one for one in self.strayed if one in self.tasks and self.tasks[one].parent is None}

    def _is_whole(self, item: Item) -> bool:
        """Return whether nobody changed the task of a memory."""
        whole = item.content == todoist_memory.TITLE and todoist_memory.owner(item.description)
        return bool(whole and self._place_of(item) == self._stores[item.id][1] and not (item.checked or item.due))

    def _place_of(self, item: Item) -> int:
        section = self._name(Things.SECTIONS, item.section_id) if item.section_id else None
        name = Name(self._name(Things.PROJECTS, item.project_id), section)
        return PLACES.index(name) if name in PLACES else ELSEWHERE

    def _name(self, kind: Things, native_id: str) -> str:
        """Return what the goals file calls a project or section."""
        return self._called.get(native_id) or str(self.todoist.things[kind][native_id]["name"])

    def _places(self, place: int) -> list[Thing]:
        """Return the projects or sections that are a place."""
        kind = Things.SECTIONS if PLACES[place].section else Things.PROJECTS
        said = PLACES[place].section or PLACES[place].project
        there = [thing for thing in self.todoist.all(kind) if not thing["is_deleted"]]
        return [thing for thing in there if self._name(kind, thing["id"]) == said]

    def _content(self, item: Item) -> Content:
        return content_of(item)

    def _held(self, item: Item) -> Held:
        return Held(
            self._content(item),
            split(item.description)[1] or None,
            done=item.checked,
            done_on=item.completed_at.date() if item.completed_at else None,
            recurring=bool(item.due and item.due.recurring),
            parent=item.parent_id,
            comments=tuple(self.todoist.comments(item.id)),
            place=self._place_of(item),
        )

    def _lines(self, item: Item) -> list[str]:
        notes = [Note.read(thing) for thing in self.todoist.all(Things.NOTES) if thing["item_id"] == item.id]
        return write_memory(todoist_memory.read(note for note in notes if not note.is_deleted)[0])

    def state(self) -> dict[str, dict[str, Thing]]:
        """Return every object."""
        return self.todoist.state()

    def fail(self, at: int, fault: Fault) -> None:
        """Let a request go wrong; a list that is old is the service's own doing."""
        super().fail(at, fault)
        if fault is Fault.STALE:
            self.todoist.stale_full_sync = 3

    def heal(self) -> None:
        """Let everything work again."""
        super().heal()
        self.todoist.stale_full_sync = 0

    # What a person does

    def tick(self, native_id: str, day: date | None = None) -> None:
        """Tick a task, by a clock of the service that shows this day."""
        self.todoist.set_clock(morning(day or self.today()))
        self.todoist.tick(native_id)
        self.look()

    def reopen(self, native_id: str) -> None:
        self.todoist.reopen(native_id)
        self.look()

    def delete(self, native_id: str) -> None:
        self.todoist.delete(native_id)
        self.look()

    def set_due(self, native_id: str, day: date | None) -> None:
        self.todoist.set_due(native_id, day)
        self.look()

    def set_title(self, native_id: str, title: str) -> None:
        self.todoist.set_title(native_id, title)
        self._worked_on(native_id)

    def set_notes(self, native_id: str, notes: str) -> None:
        found = re.search(rf"(?m){_MARKER}", self.todoist.task(native_id)["description"])
        self.todoist.set_description(native_id, "\n\n".join(filter(None, [notes, found[0] if found else ""])))
        self._worked_on(native_id)

    def add_label(self, native_id: str, label: str) -> None:
        self.todoist.edit(native_id, labels=[*self.todoist.task(native_id)["labels"], label])
        self._worked_on(native_id)

    def touch(self, native_id: str) -> None:
        self.todoist.add_comment(native_id, "a person's comment")
        self._worked_on(native_id)

    def make_recurring(self, native_id: str) -> None:
        self.todoist.make_recurring(native_id, "every week")
        self._worked_on(native_id)

    def move_away(self, native_id: str) -> None:
        self.todoist.move(native_id, project=self.todoist.owner.inbox_id)
        self.strayed.add(native_id)
        self.look()

    def copy(self, native_id: str) -> str:
        before = set(self.tasks)
        made = self.todoist.duplicate(native_id)
        self.look()
        self.hands |= self.tasks.keys() - before
        return made

    def damage_marker(self, native_id: str) -> None:
        self._describe(native_id, r"bp1( |%20)(\w+)\1[^\n)]*", r"bp1\1\2\1oops")

    def strip_marker(self, native_id: str) -> None:
        self._describe(native_id, rf"(?m)\n*{_MARKER}", "")

    def add_foreign_task(self, title: str, parent: str | None = None) -> str:
        projects = [thing["project_id"] for thing in self.todoist.tasks() if "bp" in thing["description"]]
        below = parent is not None and not self.tasks[parent].done  # the service takes none below what is done
        place: dict[str, Any] = {"parent_id": parent} if below else {"project": next(iter(projects), None)}
        made = self.todoist.add_task(title, **place)
        self.look()
        return made

    def forget_ids(self) -> None:
        self.todoist.forget_uuids()
        self.forgot = True

    def lose_memory(self, namespace: str) -> None:
        for native_id, (owner, _) in self._stores.items():
            if owner == namespace:
                self.todoist.delete(native_id)
        self.look()

    def spoil_memory(self, name: str, how: int) -> None:
        native_id = next(one for one, store in self._stores.items() if memory_key(*store) == name)
        edits: list[Callable[[], None]] = [
            lambda: self.todoist.set_title(native_id, "What is this?"),
            lambda: self.todoist.set_description(native_id, ""),
            lambda: self.todoist.move(native_id, project=self.todoist.owner.inbox_id),
            lambda: self.todoist.set_due(native_id, TODAY),
            lambda: self.todoist.tick(native_id),
        ]
        if how & 3 == 3:  # what has neither its title nor its description must at least be open
            how &= 15
        if how & 6 == 6 and all(held.place == ELSEWHERE for held in self.tasks.values()):
            how &= ~4  # without its description it is known by its place, or by those of its tasks
        for number, edit in enumerate(edits):  # any of them, and several at once
            if how >> number & 1 and not self.todoist.task(native_id)["checked"]:
                edit()
        self.look()

    def delete_place(self, namespace: str, place: int) -> list[str]:
        gone = [native_id for native_id, held in self.tasks.items() if held.place == place]
        for thing in self._places(place):
            (self.todoist.section_delete if PLACES[place].section else self.todoist.project_delete)(thing)
        self.look()
        return gone

    def rename_place(self, place: int, name: str) -> None:
        for thing in self._places(place):
            self._called.setdefault(thing["id"], thing["name"])
            self.todoist.change(thing, name=name)
        self.look()

    def can_archive(self, place: int) -> bool:  # a project with another name is known as long as its uuid is
        return not (self._called and self.forgot)

    def archive_place(self, place: int, *, archived: bool = True) -> None:
        for thing in self._places(place):
            if PLACES[place].section:
                self.todoist.archive_section(thing["id"], archived=archived)
            else:
                (self.todoist.archive_project if archived else self.todoist.unarchive_project)(thing["id"])
        self.look()

    def _worked_on(self, native_id: str) -> None:
        self.hands.add(native_id)
        self.look()

    def _describe(self, native_id: str, pattern: str, words: str) -> None:
        described = self.todoist.task(native_id)["description"]
        self.todoist.set_description(native_id, re.sub(pattern, words, described))
        self.look()


class TodoistByStartApp(TodoistApp):
    """The same with `dates: start`, where the last day of a step is its task's deadline."""

    def _content(self, item: Item) -> Content:
        content = content_of(item)
        return replace(content, start=content.due, due=item.deadline) if self._by_start(item) else content

    def _by_start(self, item: Item) -> bool:
        """Return whether a task's deadline is the last day of a step: a goal's own has no slash in its key."""
        marker = marker_of(item)
        return bool(item.due and item.deadline and marker and "/" in marker.key)

    def set_due(self, native_id: str, day: date | None) -> None:
        if day and self._by_start(Item.read(self.todoist.task(native_id))):
            self.todoist.set_deadline(native_id, day)
        else:
            self.todoist.set_due(native_id, day)
        self.look()


class TodoistInSteps(TodoistConnector):
    """The connector itself; before each batch, somebody else may act."""

    plan_page: ClassVar[str] = ""

    def __init__(
        self, app: TodoistApp, namespace: str, label: str, name: Name, account: Account, *, named: bool
    ) -> None:
        super().__init__(account, namespace, name.project, name.section, named=named, page=self.plan_page)
        self.label = f"{label} ({name})"
        self._app, self._app_label = app, label

    def _at(self, name: Name) -> Connector:
        return type(self)(self._app, self._namespace, self._app_label, name, self.account, named=False)

    def alike(self) -> TodoistInSteps:
        return self

    def read(self) -> Snapshot:
        self._app.before_read()
        try:
            return super().read()
        finally:
            self._app.look()

    def steps(self, batch: Batch) -> Generator[None, None, list[WriteResult]]:
        yield
        before = set(self._app.tasks)
        try:
            return self.apply(batch)
        finally:
            self._app.look()
            self._app.removed += before - self._app.tasks.keys()


class TodoistByStartInSteps(TodoistInSteps):
    """The same with `dates: start`, and with a page that the markers are links to."""

    capabilities = TodoistByStart.capabilities
    plan_page = "https://me.github.io/goals"


def todoist_life(project: Project, server: TodoistServer, *, by_start: bool = False) -> Life:
    """Return a life in a Todoist of its own."""
    app = (TodoistByStartApp if by_start else TodoistApp)(TODOIST, server)
    life = Life(project, [TODOIST], TODAY, service=lambda _: app)
    app.today = lambda: life.today
    life.connect = partial(connect_todoist, app, kind=TodoistByStartInSteps if by_start else TodoistInSteps)
    return life


def connect_todoist(
    app: TodoistApp,
    _: Service,
    namespace: str,
    label: str,
    place: int = 0,
    named: frozenset[int] = frozenset(),
    kind: type[TodoistInSteps] = TodoistInSteps,
) -> TodoistInSteps:
    """Return a connector to a place; the first of those that are named begins a process of its own."""
    if place == min(named, default=place):
        app.account = Account(lambda: app.client)
    return kind(app, namespace, label, PLACES[place], app.account, named=True)
