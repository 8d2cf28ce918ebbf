"""How a write changes a GitHub issue, and the mutations for it. Pure: sends no requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.base import Action
from connectors.github.api import Mutation
from connectors.github.body import LONGEST_BODY, Body
from connectors.github.date_line import NO_DATES
from connectors.github.issue import Issue
from connectors.github.tasks import content_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.base import Write
    from connectors.github.body import Wording
    from connectors.github.reader import Reading
    from connectors.model import Content

_CONTENT = frozenset({"due", "start", "notes", "checklist"})
MADE = "issue { id number fullDatabaseId }"


def too_long(issue: Issue) -> str | None:
    """Return why the text of an issue cannot be written; it is never cut."""
    over = len(issue.body.text) - LONGEST_BODY
    if over <= 0:
        return None
    return f"its text is {over} characters too long for GitHub; shorten its notes in the goals file"


class Changes:
    """Computes issues as they have to be, and the mutations that change them."""

    def __init__(self, reading: Reading, wording: Wording, numbers: Mapping[str, str]) -> None:
        """`numbers` are those of our issues by their keys; the caller adds those of new issues."""
        self._reading = reading
        self._wording = wording
        self._numbers = numbers

    # The issues as they have to be

    def changed(self, issue: Issue, write: Write) -> Issue:
        """Return an issue as a write changes it."""
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
        return _with_state(new, write.action)

    def made(self, write: Write) -> Issue:
        """Return the issue that a write creates, without its parent and its milestone."""
        assert write.content is not None  # noqa: S101  # a create has both
        body = Body().with_content(write.content, _CONTENT, self._wording).with_marker(write.marker)
        if write.key in self._reading.coming:
            body = body.with_memory(self._reading.namespace, [self._reading.coming[write.key]])
        return Issue(
            "",
            "",
            self._wording.title(write.content.title),
            body,
            open=True,
            labels=(self._reading.label, *write.content.labels),
            assignees=(write.content.who,) if write.content.who else (),
        )

    def _body(self, issue: Issue, write: Write) -> Body:
        body = issue.body
        if write.kept:
            words = self._wording.notes(write.kept).split("\n")
            body = body.keeping("\n".join(f"> {line}" for line in ("Before the goals file changed it:", *words)))
        if write.action in (Action.DETACH, Action.REMOVE):
            if issue.number not in self._reading.homes.values():  # a copy, also of the memory
                body = body.with_memory(self._reading.namespace, [])
            return body.with_marker(None)
        if write.content is not None:
            body = body.with_content(write.content, write.fields, self._wording)
        return body.with_marker(write.marker) if write.marker else body

    def _assigned(self, issue: Issue, content: Content) -> tuple[str, ...]:
        """Return the assignees: ours replaces our earlier one, those of users stay."""
        before = content_of(self._reading, issue, self._reading.ours(issue)).who
        others = [login for login in issue.assignees if login not in (before, content.who)]
        return tuple(filter(None, [content.who, *others]))

    # Mutations

    def mutations(self, old: Issue, new: Issue) -> list[Mutation]:
        """Return the mutations that turn one issue into another; its state comes first, its parent last."""
        found = []
        if not old.open and (new.open or new.reason != old.reason):
            found.append(Mutation("reopenIssue", {"issueId": old.id}))
        if not new.open and (old.open or new.reason != old.reason):
            found.append(Mutation("closeIssue", {"issueId": old.id, "stateReason": new.reason.upper()}))
        if fields := self._fields(old, new):
            found.append(Mutation("updateIssue", {"id": old.id, **fields}))
        if new.parent != old.parent and self._reading.facts.nests:
            found += self._moves(old, new)
        return found

    def creation(self, issue: Issue) -> Mutation:
        """Return the mutation that creates an issue."""
        inputs: dict[str, Any] = {
            "repositoryId": self._reading.facts.id,
            "title": issue.title,
            "body": issue.body.text,
            "labelIds": self.label_ids(issue.labels),
        }
        if ids := self._people_ids(issue.assignees):
            inputs["assigneeIds"] = ids
        if issue.milestone:
            inputs["milestoneId"] = issue.milestone.id
        if issue.parent:
            inputs["parentIssueId"] = self._reading.issues[issue.parent].id
        if self._reading.fields and (values := self._reading.fields.values(NO_DATES, issue.shown)):
            inputs["issueFields"] = values
        return Mutation("createIssue", inputs, MADE)

    def _fields(self, old: Issue, new: Issue) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if new.title != old.title:
            fields["title"] = new.title
        if new.body != old.body:
            fields["body"] = new.body.text
        if new.labels != old.labels:
            fields["labelIds"] = self.label_ids(new.labels)
        if new.assignees != old.assignees:
            fields["assigneeIds"] = self._people_ids(new.assignees)
        return fields

    def _moves(self, old: Issue, new: Issue) -> list[Mutation]:
        if parent := self._reading.issues.get(new.parent):
            return [Mutation("addSubIssue", {"issueId": parent.id, "subIssueId": old.id, "replaceParent": True})]
        parent = self._reading.issues.get(old.parent)
        return [Mutation("removeSubIssue", {"issueId": parent.id, "subIssueId": old.id})] if parent else []

    def label_ids(self, names: Sequence[str]) -> list[str]:
        """Return the ids of those labels that exist."""
        facts = self._reading.facts
        return [facts.labels[facts.spelled(name)] for name in names if facts.spelled(name) in facts.labels]

    def _people_ids(self, logins: Sequence[str]) -> list[str]:
        return [self._reading.facts.people[login] for login in logins if login in self._reading.facts.people]


def _with_state(issue: Issue, action: Action) -> Issue:
    if action is Action.REOPEN:
        return replace(issue, open=True, reason="")
    if action is Action.COMPLETE:
        return replace(issue, open=False, reason="completed")
    if action is Action.REMOVE:
        return replace(issue, open=False, reason="not_planned", parent="")  # it is no part of the goal any more
    return issue
