"""Goals that go from one file, repository or app to another, and back: their ticks, dates and words come along."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from config.errors import BackplanError
from sync.run import executor, pipeline, reading
from sync.run.homes import Binding
from tests.connectors.contract import TODAY, a_goal, load
from tests.connectors.github_account import GitHubAccount
from tests.connectors.stands import STANDS
from tests.connectors.test_contract import MarkdownFile
from tests.connectors.todoist_account import NOW, TodoistAccount
from tests.histories.process import Run
from tests.servers.github_server import GitHubServer
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.base import Connector, StoreWrite, Write, WriteResult
    from connectors.model import Task
    from sync.reconcile.change import ConnectorPlan
    from tests.conftest import Person
    from tests.connectors.contract import Service

PAIRS = [
    "file to file",
    "repository to repository",
    "file to todoist",
    "todoist to file",
    "todoist to repository",
    "repository to gitlab",
    "gitlab to file",
    pytest.param("file to caldav", marks=pytest.mark.proof),
    pytest.param("caldav to todoist", marks=pytest.mark.proof),
]
PINNED = date(2027, 9, 1)
MORE = [{"id": "four", "title": "Look back", "takes": "1 day"}, {"id": "five", "title": "Rest", "takes": "1 day"}]


@dataclass
class Removal:
    """Somebody whose goals go from one place to another: the first is retired when the second is named."""

    old: Service
    new: Service
    folder: Path
    goal: dict[str, Any] = field(default_factory=lambda: a_goal(steps=[*a_goal()["steps"], *MORE]))
    moved: bool = False

    def homes(self) -> tuple[Binding, ...]:
        here, there = (self.new, self.old) if self.moved else (self.old, self.new)
        return (
            Binding(_labelled(here, "here"), frozenset({"g"})),
            Binding(_labelled(there, "there"), frozenset(), retired=True),
        )

    def plans(self) -> tuple[reading.Reading, list[ConnectorPlan]]:
        found = reading.read(load(self.folder, self.goal), self.homes(), TODAY)
        return found, pipeline.make_plans(found)

    def run(self) -> Run:
        found, plans = self.plans()
        return Run(found, pipeline.apply(plans, found.homes, lambda _: None))

    def settle(self) -> Run:
        """Run without errors; then a second run must find nothing left to do."""
        done = self.run()
        assert done.errors == []
        assert self.run().silent
        return done

    def tasks(self, service: Service) -> dict[str, Task]:
        """Return the tasks of ours that are open, by key, of which there may be one each."""
        tasks = [task for task in service.connector().read().tasks if not (task.done or task.dropped)]
        assert len({task.marker.key for task in tasks}) == len(tasks)
        return {task.marker.key: task for task in tasks}


def _labelled(service: Service, label: str) -> Connector:
    connector = service.connector()
    connector.label = label
    return connector


@pytest.fixture(params=PAIRS)
def removal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Removal]:
    with ExitStack() as stack:
        old, new = (_service(kind, n, tmp_path, stack) for n, kind in enumerate(request.param.split(" to ")))
        removal = Removal(old, new, tmp_path)
        removal.settle()
        yield removal


def _service(kind: str, number: int, folder: Path, stack: ExitStack) -> Service:
    if kind == "file":
        return MarkdownFile(folder / f"list{number}.md")
    if kind == "todoist":
        return TodoistAccount(stack.enter_context(TodoistServer(Todoist(PRO, now=NOW))))
    if kind == "repository":
        return GitHubAccount(stack.enter_context(GitHubServer()))
    stand = next(stand for stand in STANDS if stand.name == kind)
    found: Service = stand.person(stand, stack.enter_context(stand.server()))
    return found


def work_on(removal: Removal) -> None:
    """Let a person tick, drag, rename and delete a task, and comment on another one."""
    tasks, service = removal.tasks(removal.old), removal.old
    service.tick(tasks["g/one"].native_id)
    service.set_due(tasks["g/two"].native_id, PINNED)
    service.set_title(tasks["g/three"].native_id, "Finish it well")
    service.delete(tasks["g/four"].native_id)


def test_ticks_dates_words_and_deletions_come_along(removal: Removal) -> None:
    work_on(removal)
    removal.moved = True
    removal.settle()
    there = removal.tasks(removal.new)
    assert set(there) == {"g", "g/two", "g/three", "g/five"}
    assert there["g/two"].content.due == PINNED
    assert there["g/two"].marker.pinned
    assert there["g/three"].content.title == "Finish it well"
    assert removal.tasks(removal.old) == {}
    assert "Rest" not in removal.old.text()
    assert "Finish it well" not in removal.old.text()  # what they had changed came along


def test_what_a_person_added_beside_a_task_stays(removal: Removal) -> None:
    removal.old.touch(removal.tasks(removal.old)["g/five"].native_id)
    removal.moved = True
    removal.settle()
    assert "Rest" in removal.old.text()
    assert removal.tasks(removal.old) == {}


def test_they_come_back_as_well(removal: Removal) -> None:
    work_on(removal)
    removal.moved = True
    removal.settle()
    removal.new.tick(removal.tasks(removal.new)["g/five"].native_id)
    removal.moved = False
    removal.settle()
    here = removal.tasks(removal.old)
    assert set(here) == {"g", "g/two", "g/three"}
    assert here["g/two"].content.due == PINNED
    assert here["g/three"].content.title == "Finish it well"
    assert removal.tasks(removal.new) == {}


def test_nothing_goes_before_the_new_place_has_it(removal: Removal, monkeypatch: pytest.MonkeyPatch) -> None:
    before = removal.tasks(removal.old)
    removal.moved = True
    found, plans = removal.plans()

    def refuse(batch: object) -> list[WriteResult]:
        raise BackplanError("does not answer")

    monkeypatch.setattr(found.homes[0].connector, "apply", refuse)
    pipeline.apply(plans, found.homes, lambda _: None)
    assert removal.tasks(removal.old) == before
    removal.settle()
    assert set(removal.tasks(removal.new)) == set(before)


def test_a_run_that_is_cut_short_between_any_two_batches_is_finished(removal: Removal) -> None:
    """At each batch: the process dies before it, or after it."""
    work_on(removal)
    removal.moved = True
    shapes = []
    for stop in range(20):
        found, plans = removal.plans()
        connectors = {home.label: home.connector for home in found.homes}
        if not cut_short(plans, connectors, stop):
            break
        keys = set(removal.tasks(removal.new)) | set(removal.tasks(removal.old))
        assert keys >= {"g", "g/two", "g/three", "g/five"}
        shapes.append(keys)
    assert len(shapes) > 1
    removal.settle()
    assert set(removal.tasks(removal.new)) == {"g", "g/two", "g/three", "g/five"}
    assert removal.tasks(removal.old) == {}


def cut_short(plans: list[ConnectorPlan], connectors: dict[str, Connector], stop: int) -> bool:
    """Carry out the first batches of a plan; return whether there were more of them."""
    execution = executor.execute(plans, {label: one.capabilities for label, one in connectors.items()})
    answers: Any = None
    try:
        for _ in range(stop + 1):
            request = execution.send(answers)
            batch: tuple[Write | StoreWrite, ...] = request.batch
            answers = connectors[request.label].apply(batch)
    except StopIteration:
        return False
    return True


def test_a_list_that_the_goals_file_has_stopped_naming_is_said(person: Person, food_handler: str) -> None:
    person.writes(food_handler)
    person.run("sync")
    named = "sync: [{markdown: {file: tasks.md}}]\n"
    person.writes(named + food_handler)
    said = person.run("plan")
    assert "todo.md holds tasks of" in said.err
    assert "write `retired: [{markdown: {file: todo.md}}]`" in said.err
    person.writes(f"{named}retired: [{{markdown: {{file: todo.md}}}}]\n{food_handler}")
    assert "the goals file does not name it" not in person.run("sync").err


@pytest.mark.parametrize("removal", ["file to todoist", "todoist to repository"], indirect=True)
def test_nothing_leaves_a_place_in_a_run_that_does_not_write_to_the_new_one(removal: Removal) -> None:
    before = removal.tasks(removal.old)
    removal.moved = True
    found = reading.read(load(removal.folder, removal.goal), removal.homes(), TODAY)
    only = frozenset({removal.old.connector().name})
    plans = pipeline.make_plans(found, only_connectors=only)
    pipeline.apply(plans, found.homes, lambda _: None, limited=True)
    assert removal.tasks(removal.old) == before
    removal.settle()
    assert removal.tasks(removal.old) == {}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + b"\xe9",
        lambda text: b"<<<<<<< ours\n" + text + b"=======\n>>>>>>> theirs\n",
        lambda text: text.replace(b"\n2\n", b"\n9\n"),
    ],
    ids=["Latin-1", "a merge conflict", "a newer version's"],
)
def test_a_copy_of_the_list_that_cannot_be_read_stops_no_run(
    person: Person, food_handler: str, spoil: Callable[[bytes], bytes]
) -> None:
    person.writes(food_handler)
    person.run("sync")
    copy = person.folder / "todo (conflicted copy).md"
    copy.write_bytes(spoil((person.folder / "todo.md").read_bytes()))
    for command in ("plan", "sync"):
        done = person.run(command)
        assert done.code == 0, done.err
        assert "todo (conflicted copy).md looks like a list of backplan's, and cannot be read" in done.err
