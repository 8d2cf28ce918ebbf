"""One app as a run reads it: the snapshot with its tasks by key, and what the user did there since the last run."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from config.keys import goal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.project import Goal
    from connectors.model import Snapshot, StoredGoal, StoredKey, Task


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One app's snapshot, by the keys that the goals file has now; `goals` are the ids of the goals that it is to hold.

    renamed: the key that a task's marker still has, by native id. stored: the memory as it was read, by its old keys.
    tasks: by key. duplicates: the tasks that racing runs created beside one of these.

    `sync.reconcile.handover` sets the others, for goals that changed their place:

    - arriving: native ids of the tasks that have to be moved here
    - incoming: how many open tasks these bring to a project in which they did not count
    - outgoing: native ids of the tasks here that others are moved out of, to another place
    - leaving: the memory of goals that another place takes over; it stays until that place has them
    - inherited: by key, the tasks in the places that their goals have left
    - departing: the ids of the goals that have left this place
    - carried: by native id, the fields of a task that all the new places of its goal take over
    """

    label: str
    snapshot: Snapshot
    goals: frozenset[str]
    renamed: Mapping[str, str]
    stored: Mapping[str, StoredGoal]
    arriving: frozenset[str] = frozenset()
    incoming: int = 0
    outgoing: frozenset[str] = frozenset()
    leaving: Mapping[str, StoredGoal] = field(default_factory=dict)
    inherited: Mapping[str, Task] = field(default_factory=dict)
    departing: frozenset[str] = frozenset()
    carried: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(init=False)
    duplicates: tuple[Task, ...] = field(init=False)

    def __post_init__(self) -> None:
        by_key: dict[str, list[Task]] = {}
        for task in self.snapshot.tasks:
            by_key.setdefault(task.marker.key, []).append(task)
        tasks = {key: ours for key, alike in by_key.items() if (ours := self._ours(key, alike))}
        object.__setattr__(self, "tasks", tasks)
        duplicates = (task for key, ours in tasks.items() for task in _beside(ours, by_key[key]))
        object.__setattr__(self, "duplicates", tuple(duplicates))

    def _ours(self, key: str, alike: list[Task]) -> Task | None:
        """Return which of the tasks with this key we created: the one with the id that the memory has.

        Else it is one created since, by a run that could not write the memory; or the oldest, where the key is new to
        the memory or was created as often: it may come from a run that was cut short, or be the one of two that the
        user kept. None where all markers came with copies, or from somebody else.
        """
        memory = self.remembered(key)
        if memory is None or memory.state == "pending":
            return alike[0]
        known = _first(task for task in alike if memory.native_id in (task.native_id, task.marker.nonce))
        if known is not None:
            return known
        since = _first(task for task in alike if task.marker.generation > memory.generation)
        if since is not None or memory.state in ("removed", "dropped"):
            return since
        return _first(task for task in alike if task.marker.generation == memory.generation)

    def remembered(self, key: str) -> StoredKey | None:
        """Return the memory's entry for a key."""
        goal = self.snapshot.memory.get(goal_of(key))
        return goal.keys.get(key) if goal else None

    def published(self, key: str) -> bool:
        """Return whether there has been a task for the key."""
        memory = self.remembered(key)
        return key in self.tasks or (memory is not None and memory.state != "pending")

    def ticked(self, key: str) -> bool:
        """Return whether the user completed the task, or one beside it, and no run has acknowledged that yet."""
        memory = self.remembered(key)
        return bool(self.ticks(key)) and (memory is None or memory.state != "done")

    def ticks(self, key: str) -> list[Task]:
        """Return the completed tasks with this key: one at most, or two where runs raced."""
        ours = [self.tasks[key]] if key in self.tasks else []
        beside = [task for task in self.duplicates if task.marker.key == key]
        return [task for task in (*ours, *beside) if task.done]

    def reopened(self, key: str) -> bool:
        """Return whether the user reopened the task after a run had acknowledged that it was done.

        A recurring or a cancelled task does not count: a run never completes it, so that it stays open.
        """
        task, memory = self.tasks.get(key), self.remembered(key)
        if task is None or memory is None or task.done or task.recurring or task.dropped:
            return False
        return memory.state == "done" and memory.native_id == task.native_id

    def in_company(self, key: str) -> bool:
        """Return whether the task cannot be completed: a task of the user would be, too, or it cannot be read.

        A task that leaves this place does not count.
        """
        task = self.tasks.get(key)
        held = task is not None and (task.company or bool(task.unread))
        return held and goal_of(key) not in self.departing

    def cancelled(self, goal: Goal, *, recreate: bool) -> bool:
        """Return whether the user cancelled the goal's own task in this app, and the goals file does not end the goal.

        A deleted task is not a cancelled one.
        """
        there = goal.id in self.tasks and goal.id in self.goals and goal.done is None
        return there and self.dropped(goal.id, "", recreate=recreate)

    def dropped(self, key: str, definition: str, *, recreate: bool) -> bool:
        """Return whether the user cancelled or deleted the task in this app, and the step has not changed since."""
        task, memory = self.tasks.get(key), self.remembered(key)
        if task is not None and task.recurring:
            return task.dropped
        deleted = task is None and memory is not None and memory.state in ("live", "dropped")
        gone = deleted if task is None else task.dropped
        return gone and not (recreate or _is_changed(memory, definition))


def entries_of(memory: Mapping[str, StoredGoal]) -> Iterator[tuple[str, StoredKey]]:
    """Yield the keys of all goals, each with its entry."""
    return chain.from_iterable(goal.keys.items() for goal in memory.values())


def _first(tasks: Iterator[Task]) -> Task | None:
    return next(tasks, None)


def _beside(ours: Task, alike: list[Task]) -> list[Task]:
    """Return the tasks that another run created at the same time as ours."""
    return [task for task in alike if task is not ours and task.marker.generation == ours.marker.generation]


def _is_changed(memory: StoredKey | None, definition: str) -> bool:
    """Return whether the definition of a step has changed since its task was dropped."""
    return memory is not None and memory.state == "dropped" and memory.definition not in {"", definition}
