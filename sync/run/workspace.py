"""The workspace that every command starts from: the goals files, today, and the connectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from config import display, loader
from config.errors import BackplanError, GoalsFileError, InputError, Problem, RefusedError
from config.settings import Environment
from config.suggest import did_you_mean, meant
from sync.reconcile.progress import observe
from sync.reconcile.renames import held_back
from sync.run import reading
from sync.run.homes import Binding, homes_of
from sync.schedule.scheduler import schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from config.project import Goal, Project, Step
    from sync.schedule.model import Schedule


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project that was read, where it lies, the day to plan for, and where the settings of its run come from."""

    project: Project
    path: Path
    today: date
    environment: Environment

    @property
    def folder(self) -> Path:
        """The folder of the goals file; relative paths in it start there."""
        return self.environment.folder

    def homes(self) -> tuple[Binding, ...]:
        """Return the connectors that the project names."""
        return homes_of(self.project, self.environment)

    def left_lists(self, homes: Iterable[Binding]) -> list[str]:
        """Return a sentence on each list beside the goals file that has tasks of its goals, and is not named in it."""
        from connectors.markdown.connector import MarkdownConnector, holding

        named = {home.connector.path.resolve() for home in homes if isinstance(home.connector, MarkdownConnector)}
        goals = {goal.id for goal in self.project.goals}
        lists = holding(self.folder, self.project.namespace, named)
        left = [(path.name, ids & goals, why) for path, ids, why in lists]
        return [_left_list(name, ids, why) for name, ids, why in left if ids or why]

    def goals(self, ids: Iterable[str]) -> frozenset[str]:
        """Return the ids, each of which must be a goal's. Raises InputError with the nearest one."""
        return frozenset(self.goal(goal_id).id for goal_id in ids)

    def goal(self, name: str) -> Goal:
        """Return the goal that has this id or title, or alone begins so. Raises InputError where it is not just one."""
        titles = {goal.id: goal.title for goal in self.project.goals}
        found = self.project.goal(_the_one(name, titles, f"no goal has the id or title `{name}`"))
        assert found is not None  # noqa: S101
        return found

    def step(self, goal: Goal, name: str) -> Step:
        """Return the step of a goal that has this id or title, or alone begins so. Raises InputError as `goal` does."""
        titles = {step.id: step.title for step in goal.steps}
        step_id = _the_one(name, titles, f"{goal.id} has no step with the id or title `{name}`")
        return next(step for step in goal.steps if step.id == step_id)

    def with_deadlines(self, deadlines: Mapping[str, date]) -> Workspace:
        """Return the workspace as it would be with other deadlines."""
        days = {self.goal(name).id: day for name, day in deadlines.items()}
        moved = self.project.with_goals(lambda g: replace(g, deadline=days[g.id]) if g.id in days else g)
        return replace(self, project=moved)

    def refuse_doubts(self) -> None:
        """Raise GoalsFileError where a rename is in doubt, as far as the lists on this machine show it.

        A list that cannot be read is no mistake of the goals file: `plan` reports it.
        """
        local = [home for home in self.homes() if home.connector.capabilities.local]
        try:
            found = reading.take_snapshots(self.project, local, self.today)
        except BackplanError:
            return
        if held := held_back(reading.renames(self.project, found).values()):
            raise GoalsFileError(list(held.values()))

    def schedule_of(self, project: Project, found: reading.Snapshots) -> Schedule:
        """Return the schedule of other goals files, with the progress read for those of the workspace."""
        goals = {home.connector.identity: home.goals for home in homes_of(project, self.environment)}
        homes = tuple(replace(home, goals=goals.get(home.connector.identity, frozenset())) for home in found.homes)
        return reading.work_out(project, replace(found, homes=homes), self.today).schedule

    def offline_schedule(self) -> tuple[Schedule, list[str]]:
        """Return the schedule with the progress that files on this machine show, and notes for the user.

        A goal with tasks in an app that was not read is never late: its progress there is not known.
        """
        notes: list[str] = []
        homes = self.homes()
        local = [home for home in homes if home.connector.capabilities.local]
        distant = [home for home in homes if not home.connector.capabilities.local]
        unknown = {goal_id for home in distant for goal_id in home.goals}
        if unknown:
            names = ", ".join(home.label for home in distant)
            notes.append(f"progress in {names} is not read here; --progress reads it, or see `backplan status`")
        try:
            as_written = self.project.with_goals(lambda g: replace(g, when_late="as written") if g.id in unknown else g)
            local_reading = reading.read(as_written, local, self.today, elsewhere=frozenset(unknown))
        except RefusedError as error:
            notes.append(f"progress is not known: {error}")
            return schedule(self.project, observe(self.project, (), self.today), self.today), notes
        notes += [f"progress is not known: {reason}" for reason in local_reading.unread.values()]
        return local_reading.schedule, notes


def _the_one(name: str, titles: Mapping[str, str], unknown: str) -> str:
    """Return the id that a name means. Raises InputError where there is none, or more than one."""
    found = meant(name, titles)
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"`{name}` may be {' or '.join(f'`{one}`' for one in found)}; write more of it")
    known = f"there are: {', '.join(titles) or 'none'}"
    raise InputError(f"{unknown}; {did_you_mean(name, titles) or known}")


def _left_list(name: str, goals: Iterable[str], why: str) -> str:
    """Return a sentence on a list with tasks of some goals. why: why it cannot be read, if so."""
    if why:
        return (
            f"{name} looks like a list of backplan's, and cannot be read ({why}). The goals file does not name "
            "it, so that nothing is done with it; delete it if you do not need it"
        )
    return (
        f"{name} holds tasks of {', '.join(sorted(goals))}, and the goals file does not name it. To keep "
        f"the progress in it, and to have it cleared, write `retired: [{{markdown: {{file: {name}}}}}]`"
    )


def open_workspace(path: Path | None, today: date | None, variables: Mapping[str, str] | None = None) -> Workspace:
    """Read the goals files at `path`, or where they are by default; `today` is by default that of the file's time zone.

    variables: the settings of this run, where it is one of several; by default those of this process.
    Raises GoalsFileError with every problem of the files, InputError when there is none.
    """
    found = loader.find(path)
    project = loader.load(found)
    day = today or today_in(project.timezone)
    display.TODAY.set(day)
    _refuse_still_to_come(project, day)
    folder = found if found.is_dir() else found.parent
    environment = Environment.of_process(folder) if variables is None else Environment.of(folder, variables)
    return Workspace(project, found, day, environment)


def _refuse_still_to_come(project: Project, today: date) -> None:
    """Raise GoalsFileError with every `done:` that lies in the future."""
    written: list[tuple[str, Goal | Step]] = [("goal", goal) for goal in project.goals]
    written += [("step", step) for goal in project.goals for step in goal.steps]
    problems = [
        Problem(
            one.origin.at("done"),
            f"`done: {one.done}`: a {what} cannot be done on a day that is still to come; today is {today}. "
            "Write the day on which it was done, or delete the line",
        )
        for what, one in written
        if one.done is not None and one.done > today
    ]
    if problems:
        raise GoalsFileError(problems)


def today_in(timezone: str) -> date:
    """Return the day that it is in a time zone."""
    if timezone == "UTC":
        return datetime.now(UTC).date()
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(timezone)).date()
