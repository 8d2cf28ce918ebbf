"""Follows goals and steps whose id changed: by `was:`, by their title, or by their place where the id is the title's.

That a step is done follows no guess: where one stands in the place of what is done, the person is asked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.errors import Problem
from config.keys import HEARTBEAT, goal_of, is_group, slug, step_of, within_goal
from connectors.model import StoredGoal, StoredKey

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal, Project, Step
    from connectors.model import Content, Snapshot


@dataclass(frozen=True, slots=True)
class Doubt:
    """Several titles changed at one place: `goals` are the ids of all goals that it may concern, old and new ones."""

    goals: frozenset[str]
    problem: Problem


@dataclass(frozen=True, slots=True)
class Renames:
    """What a connector remembers under another key: old key -> new key, and where only a guess could tell."""

    keys: Mapping[str, str]
    doubts: tuple[Doubt, ...] = ()

    def without(self, goals: Collection[str]) -> dict[str, str]:
        """Return old key -> new key, of what neither went from one of the goals nor came to one."""
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
        entries = (item for goal in snapshot.memory.values() for item in goal.keys.items())
        return cls(keys, names, frozenset(key for key, entry in entries if entry.state == "done"))


def find_renames(project: Project, snapshot: Snapshot, here: Collection[str] | None = None) -> Renames:
    """Return every goal and step that a connector remembers under another key.

    here: the ids of the goals that the connector is to hold, by default all: only one of these can be what another
    became that was here. The occurrences of a step that repeats follow their step.
    """
    memory: dict[str, tuple[str, ...]] = {}
    for goal_id, remembered in snapshot.memory.items():
        if goal_id == HEARTBEAT:
            continue
        there = dict.fromkeys(step_of(key) for key, entry in remembered.keys.items() if entry.state != "removed")
        if there:
            memory[goal_id] = tuple(there)
    known = _Known.of(memory, snapshot)
    doubts: list[Doubt] = []
    goals = _goals(project, known, doubts, here) if memory else {}
    moved = _moved(project, memory)
    stayed = {goal_id: tuple(key for key in keys if key not in moved) for goal_id, keys in memory.items()}
    renames: dict[str, str] = {}
    for goal in project.goals:
        old_id = goals.get(goal.id, goal.id)
        if old_id in memory:
            renames.update(_steps(goal, replace(known, keys=stayed), old_id, doubts))
    renames.update(moved)
    changed = {old: new for old, new in renames.items() if old != new}
    keys = {changed.get(key, key) for keys in memory.values() for key in keys}
    return Renames({**_renamed_before(project, keys), **changed}, tuple(doubts))


def held_back(found: Iterable[Renames]) -> dict[str, Problem]:
    """Return the goals that a run leaves alone because a rename is in doubt, and the place to say what became of what.

    found: the renames of all connectors. With a goal in doubt, those are held that a step came from it or went to it.
    """
    found = list(found)
    held = {goal_id: doubt.problem for renames in found for doubt in renames.doubts for goal_id in doubt.goals}
    between = {(goal_of(old), goal_of(new)) for renames in found for old, new in renames.keys.items()}
    waiting = list(held) if held else []
    while waiting:
        goal_id = waiting.pop()
        others = {other for pair in between if goal_id in pair for other in pair} - held.keys()
        held.update(dict.fromkeys(others, held[goal_id]))
        waiting += others
    return held


def _renamed_before(project: Project, keys: set[str]) -> dict[str, str]:
    """Return old key -> new key of what the memory has followed already: a task beside may still have the old one.

    keys: what the memory knows, as the file calls it now.
    """
    current = {goal.id for goal in project.goals} | {step.key for goal in project.goals for step in goal.steps}
    said: dict[str, str] = {}
    for goal in project.goals:
        if goal.was:
            said |= {goal.was + key.removeprefix(goal.id): key for key in keys if goal_of(key) == goal.id}
        for step in goal.steps:
            if step.was:
                place = "" if "/" in step.was else f"{goal.id}/"
                said[place + step.was] = step.key
                if place and goal.was:
                    said[f"{goal.was}/{step.was}"] = step.key
    return {old: new for old, new in said.items() if new in keys and old not in keys and old not in current}


def rename(snapshot: Snapshot, renames: Mapping[str, str]) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot with its keys as the file has them now, and native id -> old key of each task that changes.

    A run that was cut short may have renamed the memory and not the task: then the native id tells which task it is, or
    the nonce of one whose making was not answered.
    """
    memory = _rename_memory(snapshot, renames) if renames else snapshot.memory
    remembered = [item for goal in memory.values() for item in goal.keys.items()]
    remembered.sort(key=lambda item: item[1].state != "removed")  # of two keys with one id, the one that still counts
    known = {entry.native_id: key for key, entry in remembered if entry.native_id}
    present = {task.marker.key for task in snapshot.tasks}
    changed: dict[str, str] = {}
    followed: dict[str, str] = {}
    tasks = []
    for task in snapshot.tasks:
        old = task.marker.key
        remembered_as = known.get(task.native_id)  # which says more than a marker that a run has yet to write anew
        renamed = step_of(old) in renames
        new = remembered_as or (_follow(renames, old) if renamed else known.get(task.marker.nonce, old))
        if new != old and (remembered_as or renamed or new not in present):
            changed[task.native_id], followed[old] = old, new
            task = replace(task, marker=replace(task.marker, key=new))
        tasks.append(task)
    kept = {task.marker.key for task in snapshot.tasks if task.native_id not in changed}  # an old key in use again
    followed = {old: new for old, new in followed.items() if old not in kept}
    if followed:
        tasks = [replace(task, content=follow(task.content, followed)) for task in tasks]
    return replace(snapshot, tasks=tuple(tasks), memory=memory), changed


