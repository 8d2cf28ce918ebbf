"""A fake Todoist of a paying account, and who speaks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from todoist_api_python.api import TodoistAPI

from tests.servers.clients import Caller, Redirected
from tests.servers.todoist import PRO, Todoist
from tests.servers.todoist_server import TodoistServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Todoist:
    return Todoist(PRO)


@pytest.fixture
def server(service: Todoist) -> Iterator[TodoistServer]:
    with TodoistServer(service) as server:
        yield server


@pytest.fixture
def caller(server: TodoistServer) -> Iterator[Caller]:
    caller = Caller(server, server.service.owner.token)
    with caller.http:
        yield caller


@pytest.fixture
def api(server: TodoistServer) -> Iterator[TodoistAPI]:
    with (
        httpx.Client(transport=Redirected(server.url)) as client,
        TodoistAPI(server.service.owner.token, client=client) as api,
    ):
        yield api
