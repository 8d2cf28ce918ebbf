"""CalDAV beside the contract: faults at every request, what apps write, what servers refuse, and the real command."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Todo

from config.errors import BackplanError, InputError, MissingError
from connectors.base import Action, StoreWrite
from connectors.caldav import component, dav, lists, todo
from connectors.caldav.component import Parsed
from connectors.caldav.dav import Dav
from connectors.caldav.forms import FORMS
from connectors.http import Api
from connectors.model import Content, StoredGoal, StoredKey, client_id
from connectors.tasks import Wanted
from tests.connectors.caldav_account import CALDAV, CALDAV_AS_EVENTS, CalDAVAccount, CalDAVEvents
from tests.connectors.contract import TODAY, World, a_goal, load, run
from tests.servers.dav import USER
from tests.servers.http import Request, Response
from tests.servers.radicale import LIST, RadicaleServer, XandikosServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests

    from tests.conftest import Person

    Scenario = Callable[[World], None]

SHOWN = {"tasks": CALDAV, "events": CALDAV_AS_EVENTS}


@pytest.fixture
def server() -> Iterator[RadicaleServer]:
    with RadicaleServer() as server:
        yield server


@pytest.fixture
def account(server: RadicaleServer) -> CalDAVAccount:
    return CalDAVAccount(CALDAV, server)


@pytest.fixture
def world(account: CalDAVAccount, tmp_path: Path) -> World:
    """Our four tasks beside one of a person."""
    account.add_foreign_task("Buy milk")
    world = World(account, tmp_path)
    world.begin()
    return world


# What a person's app writes


class Meddling(Api):
    """Somebody changes a task after it was read, and before it is written."""

    between: Callable[[], None] | None = None

    def send(self, method: str, path: str, **asked: Any) -> requests.Response:
        if method in ("PUT", "DELETE") and Meddling.between:
            between, Meddling.between = Meddling.between, None
            between()
        return super().send(method, path, **asked)


def test_a_task_that_a_person_changes_meanwhile_keeps_that_and_the_next_run_goes_on(
    world: World, account: CalDAVAccount
) -> None:
    task = world.tasks()["g/two"]
    one = CALDAV.connect(account.server, api=Meddling)
    snapshot = one.read()
    found = next(found for found in snapshot.tasks if found.native_id == task.native_id)
    Meddling.between = lambda: account.set_title(task.native_id, "My own words")
    row = one._read_once().rows[task.native_id]
    with pytest.raises(BackplanError, match="was changed in the meantime; run again"):
        one._service.close(row)
    assert (world.tasks()["g/two"].content.title, world.tasks()["g/two"].done) == ("My own words", False)
    assert found.content.title == "Go on"
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert world.tasks()["g/two"].content.title == "My own words"


def test_what_is_not_ours_may_change_meanwhile(world: World, account: CalDAVAccount) -> None:
    native_id = world.native_id("g/one")
    world.step("one", title="Begin at once")
    Meddling.between = lambda: account.set_lines(native_id, X_MOOD="X-MOOD;LEVEL=3:good\\, mostly")
    assert run(world.project, [CALDAV.connect(account.server, api=Meddling)], TODAY).errors == []
    text = account.resource(native_id)[1]
    assert "X-MOOD;LEVEL=3:good\\, mostly" in text
    assert "SUMMARY:Begin at once" in text


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.proof)])
def test_a_memory_that_another_run_writes_meanwhile_keeps_that_or_the_run_says_so(
    world: World, account: CalDAVAccount, times: int
) -> None:
    """The last writer does not win in silence; one that loses to two others reports that it has to run again."""
    one = CALDAV.connect(account.server, api=Meddling)
    memory = one.read().memory
    goals = {f"h{n}": StoredGoal(TODAY, {f"h{n}": StoredKey("live", f"id{n}")}) for n in range(3)}
    left = list(range(times))

    def between() -> None:
        other = CALDAV.connect(account.server)
        there = other.read().memory
        other.apply([StoreWrite({**there, f"h{left[0]}": goals[f"h{left.pop(0)}"]})])
        Meddling.between = between if left else None

    Meddling.between = between
    (answer,) = one.apply([StoreWrite({**memory, "h2": goals["h2"]})])
    assert (answer.error is None) == (times == 1)
    found = world.read().memory
    assert found == {**memory, **{name: goals[name] for name in ("h2" if times == 1 else "h1", "h0")}}
    CALDAV.connect(account.server).apply([StoreWrite(memory)])


def test_a_task_that_changes_before_it_is_removed_stays(world: World, account: CalDAVAccount) -> None:
    native_id = world.native_id("g/two")
    one = CALDAV.connect(account.server, api=Meddling)
    one.read()
    Meddling.between = lambda: account.tick(native_id)
    with pytest.raises(BackplanError, match="run again"):
        one._service.remove(one._read_once().rows[native_id])
    assert world.tasks()["g/two"].done


ALARM = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Now\nTRIGGER:-PT15M\nEND:VALARM"


def test_alarms_and_all_else_that_is_not_ours_stays(world: World, account: CalDAVAccount) -> None:
    native_id = world.native_id("g/two")
    lines = ("X-OC-HIDESUBTASKS:1", "GEO:38.7;-9.1", "LOCATION;LANGUAGE=pt:Lisboa\\, Portugal", "CLASS:PRIVATE")
    account.edit(native_id, lambda text: text.replace("END:VTODO", "\n".join((*lines, ALARM, "END:VTODO"))))
    world.step("two", title="Go on and on", notes="Words", labels=["home"], priority="high")
    world.goal["deadline"] = "2027-10-07"
    assert world.sync().actions["g/two"] is Action.UPDATE
    text = account.resource(native_id)[1]
    assert all(line in text for line in (*lines, *ALARM.split("\n")))
    assert "SUMMARY:Go on and on" in text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DUE;VALUE=DATE:20270910", "DUE;VALUE=DATE:20271005"),
        ("DUE:20270910T170000", "DUE:20271005T170000"),
        ("DUE:20270910T170000Z", "DUE:20271005T170000Z"),
        ("DUE;TZID=Europe/Lisbon:20270910T170000", "DUE;TZID=Europe/Lisbon:20271005T170000"),
    ],
)
def test_a_time_and_its_zone_stay_where_a_date_moves(
    world: World, account: CalDAVAccount, before: str, after: str
) -> None:
    native_id = world.native_id("g/two")
    start = before.replace("DUE", "DTSTART").replace("0910", "0901")
    account.set_lines(native_id, DUE=before, DTSTART=start)
    world.sync()
    assert world.tasks()["g/two"].content.due == date(2027, 9, 10)
    assert world.tasks()["g/two"].marker.pinned
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    text = account.resource(native_id)[1]
    assert after in text
    starts = re.findall(r"DTSTART.*", text[text.index("BEGIN:VTODO") :])
    assert [start.count("T170000") for start in starts] == [before.count("T170000")]


def test_a_task_that_repeats_is_theirs(world: World, account: CalDAVAccount) -> None:
    native_id = world.native_id("g/two")
    account.set_lines(native_id, RRULE="RRULE:FREQ=WEEKLY")
    before = account.resource(native_id)
    world.goal["deadline"] = "2027-10-07"
    assert "g/two" not in world.sync().actions
    assert account.resource(native_id) == before


def test_a_changed_occurrence_of_a_task_that_repeats_is_no_task(world: World, account: CalDAVAccount) -> None:
    native_id = world.native_id("g/two")
    account.set_lines(native_id, RRULE="RRULE:FREQ=DAILY")
    text = account.resource(native_id)[1]
    once = text[text.index("BEGIN:VTODO") : text.index("END:VCALENDAR")].replace("RRULE:FREQ=DAILY\n", "")
    once = once.replace("END:VTODO", "RECURRENCE-ID;VALUE=DATE:20270923\nSTATUS:COMPLETED\nEND:VTODO")
    once = once.replace("STATUS:NEEDS-ACTION\n", "")
    account.edit(native_id, lambda text: text.replace("END:VCALENDAR", f"{once}END:VCALENDAR"))
    assert world.sync().actions == {}
    assert (world.tasks()["g/two"].recurring, world.tasks()["g/two"].done) == (True, False)


def test_steps_stand_below_their_goal(world: World, account: CalDAVAccount) -> None:
    tasks = world.tasks()
    for key in ("g/one", "g/two", "g/three"):
        assert f"RELATED-TO;RELTYPE=PARENT:{tasks['g'].native_id}\n" in account.resource(tasks[key].native_id)[1]
    assert "RELATED-TO" not in account.resource(tasks["g"].native_id)[1]


def test_a_day_of_one_day_has_no_start(world: World, account: CalDAVAccount) -> None:
    world.step("two", takes="1 day")
    world.sync()
    assert "DTSTART" not in account.resource(world.native_id("g/two"))[1]
    assert world.tasks()["g/two"].content.start is None


@pytest.mark.parametrize("line", ["DUE:next friday", "PRIORITY:x", "COMPLETED:x", "no property", "STATUS:MAYBE"])
def test_a_task_that_cannot_be_read_is_there_and_stops_no_other(
    world: World, server: RadicaleServer, line: str
) -> None:
    """It is not deleted; one of a person's is none of our business."""
    before = world.tasks()
    for title, ours in (("Buy milk", False), ("Go on", True)):

        def bent(request: Request, response: Response, title: str = title) -> Response:
            said = f"SUMMARY:{title}\r\n"
            return replace(response, body=response.body.replace(said.encode(), f"{said}{line}\r\n".encode()))

        server.bend = bent
        world.goal["deadline"] = "2027-10-07" if ours else "2027-09-30"
        done = world.run(CALDAV.connect(server))
        told = [c.reason for plan in done.plans for c in plan.changes if c.key == "g/two" and not c.write]
        path = f"{LIST}{before['g/two'].native_id}.ics cannot be read"
        assert any(path in why and "mend it in your app" in why for why in told) == ours
        assert done.actions.keys() == ({"g", "g/one", "g/three"} if ours else set())
    server.bend = None
    after = world.tasks()
    assert after["g/two"] == before["g/two"]
    assert after["g/three"].content.due == date(2027, 10, 7)


