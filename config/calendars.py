"""Working days: the value of `calendar:`, and of each entry of `calendars:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = tuple(name[:3].lower() for name in WEEKDAY_NAMES)  # as in the goals file


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working weekdays (0 = Monday), a country's holidays by code, and ranges of days off.

    The default has no day off at all: a personal goal needs no calendar.
    """

    workdays: frozenset[int] = frozenset(range(7))
    holidays: str | None = None
    days_off: tuple[tuple[date, date], ...] = field(default=())

    def days_free(self, first: date, last: date) -> set[date]:
        """Return the holidays and days off from `first` to `last`, both included, on any weekday."""
        free: set[date] = set()
        for begin, end in self.days_off:
            begin, end = max(begin, first), min(end, last)
            free.update(begin + timedelta(days=n) for n in range((end - begin).days + 1))
        if self.holidays is not None:
            years = range(first.year, last.year + 1)
            free.update(day for year in years for day in public_holidays(self.holidays, year))
        return free

    def why_free(self, day: date) -> str | None:
        """Return in a few words why `day` is not a working day; None if it is one."""
        if self.holidays is not None and (name := public_holidays(self.holidays, day.year).get(day)):
            return name
        if any(begin <= day <= end for begin, end in self.days_off):
            return "day off"
        return None if day.weekday() in self.workdays else f"{day:%A}"


EVERY_DAY = Calendar()


@lru_cache(maxsize=1024)
def public_holidays(code: str, year: int) -> dict[date, str]:
    """Return the public holidays of a country (`US`) or subdivision (`US-NY`) in one year, with their names.

    Raises NotImplementedError for a code that the holidays package does not know.
    """
    from holidays import country_holidays  # 0.1 s to import

    country, _, subdivision = code.partition("-")
    return dict(country_holidays(country, subdiv=subdivision or None, years=year))


def country_of_alias(code: str) -> str:
    """Return the other code of a country in the holidays package, such as GB for UK; empty if it has none."""
    from holidays import country_holidays

    try:
        return country_holidays(code).country
    except NotImplementedError:
        return ""


def parts_with_more(code: str, year: int) -> list[str]:
    """Return the parts of a country if each of them has more public holidays than the whole country; else none."""
    parts = holiday_codes().get(code, [])
    common = public_holidays(code, year).keys()
    return parts if all(public_holidays(f"{code}-{part}", year).keys() - common for part in parts) else []


def holiday_codes() -> dict[str, list[str]]:
    """Return every country code with the codes of its subdivisions."""
    from holidays import list_supported_countries

    return list_supported_countries(include_aliases=False)
