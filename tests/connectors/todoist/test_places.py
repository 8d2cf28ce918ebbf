"""Goals that change their place in Todoist, the task that holds a memory, and what people do to either."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import RefusedError
from config.settings import Environment
from connectors.http import Api
from sync.reports import as_json
from sync.run import journal, pipeline, reading
from sync.run.homes import homes_of
from tests.connectors.contract import TODAY, a_goal, load
from tests.connectors.scenarios import Killed
from tests.connectors.todoist_account import NOW, account
from tests.histories.process import Run
from tests.servers.http import Fault
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer
from tests.servers.todoist_store import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from requests import Response

    from config.project import Project

MEMORY = "backplan's memory, keep this"
CAREER = {"todoist": {"project": "Career"}}
THIS_YEAR = {"todoist": {"project": "Career", "section": "This year"}}
GARDEN = {"todoist": {"project": "Garden"}}


def spelled(project: str, section: str | None = None) -> list[dict[str, Any]]:
    return [{"todoist": {"project": project} | ({"section": section} if section else {})}]


PLACES = {"project": CAREER, "section": THIS_YEAR, "another project": GARDEN}


@dataclass
class Desk:
    """Somebody's goals file, and their Todoist."""

    server: TodoistServer
    folder: Path
    sync: list[dict[str, Any]] = field(default_factory=lambda: [CAREER])
    retired: list[dict[str, Any]] = field(default_factory=list)
    goals: list[dict[str, Any]] = field(default_factory=lambda: [a_goal(), a_goal(id="h", title="Garden")])
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def todoist(self) -> Todoist:
        return self.server.service

    @property
    def project(self) -> Project:
        return load(self.folder, *self.goals, sync=self.sync, retired=self.retired, **self.settings)

    def run(self, *, rebuild: bool = False, allow: bool = False, api: type[Api] = Api, timeout: float = 20) -> Run:
        """Run once, as a process of its own does."""
        project = self.project
        environment = Environment.of_process(self.folder)
        environment.accounts["todoist"] = shared = account(self.server, 60, api, timeout)
        homes = homes_of(project, environment)
        found = reading.read(project, homes, TODAY, rebuild=rebuild, allow_mass_change=allow)
        plans = pipeline.make_plans(found, allow_mass_change=allow)
        done = Run(found, pipeline.apply(plans, found.homes, lambda _: None))
        del shared
        return done

    def settle(self, *, rebuild: bool = False) -> Run:
        """Run without errors; then a second run must find nothing to do and send no write."""
        done = self.run(rebuild=rebuild)
        assert done.errors == []
        self.assert_silent()
        return done

    def assert_silent(self) -> None:
        before = self.todoist.state()
        again = self.run()
        assert [(c.action.value, c.key, c.reason) for plan in again.plans for c in plan.writes] == []
        assert not any(plan.pending for plan in again.plans)
        assert self.todoist.state() == before

    def tasks(self, *, memory: bool = False) -> dict[str, dict[str, Any]]:
        """Return the open tasks by their titles, of which there may be one each."""
        found = [task for task in self.todoist.tasks() if not task["checked"]]
        found = [task for task in found if memory or task["content"] != MEMORY]
        assert len({task["content"] for task in found}) == len(found), sorted(task["content"] for task in found)
        return {task["content"]: task for task in found}

    def memories(self) -> list[dict[str, Any]]:
        return [task for task in self.todoist.tasks() if task["content"] == MEMORY]

    def where(self, task: dict[str, Any]) -> str:
        """Return the names of the project and section in which a task stands."""
        state = self.todoist.state()
        project = state["projects"][task["project_id"]]["name"]
        section = task["section_id"] and state["sections"][task["section_id"]]["name"]
        return f"{project} / {section}" if section else str(project)

    def places(self, *titles: str) -> set[str]:
        return {self.where(task) for title, task in self.tasks().items() if not titles or title in titles}


@pytest.fixture
def server() -> Iterator[TodoistServer]:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        yield server