# Events


@pytest.fixture
def events(tmp_path: Path, server: RadicaleServer) -> World:
    """Our four events beside one of a person."""
    account = CalDAVEvents(CALDAV_AS_EVENTS, server)
    account.add_foreign_task("Call mum")
    world = World(account, tmp_path)
    world.sync()
    return world


def test_an_event_covers_its_days_and_makes_nobody_busy(events: World) -> None:
    account = events.service
    assert isinstance(account, CalDAVEvents)
    text = account.resource(events.native_id("g/two"))[1]
    assert "DTSTART;VALUE=DATE:20270922\n" in text
    assert "DTEND;VALUE=DATE:20270929\n" in text  # the day after the last
    assert "TRANSP:TRANSPARENT\n" in text
    memory = account.resource(account.memory())[1]
    assert "DTSTART;VALUE=DATE:19700101\n" in memory
    assert "BEGIN:VTODO" not in "".join(account.texts())


@pytest.mark.proof
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("DTSTART:20270909T100000", "DTEND:20270910T113000"), ("20270929T100000", "20271005T113000")),
        (("DTSTART:20270909T220000Z", "DTEND:20270911T000000Z"), ("20270929T220000Z", "20271006T000000Z")),
        (("DTSTART;TZID=Europe/Lisbon:20270910T100000", "DURATION:PT1H"), ("20270929T100000", "20271005T100000")),
        (("DTSTART;VALUE=DATE:20270909", "DURATION:P2D"), ("20270929", "20271006")),
    ],
)
def test_an_event_that_was_given_a_time_keeps_it(
    events: World, before: tuple[str, str], after: tuple[str, str]
) -> None:
    account = events.service
    assert isinstance(account, CalDAVEvents)
    native_id = events.native_id("g/two")
    account.set_lines(native_id, DTSTART=before[0], DTEND=None)
    account.edit(native_id, lambda text: text.replace("END:VEVENT", f"{before[1]}\nEND:VEVENT"))
    events.sync()
    assert events.tasks()["g/two"].content.due == date(2027, 9, 10)
    assert events.tasks()["g/two"].marker.pinned
    events.goal["deadline"] = "2027-10-07"
    events.sync()
    text = account.resource(native_id)[1].partition("BEGIN:VEVENT")[2].partition("END:VEVENT")[0]
    assert [one[1] for one in re.findall(r"\n(DTSTART|DTEND)[^:]*:(\S+)", text)] in (list(after), list(after[::-1]))
    assert "DURATION" not in text


