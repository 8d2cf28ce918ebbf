"""What a plan says of risk, load, buffer and learning, and what a deadline would move, by real processes and files."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import FOOD_HANDLER

if TYPE_CHECKING:
    from tests.conftest import Person

GUESSED = """capacity: 1
calendar: {workdays: [mon, tue, wed, thu, fri]}
goals:
  - id: shift-lead
    title: Apply for the shift lead role
    deadline: 2027-08-27
    buffer: 4 days
    steps:
      - {id: take-on, title: Take on a responsibility, takes: 1-1-3 weeks}
      - {id: feedback, title: Ask for feedback, takes: 2-3-8 days, wait: 2 days}
      - {id: resume, title: Update the resume, takes: 2-3-6 days, who: jasmine}
  - id: clean
    title: Clean
    deadline: 2027-08-23
    steps: [{id: all, title: All of it, takes: 5 days, who: jasmine}]
"""
PLAIN = "goals: [{id: g, title: G, deadline: 2027-08-27, steps: [{title: One, takes: 5}, {title: Two, takes: 3}]}]\n"


def goal_of(person: Person, *arguments: str) -> Any:
    """Run `schedule --json` and return the first goal."""
    return person.run("schedule", "--json", *arguments).json["goals"][0]


def test_the_risk_stands_in_every_form_and_is_the_same_each_time(person: Person) -> None:
    person.writes(GUESSED)
    risk = goal_of(person, "--risk")["risk"]
    assert risk == goal_of(person, "--risk")["risk"]
    assert set(risk) == {
        *("samples", "estimates", "finish", "chance_of_deadline", "chance_of_limit", "confidence", "latest_start"),
    }
    assert (risk["samples"], risk["estimates"], risk["confidence"]) == (1000, 3, 80)
    assert risk["finish"]["p50"] < risk["finish"]["p80"] < risk["finish"]["p95"]
    shown = person.run("schedule", "--risk").out
    page = person.run("schedule", "--risk", "--markdown", "--html", "plan.html").out
    for text in (shown, page.replace("&#37;", "%"), (person.folder / "plan.html").read_text("utf-8")):
        assert "The deadline holds in" in text
        assert "to be 80% sure." in text
    assert "risk" not in goal_of(person)


def test_a_confidence_of_ones_own_asks_for_the_risk(person: Person) -> None:
    person.writes(GUESSED)
    starts = [goal_of(person, "--confidence", str(percent))["risk"]["latest_start"] for percent in (50, 80, 95)]
    assert starts == sorted(starts, reverse=True)
    assert starts[0] > starts[2]
    assert person.run("schedule", "--confidence", "100").code == 64


def test_without_estimates_the_risk_is_not_made_up(person: Person) -> None:
    person.writes(PLAIN)
    assert "nothing is known of the risk" in person.run("schedule", "--risk").out
    risk = goal_of(person, "--risk")["risk"]
    assert set(risk["finish"].values()) == {"2027-07-27"}
    assert (risk["estimates"], risk["chance_of_deadline"]) == (0, 1.0)


def test_a_step_that_repeats_and_has_no_time_left_is_no_part_of_the_risk(person: Person) -> None:
    person.writes("""
goals:
  - id: g
    title: Learn to swim
    deadline: 2027-08-15
    done: 2027-07-19
    steps: [{title: Practise, every: [thu], takes: 1 day}, {title: Swim, takes: 1-2-4 days}]
  - id: h
    title: Cross the lake
    deadline: 2027-09-15
    steps: [{title: Find a boat, takes: 1-2-4 days, after: [g]}]
