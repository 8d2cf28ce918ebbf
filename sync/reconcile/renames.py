"""Follows goals and steps whose id changed: by `was:`, by their title, or by their place where the id is the title's.

A guess is never enough to take a new step for one that is done: the user is asked instead.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import Problem
from config.keys import HEARTBEAT, goal_of, is_group, is_in_goal, slug, step_of, within_goal
from connectors.model import StoredGoal, StoredKey
from sync.reconcile.view import entries_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal, Project, Step
    from connectors.model import Content, Snapshot, Task


_NAMED = 5  # keys of each kind that a doubt names
_InDoubt = tuple[list[str], list[str]]  # the keys that went and those that came at one place


@dataclass(frozen=True, slots=True)
class Doubt:
    """Several titles changed at one place. goals: the ids of all goals that this may concern, old and new ones."""

    goals: frozenset[str]
    problem: Problem


@dataclass(frozen=True, slots=True)
class Renames:
    """What a connector remembers under another key: old key -> new key, and the renames in doubt."""

    keys: Mapping[str, str]
    doubts: tuple[Doubt, ...] = ()

    def without(self, goals: Collection[str]) -> dict[str, str]:
        """Return old key -> new key, without the keys that left one of these goals or came to one."""
        return {old: new for old, new in self.keys.items() if goal_of(old) not in goals and goal_of(new) not in goals}


@dataclass(frozen=True, slots=True)
class _Known:
    """What a connector remembers: the keys of each goal in their order, with the names of each, and which are done.

    The names of a key are its id and the one that the title of its task gives.
    """

    keys: Mapping[str, tuple[str, ...]]
    names: Mapping[str, frozenset[str]]
    done: frozenset[str]

    @classmethod
    def of(cls, keys: Mapping[str, tuple[str, ...]], snapshot: Snapshot) -> _Known:
        """Return what is remembered under these keys."""
        titles = {task.marker.key: slug(task.content.title) for task in snapshot.tasks}
        names = {
            key: frozenset({key.rpartition("/")[2], titles.get(key, "")} - {""})
            for goal_id, goal_keys in keys.items()
            for key in (goal_id, *goal_keys)
        }
        done = frozenset(key for key, entry in entries_of(snapshot.memory) if entry.state == "done")
        return cls(keys, names, done)


def find_renames(project: Project, snapshot: Snapshot, here: Collection[str] | None = None) -> Renames:
    """Return every goal and step that a connector remembers under another key.

    here: the ids of the goals that the connector is to hold, by default all: a goal that was here can only have become
    one of these. The occurrences of a step that repeats follow their step.
    """
    memory = _remembered(snapshot)
    if not memory:
        return Renames({})
    known = _Known.of(memory, snapshot)
    goals, doubts = _goals(project, known, here)
    moved = _moved(project, memory)
    stayed = replace(known, keys={goal_id: _without(keys, moved) for goal_id, keys in memory.items()})
    renames: dict[str, str] = {}
    for goal in project.goals:
        old_id = goals.get(goal.id, goal.id)
        if old_id in memory:
            found, doubts_here = _steps(goal, stayed, old_id)
            renames |= found
            doubts += doubts_here
    changed = {old: new for old, new in (renames | moved).items() if old != new}
    keys = {changed.get(key, key) for keys in memory.values() for key in keys}
    return Renames({**_renamed_before(project, keys), **changed}, tuple(doubts))


def _remembered(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Return the keys of each goal in the memory, without those that were removed."""
    memory: dict[str, tuple[str, ...]] = {}
    for goal_id, goal in snapshot.memory.items():
        there = dict.fromkeys(step_of(key) for key, entry in goal.keys.items() if entry.state != "removed")
        if there and goal_id != HEARTBEAT:
            memory[goal_id] = tuple(there)
    return memory


