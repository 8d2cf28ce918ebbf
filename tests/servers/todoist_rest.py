"""The REST endpoints of the fake Todoist: a table of routes, pages with cursors, and filters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.servers import todoist_rules as rules
from tests.servers.todoist_store import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.servers.todoist import Todoist
    from tests.servers.todoist_store import Thing, User

    Handler = Callable[["Call"], Any]

READ, WRITE, ADD, DELETE, DELETE_PROJECT = "data:read", "data:read_write", "task:add", "data:delete", "project:delete"
_ENOUGH = {READ: {READ, WRITE}, ADD: {ADD, WRITE}}
_DEFAULT_LIMIT, _MOST = 50, 200
_ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = []


@dataclass(frozen=True)
class Call:
    """One request to a route. `id` is the one in its path."""

    service: Todoist
    user: User
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    id: str = ""

    def find(self, kind: Kind) -> Thing:
        return self.service.find(self.user, kind, self.id)

    def page(self, found: Iterable[object], name: str = "results") -> dict[str, Any]:
        """Return one page of a list, and the cursor for the next one, good for the same parameters only."""
        found, limit = list(found), self._limit()
        asked = self.user.id, self.path, {k: v for k, v in self.query.items() if k not in ("cursor", "limit")}
        start = 0
        if cursor := self.query.get("cursor"):
            known, start = self.service.cursors.get(cursor, (None, 0))
            if known != asked:
                raise rules.invalid("cursor", "Invalid cursor")
        following = None
        if len(found) > start + limit:
            following = self.service.secret()
            self.service.cursors[following] = asked, start + limit
        return {name: found[start : start + limit], "next_cursor": following}

    def _limit(self) -> int:
        limit = self.query.get("limit", str(_DEFAULT_LIMIT))
        if not limit.isdecimal() or not 1 <= int(limit) <= _MOST:
            raise rules.invalid("limit", expected=f"a number from 1 to {_MOST}")
        return int(limit)


def call(service: Todoist, user: User, scopes: frozenset[str], method: str, request: Call) -> Any:
    """Carry out a request to a REST endpoint; None where there is no such endpoint."""
    for verb, pattern, scope, handler in _ROUTES:
        if verb == method and (match := pattern.fullmatch(request.path)):
            if not scopes & _ENOUGH.get(scope, {scope}):
                raise rules.without_scope()
            named = match.groupdict().get("id", "")
            return handler(Call(service, user, request.path, request.query, request.body, named))
    raise rules.not_found("Endpoint")


def route(method: str, path: str, scope: str) -> Callable[[Handler], Handler]:
    """Register the handler of a route."""
    pattern = re.compile(path.replace("{id}", r"(?P<id>[^/]+)"))

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, pattern, scope, handler))
        return handler

    return register


# Which tasks


def _narrowed(call: Call, tasks: Iterable[Thing]) -> list[Thing]:
    """Return the tasks in the given project, section and parent, which must exist."""
    found = list(tasks)
    for name, kind in (("project_id", Kind.PROJECTS), ("section_id", Kind.SECTIONS), ("parent_id", Kind.ITEMS)):
        if name in call.query:
            home = call.service.find(call.user, kind, call.query[name], name)
            found = [task for task in found if task[name] == home["id"]]
    return found


def _matching(call: Call, argument: str, tasks: Iterable[Thing]) -> list[Thing]:
    """Return the tasks that match a filter: `@label`, `#project` and `search: words`, joined with `&`.

    Of the real language there is no more here; anything else is refused.
    """
    query = call.query.get(argument, "").strip()
    if not query or len(query) > 1024:
        raise rules.invalid(argument, expected="a filter of 1 to 1024 characters")
    tests = [_term(call, argument, term.strip()) for term in query.split("&")]
    return [task for task in tasks if all(test(task) for test in tests)]


def _term(call: Call, argument: str, term: str) -> Callable[[Thing], bool]:
    if set(term) & set(",|!()"):
        raise rules.invalid(argument, "The search query is incorrect")
    if term.startswith("@"):
        return lambda task: term[1:] in task["labels"]
    if term.startswith("#"):
        projects = [p["id"] for p in call.service.visible(call.user, Kind.PROJECTS) if p["name"] == term[1:]]
        return lambda task: task["project_id"] in projects
    if term.startswith("search:"):
        words = term.removeprefix("search:").strip().lower()
        return lambda task: words in task["content"].lower()
    raise rules.invalid(argument, "The search query is incorrect")


def _completed(call: Call, days: int, when: Callable[[Thing], str | None]) -> dict[str, Any]:
    since, until = (rules.instant(name, call.query.get(name)) for name in ("since", "until"))
    if until < since or until - since > timedelta(days=days):
        raise rules.invalid("until", f"The range must not exceed {days} days")
    done = [t for t in call.service.visible(call.user, Kind.ITEMS) if t["checked"] and not t["is_deleted"]]
    found = [t for t in done if (at := when(t)) and since <= rules.instant("date", at) < until]
    found = _narrowed(call, sorted(found, key=lambda task: str(when(task)), reverse=True))
    return call.page(_matching(call, "filter_query", found) if "filter_query" in call.query else found, "items")


def _task_args(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a REST body under the names that the objects have."""
    args = dict(body)
    for name, stored in (("order", "child_order"), ("assignee_id", "responsible_uid")):
        if name in args:
            args[stored] = args.pop(name)
    for name in ("due", "deadline"):
        args.pop(name, None)  # objects in /sync only
    if "deadline_date" in args:
        deadline = args.pop("deadline_date")
        args["deadline"] = None if deadline is None else {"date": deadline, "lang": args.get("deadline_lang")}
    if "duration" in args or "duration_unit" in args:
        amount, unit = args.pop("duration", None), args.pop("duration_unit", None)
        args["duration"] = None if amount is None and unit is None else {"amount": amount, "unit": unit}
    return args | _due_args(body)


