"""From the lines of a Markdown list to its snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from connectors.days import is_far
from connectors.markdown.comments import marks_of
from connectors.markdown.found import others_lines, own_lines, unmarked_lines
from connectors.markdown.text import lines_below, parents
from connectors.model import Content, Marker, Snapshot, Stray, Task
from connectors.ownership import of_others
from connectors.snapshot import as_written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.markdown.found import Found
    from connectors.markdown.line import Line
    from connectors.markdown.marks import Known

_EMPTIED = "nothing is left in the comment of backplan; take it out, and the line is read again"


@dataclass(frozen=True, slots=True)
class Listing:
    """The lines of a list, those of them that are ours, and the file's name in messages.

    links: the keys of the tasks that ⛔ may name, by their nonces; none if it is not to be read.
    """

    lines: list[str]
    known: Known
    managed: Sequence[Found]
    name: str
    links: Mapping[str, str]

    def snapshot(self) -> Snapshot:
        """Return the snapshot, as far as it is in the lines."""
        theirs = others_lines(self.lines, self.known.namespace)
        tasks: list[tuple[int, Task]] = []
        copies: list[Task] = []
        for first, *more in own_lines(self.managed, self.known.namespace).values():
            tasks.append((first.number, self._task(first)))
            copies += [replace(self._task(copy), remark=self._beside(first, copy)) for copy in more]
        unmarked = list(self._unmarked({*theirs, *(found.number for found in self.managed)}))
        return Snapshot(
            tuple(task for _, task in sorted(tasks, key=lambda numbered: numbered[0])),
            tuple(copies),
            self.known.state.memory,
            others=of_others((*self.managed, *theirs.values()), self.known.namespace),
            damaged=frozenset(found.marker.nonce for found in self.managed if found.damaged),
            remedy="Restore it from the file's history",
            strays=tuple(stray for stray in unmarked if stray.boxed),
            stripped=self._stripped(),
            loose=tuple(stray for stray in unmarked if not stray.boxed),
        )

    def _stripped(self) -> frozenset[str]:
        """Return the nonces of the tasks that had comments of earlier versions, if there are several and none is left.

        The state has no marker of them.
        """
        old = self.known.live.keys() - self.known.state.markers.keys()
        there = {found.marker.nonce for found in self.managed}
        return frozenset(old) if len(old) > 1 and old.isdisjoint(there) else frozenset()

    def place(self, number: int) -> str:
        """Return the name of the file and the number of a line."""
        return f"{self.name}:{number + 1}"

    def _unmarked(self, marked: set[int]) -> Iterator[Stray]:
        """Yield the entries that nothing marks, each with its parent."""
        entries = list(unmarked_lines(self.lines, marked))
        names = {number: self.place(number) for number, _, _ in entries}
        names |= {found.number: found.marker.nonce for found in self.managed}
        parent = parents(self.lines, names)
        below: dict[int, list[str]] = {}
        for number, above in parent.items():
            below.setdefault(above, []).append(names[number])
        for number, line, form in entries:
            yield Stray(
                names[number],
                line.content,
                line.done,
                line.done_on,
                line.cancelled,
                line.dated,
                unread=f"{names[number]}: {_EMPTIED}" if form == "emptied" else "",
                parent=names[parent[number]] if number in parent else "",
                below=tuple(below.get(number, ())),
                boxed=form != "loose",
                ids=tuple(line.values("id")),
            )

    def _task(self, found: Found) -> Task:
        line, marker = found.line, found.marker
        goal = self.known.state.memory.get(goal_of(marker.key))
        remembered = goal.keys.get(marker.key) if goal else None
        if remembered is not None and (found.damaged or found.unread):
            marker = replace(marker, generation=remembered.generation)
        content, unread = self._content(line, marker), found.told(self.name)
        task = Task(
            marker.nonce,
            content,
            marker,
            done=line.done,
            done_on=None if is_far(line.done_on, marker.due) else line.done_on,
            dropped=line.cancelled,
            touched=line.added(self.known.ids) or self._has_children(found.number),
            unread=unread,
            remark="" if unread else self._remark(found.number, line),
        )
        return as_written(task, remembered) if unread else task

    def _content(self, line: Line, marker: Marker) -> Content:
        content = line.content if not line.doubtful else replace(line.content, due=marker.due)
        if not self.links:
            return content
        nonces = {self.known.ids.get(id_.casefold(), "") for id_ in line.values("after")}
        return replace(content, after=tuple(sorted(self.links[nonce] for nonce in nonces & self.links.keys())))

    def _beside(self, first: Found, copy: Found) -> str:
        """Return a sentence on the date of a copy, if it is another one than that of the task."""
        day = copy.line.content.due
        if day in (None, first.line.content.due):
            return ""
        return f"{self.place(copy.number)}: 📅 {day} does not count, as {self.place(first.number)} has the same 🆔"

    def _remark(self, number: int, line: Line) -> str:
        at = line.done_at
        if at is None or line.done or line.cancelled:
            return ""
        return (
            f"{self.place(number)}:{at + 1}: ✅ stands behind an open box: the task counts as open; tick the box "
            "(`[x]`), or take ✅ out with its date"
        )

    def _has_children(self, number: int) -> bool:
        """Return whether lines that are not ours are indented below a task."""
        for below in lines_below(self.lines, number):
            ours = any(
                mark.marker.namespace == self.known.namespace for mark in marks_of(self.lines[below], self.known)
            )
            if self.lines[below].strip() and not ours:
                return True
        return False
