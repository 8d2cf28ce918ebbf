"""Reads off the snapshots what the user did since the last run: tasks completed, reopened and deleted, dates moved.

A task whose state differs from the one that its app's memory has was completed or reopened by the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from config.keys import day_of, goal_of, is_occurrence, step_of
from sync.reconcile import digests
from sync.reconcile.given_dates import PlannedFrom, pin
from sync.schedule.model import Progress, Published
from sync.schedule.occurrences import lapsed, single

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from config.project import Goal, Project, Step
    from connectors.model import StoredGoal
    from sync.reconcile.moved_deadlines import Shift
    from sync.reconcile.view import ServiceView

GIVEN_UP = (
    "given up: the goal's own task was cancelled, so its steps are left as they are. Reopen it to go on with the goal; "
    "else write `done:` with a day at the goal, or take it out of the goals file"
)
Days = dict[str, "date"]  # by key
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Apps:
    """The apps that show what became of one goal.

    views: all apps. homes: those in which the goal goes on; where the user cancelled it in all that it is in, all of
    these. going: the homes, and the apps that are to hold no task of the goal. recreate: as in `ServiceView.dropped`.
    """

    goal: Goal
    views: Sequence[ServiceView]
    homes: Sequence[ServiceView]
    going: Sequence[ServiceView]
    today: date
    recreate: bool

    @classmethod
    def of(cls, goal: Goal, views: Sequence[ServiceView], today: date, *, recreate: bool) -> _Apps:
        """Return the apps of one goal."""
        named = [view for view in views if goal.id in view.goals]
        homes = [view for view in named if not view.cancelled(goal, recreate=recreate)] or named
        going = [view for view in views if view not in named or view in homes]
        return cls(goal, views, homes, going, today, recreate)

    def that_know(self, step: Step) -> Sequence[ServiceView]:
        """Return the apps that show what became of a step.

        An app in which the goal was given up is left as it is, and so shows what was true then. It counts only for a
        step that is in none of the others.
        """
        if len(self.going) == len(self.views):
            return self.views
        entries = (view.remembered(step.key) for view in self.homes)
        known = any(entry is not None and entry.state in ("live", "done") for entry in entries)
        return self.going if known else self.views

    def that_keep(self, step: Step) -> list[ServiceView]:
        """Return the apps in which the goal goes on and the user did not drop the step."""
        return [view for view in self.homes if not self._dropped_in(view, step)]

    def _dropped_in(self, view: ServiceView, step: Step) -> bool:
        return view.published(step.key) and view.dropped(step.key, digests.definition(step), recreate=self.recreate)

    @property
    def gave_up(self) -> bool:
        """Whether the user cancelled the goal in every app that it is in; the steps themselves may be open."""
        named = [view for view in self.views if self.goal.id in view.goals]
        return bool(named) and all(view.cancelled(self.goal, recreate=self.recreate) for view in named)


@dataclass(frozen=True, slots=True)
class _Found:
    """The progress of one goal: as in `Progress`, by key."""

    done: Days
    dropped: set[str]
    pins: Days
    given_up: bool


def observe(
    project: Project,
    views: Iterable[ServiceView],
    today: date,
    elsewhere: frozenset[str] = frozenset(),
    shifts: Mapping[str, Shift] = MappingProxyType({}),
) -> Progress:
    """Return the progress that the goals file and all the snapshots show together.

    Where two apps differ in one run, done wins. A task that was completed on an unknown day counts as done `today`.

    elsewhere: the ids of the goals that are also in an app of which there is no snapshot: they may go on there.
    shifts: of the goals whose deadline the user moved in an app.
    """
    views = list(views)
    recreate = project.on_delete == "recreate"
    deadlines = digests.deadlines(project)
    done: Days = {}
    dropped: set[str] = set()
    pins: Days = {}
    given_up: set[str] = set()
    for goal in project.goals:
        apps = _Apps.of(goal, views, today, recreate=recreate)
        planned_from = PlannedFrom(deadlines[goal.id], shifts.get(goal.id))
        found = _observe_goal(apps, planned_from, is_elsewhere=goal.id in elsewhere)
        done |= found.done
        dropped |= found.dropped
        pins |= found.pins
        given_up |= {goal.id} if found.given_up else set()
    memories = [item for view in views for item in view.snapshot.memory.items()]
    return Progress(done, frozenset(dropped), pins, first_syncs(memories), _published(memories), frozenset(given_up))


def _observe_goal(apps: _Apps, planned_from: PlannedFrom, *, is_elsewhere: bool) -> _Found:
    """Return the progress of one goal."""
    steps = [one for step in apps.goal.steps for one in _times(step, apps.views)]
    done = _done_steps(apps, steps)
    keeping = {step.key: apps.that_keep(step) for step in steps if step.key not in done or _repeats(step)}
    dropped = {key for key, kept in keeping.items() if apps.homes and not kept}
    pins = _pins(apps, planned_from, steps, _without(keeping, dropped))
    past = _lapsed(steps, pins, apps.today) - done.keys()
    own = [step for step in steps if step.key not in dropped | past]
    done = _with_goal(_Case(apps, own, _with_groups(apps, own, done)))
    given_up = not is_elsewhere and apps.goal.id not in done and apps.gave_up
    if given_up:
        dropped |= {step.key for step in (*apps.goal.steps, *steps)} - done.keys()
    return _Found(done, dropped, _without(pins, done), given_up)


def _without(values: Mapping[str, Value], keys: Collection[str]) -> dict[str, Value]:
    return {key: value for key, value in values.items() if key not in keys}


# Steps


def _times(step: Step, views: Sequence[ServiceView]) -> list[Step]:
    """Return a step, or the occurrences of one that repeats: the step itself where none was ever published."""
    if step.every is None:
        return [step]
    times = [single(step, key) for key in dict.fromkeys(key for view in views for key in _published_times(step, view))]
    return [step, *times] if step.done or not times else times


def _published_times(step: Step, view: ServiceView) -> list[str]:
    """Return the keys of the occurrences of a step that an app has had."""
    memory = view.snapshot.memory.get(goal_of(step.key))
    entries = memory.keys.items() if memory else ()
    known = [key for key, entry in entries if entry.state != "removed"]
    return [key for key in known if is_occurrence(key) and step_of(key) == step.key]


def _repeats(step: Step) -> bool:
    """Return whether a step stands for its occurrences, and is not one of them."""
    return step.every is not None and not is_occurrence(step.key)


def _done_steps(apps: _Apps, steps: Iterable[Step]) -> Days:
    """Return the day on which each step was done. A step with occurrences is done only by the file."""
    days = {}
    for step in steps:
        day = step.done
        if day is None and not _repeats(step):
            day = _done(apps.that_know(step), step.key, apps.today)
        if day is not None:
            days[step.key] = day
    return days


def _done(views: Iterable[ServiceView], key: str, today: date) -> date | None:
    """Return the day on which a task was done, in any app; None while it is open.

    The earliest day that an app has counts more than today: the task may have been completed there before, by a run
    that was cut short. Where the clock of a service is ahead, today is the latest day.
    """
    views = list(views)
    ticks = [task.done_on for view in views if view.ticked(key) for task in view.ticks(key)]
    known = [memory.done_on for view in views if (memory := view.remembered(key)) and memory.state == "done"]
    if ticks or (known and not _is_reopened(views, key)):
        return min([*(min(day, today) for day in ticks if day), *filter(None, known)], default=today)
    return None


def _is_reopened(views: Iterable[ServiceView], key: str) -> bool:
    return any(view.reopened(key) for view in views)


def _lapsed(steps: Iterable[Step], pins: Mapping[str, date], today: date) -> set[str]:
    """Return the occurrences for which it is too late."""
    dues: dict[str, dict[str, int]] = {}
    for step in steps:
        if is_occurrence(step.key):
            due = pins.get(step.key, day_of(step.key))
            dues.setdefault(step_of(step.key), {})[step.key] = due.toordinal()
    return {key for times in dues.values() for key in lapsed(times, today.toordinal())}


# Pins


def _pins(
    apps: _Apps,
    planned_from: PlannedFrom,
    steps: Iterable[Step],
    keeping: Mapping[str, Collection[ServiceView]],
) -> Days:
    """Return the date that the user gave each step, where there is one. keeping: the apps that keep each open step."""
    pins = {}
    for step in (step for step in steps if step.key in keeping):
        views = apps.that_know(step) if _may_pin(step, keeping[step.key]) else apps.homes
        if day := pin(planned_from, step, views):
            pins[step.key] = day
    return pins


def _may_pin(step: Step, views: Iterable[ServiceView]) -> bool:
    """Return whether a date that the user gave in an app that is given up can go on in one of these."""
    return any(step.key not in view.tasks or not view.tasks[step.key].recurring for view in views)


# Groups and goals


def _with_groups(apps: _Apps, own: Sequence[Step], done: Days) -> Days:
    """Return the days with those of the members of groups that the user completed.

    As with a goal, members do not count that are new or that cannot be completed. own: as in `_Case`.
    """
    views, members = apps.views, apps.goal.members(list(own))
    done = dict(done)
    for group in apps.goal.groups:
        if any(view.ticked(group.key) for view in views):
            day = _done(views, group.key, apps.today) or apps.today
            case = _Case(apps, members[group.key], done)
            done |= {step.key: day for step in case.open if _is_published(step, views)}
    return done


@dataclass(frozen=True, slots=True)
class _Case:
    """A goal, or a group, of which it is to be found out what is done.

    own: its steps, without dropped ones and occurrences that have lapsed. done: the days of these, as far as known.
    """

    apps: _Apps
    own: Sequence[Step]
    done: Days

    @property
    def due(self) -> list[Step]:
        """The steps that have to be done before the whole is."""
        return [step for step in self.own if not step.follow_up]

    @property
    def open(self) -> list[Step]:
        """The steps that are open, and can be done with the whole."""
        return [step for step in self.due if step.key not in self.done and _is_free(step, self.apps.views)]


def _with_goal(case: _Case) -> Days:
    """Return the days with that of the goal itself, and of the steps that are done with it."""
    return case.done | next((days for rule in _RULES if (days := rule(case)) is not None), {})


# Rules, of which the first one that returns days decides: the day of the goal itself where it is done, and those of the
# steps that are done with it.


def _file_ends_goal(case: _Case) -> Days | None:
    day = case.apps.goal.done
    if day is None:
        return None
    return {case.apps.goal.id: day} | {step.key: day for step in case.own if step.key not in case.done}


def _user_completed_goal(case: _Case) -> Days | None:
    """All steps are done with the goal, except new ones: the user did not mean these, and they keep the goal open."""
    views, goal_id = case.apps.views, case.apps.goal.id
    if not any(view.ticked(goal_id) for view in views):
        return None
    day = _done(views, goal_id, case.apps.today) or case.apps.today
    days = {step.key: day for step in case.open if _is_published(step, views)}
    return days | ({goal_id: day} if len(days) == len(case.open) else {})


def _has_open_steps(case: _Case) -> Days | None:
    """A step is new or was reopened: the goal is open, whatever the memory has."""
    return {} if any(not _is_recurring(step, case.apps.views) for step in case.open) else None


def _was_done(case: _Case) -> Days | None:
    day = _done(case.apps.views, case.apps.goal.id, case.apps.today)
    return {case.apps.goal.id: day} if day else None


def _has_just_finished(case: _Case) -> Days | None:
    """The last step was done since the last run. Where it was done before, the user may have reopened the goal."""
    goal_id, views = case.apps.goal.id, case.apps.views
    days = [case.done.get(step.key) for step in case.due]
    finished = [day for day in days if day is not None]
    is_held = any(view.reopened(goal_id) or view.in_company(goal_id) for view in views)
    if is_held or len(finished) < len(days) or not any(_is_news(views, step) for step in case.due):
        return None
    return {goal_id: max(finished)}


_RULES = (_file_ends_goal, _user_completed_goal, _has_open_steps, _was_done, _has_just_finished)


def _is_free(step: Step, views: Iterable[ServiceView]) -> bool:
    """Return whether a step can be done with its goal or group: no app would complete a task of the user for it.

    A recurring task is never completed by a run.
    """
    return not any(view.in_company(step.key) and not view.tasks[step.key].recurring for view in views)


def _is_published(step: Step, views: Iterable[ServiceView]) -> bool:
    return any(view.published(step.key) for view in views)


def _is_recurring(step: Step, views: Iterable[ServiceView]) -> bool:
    """Return whether the user made the step recurring in every app that has it: it will never be done."""
    tasks = [view.tasks[step.key] for view in views if step.key in view.tasks]
    return bool(tasks) and all(task.recurring for task in tasks)


def _is_news(views: Iterable[ServiceView], step: Step) -> bool:
    """Return whether some app has yet to show that a step is done. One that has detached its task does not count."""
    entries = [view.remembered(step.key) for view in views]
    states = [entry.state for entry in entries if entry is not None and entry.state != "removed"]
    return not states or any(state != "done" for state in states)


# Memories


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
            plans[goal_id] = Published(memory.made, memory.digest, memory.dates, memory.began)
    return plans