def _due_args(body: Mapping[str, Any]) -> dict[str, Any]:
    given = [name for name in ("due_string", "due_date", "due_datetime") if name in body]
    if not given:
        return {}
    name, *more = given
    if more or not isinstance(body[name], str):
        raise rules.invalid(more[0] if more else name, expected="str")
    if name == "due_date":
        rules.a_date(name, body[name])
    key = "string" if name == "due_string" else "date"
    return {"due": {key: body[name], "lang": body.get("due_lang")}}


# Tasks


@route("GET", "/tasks", READ)
def _list_tasks(call: Call) -> Any:
    found = _narrowed(call, call.service.active(call.user, Kind.ITEMS))
    if "label" in call.query:
        found = [task for task in found if call.query["label"] in task["labels"]]
    if "ids" in call.query:
        ids = [rules.checked_id("ids", value) for value in call.query["ids"].split(",")]
        found = [task for task in found if task["id"] in ids]
    return call.page(found)


@route("GET", "/tasks/filter", READ)
def _filter_tasks(call: Call) -> Any:
    return call.page(_matching(call, "query", call.service.active(call.user, Kind.ITEMS)))


@route("GET", "/tasks/completed/by_completion_date", READ)
def _completed_by_completion(call: Call) -> Any:
    return _completed(call, 92, lambda task: task["completed_at"])


@route("GET", "/tasks/completed/by_due_date", READ)
def _completed_by_due(call: Call) -> Any:
    return _completed(call, 42, lambda task: task["due"] and task["due"]["date"])


@route("POST", "/tasks", ADD)
def _add_task(call: Call) -> Any:
    return call.service.task_add(call.user, _task_args(call.body))


@route("GET", "/tasks/{id}", READ)
def _get_task(call: Call) -> Any:
    task = call.find(Kind.ITEMS)
    if task["checked"] and not call.service.completed_can_be_read:
        raise rules.not_found("Task")
    return task


@route("POST", "/tasks/{id}", WRITE)
def _update_task(call: Call) -> Any:
    return call.service.task_update(call.user, call.find(Kind.ITEMS), _task_args(call.body))


@route("POST", "/tasks/{id}/close", WRITE)
def _close_task(call: Call) -> None:
    call.service.task_close(call.user, call.find(Kind.ITEMS))


@route("POST", "/tasks/{id}/reopen", WRITE)
def _reopen_task(call: Call) -> None:
    call.service.task_reopen(call.find(Kind.ITEMS))


@route("POST", "/tasks/{id}/move", WRITE)
def _move_task(call: Call) -> Any:
    return call.service.task_move(call.user, call.find(Kind.ITEMS), call.body)


@route("DELETE", "/tasks/{id}", DELETE)
def _delete_task(call: Call) -> None:
    call.service.task_delete(call.find(Kind.ITEMS))


# Projects


