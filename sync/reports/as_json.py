"""Schedules and plans as JSON: the shapes are public and keep their meaning within a version."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from connectors.base import Action
from sync.reports.warnings import warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.errors import Problem
    from connectors.base import Connector
    from sync.forecast.fit import Fit
    from sync.forecast.learning import Lesson
    from sync.reconcile.change import Change, ConnectorPlan
    from sync.reports.agenda import Agenda, Entry
    from sync.schedule.model import Buffer, Load, Overload, Risk, Schedule, ScheduledGoal, ScheduledStep

VERSION = 1

# Characters that steer a terminal or GitHub's runner. JSON has an escape for each of them.
_STEERING = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]|(?<=#)#(?=\\[)")


def text(document: Mapping[str, Any]) -> str:
    """Return a document as one line of JSON."""
    written = json.dumps(document, ensure_ascii=False)
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def schedule(value: Schedule) -> dict[str, Any]:
    """Return a schedule; days are ISO dates, slack and margin are working days."""
    return {
        "version": VERSION,
        "today": value.today.isoformat(),
        "goals": [_goal(goal) for goal in value.goals],
        "load": [_load(load) for load in value.loads],
    }


def agenda(value: Agenda) -> dict[str, Any]:
    """Return the steps of a day and of the days after it, and the state of the goals, the most urgent first."""
    return {
        "version": VERSION,
        "today": value.today.isoformat(),
        "overdue": list(map(_entry, value.overdue)),
        "due": list(map(_entry, value.due)),
        "begin": list(map(_entry, value.begins)),
        "under_way": list(map(_entry, value.under_way)),
        "days": [
            {"date": day.date.isoformat(), "due": list(map(_entry, day.due)), "begin": list(map(_entry, day.begins))}
            for day in value.days
        ],
        "next": _entry(value.following) if value.following else None,
        "goals": [
            {
                "id": goal.goal.id,
                "title": goal.goal.title,
                "state": goal.state.value,
                "margin_days": goal.margin,
                "deadline": goal.deadline.isoformat(),
            }
            for goal in value.goals
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.step.step.key,
        "title": entry.step.step.title,
        "goal": entry.goal.goal.title,
        "start": entry.start.isoformat(),
        "due": entry.due.isoformat(),
    }


def _goal(goal: ScheduledGoal) -> dict[str, Any]:
    return {
        "id": goal.goal.id,
        "title": goal.goal.title,
        "deadline": goal.deadline.isoformat(),
        "start": _day(goal.start),
        "finish": _day(goal.finish),
        "margin_days": goal.margin,
        "state": goal.state.value,
        "earliest_deadline": _day(goal.earliest_deadline),
        "warnings": warnings(goal),
        "buffer": _buffer(goal.buffer) if goal.buffer else None,
        **({"risk": _risk(goal.risk)} if goal.risk else {}),
        "steps": [_step(step, goal.goal.id) for step in goal.steps],
    }


def _buffer(value: Buffer) -> dict[str, Any]:
    return {
        "days": value.days,
        "used_days": value.used,
        "work_done": round(value.done, 4),
        "colour": value.colour,
    }


def _risk(value: Risk) -> dict[str, Any]:
    return {
        "samples": value.samples,
        "estimates": value.estimates,
        "finish": {f"p{percent}": day.isoformat() for percent, day in value.finish.items()},
        "chance_of_deadline": round(value.chance_of_deadline, 4),
        "chance_of_limit": round(value.chance_of_limit, 4),
        "confidence": value.confidence,
        "latest_start": _day(value.latest_start),
    }


def _load(value: Load) -> dict[str, Any]:
    return {
        "who": value.who,
        "capacity": value.capacity,
        "stretches": [
            {"from": s.first.isoformat(), "to": s.last.isoformat(), "most": s.most, "steps": list(s.keys)}
            for s in value.stretches
        ],
        "overload": _overload(value.overload),
        "weeks": [{"monday": monday.isoformat(), "most": most} for monday, most in value.weeks.items()],
    }


def _overload(value: Overload | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "from": value.first.isoformat(),
        "to": value.last.isoformat(),
        "work": value.work,
        "working_days": value.working,
    }


def lessons(values: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Return the lessons from done steps: how many times the planned days they took."""
    return [
        {
            "kind": value.kind,
            "name": value.name,
            "factor": round(value.factor, 2),
            "steps": value.steps,
            "planned_days": value.planned_days,
            "taken_days": value.taken_days,
        }
        for value in values
    ]


