"""Carries a batch of writes out in a repository: first what changes, then new goals, then new steps, then links.

GitHub takes no ids of ours: where nobody knows whether an issue was made, it is looked for before it is asked for
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from config.errors import BackplanError
from config.keys import goal_of
from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.codec import write_memory
from connectors.github.answers import MadeAnswer
from connectors.github.api import Mutation
from connectors.github.date_fields import OuterDates
from connectors.github.date_line import NO_DATES
from connectors.github.milestones import Milestones
from connectors.github.mutations import Changes, too_long
from connectors.github.relations import Around
from connectors.github.tasks import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.github.api import Client, Outcome
    from connectors.github.body import Wording
    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import StoredGoal

_MOST_CHILDREN = 100
_SETTLING = 5.0  # seconds until what was just written is sure to be listed
_BEFORE = timedelta(minutes=2)  # so much may pass until the answer that tells the time


@dataclass
class _Asked:
    """One write with what became of it. `issues` are the numbers of those that it changes, or has made."""

    write: Write | StoreWrite
    issues: list[str] = field(default_factory=list)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _New:
    """One write that makes an issue, with the issue that there shall be."""

    asked: _Asked
    write: Write
    issue: Issue


class Batch:
    """Carries out one batch after another."""

    def __init__(self, reading: Reading, client: Client, wording: Wording, *, milestones: bool) -> None:
        """`milestones`: each goal is a milestone, too."""
        self._reading = reading
        self._client = client
        self._milestones = Milestones(client, reading) if milestones else None
        self._memory: Mapping[str, StoredGoal] = reading.memory
        # Of two with one key, the elder stays.
        self._numbers = {task.marker.key: task.native_id for task in reversed(snapshot_of(reading).tasks)}
        self._nonces = {key: nonce for nonce, key in reversed(reading.keys.items())}
        self._changes = Changes(reading, wording, self._numbers)
        self._around = Around(client, reading, self._numbers)
        self._dates = OuterDates(client, reading)
        self._wanted: dict[str, Issue] = {}

    def carry_out(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out the writes, and answer for each.

        Raises BackplanError when nothing of it could be tried.
        """
        self._dates.put_back()
        self._wanted = {}
        asked = [_Asked(write) for write in batch]
        writes = [(one, one.write) for one in asked if isinstance(one.write, Write)]
        made = [(one, write) for one, write in writes if write.action is Action.CREATE]
        for _, write in writes:
            self._name(write)
        self._want_all(asked)
        self._make_labels([write for _, write in made])
        self._change(asked)
        self._create_all(made)
        self._around.move([write for one, write in made if one.issues], self._memory)
        self._link(asked)
        return [self._result(one) for one in asked]

    def _result(self, one: _Asked) -> WriteResult:
        number = "" if one.error else next(iter(one.issues), "")
        return WriteResult(number, one.error, notice=self._dates.notice)

    # What shall be

    def _want_all(self, asked: Sequence[_Asked]) -> None:
        """Compute what the issues that exist are to be, in the order of the writes."""
        for one in asked:
            if isinstance(one.write, StoreWrite):
                self._remember(one, one.write.memory)
            elif one.write.action is not Action.CREATE:
                self._want(one, one.write)

    def _name(self, write: Write) -> None:
        """Note which issue has a key, which may be a new one."""
        if write.marker is None or write.action in (Action.DETACH, Action.REMOVE):
            return
        self._nonces[write.key] = write.marker.nonce
        if write.native_id in self._reading.issues:
            self._numbers[write.key] = write.native_id

    def _now(self, number: str) -> Issue | None:
        return self._wanted.get(number) or self._reading.issues.get(number)

    def _remember(self, one: _Asked, memory: Mapping[str, StoredGoal]) -> None:
        """Want the memory of each goal in its own issue, or for want of one in another's."""
        self._memory = memory
        homes = self._reading.homes
        by_home: dict[str, list[str]] = {number: [] for number in homes.values()}
        self._reading.coming.clear()
        for goal_id, line in zip(memory, write_memory(memory), strict=True):
            home = homes.get(goal_id) or self._numbers.get(goal_id)
            own = memory[goal_id].keys.get(goal_id)
            if home is None and own is not None and own.state == "pending":
                self._reading.coming[goal_id] = line  # it is made together with its issue
                continue
            home = home or min(homes.values(), key=int, default=None)
            if home is None:
                one.error = f"there is no issue yet that could hold the memory of the goal {goal_id}"
                continue
            by_home.setdefault(home, []).append(line)
            homes[goal_id] = home
        for number, lines in by_home.items():
            if issue := self._now(number):
                new = replace(issue, body=issue.body.with_memory(self._reading.namespace, lines))
                self._set(one, new)

    def _want(self, one: _Asked, write: Write) -> None:
        issue = self._now(write.native_id)
        if issue is None:
            one.error = "there is no such issue any more"
            return
        new = self._changes.changed(issue, write)
        if write.content is not None and write.action not in (Action.DETACH, Action.REMOVE, Action.COMPLETE):
            new = self._dates.wanted(new, write.content, moved=bool(write.fields & {"due", "start"}))
            if "after" in write.fields:
                new = self._linked(new, write.content.after)
        self._set(one, new)

    def _linked(self, issue: Issue, after: tuple[str, ...]) -> Issue:
        nonces = tuple(self._nonces[key] for key in after if key in self._nonces)
        if issue.number:
            self._around.want_links(issue.number, after)
        return replace(issue, body=replace(issue.body, aside=replace(issue.body.aside, blocked_by=nonces)))

    def _set(self, one: _Asked, new: Issue) -> None:
        one.error = one.error or (too_long(new) if new.body != self._reading.issues[new.number].body else None)
        if one.error is None:
            self._wanted[new.number] = new
            one.issues = [*one.issues, new.number]

    # Changing

    def _change(self, asked: Sequence[_Asked]) -> None:
        """Ask for all that differs, the memory first; only where that is refused, nothing was tried."""
        moved = {number: new for number, new in self._wanted.items() if self._dates.differ(new)}
        numbers = [n for n, new in self._wanted.items() if n in moved or new != self._reading.issues[n]]
        errors = self._dates.write([*moved.values()], map(self._planned, numbers))
        self._wanted |= {number: self._dates.taken(self._wanted[number]) for number in numbers}
        errors |= self._mutate([number for number in numbers if number not in errors])
        _report(asked, errors)
        for number in set(numbers) - errors.keys():
            before, self._reading.issues[number] = self._reading.issues[number], self._wanted[number]
            if self._milestones:
                self._milestones.follow(before, self._wanted[number])

    def _mutate(self, numbers: Sequence[str]) -> dict[str, str]:
        """Make the issues what they are to be; return the first error of each by its number."""
        pairs = [(number, mutation) for number in numbers for mutation in self._mutations(number)]
        outcomes = self._client.mutate([mutation for _, mutation in pairs], repeatable=True)
        errors: dict[str, str] = {}
        for (number, mutation), outcome in zip(pairs, outcomes, strict=True):
            if outcome.error and not (mutation.name == "removeSubIssue" and "not there" in outcome.error):
                errors.setdefault(number, outcome.error)
        return errors

    def _planned(self, number: str) -> Issue:
        """Return an issue as it is, with the memory that it is to hold."""
        issue = self._reading.issues[number]
        return replace(issue, body=replace(issue.body, memory=self._wanted[number].body.memory))

    def _mutations(self, number: str) -> list[Mutation]:
        return self._changes.mutations(self._reading.issues[number], self._wanted[number])

    def _make_labels(self, made: Sequence[Write]) -> None:
        names = [self._reading.label] if made else []
        names += [name for write in made if write.content for name in write.content.labels]
        self._around.make_labels([*names, *(name for issue in self._wanted.values() for name in issue.labels)])

    # Creating

    def _create_all(self, made: Sequence[tuple[_Asked, Write]]) -> None:
        """Create the issues of goals, then those of steps, which stand below them."""
        goals = [(one, write) for one, write in made if "/" not in write.key]
        self._refuse_known(goals)
        self._create(goals)
        self._create([(one, write) for one, write in made if "/" in write.key])

    def _refuse_known(self, goals: Sequence[tuple[_Asked, Write]]) -> None:
        """Look through the whole repository before a goal is made: people may have taken our label off its issue.

        Where it is there, it gets its label back, so that the next run finds it, and is not made.
        """
        if self._reading.whole or not goals:
            return
        self._reading.look(self._client, whole=True)
        known = {marker.key: issue for issue in self._reading.issues.values() if (marker := self._reading.ours(issue))}
        own = self._reading.label
        lost = [(one, known[write.key]) for one, write in goals if write.key in known]
        for one, issue in lost:
            one.error = f"the label `{own}` was taken off #{issue.number}; it is back, so run again"
        ids = [(issue.id, self._changes.label_ids((*issue.labels, own))) for _, issue in lost]
        self._client.mutate([Mutation("updateIssue", {"id": i, "labelIds": new}) for i, new in ids], repeatable=True)

    def _create(self, asked: Sequence[tuple[_Asked, Write]]) -> None:
        """Make issues; what cannot be made any more in this run says why."""
        waiting = [new for one, write in asked if not one.error and (new := self._new(one, write))]
        try:
            while waiting:
                waiting = self._ask_for(waiting)
        except BackplanError as error:
            for new in waiting:
                if not (new.asked.issues or new.asked.error):
                    new.asked.error = str(error)
        self._dates.write([self._reading.issues[number] for one, _ in asked for number in one.issues])

    def _ask_for(self, waiting: Sequence[_New]) -> list[_New]:
        """Ask for issues; return those that were not made after all, to be asked for again.

        Where the organization's fields are what is refused, they are asked for without: whether GitHub looks at the
        fields before it makes an issue is not documented.
        """
        started, fields = self._client.retrier.earliest, self._reading.fields
        outcomes = self._client.mutate([self._changes.creation(new.issue) for new in waiting], repeatable=False)
        unknown = []
        for new, outcome in zip(waiting, outcomes, strict=True):
            without = bool(fields and new.issue.shown != NO_DATES and outcome.refused)
            if without:
                self._dates.refuse(outcome)
            made = None if outcome.error else _numbered(new.issue, outcome)
            if made is not None:
                self._made(new, made)
            elif outcome.unknown or without or not outcome.error:
                unknown.append(new)
            else:
                new.asked.error = outcome.error
        return self._look_for(unknown, started - _BEFORE) if unknown else []

    def _look_for(self, unknown: Sequence[_New], since: datetime) -> list[_New]:
        """Note which issues are there after all; return the others."""
        self._client.retrier.pause(_SETTLING, "whether it has made what it was asked for is not known")
        self._reading.look(self._client, whole=True, since=since.strftime("%Y-%m-%dT%H:%M:%SZ"))
        there = {m.nonce: issue for issue in self._reading.issues.values() if (m := self._reading.ours(issue))}
        absent = []
        for new in unknown:
            found = there.get(new.write.marker.nonce) if new.write.marker else None
            if found is None:
                absent.append(new)
            else:
                self._made(new, found)
        return absent

    def _new(self, one: _Asked, write: Write) -> _New | None:
        goal_id = goal_of(write.key)
        if write.key != goal_id and goal_id in self._reading.coming:
            one.error = "its goal could not be made"
            return None
        issue = self._changes.made(write)
        if write.content is not None:
            issue = self._linked(self._dates.wanted(issue, write.content, moved=True), write.content.after)
        one.error = too_long(issue)
        if one.error:
            return None
        milestone = self._milestones.of(write, self._numbers.get(goal_id, "")) if self._milestones else None
        return _New(one, write, replace(issue, parent=self._parent(write.parent), milestone=milestone))

    def _parent(self, key: str | None) -> str:
        """Return the number of the issue to stand below, where it can take one more."""
        number = self._numbers.get(key or "", "")
        parent = self._reading.issues.get(number)
        if parent is None or not self._reading.facts.nests or parent.children >= _MOST_CHILDREN:
            return ""
        self._reading.issues[number] = replace(parent, children=parent.children + 1)
        return number

    def _made(self, new: _New, issue: Issue) -> None:
        key = new.write.key
        self._reading.issues[issue.number] = issue
        self._numbers[key] = issue.number
        new.asked.issues = [issue.number]
        if self._reading.coming.pop(key, None) is not None:
            self._reading.homes[key] = issue.number
        if new.write.content and new.write.content.after:
            self._around.want_links(issue.number, new.write.content.after)

    # Links

    def _link(self, asked: Sequence[_Asked]) -> None:
        _report(asked, self._around.write_links())


def _report(asked: Sequence[_Asked], errors: Mapping[str, str]) -> None:
    """Give each write that has no error yet the first error of its issues."""
    for one in asked:
        one.error = one.error or next((errors[number] for number in one.issues if number in errors), None)


def _numbered(issue: Issue, outcome: Outcome) -> Issue | None:
    """Return an issue as it was made; None where the answer does not tell which one it is."""
    try:
        said = MadeAnswer.read(outcome.value.get("issue"))
        return replace(issue, number=str(said.number), id=said.id, rest_id=int(said.full_database_id))
    except ValueError:
        return None
