"""Writes the first goals file, from a template, options or a few questions that lead backwards, and its workflow."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from config import schema
from config.atomic_write import replace_file
from config.edit import as_yaml, set_value
from config.errors import BackplanError, InputError
from config.keys import slug
from config.settings import Environment
from config.source import Source
from config.templates import Templates
from connectors import registry
from sync.cli import starter
from sync.cli import workflow_template as of_github
from sync.cli.init_apps import target
from sync.cli.init_prompts import ask_day, ask_template

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA_NAME = "goals.schema.json"
_MODELINE = f"# yaml-language-server: $schema={SCHEMA_NAME}\n"


def templates(folder: Path = Path("templates")) -> dict[str, str]:
    """Return the title of every template's goal, by the template's name. folder: with the user's own."""
    found = Templates(folder)
    return {name: goal[0].title or name for name in found.names() if (goal := found.get(name))}


class Kind(Enum):
    """What `init` writes beside the goals file: nothing, a workflow, or also the form and a README to start from."""

    LOCAL = auto()
    WORKFLOW = auto()
    REPOSITORY = auto()


def kind(*, workflow: bool, github: bool) -> Kind:
    """Return what two options of `init` ask for."""
    if github:
        return Kind.REPOSITORY
    return Kind.WORKFLOW if workflow else Kind.LOCAL


@dataclass(frozen=True, slots=True)
class Wish:
    """The first goal, by the options of `init`. place: that in the app. ask: missing ones can be asked for."""

    template: str | None
    title: str | None
    deadline: date | None
    today: date
    ask: bool
    place: str | None = None

    def completed(self, folder: Path) -> Wish:
        """Ask for missing parts, and return all. Raises InputError without a terminal, or if the day has passed."""
        if self.deadline is not None and self.deadline < self.today:
            raise InputError(f"--deadline {self.deadline}: that day has passed; the day must be in the future")
        if not self.ask:
            return self
        template = self.template
        if template is None and self.title is None:
            template = ask_template(templates(folder))
        title = self.title
        while template is None and not title:
            title = click.prompt("What do you want to reach?", err=True).strip()
        deadline = self.deadline or ask_day("By which day?", self.today)
        return replace(self, template=template, title=title, deadline=deadline)


def goals_text(path: Path, wish: Wish, apps: Sequence[str] = ()) -> str:
    """Return a goals file for `path`, whose tasks go to `apps`.

    Raises InputError for an unknown app, and if something is missing and there is no terminal.
    """
    if path.exists():
        raise BackplanError(f"{path}: already exists; edit it, or name another one with --goals (nothing was changed)")
    for app in apps:
        registry.load(app)
    text = _goals_text(path, wish.completed(path.parent / "templates"))  # before anything is made in an app
    environment = Environment.of_process(path.parent)
    targets = [target(app, _repository(path), environment, wish.place, ask=wish.ask) for app in apps]
    return set_value(Source(str(path), text), (), "sync", f"[{', '.join(targets)}]") if apps else text


def _goals_text(path: Path, wish: Wish) -> str:
    if wish.template is not None:
        return _from_template(path, wish.template, wish.title, wish.deadline)
    if wish.title is None or wish.deadline is None:
        options = "--title and --deadline, or --template NAME (--template list shows them)"
        raise InputError(f"not running in a terminal: pass {options}")
    return _file(path, wish.title, wish.deadline, ask_backwards(wish.title) if wish.ask else [])


def write(path: Path, text: str, kind: Kind, publish: str | None = None) -> list[Path]:
    """Write the goals file, the schema that its first line names, and what GitHub needs; return the files written.

    Existing files are not overwritten. publish: where the workflow publishes the page.
    """
    wanted = {path: text, path.parent / SCHEMA_NAME: schema.text(registry.option_schemas())}
    if kind is not Kind.LOCAL:
        root = _repository(path)
        goals, apps = path.resolve().relative_to(root.resolve()).as_posix(), _apps(path, text)
        if kind is Kind.REPOSITORY:
            of_goals = templates(path.parent / "templates")
            beside = starter.files(goals, apps, publish, of_goals)
        else:
            beside = {of_github.PATH: of_github.text(goals, apps, publish)}
        wanted |= {root / name: content for name, content in beside.items()}
    written = [name for name in wanted if not name.exists()]
    for name in written:
        name.parent.mkdir(parents=True, exist_ok=True)
        replace_file(name, wanted[name].encode())
    return written


def _repository(path: Path) -> Path:
    """Return the root of the repository that contains the goals file; its own folder if there is none."""
    root = next((folder for folder in path.resolve().parents if (folder / ".git").exists()), None)
    return path.parent if root is None else Path(os.path.relpath(root))


def _apps(path: Path, text: str) -> set[str]:
    """Return the names of the connectors that a goals file names, or the embedded one."""
    content = Source(str(path), text).value
    targets = [
        *(content.get("sync") or []),
        *(target for goal in content["goals"] for target in goal.get("sync") or []),
    ]
    return {target if isinstance(target, str) else next(iter(target)) for target in targets} or {registry.EMBEDDED}


def ask_backwards(title: str) -> list[str]:
    """Ask what comes before, from the goal back, and return the steps in the order they are done."""
    steps: list[str] = []
    after = title
    click.echo("Now backwards, one step at a time. An empty answer ends it.", err=True)
    while step := click.prompt(
        f"What has to happen right before “{after}”?", default="", show_default=False, err=True
    ).strip():
        steps.insert(0, step)
        after = step
    return steps


def _file(path: Path, title: str, deadline: date, steps: list[str]) -> str:
    zone = _zone()
    lines = [
        f"{_MODELINE}version: 1",
        f"namespace: {_namespace(path)}",
        f"timezone: {zone}" if zone else "# timezone: America/New_York    # what 'today' is; without it, UTC",
        "goals:",
        f"  - title: {as_yaml(title)}",
        f"    deadline: {deadline}",
        "    steps:" if steps else "    steps: []",
        *(f"      - {as_yaml(step)}" for step in steps),
    ]
    return "\n".join(lines) + "\n"


def _from_template(path: Path, name: str, title: str | None, deadline: date | None) -> str:
    templates = Templates(path.parent / "templates")
    file = templates.path(name)
    if file is None:
        raise InputError(f"no template has the name `{name}`; there are {', '.join(templates.names())}")
    text = file.read_text("utf-8")
    for key, value in (("deadline", deadline), ("title", title)):
        if value is not None:
            written = str(value) if isinstance(value, date) else as_yaml(value)
            text = set_value(Source(name, text), ("goals", 0), key, written)
    if "namespace" not in Source(name, text).value:
        text = set_value(Source(name, text), (), "namespace", _namespace(path))
    if (zone := _zone()) and "timezone" not in Source(name, text).value:
        text = set_value(Source(name, text), (), "timezone", zone)
    first, _, rest = text.partition("\n")
    return _MODELINE + (rest if first.startswith("# yaml-language-server") else text)


def _namespace(path: Path) -> str:
    """Return a name for the plan: that of its folder, and of the file if that has an unusual name."""
    words = [path.resolve().parent.name, *([path.stem] if path.name != "goals.yaml" else [])]
    names = ["".join(c if c.isascii() else "-" for c in slug(word)).strip("-") for word in words]
    return "/".join(name for name in names if name) or "goals"


def _zone() -> str:
    """Return the time zone of this machine; empty where it is UTC, or has no name."""
    name = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return name if "/" in name and not name.startswith("Etc/") and ZoneInfo(name) else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
