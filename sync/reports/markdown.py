"""Schedules and plans as Markdown for issues, pull requests and job summaries, with one Mermaid chart over all goals.

Titles, notes and what a service answers are data: escaped as character references, which no Markdown reader takes for
markup, and with an invisible space where GitHub would make a mention, a link or an emoji of the characters themselves.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from config import display
from config.display import clean, shorten
from config.keys import goal_of
from connectors.base import Action
from connectors.model import FIELDS
from sync.reports import mermaid, words
from sync.reports.agenda import idle, when
from sync.reports.warnings import warnings
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sync.reconcile.change import Change, ConnectorPlan
    from sync.reports.agenda import Agenda, Entry
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

SIGNS = {
    State.ON_TRACK: "🟢",
    State.AT_RISK: "🟡",
    State.LATE: "🔴",
    State.MISSED: "🔴",
    State.DONE: "✅",
    State.GIVEN_UP: "⚪",
    State.NO_STEP_LEFT: "⚪",
}
_COLOURS = {"green": "🟢", "yellow": "🟡", "red": "🔴"}
_MARKUP = re.compile(r"[\\`*_\[\]<>&~|$#@=%^{}]")
# A reference alone is not enough for these: GitHub looks for them in the text that is shown.
_NOTICED = re.compile(r"(?<=[@#])|(?<=:)(?=\S)|(?<=\bwww)(?=\.)|(?<=\bgh)(?=-\d)", re.IGNORECASE)
_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_CODE = re.compile(r"`([^`]+)`")
_LONGEST_VALUE = 60


def schedule(value: Schedule) -> str:
    """Return a heading and a table for each goal, then what is too much at once and one chart."""
    return _joined((*(_goal(goal) for goal in value.goals), *_loads(value), *_chart(value)))


def agenda(value: Agenda) -> str:
    """Return what to do today, the days ahead, and one line for each goal, the most urgent first."""
    return _joined(agenda_blocks(value))


def agenda_blocks(value: Agenda) -> Iterator[list[str]]:
    """Yield a block for each part of an agenda."""
    yield [f"## {display.near(value.today)}"]
    if said := idle(value):
        yield [sentence(said)]
    for name, entries in value.parts:
        yield part(name, entries, value.today)
    for day in value.days:
        begins = (_entry(entry, f"begins, until {display.near(entry.due)}") for entry in day.begins)
        due = (_entry(entry, "due") for entry in day.due)
        yield [f"**{display.near(day.date)}**", "", *due, *begins]
    if value.goals:
        yield ["**Goals**", "", *(_standing(goal) for goal in value.goals)]


def part(name: str, entries: Iterable[Entry], today: date) -> list[str]:
    """Return the lines of a part of the day: its name, and the steps in it."""
    return [f"**{name}**", "", *(_entry(entry, when(entry, today)) for entry in entries)]


def _entry(entry: Entry, said: str) -> str:
    told = f" · {said}" if said else ""
    return f"- {escape(entry.step.step.title)}{told} · {escape(entry.goal.goal.title)}"


def _standing(goal: ScheduledGoal) -> str:
    deadline = display.near(goal.deadline)
    return f"- {SIGNS[goal.state]} {escape(goal.goal.title)} · {words.health(goal)} · deadline {deadline}"


def moves(before: Schedule, after: Schedule) -> str:
    """Return what a changed deadline moves: a table of old -> new, then the goals that get into trouble by it."""
    moved, titles = after.moves(before), after.titles
    rows = ((escape(words.titled(key, titles)), display.near(old), display.near(new)) for key, old, new in moved)
    dates = table(("step", "due", "new due"), rows) if moved else ["no date moves"]
    return _joined([dates, *([health] if (health := list(_health(before, after))) else [])])


def _chart(value: Schedule) -> Iterator[list[str]]:
    chart, left_out = mermaid.gantt(value)
    if chart:
        yield ["```mermaid", chart, "```"]
    if left_out:
        yield [left_out]


def plan(values: Sequence[ConnectorPlan], titles: Mapping[str, str], *, applied: bool) -> str:
    """Return a heading and a table of changes for each connector; `applied` also says what became of each.

    titles: of goals, steps and groups by their keys.
    """
    return _joined(_connector(value, titles, applied=applied) for value in values)


def _joined(blocks: Iterable[Iterable[str]]) -> str:
    return "".join("\n".join(block) + "\n\n" for block in blocks).rstrip("\n") + "\n"


# A goal


def _goal(goal: ScheduledGoal) -> Iterator[str]:
    done, count = words.progress(goal)
    yield f"## {SIGNS[goal.state]} {escape(goal.goal.title)}"
    yield ""
    progress = f" · {done}/{count} done" if count else ""
    yield f"**{words.health(goal)}** · deadline {display.near(goal.deadline)}{progress}"
    if goal.buffer and goal.state is not State.DONE:
        yield ""
        yield f"{_COLOURS[goal.buffer.colour]} {words.buffer(goal.buffer)}"
    if goal.risk:
        yield ""
        yield " ".join(map(sentence, words.risk(goal.risk)))
    if goal.steps:
        yield ""
        yield from table(("step", "start", "due", "slack", "remark"), map(_step, goal.steps), right="slack")
    if goal.warnings:
        yield ""
        yield from (f"- ⚠️ {sentence(warning)}" for warning in warnings(goal))


def _loads(value: Schedule) -> Iterator[list[str]]:
    if value.loads:
        yield [f"- ⚠️ {escape(line)}" for load in value.loads for line in words.load(load)]


def _health(before: Schedule, after: Schedule) -> Iterator[str]:
    for old, new in after.changed(before):
        yield f"- {SIGNS[new.state]} {escape(new.goal.title)}: was {words.health(old)}; now **{words.health(new)}**"
        if new.risk:
            yield f"  - {' '.join(map(sentence, words.risk(new.risk)))}"


def _step(step: ScheduledStep) -> tuple[str, ...]:
    title = escape(step.step.title)
    return (
        title if step.open else f"~~{title}~~",
        display.near(step.start),
        display.near(step.due),
        display.days(step.slack) if step.open and step.due else "",
        words.remark(step),
    )


# The changes of a connector


def _connector(value: ConnectorPlan, titles: Mapping[str, str], *, applied: bool) -> Iterator[str]:
    yield f"## {escape(value.label)}"
    yield ""
    told = [words.what_changes(value.news), f"{value.budget}" if value.budget and not applied else ""]
    said = "; ".join(filter(None, told)) if value.writes else words.NOTHING_TO_DO
    if said:
        yield said
    if value.changes:
        if said:
            yield ""
        yield from table(
            change_columns(applied=applied), (change_row(change, titles, applied=applied) for change in value.changes)
        )


def change_columns(*, applied: bool) -> tuple[str, ...]:
    """Return the heads of a table of changes."""
    return ("what", "goal", "task", "change", "why", *(("status",) if applied else ()))


def change_row(change: Change, titles: Mapping[str, str], *, applied: bool) -> tuple[str, ...]:
    """Return the cells of a change: what happens to which task, what changes in it and why."""
    status = change.status + (f": {escape(change.error)}" if change.error else "")
    goal = titles.get(goal_of(change.key), "")
    named = (escape(goal), escape(words.title(change, titles)))
    row = (change.action.value, *named, _fields(change), escape(display.with_days(change.reason)))
    return (*row, status) if applied else row


def _fields(change: Change) -> str:
    left_out = FIELDS if change.action is Action.CREATE else ("start",) if "due" in change.fields else ()
    shown = {name: pair for name, pair in change.fields.items() if name == "due" or name not in left_out}
    return "<br>".join(f"{name}: {_value(old)} → {_value(new)}" for name, (old, new) in shown.items())


def _value(value: object) -> str:
    if value in (None, "", ()):
        return "none"
    if isinstance(value, date):
        return display.near(value)
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return escape(shorten(clean(text), _LONGEST_VALUE))


# Text


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> Iterator[str]:
    """Yield the lines of a table; the column named `right` is aligned there."""
    yield _row(columns)
    yield _row(["--:" if column == right else "---" for column in columns])
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def details(summary: str, text: str) -> str:
    """Return text that is shown when somebody opens its summary."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def escape(text: str) -> str:
    """Return text as Markdown that shows it, and does nothing else."""
    return _harmless(clean(text))


def _harmless(text: str) -> str:
    noticed = _NOTICED.sub(_INVISIBLE, text)
    return _MARKUP.sub(_reference, noticed).replace(_INVISIBLE, "&#8203;")


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def sentence(text: str) -> str:
    """Return a sentence of ours, in which only what stands between backticks is markup."""
    parts = _CODE.split(clean(display.with_days(text)))
    return "".join(f"`{part}`" if number % 2 else _harmless(part) for number, part in enumerate(parts))