@pytest.fixture
def desk(server: TodoistServer, tmp_path: Path) -> Desk:
    """One goal of three steps with their own titles, and another one, synced into a project."""
    return prepared(server, tmp_path)


def prepared(server: TodoistServer, folder: Path) -> Desk:
    other = a_goal(id="h", title="Plant a tree", steps=[{"id": "dig", "title": "Dig", "takes": "2 days"}])
    desk = Desk(server, folder, goals=[a_goal(), other])
    desk.settle()
    return desk


def name_of(target: dict[str, Any]) -> str:
    said = target["todoist"]
    return f"{said['project']} / {said['section']}" if "section" in said else str(said["project"])


# Places


def test_a_goal_that_is_added_with_a_section_leaves_the_others_alone(desk: Desk) -> None:
    before = desk.tasks()
    new = {"id": "n", "title": "Learn", "deadline": "2027-10-30", "sync": [THIS_YEAR], "steps": ["Read"]}
    desk.goals.append(new)
    done = desk.settle()
    assert {change.key.partition("/")[0] for plan in done.plans for change in plan.writes} == {"n"}
    assert desk.places("Learn", "Read") == {"Career / This year"}
    assert {title: desk.tasks()[title] for title in before} == before


@pytest.mark.parametrize("to", [THIS_YEAR, GARDEN], ids=["section", "project"])
@pytest.mark.parametrize("retired", [[], [CAREER]], ids=["unnamed", "retired"])
def test_a_plan_that_changes_its_place_keeps_its_tasks(desk: Desk, to: dict[str, Any], retired: list[Any]) -> None:
    todoist, before = desk.todoist, desk.tasks()
    todoist.tick(before["Begin"]["id"])
    todoist.set_due(before["Go on"]["id"], TODAY.replace(month=9, day=1))
    todoist.set_title(before["Finish"]["id"], "Finish it well")
    todoist.add_comment(before["Dig"]["id"], "Ask Ann")
    mine = todoist.add_task("Buy milk", before["Dig"]["project_id"])
    milk = todoist.task(mine)
    desk.sync, desk.retired = [to], retired
    done = desk.settle()
    after = desk.tasks()
    assert {task["id"] for title, task in after.items() if title != "Buy milk"} == {
        before[title]["id"] for title in before if title != "Begin"
    }
    assert after.pop("Buy milk") == milk
    assert {desk.where(task) for task in after.values()} == {name_of(to)}
    assert after["Go on"]["due"]["date"] == "2027-09-01"
    assert todoist.comments(after["Dig"]["id"]) == ["Ask Ann"]
    assert [desk.where(memory) for memory in desk.memories()] == [name_of(to)]
    pinned = {step.step.key for goal in done.found.schedule.goals for step in goal.steps if step.pinned}
    assert pinned == {"g/two"}
    assert {s.step.key for goal in done.found.schedule.goals for s in goal.steps if s.done} == {"g/one"}
    # And back again
    desk.sync, desk.retired = [CAREER], [to] if retired else []
    desk.settle()
    after = desk.tasks()
    assert {desk.where(task) for task in after.values()} == {"Career"}
    assert after["Go on"]["due"]["date"] == "2027-09-01"
    assert "Finish it well" in after


@pytest.mark.parametrize("to", PLACES.values(), ids=PLACES)
def test_one_goal_that_changes_its_place_leaves_the_others_where_they_are(desk: Desk, to: dict[str, Any]) -> None:
    before = desk.tasks()
    desk.goals[0]["sync"] = [to]
    desk.settle()
    after = desk.tasks()
    assert {title: task["id"] for title, task in after.items()} == {t: task["id"] for t, task in before.items()}
    assert desk.places("Reach it", "Begin", "Go on", "Finish") == {name_of(to)}
    assert desk.places("Plant a tree", "Dig") == {"Career"}
    desk.goals[0].pop("sync")
    desk.settle()
    assert desk.places() == {"Career"}


