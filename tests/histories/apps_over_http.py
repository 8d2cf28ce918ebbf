"""The apps in which lives are lived over real HTTP, by name, and what was lived through in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.histories import histories
from tests.histories.github_over_http import github_life
from tests.histories.histories import Tally
from tests.histories.over_http import todoist_life
from tests.servers.github_server import GitHubServer
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.project import Project
    from tests.histories.world import Life
    from tests.servers.http import LoopbackServer

APPS: dict[str, tuple[type[LoopbackServer], Callable[[Project, Any], Life]]] = {
    "todoist": (TodoistServer, todoist_life),
    "todoist by start": (TodoistServer, partial(todoist_life, by_start=True)),
    "github": (GitHubServer, github_life),
}


@dataclass
class Lived:
    """What was lived through over HTTP: besides the tally, the requests that were sent and those that went wrong."""

    tally: Tally = field(default_factory=Tally)
    requests: int = 0
    faults: int = 0


def live(app: str, project: Project, seeds: Sequence[int]) -> Lived:
    """Live the history of every seed in an app, up to a broken promise."""
    make_server, make_life = APPS[app]
    lived = Lived()
    with make_server() as server:
        for seed in seeds:
            (step,) = histories.run(lambda: make_life(project, server), [seed])
            lived.requests += len(server.log)
            lived.faults += sum(entry.fault is not None for entry in server.log)
            lived.tally.add(step)
            if step.violation is not None:
                break
    return lived
