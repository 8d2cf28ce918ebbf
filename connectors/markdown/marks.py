"""Our comments in the text of a Markdown list: complete ones, damaged ones, and those broken over several lines."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from connectors.codec import read_marker
from connectors.markdown.line import COMMENT, Line, unescaped
from connectors.markdown.signs import find_signs, ids_in, replace_spans
from connectors.markdown.state import LONG, SHORT
from connectors.markdown.text import fenced
from connectors.model import Marker, client_nonce, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from connectors.markdown.memory import Stored

_ANY_COMMENT = re.compile(r"<!--.*?-->")
_OPENED = re.compile(r"<!--\s*(?:bp\d+\b|$)")
_NONCE = re.compile(r"[0-9a-z]{10}")
_OPENS = re.compile(r"(?:\\?(?:[<‹«]|&lt;)\s?)?(?:\\?!\s?)?(?:(?:\\?[-–—−]){1,3}\s*)?(?:bp\d+\s+)?$")
_CLOSES = re.compile(r"\s*(?:\\?[-–—−]){1,3}\\?(?:[>›»]|&gt;)?(?!\S)")
_BP = re.compile(r"bp\d+\s+$")
_MOST_LINES = 4  # in a comment of ours that an editor broke over lines
_FEWEST_LETTERS = 3  # of a nonce of ours that lost its end


class Known:
    """The ids, nonces and keys in a state: they identify tasks, also if a user damaged the marker."""

    def __init__(self, stored: Stored, namespace: str) -> None:
        """If there is a state, a nonce that it does not contain is not ours."""
        self.state, self.stored = stored.state, stored
        memory = self.state.memory
        entries = [(key, entry) for goal in memory.values() for key, entry in goal.keys.items()]
        self.nonces = {entry.native_id: key for key, entry in entries}
        self.keys = {key: entry.native_id for key, entry in entries}
        self.live = {entry.native_id: key for key, entry in entries if entry.state == "live"}
        self.states = {entry.native_id: entry.state for _, entry in entries}
        days = {key: days for goal in memory.values() for key, days in goal.dates.items()}
        self.days = {nonce: days[key] for nonce, key in self.nonces.items() if key in days}
        self.dates = {nonce: due for nonce, (_, due) in self.days.items()}
        ids = self.state.ids
        self._computed = {nonce[:length]: nonce for length in (SHORT, LONG, None) for nonce in ids}
        self.ids = self._computed | {id_.casefold(): nonce for nonce, id_ in ids.items()}
        self.namespace = namespace
        self._named = re.compile(rf"(?:bp\d+\s+)?{re.escape(namespace)}\s+(\S+)")

    def may_be_ours(self, marker: Marker) -> bool:
        """Return whether we may have written a marker: its nonce is remembered, or follows from a key that is not.

        The latter happens if two branches were merged, and the memory of the other branch was kept.
        """
        if not self.stored.complete or marker.nonce in self.nonces:
            return True
        nonce = client_nonce(marker.namespace, marker.key, marker.generation)
        return marker.key not in self.keys and marker.nonce == nonce

    def start(self, marker: Marker) -> date | None:
        """Return the first day that was published with a marker."""
        days = self.days.get(marker.nonce)
        return days[0] if days and days[0] != marker.due else None

    def with_start(self, marker: Marker) -> Marker:
        """Return the marker of a version that wrote no first day, as if it had written the one that was published."""
        if not marker.applied or marker.applied.get("start"):
            return marker
        return replace(marker, applied={**marker.applied, "start": digest(self.start(marker))})

    def names_in(self, text: str) -> set[str]:
        """Return the nonces of which a text contains the id, but not as that of another task's forerunner.

        An id that somebody else chose may be any word.
        """
        spans = [(sign.start, sign.stop) for sign in find_signs(text) if sign.kind == "after"]
        words = re.findall(r"[\w-]+", replace_spans(text, spans, " ").casefold())
        return {self._computed[word] for word in words if word in self._computed}

    def key_in(self, text: str) -> re.Match[str] | None:
        """Return where a text contains our namespace followed by a remembered key."""
        return next((match for match in self._named.finditer(text) if match[1] in self.keys), None)


class Mark(NamedTuple):
    """A marker in a line, whether it has to be written again, and its place if the line does not show it."""

    marker: Marker
    damaged: bool
    span: tuple[int, int] | None = None
    id: str = ""

    def line(self, text: str) -> Line:
        """Return the parts of the line with this marker."""
        return Line(text, self.span, anchor=self.id, title=self.marker.applied.get("title", ""))


def marks_of(line: str, known: Known) -> Iterator[Mark]:
    """Yield what marks a line: ids, and the comments of earlier versions."""
    yield from identified(line, known)
    yield from markers_of(line, known)


def identified(line: str, known: Known) -> Iterator[Mark]:
    """Yield the markers of the ids of ours in a line. A marker that the state does not have has to be written again."""
    for said, _ in ids_in(line):
        nonce = known.ids.get(id_ := said.casefold())
        if nonce is None:
            continue
        marker = known.state.markers.get(nonce)
        damaged = marker is None or said != known.state.ids[nonce]
        key = known.nonces.get(nonce, "")
        if marker or key:
            yield Mark(marker or Marker(known.namespace, key, nonce), damaged, id=id_)


def markers_of(line: str, known: Known) -> Iterator[Mark]:
    """Yield the valid markers in those comments of a line that have a beginning and an end."""
    for comment in COMMENT.finditer(line):
        text = unescaped(comment)
        marker = read_marker(text)
        nonce = next((word for word in text.split() if word in known.nonces), None)
        ours = marker is None or marker.namespace == known.namespace
        if nonce is not None and ours and (marker is None or marker.key not in known.keys):
            yield Mark(Marker(known.namespace, known.nonces[nonce], nonce), damaged=True)
        elif marker is not None and (not ours or known.may_be_ours(marker)):
            yield Mark(marker, damaged=ours and not comment[0].startswith("<!--"))


def torn_marks(line: str, known: Known) -> Iterator[Mark]:
    """Yield the markers of a line whose comment lost its beginning, its end or its nonce, or has other dashes."""
    for comment in COMMENT.finditer(line):
        words = unescaped(comment)
        if read_marker(words) is None and (named := known.key_in(words)):
            yield Mark(Marker(known.namespace, named[1], known.keys[named[1]]), damaged=True)
            return
    text = _ANY_COMMENT.sub(lambda comment: " " * len(comment[0]), line)
    for found in _NONCE.finditer(text):
        if key := known.nonces.get(found[0]):
            stop = _tail(text, found.end(), (known.namespace, key))
            if _BP.search(text, 0, found.start()) or stop > found.end():
                yield _torn(text, found.start(), stop, Marker(known.namespace, key, found[0]))
            return
    named = known.key_in(text)
    if named and (named[0].startswith("bp") or re.match(r"\s+\d+\s+(?:\d{4}-|-\s)", text[named.end() :])):
        marker = Marker(known.namespace, named[1], known.keys[named[1]])
        yield _torn(text, named.start(), _tail(text, named.end(), ()), marker)


def lost_marks(lines: Sequence[str], namespace: str) -> Iterator[tuple[int, int]]:
    """Yield the number and column of each line outside of code that contains the text of our marker."""
    words = re.compile(rf"\bbp\d+\s+[0-9a-z]{{10}}\s+{re.escape(namespace)}\s", re.IGNORECASE)
    apart = fenced(lines)
    for number, line in enumerate(lines):
        if number not in apart and (found := words.search(line)):
            yield number, found.start() + 1


def _torn(text: str, start: int, stop: int, marker: Marker) -> Mark:
    opens, closes = _OPENS.search(text, 0, start), _CLOSES.match(text, stop)
    begin = opens.start() if opens else start
    words = text[begin:stop]
    whole = read_marker(words[words.find("bp") :]) if "bp" in words else None
    whole = whole if whole and (whole.key, whole.nonce) == (marker.key, marker.nonce) else None
    return Mark(whole or marker, damaged=True, span=(begin, closes.end() if closes else stop))


def _tail(text: str, start: int, names: tuple[str, ...]) -> int:
    """Return where the text of a marker ends behind its nonce: the rest of the line belongs to the user."""
    forms = [*map(re.escape, names), r"\d{1,9}", r"\d{4}-\d\d-\d\d|-", r"pin|-", r"[a-z2-7.]*\.[a-z2-7.]*"]
    stop = start
    for place, form in enumerate(forms):
        word = re.compile(r"\s+(\S+)").match(text, stop)
        if word is None:
            break
        if re.fullmatch(form, word[1]) is None:
            cut = place < len(names) and len(word[1]) >= _FEWEST_LETTERS and names[place].startswith(word[1])
            return word.end() if cut else stop
        stop = word.end()
    return stop


def broken_over(lines: Sequence[str]) -> dict[int, range]:
    """Return each line that contains a part of a broken comment of ours, with all lines of that comment."""
    broken: dict[int, range] = {}
    for number, line in enumerate(lines):
        opened = _OPENED.search(line, max(line.rfind("<!--"), 0))
        if opened is None or "-->" in line[opened.start() :]:
            continue
        for end in range(number + 1, min(number + _MOST_LINES, len(lines))):
            closes = lines[end].find("-->")
            if "<!--" in (lines[end] if closes < 0 else lines[end][:closes]):
                break
            if closes >= 0:
                broken |= dict.fromkeys(range(number, end + 1), range(number, end + 1))
                break
    return broken
