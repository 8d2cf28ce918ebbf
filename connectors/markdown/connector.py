"""Tasks as checkboxes in a Markdown file, such as `todo.md` beside the goals file.

    - [ ] Complete my food handler certification 📅 2027-08-15 🆔 d3c4b1a
        - [ ] Find a course provider 🛫 2027-07-20 📅 2027-07-24 🆔 93fe017

The notation is that of the Obsidian Tasks plugin, which GitHub and VS Code show too. The file belongs to the user:
only the parts of our own lines that change are written; everything else stays byte for byte. The memory, and the rest
of each marker, are in the state, a comment at the end of the file. Lines of earlier versions have their marker in a
comment, which the next change of the line takes out. The file is replaced in one step: a reader sees the old file or
the new one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from config.errors import BackplanError, InputError, RefusedError
from config.keys import goal_of
from config.pull_request import refuse_outside
from connectors.base import Capabilities, Connector, Requests, StoreWrite, Write, WriteResult
from connectors.days import is_far
from connectors.markdown.file import ListFile
from connectors.markdown.found import (
    Found,
    by_nonce,
    emptied_lines,
    find_unmarked,
    loose_lines,
    managed_lines,
    others_lines,
    unmarked_lines,
)
from connectors.markdown.line import Line, held
from connectors.markdown.marks import Known, lost_marks, marks_of
from connectors.markdown.memory import MEMORY_START, Block, memory_block, stored_in
from connectors.markdown.page import Page
from connectors.markdown.text import conflicts, fenced, lines_below, parents
from connectors.model import Content, Marker, Snapshot, Stray, Task
from connectors.options import Options, read_options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_INTRO = """# To do

