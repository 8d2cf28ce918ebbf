"""From files to a project: every mistake with its place, and what lists, groups and words become."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import loader
from config.calendars import Calendar
from config.durations import parse
from config.errors import BackplanError, GoalsFileError, InputError
from config.keys import MAX_SLUG, slug
from config.project import Countdown, Goal, Link, Project, RelativeDeadline
from config.templates import SHIPPED
from tests.tiers import examples

Files = str | bytes | Mapping[str, str]
Load = Callable[[Files], Project]
Mistakes = Callable[[Files], list[str]]

GOAL = "goals:\n- title: A\n  deadline: 2027-08-15\n"  # what is added to it begins in line 4
STEPS = GOAL + "  steps:\n"  # and here in line 5


def goal(title: str, steps: str, deadline: str = "2027-08-15", key: str = "steps") -> str:
    """Return a goal whose list is written in flow style."""
    return f"- {{title: {title}, deadline: {deadline}, {key}: {steps}}}\n"


def after(goal: Goal) -> dict[str, list[str]]:
    """Return what each step comes after: other steps of the goal by their ids, steps of other goals by their keys."""
    return {step.id: [link.key.removeprefix(f"{goal.id}/") for link in step.after] for step in goal.steps}


def only(project: Project) -> Goal:
    (goal,) = project.goals
    return goal


def named(project: Project, goal_id: str) -> Goal:
    found = project.goal(goal_id)
    assert found is not None
    return found


# Mistakes, one by one: what is written, the place, and what the message says.

FILE_MISTAKES = [
    ("version: 1\n", "1:1", "`goals`", "is missing"),
    ("timezon: UTC\n" + GOAL, "1:1", "unknown key `timezon`", "did you mean `timezone`?"),
    ("xyzzy: UTC\n" + GOAL, "1:1", "unknown key `xyzzy`", "known here: version, namespace"),
    ("version: 2\n" + GOAL, "1:10", "version: 2", "expected 1"),
    ('version: "1"\n' + GOAL, "1:10", "version: 1", "expected 1"),
    ("timezone: America/NewYork\n" + GOAL, "1:11", "America/NewYork", "did you mean America/New_York?"),
    ("timezone: america/new_york\n" + GOAL, "1:11", "america/new_york", "did you mean America/New_York?"),
    ("timezone: utc\n" + GOAL, "1:11", "timezone: utc", "did you mean UTC?"),
    ("timezone: 5\n" + GOAL, "1:11", "timezone: 5", "expected a time zone such as"),
    ("timezone: [UTC]\n" + GOAL, "1:11", "timezone", "expected a time zone such as"),
    ("timezone: ../etc/passwd\n" + GOAL, "1:11", "timezone: ../etc/passwd", "expected a time zone such as"),
    ("namespace: 'me goals'\n" + GOAL, "1:12", "namespace: me goals", "such as me/goals"),
    ("capacity: 0\n" + GOAL, "1:11", "capacity: 0", "1"),
    ("capacity: two\n" + GOAL, "1:11", "capacity: two", "expected a whole number"),
    ("capacity: 8h/week\n" + GOAL, "1:11", "capacity: 8h/week", "expected a whole number of steps at once, such as 1"),
    ("capacity: {me: 1, Rui: 0}\n" + GOAL, "1:24", "Rui: 0", "1"),
    ("capacity: {me: 1, Rui: 8h}\n" + GOAL, "1:24", "Rui: 8h", "one for each person: {me: 1, Rui: 2}"),
    ("when_full: earlier\n" + GOAL, "1:12", "`when_full: earlier` needs `capacity`", "such as `capacity: 1`"),
    (GOAL + "  when_full: earlier\n", "4:14", "`when_full: earlier` needs `capacity`", "how many steps"),
    ("capacity: {}\n" + GOAL, "1:11", "capacity", "expected at least one entry"),
    ("capacity: {ANNA: 1}\n" + GOAL + "  who: Anna\n  steps: [{title: X}]\n", "1:12", "ANNA", "did you mean `Anna`?"),
    ("prune: kep\n" + GOAL, "1:8", "prune: kep", "expected remove or keep"),
    ("on_delete: no\n" + GOAL, "1:12", "on_delete: no", "expected drop or recreate"),
    ("when_late: sqeeze\n" + GOAL, "1:12", "when_late: sqeeze", "expected squeeze, keep or fail"),
    ("heartbeat: 5%\n" + GOAL, "1:12", "heartbeat: 5%", "only a step's takes can be a percentage"),
    ("page: http://me.example\n" + GOAL, "1:7", "page: http://me.example", "begins with https:// and has no `#`"),
    ("calendar: {workdayz: [mon]}\n" + GOAL, "1:12", "unknown key `workdayz`", "did you mean `workdays`?"),
    ("calendar: {workdays: [mon, fir]}\n" + GOAL, "1:28", "fir", "expected a weekday: mon, tue"),
    ("calendar: {workdays: []}\n" + GOAL, "1:22", "workdays", "expected at least one entry"),
    ("calendar: {holidays: XX}\n" + GOAL, "1:22", "holidays: XX", "expected a country code such as US"),
    ("calendar: {holidays: us-ny}\n" + GOAL, "1:22", "holidays: us-ny", "did you mean US"),
    ("calendar: {holidays: US-XX}\n" + GOAL, "1:22", "holidays: US-XX", "expected a part of US: "),
    ("calendar: {days_off: [2027-01-05..2027-01-01]}\n" + GOAL, "1:23", "days_off", "expected the earlier date first"),
    ("calendar: {days_off: [Christmas]}\n" + GOAL, "1:23", "Christmas", "expected a date such as 2027-08-15"),
    ("calendars: {rest: {workdays: [son]}}\n" + GOAL, "1:31", "son", "expected a weekday"),
    ("calendars: [rest]\n" + GOAL, "1:12", "calendars", "expected keys and values"),
    ("sync: todoist\n" + GOAL, "1:7", "sync: todoist", "expected a list"),
    ("sync: [{todoist: {}, github: {}}]\n" + GOAL, "1:8", "sync", "expected one connector a line"),
    ("sync: [{todoist: Career}]\n" + GOAL, "1:8", "sync", "expected settings for todoist"),
    ("goals: {title: A}\n", "1:8", "goals", "expected a list"),
    ("goals:\n- Write a book\n", "2:3", "Write a book", "expected keys and values, such as title: ..."),
    ("goals:\n- title: A\n", "2:3", "`deadline` is missing", "a day to plan back from"),
    ("goals:\n- deadline: 2027-08-15\n", "2:3", "`title` is missing", ""),
    ("goals:\n- title: '!?'\n  deadline: 2027-08-15\n", "2:10", "no letters or digits", "needs an `id`"),
    (
        "goals:\n- title: no\n  deadline: 2027-08-15\n- title: true\n  deadline: 2027-08-15\n",
        "4:10",
        "title: true",
        '"true"',
    ),
    (GOAL + "  title: B\n", "4:3", "the key `title` stands here twice", ""),
]

GOAL_MISTAKES = [
    ("deadlin: 2027-08-15", "4:3", "unknown key `deadlin`", "did you mean `deadline`?"),
    ("start: next friday", "4:10", "start: next friday", "words such as `tomorrow` are not accepted"),
    ("start: 2027-02-30", "4:10", "start: 2027-02-30", "day is out of range for month"),
    ("start: 2027-8-1", "4:10", "start: 2027-8-1", "expected a date such as 2027-08-15: write `2027-08-01`"),
    ("start: 15/08/2027", "4:10", "start: 15/08/2027", "write `2027-08-15`"),
    ("start: 08/15/27", "4:10", "start: 08/15/27", "write `2027-08-15`"),
    ("start: 15.8.2027", "4:10", "start: 15.8.2027", "write `2027-08-15`"),
    ("start: 05/08/2027", "4:10", "05/08/2027", "write `2027-08-05` or `2027-05-08`, as you mean it"),
    ("start: 15th Aug 2027", "4:10", "start: 15th Aug 2027", "write `2027-08-15`"),
    ("start: August 15, 2027", "4:10", "start: August 15, 2027", "write `2027-08-15`"),
    ("start: 30/02/2027", "4:10", "start: 30/02/2027", "words such as `tomorrow` are not accepted"),
    ("calendar: {holidays: UK}", "4:24", "holidays: UK", "did you mean GB?"),
    ("start:\N{NO-BREAK SPACE}2027-08-01", "4:9", "a no-break space (U+00A0) here", "type an ordinary blank"),
    ("start: 2027-08-01T10:00", "4:10", "start: 2027-08-01T10:00", "expected a date without a time"),
    ("start: 20270801", "4:10", "start: 20270801", "expected a date such as 2027-08-15"),
    ("start: [2027-08-01]", "4:10", "start", "expected a date such as 2027-08-15"),
    ("why: [a, b]", "4:8", "why", "expected text"),
    ("done:", "4:8", "done", "expected the day it was done"),
    ("why: 5", "4:8", "why: 5", 'in quotes, such as "5"'),
    ("why: 2027-08-15", "4:8", "why: 2027-08-15", 'in quotes, such as "2027-08-15"'),
    (r'why: "a\ab"', "4:8", "why", "without control characters"),
    ("id: 17", "4:7", "id: 17", 'needs quotes, such as "17"'),
    ("id: First Draft", "4:7", "id: First Draft", "such as first-draft"),
    ("id: a/b", "4:7", "id: a/b", "joined by single hyphens"),
    ("id: " + "x" * 81, "4:7", "xxx...", "expected an id"),
    ("was: a b", "4:8", "was: a b", "expected an id"),
    ("buffer: 20%", "4:11", "buffer: 20%", "only a step's takes can be a percentage"),
    ("buffer: -2 days", "4:11", "buffer: -2 days", "only a wait may be negative"),
    ("buffer: two days", "4:11", "buffer: two days", "expected a duration such as 3 days"),
    ("buffer: true", "4:11", "buffer: true", "expected a duration such as 3 days"),
    ("calendar: weekends", "4:13", "`weekends`", "calendars are written under `calendars:`"),
    ("calendar: {workdayz: [mon]}", "4:14", "unknown key `workdayz`", "did you mean `workdays`?"),
    ("calendar: {workdays: [mno]}", "4:25", "mno", "expected a weekday"),
    ("calendar: 5", "4:13", "`calendar: 5`", "expected"),
    ("labels: career", "4:11", "labels: career", "expected a list: one `- item` a line"),
    ("labels: [" + "x" * 61 + "]", "4:12", "labels", "expected at most 60 characters"),
    ("labels: [1]", "4:12", "labels: 1", "expected text"),
    ("priority: hihg", "4:13", "priority: hihg", "expected urgent, high, medium or none"),
    ("when_late: never", "4:14", "when_late: never", "expected squeeze, keep or fail"),
    ("link: example.org", "4:9", "link: example.org", "such as https://example.org/jobs/17"),
    ("template: career-chnge", "4:13", "`career-chnge`", "did you mean `career-change`?"),
    ("template: xyzzy", "4:13", "`xyzzy`", "there are career-change, conference-talk"),
    ("template: ../examples/wedding", "4:13", "no template has the name", ""),
    ("template: " + "x" * 300, "4:13", "no template has the name", ""),
    ("template: 5", "4:13", "template: 5", "expected text"),
    ("steps: find", "4:10", "steps: find", "expected a list: one `- item` a line"),
    ("steps: [5]", "4:11", "steps: 5", 'in quotes, such as "5"'),
    ("steps: ['']", "4:11", "steps", "expected a title of 1 to 500 characters"),
    ("steps: [" + "x" * 501 + "]", "4:11", "xxx...", "expected a title of 1 to 500 characters"),
    ("steps: ['?!']", "4:11", "no letters or digits", "needs an `id`"),
    ("backwards: [b]\n  steps: [a]", "5:3", "use `steps` or `backwards`, not both", ""),
    ("steps: [{title: g, backwards: [a]}]", "4:22", "a group inside `steps` uses `steps` too", ""),
    ("backwards: [{title: g, steps: [a]}]", "4:26", "a group inside `backwards` uses `backwards` too", ""),
]

# In the first step of the goal, which stands in the fifth line.
STEP_MISTAKES = [
    ("{title: x, take: 2 days}", "5:16", "unknown key `take`", "did you mean `takes`?"),
    ("{title: x, steps: [y], xyzzy: z}", "5:28", "unknown key `xyzzy`", "known here: title, id, steps"),
    ("{takes: 2 days}", "5:5", "`title` is missing", ""),
    ("{title: x, before: {weeks: 3}}", "5:24", "the key `weekday` is missing here", ""),
    ("{title: x, before: {weekday: tue}}", "5:24", "the key `weeks` is missing here", ""),
    ("{title: x, before: {weeks: -1, weekday: tue}}", "5:32", "weeks: -1", "greater than or equal to 0"),
    ("{title: x, before: {weeks: 1, weekday: thor}}", "5:44", "weekday: thor", "expected a weekday"),
    ("{title: x, takes: 5 dyas}", "5:23", "takes: 5 dyas", "did you mean days?"),
    ("{title: x, takes: 1.5}", "5:23", "takes: 1.5", "expected a duration such as 3 days"),
    ("{title: x, takes: 1.5 days}", "5:23", "takes: 1.5 days", "whole numbers only"),
    ("{title: x, takes: 12:30}", "5:23", "takes: 12:30", "expected a duration such as 3 days"),
    ("{title: x, takes: -1}", "5:23", "takes: -1", "only a wait may be negative"),
    ("{title: x, takes: [1]}", "5:23", "takes", "expected a duration such as 3 days"),
    ("{title: x, wait: 1-2-3 days}", "5:22", "wait: 1-2-3 days", "expected one length"),
    ("{title: x, optional: yes}", "5:26", "optional: yes", "expected true or false"),
    ("{title: x, every: weekly, takes: 1}", "5:23", "every: weekly", "did you mean week"),
    ("{title: x, every: [], takes: 1}", "5:23", "every", "at least one weekday"),
    ("{title: x, every: [mon, noon], takes: 1}", "5:23", "every", "expected a weekday"),
    ("{title: x, every: 0 days, takes: 1}", "5:23", "every: 0 days", "expected day, week, 2 weeks, month"),
    ("{title: x, every: week}", "5:16", "a step with `every` needs `takes`", ""),
    ("{title: x, every: week, takes: 20%}", "5:29", "the length of one occurrence", "1 day"),
    ("{title: x, every: week, takes: 1, on: 2027-03-01}", "5:16", "`on` is one day", "bound it with `by`"),
    ("{title: x, every: week, takes: 1, before: 1 week}", "5:16", "`before` is one day", "bound it with `by`"),
    ("{title: x, every: week, takes: 1, afterwards: 1 week}", "5:16", "`afterwards` is one day", "`by`"),
    ("{title: x, every: week, takes: 8 days}", "5:29", "longer than the time from one to the next", ""),
    ("{title: x, every: [mon, tue], takes: 2}", "5:35", "longer than the time from one to the next", ""),
    ("{title: x, every: month, takes: 1 year}", "5:30", "longer than the time from one to the next", ""),
    ("{title: x, on: 2027-01-01, before: 1 week}", "5:32", "`on`, `before` and `afterwards`", "on and before"),
    ("{title: x, before: 1 day, afterwards: 2 days}", "5:31", "one of", "before and afterwards"),
    ("{title: x, on: 2027-02-02, by: 2027-02-01}", "5:20", "contradicts the step's own `by` or `from`", ""),
    ("{title: x, on: 2027-02-02, from: 2027-02-03}", "5:20", "contradicts the step's own `by` or `from`", ""),
    ("{title: x, drop: true}", "5:16", "`drop` leaves out a template's step", ""),
    ("{title: x, before: {step: y}}", "5:24", "the key `by` is missing here", ""),
    (
        "{title: x, before: {step: last-step, bye: 2 days, by: 1 day}}",
        "5:42",
        "unknown key `bye`",
        "did you mean `by`?",
    ),
    ("{title: x, before: {step: last-stp, by: 1 day}}", "5:31", "`last-stp`", "did you mean `last-step`?"),
    ("{title: x, after: last-step}", "5:23", "after: last-step", "expected a list"),
    ("{title: x, after: [last-stp]}", "5:24", "`last-stp`", "did you mean `last-step`?"),
    ("{title: x, after: [5]}", "5:24", "after: 5", "expected text"),
    ("{title: x, after: [{step: last-stp}]}", "5:31", "`last-stp`", "did you mean `last-step`?"),
    ("{title: x, after: [{wait: 2 days}]}", "5:24", "the key `step` is missing here", ""),
    ("{title: x, after: [{step: last-step, wiat: 2}]}", "5:42", "unknown key `wiat`", "did you mean `wait`?"),
    ("{title: x, after: [{step: last-step, wait: 5%}]}", "5:48", "wait: 5%", "expected one length"),
    ("{title: x, after: [b/last-step]}", "5:24", "`b/last-step`", "no step or goal has the id"),
    ("{title: x, id: last-step}", "6:5", "the id `last-step` is taken at goals.yaml:5:5", "give each its own `id`"),
    ("{title: x, checklist: [a, 5]}", "5:31", "checklist: 5", "expected text"),
    ("{title: g, id: last-step, steps: [y]}", "6:5", "the id `last-step` is taken at goals.yaml:5:5", ""),
]


def check(found: list[str], place: str, *said: str) -> None:
    assert len(found) == 1, found
    assert found[0].startswith(f"goals.yaml:{place}: ")
    for fragment in said:
        assert fragment in found[0]


@pytest.mark.parametrize(("text", "place", "what", "expected"), FILE_MISTAKES)
def test_mistakes_in_a_file(mistakes: Mistakes, text: str, place: str, what: str, expected: str) -> None:
    check(mistakes(text), place, what, expected)


@pytest.mark.parametrize(("line", "place", "what", "expected"), GOAL_MISTAKES)
def test_mistakes_in_a_goal(mistakes: Mistakes, line: str, place: str, what: str, expected: str) -> None:
    check(mistakes(f"{GOAL}  {line}\n"), place, what, expected)


@pytest.mark.parametrize(("step", "place", "what", "expected"), STEP_MISTAKES)
def test_mistakes_in_a_step(mistakes: Mistakes, step: str, place: str, what: str, expected: str) -> None:
    check(mistakes(f"{STEPS}  - {step}\n  - {{title: Last step, after: []}}\n"), place, what, expected)


CUT_OFF = {  # lines of a goal, what is cut off, and where the text begins
    "title": ("  steps:\n  - title: Merge PR #12 and #13\n", "#12 and #13", "5:12"),
    "item": ("  steps:\n  - Merge PR #12 and #13\n", "#12 and #13", "5:5"),
    "word": ("  steps:\n  - Answer #help\n", "#help", "5:5"),
    "tab": ("  steps:\n  - Answer\t#1\n", "#1", "5:5"),
    "wide letters": ("  why: 😀 for #ältere\n", "#ältere", "4:8"),
    "second line": ("  notes: one\n    two #3\n", "#3", "4:10"),
    "anchor": ("  done_when: &end All is in #4\n", "#4", "4:14"),
    "checklist": ("  steps:\n  - title: x\n    checklist:\n    - See #5\n", "#5", "7:7"),
    "label": ("  labels:\n  - team #6\n", "#6", "5:5"),
    "group": ("  steps:\n  - title: Part #1\n    steps: [a]\n", "#1", "5:12"),
}
WHOLE = {  # lines of a goal, and a text that is read whole
    "a blank behind the sign": ("  why: to win # a comment\n", "to win"),
    "quotes": ("  why: 'to win #12'\n", "to win #12"),
    "quotes and a comment": ("  why: 'to win' #12\n", "to win"),
    "no blank before the sign": ("  why: C#12\n", "C#12"),
    "a sign alone": ("  why: to win #\n", "to win"),
    "a rule": ("  why: to win #----\n", "to win"),
    "a block": ("  why: |\n    to win #12\n", "to win #12\n"),
    "a line of its own": ("  why: to win\n  #takes: 3 days\n", "to win"),
    "no text": ("  why: to win\n  start: 2027-08-01 #monday\n  buffer: 3 days #or 4\n", "to win"),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_a_text_that_a_comment_cuts_off_is_a_mistake(mistakes: Mistakes, name: str) -> None:
    lines, rest, place = CUT_OFF[name]
    (found,) = mistakes(GOAL + lines)
    assert found.startswith(f"goals.yaml:{place}: ")
    assert f"`{rest}` is cut off: ` #` begins a comment in YAML" in found


@pytest.mark.parametrize(
    ("step", "place"),
    [("- #12 first", "5:4"), ("- {title: Merge #12 first}\n  - b", "6:3")],
)
def test_a_text_that_is_taken_for_a_comment_is_explained(mistakes: Mistakes, step: str, place: str) -> None:
    (found,) = mistakes(f"{STEPS}  {step}\n")
    assert found.startswith(f"goals.yaml:{place}: ")
    assert "#12 first" in found
    assert "is a comment" in found
    assert "put the whole text in quotes" in found


@pytest.mark.parametrize("name", WHOLE)
def test_a_text_beside_a_comment_that_is_meant_is_read_whole(load: Load, name: str) -> None:
    lines, expected = WHOLE[name]
    assert load(GOAL + lines).goals[0].why == expected


@pytest.mark.parametrize("step", ["Book: the venue", "Book:", "Remember: call\n    takes: 2 days"])
def test_a_title_that_a_colon_makes_a_key_of_is_explained(mistakes: Mistakes, step: str) -> None:
    found = mistakes(f"goals:\n- title: A\n  deadline: 2027-08-15\n  steps:\n  - {step}\n")
    title = step.partition("\n")[0]
    assert f'5:5: a colon and a blank end a key in YAML; if this is a title, put it in quotes: "{title}"' in found[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("goals:\n- title: A\n  deadline: 2027-08-15\n  steps:\n    -~One\n", "5:6"),
        ("goals:\n- title: A\n  deadline: 2027-08-15\n  steps:\n  ~ - One\n", "5:3"),
        ("goals:\n- title: A\n ~deadline: 2027-08-15\n", "3:2"),
        ("goals:\n- title:~A\n  deadline: 2027-08-15\n", "2:9"),
    ],
)
@pytest.mark.parametrize("blank", ["\N{NO-BREAK SPACE}", "\N{IDEOGRAPHIC SPACE}", "\N{NARROW NO-BREAK SPACE}"])
def test_a_blank_that_is_none_of_yamls_is_named(mistakes: Mistakes, text: str, place: str, blank: str) -> None:
    found = mistakes(text.replace("~", blank))
    assert any(
        f"{place}: YAML does not accept a {unicodedata.name(blank).lower()} (U+{ord(blank):04X}) here" in one
        for one in found
    )


def test_blanks_of_typographers_stay_in_texts(load: Load) -> None:
    found = only(
        load("goals:\n" + goal("A", "[Drive 10\N{NO-BREAK SPACE}km, {title: B, notes: 'x:\N{NO-BREAK SPACE}y'}]"))
    )
    assert [step.title for step in found.steps] == ["Drive 10 km", "B"]
    assert found.steps[1].notes == "x:\N{NO-BREAK SPACE}y"


def test_a_step_key_on_a_group_suggests_no_other_key(mistakes: Mistakes) -> None:
    (found,) = mistakes(STEPS + "  - {title: x, steps: [y], takes: 2 days}\n")
    assert found.startswith("goals.yaml:5:28: ")
    assert "unknown key `takes`" in found
    assert "did you mean" not in found


def test_all_mistakes_come_at_once(mistakes: Mistakes) -> None:
    files = {
        "a.yaml": "timezon: UTC\ngoals:\n- title: A\n  deadline: friday\n- title: B\n"
        "  steps: [{title: x, takes: 1 dya}]\n",
        "b.yaml": GOAL.replace("A", "C") + "  start: 2027-02-30\n  labels: one\n",
        "c.yaml": "- just a list\n",
        "d.yaml": "goals: [\n",
    }
    assert [problem.split(": ")[0] for problem in mistakes(files)] == [
        "a.yaml:1:1",
        "a.yaml:4:13",
        "a.yaml:5:3",
        "a.yaml:6:29",
        "b.yaml:4:10",
        "b.yaml:5:11",
        "c.yaml:1:1",
        "d.yaml:2:1",
    ]


def test_mistakes_between_parts_come_at_once_too(mistakes: Mistakes) -> None:
    files = {
        "a.yaml": STEPS + "  - {title: x, after: [y]}\n  - {title: z, every: week}\n",
        "b.yaml": "goals:\n" + goal("B", "[c, {title: C, after: []}]") + goal("C", "[]", "{before: d}"),
    }
    assert [problem.split(": ")[0] for problem in mistakes(files)] == [
        "a.yaml:5:24",
        "a.yaml:6:16",
        "b.yaml:2:47",
        "b.yaml:3:33",
    ]


def test_a_mistake_in_the_settings_hides_no_unknown_id(mistakes: Mistakes) -> None:
    found = mistakes("timezone: Amerca/New_York\n" + STEPS + "  - first\n  - {title: b, after: [frist]}\n")
    assert [problem.split(": ")[0] for problem in found] == ["goals.yaml:1:11", "goals.yaml:7:24"]


def test_a_mistake_in_the_settings_makes_no_other(mistakes: Mistakes) -> None:
    check(
        mistakes("timezon: UTC\ncalendars: {rest: {workdays: [sun]}}\n" + GOAL + "  calendar: rest\n"), "1:1", "timezon"
    )


def test_a_goal_that_could_not_be_read_is_not_called_unknown(mistakes: Mistakes) -> None:
    text = (
        "goals:\n" + goal("A", "[{title: x, after: [b]}]") + goal("B", "[]", "friday") + goal("C", "[]", "{before: b}")
    )
    check(mistakes(text), "3:24", "friday")


def test_the_error_carries_its_problems(write: Callable[[Files], Path]) -> None:
    with pytest.raises(GoalsFileError) as caught:
        loader.load(write(GOAL + "  foo: 1\n  bar: 2\n"))
    assert caught.value.exit_code == 64
    assert [problem.place.line for problem in caught.value.problems] == [4, 5]
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]


# Finding files


def test_the_default_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="not found here nor in config/"):
        loader.find(None)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "goals.yaml").touch()
    assert loader.find(None) == Path("config/goals.yaml")
    (tmp_path / "goals.yaml").touch()
    assert loader.find(None) == Path("goals.yaml")
    assert loader.find(tmp_path) == tmp_path


@pytest.mark.parametrize("near", ["goals.yml", "../goals.yaml", "goals/a.yaml"])
def test_a_goals_file_nearby_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, near: str) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / near).parent.mkdir(exist_ok=True)
    (here / near).write_text("goals: []\n")
    monkeypatch.chdir(here)
    named = near.removesuffix("/a.yaml")
    with pytest.raises(InputError, match=f"{named} is there: `--goals {named}` names it"):
        loader.find(None)


@pytest.mark.parametrize("name", ["gone", "gone/deeper.yaml", "x" * 300], ids=["gone", "deeper", "long"])
def test_files_that_are_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        loader.find(tmp_path / name)
    with pytest.raises(InputError):
        loader.load(tmp_path / name)


def test_a_folder_without_goals_files(write: Callable[[Files], Path]) -> None:
    with pytest.raises(InputError, match="holds no goals file"):
        loader.load(write({"notes.md": "# Notes\n", "templates/mine.yaml": GOAL}))


def test_a_folder_is_one_plan(load: Load) -> None:
    files = {
        "b.yml": "timezone: Europe/Berlin\n" + GOAL.replace("A", "B"),
        "a.yaml": "namespace: me/goals\ntimezone: Europe/Berlin\ncapacity: 2\n" + GOAL,
        "notes.md": "# Notes\n",
        "deeper/c.yaml": "goals: [\n",
    }
    project = load(files)
    assert [goal.id for goal in project.goals] == ["a", "b"]
    assert (project.namespace, project.timezone, project.capacity) == ("me/goals", "Europe/Berlin", {"*": 2})


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("namespace", "me/a", "me/b"),
        ("timezone", "UTC", "Europe/Berlin"),
        ("prune", "keep", "remove"),
        ("on_delete", "drop", "recreate"),
        ("deadlines", "file", "app"),
        ("account", "a", "b"),
        ("capacity", "1", "2"),
    ],
)
def test_files_of_a_folder_must_agree(mistakes: Mistakes, key: str, one: str, other: str) -> None:
    found = mistakes({"a.yaml": f"{key}: {one}\n{GOAL}", "b.yaml": f"{key}: {other}\n{GOAL.replace('A', 'B')}"})
    assert len(found) == 1
    assert found[0].startswith(f"b.yaml:1:1: `{key}` is ")
    assert one in found[0]


def test_files_of_a_folder_must_agree_on_a_calendar_of_the_same_name(mistakes: Mistakes) -> None:
    text = "calendars: {{rest: {{workdays: [{}]}}}}\n{}"
    found = mistakes({"a.yaml": text.format("sat", GOAL), "b.yaml": text.format("sun", GOAL.replace("A", "B"))})
    assert [problem.split(":")[0] for problem in found] == ["b.yaml"]


# Ids


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Find a course provider", "find-a-course-provider"),
        ("  Don't   panic -- now!", "dont-panic-now"),
        ("Café à Paris", "cafe-a-paris"),
        ("snake_case 2.0", "snake-case-2-0"),
        ("Größe", "große"),
        ("日本語を学ぶ", "日本語を学ふ"),
        ("서울 이사", "서울-이사"),
        ("!?", ""),
        ("word " * 40, "-".join(["word"] * 12)),
        ("x" * 500, "x" * MAX_SLUG),
    ],
)
def test_ids_from_titles(title: str, expected: str) -> None:
    assert slug(title) == expected


@settings(max_examples=examples(100), deadline=None, derandomize=True)
@given(st.text(max_size=100))
def test_an_id_from_a_title_is_an_id(title: str) -> None:
    made = slug(title)
    assert len(made) <= MAX_SLUG
    assert slug(made) == made
    assert not made or made.replace("-", "").isalnum()


def test_goal_ids_are_unique_over_all_files(mistakes: Mistakes) -> None:
    found = mistakes({"a.yaml": GOAL, "b.yaml": GOAL.replace("title", "id: a\n  title").replace("A", "B")})
    assert found == ["b.yaml:2:7: the id `a` is taken by the goal at a.yaml:2:3; give each its own `id`"]


def test_values_arrive_as_written(load: Load) -> None:
    project = load(
        "retired: [trello, {caldav: {list: Old}}]\nsync: [{todoist: {project: Career}}]\nwhen_late: keep\n"
        "calendar: {workdays: [Monday, fri], days_off: [2027-02-15, 2026-12-24..2027-01-01]}\n"
        "goals:\n- {id: a, was: z, title: '  A   goal ', deadline: 2027-08-15, start: 2027-01-01, buffer: 2 days,\n"
        "   why: w, done_when: d, at_least: 1 month, labels: [x], priority: high, who: me,\n"
        "   link: 'https://a.org', done: 2027-02-02,\n"
        "   steps: [{title: S, was: r, takes: 1-2-3 weeks, wait: -1 day, on: 2027-03-03, by: 2027-03-04,\n"
        "            from: 2027-01-02, notes: ' n ',\n"
        "            labels: [y], priority: none, who: you, checklist: [c], done: 2027-02-01}]}\n"
    )
    found, step = only(project), only(project).steps[0]
    assert (found.title, found.was, found.titled_id, found.when_late) == ("A goal", "z", False, "keep")
    assert (found.deadline, found.start, found.done) == (date(2027, 8, 15), date(2027, 1, 1), date(2027, 2, 2))
    assert (found.buffer, found.at_least) == (parse("2 days"), parse("1 month"))
    assert (found.why, found.done_when, found.labels, found.priority, found.who) == ("w", "d", ("x",), "high", "me")
    assert found.calendar == Calendar(
        frozenset({0, 4}),
        days_off=((date(2026, 12, 24), date(2027, 1, 1)), (date(2027, 2, 15), date(2027, 2, 15))),
    )
    assert [(target.name, target.options) for target in project.retired] == [
        ("trello", {}),
        ("caldav", {"list": "Old"}),
    ]
    assert [(target.name, target.options) for target in found.targets or ()] == [("todoist", {"project": "Career"})]
    assert (step.key, step.id, step.was, step.titled_id) == ("a/s", "s", "r", True)
    assert (step.takes, step.wait) == (parse("1-2-3 weeks"), parse("-1 day"))
    assert (step.on, step.by, step.not_before) == (date(2027, 3, 3), date(2027, 3, 4), date(2027, 1, 2))
    assert (step.notes, step.labels, step.checklist, step.done) == ("n", ("y",), ("c",), date(2027, 2, 1))


def test_a_goal_may_say_its_own_target_and_calendar(load: Load) -> None:
    project = load(
        "sync: [todoist]\ncalendars: {rest: {workdays: [sat]}}\ngoals:\n"
        "- {title: A, deadline: 2027-08-15, sync: [], calendar: rest}\n"
        "- {title: B, deadline: 2027-08-15, calendar: {workdays: [sun]}, when_late: fail}\n"
        "- {title: C, deadline: 2027-08-15}\n"
    )
    assert [[target.name for target in goal.targets or ()] for goal in project.goals] == [[], ["todoist"], ["todoist"]]
    assert [sorted(goal.calendar.workdays) for goal in project.goals] == [[5], [6], list(range(7))]
    assert [goal.when_late for goal in project.goals] == ["squeeze", "fail", "squeeze"]


def test_a_calendar_may_stand_in_another_file(load: Load) -> None:
    project = load(
        {"a.yaml": GOAL + "  calendar: rest\n", "b.yaml": "calendars: {rest: {workdays: [sat]}}\ngoals: []\n"}
    )
    assert only(project).calendar == Calendar(frozenset({5}))


# What comes before what: the list as written, and what each step follows.

ORDERS = {
    "a list": ("[a, b, c]", {"a": [], "b": ["a"], "c": ["b"]}),
    "after nothing": ("[a, {title: b, after: []}, c]", {"a": [], "b": [], "c": ["b"]}),
    "after an earlier step": ("[a, b, {title: c, after: [a]}]", {"a": [], "b": ["a"], "c": ["a"]}),
    "after a later step": ("[{title: a, after: [c]}, {title: b, after: []}, c]", {"a": ["c"], "b": [], "c": ["b"]}),
    "after two": (
        "[a, {title: b, after: []}, {title: c, after: [a, {step: b}]}]",
        {"a": [], "b": [], "c": ["a", "b"]},
    ),
    "after the same twice": ("[a, b, {title: c, after: [a, a, a/a]}]", {"a": [], "b": ["a"], "c": ["a"]}),
    "a group in sequence": (
        "[a, {title: g, steps: [b, c]}, d]",
        {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]},
    ),
    "a parallel group": (
        "[a, {title: g, parallel: true, steps: [b, c]}, d]",
        {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]},
    ),
    "a parallel group first": (
        "[{title: g, parallel: true, steps: [b, c]}, d]",
        {"b": [], "c": [], "d": ["b", "c"]},
    ),
    "two parallel groups": (
        "[{title: g, parallel: true, steps: [a, b]}, {title: h, parallel: true, steps: [c, d]}]",
        {"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"]},
    ),
    "an order inside a parallel group": (
        "[{title: g, parallel: true, steps: [a, {title: b, after: [a]}, c]}, d]",
        {"a": [], "b": ["a"], "c": [], "d": ["b", "c"]},
    ),
    "a group in a parallel group": (
        "[a, {title: g, parallel: true, steps: [b, {title: h, steps: [c, d]}]}, e]",
        {"a": [], "b": ["a"], "c": ["a"], "d": ["c"], "e": ["b", "d"]},
    ),
    "a parallel group in a group": (
        "[a, {title: g, steps: [b, {title: h, parallel: true, steps: [c, d]}]}, e]",
        {"a": [], "b": ["a"], "c": ["b"], "d": ["b"], "e": ["c", "d"]},
    ),
    "a free step in a group": (
        "[a, {title: g, steps: [b, {title: c, after: []}]}, d]",
        {"a": [], "b": ["a"], "c": [], "d": ["b", "c"]},
    ),
    "a group after nothing": (
        "[a, {title: g, after: [], steps: [b, c]}, d]",
        {"a": [], "b": [], "c": ["b"], "d": ["c"]},
    ),
    "a group after a step": (
        "[a, b, {title: g, after: [a], parallel: true, steps: [c, d]}]",
        {"a": [], "b": ["a"], "c": ["a"], "d": ["a"]},
    ),
    "after a group": (
        "[{title: g, parallel: true, steps: [a, b]}, c, {title: d, after: [g]}]",
        {"a": [], "b": [], "c": ["a", "b"], "d": ["a", "b"]},
    ),
    "after a group in sequence": (
        "[{title: g, steps: [a, b]}, c, {title: d, after: [g]}]",
        {"a": [], "b": ["a"], "c": ["b"], "d": ["b"]},
    ),
    "after a step in a group": (
        "[{title: g, steps: [a, b]}, {title: c, after: [a]}]",
        {"a": [], "b": ["a"], "c": ["a"]},
    ),
    "an empty group": ("[a, {title: g, steps: []}, b]", {"a": [], "b": ["a"]}),
    "a countdown is passed over": (
        "[a, {title: b, before: 1 week}, c]",
        {"a": [], "b": [], "c": ["a"]},
    ),
    "a follow-up is passed over": (
        "[a, {title: b, afterwards: 1 week}, c]",
        {"a": [], "b": [], "c": ["a"]},
    ),
    "a countdown's own word counts": (
        "[a, {title: b, before: 1 week, after: [a]}, c, {title: d, after: [b]}]",
        {"a": [], "b": ["a"], "c": ["a"], "d": ["b"]},
    ),
    "a countdown in a parallel group": (
        "[a, {title: g, parallel: true, steps: [b, {title: c, before: 1 day}]}, d]",
        {"a": [], "b": ["a"], "c": [], "d": ["b"]},
    ),
    "a group of countdowns": (
        "[a, {title: g, steps: [{title: b, before: 1 day}]}, c]",
        {"a": [], "b": [], "c": ["a"]},
    ),
    "an appointment is not passed over": (
        "[a, {title: b, on: 2027-03-03}, c]",
        {"a": [], "b": ["a"], "c": ["b"]},
    ),
}

BACKWARDS = {
    "a list": ("[c, b, a]", {"a": [], "b": ["a"], "c": ["b"]}),
    "a group": ("[d, {title: g, backwards: [c, b]}, a]", {"a": [], "b": ["a"], "c": ["b"], "d": ["c"]}),
    "a parallel group": (
        "[d, {title: g, parallel: true, backwards: [c, b]}, a]",
        {"a": [], "b": ["a"], "c": ["a"], "d": ["c", "b"]},
    ),
    "after": ("[c, b, {title: a, after: []}]", {"a": [], "b": ["a"], "c": ["b"]}),
    "a countdown": ("[c, {title: b, before: 1 day}, a]", {"a": [], "b": [], "c": ["a"]}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_order(load: Load, name: str) -> None:
    steps, expected = ORDERS[name]
    found = only(load("goals:\n" + goal("A goal, id: a", steps).replace("title: A goal", "title: Goal")))
    assert {key: sorted(value) for key, value in after(found).items()} == expected
    assert list(after(found)) == list(expected)
    assert_in_sequence(found)


@pytest.mark.parametrize("name", BACKWARDS)
def test_order_backwards(load: Load, name: str) -> None:
    steps, expected = BACKWARDS[name]
    found = only(load("goals:\n" + goal("Goal", steps, key="backwards")))
    assert {key: sorted(value) for key, value in after(found).items()} == {k: sorted(v) for k, v in expected.items()}
    assert_in_sequence(found)


def assert_in_sequence(goal: Goal) -> None:
    """Each step stands after what it follows."""
    position = {step.key: n for n, step in enumerate(goal.sequence)}
    assert sorted(position) == sorted(step.key for step in goal.steps)
    assert all(position[link.key] < position[step.key] for step in goal.steps for link in step.after)


def test_waits_of_steps_and_of_links(load: Load) -> None:
    found = only(
        load(
            STEPS + "  - {title: a, wait: 2 days}\n  - b\n  - {title: c, after: [a, {step: b, wait: 1 week}]}\n"
            "  - {title: d, after: [{step: a, wait: 0}]}\n"
            "  - {title: g, parallel: true, steps: [e, {title: f, wait: 3}]}\n"
            "  - h\n  - {title: i, after: [{step: g, wait: 9}]}\n"
        )
    )
    links = {step.id: step.after for step in found.steps}
    assert links["b"] == (Link("a/a", parse("2 days")),)
    assert links["c"] == (Link("a/a", parse("2 days")), Link("a/b", parse("1 week")))
    assert links["d"] == (Link("a/a", parse("0")),)
    assert links["h"] == (Link("a/e"), Link("a/f", parse("3")))
    assert links["i"] == (Link("a/e", parse("9")), Link("a/f", parse("9")))


def test_words_that_mean_other_goals(load: Load) -> None:
    files = {
        "a.yaml": "goals:\n"
        + goal("A", "[{title: x, after: [b, b/y, b/g, {step: b, wait: 1 week}, {step: b/y, wait: 2 days}]}]"),
        "b.yaml": "goals:\n" + goal("B", "[y, {title: g, parallel: true, steps: [v, w]}]"),
    }
    project = load(files)
    (step,) = named(project, "a").steps
    assert step.after == (Link("b/y", parse("2 days")), Link("b/v"), Link("b/w"))
    assert step.after_goals == (Link("b"), Link("b", parse("1 week")))
    assert [goal.id for goal in project.goals] == ["a", "b"]
    assert [goal.id for goal in project.sequence] == ["b", "a"]


def test_a_step_is_meant_before_a_goal_of_the_same_id(load: Load) -> None:
    project = load("goals:\n" + goal("A", "[b, c, {title: x, after: [b]}]") + goal("B", "[]"))
    assert (after(project.goals[0])["x"], project.goals[0].steps[2].after_goals) == (["b"], ())


def test_groups_lend_their_labels(load: Load) -> None:
    found = only(
        load(STEPS + "  - {title: g, labels: [a, b], optional: true, steps: [x, {title: y, labels: [b, c]}]}\n")
    )
    assert [step.labels for step in found.steps] == [("a", "b"), ("a", "b", "c")]
    assert [step.optional for step in found.steps] == [True, True]


def test_countdowns(load: Load) -> None:
    project = load(
        "goals:\n"
        + goal("A", "[{title: x, before: {step: y, by: 2 days}}, y, {title: z, before: 6 weeks}]")
        + goal("B", "[{title: v, before: {step: a/y, by: 1 week}}]")
    )
    first, second = project.goals
    assert first.steps[0].before == Countdown("a/y", parse("2 days"))
    assert first.steps[2].before == parse("6 weeks")
    assert second.steps[0].before == Countdown("a/y", parse("1 week"))
    order = [step.id for step in first.sequence]
    assert order.index("x") < order.index("y")
    assert [goal.id for goal in project.sequence] == ["b", "a"]


def test_a_countdown_to_a_goal_is_explained(mistakes: Mistakes) -> None:
    text = "goals:\n" + goal("A", "[{title: x, before: {step: meeting, by: 1 day}}]") + goal("Meeting", "[]")
    (found,) = mistakes(text)
    assert found.startswith("goals.yaml:2:70: ")
    assert "`meeting`" in found
    assert "did you mean `meeting`" not in found


def test_a_deadline_that_hangs_on_another(load: Load, mistakes: Mistakes) -> None:
    text = "goals:\n" + goal("A", "[]", "{before: b, by: 2 weeks}") + goal("B", "[]") + goal("C", "[]", "{before: a}")
    project = load(text)
    assert named(project, "a").deadline == RelativeDeadline("b", parse("2 weeks"))
    assert named(project, "c").deadline == RelativeDeadline("a", parse("0 days"))
    assert [goal.id for goal in project.sequence] == ["c", "a", "b"]
    check(mistakes("goals:\n" + goal("A", "[]", "{before: meetin}") + goal("Meeting", "[]")), "2:33", "`meeting`?")
    check(mistakes("goals:\n" + goal("A", "[]", "{before: b, buy: 2}") + goal("B", "[]")), "2:36", "did you mean `by`?")
    check(mistakes("goals:\n" + goal("A", "[]", "{by: 2 weeks}")), "2:24", "the key `before` is missing here")


CIRCLES = {
    "steps": (
        STEPS + "  - {title: x, after: [y]}\n  - {title: y, after: [x]}\n",
        ("these steps wait for each other", "a/x (goals.yaml:5:5)", "a/y (goals.yaml:6:5)"),
    ),
    "a step alone": (STEPS + "  - {title: x, after: [x]}\n", ("these steps", "a/x (goals.yaml:5:5)")),
    "steps through a list": (
        STEPS + "  - {title: x, after: [z]}\n  - y\n  - z\n",
        ("these steps", "a/x (goals.yaml:5:5)", "a/y (goals.yaml:6:5)", "a/z (goals.yaml:7:5)"),
    ),
    "a step and its group": (STEPS + "  - {title: g, steps: [x, {title: y, after: [g]}]}\n", ("these steps", "a/y")),
    "a countdown": (
        STEPS + "  - {title: x, before: {step: y, by: 1 day}, after: [y]}\n  - y\n",
        ("these steps", "a/x (goals.yaml:5:5)", "a/y (goals.yaml:6:5)"),
    ),
    "a countdown to itself": (STEPS + "  - {title: x, before: {step: x, by: 1 day}}\n", ("these steps", "a/x")),
    "goals": (
        "goals:\n" + goal("A", "[{title: x, after: [b]}]") + goal("B", "[{title: x, after: [a]}]"),
        ("these goals", "a (goals.yaml:2:3)", "b (goals.yaml:3:3)"),
    ),
    "steps of two goals": (
        "goals:\n" + goal("A", "[{title: x, after: [b/y]}]") + goal("B", "[{title: y, after: [a/x]}]"),
        ("these goals", "a (goals.yaml:2:3)", "b (goals.yaml:3:3)"),
    ),
    "deadlines": (
        "goals:\n" + goal("A", "[]", "{before: b}") + goal("B", "[]", "{before: a}"),
        ("these goals", "a (goals.yaml:2:3)", "b (goals.yaml:3:3)"),
    ),
    "a deadline alone": ("goals:\n" + goal("A", "[]", "{before: a}"), ("these goals", "a (goals.yaml:2:3)")),
    "a deadline and a step": (
        "goals:\n" + goal("A", "[{title: x, after: [b]}]", "{before: b}") + goal("B", "[]"),
        ("these goals", "a (goals.yaml:2:3)", "b (goals.yaml:3:3)"),
    ),
    "a step and its own goal": (STEPS + "  - {title: x, after: [a]}\n", ("goals.yaml:5:",)),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_circles_are_named_with_places(mistakes: Mistakes, name: str) -> None:
    text, said = CIRCLES[name]
    (found,) = mistakes(text)
    assert [fragment for fragment in said if fragment not in found] == []


def test_a_circle_over_two_files(mistakes: Mistakes) -> None:
    files = {
        "a.yaml": "goals:\n" + goal("A", "[{title: x, after: [b]}]"),
        "b.yaml": "goals:\n" + goal("B", "[{title: x, after: [a]}]"),
    }
    (found,) = mistakes(files)
    assert "these goals wait for each other" in found
    assert "a (a.yaml:2:3)" in found
    assert "b (b.yaml:2:3)" in found


def test_was(load: Load, mistakes: Mistakes) -> None:
    found = only(load(GOAL + "  was: old\n  steps: [{title: x, was: y}]\n"))
    assert (found.was, found.steps[0].was) == ("old", "y")
    check(mistakes(GOAL + "  was: 7\n"), "4:8", 'such as "7"')


# Templates

MINE = """\
goals:
- title: A pattern
  why: Because
  buffer: 2 days
  labels: [mine]
  steps:
  - {id: one, title: One, takes: 1 day, notes: first}
  - Two words
  - id: both
    title: Both
    parallel: true
    steps:
    - {id: left, title: Left, takes: 2 days}
    - {id: right, title: Right}
  - {id: last, title: Last, after: [one]}
