"""The comment on a pull request: the goals that it changes, and the other goals as one line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config import display
from sync.reports import markdown, words
from sync.reports.agenda import by_urgency
from sync.reports.summary import COMMENT_LIMIT, fitting, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sync.reconcile.revision import Revision, Row
    from sync.reports.summary import Told
    from sync.schedule.model import ScheduledStep

_OPEN_GOALS, _OPEN_ROWS = 8, 12  # more are folded
_LISTED = 100  # rows of a goal; more are counted
_SHARES = {"notes": 0.1, "goals": 0.7, "apps": 0.05}
_TITLE = 80  # columns of a title


def comment(revisions: Sequence[Revision], run: Told, limit: int = COMMENT_LIMIT) -> str:
    """Return the comment in at most `limit` bytes of UTF-8. run: the run that planned the pull request."""
    room = {name: int(limit * share) for name, share in _SHARES.items()}
    goals = [_goal(one) for one in _by_urgency(revisions)]
    shown = fitting(goals[:_OPEN_GOALS], room["goals"] // 2, "goals")
    folded = fitting(goals[_OPEN_GOALS:], room["goals"] // 2, "goals")
    blocks = [
        f"## {sign(run)} backplan: {_headline(revisions)}",
        "\n".join(fitting([f"> ⚠️ {markdown.sentence(note)}\n" for note in run.notes], room["notes"], "notes")),
        "\n\n".join(shown),
        markdown.details(display.count(len(goals) - _OPEN_GOALS, "more goal"), "\n\n".join(folded)) if folded else "",
        _others(revisions, run),
        "\n".join(fitting(_in_the_apps(run), room["apps"], "apps")),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _headline(revisions: Sequence[Revision]) -> str:
    """Return the number of changes: `4 tasks move in 1 goal, 2 new, 1 removed`."""
    moving = [one.moved for one in revisions if one.moved]
    others = {"new": sum(len(one.new) for one in revisions), "removed": sum(len(one.removed) for one in revisions)}
    nothing = "no date moves" if revisions else "the plan stays as it is"
    return words.counted(sum(moving), len(moving), others) or nothing


def _by_urgency(revisions: Sequence[Revision]) -> list[Revision]:
    """Return the goals that differ: the most urgent first, removed ones last."""
    there = {one.after.goal.id: one for one in revisions if one.after}
    goals = by_urgency(one.after for one in there.values() if one.after)
    return [*(there[goal.goal.id] for goal in goals), *(one for one in revisions if not one.after)]


def _goal(one: Revision) -> str:
    """Return a goal with its title, its health before and after, and its changes."""
    blocks = [_heading(one), *_rows(one.rows), *_steps("new", one.new), *_steps("removed", one.removed)]
    return "\n\n".join(blocks)


def _heading(one: Revision) -> str:
    before, after = one.before, one.after
    goal = after or before
    assert goal is not None  # noqa: S101
    title = f"### {markdown.SIGNS[goal.state]} {markdown.escape(display.shorten(goal.goal.title, _TITLE))}"
    if not before or not after:
        what = "removed" if before else f"new · {words.health(goal)} · deadline {display.near(goal.deadline)}"
        return f"{title}\n\n{what}"
    health = _change(words.health(before), words.health(after))
    deadline = _change(display.near(before.deadline), display.near(after.deadline))
    keys = [f"{' and '.join(f'`{key}`' for key in one.keys)} changed"] if one.keys else []
    return f"{title}\n\n{' · '.join([health, f'deadline {deadline}', *keys])}"


def _change(before: str, after: str) -> str:
    return after if before == after else f"{before} → **{after}**"


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    lines = [_row(row) for row in rows]
    if len(lines) > _OPEN_ROWS:
        yield markdown.details(f"{len(lines)} steps change", _listed(lines))
    elif lines:
        yield "\n".join(lines)


def _row(row: Row) -> str:
    parts = [markdown.escape(display.shorten(row.title, _TITLE))]
    (old_start, old_due), (start, due) = row.before, row.after
    if old_due != due:
        parts.append(_change(display.near(old_due), display.near(due)))
    elif row.moves:
        parts.append(f"begins {_change(display.near(old_start), display.near(start))}")
    parts += [row.why] if row.moves and row.why else []
    parts += [f"{' and '.join(row.differs)} changed"] if row.differs else []
    return f"- {' · '.join(parts)}"


def _steps(what: str, steps: Sequence[ScheduledStep]) -> Iterator[str]:
    if steps:
        lines = [f"- {markdown.escape(display.shorten(s.step.title, _TITLE))} · {display.near(s.due)}" for s in steps]
        yield markdown.details(display.count(len(steps), f"{what} step"), _listed(lines))


def _listed(lines: Sequence[str]) -> str:
    more = [f"- and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return "\n".join([*lines[:_LISTED], *more])


def _others(revisions: Sequence[Revision], run: Told) -> str:
    """Return the number of unchanged goals, by state."""
    touched = {one.after.goal.id for one in revisions if one.after}
    others = [goal for goal in run.schedule.goals if goal.goal.id not in touched]
    states = Counter(goal.state for goal in others)
    listed = ", ".join(f"{number} {state.replace('-', ' ')}" for state, number in states.items())
    return f"{display.count(len(others), 'other goal')}: {listed}." if others else ""


def _in_the_apps(run: Told) -> list[str]:
    """Return the changes of the next run, including earlier ones that are not yet in the apps."""
    return [
        f"After the merge, the next run writes to {markdown.escape(plan.label)}: {words.what_changes(plan.news)}."
        for plan in run.plans
        if plan.news
    ]
