"""The Markdown list: the file belongs to the person, and only our own lines are ours."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import BackplanError, RefusedError
from connectors.base import Action, StoreWrite, Write
from connectors.codec import write_marker, write_memory
from connectors.markdown.connector import MarkdownConnector
from connectors.model import Content, Marker, StoredGoal, StoredKey, Task, client_nonce, digest
from sync.reports.warnings import warnings
from sync.run import pipeline, reading
from sync.run.homes import Binding
from sync.schedule.model import State
from tests import tiers
from tests.conftest import ROOT
from tests.connectors.contract import NAMESPACE, TODAY, a_goal, load, run, undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Person
    from tests.histories.process import Run

MEMORY = "<!-- backplan's memory"


class List:
    """A folder with a goals file and a todo.md, and somebody who edits both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.todo = folder / "todo.md"
        self.goal = a_goal()
        self.settings: dict[str, Any] = {}
        self.light: dict[str, str] = {}  # of a list of an earlier version: its lines as this one writes them

    @property
    def connector(self) -> MarkdownConnector:
        return MarkdownConnector(self.todo, NAMESPACE)

    @property
    def text(self) -> str:
        return self.todo.read_bytes().decode()

    @text.setter
    def text(self, text: str) -> None:
        self.todo.write_bytes(text.encode())

    def sync(self, today: date = TODAY) -> Run:
        """Run, and once more: then there is nothing left to do, and the file is not even touched."""
        project = load(self.folder, self.goal, **self.settings)
        done = run(project, [self.connector], today, allow=True)
        assert done.errors == []
        assert [path for path in self.folder.glob(".*") if path.name != ".git"] == []
        before = self.todo.stat()
        assert run(project, [self.connector], today).silent
        assert (self.todo.stat().st_ino, self.todo.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        return done

    def step(self, name: str, **changes: Any) -> None:
        self.goal["steps"] = [{**s, **changes} if s["id"] == name else s for s in self.goal["steps"]]

    def line(self, key: str) -> str:
        """Return the first line with a key's id, or with its marker, without its end."""
        lines = [line.rstrip("\r") for line in self.text.split("\n")]
        row = next((line for line in lines if re.match(rf"\S+ {re.escape(key)} [pldxr]", line)), "none")
        sign = re.compile(f"🆔 ?{row.split()[0]}")
        return next(line for line in lines if sign.search(line) or f" {NAMESPACE} {key} " in line)

    def edit(self, key: str, change: Callable[[str], str]) -> None:
        """Change a key's first line."""
        line = self.line(key)
        self.text = self.text.replace(line, change(line), 1)

    def task(self, key: str) -> Task:
        (task,) = (task for task in self.connector.read().tasks if task.marker.key == key)
        return task

    def state(self, key: str) -> str:
        return self.connector.read().memory["g"].keys[key].state


@pytest.fixture
def todo(tmp_path: Path) -> List:
    """A list that was synced once."""
    new = List(tmp_path)
    assert run(load(new.folder, new.goal), [new.connector], TODAY).errors == []
    return new


@pytest.fixture
def old(todo: List) -> List:
    """The list as an earlier version wrote it."""
    return as_of_before(todo)


def as_of_before(todo: List) -> List:
    """Make a list one of an earlier version: with comments in its lines, without first days, and with another state."""
    snapshot = todo.connector.read()
    todo.light = {task.marker.key: todo.line(task.marker.key) for task in snapshot.tasks}
    for task in snapshot.tasks:
        marker = replace(task.marker, applied={**task.marker.applied, "start": ""})
        todo.edit(task.marker.key, lambda line, marker=marker: as_before(line, marker))  # type: ignore[misc]
    head, start, _ = todo.text.partition(MEMORY)
    entries = "\n".join(write_memory(snapshot.memory))
    todo.text = f"{head}{start} of {NAMESPACE}, keep this\n{entries}\n-->\n"
    return todo


def as_before(line: str, marker: Marker) -> str:
    """Return a line as earlier versions wrote it."""
    line = re.sub(" 🛫 [0-9-]+| 🆔 [0-9a-f]+", "", line)
    return re.sub(r"((?: [⏫🔺🔼])? 📅)", rf" <!-- {write_marker(marker)} -->\1", line)


def persons_lines(text: str) -> list[str]:
    """Return the lines that are not ours: no id of ours in them, and outside the state."""
    before, _, after = text.removeprefix("\ufeff").partition(MEMORY)
    rest = before + after.partition("-->")[2].partition("\n")[2]
    return [line for line in rest.split("\n") if not re.search("🆔 [0-9a-f]{7}", line)]


def without_blank(lines: list[str]) -> list[str]:
    """Blank lines may come with ours, none may go; the others are what they were."""
    return [line.removesuffix("\r") for line in lines if line.strip(" \t\r")]  # a last line may have had no end


# Any Markdown around our lines

OUR_LOOK = f"- [ ] Begin 📅 2027-07-20 🆔 {client_nonce(NAMESPACE, 'g/one', 1)[:7]}"
ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=20).filter(
    lambda text: "bp1" not in text and "🆔" not in text and not re.match(r"[ >]*(```|~~~)", text)
)
PERSONS = st.one_of(
    st.sampled_from(
        [
            "",
            "   ",
            "# Heading",
            "Heading\n=======",
            "- [ ] Buy milk  \t",
            "- [x] Bought eggs ✅ 2027-01-01",
            "* [ ] Own task 📅 2027-02-30 ⏫\n    + [ ] below it\n\t- [/] and below that",
            "1. [ ] one\n2) [-] two",
            "> - [ ] quoted\n> text",
            "form\x0cfeed and\u2028line separator\u2029and\x85next line",
            "\x0c",
            "👩‍👩‍👧‍👦 emoji 🏳️‍🌈",
            "---",
            "| a | table |\n|---|---|",
            "<!-- a comment -->",
            "<!-- a comment\n- [ ] of two lines\n-->",
            "[link]: https://example.org 'and'",
            "not at the start: ``` code",
        ]
    ),
    st.sampled_from(["```", "~~~", "````md"]).map(lambda fence: f"{fence}\n{OUR_LOOK}\n{fence.rstrip('md')}"),
    st.just(f"~~~~\n```\n{OUR_LOOK}\n~~~~"),
    st.just(f"> ```\n> {OUR_LOOK}\n> ```"),
    st.just(f"  ```\n  {OUR_LOOK}\n  ```"),
    ANYTHING,
)
PAGES = st.tuples(st.lists(PERSONS, max_size=6), st.lists(PERSONS, max_size=6), st.lists(PERSONS, max_size=4))


