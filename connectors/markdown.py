"""Tasks as checkboxes in a Markdown file, such as `todo.md` beside the goals file.

    - [ ] Complete my food handler certification <!-- bp1 ... --> 📅 2027-08-15
        - [ ] Find a course provider <!-- bp1 ... --> 📅 2027-07-24

The notation is that of the Obsidian Tasks plugin, which GitHub and VS Code show too. The file belongs to the person:
only our own lines are touched, and of those only the part that changes; all else stays byte for byte. What we remember
stands in a comment at the end of the file, which is replaced in one step: a reader sees the old file or the new one.
"""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from config.errors import BackplanError, InputError
from config.files import replace_file
from config.untrusted import refuse_outside
from connectors.base import (
    Action,
    Answer,
    Capabilities,
    Connector,
    Content,
    GoalMemory,
    Marker,
    MemoryWrite,
    Requests,
    Snapshot,
    Task,
    Write,
    client_nonce,
)
from connectors.marker import read_marker, read_memory, write_marker, write_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_INTRO = """# To do

Tick a box, change a 📅 date or delete a line: backplan respects it. Everything else you write here stays as it is.
"""
_MEMORY_START = "<!-- backplan's memory of {namespace}, keep this"
_MEMORY_END = "-->"
_INDENT = "    "
_SIGNS = {"urgent": "🔺", "high": "⏫", "medium": "🔼"}
_PRIORITIES = {sign: name for name, sign in _SIGNS.items()}

_TASK = re.compile(
    r"(?P<indent>[ \t>]*)(?P<bullet>[-*+]|\d+[.)])(?P<gap>[ \t]+)\[(?P<box>[^\]\r\n])\](?P<text>[ \t].*)"
)
_COMMENT = re.compile(r"<!--\s*(bp\d+\b[^<>]*)-->")
_DUE = re.compile(r"📅\ufe0f? ?(\d{4}-\d\d-\d\d)")
_DONE = re.compile(r"✅\ufe0f? ?(\d{4}-\d\d-\d\d)")
_SIGN = re.compile("|".join(_PRIORITIES))
_LAST_SIGNS = re.compile(rf"( ({_SIGN.pattern}|{_DUE.pattern}|{_DONE.pattern}))+$")
# What would be read back as one of our signs is shown by its look-alike.
_LOOK_ALIKES = str.maketrans({"📅": "🗓", "✅": "☑", "🔺": "▲", "⏫": "▲", "🔼": "▲"})


