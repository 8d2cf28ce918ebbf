"""The options that all commands share, and the decorator for commands."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from config import pull_request
from config.display import clean
from config.errors import BackplanError
from connectors.silence import LOOKING, SILENCE, Silence
from sync.cli.output import print_json, print_lines, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from config.project import Project
    from sync.run.homes import Binding
    from sync.run.workspace import Workspace

FAILED = 1
PENDING = 2


class _Date(click.ParamType[date]):
    """An ISO date on the command line."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date in a text."""
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
        """Return the id of the goal and its deadline."""
        if isinstance(value, tuple):
            return value
        goal, equals, day = value.partition("=")
        if not equals:
            self.fail(f"{value!r} is not of the form GOAL=2027-08-15", param, ctx)
        return goal, DATE.convert(day, param, ctx)


class _GoalName(click.ParamType[str]):
    """The id of a goal or, with `steps`, of one of its steps behind a slash."""

    name = "goal"

    def __init__(self, *, steps: bool = False) -> None:
        """`steps`: also complete the steps of a goal, after its name and a slash."""
        self._steps = steps

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it was written: it is resolved once the goals file is read."""
        del param, ctx
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the ids that begin like this, with their titles; none if the goals file cannot be read."""
        del param
        try:
            project = _open(ctx.params.get("goals"), None).project
        except BackplanError:
            return []
        found = self._named(project, incomplete)
        return [CompletionItem(name, help=clean(title)) for name, title in found if name.startswith(incomplete)]

    def _named(self, project: Project, incomplete: str) -> Iterator[tuple[str, str]]:
        if self._steps and "/" in incomplete:
            yield from ((step.key, step.title) for goal in project.goals for step in goal.steps)
        else:
            yield from ((goal.id, goal.title) for goal in project.goals)


def _open(goals: Path | None, today: date | None) -> Workspace:
    from sync.run.workspace import open_workspace

    return open_workspace(goals, today)


DATE, DEADLINE, GOAL, GOAL_OR_STEP = _Date(), _Deadline(), _GoalName(), _GoalName(steps=True)
PATH = click.Path(path_type=Path)


def _say_while_waiting(sentence: str) -> None:
    say(f"{sentence} (Ctrl-C stops)")


@dataclass(frozen=True, slots=True)
class Options:
    """The options that commands share; one that a command does not take has its default."""

    json: bool
    verbose: bool
    goals: Path | None = None
    goal: tuple[str, ...] = ()
    connector: tuple[str, ...] = ()
    today: date | None = None

    def workspace(self) -> Workspace:
        """Read the goals files."""
        return _open(self.goals, self.today)

    def emit(self, document: Callable[[], Mapping[str, Any]], show: Callable[[], None]) -> None:
        """Print the document with `--json`, else call `show`."""
        if self.json:
            print_json(document())
        else:
            show()

    def report(self, name: str, *values: Any, markdown: bool = False) -> None:
        """Print values with the report of this name: as JSON with `--json`, as Markdown, or for a terminal."""
        form = "as_json" if self.json else "markdown" if markdown else "text"
        # The reports are slow to import, and a command needs one of them.
        shown = getattr(import_module(f"sync.reports.{form}"), name)(*values)
        if self.json:
            print_json(shown)
        elif markdown:
            click.echo(shown, nl=False)
        else:
            print_lines(shown)


_SHARED = {
    "goals": click.option("--goals", type=PATH, help="Goals file, or folder of goals files."),
    "goal": click.option("--goal", type=GOAL, multiple=True, metavar="ID", help="Only this goal; may be repeated."),
    "connector": click.option("--connector", multiple=True, metavar="NAME", help="Only this app; may be repeated."),
    "today": click.option("--today", type=DATE, envvar="BACKPLAN_TODAY", help="Plan as if it were this day."),
    "json": click.option("--json", is_flag=True, help="One JSON document on stdout; everything for people on stderr."),
    "verbose": click.option(
        "-v", "--verbose", is_flag=True, help="Print more, and the traceback of an unexpected error."
    ),
}
_ALWAYS = frozenset({"json", "verbose"})
NOTHING: frozenset[str] = frozenset()
FILE = frozenset({"goals"})
PLAN = FILE | {"today"}
GOALS = PLAN | {"goal"}
TASKS = GOALS | {"connector"}


class _Command(click.Command):
    """A command whose help has its own options first, then those that others take as well."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two groups."""
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                (shared if parameter.name in _SHARED or parameter.name == "help" else own).append(record)
        for heading, records in (("Options", own), ("Shared options", shared)):
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def command(
    *options: Callable[[Any], Any], takes: frozenset[str] = GOALS, example: str = "", writes: bool = False
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Return a decorator that makes a function a command with its own options and shared ones.

    takes: the shared options that it acts on, besides `--json` and `--verbose`.
    example: arguments with which somebody may call it.
    writes: the command changes tasks in apps. No goals file from a pull request may do that.
    """

    shared = {name: option for name, option in _SHARED.items() if name in takes | _ALWAYS}

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def call(**arguments: Any) -> int:
            common = {name: arguments.pop(name) for name in shared}
            if writes:
                pull_request.refuse_writing()
            SILENCE.set(Silence(inf if writes else LOOKING, _say_while_waiting))
            return function(Options(**common), **arguments) or 0

        decorated: Any = call
        for option in reversed((*options, *shared.values())):
            decorated = option(decorated)
        name = function.__name__
        return click.command(name, cls=_Command, epilog=f"Example: backplan {name} {example}".rstrip())(decorated)

    return decorate


def known_connectors(names: tuple[str, ...], homes: Iterable[Binding]) -> frozenset[str]:
    """Return the names, each of which must be one of the project's connectors."""
    known = {home.connector.name for home in homes}
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r} is not among this project's connectors: {', '.join(sorted(known))}")
    return frozenset(names)
