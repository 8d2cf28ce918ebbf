"""A schedule as a page, in one file or with a page for each goal. It needs no script, and sends no request."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from config import display
from config.keys import goal_of
from sync.reports import timeline, words
from sync.reports.agenda import agenda, by_urgency, idle, when
from sync.reports.chart import chart
from sync.reports.explain import reasons
from sync.reports.publishing import AS_IT_IS, FOLDER, file_name, fragment, path_of
from sync.reports.warnings import warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from sync.reports.agenda import Day, Entry
    from sync.reports.publishing import Publishing
    from sync.reports.timeline import Bar, Part, Scale, Tick
    from sync.run.deadline_history import Moved
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

_TEMPLATES = Path(__file__).parent / "templates"
_AS_TABLE = 20  # from this number of goals on they are a table
_OPEN_GOALS = 3  # with more goals in one file, each is folded
_DAYS = 7
_TITLE_COLUMNS = 90
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class _View:
    """A goal with what its page shows. `bars` and `reasons` are by the keys of its steps."""

    goal: ScheduledGoal
    file: str
    scale: Scale
    ticks: Sequence[Tick]
    shaded: Sequence[Part]
    deadline: float
    bars: Mapping[str, Bar | None]
    reasons: Mapping[str, Sequence[str]]
    history: Sequence[Moved]


def schedule(value: Schedule, publishing: Publishing = AS_IT_IS) -> str:
    """Return the page as one file."""
    with display.near_to(value.today):
        views = _views(value, publishing.histories)
        return _index(environment(value.today), value, views, link=lambda key: f"#{fragment(key)}")


def pages(value: Schedule, publishing: Publishing) -> dict[str, str]:
    """Return the pages of the site by their paths: one of all goals, and one of each."""
    with display.near_to(value.today):
        views, templates = _views(value, publishing.histories), environment(value.today, publishing.script)
        made = {"index.html": _index(templates, value, views, link=path_of)}
        page = templates.get_template("goal.html")
        for view in views:
            made[f"{FOLDER}/{view.file}.html"] = page.render(title=view.goal.goal.title, view=view)
        return made


def _index(templates: Environment, value: Schedule, views: Sequence[_View], *, link: Callable[[str], str]) -> str:
    found, drawn = agenda(value, _DAYS), chart(value)
    calendars = {row.goal.goal.calendar for row in drawn.rows}
    return templates.get_template("index.html").render(
        title=value.goals[0].goal.title
        if len(value.goals) == 1
        else f"Plan for {display.count(len(value.goals), 'goal')}",
        states=Counter(goal.state.value.replace("-", " ") for goal in by_urgency(value.goals)),
        views=views,
        link=link,
        together=link is not path_of,
        agenda=found,
        idle=idle(found),
        by_urgency=by_urgency(value.goals),
        chart=drawn,
        grids={calendar: f"_grid{number}" for number, calendar in enumerate(calendars)},
        loads=[line for load in value.loads for line in words.load(load)],
    )


def _views(value: Schedule, histories: Mapping[str, Sequence[Moved]]) -> list[_View]:
    steps, goals = value.steps(), {goal.goal.id: goal for goal in value.goals}
    return [_view(value, goal, steps, goals, histories.get(goal.goal.id, ())) for goal in value.goals]


def _view(
    value: Schedule,
    goal: ScheduledGoal,
    steps: Mapping[str, ScheduledStep],
    goals: Mapping[str, ScheduledGoal],
    history: Sequence[Moved],
) -> _View:
    scale = timeline.of_goal(goal, value.today)
    # The sentences on a step name steps of its own goal, and of goals that it is linked to: the others only take time.
    linked = {goal_of(step.reason.key) for step in goal.steps if step.reason.key} | {goal.goal.id}
    near = replace(value, goals=tuple(goals[name] for name in linked if name in goals))
    return _View(
        goal,
        file_name(goal.goal.id),
        scale,
        timeline.ticks(scale, value.today),
        timeline.shaded(scale, goal.goal.calendar),
        scale.at(goal.deadline.toordinal() + 1),
        {step.step.key: timeline.bar(scale, step, steps, value.today) for step in goal.steps},
        {step.step.key: reasons(near, goal, step) for step in goal.steps},
        history,
    )


def environment(today: date, script: str = "") -> Environment:
    """Return the environment of the pages' templates: every text that they show is made harmless and escaped."""
    style, clean = (_TEMPLATES / "style.css").read_text("utf-8"), cache(display.clean)
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda shown: clean(shown) if type(shown) is str else shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["code"] = _with_code
    names: dict[str, Any] = {
        "style": Markup(style),  # noqa: S704  # ours
        "script": Markup(script),  # noqa: S704  # ours
        "policy": _policy(style, script),
        "today": today,
        "now": today.toordinal(),
        "day": display.near,
        "count": display.count,
        "warnings": warnings,
        "short": cache(lambda text, columns=_TITLE_COLUMNS: display.shorten(display.clean(text), columns)),
        "when": lambda entry: when(entry, today),
        "ahead_of": lambda ahead: lambda entry: _ahead(ahead, entry),
        "spoken": _spoken,
        "words": words,
        "span": timeline.span,
        "kind": timeline.kind,
        "ticks": timeline.ticks,
        "shaded": timeline.shaded,
        "as_table": _AS_TABLE,
        "open_goals": _OPEN_GOALS,
    }
    made.globals.update(names)
    return made


def _policy(style: str, script: str) -> str:
    """Return a policy that allows the page's own style and script, and no request (a script may ask its own server)."""
    allowed = [f"default-src 'none'; img-src data:; style-src {_hash(style)}"]
    allowed += [f"script-src {_hash(script)}; connect-src 'self'"] if script else []
    return "; ".join([*allowed, "base-uri 'none'; form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _with_code(text: str) -> Markup:
    shown = escape(display.clean(display.with_days(text)))
    return Markup(_CODE.sub(r"<code>\1</code>", str(shown)))  # noqa: S704  # escaped


def _ahead(ahead: Day, entry: Entry) -> str:
    return "due" if entry.due == ahead.date else f"begins, until {display.near(entry.due)}"


def _spoken(step: ScheduledStep) -> str:
    """Return the bar of a step in words."""
    days, remark = timeline.span(step), words.remark(step)
    if days is None:
        return remark
    first, last = map(display.near, days)
    dates = last if first == last else f"{first} to {last}"
    return dates if step.done or not remark else f"{dates}, {remark}"
