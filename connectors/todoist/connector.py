"""Todoist: each goal a task in a project, its steps the dated sub-tasks.

The marker is the last line of a task's description, which is a link where the plan has a page; the memory is in the
comments of a task of its own. A command that creates something has a uuid derived from what it creates, so Todoist
creates it only once, however often the command is sent. The other modules of this package are imported when they are
needed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from connectors.base import Action, Capabilities, Check, Connector, Requests, StoreWrite, Write, WriteResult, examined
from connectors.model import Content, Snapshot
from connectors.options import read_options
from connectors.snapshot import in_words
from connectors.todoist.objects import Name
from connectors.todoist.options import CREDENTIAL, TodoistOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.settings import Credential, Environment
    from connectors.todoist.api import Client
    from connectors.todoist.container import Container
    from connectors.todoist.objects import Listing
    from connectors.todoist.reader import Reading

_WITHOUT_BOX = re.compile(r"^\* ")
_LIKE_LAST_DAY = re.compile(r"\ALast day: ")
_LIKE_A_MARKER = re.compile(r"(?m)^(\s*bp\d{1,9}) ")


class Account:
    """An account that several connectors share: one request reads it for all of them."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        """`connect` is called before the first request."""
        self._connect = connect
        self._client: Client | None = None
        self._listing: Listing | None = None
        self._served: set[int] = set()
        self._named: dict[str, list[Name]] = {}  # by namespace
        self._looked: Listing | None = None
        self._confirmed: Listing | None = None
        self._searched: Listing | None = None

    def add(self, namespace: str, place: Name) -> None:
        """Store that the goals file names a place."""
        named = self._named.setdefault(namespace, [])
        named += [place] if place not in named else []

    def confirm(self, listing: Listing, requests: Requests) -> None:
        """Read the account once more before a place counts as having no memory yet."""
        if self._confirmed is not listing:
            listing.add(self.client(requests).read())
            self._confirmed = listing

    def look_for_completed(self, listing: Listing, client: Client, namespace: str) -> None:
        """Search for memories that a user completed, once for each reading of the account."""
        from connectors.todoist.container import look_for_completed

        if self._searched is not listing:
            self._searched = listing
            look_for_completed(listing, client, namespace)

    def others(self, namespace: str, place: Name) -> list[Name]:
        """Return the other places that the goals file names."""
        return [name for name in self._named.get(namespace, ()) if name != place]

    def unnamed(self, namespace: str) -> list[Name]:
        """Return the places with a memory that the goals file does not name, once for each reading of the account."""
        from connectors.todoist.container import unnamed

        if self._listing is None or self._looked is self._listing:
            return []
        self._looked = self._listing
        return unnamed(self._listing, namespace, self._named.get(namespace, []))

    def client(self, requests: Requests) -> Client:
        """Return the client, which counts its requests in `requests` from now on."""
        self._client = self._client or self._connect()
        self._client.api.requests = requests
        return self._client

    def listing(self, reader: TodoistConnector) -> Listing:
        """Return the account: a new reading, or the last one if this connector has not used it yet."""
        if self._listing is None or id(reader) in self._served:
            self._listing, self._served = self.client(reader.requests).read(), set()
        self._served.add(id(reader))
        return self._listing


def _connect(environment: Environment) -> Client:
    from connectors import http
    from connectors.todoist.api import TODOIST, Client

    return Client(http.connect(TODOIST, environment))


class TodoistConnector:
    """One project of an account, or one section of it."""

    name: ClassVar[str] = "todoist"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "due", "notes", "labels", "priority"}),
        reliability="unique",
        ordered=True,
        client_ids=True,
        families=True,
        nested=3,  # a task has at most four levels of sub-tasks, and the steps are one of them
    )
    options: ClassVar[type[TodoistOptions]] = TodoistOptions
    credential: ClassVar[Credential] = CREDENTIAL

    def __init__(
        self,
        account: Account,
        namespace: str,
        project: str = "Goals",
        section: str | None = None,
        *,
        named: bool = True,
        page: str = "",
    ) -> None:
        """`project` and `section` are names or ids; the first write creates them if they do not exist.

        named: the goals file names this place. page: the address that the markers link to; empty for none.
        """
        self._name = Name(project, section)
        self.label = f"todoist ({self._name})"
        self.identity = f"todoist {self._name}"
        self.requests = Requests()
        self.account = account
        self._namespace = namespace
        self._reading: Reading | None = None
        self._named = named
        self._page = page
        if named:
            account.add(namespace, self._name)

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector with the options of one place. The places of one run share the account."""
        chosen = read_options(cls.name, cls.options, options)
        account = environment.accounts.get(cls.name)
        if account is None:
            account = environment.accounts[cls.name] = Account(lambda: _connect(environment))
        made = TodoistByStart if chosen.dates == "start" else TodoistConnector
        return made(account, namespace, chosen.project, chosen.section, page=environment.page)

    def canonical(self, content: Content) -> Content:
        """Return the content as Todoist stores it: without surrounding white space, each title with a checkbox.

        `who` and the checklist are written into the description.
        """
        title = _WITHOUT_BOX.sub("∗ ", " ".join(content.title.split()))
        text = in_words(content, self.capabilities.fields)
        notes = _LIKE_A_MARKER.sub("\\1\N{NO-BREAK SPACE}", text.replace("\r\n", "\n").strip())
        notes = _LIKE_LAST_DAY.sub("Last day:\N{NO-BREAK SPACE}", notes)
        labels = tuple(dict.fromkeys(map(str.strip, content.labels)))
        start = content.start if "start" in self.capabilities.fields else None
        return Content(title, content.due, notes, labels, content.priority, start)

    # Reading

    def read(self) -> Snapshot:
        """Read the account, and search for our tasks that it does not list."""
        from connectors.todoist.container import identify
        from connectors.todoist.reader import Reading
        from connectors.todoist.tasks import snapshot_of

        listing = self.account.listing(self)
        client = self.account.client(self.requests)
        identify(listing, client)
        container = self._checked(listing, client)
        if container.memory is not None:
            client.complete_notes(listing, container.memory)
        others = self.account.others(self._namespace, self._name)
        self._reading = Reading.of(listing, container, self._namespace, others)
        if self._reading.misses_some():
            self.account.confirm(listing, self.requests)
            self._reading = Reading.of(listing, container, self._namespace, others)
        self._reading.seek(client)
        return snapshot_of(self._reading)

    def _checked(self, listing: Listing, client: Client) -> Container:
        """Return the place if it can be used; if it has no memory, search for that in every way."""
        from connectors.todoist import checks
        from connectors.todoist.container import identify

        container = self._container(listing)
        if container.place is None or (container.spelled and container.memory is None):
            checks.refuse_archived(container, listing, client)
        checks.refuse_doubled(container, listing, self.account.others(self._namespace, self._name))
        if container.memory is None:
            self.account.confirm(listing, self.requests)
            container = self._container(listing)
        if container.memory is None:
            checks.refuse_full(container, listing)
            self.account.look_for_completed(listing, client, self._namespace)
            identify(listing, client)
            container = self._container(listing)
        return container

    def _container(self, listing: Listing) -> Container:
        from connectors.todoist.container import find_container

        others = self.account.others(self._namespace, self._name)
        return replace(find_container(listing, self._name, self._namespace, others), named=self._named)

    @property
    def shelf(self) -> object:
        """The project: Todoist limits the number of its tasks."""
        project = self._reading.container.project if self._reading else None
        return project.id if project else self._name.project

    def unnamed(self) -> list[Connector]:
        """Return a connector to each place that contains our memory and that the goals file does not name."""
        return [self._at(name) for name in self.account.unnamed(self._namespace)]

    def _at(self, name: Name) -> Connector:
        return type(self)(self.account, self._namespace, name.project, name.section, named=False, page=self._page)

    def facts(self) -> list[Check]:
        """Return the checks of the account, as far as it can be read."""
        return examined(self._facts)

    def _facts(self) -> list[Check]:
        from connectors.todoist import checks

        listing = self.account.client(self.requests).read()
        found = checks.facts(self._container(listing), listing, self.requests.read)
        return [Check("token", True, "accepted"), *found]

    # Writing

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out a batch in as few requests as possible."""
        if self._reading is None:
            self.read()
        assert self._reading is not None  # noqa: S101  # it has just been read
        from connectors.todoist.setup import SetUp
        from connectors.todoist.writer import Batch

        client = self.account.client(self.requests)
        container = self._reading.container
        if container.memory is None or container.place is None:
            memory = next((write.memory for write in batch if isinstance(write, StoreWrite)), {})
            creates = any(isinstance(write, Write) and write.action is Action.CREATE for write in batch)
            if (memory or creates) and (refused := SetUp(self._reading, client).carry_out(memory)):
                return [WriteResult(error=refused)] * len(batch)
        return Batch(self._reading, client, self._page).carry_out(batch)


class TodoistByStart(TodoistConnector):
    """The same, where a task's date is the first day of its step: `dates: start`."""

    capabilities: ClassVar[Capabilities] = replace(
        TodoistConnector.capabilities,
        fields=TodoistConnector.capabilities.fields | {"start"},
        of_steps=frozenset({"start"}),
    )
