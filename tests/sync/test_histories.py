"""Thousands of random histories in services of every kind: no promise is broken, and wrong strategies are caught."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from config.durations import parse
from sync.simulation import histories
from sync.simulation.connector import connect
from sync.simulation.life import Life
from sync.simulation.service import EXACT, FILE, KINDS, SAFE, UNIQUE, Kind
from tests.sync.in_memory import TODAY, a_project
from tests.sync.mutants import MUTANTS

if TYPE_CHECKING:
    from config.network import Project
    from connectors.base import Content
    from sync.simulation.connector import SimulatedConnector
    from sync.simulation.expectations import App

PROJECT = a_project()
PIECE = 1_000  # histories a test, so that they are spread over the processors
PIECES = [
    *((EXACT, first) for first in range(0, 20_000, PIECE)),
    *((UNIQUE, first) for first in range(0, 10_000, PIECE)),
    *((FILE, first) for first in range(10_000, 20_000, PIECE)),  # of the class unique, too
    *((SAFE, first) for first in range(0, 20_000, PIECE)),
]


def check(*kinds: Kind, seeds: range, project: Project = PROJECT) -> None:
    for tally in histories.run(lambda: Life(project, kinds, TODAY), seeds):
        assert tally.violation is None, histories.tell(tally.violation)


@pytest.mark.parametrize(("kind", "first"), PIECES, ids=lambda value: getattr(value, "name", str(value)))
def test_no_promise_is_broken(kind: Kind, first: int) -> None:
    check(kind, seeds=range(first, first + PIECE))


@pytest.mark.parametrize("kinds", [(SAFE, FILE), (UNIQUE, EXACT), (FILE, UNIQUE)], ids=str)
def test_no_promise_is_broken_in_two_apps(kinds: tuple[Kind, ...]) -> None:
    check(*kinds, seeds=range(PIECE // 2))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("settings", [{"prune": "keep"}, {"on_delete": "recreate"}], ids=str)
def test_no_promise_is_broken_with_other_settings(kind: Kind, settings: dict[str, str]) -> None:
    check(kind, seeds=range(250), project=replace(PROJECT, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), (SAFE, FILE), (UNIQUE, EXACT)], ids=str)
@pytest.mark.parametrize(("every", "count"), [("2 weeks", 30), ("3 weeks", 30), ("month", 60)])
def test_no_promise_is_broken_where_a_step_repeats(kinds: tuple[Kind, ...], every: str, count: int) -> None:
    check(*kinds, seeds=range(count), project=a_project(every=every))


@pytest.mark.parametrize("kinds", [*((kind,) for kind in KINDS), (SAFE, FILE), (FILE, UNIQUE)], ids=str)
def test_no_promise_is_broken_with_a_heartbeat(kinds: tuple[Kind, ...]) -> None:
    check(*kinds, seeds=range(200), project=replace(PROJECT, heartbeat=parse("3 days")))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_every_known_wrong_strategy_is_caught(mutant: type[SimulatedConnector]) -> None:
    def life() -> Life:
        mutated = Life(PROJECT, (SAFE,), TODAY)
        mutated.connect = partial(connect, base=mutant)
        return mutated

    assert any(histories.breaks(life(), histories.draw(seed)) for seed in range(1_000))


@pytest.mark.parametrize("seed", range(100))
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