def follow(content: Content, renames: Mapping[str, str]) -> Content:
    """Return the content of a task that comes after others, by their new keys."""
    if not content.after:
        return content
    return replace(content, after=tuple(sorted(renames.get(key, key) for key in content.after)))


def _rename_memory(snapshot: Snapshot, renames: Mapping[str, str]) -> dict[str, StoredGoal]:
    """Return the memory by its new keys. An old key stays as removed: should it be used again, it is made once more."""
    plans: dict[str, StoredGoal] = {}
    keys: defaultdict[str, dict[str, StoredKey]] = defaultdict(dict)
    dates: defaultdict[str, dict[str, tuple[date, date]]] = defaultdict(dict)
    taken = set(renames.values())

    def remember(key: str, entry: StoredKey, plan: StoredGoal, days: tuple[date, date] | None = None) -> None:
        home = goal_of(key)
        if entry.state == "removed" and key in keys[home]:
            return  # the key was made again, or another one came to bear its name
        if home not in plans or plans[home].made is None:  # so far there were only keys that are gone
            plans[home] = plan
        keys[home][key] = entry
        if days is not None:
            dates[home][key] = days

    for goal in snapshot.memory.values():
        for key, entry in goal.keys.items():
            new = _follow(renames, key) if entry.state != "removed" else key
            remember(new, entry, goal, goal.dates.get(key))
            if new != key and step_of(key) not in taken:
                remember(key, StoredKey("removed", generation=entry.generation), StoredGoal(goal.first_sync))
    return {home: replace(plan, keys=keys[home], dates=dates[home]) for home, plan in plans.items()}


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


def _goals(project: Project, known: _Known, doubts: list[Doubt], here: Collection[str] | None) -> dict[str, str]:
    """Return new goal id -> old one."""
    memory = known.keys
    said = {goal.id: goal.was for goal in project.goals if goal.was and goal.was in memory and goal.id not in memory}
    news = [goal for goal in project.goals if goal.id not in said and (here is None or goal.id in {*here, *memory})]
    old = [goal_id for goal_id in memory if goal_id not in said.values()]
    found, doubts_here = _matches(old, {goal.id: goal for goal in news}, known)
    goals = {goal.id: goal for goal in project.goals}
    doubts += [
        Doubt(frozenset((*went, *came)), Problem(goals[came[0]].origin.at("title"), _doubt("goals", went, came)))
        for went, came in doubts_here
    ]
    return {**said, **found}


