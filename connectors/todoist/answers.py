"""Todoist's objects and answers, as far as we use them, with the names of /sync; the SDK renames some.

The SDK's own classes are not used: they reject a whole answer for a field that we do not use, and lack `is_deleted` and
the number of comments.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, model_validator

from connectors.shapes import Moment, Shape

_ISO_DAY = 10  # characters


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name; UTC if this machine does not have it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _begins_with_a_day(text: str) -> str:
    date.fromisoformat(text[:_ISO_DAY])
    return text


_Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
_Flag = Annotated[bool, BeforeValidator(lambda value: False if value is None else value)]
_Words = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: () if value is None else tuple(value) if isinstance(value, list) else value),
]
_DayText = Annotated[str, AfterValidator(_begins_with_a_day)]


class Due(Shape):
    """A due date as Todoist writes it: a day, or with a time, floating or (with `timezone`) fixed."""

    text: _DayText = Field(validation_alias="date")
    timezone: str | None = None
    recurring: bool = Field(validation_alias="is_recurring")

    @property
    def day(self) -> date:
        """The day, on the clock that the time was given by."""
        return self._moment.date() if self._moment else date.fromisoformat(self.text[:_ISO_DAY])

    def on(self, day: date) -> dict[str, Any]:
        """Return the same time on another day, as a command takes it."""
        moment = self._moment
        if moment is None:
            return {"date": day.isoformat() + self.text[_ISO_DAY:]}
        moved = moment.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
        return {"date": moved.strftime("%Y-%m-%dT%H:%M:%SZ"), "timezone": self.timezone}

    @property
    def _moment(self) -> datetime | None:
        """The moment on its own clock, where it is fixed."""
        if self.timezone is None or len(self.text) == _ISO_DAY:
            return None
        moment = datetime.fromisoformat(self.text)
        return moment.astimezone(zone(self.timezone)) if moment.tzinfo else None


class _Deadline(Shape):
    date: _DayText


class _Duration(Shape):
    amount: int
    unit: str


_DELETED = {
    **dict.fromkeys(("content", "description", "project_id"), ""),
    **dict.fromkeys(("section_id", "parent_id", "labels", "due", "added_at", "completed_at"), None),
    "priority": 1,
    "child_order": 0,
    "checked": False,
    "note_count": 0,
}
_OF_SDK = {"is_deleted": False, "note_count": 0}


class Item(Shape):
    """A task. A deleted task of /sync may have no other fields."""

    id: str
    content: str
    description: str
    project_id: str
    section_id: str | None
    parent_id: str | None
    labels: _Words
    priority: int
    due: Due | None
    child_order: int = Field(validation_alias=AliasChoices("child_order", "order"))
    checked: bool
    is_deleted: bool
    note_count: int
    added_at: _Text = Field(validation_alias=AliasChoices("added_at", "created_at"))
    completed_at: Moment | None
    added_by: _Text = Field("", validation_alias="added_by_uid")
    until: _Deadline | None = Field(None, validation_alias="deadline")
    lasts: _Duration | None = Field(None, validation_alias="duration")

    @classmethod
    def of_sdk(cls, fields: dict[str, Any]) -> Item:
        """Return the task that the SDK returns, without some of the fields of /sync."""
        known = {name: value for name, value in fields.items() if name != "checked" or value is not None}
        return cls.read({**_OF_SDK, "checked": fields.get("completed_at") is not None, **known})

    @property
    def deadline(self) -> date | None:
        """The date in Todoist's own field for deadlines."""
        return date.fromisoformat(self.until.date[:_ISO_DAY]) if self.until else None

    @property
    def duration(self) -> tuple[int, str] | None:
        """The amount, and the unit: `day` or `minute`."""
        return (self.lasts.amount, self.lasts.unit) if self.lasts else None

    @model_validator(mode="before")
    @classmethod
    def _of_a_deleted_one(cls, value: Any) -> Any:
        deleted = isinstance(value, dict) and value.get("is_deleted") is True
        return {**_DELETED, **value} if deleted else value


class Note(Shape):
    """A comment."""

    id: str
    item_id: str
    content: _Text
    posted_at: _Text
    is_deleted: bool


class Place(Shape):
    """A project, such as the Inbox of an account, or (with `project_id`) a section of one."""

    id: str
    name: str
    inbox: bool = Field(False, validation_alias="inbox_project")
    project_id: str | None = None
    is_deleted: bool
    is_archived: bool

    @property
    def gone(self) -> bool:
        """Whether it is deleted or archived."""
        return self.is_deleted or self.is_archived


class Section(Place):
    """A section of a project."""

    project_id: str  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody assigns to it


class _Zone(Shape):
    timezone: str


class User(Shape):
    """The user of the account. Todoist also returns the account's token here, which is not stored."""

    id: str
    email: _Text = ""
    tz_info: _Zone

    @property
    def timezone(self) -> str:
        """The name of the user's time zone."""
        return self.tz_info.timezone


class Limits(Shape):
    """The limits of the account's plan; None for those that Todoist does not return."""

    plan: _Text = Field("", validation_alias="plan_name")
    tasks: int | None = Field(None, validation_alias="max_tasks")
    projects: int | None = Field(None, validation_alias="max_projects")
    sections: int | None = Field(None, validation_alias="max_sections")
    deadlines: _Flag = False
    durations: _Flag = False


class _LimitsAnswer(Shape):
    current: Limits | None = None


class _Completed(Shape):
    project_id: str | None = None
    archived_sections: int | None = None


class SyncAnswer(Shape):
    """The answer to a request to /sync: a whole account, or the changes in it."""

    sync_token: str
    full_sync: bool
    items: list[Item] = Field(default_factory=list)
    projects: list[Place] = Field(default_factory=list)
    sections: list[Section] = Field(default_factory=list)
    notes: list[Note] = Field(default_factory=list)
    completed_info: list[_Completed] = Field(default_factory=list)
    temp_id_mapping: dict[str, str] = Field(default_factory=dict)
    sync_status: dict[str, Any] = Field(default_factory=dict)


class WholeAnswer(SyncAnswer):
    """The answer of /sync for a whole account, in which no requested field may be missing."""

    user: User
    user_plan_limits: _LimitsAnswer | None
    items: list[Item]
    projects: list[Place]
    sections: list[Section]
    notes: list[Note]

    @property
    def limits(self) -> Limits:
        """The limits of the account's plan."""
        return (self.user_plan_limits and self.user_plan_limits.current) or Limits()
