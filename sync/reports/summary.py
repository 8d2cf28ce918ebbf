"""A run as GitHub shows it: what to do now, how each goal stands, what changed and why, the next weeks, what it took.

GitHub takes only so much of it. So each part has its share of the room: rows that do not fit are left out, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from config import display
from connectors.base import Action
from sync.reports import markdown, mermaid, words
from sync.reports.agenda import agenda, by_urgency, idle
from sync.reports.warnings import warnings
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from connectors.base import Requests
    from sync.reconcile.change import Change, ConnectorPlan
    from sync.reports.agenda import Entry
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep

LIMIT = 1_000_000  # bytes: GitHub shows nothing of a summary over 1 MiB
COMMENT_LIMIT = 65_000  # bytes: a comment has at most 65,536 characters
_OPEN_GOALS, _OPEN_STEPS, _OPEN_NEW = 12, 8, 3  # goals, steps of a part of the day, new tasks; more are folded
_TAGS = 200  # bytes of what folds
_SHARES = {"notes": 0.05, "now": 0.15, "goals": 0.3, "changes": 0.35, "chart": 0.1}
_BEFORE, _AHEAD = timedelta(days=3), timedelta(weeks=6)  # what the chart shows, from today


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: requests by the labels of the connectors, and seconds."""

    requests: Mapping[str, Requests]
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to tell of a run: the goals as they stand, the plans (carried out, if `applied`), and notes."""

    schedule: Schedule
    plans: Sequence[ConnectorPlan]
    applied: bool
    cost: Cost | None = None
    notes: Sequence[str] = ()


def run(told: Told, limit: int = LIMIT) -> str:
    """Return the report of a run in at most `limit` bytes of UTF-8."""
    room = {name: int(limit * share) for name, share in _SHARES.items()}
    blocks = [
        [f"## {sign(told)} backplan: {_headline(told)}"],
        fitting([f"> ⚠️ {markdown.sentence(note)}\n" for note in told.notes], room["notes"], "notes"),
        _now(told.schedule, room["now"]),
        _goals(told.schedule, room["goals"]),
        *(_changes(plan, told, room["changes"] // len(told.plans)) for plan in told.plans),
        _chart(told.schedule, room["chart"]),
        [_cost(told.cost)] if told.cost else [],
    ]
    return "".join("\n".join(block) + "\n\n" for block in blocks if block)


def failure(sentences: Sequence[str], limit: int = LIMIT) -> str:
    """Return the report of a run that was stopped, in at most `limit` bytes of UTF-8."""
    lines = fitting([f"- {markdown.sentence(sentence)}" for sentence in sentences], int(limit * 0.9), "messages")
    return "\n".join(["## 🔴 backplan stopped", "", *lines]) + "\n\n"


def checked(sentence: str) -> str:
    """Return the report of a goals file without mistakes."""
    return f"## 🟢 backplan: {markdown.sentence(sentence)}\n\n"


# The first line


def sign(told: Told) -> str:
    """Return a red sign where something could not be done; a goal that is late is no fault of the run."""
    failed = any(change.status == "failed" for plan in told.plans for change in plan.changes)
    return "🔴" if failed or any(plan.error for plan in told.plans) else "🟢"


def _headline(told: Told) -> str:
    writes = [change for plan in told.plans for change in plan.news]
    if not told.plans:
        return display.count(len(told.schedule.goals), "goal")
    if not writes:
        return words.NOTHING_TO_DO
    what = f": {words.what_changes([change for change in writes if change.status in ('planned', 'applied')])}"
    if not told.applied:
        return f"{display.count(len(writes), 'change')} to make{what}"
    statuses = [change.status for change in writes]
    failed, waiting = statuses.count("failed"), statuses.count("skipped")
    said = [f"{display.count(statuses.count('applied'), 'change')} made{what}"]
    said += [f"{failed} could not be made"] if failed else []
    said += [f"{waiting} left for a later run"] if waiting else []
    return ", ".join(said)


# The parts


def _now(value: Schedule, room: int) -> list[str]:
    shown = agenda(value)
    if said := idle(shown):
        return [markdown.sentence(said)]
    share = room // len(shown.parts)
    return [line for name, entries in shown.parts for line in ("", *_part(name, entries, shown.today, share))][1:]


def _part(name: str, entries: Sequence[Entry], today: date, room: int) -> list[str]:
    """Return a part of the day; where it has many steps, those after the first few are folded."""
    title, blank, *lines = markdown.part(name, entries, today)
    room -= len(title.encode()) + _TAGS
    return [title, blank, *_folded(lines, _OPEN_STEPS, room, "step")]


def _folded(lines: Sequence[str], count: int, room: int, what: str) -> list[str]:
    """Return the first lines, so many of them, and the others folded: what fits into so many bytes."""
    if len(lines) <= count:
        return fitting(lines, room, f"{what}s")
    shown = fitting(lines[:count], room // 2, f"{what}s")
    more = "\n".join(fitting(lines[count:], room - _size(shown) - _TAGS, f"{what}s"))
    return [*shown, "", markdown.details(display.count(len(lines) - count, f"more {what}"), more)]


def _size(lines: Sequence[str]) -> int:
    """Return how many bytes lines take."""
    return sum(len(line.encode()) + 1 for line in lines)


def _goals(value: Schedule, room: int) -> list[str]:
    rows = ["\n".join(_goal(goal)) for goal in by_urgency(value.goals)]
    loads = [f"- ⚠️ {markdown.escape(line)}" for load in value.loads for line in words.load(load)]
    lines = _folded(rows, _OPEN_GOALS, room - room // 4, "goal") if rows else []
    lines += ["", *fitting(loads, room // 4, "warnings")] if loads else []
    return ["### Goals", "", *lines] if lines else []


def _goal(goal: ScheduledGoal) -> Iterator[str]:
    done, count = words.progress(goal)
    said = [f"{markdown.SIGNS[goal.state]} **{markdown.escape(goal.goal.title)}**: {words.health(goal)}"]
    if count:
        said.append(f"{done}/{count} done")
    said.append(f"deadline {display.near(goal.deadline)}")
    if goal.state is State.LATE and goal.earliest_deadline:
        said.append(f"the earliest that holds is {display.near(goal.earliest_deadline)}")
    if following := goal.next_step:
        said.append(f"next: {_next(following)}")
    yield f"- {' · '.join(said)}"
    yield from (f"  - ⚠️ {markdown.sentence(warning)}" for warning in warnings(goal))


def _next(step: ScheduledStep) -> str:
    return f"{markdown.escape(step.step.title)}, {display.near(step.due)}"


def _changes(plan: ConnectorPlan, told: Told, room: int) -> list[str]:
    """Return the changes in a table; new tasks, where there are many, in one that is folded."""
    # What is left out if there is no room for all is what happens most, and matters least.
    changes = sorted(plan.changes, key=_weight)
    new = [change for change in changes if change.action is Action.CREATE and not change.error]
    folded = new if len(new) > _OPEN_NEW else []
    hidden = {change.key for change in folded}
    blocks = [_table([change for change in changes if change.key not in hidden], told, room // 2)]
    if folded:
        lines = "\n".join(_table(folded, told, room - _size(blocks[0]) - _TAGS))
        blocks.append([markdown.details(display.count(len(folded), "new task"), lines)])
    if plan.budget and not told.applied:
        blocks.append([f"It takes {plan.budget}."])
    heading = f"### Changes in {markdown.escape(plan.label)}"
    return [heading, *(line for block in blocks if block for line in ("", *block))] if changes else []


def _weight(change: Change) -> int:
    if change.status == "failed":
        return 0
    return 2 if change.action is Action.KEEP else 1


def _chart(value: Schedule, room: int) -> list[str]:
    chart, left_out = mermaid.gantt(value, value.today - _BEFORE, value.today + _AHEAD, room)
    lines = ["### The next six weeks", "", "```mermaid", chart, "```"] if chart else []
    return [*lines, *(["", left_out] if left_out else [])]


def _cost(cost: Cost) -> str:
    said = [
        f"{markdown.escape(label)}: {display.count(requests.read, 'request')} to read, {requests.write} to write"
        for label, requests in cost.requests.items()
        if requests.read or requests.write
    ]
    return f"Used: {'; '.join([*said[:20], f'{cost.seconds:.1f} seconds'])}."


# Room


def _table(changes: Sequence[Change], told: Told, room: int) -> list[str]:
    if not changes:
        return []
    titles = told.schedule.titles  # which are put together anew each time
    rows = [markdown.change_row(change, titles, applied=told.applied) for change in changes]
    head, rule, *lines = markdown.table(markdown.change_columns(applied=told.applied), rows)
    return [head, rule, *fitting(lines, room, "rows")]


def fitting(rows: Sequence[str], room: int, what: str) -> list[str]:
    """Return the rows that fit into so many bytes, and below them a sentence on those that do not."""
    fitting = []
    for row in rows:
        size = len(row.encode()) + 1
        if size <= room:
            fitting.append(row)
            room -= size
    left_out = len(rows) - len(fitting)
    return [*fitting, *(["", f"*{left_out} more {what} would not fit here.*"] if left_out else [])]
