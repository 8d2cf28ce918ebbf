"""`when_full: earlier` in plans small enough to be read, and what it says of plans that ask too much."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from config.durations import parse
from config.project import EVERYBODY, Goal, Step
from sync.schedule.model import Progress
from sync.schedule.planner import plan_all
from tests.schedule.test_scheduler_properties import ORIGIN, project

if TYPE_CHECKING:
    from tests.conftest import Person

HEAD = "when_full: earlier\nnamespace: me/plan\n"


def goal(name: str, deadline: str, steps: str, more: str = "") -> str:
    """Return a goal on one line; the deadline is a day of August 2027, and nobody is free at weekends by default."""
    return f"- {{id: {name}, title: {name.upper()}, deadline: 2027-08-{deadline}, steps: [{steps}]{more}}}\n"


def dues(person: Person, today: str = "2027-07-20") -> dict[str, str]:
    """Return the due date of every step."""
    goals = person.run("schedule", "--json", "--today", today).json["goals"]
    return {f"{one['id']}/{step['id']}": step["due"][5:] for one in goals for step in one["steps"] if step["due"]}


def test_the_step_with_more_work_before_it_keeps_its_days(person: Person) -> None:
    steps = "{id: one, title: One, takes: 9 days}, {id: two, title: Two, takes: 2 days}"
    text = HEAD + "capacity: 1\ngoals:\n" + goal("a", "20", steps) + goal("b", "20", "{id: x, title: X, takes: 3 days}")
    person.writes(text)
    assert dues(person) == {"a/two": "08-20", "a/one": "08-18", "b/x": "08-09"}
    said = person.run("explain", "b/x", "--today", "2027-07-20").out
    assert "because you have “One” (of `a`) from Tue 10 Aug to Wed 18 Aug and “Two” (of `a`)" in said
    assert "and the 3 days left" not in said
    person.writes(text.replace("capacity: 1", "capacity: 2"))
    assert dues(person) == {"a/two": "08-20", "a/one": "08-18", "b/x": "08-20"}


@pytest.mark.parametrize("capacity", ["1", "{me: 1}", '{"*": 1}'])
def test_a_published_plan_keeps_its_days_and_a_new_goal_goes_around_it(person: Person, capacity: str) -> None:
    first = f"{HEAD}capacity: {capacity}\ngoals:\n" + goal("b", "20", "{id: x, title: X, takes: 3 days}")
    person.writes(first)
    assert person.run("sync", "--today", "2027-07-20").code == 0
    steps = "{id: one, title: One, takes: 9 days}, {id: two, title: Two, takes: 2 days}"
    person.writes(first + goal("a", "20", steps))
    for today in ("2027-07-20", "2027-07-25"):
        assert person.run("sync", "--today", today).code == 0
        lines = (person.folder / "todo.md").read_text("utf-8").splitlines()
        assert "📅 2027-08-20" in next(line for line in lines if "] X" in line)
        assert "📅 2027-08-17" in next(line for line in lines if "] Two" in line)
    assert "nothing to do" in person.run("sync", "--today", "2027-07-25").out


def test_two_appointments_on_one_day_and_people_without_a_limit_move_nothing(person: Person) -> None:
    steps = "{id: x, title: X, on: 2027-08-10, who: jo}, {id: y, title: Y, on: 2027-08-10, who: jo}"
    person.writes(
        HEAD + "capacity: {jo: 1}\ngoals:\n" + goal("a", "20", steps) + goal("b", "20", "{id: x, title: X, takes: 3}")
    )
    assert dues(person) == {"a/x": "08-10", "a/y": "08-10", "b/x": "08-20"}
    assert "jo has 2 steps at once on Tue 10 Aug (capacity 1)" in person.run("schedule", "--today", "2027-07-20").out


def test_a_step_longer_than_all_the_room_keeps_its_days_and_the_goal_is_at_risk(person: Person) -> None:
    steps = "{id: x, title: X, on: 2027-08-10, takes: 1 day, who: jo}"
    person.writes(
        HEAD
        + "capacity: {jo: 1}\ngoals:\n"
        + goal("a", "20", steps)
        + goal("b", "20", "{title: Y, takes: 14, who: jo}")
    )
    found = person.run("schedule", "--json", "--today", "2027-08-01").json
    assert [(one["state"], one["steps"][0]["due"]) for one in found["goals"]] == [
        ("on-track", "2027-08-10"),
        ("at-risk", "2027-08-20"),
    ]
    out = person.run("schedule", "--today", "2027-08-01").out
    assert "at risk: no room for 1 step, 6 days in hand" in out
    assert "no place was found for “Y” in one piece" in out
    assert "it would fit with “Y” given to somebody else or capacity 2 for `jo`" in " ".join(out.split())


def test_an_optional_step_gives_way_before_a_day_is_too_full(person: Person) -> None:
    steps = "{id: x, title: X, takes: 8 days, optional: true}"
    text = HEAD + "capacity: 1\ngoals:\n" + goal("a", "10", steps) + goal("b", "10", "{id: y, title: Y, takes: 6 days}")
    person.writes(text)
    assert dues(person, "2027-08-01") == {"b/y": "08-10"}


def test_a_thousand_people_have_their_own_days(person: Person) -> None:
    goals = "".join(goal(f"g{n}", "20", f"{{id: x, title: X, takes: 3 days, who: p{n % 1000}}}") for n in range(1010))
    person.writes(HEAD + "capacity: 1\ngoals:\n" + goals)
    found = dues(person)
    assert [found[f"g{n}/x"] for n in (0, 9, 10, 1000, 1009)] == ["08-20", "08-20", "08-20", "08-17", "08-17"]


def task(person: Person, title: str) -> str:
    """Return the line of a task in the list."""
    lines = (person.folder / "todo.md").read_text("utf-8").splitlines()
    return next(line for line in lines if f"] {title}" in line)


def test_a_standing_goal_moves_if_another_does_not_fit_otherwise(person: Person) -> None:
    first = HEAD + "capacity: 1\ngoals:\n" + goal("b", "20", "{id: x, title: X, takes: 3 days}")
    first += goal("c", "19", "{id: z, title: Z, takes: 1 day, who: jo}")
    person.writes(first)
    assert person.run("sync", "--today", "2027-08-05").code == 0
    assert "📅 2027-08-20" in task(person, "X")
    person.writes(first + goal("a", "20", "{id: y, title: Y, takes: 8 days, from: 2027-08-13}"))
    only = person.run("sync", "--goal", "a", "--today", "2027-08-05")
    assert "] Y" not in (person.folder / "todo.md").read_text("utf-8"), only.out
    done = person.run("sync", "--today", "2027-08-05")
    assert "b moves, so that a can be done in time" in done.err + done.out
    for today in ("2027-08-05", "2027-08-06"):
        found = dues(person, today)
        assert found == {"b/x": "08-12", "c/z": "08-19", "a/y": "08-20"}
    assert "nothing to do" in person.run("sync", "--today", "2027-08-06").out


def test_a_goal_that_fits_in_no_way_moves_no_other(person: Person) -> None:
    first = HEAD + "capacity: 1\ngoals:\n" + goal("b", "20", "{id: x, title: X, takes: 3 days}")
    person.writes(first)
    assert person.run("sync", "--today", "2027-08-10").code == 0
    person.writes(first + goal("a", "20", "{id: y, title: Y, takes: 9 days, from: 2027-08-12}"))
    assert person.run("sync", "--today", "2027-08-10").code == 0
    assert dues(person, "2027-08-10") == {"b/x": "08-20", "a/y": "08-20"}


def test_level_places_all_goals_anew_as_a_diff_first(person: Person) -> None:
    first = HEAD + "capacity: 1\ngoals:\n" + goal("b", "20", "{id: x, title: X, takes: 3 days}")
    person.writes(first)
    assert person.run("sync", "--today", "2027-08-01").code == 0
    steps = "{id: one, title: One, takes: 9 days}, {id: two, title: Two, takes: 2 days}"
    person.writes(first + goal("a", "20", steps))
    assert person.run("sync", "--today", "2027-08-01").code == 0
    assert "📅 2027-08-20" in task(person, "X")
    plan = person.run("plan", "--level", "--today", "2027-08-01").out
    assert "2027-08-20 -> 2027-08-09" in plan or "Fri 20 Aug" in plan
    assert "📅 2027-08-20" in task(person, "X")
    assert person.run("sync", "--level", "--today", "2027-08-01").code == 0
    assert "📅 2027-08-09" in task(person, "X")
    assert "📅 2027-08-20" in task(person, "Two")
    assert "nothing to do" in person.run("sync", "--today", "2027-08-02").out
    refused = person.run("plan", "--level", "--goal", "a")
    assert "--level places all goals anew; leave out --goal and --connector" in refused.err


def test_a_new_goal_waits_while_the_plan_of_another_of_its_person_cannot_be_read(person: Person) -> None:
    elsewhere = ", sync: [{markdown: {file: other.md}}]"
    first = HEAD + "capacity: 1\ngoals:\n" + goal("b", "20", "{id: x, title: X, takes: 3 days}", elsewhere)
    person.writes(first)
    assert person.run("sync", "--today", "2027-08-05").code == 0
    kept = (person.folder / "other.md").read_text("utf-8")
    (person.folder / "other.md").unlink()
    (person.folder / "other.md").mkdir()
    person.writes(first + goal("a", "20", "{id: y, title: Y, takes: 2 days}"))
    done = person.run("sync", "--today", "2027-08-05")
    assert "a waits: the plan of another goal with the same person could not be read" in done.err + done.out
    assert not (person.folder / "todo.md").exists()
    (person.folder / "other.md").rmdir()
    (person.folder / "other.md").write_text(kept, "utf-8")
    assert person.run("sync", "--today", "2027-08-05").code == 0
    assert "📅 2027-08-17" in task(person, "Y")


def test_only_goals_of_the_same_people_wait() -> None:
    steps = {
        name: (Step(f"{name}/s", name, ORIGIN, takes=parse("2"), who=who),)
        for name, who in zip("abc", "xxy", strict=True)
    }
    goals = [Goal(n, n, date(2027, 3, 1), ORIGIN, steps=s, sequence=s, when_full="earlier") for n, s in steps.items()]
    plan = replace(project(*goals), capacity={EVERYBODY: 1})
    found = plan_all(plan, Progress(unread=frozenset("b")), date(2027, 1, 4)).plans
    assert {name: one.waits for name, one in found.items()} == {"a": True, "b": False, "c": False}


def test_fit_finds_the_deadline_with_room_around_what_stands(person: Person) -> None:
    first = HEAD + "capacity: 1\ngoals:\n" + goal("b", "12", "{id: x, title: X, takes: 6 days}")
    person.writes(first)
    assert person.run("sync", "--today", "2027-08-05").code == 0
    assert dues(person, "2027-08-05") == {"b/x": "08-12"}
    person.writes(first + goal("a", "20", "{id: y, title: Y, takes: 4 days}"))
    assert (
        person.run("fit", "a", "--json", "--today", "2027-08-05").json["earliest_deadlines"]["planned"] == "2027-08-16"
    )


def test_an_optional_step_that_gave_way_makes_nothing_late(person: Person) -> None:
    optional = "{id: y, title: Y, takes: 8 days, optional: true}"
    steps = f"{{id: w, title: W, takes: 1 day}}, {optional}, {{id: z, title: Z, on: 2027-08-13}}"
    full = goal("a", "06", "{id: x, title: X, takes: 5 days}")
    person.writes(
        HEAD + "calendar: {workdays: [mon, tue, wed, thu, fri]}\ncapacity: 1\ngoals:\n" + full + goal("b", "20", steps)
    )
    found = person.run("schedule", "--json", "--today", "2027-08-02").json["goals"]
    assert {step["id"]: step["due"] for one in found for step in one["steps"]} == {
        "x": "2027-08-06",
        "w": "2027-08-12",
        "y": None,
        "z": "2027-08-13",
    }
    assert all(step["slack_days"] >= 0 for one in found for step in one["steps"])
