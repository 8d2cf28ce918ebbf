"""Plans goals from the last one back, each against the unsqueezed starts of what comes after it."""

from __future__ import annotations

from collections import defaultdict
from copy import copy
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import takewhile
from math import floor
from typing import TYPE_CHECKING

from config.project import RelativeDeadline
from sync.schedule import between_goals, milestones
from sync.schedule.backward_pass import Constraints, GoalWindow, LatestDates, StepGraph
from sync.schedule.digest import is_same_timing, timing_digest, was_pinned
from sync.schedule.forward_pass import Forward, early_ends
from sync.schedule.goal_plan import GoalPlan
from sync.schedule.known_days import KnownDays
from sync.schedule.model import Progress
from sync.schedule.occurrences import series
from sync.schedule.squeeze import Floors, Growth, Squeeze
from sync.schedule.working_days import WorkingDays, naming_goal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from config.calendars import Calendar
    from config.project import Goal, Project
    from sync.schedule.backward_pass import Length
    from sync.schedule.model import Published
    from sync.schedule.occurrences import Series


_date = lru_cache(maxsize=1 << 12)(date.fromordinal)  # one object for each day, however many steps have it


class Planner(KnownDays):
    """The state of one call of `schedule`: what has been planned so far, from the last goal back.

    `due_of` holds the due days of steps as the pass alone gives them, `outside` the last day that other goals leave a
    step, `loosest` the same where steps that grow have the least they may, `followers` the steps of other goals that
    come after it, `steps` every step by its key, `deadlines` the day of each goal. `ends` holds the day after which
    what follows a step may begin, once all goals have been planned; `ends_defined` and `ends_today` the same for what
    other goals must leave a step while they grow, by the definition and from today on.
    """

    def __init__(self, project: Project, progress: Progress, today: date) -> None:
        """Begin with nothing planned."""
        self.project = project
        self.progress = progress
        self.today = today
        self.day = today.toordinal()
        self.date = _date
        self.planned: dict[str, GoalPlan] = {}
        self._calendars: dict[Calendar, WorkingDays] = {}
        self.due_of: dict[str, int] = {}
        self.outside: dict[str, int] = {}
        self.loosest: dict[str, int] = {}
        self.followers: defaultdict[str, list[str]] = defaultdict(list)
        self.steps = {step.key: step for goal in project.goals for step in goal.steps}
        self.ends: Mapping[str, int] = {}
        self.ends_defined: dict[str, int] = {}
        self.ends_today: Mapping[str, int] = {}
        self.deadlines: dict[str, int] = {}
        self.hung_on = {g.deadline.goal for g in project.goals if isinstance(g.deadline, RelativeDeadline)}
        for goal in reversed(project.sequence):
            with naming_goal(goal):
                self.deadlines[goal.id] = self._deadline(goal)

    def days(self, calendar: Calendar) -> WorkingDays:
        """Return a calendar's numbered working days, the same for every goal that uses it."""
        if calendar not in self._calendars:
            self._calendars[calendar] = WorkingDays(calendar, self.today)
        return self._calendars[calendar]

    def plan_all(self) -> None:
        """Plan every goal, from the last one back; once more where what grows has to leave other goals their time."""
        self._plan_backwards()
        if followed := between_goals.followed(self.project):
            plans = [self.planned[goal.id] for goal in self.project.sequence if goal.id in followed]
            self._define_ends(plans)
            self.ends_today = early_ends(self.progress, self.today, self.deadlines, plans)
            self._forget()
            self._plan_backwards()

    def _define_ends(self, plans: Iterable[GoalPlan]) -> None:
        """Find out when the steps of goals end by the definition, if no other goal came after any of them."""
        for planned in plans:
            network = planned.network
            with naming_goal(planned.goal):
                lengths = self._grown(network, network.lengths(), planned.growing, {})
                alone = between_goals.alone(planned, lengths, self.due_of, self.outside.keys())
                forward = Forward(Progress(), self.date(network.frame.start), self.deadlines, self.ends_defined)
                forward.early(network, alone)

    def _plan_backwards(self) -> None:
        for goal in reversed(self.project.sequence):
            with naming_goal(goal):
                self.plan(goal)

    def _forget(self) -> None:
        """Forget what planned goals leave those before them."""
        self.outside, self.loosest, self.due_of, self.followers = {}, {}, {}, defaultdict(list)

    def plan(self, goal: Goal) -> None:
        """Plan one goal. Those that come after it must have been planned."""
        frame = self.frame(goal)
        network = StepGraph(goal, frame)
        written = network.lengths()
        pins = {i: self.progress.pins[key].toordinal() for i, key in network.among(self.progress.pins.keys())}
        outside, loosest = network.by_index(self.outside), network.by_index(self.loosest)
        growing = frozenset(i for i, length in enumerate(written) if length is None)
        lengths = self._grown(network, written, growing, outside)
        published = self.progress.published.get(goal.id)
        digest = timing_digest(network, lengths, pins, outside, self.progress)
        ticked = self._ticked_pins(network, published)
        kept = timing_digest(network, lengths, pins | ticked, outside, self.progress) if ticked else digest
        stands = published is not None and is_same_timing(published.digest, kept)
        if published and stands:
            digest = published.digest
        else:
            ticked = {}
        terms = Constraints(pins | ticked, frozenset(), outside, self.due_of)
        defined = network.latest(lengths, terms)
        self._pass_on(network, defined, _at_least(network, lengths, growing, terms, loosest) or defined)
        repeating = {
            i: series(network.steps[i], frame.days, self.progress, published, self.day) for i in network.repeating
        }
        gone = self._gone(network, defined, repeating, stands=stands)
        latest = network.latest(lengths, replace(terms, gone=gone)) if gone else defined
        starts, dues, missed = network.starts(latest), latest.due[:], frame.deadline < self.day
        planned = GoalPlan(
            goal, network, defined, latest, lengths, pins, gone, self.today, digest, starts, dues, missed, outside
        )
        planned.repeating, planned.growing = repeating, growing
        planned.sharing = self._sharing(network, gone, self.progress.pins)
        if published and stands and self._covers(planned, published):
            self._stand(planned, published, outside)
        else:
            self._anew(planned, published, loosest)
        terms = Constraints(planned.fixed, gone | planned.given_way, planned.outside, self.due_of)
        planned.least = _at_least(network, lengths, growing - terms.gone, terms, loosest) or planned.plan
        self.planned[goal.id] = planned

    def _ticked_pins(self, network: StepGraph, published: Published | None) -> dict[int, int]:
        """Return the days of done steps that were pinned in the published plan: a tick moves no date of the others."""
        if published is None:
            return {}
        return {
            i: published.dates[key][1].toordinal()
            for i, key in network.among(self.progress.done.keys() & published.dates.keys())
            if was_pinned(published.digest, key)
        }

    def _gone(
        self, network: StepGraph, defined: LatestDates, repeating: Mapping[int, Series], *, stands: bool
    ) -> frozenset[int]:
        """Return the steps that have left the plan: done, dropped, or done as often as they repeat.

        stands: the occurrences are those of the published plan, and not those that `defined` has room for.
        """
        left = (self.progress.done.keys(), self.progress.dropped)
        gone = {i for keys in left for i, _ in network.among(keys)}
        if not repeating:
            return frozenset(gone)
        if network.goal.id in self.progress.done:
            gone |= repeating.keys()
        starts = network.starts(defined)
        for i in repeating.keys() - gone:
            if repeating[i].is_over(None if stands else (starts[i], defined.due[i])):
                gone.add(i)
        return frozenset(gone)

    def frame(self, goal: Goal) -> GoalWindow:
        """Return what a goal's pass stands in."""
        return self.frame_at(goal, self.deadlines[goal.id])

    def frame_at(self, goal: Goal, deadline: int) -> GoalWindow:
        """Return what a goal's pass stands in, if the goal had this deadline."""
        days = self.days(goal.calendar)
        limit = days.back(days.before(days.back(deadline), goal.buffer))
        start = goal.start or self.progress.first_sync.get(goal.id) or self.today
        return GoalWindow(days, deadline, limit, start.toordinal())

    def _grown(
        self,
        network: StepGraph,
        written: Sequence[Length | None],
        flexible: frozenset[int],
        outside: Mapping[int, int],
    ) -> list[Length]:
        """Return the lengths with flexible steps grown from the definition alone: no progress, no pins."""
        lengths = [network.least(i) if length is None else length for i, length in enumerate(written)]
        if not flexible:
            return lengths
        frame, terms = network.frame, Constraints({}, frozenset(), outside, self.due_of)
        low = frame.start - 1
        latest = network.latest(lengths, terms)
        fixed = network.anchored_days(latest)
        floors = self.floors(network, frozenset(), fixed, low, progress=False).with_those_of(
            self.floors_of(network, network.countdowns, fixed, low, progress=False)
        )
        floors = between_goals.floors_after(network, floors, self.ends_defined)
        most = max(1, frame.days.position(frame.limit) - frame.days.position(low))
        Growth(network, lengths, latest, terms, floors, most).grow(flexible)
        return lengths

    def _deadline(self, goal: Goal) -> int:
        """Return the deadline of a goal as written; that of the goal that it hangs on must be known."""
        if isinstance(goal.deadline, RelativeDeadline):
            return self.days(goal.calendar).before(self.deadlines[goal.deadline.goal], goal.deadline.by)
        return goal.deadline.toordinal()

    def _pass_on(self, network: StepGraph, latest: LatestDates, least: LatestDates) -> None:
        """Tell the goals that are planned after this one where its steps begin, by the unsqueezed passes."""
        days = network.frame.days
        self.due_of.update(zip(network.index, latest.due, strict=True))
        for i, link in network.elsewhere:
            for result, limits in ((latest, self.outside), (least, self.loosest)):
                day = network.day_before_start(result, i)
                if link.wait:
                    day = days.before(day, link.wait)
                limits[link.key] = min(day, limits.get(link.key, day))
            self.followers[link.key].append(network.steps[i].key)

    # A plan that stands

    def _covers(self, planned: GoalPlan, published: Published) -> bool:
        """Return whether the published plan has dates for every open step; a reopened or new one wants a new plan."""
        return all(
            i in planned.gone or s.key in published.dates or s.optional or (s.every and planned.repeating[i].published)
            for i, s in enumerate(planned.network.steps)
        )

    def _stand(self, planned: GoalPlan, published: Published, outside: Mapping[int, int]) -> None:
        """Keep the published dates; where they can no longer be kept, squeeze what follows the overdue steps."""
        planned.standing, planned.made = True, published.made
        self._take_published(planned, published, range(len(planned.network.steps)))
        stretches = {i: known.stretch for i, known in planned.repeating.items() if known.published}
        for i, (start, due) in stretches.items():
            planned.starts[i], planned.dues[i] = start.toordinal(), due.toordinal()
        planned.given_way = frozenset(
            i
            for i, step in enumerate(planned.network.steps)
            if step.optional and i not in planned.gone and i not in stretches and step.key not in published.dates
        )
        # A plan of today has taken today into account, whatever room it found.
        if planned.missed or planned.goal.when_late != "squeeze" or published.made == self.today:
            return
        reserved, broken = self._reserve(planned)
        if not broken:
            return
        anchors = planned.network.anchors
        followers = frozenset(i for i in reserved if planned.dues[i] >= self.day) - planned.fixed.keys() - anchors
        fixed = {i: planned.dues[i] for i in range(len(planned.network.steps)) if i not in followers}
        days = planned.network.frame.days
        kept = self.floors(planned.network, planned.gone | set(fixed), fixed, self.day - 1)
        for i in kept.begin:
            for before, wait in planned.network.previous[i]:
                if before in reserved and before not in followers:
                    day = days.day(reserved[before])
                    kept.begin[i] = max(kept.begin[i], days.position(days.after(day, wait) if wait else day))
        stood = planned.dues[:]
        terms = Constraints(fixed, planned.gone | planned.given_way, outside, self.due_of)
        lengths = _grown_anew(planned, kept, followers - terms.gone, terms)
        self._squeeze(planned, lengths, kept, terms, followers)
        milestones.show(planned, kept, self.first_day(planned.goal))
        if planned.dues != stood:
            planned.made, planned.renewed = self.today, followers

    @staticmethod
    def _take_published(planned: GoalPlan, published: Published, indices: Iterable[int]) -> None:
        """Give steps the dates that were published, where they have any."""
        for i in indices:
            if (dates := published.dates.get(planned.network.steps[i].key)) is not None:
                planned.starts[i], planned.dues[i] = (day.toordinal() for day in dates)

    def _reserve(self, planned: GoalPlan) -> tuple[dict[int, int], bool]:
        """Give each overdue step, and each open one that follows one, a working day of its own from today on.

        Milestones need none. Returns the position on which each of them can end at the earliest, and whether one of
        them would then miss its published due date.
        """
        network, days = planned.network, planned.network.frame.days
        today = days.position(self.day - 1)
        reserved: dict[int, int] = {}
        broken = False
        for i in range(len(network.steps)):
            if i in planned.gone or i in planned.given_way:
                continue
            earliest = [
                days.position(days.after(days.day(reserved[before]), wait)) if wait else reserved[before]
                for before, wait in network.previous[i]
                if before in reserved
            ]
            overdue = planned.dues[i] < self.day and not network.steps[i].follow_up
            if not earliest and not overdue:
                continue
            reserved[i] = max([today, *earliest]) + (0 if network.steps[i].milestone else 1)
            broken |= not overdue and days.position(planned.dues[i]) < reserved[i]
        return reserved, broken

    # A plan computed anew

    def _anew(self, planned: GoalPlan, published: Published | None, loosest: Mapping[int, int]) -> None:
        """Plan from the deadline back; where that does not fit between today and the limit, do as `when_late` says."""
        goal, planned.renewed = planned.goal, frozenset(planned.repeating)
        if published and (published.made, published.digest) == (self.today, planned.digest):
            # Made twice on one day, it stays one plan: what it says of steps that are done by now is part of it.
            self._take_published(planned, published, planned.gone)
        if planned.missed or goal.id in self.progress.done:
            return
        fixed = {**planned.network.anchored_days(planned.plan), **planned.fixed}
        floors = self.floors_from_today(planned, planned.network, fixed, published)
        self._shorten(planned, floors, fixed, loosest)
        milestones.show(planned, floors, self.first_day(goal))

    def _shorten(self, planned: GoalPlan, floors: Floors, fixed: Mapping[int, int], loosest: Mapping[int, int]) -> None:
        """Let the steps that grow give back what does not fit from today on; what then is too long, is late.

        Those of this goal come first, and then those of other goals that follow it: `loosest` has what they leave at
        their least. Countdowns are no reason to squeeze what has a length: they keep theirs, and their distance.
        """
        network, steps = planned.network, range(len(planned.network.steps))
        countdowns = network.countdowns - planned.gone - planned.fixed.keys()
        held = floors.with_those_of(self.floors_of(network, countdowns, fixed, self.first_day(planned.goal) - 1))
        if planned.growing:
            held = between_goals.floors_after(network, held, self.ends_today)
        if not held.worst(planned.plan, steps):
            return
        movable = frozenset(floors.begin) | frozenset(floors.end)
        wide = between_goals.widened(network, planned.outside, loosest, self.ends_today)
        for outside in (planned.outside, wide) if wide != planned.outside else (wide,):
            terms = Constraints(planned.fixed, planned.gone, outside, self.due_of)
            lengths = _grown_anew(planned, held, movable, terms)
            plan = network.latest(lengths, terms)
            if not floors.worst(plan, steps):
                planned.take(plan, movable | countdowns)
                planned.outside = outside
                return
        if planned.goal.when_late == "fail":
            planned.failed = True
        elif planned.goal.when_late == "squeeze":
            planned.outside = wide
            self._squeeze(planned, lengths, floors, terms, movable)

    def first_day(self, goal: Goal) -> int:
        """Return the day before which nothing of the goal can begin."""
        return max(self.day, goal.start.toordinal() if goal.start else self.day)

    def floors_from_today(
        self, planned: GoalPlan, network: StepGraph, fixed: Mapping[int, int], published: Published | None
    ) -> Floors:
        """Return what a plan made today has to keep; for a step that has begun it is enough not to end before today.

        `fixed` holds the due days of what is fixed, by index.
        """
        days = network.frame.days
        floors = self.floors(network, planned.gone, fixed, self.first_day(planned.goal) - 1)
        begun = self.begun(planned, published) & floors.begin.keys()
        return floors.of_begun(begun, days.position(days.forward(self.day)))

    def with_deadline(self, goal: Goal, deadline: int, *, loose: bool = False) -> Planner:
        """Return the planner in which one goal has another deadline, and so have the goals that hang on it.

        loose: no step of the goal waits for those.
        """
        hanging = self.hanging(goal)
        if not hanging:
            return self
        other = copy(self)
        other.deadlines, other.ends, other.planned = {}, {}, dict(self.planned)
        other._forget()
        backwards = list(reversed(self.project.sequence))
        for one in backwards:
            other.deadlines[one.id] = deadline if one.id == goal.id else other._deadline(one)
        for one in takewhile(lambda one: one.id != goal.id, backwards):
            other.plan(one)
        if loose:
            other.deadlines.update({goal_id: min(self.day, other.deadlines[goal_id]) for goal_id in hanging})
        other.ends = early_ends(
            self.progress, self.today, other.deadlines, (other.planned[one.id] for one in self.project.sequence)
        )
        return other

    def hanging(self, goal: Goal) -> set[str]:
        """Return the goals whose deadline moves with that of this one."""
        found = {goal.id}
        for other in reversed(self.project.sequence) if goal.id in self.hung_on else ():
            if isinstance(other.deadline, RelativeDeadline) and other.deadline.goal in found:
                found.add(other.id)
        return found - {goal.id}

    def begun(self, planned: GoalPlan, published: Published | None) -> frozenset[int]:
        """Return the steps whose published start has come, with all they follow done; no milestone is under way."""
        if published is None:
            return frozenset()
        network = planned.network
        return frozenset(
            i
            for i, step in enumerate(network.steps)
            if (start := self._published_start(planned, published, i)) is not None
            and start <= self.today
            and not step.milestone
            and all(before in planned.gone for before, _ in network.previous[i])
        )

    @staticmethod
    def _published_start(planned: GoalPlan, published: Published, i: int) -> date | None:
        if i in planned.repeating:
            return planned.repeating[i].stretch[0] if planned.repeating[i].published else None
        dates = published.dates.get(planned.network.steps[i].key)
        return dates[0] if dates else None

    def _squeeze(
        self,
        planned: GoalPlan,
        lengths: Sequence[Length],
        floors: Floors,
        terms: Constraints,
        movable: frozenset[int],
    ) -> None:
        """Shrink what does not fit; optional steps give way before a step goes under a day of its own."""
        network = planned.network
        # The sequence follows the links; "the last listed" is the file's order.
        places = {step.key: place for place, step in enumerate(planned.goal.steps) if step.optional}
        optional = {i: places[key] for i, key in network.among(places.keys())}
        squeeze = Squeeze(network, lengths, terms, floors, movable - terms.gone, optional)
        planned.squeezed = squeeze.shrink()
        planned.given_way = planned.squeezed.gone - planned.gone
        planned.take(squeeze.latest, movable | network.countdowns - terms.gone - terms.fixed.keys())
        if planned.squeezed.stuck:
            self._lift(planned, floors)

    def _lift(self, planned: GoalPlan, floors: Floors) -> None:
        """Put what has no day left for it on the first that it could have: never in the past, nor after the limit."""
        days = planned.network.frame.days
        last = max(planned.network.frame.limit, days.forward(self.day))
        for i, begin in floors.begin.items():
            reached = days.day(floor(begin) + (1 if planned.lengths[i] else 0))
            first = min(last, max(reached, days.forward(self.first_day(planned.goal))))
            planned.starts[i] = max(planned.starts[i], first)
            planned.dues[i] = max(planned.dues[i], first)


