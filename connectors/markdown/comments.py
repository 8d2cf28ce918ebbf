"""The comments in which earlier versions wrote the marker of a task into its line: read for ever, and never written.

    - [ ] Begin <!-- bp1 a24f47050e me/goals g/one 1 2027-09-21 - urt2gb...p36fqc.6wabq4 --> 📅 2027-09-21

Editors escape them, tear them, or break them over lines. They are turned into the same marks as ids are;
the first change of a line takes its comment out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from connectors.codec import read_marker
from connectors.markdown.marks import Mark, identified
from connectors.markdown.text import fenced
from connectors.model import Marker, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.markdown.marks import Known

# Editors of rich text escape what they take for HTML or Markdown.
OPENS, CLOSES = r"(?:<|&lt;)\\?!\\?-\\?-", r"-\\?-\\?(?:>|&gt;)"
COMMENT = re.compile(rf"\\?{OPENS}\s*(bp\d+\b(?:(?!&lt;|&gt;)[^<>])*?)\\?{CLOSES}")
_ANY_COMMENT = re.compile(r"<!--.*?-->")
_OPENED = re.compile(r"<!--\s*(?:bp\d+\b|$)")
_NONCE = re.compile(r"[0-9a-z]{10}")
_OPENS = re.compile(r"(?:\\?(?:[<‹«]|&lt;)\s?)?(?:\\?!\s?)?(?:(?:\\?[-–—−]){1,3}\s*)?(?:bp\d+\s+)?$")
_CLOSES = re.compile(r"\s*(?:\\?[-–—−]){1,3}\\?(?:[>›»]|&gt;)?(?!\S)")
_BP = re.compile(r"bp\d+\s+$")
_MOST_LINES = 4  # in a comment of ours that an editor broke over lines
_FEWEST_LETTERS = 3  # of a nonce of ours that lost its end


def unescaped(comment: re.Match[str]) -> str:
    """Return the text in a comment of ours, without the backslashes that editors add."""
    return comment[1].replace("\\", "").strip()


class Comment(NamedTuple):
    """The place of a comment in a text, and the digest of the title that it contains."""

    start: int
    stop: int
    title: str = ""


def comment_in(text: str) -> Comment | None:
    """Return the first comment of ours in a text."""
    found = COMMENT.search(text)
    if found is None:
        return None
    marker = read_marker(unescaped(found))
    return Comment(*found.span(), marker.applied["title"] if marker else "")


def marks_of(line: str, known: Known) -> Iterator[Mark]:
    """Yield what marks a line: ids, and comments."""
    yield from identified(line, known)
    yield from markers_of(line, known)


def markers_of(line: str, known: Known) -> Iterator[Mark]:
    """Yield the valid markers in those comments of a line that have a beginning and an end."""
    for comment in COMMENT.finditer(line):
        text = unescaped(comment)
        marker = read_marker(text)
        nonce = next((word for word in text.split() if word in known.nonces), None)
        ours = marker is None or marker.namespace == known.namespace
        if nonce is not None and ours and (marker is None or marker.key not in known.keys):
            yield _mark(known, Marker(known.namespace, known.nonces[nonce], nonce))
        elif marker is not None and (not ours or known.may_be_ours(marker)):
            yield _mark(known, marker, damaged=ours and not comment[0].startswith("<!--"))


def torn_marks(line: str, known: Known) -> Iterator[Mark]:
    """Yield the markers of a line whose comment lost its beginning, its end or its nonce, or has other dashes."""
    for comment in COMMENT.finditer(line):
        words = unescaped(comment)
        if read_marker(words) is None and (named := known.key_in(words)):
            yield _mark(known, Marker(known.namespace, named[1], known.keys[named[1]]))
            return
    text = _ANY_COMMENT.sub(lambda comment: " " * len(comment[0]), line)
    for found in _NONCE.finditer(text):
        if key := known.nonces.get(found[0]):
            stop = _tail(text, found.end(), (known.namespace, key))
            if _BP.search(text, 0, found.start()) or stop > found.end():
                yield _torn(known, text, (found.start(), stop), Marker(known.namespace, key, found[0]))
            return
    named = known.key_in(text)
    if named and (named[0].startswith("bp") or re.match(r"\s+\d+\s+(?:\d{4}-|-\s)", text[named.end() :])):
        marker = Marker(known.namespace, named[1], known.keys[named[1]])
        yield _torn(known, text, (named.start(), _tail(text, named.end(), ())), marker)


def lost_marks(lines: Sequence[str], namespace: str) -> Iterator[tuple[int, int]]:
    """Yield the number and column of each line outside of code that contains the text of our marker."""
    words = re.compile(rf"\bbp\d+\s+[0-9a-z]{{10}}\s+{re.escape(namespace)}\s", re.IGNORECASE)
    apart = fenced(lines)
    for number, line in enumerate(lines):
        if number not in apart and (found := words.search(line)):
            yield number, found.start() + 1


def _mark(known: Known, marker: Marker, *, damaged: bool = True, span: tuple[int, int] | None = None) -> Mark:
    """Return a mark of a version that wrote no first day, as if it had written the one that was published."""
    start = known.start(marker)
    if marker.applied and not marker.applied.get("start"):
        marker = replace(marker, applied={**marker.applied, "start": digest(start)})
    return Mark(marker, damaged, span=span, start=start)


def _torn(known: Known, text: str, place: tuple[int, int], marker: Marker) -> Mark:
    start, stop = place
    opens, closes = _OPENS.search(text, 0, start), _CLOSES.match(text, stop)
    begin = opens.start() if opens else start
    words = text[begin:stop]
    whole = read_marker(words[words.find("bp") :]) if "bp" in words else None
    whole = whole if whole and (whole.key, whole.nonce) == (marker.key, marker.nonce) else None
    return _mark(known, whole or marker, span=(begin, closes.end() if closes else stop))


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
