"""Thousands of random histories in services of every kind: no promise is broken, and wrong strategies are caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import pytest

from config.durations import parse
from tests.conftest import ROOT
from tests.histories import histories
from tests.histories.connector import connect
from tests.histories.in_memory import TODAY, a_project
from tests.histories.mutants import MUTANTS, kind_for
from tests.histories.service import EXACT, FILE, KINDS, SAFE, UNIQUE, Kind
from tests.histories.world import Life

if TYPE_CHECKING:
    from config.project import Project
    from connectors.model import Content
    from tests.histories.connector import SimulatedConnector
    from tests.histories.expectations import App

PROJECT = a_project()
PIECE = 200  # seeds a test, so that they are spread over the processors


def params(count: int, now: int, *before: Any, first: int = 0) -> list[Any]:
    """Return the seeds of `count` histories in parts, as parameters; but for the first `now`, they are the proof's."""
    names = ["+".join(kind.name for kind in value) if isinstance(value, tuple) else value for value in before]
    bounds = [*range(first, first + now, PIECE), *range(first + now, first + count, PIECE), first + count]
    return [
        pytest.param(
            *(*before, range(start, stop)),
            marks=[pytest.mark.proof] if start >= first + now else [],
            id="-".join(map(str, (*names, start, stop - 1))),
        )
        for start, stop in pairwise(bounds)
    ]


# Both UNIQUE and FILE are of the class unique.
CLASSES = [
    *params(5_000, 100, (EXACT, UNIQUE, SAFE)),
    *params(5_000, 100, (EXACT, FILE, SAFE), first=10_000),
]


def test_the_documentation_tells_how_many_there_are() -> None:
    every, now = Counter[str](), Counter[str]()
    for param in CLASSES:
        kinds, seeds = param.values
        for kind in kinds:
            every[kind.reliability] += len(seeds)
            now[kind.reliability] += 0 if param.marks else len(seeds)
    said = " ".join((ROOT / "docs" / "reliability.md").read_text("utf-8").split())
    for counts, where in (
        (every, "| random histories | {:,} in each class"),
        (now, "{:,} histories in each class and"),
    ):
        assert len(counts) == 3
        (count,) = set(counts.values())
        assert where.format(count) in said


def check(*kinds: Kind, seeds: range, project: Project = PROJECT) -> None:
    for tally in histories.run(lambda: Life(project, kinds, TODAY), seeds):
        assert tally.violation is None, f"{[kind.name for kind in kinds]}: {histories.tell(tally.violation)}"


def check_each(*apps: tuple[Kind, ...], seeds: range, project: Project = PROJECT) -> None:
    """Live each history in each of these apps, one after the other: they share most schedules, which are kept."""
    for seed, kinds in product(seeds, apps):
        check(*kinds, seeds=range(seed, seed + 1), project=project)


@pytest.mark.parametrize(("kinds", "seeds"), CLASSES)
def test_no_promise_is_broken(kinds: tuple[Kind, ...], seeds: range) -> None:
    check_each(*((kind,) for kind in kinds), seeds=seeds)


@pytest.mark.parametrize("seeds", params(500, 25))
@pytest.mark.parametrize("kinds", [(SAFE, FILE), (UNIQUE, EXACT), (FILE, UNIQUE)], ids=str)
def test_no_promise_is_broken_in_two_apps(kinds: tuple[Kind, ...], seeds: range) -> None:
    check(*kinds, seeds=seeds)


@pytest.mark.parametrize("seeds", params(250, 25))
@pytest.mark.parametrize("settings", [{"prune": "keep"}, {"on_delete": "recreate"}], ids=str)
def test_no_promise_is_broken_with_other_settings(settings: dict[str, str], seeds: range) -> None:
    project = replace(PROJECT, **settings)  # type: ignore[arg-type]
    check_each(*((kind,) for kind in KINDS), seeds=seeds, project=project)


@pytest.mark.parametrize("seeds", params(300, 12))
def test_no_promise_is_broken_where_deadlines_move_in_apps(seeds: range) -> None:
    project = replace(PROJECT, deadlines="app")
    check_each(*((kind,) for kind in KINDS), (SAFE, FILE), (FILE, UNIQUE), seeds=seeds, project=project)


@pytest.mark.parametrize(
    ("every", "seeds"),
    [*params(30, 2, "2 weeks"), *params(30, 2, "3 weeks"), *params(60, 2, "month")],
)
def test_no_promise_is_broken_where_a_step_repeats(every: str, seeds: range) -> None:
    project = a_project(every=every)
    check_each(*((kind,) for kind in KINDS), (SAFE, FILE), (UNIQUE, EXACT), seeds=seeds, project=project)


@pytest.mark.parametrize("seeds", params(200, 10))
def test_no_promise_is_broken_with_a_heartbeat(seeds: range) -> None:
    project = replace(PROJECT, heartbeat=parse("3 days"))
    check_each(*((kind,) for kind in KINDS), (SAFE, FILE), (FILE, UNIQUE), seeds=seeds, project=project)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_every_known_wrong_strategy_is_caught(mutant: type[SimulatedConnector]) -> None:
    def life() -> Life:
        mutated = Life(PROJECT, (kind_for(mutant),), TODAY)
        mutated.connect = partial(connect, base=mutant)
        return mutated

    assert any(histories.breaks(life(), histories.draw(seed)) for seed in range(1_000))


@pytest.mark.parametrize("seed", [pytest.param(n, marks=[] if n < 20 else [pytest.mark.proof]) for n in range(100)])
@pytest.mark.parametrize("kinds", [(SAFE,), (FILE, UNIQUE)], ids=str)
def test_the_order_of_goals_and_apps_makes_no_difference(kinds: tuple[Kind, ...], seed: int) -> None:
    """Without races and faults, whose moment depends on the order."""
    events = [event for event in histories.draw(seed) if event.name not in ("race", "faulty_sync", "lose_memory")]
    ends = []
    for mirrored in (False, True):
        life = Life(PROJECT, kinds, TODAY, mirrored=mirrored)
        life.live(events)
        ends.append({app.name: Counter(contents(app)) for app in life.apps})
    assert ends[0] == ends[1]


def contents(app: App) -> list[Content]:
    """Return what the tasks of ours hold, with their links by key: native ids are given in turn."""
    ours = app.ours()
    keys = {native_id: key for native_id, (key, _) in ours.items()}
    held = [held.content for _, held in ours.values()]
    return [replace(one, after=tuple(sorted(keys.get(before, before) for before in one.after))) for one in held]
