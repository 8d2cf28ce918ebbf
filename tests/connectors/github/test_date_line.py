"""The date line of an issue: every spelling that can mean one day only is that day, and no other line is one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.calendars import WEEKDAY_NAMES
from connectors.github.body import Body, Wording, read_notes
from connectors.github.date_line import NO_DATES, Dates, added_words, date_line, read_dates, unread_words
from connectors.model import Content
from tests.connectors.github.test_body import MARKER
from tests.connectors.test_days import SPELLINGS

DAYS = st.dates(date(1000, 1, 1), date(9998, 12, 31))
BEGINNINGS = ("Due ", "due: ", "DUE ", "**Due** ", "**Due:** ", "_Due_: ", "  Due:")
DUE = date(2027, 5, 9)


@given(DAYS, st.none() | DAYS)
def test_what_is_written_is_read(due: date, start: date | None) -> None:
    assert read_dates(date_line(due, start)) == Dates(due, start)
    assert unread_words(date_line(due, start)) == ""


@given(
    DAYS,
    st.none() | DAYS,
    st.sampled_from(BEGINNINGS),
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(sorted(SPELLINGS)),
    st.none() | st.sampled_from(WEEKDAY_NAMES),
)
def test_every_spelling_of_a_day_is_read_with_any_weekday_in_brackets(
    due: date, start: date | None, beginning: str, spelling: str, other: str, weekday: str | None
) -> None:
    line = beginning + SPELLINGS[spelling](due) + (f" ({weekday})" if weekday else "")
    line += f", start {SPELLINGS[other](start)}" if start else ""
    assert read_dates(line) == Dates(due, start)
    assert unread_words(line) == ""


@pytest.mark.parametrize(
    ("line", "dates", "unread"),
    [
        ("Due 9 May 2027", Dates(DUE), ""),
        ("Due 9 May 2027 (or so)", Dates(DUE), ""),
        ("Due 9 May 2027, 17:00", Dates(DUE), ""),
        ("Due **May 9, 2027** (Monday), start May 3", Dates(DUE, date(2027, 5, 3)), ""),
        ("Due 9 May 2027 (Sunday), start 30 December 2026", Dates(DUE, date(2026, 12, 30)), ""),
        ("Due 9 May 2027 (Sunday), start at once", Dates(DUE), "at once"),
        ("Due next friday", NO_DATES, "next friday"),
        ("**Due** 5/9/2027", NO_DATES, "5/9/2027"),
        ("Due 31 February 2027", NO_DATES, "31 February 2027"),
        ("Due 9 May 2027 or 10 May 2027", NO_DATES, "9 May 2027 or 10 May 2027"),
        ("Due Monday, 9 May 2027", NO_DATES, "Monday, 9 May 2027"),
        ("It is due 9 May 2027", NO_DATES, ""),
        ("Duet 9 May 2027", NO_DATES, ""),
        ("- Due 9 May 2027", Dates(DUE), ""),
        ("> Due 9 May 2027", Dates(DUE), ""),
        ("## Due 9 May 2027", Dates(DUE), ""),
        ("1. Due 5/9/2027", NO_DATES, "5/9/2027"),
        ("(Due 9 May 2027)", NO_DATES, "9 May 2027)"),
        ("Due", NO_DATES, ""),
    ],
)
def test_what_could_be_another_day_or_is_none_is_reported_and_other_lines_are_not(
    line: str, dates: Dates, unread: str
) -> None:
    assert (read_dates(line), unread_words(line)) == (dates, unread)


@given(DAYS, st.none() | DAYS, st.sampled_from(["", "(or so)", "at the latest", "17:00", "please, Ann"]))
def test_what_a_person_wrote_behind_the_dates_stays_when_they_move(due: date, start: date | None, words: str) -> None:
    line = date_line(due, start, words)
    assert (read_dates(line), added_words(line)) == (Dates(due, start), words)
    moved = Body(line=line).with_content(Content("T", DUE), frozenset({"due"}), Wording("api.github.com"))
    assert moved.line == f"Due 9 May 2027 (Sunday) {words}".strip()


def test_a_date_line_that_cannot_be_read_is_never_written_over() -> None:
    body = Body(line="Due next friday")
    assert body.with_content(Content("T", DUE), frozenset({"due", "start"}), Wording("api.github.com")) == body


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("Due next friday\n\nNotes", "Due next friday"),
        ("Above\n\nDue next friday\n\nNotes", "Due next friday"),
        ("Due diligence comes first\n\nDue 9 May 2027", "Due 9 May 2027"),
        ("Due when it suits you\n\nNotes", "Due when it suits you"),
        ("Notes\nDue diligence comes first", ""),
        ("Notes", ""),
    ],
)
def test_the_date_line_is_found_whether_or_not_it_can_be_read(head: str, line: str) -> None:
    body = Body(notes="").with_marker(MARKER)
    assert Body.read(f"{head}\n\n{body.text}").line == line


@given(
    st.sampled_from(BEGINNINGS),
    st.sampled_from(["next friday", "5/9/2027", "diligence", *(spell(DUE) for spell in SPELLINGS.values())]),
    st.booleans(),
    st.booleans(),
)
def test_notes_like_a_date_line_are_read_back_and_are_none(
    beginning: str, words: str, mentions: bool, dated: bool
) -> None:
    wording = Wording("api.github.com", mentions=mentions)
    due = DUE + timedelta(days=1) if dated else None
    content = Content("T", due, f"{beginning.strip()} {words}\nMore")
    made = Body().with_content(content, frozenset({"due", "notes"}), wording).with_marker(MARKER)
    found = Body.read(made.text)
    assert (found.dates, found.unread) == (Dates(due), "")
    assert read_notes(found.notes, meant=found.meant) == content.notes