@given(PAGES, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_the_rest_of_the_file_survives_everything_that_we_do(
    pages: tuple[list[str], list[str], list[str]], end: str, bom: bool, final_end: bool
) -> None:
    above, between, below = pages
    with tempfile.TemporaryDirectory() as folder:
        todo = List(Path(folder))
        text = "\n".join(above) + ("\n" if final_end else "")
        todo.text = ("\ufeff" if bom else "") + text.replace("\n", end)
        before = persons_lines(todo.text)
        todo.sync()
        assert without_blank(persons_lines(todo.text)) == without_blank(before)
        assert todo.text.startswith("\ufeff") is bom
        _write_between(todo, between, below, end)
        _check_life(todo)


def _write_between(todo: List, between: list[str], below: list[str], end: str) -> None:
    """Let the person write between our goal and the memory, and below that."""
    head, memory, tail = todo.text.partition(MEMORY)
    middle = "".join(f"{line}\n" for line in ["", *between, ""]).replace("\n", end)
    todo.text = head + middle + memory + tail + "\n".join(below).replace("\n", end)


def _check_life(todo: List) -> None:
    """Update, complete, reopen, add, remove and detach: the person's lines are the same after each."""
    before = persons_lines(todo.text)

    def same() -> None:
        todo.sync()
        assert persons_lines(todo.text) == before

    todo.step("two", title="Other words", takes="2 days", priority="high")
    same()
    todo.step("one", done=TODAY)
    same()
    del todo.goal["steps"][0]["done"]
    same()
    todo.goal["steps"].append({"id": "four", "title": "One more", "takes": "1 day"})
    same()
    todo.goal["steps"].pop()
    same()
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    todo.goal["steps"].pop(1)
    todo.sync()
    assert without_blank(persons_lines(todo.text)) != without_blank(before)  # the task that was let go is theirs
    remaining = [line for line in persons_lines(todo.text) if "Other words" not in line]
    assert remaining == before


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("text", ["Notes\n\n   \n\n\n", "Notes\n\x0c\n", "Notes\nmore", "Notes\n"])
def test_what_a_file_ends_on_stays_and_so_do_its_line_ends(tmp_path: Path, text: str, end: str) -> None:
    todo = List(tmp_path)
    todo.text = text.replace("\n", end)
    todo.sync()
    assert all(f"{line}{end}" in todo.text for line in text.split("\n"))
    assert end == "\n" or "\n" not in todo.text.replace("\r\n", "")


# Forms of our own lines that a person may give them


TICKS = ["✓", "✔", "✔\ufe0f", "☑", "☑\ufe0f", "✅", "×", "ｘ", "Ｘ", "х", "Х", "\u200bx", "x\ufeff"]


@pytest.mark.parametrize("box", ["[x]", "[X]", "[x ]", "[ x]", "[ X ]", *(f"[{tick}]" for tick in TICKS)])
def test_every_spelling_of_a_cross_is_a_tick(todo: List, box: str) -> None:
    todo.edit("g/one", lambda line: line.replace("[ ]", box))
    line = todo.line("g/one")
    todo.sync()
    assert todo.line("g/one") == f"{line} ✅ 2027-07-20"
    assert todo.state("g/one") == "done"


BOXES = ["[]", "[  ]", "[\u00a0]", "[\u200b]", "[/]", "[ >]", *(f"[{s}]" for s in '<!?*"lbiSIpcfkwud')]


@pytest.mark.parametrize(
    ("bullet", "box"), [*product(["- "], BOXES), *product(["• ", "", "1. "], ["[]", "[\u00a0]", "[/]"])]
)
def test_a_box_without_a_cross_is_open_and_its_line_is_there(todo: List, box: str, bullet: str) -> None:
    """Else it would count as deleted, and the goal as done with the last of the others."""
    for name in ("one", "three"):
        todo.edit(f"g/{name}", lambda line: line.replace("[ ]", "[x]"))
    todo.edit("g/two", lambda line: line.replace("- [ ]", f"{bullet}{box}"))
    line = todo.line("g/two")
    assert todo.sync().actions == {}
    assert todo.line("g/two") == line
    assert (todo.state("g/two"), todo.state("g")) == ("live", "live")
    todo.step("two", done=TODAY)
    todo.sync()
    assert f"{bullet}[x] Go on" in todo.line("g/two")


def kept(done: Run) -> dict[str, str]:
    """Return what the report says of each key that was left as it is."""
    return {change.key: change.reason for plan in done.plans for change in plan.changes if change.action == Action.KEEP}


@pytest.mark.parametrize("box", ["[/]", "[>]", "[!]", "[i]", "[v]", "[y]", "[✗]", "[n]", "[1]"])
def test_a_box_that_does_not_say_open_reopens_no_step(todo: List, box: str) -> None:
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    todo.edit("g/two", lambda line: line.replace("[x]", box))
    line = todo.line("g/two")
    assert f"todo.md:7:7: the {'step is done' if box in '[/][>][!][i]' else 'box'}" in kept(todo.sync())["g/two"]
    assert (todo.line("g/two"), todo.state("g/two")) == (line, "done")
    todo.edit("g/two", lambda line: line.replace(box, "[ ]"))
    todo.sync()
    assert todo.state("g/two") == "live"


UNREAD: dict[str, tuple[Callable[[str], str], str]] = {
    "a box with words": (lambda line: line.replace("[ ]", "[maybe]"), "7:7: the box `[maybe]` cannot be read"),
    "no box": (lambda line: line.replace("[ ] ", ""), "7:7: there is no box"),
    "a link": (lambda line: line.replace("[ ] ", "[x](y) "), "7:7: there is no box"),
    "a heading": (lambda line: line.replace("- [ ]", "#"), "7:5: there is no box"),
    "the id first": (lambda line: re.sub(r"- \[ \] (.*) (🆔 \S+)", r"- \2 [ ] \1", line), "7:7: there is no box"),
    "a day of the week": (lambda line: re.sub(r"📅 \S+", "📅 next friday", line), "cannot read the date `next friday`"),
    "no day that exists": (lambda line: re.sub(r"📅 \S+", "📅 2027-02-31", line), "cannot read the date `2027-02-31`"),
    "a day or a month": (
        lambda line: re.sub(r"📅 \S+", "📅 9.5.2027", line) + " ^id",
        "cannot read the date `9.5.2027`",
    ),
    "two days": (lambda line: re.sub(r"📅 (\S+)", r"📅 \1 -> 2027-09-10", line), "cannot read the date"),
    "a field": (lambda line: re.sub(r"📅 \S+", "[due:: soon]", line), "cannot read the date `soon`"),
    "behind the id": (lambda line: re.sub(r" 📅 \S+", "", line) + " 📅 soon", "cannot read the date `soon`"),
}


def boxed(sign: str) -> tuple[Callable[[str], str], str]:
    """Return how a box comes to hold a sign, and what is said of it."""
    return (lambda line: line.replace("[ ]", f"[{sign}]")), f"7:7: the box `[{sign}]` cannot be read"


def dated(said: str) -> Callable[[str], str]:
    """Return how a line comes to say this in the place of its date, and what follows in the line below."""
    first, end, rest = said.partition("\n")
    return lambda line: re.sub(r" 📅 \S+", f" {first}".rstrip(), line) + end + rest


UNSIGNED = [
    "2027-05-12", "12 May 2027", "May 12th, 2027", "due: 2027-05-12", "[due:: [[2027-05-12]]]", "12.5.2027", "12 May",
    "🛫 2027-05-01 2027-05-12", "📅\n      2027-05-12", "\n        2027-05-12", "\n        - due: 12 May 2027",
    "\n     📅 2027-05-12", "tomorrow", "20. Mai 2027", "20 mai 2027", "20/5", "20.5.", "next Friday", "in two weeks",
]  # fmt: skip
TWO_DATES = [
    "📅 2027-09-28 📅 2027-09-10", "📅 2027-09-28 [due:: 2027-09-10]", "📅 2027-09-28 (or 2027-09-10)",
    "📅 2027-09-28/2027-09-10", "📅 2027-09-28 /2027-09-10", "📅 2027-09-28 or 13 May", "📅 2027-09-28, 9/10/2027",
    "📅 2027-09-28 [[2027-09-10]]", "📅 2027-09-28 📅 soon",
]  # fmt: skip
FAR = ["📅 2207-09-28", "📅 0202-09-28", "📅 1927-09-28"]
NO_TITLES = {
    "no title": (lambda line: line.replace(" Go on", ""), "there is no title"),
    "a second box": (lambda line: line.replace("Go on", "[x] Go on"), "there is a second box"),
    "a second box with a bullet": (lambda line: line.replace("Go on", "- [x] Go on"), "there is a second box"),
    "a second box behind a tick": (lambda line: line.replace("[ ] Go", "[x] [ ] Go"), "there is a second box"),
}
UNREAD |= {f"unsigned {said}": (dated(said), "a date without 📅") for said in UNSIGNED}
UNREAD |= {f"two dates {said}": (dated(said), "cannot read the date") for said in TWO_DATES}
UNREAD |= {f"far {said}": (dated(said), "is more than 20 years from") for said in FAR}
UNREAD |= NO_TITLES
WRONG_WEEKDAYS = [
    "2027-09-10 Thu", "2027-09-10 (Thursday)", "2027-09-10, thurs.", "10 September 2027 Sat", "Thu 10 September 2027",
    "2027-09-10 Thu evening", "**2027-09-10** Thu", "2027-09-10 Thu #tag", "2027-09-10 Thu 18:00",
]  # fmt: skip
UNREAD |= {f"weekday {said}": (dated(f"📅 {said}"), "as 2027-09-10 is a Friday; write") for said in WRONG_WEEKDAYS}
UNREAD |= {f"a box with {sign}": boxed(sign) for sign in "vyn✗1.о"}


@pytest.mark.parametrize("spelling", UNREAD)
def test_what_cannot_be_read_is_left_as_it_is_and_reported_until_it_is_mended(todo: List, spelling: str) -> None:
    change, told = UNREAD[spelling]
    before = todo.line("g/two")
    todo.edit("g/two", change)
    text = todo.text
    done = todo.sync()
    assert told in kept(done)["g/two"]
    assert kept(done)["g/two"].startswith("todo.md:7:")
    assert done.actions == {}
    todo.goal["deadline"] = "2027-10-07"
    todo.step("two", title="Other words", priority="high")
    todo.sync()
    line = text.split("\n")[6]
    assert todo.line("g/two") == line
    assert (todo.state("g/two"), todo.task("g/two").marker.pinned) == ("live", False)
    todo.text = todo.text.replace(line, before)
    todo.sync()
    assert todo.task("g/two").content == Content(
        "Other words", date(2027, 10, 5), priority="high", start=date(2027, 9, 29)
    )


@pytest.mark.parametrize("behind", ["Fri", "(Friday)", ", fri.", "Fri evening", "Sun lotion", "(bring sun hat)"])
def test_a_weekday_behind_a_date_goes_with_it_and_other_words_stay(todo: List, behind: str) -> None:
    todo.edit("g/two", dated(f"📅 2027-09-10 {behind}".replace(" ,", ",")))
    todo.sync()
    assert (todo.task("g/two").content.due, todo.task("g/two").marker.pinned) == (date(2027, 9, 10), True)
    todo.step("two", takes="2 days")  # which releases the pin
    todo.sync()
    left = {"Fri evening": " evening", "Sun lotion": " Sun lotion", "(bring sun hat)": " (bring sun hat)"}
    assert f" 📅 2027-09-28{left.get(behind, '')} 🆔 " in todo.line("g/two")


@pytest.mark.parametrize("said", ["✅ 2027-07-19", "✅", "✅ yesterday"])
def test_a_day_of_doing_behind_an_open_box_is_told_and_the_task_counts_as_open(todo: List, said: str) -> None:
    todo.edit("g/two", lambda line: f"{line} {said}")
    text = todo.text
    told = kept(todo.sync())["g/two"]
    assert re.match(r"todo\.md:7:\d+: ✅ stands behind an open box: the task counts as open; tick the box", told)
    assert todo.line("g/two")[int(told.split(":")[2]) - 1] == "✅"
    assert (todo.text, todo.state("g/two")) == (text, "live")
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    assert kept(todo.sync()) == {}
    assert todo.state("g/two") == "done"


def test_two_tasks_on_one_line_are_both_there(todo: List) -> None:
    other = todo.line("g/three")
    todo.text = todo.text.replace(f"\n{other}\n", f" {other.strip()}\n")
    before = todo.text
    done = todo.sync()
    assert all("todo.md:7:1: several tasks stand on one line" in kept(done)[key] for key in ("g/two", "g/three"))
    assert todo.text == before


def test_a_line_that_cannot_be_read_keeps_its_tick_and_the_step_stays_done(todo: List) -> None:
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    todo.edit("g/two", lambda line: line.replace("[x]", "[yes]"))
    todo.sync()
    assert todo.state("g/two") == "done"


def test_a_tick_counts_where_the_date_cannot_be_read_and_the_words_stay_when_it_is_cleared(todo: List) -> None:
    todo.edit("g/two", lambda line: re.sub(r"📅 \S+", "📅 next friday", line).replace("[ ]", "[x]"))
    line = todo.line("g/two")
    todo.sync()
    assert todo.state("g/two") == "done"
    assert todo.line("g/two") == f"{line} ✅ 2027-07-20"


def test_a_step_whose_line_cannot_be_read_is_not_removed_with_its_goal(todo: List) -> None:
    todo.edit("g/two", lambda line: line.replace("[ ]", "[maybe]"))
    line = todo.line("g/two")
    del todo.goal["steps"][1]
    assert "no longer in the file, but todo.md:7:7: the box" in kept(todo.sync())["g/two"]
    assert todo.line("g/two") == line


@pytest.mark.parametrize("sign", ["📅 {}", "📅\ufe0f {}", "📅{}", "📆 {}", "🗓 {}", "🗓️ {}", "[due:: {}]", "(due::{})"])
@pytest.mark.parametrize(
    "day",
    ["2027-9-10", "2027-09-10", "Sep 10, 2027", "10 SEPTEMBER 2027", "Fri 10th of September 2027", "**2027-09-10**"],
)
def test_a_day_as_people_write_it_moves_the_task_and_its_spelling_stays(todo: List, sign: str, day: str) -> None:
    todo.edit("g/two", lambda line: re.sub(r"📅 \S+", sign.format(day), line) + " #tag ^abc123")
    line = todo.line("g/two")
    todo.sync()
    assert todo.task("g/two").marker.due == date(2027, 9, 10)
    assert todo.task("g/two").marker.pinned
    start = re.compile(r"🛫 \S+ ")  # it is the plan's, and moves with the due day
    assert start.sub("", todo.line("g/two")) == start.sub("", line)
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 10, 5)
    ours = sign.replace("{}", " {}").replace("  ", " ").format("2027-10-05")
    assert re.search(rf" {re.escape(ours)} 🆔 [0-9a-f]{{7}} #tag \^abc123$", todo.line("g/two"))


@pytest.mark.parametrize("sign", ["📅", "📅 ", "📆 #tag", "[due::]", ""])
def test_a_sign_with_no_date_behind_it_is_a_date_that_was_cleared(todo: List, sign: str) -> None:
    todo.edit("g/two", lambda line: re.sub(r"📅 \S+", sign, line))
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 9, 28)
    assert todo.line("g/two").count("2027-09-28") == 1


@pytest.mark.parametrize(
    "title", ["Buy 📅 calendar", "Buy 🗓 2027-01-01 and more", "Print ✅ 2027-01-01 on it", "A ⏫ B"]
)
def test_a_sign_within_a_title_is_no_date(todo: List, title: str) -> None:
    todo.edit("g/two", lambda line: line.replace("Go on", title))
    assert todo.sync().actions == {}
    assert todo.task("g/two").content == Content(title, date(2027, 9, 28), start=date(2027, 9, 22))


@pytest.mark.parametrize("order", ["⏫ 📅 2027-09-28", "📅 2027-09-28 ⏫", "📅 2027-09-28 🛫 2027-09-22 ⛔ d,e ⏫"])
@pytest.mark.parametrize("behind", ["", " ^id", " #tag ^id", " and words"])
def test_signs_may_stand_in_any_order(todo: List, order: str, behind: str) -> None:
    todo.edit("g/two", lambda line: re.sub(r"Go on .* (🆔 \S+)", rf"Go on {order} \1{behind}", line))
    line = todo.line("g/two")
    todo.step("two", priority="high")
    todo.sync()
    start = None if "🛫" not in order else date(2027, 9, 22)
    assert todo.task("g/two").content == Content("Go on", date(2027, 9, 28), priority="high", start=start)
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    moved = line.replace("2027-09-28", "2027-10-05").replace("2027-09-22", "2027-09-29")
    assert re.sub(r" 🛫 \S+", "", todo.line("g/two")) == re.sub(r" 🛫 \S+", "", moved)


@pytest.mark.parametrize(
    "order", ["⏫ 📅 2027-09-28", "📅 2027-09-28 ⏫", "📅 2027-09-28 🛫 2027-09-01 🆔 abc ⛔ d,e ⏫"]
)
def test_signs_before_a_comment_are_signs_and_stay_there(old: List, order: str) -> None:
    old.edit("g/two", lambda line: re.sub(r"Go on (<.*>) 📅.*", rf"Go on {order} ^id \1", line))
    before = old.text
    assert old.sync().actions == {}
    start = date(2027, 9, 1) if "🛫" in order else date(2027, 9, 22)
    assert old.task("g/two").content == Content("Go on", date(2027, 9, 28), priority="high", start=start)
    assert old.text == before
    old.goal["deadline"] = "2027-10-07"
    old.sync()
    line = old.line("g/two")
    assert line.endswith(" ^id")
    assert "⏫" in line
    assert "📅 2027-10-05" in line
    assert ("🆔 abc ⛔ d,e" in line) is ("abc" in order)


SIGNS = "📅📆🗓✅🆔⛔🛫⏳⌛➕❌🔁🏁🔺⏫🔼🔽⏬"