"""

USE = "goals:\n- title: A\n  template: mine\n  deadline: 2027-08-15\n"

OVERRIDES = {
    "as it is": ("", ["one", "two-words", "left", "right", "last"]),
    "dropped": ("  - {id: left, drop: true}\n", ["one", "two-words", "right", "last"]),
    "a group dropped": ("  - {id: both, drop: true}\n", ["one", "two-words", "last"]),
    "the first dropped": ("  - {id: two-words, drop: true}\n", ["one", "left", "right", "last"]),
    "a new one first": ("  - New\n", ["new", "one", "two-words", "left", "right", "last"]),
    "new ones after one": (
        "  - id: one\n  - New\n  - Newer\n",
        ["one", "new", "newer", "two-words", "left", "right", "last"],
    ),
    "after a titled one": ("  - Two words\n  - New\n", ["one", "two-words", "new", "left", "right", "last"]),
    "in a group": ("  - id: left\n  - New\n", ["one", "two-words", "left", "new", "right", "last"]),
    "after a group": ("  - id: both\n  - New\n", ["one", "two-words", "left", "right", "new", "last"]),
    "last": ("  - id: last\n  - New\n", ["one", "two-words", "left", "right", "last", "new"]),
    "after a dropped one": ("  - {id: left, drop: true}\n  - New\n", ["one", "two-words", "new", "right", "last"]),
    "in another order": (
        "  - id: last\n  - X\n  - id: one\n  - Y\n",
        ["one", "y", "two-words", "left", "right", "last", "x"],
    ),
    "a new group": (
        "  - id: one\n  - {title: G, steps: [X, Y]}\n",
        ["one", "x", "y", "two-words", "left", "right", "last"],
    ),
    "dropped inside its group": (
        "  - {id: both, steps: [{id: left, drop: true}]}\n",
        ["one", "two-words", "right", "last"],
    ),
    "new inside its group": (
        "  - {id: both, steps: [{id: left}, New]}\n",
        ["one", "two-words", "left", "new", "right", "last"],
    ),
}


@pytest.mark.parametrize("name", OVERRIDES)
def test_steps_laid_over_a_template(load: Load, name: str) -> None:
    steps, expected = OVERRIDES[name]
    found = named(load({"all.yaml": USE + ("  steps:\n" + steps if steps else ""), "templates/mine.yaml": MINE}), "a")
    assert sorted(step.id for step in found.steps) == sorted(expected)
    assert [step.id for step in found.steps] == expected


def test_a_template_is_laid_under_key_by_key(load: Load) -> None:
    text = (
        USE + "  buffer: 1 week\n  steps:\n  - {id: one, takes: 3 days}\n"
        "  - {id: left, title: Far left, optional: true}\n  - {id: last, after: []}\n"
    )
    found = only(load({"all.yaml": text, "templates/mine.yaml": MINE}))
    assert (found.why, found.labels, found.title) == ("Because", ("mine",), "A")
    assert found.buffer == parse("1 week")
    one, _, left, _, last = found.steps
    assert (one.title, one.takes, one.notes, one.titled_id) == ("One", parse("3 days"), "first", False)
    assert (left.title, left.takes, left.optional) == ("Far left", parse("2 days"), True)
    assert last.after == ()
    assert after(found)["right"] == ["two-words"]


def test_a_template_brings_its_title(load: Load, mistakes: Mistakes) -> None:
    text = "goals:\n- deadline: 2027-08-15\n  template: wedding\n"
    found = only(load(text))
    assert (found.id, found.title) == ("get-married", "Get married")
    assert "no template has the name `weding`" in "".join(mistakes(text.replace("wedding", "weding")))
    (missing,) = mistakes("goals:\n- deadline: 2027-08-15\n")
    assert "the key `title` is missing here" in missing


def test_a_group_of_a_template_is_overridden_key_by_key(load: Load) -> None:
    text = USE + "  steps:\n  - {id: both, parallel: false}\n"
    found = only(load({"all.yaml": text, "templates/mine.yaml": MINE}))
    assert after(found)["right"] == ["left"]


def test_places_in_a_template_and_over_it(load: Load, tmp_path: Path) -> None:
    found = only(load({"all.yaml": USE + "  steps:\n  - {id: one, takes: 3 days}\n", "templates/mine.yaml": MINE}))
    assert str(found.steps[0].origin.at("takes")) == f"{tmp_path}/all.yaml:6:22"
    assert str(found.steps[1].origin.at()) == f"{tmp_path}/templates/mine.yaml:8:5"


def test_own_templates_lie_beside_a_single_file_too(load: Load, write: Callable[[Files], Path]) -> None:
    write({"templates/mine.yaml": MINE})
    assert [step.id for step in only(load(USE)).steps] == ["one", "two-words", "left", "right", "last"]


def test_own_templates_win_over_those_that_ship(load: Load) -> None:
    text = USE.replace("mine", "wedding")
    assert len(only(load({"all.yaml": text, "templates/wedding.yaml": MINE})).steps) == 5


@pytest.mark.parametrize("step", ["takes: 2 days", "before: 1 week", "who: me"])
def test_a_group_of_a_template_takes_no_keys_of_a_step(mistakes: Mistakes, step: str) -> None:
    found = mistakes({"all.yaml": USE + f"  steps:\n  - {{id: both, {step}}}\n", "templates/mine.yaml": MINE})
    assert [problem.split(":")[:2] for problem in found] == [["all.yaml", "6"]]


def test_a_step_of_a_template_does_not_swallow_a_group(mistakes: Mistakes) -> None:
    found = mistakes({"all.yaml": USE + "  steps:\n  - {id: one, steps: [X, Y]}\n", "templates/mine.yaml": MINE})
    assert [problem.split(":")[:2] for problem in found] == [["all.yaml", "6"]]


def test_the_same_new_step_twice_is_a_mistake(mistakes: Mistakes) -> None:
    found = mistakes({"all.yaml": USE + "  steps: [New, {id: new, title: Newer}]\n", "templates/mine.yaml": MINE})
    assert len(found) == 1
    assert found[0].startswith("all.yaml:5:")
    assert "the id `new` is taken" in found[0]


TEMPLATE_MISTAKES = {
    "an unknown name": ({"all.yaml": USE}, "all.yaml:3:13", "did you mean `fine`?"),
    "a mistake inside": ({"templates/mine.yaml": MINE + "  foo: 1\n"}, "templates/mine.yaml:16:3", "unknown key `foo`"),
    "two goals": ({"templates/mine.yaml": MINE + "- title: B\n"}, "templates/mine.yaml:2:1", "exactly one goal"),
    "no goal": ({"templates/mine.yaml": "goals: []\n"}, "templates/mine.yaml:1:8", "exactly one goal"),
    "no YAML": ({"templates/mine.yaml": "goals: [\n"}, "templates/mine.yaml:2:1", "not readable as YAML"),
    "another direction": ({"all.yaml": USE + "  backwards: [x]\n"}, "all.yaml:5:3", "`backwards`"),
    "nothing to drop": (
        {"all.yaml": USE + "  steps: [{id: x, title: X, drop: true}]\n"},
        "all.yaml:5:29",
        "none has this id",
    ),
    "a template that takes another": (
        {"templates/mine.yaml": "goals:\n- title: A\n  template: wedding\n"},
        "templates/mine.yaml:3:",
        "template",
    ),
}


@pytest.mark.parametrize("name", TEMPLATE_MISTAKES)
def test_mistakes_with_templates(mistakes: Mistakes, name: str) -> None:
    written, place, said = TEMPLATE_MISTAKES[name]
    base = {"all.yaml": USE, "templates/fine.yaml": MINE}
    if name != "an unknown name":
        base["templates/mine.yaml"] = MINE
    found = mistakes({**base, **written})
    assert len(found) == 1
    assert found[0].startswith(place)
    assert said in found[0]


def test_a_broken_template_is_reported_once(mistakes: Mistakes) -> None:
    text = USE + USE.replace("goals:\n", "").replace("A", "B")
    assert len(mistakes({"all.yaml": text, "templates/mine.yaml": MINE + "  foo: 1\n"})) == 1


# Whatever is written, the answer is a project or an explanation.

FUZZ = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
EXAMPLES = [path.read_text(encoding="utf-8") for path in sorted(SHIPPED.glob("*.yaml"))]
FRAGMENTS = [
    *["goals:", "title: ", "deadline: ", "steps:", "backwards:", "after: ", "before: ", "template: ", "calendar: "],
    *[
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        ": ",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "|",
        ">-",
        "#",
        "\t",
        "? ",
        "\r\n",
        "\ufeff",
    ],
    *[
        "&a ",
        "*a",
        "!!int ",
        "!!map ",
        "!x ",
        "%YAML 1.2\n",
        "---\n",
        "...\n",
        "<<: ",
        "~",
        "null",
        "true",
        "\\",
        "\x00",
        "\x85",
    ],
    *[
        "2027-08-15",
        "0000-00-00",
        "5",
        "-1",
        "1.5",
        "1e9",
        "5 days",
        "20%",
        "1-2-3 days",
        "a",
        "x",
        "é",
        "\U0001f600",
        "\ud7ff",
    ],
]
WORDS = st.sampled_from(["a", "b", "x", "g", "a/x", "b/y", "/", "a/", "", "wedding", "mine", "US", "no"])
SCALARS = st.one_of(
    WORDS,
    st.sampled_from(
        ["2027-08-15", "9999-12-31", "0001-01-01", "5 days", "1-2-3 weeks", "20%", "-1 week", "week", "mon"]
    ),
    st.sampled_from([None, True, False, 0, -1, 10**30, 1.5, "\x07", "\u2028", "https://a.org", "high", "keep"]),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=4
)
AFTER = st.lists(WORDS | st.fixed_dictionaries({"step": WORDS}, optional={"wait": SCALARS}), max_size=3)


def mostly(good: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draw what fits, and now and then something else."""
    return st.integers(0, 40).flatmap(lambda n: ANYTHING if n == 0 else good)


