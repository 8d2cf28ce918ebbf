"""Changes single values in a goals file; every other byte stays: comments, order, quotes, line ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from yaml.nodes import MappingNode, ScalarNode

from config.atomic_write import replace_file
from config.errors import BackplanError, GoalsFileError, InputError, Problem
from config.project import RelativeDeadline
from config.source import Source
from config.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from config.project import Goal, Origin, Project
    from config.source import Path_


_JOINERS = "\u200c\u200d"  # emoji and some scripts are written with them


class _Edit(NamedTuple):
    """A text to replace the characters from `start` to `end`."""

    start: int
    end: int
    text: str


def move_deadline(goal: Goal, day: date) -> str:
    """Return the text of the goal's file with another deadline. Raises BackplanError as `move_deadlines` does."""
    (text,) = move_deadlines([(goal, day)]).values()
    return text


def move_deadlines(moves: Iterable[tuple[Goal, date]]) -> dict[str, str]:
    """Return the new text of each file, by name, in which these goals have other deadlines.

    Raises BackplanError if a deadline cannot be replaced by a day: it depends on another goal, comes from a merge key,
    or has or is an alias, so that another value would change, too.
    """
    edits: dict[str, list[_Edit]] = {}
    sources: dict[str, Source] = {}
    for goal, day in moves:
        source = goal.origin.source
        sources[source.name] = source
        edits.setdefault(source.name, []).append(_deadline_edit(goal, day))
    return {name: _apply(sources[name].text, found) for name, found in edits.items()}


def why_not_movable(goal: Goal, day: date) -> str:
    """Return why a goal cannot get another deadline by an edit of its file; empty if it can."""
    try:
        _deadline_edit(goal, day)
    except BackplanError as error:
        return str(error)
    return ""


def _deadline_edit(goal: Goal, day: date) -> _Edit:
    origin = goal.origin
    if isinstance(goal.deadline, RelativeDeadline):
        message = f"the deadline of `{goal.id}` depends on `{goal.deadline.goal}`; move that one, or write a date here"
        raise InputError(f"{origin.at('deadline')}: {message}")
    edit = _replacement(origin.source, (*origin.path, "deadline"), day.isoformat())
    whole = origin.source.node(origin.path)
    if (
        origin.source.text.startswith("&", edit.start)
        or not whole.start_mark.index <= edit.start < whole.end_mark.index
    ):
        message = "the deadline is shared by an anchor (`&name`) and aliases (`*name`); write a date here, or edit it"
        raise InputError(f"{origin.at('deadline')}: {message}")
    return edit


def replace_value(source: Source, path: Path_, text: str) -> str:
    """Return the source's text with `text` instead of the value at `path`."""
    return _apply(source.text, [_replacement(source, path, text)])


def _replacement(source: Source, path: Path_, text: str) -> _Edit:
    """Return the edit that replaces the value at `path`. Raises BackplanError if the mapping there has no such key."""
    if path[-1] not in _keys(source, path[:-1]):
        raise BackplanError(f"{source.place(path[:-1])}: there is no `{path[-1]}` to change here; write one")
    node = source.node(path)
    quote = getattr(node, "style", None) or ""
    written = f"{quote}{text}{quote}" if quote in {"'", '"'} and quote not in text else text
    return _Edit(node.start_mark.index, node.end_mark.index, written)


def set_value(source: Source, path: Path_, key: str, text: str) -> str:
    """Return the source's text with `text` as the value of `key`, new or not, in the block mapping at `path`."""
    if key in _keys(source, path):
        return replace_value(source, (*path, key), text)
    node = source.node(path)
    indent = " " * node.start_mark.column
    return _apply(source.text, [_Edit(node.start_mark.index, node.start_mark.index, f"{key}: {text}\n{indent}")])


def write_ids(project: Project) -> dict[str, str]:
    """Return the new text of each file, by name, in which every goal and step has an explicit id.

    Steps that come from a template are written there and stay as they are.
    """
    edits: dict[str, list[_Edit]] = {}
    sources: dict[str, Source] = {}
    for goal in project.goals:
        titled = [(goal.origin, goal.id)] if goal.titled_id else []
        titled += [(s.origin, s.id) for s in goal.steps if s.titled_id and s.origin.source is goal.origin.source]
        for origin, name in titled:
            sources[origin.source.name] = origin.source
            edits.setdefault(origin.source.name, []).append(_id_edit(origin, name))
    return {name: _apply(sources[name].text, found) for name, found in edits.items()}


def save(path: Path, source: Source, text: str) -> None:
    """Replace the file that `source` was read from by `text`.

    Raises BackplanError if the file was changed since, or if the new text is not a well-formed goals file.
    """
    path = path.resolve()  # a symbolic link stays one
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BackplanError(f"{path}: cannot be read: {error.strerror}; nothing was changed") from error
    if raw.decode("utf-8-sig", errors="replace") != source.text:
        raise BackplanError(f"{path}: the file was changed during this command; run it again (nothing was changed)")
    if problems := _problems(source.name, text):
        found = "\n".join(map(str, problems))
        raise BackplanError(f"{path}: backplan cannot make this edit; make it by hand (nothing was changed)\n{found}")
    mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
    replace_file(path, mark + text.encode())


def _problems(name: str, text: str) -> list[Problem]:
    """Return the problems in the shape of a goals file."""
    problems: list[Problem] = []
    try:
        source = Source(name, text)
    except GoalsFileError as error:
        return list(error.problems)
    validate(source, problems)
    return [*source.problems, *problems]


def as_yaml(text: str) -> str:
    """Return a text for a YAML block: plain if that is safe, else in quotes, because `12` would be a number."""
    plain = text[:1].isalpha() and all(c.isalnum() or c in " -_.,;()'/+&!?" for c in text) and text == text.strip()
    return text if plain and text.lower() not in {"null", "true", "false"} else quoted(text)


def quoted(text: str) -> str:
    """Return a text in double quotes: as in JSON, with escapes for what YAML does not accept."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() or c in _JOINERS else f"\\U{ord(c):08x}" for c in written)


def _keys(source: Source, path: Path_) -> set[str]:
    node = source.node(path)
    return {key.value for key, _ in node.value} if isinstance(node, MappingNode) else set()


def _id_edit(origin: Origin, name: str) -> _Edit:
    text, node = origin.source.text, origin.source.node(origin.path)
    newline = "\r\n" if "\r\n" in text else "\n"
    start = node.start_mark.index
    if isinstance(node, MappingNode) and node.flow_style:
        return _Edit(start + 1, start + 1, f"id: {as_yaml(name)}, ")
    if isinstance(node, MappingNode):
        return _Edit(start, start, f"id: {as_yaml(name)}{newline}{' ' * node.start_mark.column}")
    # A bare title becomes a mapping; inside [a, b] it has to be a flow mapping.
    assert isinstance(node, ScalarNode)  # noqa: S101  # a step is one or the other
    written = text[start : node.end_mark.index]
    parent = origin.source.node(origin.path[:-1])
    if getattr(parent, "flow_style", False):
        return _Edit(start, node.end_mark.index, f"{{id: {as_yaml(name)}, title: {written}}}")
    indent = f"{newline}{' ' * node.start_mark.column}"
    return _Edit(start, node.end_mark.index, f"id: {as_yaml(name)}{indent}title: {written}")


def _apply(text: str, edits: Iterable[_Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
