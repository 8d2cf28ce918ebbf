"""`completion`: what a shell needs to complete commands, options, and the names of goals and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.project import Project

VARIABLE = "_BACKPLAN_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete backplan's words.

    For bash: backplan completion bash >> ~/.bashrc
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  # click has each of the choices
    click.echo(found(context.find_root().command, {}, "backplan", VARIABLE).source())


class GoalName(click.ParamType[str]):
    """The id of a goal or, with `steps`, of one of its steps behind a slash, as the goals file has them."""

    name = "goal"

    def __init__(self, *, steps: bool = False) -> None:
        """`steps`: those of a goal are offered once its name and a slash are there."""
        self._steps = steps

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as it was written: the goals file tells what it means."""
        del param, ctx
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the ids that begin so, with their titles; none where the goals file cannot be read."""
        del param
        from config import loader
        from config.errors import BackplanError

        try:
            project = loader.load(loader.find(ctx.params.get("goals")))
        except BackplanError:
            return []
        found = self._named(project, incomplete)
        return [CompletionItem(name, help=title) for name, title in found if name.startswith(incomplete)]

    def _named(self, project: Project, incomplete: str) -> Iterator[tuple[str, str]]:
        if self._steps and "/" in incomplete:
            yield from ((step.key, step.title) for goal in project.goals for step in goal.steps)
        else:
            yield from ((goal.id, goal.title) for goal in project.goals)
