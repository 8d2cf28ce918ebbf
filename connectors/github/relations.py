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
    """Writes labels, order and links of issues. `numbers` and `nonces` are those of our issues, by their keys."""

    def __init__(self, client: Client, reading: Reading, numbers: Mapping[str, str]) -> None:
        """`reading` contains the issues as they were read."""
        self._client = client
        self._reading = reading
        self._numbers = numbers
        self.nonces = {key: nonce for nonce, key in reversed(reading.keys.items())}
        self._links: dict[
            str, tuple[str, ...]
        ] = {}  # the keys of the issues that have to block an issue, by its number

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

    # Links

    def linked(self, issue: Issue, after: tuple[str, ...]) -> Issue:
        """Return an issue whose body contains the nonces of those that block it; it is linked later, if it exists."""
        nonces = tuple(self.nonces[key] for key in after if key in self.nonces)
        if issue.number:
            self.want_links(issue.number, after)
        return replace(issue, body=replace(issue.body, aside=replace(issue.body.aside, blocked_by=nonces)))

    def want_links(self, number: str, after: tuple[str, ...]) -> None:
        """Store the keys of the issues that have to block an issue."""
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
                errors[number] = f"its links could not be read: {error}"
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
        following = self._following({write.key for write in made}, memory)
        moves = [self._move(write, following[write.key]) for write in made if write.key in following]
        try:
            self._client.mutate(moves, repeatable=True)
        except BackplanError:
            return  # the order is not guaranteed

    def _following(self, made: set[str], memory: Mapping[str, StoredGoal]) -> dict[str, Issue]:
        """Return the issue that was there before and stands next below the same parent, by the key of a new one."""
        found: dict[str, Issue] = {}
        for goal_id in {goal_of(key) for key in made} & memory.keys():
            later: dict[str, Issue] = {}  # by parent, the last one that was met
            for key in reversed(list(memory[goal_id].keys)):
                issue = self._reading.issues.get(self._numbers.get(key, ""))
                if issue is None or issue.parent not in self._reading.issues:
                    continue
                if key not in made:
                    later[issue.parent] = issue
                elif issue.parent in later:
                    found[key] = later[issue.parent]
        return found

    def _move(self, write: Write, following: Issue) -> Mutation:
        issue = self._reading.issues[self._numbers[write.key]]
        parent = self._reading.issues[issue.parent]
        before = self._reading.issues.get(self._numbers.get(write.previous or "", ""))
        where = {"afterId": before.id} if before else {"beforeId": following.id}
        return Mutation("reprioritizeSubIssue", {"issueId": parent.id, "subIssueId": issue.id, **where})
