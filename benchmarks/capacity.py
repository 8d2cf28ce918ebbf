"""Measures `when_full: earlier`. Run it with `.venv/bin/python benchmarks/capacity.py [SEED]`.

First, six orders in which steps can be placed, on the same random plans: how many plans fit in one pass, and how many
days earlier a step is due. Then, how many steps of other goals one edit moves, and how many would move if all were
placed anew. Last, the processor time of the levelled pass, and of all attempts where something
does not fit, beside that of the passes without capacity.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import mean, median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from config.durations import parse
from config.project import Goal, Link, Origin, Project, Step
from config.source import Source
from sync.schedule.forward_pass import early_ends
from sync.schedule.levelling import Levelling
from sync.schedule.model import Progress, Published
from sync.schedule.planner import plan_all
from sync.schedule.release import level_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from config.durations import Duration
    from sync.schedule.context import Context
    from sync.schedule.levelling import Movable

TODAY = date(2027, 1, 4)
DAY = timedelta(days=1)
ORIGIN = Origin(Source("generated", "goals: []"), ())
PLANS, EDITS = 150, 60
_OTHERS = 0.12  # of the steps
LENGTHS = [parse(f"{days} days") for days in range(1, 6)]
SIZES = (1_000, 10_000, 100_000)

ORDERS: dict[str, Callable[[Movable, Context], list[int]]] = {
    "most work before it": lambda one, _: one.head,
    "latest due first": lambda one, _: one.plan.latest.due,
    "latest start first": lambda one, _: one.plan.latest.day_before,
    "least slack first": lambda one, _: [a - b for a, b in zip(one.early.finish, one.plan.latest.due, strict=True)],
    "goal by goal, farthest deadline first": lambda one, context: _by_deadline(one, context, 1),
    "goal by goal, nearest deadline first": lambda one, context: _by_deadline(one, context, -1),
}


def main() -> None:
    """Print the three tables."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    gc.disable()  # as the command line does
    print(f"seed {seed}")
    print_orders(seed)
    print_edits(seed)
    print_times()


def random_plan(dice: Random, load: float) -> Project:
    """Return 5 to 20 goals of 4 to 12 steps for 1 to 3 people; the work of the busiest is that part of the days."""
    people = [f"p{n}" for n in range(dice.randint(1, 3))]
    shapes = [(dice.choice(people), _lengths(dice, dice.randint(4, 12))) for _ in range(dice.randint(5, 20))]
    work = Counter[str]()
    for who, lengths in shapes:
        work[who] += sum(length.amount for length in lengths)
    horizon = int(max(work.values()) * (1 - _OTHERS) / load)
    return _project(people, (_goal(dice, f"g{n}", *shape, horizon) for n, shape in enumerate(shapes)))


def _lengths(dice: Random, count: int) -> list[Duration]:
    return [dice.choice(LENGTHS) for _ in range(count)]


def _goal(dice: Random, name: str, who: str, lengths: Sequence[Duration], horizon: int) -> Goal:
    """Return a goal whose steps follow one or two of those before them; some are somebody else's, without a limit."""
    steps: list[Step] = []
    for n, length in enumerate(lengths):
        links = {dice.randint(max(0, n - 2), n - 1) for _ in range(dice.randint(1, 2))} if n else set()
        does = "others" if dice.random() < _OTHERS else who
        after = tuple(Link(f"{name}/s{before}") for before in sorted(links))
        steps.append(Step(f"{name}/s{n}", f"{name} {n}", ORIGIN, takes=length, after=after, who=does))
    needed = sum(length.amount for length in lengths)
    deadline = TODAY + timedelta(days=dice.randint(needed, max(horizon, needed + 5)) - 1)
    return Goal(name, name, deadline, ORIGIN, steps=tuple(steps), sequence=tuple(steps), when_full="earlier")


def _project(people: Iterable[str], goals: Iterable[Goal]) -> Project:
    listed = tuple(goals)
    return Project(listed, listed, capacity=dict.fromkeys(people, 1))


def _by_deadline(one: Movable, context: Context, sign: int) -> list[int]:
    return [sign * context.deadlines[one.plan.goal.id]] * len(one.head)


def bare(project: Project, progress: Progress | None = None) -> Context:
    """Return the plans without capacity."""
    return plan_all(replace(project, capacity={}), progress or Progress(), TODAY)


def print_orders(seed: int) -> None:
    """Print, by order and load, how many of the plans fit, and the days that a step is earlier at 70 %."""
    loads = (0.5, 0.7, 0.85, 1.0)
    print(f"\nplans of {PLANS} that fit in one pass, by load    50 %  70 %  85 % 100 %  days earlier at 70 %")
    for name, order in ORDERS.items():
        fits, earlier = [], []
        for load in loads:
            dice, count = Random(seed), 0  # noqa: S311
            for _ in range(PLANS):
                project = random_plan(dice, load)
                context = replace(bare(project), project=project)
                levelling = Levelling(context, set())
                levelling.movable = [replace(one, head=order(one, context)) for one in levelling.movable]
                attempt = levelling.attempt({}, frozenset())
                count += not attempt.missing
                if load == 0.7 and not attempt.missing:
                    pairs = zip(levelling.movable, attempt.networks, strict=True)
                    earlier += [a - b for one, net in pairs for a, b in zip(one.plan.dues, net.latest.due, strict=True)]
            fits.append(count)
        print(f"{name:45} " + " ".join(f"{one:5}" for one in fits) + f"  {mean(earlier or [0]):8.1f}")


