"""Decides which action an existing task needs, and gives the reason in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, is_group
from connectors.base import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.model import Marker, Task
    from sync.reconcile.context import Context
    from sync.reconcile.desired import DesiredTask

_BEATS = "it moves ahead once a day, for as long as backplan runs"
Decision = tuple[Action, str]  # an action and its reason


def decide(
    context: Context, wanted: DesiredTask, task: Task, fields: Mapping[str, object], marker: Marker
) -> Decision | None:
    """Return the action that a task needs, and why; None where it needs none.

    fields: those that change. marker: the one that the task is to have.
    """
    if state := _change_of_state(context, wanted, task):
        return state
    if reason := why_mended(context, task):
        return Action.REPAIR, reason
    if fields:
        return Action.UPDATE, _why_updated(wanted, task, fields)
    if not task.done and (reason := _why_noted(context, wanted, task, marker)):
        return Action.UPDATE, reason
    return None


def why_mended(context: Context, task: Task) -> str:
    """Return why a marker has to be written again; empty where it is right."""
    if task.native_id in context.view.renamed:
        return "renamed in the file"
    if stray := context.view.snapshot.taken.get(task.native_id):
        if not stray.ids and context.view.remembered(task.marker.key) is None:
            return "your own line with this title is taken over"
        lost = "row in the memory" if any(map(task.native_id.startswith, stray.ids)) else "id"
        return f"its {lost} was lost: its line is taken back"
    return "its marker was damaged" if context.is_damaged(task) else ""


def _change_of_state(context: Context, wanted: DesiredTask, task: Task) -> Decision | None:
    """Return the decision to complete or reopen the task."""
    if wanted.done:
        return None if task.done else (Action.COMPLETE, _why_done(context, wanted))
    if task.dropped:
        return Action.REOPEN, "changed in the file, so it comes back"
    return (Action.REOPEN, _why_open(wanted)) if task.done else None


def _why_done(context: Context, wanted: DesiredTask) -> str:
    memory = context.view.remembered(wanted.key)
    if wanted.in_file and memory and memory.state == "done":
        return (
            f"a person opened it again, but the goals file says that it is done (`done: {wanted.done}`): take that "
            "out there, and clear the box again"
        )
    return f"done on {wanted.done}"


def _why_open(wanted: DesiredTask) -> str:
    if wanted.key == HEARTBEAT:
        return _BEATS
    return "it has open steps again" if wanted.whole else "open again"


def _why_updated(wanted: DesiredTask, task: Task, fields: Mapping[str, object]) -> str:
    if wanted.key == HEARTBEAT:
        return _BEATS
    if fields.keys() <= {"start"} and (reason := _why_dated(wanted, task)):
        return reason  # the first day follows the last one
    if "due" not in fields:
        return "changed in the file"
    if task.content.due is None:
        return "its date was cleared" + (", so its pin is released" if task.marker.pinned else " and is put back")
    return _why_rescheduled(wanted, task)


def _why_rescheduled(wanted: DesiredTask, task: Task) -> str:
    moved = task.content.due != task.marker.due
    if task.marker.pinned and not wanted.pinned:
        in_file = task.marker.applied.get("timing") != wanted.timing
        cause = "its deadline or its timing changed in the file" if in_file else "its date is the plan's again"
        return f"{cause}, so its pin is released"
    if moved and is_group(wanted.key):
        return "a group ends with its last step: move that one"
    if moved and wanted.verdict and wanted.verdict.outcome == "back":
        return wanted.verdict.reason
    if moved and wanted.whole:
        return f"the deadline lives in the goals file: `backplan move {wanted.key} {task.content.due}` moves it"
    return "rescheduled"


def _why_noted(context: Context, wanted: DesiredTask, task: Task, marker: Marker) -> str:
    """Return why only the marker or the place of a task changes; empty where neither does."""
    moves = bool(context.places.moved(wanted, task))
    if not moves and marker == task.marker:
        return ""
    if reason := _why_dated(wanted, task):
        return reason
    if not moves:
        return "remembers what its date was planned from"
    arrives = task.native_id in context.view.arriving
    return f"moves to {context.view.label}" if arrives else "stands below another task now"


def _why_dated(wanted: DesiredTask, task: Task) -> str:
    """Return what became of the date that the user gave the task, or of its pin; empty where neither changed."""
    verdict = wanted.verdict_on(task)
    if verdict and verdict.outcome == "moved":
        return f"{verdict.reason} from {verdict.before} to {verdict.after}: the goals file follows"
    moved = task.content.due != task.marker.due and not wanted.whole
    if wanted.pinned and (moved or not task.marker.pinned):
        return f"a person moved it to {wanted.content.due}: it is pinned there"
    if moved or task.marker.pinned != wanted.pinned:
        reason = "its pin is released" if task.marker.pinned else "it needs no pin"
        return f"a person moved it to {wanted.content.due}, as the plan does: {reason}" if moved else reason
    return ""