""")
    done = person.run("schedule", "--risk")
    assert (done.code, done.err) == (0, "")
    assert person.run("fit", "h").code == person.run("fit", "g").code == 0


def test_numpy_is_loaded_only_for_the_risk(person: Person) -> None:
    person.writes(GUESSED)
    script = "import sys\nfrom sync.cli.app import run\n"
    for arguments, loaded in ((["schedule"], False), (["status"], False), (["schedule", "--risk"], True)):
        script += f"sys.argv = {['backplan', *arguments]}\nassert run() == 0\n"
        script += f"assert ('numpy' in sys.modules) is {loaded}, {arguments}\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=person.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_deadlines_that_fit_hold_when_one_moves_there(person: Person) -> None:
    person.writes(GUESSED)
    found = person.run("fit", "shift-lead", "--json").json
    earliest = found["earliest_deadlines"]
    assert list(earliest) == ["planned", "p50", "p80", "p95"]
    for name, percent in (("p50", 50), ("p80", 80), ("p95", 95)):
        person.run("move", "shift-lead", earliest[name])
        assert goal_of(person, "--risk")["risk"]["chance_of_limit"] * 100 >= percent
    person.run("move", "shift-lead", earliest["planned"])
    assert goal_of(person)["margin_days"] == 0
    day_before = date.fromisoformat(earliest["planned"]) - timedelta(days=1)
    person.run("move", "shift-lead", day_before.isoformat())
    assert (late := goal_of(person))["state"] == "late"
    assert late["earliest_deadline"] == earliest["planned"]
    assert "80% sure" in person.run("fit", "shift-lead").out


@pytest.mark.parametrize(
    ("goals", "said"),
    [
        (PLAIN, "With an estimate such as `2-3-6 days` on a step"),
        (PLAIN.replace("title: One,", "title: One, on: 2027-07-01,"), "No other deadline helps"),
        (PLAIN.replace("id: g,", "id: g, done: 2027-07-01,"), "Nothing is left to do"),
    ],
)
def test_fit_says_what_it_cannot_tell(person: Person, goals: str, said: str) -> None:
    person.writes(goals)
    assert said in person.run("fit", "g").out
    assert person.run("fit", "g", "--json").code == 0


def test_too_much_at_once_is_told_over_all_goals(person: Person) -> None:
    person.writes(GUESSED)
    (load,) = person.run("schedule", "--json").json["load"]
    assert (load["who"], load["capacity"]) == ("jasmine", 1)
    assert load["stretches"] == [
        {"from": "2027-08-18", "to": "2027-08-23", "most": 2, "steps": ["clean/all", "shift-lead/resume"]}
    ]
    assert load["weeks"] == [{"monday": "2027-08-16", "most": 2}, {"monday": "2027-08-23", "most": 2}]
    line = "jasmine has 2 steps at once from Wed 18 Aug to Mon 23 Aug (capacity 1)"
    person.run("schedule", "--html", "plan.html")
    shown = [person.run("schedule").out, person.run("status").out, person.run("schedule", "--markdown").out]
    for text in (*shown, (person.folder / "plan.html").read_text("utf-8")):
        assert line in text
    assert person.run("schedule", "--goal", "clean", "--json").json["load"] == [load]


def test_more_work_than_room_is_proved_by_its_days(person: Person) -> None:
    goal = (
        "{{id: {0}, title: {0}, start: 2027-08-02, deadline: 2027-08-{1}, steps: [{{title: X, takes: {2} days{3}}}]}}"
    )
    goals = [
        goal.format("A", "08", 5, ", who: jo"),
        goal.format("B", "10", 5, ", who: jo"),
        goal.format("C", "08", 6, ""),
    ]
    person.writes(f"capacity: {{jo: 1}}\ngoals: [{', '.join(goals)}]\n")
    (load,) = person.run("schedule", "--json", "--today", "2027-08-01").json["load"]
    assert load["overload"] == {"from": "2027-08-02", "to": "2027-08-10", "work": 10, "working_days": 9}
    out = person.run("schedule", "--today", "2027-08-01").out
    assert "jo: from Mon 2 Aug to Tue 10 Aug 10 days of work have to be done in 9 working days" in out
    assert "jo has 2 steps at once from Fri 6 Aug to Sun 8 Aug (capacity 1)" in out
    person.writes(f"capacity: {{jo: 2, me: 1}}\ngoals: [{', '.join(goals)}]\n")
    assert person.run("schedule", "--json", "--today", "2027-08-01").json["load"] == []


def test_many_days_with_too_much_are_told_by_their_weeks(person: Person) -> None:
    steps = ", ".join(
        f"{{title: {name} {n}, on: 2027-0{8 + n // 4}-{1 + n % 4 * 7:02}, takes: 2}}" for name in "AB" for n in range(8)
    )
    person.writes(f"capacity: 1\ngoals: [{{id: g, title: G, deadline: 2027-10-30, steps: [{steps}]}}]\n")
    assert "there are more steps at once than 1 in the weeks of" in person.run("schedule").out


def test_the_buffer_has_a_colour_everywhere(person: Person) -> None:
    person.writes(GUESSED)
    person.run("sync")
    assert goal_of(person)["buffer"] == {"days": 4, "used_days": 0, "work_done": 0.0, "colour": "green"}
    person.today = date(2027, 8, 24)
    buffer = goal_of(person)["buffer"]
    assert buffer["colour"] == "red"
    assert buffer["used_days"] > 0
    line = f"red: {buffer['used_days']} of 4 days of buffer used"
    person.run("schedule", "--html", "plan.html")
    shown = [person.run("schedule").out, person.run("status").out, person.run("schedule", "--markdown").out]
    for text in (*shown, (person.folder / "plan.html").read_text("utf-8")):
        assert line in text


def test_done_steps_teach_how_long_steps_take(person: Person) -> None:
    steps = ", ".join(f"{{id: s{n}, title: Step {n}, takes: 5, labels: [study]}}" for n in range(7))
    person.writes(f"when_late: keep\ngoals: [{{id: g, title: G, deadline: 2027-08-23, steps: [{steps}]}}]\n")
    written = person.goals.read_bytes()
    person.run("sync")
    first = person.today
    for n in range(5):
        assert person.run("status", "--json").json["learning"] == []
        person.today = first + timedelta(days=8 * (n + 1) - 1)
        person.todo.write_text(person.todo.read_text("utf-8").replace(f"[ ] Step {n}", f"[x] Step {n}"), "utf-8")
        assert person.run("sync").code == 0
    every, label = person.run("status", "--json").json["learning"]
    assert every == {
        "kind": "all", "name": None, "factor": 1.6, "steps": 5, "planned_days": 25, "taken_days": 40
    }  # fmt: skip
    assert (label["kind"], label["name"], label["factor"]) == ("label", "study", 1.6)
    said = "Your steps take 1.6 times what you write: 40 days for 25 planned, in 5 done steps."
    assert said in person.run("status").out
    assert said in person.run("fit", "g").out
    assert person.run("fit", "g", "--json").json["learning"] == [every, label]
    assert person.goals.read_bytes() == written


def test_what_another_deadline_does_is_told_before_anything_is_written(person: Person) -> None:
    person.writes(GUESSED)
    before = person.goals.read_bytes()
    arguments = ("--deadline", "shift-lead=2027-08-06", "--deadline", "clean=2027-08-30", "--risk")
    found = person.run("schedule", "--json", *arguments).json
    assert {"key": "clean/all", "due": ["2027-08-23", "2027-08-30"]} in found["moves"]
    trouble, better = found["health"]
    assert (trouble["id"], trouble["state"]) == ("shift-lead", ["on-track", "late"])
    assert trouble["margin_days"][0] > 0 > trouble["margin_days"][1]
    assert trouble["risk"][0]["chance_of_deadline"] > trouble["risk"][1]["chance_of_deadline"]
    assert better["margin_days"] == [20, 25]
    for shown in (person.run("schedule", *arguments).out, person.run("schedule", "--markdown", *arguments).out):
        assert "Mon 30 Aug" in shown
        assert "late by" in shown
    dry = person.run(
        "move", "shift-lead", "2027-08-06", "--dry-run", "--deadline", "clean=2027-08-30", "--json", "--risk"
    )
    assert (dry.json["moves"], dry.json["health"]) == (found["moves"], found["health"])
    assert "now it holds in" in person.run("move", "shift-lead", "2027-08-06", "--dry-run", "--risk").out
    assert person.goals.read_bytes() == before
    person.run("move", "shift-lead", "2027-08-06", "--deadline", "clean=2027-08-30")
    assert person.goals.read_bytes() == before.replace(b"2027-08-27", b"2027-08-06")


def test_a_deadline_that_moves_nothing_is_told_so(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    assert "no date moves" in person.run("schedule", "--deadline", "food-handler=2027-08-15").out
    assert "no date moves" in person.run("schedule", "--deadline", "food-handler=2027-08-15", "--markdown").out


def test_without_numpy_only_forecasts_from_estimates_are_refused(person: Person) -> None:
    person.writes(GUESSED)
    person.writes(PLAIN, "plain.yaml")
    hidden = "import sys\nsys.modules['numpy'] = None\nfrom importlib import util\nfind = util.find_spec\n"
    hidden += "util.find_spec = lambda name, *more: None if name == 'numpy' else find(name, *more)\n"
    script = f"{hidden}import sync.forecast.estimates\nfrom sync.cli.app import run\n"
    refused, plain = (["fit", "shift-lead"], ["schedule", "--risk"]), ["fit", "g", "--goals", "plain.yaml"]
    for arguments, code in ((["schedule"], 0), (plain, 0), *((one, 64) for one in refused)):
        script += f"sys.argv = {['backplan', *arguments]}\nassert run() == {code}, {arguments}\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=person.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("uv tool install '.[risk]'") == len(refused)
