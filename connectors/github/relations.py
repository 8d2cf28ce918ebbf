"""What is stored beside issues and not in them: labels, which issue blocks which, and the order of steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.errors import BackplanError
from config.keys import goal_of
from connectors.github.answers import LabelAnswer
from connectors.github.api import Mutation
from connectors.github.errors import understood

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.base import Write
    from connectors.github.api import Client
    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import StoredGoal

_COLOR = "1d76db"
_ABOUT = "Planned by backplan: the dates come from a goals file"


class Around:
    """Writes what is stored beside issues. `numbers` and `nonces` are those of our issues, by their keys."""

    def __init__(self, client: Client, reading: Reading, numbers: Mapping[str, str]) -> None:
        """`reading` contains the issues as they were read."""
        self._client = client
        self._reading = reading
        self._numbers = numbers
        self.nonces = {key: nonce for nonce, key in reversed(reading.keys.items())}
        self._links: dict[str, tuple[str, ...]] = {}  # keys of what has to block an issue, by its number

    # Labels

    def make_labels(self, names: Iterable[str]) -> None:
        """Create the labels that do not exist, if the token may; otherwise issues are created without them."""
        facts = self._reading.facts
        absent = [name for name in dict.fromkeys(names) if facts.spelled(name) not in facts.labels]
        for name in absent if facts.may_push else ():
            about = {"color": _COLOR, "description": _ABOUT} if name == self._reading.label else {}
            label = self._client.make("labels", {"name": name, **about})
            if label is None:  # somebody has just created it
                facts.labels |= self._client.labels()
                continue
            with understood("a label that was made"):
                new = LabelAnswer.read(label)
            facts.labels[new.name] = new.node_id

    # What blocks what

    def linked(self, issue: Issue, after: tuple[str, ...]) -> Issue:
        """Return an issue whose body contains the nonces of what blocks it; an existing one is linked later, too."""
        nonces = tuple(self.nonces[key] for key in after if key in self.nonces)
        if issue.number:
            self.want_links(issue.number, after)
        return replace(issue, body=replace(issue.body, aside=replace(issue.body.aside, blocked_by=nonces)))

    def want_links(self, number: str, after: tuple[str, ...]) -> None:
        """Store the keys of what has to block an issue."""
        self._links[number] = after

    def write_links(self) -> dict[str, str]:
        """Write which issues block which, as far as they exist; return the errors by the numbers of the issues."""
        errors: dict[str, str] = {}
        for number, keys in list(self._links.items()):
            before = set(self._reading.linked.get(number, ()))
            try:
                for key in sorted(before - set(keys)):
                    self._unblock(number, self._reading.issues.get(self._numbers.get(key, "")))
                for key in sorted(set(keys) - before):
                    self._block(number, self._reading.issues.get(self._numbers.get(key, "")))
            except BackplanError as error:
                errors[number] = f"what it comes after cannot be told: {error}"
            if all(key in self._numbers for key in keys) or number in errors:
                del self._links[number]
        return errors

    def _block(self, number: str, other: Issue | None) -> None:
        if other is not None:
            self._client.make(f"issues/{number}/dependencies/blocked_by", {"issue_id": other.rest_id})
            self._reading.linked[number] = (*self._reading.linked.get(number, ()), self._key(other))

    def _unblock(self, number: str, other: Issue | None) -> None:
        if other is not None:
            self._client.remove(f"issues/{number}/dependencies/blocked_by/{other.rest_id}")

    def _key(self, issue: Issue) -> str:
        return next(key for key, number in self._numbers.items() if number == issue.number)

    # Order

    def move(self, made: Sequence[Write], memory: Mapping[str, StoredGoal]) -> None:
        """Move new steps before those that follow them in the goals file: GitHub adds them at the end."""
        new = {write.key for write in made}
        moves = [move for write in made if (move := self._move(write, memory, new))]
        try:
            self._client.mutate(moves, repeatable=True)
        except BackplanError:
            return  # the order is not guaranteed

    def _move(self, write: Write, memory: Mapping[str, StoredGoal], made: set[str]) -> Mutation | None:
        issue = self._reading.issues[self._numbers[write.key]]
        goal = memory.get(goal_of(write.key))
        parent = self._reading.issues.get(issue.parent)
        if goal is None or parent is None or write.key not in goal.keys:
            return None
        order = list(goal.keys)
        later = [key for key in order[order.index(write.key) + 1 :] if key not in made and self._is_below(key, issue)]
        if not later:
            return None
        before = self._reading.issues.get(self._numbers.get(write.previous or "", ""))
        following = self._reading.issues[self._numbers[later[0]]]
        where = {"afterId": before.id} if before else {"beforeId": following.id}
        return Mutation("reprioritizeSubIssue", {"issueId": parent.id, "subIssueId": issue.id, **where})

    def _is_below(self, key: str, issue: Issue) -> bool:
        other = self._reading.issues.get(self._numbers.get(key, ""))
        return other is not None and other.parent == issue.parent
