"""Makes a draft of a goal: its steps and groups by id, with references that are still words of the goals file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from config import goals as shape
from config import repeating
from config.parts import walk
from config.project import Link, Origin

if TYPE_CHECKING:
    from config.durations import Duration
    from config.parts import Part, Report


class Reference(NamedTuple):
    """A word in `after:` or `before:`, where it was written, and the wait that its link carries."""

    word: str
    origin: Origin
    wait: Duration | None = None


class Entry(NamedTuple):
    """What a part comes after: ids of parts listed before it, or words that are not resolved yet."""

    ids: tuple[str, ...] = ()
    words: tuple[Reference, ...] = ()


class DraftStep(NamedTuple):
    """A step, what it comes after, and the group that it is in: with the labels of the groups around that one."""

    part: Part
    entry: Entry
    group: shape.GroupModel | None

    @property
    def model(self) -> shape.StepModel:
        """The step as it was written."""
        assert isinstance(self.part.model, shape.StepModel)  # noqa: S101  # for the type checker
        return self.part.model

    @property
    def is_countdown(self) -> bool:
        """Whether the step is dated from another step or the deadline, so that its neighbours link past it."""
        return self.model.before is not None or self.model.afterwards is not None


@dataclass(slots=True)
class Draft:
    """A goal whose references are still words: its steps by id, and the last steps of each of its groups."""

    id: str
    model: shape.GoalModel
    origin: Origin
    settings: shape.SettingsModel
    parts: list[Part]
    steps: dict[str, DraftStep] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def link(self, step_id: str, wait: Duration | None = None) -> Link:
        """Return the link to one of this goal's steps; a wait of the link's own replaces the step's."""
        return Link(f"{self.id}/{step_id}", wait if wait is not None else self.steps[step_id].model.wait)

    def fill(self, report: Report) -> None:
        """Add the steps and groups of the goal; `report` gets what is wrong in each of them."""
        backwards = self.model.backwards is not None
        _check_ids(self.parts, report)
        _check_direction(self.model, self.parts, self.origin, report, backwards=backwards)
        _Lists(self, report, backwards=backwards).add(self.parts, Entry(), None)


# Checks


def _check_ids(parts: list[Part], report: Report) -> None:
    taken: dict[str, Part] = {}
    for part in walk(parts):
        is_step = isinstance(part.model, shape.StepModel)
        if is_step and not part.model.title:
            report(part.origin.at(), "the key `title` is missing here")
        elif is_step and not part.id:
            report(part.origin.at("title"), "this title has no letters or digits; the step needs an `id`")
        elif part.id and (first := taken.setdefault(part.id, part)) is not part:
            where = first.origin.at()
            report(part.origin.at("id"), f"the id `{part.id}` is taken at {where}; give each its own `id`")
            part.id = f"{part.id}.{len(taken)}.{id(part)}"  # so that it causes no second message


def _check_direction(
    model: shape.GoalModel | shape.GroupModel, parts: list[Part], origin: Origin, report: Report, *, backwards: bool
) -> None:
    used, other = ("backwards", "steps") if backwards else ("steps", "backwards")
    if getattr(model, other) is not None:
        both = getattr(model, used) is not None
        message = "use `steps` or `backwards`, not both" if both else f"a group inside `{used}` uses `{used}` too"
        report(origin.at_key(other), message)
    for part in parts:
        if isinstance(part.model, shape.GroupModel):
            _check_direction(part.model, part.parts, part.origin, report, backwards=backwards)


def _check_step(model: shape.StepModel, origin: Origin, report: Report) -> None:
    anchors = [name for name in ("on", "before", "afterwards") if getattr(model, name) is not None]
    if len(anchors) > 1:
        message = f"a step has one of `on`, `before` and `afterwards`; here are {' and '.join(anchors)}"
        report(origin.at_key(anchors[1]), message)
    if model.on and ((model.by and model.by < model.on) or (model.from_ and model.from_ > model.on)):
        report(origin.at("on"), "this appointment contradicts the step's own `by` or `from`")
    if found := repeating.mistake(model):
        report(origin.at_key(found[0]), found[1])
    if model.drop:
        report(origin.at_key("drop"), "`drop` leaves out a template's step, and none has this id")


# Lists and groups


class _Lists:
    """Adds the lists of a goal to its draft: in a list, each part comes after the one before it."""

    def __init__(self, draft: Draft, report: Report, *, backwards: bool) -> None:
        self._draft = draft
        self._report = report
        self._backwards = backwards

    def add(self, parts: list[Part], entry: Entry, group: shape.GroupModel | None) -> tuple[str, ...]:
        """Add the steps of a list to the draft; return the ids that the list ends with."""
        parallel = group is not None and group.parallel
        follows, ends = entry, tuple[str, ...]()
        for part in reversed(parts) if self._backwards else parts:
            words = _references(part)
            own = follows if words is None else Entry(words=words)
            if isinstance(part.model, shape.GroupModel):
                exits = self._add_group(part, part.model, own, group)
            elif self._add_step(part, own, words, group):
                exits = (part.id,)
            else:
                continue
            ends = ends + exits if parallel else exits
            follows = entry if parallel else Entry(exits or follows.ids, () if exits else follows.words)
        return ends

    def _add_step(
        self, part: Part, own: Entry, words: tuple[Reference, ...] | None, group: shape.GroupModel | None
    ) -> bool:
        """Add a step; return whether its neighbours link to it.

        They do not link to a countdown or follow-up, which itself follows only what its own words name.
        """
        step = DraftStep(part, own, group)
        _check_step(step.model, part.origin, self._report)
        if step.is_countdown:
            step = step._replace(entry=Entry(words=words or ()))
        self._draft.steps[part.id] = step
        return not step.is_countdown

    def _add_group(
        self, part: Part, inner: shape.GroupModel, entry: Entry, group: shape.GroupModel | None
    ) -> tuple[str, ...]:
        """Add a group with its steps; return the ids of its last steps."""
        steps = self._draft.steps
        known = len(steps)
        if group is not None:
            labels = list(dict.fromkeys([*group.labels, *inner.labels]))
            inner = inner.model_copy(update={"labels": labels, "optional": inner.optional or group.optional})
        ends = self.add(part.parts, entry, inner)
        members = list(steps)[known:]
        followed = {word.word for step_id in members for word in steps[step_id].entry.words}
        followed |= {before for step_id in members for before in steps[step_id].entry.ids}
        # What comes after a group comes after all of it: after each member that no other member follows.
        last = tuple(step_id for step_id in members if step_id not in followed and not steps[step_id].is_countdown)
        self._draft.groups[part.id] = last or ends
        return last or ends


def _references(part: Part) -> tuple[Reference, ...] | None:
    """Return what `after:` names; None where the list's own order counts."""
    if part.model.after is None:
        return None
    return tuple(_reference(entry, part.origin, index) for index, entry in enumerate(part.model.after))


def _reference(entry: str | shape.LinkModel, base: Origin, index: int) -> Reference:
    if isinstance(entry, shape.LinkModel):
        return Reference(entry.step, Origin(base.source, (*base.path, "after", index, "step")), entry.wait)
    return Reference(entry, Origin(base.source, (*base.path, "after", index)))
