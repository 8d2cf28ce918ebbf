"""What people did since the last run, read off the snapshots: ticks, reopened and deleted tasks, dates they moved.

Progress is events, not states: a task whose done state differs from the one that its connector's memory acknowledges
was ticked or reopened by a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.keys import day_of, goal_of, is_occurrence, step_of
from sync.reconcile import digests
from sync.schedule.model import Progress, Published
from sync.schedule.occurrences import lapsed, single

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal, Project, Step
    from connectors.model import Snapshot, StoredGoal, StoredKey, Task


GIVEN_UP = (
    "given up: the goal's own task was cancelled, so its steps are left as they are. Reopen it to go on with the goal; "
    "else write `done:` with a day at the goal, or take it out of the goals file"
)


@dataclass(frozen=True, slots=True)
class ServiceView:
    """One connector's snapshot with its tasks by key; `goals` are the ids of those that it is to hold.

    The snapshot's keys are those of the file: `renamed` maps a native id to the key that the task's marker still has,
    and `stored` is the memory as it was read. `duplicates` are what racing runs made beside a task.

    What `sync.reconcile.handover` found out of goals that changed their place:

    arriving: native ids of tasks that have to be moved here. incoming: how many open tasks come with them to a project
    in which they did not count. outgoing: native ids of tasks here that others are moved out of, to another place.
    leaving: the memory of goals that another place takes over, which stays until it has. inherited: the tasks by key in
    places that their goals have left. departing: the ids of the goals that have left this one. carried: by native id,
    which fields of a task all the new places of its goal take over.
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
        tasks = {key: first for key, alike in by_key.items() if (first := self._ours(key, alike))}
        duplicates = [
            task
            for key, first in tasks.items()
            for task in by_key[key]
            if task is not first and task.marker.generation == first.marker.generation
        ]
        object.__setattr__(self, "tasks", tasks)
        object.__setattr__(self, "duplicates", tuple(duplicates))

    def _ours(self, key: str, alike: list[Task]) -> Task | None:
        """Return which of the tasks with this key is the one that we made: that with the id that we remember.

        Without it the oldest stands in, where the key is new to us or was made as often: it may come from a run that
        was cut short, or be what a person kept of two. One that was made since, by a run that could not write the
        memory, counts more. Else the marker came with a copy, or from somebody else.
        """
        memory = self.remembered(key)
        if memory is None or memory.state == "pending":
            return alike[0]
        known = next((task for task in alike if memory.native_id in (task.native_id, task.marker.nonce)), None)
        since = [task for task in alike if task.marker.generation > memory.generation]
        if known is not None or since or memory.state in ("removed", "dropped"):
            return known or (since[0] if since else None)
        return next((task for task in alike if task.marker.generation == memory.generation), None)

    def remembered(self, key: str) -> StoredKey | None:
        """Return what the memory says of a key."""
        goal = self.snapshot.memory.get(goal_of(key))
        return goal.keys.get(key) if goal else None

    def published(self, key: str) -> bool:
        """Return whether there has been a task for the key."""
        memory = self.remembered(key)
        return key in self.tasks or (memory is not None and memory.state != "pending")

    def ticked(self, key: str) -> bool:
        """Return whether a person ticked the task (or one beside it), and nobody acknowledged it yet."""
        memory = self.remembered(key)
        return bool(self.ticks(key)) and (memory is None or memory.state != "done")

    def ticks(self, key: str) -> list[Task]:
        """Return the tasks with this key that are done: one, or two where runs raced."""
        tasks = [self.tasks[key]] if key in self.tasks else []
        return [task for task in [*tasks, *(d for d in self.duplicates if d.marker.key == key)] if task.done]

    def reopened(self, key: str) -> bool:
        """Return whether a person reopened the task after its completion was acknowledged.

        One that repeats, or that was cancelled, is never ticked by us, and open all the time.
        """
        task, memory = self.tasks.get(key), self.remembered(key)
        if task is None or memory is None or task.done or task.recurring or task.dropped:
            return False
        return memory.state == "done" and memory.native_id == task.native_id

    def in_company(self, key: str) -> bool:
        """Return whether the task, which stays here, cannot be completed: a person's own would be, or it is unread."""
        task = self.tasks.get(key)
        held = task is not None and (task.company or bool(task.unread))
        return held and goal_of(key) not in self.departing

    def cancelled(self, goal: Goal, *, recreate: bool) -> bool:
        """Return whether a person cancelled the goal's own task in this app, and the file does not say that it is over.

        One that a person deleted is no such thing.
        """
        there = goal.id in self.tasks and goal.id in self.goals and goal.done is None
        return there and self.dropped(goal.id, "", recreate=recreate)

    def dropped(self, key: str, definition: str, *, recreate: bool) -> bool:
        """Return whether a person took the task out of this app, and the step has not changed since."""
        task, memory = self.tasks.get(key), self.remembered(key)
        if task is not None:
            changed = memory is not None and memory.state == "dropped" and memory.definition not in {"", definition}
            return task.dropped and (task.recurring or not (changed or recreate))
        if memory is None or (recreate and memory.state != "dropped"):
            return False
        if memory.state == "dropped":
            return memory.definition in {"", definition} and not recreate
        return memory.state == "live"


