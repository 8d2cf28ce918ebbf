"""The goals file's shape: pydantic models, from which the JSON Schema is generated too.

Annotations are not postponed here: pydantic would have to evaluate each one's text at every start.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from config import durations
from config.calendars import WEEKDAYS, Calendar
from config.display import count
from config.durations import Duration, Unit
from config.fields import (
    Date,
    DaysOff,
    DoneDay,
    Every,
    Heartbeat,
    Holidays,
    Id,
    Labels,
    Length,
    Link,
    Namespace,
    Page,
    Priority,
    Reference,
    StepsAtOnce,
    Text,
    Title,
    Wait,
    Was,
    Weekday,
    WhenFull,
    WhenLate,
    Whole,
    Zone,
    expected,
)


class Model(BaseModel):
    """The base of all parts of the file: unknown keys are errors, types are not coerced, values stay as read."""

    # With `defer_build`, each model is built once, as part of the one that is used, and not again by itself.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True)


class CalendarModel(Model):
    """The working days of a goal. Without a calendar, every day is one."""

    workdays: list[Weekday] = Field(list(WEEKDAYS), min_length=1, description="The working weekdays")
    holidays: Holidays | None = Field(
        None, description="Public holidays of a country or a part of it, such as US or US-NY"
    )
    days_off: list[DaysOff] = Field([], description="Dates, or ranges such as 2026-12-24..2027-01-01")

    def value(self) -> Calendar:
        """Return the calendar for the scheduler."""
        return Calendar(
            frozenset(WEEKDAYS.index(day) for day in self.workdays),
            self.holidays,
            tuple(sorted(self.days_off)),
        )


class LinkModel(Model):
    """One step (or goal, or goal/step) that comes before, and the wait between the two."""

    step: Reference
    wait: Wait | None = None


class BeforeModel(Model):
    """A countdown from another step's due date."""

    step: Reference
    by: Whole


