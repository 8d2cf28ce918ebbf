"""Lines that read as one would write them: an id is all that marks them, and the rest is in the state."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RefusedError
from config.settings import Environment
from connectors.base import Action
from connectors.codec import DIGESTS
from connectors.markdown.connector import MarkdownConnector
from connectors.markdown.state import Plan, Row, read_row, write_row
from connectors.model import Marker, StepState, StoredKey, client_nonce, digest
from sync.run import pipeline, reading
from sync.run.homes import Binding
from tests.connectors.contract import NAMESPACE, TODAY, a_goal, load, run
from tests.connectors.markdown.test_markdown import MEMORY, List, as_of_before, kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHORT = client_nonce(NAMESPACE, "g/two", 1)[:7]


@pytest.fixture
def todo(tmp_path: Path) -> List:
    """A list that was synced once."""
    new = List(tmp_path)
    new.sync()
    return new


@pytest.fixture
def old(todo: List) -> List:
    """The list as an earlier version wrote it."""
    return as_of_before(todo)


def test_nothing_but_title_and_signs_stands_in_a_line(todo: List) -> None:
    todo.step("two", priority="high")
    todo.sync()
    lines = todo.text.partition(MEMORY)[0].strip().split("\n")[-4:]
    assert [re.sub("🆔 [0-9a-f]{7}$", "🆔", line) for line in lines] == [
        "- [ ] Reach it 📅 2027-09-30 🆔",
        "    - [ ] Begin 🛫 2027-09-19 📅 2027-09-21 🆔",
        "    - [ ] Go on ⏫ 🛫 2027-09-22 📅 2027-09-28 🆔",
        "    - [ ] Finish 🛫 2027-09-29 📅 2027-09-30 🆔",
    ]


def test_the_first_day_stands_there_where_it_is_not_the_due_day(todo: List) -> None:
    todo.step("two", takes="1 day")
    todo.sync()
    assert "Go on 📅 2027-09-28 🆔" in todo.line("g/two")
    todo.step("two", takes="2 days")
    todo.sync()
    assert "Go on 🛫 2027-09-27 📅 2027-09-28 🆔" in todo.line("g/two")


def test_a_first_day_that_a_person_gave_stays_until_the_plan_moves_it(todo: List) -> None:
    todo.edit("g/two", lambda line: line.replace("🛫 2027-09-22", "🛫 2027-09-24"))
    line = todo.line("g/two")
    done = todo.sync()
    assert done.actions == {}
    assert "theirs stays" in kept(done)["g/two"]
    assert (todo.line("g/two"), todo.task("g/two").marker.pinned) == (line, False)
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()
    assert "🛫 2027-09-29 📅 2027-10-05" in todo.line("g/two")
    assert "        start was: 2027-09-24\n" in todo.text


def test_the_day_is_written_behind_a_tick_once(todo: List) -> None:
    todo.edit("g/two", lambda line: f"{line.replace('[ ]', '[X]')} #tag ^abc")
    line = todo.line("g/two")
    todo.sync()
    assert todo.line("g/two") == line.replace(" ^abc", " ✅ 2027-07-20 ^abc")
    todo.edit("g/two", lambda line: line.replace(" ✅ 2027-07-20", ""))
    assert todo.sync(date(2027, 7, 21)).actions == {}
    assert todo.line("g/two") == line
    todo.step("one", title="Begin at last")
    todo.sync(date(2027, 7, 21))
    assert todo.line("g/two") == line


# Lists of earlier versions


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_of_an_earlier_version_is_rewritten_line_by_line_as_it_changes(old: List, end: str) -> None:
    old.text = before = old.text.replace("\n", end)
    assert old.sync().actions == {}
    assert old.text == before
    old.step("two", title="Other words")
    old.sync()
    assert old.line("g/two") == old.light["g/two"].replace("Go on", "Other words")
    assert [key for key in old.light if "<!-- bp1" in old.line(key)] == ["g", "g/one", "g/three"]
    assert '{"goal"' not in old.text
    assert f"keep this{end}2{end}" in old.text
    assert end == "\n" or "\n" not in old.text.replace("\r\n", "")
    old.goal["deadline"] = "2027-10-07"
    old.sync()
    assert "<!-- bp1" not in old.text


@pytest.mark.parametrize("alone", [True, False])
def test_an_id_in_a_line_of_an_earlier_version_becomes_its_own_where_no_other_line_has_it(
    old: List, alone: bool
) -> None:
    """Others' ⛔ point to it."""
    for key in ("g/two",) if alone else ("g/two", "g/three"):
        old.edit(key, lambda line: f"{line} 🆔 Abc-1")
    assert old.sync().actions == {}
    for deadline in ("2027-10-07", "2027-10-08"):
        old.goal["deadline"] = deadline
        old.sync()
    assert [line.count("🆔 Abc-1") for line in (old.line("g/two"), old.line("g/three"))] == [int(alone), 0]
    assert [old.line(key).count("🆔") for key in ("g/two", "g/three")] == [1, 1]


