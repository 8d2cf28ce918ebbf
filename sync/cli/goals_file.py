"""Commands about the goals file: `init`, `check` and `schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.display import count
from sync.cli.options import DATE, Options, command
from sync.cli.output import print_lines, say

if TYPE_CHECKING:
    from datetime import date

    from sync.run.workspace import Workspace


@command(
    click.option("--template", metavar="NAME", help="Start from a template; --template list shows them."),
    click.option("--title", help="What you want to reach."),
    click.option("--deadline", type=DATE, help="The day it must be reached."),
    click.option("--no-workflow", is_flag=True, help="Leave out the workflow that syncs every day on GitHub."),
)
def init(options: Options, template: str | None, title: str | None, deadline: date | None, no_workflow: bool) -> None:
    """Write a goals file and a workflow for GitHub.

    From a template, or by asking. What is there is never written over.
    """
    from sync.cli import init_apps, init_file, workflow_template

    if template == "list":
        from sync.reports import text as as_text

        found = init_file.templates()
        table = as_text.rows(("template", "goal"), list(found.items()))
        options.emit(lambda: {"version": 1, "templates": found}, lambda: print_lines([table]))
        return
    path = options.goals or Path("goals.yaml")
    text = init_file.goals_text(path, template, title, deadline, options.connector, ask=sys.stdin.isatty())
    written = [str(name) for name in init_file.write(path, text, workflow=not no_workflow)]
    where = f" --goals {path}" if options.goals else ""

    def show() -> None:
        say("\n".join(f"wrote {name}" for name in written))
        if any(name.endswith(workflow_template.PATH) for name in written):
            path = workflow_template.PATH
            say(f"{path} syncs every day on GitHub; write there for OWNER whose copy of backplan you use")
        for sentence in init_apps.tokens(options.connector):
            say(sentence)
        say(f"next: `backplan schedule{where}` shows the dates, `backplan sync{where}` makes the tasks")

    options.emit(lambda: {"version": 1, "written": written}, show)


@command(click.option("--write-ids", is_flag=True, help="Write an explicit id for every goal and step into the file."))
def check(options: Options, write_ids: bool) -> None:
    """Report every mistake in the goals file, with its place."""
    workspace = options.workspace()
    workspace.refuse_doubts()  # which asks for the connectors: they have names and settings to be right, too
    if write_ids:
        _write_ids(workspace)
    steps = sum(len(goal.steps) for goal in workspace.project.goals)
    well_formed = f"no mistakes: {count(len(workspace.project.goals), 'goal')} with {count(steps, 'step')}"
    options.emit(lambda: {"version": 1, "problems": []}, lambda: print_lines([well_formed]))


def _write_ids(workspace: Workspace) -> None:
    from config import edit

    sources = {goal.origin.source.name: goal.origin.source for goal in workspace.project.goals}
    for name, text in edit.write_ids(workspace.project).items():
        edit.save(Path(name), sources[name], text)
        say(f"wrote ids into {name}")


@command()
def schema(options: Options) -> None:
    """Print the goals file's JSON Schema."""
    del options  # the schema is JSON in any case
    from config import schema as of_file
    from connectors import registry

    click.echo(of_file.text(registry.option_schemas()), nl=False)
