"""Why a step has its date: the chain from it to the deadline, hop by hop, in sentences."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sync.occurrences import step_of
from sync.reports import words
from sync.schedule import Bound, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.calendars import Calendar
    from sync.schedule import Schedule, ScheduledGoal, ScheduledStep

_MANY_DAYS = 6  # from here on, days off are counted instead of named


def explain(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep | None) -> list[str]:
    """Return the sentences for one step; without one, for the first step of the goal's longest chain."""
    lines = [f"{words.clean(goal.goal.title)} is due on {words.day(goal.deadline)}: {words.health(goal)}."]
    if step is None:
        chain = [s for s in goal.steps if s.longest_chain and s.open]
        step = min(chain, key=lambda s: s.start or date.max, default=None)
        if step is not None:
            lines.append(f"Its longest chain begins with `{step.step.id}`, which decides when work must start.")
    if step is not None:
        lines += _chain(schedule, goal, step)
    return lines


def _chain(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep) -> Iterator[str]:
    steps = schedule.steps()
    seen: set[str] = set()
    while step.step.key not in seen:
        seen.add(step.step.key)
        yield _dates(step)
        yield from _squeezed(goal, step)
        if (reason := step.reason).bound is Bound.REPEATS:
            *_, last = (s for s in goal.steps if step_of(s.step.key) == step_of(step.step.key) and not s.pinned)
            yield f"  It comes again {words.every(step)}, counted back from the last time."
            step = last
            continue
        following = steps.get(reason.key) if reason.key and reason.bound is Bound.NEXT else None
        if following is None:
            yield from _end(goal, step)
            return
        yield _hop(step, following, goal.goal.calendar)
        step = following


def _title(step: ScheduledStep) -> str:
    return words.clean(step.step.title)


def _dates(step: ScheduledStep) -> str:
    if step.dropped:
        return f"“{_title(step)}” was dropped in the app; it has no date any more."
    if step.done:
        return f"“{_title(step)}” was done on {words.day(step.done)}."
    if step.due is None or step.start is None:
        return f"“{_title(step)}” is optional and has no date: there is no time for it."
    takes = "has no `takes`, so it shares the time there is" if step.step.flexible else f"takes {words.takes(step)}"
    if step.start == step.due:
        return f"“{_title(step)}” stands on {words.day(step.due)} ({takes})."
    return f"“{_title(step)}” runs from {words.day(step.start)} to {words.day(step.due)} ({takes})."


def _squeezed(goal: ScheduledGoal, step: ScheduledStep) -> Iterator[str]:
    if step.squeezed:
        fits = (
            f"; a deadline of {words.day(goal.earliest_deadline)} would leave it whole"
            if goal.earliest_deadline
            else ""
        )
        yield f"  It gets less time than written, so that everything fits before the deadline{fits}."


def _hop(step: ScheduledStep, following: ScheduledStep, calendar: Calendar) -> str:
    wait = step.reason.wait
    waiting = f", after a wait of {wait}" if wait else ""
    starts = f"“{_title(following)}” starts on {words.day(following.start)}"
    sentence = f"  It has to be finished before {starts}{waiting}."
    if step.due is None or following.start is None:
        return sentence
    return sentence + _between(step.due, following.start, calendar)


def _between(due: date, start: date, calendar: Calendar) -> str:
    """Return a sentence on the days off between two steps: they are what surprises people."""
    days = [due + timedelta(days=n) for n in range(1, (start - due).days)]
    return _named([(day, why) for day in days if (why := calendar.why_free(day))])


def _named(free: list[tuple[date, str]]) -> str:
    if not free:
        return ""
    if len(free) >= _MANY_DAYS:
        return f" In between lie {len(free)} days that are not working days."
    return " Not working days in between: " + ", ".join(f"{words.day(day)} ({why})" for day, why in free) + "."


def _end(goal: ScheduledGoal, step: ScheduledStep) -> Iterator[str]:
    reason = step.reason
    if reason.bound is Bound.LIMIT:
        yield "  It is the last thing before the deadline." + _limit(goal)
    elif reason.bound is Bound.APPOINTMENT:
        yield f"  It is an appointment on {words.day(reason.day)} (`on`), which no plan moves."
    elif reason.bound is Bound.PIN:
        moved = f"A person moved it to {words.day(reason.day)} in the app"
        yield f"  {moved}; there it stays until the file changes its timing."
    elif reason.bound is Bound.BY:
        yield f"  The file wants it done by {words.day(reason.day)} (`by`)."
    elif reason.bound is Bound.FOLLOW_UP:
        yield f"  It is a follow-up, {reason.wait} after the deadline."
    elif reason.bound is Bound.COUNTDOWN:
        before = f"`{reason.key}`" if reason.key else "the deadline"
        yield f"  It counts down: due {reason.wait} before {before}."
    elif reason.bound is Bound.STANDING:
        yield f"  The plan of {words.day(reason.day)} stands, and this is its date."
    elif reason.key:
        yield f"  It has to be finished before `{reason.key}` begins."
    if goal.state is State.LATE and step.slack < 0:
        yield f"  From today on it cannot be finished before {words.day(step.early_finish)}."


def _limit(goal: ScheduledGoal) -> str:
    if goal.limit == goal.deadline:
        return ""
    buffer = f", with a buffer of {goal.goal.buffer} before the deadline" if goal.goal.buffer.amount else ""
    days = [goal.limit + timedelta(days=n) for n in range(1, (goal.deadline - goal.limit).days + 1)]
    free = _named([(day, why) for day in days if (why := goal.goal.calendar.why_free(day))])
    return f" Work ends on {words.day(goal.limit)}{buffer}.{free}"
