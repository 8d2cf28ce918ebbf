"""Changes beyond the limit of a run are left to the next one: the latest dates, and nothing that all apps need."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from config.keys import HEARTBEAT
from connectors.base import Action, Pace, Write
from connectors.model import Content
from sync.reconcile.change import Budget, Change, ConnectorPlan
from sync.reconcile.pacing import within

DAY = date(2027, 7, 20)
_CAN_WAIT = {Action.CREATE, Action.UPDATE, Action.REMOVE}


@st.composite
def plans(draw: st.DrawFn) -> ConnectorPlan:
    """Return a plan for some goals whose own tasks are due after their steps."""
    changes = []
    for goal in range(draw(st.integers(1, 4))):
        days = draw(st.lists(st.integers(0, 60), max_size=6))
        keys = [(f"g{goal}", 61), *((f"g{goal}/s{n}", day) for n, day in enumerate(days))]
        for key, day in keys:
            action = draw(st.sampled_from([*Action])) if "/" in key else Action.CREATE
            content = Content(key, DAY + timedelta(days=day))
            write = None if action is Action.KEEP else Write(action, key, content=content)
            changes.append(Change(action, key, "why", {}, write))
    return ConnectorPlan("app", tuple(changes), {}, {}, {})


@given(plans(), st.integers(0, 30))
def test_the_nearest_dates_come_first_and_a_goal_before_its_steps(plan: ConnectorPlan, room: int) -> None:
    spread = within(plan, Pace(20, 80, room))
    assert [change.write for change in spread.changes] == [change.write for change in plan.changes]
    waiting = [change for change in spread.writes if change.status == "skipped"]
    going = [change for change in spread.writes if change.status == "planned"]
    assert all(change.action in _CAN_WAIT for change in waiting)
    assert spread.budget is not None
    assert spread.budget.waiting == len(waiting)
    able = [change for change in going if change.action in _CAN_WAIT]
    assert not waiting or len(going) == room or (not able and len(going) > room)
    assert max(_days(able), default=DAY) <= min(_days(waiting), default=date.max)
    late = {change.key for change in waiting if "/" not in change.key}
    assert not any(change.key.partition("/")[0] in late for change in able)


def test_the_heartbeat_never_waits() -> None:
    changes = [
        Change(Action.UPDATE, key, "why", {}, Write(Action.UPDATE, key, content=Content(key, DAY)))
        for key in ("g", HEARTBEAT)
    ]
    spread = within(ConnectorPlan("app", tuple(changes), {}, {}, {}), Pace(20, 80, 0))
    assert [change.status for change in spread.changes] == ["skipped", "planned"]


def _days(changes: list[Change]) -> list[date]:
    """Return when the steps among some changes are due."""
    contents = [change.write.content for change in changes if change.write and "/" in change.key]
    return [content.due for content in contents if content and content.due]


def test_a_budget_says_what_it_takes() -> None:
    assert str(Budget(1, 0, 0)) == "about 1 request and seconds"
    assert str(Budget(19, 5, 127)) == "about 19 requests and 5 minutes; 127 of them wait for a later run"
