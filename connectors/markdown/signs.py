"""The signs behind a task in a Markdown list: 📅 🛫 ✅ with their dates, 🆔 and ⛔, priorities, block ids.

A sign counts only in the run of signs at the end of a text: `Buy 📅 calendar` has no date. The text behind a 📅, up to
the next sign, is its date if its first words can mean only one day. Words behind a date stay; if there is a second date
among them, neither is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from connectors.days import WEEKDAY, read_day, weekday_clash

if TYPE_CHECKING:
    from datetime import date

SIGNS = {"urgent": "🔺", "high": "⏫", "medium": "🔼"}
PRIORITIES = {sign: name for name, sign in SIGNS.items()}

Kind = Literal["due", "start", "done", "priority", "day", "id", "after", "words", "bare"]
_KINDS: dict[Kind, str] = {
    "due": "📅📆🗓",
    "start": "🛫",
    "done": "✅",
    "priority": "🔺⏫🔼",
    "day": "⏳⌛➕❌",
    "id": "🆔",
    "after": "⛔",
    "words": "🔁🏁",
    "bare": "🔽⏬",
}
_SIGN = re.compile(
    "|".join(f"(?P<{kind}>[{signs}])\ufe0f?" for kind, signs in _KINDS.items())
    + r"|[\[(][ ]*due[ ]*::(?P<field>[^\[\]()]*(?:\([^\[\]()]*\)[ ]*)?)[\])]",  # Dataview's
    re.IGNORECASE,
)
# Replaces signs of this and other tools by look-alikes that no tool reads.
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("📅📆🗓", "🗒"),
        **dict.fromkeys("🔺⏫🔼", "▲"),
        **dict.fromkeys("🔽⏬", "▼"),
        **dict.fromkeys("⏳⌛", "⧗"),
        "✅": "☑",
        "🆔": "🪪",
        "⛔": "🚫",
        "🛫": "✈",
        "➕": "＋",
        "❌": "✗",
        "🔁": "↻",
        "🏁": "⚑",
    }
)
_BLANKS = r"[^\S\n]*"  # editors put a no-break space behind a sign
_ID = re.compile(rf"🆔\ufe0f?{_BLANKS}([\w-]+)")
_FIELD = re.compile(r"([\[(][ ]*due[ ]*)::", re.IGNORECASE)
_BLOCK_ID = re.compile(r"\^[A-Za-z0-9-]+")
_TAGS = re.compile(r"(?:\s*#\S+(?!\S))*[\s*_.,;]*")
_VALUES: dict[Kind, re.Pattern[str]] = {
    "id": re.compile(rf"{_BLANKS}[\w-]+|"),
    "after": re.compile(rf"{_BLANKS}[\w-]+(?:{_BLANKS},{_BLANKS}[\w-]+)*|"),
    "words": re.compile(r"[\s\w,!-]*"),
}
_MOST_WORDS = 6  # of a date: `Sun 9th of May 2027` and one to spare
# What may be a date, one that cannot be read or has no year included.
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
_SOME_DAY = re.compile(
    r"(?<!\d)(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTH}\b\.?(?:,?\s+\d{{4}})?"
    rf"|\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?)(?!\d)",
    re.IGNORECASE,
)
# Where a date of ours is gone, words that may stand for one, in any language: `20. Mai 2027`, `20/5`, `tomorrow`.
_LIKE_A_DAY = re.compile(
    rf"{_SOME_DAY.pattern}|(?<![\w/.-])(?:\d{{1,2}}[./]\d{{1,2}}(?:[./]\d{{0,4}})?|\d{{1,2}}\.\s+[^\W\d_]{{3,9}}\.?"
    r"|\d{1,2}\s+[^\W\d_]{3,9}\.?\s+\d{4}|to(?:day|night|morrow)|(?:(?:next|this)\s+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"|(?:next|this)\s+(?:week(?:end)?|month|year)|in\s+\w+\s+(?:days?|weeks?|months?))(?![\w/])",
    re.IGNORECASE,
)
# A weekday behind a date belongs to it, as in `2027-05-12 (Wed)`, `2027-05-12 Wed evening`; `Sun lotion` has none.
_WEEKDAY_BEHIND = re.compile(
    rf"[*_]*,?[ ]+\(?{WEEKDAY.pattern}\)?(?={_TAGS.pattern}$|\s+(?:morning|noon|afternoon|evening|night|at|\d))",
    re.IGNORECASE,
)
_KEPT_WORDS = re.compile("‹[^›]*›")  # what a person had written, which we put behind a date of ours
_AROUND = r"[^\w\n]*"


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign and its value, as positions in the text.

    - `start` to `stop`: the sign with its value, which begins at `value`.
    - `stop` to `end`: a user's own words, up to the next sign.
    - `day`: None if there is none, or if `unread` cannot be read.
    """

    kind: Kind
    start: int
    value: int
    stop: int
    end: int
    day: date | None = None
    unread: str = ""


