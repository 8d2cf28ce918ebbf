"""A schedule as a Mermaid gantt chart, for Markdown that GitHub shows: all of it, or the days of a window."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from config.display import clean, shorten, width
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

LONGEST = 50_000  # bytes; Mermaid draws no chart with more characters
_FRAME_ROOM = 250
_COLUMNS, _SECTION_COLUMNS = 60, 40
_DAYS_TO, _WEEKS_TO, _MONTHS_FROM = 14, 120, 300  # length of a chart in days, for the unit of its axis
_UNSAFE = re.compile(r"[^\w \-.,!?'()/+]|_")
# At the beginning of a line. Mermaid takes `Ganttchart` for a keyword, too: it does not look for the end of the word.
_KEYWORD = re.compile(
    r"(?:gantt|dateformat|inclusiveenddates|topaxis|axisformat|tickinterval|includes|excludes|todaymarker|weekday"
    r"|weekend|title|acctitle|accdescr|accdescription|section|href|call|click)|\d{4}-\d\d-\d\d",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Bar:
    """A step with the first and the last day of its bar."""

    step: ScheduledStep
    start: date
    due: date


@dataclass(frozen=True, slots=True)
class _Section:
    """A goal with its bars; `deadline`: its deadline is drawn, too."""

    goal: ScheduledGoal
    bars: tuple[_Bar, ...]
    deadline: bool

    @property
    def name(self) -> str:
        return shorten(clean(self.goal.goal.title), _SECTION_COLUMNS)

    def days(self) -> Iterator[date]:
        yield from (day for bar in self.bars for day in (bar.start, bar.due))
        if self.deadline:
            yield self.goal.deadline


def gantt(value: Schedule, since: date = date.min, until: date = date.max, limit: int = LONGEST) -> tuple[str, str]:
    """Return the chart of the days from `since` to `until`, and a sentence if not all goals fit into `limit`.

    Either may be empty. `limit` counts bytes of UTF-8; a step that goes on beyond the window is drawn to its edge.
    """
    found = [_section(goal, since, until) for goal in value.goals]
    sections = [section for section in found if section.bars or section.deadline]
    names = Counter(section.name for section in sections)
    drawn = _fitting([_lines(s, value.today, alone=names[s.name] == 1) for s in sections], min(limit, LONGEST))
    shown, left_out = sections[: len(drawn)], len(sections) - len(drawn)
    chart = "\n".join([*_frame(shown, value.today), *(line for lines in drawn for line in lines)]) if shown else ""
    count = f"the last {left_out} of {len(sections)} goals"
    return chart, f"The chart leaves out {count}: it would be too long to draw." if left_out else ""


def _section(goal: ScheduledGoal, since: date, until: date) -> _Section:
    bars = tuple(
        _Bar(step, max(step.start, since), min(step.due, until))
        for step in goal.steps
        if step.open and step.start and step.due and step.start <= until and step.due >= since
    )
    return _Section(goal, bars, since <= goal.deadline <= until)


def _fitting(sections: Sequence[list[str]], limit: int) -> list[list[str]]:
    """Return as many sections, from the first on, as there is room for."""
    room = limit - _FRAME_ROOM
    fitting = []
    for lines in sections:
        room -= sum(len(line.encode()) + 1 for line in lines)
        if room < 0:
            break
        fitting.append(lines)
    return fitting


def _frame(sections: Sequence[_Section], today: date) -> list[str]:
    widest = max(width(section.name) for section in sections)
    return [
        # Room for the names of the sections, which Mermaid would write over the bars.
        f'%%{{init: {{"gantt": {{"leftPadding": {24 + int(6 * widest)}}}}}}}%%',
        "gantt",
        "    dateFormat YYYY-MM-DD",
        *_axis([day for section in sections for day in section.days()], today),
    ]


def _axis(days: Sequence[date], today: date) -> Iterator[str]:
    span = (max(days) - min(days)).days
    yield f"    axisFormat {'%b %Y' if span > _MONTHS_FROM else '%d %b'}"
    if span < _DAYS_TO:
        yield "    tickInterval 1day"
    elif span <= _WEEKS_TO:
        yield "    tickInterval 1week"
        yield "    weekday monday"
    if not min(days) <= today <= max(days):
        yield "    todayMarker off"  # it would be drawn beside the chart


def _lines(section: _Section, today: date, *, alone: bool) -> list[str]:
    goal = section.goal
    # Sections of one name would be drawn as one.
    name = section.name if alone else goal.goal.id
    tag = "done, " if goal.state is State.DONE else "crit, " if goal.state in (State.LATE, State.MISSED) else ""
    return [
        f"    section {_escaped(name, _SECTION_COLUMNS)}",
        *(_bar(bar, today) for bar in section.bars),
        *([f"    Deadline :{tag}milestone, {goal.deadline}, 1d"] if section.deadline else []),
    ]


def _bar(bar: _Bar, today: date) -> str:
    critical = bar.step.critical or bar.step.overdue
    tags = ("active, " if bar.start <= today else "") + ("crit, " if critical else "")
    return f"    {_escaped(bar.step.step.title)} :{tags}{bar.start}, {(bar.due - bar.start).days + 1}d"


def _escaped(text: str, columns: int = _COLUMNS) -> str:
    """Return text as a name in a chart; Mermaid's own references have no ampersand."""
    name = shorten(clean(text), columns)
    shown = _UNSAFE.sub(lambda match: f"#{ord(match[0])};", name)
    return f"#{ord(name[0])};{shown[1:]}" if _KEYWORD.match(name) else shown
