"""What a process does in an app or several: it reads, plans, and carries the plan out, one request after the other.

What it decides is a function of the file, the day and what it read, so that it need not be worked out again where all
of that is the same: many lives begin alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar, cast

from config.errors import BackplanError
from connectors.base import Connector
from sync.reconcile.moved_deadlines import unwritten
from sync.run import pipeline, reading
from sync.run.executor import execute
from sync.run.homes import Binding
from sync.schedule.scheduler import schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from config.project import Goal, Project
    from connectors.base import Action, WriteResult
    from connectors.model import Snapshot
    from sync.reconcile.change import ConnectorPlan
    from sync.run.work import Batch
    from sync.schedule.model import Progress, Schedule

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run read, planned and did."""

    found: reading.Reading
    plans: list[ConnectorPlan]

    @property
    def silent(self) -> bool:
        """Whether there was nothing to write, tasks and memory alike."""
        return not any(plan.pending for plan in self.plans)

    @property
    def errors(self) -> list[str]:
        """What could not be done."""
        told = (error for plan in self.plans for error in (plan.error, *(change.error for change in plan.changes)))
        return [error for error in told if error]

    @property
    def actions(self) -> dict[str, Action]:
        """What is asked for each key."""
        return {change.key: change.action for plan in self.plans for change in plan.writes}


class Same(Generic[Thing]):
    """Wraps a thing so that it equals nothing but itself, which is quickly seen."""

    __slots__ = ("thing",)

    def __init__(self, thing: Thing) -> None:
        """`thing` lives as long as this does."""
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing


class KnownProgress:
    """Wraps a progress so that it equals another one with the same entries in the same order."""

    __slots__ = ("_hash", "_key", "progress")

    def __init__(self, progress: Progress) -> None:
        """Compute the key and its hash once."""
        self.progress = progress
        published = tuple(
            (goal_id, plan.made, plan.digest, tuple(plan.dates.items()), tuple(plan.began.items()))
            for goal_id, plan in progress.published.items()
        )
        by_key = (tuple(known.items()) for known in (progress.done, progress.pins, progress.first_sync))
        self._key = (published, *by_key, progress.dropped, progress.given_up)
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KnownProgress) and self._key == other._key


@lru_cache(maxsize=1 << 9)
def the_same(project: Project) -> Project:
    """Return one and the same object for every project that is equal."""
    return project


@dataclass(frozen=True, slots=True)
class Seen:
    """A home and its snapshot, None where it could not be read."""

    connector: Connector
    goals: frozenset[str]
    retired: bool
    unnamed: bool
    snapshot: Same[Snapshot] | None


class Hooks(NamedTuple):
    """What is called before anything is written.

    edit: replaces the goals file, where deadlines moved in an app. decided: takes the schedule that is to be written.
    """

    edit: Callable[[Project], None]
    decided: Callable[[Schedule], None]


class Nonces:
    """Draws what tells apart two attempts to make a task."""

    def __init__(self, number: int = 0) -> None:
        """`number` is the next one."""
        self.next = number

    def draw(self) -> str:
        """Return another nonce."""
        self.next += 1
        return f"{f'n{self.next}':0>10}"


class Stepwise(Connector, Protocol):
    """A connector that stops before every request that writes, so that somebody else may act there."""

    def steps(self, batch: Batch) -> Generator[None, None, list[WriteResult]]:
        """Apply a batch as `apply` does."""

    def alike(self) -> Connector:
        """Return one and the same connector for all that plan the same from what they read."""


def process(
    project: Project,
    homes: Sequence[Binding],
    today: date,
    nonces: Nonces,
    *,
    write: bool = True,
    allow: bool = True,
    rebuild: bool = False,
    hooks: Hooks | None = None,
) -> Generator[None, None, Run]:
    """Do what a process does, stopping before every request that writes, and before it edits the goals file.

    homes: their connectors are such as stop, too.
    """
    found = reading.take_snapshots(project, homes, today, rebuild=rebuild, allow_mass_change=True)
    seen = []
    connectors: dict[str, Stepwise] = {}
    for home in found.homes:
        snapshot, connector = found.by_label.get(home.label), cast("Stepwise", home.connector)
        connectors[home.label] = connector
        same = Same(snapshot) if snapshot is not None else None
        seen.append(Seen(connector.alike(), home.goals, home.retired, home.unnamed, same))
    run, nonces.next = _decide(Same(project), tuple(seen), today, allow, nonces.next)
    if not write:
        return run
    if hooks:
        hooks.decided(run.found.schedule)
        if unwritten(run.found.deadlines):
            yield
            hooks.edit(run.found.project)
    return Run(run.found, (yield from _apply(run.plans, connectors)))


@lru_cache(maxsize=1 << 9)
def _decide(project: Same[Project], seen: tuple[Seen, ...], today: date, allow: bool, nonce: int) -> tuple[Run, int]:
    """Return what is planned, and the number of the next nonce."""
    homes = tuple(Binding(one.connector, one.goals, one.retired, one.unnamed) for one in seen)
    snapshots = {one.connector.label: one.snapshot.thing for one in seen if one.snapshot is not None}
    unread = {one.connector.label: "does not answer" for one in seen if one.snapshot is None}
    nonces = Nonces(nonce)
    read = reading.Snapshots(homes, snapshots, unread, ())
    moved = reading.moved_deadlines(project.thing, read, _why_not)
    found = reading.work_out(project.thing, read, today, schedule=_schedule, deadlines=moved)
    plans = pipeline.make_plans(found, allow_mass_change=allow, new_nonce=nonces.draw)
    return Run(found, plans), nonces.next


def _why_not(goal: Goal, _: date) -> str:
    """A project of a life has no text to edit: only a deadline that depends on another goal is not a day."""
    return "" if isinstance(goal.deadline, date) else "it depends on another goal"


def _schedule(project: Project, progress: Progress, today: date) -> Schedule:
    return _known_schedule(Same(project), KnownProgress(progress), today)


@lru_cache(maxsize=1 << 9)
def _known_schedule(project: Same[Project], known: KnownProgress, today: date) -> Schedule:
    return schedule(project.thing, known.progress, today)


def _apply(
    plans: Sequence[ConnectorPlan], connectors: Mapping[str, Stepwise]
) -> Generator[None, None, list[ConnectorPlan]]:
    execution = execute(plans, {label: connector.capabilities for label, connector in connectors.items()})
    try:
        request = next(execution)
        while True:
            try:
                answers = yield from connectors[request.label].steps(request.batch)
            except BackplanError as error:
                request = execution.send(error)
            else:
                request = execution.send(answers)
    except StopIteration as stop:
        results: list[ConnectorPlan] = stop.value
        return results
