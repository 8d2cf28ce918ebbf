"""Why a step has its date: the chain from it to the deadline, hop by hop, in sentences."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from config import display
from config.calendars import WEEKDAY_NAMES
from config.durations import Unit
from config.keys import goal_of, step_of
from config.project import RelativeDeadline
from sync.reports import blockers, words
from sync.schedule.model import Bound, State
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.calendars import Calendar
    from config.durations import Duration
    from sync.run.deadline_history import Moved
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_DAY = timedelta(days=1)
_MANY_DAYS = 6  # from here on, days off are counted instead of named

_WITH_DAY = {
    Bound.APPOINTMENT: "It is an appointment on {day} (`on`), which no plan moves.",
    Bound.PIN: "A person moved it to {day} in the app; there it stays until the file changes its timing.",
    Bound.BY: "The file wants it done by {day} (`by`).",
    Bound.STANDING: "The plan of {day} stands, and this is its date.",
}


def explain(
    schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep | None, history: Sequence[Moved] = ()
) -> list[str]:
    """Return the sentences for one step; without one, for the first step of the goal's longest chain.

    history: the deadlines that the goal has had, the oldest first.
    """
    lines = [
        f"{display.clean(goal.goal.title)} is due on {display.near(goal.deadline)}{_hung(goal)}: {words.health(goal)}."
    ]
    lines += [
        f"Its deadline was {display.near(before.deadline)}; the goals file moved it to {display.near(moved.deadline)} "
        f"on {display.near(moved.day)}."
        for before, moved in pairwise(history)
    ]
    if step is None:
        chain = [s for s in goal.steps if s.longest_chain and s.open]
        step = min(chain, key=lambda s: s.start or date.max, default=None)
        if step is not None:
            lines.append(f"Its longest chain begins with `{step.step.id}`, which decides when work must start.")
    if step is not None:
        lines += _chain(schedule, goal, step)
    return lines


def _hung(goal: ScheduledGoal) -> str:
    deadline = goal.goal.deadline
    return f", {deadline.by} before the deadline of `{deadline.goal}`" if isinstance(deadline, RelativeDeadline) else ""


def _chain(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep) -> Iterator[str]:
    """Yield sentences on a step, and on each step that follows from it to the one that nothing follows."""
    steps, goals = _by_key(schedule), {goal.goal.id: goal for goal in schedule.goals}
    seen: set[str] = set()
    squeezed = False
    while step.step.key not in seen:
        seen.add(step.step.key)
        yield _dates(step, goal.goal.calendar)
        yield from _remarks(schedule, goal, step, again=squeezed)
        squeezed = squeezed or step.squeezed
        following = _following(goal, step, steps)
        if following is None:
            yield from _end(goal, step, steps) if step.open else ()
            return
        yield _hop(step, following, goal)
        step, goal = following, goals[goal_of(following.step.key)]


def _remarks(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep, *, again: bool) -> Iterator[str]:
    """Yield remarks on the dates of a step. again: a step before it is squeezed."""
    opens = step.step.not_before
    if step.open and step.slack <= 0 and opens and opens > schedule.today:
        yield f"  It cannot start before {display.near(opens)} (`from`)."
    if blocked := blockers.sentence(schedule, goal, step):
        yield f"  {blocked}"
    if step.squeezed:
        yield _squeezed(goal, again=again)
    if step.overdue:
        yield "  That day has passed, and it is not done: it is overdue, and keeps its date."


def _following(goal: ScheduledGoal, step: ScheduledStep, steps: Mapping[str, ScheduledStep]) -> ScheduledStep | None:
    """Return the step that sets the date of this one: of an occurrence, the last one; None for none."""
    if step.reason.bound is Bound.REPEATS:
        *_, last = (s for s in goal.steps if step_of(s.step.key) == step_of(step.step.key) and not s.pinned)
        return last
    if step.reason.bound is not Bound.NEXT or not step.open:
        return None
    return steps.get(step.reason.key or "")


def _by_key(schedule: Schedule) -> dict[str, ScheduledStep]:
    """Return every step by its key, and of those that repeat the first time by the step's own."""
    steps = schedule.steps()
    for key, step in reversed(list(steps.items())):
        steps[step_of(key)] = step
    return steps


