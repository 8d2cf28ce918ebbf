"""Phrases that have to be read twice are not in the project's own English: docstrings, comments, messages, pages."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

PLACES = (
    "config",
    "connectors",
    "sync",
    "docs",
    "scripts",
    "benchmarks",
    "tests",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
# What to write in their place.
INSTEAD = {
    r"let(s|ting)? go of": "detach",
    r"(is|are|was|were) told(?! apart)": "is reported; knows",
    r"person's( own)? doing": "done by the user",
    r"(hear|heard|hears) (of|from)": "read",
    r"to be said": "to report",
    r"(is|are|be) asked too often": "rate limited",
    r"ha(s|ve) (its|their) turn": "runs",
    r"in another life": "before the stored state was deleted",
    r"said aloud": "reported",
    r"(file|memory|marker|date|state|token|value|setting|key)s? lives?": "is stored",
}
AVOIDED = {
    re.compile(rf"\b{phrase}\b".replace(" ", r"\s+(?:# )?"), re.IGNORECASE): instead  # it may go on in the next line
    for phrase, instead in INSTEAD.items()
}


def findings(text: str) -> list[str]:
    """Return the phrases in a text, by line, each with what to write instead."""
    return [
        f"{text.count(chr(10), 0, match.start()) + 1}: `{match[0]}`; write: {instead}"
        for phrase, instead in AVOIDED.items()
        for match in phrase.finditer(text)
    ]


def test_a_phrase_is_found_where_a_comment_breaks_it() -> None:
    assert findings("fine\n    # It was Told\n    # of it.\n") == ["2: `was Told`; write: is reported; knows"]
    assert findings("# nobody has heard\n# of it") == ["1: `heard\n# of`; write: read"]
    assert findings("They are told apart by their ids.") == []


@pytest.mark.parametrize("place", PLACES)
def test_no_phrase_has_to_be_read_twice(place: str) -> None:
    path = ROOT / place
    files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.md")]
    assert files
    wrong = [
        f"{file.relative_to(ROOT)}:{found}"
        for file in files
        if file.name != "test_words.py"
        for found in findings(file.read_text("utf-8"))
    ]
    assert not wrong, "\n".join(wrong)
