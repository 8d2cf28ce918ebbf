"""Creates issues in a repository, each of them once.

GitHub takes no ids of ours: if nobody knows whether an issue was created, it is searched for before the next attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.errors import BackplanError
from config.keys import goal_of
from connectors.github.answers import MadeAnswer
from connectors.github.api import Mutation
from connectors.github.date_line import NO_DATES
from connectors.github.mutations import too_long

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.base import StoreWrite, Write
    from connectors.github.api import Client, Outcome
    from connectors.github.date_fields import OuterDates
    from connectors.github.issue import Issue
    from connectors.github.milestones import Milestones
    from connectors.github.mutations import Changes
    from connectors.github.reader import Reading
    from connectors.github.relations import Around

_MOST_CHILDREN = 100
_SETTLING = 5.0  # seconds until GitHub lists new issues
_BEFORE = timedelta(minutes=2)  # the longest time until the answer that contains GitHub's clock


@dataclass
class Job:
    """One write with its result. `issues` are the numbers of the issues that it changes or has created."""

    write: Write | StoreWrite
    issues: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _New:
    """One write that creates an issue, with that issue."""

    job: Job
    write: Write
    issue: Issue


@dataclass(frozen=True, slots=True)
class Creation:
    """Creates the issues of goals and steps, and adds them to `numbers`: the numbers of our issues by their keys."""

    client: Client
    reading: Reading
    numbers: dict[str, str]
    changes: Changes
    around: Around
    dates: OuterDates
    milestones: Milestones | None

    def create_all(self, made: Sequence[tuple[Job, Write]]) -> None:
        """Create the issues of goals, then those of steps, which are below them."""
        goals = [(one, write) for one, write in made if "/" not in write.key]
        self._refuse_known(goals)
        self._create(goals)
        self._create([(one, write) for one, write in made if "/" in write.key])

    def _refuse_known(self, goals: Sequence[tuple[Job, Write]]) -> None:
        """Search the whole repository for each goal to be created: a user may have removed our label from its issue.

        An issue that is found gets its label back, so that the next run finds it, and is not created again.
        """
        if self.reading.whole or not goals:
            return
        self.reading.look(self.client, whole=True)
        known = {marker.key: issue for issue in self.reading.issues.values() if (marker := self.reading.ours(issue))}
        own = self.reading.label
        lost = [(one, known[write.key]) for one, write in goals if write.key in known]
        for one, issue in lost:
            one.error = f"the label `{own}` was taken off #{issue.number}; it is back, so run again"
        ids = [(issue.id, self.changes.label_ids((*issue.labels, own))) for _, issue in lost]
        self.client.mutate([Mutation("updateIssue", {"id": i, "labelIds": new}) for i, new in ids], repeatable=True)

    def _create(self, jobs: Sequence[tuple[Job, Write]]) -> None:
        """Create issues; store an error in each write that cannot be carried out in this run."""
        waiting = [new for one, write in jobs if not one.error and (new := self._new(one, write))]
        try:
            while waiting:
                waiting = self._ask_for(waiting)
        except BackplanError as error:
            for new in waiting:
                if not (new.job.issues or new.job.error):
                    new.job.error = str(error)
        self.dates.write([self.reading.issues[number] for one, _ in jobs for number in one.issues])

    def _ask_for(self, waiting: Sequence[_New]) -> list[_New]:
        """Send the requests for issues; return the issues that were not created and have to be requested again.

        If GitHub refuses the organization's fields, the issues are requested without them. GitHub does not document
        whether it checks the fields before it creates an issue.
        """
        started, fields = self.client.retrier.earliest, self.reading.fields
        outcomes = self.client.mutate([self.changes.creation(new.issue) for new in waiting], repeatable=False)
        unknown = []
        for new, outcome in zip(waiting, outcomes, strict=True):
            without = bool(fields and new.issue.shown != NO_DATES and outcome.refused)
            if without:
                self.dates.refuse(outcome)
            made = None if outcome.error else _numbered(new.issue, outcome)
            if made is not None:
                self._made(new, made)
            elif outcome.unknown or without or not outcome.error:
                unknown.append(new)
            else:
                new.job.error = outcome.error
        return self._look_for(unknown, started - _BEFORE) if unknown else []

    def _look_for(self, unknown: Sequence[_New], since: datetime) -> list[_New]:
        """Store the issues that were created after all; return the others."""
        self.client.retrier.pause(_SETTLING, "it is not known whether it created an issue")
        self.reading.look(self.client, whole=True, since=since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        there = {m.nonce: issue for issue in self.reading.issues.values() if (m := self.reading.ours(issue))}
        absent = []
        for new in unknown:
            found = there.get(new.write.marker.nonce) if new.write.marker else None
            if found is None:
                absent.append(new)
            else:
                self._made(new, found)
        return absent

    def _new(self, one: Job, write: Write) -> _New | None:
        goal_id = goal_of(write.key)
        if write.key != goal_id and goal_id in self.reading.coming:
            one.error = "its goal could not be made"
            return None
        issue = self.changes.made(write)
        if write.content is not None:
            issue = self.around.linked(self.dates.wanted(issue, write.content, moved=True), write.content.after)
        one.error = too_long(issue)
        if one.error:
            return None
        milestone = self.milestones.of(write, self.numbers.get(goal_id, "")) if self.milestones else None
        return _New(one, write, replace(issue, parent=self._parent(write.parent), milestone=milestone))

    def _parent(self, key: str | None) -> str:
        """Return the number of the parent issue; empty if it cannot take another one."""
        number = self.numbers.get(key or "", "")
        parent = self.reading.issues.get(number)
        if parent is None or not self.reading.facts.nests or parent.children >= _MOST_CHILDREN:
            return ""
        self.reading.issues[number] = replace(parent, children=parent.children + 1)
        return number

    def _made(self, new: _New, issue: Issue) -> None:
        key = new.write.key
        self.reading.issues[issue.number] = issue
        self.numbers[key] = issue.number
        new.job.issues = [issue.number]
        if self.reading.coming.pop(key, None) is not None:
            self.reading.homes[key] = issue.number
        if new.write.content and new.write.content.after:
            self.around.want_links(issue.number, new.write.content.after)


def _numbered(issue: Issue, outcome: Outcome) -> Issue | None:
    """Return an issue as it was created; None if the answer does not contain its ids."""
    try:
        answer = MadeAnswer.read(outcome.value.get("issue"))
        return replace(issue, number=str(answer.number), id=answer.id, rest_id=int(answer.full_database_id))
    except ValueError:
        return None
