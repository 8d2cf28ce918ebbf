"""`dates: start`: a task's date is the first day of its step; what people do to it means what they see."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import InputError
from config.settings import Environment
from connectors.base import Action
from connectors.todoist.connector import TodoistByStart, TodoistConnector
from tests.connectors.contract import World, a_goal
from tests.connectors.todoist_account import NOW, TodoistAccount, TodoistByStartAccount
from tests.servers.todoist import FREE, PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTES = "With the big spoon"
DAYS = {"g/one": ("2027-09-19", "2027-09-21"), "g/two": ("2027-09-22", "2027-09-28")}


@pytest.fixture(params=[PRO, pytest.param(FREE, marks=pytest.mark.proof)], ids=["pro", "free"])
def server(request: pytest.FixtureRequest) -> Iterator[TodoistServer]:
    with TodoistServer(Todoist(request.param, now=NOW)) as server:
        yield server


@pytest.fixture
def world(server: TodoistServer, tmp_path: Path) -> World:
    """Our four tasks, synced."""
    world = World(TodoistByStartAccount(server), tmp_path, a_goal(start="2027-08-01"))
    world.step("two", notes=NOTES)
    world.sync()
    return world


def shown(world: World) -> Todoist:
    assert isinstance(world.service, TodoistAccount)
    return world.service.todoist


def task(world: World, key: str) -> dict[str, Any]:
    return shown(world).task(world.native_id(key))


def dates(world: World, key: str) -> tuple[str, str]:
    """Return the first and the last day of a task, as somebody who looks at it sees them."""
    found = task(world, key)
    first_line = found["description"].split("\n")[0]
    last = found["deadline"]["date"] if found["deadline"] else first_line.removeprefix("Last day: ")
    return found["due"]["date"], last


def days_of(world: World) -> dict[str, tuple[date | None, date | None, bool]]:
    return {key: (t.content.start, t.content.due, t.marker.pinned) for key, t in world.tasks().items()}


def test_a_task_has_the_first_day_as_its_date_and_the_last_one_where_there_is_room(world: World) -> None:
    pro = shown(world).owner.plan is PRO
    assert dates(world, "g/two") == ("2027-09-22", "2027-09-28" if pro else "Tue 28 Sep 2027")
    two = task(world, "g/two")
    assert two["duration"] == ({"amount": 7, "unit": "day"} if pro else None)
    assert two["description"].split("\n\n")[:-1] == ([] if pro else ["Last day: Tue 28 Sep 2027"]) + [NOTES]
    goal = task(world, "g")
    assert goal["due"]["date"] == "2027-09-30"
    assert (goal["duration"], goal["deadline"] and goal["deadline"]["date"]) == (None, "2027-09-30" if pro else None)
    assert world.tasks()["g/two"].content.notes == NOTES


def test_to_switch_the_option_on_and_off_pins_nothing_and_leaves_nothing(server: TodoistServer, tmp_path: Path) -> None:
    world = World(TodoistAccount(server), tmp_path)
    world.sync()
    before, plan = shown(world).state()["items"], {key: t.content.due for key, t in world.tasks().items()}
    for service in (TodoistByStartAccount(server), TodoistAccount(server)):
        world.service = service
        world.sync()
        found = world.tasks()
        assert {key: t.content.due for key, t in found.items()} == plan
        assert not any(t.marker.pinned for t in found.values())
        assert (found["g/two"].content.start is not None) == isinstance(service, TodoistByStartAccount)
    after = shown(world).state()["items"]
    volatile = ("updated_at", "added_at")
    assert _without(after, volatile) == _without(before, volatile)


def _without(items: dict[str, dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in item.items() if name not in names}
        for item in items.values()
        if item["content"] != "backplan's memory, keep this"
    ]


def test_a_first_day_moved_within_the_span_is_theirs_and_the_last_one_stays(world: World) -> None:
    before = days_of(world)
    shown(world).set_due(world.native_id("g/two"), date(2027, 9, 25))
    world.sync()
    assert days_of(world) == {**before, "g/two": (date(2027, 9, 25), *before["g/two"][1:])}
    world.step("one", notes="Something else")
    world.sync()
    assert task(world, "g/two")["due"]["date"] == "2027-09-25"


@pytest.mark.parametrize(
    ("first", "last"), [(date(2027, 10, 4), date(2027, 10, 10)), (date(2027, 9, 1), date(2027, 9, 7))]
)
def test_a_first_day_moved_out_of_the_span_moves_the_step(world: World, first: date, last: date) -> None:
    shown(world).set_due(world.native_id("g/two"), first)
    done = world.sync()
    assert days_of(world)["g/two"] == (first, last, True)
    assert not [task for task in done.found.views[0].tasks.values() if task.touched]


def test_a_step_that_is_moved_as_a_whole_keeps_its_number_of_working_days(world: World) -> None:
    world.settings = {"calendar": {"workdays": ["mon", "tue", "wed", "thu", "fri"]}}
    world.step("one", takes="4 days")
    world.sync()
    assert dates(world, "g/one")[0] == "2027-09-16"  # a Thursday; it ends on Tuesday
    shown(world).set_due(world.native_id("g/one"), date(2027, 8, 14))  # a Saturday
    world.sync()
    assert days_of(world)["g/one"] == (date(2027, 8, 16), date(2027, 8, 19), True)


def test_a_changed_deadline_is_the_last_day(world: World) -> None:
    if shown(world).owner.plan is FREE:
        pytest.skip("the account has no deadlines")
    shown(world).set_deadline(world.native_id("g/two"), date(2027, 9, 27))
    world.sync()
    assert days_of(world)["g/two"] == (date(2027, 9, 21), date(2027, 9, 27), True)
    assert task(world, "g/two")["due"]["date"] == "2027-09-21"


def test_a_duration_that_a_person_changed_is_theirs(world: World) -> None:
    if shown(world).owner.plan is FREE:
        pytest.skip("the account has no durations")
    shown(world).set_duration(world.native_id("g/two"), 2)
    shown(world).set_duration(world.native_id("g/three"), None)
    world.step("one", takes="5 days")
    world.step("two", takes="9 days")
    world.step("three", takes="4 days")
    world.sync()
    found = {key: task(world, key)["duration"] for key in ("g/one", "g/two", "g/three")}
    assert {key: length and length["amount"] for key, length in found.items()} == {
        "g/one": 5,
        "g/two": 2,
        "g/three": None,
    }


def test_the_line_with_the_last_day_is_no_note_of_anybody(world: World) -> None:
    native_id = world.native_id("g/two")
    described = task(world, "g/two")["description"]
    shown(world).set_description(native_id, described.replace(NOTES, "Mine"))
    world.sync()
    assert world.tasks()["g/two"].content.notes == "Mine"
    world.goal["deadline"] = "2027-10-07"
    done = world.sync()
    assert done.actions["g/two"] is Action.UPDATE
    assert "notes" not in next(c.fields for plan in done.plans for c in plan.changes if c.key == "g/two")
    assert world.tasks()["g/two"].content.notes == "Mine"
    assert dates(world, "g/two")[1] in ("2027-10-05", "Tue 5 Oct 2027")


def test_a_note_that_looks_like_our_line_is_a_note(world: World) -> None:
    world.step("two", notes="Last day: Tue 5 Oct 2027\nof the sale")
    world.sync()
    assert "of the sale" in world.tasks()["g/two"].content.notes
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert "Last day:\N{NO-BREAK SPACE}Tue 5 Oct 2027\nof the sale" in task(world, "g/two")["description"]


def test_a_run_can_be_undone(world: World) -> None:
    before = days_of(world)
    world.goal["deadline"] = "2027-10-07"
    done = world.sync()
    world.undo(done)
    assert days_of(world) == before


def test_the_option_takes_two_words(tmp_path: Path) -> None:
    def made(**options: str) -> object:
        return TodoistConnector.configure(options, "me/goals", Environment.of_process(tmp_path))

    assert isinstance(made(project="Goals", dates="start"), TodoistByStart)
    assert not isinstance(made(dates="due"), TodoistByStart)
    with pytest.raises(InputError, match=r"invalid `dates: begin`; expected `due` or `start`"):
        made(dates="begin")


@pytest.mark.proof
@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.integers(-40, 40), st.booleans()), max_size=4))
def test_whatever_people_drag_the_next_run_agrees_with_itself(
    tmp_path_factory: pytest.TempPathFactory, drags: list[tuple[str, int, bool]]
) -> None:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        world = World(TodoistByStartAccount(server), tmp_path_factory.mktemp("drags"))
        world.sync()
        for name, by, deadline in drags:
            native_id = world.native_id(f"g/{name}")
            day = date.fromisoformat(server.service.task(native_id)["due"]["date"]) + timedelta(by)
            (server.service.set_deadline if deadline else server.service.set_due)(native_id, day)
            world.sync()  # which finds nothing left to do at once
            for key, found in world.tasks().items():
                assert found.content.due == found.marker.due, key
                assert (
                    found.content.start is None or found.content.due is None or found.content.start <= found.content.due
                )
