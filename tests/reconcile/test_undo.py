"""The way back of a run: real commands on real files, and any history of edits and runs undone again."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Action
from tests.connectors.contract import TODAY, World, a_goal, run, undo
from tests.connectors.test_contract import MarkdownFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Person
    from tests.histories.process import Run

GOALS = """goals:
  - id: stall
    title: Run a stall
    deadline: 2027-08-15
    steps:
      - {id: permit, title: Get the permit, takes: 3 days}
      - {id: tent, title: Borrow a tent, takes: 2 days}
      - {id: flour, title: Buy flour, takes: 1 day}
      - {id: bread, title: Bake bread, takes: 1 day}
"""
REMINDER = "put the goals file back too, or the next sync makes the same changes again"


@pytest.fixture
def planner(person: Person) -> Person:
    """Somebody with a stall, whose tasks are in the list."""
    person.writes(GOALS)
    person.changes()
    return person


def _sync(person: Person, name: str = "run.json") -> None:
    done = person.run("sync", "--journal", name, "--allow-mass-change")
    assert done.code == 0, done.err


def _undo(person: Person, *arguments: str, name: str = "run.json") -> list[dict[str, Any]]:
    done = person.run("undo", name, "--yes", "--json", *arguments)
    assert done.code == 0, done.err
    return [change for connector in done.json["connectors"] for change in connector["changes"]]


def _edit(person: Person, old: str, new: str) -> None:
    text = person.todo.read_text("utf-8")
    assert old in text
    person.todo.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def _line(person: Person, title: str) -> str:
    (line,) = [line for line in person.todo.read_text("utf-8").splitlines() if title in line]
    return line


@pytest.mark.parametrize(
    "text",
    [
        "# Mine\n\n- [ ] Milk\n",
        "# Mine\n\nSome words.\n",
        "",
        "# Mine\r\n\r\nSome words.\r\n",
        "\ufeff- [ ] Milk\n",
        "- [ ] Hang 📅 2027-01-01 🔺\n",
    ],
)
def test_the_first_sync_undone_leaves_the_file_as_it_was(person: Person, text: str) -> None:
    person.writes(GOALS)
    person.writes(text, "todo.md")
    before = person.todo.read_bytes()
    _sync(person)
    assert "Get the permit" in person.todo.read_text("utf-8")
    _undo(person, "--allow-mass-change")
    assert person.todo.read_bytes() == before


def test_a_list_that_was_not_there_has_no_task_afterwards(person: Person) -> None:
    person.writes(GOALS)
    _sync(person)
    _undo(person, "--allow-mass-change")
    assert person.todo.read_text("utf-8").startswith("# To do\n")
    assert "- [ ]" not in person.todo.read_text("utf-8")
    assert "memory" not in person.todo.read_text("utf-8")
    assert len(person.changes()) == 5


def test_what_sync_prints_is_a_journal(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    planner.writes(planner.run("sync", "--json").out, "run.json")
    assert planner.todo.read_bytes() != before
    assert {change["action"] for change in _undo(planner)} == {"update"}
    assert planner.todo.read_bytes() == before


def test_a_moved_deadline_undone_with_its_file_leaves_nothing_to_do(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    _undo(planner)
    assert planner.todo.read_bytes() == before
    moved = planner.changes("plan")
    assert {change["fields"]["due"][1] for change in moved if change["key"] == "stall"} == {"2027-08-22"}
    planner.writes(GOALS)
    assert planner.changes() == []
    assert planner.todo.read_bytes() == before


def test_without_yes_and_a_terminal_it_is_a_plan(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    before = planner.todo.read_bytes()
    shown = planner.run("undo", "run.json")
    assert (shown.code, shown.err) == (0, "nothing was written; --yes does it\n")
    assert "5 changes to make" in shown.out
    assert planner.todo.read_bytes() == before
    (connector,) = planner.run("undo", "run.json", "--json").json["connectors"]
    assert {change["status"] for change in connector["changes"]} == {"planned"}
    assert planner.todo.read_bytes() == before
    done = planner.run("undo", "run.json", "--yes")
    assert (done.code, done.err) == (0, REMINDER + "\n")
    assert "5 changes made" in done.out
    assert planner.run("undo", "run.json", "--markdown").out.startswith("## markdown")


def test_twice_is_once(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    _undo(planner)
    before = planner.todo.stat()
    again = planner.run("undo", "run.json", "--yes")
    assert (again.code, again.err) == (0, "")
    assert planner.todo.stat().st_mtime_ns == before.st_mtime_ns


def test_an_undo_is_undone(planner: Person) -> None:
    planner.writes(GOALS.replace("08-15", "08-22").replace("Bake bread", "Bake rolls"))
    _sync(planner)
    moved = planner.todo.read_bytes()
    _undo(planner, "--journal", "back.json")
    _undo(planner, name="back.json")
    assert planner.todo.read_bytes() == moved
    assert planner.changes() == []


# What somebody did since


def test_a_date_that_somebody_changed_since_stays(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    _edit(planner, line := _line(planner, "Borrow a tent"), re.sub(r"📅 \S+", "📅 2027-08-01", line))
    (kept,) = [change for change in _undo(planner) if change["action"] == "keep"]
    assert (kept["key"], kept["reason"]) == ("stall/tent", "its due was changed since: it stays")
    planner.writes(GOALS)
    planner.changes()
    assert " 📅 2027-08-01 🆔 " in _line(planner, "Borrow a tent")
    assert planner.changes() == []


def test_a_tick_since_stays(planner: Person) -> None:
    before = _line(planner, "Get the permit")
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    _edit(planner, "- [ ] Get the permit", "- [x] Get the permit")
    planner.changes()  # a run between sees it, too
    _undo(planner)
    assert _line(planner, "Get the permit") == f"{before.replace('[ ]', '[x]')} ✅ 2027-07-20"
    planner.writes(GOALS)
    planner.changes()
    (goal,) = planner.run("status", "--json").json["goals"]
    assert [step["id"] for step in goal["steps"] if step["done"]] == ["permit"]


def test_a_task_that_was_made_and_worked_on_stays_with_its_goal(person: Person) -> None:
    person.writes(GOALS)
    _sync(person)
    _edit(person, "- [ ] Buy flour", "- [x] Buy flour")
    kept = {change["key"]: change["reason"] for change in _undo(person, "--allow-mass-change") if not change["after"]}
    assert kept["stall/flour"] == "it was closed since: it stays"
    assert kept["stall"] == "a step of it stays"
    text = person.todo.read_text("utf-8")
    assert "[x] Buy flour" in text
    assert "Bake bread" not in text


def test_a_later_run_stays_and_is_to_be_undone_first(planner: Person) -> None:
    planner.writes(GOALS + "      - {id: sell, title: Sell it, takes: 1 day}\n")
    _sync(planner, "first.json")
    before = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    _sync(planner, "second.json")
    kept = {change["key"]: change for change in _undo(planner, name="first.json") if change["action"] == "keep"}
    assert "was changed since" in kept["stall/sell"]["reason"]
    assert "Sell it" in planner.todo.read_text("utf-8")
    _undo(planner, name="second.json")
    assert b"2027-08-22" not in planner.todo.read_bytes()
    assert len(before) == len(planner.todo.read_bytes())


def test_a_copy_of_a_line_that_goes_back_is_the_persons(planner: Person) -> None:
    planner.writes(GOALS.replace("Bake bread", "Bake rolls"))
    _sync(planner)
    _edit(planner, line := _line(planner, "Bake rolls"), f"{line}\n{line}")
    _undo(planner)
    assert "🆔" in _line(planner, "Bake bread")
    assert "🆔" not in _line(planner, "Bake rolls")
    assert _undo(planner) == []


# Each kind of change


def test_a_removed_task_comes_back_in_its_place(planner: Person) -> None:
    before = planner.todo.read_text("utf-8")
    planner.writes(GOALS.replace("      - {id: tent, title: Borrow a tent, takes: 2 days}\n", ""))
    _sync(planner)
    assert "Borrow a tent" not in planner.todo.read_text("utf-8")
    assert {c["key"]: c["action"] for c in _undo(planner)}["stall/tent"] == "create"
    titles = [line.partition(" 🆔")[0] for line in planner.todo.read_text("utf-8").splitlines()]
    assert titles[:8] == [line.partition(" 🆔")[0] for line in before.splitlines()][:8]
    planner.writes(GOALS)
    assert planner.changes() == []
    _edit(planner, _line(planner, "Borrow a tent") + "\n", "")
    (gone,) = _undo(planner)
    assert (gone["action"], gone["reason"]) == ("keep", "it came back since, and is gone again")


def test_a_task_that_was_let_go_is_ours_again(planner: Person) -> None:
    _edit(planner, "- [ ] Buy flour", "- [x] Buy flour and salt")
    planner.changes()
    before = planner.todo.read_bytes()
    planner.writes(GOALS.replace("      - {id: flour, title: Buy flour, takes: 1 day}\n", ""))
    _sync(planner)
    assert "🆔" not in _line(planner, "Buy flour and salt")
    _undo(planner, "--journal", "back.json")
    assert planner.todo.read_bytes() == before
    _undo(planner, name="back.json")
    assert "🆔" not in _line(planner, "Buy flour and salt")
    _edit(planner, "Buy flour and salt", "Buy a cake")
    (kept,) = [change for change in _undo(planner) if change["key"] == "stall/flour"]
    assert (kept["action"], kept["reason"]) == ("keep", "it was changed since, or is gone: it stays a person's own")


def test_a_renamed_step_has_its_old_name_again(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.writes(
        GOALS.replace("id: tent,", "id: canopy, was: tent,").replace("id: stall\n", "id: market\n    was: stall\n")
    )
    _sync(planner)
    assert b"market/canopy" in planner.todo.read_bytes()
    (again,) = [change for change in _undo(planner) if change["key"] == "stall/tent"]
    assert (again["action"], again["fields"]) == ("repair", {"key": ["market/canopy", "stall/tent"]})
    assert planner.todo.read_bytes() == before
    planner.writes(GOALS)
    assert planner.changes() == []


def test_completed_is_reopened_and_the_other_way_round(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.writes(GOALS.replace("title: Get the permit,", "title: Get the permit, done: 2027-07-19,"))
    _sync(planner, "ticked.json")
    ticked = planner.todo.read_bytes()
    assert _line(planner, "Get the permit").endswith("✅ 2027-07-19")
    _undo(planner, "--journal", "cleared.json", name="ticked.json")
    assert planner.todo.read_bytes() == before
    _undo(planner, name="cleared.json")
    assert planner.todo.read_bytes() == ticked


def test_a_pin_that_was_released_is_pinned_again(planner: Person) -> None:
    _edit(planner, line := _line(planner, "Borrow a tent"), re.sub(r"📅 \S+", "📅 2027-08-01", line))
    planner.changes()
    pinned = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    assert {c["key"]: c["fields"] for c in _undo(planner)}["stall/tent"]["pinned"] == [False, True]
    assert planner.todo.read_bytes() == pinned
    planner.writes(GOALS)
    assert planner.changes() == []


def test_one_goal_alone(planner: Person) -> None:
    other = (
        "  - {id: other, title: Another goal, deadline: 2027-09-30, steps: [{id: do, title: Do it, takes: 3 days}]}\n"
    )
    planner.writes(GOALS.replace("08-15", "08-22") + other)
    _sync(planner)
    assert {change["key"] for change in _undo(planner, "--goal", "other")} == {"other", "other/do"}
    assert "2027-08-22" in _line(planner, "Run a stall")
    unknown = planner.run("undo", "run.json", "--goal", "nothing")
    assert (unknown.code, "it changed other, stall" in unknown.err) == (64, True)


def test_a_task_that_was_let_go_is_not_guessed(planner: Person) -> None:
    _edit(planner, "- [ ] Buy flour", "- [x] Buy flour")
    planner.changes()
    planner.writes(GOALS.replace("      - {id: flour, title: Buy flour, takes: 1 day}\n", ""))
    _sync(planner)
    _edit(planner, line := _line(planner, "Buy flour"), f"{line}\n{line}")
    before = planner.todo.read_text("utf-8")
    assert "keep" in {change["action"] for change in _undo(planner) if change["key"] == "stall/flour"}
    assert planner.todo.read_text("utf-8").count(line) == before.count(line) == 2


def test_a_secret_is_in_no_journal_and_nothing_is_put_in_its_place(planner: Person) -> None:
    secret = "0123456789abcdef" * 2 + "01234567"
    _edit(planner, "Bake bread", f"Bake {secret}")
    planner.writes(GOALS.replace("Bake bread", "Bake rolls"))
    _sync(planner)
    assert secret not in (planner.folder / "run.json").read_text("utf-8")
    (kept,) = [change for change in _undo(planner) if change["action"] == "keep"]
    assert (kept["key"], kept["reason"]) == ("stall/bread", "its title held a secret, which no journal keeps: it stays")
    assert "- [ ] Bake rolls" in planner.todo.read_text("utf-8")


def test_a_list_that_cannot_be_read_is_told(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    planner.todo.write_bytes(planner.todo.read_bytes() + b"\xff")
    done = planner.run("undo", "run.json", "--yes")
    assert (done.code, "could not be read, so it was left alone" in done.err) == (1, True)


# Journals


def test_a_run_that_was_killed_is_undone_as_far_as_it_came(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    assert planner.run("plan", "--journal", "run.json").code == 0  # as a run writes it before anything else
    (connector,) = json.loads((planner.folder / "run.json").read_text("utf-8"))["connectors"]
    assert {change["status"] for change in connector["changes"]} == {"planned"}
    assert _undo(planner) == []
    assert planner.todo.read_bytes() == before
    _sync(planner, "other.json")
    assert len(_undo(planner)) == 5
    assert planner.todo.read_bytes() == before


def test_the_journal_comes_before_the_first_write(planner: Person) -> None:
    before = planner.todo.read_bytes()
    planner.run("move", "stall", "2027-08-22")
    done = planner.run("sync", "--journal", "no/such/folder.json")
    assert done.code == 1
    assert planner.todo.read_bytes() == before


def test_a_run_that_changes_nothing_leaves_the_journal_of_the_last_one(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    journal = (planner.folder / "run.json").read_bytes()
    _sync(planner)
    assert (planner.folder / "run.json").read_bytes() == journal
    planner.run("move", "stall", "2027-08-29")
    planned = planner.run("plan", "--journal", "run.json")
    assert (planned.code, "a plan replaces no file" in planned.err) == (64, True)
    assert (planner.folder / "run.json").read_bytes() == journal
    _sync(planner)
    assert (planner.folder / "run.json").read_bytes() != journal


def test_no_other_file_is_written_over(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    before = planner.todo.read_bytes(), planner.goals.read_bytes()
    done = planner.run("sync", "--journal", "goals.yaml")
    assert (done.code, "is no journal; name another file" in done.err) == (64, True)
    assert (planner.todo.read_bytes(), planner.goals.read_bytes()) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:100], "run.json:1:"),
        (lambda text: "", "run.json:1:1: "),
        (lambda text: "[" * 100_000, "run.json:1:1: "),
        (lambda text: "[]", "is no journal"),
        (lambda text: '{"version": 1, "error": "no", "exit_code": 3}', "is no journal: namespace"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "newer version of backplan (format 2); update"),
        (lambda text: text.replace('"marker": "bp1 ', '"marker": "bq '), "marker: Value error, is no marker"),
        (lambda text: text.replace('"due": "2027-08-15"', '"due": "soon"'), "due"),
        (lambda text: text.replace('since', 'sinse'), "memory"),
    ],
)  # fmt: skip
def test_a_damaged_journal_is_told_with_its_place(planner: Person, change: Any, said: str) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    before = planner.todo.read_bytes()
    path = planner.folder / "run.json"
    path.write_text(change(path.read_text("utf-8")), encoding="utf-8")
    done = planner.run("undo", "run.json", "--yes")
    assert done.code == 64
    assert said in done.err
    assert "run.json" in done.err
    assert planner.todo.read_bytes() == before


def test_a_newer_marker_is_not_understood(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    path = planner.folder / "run.json"
    path.write_text(path.read_text("utf-8").replace('"bp1 ', '"bp9 '), encoding="utf-8")
    assert planner.run("undo", "run.json", "--yes").code == 3


def test_a_journal_that_is_not_there(planner: Person) -> None:
    done = planner.run("undo", "run.json")
    assert (done.code, "run.json: cannot be read" in done.err) == (64, True)


def test_a_journal_of_another_encoding_is_read(planner: Person) -> None:
    """Windows' shell writes what a command prints so."""
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    path = planner.folder / "run.json"
    path.write_text(path.read_text("utf-8"), encoding="utf-16")
    assert len(_undo(planner)) == 5