DAYS = mostly(st.sampled_from(["2027-08-15", "2027-01-31", "2028-02-29"]))
LENGTHS = mostly(st.sampled_from(["1 day", "0", "2 weeks", "1-2-3 days", "20%", "3cd"]))
STEP = st.fixed_dictionaries(
    {},
    optional={
        "title": mostly(WORDS),
        "id": mostly(WORDS),
        "takes": LENGTHS,
        "wait": LENGTHS,
        "after": mostly(AFTER),
        "on": DAYS,
        "by": DAYS,
        "from": DAYS,
        "before": LENGTHS | st.fixed_dictionaries({"step": WORDS, "by": LENGTHS}),
        "afterwards": LENGTHS,
        "every": LENGTHS,
        "drop": mostly(st.booleans()),
        "labels": mostly(st.lists(WORDS, max_size=2)),
    },
)
STEPS_OF = st.recursive(
    st.lists(WORDS | STEP, max_size=4),
    lambda inner: st.lists(
        WORDS
        | STEP
        | st.fixed_dictionaries(
            {"title": WORDS},
            optional={"steps": inner, "backwards": inner, "parallel": st.booleans(), "after": AFTER, "id": WORDS},
        ),
        max_size=3,
    ),
    max_leaves=4,
)
GOALS = st.fixed_dictionaries(
    {"title": mostly(st.sampled_from(["a", "b", "c"]))},
    optional={
        "id": mostly(WORDS),
        "deadline": DAYS | st.fixed_dictionaries({"before": WORDS}, optional={"by": LENGTHS}),
        "template": mostly(st.sampled_from(["wedding", "product-release"])),
        "steps": mostly(STEPS_OF),
        "backwards": mostly(STEPS_OF),
        "calendar": mostly(st.none())
        | st.fixed_dictionaries({"holidays": WORDS, "workdays": st.lists(SCALARS, max_size=2)}),
        "sync": mostly(st.none()),
        "buffer": LENGTHS,
    },
)
PLANS = st.fixed_dictionaries(
    {"goals": mostly(st.lists(GOALS, max_size=3))},
    optional={
        "calendars": mostly(st.just({})),
        "sync": mostly(st.just([])),
        "retired": mostly(st.just([])),
        "timezone": mostly(st.just("UTC")),
        "namespace": mostly(WORDS),
        "capacity": mostly(st.just(1)),
    },
)