@pytest.mark.proof
@pytest.mark.parametrize("tick", ["✓ ", "✓", "✔️ ", "☑ ", "✅ "])
def test_a_tick_before_the_title_is_one_and_is_written_for_what_is_done(events: World, tick: str) -> None:
    account = events.service
    assert isinstance(account, CalDAVEvents)
    native_id = events.native_id("g/two")
    account.edit(native_id, lambda text: text.replace("SUMMARY:Go on", f"SUMMARY:{tick}Go on"))
    events.step("one", done=TODAY)
    events.sync()
    assert {key for key, task in events.tasks().items() if task.done} == {"g/one", "g/two"}
    assert "SUMMARY:✓ Begin\n" in account.resource(events.native_id("g/one"))[1]
    assert f"SUMMARY:{tick}Go on\n" in account.resource(native_id)[1]
    events.step("three", title="✓ Finish it")
    events.sync()
    assert (events.tasks()["g/three"].content.title, events.tasks()["g/three"].done) == ("Finish it", False)


@pytest.mark.proof
def test_a_date_of_an_event_that_cannot_be_read_stops_no_other(events: World) -> None:
    account, before = events.service, events.tasks()
    account.garble(before["g/two"].native_id, "date")
    events.goal["deadline"] = "2027-10-07"
    done = events.sync()
    assert done.actions.keys() == {"g", "g/one", "g/three"}
    told = [change.reason for change in done.plans[0].changes if change.key == "g/two"]
    assert any("cannot be read (" in why and "next friday" in why for why in told)


