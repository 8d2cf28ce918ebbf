"""`explain` tells why a step has its date, in sentences that a friend understands: one situation each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from sync.reports.explain import explain
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import publish
from tests.schedule.test_scheduler_worked import Planner

if TYPE_CHECKING:
    from pathlib import Path

    from sync.schedule.model import Schedule

MONDAY = date(2027, 2, 22)
GOALS = """
calendar: {workdays: [mon, tue, wed, thu, fri], holidays: US-NY, days_off: [2027-12-24..2028-01-02]}
goals:
  - id: job
    title: Apply for the job
    deadline: 2027-03-27
    buffer: 1 day
    steps:
      - {id: resume, title: Update the resume, takes: 3 days, wait: 1 week}
      - {id: improve, title: Improve it, takes: 2 days}
      - {id: talk, title: Talk to the manager, takes: 1 day, on: 2027-03-20}
      - {id: letter, title: Write the letter, takes: 2 days, by: 2027-03-24}
      - {id: evening, title: Reserve an evening, takes: 1 day, before: 2 weeks}
      - {id: thanks, title: Send a thank-you note, takes: 1 day, afterwards: 1 week}
      - {id: ask, title: Ask for a day off, takes: 1 day, before: {step: talk, by: 3 days}}
      - {id: send, title: Send it, takes: 1 day}
  - id: exam
    title: Pass the exam
    deadline: 2028-01-05
    start: 2027-11-01
    steps:
      - {id: read, title: Read the book, takes: 20%}
      - {id: practise, title: Practise, takes: 1 day, every: [mon, thu]}
      - title: Last days
        parallel: true
        steps:
          - {id: notes, title: Go through the notes}
          - {id: sleep, title: Sleep well, takes: 3 calendar days}
      - {id: bag, title: Pack the bag, takes: 4 days, wait: -2 days}
      - {id: sit, title: Sit the exam, takes: 4 days}
      - {id: passed, title: Be told the result, takes: 0}
  - id: party
    title: Celebrate
    deadline: {before: trip, by: 2 weeks}
    steps: [{id: invite, title: Invite everybody, takes: 2 days}]
  - id: trip
    title: Travel
    deadline: 2028-03-01
    steps: [{id: pack, title: Pack, takes: 2 days, after: [party/invite]}]
  - id: course
    title: Take the course
    deadline: 2028-01-05
    steps:
      - {id: settle, title: Let it settle, takes: 1 week}
      - {id: register, title: Register, takes: 2 days, from: 2028-01-04}
  - id: late
    title: Hand in the tax papers
    deadline: 2027-02-26
    steps:
      - {id: collect, title: Collect the papers, takes: 10 days}
      - {id: fill, title: Fill in the form, takes: 5 days}
      - {id: extra, title: Add a letter, takes: 3 days, optional: true}
