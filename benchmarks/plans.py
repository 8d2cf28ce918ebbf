"""Makes goals files of any size for the benchmarks: layered plans, two links a step, a five-day week, a fixed seed."""

from __future__ import annotations

import random

DAYS_OFF = ("01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "09-07", "10-12", "11-26", "12-25")
REACH = 10  # how far back in the list a step's links go


def goals_file(goals: int, steps: int, *, seed: int = 1) -> str:
    """Return a goals file with `goals` goals of `steps` steps each."""
    dice = random.Random(seed)  # noqa: S311  # not for secrets
    days_off = ", ".join(f"{year}-{day}" for year in range(2026, 2032) for day in DAYS_OFF)
    lines = ["version: 1", "namespace: benchmark", "calendar:", "  workdays: [mon, tue, wed, thu, fri]"]
    lines += [f"  days_off: [{days_off}]", "goals:"]
    for goal in range(goals):
        deadline = f"2031-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
        lines += [f"  - id: goal-{goal}", f"    title: Goal number {goal}", f"    deadline: {deadline}", "    steps:"]
        for step in range(steps):
            links = sorted({f"s{dice.randrange(max(0, step - REACH), step)}" for _ in range(2)}) if step else []
            lines += [
                f"      - id: s{step}",
                f"        title: Step number {step} of goal {goal}",
                f"        takes: {dice.randint(1, 5)} days",
                f"        after: [{', '.join(links)}]",
            ]
    return "\n".join(lines) + "\n"