def held_back(found: Iterable[Renames]) -> dict[str, Problem]:
    """Return the goals that a run leaves alone because a rename is in doubt, with the place in the file to mend.

    found: the renames of all connectors. With a goal in doubt, the goals are held that its steps came from or went to.
    """
    found = list(found)
    held = {goal_id: doubt.problem for renames in found for doubt in renames.doubts for goal_id in doubt.goals}
    between = {(goal_of(old), goal_of(new)) for renames in found for old, new in renames.keys.items()}
    waiting = list(held)
    while waiting:
        goal_id = waiting.pop()
        others = {other for pair in between if goal_id in pair for other in pair} - held.keys()
        held |= dict.fromkeys(others, held[goal_id])
        waiting += others
    return held


def _renamed_before(project: Project, keys: set[str]) -> dict[str, str]:
    """Return old key -> new key where the memory has the new one already: a task beside it may still have the old one.

    keys: those of the memory, as the file has them now.
    """
    current, names = set(keys), dict[str, str]()
    for goal in project.goals:
        current |= {goal.id, *(step.key for step in goal.steps)}
        names |= _former_keys(goal, keys)
    return {old: new for old, new in names.items() if new in keys and old not in current}


def _former_keys(goal: Goal, keys: Iterable[str]) -> dict[str, str]:
    """Return old key -> new key by the `was` of a goal and its steps."""
    names: dict[str, str] = {}
    if goal.was:
        names = {goal.was + key.removeprefix(goal.id): key for key in keys if goal_of(key) == goal.id}
    for step in goal.steps:
        if step.was:
            names |= dict.fromkeys(_possible_keys(goal, step.was), step.key)
    return names


def _possible_keys(goal: Goal, was: str) -> list[str]:
    """Return the keys that a step of a goal may have had. was: its old id, or the key that it had in another goal."""
    return [was] if is_in_goal(was) else [f"{goal_id}/{was}" for goal_id in (goal.id, goal.was) if goal_id]


def rename(snapshot: Snapshot, renames: Mapping[str, str]) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot with its keys as the file has them now, and native id -> old key of each task that changes.

    A run that was cut short may have renamed the memory and not the task. Such a task is found by its native id, or by
    its nonce if its creation was never confirmed.
    """
    memory = _rename_memory(snapshot, renames) if renames else snapshot.memory
    known = _keys_by_id(memory)
    present = {task.marker.key for task in snapshot.tasks}
    changed: dict[str, str] = {}
    tasks = []
    for task in snapshot.tasks:
        new = _new_key(task, known, renames, present)
        if new != task.marker.key:
            changed[task.native_id] = task.marker.key
            task = replace(task, marker=replace(task.marker, key=new))
        tasks.append(task)
    followed = _followed(tasks, changed)
    if followed:
        tasks = [replace(task, content=follow(task.content, followed)) for task in tasks]
    return replace(snapshot, tasks=tuple(tasks), memory=memory), changed


def _keys_by_id(memory: Mapping[str, StoredGoal]) -> dict[str, str]:
    """Return native id -> key. Of two keys with one id, the one counts that is not removed."""
    entries = sorted(entries_of(memory), key=lambda item: item[1].state != "removed")
    return {entry.native_id: key for key, entry in entries if entry.native_id}


def _new_key(task: Task, known: Mapping[str, str], renames: Mapping[str, str], present: Collection[str]) -> str:
    """Return the key that a task has now. known: the memory's keys, by id. present: the keys in the markers."""
    old = task.marker.key
    if task.native_id in known:  # before the marker: a run that was cut short has yet to write that again
        return known[task.native_id]
    if step_of(old) in renames:
        return _follow(renames, old)
    by_nonce = known.get(task.marker.nonce, old)
    return old if by_nonce in present else by_nonce


def _followed(tasks: Iterable[Task], changed: Mapping[str, str]) -> dict[str, str]:
    """Return old key -> new key for links, without old keys that are in use again. changed: old keys, by native id."""
    followed: dict[str, str] = {}
    kept = set()
    for task in tasks:
        if task.native_id in changed:
            followed[changed[task.native_id]] = task.marker.key
        else:
            kept.add(task.marker.key)
    return {old: new for old, new in followed.items() if old not in kept}


def follow(content: Content, renames: Mapping[str, str]) -> Content:
    """Return the content of a task that comes after others, by their new keys."""
    if not content.after:
        return content
    return replace(content, after=tuple(sorted(renames.get(key, key) for key in content.after)))


