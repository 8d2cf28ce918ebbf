"""Two versions of the goals file compared: what differs, followed as the reconciler follows it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load
from sync.reconcile.revision import Revision, revisions
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from tests.conftest import FOOD_HANDLER, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from config.project import Project

TODAY = date(2027, 7, 20)
GOALS = """\
goals:
- {id: g, title: Garden, deadline: 2027-09-01, steps: [{title: Dig, takes: 3 days}, {title: Sow, takes: 2 days}]}
- {title: Trip, deadline: 2027-10-01, steps: [Book, Pack]}
"""
EXAMPLES = sorted((ROOT / "config" / "examples").glob("*.yaml"))


def project(folder: Path, text: str) -> Project:
    path = folder / "goals.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def compared(folder: Path, old: str, new: str, progress: Progress | None = None) -> list[Revision]:
    before, after = project(folder, old), project(folder, new)
    old_plan, new_plan = (schedule(one, progress or Progress(), TODAY) for one in (before, after))
    return revisions(old_plan, new_plan, after)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_file_that_stays_differs_in_nothing(tmp_path: Path, path: Path) -> None:
    text = path.read_text("utf-8").replace("goals:", "timezone: UTC\ngoals:", 1)
    for deadline in ("2027-09-01", "2027-07-21"):
        goals = text if "deadline:" in text else text.replace("steps:", f"deadline: {deadline}\n    steps:", 1)
        assert not compared(tmp_path, goals, f"# another line\n{goals}")


@given(st.integers(-20, 200))
def test_a_moved_deadline_moves_what_the_schedules_say(tmp_path_factory: pytest.TempPathFactory, days: int) -> None:
    goals = project(tmp_path_factory.mktemp("moved"), FOOD_HANDLER)
    moved = goals.with_goals(lambda goal: replace(goal, deadline=date(2027, 8, 15) + timedelta(days)))
    before, after = (schedule(one, Progress(), TODAY) for one in (goals, moved))
    found = revisions(before, after, moved)
    shown = {
        row.title: (row.before[1], row.after[1]) for one in found for row in one.rows if row.before[1] != row.after[1]
    }
    steps = {key: (old, new) for key, old, new in after.moves(before) if "/" in key}
    assert shown == {before.steps()[key].step.title: pair for key, pair in steps.items()}
    assert bool(found) == bool(days)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("takes: 2 days", "takes: 4 days", "its `takes` changed"),
        ("2027-09-01", "2027-09-05", "the deadline moved"),
        ("deadline: 2027-09-01", "deadline: 2027-09-01, buffer: 3 days", "the goal's `buffer` changed"),
        ("takes: 2 days}", "takes: 2 days}, {title: Water, takes: 1 day}", "the steps around it changed"),
    ],
)
def test_a_move_has_its_reason(tmp_path: Path, old: str, new: str, why: str) -> None:
    (one,) = compared(tmp_path, GOALS, GOALS.replace(old, new))
    assert one.after is not None
    assert one.after.goal.id == "g"
    assert why in {row.why for row in one.rows if row.moves}


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("title: Dig", "title: Dig deep", ("title",)),
        ("title: Dig", "id: dig-it, title: Dig", ()),
        ("title: Dig", "id: dig-it, was: dig, title: Dig deep", ("title",)),
        ("title: Dig", "title: Dig, notes: With the spade, labels: [out]", ("notes", "labels")),
        ("title: Dig", "title: Dig, done: 2027-07-19", ("done",)),
    ],
)
def test_a_step_is_followed_and_what_differs_is_named(
    tmp_path: Path, old: str, new: str, differs: tuple[str, ...]
) -> None:
    found = compared(tmp_path, GOALS, GOALS.replace(old, new))
    progress = Progress(done={"g/dig": date(2027, 7, 19)}) if "done" in differs else None
    if progress is not None:
        before, after = project(tmp_path, GOALS), project(tmp_path, GOALS.replace(old, new))
        found = revisions(schedule(before, Progress(), TODAY), schedule(after, progress, TODAY), after)
    assert [row.differs for one in found for row in one.rows if row.title == "Dig"] == ([differs] if differs else [])
    assert not [one for one in found if one.new or one.removed]


def test_keys_of_the_goal_itself_are_named(tmp_path: Path) -> None:
    changed = GOALS.replace("title: Trip", "title: Trip, why: Sun, sync: [markdown]")
    (one,) = compared(tmp_path, GOALS, changed)
    assert one.keys == ("notes", "sync")


def test_a_step_that_is_done_moves_no_more(tmp_path: Path) -> None:
    done = Progress(done={"g/dig": date(2027, 7, 19)})
    (one,) = compared(tmp_path, GOALS, GOALS.replace("2027-09-01", "2027-10-01"), done)
    assert [row.title for row in one.rows] == ["Sow"]