# Lists


def test_doctor_tells_what_each_list_can_hold(server: RadicaleServer) -> None:
    server.make_list("/ann/calendar/", "Work", "VEVENT")
    server.make_list("/ann/journal/", "Diary", "VJOURNAL")
    one = CALDAV.connect(server)
    told = {fact.sentence: fact.ok for fact in one.facts()}
    others = ("“Work” takes events", "“Diary” takes neither tasks nor events, but VJOURNAL")
    assert told == dict.fromkeys(("accepted", USER, "“Goals” takes tasks", *others), True)
    (wrong, *rest) = CALDAV.connect(server, list="/ann/calendar/").facts()
    assert (wrong.ok, "it takes no tasks; make a list of tasks" in wrong.sentence) == (False, True)
    assert {fact.sentence for fact in rest} >= {"“Goals” takes tasks", *others}
    assert CALDAV_AS_EVENTS.connect(server, list="/ann/journal/").facts()[0].sentence.count("takes no events") == 1
    assert CALDAV.connect(server, token="wrong").facts()[0].what == "token"  # noqa: S106  # it is none


@pytest.mark.parametrize("kind", [RadicaleServer, pytest.param(XandikosServer, marks=pytest.mark.proof)])
@pytest.mark.parametrize("shown", ["tasks", pytest.param("events", marks=pytest.mark.proof)])
def test_a_list_is_made_once(kind: type[RadicaleServer], shown: str, tmp_path: Path) -> None:
    with kind() as server:
        form = FORMS[shown]
        ones = [lists.made(Dav(CALDAV.connect(server)._api), "My goals <&> më", form) for _ in range(2)]
        assert ones[0] == ones[1]
        assert ones[0].name == "My goals <&> më"
        assert ones[0].components == {form.NAME}
        other = lists.made(Dav(CALDAV.connect(server)._api), "My goals më", form)  # whose path would be the same
        assert other.path != ones[0].path
        known = SHOWN[shown].connect(server, list="My goals <&> më")
        assert run(load(tmp_path, a_goal()), [known], TODAY).errors == []
        assert len(SHOWN[shown].connect(server, list=ones[0].path).read().tasks) == 4


