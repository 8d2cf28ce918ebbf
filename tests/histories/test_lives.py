"""Whole lives of a plan: the file changes, people work in their apps, runs fail at any request, and nothing is lost.

The lives themselves are in `tests.histories`; here hypothesis draws them, and shrinks one that went wrong to its few
decisive events. Below stand lives that once went wrong, told in full.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from config.errors import RefusedError
from config.keys import step_of
from config.project import EVERYBODY
from connectors.base import Action
from connectors.codec import read_marker
from sync.reports.warnings import warnings
from sync.run import pipeline, reading
from sync.run.homes import Binding
from sync.schedule.model import State
from tests.connectors.contract import a_goal, load, run
from tests.histories.choices import Event
from tests.histories.in_memory import TODAY, InMemory, a_project
from tests.histories.service import EXACT, FILE, KINDS, SAFE, UNIQUE, Fault, Killed, Kind
from tests.histories.world import EVENTS, Life
from tests.tiers import examples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.histories.process import Run

NAMES = [name for name, (weight, _) in EVENTS.items() for _ in range(weight)]
HOMES = [(kind,) for kind in KINDS] + [(SAFE, FILE), (UNIQUE, SAFE)]


class LivesOfHypothesis(RuleBasedStateMachine):
    """One plan in one app or two, of any kind. Every promise is looked at after every event."""

    @initialize(homes=st.sampled_from(HOMES), steps=st.integers(0, 4), full=st.booleans())
    def begin(self, homes: tuple[Kind, ...], steps: int, full: bool) -> None:  # hypothesis passes it
        project = a_project(steps)
        if full:
            project = replace(project, capacity={EVERYBODY: 1}).with_goals(lambda g: replace(g, when_full="earlier"))
        self.life = Life(project, homes, TODAY)

    @rule(name=st.sampled_from(NAMES), luck=st.integers(0, 1 << 40))
    def happen(self, name: str, luck: int) -> None:
        self.life.happen(Event(name, luck))

    def teardown(self) -> None:
        self.life.happen(Event("sync", 0))


# A life that fails is shrunk for minutes: HYPOTHESIS_PROFILE=thorough does it, and tries many more.
THOROUGH = settings.get_current_profile_name() == "thorough"
TestLives = LivesOfHypothesis.TestCase
TestLives.settings = settings(
    max_examples=4000 if THOROUGH else examples(120),
    derandomize=not THOROUGH,
    stateful_step_count=30,
    phases=list(Phase) if THOROUGH else [Phase.explicit, Phase.reuse, Phase.generate],
)


# Lives that once went wrong, told in full


@dataclass
class Two:
    """The goal of the contract in two apps."""

    folder: Path
    a: InMemory = field(default_factory=InMemory)
    b: InMemory = field(default_factory=InMemory)
    goal: dict[str, Any] = field(default_factory=a_goal)

    def sync(self) -> Run:
        connectors = [self.a.connector(name="a"), self.b.connector(name="b")]
        try:
            return run(load(self.folder, self.goal), connectors, TODAY, allow=True)
        finally:
            self.a.heal()
            self.b.heal()

    def planned(self, key: str) -> date | None:
        """Return the date that the plan gives a step by now."""
        connectors = [self.a.connector(name="a"), self.b.connector(name="b")]
        goals = run(load(self.folder, self.goal), connectors, TODAY, write=False).found.schedule.goals
        return next(step.due for goal in goals for step in goal.steps if step.step.key == key)

    def step(self, number: int, **changes: Any) -> None:
        self.goal["steps"][number] = {**self.goal["steps"][number], **changes}

    def dues(self, key: str) -> list[date | None]:
        return [service.tasks[native_id(service, key)].content.due for service in (self.a, self.b)]


def native_id(service: InMemory, key: str) -> str:
    (found,) = (name for name, held in service.tasks.items() if f" {key} " in (held.marker or ""))
    return found


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Both apps in sync."""
    both = Two(tmp_path)
    both.sync()
    return both


def test_a_goal_that_was_cancelled_in_one_app_goes_on_in_the_other(two: Two) -> None:
    goal = native_id(two.a, "g")
    two.a.cancel(goal)
    two.goal["deadline"] = "2027-10-30"
    before = dict(two.a.tasks)
    done = two.sync()
    (found,) = done.found.schedule.goals
    assert found.state is State.ON_TRACK
    assert warnings(found)[0].startswith("in a given up")
    assert two.a.tasks == before
    assert two.dues("g/three") == [date(2027, 9, 30), date(2027, 10, 30)]
    two.a.reopen(goal)
    two.sync()
    assert two.dues("g/three") == [date(2027, 10, 30)] * 2


def test_a_goal_that_was_cancelled_goes_on_in_an_app_that_could_not_be_read(two: Two) -> None:
    two.a.cancel(native_id(two.a, "g"))
    two.b.fail(0, Fault.UNSENT)
    done = two.sync()
    assert list(done.found.unread) == ["b"]
    assert done.found.schedule.goals[0].state is State.ON_TRACK


def test_a_goal_that_was_deleted_in_an_app_is_not_given_up(two: Two) -> None:
    for service in (two.a, two.b):
        service.delete(native_id(service, "g"))
    (found,) = two.sync().found.schedule.goals
    assert (found.state, found.warnings) == (State.ON_TRACK, ())


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("at", range(6))
def test_a_rename_that_was_cut_short_loses_no_task(two: Two, fault: Fault, at: int) -> None:
    before = list(two.a.tasks)
    two.step(1, id="zwei", was="two")
    two.a.fail(at, fault)
    with contextlib.suppress(Killed):
        two.sync()
    two.sync()
    assert list(two.a.tasks) == list(two.b.tasks) == before
    assert native_id(two.a, "g/zwei") == native_id(two.b, "g/zwei") == before[2]
    assert two.sync().silent


