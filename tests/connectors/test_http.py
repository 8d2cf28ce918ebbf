"""What services speak, over real HTTP: three ways of paging, and tokens that end after an hour."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from config.errors import CredentialsError
from config.redaction import Secrets
from config.settings import Credential, Grant, Settings
from connectors.http import Api, Service
from connectors.pages import by_link, by_next_url, by_token, listed
from tests.servers.http import Fault
from tests.servers.table import ByLink, ByNextUrl, ByToken, Call, RefusedError, Route, Shape, Table, TableServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CREDENTIAL = Credential(
    "The shelf",
    "SHELF_TOKEN",
    "sign in again",
    "SHELF_URL",
    "https://shelf.example.org",
    also={"SHELF_CLIENT": "client id"},
)
ROWS = [{"id": number} for number in range(7)]
WAYS: dict[str, tuple[Any, Callable[..., Any], str, dict[str, Any]]] = {
    "by link": (ByLink(), by_link, "GET", {"per_page": "3"}),
    "by token": (
        ByToken("items", "nextPageToken", "pageToken", "size"),
        by_token("items", "nextPageToken", "pageToken"),
        "GET",
        {"size": "3"},
    ),
    "by token in the body": (
        ByToken("results", "next_cursor", "start_cursor", "page_size", in_body=True),
        by_token("results", "next_cursor", "start_cursor"),
        "POST",
        {"page_size": 3, "filter": {"a": 1}},
    ),
    "by address": (
        ByNextUrl("value", ("@odata.nextLink",), "$top"),
        by_next_url("value", "@odata.nextLink"),
        "GET",
        {"$top": "3"},
    ),
    "by address in an object": (
        ByNextUrl("data", ("next_page", "uri"), "limit"),
        by_next_url("data", "next_page", "uri"),
        "GET",
        {"limit": "3"},
    ),
}


class Shelf:
    """A service that keeps rows and gives out tokens for an hour, against one that lasts."""

    def __init__(self, pages: Any = None, *, rotates: bool = False) -> None:
        self.lasting, self.rotates, self.given = "lasting-0-of-the-shelf", rotates, 0
        routes = {
            "GET /rows": Route(lambda table, call: list(ROWS)),
            "POST /rows": Route(lambda table, call: list(ROWS), body={"type": "object"}),
            "POST /token": Route(self._give),
        }
        self.server = TableServer(
            Shape(
                routes,
                login=lambda request: request.headers.get("authorization", "").removeprefix("Bearer "),
                refusal=lambda status, words: {"error": words or str(status)},
                pages=pages or ByLink(),
                open=frozenset({"POST /token"}),
            )
        )

    def _give(self, table: Table, call: Call) -> Any:
        asked = call.body
        assert (asked["grant_type"], asked["client_id"]) == ("refresh_token", "a-client")
        if asked["refresh_token"] != self.lasting:
            raise RefusedError(400, "invalid_grant")
        self.given += 1
        table.token = f"an-hour-of-the-shelf-{self.given}"
        if self.rotates:
            self.lasting = f"lasting-{self.given}-of-the-shelf"
        return {"access_token": table.token, "expires_in": 3599} | (
            {"refresh_token": self.lasting} if self.rotates else {}
        )

    def api(self, service: Service, **said: Any) -> Api:
        settings = Settings(service.credential, self.server.url, 300, also={"SHELF_CLIENT": "a-client"}, **said)
        return Api(service, self.server.url, service.login(settings), 300, self.server.clock(), 20)


@pytest.mark.parametrize("way", WAYS)
def test_all_pages_of_a_list_are_read(way: str) -> None:
    pages, turn, method, query = WAYS[way]
    shelf = Shelf(pages)
    with shelf.server as server:
        api = shelf.api(Service(CREDENTIAL), token=SecretStr(server.table.token))
        assert list(listed(api.ask, "/rows", query, turn, method)) == ROWS
        assert (server.count(), api.requests.write) == (3, 0)
        server.faults.at(1, Fault.TRUNCATED)
        assert list(listed(api.ask, "/rows", query, turn, method)) == ROWS


@pytest.mark.parametrize("way", ["by token", "by address", "by link"])
def test_what_is_no_list_is_not_an_empty_one(way: str) -> None:
    shelf = Shelf(ByToken("other", "nextPageToken", "pageToken", "size"))
    with shelf.server as server:
        api = shelf.api(Service(CREDENTIAL), token=SecretStr(server.table.token))
        with pytest.raises(ValueError, match="not a list"):
            list(listed(api.ask, "/rows", {}, WAYS[way][1]))


TOKENS = "https://tokens.example.org"
GRANT = Grant(f"{TOKENS}/token", f"{TOKENS}/auth", {"client_id": "SHELF_CLIENT"}, "rows")
OAUTH = Service(replace(CREDENTIAL, grant=GRANT))


@pytest.fixture
def secrets() -> Iterator[Secrets]:
    found = Secrets({})
    with found.hidden():
        yield found


def test_a_token_is_asked_for_when_it_is_needed_and_again_when_it_has_ended(secrets: Secrets) -> None:
    shelf = Shelf()
    with shelf.server as server:
        api = shelf.api(OAUTH, token=SecretStr(shelf.lasting), secrets=secrets)
        assert server.count() == 0
        for given in (1, 1, 2):
            if given == 2:
                server.table.token = "another"  # noqa: S105  # the one before has ended
            assert api.ask("GET", "/rows").json() == ROWS
            assert shelf.given == given
        assert secrets.hide(f"{server.table.token} {shelf.lasting}") == "(hidden) (hidden)"


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BAD_GATEWAY, Fault.HTML_200, Fault.TRUNCATED, Fault.RATE_LIMITED])
def test_a_token_that_is_not_given_out_at_once_is_asked_for_again(fault: Fault) -> None:
    shelf = Shelf()
    with shelf.server as server:
        server.faults.at(0, fault)
        api = shelf.api(OAUTH, token=SecretStr(shelf.lasting))
        assert api.ask("POST", "/rows", body={}, repeatable=False).json() == ROWS


def test_a_lasting_token_that_is_refused_is_named_with_what_to_do() -> None:
    shelf = Shelf()
    with shelf.server as server:
        api = shelf.api(OAUTH, token=SecretStr("revoked-of-the-shelf"))
        with pytest.raises(
            CredentialsError, match=r"the token in SHELF_TOKEN, or it has expired \(invalid_grant\): sign in again"
        ):
            api.ask("GET", "/rows")
        assert server.count() == 1


@pytest.mark.parametrize("in_a_file", [True, False])
def test_a_lasting_token_that_another_replaces_is_stored_where_it_stood(tmp_path: Path, *, in_a_file: bool) -> None:
    shelf, path = Shelf(rotates=True), tmp_path / "token"
    with shelf.server as server:
        path.write_text(f"{shelf.lasting}\n", encoding="utf-8")
        path.chmod(0o600)
        api = shelf.api(OAUTH, **({"token_file": path} if in_a_file else {"token": SecretStr(shelf.lasting)}))
        api.ask("GET", "/rows")
        server.table.token = "another"  # noqa: S105  # the one before has ended
        api.ask("GET", "/rows")  # asked for with the newest
        assert shelf.given == 2
    assert (path.read_text("utf-8") == f"{shelf.lasting}\n") == in_a_file
    assert path.stat().st_mode & 0o777 == 0o600
