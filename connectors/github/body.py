r"""Text for GitHub: it is shown as written in the goals file, and notifies and links nobody.

A body is a date line, the notes and two hidden comments. Users may write above and below them:

    Due 5 August 2027 (Thursday)

    Call before 10, and ask for \*both\* forms

    <!-- bp1 3f9a2c01d4 me/goals food-handler/review 1 2027-08-05 - p4kx2a.c7v5qe.aaaaaa.b3mz6t.yt5w2k -->

GitHub searches for `@name`, `#12` and the like after it has rendered Markdown. So a backslash does not prevent a
notification; a word joiner (U+2060) behind the sign does, and is invisible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from connectors import snapshot
from connectors.codec import write_marker
from connectors.github.date_line import (
    Dates,
    added_words,
    date_line,
    find_date_line,
    hidden,
    read_dates,
    several_days,
    unread_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.model import Content, Marker

LONGEST_TITLE = 256
LONGEST_BODY = 65_536
_JOINER = "\u2060"
_SHORT = 6  # GitHub takes seven hexadecimal digits for a commit

# Escaping. Earlier versions wrote the first letter of a line like a date line as `&#68;`.

_PING = re.compile(r"@(?=\w)|#(?=\d)|(?i:\bGH-)(?=\d)|\b(?i:[0-9a-f]{7,40})\b")
_URL = re.compile(r"https?://[^\s<>\"'()\[\]`*|\\]*[^\s<>\"'()\[\]`*|\\.,;:!?_~]")
_SIGNS = re.compile(r"[\\`*_\[\]~|$]|:(?=[\w+-]+:)")
_AT_THE_START = re.compile(r"^(?:[-+=#>]|\d{1,9}(?=[.)]))")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "nbsp": " ", "#68": "D", "#9": "\t"}
_ENTITY = re.compile(rf"&({'|'.join(_NAMED)});")
_COMMENT = re.compile(r"<(?=!--)|--!?(?=>)")
_DECODED = re.compile(rf"`(https?://[^`\n]+)`|\\([!-/:-@\[-`{{-~])|{_ENTITY.pattern}|{_JOINER}")


class Wording:
    """Escapes text so that GitHub shows it as it is written in the goals file."""

    def __init__(self, host: str, *, mentions: bool = False) -> None:
        """`host` is that of the API; `mentions`: names, links and Markdown are not escaped."""
        hosts = "|".join(map(re.escape, ("github.com", host.removeprefix("api."))))
        self._own_address = re.compile(rf"(?i)https?://(?:[\w-]+\.)*(?:{hosts})(?=[/:?#]|$)")
        self.mentions = mentions

    def title(self, text: str) -> str:
        """Return a title, cut to GitHub's limit. In titles, GitHub renders no Markdown except code."""
        written = text if self.mentions else _PING.sub(_without_ping, text)
        if len(written) <= LONGEST_TITLE:
            return written
        cut = written[: LONGEST_TITLE - 1].rstrip(_JOINER)
        return f"{cut.rstrip()}…"

    def notes(self, text: str) -> str:
        """Return notes as Markdown."""
        write = self._as_meant if self.mentions else self._as_text
        return "\n".join(hidden(write(line), _JOINER) for line in text.split("\n"))

    def _as_meant(self, line: str) -> str:
        return _COMMENT.sub(lambda match: f"{match[0]}{_JOINER}", line)

    def _as_text(self, line: str) -> str:
        rest = line.lstrip(" \t")
        indent = line[: len(line) - len(rest)].replace(" ", "&nbsp;").replace("\t", "&#9;")
        written, at = "", 0
        for match in _URL.finditer(rest):
            written += self._plain(rest[at : match.start()], first=at == 0) + self._address(match[0])
            at = match.end()
        return indent + written + self._plain(rest[at:], first=at == 0)

    def _plain(self, text: str, *, first: bool) -> str:
        start = ""
        if first and (match := _AT_THE_START.match(text)):
            start = f"\\{match[0]}" if not match[0].isdigit() else f"{match[0]}\\"
            start, text = start.replace("\\>", "&gt;"), text[match.end() :]
        parts = (_SIGNS.sub(lambda match: f"\\{match[0]}", part.translate(_HTML)) for part in _joined(start, text))
        return start + "".join(parts)

    def _address(self, url: str) -> str:
        """Return an address; one of GitHub's own as code, because a link would appear in the issue that it leads to."""
        return f"`{url}`" if self._own_address.search(url) else url.translate(_HTML)