def test_a_task_that_was_moved_to_another_list_is_followed_there(world: World, account: CalDAVAccount) -> None:
    server = account.server
    server.make_list("/ann/other/", "Other")
    server.make_list("/ann/events/", "Events", "VEVENT")
    before = server.count()
    world.run(account.connector())
    quiet = server.count() - before
    native_id = world.native_id("g/two")
    path, text = account.resource(native_id)
    server.ask("DELETE", path)
    server.ask("PUT", "/ann/other/renamed.ics", text.replace("\n", "\r\n").encode())
    before = server.count()
    assert world.run(account.connector()).silent
    assert server.count() - before <= quiet + 6  # itself, three for where the lists are, and one for each other list
    assert world.states()["g/two"] == "live"
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert world.tasks()["g/two"].content.due == date(2027, 10, 5)
    assert path not in server.resources()
    server.ask("DELETE", "/ann/other/renamed.ics")
    world.sync()
    assert world.states()["g/two"] == "dropped"


@pytest.mark.proof
def test_what_stands_in_the_list_of_another_plan_is_not_taken_from_there(world: World, account: CalDAVAccount) -> None:
    """A goal that goes to another list is made there under the same ids, before it leaves here."""
    server = account.server
    server.make_list("/ann/other/", "Other")
    account.delete(world.native_id("g/two"))
    there = CALDAV.connect(server, list="/ann/other/")
    assert run(world.project, [there], TODAY).errors == []
    world.sync()
    assert world.states()["g/two"] == "dropped"
    assert len(CALDAV.connect(server, list="/ann/other/").read().tasks) == 4


@pytest.mark.parametrize(
    ("kind", "shown", "count"),
    [
        (RadicaleServer, "tasks", 10),
        pytest.param(RadicaleServer, "events", 1, marks=pytest.mark.proof),
        pytest.param(RadicaleServer, "tasks", 100, marks=pytest.mark.proof),
        pytest.param(XandikosServer, "tasks", 1, marks=pytest.mark.proof),
        pytest.param(XandikosServer, "events", 10, marks=pytest.mark.proof),
    ],
)
def test_how_many_requests_a_run_takes(kind: type[RadicaleServer], shown: str, count: int, tmp_path: Path) -> None:
    """One task is the goal's own. The first time, nothing there is said twice, and no memory is found."""
    steps = [{"id": f"s{n}", "title": f"Step {n}", "takes": "1 day"} for n in range(count - 1)]
    project = load(tmp_path, {"id": "g", "title": "Reach it", "deadline": "2035-09-30", "steps": steps})
    with kind() as server:
        name = server.list
        if shown == "events":
            server.make_list(name := server.list.replace("goals", "by-day"), "Calendar", "VEVENT")
        for most in (count + 5, 2):
            before = server.count()
            assert run(project, [SHOWN[shown].connect(server, list=name)], TODAY).errors == []
            assert server.count() - before <= most


# What servers say


def test_a_list_that_is_gone_or_takes_no_tasks_is_an_error(world: World, server: RadicaleServer) -> None:
    server.make_list("/ann/events/", "Events", "VEVENT")
    with pytest.raises(BackplanError, match=r"caldav \(/ann/events/\): it takes no tasks"):
        CALDAV.connect(server, list="/ann/events/").read()
    server.ask("DELETE", LIST)
    for name in (LIST, "Goals"):
        with pytest.raises(MissingError, match=r"there is no such list.*nothing was changed"):
            CALDAV.connect(server, list=name).read()
    assert world.run(CALDAV.connect(server)).found.unread


