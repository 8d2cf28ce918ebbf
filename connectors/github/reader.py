"""Reads the issues of a repository that are ours, and the memory in them.

An issue is ours if its body contains our marker and its author may write in the repository: anybody can open an issue.
The form for a new goal is never ours, whatever its body contains: somebody else wrote that.
The body of a goal's own issue contains the memory of the goal. Issues are listed by our label; where users may have
removed the label, all issues of the repository are read instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config import goal_form
from config.errors import BackplanError, MissingError
from config.keys import goal_of
from connectors.codec import read_memory
from connectors.github.answers import IssueAnswer, NumberAnswer
from connectors.github.closing import NOT_PLANNED, closed_by_robots
from connectors.github.errors import understood
from connectors.github.issue import Issue, Item
from connectors.ownership import Candidate, Ownership

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from connectors.github.api import Client
    from connectors.github.repository import DateFields, Project, RepositoryInfo
    from connectors.model import Marker, StoredGoal
    from connectors.ownership import Found

_FEW = 5  # missing issues that are requested one by one; if there are more, all issues are listed


_ITEMS = """query($ids: [ID!]!, $field: String!) {
  nodes(ids: $ids) { ... on Issue { id projectItems(first: 50) { nodes {
    id project { id } fieldValueByName(name: $field) { ... on ProjectV2ItemFieldDateValue { date } }
  } } } }
}"""
_MOST_NODES = 100


@dataclass
class Reading:
    """What was read from a repository.

    - `fields`: the fields in which the organization's issues show dates.
    - `whole`: all issues were read, not only those with our label.
    - `homes`: the numbers of the issues that contain the memory of each goal.
    - `coming`: the lines of the memory for goals that have no issue yet.
    - `keys`: the keys of our issues by their nonces.
    - `linked`: the keys of the issues that block each issue, by its number.
    - `items`: the items of issues in `project`, by the numbers of the issues.
    - `blocked_by`: the numbers of the issues that block an issue, if its body differs.
    - `robots`: the robot that closed an issue as not planned, by the number of the issue.
    """

    facts: RepositoryInfo
    namespace: str
    label: str
    fields: DateFields | None = None
    issues: dict[str, Issue] = field(default_factory=dict)
    whole: bool = False
    memory: dict[str, StoredGoal] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    coming: dict[str, str] = field(default_factory=dict)
    damage: str = ""
    remedy: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    linked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    project: Project | None = None
    items: dict[str, Item] = field(default_factory=dict)
    blocked_by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    robots: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, client: Client, facts: RepositoryInfo, namespace: str, label: str, fields: DateFields | None
    ) -> Reading:
        """Read our issues, with as few requests as possible."""
        reading = cls(facts, namespace, label, fields)
        if facts.spelled(label) in facts.labels:
            reading.look(client)
        if reading.misses_some():
            reading.look(client, whole=True)
        reading.seek(client)
        reading.see_who_closed(client)
        return reading

    def look(self, client: Client, *, whole: bool = False, since: str = "") -> None:
        """Read the issues with our label, or all of them; with `since`, only those changed since that time."""
        query = {"state": "all", "direction": "asc"} | ({} if whole else {"labels": self.label})
        try:
            with understood("the issues"):
                for answer in client.listed("issues", **query, **({"since": since} if since else {})):
                    issue = IssueAnswer.read(answer)
                    if issue.pull_request is None:
                        self._take(issue, str(issue.number))
        except MissingError as error:
            raise BackplanError(f"{error}; run again (nothing was changed)") from None
        self.whole |= whole and not since
        self.remember()

    def take(self, answer: object, number: str) -> None:
        """Store an issue under the number that we remember."""
        with understood(f"issue #{number}"):
            self._take(IssueAnswer.read(answer), number)

    def _take(self, answer: IssueAnswer, number: str) -> None:
        issue = Issue.of(answer, number, self.facts.login, self.label, self.fields)
        if not any(label.casefold() == goal_form.LABEL for label in issue.labels):
            self.issues[number] = issue

    def misses_some(self) -> bool:
        """Return whether issues of ours may not be listed: users remove labels."""
        keys = {marker.key for issue in self.issues.values() if (marker := self.ours(issue))}
        absent = self._absent()
        entries = self.ownership.entries.items()
        waiting = any(entry.state == "pending" and key not in keys for key, entry in entries)
        lost = any(goal_of(key) not in self.memory for key in keys)
        return not self.memory or lost or len(absent) > _FEW or bool(waiting and absent)

    def seek(self, client: Client) -> None:
        """Request the issues that are remembered as open and not listed: moved, without our label, or deleted."""
        for number in sorted(self._absent(), key=int):
            if answer := client.issue(number):
                self.take(answer, number)
                if number in self.issues:
                    self.issues[number] = replace(self.issues[number], trusted=True)

    def see_who_closed(self, client: Client) -> None:
        """Read who closed our issues, if they are not remembered as dropped yet."""
        ownership = self.ownership
        closed = {
            found.task.id: found.id
            for found in self.managed()
            if not found.task.open
            and found.task.reason in NOT_PLANNED
            and found.marker.namespace == self.namespace
            and ownership.state(found.marker.key) != "dropped"
        }
        self.robots = {closed[node_id]: login for node_id, login in closed_by_robots(client, closed).items()}

    def read_project(self, client: Client, project: Project) -> None:
        """Read the dates of our open issues in a project."""
        self.project = project
        numbers = {issue.id: issue.number for issue in self.issues.values() if issue.open and self.ours(issue)}
        ids = list(numbers)
        for start in range(0, len(ids), _MOST_NODES):
            variables = {"ids": ids[start : start + _MOST_NODES], "field": project.field}
            data, errors = client.query(_ITEMS, variables)
            if errors or not data:
                raise BackplanError("GitHub did not return the dates of a project; run again (nothing was changed)")
            with understood("the dates of a project"):
                for node in filter(None, data["nodes"]):
                    for item in node["projectItems"]["nodes"]:
                        if item["project"]["id"] == project.id:
                            self.items[numbers[node["id"]]] = Item.of(item)

    def read_links(self, client: Client) -> None:
        """Read the issues that block an issue, if they differ from its body."""
        known = {found.marker.nonce for found in self.managed()}
        for issue in self.by_number():
            written = issue.body.aside.blocked_by
            if self.ours(issue) and issue.open and (issue.blocks != len(written) or not known.issuperset(written)):
                listed = client.listed(f"issues/{issue.number}/dependencies/blocked_by") if issue.blocks else ()
                with understood(f"the issues that block #{issue.number}"):
                    self.blocked_by[issue.number] = tuple(str(NumberAnswer.read(one).number) for one in listed)

    @property
    def ownership(self) -> Ownership:
        """The classifier of issues, with the current memory."""
        return Ownership(self.namespace, self.memory)

    def ours(self, issue: Issue) -> Marker | None:
        """Return the marker of an issue of our namespace."""
        marker = issue.marker(self.namespace)
        return marker if marker and marker.namespace == self.namespace else None

    def _absent(self) -> set[str]:
        return {number for number in self.ownership.live() - self.issues.keys() if number.isdecimal()}

    def remember(self) -> None:
        """Find the memory of each goal: in the oldest issue of the goal, else in the newest that contains it."""
        self.memory, self.homes, self.damage, self.remedy = {}, {}, "", ""
        found: dict[str, list[tuple[Issue, StoredGoal]]] = {}
        for issue in self.by_number():
            if not issue.trusted:
                continue
            try:
                for goal_id, goal in read_memory(issue.body.lines_of(self.namespace)).items():
                    found.setdefault(goal_id, []).append((issue, goal))
            except ValueError as error:
                self.damage = f"github ({self.facts.name}): issue #{issue.number}: {error}"
                self.remedy = f"Restore the text of issue #{issue.number}: “edited” above it shows earlier ones"
        for goal_id, places in found.items():
            live = [place for place in places if (marker := self.ours(place[0])) and marker.key == goal_id]
            issue, goal = live[0] if live else places[-1]
            self.memory[goal_id], self.homes[goal_id] = goal, issue.number
        self._miss_memory()

    def _miss_memory(self) -> None:
        """Store the damage if a goal has issues and no memory: a user removed it from the goal's own issue."""
        lost: dict[str, str] = {}
        for found in self.ownership.lost(self.managed()):
            goal_id, key = goal_of(found.marker.key), found.marker.key
            lost[goal_id] = lost.get(goal_id) or (found.id if key == goal_id else found.task.parent)
        if lost and not self.damage:
            goal_id, number = next(iter(lost.items()))
            where = f"issue #{number}" if number in self.issues else "its own issue"
            self.damage = f"github ({self.facts.name}): the memory of `{goal_id}` in the text of {where} is gone"
            self.remedy = "Restore that text: “edited” above it shows earlier ones" if number in self.issues else ""

    def by_number(self) -> list[Issue]:
        """Return the issues, the oldest first."""
        return sorted(self.issues.values(), key=lambda issue: int(issue.number))

    def managed(self) -> Iterator[Found[Issue]]:
        """Yield the issues with a marker, and those of ours that have lost it; the oldest first."""
        issues = self.by_number()
        return self.ownership.managed(Candidate(one.number, one.body.marker, one, one.trusted) for one in issues)

    def planned(self, key: str) -> tuple[date, ...]:
        """Return the due date that was planned for a step when the memory was last written; empty for a goal."""
        goal = self.memory.get(goal_of(key))
        return goal.dates.get(key, ())[1:] if goal else ()