def test_no_sign_of_a_title_in_the_goals_file_reaches_the_list(tmp_path: Path) -> None:
    todo = List(tmp_path)
    for sign in SIGNS:
        todo.goal["steps"].append({"id": f"s{ord(sign)}", "title": f"Go {sign} 2027-01-01 on [due:: 2027-01-01]"})
    todo.sync()
    titles = re.findall(r"\] (.*?)(?: 🛫 \S+)? 📅 \S+ 🆔 [0-9a-f]{7}\n", todo.text)
    assert len(titles) == 4 + len(SIGNS)
    assert not any(sign in title for sign in (*SIGNS, "due::") for title in titles)


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign not in "📅✅🔺⏫🔼"])
def test_a_title_that_an_earlier_version_wrote_stays_as_it_is(todo: List, sign: str) -> None:
    """It showed 📅 as 🗓, and other signs as they are."""
    told = "📅" if sign == "🗓" else sign
    todo.step("two", title=f"Pay {told} 2027-01-01")
    todo.sync()
    new, earlier = todo.task("g/two").content.title, f"Pay {sign} 2027-01-01"
    todo.edit("g/two", lambda line: line.replace(new, earlier))
    todo.text = todo.text.replace(f"~{digest(new)}.", f"~{digest(earlier)}.")
    line = todo.line("g/two")
    assert todo.sync().actions == {}
    assert todo.line("g/two") == line
    todo.edit("g/two", lambda line: re.sub(" 📅 2027-09-28", "", line))
    todo.sync()
    assert todo.line("g/two") == line
    todo.step("two", title="Other words")
    todo.sync()
    assert todo.task("g/two").content == Content("Other words", date(2027, 9, 28), start=date(2027, 9, 22))


@pytest.mark.parametrize("day", ["✅ 2027-7-18", "✅\ufe0f 18 July 2027", "✅ **2027-07-18** ^id"])
def test_a_day_that_a_person_writes_behind_a_tick_is_the_day_it_was_done(todo: List, day: str) -> None:
    todo.edit("g/one", lambda line: f"{line.replace('[ ]', '[x]')} {day}")
    line = todo.line("g/one")
    todo.sync()
    assert todo.line("g/one") == line
    assert todo.connector.read().memory["g"].keys["g/one"].done_on == date(2027, 7, 18)


@pytest.mark.parametrize(
    "day", ["✅ yesterday", "✅", "✅ 1927-07-18", "✅ 0202-07-18", "✅ 2027-12-24", "✅ 2027-02-30"]
)
def test_a_tick_on_no_day_or_on_one_to_come_counts_for_today(todo: List, day: str) -> None:
    todo.edit("g/one", lambda line: f"{line.replace('[ ]', '[x]')} {day}")
    line = todo.line("g/one")
    todo.sync()
    assert todo.line("g/one") == line
    assert todo.connector.read().memory["g"].keys["g/one"].done_on == TODAY


def test_a_block_id_stays_the_last_of_its_line(todo: List) -> None:
    """Obsidian follows links to it only there."""
    id_ = todo.line("g/two").partition("🆔 ")[2]
    todo.edit("g/two", lambda line: f"{re.sub(' 📅 .*', '', line)} 🆔 {id_} ^abc123")
    todo.step("two", priority="high")
    todo.sync()
    assert todo.line("g/two").endswith(f"Go on ⏫ 🛫 2027-09-22 📅 2027-09-28 🆔 {id_} ^abc123")
    todo.step("two", done=TODAY)
    todo.sync()
    assert todo.line("g/two").endswith(f"📅 2027-09-28 🆔 {id_} ✅ 2027-07-20 ^abc123")


@pytest.mark.parametrize("title", ["Use the cabin ^abc", "Solve x ^2", "^abc"])
def test_a_title_that_ends_like_a_block_id_is_whole_also_where_its_comment_is_lost(tmp_path: Path, title: str) -> None:
    todo = List(tmp_path)
    todo.step("two", title=title)
    todo.sync()
    before = todo.text
    for what in ("the signs", ""):
        todo.text = stripped(todo.text, what)
        assert set(todo.sync().actions.values()) == {Action.REPAIR}
        assert without_blank(todo.text.split("\n")) == without_blank(before.split("\n"))
    todo.edit("g/two", lambda line: f"{stripped(line)} ^id1")
    assert todo.sync().actions == {"g/two": Action.REPAIR}
    assert re.search(r" 📅 2027-09-28 🆔 [0-9a-f]{7} \^id1$", todo.line("g/two"))
    assert todo.task("g/two").content.title == title


def test_a_title_that_a_person_gave_keeps_an_end_like_a_block_id(tmp_path: Path) -> None:
    todo = List(tmp_path)
    todo.step("two", title="Use the cabin ^abc")
    todo.sync()
    todo.edit("g/two", lambda line: line.replace("cabin", "hut"))
    todo.sync()
    assert todo.task("g/two").content.title == "Use the hut ^abc"
    todo.step("two", title="Use the tent")
    todo.sync()
    assert re.search(r"\[ \] Use the tent 🛫 .*\n +title was: Use the hut \^abc\n", todo.text)


@pytest.mark.parametrize("order", ["{0} 📅 2027-09-28 ^id1 {1}", "{0} ^id1 📅 2027-09-28 {1}", "{0} {1} ⏫ ^id1"])
def test_a_block_id_is_no_part_of_a_title_that_was_written_without_it(todo: List, order: str) -> None:
    todo.edit("g/two", lambda line: re.sub(r"(- \[ \] Go on) .* (🆔 \S+)", lambda m: order.format(m[1], m[2]), line))
    todo.sync()
    assert todo.task("g/two").content.title == "Go on"
    if order.endswith("^id1"):
        assert re.search(r"Go on 📅 2027-09-28 🆔 \S+ ⏫ \^id1$", todo.line("g/two"))


@pytest.mark.parametrize("order", ["{0} 📅 2027-09-28 ^id1 {1}", "{0} ^id1 {1} 📅 2027-09-28", "{0} {1} ⏫ ^id1"])
def test_a_block_id_beside_a_comment_is_no_part_of_the_title(old: List, order: str) -> None:
    old.edit("g/two", lambda line: re.sub(r"(- \[ \] Go on) (<!--.*-->).*", lambda m: order.format(m[1], m[2]), line))
    old.sync()
    assert old.task("g/two").content.title == "Go on"
    if order.endswith("^id1"):
        assert re.search(r"Go on ⏫ 🛫 2027-09-22 📅 2027-09-28 🆔 \S+ \^id1$", old.line("g/two"))


def test_the_day_that_obsidian_writes_is_the_day_it_was_done(todo: List) -> None:
    todo.edit("g/one", lambda line: line.replace("[ ]", "[x]") + " ✅ 2027-07-18")
    done = todo.sync()
    assert done.found.schedule.goals[0].steps[0].done == date(2027, 7, 18)
    assert todo.connector.read().memory["g"].keys["g/one"].done_on == date(2027, 7, 18)
    todo.edit("g/one", lambda line: line.replace("[x]", "[ ]"))
    todo.sync()
    assert not todo.task("g/one").done


@pytest.mark.parametrize("dash", ["-", "–", "—", "−", " -", "-\u200b"])
def test_a_cancelled_task_is_dropped_and_its_line_stays(todo: List, dash: str) -> None:
    todo.edit("g/two", lambda line: line.replace("[ ]", f"[{dash}]"))
    line = todo.line("g/two")
    todo.sync()
    assert todo.line("g/two") == line
    assert todo.state("g/two") == "dropped"
    todo.edit("g/two", lambda line: line.replace(f"[{dash}]", "[ ]"))
    todo.sync()
    assert todo.state("g/two") == "live"


def test_a_goal_that_was_cancelled_asks_for_nothing_until_it_is_reopened(todo: List) -> None:
    before = todo.text
    todo.edit("g", lambda line: line.replace("[ ]", "[-]"))
    todo.goal["deadline"] = "2027-10-30"
    text = todo.text
    for _ in range(2):
        done = todo.sync(date(2027, 12, 1))
        (goal,) = done.found.schedule.goals
        assert (goal.state, goal.waiting, goal.next_step) == (State.GIVEN_UP, [], None)
        assert [(change.action, change.key) for change in done.plans[0].changes] == [(Action.KEEP, "g")]
        assert done.plans[0].changes[0].reason in warnings(goal)[0]
        assert todo.text == text
    todo.goal["deadline"] = a_goal()["deadline"]
    todo.edit("g", lambda line: line.replace("[-]", "[ ]"))
    (goal,) = todo.sync().found.schedule.goals
    assert (goal.state, goal.warnings) == (State.ON_TRACK, ())
    assert todo.text == before


def test_a_goal_that_was_cancelled_is_over_when_the_goals_file_agrees(todo: List) -> None:
    todo.edit("g", lambda line: line.replace("[ ]", "[-]"))
    todo.sync()
    todo.goal["done"] = TODAY.isoformat()
    done = todo.sync()
    assert done.found.schedule.goals[0].state is State.DONE
    assert done.found.schedule.goals[0].warnings == ()
    assert "[x]" in todo.line("g/one")


def test_what_was_ticked_in_a_goal_that_was_cancelled_counts_when_it_is_reopened(todo: List) -> None:
    todo.edit("g", lambda line: line.replace("[ ]", "[-]"))
    todo.edit("g/one", lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    assert todo.state("g/one") == "live"
    todo.edit("g", lambda line: line.replace("[-]", "[ ]"))
    todo.sync()
    assert (todo.state("g/one"), todo.state("g/two")) == ("done", "live")


def test_a_cancelled_task_where_the_file_wants_deleted_ones_back(todo: List) -> None:
    todo.settings["on_delete"] = "recreate"
    todo.edit("g/two", lambda line: line.replace("[ ]", "[-]"))
    todo.sync()
    assert todo.task("g/two").content.due is not None


@pytest.mark.parametrize(
    "shape",
    [
        lambda line: line.replace("- [ ]", "* [ ]"),
        lambda line: line.replace("- [ ]", "+ [ ]"),
        lambda line: line.replace("- [ ]", "1. [ ]"),
        lambda line: line.replace("- [ ]", "27) [ ]"),
        lambda line: line.replace("- [ ]", "-   [ ]"),
        lambda line: line.replace("    - ", "\t- "),
        lambda line: line.replace("    - ", "  - "),
        lambda line: line.lstrip(),
        lambda line: "> " + line.lstrip(),
        lambda line: "> > - [ ]" + line.partition("- [ ]")[2],
        lambda line: line.replace("[ ]", "[/]"),
        lambda line: line + "   ",
        lambda line: line + " and more words #tag",
        lambda line: line + " ⏳ 2027-07-01",
        lambda line: re.sub(r" 📅 \S+", "", line).replace("Go on", "Go on 📅 2027-09-28"),
        lambda line: line.replace("🆔 ", "🆔"),
        lambda line: re.sub(r"(Go on)(.*)( 🆔 \S+)", r"\1\3\2", line),
    ],
)
def test_other_shapes_of_a_line_stay_and_stay_ours(todo: List, shape: Callable[[str], str]) -> None:
    todo.edit("g/two", shape)
    line = todo.line("g/two")
    assert todo.sync().actions == {}
    assert todo.line("g/two") == line
    todo.step("two", title="Other words")
    todo.sync()
    assert todo.line("g/two").replace("Other words", "Go on") == line
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 10, 5)


def test_lines_that_were_moved_under_other_headings_stay_there(todo: List) -> None:
    line = todo.line("g/two")
    todo.text = "# Now\n" + line.lstrip() + "\n\n" + todo.text.replace(line + "\n", "") + "\n# Below the memory\n"
    todo.step("two", title="Other words")
    todo.sync()
    assert todo.text.split("\n")[1].startswith("- [ ] Other words 🛫")
    todo.goal["steps"].insert(2, {"id": "new", "title": "Think", "takes": "1 day"})
    todo.sync()
    assert todo.text.split("\n")[2].startswith("- [ ] Think 📅")


def test_a_date_before_a_comment_moves_the_task(old: List) -> None:
    old.edit("g/two", lambda line: re.sub(r" 📅 \S+", "", line).replace("Go on", "Go on 📅 2027-09-10"))
    old.sync()
    assert old.task("g/two").marker.pinned
    assert old.task("g/two").content == Content("Go on", date(2027, 9, 10), start=date(2027, 9, 4))


