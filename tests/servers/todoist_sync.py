"""POST /sync of the fake Todoist: commands with their uuids and temporary ids, and full or incremental reading."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from tests.servers import todoist_rules as rules
from tests.servers.todoist import Remembered
from tests.servers.todoist_store import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.servers.todoist import Todoist
    from tests.servers.todoist_store import Thing, User

    Args = dict[str, Any]
    Run = Callable[["Sync", Args], Thing | None]

EVERYTHING = "*"
MOST_COMMANDS = 100
_OTHER_RESOURCES = (
    "user",
    "user_plan_limits",
    "completed_info",
    "filters",
    "reminders",
    "collaborators",
    "collaborator_states",
    "live_notifications",
    "locations",
    "project_notes",
    "user_settings",
    "stats",
    "view_options",
    "workspaces",
    "workspace_users",
    "day_orders",
    "notification_settings",
)
RESOURCES = (*(kind.value for kind in Kind), *_OTHER_RESOURCES)
_REFERENCES = ("id", "project_id", "section_id", "parent_id", "item_id")


# The request


def payload(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the body of a request, a form or JSON, as one object."""
    if content_type.startswith("application/json"):
        return json_object(body)
    form: dict[str, Any] = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    lists: dict[str, Any] = {name: _json(name, form[name]) for name in ("resource_types", "commands") if name in form}
    return {**form, **lists}


def json_object(body: bytes) -> dict[str, Any]:
    value = _json("body", body) if body else {}
    if not isinstance(value, dict):
        raise rules.invalid("body", expected="an object")
    return value


def _json(argument: str, words: str | bytes) -> Any:
    try:
        return json.loads(words)
    except ValueError:
        raise rules.invalid(argument, "Invalid JSON") from None


def checked_commands(commands: Any) -> list[dict[str, Any]]:
    """Return the commands of a request; where one is malformed, the whole request is refused."""
    if not isinstance(commands, list):
        raise rules.invalid("commands", expected="list")
    if len(commands) > MOST_COMMANDS:
        error = f"You can only submit max {MOST_COMMANDS} commands pr. sync operation"
        raise rules.invalid("commands", error, max_count=MOST_COMMANDS)
    for command in commands:
        if not isinstance(command, dict) or not isinstance(command.get("args", {}), dict):
            raise rules.invalid("commands", expected="a list of objects", bad_item=command)
        for name in ("type", "uuid", "temp_id"):
            if (name != "temp_id" or name in command) and not (isinstance(command.get(name), str) and command[name]):
                raise rules.invalid(name, expected="a string that is not empty")
    return commands


