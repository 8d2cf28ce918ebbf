"""The goals as a precedence network for the scheduler: every step with the steps that it follows.

Lists, groups, templates and references by id are already resolved here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from config.calendars import EVERY_DAY, Calendar
from config.durations import NO_TIME, Duration, Unit
from config.keys import within_goal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from config.errors import Place
    from config.source import Path_, Source

NO_NAMESPACE = "local"  # of a goals file that names none
ME, EVERYBODY = "me", "*"  # in `capacity`: steps that name nobody, and people who are not named there


def person(step: Step, goal: Goal) -> str:
    """Return whose time a step takes, by the name that `capacity` has for them."""
    return step.who or goal.who or ME


@dataclass(frozen=True, slots=True)
class Origin:
    """The source of a goal or step; line and column are only computed for a message."""

    source: Source
    path: Path_

    def at(self, *path: str | int) -> Place:
        """Return the place of a value below this one."""
        return self.source.place((*self.path, *path))

    def at_key(self, *path: str | int) -> Place:
        """Return the place of a key below this one."""
        return self.source.place_of_key((*self.path, *path))


@dataclass(frozen=True, slots=True)
class Link:
    """What comes before: a step's key, and the time that passes in between."""

    key: str
    wait: Duration | None = None


@dataclass(frozen=True, slots=True)
class Countdown:
    """Due `by` before another step's due date."""

    key: str
    by: Duration


@dataclass(frozen=True, slots=True)
class RelativeDeadline:
    """A deadline `by` before another goal's deadline."""

    goal: str
    by: Duration


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    - `key`: `goal/step`.
    - `after`: links to steps; `after_goals`: links to whole goals, by id.
    - `group`: the key of its group.
    - `takes`: None for a flexible step, which shares the time that the others leave.
    """

    key: str
    title: str
    origin: Origin = field(compare=False, repr=False)
    takes: Duration | None = None
    wait: Duration | None = None
    after: tuple[Link, ...] = ()
    after_goals: tuple[Link, ...] = ()
    on: date | None = None
    by: date | None = None
    not_before: date | None = None
    before: Duration | Countdown | None = None
    afterwards: Duration | None = None
    every: Duration | tuple[str, ...] | None = None
    optional: bool = False
    done: date | None = None
    was: str | None = None
    titled_id: bool = False
    notes: str = ""
    link: str | None = None
    labels: tuple[str, ...] = ()
    priority: str | None = None
    who: str | None = None
    checklist: tuple[str, ...] = ()
    group: str | None = None

    @property
    def id(self) -> str:
        """The part of the key after the goal's id."""
        return within_goal(self.key)

    @property
    def anchored(self) -> bool:
        """Whether its own keys determine its due date: an appointment, a countdown or a follow-up."""
        return self.on is not None or self.before is not None or self.afterwards is not None

    @property
    def milestone(self) -> bool:
        """Whether it takes no time. A step that repeats, or takes a share of the time, takes at least a day."""
        takes = self.takes
        return takes is not None and not takes.amount and takes.unit is not Unit.PERCENT and self.every is None

    @property
    def takes_room(self) -> bool:
        """Whether it takes its person's time: it has a length of its own, in working days, weeks or months."""
        elapsed = self.takes is not None and self.takes.unit is Unit.CALENDAR_DAYS
        return not (self.milestone or self.flexible or elapsed)

    @property
    def flexible(self) -> bool:
        """Whether it shares the time that the others leave."""
        return self.takes is None and not self.anchored

    @property
    def grows(self) -> bool:
        """Whether its length depends on the available time: it is flexible, or it repeats."""
        return self.every is not None or self.flexible

    @property
    def follow_up(self) -> bool:
        """Whether it comes after the deadline, without a limit."""
        return self.afterwards is not None


