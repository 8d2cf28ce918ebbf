"""Carries out a batch of writes in a repository: first changes, then new goals, then new steps, then links."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.codec import write_memory
from connectors.github.creation import Creation, Job
from connectors.github.date_fields import OuterDates
from connectors.github.milestones import Milestones
from connectors.github.mutations import Changes, too_long
from connectors.github.relations import Around
from connectors.github.tasks import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.github.api import Client, Mutation
    from connectors.github.body import Wording
    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import StoredGoal


class Batch:
    """Carries out one batch after another."""

    def __init__(self, reading: Reading, client: Client, wording: Wording, *, milestones: bool) -> None:
        """`milestones`: each goal is a milestone, too."""
        self._reading = reading
        self._client = client
        self._memory: Mapping[str, StoredGoal] = reading.memory
        # Of two with one key, the older one counts.
        self._numbers = {task.marker.key: task.native_id for task in reversed(snapshot_of(reading).tasks)}
        self._changes = Changes(reading, wording, self._numbers)
        self._around = Around(client, reading, self._numbers)
        self._dates = OuterDates(client, reading)
        self._milestones = Milestones(client, reading) if milestones else None
        self._creation = Creation(
            client, reading, self._numbers, self._changes, self._around, self._dates, self._milestones
        )
        self._wanted: dict[str, Issue] = {}

    def carry_out(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Carry out the writes; return the result of each.

        Raises BackplanError when nothing of it could be tried.
        """
        self._dates.put_back()
        self._wanted = {}
        jobs = [Job(write) for write in batch]
        writes = [(one, one.write) for one in jobs if isinstance(one.write, Write)]
        made = [(one, write) for one, write in writes if write.action is Action.CREATE]
        for _, write in writes:
            self._name(write)
        self._want_all(jobs)
        self._make_labels([write for _, write in made])
        self._change(jobs)
        self._creation.create_all(made)
        self._around.move([write for one, write in made if one.issues], self._memory)
        self._link(jobs)
        return [self._result(one) for one in jobs]

    def _result(self, one: Job) -> WriteResult:
        number = "" if one.error else next(iter(one.issues), "")
        return WriteResult(number, one.error, notice=self._dates.notice)

    # The issues as they have to be

    def _want_all(self, jobs: Sequence[Job]) -> None:
        """Compute how existing issues have to be, in the order of the writes."""
        for one in jobs:
            if isinstance(one.write, StoreWrite):
                self._remember(one, one.write.memory)
            elif one.write.action is not Action.CREATE:
                self._want(one, one.write)

    def _name(self, write: Write) -> None:
        """Store the issue and the nonce of a key, which may be new."""
        if write.marker is None or write.action in (Action.DETACH, Action.REMOVE):
            return
        self._around.nonces[write.key] = write.marker.nonce
        if write.native_id in self._reading.issues:
            self._numbers[write.key] = write.native_id

    def _now(self, number: str) -> Issue | None:
        return self._wanted.get(number) or self._reading.issues.get(number)

    def _remember(self, one: Job, memory: Mapping[str, StoredGoal]) -> None:
        """Put the memory of each goal into its own issue, or into another goal's if it has none."""
        self._memory = memory
        homes = self._reading.homes
        by_home: dict[str, list[str]] = {number: [] for number in homes.values()}
        self._reading.coming.clear()
        for goal_id, line in zip(memory, write_memory(memory), strict=True):
            home = homes.get(goal_id) or self._numbers.get(goal_id)
            own = memory[goal_id].keys.get(goal_id)
            if home is None and own is not None and own.state == "pending":
                self._reading.coming[goal_id] = line  # it is written when its issue is created
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

    def _want(self, one: Job, write: Write) -> None:
        issue = self._now(write.native_id)
        if issue is None:
            one.error = "there is no such issue any more"
            return
        new = self._changes.changed(issue, write)
        if write.content is not None and write.action not in (Action.DETACH, Action.REMOVE, Action.COMPLETE):
            new = self._dates.wanted(new, write.content, moved=bool(write.fields & {"due", "start"}))
            if "after" in write.fields:
                new = self._around.linked(new, write.content.after)
        self._set(one, new)

    def _set(self, one: Job, new: Issue) -> None:
        one.error = one.error or (too_long(new) if new.body != self._reading.issues[new.number].body else None)
        if one.error is None:
            self._wanted[new.number] = new
            one.issues = [*one.issues, new.number]

    # Changing

    def _change(self, jobs: Sequence[Job]) -> None:
        """Write all differences, the memory first. If that is refused, nothing else was tried."""
        moved = {number: new for number, new in self._wanted.items() if self._dates.differ(new)}
        numbers = [n for n, new in self._wanted.items() if n in moved or new != self._reading.issues[n]]
        errors = self._dates.write([*moved.values()], map(self._planned, numbers))
        self._wanted |= {number: self._dates.taken(self._wanted[number]) for number in numbers}
        errors |= self._mutate([number for number in numbers if number not in errors])
        _report(jobs, errors)
        for number in set(numbers) - errors.keys():
            before, self._reading.issues[number] = self._reading.issues[number], self._wanted[number]
            if self._milestones:
                self._milestones.follow(before, self._wanted[number])

    def _mutate(self, numbers: Sequence[str]) -> dict[str, str]:
        """Change the issues; return the first error of each by its number."""
        pairs = [(number, mutation) for number in numbers for mutation in self._mutations(number)]
        outcomes = self._client.mutate([mutation for _, mutation in pairs], repeatable=True)
        errors: dict[str, str] = {}
        for (number, mutation), outcome in zip(pairs, outcomes, strict=True):
            if outcome.error and not (mutation.name == "removeSubIssue" and "not there" in outcome.error):
                errors.setdefault(number, outcome.error)
        return errors

    def _planned(self, number: str) -> Issue:
        """Return an issue as it is, with its new memory."""
        issue = self._reading.issues[number]
        return replace(issue, body=replace(issue.body, memory=self._wanted[number].body.memory))

    def _mutations(self, number: str) -> list[Mutation]:
        return self._changes.mutations(self._reading.issues[number], self._wanted[number])

    def _make_labels(self, made: Sequence[Write]) -> None:
        names = [self._reading.label] if made else []
        names += [name for write in made if write.content for name in write.content.labels]
        self._around.make_labels([*names, *(name for issue in self._wanted.values() for name in issue.labels)])

    # Links

    def _link(self, jobs: Sequence[Job]) -> None:
        _report(jobs, self._around.write_links())


def _report(jobs: Sequence[Job], errors: Mapping[str, str]) -> None:
    """Give each write that has no error yet the first error of its issues."""
    for one in jobs:
        one.error = one.error or next((errors[number] for number in one.issues if number in errors), None)
