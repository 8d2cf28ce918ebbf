"""What section 7 of scheduling.md promises, over generated plans, and the backward pass against a slow reference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from config.calendars import EVERY_DAY, Calendar
from config.durations import Duration, Unit, parse
from config.keys import step_of
from config.project import Countdown, Goal, Link, Origin, Project, RelativeDeadline, Step
from config.source import Source
from sync.reports.warnings import warnings
from sync.schedule.model import Progress, Schedule, ScheduledGoal, State
from sync.schedule.scheduler import schedule
from tests.schedule.reference_scheduler import (
    Dates,
    back,
    count,
    earliest,
    fixed,
    forward,
    leads,
    less,
    limit_of,
    plan,
    plus,
    publish,
    shown,
    simple,
    works,
)
from tests.tiers import examples

DAY = timedelta(days=1)
OFFICE = Calendar(frozenset(range(5)))
ORIGIN = Origin(Source("generated", "goals: []"), ())
DEADLINES = st.integers(0, 800).map(lambda n: date(2027, 1, 1) + timedelta(days=n))

ANY_LENGTH = st.sampled_from(
    [*"111", *"22345800", "12", "1w", "2w", "3w", "1m", "2m", "1y", "1cd", "2cd", "6cd", "1-3-8", "0-1-2 weeks"]
).map(parse)
# Elapsed time between squeezed steps is left to worked examples.
FOLLOWING_CALENDAR = st.sampled_from(["1", "2", "3", "5", "8", "0", "1w", "3w", "1m", "1y", "1-3-8"]).map(parse)
DAYS_OR_NONE = st.sampled_from(["0", "0", "1", "2", "3", "5", "9"]).map(parse)
DAYS = st.sampled_from(["1", "2", "3", "5", "9"]).map(parse)
SHRINKING = st.sampled_from(["1", "2", "3", "5", "9", "1w", "2w", "1m"]).map(parse)
ANY_WAIT = st.sampled_from(
    [None] * 6 + [parse(text) for text in ("0", "1", "3", "-1", "-2", "-6", "1w", "-1w", "1m", "1cd", "3cd", "-2cd")]
)
WORKING_WAITS = st.sampled_from([None] * 6 + [parse(text) for text in ("0", "1", "3", "-1", "-2")])
WAITS = st.sampled_from([None] * 3 + [parse(text) for text in ("1", "4")])
EVERY: st.SearchStrategy[Duration | tuple[str, ...]] = st.sampled_from(
    [*map(parse, ("1", "2", "1w", "2w", "1m", "3cd")), ("mon", "thu"), ("tue",), ("wed", "sat", "sun"), ("fri",)]
)
NO_WAIT: st.SearchStrategy[Duration | None] = st.none()


@st.composite
def calendars(draw: st.DrawFn, *, holidays: bool = True) -> Calendar:
    """Return a calendar: every day, the office's, or one with any weekdays, holidays and ranges off."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return EVERY_DAY
    if kind == 1:
        return OFFICE
    weekdays = draw(st.sampled_from([(0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (2,), (5, 6), (0, 2, 4), tuple(range(7))]))
    if not holidays:
        return Calendar(frozenset(weekdays))
    begins = draw(st.lists(DEADLINES, max_size=3).map(sorted))
    off = tuple((begin, begin + timedelta(days=draw(st.integers(0, 20)))) for begin in begins)
    return Calendar(frozenset(weekdays), draw(st.sampled_from([None, None, "US-NY", "DE-BY"])), off)


@st.composite
def steps(
    draw: st.DrawFn,
    goal: str,
    deadline: date,
    *,
    lengths: st.SearchStrategy[Duration] = ANY_LENGTH,
    waits: st.SearchStrategy[Duration | None] = ANY_WAIT,
    anchors: bool = True,
    most: int = 9,
) -> tuple[Step, ...]:
    """Return steps, each after some of those before it: so the list is its own sequence."""
    made: list[Step] = []
    total = draw(st.integers(1, most))
    for number in range(total):
        chosen = draw(st.sets(st.integers(max(0, number - 3), number - 1), max_size=3)) if number else set()
        links = tuple(Link(made[n].key, draw(waits)) for n in sorted(chosen))
        step = Step(f"{goal}/s{number}", f"Step {number}", ORIGIN, takes=draw(lengths), after=links)
        kind = draw(st.integers(0, 19)) if anchors else 0
        near = timedelta(days=draw(st.integers(0, 70))) if kind >= 14 else timedelta()
        if kind == 14:
            step = replace(step, on=deadline - near)
        elif kind in (15, 16):
            step = replace(step, by=deadline - near)
        elif kind == 17:
            step = replace(step, before=draw(st.sampled_from(["0", "3", "2w", "1m", "5cd"]).map(parse)))
        elif kind == 18:
            step = replace(step, afterwards=draw(st.sampled_from(["0", "1", "3", "1w", "1m", "2cd"]).map(parse)))
        elif kind == 19 and number + 1 < total:
            other = f"{goal}/s{draw(st.integers(number + 1, total - 1))}"
            step = replace(step, before=Countdown(other, draw(st.sampled_from(["0", "2", "1w", "1m"]).map(parse))))
        made.append(step)
    return tuple(made)


@st.composite
def goals(
    draw: st.DrawFn,
    *,
    name: str = "g",
    lengths: st.SearchStrategy[Duration] = ANY_LENGTH,
    waits: st.SearchStrategy[Duration | None] = ANY_WAIT,
    anchors: bool = True,
    holidays: bool = True,
    most: int = 9,
    buffers: bool = True,
) -> Goal:
    """Return one goal."""
    deadline = draw(DEADLINES)
    listed = draw(steps(name, deadline, lengths=lengths, waits=waits, anchors=anchors, most=most))
    buffer = draw(st.sampled_from(["0", "0", "3", "1w", "2cd"] if buffers else ["0"]).map(parse))
    calendar = draw(calendars(holidays=holidays))
    return Goal(name, name, deadline, ORIGIN, steps=listed, sequence=listed, calendar=calendar, buffer=buffer)


def project(*listed: Goal) -> Project:
    """Return a project whose goals are given in sequence."""
    return Project(goals=listed, sequence=listed)


def dates(result: Schedule) -> dict[str, tuple[date | None, date | None]]:
    """Return the start and due of every step."""
    return {key: (step.start, step.due) for key, step in result.steps().items()}


def expected(found: dict[str, Dates]) -> dict[str, tuple[date, date]]:
    """Return the start and due of every step, as the reference has them."""
    return {key: (dates.start, dates.due) for key, dates in found.items()}


def fits(goal: Goal, found: dict[str, Dates]) -> bool:
    """Return whether what stands fixed leaves room for what comes after it, and no limit is undercut."""
    for step in goal.sequence:
        for link in step.after:
            free = found[step.key].free
            latest = less(goal.calendar, free, link.wait) if link.wait else free
            if found[link.key].due > latest:
                return False
    return True


def only(result: Schedule) -> ScheduledGoal:
    """Return the one goal of a schedule."""
    (goal,) = result.goals
    return goal


def long_before(found: dict[str, Dates], days: int) -> date:
    """Return a day before the whole plan."""
    return min(dates.start for dates in found.values()) - timedelta(days=days)


def _sharing(goal: ScheduledGoal) -> list[str]:
    return [warning for warning in warnings(goal) if "share days" in warning]


def _is_stuck(goal: ScheduledGoal) -> bool:
    return any("no working day" in warning for warning in warnings(goal))


# The backward pass


@settings(max_examples=examples(400))
@given(goals(), st.sampled_from([0, 30, 400]))
def test_far_deadlines_like_the_reference(goal: Goal, days: int) -> None:
    found = plan(goal, date.min)
    assume(fits(goal, found))
    today = long_before(found, days + 40)
    result = schedule(project(goal), Progress(), today)
    assert dates(result) == expected(found)
    assert only(result).limit == limit_of(goal)
    assert not any(step.squeezed for step in only(result).steps)
    assert not _sharing(only(schedule(project(goal), publish(result), today + DAY)))


@settings(max_examples=examples(400))
@given(goals(lengths=DAYS_OR_NONE, waits=WAITS, anchors=False), st.integers(0, 30), st.integers(-3, 20))
def test_early_dates_and_slack_like_the_reference(goal: Goal, days: int, start: int) -> None:
    found = plan(goal, date.min)
    # A milestone may share the day on which what follows begins, so the plan may begin on the day after it.
    firsts = [found[s.key].start + (DAY if s.milestone and leads(goal, s) else 0 * DAY) for s in goal.steps]
    today = min(firsts) - timedelta(days=days)
    goal = replace(goal, start=today + timedelta(days=start)) if start < days else goal
    assert simple(goal)
    early = earliest(goal, today)
    result = schedule(project(goal), Progress(), today)
    assert dates(result) == expected(shown(goal, found, today))
    for step in only(result).steps:
        wanted = early[step.step.key]
        assert (step.early_start, step.early_finish) == (wanted.start, wanted.finish)
        assert step.due is not None
        if not step.step.milestone:  # the slack of a milestone also depends on what follows it
            assert step.slack == count(goal.calendar, wanted.finish + DAY, step.due)
    margin = only(result).margin  # the goal is late exactly if one of its steps is
    assert (margin is not None and margin >= 0) == (min(step.slack for step in only(result).steps) >= 0)
    assert not any(step.squeezed for step in only(result).steps)


@settings(max_examples=examples(400))
@given(goals(name="a", lengths=FOLLOWING_CALENDAR), goals(name="b", lengths=FOLLOWING_CALENDAR), st.data())
def test_goals_that_follow_each_other_like_the_reference(first: Goal, second: Goal, data: st.DataObject) -> None:
    # Some steps of b come after some of a; a's deadline may hang on b's.
    if data.draw(st.booleans()):
        first = replace(
            first, deadline=RelativeDeadline("b", data.draw(st.sampled_from(["0", "5", "2w", "1m"]).map(parse)))
        )
    linked = []
    for step in second.steps:
        targets = data.draw(st.sets(st.sampled_from([other.key for other in first.steps]), max_size=1))
        links = tuple(Link(target, data.draw(WAITS)) for target in targets)
        linked.append(replace(step, after=(*step.after, *links)))
    second = replace(second, steps=tuple(linked), sequence=tuple(linked), calendar=first.calendar)
    own = replace(
        second,
        sequence=tuple(
            replace(step, after=tuple(link for link in step.after if link.key.startswith("b/"))) for step in linked
        ),
    )
    later = plan(own, date.min)
    assume(fits(own, later))
    follows = {
        step.key: (later[step.key], [link for link in step.after if link.key.startswith("a/")]) for step in linked
    }
    found = plan(first, date.min, goals=(first, second), later=follows)
    assume(fits(first, found))
    both = {**found, **later}
    for dates_after, between in follows.values():
        for link in between:
            free = less(first.calendar, dates_after.free, link.wait) if link.wait else dates_after.free
            assume(both[link.key].due <= free)
    result = schedule(project(first, second), Progress(), long_before(both, 400))
    assert dates(result) == expected(both)


@settings(max_examples=examples(300))
@given(goals())
def test_no_step_can_be_a_working_day_later(goal: Goal) -> None:
    assume(fits(goal, plan(goal, date.min)))
    result = schedule(project(goal), Progress(), date(2020, 1, 1))
    limit = limit_of(goal)
    placed = result.steps()
    after: dict[str, list[tuple[Step, Link]]] = {step.key: [] for step in goal.steps}
    for step in goal.steps:
        for link in step.after:
            after[link.key].append((step, link))
    for key, scheduled in placed.items():
        step = scheduled.step
        start, due = scheduled.start, scheduled.due
        assert start is not None
        assert due is not None
        assert start <= due
        cd = step.takes is not None and step.takes.unit is Unit.CALENDAR_DAYS
        if step.on is None and not cd:
            assert works(goal.calendar, due)
            assert works(goal.calendar, start)
        if fixed(step):
            continue
        assert due <= limit
        assert step.by is None or due <= step.by
        later = due + DAY if cd else forward(goal.calendar, due + DAY)
        bounds = [limit, *([step.by] if step.by else [])]
        for other, link in after[key]:
            follower = placed[other.key]
            assert follower.start is not None
            assert follower.due is not None
            takes = other.takes or parse("1")
            free = follower.start - DAY
            if takes.amount == 0:
                free = follower.due
            elif takes.unit in (Unit.SPAN_DAYS, Unit.MONTHS) and not cd:
                free = less(goal.calendar, follower.due, takes)
            bounds.append(less(goal.calendar, free, link.wait) if link.wait else free)
        assert due <= min(bounds) < later


@settings(max_examples=examples(300))
@given(
    goals(
        lengths=st.sampled_from(["0", "1", "2", "5", "1w", "3w", "2cd"]).map(parse),
        waits=st.sampled_from([None, None, parse("1"), parse("-1"), parse("1w"), parse("3cd")]),
        anchors=False,
        holidays=False,
    ),
    st.integers(1, 120),
)
def test_moving_the_deadline_by_weeks_moves_every_date_by_weeks(goal: Goal, weeks: int) -> None:
    assert isinstance(goal.deadline, date)
    shift = timedelta(weeks=weeks)
    today = date(2020, 1, 1)
    one = dates(schedule(project(goal), Progress(), today))
    other = dates(schedule(project(replace(goal, deadline=goal.deadline + shift)), Progress(), today))
    assert {key: (start + shift, due + shift) for key, (start, due) in one.items() if start and due} == other


@settings(max_examples=examples(100))
@given(st.lists(st.integers(), min_size=2, max_size=4), st.data(), st.integers(-60, 60))
def test_the_order_of_unrelated_goals_and_steps_does_not_matter(
    listed: list[int], data: st.DataObject, days: int
) -> None:
    several = [
        data.draw(goals(name=f"g{n}", lengths=FOLLOWING_CALENDAR, waits=WORKING_WAITS)) for n in range(len(listed))
    ]
    shuffled = [
        replace(goal, steps=tuple(data.draw(st.permutations(goal.steps))))
        for goal in data.draw(st.permutations(several))
    ]
    today = date(2027, 6, 1) + timedelta(days=days)
    assert dates(schedule(project(*several), Progress(), today)) == dates(
        schedule(project(*shuffled), Progress(), today)
    )


# Milestones


def _with_milestones_in_front(goal: Goal, count: int, key: str = "first") -> Goal:
    """Return the goal with milestones before all that it begins with."""
    made: list[Step] = []
    for number in range(count):
        links = (Link(made[-1].key),) if made else ()
        made.append(Step(f"{goal.id}/{key}{number}", "Begin", ORIGIN, takes=parse("0"), after=links))
    own = {step.key for step in goal.steps}
    heads = {s.key for s in goal.steps if not s.anchored and not any(link.key in own for link in s.after)}
    steps = tuple(
        replace(step, after=(*step.after, Link(made[-1].key))) if step.key in heads else step for step in goal.sequence
    )
    return replace(goal, steps=(*made, *steps), sequence=(*made, *steps))


@settings(max_examples=examples(400))
@given(
    goals(lengths=st.one_of(DAYS_OR_NONE, st.none()), waits=st.one_of(WAITS, WORKING_WAITS)),
    st.integers(-5, 60),
    st.integers(-3, 20),
    st.integers(1, 3),
    st.sampled_from(["squeeze", "squeeze", "keep", "fail"]),
    st.booleans(),
)
def test_milestones_in_front_change_no_date_no_slack_and_no_lateness(
    goal: Goal, days: int, start: int, milestones: int, when_late: str, later: bool
) -> None:
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    goal = replace(goal, start=today + timedelta(days=start), when_late=when_late)
    assume(any(not step.anchored for step in goal.steps))
    with_them = _with_milestones_in_front(goal, milestones)
    plain, result = (schedule(project(one), Progress(), today) for one in (goal, with_them))
    assume(not _is_stuck(only(plain)))  # a shortage is shared by all steps that depend on each other
    if later:  # published plans, on a day after the milestones were ticked
        day = max(min([s.due for s in result.steps().values() if s.due]), today) + 3 * DAY
        ticked = {step.key: min(day, result.steps()[step.key].due or day) for step in with_them.steps[:milestones]}
        plain = schedule(project(goal), publish(plain), day)
        result = schedule(project(with_them), replace(publish(result), done=ticked), day)
    found = result.steps()
    for key, step in plain.steps().items():
        assert (found[key].start, found[key].due, found[key].slack) == (step.start, step.due, step.slack)
        assert (found[key].early_finish, found[key].squeezed) == (step.early_finish, step.squeezed)
    one, other = only(plain), only(result)
    assert (other.margin, other.state, other.earliest_deadline) == (one.margin, one.state, one.earliest_deadline)
    if other.state is not State.MISSED and when_late == "squeeze" and not later:
        for number in range(milestones):
            due = found[f"g/first{number}"].due
            assert due is not None
            assert due >= forward(goal.calendar, max(today, goal.start or today)) or due >= other.limit


# Plans that do not fit


@settings(max_examples=examples(300))
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WORKING_WAITS), st.integers(-20, 200), st.data())
def test_any_plan_on_any_day_is_planned(goal: Goal, days: int, data: st.DataObject) -> None:
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    changed = []
    for step in goal.steps:
        kind = data.draw(st.integers(0, 9))
        if kind == 0 and not fixed(step):
            step = replace(step, takes=None)
        elif kind == 1:
            step = replace(step, not_before=today + timedelta(days=data.draw(st.integers(-10, 40))))
        elif kind == 2:
            step = replace(step, optional=True)
        elif kind == 3:
            step = replace(step, takes=parse("20%"))
        elif kind == 4 and not fixed(step):
            every = data.draw(EVERY)
            step = replace(step, takes=data.draw(st.sampled_from([parse("0"), parse("1"), parse("3cd")])), every=every)
        changed.append(step)
    when_late = data.draw(st.sampled_from(["squeeze", "squeeze", "squeeze", "keep", "fail"]))
    goal = replace(goal, steps=tuple(changed), sequence=tuple(changed), when_late=when_late)
    keys = st.sampled_from([step.key for step in changed])
    near = st.integers(-15, 60).map(lambda n: today + timedelta(days=n))
    past = st.integers(0, 15).map(lambda n: today - timedelta(days=n))
    progress = Progress(
        done=data.draw(st.dictionaries(keys, past, max_size=2)),
        dropped=data.draw(st.frozensets(keys, max_size=1)),
        pins=data.draw(st.dictionaries(keys, near, max_size=2)),
        first_sync=data.draw(st.sampled_from([{}, {"g": today - timedelta(days=9)}])),
    )
    result = schedule(project(goal), progress, today)
    placed = only(result)
    assert {step_of(step.step.key) for step in placed.steps} >= {s.key for s in changed if s.every is None}
    for scheduled in placed.steps:
        assert (scheduled.start is None) == (scheduled.due is None)
        if scheduled.start is None or scheduled.due is None:
            # It was skipped, or its dates no longer count.
            assert scheduled.step.optional or not scheduled.open
            continue
        assert scheduled.start <= scheduled.due
        if scheduled.open and scheduled.step.on is not None and scheduled.step.key not in progress.pins:
            assert scheduled.due == scheduled.step.on
    event(placed.state)
    # A plan is kept on the day it was published, whatever happens.
    again = schedule(project(goal), publish(result, progress), today)
    assert dates(again) == dates(result)
    assert only(again).made == placed.made
    assert [step.squeezed for step in only(again).steps] == [step.squeezed for step in placed.steps]
    assert _sharing(only(again)) == _sharing(placed) or _is_stuck(placed)  # reported on the day of the squeeze


