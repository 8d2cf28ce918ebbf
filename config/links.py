"""Turns words into links: ids after `after:` and `before:` become the keys of steps and goals, of any file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config import goals as shape
from config.draft import Reference
from config.keys import goal_of
from config.project import Countdown, Link, Origin, RelativeDeadline
from config.suggest import hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from config.draft import Draft, Entry
    from config.durations import Duration
    from config.errors import Problem
    from config.parts import Report

_MANY_PROBLEMS = 50


class Links:
    """Resolves the words of a goal in the drafts of all goals; reports those that name nothing."""

    def __init__(
        self, drafts: Mapping[str, Draft], problems: Sequence[Problem], report: Report, *, incomplete: bool
    ) -> None:
        """`problems` are all that were reported. `incomplete`: some goals were malformed, and a word may mean one."""
        self._drafts = drafts
        self._problems = problems
        self._report = report
        self._incomplete = incomplete

    def after(self, draft: Draft, entry: Entry) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
        """Return the links to the steps that a step comes after, and those to the goals."""
        links = {link.key: link for link in map(draft.link, entry.ids)}
        goals: list[Link] = []
        for reference in entry.words:
            if (found := self._steps(draft, reference)) is not None:
                links.update({link.key: link for link in found})
            elif reference.word == draft.id:
                message = f"a step of `{draft.id}` cannot wait for the whole of it: a circle"
                self._report(reference.origin.at(), message)
            elif reference.word in self._drafts:
                goals.append(Link(reference.word, reference.wait))
            else:
                self._unknown(draft, reference)
        return tuple(links.values()), tuple(goals)

    def countdown(
        self, draft: Draft, origin: Origin, before: Duration | shape.BeforeModel | shape.WeekdayModel | None
    ) -> Duration | Countdown | None:
        """Return the step and the time that `before:` counts down from; the time alone counts from the deadline."""
        if isinstance(before, shape.WeekdayModel):
            return before.value()
        if not isinstance(before, shape.BeforeModel):
            return before
        reference = Reference(before.step, Origin(origin.source, (*origin.path, "before", "step")))
        if links := self._steps(draft, reference):
            return Countdown(links[0].key, before.by)
        if reference.word in self._drafts:
            message = f"`{reference.word}` is a goal; count down from one of its steps, such as {reference.word}/STEP"
            self._report(reference.origin.at(), message)
        else:
            self._unknown(draft, reference)
        return None

    def deadline(self, draft: Draft) -> date | RelativeDeadline:
        """Return the deadline of a goal: a day, or the time before the goal that waits for it."""
        deadline = draft.model.deadline
        assert deadline is not None  # noqa: S101  # Resolver has refused it
        if not isinstance(deadline, shape.HangsOnModel):
            return deadline
        if deadline.before not in self._drafts and not self._incomplete:
            message = f"no goal has the id `{deadline.before}`{hint(deadline.before, self._drafts)}"
            self._report(draft.origin.at("deadline", "before"), message)
        return RelativeDeadline(deadline.before, deadline.by)

    def _steps(self, draft: Draft, reference: Reference) -> list[Link] | None:
        """Return the links that a word means: to a step, or to the last steps of a group; None for another thing."""
        goal_id, _, part_id = reference.word.rpartition("/")
        other = self._drafts.get(goal_id) if goal_id else draft
        if other is None:
            return None
        if part_id in other.steps:
            return [other.link(part_id, reference.wait)]
        if part_id in other.groups:
            return [other.link(step_id, reference.wait) for step_id in other.groups[part_id]]
        return None

    def _unknown(self, draft: Draft, reference: Reference) -> None:
        if self._incomplete and goal_of(reference.word) not in self._drafts:
            return  # it may well be one of those that could not be read
        known = [*draft.steps, *draft.groups, *self._drafts]
        # Comparing is slow, and this many mistakes have one cause.
        nearest = hint(reference.word, known) if len(self._problems) < _MANY_PROBLEMS else ""
        self._report(reference.origin.at(), f"no step or goal has the id `{reference.word}`{nearest}")
