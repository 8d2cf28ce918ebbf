"""The text of a Markdown list: which lines are checkboxes, and what is indented below them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

NO_WIDTH = "\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"
_BLANKS = rf"[ \t{NO_WIDTH}]{{0,9}}"
TASK = re.compile(rf"[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[{_BLANKS}[^\[\]\r\n]?{_BLANKS}\][ \t].*")
BULLET = re.compile(r"[ \t>]*(?:[-*+•–—]|\d+[.)])[ \t]+\S")
_OURS = re.compile(r"<!-- (?:bp\d+ |backplan's memory of )|\{\"goal\":|🆔")


def fenced(lines: Sequence[str]) -> dict[int, int]:
    """Return the lines of fenced code blocks, as CommonMark sees them, each with the first of its block."""
    if not any("```" in line or "~~~" in line for line in lines):
        return {}
    from markdown_it import MarkdownIt  # slow to import, and most lists contain no code

    # Its lines have to end where ours do, and nowhere else.
    text = "\n".join(line.removesuffix("\r").replace("\r", " ") for line in lines)
    tokens = MarkdownIt("commonmark").parse(text)
    blocks = [range(*token.map) for token in tokens if token.type == "fence" and token.map]
    return {number: block.start for block in blocks for number in block}


class Conflict(NamedTuple):
    """The lines of a merge conflict, git's marks included, and those of each side."""

    numbers: range
    ours: range
    theirs: range


def conflicts(lines: Sequence[str]) -> Iterator[Conflict]:
    """Yield the merge conflicts between git's marks; what both sides had before is on neither side."""
    begun = base = parted = None
    for number, line in enumerate(lines):
        if line.startswith("<<<<<<< "):
            begun, base, parted = number, None, None
        elif begun is None:
            continue
        elif line.startswith("||||||| ") and parted is None:
            base = number
        elif line.rstrip() == "=======":
            parted = number
        elif parted is not None and line.startswith(">>>>>>> "):
            sides = range(begun + 1, base or parted), range(parted + 1, number)
            yield Conflict(range(begun, number + 1), *sides)
            begun = None


def lines_below(lines: list[str], number: int, most: int | None = None) -> range:
    """Return the lines that belong to a task: those after it that are indented further; `most`: look no further."""
    own = len(indentation(lines[number]).expandtabs(4))
    stop = end = number + 1
    last = len(lines) if most is None else min(number + 1 + most, len(lines))
    while end < last:
        if lines[end].strip():
            if len(indentation(lines[end]).expandtabs(4)) <= own:
                break
            stop = end + 1
        end += 1
    return range(number + 1, stop)


def lone_return(text: str) -> tuple[int, int] | None:
    """Return the line and column of a lone CR at the end of a line that backplan wrote; None if there is none.

    In a text without other line ends, every CR counts. A CR in a user's own line belongs to them.
    """
    if "\r" not in text:
        return None
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        at = line.rstrip("\r").find("\r")
        if at >= 0 and (len(lines) == 1 or _OURS.search(line)):
            return number, at + 1
    return None


def parents(lines: Sequence[str], entries: Collection[int]) -> dict[int, int]:
    """Return the parent of each of these lines, among these lines; those at the top have none."""
    found: dict[int, int] = {}
    above: list[tuple[int, int]] = []  # the possible parents of a line, with their indentation
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        own = len(indentation(line).expandtabs(4))
        while above and above[-1][1] >= own:
            above.pop()
        if number in entries:
            found |= {number: above[-1][0]} if above else {}
            above.append((number, own))
    return found


def indentation(line: str) -> str:
    """Return the beginning of a line before its text, including quotation marks."""
    return line[: len(line) - len(line.lstrip(" \t>"))]
