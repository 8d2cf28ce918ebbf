"""The part of the suite for connectors about what is not certain: nothing is concluded from it, and nothing is lost.

What cannot be read is not absent, a clock may be wrong, who closes a task may be no person, and what a service says may
not be so.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from connectors.base import Action
from connectors.markdown.connector import MarkdownConnector
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.connectors.contract import World
    from tests.histories.process import Run

DAY = date(2027, 9, 10)  # which nobody planned
STEPS = ("g/one", "g/two", "g/three")


def remarks(done: Run, key: str) -> str:
    """Return what a report says of a key for which nothing is written."""
    return "\n".join(c.reason for plan in done.plans for c in plan.changes if c.key == key and c.action is Action.KEEP)


def garble(world: World, key: str, what: str) -> Sequence[str]:
    """Write something that cannot be read into a task; return what a report has to say of it."""
    if what not in world.service.garbles:
        world.skip(f"{what} that cannot be read (garbles)")
    native_id = world.native_id(key)
    world.service.garble(native_id, what)
    return world.service.complaint(native_id, what)


def says(done: Run, key: str, words: Sequence[str]) -> bool:
    """Return whether the report on a run has all these words on a key."""
    return all(word in remarks(done, key) for word in words)


class Beside:
    """A list in a file that holds the same goal."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._path = world.folder / "beside.md"

    def sync(self) -> Run:
        """Run once over the service and the list."""
        there = MarkdownConnector(self._path, self._world.project.namespace)
        done = self._world.run(self._world.service.connector(), there)
        assert done.errors == []
        return done

    @property
    def text(self) -> str:
        return self._path.read_text("utf-8")

    def edit(self, title: str, change: Callable[[str], str]) -> None:
        """Change the line of a task."""
        lines = self.text.splitlines(keepends=True)
        number = next(n for n, line in enumerate(lines) if re.search(rf"\] {re.escape(title)} [🔺⏫🔼🛫📅🆔]", line))
        lines[number] = change(lines[number])
        self._path.write_text("".join(lines), "utf-8")

    def tick(self, title: str) -> None:
        self.edit(title, lambda line: line.replace("[ ]", "[x]"))

    def reopen(self, title: str) -> None:
        self.edit(title, lambda line: line.replace("[x]", "[ ]"))

    def set_due(self, title: str, day: date) -> None:
        self.edit(title, lambda line: re.sub("📅 [0-9-]+", f"📅 {day}", line))


