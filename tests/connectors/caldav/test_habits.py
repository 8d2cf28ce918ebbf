"""What servers of CalDAV do in their own ways, and what apps write when somebody ticks, deletes or moves a task."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import pytest

from config.errors import BackplanError, CredentialsError
from connectors.caldav import lists, todo
from connectors.caldav.dav import Dav
from connectors.model import client_id
from tests.conftest import ROOT
from tests.connectors.caldav_account import CALDAV, ON_CYRUS, ON_NEXTCLOUD, ON_SABRE, ON_XANDIKOS, CalDAVAccount
from tests.connectors.contract import World
from tests.servers.caldav import CYRUS, SABRE, CalDAVServer
from tests.servers.http import Fault, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.connectors.stand import Stand
    from tests.servers.http import Request

OTHER = "/ann/other/"
AGAIN = "20270721T120000Z"  # after our last change


@pytest.fixture(params=[ON_NEXTCLOUD], ids=["Nextcloud"])
def stand(request: pytest.FixtureRequest) -> Stand:
    found: Stand = request.param
    return found


@pytest.fixture
def account(stand: Stand) -> Iterator[CalDAVAccount]:
    with stand.server() as server:
        yield stand.person(stand, server)


@pytest.fixture
def server(account: CalDAVAccount) -> CalDAVServer:
    assert isinstance(account.server, CalDAVServer)
    return account.server


@pytest.fixture
def world(account: CalDAVAccount, tmp_path: Path) -> World:
    account.add_foreign_task("Buy milk")
    world = World(account, tmp_path)
    world.begin()
    return world


def on(*stands: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stand", stands, indirect=True)


def entry(title: str, native_id: str, *lines: str) -> bytes:
    """Return a task that another program has made."""
    more = "".join(f"{line}\r\n" for line in lines)
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//An app\r\nBEGIN:VTODO\r\n"
        f"UID:{native_id}\r\nDTSTAMP:20270701T060000Z\r\nSUMMARY:{title}\r\n{more}END:VTODO\r\nEND:VCALENDAR\r\n"
    ).encode()


# Ids that are in use


def takes_the_bin(server: CalDAVServer, native_id: str) -> None:
    server.bin[native_id] = f"{server.list}{native_id}-deleted.ics"


def takes_another_list(server: CalDAVServer, native_id: str) -> None:
    if OTHER not in server.lists:
        server.make_list(OTHER, "Other")
    server.ask("PUT", f"{OTHER}{native_id}.ics", entry("Think", native_id))


@pytest.mark.parametrize(
    ("stand", "take"),
    [(ON_NEXTCLOUD, takes_the_bin), pytest.param(ON_CYRUS, takes_another_list, marks=pytest.mark.proof)],
    indirect=["stand"],
    ids=["bin", "account"],
)
@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.proof)])
def test_a_task_whose_id_is_in_use_outside_of_the_list_gets_the_next_one(
    world: World, server: CalDAVServer, take: Callable[[CalDAVServer, str], None], times: int
) -> None:
    """Whichever request goes wrong, and whichever run goes on from there."""
    first = client_id("me/goals", "g/new", 1)
    ids = [first, *(client_id(first, server.list, number) for number in range(1, 3))]
    for taken in ids[:times]:
        take(server, taken)
    world.goal["steps"].append({"id": "new", "title": "Think", "takes": "1 day"})
    before = dict(server.entries)
    asked = server.count()
    world.sync()
    for at in range(times - 1, server.count() - asked, 2):  # the one case has the even ones, the other the odd ones
        server.entries = dict(before)
        server.faults.at(at, Fault.LOST)
        server.faults.at(at + 1, Fault.NOT_SENT, 1000)
        with suppress(BackplanError):
            world.run(CALDAV.connect(server, budget=60))
        server.faults.clear()
        world.sync()
        assert world.native_id("g/new") == ids[times]


@pytest.mark.parametrize(
    "stand",
    [
        ON_NEXTCLOUD,
        ON_CYRUS,
        pytest.param(CALDAV, marks=pytest.mark.proof),
        pytest.param(ON_XANDIKOS, marks=pytest.mark.proof),
    ],
    indirect=True,
    ids=["Nextcloud", "Cyrus", "Radicale", "Xandikos"],
)
def test_an_id_that_is_in_use_in_the_list_is_said_with_its_place(world: World, account: CalDAVAccount) -> None:
    world.goal["steps"].append({"id": "new", "title": "Think", "takes": "1 day"})
    path = f"{account.server.list}mine.ics"
    account.server.ask("PUT", path, entry("Mine", client_id("me/goals", "g/new", 1)))
    (error,) = world.run(account.connector()).errors
    found = re.search(r"is that of the task at (\S+); delete that one|“(Mine)” has the id of this task", error)
    assert found is not None
    assert found[1] in (path, None)
    account.server.ask("DELETE", path)
    world.sync()


@on(ON_SABRE)
def test_of_two_entries_with_one_id_the_one_that_changed_last_counts(world: World, server: CalDAVServer) -> None:
    """An app moves a task by writing it anew, and the old one stays; or it imports one that is there."""
    native_id = world.native_id("g/two")
    path = f"{server.list}{native_id}.ics"
    text = server.entries[path].text
    done = text.replace("STATUS:NEEDS-ACTION", "STATUS:COMPLETED")
    for name in ("0", "z"):  # before ours, and after it
        server.ask("PUT", f"{server.list}{name}.ics", text.encode())
    assert world.sync().actions == {}
    server.ask("PUT", f"{server.list}0.ics", re.sub(r"LAST-MODIFIED:\S+", f"LAST-MODIFIED:{AGAIN}", done).encode())
    world.sync()
    assert world.states()["g/two"] == "done"
    world.remove_step("two")
    world.begin()
    world.sync()


# What is refused


@on(ON_SABRE, ON_CYRUS)
def test_a_task_that_the_server_does_not_take_stops_no_other(world: World, server: CalDAVServer) -> None:
    path = f"{server.list}{world.native_id('g/two')}.ics"

    def bent(request: Request, response: Response) -> Response:
        if (request.method, request.path) != ("PUT", path):
            return response
        body = "<d:error xmlns:d='DAV:'><c:valid-calendar-data xmlns:c='urn:ietf:params:xml:ns:caldav'/></d:error>"
        return Response(403, body.encode(), "application/xml")

    server.bend = bent
    world.goal["deadline"] = "2027-10-07"
    done = world.run(CALDAV.connect(server))
    assert done.errors == ["the server refuses it (valid-calendar-data)"]
    server.bend = None
    assert world.tasks()["g/three"].content.due == date(2027, 10, 7)


def test_a_trash_bin_that_takes_no_more_stops_no_other(world: World, server: CalDAVServer) -> None:
    server.full.add(f"{server.list}{world.native_id('g/two')}.ics")
    world.remove_step("two")
    world.goal["deadline"] = "2027-10-07"
    (error,) = world.run(CALDAV.connect(server)).errors
    assert "the server refuses it (" in error
    assert "can't be moved into the trashbin" in error
    assert world.tasks()["g/three"].content.due == date(2027, 10, 7)
    server.full.clear()
    world.sync()


def test_a_list_that_becomes_read_only_meanwhile_is_a_right_that_lacks(world: World, server: CalDAVServer) -> None:
    one = CALDAV.connect(server)
    one.read()
    server.read_only.add(server.list)
    with pytest.raises(CredentialsError, match="it needs the right to write into the list"):
        one._service.close(one._read_once().rows[world.native_id("g/two")])
    server.read_only.clear()


def test_a_server_that_makes_no_more_lists_is_said(server: CalDAVServer) -> None:
    dav = Dav(CALDAV.connect(server, budget=60)._api)
    for number in range(9):
        lists.made(dav, f"List {number}", todo)
    with pytest.raises(BackplanError, match="CalDAV"):
        lists.made(dav, "One more", todo)


# Who may ask


@pytest.mark.parametrize("login", ["Digest", "Bearer"])
def test_a_password_is_sent_as_the_server_asks_for_it(login: str, tmp_path: Path) -> None:
    stand = replace(CALDAV, server=partial(CalDAVServer, replace(SABRE, login=login)))
    with stand.server() as server:
        world = World(stand.person(stand, server), tmp_path)
        before = server.count()
        world.begin()
        assert server.count() - before <= 4 + 5 + 2  # the tasks, what a first run asks besides, and two for the login
        server.nonce = "another"
        world.sync()
        assert server.rejected == 0


@pytest.mark.parametrize("login", ["Basic", "Digest", "Bearer"])
def test_a_wrong_password_is_tried_once(login: str) -> None:
    with CalDAVServer(replace(CYRUS, login=login)) as server:
        with pytest.raises(CredentialsError, match="CalDAV does not accept the password in CALDAV_PASSWORD"):
            CALDAV.connect(server, token="wrong").read()  # noqa: S106  # it is none
        assert server.rejected == 1


# Tasks or events


@pytest.mark.parametrize("shown", ["tasks", "events"])
def test_a_list_with_the_goals_in_the_other_form_is_one_error(server: CalDAVServer, tmp_path: Path, shown: str) -> None:
    server.ask("DELETE", server.list)
    server.make_list(server.list, "Goals", "VTODO", "VEVENT")
    other = "events" if shown == "tasks" else "tasks"
    world = World(CalDAVAccount(replace(CALDAV, options={**CALDAV.options, "as": shown}), server), tmp_path)
    world.sync()
    before = dict(server.entries)
    switched = replace(CALDAV, options={**CALDAV.options, "as": other})
    found = world.run(switched.connect(server)).found
    (why,) = found.unread.values()
    assert f"the goals are {shown} in this list" in why
    assert f"write `as: {shown}` again, or name another list" in why
    assert server.entries == before
    switched.connect(server, "me/others").read()  # another plan may be there in its own form
    world.sync()


# Apps


@dataclass(frozen=True)
class App:
    """What an app writes: the lines of a task that is ticked and of one that is not,.

    below: it does the same to all tasks below, and opens what is above
    """

    ticked: Mapping[str, str | None]
    open: Mapping[str, str | None]
    below: bool = False


_DONE = {"STATUS": "STATUS:COMPLETED", "COMPLETED": f"COMPLETED:{AGAIN}", "PERCENT_COMPLETE": "PERCENT-COMPLETE:100"}
_NEW = {"STATUS": "STATUS:NEEDS-ACTION", "COMPLETED": None, "PERCENT_COMPLETE": None}
_IN_PART = {"STATUS": "STATUS:IN-PROCESS", "COMPLETED": None, "PERCENT_COMPLETE": "PERCENT-COMPLETE:50"}
APPS = {
    "Nextcloud Tasks": App(_DONE, _IN_PART, below=True),
    "Tasks.org": App(_DONE, {**_NEW, "STATUS": None}, below=True),
    "jtx Board": App({"PERCENT_COMPLETE": "PERCENT-COMPLETE:100"}, _IN_PART),
    "todoman": App({**_DONE, "SEQUENCE": "SEQUENCE:7"}, _NEW),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if app.below else pytest.mark.proof) for name, app in APPS.items()]
)
def test_what_apps_tick_untick_move_and_delete_is_seen(world: World, account: CalDAVAccount, name: str) -> None:
    app, server = APPS[name], account.server
    ids = {key: task.native_id for key, task in world.tasks().items()}
    steps = {key for key in ids if key != "g"}
    for native_id in ids.values() if app.below else [ids["g/two"]]:
        account.set_lines(native_id, **app.ticked)
    world.sync()
    assert {key for key, task in world.tasks().items() if task.done} == (steps | {"g"} if app.below else {"g/two"})
    for key in ("g", "g/two") if app.below else ("g/two",):
        account.set_lines(ids[key], **app.open)
    world.sync()
    assert world.states()["g/two"] == world.states()["g"] == "live"
    old, text = account.resource(ids["g/two"])
    server.make_list(OTHER, "Other")
    server.ask("DELETE", old)
    if isinstance(server, CalDAVServer):
        server.bin.clear()  # a server that moves it, does not delete it
    server.ask("PUT", f"{OTHER}{name[:4]}.ics", text.replace("\n", "\r\n").encode())
    world.sync()
    assert world.states()["g/two"] == "live"
    server.ask("DELETE", f"{OTHER}{name[:4]}.ics")
    world.sync()
    assert world.states()["g/two"] == "dropped"


def test_an_app_that_writes_an_old_state_without_a_condition_takes_nothing_back(
    world: World, account: CalDAVAccount
) -> None:
    """Its tick counts. The date that it puts back with it is nobody's wish, as our line beside it is as old."""
    native_id = world.native_id("g/two")
    path, old = account.resource(native_id)
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    stale = old.replace("SUMMARY:Go on", "SUMMARY:Go on then").replace("\n", "\r\n")
    account.server.ask("PUT", path, stale.encode())
    world.sync()
    task = world.tasks()["g/two"]
    assert (task.content.due, task.content.title, task.marker.pinned) == (date(2027, 10, 5), "Go on then", False)


def test_the_documentation_has_every_app_that_is_played() -> None:
    text = (ROOT / "docs" / "caldav.md").read_text("utf-8")
    assert {name for name in APPS if f"\n| {name} |" in text} == APPS.keys()
