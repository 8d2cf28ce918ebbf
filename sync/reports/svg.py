"""A schedule as a picture: a Gantt chart in SVG that needs no script, no font and nothing else from outside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from string import Template
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from config import display
from sync.reports import timeline, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_WIDTH = 1000
_EDGE = 16
_INDENT = _EDGE + 18
_CHART = 320  # where the chart begins, right of the titles
_END = _WIDTH - _EDGE - 84  # leaves room for the date behind the last bar
_AXIS, _HEAD, _ROW, _FOOT, _GAP, _LEGEND = 66, 58, 24, 10, 12, 44
_BAR = 12
_TITLE_COLUMNS, _HEADING_COLUMNS = 40, 110
_SIGNS = (("", "planned", 48), ("critical", "critical", 42), ("overdue", "overdue", 48), ("done", "done", 30))
_TALL = 1200  # from this height on the months are repeated at the bottom
_LEAST_DAYS = 14
_TICK_WIDTH, _WEEK_WIDTH = 66, 26
_MOST_MONTHS = (_END - _CHART) // _TICK_WIDTH  # that have a label

_LIGHT = {
    "paper": "#ffffff", "panel": "#f6f7f9", "line": "#e3e6eb", "faint": "#eceef2", "ink": "#1d2330", "muted": "#5f6a7d",
    "bar": "#4a7cf0", "critical": "#d06a0c", "overdue": "#6f0f1b", "done": "#4f8a6b", "today": "#c2267a",
    "good": "#18794a", "tight": "#935f00", "bad": "#b3212f",
}  # fmt: skip
_DARK = {
    "paper": "#12151b", "panel": "#1a1e26", "line": "#303744", "faint": "#232933", "ink": "#e8eaef", "muted": "#9ba5b6",
    "bar": "#6f9bff", "critical": "#ffdf9e", "overdue": "#e5424f", "done": "#5c9a78", "today": "#ff7ab8",
    "good": "#62d39b", "tight": "#e6b84a", "bad": "#ff8d8d",
}  # fmt: skip

_SHAPE = """
.gantt text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
.gantt .heading { font-size: 15px; font-weight: 650 }
.gantt .health, .gantt .small { font-size: 12px }
.gantt .health { font-weight: 600 }
.gantt .tick, .gantt .due { font-size: 11px; font-variant-numeric: tabular-nums }
.gantt .due, .gantt .heading { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round }
.gantt .gone { text-decoration: line-through }
.gantt .limit { stroke-dasharray: 3 3 }
.gantt .bar.dropped { fill: none; stroke-dasharray: 3 2 }
"""
# The colours are written out twice, not as variables: some viewers of SVG know no variables, and then paint it black.
_COLOURS = Template("""
.gantt .paper { fill: $paper }
.gantt .panel { fill: $panel; stroke: $line }
.gantt .month, .gantt .limit { stroke: $line }
.gantt .week { stroke: $faint }
.gantt .limit { stroke: $muted }
.gantt text, .gantt .deadline { fill: $ink }
.gantt .muted, .gantt .tick, .gantt .due { fill: $muted }
.gantt .due, .gantt .heading { stroke: $panel }
.gantt .bar { fill: $bar }
.gantt .bar.critical { fill: $critical; stroke: $ink; stroke-width: 1.5px }
.gantt .bar.overdue { fill: $overdue }
.gantt .bar.done { fill: $done }
.gantt .bar.dropped { stroke: $muted }
.gantt .on-track, .gantt .done { fill: $good }
.gantt .at-risk { fill: $tight }
.gantt .given-up, .gantt .no-step-left { fill: $muted }
.gantt .late, .gantt .missed { fill: $bad }
.gantt .today { stroke: $today }
.gantt .today-word { fill: $today }
""")


def schedule(value: Schedule) -> str:
    """Return the chart: a bar for each step, the steps of a goal together, its deadline as a diamond."""
    if not value.goals:
        return _nothing(value)
    scale = _scale(value)
    bottom = _AXIS + sum(_height(goal) + _GAP for goal in value.goals)
    root = _root(value, bottom + _LEGEND + (_AXIS - _GAP if bottom > _TALL else 0))
    tops = list(_tops(value))
    for goal, top in zip(value.goals, tops, strict=True):  # all panels lie under all lines
        _add(root, "rect", class_="panel", x=_EDGE, y=top, width=_WIDTH - 2 * _EDGE, height=_height(goal), rx=10)
    _grid(root, scale, bottom - _GAP)
    _today(root, value.today, scale, bottom - _GAP)
    for goal, top in zip(value.goals, tops, strict=True):
        _goal(root, goal, top, scale)
    if bottom > _TALL:
        _labels(root, scale, bottom - _GAP)
        bottom += _AXIS - _GAP
    _legend(root, value.today, bottom + 14)
    ET.indent(root, space=" ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _nothing(value: Schedule) -> str:
    root = _root(value, _AXIS)
    _add(root, "text", "Nothing is planned", class_="muted", x=_EDGE + 14, y=_AXIS / 2)
    return ET.tostring(root, encoding="unicode") + "\n"


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a day lies on the picture; `first` and `last` (exclusive) are ordinals."""

    first: int
    last: int

    @property
    def day(self) -> float:
        return (_END - _CHART) / (self.last - self.first)

    def x(self, ordinal: int) -> float:
        return _CHART + (ordinal - self.first) * self.day