class Doubts:
    """Cases of `tests.connectors.contract.Contract`."""

    # What cannot be read is not absent

    @pytest.mark.parametrize("pinned", [False, True], ids=["planned", "pinned"])
    def test_a_date_that_cannot_be_read_stays_as_it_was_until_it_is_mended(self, world: World, pinned: bool) -> None:
        if pinned:
            world.service.set_due(world.native_id("g/two"), DAY)
            world.sync()
        before = world.tasks()
        words = garble(world, "g/two", "date")
        written = world.service.text()
        for days in (0, 3):
            world.today += timedelta(days)
            done = world.sync()
            assert done.actions == {}
            assert says(done, "g/two", words)
            assert world.tasks() == {**before, "g/two": world.tasks()["g/two"]}
            after = world.tasks()["g/two"]
            assert (after.content.due, after.marker) == (before["g/two"].content.due, before["g/two"].marker)
            assert world.service.text() == written
        theirs = DAY + timedelta(days=4)
        world.service.set_due(before["g/two"].native_id, theirs)
        done = world.sync()
        assert not remarks(done, "g/two")
        mended = world.tasks()["g/two"]
        assert (mended.content.due, mended.marker.pinned) == (theirs, True)

    def test_a_date_that_cannot_be_read_stays_when_the_file_moves_it_and_moves_once_it_is_mended(
        self, world: World
    ) -> None:
        before = world.tasks()
        words = garble(world, "g/two", "date")
        world.goal["deadline"] = "2027-10-07"
        done = world.sync()
        assert done.actions == dict.fromkeys(("g", "g/one", "g/three"), Action.UPDATE)
        assert says(done, "g/two", words)
        assert world.tasks()["g/two"].content.due == before["g/two"].content.due
        world.service.set_due(before["g/two"].native_id, before["g/two"].content.due)
        assert world.sync().actions == {"g/two": Action.UPDATE}
        after = world.tasks()["g/two"]
        assert (after.content.due, after.marker.pinned) == (date(2027, 10, 5), False)

    def test_a_goals_date_that_cannot_be_read_changes_nothing(self, world: World) -> None:
        before = world.tasks()
        words = garble(world, "g", "date")
        done = world.sync()
        assert (done.actions, says(done, "g", words)) == ({}, True)
        assert {key: task.content for key, task in world.tasks().items()} == {k: t.content for k, t in before.items()}
        world.service.set_due(before["g"].native_id, DAY)
        world.sync()
        assert world.tasks()["g"].content == before["g"].content  # the deadline lives in the file

    def test_a_date_that_cannot_be_read_needs_none_once_the_step_is_done(self, world: World) -> None:
        garble(world, "g/two", "date")
        world.sync()
        world.service.tick(world.native_id("g/two"))
        done = world.sync()
        assert (done.actions, remarks(done, "g/two")) == ({}, "")
        assert world.states()["g/two"] == "done"

    def test_a_state_that_cannot_be_read_is_no_tick(self, world: World) -> None:
        words = garble(world, "g/two", "state")
        written = world.service.text()
        done = world.sync()
        assert (done.actions, says(done, "g/two", words)) == ({}, True)
        assert set(world.states().values()) == {"live"}
        assert world.service.text() == written
        for key in ("g/one", "g/three"):
            world.service.tick(world.native_id(key))
        assert world.sync().actions == {}
        assert world.states() == {"g": "live", "g/one": "done", "g/two": "live", "g/three": "done"}
        world.service.tick(world.native_id("g/two"))
        assert world.sync().actions == {"g": Action.COMPLETE}
        assert set(world.states().values()) == {"done"}

    def test_a_state_that_cannot_be_read_does_not_clear_a_tick(self, world: World) -> None:
        world.service.tick(world.native_id("g/two"))
        world.sync()
        words = garble(world, "g/two", "state")
        done = world.sync()
        assert (done.actions, says(done, "g/two", words)) == ({}, True)
        assert done.found.schedule.goals[0].steps[1].done is not None
        assert world.states()["g/two"] == "done"
        world.service.reopen(world.native_id("g/two"))
        world.sync()
        assert world.states()["g/two"] == "live"

    def test_a_state_that_cannot_be_read_does_not_take_up_what_was_dropped(self, world: World) -> None:
        if not world.service.cancels:
            world.skip("way to cancel a task (cancels)")
        world.service.cancel(world.native_id("g/two"))
        world.sync()
        words = garble(world, "g/two", "state")
        done = world.sync()
        assert (done.actions, says(done, "g/two", words)) == ({}, True)
        assert done.found.schedule.goals[0].steps[1].dropped
        assert world.states()["g/two"] == "dropped"

    def test_a_goal_whose_state_cannot_be_read_is_neither_done_nor_given_up(self, world: World) -> None:
        words = garble(world, "g", "state")
        done = world.sync()
        assert (done.actions, says(done, "g", words)) == ({}, True)
        assert done.found.schedule.goals[0].state is State.ON_TRACK
        for key in STEPS:
            world.service.tick(world.native_id(key))
        assert world.sync().actions == {}
        assert world.states()["g"] == "live"

    @pytest.mark.parametrize("what", ["date", "state"])
    def test_a_step_that_left_the_file_stays_where_something_cannot_be_read(self, world: World, what: str) -> None:
        words = garble(world, "g/two", what)
        world.remove_step("two")
        done = world.sync()
        assert "g/two" not in done.actions
        assert says(done, "g/two", words)
        assert "g/two" in world.tasks()
        assert "Go on" in world.service.text()

    def test_what_another_app_reopens_stays_open_where_its_state_cannot_be_read(self, world: World) -> None:
        beside = Beside(world)
        beside.sync()
        world.service.tick(world.native_id("g/two"))
        beside.sync()
        words = garble(world, "g/two", "state")
        beside.sync()
        beside.reopen("Go on")
        for _ in range(3):
            done = beside.sync()
            assert done.found.schedule.goals[0].steps[1].done is None
            assert says(done, "g/two", words)
        assert "[ ] Go on" in beside.text
        world.service.tick(world.native_id("g/two"))
        assert beside.sync().found.schedule.goals[0].steps[1].done is not None
        assert "[x] Go on" in beside.text

    def test_what_another_app_ticks_is_ticked_once_its_state_can_be_read(self, world: World) -> None:
        beside = Beside(world)
        beside.sync()
        words = garble(world, "g/two", "state")
        beside.tick("Go on")
        for _ in range(2):
            done = beside.sync()
            assert done.found.schedule.goals[0].steps[1].done is not None
            assert (done.actions, says(done, "g/two", words)) == ({}, True)
        world.service.reopen(world.native_id("g/two"))
        assert beside.sync().actions == {"g/two": Action.COMPLETE}
        assert world.states()["g/two"] == "done"

    def test_a_date_that_another_app_moves_stays_where_it_cannot_be_read_here(self, world: World) -> None:
        beside, theirs = Beside(world), DAY + timedelta(days=4)
        beside.sync()
        world.service.set_due(world.native_id("g/two"), DAY)
        beside.sync()
        garble(world, "g/two", "date")
        beside.set_due("Go on", theirs)
        for _ in range(3):
            done = beside.sync()
            assert done.found.schedule.goals[0].steps[1].due == theirs
            assert world.tasks()["g/two"].content.due == DAY
        world.service.set_due(world.native_id("g/two"), theirs)
        assert beside.sync().actions.keys() <= {"g/two"}
        assert world.tasks()["g/two"].content.due == theirs

    # Clocks

    @pytest.mark.parametrize("days", [-1, 1, 2], ids=["a day behind", "a day ahead", "two days ahead"])
    def test_a_tick_counts_on_a_day_that_has_been_whatever_the_clock_of_the_service_says(
        self, world: World, days: int
    ) -> None:
        before = world.tasks()
        dues = [step.due for step in world.sync().found.schedule.goals[0].steps]
        world.service.clock = days
        world.service.tick(before["g/one"].native_id)
        done = world.sync()
        (goal,) = done.found.schedule.goals
        assert goal.steps[0].done in {world.today, min(world.today, world.today + timedelta(days))}
        assert (goal.state, goal.warnings) == (State.ON_TRACK, ())
        assert [step.due for step in goal.steps] == dues
        world.today -= timedelta(days=1)  # another machine has the run, whose clock is right, or behind as well
        again = world.sync()
        assert again.actions == {}
        assert again.found.schedule.goals[0].state is State.ON_TRACK
        assert [step.due for step in again.found.schedule.goals[0].steps] == dues
        world.today += timedelta(days=4)
        assert world.sync().actions == {}
        assert world.states() == {"g": "live", "g/one": "done", "g/two": "live", "g/three": "live"}

    @pytest.mark.parametrize("days", [-1, 1, 2], ids=["a day behind", "a day ahead", "two days ahead"])
    def test_a_goal_ticked_on_its_deadline_is_not_missed_by_the_clock_of_the_service(
        self, world: World, days: int
    ) -> None:
        world.goal["deadline"] = str(world.today)
        world.sync()
        world.service.clock = days
        world.service.tick(world.native_id("g"))
        (goal,) = world.sync().found.schedule.goals
        assert goal.state is State.DONE
        assert goal.done in {world.today, min(world.today, world.today + timedelta(days))}
        assert set(world.states().values()) == {"done"}

    @pytest.mark.parametrize("days", [-1, 1, 2], ids=["a day behind", "a day ahead", "two days ahead"])
    def test_what_is_made_by_another_clock_is_made_once(self, world: World, days: int) -> None:
        world.service.clock = days
        first, *others = world.goal["steps"]
        world.goal["steps"] = [first, {"id": "new", "title": "Think", "takes": "1 day"}, *others]
        world.sync()
        world.service.set_due(world.native_id("g/new"), DAY)
        world.sync()
        assert world.tasks()["g/new"].marker.pinned
        assert world.service.text().count("Think") == 1

    # Who closed it

    def test_a_goal_that_was_cancelled_asks_for_nothing_and_comes_back_as_it_was(self, world: World) -> None:
        if not world.service.cancels:
            world.skip("way to cancel a task (cancels)")
        world.service.tick(world.native_id("g/one"))
        world.service.set_due(world.native_id("g/two"), DAY)
        world.sync()
        before, states = world.tasks(), world.states()
        world.service.cancel(before["g"].native_id)
        for days in (0, 2):
            world.today += timedelta(days)
            done = world.sync()
            (goal,) = done.found.schedule.goals
            assert done.actions == {}
            assert goal.state is State.GIVEN_UP
            assert not any(step.open or step.overdue for step in goal.steps)
            assert "given up" in remarks(done, "g")
        world.service.reopen(before["g"].native_id)
        done = world.sync()
        assert (done.actions, remarks(done, "g")) == ({}, "")
        assert done.found.schedule.goals[0].state is State.ON_TRACK
        assert (world.tasks(), world.states()) == (before, states)

    def test_a_goal_that_was_cancelled_goes_on_in_another_app_as_its_person_wants(self, world: World) -> None:
        if not world.service.cancels:
            world.skip("way to cancel a task (cancels)")
        beside, theirs = Beside(world), DAY + timedelta(days=4)
        beside.sync()
        world.service.tick(world.native_id("g/one"))
        world.service.set_due(world.native_id("g/two"), DAY)
        beside.sync()
        world.service.cancel(world.native_id("g"))
        beside.sync()
        before = world.tasks()
        beside.reopen("Begin")
        beside.set_due("Go on", theirs)
        beside.edit("Finish", lambda _: "")
        for _ in range(3):
            (goal,) = beside.sync().found.schedule.goals
            one, two, three = goal.steps
            assert (one.done, two.due, three.dropped) == (None, theirs, True)
        assert "[ ] Begin" in beside.text
        assert world.tasks() == before

    @pytest.mark.parametrize("key", ["g", "g/two"])
    def test_what_a_robot_closed_is_open_and_said_so(self, world: World, key: str) -> None:
        if not hasattr(world.service, "close_by_robot"):
            world.skip("robots that close tasks (close_by_robot)")
        before, states = world.tasks(), world.states()
        robot = world.service.close_by_robot(before[key].native_id)
        for _ in range(2):
            done = world.sync()
            assert done.actions == {}
            assert robot in remarks(done, key)
            assert done.found.schedule.goals[0].state is State.ON_TRACK
            assert world.states() == states
        for other in STEPS:
            if other != key:
                world.service.tick(world.native_id(other))
        world.sync()
        assert world.states()[key] == ("done" if key == "g" else "live")
        world.service.reopen(before[key].native_id)
        assert not remarks(world.sync(), key)

    # What a service says

    def test_an_answer_of_another_shape_is_an_error_that_says_so_and_nothing_is_written(self, world: World) -> None:
        if not hasattr(world.service, "misshape"):
            world.skip("answers of a server (misshape)")
        world.goal["deadline"] = "2027-10-07"
        before = world.service.text()
        with world.service.misshape() as lacking:
            connector = world.service.connector()
            done = world.run(connector)
        (why,) = done.found.unread.values()
        assert lacking in why
        assert not any(plan.pending for plan in done.plans)
        assert connector.requests.write == 0
        assert world.service.text() == before
        assert world.sync().actions  # which it can do now

    def test_many_tasks_that_are_gone_at_once_are_believed_only_with_leave(self, world: World) -> None:
        if world.service.connector().capabilities.local:
            world.skip("rights that may have been taken away (local)")
        world.goal["steps"] += [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(5)]
        world.sync()
        tasks, gone = world.tasks(), [f"g/s{n}" for n in range(4)]
        for key in gone:
            world.service.delete(tasks[key].native_id)
        world.goal["deadline"] = "2027-10-07"
        connector = world.service.connector()
        done = world.run(connector)
        (why,) = done.found.unread.values()
        assert "--allow-mass-change" in why
        assert f"of {len(gone)} of the {len(tasks)} tasks" in why
        assert not any(plan.pending for plan in done.plans)
        assert connector.requests.write == 0
        assert not world.run(world.service.connector(), allow=True).errors
        assert [key for key, state in world.states().items() if state == "dropped"] == gone
        world.sync()
