"""What people may rely on, kept by counting what they did: an account of its own, which knows nothing of the planner.

It is plain on purpose. Where two things that happened between two runs leave the outcome open, the key is in `doubt`
until the next clean run: then only what always holds is looked at, and the account takes over what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from config.keys import HEARTBEAT, day_of, is_occurrence, step_of
from sync.reconcile import heartbeat
from sync.schedule.model import State
from tests.histories.listing import parse, read_entries
from tests.histories.service import memory_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from config.project import Goal, Group, Project, Step
    from connectors.model import StoredKey
    from sync.schedule.model import Schedule, ScheduledGoal, ScheduledStep
    from tests.histories.service import Held, Service


class Broken(AssertionError):  # noqa: N818  # it reads as what it is: a promise
    """A promise was broken: the sentence says which."""


def promise(held: object, sentence: str) -> None:
    """Raise Broken with the sentence unless it held."""
    if not held:
        raise Broken(sentence)


@dataclass
class App:
    """One service, and what its user relies on there. Keys are those that the file has now."""

    name: str
    service: Service
    namespace: str
    foreign: dict[str, Held] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    words: dict[tuple[str, str], str] = field(default_factory=dict)  # what people wrote: (native id, where) -> words
    copies: set[str] = field(default_factory=set)  # native ids
    unmarked: set[str] = field(default_factory=set)  # native ids of tasks that have been without a marker
    spoiled: dict[str, str] = field(default_factory=dict)  # native id -> key of those whose marker a person spoiled
    retired: bool = False
    unread: dict[str, Held] = field(default_factory=dict)  # native id -> task with something that cannot be read
    elsewhere: set[str] = field(default_factory=set)  # ids of the goals that the file puts into other apps only

    def holds(self, key: str) -> bool:
        """Return whether the file puts the goal of a key into this app."""
        return _goal(key) not in self.elsewhere

    def settles(self, key: str) -> bool:
        """Return whether a run sees to it that the tasks of a goal are as they should be."""
        return self.holds(key) and not self.is_given_up(key)

    def is_given_up(self, key: str) -> bool:
        """Return whether a person cancelled the goal's own task: then all its tasks are left as they are."""
        goal_id = _goal(key)
        known = entry.native_id if (entry := self.remembered().get(goal_id)) else ""
        dropped = [(one, held) for one, held in self.service.tasks.items() if held.dropped]
        names = [{one, *(held.marker or "").split()[1:2]} for one, held in dropped]  # its marker may have another name
        own = any(known in name for name in names) or any(
            marker.key == goal_id for _, held in dropped if (marker := parse(held.marker or ""))
        )
        return own and goal_id != HEARTBEAT

    def ours(self) -> dict[str, tuple[str, Held]]:
        """Return native id -> key and task of every task with a marker of ours, copies too."""
        found = {}
        for native_id, held in self.service.tasks.items():
            marker = parse(held.marker) if held.marker else None
            if marker and marker.namespace == self.namespace:
                found[native_id] = (marker.key, held)
        return found

    def remembered(self) -> Mapping[str, StoredKey]:
        """Return what the memory says of every key."""
        first, *others = [read_entries(tuple(lines)) for lines in self.service.memories(self.namespace).values()] or [
            {}
        ]
        for entries in others:
            first = _merged(first, entries)
        return first

    def state(self, key: str) -> str | None:
        """Return what the memory says of a key."""
        entry = self.remembered().get(key)
        return entry.state if entry else None

    def is_special(self, key: str) -> bool:
        """Return whether a task is missing, repeats, was cancelled, or must not be ticked for what is below it."""
        held = next((held for found, held in self.ours().values() if found == key), None)
        return held is None or held.recurring or held.dropped or bool(held.unread) or self.has_company(key)

    def is_unnamed(self, native_id: str, places: Mapping[str, int], project: Project) -> bool:
        """Return whether a task is remembered only where the goals file has no goal: nobody clears that up."""
        named = {places.get(goal.id, 0) for goal in project.goals}
        nonce = (self.service.tasks[native_id].marker or "").split()[1:2]
        left = (lines for place, lines in self.service.memories(self.namespace).items() if place not in named)
        known = {entry.native_id for lines in left for entry in read_entries(tuple(lines)).values()}
        return bool(known & {native_id, *nonce})

    def take_note(self) -> None:
        """Take note of tasks that have lost their marker: should one be ours again, its words are taken for theirs."""
        self.unmarked |= {native_id for native_id, held in self.service.tasks.items() if held.marker is None}

    def adopt_copies(self) -> None:
        """Take copies whose original is gone for ours: without a memory nothing tells them from it."""
        nonces = {one: (held.marker or "").split()[1:2] for one, (_, held) in self.ours().items()}
        originals = [nonce for one, nonce in nonces.items() if one not in self.copies]
        adopted = {one for one in self.copies if one in nonces and nonces[one] not in originals}
        self.copies -= adopted
        self.service.hands -= adopted

    def company(self) -> set[str]:
        """Return the keys below which an open task stands that we must not tick, so that neither can be ticked."""
        if not self.service.kind.families:
            return set()
        ours, tasks = self.ours(), self.service.tasks
        found: set[str] = set()
        for native_id, held in tasks.items():
            above = held.parent if not held.done and (native_id not in ours or held.recurring) else None
            while above in tasks:
                if above in ours:
                    found.add(ours[above][0])
                above = tasks[above].parent
        return found

    def key_of(self, native_id: str) -> str:
        """Return the key of a task: as the memory has it, for its marker may have an older name."""
        text = self.service.tasks[native_id].marker or ""
        ids = {native_id, *text.split()[1:2]}
        known = next((key for key, entry in self.remembered().items() if entry.native_id in ids), None)
        marker = parse(text)
        return known or (marker.key if marker else "")

    def unread_keys(self) -> set[str]:
        """Return the keys of the tasks in which something cannot be read, as the memory has them."""
        there = [one for one in self.unread if one in self.service.tasks]
        ids = {*there, *((self.service.tasks[one].marker or "").split()[1] for one in there)}
        return {key for key, entry in self.remembered().items() if entry.native_id in ids}

    def has_company(self, key: str) -> bool:
        """Return whether an open task that we must not tick stands below this one."""
        return key in self.company()