def _scale(value: Schedule) -> _Scale:
    days = [day.toordinal() for goal in value.goals for day in _days(goal)]
    today = value.today.toordinal()
    first, last = min(days, default=today), max(days, default=today)
    reach = max(last - first, _LEAST_DAYS)
    if first - reach // 2 <= today <= last + reach // 2:  # farther away, all else would become too narrow
        first, last = min(first, today), max(last, today)
    margin = max(1, (last - first) // 60)
    end = max(last + 1 + margin, first + _LEAST_DAYS)
    return _Scale(max(first - margin, date.min.toordinal()), min(end, date.max.toordinal()))


def _days(goal: ScheduledGoal) -> Iterator[date]:
    yield goal.deadline
    for step in goal.steps:
        yield from timeline.span(step) or ()


def _height(goal: ScheduledGoal) -> int:
    return _HEAD + len(goal.steps) * _ROW + _FOOT


def _tops(value: Schedule) -> Iterator[int]:
    top = _AXIS
    for goal in value.goals:
        yield top
        top += _height(goal) + _GAP


# The frame


def _root(value: Schedule, height: int) -> Element:
    names = ", ".join(display.shorten(display.clean(goal.goal.title), 60) for goal in value.goals[:5])
    more = f" and {len(value.goals) - 5} more" if len(value.goals) > 5 else ""
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "gantt", "role": "img"})
    root.attrib |= {"viewBox": f"0 0 {_WIDTH} {height}", "width": str(_WIDTH), "height": str(height)}
    root.attrib |= {"aria-labelledby": "gantt-title gantt-desc"}
    _add(root, "title", f"Plan as of {display.day(value.today)}", id="gantt-title")
    _add(root, "desc", f"A bar for each step of {names or 'no goal'}{more}.", id="gantt-desc")
    dark = "@media (prefers-color-scheme: dark) {" + _COLOURS.substitute(_DARK) + "}\n"
    _add(root, "style", _SHAPE + _COLOURS.substitute(_LIGHT) + dark)
    _add(root, "rect", class_="paper", width=_WIDTH, height=height, rx=14)
    return root


def _grid(root: Element, scale: _Scale, bottom: int) -> None:
    for name, ordinals in (("week", _weeks(scale)), ("month", timeline.months(scale.first, scale.last, _MOST_MONTHS))):
        for ordinal in ordinals:
            x = scale.x(ordinal)
            _add(root, "line", class_=name, x1=x, x2=x, y1=_AXIS, y2=bottom)
    _labels(root, scale, 0)


def _labels(root: Element, scale: _Scale, top: int) -> None:
    months = timeline.months(scale.first, scale.last, _MOST_MONTHS)
    if not months or scale.x(months[0]) - _CHART > _TICK_WIDTH:
        months = [scale.first, *months]
    for ordinal in months:
        _, _, month, year = display.day(date.fromordinal(ordinal)).split()
        _add(root, "text", f"{month} {year}", class_="tick", x=scale.x(ordinal) + 3, y=top + 22)
    for ordinal in _weeks(scale):
        number = str(date.fromordinal(ordinal).day)
        _add(root, "text", number, class_="tick", x=scale.x(ordinal) + 3, y=top + 40)


def _weeks(scale: _Scale) -> range:
    if scale.day * 7 < _WEEK_WIDTH:
        return range(0)
    monday = scale.first + -date.fromordinal(scale.first).weekday() % 7
    return range(monday, scale.last, 7)


def _today(root: Element, today: date, scale: _Scale, bottom: int) -> None:
    ordinal = today.toordinal()
    if scale.first <= ordinal <= scale.last:
        x = scale.x(ordinal) + scale.day / 2
        _add(root, "line", class_="today", x1=x, x2=x, y1=_AXIS - 4, y2=bottom, stroke_width=1.5)
        _add(root, "text", "today", class_="small today-word", x=x, y=_AXIS - 8, text_anchor="middle")


