"""Whether small plans fit at all, against trying every day for every step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from config.durations import parse
from config.project import EVERYBODY, Goal, Link, Project, Step
from sync.schedule.model import Progress
from sync.schedule.planner import plan_all
from tests.schedule.test_scheduler_properties import ORIGIN, project

TODAY = date(2027, 1, 4)


def small_plan(seed: int) -> Project:
    """Return three goals of one to three steps in a row for one person, with little more time than they take."""
    dice = Random(seed)  # noqa: S311  # not for secrets
    made = []
    for name in "abc":
        lengths = [dice.randint(1, 3) for _ in range(dice.randint(1, 3))]
        keys = [f"{name}/s{n}" for n in range(len(lengths))]
        steps = tuple(
            Step(key, key, ORIGIN, takes=parse(str(length)), after=(Link(keys[n - 1]),) if n else ())
            for n, (key, length) in enumerate(zip(keys, lengths, strict=True))
        )
        deadline = TODAY + timedelta(days=max(sum(lengths), dice.randint(5, 15)) - 1)
        made.append(Goal(name, name, deadline, ORIGIN, steps=steps, sequence=steps, when_full="earlier"))
    return replace(project(*made), capacity={EVERYBODY: 1})


def can_fit(plan: Project) -> bool:
    """Return whether some order of the steps keeps all deadlines: each step as early as it can be, in every order."""
    chains = [
        (tuple(step.takes.amount for step in goal.steps if step.takes), (goal.deadline - TODAY).days + 1)
        for goal in plan.goals
        if isinstance(goal.deadline, date)
    ]
    seen: set[tuple[int, ...]] = set()

    def search(done: tuple[int, ...]) -> bool:
        if done in seen:
            return False
        seen.add(done)
        if all(count == len(lengths) for count, (lengths, _) in zip(done, chains, strict=True)):
            return True
        day = sum(sum(lengths[:count]) for count, (lengths, _) in zip(done, chains, strict=True))
        return any(
            day + lengths[count] <= limit and search((*done[:n], count + 1, *done[n + 1 :]))
            for n, (count, (lengths, limit)) in enumerate(zip(done, chains, strict=True))
            if count < len(lengths)
        )

    return search((0,) * len(chains))


def test_what_fits_fits_and_what_does_not_is_said_not_to() -> None:
    possible, found = 0, 0
    for seed in range(60):
        plan = small_plan(seed)
        plans = plan_all(plan, Progress(), TODAY).plans.values()
        fits = not any(goal.full for goal in plans)
        if can_fit(plan):
            possible, found = possible + 1, found + fits
        else:
            assert not fits, seed
    assert possible >= 20
    assert found >= 0.8 * possible, (found, possible)
