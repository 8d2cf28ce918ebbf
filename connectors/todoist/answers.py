"""The parts of Todoist's answers that we use, with the names of /sync; the SDK renames some."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, Field, model_validator

from connectors.shapes import Shape


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _day(text: str) -> str:
    date.fromisoformat(text[:10])
    return text


class _Due(Shape):
    date: Annotated[str, AfterValidator(_day)]
    timezone: str | None = None
    is_recurring: bool


class _Deadline(Shape):
    date: Annotated[str, AfterValidator(_day)]


class _Duration(Shape):
    amount: int
    unit: str


class TaskAnswer(Shape):
    """A task as the SDK returns it, without some of the fields of /sync."""

    id: str
    content: str
    description: str
    project_id: str
    section_id: str | None
    parent_id: str | None
    labels: list[str] | None
    priority: int
    due: _Due | None
    child_order: int = Field(validation_alias=AliasChoices("child_order", "order"))
    added_at: str | None = Field(validation_alias=AliasChoices("added_at", "created_at"))
    completed_at: Annotated[str, AfterValidator(_moment)] | None
    checked: bool | None = None
    is_deleted: bool = False
    note_count: int = 0
    added_by_uid: str | None = None
    deadline: _Deadline | None = None
    duration: _Duration | None = None


_DELETED = {
    **dict.fromkeys(("content", "description", "project_id"), ""),
    **dict.fromkeys(("section_id", "parent_id", "labels", "due", "added_at", "completed_at"), None),
    "priority": 1,
    "child_order": 0,
    "checked": False,
    "note_count": 0,
}


class ItemAnswer(TaskAnswer):
    """A task of /sync. A deleted task may have no other fields."""

    checked: bool  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody assigns to it
    is_deleted: bool
    note_count: int

    @model_validator(mode="before")
    @classmethod
    def _of_a_deleted_one(cls, value: Any) -> Any:
        deleted = isinstance(value, dict) and value.get("is_deleted") is True
        return {**_DELETED, **value} if deleted else value


class NoteAnswer(Shape):
    """A comment."""

    id: str
    item_id: str
    content: str | None
    posted_at: str | None
    is_deleted: bool


class ProjectAnswer(Shape):
    """A project, such as the Inbox of an account."""

    id: str
    name: str
    inbox_project: bool = False
    is_deleted: bool
    is_archived: bool


class SectionAnswer(Shape):
    """A section of a project."""

    id: str
    name: str
    project_id: str
    is_deleted: bool
    is_archived: bool


class _Zone(Shape):
    timezone: str


class UserAnswer(Shape):
    """The user of the account."""

    id: str
    email: str | None = None
    tz_info: _Zone


class _Plan(Shape):
    plan_name: str | None = None
    max_tasks: int | None = None
    max_projects: int | None = None
    max_sections: int | None = None
    deadlines: bool | None = None
    durations: bool | None = None


class LimitsAnswer(Shape):
    """The limits of the account's plan."""

    current: _Plan | None = None


class _Completed(Shape):
    project_id: str | None = None
    archived_sections: int | None = None


class SyncAnswer(Shape):
    """The answer to a request to /sync: a whole account, or the changes in it."""

    sync_token: str
    full_sync: bool
    items: list[ItemAnswer] = Field(default_factory=list)
    projects: list[ProjectAnswer] = Field(default_factory=list)
    sections: list[SectionAnswer] = Field(default_factory=list)
    notes: list[NoteAnswer] = Field(default_factory=list)
    completed_info: list[_Completed] = Field(default_factory=list)
    temp_id_mapping: dict[str, str] = Field(default_factory=dict)
    sync_status: dict[str, Any] = Field(default_factory=dict)


class WholeAnswer(SyncAnswer):
    """The answer of /sync for a whole account, in which no requested field may be missing."""

    user: UserAnswer
    user_plan_limits: LimitsAnswer | None
    items: list[ItemAnswer]
    projects: list[ProjectAnswer]
    sections: list[SectionAnswer]
    notes: list[NoteAnswer]


class CompletedAnswer(Shape):
    """A page of completed tasks."""

    items: list[ItemAnswer]
    next_cursor: str | None


class ArchivedAnswer(Shape):
    """A page of archived projects."""

    results: list[ProjectAnswer]
    next_cursor: str | None