def test_a_step_that_a_person_put_elsewhere_stays_there(desk: Desk) -> None:
    inbox = desk.todoist.owner.inbox_id
    desk.todoist.move(desk.tasks()["Go on"]["id"], project=inbox)
    desk.settle()
    desk.sync = [GARDEN]
    desk.settle()
    assert desk.places("Go on") == {"Inbox"}
    assert desk.places("Begin", "Finish", "Reach it") == {"Garden"}


def test_a_new_step_joins_a_goal_that_changes_its_place(desk: Desk) -> None:
    desk.goals[0]["steps"].append({"id": "rest", "title": "Rest", "takes": "1 day"})
    desk.goals[0]["steps"][1]["title"] = "Go on and on"
    desk.sync = [GARDEN]
    desk.settle()
    tasks = desk.tasks()
    assert tasks["Rest"]["parent_id"] == tasks["Reach it"]["id"]
    assert "Go on and on" in tasks


def test_a_step_that_goes_to_a_goal_in_another_place_stays_the_same_task(desk: Desk) -> None:
    desk.goals[1]["sync"] = [GARDEN]
    desk.settle()
    before = desk.tasks()["Go on"]["id"]
    step = desk.goals[0]["steps"].pop(1)
    desk.goals[1]["steps"].append({**step, "was": "g/two"})
    desk.settle()
    assert desk.tasks()["Go on"]["id"] == before
    assert desk.places("Go on") == {"Garden"}


def test_a_goal_that_is_renamed_and_changes_its_place_keeps_its_tasks(desk: Desk) -> None:
    before = {title: task["id"] for title, task in desk.tasks().items()}
    desk.goals[0] |= {"id": "better", "was": "g", "sync": [GARDEN]}
    desk.settle()
    assert {title: task["id"] for title, task in desk.tasks().items()} == before
    assert desk.places("Reach it", "Begin") == {"Garden"}


def test_a_place_that_may_be_another_files_is_left_alone(desk: Desk) -> None:
    """Another goals file may have the same namespace: nothing of its goals is moved or removed."""
    before = desk.tasks()
    desk.goals, desk.sync = desk.goals[1:], [GARDEN]
    with pytest.raises(RefusedError, match=r"Career.*give this one a `namespace:`"):
        desk.run()
    assert desk.tasks() == before
    desk.goals = [a_goal(id="n", title="Learn", steps=["Read"])]  # which no other place has
    desk.settle()
    tasks = desk.tasks()
    assert {title: tasks[title] for title in before} == before
    assert desk.places("Learn", "Read") == {"Garden"}


def test_the_heartbeat_of_another_file_is_left_alone(desk: Desk) -> None:
    desk.settings["heartbeat"] = "3 days"
    desk.settle()
    (memory,) = desk.memories()
    before, remembered = desk.todoist.state()["items"], desk.todoist.comments(memory["id"])
    desk.goals, desk.sync = [a_goal(id="n", title="Learn", steps=["Read"])], [GARDEN]
    for _ in range(2):
        assert desk.run().errors == []
    after = desk.todoist.state()["items"]
    assert {task_id: after[task_id] for task_id in before} == before
    assert desk.todoist.comments(memory["id"]) == remembered
    assert sum(task["content"].startswith("backplan last ran") for task in after.values()) == 2


def test_a_place_that_is_retired_is_cleared_of_what_left_the_file(desk: Desk) -> None:
    desk.goals, desk.sync, desk.retired = desk.goals[1:], [GARDEN], [CAREER]
    desk.settle()
    assert set(desk.tasks()) == {"Plant a tree", "Dig"}
    assert desk.places() == {"Garden"}


def test_goals_that_two_places_had_are_not_removed_where_the_file_no_longer_names_one(desk: Desk) -> None:
    desk.sync = [CAREER, GARDEN]
    desk.run()
    before = [task["id"] for task in desk.todoist.tasks() if desk.where(task) == "Career"]
    desk.sync = [GARDEN]
    desk.run()
    assert set(before) <= {task["id"] for task in desk.todoist.tasks()}