def test_a_renamed_goal_is_remembered_under_its_new_name(two: Two) -> None:
    two.goal["steps"] = []
    two.sync()
    before = dict(two.a.tasks)
    for name, was in (("h", "g"), ("i", "h")):
        two.goal |= {"id": name, "was": was}
        two.sync()
        assert two.sync().silent
    assert list(two.a.tasks) == list(before)


@pytest.mark.parametrize("fault", [Fault.UNSENT, Fault.LOST, Fault.KILLED_BEFORE, Fault.REFUSED])
@pytest.mark.parametrize("at", range(6))
def test_a_date_that_was_moved_again_survives_a_failing_app(two: Two, fault: Fault, at: int) -> None:
    """The pin that stands in the other app is older than the one that a person just gave."""
    two.b.set_due(native_id(two.b, "g/two"), date(2027, 9, 10))
    two.sync()
    two.b.set_due(native_id(two.b, "g/two"), date(2027, 9, 5))
    two.a.fail(at, fault)
    with contextlib.suppress(Killed):
        two.sync()
    two.sync()
    assert two.dues("g/two") == [date(2027, 9, 5)] * 2


@pytest.mark.parametrize("first", [True, False])
def test_a_date_that_was_cleared_in_one_app_is_no_pin_in_any(two: Two, first: bool) -> None:
    planned = two.dues("g/two")
    two.a.set_due(native_id(two.a, "g/two"), date(2027, 9, 10))
    two.sync()
    service = two.a if first else two.b
    service.set_due(native_id(service, "g/two"), None)
    two.sync()
    assert two.dues("g/two") == planned


def pins(two: Two) -> list[bool]:
    """Return whether the second step is pinned, by the marker of its task in each app."""
    markers = (read_marker(service.tasks[native_id(service, "g/two")].marker or "") for service in (two.a, two.b))
    return [marker is not None and marker.pinned for marker in markers]


def test_a_date_that_the_plan_gives_anyway_is_no_pin(two: Two) -> None:
    """The file has changed what comes behind the step, and nobody has synced since."""
    before = two.dues("g/two")[0]
    two.step(2, takes="2 weeks")
    planned = two.planned("g/two")
    assert planned != before
    two.a.set_due(native_id(two.a, "g/two"), planned)
    two.sync()
    assert two.dues("g/two") == [planned] * 2
    assert pins(two) == [False, False]
    assert two.sync().silent
    two.step(2, takes="1 week")
    two.sync()
    assert two.dues("g/two") != [planned] * 2


def test_a_pin_that_is_dragged_to_the_plans_own_day_is_released_in_every_app(two: Two) -> None:
    planned = two.dues("g/two")
    two.a.set_due(native_id(two.a, "g/two"), date(2027, 9, 10))
    two.sync()
    assert pins(two) == [True, True]
    two.b.set_due(native_id(two.b, "g/two"), planned[1])
    reasons = {change.reason for plan in two.sync().plans for change in plan.writes if change.key == "g/two"}
    assert two.dues("g/two") == planned
    assert pins(two) == [False, False]
    assert reasons == {
        "its date is the plan's again, so its pin is released",
        f"a person moved it to {planned[1]}, as the plan does: its pin is released",
    }
    assert two.sync().silent


def test_a_goal_that_is_ticked_while_a_step_is_new_needs_one_run(two: Two) -> None:
    two.a.tick(native_id(two.a, "g"), TODAY)
    two.goal["steps"].append({"id": "new", "title": "New", "takes": "1 day"})
    two.sync()
    assert two.sync().silent


def test_a_goal_that_is_ticked_while_a_date_was_moved_needs_one_run(two: Two) -> None:
    two.a.set_due(native_id(two.a, "g/two"), date(2027, 9, 10))
    two.a.tick(native_id(two.a, "g"), TODAY)
    two.sync()
    assert two.sync().silent


def test_a_memory_that_the_service_refused_is_not_taken_for_written(tmp_path: Path) -> None:
    """Without `pending` in the memory no task may be made."""
    two = Two(tmp_path)
    two.a.fail(1, Fault.REFUSED)
    done = two.sync()
    assert done.errors
    assert not two.a.tasks
    two.sync()
    assert two.sync().silent
    assert len(two.a.tasks) == len(two.b.tasks) == 4


@pytest.mark.parametrize("kind", [EXACT, UNIQUE], ids=lambda kind: kind.name)
def test_a_memory_that_was_refused_beside_changes_is_written_after_them(kind: Kind, tmp_path: Path) -> None:
    """What was made is found by its memory alone once it has left the file."""
    one = Two(tmp_path, a=InMemory(kind))
    one.sync()
    one.goal["steps"].append({"id": "new", "title": "New", "takes": "1 day"})
    one.a.fail(1, Fault.REFUSED)
    assert not one.sync().errors
    one.goal["steps"].pop()
    assert one.sync().actions["g/new"] is Action.REMOVE
    assert one.sync().silent


