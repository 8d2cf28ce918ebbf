"""The command line as a whole: what each command prints, its JSON and its exit code, with real processes and files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sync.cli import workflow_template
from sync.cli.app import main
from tests.conftest import FOOD_HANDLER, ROOT

if TYPE_CHECKING:
    from typing import IO

    from tests.conftest import Person

COMMANDS = (
    *("add", "check", "completion", "connect", "connectors", "doctor", "explain", "fit", "init", "move"),
    *("open", "page", "plan", "schedule", "schema", "status", "sync", "today", "undo", "week"),
)


def test_help_names_every_command(person: Person) -> None:
    shown = person.run("--help")
    assert shown.code == 0
    groups = shown.out.split("Options:")[1].split("\n\n")[1:]
    assert [group.splitlines()[0].strip() for group in groups] == ["Look:", "Plan:", "Do:", "Many accounts:", "Set up:"]
    named = sorted(line.split()[0] for group in groups for line in group.strip().splitlines()[1:])
    assert named == sorted([*COMMANDS, "fleet"])
    assert "..." not in shown.out.partition("Options:")[2]  # each summary fits
    for command in COMMANDS:
        assert person.run(command, "--help").out.startswith(f"Usage: backplan {command}")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_that_the_command_takes(name: str, person: Person) -> None:
    shown = person.run(name, "--help").out
    assert "Options:\n  -" in shown  # arguments stand in the line of usage
    example = shown.rpartition("Example: ")[2].partition(">")[0]
    command = main.commands[name]
    _, command_name, *words = example.split()
    assert command_name == name
    assert command.make_context(name, words).args == []


@pytest.mark.parametrize(
    ("command", "option"),
    [("schema", "--goals"), ("doctor", "--goal"), ("move", "--connector"), ("status", "--connector")],
)
def test_an_option_that_would_do_nothing_is_refused(command: str, option: str, person: Person) -> None:
    assert option not in person.run(command, "--help").out.split()
    refused = person.run(command, option, "a")
    assert refused.code == 64
    assert f"No such option {option}" in refused.err.replace("'", "").replace(":", "")


def test_the_json_of_a_schedule_has_the_public_shape(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    document = person.run("schedule", "--json").json
    assert (document["version"], document["today"]) == (1, "2027-07-20")
    (goal,) = document["goals"]
    assert goal | {"steps": []} == {
        "id": "food-handler",
        "title": "Complete my food handler certification",
        "deadline": "2027-08-15",
        "start": "2027-07-24",
        "finish": "2027-08-15",
        "margin_days": 4,
        "state": "on-track",
        "earliest_deadline": None,
        "warnings": [],
        "buffer": None,
        "steps": [],
    }
    assert goal["steps"][3] == {
        "id": "review",
        "title": "Review practice questions",
        "start": "2027-08-02",
        "due": "2027-08-05",
        "early_start": "2027-07-29",
        "early_finish": "2027-08-01",
        "slack_days": 4,
        "critical": False,
        "longest_chain": True,
        "pinned": False,
        "done": False,
        "dropped": False,
        "overdue": False,
        "after": ["watch"],
    }


def test_the_json_of_a_plan_has_the_public_shape(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    (connector,) = person.run("plan", "--json").json["connectors"]
    assert (connector["name"], connector["requests"]) == ("markdown", {"read": 1, "write": 0})
    assert connector["summary"] == {
        "create": 7, "update": 0, "complete": 0, "reopen": 0, "remove": 0, "repair": 0, "detach": 0, "keep": 0,
        "pending": 0, "failed": 0,
    }  # fmt: skip
    assert connector["changes"][4] == {
        "action": "create",
        "key": "food-handler/review",
        "fields": {
            "title": [None, "Review practice questions"],
            "start": [None, "2027-08-02"],
            "due": [None, "2027-08-05"],
        },
        "reason": "new",
        "status": "planned",
        "error": None,
        "before": None,
        "after": {
            "title": "Review practice questions",
            "due": "2027-08-05",
            "start": "2027-08-02",
            "marker": "bp1 542d0130fb local food-handler/review 1 2027-08-05 - iljojv...p36fqc.6ibm34.z6xtty",
        },
    }
    assert (connector["memory"]["before"], len(connector["memory"]["after"])) == ([], 1)
    (applied,) = person.run("sync", "--json").json["connectors"]
    assert {change["status"] for change in applied["changes"]} == {"applied"}
    assert applied["requests"] == {"read": 1, "write": 1}


def test_plan_writes_nothing_and_tells_by_its_exit_code(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    assert person.run("plan").code == 0
    assert person.run("plan", "--exit-code").code == 2
    assert not person.todo.exists()
    person.run("sync")
    assert person.run("plan", "--exit-code").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["schedule"], "`backplan init` writes one"),
        (["schedule", "--goals", "nowhere.yaml"], "no such file or folder"),
        (["schedule", "--today", "tomorrow"], "is not a date such as 2027-08-15"),
        (["schedule", "--deadline", "food-handler"], "is not of the form GOAL=2027-08-15"),
        (["frobnicate"], "No such command"),
        (["init"], "not running in a terminal"),
        (["init", "--template", "weding", "--deadline", "2028-01-01"], "there are career-change"),
    ],
)
def test_a_wrong_command_line_is_told_what_to_do(person: Person, arguments: list[str], said: str) -> None:
    done = person.run(*arguments)
    assert done.code == 64
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "food-handlr"], "did you mean `food-handler`?"),
        (["explain", "food-handler/nothing"], "there are: find, sign-up"),
        (["move", "nothing", "2027-09-01"], "there are: food-handler"),
        (["status", "--goal", "nothing"], "no goal has the id or title `nothing`"),
        (["sync", "--connector", "todoist"], "is not among this project's connectors: markdown"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(person: Person, arguments: list[str], said: str) -> None:
    person.writes(FOOD_HANDLER)
    done = person.run(*arguments)
    assert done.code == 64
    assert said in done.err


def test_mistakes_in_the_file_come_all_at_once_as_json_too(person: Person) -> None:
    person.writes(
        "goals:\n  - titel: A\n    deadline: soon\n  - {title: B, deadline: 2027-01-01, steps: [{takes: 1}]}\n"
    )
    done = person.run("check", "--json")
    assert done.code == 64
    places = [(problem["line"], problem["column"]) for problem in done.json["problems"]]
    assert places == [(2, 5), (2, 5), (3, 15), (4, 46)]
    assert person.run("sync").code == 64
    assert not person.todo.exists()


def test_explain_walks_from_the_step_to_the_deadline(person: Person) -> None:
    calendar = "calendar: {workdays: [mon, tue, wed, thu, fri], days_off: [2027-12-20..2027-12-31]}\n"
    steps = "[{id: a, title: Print it, takes: 1 day}]"
    person.writes(f"{calendar}goals:\n  - {{id: g, title: Hand it in, deadline: 2027-12-31, steps: {steps}}}\n")
    lines = person.run("explain", "g/a", "--json").json["lines"]
    assert lines[1:] == [
        "“Print it” stands on Fri 17 Dec 2027 (takes 1 day).",
        "  It is the last thing before the deadline. Work ends on Fri 17 Dec 2027: 14 days from there on are "
        "not working days.",
    ]


def test_move_edits_only_the_date_and_shows_what_that_moves(person: Person) -> None:
    person.writes(FOOD_HANDLER.replace("\n", "\r\n"))
    before = person.goals.read_bytes()
    tried = person.run("move", "food-handler", "2027-08-22", "--dry-run")
    assert person.goals.read_bytes() == before
    assert "Thu 12 Aug" in tried.out
    moved = person.run("move", "food-handler", "2027-08-22", "--json").json
    assert person.goals.read_bytes() == before.replace(b"2027-08-15", b"2027-08-22")
    assert {"key": "food-handler/review", "due": ["2027-08-05", "2027-08-12"]} in moved["moves"]


def test_a_what_if_writes_nothing_and_says_which_goal_gets_into_trouble(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    shown = person.run("schedule", "--deadline", "food-handler=2027-08-01")
    assert "was on track, 4 days in hand; now late by" in shown.out
    assert "2027-08-15" in person.goals.read_text("utf-8")


def test_when_late_fail_leaves_the_goal_alone_and_exits_red(person: Person) -> None:
    person.writes(FOOD_HANDLER.replace("goals:", "when_late: fail\ngoals:"))
    person.run("sync")
    before = person.todo.read_bytes()
    person.today = date(2027, 8, 1)
    person.run("move", "food-handler", "2027-08-14")
    done = person.run("sync")
    assert done.code == 1
    assert "does not fit" in done.err
    assert person.todo.read_bytes() == before


def test_a_template_becomes_a_goals_file_of_ones_own(person: Person) -> None:
    assert person.run("init", "--template", "wedding", "--deadline", "2029-06-16", "--title", "Our day: 2029").code == 0
    assert person.run("check").code == 0
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert (goal["title"], goal["deadline"]) == ("Our day: 2029", "2029-06-16")
    schema = json.loads((person.folder / "goals.schema.json").read_text("utf-8"))
    assert schema["title"] == "backplan goals file"
    again = person.run("init", "--template", "wedding", "--deadline", "2030-06-16")
    assert again.code == 1
    assert "already exists" in again.err


INIT = ("init", "--title", "Swim", "--deadline", "2028-06-16")


def test_init_writes_a_workflow_for_the_repository_and_never_over_one(person: Person) -> None:
    (person.folder / ".git").mkdir()
    written = person.run(*INIT, "--goals", "plans/goals.yaml", "--connector", "todoist", "--json").json["written"]
    path = person.folder / ".github" / "workflows" / "backplan.yml"
    names = [Path(name) for name in written]
    assert [(person.folder / name).resolve() for name in names[2:]] == [path.resolve()]
    assert path.read_text("utf-8") == workflow_template.text("plans/goals.yaml", ["todoist"])
    assert person.run("check", "--goals", "plans/goals.yaml").code == 0
    path.write_text("mine", "utf-8")
    assert person.run(*INIT, "--goals", "other.yaml").code == 0
    assert path.read_text("utf-8") == "mine"


def test_init_writes_no_workflow_where_none_is_wanted(person: Person) -> None:
    assert person.run(*INIT, "--no-workflow").code == 0
    assert not (person.folder / ".github").exists()
    assert person.run("check").code == 0


def test_init_says_that_a_published_page_is_public(person: Person) -> None:
    done = person.run(*INIT, "--publish")
    assert "everybody can read every title, date and note in the plan" in done.err
    text = (person.folder / workflow_template.PATH).read_text("utf-8")
    assert text == workflow_template.text("goals.yaml", ["markdown"], "pages")
    both = person.run(*INIT, "--goals", "other.yaml", "--publish", "artifact", "--no-workflow")
    assert (both.code, "leave out one of the two" in both.err) == (64, True)
    assert not (person.folder / "other.yaml").exists()


def test_init_knows_the_connectors(person: Person) -> None:
    wrong = person.run(*INIT, "--connector", "todo")
    assert wrong.code == 64
    assert "did you mean `todoist`?" in wrong.err
    unknown = person.run(*INIT, "--connector", "gitlab")
    assert unknown.code == 64
    assert "write `sync: [{gitlab: {project: me/goals}}]`" in unknown.err
    assert not person.goals.exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.com/ann/home/goals.git",
        "git@gitlab.example.org:ann/home/goals",
        "ssh://git@gitlab.com:22/ann/home/goals",
    ],
)
def test_init_for_gitlab_names_the_project_and_hands_the_token_on(person: Person, url: str) -> None:
    (person.folder / ".git").mkdir()
    (person.folder / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {url}\n', "utf-8")
    assert person.run(*INIT, "--connector", "gitlab").code == 0
    assert "sync: [{gitlab: {project: ann/home/goals}}]" in person.goals.read_text("utf-8")
    assert "GITLAB_TOKEN: ${{ secrets.GITLAB_TOKEN }}" in (person.folder / workflow_template.PATH).read_text("utf-8")


@pytest.mark.parametrize(
    "url", ["https://github.com/ann/my.goals.git", "git@github.com:ann/my.goals", "ssh://git@github.com/ann/my.goals/"]
)
def test_init_for_github_names_the_repository(person: Person, url: str) -> None:
    git = person.folder / ".git"
    git.mkdir()
    unknown = person.run(*INIT, "--connector", "github")
    assert unknown.code == 64
    assert "write `sync: [{github: {repo: me/goals}}]`" in unknown.err
    (git / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n', "utf-8")
    assert person.run(*INIT, "--connector", "github").code == 0
    assert "sync: [{github: {repo: ann/my.goals}}]" in person.goals.read_text("utf-8")
    assert person.run("check").code == 0
    assert "issues: write" in (person.folder / workflow_template.PATH).read_text("utf-8")


ON_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of Unix")


@ON_UNIX
def test_init_asks_backwards_on_a_terminal(person: Person) -> None:
    answers = ["", "Learn to swim", "someday", "2027-06-30", "30 sep", "y", "Swim a whole lap", "Take lessons", ""]
    shown = person.on_a_terminal(["init"], answers)
    assert "`someday` is not understood as a day; type one such as 25 Dec" in shown
    assert "Wed 30 Jun 2027 has passed" in shown
    assert "Thu 30 Sep 2027, 72 days from today: is that right?" in shown
    assert "right before “Swim a whole lap”" in shown
    first = shown.partition("the first steps, with the days on which they begin:")[2].splitlines()
    assert [line.split("  ")[-1] for line in first[1:3]] == ["Take lessons", "Swim a whole lap"]
    assert shown.rstrip().endswith("next: `backplan schedule` shows the dates, `backplan sync` makes the tasks")
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert [step["title"] for step in goal["steps"]] == ["Take lessons", "Swim a whole lap"]
    assert "    deadline: 2027-09-30\n" in person.goals.read_text("utf-8")


@ON_UNIX
def test_init_offers_templates_by_number_and_asks_their_day(person: Person) -> None:
    names = list(person.run("init", "--template", "list", "--json").json["templates"])
    number = str(names.index("wedding") + 1)
    shown = person.on_a_terminal(["init"], ["99", number, "17/06/2028", "y"])
    assert "'99' is not a number from 1 to" in shown
    assert f"{number:>3}  Get married" in shown
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert (goal["title"], goal["deadline"]) == ("Get married", "2028-06-17")


def test_init_refuses_a_day_that_has_passed(person: Person) -> None:
    done = person.run("init", "--title", "Swim", "--deadline", "2027-07-19")
    assert done.code == 64
    assert "--deadline 2027-07-19: that day has passed" in done.err
    assert not person.goals.exists()


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Etc/UTC", "Nowhere/Land"])
def test_init_takes_the_zone_of_the_machine(person: Person, zone: str) -> None:
    for arguments in (INIT, ("init", "--template", "wedding", "--deadline", "2028-06-17")):
        person.goals.unlink(missing_ok=True)
        assert person.run(*arguments, env={"TZ": zone}).code == 0
        assert ("timezone: America/New_York\n" in person.goals.read_text("utf-8")) == (zone == "America/New_York")
        assert person.run("check").code == 0


def test_output_survives_a_terminal_that_has_none_of_our_signs(person: Person) -> None:
    person.writes(FOOD_HANDLER.replace("Find a course provider", "Find a 🏊 provider"))
    done = person.run("schedule", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.code == 0


def test_somebody_elses_config_module_is_named(person: Person, tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text("nothing = 1\n", encoding="utf-8")
    done = person.run("schedule", env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert done.code == 64
    assert "another module named `config`" in done.err


@pytest.mark.parametrize(("deadline", "warns"), [("2028-06-01", True), ("2028-09-01", False)])
def test_a_radical_change_in_less_than_a_year_is_warned_of(person: Person, deadline: str, *, warns: bool) -> None:
    person.today = date(2027, 7, 20)
    person.run("init", "--template", "radical-career-change", "--deadline", deadline)
    (goal,) = person.run("schedule", "--json").json["goals"]
    assert any("at least 1 year" in warning for warning in goal["warnings"]) == warns


def test_connectors_and_the_schema_are_told(person: Person) -> None:
    found = {entry["name"]: entry for entry in person.run("connectors", "--json").json["connectors"]}
    assert sorted(found) == [
        "caldav",
        "github",
        "gitlab",
        "google-tasks",
        "jira",
        "linear",
        "markdown",
        "microsoft-todo",
        "notion",
        "taskwarrior",
        "todoist",
    ]
    assert found["markdown"] == {
        "name": "markdown",
        "fields": ["title", "start", "due", "priority", "after"],
        "reliability": "unique",
        "local": True,
        "configured": True,
        "sync": "markdown",
        "variables": [],
    }
    assert json.loads(person.run("schema").out) == json.loads((ROOT / "config/goals.schema.json").read_text("utf-8"))


@pytest.mark.parametrize(("zone", "hours"), [("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)])
def test_today_is_that_of_the_files_time_zone_and_not_of_the_runner(person: Person, zone: str, hours: int) -> None:
    person.writes(f"timezone: {zone}\ngoals: [{{title: g, deadline: 2199-01-01, steps: [{{title: s, takes: 1}}]}}]\n")
    there = timezone(timedelta(hours=hours))
    before = datetime.now(there).date()
    for runner in ("UTC", "America/New_York", zone):
        today = person.run("schedule", "--json", env={"BACKPLAN_TODAY": "", "TZ": runner}).json["today"]
        assert before <= date.fromisoformat(today) <= datetime.now(there).date()
    # Between these two it is never the same day.
    assert datetime.now(timezone(timedelta(hours=14))).date() > datetime.now(timezone(timedelta(hours=-12))).date()


def test_a_plan_of_400_days_has_a_step_a_day_whatever_the_clock_does(person: Person) -> None:
    steps = "".join(f"      - {{title: Day {n}, takes: 1 day}}\n" for n in range(400))
    plans = set()
    for zone in ("America/New_York", "Europe/Lisbon", "UTC"):
        person.writes(f"timezone: {zone}\ngoals:\n  - title: g\n    deadline: 2028-03-31\n    steps:\n{steps}")
        (goal,) = person.run("schedule", "--json", "--today", "2027-02-25", env={"TZ": zone}).json["goals"]
        plans.add(tuple(step["due"] for step in goal["steps"]))
    (days,) = plans
    last = date(2028, 3, 31)
    assert list(days) == [str(last - timedelta(days=399 - n)) for n in range(400)]


def test_of_many_mistakes_the_first_are_shown_and_the_others_counted(person: Person) -> None:
    for number in range(30):
        person.writes(f"goals: [{{title: A{number}, deadline: soon}}, {{titel: B}}]\n", f"goals/{number:02}.yaml")
    done = person.run("check", "--goals", "goals")
    assert done.code == 64
    lines = done.err.splitlines()
    assert len(lines) == 21
    problems = person.run("check", "--goals", "goals", "--json").json["problems"]
    assert lines[-1] == f"and {len(problems) - 20} more; `backplan check --json` lists all"


@pytest.mark.parametrize(("code", "parts"), [("GB", "GB-ENG, GB-NIR, GB-SCT, GB-WLS"), ("GB-ENG", ""), ("US", "")])
def test_a_country_whose_parts_all_have_more_holidays_is_named(person: Person, code: str, parts: str) -> None:
    person.writes(f"calendar: {{holidays: {code}}}\ngoals: [{{title: A, deadline: 2027-08-15, steps: [b]}}]\n")
    done = person.run("check")
    assert (done.code, done.out) == (0, "no mistakes: 1 goal with 1 step\n")
    said = f"`holidays: {code}` has only the holidays of the whole country; each part has more: {parts}\n"
    assert done.err == (said if parts else "")


def _many_steps(person: Person) -> None:
    steps = "".join(f"      - Step number {number} of very many\n" for number in range(900))
    person.writes(f"goals:\n  - title: Many\n    deadline: 2029-09-30\n    steps:\n{steps}")


def _process(
    person: Person, command: str, stdout: int | IO[bytes] = subprocess.PIPE, stderr: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start backplan in a process of its own, as a shell does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "BACKPLAN_TODAY": person.today.isoformat()}
    arguments = [sys.executable, "-P", "-m", "sync.cli.main", *command.split()]
    return subprocess.Popen(arguments, cwd=person.folder, env=environment, stdout=stdout, stderr=stderr)


def test_who_reads_only_the_first_lines_gets_no_error(person: Person) -> None:
    _many_steps(person)
    with _process(person, "plan") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"markdown (todo.md): 901 changes to make")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


PRINTING = ("--version", "--help", "sync --help", "schema", "check", "schedule", "schedule --json", "plan --markdown")


@pytest.mark.parametrize("command", PRINTING)
def test_nobody_who_reads_is_no_error(person: Person, command: str) -> None:
    _many_steps(person)
    reading, writing = os.pipe()
    os.close(reading)
    with _process(person, command, stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate()
    assert (process.returncode, err) == (0, b"")


def test_a_run_whose_reader_goes_is_carried_out_and_fails_where_it_fails(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    for name, code in (("sync", 0), ("plan --exit-code", 0), ("chekc", 64)):
        reading, writing = os.pipe()
        os.close(reading)
        with _process(person, name, stdout=writing) as process:
            os.close(writing)
            process.communicate()
        assert process.returncode == code
    assert person.changes("plan") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("command", PRINTING)
def test_a_full_disk_is_an_error_in_a_sentence(person: Person, command: str) -> None:
    _many_steps(person)
    with (
        Path("/dev/full").open("wb") as full,
        _process(person, command, stdout=full) as process,
    ):
        _, err = process.communicate()
    assert process.returncode == 1
    assert err.decode().splitlines() == [
        "error: the output cannot be written: No space left on device. "
        "Make room, or send it elsewhere, and run it again"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_run_goes_on_where_what_is_said_beside_it_cannot_be_written(person: Person) -> None:
    _many_steps(person)
    with (
        Path("/dev/full").open("wb") as full,
        _process(person, "sync -v", stderr=full) as process,
    ):
        out, _ = process.communicate()
    assert (process.returncode, b"901 changes made" in out) == (0, True)
    with Path("/dev/full").open("wb") as full, _process(person, "chekc", stdout=full, stderr=full) as process:
        process.communicate()
    assert process.returncode == 64


DONE = """timezone: Pacific/Kiritimati
goals:
  - title: A
    deadline: 2028-01-01
    steps:
      - title: x
        done: {day}
  - title: B
    deadline: 2028-01-01
    done: {day}