@lru_cache(maxsize=1 << 12)  # each part of a line is asked for all its signs again and again
def find_signs(text: str) -> tuple[Sign, ...]:
    """Return the signs in a text, wherever they stand; a block id at its end is not part of any value."""
    matches = list(_SIGN.finditer(text, 0, block_id(text)))
    ends = [*(match.start() for match in matches[1:]), block_id(text)]
    return tuple(_sign(text, match, end) for match, end in zip(matches, ends, strict=False))


def ids_in(text: str) -> list[tuple[str, int]]:
    """Return the ids behind 🆔 in a text, each with where it ends."""
    return [(found[1], found.end()) for found in _ID.finditer(text)] if "🆔" in text else []


def block_id(text: str) -> int:
    """Return where a block id (` ^abc123`) at the end of a text begins, with the blanks before it; else its length."""
    last = text.rstrip(" \t")
    start = max(last.rfind(" "), last.rfind("\t")) + 1
    return len(last[:start].rstrip(" \t")) if _BLOCK_ID.fullmatch(last, start) else len(text)


def run_of_signs(text: str) -> int:
    """Return where the run of signs (and a block id) at the end of a text begins, with the blanks before it."""
    start = block_id(text)
    doubtful = (
        False  # whether a sign that may be a word of the title stands behind: a date before it shows that it is none
    )
    for sign in reversed(find_signs(text)):
        if sign.unread and sign.kind != "due":
            doubtful = True
        elif sign.unread or _TAGS.fullmatch(text, sign.stop, sign.end) is None:
            break
        elif sign.kind == "due" or not doubtful:
            start, doubtful = sign.start, False
    return len(text[:start].rstrip()) if start < len(text) else start


def day_without_sign(text: str) -> tuple[int, str] | None:
    """Return the position and text of a possible date that belongs to no sign."""
    spans = [(sign.start, sign.stop) for sign in find_signs(text)]
    found = next((day for day in _LIKE_A_DAY.finditer(text) if not any(a <= day.start() < b for a, b in spans)), None)
    return (found.start(), found[0]) if found else None


def is_day_alone(text: str) -> bool:
    """Return whether a line contains only a date, with or without a sign."""
    found = _SOME_DAY.search(text)
    rest = text[: found.start()] + text[found.end() :] if found else text
    return found is not None and re.fullmatch(rf"{_AROUND}(?:(?:due|on|by){_AROUND})?", rest, re.IGNORECASE) is not None


def plain(title: str) -> str:
    """Return a title in which no tool finds a sign."""
    return _FIELD.sub(r"\1∷", title.translate(_LOOK_ALIKES))


def _sign(text: str, match: re.Match[str], end: int) -> Sign:
    start, value = match.span()
    if match["field"] is not None:
        inner = match.start("field")
        day, _, unread = _read_value(match["field"])
        return Sign("due", start, inner, value, end, day, unread)
    kind: Kind = next(kind for kind in _KINDS if match[kind])
    if kind in ("priority", "bare"):
        return Sign(kind, start, value, value, end)
    if kind in _VALUES:
        words = _VALUES[kind].match(text, value, end)
        return Sign(kind, start, value, words.end() if words else value, end)
    day, length, unread = _read_value(text[value:end])
    return Sign(kind, start, value, value + length, end, day, unread)


def _read_value(text: str) -> tuple[date | None, int, str]:
    """Return the day at the beginning of a text, the length of that part, and the text if it cannot be read."""
    if _TAGS.fullmatch(text):
        return None, 0, ""
    words = list(re.finditer(r"\S+", text))
    found = _first_day(text, words)
    named = _WEEKDAY_BEHIND.match(text, found[1]) if found else None
    stop = named.end() if named else found[1] if found else 0
    clashes = named is not None and weekday_clash(text[words[0].start() : stop])
    if found is None or clashes or _SOME_DAY.search(_KEPT_WORDS.sub("", text[stop:])):
        return None, 0, " ".join(text.split())
    return found[0], stop, ""


def _first_day(text: str, words: list[re.Match[str]]) -> tuple[date, int] | None:
    """Return the day at the beginning of some words, and where it ends in the text."""
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        said = text[words[0].start() : words[count - 1].end()].rstrip(".,;")
        if not said.startswith(("*", "_")):
            said = said.rstrip("*_")  # the end of an emphasis that begins before the sign
        if day := read_day(" ".join(said.split())):
            return day, words[0].start() + len(said)
    return None


def replace_spans(text: str, spans: list[tuple[int, int]], new: str = "") -> str:
    """Return a text with other words in these places."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return new.join(text[start:stop] for start, stop in list(pairwise(edges))[::2])