def _title(step: ScheduledStep) -> str:
    return display.clean(step.step.title)


def _dates(step: ScheduledStep, calendar: Calendar) -> str:
    if step.dropped:
        return f"“{_title(step)}” was dropped in the app; it has no date any more."
    if step.done:
        return f"“{_title(step)}” was done on {display.near(step.done)}."
    if step.due is None or step.start is None:
        return f"“{_title(step)}” is optional and has no date: there is no time for it."
    stands = f"“{_title(step)}” stands on {display.near(step.due)} ({_takes(step)})."
    runs = f"“{_title(step)}” runs from {display.near(step.start)} to {display.near(step.due)} ({_takes(step)})."
    days, takes = stands if step.start == step.due else runs, step.step.takes
    if takes is not None and takes.unit is Unit.WORKING_DAYS:
        return days + _among(step.start, step.due, calendar)
    if takes is None or takes.unit not in (Unit.SPAN_DAYS, Unit.MONTHS) or step.squeezed or step.step.grows:
        return days
    return days + _off_before(date.fromordinal(shift(step.due.toordinal(), takes, -1)) + _DAY, step.start, calendar)


def _takes(step: ScheduledStep) -> str:
    takes = step.step.takes
    if step.step.flexible:
        return "has no `takes`, so it shares the time there is"
    if takes is not None and takes.unit is Unit.PERCENT:
        return f"takes {takes} of the working days that the goal has"
    return "a milestone, which takes no time" if step.step.milestone else f"takes {words.takes(step)}"


def _off_before(first: date, start: date, calendar: Calendar) -> str:
    """Return a sentence on the days off with which a week or a month begins."""
    free = _free(first, start - _DAY, calendar)
    if not free or len(free) < (start - first).days:
        return ""
    return (
        f" By the calendar it begins on {display.near(first)}; the days from there to its start are not working days."
    )


def _among(start: date, due: date, calendar: Calendar) -> str:
    """Return a sentence on the days off within a step."""
    free = _free(start, due, calendar)
    if not free:
        return ""
    if len(free) >= _MANY_DAYS:
        return f" {len(free)} of these days are not working days."
    return f" Not working days among them: {_list(free)}."


def _squeezed(goal: ScheduledGoal, *, again: bool) -> str:
    if again:
        return "  It gets less time than written, too."
    fits = (
        f"; a deadline of {display.near(goal.earliest_deadline)} would leave it whole" if goal.earliest_deadline else ""
    )
    return f"  It gets less time than written, so that everything fits before the deadline{fits}."


def _hop(step: ScheduledStep, following: ScheduledStep, goal: ScheduledGoal) -> str:
    if step.reason.bound is Bound.REPEATS:
        return f"  It comes again {words.every(step)}, counted back from the last time."
    wait, elsewhere = step.reason.wait, goal_of(following.step.key)
    place = f" (of `{elsewhere}`)" if elsewhere != goal.goal.id else ""
    starts = f"“{_title(following)}”{place} starts on {display.near(following.start)}"
    if wait is not None and wait.amount < 0:
        return f"  It may still go on for {str(wait).lstrip('-')} when {starts}."
    waiting = f", after a wait of {wait}" if wait else ""
    sentence = f"  It has to be finished before {starts}{waiting}."
    if step.due is None or following.start is None:
        return sentence
    free = _free(step.due + _DAY, following.start - _DAY, goal.goal.calendar)  # users wonder about these days
    if len(free) >= _MANY_DAYS:
        return f"{sentence} In between lie {len(free)} days that are not working days."
    return sentence + (f" Not working days in between: {_list(free)}." if free else "")


