"""Programs of others read what we write over CalDAV, and we read what they write: todoman, and the library caldav.

They are in an environment of their own, which `python3 scripts/readers.py` makes and .ci/run has.
"""

from __future__ import annotations

import json
import subprocess
from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.connectors.caldav_account import AS_EVENTS_ON_XANDIKOS, CALDAV, CALDAV_AS_EVENTS, ON_XANDIKOS, CalDAVAccount
from tests.connectors.contract import World
from tests.servers.dav import PASSWORD, USER
from tests.servers.radicale import RadicaleServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.connectors.stand import Stand

pytestmark = pytest.mark.proof

READERS = ROOT / ".readers" / "bin"
_LIBRARY = """
import json, sys
import caldav
url, user, password, path, *done = sys.argv[1:]
client = caldav.DAVClient(url=url, username=user, password=password)
found = client.calendar(url=url + path)
for uid in done:
    found.todo_by_uid(uid).complete()
both = [*found.todos(include_completed=True), *found.events()]
print(json.dumps([
    {name: str(getattr(value, "dt", value)) for name, value in one.icalendar_component.items()} for one in both
]))
"""


def started(program: str, *arguments: str) -> bytes:
    """Return what a program of others prints."""
    if not (READERS / program).exists():
        pytest.skip("CalDAV: no readers; `python3 scripts/readers.py` installs them")
    return subprocess.run([READERS / program, *arguments], check=True, capture_output=True).stdout


def read_by_library(server: RadicaleServer, *done: str) -> dict[str, dict[str, str]]:
    """Return what the library finds, by titles, once it has completed tasks."""
    printed = started("python", "-I", "-c", _LIBRARY, server.url, USER, PASSWORD, server.list, *done)
    return {one["SUMMARY"]: one for one in json.loads(printed)}


@pytest.mark.parametrize("stand", [CALDAV, ON_XANDIKOS])
def test_the_library_reads_tasks_and_completes_one(stand: Stand, tmp_path: Path) -> None:
    with stand.server() as server:
        world = World(stand.person(stand, server), tmp_path)
        world.step("two", notes="Two lines\n\nwith; signs, \\ all", labels=["work"], priority="high")
        world.sync()
        tasks = world.tasks()
        found = read_by_library(server, tasks["g/one"].native_id)
        two = found["Go on"]
        assert (two["DTSTART"], two["DUE"]) == ("2027-09-22", "2027-09-28")
        assert (two["PRIORITY"], two["DESCRIPTION"]) == ("1", "Two lines\n\nwith; signs, \\ all")
        assert two["RELATED-TO"] == tasks["g"].native_id
        assert found["Begin"]["STATUS"] == "COMPLETED"
        world.sync()
        assert world.states() == {"g": "live", "g/one": "done", "g/two": "live", "g/three": "live"}


@pytest.mark.parametrize("stand", [CALDAV_AS_EVENTS, AS_EVENTS_ON_XANDIKOS])
def test_the_library_reads_events(stand: Stand, tmp_path: Path) -> None:
    with stand.server() as server:
        world = World(stand.person(stand, server), tmp_path)
        world.sync()
        world.step("one", done=world.today)
        world.sync()
        found = read_by_library(server)
        two = found["Go on"]
        assert (two["DTSTART"], two["DTEND"], two["TRANSP"]) == ("2027-09-22", "2027-09-29", "TRANSPARENT")
        assert found["✓ Begin"]["UID"] == world.native_id("g/one")


def test_todoman_reads_tasks_and_what_it_does_is_seen(tmp_path: Path) -> None:
    with RadicaleServer() as server:
        world = World(CalDAVAccount(CALDAV, server), tmp_path)
        world.sync()
        folder = tmp_path / "lists" / "goals"
        folder.mkdir(parents=True)
        paths = {path.rpartition("/")[2]: path for path in server.resources()}
        for name, path in paths.items():
            (folder / name).write_text(server.resources()[path], "utf-8", newline="")
        config = tmp_path / "config.py"
        said = f'path = "{tmp_path}/lists/*"\ncache_path = "{tmp_path}/cache"\ndate_format = "%Y-%m-%d"\n'
        config.write_text(f'{said}time_format = "%H:%M"\ndefault_list = "goals"\n', "utf-8")
        todo = ("todo", "--config", str(config))
        found = {one["summary"]: one for one in json.loads(started(*todo, "--porcelain", "list"))}
        assert datetime.fromtimestamp(found["Go on"]["due"]).date() == date(2027, 9, 28)  # noqa: DTZ006
        assert not found["Go on"]["completed"]
        started(*todo, "done", str(found["Begin"]["id"]))
        started(*todo, "edit", "--due", "2027-09-10", str(found["Go on"]["id"]))
        for name, path in paths.items():
            server.ask("PUT", path, (folder / name).read_bytes())
        world.sync()
        tasks = world.tasks()
        assert (tasks["g/one"].done, tasks["g/two"].content.due) == (True, date(2027, 9, 10))
        assert tasks["g/two"].marker.pinned
        assert CALDAV.connect(server).read().damaged == frozenset()