def observe(
    project: Project, views: Iterable[ServiceView], today: date, elsewhere: frozenset[str] = frozenset()
) -> Progress:
    """Return the progress that the goals file and all the snapshots show together.

    elsewhere: the ids of the goals that are also in an app of which there is no snapshot: there they may go on.

    Where two apps tell different things in one run, done wins; a tick without a day counts for `today`.
    """
    views = list(views)
    done: dict[str, date] = {}
    dropped: set[str] = set()
    pins: dict[str, date] = {}
    given_up: set[str] = set()
    deadlines = digests.deadlines(project)
    for goal in project.goals:
        homes = _homes(project, goal, views)
        going = [view for view in views if goal.id not in view.goals or view in homes]
        steps = [one for step in goal.steps for one in _times(step, views)]
        for step in steps:
            if step.every and not is_occurrence(step.key):
                done.update({step.key: step.done} if step.done else {})
            elif day := step.done or _done(_telling(step, homes, going, views), step.key, today):
                done[step.key] = day
                continue
            left = [view for view in homes if not _is_dropped(project, step, view)]
            if homes and not left:
                dropped.add(step.key)
            elif pin := _pin(
                deadlines[goal.id], step, _telling(step, homes, going, views) if _may_pin(step, left) else homes
            ):
                pins[step.key] = pin
        past = _lapsed(steps, pins, today) - done.keys()
        own = [step for step in steps if step.key not in dropped | past]
        _observe_groups(goal, own, views, done, today)
        _observe_goal(goal, own, views, done, today)
        if goal.id not in elsewhere and goal.id not in done and _is_given_up(project, goal, views):
            given_up.add(goal.id)
            dropped.update(step.key for step in (*goal.steps, *steps) if step.key not in done)
    memories = [(goal_id, memory) for view in views for goal_id, memory in view.snapshot.memory.items()]
    open_pins = {key: day for key, day in pins.items() if key not in done}
    return Progress(
        done, frozenset(dropped), open_pins, first_syncs(memories), _published(memories), frozenset(given_up)
    )


def _homes(project: Project, goal: Goal, views: Sequence[ServiceView]) -> list[ServiceView]:
    """Return the apps in which a goal goes on; where a person cancelled it in all that it is in, all of these."""
    homes = [view for view in views if goal.id in view.goals]
    recreate = project.on_delete == "recreate"
    return [view for view in homes if not view.cancelled(goal, recreate=recreate)] or homes


def _telling(
    step: Step, homes: list[ServiceView], going: list[ServiceView], views: list[ServiceView]
) -> list[ServiceView]:
    """Return the apps that tell what became of a step. going: those in which its goal was not given up.

    One in which it was is left as it is, and hears of nothing that happens in the others: it tells what was true then.
    Only of a step that none of the others has had does it tell more than they do.
    """
    if len(going) == len(views):
        return views
    known = any((memory := view.remembered(step.key)) and memory.state in ("live", "done") for view in homes)
    return going if known else views


def _is_given_up(project: Project, goal: Goal, views: Sequence[ServiceView]) -> bool:
    """Return whether a person cancelled the goal in every app that it is in; the steps themselves may stand open."""
    homes = [view for view in views if goal.id in view.goals]
    recreate = project.on_delete == "recreate"
    return bool(homes) and all(view.cancelled(goal, recreate=recreate) for view in homes)


def _is_dropped(project: Project, step: Step, view: ServiceView) -> bool:
    return view.dropped(step.key, digests.definition(step), recreate=project.on_delete == "recreate")


def _may_pin(step: Step, views: list[ServiceView]) -> bool:
    """Return whether a date that a person gave in an app that is given up can go on in one of these."""
    return any(step.key not in view.tasks or not view.tasks[step.key].recurring for view in views)


def _done(views: list[ServiceView], key: str, today: date) -> date | None:
    memories = [memory for view in views if (memory := view.remembered(key)) and memory.state == "done"]
    ticks = [task for view in views if view.ticked(key) for task in view.ticks(key)]
    if not ticks and (not memories or any(view.reopened(key) for view in views)):
        return None
    # A day that some app knows is better than today: the tick may have come from there, in a run that was cut short.
    # The service's clock may be ahead: nothing is ticked later than today.
    days = [min(task.done_on, today) if task.done_on else None for task in ticks]
    days += [memory.done_on for memory in memories]
    return min((day for day in days if day is not None), default=today)


def _times(step: Step, views: list[ServiceView]) -> list[Step]:
    """Return a step, or the occurrences of one that repeats: the step itself where none was ever published."""
    if step.every is None:
        return [step]
    memories = [memory for view in views if (memory := view.snapshot.memory.get(goal_of(step.key)))]
    keys = {
        key: None
        for memory in memories
        for key, entry in memory.keys.items()
        if is_occurrence(key) and step_of(key) == step.key and entry.state != "removed"
    }
    times = [single(step, key) for key in keys]
    return [step, *times] if step.done or not times else times