class _NewMemory:
    """The memory while it is put together by its new keys."""

    def __init__(self) -> None:
        self._plans: dict[str, StoredGoal] = {}
        self._keys: defaultdict[str, dict[str, StoredKey]] = defaultdict(dict)
        self._dates: defaultdict[str, dict[str, tuple[date, date]]] = defaultdict(dict)
        self._began: defaultdict[str, dict[str, date]] = defaultdict(dict)

    def add(self, key: str, entry: StoredKey, plan: StoredGoal, old: str = "") -> None:
        """Add an entry, of the key `old` in `plan`. One that was removed is no news of a key that is used again."""
        goal_id = goal_of(key)
        if entry.state == "removed" and key in self._keys[goal_id]:
            return
        if goal_id not in self._plans or self._plans[goal_id].made is None:  # so far, all its keys were removed
            self._plans[goal_id] = plan
        self._keys[goal_id][key] = entry
        self._dates[goal_id] |= {key: plan.dates[old]} if old in plan.dates else {}
        self._began[goal_id] |= {key: plan.began[old]} if old in plan.began else {}

    def goals(self) -> dict[str, StoredGoal]:
        """Return the memory of each goal."""
        return {
            goal_id: replace(plan, keys=self._keys[goal_id], dates=self._dates[goal_id], began=self._began[goal_id])
            for goal_id, plan in self._plans.items()
        }


def _rename_memory(snapshot: Snapshot, renames: Mapping[str, str]) -> dict[str, StoredGoal]:
    """Return the memory by its new keys.

    An old key stays, as removed: if it is used again, its task is another one, and so needs another id.
    """
    memory, taken = _NewMemory(), set(renames.values())
    for goal in snapshot.memory.values():
        for key, entry in goal.keys.items():
            new = _follow(renames, key) if entry.state != "removed" else key
            memory.add(new, entry, goal, key)
            if new != key and step_of(key) not in taken:
                memory.add(key, StoredKey("removed", generation=entry.generation), StoredGoal(goal.first_sync))
    return memory.goals()


def _follow(renames: Mapping[str, str], key: str) -> str:
    step = step_of(key)
    return renames.get(step, step) + key.removeprefix(step)