def _merged(first: Mapping[str, StoredKey], other: Mapping[str, StoredKey]) -> Mapping[str, StoredKey]:
    """Return what two places remember: that a key was removed counts for less than anything else."""
    gone = {key for key, entry in other.items() if key in first and entry.state == "removed"}
    return {**first, **{key: entry for key, entry in other.items() if key not in gone}}


@dataclass
class Expectations:
    """What holds for the keys of the file, over all apps.

    places: where each goal is to be, 0 for those that are not named. done: ticked by a person. pins: dates that a
    person gave. doubt: keys of which nothing is said until the next clean run. The rest is about the time since the
    last one: whether anything happened, whether the file changed, whether it or the memory tells another story
    altogether, the deadlines that a person gave to goals' own tasks, by how many days each pin was moved, the keys of
    what was moved, cleared or reopened, and new key -> old one of what was renamed.
    """

    apps: list[App]
    places: Mapping[str, int]
    recreate: bool = False
    done: set[str] = field(default_factory=set)
    pins: dict[str, date] = field(default_factory=dict)
    doubt: set[str] = field(default_factory=set)
    settled: bool = False
    rewritten: bool = True
    retold: bool = False
    deadlines: dict[str, date] = field(default_factory=dict)
    dragged: dict[str, int] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    cleared: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    # What people do

    def file_changed(self) -> None:
        """The goals file is another one."""
        self.settled, self.rewritten = False, True
        for app in self.apps:  # one that the plan moves away before a run has seen that, comes back with it
            self.doubt |= {key for key in app.deleted if is_occurrence(key) and app.state(key) != "dropped"}

    def named(self, key: str) -> str:
        """Return the key that the file has now for one that a marker still has."""
        for new, old in self.renamed.items():  # in the order in which it was renamed, perhaps several times
            key = new if old == key else key
        return key

    def ticked(self, app: App, key: str) -> None:
        """A person ticked a task."""
        if "/" in key or app.state(key) != "done":  # else it was reopened and is ticked again: nothing happened
            self.done.add(key)
        if not self.retold and key not in self.opened | {_goal(opened) for opened in self.opened}:
            self.doubt.discard(key)
        for pinned in [pinned for pinned in self.pins if pinned == key or _goal(pinned) == key]:
            del self.pins[pinned]  # what is done has left the plan; should it come back, it is planned anew
        self.settled = False

    def ticked_with_goal(self, app: App, key: str, project: Project) -> None:
        """A goal was ticked: its steps are done with it. One that is new, or cannot be ticked, keeps it open."""
        goal = project.goal(self.named(key))
        again = app.state(key) == "done"  # it was reopened, and is ticked before any run saw that: nothing happened
        for step in goal.steps if goal is not None else ():
            homes = [app for app in self.apps if app.settles(step.key)]
            plain = all(app.state(step.key) == "live" and not app.is_special(step.key) for app in homes)
            if plain and not (again or step.follow_up or self.renamed):
                self.done.add(step.key)
            elif step.key not in self.done:
                self.doubt |= {step.key, _goal(step.key)}

    def ticked_with_group(self, key: str, project: Project) -> None:
        """A group was ticked: whether those of its steps that do not stand below it are done with it is left open."""
        for goal in project.goals:
            for group in goal.groups:
                if group.key == self.named(key):
                    self.doubt |= {
                        step.key for step in goal.members(goal.steps)[group.key] if step.key not in self.done
                    } | {goal.id}

    def reopened(self, key: str) -> None:
        """A person reopened a task: it is planned again, in every app, and so is its goal."""
        if not self.settled:  # its completion may not have reached every app
            self.doubt |= {key, _goal(key)}
        if "/" not in key:  # it may have been ticked since the last run, and its steps with it
            self.doubt |= {done for done in self.done if _goal(done) == key and not self._acknowledged(done)}
        self.done -= {key, _goal(key)}
        self.opened.add(key)
        self.moved.add(key)  # while it was done, the file may have moved it: then a fresh date is no pin
        for app in self.apps:
            app.deleted.discard(key)
            self.doubt |= {key} if any(key == other and held.dropped for other, held in app.ours().values()) else set()
        self.settled = False

    def _acknowledged(self, key: str) -> bool:
        return all(app.state(key) == "done" for app in self.apps if app.settles(key))

    def hindered(self, key: str) -> None:
        """A task cannot be ticked by us any more; what happened to it before, no run may have seen."""
        self.doubt |= {self.named(key), _goal(self.named(key))}

    def unreadable(self, key: str) -> None:
        """A person typed what cannot be read into a task, or put it right: what it says may be news by then."""
        self.doubt |= {key, _goal(key)}
        self.pins.pop(key, None)
        self.settled = False

    def given_up(self, keys: set[str]) -> None:
        """A person cancelled a goal's own task, or took it up again: what happened to its steps counts from then on."""
        self.doubt |= keys
        for key in keys:
            self.pins.pop(key, None)
        self.settled = False

    def interrupted(self) -> None:
        """A run went wrong, or two raced: they may have carried the news of a reopening to some apps only."""
        self.doubt |= self.opened | {_goal(key) for key in self.opened}
        self.settled = False

    def deleted(self, app: App, key: str, *, done: bool = False) -> None:
        """A person deleted or cancelled a task; `done`: it was done, perhaps before any run has read that."""
        unclear = app.state(key) != "live" or key in self.renamed or key in self.done or not app.holds(key)
        if done or unclear:
            self.doubt.add(key)  # one that a run made without hearing of it may come back once
        elif not self.recreate:
            app.deleted.add(key)
        self.pins.pop(key, None)
        self.cleared.discard(key)
        self.settled = False

    def dated(self, key: str, day: date | None, *, days: int) -> None:
        """A person gave a task another date, or took it away; `days`: how far it is from the one that we gave it."""
        news = days != 0
        self.cleared.discard(key)
        self.pins.pop(key, None)
        self.deadlines.pop(key, None)
        plain = key not in self.moved | self.done and not self.rewritten
        if plain and day is None:
            self.cleared.add(key)
        elif plain and news and day is not None and "/" in key:
            self.pins[key], self.dragged[key] = day, days
        elif plain and news and day is not None and self.settled:
            self.deadlines[key] = day
        self.moved.add(key)
        self.settled = False

    def deadlines_taken(self, days: Mapping[str, int]) -> None:
        """A run wrote deadlines that a person gave to goals' own tasks into the file; days: by how many they moved.

        What a person had pinned before is released, and what was moved by as many days as its goal went along.
        """
        self.rewritten = True
        for key in [key for key in self.pins if _goal(key) in days]:
            if key not in self.moved or self.dragged.get(key) == days[_goal(key)]:
                del self.pins[key]

    def decided(self, schedule: Schedule) -> None:
        """A run has made its plan: a date that a person gave, and the plan gives anyway, is no pin."""
        for step in (step for goal in schedule.goals for step in goal.steps if not step.pinned):
            if step.due == self.pins.get(step.step.key):
                del self.pins[step.step.key]

    def began_anew(self, app: App) -> None:
        """A person took everything of ours out of an app, memory and all."""
        app.deleted.clear()
        self.doubt |= self.done
        self.done.clear()
        self.settled = False

    def place_deleted(self, app: App, gone: list[str], keys: set[str]) -> None:
        """A person deleted a place with all that was in it, the memory too: its goals begin anew there."""
        app.words = {where: words for where, words in app.words.items() if where[0] not in gone}
        app.deleted -= keys
        self.done -= keys
        self.doubt |= keys
        for key in keys:
            self.pins.pop(key, None)
        self.settled = False

    # What the file does

    def gone_to(self, apps: Collection[App], goal_id: str, keys: set[str]) -> None:
        """A goal is to be in these apps from now on: what a person deleted comes along where no app has it yet."""
        unclear = {key for app in self.apps for key in app.deleted}
        unclear |= {key for app in self.apps for key, entry in app.remembered().items() if entry.state == "dropped"}
        self.doubt |= {key for key in unclear if _goal(key) == goal_id} if self.settled else keys
        for app in self.apps:
            (app.elsewhere.discard if app in apps else app.elsewhere.add)(goal_id)
        self.file_changed()

    def forgotten(self, *keys: str) -> None:
        """The file has these no more."""
        for key in [time for step in keys for time in self.times(step)]:
            self.done.discard(key)
            self.doubt.discard(key)
            self.pins.pop(key, None)
            for app in self.apps:
                app.deleted.discard(key)

    def grown(self, goal_id: str) -> None:
        """A goal has a new step: if it was done, it is planned again."""
        self.done.discard(goal_id)
        if not self.settled:  # a run that was cut short may have called it done
            self.doubt.add(goal_id)

    def redefined(self, key: str) -> None:
        """The words or the length of a step changed: deleted by a person, it comes back, and its goal with it."""
        for time in self.times(key):
            self.pins.pop(time, None) if is_occurrence(time) else None
            if time not in self.doubt and not any(time in app.deleted for app in self.apps):
                continue
            self.grown(_goal(time))
            for app in self.apps:
                app.deleted.discard(time)
            if not self.settled:  # a deletion that no run has seen may count as younger than the change
                self.doubt.add(time)

    def restored(self, keys: set[str]) -> None:
        """What the file or the memory knew is another story now: only what always holds is looked at."""
        self.doubt = set(keys)
        self.done = {key for key in self.done if step_of(key) in keys}
        self.pins.clear()
        self.renamed.clear()
        self.settled, self.retold = False, True

    def moved_to(self, key: str, goal_id: str) -> None:
        """A step went to another goal, whose own state may change by it, as that of the goal that it left."""
        self.doubt |= {key, _goal(key), goal_id}
        self.done -= {_goal(key), goal_id}
        self.pins.pop(key, None)  # there is another deadline there

    def moved_key(self, old: str, new: str) -> None:
        """A step or goal has another id."""
        for time in self.times(old):
            self._moved_key(time, new + time.removeprefix(old))

    def _moved_key(self, old: str, new: str) -> None:
        self.renamed.pop(new, None)
        self.renamed[new] = old
        for keys in (self.done, self.moved, self.cleared, self.opened, self.doubt, *(app.deleted for app in self.apps)):
            if old in keys:
                keys.discard(old)
                keys.add(new)
        if old in self.pins:
            self.pins[new] = self.pins.pop(old)

    def times(self, key: str) -> list[str]:
        """Return a key and, of a step that repeats, those of its occurrences that anything is known of."""
        known = {*self.done, *self.pins, *self.doubt, *self.moved, *self.cleared, *self.opened}
        known.update(*(app.deleted for app in self.apps), *(app.remembered() for app in self.apps))
        return [key, *sorted(time for time in known if is_occurrence(time) and step_of(time) == key)]

    def _in_doubt(self, key: str) -> bool:
        return key in self.doubt or step_of(key) in self.doubt

    # What must hold

    def check_always(self) -> None:
        """Check what holds at any time, whatever went wrong a moment ago."""
        for app in self.apps:
            app.take_note()
            for native_id, held in app.foreign.items():
                there = app.service.tasks.get(native_id)  # what stands below a task of ours moves along with it
                same = there is not None and replace(there, place=held.place) == held
                promise(same, f"{held.content.title!r}, not ours, was changed")
            self._follow_words(app)
            if app.words:
                shown = "\n".join(map(_shown, app.service.tasks.values()))
                for words in app.words.values():
                    promise(words in shown, f"{words!r}, a person's, is nowhere any more")
            for native_id, held in app.unread.items():
                there = app.service.tasks.get(native_id)
                same = there is not None and replace(there, place=held.place, parent=held.parent) == held
                promise(same, f"{held.content.title!r}, which cannot be read, was changed or removed")
            gone = app.service.hands.intersection(app.service.removed)
            promise(not gone, f"{gone}, which a person had worked on, was removed")

    def _follow_words(self, app: App) -> None:
        """Look for the words of tasks that are gone in the other apps: their goal may have gone there."""
        for (native_id, where), words in list(app.words.items()):
            if native_id not in app.service.tasks:
                for other in self.apps:
                    if one := next((n for n, held in other.service.tasks.items() if words in _shown(held)), None):
                        app.words.pop((native_id, where), None)
                        other.words[one, where] = words

    def check_keys(self, *, raced: bool) -> None:
        """Check that no key has two live tasks; `raced` two runs in a service without ids may, until the next run."""
        for app in self.apps:
            if raced and not app.service.kind.client_ids:
                continue
            keys = []
            for native_id, (key, held) in app.ours().items():
                marker = parse(held.marker or "")
                if not held.done and native_id not in app.copies and marker is not None:
                    keys.append((key, marker.generation))  # an older version of the file may have a key made anew
            promise(len(keys) == len(set(keys)), f"two tasks with one key in {app.name}: {sorted(keys)}")

    def check_at_rest(self, project: Project, schedule: Schedule) -> None:
        """Check that after a clean run the apps hold what the schedule says, and what people did stands."""
        goals = [goal for goal in schedule.goals if goal.state is not State.MISSED and not goal.failed]
        scheduled = {step.step.key: step for goal in goals for step in goal.steps}
        keys = [*keys_of(project)]  # those of a goal that is over, or does not fit, may be there or not
        planned = {goal.goal.id for goal in goals}
        keys += {
            key
            for app in self.apps
            for key in (*app.remembered(), *(key for key, _ in app.ours().values()))
            if is_occurrence(key) and step_of(key) in keys and (key in scheduled or _goal(key) not in planned)
        }
        done = {goal.goal.id for goal in goals if goal.state is State.DONE}
        left = [goal.goal.id for goal in goals] + list(scheduled)
        for app in self.apps:
            self._follow_words(app)
        for app in self.apps:
            ours: dict[str, Held] = {}
            if app.retired:
                continue
            memory, own = app.remembered(), {key for key in keys if app.settles(key)}
            known = {entry.native_id: name for name, entry in memory.items()}  # its step may have moved to that goal
            for native_id, (key, held) in app.ours().items():
                closed = held.done or (held.dropped and is_occurrence(key))
                marker, copied = parse(held.marker or ""), native_id in app.copies
                made_since = key in memory and marker is not None and marker.generation < memory[key].generation
                if (key not in own and (closed or copied)) or (copied and made_since):
                    continue  # its marker is of a step or a task that was there once
                given_up = app.is_given_up(self.named(key)) or app.is_given_up(known.get(native_id, ""))
                single = key not in ours or held.done or ours[key].done or given_up
                promise(single, f"{key} has two tasks in {app.name}")
                if (key not in ours or ours[key].done) and not held.unread:
                    ours[key] = held
                kept = project.prune == "keep" or app.is_unnamed(native_id, self.places, project)
                promise(
                    key in own or kept or held.unread or given_up,
                    f"{key} left the file, and is still ours in {app.name}",
                )
            self._check_occurrences(app, ours, schedule.today)
            unread = app.unread_keys()
            for key in filter(app.settles, left):
                over = _goal(key) in done and _goal(key) not in memory  # what is done makes no tasks in a new app
                if not (self._in_doubt(key) or over or key in unread):
                    self._check(app, key, ours.get(key), memory.get(key), scheduled.get(key))
            self._check_groups(app, [goal for goal in goals if app.settles(goal.goal.id)], ours)
            self._check_words(app, project)
            self._check_places(app, project)
        self._check_heartbeat(project, schedule.today)
        self._agree(keys)
        self._take_over(keys)

    def _check_occurrences(self, app: App, ours: dict[str, Held], today: date) -> None:
        """Check that of what a step repeats at most one time is missed and open, and that what was done stays done."""
        missed: dict[str, list[str]] = {}
        for key, held in ours.items():
            if not is_occurrence(key) or held.recurring or held.dropped or self._in_doubt(key):
                continue
            if key in self.done:
                promise(held.done or app.has_company(key), f"{key} in {app.name}: was done, and is open")
            elif not held.done and key not in self.pins and day_of(key) < today:
                missed.setdefault(step_of(key), []).append(key)
        for keys in missed.values():
            promise(len(keys) == 1, f"{sorted(keys)} in {app.name}: missed, and still open")

    def _check_heartbeat(self, project: Project, today: date) -> None:
        """One app has it, due so many days ahead, unless a person took it away or made it theirs."""
        beats = [
            held
            for app in self.apps
            if not app.retired
            for native_id, (key, held) in app.ours().items()
            if key == HEARTBEAT and not held.done and native_id not in app.copies
        ]
        promise(len(beats) <= (1 if project.heartbeat else 0), f"there are {len(beats)} heartbeats")
        if project.heartbeat is None:
            return
        dropped = any(app.state(HEARTBEAT) == "dropped" for app in self.apps)
        promise(beats or dropped, "nobody took the heartbeat away, and it is gone")
        due = heartbeat.due(project.heartbeat, today)
        for held in beats:
            promise(
                held.recurring or held.dropped or held.content.due == due, f"the heartbeat is due {held.content.due}"
            )

    def _check(
        self, app: App, key: str, held: Held | None, entry: StoredKey | None, step: ScheduledStep | None
    ) -> None:
        where = f"{key} in {app.name}"
        if key in self.done:
            theirs = held is None or held.recurring or held.dropped or app.has_company(key)
            promise(theirs or (held and held.done), f"{where}: was done, and is open")
        elif key in app.deleted:
            promise(held is None or held.dropped, f"{where}: was deleted by a person, and is back")
        elif entry is not None and entry.state == "live":
            promise(held is not None and not held.done, f"{where}: should be an open task")
            if held is not None and step is not None and not held.recurring:
                self._check_date(where, key, held, step)
        else:
            state = entry.state if entry is not None else "unknown"
            explained = state == "done" and self._follows(key, step, app)
            promise(explained, f"{where}: is {state}, which nobody asked for")

    def _check_groups(self, app: App, goals: list[ScheduledGoal], ours: dict[str, Held]) -> None:
        """Check that what is in a group stands below its task, which is due with the last of it and done with all."""
        ids = {key: native_id for native_id, (key, _) in app.ours().items() if native_id not in app.copies}
        company = app.company()
        for goal in goals if app.service.kind.families else ():
            self._check_top(app, goal, ours, ids)
            for group in goal.goal.groups:
                held = ours.get(group.key)
                plain = held and not held.recurring and group.key not in company
                if held and plain and goal.state is not State.DONE and app.state(group.key) != "dropped":
                    self._check_group(app, goal, group, held, ids)

    def _check_top(self, app: App, goal: ScheduledGoal, ours: dict[str, Held], ids: dict[str, str]) -> None:
        """Check that what is in no group stands below the goal, unless a person put it elsewhere."""
        above = ours.get(goal.goal.id)
        if above is None or above.done or above.dropped or goal.state is State.DONE:
            return
        company = app.company()
        top = [group.key for group in goal.goal.groups if not group.within]
        top += [one.step.key for one in goal.steps if not (one.step.group or one.step.follow_up)]
        for key in top:
            held = ours.get(key) if not self._is_left_alone(key, company) else None
            if held and not (held.done or held.recurring or held.dropped or ids.get(key) in app.service.strayed):
                promise(
                    held.parent == ids.get(goal.goal.id), f"{key} in {app.name}: does not stand below {goal.goal.id}"
                )

    def _check_group(self, app: App, goal: ScheduledGoal, group: Group, held: Held, ids: dict[str, str]) -> None:
        where, own = (
            f"{group.key} in {app.name}",
            {step.key for step in goal.goal.members([step.step for step in goal.steps])[group.key]},
        )
        members, company = [step for step in goal.steps if step.step.key in own and not step.dropped], app.company()
        last = max((step.due for step in members if step.due), default=None)
        if members:
            promise(held.done == all(step.done for step in members), f"{where}: done is {held.done}")
            promise(held.done or held.content.due == last, f"{where}: due {held.content.due}, its last step {last}")
        for step in members:
            one = app.service.tasks.get(ids.get(step.step.key, ""))
            if step.step.group == group.key and one and not (one.done or one.recurring or one.dropped):
                here = one.parent == ids[group.key] or ids[step.step.key] in app.service.strayed
                here = here or self._is_left_alone(step.step.key, company)
                promise(here, f"{step.step.key} in {app.name}: does not stand below {group.key}")

    def _check_words(self, app: App, project: Project) -> None:
        """Check that a task holds the file's words, unless a person wrote there or its marker was ever spoiled."""
        said: dict[str, Goal | Group | Step] = {goal.id: goal for goal in project.goals}
        said |= {part.key: part for goal in project.goals for part in goal.outline(goal.steps)}
        words = {words for one in self.apps for words in one.words.values()}  # which may have come along from another
        theirs = {native_id for native_id, _ in app.words} | app.spoiled.keys() | app.unmarked | app.copies
        company = app.company()  # what is done and must not be ticked is left alone
        for native_id, (key, held) in app.ours().items():
            part = said.get(step_of(key))
            plain = not (held.done or held.recurring or held.dropped or held.unread or native_id in theirs)
            plain = plain and not words & {held.content.title, held.content.notes}
            if part is not None and plain and key not in company and app.settles(key):
                where = f"{key} in {app.name}"
                promise(held.content.title == " ".join(part.title.split()), f"{where}: is called {held.content.title}")
                promise(part.notes in held.content.notes, f"{where}: has the notes {held.content.notes!r}")
                promise(set(part.labels) <= set(held.content.labels), f"{where}: has labels {held.content.labels}")

    def _check_places(self, app: App, project: Project) -> None:
        """Check that tasks stand where their goal is to be, unless a person put them, or what is above, elsewhere."""
        if app.service.kind.places == 1:
            return
        tasks, keys, company = app.service.tasks, set(filter(app.settles, keys_of(project))), app.company()
        for native_id, (key, held) in app.ours().items():
            wanted = self.places.get(_goal(key), 0)
            here = held.place == wanted or native_id in app.copies or step_of(key) not in keys or key == HEARTBEAT
            if not here and (
                held.done or held.dropped or held.recurring or held.unread or self._is_left_alone(key, company)
            ):
                app.service.strayed.add(native_id)  # such a task stays, and is followed there should it be ours again
            above: str | None = native_id
            while not here and above in tasks:
                one = tasks[above]
                here = one.done or one.dropped or one.recurring or bool(one.unread) or above in app.service.strayed
                above = one.parent
            here = here or above is not None  # it stood below a task that was deleted since
            promise(here, f"{key} in {app.name}: stands in place {held.place}, not in {wanted}")
        homes = {self.places.get(goal.id, 0) for goal in project.goals if app.settles(goal.id)}
        spoiled = {memory_key(app.namespace, place) for place in homes}
        promise(not spoiled & app.service.spoiled, f"{app.name}: the task of a memory was changed, and is not repaired")

    def _is_left_alone(self, key: str, company: set[str]) -> bool:
        """Return whether a task is done elsewhere, and stays as it is: to tick it would tick what is below it."""
        return key in company and any(app.state(key) == "done" for app in self.apps)

    def _follows(self, key: str, step: ScheduledStep | None, app: App) -> bool:
        """Return whether something is done because something else is: a step by its goal, a goal by its last step."""
        if step is not None:
            return step.step.done is not None or _goal(key) in self.done
        steps = [entry.state for other, entry in app.remembered().items() if _goal(other) == key != other]
        return "pending" not in steps

    def _check_date(self, where: str, key: str, held: Held, step: ScheduledStep) -> None:
        promise(held.content.due == step.due, f"{where}: due {held.content.due}, planned for {step.due}")
        if key in self.cleared:
            promise(not step.pinned, f"{where}: its date was cleared by a person, and it is pinned")
        if key in self.pins:
            promise(held.content.due == self.pins[key], f"{where}: a person moved it to {self.pins[key]}")

    def _agree(self, keys: list[str]) -> None:
        """Every app says the same of what is done."""
        states: dict[str, set[bool]] = {}
        for app in self.apps:
            if not app.retired:
                memory, company = app.remembered(), app.company() | app.unread_keys()
                for key in filter(app.settles, keys):
                    if key in memory and memory[key].state in ("live", "done") and key not in company:
                        states.setdefault(key, set()).add(memory[key].state == "done")
        for key, said in states.items():
            promise(len(said) == 1, f"{key} is done in one app and open in another")

    def _take_over(self, keys: list[str]) -> None:
        """Settle: what was in doubt is now as it was found."""
        there = [(app, app.remembered()) for app in self.apps if not app.retired]
        for app, memory in there:
            times = [key for key in memory if is_occurrence(key) and step_of(key) in keys and key not in keys]
            cancelled = {self.named(key) for key, held in app.ours().values() if held.dropped}
            for key in filter(self._in_doubt, [*keys, *times]):  # the plan may come back to a time that it has left
                if not app.settles(key):
                    continue
                state = memory[key].state if key in memory else None
                state = "dropped" if key in times and key in cancelled else state
                if state in ("live", "dropped") and not self._is_left_alone(key, app.company()):
                    self.done.discard(key)
                if state == "dropped":
                    app.deleted.add(key)
                elif state is not None:
                    app.deleted.discard(key)
        self.done |= {
            key
            for app, memory in there
            for key in filter(app.settles, keys)
            if key in memory and memory[key].state == "done"
        }
        for app in self.apps:
            memory = app.remembered()
            app.copies -= {entry.native_id for entry in memory.values()}  # a person kept that one of the two
            app.deleted = {key for key in app.deleted if step_of(key) in keys and app.holds(key)}
            # Done elsewhere: who reopens it there has it planned again in every app.
            app.deleted = {key for key in app.deleted if key not in memory or memory[key].state != "done"}
        # What happens in a goal that was given up is heard when it is taken up again, or its task is deleted.
        self.doubt = {key for key in self.doubt if any(app.is_given_up(key) for app in self.apps)}
        self.settled, self.rewritten, self.retold = True, False, False
        self.moved, self.cleared, self.opened, self.renamed = set(), set(), set(), {}
        self.deadlines, self.dragged = {}, {}


def _shown(held: Held) -> str:
    """Return all words that stand in a task."""
    return "\n".join((held.content.title, held.content.notes, *held.content.labels, *held.comments))


def _goal(key: str) -> str:
    return key.partition("/")[0]


def keys_of(project: Project) -> set[str]:
    """Return every key of the project."""
    beat = {HEARTBEAT} if project.heartbeat else set()
    parts = {part.key for goal in project.goals for part in goal.outline(goal.steps)}
    return beat | {goal.id for goal in project.goals} | parts
