"""An issue as it was read, with its place in a project and its milestone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from connectors.github.body import Body
from connectors.github.date_line import NO_DATES, Dates
from connectors.ownership import marker_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.github.answers import IssueAnswer, MilestoneAnswer
    from connectors.github.repository import DateFields
    from connectors.model import Marker

_TRUSTED = {"OWNER", "MEMBER", "COLLABORATOR"}


@dataclass(frozen=True, slots=True)
class Item:
    """An issue's place in a project, with its date there."""

    id: str
    date: date | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Item:
        """Return the place that an answer of GraphQL is."""
        value = answer["fieldValueByName"]
        day = value["date"] if value else None
        return cls(str(answer["id"]), date.fromisoformat(day) if day else None)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone that an issue is in."""

    number: int
    id: str
    description: str

    @classmethod
    def of(cls, answer: MilestoneAnswer) -> Milestone:
        """Return the milestone that an answer of REST is."""
        return cls(answer.number, answer.node_id, answer.description or "")


def _may_write(answer: IssueAnswer, login: str) -> bool:
    """Return whether the author of an issue may write in the repository; `login` is the token's own account."""
    author = answer.user.login if answer.user else ""
    return answer.author_association in _TRUSTED or (bool(login) and author == login)


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
    closed_at: datetime | None = None
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
    def of(cls, answer: IssueAnswer, number: str, login: str, label: str, fields: DateFields | None) -> Issue:
        """Return the issue that an answer of REST is."""
        labels = tuple(one if isinstance(one, str) else one.name for one in answer.labels)
        labelled = any(name.casefold() == label.casefold() for name in labels)
        blocks, children = answer.issue_dependencies_summary, answer.sub_issues_summary
        return cls(
            number,
            answer.node_id,
            answer.title,
            Body.read(answer.body or ""),
            answer.state == "open",
            answer.state_reason or "",
            labels,
            answer.closed_at,
            answer.id,
            answer.comments,
            blocks.total_blocked_by if blocks else 0,
            children.total if children else 0,
            (answer.parent_issue_url or "").rpartition("/")[2],
            tuple(user.login for user in answer.assignees or ()),
            Milestone.of(answer.milestone) if answer.milestone else None,
            labelled or _may_write(answer, login),
            fields.read(answer.issue_field_values or ()) if fields else NO_DATES,
        )

    def marker(self, namespace: str) -> Marker | None:
        """Return the marker. Raises an error for a marker of a newer version only if it is one of ours."""
        return marker_of(self.body.marker, namespace) if self.trusted else None
