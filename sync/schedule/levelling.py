"""Levels the goals that are made anew: what stands keeps its days, and the others take the room that is left.

`when_full: earlier` asks for it. The dates without capacity come from the passes over each goal; `level` places all
steps that may move, of all goals at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from config.project import Countdown, person
from sync.schedule import milestones
from sync.schedule.backward_pass import BackwardPass, Constraints, LatestDates, anchored_days
from sync.schedule.by_links import limit_others
from sync.schedule.forward_pass import Early, Forward
from sync.schedule.lengths import least_length
from sync.schedule.level import Network, level
from sync.schedule.model import Progress
from sync.schedule.refit import floors_from_today
from sync.schedule.room import Room
from sync.schedule.squeeze import NOT_SQUEEZED
from sync.schedule.under_way import planned_under_way, published_under_way

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from sync.schedule.context import Context
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.working_days import WorkingDays

_ROUNDS = 20  # attempts with another order, or with fewer optional steps
_STEPS = 4_000  # steps that all these attempts together may place
_ORIGIN = date(2000, 1, 1)  # the day from which work is counted if no goal has a `start`


@dataclass(frozen=True, slots=True)
class Movable:
    """A goal that may move: its plan, the steps that stay, their earliest dates, and how much comes before each."""

    plan: GoalPlan
    held: frozenset[int]
    early: Early
    head: list[int]


@dataclass(frozen=True, slots=True)
class Attempt:
    """All goals that may move once they are placed.

    - `missing`: by how many working days the person of a step lacks room, by the step's key.
    - `skipped`: the optional steps that gave way.
    """

    networks: Sequence[Network]
    missing: Mapping[str, int]
    skipped: frozenset[str]

    @property
    def lack(self) -> tuple[int, int]:
        """The steps without room, and the working days that they lack: the smaller, the better."""
        return len(self.missing), sum(self.missing.values())


@dataclass(frozen=True, slots=True)
class Relief:
    """What would make room: steps that somebody else does, by key, and people who can have one step more at once."""

    others: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()


_NO_RELIEF = Relief()


class Levelling:
    """The goals that may move, and what takes room before they do."""

    def __init__(self, context: Context, stay: Set[str]) -> None:
        """Find what may move in the plans of the context, `movable`. stay: the ids of goals that may not."""
        self._context = context
        self._taken: list[tuple[str, WorkingDays, int, int]] = []
        self.movable: list[Movable] = []
        self._external: dict[str, int] = {}
        counted = {s.before.key for s in context.steps.values() if isinstance(s.before, Countdown)}
        pins, ends, heads = dict(context.progress.pins), dict[str, int](), _heads(context)
        forward = Forward(replace(context.progress, pins=pins), context.today, context.deadlines, ends)
        for goal in context.project.sequence:
            plan = context.plans[goal.id]
            every = frozenset(range(len(plan.graph.steps)))
            held = every if goal.id in stay else _held(context, plan, counted)
            pins.update((plan.graph.steps[i].key, date.fromordinal(plan.dues[i])) for i in held - plan.closed)
            early = forward.early(plan)
            if not _fits(plan, early, held):
                held = every
                ends.update((key, max(ends[key], plan.dues[i])) for key, i in plan.graph.index.items())
            self._taken += _stays(context, plan, held)
            if held != every:
                self.movable.append(Movable(plan, held, early, heads[goal.id]))
            elif plan.standing:
                limit_others(self._external, plan)

    def best(self) -> Attempt:
        """Return the attempt in which the fewest steps lack room: with the written order, or with what lacks first."""
        best = last = self._giving_way(self.attempt({}, frozenset()))
        extra: dict[str, int] = {}
        for _ in range(self.rounds):
            if not last.missing:
                break
            for key, days in last.missing.items():
                extra[key] = extra.get(key, 0) + days
            last = self.attempt(extra, best.skipped)
            best = min(best, last, key=lambda attempt: attempt.lack)
        return best

    @property
    def rounds(self) -> int:
        """How many more attempts the size of the goals allows."""
        return min(_ROUNDS, _STEPS // max(1, sum(len(one.plan.graph.steps) for one in self.movable)))

    def _giving_way(self, best: Attempt) -> Attempt:
        """Return the attempt without the optional steps that make room for others, the last one listed first."""
        listed = [step.key for goal in self._context.project.goals for step in goal.steps if step.optional]
        limited = {key for one in best.networks for key, i in one.backward.graph.index.items() if i in one.rooms}
        optional = [key for key in reversed(listed) if key in limited] if best.missing else []
        for key in optional[: self.rounds]:
            if best.missing:
                tried = self.attempt({}, best.skipped | {key})
                best = min(best, tried, key=lambda attempt: attempt.lack)
        return best

    def attempt(self, extra: Mapping[str, int], skipped: frozenset[str], relief: Relief = _NO_RELIEF) -> Attempt:
        """Place all steps. extra: days to add to what comes before steps, by key. skipped: steps to leave out."""
        rooms: dict[str, Room] = {}
        for who in {who for who, *_ in self._taken} | relief.more:
            rooms[who] = Room((self._context.project.steps_at_once(who) or 1) + (who in relief.more))
        for who, days, first, last in self._taken:
            rooms[who].take(days, first, last)
        heads = self._raised(extra)
        pairs = zip(self.movable, heads, strict=True)
        networks = [self._network(one, head, rooms, skipped, relief.others) for one, head in pairs]
        level(networks)
        keys = [(network, network.backward.graph.steps) for network in networks]
        missing = {steps[i].key: days for network, steps in keys for i, days in network.missing.items()}
        return Attempt(networks, missing, skipped)

    def _room(self, rooms: dict[str, Room], who: str) -> Room:
        if who not in rooms:
            rooms[who] = Room(self._context.project.steps_at_once(who) or 1)
        return rooms[who]

    def _raised(self, extra: Mapping[str, int]) -> list[list[int]]:
        """Return what comes before each step, with so many days more for some steps and all that follow them."""
        if not extra:
            return [one.head for one in self.movable]
        more: dict[str, int] = {}
        for one in self.movable:
            for step in one.plan.graph.steps:
                before = max((more.get(link.key, 0) for link in step.after), default=0)
                more[step.key] = max(before, extra.get(step.key, 0))
        return [
            [head + more[step.key] for head, step in zip(one.head, one.plan.graph.steps, strict=True)]
            for one in self.movable
        ]

    def _network(
        self, one: Movable, head: list[int], rooms: dict[str, Room], skipped: frozenset[str], others: frozenset[str]
    ) -> Network:
        plan, graph = one.plan, one.plan.graph
        left_out = plan.left_out | {i for i, _ in graph.among(skipped)}
        external = dict(plan.external)
        for i, day in graph.by_index(self._external).items():
            if day >= one.early.finish[i]:  # else it comes too late for what follows, whatever is done here
                external[i] = min(day, external.get(i, day))
        constraints = Constraints(plan.fixed, left_out, external, self._context.limits.due_of)
        away = left_out | one.held
        return Network(
            backward=BackwardPass(graph, constraints),
            latest=_copy(plan.latest),
            lengths=plan.lengths,
            least={i: least_length(graph, i) for i in plan.growing - away},
            held=one.held,
            rooms={
                i: self._room(rooms, person(graph.steps[i], plan.goal))
                for i in self._context.capacity(graph)
                if i not in away and graph.steps[i].key not in others
            },
            early=one.early,
            head=head,
            external=external,
        )

    def broken(self, attempt: Attempt) -> set[str]:
        """Return the goals with a step that was placed before it can begin, as calendars can be at odds."""
        return {
            one.plan.goal.id
            for one, network in zip(self.movable, attempt.networks, strict=True)
            if any(
                network.latest.day_before[i] + 1 < one.early.start[i]
                for i in network.rooms
                if network.latest.due[i] != one.plan.latest.due[i]
            )
        }

    def apply(self, attempt: Attempt) -> None:
        """Give the goals the dates of an attempt."""
        for one, network in zip(self.movable, attempt.networks, strict=True):
            _apply(self._context, one, network, frozenset(i for i, _ in one.plan.graph.among(attempt.skipped)))


def levelled(context: Context) -> tuple[Levelling, Attempt]:
    """Return the best attempt to level the goals of the context that are made anew; no plan changes yet."""
    stay: set[str] = set()
    while True:
        levelling = Levelling(context, stay)
        attempt = levelling.best()
        broken = levelling.broken(attempt)
        if not broken:
            return levelling, attempt
        stay |= broken


def _held(context: Context, plan: GoalPlan, counted: Set[str]) -> frozenset[int]:
    """Return the steps of a goal whose dates stay: all of them unless it is made anew, fits, and may move.

    counted: the steps from which others count down.
    """
    graph = plan.graph
    ended = plan.missed or plan.failed or {plan.goal.id} & {*context.progress.done, *context.progress.given_up}
    if plan.goal.when_full != "earlier" or plan.standing or ended or plan.squeezed is not NOT_SQUEEZED:
        return frozenset(range(len(graph.steps)))
    by_key = {i for i, _ in graph.among(counted)}
    return frozenset({*plan.fixed, *graph.anchors, *graph.repeating, *by_key, *published_under_way(context, plan)})


def _fits(plan: GoalPlan, early: Early, held: Set[int]) -> bool:
    """Return whether each step that may move can be done by its date."""
    graph = plan.graph
    whole = {*held, *plan.left_out, *plan.growing, *graph.milestones, *graph.elapsed}
    return all(
        early.start[i] <= plan.starts[i] and early.finish[i] <= plan.dues[i]
        for i in range(len(graph.steps))
        if i not in whole
    )


def _stays(context: Context, plan: GoalPlan, held: Set[int]) -> Iterator[tuple[str, WorkingDays, int, int]]:
    """Yield the person, the calendar, and the first and last position of each open step that stays and takes room."""
    graph, days = plan.graph, plan.graph.window.days
    for i in sorted(held - plan.left_out):
        who = person(graph.steps[i], plan.goal)
        if not graph.steps[i].takes_room or context.project.steps_at_once(who) is None:
            continue
        spans = [(plan.starts[i], plan.dues[i])]
        if i in plan.repeating:
            spans = [(one.start, one.due) for one in plan.occurrences(i) if one.key not in plan.repeating[i].settled]
        for start, due in spans:
            first, last = max(start, context.day), max(due, context.day)
            yield who, days, days.position(first - 1) + 1, days.position(last)


def _heads(context: Context) -> dict[str, list[int]]:
    """Return, by goal, how much comes before the end of each step: its earliest finish, whatever is done and today is.

    Work is counted from the first `start` or `from` of all goals.
    """
    goals = context.project.goals
    given = [goal.start for goal in goals] + [step.not_before for step in context.steps.values()]
    origin = min(filter(None, given), default=_ORIGIN)
    forward = Forward(Progress(), origin, context.deadlines, {})
    plans = (context.plans[goal.id] for goal in context.project.sequence)
    return {plan.goal.id: forward.early(replace(plan, standing=False)).finish for plan in plans}


def _copy(latest: LatestDates) -> LatestDates:
    return LatestDates(latest.begin[:], latest.end[:], latest.day_before[:], latest.due[:], latest.driver[:])


def _apply(context: Context, one: Movable, network: Network, skipped: frozenset[int]) -> None:
    """Give a plan the dates of its network; steps that did not move keep theirs."""
    plan, latest = one.plan, network.latest
    plan.full = frozenset(network.missing)
    moved = [
        i
        for i, due in enumerate(latest.due)
        if i not in one.held and (due, latest.day_before[i]) != (plan.latest.due[i], plan.latest.day_before[i])
    ]
    if not moved and not skipped:
        return
    plan.uncapped, plan.external = plan.latest, network.external
    plan.skipped |= skipped
    plan.take(latest, moved)
    plan.least = latest
    if plan.graph.milestones:
        fixed = {**anchored_days(plan.graph, latest), **plan.fixed}
        floors = floors_from_today(context, plan, plan.graph, fixed)
        milestones.show(plan, floors, context.first_day(plan.goal))
    plan.under_way = planned_under_way(context, plan)
