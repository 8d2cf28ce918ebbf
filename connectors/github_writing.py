"""Carries a batch of writes out in a repository: first what changes, then new goals, then new steps.

What a write wants is worked out as the issue that there shall be; the mutations are the difference to the one there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.errors import BackplanError
from connectors.base import Action, Answer, MemoryWrite, Write
from connectors.github_api import Mutation
from connectors.github_milestones import Milestones
from connectors.github_reading import Issue
from connectors.github_text import LONGEST_BODY, Body
from connectors.marker import write_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.base import Content, GoalMemory
    from connectors.github_api import Client, Outcome
    from connectors.github_reading import Reading
    from connectors.github_text import Wording

_MOST_CHILDREN = 100
_MADE = "issue { id number }"
_SETTLING = 5.0  # seconds until what was just written is sure to be listed
_BEFORE = timedelta(minutes=2)  # so far the clocks of two machines may differ
_COLOR = "1d76db"
_ABOUT = "Planned by backplan: the dates come from a goals file"


@dataclass
class _Asked:
    """One write with what became of it. `issue` is the number of the one that it changes, or has made."""

    write: Write | MemoryWrite
    issues: list[str] = field(default_factory=list)
    error: str | None = None


class Batch:
    """Carries out one batch after another."""

    def __init__(self, reading: Reading, client: Client, wording: Wording, *, milestones: bool) -> None:
        """`milestones`: each goal is a milestone, too."""
        self._reading = reading
        self._client = client
        self._wording = wording
        self._milestones = Milestones(client, reading) if milestones else None
        self._memory: Mapping[str, GoalMemory] = reading.memory
        # Of two with one key, the elder stays.
        self._numbers = {task.marker.key: task.native_id for task in reversed(reading.snapshot().tasks)}

    def carry_out(self, batch: Sequence[Write | MemoryWrite]) -> list[Answer]:
        """Carry out the writes, and answer for each.

        Raises BackplanError when nothing of it could be tried.
        """
        self._wanted: dict[str, Issue] = {}
        asked = [_Asked(write) for write in batch]
        for one in asked:
            if isinstance(one.write, MemoryWrite):
                self._remember(one, one.write.memory)
            elif one.write.action is not Action.CREATE:
                self._want(one, one.write)
        made = [(one, one.write) for one in asked if isinstance(one.write, Write) and one.write.action is Action.CREATE]
        self._make_labels(write.content for _, write in made)
        self._change(asked)
        goals = [(one, write) for one, write in made if "/" not in write.key]
        if goals:
            self._refuse_known(write.key for _, write in goals)
        for group in (goals, [(one, write) for one, write in made if "/" in write.key]):
            try:
                self._create(group)
            except BackplanError as error:
                for one, _ in group:
                    if not (one.issues or one.error):
                        one.error = str(error)
        self._place([write for one, write in made if one.issues])
        return [Answer(error=one.error) if one.error else Answer(next(iter(one.issues), "")) for one in asked]

    # What shall be

    def _now(self, number: str) -> Issue | None:
        return self._wanted.get(number) or self._reading.issues.get(number)

    def _remember(self, one: _Asked, memory: Mapping[str, GoalMemory]) -> None:
        """Want the memory of each goal in its own issue, or for want of one in another's."""
        self._memory = memory
        lines = dict(zip(memory, write_memory(memory), strict=True))
        by_home: dict[str, list[str]] = {number: [] for number in self._reading.homes.values()}
        self._reading.coming.clear()
        for goal_id, line in lines.items():
            own = memory[goal_id].keys.get(goal_id)
            home = self._reading.homes.get(goal_id) or self._numbers.get(goal_id)
            if home is None and own is not None and own.state == "pending":
                self._reading.coming[goal_id] = line
            elif home := home or next(iter(sorted(self._reading.homes.values(), key=int)), None):
                by_home.setdefault(home, []).append(line)
                self._reading.homes[goal_id] = home
            else:
                one.error = f"there is no issue yet that could hold the memory of the goal {goal_id}"
        for number, there in by_home.items():
            if issue := self._now(number):
                new = replace(issue, body=issue.body.with_memory(self._reading.namespace, there))
                self._set(one, issue, new)

    def _want(self, one: _Asked, write: Write) -> None:
        issue = self._now(write.native_id)
        if issue is None:
            one.error = "there is no such issue any more"
            return
        new = replace(issue, body=self._body(issue, write))
        content = write.content
        if content is not None and "title" in write.fields:
            new = replace(new, title=self._wording.title(content.title))
        if content is not None and "labels" in write.fields:
            own = [label for label in issue.labels if label.casefold() == self._reading.label.casefold()]
            new = replace(new, labels=(*own, *content.labels))
        if content is not None and "who" in write.fields:
            new = replace(new, assignees=self._assigned(issue, content))
        if "parent" in write.fields:
            new = replace(new, parent=self._numbers.get(write.parent or "", ""))
        self._set(one, issue, _with_state(new, write.action))

    def _body(self, issue: Issue, write: Write) -> Body:
        body = issue.body
        if write.content is not None:
            body = body.with_content(write.content, write.fields, self._wording)
        if write.kept:
            words = self._wording.notes(write.kept).split("\n")
            body = body.keeping("\n".join(f"> {line}" for line in ("Before the goals file changed it:", *words)))
        if write.action in (Action.DETACH, Action.REMOVE):
            return body.with_marker(None)
        return body.with_marker(write.marker) if write.marker else body

    def _assigned(self, issue: Issue, content: Content) -> tuple[str, ...]:
        """Return who is to be assigned: in place of the one before, beside people's own."""
        marker = self._reading.ours(issue)
        before = self._reading.content(issue, marker).who
        others = [login for login in issue.assignees if login not in (before, content.who)]
        return tuple(filter(None, [content.who, *others]))

    def _set(self, one: _Asked, issue: Issue, new: Issue) -> None:
        if new.body != issue.body and (over := len(new.body.text) - LONGEST_BODY) > 0:
            one.error = f"its text is {over} characters too long for GitHub; shorten its notes in the goals file"
            return
        self._wanted[issue.number] = new
        one.issues = [*one.issues, issue.number]

    # Changing

    def _change(self, asked: Sequence[_Asked]) -> None:
        """Ask for all that differs, the memory first; only where that is refused, nothing was tried."""
        numbers = [number for number, new in self._wanted.items() if new != self._reading.issues[number]]
        mutations = [(number, mutation) for number in numbers for mutation in self._mutations(number)]
        outcomes = self._client.mutate([mutation for _, mutation in mutations], repeatable=True)
        errors: dict[str, str] = {}
        for (number, mutation), outcome in zip(mutations, outcomes, strict=True):
            if outcome.error and not (mutation.name == "removeSubIssue" and "not there" in outcome.error):
                errors.setdefault(number, outcome.error)
        for one in asked:
            one.error = one.error or next((errors[number] for number in one.issues if number in errors), None)
        for number in set(numbers) - errors.keys():
            before, self._reading.issues[number] = self._reading.issues[number], self._wanted[number]
            if self._milestones:
                self._milestones.follow(before, self._wanted[number])

    def _mutations(self, number: str) -> list[Mutation]:
        """Return what makes an issue of the one that there is; its state comes first, and its place last."""
        old, new = self._reading.issues[number], self._wanted[number]
        mutations = []
        if old.open is False and (new.open or new.reason != old.reason):
            mutations.append(Mutation("reopenIssue", {"issueId": old.id}))
        if not new.open and (old.open or new.reason != old.reason):
            mutations.append(Mutation("closeIssue", {"issueId": old.id, "stateReason": new.reason.upper()}))
        if fields := self._fields(old, new):
            mutations.append(Mutation("updateIssue", {"id": old.id, **fields}))
        if new.parent != old.parent and self._reading.facts.nests:
            mutations += self._moves(old, new)
        return mutations

    def _fields(self, old: Issue, new: Issue) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if new.title != old.title:
            fields["title"] = new.title
        if new.body != old.body:
            fields["body"] = new.body.text
        if new.labels != old.labels:
            fields["labelIds"] = self._label_ids(new.labels)
        if new.assignees != old.assignees:
            people = self._reading.facts.people
            fields["assigneeIds"] = [people[login] for login in new.assignees if login in people]
        return fields

    def _moves(self, old: Issue, new: Issue) -> list[Mutation]:
        if parent := self._reading.issues.get(new.parent):
            inputs = {"issueId": parent.id, "subIssueId": old.id, "replaceParent": True}
            return [Mutation("addSubIssue", inputs)]
        parent = self._reading.issues.get(old.parent)
        return [Mutation("removeSubIssue", {"issueId": parent.id, "subIssueId": old.id})] if parent else []

    # Labels

    def _make_labels(self, made: Iterable[Content | None]) -> None:
        """Make the labels that are to be used and do not exist."""
        contents = [content for content in made if content]
        names = [name for content in contents for name in content.labels]
        names += [name for issue in self._wanted.values() for name in issue.labels]
        facts, own = self._reading.facts, self._reading.label
        for name in dict.fromkeys([*([own] if contents else []), *names]):
            if facts.spelled(name) in facts.labels:
                continue
            about = {"color": _COLOR, "description": _ABOUT} if name == own else {}
            label = self._client.make("labels", {"name": name, **about})
            if label is None:  # somebody has just made it
                facts.labels |= {found["name"]: found["node_id"] for found in self._client.listed("labels")}
            else:
                facts.labels[label["name"]] = label["node_id"]

    def _label_ids(self, names: Sequence[str]) -> list[str]:
        facts = self._reading.facts
        return [facts.labels[facts.spelled(name)] for name in names if facts.spelled(name) in facts.labels]

    # Creating

    def _refuse_known(self, keys: Iterable[str]) -> None:
        """Look through the whole repository before a goal is made: people may have taken our label off its issue.

        Raises BackplanError where it is there; it then has its label again, so that the next run finds it.
        """
        if self._reading.whole:
            return
        self._reading.look(self._client, whole=True)
        known = {marker.key: issue for issue in self._reading.issues.values() if (marker := self._reading.ours(issue))}
        lost = [known[key] for key in keys if key in known]
        if not lost:
            return
        labels = [(issue.id, self._label_ids((*issue.labels, self._reading.label))) for issue in lost]
        self._client.mutate([Mutation("updateIssue", {"id": i, "labelIds": ids}) for i, ids in labels], repeatable=True)
        numbers = ", ".join(f"#{issue.number}" for issue in lost)
        raise BackplanError(f"the label `{self._reading.label}` was taken off {numbers}; it is back, so run again")

    def _create(self, asked: Sequence[tuple[_Asked, Write]]) -> None:
        """Make issues. Where nobody knows whether one was made, it is looked for before it is asked for again."""
        waiting = []
        for one, write in asked:
            issue, one.error = self._new(write)
            if issue is not None:
                waiting.append((one, write, issue))
        while waiting:
            started = self._client.patience.clock.now()
            outcomes = self._client.mutate([self._creation(issue) for _, _, issue in waiting], repeatable=False)
            unknown = []
            for (one, write, issue), outcome in zip(waiting, outcomes, strict=True):
                if outcome.unknown:
                    unknown.append((one, write, issue))
                elif outcome.error:
                    one.error = outcome.error
                else:
                    self._made(one, write, _numbered(issue, outcome))
            waiting = self._look_for(unknown, (started - _BEFORE).strftime("%Y-%m-%dT%H:%M:%SZ")) if unknown else []

    def _look_for(self, unknown: list[tuple[_Asked, Write, Issue]], since: str) -> list[tuple[_Asked, Write, Issue]]:
        """Note which issues are there after all; return the others."""
        self._client.patience.pause(_SETTLING, "whether it has made what it was asked for is not known")
        self._reading.look(self._client, whole=True, since=since)
        there = {m.nonce: issue for issue in self._reading.issues.values() if (m := self._reading.ours(issue))}
        absent = []
        for one, write, issue in unknown:
            found = there.get(write.marker.nonce) if write.marker else None
            if found is None:
                absent.append((one, write, issue))
            else:
                self._made(one, write, found)
        return absent

    def _new(self, write: Write) -> tuple[Issue | None, str | None]:
        """Return the issue that there shall be, or why there cannot be."""
        assert write.content is not None  # noqa: S101  # a create has both
        assert write.marker is not None  # noqa: S101
        goal_id = write.key.partition("/")[0]
        if write.key != goal_id and goal_id in self._reading.coming:
            return None, "its goal could not be made"
        body = Body().with_content(write.content, frozenset({"due", "notes", "checklist"}), self._wording)
        body = body.with_marker(write.marker)
        if write.key in self._reading.coming:
            body = body.with_memory(self._reading.namespace, [self._reading.coming[write.key]])
        if (over := len(body.text) - LONGEST_BODY) > 0:
            return None, f"its text is {over} characters too long for GitHub; shorten its notes in the goals file"
        issue = Issue(
            "",
            "",
            self._wording.title(write.content.title),
            body,
            open=True,
            labels=(self._reading.label, *write.content.labels),
            parent=self._parent(write.parent),
            assignees=(write.content.who,) if write.content.who else (),
            milestone=self._milestones.of(write, self._numbers.get(goal_id, "")) if self._milestones else None,
        )
        return issue, None

    def _parent(self, key: str | None) -> str:
        """Return the number of the issue to stand below, where it can take one more."""
        number = self._numbers.get(key or "", "")
        parent = self._reading.issues.get(number)
        if parent is None or not self._reading.facts.nests or parent.children >= _MOST_CHILDREN:
            return ""
        self._reading.issues[number] = replace(parent, children=parent.children + 1)
        return number

    def _creation(self, issue: Issue) -> Mutation:
        inputs: dict[str, Any] = {
            "repositoryId": self._reading.facts.id,
            "title": issue.title,
            "body": issue.body.text,
            "labelIds": self._label_ids(issue.labels),
        }
        people = self._reading.facts.people
        if ids := [people[login] for login in issue.assignees if login in people]:
            inputs["assigneeIds"] = ids
        if issue.milestone:
            inputs["milestoneId"] = issue.milestone.id
        if issue.parent:
            inputs["parentIssueId"] = self._reading.issues[issue.parent].id
        return Mutation("createIssue", inputs, _MADE)

    def _made(self, one: _Asked, write: Write, issue: Issue) -> None:
        self._reading.issues[issue.number] = issue
        self._numbers[write.key] = issue.number
        one.issues = [issue.number]
        if self._reading.coming.pop(write.key, None) is not None:
            self._reading.homes[write.key] = issue.number

    # Order

    def _place(self, made: Sequence[Write]) -> None:
        """Move new steps to where they stand in the goals file, where others follow: GitHub puts them last."""
        mutations = [move for write in made if (move := self._move(write, {write.key for write in made}))]
        try:
            self._client.mutate(mutations, repeatable=True)
        except BackplanError:
            return  # the order is no promise

    def _move(self, write: Write, made: set[str]) -> Mutation | None:
        issue = self._reading.issues[self._numbers[write.key]]
        goal = self._memory.get(write.key.partition("/")[0])
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


def _with_state(issue: Issue, action: Action) -> Issue:
    if action is Action.REOPEN:
        return replace(issue, open=True, reason="")
    if action is Action.COMPLETE:
        return replace(issue, open=False, reason="completed")
    if action is Action.REMOVE:
        return replace(issue, open=False, reason="not_planned", parent="")  # it is no part of the goal any more
    return issue


def _numbered(issue: Issue, outcome: Outcome) -> Issue:
    said = outcome.value.get("issue") or {}
    return replace(issue, number=str(said.get("number", "")), id=str(said.get("id", "")))