@settings(max_examples=examples(400))
@given(goals(lengths=SHRINKING, waits=NO_WAIT, anchors=False), st.integers(0, 60))
def test_squeezed_plans_stay_between_today_and_the_limit(goal: Goal, days: int) -> None:
    limit = limit_of(goal)
    today = limit - timedelta(days=days)
    found = plan(goal, today)
    first = forward(goal.calendar, today)
    result = schedule(project(goal), Progress(), today)
    placed = result.steps()
    if min(step.start for step in found.values()) >= today and fits_forward(goal, found, today):
        assert dates(result) == expected(found)
        assert not any(step.squeezed for step in placed.values())
    # The longest row of steps needs that many days, for each to have one of its own.
    depth: dict[str, int] = {}
    for step in goal.sequence:
        depth[step.key] = 1 + max((depth[link.key] for link in step.after), default=0)
    enough = max(depth.values()) <= count(goal.calendar, today, limit)
    event("own days" if enough else "shared days")
    for step in goal.sequence:
        start, due = placed[step.key].start, placed[step.key].due
        assert start is not None
        assert due is not None
        assert first <= start <= due <= limit
        assert works(goal.calendar, start)
        assert works(goal.calendar, due)
        for link in step.after:
            before = placed[link.key].due
            assert before is not None
            assert before < start if enough else before <= start


