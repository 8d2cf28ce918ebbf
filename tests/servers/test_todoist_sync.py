"""POST /sync of the fake Todoist, its limits, and every fault that can be asked for."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.servers.clients import Caller
from tests.servers.http import Fault
from tests.servers.todoist import Rates, Todoist
from tests.servers.todoist_server import TodoistServer

AT = "2026-03-01T08:00:00Z"
MISSING_ID = "6" + "X" * 15


# Commands


def test_commands_by_form_and_by_json_with_temporary_ids(caller: Caller, service: Todoist) -> None:
    commands = [
        caller.command("project_add", "T1", name="Goals"),
        caller.command("section_add", "T2", name="Now", project_id="T1"),
        caller.command("item_add", "T3", content="Parent", section_id="T2", due={"date": "2026-05-01"}),
        caller.command("item_add", "T4", content="Child", parent_id="T3", child_order=7),
        caller.command("note_add", "T5", item_id="T4", content="Note"),
        caller.command("label_add", "T6", name="backplan"),
    ]
    form = {"sync_token": "*", "resource_types": '["items", "notes"]', "commands": json.dumps(commands)}
    answer = caller.http.post("/sync", data=form).json()
    ids = answer["temp_id_mapping"]
    assert set(answer["sync_status"].values()) == {"ok"}
    parent, child = answer["items"]
    assert (parent["project_id"], parent["section_id"], parent["due"]["date"]) == (ids["T1"], ids["T2"], "2026-05-01")
    assert (child["id"], child["parent_id"], child["child_order"]) == (ids["T4"], ids["T3"], 7)
    assert (answer["full_sync"], answer["full_sync_date_utc"]) == (True, "2026-03-10T09:00:00Z")
    assert [note["content"] for note in answer["notes"]] == ["Note"]
    assert ids["T6"].isdigit()
    assert "projects" not in answer
    assert len(service.tasks(ids["T1"])) == 2


def test_forward_references_and_failed_parents(caller: Caller, service: Todoist) -> None:
    answer = caller.sync(
        caller.command("item_add", uuid="early", content="Child", parent_id="T1"),
        caller.command("item_add", "T1", uuid="bad", content="Parent", priority=9),
        caller.command("item_add", uuid="orphan", content="Child", parent_id="T1"),
        caller.command("item_add", uuid="good", content="Good"),
        caller.command("item_fly", uuid="unknown"),
    )
    status = answer["sync_status"]
    assert status["early"] == status["orphan"] == {"error": "Invalid temporary id", "error_code": 15}
    assert (status["bad"]["error_tag"], status["bad"]["error_extra"]["argument"]) == (
        "INVALID_ARGUMENT_VALUE",
        "priority",
    )
    assert status["unknown"]["http_code"] == 400
    assert (status["good"], answer["temp_id_mapping"]) == ("ok", {})
    assert [task["content"] for task in service.tasks()] == ["Good"]


def test_uuids_are_remembered(caller: Caller, service: Todoist) -> None:
    batch = [
        caller.command("item_add", "T1", content="A"),
        caller.command("item_add", "T2", content="B", parent_id="T1"),
    ]
    first = caller.sync(*batch)
    again = caller.sync(*batch)
    assert again["temp_id_mapping"] == first["temp_id_mapping"]
    assert set(again["sync_status"].values()) == {"ok"}
    assert len(service.tasks()) == 2
    dead = first["temp_id_mapping"]["T1"]
    service.delete(dead)
    assert caller.sync(*batch)["temp_id_mapping"]["T1"] == dead
    assert service.tasks() == []
    service.forget_uuids()
    assert caller.sync(*batch)["temp_id_mapping"]["T1"] != dead
    assert len(service.tasks()) == 2


@pytest.mark.parametrize("stays", [True, False])
def test_a_refused_uuid(caller: Caller, service: Todoist, stays: bool) -> None:
    service.failed_uuids_stay_failed = stays
    task = service.add_task("One")
    move = caller.command("item_move", uuid="m", id=task, project_id=MISSING_ID)
    assert caller.sync(move)["sync_status"]["m"]["http_code"] == 404
    move["args"]["project_id"] = service.add_project("Goals")
    assert (caller.sync(move)["sync_status"]["m"] == "ok") is not stays


def test_malformed_batches_are_refused_whole(caller: Caller, service: Todoist) -> None:
    good = caller.command("item_add", content="x")
    many = [caller.command("item_add", content="x") for _ in range(101)]
    batches = (many, [good, {"type": "item_add", "args": {}}], [good, caller.command("x") | {"temp_id": ""}], [good, 1])
    for batch in batches:
        assert caller.http.post("/sync", json={"commands": batch}).status_code == 400
    assert "max 100 commands" in caller.post(*many).json()["error"]
    assert caller.post(resource_types=["nonsense"]).status_code == 400
    assert caller.post(sync_token="nonsense").status_code == 400  # noqa: S106
    assert service.tasks() == []
    assert set(caller.sync(*many[:100])["sync_status"].values()) == {"ok"}


def test_every_command_does_what_it_says(caller: Caller, service: Todoist) -> None:
    goals, other = service.add_project("Goals"), service.add_project("Other")
    section = service.add_section("Now", goals)
    one, two = service.add_task("One", goals, due={"date": "2026-04-01"}), service.add_task("Two", goals, labels=["a"])
    note = service.add_comment(one, "Note")
    label = caller.sync(caller.command("label_add", "L", name="b"))["temp_id_mapping"]["L"]
    t1, t2 = ("items", one), ("items", two)
    done: list[tuple[str, dict[str, Any], tuple[str, ...], object]] = [
        ("item_update", {"id": one, "content": "1", "due": None}, (*t1, "due"), None),
        ("item_update", {"id": one, "due": {"string": "every week"}}, (*t1, "due", "is_recurring"), True),
        ("item_update", {"id": one, "due": {"date": "2026-04-02"}}, (*t1, "due", "is_recurring"), False),
        ("item_move", {"id": one, "section_id": section}, (*t1, "section_id"), section),
        ("item_reorder", {"items": [{"id": one, "child_order": 9}]}, (*t1, "child_order"), 9),
        ("item_complete", {"id": one, "date_completed": AT}, (*t1, "completed_at"), AT.replace("Z", ".000000Z")),
        ("item_uncomplete", {"id": one}, (*t1, "checked"), False),
        ("item_close", {"id": one}, (*t1, "checked"), True),
        ("item_update_date_complete", {"id": two, "due": {"date": "2026-06-01"}}, (*t2, "due", "date"), "2026-06-01"),
        ("label_rename", {"name_old": "a", "name_new": "b"}, (*t2, "labels"), ["b"]),
        ("label_update", {"id": label, "name": "c"}, (*t2, "labels"), ["c"]),
        ("label_delete", {"id": label}, (*t2, "labels"), []),
        ("note_update", {"id": note, "content": "Changed"}, ("notes", note, "content"), "Changed"),
        ("section_update", {"id": section, "name": "Today"}, ("sections", section, "name"), "Today"),
        ("section_move", {"id": section, "project_id": other}, (*t1, "project_id"), other),
        ("section_archive", {"id": section}, ("sections", section, "is_archived"), True),
        ("section_delete", {"id": section}, (*t1, "is_deleted"), True),
        ("project_update", {"id": goals, "name": "Aims"}, ("projects", goals, "name"), "Aims"),
        ("project_move", {"id": goals, "parent_id": other}, ("projects", goals, "parent_id"), other),
        ("project_archive", {"id": goals}, ("projects", goals, "is_archived"), True),
        ("project_unarchive", {"id": goals}, ("projects", goals, "parent_id"), None),
        ("item_delete", {"id": two}, (*t2, "is_deleted"), True),
        ("project_delete", {"id": goals}, ("projects", goals, "is_deleted"), True),
    ]
    for kind, args, path, wanted in done:
        assert at(service.state(), *path) != wanted, kind
        assert caller.run(kind, **args) == "ok", kind
        assert at(service.state(), *path) == wanted, kind


def at(value: Any, *path: str) -> Any:
    for name in path:
        value = value[name] if value is not None else None
    return value


@pytest.mark.parametrize("errors", [True, False])
def test_doing_it_twice(caller: Caller, service: Todoist, errors: bool) -> None:
    service.repeats_are_errors = errors
    closed, deleted = service.add_task("Closed"), service.add_task("Deleted")
    service.tick(closed)
    service.delete(deleted)
    for status in (caller.run("item_close", id=closed), caller.run("item_delete", id=deleted)):
        assert (status != "ok") is errors


# Limits


def test_limits_of_the_free_plan(server: TodoistServer) -> None:
    service = server.service = Todoist()
    with (caller := Caller(server, service.owner.token)).http:
        projects = [service.add_project(f"P{n}") for n in range(5)]
        full = projects[0]
        for n in range(299):
            service.add_task(f"T{n}", full)
        for n in range(20):
            service.add_section(f"S{n}", full)
        status = caller.sync(
            caller.command("item_add", uuid="300", content="x", project_id=full),
            caller.command("item_add", uuid="301", content="x", project_id=full),
            caller.command("item_add", uuid="elsewhere", content="x", project_id=projects[1]),
            caller.command("project_add", uuid="project", name="P6"),
            caller.command("section_add", uuid="section", name="S21", project_id=full),
            caller.command("item_add", uuid="deadline", content="x", deadline={"date": "2026-04-01"}),
            caller.command("item_add", uuid="duration", content="x", duration={"amount": 1, "unit": "day"}),
        )["sync_status"]
        assert (status.pop("300"), status.pop("elsewhere")) == ("ok", "ok")
        assert {uuid: (error["http_code"], error["error_tag"]) for uuid, error in status.items()} == {
            "301": (403, "MAX_ITEMS_LIMIT_REACHED"),
            "project": (403, "MAX_PROJECTS_LIMIT_REACHED"),
            "section": (403, "MAX_SECTIONS_LIMIT_REACHED"),
            "deadline": (403, "PREMIUM_ONLY"),
            "duration": (403, "PREMIUM_ONLY"),
        }
        assert status["301"]["error_code"] == 49
        service.tick(service.tasks(full)[0]["id"])
        assert caller.run("item_add", content="x", project_id=full) == "ok"


def test_rates(caller: Caller, service: Todoist) -> None:
    service.rates = Rates(full_syncs=2, partial_syncs=1, requests=1)
    _, token = (caller.sync(resource_types=["items"])["sync_token"] for _ in range(2))
    service.advance(timedelta(minutes=5))
    answer = caller.post(caller.command("item_add", content="x"))
    assert (answer.status_code, answer.json()["error_tag"], answer.json()["error_code"]) == (429, "LIMITS_REACHED", 35)
    assert answer.headers["Retry-After"] == "600"
    assert answer.json()["error_extra"]["retry_after"] == 600
    assert [caller.post(sync_token=token).status_code for _ in range(2)] == [200, 429]
    assert [caller.http.get("/tasks").status_code for _ in range(2)] == [200, 429]
    service.advance(timedelta(minutes=10))
    assert caller.post().status_code == 200
    assert service.tasks() == []


# Reading what changed


def test_incremental_reading(caller: Caller, service: Todoist) -> None:
    one, two, three = (service.add_task(name) for name in ("One", "Two", "Three"))
    first = caller.sync(sync_token="*", resource_types=["all", "-user"])  # noqa: S106
    assert "user" not in first
    assert [task["id"] for task in first["items"]] == [one, two, three]
    service.tick(one)
    service.delete(two)
    changed = caller.sync(sync_token=first["sync_token"], resource_types=["items"])
    assert changed["full_sync"] is False
    assert [(t["id"], t["checked"], t["is_deleted"]) for t in changed["items"]] == [
        (one, True, False),
        (two, False, True),
    ]
    assert caller.sync(sync_token=changed["sync_token"], resource_types=["items"])["items"] == []
    assert [t["id"] for t in caller.sync(resource_types=["items"])["items"]] == [three]
    service.forget_sync_tokens()
    assert caller.post(sync_token=changed["sync_token"]).status_code == 400


def test_a_full_sync_may_be_stale(caller: Caller, service: Todoist) -> None:
    old, new = service.add_task("Old"), service.add_task("New")
    service.stale_full_sync = 1
    full = caller.sync(resource_types=["items"])
    assert [task["id"] for task in full["items"]] == [old]
    assert full["full_sync_date_utc"] == "2026-03-10T08:50:00Z"
    assert [t["id"] for t in caller.sync(sync_token=full["sync_token"], resource_types=["items"])["items"]] == [new]
    full = caller.sync(resource_types=["items"])
    assert [task["id"] for task in full["items"]] == [old, new]
    assert full["full_sync_date_utc"] == "2026-03-10T09:00:00Z"


# Faults

APPLIED = {Fault.LOST, Fault.BAD_GATEWAY_APPLIED, Fault.HALF, Fault.TRUNCATED, Fault.EMPTY_200, Fault.TIMEOUT}
BROKEN = {Fault.NOT_SENT, Fault.LOST, Fault.PARTIAL}
STATUS = {
    Fault.SERVER_ERROR: 500,
    Fault.BAD_GATEWAY: 502,
    Fault.BAD_GATEWAY_APPLIED: 502,
    Fault.RATE_LIMITED: 429,
    Fault.UNAUTHORIZED: 401,
    Fault.TRUNCATED: 200,
    Fault.HTML_200: 200,
    Fault.EMPTY_200: 200,
}


@pytest.mark.parametrize("fault", Fault)
def test_faults(server: TodoistServer, caller: Caller, service: Todoist, fault: Fault) -> None:
    caller.http.timeout = httpx.Timeout(0.2)
    server.faults.at(1, fault)
    server.faults.retry_after = 7
    assert caller.http.get("/tasks").status_code == 200
    batch = [caller.command("item_add", f"T{n}", content=f"T{n}") for n in range(5)]
    try:
        answer = caller.post(*batch, sync_token="*", resource_types=["items"])  # noqa: S106
    except httpx.ReadTimeout:
        assert fault is Fault.TIMEOUT
    except httpx.RemoteProtocolError:
        assert fault in {*BROKEN, Fault.HALF}
    else:
        assert answer.status_code == STATUS[fault]
        _check_answer(answer, fault)
    done = 5 if fault in APPLIED else 2 if fault is Fault.PARTIAL else 0
    assert len(service.tasks()) == done
    caller.http.timeout = httpx.Timeout(5)
    assert len(caller.http.get("/tasks").json()["results"]) == done
    assert [entry.fault for entry in server.log] == [None, fault, None]
    assert [entry.commands for entry in server.log] == [0, done, 0]
    assert server.log[1].status == {**STATUS, Fault.HALF: 200}.get(fault)
    assert caller.sync(*batch)["sync_status"].keys() == {command["uuid"] for command in batch}
    assert len(service.tasks()) == 5


def _check_answer(answer: httpx.Response, fault: Fault) -> None:
    """Check the bodies that are told apart by more than their status."""
    if fault in {Fault.TRUNCATED, Fault.HTML_200, Fault.BAD_GATEWAY, Fault.BAD_GATEWAY_APPLIED}:
        assert answer.text.startswith("{" if fault is Fault.TRUNCATED else "<!DOCTYPE html>")
        with pytest.raises(ValueError, match=r"Expecting|Unterminated|delimiter"):
            answer.json()
    elif fault is Fault.EMPTY_200:
        assert (answer.json()["items"], len(answer.json()["sync_status"])) == ([], 5)
    else:
        assert answer.json()["http_code"] == answer.status_code
        assert fault is not Fault.RATE_LIMITED or answer.headers["Retry-After"] == "7"


def test_a_judge_decides_on_faults(server: TodoistServer, caller: Caller) -> None:
    caller.http.get("/user")
    seen: list[tuple[int, str, str]] = []

    def judge(index: int, method: str, path: str) -> Fault | None:
        seen.append((index, method, path))
        return Fault.SERVER_ERROR if method == "POST" else None

    server.faults.judge(judge)
    assert [caller.http.get("/tasks").status_code, caller.post().status_code] == [200, 500]
    server.faults.clear()
    assert caller.post().status_code == 200
    assert seen == [(0, "GET", "/api/v1/tasks"), (1, "POST", "/api/v1/sync")]


def test_nothing_is_left_behind_and_no_token_is_kept() -> None:
    before = threading.active_count()
    with TodoistServer() as server, (caller := Caller(server, server.service.owner.token)).http:
        caller.http.get("/user")
        caller.sync(caller.command("item_add", content="x"))
        assert (server.commands, server.count(), server.count("POST", "/sync")) == (1, 2, 1)
        assert server.service.owner.token not in repr(server.log)
        url = server.url
        server.stop()
        assert threading.active_count() == before
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
