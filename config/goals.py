"""The goals file's shape: pydantic models, from which the JSON Schema is generated too.

Annotations are not postponed here: pydantic would have to evaluate each one's text at every start.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from config import durations
from config.calendars import WEEKDAYS, Calendar
from config.durations import Duration, Unit
from config.source import CutText

MAX_TITLE = 500  # the shortest limit among the apps (Todoist's content)
_ID = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")  # not tab, line feed and NEL: those are space
_DATE_RANGE = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")


def _expected(text: str) -> PydanticCustomError:
    return PydanticCustomError("expected", "{expected}", {"expected": text})


def _read_date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    text = str(value)
    if re.match(r"\d{4}-\d\d-\d\d[T ]", text):
        raise _expected("expected a date without a time, such as 2027-08-15")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise _expected(
            "expected a date such as 2027-08-15; "
            "a file in git must mean the same tomorrow, so words for dates are refused"
        )
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _expected(f"expected a date such as 2027-08-15 ({error})") from None


def _read_duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _expected(f"expected {durations.EXPECTED}")
    try:
        return durations.parse(str(value))
    except ValueError as error:
        raise _expected(str(error)) from None


def _length(value: Any) -> Any:
    duration = _read_duration(value)
    if duration.amount < 0:
        raise _expected("expected 0 or more; only a wait may be negative")
    return duration


def _whole(value: Any) -> Any:
    duration = _length(value)
    if duration.unit is Unit.PERCENT:
        raise _expected("expected days, weeks, months or years; only a step's takes can be a percentage")
    return duration


def _heartbeat(value: Any) -> Any:
    duration = _whole(value)
    if duration.amount < 1 or duration.estimate:
        raise _expected("expected one length of at least a day, such as 3 days")
    return duration


def _wait(value: Any) -> Any:
    duration = _read_duration(value)
    if duration.unit is Unit.PERCENT or duration.estimate:
        raise _expected("expected one length, such as 2 days or 1 week")
    return duration


def _read_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise _expected(f'expected text; an id that looks like a number needs quotes, such as "{value}"')
    if not _ID.fullmatch(value) or len(value) > 80:
        raise _expected("expected an id of letters and digits joined by single hyphens, such as first-draft")
    return value


def _read_was(value: Any) -> Any:
    parts = value.split("/") if isinstance(value, str) else [value]
    if len(parts) > 2:
        raise _expected("expected the old id, or goal/step where the step stood in another goal")
    return "/".join(_read_id(part) for part in parts)


def _read_text(value: Any) -> Any:
    if isinstance(value, bool | int | float | date):
        written = str(value).lower() if isinstance(value, bool) else value
        raise _expected(f'expected text; write it in quotes, such as "{written}"')
    if isinstance(value, str) and _CONTROL.search(value):
        raise _expected("expected text without control characters")
    return value


def _read_prose(value: Any, what: str = "text") -> Any:
    if isinstance(value, CutText):
        raise _expected(
            f"`{value.rest}` is cut off: ` #` begins a comment in YAML; put the whole {what} in quotes, "
            "or a blank behind the # of a comment"
        )
    return _read_text(value)


def _read_title(value: Any) -> Any:
    text = _read_prose(value, "title")
    if isinstance(text, str):
        text = " ".join(text.split())
        if not text or len(text) > MAX_TITLE:
            raise _expected(f"expected a title of 1 to {MAX_TITLE} characters")
    return text


def _read_link(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and not re.fullmatch(r"(https?://|mailto:)\S+", text):
        raise _expected("expected a web address such as https://example.org/jobs/17")
    return text


def _read_namespace(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]+([-_./][A-Za-z0-9]+)*", value) or len(value) > 80:
        raise _expected("expected a name of letters and digits such as me/goals")
    return value


def _read_zone(value: Any) -> Any:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(value)
    except Exception:  # zoneinfo raises half a dozen kinds, also for a str that is a folder's name
        raise _expected(
            f"expected a time zone such as America/New_York{_close(value, available_timezones())}"
        ) from None
    return value


def _read_weekday(value: Any) -> Any:
    short = value[:3].lower() if isinstance(value, str) else ""
    if short not in WEEKDAYS:
        raise _expected(f"expected a weekday: {', '.join(WEEKDAYS)}")
    return short


def _read_every(value: Any) -> Any:
    if isinstance(value, list):
        if not value:
            raise _expected("expected at least one weekday")
        return tuple(_read_weekday(day) for day in value)
    text = str(value).strip()
    duration = _whole(f"1 {text}" if text[:1].isalpha() else value)
    if duration.amount < 1 or duration.estimate:
        raise _expected("expected day, week, 2 weeks, month, or a list of weekdays")
    return duration


def _read_holidays(value: Any) -> Any:
    from config.calendars import holiday_codes

    country, _, subdivision = str(value).partition("-")
    codes = holiday_codes()
    if country not in codes:
        raise _expected(f"expected a country code such as US or US-NY{_close(country, codes)}")
    if subdivision and subdivision not in codes[country]:
        raise _expected(f"expected a part of {country}: {', '.join(codes[country]) or 'it has none'}")
    return value


def _read_days_off(value: Any) -> Any:
    if isinstance(value, str) and (match := _DATE_RANGE.fullmatch(value.replace(" ", ""))):
        begin, end = _read_date(match[1]), _read_date(match[2])
        if begin > end:
            raise _expected("expected the earlier date first, such as 2026-12-24..2027-01-01")
        return begin, end
    day = _read_date(value)
    return day, day


def _close(value: Any, known: Any) -> str:
    from difflib import get_close_matches

    spellings = {str(name).lower(): name for name in known}
    close = [spellings[name] for name in get_close_matches(str(value).lower(), spellings, n=1)]
    return f"; did you mean {close[0]}?" if close else ""


_DURATION_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": durations.PATTERN}]}
_DATE_SCHEMA = {"type": "string", "format": "date"}

Id = Annotated[str, BeforeValidator(_read_id), WithJsonSchema({"type": "string", "maxLength": 80})]
Was = Annotated[str, BeforeValidator(_read_was), WithJsonSchema({"type": "string", "maxLength": 161})]
Reference = Annotated[str, BeforeValidator(_read_text), WithJsonSchema({"type": "string"})]
Text = Annotated[str, BeforeValidator(_read_prose), WithJsonSchema({"type": "string"})]
Title = Annotated[
    str,
    BeforeValidator(_read_title),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_TITLE}),
]
Date = Annotated[date, BeforeValidator(_read_date), WithJsonSchema(_DATE_SCHEMA)]
Length = Annotated[Duration, BeforeValidator(_length), WithJsonSchema(_DURATION_SCHEMA)]
Whole = Annotated[Duration, BeforeValidator(_whole), WithJsonSchema(_DURATION_SCHEMA)]
Heartbeat = Annotated[Duration, BeforeValidator(_heartbeat), WithJsonSchema(_DURATION_SCHEMA)]
Wait = Annotated[Duration, BeforeValidator(_wait), WithJsonSchema(_DURATION_SCHEMA)]
Weekday = Annotated[str, BeforeValidator(_read_weekday), WithJsonSchema({"type": "string"})]
Every = Annotated[
    Duration | tuple[str, ...],
    BeforeValidator(_read_every),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
DaysOff = Annotated[tuple[date, date], BeforeValidator(_read_days_off), WithJsonSchema({"type": "string"})]
Labels = list[Annotated[str, BeforeValidator(_read_title), Field(max_length=60)]]
Priority = Literal["urgent", "high", "medium", "none"]
WhenLate = Literal["squeeze", "keep", "fail"]
Link = Annotated[str, BeforeValidator(_read_link), WithJsonSchema({"type": "string", "format": "uri"})]
Namespace = Annotated[str, BeforeValidator(_read_namespace), WithJsonSchema({"type": "string", "maxLength": 80})]


class Model(BaseModel):
    """What all parts of the file share: unknown keys are errors, types are not coerced, values stay as read."""

    # Deferred, each model is built once, as part of the one that is used, and not again for itself.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True)


class CalendarModel(Model):
    """Which days are working days. Without one, every day is."""

    workdays: list[Weekday] = Field(list(WEEKDAYS), min_length=1, description="Weekdays on which work is done")
    holidays: Annotated[str, BeforeValidator(_read_holidays)] | None = Field(
        None, description="Public holidays of a country or a part of it, such as US or US-NY"
    )
    days_off: list[DaysOff] = Field([], description="Dates, or ranges such as 2026-12-24..2027-01-01")

    def value(self) -> Calendar:
        """Return the calendar as the scheduler takes it."""
        return Calendar(
            frozenset(WEEKDAYS.index(day) for day in self.workdays),
            self.holidays,
            tuple(sorted(self.days_off)),
        )


class LinkModel(Model):
    """One step (or goal, or goal/step) that comes before, and the wait in between."""

    step: Reference
    wait: Wait | None = None


class BeforeModel(Model):
    """A countdown from another step's due date."""

    step: Reference
    by: Whole