@dataclass(frozen=True, slots=True)
class Group:
    """Steps under one heading. `key` is `goal/group/`: the slash at its end distinguishes it from a step's.

    It has no dates of its own: it lasts as long as its members. `within` is the key of the group around it.
    """

    key: str
    title: str
    origin: Origin = field(compare=False, repr=False)
    within: str | None = None
    notes: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A connector for a goal's tasks, with its settings as written."""

    name: str
    options: Mapping[str, Any]
    origin: Origin = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal with its steps in the order of the file (`steps`), and with each step after those it follows (`sequence`).

    `groups` are those with a title; groups without one only define links.
    """

    id: str
    title: str
    deadline: date | RelativeDeadline
    origin: Origin = field(compare=False, repr=False)
    steps: tuple[Step, ...] = ()
    sequence: tuple[Step, ...] = ()
    calendar: Calendar = EVERY_DAY
    start: date | None = None
    buffer: Duration = NO_TIME
    when_late: str = "squeeze"  # `as written` for progress that is not known: as `keep`, without a warning
    when_full: str = "warn"
    at_least: Duration | None = None
    targets: tuple[Target, ...] | None = None
    done: date | None = None
    was: str | None = None
    titled_id: bool = False
    why: str = ""
    done_when: str = ""
    notes: str = ""
    link: str | None = None
    labels: tuple[str, ...] = ()
    priority: str | None = None
    who: str | None = None
    groups: tuple[Group, ...] = ()

    def chains(self) -> dict[str | None, tuple[str, ...]]:
        """Return the keys of each group and the groups around it, innermost first, by its key; empty for None."""
        within = {group.key: group.within for group in self.groups}
        chains: dict[str | None, tuple[str, ...]] = {None: ()}
        for key in within:
            waiting: list[str] = []
            around: str | None = key
            while around is not None and around not in chains:
                waiting.append(around)
                around = within.get(around)
            for one in reversed(waiting):
                chains[one] = (one, *chains[within[one]])
        return chains

    def outline(self, steps: Sequence[Step]) -> list[Group | Step]:
        """Return steps, each group before its first member."""
        waiting = {group.key: group for group in self.groups}
        chains = self.chains()
        parts: list[Group | Step] = []
        for step in steps:
            parts += [waiting.pop(key) for key in reversed(chains[step.group]) if key in waiting]
            parts.append(step)
        return parts

    @property
    def titles(self) -> dict[str, str]:
        """The titles of the goal, its groups and its steps by their keys."""
        groups = {group.key: group.title for group in self.groups}
        return {self.id: self.title, **groups, **{step.key: step.title for step in self.steps}}

    def members(self, steps: Sequence[Step]) -> dict[str, list[Step]]:
        """Return the keys of the steps in each group, and in the groups within it, by the group's key."""
        members: dict[str, list[Step]] = {group.key: [] for group in self.groups}
        chains = self.chains()
        for step in steps:
            for key in chains[step.group]:
                members[key].append(step)
        return members


@dataclass(frozen=True, slots=True)
class Project:
    """All goals, in the order of the files (`goals`), and with each goal after those it follows (`sequence`)."""

    goals: tuple[Goal, ...]
    sequence: tuple[Goal, ...]
    namespace: str = NO_NAMESPACE
    timezone: str = "UTC"
    retired: tuple[Target, ...] = ()
    prune: str = "remove"
    on_delete: str = "drop"
    deadlines: str = "file"  # where a deadline can be moved: `file` alone, or in an `app` as well
    account: str | None = None
    capacity: Mapping[str, int] = field(default_factory=dict, hash=False)
    heartbeat: Duration | None = None
    page: str | None = None
    digest: str | None = None

    def steps_at_once(self, who: str) -> int | None:
        """Return how many steps a person can have at once; None if the file sets no limit."""
        return self.capacity.get(who, self.capacity.get(EVERYBODY))

    def with_goals(self, change: Callable[[Goal], Goal]) -> Project:
        """Return the project with every goal changed; `sequence` keeps its order."""
        goals = {goal.id: change(goal) for goal in self.goals}
        sequence = tuple(goals[goal.id] for goal in self.sequence)
        return replace(self, goals=tuple(goals.values()), sequence=sequence)

    @property
    def titles(self) -> dict[str, str]:
        """The titles of all goals, groups and steps by their keys."""
        return {key: title for goal in self.goals for key, title in goal.titles.items()}

    def goal(self, goal_id: str) -> Goal | None:
        """Return the goal with this id."""
        return next((goal for goal in self.goals if goal.id == goal_id), None)
