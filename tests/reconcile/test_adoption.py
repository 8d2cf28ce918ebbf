"""`--adopt`: a line of the user's own that alone has the title of a new step becomes the step's, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Person

GOALS = "goals:\n  - {id: stall, title: Stall, deadline: 2027-09-01, steps: [Permit, Buy]}\n"
MINE = "# Mine\n\n- [ ] Buy 📅 2027-08-20 #shop\n  - note of mine\n- [ ] Sell 📅 2027-08-21\n"


def test_a_line_is_taken_over_with_all_that_is_in_it(person: Person) -> None:
    person.writes(GOALS)
    person.writes(MINE, "todo.md")
    planned = person.run("plan", "--adopt")
    assert "your own line with this title is taken over" in " ".join(planned.out.split())
    assert person.todo.read_text("utf-8") == MINE
    assert person.run("sync", "--adopt").code == 0
    listed = person.todo.read_text("utf-8")
    assert listed.count(" Buy ") == 1
    assert (
        "📅 2027-09-01 🆔 0356733 #shop\n    due was: 2027-08-20\n  - note of mine\n- [ ] Sell 📅 2027-08-21\n"
        in listed
    )
    assert person.changes() == []
    assert person.todo.read_text("utf-8") == listed


def test_without_the_option_it_is_named_and_left_alone(person: Person) -> None:
    person.writes(GOALS.replace(", Buy", ""))
    assert person.run("sync").code == 0
    person.todo.write_text(f"{MINE}{person.todo.read_text('utf-8')}", "utf-8")
    person.writes(GOALS)
    planned = person.run("plan")
    assert "todo.md:3 `Buy` is yours and has the title of stall/buy: `backplan sync --adopt`" in planned.err
    assert person.run("sync").code == 0
    assert person.todo.read_text("utf-8").startswith(MINE)


@pytest.mark.parametrize(
    "mine",
    [
        "- [x] Buy 📅 2027-08-20\n",
        "- [-] Buy 📅 2027-08-20\n",
        "- [ ] Buy 📅 2027-08-20\n- [ ] Buy 📅 2027-08-21\n",
        "- [ ] buy 📅 2027-08-20\n",
        "- Buy\n",
    ],
)
def test_what_is_not_surely_the_step_stays_the_users(person: Person, mine: str) -> None:
    person.writes(GOALS.replace(", Buy", ""))
    assert person.run("sync").code == 0
    person.todo.write_text(f"{mine}{person.todo.read_text('utf-8')}", "utf-8")
    person.writes(GOALS)
    assert person.run("sync", "--adopt").code == 0
    assert person.todo.read_text("utf-8").startswith(mine)


def test_a_step_that_was_deleted_is_not_brought_back(person: Person) -> None:
    person.writes(GOALS)
    assert person.run("sync").code == 0
    lines = person.todo.read_text("utf-8").splitlines(keepends=True)
    person.todo.write_text("".join(line for line in lines if " Buy " not in line), "utf-8")
    assert person.run("sync").code == 0
    person.todo.write_text(f"{MINE}{person.todo.read_text('utf-8')}", "utf-8")
    assert person.run("sync", "--adopt").code == 0
    assert person.todo.read_text("utf-8").startswith(MINE)
