"""The published JSON Schema: equal to the generated one, kind to good files and strict with typical mistakes."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from config import schema
from config.source import Source
from config.templates import SHIPPED
from connectors import registry

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = SHIPPED.parent / "goals.schema.json"

EVERYTHING = """\
version: 1
namespace: me/goals
timezone: America/New_York
calendar:
  workdays: [mon, tue, wed, thu, fri]
  holidays: US-NY
  days_off: [2026-12-24..2027-01-01, 2027-02-15]
calendars:
  weekends: {workdays: [sat, sun]}
sync:
  - todoist: {project: Career}
  - gitlab: {project: me/goals}
  - caldav: {list: Goals}
  - markdown
when_late: squeeze
capacity: 2
goals:
  - id: shift-lead
    title: Apply for the shift lead role
    deadline: {before: meeting, by: 2 weeks}
    start: 2027-03-01
    buffer: 2
    calendar: weekends
    labels: [career]
    steps:
      - Find out
      - {id: feedback, title: Ask, takes: 3 days, wait: -2 days, after: [{step: find-out, wait: 1 week}]}
      - title: Write it up
        parallel: true
        steps:
          - {id: resume, title: Update the resume, takes: 2-3-6 days, every: [mon, thu]}
          - {id: letter, title: Write, takes: 1, every: week, optional: true}
      - {title: Submit, on: 2027-03-25, priority: high, who: jasmine, link: https://example.org/17}
      - {title: Print, before: {step: submit, by: 2 days}, checklist: [Paper]}
  - id: meeting
    title: Annual meeting
    deadline: 2027-04-10
    calendar: {workdays: [mon]}
    backwards:
      - {title: Revise the list, before: 2 months, from: 2027-01-01, by: 2027-03-01, done: 2027-02-02}
      - {title: Publish, afterwards: 1 week}
"""

GOAL = "goals:\n- title: A\n  deadline: 2027-08-15\n"

MISTAKES = {
    "no goals": "version: 1\n",
    "unknown key of the file": "timezon: UTC\n" + GOAL,
    "unknown key of a goal": GOAL + "  deadlin: 2027-01-01\n",
    "unknown key of a step": GOAL + "  steps: [{title: x, take: 3 days}]\n",
    "unknown key of a group": GOAL + "  steps: [{title: x, steps: [y], takes: 3 days}]\n",
    "unknown key of a calendar": "calendar: {workdayz: [mon]}\n" + GOAL,
    "no title": "goals:\n- deadline: 2027-08-15\n",
    "goals as a mapping": "goals: {title: A}\n",
    "a list where text is expected": GOAL + "  why: [because]\n",
    "text where a list is expected": GOAL + "  steps: find\n",
    "labels as text": GOAL + "  labels: career\n",
    "no such choice": GOAL + "  when_late: sqeeze\n",
    "another version": "version: 2\n" + GOAL,
    "no date": GOAL + "  start: next friday\n",
    "an impossible date": GOAL + "  start: 2027-02-30\n",
    "no duration": GOAL + "  steps: [{title: x, takes: a while}]\n",
    "true as text": GOAL + "  steps: [{title: x, optional: 'true'}]\n",
    "no capacity": "capacity: 0\n" + GOAL,
    "an unknown setting of a connector": "sync: [{gitlab: {project: me/goals, projekt: x}}]\n" + GOAL,
    "a connector without a setting that it needs": "sync: [{gitlab: {}}]\n" + GOAL,
    "two connectors in one entry": "sync: [{todoist: {}, github: {}}]\n" + GOAL,
}


@pytest.fixture(scope="module")
def published() -> Draft202012Validator:
    return Draft202012Validator(json.loads(PUBLISHED.read_text()), format_checker=FormatChecker())


def as_json(text: str) -> Any:
    """Return a goals file's values as JSON knows them: dates are text there."""
    return json.loads(json.dumps(Source("goals.yaml", text).value, default=date.isoformat))


def test_the_published_copy_is_the_generated_one() -> None:
    assert PUBLISHED.read_text() == schema.text(registry.option_schemas())


def test_it_is_a_schema(published: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(published.schema)
    assert json.loads(PUBLISHED.read_text())["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_examples_are_valid(published: Draft202012Validator, path: Path) -> None:
    assert [error.message for error in published.iter_errors(as_json(path.read_text()))] == []


def test_a_file_that_says_everything_is_valid(published: Draft202012Validator) -> None:
    assert [error.message for error in published.iter_errors(as_json(EVERYTHING))] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_typical_mistakes_are_not(published: Draft202012Validator, name: str) -> None:
    assert not published.is_valid(as_json(MISTAKES[name]))


def test_modelines_of_the_examples_point_to_it() -> None:
    for path in SHIPPED.glob("*.yaml"):
        modeline = path.read_text().splitlines()[0]
        assert modeline.startswith("# yaml-language-server: $schema=")
        assert (path.parent / modeline.partition("$schema=")[2]).resolve() == PUBLISHED