"""


@pytest.mark.parametrize("command", ["check", "schedule", "plan", "sync", "status"])
def test_done_on_a_day_that_is_still_to_come_is_a_mistake(person: Person, command: str) -> None:
    person.writes(DONE.format(day="2027-07-21"))
    told = person.run(command, "--today", "2027-07-20")
    assert told.code == 64
    said = "cannot be done on a day that is still to come; today is 2027-07-20"
    assert told.err.splitlines() == [
        f"error: goals.yaml:{place}: `done: 2027-07-21`: a {what} {said}. "
        "Write the day on which it was done, or delete the line"
        for place, what in (("7:15", "step"), ("10:11", "goal"))
    ]
    assert not (person.folder / "todo.md").exists()
    assert person.run(command, "--today", "2027-07-21").code == 0


def test_the_day_in_the_files_time_zone_is_not_still_to_come(person: Person) -> None:
    there = datetime.now(timezone(timedelta(hours=14))).date()
    person.writes(DONE.format(day=there.isoformat()))
    assert person.run("check", env={"BACKPLAN_TODAY": ""}).code == 0
    person.writes(DONE.format(day=(there + timedelta(days=2)).isoformat()))
    assert person.run("check", env={"BACKPLAN_TODAY": ""}).code == 64


IN_DOUBT = {  # what is written first, the same with several titles changed, where that is, and the goals that wait
    "goals": (
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [a, b]\n- title: Write\n  deadline: 2027-09-02\n",
        "{0}- title: Study\n  deadline: 2027-09-01\n  steps: [a, b]\n- title: Note\n  deadline: 2027-09-02\n",
        ("5:10", "several goals", "`read`, `write` went, `study`, `note` came", "note, read, study, write"),
        "{0}- title: Study\n  was: read\n  deadline: 2027-09-01\n  steps: [a, b]\n"
        "- title: Note\n  was: write\n  deadline: 2027-09-02\n",
    ),
    "steps": (
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [a, b]\n",
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [c, d, e]\n",
        ("7:11", "several steps", "`a`, `b` went, `c`, `d`, `e` came", "read"),
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [{{title: c, was: a}}, {{title: d, was: b}}, e]\n",
    ),
    "steps, with a step that goes to another goal": (
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [a, b, x]\n- title: Far\n  deadline: 2028-09-01\n",
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [c, d]\n"
        "- title: Far\n  deadline: 2028-09-01\n  steps: [{{title: x, was: read/x}}]\n",
        ("7:11", "several steps", "`a`, `b` went, `c`, `d` came", "far, read"),
        "{0}- title: Read\n  deadline: 2027-09-01\n  steps: [{{title: c, was: a}}, {{title: d, was: b}}]\n"
        "- title: Far\n  deadline: 2028-09-01\n  steps: [{{title: x, was: read/x}}]\n",
    ),
}
OTHER = "goals:\n- title: Other\n  deadline: {day}\n  steps: [{{title: one, id: one}}]\n"


@pytest.mark.parametrize("case", IN_DOUBT)
def test_a_rename_in_doubt_holds_back_the_goals_that_it_may_concern(person: Person, case: str) -> None:
    first, second, (place, what, which, held), answered = IN_DOUBT[case]
    person.writes(first.format(OTHER.format(day="2027-08-15")))
    assert person.run("sync").code == 0
    before = _lines(person)
    person.writes(second.format(OTHER.format(day="2027-08-16")))
    said = f"goals.yaml:{place}: {what} changed their titles here, and only a guess could tell"
    checked = person.run("check")
    assert checked.code == 64
    assert said in checked.err
    assert which in checked.err
    for command in ("plan", "sync"):
        told = person.run(command)
        assert told.code == 1
        assert said in told.err
        assert f"Until then nothing of {held} is made, changed or removed" in told.err
    assert person.run("schedule").code == 1
    after = _lines(person)
    assert [line for line in after if "2027-08-1" not in line] == [line for line in before if "2027-08-1" not in line]
    assert [("2027-08-16" in line) for line in after] == [("2027-08-15" in line) for line in before]
    person.writes(answered.format(OTHER.format(day="2027-08-16")))
    assert not {change["action"] for change in person.changes()} & {"remove", "detach"}
    assert person.run("check").code == 0
    assert person.changes() == []


def _lines(person: Person) -> list[str]:
    """Return the lines of the list, without backplan's own comments."""
    return [line.partition(" <!--")[0] for line in person.todo.read_text("utf-8").splitlines() if "- [" in line]


