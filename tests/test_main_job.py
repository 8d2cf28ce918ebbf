"""The main job from end to end, as a new user does it: real files, real processes."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Person

DATES = {  # the worked case of the documentation
    "find": ("2027-07-24", "2027-07-24"),
    "sign-up": ("2027-07-25", "2027-07-25"),
    "watch": ("2027-07-26", "2027-08-01"),
    "review": ("2027-08-02", "2027-08-05"),
    "take-test": ("2027-08-06", "2027-08-10"),
    "pass": ("2027-08-11", "2027-08-15"),
}


def test_the_schedule_shows_the_dates_back_from_the_deadline(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert {step["id"]: (step["start"], step["due"]) for step in goal["steps"]} == DATES
    assert (goal["margin_days"], goal["state"]) == (4, "on-track")
    for text in ("Find a course provider", "Sat 24 Jul", "4 days in hand"):
        assert text in person.run("schedule").out


def test_a_sync_makes_tickable_tasks_and_the_next_one_writes_nothing(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    created = person.changes()
    assert [change["action"] for change in created] == ["create"] * 7
    lines = person.todo.read_text("utf-8").splitlines()
    assert sum("- [ ]" in line for line in lines) == 7
    assert any("Review practice questions" in line and "🛫 2027-08-02 📅 2027-08-05 🆔" in line for line in lines)
    before = person.todo.stat()
    assert person.changes() == []
    assert person.todo.stat().st_mtime_ns == before.st_mtime_ns
    assert person.todo.stat().st_ino == before.st_ino


def test_moving_the_deadline_moves_exactly_what_must_move(person: Person, food_handler: str) -> None:
    other = "  - {id: other, title: Another goal, deadline: 2027-09-30, steps: [{title: Do it, takes: 3 days}]}\n"
    person.writes(food_handler + other)
    person.changes()
    assert person.run("move", "food-handler", "2027-08-22").code == 0
    moved = person.changes()
    assert {change["key"] for change in moved} == {"food-handler", *(f"food-handler/{step}" for step in DATES)}
    dates = {c["key"]: c["fields"]["due"] for c in moved}
    assert dates["food-handler/review"] == ["2027-08-05", "2027-08-12"]
    assert person.changes() == []


def test_a_tick_is_progress_and_moves_no_date(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    _tick(person, "Find a course provider")
    assert person.changes() == []
    (goal,) = person.run("status", "--json").json["goals"]
    assert [step["id"] for step in goal["steps"] if step["done"]] == ["find"]
    assert {step["id"]: step["due"] for step in goal["steps"]} == {key: due for key, (_, due) in DATES.items()}


def test_a_date_changed_in_the_list_is_a_pin_until_the_file_changes_its_timing(
    person: Person, food_handler: str
) -> None:
    person.writes(food_handler)
    person.changes()
    _edit(person, "📅 2027-08-05", "📅 2027-08-04")
    pinned = person.changes()
    fields = {c["key"]: c["fields"] for c in pinned}["food-handler/review"]
    assert fields == {"pinned": [False, True], "start": ["2027-08-02", "2027-08-01"]}
    assert person.changes() == []
    (goal,) = person.run("schedule", "--json").json["goals"]
    steps = {step["id"]: step for step in goal["steps"]}
    assert steps["review"]["due"] == "2027-08-04"
    assert steps["review"]["pinned"]
    assert steps["watch"]["due"] == "2027-07-31"  # what comes before is planned back from the pin
    person.run("move", "food-handler", "2027-08-16")
    released = {c["key"]: c["fields"] for c in person.changes()}["food-handler/review"]
    released.pop("start")  # it moves with the due day
    assert released == {"due": ["2027-08-04", "2027-08-06"], "pinned": [True, False]}


def test_a_deleted_line_is_a_drop_until_the_step_itself_changes(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    _edit_line(person, "Review practice questions", None)
    person.changes()
    (goal,) = person.run("status", "--json").json["goals"]
    assert [step["id"] for step in goal["steps"] if step["dropped"]] == ["review"]
    assert person.changes() == []
    person.run("move", "food-handler", "2027-08-16")
    assert all(change["action"] == "update" for change in person.changes())
    text = person.goals.read_text("utf-8")
    person.writes(text.replace("Review practice questions", "Review all practice questions"))
    assert ("create", "food-handler/review") in {(c["action"], c["key"]) for c in person.changes()}


def test_all_steps_ticked_complete_the_goal_and_a_reopened_one_reopens_it(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    text = person.todo.read_text("utf-8")
    person.todo.write_text(text.replace("    - [ ]", "    - [x]"), encoding="utf-8")
    (completed,) = person.changes()
    assert (completed["action"], completed["key"]) == ("complete", "food-handler")
    assert person.changes() == []
    assert person.run("status", "--json").json["goals"][0]["state"] == "done"
    _edit(person, "    - [x] Pass", "    - [ ] Pass")
    assert [(c["action"], c["key"]) for c in person.changes()] == [("reopen", "food-handler")]
    assert person.changes() == []


def test_a_plan_stands_on_later_days(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    for day, step in ((26, "Find"), (27, "Sign")):
        person.today = date(2027, 7, day)
        _tick(person, step)
        assert person.changes() == []
    # The videos were due on 1 August; on the 4th what follows still has days of its own.
    person.today = date(2027, 8, 4)
    assert person.changes() == []
    person.today = date(2027, 8, 5)
    squeezed = {c["key"] for c in person.changes()}
    assert "food-handler/review" in squeezed
    assert person.changes() == []


def test_emptying_the_file_is_refused(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    before = person.todo.read_bytes()
    person.writes("goals: []\n")
    refused = person.run("sync")
    assert refused.code == 3
    assert "--allow-mass-change" in refused.err
    assert person.todo.read_bytes() == before
    assert person.run("sync", "--allow-mass-change").code == 0
    assert "- [ ]" not in person.todo.read_text("utf-8")


def _tick(person: Person, title: str) -> None:
    _edit(person, f"- [ ] {title}", f"- [x] {title}")


def _edit(person: Person, old: str, new: str) -> None:
    text = person.todo.read_text("utf-8")
    assert old in text
    person.todo.write_text(text.replace(old, new), encoding="utf-8")


def _edit_line(person: Person, part: str, new: str | None) -> None:
    lines = person.todo.read_text("utf-8").splitlines(keepends=True)
    kept = [(new if part in line else line) for line in lines if part not in line or new is not None]
    person.todo.write_text("".join(line for line in kept if line is not None), encoding="utf-8")


TWO_GOALS = """goals:
  - {{id: a, title: A, deadline: 2027-08-15, steps: [{{id: x, title: X, takes: 2 days}}{more}]}}
  - {{id: b, title: B, deadline: 2027-09-15, {sync}steps: [{{id: y, title: Y, takes: 2 days}}{other}]}}
