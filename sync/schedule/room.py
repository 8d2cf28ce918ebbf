"""The days on which one person can have no more steps, and the latest days on which there is room for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sync.schedule.lengths import Length
    from sync.schedule.working_days import WorkingDays


class Room:
    """One person's days; a day is full when the person has `at_once` steps on it.

    Days only become fuller. So an end for which there was no room is remembered, with the next one to try: the search
    then takes nearly constant time, in however many pieces the free days are.
    """

    def __init__(self, at_once: int) -> None:
        """Begin with all days free."""
        self._at_once = at_once
        self._steps: dict[int, int] = {}
        self._full: set[int] = set()
        self._earlier: dict[tuple[WorkingDays, Length], dict[int, int]] = {}

    def take(self, days: WorkingDays, first: int, last: int) -> None:
        """Take the working days at the positions from `first` to `last` for one more step."""
        steps, full, most = self._steps, self._full, self._at_once
        for position in range(first, last + 1):
            day = days.day(position)
            count = steps[day] = steps.get(day, 0) + 1
            if count >= most:
                full.add(day)

    def latest_end(
        self, days: WorkingDays, end: int, length: Length, first_of: Callable[[int], int], lowest: int
    ) -> int | None:
        """Return the latest end, no later than `end`, with room on each working day from the first one on.

        Ends are positions. `first_of` returns the position of the first day of a step of this length with that end.
        None if the first day would lie before the position `lowest`.
        """
        earlier = self._earlier.setdefault((days, length), {})
        full, day, tried = self._full, days.day, list[int]()
        found: int | None = None
        while True:
            if end in earlier:
                tried.append(end)
                end = earlier[end]
                continue
            first = first_of(end)
            if first < lowest:
                break
            taken = next((position for position in range(end, first - 1, -1) if day(position) in full), None)
            if taken is None:
                found = end
                break
            tried.append(end)
            end = taken - 1
        for one in tried:
            earlier[one] = end
        return found
