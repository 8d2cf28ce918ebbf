"""Makes plans for the benchmarks: plain lists, and layers with two links a step, a five-day week and ten holidays."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from config.calendars import Calendar
from config.durations import parse
from config.project import Goal, Link, Origin, Project, Step
from config.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DAYS_OFF = ("01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "09-07", "10-12", "11-26", "12-25")
YEARS = range(2026, 2032)
LAYERS = 100  # at the most: more steps make a layer wider
NARROWEST = 2  # steps in a layer, at the least


@dataclass(frozen=True, slots=True)
class Layered:
    """One goal of a layered plan: its deadline, and the days and the links of each step by number."""

    deadline: date
    days: list[int]
    after: list[list[int]]


def layered(goals: int, steps: int, *, seed: int = 1) -> Iterator[Layered]:
    """Yield `goals` goals of `steps` steps each; a step follows one or two of the layer before."""
    dice = random.Random(seed)  # noqa: S311  # not for secrets
    width = max(NARROWEST, steps // LAYERS)
    for _ in range(goals):
        deadline = date(2031, dice.randint(1, 12), dice.randint(1, 28))
        days = [dice.randint(1, 5) for _ in range(steps)]
        first = [number // width * width for number in range(steps)]  # of the step's layer
        after = [sorted({dice.randrange(n - width, n) for _ in range(2)}) if n else [] for n in first]
        yield Layered(deadline, days, after)


def goals_file(goals: int, steps: int, *, seed: int = 1) -> str:
    """Return a goals file with `goals` goals of `steps` steps each."""
    days_off = ", ".join(f"{year}-{day}" for year in YEARS for day in DAYS_OFF)
    lines = ["version: 1", "namespace: benchmark", "calendar:", "  workdays: [mon, tue, wed, thu, fri]"]
    lines += [f"  days_off: [{days_off}]", "goals:"]
    for goal, plan in enumerate(layered(goals, steps, seed=seed)):
        lines += [f"  - id: goal-{goal}", f"    title: Goal number {goal}", f"    deadline: {plan.deadline}"]
        lines += ["    steps:"]
        for step, (days, after) in enumerate(zip(plan.days, plan.after, strict=True)):
            lines += [
                f"      - id: s{step}",
                f"        title: Step number {step} of goal {goal}",
                f"        takes: {days} days",
                f"        after: [{', '.join(f's{before}' for before in after)}]",
            ]
    return "\n".join(lines) + "\n"


def project(goals: int, steps: int, *, seed: int = 1) -> Project:
    """Return the project that such a goals file says, without a file: larger ones than one file may hold."""
    off = sorted(date.fromisoformat(f"{year}-{day}") for year in YEARS for day in DAYS_OFF)
    calendar = Calendar(frozenset(range(5)), days_off=tuple((day, day) for day in off))
    origin = Origin(Source("generated", "goals: []"), ())
    made = []
    for goal, plan in enumerate(layered(goals, steps, seed=seed)):
        listed = tuple(
            Step(
                f"goal-{goal}/s{step}",
                f"Step number {step} of goal {goal}",
                origin,
                takes=parse(f"{days} days"),
                after=tuple(Link(f"goal-{goal}/s{before}") for before in after),
            )
            for step, (days, after) in enumerate(zip(plan.days, plan.after, strict=True))
        )
        title = f"Goal number {goal}"
        made.append(Goal(f"goal-{goal}", title, plan.deadline, origin, listed, listed, calendar))
    return Project(tuple(made), tuple(made), namespace="benchmark")


def plain_goals_file(steps: int, titles: Mapping[int, str], deadline: date, *, a_goal: int) -> str:
    """Return a goals file with that many steps, `a_goal` of them in each goal, called as `titles` says."""
    lines = ["namespace: benchmark", "goals:"]
    for number in range(steps):
        if number % a_goal == 0:
            goal = number // a_goal
            lines += [f"  - id: g{goal}", f"    title: Goal {goal}", f"    deadline: {deadline}", "    steps:"]
        lines.append(f"      - {{id: s{number}, title: {titles.get(number, f'Step {number}')}, takes: 1 day}}")
    return "\n".join(lines) + "\n"