class HangsOnModel(Model):
    """A deadline that hangs on another goal's."""

    before: Reference
    by: Whole = durations.NO_TIME


def _kind_of_after(value: Any) -> str:
    return "~link" if isinstance(value, dict) else "~id"


def _read_target(value: Any) -> Any:
    if isinstance(value, str):
        return {value: {}}
    if not isinstance(value, dict) or len(value) != 1:
        raise _expected("expected one connector a line, such as - todoist: {project: Career}")
    ((name, options),) = value.items()
    if not isinstance(options, dict | None):
        raise _expected(f"expected settings for {name}, such as {{project: Career}}")
    return {name: options or {}}


Target = Annotated[
    dict[str, dict[str, Any]],
    BeforeValidator(_read_target),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}),
]
After = Annotated[Annotated[Reference, Tag("~id")] | Annotated[LinkModel, Tag("~link")], Discriminator(_kind_of_after)]


class StepModel(Model):
    """One step of a goal. Only the title is needed (and not even that, where it changes a template's step)."""

    title: Title | None = None
    id: Id | None = Field(None, description="Stable identity; by default made from the title")
    was: Was | None = Field(None, description="The id it had before it was renamed; goal/step if it changed its goal")
    takes: Length | None = Field(None, description="How long it takes: 3 days, 1 week, 2-3-6 days, 0 for a milestone")
    wait: Wait | None = Field(None, description="Time that passes after it, before what comes next can start")
    after: list[After] | None = Field(None, description="What it comes after; by default the step listed before it")
    on: Date | None = Field(None, description="An appointment: it is due on this day, whatever else moves")
    by: Date | None = Field(None, description="It is due no later than this day")
    from_: Date | None = Field(None, alias="from", description="It cannot start before this day")
    before: (
        Annotated[
            Annotated[Whole, Tag("~time")] | Annotated[BeforeModel, Tag("~countdown")],
            Discriminator(lambda value: "~countdown" if isinstance(value, dict) else "~time"),
        ]
        | None
    ) = Field(None, description="A countdown: due this long before the deadline, or before another step")
    afterwards: Whole | None = Field(None, description="A follow-up: due this long after the deadline")
    every: Every | None = Field(None, description="Repeats: day, week, 2 weeks, or weekdays")
    optional: bool = Field(False, description="May be left out when time is short")
    drop: bool = Field(False, description="Leaves out the template's step with this id")
    done: Date | None = Field(None, description="The day it was done, for those who tick in the file")
    notes: Text | None = None
    link: Link | None = None
    labels: Labels = []
    priority: Priority | None = None
    who: Text | None = None
    checklist: list[Title] = []