def test_a_date_that_a_line_says_twice_is_one_date(todo: List) -> None:
    todo.edit("g/two", lambda line: re.sub(r"📅 \S+", "📅 2027-09-10 [due:: 2027-9-10]", line))
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 9, 10)


@pytest.mark.parametrize("sign", ["🔺", "⏫", "🔼"])
def test_a_priority_that_a_person_gave_stays(todo: List, sign: str) -> None:
    todo.edit("g/two", lambda line: line.replace("🛫 ", f"{sign} 🛫 "))
    line = todo.line("g/two")
    assert todo.sync().actions == {}
    assert todo.line("g/two") == line
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    assert f" {sign} 🛫 2027-09-29 📅 2027-10-05 🆔 " in todo.line("g/two")


@pytest.mark.parametrize("sign", ["🔽", "⏬"])
def test_a_priority_that_we_do_not_have_stays(todo: List, sign: str) -> None:
    todo.edit("g/two", lambda line: f"{line} {sign}")
    todo.step("two", priority="urgent")
    todo.sync()
    assert sign in todo.line("g/two")


def test_tasks_of_ours_below_a_tab_are_found_a_place_below_their_goal(todo: List) -> None:
    """A goal indented with spaces whose tasks a person indented with tabs."""
    todo.text = todo.text.replace("    - [ ]", "\t- [ ]").replace("- [ ] Reach", "  - [ ] Reach")
    todo.goal["steps"].insert(0, {"id": "new", "title": "Think", "takes": "1 day"})
    todo.sync()
    assert todo.line("g/new").startswith("\t- [ ]")


# Copies, damage, and what is somebody else's


def test_goals_that_come_in_one_run_have_their_own_steps_below_them(tmp_path: Path) -> None:
    todo = MarkdownConnector(tmp_path / "todo.md", NAMESPACE)

    def listed(**goals: str) -> list[tuple[str, str]]:
        said = [
            {"id": name, "title": name, "deadline": "2027-09-30", "steps": list(steps)} for name, steps in goals.items()
        ]
        run(load(tmp_path, *said), [todo], TODAY)
        return re.findall(r"^( *)- \[ \] (\w+)", todo.path.read_text("utf-8"), re.MULTILINE)

    def expected(**goals: str) -> list[tuple[str, str]]:
        return [row for name, steps in goals.items() for row in (("", name), *(("    ", step) for step in steps))]

    assert listed(g="ab", h="cd") == expected(g="ab", h="cd")
    later = {"g": "xaybz", "h": "cde", "i": "uv"}
    assert listed(**later) == expected(**later)


def test_the_lower_of_two_copies_becomes_the_persons(todo: List) -> None:
    line = todo.line("g/two")
    todo.text = f"{todo.text}\n{line}\n{line}\n"
    todo.sync()
    assert todo.line("g/two") == line
    copy = "    - [ ] Go on 🛫 2027-09-22 📅 2027-09-28\n"
    assert todo.text.endswith(f"\n{copy}{copy}")
    assert todo.state("g/two") == "live"


@pytest.mark.parametrize("ticked", range(3))
def test_of_lines_that_are_alike_the_one_that_is_ticked_is_the_step(todo: List, ticked: int) -> None:
    line = todo.line("g/two")
    lines = [line.replace("[ ]", "[x]") if number == ticked else line for number in range(3)]
    todo.text = todo.text.replace(line, "\n".join(lines))
    todo.sync()
    lines = [stripped(line) for line in lines]
    lines[ticked] = f"{line.replace('[ ]', '[x]')} ✅ 2027-07-20"
    assert "\n".join(lines) in todo.text
    assert todo.state("g/two") == "done"


REPEATED = [
    ("2027-10-05", "2027-09-28"),  # the copy has the next date
    ("2027-10-05", "2027-09-20"),  # and the line that was ticked had been moved before
]


@pytest.mark.parametrize(("next_date", "own"), REPEATED)
def test_the_line_that_was_ticked_is_done_where_a_plugin_puts_a_copy_with_the_next_date_above(
    todo: List, next_date: str, own: str
) -> None:
    line = todo.line("g/two")
    ticked = f"{line.replace('[ ]', '[x]').replace('📅 2027-09-28', f'📅 {own}')} ✅ 2027-07-20"
    copy = line.replace("📅 2027-09-28", f"📅 {next_date}")
    todo.text = todo.text.replace(line, f"{copy}\n{ticked}")
    todo.sync()
    assert todo.line("g/two") == ticked
    assert todo.state("g/two") == "done"
    assert f"    - [ ] Go on 🛫 2027-09-22 📅 {next_date}\n" in todo.text


OLDER: dict[str, Callable[[str], str]] = {
    "ticked": lambda line: line.replace("[ ]", "[x]"),
    "cancelled": lambda line: line.replace("[ ]", "[-]"),
    "moved": lambda line: line.replace("📅 2027-09-28", "📅 2027-09-10"),
    "moved later": lambda line: line.replace("📅 2027-09-28", "📅 2027-09-29"),
}


@pytest.mark.parametrize("change", OLDER)
def test_an_older_copy_above_undoes_nothing(todo: List, change: str) -> None:
    older = todo.line("g/two")
    todo.edit("g/two", OLDER[change])
    todo.sync()
    line, state, memory = todo.line("g/two"), todo.state("g/two"), todo.text.partition(MEMORY)[2]
    assert line != older
    todo.text = todo.text.replace(line, f"{older}\n{line}")
    todo.sync()
    assert todo.line("g/two") == line
    assert (todo.state("g/two"), todo.text.partition(MEMORY)[2]) == (state, memory)
    assert f"{stripped(older)}\n{line}" in todo.text


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("earlier", ["never moved", "moved before"])
@pytest.mark.parametrize("box", ["[ ]", "[x]"])
def test_of_two_copies_the_one_that_was_just_dragged_is_the_step(
    todo: List, below: bool, earlier: str, box: str
) -> None:
    if earlier == "moved before":
        todo.edit("g/two", OLDER["moved"])
        todo.sync()
    line = todo.line("g/two")
    dragged = re.sub(r"📅 \S+", "📅 2027-09-08", line).replace("[ ]", box)
    todo.text = todo.text.replace(line, f"{line}\n{dragged}" if below else f"{dragged}\n{line}")
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 9, 8)
    assert (todo.task("g/two").marker.pinned, todo.state("g/two")) == {
        "[ ]": (True, "live"),
        "[x]": (earlier == "moved before", "done"),
    }[box]
    assert f"\n{stripped(line)}\n" in todo.text


def test_the_line_that_was_just_dragged_is_the_step_beside_a_copy_from_before_the_last_run(todo: List) -> None:
    older = todo.line("g/two")
    todo.edit("g/two", OLDER["moved"])
    todo.sync()
    line = todo.line("g/two")
    todo.text = todo.text.replace(line, f"{older}\n{line}".replace("📅 2027-09-10", "📅 2027-09-08"))
    todo.sync()
    assert (todo.task("g/two").content.due, todo.task("g/two").marker.pinned) == (date(2027, 9, 8), True)
    assert f"{stripped(older)}\n" in todo.text


def test_a_copy_from_before_the_last_run_whose_date_was_heard_then_undoes_nothing(todo: List) -> None:
    older = OLDER["moved"](todo.line("g/two"))
    todo.edit("g/two", OLDER["moved"])
    todo.sync()
    todo.edit("g/two", lambda line: line.replace("📅 2027-09-10", "📅 2027-09-08"))
    todo.sync()
    line = todo.line("g/two")
    todo.text = todo.text.replace(line, f"{older}\n{line}")
    todo.sync()
    assert todo.line("g/two") == line


CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_merge_conflict_around_lines_of_ours_is_refused(todo: List, end: str) -> None:
    line = todo.line("g/two")
    conflict = CONFLICT.format(line.replace("[ ]", "[x]"), line)
    todo.text = before = todo.text.replace(line, conflict).replace("\n", end)
    with pytest.raises(RefusedError, match=r"todo\.md:7: a merge conflict of git begins here"):
        todo.sync()
    assert todo.text == before


@pytest.mark.parametrize("lines", [CONFLICT.format("mine", "theirs"), "Heading\n=======", ">>>>>>> quoted"])
def test_marks_with_no_line_of_ours_between_them_are_the_persons(todo: List, lines: str) -> None:
    todo.text = f"{lines}\n\n{todo.text}"
    assert todo.sync().actions == {}


def test_a_copy_that_got_other_words_and_a_tick_takes_nothing_over(todo: List) -> None:
    line = todo.line("g/two")
    copy = line.replace("[ ] Go on", "[x] Something else")
    todo.text = todo.text.replace(line, f"{copy}\n{line}")
    todo.sync()
    assert todo.line("g/two") == line
    assert todo.state("g/two") == "live"
    assert "    - [x] Something else 🛫 2027-09-22 📅 2027-09-28\n" in todo.text


def test_a_copy_that_cannot_be_read_is_left_alone(todo: List) -> None:
    line = todo.line("g/two")
    copy = line.replace("[ ]", "[maybe]")
    todo.text = todo.text.replace(line, f"{copy}\n{line}\n{line}")
    assert todo.sync().actions == {"g/two": Action.DETACH}
    assert f"{copy}\n{line}\n{stripped(line)}\n" in todo.text
    assert todo.state("g/two") == "live"


@pytest.mark.parametrize(("opens", "closes"), [("&lt;!--", "--&gt;"), ("\\<!--", "-->"), ("\\<\\!--", "--\\>")])
def test_a_comment_that_an_editor_escaped_is_mended(old: List, opens: str, closes: str) -> None:
    for key in ("g", "g/one", "g/two", "g/three"):
        old.edit(key, lambda line: line.replace("<!--", opens).replace("-->", closes))
    assert set(old.sync().actions.values()) == {Action.REPAIR}
    assert {key: old.line(key) for key in old.light} == old.light


def test_an_old_line_that_was_put_back_beside_its_successor_is_no_second_task(todo: List) -> None:
    """Deleted, come back with a changed step, then the old line pasted again: two tasks with one key."""
    old = todo.line("g/two")
    todo.edit("g/two", lambda line: "")
    todo.sync()
    todo.step("two", title="Go on after all")
    todo.sync()
    todo.text = f"{old}\n{todo.text}"
    todo.sync()
    keys = [task.marker.key for task in todo.connector.read().tasks]
    assert keys.count("g/two") == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda marker, nonce: f"<!-- bp1 {nonce} -->",
        lambda marker, nonce: marker.replace(NAMESPACE, ""),
        lambda marker, nonce: marker.replace(" 1 2027", " one 2027"),
        lambda marker, nonce: marker.replace("2027-09-28", "2027-02-31"),
        lambda marker, nonce: marker.replace(" -->", " and some words -->"),
        lambda marker, nonce: f"<!-- bp1 x {nonce} y -->",
        lambda marker, nonce: marker.replace("g/two", "g/tow"),
    ],
)
def test_a_damaged_marker_is_repaired(old: List, damage: Callable[[str, str], str]) -> None:
    line = old.line("g/two")
    nonce = old.task("g/two").native_id
    marker = line[line.index("<!--") : line.index("-->") + 3]
    broken = line.replace(marker, damage(marker, nonce))
    assert broken != line
    old.text = old.text.replace(line, broken)
    old.sync()
    assert old.line("g/two") == old.light["g/two"]
    assert old.state("g/two") == "live"


TORN_COMMENTS: dict[str, Callable[[str, str], str]] = {
    "no end": lambda line, nonce: line.replace(" -->", ""),
    "no end, and words behind it": lambda line, nonce: line.replace(" -->", "") + " and more words",
    "no beginning": lambda line, nonce: line.replace("<!-- ", ""),
    "no beginning and no version": lambda line, nonce: line.replace("<!-- bp1 ", ""),
    "neither": lambda line, nonce: line.replace("<!-- ", "").replace(" -->", ""),
    "one dash": lambda line, nonce: line.replace("<!-- ", "<!- ").replace("-->", "->"),
    "dashes of a text": lambda line, nonce: line.replace("<!--", "\u2039!\u2013").replace("-->", "\u2013>"),
    "long dashes": lambda line, nonce: line.replace("<!--", "<!\u2014").replace("-->", "\u2014>"),
    "cut behind the nonce": lambda line, nonce: re.sub(f"{nonce}.*?-->", nonce, line),
    "cut within the key": lambda line, nonce: re.sub(r"g/two .*?-->", "g/t", line),
    "cut within the namespace": lambda line, nonce: re.sub(rf"{NAMESPACE} .*?-->", NAMESPACE[:-1], line),
    "no nonce": lambda line, nonce: line.replace(f"{nonce} ", ""),
    "no nonce and no end": lambda line, nonce: line.replace(f"{nonce} ", "").replace(" -->", ""),
}


