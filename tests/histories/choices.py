"""Events of a life: names with numbers that all choices are drawn from, so that a history is a plain list.

So it can be replayed, cut down and printed. A smaller number means simpler choices: the first of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.histories.world import Life

    Happening = Callable[[Life, "Luck"], str | None]  # says what it did, None where it was not possible
    Events = dict[str, tuple[int, Happening]]  # with how likely each is, beside the rarest

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens, by its name, with the number that its choices are drawn from."""

    name: str
    luck: int


class Luck:
    """Draws choices from one number, so that a smaller number means the first of each."""

    def __init__(self, number: int) -> None:
        self._rest = number

    def below(self, count: int) -> int:
        """Return a number from 0 to `count - 1`."""
        self._rest, drawn = divmod(self._rest, count)
        return drawn

    def of(self, things: Sequence[Thing]) -> Thing:
        """Return one of the things."""
        return things[self.below(len(things))]


def registrar(events: Events) -> Callable[[int], Callable[[Happening], Happening]]:
    """Return a decorator that makes a function one of the events, so many times as likely as the rarest."""

    def weighted(weight: int) -> Callable[[Happening], Happening]:
        def register(function: Happening) -> Happening:
            events[function.__name__] = (weight, function)
            return function

        return register

    return weighted
