"""The words that all reports share: dates, counts of days, the health of a goal, and text made fit to be shown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.display import clean, count, days, near
from config.keys import day_of, goal_of, is_occurrence, step_of, within_goal
from connectors.base import Action
from sync.schedule.model import State
from sync.schedule.warnings import NoRoom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sync.forecast.learning import Lesson
    from sync.reconcile.change import Change
    from sync.schedule.model import Buffer, Load, Overload, Risk, ScheduledGoal, ScheduledStep

NOTHING_TO_DO = "in sync, nothing to do"
_MOVES = "moved"
_KINDS = {
    Action.CREATE: "new",
    Action.UPDATE: "changed",
    Action.COMPLETE: "ticked",
    Action.REOPEN: "reopened",
    Action.REMOVE: "removed",
    Action.REPAIR: "repaired",
    Action.DETACH: "left to you",
    Action.KEEP: "left as they are",
}
_OVER = {State.GIVEN_UP: "given up", State.NO_STEP_LEFT: "no step left: every step was dropped"}
_FEW_STRETCHES, _WEEKS_SHOWN = 4, 8


def takes(step: ScheduledStep) -> str:
    """Return how long a step takes, as written; an appointment or countdown without `takes` takes a day."""
    if step.step.milestone:
        return "milestone"
    if step.step.takes is not None:
        return f"{step.step.takes}{f', {every(step)}' if step.step.every else ''}"
    return "flexible" if step.step.flexible else "1 day"


def every(step: ScheduledStep) -> str:
    """Return how often a step repeats: `every week`, `every Mon and Thu`."""
    interval = step.step.every
    if isinstance(interval, tuple):
        *most, last = (day.capitalize() for day in interval)
        return "every " + " and ".join(filter(None, [", ".join(most), last]))
    return f"every {str(interval).removeprefix('1 ')}"


def health(goal: ScheduledGoal) -> str:
    """Return the health of a goal in a few words."""
    if goal.state is State.DONE:
        return f"done on {near(goal.done)}"
    if goal.state in _OVER:
        return _OVER[goal.state]
    if goal.state is State.MISSED:
        return "missed: the deadline has passed"
    if goal.state is State.LATE:
        return "late: no deadline fits" if goal.margin is None else f"late by {days(-goal.margin)}"
    hand = "" if goal.margin is None else f"{days(goal.margin) if goal.margin else 'no day'} in hand"
    if goal.state is State.AT_RISK:
        return f"at risk: {', '.join([*_at_risk(goal), hand])}"
    return f"on track, {hand}" if hand else "on track"


def _at_risk(goal: ScheduledGoal) -> Iterator[str]:
    """Yield the reasons why a goal is at risk, besides few days in hand."""
    overdue = sum(step.overdue and not is_occurrence(step.step.key) for step in goal.waiting)
    if overdue:
        yield f"{count(overdue, 'step')} overdue"
    if without := sum(len(warning.steps) for warning in goal.warnings if isinstance(warning, NoRoom)):
        yield f"no room for {count(without, 'step')}"
    if goal.buffer is not None and goal.buffer.colour == "red":
        yield "the buffer is nearly used up"


def risk(found: Risk) -> list[str]:
    """Return the risk of a goal in sentences."""
    if not found.estimates:
        return ["No open step has an estimate such as `2-3-6 days`, so nothing is known of the risk."]
    by = ", ".join(f"by {near(end)} with {percent}%" for percent, end in found.finish.items())
    whole = f" (in {chance(found.chance_of_limit)} with the whole buffer left)"
    holds = f"The deadline holds in {chance(found.chance_of_deadline)} of 100 cases"
    sure = f"be {found.confidence}% sure"
    begin = f"Begin by {near(found.latest_start)} to {sure}." if found.latest_start else f"It is too late to {sure}."
    return [f"Done {by}.", holds + (whole if found.chance_of_limit < found.chance_of_deadline else "") + ".", begin]


def chance(share: float) -> str:
    """Return a share as a number of cases in a hundred: 0 and 100 only if it is exactly none, or all."""
    return str(round(share * 100)) if share in (0, 1) else str(min(99, max(1, round(share * 100))))


def buffer(found: Buffer) -> str:
    """Return how much of a buffer is used against how much of the work is done, with its colour."""
    return f"{found.colour}: {found.used} of {days(found.days)} of buffer used, {found.done:.0%} of the work done"


def load(found: Load) -> Iterator[str]:
    """Yield the days with more work than room, and the periods, or the weeks, with too many steps at once."""
    if found.overload:
        yield _overload(found, found.overload)
    who = f"{clean(found.who)} has" if found.who else "there are"
    if len(found.stretches) <= _FEW_STRETCHES:
        for stretch in found.stretches:
            on = (
                f"on {near(stretch.first)}"
                if stretch.first == stretch.last
                else f"from {near(stretch.first)} to {near(stretch.last)}"
            )
            yield f"{who} {stretch.most} steps at once {on} (capacity {found.capacity})"
        return
    weeks = list(found.weeks.items())
    listed = ", ".join(f"{near(monday)} ({most})" for monday, most in weeks[:_WEEKS_SHOWN])
    more = f" and {len(weeks) - _WEEKS_SHOWN} more" if len(weeks) > _WEEKS_SHOWN else ""
    yield f"{who} more steps at once than {found.capacity} in the weeks of {listed}{more}"


def _overload(found: Load, overload: Overload) -> str:
    """Return that there is more work than room, as a sentence with all its numbers."""
    who = f"{clean(found.who)}: " if found.who else ""
    have = "has" if overload.work == 1 else "have"
    at_once = f", {found.capacity} steps at once" if found.capacity > 1 else ""
    return (
        f"{who}from {near(overload.first)} to {near(overload.last)} {days(overload.work)} of work {have} to be done "
        f"in {count(overload.working, 'working day')}{at_once}"
    )


def lesson(found: Lesson) -> str:
    """Return a lesson from done steps as a sentence, with the numbers."""
    subject = {"all": "Your steps take", "label": f"Steps labelled “{clean(found.name or '')}” take"}
    whose = subject.get(found.kind, f"The steps of {clean(found.name or '')} take")
    much = "about as long as" if not found.is_notable else f"{found.factor:.1f} times what"
    return (
        f"{whose} {much} you write: {days(found.taken_days)} for {found.planned_days} planned, "
        f"in {found.steps} done steps."
    )


def unwritten(error: str) -> str:
    """Return a sentence on a memory that could not be written, though the changes were made."""
    return f"the changes could not be recorded there; the next run does that: {error}"


def progress(goal: ScheduledGoal) -> tuple[int, int]:
    """Return how many steps are done, and how many there are; dropped ones do not count."""
    counted = [step for step in goal.steps if not step.dropped]
    return sum(step.done is not None for step in counted), len(counted)


def remark(step: ScheduledStep) -> str:
    """Return a remark on a step's dates in a few words, such as `overdue`."""
    if step.done:
        return f"done {near(step.done)}"
    if step.dropped:
        return "dropped"
    if step.due is None:
        return "no time for it (optional)"
    marks = [
        word
        for word, holds in (
            ("overdue", step.overdue),
            ("pinned", step.pinned),
            ("squeezed", step.squeezed),
            ("critical", step.critical and not step.overdue),
        )
        if holds
    ]
    return ", ".join(marks)


