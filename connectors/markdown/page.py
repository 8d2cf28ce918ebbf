"""A Markdown list while a batch of writes is applied to it; everything else stays byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.base import Action, StoreWrite, WriteResult
from connectors.codec import write_memory
from connectors.markdown.found import by_nonce, find_unmarked, managed_lines
from connectors.markdown.line import TASK, Line
from connectors.markdown.marks import Known
from connectors.markdown.memory import MEMORY_END, MEMORY_START, memory_block, stray_entries
from connectors.markdown.text import indentation, lines_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.base import Write
    from connectors.markdown.found import Found

_INDENT = "    "
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


class Page:
    """The file's lines while a batch is applied to them.

    Lines keep their number until the end: new lines are stored with the line that they follow, so the cost of a write
    does not depend on the length of the list.
    """

    def __init__(self, text: str, namespace: str, name: str) -> None:
        """`name` is the name of the file in messages."""
        self._end_of_line = "\r" if "\r\n" in text else ""  # lines are split at "\n"
        self._lines = text.split("\n")
        self._as_read = tuple(self._lines)
        self._namespace = namespace
        self._name = name
        self._gone: set[int] = set() if text else {0}
        self._notes: dict[int, list[str]] = {}  # kept values, right below their task
        self._first: dict[int, NewLines] = {}  # first steps, below their goal
        self._behind: dict[int, NewLines] = {}  # all else that follows a line
        self._places: dict[str, tuple[dict[int, NewLines], int, str]] = {}  # of new tasks: list, line, indentation
        self._memory: list[str] | None = None
        managed = managed_lines(self._lines, Known.of(self._lines, namespace))
        self._by_nonce = by_nonce(managed, namespace)
        self._by_key: dict[str, int] = {}
        for first, *_ in self._by_nonce.values():
            self._by_key.setdefault(first.marker.key, first.number)
        self._last = self._last_text()

    @property
    def text(self) -> str:
        """The whole new text."""
        block = memory_block(self._lines, self._namespace)
        gone = self._gone | self._pieces() if self._memory is not None else self._gone
        lines: list[str] = []
        for number, line in enumerate(self._lines):
            if block is not None and number in block.numbers and self._memory is not None:
                if number == block.start:
                    lines = self._with_memory(lines, self._memory, rest=self._lines[block.stop :])
            elif number not in gone:
                lines.append(line)
            lines += self._notes.get(number, [])
            for added in (self._first, self._behind):
                lines.extend(added.get(number, ()))
        if block is None and self._memory:
            lines = self._with_new_memory(lines, self._memory)
        return "\n".join(lines)

    def _pieces(self) -> set[int]:
        """Return the lines of a damaged memory, which a new one replaces."""
        entries = stray_entries(self._lines)
        ends = {n + 1 for n in entries if self._lines[n + 1 : n + 2] and self._lines[n + 1].strip() == MEMORY_END}
        return {*entries, *ends}

    def apply(self, write: Write | StoreWrite) -> WriteResult:
        """Apply one write; return its result."""
        if isinstance(write, StoreWrite):
            first = MEMORY_START.format(namespace=self._namespace)
            block = [first, *write_memory(write.memory), MEMORY_END] if write.memory else []
            self._memory = [line + self._end_of_line for line in block]
            return WriteResult()
        if write.action is Action.CREATE:
            return self._create(write)
        found = self._find(write.native_id, copy=write.action is Action.DETACH)
        if found is not None and found.unread:
            return WriteResult(error=found.told(self._name))
        number = found.number if found else None
        said = write.found or (write.content if write.action is Action.REPAIR else None)
        if number is None and said:
            number = find_unmarked(self._as_read, said)
            self._by_key |= {write.key: number} if number is not None else {}
        if number is None:
            return WriteResult(error="the line is gone")
        if write.action is Action.REMOVE:
            self._gone.add(number)
        else:
            self._change(number, write, found.span if found else None)
        return WriteResult(write.native_id)

    def _change(self, number: int, write: Write, span: tuple[int, int] | None) -> None:
        line = Line(self._lines[number], span)
        if write.content is not None and write.fields:
            line.set(write.content, write.fields)
        if write.action is Action.COMPLETE:
            line.tick(write.done_on)
        elif write.action is Action.REOPEN:
            line.untick()
        if write.action is Action.DETACH:
            line.unmark()
        elif write.marker is not None:
            line.mark(write.marker)
        self._lines[number] = line.text
        if write.kept:
            self._notes.setdefault(number, []).append(f"{line.indent}{_INDENT}{write.kept}{self._end_of_line}")

    def _create(self, write: Write) -> WriteResult:
        assert write.content is not None  # noqa: S101  # a create has both
        assert write.marker is not None  # noqa: S101
        behind = self._neighbour(write)
        added, number, indent = self._places[write.key] = self._room(write)
        line = Line(f"{indent}- [ ] ")
        line.set(write.content, frozenset({"title", "priority", "due"}))
        line.mark(write.marker)
        if write.done_on:
            line.tick(write.done_on)
        added.setdefault(number, NewLines()).put(write.key, line.text + self._end_of_line, behind)
        return WriteResult(write.marker.nonce)

    def _neighbour(self, write: Write) -> str | None:
        """Return the key behind which, among the new lines at one place, a task goes; None for the end of them."""
        if write.previous in self._places:
            return write.previous
        if write.previous in self._by_key:
            return _FRONT
        return write.parent if write.parent in self._places else None

    def _room(self, write: Write) -> tuple[dict[int, NewLines], int, str]:
        """Return where a new line goes and its indentation: after its forerunner, else first below its parent."""
        if write.previous in self._places:
            return self._places[write.previous]
        if write.previous in self._by_key:
            number = self._by_key[write.previous]
            return self._behind, lines_below(self._lines, number).stop - 1, indentation(self._lines[number])
        if write.parent in self._places:
            added, number, indent = self._places[write.parent]
            return added, number, indent + _INDENT
        if write.parent in self._by_key:
            number = self._by_key[write.parent]
            below = [self._lines[n] for n in lines_below(self._lines, number) if self._lines[n].strip()]
            return self._first, number, indentation(below[0]) if below else indentation(self._lines[number]) + _INDENT
        last = self._lines[self._last]
        if self._last not in self._behind and last.strip() and not TASK.match(last):
            self._behind[self._last] = NewLines()
            self._behind[self._last].put(_BLANK, self._end_of_line, _FRONT)
        return self._behind, self._last, ""

    def _last_text(self) -> int:
        """Return the line that new goals follow: the last text before the memory."""
        block = memory_block(self._lines, self._namespace)
        number = block.start if block else len(self._lines)
        if block is None:
            if self._lines[-1]:  # it needs an end, so that another can follow it
                self._lines[-1] += self._end_of_line
                self._lines.append("")
            number = len(self._lines) - 1
        while number > 0 and not self._lines[number - 1].strip():
            number -= 1
        return max(number - 1, 0)

    def _find(self, nonce: str, *, copy: bool) -> Found | None:
        """Return the line with this nonce; copy: the last copy of it that can be read, if there is one."""
        found = self._by_nonce.get(nonce, [])
        copies = [one for one in found[1:] if one.unread is None] if copy else []
        if copies:
            found.remove(copies[-1])
        return copies[-1] if copies else next(iter(found), None)

    def _with_memory(self, lines: list[str], memory: list[str], rest: list[str]) -> list[str]:
        """Return the lines with the memory; without one, end them as they ended before the first memory was added."""
        while not memory and lines and not lines[-1].strip() and not any(map(str.strip, rest)):
            lines = lines[:-1]
        return [*lines, *memory]

    def _with_new_memory(self, lines: list[str], memory: list[str]) -> list[str]:
        if lines and not lines[-1]:
            lines.pop()
        blank = [self._end_of_line] if lines and lines[-1].strip() else []
        return [*lines, *blank, *memory, ""]
