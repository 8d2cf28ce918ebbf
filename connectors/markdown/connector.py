"""Tasks as checkboxes in a Markdown file, such as `todo.md` beside the goals file.

    - [ ] Complete my food handler certification <!-- bp1 ... --> 📅 2027-08-15
        - [ ] Find a course provider <!-- bp1 ... --> 📅 2027-07-24

The notation is that of the Obsidian Tasks plugin, which GitHub and VS Code show too. The file belongs to the user: only
the parts of our own lines that change are written; everything else stays byte for byte. The memory is a comment at the
end of the file. The file is replaced in one step: a reader sees the old file or the new one.
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
    loose_lines,
    managed_lines,
    unmarked_lines,
)
from connectors.markdown.line import Line, held
from connectors.markdown.marks import Known, lost_marks, markers_of
from connectors.markdown.memory import MEMORY_START, memory_block, memory_in
from connectors.markdown.page import Page
from connectors.markdown.text import conflicts, fenced, lines_below, parents
from connectors.model import Content, Snapshot, StoredGoal, Stray, Task
from connectors.options import Options, read_options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from config.settings import Environment

_INTRO = """# To do

Tick a box, change a 📅 date or delete a line: backplan respects it. Everything else you write here stays as it is.
"""

_EMPTIED = "nothing is left in the comment of backplan; take it out, and the line is read again"


class MarkdownOptions(Options):
    """Which file holds the tasks."""

    example: ClassVar[str] = "{file: todo.md}"
    file: str = Field("todo.md", pattern=r"\.md$", description="a file whose name ends with .md, such as todo.md")

    @property
    def place(self) -> str:
        """The file."""
        return self.file


class MarkdownConnector:
    """One Markdown file. Its native ids are the nonces of its markers."""

    name: ClassVar[str] = "markdown"
    capabilities: ClassVar[Capabilities] = Capabilities(
        frozenset({"title", "due", "priority"}),
        reliability="unique",
        atomic=True,
        client_ids=True,
        local=True,
    )
    options: ClassVar[type[MarkdownOptions]] = MarkdownOptions
    credential: ClassVar[None] = None

    def __init__(self, path: Path, namespace: str, name: str = "") -> None:
        """`path` need not exist yet, but its folder must; `name` is shown in messages, by default the file's name."""
        self.path = path
        self._name = name or path.name
        self.label = f"markdown ({self._name})"
        self.identity = f"markdown {path.resolve()}"
        self.requests = Requests()
        self._namespace = namespace
        self._file = ListFile(path)

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Take what the model of the options says."""
        name = read_options(cls.name, cls.options, options).file
        path = environment.folder / name
        refuse_outside(path)
        if not path.parent.is_dir():
            raise InputError(f"markdown: the folder of `{name}` does not exist; make it first")
        return cls(path, namespace, name)

    def canonical(self, content: Content) -> Content:
        """Return the content that fits into a line: no notes, no labels, and no character that would end the marker."""
        return Content(held(content.title), content.due, priority=content.priority)

    def read(self) -> Snapshot:
        """Read the file. A memory that is damaged counts as none."""
        self.requests.read += 1
        raw = self._file.read()
        if raw is None:
            return Snapshot(remembers=True)
        lines = self._file.decode(raw).split("\n")
        memory, damage = memory_in(lines, self._namespace)
        known = Known.of(lines, self._namespace)
        managed = managed_lines(lines, known)
        self._refuse_conflict(lines, managed)
        if not memory:
            self._refuse_torn(lines, managed)
        others: dict[str, set[str]] = {}
        for found in managed:
            if found.marker.namespace != self._namespace:
                others.setdefault(found.marker.namespace, set()).add(found.marker.key)
        tasks: list[tuple[int, Task]] = []
        copies: list[Task] = []
        for first, *more in by_nonce(managed, self._namespace).values():
            tasks.append((first.number, self._task(lines, first, memory, known)))
            copies += [self._task(lines, found, memory, known) for found in more]
        return Snapshot(
            tuple(task for _, task in sorted(tasks, key=lambda numbered: numbered[0])),
            tuple(copies),
            memory,
            remembers=bool(memory) or memory_block(lines, self._namespace) is not None,
            others={namespace: frozenset(keys) for namespace, keys in others.items()},
            damaged=frozenset(found.marker.nonce for found in managed if found.damaged),
            damage=f"{self.path}:{damage}" if damage else "",
            remedy="Restore it from the file's history",
            **self._unmarked(lines, managed),
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

    def _unmarked(self, lines: list[str], managed: Sequence[Found]) -> dict[str, Any]:
        """Return the `strays` of the snapshot and its `loose` lines, each with its parent."""
        ours = {found.number for found in managed}  # a line with a torn comment looks unmarked
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
            return Stray(place, content, *said, unread, above, under, boxed=number in strays)

        return {
            "strays": tuple(stray(number, line) for number, line in strays.items()),
            "loose": tuple(stray(number, line) for number, line in loose.items()),
        }

    def _place(self, number: int) -> str:
        return f"{self._name}:{number + 1}"

    def _task(self, lines: list[str], found: Found, memory: Mapping[str, StoredGoal], known: Known) -> Task:
        line, marker = Line(lines[found.number], found.span), found.marker
        goal = memory.get(goal_of(marker.key))
        remembered = goal.keys.get(marker.key) if goal else None
        if remembered is not None and (found.damaged or found.unread):
            marker = replace(marker, generation=remembered.generation)
        content, done, dropped = line.content, line.done, line.cancelled
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
            touched=line.added or self._has_children(lines, found.number, known),
            unread=unread,
            remark="" if unread else self._remark(found.number, line),
        )

    def _remark(self, number: int, line: Line) -> str:
        at = line.done_at
        if at is None or line.done or line.cancelled:
            return ""
        return (
            f"{self._place(number)}:{at + 1}: ✅ stands behind an open box: the task counts as open; tick the box "
            "(`[x]`), or take ✅ out with its date"
        )

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        """Apply the whole batch to the file as it was read, and replace it in one step."""
        raw = self._file.unchanged()
        text = self._file.decode(raw) if raw is not None else _INTRO
        page = Page(text, self._namespace, self._name)
        answers = [page.apply(write) for write in batch]
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
            ours = any(mark.marker.namespace == self._namespace for mark in markers_of(lines[below], known))
            if lines[below].strip() and not ours:
                return True
        return False

    def _refuse_conflict(self, lines: list[str], managed: Sequence[Found]) -> None:
        """Raise RefusedError for an unresolved merge conflict, which contains each line of ours twice."""
        ours = {found.number for found in managed if found.marker.namespace == self._namespace}
        block = memory_block(lines, self._namespace)
        ours |= {block.start} if block else set()
        code = fenced(lines)
        for conflict in conflicts(lines):
            if ours.intersection(conflict) and conflict.start not in code:
                raise RefusedError(
                    f"{self.path}:{conflict.start + 1}: a merge conflict of git begins here, with lines of backplan in "
                    "it; settle it (keep one side, and take out the marks) and run again. Nothing was changed."
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