def test_an_id_that_somebody_gave_a_line_that_is_taken_back_becomes_its_own(todo: List) -> None:
    todo.edit("g/two", lambda line: line.replace(SHORT, "their1"))
    assert todo.sync().actions == {"g/two": Action.REPAIR}
    assert todo.line("g/two").endswith("🆔 their1")
    todo.edit("g/two", lambda line: line.replace("[ ]", "[x]"))
    todo.sync()
    assert todo.state("g/two") == "done"


# Ids


def test_an_id_that_is_in_use_gets_more_letters(tmp_path: Path) -> None:
    first: dict[str, str] = {}
    for number in range(1_000_000):  # it takes some ten thousand
        nonce = client_nonce(NAMESPACE, f"g/s{number}", 1)
        if nonce[:7] in first:
            break
        first[nonce[:7]] = f"s{number}"
    todo = List(tmp_path)
    todo.goal["steps"] = [{"id": name, "title": name, "takes": "1 day"} for name in (first[nonce[:7]], f"s{number}")]
    todo.sync()
    assert todo.line(f"g/{first[nonce[:7]]}").endswith(f" 🆔 {nonce[:7]}")
    assert todo.line(f"g/s{number}").endswith(f" 🆔 {nonce[:9]}")
    todo.goal["deadline"] = "2027-10-07"
    todo.sync()


@pytest.mark.parametrize("change", ["lower to upper case", "all letters", "nine letters"])
def test_another_spelling_of_an_id_is_mended(todo: List, change: str) -> None:
    line, nonce = todo.line("g/two"), todo.task("g/two").native_id
    new = {"lower to upper case": SHORT.upper(), "all letters": nonce, "nine letters": nonce[:9]}[change]
    todo.text = todo.text.replace(f"🆔 {SHORT}", f"🆔 {new}")
    assert todo.sync().actions == {"g/two": Action.REPAIR}
    assert todo.line("g/two") == line


def test_a_newer_format_stops_everything(todo: List) -> None:
    todo.text = before = todo.text.replace("keep this\n2\n", "keep this\n3\n")
    homes = (Binding(todo.connector, frozenset({"g"})),)
    for rebuild in (False, True):
        with pytest.raises(RefusedError, match="newer version"):
            reading.read(load(todo.folder, todo.goal), homes, TODAY, rebuild=rebuild)
    assert todo.text == before


# A state that is lost


def rebuild(todo: List, **goal: str) -> None:
    """Run once that makes a new memory."""
    homes = (Binding(todo.connector, frozenset({"g"})),)
    found = reading.read(load(todo.folder, todo.goal, **goal), homes, TODAY, rebuild=True)
    pipeline.apply(pipeline.make_plans(found), homes, lambda _: None)


LOST: dict[str, Callable[[List], object]] = {
    "as it was": lambda todo: None,
    "dragged": lambda todo: todo.edit("g/two", lambda line: line.replace("📅 2027-09-28", "📅 2027-09-20")),
    "ticked": lambda todo: todo.edit("g/two", lambda line: line.replace("[ ]", "[x]")),
    "made three times": lambda todo: again(again(todo)),
    "renamed": lambda todo: todo.step("two", id="second", was="two"),
}


def again(todo: List) -> List:
    """Delete a line, and have it made again."""
    todo.settings["on_delete"] = "recreate"
    todo.edit("g/two", lambda _: "")
    todo.sync()
    return todo


@pytest.mark.parametrize("change", LOST)
def test_lines_are_known_by_their_ids_when_the_state_is_lost(todo: List, change: str) -> None:
    LOST[change](todo)
    todo.text = before = todo.text.partition(MEMORY)[0]
    with pytest.raises(
        RefusedError, match=r"the memory beside our 4 tasks is gone.*--rebuild.*count as yours any more"
    ):
        todo.sync()
    assert todo.text == before
    rebuild(todo)
    assert todo.sync().actions == {}
    assert len(re.findall(r"\] Go on ", todo.text)) == 1
    assert todo.state("g/second" if change == "renamed" else "g/two") == ("done" if change == "ticked" else "live")


