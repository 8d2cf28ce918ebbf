"""The calendar: the same dates and titles when it is read back, and a feed that readers of all kinds take."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from icalendar import Calendar

from config import display, loader
from sync.reports import html, ics, site, timeline
from sync.reports.publishing import Publishing
from sync.schedule.model import Progress, Published, State
from sync.schedule.scheduler import schedule as dates
from tests.reports.test_page import Page
from tests.reports.test_reports import EXAMPLES, HOSTILE, TODAY, planned

if TYPE_CHECKING:
    from pathlib import Path

    from icalendar import Component

    from sync.schedule.model import Schedule


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    """Return a plan of one goal with a step for each title; the first is done, the last dropped."""
    value = planned(tmp_path_factory.mktemp("goals"), HOSTILE, done=1)
    first = value.goals[0]
    steps = (*first.steps[:-1], first.steps[-1]._replace(dropped=True))
    return replace(value, goals=(replace(first, steps=steps),))


@pytest.fixture
def two(tmp_path: Path) -> Schedule:
    return planned(tmp_path, ["one", "two"])


def read(written: bytes, kind: str = "VEVENT") -> dict[str, Component]:
    return {str(event["uid"]): event for event in Calendar.from_ical(written).walk(kind)}


def test_it_reads_back_with_the_same_dates_and_titles(hostile: Schedule) -> None:
    written = ics.schedule(hostile)
    events = read(written)
    shown = {f"{s.step.key}@backplan": s for goal in hostile.goals for s in goal.steps if not s.dropped}
    assert set(events) == set(shown) | {f"{goal.goal.id}@backplan" for goal in hostile.goals}
    for uid, step in shown.items():
        first, last = timeline.span(step) or (None, TODAY)
        assert events[uid].decoded("dtstart") == first
        assert events[uid].decoded("dtend") == last + timedelta(days=1)
        assert str(events[uid]["summary"]) == display.clean(f"✓ {step.step.title}" if step.done else step.step.title)
        assert str(events[uid]["transp"]) == "TRANSPARENT"
    assert events["g0@backplan"].decoded("dtstart") == hostile.goals[0].deadline
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))


def test_it_says_what_it_is_called_and_how_often_to_look(hostile: Schedule, two: Schedule) -> None:
    calendar = Calendar.from_ical(ics.schedule(two))
    assert {name: str(calendar[name]) for name in ("VERSION", "CALSCALE", "METHOD", "NAME", "X-WR-CALNAME")} == {
        "VERSION": "2.0",
        "CALSCALE": "GREGORIAN",
        "METHOD": "PUBLISH",
        "NAME": "backplan",
        "X-WR-CALNAME": "backplan",
    }
    written = ics.schedule(two)
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n" in written
    assert b"X-PUBLISHED-TTL:PT12H\r\n" in written
    alone = Calendar.from_ical(ics.schedule(hostile))
    assert str(alone["X-WR-CALNAME"]) == display.clean(HOSTILE[0])


def test_the_same_plan_gives_the_same_bytes_on_any_day() -> None:
    project = loader.load(EXAMPLES / "food-handler.yaml")
    before = dates(project, Progress(), TODAY)
    (goal,) = before.goals
    made = {step.step.key: (step.start, step.due) for step in goal.steps if step.start and step.due}
    published = {goal.goal.id: Published(TODAY, goal.digest, made)}
    later = dates(project, Progress(published=published), TODAY + timedelta(days=3))
    assert later.goals[0].margin != goal.margin
    assert ics.schedule(later) == ics.schedule(before)
    events = read(ics.schedule(later)).values()
    stamps = {event.decoded(name) for event in events for name in ("dtstamp", "last-modified")}
    assert stamps == {datetime.fromisoformat("2027-07-20T00:00:00+00:00")}


def test_a_plan_with_no_date_left_is_no_empty_calendar(hostile: Schedule) -> None:
    given_up = replace(hostile, goals=tuple(replace(goal, state=State.GIVEN_UP) for goal in hostile.goals))
    for value in (replace(hostile, goals=()), given_up):
        (event,) = read(ics.schedule(value)).values()
        assert str(event["summary"]) == "Nothing is planned"
        assert event.decoded("dtstart") == value.today


def test_steps_ring_on_their_first_day_and_link_to_their_page_where_that_is_wanted(hostile: Schedule) -> None:
    assert not list(Calendar.from_ical(ics.schedule(hostile)).walk("VALARM"))
    publishing = Publishing(url="https://me.example.org/plan", alarms=True)
    for uid, event in read(ics.schedule(hostile, publishing)).items():
        alarms = event.walk("VALARM")
        assert [alarm.decoded("trigger") for alarm in alarms] in ([timedelta(hours=9)], [])
        assert bool(alarms) == (not str(event["summary"]).startswith("✓"))
        path, _, anchor = str(event["url"]).removeprefix("https://me.example.org/plan/").partition("#")
        goal, step, _ = uid.removesuffix("@backplan").partition("/")
        assert path == f"goal/{goal}.html"
        assert anchor == (uid.removesuffix("@backplan") if step else "")
    pages = html.pages(hostile, publishing)
    assert "g0/s3" in Page(pages["goal/g0.html"]).ids


def test_steps_are_tasks_as_well_where_that_is_wanted(hostile: Schedule) -> None:
    assert not read(ics.schedule(hostile), "VTODO")
    written = ics.schedule(hostile, Publishing(tasks=True))
    tasks, events = read(written, "VTODO"), read(written)
    assert {uid.replace("#task", "") for uid in tasks} == set(events)
    assert not set(tasks) & set(events)
    for uid, task in tasks.items():
        event = events[uid.replace("#task", "")]
        assert task.decoded("due") == event.decoded("dtend") - timedelta(days=1)
        assert ("DTSTART" not in task) or task.decoded("dtstart") < task.decoded("due")
        assert (str(task.get("status")) == "COMPLETED") == str(event["summary"]).startswith("✓")


def test_two_plans_share_no_event_of_a_calendar(tmp_path: Path) -> None:
    def uids(namespace: str) -> set[str]:
        path = tmp_path / "goals.yaml"
        path.write_text(f"{namespace}goals:\n- title: A\n  deadline: 2027-08-01\n  steps: [a, b]\n", "utf-8")
        return set(read(ics.schedule(dates(loader.load(path), Progress(), date(2027, 7, 20)))))

    assert uids("namespace: me/work\n") == {"me/work:a@backplan", "me/work:a/a@backplan", "me/work:a/b@backplan"}
    assert uids("namespace: me\n").isdisjoint(uids("namespace: me/work\n"))
    assert uids("") == {"a@backplan", "a/a@backplan", "a/b@backplan"}  # as ever, where there is one plan


def test_each_goal_has_a_calendar_of_its_own(two: Schedule) -> None:
    files = site.site(two, Publishing())
    whole = read(files["calendar.ics"])
    parts = [read(files[f"goal/{goal.goal.id}.ics"]) for goal in two.goals]
    assert sorted(whole) == sorted(uid for part in parts for uid in part)
    assert files["calendar.ics"] == ics.schedule(two) == ics.schedule(replace(two, goals=two.goals[::-1]))
