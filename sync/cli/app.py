"""The command line: imports and runs one command, and reports every error in a sentence."""

from __future__ import annotations

import sys
from collections import UserDict
from importlib import import_module
from typing import Any

import click

from config.errors import BackplanError, GoalsFileError
from sync.cli.options import FAILED
from sync.cli.output import print_json, say
from sync.reports import safe_output

USAGE = 64
_MOST_LINES = 20  # of an error
_SUMMARY = 60  # letters of a line of help


class _Commands(UserDict[str, Any]):
    """The commands by name. The module that contains a command is imported when the command is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = getattr(import_module(f"sync.cli.{self.data[name]}"), name)
        return command


_MODULES = {
    **dict.fromkeys(("explain", "fit", "move", "schedule", "status", "today", "week"), "dates"),
    **dict.fromkeys(("plan", "sync", "undo"), "tasks"),
    **dict.fromkeys(("check", "init", "schema"), "goals_file"),
    **dict.fromkeys(("connectors", "doctor"), "apps"),
    **dict.fromkeys(("open", "page"), "pages"),
    "add": "adding",
    "completion": "completion",
    "connect": "connect",
}
_GROUPS = {
    "Look": ("today", "week", "open", "status", "schedule", "explain", "fit", "page"),
    "Plan": ("init", "add", "move", "check"),
    "Do": ("plan", "sync", "undo"),
    "Set up": ("connectors", "connect", "doctor", "schema", "completion"),
}


class _Help(click.Group):
    """The help of the command line, with the commands in groups by purpose."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, group by group."""
        del ctx
        for heading, names in _GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(_SUMMARY)) for name in names])


@click.group(
    cls=_Help,
    commands=_Commands(_MODULES),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="backplan", prog_name="backplan", message="%(prog)s %(version)s")
def main() -> None:
    """Plan backwards from a deadline, and keep the steps in the to-do app you already use."""


def run() -> int:
    """Run the command line; return the exit code. No error ends in a traceback."""
    return safe_output.run(_run)


def _run() -> int:
    try:
        return int(main(prog_name="backplan", standalone_mode=False) or 0)
    except click.Abort:
        say("stopped; nothing more was done")
        return 130
    except click.ClickException as error:
        error.show()
        return USAGE
    except BackplanError as error:
        _fail(error)
        return error.exit_code
    except Exception as error:  # the user must get a sentence, not a traceback
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    if "-v" in sys.argv or "--verbose" in sys.argv:
        from traceback import format_exception

        say("".join(format_exception(error)).rstrip())
        return FAILED
    say(f"error: unexpected {type(error).__name__}: {error}")
    say("This is a bug in backplan; please report it with the output of the same command and -v.")
    return FAILED


def _fail(error: BackplanError) -> None:
    if "--json" in sys.argv:
        document: dict[str, Any] = {"version": 1, "error": str(error), "exit_code": error.exit_code}
        if isinstance(error, GoalsFileError):
            from sync.reports import as_json

            document |= as_json.problems(error.problems)
        print_json(document)
    lines = str(error).splitlines()
    for line in lines[:_MOST_LINES]:
        say(f"error: {line}")
    if len(lines) > _MOST_LINES:
        say(f"and {len(lines) - _MOST_LINES:,} more; `backplan check --json` lists all")
