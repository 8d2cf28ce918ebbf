"""Inputs of a goals file that many people share: what they may be, and that a value stays a value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import inputs
from config.source import Source

DECLARED = """inputs:
  city: text
  exam: {type: date, about: the day of the exam}
  places: {type: number, default: 3}
  before: {type: length, default: 2 weeks}
goals:
- title: "Test in {city} of {id}"
  deadline: "{exam}"
  steps: [{title: "{places} places", takes: "{before}", labels: [all, "{city}"]}]
"""


def source(text: str = DECLARED) -> Source:
    return Source("template.yaml", text)


def problems(one: Source) -> list[str]:
    return [str(problem) for problem in one.problems]


def test_inputs_are_taken_out_of_the_file_and_filled_in() -> None:
    one = source()
    declared = inputs.declared(one)
    assert list(declared) == ["city", "exam", "places", "before"]
    values, wrong = inputs.given(declared, {"city": " Porto ", "exam": "2027-08-15", "places": "12"})
    assert (values, wrong) == (
        {"city": "Porto", "exam": date(2027, 8, 15), "places": 12, "before": "2 weeks"},
        [],
    )
    inputs.fill(one, {"id": "ann", **values})
    assert one.value == {
        "goals": [
            {
                "title": "Test in Porto of ann",
                "deadline": date(2027, 8, 15),
                "steps": [{"title": "12 places", "takes": "2 weeks", "labels": ["all", "Porto"]}],
            }
        ]
    }
    assert one.problems == []


@given(st.text(min_size=1).filter(str.strip))
def test_a_value_stays_a_value_whatever_it_contains(text: str) -> None:
    one = source()
    values, wrong = inputs.given(inputs.declared(one), {"city": text, "exam": date(2027, 8, 15)})
    inputs.fill(one, {"id": "ann", **values})
    (goal,) = one.value["goals"]
    assert wrong == []
    assert one.problems == []
    assert goal["title"] == f"Test in {text.strip()} of ann"
    assert goal["steps"][0]["labels"] == ["all", text.strip()]
    assert goal.keys() == {"title", "deadline", "steps"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ["the input `city` is missing; write city: Porto", "the input `exam` is missing; write exam: 2027-08-15"]),
        ({"city": "A", "exam": "15 August"}, ["`exam`: expected a date such as 2027-08-15"]),
        ({"city": "A", "exam": "2027-13-45"}, ["`exam`: expected a date such as 2027-08-15"]),
        ({"city": ["A"], "exam": "2027-08-15"}, ["`city`: expected a text such as Porto"]),
        ({"city": "A", "exam": "2027-08-15", "places": "-1"}, ["`places`: expected a number such as 3"]),
        ({"city": "A", "exam": "2027-08-15", "places": True}, ["`places`: expected a number such as 3"]),
        ({"city": "A", "exam": "2027-08-15", "before": "soon"}, ["`before`: expected a length such as 2 weeks"]),
        (
            {"city": "A", "exam": "2027-08-15", "citty": "B"},
            ["the template has no input `citty`; did you mean `city`?"],
        ),
        (
            {"city": "A", "exam": "2027-08-15", "zzz": "B"},
            ["the template has no input `zzz`; it has city, exam, places, before"],
        ),
    ],
)
def test_what_an_account_gives_wrong_is_told(values: dict[str, Any], expected: list[str]) -> None:
    assert [message for _, message in inputs.given(inputs.declared(source()), values)[1]] == expected


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("inputs: [city]", "template.yaml:1:9: `inputs`: expected names, such as `city: text`"),
        (
            "inputs: {City: text}",
            "template.yaml:1:10: expected a name of small letters, digits and _; `id` is always there",
        ),
        (
            "inputs: {id: text}",
            "template.yaml:1:10: expected a name of small letters, digits and _; `id` is always there",
        ),
        ("inputs: {city: color}", "template.yaml:1:10: `city`: expected a type (text, date, number or length)"),
        ("inputs: {city: {kind: text}}", "template.yaml:1:10: `city`: expected a type (text, date, number or length)"),
        (
            "inputs: {exam: {type: date, default: soon}}",
            "template.yaml:1:10: `exam`: the default is no date such as 2027-08-15",
        ),
    ],
)
def test_what_a_template_declares_wrong_is_told_with_its_place(written: str, problem: str) -> None:
    one = source(f"{written}\ngoals: []\n")
    assert inputs.declared(one) == {}
    (said,) = problems(one)
    assert said.startswith(problem)


def test_a_name_that_is_not_declared_is_told_at_its_text() -> None:
    one = source("goals:\n- title: In {citty}\n")
    inputs.fill(one, {"id": "ann", "city": "Porto"})
    assert problems(one) == [
        "template.yaml:2:10: no input has the name `citty`; did you mean `city`?; declare it under `inputs:`"
    ]
    assert one.value == {"goals": [{"title": "In {citty}"}]}