Tick a box, change a 📅 date or delete a line: backplan respects it. Everything else you write here stays as it is.
"""

_EMPTIED = "nothing is left in the comment of backplan; take it out, and the line is read again"


class MarkdownOptions(Options):
    """Where the list is, and what it shows."""

    example: ClassVar[str] = "{file: todo.md}"
    file: str = Field("todo.md", pattern=r"\.md$", description="the name of a file that ends in .md, such as todo.md")
    dependencies: bool = Field(False, description="true to show in ⛔ what comes directly before a step, else false")

    @property
    def place(self) -> str:
        """The file."""
        return self.file


class MarkdownConnector:
    """One Markdown file. Its native ids are the nonces of its markers."""

    name: ClassVar[str] = "markdown"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "start", "due", "priority", "after"}),
        reliability="unique",
        atomic=True,
        client_ids=True,
        local=True,
    )

    options: ClassVar[type[Options]] = MarkdownOptions

    def __init__(self, path: Path, namespace: str, name: str = "", *, dependencies: bool = False) -> None:
        """`path` need not exist yet, but its folder must; `name` is shown in messages, by default the file's name."""
        self.path = path
        self._name = name or path.name
        self.label = f"markdown ({self._name})"
        self.identity = f"markdown {path.resolve()}"
        self.requests = Requests()
        self._namespace = namespace
        self._dependencies = dependencies
        self._file = ListFile(path)

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, folder: Path) -> Connector:
        """Take `file`, by default todo.md beside the goals file, and `dependencies`."""
        settings = read_options("markdown", MarkdownOptions, options)
        path = folder / settings.file
        refuse_outside(path)
        if not path.parent.is_dir():
            raise InputError(f"markdown: the folder of `{settings.file}` does not exist; make it first")
        return cls(path, namespace, settings.file, dependencies=settings.dependencies)

    def canonical(self, content: Content) -> Content:
        """Return the content that fits into a line: no notes, no labels, no first day that is the due day."""
        start = content.start if content.start != content.due else None
        after = tuple(sorted(set(content.after))) if self._dependencies else ()
        return Content(held(content.title), content.due, priority=content.priority, start=start, after=after)

    def read(self) -> Snapshot:
        """Read the file. A memory that is damaged counts as none."""
        self.requests.read += 1
        raw = self._file.read()
        if raw is None:
            return Snapshot(remembers=True)
        lines = self._file.decode(raw).split("\n")
        stored = stored_in(lines, self._namespace)
        memory = stored.state.memory
        block = memory_block(lines, self._namespace)
        known = Known(stored.state, self._namespace, complete=not stored.damage and block is not None)
        managed = managed_lines(lines, known)
        self._refuse_conflict(lines, managed, block)
        if not memory:
            self._refuse_torn(lines, managed)
        theirs = others_lines(lines, self._namespace)
        others: dict[str, set[str]] = {}
        foreign = [(f.marker.namespace, f.marker.key) for f in managed if f.marker.namespace != self._namespace]
        for namespace, key in (*foreign, *theirs.values()):
            others.setdefault(namespace, set()).add(key)
        tasks: list[tuple[int, Task]] = []
        copies: list[Task] = []
        for first, *more in by_nonce(managed, self._namespace).values():
            tasks.append((first.number, self._task(lines, first, known)))
            copies += [self._task(lines, found, known) for found in more]
        return Snapshot(
            tuple(task for _, task in sorted(tasks, key=lambda numbered: numbered[0])),
            tuple(copies),
            memory,
            remembers=bool(memory) or block is not None,
            others={namespace: frozenset(keys) for namespace, keys in others.items()},
            damaged=frozenset(found.marker.nonce for found in managed if found.damaged),
            damage=f"{self.path}:{stored.damage}" if stored.damage else "",
            remedy="Restore it from the file's history",
            mending=stored.mending,
            **self._unmarked(lines, managed, theirs),
        )

    def _refuse_torn(self, lines: list[str], managed: Sequence[Found]) -> None:
        """Raise RefusedError if a comment of ours cannot be read, and there is no memory to restore it from."""
        ours = {found.number for found in managed}
        torn = next((mark for mark in lost_marks(lines, self._namespace) if mark[0] not in ours), None)
        if torn is not None:
            number, column = torn
            raise RefusedError(
                f"{self._place(number)}:{column}: a comment of backplan's is damaged here, and the memory at the end "
                "of the file is damaged or gone, so that nothing tells which step this is. Restore the file from its "
                "history, or write `<!--` and `-->` around each such comment again. Nothing was changed."
            )

    def _unmarked(self, lines: list[str], managed: Sequence[Found], theirs: Collection[int]) -> dict[str, Any]:
        """Return the `strays` of the snapshot and its `loose` lines, each with its parent."""
        ours = {*theirs, *(found.number for found in managed)}  # a line with a torn comment looks unmarked
        emptied = {n: line for n, line in emptied_lines(lines) if n not in ours}
        strays = {n: line for n, line in unmarked_lines(lines) if n not in ours} | emptied
        loose = {n: line for n, line in loose_lines(lines) if n not in ours}
        names = {number: self._place(number) for number in (*strays, *loose)}
        names |= {found.number: found.marker.nonce for found in managed}
        parent = parents(lines, names)
        below: dict[int, list[str]] = {}
        for number, above in parent.items():
            below.setdefault(above, []).append(names[number])

        def stray(number: int, line: Line) -> Stray:
            place, content = self._place(number), line.content
            unread = f"{place}: {_EMPTIED}" if number in emptied else ""
            above = names[parent[number]] if number in parent else ""
            under = tuple(below.get(number, ()))
            said = line.done, line.done_on, line.cancelled, line.dated
            ids = tuple(line.values("id"))
            return Stray(place, content, *said, unread, above, under, boxed=number in strays, ids=ids)

        return {
            "strays": tuple(stray(number, line) for number, line in strays.items()),
            "loose": tuple(stray(number, line) for number, line in loose.items()),
        }

    def _place(self, number: int) -> str:
        return f"{self._name}:{number + 1}"

    def _task(self, lines: list[str], found: Found, known: Known) -> Task:
        line, marker = found.mark.line(lines[found.number]), found.marker
        goal = known.state.memory.get(goal_of(marker.key))
        remembered = goal.keys.get(marker.key) if goal else None
        if remembered is not None and (found.damaged or found.unread):
            marker = replace(marker, generation=remembered.generation)
        content, done, dropped = self._content(line, marker, known), line.done, line.cancelled
        unread = found.told(self._name)
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
            touched=line.added(known.ids) or self._has_children(lines, found.number, known),
            unread=unread,
            remark="" if unread else self._remark(found.number, line),
        )

    def _content(self, line: Line, marker: Marker, known: Known) -> Content:
        """Return the content of a line of ours; one with a comment shows no first day, and has the published one."""
        content = line.content
        if line.comment and line.last("start") is None:
            content = replace(content, start=known.start(marker))
        if not self._dependencies:
            return content
        nonces = {known.ids.get(id_.casefold(), "") for id_ in line.values("after")}
        return replace(content, after=tuple(sorted(known.nonces[nonce] for nonce in nonces & known.nonces.keys())))

    def _remark(self, number: int, line: Line) -> str:
        at = line.done_at
        if at is None or line.done or line.cancelled:
            return ""
        return (
            f"{self._place(number)}:{at + 1}: ✅ stands behind an open box: the task counts as open; tick the box "
            "(`[x]`), or take ✅ out with its date"
        )

    def finds(self, native_id: str, content: Content) -> bool:
        """Return whether exactly one line without a marker has this content: the id was removed with the marker."""
        del native_id
        self.requests.read += 1
        raw = self._file.content()
        if raw is None:
            return False
        lines = self._file.decode(raw).split("\n")
        managed = {found.number for found in managed_lines(lines, Known.of(lines, self._namespace))}
        return find_unmarked(lines, content, managed) is not None

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Apply the whole batch to the file as it was read, and replace it in one step."""
        raw = self._file.unchanged()
        text = self._file.decode(raw) if raw is not None else _INTRO
        page = Page(text, self._namespace, self._name, links=self._dependencies)
        answers = page.apply(batch)
        new = page.text.encode()
        if raw is not None and raw.startswith(b"\xef\xbb\xbf"):
            new = b"\xef\xbb\xbf" + new
        if new != raw:
            self.requests.write += 1
            self._file.replace(new)
        return answers

    def _has_children(self, lines: list[str], number: int, known: Known) -> bool:
        """Return whether lines that are not ours are indented below a task."""
        for below in lines_below(lines, number):
            ours = any(mark.marker.namespace == self._namespace for mark in marks_of(lines[below], known))
            if lines[below].strip() and not ours:
                return True
        return False

    def _refuse_conflict(self, lines: list[str], managed: Sequence[Found], block: Block | None) -> None:
        """Raise RefusedError for an unresolved merge conflict outside of the state, with lines of ours in it."""
        ours = {found.number for found in managed if found.marker.namespace == self._namespace}
        inside = block.numbers if block else range(0)
        ours |= {*inside, *(number for number, line in enumerate(lines) if "🆔" in line)}
        code = fenced(lines)
        for conflict in conflicts(lines):
            within = conflict.start in inside[1:] and conflict.stop <= inside.stop
            if conflict.start in code or within or not ours.intersection(conflict):
                continue
            raise RefusedError(
                f"{self.path}:{conflict.start + 1}: a merge conflict of git begins here, with lines of backplan in it, "
                f"and ends in line {conflict.stop}; settle it (let each task stand there once, and take out the marks) "
                "and run again. The marks in the comment at the end of the file can stay. Nothing was changed."
            )


def holding(folder: Path, namespace: str, named: Collection[Path]) -> Iterator[tuple[Path, frozenset[str], str]]:
    """Yield the lists in a folder that hold tasks of ours, with the ids of the goals that they belong to.

    Behind them stands why a list cannot be read, as with the copy that a sync service made of two versions. `named` are
    those that the goals file names, which are left out.
    """
    start = MEMORY_START.format(namespace=namespace).encode()
    for path in sorted(folder.glob("*.md")):
        if path.is_symlink() or not path.is_file() or path.resolve() in named or start not in path.read_bytes():
            continue
        try:
            memory = MarkdownConnector(path, namespace).read().memory
        except BackplanError as error:
            yield path, frozenset(), str(error)
            continue
        live = {goal_id for goal_id, goal in memory.items() if any(e.state == "live" for e in goal.keys.values())}
        yield path, frozenset(live), ""
