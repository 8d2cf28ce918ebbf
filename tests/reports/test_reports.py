"""The reports that leave the terminal: whatever a title holds, they stay well-formed and show it as it is."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from markdown_it import MarkdownIt

from config import display, loader
from connectors.base import Action, Write
from connectors.model import Content
from sync.reconcile.change import Change, ConnectorPlan
from sync.reports import ics, markdown, svg
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule as dates
from tests.tiers import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

    from sync.reconcile.change import Status
    from sync.schedule.model import Schedule

TODAY = date(2027, 7, 20)
EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
SVG = "{http://www.w3.org/2000/svg}"
INVISIBLE = "\u200b"

HOSTILE = (
    "# heading",
    "- item",
    "1. first",
    "**bold** _it_ ~~gone~~ `code` ==mark== %%note%%",
    "[link](https://example.org) ![picture](x.png) <https://example.org>",
    "www.example.org https://example.org/a?b=c#d somebody@example.org",
    "a | b || c \\| d \\",
    "``` fence",
    "~~~ fence",
    "```mermaid",
    "<!-- comment --> --> -- >",
    "<script>alert('&amp;\"')</script></style></title></svg>",
    "]]> &#64; &lt; &copy; &",
    "ping @name and @team/people",
    "see #12, owner/repo#12 and GH-12",
    "::error::no ##[error]no %0A",
    ":tada: :+1: $x^2$ {{x}} [[x]] 10:30",
    "task :crit, 2027-01-01, 3d; other",
    "section other",
    "title other",
    "click here call there(now)",
    "2027-08-01 is the day",
    "gantt",
    "accTitle",
    "accDescr { x }",
    "5% of it %%{init: {}}%%",
    "#35; #quot; ﬂ°°60¶ß",
    "\u202ertl \u2067isolate\u200f \u05d0\u05d1\u05d2",
    "👩‍👩‍👧 🇫🇷 1️⃣ 📅 é e\u0301",
    "日本語の題名がここにある",
    "x" * 500,
    "👩‍👩‍👧" * 100,
    "\ufffe\uffff",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("goals")


def planned(folder: Path, titles: Sequence[str], **progress: int) -> Schedule:
    """Plan one goal for every title, each with a step for every title; `done`, `dropped` and `pins` count steps."""
    steps = [{"id": f"s{n}", "title": title, "takes": 2} for n, title in enumerate(titles)]
    goals = [
        {"id": f"g{n}", "title": title, "why": title, "deadline": "2027-09-15", "steps": steps}
        for n, title in enumerate(titles[:3])
    ]
    path = folder / "goals.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "goals": goals}), encoding="utf-8")
    project = loader.load(path)
    keys = [step.key for goal in project.goals for step in goal.steps]
    done = dict.fromkeys(keys[: progress.get("done", 0)], TODAY - timedelta(days=1))
    dropped = frozenset(keys[-1 : -1 - progress.get("dropped", 0) : -1])
    return dates(project, Progress(done=done, dropped=dropped), TODAY)


def example(name: str, today: date = TODAY) -> Schedule:
    return dates(loader.load(EXAMPLES / name), Progress(), today)


def changes(text: str) -> ConnectorPlan:
    def change(action: Action, status: Status, error: str | None = None) -> Change:
        fields = {"title": (text, "new"), "due": (None, TODAY), "labels": ((), (text, "b")), "notes": ("", text)}
        return Change(action, f"goal/{text}", text, fields, Write(action, "k", "1", Content(text)), status, error)

    made = (change(Action.CREATE, "applied"), change(Action.UPDATE, "failed", text), Change(Action.KEEP, "k", text))
    return ConnectorPlan(text, made, {}, {}, {})


# Reading Markdown back


def tokens(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def inlines(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.type == "inline"]


def shown(token: Token) -> str:
    return "".join(child.content for child in token.children or ()).replace(INVISIBLE, "")


def headings(text: str) -> list[str]:
    found = tokens(text)
    return [shown(after) for token, after in pairwise(found) if token.type == "heading_open"]


def first_cells(text: str) -> list[str]:
    found = tokens(text)
    rows = (n for n, token in enumerate(found) if token.type == "tr_open")
    return [shown(found[row + 2]) for row in rows if found[row + 1].type == "td_open"]


def assert_only_text(text: str, blocks: set[str]) -> None:
    """Nothing may be markup that is not ours, nor anything that GitHub would link or replace."""
    assert {token.type for token in tokens(text)} <= blocks
    for token in inlines(text):
        kinds = {child.type for child in token.children or ()} - {"text", "text_special", "s_open", "s_close"}
        assert kinds <= {"html_inline", "code_inline", "strong_open", "strong_close"}
        assert all(child.content == "<br>" for child in token.children or () if child.type == "html_inline")
        plain = "".join(child.content for child in token.children or ())
        assert not re.search(r"@\w|#\w|:\w+:|://|www\.|gh-\d|##\[", plain, re.IGNORECASE)


SCHEDULE_BLOCKS = {f"{name}_{side}" for name in ("heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td")
                   for side in ("open", "close")} | {"inline", "fence"}  # fmt: skip
LISTS = {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}


def chart(text: str) -> list[str]:
    (fence,) = [token for token in tokens(text) if token.type == "fence"]
    assert fence.info == "mermaid"
    return fence.content.splitlines()


def tasks(text: str) -> list[str]:
    """Return the chart's lines from the first section on."""
    lines = chart(text)
    return lines[next(number for number, line in enumerate(lines) if line.startswith("    section ")) :]