def test_a_move_that_does_not_fit_is_refused_first(desk: Desk) -> None:
    desk.goals[0]["steps"] = [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(150)]
    desk.goals[0]["deadline"] = desk.goals[1]["deadline"] = "2028-09-30"
    desk.goals[1] |= {"sync": [GARDEN], "steps": [{"id": f"t{n}", "title": f"Part {n}"} for n in range(200)]}
    desk.settle()
    before = desk.todoist.state()
    desk.goals[0]["sync"] = [GARDEN]
    with pytest.raises(RefusedError, match="151 are to be moved there"):
        desk.run()
    assert desk.todoist.state() == before


def test_a_project_that_is_called_like_a_section_is_another_place(desk: Desk) -> None:
    desk.goals[0]["sync"] = [{"todoist": {"project": "Career / This year"}}]
    desk.goals[1]["sync"] = [THIS_YEAR]
    desk.settle()
    projects = {p["id"]: p["name"] for p in desk.todoist.state()["projects"].values()}
    assert projects[desk.tasks()["Reach it"]["project_id"]] == "Career / This year"
    assert projects[desk.tasks()["Dig"]["project_id"]] == "Career"
    assert desk.places("Dig") == {"Career / This year"}


def test_a_goal_that_gets_a_step_comes_to_its_new_place(desk: Desk) -> None:
    desk.todoist.tick(desk.tasks()["Plant a tree"]["id"])
    desk.settle()
    desk.goals[1]["sync"] = [GARDEN]
    desk.settle()
    desk.goals[1]["steps"].append({"id": "water", "title": "Water it", "takes": "1 day"})
    desk.settle()
    assert desk.places("Plant a tree", "Water it") == {"Garden"}


def test_damage_in_a_place_that_is_no_longer_named_harms_no_other_goal(desk: Desk) -> None:
    desk.goals[0]["sync"] = [GARDEN]
    desk.settle()
    desk.goals.pop()  # its place is not named any more
    notes = desk.todoist.state()["notes"]
    for note in (n["id"] for n in notes.values() if " h\n" in n["content"]):
        desk.todoist.note_delete(desk.todoist.things[Kind.NOTES][note])
    desk.settle()


def test_a_move_is_not_undone_by_half(desk: Desk) -> None:
    desk.goals[0]["sync"] = [GARDEN]
    done = desk.settle()
    connectors = {home.label: home.connector for home in done.found.homes}
    printed = as_json.text(as_json.plans(done.plans, connectors, desk.project.namespace))
    record = journal.read(json.loads(printed), "the journal")
    with pytest.raises(RefusedError, match="moved g to another place"):
        pipeline.changed_homes(record, desk.project, done.found.homes)


def test_a_done_step_and_a_dropped_one_stay_so_in_another_place(desk: Desk) -> None:
    tasks = desk.tasks()
    desk.todoist.tick(tasks["Begin"]["id"])
    desk.todoist.delete(tasks["Go on"]["id"])
    desk.sync = [THIS_YEAR]
    desk.settle()
    assert set(desk.tasks()) == {"Reach it", "Finish", "Plant a tree", "Dig"}


def test_the_heartbeat_follows_the_first_place(desk: Desk) -> None:
    desk.settings["heartbeat"] = "3 days"
    desk.settle()
    beat = next(title for title in desk.tasks() if title.startswith("backplan last ran"))
    before = desk.tasks()[beat]["id"]
    desk.sync = [GARDEN]
    desk.settle()
    assert desk.tasks()[beat]["id"] == before
    assert desk.places(beat) == {"Garden"}


def test_a_place_that_a_person_renames_while_the_file_does_keeps_its_memory(desk: Desk) -> None:
    project = desk.tasks()["Dig"]["project_id"]
    desk.todoist.rename_project(project, "Job")
    desk.sync = [{"todoist": {"project": "Job"}}]
    desk.settle()
    assert desk.places() == {"Job"}
    assert len(desk.memories()) == 1
    assert "bpm1 me/goals Job" in desk.memories()[0]["description"]