@pytest.mark.parametrize("kind", [EXACT, UNIQUE], ids=lambda kind: kind.name)
def test_a_memory_that_cannot_be_written_is_told(kind: Kind, tmp_path: Path) -> None:
    one = Two(tmp_path, a=InMemory(kind))
    one.sync()
    one.goal["deadline"] = "2027-10-15"
    one.a.fail(2, Fault.UNSENT)
    one.a.tick(native_id(one.a, "g/one"))
    done = one.sync()
    assert [plan.error for plan in done.plans] == ["a: the connection broke", None]
    assert not one.sync().errors
    assert one.sync().silent


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_after_all_was_deleted_memory_and_all_everything_is_made_anew(kind: Kind, tmp_path: Path) -> None:
    """Also where the service takes the ids of the new tasks for those of the ones that are gone."""
    service = InMemory(kind)
    project = load(tmp_path, a_goal())
    run(project, [service.connector()], TODAY)
    for one in list(service.tasks):
        service.tasks.pop(one)
    service.lose_memory(project.namespace)
    for _ in range(2):
        run(project, [service.connector()], TODAY)
    assert len(service.tasks) == 4
    assert run(project, [service.connector()], TODAY).silent


def test_a_step_that_is_renamed_before_its_making_was_answered_is_made_once() -> None:
    life = Life(a_project(), (EXACT,), TODAY)
    life.happen(Event("remove_step", 0))
    life.sync_with(life.apps[0], 3, Fault.UNSENT)
    life.happen(Event("rename_step", 1))
    life.sync_with(life.apps[0], 0, Fault.STALE)
    life.happen(Event("remove_step", 1))
    life.happen(Event("sync", 0))
    assert life.told == ["file: remove g/s0", "file: rename g/s2 to step1", "file: remove g/step1", "sync"]


def test_an_app_that_comes_later_counts_from_the_day_of_the_first(tmp_path: Path) -> None:
    two = Two(tmp_path)
    run(load(tmp_path, two.goal), [two.a.connector(name="a")], TODAY)
    connectors = [two.a.connector(name="a"), two.b.connector(name="b")]
    run(load(tmp_path, two.goal), connectors, TODAY - timedelta(1))
    assert {memory.first_sync for one in connectors for memory in one.read().memory.values()} == {TODAY}


def test_a_goal_is_reopened_only_after_the_steps_that_its_tick_completed(tmp_path: Path) -> None:
    one = Two(tmp_path, a=InMemory(EXACT))
    run(load(tmp_path, one.goal), [one.a.connector()], TODAY)
    new = [{"id": f"new{n}", "title": "New", "takes": "1 day"} for n in range(2)]
    one.goal["steps"] = new + one.goal["steps"]
    one.a.tick(native_id(one.a, "g"), TODAY)
    one.a.fail(2, Fault.REFUSED)  # the last of the steps cannot be completed
    for _ in range(2):
        run(load(tmp_path, one.goal), [one.a.connector()], TODAY)
        one.a.heal()
    assert [one.a.tasks[native_id(one.a, f"g/{step}")].done for step in ("one", "two", "three")] == [True] * 3


def test_a_time_that_the_plan_has_left_is_no_part_of_it_any_more(tmp_path: Path) -> None:
    """Also where the plan of the same day is made anew."""
    steps: list[Any] = [{"id": name, "title": name} for name in ("find", "sign-up", "a", "b", "test")]
    steps.insert(2, {"id": "practise", "title": "Practise", "takes": "1 day", "every": "1 week"})
    life = Life(load(tmp_path, a_goal(deadline="2027-08-15", steps=steps)), (EXACT,), date(2027, 7, 20))
    life.happen(Event("sync", 0))
    ids = {key: native_id for native_id, (key, _) in life.apps[0].ours().items()}
    life.apps[0].service.delete(ids["g/a"])
    life.apps[0].service.tick(ids["g/b"])
    life.sync_with(life.apps[0], 2, Fault.UNSENT)
    life.apps[0].service.reopen(ids["g/b"])
    life.expected.doubt = {"g", "g/a", "g/b"}
    life.happen(Event("sync", 0))


def test_a_group_spans_what_was_planned_of_its_done_steps_however_often_the_plan_is_made(tmp_path: Path) -> None:
    one, two, three = a_goal()["steps"]
    goal = a_goal(steps=[one, {"id": "middle", "title": "Middle", "steps": [two, three]}])
    life = Life(load(tmp_path, goal), (UNIQUE,), TODAY)
    life.happen(Event("sync", 0))
    app = life.apps[0]
    ids = {key: native_id for native_id, (key, _) in app.ours().items()}
    app.service.tick(ids["g/one"], TODAY)
    life.expected.ticked(app, "g/one")
    life.happen(Event("move_deadline", 0))
    life.happen(Event("sync", 0))
    start = app.service.tasks[ids["g/middle/"]].content.start
    app.service.reopen(ids["g/one"])
    life.expected.reopened("g/one")
    app.service.tick(ids["g/two"], TODAY)
    life.expected.ticked(app, "g/two")
    life.happen(Event("sync", 0))
    assert app.service.tasks[ids["g/middle/"]].content.start == start


def test_a_step_that_could_not_move_out_of_its_group_is_not_removed_with_it(tmp_path: Path) -> None:
    one, two, three = a_goal()["steps"]
    grouped = a_goal(steps=[{"id": "middle", "title": "Middle", "steps": [one]}, two, three])
    service = InMemory(UNIQUE)
    run(load(tmp_path, grouped), [service.connector()], TODAY)
    service.fail(1, Fault.REFUSED)  # the first write that follows the read
    run(load(tmp_path, a_goal()), [service.connector()], TODAY)
    service.heal()
    assert native_id(service, "g/one") in service.tasks
    done = run(load(tmp_path, a_goal()), [service.connector()], TODAY)
    assert {change.key: change.action for plan in done.plans for change in plan.writes} == {
        "g/one": Action.UPDATE,
        "g/middle/": Action.REMOVE,
    }
    assert run(load(tmp_path, a_goal()), [service.connector()], TODAY).silent


