"""The job summary: what it tells, that it is always short enough, and that no text in it does anything."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from config.loader import load
from connectors.base import Action, Requests, Write
from connectors.model import Content, Marker
from sync.reconcile.change import Budget, Change, ConnectorPlan
from sync.reports import as_json, markdown, mermaid, summary, text
from sync.schedule.model import Progress, Schedule, State
from sync.schedule.scheduler import schedule
from tests.conftest import FOOD_HANDLER

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2027, 7, 20)
GITHUB_TAKES = 1 << 20  # bytes of a summary
A_COMMENT_TAKES = 65_536  # characters


def planned(folder: Path, text: str, today: date = TODAY, done: dict[str, date] | None = None) -> Schedule:
    path = folder / "goals.yaml"
    path.write_text(text, "utf-8")
    return schedule(load(path), Progress(done=done or {}), today)


def many(folder: Path, count: int, title: str = "A goal with a title as people write them") -> Schedule:
    """Return a schedule of so many goals of four steps, every third one late."""
    goals = "".join(
        f'  - {{id: g{n}, title: "{title} {n}", deadline: {TODAY + timedelta(20 + n % 90 if n % 3 else 1)}, '
        f"steps: [{{id: a, title: First, takes: 3 days}}, {{id: b, title: Second, takes: 2 days}}, Third, Fourth]}}\n"
        for n in range(count)
    )
    return planned(folder, f"goals:\n{goals}")


def a_change(key: str, reason: str = "new", status: str = "applied") -> Change:
    content = Content(key, TODAY)
    write = Write(Action.CREATE, key, content=content, marker=Marker("me", key, "n"))
    return Change(Action.CREATE, key, reason, {"due": (None, TODAY)}, write, status=status)  # type: ignore[arg-type]


def a_run(value: Schedule, *, applied: bool = True, changes: int | None = None) -> summary.Told:
    keys = [goal.goal.id for goal in value.goals] + list(value.steps())
    plan = ConnectorPlan("todoist (Goals)", tuple(map(a_change, keys[:changes])), {}, {}, {})
    return summary.Told(value, [plan], applied, summary.Cost({"todoist (Goals)": Requests(1, 2)}, 1.2))


def rendered(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


def test_it_tells_all_there_is_to_tell(tmp_path: Path) -> None:
    text = FOOD_HANDLER.replace("2027-08-15", "2027-07-28")
    shown = summary.run(a_run(planned(tmp_path, text, TODAY + timedelta(3))))
    assert shown.startswith("## 🟢 backplan: 7 changes made: 7 new\n")
    assert "<details><summary>7 new tasks</summary>" in shown
    assert "**Due today**\n\n- Find a course provider · Complete my food handler certification\n" in shown
    late = "late by 17 days · 0/6 done · deadline Wed 28 Jul 2027 · the earliest that holds is"
    assert f"🔴 **Complete my food handler certification**: {late}" in shown
    course = "Complete my food handler certification | Find a course provider"
    assert f"| create | {course} | due: none → Tue 20 Jul 2027 | new | applied |" in shown
    assert "```mermaid\n%%{init" in shown
    assert "Used: todoist (Goals): 1 request to read, 2 to write; 1.2 seconds." in shown
    html = rendered(shown)
    assert html.count("<table>") == 1
    assert html.count("<h3>") == 3


def test_overdue_steps_are_told_by_how_much(tmp_path: Path) -> None:
    text = "when_late: keep\ngoals: [{title: G, deadline: 2027-09-01, steps: [{title: A, on: 2027-07-15}, B]}]\n"
    assert "**Overdue**\n\n- A · was due Thu 15 Jul 2027, 5 days ago · G\n" in summary.run(
        a_run(planned(tmp_path, text))
    )


def test_a_passed_deadline_is_told(tmp_path: Path) -> None:
    told = summary.run(a_run(planned(tmp_path, "goals: [{title: G, deadline: 2027-07-10, steps: [A]}]\n")))
    assert "🔴 **G**: missed: the deadline has passed · 0/1 done · deadline Sat 10 Jul 2027" in told


@pytest.mark.parametrize(
    ("statuses", "applied", "headline"),
    [
        ([], True, "in sync, nothing to do"),
        (["planned"], False, "1 change to make: 1 new"),
        (["applied", "applied"], True, "2 changes made: 2 new"),
        (["applied", "failed"], True, "1 change made: 1 new, 1 could not be made"),
        (["applied", "skipped"], True, "1 change made: 1 new, 1 left for a later run"),
    ],
)
def test_the_first_line_says_what_happened(
    tmp_path: Path, statuses: list[str], *, applied: bool, headline: str
) -> None:
    changes = tuple(a_change(f"g/s{n}", status=status) for n, status in enumerate(statuses))
    told = summary.Told(planned(tmp_path, FOOD_HANDLER), [ConnectorPlan("markdown", changes, {}, {}, {})], applied)
    sign = "🔴" if "failed" in statuses else "🟢"
    assert summary.run(told).startswith(f"## {sign} backplan: {headline}\n")


def test_a_plan_says_what_it_will_take(tmp_path: Path) -> None:
    plan = ConnectorPlan("todoist", (a_change("g/s", status="planned"),), {}, {}, {}, Budget(3, 12, 40))
    shown = summary.run(summary.Told(planned(tmp_path, FOOD_HANDLER), [plan], applied=False))
    assert "It takes about 3 requests and 12 minutes; 40 of them wait for a later run." in shown


def test_days_with_too_much_at_once_are_named(tmp_path: Path) -> None:
    steps = "[{title: A, takes: 1 day}, {title: B, takes: 1 day}]"
    goal = f"{{title: G, deadline: 2027-09-01, steps: [{{parallel: true, title: P, steps: {steps}}}]}}"
    text = f"capacity: 1\ngoals: [{goal}]\n"
    assert "- ⚠️ there are 2 steps at once on Wed 1 Sep 2027" in summary.run(a_run(planned(tmp_path, text)))


def test_a_hundred_goals_stay_under_two_screens(tmp_path: Path) -> None:
    shown = summary.run(a_run(many(tmp_path, 100)))
    folded = re.sub(r"<details>.*?</details>|```mermaid.*?```", "", shown, flags=re.DOTALL)
    assert len(folded.splitlines()) < 100
    assert "<summary>88 more goals</summary>" in shown
    assert "<summary>500 new tasks</summary>" in shown


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (1, "A goal"),
        *((count, "目標<&|`*_" * 40) for count in (1, 100)),
        pytest.param(1000, "目標<&|`*_" * 40, marks=pytest.mark.proof),
    ],
)
def test_it_is_never_too_long(tmp_path: Path, count: int, title: str) -> None:
    told = a_run(many(tmp_path, count, title))
    whole = summary.run(told)
    assert len(whole.encode()) < GITHUB_TAKES
    assert len(summary.run(told, summary.COMMENT_LIMIT)) < A_COMMENT_TAKES
    if count == 1:
        assert "would not fit here" not in whole
    if count >= 1000:
        assert re.search(r"\*\d+ more goals would not fit here\.\*", summary.run(told, summary.COMMENT_LIMIT))


@given(limit=st.integers(2_000, 200_000), count=st.integers(1, 60), size=st.integers(1, 8_000))
def test_whatever_the_limit_it_holds(
    tmp_path_factory: pytest.TempPathFactory, limit: int, count: int, size: int
) -> None:
    value = planned(tmp_path_factory.mktemp("limit"), FOOD_HANDLER)
    changes = tuple(a_change(f"g/s{n}", "reason " * (size // 7)) for n in range(count))
    notes = ["a note " * (size // 7)] * count
    told = summary.Told(value, [ConnectorPlan("todoist", changes, {}, {}, {})], True, notes=notes)
    assert len(summary.run(told, limit).encode()) <= limit
    assert len(summary.failure(notes, limit).encode()) <= limit


@given(st.text(min_size=1, max_size=80))
def test_no_text_makes_markup_or_ends_a_row(title: str) -> None:
    change = a_change("g/s", f"title was: {title}")
    told = summary.Told(Schedule(TODAY, ()), [ConnectorPlan(title, (change,), {}, {}, {})], True, notes=[title])
    html = rendered(summary.run(told))
    assert html.count("<tr>") == 2
    assert html.count("<td>") == 6
    assert set(re.findall(r"<(\w+)", html)) <= {
        "h2", "h3", "table", "thead", "tbody", "tr", "th", "td", "p", "blockquote", "code", "br",
    }  # fmt: skip


def test_the_chart_shows_the_next_weeks_only(tmp_path: Path) -> None:
    goals = "goals:\n" + "".join(
        f"  - {{id: g{n}, title: Goal {n}, deadline: {day}, steps: [{{title: S, takes: {takes}}}]}}\n"
        for n, (day, takes) in enumerate(
            [("2027-08-01", "2 days"), ("2027-12-01", "120 days"), ("2028-06-01", "1 day")]
        )
    )
    chart, left_out = mermaid.gantt(planned(tmp_path, goals), TODAY - timedelta(3), TODAY + timedelta(weeks=6))
    assert "section Goal 0" in chart
    assert "Deadline :milestone, 2027-08-01, 1d" in chart
    assert re.search(r"section Goal 1\n +S :2027-08-04, 28d", chart)
    assert "Goal 2" not in chart
    assert "2027-12-01" not in chart
    assert left_out == ""
    later, _ = mermaid.gantt(planned(tmp_path, goals), date(2027, 8, 10), date(2027, 8, 12))
    assert "S :2027-08-10, 3d" in later
    assert "Goal 0" not in later


def test_there_is_no_chart_of_weeks_in_which_nothing_happens(tmp_path: Path) -> None:
    far = planned(tmp_path, "goals: [{title: G, deadline: 2029-06-01, steps: [{title: S, takes: 1 day}]}]\n")
    assert "mermaid" not in summary.run(a_run(far))


def test_a_goal_of_which_every_step_was_dropped_says_so_and_is_neither_on_track_nor_late(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text("goals:\n- title: A\n  deadline: 2027-08-01\n  steps: [a, b]\n", "utf-8")
    for today in (date(2027, 7, 20), date(2027, 9, 1)):
        value = schedule(load(path), Progress(dropped=frozenset({"a/a", "a/b"})), today)
        said = "no step left: every step was dropped"
        assert as_json.schedule(value)["goals"][0]["state"] == "no-step-left"
        assert f"**A**: {said}" in summary.run(a_run(value))
        assert said in markdown.schedule(value)
        for lines in (text.status(value), text.schedule(value)):
            shown = StringIO()
            for line in lines:
                Console(file=shown, width=200).print(line)
            assert said in shown.getvalue()
            assert "track" not in shown.getvalue()


def test_a_goal_with_one_step_left_is_missed_after_its_deadline(tmp_path: Path) -> None:
    path = tmp_path / "goals.yaml"
    path.write_text("goals:\n- title: A\n  deadline: 2027-08-01\n  steps: [a, b]\n", "utf-8")
    value = schedule(load(path), Progress(dropped=frozenset({"a/a"})), date(2027, 9, 1))
    assert value.goals[0].state is State.MISSED
