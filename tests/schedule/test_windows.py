"""The window with more work than room, against trying all windows."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.schedule.windows import Work, fullest
from tests.tiers import examples

WORK = st.builds(lambda begin, more, days: Work(begin, begin + more, days), *(st.integers(1, n) for n in (30, 9, 9)))


@settings(max_examples=examples(600))
@given(st.lists(WORK, min_size=1, max_size=8), st.integers(1, 2), st.sets(st.integers(1, 40)))
def test_it_is_the_window_that_lacks_most(work: list[Work], at_once: int, free: set[int]) -> None:
    def working(first: int, after: int) -> int:
        return sum(day not in free for day in range(first, after))

    def inside(first: int, last: int) -> int:
        return sum(one.days for one in work if first <= one.begin and one.end <= last)

    lacking = max(
        inside(one.begin, other.end) - at_once * working(one.begin, other.end + 1)
        for one in work
        for other in work
        if one.begin <= other.end
    )
    found = fullest(work, at_once, working)
    if lacking <= 0:
        assert found is None
    else:
        assert found is not None
        assert found.work - at_once * found.working == lacking
        assert (found.work, found.working) == (inside(found.first, found.last), working(found.first, found.last + 1))
