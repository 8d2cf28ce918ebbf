"""What becomes of runs in a life: faults, races, and the clean run after which everything must be at rest."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from config.errors import RefusedError
from config.keys import HEARTBEAT, is_group, is_occurrence, step_of
from sync.reconcile.present import COMPANY
from sync.schedule.model import State
from tests.histories.choices import registrar
from tests.histories.expectations import keys_of, promise
from tests.histories.person_events import edit_title, tick, touch
from tests.histories.service import READ_FAULTS, WRITE_FAULTS

if TYPE_CHECKING:
    from tests.histories.choices import Events, Luck
    from tests.histories.expectations import App
    from tests.histories.process import Run
    from tests.histories.world import Life


EVENTS: Events = {}
event = registrar(EVENTS)
AGAIN = "there is a memory that was not found at first"


@event(3)
def time_passes(life: Life, luck: Luck) -> str | None:
    """Let some days pass; or one day less, where the next run's clock is behind."""
    days = luck.below(13) or -1
    life.today += timedelta(days)
    return f"{days} days pass"


@event(1)
def plan_only(life: Life, _: Luck) -> str | None:
    """Plan, and write nothing."""
    before = [app.service.state() for app in life.apps]
    with suppress(RefusedError):  # where the run itself will be refused, until a person has agreed
        life.run(write=False)
    promise([app.service.state() for app in life.apps] == before, "a plan wrote something")
    return "plan"


@event(6)
def faulty_sync(life: Life, luck: Luck) -> str | None:
    """Run while something goes wrong with one request."""
    app = luck.of(life.apps)
    at = luck.below(app.service.kind.requests)
    fault = luck.of(READ_FAULTS if at == 0 else WRITE_FAULTS)
    if at == 0 and fault in READ_FAULTS[3:] and (app.service.kind.atomic or app.service.forgot):
        return None  # a file is read whole or not at all, and without ids no promise outlives a list that lies
    life.sync_with(app, at, fault)
    return f"sync; request {at + 1} to {app.name}: {fault.value}"


@event(1)
def sync_with_one_app_unreadable(life: Life, luck: Luck) -> str | None:
    """Run while one app does not answer."""
    app = luck.of(life.apps)
    app.service.unreadable = True
    life.faults += 1
    with suppress(RefusedError):
        writes = {change.key for plan in life.run().plans for change in plan.writes}
        written = {key for key in writes if step_of(key) in keys_of(life.project) and app.holds(key)}
        promise(app.retired or not written, f"{written} was written though an app that holds it was not read")
    app.service.heal()
    life.expected.interrupted()
    return f"sync; {app.name} does not answer"


@event(1)
def sync_with_a_place_archived(life: Life, luck: Luck) -> str | None:
    """Run while a place with tasks is archived: nothing in it changes, and nothing is made anew elsewhere."""
    app = luck.of(life.apps)
    place = luck.below(app.service.kind.places)
    named = {life.places.get(goal.id, 0) for goal in life.project.goals if app.holds(goal.id)}
    hidden = {native_id: held for native_id, held in app.service.tasks.items() if held.place == place}
    if app.service.kind.places == 1 or place not in named or app.retired or not hidden:
        return None
    if not app.service.can_archive(place):
        return None  # the goals of one that the file does not name any more begin anew in another one
    app.service.archive_place(place)
    made = app.ours().keys()
    with suppress(RefusedError):
        life.run()
    same = all(app.service.tasks.get(native_id) == held for native_id, held in hidden.items())
    promise(same, f"what was archived in place {place} of {app.name} was changed")
    keys = {key for one, (key, _) in app.ours().items() if one not in made}
    known = {app.ours()[one][0] for one in hidden if one in app.ours()}
    promise(not keys & known, f"{keys & known} was made anew, because it was archived")
    app.service.archive_place(place, archived=False)
    life.expected.interrupted()
    return f"{app.name}: sync while place {place} is archived"


@event(1)
def lose_memory(life: Life, luck: Luck) -> str | None:
    """Lose the memory in one app: nothing is written until a person has a new one made from the tasks."""
    app = luck.of(life.apps)
    if not life.expected.settled or not _finds(app) or not app.service.memories(life.project.namespace):
        return None
    app.service.lose_memory(life.project.namespace)
    app.adopt_copies()
    before = [other.service.state() for other in life.apps]
    try:
        life.run()
    except RefusedError:
        promise([other.service.state() for other in life.apps] == before, "a refused run wrote something")
    else:
        promise(False, f"{app.name} has lost its memory, and the run did not stop")
    life.run(rebuild=True)
    life.versions = [life.project]  # what an older one called its steps is not known any more
    life.expected.restored(keys_of(life.project))
    return f"{app.name}: its memory is lost, and made anew from the tasks"


