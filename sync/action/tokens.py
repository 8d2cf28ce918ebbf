"""Checks the tokens of a workflow: none may be written in a file, and each must be for an app in the goals file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import InputError
from config.redaction import tokens_in
from config.source import place_at
from connectors import registry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_NOT_NAMED = (
    "The workflow passes a {kind} for {service}, but the goals file does not name it, so nothing was written there. "
    "Write `sync: [{entry}]` at the top of the goals file."
)
_OF_GITHUB = frozenset({"GITHUB_TOKEN", "WORKFLOW_TOKEN"})  # every workflow has this one
_FOR_ALL_TO_READ = (
    "the token {name} is written in this file, so everybody with access to the repository can read it. Create a new "
    "one, put it into the secret {name} (Settings > Secrets and variables > Actions), and write here: "
    "${{{{ secrets.{name} }}}}"
)
_TOKEN_LENGTH = 20  # a shorter one may be any word of a workflow


def refuse_shown() -> None:
    """Raise InputError, with the place, if a token is written in a workflow."""
    tokens = {name: token for name, token in tokens_in(os.environ).items() if len(token) >= _TOKEN_LENGTH}
    for path in sorted(Path(".github/workflows").glob("*.y*ml")):
        text = path.read_text("utf-8", "replace")
        for name, token in tokens.items():
            if token in text:
                place = place_at(path.as_posix(), text, text.index(token))
                raise InputError(f"{place}: {_FOR_ALL_TO_READ.format(name=name)}")


def not_named(named: Collection[str]) -> Iterator[str]:
    """Yield a sentence on each token that the workflow passes for an app that the goals file does not name."""
    handed_on = tokens_in(os.environ).keys() - _OF_GITHUB
    for name in registry.installed() if handed_on else ():
        token = None if name in named else registry.credential(name)
        if token is not None and token.variable in handed_on:
            entry = registry.entry(name)
            yield _NOT_NAMED.format(kind=token.kind, service=token.service, entry=entry)
