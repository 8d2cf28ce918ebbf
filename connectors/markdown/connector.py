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
from config.pull_request import refuse_outside
from connectors.base import Capabilities, Connector, Requests, StoreWrite, Write, WriteResult
from connectors.markdown.comments import lost_marks
from connectors.markdown.file import ListFile
from connectors.markdown.found import managed_lines
from connectors.markdown.line import held
from connectors.markdown.listing import Listing
from connectors.markdown.marks import Known
from connectors.markdown.memory import stored_in
from connectors.markdown.page import Page
from connectors.markdown.text import conflicts, fenced
from connectors.model import Content, Snapshot
from connectors.options import Options, read_options

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from config.settings import Environment

_INTRO = """# To do

Tick a box, change a 📅 date or delete a line: backplan respects it. Everything else you write here stays as it is.
"""


class MarkdownOptions(Options):
    """Where the list is, and what it shows."""

    example: ClassVar[str] = "{file: todo.md}"
    file: str = Field("todo.md", pattern=r"\.md$", description="the name of a file that ends in .md, such as todo.md")
    dependencies: bool = Field(False, description="true to name in ⛔ the tasks directly before a step, else false")

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
    options: ClassVar[type[MarkdownOptions]] = MarkdownOptions
    credential: ClassVar[None] = None

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
    def configure(cls, options: Mapping[str, Any], namespace: str, environment: Environment) -> Connector:
        """Return a connector with the options of one place."""
        settings = read_options(cls.name, MarkdownOptions, options)
        path = environment.folder / settings.file
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
        text = self._file.decode(raw).split("\n")
        stored = stored_in(text, self._namespace)
        lines = stored.blanked(text)
        known = Known(stored, self._namespace)
        managed = managed_lines(lines, known)
        links = {found.marker.nonce: found.marker.key for found in managed} if self._dependencies else {}
        listing = Listing(lines, known, managed, self._name, links)
        self._refuse_conflict(text, listing)
        if not known.state.memory:
            self._refuse_torn(listing)
        return replace(
            listing.snapshot(),
            remembers=bool(known.state.memory) or bool(stored.blocks),
            damage=f"{self.path}:{stored.damage}" if stored.damage else "",
            mending=stored.mending,
        )

    def _refuse_torn(self, listing: Listing) -> None:
        """Raise RefusedError if a comment of ours cannot be read, and there is no memory to restore it from."""
        ours = {found.number for found in listing.managed}
        torn = next((mark for mark in lost_marks(listing.lines, self._namespace) if mark[0] not in ours), None)
        if torn is not None:
            number, column = torn
            raise RefusedError(
                f"{listing.place(number)}:{column}: a comment of backplan's is damaged here, and the memory at the end "
                "of the file is damaged or gone, so that nothing tells which step this is. Restore the file from its "
                "history, or write `<!--` and `-->` around each such comment again. Nothing was changed."
            )

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

    def _refuse_conflict(self, lines: Sequence[str], listing: Listing) -> None:
        """Raise RefusedError for an unresolved merge conflict outside of the state, with lines of ours in it."""
        ours = {found.number for found in listing.managed if found.marker.namespace == self._namespace}
        inside = listing.known.stored.numbers
        ours |= {*inside, *(number for number, line in enumerate(lines) if "🆔" in line)}
        code = fenced(lines)
        for conflict in (conflict.numbers for conflict in conflicts(lines)):
            within = inside.issuperset(conflict)
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
    name = f"memory of {namespace}, keep this".encode()
    for path in sorted(folder.glob("*.md")):
        if path.is_symlink() or not path.is_file() or path.resolve() in named or name not in path.read_bytes():
            continue
        try:
            memory = MarkdownConnector(path, namespace).read().memory
        except BackplanError as error:
            yield path, frozenset(), str(error)
            continue
        live = {goal_id for goal_id, goal in memory.items() if any(e.state == "live" for e in goal.keys.values())}
        yield path, frozenset(live), ""
