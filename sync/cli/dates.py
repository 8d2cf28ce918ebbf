"""Commands about dates: `schedule`, `status`, `today`, `week`, `explain`, `fit` and `move`."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config import display
from config.atomic_write import replace_file
from config.keys import goal_of, within_goal
from sync.cli.options import DATE, DEADLINE, FAILED, GOAL, GOAL_OR_STEP, PATH, PLAN, Options, command
from sync.cli.output import print_lines, say
from sync.forecast.estimates import require_numpy
from sync.reports.publishing import Publishing
from sync.run.deadline_history import deadlines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sync.run.workspace import Workspace
    from sync.schedule.model import Schedule


_DEADLINE = click.option(
    "--deadline",
    type=DEADLINE,
    multiple=True,
    metavar="GOAL=DATE",
    help="Show what if this deadline moved; may be repeated.",
)
_RISK = (
    click.option("--risk", is_flag=True, help="How likely the dates are to hold, from estimates such as 2-3-6 days."),
    click.option(
        "--confidence",
        type=click.IntRange(1, 99),
        metavar="PERCENT",
        help="Like --risk, with this confidence instead of 80.",
    ),
)
_CONFIDENCE = 80
_REPORTS = ("html", "svg", "ics")  # options that name a file, each with the module in sync/reports that writes it
CALENDAR = (
    click.option(
        "--ics-alarms", is_flag=True, help="In a calendar file, each step has an alarm at nine on its first day."
    ),
    click.option(
        "--ics-tasks", is_flag=True, help="In a calendar file, add steps as tasks as well; few apps read those."
    ),
)


@command(
    _DEADLINE,
    *_RISK,
    click.option("--markdown", is_flag=True, help="A Markdown table and a Mermaid gantt chart."),
    click.option("--html", type=PATH, help="Write a page with the plan and its chart."),
    click.option("--svg", type=PATH, help="Write the chart as a picture."),
    click.option("--ics", type=PATH, help="Write the dates as a calendar file."),
    *CALENDAR,
    click.option("--progress", is_flag=True, help="Read progress from the apps first."),
    example="--goal wedding --html plan.html",
)
def schedule(
    options: Options,
    deadline: tuple[tuple[str, date], ...],
    risk: bool,
    confidence: int | None,
    markdown: bool,
    progress: bool,
    **reports: Any,
) -> int:
    """Show the date of every step, offline.

    With -v also its slack: how many working days it can move without moving anything else.
    """
    workspace = options.workspace()
    level = confidence or (_CONFIDENCE if risk else None)
    before = shown = read_schedule(workspace, progress=progress, confidence=level)
    if deadline:
        shown = read_schedule(workspace.with_deadlines(dict(deadline)), progress=progress, confidence=level, again=True)
    before, shown = only_goals(workspace, before, options.goal), only_goals(workspace, shown, options.goal)
    files = _write_reports(shown, reports)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        return as_json.schedule(shown) | (as_json.what_if(before, shown) if deadline else {})

    def show() -> None:
        from sync.reports import text

        if markdown:
            from sync.reports import markdown as as_markdown

            click.echo(as_markdown.moves(before, shown) if deadline else as_markdown.schedule(shown), nl=False)
        elif deadline or not files:  # otherwise the files contain the answer
            lines = text.moves(before, shown) if deadline else text.schedule(shown, slack=options.verbose)
            print_lines(lines)

    options.emit(document, show)
    return FAILED if any(goal.failed or goal.held for goal in shown.goals) else 0


def _write_reports(shown: Schedule, options: Mapping[str, Any]) -> int:
    """Write the files that the options name, and return how many there are."""
    files = {renderer: path for renderer in _REPORTS if (path := options[renderer]) is not None}
    histories = deadlines(shown) if "html" in files else {}
    publishing = Publishing(histories, alarms=options["ics_alarms"], tasks=options["ics_tasks"])
    for renderer, path in files.items():
        render = import_module(f"sync.reports.{renderer}").schedule
        content: str | bytes = render(shown) if renderer == "svg" else render(shown, publishing)
        replace_file(path, content.encode() if isinstance(content, str) else content)
        say(f"wrote {path}")
    return len(files)


@command(example="--goal wedding")
def status(options: Options) -> None:
    """Show the state of each goal.

    With its next step, the days in hand, its progress, and times of too much work.
    """
    workspace = options.workspace()
    shown = only_goals(workspace, read_schedule(workspace, progress=True), options.goal)

    def document() -> Mapping[str, Any]:
        from sync.forecast.learning import lessons
        from sync.reports import as_json

        return as_json.schedule(shown) | {"learning": as_json.lessons(lessons(shown))}

    def show() -> None:
        from sync.reports import text

        print_lines(text.status(shown))

    options.emit(document, show)


_MARKDOWN = click.option("--markdown", is_flag=True, help="As Markdown.")
_WEEK = 7


@command(
    click.option(
        "--days", type=click.IntRange(1, 366), default=1, metavar="DAYS", help="How many days to show, with today."
    ),
    _MARKDOWN,
    example="--days 3",
)
def today(options: Options, days: int, markdown: bool) -> None:
    """Show what to do now.

    Steps that are overdue, due, beginning or under way; then a line for each goal.
    """
    _show_agenda(options, days, markdown=markdown)


@command(_MARKDOWN, example="--goal wedding")
def week(options: Options, markdown: bool) -> None:
    """Show what to do in the next seven days."""
    _show_agenda(options, _WEEK, markdown=markdown)


def _show_agenda(options: Options, days: int, *, markdown: bool) -> None:
    from sync.reports.agenda import agenda

    workspace = options.workspace()
    shown = agenda(only_goals(workspace, read_schedule(workspace, progress=True), options.goal), days)

    options.report("agenda", shown, markdown=markdown)


@command(click.argument("target", type=GOAL_OR_STEP, metavar="GOAL[/STEP]"), takes=PLAN, example="wedding/invitations")
def explain(options: Options, target: str) -> None:
    """Show why a step has its date.

    Step by step to the deadline. An id, a title or its beginning names the goal and the step.
    """
    from sync.reports.explain import explain as sentences

    workspace = options.workspace()
    named, step_named = goal_of(target), within_goal(target)
    wanted = workspace.goal(named)
    planned = read_schedule(workspace, progress=False)
    goal = next(goal for goal in planned.goals if goal.goal.id == wanted.id)
    step = goal.step(step_named) if step_named else None
    if step_named and step is None:
        step_named = workspace.step(wanted, step_named).id
        step = goal.step(step_named)
    if options.json:
        display.TODAY.set(None)  # a document names the year of each day
    history = deadlines(replace(planned, goals=(goal,))).get(wanted.id, [])
    lines = sentences(planned, goal, step, history)
    options.emit(
        lambda: {"version": 1, "goal": wanted.id, "step": step_named or None, "lines": lines},
        lambda: print_lines(lines),
    )


@command(
    click.argument("goal_id", type=GOAL, metavar="GOAL"),
    click.argument("day", metavar="DATE", type=DATE),
    click.option("--dry-run", is_flag=True, help="Only show the moves; write nothing."),
    _DEADLINE,
    *_RISK,
    takes=PLAN,
    example="wedding 2028-06-24 --dry-run",
)
def move(
    options: Options,
    goal_id: str,
    day: date,
    dry_run: bool,
    deadline: tuple[tuple[str, date], ...],
    risk: bool,
    confidence: int | None,
) -> None:
    """Move one deadline, and show the dates that move.

    The goals file is changed; its comments stay. With --deadline, other deadlines are moved only in the output.
    """
    from config import edit

    workspace = options.workspace()
    goal = workspace.goal(goal_id)
    text = edit.move_deadline(goal, day)
    level = confidence or (_CONFIDENCE if risk else None)
    before = read_schedule(workspace, progress=False, confidence=level)
    moved = workspace.with_deadlines({**dict(deadline), goal.id: day})
    after = read_schedule(moved, progress=False, confidence=level, again=True)
    if not dry_run:
        edit.save(Path(goal.origin.source.name), goal.origin.source, text)

    def document() -> Mapping[str, Any]:
        from sync.reports import as_json

        return as_json.schedule(after) | as_json.what_if(before, after)

    def show() -> None:
        from sync.reports import text as as_text

        print_lines(as_text.moves(before, after))
        say("nothing was written" if dry_run else f"wrote {goal.origin.source.name}; `backplan sync` moves the tasks")

    options.emit(document, show)


@command(
    click.argument("goal_id", type=GOAL, metavar="GOAL"),
    click.option("--progress", is_flag=True, help="Read progress from the apps first."),
    takes=PLAN,
    example="wedding",
)
def fit(options: Options, goal_id: str, progress: bool) -> None:
    """Find the earliest deadline that holds.

    As planned, and at 50, 80 and 95% where steps have estimates.
    """
    from sync.forecast import fit as fits

    workspace = options.workspace()
    goal = workspace.goal(goal_id)
    found = fits.fit(workspace.project, read_schedule(workspace, progress=progress), goal.id)

    options.report("fit", found)


def read_schedule(
    workspace: Workspace, *, progress: bool, confidence: int | None = None, again: bool = False
) -> Schedule:
    """Return the schedule, with its risk at a confidence in percent, if given; `again`: without the notes."""
    if progress:
        from sync.run.reading import read

        reading = read(workspace.project, workspace.homes(), workspace.today)
        planned, notes = (
            reading.schedule,
            [f"{label} could not be read: {why}" for label, why in reading.unread.items()],
        )
    else:
        planned, found = workspace.offline_schedule()
        notes = [f"note: {note}" for note in found]
    for note in notes if not again else ():
        say(note)
    if confidence is None:
        return planned
    require_numpy()
    from sync.forecast.risk import with_risk

    return with_risk(workspace.project, planned, confidence)


def only_goals(workspace: Workspace, shown: Schedule, ids: tuple[str, ...]) -> Schedule:
    """Return the schedule with these goals alone; with all where none is named."""
    if not ids:
        return shown
    wanted = workspace.goals(ids)
    return replace(shown, goals=tuple(goal for goal in shown.goals if goal.goal.id in wanted))
