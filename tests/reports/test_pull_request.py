"""The comment on a pull request: short, however much changes, and no text in it does anything."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from config.loader import load
from sync.reconcile.revision import revisions
from sync.reports import pull_request, summary
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2027, 7, 20)
TWO_SCREENS = 100  # lines
_DETAILS = re.compile(r"<details>(?:(?!<details>).)*?</details>", re.DOTALL)


def goals(count: int, title: str = "Goal", steps: int = 4, later: int = 0) -> str:
    listed = ", ".join(f'{{id: s{number}, title: "{title} {number}", takes: 1 day}}' for number in range(steps))
    return "goals:\n" + "".join(
        f'  - {{id: g{n}, title: "{title} of {n}", deadline: {TODAY + timedelta(30 + n + later)}, steps: [{listed}]}}\n'
        for n in range(count)
    )


def comment(folder: Path, old: str, new: str, limit: int = summary.COMMENT_LIMIT) -> str:
    path = folder / "goals.yaml"
    planned = []
    for text in (old, new):
        path.write_text(text, "utf-8")
        planned.append((project := load(path), schedule(project, Progress(), TODAY)))
    (_, before), (project, after) = planned
    return pull_request.comment(revisions(before, after, project), summary.Told(after, [], applied=False), limit)


def unfolded(text: str) -> str:
    """Return what is seen before anything is opened."""
    while (shorter := _DETAILS.sub("folded", text)) != text:
        text = shorter
    return text


def test_a_plan_that_stays_is_one_line_and_a_count(tmp_path: Path) -> None:
    text = comment(tmp_path, goals(3), goals(3))
    assert text == "## 🟢 backplan: the plan stays as it is\n\n3 other goals: 3 on track.\n"


@pytest.mark.parametrize(
    "new",
    [goals(100, later=5), pytest.param(goals(100, steps=30), marks=pytest.mark.proof), "goals: []\n"],
    ids=["moved", "new", "none"],
)
def test_a_hundred_goals_stay_under_two_screens(tmp_path: Path, new: str) -> None:
    text = comment(tmp_path, goals(100), new)
    assert len(unfolded(text).splitlines()) < TWO_SCREENS
    assert "92 more goals" in text


@given(limit=st.integers(4_000, 65_000), count=st.integers(1, 12), steps=st.integers(1, 14), later=st.integers(0, 9))
def test_whatever_the_limit_it_holds(
    tmp_path_factory: pytest.TempPathFactory, limit: int, count: int, steps: int, later: int
) -> None:
    folder = tmp_path_factory.mktemp("limit")
    text = comment(folder, goals(count), goals(count + 1, "目標" * 90, steps, later), limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters='"\\'), min_size=1, max_size=60))
def test_no_title_makes_markup(tmp_path_factory: pytest.TempPathFactory, title: str) -> None:
    folder = tmp_path_factory.mktemp("title")
    title = f"T{title}"
    text = comment(folder, goals(2), goals(2, title, steps=5, later=1).replace("g1,", "h1,"))
    html = str(MarkdownIt("gfm-like", {"linkify": False}).render(text))
    assert set(re.findall(r"<(\w+)", html)) <= {"h2", "h3", "p", "ul", "li", "strong", "code", "details", "summary"}
