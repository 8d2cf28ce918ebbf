"""Markers as links to the page of the plan: people see one word, and both forms are read for ever."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import DIGESTS
from connectors.model import Marker
from connectors.ownership import marker_of
from connectors.todoist.description import join, split, with_marker
from tests.connectors.contract import World, run
from tests.connectors.todoist_account import NOW, TodoistAccount, TodoistWithPageAccount
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "https://me.github.io/goals"
NOTES = "With the big spoon"
MARKER = Marker("me/goals", "g/two", "3f9a2c01d4", applied=dict.fromkeys(DIGESTS, ""))
PAGES = st.sampled_from(["", PAGE, "https://git.example.org/me/goals/-/blob/main/a(b)%20c.yaml?plain=1&x=[y]_*z*"])


@pytest.fixture
def server() -> Iterator[TodoistServer]:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        yield server


@pytest.fixture
def world(server: TodoistServer, tmp_path: Path) -> World:
    """Our four tasks, synced, with plain markers."""
    world = World(TodoistAccount(server), tmp_path)
    world.step("two", notes=NOTES)
    world.sync()
    return world


def described(world: World, key: str) -> str:
    assert isinstance(world.service, TodoistAccount)
    description: str = world.service.todoist.task(world.native_id(key))["description"]
    return description


def describe(world: World, key: str, text: str) -> None:
    assert isinstance(world.service, TodoistAccount)
    world.service.todoist.set_description(world.native_id(key), text)


def are_links(world: World) -> dict[str, bool]:
    return {key: described(world, key).endswith(")") for key in world.tasks()}


@given(PAGES, PAGES, st.lists(st.sampled_from(["", " ", NOTES, "[x](y)", "(", "[backplan](https://a.example)"])))
def test_what_was_written_is_read_again_in_either_form(before: str, now: str, lines: list[str]) -> None:
    notes = "\n".join(lines).strip()
    text = join(notes, MARKER, before)
    for description in (text, with_marker(text, MARKER, now), text.replace("%20", "%2520"), f"{text}\n"):
        found, line = split(description)
        assert (found, marker_of(line, "me/goals")) == (notes, MARKER)
    last = with_marker(text, MARKER, now).split("\n")[-1]
    assert re.fullmatch(r"\[backplan\]\(https://[^\s()]+#g/two\?bp1[^\s()]+\)" if now else r"bp1 .*", last)
    assert with_marker(text, None) == notes


def test_a_page_rewrites_tasks_one_by_one_as_they_change(server: TodoistServer, world: World) -> None:
    world.service = TodoistWithPageAccount(server)
    sent = len(server.log)
    assert run(world.project, [world.service.connector()], world.today).silent
    assert sum(entry.commands for entry in server.log[sent:]) == 0
    world.step("two", title="Go on further")
    world.sync()
    assert are_links(world) == {"g": False, "g/one": False, "g/two": True, "g/three": False}
    head, link = described(world, "g/two").split("\n\n")
    assert head == NOTES
    assert link.startswith(f"[backplan]({PAGE}#g/two?bp1%20")
    world.service = TodoistAccount(server)  # the file does not name the page any more
    assert run(world.project, [world.service.connector()], world.today).silent
    world.step("two", title="Go on")
    world.sync()
    assert are_links(world)["g/two"] is False
    assert world.tasks()["g/two"].content.notes == NOTES


def test_words_below_the_link_are_the_persons_and_the_link_moves_below_them(
    world: World, server: TodoistServer
) -> None:
    world.service = TodoistWithPageAccount(server)
    world.step("two", title="Go on further")
    world.sync()
    describe(world, "g/two", f"{described(world, 'g/two')}\nAsk Ann")
    world.sync()
    text = described(world, "g/two")
    assert text.count("bp1") == 1
    assert text.split("\n")[-1].startswith("[backplan](")
    assert world.tasks()["g/two"].content.notes == f"{NOTES}\n\nAsk Ann"
    assert run(world.project, [world.service.connector()], world.today).silent


def test_the_link_of_another_task_in_somebodys_notes_stays_there(world: World, server: TodoistServer) -> None:
    world.service = TodoistWithPageAccount(server)
    world.step("two", title="Go on further")
    world.sync()
    link = described(world, "g/two").split("\n")[-1]
    todoist = server.service
    theirs = todoist.add_task("Buy milk", todoist.task(world.native_id("g/two"))["project_id"])
    todoist.set_description(theirs, f"For this:\n{link}\nand that")
    describe(world, "g/one", f"{link}\n\n{described(world, 'g/one')}")
    world.sync()
    assert todoist.task(theirs)["description"] == f"For this:\n{link}\nand that"
    assert link in described(world, "g/one")
    assert len(world.tasks()) == 4


@pytest.mark.parametrize("rest", ["bp1%20oops", "bp1", "bp1%20%ZZ", "bp9%20" + quote("3f9a2c01d4 you/plans x")])
def test_a_link_that_cannot_be_read_is_damaged_and_written_again(
    world: World, server: TodoistServer, rest: str
) -> None:
    world.service = TodoistWithPageAccount(server)
    describe(world, "g/two", f"{NOTES}\n\n[backplan]({PAGE}#g/two?{rest})")
    world.sync()
    assert world.tasks()["g/two"].content.notes == NOTES
    assert described(world, "g/two").count("bp") == 1
    assert run(world.project, [world.service.connector()], world.today).silent
