"""The journal of a run: each task before and after its change, within the document that `sync --json` prints."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date  # pydantic looks it up
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from config.atomic_write import replace_file
from config.errors import InputError
from config.redaction import hide
from connectors.codec import read_marker, read_memory, write_marker, write_memory
from connectors.model import Content
from sync.reconcile.change import State
from sync.reconcile.record import Entry, Journal, Record

if TYPE_CHECKING:
    from pathlib import Path

    from sync.reconcile.change import Change, ConnectorPlan

VERSION = 1
_CONTENT = tuple(field.name for field in fields(Content))


# Values of a plan, as the document has them


def states(change: Change) -> dict[str, Any]:
    """Return a task before and after its change."""
    return {"before": _document_of(change.before), "after": _document_of(change.after)}


def memory(plan: ConnectorPlan) -> dict[str, Any]:
    """Return the memory before and after, of the goals for which it changes."""
    before = {goal_id: goal for goal_id, goal in plan.stored.items() if plan.memory.get(goal_id) != goal}
    after = {goal_id: goal for goal_id, goal in plan.memory.items() if plan.stored.get(goal_id) != goal}
    return {"before": write_memory(before), "after": write_memory(after)}


def _document_of(state: State | None) -> dict[str, Any] | None:
    """Return a state without the values that are at their default: most tasks have no notes, and are not done."""
    if state is None:
        return None
    model = _StateModel(
        native_id=state.native_id,
        **{name: getattr(state.content, name) for name in _CONTENT},
        done=state.done,
        done_on=state.done_on,
        dropped=state.dropped,
        marker=write_marker(state.marker) if state.marker else None,
    )
    return model.model_dump(mode="json", exclude_defaults=True)


# The file


def save(path: Path, document: str, *, over: bool) -> None:
    """Write a document to `path`, in one step.

    over: it may replace an older journal, and never any other file. Raises InputError where it may not.
    """
    if path.exists() and path.stat().st_size:
        if not over:
            raise InputError(f"{path}: is there already, and a plan replaces no file; name another one")
        try:
            load(path)
        except InputError:
            raise InputError(f"{path}: is there already and is no journal; name another file") from None
    replace_file(path, f"{hide(document)}\n".encode())


def load(path: Path) -> Journal:
    """Read the journal at `path`. Raises InputError, with the place, where it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; name the journal of a run") from error
    try:
        document = json.loads(raw)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}:{error.colno}: {error.msg}; {_GENUINE}") from None
    except (UnicodeDecodeError, RecursionError):
        raise InputError(f"{path}:1:1: is not JSON; {_GENUINE}") from None
    return read(document, str(path))


def read(document: object, name: str) -> Journal:
    """Return the journal in a document, called `name` in messages. Raises InputError where it is none."""
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise InputError(f"{name}: was written by a newer version of backplan (format {version}); update backplan")
    try:
        return _JournalModel.model_validate(document).journal
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise InputError(f"{name}: is no journal: {place}: {hide(first['msg'])}; {_GENUINE}") from None


_GENUINE = "a journal is what `backplan sync --json` prints, or writes with --journal"


def _a_marker(text: str) -> str:
    if read_marker(text) is None:
        raise ValueError("is no marker")
    return text


def _a_memory(lines: list[str]) -> list[str]:
    read_memory(lines)  # raises ValueError
    return lines


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # new keys may come


class _StateModel(_Model):
    """A state, with the fields of its content beside its own."""

    native_id: str = ""
    title: str
    due: date | None = None
    notes: str = ""
    labels: tuple[str, ...] = ()
    priority: str = "none"
    start: date | None = None
    who: str = ""
    checklist: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    done: bool = False
    done_on: date | None = None
    dropped: bool = False
    marker: Annotated[str, AfterValidator(_a_marker)] | None = None

    @property
    def state(self) -> State:
        return State(
            Content(**{name: getattr(self, name) for name in _CONTENT}),
            read_marker(self.marker) if self.marker else None,
            self.native_id,
            self.done,
            self.done_on,
            self.dropped,
        )


class _ChangeModel(_Model):
    key: str
    before: _StateModel | None
    after: _StateModel | None

    @property
    def entry(self) -> Entry:
        before, after = (state.state if state else None for state in (self.before, self.after))
        return Entry(self.key, before, after)


class _MemoryModel(_Model):
    before: Annotated[list[str], AfterValidator(_a_memory)]
    after: Annotated[list[str], AfterValidator(_a_memory)]


class _ConnectorModel(_Model):
    label: str
    changes: list[_ChangeModel]
    memory: _MemoryModel

    @property
    def record(self) -> Record:
        entries = tuple(change.entry for change in self.changes if change.before or change.after)
        return Record(self.label, entries, read_memory(self.memory.before), read_memory(self.memory.after))


class _JournalModel(_Model):
    version: Literal[1]
    namespace: str
    connectors: list[_ConnectorModel]

    @property
    def journal(self) -> Journal:
        return Journal(self.namespace, tuple(connector.record for connector in self.connectors))