def fit(value: Fit) -> dict[str, Any]:
    """Return the earliest deadlines of a goal."""
    goal = value.goal
    return {
        "version": VERSION,
        "today": value.today.isoformat(),
        "id": goal.goal.id,
        "title": goal.goal.title,
        "deadline": goal.deadline.isoformat(),
        "state": goal.state.value,
        "margin_days": goal.margin,
        "estimates": value.estimates,
        "earliest_deadlines": {
            "planned": _day(value.planned),
            **{f"p{percent}": _day(day) for percent, day in value.by_confidence.items()},
        },
        "learning": lessons(value.lessons),
    }


def _step(step: ScheduledStep, goal_id: str) -> dict[str, Any]:
    own = f"{goal_id}/"
    return {
        "id": step.step.id,
        "title": step.step.title,
        "start": _day(step.start),
        "due": _day(step.due),
        "early_start": step.early_start.isoformat(),
        "early_finish": step.early_finish.isoformat(),
        "slack_days": step.slack,
        **({"could_end": step.could.isoformat()} if step.could else {}),
        "critical": step.critical,
        "longest_chain": step.longest_chain,
        "pinned": step.pinned,
        "done": step.done is not None,
        "dropped": step.dropped,
        "overdue": step.overdue,
        "after": [link.key.removeprefix(own) for link in (*step.step.after, *step.step.after_goals)],
    }


def what_if(before: Schedule, after: Schedule) -> dict[str, Any]:
    """Return the dates that differ between two schedules of the same goals, and the goals whose health differs."""
    moves = [{"key": key, "due": [_day(old), _day(new)]} for key, old, new in after.moves(before)]
    return {"moves": moves, "health": [_health(old, new) for old, new in after.changed(before)]}


def _health(old: ScheduledGoal, new: ScheduledGoal) -> dict[str, Any]:
    return {
        "id": new.goal.id,
        "state": [old.state.value, new.state.value],
        "margin_days": [old.margin, new.margin],
        **({"risk": [_risk(old.risk), _risk(new.risk)]} if old.risk and new.risk else {}),
    }


def plans(values: Sequence[ConnectorPlan], connectors: Mapping[str, Connector], namespace: str) -> dict[str, Any]:
    """Return plans, with the results if they were carried out, and all that `undo` needs; `connectors` by label."""
    return {
        "version": VERSION,
        "namespace": namespace,
        "connectors": [_plan(value, connectors[value.label]) for value in values],
    }


def _plan(value: ConnectorPlan, connector: Connector) -> dict[str, Any]:
    from sync.run import journal  # only here: no schedule has one

    counts = Counter(change.action.value for change in value.changes)
    summary = {action.value: counts[action.value] for action in Action}
    failed = sum(change.status == "failed" for change in value.changes)
    pending = sum(change.status == "skipped" for change in value.writes)
    budget = value.budget
    costs = {"budget": {"requests": budget.requests, "minutes": budget.minutes}} if budget else {}
    return {
        "name": connector.name,
        "label": value.label,
        "changes": [{**_change(change), **journal.states(change)} for change in value.changes],
        "memory": journal.memory(value),
        "summary": {**summary, "pending": pending, "failed": failed},
        **costs,
        "requests": {"read": connector.requests.read, "write": connector.requests.write},
        **({"error": value.error} if value.error else {}),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "key": change.key,
        "fields": {name: [_value(old), _value(new)] for name, (old, new) in change.fields.items()},
        "reason": change.reason,
        "status": change.status,
        "error": change.error,
    }


def problems(values: Sequence[Problem]) -> dict[str, Any]:
    """Return the problems of the goals files, each with its place."""
    return {
        "version": VERSION,
        "problems": [
            {"file": p.place.file, "line": p.place.line, "column": p.place.column, "message": p.message} for p in values
        ],
    }


def _value(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None
