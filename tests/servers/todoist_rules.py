"""What Todoist accepts and what it refuses: ids, lengths, dates, plans, and errors in the shape it sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str, Any], Any]

ALPHABET = "23456789CFGHJMPQRVWXcfghjmpqrvwx"
ID_LENGTH = 16
_WAITING_SECONDS = 3  # comes with some answers for which waiting does not help


# Errors


class Refused(Exception):  # noqa: N818  # the service refused
    """The service says no: a status, and the object that says why."""

    def __init__(self, status: int, tag: str, code: int, error: str, **extra: object) -> None:
        super().__init__(f"{status} {tag}: {error} {extra or ''}")
        self.status = status
        self.tag = tag
        if status in (401, 403, 404):
            extra.setdefault("retry_after", _WAITING_SECONDS)
        self.retry_after = extra.get("retry_after")
        event = sha256(f"{tag}{error}{extra}".encode()).hexdigest()[:32]
        self.body: dict[str, Any] = {
            "error": error,
            "error_code": code,
            "error_extra": {"event_id": event, **extra},
            "error_tag": tag,
            "http_code": status,
        }


def invalid(argument: str, error: str = "Invalid argument value", **extra: object) -> Refused:
    return Refused(400, "INVALID_ARGUMENT_VALUE", 20, error, argument=argument, **extra)


def missing(argument: str) -> Refused:
    return Refused(400, "ARGUMENT_MISSING", 19, "Required argument is missing", argument=argument)


def not_found(what: str) -> Refused:
    return Refused(404, "NOT_FOUND", 478, f"{what} not found")


def bad_temporary_id() -> Refused:
    """Return the one error that says no more than its code: not every answer has a tag."""
    refused = Refused(400, "", 15, "Invalid temporary id")
    refused.body = {"error": "Invalid temporary id", "error_code": 15}
    return refused


def forbidden(error: str = "Forbidden") -> Refused:
    return Refused(403, "FORBIDDEN", 40, error)


def premium_only(what: str) -> Refused:
    return Refused(403, "PREMIUM_ONLY", 32, "Premium only feature", argument=what)


def unauthorized() -> Refused:
    return Refused(401, "UNAUTHORIZED", 477, "Unauthorized")


def without_scope() -> Refused:
    return Refused(403, "AUTH_INSUFFICIENT_TOKEN_SCOPE", 479, "Insufficient Token scope")


def too_many_requests(seconds: int) -> Refused:
    error = "Too many requests. Limits reached. Try again later"
    return Refused(429, "LIMITS_REACHED", 35, error, retry_after=seconds)


_LIMIT_CODES = {"ITEMS": 49, "PROJECTS": 45, "SECTIONS": 46, "LABELS": 47}


def over_limit(what: str, most: int) -> Refused:
    error = f"Maximum number of {what.lower()} per account limit reached"
    if what in ("ITEMS", "SECTIONS"):
        error = f"Maximum number of {what.lower()} per project limit reached"
    return Refused(403, f"MAX_{what}_LIMIT_REACHED", _LIMIT_CODES[what], error, max_count=most)


# Plans


@dataclass(frozen=True)
class Plan:
    """What an account may have. `max_tasks` are the active ones of a project, the same on every plan."""

    plan_name: str
    max_projects: int
    deadlines: bool
    durations: bool
    max_tasks: int = 300
    max_sections: int = 20
    max_labels: int = 500
    reminders: bool = False
    completed_tasks: bool = True
    activity_log: bool = True
    activity_log_limit: int = 7


FREE = Plan("free", max_projects=5, deadlines=False, durations=False)
PRO = Plan("pro", max_projects=300, deadlines=True, durations=True, reminders=True, activity_log_limit=-1)


# Ids


def make_id(number: int) -> str:
    """Return the opaque id of the n-th object; ids are in no order."""
    digest = sha256(f"object {number}".encode()).digest()
    return "6" + "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[: ID_LENGTH - 1])


def checked_id(argument: str, value: object, *, digits: bool = False) -> str:
    """Return an id as it is; one of another shape is refused for its shape."""
    if not isinstance(value, str) or not value:
        raise invalid(argument, expected="str")
    if value.isdigit():
        if not digits:
            error = f"Invalid ID: {value}. V1 IDs can no longer be used."
            raise Refused(400, "V1_ID_CANNOT_BE_USED", 557, error, argument=argument)
    elif set(value) - set(ALPHABET):
        raise invalid(argument, "Non-base32 digit found")
    return value


def is_id(value: str) -> bool:
    """Tell an id from a temporary one."""
    return bool(value) and (value.isdigit() or not set(value) - set(ALPHABET))


# Fields


def text(low: int, high: int) -> Check:
    def check(argument: str, value: Any) -> str:
        if not isinstance(value, str):
            raise invalid(argument, expected="str")
        trimmed: str = value.strip()
        if not low <= len(trimmed) <= high:
            raise invalid(argument, expected=f"a string of {low} to {high} characters")
        return trimmed

    return check


def whole(low: int | None = None, high: int | None = None) -> Check:
    def check(argument: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(argument, expected="int")
        if (low is not None and value < low) or (high is not None and value > high):
            raise invalid(argument, expected=f"a number from {low} to {high}")
        return value

    return check


def flag(argument: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(argument, expected="bool")
    return value


def one_of(*values: str) -> Check:
    def check(argument: str, value: Any) -> Any:
        if value not in values:
            raise invalid(argument, expected=" | ".join(values))
        return value

    return check


def user_id(argument: str, value: Any) -> str | None:
    return None if value is None else checked_id(argument, value, digits=True)


label_name = text(1, 60)


def label_names(argument: str, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise invalid(argument, expected="list")
    return list(dict.fromkeys(label_name(argument, name) for name in value))


def deadline(argument: str, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("date"), str):
        raise invalid(argument, expected="an object with a date")
    return {"date": a_date(argument, value["date"]).isoformat(), "lang": value.get("lang") or "en"}


def duration(argument: str, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid(argument, expected="an object with amount and unit")
    unit = one_of("minute", "day")("unit", value.get("unit"))
    return {"amount": whole(1)("amount", value.get("amount")), "unit": unit}


TASK: Mapping[str, Check] = {
    "content": text(1, 500),
    "description": text(0, 16_383),
    "labels": label_names,
    "priority": whole(1, 4),
    "deadline": deadline,
    "duration": duration,
    "child_order": whole(),
    "day_order": whole(),
    "is_collapsed": flag,
    "responsible_uid": user_id,
}
PROJECT: Mapping[str, Check] = {
    "name": text(1, 120),
    "description": text(0, 1024),
    "color": text(1, 40),
    "view_style": one_of("list", "board", "calendar"),
    "is_favorite": flag,
    "is_collapsed": flag,
    "child_order": whole(),
}
SECTION: Mapping[str, Check] = {
    "name": text(1, 2048),
    "description": text(0, 16_383),
    "section_order": whole(),
    "is_collapsed": flag,
}
LABEL: Mapping[str, Check] = {
    "name": label_name,
    "color": text(1, 40),
    "item_order": whole(),
    "is_favorite": flag,
}
NOTE: Mapping[str, Check] = {"content": text(1, 15_000)}


def values(checks: Mapping[str, Check], args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given fields as they are stored; what has no such name is ignored."""
    return {name: check(name, args[name]) for name, check in checks.items() if name in args}


