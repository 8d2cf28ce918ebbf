"""The report of a fleet: who needs help first, how many accounts stand how, and what failed with why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from config.display import clean, count, near
from sync.reports.columns import Columns
from sync.schedule.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

_QUIET = timedelta(days=14)  # without a tick, after which somebody may need help
_SHOWN = 20
_NEEDS = ("failed", "held", State.MISSED, State.LATE, State.AT_RISK, "quiet", State.ON_TRACK, State.DONE)
_WORDS = {
    "failed": "failed",
    "held": "held back",
    State.MISSED: "missed",
    State.LATE: "late",
    State.AT_RISK: "at risk",
    "quiet": "no tick for two weeks",
    State.ON_TRACK: "on track",
    State.DONE: "done",
}


@dataclass(frozen=True, slots=True)
class Row:
    """How one account stands. need: one of `_NEEDS`; goal: the one that is worst off; what: the sentence to show."""

    id: str
    need: str
    goal: Mapping[str, Any]
    what: str


def rows(results: Iterable[Mapping[str, Any]], today: date) -> list[Row]:
    """Return a row for each account, those that need help first."""
    found = [_row(result, today) for result in results]
    return sorted(found, key=lambda row: (_NEEDS.index(row.need), row.goal.get("due") or "9", row.id))


def _row(result: Mapping[str, Any], today: date) -> Row:
    goals: Sequence[Mapping[str, Any]] = result["goals"]
    worst = min(goals, key=lambda goal: _rank(goal, today), default={})
    if result["status"] in ("failed", "held"):
        held = "open tasks would be removed; look at its plan first"
        return Row(result["id"], result["status"], worst, result["error"] or held)
    if not worst:
        return Row(result["id"], State.DONE, {}, "no goal")
    need = _need(worst, today)
    return Row(result["id"], need, worst, _WORDS[need] if need == "quiet" else worst["health"])


def _rank(goal: Mapping[str, Any], today: date) -> int:
    return _NEEDS.index(_need(goal, today))


def _need(goal: Mapping[str, Any], today: date) -> str:
    state = State(goal["state"])
    if state in (State.GIVEN_UP, State.NO_STEP_LEFT):
        return State.DONE
    if state is State.ON_TRACK and goal["ticked"] and today - date.fromisoformat(goal["ticked"]) > _QUIET:
        return "quiet"
    return state


def as_json(results: Sequence[Mapping[str, Any]], today: date) -> dict[str, Any]:
    """Return the report as a document: counts, and the results, those that need help first."""
    order = [row.id for row in rows(results, today)]
    by_id = {result["id"]: result for result in results}
    return {
        "version": 1,
        "accounts": len(results),
        "counts": counts(rows(results, today)),
        "changes": _changes(results),
        "results": [by_id[account] for account in order],
    }


def text(results: Sequence[Mapping[str, Any]], today: date, most: int = _SHOWN) -> Iterator[RenderableType]:
    """Yield the report for a terminal: at most so many accounts, and a line of counts."""
    found = rows(results, today)
    worth = [row for row in found if row.need not in (State.ON_TRACK, State.DONE)] or found
    yield _table(worth[:most])
    if len(worth) > most:
        yield f"and {len(worth) - most:,} more; --json has all"
    yield ""
    yield f"{count(len(results), 'account')}: {_in_words(counts(found))}"
    if changes := _changes(results):
        yield "tasks: " + ", ".join(f"{name} {number:,}" for name, number in changes.items())


def _table(shown: Sequence[Row]) -> Columns:
    table = Columns(("Account", "Goal", "How it stands", "Next", "Due"))
    for row in shown:
        due = near(date.fromisoformat(row.goal["due"])) if row.goal.get("due") else ""
        table.add_row(row.id, clean(row.goal.get("title", "")), clean(row.what), clean(row.goal.get("next", "")), due)
    return table


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {word(name)}" for name, number in counts.items())


def word(need: str) -> str:
    """Return in words how an account stands."""
    return _WORDS[need if need in ("failed", "held", "quiet") else State(need)]


def counts(found: Sequence[Row]) -> dict[str, int]:
    """Return how many accounts stand how, those that need help first."""
    number = Counter(str(row.need) for row in found)
    return {str(need): number[str(need)] for need in _NEEDS if number[str(need)]}


def _changes(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    changes: Counter[str] = Counter()
    for result in results:
        changes.update(result["changes"])
    return dict(sorted(changes.items()))
