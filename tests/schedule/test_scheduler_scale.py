"""The scheduler on large and odd plans: work grows with steps and links, and every plan ends in dates or a clear error.

Work is counted, not timed: one for each step that a backward pass places.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from config import loader
from config.calendars import Calendar
from config.durations import parse
from config.errors import GoalsFileError
from config.project import Goal, Link, Origin, Project, Step
from config.source import Source
from sync.reports.explain import explain
from sync.reports.warnings import warnings
from sync.schedule.backward_pass import BackwardPass
from sync.schedule.model import Progress, Schedule, State
from sync.schedule.scheduler import schedule
from sync.schedule.working_days import OutOfTimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sync.schedule.backward_pass import LatestDates
    from sync.schedule.lengths import Length

TODAY = date(2027, 1, 4)
NEAR, FAR = date(2027, 4, 4), date(2090, 1, 1)
ORIGIN = Origin(Source("goals.yaml", "goals: []"), ())
OFFICE = Calendar(frozenset(range(5)))


_PASSES = 2  # one for the dates, one for the earliest deadline that fits


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps each pass has placed."""
    counts: list[int] = []
    recompute = BackwardPass.recompute

    def counting(self: BackwardPass, result: LatestDates, lengths: Sequence[Length], part: Iterable[int]) -> None:
        steps = list(part)
        counts.append(len(steps))
        recompute(self, result, lengths, steps)

    monkeypatch.setattr(BackwardPass, "recompute", counting)
    return counts


def step(name: str, takes: str | None, *after: str, **keys: object) -> Step:
    """Return a step of the goal `g` that comes after others."""
    links = tuple(Link(f"g/{other}") for other in after)
    return Step(f"g/{name}", name, ORIGIN, takes=parse(takes) if takes else None, after=links, **keys)  # type: ignore[arg-type]  # any of its fields


def planned(steps: Sequence[Step], deadline: date, calendar: Calendar = OFFICE) -> Schedule:
    """Return the schedule of one goal, whose steps are given in sequence."""
    goal = Goal("g", "G", deadline, ORIGIN, tuple(steps), tuple(steps), calendar)
    return schedule(Project((goal,), (goal,)), Progress(), TODAY)


def chains(
    count: int, *, takes: str | None, long: int = 10, optional: bool = False, joined: bool = False
) -> list[Step]:
    """Return parallel chains, each of which may begin on a day of its own; `joined` ends them all in one step."""
    steps = [
        step(
            f"c{c}s{i}",
            takes,
            *([f"c{c}s{i - 1}"] if i else []),
            not_before=TODAY + timedelta(days=c * 7 % 30) if not i else None,
            optional=optional and i % 2 == 1,
        )
        for c in range(count)
        for i in range(long)
    ]
    return [*steps, step("end", "2", *(f"c{c}s{long - 1}" for c in range(count)))] if joined else steps


def layers(count: int, deep: int = 8) -> list[Step]:
    """Return a network in layers of `count` steps, each after two of the layer before."""
    return [
        step(
            f"l{n}s{i}",
            str(1 + (n * 5 + i * 3) % 7),
            *({f"l{n - 1}s{i}", f"l{n - 1}s{(i * 7 + n) % count}"} if n else []),
        )
        for n in range(deep)
        for i in range(count)
    ]


def test_a_plan_that_fits_takes_few_passes(placed: list[int]) -> None:
    steps = layers(50)
    assert planned(steps, FAR).goals[0].state is State.ON_TRACK
    assert placed.count(len(steps)) == len(placed) <= _PASSES


@pytest.mark.parametrize(
    ("make", "deadline"),
    [
        pytest.param(lambda n: chains(n, takes="9"), NEAR, id="late chains"),
        pytest.param(lambda n: chains(n, takes="9", joined=True), NEAR, id="late chains with one end"),
        pytest.param(lambda n: chains(n, takes="9", long=80), NEAR, id="late chains that share days"),
        pytest.param(lambda n: chains(n, takes="9", long=80, optional=True), NEAR, id="late chains that give way"),
        pytest.param(lambda n: chains(n, takes=None, long=2), NEAR, id="flexible chains"),
        pytest.param(lambda n: chains(n, takes=None, long=2, joined=True), NEAR, id="flexible chains with one end"),
        pytest.param(lambda n: chains(n, takes=None, long=80), NEAR, id="flexible chains that are late"),
        pytest.param(layers, TODAY + timedelta(days=30), id="late layers"),
    ],
)
def test_the_work_grows_with_the_steps(placed: list[int], make: Callable[[int], list[Step]], deadline: date) -> None:
    planned(make(15), deadline)
    few = sum(placed)
    placed.clear()
    planned(make(60), deadline)
    assert sum(placed) <= 4 * few * 1.5


def test_a_long_chain_that_a_fixed_day_leaves_no_time_is_given_up_at_once(placed: list[int]) -> None:
    length = 400
    line = [step("s0", "2"), *(step(f"s{i}", "2", f"s{i - 1}") for i in range(1, length))]
    last = step("end", "1", f"s{length - 1}", on=TODAY)
    goal = planned([*line, last], FAR).goals[0]
    assert sum(placed) < 40 * length
    assert all(s.start is not None and s.start >= TODAY for s in goal.steps)
    assert any("no working day is left" in warning for warning in warnings(goal))


