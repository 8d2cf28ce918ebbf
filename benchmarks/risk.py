"""Measures the figures for risk: `.venv/bin/python benchmarks/risk.py`. 1,000 samples of 10,000 steps, a fixed seed.

Layered plans with about two links a step, on a five-day week with ten holidays a year; every step has an estimate. Each
figure is the least of several runs in one process, beside what drawing as many samples costs: by us, by numpy's beta.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.plans import goals_file
from config.loader import load
from sync.forecast import samples
from sync.forecast.risk import Sampler, with_risk
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.project import Project, Step

TODAY = date(2027, 1, 4)
SAMPLES = 1000
RUNS = 3


def main() -> None:
    """Measure everything and print it."""
    for goals, steps in ((10, 100), (100, 100), (1, 10_000)):
        measure(estimated(goals, steps), f"{goals} x {steps} steps")


def measure(project: Project, name: str) -> None:
    """Print what the samples of one project cost, by parts."""
    planned = schedule(project, Progress(), TODAY)
    steps = [step.step for step in planned.steps().values()]
    drawing = least(lambda: draw(steps))
    beta = least(lambda: numpys_beta(len(steps)))
    sampling = least(lambda: Sampler(project, planned, SAMPLES))
    everything = least(lambda: with_risk(project, planned))
    count = len(steps) * SAMPLES / 1e6
    print(f"{name}: {count:.0f} million lengths")
    print(f"  drawing them with numpy's beta        {beta:7.2f} s")
    print(f"  drawing them                          {drawing:7.2f} s  {drawing / beta:.2f} times that")
    print(f"  and carrying them through the links   {sampling:7.2f} s  {sampling / drawing:.2f} times drawing them")
    print(f"  and the latest safe start of each     {everything:7.2f} s  {everything / drawing:.2f} times drawing them")


def draw(steps: list[Step]) -> None:
    """Draw all lengths, with nothing kept from an earlier run."""
    samples._quantiles.cache_clear()
    samples.draw(steps, SAMPLES)


def numpys_beta(rows: int) -> None:
    """Draw as many numbers, row by row."""
    dice = np.random.default_rng(1)
    for _ in range(rows):
        dice.beta(2, 4, SAMPLES)


def estimated(goals: int, steps: int) -> Project:
    """Return the benchmarks' project with an estimate for every step."""
    dice = random.Random(1)  # noqa: S311  # not for secrets
    lines = ["when_late: keep"]
    for line in goals_file(goals, steps).replace("deadline: 2031", "deadline: 2071").splitlines():
        before, takes, days = line.partition("takes: ")
        if takes:
            likely = int(days.split()[0])
            line = f"{before}{takes}{max(0, likely - dice.randint(0, 2))}-{likely}-{likely + dice.randint(1, 8)} days"
        lines.append(line)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "goals.yaml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return load(path)


def least(function: Callable[[], object]) -> float:
    """Return the least processor time of some runs, in seconds."""
    took = []
    for _ in range(RUNS):
        start = time.process_time()
        function()
        took.append(time.process_time() - start)
    return min(took)


if __name__ == "__main__":
    main()
