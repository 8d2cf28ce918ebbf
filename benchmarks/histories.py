"""Lives through as many random histories as it is told, on all processors, and prints the documentation's table.

    .venv/bin/python benchmarks/histories.py --histories 1000000 --first 100000

takes some hours on two processors. A broken promise is printed with its seed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING

from config import loader
from sync.simulation import histories
from sync.simulation.life import Life
from sync.simulation.service import EXACT, FILE, SAFE, UNIQUE, Kind

if TYPE_CHECKING:
    from config.network import Project

CLASSES: dict[str, tuple[Kind, ...]] = {"exact": (EXACT,), "unique": (UNIQUE, FILE), "safe": (SAFE,)}
PIECE = 1_000
TODAY = date(2027, 1, 4)
GOALS = """\
namespace: me/goals
goals:
  - {id: g, title: Reach it, deadline: 2027-09-30, steps: [
      {id: s0, title: Step 0, takes: 2 days}, {id: s1, title: Step 1, takes: 2 days},
      {id: s2, title: Step 2, takes: 2 days}]}
"""


@cache
def project() -> Project:
    """Return the plan that the lives begin with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "goals.yaml"
        path.write_text(GOALS, encoding="utf-8")
        return loader.load(path)


def live(kind: Kind, first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Live `count` histories; return what was lived through and the promises that were broken."""
    sums: Counter[str] = Counter()
    broken: list[str] = []
    while count:
        *_, tally = histories.run(lambda: Life(project(), (kind,), TODAY), range(first, first + count))
        sums.update({name: getattr(tally, name) for name in ("histories", "events", "runs", "faults")})
        first, count = first + tally.histories, count - tally.histories
        if tally.violation is not None:
            broken.append(f"{kind.name}: {histories.tell(tally.violation)}")
    return sums, broken


def main() -> None:
    """Print a row of the table for each class."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=20_000, help="in each class")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first one")
    options = parser.parse_args()
    failed = False
    print("| class | histories | seeds | runs | faults | broken promises | a second |\n|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, kinds in CLASSES.items():
            began = time.perf_counter()
            share = options.histories // len(kinds)
            jobs = [
                pool.submit(live, kind, first, min(PIECE, options.first + share - first))
                for kind in kinds
                for first in range(options.first, options.first + share, PIECE)
            ]
            sums: Counter[str] = Counter()
            broken: list[str] = []
            for job in jobs:
                part, found = job.result()
                sums.update(part)
                broken += found
                print(*found, sep="\n", end="", file=sys.stderr, flush=True)
            pace = sums["histories"] / (time.perf_counter() - began)
            seeds = f"{options.first} to {options.first + share - 1}"
            print(
                f"| {name} | {sums['histories']:,} | {seeds} | {sums['runs']:,} | {sums['faults']:,} "
                f"| {len(broken)} | {pace:.0f} |",
                flush=True,
            )
            failed |= bool(broken)
    sys.exit(failed)


if __name__ == "__main__":
    main()