def test_a_section_that_is_added_to_a_project_with_another_name_now_is_made_there(desk: Desk) -> None:
    project = desk.tasks()["Dig"]["project_id"]
    desk.todoist.rename_project(project, "Job")
    desk.goals[1]["sync"] = [THIS_YEAR]
    desk.settle()
    assert desk.places("Dig") == {"Job / This year"}
    assert desk.places("Begin") == {"Job"}


def test_a_memory_without_a_name_in_a_project_with_another_one_is_not_lost(desk: Desk) -> None:
    (memory,) = desk.memories()
    desk.todoist.set_description(memory["id"], "")
    desk.todoist.rename_project(memory["project_id"], "Job")
    before = desk.tasks()
    desk.settle()
    assert {title: task["id"] for title, task in desk.tasks().items()} == {t: task["id"] for t, task in before.items()}
    assert desk.places() == {"Career"}  # as the file says, and nothing else tells any more


def changes_place(desk: Desk) -> None:
    desk.sync = [THIS_YEAR]


def changes_project(desk: Desk) -> None:
    desk.sync, desk.retired = [GARDEN], [CAREER]


def one_goal_moves(desk: Desk) -> None:
    desk.goals[1]["sync"] = [GARDEN]


def lives_in_two_places(desk: Desk) -> None:
    desk.sync = [CAREER, GARDEN]


def begins_anew(desk: Desk) -> None:
    for project in {task["project_id"] for task in desk.todoist.tasks()}:
        desk.todoist.delete_project(project)
    desk.sync = [THIS_YEAR]


MOVES = [changes_place, changes_project, one_goal_moves, lives_in_two_places, begins_anew]


@pytest.mark.proof
@pytest.mark.parametrize("move", MOVES)
def test_a_move_that_is_killed_after_any_request_is_finished(move: Callable[[Desk], None], tmp_path: Path) -> None:
    wanted = moved(move, tmp_path)
    for last in range(1, wanted.requests + 1):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            desk = prepared(server, tmp_path)
            move(desk)

            class Dying(Api):
                sent = 0

                def _once(self, *asked: Any, last: int = last) -> Response:
                    answer = super()._once(*asked)
                    Dying.sent += 1
                    if Dying.sent == last:
                        raise Killed
                    return answer

            with pytest.raises(Killed):
                desk.run(api=Dying)
            desk.settle()
            assert shape(desk) == wanted.shape


@pytest.mark.proof
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PARTIAL, Fault.BAD_GATEWAY_APPLIED, Fault.TRUNCATED])
@pytest.mark.parametrize("move", MOVES)
def test_a_move_with_a_fault_at_any_request_is_finished(
    move: Callable[[Desk], None], fault: Fault, tmp_path: Path
) -> None:
    wanted = moved(move, tmp_path)
    for at in range(wanted.requests):
        with TodoistServer(Todoist(PRO, now=NOW)) as server:
            desk = prepared(server, tmp_path)
            move(desk)
            server.faults.at(at, fault)
            desk.run()
            desk.settle()
            assert shape(desk) == wanted.shape


@dataclass
class Moved:
    """What a move ends in, and how many requests its run sends."""

    shape: object
    requests: int


def moved(move: Callable[[Desk], None], folder: Path) -> Moved:
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        desk = prepared(server, folder)
        move(desk)
        before = len(server.log)
        desk.run()
        sent = len(server.log) - before
        desk.assert_silent()
        return Moved(shape(desk), sent)


def shape(desk: Desk) -> object:
    """Return the tasks that are there, with the place, the date and the parent of each."""
    tasks = {task["id"]: task for task in desk.todoist.tasks() if not task["checked"]}
    above = {
        task_id: tasks[task["parent_id"]]["content"] if task["parent_id"] else "" for task_id, task in tasks.items()
    }
    due = {task_id: task["due"] and task["due"]["date"] for task_id, task in tasks.items()}
    return sorted((task["content"], desk.where(task), due[i] or "", above[i]) for i, task in tasks.items())


# The task that holds the memory


