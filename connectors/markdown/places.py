"""Where new lines of a Markdown list go: behind their forerunner, else first below their parent, else at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.markdown.text import TASK, indentation, lines_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.base import Write

INDENT = "    "
_FRONT, _BLANK = "", "/"  # instead of the key of a task: where new lines begin, and the blank line before them


class NewLines:
    """New lines that follow one line, in order. Each is named by the key of its task; putting one in costs the same."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lines: dict[str, str] = {}
        self._next: dict[str, str] = {}
        self._last = _FRONT

    def put(self, key: str, line: str, behind: str | None) -> None:
        """Put a line in behind that of another key, or at the front; at the end where `behind` is None."""
        behind = self._last if behind is None else behind
        if behind == self._last:
            self._last = key
        else:
            self._next[key] = self._next[behind]
        self._next[behind], self._lines[key] = key, line

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in order."""
        key = _FRONT
        while (following := self._next.get(key)) is not None:
            key = following
            yield self._lines[key]


class Places:
    """The new lines of a list, stored with the line that they follow, so that lines keep their number."""

    def __init__(self, lines: list[str], last: int, by_key: dict[str, int]) -> None:
        """last: the line that new goals follow. by_key: the lines of tasks that are there."""
        self._lines, self._last, self.by_key = lines, last, by_key
        self._first: dict[int, NewLines] = {}  # first steps, below their goal
        self._behind: dict[int, NewLines] = {}  # all else that follows a line
        self._places: dict[str, tuple[dict[int, NewLines], int, str]] = {}  # of new tasks: list, line, indentation

    def indentation(self, write: Write, end: str) -> str:
        """Return the indentation of a new task. end: the end of a line."""
        self._places[write.key] = place = self._room(write, end)
        return place[2]

    def put(self, write: Write, behind: str | None, line: str) -> None:
        """Put in the line of a new task, behind that of another key, as `neighbour` returned it before."""
        added, number, _ = self._places[write.key]
        added.setdefault(number, NewLines()).put(write.key, line, behind)

    def behind(self, number: int) -> Iterator[str]:
        """Yield the new lines that follow a line."""
        for added in (self._first, self._behind):
            yield from added.get(number, ())

    def neighbour(self, write: Write) -> str | None:
        """Return the key behind which, among the new lines at one place, a task goes; None for the end of them."""
        if write.previous in self._places:
            return write.previous
        if write.previous in self.by_key:
            return _FRONT
        return write.parent if write.parent in self._places else None

    def _room(self, write: Write, end: str) -> tuple[dict[int, NewLines], int, str]:
        """Return where a new line goes and its indentation: after its forerunner, else first below its parent."""
        if write.previous in self._places:
            return self._places[write.previous]
        if write.previous in self.by_key:
            number = self.by_key[write.previous]
            return self._behind, lines_below(self._lines, number).stop - 1, indentation(self._lines[number])
        if write.parent in self._places:
            added, number, indent = self._places[write.parent]
            return added, number, indent + INDENT
        if write.parent in self.by_key:
            number = self.by_key[write.parent]
            below = [self._lines[n] for n in lines_below(self._lines, number) if self._lines[n].strip()]
            return self._first, number, indentation(below[0]) if below else indentation(self._lines[number]) + INDENT
        last = self._lines[self._last]
        if self._last not in self._behind and last.strip() and not TASK.match(last):
            self._behind[self._last] = NewLines()
            self._behind[self._last].put(_BLANK, end, _FRONT)
        return self._behind, self._last, ""
