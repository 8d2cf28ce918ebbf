"""Whatever a goals file says comes back as it was said, and closes, forges, pings and links nothing on the way."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connectors.github.body import (
    LONGEST_TITLE,
    Body,
    Wording,
    read_notes,
    read_title,
    tidy,
)
from connectors.github.date_line import Dates, date_line
from connectors.model import Content, Marker
from tests.connectors.contract import HOSTILE_TITLES

NASTY = (
    *"ab1 \t\n\\`*_[]()~|$:<>&#@!-+=.D{}\"'/7f",
    "https://github.com/a/b/issues/1",
    "https://example.org/a_b?c=1&d=@e",
    "GH-12",
    "Due 5 August 2027",
    "<!--",
    "-->",
    "--!>",
    "&lt;",
    "&amp;",
    "&#68;",
    "<!-- bp1 aaaaaaaaaa me/goals g/one 1 - - .... -->",
    "<!-- checklist -->",
    "- [ ] item",
    "\u2060",
    "```",
)
TEXTS = st.lists(st.sampled_from(NASTY), max_size=20).map("".join) | st.text(
    st.characters(exclude_characters="\0", codec="utf-8"), max_size=60
)
PLAIN = Wording("api.github.com")
MEANT = Wording("api.github.com", mentions=True)
MARKER = Marker("me/goals", "g/one", "aaaaaaaaaa", due=date(2027, 8, 5))
# What GitHub makes something of after Markdown: names, issues, commits.
_PINGS = re.compile(r"(?<![\w/])@[a-zA-Z0-9]|#\d|\bGH-\d|\b[0-9a-f]{7,40}\b", re.IGNORECASE)
_URLS = re.compile(r"https?://\S+")


@given(TEXTS)
@example("\\<!-- x")
def test_notes_come_back_as_they_were(text: str) -> None:
    notes = tidy(text)
    assert read_notes(PLAIN.notes(notes), meant=False) == notes
    if "&#68;" not in notes:
        assert read_notes(MEANT.notes(notes), meant=True) == notes


@given(TEXTS)
def test_notes_are_shown_as_they_stand_there(text: str) -> None:
    """No Markdown is left in them, and no HTML: what a reader sees is the text."""
    notes = " ".join(tidy(text).split())
    tokens = MarkdownIt("commonmark").parse(PLAIN.notes(notes))
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special", "code_inline"}
    seen = "".join(child.content for child in children).replace("\u2060", "").replace("\u00a0", " ")
    assert seen.split() == notes.split()


@given(TEXTS)
def test_nobody_is_pinged(text: str) -> None:
    children = [
        child
        for token in MarkdownIt("commonmark").parse(PLAIN.notes(tidy(text)))
        for child in token.children or []
        if child.type != "code_inline"
    ]
    shown = ("\n" if child.type in ("softbreak", "hardbreak") else child.content for child in children)
    seen = _URLS.sub("", "".join(shown))
    assert not _PINGS.search(seen)
    assert "github.com" not in "".join(_URLS.findall("".join(child.content for child in children)))


@given(TEXTS)
def test_titles_come_back_and_ping_nobody(text: str) -> None:
    written = PLAIN.title(read_title(text))
    assert len(written) <= LONGEST_TITLE
    assert not re.search(r"(?<!\w)@\w|#\d", written)
    once = read_title(written)
    assert read_title(PLAIN.title(once)) == once


@pytest.mark.parametrize("wording", [PLAIN, MEANT])
@given(TEXTS, st.lists(TEXTS, max_size=3), TEXTS, TEXTS)
def test_a_body_is_taken_apart_as_it_was_put_together(
    wording: Wording, notes: str, items: list[str], above: str, below: str
) -> None:
    checklist = tuple(dict.fromkeys(filter(None, (" ".join(read_title(item).split()) for item in items))))
    content = Content("T", date(2027, 8, 5), tidy(notes), start=date(2026, 12, 31), checklist=checklist)
    fields = frozenset({"due", "start", "notes", "checklist"})
    made = Body().with_content(content, fields, wording).with_marker(MARKER)
    made = made.with_memory("me/goals", ['{"goal":"g"}', '{"goal":"h"}'])
    found = Body.read(made.text)
    assert found.dates == Dates(content.due, content.start)
    assert found.lines_of("me/goals") == ['{"goal":"g"}', '{"goal":"h"}']
    assert found.marker == made.marker
    assert not found.added
    if "&#68;" not in notes + "".join(items):
        assert read_notes(found.notes, meant=found.meant) == content.notes
        assert found.checklist == checklist
    assert Body.read(found.text) == found
    plain = [text for text in (above, below) if "<!--" not in text and "Due" not in text]
    if len(plain) == 2 and all(text.strip() for text in plain):
        around = Body.read(f"{above}\n\n{made.text}\n\n{below}")
        assert around.text == f"{above}\n\n{made.text}\n\n{below}".replace("\r\n", "\n")
        assert (around.dates, around.marker, around.added) == (found.dates, found.marker, True)
        assert around.with_marker(None).above == around.above


@pytest.mark.parametrize("title", HOSTILE_TITLES)
def test_hostile_words_in_notes_forge_nothing(title: str) -> None:
    body = Body(notes=PLAIN.notes(tidy(title)), line=date_line(date(2027, 8, 5))).with_marker(MARKER)
    assert body.text.count("<!--") == body.text.count("-->") == 1
    assert Body.read(body.text) == body


def test_a_day_in_the_next_year_has_its_year() -> None:
    assert date_line(date(2028, 1, 5), date(2027, 12, 30)) == "Due 5 January 2028 (Wednesday), start 30 December 2027"
