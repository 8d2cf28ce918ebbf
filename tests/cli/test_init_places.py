"""`init` for an app whose places it can look up: it lists them, takes the one that is meant, or makes a new one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from config.errors import InputError
from tests.connectors.caldav_account import ON_NEXTCLOUD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Person
    from tests.servers.caldav import CalDAVServer

INIT = ("init", "--title", "Swim", "--deadline", "2028-06-16", "--connector", "caldav")


@pytest.fixture
def server(person: Person) -> Iterator[CalDAVServer]:
    """A server with a list of tasks, one of events, and one that the user may only read."""
    with ON_NEXTCLOUD.server() as server:
        server.make_list("/ann/work/", "Work", "VEVENT")
        server.make_list("/ann/shared/", "Shared")
        server.read_only.add("/ann/shared/")
        person.env.update(ON_NEXTCLOUD.environment(server))
        yield server


def sync_line(person: Person) -> str:
    return next(line for line in person.goals.read_text("utf-8").splitlines() if line.startswith("sync: "))


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is a thing of Unix")
@pytest.mark.parametrize(
    ("answers", "line", "made"),
    [
        pytest.param(["1"], "sync: [{caldav: {list: Goals}}]", False, marks=pytest.mark.proof),
        pytest.param(["7", "n", "2"], "sync: [{caldav: {list: Work, as: events}}]", False, marks=pytest.mark.proof),
        (["My plans", "y"], "sync: [{caldav: {list: My plans}}]", True),
    ],
)
def test_on_a_terminal_the_lists_are_offered(
    person: Person, server: CalDAVServer, answers: list[str], line: str, made: bool
) -> None:
    shown = person.on_a_terminal([*INIT], ["", *answers])
    assert "  1  Goals, takes tasks" in shown
    assert "  2  Work, takes events" in shown
    assert "Shared" not in shown
    assert sync_line(person) == line
    assert ("My plans" in {name for name, _ in server.lists.values()}) == made


def test_without_a_terminal_a_list_is_named_and_made(person: Person, server: CalDAVServer) -> None:
    unknown = person.run(*INIT, "--json")
    assert unknown.code == InputError.exit_code
    assert "there are “Goals” (takes tasks), “Work” (takes events)" in unknown.err
    assert not person.goals.exists()
    for place, line in (("Work", "list: Work, as: events"), ("Plans", "list: Plans"), ("Plans", "list: Plans")):
        person.goals.unlink(missing_ok=True)
        assert person.run(*INIT, "--place", place, "--json").json["written"]
        assert sync_line(person) == f"sync: [{{caldav: {{{line}}}}}]"
    assert [components for name, components in server.lists.values() if name == "Plans"] == [{"VTODO"}]
    assert person.run("sync").code == 0


def test_a_place_is_taken_as_it_is_where_nobody_can_look(person: Person) -> None:
    done = person.run(*INIT, "--place", "Plans")
    assert done.code == 0
    assert "CalDAV's address is missing" in done.err
    assert sync_line(person) == "sync: [{caldav: {list: Plans}}]"
    person.goals.unlink()
    for arguments, words in (
        (("--place", "Plans", "--connector", "github"), "--place is that of one app"),
        (("--place", ""), "not running in a terminal"),
    ):
        assert words in person.run(*INIT, *arguments).err
    for app, place in (("gitlab", "me/goals"), ("markdown", "tasks.md")):
        person.goals.unlink(missing_ok=True)
        assert person.run(*INIT[:-1], app, "--place", place).code == 0
        assert place in sync_line(person)
