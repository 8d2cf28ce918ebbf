"""The types of values in a goals file: how each is read, and the message if it cannot be read."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from config import durations
from config.calendars import WEEKDAYS, country_of_alias, holiday_codes
from config.dates import readings
from config.durations import Duration, Unit
from config.source import CutText
from config.suggest import did_you_mean

MAX_TITLE = 500  # the shortest limit among the apps (Todoist's content)
_ID = re.compile(r"[^\W_]+(?:[-_.][^\W_]+)*")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]"
)  # without tab, line feed and NEL, which count as white space
_DATE_RANGE = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")


def expected(text: str) -> PydanticCustomError:
    """Return an error whose message begins with `expected`."""
    return PydanticCustomError("expected", "{expected}", {"expected": text})


def _read_date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    text = str(value)
    if re.match(r"\d{4}-\d\d-\d\d[T ]", text):
        raise expected("expected a date without a time, such as 2027-08-15")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        if days := readings(text):
            meant = " or ".join(f"`{day}`" for day in days)
            raise expected(f"expected a date such as 2027-08-15: write {meant}{', as you mean it' * (len(days) > 1)}")
        raise expected(
            "expected a date such as 2027-08-15; "
            "words such as `tomorrow` are not accepted, because their meaning changes from day to day"
        )
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise expected(f"expected a date such as 2027-08-15 ({error})") from None


def _read_done(value: Any) -> Any:
    if value is None:  # `done: true`, or `done:` without a day
        raise expected("expected the day it was done, such as 2027-08-15; if it is not done, remove `done`")
    return _read_date(value)


def _read_duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise expected(f"expected {durations.EXPECTED}")
    try:
        return durations.parse(str(value))
    except ValueError as error:
        raise expected(str(error)) from None


def _length(value: Any) -> Any:
    duration = _read_duration(value)
    if duration.amount < 0:
        raise expected("expected 0 or more; only a wait may be negative")
    return duration


def _whole(value: Any) -> Any:
    duration = _length(value)
    if duration.unit is Unit.PERCENT:
        raise expected("expected days, weeks, months or years; only a step's takes can be a percentage")
    return duration


def _heartbeat(value: Any) -> Any:
    duration = _whole(value)
    if duration.amount < 1 or duration.estimate:
        raise expected("expected one length of at least a day, such as 3 days")
    return duration


def _wait(value: Any) -> Any:
    duration = _read_duration(value)
    if duration.unit is Unit.PERCENT or duration.estimate:
        raise expected("expected one length, such as 2 days or 1 week")
    return duration


def _read_capacity(value: Any) -> Any:
    if isinstance(value, str):
        raise expected("expected a whole number of steps at once, such as 1, or one for each person: {me: 1, Rui: 2}")
    return value


def _read_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise expected(f'expected text; an id that looks like a number needs quotes, such as "{value}"')
    if not _ID.fullmatch(value) or len(value) > 80:
        raise expected("expected an id of letters and digits joined by single hyphens, such as first-draft")
    return value


def _read_was(value: Any) -> Any:
    parts = value.split("/") if isinstance(value, str) else [value]
    if len(parts) > 2:
        raise expected("expected the old id, or goal/step if the step was in another goal")
    return "/".join(_read_id(part) for part in parts)


def _read_text(value: Any) -> Any:
    if isinstance(value, bool | int | float | date):
        written = str(value).lower() if isinstance(value, bool) else value
        raise expected(f'expected text; write it in quotes, such as "{written}"')
    if isinstance(value, str) and _CONTROL.search(value):
        raise expected("expected text without control characters")
    return value


def _read_prose(value: Any, what: str = "text") -> Any:
    if isinstance(value, CutText):
        raise expected(
            f"`{value.rest}` is cut off: ` #` begins a comment in YAML; put the whole {what} in quotes, "
            "or a blank behind the # of a comment"
        )
    return _read_text(value)


def _read_title(value: Any) -> Any:
    text = _read_prose(value, "title")
    if isinstance(text, str):
        text = " ".join(text.split())
        if not text or len(text) > MAX_TITLE:
            raise expected(f"expected a title of 1 to {MAX_TITLE} characters")
    return text


def _read_link(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and not re.fullmatch(r"(https?://|mailto:)\S+", text):
        raise expected("expected a web address such as https://example.org/jobs/17")
    return text


def _read_page(value: Any) -> Any:
    text = _read_text(value)
    if isinstance(text, str) and not re.fullmatch(r"https://[^\s#]+", text):
        raise expected(
            "expected an address that begins with https:// and has no `#`, such as https://me.github.io/goals"
        )
    return text


def _read_namespace(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]+([-_./][A-Za-z0-9]+)*", value) or len(value) > 80:
        raise expected("expected a name of letters and digits such as me/goals")
    return value


def _read_zone(value: Any) -> Any:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(value)
    except Exception:  # zoneinfo raises many kinds of errors, for the name of a folder too
        raise expected(f"expected a time zone such as America/New_York{_close(value, available_timezones())}") from None
    return value


def _read_weekday(value: Any) -> Any:
    short = value[:3].lower() if isinstance(value, str) else ""
    if short not in WEEKDAYS:
        raise expected(f"expected a weekday: {', '.join(WEEKDAYS)}")
    return short


def _read_every(value: Any) -> Any:
    if isinstance(value, list):
        if not value:
            raise expected("expected at least one weekday")
        return tuple(_read_weekday(day) for day in value)
    text = str(value).strip()
    duration = _whole(f"1 {text}" if text[:1].isalpha() else value)
    if duration.amount < 1 or duration.estimate:
        raise expected("expected day, week, 2 weeks, month, or a list of weekdays")
    return duration


def _read_holidays(value: Any) -> Any:
    country, _, subdivision = str(value).partition("-")
    codes = holiday_codes()
    if country not in codes:
        meant = _close(country_of_alias(country) or country, codes)
        raise expected(f"expected a country code such as US or US-NY{meant}")
    if subdivision and subdivision not in codes[country]:
        raise expected(f"expected a part of {country}: {', '.join(codes[country]) or 'it has none'}")
    return value


def _read_days_off(value: Any) -> Any:
    if isinstance(value, str) and (match := _DATE_RANGE.fullmatch(value.replace(" ", ""))):
        begin, end = _read_date(match[1]), _read_date(match[2])
        if begin > end:
            raise expected("expected the earlier date first, such as 2026-12-24..2027-01-01")
        return begin, end
    day = _read_date(value)
    return day, day


def _close(value: Any, known: Any) -> str:
    nearest = did_you_mean(str(value), map(str, known), quote="")
    return f"; {nearest}" if nearest else ""


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
DoneDay = Annotated[date | None, BeforeValidator(_read_done), WithJsonSchema(_DATE_SCHEMA)]
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
WhenFull = Literal["warn", "earlier"]
StepsAtOnce = Annotated[int, Field(ge=1), BeforeValidator(_read_capacity)]
Holidays = Annotated[str, BeforeValidator(_read_holidays)]
Zone = Annotated[str, BeforeValidator(_read_zone)]
Link = Annotated[str, BeforeValidator(_read_link), WithJsonSchema({"type": "string", "format": "uri"})]
Page = Annotated[str, BeforeValidator(_read_page), WithJsonSchema({"type": "string", "format": "uri"})]
Namespace = Annotated[str, BeforeValidator(_read_namespace), WithJsonSchema({"type": "string", "maxLength": 80})]
