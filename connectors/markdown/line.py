"""The parts of one line of a Markdown list: box, title, our comment, and the signs for dates and priority."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.codec import read_marker, write_marker
from connectors.markdown.signs import (
    PRIORITIES,
    SIGNS,
    Sign,
    block_id,
    day_without_sign,
    find_signs,
    plain,
    replace_spans,
    run_of_signs,
)
from connectors.model import Content, digest

if TYPE_CHECKING:
    from datetime import date

    from connectors.markdown.signs import Kind
    from connectors.model import Marker

_NO_WIDTH = "\u200b\u200c\u200d\u2060\ufe0e\ufe0f\ufeff"
_BLANKS = rf"[ \t{_NO_WIDTH}]{{0,9}}"
TASK = re.compile(rf"[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[{_BLANKS}[^\[\]\r\n]?{_BLANKS}\][ \t].*")
BULLET = re.compile(r"[ \t>]*(?:[-*+•–—]|\d+[.)])[ \t]+\S")
# A line with our comment is one of our tasks, even if an editor or a typo has changed how it begins.
_HEAD = re.compile(r"(?P<indent>[ \t>]*)(?:(?:[-*+•–—]|\d+[.)])[ \t]+)?(?:\[(?P<box>[^\[\]\r\n]*)\](?![(\[]))?")
# Editors of rich text escape what they take for HTML or Markdown.
_OPENS, _CLOSES = r"(?:<|&lt;)\\?!\\?-\\?-", r"-\\?-\\?(?:>|&gt;)"
COMMENT = re.compile(rf"\\?{_OPENS}\s*(bp\d+\b(?:(?!&lt;|&gt;)[^<>])*?)\\?{_CLOSES}")
_UNSEEN = dict.fromkeys(map(ord, _NO_WIDTH))
_TICKS = frozenset("xX×✓✔☑✅ｘＸхХ")  # the last four are full-width and Cyrillic
_DASHES = frozenset("-–—−")
STATES = frozenset('/><!?*"lbiSIpcfkwud')  # as Obsidian's themes document them; each is open


def unescaped(comment: re.Match[str]) -> str:
    """Return the text in a comment of ours, without the backslashes that editors add."""
    return comment[1].replace("\\", "").strip()


def held(title: str) -> str:
    """Return a title for a line: without signs, and without the beginning or end of a comment."""
    title = re.sub(_CLOSES, "--›", re.sub(_OPENS, "‹!--", plain(title)))
    return " ".join(title.split())


class Line:
    """The parts of a line with a task of ours; `text` joins them again."""

    def __init__(self, line: str, span: tuple[int, int] | None = None) -> None:
        """Parse a line that is ours or will be; span: the place of a comment that its form does not show."""
        self._end = "\r" if line.endswith("\r") else ""
        line = line.removesuffix("\r")
        head = _HEAD.match(line)
        assert head is not None  # noqa: S101  # every part of it may be missing
        self.indent = head["indent"]
        self.boxed = head["box"] is not None
        self._head = line[: head.start("box") if self.boxed else head.end()]
        self._box: str = head["box"] or ""
        rest = line[head.end("box") if self.boxed else head.end() :]
        comment = COMMENT.search(rest) if span is None else None
        at, stop = comment.span() if comment else (max(place - len(line) + len(rest), 0) for place in span or (0, 0))
        bare = stop == 0  # there is no comment
        if bare:
            at = stop = run_of_signs(rest)
        before, self._comment, self._after = rest[:at], rest[at:stop], rest[stop:]
        self.as_written = comment is not None and self._is_as_written(before, comment)
        signs = len(before) if bare or self.as_written else self._signs_before(before, comment)
        self._title, self._signs = before[:signs], before[signs:]

    def _is_as_written(self, before: str, comment: re.Match[str]) -> bool:
        """Return whether a text is the title that we wrote last, which may contain signs of other versions."""
        marker = read_marker(unescaped(comment))
        return marker is not None and digest(_title(before, boxed=self.boxed)) == marker.applied["title"]

    def _signs_before(self, before: str, comment: re.Match[str] | None) -> int:
        """Return where the run of signs begins before a comment.

        A block id is at the end of a line, so what looks like one here belongs to the title, unless a sign is before it
        or the rest is the title that we wrote last.
        """
        at = run_of_signs(before)
        if find_signs(before[at:]) or (comment and self._is_as_written(before[:at], comment)):
            return at
        return len(before)

    @property
    def text(self) -> str:
        """The line as one text."""
        return f"{self._head}{self._box}{self._title}{self._signs}{self._comment}{self._after}{self._end}"

    @property
    def box(self) -> str:
        """The text in the box."""
        return self._box

    @property
    def box_at(self) -> int:
        """Where the box begins, or would begin."""
        return len(self._head) - self.boxed

    @property
    def state(self) -> str | None:
        """The state in the box: empty, `x`, `-` or one of Obsidian's states; None if it cannot be read."""
        said = self._box.translate(_UNSEEN).strip()
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
        found = self._last("done")
        return found[1].day if found else None

    @property
    def done_at(self) -> int | None:
        """The column of the sign for the day it was done, even without a day."""
        found = self._last("done")
        return self._column(found[0]) + found[1].start if found else None

    @property
    def box_behind(self) -> int | None:
        """The column of the box in a line that begins with our comment; None in any other line."""
        bare = not (self.boxed or self._title.strip() or self._signs.strip())
        head = _HEAD.match(self._after) if bare and self._comment else None
        if head is None or head["box"] is None:
            return None
        return self._column(1) + head.start("box") - 1

    @property
    def content(self) -> Content:
        """The content of the line."""
        due = self._last("due")
        sign = self._last("priority", first=True)
        priority = PRIORITIES[self._run(sign[0])[sign[1].start]] if sign else "none"
        return Content(_title(self._title, boxed=self.boxed), due[1].day if due else None, priority=priority)

    @property
    def dated(self) -> bool:
        """Whether the line contains a date, even one that cannot be read."""
        return self.content.due is not None or self.doubtful is not None

    @property
    def added(self) -> bool:
        """Whether the line contains more than we write."""
        for text in (self._signs, self._after):
            ours: dict[Kind, Sign] = {}
            for sign in find_signs(text):
                if sign.kind in ("due", "done", "priority"):
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
        signs = [sign for sign in find_signs(self._title) if sign.kind == "due"]
        if self.as_written or not signs:
            return None
        last = signs[-1]
        return len(self._head + self._box) + last.start, " ".join(self._title[last.start + 1 : last.end].split())

    @property
    def unsigned(self) -> tuple[int, str] | None:
        """The column and text of a date without a sign behind our comment."""
        found = day_without_sign(self._after)
        return (self._column(1) + found[0], found[1]) if found else None

    def mark(self, marker: Marker) -> None:
        """Replace the marker of the line, or add it."""
        if not self._comment:
            self._title = f"{self._title.rstrip()} "
        self._comment = f"<!-- {write_marker(marker)} -->"

    def unmark(self) -> None:
        """Remove the marker; the rest belongs to the user."""
        self._comment = ""
        self._signs = self._signs.rstrip()
        if not self._signs:
            self._title = self._title.rstrip()

    def set(self, content: Content, fields: frozenset[str]) -> None:
        """Change these fields in place."""
        if "title" in fields:
            self._title = f"{']' if self.boxed else ''} {content.title}" + ("" if self._signs else " ")
        if "priority" in fields:
            self._set_priority(SIGNS.get(content.priority, ""))
        if "due" in fields:
            self._set_due(content.due)

    def _set_priority(self, sign: str) -> None:
        found = self._last("priority", first=True)
        if found is None:
            self._after = f" {sign}{self._after}" if sign else self._after
        elif sign:
            self._replace(found[0], found[1].start, found[1].stop, sign)
        else:
            self._take_out(*found)

    def _set_due(self, due: date | None) -> None:
        found = self._last("due")
        if found is None:
            at = next((sign.stop for sign in self._all("priority", 1)), 0)
            self._after = f"{self._after[:at]} 📅 {due}{self._after[at:]}" if due else self._after
            return
        run, sign = found
        if due is None:
            self._take_out(run, sign)
            return
        field = self._run(run)[sign.start] in "[("
        stop = sign.stop - 1 if field else sign.end if sign.unread else sign.stop
        told = f" ‹{sign.unread}›" if sign.unread else ""  # keep what the user typed
        self._replace(run, sign.value, stop, f" {due}{told}" + self._blank(run, stop))

    def _blank(self, run: int, stop: int) -> str:
        """Return the blank that is needed before the following text."""
        following = self._run(run)[stop : stop + 1]
        return " " if following and following not in " \t.,;])*_" else ""

    def tick(self, day: date | None) -> None:
        """Tick the box and add the day before a block id, which links find only at the end of the line."""
        self._box = "x"
        if day and self._last("done") is None:
            at = block_id(self._after)
            self._after = f"{self._after[:at].rstrip(' ')} ✅ {day}{self._after[at:]}"

    def untick(self) -> None:
        """Clear the box, and remove the day it was done."""
        self._box = " "
        for run in (0, 1):
            for sign in reversed([sign for sign in self._all("done", run) if sign.day]):
                self._take_out(run, sign)

    # The two runs of signs: before our comment, and behind it

    def _run(self, number: int) -> str:
        return self._after if number else self._signs

    def _column(self, run: int) -> int:
        """Return where a run begins in the line."""
        before = self._head + self._box + self._title
        return len(before + self._signs + self._comment if run else before)

    def _all(self, kind: Kind, run: int) -> list[Sign]:
        return [sign for sign in find_signs(self._run(run)) if sign.kind == kind]

    def _last(self, kind: Kind, *, first: bool = False) -> tuple[int, Sign] | None:
        """Return the last sign of a kind (or the first), with its run; signs behind our comment take precedence."""
        for number in (1, 0):
            if found := self._all(kind, number):
                return number, found[0 if first else -1]
        return None

    def _take_out(self, run: int, sign: Sign) -> None:
        start = sign.start - self._run(run)[: sign.start].endswith(" ")
        self._replace(run, start, sign.stop, "")

    def _replace(self, run: int, start: int, stop: int, new: str) -> None:
        text = self._run(run)
        text = text[:start] + new + text[stop:]
        if run:
            self._after = text
        else:
            self._signs = text


def _title(text: str, *, boxed: bool) -> str:
    """Return the title in the text behind a box."""
    return " ".join((text.partition("]")[2] if boxed else text).split())
