"""`completion`: prints a script with which a shell completes commands, options, and names of goals and steps."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_BACKPLAN_COMPLETE"


@click.command("completion", epilog="Example: backplan completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that makes a shell complete backplan's words."""
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  # click has each of the choices
    click.echo(found(context.find_root().command, {}, "backplan", VARIABLE).source())