def _moved(project: Project, memory: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return old key -> new key for the steps that went from one goal to another."""
    return {
        step.was: step.key
        for goal in project.goals
        for step in goal.steps
        if step.was and step.was in memory.get(goal_of(step.was), ()) and step.key not in memory.get(goal.id, ())
    }


def _goals(project: Project, known: _Known, here: Collection[str] | None) -> tuple[dict[str, str], list[Doubt]]:
    """Return new goal id -> old one, and the renames in doubt. here: as for `find_renames`."""
    memory = known.keys
    named = _named_goals(project, memory)
    possible = project.goals if here is None else [goal for goal in project.goals if goal.id in {*here, *memory}]
    new = {goal.id: goal for goal in possible if goal.id not in named}
    guessed, in_doubt = _guess(_without(memory, named.values()), new, known)
    doubts = [
        Doubt(frozenset((*went, *came)), Problem(new[came[0]].origin.at("title"), _doubt("goals", went, came)))
        for went, came in in_doubt
    ]
    return {**named, **guessed}, doubts


def _named_goals(project: Project, memory: Collection[str]) -> dict[str, str]:
    """Return new goal id -> old one for the goals whose old id the file has, unless the new one is remembered, too."""
    new = [goal for goal in project.goals if goal.id not in memory]
    return {goal.id: goal.was for goal in new if goal.was and goal.was in memory}


def _steps(goal: Goal, known: _Known, old_id: str) -> tuple[dict[str, str], list[Doubt]]:
    """Return old key -> new key for the keys of one goal, its own among them, and the renames in doubt."""
    old = list(filter(is_in_goal, known.keys[old_id]))
    named = _named_steps(goal, old_id, old)
    new = {f"{old_id}/{step.id}": step for step in goal.steps if step.key not in named}
    free = [key for key in _without(old, named.values()) if not is_group(key)]
    guessed, in_doubt = _guess(free, new, known)
    renames = {old_id: goal.id} | {went: new[came].key for came, went in guessed.items()}
    renames |= {went: came for came, went in named.items()}
    renames |= {key: f"{goal.id}/{within_goal(key)}" for key in _without(old, renames)}
    doubts = []
    for went, came in in_doubt:
        ids = [[within_goal(key) for key in keys] for keys in (went, came)]
        problem = Problem(new[came[0]].origin.at("title"), _doubt("steps", *ids))
        doubts.append(Doubt(frozenset((old_id, goal.id)), problem))
    return renames, doubts


def _named_steps(goal: Goal, old_id: str, old: Collection[str]) -> dict[str, str]:
    """Return new key -> old key for the steps whose old id the file has, unless the new one is remembered, too."""
    within = [step for step in goal.steps if step.was is not None and not is_in_goal(step.was)]
    return {step.key: f"{old_id}/{step.was}" for step in within if f"{old_id}/{step.id}" not in old}


def _without(keys: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    others = frozenset(others)
    return tuple(key for key in keys if key not in others)


def _guess(
    old: Sequence[str], new: Mapping[str, Goal] | Mapping[str, Step], known: _Known
) -> tuple[dict[str, str], list[_InDoubt]]:
    """Return new -> old for the keys that are found by title or by place, and those that are in doubt."""
    titled = _by_title(old, {key: slug(part.title) for key, part in new.items()}, known)
    rest = [(key, part.titled_id) for key, part in new.items() if key not in titled]
    found, in_doubt = _by_place(_without(old, titled.values()), rest, known.done)
    return {**titled, **found}, in_doubt


def _by_title(old: Collection[str], new: Mapping[str, str], known: _Known) -> dict[str, str]:
    """Return new -> old for the keys that have another id and still the same title. new: the name of each title."""
    went: defaultdict[str, list[str]] = defaultdict(list)
    came: defaultdict[str, list[str]] = defaultdict(list)
    for key in set(old) - new.keys():
        for name in known.names[key]:
            went[name].append(key)
    for key in new.keys() - set(old):
        came[new[key]].append(key)
    return {keys[0]: went[name][0] for name, keys in came.items() if len(keys) == len(went.get(name, ())) == 1}


def _by_place(
    old: Sequence[str], new: Sequence[tuple[str, bool]], done: Collection[str]
) -> tuple[dict[str, str], list[_InDoubt]]:
    """Return new -> old for the ids made from titles that are in the place of another one, and those in doubt.

    new: the keys, and whether each is made from its title. Both lists are cut at the keys that they share. In each
    stretch, one key that went and one that came are the same, unless the first is done. Several of each are a doubt.
    Keys that only went or only came are no renames.
    """
    current = {key for key, _ in new}
    shared = {key for key in old if key in current}
    went, came = _stretches([(key, True) for key in old], shared), _stretches(list(new), shared)
    matches: dict[str, str] = {}
    doubts: list[_InDoubt] = []
    for before, gone in went.items():
        arrived = came.get(before, [])
        if len(gone) == len(arrived) == 1 and gone[0] not in done:
            matches[arrived[0]] = gone[0]
        elif gone and arrived:
            doubts.append((gone, arrived))
    return matches, doubts


def _stretches(keys: Sequence[tuple[str, bool]], shared: set[str]) -> dict[str, list[str]]:
    """Return the keys that are not shared, by the shared key that they follow. A key that is False does not count."""
    stretches: dict[str, list[str]] = {}
    last = ""
    for key, counts in keys:
        if key in shared:
            last = key
        elif counts:
            stretches.setdefault(last, []).append(key)
    return stretches


def _doubt(what: str, went: Sequence[str], came: Sequence[str]) -> str:
    gone, new = _named(went), _named(came)
    if len(went) == len(came) == 1:
        return (
            f"{gone} is done, and {new} stands where it stood: write `was: {went[0]}` here if only the title changed, "
            "or an `id` if this is something new"
        )
    return (
        f"several {what} changed their titles here, and only a guess could tell which became which: {gone} went, {new} "
        f"came; write `was: {went[0]}` (and so on) at those that were renamed, or an `id` at those that are new"
    )


def _named(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return ", ".join(f"`{key}`" for key in keys[:_NAMED]) + more
