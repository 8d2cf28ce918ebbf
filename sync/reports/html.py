"""A schedule as one page that needs nothing else: how each goal stands, its steps, and the chart of all."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from config import display
from sync.reports import svg, words
from sync.reports.warnings import warnings
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_MANY = 4  # from this number of goals on there is a list of them at the top
_CODE = re.compile(r"`([^`]+)`")
_COLOURS = {"green": "on-track", "yellow": "at-risk", "red": "late"}  # of the buffer, as states are shown
_COLUMNS = ("Step", "Start", "Due", "Slack", "Remark")

_STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f1f3f6; --card: #fff; --line: #e1e5eb; --ink: #1d2330; --muted: #5a6577; --accent: #3465d9;
  --good: #18794a; --good-back: #e3f4ea; --tight: #845400; --tight-back: #fdf1d6; --bad: #a81d2b; --bad-back: #fde8e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0c0f14; --card: #14181f; --line: #2b323e; --ink: #e8eaef; --muted: #a0a9b9; --accent: #7ca4ff;
    --good: #6fdca6; --good-back: #12301f; --tight: #ecc15c; --tight-back: #33280e; --bad: #ff9c9c; --bad-back: #3a171b;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main, header { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem }
header { padding-top: 2.5rem }
h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.015em }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 0; overflow-wrap: anywhere }
h1, td, th, li, p { overflow-wrap: anywhere }
p { margin: .25rem 0 }
a { color: var(--accent) }
.muted, dt { color: var(--muted) }
section, nav { background: var(--card); border: 1px solid var(--line); border-radius: .9rem; margin: 1.25rem 0 }
section, nav { padding: 1.25rem 1.4rem }
nav ul { list-style: none; margin: 0; padding: 0 }
nav li { display: flex; gap: .35rem 1rem; flex-wrap: wrap; justify-content: space-between; padding: .3rem 0 }
nav li + li { border-top: 1px solid var(--line) }
.head { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between }
.health { font-size: .875rem; font-weight: 600; padding: .15rem .7rem; border-radius: 1rem }
.on-track, .done { color: var(--good); background: var(--good-back) }
.at-risk { color: var(--tight); background: var(--tight-back) }
.given-up, .no-step-left { color: var(--muted); background: var(--line) }
.late, .missed { color: var(--bad); background: var(--bad-back) }
.progress { display: flex; align-items: center; gap: .75rem; font-size: .875rem; margin: .9rem 0 }
progress { appearance: none; border: 0; flex: 1; height: .5rem; border-radius: 1rem; overflow: hidden }
progress, progress::-webkit-progress-bar { background: var(--line) }
progress::-webkit-progress-value { background: var(--good); border-radius: 1rem }
progress::-moz-progress-bar { background: var(--good); border-radius: 1rem }
.warnings { margin: .9rem 0; padding: .7rem 1rem .7rem 2rem; border-radius: .6rem }
.warnings { background: var(--tight-back); color: var(--tight); font-size: .925rem }
code { font: .9em ui-monospace, "Cascadia Code", Menlo, Consolas, monospace }
table { width: 100%; border-collapse: collapse; font-size: .925rem; font-variant-numeric: tabular-nums }
th, td { text-align: start; vertical-align: top; padding: .5rem .9rem .5rem 0; border-top: 1px solid var(--line) }
thead th { border: 0; color: var(--muted); font-size: .8rem; font-weight: 500; padding-bottom: .3rem }
tbody th { font-weight: 500; width: 42% }
td { white-space: nowrap }
td:last-child { padding-right: 0; white-space: normal }
.closed th { color: var(--muted); font-weight: 400 }
.dropped th { text-decoration: line-through }
.overdue .due, .overdue .remark { color: var(--bad); font-weight: 600 }
.chart { overflow-x: auto; padding: 0 }
.chart svg { display: block; width: 100%; min-width: 44rem; height: auto }
footer { text-align: center; font-size: .85rem; padding: 1rem 1rem 2.5rem }
@media (max-width: 40rem) {
  main, header { padding-left: .75rem; padding-right: .75rem }
  section, nav { padding: 1rem }
  .chart { padding: 0 }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  table, tbody { display: block }
  tr { display: flex; flex-wrap: wrap; gap: 0 1.25rem; border-top: 1px solid var(--line); padding: .5rem 0 }
  th, td { border: 0; padding: .1rem 0 }
  tbody th { flex: 0 0 100%; width: auto }
  td:empty { display: none }
  td[data-label]::before { content: attr(data-label) " "; color: var(--muted); font-weight: 400 }
}
@media print {
  body { background: none }
  section { break-inside: avoid }
}
"""


