"""Commands about dates: `schedule`, `status`, `explain`, and `move`, which writes a deadline into the goals file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sync.commands.answers import answer, print_lines, say
from sync.commands.options import DATE, DEADLINE, FAILED, PATH, Options, command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sync.schedule import Schedule
    from sync.workspace import Workspace


@command(
    click.option("--deadline", type=DEADLINE, multiple=True, metavar="GOAL=DATE", help="What if this deadline moved?"),
    click.option("--markdown", is_flag=True, help="A Markdown table and a Mermaid gantt chart."),
    click.option("--html", type=PATH, help="Write a page with the plan and its chart."),
    click.option("--svg", type=PATH, help="Write the chart as a picture."),
    click.option("--ics", type=PATH, help="Write the dates as a calendar file."),
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
            print_lines(text.moves(before, shown) if deadline else text.schedule(shown))

    answer(options, document, show)
    return FAILED if any(goal.failed for goal in shown.goals) else 0


def _write_report(path: Path, renderer: str, shown: Schedule) -> None:
    from importlib import import_module

    from config.files import replace_file

    content: str | bytes = import_module(f"sync.reports.{renderer}").schedule(shown)
    replace_file(path, content.encode() if isinstance(content, str) else content)
    say(f"wrote {path}")


@command()
def status(options: Options) -> None:
    """Show how each goal stands: its next step, the days in hand, what is done."""
    workspace = options.workspace()
    shown = _only(workspace, _schedule(workspace, progress=True), options.goal)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        return as_json.schedule(shown)

    def show() -> None:
        from sync.reports import text

        print_lines(text.status(shown))

    answer(options, document, show)


@command(click.argument("target", metavar="GOAL[/STEP]"))
def explain(options: Options, target: str) -> None:
    """Tell why a step has its date, hop by hop to the deadline."""
    from sync.explain import explain as sentences

    workspace = options.workspace()
    goal_id, _, step_id = target.partition("/")
    workspace.goal(goal_id)
    planned = _schedule(workspace, progress=False)
    goal = next(goal for goal in planned.goals if goal.goal.id == goal_id)
    step = goal.step(step_id)
    if step_id and step is None:
        known = ", ".join(step.id for step in goal.goal.steps)
        raise click.BadParameter(f"{goal_id!r} has no step {step_id!r}; it has {known}")
    lines = sentences(planned, goal, step)
    answer(
        options,
        lambda: {"version": 1, "goal": goal_id, "step": step_id or None, "lines": lines},
        lambda: print_lines(lines),
    )


@command(
    click.argument("goal_id", metavar="GOAL"),
    click.argument("day", metavar="DATE", type=DATE),
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

        print_lines(as_text.moves(before, after))
        say("nothing was written" if dry_run else f"wrote {goal.origin.source.name}; `backplan sync` moves the tasks")

    answer(options, document, show)


def _schedule(workspace: Workspace, *, progress: bool) -> Schedule:
    if progress:
        from sync.reading import read

        reading = read(workspace.project, workspace.homes(), workspace.today)
        for label, reason in reading.unread.items():
            say(f"{label} could not be read: {reason}")
        return reading.schedule
    planned, notes = workspace.offline_schedule()
    for note in notes:
        say(f"note: {note}")
    return planned


def _only(workspace: Workspace, shown: Schedule, ids: tuple[str, ...]) -> Schedule:
    if not ids:
        return shown
    from dataclasses import replace

    wanted = workspace.goals(ids)
    return replace(shown, goals=tuple(goal for goal in shown.goals if goal.goal.id in wanted))
