"""A step that repeats, from its line in the goals file to ticks in the list, as a person lives with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Person

PIANO = """namespace: me/goals
goals:
  - id: piano
    title: Play at the wedding
    deadline: 2027-03-31
    steps:
      - {id: buy, title: Buy the music, takes: 2 days}
      - {id: practise, title: Practise, takes: 1 day, every: week}
      - {id: friend, title: Play it to a friend, takes: 2 days}
"""
WEEKS = ["2027-03-08", "2027-03-15", "2027-03-22", "2027-03-29"]


def sync(person: Person, day: str, *options: str) -> dict[str, str]:
    """Run on a day; return the action for each key."""
    done = person.run("sync", "--json", "--today", day, *options)
    assert done.code == 0, done.err
    (connector,) = done.json["connectors"]
    assert person.run("plan", "--json", "--exit-code", "--today", day).code == 0  # the list is up to date
    return {change["key"].partition("/")[2]: change["action"] for change in connector["changes"]}


def edit(person: Person, key: str, old: str, new: str) -> None:
    """Change the line of a key in the list."""
    text, line = person.todo.read_text("utf-8"), _line(person, key)
    assert old in line
    person.todo.write_text(text.replace(line, line.replace(old, new)), "utf-8")


def _line(person: Person, key: str) -> str:
    """Return the line of a key in the list: the list's memory has its id."""
    lines = person.todo.read_text("utf-8").split("\n")
    (id_,) = (line.split()[0] for line in lines if line.split()[1:2] == [f"piano/{key}"])
    (found,) = (line for line in lines if line.endswith(f"🆔 {id_}"))
    return found


def steps(person: Person, day: str) -> dict[str, dict[str, Any]]:
    """Return the steps that the schedule shows, by their ids."""
    (goal,) = person.run("schedule", "--json", "--today", day).json["goals"]
    return {step["id"]: step for step in goal["steps"]}


def test_each_time_is_a_task_that_is_ticked_missed_or_deleted_alone(person: Person) -> None:
    person.writes(PIANO)
    made = sync(person, "2027-03-01")
    assert list(made) == ["", "buy", *(f"practise@{day}" for day in WEEKS), "friend"]
    edit(person, "buy", "[ ]", "[x]")
    edit(person, "practise@2027-03-08", "[ ]", "[x]")
    assert sync(person, "2027-03-08") == {}
    assert steps(person, "2027-03-08")["practise@2027-03-08"]["done"]
    assert sync(person, "2027-03-21") == {}  # the missed one of the 15th stays until the next one is due
    assert steps(person, "2027-03-21")["practise@2027-03-15"]["overdue"]
    assert sync(person, "2027-03-22") == {"practise@2027-03-15": "remove"}
    text = person.todo.read_text("utf-8")
    person.todo.write_text(text.replace(f"{_line(person, 'practise@2027-03-29')}\n", ""), "utf-8")
    assert sync(person, "2027-03-22") == {"practise@2027-03-29": "keep"}
    assert steps(person, "2027-03-22")["practise@2027-03-29"]["dropped"]
    edit(person, "practise@2027-03-22", "[ ]", "[x]")
    assert sync(person, "2027-03-23") == {}
    assert steps(person, "2027-03-23")["friend"]["due"] == "2027-03-31"
    edit(person, "friend", "[ ]", "[x]")
    assert sync(person, "2027-03-30") == {"": "complete"}  # it was the last open one: the goal is reached


def test_what_was_missed_and_worked_on_is_left_to_the_person(person: Person) -> None:
    person.writes(PIANO)
    sync(person, "2027-03-01")
    edit(person, "practise@2027-03-08", "Practise", "Practise with Rui")
    assert sync(person, "2027-03-08") == {"practise@2027-03-08": "keep"}
    assert sync(person, "2027-03-15") == {"practise@2027-03-08": "detach"}
    assert "Practise with Rui" in person.todo.read_text("utf-8")


def test_a_date_that_a_person_gives_one_time_moves_that_one_alone(person: Person) -> None:
    person.writes(PIANO)
    sync(person, "2027-03-01")
    edit(person, "practise@2027-03-15", "📅 2027-03-15", "📅 2027-03-17")
    assert sync(person, "2027-03-02") == {"practise@2027-03-15": "update"}
    found = steps(person, "2027-03-02")
    assert (found["practise@2027-03-15"]["due"], found["practise@2027-03-15"]["pinned"]) == ("2027-03-17", True)
    assert [s["due"] for s in found.values() if s["id"].startswith("practise")] == [
        "2027-03-08",
        "2027-03-17",
        "2027-03-22",
        "2027-03-29",
    ]


