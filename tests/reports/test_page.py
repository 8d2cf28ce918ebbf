"""The page: whatever a plan holds, it shows that and nothing else, alike in its tables and its charts."""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import display, loader
from sync.reports import html, site, timeline
from sync.reports.chart import chart
from sync.reports.publishing import AS_IT_IS, Publishing, file_name
from sync.run.deadline_history import deadlines
from sync.schedule.model import Progress, State
from sync.schedule.scheduler import schedule as dates
from tests.reports.test_reports import EXAMPLES, HOSTILE, planned
from tests.reports.test_summary import TODAY, many
from tests.repository import git

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.schedule.model import Schedule

VOID = {"meta", "br", "link"}
ALONE = "one-file.html"
STYLE = (Path(html.__file__).parent / "templates" / "style.css").read_text("utf-8")


class Page(HTMLParser):
    """Collects what a page holds, and fails where an element is not closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.stack[-1] if self.stack else "", data))

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def named(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [str(attributes["href"]) for name in ("a", "use") for attributes in self.named(name)]


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    return many(tmp_path_factory.mktemp("goals"), 30)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    value = planned(tmp_path_factory.mktemp("goals"), HOSTILE, done=2, dropped=1)
    return replace(value, goals=value.goals[1:])


@pytest.fixture(scope="module")
def pages(thirty: Schedule, hostile: Schedule) -> dict[str, dict[str, str]]:
    """Return the pages of two plans by their paths, and each in one file."""
    plans = {"thirty": thirty, "hostile": hostile}
    return {name: {**html.pages(value, AS_IT_IS), ALONE: html.schedule(value)} for name, value in plans.items()}


# What is on it


def test_a_hostile_title_is_shown_and_does_nothing(pages: dict[str, dict[str, str]]) -> None:
    for name, text in pages["hostile"].items():
        page = Page(text)
        assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "b"}
        assert not any(attribute.startswith("on") for _, attributes in page.tags for attribute in attributes)
        assert len(page.ids) == len(set(page.ids))
        shown = {written for tag, written in page.texts if tag == "bdi"}
        assert name == "index.html" or {display.clean(title) for title in HOSTILE} <= shown


def test_each_link_leads_somewhere_and_none_out_of_the_site(pages: dict[str, dict[str, str]]) -> None:
    for plan in pages.values():
        read = {name: Page(text) for name, text in plan.items()}
        files = {*read, "calendar.ics", "plan.json", *(str(Path(name).with_suffix(".ics")) for name in read)}
        for name, page in read.items():
            for link in page.links:
                path, _, anchor = link.partition("#")
                there = (Path(name).parent / path).as_posix().replace("goal/../", "") if path else name
                assert there in files, link
                assert not anchor or unquote(anchor) in read[there].ids, link


def test_nothing_is_asked_for_and_only_the_style_of_the_page_counts(pages: dict[str, dict[str, str]]) -> None:
    for text in (pages["thirty"]["index.html"], pages["thirty"]["goal/g1.html"], pages["thirty"][ALONE]):
        page = Page(text)
        (policy,) = [str(meta["content"]) for meta in page.named("meta") if "http-equiv" in meta]
        (style,) = [written for tag, written in page.texts if tag == "style"]
        allowed = b64encode(sha256(style.encode()).digest()).decode()
        assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'")
        assert "script-src" not in policy
        assert [link["href"] for link in page.named("link")] == ["data:,"]
        assert not any("style" in attributes or "src" in attributes for _, attributes in page.tags)
        assert not re.search(r"url\(|@import|https?:", text)


def test_a_script_is_the_only_one_that_may_run(thirty: Schedule) -> None:
    few = replace(thirty, goals=thirty.goals[:1])
    text = html.pages(few, Publishing(script="let x = 1 < 2"))["index.html"]
    allowed = b64encode(sha256(b"let x = 1 < 2").digest()).decode()
    assert f"script-src 'sha256-{allowed}'; connect-src 'self'".replace("'", "&#39;") in text
    assert text.count("<script>let x = 1 < 2</script>") == 1


def test_it_can_be_read_aloud(pages: dict[str, dict[str, str]]) -> None:
    for text in (pages["thirty"]["index.html"], pages["thirty"]["goal/g1.html"], pages["hostile"][ALONE]):
        page = Page(text)
        assert next(page.named("html")) == {"lang": "en"}
        assert len(list(page.named("h1"))) == 1
        assert {attributes["scope"] for attributes in page.named("th")} == {"col", "row"}
        assert all("aria-label" in picture for picture in page.named("svg") if picture.get("role") == "img")
        assert all(area.get("tabindex") == "0" for area in page.named("div") if area.get("role") == "region")


def test_from_twenty_goals_on_they_are_a_table(thirty: Schedule) -> None:
    few = replace(thirty, goals=thirty.goals[:19])
    for value, kind in ((few, "cards"), (replace(thirty, goals=thirty.goals[:20]), "goals")):
        index = Page(html.pages(value, AS_IT_IS)["index.html"])
        classes = {attributes.get("class") for _, attributes in index.tags}
        assert classes & {"cards", "goals"} == {kind}


def test_a_hundred_goals_are_a_page_of_less_than_200_kilobytes(tmp_path: Path) -> None:
    value = many(tmp_path, 100, "A goal with a title that is as long as people write them when nobody stops them")
    index = html.pages(value, AS_IT_IS)["index.html"]
    assert len(index.encode()) < 200_000
    assert all(goal.goal.title in index for goal in value.goals)


def test_without_goals_it_says_so(thirty: Schedule) -> None:
    text = html.schedule(replace(thirty, goals=()))
    assert "Plan for 0 goals" in text
    assert "Nothing is left to do." in text
    assert "<svg" not in text


def test_it_shows_progress_a_buffer_and_warnings(tmp_path: Path) -> None:
    page = Page(html.schedule(planned(tmp_path, ["one", "two", "three"], done=2, dropped=1)))
    assert ("span", "2 of 3 done") in page.texts
    late = Page(html.schedule(dates(loader.load(EXAMPLES / "food-handler.yaml"), Progress(), date(2027, 9, 1))))
    assert ("code", "backplan move food-handler DATE") in late.texts
    path = tmp_path / "goals.yaml"
    path.write_text("goals: [{title: A, deadline: 2027-08-01, buffer: 2 days, steps: [a, b]}]\n", "utf-8")
    buffered = Page(html.schedule(dates(loader.load(path), Progress(), TODAY)))
    assert {"Steps done", "Work done", "Buffer used"} <= {
        picture.get("aria-label") for picture in buffered.named("svg")
    }
    assert ("span", "green: 0 of 2 days of buffer used") in buffered.texts


def test_names_of_files_are_taken_by_any_file_system() -> None:
    ids = ("wedding", "v1.2", "Wedding", "\u7d50\u5a5a\u5f0f", "\u00e4" * 80, "a" * 80)
    names = [file_name(goal_id) for goal_id in ids]
    assert names[0] == "wedding"
    assert len({name.lower() for name in names}) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9.-]{1,100}", name) for name in names)


# Charts


@given(offset=st.integers(-40, 160))
def test_each_bar_is_where_the_days_of_its_step_are(thirty: Schedule, offset: int) -> None:
    value = replace(thirty, today=TODAY + timedelta(offset))
    scale = timeline.around(value.today, 6)
    assert date.fromordinal(scale.first).weekday() == 0
    assert scale.shows(value.today.toordinal(), value.today.toordinal() + 1)
    steps = value.steps()
    for step in steps.values():
        bar = timeline.bar(scale, step, steps, value.today)
        assert bar is not None
        for day in range(scale.first, scale.end):
            middle = (day - scale.first + 0.5) * 100 / 42
            inside = step.start.toordinal() <= day <= step.due.toordinal()  # type: ignore[union-attr]
            assert inside == (bar.part.x < middle < bar.part.end)
        assert bar.part.x >= -5
        assert bar.part.end <= 105


@given(offset=st.integers(-40, 160))
def test_the_six_weeks_have_every_open_step_once_and_each_goal(thirty: Schedule, offset: int) -> None:
    value = replace(thirty, today=TODAY + timedelta(offset), goals=thirty.goals[:8])
    shown = chart(value)
    rows = [row.step.step.key for row in shown.rows if row.step]
    wanted = {
        key
        for key, step in value.steps().items()
        if step.overdue or shown.scale.shows(step.start.toordinal(), step.due.toordinal() + 1)  # type: ignore[union-attr]
    }
    assert set(rows) == wanted, offset
    assert len(rows) == len(wanted)
    named = [row.goal.goal.id for row in shown.rows if not row.step]
    left_out = sum(int(found) for sentence in shown.left_out for found in re.findall(r"\d+", sentence))
    assert len(named) == len(set(named)) == len(value.goals) - left_out
    later = [row.begins.toordinal() for row in shown.rows if row.begins]
    assert later == sorted(later)
    assert not later or later[0] >= shown.scale.end


def test_many_goals_have_a_row_each_with_the_time_of_their_steps(thirty: Schedule) -> None:
    shown = chart(thirty)
    assert not any(row.step for row in shown.rows)
    for row in shown.rows:
        for step in row.goal.steps:
            days = timeline.span(step)
            assert days
            first, end = days[0].toordinal(), days[1].toordinal() + 1
            parts = [part for kind, part in row.work if kind == timeline.kind(step)]
            at = shown.scale.at(first)
            assert not shown.scale.shows(first, end) or any(part.x <= at <= part.end for part in parts)


def test_what_is_over_has_no_row(tmp_path: Path) -> None:
    value = planned(tmp_path, ["one", "two"])
    assert {row.goal.goal.id for row in chart(value).rows} == {"g0", "g1"}
    value = replace(value, goals=(replace(value.goals[0], state=State.DONE), value.goals[1]))
    assert "g0" not in {row.goal.goal.id for row in chart(value).rows}


def test_a_done_step_is_on_its_real_day_in_the_table_and_in_the_chart(tmp_path: Path) -> None:
    value = planned(tmp_path, ["one", "two"], done=1)
    step = value.goals[0].steps[0]
    assert step.done != step.due
    text = html.schedule(replace(value, goals=value.goals[:1]))
    with display.near_to(value.today):
        day = display.near(step.done)
    assert re.search(rf'class="due-day" data-label="done">{day}<', text)
    assert re.search(rf'<svg role="img" aria-label="[^"]*{day}">', text)
    assert timeline.span(step) == (step.done, step.done)


@given(first=st.dates(date(1, 1, 8), date(9998, 1, 1)), days=st.integers(14, 40_000), today=st.dates())
def test_a_scale_of_any_length_has_a_few_ticks_with_names_of_their_own(first: date, days: int, today: date) -> None:
    scale = timeline.Scale(first.toordinal(), first.toordinal() + days)
    ticks = timeline.ticks(scale, today)
    assert len(ticks) <= 9
    assert len({tick.x for tick in ticks}) == len(ticks)
    assert all(0 <= tick.x <= 100 for tick in ticks)
    assert days > 130 * 365 or len(ticks) >= 1
    assert all(one.x + 100 / 14 < other.x for one, other in pairwise(ticks))


@given(spans=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda pair: (pair[0], sum(pair)))))
def test_joined_spans_cover_the_same_days_and_do_not_touch(spans: list[tuple[int, int]]) -> None:
    found = timeline.joined(spans)
    assert {day for span in found for day in range(*span)} == {day for span in spans for day in range(*span)}
    assert all(before[1] < after[0] for before, after in pairwise(found))


# Colours


def _palettes() -> list[dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    of_light = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", light))
    return [of_light, of_light | dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", dark))]


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", _palettes(), ids=["light", "dark"])
def test_colours_can_be_told_from_what_they_lie_on(palette: dict[str, str]) -> None:
    for ground in (palette["paper"], palette["back"]):
        for name in ("ink", "muted", "link", "good", "warn", "bad"):
            assert contrast(palette[name], ground) >= 4.5, name
        for name in ("thin", "edge", "critical", "overdue", "done", "now"):
            assert contrast(palette[name], ground) >= 3, name
    marks = [palette[name] for name in ("planned", "critical", "overdue")]
    assert contrast(marks[1], marks[2]) >= 3
    assert all(one != other for one, other in combinations(marks, 2))


# The deadline so far


def test_it_shows_which_deadlines_a_goal_has_had(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    git(tmp_path, "init", "--quiet")
    for day, text in (
        ("2027-05-01", "goals:\n- title: Sail\n  deadline: 2027-08-01\n  steps: [a]\n"),
        ("2027-05-20", "goals:\n- title: Sail\n  deadline: 2027-08-01\n  steps: [a, b]\n"),
        ("2027-06-01", "goals:\n- title: Sail\n  deadline: [oops\n"),
        ("2027-06-10", "goals:\n- title: Sail\n  deadline: 2027-09-01\n  steps: [a, b]\n"),
    ):
        path.write_text(text, "utf-8")
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "--message", "A change", "--date", f"{day}T12:00:00")
    path.write_text("goals:\n- id: sail\n  title: Sail\n  deadline: 2027-10-01\n  steps: [a, b]\n", "utf-8")
    project = loader.load(path)
    value = dates(project, Progress(), TODAY)
    found = deadlines(value)
    assert [(move.day, move.deadline) for move in found["sail"]] == [
        (date(2027, 5, 1), date(2027, 8, 1)),
        (date(2027, 6, 10), date(2027, 9, 1)),
        (TODAY, date(2027, 10, 1)),
    ]
    text = html.schedule(value, Publishing(found))
    assert "Sat 1 May: set to Sun 1 Aug" in text
    assert "Thu 10 Jun: moved to Wed 1 Sep" in text


def test_a_folder_that_looks_like_a_repository_runs_no_program(tmp_path: Path) -> None:
    """Anybody who can commit files can commit such a folder, with a program to fetch what is missing in it."""
    git(tmp_path, "init", "--quiet", "there")
    there, bare = tmp_path / "there", tmp_path / "bare"
    (there / "goals.yaml").write_text("goals: [{title: Sail, deadline: 2027-08-01, steps: [a]}]\n", "utf-8")
    git(there, "add", "--all")
    git(there, "commit", "--quiet", "--message", "A goal")
    missing = git(there, "rev-parse", "HEAD:goals.yaml").strip()
    shutil.copytree(there / ".git", bare)
    shutil.copy(there / "goals.yaml", bare)
    (bare / "objects" / missing[:2] / missing[2:]).unlink()
    for name, value in {
        "core.bare": "true",
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::touch {tmp_path}/ran",
        "protocol.ext.allow": "always",
    }.items():
        git(bare, "config", name, value)
    project = loader.load(bare / "goals.yaml")
    assert deadlines(dates(project, Progress(), TODAY)) == {}
    assert not (tmp_path / "ran").exists()


def test_without_a_repository_there_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text("goals: [{title: Sail, deadline: 2027-08-01, steps: [a]}]\n", "utf-8")
    project = loader.load(path)
    assert deadlines(dates(project, Progress(), TODAY)) == {}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2027, 5, 20), date(2031, 1, 1), date(9000, 1, 1)])
@pytest.mark.proof
def test_every_example_is_shown_on_any_day(name: str, today: date) -> None:
    value = dates(loader.load(EXAMPLES / name), Progress(), today)
    for name, content in site.site(value, AS_IT_IS).items():
        if name.endswith(".html"):
            Page(content.decode())
