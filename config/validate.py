"""Turns the plain values of one goals file into models, and reports every mistake."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from config import goals as shape
from config.errors import Problem
from config.project import Origin
from config.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.source import Path_, Source

# The steps of a path in the file into another model: by key, or by the union tags that pydantic puts into it.
_MODELS: dict[str | int, type[BaseModel]] = {
    "calendar": shape.CalendarModel,
    "calendars": shape.CalendarModel,
    "~step": shape.StepModel,
    "~group": shape.GroupModel,
    "~link": shape.LinkModel,
    "~countdown": shape.BeforeModel,
    "~weekday": shape.WeekdayModel,
    "~hangs": shape.HangsOnModel,
}


@dataclass(frozen=True, slots=True)
class GoalsFile:
    """One file that was read: its settings, and those of its goals that are well formed.

    `complete` is False if a goal was malformed. `lost` names the settings that were wrong; they have their defaults.
    """

    source: Source
    settings: shape.SettingsModel
    goals: tuple[tuple[shape.GoalModel, Origin], ...]
    complete: bool = True
    lost: frozenset[str] = frozenset()


def validate(source: Source, problems: list[Problem]) -> GoalsFile:
    """Return the well-formed part of a file; mistakes in the rest are added to `problems`.

    Goals are validated one by one, so that a mistake in one does not hide those in another.
    """
    written = {**source.value}
    entries = written.pop("goals", None)
    settings, lost = _settings(source, written, problems)
    if not isinstance(entries, list):
        where, what = (source.place(("goals",)), "expected a list") if entries else (source.place(()), "is missing")
        problems.append(Problem(where, f"`goals`: {what}: one `- title: ...` for each goal"))
        entries = []
    read = [(_goal(source, index, entry, problems), index) for index, entry in enumerate(entries)]
    goals = tuple((goal, Origin(source, ("goals", index))) for goal, index in read if goal is not None)
    return GoalsFile(source, settings, goals, complete=len(goals) == len(entries), lost=lost)


def _goal(source: Source, index: int, entry: Any, problems: list[Problem]) -> shape.GoalModel | None:
    """Return one goal without its wrong values, and report these. They must not hide mistakes in the rest."""
    goal = _read_goal(source, index, entry, problems)
    if isinstance(entry, dict) and entry.get("title") is None and entry.get("template") is None:
        path = ("goals", index, "title")
        if "title" in source.keys(path[:-1]):
            problems.append(Problem(source.place(path), _mistake(source, path, "expected text")))
        else:
            problems.append(Problem(source.place(path), "the key `title` is missing here"))
        return None
    return goal


def _read_goal(source: Source, index: int, entry: Any, problems: list[Problem]) -> shape.GoalModel | None:
    try:
        return shape.GoalModel.model_validate(entry)
    except ValidationError as error:
        problems.extend(_problems(source, shape.GoalModel, ("goals", index), error))
        details = error.errors(include_url=False)
    try:
        return shape.GoalModel.model_validate(_without(entry, [detail["loc"] for detail in details]))
    except ValidationError:
        return None


def _without(entry: Any, paths: list[Path_]) -> Any:
    """Return a goal without the keys that `paths` lead to.

    A wrong `id` or `title` stays, so the whole goal is left out: others may refer to a name that is not known.
    """
    copy = deepcopy(entry)
    for path in paths:
        node, last = copy, None
        for part in path:
            if isinstance(node, dict) and part in node:
                last, node = (node, part), node[part]
            elif isinstance(node, list) and isinstance(part, int) and part < len(node):
                node = node[part]
        if last is not None and last[1] not in ("deadline", "id", "title"):
            last[0].pop(last[1])
    return copy


def _settings(
    source: Source, written: dict[str, Any], problems: list[Problem]
) -> tuple[shape.SettingsModel, frozenset[str]]:
    """Return the settings, and the names of those that were wrong and have their defaults."""
    try:
        return shape.SettingsModel.model_validate(written), frozenset()
    except ValidationError as error:
        problems.extend(_problems(source, shape.FileModel, (), error))
        lost = frozenset(str(detail["loc"][0]) for detail in error.errors())
    well_formed = {name: value for name, value in written.items() if name not in lost}
    return shape.SettingsModel.model_validate(well_formed), lost


def _problems(source: Source, model: type[BaseModel], base: Path_, error: ValidationError) -> Iterable[Problem]:
    for detail in error.errors(include_url=False):
        path = (*base, *detail["loc"])
        kind = detail["type"]
        if kind == "extra_forbidden":
            known = _model_at(model, detail["loc"][:-1])
            message = _title_with_colon(source, path, known) or _unknown_key(str(path[-1]), known)
            yield Problem(source.place_of_key(path), message)
        elif kind == "missing":
            yield Problem(source.place(path[:-1]), f"the key `{path[-1]}` is missing here")
        else:
            sentence = _sentence(kind, detail.get("ctx", {}), detail["msg"])
            yield Problem(source.place(path), _mistake(source, path, sentence))


def _title_with_colon(source: Source, path: Path_, known: type[BaseModel]) -> str:
    """Return the message for a title that YAML reads as a key and its value; empty if the mistake is another one."""
    key, rest = str(path[-1]), source.excerpt(path)
    is_titled = path[-2:-1] != ("~step",) or "title" in source.keys(path[:-1])
    if rest is None or is_titled or "did you mean" in _unknown_key(key, known):
        return ""
    title = f"{key}: {rest}".rstrip().replace('"', '\\"')
    return f'a colon and a blank end a key in YAML; if this is a title, put it in quotes: "{title}"'


def _model_at(model: type[BaseModel], loc: Path_) -> type[BaseModel]:
    for part in loc:
        model = _MODELS.get(part, model)
    return model


def _unknown_key(key: str, model: type[BaseModel]) -> str:
    known = [field.alias or name for name, field in model.model_fields.items()]
    written_elsewhere = any(key in (f.alias or n for n, f in other.model_fields.items()) for other in _MODELS.values())
    nearest = "" if written_elsewhere else did_you_mean(key, known)
    return f"unknown key `{key}`; {nearest or 'known here: ' + ', '.join(known)}"


def _mistake(source: Source, path: Path_, sentence: str) -> str:
    field = next((part for part in reversed(path) if isinstance(part, str) and not part.startswith("~")), "here")
    if comment := source.comment_at(path):
        sentence += f"; `{comment}` is a comment in YAML: put the whole text in quotes"
    excerpt = source.excerpt(path)
    return f"`{field}`: {sentence}" if excerpt is None else f"`{field}: {excerpt}`: {sentence}"


def _sentence(kind: str, context: dict[str, Any], message: str) -> str:
    """Return a message in the words of the documentation instead of pydantic's."""
    if kind == "literal_error":
        return f"expected {context['expected'].replace(chr(39), '')}"
    if kind in ("string_too_long", "too_long"):
        return f"expected at most {context['max_length']} characters"
    plain = {
        "expected": context.get("expected", ""),
        "bool_type": "expected true or false",
        "int_type": "expected a whole number",
        "string_type": "expected text",
        "list_type": "expected a list: one `- item` a line",
        "dict_type": "expected keys and values",
        "model_type": "expected keys and values, such as title: ...",
        "too_short": "expected at least one entry",
    }
    return plain.get(kind) or message[:1].lower() + message[1:]
