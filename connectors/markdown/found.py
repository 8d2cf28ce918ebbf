"""Finds our lines in a Markdown list: those with an id or a marker, and which of them are copies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from connectors.markdown.comments import COMMENT, broken_over, markers_of, marks_of, torn_marks, unescaped
from connectors.markdown.line import Line
from connectors.markdown.marks import Known, Mark, identified
from connectors.markdown.memory import other_states
from connectors.markdown.state import LONG, SHORT, Stored
from connectors.markdown.text import BULLET, TASK, fenced, lines_below
from connectors.markdown.unread import unread
from connectors.model import Marker, digest
from connectors.ownership import by_nonce

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from connectors.model import Content


Form = Literal["task", "emptied", "loose"]
_JOINED = (1, "several tasks stand on one line; give each a line of its own, and it is read again")


class Found(NamedTuple):
    """A line of a task, with what marks it.

    - `rank`: of lines with one nonce, the lowest is the task; the others are copies of it.
    - `unread`: the column of the part that cannot be read, and how to correct it.
    """

    number: int
    mark: Mark
    line: Line
    rank: tuple[bool, ...]
    unread: tuple[int, str] | None

    @property
    def marker(self) -> Marker:
        """The marker."""
        return self.mark.marker

    @property
    def damaged(self) -> bool:
        """Whether the marker has to be written again."""
        return self.mark.damaged

    def told(self, file: str) -> str:
        """Return a message on the part that cannot be read, with its place; empty if there is none."""
        return f"{file}:{self.number + 1}:{self.unread[0]}: {self.unread[1]}" if self.unread else ""


def managed_lines(lines: list[str], known: Known) -> list[Found]:
    """Return the lines with an id or a marker of any namespace, without those of ours that we cannot have written.

    lines: those of the list, without its state.

    A torn comment counts if no other line has its nonce. If only the id or the nonce of a task is found, anywhere in
    the text, the task exists and cannot be read.
    """
    broken, texts = broken_over(lines), list(enumerate(lines))
    apart = fenced(lines) | broken.keys()
    open_texts = [(n, text) for n, text in texts if n not in apart]
    managed = [found for n, text in open_texts for found in _found(lines, n, list(marks_of(text, known)), known)]
    if known.live.keys() - _nonces(managed):
        managed += list(_torn(lines, open_texts, _nonces(managed), known))
        there = _nonces(managed)
        missing = {nonce: key for nonce, key in known.live.items() if nonce not in there}
        managed += _hidden(lines, texts, missing, known, broken)
    return managed


def others_lines(lines: list[str], namespace: str) -> dict[int, Mark]:
    """Return what marks the lines with an id of another namespace, whose state is in the list as well."""
    found: dict[int, Mark] = {}
    for other, state in other_states(lines, namespace):
        known = Known(Stored(state), other)
        found |= {number: mark for number, line in enumerate(lines) for mark in identified(line, known)}
    return found


def _nonces(managed: Iterable[Found]) -> set[str]:
    return {found.marker.nonce for found in managed}


def _torn(lines: list[str], texts: Iterable[tuple[int, str]], there: set[str], known: Known) -> Iterator[Found]:
    """Yield the lines with a torn comment; `there` are the nonces of complete comments, which take precedence."""
    for number, text in texts:
        marks = [mark for mark in torn_marks(text, known) if mark.marker.nonce not in there]
        yield from _found(lines, number, marks, known)


def _found(lines: list[str], number: int, marks: list[Mark], known: Known) -> Iterator[Found]:
    """Yield an entry for each task that a line is marked as."""
    text, below = lines[number], lines[number + 1] if lines_below(lines, number, most=1) else ""
    by_nonce = {mark.marker.nonce: mark for mark in reversed(marks)}
    for mark in by_nonce.values():
        line = Line.of(text, mark)
        marker = mark.marker
        exact = not mark.damaged and known.nonces.get(marker.nonce) == marker.key
        was_done = known.states.get(marker.nonce) == "done"
        told = unread(line, marker.due, below, was_done=was_done) if len(by_nonce) == 1 else _JOINED
        rank = _rank(line, marker, known, exact=exact, readable=told is None)
        yield Found(number, mark, line, rank, told)


def _hidden(
    lines: list[str],
    texts: Iterable[tuple[int, str]],
    missing: Mapping[str, str],
    known: Known,
    broken: Mapping[int, range],
) -> Iterator[Found]:
    """Yield the tasks without a line whose nonce or key is in the text, at its first place."""
    if not missing:
        return
    code = fenced(lines)
    left = dict(missing)
    for number, text in texts:
        ids = known.names_in(text)
        if number in broken and (named := known.key_in(text)):
            ids.add(known.keys[named[1]])
        for nonce in [n for n in left if n in ids or n in text]:
            key = left.pop(nonce)
            place = broken[number].start if number in broken else number
            whole = " ".join(lines[n] for n in broken.get(number, range(number, number + 1)))
            marks = (mark.marker for mark in markers_of(whole, known) if mark.marker.nonce == nonce)
            marker = next(marks, known.state.markers.get(nonce)) or Marker(known.namespace, key, nonce)
            why = (1, _why_hidden(number, nonce, code, broken))
            yield Found(place, Mark(marker, damaged=False), Line(lines[place]), (True,), why)


def _why_hidden(number: int, nonce: str, code: Mapping[int, int], broken: Mapping[int, range]) -> str:
    left = "the step is left as it is"
    if number in code:
        return f"stands in a code block that begins in line {code[number] + 1}; take the line out of it; {left}"
    if number in broken:
        return f"the comment of backplan is broken over lines; put it on one line, behind the title; {left}"
    return f"the id of a step stands here without 🆔; let the line of the step end in `🆔 {nonce[:SHORT]}`; {left}"


def _rank(line: Line, marker: Marker, known: Known, *, exact: bool, readable: bool) -> tuple[bool, ...]:
    """Return how a line differs from the one that is the task; the lowest value differs least. In this order:

    - It has the remembered key.
    - It is ticked, and has the title of its marker. Others may be what a merge of branches left, or the copy with the
      next date that plugins for repeating tasks insert.
    - The user changed its date since the last run, on purpose.
    - It has the title and the date of its marker, and a box that can be read.
    - It agrees with the memory, as an older copy does not: it shows that the step is done or dropped, and its marker
      has the planned date, or a pin.
    """
    content, state = line.content, known.states.get(marker.nonce)
    titled = digest(content.title) == marker.applied.get("title")
    dated = marker.due == known.dates.get(marker.nonce)
    dragged = exact and readable and titled and dated and _is_dragged(line, marker)
    written = titled and content.due == marker.due
    undone = (state == "done" and not line.done) or (state == "dropped" and not (line.cancelled or line.done))
    agrees = not undone, dated, marker.pinned
    fits = exact, titled and line.done, dragged, written, line.state is not None, *agrees, line.done
    return tuple(not one for one in fits)


def _is_dragged(line: Line, marker: Marker) -> bool:
    """Return whether a line has another date than the last run wrote.

    An older copy has the first day of an earlier run: its date may have been read, and changed again, since.
    """
    content = line.content
    first = content.start or content.due  # a first day that is the due day is not shown
    newest = line.old or marker.applied.get("start") in (digest(content.start), digest(first))
    return newest and None not in (marker.due, content.due) and content.due != marker.due


def own_lines(managed: Iterable[Found], namespace: str) -> dict[str, list[Found]]:
    """Return our lines by their nonces. The first of each list is the task, the others are copies of it."""
    return {nonce: sorted(alike, key=lambda f: f.rank) for nonce, alike in by_nonce(managed, namespace).items()}


def unmarked_lines(lines: Sequence[str], marked: Container[int]) -> Iterator[tuple[int, Line, Form]]:
    """Yield the entries of lists that nothing marks: tasks, also with an emptied comment, and those without a box.

    marked: the lines that are somebody's; one with a torn comment looks unmarked.
    """
    code = fenced(lines)
    for number, line in enumerate(lines):
        if number in marked or number in code or not BULLET.match(line):
            continue
        comment, boxed = COMMENT.search(line), TASK.match(line) is not None
        if comment is None:
            yield number, Line(line), "task" if boxed else "loose"
        elif boxed and len(unescaped(comment).split()) == 1:
            yield number, Line(line), "emptied"


class Unmarked:
    """The tasks without an id that the state has, by what they show and by the ids in them."""

    def __init__(self, lines: Sequence[str], managed: Container[int]) -> None:
        """managed: the lines that are ours."""
        self._shown: dict[Content, list[tuple[int, Line]]] = {}
        self._named: dict[str, list[tuple[int, Line]]] = {}
        for number, line in ((number, line) for number, line, form in unmarked_lines(lines, managed) if form == "task"):
            self._shown.setdefault(line.content, []).append((number, line))
            for id_ in line.values("id"):
                self._named.setdefault(id_.casefold(), []).append((number, line))

    def of(self, marker: Marker, content: Content) -> list[Found]:
        """Return the tasks with an id that follows from the nonce of a marker: the task itself, then its copies.

        A ticked one is the task, else one with a date. Without such an id, return the task that alone has this content,
        or none.
        """
        for id_ in (marker.nonce[:SHORT], marker.nonce[:LONG]):
            if named := self._named.get(id_):
                mark = Mark(marker, damaged=True, id=id_)
                ordered = sorted(named, key=lambda one: (not one[1].done, one[1].content.due is None))
                return [Found(number, mark, line, (), None) for number, line in ordered]
        alike = self._shown.get(replace(content, after=()), [])  # a line without an id names nobody
        mark = Mark(replace(marker, applied={}), damaged=True)
        return [Found(number, mark, line, (), None) for number, line in alike] if len(alike) == 1 else []
