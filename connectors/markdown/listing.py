"""From the lines of a Markdown list to its snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.keys import goal_of
from connectors.days import is_far
from connectors.markdown.comments import marks_of
from connectors.markdown.found import by_nonce, emptied_lines, loose_lines, others_lines, unmarked_lines
from connectors.markdown.text import lines_below, parents
from connectors.model import Content, Marker, Snapshot, Stray, Task

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
        markers = [found.marker for found in self.managed]
        tasks: list[tuple[int, Task]] = []
        copies: list[Task] = []
        for first, *more in by_nonce(self.managed, self.known.namespace).values():
            tasks.append((first.number, self._task(first)))
            copies += [replace(self._task(copy), remark=self._beside(first, copy)) for copy in more]
        strays, loose = self._unmarked({*theirs, *(found.number for found in self.managed)})
        return Snapshot(
            tuple(task for _, task in sorted(tasks, key=lambda numbered: numbered[0])),
            tuple(copies),
            self.known.state.memory,
            others=_by_namespace((*((m.namespace, m.key) for m in markers), *theirs.values()), self.known.namespace),
            damaged=frozenset(found.marker.nonce for found in self.managed if found.damaged),
            remedy="Restore it from the file's history",
            strays=tuple(strays),
            stripped=self._stripped(),
            loose=tuple(loose),
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

    def _unmarked(self, marked: set[int]) -> tuple[Iterator[Stray], Iterator[Stray]]:
        """Return the `strays` of the snapshot and its `loose` lines, each with its parent.

        marked: the lines that are somebody's; one with a torn comment looks unmarked.
        """
        emptied = {n: line for n, line in emptied_lines(self.lines) if n not in marked}
        strays = dict(unmarked_lines(self.lines, marked)) | emptied
        loose = {n: line for n, line in loose_lines(self.lines) if n not in marked}
        names = {number: self.place(number) for number in (*strays, *loose)}
        names |= {found.number: found.marker.nonce for found in self.managed}
        parent = parents(self.lines, names)
        below: dict[int, list[str]] = {}
        for number, above in parent.items():
            below.setdefault(above, []).append(names[number])

        def stray(number: int, line: Line) -> Stray:
            place, content = self.place(number), line.content
            unread = f"{place}: {_EMPTIED}" if number in emptied else ""
            above = names[parent[number]] if number in parent else ""
            under = tuple(below.get(number, ()))
            said = line.done, line.done_on, line.cancelled, line.dated
            ids = tuple(line.values("id"))
            return Stray(place, content, *said, unread, above, under, boxed=number in strays, ids=ids)

        return (stray(*one) for one in strays.items()), (stray(*one) for one in loose.items())

    def _task(self, found: Found) -> Task:
        line, marker = found.line, found.marker
        goal = self.known.state.memory.get(goal_of(marker.key))
        remembered = goal.keys.get(marker.key) if goal else None
        if remembered is not None and (found.damaged or found.unread):
            marker = replace(marker, generation=remembered.generation)
        content, done, dropped = self._content(line, marker), line.done, line.cancelled
        unread = found.told(self.name)
        if unread or line.doubtful:
            content = replace(content, due=marker.due)
        if unread:
            state = remembered.state if remembered else "live"
            done, dropped = state == "done", state == "dropped"
        return Task(
            marker.nonce,
            content,
            marker,
            done=done,
            done_on=None if is_far(line.done_on, marker.due) else line.done_on,
            dropped=dropped,
            touched=line.added(self.known.ids) or self._has_children(found.number),
            unread=unread,
            remark="" if unread else self._remark(found.number, line),
        )

    def _content(self, line: Line, marker: Marker) -> Content:
        """Return the content of a line of ours; one with a comment shows no first day, and has the published one."""
        content = line.content
        if line.old and line.last("start") is None:
            content = replace(content, start=self.known.start(marker))
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


def _by_namespace(keys: Sequence[tuple[str, str]], own: str) -> Mapping[str, frozenset[str]]:
    """Return the keys of other namespaces."""
    others: dict[str, frozenset[str]] = {}
    for namespace, key in keys:
        if namespace != own:
            others[namespace] = others.get(namespace, frozenset()) | {key}
    return others
