"""Dates outside of the text of issues: in a project's date field, and in fields that an organization gives its issues.

Such a date counts as the user's unless we wrote it, or planned to. The memory contains what we planned to write, the
aside in the issue's body what we wrote. So the memory is written first, then these dates, then the bodies: an
interrupted run leaves only dates that are known as ours. The next run restores those before it writes a new memory,
which does not contain them any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from config.errors import BackplanError
from connectors.github.api import Mutation
from connectors.github.date_line import Dates
from connectors.github.errors import understood
from connectors.github.issue import Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from connectors.github.api import Client, Outcome
    from connectors.github.issue import Issue
    from connectors.github.reader import Reading
    from connectors.model import Content


class _Show(NamedTuple):
    """An issue with the mutation that shows its date elsewhere; `fields`: in the organization's fields."""

    issue: Issue
    fields: bool
    mutation: Mutation


class OuterDates:
    """Writes dates outside of the text of issues. `notice` is the reason if the organization's fields refuse them."""

    def __init__(self, client: Client, reading: Reading) -> None:
        """`reading` contains the issues as they were read."""
        self._client = client
        self._reading = reading
        self.notice = ""

    # The issues as they have to be

    def wanted(self, issue: Issue, content: Content, *, moved: bool) -> Issue:
        """Return the issue with the dates to be shown outside of it; `moved`: they have just changed.

        A date that a user removed from the project, or from the field, stays away until it moves.
        """
        aside, shown = issue.body.aside, issue.shown
        if self._reading.project and content.due and (moved or self._item(issue)):
            aside = replace(aside, project=content.due)
        if self._reading.fields and (moved or shown.due):
            shown = self._reading.fields.held(Dates(content.due, content.start))
            aside = replace(aside, field=shown.due)
        return replace(issue, shown=shown, body=replace(issue.body, aside=aside))

    def differ(self, issue: Issue) -> bool:
        """Return whether the dates outside of an issue have to be written."""
        before, day = self._reading.issues[issue.number], issue.body.aside.project
        if self._reading.project is None or day is None:
            return issue.shown != before.shown
        item = self._item(issue)
        return issue.shown != before.shown or day != (item.date if item else before.body.aside.project)

    def taken(self, issue: Issue) -> Issue:
        """Return an issue without the dates that the organization's fields refused."""
        before = self._reading.issues[issue.number]
        if issue.shown == before.shown:
            return issue
        aside = replace(issue.body.aside, field=before.body.aside.field)
        return replace(issue, shown=before.shown, body=replace(issue.body, aside=aside))

    # Mutations

    def put_back(self) -> None:
        """Restore the dates that an interrupted run wrote. Raises BackplanError if that fails."""
        half = [show for issue in self._reading.issues.values() for show in self._half_done(issue)]
        for show, outcome in zip(half, self._client.mutate([s.mutation for s in half], repeatable=True), strict=True):
            if problem := self._shown(show, outcome):
                raise BackplanError(problem)

    def _half_done(self, issue: Issue) -> Iterator[_Show]:
        """Yield the mutations that set dates written by an interrupted run back to those of the issue."""
        marker, item, aside, dates = self._reading.ours(issue), self._item(issue), issue.body.aside, issue.body.dates
        ours = set(self._reading.planned(marker.key) if marker else ()) - {dates.due}
        if item and item.date in ours - {aside.project}:
            yield _Show(issue, False, self._in_item(item, aside.project))
        if issue.shown.due in ours - {aside.field}:
            yield from self._in_fields([replace(issue, shown=Dates(aside.field, dates.start))])

    def write(self, wanted: Sequence[Issue], planned: Iterable[Issue] = ()) -> dict[str, str]:
        """Write the dates of issues; return the errors by the numbers of the issues.

        `planned` are issues whose bodies contain the new memory: they are written before any date.
        """
        errors = self._add_items(wanted)
        shows = [*self._in_project(wanted), *self._in_fields(wanted)]
        first = [issue for issue in planned if shows and issue != self._reading.issues[issue.number]]
        bodies = [Mutation("updateIssue", {"id": issue.id, "body": issue.body.text}) for issue in first]
        outcomes = self._client.mutate([*bodies, *(show.mutation for show in shows)], repeatable=True)
        for issue, outcome in zip(first, outcomes, strict=False):
            if not outcome.error:
                self._reading.issues[issue.number] = issue
        for show, outcome in zip(shows, outcomes[len(first) :], strict=True):
            if problem := self._shown(show, outcome):
                errors[show.issue.number] = problem
        return errors

    def _shown(self, show: _Show, outcome: Outcome) -> str | None:
        """Store the result for a date; return an error if the result is not known."""
        number = show.issue.number
        if outcome.refused and show.fields:
            self.refuse(outcome)
        elif outcome.error:
            return f"its date cannot stand in {'a field' if show.fields else 'the project'}: {outcome.error}"
        elif show.fields:
            self._reading.issues[number] = replace(self._reading.issues[number], shown=show.issue.shown)
        else:
            items = self._reading.items
            items[number] = replace(items[number], date=show.issue.body.aside.project)
        return None

    def refuse(self, outcome: Outcome) -> None:
        """Stop writing the organization's fields in this run, and store the reason in `notice`."""
        if self._reading.fields:
            self.notice = (
                f"the token cannot set {self._reading.fields.names}, so dates are only in the issues (GitHub: "
                f"{outcome.refused}). That of a person who may write there can"
            )
        self._reading.fields = None

    # A project

    def _out_of_date(self, wanted: Iterable[Issue]) -> list[Issue]:
        if self._reading.project is None:
            return []
        days = ((issue, issue.body.aside.project, self._item(issue)) for issue in wanted)
        return [issue for issue, day, item in days if day and (item is None or item.date != day)]

    def _item(self, issue: Issue) -> Item | None:
        return self._reading.items.get(issue.number)

    def _add_items(self, wanted: Iterable[Issue]) -> dict[str, str]:
        """Add issues to the project whose date it shows; return the errors by the numbers of the issues."""
        project = self._reading.project
        absent = [issue for issue in self._out_of_date(wanted) if self._item(issue) is None]
        inputs = ({"projectId": project.id, "contentId": issue.id} for issue in absent if project)
        added = [Mutation("addProjectV2ItemById", given, "item { id }") for given in inputs]
        errors = {}
        for issue, outcome in zip(absent, self._client.mutate(added, repeatable=True), strict=True):
            if outcome.error:
                errors[issue.number] = f"its date cannot stand in the project: {outcome.error}"
            else:
                with understood("a place in a project"):
                    self._reading.items[issue.number] = Item(str(outcome.value["item"]["id"]), None)
        return errors

    def _in_project(self, wanted: Iterable[Issue]) -> Iterator[_Show]:
        for issue in self._out_of_date(wanted):
            if item := self._item(issue):
                yield _Show(issue, False, self._in_item(item, issue.body.aside.project))

    def _in_item(self, item: Item, day: date | None) -> Mutation:
        project = self._reading.project
        assert project is not None  # noqa: S101  # it has items
        place = {"projectId": project.id, "fieldId": project.field_id, "itemId": item.id}
        if day is None:
            return Mutation("clearProjectV2ItemFieldValue", place)
        return Mutation("updateProjectV2ItemFieldValue", {**place, "value": {"date": day.isoformat()}})

    # The organization's fields

    def _in_fields(self, wanted: Iterable[Issue]) -> Iterator[_Show]:
        fields = self._reading.fields
        for issue in wanted if fields else ():
            before = self._reading.issues[issue.number].shown
            if fields and (values := fields.values(before, issue.shown)):
                yield _Show(issue, True, Mutation("setIssueFieldValue", {"issueId": issue.id, "issueFields": values}))
