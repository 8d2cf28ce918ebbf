"""A goal's list as a tree of parts (steps and groups), each with where it was written; templates lie under it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config import goals as shape
from config.network import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SLUG = 60


def slug(title: str) -> str:
    """Return the id that a title gives: its letters and digits in any script, accents dropped, joined by hyphens."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", title.lower()) if not unicodedata.combining(c))
    words = "-".join(re.findall(r"[^\W_]+", plain.replace("'", "").replace("’", "")))
    return words if len(words) <= MAX_SLUG else words[:MAX_SLUG].rpartition("-")[0] or words[:MAX_SLUG]


@dataclass(slots=True)
class Part:
    """A step or group, where it was written, and what is below it. The id is explicit or made from the title."""

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
    """Yield every part, groups before what is in them."""
    for part in parts:
        yield part
        yield from walk(part.parts)


def lay_over(template: list[Part], own: list[Part]) -> list[Part]:
    """Lay a goal's own parts over its template's, key by key, and return the result.

    `drop: true` takes a part out; a new one stands after the one listed before it.
    """
    siblings, position = template, 0
    for part in own:
        found = _find(template, part.id)
        if found is None:
            siblings.insert(position, part)
            position += 1
            continue
        siblings, position = found
        if isinstance(part.model, shape.StepModel) and part.model.drop:
            del siblings[position]
            continue
        under = siblings[position]
        said = {name: getattr(part.model, name) for name in part.model.model_fields_set}
        siblings[position] = Part(under.model.model_copy(update={"id": under.id, **said}), part.origin, under.parts)
        position += 1
    return template


def _find(parts: list[Part], part_id: str) -> tuple[list[Part], int] | None:
    for index, part in enumerate(parts):
        if part.id == part_id:
            return parts, index
        if found := _find(part.parts, part_id):
            return found
    return None
