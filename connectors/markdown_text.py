"""The text of a Markdown list: which lines are checkboxes, what is indented below them, and where our memory stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.markdown_line import TASK
from connectors.marker import read_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.base import GoalMemory

MEMORY_START = "<!-- backplan's memory of {namespace}, keep this"
MEMORY_END = "-->"


def tasks_in(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are checkboxes, outside fenced code blocks."""
    code = fenced(lines)
    for number, line in enumerate(lines):
        if number not in code and TASK.match(line):
            yield number, line


def fenced(lines: Sequence[str]) -> set[int]:
    """Return the lines of fenced code blocks, as CommonMark sees them."""
    if not any("```" in line or "~~~" in line for line in lines):
        return set()
    from markdown_it import MarkdownIt  # slow to import, and most lists hold no code

    # Its lines have to end where ours do, and nowhere else.
    text = "\n".join(line.removesuffix("\r").replace("\r", " ") for line in lines)
    tokens = MarkdownIt("commonmark").parse(text)
    return {n for token in tokens if token.type == "fence" and token.map for n in range(token.map[0], token.map[1])}


def lines_below(lines: list[str], number: int) -> range:
    """Return the lines that belong to a task: those after it that are indented further."""
    own = len(indentation(lines[number]).expandtabs(4))
    stop = end = number + 1
    while end < len(lines):
        if lines[end].strip():
            if len(indentation(lines[end]).expandtabs(4)) <= own:
                break
            stop = end + 1
        end += 1
    return range(number + 1, stop)


def indentation(line: str) -> str:
    """Return what stands before a line's text, marks of quotation included."""
    return line[: len(line) - len(line.lstrip(" \t>"))]


def memory_in(lines: list[str], namespace: str) -> tuple[dict[str, GoalMemory], str]:
    """Return the memory; where it cannot be read, none, and what is wrong with it on which line."""
    start = memory_start(lines, namespace)
    if start is None:
        return {}, ""
    entries = lines[start + 1 : memory_stop(lines, start)]
    try:
        return read_memory([line for line in entries if line.strip() not in ("", MEMORY_END)]), ""
    except ValueError as error:
        return {}, f"{start + 1}: {error}"


def memory_stop(lines: list[str], start: int) -> int:
    """Return the line after the memory that begins at `start`; where its end is lost, the one after its last entry."""
    stop = start + 1
    while stop < len(lines) and lines[stop].strip() and not lines[stop].startswith("<!--"):
        if lines[stop].strip() == MEMORY_END:
            return stop + 1
        stop += 1
    return next((n for n in range(start + 1, len(lines)) if not lines[n].startswith("{")), len(lines))


def memory_start(lines: list[str], namespace: str) -> int | None:
    """Return the first line of our memory, the last one where there are several."""
    start = MEMORY_START.format(namespace=namespace)
    return next((n for n in range(len(lines) - 1, -1, -1) if lines[n].rstrip() == start), None)