def test_a_list_is_found_by_its_name(world: World, server: RadicaleServer) -> None:
    assert CALDAV.connect(server, list="Goals").read().tasks == CALDAV.connect(server).read().tasks
    server.make_list("/ann/other/", "Goals")
    with pytest.raises(BackplanError, match="several lists have this name; write one of /ann/"):
        CALDAV.connect(server, list="Goals").read()
    with pytest.raises(MissingError, match="the lists of tasks there are Goals"):
        CALDAV.connect(server, list="Gaols").read()


def test_what_has_moved_on_the_same_host_is_asked_the_same_way(world: World, server: RadicaleServer) -> None:
    def moved(request: Request, response: Response) -> Response:
        if request.path.startswith("/old/"):
            return Response(302, headers=(("Location", request.path.removeprefix("/old")),))
        return response

    server.bend = moved
    assert CALDAV.connect(server, list=f"/old{LIST}").read() == CALDAV.connect(server).read()


def test_an_answer_that_is_not_complete_is_an_error(world: World, server: RadicaleServer) -> None:
    for wrong in (b"HTTP/1.1 507 Insufficient Storage", b"HTTP/1.1 500 Internal Server Error"):

        def bent(request: Request, response: Response, wrong: bytes = wrong) -> Response:
            if request.method != "REPORT":
                return response
            return replace(response, body=response.body.replace(b"HTTP/1.1 200 OK", wrong, 1))

        server.bend = bent
        with pytest.raises(BackplanError, match="not complete"):
            CALDAV.connect(server).read()
    server.bend = None


def test_without_etags_and_with_weak_ones_all_is_well(world: World, server: RadicaleServer) -> None:
    for etag in ("", 'W/"x"'):

        def bent(request: Request, response: Response, etag: str = etag) -> Response:
            kept = tuple((name, value) for name, value in response.headers if name != "etag")
            body = re.sub(rb"<getetag>.*?</getetag>", f"<getetag>{etag}</getetag>".encode(), response.body)
            return replace(response, body=body, headers=(*kept, ("ETag", etag)) if etag else kept)

        server.bend = bent
        world.goal["deadline"] = f"2027-10-0{7 + len(etag) % 2}"
        assert world.sync().errors == []
    server.bend = None


def test_an_id_that_somebody_else_has_is_not_written_over(world: World, account: CalDAVAccount) -> None:
    world.service.delete(world.native_id("g/two"))
    world.sync()
    world.step("two", title="Go on after all")
    native_id = client_id("me/goals", "g/two", 2)
    uid = account.add("Mine")
    text = account.resource(uid)[1].replace(uid, native_id)
    account.delete(uid)
    account.server.ask("PUT", f"{LIST}{native_id}.ics", text.encode())
    done = world.run(CALDAV.connect(account.server))
    assert done.errors == ["“Mine” has the id of this task and is no longer managed by backplan; delete it"]
    assert "SUMMARY:Mine" in account.resource(native_id)[1]
    account.delete(native_id)
    world.sync()


def test_the_id_of_a_task_is_for_good() -> None:
    assert client_id("me/goals", "g/one", 1) == "5ba664fa-b722-55d0-83df-fc78388c847c"


# Text


TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\\;,:\"\n\r\0\x85\u2028^'%"), max_size=40)
WITHOUT_A_SERVER = CALDAV.connect(RadicaleServer.__new__(RadicaleServer))
NOW = datetime(2027, 7, 20, 9, tzinfo=UTC)


CONTENTS = st.builds(
    Content,
    title=TEXT,
    notes=TEXT,
    labels=st.lists(TEXT, max_size=3).map(tuple),
    priority=st.sampled_from(["high", "medium", "none", "urgent"]),
    due=st.none() | st.dates(),
    start=st.none() | st.dates(),
)


