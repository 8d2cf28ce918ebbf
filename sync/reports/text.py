"""Schedules and plans as tables for people, in colour where the terminal has it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from config import display
from config.keys import HEARTBEAT, goal_of
from connectors.base import Action
from sync.forecast.learning import lessons
from sync.reports import words
from sync.reports.agenda import idle, when
from sync.reports.columns import Columns
from sync.reports.warnings import warnings
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from sync.forecast.fit import Fit
    from sync.reconcile.change import Change, ConnectorPlan
    from sync.reports.agenda import Agenda, Entry
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

WIDTH_WITHOUT_TERMINAL = 120
_FEW_ALIKE = 3  # new tasks of a goal, or failures alike, that are listed; more are counted

_STATE_STYLES = {
    State.ON_TRACK: "green",
    State.AT_RISK: "yellow",
    State.LATE: "red",
    State.MISSED: "bold red",
    State.DONE: "green",
    State.GIVEN_UP: "dim",
    State.NO_STEP_LEFT: "yellow",
}
_ACTION_STYLES = {
    Action.CREATE: "green",
    Action.COMPLETE: "green",
    Action.REMOVE: "red",
    Action.DETACH: "yellow",
    Action.KEEP: "dim",
}


def console() -> Console:
    """Return a console as wide as the terminal, or wide enough to be read where there is none."""
    made = Console(highlight=False, emoji=False, markup=False)
    if not made.is_terminal:
        made.width = WIDTH_WITHOUT_TERMINAL
    return made


def schedule(value: Schedule, *, slack: bool = False) -> Iterable[RenderableType]:
    """Yield a heading and a table for each goal, then the periods with too many steps at once.

    slack: with a column for the slack of each step.
    """
    for goal in value.goals:
        yield _heading(goal)
        if goal.steps:
            yield _steps(goal, slack=slack)
        yield from _warnings(goal)
        yield from _risk(goal)
        yield Text()
    yield from _loads(value)


def _heading(goal: ScheduledGoal) -> Text:
    heading = Text(display.clean(goal.goal.title), style="bold")
    heading.append(f"  {words.health(goal)}", style=_STATE_STYLES[goal.state])
    heading.append(f"\n{goal.goal.id}, deadline {display.near(goal.deadline)}", style="dim")
    if goal.buffer and goal.state is not State.DONE:
        heading.append(f"\n{words.buffer(goal.buffer)}", style=goal.buffer.colour)
    return heading


def _steps(goal: ScheduledGoal, *, slack: bool) -> Columns:
    table = _table("step", "takes", "start", "due", *([("slack", "right")] if slack else []), "")
    for step in goal.steps:
        time = [display.days(step.slack) if step.open and step.due else ""] if slack else []
        table.add_row(
            Text(display.clean(step.step.title), style="strike dim" if not step.open else ""),
            Text(words.takes(step), style="dim"),
            display.near(step.start),
            Text(display.near(step.due), style="red" if step.overdue else ""),
            *time,
            Text(words.remark(step), style=_remark_style(step)),
        )
    return table


def _remark_style(step: ScheduledStep) -> str:
    if step.done:
        return "green"
    return "red" if step.overdue or (step.open and step.slack < 0) else "yellow"


def _risk(goal: ScheduledGoal) -> Iterable[Text]:
    if goal.risk:
        yield from map(Text, words.risk(goal.risk))


def _loads(value: Schedule) -> Iterable[Text]:
    for load in value.loads:
        yield from (Text(f"! {line}", style="yellow") for line in words.load(load))


def _warnings(goal: ScheduledGoal) -> Iterable[Text]:
    for warning in warnings(goal):
        yield Text(display.clean(f"! {display.with_days(warning)}"), style="yellow")


def status(value: Schedule) -> Iterable[RenderableType]:
    """Yield one table: each goal's health, progress, next step and deadline; then the warnings."""
    table = _table("goal", "health", ("done", "right"), "next step", "due", "deadline")
    for goal in value.goals:
        done, count = words.progress(goal)
        following = goal.next_step
        table.add_row(
            Text(display.clean(goal.goal.title), style="bold"),
            Text(words.health(goal), style=_STATE_STYLES[goal.state]),
            f"{done}/{count}",
            display.clean(following.step.title) if following else "",
            display.near(following.due) if following else "",
            display.near(goal.deadline),
        )
    yield table
    for goal in value.goals:
        for warning in warnings(goal):
            yield Text(display.clean(f"! {goal.goal.title}: {display.with_days(warning)}"), style="yellow")
        if goal.buffer and goal.state is not State.DONE:
            yield Text(f"{display.clean(goal.goal.title)}: {words.buffer(goal.buffer)}", style=goal.buffer.colour)
    yield from _loads(value)
    yield from (Text(words.lesson(lesson)) for lesson in lessons(value) if lesson.is_notable)


