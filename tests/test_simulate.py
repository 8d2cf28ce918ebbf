"""`backplan simulate`: random faulty histories of somebody's own plan."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from sync.simulation import histories, simulate
from sync.simulation.connector import connect
from sync.simulation.life import Life
from sync.simulation.service import SAFE
from tests.sync.in_memory import TODAY, a_project
from tests.sync.mutants import DeletesWhatItLetsGo

if TYPE_CHECKING:
    from tests.conftest import Person


def test_a_plan_of_ones_own_is_lived_through(person: Person) -> None:
    person.run("init", "--template", "wedding", "--deadline", "2028-06-17")
    before = sorted(path.name for path in person.folder.iterdir())
    told = person.run("simulate", "--histories", "5")
    assert told.code == 0
    assert "every promise held" in told.out
    assert sorted(path.name for path in person.folder.iterdir()) == before


def test_as_json_and_the_same_again_for_the_same_seed(person: Person) -> None:
    person.run("init", "--template", "food-handler", "--deadline", "2027-08-15")
    first, again, other = (
        json.loads(person.run("simulate", "--histories", "12", "--seed", seed, "--json").out) for seed in "778"
    )
    assert first == again != other
    assert [row["name"] for row in first["classes"]] == ["exact", "unique", "file", "safe"]
    assert all(row["histories"] == 12 and row["runs"] > 12 and row["violation"] is None for row in first["classes"])


def test_a_broken_promise_is_told_with_its_shortest_history() -> None:
    def life() -> Life:
        made = Life(a_project(), (SAFE,), TODAY)
        made.connect = partial(connect, base=DeletesWhatItLetsGo)
        return made

    *_, tally = histories.run(life, range(1_000))
    assert tally.violation is not None
    assert 0 < len(tally.violation.events) <= 8
    results = [simulate.Result(SAFE, tally)]
    told = str(simulate.text(results)[-1])
    assert "a promise was broken" in told
    assert f"seed {tally.violation.seed}" in told
    assert simulate.document(results)["classes"][0]["violation"]["events"]
    assert histories.breaks(life(), tally.violation.events) is not None  # and it is broken again
