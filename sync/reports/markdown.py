"""Schedules and plans as Markdown for issues, pull requests and job summaries, with one Mermaid chart over all goals.

Titles, notes and what a service answers are data: escaped as character references, which no Markdown reader takes for
markup, and with an invisible space where GitHub would make a mention, a link or an emoji of the characters themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from connectors.base import Action
from sync.reports import words
from sync.reports.words import clean, shorten, width
from sync.schedule import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sync.plan import Change, ConnectorPlan
    from sync.schedule import Schedule, ScheduledGoal, ScheduledStep

_SIGNS = {State.ON_TRACK: "🟢", State.TIGHT: "🟡", State.LATE: "🔴", State.MISSED: "🔴", State.DONE: "✅"}
_COLOURS = {"green": "🟢", "yellow": "🟡", "red": "🔴"}
_MARKUP = re.compile(r"[\\`*_\[\]<>&~|$#@=%^{}]")
# A reference alone is not enough for these: GitHub looks for them in the text that is shown.
_NOTICED = re.compile(r"(?<=[@#])|(?<=:)(?=\S)|(?<=\bwww)(?=\.)|(?<=\bgh)(?=-\d)", re.IGNORECASE)
_INVISIBLE = "\N{ZERO WIDTH SPACE}"
_CODE = re.compile(r"`([^`]+)`")
_LONGEST_VALUE = 60

# Mermaid draws nothing at all of a chart with more characters than this.
_MERMAID_LIMIT = 50_000
_FRAME_ROOM = 250
_MERMAID_COLUMNS, _SECTION_COLUMNS = 60, 40
_DAYS_TO, _WEEKS_TO, _MONTHS_FROM = 14, 120, 300  # days that a chart spans: what its axis shows
_MERMAID_UNSAFE = re.compile(r"[^\w \-.,!?'()/+]|_")
_MERMAID_KEYWORD = re.compile(
    r"(?:gantt|dateformat|inclusiveenddates|topaxis|axisformat|tickinterval|includes|excludes|todaymarker|weekday"
    r"|weekend|title|acctitle|accdescr|accdescription|section|href|call|click)\b|\d{4}-\d\d-\d\d",
    re.IGNORECASE,
)


def schedule(value: Schedule) -> str:
    """Return a heading and a table for each goal, then what is too much at once and one chart."""
    return _joined((*(_goal(goal) for goal in value.goals), *_loads(value), *_chart(value)))


def moves(before: Schedule, after: Schedule) -> str:
    """Return what a changed deadline moves: a table of old -> new, then the goals that get into trouble by it."""
    moved = after.moves(before)
    rows = ((_escape(key), words.day(old), words.day(new)) for key, old, new in moved)
    dates = _table(("step", "due", "new due"), rows) if moved else ["no date moves"]
    return _joined([dates, *([health] if (health := list(_health(before, after))) else [])])


def plan(values: Sequence[ConnectorPlan], *, applied: bool) -> str:
    """Return a heading and a table of changes for each connector; `applied` also says what became of each."""
    return _joined(_connector(value, applied=applied) for value in values)


def _joined(blocks: Iterable[Iterable[str]]) -> str:
    return "".join("\n".join(block) + "\n\n" for block in blocks).rstrip("\n") + "\n"


# A goal


def _goal(goal: ScheduledGoal) -> Iterator[str]:
    done, count = words.progress(goal)
    yield f"## {_SIGNS[goal.state]} {_escape(goal.goal.title)}"
    yield ""
    progress = f" · {done}/{count} done" if count else ""
    yield f"**{words.health(goal)}** · deadline {words.day(goal.deadline)}{progress}"
    if goal.buffer and goal.state is not State.DONE:
        yield ""
        yield f"{_COLOURS[goal.buffer.colour]} {words.buffer(goal.buffer)}"
    if goal.risk:
        yield ""
        yield " ".join(map(_sentence, words.risk(goal.risk)))
    if goal.steps:
        yield ""
        yield from _table(("step", "start", "due", "slack", "remark"), map(_step, goal.steps), right="slack")
    if goal.warnings:
        yield ""
        yield from (f"- ⚠️ {_sentence(warning)}" for warning in goal.warnings)


def _loads(value: Schedule) -> Iterator[list[str]]:
    if value.loads:
        yield [f"- ⚠️ {_escape(line)}" for load in value.loads for line in words.load(load)]


def _health(before: Schedule, after: Schedule) -> Iterator[str]:
    for old, new in after.changed(before):
        yield f"- {_SIGNS[new.state]} {_escape(new.goal.title)}: was {words.health(old)}; now **{words.health(new)}**"
        if new.risk:
            yield f"  - {' '.join(map(_sentence, words.risk(new.risk)))}"


def _step(step: ScheduledStep) -> tuple[str, ...]:
    title = _escape(step.step.title)
    return (
        title if step.open else f"~~{title}~~",
        words.day(step.start),
        words.day(step.due),
        words.days(step.slack) if step.open and step.due else "",
        words.remark(step),
    )


# The changes of a connector


def _connector(value: ConnectorPlan, *, applied: bool) -> Iterator[str]:
    yield f"## {_escape(value.label)}"
    yield ""
    said = "in sync, nothing to do" if not value.writes else f"{value.budget}" if value.budget and not applied else ""
    if said:
        yield said
    if value.changes:
        if said:
            yield ""
        columns = ("what", "task", "change", "why", *(("status",) if applied else ()))
        yield from _table(columns, (_change(change, applied=applied) for change in value.changes))


def _change(change: Change, *, applied: bool) -> tuple[str, ...]:
    status = change.status + (f": {_escape(change.error)}" if change.error else "")
    row = (change.action.value, _escape(change.key), _fields(change), _escape(change.reason))
    return (*row, status) if applied else row


def _fields(change: Change) -> str:
    new_task = change.action is Action.CREATE
    shown = {name: pair for name, pair in change.fields.items() if name == "due" or not new_task}
    return "<br>".join(f"{name}: {_value(old)} → {_value(new)}" for name, (old, new) in shown.items())


def _value(value: object) -> str:
    if value in (None, "", ()):
        return "none"
    if isinstance(value, date):
        return words.day(value)
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return _escape(shorten(clean(text), _LONGEST_VALUE))


# Text


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> Iterator[str]:
    yield _row(columns)
    yield _row(["--:" if column == right else "---" for column in columns])
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    """Return text as Markdown that shows it, and does nothing else."""
    return _harmless(clean(text))


def _harmless(text: str) -> str:
    noticed = _NOTICED.sub(_INVISIBLE, text)
    return _MARKUP.sub(_reference, noticed).replace(_INVISIBLE, "&#8203;")


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def _sentence(text: str) -> str:
    """Return a sentence of ours, in which only what stands between backticks is markup."""
    parts = _CODE.split(clean(text))
    return "".join(f"`{part}`" if number % 2 else _harmless(part) for number, part in enumerate(parts))


# The chart


def _chart(value: Schedule) -> Iterator[list[str]]:
    sections = _sections(value)
    left_out = len(value.goals) - len(sections)
    if sections:
        yield ["```mermaid", *_frame(value), *(line for section in sections for line in section), "```"]
    if left_out:
        yield [f"The chart leaves out the last {left_out} of {len(value.goals)} goals: it would be too long to draw."]


def _frame(value: Schedule) -> list[str]:
    widest = max(width(_section_name(goal)) for goal in value.goals)
    return [
        # Room for the names of the sections, which Mermaid would write over the bars.
        f'%%{{init: {{"gantt": {{"leftPadding": {24 + int(6 * widest)}}}}}}}%%',
        "gantt",
        "    dateFormat YYYY-MM-DD",
        *_axis(value),
    ]


def _axis(value: Schedule) -> Iterator[str]:
    days = [day for goal in value.goals for day in (goal.start, goal.finish, goal.deadline) if day]
    span = (max(days) - min(days)).days
    yield f"    axisFormat {'%b %Y' if span > _MONTHS_FROM else '%d %b'}"
    if _DAYS_TO <= span <= _WEEKS_TO:
        yield "    tickInterval 1week"
        yield "    weekday monday"
    if not min(days) <= value.today <= max(days):
        yield "    todayMarker off"  # it would be drawn beside the chart


def _sections(value: Schedule) -> list[list[str]]:
    """Return the lines of each goal, as many goals as Mermaid draws."""
    titles = Counter(map(_section_name, value.goals))
    room = _MERMAID_LIMIT - _FRAME_ROOM
    sections = []
    for goal in value.goals:
        section = _section(goal, value.today, alone=titles[_section_name(goal)] == 1)
        room -= sum(len(line) + 1 for line in section)
        if room < 0:
            break
        sections.append(section)
    return sections


def _section_name(goal: ScheduledGoal) -> str:
    return shorten(clean(goal.goal.title), _SECTION_COLUMNS)


def _section(goal: ScheduledGoal, today: date, *, alone: bool) -> list[str]:
    # Sections of one name would be drawn as one.
    name = _section_name(goal) if alone else goal.goal.id
    tag = "done, " if goal.state is State.DONE else "crit, " if goal.state in (State.LATE, State.MISSED) else ""
    return [
        f"    section {_mermaid(name, _SECTION_COLUMNS)}",
        *(_bar(s, s.start, s.due, today) for s in goal.steps if s.open and s.start and s.due),
        f"    Deadline :{tag}milestone, {goal.deadline}, 1d",
    ]


def _bar(step: ScheduledStep, start: date, due: date, today: date) -> str:
    tags = ("active, " if start <= today else "") + ("crit, " if step.critical or step.overdue else "")
    return f"    {_mermaid(step.step.title)} :{tags}{start}, {(due - start).days + 1}d"


def _mermaid(text: str, columns: int = _MERMAID_COLUMNS) -> str:
    """Return text as a name in a chart; Mermaid's own references have no ampersand."""
    name = shorten(clean(text), columns)
    shown = _MERMAID_UNSAFE.sub(lambda match: f"#{ord(match[0])};", name)
    return f"#{ord(name[0])};{shown[1:]}" if _MERMAID_KEYWORD.match(name) else shown