def unreferenced(name: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), name)


# Markdown


@pytest.mark.parametrize("title", HOSTILE)
def test_markdown_shows_a_hostile_title_and_nothing_else(folder: Path, title: str) -> None:
    text = markdown.schedule(planned(folder, [title, "plain"]))
    assert_only_text(text, SCHEDULE_BLOCKS | LISTS)
    assert headings(text)[0].split(" ", 1)[1] == display.clean(title).replace(INVISIBLE, "")
    assert first_cells(text)[0] == display.clean(title).replace(INVISIBLE, "")
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())


@pytest.mark.parametrize("title", HOSTILE)
def test_markdown_tables_keep_their_columns(folder: Path, title: str) -> None:
    text = markdown.schedule(planned(folder, [title, "plain"])) + markdown.plan([changes(title)], {}, applied=False)
    for line in (line for line in text.splitlines() if line.startswith("|")):
        assert line.count("|") == 6  # every pipe in a table is a border
        assert line.endswith("|")


@pytest.mark.parametrize("title", HOSTILE)
def test_markdown_of_a_plan_shows_hostile_text_and_nothing_else(title: str) -> None:
    for applied in (False, True):
        assert_only_text(markdown.plan([changes(title)], {}, applied=applied), SCHEDULE_BLOCKS - {"fence"})


def test_markdown_of_a_plan_says_what_became_of_each_change() -> None:
    text = markdown.plan([changes("because")], {}, applied=True)
    assert "| what | goal | task | change | why | status |" in text
    assert "| create |  | because | due: none → Tue 20 Jul 2027 | because | applied |" in text
    assert "title: because → new<br>due: none → Tue 20 Jul 2027<br>labels: none → because, b" in text
    assert "| failed: because |" in text
    assert "| status |" not in markdown.plan([changes("because")], {}, applied=False)


def test_markdown_of_a_plan_without_writes_is_in_sync() -> None:
    idle = ConnectorPlan("todoist", (), {}, {}, {})
    kept = ConnectorPlan("markdown", (Change(Action.KEEP, "goal/step", "a person deleted it"),), {}, {}, {})
    assert markdown.plan([idle], {}, applied=True) == "## todoist\n\nin sync, nothing to do\n"
    assert "in sync, nothing to do\n\n| what |" in markdown.plan([kept], {}, applied=False)
    assert markdown.plan([], {}, applied=False) == "\n"