@pytest.mark.parametrize("refused", [1, 2], ids=["the move", "the tick"])
def test_a_group_that_is_done_without_a_step_is_ticked_only_when_that_one_is_out(tmp_path: Path, refused: int) -> None:
    one, two, three = a_goal()["steps"]
    grouped = a_goal(steps=[{"id": "middle", "title": "Middle", "steps": [one, two]}, three])
    parted = a_goal(steps=[one, {"id": "middle", "title": "Middle", "steps": [two]}, three])
    service = InMemory(UNIQUE)
    run(load(tmp_path, grouped), [service.connector()], TODAY)
    service.tick(native_id(service, "g/two"), TODAY)
    service.fail(refused, Fault.REFUSED)  # 0 is the read
    run(load(tmp_path, parted), [service.connector()], TODAY)
    service.heal()
    assert [service.tasks[native_id(service, f"g/{key}")].done for key in ("one", "middle/")] == [False, False]
    run(load(tmp_path, parted), [service.connector()], TODAY)
    assert [service.tasks[native_id(service, f"g/{key}")].done for key in ("one", "middle/")] == [False, True]


def test_a_group_that_a_cut_list_hides_is_not_made_a_second_time(tmp_path: Path) -> None:
    """What was done may have left the list, but not with an open step below it: it was reopened with that."""
    one, two, three = a_goal()["steps"]
    grouped = load(tmp_path, a_goal(steps=[{"id": "begin", "title": "Begin", "steps": [one]}, two, three]))
    service = InMemory(UNIQUE)
    for project in (load(tmp_path, a_goal()), grouped):
        run(project, [service.connector()], TODAY)
    service.tick(native_id(service, "g/begin/"), TODAY)
    run(grouped, [service.connector()], TODAY)
    service.reopen(native_id(service, "g/one"))
    service.fail(0, Fault.CUT)
    assert Action.CREATE not in run(grouped, [service.connector()], TODAY).actions.values()
    service.heal()
    assert run(grouped, [service.connector()], TODAY).silent
    assert not service.tasks[native_id(service, "g/begin/")].done


def test_a_goal_that_was_ticked_stays_done_beside_a_task_that_repeats(tmp_path: Path) -> None:
    """Nobody ever ticks that one, so that it does not matter whether a person's task below it would be ticked, too."""
    service, goal = InMemory(UNIQUE), load(tmp_path, a_goal())
    run(goal, [service.connector()], TODAY)
    service.move_away(native_id(service, "g/one"))
    service.make_recurring(native_id(service, "g/one"))
    theirs = service.add_foreign_task("Buy paper", native_id(service, "g/one"))
    service.tick(native_id(service, "g"), TODAY)
    run(goal, [service.connector()], TODAY)
    service.tick(theirs, TODAY)
    run(goal, [service.connector()], TODAY)
    assert service.tasks[native_id(service, "g")].done


def test_a_goal_that_was_ticked_stays_done_when_a_person_makes_what_is_open_recurring(tmp_path: Path) -> None:
    service, goal = InMemory(UNIQUE), load(tmp_path, a_goal())
    run(goal, [service.connector()], TODAY)
    service.move_away(native_id(service, "g/one"))
    service.add_foreign_task("Buy paper", native_id(service, "g/one"))
    service.tick(native_id(service, "g"), TODAY)
    run(goal, [service.connector()], TODAY)
    service.make_recurring(native_id(service, "g/one"))
    assert run(goal, [service.connector()], TODAY).silent
    assert service.tasks[native_id(service, "g")].done


def test_what_moves_below_a_goal_that_cannot_be_reopened_does_not_go_with_the_one_that_it_leaves(
    tmp_path: Path,
) -> None:
    """The goal waits for a tick that only it shows, so that what comes below it waits, and the removal for that."""
    goal, other = a_goal(), a_goal(id="h", title="Another", steps=[{"id": "four", "title": "Four", "takes": "1 day"}])
    service = InMemory(UNIQUE)
    run(load(tmp_path, goal, other), [service.connector()], TODAY)
    service.move_away(native_id(service, "g/one"))
    service.tick(native_id(service, "g"), TODAY)
    service.make_recurring(native_id(service, "h/four"))
    moved = {"id": "four", "title": "Four", "takes": "1 day", "was": "h/four"}
    changed = load(tmp_path, a_goal(steps=[*goal["steps"], moved, {"id": "new", "title": "New", "takes": "1 day"}]))
    service.fail(2, Fault.REFUSED)  # the goal's reopening: 0 is the read, 1 all that does not wait
    run(changed, [service.connector()], TODAY)
    service.heal()
    assert native_id(service, "h") in service.tasks
    run(changed, [service.connector()], TODAY)
    assert [service.tasks[native_id(service, f"g/{key}")].done for key in ("one", "four", "new")] == [
        True,
        False,
        False,
    ]
    assert {service.tasks[native_id(service, f"g/{key}")].parent for key in ("four", "new")} == {
        native_id(service, "g")
    }
    assert run(changed, [service.connector()], TODAY).silent


def test_where_ticks_go_no_further_a_new_step_waits_for_no_other_app(two: Two) -> None:
    two.a.tick(native_id(two.a, "g"), TODAY)
    two.goal["steps"].append({"id": "new", "title": "New", "takes": "1 day"})
    two.b.fail(1, Fault.UNSENT)
    two.sync()
    assert native_id(two.a, "g/new")


