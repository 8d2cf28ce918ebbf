"""The command `add`: writes another goal into the goals file, by options or by asking backwards."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from config import edit, loader, new_goal
from config.errors import InputError
from config.keys import slug
from config.source import Source
from sync.cli.dates import only_goals, read_schedule
from sync.cli.init_file import Wish, ask_backwards, templates
from sync.cli.options import DATE, PLAN, Options, command
from sync.cli.output import say

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sync.run.workspace import Workspace


@command(
    click.option("--title", help="What you want to reach."),
    click.option("--deadline", type=DATE, help="The day it must be reached."),
    click.option("--step", "steps", multiple=True, metavar="TITLE", help="A step; in the order they are done."),
    click.option("--template", metavar="NAME", help="Take the steps of a template; see init --template list."),
    click.option("--why", default="", help="Why you want to reach it."),
    click.option("--dry-run", is_flag=True, help="Only show the dates; write nothing."),
    takes=PLAN,
    example="--title Party --deadline 2028-06-30 --step Invite --step Cook",
)
def add(
    options: Options,
    title: str | None,
    deadline: date | None,
    steps: tuple[str, ...],
    template: str | None,
    why: str,
    dry_run: bool,
) -> None:
    """Add a goal to the goals file.

    Missing parts are asked for in a terminal, backwards from the goal. Every byte of the file stays.
    """

    workspace = options.workspace()
    path = _file(workspace.path)
    goal = _goal(workspace, title, deadline, steps, template, why)
    source = Source.read(path, str(path))
    text = new_goal.add(source, goal)
    edited = replace(workspace, project=loader.load(workspace.path, {str(path): text}))
    shown = only_goals(edited, read_schedule(edited, progress=False, again=True), (goal.id,))
    if not dry_run:
        edit.save(path, source, text)

    say("nothing was written" if dry_run else f"wrote {path}; `backplan sync` makes the tasks")
    options.report("schedule", shown)


def _file(path: Path) -> Path:
    """Return the file for a new goal: of a folder, `goals.yaml`, or the only one. Raises InputError."""
    if not path.is_dir():
        return path
    files = [one for one in sorted(path.iterdir()) if one.suffix in loader.SUFFIXES and one.is_file()]
    chosen = [one for one in files if one.name == "goals.yaml"] or files
    if len(chosen) > 1:
        raise InputError(f"{path}: holds several files; name the one to add to with --goals (nothing was changed)")
    return chosen[0]


def _goal(
    workspace: Workspace,
    title: str | None,
    deadline: date | None,
    steps: tuple[str, ...],
    template: str | None,
    why: str,
) -> new_goal.NewGoal:
    """Return the goal that the options and the answers describe. Raises InputError if a part is missing or taken."""

    folder = workspace.folder / "templates"
    ask = sys.stdin.isatty() and not (deadline and (template or (title and steps)))
    wish = Wish(template, title, deadline, workspace.today, ask=ask).completed(folder)
    named = wish.title or templates(folder).get(wish.template or "")
    if not named and wish.template:
        raise InputError(f"no template has the name `{wish.template}`; there are {', '.join(templates(folder))}")
    if not named or wish.deadline is None:
        raise InputError("not running in a terminal: pass --title (or --template) and --deadline")
    if ask and not (steps or wish.template):
        steps = tuple(ask_backwards(named))
    goal_id = slug(named)
    if workspace.project.goal(goal_id):
        raise InputError(f"there is a goal with the id `{goal_id}` already; pass another --title (nothing was changed)")
    return new_goal.NewGoal(goal_id, named, wish.deadline, steps, wish.template or "", why)