def test_markdown_marks_steps_that_are_closed_and_keeps_code_in_warnings(folder: Path) -> None:
    text = markdown.schedule(planned(folder, ["one", "two", "three"], done=1, dropped=1))
    assert "| ~~one~~ |" in text
    assert "done Mon 19 Jul 2027" in text
    assert "| ~~three~~ |" in text
    late = markdown.schedule(example("food-handler.yaml", date(2027, 9, 1)))
    assert "; move it in the goals file, or with `backplan move food-handler DATE`" in late
    assert "🔴" in late


@pytest.mark.parametrize("title", HOSTILE)
def test_mermaid_lines_hold_one_colon_and_no_syntax_of_the_title(folder: Path, title: str) -> None:
    text = markdown.schedule(planned(folder, [title, "plain"]))
    assert re.fullmatch(r'%%\{init: \{"gantt": \{"leftPadding": \d+\}\}\}%%', chart(text)[0])
    assert chart(text)[1:3] == ["gantt", "    dateFormat YYYY-MM-DD"]
    lines = tasks(text)
    for line in lines:
        task = re.fullmatch(
            r"    (?:section (.+)|(.+) :(?:active, )?(?:crit, )?(?:milestone, )?\d{4}-\d\d-\d\d, \d+d)", line
        )
        assert task, line
        name = re.sub(r"#\d+;", "", task[1] or task[2])
        assert not re.search(r"[:;#%{}<>`\"]", name)
    assert unreferenced(lines[0].removeprefix("    section ")) == display.shorten(display.clean(title), 40)


@pytest.mark.parametrize("title", ["section x", "title", "Click", "2027-01-01", "GANTT", "accTitle", "Ganttdiagramm"])
def test_mermaid_names_do_not_begin_with_a_keyword(folder: Path, title: str) -> None:
    lines = tasks(markdown.schedule(planned(folder, [title])))
    assert lines[1].startswith(f"    #{ord(title[0])};{title[1:]} :")


def test_mermaid_says_what_is_under_way_critical_done_and_the_deadline() -> None:
    lines = chart(markdown.schedule(example("food-handler.yaml", date(2027, 7, 24))))
    assert "    Find a course provider :active, crit, 2027-07-24, 1d" in lines
    assert "    Sign up for the course :crit, 2027-07-25, 1d" in lines
    assert "    Sign up for the course :2027-07-25, 1d" in chart(markdown.schedule(example("food-handler.yaml")))
    assert lines[-1] == "    Deadline :milestone, 2027-08-15, 1d"
    assert chart(markdown.schedule(example("food-handler.yaml", date(2027, 9, 1))))[-1].startswith(
        "    Deadline :crit,"
    )


def test_mermaid_has_an_axis_for_the_length_of_the_chart() -> None:
    assert "    axisFormat %b %Y" in chart(markdown.schedule(example("wedding.yaml")))
    assert "    todayMarker off" not in chart(markdown.schedule(example("food-handler.yaml", date(2027, 8, 1))))
    assert "    todayMarker off" in chart(markdown.schedule(example("food-handler.yaml", date(2027, 1, 1))))


def test_mermaid_keeps_goals_of_one_title_apart_and_leaves_out_what_is_too_long(folder: Path) -> None:
    lines = chart(markdown.schedule(planned(folder, ["same", "same"])))
    assert [line for line in lines if "section" in line] == ["    section g0", "    section g1"]
    text = markdown.schedule(planned(folder, ["<" * 100] * 80))
    assert len("\n".join(chart(text))) < 50_000
    assert "The chart leaves out the last 1 of 3 goals" in text


# SVG


def bars(root: ET.Element) -> list[ET.Element]:
    return [e for e in root.iter(f"{SVG}rect") if e.get("class", "").startswith("bar") and e.get("height") == "12"]