@pytest.mark.parametrize("torn", TORN_COMMENTS)
@pytest.mark.parametrize("ticked", [False, True])
def test_a_comment_that_was_torn_is_mended_and_its_step_is_there(old: List, torn: str, ticked: bool) -> None:
    line, nonce = old.line("g/two"), old.task("g/two").native_id
    broken = TORN_COMMENTS[torn](line, nonce)
    expected = old.light["g/two"] + broken.partition(" 📅 2027-09-28")[2]
    assert broken != line
    if ticked:
        broken, expected = broken.replace("[ ]", "[x]"), f"{expected.replace('[ ]', '[x]')} ✅ 2027-07-20"
    old.text = old.text.replace(line, broken)
    assert old.sync().actions["g/two"] is Action.REPAIR
    assert old.line("g/two") == expected
    assert old.state("g/two") == ("done" if ticked else "live")


def test_a_pin_is_kept_when_its_comment_is_mended_whose_words_are_whole(old: List) -> None:
    old.edit("g/two", lambda line: line.replace("📅 2027-09-28", "📅 2027-09-10"))
    old.sync()
    old.edit("g/two", lambda line: line.replace(" -->", ""))
    old.sync()
    assert old.task("g/two").marker.pinned
    assert old.task("g/two").content.due == date(2027, 9, 10)


HIDDEN_COMMENTS: dict[str, tuple[Callable[[str, str], str], str]] = {
    "broken behind bp1": (lambda line, nonce: line.replace("bp1 ", "bp1\n"), "broken over lines; put it on one line"),
    "broken behind the nonce": (lambda line, nonce: line.replace(nonce, f"{nonce}\n    "), "broken over lines"),
    "broken before the nonce": (lambda line, nonce: line.replace("<!-- bp1", "<!--\nbp1"), "broken over lines"),
    "broken twice": (lambda line, nonce: line.replace(nonce, f"\n{nonce}\n"), "broken over lines"),
    "broken, without its nonce": (lambda line, nonce: line.replace(f"{nonce} ", "\n"), "broken over lines"),
    "nothing left": (lambda line, nonce: re.sub("<!--.*-->", "<!-- bp1 -->", line), "nothing is left in the comment"),
    "in another comment": (
        lambda line, nonce: re.sub("<!--.*-->", f"<!-- see {nonce} -->", line),
        "stands here without 🆔",
    ),
    "the nonce alone": (lambda line, nonce: re.sub("<!--.*-->", nonce, line), "stands here without 🆔"),
    "in code": (lambda line, nonce: f"```\n{line}\n```", "stands in a code block that begins in line 7"),
    "in code without an end": (lambda line, nonce: f"~~~\n{line}", "stands in a code block that begins in line 7"),
}


HIDDEN: dict[str, tuple[Callable[[str, str], str], str]] = {
    "without 🆔": (
        lambda line, nonce: line.replace("🆔 ", ""),
        "stands here without 🆔; let the line of the step end in",
    ),
    "in a comment": (lambda line, nonce: re.sub("🆔 (.*)", r"<!-- \1 -->", line), "stands here without 🆔"),
    "the id alone": (lambda line, nonce: nonce[:7], "stands here without 🆔"),
    "the nonce alone": (lambda line, nonce: f"- {nonce}", "stands here without 🆔"),
    "in code": (lambda line, nonce: f"```\n{line}\n```", "stands in a code block that begins in line 7"),
    "in code without an end": (lambda line, nonce: f"~~~\n{line}", "stands in a code block that begins in line 7"),
}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_step_whose_nonce_or_title_still_stands_in_the_file_is_not_deleted(todo: List, hidden: str) -> None:
    change, told = HIDDEN[hidden]
    line, nonce = todo.line("g/two"), todo.task("g/two").native_id
    todo.text = todo.text.replace(line, change(line, nonce))
    done = todo.sync()
    assert told in kept(done)["g/two"]
    assert kept(done)["g/two"].startswith("todo.md:")
    assert (todo.state("g/two"), "g/two" in done.actions) == ("live", False)
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    assert change(line, nonce) in todo.text
    assert todo.state("g/two") == "live"


@pytest.mark.parametrize("hidden", HIDDEN_COMMENTS)
def test_a_step_whose_comment_or_title_still_stands_in_the_file_is_not_deleted(old: List, hidden: str) -> None:
    change, told = HIDDEN_COMMENTS[hidden]
    line, nonce = old.line("g/two"), old.task("g/two").native_id
    old.text = old.text.replace(line, change(line, nonce))
    done = old.sync()
    assert told in kept(done)["g/two"]
    assert kept(done)["g/two"].startswith("todo.md:")
    assert (old.state("g/two"), "g/two" in done.actions) == ("live", False)
    old.goal["deadline"] = "2027-10-07"
    old.sync()
    assert change(line, nonce) in old.text
    assert old.state("g/two") == "live"


def test_a_line_of_another_namespace_is_not_touched(todo: List, old: List) -> None:
    theirs = old.line("g/two").replace(NAMESPACE, "you/plans")
    todo.text = f"{theirs}\n{todo.text}"
    before = todo.connector.read()
    assert before.others == {"you/plans": {"g/two"}}
    todo.step("two", title="Other words")
    todo.sync()
    assert todo.text.startswith(f"{theirs}\n")


def test_the_lines_and_the_state_of_another_namespace_are_not_touched(todo: List, tmp_path: Path) -> None:
    theirs = List(tmp_path / "theirs")
    theirs.folder.mkdir()
    theirs.goal = a_goal(id="h")
    run(load(theirs.folder, theirs.goal, namespace="you/plans"), [MarkdownConnector(theirs.todo, "you/plans")], TODAY)
    todo.text = before = f"{theirs.text}\n{todo.text}"
    read = todo.connector.read()
    assert read.others == {"you/plans": {"h", "h/one", "h/two", "h/three"}}
    assert {task.marker.key for task in read.tasks} == {"g", "g/one", "g/two", "g/three"}
    assert [stray for stray in read.strays if stray.ids] == []
    assert todo.sync().actions == {}
    assert todo.text == before
    todo.step("two", title="Other words")
    todo.sync()
    assert todo.text.startswith(theirs.text)


def test_the_memory_of_another_namespace_is_not_ours(tmp_path: Path) -> None:
    todo = List(tmp_path)
    todo.goal = a_goal(steps=[])
    todo.sync()
    before = todo.connector.read()
    with contextlib.suppress(RefusedError):  # to refuse is right, too
        other = load(tmp_path, a_goal(id="h", steps=[]), namespace="you/plans")
        run(other, [MarkdownConnector(todo.todo, "you/plans")], TODAY)
    after = todo.connector.read()
    assert after.memory == before.memory
    assert after.tasks == before.tasks


@pytest.mark.parametrize("version", ["2", "27"])
@pytest.mark.parametrize("shape", ["the same", "another"])
def test_a_newer_marker_stops_everything(old: List, version: str, shape: str) -> None:
    old.edit("g/two", lambda line: line.replace("bp1 ", f"bp{version} "))
    if shape == "another":
        old.edit("g/two", lambda line: line.replace(" -->", " a=new field=too -->", 1))
    before = old.text
    with pytest.raises(RefusedError, match="newer version"):
        old.sync()
    assert old.text == before


@pytest.mark.parametrize(
    "prose",
    [
        "```inline``` code at the start of a line",
        "```\n```python\nprint()\n```",  # in a block, a line with a language does not close it
        "- ```\n  code in a list\n  ```",
        "> ```\n> code in a quote that ends with the quote\n\nText",
    ],
)
def test_code_blocks_end_where_markdown_ends_them(todo: List, prose: str) -> None:
    """Else our lines below would count as code, so as deleted."""
    todo.text = f"{prose}\n\n{todo.text}"
    before = todo.text
    assert todo.sync().actions == {}
    assert todo.text == before


def test_a_copy_in_a_code_block_below_a_task_is_code(todo: List) -> None:
    line = todo.line("g/two")
    block = f"\t\t```\n\t\t{line.lstrip()}\n\t\t```\n"
    todo.text = todo.text.replace(f"{line}\n", f"{line}\n{block}")
    before = todo.text
    todo.sync()
    assert todo.text == before


# Comments that an editor took out


def stripped(text: str, what: str = "") -> str:
    """Return a text without what marks lines as ours, as some editors leave it, and by default without any comment."""
    text = re.sub(" 🆔 [0-9a-f]{7,10}| ?<!-- ?bp1.*?-->", "", text)
    return re.sub(r"\n*<!-- ?backplan.*?-->|<!--.*?-->", "", text, flags=re.DOTALL) if what == "" else text


@pytest.mark.parametrize("what", ["", "bp1"], ids=["all signs and comments", "the signs alone"])
@pytest.mark.parametrize("ticked", [False, True])
def test_lines_that_lost_their_ids_are_taken_back(todo: List, what: str, ticked: bool) -> None:
    before = todo.text
    if ticked:
        todo.edit("g/two", lambda line: line.replace("[ ]", "[x ]") + " ✅ 2027-07-18")
    todo.text = stripped(todo.text, what)
    left = persons_lines(todo.text)
    assert set(todo.sync().actions.values()) == {Action.REPAIR}
    assert without_blank([stripped(line) for line in todo.text.partition(MEMORY)[0].split("\n")]) == without_blank(left)
    if ticked:
        assert todo.state("g/two") == "done"
        assert todo.connector.read().memory["g"].keys["g/two"].done_on == date(2027, 7, 18)
    else:
        assert without_blank(todo.text.split("\n")) == without_blank(before.split("\n"))


@pytest.mark.parametrize("what", ["", "bp1"], ids=["all signs and comments", "the signs alone"])
def test_the_heartbeat_that_lost_its_comment_is_taken_back(tmp_path: Path, what: str) -> None:
    todo = List(tmp_path)
    todo.settings["heartbeat"] = "3 days"
    todo.sync()
    todo.text = stripped(todo.text, what)
    todo.sync(date(2027, 7, 21))
    assert todo.text.count("backplan last ran on") == todo.text.count("backplan last ran on Wed 21 Jul 2027 📅") == 1


@pytest.mark.parametrize("dated", ["", " ✅ 2027-07-18"])
def test_a_line_that_lost_its_id_and_was_ticked_has_the_day_it_was_done(todo: List, dated: str) -> None:
    todo.edit("g/two", lambda line: stripped(line).replace("[ ]", "[x]") + dated)
    todo.sync()
    assert re.search("✅ .*", todo.line("g/two"))[0].split()[:2] == (dated or "✅ 2027-07-20").split()  # type: ignore[index]


