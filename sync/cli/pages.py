"""The commands `page` and `open`: the plan as a site, in a folder or in the browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli.dates import CALENDAR, only_goals, read_schedule
from sync.cli.options import PATH, Options, command
from sync.cli.output import say
from sync.reports.publishing import Publishing
from sync.run import site_folder
from sync.run.deadline_history import deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.run.workspace import Workspace

_PROGRESS = click.option("--progress", is_flag=True, help="Read progress from the apps first.")


@command(
    click.argument("folder", metavar="DIR", type=PATH),
    click.option(
        "--url", default="", metavar="URL", help="The address of the site, by default `page:`; events link there."
    ),
    _PROGRESS,
    *CALENDAR,
    example="site",
)
def page(options: Options, folder: Path, url: str, progress: bool, ics_alarms: bool, ics_tasks: bool) -> None:
    """Write the plan as a site with calendars.

    A page of all goals, one of each goal, and calendars to subscribe to. Unchanged files are not written again.
    """
    workspace = options.workspace()
    publishing = Publishing(url=(url or workspace.project.page or "").rstrip("/"), alarms=ics_alarms, tasks=ics_tasks)
    files = _site(options, workspace, publishing, progress=progress)
    site_folder.write(folder, files)
    options.emit(
        lambda: {"version": 1, "written": sorted(files)},
        lambda: say(f"wrote {folder / 'index.html'} and {len(files) - 1} other files"),
    )


@command(
    click.option("--no-browser", is_flag=True, help="Only print the address."), _PROGRESS, example="--goal wedding"
)
def open(options: Options, no_browser: bool, progress: bool) -> None:  # noqa: A001  # the name of the command
    """Show the plan in the browser.

    Only this machine can see it. It is updated when the goals file or the list changes.
    """
    from sync.cli.serving import Site, serve

    def build(script: str) -> tuple[dict[str, bytes], list[Path]]:
        workspace = options.workspace()
        return _site(options, workspace, Publishing(script=script), progress=progress), list(_watched(workspace))

    def opened(url: str) -> None:
        options.emit(lambda: {"version": 1, "url": url}, lambda: click.echo(url))
        say("the page is updated when the goals file or the list changes; Ctrl-C stops")

    serve(Site(build), opened, browser=not no_browser)


def _site(options: Options, workspace: Workspace, publishing: Publishing, *, progress: bool) -> dict[str, bytes]:
    from sync.reports.site import site

    shown = only_goals(workspace, read_schedule(workspace, progress=progress), options.goal)
    return site(shown, replace(publishing, histories=deadlines(shown)))


def _watched(workspace: Workspace) -> Iterator[Path]:
    """Yield the paths of the goals files, their folder, and the lists."""
    from connectors.markdown.connector import MarkdownConnector

    yield workspace.path
    yield from {Path(goal.origin.source.name) for goal in workspace.project.goals}
    yield from (home.connector.path for home in workspace.homes() if isinstance(home.connector, MarkdownConnector))