@dataclass
class Sync:
    """One request to /sync while it is carried out."""

    service: Todoist
    user: User
    scopes: frozenset[str]
    given: Mapping[str, Any]
    mapping: dict[str, str] = field(default_factory=dict)
    status: dict[str, object] = field(default_factory=dict)

    def carry_out(self) -> dict[str, Any]:
        """Execute the commands, then read what is asked for."""
        types = wanted_types(self.given.get("resource_types", []))
        commands = checked_commands(self.given.get("commands", []))
        if types and not self.scopes & {"data:read", "data:read_write"}:
            raise rules.without_scope()
        since = self._since()
        self.service.spend(self.user, "full_syncs" if since is None else "partial_syncs")
        for command in commands:
            self._execute(command)
        answer = self._read(types, since)
        if commands:
            answer["sync_status"] = self.status
        return {**answer, "temp_id_mapping": self.mapping}

    # Commands

    def _execute(self, command: Mapping[str, Any]) -> None:
        key = self.user.id, command["uuid"]
        known = self.service.uuids.get(key)
        if known is None or (known.error and not self.service.failed_uuids_stay_failed):
            known = self.service.uuids[key] = self._first_time(command)
        self.mapping.update(known.mapping)
        self.status[command["uuid"]] = known.error or "ok"

    def _first_time(self, command: Mapping[str, Any]) -> Remembered:
        try:
            created = self._run(command["type"], command.get("args", {}))
        except rules.Refused as refused:
            return Remembered({}, refused.body)
        return Remembered({command["temp_id"]: created["id"]} if created and "temp_id" in command else {})

    def _run(self, kind: str, args: Mapping[str, Any]) -> Thing | None:
        if kind not in COMMANDS:
            raise rules.invalid("type", f"Unknown command: {kind}")
        if not self.scopes & _scopes_for(kind):
            raise rules.without_scope()
        if kind in self.service.refused:
            raise rules.Refused(403, "FORBIDDEN", 32, self.service.refused[kind])
        return COMMANDS[kind](self, self._resolved(args))

    def _resolved(self, args: Mapping[str, Any]) -> Args:
        """Return the arguments with real ids for temporary ones, which an earlier command must have created."""
        found: Args = {name: self._real(value) if name in _REFERENCES else value for name, value in args.items()}
        if isinstance(found.get("items"), list):
            found["items"] = [self._resolved(item) if isinstance(item, dict) else item for item in found["items"]]
        return found

    def _real(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value and value not in self.mapping and not rules.is_id(value):
            raise rules.bad_temporary_id()
        return self.mapping.get(value, value)

    def find(self, kind: Kind, args: Args) -> Thing:
        if args.get("id") is None:
            raise rules.missing("id")
        return self.service.find(self.user, kind, args["id"])

    def is_gone(self, args: Args) -> bool:
        """Tell whether a task was deleted before, where to delete it once more is no error."""
        task = self.service.things[Kind.ITEMS].get(str(args.get("id")))
        return bool(task and task["is_deleted"]) and not self.service.repeats_are_errors

    def open_task(self, args: Args) -> Thing | None:
        """Return a task to close; None where it is closed already and that is no error."""
        task = self.find(Kind.ITEMS, args)
        if task["checked"] and self.service.repeats_are_errors:
            raise rules.not_found("Task")
        return None if task["checked"] else task

    # Reading

    def _since(self) -> int | None:
        """Return the revision that the caller knows; None asks for everything."""
        token = self.given.get("sync_token", EVERYTHING)
        if token == EVERYTHING:
            return None
        user_id, revision = self.service.sync_tokens.get(str(token), ("", 0))
        if user_id != self.user.id:
            raise rules.invalid("sync_token", "Invalid sync token")
        return revision

    def _read(self, types: set[str], since: int | None) -> dict[str, Any]:
        service, upto = self.service, self.service.revision
        answer: dict[str, Any] = {"full_sync": since is None}
        if since is None:
            upto = max(service.fresh_until, upto - service.stale_full_sync)
            read_at = service.now - (service.stale_by if upto < service.revision else service.stale_by * 0)
            answer["full_sync_date_utc"] = read_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            service.fresh_until = upto
        answer["sync_token"] = token = service.secret()
        service.sync_tokens[token] = self.user.id, upto
        answer.update((kind.value, list(self._changed(kind, since, upto))) for kind in Kind if kind in types)
        return answer | {name: self._other(name, since) for name in _OTHER_RESOURCES if name in types}

    def _changed(self, kind: Kind, since: int | None, upto: int) -> Iterator[Thing]:
        service = self.service
        for thing in service.visible(self.user, kind):
            if since is None and service.is_active(kind, thing) and service.revisions[thing["id"]] <= upto:
                yield thing
            if since is not None and service.revisions[thing["id"]] > since:
                yield thing

    def _other(self, name: str, since: int | None) -> object:
        """Return what is no list of objects; it never changes, so only a full sync tells it."""
        if name == "user":
            return self.user.as_json() if since is None else {}
        if name == "user_plan_limits":
            return self.user.limits() if since is None else {}
        if name == "completed_info" and since is None and self.service.tells_completed_info:
            return [self._completed_info(project["id"]) for project in self.service.visible(self.user, Kind.PROJECTS)]
        return []

    def _completed_info(self, project_id: str) -> dict[str, object]:
        service = self.service
        archived = [one for one in service.sections_of(project_id) if one["is_archived"]]
        completed = [one for one in service.tasks_in(project_id=project_id) if one["checked"]]
        return {"project_id": project_id, "completed_items": len(completed), "archived_sections": len(archived)}


def wanted_types(types: Any) -> set[str]:
    """Return the resources that are asked for, `all` and those left out with a minus resolved."""
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
        raise rules.invalid("resource_types", expected="list")
    for name in types:
        if name.removeprefix("-") not in (*RESOURCES, "all"):
            raise rules.invalid("resource_types", bad_item=name)
    asked = set(RESOURCES) if "all" in types else {name for name in types if not name.startswith("-")}
    return asked - {name.removeprefix("-") for name in types if name.startswith("-")}


def _scopes_for(kind: str) -> set[str]:
    """Return the scopes of which a token needs one."""
    if kind.endswith("_delete"):
        return {"project:delete"} if kind == "project_delete" else {"data:delete"}
    return {"data:read_write", "task:add"} if kind == "item_add" else {"data:read_write"}


# The commands


def _item_delete(sync: Sync, args: Args) -> None:
    if not sync.is_gone(args):
        sync.service.task_delete(sync.find(Kind.ITEMS, args))


def _item_close(sync: Sync, args: Args) -> None:
    if task := sync.open_task(args):
        sync.service.task_close(sync.user, task)


def _item_complete(sync: Sync, args: Args) -> None:
    at = args.get("date_completed") or args.get("completed_at")
    moment = rules.stamp(rules.instant("date_completed", at)) if at else None
    if task := sync.open_task(args):
        sync.service.task_complete(sync.user, task, moment)


def _item_reorder(sync: Sync, args: Args) -> None:
    items = args.get("items")
    if not isinstance(items, list):
        raise rules.missing("items")
    tasks = [(sync.find(Kind.ITEMS, item), rules.whole()("child_order", item.get("child_order"))) for item in items]
    for task, order in tasks:
        sync.service.change(task, child_order=order)


def _item_update_date_complete(sync: Sync, args: Args) -> None:
    task = sync.find(Kind.ITEMS, args)
    sync.service.task_update(sync.user, task, {"due": args.get("due")})
    if args.get("reset_subtasks"):
        for child in sync.service.family(Kind.ITEMS, task)[1:]:
            sync.service.task_reopen(child)


def _label_rename(sync: Sync, args: Args) -> None:
    for name in ("name_old", "name_new"):
        if not isinstance(args.get(name), str):
            raise rules.missing(name)
    sync.service.label_rename(sync.user, args["name_old"], args["name_new"])


def _label_delete(sync: Sync, args: Args) -> None:
    cascade = rules.one_of("all", "none")("cascade", args.get("cascade", "all")) == "all"
    sync.service.label_delete(sync.user, sync.find(Kind.LABELS, args), cascade=cascade)


def _update(kind: Kind, checks: Mapping[str, rules.Check]) -> Run:
    """Return the command that changes fields of an object."""

    def run(sync: Sync, args: Args) -> None:
        sync.service.change(sync.find(kind, args), **rules.values(checks, args))

    return run


def _of(kind: Kind, what: Callable[[Sync, Thing, Args], object]) -> Run:
    """Return the command that does something with one object, named by its id."""

    def run(sync: Sync, args: Args) -> None:
        what(sync, sync.find(kind, args), args)

    return run


_P, _S = Kind.PROJECTS, Kind.SECTIONS
COMMANDS: dict[str, Run] = {
    "item_add": lambda sync, args: sync.service.task_add(sync.user, args),
    "item_update": _of(Kind.ITEMS, lambda sync, task, args: sync.service.task_update(sync.user, task, args)),
    "item_move": _of(Kind.ITEMS, lambda sync, task, args: sync.service.task_move(sync.user, task, args)),
    "item_close": _item_close,
    "item_complete": _item_complete,
    "item_uncomplete": _of(Kind.ITEMS, lambda sync, task, args: sync.service.task_reopen(task)),
    "item_delete": _item_delete,
    "item_reorder": _item_reorder,
    "item_update_date_complete": _item_update_date_complete,
    "project_add": lambda sync, args: sync.service.project_add(sync.user, args),
    "project_update": _update(_P, rules.PROJECT),
    "project_move": _of(_P, lambda sync, project, args: sync.service.project_move(sync.user, project, args)),
    "project_archive": _of(_P, lambda sync, project, args: sync.service.project_archive(project)),
    "project_unarchive": _of(_P, lambda sync, project, args: sync.service.project_unarchive(project)),
    "project_delete": _of(_P, lambda sync, project, args: sync.service.project_delete(project)),
    "section_add": lambda sync, args: sync.service.section_add(sync.user, args),
    "section_update": _update(_S, rules.SECTION),
    "section_move": _of(_S, lambda sync, section, args: sync.service.section_move(sync.user, section, args)),
    "section_archive": _of(_S, lambda sync, section, args: sync.service.section_archive(section)),
    "section_delete": _of(_S, lambda sync, section, args: sync.service.section_delete(section)),
    "label_add": lambda sync, args: sync.service.label_add(sync.user, args),
    "label_update": _of(Kind.LABELS, lambda sync, label, args: sync.service.label_update(sync.user, label, args)),
    "label_delete": _label_delete,
    "label_rename": _label_rename,
    "note_add": lambda sync, args: sync.service.note_add(sync.user, args),
    "note_update": _update(Kind.NOTES, rules.NOTE),
    "note_delete": _of(Kind.NOTES, lambda sync, note, args: sync.service.note_delete(note)),
}