@event(1)
def change_namespace(life: Life, _: Luck) -> str | None:
    """Run once with another namespace in the file: nothing is written."""
    keys = keys_of(life.project)
    if not life.expected.settled or not all(_finds(app) & keys and not app.retired for app in life.apps):
        return None
    before = [app.service.state() for app in life.apps]
    ours, life.project = life.project, replace(life.project, namespace="somebody/else")
    try:
        life.run()
    except RefusedError:
        promise([app.service.state() for app in life.apps] == before, "a refused run wrote something")
    else:
        promise(False, "the namespace was another one, and the run did not stop")
    finally:
        life.project = ours
    return "a run with another namespace"


@event(3)
def race(life: Life, luck: Luck) -> str | None:
    """Let two runs go at the same time, request by request, perhaps with a person in between."""
    turns, meddling = luck.below(1 << 16), luck.below(3) == 0 and not life.raced
    life.expected.interrupted()
    life.raced = True
    racers = [life.begin(allow=False), life.begin(allow=False)]
    life.runs += 2
    moment = luck.below(6)
    told = ""
    while racers:
        turns, which = divmod(turns, 2)
        if meddling and moment == 0:
            told = _meddle(life, luck)
        moment -= 1
        racer = racers[which % len(racers)]
        try:
            next(racer)
        except (StopIteration, RefusedError):
            racers.remove(racer)
    return "two runs at once" + (f", and between them {told}" if told else "")


def _meddle(life: Life, luck: Luck) -> str:
    """Let a person do something while runs are under way.

    What they change where a run is writing at that moment is lost, unless the service can tell. With a heartbeat,
    any run may be writing; one after a step was deleted may remove its group, and one after a task was reopened writes
    what the file changed while that was done.
    """
    emptied = any(app.deleted for app in life.apps) and any(goal.groups for goal in life.project.goals)
    writing = life.expected.rewritten or life.project.heartbeat or emptied or life.expected.opened
    if writing and not all(app.service.kind.atomic for app in life.apps):
        return ""
    return luck.of((touch, edit_title, tick))(life, luck) or ""


def _health(run: Run) -> dict[str, tuple[State, int | None]]:
    """Return what a run says of each goal: its health, and the days in hand."""
    return {goal.goal.id: (goal.state, goal.margin) for goal in run.found.schedule.goals}


@event(6)
def sync(life: Life, _: Luck) -> str | None:
    """Run with nothing going wrong: everything must come to rest, and stay there."""
    stood = _dates(life) if life.expected.settled else {}
    spoiled = any(app.service.spoiled for app in life.apps)
    done = _run_as_a_person_would(life)
    if any(AGAIN in error for error in done.errors):  # a memory without tasks that was changed beyond recognition
        done = _run_as_a_person_would(life)
    said = _health(done)
    promise(not done.errors and not done.found.unread, f"could not be applied: {done.errors}")
    if spoiled or _may_take_another(life, done):
        said = _health(life.run())
    after = [app.service.state() for app in life.apps]
    writes = [app.service.writes for app in life.apps]
    again = life.run()
    changes = [(plan.label, c.action.value, c.key, c.reason) for plan in again.plans for c in plan.writes]
    promise(again.silent, f"the second run still has something to write: {changes or 'its memory'}")
    promise([app.service.state() for app in life.apps] == after, "the second run changed something")
    promise([app.service.writes for app in life.apps] == writes, "the second run sent a write")
    promise(_health(again) == said, f"the second run says {_health(again)}, and the first one said {said}")
    life.raced = False
    _check_deadlines(life, again)
    life.expected.check_at_rest(life.project, again.found.schedule)
    moved = {place for place, day in _dates(life).items() if stood.get(place, day) != day}
    promise(not moved or _in_trouble(again), f"nothing had happened, and the dates of {moved} moved")
    return "sync"