def _legend(root: Element, today: date, y: int) -> None:
    x = _EDGE + 4
    for name, word, length in _SIGNS:
        _add(root, "rect", class_=f"bar {name}".strip(), x=x, y=y - 9, width=18, height=10, rx=3)
        _add(root, "text", word, class_="small muted", x=x + 24, y=y)
        x += 44 + length
    _diamond(root, x + 6, y - 4)
    _add(root, "text", "deadline", class_="small muted", x=x + 18, y=y)
    as_of = f"as of {display.day(today)}"
    _add(root, "text", as_of, class_="small muted", x=_WIDTH - _EDGE - 4, y=y, text_anchor="end")


# One goal


def _goal(root: Element, goal: ScheduledGoal, top: int, scale: _Scale) -> None:
    group = _add(root, "g")
    title = display.clean(goal.goal.title)
    _add(group, "title", title)
    _add(group, "text", display.shorten(title, _HEADING_COLUMNS), class_="heading", x=_EDGE + 14, y=top + 24)
    _add(group, "circle", class_=goal.state.value, cx=_EDGE + 19, cy=top + 40, r=4)
    _add(group, "text", words.health(goal), class_=f"health {goal.state.value}", x=_EDGE + 30, y=top + 44)
    _deadline(group, goal, top, scale)
    for number, step in enumerate(goal.steps):
        _step(group, step, top + _HEAD + number * _ROW, scale)


def _deadline(group: Element, goal: ScheduledGoal, top: int, scale: _Scale) -> None:
    x = scale.x(goal.deadline.toordinal() + 1)
    _add(group, "line", class_="limit", x1=x, x2=x, y1=top + 48, y2=top + _height(goal) - 6)
    _diamond(group, x, top + 40)
    near_start = x < _CHART + 120
    anchor, at = ("start", x + 12) if near_start else ("end", x - 12)
    _add(group, "text", display.day(goal.deadline), class_="due", x=at, y=top + 44, text_anchor=anchor)


def _diamond(parent: Element, x: float, y: float) -> None:
    _add(parent, "path", class_="deadline", d=f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z")


def _step(parent: Element, step: ScheduledStep, top: int, scale: _Scale) -> None:
    row = _add(parent, "g")
    title, remark = display.clean(step.step.title), words.remark(step)
    first, last = timeline.span(step) or (step.start, step.due)
    _add(row, "title", f"{title}: {display.day(first)} to {display.day(last)}{remark and f', {remark}'}")
    shown = display.shorten(f"✓ {title}" if step.done else title, _TITLE_COLUMNS)
    _add(row, "text", shown, class_=_title_class(step), x=_INDENT, y=top + 16)
    span = timeline.span(step)
    if span is None:
        _add(row, "text", remark, class_="due", x=_CHART + 4, y=top + 16)
        return
    start, end = scale.x(span[0].toordinal()), scale.x(span[1].toordinal() + 1)
    _bar(row, step, (start, end), top)
    _, number, month, _ = display.day(span[1]).split()
    word = f"{number} {month}{', overdue' if step.overdue else ''}"
    _add(row, "text", word, class_="due", x=end + 10, y=top + 16)


def _bar(row: Element, step: ScheduledStep, span: tuple[float, float], top: int) -> None:
    start, end = span
    kind = f"bar {_kind(step)}".strip()
    if step.step.takes and step.step.takes.amount == 0:
        _add(row, "circle", class_=kind, cx=end, cy=top + 12, r=6)
        return
    length = max(end - start, 4)
    _add(row, "rect", class_=kind, x=start, y=top + 6, width=length, height=_BAR, rx=4 if length > 8 else 1.5)


def _kind(step: ScheduledStep) -> str:
    kinds = (("done", step.done), ("dropped", step.dropped), ("overdue", step.overdue), ("critical", step.critical))
    return next((name for name, holds in kinds if holds), "")


def _title_class(step: ScheduledStep) -> str:
    if step.dropped:
        return "muted gone"
    return "title" if step.open else "muted"


def _add(parent: Element, tag: str, text: str = "", /, **attributes: float | str) -> Element:
    """Add an element; `class_` stands for `class`, `text_anchor` for `text-anchor`."""
    named = {name.rstrip("_").replace("_", "-"): _written(value) for name, value in attributes.items()}
    child = ET.SubElement(parent, tag, named)
    child.text = text or None
    return child


def _written(value: float | str) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
