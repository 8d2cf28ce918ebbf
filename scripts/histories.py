"""Runs many random histories on all processors, and prints the tables of docs/reliability.md.

    .venv/bin/python scripts/histories.py --histories 1000000 --first 100000

takes about two and a half hours on two processors. A broken promise is printed with its seed and its shortest history,
and the exit code is 1. `--goals FILE` starts from a goals file of your own, `--row unique` runs one row only,
`--two-apps` runs two apps at once, `--over-http` runs the real connectors against the stand-in servers of the tests,
and `--mutants` prints the first history that catches each strategy that is known to be wrong.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from itertools import chain, permutations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

from config import loader
from tests.histories import apps_over_http, histories
from tests.histories.connector import connect
from tests.histories.histories import Tally
from tests.histories.in_memory import TODAY, a_project
from tests.histories.mutants import MUTANTS, kind_for
from tests.histories.service import EXACT, FILE, KINDS, SAFE, UNIQUE, Kind
from tests.histories.world import Life

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.project import Project
    from tests.histories.connector import SimulatedConnector

PIECE = 500  # histories that a processor is given at once
SIGN_OF_LIFE = 100  # pieces between two lines that say how far it is
Row = tuple[str, tuple[tuple[Kind, ...], ...]]
CLASSES: tuple[Row, ...] = (("exact", ((EXACT,),)), ("unique", ((UNIQUE,), (FILE,))), ("safe", ((SAFE,),)))
TWO_APPS: tuple[Row, ...] = tuple(
    (f"{one.name} and {two.name}", ((one, two),))
    for one, two in chain(permutations(KINDS, 2), zip(KINDS, KINDS, strict=True))
)


@dataclass
class Lived:
    """What was lived through, and the promises that were broken."""

    tally: Tally
    broken: list[str]
    requests: int = 0


@cache
def project(goals: Path | None = None) -> Project:
    """Return the plan that the histories begin with: a goals file, or a small one of the tests."""
    return loader.load(goals) if goals else a_project()


def live(kinds: tuple[Kind, ...], goals: Path | None, first: int, count: int) -> Lived:
    """Live `count` histories in apps of these kinds."""
    lived = Lived(Tally(), [])
    today = date.today() if goals else TODAY  # noqa: DTZ011  # the day where the person is
    while count:
        *_, tally = histories.run(lambda: Life(project(goals), kinds, today), range(first, first + count))
        first, count = first + tally.histories, count - tally.histories
        add(lived, tally, " and ".join(kind.name for kind in kinds))
    gc.collect()  # not before: to look for garbage over and over takes a fifth of the time
    return lived


def live_over_http(app: str, first: int, count: int) -> Lived:
    """Live `count` histories in an app over HTTP; only faults that a request met are counted."""
    lived = Lived(Tally(), [])
    while count:
        part = apps_over_http.live(app, project(), range(first, first + count))
        first, count = first + part.tally.histories, count - part.tally.histories
        part.tally.faults = part.faults
        lived.requests += part.requests
        add(lived, part.tally, app)
    return lived


def add(lived: Lived, tally: Tally, where: str) -> None:
    """Add what was lived through, and tell of a broken promise."""
    lived.tally.add(tally)
    if tally.violation is not None:
        lived.broken.append(f"{where}: {histories.tell(tally.violation)}")


def first_kill(mutant: type[SimulatedConnector], first: int, most: int) -> tuple[int, str] | None:
    """Return the seed of the first history that catches a wrong strategy, and the promise that it breaks."""
    for seed in range(first, first + most):
        life = Life(project(), (kind_for(mutant),), TODAY)
        life.connect = partial(connect, base=mutant)
        if broken := histories.breaks(life, histories.draw(seed)):
            return seed, broken
    return None


def print_row(name: str, jobs: Sequence[Callable[[], Lived]], seeds: str, pool: ProcessPoolExecutor) -> bool:
    """Print a row of the table as soon as all of it has been lived; return whether every promise held."""
    began = time.perf_counter()
    sums = Lived(Tally(), [])
    for number, job in enumerate([pool.submit(job) for job in jobs], start=1):
        part = job.result()
        sums.tally.add(part.tally)
        sums.broken += part.broken
        sums.requests += part.requests
        print(*part.broken, sep="\n", end="", file=sys.stderr, flush=True)
        if number % SIGN_OF_LIFE == 0:
            print(f"{name}: {sums.tally.histories:,} histories", file=sys.stderr, flush=True)
    tally, pace = sums.tally, sums.tally.histories / (time.perf_counter() - began)
    counts = [tally.histories, tally.events, tally.runs, *([sums.requests] if sums.requests else []), tally.faults]
    print(
        f"| {name} | {seeds} | {' | '.join(f'{n:,}' for n in counts)} | {len(sums.broken)} | {pace:.0f} |", flush=True
    )
    return not sums.broken


def pieces(count: int, first: int) -> list[tuple[int, int]]:
    """Return the seeds of each piece: the first, and how many."""
    return [(start, min(PIECE, first + count - start)) for start in range(first, first + count, PIECE)]


def print_table(options: argparse.Namespace) -> bool:
    """Print a row for each class, arrangement of apps or app over HTTP; return whether every promise held."""
    requests = "| requests " if options.over_http else ""
    print(f"| where | seeds | histories | events | runs {requests}| faults | broken promises | a second |")
    print("|---|" + "---|" * (8 if requests else 7))
    held = True
    with ProcessPoolExecutor(os.cpu_count(), initializer=gc.disable) as pool:
        if options.over_http:
            for app in apps_over_http.APPS:
                jobs = [partial(live_over_http, app, *piece) for piece in pieces(options.histories, options.first)]
                held &= print_row(app, jobs, seeds(options.first, options.histories), pool)
        else:
            for name, apps in rows(options):
                share = options.histories // len(apps)
                start = pieces(share, options.first)
                jobs = [partial(live, kinds, options.goals, *piece) for kinds in apps for piece in start]
                held &= print_row(name, jobs, seeds(options.first, share), pool)
    return held


def rows(options: argparse.Namespace) -> list[Row]:
    """Return the rows that are asked for; exit where there is none of the name."""
    table = TWO_APPS if options.two_apps else CLASSES
    if options.row not in (None, *(name for name, _ in table)):
        sys.exit(f"there is no row {options.row!r}; there are: {', '.join(name for name, _ in table)}")
    return [(name, apps) for name, apps in table if options.row in (None, name)]


def seeds(first: int, count: int) -> str:
    """Return the seeds as the table says them."""
    return f"{first} to {first + count - 1}"


def print_mutants(options: argparse.Namespace) -> bool:
    """Print what catches each wrong strategy; return whether all are caught."""
    print("| strategy | caught by the history | after | the promise that it breaks |\n|---|---|---|---|")
    caught = True
    for mutant in MUTANTS:
        found = first_kill(mutant, options.first, options.histories)
        caught &= found is not None
        seed, broken = found or (0, "none")
        what = " ".join((mutant.__doc__ or "").split())
        promise = broken.removeprefix("Broken: ").partition(": [")[0]
        print(f"| {what} | {seed} | {seed - options.first + 1} | {promise} |", flush=True)
    return caught


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=20_000, help="in each row of the table")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    parser.add_argument("--goals", type=Path, help="a goals file to start from")
    parser.add_argument("--row", help="only this class (exact, unique, safe), or, with --two-apps, arrangement")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--two-apps", action="store_true", help="in every arrangement of two apps")
    which.add_argument("--over-http", action="store_true", help="in the connectors' fakes, over real HTTP")
    which.add_argument("--mutants", action="store_true", help="with strategies that are known to be wrong")
    options = parser.parse_args()
    sys.exit(not (print_mutants if options.mutants else print_table)(options))


if __name__ == "__main__":
    main()