def test_another_namespace_is_refused(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    before = planner.todo.read_bytes()
    planner.writes("namespace: somebody/else\n" + GOALS)
    done = planner.run("undo", "run.json", "--yes")
    assert done.code == 3
    assert "`local`, and the goals file's is `somebody/else`" in done.err
    assert planner.todo.read_bytes() == before


def test_a_connector_that_the_file_no_longer_names_is_asked_for(planner: Person) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    planner.writes("sync: [{markdown: {file: other.md}}]\n" + GOALS)
    done = planner.run("undo", "run.json", "--yes")
    assert done.code == 64
    assert "markdown (todo.md), which the goals file does not name" in done.err
    planner.writes("sync: [{markdown: {file: other.md}}]\nretired: [{markdown: {file: todo.md}}]\n" + GOALS)
    assert len(_undo(planner)) == 5


def test_many_removals_need_to_be_allowed(person: Person) -> None:
    person.writes(GOALS)
    _sync(person)
    before = person.todo.read_bytes()
    refused = person.run("undo", "run.json", "--yes")
    assert (refused.code, "--allow-mass-change" in refused.err) == (3, True)
    assert person.todo.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of Unix")
@pytest.mark.parametrize(("answer", "written"), [("y", True), ("n", False)])
def test_on_a_terminal_it_asks(planner: Person, answer: str, *, written: bool) -> None:
    planner.run("move", "stall", "2027-08-22")
    _sync(planner)
    before = planner.todo.read_bytes()
    shown = planner.on_a_terminal(["undo", "run.json"], [answer])
    assert "Do it? [y/N]" in shown
    assert (REMINDER in shown) == written
    assert ("nothing was written" in shown) != written
    assert (planner.todo.read_bytes() != before) == written


# Any history

Edits = list[tuple[Any, ...]]

STEPS = ("one", "two", "three")
EDITS_OF_A_PERSON = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.sampled_from(STEPS)),
        st.tuples(st.just("due"), st.sampled_from(STEPS), st.integers(1, 60)),
        st.tuples(st.just("title"), st.sampled_from(STEPS)),
        st.tuples(st.just("touch"), st.sampled_from(STEPS)),
        st.tuples(st.just("copy"), st.sampled_from(STEPS)),
    ),
    max_size=3,
)
EDITS_OF_THE_FILE = st.lists(
    st.one_of(
        st.tuples(st.just("deadline"), st.integers(0, 40)),
        st.tuples(st.just("takes"), st.sampled_from(STEPS), st.integers(1, 9)),
        st.tuples(st.just("retitle"), st.sampled_from(STEPS)),
        st.tuples(st.just("remove"), st.sampled_from(STEPS)),
        st.tuples(st.just("add"), st.just("four")),
        st.tuples(st.just("rename"), st.sampled_from(STEPS)),
        st.tuples(st.just("done"), st.sampled_from(STEPS)),
    ),
    max_size=4,
)


