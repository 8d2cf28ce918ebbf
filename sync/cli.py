"""The command line: options in, one of the reports out. What a command does is in the modules that it calls."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import untrusted
from config.errors import BackplanError, GoalsFileError
from sync import streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rich.console import RenderableType

    from connectors.base import Connector, Fact
    from sync.plan import ConnectorPlan
    from sync.reading import Home, Reading
    from sync.schedule import Schedule
    from sync.workspace import Workspace

USAGE = 64
FAILED = 1
PENDING = 2


class _Date(click.ParamType[date]):
    """An ISO date on the command line."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2027-08-15", param, ctx)


class _Deadline(click.ParamType[tuple[str, date]]):
    """`GOAL=DATE` on the command line."""

    name = "goal=date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, date]:
        if isinstance(value, tuple):
            return value
        goal, equals, day = value.partition("=")
        if not equals:
            self.fail(f"{value!r} is not of the form GOAL=2027-08-15", param, ctx)
        return goal, _DATE.convert(day, param, ctx)


_DATE, _DEADLINE = _Date(), _Deadline()
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command takes."""

    goals: Path | None
    goal: tuple[str, ...]
    connector: tuple[str, ...]
    today: date | None
    json: bool
    verbose: bool

    def workspace(self) -> Workspace:
        """Read the goals files."""
        from sync.workspace import open_workspace

        return open_workspace(self.goals, self.today)


_COMMON = (
    click.option("--goals", type=_PATH, help="Goals file, or folder of goals files."),
    click.option("--goal", multiple=True, metavar="ID", help="Only this goal; may be repeated."),
    click.option("--connector", multiple=True, metavar="NAME", help="Write only to this connector; may be repeated."),
    click.option("--today", type=_DATE, envvar="BACKPLAN_TODAY", help="Plan as if it were this day."),
    click.option("--json", is_flag=True, help="One JSON document on stdout; everything for people on stderr."),
    click.option("-v", "--verbose", is_flag=True, help="Say more, and show where an unexpected error happened."),
)


def _command(
    *options: Callable[[Any], Any], writes: bool = False
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Return a decorator that makes a function a command with its own options and the common ones.

    writes: it changes tasks in apps, which no goals file from a pull request may do.
    """

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def call(**arguments: Any) -> int:
            common = {name: arguments.pop(name) for name in Options.__dataclass_fields__}
            if writes:
                untrusted.refuse_writing()
            return function(Options(**common), **arguments) or 0

        decorated: Any = call
        for option in reversed((*options, *_COMMON)):
            decorated = option(decorated)
        return main.command(function.__name__.rstrip("_"))(decorated)

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="backplan", prog_name="backplan", message="%(prog)s %(version)s")
def main() -> None:
    """Plan backwards from a deadline, and keep the steps in the to-do app you already use."""


@_command(
    click.option("--template", metavar="NAME", help="Start from a template; --template list shows them."),
    click.option("--title", help="What you want to reach."),
    click.option("--deadline", type=_DATE, help="The day it must be reached."),
)
def init(options: Options, template: str | None, title: str | None, deadline: date | None) -> None:
    """Write a goals file, from a template or by asking. Never overwrites one."""
    from sync import starting

    if template == "list":
        found = starting.templates()
        _answer(options, lambda: {"version": 1, "templates": found}, lambda: _print([starting.templates_table(found)]))
        return
    path = options.goals or Path("goals.yaml")
    text = starting.goals_text(path, template, title, deadline, ask=sys.stdin.isatty())
    written = [str(name) for name in starting.write(path, text)]
    where = f" --goals {path}" if options.goals else ""

    def show() -> None:
        _say("\n".join(f"wrote {name}" for name in written))
        _say(f"next: `backplan schedule{where}` shows the dates, `backplan sync{where}` makes the tasks")

    _answer(options, lambda: {"version": 1, "written": written}, show)


@_command(click.option("--write-ids", is_flag=True, help="Write an explicit id for every goal and step into the file."))
def check(options: Options, write_ids: bool) -> None:
    """Read the goals file and report every mistake with its place."""
    workspace = options.workspace()
    workspace.homes()  # connectors have names and settings to be right, too
    if write_ids:
        _write_ids(workspace)
    steps = sum(len(goal.steps) for goal in workspace.project.goals)
    well_formed = f"no mistakes: {_count(len(workspace.project.goals), 'goal')} with {_count(steps, 'step')}"
    _answer(options, lambda: {"version": 1, "problems": []}, lambda: _print([well_formed]))


