"""Turns the goals of all files into one project: resolves templates, references, groups, calendars and targets.

`templates` applies templates, `draft` reads ids and lists, `links` resolves references, `sequence` finds the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config import goals as shape
from config import repeating
from config.calendars import Calendar
from config.draft import Draft
from config.errors import Place, Problem
from config.keys import slug
from config.links import Links
from config.people import by_name
from config.project import NO_NAMESPACE, Goal, Group, Origin, Project, Step, Target
from config.sequence import goal_sequence, step_sequence
from config.suggest import hint
from config.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from config.parts import Part
    from config.validate import GoalsFile


class Resolver:
    """Collects the goals of all files, then turns them into one project; `problems` contains what is wrong."""

    def __init__(self, folder: Path, *, incomplete: bool) -> None:
        """`folder` may contain `templates/`. `incomplete`: some goals were malformed, and a reference may name one."""
        self.problems: list[Problem] = []
        self._templates = Templates(folder / "templates")
        self._drafts: dict[str, Draft] = {}
        self._links = Links(self._drafts, self.problems, self._problem, incomplete=incomplete)
        self._calendars: dict[str, Calendar] = {}
        self._calendars_lost = False
        self._retired: list[Target] = []

    def add(self, file: GoalsFile) -> None:
        """Add the goals and settings of one file."""
        self._calendars_lost |= "calendars" in file.lost
        for name, calendar in file.settings.calendars.items():
            if self._calendars.setdefault(name, calendar.value()) != calendar.value():
                message = f"another file of this folder defines the calendar `{name}` differently; they must agree"
                self._problem(file.source.place_of_key(("calendars", name)), message)
        self._retired += _targets(file.settings.retired, Origin(file.source, ("retired",)))
        for model, origin in file.goals:
            self._add_goal(file.settings, model, origin)

    def project(self, settings: Mapping[str, Any]) -> Project:
        """Return the project, without what could not be resolved, which is in `problems`."""
        goals = {goal_id: self._goal(draft) for goal_id, draft in self._drafts.items()}
        return Project(
            goals=tuple(goals.values()),
            sequence=goal_sequence(goals, self._problem),
            namespace=settings.get("namespace") or NO_NAMESPACE,
            retired=tuple(self._retired),
            capacity=by_name(settings.get("capacity")),
            **{name: value for name, value in settings.items() if name not in ("namespace", "capacity")},
        )

    # Drafts

    def _add_goal(self, settings: shape.SettingsModel, written: shape.GoalModel, origin: Origin) -> None:
        model, parts = self._templates.apply(written, origin, self._problem)
        if model.title is None:
            return  # its template cannot be used; that was reported
        goal_id = model.id or slug(model.title)
        if not goal_id:
            self._problem(origin.at("title"), "this title has no letters or digits; the goal needs an `id`")
        elif goal_id in self._drafts:
            first = self._drafts[goal_id].origin.at()
            self._problem(
                origin.at("id"), f"the id `{goal_id}` is taken by the goal at {first}; give each its own `id`"
            )
        elif model.deadline is None:
            self._problem(origin.at(), "the key `deadline` is missing here; a goal needs a day to plan back from")
        else:
            draft = self._drafts[goal_id] = Draft(goal_id, model, origin, settings, parts)
            draft.fill(self._problem)

    # Goals

    def _goal(self, draft: Draft) -> Goal:
        model = draft.model
        within: dict[str, str | None] = {}
        groups = tuple(_groups(draft, draft.parts, None, within))
        steps = tuple(self._step(draft, step_id, within[step_id]) for step_id in draft.steps)
        calendar = self._calendar(draft)
        for step in steps:
            if never := repeating.never(step.every, calendar):
                self._problem(step.origin.at("every"), never)
        return Goal(
            id=draft.id,
            title=model.title or draft.id,
            deadline=self._links.deadline(draft),
            origin=draft.origin,
            steps=steps,
            sequence=step_sequence(steps, self._problem),
            calendar=calendar,
            start=model.start,
            buffer=model.buffer,
            when_late=model.when_late or draft.settings.when_late,
            when_full=model.when_full or draft.settings.when_full,
            at_least=model.at_least,
            targets=_goal_targets(draft),
            done=model.done,
            was=model.was,
            titled_id=model.id is None,
            why=model.why or "",
            done_when=model.done_when or "",
            notes=(model.notes or "").strip(),
            link=model.link,
            labels=tuple(model.labels),
            priority=model.priority,
            who=model.who,
            groups=groups,
        )

    def _step(self, draft: Draft, step_id: str, within: str | None) -> Step:
        step = draft.steps[step_id]
        model, group = step.model, step.group
        after, after_goals = self._links.after(draft, step.entry)
        return Step(
            key=f"{draft.id}/{step_id}",
            title=model.title or step_id,
            origin=step.part.origin,
            takes=model.takes,
            wait=model.wait,
            after=after,
            after_goals=after_goals,
            on=model.on,
            by=model.by,
            not_before=model.from_,
            before=self._links.countdown(draft, step.part.origin, model.before),
            afterwards=model.afterwards,
            every=model.every,
            optional=model.optional or (group is not None and group.optional),
            done=model.done,
            was=model.was,
            titled_id=model.id is None,
            notes=(model.notes or "").strip(),
            link=model.link,
            labels=tuple(dict.fromkeys([*(group.labels if group else ()), *model.labels])),
            priority=model.priority,
            who=model.who,
            checklist=tuple(model.checklist),
            group=within,
        )

    def _calendar(self, draft: Draft) -> Calendar:
        chosen = draft.model.calendar
        if isinstance(chosen, shape.CalendarModel):
            return chosen.value()
        if chosen is None:
            return draft.settings.calendar.value() if draft.settings.calendar else Calendar()
        if chosen not in self._calendars and not self._calendars_lost:
            nearest = hint(chosen, self._calendars) or "; calendars are written under `calendars:`"
            self._problem(draft.origin.at("calendar"), f"no calendar has the name `{chosen}`{nearest}")
        return self._calendars.get(chosen, Calendar())

    def _problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))


def _groups(draft: Draft, parts: list[Part], around: Group | None, within: dict[str, str | None]) -> Iterator[Group]:
    """Yield the groups with a title in a list, and store in `within` the group of each step."""
    for part in parts:
        if not isinstance(part.model, shape.GroupModel):
            within[part.id] = around.key if around else None
            continue
        group = around
        if part.model.title and part.id:
            labels = (*(around.labels if around else ()), *part.model.labels)
            notes = (part.model.notes or "").strip()
            group = Group(
                f"{draft.id}/{part.id}/",
                part.model.title,
                part.origin,
                around.key if around else None,
                notes,
                tuple(dict.fromkeys(labels)),
            )
            yield group
        yield from _groups(draft, part.parts, group, within)


def _goal_targets(draft: Draft) -> tuple[Target, ...] | None:
    """Return the targets of a goal: its own, else those of its file; None for the default."""
    source = draft.origin.source
    if draft.model.sync is not None:
        return tuple(_targets(draft.model.sync, Origin(source, (*draft.origin.path, "sync"))))
    if draft.settings.sync is not None:
        return tuple(_targets(draft.settings.sync, Origin(source, ("sync",))))
    return None


def _targets(written: list[dict[str, dict[str, Any]]], origin: Origin) -> list[Target]:
    return [
        Target(name, options, Origin(origin.source, (*origin.path, index)))
        for index, entry in enumerate(written)
        for name, options in entry.items()
    ]
