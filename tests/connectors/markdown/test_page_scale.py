"""Writing a Markdown list takes work in proportion to what is written. Work is counted, not timed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.markdown.places import NewLines


class Counted(str):
    """A key that counts how often any of them is looked at."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other) is True

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)


@given(st.lists(st.one_of(st.none(), st.integers(0, 40)), max_size=40))
def test_new_lines_stand_where_a_list_would_have_them(places: list[int | None]) -> None:
    """At the end, at the front (0), or behind one that stands there."""
    new, listed = NewLines(), [""]
    for number, place in enumerate(places):
        behind = None if place is None else listed[place % len(listed)]
        new.put(str(number), f"line {number}", behind)
        listed.insert(len(listed) if behind is None else listed.index(behind) + 1, str(number))
    assert list(new) == [f"line {number}" for number in listed[1:]]


def looks(count: int) -> int:
    """Return how often a key is looked at while a goal of so many steps is made, each behind the one before."""
    Counted.looks = 0
    new, behind = NewLines(), None
    for number in range(count):
        key = Counted(number)
        new.put(key, "line", behind)
        behind = key
    assert len(list(new)) == count
    return Counted.looks


def test_each_new_line_costs_the_same() -> None:
    assert looks(400) <= 4.5 * looks(100)
