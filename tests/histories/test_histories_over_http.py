"""Random histories over real HTTP: the connector itself, people's hands on its fake, faults at its requests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from connectors.base import Action, Write
from tests.histories import histories
from tests.histories.apps_over_http import APPS, live
from tests.histories.choices import Event
from tests.histories.github_over_http import github_life
from tests.histories.in_memory import a_project
from tests.histories.over_http import TodoistApp, TodoistInSteps, connect_todoist, todoist_life
from tests.servers.github_server import GitHubServer
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.base import StoreWrite, WriteResult
    from tests.histories.world import Life

MARKS = {"todoist by start": pytest.mark.proof}
PARTS = [range(10), *(pytest.param(part, marks=pytest.mark.proof) for part in (range(10, 55), range(55, 100)))]


@pytest.mark.parametrize("seeds", PARTS, ids=str)
@pytest.mark.parametrize("app", [pytest.param(app, marks=MARKS.get(app, [])) for app in APPS])
def test_no_promise_is_broken_over_http(app: str, seeds: range) -> None:
    lived = live(app, a_project(), seeds)
    assert lived.tally.violation is None, histories.tell(lived.tally.violation)
    assert lived.faults > len(seeds) / 5  # else nothing was tried


@pytest.mark.parametrize(
    "events",
    [
        # A run dies after it has made the tasks, and a person completes them before any run has seen them.
        [("faulty_sync", 14), ("tick", 0)],
        # A person's own completed task, which the service does not list, stands below one that is removed.
        [("race", 5), ("tick", 3), ("add_foreign_task", 3), ("tick", 0), ("reopen", 2), ("remove_step", 1)],
        # The goal stands in another project with all its steps, and the namespace changes.
        [("sync", 0), ("move_away", 0), ("change_namespace", 0)],
        # A run reads while another one has followed a rename in its memory, and not yet in the task.
        [("sync", 0), ("add_step", 0), ("rename_step", 0), ("race", 4)],
        # The memory loses its words, and its project its name.
        [("sync", 0), ("spoil_memory", 2), ("rename_place", 0)],
        # The memory loses its text before the result of a run is stored.
        [("faulty_sync", 1064466786782), ("spoil_memory", 2)],
        # The memory loses its words, and its tasks are deleted, done, or elsewhere.
        [("race", 0), ("delete", 1), ("delete", 1), ("move_away", 1), ("spoil_memory", 2), ("tick", 0)],
        # A section is archived whose making the service has forgotten.
        [("change_place", 1), ("faulty_sync", 0), ("forget_ids", 0), ("sync_with_a_place_archived", 1)],
        # A project is renamed, and archived.
        [("faulty_sync", 0), ("rename_place", 0), ("add_goal", 0), ("remove_goal", 0),
         ("sync_with_a_place_archived", 0)],
    ],
    ids=["pending and done", "completed below", "moved away", "renamed", "nameless", "nameless and pending",
         "nameless and alone", "archived", "renamed and archived"],
)  # fmt: skip
def test_a_life_that_once_went_wrong(events: list[tuple[str, int]]) -> None:
    with TodoistServer() as server:
        life = todoist_life(a_project(), server)
        life.live([Event(name, luck) for name, luck in events])
        assert len(life.told) == len(events) + 1  # nothing was left out


def test_a_life_on_github_that_once_went_wrong() -> None:
    """A goal's issue is duplicated, with the memory in it, and the goal is renamed."""
    with GitHubServer() as server:
        life = github_life(a_project(), server)
        life.live([Event("sync", 0), Event("copy", 0), Event("rename_goal", 0)])
        assert len(life.told) == 4


class DeletesWhatItLetsGo(TodoistInSteps):
    """A strategy that is known to be wrong."""

    def apply(self, batch: Sequence[Write | StoreWrite]) -> list[WriteResult]:
        return super().apply([self._wrong(write) for write in batch])

    @staticmethod
    def _wrong(write: Write | StoreWrite) -> Write | StoreWrite:
        if isinstance(write, Write) and write.action is Action.DETACH:
            return replace(write, action=Action.REMOVE)
        return write


@pytest.mark.proof
def test_a_wrong_strategy_is_caught_over_http() -> None:
    with TodoistServer() as server:

        def life() -> Life:
            made = todoist_life(a_project(), server)
            app = made.apps[0].service
            assert isinstance(app, TodoistApp)
            made.connect = partial(connect_todoist, app, kind=DeletesWhatItLetsGo)
            return made

        assert any(histories.breaks(life(), histories.draw(seed)) for seed in range(100))