# Changes


def title(change: Change, titles: Mapping[str, str]) -> str:
    """Return the title of a task: that in the goals file, else that of the task, else its key."""
    if known := titled(change.key, titles):
        return known
    content = change.write.content if change.write else None
    content = content or (change.before.content if change.before else None)
    return (content.title if content else "") or within_goal(change.key) or change.key


def titled(key: str, titles: Mapping[str, str]) -> str:
    """Return the title of a key, with the day of an occurrence; empty where the goals file does not have it."""
    found = titles.get(key) or titles.get(step_of(key), "")
    return f"{found} ({near(day_of(key))})" if found and is_occurrence(key) else found


def what_changes(changes: Sequence[Change]) -> str:
    """Return the numbers of changes by kind: `4 tasks move in 1 goal, 56 new`."""
    counts = Counter(map(_kind, changes))
    goals = {goal_of(change.key) for change in changes if _kind(change) == _MOVES}
    return counted(counts[_MOVES], len(goals), {kind: counts[kind] for kind in _KINDS.values()})


def counted(moved: int, goals: int, others: Mapping[str, int]) -> str:
    """Return how many tasks move in how many goals, and the numbers of other changes, in words."""
    moves = f"{count(moved, 'task')} {'moves' if moved == 1 else 'move'} in {count(goals, 'goal')}"
    return ", ".join([*([moves] if moved else []), *(f"{number} {kind}" for kind, number in others.items() if number)])


def span(changes: Sequence[Change]) -> str:
    """Return the first and the last day of new tasks, in words."""
    days = sorted(c.write.content.due for c in changes if c.write and c.write.content and c.write.content.due)
    return "" if not days else near(days[0]) if days[0] == days[-1] else f"{near(days[0])} to {near(days[-1])}"


def _kind(change: Change) -> str:
    return _MOVES if change.action is Action.UPDATE and "due" in change.fields else _KINDS[change.action]
