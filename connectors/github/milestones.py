"""Goals as milestones of a GitHub repository, with the deadline as their date.

A milestone belongs to a goal if it contains the goal's issue, and its description contains our comment. So a milestone
that a user renames is still used; one that they delete, or remove the issue from, is not created again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.github.answers import MilestoneAnswer
from connectors.github.body import read_title
from connectors.github.errors import understood
from connectors.github.issue import Milestone

if TYPE_CHECKING:
    from connectors.base import Write
    from connectors.github.api import Client
    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import Content


class Milestones:
    """The milestones of a repository."""

    def __init__(self, client: Client, reading: Reading) -> None:
        """`reading` contains the issues as they were read."""
        self._client = client
        self._reading = reading

    def of(self, write: Write, goal: str) -> Milestone | None:
        """Return the milestone of a new issue; `goal` is the number of the goal's issue. A new goal gets a new one."""
        if "/" in write.key:
            issue = self._reading.issues.get(goal)
            return issue.milestone if issue and self._is_ours(issue) else None
        assert write.content is not None  # noqa: S101  # a create has one
        with understood("milestones"):
            return self._make(write.content, self._about(write.key))

    def _make(self, content: Content, about: str) -> Milestone | None:
        made: dict[str, Any] = {"title": content.title[:255], "description": about}
        if content.due:
            made["due_on"] = _noon(content.due.isoformat())
        answer = self._client.make("milestones", made)
        if answer is None:  # one with this title exists, perhaps because an answer was lost
            found = map(MilestoneAnswer.read, self._client.listed("milestones", state="all"))
            return next((Milestone.of(one) for one in found if one.title == made["title"]), None)
        return Milestone.of(MilestoneAnswer.read(answer))

    def follow(self, before: Issue, issue: Issue) -> None:
        """Update a goal's milestone after its issue has changed: its date, title and state."""
        milestone = issue.milestone
        if milestone is None or not self._is_ours(issue):
            return
        changes: dict[str, Any] = {}
        due = issue.body.dates.due
        if due is not None and due != before.body.dates.due:
            changes["due_on"] = _noon(due.isoformat())
        if issue.title != before.title:
            changes["title"] = read_title(issue.title)[:255]
        if issue.open != before.open:
            changes["state"] = "open" if issue.open else "closed"
        if changes:
            self._client.change(f"milestones/{milestone.number}", changes)

    def _is_ours(self, issue: Issue) -> bool:
        marker = self._reading.ours(issue)
        if issue.milestone is None or marker is None:
            return False
        return "/" not in marker.key and self._about(marker.key) in issue.milestone.description

    def _about(self, goal_id: str) -> str:
        return f"<!-- backplan {self._reading.namespace} {goal_id} -->"


def _noon(day: str) -> str:
    """Return noon of a day: GitHub expects a time, and stores midnight of that day in Pacific time."""
    return f"{day}T12:00:00Z"