def test_a_new_memory_takes_back_the_lines_that_lost_their_comments(todo: List) -> None:
    before = todo.text
    todo.text = todo.text.partition(MEMORY)[0].replace(todo.line("g/two"), stripped(todo.line("g/two")))
    homes = (Binding(todo.connector, frozenset({"g"})),)
    found = reading.read(load(todo.folder, todo.goal), homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert todo.sync().actions == {}
    assert without_blank(todo.text.split("\n")) == without_blank(before.split("\n"))


def test_a_line_that_is_missing_is_made_in_its_place_among_those_that_are_taken_back(todo: List) -> None:
    before, line = todo.text, todo.line("g/two")
    todo.text = stripped(todo.text.replace(f"{line}\n", ""))
    assert todo.sync().actions["g/two"] is Action.CREATE
    assert without_blank(todo.text.split("\n")) == without_blank(before.split("\n"))


def test_a_copy_that_is_let_go_is_not_taken_for_a_line_that_is_taken_back(todo: List) -> None:
    todo.goal["steps"][1:] = [
        {"id": n, "title": "Go on", "on": "2027-09-28", "after": ["one"]} for n in ("two", "three")
    ]
    todo.sync()
    two, three = todo.line("g/two"), todo.line("g/three")
    assert stripped(two) == stripped(three)
    todo.text = todo.text.replace(two, f"{two}\n{two}").replace(three, stripped(three))
    assert todo.sync().actions == {"g/two": Action.DETACH, "g/three": Action.REPAIR}
    assert f"{two}\n{stripped(two)}\n{three}\n" in todo.text


def test_a_line_that_is_taken_back_gets_what_changed_in_the_file_meanwhile(todo: List) -> None:
    todo.text = stripped(todo.text, "bp1")
    todo.goal["deadline"] = "2027-10-07"
    todo.step("one", done=TODAY)
    todo.sync()
    assert todo.task("g/two").content.due == date(2027, 10, 5)
    assert todo.task("g/one").done


def test_of_lines_that_lost_their_comments_the_one_that_is_gone_is_dropped_and_told_how_to_get_back(todo: List) -> None:
    nonce, line = todo.task("g/two").native_id, todo.line("g/two")
    todo.text = stripped(todo.text.replace(f"{line}\n", ""), "bp1")
    assert kept(todo.sync()) == {"g/two": f"a person deleted it; a line that ends in `🆔 {nonce[:7]}` brings it back"}
    assert todo.state("g/two") == "dropped"
    todo.text = f"- [ ] Go on again 🆔 {nonce[:7]}\n{todo.text}"
    todo.sync()
    assert todo.state("g/two") == "live"


ONE_MORE_DIFFERS: dict[str, Callable[[str], str]] = {
    "its date": lambda line: line.replace("2027-09-28", "2027-09-10"),
    "no date": lambda line: line.partition(" 📅")[0],
    "bold": lambda line: line.replace("Go on", "**Go on**"),
    "case": lambda line: line.replace("Go on", "go on"),
    "bullet": lambda line: line.replace("- [ ]", "• [ ]"),
    "no box": lambda line: line.replace("[ ] ", ""),
    "a second box": lambda line: line.replace("[ ] ", "[ ] [x] "),
}


@pytest.mark.parametrize("change", ONE_MORE_DIFFERS)
def test_a_report_of_a_deleted_step_names_the_line_that_may_be_it(todo: List, change: str) -> None:
    line = ONE_MORE_DIFFERS[change](stripped(todo.line("g/two")))
    todo.edit("g/two", lambda _: line)
    told = kept(todo.sync())["g/two"]
    assert told.startswith("a person deleted it; a line that ends in")
    assert re.search(r"; todo\.md:7 `(\[x\] )?\**[Gg]o on\**` may be it$", told)
    assert (todo.state("g/two"), line in todo.text) == ("dropped", True)


def test_of_two_lines_that_may_be_a_deleted_step_none_is_named(todo: List) -> None:
    todo.edit("g/two", lambda _: "- [ ] Go on\n- Go on")
    assert "may be it" not in kept(todo.sync())["g/two"]


DOUBT: dict[str, Callable[[str], str]] = {
    "two lines": lambda text: f"- [ ] Go on 📅 2027-09-28\n{text}",
    "another date": lambda text: text.replace("2027-09-28", "2027-9-10"),
    "no readable date": lambda text: text.replace("2027-09-28", "next friday"),
}


@pytest.mark.parametrize("doubt", DOUBT)
def test_nothing_is_made_where_it_is_not_sure_which_lines_are_ours(todo: List, doubt: str) -> None:
    todo.text = before = DOUBT[doubt](stripped(todo.text))
    with pytest.raises(RefusedError, match=r"markdown \(todo\.md\).*todo\.md:\d+ `Go on.*Restore the file"):
        todo.sync()
    assert todo.text == before


CHANGED_BEFORE: dict[str, Callable[[str], str]] = {
    "renamed": lambda line: line.replace("Go on", "Carry on"),
    "renamed and moved": lambda line: line.replace("Go on", "Carry on").replace("📅 2027-09-28", "📅 2027-09-08"),
    "renamed and ticked": lambda line: line.replace("[ ] Go on", "[x] Carry on"),
    "renamed, no date": lambda line: line.replace("Go on", "Carry on").partition(" 📅")[0],
    "renamed, no box": lambda line: line.replace("[ ] Go on", "Carry on"),
    "renamed, below no goal": lambda line: line.replace("Go on", "Carry on").strip(),
    "moved": lambda line: line.replace("📅 2027-09-28", "📅 2027-09-08"),
    "no date": lambda line: line.partition(" 📅")[0],
    "bold, no date": lambda line: line.replace("Go on", "**Go on**").partition(" 📅")[0],
}


@pytest.mark.parametrize("what", ["", "bp1"], ids=["all signs and comments", "the signs alone"])
@pytest.mark.parametrize(
    ("change", "heard"),
    [*((change, False) for change in CHANGED_BEFORE), ("renamed", True), ("renamed and moved", True), ("moved", True)],
)
def test_no_step_is_made_twice_or_dropped_whose_line_was_changed_before_all_comments_were_lost(
    todo: List, what: str, change: str, heard: bool
) -> None:
    if heard:
        todo.edit("g/two", CHANGED_BEFORE[change])
        todo.sync()
    todo.text = stripped(todo.text, what)
    if not heard:
        lines = todo.text.split("\n")
        lines[6] = CHANGED_BEFORE[change](lines[6])
        todo.text = "\n".join(lines)
    before = todo.text
    if (change, heard, what) == ("moved", True, "bp1"):  # the memory knows that date
        assert "g/two" in todo.sync().actions
        assert (todo.text.count("Go on"), todo.state("g/two")) == (1, "live")
        return
    with pytest.raises(RefusedError) as refused:
        todo.sync()
    assert todo.text == before
    told = re.findall(r"`(- \[ \] \S.*?)` for g/(\w+)", str(refused.value))
    assert "todo.md:7 `" in str(refused.value)
    assert "two" in [step for _, step in told]
    lines = todo.text.split("\n")
    for line, step in told:
        lines[{"one": 5, "two": 6}[step]] = f"    {line}"
    todo.text = "\n".join(lines)
    assert set(todo.sync().actions.values()) <= {Action.REPAIR, Action.UPDATE}
    assert todo.state("g/two") == "live"


@pytest.mark.parametrize("renamed", [(), ("Begin",), ("Reach it", "Begin", "Finish")], ids=str)
def test_no_step_is_dropped_where_half_of_a_list_is_of_an_earlier_version_and_all_its_comments_are_lost(
    old: List, renamed: tuple[str, ...]
) -> None:
    old.step("two", title="Other words")
    old.sync()
    for title in renamed:
        old.text = old.text.replace(f" {title} ", f" {title} soon ")
    old.text = before = re.sub(" <!-- bp1.*?-->", "", old.text)
    if renamed:
        with pytest.raises(RefusedError, match=rf"not sure which of these lines.*todo\.md:\d `{renamed[0]} soon`"):
            old.sync()
        assert old.text == before
    else:
        assert old.sync().actions == dict.fromkeys(("g", "g/one", "g/three"), Action.REPAIR)


def test_a_line_of_the_persons_below_a_goal_stays_theirs_when_the_step_has_its_line_again(todo: List) -> None:
    own = "    - [ ] Buy flour 📅 2027-08-01"
    line = stripped(todo.line("g/two"))
    todo.text = stripped(todo.text.replace(todo.line("g/two"), own))
    with pytest.raises(RefusedError, match=r"todo\.md:7 `Buy flour`.*`- \[ \] Go on 📅 2027-09-28` for g/two"):
        todo.sync()
    todo.text = todo.text.replace(own, f"{own}\n{line}")
    assert set(todo.sync().actions.values()) == {Action.REPAIR}
    assert f"\n{own}\n" in todo.text


def test_the_line_of_a_goal_is_taken_back_whose_deadline_has_moved_since(todo: List) -> None:
    todo.text = stripped(todo.text, "bp1")
    todo.goal["deadline"] = "2027-10-07"
    assert todo.sync().actions["g"] is Action.REPAIR
    assert (todo.state("g"), todo.task("g").content.due) == ("live", date(2027, 10, 7))


def test_no_goal_is_made_twice_that_was_renamed_before_all_comments_were_lost(todo: List) -> None:
    todo.text = before = stripped(todo.text).replace("Reach it", "Arrive")
    with pytest.raises(RefusedError, match=r"todo\.md:5 `Arrive`.*`- \[ \] Reach it 📅 2027-09-30` for g\."):
        todo.sync()
    assert todo.text == before


@pytest.mark.parametrize("title", ["Go on", "Carry on"])
def test_a_new_memory_makes_no_step_twice_whose_line_was_changed_and_lost_its_comment(todo: List, title: str) -> None:
    todo.edit("g/two", lambda line: stripped(line).replace("Go on", title))
    if title == "Go on":
        todo.text = todo.text.replace("📅 2027-09-28", "📅 2027-09-08")
    todo.text = before = todo.text.partition(MEMORY)[0]
    homes = (Binding(todo.connector, frozenset({"g"})),)
    with pytest.raises(RefusedError, match=rf"todo\.md:7 `{title}`"):
        reading.read(load(todo.folder, todo.goal), homes, TODAY, rebuild=True)
    assert todo.text == before


def test_a_step_whose_line_has_an_emptied_comment_and_another_title_is_not_deleted(old: List) -> None:
    nonce = old.task("g/two").native_id
    old.edit("g/two", lambda line: re.sub("<!--.*-->", "<!-- bp1 -->", line).replace("Go on", "Carry on"))
    text = old.text
    told = kept(old.sync())["g/two"]
    assert told.startswith("todo.md:7: nothing is left in the comment of backplan")
    assert f"write `🆔 {nonce[:7]}` in its place" in told
    assert (old.text, old.state("g/two")) == (text, "live")
    old.text = old.text.replace("<!-- bp1 -->", f"<!-- bp1 {nonce} -->")
    old.sync()
    assert old.line("g/two") == old.light["g/two"].replace("Go on", "Carry on")


def test_a_line_that_lost_its_comment_is_taken_back_beside_one_whose_comment_was_emptied(old: List) -> None:
    old.edit("g/two", lambda line: re.sub("<!--.*-->", "<!-- bp1 -->", line).replace("Go on", "Carry on"))
    old.edit("g/three", stripped)
    done = old.sync()
    assert done.actions == {"g/three": Action.REPAIR}
    assert "g/two" in kept(done)
    assert (old.state("g/two"), old.state("g/three")) == ("live", "live")


def test_a_new_memory_makes_no_step_twice_whose_comment_was_emptied(old: List) -> None:
    old.edit("g/two", lambda line: re.sub("<!--.*-->", "<!-- bp1 -->", line).replace("Go on", "Carry on"))
    old.text = before = old.text.partition(MEMORY)[0]
    homes = (Binding(old.connector, frozenset({"g"})),)
    with pytest.raises(RefusedError, match=r"todo\.md:7 `Carry on`"):
        reading.read(load(old.folder, old.goal), homes, TODAY, rebuild=True)
    assert old.text == before


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize(
    "typography",
    [
        [("<!--", "‹!–"), ("-->", "–>")],
        [("<!--", "‹!–"), ("-->", "–>"), ('"', "”")],
        [("-->", "→")],
        [("<!--", "%%"), ("-->", "%%")],
        [("<!--", "‹!—"), ("-->", "—›"), ("bp1", "Bp1")],
    ],
)
def test_comments_that_were_damaged_together_with_the_memory_make_nothing_twice(
    old: List, typography: list[tuple[str, str]], rebuild: bool
) -> None:
    """Also where somebody deleted what looked like the memory."""
    for text in (old.text, old.text.partition(MEMORY)[0]):
        for before, after in typography:
            text = text.replace(before, after)
        old.text = text
        homes = (Binding(old.connector, frozenset({"g"})),)
        with pytest.raises(RefusedError, match=r"todo\.md:\d+:\d+: a comment of backplan's is damaged here"):
            reading.read(load(old.folder, old.goal), homes, TODAY, rebuild=rebuild)
        assert old.text == text


def test_a_step_that_is_done_is_opened_again_also_where_its_line_had_lost_its_comment(todo: List) -> None:
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    todo.edit("g/two", stripped)
    todo.sync()
    assert todo.state("g/two") == "done"
    todo.text = todo.text.replace("[x] Go on", "[ ] Go on")
    assert todo.sync().actions["g/two"] is Action.REPAIR
    assert (todo.state("g/two"), todo.text.count("Go on")) == ("live", 1)
    assert not todo.task("g/two").done


def test_a_goal_that_is_done_is_opened_again_also_where_its_lines_had_lost_their_comments(todo: List) -> None:
    for key in ("g/one", "g/two", "g/three"):
        todo.edit(key, lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    assert todo.state("g") == "done"
    todo.edit("g", stripped)
    todo.edit("g/two", lambda line: line.replace("[x]", "[ ]"))
    todo.text = todo.text.replace("[x] Reach it", "[ ] Reach it")
    todo.sync()
    assert (todo.state("g"), todo.state("g/two"), todo.text.count("Reach it")) == ("live", "live", 1)


UNSURE: dict[str, Callable[[str], str]] = {
    "under another heading": lambda line: line.strip(),
    "no date": lambda line: line.partition(" 📅")[0],
    "bold": lambda line: line.replace("Go on", "**Go on**"),
}


@pytest.mark.parametrize("change", UNSURE)
@pytest.mark.parametrize("state", ["done", "dropped"])
def test_a_line_that_may_be_a_step_which_is_done_or_deleted_is_told_what_to_write(
    todo: List, state: str, change: str
) -> None:
    nonce, line = todo.task("g/two").native_id, todo.line("g/two")
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]" if state == "done" else "[-]"))
    todo.sync()
    typed = UNSURE[change](stripped(line))
    todo.edit("g/two", lambda _: typed)
    title = "**Go on**" if change == "bold" else "Go on"
    effect = {"done": "opens it again", "dropped": "brings it back"}[state]
    told = f"todo.md:7 `{title}` has its title and no id: `🆔 {nonce[:7]}` at its end {effect}"
    for _ in range(2):
        if state == "dropped":  # a line that is gone is deleted, and that was known before
            assert told in kept(todo.sync())["g/two"]
        else:
            assert kept(todo.sync())["g/two"] == f"it is done; {told}"
    assert (todo.state("g/two"), typed in todo.text) == (state, True)
    todo.text = todo.text.replace(typed, f"{typed} 🆔 {nonce[:7]}")
    todo.sync()
    assert todo.state("g/two") == "live"


def test_a_step_that_was_deleted_and_typed_again_is_told_what_to_write(todo: List) -> None:
    nonce, line = todo.task("g/two").native_id, stripped(todo.line("g/two"))
    todo.edit("g/two", lambda _: "")
    todo.sync()
    todo.text = todo.text.replace(todo.line("g/one"), f"{todo.line('g/one')}\n{line}")
    told = kept(todo.sync())["g/two"]
    assert told == (
        f"a person deleted it; todo.md:7 `Go on` has its title and no id: `🆔 {nonce[:7]}` at its end brings it back"
    )
    todo.text = todo.text.replace(line, f"{line} 🆔 {nonce[:7]}")
    todo.sync()
    assert todo.state("g/two") == "live"


def test_a_step_that_is_done_in_the_goals_file_and_opened_in_the_list_is_ticked_again_and_says_why(todo: List) -> None:
    todo.step("two", done=TODAY)
    todo.sync()
    todo.edit("g/two", lambda line: re.sub(r" ✅ \S+", "", line.replace("[x]", "[ ]")))
    project = load(todo.folder, todo.goal)
    (plan,) = run(project, [todo.connector], TODAY).plans
    (told,) = [change.reason for change in plan.changes if change.key == "g/two"]
    assert told == (
        "a person opened it again, but the goals file says that it is done (`done: 2027-07-20`): "
        "take that out there, and clear the box again"
    )
    assert "[x] Go on" in todo.line("g/two")
    assert kept(todo.sync()) == {}


@pytest.mark.parametrize("own", ["- [ ] Go on 📅 2027-09-10", "- [ ] Go on", "- [x] Go on 📅 2027-01-02"])
def test_a_task_of_the_persons_with_an_equal_title_stays_theirs(todo: List, own: str) -> None:
    todo.text = f"{own}\n{todo.text}"
    assert todo.sync().actions == {}
    todo.edit("g/two", lambda line: "")
    todo.sync()
    assert todo.text.startswith(f"{own}\n")
    assert todo.state("g/two") == "dropped"


def test_an_undo_leaves_a_line_that_cannot_be_read_by_now_and_says_where_it_stands(todo: List) -> None:
    todo.goal["deadline"] = "2027-10-07"
    project = load(todo.folder, todo.goal)
    done = run(project, [todo.connector], TODAY)
    todo.edit("g/two", lambda line: line.replace("[ ]", "[maybe]"))
    line = todo.line("g/two")
    told = [change.error for plan in undo(project, todo.connector, done, TODAY) for change in plan.changes]
    assert [error for error in told if error and error.startswith("todo.md:7:7: the box `[maybe]` cannot be read")]
    assert todo.line("g/two") == line


def test_tasks_that_were_taken_back_by_a_run_stay_when_it_is_undone(todo: List) -> None:
    todo.text = stripped(todo.text, "bp1")
    project = load(todo.folder, todo.goal)
    done = run(project, [todo.connector], TODAY)
    before = todo.text
    undo(project, todo.connector, done, TODAY)
    assert {task.marker.key for task in todo.connector.read().tasks} == {"g", "g/one", "g/two", "g/three"}
    assert stripped(todo.text) == stripped(before)


# The memory


def test_without_its_memory_nothing_is_written_until_rebuild(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.changes()
    text = person.todo.read_text("utf-8")
    done = text.partition(MEMORY)[0].replace("- [ ] Find", "- [x] Find")
    person.todo.write_text(done, encoding="utf-8")
    for command in ("plan", "sync"):
        refused = person.run(command)
        assert refused.code == 3
        assert "--rebuild" in refused.err
    assert person.todo.read_text("utf-8") == done
    rebuilt = person.run("sync", "--rebuild")
    assert (rebuilt.code, person.changes()) == (0, [])
    told = re.sub("(- .x. Find .*)", r"\1 ✅ 2027-07-20", done)
    assert person.todo.read_text("utf-8").startswith(told.rstrip())
    assert person.run("status", "--json").json["goals"][0]["steps"][0]["done"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"goal":', '"goal'),
        lambda text: text.replace('"since":"', '"since":"x'),
        lambda text: text.replace('"l', '"?', 1),
        lambda text: text.replace('{"goal"', '[{"goal"'),
        lambda text: text.replace('"keys":{', '"keys":[{'),
        lambda text: text.replace('"keys":{', '"keys":null,"x":{'),
        lambda text: text.replace('{"goal"', 'x\n{"goal"'),
        lambda text: re.sub(r'"(l\w+) \d+\+\d+"', r'"\1 x+y"', text, count=1),
    ],
)
def test_a_damaged_memory_of_an_earlier_version_is_refused_until_rebuild(
    old: List, damage: Callable[[str], str]
) -> None:
    head, start, memory = old.text.partition(MEMORY)
    old.text = head + start + damage(memory)
    before = old.text
    assert before != head + start + memory
    with pytest.raises(RefusedError, match=r"damaged.*--rebuild"):
        old.sync()
    assert old.text == before
    homes = (Binding(old.connector, frozenset({"g"})),)
    found = reading.read(load(old.folder, old.goal), homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert old.sync().actions == {}
    assert [old.line(key) for key in ("g/one", "g/two")] == [old.light[key] for key in ("g/one", "g/two")]


def spaced(text: str) -> str:
    """Return a text with a blank line behind each line, as some editors leave it."""
    return text.replace("\n", "\n\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "change",
    [
        spaced,
        lambda text: text.replace("keep this\n", "keep this\n\n"),
        lambda text: re.sub(r"\n(\S+ h l )", r"\n  \n\1", text),
        lambda text: text.replace("\n-->", "\n\n-->"),
    ],
)
def test_blank_lines_in_the_memory_change_nothing(tmp_path: Path, change: Callable[[str], str], end: str) -> None:
    todo = MarkdownConnector(tmp_path / "todo.md", NAMESPACE)
    project = load(tmp_path, a_goal(), a_goal(id="h"))
    run(project, [todo], TODAY)
    before = todo.path.read_text("utf-8")
    memory = todo.read().memory
    todo.path.write_bytes(change(before).replace("\n", end).encode())
    assert change(before) != before
    assert run(project, [todo], TODAY).silent
    assert todo.read().memory == memory
    run(load(tmp_path, a_goal(deadline="2027-10-07"), a_goal(id="h")), [todo], TODAY)
    assert len(re.findall(r"^\S+ [gh](?:/\w+)? l ", todo.path.read_text("utf-8"), re.MULTILINE)) == 8


TORN: dict[str, Callable[[str], str]] = {
    "its end is lost": lambda text: text.replace("-->\n", ""),
    "sorted": lambda text: "\n".join(sorted(text.split("\n"))),
    "sorted backwards": lambda text: "\n".join(sorted(text.split("\n"), reverse=True)),
    "the row of a goal is lost": lambda text: re.sub(r"\S+ g \S.*\n", "", text),
    "all rows are lost": lambda text: re.sub(r"\S+ g\S* [pldxr] .*\n", "", text),
    "the number of its format is lost": lambda text: text.replace("\n2\n", "\n"),
    "a row is damaged": lambda text: text.replace(" g/two l ", " g/two q "),
    "its first line is lost": lambda text: re.sub(rf"{MEMORY}.*\n", "", text),
    "a line of the person's in it": lambda text: re.sub(r"(\n\S+ g/two )", r"\n\nNotes\n\1", text),
    "an entry is elsewhere": lambda text: re.sub(r"((?s:.*))(\n\S+ g/two .*)((?s:.*))", r"\2\n\1\3", text),
}


@pytest.mark.parametrize("torn", TORN)
def test_a_memory_that_was_torn_apart_is_refused_and_a_new_one_leaves_no_piece_of_it(todo: List, torn: str) -> None:
    todo.edit("g/one", lambda line: line.replace("[ ]", "[x]"))
    todo.edit("g/three", lambda line: "")
    todo.sync()
    head, start, memory = todo.text.partition(MEMORY)
    change = TORN[torn]
    todo.text = before = change(head + start + memory) if torn.startswith("sorted") else head + change(start + memory)
    with pytest.raises(RefusedError, match=r"todo\.md.*memory.*--rebuild"):
        todo.sync()
    assert todo.text == before
    homes = (Binding(todo.connector, frozenset({"g"})),)
    found = reading.read(load(todo.folder, todo.goal), homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)
    assert todo.sync().actions == {}
    assert len(re.findall(r"^\S+ g(?:/\w+)? [pldxr] ", todo.text, re.MULTILINE)) == 4
    assert ("Notes" in before) == ("Notes" in todo.text)
    assert "[x] Begin" in todo.text


def test_a_title_whose_row_was_lost_is_noted_below_its_line(todo: List) -> None:
    todo.text = re.sub(r"(?m)^\S+ g/two .*\n", "", todo.text.replace("Go on", "Go on with Anna"))
    (reason,) = (change.reason for plan in todo.sync().plans for change in plan.changes if change.key == "g/two")
    assert reason.startswith("its row in the memory was lost: its line is taken back")
    assert "    title was: Go on with Anna\n" in todo.text
    assert todo.task("g/two").content.title == "Go on"


@pytest.mark.parametrize("ticked", [False, True])
def test_of_lines_with_the_id_whose_row_was_lost_the_ticked_one_or_the_upper_is_the_step(
    todo: List, ticked: bool
) -> None:
    line = todo.line("g/two")
    lower = line.replace("[ ]", "[x]") if ticked else line
    todo.text = re.sub(r"(?m)^\S+ g/two .*\n", "", todo.text.replace(line, f"{line}\n{lower}"))
    assert todo.sync().actions == {"g/two": Action.REPAIR}
    assert f"{stripped(line)}\n{lower} ✅ 2027-07-20" if ticked else f"{line}\n{stripped(line)}" in todo.text
    assert todo.task("g/two").done is ticked


def test_a_line_with_the_id_whose_row_was_lost_and_a_date_that_cannot_be_read_is_a_copy(todo: List) -> None:
    line = todo.line("g/two")
    text = todo.text.replace(line, f"{line.replace('2027-09-28', 'next friday')}\n{line}")
    todo.text = re.sub(r"(?m)^\S+ g/two .*\n", "", text)
    todo.sync()
    assert f"    - [ ] Go on 🛫 2027-09-22 📅 next friday\n{line}\n" in todo.text


def test_rows_without_the_number_of_their_format_are_told_what_is_missing(todo: List) -> None:
    todo.text = todo.text.replace("\n2\n", "\n")
    with pytest.raises(RefusedError, match="a line with `2` has to stand before its rows"):
        todo.sync()


def test_an_id_may_stand_behind_a_no_break_space(todo: List) -> None:
    todo.text = todo.text.replace("🆔 ", "🆔\u00a0")
    assert todo.sync().actions == {}
    todo.text = todo.text.replace("[ ] Go on", "[x] Go on")
    todo.sync()
    assert todo.state("g/two") == "done"


SHAPES: dict[str, Callable[[str], str]] = {
    "indented": lambda memory: re.sub("(?m)^(?=.)", "    ", memory),
    "indented by tabs": lambda memory: re.sub("(?m)^(?=.)", "\t", memory),
    "quoted": lambda memory: re.sub("(?m)^(?=.)", "> ", memory),
    "in a quotation in a quotation": lambda memory: re.sub("(?m)^(?=.)", "> > ", memory),
    "joined": lambda memory: f"{' '.join(memory.split())}\n",
    "rows joined": lambda memory: re.sub(r"\n(?=\w+ g|\{)", " ", memory),
    "first lines joined": lambda memory: memory.replace("keep this\n", "keep this "),
    "end joined": lambda memory: memory.replace("\n-->", " -->"),
    "broken over lines": lambda memory: (
        f"{textwrap.fill(memory, 50, break_long_words=False, break_on_hyphens=False)}\n"
    ),
    "escaped": lambda memory: re.sub(r"([<~_>-])", r"\\\1", memory),
    "entities": lambda memory: memory.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;"),
    "typographic": lambda memory: memory.replace("--", "–").replace("'", "’"),
    "blanks behind": lambda memory: re.sub("(?m)$", "  ", memory),
}


@pytest.mark.parametrize(
    ("shape", "end"), [*((shape, "\n") for shape in SHAPES), ("quoted", "\r\n"), ("joined", "\r\n")]
)
def test_a_memory_is_read_in_whatever_shape_an_editor_left_it(todo: List, shape: str, end: str) -> None:
    todo.edit("g/one", lambda line: re.sub("📅 .{10}", "📅 2027-09-20", line))
    todo.sync()
    before = todo.connector.read()
    head, start, memory = todo.text.partition(MEMORY)
    todo.text = (head + SHAPES[shape](start + memory)).replace("\n", end)
    assert todo.connector.read() == before
    assert todo.sync().actions == {}
    todo.text = todo.text.replace("[ ] Go on", "[x] Go on")
    todo.sync()
    assert todo.state("g/two") == "done"
    assert len(re.findall(r"(?m)^\S+ g(?:/\w+)? [pldxr] ", todo.text)) == 4
    assert todo.text.count("-->") == 1


@pytest.mark.parametrize("shape", ["joined", "rows joined", "broken over lines", "quoted"])
def test_so_is_one_of_an_earlier_version(old: List, shape: str) -> None:
    old.text = old.text.replace("\n-->", '\n{"goal":"h","since":"2027-07-20","keys":{}}\n-->')
    before = old.connector.read()
    head, start, memory = old.text.partition(MEMORY)
    old.text = head + SHAPES[shape](start + memory)
    assert old.connector.read() == before


UNREADABLE: dict[str, Callable[[str], str]] = {
    "a list": lambda memory: re.sub("(?m)^(?=.)", "- ", memory),
    "behind other text": lambda memory: f"Notes {memory}",
    "in capital letters": str.upper,
}


@pytest.mark.parametrize("shape", UNREADABLE)
def test_a_memory_in_a_shape_that_cannot_be_read_is_told_with_its_place(todo: List, shape: str) -> None:
    head, start, memory = todo.text.partition(MEMORY)
    todo.text = before = head + UNREADABLE[shape](start + memory)
    with pytest.raises(RefusedError, match=r"todo\.md:10:\d+: the memory cannot be read here: .* has to begin a line"):
        todo.sync()
    assert todo.text == before
    todo.text = f"```\n{UNREADABLE['a list'](MEMORY)} of {NAMESPACE}, keep this\n```\n{head}{start}{memory}"
    assert todo.sync().actions == {}


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("earlier", [False, True])
def test_an_older_memory_beside_the_newer_one_undoes_nothing(old: List, behind: bool, earlier: bool) -> None:
    """earlier: the older memory is one of an earlier version."""
    older = MEMORY + old.text.partition(MEMORY)[2]
    old.goal["deadline"] = "2027-10-07"
    old.sync()
    older = older if earlier else MEMORY + old.text.partition(MEMORY)[2]
    old.edit("g/one", lambda line: line.replace("[ ]", "[x]"))
    old.edit("g/two", lambda line: re.sub("📅 .{10}", "📅 2027-10-03", line))
    old.edit("g/three", lambda _: "")
    old.sync()
    before, text = old.connector.read(), old.text
    head, start, newer = text.partition(MEMORY)
    old.text = f"{head}{start}{newer}\n{older}" if behind else f"{head}{older}\n{start}{newer}"
    assert old.sync(date(2027, 7, 21)).actions == {}
    assert (old.connector.read().tasks, old.text.split()) == (before.tasks, text.split())


@pytest.mark.parametrize("shape", ["in code", "quoted", "joined"])
def test_a_memory_that_a_person_quotes_beside_the_lists_own_is_theirs(todo: List, shape: str) -> None:
    head, start, memory = todo.text.partition(MEMORY)
    example = f"```\n{start}{memory}```\n" if shape == "in code" else SHAPES[shape](start + memory)
    example = example.replace(" g", " stall").replace("2027-09", "2027-10")
    todo.text = f"{example}\n{head}{start}{memory}\n{example}"
    before = todo.connector.read()
    assert todo.sync().actions == {}
    todo.edit("g/two", lambda _: "")
    todo.sync()
    assert todo.state("g/two") == "dropped"
    assert (todo.text.count(example), set(todo.connector.read().memory)) == (2, set(before.memory))


def test_an_entry_of_a_memory_in_a_code_block_is_code(todo: List) -> None:
    entry = next(line for line in todo.text.split("\n") if " g l " in line)
    todo.text = f"```\n{entry}\n```\n{todo.text}"
    assert todo.sync().actions == {}


# Files that cannot be written


def _writes(connector: MarkdownConnector) -> None:
    """Read, and write a change as a run does."""
    snapshot = connector.read()
    marker = Marker(NAMESPACE, "new", "abcdefabcd")
    memory = {**snapshot.memory, "new": StoredGoal(TODAY, {"new": StoredKey("live", marker.nonce)})}
    connector.apply([Write(Action.CREATE, "new", content=Content("New"), marker=marker), StoreWrite(memory)])


def _refuses(todo: List, match: str) -> None:
    before = todo.todo.read_bytes()
    with pytest.raises(BackplanError, match=match):
        _writes(todo.connector)
    assert todo.todo.read_bytes() == before
    assert sorted(path.name for path in todo.folder.glob(".*")) == []


def test_a_symbolic_link_stays_one(todo: List) -> None:
    real = todo.folder / "real.md"
    todo.todo.rename(real)
    todo.todo.symlink_to(real)
    _refuses(todo, "symbolic link")
    assert todo.todo.is_symlink()


def test_a_read_only_file_stays_as_it_is(todo: List) -> None:
    todo.todo.chmod(0o444)
    _refuses(todo, "read-only")


def test_a_file_that_is_not_utf_8_stays_as_it_is(todo: List) -> None:
    todo.todo.write_bytes(todo.todo.read_bytes() + "\nCafé\n".encode("latin-1"))
    _refuses(todo, r"todo\.md:\d+: not UTF-8")


@pytest.mark.parametrize("where", ["everywhere", "in a line of ours", "in the memory"])
def test_lines_that_end_in_cr_alone_are_told_and_the_file_stays_as_it_is(todo: List, where: str) -> None:
    if where == "everywhere":
        todo.text = todo.text.replace("\n", "\r")
    elif where == "in a line of ours":
        todo.edit("g/two", lambda line: f"Note\r{line}")
    else:
        head, memory, rest = todo.text.partition(MEMORY)
        todo.text = head + memory + rest.replace("\n", "\r", 1)
    before = todo.text
    (error,) = run(load(todo.folder, todo.goal), [todo.connector], TODAY).found.unread.values()
    assert re.search(r"todo\.md:\d+:\d+: lines end in CR alone here.*save the file with LF or CRLF", error)
    assert todo.text == before


def test_a_cr_within_a_line_of_the_persons_stays(todo: List) -> None:
    todo.text = before = todo.text + "a note\rof two lines\n"
    assert todo.sync().actions == {}
    assert todo.text == before


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "todo.md").mkdir()
    with pytest.raises(BackplanError, match="cannot be read"):
        _writes(MarkdownConnector(tmp_path / "todo.md", NAMESPACE))


def test_what_is_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    path = tmp_path / "todo.md"
    os.mkfifo(path)
    with pytest.raises(BackplanError, match="it is a named pipe; name a file"):
        _writes(MarkdownConnector(path, NAMESPACE))
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        with pytest.raises(BackplanError, match="it is a socket"):
            _writes(MarkdownConnector(path, NAMESPACE))


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BackplanError, match="cannot be written"):
        _writes(MarkdownConnector(tmp_path / "none" / "todo.md", NAMESPACE))