def _check_deadlines(life: Life, run: Run) -> None:
    """Check that each goal's own task is due on its deadline, which is the one that a person gave it, if in an app."""
    known = {goal.goal.id: goal for goal in run.found.schedule.goals if goal.state is not State.MISSED}
    for goal_id, day in life.expected.deadlines.items() if life.project.deadlines == "app" else ():
        if goal_id in known:
            promise(known[goal_id].deadline == day, f"a person moved {goal_id} to {day}, and the file has another day")
    for app in life.apps:
        for native_id, (key, held) in app.ours().items():
            goal = known.get(key) if app.settles(key) and native_id not in app.copies else None
            plain = not (held.done or held.dropped or held.recurring or held.unread or app.retired)
            stays = key in run.found.deadlines and run.found.deadlines[key].outcome == "stays"
            if (
                goal and plain and not stays and not (goal.failed or goal.done)
            ):  # a done one may wait for a person's task
                promise(held.content.due == goal.deadline, f"{key} in {app.name}: due {held.content.due}")


def _may_take_another(life: Life, run: Run) -> bool:
    """Return whether another run may be needed, for one that learned something only while it wrote.

    So it is where a plan is spread, where the file went back to other names, and where an app does not list what is
    done: of that, a rename may be seen one run later.
    """
    skipped = any(change.status == "skipped" for plan in run.plans for change in plan.changes)
    unlisted = life.expected.renamed and not all(app.service.kind.lists_done for app in life.apps)
    return bool(skipped or _set_free(run) or life.expected.retold or unlisted)


def _set_free(run: Run) -> bool:
    """Return whether a run moved something away from a task that it could not tick for what was below it."""
    changes = [change for plan in run.plans for change in plan.changes]
    moves = any(change.write and "parent" in change.write.fields for change in changes)
    return moves and any(change.reason == COMPANY for change in changes)


def _dates(life: Life) -> dict[tuple[str, str], date | None]:
    """Return the due date of every task of ours but the heartbeat, by its app and native id."""
    return {
        (app.name, one): held.content.due
        for app in life.apps
        for one, (key, held) in app.ours().items()
        if key != HEARTBEAT
    }


def _in_trouble(run: Run) -> bool:
    """Return whether some plan cannot be kept: what it asked for is overdue, or it does not fit any more."""
    goals = run.found.schedule.goals
    return any(goal.state in (State.LATE, State.MISSED) or any(step.overdue for step in goal.steps) for goal in goals)


def _run_as_a_person_would(life: Life) -> Run:
    """Run; where much would be removed at once, nothing is written until the person has agreed."""
    before = [app.service.state() for app in life.apps]
    removed = [len(app.service.removed) for app in life.apps]
    keys = [_counted_keys(life, app) for app in life.apps]
    left = [_keys_that_left(life, app) for app in life.apps]
    try:
        done = life.run(allow=False)
    except RefusedError as refused:
        promise([app.service.state() for app in life.apps] == before, "a refused run wrote something")
        for app in life.apps:
            if not app.ours():  # all deleted: what the message says to do is to delete the memory as well
                app.service.lose_memory(life.project.namespace)
                life.expected.began_anew(app)
        fair = any(left) or life.expected.retold or "would be removed" not in str(refused)
        promise(fair, f"refused, and nobody took much away: {refused}")
        return life.run()
    for app, earlier, known in zip(life.apps, removed, keys, strict=True):
        there = {key for key, _ in app.ours().values()}
        gone = {known[one] for one in app.service.removed[earlier:] if one in known} - there
        promise(app.retired or len(gone) <= max(3, len(known)), "mass removal")
    return done


def _counted_keys(life: Life, app: App) -> dict[str, str]:
    """Return native id -> key of the tasks that count when many are removed at once."""
    steps = keys_of(life.project)
    ours = {one: key for one, (key, _) in app.ours().items()}
    return {n: key for n, key in ours.items() if key != HEARTBEAT and not _is_time_of(steps, life.expected.named(key))}


def _keys_that_left(life: Life, app: App) -> set[str]:
    """Return the keys of open tasks that may have left the file: groups go, too, when their steps do."""
    known = keys_of(life.project)
    ours = app.ours()
    open_ = {key for one, key in _counted_keys(life, app).items() if not ours[one][1].done}
    left = {key for key in map(life.expected.named, open_) if key not in known or not app.holds(key)}
    return left | set(filter(is_group, open_))


def _is_time_of(steps: set[str], key: str) -> bool:
    """Return whether a key is of one time of a step that repeats: those come and go with the plan."""
    return is_occurrence(key) and step_of(key) in steps


def _finds(app: App) -> set[str]:
    """Return the keys of the tasks of ours that a run finds without knowing of them."""
    return {key for key, held in app.ours().values() if app.service.kind.lists_done or not held.done}