def _comments(desk: Desk) -> list[str]:
    memory = desk.memories()[0]["id"]
    return [n["id"] for n in desk.todoist.state()["notes"].values() if n["item_id"] == memory and not n["is_deleted"]]


def rename(desk: Desk, memory: str) -> None:
    desk.todoist.set_title(memory, "What is this?")


def empty(desk: Desk, memory: str) -> None:
    desk.todoist.set_description(memory, "")


def rename_and_empty(desk: Desk, memory: str) -> None:
    rename(desk, memory)
    empty(desk, memory)


def move_away(desk: Desk, memory: str) -> None:
    desk.todoist.move(memory, project=desk.todoist.owner.inbox_id)


def move_away_and_empty(desk: Desk, memory: str) -> None:
    move_away(desk, memory)
    empty(desk, memory)


def put_below_a_task(desk: Desk, memory: str) -> None:
    desk.todoist.move(memory, parent=desk.tasks()["Dig"]["id"])


def complete(desk: Desk, memory: str) -> None:
    desk.todoist.tick(memory)


def rename_and_complete(desk: Desk, memory: str) -> None:
    rename(desk, memory)
    complete(desk, memory)


def date(desk: Desk, memory: str) -> None:
    desk.todoist.set_due(memory, TODAY)


TOUCHES = [
    rename,
    empty,
    rename_and_empty,
    move_away,
    move_away_and_empty,
    put_below_a_task,
    complete,
    rename_and_complete,
    date,
]


@pytest.mark.parametrize(
    ("touch", "finished"),
    [
        pytest.param(touch, finished, marks=[pytest.mark.proof] if finished else [])
        for touch, finished in product(TOUCHES, [False, True])
    ],
)
def test_a_memory_that_a_person_changed_is_repaired_and_said_once(
    desk: Desk, touch: Callable[[Desk, str], None], finished: bool
) -> None:
    tasks = desk.tasks()
    desk.todoist.delete(tasks["Go on"]["id"])
    desk.settle()
    if finished and touch is not put_below_a_task:
        for title in ("Reach it", "Plant a tree"):
            desk.todoist.tick(tasks[title]["id"])
        desk.settle()
    before, (memory,) = desk.tasks(), desk.memories()
    touch(desk, memory["id"])
    done = desk.settle()
    assert [notice for view in done.found.views for notice in view.snapshot.notices if "was changed" in notice]
    assert [task["id"] for task in desk.memories()] == [memory["id"]]
    after = desk.todoist.task(memory["id"])
    assert {k: after[k] for k in ("content", "project_id", "section_id", "parent_id", "due", "checked")} == {
        k: memory[k] for k in ("content", "project_id", "section_id", "parent_id", "due", "checked")
    }
    assert "bpm1 me/goals Career" in after["description"]
    assert {title: task["id"] for title, task in desk.tasks().items()} == {t: task["id"] for t, task in before.items()}


def test_a_persons_words_in_the_memory_stay(desk: Desk) -> None:
    (memory,) = desk.memories()
    desk.todoist.set_description(memory["id"], "Do not touch, says Ann")
    desk.settle()
    assert desk.todoist.task(memory["id"])["description"].startswith("Do not touch, says Ann\n")


def test_a_memory_without_the_comments_of_one_goal_is_rebuilt_for_that_goal(desk: Desk) -> None:
    tasks = desk.tasks()
    desk.todoist.delete(tasks["Go on"]["id"])  # of the goal whose memory stays
    desk.settle()
    notes = desk.todoist.state()["notes"]
    note = next(n for n in _comments(desk) if " h\n" in notes[n]["content"])
    desk.todoist.note_delete(desk.todoist.things[Kind.NOTES][note])
    with pytest.raises(RefusedError, match=r"of h is gone.*--rebuild"):
        desk.run()
    desk.settle(rebuild=True)
    assert set(desk.tasks()) == set(tasks) - {"Go on"}


