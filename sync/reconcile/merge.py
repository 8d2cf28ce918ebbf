"""Merges a task as the goals file wants it with the task as people left it: three ways, field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from connectors.model import ADDITIVE, FIELDS, Content, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set

    from connectors.base import Connector
    from connectors.model import Task
    from sync.reconcile.desired import DesiredTask


class Merged(NamedTuple):
    """The content to have, the (old, new) of each field that changes, and the fields that a user changed and keeps.

    `preserved_text` has the user's words that the file overrules.
    """

    content: Content
    fields: Mapping[str, tuple[object, object]]
    edited_by_user: Set[str]
    preserved_text: str


class _Case(NamedTuple):
    """A field that differs: its value in the goals file, and in the task. again: it is written even if it does not."""

    name: str
    new: Any
    old: Any
    wanted: DesiredTask
    task: Task
    again: bool


class _Decision(NamedTuple):
    """The value that a field is to have, and who changed it since it was last applied."""

    new: Any
    by_user: bool
    by_file: bool


def merge(connector: Connector, wanted: DesiredTask, task: Task, doubled: Set[str]) -> Merged:
    """Return the merged task. doubled: keys of tasks that are there twice, so that links to them are made again."""
    if wanted.done and task.done:
        return Merged(task.content, {}, frozenset(), "")
    fields: dict[str, tuple[object, object]] = {}
    theirs: set[str] = set()
    overruled: list[str] = []
    for case in _differing(connector, wanted, task, doubled):
        decision = _POLICIES[case.name](case)
        if decision.new == case.old and not case.again:
            continue
        if not decision.by_file:
            theirs.add(case.name)
            continue
        fields[case.name] = (case.old, decision.new)
        if decision.by_user and _is_preserved(case):
            overruled.append(f"{case.name} was: {case.old}")
    changed: dict[str, Any] = {name: new for name, (_, new) in fields.items()}
    return Merged(replace(task.content, **changed), fields, theirs, "; ".join(overruled))


def _differing(connector: Connector, wanted: DesiredTask, task: Task, doubled: Set[str]) -> Iterator[_Case]:
    """Yield the fields that differ, and links that have to be written again."""
    want, have = connector.canonical(wanted.content), task.content
    # A task that is done keeps its dates: the plan no longer contains it.
    held = connector.capabilities.held(wanted.key) - ({"start", "due"} if wanted.done else set())
    for name in (name for name in FIELDS if name in held):
        new, old = getattr(want, name), getattr(have, name)
        again = name == "after" and not doubled.isdisjoint(new)
        if again or (new != old and not (name == "title" and _is_spelt_anew(connector, have, new))):
            yield _Case(name, new, old, wanted, task, again)


def _is_spelt_anew(connector: Connector, have: Content, title: str) -> bool:
    """Return whether a title differs from a task's only because this version spells it in another way."""
    return title == connector.canonical(have).title


def _is_preserved(case: _Case) -> bool:
    """Return whether the user's value is to be preserved as text when the file's is written.

    A goal and a group have their dates from their steps, so that a date given to one of them is not preserved. The
    first day of a step whose last day the user moved follows from that one.
    """
    derived = case.wanted.whole and case.name in ("start", "due")
    follows = case.name == "start" and case.task.content.due != case.task.marker.due
    return bool(case.old) and case.name not in ADDITIVE and not (derived or follows)


# One policy for each field: who changed it since it was last applied, and which value it is to have


def _plain(case: _Case) -> _Decision:
    """Both may change it, and the file wins. With a damaged marker the task counts as changed by the user."""
    applied = case.task.marker.applied.get(case.name)
    by_user = applied is None or digest(case.old) != applied
    return _Decision(case.new, by_user, applied is not None and digest(case.new) != applied)


def _due(case: _Case) -> _Decision:
    """A date that the user moved is a pin by now, and part of what is wanted: the schedule has the last word."""
    verdict = case.wanted.verdict_on(case.task)
    if verdict and verdict.outcome == "stays":
        return _Decision(case.old, by_user=True, by_file=False)
    theirs = not (case.wanted.pinned or case.wanted.went_along(case.task))
    return _Decision(case.new, case.old != case.task.marker.due and theirs, by_file=True)


def _additive(case: _Case) -> _Decision:
    """What the user added stays beside what the file has."""
    decision = _plain(case)
    if not decision.by_user:
        return decision
    return decision._replace(new=joined(case.old, case.new))


def joined(old: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """Return the old values, with those of the new ones after them that are not among them."""
    return (*old, *(one for one in new if one not in old))


def _links(case: _Case) -> _Decision:
    """What follows what lives in the file: a link that the user took off is put back."""
    return _additive(case)._replace(by_file=True)


_POLICIES: Mapping[str, Callable[[_Case], _Decision]] = {
    **dict.fromkeys(FIELDS, _plain),
    "due": _due,
    **dict.fromkeys(ADDITIVE, _additive),
    "after": _links,
}