def _joined(start: str, text: str) -> list[str]:
    """Return the text with word joiners behind its signs; `start` is the text before it."""
    joiner = _JOINER if start == "\\#" and text[:1].isdigit() else ""
    return [joiner, _PING.sub(_without_ping, text)]


def _without_ping(match: re.Match[str]) -> str:
    """Return a sign with a word joiner behind it; a possible commit hash is split into pieces that are too short."""
    text = match[0]
    pieces = [text[start : start + _SHORT] for start in range(0, len(text), _SHORT)]
    return _JOINER.join(pieces) if len(pieces) > 1 else f"{text}{_JOINER}"


def read_title(text: str) -> str:
    """Return a title without its word joiners."""
    return " ".join(text.replace(_JOINER, "").split())


def read_notes(text: str, *, meant: bool) -> str:
    """Return notes as in the goals file; `meant`: they were written without escapes."""
    if meant:
        return tidy(text.replace("&#68;", "D"))
    return tidy(_DECODED.sub(lambda m: m[1] or m[2] or _NAMED.get(m[3] or "", ""), text))


def tidy(text: str) -> str:
    """Return notes in the form in which they are compared."""
    return snapshot.tidy(text.replace(_JOINER, ""))


# Bodies

_MARKER = re.compile(r"<!--[ \t]*(bp\d{1,9}[ \t][^<>\n]*?)( Markdown)?[ \t]*-->")
_MEMORY = re.compile(r"\n*<!-- bpm1 (\S+) (\{[^<>\n]*\}) -->")
_ASIDE = re.compile(r"\n*<!-- bpa1 (\S+) (\S+)(?: (\S+))? -->")
_CHECKLIST = "<!-- checklist -->"
_ITEM = re.compile(r"[-*+] \[[ xX]\] +(\S.*)")


