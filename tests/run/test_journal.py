"""The journal of a run: what it has of a task is what the task had."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

from connectors.base import Action
from connectors.model import Content
from sync.reconcile.change import Change, State
from sync.run import journal

DAY = date(2027, 3, 8)


def test_every_field_of_a_task_is_written_and_read() -> None:
    content = Content("Move", DAY, "notes", ("home",), "high", DAY, "sam", ("boxes",), ("move/permit",))
    assert all(getattr(content, field.name) != field.default for field in fields(Content))
    state = State(content, None, "7", done=True, done_on=DAY, dropped=True)
    change = Change(Action.KEEP, "move", "", before=state)
    written = {
        "label": "app",
        "changes": [{"key": "move", **journal.states(change)}],
        "memory": {"before": [], "after": []},
    }
    document = {"version": journal.VERSION, "namespace": "me", "connectors": [written]}
    assert journal.read(document, "the journal").records[0].entries[0].before == state
