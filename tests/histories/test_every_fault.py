"""Every single fault at every request of a hundred plans, in services of every kind; pairs of faults for short ones."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import pytest

from config.errors import RefusedError
from tests.conftest import ROOT
from tests.histories.choices import Event
from tests.histories.expectations import keys_of
from tests.histories.in_memory import TODAY, a_project
from tests.histories.service import KINDS, READ_FAULTS, WRITE_FAULTS, Fault, Kind
from tests.histories.world import Life

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _pytest.mark import ParameterSet

PROJECT = a_project()
FIRST = Event("sync", 0)
IN_THE_FILE = [None, *(Event(name, 7) for name in (
    "add_step", "remove_step", "rename_step", "rename_goal", "reorder", "move_deadline", "change_title",
    "change_notes", "change_length", "add_goal", "group_steps", "change_place",
))]  # fmt: skip
BY_A_PERSON = [None, *(Event(name, 6) for name in (
    "tick", "delete", "move_date", "clear_date", "edit_title", "edit_notes", "copy", "make_recurring", "damage_marker",
)), Event("tick", 0)]  # fmt: skip
Plan = tuple[Event, ...]
PLANS: list[Plan] = [(), *((event,) for event in IN_THE_FILE if event)]  # a first run, and one of a changed file
PLANS += [(FIRST, *(event for event in both if event)) for both in product(BY_A_PERSON, IN_THE_FILE) if any(both)]
SHORT: list[Plan] = [(), (FIRST, Event("tick", 6), Event("remove_step", 7))]


def tried(plan: Plan) -> ParameterSet:
    """Return a plan for the test command, or, where it has a change in the file and one by a person, for the proof."""
    return pytest.param(plan, marks=[pytest.mark.proof] if len(plan) > 2 else [])


def named(plan: Plan) -> str:
    """Return what a plan is called."""
    return "-".join(event.name for event in plan) or "first"


def life(plan: Plan, kind: Kind) -> Life:
    """Return a life in which the plan is what the next run will find."""
    made = Life(PROJECT, (kind,), TODAY)
    for event in plan:
        made.happen(event)
    return made


@cache
def requests(plan: Plan, kind: Kind, rebuild: bool = False) -> int:
    """Return how many requests the run makes when nothing goes wrong; `rebuild`: after the memory was lost."""
    made = life(plan, kind)
    service = made.apps[0].service
    if rebuild:
        service.lose_memory(made.project.namespace)
    before = service.requests
    made.sync_with(made.apps[0], 1_000, Fault.UNSENT, rebuild=rebuild)
    return service.requests - before


def faults(plan: Plan, kind: Kind, *, rebuild: bool = False) -> Iterator[tuple[int, Fault]]:
    """Yield every fault of every request."""
    lies = () if kind.atomic else READ_FAULTS[3:]
    yield from product([0], (*READ_FAULTS[:3], *lies))
    yield from product(range(1, requests(plan, kind, rebuild)), WRITE_FAULTS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("plan", [tried(plan) for plan in PLANS], ids=named)
def test_every_single_fault(plan: Plan, kind: Kind) -> None:
    for at, fault in faults(plan, kind):
        made = life(plan, kind)
        made.sync_with(made.apps[0], at, fault)
        made.expected.check_keys(raced=False)
        made.happen(FIRST)


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("plan", SHORT, ids=named)
def test_every_pair_of_faults(plan: Plan, kind: Kind) -> None:
    for first, second in product(faults(plan, kind), repeat=2):
        made = life(plan, kind)
        made.sync_with(made.apps[0], *first)
        made.sync_with(made.apps[0], *second)
        made.happen(FIRST)


MEMORY_LOST: list[Plan] = [
    (FIRST,),
    (FIRST, Event("tick", 6), Event("change_place", 7), FIRST),
    (FIRST, Event("delete", 6)),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("plan", MEMORY_LOST, ids=named)
def test_every_single_fault_while_a_memory_is_made_anew(plan: Plan, kind: Kind) -> None:
    for at, fault in faults(plan, kind, rebuild=True):
        made = life(plan, kind)
        made.apps[0].service.lose_memory(made.project.namespace)
        made.expected.restored(keys_of(made.project))
        made.sync_with(made.apps[0], at, fault, rebuild=True)
        made.expected.check_keys(raced=False)
        try:
            made.run(allow=False)
        except RefusedError:  # it says so again, and the person does it again
            made.run(rebuild=True)
        made.happen(FIRST)


@pytest.mark.proof
def test_the_documentation_tells_how_many_there_are() -> None:
    assert len(PLANS) >= 100
    assert all(requests(plan, kind) > 1 for plan in PLANS[:11] for kind in KINDS)
    singles = sum(len(list(faults(plan, kind))) for plan in PLANS for kind in KINDS)
    singles += sum(len(list(faults(plan, kind, rebuild=True))) for plan in MEMORY_LOST for kind in KINDS)
    pairs = sum(len(list(faults(plan, kind))) ** 2 for plan in SHORT for kind in KINDS)
    said = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    assert f"| every single fault | {singles:,}: at every request of {len(PLANS)} plans" in said
    assert f"| every pair of faults | {pairs:,}: " in said