def _write_ids(workspace: Workspace) -> None:
    from config import edit

    sources = {goal.origin.source.name: goal.origin.source for goal in workspace.project.goals}
    for name, text in edit.write_ids(workspace.project).items():
        edit.save(Path(name), sources[name], text)
        _say(f"wrote ids into {name}")


@_command(
    click.option("--deadline", type=_DEADLINE, multiple=True, metavar="GOAL=DATE", help="What if this deadline moved?"),
    click.option("--markdown", is_flag=True, help="A Markdown table and a Mermaid gantt chart."),
    click.option("--html", type=_PATH, help="Write a page with the plan and its chart."),
    click.option("--svg", type=_PATH, help="Write the chart as a picture."),
    click.option("--ics", type=_PATH, help="Write the dates as a calendar file."),
    click.option("--progress", is_flag=True, help="Read progress from the apps first."),
)
def schedule(
    options: Options,
    deadline: tuple[tuple[str, date], ...],
    markdown: bool,
    html: Path | None,
    svg: Path | None,
    ics: Path | None,
    progress: bool,
) -> int:
    """Show the date of every step, offline."""
    workspace = options.workspace()
    before = _schedule(workspace, progress=progress)
    shown = _schedule(workspace.with_deadlines(dict(deadline)), progress=progress) if deadline else before
    before, shown = _only(workspace, before, options.goal), _only(workspace, shown, options.goal)
    for path, renderer in ((html, "html"), (svg, "svg"), (ics, "ics")):
        if path is not None:
            _write_report(path, renderer, shown)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        moves = {"moves": as_json.moves(before, shown)} if deadline else {}
        return {**as_json.schedule(shown), **moves}

    def show() -> None:
        from sync.reports import text

        if markdown:
            from sync.reports import markdown as as_markdown

            click.echo(as_markdown.schedule(shown), nl=False)
        else:
            _print(text.moves(before, shown) if deadline else text.schedule(shown))

    _answer(options, document, show)
    return FAILED if any(goal.failed for goal in shown.goals) else 0


def _write_report(path: Path, renderer: str, shown: Schedule) -> None:
    from importlib import import_module

    from config.files import replace_file

    content: str | bytes = import_module(f"sync.reports.{renderer}").schedule(shown)
    replace_file(path, content.encode() if isinstance(content, str) else content)
    _say(f"wrote {path}")


_JOURNAL = click.option(
    "--journal", type=_PATH, metavar="FILE", help="Write every change, before -> after, to this file, for `undo`."
)