def test_a_step_that_moved_while_it_was_done_finds_its_way_back(tmp_path: Path) -> None:
    one, two, three = a_goal()["steps"]
    service = InMemory(UNIQUE)
    run(load(tmp_path, a_goal()), [service.connector()], TODAY)
    service.tick(native_id(service, "g/one"), TODAY)
    grouped = a_goal(id="h", was="g", steps=[{"id": "middle", "title": "Middle", "steps": [one, two]}, three])
    run(load(tmp_path, grouped), [service.connector()], TODAY)
    service.reopen(native_id(service, "h/one"))
    flat = load(tmp_path, a_goal(id="h", was="g"))
    run(flat, [service.connector()], TODAY)
    assert service.tasks[native_id(service, "h/one")].parent == native_id(service, "h")
    assert run(flat, [service.connector()], TODAY).silent


def test_a_step_that_could_not_move_to_a_goal_that_is_done_moves_when_it_is_reopened(tmp_path: Path) -> None:
    one, two, three = a_goal()["steps"]
    service = InMemory(UNIQUE)
    grouped = a_goal(steps=[{"id": "middle", "title": "Middle", "steps": [one, two]}, three])
    run(load(tmp_path, grouped), [service.connector()], TODAY)
    service.tick(native_id(service, "g"), TODAY)
    flat = load(tmp_path, a_goal(steps=[{**one, "id": "first", "was": "one"}, two, three]))
    run(flat, [service.connector()], TODAY)
    assert service.tasks[native_id(service, "g/first")].parent is not None
    service.reopen(native_id(service, "g/first"))
    run(flat, [service.connector()], TODAY)
    assert service.tasks[native_id(service, "g/first")].parent == native_id(service, "g")
    assert run(flat, [service.connector()], TODAY).silent


def test_a_goal_that_is_made_anew_takes_its_steps_back_below_it(tmp_path: Path) -> None:
    service, goal = InMemory(UNIQUE), load(tmp_path, a_goal())
    run(goal, [service.connector()], TODAY)
    service.move_away(native_id(service, "g/one"))
    service.tick(native_id(service, "g"), TODAY)
    run(goal, [service.connector()], TODAY)
    service.delete(native_id(service, "g"))
    service.reopen(native_id(service, "g/one"))
    run(goal, [service.connector()], TODAY)
    assert service.tasks[native_id(service, "g/one")].parent == native_id(service, "g")
    assert run(goal, [service.connector()], TODAY).silent


def test_a_done_step_stays_below_its_goal_where_a_rename_was_cut_short(tmp_path: Path) -> None:
    service = InMemory(UNIQUE)
    run(load(tmp_path, a_goal()), [service.connector()], TODAY)
    renamed = load(tmp_path, a_goal(id="h", was="g"))
    service.fail(1, Fault.IN_PART)
    with contextlib.suppress(Killed):
        run(renamed, [service.connector()], TODAY)
    service.heal()
    service.tick(native_id(service, "h"), TODAY)
    run(renamed, [service.connector()], TODAY)
    assert {service.tasks[native_id(service, f"h/{key}")].parent for key in ("one", "two", "three")} == {
        native_id(service, "h")
    }


def test_a_goal_that_a_done_step_joins_does_not_tick_what_a_person_put_below_that_step(tmp_path: Path) -> None:
    """The step brings the person's open task along, so that the app would tick it with the goal."""
    one, two, _ = a_goal()["steps"]
    other = a_goal(id="h", title="Another", steps=[])
    life = Life(load(tmp_path, a_goal(steps=[one, two]), other), (UNIQUE,), TODAY)
    life.happen(Event("sync", 0))
    app = life.apps[0]
    ids = {key: native_id for native_id, (key, _) in app.ours().items()}
    app.service.tick(ids["g/two"], TODAY)
    theirs = app.service.add_foreign_task("Buy paper", ids["g/two"])
    moved = {**two, "was": "g/two"}
    run(
        load(tmp_path, a_goal(steps=[one]), {**other, "steps": [moved]}),
        [life.connect(app.service, life.project.namespace, app.name)],
        TODAY,
    )
    assert app.service.tasks[ids["g/two"]].parent == ids["h"]
    assert not app.service.tasks[theirs].done
    assert not app.service.tasks[ids["h"]].done


def test_a_copy_that_is_let_go_takes_nothing_from_what_is_known_of_its_original(tmp_path: Path) -> None:
    """That a time was cancelled is not forgotten, even where the plan does not hold it any more."""
    steps: list[Any] = [{"id": name, "title": name} for name in ("find", "sign-up", "a", "b", "test")]
    steps.insert(2, {"id": "practise", "title": "Practise", "takes": "1 day", "every": "1 week"})
    life = Life(load(tmp_path, a_goal(deadline="2027-08-15", steps=steps)), (EXACT,), date(2027, 7, 20))
    life.happen(Event("sync", 0))
    app = life.apps[0]
    ids = {step_of(key): (native_id, key) for native_id, (key, _) in app.ours().items()}
    app.service.cancel(ids["g/practise"][0])
    life.expected.deleted(app, ids["g/practise"][1])
    life.today += timedelta(days=12)
    life.happen(Event("add_step", 0))
    life.happen(Event("sync", 0))
    app.service.delete(ids["g/sign-up"][0])
    life.expected.deleted(app, "g/sign-up")
    app.copies.add(app.service.copy(ids["g/practise"][0]))
    life.happen(Event("sync", 0))
    assert app.remembered()[ids["g/practise"][1]].state == "dropped"