def _by_hand(world: World, edits: Edits) -> None:
    for kind, step, *more in edits:
        task = next((task for task in world.read().tasks if task.marker.key == f"g/{step}"), None)
        if task is None:
            continue
        if kind == "due":
            world.service.set_due(task.native_id, TODAY + timedelta(days=more[0]))
        elif kind == "title":
            world.service.set_title(task.native_id, f"My own {step}")
        else:
            getattr(world.service, kind)(task.native_id)


def _in_the_file(world: World, edits: Edits) -> None:
    world.goal = {**world.goal}
    for kind, value, *more in edits:
        if kind == "deadline":
            world.goal["deadline"] = (date(2027, 9, 30) + timedelta(days=value)).isoformat()
        elif kind == "takes":
            world.step(value, takes=f"{more[0]} days")
        elif kind == "retitle":
            world.step(value, title=f"The file's {value}")
        elif kind == "remove":
            world.remove_step(value)
        elif kind == "add" and not any(step["id"] == value for step in world.goal["steps"]):
            world.goal["steps"] = [*world.goal["steps"], {"id": value, "title": "And on", "takes": "2 days"}]
        elif kind == "rename":
            world.step(value, id=f"new-{value}", was=value)
        elif kind == "done":
            world.step(value, done=TODAY)


