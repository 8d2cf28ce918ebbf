"""GitHub Issues: each goal an issue in a repository, its steps the dated sub-issues.

The marker is a hidden comment in an issue's body; the memory is another one, in the body of the goal's own issue.
GitHub takes no ids of ours: an issue that may have been created is searched for before it is created again. The other
modules of this package are imported when they are needed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from connectors.base import Capabilities, Check, Connector, Pace, Requests, StoreWrite, Write, WriteResult, examined
from connectors.github.settings import CREDENTIAL, LONGEST_LABEL, GitHubOptions
from connectors.options import read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from config.settings import Credential, Environment
    from connectors.github.api import Client
    from connectors.github.body import Wording
    from connectors.github.reader import Reading
    from connectors.github.repository import Project, RepositoryInfo
    from connectors.github.writer import Batch
    from connectors.model import Content, Snapshot

_RESERVED = 30.0  # seconds of a run for reading, labels, the memory, and waiting
_BESIDES = 4  # changes that belong to no task: the label, and the memory before and after


def _connect(repo: str, environment: Environment) -> Client:
    from connectors import http
    from connectors.github.api import GITHUB, Client

    return Client(http.connect(GITHUB, environment), repo)


_WITHOUT_PUSH = (
    "the token may not change {}, so GitHub leaves out labels, milestones, assignees, date fields and the places of "
    "sub-issues"
)


class GitHubConnector:
    """The issues of one repository."""

    name: ClassVar[str] = "github"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "notes", "labels", "who", "checklist", "after"}),
        reliability="safe",
        ordered=True,
    )
    options: ClassVar[type[GitHubOptions]] = GitHubOptions
    credential: ClassVar[Credential] = CREDENTIAL

    def __init__(self, connect: Callable[[], Client], namespace: str, settings: GitHubOptions) -> None:
        """`connect` is called when the repository is read first."""
        self.label = f"github ({settings.repo})"
        self.identity = f"github {settings.repo.casefold()}"
        self.requests = Requests()
        self._connect = connect
        self._namespace = namespace
        self._settings = settings
        self._facts: RepositoryInfo | None = None
        self._reading: Reading | None = None
        self._batch: Batch | None = None

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector with the options of one place."""
        settings = read_options(cls.name, cls.options, options)
        return cls(lambda: _connect(settings.repo, environment), namespace, settings)

    def canonical(self, content: Content) -> Content:
        """Return the content as GitHub shows it, with the spelling of labels and people that was read."""
        from connectors.github.body import in_order, read_title, tidy

        facts = self._facts
        labels = [" ".join(label.split())[:LONGEST_LABEL] for label in content.labels]
        spelled = [facts.spelled(label) if facts else label for label in labels if label]
        items = (" ".join(read_title(item).split()) for item in content.checklist)
        return replace(
            content,
            title=read_title(self._wording.title(read_title(content.title))),
            notes=tidy(content.notes),
            labels=in_order(spelled, self._settings.label),
            priority="none",
            start=content.start if content.due else None,
            who=facts.person(content.who) if facts else content.who,
            checklist=tuple(dict.fromkeys(filter(None, items))),
            after=tuple(sorted(set(content.after))) if self._settings.dependencies else (),
        )

    @cached_property
    def _wording(self) -> Wording:
        from connectors.github.body import Wording

        return Wording(urlsplit(self._client.api.url).hostname or "", mentions=self._settings.mentions)

    @cached_property
    def _client(self) -> Client:
        client = self._connect()
        client.api.requests = self.requests
        return client

    # Reading

    def read(self) -> Snapshot:
        """Read the facts about the repository, and our issues in it."""
        from connectors.github.reader import Reading
        from connectors.github.repository import Project, read_facts
        from connectors.github.tasks import snapshot_of

        self._facts = read_facts(self._client)
        self._facts.refuse_closed()
        fields = self._facts.date_fields(*self._settings.date_fields)
        self._reading = Reading.of(self._client, self._facts, self._namespace, self._settings.label, fields)
        notices = [] if self._facts.may_push else [_WITHOUT_PUSH.format(self._facts.name)]
        notices += self._missing_fields(self._facts)
        project = self._read_project()
        if isinstance(project, Project):
            self._reading.read_project(self._client, project)
        elif project:
            notices.append(project)
        if self._settings.dependencies:
            self._reading.read_links(self._client)
        self._batch = None
        return replace(snapshot_of(self._reading), notices=tuple(notices))

    def _read_project(self) -> Project | str | None:
        from connectors.github.repository import read_project

        if self._settings.project is None:
            return None
        return read_project(self._client, self._settings.project, self._settings.date_field)

    def _missing_fields(self, facts: RepositoryInfo) -> list[str]:
        """Return a sentence on each date field that the goals file names and that does not exist."""
        return [facts.lacks_field(name) for name in self._settings.own_fields if facts.date_field(name) is None]

    def facts(self) -> list[Check]:
        """Return the checks of the token and the repository, as far as they can be read."""
        return examined(self._checks)

    def _checks(self) -> list[Check]:
        from connectors.github.repository import doctor, read_facts

        facts, project = read_facts(self._client), self._read_project()
        fields = facts.date_fields(*self._settings.date_fields)
        return [Check("token", True, "accepted"), *doctor(facts, project, fields, self._missing_fields(facts))]

    def _read_once(self) -> Reading:
        if self._reading is None:
            self.read()
        assert self._reading is not None  # noqa: S101  # it has just been read
        return self._reading

    # Writing

    def pace(self) -> Pace:
        """Return how many changes GitHub accepts; some time of the run is reserved for other requests.

        A run sends at least one full batch, however little time it has: otherwise short runs would never write.
        """
        from connectors.github.api import A_MINUTE, AN_HOUR, MOST_MUTATIONS

        seconds = max(self._client.retrier.left - _RESERVED, 0)
        reading = self._read_once()
        fields = reading.fields is not None and bool(reading.memory)  # new issues are made with theirs
        settings = self._settings
        each = 1 + settings.dependencies + (settings.project is not None) + fields  # each is a change of its own
        a_minute = A_MINUTE // each
        at_once = (MOST_MUTATIONS - _BESIDES) // each
        return Pace(MOST_MUTATIONS, a_minute, min(max(int(seconds * a_minute / 60), at_once), AN_HOUR))

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out a batch in as few requests as possible, as fast as GitHub allows."""
        from connectors.github.writer import Batch

        reading = self._read_once()
        if self._batch is None:
            self._batch = Batch(reading, self._client, self._wording, milestones=self._settings.milestone)
        return self._batch.carry_out(batch)