def _free(first: date, last: date, calendar: Calendar) -> list[tuple[date, str]]:
    """Return the days off from `first` to `last`, each with the reason."""
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    return [(day, why) for day in days if (why := calendar.why_free(day))]


def _list(free: list[tuple[date, str]]) -> str:
    return ", ".join(f"{display.near(day)} ({why})" for day, why in free)


def _end(goal: ScheduledGoal, step: ScheduledStep, steps: Mapping[str, ScheduledStep]) -> Iterator[str]:
    """Yield why a step that nothing of the goal comes after has its date, and whether it is late."""
    if why := _why(goal, step, steps):
        yield f"  {why}"
    if goal.state is State.LATE and step.slack < 0:
        squeezed = any(s.squeezed for s in goal.steps)
        when = "With all lengths as written it could not" if squeezed else "From today on it cannot"
        yield f"  {when} be finished before {display.near(step.early_finish)}."


def _countdown(wait: Duration) -> str:
    if wait.weekday is None:
        return str(wait)
    return f"on the last {WEEKDAY_NAMES[wait.weekday]} that is at least {display.count(wait.amount // 7, 'week')}"


def _why(goal: ScheduledGoal, step: ScheduledStep, steps: Mapping[str, ScheduledStep]) -> str:
    """Return why a step that nothing of the goal comes after has its date; empty where no reason is known."""
    reason, wait = step.reason, step.reason.wait
    if reason.bound in _WITH_DAY:
        return _WITH_DAY[reason.bound].format(day=display.near(reason.day))
    if reason.bound is Bound.LIMIT:
        return "It is the last thing before the deadline." + _limit(goal)
    if reason.bound is Bound.FOLLOW_UP and wait:
        return f"It is a follow-up, {wait} after the deadline{_rolled(goal.deadline, wait, 1, goal.goal.calendar)}."
    if reason.bound is Bound.COUNTDOWN and wait:
        return (
            f"It counts down: due {_countdown(wait)} before {_counted_from(goal, wait, steps.get(reason.key or ''))}."
        )
    return f"It has to be finished before `{reason.key}` begins." if reason.key else ""


def _counted_from(goal: ScheduledGoal, wait: Duration, other: ScheduledStep | None) -> str:
    """Return the deadline, or another step and its date, that a countdown is counted back from."""
    day = other.due if other else goal.deadline
    name = f"“{_title(other)}” on {display.near(day)}" if other else "the deadline"
    return name + (_rolled(day, wait, -1, goal.goal.calendar) if day else "")


def _rolled(day: date, wait: Duration, sign: int, calendar: Calendar) -> str:
    """Return a remark on a countdown or follow-up that falls on a day off; else an empty text."""
    if wait.unit is Unit.WORKING_DAYS:
        return ""
    meant = date.fromordinal(shift(day.toordinal(), wait, sign))
    way = "before" if sign < 0 else "after"
    why = calendar.why_free(meant)
    return f"; that is {display.near(meant)} ({why}), so it is the working day {way}" if why else ""


def _limit(goal: ScheduledGoal) -> str:
    if goal.limit == goal.deadline:
        return ""
    buffer = f", with a buffer of {goal.goal.buffer} before the deadline" if goal.goal.buffer.amount else ""
    free = _free(goal.limit + _DAY, goal.deadline, goal.goal.calendar)
    if len(free) >= _MANY_DAYS:
        return f" Work ends on {display.near(goal.limit)}{buffer}: {len(free)} days from there on are not working days."
    return f" Work ends on {display.near(goal.limit)}{buffer}" + (
        f". Not working days: {_list(free)}." if free else "."
    )


def reasons(schedule: Schedule, goal: ScheduledGoal, step: ScheduledStep) -> list[str]:
    """Return the sentences on what decides the dates of a step: without its dates, and without the steps after it."""
    lines = _chain(schedule, goal, step)
    next(lines)
    return [line.strip() for line in takewhile(lambda line: line.startswith("  "), lines)]
