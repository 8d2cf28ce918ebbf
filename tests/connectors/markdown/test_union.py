"""Two branches' lists, merged by git with `merge=union`, which keeps the lines of both: nothing done in either is lost.

In each branch a person does things to lines, and runs backplan or does not. Then one list must come of the two, with
each step in it once, and a second run must have nothing to do.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Action
from tests import tiers
from tests.connectors.markdown.test_markdown import MEMORY, List, as_of_before

KEYS = ("g/one", "g/two", "g/three")
NEXT_DAY = date(2027, 7, 21)


@dataclass(frozen=True)
class Branch:
    """What a person did to lines, by key, and whether backplan ran after it."""

    deeds: tuple[tuple[str, str], ...]
    runs: bool


DEED = st.one_of(
    st.sampled_from(["[x]", "[x]", "[-]", "deleted"]),
    st.dates(date(2027, 9, 22), date(2027, 9, 27)).map(lambda day: f"📅 {day}"),
    st.sampled_from(["Others", "Words"]),
)
BRANCHES = st.builds(
    Branch,
    st.dictionaries(st.sampled_from(KEYS), DEED, max_size=2).map(lambda deeds: tuple(deeds.items())),
    st.booleans(),
)


def do(todo: List, branch: Branch) -> str:
    """Do what was done in a branch, and return its list."""
    for key, deed in branch.deeds:
        todo.edit(key, lambda line, deed=deed: changed(line, deed))  # type: ignore[misc]
    if branch.runs:
        todo.sync()
    return todo.text


def changed(line: str, deed: str) -> str:
    """Return a line after a deed."""
    if deed == "deleted":
        return ""
    if deed.startswith("["):
        return line.replace("[ ]", deed)
    if deed.startswith("📅"):
        return re.sub("📅 .{10}", deed, line)
    return re.sub(r"\] .*?(?= [🛫📅<])", f"] {deed}", line)


def union(folder: Path, ours: str, base: str, theirs: str) -> str:
    """Return what git's `merge=union` makes of two branches."""
    paths = [folder / name for name in ("ours", "base", "theirs")]
    for path, text in zip(paths, (ours, base, theirs), strict=True):
        path.write_text(text, encoding="utf-8")
    command = ["git", "merge-file", "--union", "--stdout", *map(str, paths)]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


@given(BRANCHES, BRANCHES, st.booleans())
@settings(max_examples=tiers.examples(120))
def test_what_was_done_in_two_branches_is_done_in_their_union(ours: Branch, theirs: Branch, old: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        todo = List(Path(folder))
        todo.sync()
        base = as_of_before(todo).text if old else todo.text
        lists = []
        for branch in (ours, theirs):
            todo.text = base
            lists.append(do(todo, branch))
        todo.text = merged = union(Path(folder), lists[0], base, lists[1])
        todo.sync(NEXT_DAY)
        ids = re.findall("🆔 (\\S+)", todo.text)
        assert (todo.text.count(MEMORY), len(ids)) == (1, len(set(ids))), merged
        for key in KEYS:
            deeds = {deed for branch in (ours, theirs) for one, deed in branch.deeds if one == key}
            check(todo, key, deeds, merged, fresh=not (ours.runs or theirs.runs))


def check(todo: List, key: str, deeds: set[str], merged: str, *, fresh: bool) -> None:
    """See that a step is in the memory once, and that what was done to its line counts.

    fresh: no run has seen any of it. Else the date of a line that a run has moved since is only named and left there.
    """
    head, _, state = todo.text.partition(MEMORY)
    assert len(re.findall(rf"(?m)^\S+ {key} [pldxr]", state)) <= 1, merged
    if "[x]" in deeds:
        assert todo.state(key) == "done", merged
    assert {deed for deed in deeds if deed[0] in "📅OW" and deed not in head} == set(), merged
    if fresh and deeds and all(deed.startswith("📅") for deed in deeds):
        task = todo.task(key)
        assert (f"📅 {task.content.due}" in deeds, task.marker.pinned) == (True, True), merged


def test_of_two_dates_for_one_step_the_upper_counts_and_the_other_is_named(tmp_path: Path) -> None:
    todo = List(tmp_path)
    todo.sync()
    base = todo.text
    ours, theirs = (re.sub("(Go on .*📅).*(?= 🆔)", rf"\1 {day}", base) for day in ("2027-09-24", "2027-09-26"))
    todo.text = union(tmp_path, ours, base, theirs)
    changes = [change for plan in todo.sync().plans for change in plan.changes]
    (reason,) = (change.reason for change in changes if change.action is Action.DETACH)
    assert reason.endswith("; todo.md:8: 📅 2027-09-26 does not count, as todo.md:7 has the same 🆔")
    assert (todo.task("g/two").content.due, todo.task("g/two").marker.pinned) == (date(2027, 9, 24), True)
    assert "    - [ ] Go on 🛫 2027-09-22 📅 2027-09-26\n" in todo.text