@contextlib.contextmanager
def _as_somebody_without_rights() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_an_error() -> None:
    with tempfile.TemporaryDirectory() as name:  # not below pytest's, which only its owner may enter
        folder = Path(name)
        todo = List(folder)
        todo.sync()
        todo.todo.chmod(0o666)
        folder.chmod(0o555)
        with _as_somebody_without_rights():
            _refuses(todo, "cannot be written")
        folder.chmod(0o755)


@pytest.mark.parametrize("change", ["edited", "deleted", "new"])
def test_a_file_that_was_changed_while_we_worked_keeps_the_change(todo: List, change: str) -> None:
    connector = todo.connector
    if change == "new":
        todo.todo.unlink()
    connector.read()
    if change == "deleted":
        todo.todo.unlink()
    else:
        todo.text = "- [ ] typed at this very moment\n"
    with pytest.raises(BackplanError, match="the file was changed during this command"):
        connector.apply([StoreWrite({"g": StoredGoal(TODAY)})])
    assert todo.todo.exists() is (change != "deleted")
    assert change == "deleted" or todo.text == "- [ ] typed at this very moment\n"
    assert list(todo.folder.glob(".*")) == []


def test_the_mode_of_the_file_stays(todo: List) -> None:
    todo.todo.chmod(0o600)
    _writes(todo.connector)
    assert todo.todo.stat().st_mode & 0o777 == 0o600


