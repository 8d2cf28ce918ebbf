"""Counts the requests that Todoist gets. Run it with `.venv/bin/python benchmarks/todoist.py`; it needs no account.

The service is the fake of the tests, over real HTTP, and does the counting. Beside each figure stands what the same
costs a program that calls the official SDK once for every task that it writes, and for every 200 that it reads.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sync.run.homes import Binding

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
from pydantic import SecretStr
from todoist_api_python.api import TodoistAPI

from benchmarks.plans import plain_goals_file
from config import loader
from connectors.http import Api, Clock
from connectors.todoist.api import TODOIST, Client
from connectors.todoist.connector import Account, TodoistConnector
from sync.run import pipeline, reading
from tests.servers.clients import Redirected
from tests.servers.todoist import PRO, Rates, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2027, 7, 20)
DEADLINE = date(2028, 12, 29)
STEPS_A_GOAL = 250  # Todoist takes 300 open tasks a project
ROW = "{:<44}{:>9}{:>9}{:>14}{:>12}"


def main() -> None:
    """Measure everything and print it."""
    print(ROW.format("", "reads", "writes", "SDK: reads", "writes"))
    with tempfile.TemporaryDirectory() as name:
        for steps in (1, 10, 100, 1000):
            measure(Path(name), steps)
        measure_moved(Path(name))


def measure(folder: Path, steps: int) -> None:
    """A first sync, then nothing changed, then one step changed."""
    with TodoistServer(Todoist(PRO, now=datetime(2027, 7, 20, 9, tzinfo=UTC))) as server, Naive(steps) as naive:
        show(f"first sync of {steps} steps", lambda: sync(folder, server, steps), server, naive, naive.make)
        show("    nothing changed", lambda: sync(folder, server, steps), server, naive, naive.read)
        changed = {0: "Another title"}
        show(
            "    one step changed", lambda: sync(folder, server, steps, changed), server, naive, lambda: naive.write(1)
        )


def measure_moved(folder: Path) -> None:
    """A deadline that moves 50 steps."""
    with TodoistServer(Todoist(PRO, now=datetime(2027, 7, 20, 9, tzinfo=UTC))) as server, Naive(50) as naive:
        sync(folder, server, 50)
        naive.make()
        later = DEADLINE + timedelta(days=7)
        show(
            "a deadline moved, and 50 steps with it",
            lambda: sync(folder, server, 50, deadline=later),
            server,
            naive,
            lambda: naive.write(51),
        )


def show(what: str, ours: Callable[[], None], server: TodoistServer, naive: Naive, theirs: Callable[[], None]) -> None:
    """Do the same in both ways and print the requests of each."""
    before = len(server.log)
    ours()
    writes = sum(entry.commands > 0 for entry in server.log[before:])
    reads = len(server.log) - before - writes
    counted = len(naive.server.log)
    theirs()
    wrote = sum(entry.method == "POST" for entry in naive.server.log[counted:])
    print(ROW.format(what, reads, writes, len(naive.server.log) - counted - wrote, wrote))


def sync(
    folder: Path,
    server: TodoistServer,
    steps: int,
    titles: dict[int, str] | None = None,
    deadline: date = DEADLINE,
) -> None:
    """Sync goals with that many steps altogether, each goal to a project of its own."""
    path = folder / "goals.yaml"
    path.write_text(plain_goals_file(steps, titles or {}, deadline, a_goal=STEPS_A_GOAL), encoding="utf-8")
    project = loader.load(path)
    clock = Clock(lambda: server.service.now)
    token = SecretStr(server.service.owner.token)
    account = Account(lambda: Client(Api(TODOIST, server.url, token, 300, clock)))
    homes = tuple(
        Binding(TodoistConnector(account, project.namespace, f"Project {goal.id}"), frozenset({goal.id}))
        for goal in project.goals
    )
    plans = pipeline.make_plans(reading.read(project, homes, TODAY))
    applied = pipeline.apply(plans, homes, lambda _: None)
    if errors := [change.error for plan in applied for change in plan.changes if change.error]:
        sys.exit(f"{len(errors)} changes failed: {errors[0]}")


class Naive:
    """A program that calls the SDK once a task, with a service of its own."""

    def __init__(self, steps: int) -> None:
        self.server = TodoistServer(Todoist(PRO))
        self.server.service.rates = Rates(requests=10_000)  # else 1,000 tasks are too many for a quarter of an hour
        self._steps = steps

    def __enter__(self) -> Naive:
        self.server.start()
        owner = self.server.service.owner
        self._api = TodoistAPI(owner.token, client=httpx.Client(transport=Redirected(self.server.url)))
        return self

    def __exit__(self, *error: object) -> None:
        self.server.stop()

    def make(self) -> None:
        """Look for the projects, make them, the goals and the steps."""
        self.read()
        self._ids: list[str] = []
        for number in range(self._steps):
            if number % STEPS_A_GOAL == 0:
                project = self._api.add_project(f"Project {number}")
                goal = self._api.add_task("Goal", project_id=project.id, due_date=DEADLINE)
                self._ids.append(goal.id)
            task = self._api.add_task(f"Step {number}", parent_id=goal.id, due_date=DEADLINE)
            self._ids.append(task.id)

    def read(self) -> None:
        """Read the projects and all tasks, 200 at a time."""
        list(self._api.get_projects(limit=200))
        list(self._api.get_tasks(limit=200))

    def write(self, number: int) -> None:
        """Read, and change that many tasks."""
        self.read()
        for task_id in self._ids[:number]:
            self._api.update_task(task_id, content="Another title")


if __name__ == "__main__":
    main()
