"""One YAML file as plain values, with the line and column of each for messages.

The text is composed once with libyaml into nodes that carry their marks; values are built from the nodes. Scalars
follow YAML 1.2's core schema plus dates, so that `no` is a word, `on` is a key and `12:30` is not 750.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import BOM_UTF8
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave it out
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import BaseResolver

from config.errors import GoalsFileError, InputError, Place, Problem
from config.redaction import hide, tokens

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 20_000_000
MAX_DEPTH = 64  # of values; a group in a group in a group is six
MAX_NESTING = 500  # of YAML's own nodes: well below what libyaml's recursion bears
MAX_FLAT = 3  # times that what is one level deep is taken out, to see whether the rest could be nested too deeply
MAX_DIGITS = 16  # of a whole number; longer ones are text
MAX_ALIASED = 100_000  # values that aliases may repeat; past that it is a bomb
_NESTED_DASHES = re.compile(r"[-?: \t]{250}")
# A list or mapping on one line with nothing inside that could open another, or be a quote or comment: one level deep.
_FLAT = re.compile(r"\[[^][{}\"'#\n]*\]|\{[^][{}\"'#\n]*\}")

_CONFLICT, _OTHER_SIDE = re.compile(r"^<{7}(?: |$)", re.MULTILINE), re.compile(r"^={7}$", re.MULTILINE)
# A blank that is none of YAML's, where YAML needs one: before a dash or key, or behind it.
_STRANGE = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_STRANGE_BLANK = re.compile(
    rf"^[ \t]*(?:- *)*(?:(?:-|[a-z_]+:)(?=[{_STRANGE}])|(?=[{_STRANGE}]+[ {_STRANGE}]*(?:-|[a-z_]+:)))"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# What ends a plain text on its line as a comment, though it was hardly meant as one: people write "# a comment".
_CUT = re.compile(r"[ \t]+(#\w[^\n]*)")

Path_ = tuple[str | int, ...]

_NULL, _BOOL, _INT, _FLOAT, _DATE = (f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "date"))
_TEXT, _LIST, _MAPPING = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))


class CutText(str):
    """A text after which YAML reads the rest of the line, from ` #` on, as a comment; `rest` is that comment."""

    __slots__ = ("rest",)
    rest: str


class _Resolver(BaseResolver):
    """YAML 1.2's core schema without octal and hexadecimal numbers (an id such as 007 is text), and dates."""