@given(CONTENTS, st.sampled_from(["tasks", "events"]))
def test_what_is_written_is_read(content: Content, shown: str) -> None:
    content = WITHOUT_A_SERVER.canonical(content)
    line = "bp1 3f9a2c01d4 me/gö:;,als g/one 1 2027-08-05 - a.b"
    form = FORMS[shown]
    content = form.canonical(content)
    text = form.new(Wanted(content, component.HIDING.join(content.notes, line), id="x"), NOW, 1)
    row = form.row(Parsed.of(text, form.NAME))
    notes, found = component.HIDING.split(row.text)
    days = content if shown == "tasks" or content.due else replace(content, start=None)  # an event has all or none
    assert Content(row.title, row.due, notes, row.labels, row.priority, row.start) == days
    assert found == line
    same = form.change(Wanted(content, row.text), component.NEW)
    assert form.row(Parsed.of(component.rewritten(text, form.NAME, same, NOW), form.NAME)) == row
    closed = component.rewritten(text, form.NAME, form.closing(NOW), NOW)
    assert replace(form.row(Parsed.of(closed, form.NAME)), done=False, done_at=None) == row
    opened = component.rewritten(closed, form.NAME, form.reopen, NOW)
    assert form.row(Parsed.of(opened, form.NAME)) == row


LINES = st.lists(
    st.sampled_from(
        [
            'X-A;B="c;d":e\\,f',
            "ATTENDEE;CN=Ann:mailto:ann@example.org",
            "GEO:38.7;-9.1",
            "X-LONG:" + "ä" * 90,
            "RELATED-TO;RELTYPE=SIBLING:other",
            "COMMENT:one\\ntwo",
            "PRIORITY:7",
            ALARM,
        ]
    ),
    unique=True,
)


@settings(max_examples=50)
@given(LINES, st.sampled_from(["title", "due", "labels", "text"]))
def test_a_change_leaves_all_other_lines_as_they_are(lines: list[str], field: str) -> None:
    text = "\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VTODO",
            "UID:x",
            "SUMMARY:Old",
            *lines,
            "END:VTODO",
            "END:VCALENDAR",
            "",
        ]
    ).replace("\n", "\r\n")
    wanted = Wanted(Content("New", date(2027, 9, 1), labels=("home",)), "Notes")
    edit = todo.change(wanted, frozenset({field}))
    after = component.rewritten(text, "VTODO", edit, NOW).replace("\r\n ", "").split("\r\n")
    before = "\n".join(sorted(lines, key=ALARM.__eq__)).split("\n")  # what stands in a task comes last
    assert [line for line in after if line in before] == before


def test_apps_reopen_in_several_ways() -> None:
    made = Todo()
    todo.closing(NOW)(made)
    assert made["STATUS"] == "COMPLETED"
    todo.reopen(made)
    assert {"STATUS"} == set(made)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><multistatus xmlns='DAV:'>&a;</multistatus>",
        b"<multistatus xmlns='DAV:'>",
        b"<multistatus/>",
    ],
)
def test_what_is_no_answer_of_such_a_server_is_not_one(content: bytes) -> None:
    assert not dav._is_multistatus(content)


# Settings


GOALS = """namespace: me/goals
sync:
  - caldav: {list: Goals}
goals: [{id: g, title: Reach it, deadline: 2027-09-30, steps: [{id: one, title: Begin}, {id: two, title: Go on}]}]
"""


@pytest.mark.parametrize(
    ("options", "place", "words"),
    [
        ("{list: Goals, as: event}", "3:27", "invalid `as: event`; expected `tasks`, or `events` of a calendar"),
        ("{list: Goals, at: events}", "3:27", "invalid option `at`; it takes list, as"),
    ],
)
def test_a_form_that_is_none_is_named_with_its_place(person: Person, options: str, place: str, words: str) -> None:
    person.writes(GOALS.replace("{list: Goals}", options))
    done = person.run("check")
    assert done.code == InputError.exit_code
    assert f"goals.yaml:{place}: caldav: {words}" in done.err
