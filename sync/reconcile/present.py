"""Plans a task that the app holds: completes, reopens, updates or repairs it, or leaves it to the user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.base import Action, Write
from connectors.model import StoredKey
from sync.reconcile.change import Change, keep
from sync.reconcile.context import Outcome
from sync.reconcile.marking import merged_marker
from sync.reconcile.merge import merge
from sync.reconcile.reasons import decide, why_mended

if TYPE_CHECKING:
    from connectors.model import Marker, Task
    from sync.reconcile.change import State
    from sync.reconcile.context import Context
    from sync.reconcile.desired import DesiredTask
    from sync.reconcile.merge import Merged

COMPANY = "done, but to tick it would tick an open task of yours below it"


def plan_present(context: Context, wanted: DesiredTask, task: Task) -> Outcome:
    """Return the outcome for a task that the app holds."""
    if task.unread:
        return Outcome((keep(wanted.key, task.unread),), _entry_of_unread(context, wanted, task))
    if context.is_dropped(wanted):
        outcome = _dropped(context, wanted, task)
    elif task.recurring:
        reason = "a person made it recurring: it is theirs now"
        outcome = Outcome(_leave(context, wanted, task, reason), _entry(wanted, task))
    elif wanted.done and not task.done and task.company:
        return plan_open(context, wanted, task)
    else:
        outcome = Outcome(_merged(context, wanted, task), _entry(wanted, task))
    return replace(outcome, changes=(*_remark(wanted, task), *outcome.changes))


def plan_open(context: Context, wanted: DesiredTask, task: Task) -> Outcome:
    """Return the outcome for a task that is done and stays open, as a task of the user would be completed with it."""
    return Outcome((*_remark(wanted, task), *_leave(context, wanted, task, COMPANY)), _live(task))


def _remark(wanted: DesiredTask, task: Task) -> tuple[Change, ...]:
    verdict = wanted.verdict_on(task)
    stays = verdict.reason if verdict and verdict.outcome == "stays" and not task.done else ""
    return tuple(keep(wanted.key, remark) for remark in (task.remark, stays) if remark)


def _live(task: Task) -> StoredKey:
    return StoredKey("live", task.native_id, task.marker.generation)


def _entry(wanted: DesiredTask, task: Task) -> StoredKey:
    return replace(_live(task), state="done", done_on=wanted.done) if wanted.done else _live(task)


def _entry_of_unread(context: Context, wanted: DesiredTask, task: Task) -> StoredKey:
    """Return the entry as it was, unless the task is new to the memory or was reopened in another app."""
    memory = context.view.remembered(wanted.key)
    if memory is None or memory.state == "pending":
        return _live(task)
    return _live(task) if memory.state == "done" and wanted.done is None else memory


def _dropped(context: Context, wanted: DesiredTask, task: Task) -> Outcome:
    """Leave a task cancelled that the user cancelled; the first run that sees it reports it."""
    memory = context.view.remembered(wanted.key)
    reported = memory is not None and memory.state == "dropped"
    dropped = replace(_live(task), state="dropped", definition=wanted.definition)
    entry = _entry(wanted, task) if wanted.done else dropped
    return Outcome(_leave(context, wanted, task, "" if reported else "a person cancelled it"), entry)


def _leave(context: Context, wanted: DesiredTask, task: Task, reason: str) -> tuple[Change, ...]:
    """Return the changes to a task that is left to the user: only a wrong marker is written again.

    reason: reported to the user; empty for no report.
    """
    report = (keep(wanted.key, reason),) if reason else ()
    mending = why_mended(context, task)
    if not mending:
        return report
    write = Write(
        Action.REPAIR,
        wanted.key,
        task.native_id,
        task.content,
        context.places.marker_with_place(wanted, task),
        context.places.moved(wanted, task),
        parent=context.places.above(wanted),
    )
    return (*report, Change(Action.REPAIR, wanted.key, mending, {}, write, before=context.state_of(task)))


def _merged(context: Context, wanted: DesiredTask, task: Task) -> tuple[Change, ...]:
    """Return the change that merges what is wanted into the task, or a report of what the user changed and keeps."""
    merged = merge(context.connector, wanted, task, context.doubled)
    marker = merged_marker(context, wanted, task, merged)
    decision = decide(context, wanted, task, merged.fields, marker)
    if decision is None:
        return tuple(
            keep(wanted.key, f"a person changed the {name}: theirs stays") for name in sorted(merged.edited_by_user)
        )
    action, reason = decision
    write = Write(
        action,
        wanted.key,
        task.native_id,
        merged.content,
        marker,
        frozenset(merged.fields) | context.places.moved(wanted, task),
        parent=context.places.above(wanted),
        done_on=wanted.done,
        kept=merged.preserved_text,
    )
    change = Change(
        action,
        wanted.key,
        reason + (f"; {merged.preserved_text}" if merged.preserved_text else ""),
        _shown_fields(context, wanted, task, merged),
        write,
        acknowledges=_acknowledges(context, wanted, task, write),
        last=_shows_move(wanted, task, write),
        before=_state_before(context, task, marker),
    )
    return (change,)


def _shown_fields(
    context: Context, wanted: DesiredTask, task: Task, merged: Merged
) -> dict[str, tuple[object, object]]:
    """Return the (old, new) of each field that a report shows as changed."""
    shown: dict[str, tuple[object, object]] = dict(merged.fields)
    if task.native_id in context.view.renamed:
        shown["key"] = (context.view.renamed[task.native_id], wanted.key)
    if wanted.pinned != task.marker.pinned:
        shown["pinned"] = (task.marker.pinned, wanted.pinned)
    return shown


def _acknowledges(context: Context, wanted: DesiredTask, task: Task, write: Write) -> bool:
    """Return whether the write has to wait until all apps have what the user did here."""
    reopens = write.action is Action.REOPEN
    if "parent" in write.fields:  # what moves elsewhere makes room first; what comes from elsewhere waits
        return reopens and write.parent is None
    if _shows_move(wanted, task, write):
        return True
    is_new_pin = wanted.pinned and "due" not in write.fields and task.content.due != task.marker.due
    return is_new_pin or (reopens and context.view.ticked(wanted.key))


def _shows_move(wanted: DesiredTask, task: Task, write: Write) -> bool:
    """Return whether only this task shows that the user moved a deadline, and from which day: pins depend on that.

    A task that moves, or gets another key, cannot wait: others are put below it.
    """
    verdict = wanted.verdict_on(task)
    plain = write.action is Action.UPDATE and "parent" not in write.fields
    return plain and verdict is not None and verdict.outcome == "moved"


def _state_before(context: Context, task: Task, marker: Marker) -> State:
    """Return the task as it was read. The content of a damaged marker is lost: `undo` keeps the new one."""
    before = context.state_of(task)
    return replace(before, marker=replace(marker, due=task.content.due)) if context.is_damaged(task) else before
