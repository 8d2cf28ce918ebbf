"""Requests of the connectors for `behaviour.py`: scenarios of the tests, over HTTP against stand-ins for the services.

What is random or given by a service (UUIDs of version 4, nonces, ids, sync tokens) is numbered in the order of its
appearance. UUIDs and nonces that are derived from words stay: two versions have to derive the same ones.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import environment

sys.path.insert(0, str(environment.ROOT))

from tests.connectors import scenarios
from tests.connectors.contract import World, a_goal
from tests.connectors.github_account import GitHubAccount
from tests.connectors.todoist_account import NOW, TodoistAccount
from tests.servers.github_server import GitHubServer
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.http import Request, Response


@contextmanager
def todoist() -> Iterator[tuple[TodoistServer, TodoistAccount]]:
    """A person with Todoist."""
    with TodoistServer(Todoist(PRO, now=NOW)) as server:
        yield server, TodoistAccount(server)


@contextmanager
def github(**options: Any) -> Iterator[tuple[GitHubServer, GitHubAccount]]:
    """A person with GitHub, where all is set up that the options want."""
    with GitHubServer() as server:
        server.service.repo.roles["jasmine"] = "WRITE"
        server.service.add_user("jasmine")
        server.service.add_project("ann", 4)
        for name in ("Target date", "Start date") if options else ():
            server.service.add_field("ann", name)
        yield server, GitHubAccount(server, **options)


SERVICES: dict[str, Callable[[], Any]] = {
    "todoist": todoist,
    "github": github,
    "github-with-all": lambda: github(milestone=True, dependencies=True, project=4),
}


def scenario_life(world: World) -> None:
    """Every field, a person who does a bit of everything, new and grouped steps, and a run that is undone."""
    everything = {"notes": "Two lines\n\nof *notes*", "labels": ["work"], "priority": "urgent", "who": "jasmine"}
    world.step("two", **everything, checklist=["Bring the form", "Bring a pen"])
    world.sync()
    hand = world.service
    hand.tick(world.native_id("g/one"))
    hand.set_due(world.native_id("g/two"), date(2027, 9, 10))
    hand.set_title(world.native_id("g/three"), "My own words")
    hand.touch(world.native_id("g/three"))
    world.sync()
    hand.reopen(world.native_id("g/one"))
    hand.delete(world.native_id("g/two"))
    world.goal["steps"].insert(1, {"id": "new", "title": "Think", "takes": "1 day", "optional": True})
    world.undo(world.sync())
    world.goal = a_goal(deadline="2027-10-20", title="Reach it at last")
    world.group("middle", "one", "two")


SCENARIOS: dict[str, Callable[[World], None]] = {
    name.removeprefix("scenario_"): scenario
    for name, scenario in [*vars(scenarios).items(), ("scenario_life", scenario_life)]
    if name.startswith("scenario_")
}


def requests(service: str, scenario: str) -> str:
    """Return the requests of a scenario and of the run after it, then the text that a person sees at the end."""
    log: list[str] = []

    def logged(request: Request, response: Response) -> Response:
        log.append(_shown(request))
        return response

    with SERVICES[service]() as (server, person):
        server.bend = logged
        world = World(person, Path())
        try:
            SCENARIOS[scenario](world)
            world.sync()
        except Exception as error:  # whatever it is, the requests before it are shown too
            log.append(repr(error))
        random = not person.connector().capabilities.client_ids
        return _numbered("\n".join([*log, "", person.text()]), nonces=random)


def _shown(request: Request) -> str:
    query = f"?{urlencode(request.query)}" if request.query else ""
    return f"{request.method} {request.path}{query}\n{_body(request.body.decode())}"


def _body(text: str) -> str:
    """Return a body of JSON, or of a form whose values may be JSON, as lines."""
    try:
        value = json.loads(text)
    except ValueError:
        return "".join(f"{key}={_body(value)}\n" for key, value in parse_qsl(text)) or text
    return json.dumps(value, indent=1, ensure_ascii=False).replace("\\n", "\n")


# The stand-in's address; a random UUID; a sync token and an id of Todoist; an id of GitHub.
_GIVEN = (
    r"127\.0\.0\.1:\d+|\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b[0-9a-f]{40}\b|6[0-9A-Za-z]{15}\b|(?<!\d)300\d{7}\b"
)
_MARKER = re.compile(r"\bbp1 ([0-9a-f]{10}) ")


def _numbered(text: str, *, nonces: bool) -> str:
    """Return a text with all that is given at random, or by a service, as numbers in the order of appearance.

    nonces: those of markers are random here, too.
    """
    given = re.compile("|".join([_GIVEN, *(sorted(set(_MARKER.findall(text))) if nonces else ())]))
    seen: dict[str, str] = {}
    return given.sub(lambda found: seen.setdefault(found[0], f"<{len(seen) + 1}>"), text)