def agenda(value: Agenda) -> Iterable[RenderableType]:
    """Yield the steps of today, the days ahead, and one line for each goal, the most urgent first."""
    yield Text(display.near(value.today), style="bold")
    if sentence := idle(value):
        yield Text(f"\n{sentence}")
    for name, entries in value.parts:
        yield Text(f"\n{name}", style="red" if entries is value.overdue else "bold")
        yield _entries((display.clean(e.step.step.title), when(e, value.today), e) for e in entries)
    for day in value.days:
        yield Text(f"\n{display.near(day.date)}", style="bold")
        due = ((display.clean(e.step.step.title), "due", e) for e in day.due)
        begins = ((display.clean(e.step.step.title), f"begins, until {display.near(e.due)}", e) for e in day.begins)
        yield _entries((*due, *begins))
    if value.goals:
        yield Text("\nGoals", style="bold")
        yield _goals(value)


def _entries(rows: Iterable[tuple[str, str, Entry]]) -> Columns:
    table = Columns(("", "", ""), indent=2)
    for title, remark, entry in rows:
        table.add_row(title, remark, Text(display.clean(entry.goal.goal.title), style="dim"))
    return table


def _goals(value: Agenda) -> Columns:
    table = Columns(("", "", ""), indent=2)
    for goal in value.goals:
        table.add_row(
            display.clean(goal.goal.title),
            Text(words.health(goal), style=_STATE_STYLES[goal.state]),
            f"deadline {display.near(goal.deadline)}",
        )
    return table


def fit(value: Fit) -> Iterable[RenderableType]:
    """Yield the health of a goal, its earliest deadlines compared with its own, and the lessons from done steps."""
    goal = value.goal
    yield Text(f"{display.clean(goal.goal.title)} is due on {display.near(goal.deadline)}: {words.health(goal)}.")
    if goal.done or not goal.waiting:
        yield Text("Nothing is left to do for it.")
    elif value.planned is None:
        yield Text(
            "No other deadline helps: an appointment, a pin, a `by`, a countdown, a part of the time or another goal "
            "is in the way."
        )
    else:
        yield _deadlines(value, value.planned)
        if goal.goal.buffer.amount:
            yield Text(f"Each of them keeps the buffer of {goal.goal.buffer} free.")
        if not value.estimates:
            yield Text("With an estimate such as `2-3-6 days` on a step, this also tells how sure a deadline is.")
    yield from (Text(words.lesson(lesson)) for lesson in value.lessons)


def _deadlines(value: Fit, planned: date) -> Columns:
    table = _table("beginning today", "earliest deadline", "")
    confident = [(f"{percent}% sure", day) for percent, day in value.by_confidence.items()] if value.estimates else []
    for name, day in (("as planned", planned), *confident):
        table.add_row(name, display.near(day), _compared(day, value.goal.deadline))
    return table


def _compared(day: date | None, deadline: date) -> str:
    if day is None or day == deadline:
        return "the deadline it has" if day else ""
    days = (day - deadline).days
    return f"{display.days(abs(days))} {'later' if days > 0 else 'earlier'}"


def plan(
    values: Sequence[ConnectorPlan], titles: Mapping[str, str], *, applied: bool, verbose: bool = False
) -> Iterable[RenderableType]:
    """Yield one line for all connectors without changes; for each other, a line that counts and a table by goal.

    titles: of goals, steps and groups by their keys. verbose: with each new task, where there are many in a goal.
    """
    shown = {value.label: value.changes if verbose else value.shown for value in values}
    idle = [display.clean(value.label) for value in values if not (shown[value.label] or value.error)]
    if idle:
        yield Text(f"{', '.join(idle)}: {words.NOTHING_TO_DO}", style="bold")
    for value in values:
        if not (shown[value.label] or value.error):
            continue
        yield Text(f"{display.clean(value.label)}: {_counts(value, applied=applied)}", style="bold")
        if value.error:
            yield Text(display.clean(words.unwritten(value.error)), style="red")
        if changes := shown[value.label]:
            yield _changes(changes, titles, verbose=verbose)