@dataclass(frozen=True, slots=True)
class Aside:
    """What we last wrote about an issue outside of its body.

    - `project`: its date in a project.
    - `blocked_by`: the nonces of what blocks it; nonces stay when keys change.
    - `field`: its due date in the organization's date field.
    """

    project: date | None = None
    blocked_by: tuple[str, ...] = ()
    field: date | None = None

    @property
    def text(self) -> str:
        """The aside as text for a comment; empty if it has no values."""
        if self == Aside():
            return ""
        return f"{self.project or '-'} {','.join(self.blocked_by) or '-'}" + (f" {self.field}" if self.field else "")

    @classmethod
    def read(cls, project: str, blocked_by: str, field: str | None) -> Aside:
        """Return the aside in the text of a comment."""
        nonces = () if blocked_by == "-" else tuple(blocked_by.split(","))
        return cls(_day_of(project), nonces, _day_of(field or "-"))


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Body:
    """The parts of a body.

    - `marker`: the text of our comment; `memory`: its lines, each with its namespace.
    - `above`, `below`: what users wrote, unchanged.
    - `line`: the date line, even if it cannot be read; `items`: the lines of the checklist.
    - `meant`: the notes were written without escapes.
    """

    above: str = ""
    line: str = ""
    notes: str = ""
    items: tuple[str, ...] = ()
    marker: str = ""
    meant: bool = False
    aside: Aside = Aside()
    memory: tuple[tuple[str, str], ...] = ()
    below: str = ""

    @classmethod
    def read(cls, text: str) -> Body:
        """Return the parts of a body. Without a marker, everything below the date line is notes."""
        text = text.replace("\r\n", "\n")
        memory = tuple((found[1], found[2]) for found in _MEMORY.finditer(text))
        aside = _ASIDE.search(text)
        text = _ASIDE.sub("", _MEMORY.sub("", text))
        marker = _MARKER.search(text)
        head, below = (text[: marker.start()], text[marker.end() :]) if marker else (text, "")
        head, _, items = head.partition(_CHECKLIST)
        lines = head.split("\n")
        number = find_date_line(lines)
        return cls(
            "\n".join(lines[:number]) + "\n" if number else "",
            lines[number] if number is not None else "",
            "\n".join(lines if number is None else lines[number + 1 :]).strip("\n"),
            tuple(line for line in items.split("\n") if line.strip()),
            marker[1] if marker else "",
            bool(marker and marker[2]),
            Aside.read(*aside.groups()) if aside else Aside(),
            memory,
            below if below.strip() else "",
        )

    @property
    def dates(self) -> Dates:
        """The dates in the date line."""
        return read_dates(self.line)

    @property
    def unread(self) -> str:
        """The text of the date line that cannot be read as a day; if there are several date lines, all their days."""
        return several_days(self.line, self.notes) or unread_words(self.line)

    @property
    def checklist(self) -> tuple[str, ...]:
        """The items of the checklist, ticked or not."""
        found = (_ITEM.fullmatch(line.strip()) for line in self.items)
        return tuple(dict.fromkeys(read_notes(match[1], meant=self.meant).strip() for match in found if match))

    @property
    def added(self) -> bool:
        """Whether a user wrote something above or below our text."""
        return bool(self.above.strip() or self.below.strip())

    @property
    def text(self) -> str:
        """The body as one text."""
        checklist = "\n".join([_CHECKLIST, *self.items]) if self.items else ""
        marker = f"<!-- {self.marker}{' Markdown' * self.meant} -->" if self.marker else ""
        memory = [f"<!-- bpm1 {namespace} {line} -->" for namespace, line in self.memory]
        aside = f"<!-- bpa1 {self.aside.text} -->" if self.aside.text else ""
        comments = "\n".join(filter(None, [marker, aside, *memory]))
        return self.above + "\n\n".join(filter(None, [self.line, self.notes, checklist, comments])) + self.below

    def with_marker(self, marker: Marker | None) -> Body:
        """Return the body with another marker, or with none."""
        if marker is None:
            return replace(self, marker="", aside=Aside())
        return replace(self, marker=write_marker(marker))

    def with_memory(self, namespace: str, lines: Sequence[str]) -> Body:
        """Return the body with other lines of the memory of a namespace."""
        others = tuple(entry for entry in self.memory if entry[0] != namespace)
        return replace(self, memory=(*others, *((namespace, line) for line in lines)))

    def lines_of(self, namespace: str) -> list[str]:
        """Return the lines of the memory of a namespace."""
        return [line for owner, line in self.memory if owner == namespace]

    def with_content(self, content: Content, fields: frozenset[str], wording: Wording) -> Body:
        """Return the body with these fields of the content. A date line that cannot be read stays unchanged."""
        body = self
        if not self.unread and (fields & {"due", "start"} or content.due != self.dates.due):
            line = date_line(content.due, content.start, added_words(self.line)) if content.due else ""
            body = replace(body, line=line)
        if "notes" in fields:
            body = replace(body, notes=wording.notes(content.notes), meant=wording.mentions)
        if "checklist" in fields:
            body = replace(body, items=self._items(content.checklist, wording))
        return body

    def keeping(self, words: str) -> Body:
        """Return the body with a user's text that the goals file overwrites, added at the end."""
        return replace(self, below=f"{self.below.rstrip()}\n\n{words}")

    def _items(self, wanted: tuple[str, ...], wording: Wording) -> tuple[str, ...]:
        """Return the lines of a checklist; existing ones stay unchanged, with their ticks."""
        there = {}
        for line in self.items:
            if match := _ITEM.fullmatch(line.strip()):
                there[read_notes(match[1], meant=self.meant).strip()] = line
        others = tuple(line for line in self.items if not _ITEM.fullmatch(line.strip()))
        return (*(there.get(text) or f"- [ ] {wording.notes(text)}" for text in wanted), *others)


def in_order(labels: Iterable[str], own: str) -> tuple[str, ...]:
    """Return labels without duplicates and without our own, sorted: GitHub's own order may change."""
    by_name = {label.casefold(): label for label in labels if label.casefold() != own.casefold()}
    return tuple(by_name[name] for name in sorted(by_name))
