"""The levelled pass: places the steps of several goals as late as the people who do them have room.

It is a serial schedule-generation scheme, run backwards: one queue over all goals, from which the step with the most
work before it comes first, once all that follows it is placed (the mirror image of the rule "latest finish time first":
R. Kolisch, European Journal of Operational Research 90(2), 1996). A step stays in one piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from config.durations import Duration
from sync.schedule.backward_pass import day_before_start
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Set

    from sync.schedule.backward_pass import BackwardPass, LatestDates
    from sync.schedule.forward_pass import Early
    from sync.schedule.lengths import Length
    from sync.schedule.room import Room

    Entry = tuple[int, int, int, int]  # the order in the queue, the last two with the network and the step


@dataclass(frozen=True, slots=True)
class Network:
    """One goal to be levelled. Steps are named by their index in the goal's sequence, days are ordinals.

    - `backward`: the pass without capacity; its `external` limits become tighter in place as other goals are placed.
    - `latest`: the dates of that pass, changed in place.
    - `lengths`: as in that pass; `least`: the fewest working days of the steps that may give some back.
    - `held`: the steps whose dates stay.
    - `rooms`: the room that each step takes; it takes none if there is no entry.
    - `early`: the earliest dates without capacity; no step is placed before them.
    - `head`: by step, how much has to be done before its end: the larger, the sooner it is placed.
    """

    backward: BackwardPass
    latest: LatestDates
    lengths: Sequence[Length]
    least: Mapping[int, int]
    held: Set[int]
    rooms: Mapping[int, Room]
    early: Early
    head: Sequence[int]
    external: dict[int, int]
    missing: dict[int, int] = field(default_factory=dict)


def level(networks: Sequence[Network]) -> None:
    """Place every step that is not held, in place.

    A step for which there is no room keeps the latest date that its followers leave it, and `missing` has by how many
    working days its person lacks room.
    """
    _Levelling(networks).run()


class _Levelling:
    """The queue over all networks, and what is left to be placed after each step."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._special = [network.backward.special() for network in networks]
        self._place = {
            step.key: (n, i)
            for n, network in enumerate(networks)
            for i, step in enumerate(network.backward.graph.steps)
        }
        self._elsewhere: list[dict[int, list[tuple[int, int, Duration | None]]]] = [{} for _ in networks]
        self._waiting = [
            [sum(following not in network.held for following, _ in links) for links in network.backward.graph.next]
            for network in networks
        ]
        for n, network in enumerate(networks):
            for i, link in network.backward.graph.elsewhere:
                if link.key in self._place and i not in network.held:
                    before, j = self._place[link.key]
                    self._elsewhere[n].setdefault(i, []).append((before, j, link.wait))
                    self._waiting[before][j] += 1

    def run(self) -> None:
        """Place all steps."""
        queue = [
            self._entry(n, i)
            for n, network in enumerate(self._networks)
            for i, waiting in enumerate(self._waiting[n])
            if not waiting and i not in network.held
        ]
        heapify(queue)
        while queue:
            *_, n, i = heappop(queue)
            _place(self._networks[n], i, self._special[n])
            for before, j in self._released(n, i):
                self._waiting[before][j] -= 1
                if not self._waiting[before][j] and j not in self._networks[before].held:
                    heappush(queue, self._entry(before, j))

    def _entry(self, n: int, i: int) -> Entry:
        network = self._networks[n]
        return -network.head[i], -network.latest.due[i], n, i

    def _released(self, n: int, i: int) -> list[tuple[int, int]]:
        """Return the steps that come directly before one; those of other goals have their limit from now on."""
        network, found = self._networks[n], list[tuple[int, int]]()
        graph = network.backward.graph
        for before, j, wait in self._elsewhere[n].get(i, ()):
            day = day_before_start(graph, network.latest, i)
            day = graph.window.days.before(day, wait) if wait else day
            external = self._networks[before].external
            external[j] = min(day, external.get(j, day))
            self._special[before].add(j)
            found.append((before, j))
        return found + [(n, j) for j, _ in graph.previous[i]]


def _place(network: Network, i: int, special: set[int]) -> None:
    """Place a step on the latest days that its followers, and its person, leave it."""
    latest, backward = network.latest, network.backward
    begin = latest.begin[i]
    backward.recompute(latest, network.lengths, (i,), special)
    days, end = backward.graph.window.days, int(latest.end[i])
    if i in network.least:
        # What it gives up, what comes before it keeps.
        latest.begin[i] = kept = min(int(begin), end - network.least[i])
        latest.day_before[i] = days.day(kept + 1) - 1
        return
    room = network.rooms.get(i)
    if room is None:
        return
    length = network.lengths[i]
    first_of = _first_of(network, length)
    lowest = days.position(network.early.start[i] - 1) + 1
    found = room.latest_end(days, end, length, first_of, lowest)
    if found is None:
        beyond = room.latest_end(days, end, length, first_of, lowest - _FAR)
        network.missing[i] = _FAR if beyond is None else lowest - first_of(beyond)
    elif found < end:
        backward.place(latest, i, found, length)
        end = found
    room.take(days, first_of(end), end)


_FAR = 10_000  # working days: further back nobody has work


def _first_of(network: Network, length: Length) -> Callable[[int], int]:
    """Return a function of the position of a step's end that returns that of its first working day."""
    if not isinstance(length, Duration):
        return lambda end: end - int(length) + 1
    days = network.backward.graph.window.days
    return lambda end: min(days.position(shift(days.day(end), length, -1)) + 1, end)
