"""What a schedule says of itself: earliest dates, slack and health, the reason for each date, and what to warn of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from config.display import count
from config.durations import Duration, Unit
from config.keys import is_occurrence
from config.project import Countdown
from sync.schedule.backward_pass import BY, FIXED, LIMIT, OUTSIDE
from sync.schedule.buffer import consumption
from sync.schedule.deadline import earliest_deadline
from sync.schedule.forward_pass import Forward
from sync.schedule.model import Bound, Reason, ScheduledGoal, ScheduledStep, State
from sync.schedule.occurrences import single
from sync.schedule.squeeze import NOT_SQUEEZED
from sync.schedule.working_days import shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.project import Step
    from sync.schedule.backward_pass import Length
    from sync.schedule.goal_plan import GoalPlan
    from sync.schedule.occurrences import Occurrence
    from sync.schedule.planner import Planner
    from sync.schedule.working_days import WorkingDays

_FEW = 0.1  # of the working days left: fewer in hand are a risk
_NAMED = 5  # steps that one kind of warning names


class Assessor:
    """Judges goals that were planned, each after those that it follows."""

    def __init__(self, planner: Planner) -> None:
        """`planner` has planned all goals."""
        self._planner = planner
        self._forward = Forward(planner.progress, planner.today, planner.deadlines)
        planner.ends = self._forward.ends

    def judge(self, planned: GoalPlan) -> ScheduledGoal:
        """Return the goal with its dates, its health and what to warn of."""
        network, goal, ordered = planned.network, planned.goal, self._ordered(planned)
        waiting = [step for step in ordered if step.open and not step.step.follow_up]
        dated = [step for step in waiting if step.due is not None]
        slack = min((step.slack for step in dated), default=0)
        # With goals that hang on this one, each look for a deadline costs a plan of all of them.
        plenty = goal.id in self._planner.hung_on and slack >= self._enough(planned) and not _overdue(dated)
        fits = earliest_deadline(self._planner, planned) if dated and not plenty else None
        result = ScheduledGoal(
            goal=goal,
            deadline=date.fromordinal(network.frame.deadline),
            limit=date.fromordinal(network.frame.limit),
            steps=ordered,
            state=self._ended(planned, ordered) or State.ON_TRACK,
            margin=slack if plenty else self._in_hand(planned, fits) if fits else None,
            digest=planned.digest,
            made=planned.made,
            done=self._planner.progress.done.get(goal.id),
            earliest_deadline=fits if fits and fits.toordinal() > network.frame.deadline else None,
            failed=planned.failed,
        )
        if result.state in (State.GIVEN_UP, State.NO_STEP_LEFT):
            return result
        result = replace(result, buffer=consumption(result, planned, self._planner.today))
        if result.state is State.ON_TRACK and dated:
            result = replace(result, state=self._projected(result, planned))
        return replace(result, warnings=tuple(self._warnings(result, planned)))

    def _ordered(self, planned: GoalPlan) -> tuple[ScheduledStep, ...]:
        """Return the steps in the file's order, with the occurrences in place of a step that repeats."""
        network = planned.network
        steps = dict(zip(network.index, self._steps(planned), strict=True))
        times = {network.steps[i].key: self._times(planned, i, steps[network.steps[i].key]) for i in planned.repeating}
        return tuple(one for step in planned.goal.steps for one in times.get(step.key, (steps[step.key],)))

    @staticmethod
    def _in_hand(planned: GoalPlan, fits: date) -> int:
        """Return the working days from the earliest deadline that fits to the goal's; negative when it is late."""
        frame = planned.network.frame
        return int(frame.days.position(frame.deadline) - frame.days.position(fits.toordinal()))

    def _projected(self, goal: ScheduledGoal, planned: GoalPlan) -> State:
        """Return how an open goal stands, should work on it go on from today."""
        if goal.margin is None or goal.margin < 0:
            return State.LATE
        red = goal.buffer is not None and goal.buffer.colour == "red"
        few = goal.margin < self._enough(planned)
        return State.AT_RISK if few or red or _overdue(goal.waiting) else State.ON_TRACK

    def _enough(self, planned: GoalPlan) -> float:
        """Return how many days in hand are no risk: a tenth of the working days left, and at least one."""
        frame = planned.network.frame
        return max(1, _FEW * (frame.days.position(frame.deadline) - frame.days.position(self._planner.day - 1)))

    def _ended(self, planned: GoalPlan, steps: Sequence[ScheduledStep]) -> State | None:
        """Return how a goal ended, or its deadline passed; None for one that goes on."""
        progress, goal_id = self._planner.progress, planned.goal.id
        before_the_deadline = [step for step in steps if not step.step.follow_up]
        if goal_id in progress.done:
            return State.DONE
        if goal_id in progress.given_up:
            return State.GIVEN_UP
        if before_the_deadline and all(step.dropped for step in before_the_deadline):
            return State.NO_STEP_LEFT
        if planned.missed and (not steps or any(step.open for step in before_the_deadline)):
            return State.MISSED
        return None

    def _longest_chain(self, planned: GoalPlan) -> frozenset[int]:
        """Return the steps on the chain that begins earliest: it is what decides when work must start."""
        left = planned.gone | planned.given_way
        moving = [i for i, driver in enumerate(planned.plan.driver) if driver != FIXED and i not in left]
        if not moving:
            return frozenset()
        first = min(moving, key=planned.starts.__getitem__)
        return frozenset(i for i in planned.plan.path(first) if i not in planned.gone)

    def _steps(self, planned: GoalPlan) -> list[ScheduledStep]:
        """Return the steps in sequence, each with all that the passes found."""
        network, day = planned.network, self._planner.date
        early = self._forward.early(network, planned)
        chain = self._longest_chain(planned)
        rows = zip(
            network.steps,
            map(day, planned.starts),
            map(day, planned.dues),
            map(day, early.start),
            map(day, early.finish),
            self._forward.slack(network, planned, early),
            self._reasons(planned),
            map(chain.__contains__, range(len(network.steps))),
            strict=True,
        )
        steps = [ScheduledStep(*row) for row in rows]
        squeezed = self._squeezed(planned)
        for i in self._unusual(planned) | squeezed:
            steps[i] = self._marked(planned, i, steps[i])._replace(squeezed=i in squeezed)
        return steps

    @staticmethod
    def _squeezed(planned: GoalPlan) -> set[int]:
        """Return the steps whose dates leave them less time than is written, whatever day the plan was made."""
        if not planned.standing and planned.squeezed is NOT_SQUEEZED:
            return set()
        network = planned.network
        whole = {*planned.fixed, *planned.gone, *planned.given_way, *network.anchors}
        return {
            i
            for i, length in enumerate(planned.lengths)
            if i not in whole
            and not network.steps[i].grows
            and _is_short(network.frame.days, planned.starts[i], planned.dues[i], length)
        }

    def _unusual(self, planned: GoalPlan) -> set[int]:
        """Return the steps of which more is to be said than their dates."""
        past = {i for i, due in enumerate(planned.dues) if due < self._planner.day}
        pinned = {i for i, _ in planned.network.among(self._planner.progress.pins.keys())}
        return past | pinned | planned.gone | planned.given_way

    def _marked(self, planned: GoalPlan, i: int, step: ScheduledStep) -> ScheduledStep:
        key, progress, away = step.step.key, self._planner.progress, i in planned.given_way
        dropped = key in progress.dropped
        return step._replace(
            start=None if away else step.start,
            due=None if away else step.due,
            pinned=key in progress.pins,
            done=None if dropped else progress.done.get(key),
            dropped=dropped,
            overdue=planned.dues[i] < self._planner.day and i not in planned.gone and not away,
        )

    def _times(self, planned: GoalPlan, i: int, step: ScheduledStep) -> list[ScheduledStep]:
        """Return the occurrences of a step that repeats. Their slack is the step's: how much the goal can bear."""
        times = planned.occurrences(i)
        following = (times[n].key if n < len(times) else None for n in range(1, len(times) + 1))
        return [self._occurrence(step, one, later) for one, later in zip(times, following, strict=True)]

    def _occurrence(self, step: ScheduledStep, one: Occurrence, following: str | None) -> ScheduledStep:
        progress, day = self._planner.progress, self._planner.date
        dropped, pinned = one.key in progress.dropped, one.key in progress.pins
        done = None if dropped else progress.done.get(one.key) or step.done
        return step._replace(
            step=single(step.step, one.key),
            start=day(one.start),
            due=day(one.due),
            reason=Reason(Bound.PIN, day(one.due))
            if pinned
            else Reason(Bound.REPEATS, key=following)
            if following
            else step.reason,
            pinned=pinned,
            done=done,
            dropped=dropped,
            overdue=done is None and not dropped and one.due < self._planner.day,
        )

    def _reasons(self, planned: GoalPlan) -> list[Reason]:
        """Return why each step has its date, in sequence; steps that wait for the same share one reason."""
        network, steps, day = planned.network, planned.network.steps, self._planner.date
        limit = Reason(Bound.LIMIT, day(network.frame.limit))
        shared = cache(lambda i, wait: Reason(Bound.NEXT, day(planned.starts[i]), steps[i].key, wait))
        own = network.anchors.union(i for i, _ in network.among(self._planner.progress.pins.keys()))
        return [
            self._own_reason(planned, i)
            if i in own or driver < LIMIT
            else limit
            if driver < 0
            else shared(driver, dict(network.next[i])[driver] if i in network.waiting else None)
            for i, driver in enumerate(planned.plan.driver)
        ]

    def _own_reason(self, planned: GoalPlan, i: int) -> Reason:
        """Return why a step has its date that neither the limit nor a step of the same goal gave it."""
        network, step, day = planned.network, planned.network.steps[i], self._planner.date
        if step.key in self._planner.progress.pins:
            return Reason(Bound.PIN, day(planned.dues[i]))
        if i in network.anchors:
            return _anchor_reason(step, day(network.frame.deadline))
        if planned.plan.driver[i] == OUTSIDE:
            return Reason(Bound.NEXT, day(planned.outside[i]), self._follower_elsewhere(step.key))
        if planned.plan.driver[i] == BY:
            return Reason(Bound.BY, step.by)
        return Reason(Bound.STANDING, planned.made)

    def _follower_elsewhere(self, key: str) -> str | None:
        """Return the step of another goal that leaves the step `key` the least time."""
        due_of = self._planner.due_of
        return min(self._planner.followers[key], key=lambda follower: (due_of[follower], follower), default=None)

    def _warnings(self, goal: ScheduledGoal, planned: GoalPlan) -> list[str]:
        if goal.state is State.DONE:
            return []
        steps = planned.network.steps
        found = []
        if goal.state is State.MISSED:
            move = f"move it in the goals file, or with `backplan move {goal.goal.id} DATE`"
            found.append(f"the deadline {goal.deadline} has passed; {move}")
        elif goal.state is State.LATE and goal.margin is None:
            found.append("late, and no other deadline helps")
        elif goal.state is State.LATE and goal.margin is not None:
            fits = f"as written it would fit a deadline of {goal.earliest_deadline}"
            found.append(f"late by {count(-goal.margin, 'working day')}; {fits}")
        found += self._too_soon(goal)
        found += self._too_little_time(goal, planned)
        found += self._out_of_order(planned)
        found += [
            f"“{step.step.title}” is due on {step.due}, after the deadline"
            for step in goal.steps
            if step.pinned and is_occurrence(step.step.key) and step.due and step.due > goal.deadline
        ]
        found += [
            f"“{steps[i].title}” is optional and got no date: there is no time for it"
            for i in sorted(planned.given_way)
        ]
        least = goal.goal.at_least
        if (
            least is not None
            and planned.network.frame.days.before(planned.network.frame.deadline, least) < self._planner.day
        ):
            found.append(f"this usually takes at least {least}, and the deadline is nearer than that")
        overdue = [step for step in goal.steps if step.overdue]
        if overdue and goal.state is not State.MISSED:
            names = ", ".join(f"“{step.step.title}” ({step.due})" for step in overdue[:_NAMED])
            found.append(f"overdue: {names}")
        return found

    def _too_little_time(self, goal: ScheduledGoal, planned: GoalPlan) -> Iterator[str]:
        """Yield what a plan that does not fit costs: lengths, days of one's own, waits, or that no day is left."""
        steps, stuck = planned.network.steps, planned.squeezed.stuck
        sharing, waits = ([], []) if stuck else (self._sharing(planned), self._short_waits(planned))
        if squeezed := sum(step.squeezed for step in goal.steps):
            so_that = "" if sharing or waits or stuck else ", so that all fits"
            get = "gets" if squeezed == 1 else "get"
            yield f"{squeezed} of {len(steps)} steps {get} less time than written{so_that}"
        if sharing:
            names = ", ".join(f"“{steps[i].title}”" for i in sharing[:_NAMED])
            yield f"fewer working days than steps: {names} share days"
        for i, n, wait in waits[:_NAMED]:
            begins = date.fromordinal(planned.starts[n])
            yield f"the wait of {wait} after “{steps[i].title}” does not fit: “{steps[n].title}” begins on {begins}"
        yield from (self._conflict(planned, i) for i in stuck)

    @staticmethod
    def _short_waits(planned: GoalPlan) -> list[tuple[int, int, Duration]]:
        """Return the waits that the dates cut short, each with the step before and after it.

        Steps that have less than a day each share days with their neighbours; over a wait there are none to share.
        """
        if not planned.standing and planned.squeezed is NOT_SQUEEZED:
            return []
        network, position = planned.network, planned.network.frame.days.position
        left = planned.gone | planned.given_way
        stays = network.anchors | planned.fixed.keys()
        found = []
        for i in sorted(network.waiting - left):
            for n, wait in network.next[i]:
                if wait is None or wait.amount <= 0 or n in left or (i in stays and n in stays):
                    continue
                last = planned.starts[n] - (0 if network.steps[n].milestone else 1)
                if position(planned.dues[i]) > position(network.frame.days.before(last, wait)):
                    found.append((i, n, wait))
        return found

    @staticmethod
    def _too_soon(goal: ScheduledGoal) -> list[str]:
        """Return which steps of a plan that is left as it is would have to begin before they can."""
        if goal.goal.when_late not in ("keep", "fail") or goal.state is State.MISSED:
            return []
        late = [step for step in goal.waiting if step.slack < 0 and not step.overdue]
        told = [
            f"“{step.step.title}” would have to begin on {step.start}, and cannot before {step.early_start}"
            for step in late
            if step.start and step.start < step.early_start
        ]
        more = [f"{len(told) - _NAMED} more would have to begin before they can"] if len(told) > _NAMED else []
        return [*told[:_NAMED], *more]

    @staticmethod
    def _sharing(planned: GoalPlan) -> list[int]:
        """Return the steps without a day of their own, whatever day the plan was made.

        They begin on the day on which what they follow ends, or end on that on which what follows them begins.
        """
        if not planned.standing and planned.squeezed is NOT_SQUEEZED:
            return []
        network, found = planned.network, set[int]()
        whole = {*planned.fixed, *planned.gone, *planned.given_way, *network.anchors}
        takes_time = {i for i, length in enumerate(planned.lengths) if length and i not in whole}
        for i in takes_time:
            shared = [
                n
                for n, wait in network.next[i]
                if n in takes_time and planned.starts[n] <= planned.dues[i] and not (wait and wait.amount < 0)
            ]
            found.update((i, *shared) if shared else ())
        return sorted(found)

    def _out_of_order(self, planned: GoalPlan) -> Iterator[str]:
        """Yield the steps whose day stands before what they come after, or after the deadline that they lead to."""
        network, days = planned.network, planned.network.frame.days
        fixed = {**network.anchored_days(planned.plan), **planned.fixed}
        for i, day in sorted(fixed.items()):
            step = network.steps[i]
            if i in planned.gone or i in planned.given_way:
                continue
            if day > network.frame.deadline and not step.follow_up:
                yield f"“{step.title}” is due on {date.fromordinal(day)}, after the deadline"
            for link in step.after:
                other = self._planner.known_day(link.key, fixed, network, progress=True)
                if (
                    other is None
                    or link.key in self._planner.progress.done
                    or link.key in self._planner.progress.dropped
                ):
                    continue
                # A milestone may stand on the day on which what it follows ends.
                least = (days.after(other, link.wait) if link.wait else other) + (not step.milestone)
                if least > day:
                    before = self._planner.steps[link.key].title
                    yield (
                        f"“{before}” on {date.fromordinal(other)} leaves no working day for “{step.title}”, "
                        f"which comes after it and is due on {date.fromordinal(day)}"
                    )

    def _conflict(self, planned: GoalPlan, i: int) -> str:
        steps, last = planned.network.steps, planned.plan.path(i)[-1]
        end = f"the deadline on {date.fromordinal(planned.network.frame.deadline)}"
        if planned.plan.driver[last] == FIXED:
            end = f"“{steps[last].title}” on {date.fromordinal(planned.dues[last])}"
        return f"no working day is left between what “{steps[i].title}” waits for and {end}"


def _anchor_reason(step: Step, deadline: date) -> Reason:
    """Return why a step stands where its own keys put it."""
    if step.on is not None:
        return Reason(Bound.APPOINTMENT, step.on)
    if step.afterwards is not None:
        return Reason(Bound.FOLLOW_UP, deadline, wait=step.afterwards)
    if isinstance(step.before, Countdown):
        return Reason(Bound.COUNTDOWN, key=step.before.key, wait=step.before.by)
    return Reason(Bound.COUNTDOWN, deadline, wait=step.before)


def _is_short(days: WorkingDays, start: int, due: int, length: Length) -> bool:
    if not isinstance(length, Duration):
        return days.position(due) - days.position(start - 1) < length
    first = shift(due, length, -1) + 1
    return length.unit is not Unit.CALENDAR_DAYS and start > min(days.forward(first), due)


def _overdue(steps: Iterable[ScheduledStep]) -> bool:
    """Return whether one of the steps should have been done; a time that was missed is no step."""
    return any(step.overdue and not is_occurrence(step.step.key) for step in steps)
