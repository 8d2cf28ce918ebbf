"""The output of commands: tables or one JSON document on stdout, all other text on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType


def print_lines(lines: Iterable[RenderableType]) -> None:
    """Print lines and tables as wide as the terminal."""
    from sync.reports.text import console

    out = console()
    for line in lines:
        out.print(line, soft_wrap=isinstance(line, str))


def print_table(columns: Sequence[str], values: Iterable[Sequence[str]]) -> None:
    """Print a plain table."""
    from sync.reports import text

    print_lines([text.rows(columns, values)])


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document as JSON."""
    from sync.reports import as_json

    click.echo(as_json.text(document))


def say(text: str) -> None:
    """Print a message on stderr."""
    from config.display import fit

    click.echo(fit(text), err=True)
