"""Todoist over HTTP, with its errors.

The official SDK does not support /sync, so we send those requests ourselves. One request reads a whole account; another
carries out up to 100 commands, each only once however often it is sent, and its answer contains what has changed. The
SDK sends one request a task: it is used for rare reads of a single task, of comments, and of completed tasks.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from config.errors import BackplanError, CredentialsError, MissingError
from connectors.batches import batches
from connectors.http import Service, json_object
from connectors.pages import by_token, listed
from connectors.shapes import understood, unknown, unknown_token
from connectors.todoist.answers import Item, Note, Place, Section, SyncAnswer, WholeAnswer
from connectors.todoist.objects import REFERENCES, Listing, Outcome, stamp
from connectors.todoist.options import CREDENTIAL

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    import requests
    from todoist_api_python.api import TodoistAPI
    from todoist_api_python.models import Task as SdkTask

    from connectors.http import Api
    from connectors.todoist.objects import Command

TODOIST = Service(CREDENTIAL)
_PREFIX = "/api/v1"
_RESOURCES = ["items", "projects", "sections", "notes", "user", "user_plan_limits", "completed_info"]
_ALL = "*"
MOST_COMMANDS = 100
_LARGEST_BODY = 900_000  # the limit is 1 MiB
_FRESH = timedelta(seconds=5)
WINDOW = timedelta(days=90)  # of completed tasks; three months are the most
_WITHOUT_SCOPE = "AUTH_INSUFFICIENT_TOKEN_SCOPE"
_FULL = {
    "MAX_ITEMS_LIMIT_REACHED": "the project is full, for Todoist holds 300 open tasks a project: complete some, or "
    "give each goal a project of its own (`sync:` in the goal)",
    "MAX_PROJECTS_LIMIT_REACHED": "the account has all the projects that its plan allows: archive one, or name one "
    "that exists in the goals file (`project:`)",
    "MAX_SECTIONS_LIMIT_REACHED": "the project has all the sections that it may have: archive one, or name one that "
    "exists in the goals file (`section:`)",
}


class Client:
    """One account over HTTP."""

    def __init__(self, api: Api) -> None:
        """`api` sends requests to Todoist, with the token of the account."""
        self.api = api

    @cached_property
    def _sdk(self) -> TodoistAPI:
        """The SDK, which takes a quarter of a second to import."""
        from connectors.todoist.sdk import reader

        api = self.api
        return reader(lambda url: _accepted(api.send("GET", url)))

    @property
    def now(self) -> datetime:
        """The time by the service's clock."""
        return self.api.retrier.now

    @property
    def latest(self) -> datetime:
        """The time by the service's clock or by ours, whichever is ahead."""
        return self.api.retrier.latest

    # Reading

    def read(self) -> Listing:
        """Read the account. A full answer may be out of date, so the changes since are requested at once."""
        answer = self._sync({"sync_token": _ALL, "resource_types": _RESOURCES})
        with understood("Todoist", "the account"):
            whole = WholeAnswer.read(answer)
        listing = Listing(whole.user, whole.limits, "")
        listing.merge(whole)
        if not listing.projects:  # every account has an Inbox
            raise BackplanError("Todoist returned an empty account, which is an error; run again (nothing was changed)")
        if not self._is_fresh(answer):
            self.refresh(listing)
        return listing

    def refresh(self, listing: Listing, since: str | None = None) -> None:
        """Read the changes since the last answer, or since an older one."""
        answer = self._sync({"sync_token": since or listing.token, "resource_types": _RESOURCES})
        listing.merge(_changes(answer))

    def completed(self, project_id: str, since: datetime, until: datetime) -> Iterator[Item]:
        """Yield the tasks completed in a project, in at most three months; the SDK cannot ask for one project."""
        query = {"project_id": project_id, "since": stamp(since), "until": stamp(until)}
        path = "/tasks/completed/by_completion_date"
        with understood("Todoist", "completed tasks"):
            yield from map(Item.read, self._listed(path, query, "items"))

    def archived_projects(self, listing: Listing) -> list[Place]:
        """Return the archived projects, which /sync leaves out."""
        if listing.archived is None:
            with understood("Todoist", "archived projects"):
                listing.archived = [*map(Place.read, self._listed("/projects/archived", {}, "results"))]
        return listing.archived

    def completed_anywhere(self, since: datetime, until: datetime) -> Iterator[Item]:
        """Yield the tasks completed in the account, in at most three months."""
        with _explained():
            for page in self._sdk.get_completed_tasks_by_completion_date(since=since, until=until, limit=200):
                yield from map(_of_sdk, page)

    def task(self, task_id: str) -> Item | None:
        """Return a task by its id; None if it is deleted, and perhaps if it is completed: that is not documented."""
        try:
            with _explained():
                return _of_sdk(self._sdk.get_task(task_id))
        except MissingError:
            return None

    def section(self, section_id: str) -> Place | None:
        """Return a section by its id, even an archived one, which /sync leaves out; None if it is deleted."""
        try:
            answer = self._get(f"/sections/{section_id}", {})
        except MissingError:
            return None
        with understood("Todoist", "a section"):
            return Section.read(answer)

    def complete_notes(self, listing: Listing, item: Item) -> None:
        """Read the comments of a task if the listing does not contain all of them."""
        if len(listing.notes_of(item.id)) < item.note_count:
            self.read_notes(listing, item)

    def read_notes(self, listing: Listing, item: Item) -> None:
        """Read the comments of a task."""
        with _explained():
            for page in self._sdk.get_comments(task_id=item.id, limit=200):
                for note in page:
                    known = {"id": note.id, "item_id": item.id, "content": note.content, "is_deleted": False}
                    listing.notes[note.id] = Note.read(known | {"posted_at": str(note.posted_at)})

    def _is_fresh(self, answer: Mapping[str, Any]) -> bool:
        try:
            read_at = datetime.fromisoformat(answer["full_sync_date_utc"])
        except (KeyError, TypeError, ValueError):
            return False
        read_at = read_at if read_at.tzinfo else read_at.replace(tzinfo=UTC)
        return abs(self.now - read_at) <= _FRESH

    # Writing

    def carry_out(self, commands: Sequence[Command], listing: Listing, needed: frozenset[str] = frozenset()) -> Outcome:
        """Carry out commands in their order, and merge the changes into the listing.

        needed: uuids of commands that have to be carried out before any request that follows theirs is sent.

        Raises BackplanError if the first request fails. If a later one fails, so do its commands.
        """
        outcome = Outcome()
        temporary = {command.temp_id for command in commands} - {""}
        for part in batches(commands, lambda one: one.as_json({}), MOST_COMMANDS, _LARGEST_BODY):
            sendable = _ready(part, temporary, outcome)
            if why := next((error for uuid, error in outcome.errors.items() if uuid in needed), None):
                outcome.errors.update((command.uuid, f"not tried, as this failed: {why}") for command in sendable)
                continue
            try:
                self._carry_out(sendable, listing, outcome)
            except BackplanError as error:
                if part[0] is commands[0]:
                    raise
                outcome.errors.update((command.uuid, str(error)) for command in sendable)
        return outcome

    def _carry_out(self, commands: Sequence[Command], listing: Listing, outcome: Outcome) -> None:
        if not commands:
            return
        request = {"sync_token": listing.token, "resource_types": _RESOURCES}
        answer = self._sync({**request, "commands": [command.as_json(outcome.ids) for command in commands]})
        changes = _changes(answer)
        listing.merge(changes)
        outcome.ids.update(changes.temp_id_mapping)
        for command in commands:
            if (status := changes.sync_status.get(command.uuid)) != "ok":
                outcome.errors[command.uuid] = _sentence(status if isinstance(status, dict) else {})
                outcome.refused |= {command.uuid} if isinstance(status, dict) else set()
            elif command.temp_id and command.temp_id not in outcome.ids:
                outcome.errors[command.uuid] = "Todoist did not return the id of a new task; run again"

    # HTTP

    def _sync(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._post(body)
        if answer is None:  # the service has forgotten the token
            answer = self._post({**body, "sync_token": _ALL})
        if answer is None:
            raise BackplanError("Todoist takes no request to read everything; run again later")
        return answer

    def _post(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer of /sync; None if it does not accept the token of the last answer any more."""
        response = self.api.send("POST", f"{_PREFIX}/sync", body=body, writes="commands" in body)
        if response.status_code == 400 and body["sync_token"] != _ALL and "sync_token" in response.text:
            return None
        return _checked(response)

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return _checked(self.api.send("GET", f"{_PREFIX}{path}", params=query))

    def _listed(self, path: str, query: Mapping[str, str], name: str) -> Iterator[Any]:
        """Yield the entries of a list, page by page. Raises ValueError if a page has another form."""

        def send(method: str, path: str, **asked: Any) -> requests.Response:
            return _accepted(self.api.send(method, path, **asked))

        return listed(send, f"{_PREFIX}{path}", {**query, "limit": "200"}, by_token(name, "next_cursor", "cursor"))


@contextmanager
def _explained() -> Generator[None]:
    """Turn exceptions of the SDK into errors with a remedy."""
    from dataclass_wizard.errors import JSONWizardError

    try:
        yield
    except (JSONWizardError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise unknown("Todoist", "tasks and comments", type(error).__name__) from None


def _changes(answer: Mapping[str, Any]) -> SyncAnswer:
    """Return the changes in an answer of /sync; a whole account if Todoist has forgotten the token."""
    with understood("Todoist", "changes"):
        return (WholeAnswer if answer.get("full_sync") is True else SyncAnswer).read(answer)


def _accepted(response: requests.Response) -> requests.Response:
    if not response.ok:
        raise _refusal(response)
    return response


def _checked(response: requests.Response) -> dict[str, Any]:
    answer = _accepted(response).json()
    if not isinstance(answer, dict):
        raise unknown("Todoist", urlsplit(response.url).path, "it is no object")
    return answer


def _refusal(response: requests.Response) -> BackplanError:
    """Return the error for an answer, by its tag, then by its status. None of these is worth a retry."""
    error = json_object(response)
    argument = _argument(error)
    if response.status_code == 401:
        return unknown_token(CREDENTIAL, _sentence(error))
    if error.get("error_tag") == _WITHOUT_SCOPE:
        return CredentialsError(_sentence(error))
    if response.status_code == 404 or (response.status_code == 400 and argument == "id"):
        return MissingError(_sentence(error))
    if response.status_code == 410:
        return BackplanError("Todoist has given up the interface that this backplan uses; update backplan")
    return BackplanError(f"{_sentence(error)} (status {response.status_code})")


def _sentence(error: Mapping[str, Any]) -> str:
    """Return the message of a Todoist error object, and a remedy."""
    tag = str(error.get("error_tag"))
    if tag == _WITHOUT_SCOPE:
        return (
            "the token in TODOIST_API_TOKEN lacks a permission: use the personal one (Settings > Integrations > "
            "Developer), or one with data:read_write and data:delete"
        )
    if tag in _FULL:
        return f"Todoist: {_FULL[tag]}"
    argument = _argument(error)
    return f"Todoist: {error.get('error') or 'no reason given'}" + (f" ({argument})" if argument else "")


def _argument(error: Mapping[str, Any]) -> object:
    extra = error.get("error_extra")
    return extra.get("argument") if isinstance(extra, dict) else None


def _ready(commands: Iterable[Command], temporary: set[str], outcome: Outcome) -> list[Command]:
    """Return the commands that can be sent: those whose references exist, or are created before them."""
    made = set(outcome.ids)
    sendable = []
    for command in commands:
        if any(command.args.get(name) in temporary - made for name in REFERENCES):
            outcome.errors[command.uuid] = "its project, section or parent task could not be created"
            continue
        made.add(command.temp_id)
        sendable.append(command)
    return sendable


def _of_sdk(task: SdkTask) -> Item:
    return Item.of_sdk(task.to_dict())