def print_edits(seed: int) -> None:
    """Print how many steps of other goals one edit moves."""
    print("\nsteps of other goals that one edit moves           mean  median   all placed anew")
    for load in (0.4, 0.6, 0.75):
        dice = Random(seed)  # noqa: S311
        kept, anew = [], []
        for _ in range(EDITS):
            project = random_plan(dice, load)
            before = plan_all(project, Progress(), TODAY)
            edited = _edited(dice, project)
            other = project.with_goals(lambda goal, edited=edited: edited if goal.id == edited.id else goal)  # type: ignore[misc]
            progress = Progress(published=_published(before))
            kept.append(_moved(before, plan_all(other, progress, TODAY), edited))
            anew.append(_moved(before, plan_all(other, Progress(), TODAY), edited))
        print(f"  at {load:.0%} load {mean(kept):40.1f} {median(kept):7.1f} {mean(anew):17.1f}")


def _edited(dice: Random, project: Project) -> Goal:
    """Return a goal with one length, or with its deadline, changed."""
    goal = dice.choice(project.goals)
    if dice.random() < 0.5 and isinstance(goal.deadline, date):
        return replace(goal, deadline=goal.deadline + dice.choice([-3, 3, 7]) * DAY)
    chosen = dice.randrange(len(goal.steps))
    steps = tuple(replace(s, takes=dice.choice(LENGTHS)) if n == chosen else s for n, s in enumerate(goal.steps))
    return replace(goal, steps=steps, sequence=steps)


def _published(context: Context) -> dict[str, Published]:
    return {
        name: Published(
            TODAY - DAY,
            plan.digest,
            {
                step.key: (date.fromordinal(plan.starts[i]), date.fromordinal(plan.dues[i]))
                for i, step in enumerate(plan.graph.steps)
            },
        )
        for name, plan in context.plans.items()
    }


def _moved(before: Context, after: Context, edited: Goal) -> int:
    return sum(
        one.dues[i] != after.plans[name].dues[i]
        for name, one in before.plans.items()
        if name != edited.id
        for i in range(len(one.dues))
    )


def large_plan(steps: int, people: int) -> Project:
    """Return chains of ten steps, with deadlines over the days in which 70 % of the time is work."""
    dice = Random(1)  # noqa: S311
    lengths = [_lengths(dice, 10) for _ in range(steps // 10)]
    names = [f"p{n}" for n in range(people)]
    horizon = int(sum(length.amount for one in lengths for length in one) / people / 0.7) + 50
    return _project(names, (_goal(dice, f"g{n}", names[n % people], one, horizon) for n, one in enumerate(lengths)))


def in_pieces(steps: int) -> Project:
    """Return appointments on every second day, and as many steps of two days, for which only later days have room."""
    on = tuple(Step(f"a/s{n}", f"A {n}", ORIGIN, takes=LENGTHS[0], on=TODAY + 2 * n * DAY) for n in range(steps // 2))
    short = tuple(Step(f"b/s{n}", f"B {n}", ORIGIN, takes=LENGTHS[1]) for n in range(steps // 2))
    ends = {"a": TODAY + steps * DAY, "b": TODAY + (2 * steps + 2) * DAY}
    listed = {"a": on, "b": short}
    goals = (Goal(n, n, ends[n], ORIGIN, steps=s, sequence=s, when_full="earlier") for n, s in listed.items())
    return _project(["me"], goals)


def print_times() -> None:
    """Print the seconds of the passes without capacity, and of the levelling."""
    print("\nprocessor time                     without capacity   one pass, times   with all attempts   without room")
    for size in SIZES:
        plans = {"1 person": large_plan(size, 1), f"{size // 100} people": large_plan(size, size // 100)}
        for name, project in {**plans, "days in pieces": in_pieces(size)}.items():
            start = time.process_time()
            context = bare(project)
            early_ends(Progress(), TODAY, context.deadlines, [context.plans[goal.id] for goal in project.sequence])
            without = time.process_time() - start
            context = replace(context, project=project)
            start = time.process_time()
            missing = Levelling(context, set()).attempt({}, frozenset()).missing
            once = time.process_time() - start
            start = time.process_time()
            level_all(context, partial(context.plans.__getitem__))
            levelled = time.process_time() - start
            print(
                f"{size:9,} steps, {name:20} {without:10.3f} s {once:8.3f} s {once / without:4.1f}"
                f" {levelled:9.3f} s {levelled / without:5.1f}   {len(missing):6,}"
            )


if __name__ == "__main__":
    main()