def test_a_goal_that_is_left_alone_under_when_late_fail_ends_in_no_error_without_a_warning(person: Person) -> None:
    person.writes("""
when_late: fail
goals:
- {title: Rest, deadline: 2027-08-25, start: 2027-07-10, steps: [One, Three, Four]}
""")
    for command in ("plan", "sync"):
        assert "unexpected" not in (done := person.run(command)).err
        assert "Please report" not in done.err


# Names instead of ids

NAMED = """\
goals:
- title: Wedding
  deadline: 2027-09-01
  steps: [Book the venue, Send the invitations, Order the cake]
- title: Wedding of Ann
  id: ann
  deadline: 2027-10-01
  steps: [{title: Practise the speech, id: speech}]
"""


@pytest.mark.parametrize(
    ("named", "goal", "step"),
    [
        ("wedding", "wedding", None),
        ("Wedding", "wedding", None),
        ("Wedding of Ann", "ann", None),
        ("an", "ann", None),
        ("wedding/bo", "wedding", "book-the-venue"),
        ("wedding/Order the cake", "wedding", "order-the-cake"),
        ("wedding/cake", "wedding", "order-the-cake"),
        ("ANN/practise", "ann", "speech"),
    ],
)
def test_a_title_or_its_beginning_does_instead_of_an_id(
    person: Person, named: str, goal: str, step: str | None
) -> None:
    person.writes(NAMED)
    shown = person.run("explain", named, "--json").json
    assert (shown["goal"], shown["step"]) == (goal, step)
    if step is None:
        assert person.run("fit", named, "--json").code == 0
        moved = person.run("move", named, "2027-11-01", "--json").json
        assert {move["key"].partition("/")[0] for move in moved["moves"]} == {goal}
        assert person.run("schedule", "--deadline", f"{named}=2027-12-01", "--json").code == 0


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("wed", "`wed` may be `wedding` or `ann`; write more of it"),
        ("x", "no goal has the id or title `x`; there are: wedding, ann"),
        ("wedding/o", "order-the-cake"),
        ("wedding/the", "may be `book-the-venue` or `send-the-invitations` or `order-the-cake`"),
        ("wedding/order-the-cack", "did you mean `order-the-cake`?"),
        ("?!", "no goal has the id or title `?!`"),
    ],
)
def test_a_name_that_means_none_or_several_is_answered_with_those_there_are(
    person: Person, named: str, said: str
) -> None:
    person.writes(NAMED)
    done = person.run("explain", named)
    assert said in done.err + done.out.replace("Order the cake", "order-the-cake")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("backplan to", ["today"]),
        ("backplan explain w", ["wedding"]),
        ("backplan explain wedding/b", ["wedding/book-the-venue"]),
        ("backplan move an", ["ann"]),
        ("backplan status --goal w", ["wedding"]),
        ("backplan explain nothing", []),
    ],
)
def test_a_shell_completes_commands_goals_and_steps(person: Person, words: str, offered: list[str]) -> None:
    person.writes(NAMED)
    env = {"_BACKPLAN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    lines = person.run(env=env).out.split()
    assert [line.partition(",")[2] for line in lines] == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_asks_backplan(person: Person, shell: str) -> None:
    assert "_BACKPLAN_COMPLETE" in person.run("completion", shell).out
    person.writes("goals: [")
    env = {"_BACKPLAN_COMPLETE": "bash_complete", "COMP_WORDS": "backplan explain w", "COMP_CWORD": "2"}
    assert person.run(env=env).out.strip() == ""