def test_the_longest_line_there_is_needs_no_recursion(tmp_path: Path) -> None:
    file = tmp_path / "goals.yaml"
    steps = "".join(f"      - {{title: Step {n}, takes: 1 day}}\n" for n in range(3000))
    file.write_text(f"goals:\n  - title: G\n    deadline: 2050-01-01\n    steps:\n{steps}", encoding="utf-8")
    result = schedule(loader.load(file), Progress(), TODAY)
    goal = result.goals[0]
    assert goal.start == date(2050, 1, 1) - timedelta(days=2999)
    assert len(explain(result, goal, goal.steps[0])) > 3000


def test_many_goals_that_hang_on_each_other_need_no_recursion(tmp_path: Path) -> None:
    file = tmp_path / "goals.yaml"
    chain = "".join(
        f"  - {{id: g{n}, title: G, deadline: {{before: g{n + 1}, by: 1 day}}, steps: [A]}}\n" for n in range(1500)
    )
    file.write_text(f"goals:\n{chain}  - {{id: g1500, title: G, deadline: 2050-01-01}}\n", encoding="utf-8")
    result = schedule(loader.load(file), Progress(), TODAY)
    assert result.goals[0].deadline == date(2050, 1, 1) - timedelta(days=1500)


def test_a_circle_of_many_steps_names_the_first_of_them(tmp_path: Path) -> None:
    file = tmp_path / "goals.yaml"
    steps = "".join(f"      - {{id: s{n}, title: T, after: [s{(n + 1) % 500}]}}\n" for n in range(500))
    file.write_text(f"goals:\n  - title: G\n    deadline: 2050-01-01\n    steps:\n{steps}", encoding="utf-8")
    with pytest.raises(GoalsFileError, match=r"wait for each other in a circle: g/s\d+ .* -> 481 more$"):
        loader.load(file)


def test_what_follows_one_step_in_thousands_is_planned(placed: list[int]) -> None:
    steps = [step("a", "1"), *(step(f"s{i}", "3", "a") for i in range(3000))]
    assert planned(steps, FAR).goals[0].state is State.ON_TRACK
    assert placed.count(3001) == len(placed) <= _PASSES


def test_flexible_steps_share_thousands_of_years() -> None:
    steps = [step("s0", None), *(step(f"s{i}", None, f"s{i - 1}") for i in range(1, 100))]
    goal = planned(steps, date(9000, 1, 1)).goals[0]
    spans = {s.due - s.start for s in goal.steps if s.due and s.start}
    assert max(spans) - min(spans) <= timedelta(days=2)  # weekends apart
    assert goal.start is not None
    assert goal.start >= TODAY


@pytest.mark.proof
@pytest.mark.parametrize(
    ("deadline", "takes", "off"),
    [
        pytest.param(date(2030, 1, 1), "1", (date.min, date.max), id="no working day at all"),
        pytest.param(date(2030, 1, 1), "1", (TODAY, date.max), id="none from today on"),
        pytest.param(date(2030, 1, 1), "90", (date.min, date(2029, 12, 1)), id="too few"),
        pytest.param(date(1, 1, 3), "30", (date.max, date.max), id="the year 1"),
    ],
)
def test_without_working_days_the_error_names_the_goal(deadline: date, takes: str, off: tuple[date, date]) -> None:
    with pytest.raises(OutOfTimeError, match=r"^goals.yaml:\d+:\d+: goal `g`: .* beyond the years 1 to 9998"):
        planned([step("s", takes)], deadline, Calendar(frozenset(range(7)), days_off=(off,)))


@pytest.mark.parametrize("workday", range(7))
def test_one_working_day_a_week_is_enough(workday: int) -> None:
    steps = [step("s0", "1"), *(step(f"s{i}", "1", f"s{i - 1}") for i in range(1, 60))]
    goal = planned(steps, FAR, Calendar(frozenset({workday}))).goals[0]
    dues = [s.due for s in goal.steps if s.due]
    assert {due.weekday() for due in dues} == {workday}
    assert {later - sooner for sooner, later in pairwise(dues)} == {timedelta(weeks=1)}


def test_a_goal_whose_days_are_all_off_for_years_begins_after_them() -> None:
    calendar = Calendar(frozenset(range(5)), days_off=((date(2026, 1, 1), date(2031, 6, 29)),))
    goal = planned([step("a", "3"), step("b", "1", "a")], date(2031, 7, 10), calendar).goals[0]
    assert goal.margin is not None
    assert goal.margin > 0
    late = planned([step("a", "3"), step("b", "1", "a")], date(2031, 7, 1), calendar).goals[0]
    assert late.state is State.LATE
    assert all(s.due is not None and date(2031, 6, 30) <= s.due <= date(2031, 7, 1) for s in late.steps)


def test_an_appointment_on_a_free_day_counts_that_day_as_its_own() -> None:
    goal = planned([step("a", "3", on=date(2027, 1, 14))], date(2027, 1, 14), Calendar(frozenset({2}))).goals[0]
    assert (goal.steps[0].start, goal.steps[0].due) == (date(2027, 1, 6), date(2027, 1, 14))
    assert goal.margin == 0