"""
SITUATIONS = [
    ("weekend in a wait", "job/resume", "after a wait of 1 week. Not working days in between: Sat 13 Mar 2027 (Sat"),
    ("appointment", "job/improve", "It is an appointment on Sat 20 Mar 2027 (`on`), which no plan moves."),
    ("by", "job/letter", "The file wants it done by Wed 24 Mar 2027 (`by`)."),
    (
        "countdown",
        "job/evening",
        "due 2 weeks before the deadline; that is Sat 13 Mar 2027 (Saturday), so it is the work",
    ),
    ("countdown from a step", "job/ask", "due 3 days before “Talk to the manager” on Sat 20 Mar 2027."),
    ("follow-up", "job/thanks", "It is a follow-up, 1 week after the deadline; that is Sat 3 Apr 2027 (Saturday)"),
    (
        "buffer",
        "job/send",
        "Work ends on Thu 25 Mar 2027, with a buffer of 1 day before the deadline. Not working days: S",
    ),
    ("percent", "exam/read", "(takes 20% of the working days that the goal has)"),
    ("what repeats, seen from before it", "exam/read", "It has to be finished before “Practise” starts on"),
    ("what repeats", "exam/practise", "It comes again every Mon and Thu, counted back from the last time."),
    ("flexible, in a group", "exam/notes", "(has no `takes`, so it shares the time there is)"),
    ("calendar days, in a group", "exam/sleep", "(takes 3 calendar days)"),
    ("holiday within a step", "exam/bag", "10 of these days are not working days."),
    ("lead", "exam/bag", "It may still go on for 2 days when “Sit the exam” starts on"),
    ("milestone", "exam/passed", "(a milestone, which takes no time)"),
    ("deadline that hangs on another", "party/invite", "due on Wed 16 Feb 2028, 2 weeks before the deadline of `trip`"),
    ("no start before", "course/register", "It cannot start before Tue 4 Jan 2028 (`from`)."),
    ("a week of days off", "course/settle", "By the calendar it begins on Tue 28 Dec 2027; the days from there to its"),
    (
        "squeezed",
        "late/collect",
        "so that everything fits before the deadline; a deadline of Wed 17 Mar 2027 would leave",
    ),
    ("late", "late/collect", "With all lengths as written it could not be finished before Wed 17 Mar 2027."),
]


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    return Planner(tmp_path)


def told(result: Schedule, key: str) -> str:
    """Return what is said of a step."""
    goal = next(goal for goal in result.goals if goal.goal.id == key.partition("/")[0])
    return "\n".join(explain(result, goal, goal.step(key.partition("/")[2])))


@pytest.mark.parametrize(("key", "sentence"), [row[1:] for row in SITUATIONS], ids=[row[0] for row in SITUATIONS])
def test_a_situation_is_told(planner: Planner, key: str, sentence: str) -> None:
    assert sentence in told(planner.goals(GOALS, MONDAY), key)


def test_the_chain_goes_on_in_the_goal_that_it_leads_to(planner: Planner) -> None:
    text = GOALS.replace("{before: trip, by: 2 weeks}", "2028-03-10")
    lines = told(planner.goals(text, MONDAY), "party/invite").split("\n")
    assert "before “Pack” (of `trip`) starts on Tue 29 Feb 2028" in lines[2]
    assert lines[-1] == "  It is the last thing before the deadline."


def test_what_people_did_is_told(planner: Planner) -> None:
    first = planner.goals(GOALS, MONDAY)
    progress = replace(
        publish(first),
        done={"job/resume": date(2027, 3, 9)},
        pins={"job/send": date(2027, 3, 26)},
        dropped=frozenset({"job/evening"}),
    )
    later = schedule(planner.project(GOALS), progress, date(2027, 3, 30))
    assert told(later, "job/resume").endswith("“Update the resume” was done on Tue 9 Mar 2027.")
    assert told(later, "job/evening").endswith("was dropped in the app; it has no date any more.")
    assert "A person moved it to Fri 26 Mar 2027 in the app; there it stays until" in told(later, "job/send")
    assert "That day has passed, and it is not done: it is overdue" in told(later, "job/improve")


def test_a_plan_that_stands_is_told_like_on_the_day_it_was_made(planner: Planner) -> None:
    first = planner.goals(GOALS, MONDAY)
    later = schedule(planner.project(GOALS), publish(first), date(2027, 2, 23))
    assert told(later, "job/resume").split("\n")[1:] == told(first, "job/resume").split("\n")[1:]
    assert "It gets less time than written" in told(later, "late/collect")


def test_an_optional_step_without_a_date(planner: Planner) -> None:
    result = planner.goals(GOALS.replace("2027-02-26", "2027-02-23"), MONDAY)
    assert "is optional and has no date: there is no time for it." in told(result, "late/extra")


def test_a_goal_is_told_by_its_longest_chain(planner: Planner) -> None:
    result = planner.goals(GOALS, MONDAY)
    lines = explain(result, result.goals[-1], None)
    assert lines[1] == "Its longest chain begins with `collect`, which decides when work must start."
