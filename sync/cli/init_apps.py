"""Finds the place in an app for `init`: from the repository, or by asking for the options of the connector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from config.edit import as_yaml
from config.errors import InputError
from connectors import registry
from connectors.options import Declares, Offers, OptionError, read_options
from sync.cli.init_places import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from config.settings import Environment
    from connectors.options import Options

_ORIGIN = re.compile(r"(?m)^\[remote \"origin\"\]\n(?:\s+.*\n)*?\s+url = (\S+)\s*$")


def target(app: str, repository: Path, environment: Environment, place: str | None, *, ask: bool) -> str:
    """Return the entry of an app under `sync:`. Its options come from `place`, the repository, or the user.

    Raises InputError for an unknown app, and for a missing option if there is no terminal.
    """
    connector: object = registry.load(app)
    if not isinstance(connector, Declares):
        return app
    options = connector.options
    if isinstance(connector, Offers) and (found := chosen(app, connector, environment, place, ask=ask)):
        return _entry(app, found)
    needed = [name for name, field in options.model_fields.items() if field.is_required()]
    if place:
        known = {(needed or list(options.model_fields))[0]: place}
        read_options(app, options, known)
    else:
        known = dict(zip(needed, _path_there(options.host, repository), strict=False))
    missing = [name for name in needed if name not in known]
    if missing and not ask:
        raise InputError(
            f"--connector {app}: not running in a terminal, so backplan cannot ask for "
            f"{_expected(options, missing[0])}; pass --place with it, or leave it out, and write "
            f"`sync: [{registry.entry(app)}]` into the goals file"
        )
    return _entry(app, {**known, **{name: _ask(app, options, name) for name in missing}})


def _entry(app: str, settings: Mapping[str, str]) -> str:
    written = ", ".join(f"{name}: {as_yaml(value)}" for name, value in settings.items())
    return f"{{{app}: {{{written}}}}}" if settings else app


def tokens(apps: Iterable[str]) -> list[str]:
    """Return a sentence on each token that the apps need."""
    found = (one for app in apps if (one := registry.credential(app)))
    return [f"{one.service}: {one.where} and put it into {one.variable}" for one in found]


def _ask(app: str, options: type[Options], name: str) -> str:
    """Ask for an option until it is valid."""
    while True:
        answer: str = click.prompt(f"{app}, {_expected(options, name)}?", err=True).strip()
        try:
            read_options(app, options, {name: answer})
        except OptionError as error:
            if error.option == name:
                click.echo(str(error), err=True)
                continue
        return answer


def _expected(options: type[Options], name: str) -> str:
    return options.model_fields[name].description or name


def _path_there(host: str, repository: Path) -> list[str]:
    """Return the path of the repository on the host from which it was cloned, if that is such a host."""
    config = repository / ".git" / "config"
    origin = _ORIGIN.search(config.read_text("utf-8", "replace")) if host and config.is_file() else None
    path = rf"\b{host}\.[\w.-]+(?::\d+)?[:/]([\w.-]+(?:/[\w.-]+?)+)(?:\.git)?/?$"
    return re.findall(path, origin[1]) if origin else []