"""


def test_a_step_that_went_to_another_goal_keeps_its_task(person: Person) -> None:
    moving = ", {id: z, title: Z, takes: 1 day}"
    person.writes(TWO_GOALS.format(more=moving, other="", sync=""))
    person.changes()
    _tick(person, "Z")
    person.changes()
    person.writes(TWO_GOALS.format(more="", other=", {id: z, was: a/z, title: Z, takes: 1 day}", sync=""))
    assert not {"create", "remove"} & {change["action"] for change in person.changes()}
    assert person.changes() == []
    goals = {goal["id"]: goal for goal in person.run("status", "--json").json["goals"]}
    assert [step["id"] for step in goals["b"]["steps"] if step["done"]] == ["z"]


def test_lists_in_two_folders_are_two_lists(person: Person) -> None:
    (person.folder / "work").mkdir()
    person.writes(TWO_GOALS.format(more="", other="", sync="sync: [{markdown: {file: work/todo.md}}], "))
    person.changes()
    assert person.changes() == []
    there = (person.folder / "work" / "todo.md").read_text("utf-8")
    assert "- [ ] Y" in there
    assert "- [ ] X" not in there
    assert "- [ ] Y" not in person.todo.read_text("utf-8")


def test_one_list_spelled_in_two_ways_is_one_list(person: Person) -> None:
    person.writes(TWO_GOALS.format(more="", other="", sync="sync: [{markdown: {file: ./todo.md}}], "))
    assert len(person.changes()) == 4
    assert person.changes() == []
    retired = "retired: [{markdown: {file: ./todo.md}}]\n" + TWO_GOALS.format(more="", other="", sync="")
    person.writes(retired)
    assert person.changes() == []


def test_only_one_goal_means_that_no_other_is_touched(person: Person) -> None:
    person.writes(TWO_GOALS.format(more="", other="", sync=""))
    person.changes()
    person.writes("goals:\n  - {id: b, title: B, deadline: 2027-09-16, steps: [{id: y, title: Y, takes: 2 days}]}\n")
    done = person.run("sync", "--goal", "b", "--json")
    assert {change["key"] for change in done.json["connectors"][0]["changes"]} == {"b", "b/y"}
    assert "- [ ] X" in person.todo.read_text("utf-8")


def test_a_goal_that_leaves_stays_with_the_step_that_was_done(person: Person) -> None:
    person.writes(TWO_GOALS.format(more="", other="", sync=""))
    person.changes()
    _tick(person, "X")
    person.changes()
    person.writes("goals:\n  - {id: b, title: B, deadline: 2027-09-15, steps: [{id: y, title: Y, takes: 2 days}]}\n")
    assert {(c["action"], c["key"]) for c in person.changes()} == {("detach", "a"), ("detach", "a/x")}
    lines = [line for line in person.todo.read_text("utf-8").splitlines() if "A" in line or "X" in line]
    assert lines[-2:] == [
        "- [x] A 📅 2027-08-15 ✅ 2027-07-20",
        "    - [x] X 🛫 2027-08-14 📅 2027-08-15 ✅ 2027-07-20",
    ]


def test_ones_own_template_without_a_deadline_becomes_a_goals_file(person: Person) -> None:
    person.writes("goals:\n  - title: Move\n    steps:\n      - {title: Pack, takes: 2 days}\n", "templates/move.yaml")
    assert person.run("init", "--template", "move", "--deadline", "2027-09-01").code == 0
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert (goal["deadline"], goal["steps"][0]["due"]) == ("2027-09-01", "2027-09-01")


def test_a_step_that_is_done_keeps_its_date_whatever_moves(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    done = food_handler.replace("      - id: find\n", "      - id: find\n        done: 2027-07-20\n")
    assert done != food_handler
    person.writes(done.replace("2027-08-15", "2027-08-22"))
    changes = {change["key"]: change for change in person.changes()}
    assert (changes["food-handler/find"]["action"], changes["food-handler/find"]["fields"]) == ("complete", {})
    (line,) = [line for line in person.todo.read_text("utf-8").splitlines() if "Find a course" in line]
    assert re.search(r" 📅 2027-07-24 🆔 \w+ ✅ 2027-07-20$", line)
    person.writes(food_handler.replace("2027-08-15", "2027-08-22"))
    _edit(person, "- [x] Find", "- [ ] Find")
    person.changes()
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert (goal["steps"][0]["pinned"], goal["steps"][0]["due"]) == (False, "2027-07-31")
    assert person.changes() == []
