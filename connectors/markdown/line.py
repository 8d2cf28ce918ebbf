"""The parts of one line of a Markdown list: box, title, and the signs behind it; `edit.py` changes them.

A line of ours is known by its 🆔. Those that earlier versions wrote have a comment with their marker instead, before or
behind the signs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.codec import read_marker
from connectors.markdown.signs import (
    PRIORITIES,
    Sign,
    block_id,
    day_without_sign,
    find_signs,
    ids_in,
    plain,
    replace_spans,
    run_of_signs,
)
from connectors.model import Content, digest

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import date

    from connectors.markdown.signs import Kind

_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"
_BLANKS = rf"[ \t{_NO_WIDTH}]{{0,9}}"
TASK = re.compile(rf"[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[{_BLANKS}[^\[\]\r\n]?{_BLANKS}\][ \t].*")
BULLET = re.compile(r"[ \t>]*(?:[-*+•–—]|\d+[.)])[ \t]+\S")
# A line with our id is one of our tasks, even if an editor or a typo has changed how it begins.
_HEAD = re.compile(r"(?P<indent>[ \t>]*)(?:(?:[-*+•–—]|\d+[.)])[ \t]+)?(?:\[(?P<box>[^\[\]\r\n]*)\](?![(\[]))?")
# Editors of rich text escape what they take for HTML or Markdown.
_OPENS, _CLOSES = r"(?:<|&lt;)\\?!\\?-\\?-", r"-\\?-\\?(?:>|&gt;)"
COMMENT = re.compile(rf"\\?{_OPENS}\s*(bp\d+\b(?:(?!&lt;|&gt;)[^<>])*?)\\?{_CLOSES}")
_UNSEEN = dict.fromkeys(map(ord, _NO_WIDTH))
_TICKS = frozenset("xX×✓✔☑✅ｘＸхХ")  # the last four are full-width and Cyrillic
_DASHES = frozenset("-–—−")
STATES = frozenset('/><!?*"lbiSIpcfkwud')  # as Obsidian's themes document them; each is open
_WRITTEN: tuple[Kind, ...] = ("due", "start", "done", "priority")


def unescaped(comment: re.Match[str]) -> str:
    """Return the text in a comment of ours, without the backslashes that editors add."""
    return comment[1].replace("\\", "").strip()


def held(title: str) -> str:
    """Return a title for a line: without signs, and without the beginning or end of a comment."""
    title = re.sub(_CLOSES, "--›", re.sub(_OPENS, "‹!--", plain(title)))
    return " ".join(title.split())


class Line:
    """The parts of a line.

    head, box, title: up to the signs; `box` is the text in the box. runs: the signs before our comment, and those
    behind it; a line without a comment has only the latter. as_written: the title is the one that we wrote last, which
    may contain signs of other versions.
    """

    def __init__(self, line: str, span: tuple[int, int] | None = None, *, anchor: str = "", title: str = "") -> None:
        """Parse a line.

        span: the place of a comment that its form does not show. anchor: the id behind its 🆔, without which the signs
        are only those at its end. title: the digest of the title that was written last.
        """
        self.end = "\r" if line.endswith("\r") else ""
        line = line.removesuffix("\r")
        head = _HEAD.match(line)
        assert head is not None  # noqa: S101  # every part of it may be missing
        self.indent = head["indent"]
        self.boxed = head["box"] is not None
        self.head = line[: head.start("box") if self.boxed else head.end()]
        self.box: str = head["box"] or ""
        rest = line[head.end("box") if self.boxed else head.end() :]
        found = COMMENT.search(rest) if span is None else None
        at, stop = found.span() if found else (max(place - len(line) + len(rest), 0) for place in span or (0, 0))
        self.comment = rest[at:stop]
        if self.comment:
            written = read_marker(unescaped(found)) if found else None
            title = written.applied["title"] if written else ""
        cut = self._cut(rest, at, title) if self.comment else self._anchored_cut(rest, anchor, title)
        self.title = rest[:cut]
        self.runs = (rest[cut:at], rest[stop:]) if self.comment else ("", rest[cut:])
        self.as_written = bool(title) and digest(self.plain_title) == title

    def _is(self, text: str, title: str) -> bool:
        return bool(title) and digest(_title(text, boxed=self.boxed)) == title

    def _cut(self, rest: str, comment: int, title: str) -> int:
        """Return where the run of signs begins before a comment.

        A block id is at the end of a line, so what looks like one here belongs to the title, unless a sign is before it
        or the rest is the title that we wrote last.
        """
        before = rest[:comment]
        at = run_of_signs(before)
        as_written = self._is(before, title) or not (find_signs(before[at:]) or self._is(before[:at], title))
        return comment if as_written else at

    def _anchored_cut(self, rest: str, anchor: str, title: str) -> int:
        """Return where the signs begin; all that follows an id of ours belongs to them.

        The title that we wrote last ends where it did, also if signs or words that cannot be read follow.
        """
        ids = [stop for id_, stop in ids_in(rest) if id_.casefold() == anchor] if anchor else []
        before = rest[: ids[-1]] if ids else rest
        at = run_of_signs(before)
        if not ids or self._is(before[:at], title):
            return at
        cuts = [*(len(before[: sign.start].rstrip()) for sign in find_signs(before)), block_id(before[:at])]
        return next((cut for cut in cuts if self._is(before[:cut], title)), at)

    @property
    def plain_title(self) -> str:
        """The title."""
        return _title(self.title, boxed=self.boxed)

    @property
    def box_at(self) -> int:
        """Where the box begins, or would begin."""
        return len(self.head) - self.boxed

    @property
    def state(self) -> str | None:
        """The state in the box: empty, `x`, `-` or one of Obsidian's states; None if it cannot be read."""
        said = self.box.translate(_UNSEEN).strip()
        said = "x" if said in _TICKS else "-" if said in _DASHES else said
        return said if self.boxed and said in ("", "x", "-", *STATES) else None

    @property
    def done(self) -> bool:
        """Whether the box is ticked."""
        return self.state == "x"

    @property
    def cancelled(self) -> bool:
        """Whether the box contains `-`: the Tasks plugin's "cancelled"."""
        return self.state == "-"

    @property
    def done_on(self) -> date | None:
        """The day it was done; None if the line does not contain one."""
        found = self.last("done")
        return found[1].day if found else None

    @property
    def done_at(self) -> int | None:
        """The column of the sign for the day it was done, even without a day."""
        found = self.last("done")
        return self._column(found[0]) + found[1].start if found else None

    @property
    def box_behind(self) -> int | None:
        """The column of the box in a line that begins with our comment; None in any other line."""
        bare = not (self.boxed or self.title.strip() or self.runs[0].strip())
        head = _HEAD.match(self.runs[1]) if bare and self.comment else None
        if head is None or head["box"] is None:
            return None
        return self._column(1) + head.start("box") - 1

    @property
    def content(self) -> Content:
        """The content of the line. A first day that is the due day is none of its own."""
        due, start, sign = self.last("due"), self.last("start"), self.last("priority", first=True)
        priority = PRIORITIES[self.runs[sign[0]][sign[1].start]] if sign else "none"
        days = (start[1].day if start else None, due[1].day if due else None)
        return Content(self.plain_title, days[1], priority=priority, start=days[0] if days[0] != days[1] else None)

    @property
    def dated(self) -> bool:
        """Whether the line contains a date, even one that cannot be read."""
        return self.content.due is not None or self.doubtful is not None

    def values(self, kind: Kind) -> list[str]:
        """Return the words behind all signs of a kind: ids, those of several tasks apart."""
        texts = [value(text, sign) for text in self.runs for sign in find_signs(text) if sign.kind == kind]
        return [word.strip() for text in texts for word in text.split(",")]

    def added(self, ids: Container[str]) -> bool:
        """Return whether the line contains more than we write. ids: those of our tasks."""
        for text in self.runs:
            ours: dict[Kind, Sign] = {}
            for sign in find_signs(text):
                linked = sign.kind in ("id", "after") and all(
                    word.strip().casefold() in ids for word in value(text, sign).split(",")
                )
                if linked or sign.kind in _WRITTEN:
                    ours.setdefault(sign.kind, sign)
            if replace_spans(text, sorted((sign.start, sign.stop) for sign in ours.values())).strip():
                return True
        return False

    @property
    def doubtful(self) -> tuple[int, str] | None:
        """The column and text of a date that cannot be read, or of two dates that contradict each other."""
        signs = [(self._column(run) + sign.start, sign) for run in (0, 1) for sign in self._all("due", run)]
        if not signs:
            return self._doubtful_in_title()
        dates = {str(sign.day or sign.unread): at for at, sign in signs if sign.day or sign.unread}
        if len(dates) > 1:
            return max(dates.values()), " and ".join(dates)
        return next(((at, sign.unread) for at, sign in signs if sign.unread), None)

    def _doubtful_in_title(self) -> tuple[int, str] | None:
        """Return the column of the last sign for a due date in the title, and the text behind it."""
        signs = [sign for sign in find_signs(self.title) if sign.kind == "due"]
        if self.as_written or not signs:
            return None
        last = signs[-1]
        return len(self.head + self.box) + last.start, " ".join(self.title[last.start + 1 : last.end].split())

    @property
    def unsigned(self) -> tuple[int, str] | None:
        """The column and text of a date without a sign behind the title, or in one that has been changed."""
        if found := day_without_sign(self.runs[1]):
            return self._column(1) + found[0], found[1]
        found = None if self.as_written or self.comment else day_without_sign(self.title)
        return (len(self.head + self.box) + found[0], found[1]) if found else None

    def _column(self, run: int) -> int:
        """Return where a run of signs begins in the line."""
        before = self.head + self.box + self.title
        return len(before + self.runs[0] + self.comment if run else before)

    def _all(self, kind: Kind, run: int) -> list[Sign]:
        return [sign for sign in find_signs(self.runs[run]) if sign.kind == kind]

    def last(self, kind: Kind, *, first: bool = False) -> tuple[int, Sign] | None:
        """Return the last sign of a kind (or the first), with its run; signs behind our comment take precedence."""
        for number in (1, 0):
            if found := self._all(kind, number):
                return number, found[0 if first else -1]
        return None


def value(text: str, sign: Sign) -> str:
    """Return the words of a sign."""
    return text[sign.value : sign.stop].strip()


def _title(text: str, *, boxed: bool) -> str:
    """Return the title in the text behind a box."""
    return " ".join((text.partition("]")[2] if boxed else text).split())