def test_a_tick_beside_a_second_task_is_no_old_news_before_every_app_has_it(two: Two) -> None:
    """A run that removes what racing runs made twice has not yet read what a person did."""
    two.goal["steps"].append({"id": "new", "title": "New", "takes": "1 day"})
    project = load(two.folder, two.goal)
    racers = []
    for _ in range(2):
        homes = (Binding(two.a.connector(name="a"), frozenset({"g"})),)
        racers.append((pipeline.make_plans(reading.read(project, homes, TODAY)), homes))
    for plans, homes in racers:
        pipeline.apply(plans, homes, lambda _: None)
    run(project, [two.b.connector(name="b")], TODAY)
    two.a.tick(two.a.connector().read().memory["g"].keys["g/new"].native_id, TODAY)
    two.b.fail(1, Fault.UNSENT)  # the step cannot be completed there
    done = two.sync()
    assert [(p.label, c.action) for p in done.plans for c in p.writes] == [("a", Action.REMOVE), ("b", Action.COMPLETE)]
    assert [service.connector().read().memory["g"].keys["g/new"].state for service in (two.a, two.b)] == ["live"] * 2
    two.sync()
    assert [service.connector().read().memory["g"].keys["g/new"].state for service in (two.a, two.b)] == ["done"] * 2


def test_one_of_two_tasks_that_could_not_be_removed_is_removed_by_the_next_run(tmp_path: Path) -> None:
    life = Life(a_project(), (SAFE,), TODAY)
    for name, luck in [("race", 3), ("remove_step", 2), ("faulty_sync", 5), ("sync", 0)]:
        life.happen(Event(name, luck))
    assert life.told == [
        "two runs at once",
        "file: remove g/s2",
        "sync; request 6 to app 1: the request does not arrive",
        "sync",
    ]


def test_a_copy_in_a_goal_that_takes_its_old_name_back_is_not_removed() -> None:
    life = Life(a_project(), (UNIQUE,), TODAY)
    happened = [("move_deadline", 0), ("sync", 0), ("copy", 1), ("rename_goal", 0), ("faulty_sync", 2), ("delete", 1)]
    for name, luck in [*happened, ("restore", 0), ("sync", 0)]:
        life.happen(Event(name, luck))
    assert life.told == [
        "file: move g by -20 days",
        "sync",
        "app 1: duplicate g/s0",
        "file: rename g to goal1",
        "sync; request 3 to app 1: the request does not arrive",
        "app 1: delete goal1/s0",
        "file: an older version comes back",
        "sync",
    ]


def test_a_goal_that_leaves_the_file_takes_no_step_of_another_with_it(tmp_path: Path) -> None:
    """A person put it there; in an app that removes whole families it would go with the goal."""
    service, other = InMemory(UNIQUE), a_goal(id="h", title="Another")
    run(load(tmp_path, a_goal(), other), [service.connector()], TODAY)
    step, goal = native_id(service, "h/two"), native_id(service, "g")
    service.tasks[step] = replace(service.tasks[step], parent=goal)
    without = load(tmp_path, other)
    run(without, [service.connector()], TODAY, allow=True)
    assert step in service.tasks
    assert goal in service.tasks  # it stays, as the person's
    assert run(without, [service.connector()], TODAY, allow=True).silent


def test_a_done_step_that_left_the_file_and_came_back_is_done(two: Two) -> None:
    two.a.tick(native_id(two.a, "g/two"), TODAY)
    two.sync()
    steps = two.goal["steps"]
    two.goal["steps"] = [steps[0], steps[2]]
    two.sync()
    two.goal["steps"] = steps
    assert Action.CREATE not in two.sync().actions.values()


def test_the_day_of_a_tick_survives_a_crash_between_two_acknowledgements(tmp_path: Path) -> None:
    two = Two(tmp_path, b=InMemory(replace(SAFE, tells_days=False)))
    two.sync()
    two.a.tick(native_id(two.a, "g/two"), TODAY - timedelta(3))
    two.b.fail(2, Fault.KILLED_BEFORE)  # the task is completed, its memory does not say so yet
    with contextlib.suppress(Killed):
        two.sync()
    last = two.sync()
    assert last.found.schedule.goals[0].steps[1].done == TODAY - timedelta(3)


def test_what_only_one_app_was_told_is_no_news_of_the_past(two: Two) -> None:
    two.a.tick(native_id(two.a, "g/two"))
    two.sync()
    two.a.reopen(native_id(two.a, "g/two"))
    homes = tuple(
        Binding(service.connector(name=name), frozenset({"g"})) for name, service in (("a", two.a), ("b", two.b))
    )
    found = reading.read(load(two.folder, two.goal), homes, TODAY)
    only_a = [plan for plan in pipeline.make_plans(found) if plan.label == "a"]
    pipeline.apply(only_a, homes, lambda _: None, limited=True)
    two.sync()
    assert [service.tasks[native_id(service, "g/two")].done for service in (two.a, two.b)] == [False, False]
    assert not two.sync().actions


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (  # one app is retired in a run that cannot read it, and has never heard that the goal was done
            [("tick", 0), ("retire", 0), ("sync_with_one_app_unreadable", 1), ("reopen", 0)],
            ["app 1: tick g", "file: app 2 is retired", "sync; app 2 does not answer", "app 1: reopen g"],
        ),
        (  # the date was given in an app that is retired, and the task in the other one is its person's
            [("make_recurring", 2), ("move_date", 11), ("retire", 0)],
            ["app 1: let g/s0 repeat", "app 2: drag g/s0 to 2027-08-28", "file: app 2 is retired"],
        ),
    ],
    ids=["a goal reopened", "a date"],
)
def test_what_happened_in_an_app_that_is_given_up_needs_one_run(events: list[tuple[str, int]], told: list[str]) -> None:
    life = Life(a_project(), (SAFE, FILE), TODAY)
    for name, luck in [("sync", 0), *events, ("sync", 0)]:
        life.happen(Event(name, luck))
    assert life.told == ["sync", *told, "sync"]