def _changes(changes: Sequence[Change], titles: Mapping[str, str], *, verbose: bool) -> Columns:
    by_goal: dict[str, list[Change]] = {}
    for change in changes:
        by_goal.setdefault(goal_of(change.key), []).append(change)
    table = _table("", "task", "change", "why")
    for goal_id, found in by_goal.items():
        if goal_id != HEARTBEAT:
            table.add_row("", Text(display.clean(titles.get(goal_id, goal_id)), style="bold"))
        alike: dict[tuple[Action, str], list[Change]] = {}
        for change in found:
            if change.error or change.action is Action.CREATE:
                alike.setdefault((change.action, change.error or ""), []).append(change)
        folded = [] if verbose else [some for some in alike.values() if len(some) > _FEW_ALIKE]
        hidden = {change.key for some in folded for change in some}
        for change in found:
            if change.key not in hidden:
                table.add_row(*_change(change, titles))
        for some in folded:
            table.add_row(*_folded(some))
    return table


def _folded(changes: Sequence[Change]) -> tuple[Text | str, ...]:
    """Return the row of many new tasks, or of many changes that failed alike."""
    action, error = changes[0].action, changes[0].error
    why = Text(f"{display.clean(error)}; -v lists them", style="red") if error else "new; -v lists them"
    return _action(action), f"  {len(changes)} tasks", words.span(changes), why


def _change(change: Change, titles: Mapping[str, str]) -> tuple[Text | str, ...]:
    itself = "/" not in change.key and change.key != HEARTBEAT
    return (
        _action(change.action),
        f"  {'the goal itself' if itself else display.clean(words.title(change, titles))}",
        _fields(change),
        Text(display.clean(change.error or display.with_days(change.reason)), style="red" if change.error else ""),
    )


def _action(action: Action) -> Text:
    return Text(action.value, style=_ACTION_STYLES.get(action, "cyan"))


def _counts(value: ConnectorPlan, *, applied: bool) -> str:
    statuses = [change.status for change in value.shown if change.write]
    done, failed, waiting = (statuses.count(status) for status in ("applied", "failed", "skipped"))
    if not statuses:
        return words.NOTHING_TO_DO
    counted = words.what_changes(value.news)
    what = f": {counted}" if "," in counted or "goal" in counted else ""
    if not applied:
        costs = f"; {value.budget}" if value.budget else ""
        return f"{display.count(len(statuses), 'change')} to make{what}{costs}"
    results = [f"{display.count(done, 'change')} made{what}"]
    results += [f"{failed} failed"] if failed else []
    results += [f"{waiting} wait for the next run"] if waiting else []
    return ", ".join(results)


def _fields(change: Change) -> Text:
    shown = Text()
    for name, (old, new) in change.fields.items():
        if name != "due" and (change.action is Action.CREATE or (name == "start" and "due" in change.fields)):
            continue
        if shown:
            shown.append("\n")
        shown.append(f"{name}: " if name not in ("due", "pinned") else "")
        shown.append(f"{_value(name, old)} → " if old is not None else "", style="dim")
        shown.append(_value(name, new))
    return shown


def _value(name: str, value: object) -> str:
    if value is None:
        return "no date" if name == "due" else ""
    if isinstance(value, date):
        return display.near(value)
    if name == "pinned":
        return "pinned" if value else "not pinned"
    text = display.clean(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
    return text if len(text) <= 60 else text[:57] + "..."


def moves(before: Schedule, after: Schedule) -> Iterable[RenderableType]:
    """Yield the effect of a changed deadline: a table of old -> new dates, then the goals whose health changes."""
    table = _table("step", "due", "", "new due", "by")
    moved, titles = after.moves(before), after.titles
    for key, old, new in moved:
        named = Text(display.clean(words.titled(key, titles)), style="" if "/" in key else "bold")
        table.add_row(
            named, display.near(old), "→", display.near(new), f"{(new - old).days:+} days" if old and new else ""
        )
    if moved:
        yield table
    else:
        yield Text("no date moves", style="green")
    for old_goal, goal in after.changed(before):
        style = _STATE_STYLES[goal.state]
        title = display.clean(goal.goal.title)
        yield Text(f"{title}: was {words.health(old_goal)}; now {words.health(goal)}", style=style)
        yield from _warnings(goal)
        if old_goal.risk and goal.risk:
            chances = [words.chance(risk.chance_of_deadline) for risk in (old_goal.risk, goal.risk)]
            yield Text(f"The deadline held in {chances[0]} of 100 cases; now it holds in {chances[1]}.", style=style)
        yield from _risk(goal)


def rows(columns: Sequence[str], values: Iterable[Sequence[str]]) -> Columns:
    """Return a plain table."""
    table = _table(*columns)
    for value in values:
        table.add_row(*map(display.clean, value))
    return table


def _table(*columns: str | tuple[str, str]) -> Columns:
    names = tuple(column if isinstance(column, str) else column[0] for column in columns)
    return Columns(names, frozenset(column[0] for column in columns if not isinstance(column, str)))