for _tag, _pattern, _first in (
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (_BOOL, r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (_INT, r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (_FLOAT, r"[-+]?[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    (_DATE, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", list("0123456789")),
):
    _Resolver.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)


class _Composer(CParser, _Resolver):
    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        _Resolver.__init__(self)

    # The parser asks for the tag of each node; without resolvers for paths (which none of ours are) it is this short.

    def descend_resolver(self, _parent: Node, _index: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Do nothing."""

    def ascend_resolver(self) -> None:
        """Do nothing."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node without an explicit one; for a plain scalar, the first that matches."""
        if kind is ScalarNode:
            if implicit[0]:
                tags: list[tuple[str, re.Pattern[str]]] = self.yaml_implicit_resolvers.get(value[:1], [])
                for tag, pattern in tags:
                    if pattern.match(value):
                        return tag
            return _TEXT
        return _LIST if kind is SequenceNode else _MAPPING


class Source:
    """A goals file's text, its values, and the place of each value."""

    def __init__(self, name: str, text: str) -> None:
        """Parse `text`. Raises GoalsFileError when it is not YAML or not a mapping."""
        self.name = name
        self.text = text
        self.problems: list[Problem] = []
        self._refuse_secrets()
        self._refuse_deep_nesting()
        self._cuts = _CUT.search(text) is not None
        self._built: dict[int, Any] = {}
        self._open: set[int] = set()
        self._aliased = 0
        self.value = self._build(self._compose())
        self._built.clear()

    @classmethod
    def read(cls, path: Path, name: str) -> Source:
        """Read the file at `path`; messages call it `name`. Raises InputError or GoalsFileError."""
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)  # never more: it may be a device without an end
        except OSError as error:
            raise InputError(f"{name}: cannot be read: {error.strerror}") from error
        if len(raw) > MAX_BYTES:
            raise InputError(f"{name}: larger than {MAX_BYTES // 1_000_000} MB; split it, a goal a file, in a folder")
        try:
            return cls(name, raw.removeprefix(BOM_UTF8).decode())
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            message = "not UTF-8 text; save the file with the encoding UTF-8"
            raise GoalsFileError([Problem(place_at(name, before, len(before)), message)]) from None

    @cached_property
    def _node(self) -> Node:
        """The nodes with their places, only for messages: they take ten times the memory of the text."""
        return self._compose()

    def node(self, path: Path_) -> Node:
        """Return the node at `path`, or the nearest one above it; union tags (`~...`) in a path are ignored."""
        node = self._node
        for part in path:
            inner = _child(node, part)
            if inner is not None:
                node = inner
        return node

    def place(self, path: Path_) -> Place:
        """Return the place of the value at `path`."""
        return self._place(self.node(path).start_mark)

    def place_of_key(self, path: Path_) -> Place:
        """Return the place of the last key of `path`."""
        parent = self.node(path[:-1])
        if isinstance(parent, MappingNode):
            for key, _ in parent.value:
                if key.value == path[-1]:
                    return self._place(key.start_mark)
        return self.place(path)

    def keys(self, path: Path_) -> list[str]:
        """Return the keys of the mapping at `path`; none where there is another value."""
        node = self.node(path)
        return [key.value for key, _ in node.value] if isinstance(node, MappingNode) else []

    def excerpt(self, path: Path_) -> str | None:
        """Return the text of the scalar at `path`, shortened; None for a list or mapping."""
        node = self.node(path)
        if not isinstance(node, ScalarNode):
            return None
        return _short(node.value)

    def _compose(self) -> Node:
        conflict = _CONFLICT.search(self.text)
        if conflict and _OTHER_SIDE.search(self.text, conflict.end()):
            where = place_at(self.name, self.text, conflict.start())
            message = "a merge conflict of git begins here; keep one side, and take out the lines with its marks"
            raise GoalsFileError([*self.problems, Problem(where, message)])
        if control := _CONTROL.search(self.text):
            where = place_at(self.name, self.text, control.start())
            raise GoalsFileError([*self.problems, Problem(where, "a control character stands here; delete it")])
        try:
            node = _Composer(self.text).get_single_node()
        except yaml.MarkedYAMLError as error:
            if strange := _strange_blank(self.name, self.text, error):
                raise GoalsFileError([*self.problems, strange]) from None
            message = _explain_yaml(error) + _hint_at_comment(self.text, error)
            raise self._error(error.problem_mark or error.context_mark, message) from None
        except yaml.YAMLError as error:
            raise self._error(None, f"not readable as YAML: {' '.join(str(error).split())}") from None
        if node is None or (isinstance(node, ScalarNode) and not node.value):
            raise self._error(None, "the file is empty; write `goals:`, below it `- title:` and `deadline:`")
        if not isinstance(node, MappingNode):
            raise self._error(node.start_mark, "expected keys such as `goals:` at the start of a line")
        return node

    def comment_at(self, path: Path_) -> str | None:
        """Return the comment in place of the value at `path`, if it has no value."""
        node = self.node(path)
        if not isinstance(node, ScalarNode) or node.value or node.style:
            return None
        found = self._cut_after(node)
        return _short(found[1]) if found else None

    def _refuse_secrets(self) -> None:
        """Report everything that looks like a token, even in comments, without repeating it."""
        for match in tokens(self.text):
            message = "this looks like a secret token; keep it out of the file, and revoke it if it was ever pushed"
            self.problems.append(Problem(place_at(self.name, self.text, match.start()), message))

    def _refuse_deep_nesting(self) -> None:
        """Raise an error before libyaml's recursion would end the process.

        Counting brackets and dashes is cheap and errs on the safe side; it decides whether the exact count is needed.
        """
        text, flat = self.text, 0
        while (brackets := text.count("[") + text.count("{") + flat) > MAX_NESTING and flat < MAX_FLAT:
            text, flat = _FLAT.sub("", text), flat + 1
        if brackets <= MAX_NESTING and not _NESTED_DASHES.search(self.text):
            return
        depth = 0
        parser = _Composer(self.text)
        try:
            while event := parser.get_event():
                depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
                if depth > MAX_NESTING:
                    raise self._error(event.start_mark, "nested too deeply to be a goals file")
        except yaml.YAMLError:
            return  # composing meets the same mistake and explains it

    def _build(self, node: Node) -> Any:
        known = self._built.get(id(node), self)
        if known is not self:
            self._aliased += _size(known)
            if self._aliased > MAX_ALIASED:
                raise self._error(node.start_mark, "aliases (*name) repeat too much; write the values out")
            return known
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node.start_mark, "an alias (*name) contains itself")
        if len(self._open) > MAX_DEPTH:
            raise self._error(node.start_mark, "nested too deeply to be a goals file")
        self._open.add(id(node))
        value = self._mapping(node) if isinstance(node, MappingNode) else [self._build(n) for n in node.value]
        self._open.discard(id(node))
        self._built[id(node)] = value
        return value

    def _scalar(self, node: ScalarNode) -> Any:
        """Return a scalar's value; for a text without quotes, with the comment that was cut off."""
        value = _scalar(node)
        if node.style or not isinstance(value, str):
            return value
        if at := _STRANGE_BLANK.match(value):
            mark, index = node.start_mark, at.end()
            self.problems.append(_strange(Place(self.name, mark.line + 1, mark.column + 1 + index), value[index]))
        if self._cuts and (cut := self._cut_after(node)):
            value = CutText(value)
            value.rest = _short(cut[1])
        return value

    def _cut_after(self, node: ScalarNode) -> re.Match[str] | None:
        return _CUT.match(self.text, node.end_mark.index)

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise self._error(key.start_mark, "expected a word as key")
            if key.value in values:
                message = f"the key `{key.value}` stands here twice; YAML would keep only the last"
                self.problems.append(Problem(self._place(key.start_mark), message))
            values[key.value] = self._build(value)
        return values

    def _place(self, mark: Any) -> Place:
        return Place(self.name, mark.line + 1, mark.column + 1) if mark else Place(self.name, 1, 1)

    def _error(self, mark: Any, message: str) -> GoalsFileError:
        return GoalsFileError([*self.problems, Problem(self._place(mark), message)])