@_command(
    click.option("--markdown", is_flag=True, help="The plan as Markdown."),
    click.option("--exit-code", is_flag=True, help=f"Exit with {PENDING} when changes are pending."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    click.option("--rebuild", is_flag=True, help="Start a new memory from the tasks where it was lost."),
    _JOURNAL,
)
def plan(
    options: Options, markdown: bool, exit_code: bool, allow_mass_change: bool, rebuild: bool, journal: Path | None
) -> int:
    """Show what `sync` would change, and why."""
    outcome = _reconcile(options, allow_mass_change=allow_mass_change, rebuild=rebuild, journal=journal, write=False)
    _report(options, outcome, markdown=markdown)
    if outcome.failed:
        return FAILED
    return PENDING if exit_code and outcome.pending else 0


@_command(
    click.option("--markdown", is_flag=True, help="The report as Markdown."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    click.option("--rebuild", is_flag=True, help="Start a new memory from the tasks where it was lost."),
    _JOURNAL,
    writes=True,
)
def sync(options: Options, markdown: bool, allow_mass_change: bool, rebuild: bool, journal: Path | None) -> int:
    """Bring the apps in line with the plan, and the plan in line with what you did there."""
    outcome = _reconcile(options, allow_mass_change=allow_mass_change, rebuild=rebuild, journal=journal, write=True)
    _report(options, outcome, markdown=markdown)
    return FAILED if outcome.failed else 0


@_command(
    click.argument("file", metavar="JOURNAL", type=_PATH),
    click.option("--yes", is_flag=True, help="Do it, without asking."),
    click.option("--markdown", is_flag=True, help="The report as Markdown."),
    click.option("--allow-mass-change", is_flag=True, help="Allow removing most tasks at once."),
    _JOURNAL,
    writes=True,
)
def undo(options: Options, file: Path, yes: bool, markdown: bool, allow_mass_change: bool, journal: Path | None) -> int:
    """Put back what a run changed, where nobody touched it since; as a plan first."""
    run, unread = _plan_back(options, file, allow_mass_change=allow_mass_change)
    for label, reason in unread.items():
        _say(f"{label} could not be read, so it was left alone: {reason}")
    if not (yes and run.pending):
        _report_run(options, run, markdown=markdown)
    if run.pending and (yes or _agreed(options)):
        run = run.apply(journal, verbose=options.verbose)
        _report_run(options, run, markdown=markdown)
        _say("put the goals file back too, or the next sync makes the same changes again")
    elif run.pending:
        _say("nothing was written; --yes does it")
    return FAILED if unread or run.failed else 0


def _plan_back(options: Options, file: Path, *, allow_mass_change: bool) -> tuple[_Run, Mapping[str, str]]:
    """Return the plan that undoes a journal, and why connectors could not be read, by their labels."""
    from sync import reconciler
    from sync.journal import load
    from sync.reading import take_snapshots

    workspace = options.workspace()
    undone, homes, namespace = load(file).only(options.goal), workspace.homes(), workspace.project.namespace
    only = _known_connectors(options.connector, homes)
    changed = reconciler.changed_homes(undone, workspace.project, homes)
    changed = [home for home in changed if not only or home.connector.name in only]
    found = take_snapshots(workspace.project, changed, workspace.today)
    plans = reconciler.make_plans_back(undone, changed, found, namespace, allow_mass_change=allow_mass_change)
    return _Run(plans, changed, namespace, applied=False), found.unread


def _agreed(options: Options) -> bool:
    """Ask, where there is somebody to ask."""
    return not options.json and sys.stdin.isatty() and click.confirm("Do it?", err=True)


@dataclass(frozen=True, slots=True)
class _Run:
    """The plans of a run, and whether they were carried out: then with what became of them."""

    plans: list[ConnectorPlan]
    homes: Sequence[Home]
    namespace: str
    applied: bool

    @property
    def pending(self) -> bool:
        return any(plan.pending for plan in self.plans)

    @property
    def failed(self) -> bool:
        return any(change.status == "failed" for plan in self.plans for change in plan.changes)

    @property
    def document(self) -> Mapping[str, Any]:
        from sync.reports import as_json

        return as_json.plans(self.plans, {home.label: home.connector for home in self.homes}, self.namespace)

    def apply(self, journal: Path | None, *, verbose: bool, limited: bool = False) -> _Run:
        """Carry the plans out. The journal comes first, so that a run that is killed can be undone too."""
        from dataclasses import replace

        from sync import reconciler

        self.write(journal, over=True)
        tell = _say if verbose else lambda _: None
        done = replace(self, plans=reconciler.apply(self.plans, self.homes, tell, limited=limited), applied=True)
        done.write(journal, over=True)
        return done

    def write(self, journal: Path | None, *, over: bool) -> None:
        """Write the journal, which a run that changes nothing leaves as it is."""
        if journal is not None and self.pending:
            from sync.journal import save
            from sync.reports import as_json

            save(journal, as_json.text(self.document), over=over)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a run did, and what it was made from."""

    reading: Reading
    run: _Run

    @property
    def pending(self) -> bool:
        return any(plan.writes for plan in self.run.plans)

    @property
    def failed(self) -> bool:
        late = any(goal.failed for goal in self.reading.schedule.goals)
        return late or bool(self.reading.unread) or self.run.failed


def _reconcile(
    options: Options, *, allow_mass_change: bool, rebuild: bool, journal: Path | None, write: bool
) -> _Outcome:
    from sync import reconciler
    from sync.reading import read

    workspace = options.workspace()
    homes = workspace.homes()
    only = _known_connectors(options.connector, homes)
    reading = read(workspace.project, homes, workspace.today, rebuild=rebuild)
    plans = reconciler.make_plans(
        reading,
        only_goals=workspace.goals(options.goal),
        only_connectors=only,
        allow_mass_change=allow_mass_change,
    )
    run = _Run(plans, homes, workspace.project.namespace, applied=False)
    if write:
        limited = len(plans) < len(homes) - len(reading.unread)
        return _Outcome(reading, run.apply(journal, verbose=options.verbose, limited=limited))
    run.write(journal, over=False)
    return _Outcome(reading, run)


def _known_connectors(names: tuple[str, ...], homes: Iterable[Home]) -> frozenset[str]:
    known = {home.connector.name for home in homes}
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r} is not among this project's connectors: {', '.join(sorted(known))}")
    return frozenset(names)


def _report(options: Options, outcome: _Outcome, *, markdown: bool) -> None:
    for label, reason in outcome.reading.unread.items():
        _say(f"{label} could not be read, so its goals were left alone: {reason}")
    for label in outcome.reading.rebuilt:
        _say(f"{label}: a new memory was started; which steps you had deleted is not known any more")
    for goal in outcome.reading.schedule.goals:
        if goal.failed:
            _say(
                f"{goal.goal.id}: does not fit before its deadline (`when_late: fail`), so it was left alone: "
                + goal.warnings[0]
            )

    _report_run(options, outcome.run, markdown=markdown)
    if outcome.run.applied and not (markdown or options.json):
        from sync.reports import text

        _print(text.status(outcome.reading.schedule))


def _report_run(options: Options, run: _Run, *, markdown: bool) -> None:
    def show() -> None:
        if markdown:
            from sync.reports import markdown as as_markdown

            click.echo(as_markdown.plan(run.plans, applied=run.applied), nl=False)
        else:
            from sync.reports import text

            _print(text.plan(run.plans, applied=run.applied))

    _answer(options, lambda: run.document, show)


@_command()
def status(options: Options) -> None:
    """Show how each goal stands: its next step, the days in hand, what is done."""
    workspace = options.workspace()
    shown = _only(workspace, _schedule(workspace, progress=True), options.goal)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        return as_json.schedule(shown)

    def show() -> None:
        from sync.reports import text

        _print(text.status(shown))

    _answer(options, document, show)


@_command(click.argument("target", metavar="GOAL[/STEP]"))
def explain(options: Options, target: str) -> None:
    """Tell why a step has its date, hop by hop to the deadline."""
    from sync.explain import explain as sentences

    workspace = options.workspace()
    goal_id, _, step_id = target.partition("/")
    workspace.goal(goal_id)
    planned = _schedule(workspace, progress=False)
    goal = next(goal for goal in planned.goals if goal.goal.id == goal_id)
    step = next((step for step in goal.steps if step.step.id == step_id), None)
    if step_id and step is None:
        known = ", ".join(step.step.id for step in goal.steps)
        raise click.BadParameter(f"{goal_id!r} has no step {step_id!r}; it has {known}")
    lines = sentences(planned, goal, step)
    _answer(
        options,
        lambda: {"version": 1, "goal": goal_id, "step": step_id or None, "lines": lines},
        lambda: _print(lines),
    )


@_command(
    click.argument("goal_id", metavar="GOAL"),
    click.argument("day", metavar="DATE", type=_DATE),
    click.option("--dry-run", is_flag=True, help="Show what would move, and write nothing."),
)
def move(options: Options, goal_id: str, day: date, dry_run: bool) -> None:
    """Move one deadline in the goals file, and show what that moves."""
    from config import edit

    workspace = options.workspace()
    goal = workspace.goal(goal_id)
    text = edit.move_deadline(goal, day)
    before = _schedule(workspace, progress=False)
    after = _schedule(workspace.with_deadlines({goal_id: day}), progress=False)
    if not dry_run:
        edit.save(Path(goal.origin.source.name), goal.origin.source, text)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        return {**as_json.schedule(after), "moves": as_json.moves(before, after)}

    def show() -> None:
        from sync.reports import text as as_text

        _print(as_text.moves(before, after))
        _say("nothing was written" if dry_run else f"wrote {goal.origin.source.name}; `backplan sync` moves the tasks")

    _answer(options, document, show)


@_command(
    click.option("--histories", type=click.IntRange(1), default=200, show_default=True, help="How many in each app."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The seed of the first one."),
)
def simulate(options: Options, histories: int, seed: int) -> int:
    """Live through random faulty histories of this plan in apps in memory, and see that every promise holds."""
    from sync.simulation import simulate as of_project

    workspace = options.workspace()
    results: list[of_project.Result] = []
    total = histories * len(of_project.ABOUT)
    with click.progressbar(length=total, label="living through histories", file=sys.stderr) as bar:
        for result in of_project.simulate(workspace.project, workspace.today, range(seed, seed + histories)):
            results.append(result)
            bar.update(result.tally.histories)

    def show() -> None:
        _print(of_project.text(results))

    _answer(options, lambda: of_project.document(results), show)
    return FAILED if any(result.tally.violation for result in results) else 0


@_command()
def connectors(options: Options) -> None:
    """List the connectors that are installed and what each can do."""
    from connectors import registry
    from connectors.base import FIELDS

    entries: list[dict[str, Any]] = []
    for name in registry.installed():
        able = registry.load(name).capabilities
        entries.append(
            {
                "name": name,
                "fields": [field for field in FIELDS if field in able.fields],
                "reliability": able.reliability,
                "local": able.local,
                "configured": able.local,
            }
        )

    def show() -> None:
        from sync.reports import text

        rows = [
            (
                str(e["name"]),
                ", ".join(e["fields"]),
                str(e["reliability"]),
                "yes" if e["configured"] else "no",
            )
            for e in entries
        ]
        _print([text.rows(("connector", "holds", "promise", "configured"), rows)])

    _answer(options, lambda: {"version": 1, "connectors": entries}, show)


@_command()
def doctor(options: Options) -> int:
    """Try each configured connector: is the token valid, which account is it, what is missing?"""
    from dataclasses import asdict

    homes = options.workspace().homes()
    only = _known_connectors(options.connector, homes)
    found = {home.label: _facts(home.connector) for home in homes if not only or home.connector.name in only}

    def show() -> None:
        from sync.reports import text

        rows = [(label, "ok" if f.ok else "WRONG", f.what, f.sentence) for label, facts in found.items() for f in facts]
        _print([text.rows(("connector", "", "what", ""), rows)])

    document = [{"label": label, "facts": [asdict(fact) for fact in facts]} for label, facts in found.items()]
    _answer(options, lambda: {"version": 1, "connectors": document}, show)
    return FAILED if any(not fact.ok for facts in found.values() for fact in facts) else 0


def _facts(connector: Connector) -> list[Fact]:
    from connectors.base import Examined, Fact

    if isinstance(connector, Examined):
        return connector.facts()
    try:
        connector.read()
    except BackplanError as error:
        return [Fact("reading", False, str(error))]
    return [Fact("reading", True, "can be read")]


@_command()
def schema(options: Options) -> None:
    """Print the goals file's JSON Schema."""
    del options  # the schema is JSON in any case
    from config import schema as of_file

    click.echo(of_file.text(), nl=False)


def run() -> int:
    """Run the command line; return the exit code. No error ends in a traceback."""
    streams.guard()
    try:
        return int(main(prog_name="backplan", standalone_mode=False) or 0)
    except click.Abort:
        _say("stopped; nothing more was done")
        return 130
    except click.ClickException as error:
        error.show()
        return USAGE
    except BackplanError as error:
        _fail(error)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # Python would complain at exit about the pipe that nobody reads
        return 0
    except Exception as error:  # the last net: a person gets a sentence, not a traceback
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    from sync.calendar import OutOfTimeError

    if isinstance(error, OutOfTimeError):
        _say(f"error: {error}")
        return USAGE
    if "-v" in sys.argv or "--verbose" in sys.argv:
        from traceback import format_exception

        _say("".join(format_exception(error)).rstrip())
        return FAILED
    _say(f"error: backplan met a case that it should know and does not: {type(error).__name__}: {error}")
    _say("Please report it with the output of the same command and -v.")
    return FAILED


def _fail(error: BackplanError) -> None:
    if "--json" in sys.argv:
        document: dict[str, Any] = {"version": 1, "error": str(error), "exit_code": error.exit_code}
        if isinstance(error, GoalsFileError):
            from sync.reports import as_json

            document |= as_json.problems(error.problems)
        _print_json(document)
    for line in str(error).splitlines():
        _say(f"error: {line}")


def _schedule(workspace: Workspace, *, progress: bool) -> Schedule:
    if progress:
        from sync.reading import read

        reading = read(workspace.project, workspace.homes(), workspace.today)
        for label, reason in reading.unread.items():
            _say(f"{label} could not be read: {reason}")
        return reading.schedule
    planned, notes = workspace.offline_schedule()
    for note in notes:
        _say(f"note: {note}")
    return planned


def _only(workspace: Workspace, shown: Schedule, ids: tuple[str, ...]) -> Schedule:
    if not ids:
        return shown
    from dataclasses import replace

    wanted = workspace.goals(ids)
    return replace(shown, goals=tuple(goal for goal in shown.goals if goal.goal.id in wanted))


def _answer(options: Options, document: Callable[[], Mapping[str, Any]], show: Callable[[], None]) -> None:
    if options.json:
        _print_json(document())
    else:
        show()


def _print(lines: Iterable[RenderableType]) -> None:
    from sync.reports.text import console

    out = console()
    for line in lines:
        out.print(line, soft_wrap=isinstance(line, str))


def _print_json(document: Mapping[str, Any]) -> None:
    from sync.reports import as_json

    click.echo(as_json.text(document))


def _say(text: str) -> None:
    from sync.reports.words import fit

    click.echo(fit(text), err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
