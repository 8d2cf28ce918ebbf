"""A connector to any service that holds tasks as rows: the service sends requests, the connector decides which ones.

A service is one file: its options, its token, and about ten methods, each of which sends one request and converts
JSON to rows or back. The connector reads, classifies, stores the memory, and creates each task once: after an unknown
outcome, it looks for the task before it creates it again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from config.errors import BackplanError, CredentialsError
from connectors.base import Capabilities, Check, Connector, Pace, Requests, StoreWrite, Write, WriteResult, examined
from connectors.http import Api, connect
from connectors.model import Content
from connectors.options import read_options
from connectors.snapshot import in_words, tidy
from connectors.writing import Place, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.settings import Credential, Environment
    from connectors.model import Snapshot
    from connectors.options import Options
    from connectors.tasks import TaskService

_FASTEST = 600  # requests a minute if the service has no limit: each takes a tenth of a second
_RESERVED = 30.0  # seconds of a run for reading, the memory, and waiting
_LEAST = 10  # changes of a run
_FEW = 5  # most unlisted rows to read one by one; if there are more, all rows are listed


class ServiceConnector:
    """One place in a service. A subclass names the service: `class X(ServiceConnector, service=Y, options=Z)`."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    options: ClassVar[type[Options]]
    credential: ClassVar[Credential]
    service: ClassVar[type[TaskService]]

    def __init_subclass__(cls, service: type[TaskService], options: type[Options]) -> None:
        cls.name, cls.capabilities, cls.credential = service.name, service.capabilities, service.http.credential
        cls.service, cls.options = service, options

    def __init__(self, connect: Callable[[], Api], namespace: str, options: Options) -> None:
        """`connect` is called before the first request."""
        self.label = f"{self.name} ({options.place})"
        self.identity = f"{self.name} {options.place.casefold()}"
        self.requests = Requests()
        self._connect, self._namespace, self._options = connect, namespace, options
        self._place: Place | None = None

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector with the options of one place."""
        chosen = read_options(cls.name, cls.options, options)
        return cls(lambda: connect(cls.service.http, environment), namespace, chosen)

    def canonical(self, content: Content) -> Content:
        """Return the content as the service shows it; fields that it lacks are in the notes, or at their defaults."""
        service, fields = self.service, self.capabilities.fields
        held = {name: getattr(content, name) for name in fields - {"notes"}}
        held["title"] = " ".join(content.title.split())
        own = service.canonical(Content(**held, notes=in_words(content, fields)))
        return replace(
            own, title=own.title[: service.limits.title].rstrip(), notes=tidy(service.hiding.escape(own.notes))
        )

    @cached_property
    def _api(self) -> Api:
        api = self._connect()
        api.requests = self.requests
        return api

    @cached_property
    def _service(self) -> TaskService:
        return self.service(self._options, self._api)

    # Reading

    def read(self) -> Snapshot:
        """Read all rows with our label, and those that the memory contains besides.

        An empty answer must be confirmed by another query; otherwise every row would be created a second time.
        """
        account = self._service.account()
        self._place = place = Place(self._service, self._namespace)
        place.look()
        if not place.stored.rows or len(place.absent()) > _FEW:
            place.look(whole=True)
        for native_id in sorted(place.absent()):
            place.row(native_id)
        found = place.classifier.snapshot(place.rows.values(), place.stored.damage)
        return replace(
            found,
            account=account,
            damage=f"{self.label}: {found.damage}" if found.damage else "",
            remedy=self.service.remedy,
            mending=bool(place.stored.spare),
        )

    def _read_once(self) -> Place:
        if self._place is None:
            self.read()
        assert self._place is not None  # noqa: S101  # it has just been read
        return self._place

    def facts(self) -> list[Check]:
        """Return checks of the token and the place, as far as they can be read."""
        return examined(lambda: self._service.facts())  # the token may be missing already

    # Writing

    def pace(self) -> Pace:
        """Return how many tasks may be written, one in a request; some time of the run is reserved for other work.

        There is a minimum: otherwise runs with little time would never write.
        """
        rates = (rate.count * 60 / rate.seconds for rate in self.service.http.rates)
        a_minute = int(min(rates, default=_FASTEST))
        return Pace(1, a_minute, max(int((self._api.retrier.left - _RESERVED) * a_minute / 60), _LEAST))

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out a batch in order. Stop if the memory cannot be written."""
        writer = Writer(self._read_once(), self._namespace, self._api.retrier.pause)
        answers: list[WriteResult] = []
        while len(answers) < len(batch):
            rest = batch[len(answers) :]
            try:
                answers += writer.carry_out_first(rest)
            except BackplanError as error:
                if isinstance(error, CredentialsError) and not answers:
                    raise
                ends = isinstance(rest[0], StoreWrite)
                answers += [WriteResult(error=str(error))] * (len(rest) if ends else 1)
        return answers