def test_a_moved_deadline_moves_what_is_to_come_and_is_no_mass_change(person: Person) -> None:
    person.writes(PIANO)
    sync(person, "2027-03-01")
    edit(person, "practise@2027-03-08", "[ ]", "[x]")
    sync(person, "2027-03-09")
    assert person.run("move", "piano", "2027-04-02", "--today", "2027-03-09").code == 0
    changes = sync(person, "2027-03-09")
    assert {key for key, action in changes.items() if action == "remove"} == {f"practise@{day}" for day in WEEKS[1:]}
    assert {key for key, action in changes.items() if action == "create"} == {
        "practise@2027-03-10",
        "practise@2027-03-17",
        "practise@2027-03-24",
        "practise@2027-03-31",
    }
    assert steps(person, "2027-03-09")["practise@2027-03-08"]["done"]
    shown = person.run("schedule", "--deadline", "piano=2027-04-09", "--today", "2027-03-09").out
    assert re.search(r"\(Wed 7 Apr\) +no date +→ +Wed 7 Apr", shown)


def test_a_step_taken_out_of_the_file_is_a_mass_change_all_the_same(person: Person) -> None:
    person.writes(PIANO)
    sync(person, "2027-03-01")
    person.writes("\n".join(line for line in PIANO.split("\n") if "practise" not in line))
    assert person.run("sync", "--today", "2027-03-01").code == 3
    changes = sync(person, "2027-03-01", "--allow-mass-change")
    assert [key for key, action in changes.items() if action == "remove"] == [f"practise@{day}" for day in WEEKS]


def test_a_renamed_step_keeps_its_tasks(person: Person) -> None:
    person.writes(PIANO)
    sync(person, "2027-03-01")
    edit(person, "buy", "[ ]", "[x]")
    edit(person, "practise@2027-03-08", "[ ]", "[x]")
    sync(person, "2027-03-08")
    person.writes(PIANO.replace("id: practise,", "id: exercise, was: practise,"))
    assert set(sync(person, "2027-03-09").values()) == {"repair"}
    assert steps(person, "2027-03-09")["exercise@2027-03-08"]["done"]
    assert person.todo.read_text("utf-8").count("[ ] Practise") == 3
    person.writes(PIANO.replace("id: piano", "id: music\n    was: piano").replace("id: practise", "id: exercise"))
    assert set(sync(person, "2027-03-09").values()) == {"repair"}


def test_the_memory_of_a_daily_step_stays_small(person: Person) -> None:
    person.writes(PIANO.replace("every: week", "every: day").replace("2027-03-31", "2027-12-31"))
    sync(person, "2027-03-01")
    assert len(_memory(person)) < 304 * 70  # an id, a key, a day and two digests each
    for _ in range(100):
        text = person.todo.read_text("utf-8")
        person.todo.write_text(text.replace("- [ ] Practise", "- [x] Practise", 1), "utf-8")
    sync(person, "2027-06-11")
    edit(person, "buy", "[ ]", "[x]")
    sync(person, "2027-10-01")
    assert "practise@2027-03-04 - " in _memory(person)  # forgotten; what is left belongs to its line in the list
    assert "[x] Practise" in person.todo.read_text("utf-8")


def _memory(person: Person) -> str:
    """Return the rows of the list's memory."""
    return person.todo.read_text("utf-8").partition("<!-- backplan's memory")[2]


def test_explain_takes_the_step_for_the_time_that_is_next(person: Person) -> None:
    person.writes(PIANO)
    told = person.run("explain", "piano/practise", "--today", "2027-03-01").out
    assert "Mon 8 Mar (takes 1 day, every week)" in told
    assert "Play it to a friend" in told
    wrong = person.run("explain", "piano/practice", "--today", "2027-03-01")
    assert wrong.code == 64
    assert "did you mean `practise`?" in wrong.err


def test_every_report_shows_each_time(person: Person) -> None:
    person.writes(PIANO)
    paths = {name: person.folder / f"plan.{name}" for name in ("ics", "html", "svg")}
    options = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    assert person.run("schedule", "--today", "2027-03-01", *options).code == 0
    assert paths["ics"].read_text("utf-8").count("SUMMARY:Practise") == 4
    for text in (paths["html"].read_text("utf-8"), person.run("schedule", "--markdown", "--today", "2027-03-01").out):
        assert "1 day, every week" in text or text.count("Practise") >= 4
    assert paths["svg"].read_text("utf-8").count(">Practise<") == 4
