"""Measures what a run decides in, for plans of unusual shapes: `.venv/bin/python benchmarks/shapes.py`.

Each shape is planned for the first time, and once more with all its tasks in an app in memory, which neither reads nor
writes anything over a network. Beside the seconds stands how many times as long a step takes in a plan four times as
large: 1 is linear.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.run.homes import Binding

sys.path.insert(0, str(Path(__file__).parent.parent))

import yaml

from config.loader import load
from sync.run import pipeline, reading
from tests.histories.connector import connect
from tests.histories.service import UNIQUE, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.project import Project

TODAY = date(2027, 1, 4)
FAR = "2099-09-30"
SMALL, LARGE = 1_000, 4_000
DAY = {"takes": "1 day"}
Goals = list[dict[str, Any]]


def one_goal(count: int) -> Goals:
    """One goal, one step after the other."""
    return [goal("g", FAR, steps(count))]


def many_goals(count: int) -> Goals:
    """A goal for every ten steps."""
    return [goal(f"g{n}", FAR, steps(10)) for n in range(count // 10)]


def hanging_goals(count: int) -> Goals:
    """Goals of ten steps, each of which hangs on the deadline of the next."""
    number = count // 10
    deadlines = [{"before": f"g{n}", "by": "1 day"} for n in range(1, number)] + [FAR]
    return [goal(f"g{n}", deadline, steps(10)) for n, deadline in enumerate(deadlines)]


def groups(count: int) -> Goals:
    """One goal, in groups of five steps."""
    return [
        goal("g", FAR, [{"id": f"a{n}", "title": f"Part {n}", "steps": steps(5, f"{n}-")} for n in range(count // 5)])
    ]


def side_by_side(count: int) -> Goals:
    """One goal, all steps but the last at once."""
    return [
        goal("g", FAR, [{"title": "All of it", "parallel": True, "steps": steps(count - 1)}, {"title": "Then", **DAY}])
    ]


def without_lengths(count: int) -> Goals:
    """One goal, whose steps share the time."""
    return [goal("g", FAR, [step["title"] for step in steps(count)])]


def too_late(count: int) -> Goals:
    """One goal, with a day for a hundred steps."""
    return [goal("g", "2027-01-31", steps(count))]


def goal(name: str, deadline: object, parts: list[Any]) -> dict[str, Any]:
    """Return a goal as the file says it."""
    return {"id": name, "title": f"Goal {name}", "deadline": deadline, "steps": parts}


def steps(count: int, name: str = "") -> Goals:
    """Return steps as the file says them."""
    return [{"id": f"s{name}{n}", "title": f"Step {name}{n}", **DAY} for n in range(count)]


SHAPES = (one_goal, many_goals, hanging_goals, groups, side_by_side, without_lengths, too_late)


def project(said: Goals) -> Project:
    """Return the project that a file with these goals is."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "goals.yaml"
        path.write_text(yaml.dump({"namespace": "benchmark", "goals": said}, Dumper=yaml.CSafeDumper), "utf-8")
        return load(path)


def measure(shape: Callable[[int], Goals], count: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Return what a first plan takes by a clock, and one of a run that finds everything as it should be."""
    plan = project(shape(count))
    service = Service(UNIQUE)
    took = []
    for _ in range(2):
        homes = (Binding(connect(service, plan.namespace, "app"), frozenset(g.id for g in plan.goals)),)
        snapshots = reading.take_snapshots(plan, homes, TODAY)
        began = clock()
        plans = pipeline.make_plans(reading.work_out(plan, snapshots, TODAY), allow_mass_change=True)
        took.append(clock() - began)
        pipeline.apply(plans, homes, lambda _: None)
    return took[0], took[1]


def main() -> None:
    """Measure every shape and print a row for each."""
    print(f"{'shape':<16} {f'first of {LARGE:,}':>16} {'a step':>7} {f'next of {LARGE:,}':>16} {'a step':>7}")
    for shape in SHAPES:
        small, large = (measure(shape, count, time.process_time) for count in (SMALL, LARGE))
        growth = [after / before * SMALL / LARGE for before, after in zip(small, large, strict=True)]
        name = shape.__name__.replace("_", " ")
        print(f"{name:<16} {large[0]:>14.2f} s {growth[0]:>7.1f} {large[1]:>14.2f} s {growth[1]:>7.1f}")


if __name__ == "__main__":
    main()