def test_emptying_the_plan_is_refused(two: Two) -> None:
    before = two.a.state()
    project = load(two.folder, a_goal(id="other", title="Something else"))
    with pytest.raises(RefusedError, match="--allow-mass-change"):
        run(project, [two.a.connector(name="a")], TODAY)
    assert two.a.state() == before


@pytest.mark.parametrize("ahead", [0, 1, 30])
def test_what_a_clock_that_is_ahead_calls_done_tomorrow_is_done_today(two: Two, ahead: int) -> None:
    two.a.tick(native_id(two.a, "g/one"), TODAY + timedelta(ahead))
    done = two.sync()
    assert done.found.schedule.done()["g/one"] == TODAY
    assert [service.connector().read().memory["g"].keys["g/one"].done_on for service in (two.a, two.b)] == [TODAY] * 2


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        # A group is ticked before a step that the file puts into it has moved there: the step stays where it is.
        (UNIQUE, [("sync", 0), ("rename_goal", 0), ("group_steps", 0), ("faulty_sync", 39844937431), ("tick", 0),
                  ("sync", 0), ("reopen", 1)]),
        # A run that hands a goal over is cut short before it has heard what an earlier one had made.
        (EXACT, [("faulty_sync", 4), ("change_place", 1), ("faulty_sync", 306462238833)]),
        # A step leaves a group that goes, for a goal in another place.
        (UNIQUE, [("rename_step", 0), ("add_step", 1), ("group_steps", 0), ("add_goal", 0), ("sync", 0),
                  ("move_step", 874073527596), ("change_place", 3)]),
        # A goal that was ticked gets a step, and another place, and a run that reopens it is refused.
        (UNIQUE, [("sync", 0), ("tick", 0), ("race", 0), ("add_step", 0), ("change_place", 1),
                  ("faulty_sync", 155236206683)]),
        # A task is copied while its goal is on its way to another place.
        (UNIQUE, [("sync", 0), ("rename_step", 0), ("move_away", 0), ("race", 0), ("change_place", 1), ("copy", 0),
                  ("faulty_sync", 572229528913)]),
        # A list comes back in half, while what an earlier run has made is not known yet.
        (UNIQUE, [("faulty_sync", 4), ("change_place", 1), ("faulty_sync", 179852056360)]),
        # A goal is renamed and moved in a run that is cut short, and moves back.
        (EXACT, [("race", 0), ("add_step", 0), ("rename_goal", 0), ("change_place", 2), ("faulty_sync", 5),
                 ("change_place", 0)]),
        # A goal moves in a run that is cut short, and leaves the file.
        (UNIQUE, [("group_steps", 0), ("change_place", 1), ("sync", 0), ("change_place", 0), ("add_goal", 0),
                  ("add_step", 85101625426), ("faulty_sync", 5), ("remove_goal", 0)]),
        # A group that was made anew in the new place, while the old one still has it as done.
        (UNIQUE, [("group_steps", 1), ("remove_step", 2), ("race", 0), ("tick", 0), ("group_steps", 0), ("tick", 0),
                  ("faulty_sync", 2), ("reopen", 2), ("change_place", 1), ("faulty_sync", 4)]),
        # A step that was dropped is made anew in the new place, and the goal moves back.
        (UNIQUE, [("faulty_sync", 4), ("remove_step", 0), ("remove_step", 0), ("delete", 1), ("sync", 0),
                  ("change_notes", 1), ("change_place", 2), ("faulty_sync", 5), ("change_place", 0)]),
        # A copy of a task that was removed stands where a new goal is to be.
        (EXACT, [("add_step", 0), ("add_step", 0), ("sync", 0), ("copy", 4), ("change_title", 0), ("rename_step", 0),
                 ("restore", 0), ("delete", 0), ("change_place", 1), ("faulty_sync", 569112251680), ("add_goal", 0)]),
        # A person copies a goal's task that no run has read yet, and the goal moves in a run that is cut short.
        (EXACT, [("faulty_sync", 4), ("copy", 0), ("copy", 0), ("change_place", 1), ("faulty_sync", 1071899352224)]),
        # A goal is renamed twice and moved while one of its tasks cannot be read, and its marker has its first name.
        (EXACT, [("sync", 0), ("garble", 1), ("change_place", 2), ("rename_goal", 0), ("sync", 0), ("rename_goal", 0),
                 ("sync", 0), ("change_place", 0)]),
        # The memory of a goal that was given up is lost, and made anew.
        (EXACT, [("sync", 0), ("cancel", 0), ("sync", 0), ("lose_memory", 0)]),
        # A goal is given up before it changes its place, and taken up again.
        (EXACT, [("sync", 0), ("garble", 1), ("add_step", 0), ("cancel", 0), ("change_place", 1), ("sync", 0),
                 ("take_up", 0)]),
        # A step goes to another goal in another place, and its goal leaves the file.
        (EXACT, [("change_place", 2), ("sync", 0), ("tick", 0), ("sync", 0), ("add_goal", 0), ("move_step", 6),
                 ("remove_goal", 0)]),
        # A task is deleted in the place that its goal leaves again, before the other one has heard that it was made.
        (EXACT, [("add_step", 0), ("faulty_sync", 3), ("rename_step", 0), ("change_place", 1), ("faulty_sync", 4),
                 ("delete", 1), ("change_place", 0)]),
        # A task is deleted in a goal that was given up, whose own task is deleted later.
        (EXACT, [("sync", 0), ("cancel", 0), ("delete", 3), ("change_length", 2), ("tick", 1), ("sync", 0),
                 ("delete", 0)]),
        # A task was made in a place that has no memory any more, and two runs hand its goal over.
        (EXACT, [("race", 0), ("change_place", 2), ("add_step", 0), ("make_recurring", 0), ("faulty_sync", 6),
                 ("change_place", 1), ("race", 3)]),
        # The place that a goal leaves cannot be read, while the other one does not know yet what was made there.
        (EXACT, [("faulty_sync", 5), ("remove_step", 0), ("add_step", 0), ("add_step", 0),
                 ("faulty_sync", 795656701901), ("change_place", 1), ("rename_step", 0), ("faulty_sync", 6),
                 ("faulty_sync", 0)]),
        # A task that was made where a person had put its goal is renamed before its making was answered.
        (EXACT, [("remove_step", 0), ("faulty_sync", 5), ("move_away", 0), ("remove_step", 0), ("remove_step", 0),
                 ("add_step", 0), ("add_step", 1), ("faulty_sync", 795656701901), ("change_place", 1),
                 ("rename_step", 0), ("faulty_sync", 6)]),
        # A task that was made anew stands in a third place, whose memory knows only the one before it.
        (EXACT, [("sync", 0), ("copy", 2), ("tick", 0), ("delete", 0), ("faulty_sync", 3), ("change_length", 0),
                 ("change_place", 2), ("faulty_sync", 5), ("change_place", 1), ("race", 3)]),
        # A goal gets back a name that another place remembers as removed, in a place without an entry for it.
        (EXACT, [("faulty_sync", 4), ("change_place", 1), ("race", 0), ("rename_goal", 0), ("sync", 0), ("restore", 0),
                 ("change_place", 0)]),
        # A goal whose task cannot be read gets another place and another name, and the task is mended later.
        (EXACT, [("sync", 0), ("garble", 0), ("change_place", 1), ("rename_goal", 0), ("sync", 0), ("mend", 0)]),
        # A step leaves the file while the goal's task, which cannot be read, waits to be moved.
        (EXACT, [("sync", 0), ("garble", 0), ("change_place", 1), ("remove_step", 0)]),
        # A task that no run has read yet is copied; its step leaves the file, and the app keeps the copy's marker.
        (SAFE, [("faulty_sync", 6), ("copy", 1), ("add_step", 0), ("remove_step", 0), ("faulty_sync", 167489184412)]),
    ],
)  # fmt: skip
def test_a_life_that_once_went_wrong_in_several_places(kind: Kind, events: list[tuple[str, int]]) -> None:
    Life(a_project(), (kind,), TODAY).live([Event(name, luck) for name, luck in events])


