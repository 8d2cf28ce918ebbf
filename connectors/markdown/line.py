"""The parts of one line of a Markdown list: box, title, and the signs behind it; `edit.py` changes them.

A line of ours is known by its 🆔. Those that earlier versions wrote have a comment with their marker instead, before or
behind the signs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.markdown.comments import CLOSES, OPENS, Comment, comment_in
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
from connectors.markdown.text import NO_WIDTH
from connectors.model import Content, digest

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import date

    from connectors.markdown.marks import Mark
    from connectors.markdown.signs import Kind

# A line with our id is one of our tasks, even if an editor or a typo has changed how it begins.
_HEAD = re.compile(r"(?P<indent>[ \t>]*)(?:(?:[-*+•–—]|\d+[.)])[ \t]+)?(?:\[(?P<box>[^\[\]\r\n]*)\](?![(\[]))?")
_UNSEEN = dict.fromkeys(map(ord, NO_WIDTH))
_TICKS = frozenset("xX×✓✔☑✅ｘＸхХ")  # the last four are full-width and Cyrillic
_DASHES = frozenset("-–—−")
STATES = frozenset('/><!?*"lbiSIpcfkwud')  # as Obsidian's themes document them; each is open
_WRITTEN: tuple[Kind, ...] = ("due", "start", "done", "priority")


def held(title: str) -> str:
    """Return a title for a line: without signs, and without the beginning or end of a comment."""
    title = re.sub(CLOSES, "--›", re.sub(OPENS, "‹!--", plain(title)))
    return " ".join(title.split())


class Line:
    """The parts of a line.

    head, box, title: up to the signs; `box` is the text in the box. signs: all behind the title, without the comment
    of an earlier version; `old`: there is one. as_written: the title is the one that we wrote last, which may contain
    signs of other versions. hidden_start: the first day of a line of an earlier version, which does not show it.
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
        self._begin = head.end("box") if self.boxed else head.end()
        rest = line[self._begin :]
        comment = self._comment(rest, span)
        self.old = comment is not None
        title = comment.title if comment else title
        self._cut = self._cut_before(rest, comment) if comment else self._anchored_cut(rest, anchor, title)
        self.title, self.signs = rest[: self._cut], rest[self._cut :]
        self._jump = (len(self.signs), 0)
        if comment:
            before, behind = rest[self._cut : comment.start].rstrip(), rest[comment.stop :]
            before += " " if behind and not behind[0].isspace() else ""
            self.title, self.signs = self.title.rstrip(), before + behind
            self._jump = (len(before), comment.stop - self._cut - len(before))
        self.hidden_start: date | None = None
        self.as_written = bool(title) and digest(self.plain_title) == title

    @classmethod
    def of(cls, line: str, mark: Mark) -> Line:
        """Parse a line with what marks it."""
        parsed = cls(line, mark.span, anchor=mark.id, title=mark.marker.applied.get("title", ""))
        parsed.hidden_start = mark.start if parsed.old and parsed.last("start") is None else None
        return parsed

    def _comment(self, rest: str, span: tuple[int, int] | None) -> Comment | None:
        """Return the comment of an earlier version behind a box."""
        if span is None:
            return comment_in(rest)
        start, stop = (max(place - self._begin, 0) for place in span)
        return Comment(start, stop) if stop else None

    def _is(self, text: str, title: str) -> bool:
        return bool(title) and digest(_title(text, boxed=self.boxed)) == title

    def _cut_before(self, rest: str, comment: Comment) -> int:
        """Return where the run of signs begins before a comment.

        A block id is at the end of a line, so what looks like one here belongs to the title, unless a sign is before it
        or the rest is the title that we wrote last.
        """
        before, title = rest[: comment.start], comment.title
        at = run_of_signs(before)
        as_written = self._is(before, title) or not (find_signs(before[at:]) or self._is(before[:at], title))
        return comment.start if as_written else at

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
        return found.day if found else None

    @property
    def done_at(self) -> int | None:
        """The column of the sign for the day it was done, even without a day."""
        found = self.last("done")
        return self._column(found.start) if found else None

    @property
    def box_behind(self) -> int | None:
        """The column of the box in a line that begins with our comment; None in any other line."""
        bare = self.old and not (self.boxed or self.title)
        head = _HEAD.match(self.signs) if bare else None
        return None if head is None or head["box"] is None else self._column(head.start("box") - 1)

    @property
    def content(self) -> Content:
        """The content of the line. A first day that is the due day is none of its own."""
        due, start, signs = self.last("due"), self.last("start"), self._all("priority")
        priority = PRIORITIES[self.signs[signs[0].start]] if signs else "none"
        days = (start.day if start else self.hidden_start, due.day if due else None)
        return Content(self.plain_title, days[1], priority=priority, start=days[0] if days[0] != days[1] else None)

    @property
    def dated(self) -> bool:
        """Whether the line contains a date, even one that cannot be read."""
        return self.content.due is not None or self.doubtful is not None

    def values(self, kind: Kind) -> list[str]:
        """Return the words behind all signs of a kind: ids, those of several tasks apart."""
        return [word.strip() for sign in self._all(kind) for word in value(self.signs, sign).split(",")]

    def added(self, ids: Container[str]) -> bool:
        """Return whether the line contains more than we write. ids: those of our tasks."""
        ours: dict[Kind, Sign] = {}
        for sign in find_signs(self.signs):
            linked = sign.kind in ("id", "after") and all(
                word.strip().casefold() in ids for word in value(self.signs, sign).split(",")
            )
            if linked or sign.kind in _WRITTEN:
                ours.setdefault(sign.kind, sign)
        return bool(replace_spans(self.signs, sorted((sign.start, sign.stop) for sign in ours.values())).strip())

    @property
    def doubtful(self) -> tuple[int, str] | None:
        """The column and text of a date that cannot be read, or of two dates that contradict each other."""
        signs = self._all("due")
        if not signs:
            return self._doubtful_in_title()
        dates = {str(sign.day or sign.unread): self._column(sign.start) for sign in signs if sign.day or sign.unread}
        if len(dates) > 1:
            return max(dates.values()), " and ".join(dates)
        return next(((self._column(sign.start), sign.unread) for sign in signs if sign.unread), None)

    def _doubtful_in_title(self) -> tuple[int, str] | None:
        """Return the column of the last sign for a due date in the title, and the text behind it."""
        signs = [sign for sign in find_signs(self.title) if sign.kind == "due"]
        if self.as_written or not signs:
            return None
        last = signs[-1]
        return self._begin + last.start, " ".join(self.title[last.start + 1 : last.end].split())

    @property
    def unsigned(self) -> tuple[int, str] | None:
        """The column and text of a date without a sign behind the title, or in one that has been changed."""
        if found := day_without_sign(self.signs):
            return self._column(found[0]), found[1]
        found = None if self.as_written or self.old else day_without_sign(self.title)
        return (self._begin + found[0], found[1]) if found else None

    def _column(self, at: int) -> int:
        """Return where a part of the signs is in the line, in which a comment may stand before it."""
        edge, width = self._jump
        return self._begin + self._cut + at + (width if at >= edge else 0)

    def _all(self, kind: Kind) -> list[Sign]:
        return [sign for sign in find_signs(self.signs) if sign.kind == kind]

    def last(self, kind: Kind) -> Sign | None:
        """Return the last sign of a kind."""
        return next(reversed(self._all(kind)), None)


def value(text: str, sign: Sign) -> str:
    """Return the words of a sign."""
    return text[sign.value : sign.stop].strip()


def _title(text: str, *, boxed: bool) -> str:
    """Return the title in the text behind a box."""
    return " ".join((text.partition("]")[2] if boxed else text).split())
