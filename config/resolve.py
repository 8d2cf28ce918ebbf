"""Resolves what one part of a goals file says of another: ids, lists, groups, links, calendars and templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from config import goals as shape
from config import repeating
from config.calendars import Calendar
from config.errors import GoalsFileError, Place, Problem
from config.keys import goal_of, slug
from config.parts import Part, lay_over, tree, walk
from config.project import NO_NAMESPACE, Countdown, Goal, Group, Link, Origin, Project, RelativeDeadline, Step, Target
from config.suggest import did_you_mean
from config.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from config.durations import Duration
    from config.validate import GoalsFile

_MANY_PROBLEMS = 50
_MANY_ON_THE_WAY = 20  # steps of a circle that are named
_Keyed = TypeVar("_Keyed", Step, Goal)

# What a goal takes from its template besides the steps, where it does not say it itself.
_FROM_TEMPLATE = frozenset(
    {"why", "done_when", "buffer", "at_least", "calendar", "labels", "priority", "notes", "link", "when_late"}
)


class _Reference(NamedTuple):
    """A word in `after:` or `before:`, where it stands, and the wait that its link carries."""

    word: str
    origin: Origin
    wait: Duration | None = None


class _Entry(NamedTuple):
    """What a part comes after: ids of parts listed before it, or words that are still to be looked up."""

    ids: tuple[str, ...] = ()
    words: tuple[_Reference, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A goal whose references are still words: its steps by id, and the last steps of each of its groups."""

    id: str
    model: shape.GoalModel
    origin: Origin
    settings: shape.SettingsModel
    parts: list[Part]
    steps: dict[str, tuple[Part, _Entry, shape.GroupModel | None]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def link(self, step_id: str, wait: Duration | None = None) -> Link:
        """Return the link to one of this goal's steps; a wait of the link's own replaces the step's."""
        model = self.steps[step_id][0].model
        own = model.wait if isinstance(model, shape.StepModel) else None
        return Link(f"{self.id}/{step_id}", wait if wait is not None else own)


class Resolver:
    """Collects the goals of all files, then turns them into one project; `problems` holds what is wrong."""

    def __init__(self, folder: Path, *, incomplete: bool) -> None:
        """`folder` may hold `templates/`. `incomplete`: some goals were malformed, so a word may mean one of those."""
        self.problems: list[Problem] = []
        self._templates = Templates(folder / "templates")
        self._incomplete = incomplete
        self._drafts: dict[str, _Draft] = {}
        self._calendars: dict[str, Calendar] = {}
        self._calendars_lost = False
        self._retired: list[Target] = []

    def add(self, file: GoalsFile) -> None:
        """Take in one file."""
        self._calendars_lost |= "calendars" in file.lost
        for name, calendar in file.settings.calendars.items():
            if self._calendars.setdefault(name, calendar.value()) != calendar.value():
                message = f"another file of this folder defines the calendar `{name}` differently; they must agree"
                self._problem(file.source.place_of_key(("calendars", name)), message)
        self._retired += _targets(file.settings.retired, Origin(file.source, ("retired",)))
        for model, origin in file.goals:
            self._add_goal(file.settings, model, origin)

    def project(self, settings: Mapping[str, Any]) -> Project:
        """Return the project. What could not be resolved is in `problems`, and left out."""
        goals = {goal_id: self._goal(draft) for goal_id, draft in self._drafts.items()}
        return Project(
            goals=tuple(goals.values()),
            sequence=self._goal_sequence(goals),
            namespace=settings.get("namespace") or NO_NAMESPACE,
            retired=tuple(self._retired),
            **{name: value for name, value in settings.items() if name != "namespace"},
        )

    # Goals, templates, and the ids in them

    def _add_goal(self, settings: shape.SettingsModel, written: shape.GoalModel, origin: Origin) -> None:
        model, parts = self._with_template(written, origin)
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
            draft = _Draft(goal_id, model, origin, settings, parts)
            self._drafts[goal_id] = draft
            self._check_ids(parts)
            backwards = model.backwards is not None
            self._check_direction(model, parts, origin, backwards=backwards)
            self._chain(draft, parts, _Entry(), None, backwards=backwards)

    def _with_template(self, written: shape.GoalModel, origin: Origin) -> tuple[shape.GoalModel, list[Part]]:
        own = tree(written, origin)
        if written.template is None:
            return written, own
        try:
            template = self._templates.get(written.template)
        except GoalsFileError as error:
            self.problems += error.problems
            return written, own
        if template is None:
            known = self._templates.names()
            nearest = _nearest(written.template, known) or f"; there are {', '.join(known)}"
            self._problem(origin.at("template"), f"no template has the name `{written.template}`{nearest}")
            return written, own
        base, base_origin = template
        direction = "backwards" if base.backwards is not None else "steps"
        if (other := "steps" if base.backwards is not None else "backwards") in written.model_fields_set:
            message = (
                f"the template lists its steps under `{direction}`, so `{other}` does not fit; use `{direction}` too"
            )
            self._problem(origin.at_key(other), message)
            own = []
        said = {name: getattr(written, name) for name in written.model_fields_set - {"steps", "backwards"}}
        given = {name: getattr(base, name) for name in base.model_fields_set & _FROM_TEMPLATE}
        lists = {"steps": base.steps, "backwards": base.backwards}
        parts = lay_over(tree(base, base_origin), own, self._problem)
        return written.model_copy(update={**given, **said, **lists}), parts

    def _check_ids(self, parts: list[Part]) -> None:
        taken: dict[str, Part] = {}
        for part in walk(parts):
            is_step = isinstance(part.model, shape.StepModel)
            if is_step and not part.model.title:
                self._problem(part.origin.at(), "the key `title` is missing here")
            elif is_step and not part.id:
                self._problem(part.origin.at("title"), "this title has no letters or digits; the step needs an `id`")
            elif part.id and (first := taken.setdefault(part.id, part)) is not part:
                where = first.origin.at()
                self._problem(part.origin.at("id"), f"the id `{part.id}` is taken at {where}; give each its own `id`")
                part.id = f"{part.id}.{len(taken)}.{id(part)}"  # so that it makes no other mistake appear

    def _check_direction(
        self, model: shape.GoalModel | shape.GroupModel, parts: list[Part], origin: Origin, *, backwards: bool
    ) -> None:
        used, other = ("backwards", "steps") if backwards else ("steps", "backwards")
        if getattr(model, other) is not None:
            both = getattr(model, used) is not None
            message = "use `steps` or `backwards`, not both" if both else f"a group inside `{used}` uses `{used}` too"
            self._problem(origin.at_key(other), message)
        for part in parts:
            if isinstance(part.model, shape.GroupModel):
                self._check_direction(part.model, part.parts, part.origin, backwards=backwards)

    # Lists and groups

    def _chain(
        self,
        draft: _Draft,
        parts: list[Part],
        entry: _Entry,
        group: shape.GroupModel | None,
        *,
        backwards: bool,
    ) -> tuple[str, ...]:
        """Add the steps of a list to the draft; return the ids that the list ends with."""
        parallel = group is not None and group.parallel
        follows, ends = entry, tuple[str, ...]()
        for part in reversed(parts) if backwards else parts:
            words = _references(part)
            own = follows if words is None else _Entry(words=words)
            if isinstance(part.model, shape.GroupModel):
                exits = self._group(draft, part, own, group, backwards=backwards)
            elif part.model.before is not None or part.model.afterwards is not None:
                # A countdown or follow-up: its neighbours link past it.
                self._add_step(draft, part, _Entry(words=words or ()), group)
                continue
            else:
                exits = self._add_step(draft, part, own, group)
            ends = ends + exits if parallel else exits
            follows = entry if parallel else _Entry(exits or follows.ids, () if exits else follows.words)
        return ends

    def _group(
        self, draft: _Draft, part: Part, entry: _Entry, group: shape.GroupModel | None, *, backwards: bool
    ) -> tuple[str, ...]:
        known = len(draft.steps)
        assert isinstance(part.model, shape.GroupModel)  # noqa: S101  # for the type checker
        inner = part.model
        if group is not None:
            labels = list(dict.fromkeys([*group.labels, *inner.labels]))
            inner = inner.model_copy(update={"labels": labels, "optional": inner.optional or group.optional})
        ends = self._chain(draft, part.parts, entry, inner, backwards=backwards)
        members = list(draft.steps)[known:]
        followed = {word.word for step_id in members for word in draft.steps[step_id][1].words}
        followed |= {before for step_id in members for before in draft.steps[step_id][1].ids}
        # What comes after a group comes after all of it: after each member that no other member follows.
        last = tuple(step_id for step_id in members if step_id not in followed and not _is_countdown(draft, step_id))
        draft.groups[part.id] = last or ends
        return last or ends

    def _add_step(self, draft: _Draft, part: Part, entry: _Entry, group: shape.GroupModel | None) -> tuple[str, ...]:
        assert isinstance(part.model, shape.StepModel)  # noqa: S101  # for the type checker
        self._check_step(part.model, part.origin)
        draft.steps[part.id] = (part, entry, group)
        return (part.id,)

    def _check_step(self, model: shape.StepModel, origin: Origin) -> None:
        anchors = [name for name in ("on", "before", "afterwards") if getattr(model, name) is not None]
        if len(anchors) > 1:
            message = f"a step has one of `on`, `before` and `afterwards`; here are {' and '.join(anchors)}"
            self._problem(origin.at_key(anchors[1]), message)
        if model.on and ((model.by and model.by < model.on) or (model.from_ and model.from_ > model.on)):
            self._problem(origin.at("on"), "this appointment contradicts the step's own `by` or `from`")
        if found := repeating.mistake(model):
            self._problem(origin.at_key(found[0]), found[1])
        if model.drop:
            self._problem(origin.at_key("drop"), "`drop` leaves out a template's step, and none has this id")

    # Words become links

    def _goal(self, draft: _Draft) -> Goal:
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
            title=model.title,
            deadline=self._deadline(draft),
            origin=draft.origin,
            steps=steps,
            sequence=self._in_sequence(steps),
            calendar=calendar,
            start=model.start,
            buffer=model.buffer,
            when_late=model.when_late or draft.settings.when_late,
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

    def _step(self, draft: _Draft, step_id: str, within: str | None) -> Step:
        part, entry, group = draft.steps[step_id]
        model = part.model
        assert isinstance(model, shape.StepModel)  # noqa: S101  # for the type checker
        links = {link.key: link for link in (draft.link(before) for before in entry.ids)}
        goals: list[Link] = []
        for reference in entry.words:
            if (found := self._links(draft, reference)) is not None:
                links.update({link.key: link for link in found})
            elif reference.word == draft.id:
                self._problem(
                    reference.origin.at(), f"a step of `{draft.id}` cannot wait for the whole of it: a circle"
                )
            elif reference.word in self._drafts:
                goals.append(Link(reference.word, reference.wait))
            else:
                self._unknown(draft, reference)
        return Step(
            key=f"{draft.id}/{step_id}",
            title=model.title or step_id,
            origin=part.origin,
            takes=model.takes,
            wait=model.wait,
            after=tuple(links.values()),
            after_goals=tuple(goals),
            on=model.on,
            by=model.by,
            not_before=model.from_,
            before=self._countdown(draft, part.origin, model.before),
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

    def _countdown(
        self, draft: _Draft, origin: Origin, before: Duration | shape.BeforeModel | None
    ) -> Duration | Countdown | None:
        if not isinstance(before, shape.BeforeModel):
            return before
        reference = _Reference(before.step, Origin(origin.source, (*origin.path, "before", "step")))
        links = self._links(draft, reference)
        if not links and reference.word in self._drafts:
            message = f"`{reference.word}` is a goal; count down from one of its steps, such as {reference.word}/STEP"
            self._problem(reference.origin.at(), message)
            return None
        if not links:
            self._unknown(draft, reference)
            return None
        return Countdown(links[0].key, before.by)

    def _links(self, draft: _Draft, reference: _Reference) -> list[Link] | None:
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

    def _unknown(self, draft: _Draft, reference: _Reference) -> None:
        if self._incomplete and goal_of(reference.word) not in self._drafts:
            return  # it may well be one of those that could not be read
        known = [*draft.steps, *draft.groups, *self._drafts]
        # Comparing is slow: who has this many mistakes has one cause for all of them.
        nearest = _nearest(reference.word, known) if len(self.problems) < _MANY_PROBLEMS else ""
        message = f"no step or goal has the id `{reference.word}`{nearest}"
        self._problem(reference.origin.at(), message)

    def _deadline(self, draft: _Draft) -> date | RelativeDeadline:
        deadline = draft.model.deadline
        if not isinstance(deadline, shape.HangsOnModel):
            assert deadline is not None  # noqa: S101  # _add_goal has refused it
            return deadline
        if deadline.before not in self._drafts and not self._incomplete:
            message = f"no goal has the id `{deadline.before}`{_nearest(deadline.before, self._drafts)}"
            self._problem(draft.origin.at("deadline", "before"), message)
        return RelativeDeadline(deadline.before, deadline.by)

    def _calendar(self, draft: _Draft) -> Calendar:
        chosen = draft.model.calendar
        if isinstance(chosen, shape.CalendarModel):
            return chosen.value()
        if chosen is None:
            return draft.settings.calendar.value() if draft.settings.calendar else Calendar()
        if chosen not in self._calendars and not self._calendars_lost:
            hint = _nearest(chosen, self._calendars) or "; calendars are written under `calendars:`"
            self._problem(draft.origin.at("calendar"), f"no calendar has the name `{chosen}`{hint}")
        return self._calendars.get(chosen, Calendar())

    # Order

    def _in_sequence(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the steps so that each stands after what it follows, and countdowns before what they count from."""
        graph: dict[str, list[str]] = {step.key: [] for step in steps}
        for step in steps:
            graph[step.key] += [link.key for link in step.after if link.key in graph]
            if isinstance(step.before, Countdown) and step.before.key in graph:
                graph[step.before.key].append(step.key)
        return self._sorted({step.key: step for step in steps}, graph, "steps")

    def _goal_sequence(self, goals: dict[str, Goal]) -> tuple[Goal, ...]:
        graph: dict[str, dict[str, None]] = {goal_id: {} for goal_id in goals}
        for goal in goals.values():
            if isinstance(goal.deadline, RelativeDeadline) and goal.deadline.goal in graph:
                graph[goal.deadline.goal][goal.id] = None
            for step in goal.steps:
                before = [goal_of(link.key) for link in step.after] + [link.key for link in step.after_goals]
                graph[goal.id].update((other, None) for other in before if other != goal.id)
                if isinstance(step.before, Countdown) and (other := goal_of(step.before.key)) != goal.id:
                    graph[other][goal.id] = None
        return self._sorted(goals, {goal_id: list(before) for goal_id, before in graph.items()}, "goals")

    def _sorted(self, items: dict[str, _Keyed], before: dict[str, list[str]], what: str) -> tuple[_Keyed, ...]:
        try:
            return tuple(items[key] for key in TopologicalSorter(before).static_order())
        except CycleError as error:
            cycle: list[str] = error.args[1]
            shown = [f"{key} ({items[key].origin.at()})" for key in cycle[:_MANY_ON_THE_WAY]]
            if left := len(cycle) - len(shown):
                shown += [f"{left} more"]
            around = " -> ".join(shown)
            self._problem(items[cycle[0]].origin.at(), f"these {what} wait for each other in a circle: {around}")
            return tuple(items.values())

    def _problem(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))


def _references(part: Part) -> tuple[_Reference, ...] | None:
    """Return what `after:` names; None where the list's own order counts."""
    if part.model.after is None:
        return None
    base = part.origin
    return tuple(
        _Reference(entry.step, Origin(base.source, (*base.path, "after", index, "step")), entry.wait)
        if isinstance(entry, shape.LinkModel)
        else _Reference(entry, Origin(base.source, (*base.path, "after", index)))
        for index, entry in enumerate(part.model.after)
    )


def _groups(draft: _Draft, parts: list[Part], around: Group | None, within: dict[str, str | None]) -> Iterator[Group]:
    """Yield the groups with a title in a list, and note in `within` which of them each step is in."""
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


def _is_countdown(draft: _Draft, step_id: str) -> bool:
    model = draft.steps[step_id][0].model
    return isinstance(model, shape.StepModel) and (model.before is not None or model.afterwards is not None)


def _goal_targets(draft: _Draft) -> tuple[Target, ...] | None:
    """Return where a goal's tasks go: as it says itself, else as its file says; None for the embedded default."""
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


def _nearest(word: str, known: Iterable[str]) -> str:
    nearest = did_you_mean(word, known)
    return f"; {nearest}" if nearest else ""
