"""What only Microsoft To Do does: midnights of a zone, formatted notes, tokens that are replaced, a code to sign in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import BackplanError, RefusedError
from config.redaction import Secrets
from config.settings import Settings
from connectors.html_text import text_of
from connectors.microsoft_todo import MICROSOFT_TODO as SERVICE
from connectors.oauth import Refreshed, undated
from sync.cli.connect import sign_in_by_device
from tests.connectors.contract import World
from tests.connectors.microsoft_todo_account import MICROSOFT_TODO, MicrosoftTodoAccount
from tests.servers.microsoft_todo import CLIENT, LASTING, MicrosoftTodoServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.proof


@pytest.fixture
def server() -> Iterator[MicrosoftTodoServer]:
    with MicrosoftTodoServer() as server:
        yield server


@pytest.fixture
def account(server: MicrosoftTodoServer) -> MicrosoftTodoAccount:
    return MicrosoftTodoAccount(MICROSOFT_TODO, server)


@pytest.fixture
def world(account: MicrosoftTodoAccount, tmp_path: Path) -> World:
    world = World(account, tmp_path)
    world.sync()
    return world


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "Pacific/Kiritimati", "Europe/Berlin", "UTC"])
def test_a_day_that_is_picked_in_the_app_is_that_day(server: MicrosoftTodoServer, tmp_path: Path, zone: str) -> None:
    stand = replace(MICROSOFT_TODO, options={"list": "Goals", "timezone": zone})
    account = MicrosoftTodoAccount(stand, server)
    account.zone = zone
    world = World(account, tmp_path)
    world.sync()
    assert world.sync().silent
    account.set_due(world.native_id("g/one"), date(2027, 11, 7))  # on which clocks change in some places
    world.sync()
    assert world.tasks()["g/one"].content.due == date(2027, 11, 7)
    assert world.tasks()["g/one"].marker.pinned


def test_a_zone_beside_that_of_the_person_is_rounded_to_the_nearest_midnight(
    world: World, account: MicrosoftTodoAccount
) -> None:
    one = world.native_id("g/one")
    for hour in (10, 13, 19):  # the midnights of places to the west and to the east of Los Angeles
        account.row(one)["dueDateTime"] = datetime(2027, 8, 3, hour, tzinfo=UTC) - timedelta(hours=6)
        assert world.tasks()["g/one"].content.due == date(2027, 8, 3)


def test_formatting_stays_where_only_the_date_changes(world: World, account: MicrosoftTodoAccount) -> None:
    row = account.row(world.native_id("g/one"))
    line = row["text"].splitlines()[-1]
    row |= {"contentType": "html", "text": f"<html><body><p>Ask <b>Ann</b> &amp; Bo</p><p>{line}</p></body></html>"}
    world.sync()
    world.goal["deadline"] = "2027-10-07"
    world.sync()
    assert "<b>Ann</b> &amp; Bo" in row["text"]
    assert line not in row["text"]
    assert world.tasks()["g/one"].content.notes == "Ask Ann & Bo"
    assert world.sync().silent


def test_html_is_read_as_people_see_it() -> None:
    html = "<head><style>p {}</style></head><div>One<br>two</div><ul><li>a\n b</li><li>c&nbsp;&lt;</li></ul>"
    assert text_of(html) == "One\ntwo\na b\nc <"


def test_a_list_that_was_renamed_is_not_created_again(world: World, server: MicrosoftTodoServer) -> None:
    server.lists["AQ-list-1="] = "My goals"
    before = dict(server.lists)
    with pytest.raises(RefusedError, match="“My goals” contains a memory of backplan"):
        world.run(MICROSOFT_TODO.connect(server))
    assert server.lists == before
    server.lists["AQ-list-2="] = server.lists["AQ-list-3="] = "Goals"
    with pytest.raises(BackplanError, match="several lists have this name"):
        MICROSOFT_TODO.connect(server).read()


def settings_of(server: MicrosoftTodoServer, file: Path | None = None) -> Settings:
    secrets = Secrets({})
    return Settings(SERVICE.credential, server.url, 300, token_file=file, also=CLIENT, secrets=secrets)


def test_a_token_in_a_file_is_replaced_with_its_new_last_day(server: MicrosoftTodoServer, tmp_path: Path) -> None:
    (file := tmp_path / "token").write_text(f"2026-01-01:{LASTING}")
    assert SERVICE.credential.grant is not None
    token = Refreshed(SERVICE.credential.grant, settings_of(server, file))
    assert token.ends == date(2026, 1, 1)
    token.renew()
    new, ends = undated(file.read_text().strip())
    assert (new != LASTING, ends) == (True, token.ends)
    assert ends is not None
    assert abs(ends - datetime.now(UTC).date() - timedelta(90)) <= timedelta(1)
    token.renew()  # with the new one


def test_doctor_tells_the_last_day_and_what_a_refused_token_needs(server: MicrosoftTodoServer) -> None:
    said = {
        check.what: check.sentence for check in MICROSOFT_TODO.connect(server, token=f"2027-02-28:{LASTING}").facts()
    }
    assert said["token"].startswith("accepted until 2027-02-28; sign in again")
    (refused,) = MICROSOFT_TODO.connect(server, token="2027-02-28:old").facts()  # noqa: S106  # of nobody
    assert "AADSTS70000" in refused.sentence
    assert "sign in with `backplan connect microsoft-todo`" in refused.sentence


def signed_in(server: MicrosoftTodoServer, *pending: str) -> tuple[str, list[str]]:
    """Return the token, and what the person reads; `pending` is answered before somebody signs in."""
    told: list[str] = []
    server.pending, grant = [*pending], SERVICE.credential.grant
    assert grant is not None
    return sign_in_by_device(grant, settings_of(server), told.append, server.clock()), told


def test_who_enters_the_code_gets_the_token(server: MicrosoftTodoServer) -> None:
    before = server.table.now
    token, told = signed_in(server, "authorization_pending", "slow_down")
    assert token == LASTING
    assert told == ["open https://www.microsoft.com/link in any browser, enter the code ABCD1234, and sign in"]
    assert server.table.now - before == timedelta(seconds=5 + 5 + 10)


@pytest.mark.parametrize(
    ("pending", "words"), [(["authorization_pending"] * 200, "within 10 minutes"), (["expired_token"], "expired_token")]
)
def test_who_does_not_gets_none(server: MicrosoftTodoServer, pending: list[str], words: str) -> None:
    with pytest.raises(BackplanError, match=f"nobody signed in.*{words}"):
        signed_in(server, *pending)
