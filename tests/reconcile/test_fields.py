"""What people change in fields that only some services hold: their own stays, and nothing moves by itself."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.codec import DIGESTS, read_marker
from tests.connectors.contract import World
from tests.histories.in_memory import InMemory
from tests.histories.service import EXACT, SAFE

ITEMS = st.lists(st.sampled_from("abcdef"), max_size=4, unique=True)


def a_world(folder: Path | None = None, **said: Any) -> World:
    world = World(InMemory(EXACT), folder or Path(tempfile.mkdtemp()))
    world.step("two", **said)
    world.sync()
    return world


def change(world: World, key: str, **values: Any) -> None:
    """Let a person change fields of a task."""
    service: object = world.service
    assert isinstance(service, InMemory)
    native_id = world.native_id(key)
    held = service.tasks[native_id]
    service.tasks[native_id] = replace(held, content=replace(held.content, **values))


@pytest.mark.parametrize("name", ["labels", "checklist"])
@given(first=ITEMS, then=ITEMS, theirs=ITEMS)
def test_what_people_add_is_never_removed(name: str, first: list[str], then: list[str], theirs: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = a_world(Path(folder), **{name: first})
        added = (*first, *(item for item in theirs if item not in first))
        change(world, "g/two", **{name: added})
        world.sync()
        assert getattr(world.tasks()["g/two"].content, name) == added
        world.step("two", **{name: then})
        world.sync()
        held = getattr(world.tasks()["g/two"].content, name)
        assert set(held) >= {*then, *(set(theirs) - set(first))}
        if added == tuple(first):
            assert held == tuple(then)


def test_who_a_person_gave_a_task_to_does_it_until_the_file_names_another(tmp_path: Path) -> None:
    world = a_world(tmp_path, who="jasmine")
    change(world, "g/two", who="omar")
    world.sync()
    assert world.tasks()["g/two"].content.who == "omar"
    world.step("two", who="li")
    world.sync()
    assert world.tasks()["g/two"].content.who == "li"
    assert "who was: omar" in world.service.text()


def test_the_goal_s_own_person_does_what_names_nobody(tmp_path: Path) -> None:
    world = World(InMemory(SAFE), tmp_path)
    world.goal["who"] = "jasmine"
    world.step("two", who="omar")
    world.sync()
    assert {key: task.content.who for key, task in world.tasks().items()} == {
        "g": "jasmine",
        "g/one": "jasmine",
        "g/two": "omar",
        "g/three": "jasmine",
    }


def test_a_first_day_stands_while_the_plan_stands(tmp_path: Path) -> None:
    """On the days before, on its first days, when it is under way, and when it is overdue."""
    world = a_world(tmp_path)
    starts = {key: task.content.start for key, task in world.tasks().items()}
    first = starts["g/one"]
    assert first is not None
    for days in range(-2, 7):
        world.today = first + timedelta(days)
        world.sync()
        assert {key: task.content.start for key, task in world.tasks().items()} == starts


def test_a_first_day_that_a_person_moved_stays_until_the_plan_moves_it(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    change(world, "g/two", start=date(2027, 9, 1))
    world.sync()
    assert world.tasks()["g/two"].content.start == date(2027, 9, 1)
    world.step("two", takes="9 days")
    world.sync()
    assert world.tasks()["g/two"].content.start == date(2027, 9, 20)


def test_a_link_that_is_gone_is_put_back_and_one_that_a_person_made_stays(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    change(world, "g/two", after=())
    change(world, "g/three", after=(world.native_id("g/one"), world.native_id("g/two")))
    world.sync()
    after = {key: task.content.after for key, task in world.tasks().items()}
    assert (after["g/two"], after["g/three"]) == (("g/one",), ("g/one", "g/two"))


def test_a_marker_from_before_these_fields_is_read_as_one_without_them() -> None:
    marker = read_marker("bp1 b0296bd170 me/goals g/two 1 2027-05-07 - upvic5...p36fqc.flgnfj")
    assert marker is not None
    assert set(marker.applied) == set(DIGESTS)
    assert (marker.applied["timing"], marker.applied["who"]) == ("flgnfj", "")