def _lapsed(steps: Iterable[Step], pins: Mapping[str, date], today: date) -> set[str]:
    """Return the occurrences for which it is too late."""
    dues: dict[str, dict[str, int]] = {}
    for step in steps:
        if is_occurrence(step.key):
            due = pins.get(step.key, day_of(step.key))
            dues.setdefault(step_of(step.key), {})[step.key] = due.toordinal()
    return {key for times in dues.values() for key in lapsed(times, today.toordinal())}


def _observe_groups(goal: Goal, own: list[Step], views: list[ServiceView], done: dict[str, date], today: date) -> None:
    """Add the members of the groups that were ticked: as with a goal, not those that are new or cannot be ticked."""
    members = goal.members(own)
    for group in goal.groups:
        if not any(view.ticked(group.key) for view in views):
            continue
        day = _done(views, group.key, today) or today
        for step in members[group.key]:
            free = not step.follow_up and _is_free(step, views)
            if free and any(view.published(step.key) for view in views):
                done.setdefault(step.key, day)


def _observe_goal(goal: Goal, own: list[Step], views: list[ServiceView], done: dict[str, date], today: date) -> None:
    """Add the goal's own state to `done`, and that of its steps where the whole goal was ticked or given up.

    own: its steps, without those that people dropped and the occurrences that have lapsed.
    """
    due = [step for step in own if not step.follow_up]
    free = [step for step in due if _is_free(step, views)]
    if goal.done is not None:
        done[goal.id] = goal.done
        done.update({step.key: goal.done for step in own if step.key not in done})
    elif any(view.ticked(goal.id) for view in views):
        day = _done(views, goal.id, today) or today
        known = [step for step in free if any(view.published(step.key) for view in views)]
        done.update({step.key: day for step in known if step.key not in done})
        if all(step.key in done for step in free):  # a step that is new was not meant, and has yet to be done
            done[goal.id] = day
    elif any(step.key not in done and not _is_theirs(step, views) for step in free):
        return  # a step is new or was reopened: so is the goal, whatever was remembered of it
    elif remembered := _done(views, goal.id, today):
        done[goal.id] = remembered
    elif _just_finished(due, done, views) and not any(
        view.reopened(goal.id) or view.in_company(goal.id) for view in views
    ):
        done[goal.id] = max(done[step.key] for step in due)


def _is_free(step: Step, views: list[ServiceView]) -> bool:
    """Return whether a step can be done with its goal or group: no app would tick a person's task for it.

    We tick none that a person made recurring.
    """
    return not any(view.in_company(step.key) and not view.tasks[step.key].recurring for view in views)


def _is_theirs(step: Step, views: list[ServiceView]) -> bool:
    """Return whether a person made the step recurring wherever it is: it will never be done."""
    tasks = [view.tasks[step.key] for view in views if step.key in view.tasks]
    return bool(tasks) and all(task.recurring for task in tasks)


def _just_finished(steps: list[Step], done: Mapping[str, date], views: list[ServiceView]) -> bool:
    """Return whether the last step was done since the last run: only that news completes a goal.

    A person may have reopened the goal since.
    """
    finished = bool(steps) and all(step.key in done for step in steps)
    return finished and any(_is_news(views, step) for step in steps)


def _is_news(views: list[ServiceView], step: Step) -> bool:
    """Return whether some app has yet to hear that a step is done; one that has let go of it waits for nothing."""
    told = [memory.state for view in views if (memory := view.remembered(step.key)) and memory.state != "removed"]
    return any(state != "done" for state in told) or not told


def _pin(deadline: str, step: Step, views: list[ServiceView]) -> date | None:
    """Return the date that a person gave the step, if it stands: a fresh move before one that was kept earlier.

    Where the file changed what sets this date, it has the last word. A task that cannot be read keeps a pin whatever
    happens elsewhere, so that it tells of one only where no other app has the step.
    """
    timing = digests.timing(deadline, step)
    fresh: date | None = None
    standing: date | None = None
    there = [task for view in views if (task := view.tasks.get(step.key)) and not (task.recurring or task.dropped)]
    for task in [task for task in there if not task.unread] or there:
        if task.marker.applied.get("timing") != timing:
            continue
        due, marker = task.content.due, task.marker
        if due is None and marker.due is not None:
            return None  # clearing the date gives it back to the plan, in every app
        if due != marker.due:
            fresh = fresh or due
        elif marker.pinned:
            standing = standing or due
    return fresh or standing


def first_syncs(memories: Iterable[tuple[str, StoredGoal]]) -> dict[str, date]:
    """Return the day since which any app has known of each goal."""
    days: dict[str, date] = {}
    for goal_id, memory in memories:
        days[goal_id] = min(memory.first_sync, days.get(goal_id, memory.first_sync))
    return days


def _published(memories: list[tuple[str, StoredGoal]]) -> dict[str, Published]:
    """Return the plan of each goal that was made last, where apps remember different ones."""
    plans: dict[str, Published] = {}
    for goal_id, memory in memories:
        if memory.made is not None and (goal_id not in plans or plans[goal_id].made < memory.made):
            plans[goal_id] = Published(memory.made, memory.digest, memory.dates)
    return plans