class GroupModel(Model):
    """Steps under one heading. It has no duration: it spans its members."""

    title: Title | None = None
    id: Id | None = None
    steps: list["Item"] | None = None
    backwards: list["Item"] | None = None
    parallel: bool = Field(False, description="Its members may overlap")
    after: list[After] | None = None
    notes: Text | None = None
    labels: Labels = []
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
    """A goal: what is reached by when, and the steps that lead there."""

    title: Title
    id: Id | None = Field(None, description="Stable identity; by default made from the title")
    was: Id | None = Field(None, description="The id it had before it was renamed")
    why: Text | None = None
    done_when: Text | None = Field(None, description="The measurable end")
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
    labels: Labels = []
    priority: Priority | None = None
    who: Text | None = None
    link: Link | None = None
    notes: Text | None = None
    when_late: WhenLate | None = None
    template: str | None = Field(None, description="The template whose steps this goal takes")
    steps: list["Item"] | None = Field(None, description="The steps, in the order they are done")
    backwards: list["Item"] | None = Field(None, description="The steps, from the deadline back")
    done: Date | None = Field(None, description="Reached, or given up: nothing is asked of it any more")


class SettingsModel(Model):
    """What a goals file says besides its goals."""

    version: Literal[1] = 1
    namespace: Namespace | None = Field(None, description="Names this plan in the apps")
    timezone: Annotated[str, BeforeValidator(_read_zone)] = Field("UTC", description="What 'today' is")
    calendar: CalendarModel | None = None
    calendars: dict[str, CalendarModel] = {}
    sync: list[Target] | None = Field(None, description="Where tasks go")
    retired: list[Target] = Field([], description="Connectors no longer in use: their tasks are cleared away")
    when_late: WhenLate = "squeeze"
    prune: Literal["remove", "keep"] = "remove"
    on_delete: Literal["drop", "recreate"] = "drop"
    heartbeat: Heartbeat | None = Field(None, description="Keeps a task due this far ahead, which tells when runs stop")
    capacity: Annotated[int, Field(ge=1)] | None = None
    account: Reference | None = None


class FileModel(SettingsModel):
    """A goals file."""

    goals: list[GoalModel] = Field(description="The goals")