def _at_least(
    network: StepGraph,
    lengths: Sequence[Length],
    growing: Set[int],
    terms: Constraints,
    loosest: Mapping[int, int],
) -> LatestDates | None:
    """Return the pass in which what grows, here and in other goals, has the least it may; None where nothing does.

    So late could every step be.
    """
    if not growing and loosest == terms.outside:
        return None
    least = [network.least(i) if i in growing else length for i, length in enumerate(lengths)]
    return network.latest(least, replace(terms, outside=loosest))


def _grown_anew(planned: GoalPlan, floors: Floors, movable: frozenset[int], terms: Constraints) -> Sequence[Length]:
    """Return the lengths with those of the steps that grow set to what today leaves them, and no longer."""
    network, growing = planned.network, movable & floors.begin.keys() & planned.growing
    if not growing:  # one that has begun keeps its length
        return planned.lengths
    grown = [network.least(i) if i in growing else length for i, length in enumerate(planned.lengths)]
    days = network.frame.days
    most = days.position(network.frame.limit) - days.position(network.frame.start - 1)
    Growth(network, grown, network.latest(grown, terms), terms, floors, max(1, most)).grow(growing)
    return [
        min(length, new) if i in growing else length  # type: ignore[type-var]  # what grows has whole days
        for i, (length, new) in enumerate(zip(planned.lengths, grown, strict=True))
    ]
