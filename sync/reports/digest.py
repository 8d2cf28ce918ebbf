"""The digest: the week ahead, and what a run moved, as Markdown for an issue and as plain text for a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config import display
from sync.reports import markdown, words
from sync.reports.agenda import agenda, idle, when
from sync.reports.summary import fitting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.reports.agenda import Agenda, Entry
    from sync.reports.summary import Told
    from sync.schedule.model import Schedule

DAYS = 7
_LONGEST_TEXT = 1_800  # bytes: some chats take 2,000 characters
# In a chat, `<!channel>` and `@all` would call everybody.
_QUIET = str.maketrans({"<": "‹", ">": "›", "@": "@\N{WORD JOINER}"})


def week(schedule: Schedule, limit: int) -> str:
    """Return the agenda of seven days as Markdown, in at most `limit` bytes of UTF-8."""
    return "\n".join(fitting(markdown.agenda(agenda(schedule, DAYS)).split("\n"), limit, "lines"))


def moved(told: Told, limit: int) -> str:
    """Return what a run changed as Markdown, in at most `limit` bytes; empty if it changed nothing."""
    plans = [plan for plan in told.plans if plan.news]
    if not plans:
        return ""
    titles = told.schedule.titles
    rows = fitting(markdown.plan(plans, titles, applied=told.applied).split("\n"), limit, "rows")
    return "\n".join([f"## Changed on {display.day(told.schedule.today)}", "", *rows])


def text(told: Told) -> str:
    """Return the week ahead, and how much a run changed, as plain text that calls nobody."""
    lines = list(_lines(agenda(told.schedule, DAYS)))
    changes = [change for plan in told.plans for change in plan.news]
    lines += ["", f"This run: {words.what_changes(changes)}"] if changes else []
    quiet = [line.translate(_QUIET) for line in lines]
    return "\n".join(fitting(quiet, _LONGEST_TEXT, "lines"))


def _lines(value: Agenda) -> Iterator[str]:
    yield f"backplan, the week from {display.near(value.today)}"
    if sentence := idle(value):
        yield sentence
    for name, entries in value.parts:
        yield f"\n{name}"
        yield from (_entry(entry, when(entry, value.today)) for entry in entries)
    for day in value.days:
        yield f"\n{display.near(day.date)}"
        yield from (_entry(entry, "due") for entry in day.due)
        yield from (_entry(entry, f"begins, until {display.near(entry.due)}") for entry in day.begins)
    if value.goals:
        yield "\nGoals"
        yield from (f"- {display.clean(goal.goal.title)}: {words.health(goal)}" for goal in value.goals)


def _entry(entry: Entry, remark: str) -> str:
    title, goal = display.clean(entry.step.step.title), display.clean(entry.goal.goal.title)
    return f"- {title} · {f'{remark} · ' if remark else ''}{goal}"
