"""Random histories: drawn from a seed, lived in a service of each kind, cut down to the few events that matter."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.histories.choices import Event
from tests.histories.world import EVENTS, Life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHORTEST, LONGEST = 5, 40
_LUCK = 1 << 40


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: the seed of its history, what happened (cut down), and what should have held."""

    seed: int
    events: tuple[Event, ...]
    told: tuple[str, ...]
    broken: str


@dataclass
class Tally:
    """What was lived through."""

    histories: int = 0
    events: int = 0
    runs: int = 0
    faults: int = 0
    violation: Violation | None = None

    def add(self, other: Tally) -> None:
        """Add what was lived through elsewhere."""
        for name in ("histories", "events", "runs", "faults"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.violation = self.violation or other.violation


def draw(seed: int) -> list[Event]:
    """Return the history of a seed: 5 to 40 events, most often few, since most that can go wrong needs few."""
    random = Random(seed)  # noqa: S311  # nothing is kept secret by it
    names = random.choices(_NAMES, _WEIGHTS, k=SHORTEST + int((LONGEST + 1 - SHORTEST) * random.random() ** 3))
    return [Event(name, random.randrange(_LUCK)) for name in names]


_NAMES = list(EVENTS)
_WEIGHTS = [weight for weight, _ in EVENTS.values()]


def run(make: Callable[[], Life], seeds: Sequence[int]) -> Iterator[Tally]:
    """Live the history of every seed, each in a new life; yield the tally after each, and stop at a broken promise."""
    tally = Tally()
    for seed in seeds:
        events = draw(seed)
        life = make()
        broken = breaks(life, events)
        tally.histories += 1
        tally.events += len(events)
        tally.runs += life.runs
        tally.faults += life.faults
        if broken is not None:
            tally.violation = shortest(make, seed, events)
        yield tally
        if broken is not None:
            return


def shortest(make: Callable[[], Life], seed: int, events: Sequence[Event]) -> Violation:
    """Cut a history that breaks a promise down: leave out events, and make choices smaller, while it still breaks."""
    kept = list(events)
    size = max(1, len(kept) // 2)
    while size:
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if breaks(make(), fewer) is not None:
                kept = fewer
            else:
                start += size
        size //= 2
    for number, one in enumerate(kept):
        for luck in range(8):
            simpler = [*kept[:number], Event(one.name, luck), *kept[number + 1 :]]
            if luck < one.luck and breaks(make(), simpler) is not None:
                kept = simpler
                break
    life = make()
    broken = breaks(life, kept)
    return Violation(seed, tuple(kept), tuple(life.told), broken or "it holds when it is lived again")


def tell(violation: Violation) -> str:
    """Return a broken promise as a person can read it, with what makes it happen again."""
    steps = "\n".join(f"  {number}. {told}" for number, told in enumerate(violation.told, start=1))
    return f"{violation.broken}\nseed {violation.seed}, cut down to:\n{steps}"


def breaks(life: Life, events: Sequence[Event]) -> str | None:
    """Let a life live through the events; return which promise was broken, None where all held."""
    try:
        life.live(events)
    except Exception as error:  # a run that ends in any other error breaks a promise as well
        return f"{type(error).__name__}: {error}"
    return None
