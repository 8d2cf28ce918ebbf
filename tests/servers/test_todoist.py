"""The REST side of the fake Todoist, held against the official SDK, and what people do in the app."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from todoist_api_python.models import Duration, Project, Task

from tests.servers.clients import Caller
from tests.servers.todoist import Refused, Todoist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from todoist_api_python.api import TodoistAPI

    from tests.servers.todoist_server import TodoistServer

DAY = date(2026, 4, 1)
MISSING_ID = "6" + "X" * 15


def flat(pages: Iterator[list[Any]]) -> list[Any]:
    return [thing for page in pages for thing in page]


def refused(error: httpx.HTTPStatusError) -> tuple[int, str, int]:
    body = error.response.json()
    assert body["http_code"] == error.response.status_code
    return error.response.status_code, body["error_tag"], body["error_code"]


# What the SDK can do


def test_a_task_comes_back_as_the_sdk_sent_it(api: TodoistAPI, service: Todoist) -> None:
    project = api.add_project("Goals", description="d", view_style="board")
    section = api.add_section("Now", project.id)
    task = api.add_task(
        " Write outline ",
        description="Two\nlines",
        section_id=section.id,
        labels=["backplan"],
        priority=4,
        due_date=DAY,
        duration=2,
        duration_unit="day",
        deadline_date=date(2026, 4, 5),
    )
    assert (task.content, task.description, task.labels, task.priority) == (
        "Write outline",
        "Two\nlines",
        ["backplan"],
        4,
    )
    assert (task.project_id, task.section_id, task.parent_id) == (project.id, section.id, None)
    assert task.due
    assert (task.due.date, task.due.string, task.due.timezone, task.due.is_recurring) == (
        DAY,
        "2026-04-01",
        None,
        False,
    )
    assert task.deadline
    assert task.deadline.date == date(2026, 4, 5)
    assert task.duration == Duration(2, "day")
    assert task.creator_id == service.owner.id
    assert api.get_task(task.id) == task


def test_an_update_changes_only_what_it_says(api: TodoistAPI, caller: Caller) -> None:
    task = api.add_task("One", due_date=DAY, labels=["a"], deadline_date=DAY, duration=1, duration_unit="day")
    changed = api.update_task(task.id, content="Two", labels=[], description="text")
    assert (changed.content, changed.labels, changed.description, changed.due) == ("Two", [], "text", task.due)
    assert changed.updated_at > task.updated_at
    assert api.update_task(task.id, due_string="no date", description="").due is None
    body = {"deadline_date": None, "duration": None, "duration_unit": None, "project_id": MISSING_ID, "checked": True}
    cleared = caller.http.post(f"/tasks/{task.id}", json=body).json()
    assert (cleared["deadline"], cleared["duration"], cleared["description"]) == (None, None, "")
    assert (cleared["checked"], cleared["project_id"]) == (False, task.project_id)
    assert caller.http.post(f"/tasks/{task.id}", json={"due_date": None}).status_code == 400


def test_dates_have_three_shapes(api: TodoistAPI) -> None:
    floating, fixed = datetime(2026, 4, 1, 12), datetime(2026, 4, 1, 10, tzinfo=UTC)  # noqa: DTZ001
    for moment, zone in ((floating, None), (fixed, "Europe/Berlin")):
        due = api.add_task("Timed", due_datetime=moment).due
        assert due
        assert (due.date, due.timezone) == (moment, zone)
    assert [api.add_task("x", due_string=words).due.date for words in ("tomorrow", "2026-05-01")] == [  # type: ignore[union-attr]
        date(2026, 3, 11),
        date(2026, 5, 1),
    ]
    timed = api.add_task("x", due_string="every friday at 9:30").due
    assert timed
    assert (timed.date, timed.is_recurring) == (datetime(2026, 3, 13, 9, 30), True)  # noqa: DTZ001
    for words in ("when it suits", "today at 25", "every 0 days"):
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            api.add_task("x", due_string=words)


def test_complete_uncomplete_delete(api: TodoistAPI, service: Todoist) -> None:
    task = api.add_task("One")
    assert api.complete_task(task.id)
    assert flat(api.get_tasks()) == []
    assert api.get_task(task.id).is_completed
    service.completed_can_be_read = False
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        api.get_task(task.id)
    assert api.uncomplete_task(task.id)
    assert [t.id for t in flat(api.get_tasks())] == [task.id]
    assert api.delete_task(task.id)
    for gone in (api.get_task, api.delete_task, api.complete_task):
        with pytest.raises(httpx.HTTPStatusError) as error:
            gone(task.id)
        assert refused(error.value) == (404, "NOT_FOUND", 478)
        assert error.value.response.headers["Retry-After"] == "3"


def test_pages_filters_and_cursors(api: TodoistAPI, caller: Caller, server: TodoistServer) -> None:
    project = api.add_project("Goals")
    ids = [api.add_task(f"T{n}", project_id=project.id, labels=["even"] if n % 2 == 0 else None).id for n in range(5)]
    before = server.count("GET")
    assert [[t.id for t in page] for page in api.get_tasks(limit=2)] == [ids[:2], ids[2:4], ids[4:]]
    assert server.count("GET") - before == 3
    assert [t.id for t in flat(api.get_tasks(label="even", project_id=project.id))] == ids[::2]
    assert [t.id for t in flat(api.get_tasks(ids=[ids[3], MISSING_ID, ids[1]]))] == [ids[1], ids[3]]
    assert [t.id for t in flat(api.filter_tasks(query="@even & #Goals"))] == ids[::2]
    assert [t.id for t in flat(api.filter_tasks(query="search: t3"))] == [ids[3]]
    page = caller.http.get("/tasks", params={"limit": 2, "project_id": project.id}).json()
    for params in ({"cursor": page["next_cursor"]}, {"cursor": "nonsense", "project_id": project.id}):
        answer = caller.http.get("/tasks", params=params)
        assert (answer.status_code, answer.json()["error_extra"]["argument"]) == (400, "cursor")
    assert caller.http.get("/tasks", params={"limit": 201}).json()["error_extra"]["argument"] == "limit"
    assert caller.http.get("/tasks/filter", params={"query": "@a, @b"}).status_code == 400


def test_moves_take_what_is_below_along(api: TodoistAPI) -> None:
    goals, other = api.add_project("Goals"), api.add_project("Other")
    section = api.add_section("Now", other.id)
    parent = api.add_task("Parent", project_id=goals.id)
    child = api.add_task("Child", parent_id=parent.id)
    assert child.project_id == goals.id
    assert api.move_task(parent.id, section_id=section.id)
    for task in (api.get_task(parent.id), api.get_task(child.id)):
        assert (task.project_id, task.section_id) == (other.id, section.id)
    assert api.get_task(child.id).parent_id == parent.id
    assert api.move_task(child.id, project_id=goals.id)
    assert (api.get_task(child.id).parent_id, api.get_task(child.id).section_id) == (None, None)
    api.move_task(child.id, parent_id=parent.id)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        api.move_task(parent.id, parent_id=child.id)
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        api.move_task(child.id, project_id=goals.id, section_id=section.id)


def test_projects(api: TodoistAPI, caller: Caller) -> None:
    (inbox,) = flat(api.get_projects())
    assert inbox.is_inbox_project
    project = api.add_project("Goals", color="red", is_favorite=True)
    assert (project.name, project.color, project.is_favorite, project.is_shared) == ("Goals", "red", True, False)
    below = api.add_project("Below", parent_id=project.id)
    assert api.update_project(project.id, name="Aims").name == "Aims"
    assert api.get_project(project.id).name == "Aims"
    assert [p.id for p in flat(api.search_projects("ai*"))] == [project.id]
    task = api.add_task("In it", project_id=project.id)
    full = caller.http.get(f"/projects/{project.id}/full").json()
    assert (full["project"]["id"], [t["id"] for t in full["tasks"]]) == (project.id, [task.id])
    assert api.archive_project(project.id).is_archived
    assert [p.id for p in flat(api.get_projects())] == [inbox.id]
    assert flat(api.get_tasks()) == []
    assert {p["id"] for p in caller.http.get("/projects/archived").json()["results"]} == {project.id, below.id}
    assert api.unarchive_project(below.id).parent_id is None
    api.unarchive_project(project.id)
    assert [t.id for t in flat(api.get_tasks())] == [task.id]
    assert api.delete_project(project.id)
    for gone in (api.get_task, api.get_project):
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            gone(task.id if gone == api.get_task else project.id)
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        api.delete_project(inbox.id)


def test_sections(api: TodoistAPI) -> None:
    project = api.add_project("Goals")
    first, second = (api.add_section(name, project.id) for name in ("Now", "Later"))
    task = api.add_task("In it", section_id=first.id)
    assert [s.id for s in flat(api.get_sections(project_id=project.id))] == [first.id, second.id]
    assert api.update_section(first.id, name="Today").name == "Today"
    assert api.get_section(first.id).name == "Today"
    assert [t.id for t in flat(api.get_tasks(section_id=first.id))] == [task.id]
    assert api.delete_section(first.id)
    assert [s.id for s in flat(api.get_sections())] == [second.id]
    assert flat(api.get_tasks()) == []


def test_labels(api: TodoistAPI, service: Todoist) -> None:
    label = api.add_label("backplan", item_order=3)
    task = api.add_task("One", labels=["backplan", "nobody's"])
    assert (api.get_label(label.id).order, [entry.name for entry in flat(api.get_labels())]) == (3, ["backplan"])
    assert flat(api.get_shared_labels()) == ["backplan", "nobody's"]
    assert flat(api.get_shared_labels(omit_personal=True)) == ["nobody's"]
    assert api.update_label(label.id, name="plan").name == "plan"
    assert api.get_task(task.id).labels == ["plan", "nobody's"]
    service.rename_label("nobody's", "ours")
    assert api.delete_label(label.id)
    assert api.get_task(task.id).labels == ["ours"]


def test_comments(api: TodoistAPI, service: Todoist) -> None:
    task = api.add_task("One")
    comment = api.add_comment("Kept", task_id=task.id)
    assert (comment.content, comment.task_id, comment.poster_id) == ("Kept", task.id, service.owner.id)
    service.add_comment(task.id, "by hand")
    assert service.task(task.id)["note_count"] == 2
    assert api.update_comment(comment.id, "Changed").content == "Changed"
    assert [c.content for c in flat(api.get_comments(task_id=task.id, limit=1))] == ["Changed", "by hand"]
    assert api.get_comment(comment.id).content == "Changed"
    assert api.delete_comment(comment.id)
    assert service.comments(task.id) == ["by hand"]


def test_completed_tasks_by_completion_date(api: TodoistAPI, service: Todoist, caller: Caller) -> None:
    start = service.now
    ids = [api.add_task(f"T{n}", due_date=DAY if n else None).id for n in range(3)]
    for task_id in ids:
        service.now = service.now.replace(microsecond=0) + timedelta(days=1)
        api.complete_task(task_id)

    def done(since: datetime, until: datetime) -> list[str]:
        return [t.id for t in flat(api.get_completed_tasks_by_completion_date(since=since, until=until, limit=1))]

    assert done(start, service.now + timedelta(days=1)) == ids[::-1]
    second = datetime.fromisoformat(service.task(ids[1])["completed_at"])
    assert done(second, second + timedelta(seconds=1)) == [ids[1]]
    assert done(start, second) == [ids[0]]
    by_due = api.get_completed_tasks_by_due_date(since=start, until=start + timedelta(days=40))
    assert sorted(t.id for t in flat(by_due)) == sorted(ids[1:])
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        done(start, start + timedelta(days=100))
    assert caller.http.get("/tasks/completed/by_completion_date", params={"since": "2026-01-01"}).status_code == 400


def test_what_sync_reads_the_sdk_can_parse(api: TodoistAPI, caller: Caller, service: Todoist) -> None:
    project = service.add_project("Goals")
    parent = service.add_task("Parent", project, due={"date": "2026-04-01T10:00:00Z"}, priority=3)
    service.add_task("Child", parent_id=parent, description="text", deadline={"date": "2026-06-01"})
    read = caller.sync(resource_types=["items", "projects", "user", "user_plan_limits"])
    assert [Task.from_dict(item) for item in read["items"]] == flat(api.get_tasks())
    assert [Project.from_dict(p) for p in read["projects"]] == flat(api.get_projects())
    assert read["user"] == caller.http.get("/user").json()
    assert (read["user"]["inbox_project_id"], read["user"]["is_premium"]) == (service.owner.inbox_id, True)
    limits = read["user_plan_limits"]["current"]
    assert (limits["max_tasks"], limits["max_projects"], limits["deadlines"]) == (300, 300, True)


# Errors


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 19),
        ({"content": ""}, 20),
        ({"content": "x" * 501}, 20),
        ({"content": "x", "description": "x" * 16_384}, 20),
        ({"content": "x", "labels": ["x" * 61]}, 20),
        ({"content": "x", "priority": 5}, 20),
        ({"content": "x", "due_date": "2026-02-30"}, 20),
        ({"content": "x", "due_date": "2026-02-03", "due_string": "today"}, 20),
        ({"content": "x", "duration": 1}, 20),
        ({"content": "x", "project_id": "2203306141"}, 557),
        ({"content": "x", "project_id": "not an id"}, 20),
        ({"content": "x", "project_id": MISSING_ID}, 478),
        ({"content": "x", "parent_id": MISSING_ID}, 478),
    ],
)
def test_bad_arguments_are_refused(caller: Caller, service: Todoist, body: dict[str, Any], code: int) -> None:
    answer = caller.http.post("/tasks", json=body).json()
    assert answer.keys() == {"error", "error_code", "error_extra", "error_tag", "http_code"}
    assert answer["error_code"] == code
    assert service.tasks() == []


def test_tokens_and_scopes(server: TodoistServer, caller: Caller, service: Todoist) -> None:
    reader = {"Authorization": f"Bearer {service.add_token(service.owner, 'data:read')}"}
    for header in ("Bearer wrong", f"Basic {service.owner.token}", ""):
        answer = caller.http.get("/tasks", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["error_tag"], answer.json()["error_code"]) == (
            401,
            "UNAUTHORIZED",
            477,
        )
    assert caller.http.get("/tasks", headers=reader).status_code == 200
    answer = caller.http.post("/tasks", headers=reader, json={"content": "x"})
    assert (answer.status_code, answer.json()["error_tag"]) == (403, "AUTH_INSUFFICIENT_TOKEN_SCOPE")
    task, token = service.add_task("One"), service.add_token(service.owner, "data:read_write")
    with (writer := Caller(server, token)).http:
        assert writer.run("item_update", id=task, content="Two") == "ok"
        assert writer.run("item_delete", id=task)["error_tag"] == "AUTH_INSUFFICIENT_TOKEN_SCOPE"
    assert service.task(task)["content"] == "Two"
    assert service.user(token) is service.owner


def test_other_errors(caller: Caller, server: TodoistServer) -> None:
    assert caller.http.get("/Tasks").status_code == 404
    assert httpx.get(f"{server.url}/rest/v2/tasks").status_code == 410
    assert caller.http.post("/tasks", content=b"{").status_code == 400
    assert caller.http.post("/tasks", content=b"x" * (1 << 20) + b"x").status_code == 413
    assert caller.http.get("/tasks").status_code == 200


def test_accounts_are_apart_but_for_a_shared_project(server: TodoistServer, caller: Caller, service: Todoist) -> None:
    bob = service.add_user("Bob")
    project = service.add_project("Ours")
    mine, ours = service.add_task("Mine"), service.add_task("Ours", project)
    other = Caller(server, bob.token)
    with other.http:
        token = other.sync(resource_types=["items"])["sync_token"]
        assert other.http.get(f"/tasks/{ours}").status_code == 404
        service.share_project(project, bob)
        read = other.sync(sync_token=token, resource_types=["items", "projects"])
        assert ([t["id"] for t in read["items"]], [p["is_shared"] for p in read["projects"]]) == ([ours], [True])
        assert other.http.get(f"/tasks/{mine}").status_code == 404
        assert other.run("item_close", id=ours) == "ok"
        assert caller.post(sync_token=token).json()["error_extra"]["argument"] == "sync_token"
    assert service.task(ours)["completed_by_uid"] == bob.id


# What a person does


def test_families(service: Todoist, caller: Caller) -> None:
    parent = service.add_task("Parent", labels=["a"], description="marker", due={"date": "2026-04-01"})
    child = service.add_task("Child", parent_id=parent)
    below = service.add_task("Below", parent_id=child)
    service.add_comment(parent, "stays")
    service.tick(parent)
    assert [service.task(t)["checked"] for t in (parent, child, below)] == [True, True, True]
    service.reopen(child)
    assert [service.task(t)["checked"] for t in (parent, child, below)] == [False, False, True]
    copied = service.task(service.duplicate(parent))
    assert (copied["description"], copied["labels"], copied["due"]["date"]) == ("marker", ["a"], "2026-04-01")
    assert [task["content"] for task in service.tasks() if task["parent_id"] == copied["id"]] == ["Child"]
    assert copied["added_at"] > service.task(parent)["added_at"]
    assert service.comments(copied["id"]) == []
    service.delete(parent)
    assert [task["content"] for task in service.tasks()] == ["Parent", "Child"]


def test_a_recurring_task_moves_on(service: Todoist, caller: Caller) -> None:
    weekly, monthly = service.add_task("W"), service.add_task("M", due={"date": "2026-03-31T18:00:00"})
    service.set_due(weekly, date(2026, 2, 3))  # a Tuesday, as today is
    service.make_recurring(weekly, "every week")
    service.make_recurring(monthly, "every month")
    service.tick(weekly)
    assert caller.run("item_close", id=monthly) == "ok"
    assert [service.task(t)["due"]["date"] for t in (weekly, monthly)] == ["2026-03-17", "2026-04-30T18:00:00"]
    assert not service.task(weekly)["checked"]
    assert caller.run("item_complete", id=weekly) == "ok"
    assert service.task(weekly)["checked"]
    service.set_due(monthly, None)
    assert service.task(monthly)["due"] is None


def test_other_hands(service: Todoist) -> None:
    project, other = service.add_project("Goals"), service.add_project("Other")
    task = service.add_task("One", project)
    service.set_title(task, "Two")
    service.set_description(task, "words")
    service.move(task, project=other)
    service.rename_project(other, "New name")
    held = service.task(task)
    assert (held["content"], held["description"], held["project_id"]) == ("Two", "words", other)
    assert {"Two", "words", "New name"} <= set(service.text().splitlines())
    boxless = service.add_task("* No box")
    with pytest.raises(Refused, match="cannot be completed"):
        service.tick(boxless)
    service.archive_project(other)
    service.delete_project(other)
    assert [t["content"] for t in service.tasks()] == ["* No box"]
