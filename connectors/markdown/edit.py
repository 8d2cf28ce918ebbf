"""Changes one line of a Markdown list: only what changes, and a comment of earlier versions gives way to a 🆔."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.markdown.line import value
from connectors.markdown.signs import SIGNS, block_id, find_signs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from connectors.markdown.line import Line
    from connectors.markdown.signs import Kind, Sign
    from connectors.model import Content

_BEFORE: dict[Kind, tuple[Kind, ...]] = {  # the signs before a new sign, in this order
    "priority": (),
    "start": ("priority",),
    "due": ("priority", "start"),
    "id": ("priority", "start", "due"),
    "after": ("priority", "start", "due", "id"),
}


def new_line(indent: str, content: Content, id_: str, after: Sequence[str], done_on: date | None) -> str:
    """Return the line of a new task. after: the ids of the tasks that come before."""
    parts = [
        f"{indent}- [{'x' if done_on else ' '}] {content.title}",
        SIGNS.get(content.priority),
        content.start and f"🛫 {content.start}",
        content.due and f"📅 {content.due}",
        f"🆔 {id_}",
        f"⛔ {','.join(after)}" if after else None,
        done_on and f"✅ {done_on}",
    ]
    return " ".join(part for part in parts if part)


class Edit:
    """A line while it is changed."""

    def __init__(self, line: Line) -> None:
        """Begin with the line as it is, but without the comment of an earlier version, and with its first day."""
        self._line = line
        self.box, self._title, self._signs = line.box, line.title, line.signs
        if line.hidden_start:
            self._set_day("start", "🛫", line.hidden_start)

    @property
    def text(self) -> str:
        """The line as one text."""
        return f"{self._line.head}{self.box}{self._title}{self._signs}{self._line.end}"

    def set(self, content: Content, fields: frozenset[str]) -> None:
        """Change these fields in place."""
        if "title" in fields:
            self._title = f"{']' if self._line.boxed else ''} {content.title}"
        if "priority" in fields:
            self._put("priority", SIGNS.get(content.priority, ""))
        if "start" in fields:
            self._set_day("start", "🛫", content.start)
        if "due" in fields:
            self._set_day("due", "📅", content.due)

    def identify(self, id_: str) -> None:
        """Write the id; it replaces another one."""
        if id_ not in [value(self._signs, sign) for sign in self._all("id")]:
            self._put("id", f"🆔 {id_}")

    def unmark(self, id_: str) -> None:
        """Remove the id; the rest belongs to the user."""
        for sign in reversed([sign for sign in self._all("id") if value(self._signs, sign).casefold() == id_]):
            self._take_out(sign)
        self._signs = self._signs.rstrip()
        if not self._signs:
            self._title = self._title.rstrip()

    def link(self, ids: Sequence[str]) -> None:
        """Write the ids of the tasks that come before."""
        self._put("after", f"⛔ {','.join(ids)}" if ids else "")

    def tick(self, day: date | None) -> None:
        """Tick the box and add the day before a block id, which links find only at the end of the line."""
        self.box = self.box if self._line.done else "x"
        if day and not self._all("done"):
            at = block_id(self._signs)
            self._signs = f"{self._signs[:at].rstrip(' ')} ✅ {day}{self._signs[at:]}"

    def untick(self) -> None:
        """Clear the box, and remove the day it was done."""
        self.box = " "
        for sign in reversed([sign for sign in self._all("done") if sign.day]):
            self._take_out(sign)

    def _all(self, kind: Kind) -> list[Sign]:
        return [sign for sign in find_signs(self._signs) if sign.kind == kind]

    def _put(self, kind: Kind, text: str) -> None:
        """Put a sign in the place of the one that is there, or in its own place; nothing for an empty text."""
        found = self._all(kind)
        if found and text:
            self._replace(found[-1].start, found[-1].stop, text)
        elif found:
            self._take_out(found[-1])
        elif text:
            at = self._place(_BEFORE[kind])
            self._signs = f"{self._signs[:at]} {text}{self._signs[at:]}"

    def _place(self, before: tuple[Kind, ...]) -> int:
        """Return where a new sign goes: behind those of these kinds with which the signs begin."""
        at = 0
        for sign in find_signs(self._signs):
            if self._signs[at : sign.start].strip():
                break
            if sign.kind in before:
                at = sign.end if sign.unread else sign.stop
        return len(self._signs[:at].rstrip())

    def _set_day(self, kind: Kind, sign: str, day: date | None) -> None:
        found = self._all(kind)
        if not found or day is None:
            self._put(kind, f"{sign} {day}" if day else "")
            return
        last = found[-1]
        is_field = self._signs[last.start] in "[("
        stop = last.stop - 1 if is_field else last.end if last.unread else last.stop
        told = f" ‹{last.unread}›" if last.unread else ""  # keep what the user typed
        following = self._signs[stop : stop + 1]
        blank = " " if following and following not in " \t.,;])*_" else ""
        self._replace(last.value, stop, f" {day}{told}{blank}")

    def _take_out(self, sign: Sign) -> None:
        start = sign.start - self._signs[: sign.start].endswith(" ")
        self._replace(start, sign.stop, "")

    def _replace(self, start: int, stop: int, new: str) -> None:
        self._signs = self._signs[:start] + new + self._signs[stop:]