def assert_inside(root: ET.Element) -> None:
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        for name, most in (("x", width), ("x1", width), ("cx", width), ("y", height), ("y2", height), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= most
        assert float(element.get("x", 0)) + float(element.get("width", 0)) <= width or element is root
        assert float(element.get("width", 1)) > 0


@pytest.mark.parametrize("title", HOSTILE)
def test_svg_is_well_formed_and_names_every_step(folder: Path, title: str) -> None:
    root = ET.fromstring(svg.schedule(planned(folder, [title, "plain"])))  # noqa: S314  # written here
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "rect", "line", "circle", "path", "text",
    }  # fmt: skip
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    assert sum(text.startswith(f"{display.clean(title)}: ") for text in titles) >= 2
    assert len(bars(root)) == 4
    assert_inside(root)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2027, 5, 20), date(2031, 1, 1)])
def test_svg_holds_every_example_on_any_day(name: str, today: date) -> None:
    value = example(name, today)
    root = ET.fromstring(svg.schedule(value))  # noqa: S314  # written here
    assert_inside(root)
    milestones = sum(bool(s.step.takes and s.step.takes.amount == 0) for g in value.goals for s in g.steps if s.due)
    assert len(bars(root)) + milestones == sum(step.due is not None for goal in value.goals for step in goal.steps)


def test_svg_is_readable_in_the_dark_and_loads_nothing() -> None:
    text = svg.schedule(example("wedding.yaml"))
    assert "@media (prefers-color-scheme: dark)" in text
    assert not re.search(r"url\(|href|@import|<script|http(?!://www\.w3\.org/2000/svg)", text)


def test_svg_shows_today_only_where_it_does_not_squeeze_the_plan() -> None:
    assert ">today<" in svg.schedule(example("food-handler.yaml"))
    assert ">today<" not in svg.schedule(example("food-handler.yaml", date(2026, 1, 1)))


def test_svg_of_no_goals_is_a_picture_too(folder: Path) -> None:
    value = dates(loader.load(EXAMPLES / "wedding.yaml"), Progress(), TODAY)
    assert_inside(ET.fromstring(svg.schedule(type(value)(TODAY, ()))))  # noqa: S314  # written here


def test_svg_of_many_goals_repeats_the_months_at_the_bottom() -> None:
    value = dates(loader.load(EXAMPLES), Progress(), TODAY)
    root = ET.fromstring(svg.schedule(value))  # noqa: S314  # written here
    assert_inside(root)
    ticks = [element.text for element in root.iter(f"{SVG}text") if element.get("class") == "tick"]
    assert ticks[: len(ticks) // 2] == ticks[len(ticks) // 2 :]


def test_shortened_text_is_as_wide_as_asked_and_cuts_no_character() -> None:
    assert display.shorten("short", 40) == "short"
    assert display.shorten("a" * 50, 40) == "a" * 39 + "…"
    assert display.shorten("日本語" * 10, 10) == "日本語日…"
    assert display.shorten("e\u0301" * 50, 40).count("e") == 39
    assert not display.shorten("👩‍👩‍👧" * 20, 10).rstrip("…").endswith("\u200d")


def test_clean_text_has_no_controls_and_no_lone_surrogates() -> None:
    assert display.clean(" a\n\tb\u2028c ") == "a b c"
    assert display.clean("\u202ea\u2066b\u2069") == "ab"
    assert display.clean("\ud800\x00\uffff") == "\ufffd\ufffd\ufffd"
    assert display.clean("👩‍👧") == "👩‍👧"


# Any text


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=80).filter(str.strip))
def test_any_title_comes_through_every_report(folder: Path, title: str) -> None:
    value = planned(folder, [title])
    written = display.clean(title)
    if not written:
        return
    assert ET.fromstring(svg.schedule(value)).findtext(f"{SVG}g/{SVG}title") == written  # noqa: S314  # written here
    text = markdown.schedule(value)
    assert_only_text(text, SCHEDULE_BLOCKS | LISTS)
    assert first_cells(text)[0] == written.replace(INVISIBLE, "")
    summaries = [str(event["summary"]) for event in Calendar.from_ical(ics.schedule(value)).walk("VEVENT")]
    assert written in summaries