def test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one(person: Person, food_handler: str) -> None:
    """Kill it at many moments of its life; what it left is whole, and the next run goes on from there."""
    person.writes(food_handler)
    person.run("sync")
    versions = []
    for deadline in ("2027-08-15", "2027-08-22"):
        person.writes(food_handler.replace("2027-08-15", deadline))
        begun = time.monotonic()
        _sync(person).wait()
        length = time.monotonic() - begun
        versions.append(person.todo.read_bytes())
    old, new = versions
    moment = random.Random(20270715)  # noqa: S311  # moments, no secrets
    seen = set()
    for _ in range(3 if tiers.quick else 36):
        person.todo.write_bytes(old)
        process = _sync(person)
        time.sleep(moment.uniform(length / 3, length * 1.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = person.todo.read_bytes()
        assert left in (old, new)
        seen.add(left)
    person.run("sync")
    assert person.todo.read_bytes() == new
    assert person.changes() == []


def _sync(person: Person) -> subprocess.Popen[bytes]:
    """Start a sync from nothing."""
    env = {**os.environ, "BACKPLAN_TODAY": person.today.isoformat(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "sync.cli.main", "sync"]
    return subprocess.Popen(command, cwd=person.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Any title, by hypothesis


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.split))
def test_what_is_written_is_what_is_read(title: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connector = MarkdownConnector(Path(folder) / "todo.md", NAMESPACE)
        content = connector.canonical(Content(title, date(2027, 8, 1), "notes", ("label",), "high"))
        assert connector.canonical(content) == content
        connector.read()
        marker = Marker(NAMESPACE, "g", client_nonce(NAMESPACE, "g", 1), due=content.due)
        connector.apply([Write(Action.CREATE, "g", content=content, marker=marker), StoreWrite({})])
        (task,) = MarkdownConnector(connector.path, NAMESPACE).read().tasks
        assert task.content == content
        assert task.marker == replace(marker, applied=dict.fromkeys(task.marker.applied, ""))