def test_rebuild_ends_what_a_person_did_to_the_memory(desk: Desk) -> None:
    """Nothing of it is left by which it could be found, but the id that we gave it."""
    (memory,) = desk.memories()
    for note in _comments(desk):
        desk.todoist.note_delete(desk.todoist.things[Kind.NOTES][note])
    rename_and_empty(desk, memory["id"])
    before = desk.tasks()
    before.pop("What is this?")
    with pytest.raises(RefusedError, match="--rebuild"):
        desk.run()
    desk.settle(rebuild=True)
    assert {title: task["id"] for title, task in desk.tasks().items()} == {t: task["id"] for t, task in before.items()}
    assert len(desk.memories()) == 1


def test_two_places_in_one_new_project_make_it_once(server: TodoistServer, tmp_path: Path) -> None:
    desk = Desk(server, tmp_path, goals=[a_goal(), a_goal(id="h", title="Rest", steps=["Sleep"], sync=[THIS_YEAR])])
    desk.settle()
    projects = [p["name"] for p in desk.todoist.state()["projects"].values() if not p["is_deleted"]]
    assert projects.count("Career") == 1
    assert desk.places("Reach it") == {"Career"}
    assert desk.places("Rest", "Sleep") == {"Career / This year"}


# Names in another case


@pytest.fixture
def fresh(server: TodoistServer, tmp_path: Path) -> Desk:
    """Two goals of which nothing is in Todoist yet."""
    return Desk(server, tmp_path)


@pytest.mark.parametrize("name", ["career", "CAREER", "Career  Plan", "career plan"])
def test_a_project_that_differs_only_in_case_or_white_space_is_used_and_said(fresh: Desk, name: str) -> None:
    there = "Career Plan" if "lan" in name else "Career"
    fresh.todoist.add_project(there)
    fresh.sync = spelled(name)
    done = fresh.settle()
    assert [place["name"] for place in fresh.todoist.all(Kind.PROJECTS)] == ["Inbox", there]
    assert done.found.views[0].snapshot.notices == (f"there is no project `{name}`; `{there}` is used",)


def test_a_section_that_differs_only_in_case_is_used_and_said(fresh: Desk) -> None:
    project = fresh.todoist.add_project("Career")
    fresh.todoist.add_section("This Year", project)
    fresh.sync = spelled("Career", "this year")
    done = fresh.settle()
    assert [place["name"] for place in fresh.todoist.all(Kind.SECTIONS)] == ["This Year"]
    assert done.found.views[0].snapshot.notices == ("there is no section `this year`; `This Year` is used",)


def test_of_two_projects_that_differ_only_in_case_the_exact_one_is_used(fresh: Desk) -> None:
    for name in ("CAREER", "career", "Career"):
        fresh.todoist.add_project(name)
    fresh.sync = spelled("career")
    assert fresh.settle().found.views[0].snapshot.notices == ()
    projects = {place["id"]: place["name"] for place in fresh.todoist.all(Kind.PROJECTS)}
    assert {projects[task["project_id"]] for task in fresh.todoist.tasks()} == {"career"}


def test_a_place_that_the_file_spells_in_two_ways_is_refused(fresh: Desk) -> None:
    fresh.todoist.add_project("Career")
    fresh.goals[1]["sync"] = spelled("career")
    with pytest.raises(RefusedError, match=r"names this place as `Career` too.*Write it in one way"):
        fresh.run()


def test_an_archived_project_of_exactly_that_name_is_not_begun_anew_in_another(fresh: Desk) -> None:
    fresh.todoist.archive_project(fresh.todoist.add_project("career"))
    fresh.todoist.add_project("Career")
    fresh.sync = spelled("career")
    with pytest.raises(RefusedError, match="the project “career” was archived"):
        fresh.run()


def test_the_file_may_spell_the_name_as_todoist_does_later_on(fresh: Desk) -> None:
    fresh.todoist.add_project("Career")
    fresh.sync = spelled("career")
    fresh.settle()
    before = {task["id"] for task in fresh.todoist.tasks()}
    fresh.sync = spelled("Career")
    fresh.settle()
    assert {task["id"] for task in fresh.todoist.tasks()} == before