@settings(max_examples=examples(300))
@given(goals(lengths=DAYS, waits=WAITS, anchors=False), st.integers(0, 40))
def test_a_squeezed_plan_keeps_each_wait_or_names_it(goal: Goal, days: int) -> None:
    limit = limit_of(goal)
    result = schedule(project(goal), Progress(), limit - timedelta(days=days))
    assume(not _is_stuck(only(result)))
    placed, told = result.steps(), " ".join(warnings(only(result)))
    for step in goal.steps:
        for link in step.after:
            start, due = placed[step.key].start, placed[link.key].due
            assert start is not None
            assert due is not None
            if link.wait and due > less(goal.calendar, start - DAY, link.wait):
                assert "does not fit" in told
                assert "so that all fits" not in told


def fits_forward(goal: Goal, found: dict[str, Dates], today: date) -> bool:
    """Return whether the plan, counted forward from today, also ends in time: spans round both ways."""
    ends: dict[str, date] = {}
    for step in goal.sequence:
        start = forward(goal.calendar, max([today, *(ends[link.key] + DAY for link in step.after)]))
        takes = step.takes or parse("1")
        if takes.unit is Unit.WORKING_DAYS:
            ends[step.key] = plus(goal.calendar, start, replace(takes, amount=takes.amount - 1))
        else:
            ends[step.key] = forward(goal.calendar, plus(goal.calendar, start, takes) - DAY)
        if ends[step.key] > found[step.key].due:
            return False
    return True


