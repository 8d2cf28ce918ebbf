"""What only Jira does: its search lags, its texts are documents, and its workflows may lack a way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from config.errors import BackplanError
from connectors.jira import Jira, JiraOptions, plain, written
from connectors.model import Content
from connectors.tasks import Wanted
from tests.connectors.jira_account import JIRA
from tests.servers import jira

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.table import TableServer


@pytest.fixture
def server() -> Iterator[TableServer]:
    with JIRA.server() as server:
        yield server


def _service(server: TableServer) -> Jira:
    connector = JIRA.connect(server)
    service = Jira(JiraOptions(project=jira.PROJECT), connector._api)
    service.account()
    return service


def test_an_issue_that_the_search_does_not_show_yet_is_found_by_its_key(server: TableServer) -> None:
    server.table.settles = 3600
    service = _service(server)
    made = [service.create(Wanted(Content(f"Step {n}"), "notes\0bp1 x")) for n in range(3)]
    assert [row.id for row in service.rows()] == [row.id for row in made]
    assert {row.text for row in service.rows(whole=True)} == {"notes\0bp1 x"}


def test_a_new_row_is_what_jira_shows_afterwards(server: TableServer) -> None:
    service = _service(server)
    made = service.create(Wanted(Content("Step", labels=("work",)), "One\n\nTwo\0bp1 x"))
    assert service.row(made.id) == made
    changed = service.change(made, Wanted(Content("New"), "Two\0bp1 y"), frozenset({"title", "labels"}))
    assert service.row(made.id) == changed == replace(made, title="New", labels=(), text="Two\0bp1 y")


@pytest.mark.parametrize("text", ["", "One", "One\nTwo", "One\n\n- Two"])
def test_a_text_returns_from_its_document(text: str) -> None:
    assert plain(written(text)) == text


def test_a_workflow_without_a_way_is_told(server: TableServer, monkeypatch: pytest.MonkeyPatch) -> None:
    service = _service(server)
    row = service.create(Wanted(Content("Step"), "\0bp1 x"))
    monkeypatch.setitem(jira._WAYS, "transitions", [])
    with pytest.raises(BackplanError, match="“Step”: the workflow of the project has no transition"):
        service.close(row)


@pytest.mark.parametrize("whole", [False, True])
def test_an_issue_that_cannot_be_read_is_not_gone(server: TableServer, whole: bool) -> None:
    service = _service(server)
    made = [service.create(Wanted(Content(f"Step {n}"), "\0bp1 x")) for n in range(2)]
    server.table.row(made[0].id)["unread"] = True
    unread = rf"1 of the issues cannot be read now, such as the one with the id {made[0].id}; none is taken for deleted"
    with pytest.raises(BackplanError, match=unread):
        service.rows(whole=whole)
    with pytest.raises(BackplanError, match=unread):
        service.row(made[0].id)
    del server.table.row(made[0].id)["unread"]
    service.remove(made[0])
    assert [row.id for row in service.rows(whole=whole)] == [made[1].id]