class WeekdayModel(Model):
    """A countdown to a day of the week: the last such day that is at least so many weeks before the deadline."""

    weeks: Annotated[int, Field(ge=0, le=durations.MAX_DAYS // 7)]
    weekday: Weekday

    def value(self) -> Duration:
        """Return the time before the deadline."""
        text = f"{count(self.weeks, 'week')}, {self.weekday}"
        return Duration(7 * self.weeks, Unit.SPAN_DAYS, text, weekday=WEEKDAYS.index(self.weekday))


class HangsOnModel(Model):
    """A deadline that depends on the deadline of another goal."""

    before: Reference
    by: Whole = durations.NO_TIME


def _kind_of_before(value: Any) -> str:
    if not isinstance(value, dict):
        return "~time"
    return "~weekday" if {"weeks", "weekday"} & value.keys() else "~countdown"


def _kind_of_after(value: Any) -> str:
    return "~link" if isinstance(value, dict) else "~id"


def _read_target(value: Any) -> Any:
    if isinstance(value, str):
        return {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise expected("expected one connector a line, such as - todoist: {project: Career}")
    ((name, options),) = value.items()
    if not isinstance(options, dict | None):
        raise expected(f"expected settings for {name}, such as {{project: Career}}")
    return {name: options or {}}


# `config.schema` adds each connector's settings, as the connectors declare them.
TARGET_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}
Target = Annotated[dict[str, dict[str, Any]], BeforeValidator(_read_target), WithJsonSchema(TARGET_SCHEMA)]
After = Annotated[Annotated[Reference, Tag("~id")] | Annotated[LinkModel, Tag("~link")], Discriminator(_kind_of_after)]


class StepModel(Model):
    """One step of a goal. Only the title is required, and not in a step that changes one of a template."""

    title: Title | None = None
    id: Id | None = Field(None, description="Stable identity; by default made from the title")
    was: Was | None = Field(None, description="The id before it was renamed; goal/step if it was in another goal")
    takes: Length | None = Field(None, description="How long it takes: 3 days, 1 week, 2-3-6 days, 0 for a milestone")
    wait: Wait | None = Field(None, description="Time to wait after it before the next step can start")
    after: list[After] | None = Field(None, description="The steps it comes after; by default the one listed before it")
    on: Date | None = Field(None, description="An appointment: it is due on this day, even if other dates move")
    by: Date | None = Field(None, description="It is due no later than this day")
    from_: Date | None = Field(None, alias="from", description="It cannot start before this day")
    before: (
        Annotated[
            Annotated[Whole, Tag("~time")]
            | Annotated[BeforeModel, Tag("~countdown")]
            | Annotated[WeekdayModel, Tag("~weekday")],
            Discriminator(_kind_of_before),
        ]
        | None
    ) = Field(None, description="A countdown: due this long before the deadline, or before another step")
    afterwards: Whole | None = Field(None, description="A follow-up: due this long after the deadline")
    every: Every | None = Field(None, description="Repeats: day, week, 2 weeks, or weekdays")
    optional: bool = Field(False, description="May be left out when time is short")
    drop: bool = Field(False, description="Leaves out the template's step with this id")
    done: DoneDay = Field(None, description="The day it was done, if it is completed in this file")
    notes: Text | None = None
    link: Link | None = None
    labels: Labels = Field(default_factory=list)  # pydantic would deep-copy a default of [] for each step
    priority: Priority | None = None
    who: Text | None = None
    checklist: list[Title] = Field(default_factory=list)


class GroupModel(Model):
    """Steps under one heading. It has no duration: it spans its members."""

    title: Title | None = None
    id: Id | None = None
    steps: list["Item"] | None = None
    backwards: list["Item"] | None = None
    parallel: bool = Field(False, description="Its members may overlap")
    after: list[After] | None = None
    notes: Text | None = None
    labels: Labels = Field(default_factory=list)
    optional: bool = False


_GROUP_KEYS = {"steps", "backwards", "parallel"}


def _kind_of_item(value: Any) -> str:
    if isinstance(value, dict):
        return "~group" if _GROUP_KEYS & value.keys() else "~step"
    return "~title"


Item = Annotated[
    Annotated[Title, Tag("~title")] | Annotated[StepModel, Tag("~step")] | Annotated[GroupModel, Tag("~group")],
    Discriminator(_kind_of_item),
]


class GoalModel(Model):
    """A goal: a result with a deadline, and the steps to it. Without a title, it has that of its template."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["title"]}, {"required": ["template"]}]})

    title: Title | None = None
    id: Id | None = Field(None, description="Stable identity; by default made from the title")
    was: Id | None = Field(None, description="The id it had before it was renamed")
    why: Text | None = None
    done_when: Text | None = Field(None, description="The measurable result")
    deadline: (
        Annotated[
            Annotated[Date, Tag("~date")] | Annotated[HangsOnModel, Tag("~hangs")],
            Discriminator(lambda value: "~hangs" if isinstance(value, dict) else "~date"),
        ]
        | None
    ) = Field(None, description="The day it must be reached, or {before: goal, by: duration}")
    start: Date | None = Field(None, description="The day work on it begins")
    at_least: Whole | None = Field(None, description="Warn when there is less time than this")
    buffer: Whole = Field(durations.NO_TIME, description="Days kept free before the deadline")
    calendar: (
        Annotated[
            Annotated[Reference, Tag("~name")] | Annotated[CalendarModel, Tag("~calendar")],
            Discriminator(lambda value: "~calendar" if isinstance(value, dict) else "~name"),
        ]
        | None
    ) = Field(None, description="A calendar's name, or one written out")
    sync: list[Target] | None = None
    labels: Labels = Field(default_factory=list)
    priority: Priority | None = None
    who: Text | None = None
    link: Link | None = None
    notes: Text | None = None
    when_late: WhenLate | None = None
    when_full: WhenFull | None = None
    template: str | None = Field(None, description="The template whose steps this goal takes")
    steps: list["Item"] | None = Field(None, description="The steps, in the order they are done")
    backwards: list["Item"] | None = Field(None, description="The steps, from the last to the first")
    done: DoneDay = Field(None, description="The day it was reached or given up; its open steps are dropped")


class SettingsModel(Model):
    """The settings of a goals file: everything but its goals."""

    version: Literal[1] = 1
    namespace: Namespace | None = Field(None, description="Names this plan in the apps")
    timezone: Zone = Field("UTC", description="The time zone that decides which day is today")
    calendar: CalendarModel | None = None
    calendars: dict[str, CalendarModel] = {}
    sync: list[Target] | None = Field(None, description="The apps in which tasks are created")
    retired: list[Target] = Field([], description="Connectors no longer in use: their tasks are removed")
    when_late: WhenLate = "squeeze"
    when_full: WhenFull = Field("warn", description="What becomes of steps whose person has no room: see `capacity`")
    prune: Literal["remove", "keep"] = "remove"
    on_delete: Literal["drop", "recreate"] = "drop"
    deadlines: Literal["file", "app"] = Field(
        "file", description="app: a goal's task that is moved in an app moves the deadline in this file"
    )
    heartbeat: Heartbeat | None = Field(
        None, description="Keeps a task due this far ahead; it becomes overdue when runs stop"
    )
    digest: Literal["weekly"] | None = Field(
        None, description="Keeps an issue with the week ahead, or posts it to a chat; on GitHub only"
    )
    capacity: (
        Annotated[
            Annotated[StepsAtOnce, Tag("~number")]
            | Annotated[Annotated[dict[Text, StepsAtOnce], Field(min_length=1)], Tag("~people")],
            Discriminator(lambda value: "~people" if isinstance(value, dict) else "~number"),
        ]
        | None
    ) = Field(
        None, description="How many steps everybody, or each person, can have at once; `me` for steps that name nobody"
    )
    account: Reference | None = None
    page: Page | None = Field(None, description="The address of the plan's page, to which tasks in the apps link")


class FileModel(SettingsModel):
    """A goals file."""

    goals: list[GoalModel] = Field(description="The goals")
