"""`backplan add`: another goal in the goals file, by options or by asking backwards, and every other byte stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Person

GOALS = "# mine\ngoals:\n  - title: Move house   # soon\n    deadline: 2027-12-01\n    steps: [Pack]\n# the end\n"
PARTY = (
    '  - id: throw-a-party\n    title: "Throw a party: big"\n    deadline: 2027-10-01\n'
    '    steps:\n      - Invite\n      - "Cook #1"\n'
)


def test_options_add_a_goal_and_show_its_dates(person: Person) -> None:
    person.writes(GOALS)
    steps = ("--step", "Invite", "--step", "Cook #1")
    options = ("add", "--title", "Throw a party: big", "--deadline", "2027-10-01", *steps)
    tried = person.run(*options, "--dry-run")
    assert (tried.code, person.goals.read_text("utf-8")) == (0, GOALS)
    done = person.run(*options, "--json")
    assert [(goal["id"], goal["deadline"]) for goal in done.json["goals"]] == [("throw-a-party-big", "2027-10-01")]
    added = PARTY.replace("throw-a-party", "throw-a-party-big")
    assert person.goals.read_text("utf-8") == GOALS.replace("# the end\n", f"{added}# the end\n")
    again = person.run(*options)
    assert again.code == 64
    assert "there is a goal with the id `throw-a-party-big` already" in again.err
    assert person.run("check").code == 0


def test_a_terminal_is_asked_backwards(person: Person) -> None:
    person.writes(GOALS)
    shown = person.on_a_terminal(["add", "--title", "Throw a party"], ["2027-10-01", "Cook", "Invite", ""])
    assert "What has to happen right before “Cook”?" in shown
    assert "      - Invite\n      - Cook\n" in person.goals.read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--deadline", "2027-10-01"], "pass --title (or --template) and --deadline"),
        (["--title", "Party"], "pass --title (or --template) and --deadline"),
        (["--title", "Party", "--deadline", "2027-01-01"], "that day has passed"),
        (["--template", "wed", "--deadline", "2027-10-01"], "no template has the name `wed`"),
        (["--title", "Party", "--deadline", "2027-10-01", "--step", "Cook", "--step", "Cook"], "goals.yaml:"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_written(person: Person, options: list[str], why: str) -> None:
    person.writes(GOALS)
    done = person.run("add", *options)
    assert (done.code, person.goals.read_text("utf-8")) == (64, GOALS)
    assert why in done.err


def test_in_a_folder_the_file_is_named(person: Person) -> None:
    person.writes(GOALS, "plans/a.yaml")
    options = ("add", "--goals", "plans", "--title", "Party", "--deadline", "2027-10-01", "--step", "Cook")
    assert person.run(*options).code == 0
    assert "title: Party" in (person.folder / "plans" / "a.yaml").read_text("utf-8")
    person.writes("goals: []\n", "plans/b.yaml")
    assert "name the one to add to with --goals" in person.run(*options).err