def _steps(goal: Goal, known: _Known, old_id: str, doubts: list[Doubt]) -> dict[str, str]:
    """Return old key -> new key for the keys of one goal, its own among them."""
    renames = {old_id: goal.id}
    old = [key for key in known.keys[old_id] if "/" in key]
    said: dict[str, str] = {}
    for step in goal.steps:
        if step.was is not None and "/" not in step.was and f"{old_id}/{step.id}" not in old:
            said[step.key] = f"{old_id}/{step.was}"
    steps = {f"{old_id}/{step.id}": step for step in goal.steps if step.key not in said}
    free = [key for key in old if not (key in said.values() or is_group(key))]
    found, doubts_here = _matches(free, steps, known)
    renames.update({old: steps[new].key for new, old in found.items()})
    for went, came in doubts_here:
        ids = [[within_goal(key) for key in keys] for keys in (went, came)]
        problem = Problem(steps[came[0]].origin.at("title"), _doubt("steps", *ids))
        doubts.append(Doubt(frozenset((old_id, goal.id)), problem))
    renames.update({was: new for new, was in said.items()})
    renames.update({key: f"{goal.id}/{key.partition('/')[2]}" for key in old if key not in renames})
    return renames


def _matches(
    old: Sequence[str], new: Mapping[str, Goal | Step], known: _Known
) -> tuple[dict[str, str], list[tuple[list[str], list[str]]]]:
    """Return new -> old of what has another id, by title or else by place, and what is in doubt."""
    titled = _by_title(old, {key: slug(one.title) for key, one in new.items()}, known)
    found, doubts = _by_place(
        [key for key in old if key not in titled.values()],
        [(key, one.titled_id) for key, one in new.items() if key not in titled],
        known.done,
    )
    return {**titled, **found}, doubts


def _by_title(old: Collection[str], new: Mapping[str, str], known: _Known) -> dict[str, str]:
    """Return new -> old for what has another id and its title still; `new` maps keys to the names of their titles."""
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
) -> tuple[dict[str, str], list[tuple[list[str], list[str]]]]:
    """Return new -> old for ids made from titles that stand where another one stood, and those that are in doubt.

    Both lists are cut at the ids they share. In each stretch, one that went and one that came are the same, unless the
    first is done; several of each are a doubt; ids that only went or only came are no renames.
    """
    current = {key for key, _ in new}
    shared = {key for key in old if key in current}
    went, came = _stretches([(key, True) for key in old], shared), _stretches(list(new), shared)
    matches: dict[str, str] = {}
    doubts: list[tuple[list[str], list[str]]] = []
    for before, gone in went.items():
        arrived = came.get(before, [])
        if len(gone) == len(arrived) == 1 and gone[0] not in done:
            matches[arrived[0]] = gone[0]
        elif gone and arrived:
            doubts.append((gone, arrived))
    return matches, doubts


def _stretches(keys: Sequence[tuple[str, bool]], shared: set[str]) -> dict[str, list[str]]:
    """Return the keys that are not shared (and count), by the shared key that they follow."""
    stretches: dict[str, list[str]] = {}
    last = ""
    for key, counts in keys:
        if key in shared:
            last = key
        elif counts:
            stretches.setdefault(last, []).append(key)
    return stretches


def _doubt(what: str, went: Sequence[str], came: Sequence[str]) -> str:
    gone, new = (", ".join(f"`{key}`" for key in keys) for keys in (went, came))
    if len(went) == len(came) == 1:
        return (
            f"{gone} is done, and {new} stands where it stood: write `was: {went[0]}` here if only the title changed, "
            "or an `id` if this is something new"
        )
    return (
        f"several {what} changed their titles here, and only a guess could tell which became which: {gone} went, {new} "
        f"came; write `was: {went[0]}` (and so on) at those that were renamed, or an `id` at those that are new"
    )