@st.composite
def edited_examples(draw: st.DrawFn) -> str:
    """Draw a shipped example with some slips of the finger in it."""
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 6)))
        kind = draw(st.sampled_from(["insert", "delete", "replace", "duplicate", "swap"]))
        if kind in {"insert", "delete", "replace"}:
            new = (
                "" if kind == "delete" else draw(st.sampled_from(FRAGMENTS) | st.characters(exclude_categories=["Cs"]))
            )
            text = text[:at] + new + text[at if kind == "insert" else until :]
            continue
        lines = text.splitlines(keepends=True)
        one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        if kind == "duplicate":
            lines.insert(other, lines[one])
        else:
            lines[one], lines[other] = lines[other], lines[one]
        text = "".join(lines)
    return text


def explained(write: Callable[[Files], Path], text: str | bytes) -> None:
    """Load a file: nothing but a BackplanError may come of it, and that has a place inside the file."""
    path = write(text)
    try:
        loader.load(path)
    except GoalsFileError as error:
        assert error.problems  # noqa: PT017  # that it is sometimes raised is the point
        for problem in error.problems:
            assert problem.place.line >= 1
            assert problem.place.column >= 1
            assert problem.message.strip()
    except BackplanError as error:
        assert str(error)  # noqa: PT017


@settings(FUZZ, max_examples=examples(120))
@given(text=edited_examples())
def test_slips_in_good_files_are_explained(write: Callable[[Files], Path], text: str) -> None:
    explained(write, text)


@settings(FUZZ, max_examples=examples(150))
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=25))
def test_text_like_yaml_is_explained(write: Callable[[Files], Path], parts: list[str]) -> None:
    explained(write, "".join(parts))


@settings(FUZZ, max_examples=examples(150))
@given(parts=st.lists(st.sampled_from(FRAGMENTS), max_size=12))
def test_values_like_yaml_are_explained(write: Callable[[Files], Path], parts: list[str]) -> None:
    explained(write, f"{GOAL}  why: {''.join(parts)}")


@settings(FUZZ, max_examples=examples(50))
@given(raw=st.binary(max_size=60))
def test_bytes_are_explained(write: Callable[[Files], Path], raw: bytes) -> None:
    explained(write, raw)


@settings(FUZZ, max_examples=examples(250))
@given(plan=PLANS)
def test_plans_of_the_wrong_shape_are_explained(write: Callable[[Files], Path], plan: object) -> None:
    explained(write, json.dumps(plan))
