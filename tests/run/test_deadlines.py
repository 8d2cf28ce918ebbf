"""`deadlines: app`: a goal that is dragged in its list moves the deadline in the goals file, and not one byte more."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Person

GOALS = """\
deadlines: app   # as in the app
goals:
  # the first one
  - id: stall
    title: Run a stall
    deadline: {written}   # "the day"
    steps:
      - {{id: permit, title: Get the permit, takes: 3 days}}
      - {{id: sell, title: Sell, takes: 1 day}}
"""


def dragged(person: Person, text: str, day: str = "2027-09-20") -> str:
    """Publish a goals file, and drag its goal in the list; return the list."""
    person.writes(text)
    assert person.run("sync").code == 0
    person.todo.write_text(
        "".join(
            line.replace("2027-09-10", day) if "Run a stall" in line else line
            for line in person.todo.read_text("utf-8").splitlines(keepends=True)
        ),
        "utf-8",
    )
    return person.todo.read_text("utf-8")


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_the_deadline_is_written_and_every_other_byte_stays(person: Person, quote: str) -> None:
    text = GOALS.format(written=f"{quote}2027-09-10{quote}").replace("\n", "\r\n")
    listed = dragged(person, text)
    planned = person.run("plan")
    assert "would write goals.yaml: the deadline of stall is 2027-09-20 instead of 2027-09-10" in planned.err
    assert (person.goals.read_bytes(), person.todo.read_text("utf-8")) == (text.encode(), listed)
    done = person.run("sync")
    assert "wrote goals.yaml: the deadline of stall is 2027-09-20" in done.err
    assert "the goals file follows" in " ".join(done.out.split())
    assert person.goals.read_bytes() == text.replace("2027-09-10", "2027-09-20").encode()
    assert person.todo.read_text("utf-8").count("📅 2027-09-20") == 2  # the goal, and its last step
    assert person.changes() == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOALS.format(written="&day 2027-09-10"), "goals.yaml:6:15: the deadline is shared by an anchor"),
        (
            GOALS.format(written="{before: fair, by: 5 days}")
            + "  - {id: fair, title: Fair, deadline: 2027-09-15, steps: [One]}\n",
            "goals.yaml:6:15: the deadline of `stall` depends on `fair`",
        ),
    ],
    ids=["anchor", "before"],
)
def test_what_cannot_be_written_stays_as_it_was_dragged(person: Person, text: str, why: str) -> None:
    listed = dragged(person, text)
    for _ in range(2):
        done = person.run("sync")
        shown = " ".join(done.out.split())
        assert done.code == 0
        assert "a person moved it to Mon 20 Sep, and the goals file stays at Fri 10 Sep" in shown
        assert why in shown
        assert (person.goals.read_text("utf-8"), person.todo.read_text("utf-8")) == (text, listed)


def test_without_the_setting_it_is_put_back_and_the_command_is_named(person: Person) -> None:
    text = GOALS.format(written="2027-09-10").replace("deadlines: app", "deadlines: file")
    dragged(person, text)
    done = person.run("sync")
    assert "backplan move stall 2027-09-20" in " ".join(done.out.split())
    assert person.goals.read_text("utf-8") == text
    assert "2027-09-20" not in person.todo.read_text("utf-8")


def test_beside_a_workflow_that_syncs_only_the_command_is_named(person: Person) -> None:
    text = GOALS.format(written="2027-09-10")
    listed = dragged(person, text)
    subprocess.run(["git", "init", "--quiet"], cwd=person.folder, check=True)
    person.writes("steps:\n  - uses: me/backplan@v1\n", ".github/workflows/backplan.yml")
    done = person.run("sync")
    assert "`backplan move stall 2027-09-20` does it here" in " ".join(done.out.split())
    assert (person.goals.read_text("utf-8"), person.todo.read_text("utf-8")) == (text, listed)


def test_only_the_goals_that_the_run_is_about_are_written(person: Person) -> None:
    text = GOALS.format(written="2027-09-10")
    text += "  - {id: other, title: Other, deadline: 2027-12-01, steps: [One]}\n"
    listed = dragged(person, text)
    assert person.run("sync", "--goal", "other").code == 0
    assert (person.goals.read_text("utf-8"), person.todo.read_text("utf-8")) == (text, listed)