@settings(max_examples=examples(300))
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), calendars(), DEADLINES, st.integers(0, 80))
def test_a_squeezed_chain_has_proportional_lengths(
    lengths: list[int], calendar: Calendar, deadline: date, days: int
) -> None:
    # One factor for the stretch, exact fractions, only the due dates rounded down, a day each while there are enough.
    chain: list[Step] = []
    for number, length in enumerate(lengths):
        links = (Link(chain[-1].key),) if chain else ()
        chain.append(Step(f"g/s{number}", "s", ORIGIN, takes=parse(str(length)), after=links))
    goal = Goal("g", "g", deadline, ORIGIN, steps=tuple(chain), sequence=tuple(chain), calendar=calendar)
    limit = limit_of(goal)
    today = limit - timedelta(days=days)
    room = count(calendar, today, limit)
    assume(len(lengths) <= room < sum(lengths))
    result = only(schedule(project(goal), Progress(), today))
    dues = [step.due for step in result.steps]
    assert all(dues)
    positions = [count(calendar, today, due) for due in dues if due]
    assert positions[-1] == room
    assert positions == sorted(set(positions))
    assert all(
        step.squeezed
        for step in result.steps
        if step.start
        and step.due
        and step.step.takes
        and count(calendar, step.start, step.due) < step.step.takes.amount
    )
    if all(length * room >= sum(lengths) for length in lengths):
        exact = [sum(lengths[: n + 1]) * room // sum(lengths) for n in range(len(lengths))]
        assert positions == exact


# Published plans


@settings(max_examples=examples(300))
@given(goals(lengths=FOLLOWING_CALENDAR, waits=WORKING_WAITS), st.integers(0, 90), st.integers(0, 400))
def test_a_published_plan_stands_while_it_can_be_kept(goal: Goal, days: int, passed: int) -> None:
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    result = schedule(project(goal), Progress(), today)
    progress = publish(result)
    dues = [step.due for step in result.steps().values() if step.due]
    # Before anything is due nothing can be overdue, so the plan can be kept.
    later = min(today + timedelta(days=passed), *dues, goal.deadline)
    assume(later >= today)
    again = schedule(project(goal), progress, later)
    assert dates(again) == dates(result)
    assert publish(again, progress) == progress


def day_of(goal: Goal) -> date:
    """Return the deadline of a goal that hangs on no other."""
    assert isinstance(goal.deadline, date)
    return goal.deadline


def _health(result: Schedule) -> list[tuple[object, ...]]:
    """Return what is said of each goal, and of each of its open steps."""
    steps = [[(s.step.key, s.start, s.due, s.slack) for s in goal.steps if s.open] for goal in result.goals]
    said = [(goal.state, goal.margin, goal.earliest_deadline) for goal in result.goals]
    return [*zip(said, steps, strict=True)]


@settings(max_examples=examples(90))
@given(
    goals(name="a", lengths=st.one_of(ANY_LENGTH, st.none())),
    goals(name="b", lengths=st.one_of(ANY_LENGTH, st.none())),
    st.integers(0, 90),
    st.sampled_from(["squeeze", "keep"]),
    st.data(),
)
def test_a_plan_that_was_published_is_as_late_as_it_was_before(
    first: Goal, second: Goal, days: int, late: str, data: st.DataObject
) -> None:
    """Whether it is the first one, or one of a later day, with steps that have begun, are done, reopened or pinned."""
    number, key = data.draw(st.integers(0, len(second.steps) - 1)), data.draw(st.sampled_from(first.steps)).key
    listed = list(second.steps)
    if data.draw(st.booleans()):
        listed[number] = replace(listed[number], after=(*listed[number].after, Link(key)))
    one = replace(first, when_late=late)
    other = replace(second, when_late=late, steps=tuple(listed), sequence=tuple(listed))
    deadline = day_of(one)
    today, progress = min(deadline, day_of(other)) - days * DAY, Progress()
    for _ in range(3):
        before = schedule(project(one, other), progress, today)
        progress = publish(before, progress)
        after = schedule(project(one, other), progress, today)
        assert _health(after) == _health(before)
        assert publish(after, progress) == progress
        today += data.draw(st.integers(0, 20)) * DAY
        deadline += data.draw(st.sampled_from([0, 1, 3, 9, -5])) * DAY
        one = replace(one, deadline=deadline)
        kept = [step for step in before.steps().values() if step.open and step.due]
        ticked = {s.step.key: today for s in kept if data.draw(st.integers(0, 3)) == 0}
        pins = {s.step.key: today + 5 * DAY for s in kept if data.draw(st.integers(0, 9)) == 0}
        done = {key: day for key, day in progress.done.items() if data.draw(st.integers(0, 3))} | ticked
        kept_pins = {key: day for key, day in {**progress.pins, **pins}.items() if key not in done}
        progress = replace(progress, done=done, pins=kept_pins)


@settings(max_examples=examples(120))
@given(goals(lengths=st.one_of(FOLLOWING_CALENDAR, st.none()), waits=WORKING_WAITS), st.integers(0, 90), st.data())
def test_ticking_in_time_changes_no_other_date(goal: Goal, days: int, data: st.DataObject) -> None:
    assert isinstance(goal.deadline, date)
    today = goal.deadline - timedelta(days=days)
    moved = data.draw(st.sets(st.sampled_from([step.key for step in goal.steps]), max_size=2))
    pins = {key: today + timedelta(days=data.draw(st.integers(0, 60))) for key in sorted(moved)}
    result = schedule(project(goal), Progress(pins=pins), today)
    first = dates(result)
    progress = publish(result, Progress(pins=pins))
    order = sorted(result.steps().values(), key=lambda step: (step.due or date.max, step.step.key))
    for step in order:
        if step.due is None or step.due > goal.deadline:
            continue
        early = timedelta(days=data.draw(st.integers(0, 3)))
        today = max(today, step.due - early)
        assume(today <= step.due)
        # A done step has no pin.
        open_pins = {key: day for key, day in progress.pins.items() if key != step.step.key}
        progress = replace(progress, done={**progress.done, step.step.key: today}, pins=open_pins)
        again = schedule(project(goal), progress, today)
        still_open = {key: when for key, when in dates(again).items() if key not in progress.done}
        assert still_open == {key: when for key, when in first.items() if key not in progress.done}
        progress = publish(again, progress)
        assert schedule(project(goal), progress, today) == again


@settings(max_examples=examples(400))
@given(goals(lengths=DAYS, waits=NO_WAIT, anchors=False), st.integers(0, 40), st.integers(1, 60))
def test_whatever_the_day_a_replanned_plan_is_kept_the_same_day(goal: Goal, days: int, passed: int) -> None:
    # The user ticks nothing: steps become overdue, those after them are squeezed; each such plan is kept on its day.
    assert isinstance(goal.deadline, date)
    today = long_before(plan(goal, date.min), days)
    result = schedule(project(goal), Progress(), today)
    before = dates(result)
    progress = publish(result)
    day = today
    while day <= min(goal.deadline, today + timedelta(days=passed)):
        day += timedelta(days=3)
        result = schedule(project(goal), progress, day)
        if only(result).state is State.MISSED:
            assert dates(result) == before
            break
        for key, (start, due) in dates(result).items():
            # An overdue step keeps its date; what moves, moves to today or later.
            assert start is not None
            assert due is not None
            assert (start, due) == before[key] or due >= day
        progress = publish(result, progress)
        again = schedule(project(goal), progress, day)
        assert dates(again) == dates(result)
        assert only(again).made == only(result).made
        before = dates(result)


# Flexible steps


@settings(max_examples=examples(300))
@given(
    goals(lengths=st.one_of(DAYS, st.none(), st.none()), waits=WAITS, anchors=False, most=6),
    st.integers(0, 120),
)
def test_flexible_steps_grow_together(goal: Goal, days: int) -> None:
    flexible = [step for step in goal.steps if step.takes is None]
    assume(flexible)
    limit = limit_of(goal)
    today = limit - timedelta(days=days)

    def fitting(lengths: dict[str, int]) -> bool:
        days = {key: parse(str(length)) for key, length in lengths.items()}
        steps = tuple(replace(step, takes=step.takes or days[step.key]) for step in goal.sequence)
        early = earliest(replace(goal, sequence=steps, steps=steps), today)
        return all(early[step.key].finish <= limit for step in steps)

    # All grow by a day while that fits; then those that are stopped keep their length and the others go on.
    lengths = {step.key: 1 for step in flexible}
    assume(fitting(lengths))
    growing = list(lengths)
    while growing:
        tried = {key: length + (key in growing) for key, length in lengths.items()}
        if fitting(tried):
            lengths = tried
            continue
        # Steps on a chain that has become too long stop here.
        steps = tuple(replace(step, takes=step.takes or parse(str(tried[step.key]))) for step in goal.sequence)
        long = replace(goal, sequence=steps, steps=steps)
        early, late = earliest(long, today), plan(long, today)
        growing = [key for key in growing if early[key].finish <= late[key].due]
    found = plan(goal, today, flexible=lengths)
    assert dates(schedule(project(goal), Progress(), today)) == expected(found)


def test_the_reference_knows_the_worked_case() -> None:
    lengths = ["1", "1", "1w", "4", "5", "5"]
    chain: list[Step] = []
    for number, length in enumerate(lengths):
        links = (Link(chain[-1].key),) if chain else ()
        chain.append(Step(f"g/s{number}", "s", ORIGIN, takes=parse(length), after=links))
    goal = Goal("g", "g", date(2025, 8, 15), ORIGIN, steps=tuple(chain), sequence=tuple(chain))
    found = [(dates.start.isoformat(), dates.due.isoformat()) for dates in plan(goal, date(2025, 1, 1)).values()]
    assert list(reversed(found)) == [
        ("2025-07-24", "2025-07-24"),
        ("2025-07-25", "2025-07-25"),
        ("2025-07-26", "2025-08-01"),
        ("2025-08-02", "2025-08-05"),
        ("2025-08-06", "2025-08-10"),
        ("2025-08-11", "2025-08-15"),
    ]
    assert back(OFFICE, date(2025, 8, 17)) == date(2025, 8, 15)
