"""Commands about tasks: `plan`, `sync` and `undo`, one run each."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from config.display import clean
from config.errors import InputError
from sync.cli.options import FAILED, PATH, PENDING, TASKS, Options, command, known_connectors
from sync.cli.output import print_lines, say
from sync.reports.warnings import warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from config.project import Project
    from connectors.model import Stray
    from sync.reconcile.change import ConnectorPlan
    from sync.run.homes import Binding
    from sync.run.reading import Reading


_LEVEL = click.option(
    "--level", is_flag=True, help="Place the goals with `when_full: earlier` anew, together, even if their plans stand."
)
_JOURNAL = click.option(
    "--journal", type=PATH, metavar="FILE", help="Write every change, before -> after, to this file, for `undo`."
)


_ADOPT = click.option(
    "--adopt", is_flag=True, help="Take over your own lines in a list that have the title of a new step."
)


@command(
    click.option("--markdown", is_flag=True, help="The plan as Markdown."),
    click.option("--exit-code", is_flag=True, help=f"Exit with {PENDING} when changes are pending."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    click.option("--rebuild", is_flag=True, help="If the memory was lost, create a new one from the tasks."),
    _ADOPT,
    _LEVEL,
    _JOURNAL,
    takes=TASKS,
    example="--goal wedding",
)
def plan(options: Options, markdown: bool, exit_code: bool, journal: Path | None, **way: bool) -> int:
    """Show what `sync` would change, and why."""
    outcome = _reconcile(options, _Way(**way), journal=journal, write=False)
    _report(options, outcome, markdown=markdown)
    if outcome.failed:
        return FAILED
    return PENDING if exit_code and outcome.pending else 0


@command(
    click.option("--markdown", is_flag=True, help="The report as Markdown."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    click.option("--rebuild", is_flag=True, help="If the memory was lost, create a new one from the tasks."),
    _ADOPT,
    _LEVEL,
    _JOURNAL,
    takes=TASKS,
    example="--journal run.json",
    writes=True,
)
def sync(options: Options, markdown: bool, journal: Path | None, **way: bool) -> int:
    """Bring the apps in line with the plan.

    And the plan in line with your changes there.
    """
    outcome = _reconcile(options, _Way(**way), journal=journal, write=True)
    _report(options, outcome, markdown=markdown)
    return FAILED if outcome.failed else 0


@command(
    click.argument("file", metavar="JOURNAL", type=PATH),
    click.option("--yes", is_flag=True, help="Do it without asking."),
    click.option("--markdown", is_flag=True, help="The report as Markdown."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    _JOURNAL,
    takes=TASKS,
    example="run.json",
    writes=True,
)
def undo(options: Options, file: Path, yes: bool, markdown: bool, allow_mass_change: bool, journal: Path | None) -> int:
    """Put back what a run changed.

    Except later changes. The plan is shown first.
    """
    run, unread = _plan_back(options, file, allow_mass_change=allow_mass_change)
    for label, reason in unread.items():
        say(f"{label} could not be read, so it was left alone: {reason}")
    if not (yes and run.pending):
        _report_run(options, run, markdown=markdown)
    if run.pending and (yes or _agreed(options)):
        run = run.apply(journal, verbose=options.verbose)
        _report_run(options, run, markdown=markdown)
        say("put the goals file back too, or the next sync makes the same changes again")
    elif run.pending:
        say("nothing was written; --yes does it")
    return FAILED if unread or run.failed else 0


def _plan_back(options: Options, file: Path, *, allow_mass_change: bool) -> tuple[_Run, Mapping[str, str]]:
    """Return the plan that undoes a journal, and the errors of connectors that could not be read, by label."""
    from sync.run import pipeline
    from sync.run.journal import load
    from sync.run.reading import take_snapshots

    workspace = options.workspace()
    undone, homes = load(file).only(options.goal), workspace.homes()
    only = known_connectors(options.connector, homes)
    changed = pipeline.changed_homes(undone, workspace.project, homes)
    changed = [home for home in changed if not only or home.connector.name in only]
    found = take_snapshots(workspace.project, changed, workspace.today, allow_mass_change=allow_mass_change)
    plans = pipeline.make_plans_back(undone, changed, found, allow_mass_change=allow_mass_change)
    return _Run(plans, changed, workspace.project, applied=False), found.unread


def _agreed(options: Options) -> bool:
    """Ask the user to confirm; return False without a terminal, and with `--json`."""
    return not options.json and sys.stdin.isatty() and click.confirm("Do it?", err=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """The plans of a run, with the results if they were carried out."""

    plans: list[ConnectorPlan]
    homes: Sequence[Binding]
    project: Project
    applied: bool

    @property
    def pending(self) -> bool:
        """Whether a plan has anything to write."""
        return any(plan.pending for plan in self.plans)

    @property
    def failed(self) -> bool:
        """Whether a change or a whole plan failed."""
        failed = (change.status == "failed" for plan in self.plans for change in plan.changes)
        return any(failed) or any(plan.error for plan in self.plans)

    @property
    def document(self) -> Mapping[str, Any]:
        """The plans as JSON, which is also the journal."""
        from sync.reports import as_json

        return as_json.plans(self.plans, {home.label: home.connector for home in self.homes}, self.project.namespace)

    def apply(self, journal: Path | None, *, verbose: bool, limited: bool = False) -> _Run:
        """Carry out the plans. The journal is written first, so that a killed run can be undone, too."""
        from sync.run import pipeline

        self.write(journal, over=True)
        long = any(plan.budget and plan.budget.minutes for plan in self.plans)
        progress = say if verbose or long else lambda _: None
        done = replace(self, plans=pipeline.apply(self.plans, self.homes, progress, limited=limited), applied=True)
        done.write(journal, over=True)
        return done

    def write(self, journal: Path | None, *, over: bool) -> None:
        """Write the journal, unless the run changes nothing."""
        if journal is not None and self.pending:
            from sync.reports import as_json
            from sync.run.journal import save

            save(journal, as_json.text(self.document), over=over)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A run, the reading that it is based on, and its notes."""

    reading: Reading
    run: _Run
    notes: Sequence[str]

    @property
    def pending(self) -> bool:
        """Whether a plan has writes other than the heartbeat's."""
        return any(plan.news for plan in self.run.plans)

    @property
    def worth_reporting(self) -> bool:
        """Whether there is anything to report besides that nothing changed."""
        return bool(self.pending or self.failed or any(plan.shown for plan in self.run.plans))

    @property
    def failed(self) -> bool:
        """Whether a goal is late or held, a connector could not be read, or the run failed."""
        late = any(goal.failed for goal in self.reading.schedule.goals)
        return late or bool(self.reading.held) or bool(self.reading.unread) or self.run.failed


