"""The date fields of an organization: what is sent makes them show what they shall, and touches nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.github.body import Aside, Body
from connectors.github.date_line import Dates
from connectors.github.repository import DateFields, Field

DAYS = st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31))
DATES = st.builds(Dates, DAYS, DAYS)
FIELDS = st.builds(
    DateFields, st.none() | st.just(Field("IF_1", "Target date")), st.none() | st.just(Field("IF_2", "Start date"))
)
THEIRS = {"IF_3": "2027-01-01", "IF_4": "Blue"}


def after(values: list[dict[str, Any]], before: dict[str, str]) -> dict[str, str]:
    """Return the values of an issue after some were set or deleted, as GitHub does it."""
    set_ = {value["fieldId"]: value["dateValue"] for value in values if "dateValue" in value}
    gone = {value["fieldId"] for value in values if value.get("delete")}
    return {key: value for key, value in (before | set_).items() if key not in gone}


def listed(values: dict[str, str]) -> list[dict[str, Any]]:
    """Return values as REST lists them."""
    names = {"IF_1": "Target date", "IF_2": "Start date", "IF_3": "Review date", "IF_4": "Team"}
    kinds = {"IF_4": "text"}
    return [{"issue_field_name": names[k], "data_type": kinds.get(k, "date"), "value": v} for k, v in values.items()]


@given(FIELDS, DATES, DATES)
def test_fields_show_the_dates_that_they_shall_and_others_stay(fields: DateFields, old: Dates, new: Dates) -> None:
    before = after(fields.values(Dates(), old), THEIRS)
    now = after(fields.values(fields.read(listed(before)), fields.held(new)), before)
    assert fields.read(listed(now)) == fields.held(new)
    assert now.items() >= THEIRS.items()
    assert fields.values(fields.read(listed(now)), fields.held(new)) == []


@given(DAYS, DAYS, st.lists(st.text("0123456789abcdef", min_size=10, max_size=10)))
def test_a_body_keeps_what_we_wrote_outside_of_it(project: date | None, field: date | None, nonces: list[str]) -> None:
    aside = Aside(project, tuple(nonces), field)
    assert Body.read(Body(marker="bp1 aaaaaaaaaa me/goals g 1 - - ....", aside=aside).text).aside == aside