def _strange_blank(name: str, text: str, error: yaml.MarkedYAMLError) -> Problem | None:
    """Return the problem of the last blank before an error that YAML does not know as one; None without any."""
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()[: mark.line + 1 if mark else None]
    found = ((n, at) for n, line in enumerate(lines, start=1) if (at := _STRANGE_BLANK.match(line)))
    number, at = max(found, key=lambda one: one[0], default=(0, None))
    return _strange(Place(name, number, at.end() + 1), lines[number - 1][at.end()]) if at else None


def _strange(place: Place, blank: str) -> Problem:
    """Return the problem of a blank that YAML does not know as one."""
    name = unicodedata.name(blank).lower()
    return Problem(place, f"YAML does not accept a {name} (U+{ord(blank):04X}) here; type an ordinary blank")


def _hint_at_comment(text: str, error: yaml.MarkedYAMLError) -> str:
    """Return a hint if a list or mapping on one line contains a comment."""
    if error.context_mark is None or "flow" not in (error.context or ""):
        return ""
    last = error.problem_mark.line if error.problem_mark else error.context_mark.line
    lines = text.splitlines()[error.context_mark.line : last + 1]
    found = next((cut[1] for line in lines if (cut := _CUT.search(line))), None)
    return f"; from ` #` on, `{_short(found)}` is a comment: put the whole text in quotes" if found else ""


def place_at(name: str, text: str, index: int) -> Place:
    """Return the place of the character at `index`."""
    line_start = text.rfind("\n", 0, index) + 1
    return Place(name, text.count("\n", 0, line_start) + 1, index - line_start + 1)


def _short(text: str) -> str:
    text = hide(" ".join(text.split()))  # as a whole: a secret that is cut is not known any more
    return text if len(text) <= 60 else text[:57] + "..."


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(part, int):
        return node.value[part] if part < len(node.value) else None
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _scalar(node: ScalarNode) -> Any:
    """Return a scalar's value; an impossible date (2027-02-30) stays text, for a message of its own."""
    tag, text = node.tag, node.value
    if tag == _TEXT:
        return text
    try:
        if tag == _INT:
            return int(text) if len(text) < MAX_DIGITS else text
        if tag == _FLOAT:
            return float(text)
        if tag == _DATE:
            return date.fromisoformat(text)
    except ValueError:
        return text
    if tag == _BOOL:
        return text.lower() == "true"
    return None if tag == _NULL else text


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _explain_yaml(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return "a tab or a reserved character stands where YAML wants spaces or quotes"
    if "mapping values are not allowed" in problem:
        return "a colon inside a text needs quotes around the text, or the indentation is off"
    if "undefined alias" in problem or error.context == "while scanning an alias":
        return f"{problem}; a text that starts with * needs quotes"
    if "found a tab character" in problem:
        return "a tab stands here; indent with spaces"
    return f"not readable as YAML: {problem}{f' ({error.context})' if error.context else ''}"
