"""Two branches' lists, merged by git: one list comes of them, with what was done in both."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pytest

from config.errors import RefusedError
from connectors.base import Action
from tests.connectors.contract import TODAY
from tests.connectors.markdown.test_markdown import MEMORY, List, as_of_before
from tests.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LATER = date(2027, 7, 22)
STEPS = ("one", "two", "three", "four", "five")
CONFLICT = re.compile(r"<<<<<<< .*\n((?:.*\n)*?)(?:\|\|\|\|\|\|\| .*\n(?:.*\n)*?)?=======\n((?:.*\n)*?)>>>>>>> .*\n")


@pytest.fixture
def todo(tmp_path: Path) -> List:
    """A list that was synced and committed."""
    new = List(tmp_path)
    new.goal["steps"] = [{"id": name, "title": name.capitalize(), "takes": "2 days"} for name in STEPS]
    new.sync()
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(new)
    return new


def commit(todo: List) -> None:
    git(todo.folder, "add", "todo.md")
    git(todo.folder, "commit", "--quiet", "--message", "A change")


@contextmanager
def branch(todo: List, name: str) -> Iterator[None]:
    """Work on a branch of its own, and commit."""
    git(todo.folder, "switch", "--quiet", "--create", name, "main")
    yield
    commit(todo)
    git(todo.folder, "switch", "--quiet", "main")


def merge(todo: List, style: str = "merge") -> bool:
    """Merge both branches into main; return whether git could."""
    git(todo.folder, "merge", "--quiet", "theirs")
    try:
        git(todo.folder, "-c", f"merge.conflictStyle={style}", "merge", "--quiet", "--no-edit", "ours")
    except subprocess.CalledProcessError:
        return False
    return True


def tick(todo: List, *names: str) -> None:
    for name in names:
        todo.edit(f"g/{name}", lambda line: line.replace("[ ]", "[x]"))


def settle(todo: List) -> None:
    """Settle the conflict in the tasks as a person does: of each pair of lines, the one that is ticked."""
    head, start, state = todo.text.partition(MEMORY)

    def ticked(found: re.Match[str]) -> str:
        pairs = zip(found[1].splitlines(keepends=True), found[2].splitlines(keepends=True), strict=True)
        return "".join(mine if "[x]" in mine else theirs for mine, theirs in pairs)

    todo.text = CONFLICT.sub(ticked, head) + start + state


def done(todo: List) -> set[str]:
    return {name for name in STEPS if todo.state(f"g/{name}") == "done"}


def check(todo: List, *names: str) -> None:
    """See that the list is one list, in which these steps are done, once a run has read it."""
    todo.sync(LATER)
    assert done(todo) == set(names)
    assert not re.search("^(<<<<<<<|=======|>>>>>>>)", todo.text, re.MULTILINE)
    assert todo.text.count(MEMORY) == 1
    for key in ("g", *(f"g/{name}" for name in STEPS)):
        assert len(re.findall(rf"^\S+ {key} [pldxr]", todo.text, re.MULTILINE)) == 1
        assert len(re.findall(rf"\] {key[2:].capitalize() or 'Reach it'} ", todo.text)) == 1


def test_ticks_in_two_branches_are_one_list(todo: List) -> None:
    with branch(todo, "ours"):
        tick(todo, "one")
        todo.sync()
    with branch(todo, "theirs"):
        tick(todo, "four")
        todo.sync(LATER)
    assert merge(todo)
    before = todo.text
    assert todo.sync(LATER).actions == {}
    assert todo.text == before
    check(todo, "one", "four")


@pytest.mark.parametrize(
    ("ours", "theirs", "style"),
    [
        (("two",), ("three",), "merge"),
        *(
            pytest.param(*names, style, marks=pytest.mark.proof)
            for names in ((("two",), ("three",)), (("two",), ("two",)), (("one", "two"), ("three",)))
            for style in ("merge", "diff3")
        ),
    ],
)
def test_conflicts_in_lines_are_refused_and_those_in_the_state_are_read(
    todo: List, ours: tuple[str, ...], theirs: tuple[str, ...], style: str
) -> None:
    with branch(todo, "ours"):
        tick(todo, *ours)
        todo.sync()
    with branch(todo, "theirs"):
        tick(todo, *theirs)
        todo.sync(LATER)
    assert not merge(todo, style)
    before = todo.text
    number = 1 + before.split("\n").index("<<<<<<< HEAD")
    with pytest.raises(
        RefusedError, match=rf"todo\.md:{number}: a merge conflict of git begins here.* and ends in line"
    ):
        todo.sync(LATER)
    assert todo.text == before
    settle(todo)
    assert "<<<<<<<" in todo.text
    check(todo, *ours, *theirs)


def test_a_tick_and_another_deadline_are_one_list(todo: List) -> None:
    with branch(todo, "ours"):
        tick(todo, "three")
        todo.sync()
    with branch(todo, "theirs"):
        todo.goal["deadline"] = "2027-10-07"
        todo.sync()
    assert not merge(todo)
    lines = [line for line in todo.text.partition(MEMORY)[0].split("\n") if "] Three" in line]
    head, start, state = todo.text.partition(MEMORY)
    head = CONFLICT.sub(lambda found: found[2] if "[x]" in found[1] else found[1], head)  # the new dates
    moved = next(line for line in lines if "[ ]" in line)
    todo.text = head.replace(moved, moved.replace("[ ]", "[x]")) + start + state
    check(todo, "three")
    assert {task.marker.pinned for task in todo.connector.read().tasks} == {False}


SIDES: dict[str, Callable[[str], str]] = {
    "ours": lambda state: CONFLICT.sub(r"\1", state),
    "theirs": lambda state: CONFLICT.sub(r"\2", state),
    "both, one after the other": lambda state: CONFLICT.sub(r"\1\2", state),
    "the marks": lambda state: state,
}


@pytest.mark.parametrize("side", ["ours", *(pytest.param(side, marks=pytest.mark.proof) for side in list(SIDES)[1:])])
def test_steps_that_are_new_in_two_branches_are_one_list_whichever_state_is_kept(todo: List, side: str) -> None:
    steps = list(todo.goal["steps"])
    new = [{"id": f"new-{name}", "title": f"New {name}", "takes": "1 day"} for name in ("a", "b")]
    with branch(todo, "ours"):
        todo.goal["steps"] = [*steps, new[0]]
        todo.sync()
    with branch(todo, "theirs"):
        todo.goal["steps"] = [*steps, new[1]]
        todo.sync()
    todo.goal["steps"] = [*steps, *new]
    merge(todo)
    head, start, state = todo.text.partition(MEMORY)
    todo.text = CONFLICT.sub(r"\1\2", head) + start + SIDES[side](state)
    assert Action.CREATE not in todo.sync(LATER).actions.values()
    for title in ("New a", "New b"):
        assert todo.text.count(f"] {title} ") == 1


def test_a_list_of_an_earlier_version_in_one_branch_is_one_list_with_that_of_this_version(todo: List) -> None:
    as_of_before(todo)
    commit(todo)
    with branch(todo, "ours"):
        tick(todo, "one")  # and pushed without a run
    with branch(todo, "theirs"):
        tick(todo, "four")
        todo.sync()
    merge(todo)
    check(todo, "one", "four")


def test_doubled_rows_are_one_and_the_one_whose_day_is_in_the_line_counts(todo: List) -> None:
    before = todo.text
    todo.edit("g/two", lambda line: re.sub(r"📅 \S+", "📅 2027-09-08", line))
    todo.sync()
    rows = re.findall(r"^\S+ g/two .*\n", before, re.MULTILINE)
    for double in (lambda row: rows[0] + row, lambda row: row + rows[0]):
        todo.text = re.sub(r"(?m)^\S+ g/two .*\n", lambda row, double=double: double(row[0]), todo.text)  # type: ignore[misc]
        task = todo.task("g/two")
        assert (task.marker.due, task.marker.pinned) == (TODAY.replace(month=9, day=8), True)
        assert todo.sync().actions == {}
        assert len(re.findall(r"(?m)^\S+ g/two ", todo.text)) == 1