# Dates


def a_date(argument: str, value: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):  # `fromisoformat` also takes weeks
        raise invalid(argument, "Invalid date format")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise invalid(argument, "Invalid date format") from None


def instant(argument: str, value: object) -> datetime:
    """Return a point in time; one without a zone is taken as UTC."""
    if not isinstance(value, str) or not value:
        raise missing(argument)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(argument, "Invalid date format") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


NO_DATE = ("", "no date", "no due date")
_EVERY = re.compile(r"every(?P<after>!)? (?:(?P<number>[1-9]\d?|other) )?(?P<unit>day|week|month|\w+day)s?")
_AT = re.compile(r"(?P<day>.*?)(?: at (?P<hour>\d\d?)(?::(?P<minute>\d\d))?)?")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def due(value: Any, today: date, zone: str) -> dict[str, Any] | None:
    """Return a due date as it is stored; None clears it. `string` is read in English, and not all of it."""
    if value is None:
        return None
    if not isinstance(value, dict) or not ({"date", "string"} & value.keys()):
        raise invalid("due", expected="an object with date or string")
    words, day = value.get("string"), value.get("date")
    if words is not None and not isinstance(words, str):
        raise invalid("due", expected="str")
    if day is None and (words or "").strip().lower() in NO_DATE:
        return None
    if words is not None and len(words) > 150:
        raise invalid("due_string", expected="a string of at most 150 characters")
    found = _due_date(day, value.get("timezone"), zone) if day is not None else _due_words(words or "", today)
    recurring = words is not None and _EVERY.match(words.strip().lower()) is not None
    string = words if words and (recurring or day is None) else found["date"]
    return {**found, "string": string, "lang": value.get("lang") or "en", "is_recurring": recurring}