def test_times_of_a_step_that_repeats_are_known_by_the_day_in_their_lines(tmp_path: Path) -> None:
    todo = List(tmp_path)
    todo.goal = a_goal(steps=[{"id": "run", "title": "Run", "takes": "1 day", "every": "2 weeks"}])
    todo.sync()
    times = todo.text.count("] Run ")
    todo.text = todo.text.partition(MEMORY)[0]
    rebuild(todo)
    assert todo.sync().actions == {}
    assert todo.text.count("] Run ") == times > 1


def test_a_line_with_an_id_that_may_be_ours_counts_as_a_state_that_is_lost(tmp_path: Path) -> None:
    todo = List(tmp_path)
    todo.text = before = "- [ ] Go on 📅 2027-09-28 🆔 0123abc\n"
    with pytest.raises(RefusedError, match=r"lines end in an id of backplan's, and the memory at the end is gone"):
        todo.sync()
    assert todo.text == before


def test_a_line_whose_row_is_lost_is_ours_by_its_key(todo: List) -> None:
    before = todo.text
    todo.text = re.sub(r"\n\S+ g/two .*", "", before)
    assert todo.sync().actions == {"g/two": Action.REPAIR}
    assert sorted(todo.text.split("\n")) == sorted(before.split("\n"))


# What comes before


def test_dependencies_are_shown_where_the_file_asks_for_them(tmp_path: Path) -> None:
    todo = List(tmp_path)
    connector = MarkdownConnector.configure({"dependencies": True}, NAMESPACE, Environment.of_process(tmp_path))

    def sync() -> dict[str, Action]:
        done = run(load(tmp_path, todo.goal), [connector], TODAY)
        assert run(load(tmp_path, todo.goal), [connector], TODAY).silent
        return done.actions

    sync()
    one, two, three = (client_nonce(NAMESPACE, f"g/{name}", 1)[:7] for name in ("one", "two", "three"))
    assert "⛔" not in todo.line("g/one")
    assert todo.line("g/two").endswith(f" 🆔 {two} ⛔ {one}")
    assert todo.line("g/three").endswith(f" 🆔 {three} ⛔ {two}")
    assert not todo.task("g/three").touched
    todo.edit("g/three", lambda line: line.replace(f"⛔ {two}", f"⛔ other,{two},{one}"))
    assert sync() == {}
    todo.edit("g/two", lambda line: line.replace(f" ⛔ {one}", ""))
    assert sync() == {"g/two": Action.UPDATE}
    assert todo.line("g/two").endswith(f" 🆔 {two} ⛔ {one}")
    todo.goal["steps"].insert(2, {"id": "new", "title": "Think", "takes": "1 day"})
    sync()
    new = todo.line("g/new").partition("🆔 ")[2].split()[0]
    assert todo.line("g/new").endswith(f" ⛔ {two}")
    assert set(todo.line("g/three").partition("⛔ ")[2].split(",")) >= {"other", new}


# Rows


DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))
KEYS = st.from_regex(r"[a-z][a-z0-9-]{0,20}(/[a-z0-9-]{1,20}/?(@2027-08-01)?)?", fullmatch=True)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    key = draw(KEYS)
    generation = draw(st.integers(1, 12))
    nonce = draw(st.sampled_from([client_nonce(NAMESPACE, key, generation), "0123456789"]))
    state: StepState = draw(st.sampled_from(["pending", "live", "done", "dropped", "removed"]))
    start, due = sorted((draw(DAYS), draw(DAYS)))
    days = draw(st.sampled_from([None, (start, due), (due, due)]))
    entry = StoredKey(state, nonce, generation, draw(st.none() | DAYS), draw(st.sampled_from(["", "abc23de"])))
    text = st.sampled_from(["", "abcdef", digest("none"), digest(start)])
    applied = {name: draw(text) for name in DIGESTS}
    marker = Marker(
        NAMESPACE, key, nonce, generation, draw(st.sampled_from([None, start, due])), draw(st.booleans()), applied
    )
    plan = draw(st.sampled_from([None, Plan(start), Plan(start, due, "abc.d2")]))
    entries = draw(st.sampled_from([entry, None]))
    return Row(nonce[:7], key, nonce, entries, days, draw(st.sampled_from([marker, None])) if entries else marker, plan)


@given(rows())
def test_what_is_written_of_a_task_is_read(row: Row) -> None:
    assert read_row(write_row(row, NAMESPACE), NAMESPACE) == row


def test_a_row_takes_few_letters(todo: List) -> None:
    named = [{"id": f"review-practice-questions-{n}", "title": "Review", "takes": "3 days"} for n in range(30)]
    todo.goal["steps"] = named
    todo.sync()
    state = todo.text.partition(MEMORY)[2]
    assert len(state) <= 90 * len(named)
