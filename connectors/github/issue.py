"""An issue as it was read, with its place in a project and its milestone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from connectors.github.body import Body
from connectors.github.date_line import NO_DATES, Dates
from connectors.snapshot import marker_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.github.answers import IssueAnswer, MilestoneAnswer
    from connectors.github.repository import DateFields
    from connectors.model import Marker

_TRUSTED = {"OWNER", "MEMBER", "COLLABORATOR"}


@dataclass(frozen=True, slots=True)
class Item:
    """An issue's place in a project, with the date that stands there."""

    id: str
    date: date | None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Item:
        """Return the place that an answer of GraphQL is."""
        value = said["fieldValueByName"]
        day = value["date"] if value else None
        return cls(str(said["id"]), date.fromisoformat(day) if day else None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone that an issue is in."""

    number: int
    id: str
    description: str

    @classmethod
    def of(cls, said: MilestoneAnswer) -> Milestone:
        """Return the milestone that an answer of REST is."""
        return cls(said.number, said.node_id, said.description or "")


def _may_write(said: IssueAnswer, login: str) -> bool:
    """Return whether the author of an issue may write in the repository; `login` is the token's own account."""
    author = said.user.login if said.user else ""
    return said.author_association in _TRUSTED or (bool(login) and author == login)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as it was read, or written since.

    - `number`: the number that we remember; it stays if the issue was moved to another repository.
    - `rest_id`: its id in REST.
    - `trusted`: somebody who may write in the repository created it, or labelled it.
    - `blocks`: how many issues it is blocked by.
    - `shown`: the dates in the organization's fields.
    """

    number: str
    id: str
    title: str
    body: Body
    open: bool
    reason: str = ""
    labels: tuple[str, ...] = ()
    closed_at: str = ""
    rest_id: int = 0
    comments: int = 0
    blocks: int = 0
    children: int = 0
    parent: str = ""
    assignees: tuple[str, ...] = ()
    milestone: Milestone | None = None
    trusted: bool = True
    shown: Dates = NO_DATES

    @classmethod
    def of(cls, said: IssueAnswer, number: str, login: str, label: str, fields: DateFields | None) -> Issue:
        """Return the issue that an answer of REST is."""
        labels = tuple(one if isinstance(one, str) else one.name for one in said.labels)
        labelled = any(name.casefold() == label.casefold() for name in labels)
        blocks, children = said.issue_dependencies_summary, said.sub_issues_summary
        return cls(
            number,
            said.node_id,
            said.title,
            Body.read(said.body or ""),
            said.state == "open",
            said.state_reason or "",
            labels,
            said.closed_at or "",
            said.id,
            said.comments,
            blocks.total_blocked_by if blocks else 0,
            children.total if children else 0,
            (said.parent_issue_url or "").rpartition("/")[2],
            tuple(user.login for user in said.assignees or ()),
            Milestone.of(said.milestone) if said.milestone else None,
            labelled or _may_write(said, login),
            fields.read(said.issue_field_values or ()) if fields else NO_DATES,
        )

    def marker(self, namespace: str) -> Marker | None:
        """Return the marker. Raises an error for a marker of a newer version only if it is one of ours."""
        return marker_of(self.body.marker, namespace) if self.trusted else None
