"""A Markdown list while a batch of writes is applied to it; everything else stays byte for byte."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from connectors.base import Action, StoreWrite, Write, WriteResult
from connectors.markdown.edit import Edit, new_line
from connectors.markdown.found import Unmarked, managed_lines, own_lines
from connectors.markdown.line import Line
from connectors.markdown.marks import Known, Mark
from connectors.markdown.memory import is_end, stored_in, stray_entries
from connectors.markdown.places import INDENT, Places
from connectors.markdown.register import Register
from connectors.model import Marker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from connectors.markdown.found import Found
    from connectors.model import Content


class Page:
    """The file's lines while a batch is applied to them.

    Lines keep their number until the end: new lines are stored with the line that they follow, so the cost of a write
    does not depend on the length of the list.
    """

    def __init__(self, text: str, namespace: str, name: str, *, links: bool = False) -> None:
        """`name` is the name of the file in messages. links: ⛔ names the tasks that come before."""
        self._end_of_line = "\r" if "\r\n" in text else ""  # lines are split at "\n"
        self._lines = text.split("\n")
        self._name, self._links = name, links
        self._gone: set[int] = set() if text else {0}
        self._notes: dict[int, list[str]] = {}  # kept values, right below their task
        stored = stored_in(self._lines, namespace)
        self._known = Known(stored, namespace)
        last = self._last_text()
        self._as_read = stored.blanked(self._lines)
        managed = managed_lines(self._as_read, self._known)
        self._register = Register(self._known, self._as_read, managed)
        self._managed = {found.number for found in managed}
        self._by_nonce = own_lines(managed, namespace)
        by_key: dict[str, int] = {}
        for first, *_ in self._by_nonce.values():
            by_key.setdefault(first.marker.key, first.number)
        self._places = Places(self._as_read, last, by_key)

    @property
    def text(self) -> str:
        """The whole new text."""
        state = [line + self._end_of_line for line in self._register.lines()] if self._register.changed else None
        blocks = self._known.stored.blocks if state is not None else ()
        gone = self._gone if state is None else self._gone.union(self._pieces(), self._known.stored.numbers)
        lines: list[str] = []
        for number, line in enumerate(self._lines):
            if state is not None and blocks and number == blocks[-1].numbers.start:
                lines = self._with_state(lines, state, rest=self._lines[blocks[-1].numbers.stop :])
            elif number not in gone:
                lines.append(line)
            lines += self._notes.get(number, [])
            lines += self._places.behind(number)
        if not blocks and state:
            lines = self._with_new_state(lines, state)
        return "\n".join(lines)

    def _pieces(self) -> set[int]:
        """Return the lines of a damaged state, which a new one replaces."""
        entries = stray_entries(self._lines)
        ends = {n + 1 for n in entries if self._lines[n + 1 : n + 2] and is_end(self._lines[n + 1])}
        return {*entries, *ends}

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Apply a batch; return its results."""
        made = [write.marker for write in batch if isinstance(write, Write) and write.action is Action.CREATE]
        self._register.name(marker for marker in made if marker)  # a line may name one that is made later
        results = [self._store(write) if isinstance(write, StoreWrite) else self._apply(write) for write in batch]
        for nonce, day in self._register.acknowledged():
            self._date_tick(nonce, day)
        return results

    def _store(self, write: StoreWrite) -> WriteResult:
        self._register.memory = write.memory
        return WriteResult()

    def _apply(self, write: Write) -> WriteResult:
        if write.action is Action.CREATE:
            return self._create(write)
        found = self._find(write)
        if found is None:
            return WriteResult(error="the line is gone")
        if found.unread:
            return WriteResult(error=found.told(self._name))
        if write.action is Action.REMOVE:
            self._gone.add(found.number)
            self._register.forget(write.native_id)
        else:
            self._change(write, found)
        return WriteResult(write.native_id)

    @cached_property
    def _unmarked(self) -> Unmarked:
        return Unmarked(self._as_read, self._managed)

    def _change(self, write: Write, found: Found) -> None:
        number = found.number
        mark = found.mark._replace(start=None) if write.action is Action.DETACH else found.mark
        line = Line.of(self._lines[number], mark)
        edit = Edit(line)
        if write.content is not None and write.fields:
            edit.set(write.content, write.fields)
        if write.action is Action.COMPLETE:
            edit.tick(write.done_on)
        elif write.action is Action.REOPEN:
            edit.untick()
        if write.action is Action.DETACH:
            edit.unmark(found.mark.id)
            if found in (own := self._by_nonce[write.native_id]):  # else it is a copy
                own.clear()
                self._register.forget(write.native_id)
        elif write.marker is not None:
            self._identify(edit, line, write.marker, found)
            if write.content is not None and "after" in write.fields:
                self._link(edit, line, write.content)
        self._lines[number] = edit.text
        if write.kept:
            self._notes.setdefault(number, []).append(f"{line.indent}{INDENT}{write.kept}{self._end_of_line}")

    def _date_tick(self, nonce: str, day: date) -> None:
        """Write the day behind a tick that has none."""
        found = next(iter(self._by_nonce.get(nonce, ())), None)
        if found is None or found.unread or found.number in self._gone:
            return
        line = Line.of(self._lines[found.number], found.mark)
        if not line.done or line.last("done"):
            return
        edit = Edit(line)
        edit.tick(day)
        self._identify(edit, line, found.marker, found)
        self._lines[found.number] = edit.text

    def _identify(self, edit: Edit, line: Line, marker: Marker, found: Found) -> None:
        """Write the id of a task; from now on it is what its line is known by."""
        id_ = self._register.put(marker, line.values("id"))
        edit.identify(id_)
        own = self._by_nonce.get(marker.nonce, [])
        if found in own:
            own[own.index(found)] = found._replace(mark=Mark(marker, damaged=False, id=id_.casefold()))

    def _link(self, edit: Edit, line: Line, content: Content) -> None:
        """Name the tasks that come before; ids that are not ours stay."""
        if self._links:
            others = [id_ for id_ in line.values("after") if id_.casefold() not in self._known.ids]
            edit.link([*others, *self._register.ids_of(content.after)])

    def _create(self, write: Write) -> WriteResult:
        assert write.content is not None  # noqa: S101  # a create has both
        assert write.marker is not None  # noqa: S101
        behind = self._places.neighbour(write)
        indent, id_ = self._places.indentation(write, self._end_of_line), self._register.put(write.marker)
        after = self._register.ids_of(write.content.after) if self._links else ()
        line = new_line(indent, write.content, id_, after, write.done_on)
        self._places.put(write, behind, line + self._end_of_line)
        return WriteResult(write.marker.nonce)

    def _last_text(self) -> int:
        """Return the line that new goals follow: the last text before the state."""
        blocks = self._known.stored.blocks
        number = blocks[-1].numbers.start if blocks else len(self._lines)
        if not blocks:
            if self._lines[-1]:  # it needs an end, so that another can follow it
                self._lines[-1] += self._end_of_line
                self._lines.append("")
            number = len(self._lines) - 1
        while number > 0 and not self._lines[number - 1].strip():
            number -= 1
        return max(number - 1, 0)

    def _find(self, write: Write) -> Found | None:
        """Return the line of a task; to detach it, the last copy that can be read, if there is one."""
        if not self._by_nonce.get(write.native_id):
            self._by_nonce[write.native_id] = self._without_marker(write)
        found = self._by_nonce[write.native_id]
        copies = [one for one in found[1:] if one.unread is None] if write.action is Action.DETACH else []
        if copies:
            found.remove(copies[-1])
        return copies[-1] if copies else next(iter(found), None)

    def _without_marker(self, write: Write) -> list[Found]:
        """Return the line of a task whose marker is lost, and its copies: lines with its id, or else its content."""
        content = write.found or (write.content if write.action is Action.REPAIR else None)
        if content is None:
            return []
        marker = write.marker or Marker(self._known.namespace, write.key, write.native_id)
        found = self._unmarked.of(marker, content)
        if found:
            self._places.by_key[write.key] = found[0].number
        return found

    def _with_state(self, lines: list[str], state: list[str], rest: list[str]) -> list[str]:
        """Return the lines with the state; without one, end them as they ended before the first state was added."""
        while not state and lines and not lines[-1].strip() and not any(map(str.strip, rest)):
            lines = lines[:-1]
        return [*lines, *state]

    def _with_new_state(self, lines: list[str], state: list[str]) -> list[str]:
        if lines and not lines[-1]:
            lines.pop()
        blank = [self._end_of_line] if lines and lines[-1].strip() else []
        return [*lines, *blank, *state, ""]