@dataclass(frozen=True, slots=True)
class _Way:
    """How a run reads and plans, as the options of `plan` and `sync` say."""

    allow_mass_change: bool
    rebuild: bool
    adopt: bool
    level: bool


def _reconcile(options: Options, way: _Way, *, journal: Path | None, write: bool) -> _Outcome:
    from sync.run import deadlines, pipeline
    from sync.run.reading import take_snapshots, work_out
    from sync.schedule.scheduler import schedule

    workspace = options.workspace()
    homes, only_goals = workspace.homes(), workspace.goals(options.goal)
    only = known_connectors(options.connector, homes)
    if way.level and (options.goal or only):
        raise InputError("--level places all goals anew; leave out --goal and --connector")
    allow = way.allow_mass_change
    found = take_snapshots(
        workspace.project, homes, workspace.today, rebuild=way.rebuild, allow_mass_change=allow, adopt=way.adopt
    )
    moved = deadlines.left_to_workflow(workspace, deadlines.decide(workspace, found, only_goals))
    reading = work_out(
        workspace.project, found, workspace.today, deadlines=moved, schedule=partial(schedule, afresh=way.level)
    )
    homes = reading.homes
    plans = pipeline.make_plans(reading, only_goals=only_goals, only_connectors=only, allow_mass_change=allow)
    run = _Run(plans, homes, workspace.project, applied=False)
    notes = [*deadlines.notes(workspace, moved, written=write), *workspace.left_lists(homes)]
    notes += [_may_be_adopted(key, stray) for key, stray in found.to_adopt.items()]
    if write:
        deadlines.write(workspace.project, moved)
        limited = len(plans) < len(homes) - len(reading.unread)
        return _Outcome(reading, run.apply(journal, verbose=options.verbose, limited=limited), notes)
    run.write(journal, over=False)
    return _Outcome(reading, run, notes)


def _may_be_adopted(key: str, stray: Stray) -> str:
    title = clean(stray.content.title)
    return f"{stray.place} `{title}` is yours and has the title of {key}: `backplan sync --adopt` would take it over"


def _notes(outcome: _Outcome) -> Iterator[str]:
    """Yield notes on a run besides its changes."""
    reading = outcome.reading
    for label, reason in reading.unread.items():
        yield f"{label} could not be read, so its goals were left alone: {reason}"
    yield from reading.doubts()
    for label in reading.rebuilt:
        yield f"{label}: a new memory was started; steps that you had deleted may come back"
    yield from outcome.notes
    yield from (f"{view.label}: {notice}" for view in reading.views for notice in view.snapshot.notices)
    yield from (f"{plan.label}: {notice}" for plan in outcome.run.plans for notice in plan.notices)
    for goal in reading.schedule.goals:
        if goal.waits:
            yield f"{goal.goal.id} waits: the plan of another goal with the same person could not be read"
        if goal.moves_for:
            yield f"{goal.goal.id} moves, so that {', '.join(one.id for one in goal.moves_for)} can be done in time"
        if goal.failed:
            late = "does not fit before its deadline (`when_late: fail`), so it was left alone"
            yield ": ".join((goal.goal.id, late, *warnings(goal)[:1]))


def _report(options: Options, outcome: _Outcome, *, markdown: bool) -> None:
    for note in _notes(outcome):
        say(note)
    _report_run(options, outcome.run, markdown=markdown)
    if outcome.run.applied and outcome.worth_reporting and not (markdown or options.json):
        from sync.reports import text

        print_lines(("", *text.status(outcome.reading.schedule)))


def _report_run(options: Options, run: _Run, *, markdown: bool) -> None:
    def show() -> None:
        if markdown:
            from sync.reports import markdown as as_markdown

            click.echo(as_markdown.plan(run.plans, run.project.titles, applied=run.applied), nl=False)
        else:
            from sync.reports import text

            print_lines(text.plan(run.plans, run.project.titles, applied=run.applied, verbose=options.verbose))

    options.emit(lambda: run.document, show)