def _run(world: World) -> Run:
    return run(world.project, [world.service.connector()], world.today, allow=True)


def _undone(world: World, done: Run) -> Run:
    return replace(done, plans=undo(world.project, world.service.connector(), done, world.today))


def _kept(undone: Run) -> set[str]:
    return {c.key for plan in undone.plans for c in plan.changes if c.action is Action.KEEP}


def _shown(world: World) -> dict[str, tuple[Any, ...]]:
    tasks = world.read().tasks
    return {t.marker.key: (t.content, t.done, t.marker.due, t.marker.pinned, t.marker.applied) for t in tasks}


def _without_days(text: bytes) -> bytes:
    """Return a list without the days of ticks: one that a run wrote stays when the run is undone."""
    return re.sub(" ✅ [0-9-]+", "", text.decode()).encode()


@contextmanager
def _a_world() -> Iterator[tuple[World, Path]]:
    """A list with three steps, in a folder that is gone afterwards."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "todo.md"
        world = World(MarkdownFile(path), Path(folder), a_goal())
        _run(world)
        yield world, path


@given(EDITS_OF_A_PERSON, EDITS_OF_A_PERSON, EDITS_OF_THE_FILE)
def test_whatever_a_run_did_is_undone(seen: Edits, unseen: Edits, file: Edits) -> None:
    with _a_world() as (world, path):
        _by_hand(world, seen)
        _run(world)
        _by_hand(world, unseen)
        before, bytes_before = _shown(world), path.read_bytes()
        _in_the_file(world, file)
        done = _run(world)
        bytes_done = path.read_bytes()
        undone = _undone(world, done)
        kept, after = _kept(undone), _shown(world)
        assert {key: before[key] for key in before.keys() - kept} == {key: after[key] for key in after.keys() - kept}
        assert not any(plan.pending for plan in _undone(world, done).plans)
        writes = [change for plan in done.plans for change in plan.writes]
        if any(c.action in (Action.REMOVE, Action.DETACH) or (c.write and c.write.kept) for c in writes):
            return  # what comes back has another number, and a note below a task stays
        assert _without_days(path.read_bytes()) == _without_days(bytes_before)
        _undone(world, undone)
        assert path.read_bytes() == bytes_done or any(change.action is Action.CREATE for change in writes)


@given(EDITS_OF_A_PERSON, EDITS_OF_THE_FILE, EDITS_OF_A_PERSON, st.booleans())
def test_what_a_person_did_since_a_run_survives_its_undoing(
    seen: Edits, file: Edits, since: Edits, ran_again: bool
) -> None:
    with _a_world() as (world, _):
        _by_hand(world, seen)
        _run(world)
        _in_the_file(world, file)
        done = _run(world)
        ours = {task.native_id: task for task in world.read().tasks}
        _by_hand(world, since)
        if ran_again:
            _run(world)
        mine = {task.native_id: task for task in world.read().tasks}
        _undone(world, done)
        left = {task.native_id: task for task in world.read().tasks}
        for native_id in ours.keys() & mine.keys():
            was, now = ours[native_id], mine[native_id]
            edited = {n for n in ("title", "due") if getattr(was.content, n) != getattr(now.content, n)}
            assert native_id in left or not (edited or was.done != now.done or now.touched)
            if native_id in left:
                assert all(getattr(left[native_id].content, n) == getattr(now.content, n) for n in edited)
                assert was.done == now.done or left[native_id].done == now.done
        assert not any(plan.pending for plan in _undone(world, done).plans)
