"""A goal that is added to a goals file: its texts come back as they are, and every other byte stays."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from config import goal_form, new_goal
from config.errors import BackplanError, InputError
from config.fields import Id
from config.new_goal import NewGoal
from config.source import Source
from tests.config.test_edit import AROUND, HARD

TODAY = date(2027, 7, 20)
GOAL = NewGoal("new-12", "New", date(2027, 9, 15), ("One", "Two"))
NASTY = (
    *("a: b", " #", "- ", "? ", "&x ", "*x", "!!map ", "{", "}", "[", "]", "'", '"', "\\", "|", ">", "%", "@", "`"),
    *("null", "true", "12", "2027-08-15", "0x1f", "---", "...", "<<: *a", "${{ x }}", "::error::", "##[x]", "~"),
    *("<!-- bp1 ", "<script>", "\u202e", "\u2066", "\u200d", "\u2028", "\u0085", "\ufeff", "\t", "\r", "\n", "\x00"),
    *("\x1b", "\ud800", "### Steps", "_No response_", "\u00e9", "\u65e5\u672c", "\U0001f600", "x" * 60),
)
TEXTS = st.lists(st.sampled_from(NASTY), max_size=12).map("".join) | st.text(max_size=40)
FILES = {
    **{name: f"{before}2027-08-15{after}" for name, (before, after) in AROUND.items()},
    **{name: text for name, text in HARD.items() if name != "two byte order marks"},  # a file's own mark is no text
    "an empty list": "namespace: a/b # c\ngoals: []   # d\nsync: [todoist]\n",
    "an empty list at the end": "goals: []",
    "settings below": "goals:\n  - title: A\n    deadline: 2027-08-15\n\n# about the zone\ntimezone: UTC\n",
    "comments of the last goal": "goals:\n  - title: A\n    deadline: 2027-08-15\n    # more\n      # deep\n  # none\n",
    "a text block at the end": "goals:\n- title: A\n  deadline: 2027-08-15\n  notes: |+\n    a\n\n    # b\n\n",
    "no value at the end": "goals:\n- title: A\n  deadline: 2027-08-15\n  sync:\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_every_file_is_continued_or_refused(text: str) -> None:
    source = Source("goals.yaml", text)
    try:
        added = new_goal.add(source, GOAL)
    except BackplanError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert re.match(r"goals\.yaml:\d+:\d+: no goal can be added to this list", refusal)
        assert "{" in text or "&" in text  # only where goals are in braces, or a value is used twice
        return
    assert Source("goals.yaml", added).value["goals"] == [*source.value["goals"], GOAL.value()]
    if source.value["goals"]:
        before, behind = _alike(text, added), _alike(text[::-1], added[::-1])
        assert before + behind >= len(text)  # nothing is missing: the new lines are between the two


def _alike(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@given(TEXTS, TEXTS, TEXTS)
@example("\ud800", "a\n\n### Why?\n\nb", "c")
@example("x", "- [ ] a: b\n1. *c", "&a")
def test_what_a_form_says_is_data(title: str, steps: str, why: str) -> None:
    body = (
        f"### By which day?\n\n2027-09-15\n\n### Steps\n\n{steps}\n\n### Template\n\n_No response_\n\n### Why?\n\n{why}"
    )
    try:
        goal = goal_form.read(12, title, body, ["wedding"], TODAY)
    except InputError:
        return
    source = Source("goals.yaml", FILES["comments of the last goal"])
    try:
        added = new_goal.add(source, goal)
    except BackplanError:  # such as a text that looks like a token
        return
    written = Source("goals.yaml", added).value
    assert written["goals"] == [*source.value["goals"], goal.value()]
    assert written.keys() == source.value.keys()
    assert written["goals"][-1].keys() <= {"id", "title", "deadline", "steps", "why", "template"}
    assert goal.id.endswith("-12")


@given(st.text(max_size=30), st.integers(1, 10**9))
def test_ids_end_in_the_number_of_the_issue_and_are_ids(title: str, number: int) -> None:
    found = goal_form.goal_id(title, number)
    assert TypeAdapter(Id).validate_python(found) == found
    assert found.endswith(f"-{number}")


def test_a_form_of_sixty_thousand_characters_is_a_sentence() -> None:
    body = "### By which day?\n\n" + "9" * 60_000 + "\n\n### Steps\n\n" + "- a\n" * 5_000
    with pytest.raises(InputError) as error:
        goal_form.read(1, "T", body, (), TODAY)
    assert len(str(error.value)) < 1_000
