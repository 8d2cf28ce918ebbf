"""A goal's list as a tree of parts (steps and groups), each with its place in the file, merged with a template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config import goals as shape
from config.keys import slug
from config.project import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from config.errors import Place

    Report = Callable[[Place, str], None]


@dataclass(slots=True)
class Part:
    """A step or group, its place in the file, and its parts. The id is explicit or made from the title."""

    model: shape.StepModel | shape.GroupModel
    origin: Origin
    parts: list[Part] = field(default_factory=list)
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.model.id or slug(self.model.title or "")


def tree(model: shape.GoalModel | shape.GroupModel, origin: Origin) -> list[Part]:
    """Return the parts of a goal or group, in the order of the file."""
    name = "backwards" if model.backwards is not None else "steps"
    entries = getattr(model, name) or []
    return [_part(entry, Origin(origin.source, (*origin.path, name, index))) for index, entry in enumerate(entries)]


def _part(entry: str | shape.StepModel | shape.GroupModel, origin: Origin) -> Part:
    if isinstance(entry, str):
        return Part(shape.StepModel(title=entry), origin)
    return Part(entry, origin, tree(entry, origin) if isinstance(entry, shape.GroupModel) else [])


def walk(parts: Iterable[Part]) -> Iterable[Part]:
    """Yield every part, groups before their members."""
    for part in parts:
        yield part
        yield from walk(part.parts)


def lay_over(template: list[Part], own: list[Part], report: Report) -> list[Part]:
    """Merge a goal's own parts into its template's, key by key, and return the result.

    `drop: true` removes a part; a new part follows the one listed before it. `report` gets what does not fit.
    """
    home = {part.id: siblings for siblings in _lists(template) for part in siblings if part.id}
    _lay(template, own, home, report)
    return template


def _lay(siblings: list[Part], own: list[Part], home: dict[str, list[Part]], report: Report) -> None:
    position = 0
    for part in own:
        found = home.pop(part.id, None)
        if found is None:
            siblings.insert(position, part)
            position += 1
            continue
        siblings = found
        position = next(index for index, other in enumerate(siblings) if other.id == part.id)
        if isinstance(part.model, shape.StepModel) and part.model.drop:
            del siblings[position]
            continue
        under = siblings[position]
        siblings[position] = merged = _merged(under, part, report)
        _lay(merged.parts, part.parts, home, report)
        position += 1


def _merged(under: Part, part: Part, report: Report) -> Part:
    known = type(under.model).model_fields
    if isinstance(part.model, shape.GroupModel) and not isinstance(under.model, shape.GroupModel):
        report(part.origin.at(), f"`{part.id}` is a step in the template and cannot become a group")
        part.parts.clear()
    written = {name: getattr(part.model, name) for name in part.model.model_fields_set - {"steps", "backwards"}}
    for name in written.keys() - known.keys():
        if isinstance(under.model, shape.GroupModel):
            report(part.origin.at_key(name), f"`{part.id}` is a group in the template, and a group has no `{name}`")
    update = {name: value for name, value in written.items() if name in known}
    return Part(under.model.model_copy(update={"id": under.id, **update}), part.origin, under.parts)


def _lists(parts: list[Part]) -> Iterable[list[Part]]:
    yield parts
    for part in parts:
        yield from _lists(part.parts)