def _args(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a project or section, whose place is `order` when it is created."""
    return {**body, **({"child_order": body["order"], "section_order": body["order"]} if "order" in body else {})}


@route("GET", "/projects", READ)
def _list_projects(call: Call) -> Any:
    return call.page(call.service.active(call.user, Kind.PROJECTS))


@route("GET", "/projects/archived", READ)
def _archived_projects(call: Call) -> Any:
    found = call.service.visible(call.user, Kind.PROJECTS)
    return call.page(project for project in found if project["is_archived"] and not project["is_deleted"])


@route("GET", "/projects/search", READ)
def _search_projects(call: Call) -> Any:
    query = call.query.get("query", "")
    if not query:
        raise rules.missing("query")
    pattern = re.compile(".*".join(map(re.escape, query.split("*"))), re.IGNORECASE)
    return call.page(p for p in call.service.active(call.user, Kind.PROJECTS) if pattern.fullmatch(p["name"]))


@route("POST", "/projects", WRITE)
def _add_project(call: Call) -> Any:
    return call.service.project_add(call.user, _args(call.body))


@route("GET", "/projects/{id}", READ)
def _get_project(call: Call) -> Any:
    return call.find(Kind.PROJECTS)


@route("GET", "/projects/{id}/full", READ)
def _full_project(call: Call) -> Any:
    project = call.find(Kind.PROJECTS)
    inside = {
        kind: [thing for thing in call.service.active(call.user, kind) if thing["project_id"] == project["id"]]
        for kind in (Kind.ITEMS, Kind.SECTIONS)
    }
    return {"project": project, "tasks": inside[Kind.ITEMS], "sections": inside[Kind.SECTIONS]}


@route("POST", "/projects/{id}", WRITE)
def _update_project(call: Call) -> Any:
    return call.service.change(call.find(Kind.PROJECTS), **rules.values(rules.PROJECT, call.body))


@route("POST", "/projects/{id}/archive", WRITE)
def _archive_project(call: Call) -> Any:
    return call.service.project_archive(call.find(Kind.PROJECTS))


@route("POST", "/projects/{id}/unarchive", WRITE)
def _unarchive_project(call: Call) -> Any:
    return call.service.project_unarchive(call.find(Kind.PROJECTS))


@route("DELETE", "/projects/{id}", DELETE_PROJECT)
def _delete_project(call: Call) -> None:
    call.service.project_delete(call.find(Kind.PROJECTS))


# Sections


@route("GET", "/sections", READ)
def _list_sections(call: Call) -> Any:
    found = call.service.active(call.user, Kind.SECTIONS)
    if "project_id" in call.query:
        project = call.service.find(call.user, Kind.PROJECTS, call.query["project_id"], "project_id")
        found = [section for section in found if section["project_id"] == project["id"]]
    return call.page(found)


@route("POST", "/sections", WRITE)
def _add_section(call: Call) -> Any:
    return call.service.section_add(call.user, _args(call.body))


@route("GET", "/sections/{id}", READ)
def _get_section(call: Call) -> Any:
    return call.find(Kind.SECTIONS)


@route("POST", "/sections/{id}", WRITE)
def _update_section(call: Call) -> Any:
    return call.service.change(call.find(Kind.SECTIONS), **rules.values(rules.SECTION, call.body))


@route("DELETE", "/sections/{id}", DELETE)
def _delete_section(call: Call) -> None:
    call.service.section_delete(call.find(Kind.SECTIONS))


# Labels


def _label(label: Thing) -> Thing:
    """Return a label as REST shows it."""
    return {name: label[name] for name in ("id", "name", "color", "is_favorite")} | {"order": label["item_order"]}


def _label_args(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, **({"item_order": body["order"]} if "order" in body else {})}


@route("GET", "/labels", READ)
def _list_labels(call: Call) -> Any:
    return call.page(map(_label, call.service.active(call.user, Kind.LABELS)))


@route("GET", "/labels/shared", READ)
def _shared_labels(call: Call) -> Any:
    names = dict.fromkeys(n for task in call.service.active(call.user, Kind.ITEMS) for n in task["labels"])
    omitted = call.query.get("omit_personal", "false").lower() == "true"
    own = {label["name"] for label in call.service.active(call.user, Kind.LABELS)} if omitted else set()
    return call.page(name for name in names if name not in own)


@route("POST", "/labels", WRITE)
def _add_label(call: Call) -> Any:
    return _label(call.service.label_add(call.user, _label_args(call.body)))


@route("GET", "/labels/{id}", READ)
def _get_label(call: Call) -> Any:
    return _label(call.find(Kind.LABELS))


@route("POST", "/labels/{id}", WRITE)
def _update_label(call: Call) -> Any:
    return _label(call.service.label_update(call.user, call.find(Kind.LABELS), _label_args(call.body)))


@route("DELETE", "/labels/{id}", DELETE)
def _delete_label(call: Call) -> None:
    call.service.label_delete(call.user, call.find(Kind.LABELS))


# Comments, and the account


@route("GET", "/comments", READ)
def _list_comments(call: Call) -> Any:
    if "task_id" not in call.query:
        raise rules.missing("task_id")
    task = call.service.find(call.user, Kind.ITEMS, call.query["task_id"], "task_id")
    notes = call.service.visible(call.user, Kind.NOTES)
    return call.page(note for note in notes if note["item_id"] == task["id"] and not note["is_deleted"])


@route("POST", "/comments", WRITE)
def _add_comment(call: Call) -> Any:
    if call.body.get("task_id") is None:
        raise rules.missing("task_id")
    return call.service.note_add(call.user, {**call.body, "item_id": call.body["task_id"]})


@route("GET", "/comments/{id}", READ)
def _get_comment(call: Call) -> Any:
    return call.find(Kind.NOTES)


@route("POST", "/comments/{id}", WRITE)
def _update_comment(call: Call) -> Any:
    return call.service.change(call.find(Kind.NOTES), **rules.values(rules.NOTE, call.body))


@route("DELETE", "/comments/{id}", WRITE)
def _delete_comment(call: Call) -> None:
    call.service.note_delete(call.find(Kind.NOTES))


@route("GET", "/user", READ)
def _get_user(call: Call) -> Any:
    return call.user.as_json()
