"""What earlier versions stored: this one reads it, writes nothing where they were finished, and finishes the rest.

A set in `tests/stored` is what one version wrote, byte for byte; `tests/stored/make.py` made it, with that version.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from config import loader
from tests.connectors.contract import run
from tests.stored.make import PLACES, STORED, values
from tests.stored.places import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.model import Snapshot
    from tests.histories.process import Run
    from tests.stored.places import Place

CASES = {
    f"{listed.parent.name}/{case['state']}": (listed.parent, case)
    for listed in sorted(STORED.glob("*/cases.json"))
    for case in json.loads(listed.read_text("utf-8"))
}
FINISHED = {name: one for name, one in CASES.items() if one[1]["finished"]}
KILLED = {name: one for name, one in CASES.items() if name not in FINISHED}
THEIR_WORDS = ("My own letter", "A task of the person's own", "Ask Ann first")  # a title, what they added to a task


class Stored:
    """A place as it was left, and the goals file of the day."""

    def __init__(self, folder: Path, case: dict[str, Any], place: Place) -> None:
        self.folder, self.case, self.place = folder, case, place
        self.project = loader.load(folder / case["file"])
        self.today = date.fromisoformat(case["today"])

    def sync(self) -> tuple[Run, int]:
        """Run once; return the run, and how many requests wrote."""
        connector = self.place.service.connector()
        done = run(self.project, [connector], self.today)
        assert done.errors == []
        return done, connector.requests.write

    def read(self) -> Snapshot:
        return self.place.service.connector().read()


@pytest.fixture
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stored]:
    folder, case = CASES[request.param]
    state = (folder / case["state"]).read_bytes().decode()
    with opened(case["place"], tmp_path, state) as place:
        assert place.dump() == state
        yield Stored(folder, case, place)


def each(names: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stored", names, indirect=True)


def outcome(read: dict[str, Any]) -> dict[str, Any]:
    """Return how each task stands and what is remembered of it, but for what the service names it by.

    What is gone is left out: where nothing can be deleted, a run that was killed may have closed it without a note.
    """
    gone = {key for key, task in read["tasks"].items() if task["state"] == "dropped"}
    gone |= {key for key, (state, *_) in read["keys"].items() if state == "removed"}
    return {
        "keys": {key: [state, done_on] for key, (state, _, _, done_on) in read["keys"].items() if key not in gone},
        "tasks": {k: {**task, "marker": task["marker"][1:]} for k, task in read["tasks"].items() if k not in gone},
    }


@each(CASES)
def test_what_was_stored_is_read_as_it_was_meant(stored: Stored) -> None:
    read = json.loads(json.dumps(values(stored.read())))
    assert {name: stored.case[name] for name in read} == read


@each(FINISHED)
def test_after_a_finished_run_nothing_is_written(stored: Stored) -> None:
    before = stored.place.held()
    done, written = stored.sync()
    assert done.silent
    assert written == 0
    assert stored.place.held() == before


@each(KILLED)
def test_a_killed_run_is_finished(stored: Stored) -> None:
    """Everything is as if nobody had killed it; no task is there twice, and nothing of the person's is lost."""
    theirs, text = stored.place.theirs(), stored.place.service.text()
    stored.sync()
    read = stored.read()
    assert read.copies == ()
    assert len({task.marker.key for task in read.tasks}) == len(read.tasks)
    assert outcome(values(read)) == outcome(finished(stored.folder, stored.case["place"], stored.case["file"]))
    assert stored.place.theirs() == theirs
    assert [word for word in THEIR_WORDS if word in text and word not in stored.place.service.text()] == []
    done, written = stored.sync()
    assert done.silent
    assert written == 0


def finished(folder: Path, place: str, file: str) -> dict[str, Any]:
    """Return what stood there in the end when nobody killed the run."""
    found: dict[str, Any]
    (found,) = (case for of, case in FINISHED.values() if (of, case["place"], case["file"]) == (folder, place, file))
    return found


SETS = sorted({(folder, case["place"]) for folder, case in CASES.values()})


def test_every_place_has_a_set() -> None:
    assert {place for _, place in SETS} == {*PLACES}


@pytest.mark.parametrize(("folder", "place"), SETS, ids=lambda one: getattr(one, "name", one))
def test_there_is_something_of_every_kind(folder: Path, place: str) -> None:
    assert [case for of, case in KILLED.values() if (of, case["place"]) == (folder, place)]
    later = finished(folder, place, "later.yaml")
    assert {"live", "done", "dropped", "removed"} <= {state for state, *_ in later["keys"].values()}
    pinned = {key.partition("@")[0] for key, task in later["tasks"].items() if task["marker"][3]}
    assert pinned == {"fit/run", "fit/shoes"}
    assert "role/cv" in later["tasks"]
