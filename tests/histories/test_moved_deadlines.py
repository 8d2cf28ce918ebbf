"""A goal is dragged in its app, with steps: a run that goes wrong at any request is finished by the next one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.histories.choices import Event
from tests.histories.in_memory import TODAY, a_project
from tests.histories.service import FILE, KINDS, SAFE, UNIQUE, WRITE_FAULTS, Fault, Kind
from tests.histories.world import Life

if TYPE_CHECKING:
    from tests.histories.expectations import App

PROJECT = replace(a_project(), deadlines="app")
OLD, NEW = date(2027, 9, 30), date(2027, 10, 20)
SYNC = Event("sync", 0)


def a_life(*kinds: Kind) -> Life:
    """Return a life in which all is published."""
    life = Life(PROJECT, kinds, TODAY)
    life.happen(SYNC)
    return life


def drag(life: Life, app: App, key: str, days: int) -> date:
    """Drag a task by some days, and return the day that it has then."""
    life.expected.settled = False
    native_id, held = next((one, held) for one, (other, held) in app.ours().items() if other == key)
    assert held.content.due is not None
    day = held.content.due + timedelta(days)
    app.service.set_due(native_id, day)
    return day


def due(app: App, key: str) -> date | None:
    return next(held.content.due for other, held in app.ours().values() if other == key)


def deadline(life: Life) -> object:
    return life.project.goals[0].deadline


@pytest.mark.parametrize("fault", [None, *WRITE_FAULTS])
@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), (SAFE, FILE), (UNIQUE, SAFE)], ids=str)
def test_a_run_that_is_cut_short_is_finished_by_the_next(kinds: tuple[Kind, ...], fault: Fault | None) -> None:
    for at in range(1, 8):
        life = a_life(*kinds)
        first, last = life.apps[0], life.apps[-1]
        drag(life, first, "g", (NEW - OLD).days)
        drag(life, last, "g/s0", (NEW - OLD).days)  # goes along with its goal
        pinned = drag(life, last, "g/s1", -9)
        if fault:
            life.sync_with(first, at, fault)
        life.happen(SYNC)
        assert deadline(life) == NEW
        assert [(due(app, "g"), due(app, "g/s1"), due(app, "g/s2")) for app in life.apps] == [
            (NEW, pinned, NEW) for _ in kinds
        ]
        assert {due(app, "g/s0") for app in life.apps} == {pinned - timedelta(2)}


def test_two_apps_with_two_days_change_nothing_until_they_agree() -> None:
    life = a_life(SAFE, FILE)
    a, b = life.apps
    days = drag(life, a, "g", 20), drag(life, b, "g", 30)
    for _ in range(2):
        run = life.run()
        assert deadline(life) == OLD
        assert (due(a, "g"), due(b, "g")) == days
        reasons = [change.reason for plan in run.plans for change in plan.changes]
        assert len(reasons) == 2
        assert all(f"{days[0]} in app 1, {days[1]} in app 2" in reason for reason in reasons)
    drag(life, b, "g", -10)
    life.happen(SYNC)
    assert deadline(life) == due(a, "g") == due(b, "g") == days[0]


def test_the_file_wins_where_both_moved() -> None:
    life = a_life(SAFE)
    drag(life, life.apps[0], "g", 20)
    life.happen(Event("move_deadline", 25 << 1))
    there = deadline(life)
    assert there != OLD
    life.happen(SYNC)
    assert deadline(life) == due(life.apps[0], "g") == there


def test_an_app_that_cannot_be_read_puts_the_decision_off() -> None:
    life = a_life(SAFE, FILE)
    a, b = life.apps
    day = drag(life, a, "g", 20)
    b.service.unreadable = True
    life.run()
    assert (deadline(life), due(a, "g")) == (OLD, day)
    b.service.heal()
    life.happen(SYNC)
    assert deadline(life) == due(b, "g") == day


def test_a_date_that_was_cleared_is_put_back() -> None:
    life = a_life(SAFE)
    app = life.apps[0]
    life.expected.settled = False
    app.service.set_due(next(one for one, (key, _) in app.ours().items() if key == "g"), None)
    life.happen(SYNC)
    assert deadline(life) == due(app, "g") == OLD


def test_two_runs_at_once_write_one_deadline() -> None:
    for luck in range(0, 1 << 12, 67):
        life = a_life(UNIQUE)
        day = drag(life, life.apps[0], "g", 20)
        life.happen(Event("race", luck << 3 | 1))
        life.happen(SYNC)
        assert deadline(life) == due(life.apps[0], "g") == day
