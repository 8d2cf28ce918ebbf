"""Commands about the goals file: `init`, `check` and `schema`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.calendars import parts_with_more
from config.display import clean, count, near
from sync.cli import init_apps, workflow_template
from sync.cli.options import DATE, NOTHING, PLAN, Options, command
from sync.cli.output import print_lines, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sync.run.workspace import Workspace

_PUBLIC = (
    "the page will be public: everybody can read every title, date and note in the plan, even if the repository is "
    "private. It needs Settings > Pages > Source: GitHub Actions"
)
_PARTS = 4  # of a country that a hint names
_FIRST = 3  # steps that `init` shows


@dataclass(frozen=True, slots=True)
class _Beside:
    """What `init` writes beside the goals file."""

    no_workflow: bool
    github: bool
    publish: str | None

    def refuse_contradictions(self) -> None:
        """Raise UsageError where something is for the workflow, which is not to be written."""
        if self.no_workflow and (self.publish or self.github):
            option = "--publish" if self.publish else "--github"
            raise click.UsageError(
                f"{option} is for the workflow, which --no-workflow leaves out: leave out one of the two"
            )


@command(
    click.option("--template", metavar="NAME", help="Start from a template; --template list shows them."),
    click.option("--title", help="What you want to reach."),
    click.option("--deadline", type=DATE, help="The day it must be reached."),
    click.option(
        "--place", metavar="NAME", help="In the app: a repository, project or list. A CalDAV list is made if need be."
    ),
    click.option("--no-workflow", is_flag=True, help="Leave out the workflow that syncs every day on GitHub."),
    click.option(
        "--github", is_flag=True, help="Also write a form for new goals, which the workflow takes in, and a README."
    ),
    click.option(
        "--publish",
        type=click.Choice(workflow_template.PLACES),
        is_flag=False,
        flag_value=workflow_template.PLACES[0],
        help="Have the workflow publish the plan as a page: on GitHub Pages, or as a file of each run (artifact).",
    ),
    takes=PLAN | {"connector"},
    example="--template wedding --deadline 2028-06-17",
)
def init(
    options: Options,
    template: str | None,
    title: str | None,
    deadline: date | None,
    place: str | None,
    **beside: Any,
) -> None:
    """Write a goals file and a workflow for GitHub.

    From a template, or by asking. Existing files are never overwritten.
    """
    from sync.cli import init_file

    files = _Beside(**beside)
    files.refuse_contradictions()
    if place and len(options.connector) != 1:
        raise click.UsageError("--place is that of one app: name it with --connector")
    kind = init_file.kind(workflow=not files.no_workflow, github=files.github)
    if template == "list":
        found = init_file.templates()
        table = ("template", "goal"), list(found.items())
        options.emit(lambda: {"version": 1, "templates": found}, lambda: print_table(*table))
        return
    path = options.goals or Path("goals.yaml")
    today = options.today or date.today()  # noqa: DTZ011  # the user's
    wish = init_file.Wish(template, title, deadline, today, sys.stdin.isatty(), place)
    text = init_file.goals_text(path, wish, options.connector)
    written = [str(name) for name in init_file.write(path, text, kind, files.publish)]
    options.emit(
        lambda: {"version": 1, "written": written}, lambda: _show_written(options, path, written, files.publish)
    )


def _show_written(options: Options, path: Path, written: Sequence[str], publish: str | None) -> None:
    """Print the files that were written, the first steps, and the next commands."""
    where = f" --goals {path}" if options.goals else ""
    say("\n".join(f"wrote {name}" for name in written))
    if any(name.endswith(workflow_template.PATH) for name in written):
        if publish == "pages":
            say(_PUBLIC)
        say(f"{workflow_template.PATH} syncs every day on GitHub")
        say("replace OWNER in these files with the account that has your copy of backplan")
    for sentence in init_apps.tokens(options.connector):
        say(sentence)
    for line in _first_steps(replace(options, goals=path).workspace()):
        say(line)
    say(f"next: `backplan schedule{where}` shows the dates, `backplan sync{where}` makes the tasks")


def _first_steps(workspace: Workspace) -> Iterator[str]:
    """Yield the first steps of a goals file with the days on which they begin."""
    schedule, _ = workspace.offline_schedule()
    steps = [step for goal in schedule.goals for step in goal.steps if step.start]
    first = sorted(steps, key=lambda step: (step.start or date.max, step.due or date.max))[:_FIRST]
    yield from ["the first steps, with the days on which they begin:"] if first else []
    yield from (f"  {near(step.start)}  {clean(step.step.title)}" for step in first)


@command(
    click.option("--write-ids", is_flag=True, help="Write an explicit id for every goal and step into the file."),
    takes=PLAN,
    example="--goals plans/goals.yaml",
)
def check(options: Options, write_ids: bool) -> None:
    """Report every mistake in the goals file, with its place."""
    workspace = options.workspace()
    workspace.refuse_doubts()  # also checks the names and options of connectors
    if write_ids:
        _write_ids(workspace)
    for hint in _hints(workspace):
        say(hint)
    steps = sum(len(goal.steps) for goal in workspace.project.goals)
    well_formed = f"no mistakes: {count(len(workspace.project.goals), 'goal')} with {count(steps, 'step')}"
    options.emit(lambda: {"version": 1, "problems": []}, lambda: print_lines([well_formed]))


def _hints(workspace: Workspace) -> Iterator[str]:
    """Yield hints on probable mistakes: a country whose parts all have more public holidays."""
    codes = {goal.calendar.holidays for goal in workspace.project.goals}
    for code in sorted(code for code in codes if code and "-" not in code):
        if parts := parts_with_more(code, workspace.today.year):
            named = ", ".join(f"{code}-{part}" for part in parts[:_PARTS]) + (", ..." if len(parts) > _PARTS else "")
            yield f"`holidays: {code}` has only the holidays of the whole country; each part has more: {named}"


def _write_ids(workspace: Workspace) -> None:
    from config import edit

    sources = {goal.origin.source.name: goal.origin.source for goal in workspace.project.goals}
    for name, text in edit.write_ids(workspace.project).items():
        edit.save(Path(name), sources[name], text)
        say(f"wrote ids into {name}")


@command(takes=NOTHING, example="> goals.schema.json")
def schema(options: Options) -> None:
    """Print the goals file's JSON Schema."""
    del options  # the schema is JSON in any case
    from config import schema as of_file
    from connectors import registry

    click.echo(of_file.text(registry.option_schemas()), nl=False)
