"""The interface to GitHub's runner: annotations, outputs, the job summary, and the event."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from config.display import fit
from config.errors import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["error", "warning", "notice"]

MOST_ANNOTATIONS = 10  # of each level that GitHub shows for a step
_PLACE = re.compile(r"(?P<file>[^\n]+?):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)", re.DOTALL)
_IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


def annotate(level: Level, message: str, place: Place | None = None) -> None:
    """Annotate the place of a message in a file, or the run if it has none.

    It is not written through `safe_output`, which makes all commands for the runner harmless.
    """
    sys.stdout.flush()
    raw = sys.__stdout__
    if raw is not None:
        raw.buffer.write(f"{annotation(level, message, place)}\n".encode("utf-8", "replace"))
        raw.buffer.flush()


def annotation(level: Level, message: str, place: Place | None = None) -> str:
    """Return the command for the runner, on one line, with other text escaped and secrets hidden."""
    properties = {"title": "backplan"}
    if place is not None:
        properties |= {"file": _in_checkout(place.file), "line": str(place.line), "col": str(place.column)}
    written = ",".join(f"{name}={_escaped(value, _IN_PROPERTY)}" for name, value in properties.items())
    return f"::{level} {written}::{_escaped(message, _IN_MESSAGE)}"


def placed(message: str) -> tuple[Place | None, str]:
    """Return the place at the beginning of a message, and the rest of it."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return None, message
    return Place(match["file"], int(match["line"]), int(match["column"])), match["message"]


def set_outputs(values: Mapping[str, str]) -> None:
    """Set the outputs of the step; each value is one line."""
    _append("GITHUB_OUTPUT", "".join(f"{name}={fit(value)}\n" for name, value in values.items()))


def add_summary(markdown: str) -> None:
    """Add Markdown to the page of the run."""
    _append("GITHUB_STEP_SUMMARY", markdown)


def event() -> Mapping[str, Any]:
    """Return GitHub's description of the event; empty if there is none."""
    try:
        found = json.loads(Path(os.environ.get("GITHUB_EVENT_PATH", "")).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _append(name: str, text: str) -> None:
    if path := os.environ.get(name):
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)


def _in_checkout(file: str) -> str:
    """Return a file's path relative to the root of the repository, as GitHub expects it."""
    checkout = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    try:
        path = Path(file).resolve()
    except (OSError, ValueError):  # text of the user that looks like a place, and cannot be the name of a file
        return file
    return path.relative_to(checkout).as_posix() if path.is_relative_to(checkout) else file


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(character, character) for character in fit(text))