def _due_date(value: object, timezone: object, zone: str) -> dict[str, Any]:
    if not isinstance(value, str):
        raise invalid("due", "Invalid date format")
    if len(value) == 10:
        return {"date": a_date("due", value).isoformat(), "timezone": None}
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", value):
        raise invalid("due", "Invalid date format")
    moment = instant("due", value)
    if value[-1].isdigit() and "+" not in value and value.count("-") == 2:
        return {"date": moment.strftime("%Y-%m-%dT%H:%M:%S"), "timezone": None}
    return {"date": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "timezone": _zone(timezone or zone)}


def _zone(name: object) -> str:
    try:
        return ZoneInfo(str(name)).key
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid("timezone") from None


def _due_words(words: str, today: date) -> dict[str, Any]:
    match = _AT.fullmatch(words.strip().lower())
    assert match is not None
    day = _named_day(match["day"], today).isoformat()
    if match["hour"]:
        day += f"T{int(match['hour']):02}:{int(match['minute'] or 0):02}:00"
    return _due_date(day, None, "UTC")


def _named_day(words: str, today: date) -> date:
    named = {"today": today, "tomorrow": today + timedelta(days=1), "yesterday": today - timedelta(days=1)}
    if words in named:
        return named[words]
    if every := _EVERY.fullmatch(words):
        unit = every["unit"]
        if unit not in ("day", "week", "month"):
            return today + timedelta(days=(_weekday(unit) - today.weekday()) % 7)
        return today
    return a_date("due_string", words)


def _weekday(name: str) -> int:
    if name not in _WEEKDAYS:
        raise invalid("due_string", "Invalid date format")
    return _WEEKDAYS.index(name)


def next_due(current: Mapping[str, Any], today: date) -> dict[str, Any]:
    """Return a recurring due date after its task was ticked: the next date that is neither past nor today."""
    match = _EVERY.match(current["string"].strip().lower())
    assert match is not None
    number = 2 if match["number"] == "other" else int(match["number"] or 1)
    day = date.fromisoformat(current["date"][:10])
    if match["after"]:  # "every!" counts from the day on which it was done
        day = today
    day = _later(day, match["unit"], number)
    while day <= today:
        day = _later(day, match["unit"], number)
    return {**current, "date": day.isoformat() + current["date"][10:]}


def _later(day: date, unit: str, number: int) -> date:
    if unit == "month":
        months = day.month - 1 + number
        last = date(day.year + (months + 1) // 12, (months + 1) % 12 + 1, 1) - timedelta(days=1)
        return last.replace(day=min(day.day, last.day))
    return day + timedelta(days=number * (1 if unit == "day" else 7))