@pytest.mark.parametrize(
    ("kinds", "events"),
    [
        # A goal is ticked in the app that it leaves: its steps are done with it.
        ((SAFE, FILE), [("faulty_sync", 3), ("change_app", 1), ("tick", 0)]),
        # A person writes words into a step that leaves the file when its goal leaves the app.
        ((UNIQUE, EXACT), [("remove_step", 0), ("sync", 0), ("change_app", 1), ("edit_title", 4), ("remove_step", 1)]),
        # A step is ticked in the app that its goal leaves, and the run is cut short after it has detached the task.
        ((SAFE, FILE), [("faulty_sync", 4), ("change_app", 0), ("tick", 3), ("rename_step", 0), ("faulty_sync", 7)]),
        # A person adds a label to a goal that gets another one in the file when it leaves the app.
        ((SAFE, FILE), [("sync", 0), ("remove_step", 0), ("change_app", 0), ("make_recurring", 0), ("sync", 0),
                        ("add_label", 0), ("change_app", 1), ("change_notes", 0)]),
        # A step that was dropped in the app that its goal has left leaves the file.
        ((EXACT, UNIQUE), [("race", 0), ("delete", 4), ("sync", 0), ("change_app", 1), ("remove_step", 1)]),
        # A group that was done before it was made is handed over in two runs at once.
        ((UNIQUE, EXACT), [("sync", 0), ("remove_step", 0), ("change_place", 2), ("tick", 0), ("group_steps", 0),
                           ("sync", 0), ("change_place", 0), ("race", 3)]),
        # A step is reopened in one app, and in the other it moves into a group that has yet to be made.
        ((UNIQUE, EXACT), [("change_place", 1), ("race", 0), ("tick", 0), ("tick", 0), ("faulty_sync", 4),
                           ("group_steps", 2), ("reopen", 7), ("change_place", 0)]),
        # A goal is given up in one app, and changes its place in both.
        ((UNIQUE, EXACT), [("sync", 0), ("cancel", 1), ("change_place", 1)]),
        # A task is dragged and cancelled in one app, and its date cleared in the other.
        ((EXACT, UNIQUE), [("group_steps", 1), ("sync", 0), ("tick", 5), ("move_date", 4), ("faulty_sync", 3),
                           ("cancel", 2), ("clear_date", 5)]),
        # The last plan of a day on which two are made, when a goal changes its place and its app.
        ((EXACT, FILE), [("sync", 0), ("rename_goal", 0), ("change_place", 1), ("add_goal", 0), ("race", 1),
                         ("change_app", 0), ("time_passes", 0)]),
        # A goal is done in one app and changes its place in both; in the other a copy below it makes it wait.
        ((UNIQUE, EXACT), [("race", 0), ("change_place", 1), ("copy", 2), ("tick", 1), ("faulty_sync", 3246068344),
                           ("add_step", 0)]),
    ],
)  # fmt: skip
def test_a_life_that_once_went_wrong_in_two_apps(kinds: tuple[Kind, ...], events: list[tuple[str, int]]) -> None:
    Life(a_project(), kinds, TODAY).live([Event(name, luck) for name, luck in events])
