"""A goals file that anybody may have written: from a pull request it is planned, and nowhere can it do harm."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from sync.cli.app import main
from tests.conftest import FOOD_HANDLER
from tests.test_secrets import USES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Person

NEEDS_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links and devices as Unix has them")
EVENTS = ("pull_request", "pull_request_target", "pull_request_review")
ESCAPES = r"\e[2J\e]0;x\a\u009b2J\u202e\n::error::gone\r##[error]gone"
WITH_FILE = "sync: [{{markdown: {{file: {file}}}}}]\ngoals: [{{title: A, deadline: 2027-09-01}}]\n"


def on_pull_request(folder: Path, event: str = "pull_request") -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_WORKSPACE": str(folder)}


# What a pull request may do


@pytest.mark.parametrize("event", EVENTS)
def test_a_goals_file_from_a_pull_request_is_not_synced(person: Person, event: str) -> None:
    person.writes(FOOD_HANDLER)
    refused = person.run("sync", "--json", env=on_pull_request(person.folder, event))
    assert (refused.code, refused.json["exit_code"]) == (3, 3)
    assert "only planned" in refused.err
    assert "merge it" in refused.err
    assert not person.todo.exists()


def test_a_goals_file_from_a_pull_request_is_planned(person: Person) -> None:
    person.writes(FOOD_HANDLER)
    assert person.run("plan", "--exit-code", env=on_pull_request(person.folder)).code == 2


def test_no_command_changes_a_task_on_a_pull_request(person: Person) -> None:
    """Whatever commands there will be: the list stays as it is, although there is something to write."""
    goals = "goals: [{id: g, title: A, deadline: 2027-09-01, steps: [{id: one, title: %s}, {id: two, title: C}]}]\n"
    person.writes(goals % "B")
    person.run("sync", "--journal", "journal.json")
    before = person.todo.read_bytes()
    for command in main.commands:
        person.writes(goals % "Changed")
        person.run(command, *USES[command][0].arguments, env=on_pull_request(person.folder))
        assert person.todo.read_bytes() == before, command


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"},
        {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule"},
        {"GITHUB_EVENT_NAME": "pull_request"},  # somebody's own shell
    ],
)
def test_everywhere_else_it_is_synced(person: Person, env: dict[str, str]) -> None:
    person.writes(FOOD_HANDLER)
    assert person.run("sync", env=env).code == 0
    assert person.todo.exists()


# Where a file may lead


@NEEDS_UNIX
@pytest.mark.parametrize("file", ["../outside.md", "{folder}/outside.md", "down/outside.md", ".git/x.md"])
def test_a_list_outside_of_the_checkout_is_refused_on_a_pull_request(person: Person, file: str) -> None:
    outside, checkout = person.folder, person.folder / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / "down").symlink_to(outside, target_is_directory=True)
    person.folder = checkout
    person.writes(WITH_FILE.format(file=file.format(folder=outside)))
    refused = person.run("plan", env=on_pull_request(checkout))
    assert refused.code == 3
    assert "leads out of the checkout" in refused.err


def test_a_list_elsewhere_in_the_checkout_is_read_on_a_pull_request(person: Person) -> None:
    person.writes(WITH_FILE.format(file="../todo.md"), "config/goals.yaml")
    assert person.run("plan", env=on_pull_request(person.folder)).code == 0


def test_a_person_may_keep_the_list_where_they_like(person: Person) -> None:
    notes = person.folder / "notes"
    notes.mkdir()
    for file in ("../todo.md", notes / "goals.md"):
        person.writes(WITH_FILE.format(file=file), "plans/goals.yaml")
        assert person.run("sync", "--goals", "plans/goals.yaml").code == 0
    assert person.todo.exists()
    assert (notes / "goals.md").exists()


@NEEDS_UNIX
@pytest.mark.parametrize("name", ["goals.yaml", "templates/own.yaml"])
def test_a_symbolic_link_tells_nothing_of_other_files_on_a_pull_request(person: Person, name: str) -> None:
    secret = person.folder / "secret.yaml"
    secret.write_text("when_late: the-secret-word\ngoals: [{title: the-secret-word, deadline: soon}]\n", "utf-8")
    person.folder = person.folder / "checkout"
    person.writes("goals: [{title: A, deadline: 2027-09-01, template: own}]\n")
    link = person.folder / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(secret)
    made = ("init", "--goals", "new.yaml", "--template", "own")
    for arguments in (("check",), made):
        done = person.run(*arguments, env=on_pull_request(person.folder))
        assert done.code != 0
        assert "secret-word" not in done.out + done.err
    assert not (person.folder / "new.yaml").exists()


@pytest.mark.parametrize("name", ["../secret", "{folder}/secret", "templates/../../secret"])
def test_a_template_is_named_not_reached(person: Person, name: str) -> None:
    (person.folder / "secret.yaml").write_text("goals: [{title: the-secret-word}]\n", "utf-8")
    template = name.format(folder=person.folder)
    person.writes(f"goals: [{{title: A, deadline: 2027-09-01, template: '{template}'}}]\n", "plans/goals.yaml")
    done = person.run("check", "--goals", "plans/goals.yaml")
    assert done.code == 64
    assert "no template has the name" in done.err


@NEEDS_UNIX
def test_a_file_without_an_end_is_not_read_to_it(person: Person) -> None:
    person.goals.symlink_to("/dev/zero")
    done = person.run("check", "--goals", "goals.yaml")
    assert done.code == 64
    assert "larger than 20 MB" in done.err


# What a file may cost


STEPS = "".join(f"      - {{id: step-number-{n}, title: S, after: [stepp-numberr-{n}x]}}\n" for n in range(1000))
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
GOAL = "goals: [{title: A, deadline: 2027-09-01, steps: [{title: B, takes: %s}]}]\n"
COSTLY = {
    "a billion laughs": LAUGHS + GOAL % "2 days",
    "brackets": "goals: " + "[" * 5000,
    "braces": "goals: " + "{a: " * 400 + "1" + "}" * 400,
    "dashes": "goals:\n" + "- " * 5000,
    "a long time": GOAL % "99999999 days",
    "a long number": GOAL % ("9" * 5000),
    "a word for each of many ids": f"goals:\n  - title: A\n    deadline: 2027-09-01\n    steps:\n{STEPS}",
    "unknown keys": "goals:\n  - title: A\n    deadline: 2027-09-01\n" + "".join(f"    k{n}: 1\n" for n in range(3000)),
    "a century of days off": "calendar: {days_off: [0001-01-01..9999-12-31]}\n" + GOAL % "2 days",
    "all the centuries": "calendar: {holidays: US}\n"
    "goals: [{title: A, deadline: 9998-12-31, buffer: 36000 days, steps: [{title: B, takes: 36000 days}]}]\n",
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY.keys())
def test_a_file_that_is_made_to_cost_is_answered_soon(person: Person, text: str) -> None:
    person.writes(text)
    done = person.run("schedule", "--json")
    assert done.code in (0, 64)
    assert "that it should know" not in done.err
    assert done.seconds < 6


@pytest.mark.parametrize(
    ("deadline", "code"), [("0001-01-02", 0), ("0001-03-01", 0), ("9998-12-31", 0), ("9999-12-31", 64)]
)
def test_each_picture_of_a_plan_at_the_ends_of_time_is_drawn_or_refused(
    person: Person, deadline: str, code: int
) -> None:
    person.writes(f"goals: [{{id: a, title: A, deadline: {deadline}, steps: [{{title: B, takes: 1 day}}]}}]\n")
    files = ("--html", "plan.html", "--svg", "plan.svg", "--ics", "plan.ics")
    for day in ("0001-01-02", "2027-07-20"):
        for command in (("schedule", *files), ("schedule", "--markdown"), ("status",), ("explain", "a"), ("fit", "a")):
            done = person.run(*command, "--today", day)
            assert done.code == code, done.err
            assert "Traceback" not in done.err


# What a file may say


@pytest.mark.parametrize(
    "goals",
    [
        'goals: [{title: "%s", deadline: 2027-09-01}]',
        'goals: [{title: A, deadline: "%s"}]',
        'goals: [{title: A, deadline: 2027-09-01, "%s": 1}]',
        'goals: [{title: A, deadline: 2027-09-01, template: "%s"}]',
        'goals: [{title: A, deadline: 2027-09-01, calendar: "%s"}]',
        'goals: [{title: A, deadline: 2027-09-01, steps: [{title: B, after: ["%s"], who: "%s", labels: ["%s"]}]}]',
        'sync: ["%s"]\ngoals: [{title: A, deadline: 2027-09-01}]',
        'sync: [{markdown: {"%s": 1}}]\ngoals: [{title: A, deadline: 2027-09-01}]',
        'sync: [{markdown: {file: "%s/x.md"}}]\ngoals: [{title: A, deadline: 2027-09-01}]',
        'sync: [{markdown: {file: "%s.md"}}]\ngoals: [{title: A, deadline: 2027-09-01}]',
        'namespace: "%s"\ntimezone: "%s"\naccount: "%s"\ngoals: [{title: A, deadline: 2027-09-01}]',
    ],
)
def test_no_terminal_and_no_runner_obeys_what_is_written_in_a_file(person: Person, goals: str) -> None:
    person.writes(goals.replace("%s", ESCAPES))
    done = person.run("plan", "--json")
    shown = done.out + done.err
    assert not any(steering in shown for steering in "\x1b\x07\x9b\u202e\x00")
    assert "##[" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
