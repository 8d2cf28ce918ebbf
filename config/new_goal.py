"""Adds a goal to a goals file; every byte that was there stays. Its texts become values, never keys or comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yaml.nodes import MappingNode, Node, SequenceNode

from config.edit import as_yaml
from config.errors import BackplanError
from config.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_LINE_END = re.compile(r"\r\n|\n|\r|\Z")
_COMMENT = re.compile(r"( *)#.*(?:\r\n|\n|\r|\Z)")


@dataclass(frozen=True, slots=True)
class NewGoal:
    """A goal for the file. Its steps are titles; without any, it takes those of its template."""

    id: str
    title: str
    deadline: date
    steps: tuple[str, ...] = ()
    template: str = ""
    why: str = ""

    def lines(self) -> Iterator[str]:
        """Yield its lines as an entry of a list in block style, without indentation."""
        yield f"- id: {as_yaml(self.id)}"
        yield f"  title: {as_yaml(self.title)}"
        if self.why:
            yield f"  why: {as_yaml(self.why)}"
        yield f"  deadline: {self.deadline}"
        if self.template:
            yield f"  template: {as_yaml(self.template)}"
        if self.steps:
            yield "  steps:"
            yield from (f"    - {as_yaml(step)}" for step in self.steps)

    def value(self) -> dict[str, Any]:
        """Return it as the file has to contain it."""
        optional = {"why": self.why, "template": self.template, "steps": list(self.steps)}
        given = {name: value for name, value in optional.items() if value}
        return {"id": self.id, "title": self.title, "deadline": self.deadline, **given}


def add(source: Source, goal: NewGoal) -> str:
    """Return the file's text with a goal at the end of its list.

    Raises BackplanError if the list is written in a way that cannot be continued. GoalsFileError is one with the places
    of what the goal's own texts break, such as a secret in them.
    """
    text = source.text
    goals = source.node(("goals",))
    if not isinstance(goals, SequenceNode) or (goals.flow_style and goals.value):
        raise _unsafe(source)
    if goals.value:
        column = goals.start_mark.column
        end = _behind_comments(text, _line_end(text, _last(goals)), column)
    else:  # `goals: []`
        key = text[: goals.start_mark.index].rstrip(" ")
        text, column = key + text[goals.end_mark.index :], 2
        end = _line_end(text, len(key))
    newline = "\r\n" if "\r\n" in text else "\n"
    before = "" if text[:end].endswith(("\n", "\r")) else newline
    added = "".join(f"{' ' * column}{line}{newline}" for line in goal.lines())
    written = f"{text[:end]}{before}{added}{text[end:]}"
    if Source(source.name, written).value != {**source.value, "goals": [*source.value["goals"], goal.value()]}:
        raise _unsafe(source)
    return written


def _last(goals: SequenceNode) -> int:
    """Return where the last value of a list ends."""
    node: Node = goals
    while isinstance(node, SequenceNode | MappingNode) and node.value and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return node.end_mark.index


def _line_end(text: str, index: int) -> int:
    """Return where the line ends; a block scalar includes its own line end."""
    if text[:index].endswith("\n"):
        return index
    found = _LINE_END.search(text, index)
    return found.end() if found else len(text)


def _behind_comments(text: str, end: int, column: int) -> int:
    """Return where the comments of the last entry end: those that are indented deeper than its dash."""
    while end < len(text) and (found := _COMMENT.match(text, end)) and len(found[1]) > column:
        end = found.end()
    return end


def _unsafe(source: Source) -> BackplanError:
    place = source.place(("goals",))
    return BackplanError(
        f"{place}: no goal can be added to this list without changing how it is written; write it as a list with one "
        "`- title:` for each goal, or add the goal by hand"
    )
