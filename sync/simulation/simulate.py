"""Random histories of somebody's own plan, in an app of every kind, and what to say about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sync.simulation import histories
from sync.simulation.life import Life
from sync.simulation.service import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from config.network import Project
    from sync.simulation.histories import Tally

ABOUT = {
    "exact": "an app that remembers our ids for good",
    "unique": "an app that may forget our ids, and ticks whole families of tasks",
    "file": "a list in a file",
    "safe": "an app that takes no ids of ours",
}
_PIECE = 10  # histories between two signs of life


@dataclass(frozen=True, slots=True)
class Result:
    """What was lived through in apps of one kind since the last result."""

    kind: Kind
    tally: Tally


def simulate(project: Project, today: date, seeds: Sequence[int]) -> Iterator[Result]:
    """Live the history of every seed in an app of every kind; yield the results in pieces, up to a broken promise."""
    for kind in KINDS:
        make = partial(Life, project, (kind,), today)
        for first in range(0, len(seeds), _PIECE):
            *_, tally = histories.run(make, seeds[first : first + _PIECE])
            yield Result(kind, tally)
            if tally.violation is not None:
                return


def _sums(results: Sequence[Result]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for result in results:
        row = sums.setdefault(result.kind.name, dict.fromkeys(("histories", "events", "runs", "faults"), 0))
        for name in row:
            row[name] += getattr(result.tally, name)
    return sums


def text(results: Sequence[Result]) -> list[RenderableType]:
    """Return a table of what was lived through, and whether every promise held."""
    from sync.reports.text import rows

    table = [
        (ABOUT[name], *(f"{row[column]:,}" for column in ("histories", "runs", "faults")))
        for name, row in _sums(results).items()
    ]
    broken = next((result.tally.violation for result in results if result.tally.violation), None)
    verdict = (
        "every promise held: nothing twice, nothing lost, nothing touched that is not ours"
        if broken is None
        else f"a promise was broken; please report it with this history:\n{histories.tell(broken)}"
    )
    return [rows(("in", "histories", "runs", "faults"), table), verdict]


def document(results: Sequence[Result]) -> dict[str, Any]:
    """Return the same as JSON."""
    broken = {r.kind.name: r.tally.violation for r in results if r.tally.violation}
    classes = []
    for name, row in _sums(results).items():
        violation = broken.get(name)
        told = (
            {"seed": violation.seed, "events": list(violation.told), "broken": violation.broken} if violation else None
        )
        classes.append({"name": name, **row, "violation": told})
    return {"version": 1, "classes": classes}
