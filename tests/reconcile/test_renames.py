"""Goals and steps whose id changes: what is surely the same is followed, and what is done follows no guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Person

GOALS = """\
goals:
- title: Travel
  deadline: 2027-09-01
  steps:
  - {{title: Book a hotel{0}, takes: 2 days}}
  - {{title: Pack, takes: 2 days}}
- {{title: Go on{1}, deadline: 2027-12-01, steps: [{{title: Book a train, takes: 1 day}}]}}
"""
TITLED, WRITTEN, OTHERS = (
    GOALS.format(*ids) for ids in (("", ""), (", id: hotel", ", id: on"), (", id: a", ", id: b"))
)


def _synced(person: Person, text: str, ticked: str) -> None:
    """Sync, tick what has a title in the list, and sync again."""
    person.writes(text)
    assert person.run("sync").code == 0
    person.todo.write_text(person.todo.read_text().replace(f"- [ ] {ticked}", f"- [x] {ticked}"))
    assert person.run("sync").code == 0


def _shown(person: Person) -> list[str]:
    """Return the box and title of each task, sorted."""
    return sorted(
        line.split(" 📅")[0].split(" 🛫")[0].strip() for line in person.todo.read_text().splitlines() if "- [" in line
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [(TITLED, WRITTEN), (WRITTEN, TITLED), (WRITTEN, OTHERS)],
    ids=["written", "taken out", "changed"],
)
@pytest.mark.parametrize("ticked", ["Book a hotel", "Pack", "Book a train"])
def test_an_id_that_changes_with_the_same_title_keeps_its_task_and_its_tick(
    person: Person, before: str, after: str, ticked: str
) -> None:
    _synced(person, before, ticked)
    shown = _shown(person)
    person.writes(after)
    assert person.run("check").code == 0
    assert person.run("sync").code == 0
    assert _shown(person) == shown
    assert person.changes() == []


@pytest.mark.parametrize(
    ("done", "new", "place"),
    [
        ("Book a hotel", "Call", "5:13"),
        ("Pack", "Sleep", "6:13"),
        ("Go on", "Build", "7:11"),
        ("Travel", "Rest", "2:10"),
    ],
)
def test_what_stands_in_the_place_of_what_is_done_is_not_done(person: Person, done: str, new: str, place: str) -> None:
    _synced(person, TITLED, done)
    shown = _shown(person)
    person.writes(TITLED.replace(done, new))
    told = person.run("sync")
    assert told.code == 1
    old = done.lower().replace(" ", "-")
    assert f"goals.yaml:{place}: `{old}` is done, and `{new.lower()}` stands where it stood" in told.err
    assert f"`was: {old}`" in told.err
    assert _shown(person) == shown
    person.writes(
        TITLED.replace(f"title: {done}", f"title: {new}\n  id: new" if done == "Travel" else f"title: {new}, id: new")
    )
    assert person.run("sync").code == 0
    assert f"- [ ] {new}" in _shown(person)
