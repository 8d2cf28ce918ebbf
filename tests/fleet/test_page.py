"""The coach's page of a fleet: who needs help first, and hostile text that stays text."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from sync.fleet import page

if TYPE_CHECKING:
    from tests.conftest import Person

DAY = date(2027, 7, 20)
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)> {{ 7 * 7 }} \u202e&"'


def goal(state: str, ticked: str = "2027-07-19", **more: Any) -> dict[str, Any]:
    dates = {"deadline": "2027-09-30", "due": "2027-07-25", "ticked": ticked}
    words = {"title": "Card", "health": f"{state}, in words", "next": "Learn"}
    return {"id": "card", **words, **dates, "state": state, "done": 1, "steps": 3, **more}


def result(account: str, *goals: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": account, "status": "synced", "goals": goals, "changes": {}, "error": "", **more}


FLEET = (
    result("well", goal("on-track")),
    result("quiet", goal("on-track", ticked="2027-07-01")),
    result("finished", goal("done", next="", due="")),
    result("risky", goal("at-risk")),
    result("late", goal("on-track"), goal("late")),
    result("missed", goal("missed")),
    result("broken", status="failed", error="todoist: the token is not valid"),
    result("held", goal("on-track"), status="held"),
    result("empty"),
)


@pytest.fixture
def written(person: Person) -> str:
    """The page as the command writes it."""
    person.writes("".join(json.dumps(line) + "\n" for line in FLEET), "run.jsonl")
    done = person.run("fleet", "report", "run.jsonl", "--html", "fleet.html", "--today", "2027-07-20")
    assert done.code == 0, done.err
    assert done.err.strip() == "wrote fleet.html"
    assert not done.out
    return (person.folder / "fleet.html").read_text("utf-8")


def shown(text: str) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", "", text, flags=re.DOTALL).split())


def test_the_page_shows_who_needs_help_first(written: str) -> None:
    ids = re.findall(r'scope="row"><bdi>(\w+)</bdi>', written)
    assert ids == ["missed", "late", "risky", "quiet", "well", "empty", "finished"]
    counts = "9 accounts · 1 failed · 1 held back · 1 missed · 1 late · 1 at risk · 1 no tick for two weeks"
    assert f"{counts} · 1 on track · 2 done" in shown(written)


def test_the_page_says_what_failed_and_why(written: str) -> None:
    assert "broken, failed: todoist: the token is not valid" in shown(written)
    assert "held, held back: open tasks would be removed" in shown(written)


def test_the_page_runs_and_loads_nothing(written: str) -> None:
    assert "default-src 'none'" in unescape(written)
    assert not re.search(r"<script|<link rel=.stylesheet|https?://|url\(", written)


def test_the_page_never_replaces_the_report(person: Person) -> None:
    report = json.dumps(FLEET[0]) + "\n"
    person.writes(report, "run.jsonl")
    done = person.run("fleet", "report", "run.jsonl", "--html", "./run.jsonl")
    assert done.code == 64
    assert "is the report itself" in done.err
    assert (person.folder / "run.jsonl").read_text("utf-8") == report


def test_hostile_text_stays_text() -> None:
    bad = goal("late", title=HOSTILE, health=HOSTILE, next=HOSTILE)
    failed = result(HOSTILE, status="failed", error=HOSTILE)
    made = page.html([result(HOSTILE + "2", bad), failed], DAY)
    assert "<script" not in made
    assert "<img" not in made
    assert "\u202e" not in made
    assert made.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 6
    assert made.count("{{ 7 * 7 }}") == 6


def test_a_long_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_MOST", 2)
    made = page.html([result(f"p{number}", goal("late")) for number in range(5)], DAY)
    assert made.count('scope="row"') == 2
    assert "and 3 more; backplan fleet report --json has all" in shown(made)
