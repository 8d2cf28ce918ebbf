"""Measures the scheduler beside a bare loop. Run it with `.venv/bin/python benchmarks/scheduler.py`.

The bare loop is what one would write for dates alone: index the calendar as whole numbers, sort, one pass, dates back.
The pass is ours to the same dates, from goals that were read (and sorted) to a `date` for each start and due; the whole
is `schedule`, which adds earliest dates, slack, health, reasons, warnings and digests. Times are the least processor
time of several rounds, in which the three take turns; memory is the most that one run needs at once.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.plans import layered, project
from sync.schedule.backward_pass import BackwardPass, Constraints, first_days
from sync.schedule.context import context_of, to_date
from sync.schedule.lengths import written_lengths
from sync.schedule.model import Progress
from sync.schedule.scheduler import schedule
from sync.schedule.step_graph import StepGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.plans import Layered
    from config.calendars import Calendar
    from config.project import Project

TODAY = date(2026, 1, 5)
SIZES = (1_000, 10_000, 100_000)


def main() -> None:
    """Measure all sizes, as one goal and as a hundred, and print a row for each."""
    gc.disable()  # as the command line does
    print("goals   steps  bare loop   the pass            schedule()            memory a step above the model")
    for goals in (1, 100):
        rows = [measured(goals, size) for size in SIZES]
        for size, (bare, ours, whole, memory) in zip(SIZES, rows, strict=True):
            print(
                f"{goals:5} {size:7}  {bare:.4f} s   {ours:.4f} s {ours / bare:4.1f} x"
                f"   {whole:.4f} s {whole / bare:5.1f} x   {memory / size:6.0f} bytes"
            )
        growth = [last / SIZES[-1] / (first / SIZES[0]) for first, last in zip(rows[0][:3], rows[-1][:3], strict=True)]
        print("      time a step, 100,000 against 1,000: " + " ".join(f"{times:.2f}" for times in growth))


def measured(goals: int, steps: int) -> tuple[float, float, float, int]:
    """Return the seconds of the bare loop, of the pass and of the whole, and the bytes that the whole needs."""
    plans, plan = list(layered(goals, steps // goals)), project(goals, steps // goals)
    calendar = plan.goals[0].calendar
    bare, ours, whole = least(
        partial(bare_loop, plans, calendar),
        partial(the_pass, plan),
        partial(schedule, plan, Progress(), TODAY),
    )
    return bare, ours, whole, peak(partial(schedule, plan, Progress(), TODAY))


def bare_loop(plans: Iterable[Layered], calendar: Calendar) -> list[list[tuple[date, date]]]:
    """Return the start and due of every step, in the barest Python there is."""
    last = date(2032, 1, 1).toordinal()
    off = {day.toordinal() for day, _ in calendar.days_off}
    days = [day for day in range(TODAY.toordinal(), last) if (day - 1) % 7 in calendar.workdays and day not in off]
    position = {day: number for number, day in enumerate(days)}
    return [bare_goal(plan, days, position) for plan in plans]


def bare_goal(plan: Layered, days: list[int], position: dict[int, int]) -> list[tuple[date, date]]:
    """Return the start and due of every step of one goal."""
    day = plan.deadline.toordinal()
    while day not in position:
        day -= 1
    limit = position[day]
    following: list[list[int]] = [[] for _ in plan.days]
    for number, after in enumerate(plan.after):
        for before in after:
            following[before].append(number)
    begins, dues = [0] * len(following), [0] * len(following)
    for number in reversed(in_order(plan.after, following)):
        end = limit
        for after_it in following[number]:
            if begins[after_it] < end:
                end = begins[after_it]
        dues[number] = end
        begins[number] = end - plan.days[number]
    return [
        (date.fromordinal(days[begin + 1]), date.fromordinal(days[due]))
        for begin, due in zip(begins, dues, strict=True)
    ]


def in_order(after: list[list[int]], following: list[list[int]]) -> list[int]:
    """Return the steps so that each stands after what it follows (Kahn's algorithm)."""
    waits = list(map(len, after))
    order = [number for number, count in enumerate(waits) if not count]
    for number in order:
        for after_it in following[number]:
            waits[after_it] -= 1
            if not waits[after_it]:
                order.append(after_it)
    return order


def the_pass(plan: Project) -> list[list[tuple[date, date]]]:
    """Return the start and due of every step by our backward pass alone."""
    context, found = context_of(plan, Progress(), TODAY), []
    for goal in plan.sequence:
        graph = StepGraph(goal, context.window(goal))
        latest = BackwardPass(graph, Constraints()).latest([length or 1 for length in written_lengths(graph)])
        starts, dues = first_days(graph, latest), latest.due
        found.append(list(zip(map(to_date, starts), map(to_date, dues), strict=True)))
    return found


def least(*works: Callable[[], object], rounds: int = 5) -> list[float]:
    """Return the least processor time that each work took, in seconds; they take turns."""
    took: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, took, strict=True):
            gc.collect()
            start = time.process_time()
            result = work()
            times.append(time.process_time() - start)
            del result
    return list(map(min, took))


def peak(work: Callable[[], object]) -> int:
    """Return the most memory that a work needs at once, its result included, in bytes."""
    gc.collect()
    tracemalloc.start()
    result = work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return most


if __name__ == "__main__":
    main()
