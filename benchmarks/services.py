"""Counts the requests that services get: `.venv/bin/python benchmarks/services.py gitlab`. It needs no account.

The services are the stand-ins of the tests, over real HTTP, which do the counting. Their clocks move on where backplan
would wait, so that the minutes are those that the limits of the service make.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sync.run.homes import Binding

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.plans import plain_goals_file
from config import loader
from sync.run import pipeline, reading
from tests.connectors.stands import STANDS

TODAY = date(2027, 7, 20)
DEADLINE = date(2030, 12, 30)
ROW = "{:<34}{:>7}{:>9}{:>10}{:>9}"


def main() -> None:
    """Measure the services that are named, or all."""
    for stand in STANDS:
        if len(sys.argv) == 1 or stand.name in sys.argv:
            print(ROW.format(stand.name, "runs", "reads", "writes", "minutes"))
            with tempfile.TemporaryDirectory() as name:
                for steps in (1, 10, 100, 500):
                    measure(Path(name), stand, steps)


def measure(folder: Path, stand: Any, steps: int) -> None:
    """A first sync, then nothing changed, then one step changed, then a deadline moved that moves them all."""
    with stand.server() as server:
        for what, titles, deadline in (
            (f"first sync of {steps} steps", {}, DEADLINE),
            ("    nothing changed", {}, DEADLINE),
            ("    one step changed", {0: "Another title"}, DEADLINE),
            ("    the deadlines moved", {0: "Another title"}, DEADLINE + timedelta(days=7)),
        ):
            path = folder / "goals.yaml"
            path.write_text(plain_goals_file(steps, titles, deadline, a_goal=100), encoding="utf-8")
            print(ROW.format(what, *sync(path, stand, server)))


def sync(path: Path, stand: Any, server: Any) -> tuple[int, int, int, str]:
    """Sync until nothing waits any more; return how many runs, reads, writes and minutes that took."""
    project, runs, reads, writes = loader.load(path), 0, 0, 0
    passed = server.clock().passed
    while True:
        one = stand.connect(server, project.namespace)
        homes = (Binding(one, frozenset(goal.id for goal in project.goals)),)
        (applied,) = pipeline.apply(pipeline.make_plans(reading.read(project, homes, TODAY)), homes, lambda _: None)
        if errors := [change.error for change in applied.changes if change.error]:
            sys.exit(f"{len(errors)} changes failed: {errors[0]}")
        runs, reads, writes = runs + 1, reads + one.requests.read, writes + one.requests.write
        if not any(change.status == "skipped" for change in applied.writes):
            return runs, reads, writes, f"{passed() / 60:.1f}"


if __name__ == "__main__":
    main()