def schedule(value: Schedule) -> str:
    """Return the page: a card for each goal, and the chart."""
    title = display.clean(value.goals[0].goal.title) if len(value.goals) == 1 else f"Plan for {len(value.goals)} goals"
    body = [f"<header><h1>{_text(title)}</h1>", f'<p class="muted">as of {_day(value.today)}</p></header>', "<main>"]
    if len(value.goals) >= _MANY:
        body += _contents(value)
    for goal in value.goals:
        body += _card(goal, alone=len(value.goals) == 1)
    body += _loads(value)
    # A part of the page that scrolls must be reachable from the keyboard.
    body += ['<section class="chart" aria-label="Chart" tabindex="0">', svg.schedule(value).rstrip(), "</section>"]
    body += ["</main>", '<footer class="muted">made by backplan</footer>']
    return "\n".join([*_head(title), "<body>", *body, "</body>", "</html>"]) + "\n"


def _head(title: str) -> list[str]:
    return [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        # Nothing of the page may load or run anything, whatever stands in a title.
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
    ]


def _contents(value: Schedule) -> Iterator[str]:
    yield '<nav aria-label="Goals"><ul>'
    for goal in value.goals:
        link = f'<a href="#goal-{escape(goal.goal.id)}">{_text(goal.goal.title)}</a>'
        yield f"<li>{link}{_health(goal)}</li>"
    yield "</ul></nav>"


def _card(goal: ScheduledGoal, *, alone: bool) -> Iterator[str]:
    heading = "How it stands" if alone else _text(goal.goal.title)
    yield f'<section id="goal-{escape(goal.goal.id)}">'
    yield f'<div class="head"><h2>{heading}</h2>{_health(goal)}</div>'
    if goal.goal.why:
        yield f'<p class="muted">{_text(goal.goal.why)}</p>'
    yield f"<p>Deadline: <strong>{_day(goal.deadline)}</strong></p>"
    yield from _progress(goal)
    yield from _buffer(goal)
    if goal.risk:
        yield f"<p>{' '.join(map(_sentence, words.risk(goal.risk)))}</p>"
    if goal.warnings:
        yield '<ul class="warnings">'
        yield from (f"<li>{_sentence(warning)}</li>" for warning in warnings(goal))
        yield "</ul>"
    if goal.steps:
        yield from _table(goal)
    yield "</section>"


def _health(goal: ScheduledGoal) -> str:
    return f'<span class="health {goal.state.value}">{escape(words.health(goal))}</span>'


def _progress(goal: ScheduledGoal) -> Iterator[str]:
    done, count = words.progress(goal)
    if count:
        bar = f'<progress value="{done}" max="{count}" aria-label="Steps done"></progress>'
        yield f'<div class="progress">{bar}<span>{done} of {count} done</span></div>'


def _buffer(goal: ScheduledGoal) -> Iterator[str]:
    if goal.buffer and goal.state is not State.DONE:
        yield f'<p><span class="health {_COLOURS[goal.buffer.colour]}">{escape(words.buffer(goal.buffer))}</span></p>'


def _loads(value: Schedule) -> Iterator[str]:
    if value.loads:
        yield '<section aria-label="Load"><ul class="warnings">'
        yield from (f"<li>{_text(line)}</li>" for load in value.loads for line in words.load(load))
        yield "</ul></section>"


def _table(goal: ScheduledGoal) -> Iterator[str]:
    # The roles say again what the elements are: on a narrow screen the rows are no table to the eye.
    yield '<table role="table"><thead role="rowgroup"><tr role="row">'
    yield "".join(f'<th role="columnheader" scope="col">{column}</th>' for column in _COLUMNS)
    yield '</tr></thead><tbody role="rowgroup">'
    yield from map(_row, goal.steps)
    yield "</tbody></table>"


def _row(step: ScheduledStep) -> str:
    kinds = (("closed", not step.open), ("dropped", step.dropped), ("overdue", step.overdue))
    kind = " ".join(name for name, holds in kinds if holds)
    slack = display.days(step.slack) if step.open and step.due else ""
    cells = (
        f'<th role="rowheader" scope="row">{_text(step.step.title)}</th>',
        _cell("start", _day(step.start)),
        _cell("due", _day(step.due)),
        _cell("slack", slack),
        f'<td role="cell" class="remark">{escape(words.remark(step))}</td>',
    )
    return f'<tr role="row" class="{kind}">{"".join(cells)}</tr>'


def _cell(name: str, content: str) -> str:
    return f'<td role="cell" class="{name}" data-label="{name}">{content}</td>' if content else '<td role="cell"></td>'


def _day(value: date | None) -> str:
    return f'<time datetime="{value}">{display.day(value)}</time>' if value else display.day(value)


def _text(text: str) -> str:
    # Right-to-left titles keep their direction to themselves.
    return f"<bdi>{escape(display.clean(text))}</bdi>"


def _sentence(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(display.clean(text)))