class Line:
    """One line that holds a task of ours, taken apart; `text` puts it together again."""

    def __init__(self, line: str) -> None:
        """Take apart a line that is a checkbox, ours or about to be."""
        self._end = "\r" if line.endswith("\r") else ""
        line = line.removesuffix("\r")
        match = _TASK.match(line)
        assert match is not None  # noqa: S101  # _tasks yields no other
        self.indent = match["indent"]
        self._head, self._box, text = line[: match.start("box")], match["box"], line[match.end("box") :]
        comment = _COMMENT.search(text)
        signs = _LAST_SIGNS.search(text)
        start, end = comment.span() if comment else (signs.start(), signs.start()) if signs else (len(text), len(text))
        self._before, self._comment, self._after = text[:start], text[start:end], text[end:]

    @property
    def text(self) -> str:
        """The line as it shall stand in the file."""
        return f"{self._head}{self._box}{self._before}{self._comment}{self._after}{self._end}"

    @property
    def done(self) -> bool:
        """Whether the box is ticked."""
        return self._box in "xX"

    @property
    def cancelled(self) -> bool:
        """Whether the box says `-`: the Tasks plugin's "cancelled"."""
        return self._box == "-"

    @property
    def done_on(self) -> date | None:
        """The day it was done, where the line says so."""
        return _last_date(_DONE, self._after)

    @property
    def content(self) -> Content:
        """What the line says now."""
        title = self._before.partition("]")[2].strip()
        due = _last_date(_DUE, self._after)
        if due is None and (due := _last_date(_DUE, title)):
            title = _DUE.sub("", title).strip()
        sign = _SIGN.search(self._after)
        return Content(" ".join(title.split()), due, priority=_PRIORITIES[sign[0]] if sign else "none")

    @property
    def added(self) -> bool:
        """Whether the line holds more than what we write."""
        rest = self._after
        for pattern in (_DUE, _DONE, _SIGN):
            rest = pattern.sub("", rest, count=1)
        return bool(rest.strip())

    def mark(self, marker: Marker) -> None:
        """Put `marker` into the line, in place of the one that stands there."""
        if not self._comment:
            self._before = f"{self._before.rstrip()} "
        self._comment = f"<!-- {write_marker(marker)} -->"

    def unmark(self) -> None:
        """Take the marker out; the rest is the person's."""
        self._before, self._comment = self._before.rstrip(), ""

    def set(self, content: Content, fields: frozenset[str]) -> None:
        """Change the fields named, in their place."""
        if "title" in fields:
            dates = _DUE.findall(self._before) if _last_date(_DUE, self._after) is None else []
            self._before = f"] {content.title}" + "".join(f" 📅 {day}" for day in dates[-1:]) + " "
        if "priority" in fields:
            self._after = _SIGN.sub("", self._after, count=1).replace("  ", " ")
            if sign := _SIGNS.get(content.priority):
                self._after = f" {sign}{self._after}"
        if "due" in fields:
            self._set_due(content.due)

    def _set_due(self, due: date | None) -> None:
        sign = f"📅 {due}" if due else ""
        written = _DUE.findall(self._after) or _DUE.findall(self._before)
        if written and _last_date(_DUE, f"📅 {written[-1]}") is None:
            sign = f"{sign} ({written[-1]})"  # no day that exists; what a person typed is not thrown away
        if _DUE.search(self._after):
            self._after = _replace_last(_DUE, self._after, sign)
        elif _DUE.search(self._before):
            self._before = _replace_last(_DUE, self._before, sign)
        elif due:
            sign_end = match.end() if (match := _SIGN.search(self._after)) else 0
            self._after = f"{self._after[:sign_end]} {sign}{self._after[sign_end:]}"
        if not due:
            self._after = self._after.replace("  ", " ").rstrip(" ")

    def tick(self, day: date | None) -> None:
        """Tick the box and say when."""
        self._box = "x"
        if day and not _DONE.search(self._after):
            self._after = f"{self._after.rstrip(' ')} ✅ {day}"

    def untick(self) -> None:
        """Clear the box, and take out the day it was done."""
        self._box = " "
        self._after = re.sub(rf" ?{_DONE.pattern}", "", self._after)


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

    def __init__(self, path: Path, namespace: str, name: str = "") -> None:
        """`path` need not exist yet, but its folder must; `name` is how people call it, by default the file's name."""
        self.path = path
        self.label = f"markdown ({name or path.name})"
        self.identity = f"markdown {path.resolve()}"
        self.requests = Requests()
        self._namespace = namespace
        self._seen: str | None = None  # digest of the bytes that `read` saw; None where there was no file

    @classmethod
    def configure(cls, options: Mapping[str, Any], namespace: str, folder: Path) -> Connector:
        """Take `file`, by default todo.md beside the goals file."""
        unknown = set(options) - {"file"}
        name = options.get("file", "todo.md")
        if unknown or not isinstance(name, str) or not name.endswith(".md"):
            said = ", ".join(sorted(unknown)) or str(name)
            raise InputError(f"markdown: `{said}` is not a setting of it; it takes `file`, such as {{file: todo.md}}")
        path = folder / name
        refuse_outside(path)
        if not path.parent.is_dir():
            raise InputError(f"markdown: the folder of `{name}` does not exist; make it first")
        return cls(path, namespace, name)

    def canonical(self, content: Content) -> Content:
        """Return the content as a line can hold it: no notes, no labels, and no character that would end the marker."""
        title = " ".join(content.title.translate(_LOOK_ALIKES).replace("<!--", "‹!--").replace("-->", "--›").split())
        return Content(title, content.due, priority=content.priority)

    def read(self) -> Snapshot:
        """Read the file. A memory that is damaged counts as none."""
        self.requests.read += 1
        raw = self._read_bytes()
        self._seen = _digest(raw)
        if raw is None:
            return Snapshot(remembers=True)
        text = self._decode(raw)
        lines = text.split("\n")
        memory, damage = _memory(lines, self._namespace)
        known = _Known.of(lines, self._namespace)
        managed = list(_managed(lines, self._namespace, known))
        others: dict[str, set[str]] = {}
        for found in managed:
            if found.marker.namespace != self._namespace:
                others.setdefault(found.marker.namespace, set()).add(found.marker.key)
        tasks: list[tuple[int, Task]] = []
        copies: list[Task] = []
        for first, *more in _by_nonce(managed, self._namespace).values():
            tasks.append((first.number, self._task(lines, first, memory, known)))
            copies += [self._task(lines, found, memory, known) for found in more]
        return Snapshot(
            tuple(task for _, task in sorted(tasks, key=lambda numbered: numbered[0])),
            tuple(copies),
            memory,
            remembers=bool(memory) or _memory_start(lines, self._namespace) is not None,
            others={namespace: frozenset(keys) for namespace, keys in others.items()},
            damaged=frozenset(found.marker.nonce for found in managed if found.damaged),
            damage=f"{self.path}:{damage}" if damage else "",
            remedy="Restore it from the file's history",
        )

    def _task(self, lines: list[str], found: _Found, memory: Mapping[str, GoalMemory], known: _Known) -> Task:
        line, marker = Line(lines[found.number]), found.marker
        if found.damaged:
            remembered = memory[marker.key.partition("/")[0]].keys[marker.key]
            marker = replace(marker, generation=remembered.generation)
        return Task(
            marker.nonce,
            line.content,
            marker,
            done=line.done,
            done_on=line.done_on,
            dropped=line.cancelled,
            touched=line.added or self._has_children(lines, found.number, known),
        )

    def finds(self, native_id: str, content: Content) -> bool:
        """Return whether exactly one line without a marker says this: its native id has gone with the marker."""
        del native_id
        self.requests.read += 1
        raw = self._read_bytes()
        return raw is not None and _unmarked(self._decode(raw).split("\n"), content) is not None

    def apply(self, batch: Sequence[Write | MemoryWrite]) -> list[Answer]:
        """Apply the whole batch to the file as it was read, and replace it in one step."""
        raw = self._read_bytes()
        self._refuse_changed(raw)
        text = self._decode(raw) if raw is not None else _INTRO
        page = _Page(text, self._namespace)
        answers = [page.apply(write) for write in batch]
        new = page.text.encode()
        if raw is not None and raw.startswith(b"\xef\xbb\xbf"):
            new = b"\xef\xbb\xbf" + new
        if new != raw:
            self.requests.write += 1
            replace_file(self.path, new, lambda: self._refuse_changed(self._read_bytes()))
        self._seen = _digest(new)
        return answers

    def _read_bytes(self) -> bytes | None:
        if self.path.is_symlink():
            raise BackplanError(f"{self.path}: is a symbolic link; name the file it points to, so that it stays one")
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BackplanError(f"{self.path}: cannot be read: {error.strerror}; nothing was changed") from error

    def _decode(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            message = f"{self.path}:{line}: not UTF-8 text; save the file with that encoding (nothing was changed)"
            raise BackplanError(message) from None

    def _has_children(self, lines: list[str], number: int, known: _Known) -> bool:
        """Return whether lines that are not ours stand indented below a task."""
        for below in _below(lines, number):
            found = _read_marker(lines[below], self._namespace, known) if _TASK.match(lines[below]) else None
            if lines[below].strip() and (found is None or found[0].namespace != self._namespace):
                return True
        return False

    def _refuse_changed(self, raw: bytes | None) -> None:
        if _digest(raw) != self._seen:
            raise BackplanError(
                f"{self.path}: was changed by somebody else while we worked; run again (nothing was lost)"
            )
        if raw is not None and not self.path.stat().st_mode & stat.S_IWUSR:
            raise BackplanError(f"{self.path}: is read-only; allow writing to it and run again (nothing was changed)")


def holding(folder: Path, namespace: str) -> Iterator[tuple[Path, frozenset[str]]]:
    """Yield the lists in a folder that hold tasks of ours, with the ids of the goals that they belong to."""
    start = _MEMORY_START.format(namespace=namespace).encode()
    for path in sorted(folder.glob("*.md")):
        if path.is_symlink() or not path.is_file() or start not in path.read_bytes():
            continue
        memory = MarkdownConnector(path, namespace).read().memory
        live = {goal_id for goal_id, goal in memory.items() if any(e.state == "live" for e in goal.keys.values())}
        yield path, frozenset(live)


class _Page:
    """The file's lines while a batch is applied to them.

    Lines keep their number until the end: new ones are noted behind the line that they follow, so that every write
    costs the same, however long the list is.
    """

    def __init__(self, text: str, namespace: str) -> None:
        self._end_of_line = "\r" if "\r\n" in text else ""  # lines are split at "\n"
        self._lines = text.split("\n")
        self._namespace = namespace
        self._gone: set[int] = set() if text else {0}
        self._notes: dict[int, list[str]] = {}  # kept values, right below their task
        self._first: dict[int, list[str]] = {}  # first steps, below their goal
        self._behind: dict[int, list[str]] = {}  # all else that follows a line
        self._made: dict[str, str] = {}  # key -> line of each new task
        self._places: dict[str, tuple[dict[int, list[str]], int, str]] = {}  # of new tasks: list, line, indentation
        self._memory: list[str] | None = None
        managed = _managed(self._lines, namespace, _Known.of(self._lines, namespace))
        self._by_nonce = _by_nonce(managed, namespace)
        self._by_key: dict[str, int] = {}
        for first, *_ in self._by_nonce.values():
            self._by_key.setdefault(first.marker.key, first.number)
        self._last = self._last_text()

    @property
    def text(self) -> str:
        """The whole text as it shall be."""
        start = _memory_start(self._lines, self._namespace)
        stop = _memory_stop(self._lines, start) if start is not None else None
        lines: list[str] = []
        for number, line in enumerate(self._lines):
            if start is not None and stop is not None and start <= number < stop and self._memory is not None:
                if number == start:
                    lines = self._with_memory(lines, self._memory, rest=self._lines[stop:])
            elif number not in self._gone:
                lines.append(line)
            for added in (self._notes, self._first, self._behind):
                lines += added.get(number, [])
        if start is None and self._memory:
            lines = self._with_new_memory(lines, self._memory)
        return "\n".join(lines)

    def apply(self, write: Write | MemoryWrite) -> Answer:
        """Apply one write and answer for it."""
        if isinstance(write, MemoryWrite):
            first = _MEMORY_START.format(namespace=self._namespace)
            block = [first, *write_memory(write.memory), _MEMORY_END] if write.memory else []
            self._memory = [line + self._end_of_line for line in block]
            return Answer()
        if write.action is Action.CREATE:
            return self._create(write)
        number = self._find(write.native_id, last=write.action is Action.DETACH)
        if number is None and write.action is Action.REPAIR and write.content:
            number = _unmarked(self._lines, write.content)
        if number is None:
            return Answer(error="the line is gone")
        if write.action is Action.REMOVE:
            self._gone.add(number)
        else:
            self._change(number, write)
        return Answer(write.native_id)

    def _change(self, number: int, write: Write) -> None:
        line = Line(self._lines[number])
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

    def _create(self, write: Write) -> Answer:
        assert write.content is not None  # noqa: S101  # a create has both
        assert write.marker is not None  # noqa: S101
        added, number, indent = self._places[write.key] = self._room(write)
        line = Line(f"{indent}- [ ] ")
        line.set(write.content, frozenset({"title", "priority", "due"}))
        line.mark(write.marker)
        if write.done_on:
            line.tick(write.done_on)
        lines = added.setdefault(number, [])
        lines.insert(self._position(lines, write), line.text + self._end_of_line)
        self._made[write.key] = line.text + self._end_of_line
        return Answer(write.marker.nonce)

    def _position(self, lines: list[str], write: Write) -> int:
        """Return where among the new lines at one place a task goes: what is new, too, may stand there already."""
        if write.previous in self._made:
            return lines.index(self._made[write.previous]) + 1
        if write.previous in self._by_key:
            return 0
        return lines.index(self._made[write.parent]) + 1 if write.parent in self._made else len(lines)

    def _room(self, write: Write) -> tuple[dict[int, list[str]], int, str]:
        """Return where a new line goes and its indentation: after its forerunner, else first below its parent."""
        if write.previous in self._places:
            return self._places[write.previous]
        if write.previous in self._by_key:
            number = self._by_key[write.previous]
            return self._behind, _below(self._lines, number).stop - 1, _indent(self._lines[number])
        if write.parent in self._places:
            added, number, indent = self._places[write.parent]
            return added, number, indent + _INDENT
        if write.parent in self._by_key:
            number = self._by_key[write.parent]
            below = [self._lines[n] for n in _below(self._lines, number) if self._lines[n].strip()]
            return self._first, number, _indent(below[0]) if below else _indent(self._lines[number]) + _INDENT
        if not _TASK.match(self._lines[self._last]) and self._lines[self._last].strip():
            self._behind.setdefault(self._last, [self._end_of_line])
        return self._behind, self._last, ""

    def _last_text(self) -> int:
        """Return the line behind which new goals go: the last text before the memory."""
        number = _memory_start(self._lines, self._namespace)
        if number is None:
            if self._lines[-1]:  # it needs an end, so that another can follow it
                self._lines[-1] += self._end_of_line
                self._lines.append("")
            number = len(self._lines) - 1
        while number > 0 and not self._lines[number - 1].strip():
            number -= 1
        return max(number - 1, 0)

    def _find(self, nonce: str, *, last: bool) -> int | None:
        """Return the line with this nonce: the first, or the last where a copy is to be let go."""
        found = self._by_nonce.get(nonce, [])
        if not found:
            return None
        return found.pop().number if last else found[0].number

    def _with_memory(self, lines: list[str], memory: list[str], rest: list[str]) -> list[str]:
        """Return the lines with the memory; where there is none any more, as they ended before the first."""
        while not memory and lines and not lines[-1].strip() and not any(map(str.strip, rest)):
            lines = lines[:-1]
        return [*lines, *memory]

    def _with_new_memory(self, lines: list[str], memory: list[str]) -> list[str]:
        if lines and not lines[-1]:
            lines.pop()
        blank = [self._end_of_line] if lines and lines[-1].strip() else []
        return [*lines, *blank, *memory, ""]


def _tasks(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are checkboxes, outside fenced code blocks."""
    code = _fenced(lines)
    for number, line in enumerate(lines):
        if number not in code and _TASK.match(line):
            yield number, line


def _fenced(lines: list[str]) -> set[int]:
    """Return the lines of fenced code blocks, as CommonMark sees them."""
    if not any("```" in line or "~~~" in line for line in lines):
        return set()
    from markdown_it import MarkdownIt  # slow to import, and most lists hold no code

    # Its lines have to end where ours do, and nowhere else.
    text = "\n".join(line.removesuffix("\r").replace("\r", " ") for line in lines)
    tokens = MarkdownIt("commonmark").parse(text)
    return {n for token in tokens if token.type == "fence" and token.map for n in range(token.map[0], token.map[1])}


class _Known:
    """The nonces that we remember, with their keys: by one of these, a marker that a person damaged is told."""

    def __init__(self, nonces: Mapping[str, str], *, complete: bool) -> None:
        """complete: there is a memory, so that a nonce that is not in it says something."""
        self.nonces = nonces
        self.keys = frozenset(nonces.values())
        self._complete = complete

    @classmethod
    def of(cls, lines: list[str], namespace: str) -> _Known:
        """Return what the memory in these lines knows."""
        memory, damage = _memory(lines, namespace)
        nonces = {entry.native_id: key for goal in memory.values() for key, entry in goal.keys.items()}
        return cls(nonces, complete=not damage and _memory_start(lines, namespace) is not None)

    def may_be_ours(self, marker: Marker) -> bool:
        """Return whether we can have written a marker: its nonce is remembered, or what a key gives that is not.

        The second is so where two branches were merged, and the memory of the other one was taken.
        """
        if not self._complete or marker.nonce in self.nonces:
            return True
        nonce = client_nonce(marker.namespace, marker.key, marker.generation)
        return marker.key not in self.keys and marker.nonce == nonce


class _Found(NamedTuple):
    """A line with a marker that counts. `exact`: the memory has the very same key for its nonce."""

    number: int
    marker: Marker
    damaged: bool
    exact: bool


def _managed(lines: list[str], namespace: str, known: _Known) -> Iterator[_Found]:
    """Yield the lines that carry a marker of any namespace; one of ours that we cannot have written is no marker."""
    for number, line in _tasks(lines):
        if found := _read_marker(line, namespace, known):
            marker, damaged = found
            exact = not damaged and known.nonces.get(marker.nonce) == marker.key
            yield _Found(number, marker, damaged, exact)


def _by_nonce(managed: Iterable[_Found], namespace: str) -> dict[str, list[_Found]]:
    """Return our lines by their nonces. The first of each list is the task, the others are copies of it."""
    lines: dict[str, list[_Found]] = {}
    for found in managed:
        if found.marker.namespace == namespace:
            lines.setdefault(found.marker.nonce, []).append(found)
    return {nonce: sorted(found, key=lambda line: not line.exact) for nonce, found in lines.items()}


def _read_marker(line: str, namespace: str, known: _Known) -> tuple[Marker, bool] | None:
    """Return the marker of a line, and whether it is damaged; None for a line without one."""
    comment = _COMMENT.search(line)
    if comment is None:
        return None
    marker = read_marker(comment[1])
    nonce = next((word for word in comment[1].split() if word in known.nonces), None)
    ours = marker is None or marker.namespace == namespace
    if nonce is not None and ours and (marker is None or marker.key not in known.keys):
        return Marker(namespace, known.nonces[nonce], nonce), True
    if marker is None or (ours and not known.may_be_ours(marker)):
        return None
    return marker, False


def _unmarked(lines: list[str], content: Content) -> int | None:
    """Return the one task without a marker that says this; None where there is none, or more than one."""
    found = [n for n, line in _tasks(lines) if not _COMMENT.search(line) and Line(line).content == content]
    return found[0] if len(found) == 1 else None


def _below(lines: list[str], number: int) -> range:
    """Return the lines that belong to a task: those after it that are indented further."""
    own = len(_indent(lines[number]).expandtabs(4))
    stop = end = number + 1
    while end < len(lines):
        if lines[end].strip():
            if len(_indent(lines[end]).expandtabs(4)) <= own:
                break
            stop = end + 1
        end += 1
    return range(number + 1, stop)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t>"))]


def _memory(lines: list[str], namespace: str) -> tuple[dict[str, GoalMemory], str]:
    """Return the memory; where it cannot be read, none, and what is wrong with it on which line."""
    start = _memory_start(lines, namespace)
    if start is None:
        return {}, ""
    entries = lines[start + 1 : _memory_stop(lines, start)]
    try:
        return read_memory([line for line in entries if line.strip() not in ("", _MEMORY_END)]), ""
    except ValueError as error:
        return {}, f"{start + 1}: {error}"


def _memory_stop(lines: list[str], start: int) -> int:
    """Return the line after the memory that begins at `start`; where its end is lost, the one after its last entry."""
    stop = start + 1
    while stop < len(lines) and lines[stop].strip() and not lines[stop].startswith("<!--"):
        if lines[stop].strip() == _MEMORY_END:
            return stop + 1
        stop += 1
    return next((n for n in range(start + 1, len(lines)) if not lines[n].startswith("{")), len(lines))


def _memory_start(lines: list[str], namespace: str) -> int | None:
    start = _MEMORY_START.format(namespace=namespace)
    return next((n for n in range(len(lines) - 1, -1, -1) if lines[n].rstrip() == start), None)


def _last_date(pattern: re.Pattern[str], text: str) -> date | None:
    found = pattern.findall(text)
    try:
        return date.fromisoformat(found[-1]) if found else None
    except ValueError:
        return None


def _replace_last(pattern: re.Pattern[str], text: str, new: str) -> str:
    *_, match = pattern.finditer(text)
    return text[: match.start()] + new + text[match.end() :]


def _digest(raw: bytes | None) -> str | None:
    return sha256(raw).hexdigest() if raw is not None else None
