"""The words for what to warn of in a goal's dates."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from config.display import count
from sync.reconcile.progress import GIVEN_UP
from sync.schedule import warnings as kinds

if TYPE_CHECKING:
    from sync.schedule.model import ScheduledGoal
    from sync.schedule.warnings import GoalWarning

_NAMED = 5  # steps that one warning names


def warnings(goal: ScheduledGoal) -> tuple[str, ...]:
    """Return what to warn of, each in a sentence without a capital and a full stop."""
    return tuple(map(sentence, goal.warnings))


@singledispatch
def sentence(warning: GoalWarning) -> str:
    """Return the words for a warning."""
    raise NotImplementedError(type(warning))


@sentence.register(kinds.DeadlinePassed)
def _(warning: kinds.DeadlinePassed) -> str:
    move = f"move it in the goals file, or with `backplan move {warning.goal.id} DATE`"
    return f"the deadline {warning.deadline} has passed; {move}"


@sentence.register(kinds.Late)
def _(warning: kinds.Late) -> str:
    return f"late by {count(warning.days, 'working day')}; as written it would fit a deadline of {warning.fits}"


@sentence.register(kinds.NoDeadlineFits)
def _(_warning: kinds.NoDeadlineFits) -> str:
    return "late, and no other deadline helps"


@sentence.register(kinds.StartsTooEarly)
def _(warning: kinds.StartsTooEarly) -> str:
    return f"“{warning.step.title}” would have to begin on {warning.start}, and cannot before {warning.earliest}"


@sentence.register(kinds.MoreStartTooEarly)
def _(warning: kinds.MoreStartTooEarly) -> str:
    return f"{warning.more} more would have to begin before they can"


@sentence.register(kinds.NoRoom)
def _(warning: kinds.NoRoom) -> str:
    names = ", ".join(f"“{step.title}”" for step in warning.steps[:_NAMED])
    more = f" and {len(warning.steps) - _NAMED} more" if len(warning.steps) > _NAMED else ""
    text = f"no place was found for {names}{more} in one piece: on some of these days its person has too many steps"
    remedies = " or ".join(map(_remedy, warning.remedies))
    return f"{text}; it would fit with {remedies}" if remedies else text


def _remedy(remedy: kinds.Remedy) -> str:
    if remedy.step is not None:
        return f"“{remedy.step.title}” given to somebody else"
    return f"capacity {remedy.at_once} for `{remedy.who}`"


@sentence.register(kinds.MakesRoom)
def _(warning: kinds.MakesRoom) -> str:
    names = ", ".join(f"“{goal.title}”" for goal in warning.goals[:_NAMED])
    return f"its steps move, so that {names} {'fits' if len(warning.goals) == 1 else 'fit'}"


@sentence.register(kinds.Waits)
def _(_warning: kinds.Waits) -> str:
    return "the plan of another goal with the same person could not be read, so this goal waits for the next run"


@sentence.register(kinds.LessTime)
def _(warning: kinds.LessTime) -> str:
    get = "gets" if warning.steps == 1 else "get"
    so_that = ", so that all fits" if warning.fits else ""
    return f"{warning.steps} of {warning.of} steps {get} less time than written{so_that}"


@sentence.register(kinds.SharedDays)
def _(warning: kinds.SharedDays) -> str:
    names = ", ".join(f"“{step.title}”" for step in warning.steps[:_NAMED])
    return f"fewer working days than steps: {names} share days"


@sentence.register(kinds.ShortWait)
def _(warning: kinds.ShortWait) -> str:
    begins = f"“{warning.after.title}” begins on {warning.begins}"
    return f"the wait of {warning.wait} after “{warning.before.title}” does not fit: {begins}"


@sentence.register(kinds.NoDayLeft)
def _(warning: kinds.NoDayLeft) -> str:
    end = f"“{warning.fixed.title}”" if warning.fixed else "the deadline"
    return f"no working day is left between what “{warning.step.title}” waits for and {end} on {warning.until}"


@sentence.register(kinds.OutOfOrder)
def _(warning: kinds.OutOfOrder) -> str:
    return (
        f"“{warning.before.title}” on {warning.before_due} leaves no working day for “{warning.step.title}”, "
        f"which comes after it and is due on {warning.due}"
    )


@sentence.register(kinds.AfterDeadline)
def _(warning: kinds.AfterDeadline) -> str:
    return f"“{warning.step.title}” is due on {warning.due}, after the deadline"


@sentence.register(kinds.Skipped)
def _(warning: kinds.Skipped) -> str:
    return f"“{warning.step.title}” is optional and got no date: there is no time for it"


@sentence.register(kinds.DeadlineTooNear)
def _(warning: kinds.DeadlineTooNear) -> str:
    return f"this usually takes at least {warning.at_least}, and the deadline is nearer than that"


@sentence.register(kinds.Overdue)
def _(warning: kinds.Overdue) -> str:
    return "overdue: " + ", ".join(f"“{step.title}” ({due})" for step, due in warning.steps[:_NAMED])


@sentence.register(kinds.GivenUp)
def _(warning: kinds.GivenUp) -> str:
    return f"in {', '.join(warning.labels)} {GIVEN_UP}"


@sentence.register(kinds.Held)
def _(warning: kinds.Held) -> str:
    return f"{warning.problem}. Until then nothing of this goal is made, changed or removed"
